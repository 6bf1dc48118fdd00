"""%{ec2:...} that is known late, changes, or is never known; in scaled time.

A value is put each minute, at its second 30; flushes come with each minute.
What counts is that only the series that need it wait, and that all data carry
the time of their values."""

import re

import pytest

from identity import count_lines, fleet_and_group, own, put_own, told
from scene import Scene, config
from times import FastClock
import faults
import imds

START = 1_800_000_000  # a full minute
RATE = 30
EVERY_S = 60


@pytest.fixture
def fast(tmp_path):
    with Scene(tmp_path, clock=FastClock(START, RATE)) as one:
        yield one


class Minutes:
    """A daemon that gets the number of each minute as that minute's value."""

    def __init__(self, scene, metadata, *lines, **options):
        self.clock = scene.clock
        self.service = scene.service()
        self.daemon = scene.start(
            config(self.service, *lines,
                   **{'FlushInterval': EVERY_S, **FastClock.LONG, **options}),
            uses=[metadata])
        self.next = 0

    def live(self, until):
        """Lives through the minutes before this one."""
        while self.next < until:
            second = START + self.next * 60 + 30
            self.clock.sleep_until(second)
            put_own(self.daemon, second, load=self.next)
            self.next += 1
        self.daemon.settle()

    def sets(self, count, timeout=15):
        """{values of the one dimension, '' without: [minutes]}."""
        self.service.wait_datums(count, timeout)
        found = {}
        for dimensions, at, value in told(self.service):
            assert at == START + 60 * value, 'not its own time'
            found.setdefault(dimensions.get('Group', ''), []).append(value)
        return found

    def stop(self):
        """Ends the daemon, which flushes the rest."""
        assert self.daemon.stop() == 0
        return self.sets(1)


def warned(minutes):
    return [line for line in minutes.daemon.lines if '[warning] write_cl' in
            line]


# ---- late -------------------------------------------------------------------

@pytest.mark.parametrize('how', ['hanging', 'refusing', 'in trouble'])
def test_late_by_minutes(fast, how):
    metadata = fast.metadata(tags={'A': 'a'})
    if how == 'refusing':
        metadata.pause()
    else:
        metadata.always(faults.hang() if how == 'hanging' else
                        faults.answer(503))
    minutes = Minutes(fast, metadata, *fleet_and_group('%{ec2:tag:A}'))
    minutes.live(3)
    # The fleet's go on, nothing of the group is published yet.
    assert set(minutes.sets(2)) == {''}
    if how == 'refusing':
        metadata.resume()
    metadata.always(None)
    minutes.daemon.wait_for(r"\[notice\] .*the instance's identity was read "
                            r'after \d+ s', 15)
    minutes.live(7)
    found = minutes.stop()
    assert found == {'': list(range(7)), 'a': list(range(7))}
    line, = warned(minutes)
    assert re.search(r"waiting for the instance's identity \(%\{ec2:tag:A\}\): "
                     '.*; metrics that name it wait until MetadataWait', line)
    assert ', 0 values were left out' in minutes.daemon.log


def test_combined_while_it_is_late(fast):
    """Slots of two members, all of them whole."""
    metadata = fast.metadata(tags={'A': 'a'})
    metadata.always(faults.answer(500))
    minutes = Minutes(
        fast, metadata, *fleet_and_group('%{ec2:tag:A}'), metric='<Metric "s">'
        '\nPlugin "test"\nCombine "sum"\nScale 0.5\n</Metric>')
    for i in range(4):
        second = START + 60 * i + 30
        minutes.clock.sleep_until(second)
        for name in ('x', 'y'):
            minutes.daemon.putval(f'testhost/test/gauge-{name}',
                                  f'{second}:{i}', interval=60)
        if i == 2:
            minutes.daemon.flush()  # by force: no half sum, and no group
            metadata.always(None)
    minutes.clock.sleep_until(START + 330)
    found = minutes.stop()
    assert found == {'': [0, 1, 2, 3], 'a': [0, 1, 2, 3]}
    assert 'came after its slot' not in minutes.daemon.log


# ---- never, or after MetadataWait -------------------------------------------

def test_metadata_wait_is_over(fast):
    """The rule for missing values holds until the value comes; then it is
    used."""
    metadata = fast.metadata(tags={'A': 'a'})
    metadata.always(faults.answer(500))
    minutes = Minutes(fast, metadata, 'Dimension "Other" "%{ec2:tag:A|none}"',
                      *fleet_and_group('%{ec2:tag:A}'), 'DimensionSet "Other"',
                      MetadataWait=120)
    minutes.live(4)
    minutes.daemon.wait_for(r'\[warning\] .*%\{ec2:tag:A\} has no value, so '
                            'what names it without', 10)
    metadata.always(None)
    minutes.daemon.wait_for("identity was read after", 15)
    read_at = minutes.next
    minutes.live(read_at + 3)
    minutes.daemon.stop()
    others = {}
    for dimensions, at, value in told(minutes.service):
        assert at == START + 60 * value
        for name in dimensions or {'': None}:
            others.setdefault((name, dimensions.get(name)), []).append(value)
    fleet, n = others.pop(('', None)), minutes.next
    assert fleet == list(range(n))
    # What was cut before has the text, what is cut after it the value.
    none, known = others.pop(('Other', 'none')), others.pop(('Other', 'a'))
    assert none + known == list(range(n)) and known[-1] == n - 1
    assert none[:3] == [0, 1, 2]
    assert others == {('Group', 'a'): known}
    assert count_lines(minutes.daemon, 'has no value') == 1
    assert f'{len(none)} values were left out' in minutes.daemon.log


