"""Counters in the real daemon: DERIVE, COUNTER and ABSOLUTE as rate, delta and
raw; first value, reset, wrap, out of order, twice."""

import pytest

from expect import datum, expect, metric

# Of types.db, but for the counters with a maximum, which it has none of.
TYPES = '''bounded value:COUNTER:0:1000
pair in:COUNTER:0:1000, out:DERIVE:0:U
signed value:DERIVE:U:U
'''
W32, W64, I64 = 2 ** 32, 2 ** 64, 2 ** 63
OWN = 'Plugin "p"'

NOT_NEWER = r'^.info. web1/p/\S+ is not newer than the one before it'
RESET = r'^.info. web1/p/\S+ went back to its beginning, so it has no rate'
TWICE = r'^.info. web1/p/\S+ came twice with the same time'

# The values of one identifier; what they are as rate and as delta, each in a
# period of its own by the minute of its time; what is said and left out.
CHANGES = {
    'DERIVE, first': ('derive', ['0:100'], {}, {}),
    'DERIVE, steady': (
        'derive', ['0:100', '60:160', '120:280', '180:280'],
        {60: 1, 120: 2, 180: 0}, {60: 60, 120: 120, 180: 0}),
    'DERIVE, a longer gap': (
        'derive', ['0:100', '300:250'], {300: 0.5}, {300: 150}),
    'DERIVE, parts of a second': (
        'derive', ['0:100', '60.5:342'], {60: 4}, {60: 242}),
    'DERIVE, reset': (
        'derive', ['0:100', '60:40', '120:100'], {120: 1}, {120: 60},
        [RESET], 1),
    'DERIVE without minimum goes down': (
        'signed', ['0:100', '60:40', '120:100'],
        {60: -1, 120: 1}, {60: -60, 120: 60}),
    'DERIVE, as far as it goes': (
        'signed', [f'0:{-I64}', f'60:{I64 - 1}'],
        {60: (2.0 ** 64 - 1) / 60}, {60: 2.0 ** 64 - 1}),
    'DERIVE, out of order': (
        'derive', ['0:100', '120:220', '60:160', '180:340'],
        {120: 1, 180: 2}, {120: 120, 180: 120}, [NOT_NEWER], 1),
    'DERIVE, twice': (
        'derive', ['0:100', '60:160', '60:160', '120:280'],
        {60: 1, 120: 2}, {60: 60, 120: 120}, [TWICE], 1),
    'COUNTER, first': ('counter', ['0:100'], {}, {}),
    'COUNTER, steady': (
        'counter', ['0:100', '60:160', '120:280'],
        {60: 1, 120: 2}, {60: 60, 120: 120}),
    'COUNTER, wrap at 2^32': (
        'bounded', [f'0:{W32 - 20}', '60:40', '120:100'],
        {60: 1, 120: 1}, {60: 60, 120: 60}),
    'COUNTER, wrap at 2^64': (
        'bounded', [f'0:{W64 - 50}', '60:70'], {60: 2}, {60: 120}),
    'COUNTER, a wrap just below the maximum': (
        'bounded', [f'0:{W32 - 59939}', '60:0'],
        {60: 59939 / 60}, {60: 59939}),
    'COUNTER, no wrap, as it would reach the maximum': (
        'bounded', [f'0:{W32 - 60000}', '60:0', '120:60'],
        {120: 1}, {120: 60}, [RESET], 1),
    'COUNTER, reset': (
        'bounded', ['0:5000', '60:60', '120:180'], {120: 2}, {120: 120},
        [RESET], 1),
    'COUNTER without maximum, reset': (
        'counter', [f'0:{W32 - 20}', '60:40', '120:100'],
        {120: 1}, {120: 60}, [RESET], 1),
    'COUNTER, out of order': (
        'counter', ['0:100', '120:220', '60:160', '180:340'],
        {120: 1, 180: 2}, {120: 120, 180: 120}, [NOT_NEWER], 1),
    'COUNTER, twice': (
        'counter', ['0:100', '60:160', '60:160', '120:280'],
        {60: 1, 120: 2}, {60: 60, 120: 120}, [TWICE], 1),
    'ABSOLUTE, the first counts over its interval': (
        'absolute', ['0:30'], {0: 3}, {0: 30}),
    'ABSOLUTE, steady': (
        'absolute', ['0:30', '60:120', '120:120'],
        {0: 3, 60: 2, 120: 2}, {0: 30, 60: 120, 120: 120}),
    'ABSOLUTE is never reset': (
        'absolute', ['0:30', '60:120', '120:60'],
        {0: 3, 60: 2, 120: 1}, {0: 30, 60: 120, 120: 60}),
    'ABSOLUTE, out of order': (
        'absolute', ['0:30', '120:120', '60:120', '180:60'],
        {0: 3, 120: 1, 180: 1}, {0: 30, 120: 120, 180: 60}, [NOT_NEWER], 1),
    'ABSOLUTE, twice': (
        'absolute', ['0:30', '60:120', '60:120'],
        {0: 3, 60: 2}, {0: 30, 60: 120}, [TWICE], 1),
}


