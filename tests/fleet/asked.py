"""asked: what a stack asks of CloudWatch and Auto Scaling, as the calls that
make it so, whether it comes from CloudFormation or from Terraform.

    calls = of_cloudformation(stack)  # {'memory-is-low': Call}
    findings(call)    # what AWS's models in botocore say against its parameters
    metrics(call)     # [Metric] that it looks at
"""

import collections
import functools
import re

import botocore.session
import botocore.validate

Call = collections.namedtuple('Call', 'service operation parameters')
# A metric as it is looked at: dimensions are a tuple of pairs, in order.
Metric = collections.namedtuple(
    'Metric', 'namespace name dimensions unit statistic period')

ALARM = ('cloudwatch', 'PutMetricAlarm')
POLICY = ('autoscaling', 'PutScalingPolicy')
# Parameters that are younger than the botocore of Debian 12, by shape.
YOUNGER = {'CustomizedMetricSpecification': {'Period': 'integer'},
           'TargetTrackingMetricStat': {'Period': 'integer'}}
# What the documents list and the models leave open.
VALUES = {'TreatMissingData': {'breaching', 'notBreaching', 'ignore',
                               'missing'},
          'PolicyType': {'TargetTrackingScaling', 'StepScaling',
                         'SimpleScaling', 'PredictiveScaling'},
          'AdjustmentType': {'ChangeInCapacity', 'ExactCapacity',
                             'PercentChangeInCapacity'},
          'MetricAggregationType': {'Minimum', 'Maximum', 'Average'},
          'Stat': {'SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum'}}


@functools.cache
def shape_of(service, operation):
    model = botocore.session.Session().get_service_model(service)
    return model.operation_model(operation).input_shape


def kebab(name):
    """MemoryIsLow and fleet-memory-is-low are memory-is-low."""
    name = re.sub(r'(?<!^)([A-Z])', r'-\1', name).lower()
    return name.removeprefix('fleet-')


def number(text):
    value = float(text)
    return int(value) if value == int(value) else value


def fit(shape, value):
    """value with numbers as numbers where the model wants them; empty lists
    say nothing, and go."""
    if shape.type_name == 'structure':
        return {name: fit(shape.members[name], one) if name in shape.members
                else one for name, one in value.items() if one != []}
    if shape.type_name == 'list':
        return [fit(shape.member, one) for one in value]
    if shape.type_name in ('integer', 'double', 'long', 'float'):
        return number(value)
    return value


# ---- CloudFormation ----------------------------------------------------------

def of_cloudformation(stack):
    kinds = {'AWS::CloudWatch::Alarm': (ALARM, 'AlarmName'),
             'AWS::AutoScaling::ScalingPolicy': (POLICY, 'PolicyName')}
    calls = {}
    for name, (type, properties) in stack.resources.items():
        if type in kinds:
            (service, operation), key = kinds[type]
            parameters = {key: kebab(name), **properties}
            for actions in [one for one in parameters if 'Actions' in one]:
                parameters[actions] = [
                    re.sub(r'^\((.*)\)$', lambda one: f'({kebab(one[1])})', arn)
                    for arn in parameters[actions]]
            calls[kebab(name)] = Call(
                service, operation,
                fit(shape_of(service, operation), parameters))
    return calls


# ---- Terraform ---------------------------------------------------------------

# Names that are not those of the API but for case, underscores and a final s.
NAMES = {('PutScalingPolicy', 'name'): 'PolicyName',
         ('CustomizedMetricSpecification', 'metric_dimension'): 'Dimensions',
         ('PutMetricAlarm', 'metric_query'): 'Metrics'}


def api_name(shape, argument):
    named = NAMES.get((shape.name.removesuffix('Input').removesuffix('Type'),
                       argument))
    plain = argument.replace('_', '')
    known = [*shape.members, *YOUNGER.get(shape.name, ())]
    fitting = [name for name in known
               if name == named or not named
               and name.lower() in (plain, plain + 's')]
    assert len(fitting) == 1, f'{shape.name}: {argument}: {fitting}'
    return fitting[0]


