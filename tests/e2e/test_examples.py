"""The files of collectd.conf.d, as they are, in the real daemon.

Each is included unchanged into a configuration that has nothing else to do
with CloudWatch; credentials, region and endpoint come from the environment.
What arrives is compared with what the kernel says meanwhile.  Time runs thirty
times as fast (libfaketime) where an example sends once a minute.
"""

import contextlib
import glob
import math
import os
import pathlib
import re
import shutil
import socket
import threading
import time

import pytest

from cloudwatch import Service
from daemon import Daemon, find_plugin_folder

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / 'collectd.conf.d'
KEY, SECRET = 'AKIDEXAMPLE', 'dummy'
SPEED = 30
MIB = 1 << 20
CROWD = 60
SLACK_MIB = 64  # what another process may take between two of our looks
SUMMED = ('MemFree', 'Buffers', 'Cached', 'SReclaimable')


# ---- the daemon --------------------------------------------------------------

class Example(Daemon):
    """A daemon that includes one file and has collectd's own defaults else."""

    def __init__(self, folder, file, service, clock=None):
        plugins = folder / 'plugins'
        plugins.mkdir(parents=True)
        for name in re.findall(r'LoadPlugin "?(\w+)', file.read_text()):
            if name != 'write_cloudwatch':  # the daemon has one folder at a time
                shutil.copy(f'{find_plugin_folder()}/{name}.so', plugins)
        super().__init__(
            folder, f'PluginDir "{plugins}"\nInclude "{file}"',
            load_options=None, interval=10, environment={
                'AWS_ACCESS_KEY_ID': KEY, 'AWS_SECRET_ACCESS_KEY': SECRET,
                'AWS_REGION': 'eu-west-1',
                'AWS_ENDPOINT_URL_CLOUDWATCH': service.url,
                **(clock.environment() if clock else {})})


class FastClock:
    """Time that runs faster from now on, for the daemon and the service."""

    def __init__(self):
        self.begin = time.time()

    def now(self):
        return self.begin + (time.time() - self.begin) * SPEED

    def environment(self):
        library = glob.glob('/usr/lib/*/faketime/libfaketimeMT.so.1')
        assert library, 'install faketime'
        preload = [os.environ.get('COLLECTD_PRELOAD', ''), library[0]]
        # The daemon's clock begins with its process.
        return {'LD_PRELOAD': ' '.join(filter(None, preload)),
                'FAKETIME': f'+{self.now() - time.time():.0f} x{SPEED}',
                'FAKETIME_DONT_FAKE_MONOTONIC': '0'}


# ---- what the kernel says ----------------------------------------------------

def meminfo():
    """The lines of /proc/meminfo in MiB."""
    lines = re.findall(r'(\w+): +(\d+) kB', open('/proc/meminfo').read())
    return {name: int(number) * 1024 / MIB for name, number in lines}


def memory_sum():
    now = meminfo()
    return sum(now[name] for name in SUMMED)


def memory_available():
    return meminfo()['MemAvailable']


def sockets_used():
    text = open('/proc/net/sockstat').read()
    return int(re.search(r'sockets: used (\d+)', text).group(1))


def established():
    """TCP connections in state 1, ESTABLISHED."""
    return sum(line.split()[3] == '01'
               for name in ('tcp', 'tcp6')
               for line in open(f'/proc/net/{name}').readlines()[1:])


class Watch:
    """The range of a number of the kernel while the block runs."""

    def __init__(self, *looks):
        self.seen = {look: [look()] for look in looks}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._stop.wait(0.02):
            for look, seen in self.seen.items():
                seen.append(look())

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def check(self, look, values, slack):
        least, most = min(self.seen[look]), max(self.seen[look])
        for value in values:
            assert least - slack <= value <= most + slack, (
                f'{look.__name__}: {value}, seen {least} to {most}')


