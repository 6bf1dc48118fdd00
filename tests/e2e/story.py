"""story: values that are numbered, and who signed them.

    story = Story(scene, service, daemon)
    story.send(); assert story.sent_by() == keys.key
    ...
    story.check()

Each value has a time of its own, so that a lost one leaves a gap, and one that
came twice shows as two samples.
"""

import glob
import pathlib

from scene import feed
from times import merge, wait_samples


class Story:
    """The values that one daemon gets and one service should have."""

    def __init__(self, scene, service, daemon, name='load'):
        self.service, self.daemon, self.name = service, daemon, name
        # Before the start, so that each is in a period that is over.
        self.at = int(scene.clock.start if scene.clock else scene.now())
        self.at = self.at // 60 * 60 - 86400
        self.n = 0

    def feed(self, count=1):
        """Hands over the next numbers; they are cut by a flush later."""
        for _ in range(count):
            self.n += 1
            feed(self.daemon, self.at + 60 * self.n, **{self.name: self.n})
        return self

    def send(self, count=1):
        """Hands over the next numbers and has them cut into data."""
        self.feed(count)
        self.daemon.flush()
        return self

    def check(self, timeout=15):
        """All that was fed has arrived, each with its own time, and once."""
        wait_samples(self.service, self.n, timeout)
        assert merge(self.service.datums, self.name) == {
            self.at + 60 * i: [i] for i in range(1, self.n + 1)}

    def sent_by(self, timeout=15):
        """The access key that signed the newest datum, once all are there."""
        self.check(timeout)
        return self.service.datums[-1]['AccessKey']

    def signers(self, timeout=15):
        """Who signed, each once and in order."""
        self.check(timeout)
        return list(dict.fromkeys(
            datum['AccessKey'] for datum in self.service.datums))


def start(scene, service, configuration, **how):
    """A Story with a daemon that was started for it."""
    return Story(scene, service, scene.start(configuration, **how))


def count(service, path):
    """How often a path was asked for so far, one that begins so too."""
    return sum(request.path.startswith(path) for request in service.requests)


def children(pid):
    """(name, state) of the processes whose parent is this one."""
    found = []
    for path in glob.glob('/proc/[0-9]*/stat'):
        try:
            text = pathlib.Path(path).read_text(encoding='utf-8')
        except OSError:
            continue  # it has gone
        name, _, rest = text.partition('(')[2].rpartition(')')
        state, parent = rest.split()[:2]
        if int(parent) == pid:
            found.append((name, state))
    return found
