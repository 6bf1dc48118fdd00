"""The examples of the manual about credentials, as they stand there: policies
are those of contrib/, and what shared files say is what AWS's own SDK makes of
them."""

import json
import os
import pathlib
import re
import subprocess
import urllib.parse

import botocore.awsrequest
import botocore.credentials
import botocore.session
import pytest

from judges import client
from scene import KEY, MINUTE, SECRET, Scene, config, publish

ROOT = pathlib.Path(__file__).resolve().parents[2]
POLICIES = sorted((ROOT / 'contrib').glob('*polic*.json'))
ACTIONS = {
    'assume-role-policy': ['sts:AssumeRole'],
    'iam-policy': ['cloudwatch:PutMetricData'],
    'trust-policy-cross-account': ['sts:AssumeRole'],
    'trust-policy-ec2': ['sts:AssumeRole'],
    'trust-policy-ecs': ['sts:AssumeRole'],
    'trust-policy-pod-identity': ['sts:AssumeRole', 'sts:TagSession'],
    'trust-policy-web-identity': ['sts:AssumeRoleWithWebIdentity'],
}


def blocks():
    """The verbatim paragraphs of the manual, without their indent; those that
    follow each other are one."""
    text = (ROOT / 'man/collectd-write_cloudwatch.pod').read_text()
    found = re.findall(r'(?:^(?:  .*)?\n)+', text, re.M)
    return [re.sub(r'^  ', '', block, flags=re.M).strip() + '\n'
            for block in found if block.strip()]


# ---- policies ----------------------------------------------------------------

def statement(text):
    """The one statement of a policy; a member that stands twice is an error."""
    def once(pairs):
        assert len({name for name, _ in pairs}) == len(pairs)
        return dict(pairs)
    policy = json.loads(text, object_pairs_hook=once)
    assert set(policy) == {'Version', 'Statement'}
    assert policy['Version'] == '2012-10-17'
    (one,) = policy['Statement']
    one.pop('Sid', None)
    return one


def test_all_policies_are_known():
    assert [path.stem for path in POLICIES] == sorted(ACTIONS)


@pytest.mark.parametrize('path', POLICIES, ids=lambda path: path.stem)
def test_policy(path):
    one = statement(path.read_text())
    action = one['Action']
    assert one['Effect'] == 'Allow'
    actions = [action] if isinstance(action, str) else action
    assert actions == ACTIONS[path.stem]
    # Who may have a role, or what an identity may do; never both.
    trusts = path.stem.startswith('trust-')
    assert ('Principal' in one, 'Resource' in one) == (trusts, not trusts)
    assert set(one) <= {'Effect', 'Action', 'Principal', 'Resource',
                        'Condition'}
    if 'Condition' in one:
        assert set(one['Condition']) == {'StringEquals'}
    if path.stem != 'iam-policy':  # its action knows no resources
        assert '"*"' not in path.read_text()


def test_policies_of_the_manual():
    """Each of the manual is a file, and all files but one are in it."""
    shown = [statement(block) for block in blocks() if '"Statement"' in block]
    files = {path.stem: statement(path.read_text()) for path in POLICIES}
    assert len(shown) == len(files) - 1
    assert all(one in files.values() for one in shown)
    assert [name for name, one in files.items() if one not in shown] == [
        'trust-policy-ecs']


def test_accounts_fit():
    """What one account permits is what the other trusts."""
    manual = ' '.join(blocks())
    of = {path.stem: statement(path.read_text()) for path in POLICIES}
    assert f'RoleArn "{of["assume-role-policy"]["Resource"]}"' in manual
    wanted = of['trust-policy-cross-account']['Condition']['StringEquals']
    assert f'ExternalId "{wanted["sts:ExternalId"]}"' in manual


# ---- shared files ------------------------------------------------------------

def block_with(line):
    (found,) = [block for block in blocks() if line in block.splitlines()]
    return found


