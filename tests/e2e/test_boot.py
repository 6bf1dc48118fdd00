"""Boot: the metadata service refuses, hangs or comes minutes later. collectd
starts at once, what it measures is kept, and all of it is published when there
is somebody to publish as."""

import re
import time

import pytest

import faults
import imds
from scene import Scene, warnings, without_keys
from story import start
from times import FastClock

AT_ONCE_S = 5


def started(scene, service, configuration, **how):
    """A Story, and that the daemon did not wait for anybody."""
    begin = time.monotonic()
    story = start(scene, service, configuration, **how)
    assert time.monotonic() - begin < AT_ONCE_S
    return story


def said(daemon, pattern):
    return [line for line in daemon.log.splitlines()
            if 'write_cloudwatch plugin: ' in line and re.search(pattern, line)]


def hold(metadata, how):
    if how == 'refusing':
        metadata.pause()
    elif how == 'hanging':
        metadata.always(faults.hang())
    elif how == 'silent to PUT':
        metadata.silent_put()
    else:
        metadata.always(faults.answer(503))


def let_go(metadata, how):
    if how == 'refusing':
        metadata.resume()
    metadata.always(None)
    metadata.silent_put(False)


WHY = {'refusing': 'does not answer: .*refused',
       'hanging': 'does not answer: .*timed out',
       'silent to PUT': 'set HttpPutResponseHopLimit to 2',
       'in trouble': 'status 503: it is in trouble'}


@pytest.mark.parametrize('how', WHY)
def test_metadata_that_is_late(scene, how):
    service, metadata = scene.service(), scene.metadata()
    hold(metadata, how)
    story = started(scene, service, without_keys(service), uses=[metadata])
    story.send(3)
    story.daemon.wait_for(r'\[warning\] .*waiting for credentials: no '
                          f'credentials found: .*{WHY[how]}.*; the data are '
                          'kept and sent later', 10)
    story.send(2)
    let_go(metadata, how)
    assert story.send().sent_by() == metadata.credentials['AccessKeyId']
    story.daemon.wait_for(
        r"\[notice\] .*there are credentials \(the instance's role host-role\) "
        r'and a region \(eu-west-1\) after \d+ s')
    assert len(warnings(story.daemon)) == 1
    metadata.check_manners()


@pytest.mark.parametrize('how', ['refusing', 'hanging'])
def test_stop_while_metadata_is_awaited(scene, how):
    """It is not waited for at the end either; what is lost is counted."""
    service, metadata = scene.service(), scene.metadata()
    hold(metadata, how)
    story = started(scene, service, without_keys(service), uses=[metadata])
    story.send(3)
    begin = time.monotonic()
    assert story.daemon.stop() == 0
    assert time.monotonic() - begin < AT_ONCE_S
    assert said(story.daemon, r'3 data could not be sent before the stop')


@pytest.mark.parametrize('how', ['refusing', 'hanging'])
def test_region_that_comes_late(scene, how):
    """Of the metadata service, as the credentials; the one that it names is
    signed for."""
    service = scene.service(region='ap-southeast-2')
    metadata = scene.metadata(region='ap-southeast-2')
    hold(metadata, how)
    story = started(scene, service, without_keys(service, Region=None),
                    uses=[metadata])
    story.send(3)
    story.daemon.wait_for(r'\[warning\] .*waiting for region and endpoint: no region '
                          rf'found: .*{WHY[how]}.*; the data are kept', 10)
    let_go(metadata, how)
    assert story.send().sent_by() == metadata.credentials['AccessKeyId']
    story.daemon.wait_for(r'\[notice\] .*there are credentials .*and a region '
                          r'\(ap-southeast-2\) after \d+ s')
    assert len(warnings(story.daemon)) == 1


def test_role_that_is_attached_later(scene):
    """A 404 is an answer, but not for ever."""
    service, metadata = scene.service(), scene.metadata(role=None)
    story = started(scene, service, without_keys(service), uses=[metadata])
    story.send(3)
    story.daemon.wait_for(r'\[warning\] .*the instance has no role; attach an '
                          'instance profile', 10)
    metadata.role = 'host-role'
    assert story.send().sent_by() == metadata.credentials['AccessKeyId']


def test_sts_that_is_late(scene):
    """A network that is not up yet."""
    service, sts = scene.service(), scene.sts()
    keys = scene.keyring.issue(None)
    arn = 'arn:aws:iam::123456789012:role/publish'
    sts.role(arn, trusts={keys.key})
    sts.pause()
    story = started(scene, service, without_keys(service, RoleArn=arn),
                    uses=[sts], environment=keys.environment())
    story.send(3)
    story.daemon.wait_for(r'\[warning\] .*waiting for credentials: cannot '
                          rf'assume role {arn} with environment: .*refused', 10)
    sts.resume()
    assert story.send().sent_by() == sts.sessions[0].keys.key
    assert len(warnings(story.daemon)) == 1


# ---- minutes, in scaled time ------------------------------------------------

RATE = 30  # an answer of the metadata service has 66 ms then
LATE_S = 180


@pytest.mark.parametrize('how', ['refusing', 'hanging'])
def test_metadata_three_minutes_late(tmp_path, how):
    """The daemon flushes by itself, every ten seconds; each value arrives with
    the time at which it was measured."""
    clock = FastClock(1_800_000_000, RATE)
    with Scene(tmp_path, clock=clock) as scene:
        service = scene.service(skew_s=1e6)
        metadata = scene.metadata()
        hold(metadata, how)
        story = started(
            scene, service, without_keys(
                service, FlushInterval=10, **FastClock.LONG),
            uses=[metadata], interval=10)
        while clock.now() < clock.start + LATE_S:
            story.feed()
            time.sleep(0.1)
        assert not service.requests
        tried = len(metadata.requests)
        let_go(metadata, how)
        assert story.feed().sent_by() == metadata.credentials['AccessKeyId']
        after = r'there are credentials .*after (\d+) s'
        seconds = int(story.daemon.wait_for(after)[1])
        assert len(said(story.daemon, after)) == 1
        assert LATE_S - 20 < seconds < LATE_S + 120
        # Ever more rarely, but at least once a minute.
        assert how == 'refusing' or 3 <= tried <= 20
        assert len(said(story.daemon, 'waiting for')) == 1
        assert len(warnings(story.daemon)) == 1
        assert imds.TOKEN in metadata.asked[tried]
