"""As whom data are sent: each source of credentials that this version knows,
and what happens when they are late, change, end or cannot be used."""

import os

import pytest

import faults
from scene import (KEY, MINUTE, SECRET, TOKEN, Scene, answered, config, names,
                   node, publish, warnings, without_keys)

# The credentials that a test expects to be used, by the name of their source.
KNOWN = {name: (f'AKID{name.upper()}', f'secretEXAMPLE{name}')
         for name in ('option', 'environment', 'default', 'work', 'other',
                      'late')}


@pytest.fixture
def scene(tmp_path):
    with Scene(tmp_path) as one:
        one.secrets |= {secret for _, secret in KNOWN.values()}
        yield one


def knows(*sources, token=None):
    """The service's credentials; all it should know."""
    return {KNOWN[source][0]: (KNOWN[source][1], token) for source in sources}


def section(source, name=None, token=None):
    key, secret = KNOWN[source]
    text = (f'[{name or source}]\naws_access_key_id = {key}\n'
            f'aws_secret_access_key = {secret}\n')
    return text + (f'aws_session_token = {token}\n' if token else '')


def in_environment(source):
    key, secret = KNOWN[source]
    return {'AWS_ACCESS_KEY_ID': key, 'AWS_SECRET_ACCESS_KEY': secret}


