"""numbered: values that can be told apart, and whether all of them arrived.

    values = Numbered(daemon)
    lost = values.put(3, at=clock.now())  # 1, 2, 3
    values.put(2)                         # 4, 5
    wait_stored(service, values.put_so_far - lost)
"""

import collections
import time

from times import samples_of


class Numbered:
    """Puts 1, 2, 3, ... as values of one identifier.

    put_so_far  the numbers, as a set"""

    def __init__(self, daemon, identifier='host/test/gauge-n'):
        self.daemon = daemon
        self.identifier = identifier
        self.put_so_far = set()

    def put(self, count=1, at=None):
        """Hands over so many, all of one time (now); returns their numbers."""
        first = len(self.put_so_far) + 1
        numbers = set(range(first, first + count))
        at = time.time() if at is None else at
        self.daemon.putval(self.identifier,
                           *(f'{at:.3f}:{n}' for n in sorted(numbers)))
        self.put_so_far |= numbers
        return numbers


def stored(*services):
    """How often each number is there."""
    return collections.Counter(
        value for service in services for datum in service.datums
        for value in samples_of(datum))


def wait_stored(service, numbers, timeout=15):
    """Waits until these are there; each must be there once, and no other."""
    service.wait_for(lambda: numbers <= set(stored(service)), timeout)
    found = stored(service)
    missing = sorted(numbers - set(found))
    more = sorted(set(found) - numbers)
    twice = sorted(n for n, count in found.items() if count > 1)
    assert not (missing or more or twice), \
        f'missing {missing}, beyond what was put {more}, twice {twice}'
