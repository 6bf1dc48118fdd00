"""Credentials that end, are replaced or refused while data are published: in
no case is a value lost or doubled."""

import json
import time

import pytest

import faults
import imds
from keyring import ACCOUNT
from scene import answered, warnings, without_keys
from story import count, start
from times import FastClock

ROLE = f'arn:aws:iam::{ACCOUNT}:role/publish'
WEB = 'head.body.signature_-'

# ---- short lives, in true time ----------------------------------------------

LIFE_S = 3


def by_instance(scene):
    metadata = scene.metadata()
    metadata.credentials = lambda now: scene.keyring.issue(
        LIFE_S).imds_document(now)
    return {'uses': [metadata]}, {}


def by_container(scene):
    endpoint = scene.container()
    endpoint.credentials = lambda now: scene.keyring.issue(LIFE_S).document()
    return {'uses': [endpoint]}, {}


def by_role(scene):
    sts, keys = scene.sts(), scene.keyring.issue(None)
    sts.role(ROLE, trusts={keys.key}, life_s=LIFE_S)
    return {'uses': [sts], 'environment': keys.environment()}, {
        'RoleArn': ROLE}


def by_web_identity(scene):
    sts = scene.sts()
    sts.role(ROLE, web=True, life_s=LIFE_S)
    sts.web_tokens[WEB] = None
    return {'uses': [sts], 'files': {'token': WEB}, 'environment': {
        'AWS_ROLE_ARN': ROLE, 'AWS_WEB_IDENTITY_TOKEN_FILE': '{home}/token'}
    }, {}


def by_process(scene):
    return {'files': {
        '.aws/config': '[default]\ncredential_process = {home}/helper\n',
        'helper': '#!/bin/sh\ncat {home}/keys.json\n',
        'keys.json': fresh(scene)}}, {}


def fresh(scene):
    return json.dumps(scene.keyring.issue(LIFE_S).process_document())


@pytest.mark.parametrize('by', [by_instance, by_container, by_role,
                                by_web_identity, by_process])
def test_credentials_that_end_while_data_are_sent(scene, by):
    """They are replaced before their end: not one request is refused."""
    service = scene.service()
    how, options = by(scene)
    story = start(scene, service, without_keys(service, **options), **how)
    end = time.monotonic() + 1.5 * LIFE_S
    while time.monotonic() < end:
        story.send()
        if by is by_process:
            story.daemon.write('keys.json', fresh(scene))
        time.sleep(0.1)
    assert len(story.signers()) >= 3
    assert {request.status for request in answered(service)} == {200}
    assert not warnings(story.daemon)


# ---- refused ----------------------------------------------------------------

# Whether the service still knows them; its code by JSON and by Query, of which
# the latter is what is said.
@pytest.mark.parametrize('protocol, is_known, code', [
    ('json', True, 'ExpiredTokenException'),
    ('json', False, 'UnrecognizedClientException'),
    ('query', True, 'ExpiredToken'), ('query', False, 'InvalidClientTokenId')])
def test_refused_keys_are_replaced_once(scene, protocol, is_known, code):
    service, metadata = scene.service(), scene.metadata()
    story = start(scene, service, without_keys(service, Protocol=protocol),
                  uses=[metadata])
    old = metadata.credentials['AccessKeyId']
    assert story.send(3).sent_by() == old
    new = metadata.rotate()
    if is_known:
        scene.keyring[old] = (*scene.keyring[old][:2], scene.now())
    else:
        del scene.keyring[old]
    story.send(3)
    assert story.signers() == [old, new.key]
    assert [(request.status, request.code) for request in answered(service)
            if request.status != 200] == [
                (400 if code == 'ExpiredTokenException' else 403, code)]
    assert count(metadata, imds.ROLES + 'host-role') == 2
    said = 'ExpiredToken' if is_known else 'InvalidClientTokenId'
    story.daemon.wait_for(rf'\[warning\] .*answered {said} .*the data wait', 10)
    story.daemon.wait_for(r'\[notice\] .*sending again')
    assert len(warnings(story.daemon)) == 1


def test_refused_again_and_again(scene):
    """Keys that AWS never takes, and that the source gives again: no storm of
    requests to it, and all is sent when AWS knows them."""
    service, metadata = scene.service(), scene.metadata()
    key = metadata.credentials['AccessKeyId']
    known = scene.keyring.pop(key)
    story = start(scene, service, without_keys(service), uses=[metadata])
    story.send(3)
    assert service.wait_for(lambda: len(service.requests) >= 3, 20)
    assert count(metadata, imds.ROLES + 'host-role') == 2
    scene.keyring[key] = known
    assert story.send(3).sent_by(20) == key
    assert count(metadata, imds.ROLES + 'host-role') == 2
    assert len(warnings(story.daemon)) == 1


# ---- files that are replaced ------------------------------------------------

def test_file_with_new_keys(scene):
    """Before AWS refuses the old ones: nothing is refused."""
    service = scene.service()
    old, new = scene.keyring.issue(), scene.keyring.issue()
    story = start(scene, service, without_keys(service),
                  files={'.aws/credentials': old.section('default')})
    assert story.send(2).sent_by() == old.key
    story.daemon.write('.aws/credentials', new.section('default'))
    scene.keyring.forget(old)
    story.send(2)
    assert story.signers() == [old.key, new.key]
    assert not warnings(story.daemon)


