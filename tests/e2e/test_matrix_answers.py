"""The fault matrix: answers by which nothing is accepted, of the service and
of what stands in between.  See matrix.py."""

import json
import re

import pytest

import faults
from authority import Authority
from matrix import (METRIC, Ledger, check_said, left_out, ours, refused,
                    through, unanswered)
from scene import Scene, answered, config, without_keys
from times import FastClock, put_all

FORTNIGHT = 14 * 86400
REQUEST_ID = [('x-amzn-RequestId', '0c0ffee0-0000-4000-8000-000000000001')]


def coded(code, message=None, **how):
    return faults.refuse(code, message, headers=REQUEST_ID, **how)


def said_of(code, status, message='[^[]+'):
    """A line that names all that AWS said."""
    return (rf'127\.0\.0\.1:\d+ answered {code} \(status {status}\): {message} '
            r'\[request 0c0ffee0-0000-4000-8000-000000000001\].*; the data wait')


ANSWERS = {
    '500': (coded('InternalServiceError'),
            said_of('InternalServiceError|InternalServiceFault', 500)),
    '503': (coded('ServiceUnavailable'),
            said_of('ServiceUnavailable', 503)),
    '503 with HTML': (faults.html(503), 'status 503, but not in the way AWS'),
    'captive portal': (faults.html(200), 'status 200, but not in the way AWS '
                       r'does \(a proxy or a login page'),
    'text': (faults.answer(200, 'welcome'), 'status 200, but not'),
    'redirect': (faults.redirect('http://127.0.0.1:9/', 302),
                 'status 302, but not'),
    'code in the body only': (
        coded('Throttling', 'Rate exceeded', query_error=False),
        said_of('(Throttling|ThrottlingException)', 400, 'Rate exceeded')),
}


@pytest.mark.parametrize('protocol', ['json', 'query'])
@pytest.mark.parametrize('label', ANSWERS)
def test_answer(scene, label, protocol):
    action, cause = ANSWERS[label]
    service = scene.service()
    ledger = Ledger(scene.start(config(service, metric=METRIC,
                                       Protocol=protocol)))
    assert through(ledger, service, lambda: service.always(action),
                   lambda: service.always(None), cause) == 0
    check_said(ledger.daemon, cause)
    assert unanswered(ledger.daemon) == 0
    ledger.read_back(service)


def test_500_for_a_minute(tmp_path):
    """With flushes of the daemon's own; scaled time."""
    with Scene(tmp_path, clock=FastClock(1_800_000_000, 30)) as scene:
        clock, service = scene.clock, scene.service()
        ledger = Ledger(scene.start(
            config(service, metric=METRIC, FlushInterval=10,
                   **FastClock.LONG), interval=10), begin=clock.start - 86400)
        action, cause = ANSWERS['500']
        ledger.begin_well(service)
        service.always(action)
        begin = clock.now()
        for elapsed in range(0, 60, 10):
            clock.sleep_until(begin + elapsed)
            ledger.dispatch(flush=False)
        clock.sleep_until(begin + 60)
        service.always(None)
        ledger.dispatch(flush=False)
        ledger.wait(service)
        assert ledger.compare(service) == 0
    check_said(ledger.daemon, cause)
    lasted = int(ledger.daemon.wait_for(r'sending again after (\d+) s;')[1])
    # From the first flush in it on; with full jitter, the last wait that
    # began in the minute is five at most.  A second of ours has 30.
    assert 60 - 10 - 30 <= lasted <= 60 + 300 + 60, ledger.daemon.log


# ---- what stands in between -------------------------------------------------

@pytest.mark.parametrize('status', [404, 407])
@pytest.mark.parametrize('kind', ['http', 'https'])
def test_proxy(scene, kind, status):
    """It answers by itself, to a request or to CONNECT, then lets through."""
    if kind == 'https':
        authority = Authority(scene.folder)
        service = scene.service(tls=authority.issue('monitoring.test'))
        options = {'Endpoint': 'https://monitoring.test',
                   'CACert': authority.certificate}
        cause = rf'cannot reach monitoring.test \(the proxy answered {status}; '
    else:
        service, options = scene.service(), {}
        cause = rf'status {status}, but not in the way AWS does \(a proxy'
    proxy = scene.proxy(service)
    ledger = Ledger(scene.start(config(service, metric=METRIC,
                                       Proxy=proxy.url, **options)))

    def refuse(status):
        proxy.refuses = status
        proxy.end_tunnels()
    assert through(ledger, service, lambda: refuse(status),
                   lambda: refuse(None), cause) == 0
    check_said(ledger.daemon, cause)
    assert unanswered(ledger.daemon) == 0
    assert len(proxy.asked) >= 3


