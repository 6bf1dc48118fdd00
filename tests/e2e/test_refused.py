"""What CloudWatch refuses for good: it costs what is at fault and nothing else.
In each test the values that were stored are compared with those that were
handed over, less the ones that were refused: none missing, none twice."""

import re
import time

import pytest

import aws_wire
import faults
from aws_error import Findings
from scene import (MINUTE, Scene, answered, config, cut, feed, publish,
                   warnings)
from times import FastClock

FORTNIGHT = 14 * 86400
START = 1_800_000_000
MIDDLE = 'x' * 60  # of a long dimension value; the service takes 100
WIDE = '''
<Metric "%{type_instance}">
  Plugin "test"
  Dimension "Who" "%{type_instance}%{type_instance}"
</Metric>
'''
NAMESPACES = '''
<Metric "load">
  Plugin "test"
  Namespace "of/%{type_instance}"
</Metric>
'''


def numbered(count, first=0, name='m'):
    return {f'{name}{i:03}': i + 0.5 for i in range(first, first + count)}


def of(at, **values):
    return [(name, at, value) for name, value in values.items()]


def check(service, *handed_over, timeout=20):
    """Exactly these were stored."""
    wanted = sorted(sum(handed_over, []))
    service.wait_datums(len(wanted), timeout)
    assert sorted((datum['MetricName'], datum['Timestamp'], datum['Value'])
                  for datum in service.datums) == wanted


def data_of(request):
    return aws_wire.of(request).read(request, Findings())['MetricData']


def refuse_data(path, is_bad, code='InvalidParameterValue', more=''):
    """Refuses requests with data that are bad, and names each by its index, as
    CloudWatch does: what path says of it."""
    def act(handler, request):
        lines = [f'The parameter MetricData.member.{n}{path} is bad.{more}'
                 for n, datum in enumerate(data_of(request), 1)
                 if is_bad(datum)]
        return lines and faults.refuse(code, '\n'.join(lines))(
            handler, request)
    return act


def refuse_unnamed(is_bad, message='Something is wrong.'):
    """Refuses them and does not say which datum it is."""
    refuse = faults.refuse('InvalidParameterValue', message)
    return lambda handler, request: (
        any(map(is_bad, data_of(request))) and refuse(handler, request))


def is_named(*names):
    return lambda datum: datum['MetricName'] in names


def is_wide(datum):
    return any(len(dimension['Value']) > 100
               for dimension in datum.get('Dimensions', ()))


def totals(daemon):
    """(accepted, left out, refused, ambiguous) in the life of the daemon."""
    if daemon.status is None:
        daemon.stop()
    return tuple(int(number) for number in re.search(
        r'stops; (\d+) data were accepted, (\d+) values were left out; data '
        r'that were refused: (\d+), .*sent without an answer: (\d+)',
        daemon.log).groups())


# ---- by index: one datum ----------------------------------------------------

@pytest.mark.parametrize('protocol', ['json', 'query'])
def test_the_seventh_of_ten(scene, protocol):
    """LeonAdato/xk6-output-statsd#8."""
    service = scene.service()
    service.behave([faults.refuse(
        'InvalidParameterValue', 'The parameter MetricData.member.7.Dimensions'
        '.member.2.Value must be shorter than 256 characters.')])
    daemon = scene.start(config(service, Protocol=protocol))
    values = numbered(10)
    publish(daemon, **values)
    values.pop('m006')
    check(service, of(MINUTE, **values))
    assert len(service.requests) == 2
    line, = warnings(daemon)
    assert re.search(
        r'\[error\] .*CloudWatch refused 1 datum of host/test/gauge-m006 '
        r'\(InvalidParameterValue(Exception)?: The parameter MetricData.member'
        r'.7.Dimensions.member.2.Value must be shorter than 256 characters.\), '
        r'dropped; its metric is kept back for 10 min: correct its name, '
        r'dimensions or unit .*\[request .+\]', line)


ASPECTS = ['.Value', '.Values.member.3', '.StatisticValues.Sum', '.Timestamp',
           '.StorageResolution', '.Colour', '']


