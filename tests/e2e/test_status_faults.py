"""What the status file says of what fails, while it fails and afterwards."""

import json
import re
import time

import pytest

import faults
from scene import MINUTE, Scene, config, publish, without_keys
from status_read import (accepted, check_counters, has_trouble, is_well,
                         seconds, troubles)
from test_delivery import LONG, overflow
from test_matrix_spool import spooling, wait_files
from test_refused import is_named, numbered, refuse_data
from times import FastClock

START = 1_800_000_000
# A message of AWS, and what stands beside it.
DENIED = ('User: arn:aws:iam::123456789012:user/web is not authorized to '
          'perform: cloudwatch:PutMetricData because no identity-based policy '
          'allows the cloudwatch:PutMetricData action')
REQUEST_ID = 'c1afa4f6-2a52-4b4e-9d5f-3b1a5d2b9f10'


@pytest.fixture
def fast(tmp_path):
    with Scene(tmp_path, clock=FastClock(START, 20)) as one:
        yield one


# ---- what fails -------------------------------------------------------------

def test_denied(scene):
    service = scene.service()
    service.always(faults.refuse('AccessDenied', DENIED, headers=[
        ('x-amzn-RequestId', REQUEST_ID)]))
    begin = int(time.time())
    daemon = scene.start(config(service))
    publish(daemon, load=1)
    seen = scene.status.wait(daemon, has_trouble('sending'))
    error = seen['last_error']
    assert error['code'].startswith('AccessDenied')
    assert (error['message'], error['request_id']) == (DENIED, REQUEST_ID)
    assert error['status'] in (400, 403)
    assert 'allow cloudwatch:PutMetricData' in error['sentence']
    daemon.wait_for(re.escape(error['sentence']))
    trouble, = seen['troubles']
    assert begin <= seconds(trouble['since']) <= seconds(seen['time']) + 1
    assert seconds(seen['next_attempt']) >= seconds(seen['time'])
    check_counters(seen, requests=1, failed_requests=1, retried=1)


def test_an_endpoint_that_is_down_and_comes_back(scene):
    service = scene.service()
    daemon = scene.start(config(service))
    publish(daemon, load=1)
    scene.status.wait(daemon, accepted(1))
    service.pause()
    publish(daemon, at=MINUTE + 60, load=2)
    seen = scene.status.wait(daemon, has_trouble('sending'))
    since = seen['troubles'][0]['since']
    error = seen['last_error']
    assert (error['status'], error['code'], error['message'],
            error['request_id']) == (None, None, None, None)
    assert seen['queue']['data'] == 1
    assert seen['last_accepted'] is not None
    failed = seen['counters']['failed_requests']
    seen = scene.status.wait(
        daemon,
        lambda version: version['counters']['failed_requests'] > failed)
    assert seen['troubles'] == [{'what': 'sending', 'since': since}]
    service.resume()
    seen = scene.status.wait(daemon, accepted(2))
    assert is_well(seen) and seen['queue'] == {
        'data': 0, 'bytes': 0, 'oldest': None}
    assert seen['last_error']['time'] >= since
    failed = seen['counters']['failed_requests']
    check_counters(seen, accepted=2, requests=2 + failed,
                   failed_requests=failed, retried=failed)


def test_an_answer_that_is_lost(scene):
    """One that closes the connection once it has stored what was sent."""
    service = scene.service()
    service.behave([faults.reset(store=True)])
    daemon = scene.start(config(service))
    publish(daemon, load=1)
    seen = scene.status.wait(daemon, accepted(1))
    check_counters(seen, accepted=1, requests=2, failed_requests=1, retried=1,
                   ambiguous=1)


def test_a_wrong_clock(scene):
    service = scene.service(now=lambda: time.time() + 3600)
    daemon = scene.start(config(service))
    publish(daemon, load=1)
    seen = scene.status.wait(daemon, accepted(1))
    assert troubles(seen) == ['clock']
    assert abs(seen['clock_offset'] - 3600) <= 2
    assert abs(seconds(seen['last_accepted']) - time.time()) < 600  # our clock
    check_counters(seen, accepted=1, requests=2, failed_requests=1, retried=1)


def test_throttled(scene):
    service = scene.service()
    service.behave([faults.refuse('Throttling', headers=[
        ('x-amz-retry-after', '3000')])])
    daemon = scene.start(config(service))
    publish(daemon, load=1)
    seen = scene.status.wait(daemon, has_trouble('sending'))
    assert seen['last_error']['code'].startswith('Throttling')
    assert seconds(seen['next_attempt']) - seconds(seen['time']) in (2, 3, 4)
    seen = scene.status.wait(daemon, accepted(1))
    assert is_well(seen) and seen['next_attempt'] is None


def test_a_refused_datum(scene):
    service = scene.service()
    service.always(refuse_data('.Value', is_named('bad')))
    daemon = scene.start(config(service))
    publish(daemon, bad=1, good=2)
    seen = scene.status.wait(daemon, accepted(1))
    assert troubles(seen) == ['refused']
    assert seen['last_error']['code'].startswith('InvalidParameterValue')
    assert 'MetricData.member.' in seen['last_error']['message']
    assert seen['queue']['data'] == 0
    check_counters(seen, accepted=1, requests=2, failed_requests=1, retried=1,
                   refused=1)


