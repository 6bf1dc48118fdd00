"""The rules of PutMetricData: from a decoded input to datums.

All faults of a request are found, each on a line of its own that names the
member. Where the documents leave a case open, the stricter reading holds:
what passes here shall pass there. The parts about entities are not built.
"""

import math
import re

from aws_error import Findings
from aws_wire import SERVICE

DATA = 1000
VALUES = 150
DIMENSIONS = 30
NAME_LENGTH = 255
DIMENSION_VALUE_LENGTH = 1024
LARGEST = 2.0 ** 360
# Below it only zero itself is accepted.
SMALLEST = 2.0 ** -360
PAST_S = 14 * 86400
FUTURE_S = 2 * 3600
UNITS = frozenset(SERVICE.shape_for("StandardUnit").enum)
STATISTICS = ("SampleCount", "Sum", "Minimum", "Maximum")

INVALID = "InvalidParameterValue"
MISSING = "MissingParameter"
COMBINATION = "InvalidParameterCombination"


def datums(given, now):
    """The datums of an input, each a dict with all defaults filled in:
    Namespace, MetricName, Dimensions (a dict), Timestamp (seconds since
    1970), Unit, StorageResolution, and Value, Values with Counts, or
    StatisticValues. Raises AwsError if a single one is at fault."""
    findings = Findings()
    _namespace(given.get("Namespace"), findings)
    data = given.get("MetricData")
    if not data:
        findings.add(MISSING, "The parameter MetricData is required.")
    elif len(data) > DATA:
        _too_many("MetricData", data, DATA, findings)
    for n, datum in enumerate(data or (), 1):
        _datum(datum, f"MetricData.member.{n}", now, findings)
    findings.check()
    return [_complete(given["Namespace"], datum, now) for datum in data]


def _complete(namespace, datum, now):
    result = {
        "Namespace": namespace,
        "MetricName": datum["MetricName"],
        "Dimensions": {dimension["Name"]: dimension["Value"]
                       for dimension in datum.get("Dimensions", ())},
        "Timestamp": datum.get("Timestamp", int(now)),
        "Unit": datum.get("Unit", "None"),
        "StorageResolution": datum.get("StorageResolution", 60),
    }
    for name in ("Value", "Values", "Counts", "StatisticValues"):
        if name in datum:
            result[name] = datum[name]
    if "Values" in datum:
        result.setdefault("Counts", [1] * len(datum["Values"]))
    return result


def _namespace(name, findings):
    if not _text(name, "Namespace", NAME_LENGTH, findings):
        return
    if name.startswith("AWS/"):
        findings.add(INVALID, "The value AWS/ for parameter Namespace is "
                     "invalid: it is reserved.")
    elif not re.fullmatch(r"[0-9A-Za-z._/#: -]+", name):
        findings.add(INVALID, "The parameter Namespace has characters other "
                     "than letters, digits and . - _ / # : and space.")


def _text(value, path, limit, findings):
    """The rules for all names and for dimension values."""
    if value is None:
        findings.add(MISSING, f"The parameter {path} is required.")
    elif not 1 <= len(value) <= limit:
        findings.add(INVALID, f"The parameter {path} must have a length of 1 "
                     f"to {limit} characters, it has {len(value)}.")
    elif not value.isascii():
        findings.add(INVALID, f"The parameter {path} must contain only ASCII "
                     f"characters: {value[:80]!a}")
    elif not value.isprintable():
        findings.add(INVALID, f"The parameter {path} must not contain "
                     f"control characters: {value[:80]!a}")
    elif value.isspace():
        findings.add(INVALID, f"The parameter {path} must not be blank.")
    elif value.startswith(":") and not path.endswith(".Value"):
        findings.add(INVALID, f"The parameter {path} must not begin with a "
                     "colon.")
    else:
        return True
    return False


def _too_many(path, items, limit, findings):
    findings.add(INVALID, f"The collection {path} must not have a size "
                 f"greater than {limit}, it has {len(items)}.")


def _datum(datum, path, now, findings):
    _text(datum.get("MetricName"), f"{path}.MetricName", NAME_LENGTH,
          findings)
    _dimensions(datum.get("Dimensions", ()), f"{path}.Dimensions", findings)
    _forms(datum, path, findings)
    if "Timestamp" in datum:
        _timestamp(datum["Timestamp"], f"{path}.Timestamp", now, findings)
    if datum.get("Unit", "None") not in UNITS:
        findings.add(INVALID, f"The parameter {path}.Unit must be a value in "
                     f"the set of units, not {datum['Unit'][:80]!a}.")
    if datum.get("StorageResolution", 60) not in (1, 60):
        findings.add(INVALID, f"The parameter {path}.StorageResolution must "
                     f"be 1 or 60, not {datum['StorageResolution']}.")


