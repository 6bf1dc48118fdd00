"""While an endpoint hangs: other write plugins lose nothing, our write callback
takes no longer, memory and disk keep their limits, and the daemon stops in
time.  Run with -s, it shows the figures."""

import collections
import csv
import pathlib
import re
import socket
import time

import pytest

from nameserver import NameServer
from probe import Probe
from scene import answered, config, node, publish

HOST = '127.0.0.1'
PROBED = '<Metric "m-%{type_instance}">\nPlugin "probe"\n</Metric>'
MS = 1000000  # ns


# ---- what hangs --------------------------------------------------------------

class Silent:
    """A port whose connections the kernel accepts, and nobody answers."""

    def __init__(self, scene):
        self.socket = scene.network.run(
            lambda: socket.create_server((HOST, 0)))
        self.port = self.socket.getsockname()[1]
        self.how = {}  # of the daemon that asks

    def stop(self):
        self.socket.close()


class Full(Silent):
    """A port that cannot be connected to, as nobody accepts and its queue is
    full."""

    def __init__(self, scene):
        super().__init__(scene)
        self.socket.listen(0)
        self.waiting = [scene.network.run(socket.socket) for _ in range(2)]
        for one in self.waiting:
            one.setblocking(False)
            one.connect_ex((HOST, self.port))

    def stop(self):
        super().stop()
        for one in self.waiting:
            one.close()


class Nameless(Silent):
    """A name that no server tells, as long as the resolver may wait."""

    def __init__(self, scene):
        super().__init__(scene)
        self.names = NameServer(scene.network, scene.folder,
                                patience='timeout:5 attempts:2')
        self.names.fails = NameServer.SILENT
        self.how = {'wrapper': self.names.wrapper}

    def stop(self):
        super().stop()
        self.names.stop()


# What hangs, and how it is asked.
HANGS = {'name': (Nameless, 'https://monitoring.test'),
         'connection': (Full, 'http://127.0.0.1'),
         'handshake': (Silent, 'https://127.0.0.1'),
         'answer': (Silent, 'http://127.0.0.1')}


@pytest.fixture
def hang(island):
    """Makes what hangs so: its URL, and how to start a daemon that asks."""
    servers = []

    def make(where):
        kind, url = HANGS[where]
        servers.append(kind(island))
        return f'{url}:{servers[-1].port}', servers[-1].how
    yield make
    for server in servers:
        server.stop()


MARGIN_S = 5  # for a busy machine; Timeout is 20 s


def stop_in_time(daemon, limit_s):
    began = time.monotonic()
    daemon.stop()
    assert time.monotonic() - began < limit_s + MARGIN_S, daemon.log


# ---- others lose nothing, and do not wait ------------------------------------

SERIES, ROUNDS = 400, 25
EACH = list(range(1, ROUNDS + 1))


def written_by_csv(daemon):
    """{series: values in the order of their coming} of the probe."""
    found = collections.defaultdict(list)
    for path in sorted((daemon.folder / 'csv/testhost/probe').iterdir()):
        series = int(path.name.split('-')[1])  # gauge-0-2026-01-01
        with path.open(newline='') as file:
            found[series] += [float(row['value'])
                              for row in csv.DictReader(file)]
    return found


def run_beside(scene, url, **how):
    """A daemon that has two more write plugins, the probe and csv: both get
    every value.  Returns it, and what the probe has seen."""
    probe = Probe(SERIES, ROUNDS, interval=0.1)
    daemon = scene.start(
        config(None, metric=PROBED, Endpoint=url, FlushInterval=1),
        before='LoadPlugin csv\n<Plugin csv>\nDataDir "csv"\n</Plugin>',
        probe=probe, **how)
    seen = probe.finish(daemon)
    daemon.stop()
    assert seen.dispatched == seen.received == SERIES * ROUNDS
    assert seen.sum == SERIES * sum(EACH)
    assert written_by_csv(daemon) == dict.fromkeys(range(SERIES), EACH)
    return daemon, seen


@pytest.mark.parametrize('where', HANGS)
def test_others_lose_nothing_and_do_not_wait(island, hang, where):
    service = island.service()
    _, well = run_beside(island, service.url)
    url, how = hang(where)
    daemon, hanging = run_beside(island, url, **how)
    print(f'\n{"well":>10}: {well}\n{where:>10}: {hanging}')
    assert sum(request.accepted for request in answered(service)) >= SERIES
    daemon.wait_for(r'\d+ data could not be sent before the stop and are lost')
    assert well.p99_ns < MS and hanging.p99_ns < MS
    # Whoever waits for the endpoint waits for Timeout, 20 s.
    assert hanging.max_ns < 5000 * MS


