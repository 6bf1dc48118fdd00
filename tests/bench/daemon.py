#!/usr/bin/python3
"""What our plugin costs in the real daemon, beside collectd's own writers: the
rows of the table of `make bench` that need one.

    builddir=... tests/bench/daemon.py [cpu] [memory] [hang] [small_host]

prints a line of JSON for each row:

    {"row": what, "budget": "<= 0.25 x", "limit": 0.25, "measured": 0.18,
     "ours": "1.1 us", "baseline": "6.2 us", "runs": 5}

budget and limit are null where there is none; measured has the unit of limit.
Figures are medians of so many runs, each of which has every configuration once,
so that what else the machine does meets them alike; what has no budget is left
out of the last runs.
"""

import contextlib
import dataclasses
import functools
import json
import pathlib
import statistics
import sys
import tempfile
import time

from fleet import (METRIC, PER_MINUTE, WRITE_THREADS, anonymous_bytes, ask,
                   cpu_s, fleet, ours, processors_apart, wait_count)
from daemon import Daemon  # of tests/e2e
from probe import Probe
from silent import Silent
from sink import Sink
import small_host

RUNS = 5
RUNS_BESIDE = 3  # of what has no budget
MIB = 1024 * 1024


def row(what, measured, limit=None, unit='x', ours='', baseline='',
        runs=RUNS):
    budget = None if limit is None else f'<= {limit} {unit}'
    print(json.dumps({'row': what, 'budget': budget, 'limit': limit,
                      'measured': round(measured, 3), 'unit': unit,
                      'ours': ours, 'baseline': baseline, 'runs': runs}),
          flush=True)


def median(runs, take, *names):
    """Over the runs that have these."""
    return statistics.median(take(run) for run in runs
                             if all(name in run for name in names))


def repeat(measure, names, beside=()):
    """[{name: what measure(folder, name) returns}] of all runs."""
    runs = []
    for i in range(RUNS):
        runs.append({})
        for name in [*names, *(beside if i < RUNS_BESIDE else ())]:
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


@dataclasses.dataclass(frozen=True)
class Writer:
    write: callable  # the configuration for a port
    kind: str  # of sink
    closes: bool = False
    counts_each: bool = True  # the sink counts each value, not each datum


def over_http(form, size, closes=False):
    return Writer(lambda port: write_http(port, form, size), form.lower(),
                  closes)


OURS = 'ours'
NO_OP = 'no-op writer'  # that of source.c, which the others have as well
# The peer ends each connection after an answer, as one that speaks HTTP/1.0
# does (Python's http.server, for one).  With that one write_http comes to the
# figures that the budget was made for, 4 to 5 us above a no-op writer; one that
# keeps connections stands beside it.
BASELINE = 'write_http Command 4 KiB'
WRITERS = {
    NO_OP: Writer(lambda port: '', 'data'),
    OURS: Writer(ours, 'data', counts_each=False),
    BASELINE: over_http('Command', 4096, closes=True),
    f'{BASELINE}, a kept connection': over_http('Command', 4096),
    'write_http Command 64 KiB': over_http('Command', 65536),
    'write_http JSON 4 KiB': over_http('JSON', 4096),
    'write_http JSON 64 KiB': over_http('JSON', 65536),
    'write_graphite': Writer(write_graphite, 'graphite'),
}


@contextlib.contextmanager
def written(folder, name, series, **how):
    """A daemon with that writer, and a function that has it write so many
    minutes, each flushed and delivered before the next."""
    writer = WRITERS[name]
    with Sink(writer.kind, closes=writer.closes) as sink, \
         fleet(folder, writer.write(sink.port), series, name == OURS,
               **how) as daemon:
        due = 0

        def minutes(count):
            nonlocal due
            for _ in range(count):
                ask(daemon, PER_MINUTE)
                daemon.command('FLUSH', timeout=60)
                if name != NO_OP:
                    due += series * (PER_MINUTE if writer.counts_each else 1)
                    wait_count(sink, due)
        yield daemon, minutes


# --- CPU ---------------------------------------------------------------------