class Home:
    """A home folder with the shared files, and what botocore asks of STS."""

    def __init__(self, folder, monkeypatch, config='', credentials=''):
        for name in [name for name in os.environ if name.startswith('AWS_')]:
            monkeypatch.delenv(name)
        for name, text in (('config', config), ('credentials', credentials)):
            (folder / name).write_text(text)
        monkeypatch.setenv('AWS_CONFIG_FILE', str(folder / 'config'))
        monkeypatch.setenv('AWS_SHARED_CREDENTIALS_FILE',
                           str(folder / 'credentials'))
        monkeypatch.setenv('AWS_EC2_METADATA_DISABLED', 'true')
        self.asked = []

    def session(self, profile):
        session = botocore.session.Session(profile=profile)
        session.set_config_variable('region', 'eu-west-1')
        session.register('before-send.sts', self.answer)
        return session

    def answer(self, request, **_):
        body = request.body
        form = dict(urllib.parse.parse_qsl(
            body.decode() if isinstance(body, bytes) else body))
        signed = request.headers.get('Authorization', b'')
        signed = signed.decode() if isinstance(signed, bytes) else signed
        key = re.search(r'Credential=(\w+)/', signed)
        self.asked.append((form, key and key[1]))
        action = form['Action']
        answer = botocore.awsrequest.AWSResponse(request.url, 200, {}, None)
        answer._content = (
            f'<{action}Response><{action}Result><Credentials>'
            f'<AccessKeyId>ASIA{len(self.asked)}</AccessKeyId>'
            '<SecretAccessKey>dummy</SecretAccessKey>'
            '<SessionToken>token</SessionToken>'
            '<Expiration>2099-01-01T00:00:00Z</Expiration>'
            f'</Credentials></{action}Result></{action}Response>').encode()
        return answer


def test_default_profile(tmp_path, monkeypatch):
    both = [block for block in blocks() if block.startswith('[default]\naws_')]
    assert len(both) == 2 and both[0] == both[1]  # QUICK START has it, too
    home = Home(tmp_path, monkeypatch, block_with('[profile monitoring]'),
                both[0])
    keys = home.session(None).get_credentials()
    assert keys.access_key == 'AKIAIOSFODNN7EXAMPLE'
    assert keys.secret_key == 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
    other = home.session('monitoring').get_scoped_config()
    assert other['region'] == 'eu-central-1'


def test_chain_of_roles(tmp_path, monkeypatch):
    home = Home(tmp_path, monkeypatch, block_with('[profile publisher]'),
                block_with('[keys]'))
    keys = home.session('publisher').get_credentials()
    assert keys.get_frozen_credentials().access_key == 'ASIA2'
    (first, by_keys), (second, by_hub) = home.asked
    assert first['RoleArn'] == 'arn:aws:iam::111122223333:role/collectd'
    assert 'ExternalId' not in first
    assert by_keys == 'AKIAIOSFODNN7EXAMPLE'
    assert second['RoleArn'].endswith(':444455556666:role/cloudwatch-publisher')
    assert second['ExternalId'] == 'fleet-4711'
    assert by_hub == 'ASIA1'


def test_role_of_the_instance(tmp_path, monkeypatch):
    home = Home(tmp_path, monkeypatch, block_with('[profile by-instance]'))
    session = home.session('by-instance')

    class Instance:
        METHOD = 'iam-role'
        CANONICAL_NAME = 'Ec2InstanceMetadata'

        def load(self):
            return botocore.credentials.Credentials('ASIAHOST', 'dummy')

    provider = session.get_component('credential_provider').get_provider(
        'assume-role')
    provider._credential_sourcer = (
        botocore.credentials.CanonicalNameCredentialSourcer([Instance()]))
    keys = session.get_credentials().get_frozen_credentials()
    assert keys.access_key == 'ASIA1'
    assert home.asked[0][1] == 'ASIAHOST'


