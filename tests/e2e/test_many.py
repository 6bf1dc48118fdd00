"""Very many values: periods of any size are exact, or summed up where there is
no room; memory keeps its limit, and comes back.  Run with -s, it shows the
figures."""

import collections
import json
import math
import pathlib
import random
import re
import threading
import time

import pytest

from probe import Probe
from scene import MINUTE, config, warnings

MIB = 1024 * 1024
ONE = '<Metric "%{type_instance}">\nPlugin "test"\n</Metric>'
SET = '<Metric "%{type_instance}">\nPlugin "test"\nStatistics "set"\n</Metric>'
PROBED = '<Metric "m-%{type_instance}">\nPlugin "probe"\n</Metric>'
FOLDED = r'\[warning\] .*/test/gauge-\w+ has more values in a period than ' \
    'BufferLimit has room for, or more than 15000 different ones, and is ' \
    'published as StatisticValues, which give no percentiles: .*; others ' \
    'like it are only counted'


def feed_period(daemon, name, values, at=MINUTE):
    """Hands over values of one series, all within one minute."""
    step = 59 / len(values)
    for i in range(0, len(values), 20):
        daemon.putval(f'host/test/gauge-{name}', *(
            f'{at + step * (i + k):.6f}:{value!r}'
            for k, value in enumerate(values[i:i + 20])), interval=60)


def counted(datums):
    """{value: count} of datums of one series and period."""
    total = collections.Counter()
    for datum in datums:
        for value, count in zip(datum['Values'], datum['Counts']):
            total[value] += count
    return total


def summed(values):
    """What StatisticValues must be of them."""
    return {'SampleCount': len(values), 'Sum': math.fsum(values),
            'Minimum': min(values), 'Maximum': max(values)}


def total_of(datums):
    """Samples in datums of any form."""
    return sum(datum['StatisticValues']['SampleCount']
               if 'StatisticValues' in datum else
               sum(datum['Counts']) if 'Values' in datum else 1
               for datum in datums)


def draw(seed, n, n_different):
    dice = random.Random(seed)
    chosen = [dice.uniform(-1e6, 1e6) for _ in range(n_different)]
    rest = [dice.choice(chosen) for _ in range(n - n_different)]
    values = chosen + rest
    dice.shuffle(values)
    return values


@pytest.mark.parametrize('n, n_different', [(10000, 10000), (10000, 151),
                                            (15500, 15000)])
def test_a_period_is_exact(scene, n, n_different):
    service = scene.service()
    daemon = scene.start(config(service, metric=ONE))
    values = draw(n_different, n, n_different)
    feed_period(daemon, 'a', values)
    daemon.flush()
    n_data = (n_different + 149) // 150
    datums = service.wait_datums(n_data, 20)
    assert len(datums) == n_data
    assert {datum['Timestamp'] for datum in datums} == {MINUTE}
    assert counted(datums) == collections.Counter(values)
    daemon.stop()
    assert not warnings(daemon)
    assert ', 0 values were left out' in daemon.log


@pytest.mark.parametrize('metric', [ONE, SET])
def test_a_period_that_is_too_large(scene, metric):
    """It is one StatisticValues, as a set is in any case; said once."""
    service = scene.service()
    daemon = scene.start(config(service, metric=metric))
    values = draw(1, 16000, 15500)
    for minute in range(2):
        feed_period(daemon, 'a', values, at=MINUTE + 60 * minute)
        daemon.flush()
        datums = service.wait_datums(minute + 1, 20)
    assert [datum['StatisticValues'] for datum in datums] == \
        [summed(values)] * 2
    daemon.stop()
    assert len(warnings(daemon, FOLDED)) == len(warnings(daemon)) == \
        (metric == ONE)
    assert ', 0 values were left out' in daemon.log


def test_more_than_there_is_room_for(scene):
    """BufferLimit 1: 11000 samples may be open.  The largest series are summed
    up; small ones stay exact."""
    service = scene.service()
    daemon = scene.start(config(service, metric=ONE, BufferLimit=1))
    fed = {f's{n}': draw(n, n, n) for n in
           (1, 7, 60, 140, 3001, 3002, 3003, 3004, 3005, 3006)}
    for name, values in fed.items():
        feed_period(daemon, name, values)
    daemon.flush()
    assert service.wait_for(lambda: total_of(service.datums) ==
                            sum(map(len, fed.values())), 20)
    found = collections.defaultdict(list)
    for datum in service.datums:
        found[datum['MetricName']].append(datum)
    for name in ('s7', 's60', 's140'):
        assert counted(found[name]) == collections.Counter(fed[name])
    folded = {name for name in fed if 'StatisticValues' in found[name][0]}
    for name in folded:
        assert [datum['StatisticValues'] for datum in found[name]] == \
            [summed(fed[name])]
    assert len(folded) >= 3
    daemon.stop()
    assert len(warnings(daemon, FOLDED)) == len(warnings(daemon)) == 1
    assert ', 0 values were left out' in daemon.log