def test_definite_answer_ends_the_waiting(fast):
    """404: what stands for it is used with the first flush."""
    metadata = fast.metadata(tags=None)
    minutes = Minutes(fast, metadata, *fleet_and_group('%{ec2:tag:A|none}'),
                      MetadataWait=86400)
    minutes.live(2)
    minutes.clock.sleep_until(START + 150)
    assert minutes.sets(4) == {'': [0, 1], 'none': [0, 1]}
    assert warned(minutes) == []


# ---- changes ----------------------------------------------------------------

def test_changes_within_five_minutes(fast):
    """A tag changes, and the group of an instance that joins it later
    appears; neither needs a restart."""
    metadata = fast.metadata(tags={'A': 'old'})
    minutes = Minutes(
        fast, metadata, 'Dimension "Asg" "%{ec2:autoscaling_group}"',
        *fleet_and_group('%{ec2:tag:A}'), 'DimensionSet "Asg"')
    minutes.live(2)
    metadata.tags = {'A': 'new', 'aws:autoscaling:groupName': 'asg'}
    changed = minutes.next
    minutes.live(changed + 7)
    minutes.daemon.stop()
    seen = {}
    for dimensions, at, value in told(minutes.service):
        assert at == START + 60 * value
        for pair in dimensions.items():
            seen.setdefault(pair, []).append(value)
    n = minutes.next
    old, new = seen[('Group', 'old')], seen[('Group', 'new')]
    assert old + new == list(range(n))
    assert new[0] <= changed + 6
    # What is not there is looked for more often.
    asg = seen[('Asg', 'asg')]
    assert asg == list(range(asg[0], n)) and asg[0] <= changed + 3
    assert set(seen) == {('Group', 'old'), ('Group', 'new'), ('Asg', 'asg')}
    assert count_lines(minutes.daemon, r'autoscaling_group\} has no value') == 1


def test_value_stays_while_the_service_fails(fast):
    metadata = fast.metadata(tags={'A': 'a'})
    minutes = Minutes(fast, metadata, *fleet_and_group('%{ec2:tag:A}'))
    minutes.live(1)
    minutes.sets(1)
    asked = len(metadata.requests)
    assert asked >= 2
    metadata.always(faults.answer(500))
    metadata.at(imds.TAGS + '*', faults.answer(500))
    minutes.live(8)
    found = minutes.stop()
    assert found == {'': list(range(8)), 'a': list(range(8))}
    assert len(metadata.requests) > asked  # it was asked again
    assert warned(minutes) == []


# ---- much -------------------------------------------------------------------

def test_more_than_the_buffer_holds(scene):
    """BufferLimit 1: the oldest go, counted and said once; the newest are
    there when the value is known, and the fleet's never wait.  Each sample has
    a period of its own, so that they cannot be summed up."""
    service, metadata = scene.service(), scene.metadata(tags={'A': 'a'})
    metadata.always(faults.answer(500))
    daemon = scene.start(
        config(service, *fleet_and_group('%{ec2:tag:A}'), BufferLimit=1,
               metric='<Metric "%{type_instance}">\nPlugin "test"\n'
               'StorageResolution 1\n</Metric>'),
        uses=[metadata])
    count, first = 0, int(scene.now()) - 86400
    while 'until BufferLimit was reached' not in daemon.log:
        assert count < 10_000
        for i in range(count, count + 1000, 40):
            daemon.putval('testhost/test/gauge-load', *(
                f'{first + k}:{k}' for k in range(i, i + 40)), interval=1)
        count += 1000
        daemon.flush()
        service.wait_datums(count, 20)
    own(daemon, at=first + count, load=count)
    count += 1
    metadata.always(None)
    daemon.wait_for("identity was read after", 60)
    daemon.flush()

    def samples(group):
        return [d for d in service.datums
                if ('Group' in d['Dimensions']) == group]

    def newest(group):
        return max((d['Timestamp'] for d in samples(group)), default=0)
    end = first + count - 1
    assert service.wait_for(lambda: newest(True) == newest(False) == end, 20)
    daemon.stop()

    assert len(samples(False)) == count
    lost = count - len(samples(True))
    assert 0 < lost < count
    # The oldest, and them alone.
    assert min(d['Timestamp'] for d in samples(True)) == first + lost
    assert count_lines(
        daemon, r'\[warning\] .*testhost/test/gauge-load waited for a value of '
        'the instance .* until BufferLimit was reached') == 1
    # Some of them as samples, and some as data, which take more room.
    told = re.search(r'accepted, (\d+) values were left out.*'
                     r'dropped by BufferLimit: (\d+),', daemon.log)
    assert int(told[1]) > 0 and int(told[1]) + int(told[2]) == lost
