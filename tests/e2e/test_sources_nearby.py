"""Credentials of what is one hop away: containers and instance metadata, at
the addresses that AWS gave them, and where a setting says."""

import re

import pytest

import faults
import imds
from network import ECS, EKS, EKS_6, IMDS, IMDS_6
from scene import warnings, without_keys
from story import count, start

POD_TOKEN = 'pods/eks-pod-identity-token'

# ---- containers -------------------------------------------------------------

@pytest.mark.parametrize('how', [
    {'host': ECS}, {'host': ECS, 'token': 'ecs'},
    {'host': EKS, 'token': 'pod'}, {'host': EKS_6, 'token': 'pod'}])
def test_container_at_its_address(island, how):
    service = island.service()
    endpoint = island.container(port=80, path='/v2/credentials/x', **how)
    story = start(island, service, without_keys(service), uses=[endpoint])
    keys = endpoint.credentials['AccessKeyId']
    assert story.send(2).sent_by() == keys
    assert [request.headers['accept'] for request in endpoint.requests] == [
        'application/json']
    host = f'[{how["host"]}]' if ':' in how['host'] else how['host']
    story.daemon.wait_for("signed with the credentials of the container's "
                          rf'credentials endpoint at {re.escape(host)}$')


@pytest.mark.parametrize('host', ['127.0.0.1', '::1'])
def test_container_by_full_uri(scene, host):
    service, endpoint = scene.service(), scene.container(
        host=host, token='container-token')
    story = start(scene, service, without_keys(service), uses=[endpoint])
    assert story.send(2).sent_by() == endpoint.credentials['AccessKeyId']


def test_relative_uri_before_the_full_one(island):
    service = island.service()
    full = island.container()
    relative = island.container(host=ECS, port=80)
    story = start(island, service, without_keys(service),
                  uses=[full, relative])
    assert story.send(2).sent_by() == relative.credentials['AccessKeyId']
    assert not full.requests


@pytest.mark.parametrize('host', [EKS, EKS_6])
def test_pod_identity_with_a_new_token(island, host):
    """The kubelet replaces the token's file; it is read for each request."""
    service = island.service()
    endpoint = island.container(host=host, port=80, token='first-token',
                                token_file=POD_TOKEN)
    story = start(island, service, without_keys(service), uses=[endpoint])
    old = endpoint.credentials['AccessKeyId']
    assert story.send(2).sent_by() == old
    endpoint.token = 'second-token'
    story.daemon.write(POD_TOKEN, endpoint.token)
    new = endpoint.rotate()
    del island.keyring[old]
    story.send(2)
    assert story.signers() == [old, new.key]
    assert [request.headers['authorization']
            for request in endpoint.requests] == ['first-token',
                                                  'second-token']


def test_token_with_a_line_break(scene):
    """It would begin a header of its own."""
    service = scene.service()
    endpoint = scene.container(token='bad-token\nX-Y: z',
                               token_file=POD_TOKEN)
    scene.secrets.add('bad-token')
    story = start(scene, service, without_keys(service), uses=[endpoint])
    story.send(2)
    story.daemon.wait_for(
        r'\[warning\] .*AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: .*pod-identity'
        r'-token: the token holds a line break', 10)
    assert not endpoint.requests
    endpoint.token = 'good-token'
    story.daemon.write(POD_TOKEN, endpoint.token)
    story.check()


def test_container_that_is_far_away(island):
    """Credentials in plain text come from nowhere but nearby; the instance's
    metadata service is not such a place either."""
    service, metadata = island.service(), island.metadata(host=IMDS, port=80)
    story = start(island, service, without_keys(service), environment={
        'AWS_CONTAINER_CREDENTIALS_FULL_URI': f'http://{IMDS}/x'})
    story.send(2)
    story.daemon.wait_for(r'\[warning\] .*waiting for credentials: '
                          'AWS_CONTAINER_CREDENTIALS_FULL_URI', 10)
    assert not metadata.requests
    story.daemon.stop()
    assert not service.requests


# ---- instance metadata ------------------------------------------------------

@pytest.mark.parametrize('host', [IMDS, IMDS_6])
def test_instance_role_at_its_address(island, host):
    service, metadata = island.service(), island.metadata(host=host, port=80)
    story = start(island, service, without_keys(service), uses=[metadata])
    assert story.send(2).sent_by() == metadata.credentials['AccessKeyId']
    metadata.check_manners()
    story.daemon.wait_for("credentials of the instance's role host-role")
    assert metadata.asked == [
        f'PUT {imds.TOKEN}', f'GET {imds.ROLES}',
        f'GET {imds.ROLES}host-role']


SETTINGS = {
    'variable': ({'AWS_EC2_METADATA_SERVICE_ENDPOINT': '{url}'}, ''),
    'variable with a slash':
        ({'AWS_EC2_METADATA_SERVICE_ENDPOINT': '{url}/'}, ''),
    'profile': ({}, 'ec2_metadata_service_endpoint = {url}\n'),
    'variable before profile':
        ({'AWS_EC2_METADATA_SERVICE_ENDPOINT': '{url}'},
         'ec2_metadata_service_endpoint = http://127.0.0.1:1\n'),
    'address before mode':
        ({'AWS_EC2_METADATA_SERVICE_ENDPOINT': '{url}',
          'AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE': 'IPv6'}, ''),
}


