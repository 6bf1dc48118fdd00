#!/usr/bin/python3
"""relay: the plugin in a real daemon that relays for 1,000 hosts, in real time.

    builddir=... tests/bench/relay.py [MINUTES]

100,000 series (source.c) are read every 10 seconds and flushed every 60, to an
endpoint that takes 100 ms for each answer.  Each minute is one line of a table.
In the end:

    delivered  each series has as many values as were read of it, and their sum
    queue      the daemon's own queue of values held one round at most, and was
               empty in each minute
    memory     anonymous memory at rest is flat from the minute of the second
               flush on

The exit status is 0 if all three are so.  The daemon is asked each second; what
its queue holds it says itself (CollectInternalStats).
"""

import pathlib
import re
import statistics
import sys
import tempfile
import time

from fleet import (PER_MINUTE, STEP_S, WRITE_THREADS, anonymous_bytes, cpu_s,
                   key_of, ours, source, value_of)
from daemon import Daemon
from sink import Sink

SERIES = 100000
LATENCY_S = 0.1
MIB = 1024 * 1024
GROWN = 1.05  # more is not flat


class Minute:
    """What was seen from one flush to the next."""

    def __init__(self, daemon, sink):
        self.queue, self.memory = [], []
        self.began_cpu_s, self.began = cpu_s(daemon), sink.read()

    def look(self, daemon):
        self.memory.append(anonymous_bytes(daemon) / MIB)
        try:
            text = daemon.command(
                'GETVAL testhost/collectd-write_queue/queue_length', 60)[1]
        except AssertionError:
            return  # not said yet
        self.queue.append(float(re.search(r'=(\S+)', text)[1]))

    def end(self, daemon, sink):
        self.cpu_s = cpu_s(daemon) - self.began_cpu_s
        now = sink.read()
        self.requests, self.data, self.values = (
            now[name] - self.began[name]
            for name in ('requests', 'count', 'values'))
        return self

    def __str__(self):
        queue = self.queue or [float('nan')]
        return (f'{min(queue):9,.0f} {max(queue):9,.0f}'
                f'{min(self.memory):9.1f} {max(self.memory):9.1f}'
                f'{self.cpu_s:8.1f} {self.requests:8} {self.data:8,} '
                f'{self.values:9,}')


HEAD = '''            the queue            MiB       CPU
minute   least      most    least      most       s requests     data    values
'''.rstrip()


def run(minutes):
    """[Minute], and what the sink has of each series."""
    rounds = minutes * PER_MINUTE
    with tempfile.TemporaryDirectory(prefix='bench-') as folder, \
         Sink('series', LATENCY_S) as sink:
        folder = pathlib.Path(folder)
        text = ours(sink.port, FlushInterval=60, BackfillRate=1) + \
            source(folder, Series=SERIES, Rounds=rounds)
        with Daemon(folder, text, before='CollectInternalStats true',
                    interval=1, write_threads=WRITE_THREADS) as daemon:
            table = list(watch(daemon, sink, rounds * SERIES, minutes + 3))
        print('\n'.join(line for line in daemon.lines
                        if re.match(r'\[(error|warning|notice)\].*cloudwatch',
                                    line)))
        return table, sink.read(series=True)['series']


def watch(daemon, sink, n_values, minutes_max):
    """A Minute for each, until all values have come, or cannot come any
    more."""
    print(HEAD, flush=True)
    for number in range(1, minutes_max + 1):
        minute = Minute(daemon, sink)
        # Requests of a flush at a full minute may take half of the next.
        end = (time.time() + 20) // 60 * 60 + 40
        while time.time() < end:
            minute.look(daemon)
            time.sleep(1)
        yield minute.end(daemon, sink)
        print(f'{number:6} {minute}', flush=True)
        if sink.read()['values'] >= n_values:
            return


# --- judgement ---------------------------------------------------------------

def judge_delivered(series, rounds):
    bad = 0
    for i in range(SERIES):
        want = [rounds, sum(value_of(i, n) for n in range(1, rounds + 1))]
        bad += series.get(key_of(i)) != want
    strange = len(series.keys() - {key_of(i) for i in range(SERIES)})
    return (bad + strange == 0,
            f'{SERIES - bad:,} of {SERIES:,} series have all of their '
            f'{rounds} values and their sum; {strange} others')


def judge_queue(table):
    most = max(max(minute.queue) for minute in table)
    least = max(min(minute.queue) for minute in table)
    return (most <= SERIES and least < SERIES / 100,
            f'{most:,.0f} values at most, {least:,.0f} at the quietest moment '
            'of each minute')


def judge_memory(table):
    """From the minute of the second flush on, the later half beside the
    earlier one: the median of what is held at rest, which is the least of a
    minute.  The peak, of which a look each second meets more or less, is
    told."""
    flushes = [minute for minute in table if minute.data][1:]
    earlier, later = flushes[:len(flushes) // 2], flushes[len(flushes) // 2:]
    if len(earlier) < 2:
        return False, 'not judged: the run is too short'

    def held(minutes, which):
        return statistics.median(which(one.memory) for one in minutes)
    grown = held(later, min) / held(earlier, min)
    return (grown <= GROWN,
            f'{held(later, min):.0f} MiB at rest in the later half, '
            f'{grown:.3f} times the earlier one; peaks {held(later, max):.0f} '
            f'after {held(earlier, max):.0f} MiB')


def main():
    minutes = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    table, series = run(minutes)
    cpu = statistics.median(minute.cpu_s for minute in table)
    print(f'\nCPU of the daemon: {cpu / 60:.1%} of one processor (median)')
    good = True
    for name, (is_good, words) in {
            'delivered': judge_delivered(series, minutes * PER_MINUTE),
            'queue': judge_queue(table),
            'memory': judge_memory(table)}.items():
        good &= is_good
        print(f'{"pass" if is_good else "short"}  {name:10} {words}')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
