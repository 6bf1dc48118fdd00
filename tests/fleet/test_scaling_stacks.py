"""contrib/aws: fleet.yaml and terraform/ by the published schemas, by AWS's own
models, and beside each other.  BROKEN shows that each of these can fail."""

import json
import pathlib
import re
import shutil

import pytest

import asked
import cloudformation
import dashboard
import terraform

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / 'contrib/aws'
TOPIC = 'arn:aws:sns:eu-west-1:111122223333:oncall'

# The same wishes to both.
WISHES = {
    'plain': ({}, {}),
    'target': ({'Policy': 'target', 'MemoryOfHost': 8000},
               {'policy': 'target', 'memory_of_host': 8000}),
    'one target': ({'Policy': 'target'}, {'policy': 'target'}),
    'fast': ({'Resolution': '1', 'Samples': 60},
             {'resolution': 1, 'samples': 60}),
    'fast target': (
        {'Policy': 'target', 'Resolution': '1', 'MemoryOfHost': 8000},
        {'policy': 'target', 'resolution': 1, 'memory_of_host': 8000}),
    'group': ({'DimensionName': 'Group', 'DimensionValue': 'web',
               'NoticeTopic': TOPIC, 'Namespace': 'Other'},
              {'dimensions': {'Group': 'web'}, 'notice_topics': [TOPIC],
               'namespace': 'Other'}),
    'group target': (
        {'DimensionName': 'Group', 'DimensionValue': 'web', 'Policy': 'target',
         'MemoryOfHost': 4000, 'MemoryTarget': 60, 'SocketsTarget': 50},
        {'dimensions': {'Group': 'web'}, 'policy': 'target',
         'memory_of_host': 4000, 'memory_target': 60, 'sockets_target': 50}),
    'numbers': ({'MemoryLow': 1, 'MemoryStep': 2, 'MemoryEnough': 3,
                 'SocketsHigh': 4, 'SocketsStep': 5, 'SocketsFew': 6,
                 'MemoryName': 'M', 'MemoryUnit': 'Count', 'SocketsName': 'S'},
                {'memory_low': 1, 'memory_step': 2, 'memory_enough': 3,
                 'sockets_high': 4, 'sockets_step': 5, 'sockets_few': 6,
                 'memory_name': 'M', 'memory_unit': 'Count',
                 'sockets_name': 'S'}),
}


def stack(folder=FOLDER, **wishes):
    return cloudformation.Stack(cloudformation.load(folder / 'fleet.yaml'),
                                AutoScalingGroup='web-asg', **wishes)


def made(folder=FOLDER, **wishes):
    return terraform.run(folder / 'terraform', autoscaling_group='web-asg',
                         **wishes)


def stack_body(one):
    return one.resources['Dashboard'][1]['DashboardBody']


def made_body(one):
    return one['resource']['aws_cloudwatch_dashboard']['fleet'][
        'dashboard_body'].replace('(aws_region.here.region)', 'eu-west-1')


# ---- what is looked at -------------------------------------------------------

def alarm_findings(call):
    """Rules of the two services that no model has."""
    p = call.parameters
    for metric in asked.metrics(call):
        if metric.period not in (10, 30) and metric.period % 60:
            yield f'{metric.name}: period {metric.period}'
        if metric.statistic == 'Sum':
            yield f'{metric.name}: Sum grows with the fleet'
        if metric.unit is None:
            yield f'{metric.name}: no unit'
    if call.operation == 'PutMetricAlarm' and bool(p.get('Metrics')) == bool(
            p.get('MetricName')):
        yield 'Metrics or MetricName'
    queries = p.get('Metrics') or p.get('TargetTrackingConfiguration', {}).get(
        'CustomizedMetricSpecification', {}).get('Metrics', [])
    if queries:
        idents = {query['Id'] for query in queries}
        if [query['ReturnData'] for query in queries].count(True) != 1:
            yield 'not one of the queries is returned'
        for query in queries:
            words = set(re.findall('[a-z]\\w*', query.get('Expression', '')))
            if not words <= idents:
                yield f'{query.get("Expression")} names {words - idents}'
    if p.get('PolicyType') == 'StepScaling':
        yield from step_findings(p['StepAdjustments'])


def step_findings(steps):
    """Steps lie side by side, without gap or overlap, from the threshold on,
    and one of them has no end."""
    bounds = sorted((step.get('MetricIntervalLowerBound', -1e99),
                     step.get('MetricIntervalUpperBound', 1e99))
                    for step in steps)
    if any(low >= high for low, high in bounds):
        yield f'empty step in {bounds}'
    if any(one[1] != other[0] for one, other in zip(bounds, bounds[1:])):
        yield f'gap or overlap in {bounds}'
    if (bounds[0][0], bounds[-1][1]) not in ((0, 1e99), (-1e99, 0)):
        yield f'steps from {bounds[0][0]} to {bounds[-1][1]}'


