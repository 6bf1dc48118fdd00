"""contrib/aws beside what collectd publishes: the files of collectd.conf.d in
the real daemon, and what alarms, policies and the dashboard ask for.  Then what
the alarms decide on the data of fleets of any size."""

import collections
import contextlib
import re

import pytest

import asked
import dashboard
from cloudwatch import Service
from imds import Metadata
from judges import client
from scene import KEY, MINUTE, REGION, SECRET
from test_examples import EXAMPLES, Example, FastClock, values
from test_scaling_stacks import FOLDER, stack, stack_body

GROUP = 'web'
# What SCALING ON IT says, after the line of the namespace.
GROUP_LINES = '''
  Dimension "Group" "%{ec2:autoscaling_group}"
  DimensionSet "Group"
  DimensionSet ""
'''
BY_GROUP = {'DimensionName': 'Group', 'DimensionValue': GROUP}
Case = collections.namedtuple('Case', 'file is_grouped wishes')
CASES = {
    'shortest': Case('write_cloudwatch.conf', False, {}),
    'exact': Case('write_cloudwatch-exact.conf', False, {}),
    'groups': Case('write_cloudwatch.conf', True, BY_GROUP),
    'fast': Case('write_cloudwatch-fast.conf', False,
                 {'Resolution': '1', 'Samples': 60}),
    'fast groups': Case('write_cloudwatch-fast.conf', True,
                        {'Resolution': '1', 'Samples': 60, **BY_GROUP}),
    'scalemate': Case('migrate-scalemate.conf', False,
                      {'Namespace': 'Scalemate', 'MemoryUnit': 'Count',
                       'DimensionName': 'MyApp', 'DimensionValue': 'MyApp',
                       'Samples': 1}),
}
POLICIES = ({}, {'NoticeTopic': 'arn:aws:sns:eu-west-1:111122223333:oncall'},
            {'Policy': 'target', 'MemoryOfHost': 8000})


def snippet(folder, case):
    text = (EXAMPLES / case.file).read_text()
    if case.is_grouped:
        line = '  Namespace "MyApp"\n'
        assert text.count(line) == 1
        text = text.replace(line, line + GROUP_LINES)
    folder.mkdir()
    path = folder / case.file
    path.write_text(text)
    return path


@contextlib.contextmanager
def published_by(folder, case):
    """A service to which each metric has come for four periods."""
    is_fast = 'fast' in case.file
    clock = None if is_fast else FastClock()
    now = {'now': clock.now} if clock else {}
    # Who asks it goes by the clock of the wall.
    service = Service(credentials={KEY: (SECRET, None)}, region=REGION,
                      skew_s=86400, **now)
    metadata = Metadata(tags={'aws:autoscaling:groupName': GROUP}, **now)
    with service, metadata:
        daemon = Example(folder / 'run', snippet(folder / 'conf', case),
                         service, clock)
        daemon._environment.update({
            **metadata.environment, 'AWS_ACCESS_KEY_ID': KEY,
            'AWS_SECRET_ACCESS_KEY': SECRET})  # those of scene
        with daemon:
            service.wait_datums(4 * (4 if case.is_grouped else 2), 120)
        yield service


def asked_for(case):
    """The calls and the dashboards of all policies."""
    stacks = [stack(**case.wishes, **policy) for policy in POLICIES]
    calls = [call for one in stacks
             for call in asked.of_cloudformation(one).values()]
    return stacks, calls, [stack_body(one) for one in stacks]


def key(metric):
    return metric.namespace, metric.name, metric.dimensions


@pytest.mark.parametrize('name', CASES)
def test_names_agree(tmp_path, name):
    case = CASES[name]
    stacks, calls, bodies = asked_for(case)
    with published_by(tmp_path, case) as service:
        published = {}
        for datum in service.datums:
            metric = (datum['Namespace'], datum['MetricName'],
                      tuple(sorted(datum['Dimensions'].items())))
            published.setdefault(metric, []).append(datum)
        looked_at = [one for call in calls for one in asked.metrics(call)]
        assert {one.name for one in looked_at} == {
            'Memory Available', 'Sockets Used'}
        check(published, looked_at)
        shown = [one for body in bodies for one in dashboard.metrics(body)]
        assert {key(one) for one in shown} == {key(one) for one in looked_at}
        for metric in looked_at:
            look_up(service, metric, published[key(metric)])
    check_samples(published, stacks[0].parameters['Samples'],
                  case.wishes.get('Resolution') == '1')
    check_searches(published, bodies, case.is_grouped)


