"""Time in the real daemon: periods, flushes, late values, write threads."""

import calendar
import collections
import re
import signal
import threading
import time

import pytest

from daemon import Daemon
from scene import Scene, config
from times import (FastClock, keep_clear_of, merge, put_all, samples_of,
                   wait_samples)

# FlushInterval to the period of StorageResolution 60: the largest divisor of
# 60 that is not above it.
PERIODS = {1: 1, 7: 6, 10: 10, 25: 20, 60: 60, 300: 60}

PLAIN = '<Metric "Plain">\nPlugin "p"\n</Metric>\n'
SHARP = '<Metric "Sharp">\nPlugin "p"\nStorageResolution 1\n</Metric>\n'


def number_of(second):
    """The value by which a second is known again."""
    return second % 100000


def grouped(seconds, length_s):
    """{start of period: its numbers}, as the samples should come out."""
    found = collections.defaultdict(list)
    for second in seconds:
        found[second - second % length_s].append(number_of(second))
    return dict(found)


def put_seconds(daemon, seconds):
    put_all(daemon, 'testhost/p/gauge',
            [f'{second}:{number_of(second)}' for second in seconds])


@pytest.mark.parametrize('interval,length', PERIODS.items())
def test_periods_are_aligned_to_the_wall_clock(tmp_path, interval, length):
    first = int(time.time()) // 300 * 300 - 1011
    seconds = range(first, first + 171)
    with Scene(tmp_path) as scene:
        service = scene.service()
        daemon = scene.start(config(service, metric=PLAIN + SHARP,
                                    FlushInterval=interval))
        put_seconds(daemon, seconds)
        daemon.flush()
        datums = wait_samples(service, 2 * len(seconds))
    # A flush may have come between two values: CloudWatch adds them up.
    assert merge(datums, 'Plain') == grouped(seconds, length)
    assert merge(datums, 'Sharp') == grouped(seconds, 1)
    assert {(d['MetricName'], d['StorageResolution']) for d in datums} == {
        ('Plain', 60), ('Sharp', 1)}