@pytest.mark.parametrize('label', SETTINGS)
def test_where_metadata_is(scene, label):
    environment, lines = SETTINGS[label]
    service, metadata = scene.service(), scene.metadata()
    story = start(
        scene, service, without_keys(service),
        environment={'AWS_EC2_METADATA_DISABLED': None,
                     **{name: value.format(url=metadata.url)
                        for name, value in environment.items()}},
        files={'.aws/config': '[default]\n' + lines.format(url=metadata.url)})
    assert story.send(2).sent_by() == metadata.credentials['AccessKeyId']
    metadata.check_manners()


def test_mode_of_a_profile(island):
    service, metadata = island.service(), island.metadata(host=IMDS_6, port=80)
    story = start(
        island, service, without_keys(service),
        environment={'AWS_EC2_METADATA_DISABLED': None},
        files={'.aws/config': '[default]\n'
               'ec2_metadata_service_endpoint_mode = IPv6\n'})
    assert story.send(2).sent_by() == metadata.credentials['AccessKeyId']


@pytest.mark.parametrize('kind', ['metadata', 'container'])
def test_no_proxy_and_no_redirect(scene, kind):
    """Whatever the environment and the configuration say of proxies, which is
    for CloudWatch; and what sends elsewhere is not followed."""
    service = scene.service()
    proxy, other = scene.proxy(service), scene.proxy()
    source = getattr(scene, kind)(host='127.0.0.2')
    elsewhere = getattr(scene, kind)(host='127.0.0.3')
    path = imds.ROLES if kind == 'metadata' else source.path
    source.at(path + '*', faults.redirect(elsewhere.url + path))
    story = start(
        scene, service, without_keys(service, Proxy=proxy.url), uses=[source],
        environment={name: other.url for name in (
            'http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY',
            'HTTPS_PROXY', 'ALL_PROXY')})
    story.send(2)
    story.daemon.wait_for(r'\[warning\] .*redirect.*, which is never followed',
                          10)
    source.at(path + '*', None)
    assert story.sent_by() == source.credentials['AccessKeyId']
    if kind == 'metadata':
        source.check_manners()
    assert proxy.asked and not other.asked and not elsewhere.requests
    assert not any('127.0.0.2' in line for line in proxy.asked)


def test_session_token_that_is_not_known_any_more(scene):
    """As after a stop and start of the instance: asked for anew, once."""
    service, metadata = scene.service(), scene.metadata()
    story = start(scene, service, without_keys(service), uses=[metadata])
    old = metadata.credentials['AccessKeyId']
    assert story.send(2).sent_by() == old
    metadata.revoke_tokens()
    new = metadata.rotate()
    del scene.keyring[old]
    story.send(2)
    assert story.signers() == [old, new.key]
    assert metadata.asked.count(f'PUT {imds.TOKEN}') == 2
    assert [request.status for request in metadata.requests] == [
        200, 200, 200, 401, 200, 200, 200]


def test_another_role_is_attached(scene):
    """The role's name is asked for each time."""
    service, metadata = scene.service(), scene.metadata()
    story = start(scene, service, without_keys(service), uses=[metadata])
    old = metadata.credentials['AccessKeyId']
    assert story.send(2).sent_by() == old
    metadata.role = 'other/role@x'
    new = metadata.rotate()
    del scene.keyring[old]
    story.send(2)
    assert story.signers() == [old, new.key]
    assert count(metadata, imds.ROLES + 'other/role@x') == 1


# What the service does, and what is said of it.
BAD = {
    'no role': (lambda metadata: setattr(metadata, 'role', None),
                'the instance has no role; attach an instance profile'),
    'code': (lambda metadata: setattr(metadata, 'credentials', {
        'Code': 'AssumeRoleUnauthorizedAccess', 'Message': 'trust me not'}),
             'AssumeRoleUnauthorizedAccess'),
    'HTML': (lambda metadata: metadata.at(imds.ROLES + 'host-role',
                                          faults.html()), 'JSON'),
    'half a document': (lambda metadata: setattr(
        metadata, 'credentials', '{"Code": "Success", "AccessKeyId": "A'),
        'JSON'),
    '1 MB': (lambda metadata: metadata.at(
        imds.ROLES + 'host-role', faults.huge()), 'more than 65536 bytes'),
    'hop limit': (lambda metadata: metadata.silent_put(),
                  'HttpPutResponseHopLimit to 2'),
    'version 1 only': (lambda metadata: metadata.at(
        imds.TOKEN, faults.answer(405)), 'version 1 is never used'),
    'forbidden': (lambda metadata: metadata.at(
        imds.TOKEN, faults.answer(403)), 'HttpEndpoint=enabled'),
}


@pytest.mark.parametrize('label', BAD)
def test_bad_metadata(scene, label):
    """Said once, in words that help; and when it is well, all arrives."""
    spoil, message = BAD[label]
    service, metadata = scene.service(), scene.metadata()
    role, credentials = metadata.role, metadata.credentials
    spoil(metadata)
    story = start(scene, service, without_keys(service), uses=[metadata])
    story.send(2)
    story.daemon.wait_for(rf'\[warning\] .*waiting for credentials: .*{message}'
                          '.*; the data are kept', 10)
    metadata.role, metadata.credentials = role, credentials
    for path in (imds.TOKEN, imds.ROLES + 'host-role'):
        metadata.at(path, None)
    assert story.sent_by() == credentials['AccessKeyId']
    assert len(warnings(story.daemon)) == 1
    metadata.check_manners()
