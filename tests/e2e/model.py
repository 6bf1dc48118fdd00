"""model: what CloudWatch must have received of a configuration and a stream of
values.

A reference to compare the plugin with, written from the manual, for reading and
not for speed; it shares nothing with the plugin.

    model = Model(node, now)
    for step in steps:
        model.put(step) or model.flush(seconds)
    model.flush(0)      # as the stop does
    model.expected      # {(series, timestamp): Expected}

Undecided is raised where the manual leaves more than one outcome open.
"""

import collections
import dataclasses
import math

from model_input import SELECTORS, TYPES, Undecided, expand, passes
from model_numbers import COMBINE, change, count, fitting, scaled, total

TOO_OLD_S = 1206000  # BufferAge
TOO_EARLY_S = 7200
DISTINCT = 150  # values in one datum

UNITS = {'memory': 'Bytes', 'percent': 'Percent', 'users': 'Count',
         'if_octets': 'Bytes/Second', 'disk_ops': 'Count/Second'}


# ---- Combine -----------------------------------------------------------------

class Group:
    """The members of one block and one series."""

    def __init__(self, metric, period):
        self.metric = metric
        self.period = period
        self.interval = {}  # by member
        self.values = []  # (second, order, member, number, whether late)
        self.slot = None  # its length, once something was cut
        self.cut_until = None

    def put(self, member, value_list, number):
        self.interval[member] = value_list.interval
        is_late = (self.cut_until is not None and
                   value_list.second < self.cut_until)
        self.values.append((value_list.second, len(self.values), member,
                            number, is_late))

    def cut(self, limit, now, forced):
        """Samples, as (second, 0, number), of the slots that are due."""
        if not self.values:
            return
        slot = max([1, *map(math.ceil, self.interval.values())])
        if self.slot not in (None, slot):
            raise Undecided('a longer interval after slots were cut')
        starts = sorted({second // slot * slot
                         for second, *_ in self.values})
        if self.cut_until is not None:
            starts = [start for start in starts if start >= self.cut_until]
        for start in starts:
            end = start + slot
            if forced and start > now:
                break  # not open, but yet to come
            period_end = start // self.period * self.period + self.period
            if not forced and (end > limit or period_end > limit):
                break
            is_first = self.cut_until is None
            self.slot, self.cut_until = slot, end
            if forced and (end > now and not self._is_complete(start, slot) or
                           is_first and start == starts[-1] and
                           end + slot > now):
                continue
            number = scaled(self.metric, self._sample(start, slot))
            if number is not None:
                yield start, 0, number

    def _reporters(self, start, slot):
        return {member for second, _, member, _, is_late in self.values
                if start <= second < start + slot and not is_late}

    def _is_complete(self, start, slot):
        before = self._reporters(start - slot, slot)
        return before and before <= self._reporters(start, slot)

    def _sample(self, start, slot):
        newest = {}
        for second, _, member, number, _ in sorted(
                self.values, key=lambda one: one[:2]):
            if start - 2 * slot <= second < start + slot:
                newest[member] = number
        return COMBINE[self.metric.Combine](list(newest.values()))


# ---- the model ---------------------------------------------------------------

@dataclasses.dataclass
class Expected:
    """What has come of one series for one timestamp."""

    data: int = 0  # how many
    samples: list = dataclasses.field(default_factory=list)  # numbers
    sets: list = dataclasses.field(default_factory=list)  # of four numbers