@pytest.mark.parametrize('protocol, path', [
    *(('json', path) for path in ASPECTS), ('query', '.Value')])
def test_a_value_costs_itself_alone(scene, protocol, path):
    """The next one of the same series arrives."""
    service = scene.service()
    service.always(refuse_data(path, lambda datum: datum['Value'] == 1e9))
    daemon = scene.start(config(service, Protocol=protocol))
    publish(daemon, a=1, b=1e9, c=3)
    check(service, of(MINUTE, a=1, c=3))
    publish(daemon, MINUTE + 60, a=4, b=5, c=6)
    check(service, of(MINUTE, a=1, c=3), of(MINUTE + 60, a=4, b=5, c=6))
    assert len(service.requests) == 3
    line, = warnings(daemon)
    assert re.search(
        rf'CloudWatch refused 1 datum of host/test/gauge-b \(.*{path} is bad'
        r'.*\), dropped: correct it in the <Metric> block, or where the value '
        r'comes from \[request .+\]; 0 were refused before', line)
    assert totals(daemon) == (5, 0, 1, 0)


@pytest.mark.parametrize('protocol, path', [
    ('json', '.MetricName'), ('json', '.Dimensions.member.1.Name'),
    ('json', '.Dimensions'), ('json', '.Unit'), ('query', '.Unit')])
def test_a_series_is_kept_back(scene, protocol, path):
    """What comes of it later is counted, not sent; others are."""
    service = scene.service()
    service.always(refuse_data(path, is_named('b')))
    daemon = scene.start(config(service, Protocol=protocol))
    publish(daemon, a=1, b=2, c=3)
    check(service, of(MINUTE, a=1, c=3))
    publish(daemon, MINUTE + 60, a=4, b=5, c=6)
    check(service, of(MINUTE, a=1, c=3), of(MINUTE + 60, a=4, c=6))
    assert len(service.requests) == 3
    daemon.wait_for(r'\[info\] .*host/test/gauge-b belongs to a metric whose '
                    'name, dimensions or unit CloudWatch refused a while ago: '
                    r'correct them in the <Metric> block; left out')
    assert len(warnings(daemon)) == 1
    assert totals(daemon) == (4, 1, 1, 0)


def test_several_of_different_kinds(scene):
    """Each is said with its own sentence."""
    service = scene.service()
    service.behave([faults.refuse(
        'InvalidParameterValue',
        'The value 2.0 for parameter MetricData.member.2.Value is invalid.\n'
        'The parameter MetricData.member.4.Unit is bad.\n'
        'The parameter MetricData.member.5.Timestamp is bad.\n'
        'The parameter MetricData.member.5.MetricName is bad.')])
    daemon = scene.start(config(service))
    publish(daemon, a=1, b=2, c=3, d=4, e=5)
    check(service, of(MINUTE, a=1, c=3))
    publish(daemon, MINUTE + 60, a=1, b=2, c=3, d=4, e=5)
    check(service, of(MINUTE, a=1, c=3), of(MINUTE + 60, a=1, b=2, c=3))
    said = {re.search('gauge-(.)', line)[1]: line for line in warnings(daemon)}
    assert len(warnings(daemon)) == len(said) == 3
    assert ': The value 2.0 for parameter MetricData.member.2' in said['b']
    assert ': The parameter MetricData.member.4.Unit' in said['d']
    assert 'MetricData.member.5' in said['e'] and 'kept back' in said['e']


def test_the_service_finds_a_value_too_old(scene):
    """Its clock is ahead, within what it tolerates: one value is too old for
    it and not yet for us."""
    service = scene.service(now=lambda: time.time() + 240)
    daemon = scene.start(config(service, BufferAge=FORTNIGHT))
    old = (int(time.time()) - FORTNIGHT + 180) // 60 * 60
    feed(daemon, at=old, b=7)
    publish(daemon, a=1, b=2, c=3)
    check(service, of(MINUTE, a=1, b=2, c=3))
    refused, accepted = answered(service)
    assert refused.code == 'InvalidParameterValueException'
    assert accepted.time - refused.time < 5
    assert len(data_of(refused)) == 4
    line, = warnings(daemon)
    assert 'host/test/gauge-b' in line and 'within the past two weeks' in line


