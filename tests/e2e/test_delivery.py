"""What becomes of data that are not accepted at once: they wait in memory,
bounded, keep their times, and are sent when it is well again.  What CloudWatch
refuses for good: test_refused.py."""

import re
import time

import pytest

import faults
from scene import (MINUTE, Scene, answered, config, cut, feed, names, node,
                   publish, warnings)


@pytest.fixture
def scene(tmp_path):
    with Scene(tmp_path) as one:
        yield one


def times(datums):
    return [(datum['MetricName'], datum['Timestamp']) for datum in datums]


# ---- a failure --------------------------------------------------------------

def test_a_repeated_failure_is_said_once(scene):
    """Though each refusal has a request id of its own, as AWS's have."""
    service = scene.service()
    service.behave([faults.refuse('InternalServiceError', headers=[
        ('x-amzn-RequestId', f'0000-{i}')]) for i in range(3)])
    daemon = scene.start(config(service))
    publish(daemon, load=1)
    service.wait_datums(1, 30)
    daemon.wait_for('sending again')
    line, = warnings(daemon)
    assert '0000-0' in line
    starts = [request.time for request in service.requests]
    assert len(starts) == 4
    assert all(later - start > 0.09
               for start, later in zip(starts, starts[1:]))


def test_another_failure_is_said(scene):
    service = scene.service()
    service.behave([faults.refuse('InternalServiceError'),
                    faults.refuse('AccessDenied')])
    daemon = scene.start(config(service))
    publish(daemon, load=1)
    daemon.wait_for(r'\[warning\] .*InternalServiceError', 10)
    daemon.wait_for(r'\[warning\] .*AccessDenied.*allow '
                    'cloudwatch:PutMetricData', 10)


def test_redirects_are_not_followed(scene):
    service, other = scene.service(), scene.service()
    service.behave([faults.answer(307, '', [('Location', other.url + '/')])])
    daemon = scene.start(config(service))
    publish(daemon, load=1)
    service.wait_datums(1, 10)
    assert not other.requests


def test_the_pause_that_a_service_asks_for(scene):
    service = scene.service()
    service.behave([faults.refuse('Throttling', headers=[
        ('x-amz-retry-after', '1500')])])
    daemon = scene.start(config(service))
    publish(daemon, load=1)
    daemon.wait_for('Throttling', 10)
    publish(daemon, free=2)  # does not shorten it
    assert names(service.wait_datums(2, 10)) == ['free', 'load']
    assert answered(service)[1].time - service.requests[0].time >= 1.45


def test_clock_that_differs(scene):
    """Requests are signed with the service's time; data keep theirs."""
    service = scene.service(now=lambda: time.time() + 3600)
    daemon = scene.start(config(service))
    publish(daemon, a=1)
    assert times(service.wait_datums(1, 5)) == [('a', MINUTE)]
    publish(daemon, b=1)
    service.wait_datums(2, 5)
    assert [request.status == 200 for request in answered(service)] == \
        [False, True, True]
    line, = warnings(daemon)
    assert re.search(r'clock is 3(59|60)\d s behind the service', line)


# ---- an outage --------------------------------------------------------------

def test_newest_first_after_an_outage(scene):
    service = scene.service()
    service.always(faults.refuse('ServiceUnavailable'))
    daemon = scene.start(config(service))
    for minutes_ago in (9, 6, 3):
        cut(daemon, minutes_ago, load=minutes_ago, free=minutes_ago)
    time.sleep(1.1)  # flushes of one second travel together
    publish(daemon, load=0)
    assert service.wait_for(lambda: any(
        request.over and str(MINUTE) in str(request.decoded)
        for request in service.requests), 10)
    service.always(None)

    datums = service.wait_datums(7, 20)
    assert times(datums[:1]) == [('load', MINUTE)]  # alone: it is urgent
    assert sorted(times(datums[1:])) == sorted(
        (name, MINUTE - 60 * n) for name in ('load', 'free')
        for n in (9, 6, 3))
    accepted = [request for request in answered(service)
                if request.status == 200]
    assert [request.accepted for request in accepted] == [1, 6]  # together
    daemon.wait_for(r'sending again after \d+ s; 6 data are still waiting')
    assert len(warnings(daemon)) == 1


NAMESPACES = '''
<Metric "load">
  Plugin "test"
  Namespace "of/%{type_instance}"
</Metric>
'''


def test_backlog_of_several_namespaces(scene):
    service = scene.service()
    service.always(faults.refuse('ServiceUnavailable'))
    daemon = scene.start(config(service, metric=NAMESPACES))
    for minutes_ago in (2, 1):
        cut(daemon, minutes_ago, a=1, b=2, c=3)
    daemon.wait_for(r'\[warning\] ')
    service.always(None)
    datums = service.wait_datums(6, 20)
    assert sorted((datum['Namespace'], datum['Timestamp'], datum['Value'])
                  for datum in datums) == sorted(
        (f'of/{name}', MINUTE - 60 * n, value)
        for n in (1, 2) for name, value in (('a', 1), ('b', 2), ('c', 3)))


def test_a_long_outage_does_not_stop_new_values(scene):
    """Values of one series that were cut at different times stay apart."""
    service = scene.service()
    service.always(faults.hang())
    daemon = scene.start(config(service, Timeout=0.2))
    for minutes_ago in range(12, 0, -1):
        cut(daemon, minutes_ago, load=minutes_ago)
    service.always(None)
    datums = service.wait_datums(12, 20)
    assert sorted((datum['Timestamp'], datum['Value'])
                  for datum in datums) == sorted(
        (MINUTE - 60 * n, n) for n in range(1, 13))


