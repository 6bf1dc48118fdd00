"""Thirty collectds, each a host of its own on one bridge, publish the two
metrics of the shortest example to one CloudWatch, in scaled time.  What the
fleet's metrics say is what the hosts measured, while one host dies, comes back
and another joins; and the flushes are spread.

A machine may be slower than that: "Memory Available" is asked to be whole only
in minutes whose values came well before the flush that they belong to."""

import contextlib
import datetime
import json
import math
import signal
import time

import pytest

import judges
from bridge import Bridge
from member import (JITTER_S, MEMORY, SOCKETS, START, Member, begin_of,
                    windows)
from scene import Scene
from times import FastClock, samples_of

HOSTS = 30
RATE = 24  # a minute takes 2.5 s
MINUTES = 20
DIES, RETURNS, JOINS = 7, 11, 13  # from this minute on
STATISTICS = ('Average', 'Sum', 'Minimum', 'Maximum', 'SampleCount')
NAMESPACE = 'MyApp'


@contextlib.contextmanager
def fleet(folder, clock=None):
    with Bridge() as bridge, Scene(folder, network=bridge,
                                   clock=clock) as scene:
        service = scene.service(host=bridge.address, skew_s=1e9)
        yield scene, service, [Member(scene, bridge, number)
                               for number in range(1, HOSTS + 2)]
        for daemon in scene.daemons:  # all at once, and awaited by the scene
            daemon.signal(signal.SIGTERM)


def ask(scene, service, *words):
    """What the AWS command line is told."""
    keys = next(iter(scene.keyring))
    done = judges.aws(scene, 'cloudwatch', *words, '--namespace', NAMESPACE,
                      '--endpoint-url', service.url, AWS_ACCESS_KEY_ID=keys,
                      AWS_SECRET_ACCESS_KEY=scene.keyring[keys][0])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def metrics(scene, service):
    """[(name, dimensions)] that there are."""
    found = ask(scene, service, 'list-metrics')['Metrics']
    return sorted((one['MetricName'], *(
        (dimension['Name'], dimension['Value'])
        for dimension in one['Dimensions'])) for one in found)


def statistics(scene, service, name, minutes):
    """{minute: {statistic: number}} of the metric that all hosts share."""
    points = ask(
        scene, service, 'get-metric-statistics', '--metric-name', name,
        '--period', '60', '--statistics', *STATISTICS,
        '--start-time', stamp(minutes[0]), '--end-time', stamp(minutes[-1] + 1)
    )['Datapoints']
    return {minute_of(point['Timestamp']): {
        one: point[one] for one in STATISTICS} for point in points}


def stamp(minute):
    return datetime.datetime.fromtimestamp(
        begin_of(minute), datetime.timezone.utc).isoformat()


def minute_of(text):
    at = datetime.datetime.fromisoformat(text.replace('Z', '+00:00'))
    return int(at.timestamp() - START) // 60


def truth(members, name, minute):
    values = [value for member in members if minute in member.minutes
              for value in member.samples(name, minute)]
    return {'Average': math.fsum(values) / len(values),
            'Sum': math.fsum(values), 'Minimum': min(values),
            'Maximum': max(values), 'SampleCount': len(values)}


def arrived(service, members, name=SOCKETS):
    """Whether all samples did that these were given."""
    keys = {member.keys.key for member in members}
    n = sum(len(samples_of(datum)) for datum in service.datums
            if datum['MetricName'] == name and datum['AccessKey'] in keys)
    return n == sum(len(member.samples(name, minute)) for member in members
                    for minute in member.minutes)


class Hours:
    """Time as the hosts see it; their clocks differ by what each start took."""

    def __init__(self, clock, members):
        self.clock = clock
        lags_s = [member.lags_s[-1] for member in members]
        self.slowest_s, self.fastest_s = max(lags_s), min(lags_s)
        print(f'clocks differ by {self.slowest_s - self.fastest_s:.1f} s')

    def next_minute(self):
        return int(self.clock.now() - self.slowest_s - START) // 60 + 1

    def wait(self, minute):
        """Until it has begun everywhere, as values from the future are
        refused."""
        self.clock.sleep_until(begin_of(minute) + self.slowest_s)

    def is_early_in(self, minute):
        return self.clock.now() - self.fastest_s < begin_of(minute) + 40


