"""The fault matrix: two nodes, one of them dead.  See matrix.py."""

import re

import pytest

import faults
from matrix import METRIC, Ledger, ours
from scene import config, node

# How it dies, and what is said of it.
DEATHS = {
    'refuses connections': (lambda service: service.pause(),
                            lambda service: service.resume(),
                            'Connection refused'),
    'says nothing': (lambda service: service.always(faults.hang()),
                     lambda service: service.always(None),
                     'timed out after 1 s'),
    'has no idea': (lambda service: service.always(faults.html(500)),
                    lambda service: service.always(None),
                    'status 500, but not in the way AWS does'),
}


@pytest.mark.parametrize('label', DEATHS)
def test_one_of_two_is_dead(scene, label):
    """The living one has each flush at once, in one request; the other's
    data wait, and are all there when it lives again."""
    die, live, why = DEATHS[label]
    living, dead = scene.service(), scene.service()
    ledger = Ledger(scene.start(config(
        None, node('living', living), node('dead', dead), metric=METRIC,
        Timeout=1)))
    die(dead)
    for _ in range(4):
        ledger.dispatch()
        # The dead one needs a second or more for each attempt.
        ledger.wait(living, timeout=10)
    ledger.daemon.wait_for(rf'\[warning\] .*plugin: dead: .*{why}')
    assert [request.accepted for request in living.requests] == [6] * 4
    assert not dead.datums

    live(dead)
    ledger.dispatch()
    ledger.wait(living)
    ledger.wait(dead)
    lines = ours(ledger.daemon)
    assert ledger.compare(living) == ledger.compare(dead) == 0
    assert not [line for line in lines
                if line.startswith(('[warning]', '[error]', '[notice]'))
                and 'plugin: dead: ' not in line]
    said, = (line for line in lines if line.startswith('[warning]'))
    assert re.search(why, said)
    again, = (line for line in lines if line.startswith('[notice]'))
    assert 'sending again after' in again
    assert len(lines) == 2 * 3 + 2