def test_web_identity(tmp_path, monkeypatch):
    text = block_with('[profile by-token]')
    (tmp_path / 'token').write_text('a token')
    text = text.replace('/run/secrets/aws-token', str(tmp_path / 'token'))
    home = Home(tmp_path, monkeypatch, text)
    home.session('by-token').get_credentials().get_frozen_credentials()
    ((form, key),) = home.asked
    assert (form['Action'], form['WebIdentityToken'], key) == (
        'AssumeRoleWithWebIdentity', 'a token', None)


def test_process(tmp_path, monkeypatch):
    """The line is split as the manual says, and the output is taken."""
    text, printed = (block_with('[profile by-process]'),
                     block_with('  "Version": 1,'))
    program = tmp_path / 'fleet-keys'
    program.write_text('#!/bin/sh\n'
                       f'printf "%s\\n" "$@" >{tmp_path}/arguments\n'
                       f"cat <<'END'\n{printed.replace('2026', '2099')}END\n")
    program.chmod(0o700)
    text = text.replace('/usr/local/bin/fleet-keys', str(program))
    home = Home(tmp_path, monkeypatch, text)
    keys = home.session('by-process').get_credentials().get_frozen_credentials()
    assert keys.access_key == 'ASIAIOSFODNN7EXAMPLE'
    assert keys.token == 'AQoEXAMPLEH4aoAH0gNCAPy...'
    assert (tmp_path / 'arguments').read_text() == '--for\nweb 7\n'


# ---- reading back ------------------------------------------------------------

def test_read_back(tmp_path):
    """The command lines of WHEN IT DOES NOT ARRIVE show what was put."""
    program = tmp_path / 'aws'
    with Scene(tmp_path / 'run') as scene:
        service = scene.service()
        client('cloudwatch', service, (KEY, SECRET)).put_metric_data(
            Namespace='MyApp', MetricData=[
                {'MetricName': 'Memory Available', 'Timestamp': MINUTE,
                 'Values': [1, 3], 'Counts': [1, 1]}])
        program.write_text('#!/bin/sh\nexec /usr/bin/aws --no-cli-pager '
                           f'--output json --endpoint-url {service.url} "$@"\n')
        program.chmod(0o700)

        def run(start):
            (line,) = [block for block in blocks() if block.startswith(start)]
            done = subprocess.run(
                ['/bin/sh', '-ec', line], capture_output=True, text=True,
                timeout=60, env={
                    'PATH': f'{tmp_path}:/usr/bin:/bin', 'HOME': str(tmp_path),
                    'AWS_ACCESS_KEY_ID': KEY, 'AWS_SECRET_ACCESS_KEY': SECRET,
                    'AWS_MAX_ATTEMPTS': '1'})
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)

        (metric,) = run('aws cloudwatch list-metrics --region')['Metrics']
        assert metric['MetricName'] == 'Memory Available'
        (point,) = run('aws cloudwatch get-metric-stat')['Datapoints']
        assert (point['SampleCount'], point['Average']) == (2, 2)


# ---- in the daemon -----------------------------------------------------------

def test_services_section(tmp_path):
    """The files of two examples lead to the service and its keys."""
    keys = 'AKIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
    credentials = tmp_path / 'credentials'
    credentials.write_text(block_with('[keys]').replace('[keys]', '[default]'))
    with Scene(tmp_path / 'run') as scene:
        scene.secrets.add(keys[1])
        service = scene.service(credentials={keys[0]: (keys[1], None)},
                                region='eu-west-1')
        text = block_with('[services inside]')
        assert 'https://cloudwatch.example.com' in text
        (tmp_path / 'config').write_text(
            text.replace('https://cloudwatch.example.com', service.url))
        daemon = scene.start(
            config(None, Region=None, AccessKeyId=None, SecretAccessKey=None),
            environment={'AWS_CONFIG_FILE': str(tmp_path / 'config'),
                         'AWS_SHARED_CREDENTIALS_FILE': str(credentials)})
        publish(daemon, load=1)
        assert service.wait_datums(1, 10)[0]['AccessKey'] == keys[0]
