"""Each source of credentials publishes: options, environment, profiles, roles.

As whom is what the service found when it verified the signature. Those at
addresses of their own are in test_sources_nearby.py, programs in
test_sources_process.py."""

import pytest

from keyring import ACCOUNT, Keyring
from scene import KEY, config, warnings, without_keys
from story import start
import network

ROLE = f'arn:aws:iam::{ACCOUNT}:role/publish'
SECOND = f'arn:aws:iam::{ACCOUNT}:role/second'
ABROAD = 'arn:aws:iam::210987654321:role/metrics'
WEB = 'head.body.signature_-'


def test_options(scene):
    service = scene.service()
    story = start(scene, service, config(service))
    assert story.send(2).sent_by() == KEY


@pytest.mark.parametrize('life_s', [None, 3600])
def test_environment(scene, life_s):
    service, keys = scene.service(), scene.keyring.issue(life_s)
    story = start(scene, service, without_keys(service),
                  environment=keys.environment())
    assert story.send(2).sent_by() == keys.key
    assert service.requests[0].headers.get(
        'x-amz-security-token') == keys.token


# ---- profiles ---------------------------------------------------------------

@pytest.mark.parametrize('file, name', [
    ('.aws/credentials', 'default'), ('.aws/credentials', 'mine'),
    ('.aws/config', 'default'), ('.aws/config', 'profile mine')])
def test_keys_of_a_profile(scene, file, name):
    service, keys = scene.service(), scene.keyring.issue()
    mine = {'AWS_PROFILE': 'mine'} if 'mine' in name else {}
    story = start(scene, service, without_keys(service), environment=mine,
                  files={file: keys.section(name)})
    assert story.send(2).sent_by() == keys.key


def role(name, arn, *lines, source='default'):
    return '\n'.join([f'[{name}]', f'role_arn = {arn}',
                      f'source_profile = {source}', *lines, ''])


def test_role_of_a_profile(scene):
    """All that a profile says of a role is asked for."""
    service, sts = scene.service(), scene.sts(region='eu-west-1')
    keys = scene.keyring.issue(None)
    sts.role(ROLE, trusts={keys.key}, external_id='ext:1')
    story = start(
        scene, service, without_keys(service), uses=[sts],
        environment={'AWS_PROFILE': 'r'},
        files={'.aws/credentials': keys.section('default'),
               '.aws/config': role('profile r', ROLE, 'external_id = ext:1',
                                   'role_session_name = web-1',
                                   'duration_seconds = 1800')})
    key = story.send(2).sent_by()
    session, = sts.sessions
    assert (session.keys.key, session.name, session.caller, session.region) \
        == (key, 'web-1', keys.key, 'eu-west-1')
    assert sts.requests[0].input['DurationSeconds'] == 1800


def test_chain_of_roles(scene):
    """Two deep: what the first role gives assumes the second one."""
    service, sts = scene.service(), scene.sts()
    keys = scene.keyring.issue(None)
    sts.role(ROLE, trusts={keys.key})
    sts.role(SECOND, trusts={ROLE})
    story = start(
        scene, service, without_keys(service), uses=[sts],
        environment={'AWS_PROFILE': 'last'},
        files={'.aws/config': keys.section('profile base')
               + role('profile last', SECOND, source='first')
               + role('profile first', ROLE, source='base')})
    key = story.send(2).sent_by()
    first, second = sts.sessions
    assert (first.role.arn, first.caller) == (ROLE, keys.key)
    assert (second.role.arn, second.caller) == (SECOND, first.keys.key)
    assert second.keys.key == key
    story.daemon.wait_for(f'signed with the credentials of role {SECOND}, '
                          f'assumed with role {ROLE}, assumed with profile')


def of_environment(scene):
    keys = scene.keyring.issue()
    return keys.key, {'environment': keys.environment()}


def of_instance(scene):
    metadata = scene.metadata()
    return metadata.rotate().key, {'uses': [metadata]}


def of_container(scene):
    endpoint = scene.container(token='container-token')
    return endpoint.rotate().key, {'uses': [endpoint]}


def of_process(scene):
    keys = scene.keyring.issue(None)
    return keys.key, {'files': {
        '.aws/config': '[default]\ncredential_process = {home}/helper\n',
        'helper': '#!/bin/sh\n' + f"echo '{json_of(keys)}'\n"}}


