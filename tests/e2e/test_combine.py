"""Combine in the real daemon, in each case that breaks naive rounds.

Stories take place in the past, so that each slot has ended: what a flush cuts
then depends on the values alone.  Stories of open slots use slots of a day.
"""

import re
import time

import pytest

from scene import Scene, config
from times import FastClock, keep_clear_of, merge, samples_of

SLOT = 10
DAY = 86400
FUNCTIONS = ('sum', 'average', 'min', 'max', 'count')


def combined(name, function, *lines):
    return '\n'.join([f'<Metric "{name}">', 'Plugin "p"',
                      f'Combine "{function}"', 'StorageResolution 1', *lines,
                      '</Metric>', ''])


SUM = combined('sum', 'sum')
SYNC = '<Metric "sync">\nPlugin "sync"\n</Metric>\n'


class Story:
    """A daemon with the given <Metric> blocks, and members a, b, c ... that
    report in slots, counted from 0, which begin at .base."""

    def __init__(self, scene, metrics=SUM, slot=SLOT, **options):
        self.slot = slot
        self.base = int(time.time()) // 600 * 600 - 1800
        if slot == DAY:
            self.base = keep_clear_of(DAY, 20) - 2 * DAY
        self.service = scene.service()
        options = {'FlushInterval': DAY, **options}
        self.daemon = scene.start(
            config(self.service, metric=SYNC + metrics, **options))
        self.flushes = 0

    def put(self, number, phase=1, host='testhost', interval=None, **values):
        """Members report in a slot, in the order of the arguments."""
        for member, value in values.items():
            self.daemon.putval(f'{host}/p/gauge-{member}',
                               f'{self.base + number * self.slot + phase}:'
                               f'{value}', interval=interval or self.slot)

    def cut(self, timeout=60):
        """A flush that reaches all that ended so long ago; 0: also what is
        open, as does the one at the stop.  Returns when its data are there:
        one of a plain metric is among them."""
        self.flushes += 1
        self.daemon.putval('testhost/sync/gauge',
                           f'{self.base - 100 + self.flushes}:1')
        self.daemon.flush(timeout=timeout)
        assert self.service.wait_for(
            lambda: sum(len(samples_of(datum)) for datum in self.service.datums
                        if datum['MetricName'] == 'sync') >= self.flushes, 10)

    def told(self, name='sum'):
        """{slot: value}; each slot once."""
        found = {}
        for start, samples in merge(self.service.datums, name).items():
            number, rest = divmod(start - self.base, self.slot)
            assert rest == 0, 'the time of a sample is the start of its slot'
            assert len(samples) == 1, f'slot {number} was told twice'
            found[number] = samples[0]
        return found

    def counted(self, what):
        """Whether the log says that values were left out so."""
        return bool(re.search(rf'testhost/p/gauge-\w {what}', self.daemon.log))


LATE = 'came after its slot had been combined'
DROPPED = 'was to be combined with others that had not come yet'


@pytest.fixture
def scene(tmp_path):
    with Scene(tmp_path) as scene:
        yield scene


def test_steady(scene):
    story = Story(scene)
    for number in range(12):
        story.put(number, a=1 + number, b=100, c=1000)
        if number % 4 == 3:
            story.cut()
    assert story.told() == {n: 1101 + n for n in range(12)}
    story.daemon.stop()
    assert not story.counted('')


def test_new_member_comes_last_in_its_read(scene):
    story = Story(scene)
    for number in range(3):
        story.put(number, a=1, b=10)
    story.cut()
    for number in range(3, 6):
        story.put(number, a=1, b=10, c=100)
    story.cut()
    assert story.told() == {0: 11, 1: 11, 2: 11, 3: 111, 4: 111, 5: 111}


def test_flush_between_two_members(scene):
    """A flush at a multiple comes between two values of one read."""
    story = Story(scene, slot=DAY)
    story.put(1, a=1, b=10)
    story.put(2, a=2)
    story.cut(timeout=1)
    assert story.told() == {1: 11}
    story.put(2, b=20)
    story.cut(timeout=1)
    assert story.told() == {1: 11}
    story.cut(timeout=0)
    assert story.told() == {1: 11, 2: 22}
    story.daemon.stop()
    assert not story.counted('')