class Series:
    """namespace, name and dimensions, with what feeds it."""

    def __init__(self, traits, period):
        self.traits = traits  # (Unit, StorageResolution, Statistics, Combine)
        self.period = period
        self.samples = []  # (second, order, number), of periods not cut yet
        self.groups = {}  # by block

    def cut(self, limit, now, forced):
        for group in self.groups.values():
            self.samples += group.cut(limit, now, forced)
        periods = collections.defaultdict(list)
        kept = []
        for sample in self.samples:
            start = sample[0] // self.period * self.period
            is_cut = forced or start + self.period <= limit
            (periods[start] if is_cut else kept).append(sample)
        self.samples = kept
        return periods

    def datum(self, samples, into):
        """One period's samples become data."""
        numbers = [number for *_, number in samples]
        statistics = self.traits[2]
        if statistics == 'values' or len(numbers) == 1:
            into.samples += numbers
            into.data += -(-len(set(numbers)) // DISTINCT)
            return
        if statistics == 'set':
            its_sum = fitting(total(numbers))
            if its_sum is not None:
                into.sets.append((count(numbers), its_sum, min(numbers),
                                  max(numbers)))
                into.data += 1
            return
        if statistics == 'last':  # of one second, the later one to come
            newest = max(sample[:2] for sample in samples)
            number, *others = {number for *when, number in samples
                               if tuple(when) == newest}
            if others:
                raise Undecided('several are the last one')
        else:
            number = fitting(COMBINE[statistics](numbers))
        if number is not None:
            into.samples.append(number)
            into.data += 1


class Model:
    """One node; now is a time that does not pass."""

    def __init__(self, node, now):
        self.node = node
        self.now = now
        self.metrics = [metric for metric in node.metrics
                        if metric.Enabled is not False]
        self._check()
        self.minute = max(n for n in range(1, 61)
                          if 60 % n == 0 and n <= node.FlushInterval)
        self.series = {}
        self.last = {}  # (time, values), by identifier
        self.counters = {}  # (time, number), by identifier and data source
        self.order = 0  # of coming
        self.expected = collections.defaultdict(Expected)

    def _check(self):
        """That the daemon starts with it."""
        agreed = {}
        for one in [self.node, *self.metrics]:
            if not set().union(*one.sets) <= {*self.node.dimensions,
                                              *one.dimensions}:
                raise Undecided('a set of dimensions that are not defined')
        for one in self.metrics:
            these = traits(one, None)
            if agreed.setdefault(one.name, these) != these:
                raise Undecided('blocks that contradict each other')

    # ---- values in

    def put(self, value_list):
        self.order += 1
        ahead = min(self.node.FlushInterval, TOO_EARLY_S)
        if not self.now - TOO_OLD_S <= value_list.second <= self.now + ahead:
            return
        this = (value_list.time, repr(value_list.values))
        if self.last.get(value_list.identifier) == this:
            return
        self.last[value_list.identifier] = this
        forms = [self._forms(value_list, i)
                 for i in range(len(value_list.values))]
        targets = self._targets(value_list)
        self._admit(value_list, targets)
        for metric, i, key in targets:
            its = traits(metric, value_list)
            series = self.series.get(key)
            if series is None or series.traits != its:
                continue
            number = self._number(metric, forms[i])
            if number is not None:
                self._add(series, metric, i, value_list, number)

    def _targets(self, value_list):
        """(block, number of the data source, series)"""
        return [(metric, i, key) for metric in self.metrics
                for i, (source, *_) in enumerate(TYPES[value_list.type])
                for key in self._keys(metric, value_list, source)]

    def _forms(self, value_list, i):
        """A value as rate, delta and raw; None where it gives none."""
        _, kind, low, high = TYPES[value_list.type][i]
        value = value_list.values[i]
        if kind == 'GAUGE':
            return {'rate': value, 'delta': value, 'raw': value}
        forms = {'rate': None, 'delta': None, 'raw': float(value)}
        before = self.counters.get((value_list.identifier, i))
        if before is None and kind == 'ABSOLUTE':
            before = (value_list.time - value_list.interval, 0)
        if before is None or value_list.time > before[0]:
            self.counters[value_list.identifier, i] = (value_list.time, value)
        if before is not None and value_list.time > before[0]:
            seconds = value_list.time - before[0]
            growth = change(kind, low, high, before[1], value, seconds)
            if growth is not None:
                forms['rate'] = float(growth) / seconds
                forms['delta'] = float(growth)
        return forms

    def _number(self, metric, forms):
        value = forms[metric.Counters or 'rate']
        if value is not None and math.isnan(value):
            value = 0.0 if metric.OnNaN == 'zero' else None
        if value is None or math.isinf(value):
            return None
        return (value, 0.0) if metric.Combine else scaled(metric, (value, 0.0))

    def _add(self, series, metric, i, value_list, number):
        if not metric.Combine:
            series.samples.append((value_list.second, self.order, number))
            return
        block = id(metric)
        if block not in series.groups:
            series.groups[block] = Group(metric, series.period)
        series.groups[block].put((value_list.identifier, i), value_list,
                                 number)

    # ---- series

    def _keys(self, metric, value_list, source):
        """The series that a block feeds with one value: namespace, name and
        dimensions of each set."""
        parts = value_list.parts(source)
        selected = dict(zip(SELECTORS, parts.values()))
        if not all(passes(lines, selected[option])
                   for option, lines in metric.select.items()):
            return []
        if len(TYPES[value_list.type]) == 1:
            parts['ds'] = ''
        name = expand(metric.name, parts)
        namespace = expand(metric.Namespace or self.node.Namespace or
                           'collectd', parts)
        if not name.strip() or not namespace.strip():
            return []
        templates = {**self.node.dimensions, **metric.dimensions}
        values = {dimension: expand(template, parts)
                  for dimension, template in templates.items()}
        sets = metric.sets or self.node.sets or [list(templates)]
        return list(dict.fromkeys(
            (namespace, name, frozenset((dimension, values[dimension])
                                        for dimension in one
                                        if values[dimension]))
            for one in sets))

    def _admit(self, value_list, targets):
        new = {}
        for metric, i, key in targets:
            if key not in self.series:
                new.setdefault(key, (metric, i))
        most = self.node.MaxMetrics or 1000
        room = most - len(self.series)
        if len(new) > room:
            sizes = sorted(len(key[2]) for key in new)
            origins = {(id(metric), i) for metric, i in new.values()}
            if len(origins) > 1 or room and sizes[room - 1] == sizes[room]:
                raise Undecided('which of several metrics is one too many')
        for key in sorted(new, key=lambda key: len(key[2]))[:room]:
            metric, _ = new[key]
            self.series[key] = Series(
                traits(metric, value_list),
                1 if metric.StorageResolution == 1 else self.minute)

    # ---- data out

    def flush(self, timeout):
        """Cuts what ended so many seconds ago; with 0 also what is open."""
        for key, series in self.series.items():
            periods = series.cut(self.now - timeout, self.now, timeout == 0)
            for start, samples in periods.items():
                series.datum(samples, self.expected[
                    (*key, *series.traits[:2], start)])


def traits(metric, value_list):
    """In which all that feeds a series must agree; of no value list: as far as
    they are known before there is one."""
    unit = metric.Unit
    if unit is None and (float(metric.Scale or 1) != 1 or
                         metric.Counters not in (None, 'rate')):
        unit = 'None'
    elif unit is None and metric.Combine == 'count':
        unit = 'Count'
    elif unit is None:
        unit = UNITS.get(value_list.type, 'None') if value_list else 'by type'
    return (unit, metric.StorageResolution or 60,
            metric.Statistics or 'values', metric.Combine)