def json_of(keys):
    return str(keys.process_document()).replace("'", '"')


@pytest.mark.parametrize('name, of', [
    ('Environment', of_environment), ('Ec2InstanceMetadata', of_instance),
    ('EcsContainer', of_container)])
def test_credential_source(scene, name, of):
    service, sts = scene.service(), scene.sts()
    key, how = of(scene)
    sts.role(ROLE, trusts={key})
    story = start(
        scene, service, without_keys(service, Profile='r'),
        **{**how, 'uses': [sts, *how.get('uses', ())]},
        files={'.aws/config': '[profile r]\n'
               f'role_arn = {ROLE}\ncredential_source = {name}\n'})
    signer = story.send(2).sent_by()
    session, = sts.sessions
    assert (session.caller, session.keys.key) == (key, signer)


# ---- web identity -----------------------------------------------------------

@pytest.mark.parametrize('where', ['environment', 'profile'])
@pytest.mark.parametrize('json', [True, False])
def test_web_identity(scene, where, json):
    """The request bears no signature, and there is nothing else to sign
    with."""
    service, sts = scene.service(), scene.sts()
    sts.json = json
    sts.role(ROLE, web=True)
    sts.web_tokens[WEB] = None
    how = {'environment': {
        'AWS_ROLE_ARN': ROLE, 'AWS_ROLE_SESSION_NAME': 'pod-7',
        'AWS_WEB_IDENTITY_TOKEN_FILE': '{home}/token'}}
    files = {'token': WEB}
    if where == 'profile':
        how = {}
        files['.aws/config'] = (
            f'[default]\nrole_arn = {ROLE}\nrole_session_name = pod-7\n'
            'web_identity_token_file = {home}/token\n')
    story = start(scene, service, without_keys(service), uses=[sts],
                  files=files, **how)
    key = story.send(2).sent_by()
    session, = sts.sessions
    assert (session.name, session.caller, session.keys.key) == \
        ('pod-7', None, key)


# ---- RoleArn on top ---------------------------------------------------------

@pytest.mark.parametrize('of', [of_environment, of_instance, of_container,
                                of_process])
def test_role_on_top(scene, of):
    service, sts = scene.service(), scene.sts()
    key, how = of(scene)
    sts.role(ROLE, trusts={key})
    story = start(scene, service, without_keys(
        service, RoleArn=ROLE, RoleDuration=900, RoleSessionName='from-here'),
        **{**how, 'uses': [sts, *how.get('uses', ())]})
    signer = story.send(2).sent_by()
    session, = sts.sessions
    assert (session.caller, session.name, session.keys.key) == (
        key, 'from-here', signer)
    assert session.keys.end - service.now() < 901


def test_role_on_top_of_static_keys(scene):
    """Its session's name says which host it is."""
    service, sts = scene.service(), scene.sts()
    sts.role(ROLE, trusts={KEY})
    story = start(scene, service, config(service, RoleArn=ROLE), uses=[sts])
    assert story.send(2).sent_by() == sts.sessions[0].keys.key
    assert sts.sessions[0].name.startswith('write_cloudwatch-')


def test_other_account(scene):
    """With the external id that the other side wants; the wrong one is said,
    in STS's words, and the data wait until it is repaired."""
    there = Keyring()
    service, sts = scene.service(credentials=there), scene.sts()
    keys = scene.keyring.issue(None)
    sts.role(ABROAD, trusts={keys.key}, external_id='right', keyring=there)
    story = start(
        scene, service, without_keys(service, RoleArn=ABROAD,
                                     ExternalId='wrong'),
        uses=[sts], environment=keys.environment())
    story.send(2)
    story.daemon.wait_for(
        rf'\[warning\] .*waiting for credentials: cannot assume role {ABROAD} '
        'with environment: .* answered AccessDenied .*it says: User: .*is not '
        r'authorized to perform: sts:AssumeRole.*data are kept', 10)
    assert not service.requests
    sts.role(ABROAD, trusts={keys.key}, external_id='wrong', keyring=there)
    assert story.send(2).sent_by() == sts.sessions[-1].keys.key
    story.daemon.wait_for(r'\[notice\] .*there are credentials \(role '
                          rf'{ABROAD}, assumed with environment\) and a region')
    assert len(warnings(story.daemon)) == 1
    scene.secrets |= there.secrets