def pass_minutes(service, members, hours):
    """Feeds who is alive.  Returns the minutes, those that came on time, and
    when the second life of the one that died began."""
    *others, joins = members
    dies = others[HOSTS // 2]
    first = hours.next_minute()
    on_time, reborn = set(), None
    for minute in range(first, first + MINUTES):
        hours.wait(minute)
        passed = minute - first
        for member in members:
            if member is dies and DIES <= passed < RETURNS:
                continue
            if member is joins and passed < JOINS:
                continue
            member.feed(minute)
        for member in members:
            if minute in member.minutes:
                member.daemon.now()
        if hours.is_early_in(minute):
            on_time.add(minute)
        if passed == DIES:  # its last minute is over, and was sent
            assert service.wait_for(lambda: arrived(service, [dies]), 60)
            dies.scene.kill(dies.daemon)
        elif passed == RETURNS - 1:
            reborn = len(service.requests)
            dies.start(service, **OPTIONS)
        elif passed == JOINS - 1:
            joins.start(service, **OPTIONS)
    return range(first, first + MINUTES), on_time, (dies, reborn)


OPTIONS = {'Namespace': NAMESPACE, 'FlushInterval': 60,
           'FlushJitter': JITTER_S, **FastClock.LONG}


def check_numbers(scene, service, members, minutes, on_time):
    sockets = statistics(scene, service, SOCKETS, minutes)
    memory = statistics(scene, service, MEMORY, minutes)
    assert list(sorted(sockets)) == list(minutes)
    for minute in minutes:
        assert sockets[minute] == pytest.approx(
            truth(members, SOCKETS, minute), rel=1e-12), minute
        if minute in on_time:
            assert memory[minute] == pytest.approx(
                truth(members, MEMORY, minute), rel=1e-12), minute
    print(f'{len(on_time)} of {len(minutes)} minutes came on time')
    assert len(on_time) >= MINUTES / 4


def check_phases(members, requests, first, reborn):
    """Each at its phase, in both lives of the one that died: the least of the
    delays is taken, as what is the machine's own differs from flush to flush.
    Requests before the first full minute are of the start."""
    dies, number = reborn
    seen = [(member, requests[number if member is dies else 0:], -1)
            for member in members] + [(dies, requests[:number], 0)]
    phases_s = []
    for member, some, life in seen:
        late_s = member.late_s([one for one in some if one.time >= first], life)
        assert late_s and abs(min(late_s)) < JITTER_S / 3, (
            member.host, life, late_s)
        phases_s.append(member.phase_s + min(late_s))
    most = windows(phases_s, JITTER_S / 3)
    print(f'at most {most} of {len(seen)} flush within a third of the time')
    assert most < len(seen) * 2 / 3


def test_fleet_of_thirty(tmp_path):
    begin = time.monotonic()
    with fleet(tmp_path, FastClock(START, RATE)) as (scene, service, members):
        for member in members[:HOSTS]:
            member.start(service, **OPTIONS)
        hours = Hours(scene.clock, members[:HOSTS])
        print(f'started after {time.monotonic() - begin:.0f} s')
        minutes, on_time, reborn = pass_minutes(service, members, hours)
        for name in (SOCKETS, MEMORY):
            service.wait_for(lambda: arrived(service, members, name), 30)
        requests = service.requests
        check_numbers(scene, service, members, minutes, on_time)
        assert metrics(scene, service) == [(MEMORY,), (SOCKETS,)]
        check_phases(members, requests, begin_of(minutes[0] + 1), reborn)
        print(f'checked after {time.monotonic() - begin:.0f} s')
    print(f'ended after {time.monotonic() - begin:.0f} s')


def test_series_of_hosts_when_asked(tmp_path):
    """Three lines more are thirty series more of each metric; the fleet's stay
    what they are."""
    asked = ('Dimension "Host" "%{host}"', 'DimensionSet ""',
             'DimensionSet "Host"')
    with fleet(tmp_path, FastClock(START + 3600, RATE)) as (
            scene, service, members):
        members = members[:HOSTS]
        for member in members:
            member.start(service, *asked, Namespace=NAMESPACE,
                         **FastClock.LONG)
            member.feed(0)
            member.daemon.flush()
        for name in (SOCKETS, MEMORY):
            assert service.wait_for(lambda: all(sum(
                len(samples_of(datum)) for datum in service.datums
                if datum['MetricName'] == name
                and bool(datum['Dimensions']) == is_hosts) == HOSTS * 6
                for is_hosts in (False, True)), 60)
            assert statistics(scene, service, name, [0]) == {
                0: pytest.approx(truth(members, name, 0), rel=1e-12)}
        assert metrics(scene, service) == sorted(
            row for name in (SOCKETS, MEMORY) for row in (
                (name,), *((name, ('Host', member.host))
                           for member in members)))
