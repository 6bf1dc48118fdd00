"""probe: values that are numbered, and what our write callback costs for each,
measured in the daemon by a plugin of the tests' own, probe.c.

    probe = Probe(series=100, rounds=50, interval=0.1)
    daemon = scene.start(config(...), probe=probe)
    seen = probe.finish(daemon)     # waits for the last round
    seen.received, seen.p99_us
"""

import dataclasses
import json
import shutil
import time

from daemon import find_built


@dataclasses.dataclass(frozen=True)
class Seen:
    """What the probe has seen of its values; see probe.c."""

    dispatched: int
    received: int
    sum: int
    p50_ns: int
    p99_ns: int
    p999_ns: int
    max_ns: int

    def __str__(self):
        """The latency of our write callback."""
        return (f'{self.received} values: p50 {self.p50_ns / 1000:.1f} us, '
                f'p99 {self.p99_ns / 1000:.1f} us, '
                f'p99.9 {self.p999_ns / 1000:.1f} us, '
                f'max {self.max_ns / 1000:.0f} us')


class Probe:
    """series    values in each round: gauge-0 and so on, of plugin probe
    rounds    value n comes in round n, from 1; 0: rounds without end
    interval  between rounds, in seconds
    """

    def __init__(self, series=100, rounds=0, interval=1):
        self.series, self.rounds, self.interval = series, rounds, interval
        self._file = None

    def install(self, folder, load):
        """For Daemon: puts the module into its folder of plugins; the lines
        that load it, to stand after those that load ours."""
        module = folder / 'plugins' / 'probe.so'
        shutil.copyfile(find_built('tests/e2e/.libs/probe.so'), module)
        self._file = folder / 'probe.json'
        return load(module, f'Interval {self.interval}') + f'''<Plugin probe>
  File "{self._file}"
  Series {self.series}
  Rounds {self.rounds}
</Plugin>
'''

    def read(self):
        """What was seen by the last flush, or the stop."""
        return Seen(**json.loads(self._file.read_text()))

    def look(self, daemon):
        """What was seen so far."""
        self._file.unlink(missing_ok=True)
        daemon.command('FLUSH plugin="probe"')
        return self.read()

    def finish(self, daemon, timeout=60):
        """Waits until all values have come; what was seen of them."""
        end = time.monotonic() + timeout
        want = self.series * self.rounds
        while (seen := self.look(daemon)).received < want:
            assert time.monotonic() < end, f'{seen} of {want}'
            time.sleep(0.1)
        return seen
