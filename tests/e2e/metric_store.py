"""What was published, and the statistics made of it.

Data of one series, unit and period are added, never replaced: counts and
sums add up, minimum and maximum widen, distributions are joined.
"""

import dataclasses
import math
import re

STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
_PERCENTILE = re.compile(r"p(100|\d{1,2}(\.\d{1,10})?)", re.ASCII)


@dataclasses.dataclass
class Aggregate:
    """The sum of some data. `weights` maps values to how often they came;
    it is None when a part of the data came without its distribution."""

    count: float
    total: float
    minimum: float
    maximum: float
    weights: dict

    @classmethod
    def of(cls, datum):
        """One accepted datum. Where a distribution comes with statistics,
        those are taken as exact and percentiles from the distribution."""
        if "Value" in datum:
            value = datum["Value"]
            return cls(1, value, value, value, {value: 1})
        weights = None
        if "Values" in datum:
            weights = {}
            for value, count in zip(datum["Values"], datum["Counts"]):
                weights[value] = weights.get(value, 0) + count
        if "StatisticValues" not in datum:
            return cls(sum(weights.values()),
                       sum(value * n for value, n in weights.items()),
                       min(weights), max(weights), weights)
        count, total, low, high = (
            datum["StatisticValues"][name] for name in
            ("SampleCount", "Sum", "Minimum", "Maximum"))
        if weights is None and low == high and total == low * count:
            weights = {low: count}
        return cls(count, total, low, high, weights)

    def __add__(self, other):
        weights = None
        if self.weights is not None and other.weights is not None:
            weights = dict(self.weights)
            for value, count in other.weights.items():
                weights[value] = weights.get(value, 0) + count
        return Aggregate(self.count + other.count, self.total + other.total,
                         min(self.minimum, other.minimum),
                         max(self.maximum, other.maximum), weights)

    def statistic(self, name):
        """By the name that the API uses; None where there is none: a
        percentile needs every value, and no value below zero."""
        if name == "Average":
            return self.total / self.count
        if not _PERCENTILE.fullmatch(name):
            return {"SampleCount": self.count, "Sum": self.total,
                    "Minimum": self.minimum, "Maximum": self.maximum}[name]
        if self.weights is None or min(self.weights) < 0:
            return None
        return self._percentile(float(name[1:]))

    def _percentile(self, percent):
        """Nearest rank: the least value that at least so many percent of
        the samples do not exceed. AWS does not say how it interpolates."""
        rank = percent / 100 * sum(self.weights.values())
        seen = 0
        for value in sorted(self.weights):
            seen += self.weights[value]
            if seen >= rank:
                return value
        return value


def is_percentile(name):
    return bool(_PERCENTILE.fullmatch(name))


def is_period(seconds):
    return seconds in (1, 5, 10, 30) or seconds > 0 and seconds % 60 == 0


class Store:
    """Series by namespace, name and dimensions, in order of appearance.
    The caller sees to it that one thread at a time is in it."""

    def __init__(self):
        self._series = {}

    def add(self, datum):
        key = (datum["Namespace"], datum["MetricName"],
               frozenset(datum["Dimensions"].items()))
        self._series.setdefault(key, (datum, []))[1].append(datum)

    def metrics(self, namespace=None, name=None, filters=(), since=None):
        """The first datum of each series that fits. `filters` are pairs of
        a dimension name and a value or None; `since` asks for newer data."""
        for first, data in self._series.values():
            if namespace not in (None, first["Namespace"]):
                continue
            if name not in (None, first["MetricName"]):
                continue
            own = first["Dimensions"]
            if not all(key in own and value in (None, own[key])
                       for key, value in filters):
                continue
            if since is None or any(
                    datum["Timestamp"] >= since for datum in data):
                yield first

    def aggregates(self, namespace, name, dimensions, window, period,
                   unit=None):
        """(time, unit, Aggregate) of each period that has data, by time.

        `window` is (start, end), the end excluded. The start is rounded
        down to the minute, or to a shorter period; periods count from it.
        Data of one-minute resolution do not show in shorter periods."""
        start, end = window
        start = math.floor(start) // min(60, period) * min(60, period)
        key = (namespace, name, frozenset(dimensions.items()))
        periods = {}
        for datum in self._series.get(key, (None, ()))[1]:
            grain = datum["StorageResolution"]
            time = math.floor(datum["Timestamp"]) // grain * grain
            if not start <= time < end or period < grain:
                continue
            if unit not in (None, datum["Unit"]):
                continue
            slot = (start + (time - start) // period * period, datum["Unit"])
            part = Aggregate.of(datum)
            periods[slot] = periods[slot] + part if slot in periods else part
        for (time, own), aggregate in sorted(
                periods.items(), key=lambda item: item[0]):
            yield time, own, aggregate
