#!/usr/bin/python3
"""What our plugin costs in the real daemon, beside collectd's own writers: the
rows of the table of `make bench` that need one.

    builddir=... tests/bench/daemon.py [cpu] [memory] [hang] [small_host]

prints a line of JSON for each row:

    {"row": what, "budget": "<= 0.25 x", "limit": 0.25, "measured": 0.18,
     "ours": "1.1 us", "baseline": "6.2 us", "runs": 5}

budget and limit are null where there is none; measured has the unit of limit.
Figures are medians of so many runs, each of which has every configuration once,
so that what else the machine does meets them alike.
"""

import contextlib
import json
import pathlib
import statistics
import sys
import tempfile
import time

from fleet import (METRIC, PER_MINUTE, anonymous_bytes, ask, cpu_s, fleet,
                   ours, wait_count)
from probe import Probe
from silent import Silent
from sink import Sink
import small_host

RUNS = 5
MIB = 1024 * 1024


def row(what, measured, limit=None, unit='x', ours='', baseline='',
        runs=RUNS):
    budget = None if limit is None else f'<= {limit} {unit}'
    print(json.dumps({'row': what, 'budget': budget, 'limit': limit,
                      'measured': round(measured, 3), 'unit': unit,
                      'ours': ours, 'baseline': baseline, 'runs': runs}),
          flush=True)


def median(runs, take):
    return statistics.median(take(run) for run in runs)


def repeat(measure, *names):
    """[{name: what measure(folder, name) returns}] of all runs."""
    runs = []
    for _ in range(RUNS):
        runs.append({})
        for name in names:
            with tempfile.TemporaryDirectory(prefix='bench-') as folder:
                runs[-1][name] = measure(pathlib.Path(folder), name)
    return runs


# --- writers -----------------------------------------------------------------

def write_http(port, form, size):
    return f'''LoadPlugin write_http
<Plugin write_http>
  <Node "sink">
    URL "http://127.0.0.1:{port}/"
    Format "{form}"
    BufferSize {size}
  </Node>
</Plugin>
'''


def write_graphite(port):
    return f'''LoadPlugin write_graphite
<Plugin write_graphite>
  <Node "sink">
    Host "127.0.0.1"
    Port "{port}"
    Protocol "tcp"
  </Node>
</Plugin>
'''


# name: (what its sink counts, configuration for a port, counts each value)
WRITERS = {
    'ours': ('data', ours, False),
    'write_http Command 4 KiB':
        ('command', lambda port: write_http(port, 'Command', 4096), True),
    'write_http Command 64 KiB':
        ('command', lambda port: write_http(port, 'Command', 65536), True),
    'write_http JSON 4 KiB':
        ('json', lambda port: write_http(port, 'JSON', 4096), True),
    'write_http JSON 64 KiB':
        ('json', lambda port: write_http(port, 'JSON', 65536), True),
    'write_graphite': ('graphite', write_graphite, True),
}
NO_OP = 'no-op writer'  # that of source.c, which the others have as well


@contextlib.contextmanager
def written(folder, name, series, **how):
    """A daemon with that writer, and a function that has it write so many
    minutes, each flushed and delivered before the next."""
    kind, write, counts_each = WRITERS.get(name, ('data', lambda port: '', 0))
    with Sink(kind) as sink, \
         fleet(folder, write(sink.port), series, name == 'ours',
               **how) as daemon:
        due = 0

        def minutes(count):
            nonlocal due
            for _ in range(count):
                ask(daemon, PER_MINUTE)
                if name == NO_OP:
                    continue
                due += series * (PER_MINUTE if counts_each else 1)
                daemon.command('FLUSH', timeout=60)
                wait_count(sink, due)
        yield daemon, minutes


# --- CPU ---------------------------------------------------------------------

CPU_SERIES = 10000
CPU_MINUTES = 6
BASELINE = 'write_http Command 4 KiB'