CPU_SERIES = 10000
CPU_MINUTES = 4
# The budget is judged with one write thread on a processor of the daemon's own,
# where nobody waits for a lock or for another's cache.
# With five they wait for those of the daemon, and most with the no-op writer,
# so a part of what any other adds does not show in the difference.
FIVE = f', {WRITE_THREADS} write threads'


def measure_cpu(folder, name, give_processor):
    """Seconds per value.  The first minute, in which identifiers are learnt,
    does not count."""
    threads = WRITE_THREADS if name.endswith(FIVE) else 1
    with written(folder, name.removesuffix(FIVE), CPU_SERIES,
                 threads=threads) as (daemon, minutes):
        give_processor(daemon)
        minutes(1)
        began = cpu_s(daemon)
        minutes(CPU_MINUTES)
        used = cpu_s(daemon) - began
    return used / (CPU_SERIES * PER_MINUTE * CPU_MINUTES)


def compare_cpu(seen, name, threads='', **how):
    """The row of our plugin beside a writer, each above the no-op writer."""
    name, us, none = name + threads, OURS + threads, NO_OP + threads

    def show(one):
        above = median(seen, lambda run: run[one] - run[none], one, none)
        return f'{above * 1e6:.2f} us'

    ratio = median(seen, lambda run: (run[us] - run[none]) /
                   (run[name] - run[none]), name, us, none)
    what = 'daemon CPU per value, 10,000 series: ours /' if 'limit' in how \
        else '  ours /'
    row(f'{what} {name}', ratio, ours=show(us), baseline=show(name), **how)


def cpu():
    judged = [NO_OP, OURS, BASELINE]
    beside = [name for name in WRITERS if name not in judged]
    with processors_apart() as give:
        seen = repeat(functools.partial(measure_cpu, give_processor=give),
                      judged, beside + [name + FIVE for name in judged])
    compare_cpu(seen, BASELINE, limit=0.25)
    for name in beside:
        compare_cpu(seen, name, runs=RUNS_BESIDE)
    compare_cpu(seen, BASELINE, FIVE, runs=RUNS_BESIDE)
    for name in (NO_OP, NO_OP + FIVE):
        row(f'  the daemon with the {name}',
            median(seen, lambda run: run[name] * 1e6, name), unit='us',
            runs=RUNS if name in judged else RUNS_BESIDE)


# --- memory ------------------------------------------------------------------

MEMORY_SERIES = 100000
MEMORY_MINUTES = {NO_OP: 2, OURS: 3}  # the former holds nothing


def measure_memory(folder, name):
    """Bytes at rest, after so many flushes.  Few values wait in the daemon's
    own queue, whose memory would be most of it."""
    with written(folder, name, MEMORY_SERIES, ahead=1000) as (daemon, minutes):
        minutes(MEMORY_MINUTES[name])
        time.sleep(0.5)
        return anonymous_bytes(daemon)


def memory():
    runs = repeat(measure_memory, MEMORY_MINUTES)
    above = median(runs, lambda run: run['ours'] - run[NO_OP]) / MIB
    row('memory, 100,000 series, above a no-op writer', above, 64, 'MiB',
        f"{median(runs, lambda run: run['ours']) / MIB:.1f} MiB",
        f'{median(runs, lambda run: run[NO_OP]) / MIB:.1f} MiB')


# --- an endpoint that hangs --------------------------------------------------

HANG_SERIES, HANG_ROUNDS = 1000, 30


def measure_hang(folder, name):
    """p99 of the write callback in ns, while the plugin flushes each second.
    The endpoint is well, or takes a request and never answers."""
    probe = Probe(HANG_SERIES, HANG_ROUNDS, interval=0.1)
    metric = METRIC.replace('source', 'probe')
    with Silent() if name == 'hangs' else Sink('data') as peer:
        text = ours(peer.port, metric, FlushInterval=1, ShutdownTimeout=0.5)
        with Daemon(folder, text, probe=probe, write_threads=5) as daemon:
            seen = probe.finish(daemon)
    assert seen.received == HANG_SERIES * HANG_ROUNDS
    return seen.p99_ns


def hang():
    runs = repeat(measure_hang, ('well', 'hangs'))
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
