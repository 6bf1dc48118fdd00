"""What a wrong clock of this host costs: a refused request, and no data but
those whose time CloudWatch cannot accept."""

import re
import time

import pytest

import faults
from numbered import Numbered, wait_stored
from scene import Scene, answered, config, warnings
from times import SteppedClock

MINUTES_20, HOURS_3 = 1200, 10800
METRICS = '''
<Metric "n">
  Plugin "test"
  StorageResolution 1
</Metric>
'''
SUM = '''
<Metric "sum">
  Plugin "test"
  Combine "sum"
  StorageResolution 1
</Metric>
'''


@pytest.fixture
def scene(tmp_path):
    with Scene(tmp_path) as one:
        yield one


def start(scene, service, ahead_s=0, **options):
    """A daemon whose clock is so many seconds ahead, and that clock."""
    clock = SteppedClock(scene.folder / 'clock', ahead_s)
    daemon = scene.start(config(service, **{
        'metric': METRICS, 'FlushInterval': 1, **options}),
        environment=clock.environment)
    return daemon, clock, Numbered(daemon)


def refusals(service):
    return [request.code for request in answered(service)
            if request.status != 200]


@pytest.mark.parametrize('ahead_s, how', [
    (MINUTES_20, 'ahead of'), (-MINUTES_20, 'behind')])
def test_20_minutes(scene, ahead_s, how):
    """Nothing is lost, though each value has a time that is wrong; the clock
    costs one request, and is said once."""
    service = scene.service()
    daemon, clock, values = start(scene, service, ahead_s)
    for _ in range(3):
        values.put(2, at=clock.now())
        time.sleep(0.7)
    wait_stored(service, values.put_so_far)
    daemon.flush()
    wait_stored(service, values.put_so_far | values.put(at=clock.now()))
    for datum in service.datums:
        assert abs(datum['Timestamp'] - clock.now()) < 60
    assert len(refusals(service)) == 1
    line, = warnings(daemon)
    assert re.search(rf'clock is 1(19|20)\d s {how} the service.s; requests '
                     'are signed with', line)


