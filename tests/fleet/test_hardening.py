"""contrib/systemd: what systemd makes of the drop-in, and the daemon within its
limits (confine.py): each kind of credentials, spool, status file, and all
values of the two examples.  Then one line less, or other, and what is said."""

import contextlib
import json
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

import pytest

import confine
from faults import refuse
from network import Network
from scene import Scene, config, without_keys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DROP_IN = ROOT / 'contrib/systemd/collectd-write_cloudwatch.conf'
STOCK = pathlib.Path('/lib/systemd/system/collectd.service')
MANUAL = ROOT / 'man/collectd-write_cloudwatch.pod'
ROLE, TOKEN = 'arn:aws:iam::123456789012:role/web', 'web-identity-token'
NAMES = {'Sockets Used', 'Memory Available', 'Exact Sockets Used',
         'Exact Memory Available'}
CONNECTIONS = 3

# ---- what systemd says -------------------------------------------------------


def compose(folder, drop_in=None):
    """The unit of Debian, with the drop-in or without."""
    unit = folder / STOCK.name
    shutil.copyfile(STOCK, unit)
    if drop_in is not None:
        place = folder / f'{STOCK.name}.d'
        place.mkdir()
        (place / 'write_cloudwatch.conf').write_text(drop_in)
    return unit


def analyze(*words):
    return subprocess.run(['systemd-analyze', '--no-pager', *map(str, words)],
                          capture_output=True, text=True, timeout=60)


def verify(unit):
    """What systemd has to say against it."""
    done = analyze('verify', '--man=no', unit)
    return done.stdout + done.stderr


def exposure(unit):
    """Of ten; and the names of what counts."""
    done = analyze('security', '--offline=true', unit)
    rows = json.loads(analyze('security', '--offline=true', '--json=short',
                              unit).stdout)
    return (float(re.search(r'exposure level .*: ([\d.]+)', done.stdout)[1]),
            {row['json_field'] for row in rows if row['exposure']})


# What is open, and has to be.
OPEN = {
    'RootDirectoryOrRootImage', 'UserOrDynamicUser',
    'CapabilityBoundingSet_CAP_DAC_FOWNER_IPC_OWNER',
    'RestrictAddressFamilies_AF_NETLINK', 'RestrictAddressFamilies_AF_UNIX',
    'RestrictAddressFamilies_AF_INET_INET6', 'ProtectHome', 'ProcSubset',
    'PrivateNetwork', 'PrivateUsers', 'ProtectProc', 'DeviceAllow',
    'IPAddressDeny', 'PrivateMounts'}


def test_systemd_understands_each_line(tmp_path):
    assert verify(compose(tmp_path, DROP_IN.read_text())) == ''


def test_systemd_names_a_wrong_line(tmp_path):
    wrong = DROP_IN.read_text().replace('\nUMask=', '\nUMaks=')
    assert 'UMaks' in verify(compose(tmp_path, wrong))


def test_exposure(tmp_path):
    (tmp_path / 'stock').mkdir()
    stock, _ = exposure(compose(tmp_path / 'stock'))
    hardened, left = exposure(compose(tmp_path, DROP_IN.read_text()))
    print(f'systemd-analyze security: {stock} stock, {hardened} with the '
          'drop-in')
    assert hardened < 2.5 < 9 < stock
    assert left <= OPEN, left - OPEN


# ---- the daemon within -------------------------------------------------------

def examples():
    """What stands before our block in both examples, and their metrics; those
    of the exact one get names of their own."""
    before, metrics = '', ''
    for name, prefix in (('', ''), ('-exact', 'Exact ')):
        text = (ROOT / f'collectd.conf.d/write_cloudwatch{name}.conf'
                ).read_text()
        before += text[:text.index('<LoadPlugin')]
        metrics += '\n'.join(re.findall(
            r'(?ms)^  <Metric ".*?^  </Metric>', text)).replace(
                '<Metric "', f'<Metric "{prefix}') + '\n'
    return before, metrics


