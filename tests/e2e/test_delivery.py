"""What becomes of data that are not accepted at once: they wait in memory,
bounded, keep their times, and are sent when it is well again."""

import json
import re
import time

import pytest

import faults
from scene import (MINUTE, Scene, answered, config, feed, names, node, publish,
                   warnings)

FORTNIGHT = 14 * 86400
HTML = '<!DOCTYPE html><html><body><h1>Please sign in</h1></body></html>'


@pytest.fixture
def scene(tmp_path):
    with Scene(tmp_path) as one:
        yield one


def times(datums):
    return [(datum['MetricName'], datum['Timestamp']) for datum in datums]


def cut(daemon, minutes_ago, **values):
    """Publishes values of a minute that long before MINUTE, in a flush of
    their own: orders that come together are one flush."""
    publish(daemon, at=MINUTE - 60 * minutes_ago, **values)
    time.sleep(0.05)


def metrics_of(request):
    return [datum['MetricName']
            for datum in json.loads(request.decoded)['MetricData']]


# ---- one failure ------------------------------------------------------------

# What the service does; what the warning says; whether data may be there
# twice.
FAILURES = {
    '500': (faults.refuse('InternalServiceError'),
            r'InternalServiceError \(status 500\)', False),
    '503 without a code': (faults.answer(503, HTML),
                           r'status 503, but not in the way AWS does', False),
    '503': (faults.refuse('ServiceUnavailable'), 'ServiceUnavailable', False),
    'captive portal': (faults.answer(200, HTML),
                       r'status 200, but not in the way AWS does \(a proxy',
                       False),
    'text': (faults.answer(200, 'welcome'), 'status 200, but not', False),
    'redirect': (faults.answer(302, '', [('Location', '{other}')]),
                 'status 302, but not', False),
    'proxy': (faults.answer(407, HTML), 'status 407, but not', False),
    'throttled': (faults.refuse('Throttling', 'Rate exceeded'),
                  r'Throttling \(status 400\): Rate exceeded', False),
    'throttled by a code in the body only':
        (faults.refuse('Throttling', 'Rate exceeded', query_error=False),
         r'Throttling(Exception)? \(status 400\)', False),
    'closed': (faults.hang_up(), 'the connection was closed', False),
    'reset': (faults.reset(), 'the connection broke', False),
    'reset in the body':
        (faults.reset_request(), 'the connection broke|closed', False),
    'answer lost': (faults.reset(store=True), 'the connection broke', True),
    'half an answer': (faults.half_answer(), 'the connection broke|broke off',
                       True),
    'hang': (faults.hang(), r'timed out after 0\.[56] s', False),
    'late answer': (faults.delay(1.2), r'timed out after 0\.[56] s', True),
}


@pytest.mark.parametrize('label', FAILURES)
@pytest.mark.parametrize('protocol', ['json', 'query'])
def test_one_failure(scene, label, protocol):
    """Said once, said once more when it is well again; the data arrive with
    their own time."""
    action, message, twice = FAILURES[label]
    service = scene.service()
    service.behave([action])
    daemon = scene.start(config(service, Timeout=0.5, Protocol=protocol))
    publish(daemon, load=1.5)
    daemon.wait_for(rf'\[warning\] .*127\.0\.0\.1:{service.port}.*({message})'
                    r'.*; the data wait and are sent later', 10)
    daemon.wait_for(r'\[notice\] .*sending again after \d+ s; 0 data are '
                    'still waiting', 10)
    datums = service.wait_datums(2 if twice else 1, 10)
    assert times(datums) == [('load', MINUTE)] * len(datums)
    assert len(service.requests) == 2
    assert len(warnings(daemon)) == 1


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


def test_a_kept_connection_that_closes(scene):
    """libcurl would repeat the request by itself, and call it a success."""
    service = scene.service()
    daemon = scene.start(config(service))
    publish(daemon, a=1)
    service.wait_datums(1, 10)
    service.behave([faults.hang_up(store=True)])
    publish(daemon, b=2)
    daemon.wait_for(r'\[warning\] .*no answer .*the connection was closed', 10)
    assert names(service.wait_datums(3, 10)) == ['a', 'b', 'b']
    assert service.requests[0].connection == service.requests[1].connection
    assert len(service.requests) == 3


def test_port_that_opens_again(scene):
    first = scene.service()
    first.stop()
    daemon = scene.start(config(first))
    publish(daemon, load=1)
    daemon.wait_for(rf'\[warning\] .*cannot reach 127.0.0.1:{first.port} '
                    r'\(Connection refused\)', 10)
    second = scene.service(port=first.port)
    assert times(second.wait_datums(1, 20)) == [('load', MINUTE)]
    assert len(warnings(daemon)) == 1


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
    assert re.search(r'clock is (3599|3600|3601) s behind the service', line)


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


def test_a_namespace_refused_leaves_the_others_alone(scene):
    """Nothing of it is lost either, but for what the service names."""
    service = scene.service()

    def refuse(handler, request):
        return (b'"of/a"' in request.decoded and
                faults.refuse('InvalidParameterValue', 'The parameter '
                              'Namespace is invalid.')(handler, request))
    service.always(refuse)
    daemon = scene.start(config(service, metric=NAMESPACES))
    publish(daemon, a=1, b=2, c=3)
    assert sorted(datum['Namespace']
                  for datum in service.wait_datums(2, 10)) == ['of/b', 'of/c']
    daemon.wait_for(r'\[error\] .*refused 1 datum of host/test/gauge-a')


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