def write(path, text, mode=0o600):
    """As tools do it: whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + '.new')
    new.write_text(text)
    new.chmod(mode)
    os.replace(new, path)
    return str(path)


def key_used(service, count=1):
    return service.wait_datums(count, 10)[-1]['AccessKey']


# ---- sources ----------------------------------------------------------------

@pytest.mark.parametrize('token', [None, TOKEN, 'long' * 1000 + '+/='])
def test_static_keys(scene, token):
    if token:
        scene.secrets.add(token)
    service = scene.service(credentials={KEY: (SECRET, token)})
    daemon = scene.start(config(service, SessionToken=token))
    publish(daemon, load=1)
    assert key_used(service) == KEY
    assert service.requests[0].headers.get('x-amz-security-token') == token
    daemon.wait_for(r'\[info\] .*accepted the first 1 data, signed with the '
                    'credentials of AccessKeyId in the configuration')


@pytest.mark.parametrize('name', [None, 'AWS_SESSION_TOKEN',
                                  'AWS_SECURITY_TOKEN'])
def test_environment(scene, name):
    token = TOKEN if name else None
    service = scene.service(credentials=knows('environment', token=token))
    daemon = scene.start(
        without_keys(service),
        environment=in_environment('environment') | (
            {name: TOKEN} if name else {}))
    publish(daemon, load=1)
    assert key_used(service) == KNOWN['environment'][0]
    daemon.wait_for('credentials of environment')


SHARED = section('default') + section('work', token=TOKEN)
# What stands in the configuration; the environment's; the source that wins.
ORDER = {
    'option before all':
        ({'AccessKeyId': KNOWN['option'][0],
          'SecretAccessKey': KNOWN['option'][1]},
         in_environment('environment'), 'option'),
    'environment before files':
        ({}, in_environment('environment'), 'environment'),
    'environment before AWS_PROFILE':
        ({}, in_environment('environment') | {'AWS_PROFILE': 'work'},
         'environment'),
    'default profile': ({}, {}, 'default'),
    'AWS_PROFILE': ({}, {'AWS_PROFILE': 'work'}, 'work'),
    'AWS_DEFAULT_PROFILE': ({}, {'AWS_DEFAULT_PROFILE': 'work'}, 'work'),
    'AWS_PROFILE before the older name':
        ({}, {'AWS_PROFILE': 'work', 'AWS_DEFAULT_PROFILE': 'nobody'},
         'work'),
    'Profile before the environment':
        ({'Profile': 'work'},
         in_environment('environment') | {'AWS_PROFILE': 'default'}, 'work'),
    'CredentialsFile before the environment':
        ({'CredentialsFile': '{folder}/other'},
         in_environment('environment'), 'other'),
    'blank variables':
        ({}, {'AWS_ACCESS_KEY_ID': '', 'AWS_SECRET_ACCESS_KEY': ' '},
         'default'),
}


@pytest.mark.parametrize('label', ORDER)
def test_order_of_sources(scene, label):
    """Nothing but the one that wins is known to the service."""
    options, environment, source = ORDER[label]
    service = scene.service(credentials=knows(
        source, token=TOKEN if source == 'work' else None))
    write(scene.folder / 'other', section('other', 'default'))
    options = {'AccessKeyId': None, 'SecretAccessKey': None, **options}
    daemon = scene.start(
        config(service, **{
            name: value and value.format(folder=scene.folder)
            for name, value in options.items()}),
        environment={'AWS_SHARED_CREDENTIALS_FILE': write(
            scene.folder / 'credentials', SHARED), **environment})
    publish(daemon, load=1)
    assert key_used(service) == KNOWN[source][0]
    assert len(service.requests) == 1


@pytest.mark.parametrize('where', ['home', 'config', 'ConfigFile'])
def test_places_of_the_files(scene, where):
    """~/.aws/credentials; keys in a config file, whose sections are named
    differently; the option for it."""
    service = scene.service(credentials=knows('work'))
    home = scene.folder / 'home'
    environment, options = {'HOME': str(home)}, {}
    if where == 'home':
        write(home / '.aws/credentials', section('work', 'default'))
    elif where == 'config':
        write(home / '.aws/config', section('work', 'profile mine'))
        options['Profile'] = 'mine'
    else:
        options['ConfigFile'] = write(scene.folder / 'config',
                                      section('work', 'default'))
    daemon = scene.start(without_keys(service, **options),
                         environment=environment)
    publish(daemon, load=1)
    assert key_used(service) == KNOWN['work'][0]


# ---- late, changed, ended ---------------------------------------------------

def test_credentials_that_appear_later(scene):
    """Values are kept, the reason is said once, and all is sent when the file
    is there."""
    service = scene.service(credentials=knows('late'))
    path = scene.folder / 'daemon-0/.aws/credentials'  # its home
    daemon = scene.start(without_keys(service))
    publish(daemon, first=1)
    daemon.wait_for(
        r'\[warning\] .*waiting for credentials: no credentials found: no '
        r'AccessKeyId in the configuration, no AWS_ACCESS_KEY_ID .*profile '
        rf'default in {path}.*the data are kept and sent later', 10)
    publish(daemon, at=MINUTE + 60, second=2)
    write(path, section('late', 'default'))
    datums = service.wait_datums(2, 20)
    assert sorted((datum['MetricName'], datum['Timestamp'])
                  for datum in datums) == [
        ('first', MINUTE), ('second', MINUTE + 60)]
    daemon.wait_for(rf'\[notice\] .*there are credentials \(profile default in '
                    rf'{path}\) and a region \(eu-west-1\) after \d+ s', 10)
    assert len(warnings(daemon)) == 1
    assert {request.access_key for request in service.requests} == \
        {KNOWN['late'][0]}


def test_region_that_appears_later(scene):
    service = scene.service(region='eu-north-1')
    path = scene.folder / 'config'
    daemon = scene.start(config(service, Region=None),
                         environment={'AWS_CONFIG_FILE': str(path)})
    publish(daemon, load=1)
    daemon.wait_for(r'\[warning\] .*waiting for region and endpoint: no region found: no '
                    r'Region in the configuration, no AWS_REGION .*write '
                    r'Region "us-east-1".*the data are kept', 10)
    write(path, '[default]\nregion = eu-north-1\n')
    assert service.wait_datums(1, 20)[0]['Timestamp'] == MINUTE
    daemon.wait_for(r'\[notice\] .*there are credentials \(AccessKeyId in the '
                    r'configuration\) and a region \(eu-north-1\) after', 10)
    assert len(warnings(daemon)) == 1


@pytest.mark.parametrize('told', [True, False])
def test_rotated_file(scene, told):
    """A new file is used at once; and also when it came too late and the
    service has refused the old key."""
    service = scene.service(credentials=knows('work'))
    path = scene.folder / 'credentials'
    write(path, section('work', 'default'))
    daemon = scene.start(
        without_keys(service),
        environment={'AWS_SHARED_CREDENTIALS_FILE': str(path)})
    publish(daemon, first=1)
    service.wait_datums(1, 10)

    service.credentials.clear()
    service.credentials.update(knows('other'))
    if told:
        publish(daemon, at=MINUTE + 60, second=2)
        daemon.wait_for(r'\[warning\] .*InvalidClientTokenId.* that the '
                        r'access key', 10)
    write(path, section('other', 'default'))
    if not told:
        publish(daemon, at=MINUTE + 60, second=2)
    assert key_used(service, 2) == KNOWN['other'][0]
    assert len(warnings(daemon)) == (1 if told else 0)


@pytest.mark.parametrize('code', ['ExpiredToken', 'InvalidClientTokenId',
                                  'SignatureDoesNotMatch'])
@pytest.mark.parametrize('protocol', ['json', 'query'])
def test_credentials_refused_once(scene, code, protocol):
    """The data are kept and sent with what is fetched anew."""
    service = scene.service(credentials=knows('work', token=TOKEN))
    service.behave([faults.refuse(code)])
    daemon = scene.start(
        without_keys(service, Protocol=protocol, Profile='work'),
        environment={'AWS_SHARED_CREDENTIALS_FILE': write(
            scene.folder / 'credentials', SHARED)})
    publish(daemon, a=1, b=2)
    assert names(service.wait_datums(2, 10)) == ['a', 'b']
    daemon.wait_for('sending again')
    line, = warnings(daemon)
    assert code in line
    assert [request.status == 200 for request in answered(service)] == \
        [False, True]


def test_wrong_secret(scene):
    """The answer to it shows what should have been signed; we do not."""
    service = scene.service(credentials={KEY: ('secretRIGHT', None)})
    scene.secrets.add('secretRIGHT')
    daemon = scene.start(config(service, SessionToken=None))
    publish(daemon, load=1)
    daemon.wait_for(r'\[warning\] .*SignatureDoesNotMatch.*check Region, the '
                    'secret access key', 10)
    service.credentials[KEY] = (SECRET, None)
    service.wait_datums(1, 20)


# ---- what cannot be used ----------------------------------------------------

def test_unreadable_file(scene):
    """As for collectd under systemd: root, but not almighty."""
    service = scene.service(credentials=knows('default'))
    path = scene.folder / 'credentials'
    write(path, section('default'))
    os.chown(path, 65534, 65534)
    daemon = scene.start(
        without_keys(service),
        wrapper=('setpriv', '--bounding-set=-dac_override,-dac_read_search'),
        environment={'AWS_SHARED_CREDENTIALS_FILE': str(path)})
    publish(daemon, load=1)
    daemon.wait_for(rf'\[warning\] .*cannot read {path} \(Permission denied\)'
                    r'.*should belong to the user that collectd runs as', 10)
    os.chown(path, 0, 0)
    assert key_used(service) == KNOWN['default'][0]
    assert len(warnings(daemon)) == 1


# The shared file; the environment; options; what is said, each of which is
# also a reason not to go on to another identity.
UNUSABLE = {
    'key without secret':
        ('[default]\naws_access_key_id = AKIDDEFAULT\n', {}, {},
         'aws_access_key_id needs an aws_secret_access_key'),
    'secret without key':
        ('[default]\naws_secret_access_key = secretEXAMPLEdefault\n', {}, {},
         'aws_secret_access_key needs an aws_access_key_id'),
    'half a pair in the environment':
        (section('default'), {'AWS_ACCESS_KEY_ID': 'AKIDX'}, {},
         'AWS_ACCESS_KEY_ID, but no AWS_SECRET_ACCESS_KEY.*set both'),
    'role without a source':
        ('[default]\nrole_arn = arn:aws:iam::123456789012:role/x\n', {}, {},
         'profile "default": role_arn needs source_profile or'),
    'role of nobody':
        (section('default') + '[r]\nrole_arn = arn:aws:iam::123456789012:'
         'role/x\nsource_profile = nobody\n', {}, {'Profile': 'r'},
         'source_profile "nobody" does not exist'),
    'role loop':
        ('[default]\nrole_arn = arn:aws:iam::123456789012:role/x\n'
         'source_profile = b\n[b]\nrole_arn = arn:aws:iam::123456789012:role/'
         'y\nsource_profile = default\n', {}, {},
         'source_profile "default" leads back'),
    'unknown credential_source':
        ('[default]\nrole_arn = arn:aws:iam::123456789012:role/x\n'
         'credential_source = Moon\n', {}, {}, 'Environment, .*EcsContainer'),
    'sign-in':
        ('[default]\nsso_account_id = 123456789012\nsso_role_name = r\n'
         'sso_session = x\n', {}, {},
         'SSO .*not supported: use '),
    'login': ('[default]\nlogin_session = x\n', {}, {},
              'login session .*not supported: use '),
    'MFA':
        (section('default') + '[r]\nrole_arn = arn:aws:iam::123456789012:'
         'role/x\nsource_profile = default\nmfa_serial = arn:aws:iam::'
         '123456789012:mfa/m\n', {}, {'Profile': 'r'},
         'MFA .*mfa_serial.*: use '),
    'web identity without a role':
        (section('default'), {'AWS_WEB_IDENTITY_TOKEN_FILE': '/nowhere'}, {},
         'AWS_WEB_IDENTITY_TOKEN_FILE, but no AWS_ROLE_ARN; set both'),
    'no such profile': (section('default'), {}, {'Profile': 'nobody'},
                        'there is no profile nobody in .*credentials'),
    'no such profile of the environment':
        (section('default'), {'AWS_PROFILE': 'nobody'}, {},
         'there is no profile nobody'),
    'no such file': (section('default'), {},
                     {'CredentialsFile': '/nowhere/file'},
                     'no file /nowhere/file, which CredentialsFile names'),
}


@pytest.mark.parametrize('label', UNUSABLE)
def test_what_cannot_be_used(scene, label):
    file, environment, options, message = UNUSABLE[label]
    service = scene.service(credentials=knows('default'))
    daemon = scene.start(
        without_keys(service, **options),
        environment={'AWS_SHARED_CREDENTIALS_FILE': write(
            scene.folder / 'credentials', file), **environment})
    publish(daemon, load=1)
    daemon.wait_for(rf'\[warning\] .*waiting for .*: .*{message}.*the data are '
                    'kept', 10)
    publish(daemon, at=MINUTE + 60, load=2)
    daemon.stop()
    assert not service.requests
    daemon.wait_for(r'\[error\] .*2 data could not be sent before the stop')
    assert len(warnings(daemon)) == 2


def test_each_node_has_its_own(scene):
    """One without credentials does not keep the others from sending."""
    services = [scene.service(credentials=knows('work')),
                scene.service(credentials=knows('other'))]
    path = write(scene.folder / 'credentials',
                 section('work') + section('other'))
    daemon = scene.start(without_keys(
        None, node('a', services[0], Profile='work'),
        node('b', services[1], Profile='nobody'), Region=None,
        CredentialsFile=None),
        environment={'AWS_SHARED_CREDENTIALS_FILE': path})
    publish(daemon, load=1)
    assert key_used(services[0]) == KNOWN['work'][0]
    daemon.wait_for(r'plugin: b: waiting for credentials: there is no profile '
                    'nobody', 10)
    write(scene.folder / 'credentials', section('other', 'nobody'))
    assert key_used(services[1]) == KNOWN['other'][0]
