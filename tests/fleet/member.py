"""member: one collectd of a fleet, with values that are known.

    member = Member(scene, bridge, 7)
    member.start(service)
    member.feed(minute)              # six values of each metric
    member.samples(name, minute)     # what they are

It has a host name, a machine id, an address and an access key of its own.
"""

import hashlib

import mounts
from keyring import Keys
from scene import config
from times import FastClock

START = 1_800_000_000 // 3600 * 3600
EACH_S = 10  # between values
JITTER_S = 30
MIB = 1 << 20
SOCKETS, MEMORY = 'Sockets Used', 'Memory Available'
# As in the shortest example.
METRICS = f'''
<Metric "{SOCKETS}">
  Plugin "tcpconns"
  PluginInstance "all"
  TypeInstance "ESTABLISHED"
  Unit "Count"
</Metric>
<Metric "{MEMORY}">
  Plugin "memory"
  Type "memory"
  TypeInstance "/^(free|buffered|cached|slab_recl)$/"
  Combine "sum"
  Scale 0.00000095367431640625
  Unit "Megabytes"
</Metric>
'''
SHARES = {'free': 0, 'buffered': 1, 'cached': 2, 'slab_recl': 3}
MACHINE_ID = 'mount --bind "$1" /etc/machine-id'


def begin_of(minute):
    return START + 60 * minute


class Member:
    """number   from 1
    daemon   its newest
    lags_s   how far the clock of each daemon it had is behind the scene's
    minutes  for which it was fed
    """

    def __init__(self, scene, bridge, number):
        self.scene, self.number = scene, number
        self.host = f'web-{number:02}'
        self.machine_id = hashlib.md5(self.host.encode()).hexdigest()
        self.keys = Keys(f'AKIDMEMBER{number:02}', f'secret-of-{number:02}')
        scene.keyring.add(self.keys)
        self.network = bridge.host(number)
        self.daemon = None
        self.lags_s = []
        self.minutes = []

    def start(self, service, *lines, **options):
        path = self.scene.folder / f'{self.host}.id'
        path.write_text(self.machine_id + '\n')
        self.daemon = self.scene.start(
            config(service, *lines, metric=METRICS,
                   **{'AccessKeyId': self.keys.key,
                      'SecretAccessKey': self.keys.secret, **options}),
            before=f'Hostname "{self.host}"', interval=EACH_S,
            wrapper=(*self.network.wrapper,
                     *mounts.wrapper(MACHINE_ID, path)))
        if self.scene.clock:
            own = FastClock(self.scene.clock.start, self.scene.clock.rate)
            own.follow(self.daemon)
            self.lags_s.append(self.scene.clock.now() - own.now())
        return self

    # ---- values -------------------------------------------------------------

    def samples(self, name, minute):
        """Six numbers, which no other member has in that minute."""
        base = 1000 * self.number + 10 * minute
        n = 60 // EACH_S
        if name == SOCKETS:
            return [base + k for k in range(n)]
        return [sum(self._mib(base + k, share) for share in SHARES.values())
                for k in range(n)]

    def _mib(self, base, share):
        return base * (share + 1) + share

    def feed(self, minute):
        """Hands over all values of a minute."""
        self.minutes.append(minute)
        base = 1000 * self.number + 10 * minute
        times = range(begin_of(minute), begin_of(minute + 1), EACH_S)
        put = {'tcpconns-all/tcp_connections-ESTABLISHED':
               self.samples(SOCKETS, minute)}
        for name, share in SHARES.items():
            put[f'memory/memory-{name}'] = [
                self._mib(base + k, share) * MIB for k in range(len(times))]
        for identifier, values in put.items():
            self.daemon.putval(f'{self.host}/{identifier}', *(
                f'{at}:{value}' for at, value in zip(times, values)),
                               interval=EACH_S)

    # ---- when it flushes ----------------------------------------------------

    @property
    def phase_s(self):
        """What the manual promises to be stable, by another's SHA-256."""
        digest = hashlib.sha256(
            f'{self.host}{self.machine_id}\n'.encode()).digest()
        return JITTER_S * int.from_bytes(digest[:4], 'big') / 2 ** 32

    def late_s(self, requests, life=-1):
        """How long after its phase each request came.  A minute is a circle,
        and its clock, as seen here, may be a little behind."""
        begin_s = self.lags_s[life] + self.phase_s
        return [(request.time - begin_s + 15) % 60 - 15 for request in requests
                if request.access_key == self.keys.key]


def windows(phases_s, width_s):
    """How many phases there are at most within such a time."""
    return max(sum(one <= other < one + width_s for other in phases_s)
               for one in phases_s)