def check(published, looked_at):
    """Each metric that is looked at is published so, and by the second where a
    period below a minute is looked at."""
    for metric in looked_at:
        data = published.get(key(metric))
        assert data, f'{metric} is not among {sorted(published)}'
        for datum in data:
            assert datum['Unit'] == metric.unit, metric
            if metric.period < 60:
                assert datum['StorageResolution'] == 1, metric


def look_up(service, metric, data):
    """CloudWatch, asked what the alarm asks, has an answer."""
    times = [datum['Timestamp'] for datum in data]
    found = client('cloudwatch', service, (KEY, SECRET)).get_metric_statistics(
        Namespace=metric.namespace, MetricName=metric.name, Unit=metric.unit,
        Dimensions=[{'Name': one, 'Value': value}
                    for one, value in metric.dimensions],
        Statistics=[metric.statistic], Period=metric.period,
        StartTime=min(times) // 60 * 60, EndTime=max(times) // 60 * 60 + 60)
    assert found['Datapoints'], metric


def check_samples(published, per_minute, is_fast):
    """What the dashboard divides by to count hosts.  The first and the last
    period may be cut short, and a read may fall into the neighbouring one."""
    for data in published.values():
        counts = collections.Counter()
        for datum in data:
            counts[datum['Timestamp']] += len(values(datum))
        inner = [counts[time] for time in sorted(counts)[1:-1]]
        assert len(inner) >= 2
        mean = sum(inner) / len(inner) * (60 if is_fast else 1)
        assert mean == pytest.approx(per_minute, rel=0.2)


def check_searches(published, bodies, is_grouped):
    """A search finds the groups that are published, of both metrics."""
    for body in bodies:
        found = {metric for namespace, names, one in dashboard.searches(body)
                 for metric in published
                 if metric[:2] == (namespace, one)
                 and {name for name, _ in metric[2]} == set(names)}
        assert len(found) == (2 if is_grouped else 0)


@pytest.mark.parametrize('field, other', [
    ('namespace', 'MyApps'), ('name', 'memory available'), ('unit', 'Bytes'),
    ('dimensions', (('Host', 'a'),)), ('period', 10)])
def test_a_disagreement_is_seen(field, other):
    """The check above can fail."""
    call = asked.of_cloudformation(stack())['memory-is-low']
    (metric,) = asked.metrics(call)
    published = {key(metric): [{'Unit': metric.unit, 'StorageResolution': 60}]}
    check(published, [metric])
    with pytest.raises(AssertionError):
        check(published, [metric._replace(**{field: other})])


# ---- what the alarms decide --------------------------------------------------

class Fleet:
    """Alarms and step policies of a stack, over data of a service."""

    def __init__(self, service, calls):
        self.client = client('cloudwatch', service, (KEY, SECRET))
        self.calls = calls

    def publish(self, hosts, minute=MINUTE):
        """A minute of the hosts, as the plugin sends it: six samples each."""
        for memory, sockets in hosts:
            self.client.put_metric_data(Namespace='MyApp', MetricData=[
                {'MetricName': name, 'Unit': unit, 'Timestamp': minute,
                 'Values': [value], 'Counts': [6]}
                for name, unit, value in (
                    ('Memory Available', 'Megabytes', memory),
                    ('Sockets Used', 'Count', sockets))])

    def value(self, metric, minute=MINUTE):
        found = self.client.get_metric_statistics(
            Namespace=metric.namespace, MetricName=metric.name,
            Statistics=[metric.statistic], Unit=metric.unit, Dimensions=[],
            Period=60, StartTime=minute, EndTime=minute + 60)['Datapoints']
        return found[0][metric.statistic] if found else None

    def looked_at(self, call):
        """The number that an alarm compares, of its metric or expression."""
        metrics = asked.metrics(call)
        queries = call.parameters.get('Metrics')
        if not queries:
            return self.value(metrics[0])
        idents = [one['Id'] for one in queries if 'MetricStat' in one]
        seen = dict(zip(idents, map(self.value, metrics)))
        if None in seen.values():
            return None
        (text,) = [one['Expression'] for one in queries if 'Expression' in one]
        text = re.sub(r'\bIF\(', 'choose(', text).replace(' AND ', ' and ')
        return eval(text, {'__builtins__': {}}, {
            **seen, 'choose': lambda what, yes, no: yes if what else no})

    def alarms(self):
        """{alarm: difference to its threshold} of those that fire; None is
        missing data that fire."""
        compare = {'LessThanThreshold': lambda difference: difference < 0,
                   'GreaterThanThreshold': lambda difference: difference > 0}
        fire = {}
        for name, call in self.calls.items():
            p = call.parameters
            if call.operation != 'PutMetricAlarm':
                continue
            value = self.looked_at(call)
            if value is None:
                if p['TreatMissingData'] == 'breaching':
                    fire[name] = None
            elif compare[p['ComparisonOperator']](value - p['Threshold']):
                fire[name] = value - p['Threshold']
        return fire

    def decision(self):
        """How many hosts come or go, by all alarms that fire."""
        change = []
        for name, difference in self.alarms().items():
            for action in self.calls[name].parameters['AlarmActions']:
                if action.startswith('('):
                    change.append(self._step(action[1:-1], difference))
        return change

    def _step(self, policy, difference):
        (one,) = [step['ScalingAdjustment'] for step in self.calls[
            policy].parameters['StepAdjustments'] if is_in(step, difference)]
        return one


def is_in(step, difference):
    """Bounds belong to the step that is nearer to the threshold."""
    low = step.get('MetricIntervalLowerBound', float('-inf'))
    high = step.get('MetricIntervalUpperBound', float('inf'))
    if difference >= 0:
        return low <= difference < high
    return low < difference <= high


@pytest.fixture
def fleet_of():
    with Service(credentials={KEY: (SECRET, None)}, region=REGION) as service:
        yield lambda calls: Fleet(service, calls)


DECISIONS = [  # memory and sockets of each host, on average; what follows
    ((1000, 500), []), ((499, 500), [1]), ((249, 500), [2]), ((0, 500), [2]),
    ((1000, 801), [1]), ((1000, 1201), [2]), ((499, 801), [1, 1]),
    ((2001, 199), [-1]), ((2001, 201), []), ((1999, 199), []),
    ((500, 800), []), ((2000, 200), []),
]


@pytest.mark.parametrize('hosts', [1, 2, 30])
@pytest.mark.parametrize('average, decision', DECISIONS)
def test_decision(fleet_of, average, decision, hosts):
    """It does not depend on how many hosts there are, nor on how the load is
    spread."""
    fleet = fleet_of(asked.of_cloudformation(stack()))
    memory, sockets = average
    spread = [0] * hosts if hosts % 2 else [
        (-1) ** i * min(memory, sockets) / 2 for i in range(hosts)]
    fleet.publish([(memory + one, sockets + one) for one in spread])
    assert fleet.decision() == decision


def test_sum_would_not_do(fleet_of):
    """With Sum, ten hosts that are well would grow for ever."""
    calls = asked.of_cloudformation(stack())
    for call in calls.values():
        if 'Statistic' in call.parameters:
            call.parameters['Statistic'] = 'Sum'
    fleet = fleet_of(calls)
    fleet.publish([(1000, 100)] * 10)
    assert 'sockets-are-many' in fleet.alarms()


def test_silence(fleet_of):
    """Without any data nothing is scaled, and one alarm says so."""
    fleet = fleet_of(asked.of_cloudformation(
        stack(NoticeTopic='arn:aws:sns:eu-west-1:111122223333:oncall')))
    assert fleet.alarms() == {'nobody-reports': None}
    assert fleet.decision() == []
    fleet.publish([(1000, 500)])
    assert fleet.alarms() == {}


def test_target_falls_with_hosts(fleet_of):
    """What a target looks at gets less when the same load has more hosts."""
    calls = asked.of_cloudformation(stack(Policy='target', MemoryOfHost=8000))
    fleet = fleet_of(calls)
    (sockets,), (memory,) = (asked.metrics(calls[name]) for name in
                             ('keep-sockets', 'keep-memory'))
    (used, _) = calls['keep-memory'].parameters['TargetTrackingConfiguration'][
        'CustomizedMetricSpecification']['Metrics']
    seen = []
    for hosts in (4, 5):  # 4000 connections, and 24000 MiB in use
        minute = MINUTE - 60 * hosts
        fleet.publish([(8000 - 24000 / hosts, 4000 / hosts)] * hosts, minute)
        seen += [fleet.value(sockets, minute), eval(
            used['Expression'], {'memory': fleet.value(memory, minute)})]
    assert seen == pytest.approx([1000, 75, 800, 60])


def test_folder_is_tested():
    """All that is in contrib/aws is looked at here or beside."""
    files = [path.name for path in FOLDER.rglob('*') if path.is_file()]
    assert sorted(files) == [
        'alarms.tf', 'dashboard.json.tftpl', 'dashboard.tf', 'fleet.yaml',
        'policies.tf', 'role.tf', 'variables.tf']
