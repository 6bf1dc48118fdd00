"""model_run: configurations and a stream of values in the real daemon, compared
with what model.py expects; and the least that still differs.

    found = differences(folder, [node, ...], now, steps)   # a list for each

The clock of daemon and service all but stands, so what a flush reaches is
known.  Before each flush comes a value of SYNC, which tells when it is through.
"""

import collections
import copy
import dataclasses
import itertools
import math
import pathlib
import re
import tempfile
import time

from expect import said
from model import DISTINCT, Model
from model_input import (ENVIRONMENT, META, TYPES_DB, Flush, Metric, Undecided,
                         ValueList)
from model_numbers import total
from scene import KEY, REGION, SECRET, Scene, lines_of
from times import FastClock, samples_of

STANDS = 0.01  # rate of the clock: a round takes less than a second of it
SYNC = Metric('sync', {'Plugin': ['sync']}, Namespace='sync', sets=[[]])
TOO_OLD_S = 20 * 86400


# ---- the configuration as text -----------------------------------------------

def quoted(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def common_lines(one):
    """Of <Plugin> and <Metric>."""
    for name, template in one.dimensions.items():
        yield f'Dimension {quoted(name)} {quoted(template)}'
    for names in one.sets:
        yield 'DimensionSet ' + (' '.join(map(quoted, names)) or '""')


def metric_lines(metric):
    yield f'<Metric {quoted(metric.name)}>'
    for option, lines in metric.select.items():
        for line in lines:
            yield f'{option} {quoted(line)}'
    yield from common_lines(metric)
    for field in dataclasses.fields(metric):
        value = getattr(metric, field.name)
        if field.name[0].isupper() and value is not None:
            is_number = field.name in ('Scale', 'Offset')
            yield (f'{field.name} {value}' if is_number else
                   lines_of({field.name: value})[0])
    yield '</Metric>'


def node_text(node, name='n', url='http://127.0.0.1'):
    return '\n'.join([
        f'<Node "{name}">', *lines_of({
            'Region': REGION, 'Endpoint': f'{url}/{name}',
            'FlushInterval': node.FlushInterval, 'FlushJitter': 0,
            'Protocol': node.Protocol,
            'MaxMetrics': node.MaxMetrics, 'Namespace': node.Namespace}),
        *common_lines(node),
        *(line for metric in node.metrics + [SYNC]
          for line in metric_lines(metric)), '</Node>', ''])


def chain_text():
    """Attaches META."""
    rules = '\n'.join(
        f'<Rule "{plugin}">\n<Match "regex">\nPlugin "^{plugin}$"\n</Match>\n'
        '<Target "set">\n' +
        '\n'.join(f'MetaData "{key}" "{text}"' for key, text in data.items()) +
        '\n</Target>\n</Rule>' for plugin, data in META.items())
    return ('LoadPlugin match_regex\nLoadPlugin target_set\n'
            f'<Chain "PreCache">\n{rules}\n</Chain>\n')


# ---- the stream --------------------------------------------------------------

@dataclasses.dataclass(frozen=True)
class Mark(ValueList):
    """A value that is too old for every node: when it is in the daemon's cache,
    the one write thread is through with those before it."""


def with_sync(now, steps):
    """The steps with a SYNC value at the beginning; before each flush, and the
    stop, one more and a Mark."""
    numbers = itertools.count()

    def sync():
        n = next(numbers)
        return ValueList('h', 'sync', '', 'gauge', '',
                         now // 60 * 60 - 7200 + 60 * n, 10, (float(n),))

    def mark():
        return Mark('mark', 'mark', '', 'gauge', str(next(numbers)),
                    now - TOO_OLD_S, 10, (0.0,))
    yield sync()
    for step in steps:
        if isinstance(step, Flush):
            yield sync()
            yield mark()
        yield step
    yield mark()


def expect(node, now, steps, with_flushes=True):
    """What must arrive; Undecided if nobody knows.  Without flushes, as if all
    came at the stop."""
    full = copy.deepcopy(node)
    full.metrics.append(SYNC)
    model = Model(full, now)
    n_sync = 0
    for step in with_sync(now, steps):
        if isinstance(step, Flush):
            if with_flushes:
                model.flush(step.timeout)
        else:
            model.put(step)
            n_sync += step.plugin == 'sync'
    model.flush(0)
    if n_sync != sum(key[0] == 'sync' for key in model.expected):
        raise Undecided('sync does not arrive')
    return {key: value for key, value in model.expected.items()
            if value.data > 0}


def name_of(value_list):
    host, plugin, instance, kind, type_instance = value_list.identifier
    return (f'{host}/{plugin}{instance and "-" + instance}/'
            f'{kind}{type_instance and "-" + type_instance}')


def put(daemon, value_list):
    values = ':'.join('U' if math.isnan(value) else repr(value)
                      for value in value_list.values)
    daemon.putval(name_of(value_list), f'{value_list.time}:{values}',
                  interval=value_list.interval)


def wait_cached(daemon, mark):
    end = time.monotonic() + 30
    while True:
        try:
            return daemon.command(f'GETVAL {name_of(mark)}')
        except AssertionError:
            assert time.monotonic() < end, said(daemon)
            time.sleep(0.001)


def play(folder, nodes, now, steps, is_patient=True):
    """The data that arrived, a list for each node.  A flush that is not waited
    for comes between any two of the values that follow."""
    clock = FastClock(now, STANDS)
    (folder / 'types.db').write_text(TYPES_DB)
    with Scene(folder, clock=clock) as scene:
        service = scene.service(now=clock.now)
        texts = [node_text(node, f'n{i}', service.url)
                 for i, node in enumerate(nodes)]
        block = '\n'.join(['<Plugin write_cloudwatch>', *lines_of({
            'AccessKeyId': KEY, 'SecretAccessKey': SECRET}), *texts,
            '</Plugin>'])
        # The daemon itself may sleep for an interval before it sees the stop.
        daemon = scene.start(
            block, interval=STANDS, environment=ENVIRONMENT,
            before=f'TypesDB "{folder}/types.db"\n{chain_text()}')
        n_sync = 0
        for step in with_sync(now, steps):
            if isinstance(step, Flush):
                daemon.command(f'FLUSH timeout={step.timeout}')
                if is_patient:
                    wait_sync(service, daemon, n_sync, len(nodes))
            else:
                put(daemon, step)
                n_sync += step.plugin == 'sync'
            if isinstance(step, Mark):
                wait_cached(daemon, step)
        daemon.stop()
        assert clock.now() < now + 1, 'this machine is too slow today'
        refused = [f'{one.status} {one.message}' for one in service.requests
                   if one.status != 200]
        assert not refused, refused
        paths = {one.number: one.path for one in service.requests}
        found = [[] for _ in nodes]
        for datum in service.datums:
            index = re.fullmatch(r'/n(\d+)/?', paths[datum['Request']])[1]
            found[int(index)].append(datum)
        return found


def wait_sync(service, daemon, per_node, n_nodes):
    """Until a flush is through: all that it cuts is taken at once."""
    assert service.wait_for(
        lambda: sum(datum['Namespace'] == 'sync'
                    for datum in service.datums) >= per_node * n_nodes,
        60), said(daemon)


# ---- comparison --------------------------------------------------------------

@dataclasses.dataclass
class Arrived:
    """As model.Expected; lonely are Values with a single sample, which there
    is reason for only where one was left beside 150 others."""

    data: int = 0
    lonely: int = 0
    samples: list = dataclasses.field(default_factory=list)
    sets: list = dataclasses.field(default_factory=list)


STATISTICS = ('SampleCount', 'Sum', 'Minimum', 'Maximum')


def collect(datums):
    found = collections.defaultdict(Arrived)
    for datum in datums:
        into = found[
            datum['Namespace'], datum['MetricName'],
            frozenset(datum['Dimensions'].items()), datum['Unit'],
            datum['StorageResolution'], datum['Timestamp']]
        into.data += 1
        if 'StatisticValues' in datum:
            into.sets.append(tuple(datum['StatisticValues'][name]
                                   for name in STATISTICS))
            continue
        values = datum.get('Values', ())
        assert len(set(values)) == len(values), datum
        into.lonely += len(values) == 1 and datum['Counts'] == [1]
        into.samples += samples_of(datum)
    return found


def is_near(numbers, seen):
    return all(abs(value - other) <= slack
               for (value, slack), other in zip(numbers, seen))


def is_same(expected, arrived):
    samples, sets = sorted(expected.samples), sorted(expected.sets)
    return (expected.data == arrived.data and
            arrived.lonely <= len(samples) // DISTINCT and
            len(samples) == len(arrived.samples) and
            len(sets) == len(arrived.sets) and
            is_near(samples, sorted(arrived.samples)) and
            all(map(is_near, sets, sorted(arrived.sets))))


def merged(one):
    """Of all samples, as CloudWatch adds them up: count, sum, least, greatest;
    and the samples, if all are there."""
    sets = one.sets + [((1, 0), sample, sample, sample)
                       for sample in one.samples]
    return [*map(total, list(zip(*sets))[:2]),
            min(low for *_, low, _ in sets), max(high for *_, high in sets),
            *([] if one.sets else sorted(one.samples))]


def is_same_merged(expected, arrived):
    """Whatever flushes have taken apart."""
    exact = Arrived(samples=[(sample, 0.0) for sample in arrived.samples],
                    sets=[[(number, 0.0) for number in numbers]
                          for numbers in arrived.sets])
    want, have = merged(expected), merged(exact)
    if expected.sets or arrived.sets:  # a single sample comes without a set
        want, have = want[:4], have[:4]
    return len(want) == len(have) and all(
        abs(a - b) <= slack + more
        for (a, slack), (b, more) in zip(want, have))


def shown(one):
    if one is None:
        return 'nothing'
    plain = [[number[0] if isinstance(number, tuple) else number
              for number in numbers]
             for numbers in (one.samples, *one.sets)]
    return (f'{one.data} data, samples {sorted(plain[0])}' +
            (f', sets {sorted(plain[1:])}' if one.sets else ''))


def compare(expected, datums, is_equal):
    """Sentences that say what is different."""
    arrived = collect(datums)
    result = []
    for key in sorted({*expected, *arrived},
                      key=lambda key: [*map(str, key[:2]), sorted(key[2]),
                                       *map(str, key[3:])]):
        want, have = expected.get(key), arrived.get(key)
        if want is None or have is None or not is_equal(want, have):
            namespace, name, dimensions, *rest = key
            result.append(f'{namespace} {name} {dict(sorted(dimensions))} '
                          f'{rest}\n  expected {shown(want)}\n'
                          f'  arrived  {shown(have)}')
    return result


def differences(folder, nodes, now, steps, is_patient=True):
    """For each node, sentences that say what is different."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
    expected = [expect(node, now, steps, is_patient) for node in nodes]
    try:
        arrived = play(folder, nodes, now, steps, is_patient)
    except AssertionError as error:  # no data at all: anybody's fault
        return [[str(error)[-2000:]]] * len(nodes)
    return [compare(*pair, is_same if is_patient else is_same_merged)
            for pair in zip(expected, arrived)]


# ---- the least that still differs --------------------------------------------

def shrink(fails, node, steps, seconds=60):
    """Drops blocks, steps and options while fails(node, steps)."""
    end = time.monotonic() + seconds

    def still(node, steps):
        if time.monotonic() > end:
            return False
        try:
            return fails(node, steps)
        except Undecided:
            return False

    node = simplest(node, fewer_blocks, lambda one: still(one, steps))
    steps = fewest(steps, lambda some: still(node, some))
    node = simplest(node, fewer_options, lambda one: still(one, steps))
    return node, fewest(steps, lambda some: still(node, some))


def fewest(steps, still):
    """Drops halves, quarters, ... and single steps."""
    size = len(steps) // 2
    while size >= 1:
        at = 0
        while at < len(steps):
            fewer = steps[:at] + steps[at + size:]
            if still(fewer):
                steps = fewer
            else:
                at += size
        size //= 2
    return steps


def simplest(node, simpler, still):
    """The last of the simpler ones that is still wrong."""
    while True:
        found = next(filter(still, simpler(node)), None)
        if found is None:
            return node
        node = found


def fewer_blocks(node):
    for i in range(len(node.metrics)):
        yield dataclasses.replace(
            node, metrics=node.metrics[:i] + node.metrics[i + 1:])


def without(one, default):
    """One with a field as in default, for each field that is not."""
    for field in dataclasses.fields(one):
        plain = getattr(default, field.name)
        if field.name not in ('metrics', 'name') and \
                getattr(one, field.name) != plain:
            yield dataclasses.replace(one, **{field.name: plain})


def fewer_options(node):
    yield from without(node, type(node)([]))
    for i, metric in enumerate(node.metrics):
        for plainer in without(metric, Metric('')):
            yield dataclasses.replace(
                node, metrics=[*node.metrics[:i], plainer,
                               *node.metrics[i + 1:]])


def report(node, now, steps, found):
    return '\n'.join([node_text(node), f'now = {now}', *map(str, steps),
                      '', *found])