def _dimensions(dimensions, path, findings):
    if len(dimensions) > DIMENSIONS:
        _too_many(path, dimensions, DIMENSIONS, findings)
    names = set()
    for n, dimension in enumerate(dimensions, 1):
        name = dimension.get("Name")
        _text(name, f"{path}.member.{n}.Name", NAME_LENGTH, findings)
        _text(dimension.get("Value"), f"{path}.member.{n}.Value",
              DIMENSION_VALUE_LENGTH, findings)
        if name is not None and name in names:
            findings.add(INVALID, f"The parameter {path}.member.{n}.Name "
                         f"occurs twice: {name[:80]!a}")
        names.add(name)


def _timestamp(seconds, path, now, findings):
    if not seconds >= now - PAST_S:
        findings.add(INVALID, f"The parameter {path} must specify a time "
                     "within the past two weeks.")
    elif seconds > now + FUTURE_S:
        findings.add(INVALID, f"The parameter {path} must specify a time no "
                     "more than two hours in the future.")


def _forms(datum, path, findings):
    """Which value members stand together, and what is in them. Values and
    StatisticValues are the one pair that the service accepts."""
    value, values, statistics = (
        name in datum for name in ("Value", "Values", "StatisticValues"))
    if value and (values or statistics):
        other = "Values" if values else "StatisticValues"
        findings.add(COMBINATION, f"The parameters {path}.Value and "
                     f"{path}.{other} are mutually exclusive and you have "
                     "specified both.")
    if "Counts" in datum and not values:
        findings.add(COMBINATION, f"The parameter {path}.Counts needs "
                     f"{path}.Values.")
    if not (value or values or statistics):
        findings.add(MISSING, f"One of the parameters {path}.Value, "
                     f"{path}.Values and {path}.StatisticValues is "
                     "required.")
    if value:
        _number(datum["Value"], f"{path}.Value", findings)
    if values:
        _distribution(datum, path, findings)
    if statistics:
        _statistics(datum["StatisticValues"], f"{path}.StatisticValues",
                    findings)


def _number(value, path, findings):
    if not math.isfinite(value):
        fault = "it must be a finite number"
    elif abs(value) > LARGEST:
        fault = "it must lie between -2^360 and 2^360"
    elif 0 < abs(value) < SMALLEST:
        fault = "numbers nearer to 0 than 2^-360 are not supported"
    else:
        return True
    findings.add(INVALID, f"The value {value!r} for parameter {path} is "
                 f"invalid: {fault}.")
    return False


def _count(value, path, findings):
    if _number(value, path, findings) and value <= 0:
        findings.add(INVALID, f"The value {value!r} for parameter {path} is "
                     "invalid: it must be greater than 0.")


def _distribution(datum, path, findings):
    values = datum["Values"]
    counts = datum.get("Counts")
    if not values:
        findings.add(MISSING, f"The parameter {path}.Values is empty.")
    for name in ("Values", "Counts"):
        items = datum.get(name, ())
        if len(items) > VALUES:
            _too_many(f"{path}.{name}", items, VALUES, findings)
    if counts is not None and len(counts) != len(values):
        findings.add(INVALID, f"The parameters {path}.Values and "
                     f"{path}.Counts must be of the same size.")
    for n, value in enumerate(values, 1):
        _number(value, f"{path}.Values.member.{n}", findings)
    for n, count in enumerate(counts or (), 1):
        _count(count, f"{path}.Counts.member.{n}", findings)


def _statistics(statistics, path, findings):
    for name in STATISTICS:
        if name not in statistics:
            findings.add(MISSING, f"The parameter {path}.{name} is "
                         "required.")
        elif name == "SampleCount":
            _count(statistics[name], f"{path}.{name}", findings)
        else:
            _number(statistics[name], f"{path}.{name}", findings)
    if (statistics.get("Minimum", -math.inf)
            > statistics.get("Maximum", math.inf)):
        findings.add(INVALID, f"The parameter {path}.Maximum must not be "
                     f"less than {path}.Minimum.")
