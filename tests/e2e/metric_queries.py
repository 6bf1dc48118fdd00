"""The operations that read: ListMetrics, GetMetricStatistics, GetMetricData.

Each takes the store, the decoded input and the time, and returns the output
in the members of botocore's model. Members that are not built are refused
by name and never ignored.
"""

import re

from aws_error import AwsError
from metric_store import STATISTICS, is_percentile, is_period

PAGE = 500
DATAPOINTS = 1440
QUERIES = 500
RECENT_S = 3 * 3600
_FAR = 1e11


def list_metrics(store, given, now):
    _only(given, "Namespace", "MetricName", "Dimensions", "NextToken",
          "RecentlyActive")
    recent = given.get("RecentlyActive")
    if recent not in (None, "PT3H"):
        raise AwsError("InvalidParameterValue",
                       "The parameter RecentlyActive must be PT3H.")
    token = given.get("NextToken", "0")
    if not re.fullmatch(r"\d{1,9}", token, re.ASCII):
        raise AwsError("InvalidNextToken", "The NextToken is not one of ours")
    filters = []
    for dimension in given.get("Dimensions", ()):
        _required(dimension, "Name")
        filters.append((dimension["Name"], dimension.get("Value")))
    found = list(store.metrics(
        given.get("Namespace"), given.get("MetricName"), filters,
        now - RECENT_S if recent else None))
    end = int(token) + PAGE
    output = {"Metrics": [_metric(datum) for datum in found[end - PAGE:end]]}
    if len(found) > end:
        output["NextToken"] = str(end)
    return output


def _metric(datum):
    return {"Namespace": datum["Namespace"],
            "MetricName": datum["MetricName"],
            "Dimensions": [{"Name": name, "Value": value} for name, value
                           in datum["Dimensions"].items()]}


def get_metric_statistics(store, given, now):
    _required(given, "Namespace", "MetricName", "StartTime", "EndTime",
              "Period")
    plain = given.get("Statistics", [])
    extended = given.get("ExtendedStatistics", [])
    if bool(plain) == bool(extended):
        raise AwsError("InvalidParameterCombination",
                       "Exactly one of the parameters Statistics and "
                       "ExtendedStatistics must be specified.")
    for name in plain + extended:
        if not (name in STATISTICS if plain else is_percentile(name)):
            raise AwsError("InvalidParameterValue",
                           f"{name[:80]!a} is not a statistic known here.")
    window = _window(given)
    _period(given["Period"])
    asked = (window[1] - window[0]) / given["Period"]
    if asked > DATAPOINTS:
        raise AwsError("InvalidParameterCombination",
                       f"You have requested up to {int(asked)} datapoints, "
                       f"which exceeds the limit of {DATAPOINTS}.")
    points = []
    for time, unit, aggregate in store.aggregates(
            given["Namespace"], given["MetricName"], _dimensions(given),
            window, given["Period"], given.get("Unit")):
        point = {"Timestamp": time, "Unit": unit}
        values = {name: aggregate.statistic(name)
                  for name in plain + extended}
        values = {name: value for name, value in values.items()
                  if value is not None}
        if values:
            point.update(values if plain else {"ExtendedStatistics": values})
            points.append(point)
    return {"Label": given["MetricName"], "Datapoints": points}


def get_metric_data(store, given, now):
    _only(given, "MetricDataQueries", "StartTime", "EndTime", "ScanBy")
    _required(given, "MetricDataQueries", "StartTime", "EndTime")
    queries = given["MetricDataQueries"]
    if not 1 <= len(queries) <= QUERIES:
        raise AwsError("ValidationError", "MetricDataQueries must have 1 to "
                       f"{QUERIES} members.")
    scan = given.get("ScanBy", "TimestampDescending")
    if scan not in ("TimestampDescending", "TimestampAscending"):
        raise AwsError("ValidationError", "ScanBy must be "
                       "TimestampDescending or TimestampAscending.")
    window = _window(given)
    results, idents = [], set()
    for query in queries:
        _required(query, "Id")
        if not re.fullmatch("[a-z][a-zA-Z0-9_]{0,254}", query["Id"]) or (
                query["Id"] in idents):
            raise AwsError("ValidationError",
                           f"The Id {query['Id'][:80]!a} is used twice or "
                           "not of letters, digits and _ beginning with a "
                           "small letter.")
        idents.add(query["Id"])
        result = _query(store, query, window)
        if scan == "TimestampDescending":
            result["Timestamps"].reverse()
            result["Values"].reverse()
        if query.get("ReturnData", True):
            results.append(result)
    return {"MetricDataResults": results, "Messages": []}


def _query(store, query, window):
    if "Expression" in query:
        raise AwsError("ValidationError",
                       f"The query {query['Id']} has an Expression; this "
                       "test service knows MetricStat only.")
    _only(query, "Id", "MetricStat", "Label", "ReturnData")
    _required(query, "MetricStat")
    stat = query["MetricStat"]
    _required(stat, "Metric", "Period", "Stat")
    _required(stat["Metric"], "Namespace", "MetricName")
    _period(stat["Period"])
    if not (stat["Stat"] in STATISTICS or is_percentile(stat["Stat"])):
        raise AwsError("ValidationError",
                       f"The Stat {stat['Stat'][:80]!a} is not known here.")
    name = stat["Metric"]["MetricName"]
    result = {"Id": query["Id"], "Label": query.get("Label", name),
              "Timestamps": [], "Values": [], "StatusCode": "Complete"}
    for time, _, aggregate in store.aggregates(
            stat["Metric"]["Namespace"], name, _dimensions(stat["Metric"]),
            window, stat["Period"], stat.get("Unit")):
        value = aggregate.statistic(stat["Stat"])
        if value is not None:
            result["Timestamps"].append(time)
            result["Values"].append(value)
    return result


def _required(given, *names):
    for name in names:
        if name not in given:
            raise AwsError("MissingParameter",
                           f"The parameter {name} is required.")


def _only(given, *names):
    for name in given:
        if name not in names:
            raise AwsError("ValidationError", f"The parameter {name} is not "
                           "known to this test service.")


def _dimensions(given):
    for dimension in given.get("Dimensions", ()):
        _required(dimension, "Name", "Value")
    return {dimension["Name"]: dimension["Value"]
            for dimension in given.get("Dimensions", ())}


def _period(seconds):
    if not is_period(seconds):
        raise AwsError("InvalidParameterValue",
                       "The parameter Period must be 1, 5, 10, 30 or a "
                       f"multiple of 60, not {seconds}.")


def _window(given):
    window = given["StartTime"], given["EndTime"]
    if not -_FAR < window[0] < window[1] < _FAR:
        raise AwsError("InvalidParameterValue",
                       "The parameter StartTime must be less than the "
                       "parameter EndTime, and both be times of this age.")
    return window
