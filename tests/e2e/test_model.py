"""What 1,000 random configurations publish of random streams of values, in the
real daemon, compared with model.py, a plain model written from the manual.

MODEL_SEED repeats a run; it is printed with each failure.  MODEL_ROUNDS is how
many daemons there are in it, with NODES configurations each.
"""

import dataclasses
import os
import random

import pytest

from model_input import Flush, Undecided, ValueList
from model_random import configuration, stream
from model_run import differences, expect, report, shrink

NODES = 10
ROUNDS = int(os.environ.get('MODEL_ROUNDS', 100))


def dice_for(number):
    seed = os.environ.get('MODEL_SEED') or random.randrange(2 ** 32)
    print(f'MODEL_SEED={seed}')
    return random.Random(f'{seed}/{number}')


def nodes_for(dice, now, steps, alter=lambda node: node):
    """Configurations of which the model knows what comes of them."""
    found = []
    while len(found) < NODES:
        node = alter(configuration(dice, steps))
        try:
            expect(node, now, steps)
        except Undecided:
            continue
        found.append(node)
    return found


def check(nodes, now, steps, differ):
    """differ(nodes, steps) must find nothing; else the least that it finds
    something in is shown."""
    different = [(node, found) for node, found in
                 zip(nodes, differ(nodes, steps)) if found]

    def fails(node, steps):
        return differ([node], steps)[0]
    for node, _ in different:
        if fails(node, steps):
            node, fewer = shrink(fails, node, steps)
            found = fails(node, fewer) or ['This one does not fail always.']
            pytest.fail(report(node, now, fewer, found), pytrace=False)
    for node, found in different:
        pytest.fail('Together with other nodes, not alone:\n' +
                    report(node, now, steps, found), pytrace=False)


@pytest.mark.parametrize('number', range(ROUNDS))
def test_published_equals_the_model(tmp_path, number):
    dice = dice_for(number)
    now, steps = stream(dice)
    check(nodes_for(dice, now, steps), now, steps,
          lambda nodes, steps: differences(tmp_path, nodes, now, steps))


def plain(node):
    """One whose data add up, whenever flushes come."""
    return dataclasses.replace(node, metrics=[
        dataclasses.replace(
            metric, Combine=None,
            Statistics='set' if metric.Statistics == 'set' else None)
        for metric in node.metrics])


@pytest.mark.parametrize('number', range(ROUNDS // 10))
def test_flushes_at_any_time_take_nothing_away(tmp_path, number):
    dice = dice_for(number)
    now, steps = stream(dice)
    steps = [step for step in steps if isinstance(step, ValueList)]
    for _ in range(20):
        steps.insert(dice.randint(1, len(steps)),
                     Flush(dice.choice((0, 0, 1, 60))))
    nodes = nodes_for(dice, now, steps, plain)
    check(nodes, now, steps, lambda nodes, steps: differences(
        tmp_path, nodes, now, steps, is_patient=False))