@contextlib.contextmanager
def folder_in(place):
    """One of our own, where the drop-in's paths are."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix='hardening-', dir=place))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def crowd(network):
    """So many connections within the network, both ends."""
    listener = network.run(lambda: socket.create_server(('127.0.0.1', 0)))
    ends = [network.run(lambda: socket.create_connection(
        listener.getsockname())) for _ in range(CONNECTIONS)]
    ends += [listener.accept()[0] for _ in range(CONNECTIONS)]
    try:
        yield
    finally:
        for end in [listener, *ends]:
            end.close()


class Host:
    """A scene below /var/lib/collectd, a user's home, and a service."""

    def __init__(self, scene, home):
        self.scene, self.home = scene, home
        self.service = scene.service()
        self.keys = scene.keyring.issue()

    def start(self, unit, make=without_keys, uses=(), files=None, **how):
        folder = self.scene.folder / 'daemon-0'
        before, metrics = examples()
        return self.scene.start(
            make(self.service, metric=metrics, FlushInterval=1,
                 SpoolDirectory=str(folder / 'spool')),
            before=before, wrapper=confine.wrapper(unit), uses=uses,
            files=files, **how)

    def users_file(self, text):
        """One of user nobody, with mode 0600, in a home."""
        self.home.chmod(0o700)
        path = self.home / 'credentials'
        path.write_text(text)
        path.chmod(0o600)
        for one in (path, self.home):
            shutil.chown(one, 'nobody')
        return {'AWS_SHARED_CREDENTIALS_FILE': str(path)}


@pytest.fixture
def host():
    with folder_in('/var/lib/collectd') as folder, folder_in('/home') as home:
        with Scene(folder, network=Network()) as scene:
            yield Host(scene, home)


def of_collectd(host):
    return {'files': {'.aws/credentials': host.keys.section('default')}}


def of_root(host):
    """~/.aws of root is another's on a machine like this; a home of root's."""
    path = host.home / 'credentials'
    path.write_text(host.keys.section('default'))
    path.chmod(0o600)
    return {'environment': {'AWS_SHARED_CREDENTIALS_FILE': str(path)}}


def of_a_user(host):
    return {'environment': host.users_file(host.keys.section('default'))}


def of_a_process(host):
    return {'files': {
        '.aws/config': '[default]\ncredential_process = {home}/helper\n',
        'keys.json': json.dumps(host.keys.process_document()),
        'helper': '#!/bin/sh\ncat {home}/keys.json\n'}}


def of_a_pod(host):
    sts = host.scene.sts()
    sts.role(ROLE, web=True)
    sts.web_tokens[TOKEN] = None
    host.users_file(TOKEN)
    return {'uses': [sts], 'environment': {
        'AWS_ROLE_ARN': ROLE,
        'AWS_WEB_IDENTITY_TOKEN_FILE': str(host.home / 'credentials')}}


SOURCES = [of_collectd, of_root, of_a_user, of_a_process, of_a_pod]


