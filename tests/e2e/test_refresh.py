"""When credentials are fetched anew, in scaled time: a quarter of an hour
before they end, at half of a short life, and what happens when that fails."""

import json
import time

import pytest

import faults
import imds
from keyring import ACCOUNT
from scene import Scene, answered, warnings, without_keys
from story import start
from times import FastClock

START = 1_800_000_000
ROLE = f'arn:aws:iam::{ACCOUNT}:role/publish'
FIRST = f'arn:aws:iam::{ACCOUNT}:role/first'


# For what is asked of services nearby: two seconds, which they have for an
# answer, are 50 ms then.
SLOW = 40


def fast(tmp_path, rate):
    return Scene(tmp_path, clock=FastClock(START, rate))


def send_until(story, scene, when, pause_s=0.05):
    while scene.now() < when:
        story.send()
        time.sleep(pause_s)


def begin(scene, service, *lines, **how):
    options = {**FastClock.LONG, **how.pop('options', {})}
    return start(scene, service, without_keys(service, *lines, **options),
                 interval=60, **how)


def left_at_change(scene, service):
    """How long each access key that signed had left when it was replaced."""
    left, before = [], None
    for request in answered(service):
        assert request.status == 200, request.code
        if before not in (None, request.access_key):
            left.append(scene.keyring[before][2] - request.time)
        before = request.access_key
    return left


# ---- ahead of the end -------------------------------------------------------

# The life, how long before the end new ones are there, how fast time runs.
LIVES = {'an hour': (3600, 900, 600), 'ten minutes': (600, 300, 200)}


@pytest.mark.parametrize('label', LIVES)
def test_role_is_refreshed_ahead(tmp_path, label):
    """A chain of two: both are assumed anew, and the keys below were only
    read."""
    life_s, left_s, rate = LIVES[label]
    with fast(tmp_path, rate) as scene:
        service, sts = scene.service(skew_s=1e6), scene.sts(skew_s=1e6)
        keys = scene.keyring.issue(None)
        sts.role(FIRST, trusts={keys.key}, life_s=life_s)
        sts.role(ROLE, trusts={FIRST}, life_s=life_s)
        story = begin(
            scene, service, uses=[sts], options={'Profile': 'last'},
            files={'.aws/config': keys.section('profile base') +
                   f'[profile first]\nrole_arn = {FIRST}\n'
                   'source_profile = base\n'
                   f'[profile last]\nrole_arn = {ROLE}\n'
                   'source_profile = first\n'})
        send_until(story, scene, START + life_s - left_s / 2)
        story.check()
        left, = left_at_change(scene, service)
        assert left_s / 2 < left < left_s + 5
        assert [one.role.arn for one in sts.sessions] == [FIRST, ROLE] * 2
        assert not warnings(story.daemon)


def test_program_is_run_ahead(tmp_path):
    with fast(tmp_path, 200) as scene:
        service = scene.service(skew_s=1e6)
        story = begin(scene, service, files={
            '.aws/config': '[default]\ncredential_process = {home}/helper\n',
            'helper': '#!/bin/sh\necho x >> {home}/runs\n'
                      'cat {home}/keys.json\n',
            'keys.json': document(scene, 1820)})
        story.send().check()
        story.daemon.write('keys.json', document(scene, 9000))
        send_until(story, scene, START + 920 + 450)
        story.check()
        left, = left_at_change(scene, service)
        assert 450 < left < 905
        assert (story.daemon.folder / 'runs').read_text() == 'x\nx\n'


def document(scene, life_s):
    return json.dumps(scene.keyring.issue(life_s).process_document())


# ---- when it fails ----------------------------------------------------------

def test_metadata_in_trouble_while_the_old_ones_are_good(tmp_path):
    """It is said once that it began and once that it ended; it is tried once
    a minute, and every request is signed with what is good."""
    with fast(tmp_path, SLOW) as scene:
        service, metadata = scene.service(skew_s=1e6), scene.metadata()
        old = metadata.rotate(life_s=220)
        story = begin(scene, service, uses=[metadata])
        story.send().check()
        tried = len(metadata.requests)
        metadata.at(imds.ROLES + '*', faults.answer(500))
        send_until(story, scene, START + 160)
        assert 1 <= len(metadata.requests) - tried <= 2
        new = metadata.rotate()
        metadata.at(imds.ROLES + '*', None)
        send_until(story, scene, START + 240)
        assert story.signers() == [old.key, new.key]
        left, = left_at_change(scene, service)
        assert 0 < left < 110
        story.daemon.wait_for(
            r'\[warning\] .*credentials could not be renewed: .*status 500: it '
            'is in trouble; it is asked again later.*; those of before are '
            'used as long as AWS takes them')
        story.daemon.wait_for(r'\[notice\] .*the credentials are renewed \(the '
                              "instance's role host-role")
        assert len(warnings(story.daemon)) == 1


@pytest.mark.parametrize('kind', ['metadata', 'container'])
def test_service_in_trouble_beyond_the_end(tmp_path, kind):
    """AWS decides; after the end it is not asked every minute any more."""
    with fast(tmp_path, SLOW) as scene:
        service = scene.service(skew_s=1e6)
        source = getattr(scene, kind)()
        old = source.rotate(life_s=120)
        scene.keyring.add(old._replace(end=START + 86400))
        story = begin(scene, service, uses=[source])
        story.send().check()
        tried = len(source.requests)
        source.at(imds.ROLES + '*' if kind == 'metadata' else source.path,
                  faults.answer(500))
        send_until(story, scene, START + 230)
        assert story.signers() == [old.key]
        assert 1 <= len(source.requests) - tried <= 3
        # AWS takes them no more.
        source.at(imds.ROLES + '*' if kind == 'metadata' else source.path,
                  None)
        new = source.rotate()
        scene.keyring.forget(old)
        story.send()
        assert story.signers() == [old.key, new.key]
        assert len(warnings(story.daemon, 'could not be renewed')) == 1
        assert len(warnings(story.daemon)) == 2


def test_role_that_cannot_be_assumed_any_more(tmp_path):
    """Used until its end, not beyond; then data wait."""
    with fast(tmp_path, 100) as scene:
        service, sts = scene.service(skew_s=1e6), scene.sts(skew_s=1e6)
        keys = scene.keyring.issue(None)
        sts.role(ROLE, trusts={keys.key}, life_s=300)
        story = begin(scene, service, uses=[sts], options={'RoleArn': ROLE},
                      environment=keys.environment())
        story.send().check()
        sts.role(ROLE, trusts=set())
        end = sts.sessions[0].keys.end
        send_until(story, scene, end + 60)
        story.daemon.wait_for(r'\[warning\] .*credentials could not be renewed'
                              ': cannot assume role .*AccessDenied')
        story.daemon.wait_for(r'\[warning\] .*waiting for credentials: cannot '
                              'assume role .*AccessDenied')
        # While held: once a minute.
        tried = [one for one in sts.requests if one.time < end]
        assert 2 <= len(tried) <= 4
        sts.role(ROLE, trusts={keys.key})
        assert story.send().sent_by() == sts.sessions[-1].keys.key
        assert all(request.time <= end + 2 for request in answered(service)
                   if request.access_key == sts.sessions[0].keys.key)
        story.daemon.wait_for(r'\[notice\] .*there are credentials')
