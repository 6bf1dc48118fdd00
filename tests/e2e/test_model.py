"""What 1,000 random configurations publish of random streams of values, in the
real daemon, compared with model.py, a plain model written from the manual.

MODEL_SEED repeats a run; it is printed with each failure.  MODEL_ROUNDS is how
many daemons there are in it, with NODES configurations each.
"""

import os
import random

import pytest

from model import Undecided
from model_random import configuration, stream
from model_run import differences, expect, report, shrink

NODES = 10
ROUNDS = int(os.environ.get('MODEL_ROUNDS', 100))
SEED = os.environ.get('MODEL_SEED')


def nodes_for(dice, now, steps):
    found = []
    while len(found) < NODES:
        node = configuration(dice, steps)
        try:
            expect(node, now, steps)
        except Undecided:
            continue
        found.append(node)
    return found


@pytest.mark.parametrize('number', range(ROUNDS))
def test_model(tmp_path, number):
    seed = SEED or random.randrange(2 ** 32)
    dice = random.Random(f'{seed}/{number}')
    now, steps = stream(dice)
    nodes = nodes_for(dice, now, steps)
    for node, found in zip(nodes, differences(tmp_path, nodes, now, steps)):
        if not found:
            continue

        def fails(*case):
            return differences(tmp_path, [case[0]], now, case[1])[0]
        if fails(node, steps):
            node, steps = shrink(fails, node, steps)
            found = fails(node, steps)
        pytest.fail(f'MODEL_SEED={seed} pytest -k "test_model[{number}]"\n' +
                    report(node, now, steps, found), pytrace=False)