@pytest.mark.parametrize('counters', ['rate', 'delta'])
@pytest.mark.parametrize('label', CHANGES)
def test_change(tmp_path, label, counters):
    kind, samples, rates, deltas, *rest = CHANGES[label]
    says, left = rest or ([], 0)
    wanted = rates if counters == 'rate' else deltas
    expect(tmp_path,
           metric('M', OWN, f'Counters "{counters}"', 'Unit "Count"'),
           [(f'p/{kind}', 10, *samples)],
           [datum('M', value, at, unit='Count')
            for at, value in wanted.items()],
           types=TYPES, says=says, left=left)


RAW = {
    'DERIVE': ('signed', ['0:100', '60:-40', f'120:{2 ** 53}'],
               {0: 100, 60: -40, 120: 2 ** 53}),
    'COUNTER': ('counter', [f'0:{W64 - 1}', '60:7'], {0: 2.0 ** 64, 60: 7}),
    'ABSOLUTE': ('absolute', ['0:30', '60:20'], {0: 30, 60: 20}),
    'GAUGE': ('gauge', ['0:1.5', '60:-1.5'], {0: 1.5, 60: -1.5}),
    'DERIVE, out of order': ('derive', ['0:1', '120:3', '60:2'],
                             {0: 1, 60: 2, 120: 3}),
}


@pytest.mark.parametrize('label', RAW)
def test_raw(tmp_path, label):
    kind, samples, wanted = RAW[label]
    expect(tmp_path, metric('M', OWN, 'Counters "raw"', 'Unit "Count"'),
           [(f'p/{kind}', 10, *samples)],
           [datum('M', value, at, unit='Count')
            for at, value in wanted.items()], types=TYPES)


CASES = {
    'Counters is rate unless told, and does not touch a GAUGE': (
        metric('%{type}', OWN, 'Unit "Count"'),
        [('p/derive', '0:0', '10:30'), ('p/gauge', '0:4', '10:6')],
        [datum('derive', 3, unit='Count'),
         datum('gauge', {4: 1, 6: 1}, unit='Count')]),
    'one value as rate, delta and raw, from one predecessor': (
        metric('Rate', OWN, 'Unit "Count/Second"') +
        metric('Delta', OWN, 'Counters "delta"', 'Unit "Count"') +
        metric('Raw', OWN, 'Counters "raw"', 'Unit "Count"'),
        [('p/derive', '0:100', '60:160')],
        [datum('Rate', 1, at=60, unit='Count/Second'),
         datum('Delta', 60, at=60, unit='Count'),
         datum('Raw', 100, unit='Count'),
         datum('Raw', 160, at=60, unit='Count')]),
    'each identifier has a predecessor of its own': (
        metric('%{type_instance}', OWN),
        [('p/derive-a', '0:0'), ('p/derive-b', '10:1000'),
         ('p/derive-a', '60:60'), ('p/derive-b', '70:1120')],
        [datum('a', 1, at=60), datum('b', 2, at=60)]),
    'each data source has a predecessor of its own, reset alone': (
        metric('M%{.ds}', OWN, 'Unit "Count"'),
        [('p/pair', '0:100:50', '60:160:40', '120:280:100')],
        [datum('M.in', 1, at=60, unit='Count'),
         datum('M.in', 2, at=120, unit='Count'),
         datum('M.out', 1, at=120, unit='Count')], [RESET], 1),
    'rates by Scale: octets to bits': (
        metric('Bits%{.ds}', OWN, 'Scale 8', 'Unit "Bits/Second"'),
        [('p/if_octets', '0:0:0', '10:10:20')],
        [datum('Bits.rx', 8, unit='Bits/Second'),
         datum('Bits.tx', 16, unit='Bits/Second')]),
    'deltas of a minute add up': (
        metric('M', OWN, 'Counters "delta"', 'Unit "Count"',
               'Statistics "set"'),
        [('p/derive', 10, '0:0', '10:1', '20:3', '30:6')],
        [datum('M', (3, 6, 1, 3), unit='Count')]),
    'two resets are said once': (
        metric('M', OWN),
        [('p/derive-a', '0:9', '60:5', '120:1', '180:61'),
         ('p/derive-b', '0:9', '60:5')],
        [datum('M', 1, at=180)],
        [RESET], 3),
}


@pytest.mark.parametrize('label', CASES)
def test_counters(tmp_path, label):
    config, values, datums, *rest = CASES[label]
    says, left = rest or ([], 0)
    expect(tmp_path, config, values, datums, types=TYPES, says=says,
           left=left)
