"""terraform: what the files of a folder would ask the provider for.

    made = run(folder, autoscaling_group='web')
    made['resource']['aws_autoscaling_policy']['fewer']  # {argument: value}
    findings(made)  # what the provider's schema says against it

The provider's schema is what HashiCorp's own code generator made of it for
TypeScript: an interface for each block, its members the arguments.
"""

import functools
import json
import os
import pathlib
import re
import select
import subprocess

from cloudformation import HERE, modules

BLOCKS = ('resource', 'data')
INTERFACE = re.compile(r'^export interface (\w+)[^{]*\{\n(.*?)^\}', re.M | re.S)
# A map stands over three lines.
MEMBER = re.compile(r'^    readonly (\w+)(\??): (\{[^}]*\}|[^;{]+);', re.M)
WORDS = {'string': lambda value: isinstance(value, (str, int, float)) and
         not isinstance(value, bool),
         'number': lambda value: isinstance(value, (int, float)) and
         not isinstance(value, bool),
         'boolean': lambda value: isinstance(value, bool),
         'string[]': lambda value: isinstance(value, list) and
         all(isinstance(one, str) for one in value)}


@functools.cache
def parser():
    """A process that serves all tests of this one."""
    return subprocess.Popen(
        ['node', HERE / 'terraform.mjs'], text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, env={**os.environ, 'FLEET_MODULES': modules()})


def run(folder, **variables):
    parser().stdin.write(json.dumps({'folder': str(folder),
                                     'variables': variables}) + '\n')
    parser().stdin.flush()
    assert select.select([parser().stdout], [], [], 120)[0], 'no answer'
    line = parser().stdout.readline()
    assert line, 'terraform.mjs has ended'
    made = json.loads(line)
    if 'error' in made:
        raise ValueError(made['error'])
    return made


@functools.cache
def interfaces(block, type):
    """{interface: {argument: (type, whether it is due)}} of a resource or a
    source of data; the first is that of the block itself."""
    folder = f'data_{type}' if block == 'data' else type.removeprefix('aws_')
    name = folder.replace('_', '-')
    path = pathlib.Path(modules(), 'package/lib', name, 'index.d.ts')
    text = re.sub(r'^ *(/\*)?\*.*\n', '', path.read_text(), flags=re.M)
    found = {}
    for interface, body in INTERFACE.findall(text):
        found[interface] = {
            re.sub('[A-Z]', lambda letter: '_' + letter[0].lower(), member):
            (kind.split(' | ')[0], not optional)
            for member, optional, kind in MEMBER.findall(body)}
    assert f'tfResourceType = "{type}"' in text and found, path
    return found


def mismatches(known, interface, value, path):
    """Where a block is not what its interface says."""
    arguments = known[interface]
    found = [f'{path}: {name} is missing'
             for name, (_, due) in arguments.items()
             if due and name not in value]
    for name, one in value.items():
        where = f'{path}.{name}'
        kind = arguments.get(name, (None,))[0]
        if kind is None:
            found.append(f'{where}: no argument')
        elif kind in WORDS:
            if not WORDS[kind](one):
                found.append(f'{where}: no {kind}: {one!r}')
        elif kind.startswith('{'):
            if not isinstance(one, dict):
                found.append(f'{where}: no map')
        else:
            is_list = kind.endswith('[]')
            if not isinstance(one, list) or not is_list and len(one) != 1:
                found.append(f'{where}: no block, or too many')
                continue
            for inner in one:
                found += mismatches(known, kind.removesuffix('[]'), inner,
                                    where)
    return found


def findings(made):
    found = []
    for block in BLOCKS:
        for type, several in made[block].items():
            known = interfaces(block, type)
            for name, arguments in several.items():
                found += mismatches(known, next(iter(known)), arguments,
                                    f'{type}.{name}')
    return found
