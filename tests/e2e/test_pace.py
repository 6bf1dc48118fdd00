"""How fast what waits is sent: the rate of the backlog, a service that asks
for less, and one that denies."""

import itertools

import pytest

import faults
from numbered import Numbered, wait_stored
from scene import (METRIC, MINUTE, Scene, answered, config, feed, let_flush,
                   publish, warnings, without_keys)
from times import FastClock

START = 1_800_000_000
# A request for each value: nothing travels together.
ALONE = '''
<Metric "load">
  Plugin "test"
  Namespace "of/%{type_instance}"
</Metric>
'''


def values_of(service):
    return [datum['Value'] for datum in service.datums]


def times_of(service):
    """When each accepted request came."""
    return [request.time for request in answered(service)
            if request.status == 200]


def distances(times):
    return [later - one for one, later in zip(times, times[1:])]


def make_backlog(scene, service, n, then=None, **options):
    """A daemon in whose backlog the values 1 to n wait, and one that is newer,
    0; then: what the service does from now on."""
    service.always(faults.refuse('ServiceUnavailable'))
    daemon = scene.start(config(service, **{'metric': ALONE, **options}))
    publish(daemon, at=MINUTE - 60, **{f'v{i}': i for i in range(1, n + 1)})
    daemon.wait_for('ServiceUnavailable', 10)
    let_flush(daemon)
    publish(daemon, fresh=0)
    let_flush(daemon)
    service.always(then)
    return daemon


# ---- the rate of the backlog ------------------------------------------------

def test_the_backlog_has_its_rate(scene):
    service = scene.service()
    make_backlog(scene, service, 5, BackfillRate=4)
    service.wait_datums(6, 20)
    assert values_of(service)[0] == 0
    assert sorted(values_of(service)) == [0, 1, 2, 3, 4, 5]
    times = times_of(service)
    assert times[5] - times[1] > 0.7  # four times a quarter of a second


def test_no_rate_is_no_limit(scene):
    """At one a second this would take some minutes."""
    service = scene.service()
    make_backlog(scene, service, 120, BackfillRate=0)
    service.wait_datums(121, 30)
    assert sorted(values_of(service)) == [*range(121)]
    times = times_of(service)
    assert times[-1] - times[0] < 60


def test_a_fresh_flush_does_not_wait_and_does_not_hurry_the_backlog(scene):
    """One request of the backlog in two seconds: fresh ones pass in between,
    and the backlog keeps its turn."""
    service = scene.service()
    daemon = make_backlog(scene, service, 3, BackfillRate=0.5)
    service.wait_datums(2, 20)  # fresh, and the first of the backlog
    for n, value in enumerate((10, 11, 12), 3):
        publish(daemon, at=MINUTE + value, fresh=value)
        service.wait_datums(n, 20)
    service.wait_datums(7, 20)
    values = values_of(service)
    assert sorted(values) == [0, 1, 2, 3, 10, 11, 12]
    assert values[2:5] == [10, 11, 12]
    times = dict(zip(values, times_of(service)))
    of_backlog = sorted(times[value] for value in (1, 2, 3))
    assert of_backlog[2] - of_backlog[0] > 3.5


def test_at_the_stop_the_backlog_has_no_rate(scene):
    service = scene.service()
    daemon = make_backlog(scene, service, 5, BackfillRate=0.001,
                          ShutdownTimeout=10)
    service.wait_datums(2, 20)
    assert len(service.datums) == 2
    daemon.stop()
    assert sorted(values_of(service)) == [0, 1, 2, 3, 4, 5]
    assert 'could not be sent' not in daemon.log


def test_what_is_mended_takes_no_turn(scene):
    """The rest of a refused request goes at once, of the backlog too."""
    service = scene.service()

    def refuse(handler, request):
        return (b'"Value":2' in request.decoded and
                faults.refuse('InvalidParameterValue', 'The parameter MetricDa'
                              'ta.member.2.Value is bad.')(handler, request))
    daemon = make_backlog(scene, service, 3, refuse, metric=METRIC,
                          BackfillRate=0.01)
    service.wait_datums(3, 20)
    assert sorted(values_of(service)) == [0, 1, 3]
    daemon.wait_for(r'\[error\] .*refused 1 datum of host/test/gauge-v2', 5)


# ---- throttling -------------------------------------------------------------

def every_other(action):
    """The action for every other request, the first of them too."""
    turns = itertools.cycle([True, False])
    return lambda handler, request: next(turns) and action(handler, request)


@pytest.mark.parametrize('throttle', [
    faults.refuse('Throttling', 'Rate exceeded'),
    faults.answer(429, 'Slow down.')], ids=['by code', 'by status'])
