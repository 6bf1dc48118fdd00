"""fleet: daemons that are given the values of many hosts (source.c), and what
they need.

    with fleet(folder, writer, series=10000, is_ours=True) as daemon:
        ask(daemon, rounds=6)
        cpu_s(daemon), anonymous_bytes(daemon)
"""

import contextlib
import os
import pathlib
import re
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'e2e'))

from daemon import Daemon, find_built, load  # noqa: E402

WRITE_THREADS = 5  # collectd's default
STEP_S = 10
PER_MINUTE = 60 // STEP_S
METRIC = '''<Metric "%{type_instance}">
Plugin "source"
Dimension "Host" "%{host}"
Dimension "Instance" "%{plugin_instance}"
</Metric>'''


def key_of(i):
    """As sink.py names series i of source.c."""
    return f'value-{i % 10}/host{i // 100:04}/{i % 100 // 10}'


def value_of(i, n):
    """Of series i in round n."""
    return (7919 * i + 104729 * n) % 100003 / 8


def ours(port, metric=METRIC, **options):
    """A block of our plugin that sends to a sink, and flushes when it is asked
    to."""
    options = {'Region': 'eu-west-1', 'AccessKeyId': 'AKIDEXAMPLE',
               'SecretAccessKey': 'secretEXAMPLEsecret',
               'Endpoint': f'http://127.0.0.1:{port}', 'FlushInterval': 3600,
               'FlushJitter': 0, 'MaxMetrics': 200000, 'BackfillRate': 0,
               'BufferLimit': 100,  # 1 KiB for each of 100,000 series
               **options}
    lines = [f'{name} "{value}"' if isinstance(value, str)
             else f'{name} {value}' for name, value in options.items()]
    return '\n'.join(['<Plugin write_cloudwatch>', metric, *lines,
                      '</Plugin>', ''])


def source(folder, **options):
    """The lines that load source.c, to stand last."""
    module = folder / 'plugins' / 'source.so'
    module.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(find_built('tests/bench/.libs/source.so'), module)
    lines = [f'{name} {value}' for name, value in options.items()]
    interval = f'Interval {STEP_S}'
    return '\n'.join([load(module, interval), '<Plugin source>', *lines,
                      '</Plugin>', ''])


@contextlib.contextmanager
def fleet(folder, writer, series, is_ours, ahead=None,
          threads=WRITE_THREADS):
    """A daemon whose rounds are asked for.  They begin some hours ago, at a
    full minute."""
    begin = int(time.time()) // 60 * 60 - 4 * 3600
    text = writer + source(folder, Series=series, Begin=begin, Step=STEP_S,
                           Ahead=ahead or series)
    with Daemon(folder, text, load_options='' if is_ours else None,
                interval=STEP_S, write_threads=threads) as daemon:
        yield daemon
    assert daemon.status == 0, daemon.log


def ask(daemon, rounds):
    """Returns when they are written."""
    daemon.command(f'FLUSH plugin="source" timeout={rounds}', timeout=300)


def wait_count(sink, count, timeout=120):
    """Waits until the sink has counted so many, and no more."""
    end = time.monotonic() + timeout
    while (seen := sink.read()['count']) < count:
        assert time.monotonic() < end, f'{seen} of {count}'
        time.sleep(0.01)
    assert seen == count, f'{seen}, which is more than {count}'


def cpu_s(daemon):
    """User and system time of the daemon so far, to the nanosecond."""
    return time.clock_gettime(~daemon.pid << 3 | 2)  # clock_getcpuclockid()


@contextlib.contextmanager
def processors_apart():
    """A function that gives a daemon one processor of its own, while all else
    of ours has the others: what the daemon's threads lose by taking memory
    from each other's caches is much, and different each time."""
    mine, *others = whole = sorted(os.sched_getaffinity(0))

    def give(daemon):
        for thread in os.listdir(f'/proc/{daemon.pid}/task'):
            os.sched_setaffinity(int(thread), {mine})
    try:
        os.sched_setaffinity(0, others or {mine})
        yield give
    finally:
        os.sched_setaffinity(0, whole)


def anonymous_bytes(daemon):
    text = pathlib.Path(f'/proc/{daemon.pid}/smaps_rollup').read_text()
    return int(re.search(r'^Anonymous: *(\d+) kB', text, re.M)[1]) * 1024