def test_an_error_that_is_no_answer(scene):
    """What an answer said is not told of what failed after it."""
    service = scene.service()
    service.always(faults.refuse('InternalServiceError'))
    keys = json.dumps(scene.keyring.issue(3).process_document())
    daemon = scene.start(without_keys(service), files={
        '.aws/config': '[default]\ncredential_process = cat {home}/keys.json\n',
        'keys.json': keys})
    publish(daemon, load=1)
    scene.status.wait(daemon, has_trouble('sending'))
    daemon.write('keys.json', '')
    seen = scene.status.wait(daemon, has_trouble('credentials'))
    error = seen['last_error']
    assert 'printed nothing' in error['sentence']
    assert (error['status'], error['code'], error['message'],
            error['request_id']) == (None, None, None, None)


def test_buffer_limit(scene):
    service = scene.service()
    service.always(faults.refuse('ServiceUnavailable'))
    daemon = scene.start(config(service, metric=LONG, BufferLimit=1))
    overflow(daemon)
    seen = scene.status.wait(daemon, has_trouble('buffer_limit'))
    assert set(troubles(seen)) == {'sending', 'buffer_limit'}
    dropped = seen['counters']['dropped']['buffer_limit']
    assert dropped > 0 and seen['queue']['bytes'] <= 1024 * 1024
    service.always(None)
    seen = scene.status.wait(daemon, lambda version: version['queue'][
        'data'] == 0 and is_well(version), timeout=30)
    counters = seen['counters']
    assert counters['accepted'] + counters['dropped']['buffer_limit'] == 480


# ---- the spool --------------------------------------------------------------

def test_a_spool(scene):
    """What waits in it is there in the next life."""
    service, spool = scene.service(), scene.folder / 'spool'
    service.always(faults.refuse('ServiceUnavailable'))
    block = spooling(scene, service)
    daemon = scene.start(block)
    publish(daemon, a=1, b=2)
    path, = wait_files(spool, 1)
    seen = scene.status.wait(daemon, has_trouble('sending'))
    assert seen['spool'] == {'directory': str(spool), 'usable': True,
                             'data': seen['spool']['data'], 'bytes': 4096}
    assert seen['queue']['data'] == 2
    daemon.stop()
    assert path.exists()

    daemon = scene.start(block)
    seen = scene.status.wait(daemon, lambda version: version['queue'][
        'data'] == 2)
    assert seen['spool']['usable'] and seen['spool']['bytes'] == 4096
    service.always(None)
    seen = scene.status.wait(daemon, accepted(2))
    assert seen['spool'] == {'directory': str(spool), 'usable': True,
                             'data': 0, 'bytes': 0}
    assert seen['queue']['data'] == 0


def test_a_spool_that_cannot_be_used(fast):
    service, spool = fast.service(), fast.folder / 'none' / 'spool'
    daemon = fast.start(spooling(fast, service, SpoolDirectory=str(spool),
                                 **FastClock.LONG))
    seen = fast.status.wait(daemon, has_trouble('spool'))
    assert seen['spool'] == {'directory': str(spool), 'usable': False,
                             'data': 0, 'bytes': 0}
    spool.parent.mkdir()
    seen = fast.status.wait(daemon, is_well)
    assert seen['spool']['usable']


# ---- what CloudWatch refuses, and says ---------------------------------------

def test_everything_refused(scene):
    """Of a parcel that is given up, more goes than was in its last request."""
    service = scene.service()
    service.always(faults.refuse('ValidationError', 'No.'))
    daemon = scene.start(config(service))
    publish(daemon, **numbered(100))
    seen = scene.status.wait(
        daemon, lambda status: status['counters']['refused'] == 100)
    counters = seen['counters']
    assert counters['requests'] == counters['failed_requests'] == 40
    assert 100 <= counters['retried'] < 40 * 100


def test_a_metric_that_is_kept_back(scene):
    """It is refused, though nothing more is sent of it."""
    service = scene.service()
    service.behave([refuse_data('.MetricName', is_named('load'))])
    daemon = scene.start(config(service))
    publish(daemon, load=1)
    seen = scene.status.wait(daemon, has_trouble('refused'))
    assert seen['counters']['refused'] == 1
    assert 'kept back' in seen['last_error']['sentence']


def test_what_was_signed_is_not_told(scene):
    """AWS tells it, with the session token in it, where a signature is wrong."""
    token = 'SIGNED' + 'x' * 40
    scene.secrets.add(token)
    service = scene.service()
    service.always(faults.refuse(
        'SignatureDoesNotMatch', 'The request signature we calculated does not '
        'match the signature you provided. Check your AWS Secret Access Key.\n\n'
        "The Canonical String for this request should have been\n'POST\n/\n\n"
        f'host:127.0.0.1\nx-amz-security-token:{token}\n'))
    daemon = scene.start(config(service))
    publish(daemon, load=1)
    seen = scene.status.wait(daemon, has_trouble('sending'))
    assert seen['last_error']['message'].endswith('Secret Access Key.')
    assert 'Canonical' not in daemon.log