# ---- memory and disk ---------------------------------------------------------

MIB = 1024 * 1024
LIMIT = 4  # MiB
# A service that is well needs as much: what grows beside that which waits is
# one request, and what the daemon knows of its values.
BESIDE = 4 * MIB
FLOOD = Probe(series=2000, interval=1)
FLOOD_S = 12
SIX_DATA = '\n'.join(f'<Metric "{i}-%{{type_instance}}">\nPlugin "probe"\n'
                     'StorageResolution 1\n</Metric>' for i in range(6))


def anonymous_bytes(daemon):
    text = pathlib.Path(f'/proc/{daemon.pid}/smaps_rollup').read_text()
    return int(re.search(r'^Anonymous: *(\d+) kB', text, re.M)[1]) * 1024


def disk_bytes(folder):
    """Whole blocks of what is there; files come and go meanwhile."""
    total = 0
    for path in folder.iterdir():
        try:
            total += path.stat().st_blocks * 512
        except FileNotFoundError:
            pass
    return total


def number(daemon, words):
    """The number that stands for # in words of the log; 0: they are not
    there."""
    found = re.search(words.replace('#', r'(\d+)'), daemon.log)
    return int(found[1]) if found else 0


@pytest.mark.parametrize('spooled', [False, True])
def test_memory_and_disk_keep_their_limits(island, hang, spooled):
    """Several times as much as may wait comes in."""
    url, how = hang('answer')
    spool = island.folder / 'spool'
    options = {'SpoolDirectory': str(spool), 'SpoolLimit': LIMIT}
    daemon = island.start(
        config(None, metric=SIX_DATA, Endpoint=url, FlushInterval=1, Timeout=1,
               BufferLimit=LIMIT, MaxMetrics=20000,
               **(options if spooled else {})), probe=FLOOD, **how)
    while FLOOD.look(daemon).received < 2 * FLOOD.series:
        time.sleep(0.1)
    begin = anonymous_bytes(daemon)
    memory, disk = [], [0]
    for _ in range(FLOOD_S * 5):
        time.sleep(0.2)
        memory.append(anonymous_bytes(daemon) - begin)
        if spooled:
            disk.append(disk_bytes(spool))
    stop_in_time(daemon, 2)  # the disk may be slow

    dropped = number(daemon, 'dropped by BufferLimit: #') + \
        number(daemon, 'by SpoolLimit: #')
    kept = number(daemon, '# data wait in ') if spooled else \
        number(daemon, '# data could not be sent before the stop')
    print(f'\n{"with" if spooled else "without"} a spool: {dropped} data '
          f'dropped, {kept} kept; {max(memory) / MIB:.1f} MiB more memory, '
          f'{max(disk) / MIB:.1f} MiB of disk')
    assert max(memory) < LIMIT * MIB + BESIDE
    assert max(disk) <= LIMIT * MIB
    assert dropped > 2 * kept > 10000


# ---- the end -----------------------------------------------------------------

@pytest.mark.parametrize('where', HANGS)
def test_stops_in_time(island, hang, where):
    url, how = hang(where)
    daemon = island.start(config(None, Endpoint=url, ShutdownTimeout=1), **how)
    publish(daemon, load=1)
    time.sleep(0.5)  # it asks
    stop_in_time(daemon, 1)
    daemon.wait_for('gave up the request to ')
    daemon.wait_for('1 data could not be sent before the stop and are lost')


def test_nodes_that_hang_stop_together(island, hang):
    """ShutdownTimeout holds for all of them."""
    asked = {where: hang(where) for where in HANGS}
    nodes = [node(where, None, Region='eu-west-1', Endpoint=url)
             for where, (url, _) in asked.items()]
    daemon = island.start(config(None, *nodes, ShutdownTimeout=1),
                          **asked['name'][1])
    publish(daemon, load=1)
    time.sleep(0.5)
    stop_in_time(daemon, 1)
    for where in HANGS:
        daemon.wait_for(f'{where}: 1 data could not be sent before the stop')


@pytest.mark.parametrize('where', HANGS)
def test_one_shot_ends_in_time(island, hang, where):
    """With something to send: the daemon throws away most of many values, as
    it does not wait for its write threads, but has begun to write."""
    url, how = hang(where)
    daemon = island.daemon(
        config(None, metric=PROBED, Endpoint=url, ShutdownTimeout=1),
        arguments=('-T',), probe=Probe(series=20000), **how)
    began = time.monotonic()
    daemon.run(20)
    assert time.monotonic() - began < 1 + MARGIN_S, daemon.log
    daemon.wait_for(r'\d+ data could not be sent before the stop and are lost')