# ---- the order --------------------------------------------------------------

ORDER = ['option', 'environment', 'web identity', 'profile', 'container',
         'instance']


def everything_from(scene, first):
    """Every source from this one on, and who signs with it; arguments of
    config(), then of Scene.start()."""
    there = ORDER[ORDER.index(first):]
    options, environment, files, uses, keys = {}, {}, {}, [], {}
    if 'option' in there:
        keys['option'] = scene.keyring.issue(None)
        options = {'AccessKeyId': keys['option'].key,
                   'SecretAccessKey': keys['option'].secret}
    if 'environment' in there:
        keys['environment'] = scene.keyring.issue()
        environment |= keys['environment'].environment()
    sts = scene.sts()
    sts.role(ROLE, web=True)
    sts.web_tokens[WEB] = None
    uses.append(sts)
    files['token'] = WEB
    if 'web identity' in there:
        environment |= {'AWS_ROLE_ARN': ROLE,
                        'AWS_WEB_IDENTITY_TOKEN_FILE': '{home}/token'}
    if 'profile' in there:
        keys['profile'] = scene.keyring.issue()
        files['.aws/credentials'] = keys['profile'].section('default')
    if 'container' in there:
        uses.append(scene.container())
        keys['container'] = uses[-1].rotate()
    uses.append(scene.metadata())
    keys['instance'] = uses[-1].rotate()
    signer = keys[first].key if first in keys else None
    return signer, sts, options, {'environment': environment, 'files': files,
                                  'uses': uses}


@pytest.mark.parametrize('first', ORDER)
def test_order(scene, first):
    service = scene.service()
    signer, sts, options, how = everything_from(scene, first)
    story = start(scene, service, without_keys(service, **options), **how)
    key = story.send(2).sent_by()
    assert key == (signer or sts.sessions[-1].keys.key)
    # Nobody else was troubled.
    asked = {type(one).__name__ for one in how['uses'] if one.requests}
    assert asked == {'web identity': {'TokenService'},
                     'container': {'ContainerEndpoint'},
                     'instance': {'Metadata'}}.get(first, set())


@pytest.mark.parametrize('options, environment, first', [
    ({}, {'AWS_PROFILE': 'mine'}, 'environment'),
    ({'Profile': 'mine'}, {}, 'mine'),
    ({'Profile': 'mine'}, {'AWS_PROFILE': 'other'}, 'mine')])
def test_profile_against_environment(scene, options, environment, first):
    """A profile of the environment is behind its keys; one that the
    configuration names is before them."""
    service = scene.service()
    keys = {name: scene.keyring.issue()
            for name in ('environment', 'mine', 'other')}
    story = start(
        scene, service, without_keys(service, **options),
        environment=keys['environment'].environment() | environment,
        files={'.aws/credentials': keys['mine'].section('mine')
               + keys['other'].section('other')})
    assert story.send(2).sent_by() == keys[first].key


def test_metadata_switched_off(island):
    """It is there, at its address, and is not asked."""
    service = island.service()
    metadata = island.metadata(host=network.IMDS, port=80)
    story = start(island, service, without_keys(service), environment={
        'AWS_EC2_METADATA_DISABLED': 'TRUE'})
    story.send(2)
    story.daemon.wait_for(r'\[warning\] .*no credentials found: .*switched off '
                          r'\(AWS_EC2_METADATA_DISABLED\)', 10)
    keys = island.keyring.issue()
    story.daemon.write('.aws/credentials', keys.section('default'))
    assert story.sent_by() == keys.key
    assert not metadata.requests


def test_source_that_fails_ends_the_chain(scene):
    """A container's endpoint that refuses is no reason to be the instance."""
    service, metadata = scene.service(), scene.metadata()
    endpoint = scene.container(token='right')
    story = start(scene, service, without_keys(service),
                  uses=[endpoint, metadata],
                  environment={'AWS_CONTAINER_AUTHORIZATION_TOKEN': 'wrong'})
    story.send(2)
    story.daemon.wait_for(r'\[warning\] .*container.s credentials endpoint at '
                          r'127.0.0.1:\d+ answered with status 401, '
                          'AccessDenied', 10)
    endpoint.token = 'wrong'
    assert story.sent_by() in scene.keyring
    assert not metadata.requests
