"""cloudformation: a template as CloudFormation would see it.

    stack = Stack(load(path), AutoScalingGroup='web', Policy='target')
    stack.resources['KeepSockets']  # ('AWS::AutoScaling::ScalingPolicy', {...})
    findings(stack)                 # what the published schema says against it

The template is read by the AWS command line's own reader.  Of the functions are
those evaluated that contrib/aws uses; another one is an error.
"""

import functools
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ABSENT = object()  # AWS::NoValue
SECTIONS = {'AWSTemplateFormatVersion', 'Description', 'Metadata', 'Parameters',
            'Mappings', 'Conditions', 'Resources', 'Outputs'}
PSEUDO = {'AWS::Region': 'eu-west-1', 'AWS::NoValue': ABSENT}


# In a process of its own: awscli brings another botocore under the same name.
READER = '''import json, sys
from awscli.customizations.cloudformation.yamlhelper import yaml_parse
json.dump(yaml_parse(sys.stdin.read()), sys.stdout)'''


@functools.cache
def parse(text):
    done = subprocess.run([sys.executable, '-c', READER], input=text, text=True,
                          capture_output=True, timeout=120)
    if done.returncode:
        raise ValueError(done.stderr)
    return json.loads(done.stdout)


def load(path):
    return parse(path.read_text())


def modules():
    """Where npm has put the packages of package.json."""
    folder = os.environ.get('FLEET_MODULES')
    assert folder, 'name in FLEET_MODULES where npm installed package.json'
    return folder


def node(script, *arguments, **how):
    """What a script beside us prints, as JSON."""
    modules()
    done = subprocess.run(['node', HERE / script, *arguments], text=True,
                          capture_output=True, timeout=120, **how)
    if done.returncode:
        raise ValueError(done.stderr)
    return json.loads(done.stdout)


class Stack:
    """A template with parameters."""

    def __init__(self, template, **parameters):
        assert set(template) <= SECTIONS, set(template) - SECTIONS
        self.template = template
        unknown = set(parameters) - set(template['Parameters'])
        assert not unknown, f'no parameter {unknown}'
        self.parameters = {name: self._parameter(name, declared, parameters)
                           for name, declared in template['Parameters'].items()}
        self.present = {
            name: resource for name, resource in template['Resources'].items()
            if 'Condition' not in resource
            or self.condition(resource['Condition'])}
        self.resources = {
            name: (resource['Type'], self.value(resource['Properties']))
            for name, resource in self.present.items()}
        self.outputs = {name: self.value(output['Value'])
                        for name, output in template['Outputs'].items()}

    @staticmethod
    def _parameter(name, declared, given):
        assert set(declared) <= {'Type', 'Default', 'Description',
                                 'AllowedValues'}, name
        value = given.get(name, declared.get('Default', ABSENT))
        assert value is not ABSENT, f'{name} has no value'
        allowed = declared.get('AllowedValues', [value])
        assert value in allowed, f'{name}: {value!r} is none of {allowed}'
        if declared['Type'] == 'Number':
            float(value)
        else:
            assert declared['Type'] == 'String' and isinstance(value, str), name
        return value

    def condition(self, name):
        return self.value(self.template['Conditions'][name])

    def reference(self, name):
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            return self.parameters[name]
        # What CloudFormation would put there, an ARN or a name.
        assert name in self.present, f'!Ref {name}: not there'
        return f'({name})'

    def value(self, tree):
        """With all functions evaluated."""
        if isinstance(tree, list):
            values = [self.value(one) for one in tree]
            return [value for value in values if value is not ABSENT]
        if not isinstance(tree, dict):
            return tree
        if len(tree) == 1:
            (name, inner), = tree.items()
            if name in FUNCTIONS:
                return FUNCTIONS[name](self, inner)
            assert not name.startswith('Fn::'), name
        values = {name: self.value(inner) for name, inner in tree.items()}
        return {name: value for name, value in values.items()
                if value is not ABSENT}

    def _if(self, inner):
        name, yes, no = inner
        return self.value(yes if self.condition(name) else no)

    def _sub(self, inner):
        text, names = inner if isinstance(inner, list) else (inner, {})

        def fill(found):
            value = (self.value(names[found[1]]) if found[1] in names
                     else self.reference(found[1]))
            return str(value)
        return re.sub(r'\$\{([\w:.]+)\}', fill, text)

    def _find_in_map(self, inner):
        name, first, second = self.value(inner)
        return self.template['Mappings'][name][first][second]


FUNCTIONS = {
    'Ref': Stack.reference,
    'Condition': Stack.condition,
    'Fn::If': Stack._if,
    'Fn::Sub': Stack._sub,
    'Fn::FindInMap': Stack._find_in_map,
    'Fn::Equals': lambda stack, two: len({str(stack.value(one))
                                          for one in two}) == 1,
    'Fn::Not': lambda stack, one: not stack.value(one[0]),
    'Fn::And': lambda stack, several: all(map(stack.value, several)),
}


# ---- the published schema ----------------------------------------------------

@functools.cache
def schema(*types):
    return node('cloudformation_schema.mjs', *types)


def is_number(value):
    """CloudFormation takes texts for numbers."""
    return (not isinstance(value, bool) and
            re.fullmatch(r'-?\d+(\.\d+)?', str(value)) is not None)


WORDS = {
    'string': lambda value: isinstance(value, str) or is_number(value),
    'number': is_number,
    'integer': lambda value: re.fullmatch(r'-?\d+', str(value)) is not None,
    'boolean': lambda value: isinstance(value, bool),
    'json': lambda value: isinstance(value, dict),
    'tag': lambda value: isinstance(value, dict) and set(value) == {'Key',
                                                                    'Value'},
}


def mismatches(kind, value, path):
    """Where value is not of the kind that cloudformation_schema.mjs names."""
    if isinstance(kind, str):
        return [] if WORDS[kind](value) else [f'{path}: no {kind}: {value!r}']
    if isinstance(kind, list):
        if not isinstance(value, list):
            return [f'{path}: no list']
        return [finding for i, one in enumerate(value)
                for finding in mismatches(kind[0], one, f'{path}[{i}]')]
    if 'union' in kind:
        several = [mismatches(one, value, path) for one in kind['union']]
        return min(several, key=len)
    if not isinstance(value, dict):
        return [f'{path}: no object']
    if 'map' in kind:
        return [finding for name, one in value.items()
                for finding in mismatches(kind['map'], one, f'{path}.{name}')]
    known = kind['properties']
    return ([f'{path}: no property {name}' for name in value
             if name not in known] +
            [f'{path}: {name} is missing' for name, (_, due) in known.items()
             if due and name not in value] +
            [finding for name, one in value.items() if name in known
             for finding in mismatches(known[name][0], one, f'{path}.{name}')])


def findings(stack):
    """What the schema says against the resources of a stack."""
    known = schema(*sorted({resource['Type'] for resource in
                            stack.template['Resources'].values()}))
    found = []
    for name, (type, properties) in stack.resources.items():
        if not known[type]:
            found.append(f'{name}: no type {type}')
            continue
        found += mismatches({'properties': known[type]['properties']},
                            properties, name)
    return found