def live_over_a_multiple(folder, interval, slower):
    """A daemon and its service, from shortly before a multiple of the interval
    on, which, where that is possible (7 and 25), is none of the period.
    Returns (the multiple, the seconds that were put, the service); None if the
    machine was too slow."""
    multiple = 1700000000 // 4200 * 4200 + 5 * interval
    clock = FastClock(multiple - interval * 2 // 3 - 1,
                      max(1, interval / 2) / slower)
    seconds = range(multiple - interval - 61, multiple + interval // 4 + 1)
    with Scene(folder) as scene:
        service = scene.service(now=clock.now)
        clock.begin()
        daemon = scene.start(
            config(service, metric=PLAIN + SHARP, FlushInterval=interval,
                   **FastClock.LONG), environment=clock.environment)
        put_seconds(daemon, seconds)
        daemon.settle()
        if clock.now() >= multiple:
            return None
        wait_samples(service, 2 * len(seconds), 15 * slower)
    return multiple, seconds, service


@pytest.mark.parametrize('interval,length', PERIODS.items())
def test_a_flush_comes_at_each_multiple_and_cuts_what_ended(tmp_path, interval,
                                                            length):
    multiple, seconds, service = next(filter(None, (
        live_over_a_multiple(tmp_path / str(slower), interval, slower)
        for slower in (1, 3, 9))))
    times = {request.number: request.time for request in service.requests}
    flushes = collections.defaultdict(list)
    for datum in service.datums:
        flushes[times[datum['Request']] // interval * interval].append(datum)

    assert min(flushes) == multiple
    for name, size in (('Plain', length), ('Sharp', 1)):
        assert merge(flushes[multiple], name) == grouped(
            [s for s in seconds if s - s % size + size <= multiple], size)
        assert merge(service.datums, name) == grouped(seconds, size)
        for flush in sorted(flushes)[1:]:
            # Each comes as soon as it may.
            for start in merge(flushes[flush], name):
                assert flush - interval < start + size <= flush


def test_a_late_sample_makes_a_further_datum(tmp_path):
    start = int(time.time()) // 60 * 60 - 600
    with Scene(tmp_path) as scene:
        service = scene.service()
        daemon = scene.start(config(service, metric=PLAIN))
        daemon.putval('testhost/p/gauge', f'{start + 10}:1', f'{start + 70}:2')
        daemon.flush()
        service.wait_datums(2, 10)
        daemon.putval('testhost/p/gauge', f'{start + 20}:3')
        daemon.flush()
        datums = service.wait_datums(3, 10)
    assert [(d['Timestamp'], d['Value']) for d in datums] == [
        (start, 1), (start + 60, 2), (start, 3)]


# ---- write threads -----------------------------------------------------------

CONNECTIONS = 5
NAMES = 12     # of each connection, for each type
READINGS = 60  # of each name


def dispatch(connection, number, base):
    """Puts gauges with numbers of their own, and counters that are the square
    of the second: so a rate is the sum of the two seconds it was made of."""
    for n in range(NAMES):
        mine = number * 100000 + n * 1000
        put_all(connection, f'testhost/g/gauge-{number}-{n}',
                [f'{base + k}:{mine + k}' for k in range(READINGS)])
        put_all(connection, f'testhost/d/derive-{number}-{n}',
                [f'{base + k}:{k * k}' for k in range(READINGS)])


def connect(daemon):
    """A further connection to a daemon's socket."""
    connection = object.__new__(Daemon)
    connection.socket_path, connection._socket = daemon.socket_path, None
    return connection


def feed_from_all_sides(daemon, base, is_there):
    """Dispatches from several connections, and flushes all the while, until
    all is there."""
    threads = [threading.Thread(target=dispatch,
                                args=(connect(daemon), number, base))
               for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 60
    while any(thread.is_alive() for thread in threads) or not is_there():
        assert time.monotonic() < end, daemon.log
        daemon.command('FLUSH')
        time.sleep(0.03)


def test_five_write_threads_account_for_each_value_once(tmp_path):
    base = int(time.time()) - 1000
    count = CONNECTIONS * NAMES * READINGS
    with Scene(tmp_path) as scene:
        service = scene.service()
        block = config(
            service, '<Metric "%{type_instance}">', 'Plugin "d"',
            'StorageResolution 1', '</Metric>',
            metric='<Metric "Gauges">\nPlugin "g"\n</Metric>')
        with Daemon(tmp_path / 'daemon', block, write_threads=5) as daemon:
            feed_from_all_sides(daemon, base, lambda: count == sum(
                map(len, merge(service.datums, 'Gauges').values())))
    found = re.search(r'stops; (\d+) data were accepted, (\d+) values were '
                      'left out', daemon.log)
    accepted, left_out = int(found[1]), int(found[2])
    assert accepted == len(service.datums)

    seen = merge(service.datums, 'Gauges').values()
    assert sorted(v for values in seen for v in values) == [
        c * 100000 + n * 1000 + k for c in range(CONNECTIONS)
        for n in range(NAMES) for k in range(READINGS)]

    counters = collections.defaultdict(list)
    for datum in service.datums:
        if datum['MetricName'] != 'Gauges':
            counters[datum['MetricName']] += [
                (datum['Timestamp'] - base, r) for r in samples_of(datum)]
    assert len(counters) == CONNECTIONS * NAMES
    for points in counters.values():
        points.sort()
        # Each rate was made with the value that was accepted before it.
        before = [rate - second for second, rate in points]
        assert before[1:] == [second for second, _ in points[:-1]]
        assert 0 <= before[0] < points[0][0]
    # Of each counter one value is the first; each other has a rate, or came
    # after a newer one and was counted.
    rates = sum(map(len, counters.values()))
    assert len(counters) + rates + left_out == count


# ---- phase -------------------------------------------------------------------

RATE = 40
LATE = 0.2 * RATE  # seconds that a busy machine may take
HOSTS = [f'host-{n}' for n in range(6)]


def signed_at(request):
    return calendar.timegm(time.strptime(request.headers['x-amz-date'],
                                         '%Y%m%dT%H%M%SZ'))


def phases(scene, interval, jitter):
    """Seconds after the multiple of interval at which each host flushes."""
    multiple = 1700000000 // 600 * 600
    services = []
    for host in HOSTS:
        clock = FastClock(multiple - 58, RATE)
        service = scene.service(now=clock.now)
        services.append(service)
        clock.begin()
        daemon = scene.start(
            config(service, metric=PLAIN, FlushInterval=interval,
                   FlushJitter=jitter, **FastClock.LONG),
            before=f'Hostname "{host}"', environment=clock.environment)
        daemon.putval('testhost/p/gauge', f'{multiple - 1}:1')
        daemon.settle()
        assert clock.now() < multiple, 'this machine is too slow today'
    for service in services:
        service.wait_datums(1, 15)
    # As the daemon's own clock says it, which began when the daemon did.
    return [signed_at(service.requests[0]) - multiple for service in services]


def test_the_phase_is_the_hosts_own_and_stays(tmp_path):
    with Scene(tmp_path) as scene:
        first = phases(scene, 60, 60)
        again = phases(scene, 60, 60)
        # Unless told, it is a tenth of the interval.
        by_default = phases(scene, 600, None)
        none = phases(scene, 60, 0)
    assert max(first) - min(first) > LATE
    assert -1 <= min(first) and max(first) < 60 + LATE
    assert again == pytest.approx(first, abs=LATE)
    assert by_default == pytest.approx(first, abs=LATE)
    assert none == pytest.approx([0] * len(HOSTS), abs=LATE)


# ---- flushes that are asked for ----------------------------------------------

def test_flush_cuts_open_periods_and_with_a_timeout_old_ones(tmp_path):
    minute = keep_clear_of(60)
    with Scene(tmp_path) as scene:
        service = scene.service()
        daemon = scene.start(config(service, metric=PLAIN))
        for k in range(6, -1, -1):
            daemon.putval('testhost/p/gauge', f'{minute - 60 * k}:{k}')
        # A minute must have ended two minutes ago or more.
        daemon.flush(timeout=120)
        assert merge(service.wait_datums(4, 10)) == {
            minute - 60 * k: [k] for k in (6, 5, 4, 3)}
        daemon.flush(timeout=120)
        daemon.flush(timeout=60)
        assert merge(service.wait_datums(5, 10)[4:]) == {minute - 120: [2]}
        daemon.flush(timeout=0)
        assert merge(service.wait_datums(7, 10)[5:]) == {
            minute - 60: [1], minute: [0]}
        # Whatever identifier is named.
        daemon.putval('testhost/p/gauge', f'{minute + 1}:7')
        daemon.settle()
        daemon.command('FLUSH plugin="write_cloudwatch" identifier="a/b/c"')
        assert merge(service.wait_datums(8, 10)[7:]) == {minute: [7]}
    assert len(service.datums) == 8


def test_sigusr1_cuts_open_periods(tmp_path):
    minute = keep_clear_of(60)
    with Scene(tmp_path) as scene:
        service = scene.service()
        daemon = scene.start(config(service, metric=PLAIN))
        daemon.putval('testhost/p/gauge', f'{minute}:5')
        daemon.settle()
        assert service.requests == []
        daemon.signal(signal.SIGUSR1)
        assert merge(service.wait_datums(1, 10)) == {minute: [5]}


def test_load_plugins_flush_interval_cuts_what_is_old_enough(tmp_path):
    minute = keep_clear_of(60, 12)
    with Scene(tmp_path) as scene:
        service = scene.service()
        daemon = scene.start(
            config(service, metric=PLAIN),
            load_options='FlushInterval 1\nFlushTimeout 120')
        for k in range(4, -1, -1):
            daemon.putval('testhost/p/gauge', f'{minute - 60 * k}:{k}')
        service.wait_datums(2, 10)
        time.sleep(1.5)  # at least one more of these flushes
        assert merge(service.datums) == {minute - 240: [4], minute - 180: [3]}
    assert merge(service.datums) == {
        minute - 60 * k: [k] for k in range(5)}


@pytest.mark.parametrize('options,interval,flush,length', [
    ('', 30, 30, 30), ('Interval 25', 10, 25, 20), ('Interval 0.5', 10, 1, 1)])
def test_flush_interval_is_that_of_load_plugin(tmp_path, options, interval,
                                               flush, length):
    first = int(time.time()) // 300 * 300 - 1011
    seconds = range(first, first + 61)
    with Scene(tmp_path) as scene:
        service = scene.service()
        daemon = scene.start(
            config(service, metric=PLAIN, FlushInterval=None),
            load_options=options, interval=interval)
        put_seconds(daemon, seconds)
        daemon.flush()
        datums = wait_samples(service, len(seconds))
    assert merge(datums) == grouped(seconds, length)
    daemon.wait_for(f'flushes every {flush} s, which is {2592000 // flush} req')