def test_forced_flush_drops_an_incomplete_slot(scene):
    story = Story(scene, slot=DAY)
    story.put(0, a=1, b=10)
    story.put(1, a=1, b=10)
    story.put(2, a=2)
    story.cut(timeout=0)
    story.put(2, b=20)
    story.cut(timeout=0)
    assert story.told() == {0: 11, 1: 11}
    story.daemon.stop()
    assert story.counted(DROPPED) and story.counted(LATE)
    assert story.told() == {0: 11, 1: 11}
    assert '1 values were left out' in story.daemon.log


def test_stop_cuts_a_complete_open_slot(scene):
    story = Story(scene, slot=DAY)
    story.put(0, a=1, b=10)
    story.put(1, a=1, b=10)
    story.put(2, b=20, a=2)
    story.daemon.settle()
    story.daemon.stop()
    assert story.told() == {0: 11, 1: 11, 2: 22}
    assert '0 values were left out' in story.daemon.log


@pytest.mark.parametrize('number', [2, 1])
def test_stop_in_the_first_slot_tells_nothing(scene, number):
    """Nobody knows yet who belongs to the sum; nor when that slot (1) has just
    ended, as after the one read of collectd -T."""
    story = Story(scene, slot=DAY)
    story.put(number, a=1, b=10)
    story.daemon.settle()
    story.daemon.stop()
    assert story.told() == {}
    assert story.counted(DROPPED)


def test_one_member_per_host_with_its_own_phase(scene):
    """In scaled time; the flushes come in the midst of slots."""
    base = 1700000000 // 210 * 210
    clock = FastClock(base - 3, rate=15)
    service = scene.service(now=clock.now)
    clock.begin()
    daemon = scene.start(
        config(service, metric=SUM, FlushInterval=7, **FastClock.LONG),
        environment=clock.environment)
    clock.follow(daemon)
    for number in range(7):
        for phase, host in ((1, 'one'), (4, 'four'), (7, 'seven')):
            second = base + number * SLOT + phase
            clock.sleep_until(second - 6)  # a busy machine may be late
            daemon.putval(f'{host}/p/gauge', f'{second}:{number + phase}',
                          interval=SLOT)
    clock.sleep_until(base + 7 * SLOT + 10)
    daemon.stop()
    assert merge(service.datums) == {
        base + n * SLOT: [12 + 3 * n] for n in range(7)}
    assert len({datum['Request'] for datum in service.datums}) > 3
    assert '0 values were left out' in daemon.log


def test_missed_read(scene):
    story = Story(scene)
    for number in range(8):
        story.put(number, a=1)
        if number not in (3, 4):
            story.put(number, b=10 + number)
    story.cut()
    # b's last value stands in for what it missed.
    assert story.told() == {0: 11, 1: 12, 2: 13, 3: 13, 4: 13, 5: 16, 6: 17,
                            7: 18}


def test_member_that_vanishes(scene):
    story = Story(scene)
    for number in range(8):
        story.put(number, a=1)
        if number < 3:
            story.put(number, b=10)
        if number == 5:
            story.cut()
    story.cut()
    # Its value of slot 2 is older than two slots in slot 5.
    assert story.told() == {0: 11, 1: 11, 2: 11, 3: 11, 4: 11, 5: 1, 6: 1,
                            7: 1}


def test_slot_in_which_nobody_reports(scene):
    story = Story(scene)
    for number in (0, 1, 4):
        story.put(number, a=1, b=10)
    story.cut()
    assert story.told() == {0: 11, 1: 11, 4: 11}


def test_late_value_counts_from_the_next_slot_on(scene):
    story = Story(scene)
    for number in range(3):
        story.put(number, a=1, b=10)
    story.put(3, a=1)
    story.cut()
    story.put(3, b=500)
    story.cut()
    story.put(1, b=9999)  # and is older than b's newest
    story.cut()
    assert story.told() == {0: 11, 1: 11, 2: 11, 3: 11}
    story.put(4, a=1)
    story.cut()
    assert story.told() == {0: 11, 1: 11, 2: 11, 3: 11, 4: 501}
    story.daemon.stop()
    assert story.counted(LATE)
    assert '0 values were left out' in story.daemon.log


