"""times: clocks that run fast or are stepped, and samples by time.

    clock = FastClock(1700000000, rate=60)
    service = scene.service(now=clock.now)
    clock.begin()
    daemon = scene.start(config(service, metric=..., **FastClock.LONG),
                         environment=clock.environment)
    clock.sleep_until(1700000600)  # ten seconds

    clock = SteppedClock(tmp_path / 'clock', ahead_s=10800)
    daemon = scene.start(config(...), environment=clock.environment)
    clock.step(0)  # put right, while the daemon runs
"""

import collections
import glob
import os
import time

JUST_ENDED_S = 3


def find_faketime():
    found = glob.glob('/usr/lib/*/faketime/libfaketimeMT.so.1')
    assert found, 'install faketime'
    return found[0]


def faked(**variables):
    """The environment of a daemon that sees another time.  libfaketime stands
    first: behind it in the list, ASan's runtime is initialised from within
    libfaketime's constructor and hangs.  The runtime would refuse that place,
    but for its option."""
    preload = [find_faketime(), os.environ.get('COLLECTD_PRELOAD', '')]
    asan = [os.environ.get('ASAN_OPTIONS', ''), 'verify_asan_link_order=0']
    return {'LD_PRELOAD': ' '.join(filter(None, preload)), 'TZ': 'UTC',
            'ASAN_OPTIONS': ':'.join(filter(None, asan)), **variables}


class FastClock:
    """Begins at start (seconds since 1970) when the daemon does, and runs rate
    times as fast as it should.

    All waits in the daemon are as much shorter, those of libcurl too: so the
    <Plugin> block should hold the options LONG."""

    LONG = {'Timeout': 3600, 'ConnectTimeout': 3600, 'ShutdownTimeout': 600}

    def __init__(self, start, rate):
        self.start, self.rate = start, rate
        self._begin = time.monotonic()
        self._has_begun = False

    def begin(self):
        """To be called just before the daemon is started."""
        self._begin = time.monotonic()
        self._has_begun = True

    def now(self):
        return self.start + (time.monotonic() - self._begin) * self.rate

    def follow(self, daemon):
        """Sets this clock by that of a daemon that has started, which begins
        later; and never ahead of it, however slow the machine is now."""
        begins = []
        for _ in range(10):
            passed_s = (daemon.now() - self.start) / self.rate
            begins.append(time.monotonic() - passed_s)
        self._begin = min(begins)

    def sleep_until(self, when):
        time.sleep(max(0, (when - self.now()) / self.rate))

    @property
    def environment(self):
        """For the daemon, or one that is started later."""
        at = time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(
            self.now() if self._has_begun else self.start))
        return faked(FAKETIME=f'@{at} x{self.rate:g}')


class SteppedClock:
    """A wall clock of the daemon that is so many seconds ahead, and can be
    stepped while it runs.  The steady clock goes on.

    path  of a file of its own"""

    def __init__(self, path, ahead_s=0):
        self.path = path
        self.step(ahead_s)

    def step(self, ahead_s):
        self.ahead_s = ahead_s
        new = self.path.with_name(self.path.name + '.new')
        new.write_text(f'{ahead_s:+d}\n')
        os.replace(new, self.path)

    def now(self):
        return time.time() + self.ahead_s

    @property
    def environment(self):
        """For the daemon.  Without the last, libfaketime makes each wait for a
        condition by the steady clock end at once."""
        return faked(FAKETIME_TIMESTAMP_FILE=str(self.path),
                     FAKETIME_NO_CACHE='1', FAKETIME_DONT_FAKE_MONOTONIC='1',
                     DONT_FAKE_MONOTONIC='1', FAKETIME_FORCE_MONOTONIC_FIX='0')


def keep_clear_of(length_s, margin_s=8):
    """Waits while a multiple of length_s is near, on either side, and returns
    the last one: for stories in which a period must not end, and the one
    before must have ended for longer than a flush may ask for."""
    left = length_s - time.time() % length_s
    if left < margin_s:
        time.sleep(left + 0.01)
    passed = time.time() % length_s
    if passed < JUST_ENDED_S:
        time.sleep(JUST_ENDED_S - passed)
    return int(time.time() // length_s * length_s)


def put_all(daemon, identifier, values, interval=1):
    """Puts any number of values in the daemon's order; a line of its socket
    holds about a thousand characters."""
    for i in range(0, len(values), 20):
        daemon.putval(identifier, *values[i:i + 20], interval=interval)


def samples_of(datum):
    """The samples of a Value, or of Values and Counts, with repetitions."""
    if 'Value' in datum:
        return [datum['Value']]
    return [value for value, count in zip(datum['Values'], datum['Counts'])
            for _ in range(int(count))]


def merge(datums, name=None):
    """{timestamp: samples in ascending order} of one metric: CloudWatch adds
    up what has one timestamp."""
    found = collections.defaultdict(list)
    for datum in datums:
        if name in (None, datum['MetricName']):
            found[datum['Timestamp']] += samples_of(datum)
    return {start: sorted(found[start]) for start in sorted(found)}


def wait_samples(service, count, timeout=15):
    """Waits for so many samples in all; returns the data."""
    def arrived():
        return sum(len(samples_of(datum)) for datum in service.datums)
    if not service.wait_for(lambda: arrived() >= count, timeout):
        raise AssertionError(f'{arrived()} of {count} samples after {timeout} '
                             f's, last {service.datums[-5:]}')
    return service.datums