# ---- refused data -----------------------------------------------------------

def test_a_datum_that_is_named(scene):
    """It is dropped and named, the rest is accepted at once."""
    # Its clock is ahead, within what it tolerates: one value is too old for
    # the service and not yet for us.
    service = scene.service(now=lambda: time.time() + 240)
    daemon = scene.start(config(service, BufferAge=FORTNIGHT))
    old = int(time.time()) - FORTNIGHT + 180
    feed(daemon, at=old // 60 * 60, b=7)
    publish(daemon, a=1, b=2, c=3, d=4, e=5)
    datums = service.wait_datums(5, 5)
    assert sorted(times(datums)) == [(name, MINUTE) for name in 'abcde']
    refused, accepted = answered(service)
    assert refused.code == 'InvalidParameterValueException'
    assert accepted.time - refused.time < 1
    assert len(metrics_of(refused)) == 6
    line, = warnings(daemon)
    assert 'host/test/gauge-b' in line and 'within the past two weeks' in line
    assert 'dropped' in line


@pytest.mark.parametrize('protocol', ['json', 'query'])
def test_several_data_that_are_named(scene, protocol):
    service = scene.service()
    service.behave([faults.refuse(
        'InvalidParameterValue', 'The parameter MetricData.member.2.Value is '
        'bad.\nThe parameter MetricData.member.4.Value is bad.')])
    daemon = scene.start(config(service, Protocol=protocol))
    publish(daemon, a=1, b=2, c=3, d=4, e=5)
    assert names(service.wait_datums(3, 5)) == ['a', 'c', 'e']
    assert {re.search(r'gauge-(.)', line)[1]
            for line in warnings(daemon)} == {'b', 'd'}
    assert len(service.requests) == 2


def unless_without(name):
    """Refuses what has this metric, and does not say which datum it is."""
    refuse = faults.refuse('InvalidParameterValue', 'Something is wrong.')
    return lambda handler, request: (
        name.encode() in request.decoded and refuse(handler, request))


@pytest.mark.parametrize('n', [1, 2, 50])
def test_a_datum_that_is_not_named(scene, n):
    """It is looked for by halves, and only it is lost."""
    service = scene.service()
    service.always(unless_without('culprit'))
    daemon = scene.start(config(service))
    good = {f'm{i:02}': i for i in range(n - 1)}
    publish(daemon, **dict(list(good.items())[:n // 3]), culprit=1,
            **dict(list(good.items())[n // 3:]))
    daemon.wait_for(r'\[error\] .*refused 1 datum of host/test/gauge-culprit '
                    r'\(InvalidParameterValue: Something is wrong.\), dropped',
                    30)
    assert names(service.wait_datums(n - 1, 30)) == sorted(good)
    assert len(warnings(daemon)) == 1
    assert len(service.requests) <= 40


def test_everything_refused(scene):
    """At most 40 requests for it; what comes later is sent."""
    service = scene.service()
    service.always(faults.refuse('ValidationError', 'No.'))
    daemon = scene.start(config(service))
    publish(daemon, **{f'm{i:03}': i for i in range(100)})
    assert service.wait_for(lambda: len(service.requests) == 40, 30)
    service.always(None)
    publish(daemon, at=MINUTE + 60, good=1)
    assert names(service.wait_datums(1, 20)) == ['good']
    assert len(service.requests) == 41
    daemon.stop()
    daemon.wait_for(r'1 data were accepted, .* that were refused: 100,')


@pytest.mark.parametrize('by_aws', [True, False])
def test_too_large(scene, by_aws):
    """413 halves the request; nothing is lost."""
    service = scene.service()
    refuse = faults.refuse('RequestEntityTooLarge') if by_aws else \
        faults.answer(413, HTML)
    service.always(lambda handler, request: (
        len(metrics_of(request)) > 3 and refuse(handler, request)))
    daemon = scene.start(config(service))
    publish(daemon, **{f'm{i:02}': i for i in range(12)})
    assert names(service.wait_datums(12, 20)) == [
        f'm{i:02}' for i in range(12)]
    assert not warnings(daemon)


# ---- limits -----------------------------------------------------------------

LONG = '\n'.join(['<Metric "%{type_instance}">', 'Plugin "test"',
                  *(f'Dimension "D{i}" "{"x" * 1000}"' for i in range(4)),
                  '</Metric>'])


def test_buffer_limit(scene):
    """About 4 kB a datum: 1 MiB holds some 240.  The oldest are dropped."""
    service = scene.service()
    service.always(faults.refuse('ServiceUnavailable'))
    daemon = scene.start(config(service, metric=LONG, BufferLimit=1))
    values = {f'm{i:02}': i for i in range(60)}
    for minutes_ago in range(8, 0, -1):
        cut(daemon, minutes_ago, **values)
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
        ('x-amz-retry-after', '2000')])])
    daemon = scene.start(config(
        service, BufferAge=int(time.time()) - MINUTE + 1))
    publish(daemon, old=1)
    daemon.wait_for('ServiceUnavailable')
    publish(daemon, at=MINUTE + 120, young=1)
    assert times(service.wait_datums(1, 20)) == [('young', MINUTE + 120)]
    daemon.wait_for(r'\[error\] .*wait longer than BufferAge are dropped')


@pytest.mark.parametrize('timeout, least, most',
                         [(0, 0, 0.7), (1.5, 1.2, 2.2)])
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