# ---- what is refused --------------------------------------------------------

def numbers_of(request):
    return [datum['Value'] for datum in json.loads(request.decoded)[
        'MetricData']]


@pytest.mark.parametrize('by_aws', [True, False])
def test_too_large(scene, by_aws):
    """413 halves the request; nothing is lost, and nothing is wrong."""
    service = scene.service()
    refuse = faults.refuse('RequestEntityTooLarge') if by_aws else \
        faults.html(413)
    service.always(lambda handler, request: (
        len(numbers_of(request)) > 3 and refuse(handler, request)))
    ledger = Ledger(scene.start(config(service, metric=METRIC)))
    ledger.dispatch(30)
    ledger.wait(service)
    assert ledger.compare(service) == 0
    ledger.daemon.stop()
    assert len(ours(ledger.daemon)) == 3


@pytest.mark.parametrize('is_named', [True, False])
def test_one_is_refused(scene, is_named):
    """400, with or without an index: only that one is missing, and it is
    named and counted."""
    service = scene.service()

    def refuse(handler, request):
        numbers = numbers_of(request)
        if 17 not in numbers:
            return False
        where = f'MetricData.member.{numbers.index(17) + 1}.Value'
        return coded('InvalidParameterValue', 'The value 17 for parameter '
                     f'{where if is_named else "Value"} is invalid.')(
                         handler, request)
    service.always(refuse)
    ledger = Ledger(scene.start(config(service, metric=METRIC)))
    ledger.dispatch(40)
    ledger.wait(service, missing={17})
    # A second flush is not held up.
    ledger.dispatch(6)
    ledger.wait(service, missing={17})
    assert ledger.compare(service, missing={17}) == 0
    ledger.daemon.stop()
    place = ledger.place(17)
    line, = (line for line in ours(ledger.daemon)
             if line.startswith(('[warning]', '[error]')))
    assert re.search(rf'refused 1 datum of {place.host}/test/gauge-'
                     rf'{place.metric} \(InvalidParameterValue', line)
    assert refused(ledger.daemon) == 1


def test_15_days_old(scene):
    """It is not even sent; the fresh ones are there with the same flush."""
    service = scene.service()
    ledger = Ledger(scene.start(config(service, metric=METRIC)))
    old = f'{ledger.begin - 86400 - FORTNIGHT}:17.5'
    put_all(ledger.daemon, 'h0/test/gauge-old', [old])
    ledger.dispatch(40)
    ledger.wait(service)
    assert ledger.compare(service) == 0
    request, = answered(service)
    assert len(numbers_of(request)) == 40
    ledger.daemon.stop()
    lines = [line for line in ours(ledger.daemon)
             if line.startswith(('[warning]', '[error]'))]
    assert len(lines) == 1 and 'h0/test/gauge-old' in lines[0], lines
    assert left_out(ledger.daemon) == 1


# ---- credentials ------------------------------------------------------------

@pytest.mark.parametrize('kind', ['file', 'metadata'])
def test_expired_token(scene, kind):
    """AWS ends them ahead of time; new ones come where the old ones were."""
    service, old = scene.service(), scene.keyring.issue()
    how = {'files': {'.aws/credentials': old.section('default')}}
    if kind == 'metadata':
        metadata = scene.metadata()
        metadata.credentials = old.imds_document(scene.now())
        how = {'uses': [metadata]}
    ledger = Ledger(scene.start(without_keys(service, metric=METRIC), **how))

    def rotate():
        if kind == 'metadata':
            metadata.rotate()
        else:
            ledger.daemon.write('.aws/credentials',
                                scene.keyring.issue().section('default'))
    cause = r'answered ExpiredToken \(status \d+\): .*\[request [-0-9a-f]+\]'
    assert through(ledger, service, lambda: scene.keyring.expire(old), rotate,
                   cause) == 0
    check_said(ledger.daemon, cause)
    assert len({datum['AccessKey'] for datum in service.datums}) == 2