def all_findings(folder, cfn, tf):
    """What the schemas say of both, or if that is nothing, all other judges."""
    one = stack(folder, **cfn)
    if found := cloudformation.findings(one):
        return found
    other = made(folder, **tf)
    if found := terraform.findings(other):
        return found
    ours, theirs = asked.of_cloudformation(one), asked.of_terraform(other)
    for call in [*ours.values(), *theirs.values()]:
        found += asked.findings(call)
        found += alarm_findings(call)
    for body in (stack_body(one), made_body(other)):
        found += dashboard.findings(body)
    for name in ours.keys() | theirs.keys():
        if ours.get(name) != theirs.get(name):
            found.append(f'{name} differs: {ours.get(name)} {theirs.get(name)}')
    if dashboard.of(stack_body(one)) != dashboard.of(made_body(other)):
        found.append('the dashboards differ')
    if policies(one) != made_policies(other):
        found.append('the policies differ')
    if policies(one) != of_contrib(one.parameters['Namespace']):
        found.append('the policies are not those of contrib')
    return found


# ---- policies: those of contrib, which test_manual.py looks at --------------

def of_contrib(namespace):
    def read(name):
        text = (ROOT / 'contrib' / name).read_text()
        return json.loads(text.replace('MyApp', namespace))
    return read('trust-policy-ec2.json'), read('iam-policy.json')


def policies(one):
    role = one.resources['HostRole'][1]
    (policy,) = role['Policies']
    assert one.resources['HostProfile'][1]['Roles'] == ['(HostRole)']
    return role['AssumeRolePolicyDocument'], policy['PolicyDocument']


def made_policies(other):
    """As aws_iam_policy_document renders them: Allow, one value alone."""
    resources = other['resource']
    assert (resources['aws_iam_role']['host']['assume_role_policy'],
            resources['aws_iam_role_policy']['host']['policy']) == (
        '(aws_iam_policy_document.trust.json)',
        '(aws_iam_policy_document.publish.json)')
    assert resources['aws_iam_role_policy']['host']['role'] == (
        resources['aws_iam_instance_profile']['host']['role'])

    def document(name):
        return {'Version': '2012-10-17', 'Statement': [
            rendered(one) for one in other['data'][
                'aws_iam_policy_document'][name]['statement']]}
    return document('trust'), document('publish')


def rendered(statement):
    alone = {name: one[0] if len(one) == 1 else one
             for name, one in statement.items() if isinstance(one, list)}
    result = {'Sid': statement['sid'], 'Effect': 'Allow',
              'Action': alone['actions']}
    if 'principals' in statement:
        (one,) = statement['principals']
        result['Principal'] = {one['type']: one['identifiers'][0]}
    else:
        result['Resource'] = alone['resources']
    if 'condition' in statement:
        (one,) = statement['condition']
        result['Condition'] = {one['test']: {one['variable']: one['values'][0]}}
    return result


# ---- the tests ---------------------------------------------------------------

@pytest.mark.parametrize('name', WISHES)
def test_both(name):
    assert all_findings(FOLDER, *WISHES[name]) == []


def test_what_is_made():
    """Each resource is there in one of the cases, and only where it should."""
    names = {name: set(asked.of_cloudformation(stack(**cfn)))
             for name, (cfn, _) in WISHES.items()}
    alarms = {'memory-is-low', 'sockets-are-many'}
    steps = {'hosts-are-idle', 'more-for-memory', 'more-for-sockets', 'fewer'}
    assert names['plain'] == names['fast'] == alarms | steps
    assert names['group'] == alarms | steps | {'nobody-reports'}
    assert names['target'] == alarms | {'keep-sockets', 'keep-memory'}
    assert names['one target'] == alarms | {'keep-sockets'}


def test_first_lines():
    """Each file says at once that AWS has not seen it; JSON has no room for
    it."""
    for file in FOLDER.rglob('*.*'):
        if file.suffix != '.tftpl':
            assert file.read_text().startswith('# Not applied'), file


def test_provider():
    """What is asked for is the version whose schema is the judge."""
    (version,) = re.findall(r'version = ">= ([\d.]+)"',
                            (FOLDER / 'terraform/variables.tf').read_text())
    path = pathlib.Path(cloudformation.modules(),
                        'package/lib/autoscaling-policy/index.d.ts')
    assert f'hashicorp/aws/{version}.' in path.read_text()