def test_file_below_a_role(scene):
    """The keys that assume the role are replaced: a session of the new ones
    is got at once."""
    service, sts = scene.service(), scene.sts()
    old, new = scene.keyring.issue(), scene.keyring.issue()
    sts.role(ROLE)
    story = start(
        scene, service, without_keys(service, Profile='r'), uses=[sts],
        files={'.aws/credentials': old.section('base'), '.aws/config':
               f'[profile r]\nrole_arn = {ROLE}\nsource_profile = base\n'})
    story.send(2).check()
    story.daemon.write('.aws/credentials', new.section('base'))
    scene.keyring.forget(old)
    story.send(2)
    assert story.signers() == [session.keys.key for session in sts.sessions]
    assert [session.caller for session in sts.sessions] == [old.key, new.key]


def test_file_that_cannot_be_read_any_more(scene):
    """What was read before goes on, and the reason is said."""
    service, keys = scene.service(), scene.keyring.issue()
    story = start(scene, service, without_keys(service),
                  files={'.aws/credentials': keys.section('default')})
    assert story.send(2).sent_by() == keys.key
    story.daemon.write('.aws/credentials', '[default\nno section\n')
    assert story.send(2).sent_by() == keys.key
    story.daemon.wait_for(r'\[warning\] .*credentials could not be renewed: '
                          r'.*/\.aws/credentials.*those of before are used')
    story.daemon.write('.aws/credentials', keys.section('default'))
    assert story.send(2).sent_by() == keys.key
    story.daemon.wait_for(r'\[notice\] .*the credentials are renewed')
    assert len(warnings(story.daemon)) == 1


def test_new_web_identity_token(scene):
    """The file is read for each request; the old token is worth nothing."""
    service, sts = scene.service(), scene.sts()
    sts.role(ROLE, web=True)
    sts.web_tokens[WEB] = None
    story = start(scene, service, without_keys(service), uses=[sts],
                  files={'token': WEB + '\n'}, environment={
                      'AWS_ROLE_ARN': ROLE,
                      'AWS_WEB_IDENTITY_TOKEN_FILE': '{home}/token'})
    first = story.send(2).sent_by()
    sts.web_tokens[WEB] = 0  # has ended
    sts.web_tokens['second.web.token'] = None
    story.daemon.write('token', 'second.web.token')
    del scene.keyring[first]
    story.send(2)
    assert story.signers() == [session.keys.key for session in sts.sessions]
    assert len(sts.sessions) == 2 and len(sts.requests) == 2


# ---- ended ones of the instance ---------------------------------------------

def test_ended_credentials_of_the_instance(scene):
    """When the service that makes new ones is in trouble, the old ones are
    given out beyond their end, and AWS takes them."""
    service, metadata = scene.service(), scene.metadata()
    keys = scene.keyring.issue()
    metadata.credentials = keys._replace(
        end=scene.now() - 600).imds_document(scene.now())
    story = start(scene, service, without_keys(service), uses=[metadata])
    for _ in range(3):
        assert story.send(2).sent_by() == keys.key
    story.daemon.wait_for(
        r'\[warning\] .*credentials could not be renewed: the instance.s role '
        'host-role gives credentials that have ended; those of before are '
        'used as long as AWS takes them')
    assert count(metadata, imds.ROLES + 'host-role') == 1
    # Until AWS does not: then it is asked at once.
    new = metadata.rotate()
    scene.keyring.forget(keys)
    story.send(2)
    assert story.signers() == [keys.key, new.key]
    story.daemon.wait_for(r'\[notice\] .*the credentials are renewed \(the '
                          "instance's role host-role")
    assert count(metadata, imds.ROLES + 'host-role') == 2
    assert len(warnings(story.daemon)) == 2


def test_ended_session_of_a_role(scene):
    """Nobody else's are used beyond their end."""
    service, sts = scene.service(), scene.sts()
    keys = scene.keyring.issue(None)
    sts.role(ROLE, trusts={keys.key}, life_s=2)
    story = start(scene, service, without_keys(service, RoleArn=ROLE),
                  uses=[sts], environment=keys.environment())
    story.send(2).check()
    sts.always(faults.refuse('InternalFailure'))
    time.sleep(sts.sessions[-1].keys.end + 1 - scene.now())
    story.send(2)
    story.daemon.wait_for(r'\[warning\] .*waiting for credentials: cannot '
                          'assume role .*InternalFailure.*data are kept', 10)
    sts.role(ROLE, trusts={keys.key})
    sts.always(None)
    story.send(2).check()
    assert [request.code for request in answered(service)
            if request.status != 200] == []
    story.daemon.wait_for(r'\[notice\] .*there are credentials \(role ')


# ---- a wrong clock ----------------------------------------------------------

@pytest.mark.parametrize('wrong_s', [-7200, 7200])
def test_wrong_clock_with_roles(scene, wrong_s):
    """STS refuses the signature's time and says the right one; and what ends
    in an hour does not look ended."""
    service, sts = scene.service(), scene.sts()
    keys = scene.keyring.issue(None)
    sts.role(ROLE, trusts={keys.key})
    clock = FastClock(int(time.time()) + wrong_s, 1)
    story = start(scene, service, without_keys(service, RoleArn=ROLE),
                  uses=[sts], environment=keys.environment()
                  | clock.environment)
    for _ in range(3):
        assert story.send(2).sent_by() == sts.sessions[-1].keys.key
    # At most once more, as soon as the service has said the time, too.
    assert [(request.status, request.code) for request in sts.requests][:2] \
        == [(403, 'SignatureDoesNotMatch'), (200, None)]
    assert len(sts.sessions) <= 2
    story.daemon.wait_for(rf"\[warning\] .*clock is 7[12]\d\d s "
                          + ('behind' if wrong_s < 0 else 'ahead of'))