def test_half_of_it_throttled(scene, throttle):
    """All arrives, and a refusal is always followed by a pause."""
    service = scene.service()
    service.always(every_other(throttle))
    daemon = scene.start(config(service, metric=ALONE, BackfillRate=0))
    publish(daemon, **{f'v{i}': i for i in range(8)})
    service.wait_datums(8, 60)
    assert sorted(values_of(service)) == [*range(8)]
    requests = answered(service)
    assert len(requests) == 16
    after_refusal = distances([request.time for request in requests])[::2]
    assert min(after_refusal) > 0.3  # half a second, from its beginning
    daemon.stop()
    daemon.wait_for('8 data were accepted')


def test_the_pace_outlasts_the_first_success(scene):
    """After three refusals the requests that are accepted are apart, too, by
    one second and then by half of one; there is no distance any more then."""
    service = scene.service()
    service.behave([faults.refuse('Throttling')] * 3)
    daemon = scene.start(config(service, metric=ALONE))
    publish(daemon, **{f'v{i}': i for i in range(6)})
    service.wait_datums(6, 60)
    first, second, *others = distances(times_of(service))
    assert first > 0.7 and second > 0.2
    assert sum(others) < 1
    assert sorted(values_of(service)) == [*range(6)]


def test_at_the_stop_throttling_holds_nothing_up(scene):
    service = scene.service()
    service.behave([faults.refuse('Throttling')] * 4)
    daemon = scene.start(config(service, metric=ALONE, ShutdownTimeout=2))
    publish(daemon, **{f'v{i}': i for i in range(4)})
    assert service.wait_for(lambda: len(service.requests) == 4, 30)
    daemon.stop()  # the next would come in four seconds
    assert sorted(values_of(service)) == [0, 1, 2, 3]


def test_throttled_for_60_s(tmp_path):
    """In scaled time: few requests meanwhile, all of it delivered soon after,
    each value once."""
    clock = FastClock(START, rate=15)
    with Scene(tmp_path, clock=clock) as scene:
        service = scene.service(skew_s=1e6)
        begin, end = START + 20, START + 80

        def throttle(handler, request):
            return (begin < clock.now() < end and
                    faults.refuse('Throttling')(handler, request))
        service.always(throttle)
        daemon = scene.start(config(service, FlushInterval=10,
                                    **FastClock.LONG))
        values = Numbered(daemon)
        for when in range(START + 5, START + 120, 5):
            clock.sleep_until(when)
            values.put(at=clock.now())
        wait_stored(service, values.put_so_far, 300 / clock.rate)
        refused = [request for request in answered(service)
                   if request.status != 200]
        assert 3 <= len(refused) <= 40
        assert len(warnings(daemon)) <= 3


# ---- denied -----------------------------------------------------------------

def test_a_policy_that_is_restored(tmp_path):
    """In scaled time: requests are rare while it lacks, and no value is lost
    or counted twice."""
    clock = FastClock(START, rate=60)
    with Scene(tmp_path, clock=clock) as scene:
        service = scene.service(skew_s=1e6)
        service.always(faults.refuse('AccessDenied'))
        daemon = scene.start(config(service, FlushInterval=60,
                                    **FastClock.LONG))
        values = Numbered(daemon)
        for when in range(START + 10, START + 600, 30):
            clock.sleep_until(when)
            values.put(at=clock.now())
        assert 2 <= len(service.requests) <= 30
        service.always(None)
        wait_stored(service, values.put_so_far, 600 / clock.rate)
        line, = warnings(daemon)
        assert 'AccessDenied' in line
        assert 'allow cloudwatch:PutMetricData' in line


def test_a_role_that_is_replaced(tmp_path):
    """What the instance had may not publish, what it has now may: found by
    itself, long before the credentials end."""
    clock = FastClock(START, rate=40)
    with Scene(tmp_path, clock=clock) as scene:
        service, imds = scene.service(skew_s=1e6), scene.metadata()
        denied = next(key for key in scene.keyring if key.startswith('ASIA'))

        def deny(handler, request):
            return (denied in request.headers['authorization'] and
                    faults.refuse('AccessDenied')(handler, request))
        service.always(deny)
        daemon = scene.start(without_keys(service, FlushInterval=60,
                                          **FastClock.LONG), uses=[imds])
        feed(daemon, at=START - 120, load=1)
        daemon.flush()
        daemon.wait_for('AccessDenied', 10)
        imds.rotate()
        service.wait_datums(1, 900 / clock.rate)
        accepted, = [one for one in answered(service) if one.status == 200]
        assert accepted.access_key != denied