@pytest.fixture(scope='module', autouse=True)
def crowd():
    """So many connections and other sockets that a wrong count stands out."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(
            socket.create_server(('127.0.0.1', 0), backlog=CROWD))
        for _ in range(CROWD):
            stack.enter_context(
                socket.create_connection(listener.getsockname()))
            stack.enter_context(listener.accept()[0])
            for end in socket.socketpair():
                stack.enter_context(end)
        yield


def values(datum):
    if 'Value' in datum:
        return [datum['Value']]
    return [value for value, count in zip(datum['Values'], datum['Counts'])
            for _ in range(int(count))]


def check_datums(datums, resolution):
    """All are one of the two metrics, without dimensions."""
    units = {'Sockets Used': 'Count', 'Memory Available': 'Megabytes'}
    for datum in datums:
        assert datum['Namespace'] == 'MyApp'
        assert datum['Unit'] == units[datum['MetricName']]
        assert datum['Dimensions'] == {}
        assert datum['StorageResolution'] == resolution
        assert datum['SignatureVerified']
    assert {datum['MetricName'] for datum in datums} == set(units)


def of(datums, name):
    return [datum for datum in datums if datum['MetricName'] == name]


def troubles(daemon):
    return [line for line in daemon.log.splitlines()
            if 'write_cloudwatch' in line
            and re.match(r'\[(warning|error)\]', line)]


# ---- the examples ------------------------------------------------------------

def run_minutes(folder, name, *looks):
    """Runs an example until it has sent four times; returns what arrived and
    the watch."""
    clock = FastClock()
    with Service(credentials={KEY: (SECRET, None)}, region='eu-west-1',
                 now=clock.now) as service, Watch(*looks) as watch:
        with Example(folder, EXAMPLES / name, service, clock) as daemon:
            datums = service.wait_datums(8, 60)
        refused = [request.code for request in service.requests
                   if request.status != 200]
    assert refused == []
    assert troubles(daemon) == []
    return datums[:8], watch


def check_minutes(datums):
    """Whole minutes, one after the other, six samples in each but the first,
    in which the daemon was started."""
    for name in ('Sockets Used', 'Memory Available'):
        found = of(datums, name)
        times = [datum['Timestamp'] for datum in found]
        assert times == [times[0] + 60 * i for i in range(4)]
        assert times[0] % 60 == 0
        # A read may fall into the neighbouring minute.
        assert all(4 <= len(values(datum)) <= 7 for datum in found[1:]), found


def test_shortest(tmp_path):
    datums, watch = run_minutes(tmp_path, 'write_cloudwatch.conf',
                                memory_sum, established)
    check_datums(datums, 60)
    check_minutes(datums)
    for datum in datums:
        if datum['MetricName'] == 'Sockets Used':
            watch.check(established, values(datum), 20)
        else:
            watch.check(memory_sum, values(datum), SLACK_MIB)


def test_exact(tmp_path):
    datums, watch = run_minutes(tmp_path, 'write_cloudwatch-exact.conf',
                                memory_available, sockets_used)
    check_datums(datums, 60)
    check_minutes(datums)
    for datum in datums:
        if datum['MetricName'] == 'Sockets Used':
            watch.check(sockets_used, values(datum), 20)
            continue
        watch.check(memory_available, values(datum), SLACK_MIB)
        for value in values(datum):  # whole kB, nothing rounded
            assert math.modf(value * 1024)[0] == 0, value


def test_fast(tmp_path):
    with Service(credentials={KEY: (SECRET, None)}, region='eu-west-1'
                 ) as service, Watch(memory_sum, established) as watch:
        with Example(tmp_path, EXAMPLES / 'write_cloudwatch-fast.conf',
                     service) as daemon:
            datums = service.wait_datums(8, 30)
            began = time.time()
            service.wait_datums(len(datums) + 4, 10)
            assert time.time() - began < 5  # two metrics a second
    check_datums(datums, 1)
    assert troubles(daemon) == []
    for name, look, slack in (('Sockets Used', established, 20),
                              ('Memory Available', memory_sum, SLACK_MIB)):
        times = [datum['Timestamp'] for datum in of(datums, name)]
        assert times == list(range(times[0], times[0] + len(times)))
        for datum in of(datums, name):
            assert 'Value' in datum
            watch.check(look, values(datum), slack)


def test_shortest_is_that_of_the_manual():
    """SYNOPSIS and the active lines of the example are the same."""
    text = (EXAMPLES / 'write_cloudwatch.conf').read_text()
    manual = (EXAMPLES.parent / 'man/collectd-write_cloudwatch.pod').read_text()
    synopsis = manual.split('=head1 SYNOPSIS')[1].split('=head1')[0]

    def active(lines):
        return [line.strip() for line in lines.splitlines()
                if line.strip() and not line.strip().startswith('#')]
    assert active(text) == active(synopsis)


# ---- every option ------------------------------------------------------------

OPTION = re.compile(r'( *)#( *)(</?[A-Z]\w*.*>|[A-Z]\w* .*)$')
# What stands alone is an error, as it should be.
PARTNERS = {'AccessKeyId': ('SecretAccessKey',),
            'SecretAccessKey': ('AccessKeyId',),
            'SessionToken': ('AccessKeyId', 'SecretAccessKey'),
            'ExternalId': ('RoleArn',), 'RoleSessionName': ('RoleArn',),
            'RoleDuration': ('RoleArn',),
            'DimensionSet': ('Dimension',)}


def commented():
    """The commented options of write_cloudwatch.conf, in order: number of the
    line, name (in a block "Node Region"), numbers of the lines that open and
    close the block."""
    result, block, tags = [], '', []
    lines = (EXAMPLES / 'write_cloudwatch.conf').read_text().splitlines()
    for number, line in enumerate(lines):
        # An option follows the # at once, or is indented in a block; "# Text"
        # is prose.
        found = OPTION.match(line)
        if not found or (not block and found[2]):
            continue
        if found[3].startswith('</'):
            tags.append(number)
            block = ''
            continue
        name = re.match(r'<?(\w+)', found[3])[1]
        if found[3].startswith('<'):
            block, tags = name, [number]
            result.append((number, name, tags))
        else:
            result.append((number, f'{block} {name}'.strip(),
                           tags if block else []))
    return result


def uncomment(chosen):
    """The text of write_cloudwatch.conf with these options, and what belongs to
    them, made active."""
    options = commented()
    lines = (EXAMPLES / 'write_cloudwatch.conf').read_text().splitlines()
    names = {name for name in chosen for name in (name, *PARTNERS.get(name, ()))}
    numbers = set()
    for number, name, tags in options:
        if name in names:
            numbers |= {number, *tags}
    for number in numbers:
        lines[number] = lines[number].replace('#', '', 1)
    return '\n'.join(lines) + '\n'


NAMES = [name for _, name, _ in commented()]


def test_options_are_found():
    assert len(NAMES) == len(set(NAMES)) > 40


def check_loads(folder, text):
    """The daemon starts with it, says nothing of a mistake, and a destination
    is there."""
    file = folder / 'uncommented.conf'
    # Spool and status file of this machine's own daemon are none of ours.
    file.write_text(text.replace('/var/lib/collectd/', f'{folder}/'))
    file.chmod(0o640)
    with Service(credentials={KEY: (SECRET, None)}) as service:
        daemon = Example(folder / 'run', file, service).start()
        try:
            log = daemon.log
        finally:
            daemon.kill()
    assert re.search(r'write_cloudwatch plugin: (prod: )?flushes every', log), log
    assert '[error]' not in log


@pytest.mark.parametrize('name', NAMES)
def test_one_option(tmp_path, name):
    text = uncomment([name])
    assert text != uncomment([])
    check_loads(tmp_path, text)


def test_all_options(tmp_path):
    text = uncomment(NAMES)
    assert not [line for line in text.splitlines() if OPTION.match(line)
                and not line.lstrip().startswith('# ')]
    check_loads(tmp_path, text)


def test_a_bad_option_is_seen(tmp_path):
    """The check above can fail."""
    text = uncomment(['Metric Unit']).replace('Unit "None"', 'Unit "none"')
    with pytest.raises(AssertionError, match='did you mean "None"'):
        check_loads(tmp_path, text)