# ---- limits -----------------------------------------------------------------

LONG = '\n'.join(['<Metric "%{type_instance}">', 'Plugin "test"',
                  *(f'Dimension "D{i}" "{"x" * 1000}"' for i in range(4)),
                  '</Metric>'])


def overflow(daemon):
    """480 data of LONG, 60 a flush, about 4 kB each: 1 MiB holds some 240."""
    values = {f'm{i:02}': i for i in range(60)}
    for minutes_ago in range(8, 0, -1):
        cut(daemon, minutes_ago, **values)


def test_buffer_limit(scene):
    """The oldest are dropped."""
    service = scene.service()
    service.always(faults.refuse('ServiceUnavailable'))
    daemon = scene.start(config(service, metric=LONG, BufferLimit=1))
    overflow(daemon)
    daemon.wait_for(r'\[error\] .*BufferLimit is reached; the oldest data are '
                    'dropped', 10)
    service.always(None)
    daemon.wait_for(r'\[notice\] .*within BufferLimit again; (\d+) data were '
                    'dropped', 30)
    n_dropped = int(re.search(r'again; (\d+) data were dropped',
                              daemon.log)[1])
    datums = service.wait_datums(480 - n_dropped, 30)
    assert n_dropped % 60 == 0 and 60 <= n_dropped <= 420
    kept = (480 - n_dropped) // 60
    assert {datum['Timestamp'] for datum in datums} == {
        MINUTE - 60 * n for n in range(1, kept + 1)}
    assert daemon.log.count('BufferLimit') == 2


def test_a_flush_that_is_larger_than_buffer_limit(scene):
    """It is sent all the same: only what waits beside it is dropped."""
    service = scene.service()
    daemon = scene.start(config(service, metric=LONG, BufferLimit=1))
    values = {f'm{i:03}': i for i in range(220)}
    publish(daemon, **values)
    assert names(service.wait_datums(220, 20)) == sorted(values)
    assert not warnings(daemon)


def test_buffer_age(scene):
    service = scene.service()
    age = int(time.time()) - MINUTE
    daemon = scene.start(config(service, BufferAge=age + 120))
    feed(daemon, at=MINUTE - 240, old=1)
    publish(daemon, young=1)
    assert times(service.wait_datums(1, 10)) == [('young', MINUTE)]
    at_start, line = warnings(daemon)
    assert 'leaves no time between a flush and the next' in at_start
    assert re.search(r'gauge-old is older than BufferAge', line)


def test_data_that_grow_too_old_while_they_wait(scene):
    service = scene.service()
    service.behave([faults.refuse('ServiceUnavailable', headers=[
        ('x-amz-retry-after', '6500')])])
    daemon = scene.start(config(  # within four seconds they are young
        service, BufferAge=int(time.time()) - MINUTE + 4))
    publish(daemon, old=1)
    daemon.wait_for('ServiceUnavailable')
    publish(daemon, at=MINUTE + 120, young=1)
    assert times(service.wait_datums(1, 20)) == [('young', MINUTE + 120)]
    daemon.wait_for(r'\[error\] .*wait longer than BufferAge are dropped')


@pytest.mark.parametrize('timeout, least, most',
                         [(0, 0, 4), (2, 1.7, 5)])
def test_shutdown_timeout_is_for_all_nodes(scene, timeout, least, most):
    services = [scene.service() for _ in range(3)]
    for service in services:
        service.always(faults.hang())
    daemon = scene.start(config(
        None, *(node(f'n{i}', service)
                for i, service in enumerate(services)), Region=None,
        ShutdownTimeout=timeout))
    publish(daemon, load=1)
    for service in services:
        assert service.wait_for(lambda: service.requests, 10)
    start = time.monotonic()
    daemon.stop()
    assert least <= time.monotonic() - start < most, daemon.log
    for i in range(3):
        daemon.wait_for(rf'\[error\] .*plugin: n{i}: 1 data could not be sent '
                        'before the stop and are lost')


def test_the_stop_sends_what_is_open(scene):
    service = scene.service()
    daemon = scene.start(config(service))
    feed(daemon, at=int(time.time()), load=1)
    daemon.stop()
    assert names(service.datums) == ['load']
    assert daemon.log.count('could not be sent') == 0


def test_the_stop_sends_the_backlog_of_a_service_that_is_well_again(scene):
    service = scene.service()
    service.always(faults.refuse('ServiceUnavailable', headers=[
        ('x-amz-retry-after', '60000')]))
    daemon = scene.start(config(service, ShutdownTimeout=5))
    for minutes_ago in (3, 2, 1):
        cut(daemon, minutes_ago, load=1)
    daemon.wait_for('ServiceUnavailable')
    service.always(None)
    daemon.stop()
    assert len(service.datums) == 3


def test_a_gateway_that_gave_up_too_soon(scene):
    """It had passed the request on: that is an answer that was lost."""
    service = scene.service()

    def give_up(handler, request):
        handler.service.perform(request)
        return faults.html(504)(handler, request)
    service.behave([give_up])
    daemon = scene.start(config(service))
    publish(daemon, load=1)
    assert names(service.wait_datums(2, 10)) == ['load', 'load']
    daemon.stop()
    daemon.wait_for('stops; 1 data were accepted, .*sent without an answer: 1')