BROKEN = [
    # file, what stands there, what stands there instead, what is said
    ('fleet.yaml', 'TreatMissingData: missing', 'TreatMissing: missing',
     'no property TreatMissing'),
    ('fleet.yaml', 'TreatMissingData: missing', 'TreatMissingData: none',
     "TreatMissingData: 'none'"),
    ('fleet.yaml', 'EvaluationPeriods: 3', 'EvaluationPeriods: three',
     "no integer: 'three'"),
    ('fleet.yaml', 'Roles: [!Ref HostRole]', 'Path: /', 'Roles is missing'),
    ('fleet.yaml', 'Unit: Count', 'Unit: Counts', 'Counts'),
    ('fleet.yaml', 'LessThanThreshold', 'Below', 'Below'),
    ('fleet.yaml', 'Statistic: Average', 'Statistic: Mean', 'Mean'),
    ('fleet.yaml', 'Statistic: Average', 'Statistic: Sum', 'grows'),
    ('fleet.yaml', "'1': {Period: 10}", "'1': {Period: 20}", '20'),
    ('fleet.yaml', 'Id: memory', 'Id: remembered', 'names'),
    ('fleet.yaml', 'MetricIntervalUpperBound: 0', 'MetricIntervalUpperBound: 1',
     'steps from'),
    ('fleet.yaml', 'MetricIntervalUpperBound: !Ref SocketsStep',
     'MetricIntervalUpperBound: 7', 'gap or overlap'),
    ('fleet.yaml', 'PolicyType: StepScaling', 'PolicyType: Steps', 'Steps'),
    ('fleet.yaml', "'cloudwatch:namespace'", "'cloudwatch:Namespace'",
     'not those of contrib'),
    ('fleet.yaml', 'Action: cloudwatch:PutMetricData', 'Action: cloudwatch:*',
     'not those of contrib'),
    ('fleet.yaml', '"x": 12, "y": 0', '"x": 13, "y": 0', 'does not fit'),
    ('fleet.yaml', '"x": 12, "y": 0', '"x": 11, "y": 0', 'lies over'),
    ('fleet.yaml', '"view"', '"views"', 'properties'),
    ('fleet.yaml', '"stat": "Minimum"', '"stat": "Least"', 'stat Least'),
    ('fleet.yaml', 'samples / ', 'sample / ', 'names'),
    ('fleet.yaml', 'Threshold: !Ref MemoryLow', 'Threshold: !Ref MemoryStep',
     'memory-is-low differs'),
    ('fleet.yaml', '"label": "low"', '"label": "down"', 'dashboards differ'),
    ('terraform/alarms.tf', 'treat_missing_data ', 'treat_missing ',
     'treat_missing'),
    ('terraform/alarms.tf', '"Average"', '"Sum"', 'grows'),
    ('terraform/policies.tf', 'target_value = var.memory_target',
     'target_value = "much"', "no number: 'much'"),
    ('terraform/policies.tf', '        id          = "memory"\n', '',
     'id is missing'),
    ('terraform/role.tf', '"cloudwatch:PutMetricData"', '"cloudwatch:*"',
     'the policies differ'),
    ('terraform/dashboard.json.tftpl', "'Average'", "'Sum'",
     'dashboards differ'),
]


@pytest.mark.parametrize('file, old, new, said', BROKEN,
                         ids=[f'{i}' for i in range(len(BROKEN))])
def test_broken_copy(tmp_path, file, old, new, said):
    """The first of what stands there is changed; somebody must say so."""
    shutil.copytree(FOLDER, tmp_path / 'aws')
    path = tmp_path / 'aws' / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    heard = []
    for name in ('fast', 'fast target'):  # all but NobodyReports
        heard += all_findings(tmp_path / 'aws', *WISHES[name])
        if any(said in one for one in heard):
            return
    pytest.fail(f'heard {heard}')


@pytest.mark.parametrize('file, old, new', [
    ('fleet.yaml', 'Properties:', 'Properties'),
    ('fleet.yaml', '!Ref Namespace', '!Reference Namespace'),
    ('fleet.yaml', '!Ref Namespace', '!Ref Namespaces'),
    ('fleet.yaml', 'BySteps:', 'Stepwise:'),
    ('terraform/role.tf', 'statement {', 'statement ('),
    ('terraform/role.tf', 'var.namespace', 'var.namespaces'),
    ('terraform/dashboard.tf', 'period ', 'periods '),
])
def test_broken_text(tmp_path, file, old, new):
    """What cannot be read, or names nothing, is an error."""
    shutil.copytree(FOLDER, tmp_path / 'aws')
    path = tmp_path / 'aws' / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(Exception):
        all_findings(tmp_path / 'aws', *WISHES['plain'])