def test_a_value_of_fifteen_days_among_fresh_ones(scene):
    """influxdata/telegraf#9402: it does not even leave the host."""
    service = scene.service()
    daemon = scene.start(config(service))
    values = numbered(20)
    feed(daemon, at=MINUTE - FORTNIGHT - 86400, old=7)
    publish(daemon, **values)
    check(service, of(MINUTE, **values))
    assert len(service.requests) == 1
    line, = warnings(daemon, 'gauge-old')
    assert 'is older than BufferAge or CloudWatch allow' in line
    assert totals(daemon) == (20, 1, 0, 0)


def test_an_answer_that_is_longer_than_what_is_kept_of_it(scene):
    """What is left of it names some of the data; the rest is named next."""
    service = scene.service()
    service.always(refuse_data('.Value', lambda datum: datum['Value'] % 2 > 1,
                               more=' ' + 'For many reasons. ' * 60))
    daemon = scene.start(config(service))
    values = numbered(300)
    publish(daemon, **values)
    check(service, of(MINUTE, **{name: value for name, value in values.items()
                                 if value % 2 < 1}))
    assert 3 <= len(service.requests) <= 6
    assert len(warnings(daemon)) <= 6
    assert totals(daemon) == (150, 0, 150, 0)


def test_many_at_once_are_no_flood(scene):
    """And all of them are kept back."""
    service = scene.service()
    service.always(refuse_data('.Unit', lambda datum: datum['Value'] < 100))
    daemon = scene.start(config(service))
    values = numbered(120)
    good = {name: value for name, value in values.items() if value > 100}
    for minute in (0, 60, 120):
        publish(daemon, MINUTE + minute, **values)
        check(service, *(of(MINUTE + i, **good)
                         for i in range(0, minute + 1, 60)))
    assert len(service.requests) == 4
    assert len(warnings(daemon)) <= 6
    assert totals(daemon) == (60, 200, 100, 0)


# ---- the quarantine, in scaled time -----------------------------------------

def fast(tmp_path, rate):
    return Scene(tmp_path, clock=FastClock(START, rate))


def begin(scene, service, **options):
    return scene.start(config(service, **FastClock.LONG, **options),
                       interval=60)


def test_a_long_dimension_value(tmp_path):
    """One of ten data is refused for it: nine arrive, once.  The series is let
    back after ten minutes; by then the service takes longer values."""
    with fast(tmp_path, 120) as scene:
        service = scene.service()
        service.always(refuse_data('.Dimensions.member.1.Value', is_wide))
        daemon = begin(scene, service, metric=WIDE)
        good, culprit = numbered(9), {MIDDLE: 77}
        values = {**dict(list(good.items())[:4]), **culprit,
                  **dict(list(good.items())[4:])}
        at = [START - 3600 + 60 * i for i in range(3)]

        publish(daemon, at[0], **values)
        check(service, of(at[0], **good))
        daemon.wait_for(rf'\[error\] .*{MIDDLE}.*kept back for 10 min')
        put_in = scene.now()
        service.always(None)
        publish(daemon, at[1], **values)
        check(service, of(at[0], **good), of(at[1], **good))
        assert scene.now() < put_in + 540, 'too slow for this rate'

        scene.clock.sleep_until(put_in + 601)
        publish(daemon, at[2], **values)
        check(service, of(at[0], **good), of(at[1], **good),
              of(at[2], **values))
        daemon.wait_for(r'\[notice\] .*CloudWatch accepts the metric of '
                        rf'host/test/gauge-{MIDDLE} again, which was kept back '
                        'for 10 min')
        assert len(service.requests) == 4
        assert len(warnings(daemon)) == 1
        assert totals(daemon) == (28, 1, 1, 0)


