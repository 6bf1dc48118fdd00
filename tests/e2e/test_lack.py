"""Memory lacks in the daemon for our module: it lives, what is lost is counted,
and all goes on when there is memory again.  tests/fault/oom_send.c refuses each
allocation; here it is some of them, with the real threads, network and, in part,
libraries."""

import re
import time

import pytest

from lack import Lack
from scene import config, feed, names

# first allocation that is refused; how many more are; whether those of libcurl
# and all it uses count, too
LACKS = {
    'one': (range(1, 60), 0, False),
    'many': (range(1, 60, 2), 30, False),
    'one, libraries too': (range(1, 430, 5), 0, True),
    'many, libraries too': (range(1, 430, 10), 30, True),
}

ALL = '<Metric "%{plugin}%{plugin_instance}.%{type_instance}">\n</Metric>'


def totals(daemon):
    """The numbers of the message at the stop, by the words beside them."""
    line = next(line for line in daemon.lines if ': stops; ' in line)
    words = {'accepted': r'(\d+) data were accepted',
             'left out': r'(\d+) values were left out',
             'refused': r'that were refused: (\d+)',
             'dropped': r'dropped by BufferLimit: (\d+)',
             'ambiguous': r'sent without an answer: (\d+)'}
    return {name: int(re.search(pattern, line)[1])
            for name, pattern in words.items()}


@pytest.mark.parametrize('protocol', ['json', 'query'])
@pytest.mark.parametrize('label', LACKS)
def test_memory_lacks(scene, label, protocol):
    """Each value is a series of its own; feed() makes two."""
    firsts, more, of_thread = LACKS[label]
    service = scene.service()
    lack = Lack(scene.folder)
    daemon = scene.start(config(service, metric=ALL, Protocol=protocol,
                                ShutdownTimeout=10),
                         environment=lack.environment)
    n, asked = 0, 0
    for first in firsts:
        n += 1
        lack.refuse(first, first + more, of_thread)
        feed(daemon, **{str(n): n})
        daemon.command('FLUSH')
        time.sleep(0.02)
        asked = max(asked, lack.end())
    assert asked > 20  # of our own

    for _ in range(10):
        n += 1
        feed(daemon, **{str(n): n})
    daemon.stop()
    stored = names(service.datums)
    seen = totals(daemon)
    print(f'\n{label}: {seen}')
    once = set(stored)
    assert once >= {f'test.{i}' for i in range(n - 9, n + 1)}
    assert len(stored) - len(once) <= seen['ambiguous']
    assert of_thread or seen['ambiguous'] == 0
    assert seen['accepted'] == len(once)
    assert seen['left out'] > 0
    assert seen['refused'] == seen['dropped'] == 0
    assert len(once) + seen['left out'] == 2 * n