def api_value(shape, value):
    """A block or an argument as the API has it."""
    if shape.type_name == 'structure':
        if isinstance(value, list):
            (value,) = value
        if shape.name == 'MetricDataQuery' and 'metric' in value:
            value = {**value, 'metric_stat': [stat(value['metric'])]}
            del value['metric']
        names = {name: api_name(shape, name) for name in value}
        return {names[name]: api_value(shape.members[names[name]], one)
                if names[name] in shape.members else one
                for name, one in value.items()}
    if shape.type_name == 'list' and isinstance(value, dict):  # of dimensions
        return [{'Name': name, 'Value': one} for name, one in value.items()]
    if shape.type_name == 'list':
        return [api_value(shape.member, one) for one in value]
    return value


def stat(block):
    """The block metric of an alarm's metric_query, divided as the API does."""
    (block,) = block
    of_metric = ('namespace', 'metric_name', 'dimensions')
    return {**{name: one for name, one in block.items()
               if name not in of_metric},
            'metric': [{name: block[name] for name in of_metric
                        if name in block}]}


def of_terraform(made):
    kinds = {'aws_cloudwatch_metric_alarm': (ALARM, 'AlarmName'),
             'aws_autoscaling_policy': (POLICY, 'PolicyName')}
    calls = {}
    for type, ((service, operation), key) in kinds.items():
        shape = shape_of(service, operation)
        for arguments in made['resource'].get(type, {}).values():
            parameters = fit(shape, api_value(shape, arguments))
            parameters[key] = kebab(parameters[key])
            for actions in [one for one in parameters if 'Actions' in one]:
                parameters[actions] = [
                    re.sub(r'^\(aws_autoscaling_policy\.(\w+)\.arn\)$',
                           lambda one: f'({one[1].replace("_", "-")})', arn)
                    for arn in parameters[actions]]
            calls[parameters[key]] = Call(service, operation, parameters)
    return calls


# ---- AWS's models ------------------------------------------------------------

def findings(call):
    """Unknown or missing parameters, wrong types, values that do not exist."""
    shape = shape_of(call.service, call.operation)
    found = []
    older = without_younger(shape, call.parameters, found)
    report = botocore.validate.ParamValidator().validate(older, shape)
    if report.has_errors():
        found += report.generate_report().splitlines()
    return found + unlisted(shape, older, call.operation)


def without_younger(shape, value, found):
    if shape.type_name == 'list' and isinstance(value, list):
        return [without_younger(shape.member, one, found) for one in value]
    if shape.type_name != 'structure' or not isinstance(value, dict):
        return value
    young = YOUNGER.get(shape.name, {})
    for name in set(young) & set(value) - set(shape.members):
        if value[name] not in (10, 30, 60):
            found.append(f'{shape.name}.{name}: {value[name]!r}')
    return {name: without_younger(shape.members[name], one, found)
            if name in shape.members else one for name, one in value.items()
            if name in shape.members or name not in young}


def unlisted(shape, value, path):
    """Values of a list of values that are not in it."""
    if shape.type_name == 'structure' and isinstance(value, dict):
        return [finding for name, one in value.items() if name in shape.members
                for finding in [*_open(name, one, path), *unlisted(
                    shape.members[name], one, f'{path}.{name}')]]
    if shape.type_name == 'list' and isinstance(value, list):
        return [finding for one in value
                for finding in unlisted(shape.member, one, path)]
    listed = getattr(shape, 'enum', None)
    return [f'{path}: {value!r} is none of {listed}'] if (
        listed and value not in listed) else []


def _open(name, value, path):
    is_open = value in VALUES.get(name, (value,))
    return [] if is_open else [f'{path}.{name}: {value!r}']


# ---- the metrics -------------------------------------------------------------

def pairs(dimensions):
    return tuple(sorted((one['Name'], one['Value']) for one in dimensions))


def metrics(call):
    """The metrics that an alarm or a target looks at."""
    specification = call.parameters
    if call.operation == 'PutScalingPolicy':
        specification = call.parameters.get(
            'TargetTrackingConfiguration', {}).get(
            'CustomizedMetricSpecification', {})
    queries = [query['MetricStat'] for query in specification.get('Metrics', ())
               if 'MetricStat' in query]
    return [Metric(one['Metric']['Namespace'], one['Metric']['MetricName'],
                   pairs(one['Metric'].get('Dimensions', ())), one.get('Unit'),
                   one['Stat'], one.get('Period', 60))
            for one in queries] or [
        Metric(one['Namespace'], one['MetricName'],
               pairs(one.get('Dimensions', ())), one.get('Unit'),
               one['Statistic'], one.get('Period', 60))
        for one in [specification] if one.get('MetricName')]
