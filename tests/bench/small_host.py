"""small_host: what the plugin costs a host that publishes two metrics, as in
the shortest example of collectd.conf.d: memory and tcpconns are read six times
for each flush.

Time is shortened, a read each second; nothing else is: the endpoint speaks TLS,
and is to be verified by the system's authorities, to which that of the test is
added; the connection is gone at each flush, as it is after a minute.

ours is what write_cloudwatch.so has asked for and not given back (account.c, in
a daemon of its own), the pages of the module that are written to, and the used
part of its thread's stack.  What libcurl and libcrypto need, on behalf of it,
stands beside that.
"""

import collections
import dataclasses
import mmap
import pathlib
import re
import shutil
import struct
import sys
import tempfile
import time

from fleet import anonymous_bytes, cpu_s, ours

from authority import Authority
from daemon import Daemon, find_built
from sink import Sink

FLUSH_S = 6
FLUSHES = 4
BEFORE = '''LoadPlugin memory
LoadPlugin tcpconns
<Plugin tcpconns>
  AllPortsSummary true
</Plugin>
'''
METRICS = '''<Metric "Sockets Used">
Plugin "tcpconns"
PluginInstance "all"
TypeInstance "ESTABLISHED"
Unit "Count"
</Metric>
<Metric "Memory Available">
Plugin "memory"
Type "memory"
TypeInstance "/^(free|buffered|cached|slab_recl)$/"
Combine "sum"
Scale 0.00000095367431640625
Unit "Megabytes"
</Metric>'''
SYSTEM_AUTHORITIES = pathlib.Path('/etc/ssl/certs/ca-certificates.crt')


@dataclasses.dataclass(frozen=True)
class Seen:
    with_bytes: int
    without_bytes: int
    own_bytes: int
    flush_s: float
    by_owner: dict  # bytes on the heap


class Account:
    """See account.c."""

    _OWNER = struct.Struct('=56sq')
    _N_OWNERS = 64

    def __init__(self, folder):
        path = folder / 'account'
        path.write_bytes(bytes(self._OWNER.size * self._N_OWNERS))
        with path.open('r+b') as file:
            self._map = mmap.mmap(file.fileno(), 0)
        library = find_built('tests/bench/.libs/account.so')
        self.environment = {'LD_PRELOAD': str(library),
                            'ACCOUNT_FILE': str(path)}

    def read(self):
        """{name of the object: bytes}"""
        owners = [self._OWNER.unpack_from(self._map, i * self._OWNER.size)
                  for i in range(self._N_OWNERS)]
        return {name.rstrip(b'\0').decode() or 'others': n_bytes
                for name, n_bytes in owners if n_bytes}


def mapped(daemon):
    """(header, text) of each mapping."""
    text = pathlib.Path(f'/proc/{daemon.pid}/smaps').read_text()
    parts = re.split(r'(?m)^([0-9a-f]+-[0-9a-f]+ .*)$', text)[1:]
    return zip(parts[::2], parts[1::2])


def dirty_bytes(text):
    return int(re.search(r'(?m)^Anonymous: *(\d+) kB', text)[1]) * 1024


def own_pages_bytes(daemon):
    """Of the module's data, and of its thread's stack."""
    stacks = []
    for task in pathlib.Path(f'/proc/{daemon.pid}/task').iterdir():
        # All signals are blocked in our threads only.
        blocked = re.search(r'(?m)^SigBlk:\s*(\w+)',
                            (task / 'status').read_text())[1]
        if int(blocked, 16) & 1 << 14:  # SIGTERM
            stacks.append(int((task / 'syscall').read_text().split()[-2], 16))
    assert len(stacks) == 1, stacks
    total = 0
    for header, text in mapped(daemon):
        begin, end = (int(one, 16)
                      for one in header.split()[0].split('-'))
        if '/write_cloudwatch.so' in header or begin <= stacks[0] < end:
            total += dirty_bytes(text)
    return total


def wait_requests(sink, count, daemon):
    end = time.monotonic() + 60
    while sink.read()['requests'] < count:
        assert time.monotonic() < end, daemon.log
        time.sleep(0.05)


class Hosts:
    """Daemons of all runs: they do next to nothing, so they run at once."""

    def __init__(self, folder):
        self.folder = folder
        authority = Authority(folder)
        self.certificate = authority.issue('127.0.0.1')
        self.trusted = folder / 'trusted.pem'
        self.trusted.write_bytes(SYSTEM_AUTHORITIES.read_bytes() +
                                 pathlib.Path(
                                     authority.certificate).read_bytes())
        self.names = collections.Counter()

    def start(self, kind, sink=None, **how):
        self.names[kind] += 1
        config = '' if sink is None else ours(
            sink.port, METRICS, FlushInterval=FLUSH_S, MaxMetrics=1000,
            Namespace='MyApp', CACert=str(self.trusted),
            Endpoint=f'https://127.0.0.1:{sink.port}')
        return Daemon(self.folder / f'{kind}-{self.names[kind]}', config,
                      before=BEFORE, load_options=None if sink is None else '',
                      write_threads=5, **how).start()


def measure(runs):
    """[Seen]"""
    folder = pathlib.Path(tempfile.mkdtemp(prefix='bench-'))
    daemons = []
    try:
        return run(Hosts(folder), runs, daemons)
    finally:
        for daemon in daemons:
            daemon.kill()
        shutil.rmtree(folder)


def run(hosts, runs, daemons):
    account = Account(hosts.folder)
    how = {'closes': True, 'certificate': hosts.certificate}
    with Sink('data', **how) as sink, Sink('data', **how) as other:
        pairs = []
        for _ in range(runs):
            pairs.append((hosts.start('with', sink), hosts.start('without')))
            daemons += pairs[-1]
        counted = hosts.start('account', other,
                              environment=account.environment)
        daemons.append(counted)
        wait_requests(sink, runs, pairs[0][0])
        first = sink.read()['requests']
        before = [[cpu_s(one) for one in pair] for pair in pairs]
        wait_requests(sink, first + FLUSHES * runs, pairs[0][0])
        time.sleep(FLUSH_S / 2)
        after = [[cpu_s(one) for one in pair] for pair in pairs]
        by_owner = account.read()
        own = by_owner.get('write_cloudwatch.so', 0)
        assert own > 0, by_owner
        return [Seen(anonymous_bytes(one), anonymous_bytes(none),
                     own + own_pages_bytes(one),
                     (late[0] - early[0] - late[1] + early[1]) / FLUSHES,
                     by_owner)
                for (one, none), early, late in zip(pairs, before, after)]


if __name__ == '__main__':
    for seen in measure(int(sys.argv[1])):
        print(seen)