def test_newest_value_of_a_slot_counts(scene):
    story = Story(scene)
    story.put(0, a=1, b=10)
    story.put(1, phase=5, a=7, b=10)
    story.put(1, phase=2, a=1000)  # came later, but is older
    story.put(1, phase=8, b=20)
    story.cut()
    assert story.told() == {0: 11, 1: 27}


def test_nan_is_no_value(scene):
    story = Story(scene, SUM + combined('zero', 'sum', 'OnNaN "zero"'))
    story.put(0, a=1, b=10)
    for number in range(1, 5):
        story.put(number, a=1, b='U')
    story.put(5, a='U', b='U')
    story.cut()
    # b's last number stands in for two slots; in slot 5 nobody reports.
    assert story.told() == {0: 11, 1: 11, 2: 11, 3: 1, 4: 1}
    assert story.told('zero') == {0: 11, 1: 1, 2: 1, 3: 1, 4: 1, 5: 0}


def test_each_function(scene):
    story = Story(scene, ''.join(combined(f, f) for f in FUNCTIONS))
    for number in range(3):
        story.put(number, a=4, b=-2, c=10)
    story.cut()
    for function, value in zip(FUNCTIONS, (12, 4, -2, 10, 3)):
        assert story.told(function) == {n: value for n in range(3)}
    units = {d['MetricName']: d['Unit'] for d in story.service.datums}
    assert units['count'] == 'Count' and units['sum'] == 'None'


def test_slots_are_as_long_as_the_longest_interval(scene):
    story = Story(scene, slot=30)
    for number in range(4):
        story.put(number, b=100)
        for k in range(3):
            story.put(number, phase=10 * k + 2, interval=10,
                      a=3 * number + k)
    story.cut()
    assert story.told() == {n: 102 + 3 * n for n in range(4)}


def test_periods_hold_several_slots(scene):
    """Without StorageResolution 1 the samples of a minute are one datum."""
    story = Story(scene, SUM.replace('StorageResolution 1\n', ''))
    for number in range(9):
        story.put(number, a=number, b=10)
    story.cut()
    assert merge(story.service.datums, 'sum') == {
        story.base: [10, 11, 12, 13, 14, 15], story.base + 60: [16, 17, 18]}


def test_scale_offset_and_round_come_after(scene):
    story = Story(scene, combined('sum', 'sum', 'Scale 0.1', 'Offset 0.25',
                                  'Round "ceil"', 'Unit "Count"'))
    for number in range(3):
        story.put(number, a=14, b=14, c=14)
    story.cut()
    # 4.2 + 0.25 = 4.45; of single values it would be three times 2.
    assert story.told() == {0: 5, 1: 5, 2: 5}


def test_counters_are_combined_as_rates(scene):
    story = Story(scene, SUM.replace('"p"', '"d"'))
    for number in range(5):
        for member, step in (('a', 20), ('b', 100)):
            story.daemon.putval(f'testhost/d/derive-{member}',
                                f'{story.base + number * SLOT}:{number * step}',
                                interval=SLOT)
    story.cut()
    assert story.told() == {n: 12 for n in range(1, 5)}


# ---- collectd -T -------------------------------------------------------------

FREE = '''
<Metric "plain">
  Plugin "memory"
  TypeInstance "free"
</Metric>
<Metric "half">
  Plugin "memory"
  TypeInstance "/^(free|buffered|cached|slab_recl)$/"
  Combine "sum"
</Metric>
'''


def test_one_shot_publishes_plain_metrics_and_never_half_a_sum(tmp_path):
    """collectd -T throws away part of its own queue."""
    published, end = 0, time.monotonic() + 30
    with Scene(tmp_path) as scene:
        for run in range(100):
            if run >= 8 and published or time.monotonic() > end:
                break
            clock = FastClock(1700000000 // 60 * 60 + 5, 1)
            service = scene.service(now=clock.now)
            daemon = scene.daemon(
                config(service, metric=FREE), before='LoadPlugin memory',
                interval=60, arguments=('-T',), environment=clock.environment)
            clock.begin()
            assert daemon.run(20) == 0
            names = {datum['MetricName'] for datum in service.datums}
            assert names <= {'plain'}
            if names:
                published += 1
                assert DROPPED in daemon.log
    assert published > 0
