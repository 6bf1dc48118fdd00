"""model_numbers: what model.py computes of numbers.

A number is a pair, (value, slack): additions whose order is not promised may
give anything that is not further off than slack.  It is 0 for all else.
"""

import math

from model_input import Undecided

GREATEST, LEAST = 2.0 ** 360, 2.0 ** -360
RELATIVE = 1e-12  # what the order of additions may cost


def whole(how, value):
    if how == 'nearest':  # halves away from zero
        below = math.floor(abs(value))
        return math.copysign(below + (abs(value) - below >= 0.5), value)
    return float({'ceil': math.ceil, 'floor': math.floor}[how](value))


def fitting(number):
    """As CloudWatch takes it; None: it does not."""
    value, slack = number
    if not math.isfinite(value) or abs(value) > GREATEST:
        return None
    return (0.0, 0.0) if abs(value) < LEAST else (value, slack)


def scaled(metric, number):
    """Times Scale, plus Offset, Round; None if CloudWatch refuses it."""
    value, slack = number
    scale = float(metric.Scale or 1)
    value, slack = value * scale + float(metric.Offset or 0), slack * abs(scale)
    if metric.Round and math.isfinite(value) and abs(value) <= GREATEST:
        low, high = (whole(metric.Round, value + off) for off in
                     (-slack, slack))
        if low != high:
            raise Undecided('Round of a sum in some order')
        value, slack = low, 0.0
    return fitting((value, slack))


def total(numbers):
    """A sum in some order."""
    values = [value for value, _ in numbers]
    exact = all(value == math.floor(value * 1024) / 1024 and
                abs(value) < 2 ** 32 for value in values)
    slack = 0.0 if exact else RELATIVE * math.fsum(map(abs, values))
    return math.fsum(values), slack + sum(slack for _, slack in numbers)


def average(numbers):
    value, slack = total(numbers)
    return value / len(numbers), slack / len(numbers) + RELATIVE * abs(value)


def count(numbers):
    return float(len(numbers)), 0.0


COMBINE = {'sum': total, 'average': average, 'min': min, 'max': max,
           'count': count}


def change(kind, low, high, before, after, seconds):
    """The growth of a counter; None for a reset."""
    if kind == 'ABSOLUTE':
        return after
    if after >= before or kind == 'DERIVE' and (low is None or low < 0):
        return after - before
    if kind == 'DERIVE' or high is None:
        return None
    growth = after - before + (2 ** 32 if before < 2 ** 32 else 2 ** 64)
    return growth if growth / seconds < high else None