def wait(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, condition
        time.sleep(0.05)


def spooled(daemon):
    return list((daemon.folder / 'spool').glob('*.parcel'))


def limits(daemon):
    """What the kernel says of the daemon."""
    place = pathlib.Path(f'/proc/{daemon.pid}')
    status = dict(re.findall(r'(?m)^(\w+):\s+(.*)$',
                             (place / 'status').read_text()))
    core = re.search(r'(?m)^Max core file size +(\S+) +(\S+)',
                     (place / 'limits').read_text()).groups()
    return {'CapBnd': int(status['CapBnd'], 16),
            'CapEff': int(status['CapEff'], 16),
            'NoNewPrivs': status['NoNewPrivs'], 'Seccomp': status['Seccomp'],
            'Umask': status['Umask'], 'core': core}


def mib_of_memory():
    text = pathlib.Path('/proc/meminfo').read_text()
    return int(re.search(r'MemTotal: +(\d+)', text)[1]) / 1024


@pytest.mark.parametrize('source', SOURCES)
def test_daemon_within_limits(host, source):
    """While the service fails, data wait in the spool; then they arrive, and
    are what they should be."""
    host.service.always(refuse('InternalServiceError', status=500))
    with crowd(host.scene.network):
        daemon = host.start(confine.read(DROP_IN), **source(host))
        wait(lambda: spooled(daemon))
        host.service.always(None)
        assert host.service.wait_for(
            lambda: {datum['MetricName'] for datum in host.service.datums}
            == NAMES, 60), daemon.log
        assert limits(daemon) == {
            'CapBnd': 4, 'CapEff': 4, 'NoNewPrivs': '1', 'Seccomp': '2',
            'Umask': '0077', 'core': ('0', '0')}
    newest = {datum['MetricName']: datum for datum in host.service.datums}
    for name, datum in newest.items():
        low, high = {'Sockets': (2 * CONNECTIONS, 1e5),
                     'Memory': (1, mib_of_memory())}[name.split()[-2]]
        value = datum.get('Value', datum.get('Values', [None])[0])
        assert low <= value < high, (name, value)


# ---- one line less, or other -------------------------------------------------

def without(unit, name):
    assert name in dict(unit)
    return [line for line in unit if line[0] != name]


def other(unit, name, value):
    return [*without(unit, name), (name, value)]


def more(unit, name, value):
    return [*unit, (name, value)]


# label: (credentials, what is done to the unit, the log).
WORSE = {
    'nowhere to write': (
        of_collectd, (without, 'ReadWritePaths'),
        'the spool cannot be used: cannot make .* [(]Read-only file'),
    'no status file': (
        of_collectd, (without, 'ReadWritePaths'),
        'the status file cannot be written: .* [(]Read-only file system[)]'),
    "another's file": (
        of_a_user, (other, 'CapabilityBoundingSet', ''),
        'cannot read .*/credentials [(]Permission denied[)]: collectd runs as '
        'user root [(]0[)], who may not enter a folder above it'),
    "a pod's token": (
        of_a_pod, (other, 'CapabilityBoundingSet', ''),
        'web identity: cannot read .*/credentials [(]Permission denied[)]'),
    'no homes': (
        of_a_user, (other, 'ProtectHome', 'yes'),
        'no credentials found: .*/credentials'),
    'no program': (
        of_a_process, (more, 'SystemCallFilter', '~pipe pipe2'),
        'credential_process .* cannot be started [(]Operation not permitted'),
    'no IPv4': (
        of_collectd,
        (other, 'RestrictAddressFamilies', 'AF_UNIX AF_INET6 AF_NETLINK'),
        'cannot reach 127.0.0.1:'),
    'no sockets': (
        of_collectd, (more, 'SystemCallFilter', '~@network-io'),
        'cannot reach 127.0.0.1:'),
    'no netlink': (
        of_collectd,
        (other, 'RestrictAddressFamilies', 'AF_UNIX AF_INET AF_INET6'),
        'tcpconns plugin: .*Address family not supported'),
    'no /proc/meminfo': (
        of_collectd, (more, 'ProcSubset', 'pid'),
        'memory: fopen: No such file'),
}


@pytest.mark.parametrize('label', WORSE)
def test_without_it_fails(host, label):
    source, (change, *how), pattern = WORSE[label]
    host.service.always(refuse('InternalServiceError', status=500))
    daemon = host.start(change(confine.read(DROP_IN), *how), **source(host))
    daemon.wait_for(pattern)


# label: (the line, a program that it stops).  Python, as the calls are few.
STOPPED = {
    'capability': ('CapabilityBoundingSet', 'os.kill(other, 0)'),
    'the system': ('ProtectSystem', 'assert os.access("/usr", os.W_OK)'),
    '/tmp': ('PrivateTmp', 'assert os.path.exists(shared)'),
    'devices': ('PrivateDevices', 'assert os.path.exists("/dev/kmsg")'),
    '/proc/sys': ('ProtectKernelTunables',
                  'assert os.access("/proc/sys/vm/swappiness", os.W_OK)'),
    'control groups': ('ProtectControlGroups',
                       'assert os.access("/sys/fs/cgroup", os.W_OK)'),
    'families': ('RestrictAddressFamilies',
                 'assert error(socket.socket, socket.AF_PACKET) != 97'),
    'calls': ('SystemCallFilter', 'os.sched_setaffinity(0, {0})'),
    'namespaces': ('RestrictNamespaces',
                   'assert libc.unshare(0x10000000) == 0'),
    'memory': ('MemoryDenyWriteExecute', 'mmap.mmap(-1, 4096, prot=7)'),
    'personality': ('LockPersonality', 'assert libc.personality(8) != -1'),
    'set-uid': ('RestrictSUIDSGID', 'os.chmod(scratch, 0o4700)'),
    'mode': ('UMask', 'assert os.umask(0) == 0o22'),
    'core': ('LimitCORE',
             'assert resource.getrlimit(resource.RLIMIT_CORE)[0]'),
}
PROGRAM = """
import ctypes, mmap, os, resource, socket
scratch, shared, other = {scratch!r}, {shared!r}, {other}
libc = ctypes.CDLL(None)
def error(call, *arguments):
    try:
        call(*arguments)
    except OSError as why:
        return why.errno
{line}
"""


@pytest.mark.parametrize('label', STOPPED)
def test_each_line_stops_something(host, label, tmp_path):
    """And it alone: without it, the same program ends well."""
    name, line = STOPPED[label]
    scratch, shared = host.scene.folder / 'scratch', tmp_path / 'shared'
    for path in (scratch, shared):
        path.touch()
    with subprocess.Popen(
            ['setpriv', '--reuid=nobody', '--clear-groups', 'sleep', '60']
    ) as other_users:
        program = PROGRAM.format(scratch=str(scratch), shared=str(shared),
                                 other=other_users.pid, line=line)
        unit = confine.read(DROP_IN)
        ends = [subprocess.run(
            ['prlimit', '--core=4096', *confine.wrapper(one),
             '/usr/bin/python3', '-c', program],
            capture_output=True, text=True, timeout=60, check=False)
                for one in (unit, without(unit, name))]
        other_users.kill()
    assert [end.returncode for end in ends] == [1, 0], ends