def test_what_is_refused_again_is_kept_back_for_longer(tmp_path):
    with fast(tmp_path, 200) as scene:
        service = scene.service()
        service.always(refuse_data('.Unit', is_named('b')))
        daemon = begin(scene, service)
        stored = []

        def publish_both(minute, value):
            publish(daemon, START - 3600 + 60 * minute, a=value, b=value)
            stored.append(('a', START - 3600 + 60 * minute, value))
            check(service, stored)

        publish_both(0, 1)
        put_in = scene.now()
        scene.clock.sleep_until(put_in + 605)
        publish_both(1, 2)
        daemon.wait_for(r'\[error\] .*gauge-b .*kept back for 20 min')
        put_in = scene.now()
        scene.clock.sleep_until(put_in + 650)  # longer than the first time
        publish_both(2, 3)
        assert len(service.requests) == 5
        service.always(None)
        scene.clock.sleep_until(put_in + 1205)
        stored.append(('b', START - 3600 + 180, 4))
        publish_both(3, 4)
        daemon.wait_for(r'\[notice\] .*gauge-b again, which was kept back for '
                        '20 min')
        assert totals(daemon) == (5, 1, 2, 0)


def test_an_hour_without_a_refusal(tmp_path):
    """Refused values are said as a state, which ends."""
    with fast(tmp_path, 1200) as scene:
        service = scene.service()
        service.always(refuse_data('.Value', lambda datum: datum['Value'] > 5))
        daemon = begin(scene, service)
        at = [START - 3600 + 60 * i for i in range(4)]
        publish(daemon, at[0], a=1, b=6)
        check(service, of(at[0], a=1))
        publish(daemon, at[1], a=2, b=7)
        check(service, of(at[0], a=1), of(at[1], a=2))
        scene.clock.sleep_until(scene.now() + 3605)
        publish(daemon, at[2], a=3)
        daemon.wait_for(r'\[notice\] .*CloudWatch has refused nothing for an '
                        'hour; 2 data were refused so far')
        publish(daemon, at[3], a=4, b=8)
        check(service, *(of(at[i], a=i + 1) for i in range(4)))
        assert len(warnings(daemon, 'gauge-b')) == 2
        assert totals(daemon) == (4, 0, 3, 0)


def test_what_waits_of_a_quarantined_series(scene):
    """It is refused as well, without another word."""
    service = scene.service()
    service.always(faults.refuse('ServiceUnavailable', headers=[
        ('x-amz-retry-after', '60000')]))
    daemon = scene.start(config(service, ShutdownTimeout=20))
    for minutes_ago in (3, 2, 1):
        cut(daemon, minutes_ago, a=1, b=2)
    daemon.wait_for('ServiceUnavailable')
    service.always(refuse_data('.MetricName', is_named('b')))
    daemon.stop()
    check(service, *(of(MINUTE - 60 * n, a=1) for n in (3, 2, 1)))
    assert len(warnings(daemon, 'gauge-b')) == 1
    assert totals(daemon) == (3, 0, 3, 0)


# ---- without an index -------------------------------------------------------