# ---- memory ------------------------------------------------------------------

def anonymous_bytes(daemon):
    text = pathlib.Path(f'/proc/{daemon.pid}/smaps_rollup').read_text()
    return int(re.search(r'^Anonymous: *(\d+) kB', text, re.M)[1]) * 1024


def wait_for_rounds(probe, daemon, rounds, timeout):
    """Until all values of so many rounds have come; the most memory that was
    taken meanwhile."""
    end, most = time.monotonic() + timeout, 0
    while probe.look(daemon).received < rounds * probe.series:
        assert time.monotonic() < end
        most = max(most, anonymous_bytes(daemon))
        time.sleep(0.05)
    return max(most, anonymous_bytes(daemon))


BURST = Probe(series=1000, rounds=300, interval=0.03)


def test_memory_comes_back(scene):
    """A burst of 7 MiB of samples; what is left after a few flushes.  Their
    data are small."""
    service = scene.service()
    daemon = scene.start(
        config(service, metric=PROBED.replace('\n<', '\nStatistics "set"\n<'),
               BufferLimit=64), probe=BURST)
    while BURST.look(daemon).received < BURST.series:
        time.sleep(0.01)
    begin = anonymous_bytes(daemon)
    most = wait_for_rounds(BURST, daemon, BURST.rounds, 60)
    seen = []
    for n in range(8):
        daemon.flush(plugin='write_cloudwatch')
        time.sleep(0.2)
        seen.append(anonymous_bytes(daemon) - begin)
    assert service.wait_for(lambda: total_of(service.datums) ==
                            BURST.series * BURST.rounds, 30)
    print(f'\n{(most - begin) / MIB:.1f} MiB more while it came; after each '
          f'flush {", ".join(f"{n / MIB:.1f}" for n in seen)}')
    assert most - begin > 5 * MIB
    assert seen[-1] < (most - begin) / 2


LIMIT = 4  # MiB
# One request, and what the daemon knows of its values.
BESIDE = 4 * MIB
FLOOD = Probe(series=1000, rounds=450, interval=0.03)


def keep_back(go):
    """An action: no answer before go is set."""
    def act(handler, request):
        go.wait(120)
        return False
    return act


@pytest.mark.parametrize('where', ['answer', 'credentials'])
def test_much_comes_while_something_hangs(scene, where):
    """Several times as much as there is room for, while the thread is in a
    request, or waits for a credential_process.  What has no room is summed up,
    and whatever came is published or counted."""
    service, go = scene.service(), threading.Event()
    document = json.dumps(scene.keyring.issue(3600).process_document())
    options = {'AccessKeyId': None, 'SecretAccessKey': None} \
        if where == 'credentials' else {}
    service.always(keep_back(go))
    daemon = scene.start(
        config(service, metric=PROBED, BufferLimit=LIMIT, Timeout=120,
               **options), probe=FLOOD, files={
            '.aws/config': '[default]\ncredential_process = {home}/helper\n',
            'helper': '#!/bin/sh\nwhile [ ! -e {home}/go ]; do sleep 0.1; done\n'
                      f"echo '{document}'\n"})
    while FLOOD.look(daemon).received < FLOOD.series:
        time.sleep(0.01)
    begin = anonymous_bytes(daemon)
    daemon.flush(plugin='write_cloudwatch')
    assert where == 'credentials' or service.wait_for(
        lambda: service.requests, 20)
    most = wait_for_rounds(FLOOD, daemon, FLOOD.rounds, 100)
    assert not service.datums
    go.set()
    daemon.write('go', '')

    n_come = FLOOD.series * FLOOD.rounds
    daemon.flush(plugin='write_cloudwatch')
    service.wait_for(lambda: total_of(service.datums) == n_come, 20)
    daemon.stop()
    n_lost = int(re.search(r'(\d+) values were left out', daemon.log)[1])
    print(f'\n{n_come} values while it hung, {n_lost} of them lost; '
          f'{(most - begin) / MIB:.1f} MiB more memory')
    assert total_of(service.datums) + n_lost == n_come
    assert n_lost < n_come / 2
    assert most - begin < LIMIT * MIB + BESIDE