def measure_cpu(folder, name):
    """Seconds per value.  The first minute, in which identifiers are learnt,
    does not count."""
    with written(folder, name, CPU_SERIES) as (daemon, minutes):
        minutes(1)
        began = cpu_s(daemon)
        minutes(CPU_MINUTES)
        used = cpu_s(daemon) - began
    return used / (CPU_SERIES * PER_MINUTE * CPU_MINUTES)


def cpu():
    runs = repeat(measure_cpu, NO_OP, *WRITERS)

    def above(name):
        return median(runs, lambda run: run[name] - run[NO_OP])

    def ratio(name):
        return median(runs, lambda run: (run['ours'] - run[NO_OP]) /
                      (run[name] - run[NO_OP]))

    def show(name):
        return f'{above(name) * 1e6:.2f} us'

    row(f'daemon CPU per value, 10,000 series: ours / {BASELINE}',
        ratio(BASELINE), 0.25, ours=show('ours'), baseline=show(BASELINE))
    for name in WRITERS:
        if name not in ('ours', BASELINE):
            row(f'  ours / {name}', ratio(name), ours=show('ours'),
                baseline=show(name))
    row('  the daemon with the no-op writer',
        median(runs, lambda run: run[NO_OP] * 1e6), unit='us')


# --- memory ------------------------------------------------------------------

MEMORY_SERIES = 100000
MEMORY_MINUTES = 4


def measure_memory(folder, name):
    """Bytes at rest, after so many flushes.  Few values wait in the daemon's
    own queue, whose memory would be most of it."""
    with written(folder, name, MEMORY_SERIES, ahead=1000) as (daemon, minutes):
        minutes(MEMORY_MINUTES)
        time.sleep(0.5)
        return anonymous_bytes(daemon)


def memory():
    runs = repeat(measure_memory, NO_OP, 'ours')
    above = median(runs, lambda run: run['ours'] - run[NO_OP]) / MIB
    row('memory, 100,000 series, above a no-op writer', above, 64, 'MiB',
        f"{median(runs, lambda run: run['ours']) / MIB:.1f} MiB",
        f'{median(runs, lambda run: run[NO_OP]) / MIB:.1f} MiB')


# --- an endpoint that hangs --------------------------------------------------

HANG_SERIES, HANG_ROUNDS = 1000, 30


def measure_hang(folder, name):
    """p99 of the write callback in ns, while the plugin flushes each second.
    The endpoint is well, or takes a request and never answers."""
    from daemon import Daemon
    probe = Probe(HANG_SERIES, HANG_ROUNDS, interval=0.1)
    metric = METRIC.replace('source', 'probe')
    with Silent() if name == 'hangs' else Sink('data') as peer:
        text = ours(peer.port, metric, FlushInterval=1, ShutdownTimeout=0.5)
        with Daemon(folder, text, probe=probe, write_threads=5) as daemon:
            seen = probe.finish(daemon)
    assert seen.received == HANG_SERIES * HANG_ROUNDS
    return seen.p99_ns


def hang():
    runs = repeat(measure_hang, 'well', 'hangs')
    row('p99 of the write callback, endpoint hangs / is well',
        median(runs, lambda run: run['hangs'] / run['well']), 1.5,
        ours=f"{median(runs, lambda run: run['hangs']) / 1000:.1f} us",
        baseline=f"{median(runs, lambda run: run['well']) / 1000:.1f} us")


# --- a small host ------------------------------------------------------------

def small():
    runs = small_host.measure(RUNS)
    with_us = median(runs, lambda run: run.with_bytes) / MIB
    without = median(runs, lambda run: run.without_bytes) / MIB
    row('small host, anonymous memory above the daemon without the plugin',
        median(runs, lambda run: run.with_bytes - run.without_bytes) / MIB,
        4, 'MiB', f'{with_us:.2f} MiB', f'{without:.2f} MiB')
    row('  of it ours', median(runs, lambda run: run.own_bytes) / 1024,
        256, 'KiB')
    row('  CPU of a flush, with a handshake',
        median(runs, lambda run: run.flush_s) * 1000, 20, 'ms')


PARTS = {'cpu': cpu, 'memory': memory, 'hang': hang, 'small_host': small}

if __name__ == '__main__':
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