@pytest.mark.parametrize('n', [1, 2, 50, 400])
def test_a_datum_that_is_not_named(scene, n):
    """It is looked for by halves, and only it is lost."""
    service = scene.service()
    service.always(refuse_unnamed(is_named('culprit')))
    daemon = scene.start(config(service))
    good = list(numbered(n - 1).items())
    publish(daemon, **dict(good[:n // 3]), culprit=1, **dict(good[n // 3:]))
    daemon.wait_for(r'\[error\] .*refused 1 datum of host/test/gauge-culprit '
                    r'\(InvalidParameterValue: Something is wrong.\), dropped',
                    30)
    check(service, of(MINUTE, **dict(good)))
    assert len(service.requests) <= 40
    publish(daemon, MINUTE + 60, later=1)  # requests are whole again
    check(service, of(MINUTE, **dict(good)), of(MINUTE + 60, later=1))
    assert len(warnings(daemon)) == 1
    assert totals(daemon) == (n, 0, 1, 0)


def test_everything_refused(scene):
    """At most 40 requests for it; what comes later is sent."""
    service = scene.service()
    service.always(faults.refuse('ValidationError', 'No.'))
    daemon = scene.start(config(service))
    publish(daemon, **numbered(100))
    assert service.wait_for(lambda: len(service.requests) == 40, 30)
    service.always(None)
    publish(daemon, MINUTE + 60, good=1)
    check(service, of(MINUTE + 60, good=1))
    assert len(service.requests) == 41
    assert totals(daemon) == (1, 0, 100, 0)
    daemon.wait_for(r'\[error\] .*CloudWatch refused 40 requests with data of '
                    r'host/test/gauge-m\d+ and others, and names none at fault '
                    r'\(ValidationE\w+: No.\); the \d\d that are left are '
                    'dropped: correct it')
    assert len(warnings(daemon)) <= 6


def outage(scene, **options):
    """A service that is out of order until a test changes its mind."""
    service = scene.service()
    service.always(faults.refuse('ServiceUnavailable', headers=[
        ('x-amz-retry-after', '60000')]))
    daemon = scene.start(config(service, ShutdownTimeout=30, **options))
    return service, daemon


def test_a_bad_neighbour_costs_nobody_else(scene):
    """A backlog travels in one request: one parcel in its midst is all bad,
    and given up after 40 requests; those beside it arrive."""
    service, daemon = outage(scene)
    old, young = numbered(25), numbered(25, 100)
    cut(daemon, 3, **old)
    cut(daemon, 2, **numbered(90, 200, 'bad'))
    cut(daemon, 1, **young)
    daemon.wait_for('ServiceUnavailable')
    before = len(service.requests)
    service.always(refuse_unnamed(lambda datum: 'bad' in datum['MetricName']))
    daemon.stop()
    check(service, of(MINUTE - 180, **old), of(MINUTE - 60, **young))
    assert totals(daemon) == (50, 0, 90, 0)
    mixed = [request for request in service.requests[before:]
             if request.status == 400 and
             len({datum['Timestamp'] for datum in data_of(request)}) > 1]
    refused = sum(request.status == 400
                  for request in service.requests[before:])
    assert refused - len(mixed) == 40
    assert len(mixed) < 10


def test_a_parcel_does_not_pay_for_its_neighbour(scene):
    """With 38 refused requests of its own one has two good data left; that they
    are refused together with the next parcel's first is not their fault."""
    service, daemon = outage(scene)
    cut(daemon, 2, bad999=1, **numbered(2))
    good = numbered(5, 100)
    cut(daemon, 1, **numbered(34, 200, 'bad'), **good)
    daemon.wait_for('ServiceUnavailable')
    service.always(refuse_unnamed(lambda datum: 'bad' in datum['MetricName']))
    daemon.stop()
    check(service, of(MINUTE - 120, **numbered(2)), of(MINUTE - 60, **good))
    assert totals(daemon) == (7, 0, 35, 0)


def test_culprits_in_each_parcel_of_a_backlog(scene):
    """Each is lost, and nothing else, though together they cost far more than
    40 requests."""
    service, daemon = outage(scene)
    parcels = {n: numbered(12, 100 * n) for n in range(1, 9)}
    for n, values in parcels.items():
        cut(daemon, n, **values, **{f'bad{n}': 1})
    daemon.wait_for('ServiceUnavailable')
    service.always(refuse_unnamed(lambda datum: 'bad' in datum['MetricName']))
    daemon.stop()
    check(service, *(of(MINUTE - 60 * n, **values)
                     for n, values in parcels.items()))
    assert totals(daemon) == (96, 0, 8, 0)
    assert sum(request.status == 400 for request in service.requests) > 45


def test_the_search_in_a_backlog_is_metered(scene):
    """One request a second, like all of it."""
    service = scene.service()
    service.always(faults.refuse('ServiceUnavailable'))
    daemon = scene.start(config(service))
    cut(daemon, 3, a=1, bad=2, b=3)
    daemon.wait_for('ServiceUnavailable')
    cut(daemon, 1, fresh=1)
    service.always(refuse_unnamed(is_named('bad')))
    check(service, of(MINUTE - 180, a=1, b=3), of(MINUTE - 60, fresh=1))
    times = [request.time for request in answered(service)
             if request.status != 503]
    assert len(times) >= 4
    backlog = times[1:]  # the first was the fresh one
    assert backlog[-1] - backlog[0] >= len(backlog) - 1 - 0.5


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


# ---- too large --------------------------------------------------------------

TOO_LARGE = {True: faults.refuse('RequestEntityTooLarge'),
             False: faults.html(413)}  # by AWS, by a proxy


def too_large(by_aws, is_too_large):
    return lambda handler, request: (
        is_too_large(data_of(request)) and TOO_LARGE[by_aws](handler, request))


@pytest.mark.parametrize('by_aws', TOO_LARGE)
@pytest.mark.parametrize('most', [1, 3])
def test_too_large(scene, by_aws, most):
    """413 halves the request; nothing is lost, however often."""
    service = scene.service()
    service.always(too_large(by_aws, lambda data: len(data) > most))
    daemon = scene.start(config(service))
    values = numbered(60)
    publish(daemon, **values)
    check(service, of(MINUTE, **values))
    service.always(None)
    publish(daemon, MINUTE + 60, **numbered(20))  # requests are whole again
    check(service, of(MINUTE, **values), of(MINUTE + 60, **numbered(20)))
    assert not warnings(daemon)
    assert totals(daemon) == (80, 0, 0, 0)


def has_big(data):
    return any(datum['MetricName'] == 'big' for datum in data)


def test_one_datum_that_is_too_large_for_aws(scene):
    service = scene.service()
    service.always(too_large(True, has_big))
    daemon = scene.start(config(service))
    publish(daemon, **numbered(5), big=1, **numbered(5, 10))
    check(service, of(MINUTE, **numbered(5), **numbered(5, 10)))
    line, = warnings(daemon)
    assert re.search(r'refused 1 datum of host/test/gauge-big \(RequestEntity'
                     r'TooLarge.*\), dropped: use fewer or shorter dimensions',
                     line)
    assert totals(daemon) == (10, 0, 1, 0)


def test_one_datum_that_is_too_large_for_a_proxy(scene):
    """It is kept: that is no word of AWS.  What comes later is sent."""
    service = scene.service()
    service.always(too_large(False, has_big))
    daemon = scene.start(config(service))
    publish(daemon, big=1)
    daemon.wait_for(r'\[warning\] .*status 413, but not in the way AWS does.*: '
                    'let the proxy on the way pass requests of 1 MB; the data '
                    'wait and are sent later')
    service.always(None)
    daemon.stop()
    check(service, of(MINUTE, big=1))
    assert totals(daemon) == (1, 0, 0, 0)


# ---- a success that is none -------------------------------------------------

def stored_but(body):
    """The data count, and the answer is not whole."""
    answer = faults.answer(200, body)

    def act(handler, request):
        handler.service.perform(request)
        return answer(handler, request)
    return act


@pytest.mark.parametrize('protocol, body', [
    ('query', '<PutMetricDataResponse><ResponseMetadata>'),
    ('json', '{"x": ')])
def test_a_success_without_its_end(scene, protocol, body):
    """It is sent again, and counted as one that may be there twice."""
    service = scene.service()
    service.behave([stored_but(body)])
    daemon = scene.start(config(service, Protocol=protocol))
    publish(daemon, a=1, b=2)
    check(service, 2 * of(MINUTE, a=1, b=2))
    line, = warnings(daemon)
    assert 'status 200, but not in the way AWS does' in line
    assert totals(daemon) == (2, 0, 0, 2)


@pytest.mark.parametrize('body', [
    '[]', '"ok"', '{"message": "log in"}', '{"error": "log in"}',
    '{"code": 0}', '<html></html>', '<SoapResponse></SoapResponse>',
    '{}' + ' ' * 70000 + 'x'])
def test_a_success_that_aws_did_not_write(scene, body):
    service = scene.service()
    service.behave([faults.answer(200, body)])
    daemon = scene.start(config(service))
    publish(daemon, a=1)
    check(service, of(MINUTE, a=1))
    assert len(service.requests) == 2
    assert len(warnings(daemon)) == 1