def test_a_relay_whose_clock_is_fast(scene):
    """What hosts with a right clock stamped is taken as what it stamps."""
    service = scene.service()
    daemon, clock, values = start(scene, service, MINUTES_20)
    values.put(at=clock.now())
    values.put(at=time.time())
    wait_stored(service, values.put_so_far)
    assert len({datum['Timestamp'] // 600 for datum in service.datums}) == 2
    daemon.stop()
    daemon.wait_for('2 data were accepted, 0 values were left out')


def test_three_hours_fast_and_then_set(scene):
    """What CloudWatch cannot accept is left out by us, and said; all else
    arrives, and everything at once when the clock is right."""
    service = scene.service()
    daemon, clock, values = start(scene, service, HOURS_3)
    lost = values.put(at=clock.now())  # nobody knows yet
    daemon.wait_for(r'\[error\] .*clock is 1(079|080)\d s ahead of the '
                    "service's; what this host stamps .* is left out", 15)
    daemon.wait_for(r'\[error\] .*more than two hours in the future.* are '
                    'dropped', 5)
    for i in range(3):  # a datum each
        lost |= values.put(at=clock.now() - i)
    daemon.wait_for(r'\[warning\] .*gauge-n lies more than FlushInterval', 15)
    values.put(2, at=time.time())  # of another host
    wait_stored(service, values.put_so_far - lost)

    clock.step(0)
    values.put(2, at=time.time())  # not judged by what was wrong
    wait_stored(service, values.put_so_far - lost)
    daemon.wait_for(r'\[notice\] .*clock (was set; it is taken to be right|'
                    "agrees with the service's again)", 5)
    assert len(refusals(service)) == 1
    daemon.stop()
    found = daemon.wait_for(r'2 data were accepted, (\d) values were left out; '
                            r'data that were refused: (\d),')
    assert int(found[1]) + int(found[2]) == len(lost)
    assert len(warnings(daemon)) == 3


def test_days_behind_and_then_set(scene):
    """As a small board without a clock of its own begins its life."""
    service = scene.service()
    daemon, clock, values = start(scene, service, -20 * 86400)
    lost = values.put(at=clock.now())
    daemon.wait_for(r'\[error\] .*clock is 17\d+ s behind the .* is left out',
                    15)
    lost |= values.put(at=clock.now())
    daemon.wait_for(r'\[warning\] .*gauge-n is older than BufferAge', 15)
    clock.step(0)
    values.put(2)
    wait_stored(service, values.put_so_far - lost)
    assert len(refusals(service)) == 1


@pytest.mark.parametrize('metric', [METRICS, SUM], ids=['plain', 'combined'])
def test_set_back_within_what_cloudwatch_accepts(scene, metric):
    """What waited then lies in the future now, and is sent all the same, at
    once and not when that time comes."""
    service = scene.service()
    ahead_s = 5400
    daemon, clock, values = start(scene, service, ahead_s, metric=metric)
    begun = int(clock.now()) + 1
    for second in range(begun, begun + 4):  # a slot of a Combine each
        time.sleep(max(0, second - clock.now()))
        values.put(at=second)
    daemon.settle()
    clock.step(0)  # while that of the last is open
    wait_stored(service, values.put_so_far)
    values.put()
    wait_stored(service, values.put_so_far)
    assert sorted(datum['Timestamp'] for datum in service.datums)[1:] == [
        *range(begun, begun + 4)]
    daemon.stop()
    daemon.wait_for('5 data were accepted, 0 values were left out')


def test_set_back_between_two_flushes_that_are_far_apart(scene):
    """The step itself is a reason to flush."""
    service = scene.service()
    daemon, clock, values = start(scene, service, 5400, FlushInterval=3600)
    values.put(3, at=clock.now())
    daemon.settle()
    clock.step(0)
    wait_stored(service, values.put_so_far)


def test_set_back_by_mistake_while_data_wait(scene):
    """They lie in the future now, and are right: AWS is asked what time it is
    before any are given up."""
    service = scene.service()
    service.always(faults.html(503))
    daemon, clock, values = start(scene, service)
    values.put(2, at=clock.now())
    assert service.wait_for(lambda: len(service.requests) >= 2, 15)
    clock.step(-HOURS_3)
    seen = len(service.requests)
    assert service.wait_for(lambda: len(service.requests) >= seen + 2, 30)
    service.always(None)
    wait_stored(service, values.put_so_far, 30)


def test_set_while_it_runs(scene):
    """Forward by an operator's slip, and back; good data pass all the time."""
    service = scene.service()
    daemon, clock, values = start(scene, service)
    for ahead_s in (0, MINUTES_20, 0, -MINUTES_20, 0):
        clock.step(ahead_s)
        values.put(2, at=clock.now())
        wait_stored(service, values.put_so_far)
        time.sleep(0.3)  # the answer is there before the next step
    # One that comes after a step tells of it, and costs nothing.
    assert len(refusals(service)) <= 2
    assert len(warnings(daemon, 'clock is')) == 2
    assert len(re.findall(r'clock was set|clock agrees with', daemon.log)) == 2


def test_a_signature_that_does_not_match_for_the_clock(scene):
    """The code alone tells nothing; the Date does."""
    service = scene.service(now=lambda: time.time() + MINUTES_20)
    service.behave([faults.refuse('SignatureDoesNotMatch', 'No match.')])
    daemon, clock, values = start(scene, service)
    values.put()
    wait_stored(service, values.put_so_far)
    assert refusals(service) == ['InvalidSignatureException']
    line, = warnings(daemon)
    assert 'behind the service' in line


def test_a_signature_that_does_not_match_for_the_secret(scene):
    """With a Date that agrees, the clock is left alone."""
    service = scene.service(now=lambda: time.time() + 200)
    service.behave([faults.refuse('SignatureDoesNotMatch', 'No match.')])
    daemon, clock, values = start(scene, service)
    values.put()
    wait_stored(service, values.put_so_far)
    line, = warnings(daemon)
    assert 'check Region, the secret access key and the clock' in line


def test_who_is_no_aws_tells_no_time(scene):
    """A login page with a clock of its own."""
    service = scene.service()
    date = ('Date', 'Sun, 06 Nov 1994 08:49:37 GMT')
    service.behave([faults.answer(status, '<html>', [date])
                    for status in (200, 403)])
    daemon, clock, values = start(scene, service)
    values.put()
    wait_stored(service, values.put_so_far)
    assert not warnings(daemon, 'clock')
