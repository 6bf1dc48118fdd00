"""The loopback CloudWatch service, judged by parts that are not ours:
botocore as client and as signer, Debian's aws command line, and arithmetic
done by hand."""

import calendar
import gzip
import hashlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import types

import botocore.config
import botocore.exceptions
import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import faults
from cloudwatch import Service

KEY, SECRET, REGION = "AKIDEXAMPLE", "secretEXAMPLE", "us-east-1"
TEMPORARY, TOKEN = "ASIAEXAMPLE", "tokenEXAMPLE=="
PROGRAM = pathlib.Path(__file__).with_name("cloudwatch.py")
MINUTE = int(time.time()) // 60 * 60 - 600


@pytest.fixture
def service():
    with Service(credentials={KEY: (SECRET, None),
                              TEMPORARY: (SECRET, TOKEN)},
                 region=REGION) as one:
        yield one


def client(service, key=KEY, secret=SECRET, token=None, region=REGION):
    return botocore.session.Session().create_client(
        "cloudwatch", region_name=region, endpoint_url=service.url,
        aws_access_key_id=key, aws_secret_access_key=secret,
        aws_session_token=token, config=botocore.config.Config(
            retries={"max_attempts": 0}, read_timeout=5))


def signed(service, body, *, operation="PutMetricData", at=None,
           secret=SECRET, key=KEY, token=None, region=REGION,
           name="monitoring", headers=()):
    """An AWSRequest of the JSON protocol, signed by botocore."""
    made = AWSRequest("POST", service.url + "/", {
        "Host": f"127.0.0.1:{service.port}",
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"GraniteServiceVersion20100801.{operation}",
        "x-amzn-query-mode": "true",
        "X-Amz-Date": time.strftime("%Y%m%dT%H%M%SZ",
                                    time.gmtime(at or time.time()))}, body)
    if token:
        made.headers["X-Amz-Security-Token"] = token
    for header, value in headers:
        del made.headers[header]
        if value is not None:
            made.headers[header] = value
    made.context["timestamp"] = made.headers["X-Amz-Date"]
    auth = SigV4Auth(Credentials(key, secret), name, region)
    text = auth.string_to_sign(made, auth.canonical_request(made))
    auth._inject_signature_to_request(made, auth.signature(text, made))
    return made


def send(service, made, connection=None):
    """Send it as it is; returns (status, headers, body)."""
    mine = connection or http.client.HTTPConnection(
        "127.0.0.1", service.port, timeout=10)
    try:
        mine.request(made.method, "/", made.data, dict(made.headers))
        answer = mine.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        if not connection:
            mine.close()


def put(service, data, namespace="N", **how):
    """PutMetricData in JSON; returns (status, error code or None, text)."""
    body = data if isinstance(data, bytes) else json.dumps(
        {"Namespace": namespace, "MetricData": data}).encode()
    status, headers, answer = send(service, signed(service, body, **how))
    tree = json.loads(answer)
    code = headers.get("x-amzn-query-error", "").split(";")[0] or None
    assert (status == 200) == (code is None) == ("__type" not in tree)
    return status, code, tree.get("message", "")


def datum(**members):
    return {"MetricName": "m", "Value": 1, **members}


# --- round trips

def test_botocore_puts_and_reads_back(service):
    own = client(service)
    own.put_metric_data(Namespace="App/x", MetricData=[
        {"MetricName": "load", "Value": value, "Unit": "Percent",
         "Timestamp": MINUTE + second, "StorageResolution": 1,
         "Dimensions": [{"Name": "Host", "Value": "a & <b>"},
                        {"Name": "Zone", "Value": " z"}]}
        for second, value in ((0, 1.5), (59, 2.5), (60, 8))])
    assert service.datums[0] == {
        "Namespace": "App/x", "MetricName": "load", "Unit": "Percent",
        "Dimensions": {"Host": "a & <b>", "Zone": " z"}, "Value": 1.5,
        "Timestamp": MINUTE, "StorageResolution": 1, "Request": 1,
        "AccessKey": KEY, "SignatureVerified": True}
    listed = own.list_metrics(Namespace="App/x", MetricName="load",
                              Dimensions=[{"Name": "Host"}])["Metrics"]
    dimensions = [{"Name": "Host", "Value": "a & <b>"},
                  {"Name": "Zone", "Value": " z"}]
    assert listed == [{"Namespace": "App/x", "MetricName": "load",
                       "Dimensions": dimensions}]
    for other in ({"Namespace": "Other"}, {"MetricName": "other"},
                  {"Dimensions": [{"Name": "Host", "Value": "other"}]}):
        assert own.list_metrics(**other)["Metrics"] == []
    answer = own.get_metric_statistics(
        Namespace="App/x", MetricName="load", Dimensions=dimensions,
        StartTime=MINUTE, EndTime=MINUTE + 120, Period=60,
        Statistics=["Average", "Sum", "Minimum", "Maximum", "SampleCount"])
    points = [(point.pop("Timestamp").timestamp() - MINUTE, point)
              for point in answer["Datapoints"]]
    assert points == [
        (0, {"SampleCount": 2, "Average": 2, "Sum": 4, "Minimum": 1.5,
             "Maximum": 2.5, "Unit": "Percent"}),
        (60, {"SampleCount": 1, "Average": 8, "Sum": 8, "Minimum": 8,
              "Maximum": 8, "Unit": "Percent"})]
    stat = {"Metric": listed[0], "Period": 30, "Stat": "Sum"}
    (result,) = own.get_metric_data(
        StartTime=MINUTE, EndTime=MINUTE + 120, MetricDataQueries=[
            {"Id": "q1", "MetricStat": stat, "Label": "L"},
            {"Id": "q2", "MetricStat": stat, "ReturnData": False}],
    )["MetricDataResults"]
    assert result.pop("Timestamps")[0].timestamp() == MINUTE + 60
    assert result == {"Id": "q1", "Label": "L", "Values": [8, 2.5, 1.5],
                      "StatusCode": "Complete"}


def test_list_metrics_pages(service):
    for first in (0, 1000):
        assert put(service, [datum(MetricName=f"m{n}")
                             for n in range(first, first + 1000)])[0] == 200
    pages = [page["Metrics"] for page in
             client(service).get_paginator("list_metrics").paginate()]
    assert [len(page) for page in pages] == [500] * 4
    assert [metric["MetricName"] for page in pages for metric in page] == [
        f"m{n}" for n in range(2000)]


def test_aws_command_line(service, tmp_path):
    def aws(*words):
        done = subprocess.run(
            ["/usr/bin/aws", "cloudwatch", *words, "--endpoint-url",
             service.url, "--output", "json"],
            env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin",
                 "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET,
                 "AWS_DEFAULT_REGION": REGION, "AWS_MAX_ATTEMPTS": "1",
                 "AWS_EC2_METADATA_DISABLED": "true"},
            capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")

    date = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(MINUTE))
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(MINUTE + 60))
    aws("put-metric-data", "--namespace", "Cli", "--metric-name", "m",
        "--dimensions", "Host=h", "--value", "10", "--timestamp", date,
        "--unit", "Count")
    aws("put-metric-data", "--namespace", "Cli", "--metric-data",
        "MetricName=m,Dimensions=[{Name=Host,Value=h}],Values=[1,10],"
        f"Counts=[2,3],Unit=Count,Timestamp={date}")
    metric = {"Namespace": "Cli", "MetricName": "m",
              "Dimensions": [{"Name": "Host", "Value": "h"}]}
    assert aws("list-metrics") == {"Metrics": [metric]}
    answer = aws("get-metric-statistics", "--namespace", "Cli",
                 "--metric-name", "m", "--dimensions", "Name=Host,Value=h",
                 "--start-time", date, "--end-time", end, "--period", "60",
                 "--extended-statistics", "p33", "p34")
    (point,) = answer["Datapoints"]
    assert point["ExtendedStatistics"] == {"p33": 1, "p34": 10}
    answer = aws("get-metric-data", "--start-time", date, "--end-time", end,
                 "--metric-data-queries", json.dumps(
                     [{"Id": "a", "MetricStat": {
                         "Metric": metric, "Period": 60, "Stat": "Sum"}}]))
    assert answer["MetricDataResults"][0]["Values"] == [42]
    assert [request.status for request in service.requests] == [200] * 5


def test_reads_in_json(service):
    put(service, [datum(Value=7, Timestamp=MINUTE)])
    status, headers, body = send(service, signed(
        service, json.dumps({
            "Namespace": "N", "MetricName": "m", "StartTime": MINUTE,
            "EndTime": MINUTE + 60, "Period": 60,
            "Statistics": ["Sum"]}).encode(),
        operation="GetMetricStatistics"))
    assert status == 200 and json.loads(body) == {
        "Label": "m", "Datapoints": [
            {"Timestamp": MINUTE, "Unit": "None", "Sum": 7}]}
    assert headers["Content-Type"] == "application/x-amz-json-1.0"
    assert re.fullmatch(r"[0-9a-f-]{36}", headers["x-amzn-RequestId"])


@pytest.mark.parametrize("operation, given, code", [
    ("GetMetricStatistics", {"Period": 45}, "InvalidParameterValue"),
    ("GetMetricStatistics", {"EndTime": MINUTE}, "InvalidParameterValue"),
    ("GetMetricStatistics", {"EndTime": 1e400}, "InvalidParameterValue"),
    ("GetMetricStatistics", {"Statistics": ["Mode"]},
     "InvalidParameterValue"),
    ("GetMetricStatistics", {"ExtendedStatistics": ["p50"]},
     "InvalidParameterCombination"),
    ("GetMetricStatistics", {"EndTime": MINUTE + 60 * 1441},
     "InvalidParameterCombination"),
    ("GetMetricStatistics", {"MetricName": None}, "MissingParameter"),
    ("GetMetricData", {"MetricDataQueries": [
        {"Id": "e", "Expression": "a + b"}]}, "ValidationError"),
    ("GetMetricData", {"MetricDataQueries": [{"Id": "E"}]},
     "ValidationError"),
    ("GetMetricData", {"MaxDatapoints": 1}, "ValidationError"),
    ("ListMetrics", {"NextToken": "x"}, "InvalidNextToken"),
    ("ListMetrics", {"RecentlyActive": "PT4H"}, "InvalidParameterValue"),
])
def test_reads_refused(service, operation, given, code):
    span = {"StartTime": MINUTE, "EndTime": MINUTE + 60}
    whole = {"GetMetricStatistics": {
        "Namespace": "N", "MetricName": "m", "Period": 60,
        "Statistics": ["Sum"], **span}, "GetMetricData": {
            "MetricDataQueries": [], **span}, "ListMetrics": {}}
    given = {**whole[operation], **given}
    body = json.dumps({k: v for k, v in given.items() if v is not None})
    body = body.replace("Infinity", "1e400").encode()
    status, headers, _ = send(
        service, signed(service, body, operation=operation))
    assert (status, headers["x-amzn-query-error"]) == (400, code + ";Sender")


# --- arithmetic, worked out by hand

def stat_set(count, total, low, high):
    return {"StatisticValues": {"SampleCount": count, "Sum": total,
                                "Minimum": low, "Maximum": high}}


MERGES = [
    # data of one minute; SampleCount, Sum, Minimum, Maximum; percentiles
    ("single", [{"Value": 4}], (1, 4, 4, 4), {"p0": 4, "p100": 4}),
    ("same twice adds", [{"Value": 4}, {"Value": 4}], (2, 8, 4, 4),
     {"p50": 4}),
    ("counts", [{"Values": [1, 10], "Counts": [2, 4]}], (6, 42, 1, 10),
     {"p33": 1, "p34": 10}),
    ("counts default to 1", [{"Values": [1, 2, 3, 4]}], (4, 10, 1, 4),
     {"p25": 1, "p25.1": 2, "p50": 2, "p75": 3, "p99.9": 4}),
    ("merged counts", [{"Value": 1}, {"Value": 9}, {"Value": 1},
                       {"Values": [1, 1]}], (5, 13, 1, 9),
     {"p80": 1, "p80.1": 9}),
    ("mixed", [{"Value": -1}, {"Values": [2], "Counts": [3]}],
     (4, 5, -1, 2), {"p50": None}),
    ("set without a distribution", [stat_set(3, 9, 1, 5), {"Value": 7}],
     (4, 16, 1, 7), {"p50": None}),
    ("constant set is a distribution", [stat_set(3, 6, 2, 2), {"Value": 1}],
     (4, 7, 1, 2), {"p25": 1, "p26": 2}),
    ("set beside values", [{"Values": [1.1, 4.9], "Counts": [1, 1],
                            **stat_set(2, 6, 1, 5)}],
     (2, 6, 1, 5), {"p50": 1.1, "p51": 4.9}),
]


@pytest.mark.parametrize("data, plain, percentiles", [
    pytest.param(*rest, id=label) for label, *rest in MERGES])
def test_merge(service, data, plain, percentiles):
    assert put(service, [{"MetricName": "m", "Timestamp": MINUTE + n, **one}
                         for n, one in enumerate(data)])[0] == 200
    query = dict(Namespace="N", MetricName="m", StartTime=MINUTE,
                 EndTime=MINUTE + 60, Period=60)
    names = ("SampleCount", "Sum", "Minimum", "Maximum")
    own = client(service)
    (point,) = own.get_metric_statistics(
        Statistics=[*names, "Average"], **query)["Datapoints"]
    assert tuple(point[name] for name in names) == plain
    assert point["Average"] == plain[1] / plain[0]
    points = own.get_metric_statistics(
        ExtendedStatistics=list(percentiles), **query)["Datapoints"]
    given = points[0]["ExtendedStatistics"] if points else {}
    assert {name: given.get(name) for name in percentiles} == percentiles


def test_units_are_streams_of_their_own(service):
    put(service, [datum(Timestamp=MINUTE, Unit="Count", Value=1),
                  datum(Timestamp=MINUTE, Unit="Bytes", Value=2)])
    query = dict(Namespace="N", MetricName="m", StartTime=MINUTE,
                 EndTime=MINUTE + 60, Period=60, Statistics=["Sum"])
    own = client(service)
    assert {point["Unit"]: point["Sum"] for point in
            own.get_metric_statistics(**query)["Datapoints"]} == {
                "Count": 1, "Bytes": 2}
    (only,) = own.get_metric_statistics(Unit="Bytes", **query)["Datapoints"]
    assert only["Sum"] == 2


def test_resolution_and_window(service):
    put(service, [datum(Timestamp=MINUTE + 59.9, StorageResolution=1),
                  datum(Timestamp=MINUTE + 60, StorageResolution=1),
                  datum(MetricName="slow", Timestamp=MINUTE + 59)])
    query = dict(Namespace="N", StartTime=MINUTE, EndTime=MINUTE + 60,
                 Statistics=["Sum"])

    def points(name, period):
        return [(point["Timestamp"].timestamp() - MINUTE, point["Sum"])
                for point in client(service).get_metric_statistics(
                    MetricName=name, Period=period, **query)["Datapoints"]]

    assert points("m", 1) == [(59, 1)]
    assert points("m", 10) == [(50, 1)]
    assert points("slow", 10) == []
    assert points("slow", 60) == [(0, 1)]


# --- the rules of PutMetricData

def dimensions(*pairs):
    return [{"Name": name, "Value": value} for name, value in pairs]


MANY = [(f"d{n}", "v") for n in range(31)]
BAD = [
    # label, data or namespace, code, member that the message names
    ("no name", [{"Value": 1}], "MissingParameter", "1.MetricName"),
    ("empty name", [datum(MetricName="")], None, "1.MetricName"),
    ("long name", [datum(MetricName="x" * 256)], None, "1.MetricName"),
    ("blank name", [datum(MetricName="  ")], None, "1.MetricName"),
    ("name not ASCII", [datum(MetricName="é")], None, "1.MetricName"),
    ("name with control", [datum(MetricName="a\x01")], None,
     "1.MetricName"),
    ("31 dimensions", [datum(Dimensions=dimensions(*MANY))], None,
     "1.Dimensions"),
    ("dimension twice", [datum(Dimensions=dimensions(*MANY[:1] * 2))], None,
     "1.Dimensions.member.2.Name"),
    ("dimension name with colon", [datum(Dimensions=dimensions((":", "v")))],
     None, "1.Dimensions.member.1.Name"),
    ("dimension without value", [datum(Dimensions=[{"Name": "n"}])],
     "MissingParameter", "1.Dimensions.member.1.Value"),
    ("empty dimension", [datum(Dimensions=dimensions(("n", "")))], None,
     "1.Dimensions.member.1.Value"),
    ("long dimension", [datum(Dimensions=dimensions(("n", "v" * 1025)))],
     None, "1.Dimensions.member.1.Value"),
    ("NaN", [datum(Value="NaN")], None, "1.Value"),
    ("infinite", [datum(Value="-Infinity")], None, "1.Value"),
    ("beyond double", b'[{"MetricName": "m", "Value": 1e400}]', None,
     "1.Value"),
    ("large", [datum(Value=2.3486e108)], None, "1.Value"),
    ("large integer", [datum(Value=-10 ** 400)], None, "1.Value"),
    ("tiny", [datum(Value=-4.25e-109)], None, "1.Value"),
    ("tiny in values", [{"MetricName": "m", "Values": [1, 1e-110]}], None,
     "1.Values.member.2"),
    ("151 values", [{"MetricName": "m", "Values": list(range(151))}], None,
     "1.Values"),
    ("no values", [{"MetricName": "m", "Values": []}], "MissingParameter",
     "1.Values"),
    ("counts too few", [{"MetricName": "m", "Values": [1, 2],
                         "Counts": [1]}], None, "1.Counts"),
    ("count of 0", [{"MetricName": "m", "Values": [1], "Counts": [0]}], None,
     "1.Counts.member.1"),
    ("counts alone", [datum(Counts=[1])], "InvalidParameterCombination",
     "1.Counts"),
    ("value and values", [datum(Values=[1])], "InvalidParameterCombination",
     "1.Values"),
    ("value and set", [datum(**stat_set(1, 1, 1, 1))],
     "InvalidParameterCombination", "1.StatisticValues"),
    ("no value", [{"MetricName": "m"}], "MissingParameter", "1.Value"),
    ("set without sum", [{"MetricName": "m", "StatisticValues": {
        "SampleCount": 1, "Minimum": 1, "Maximum": 1}}], "MissingParameter",
     "1.StatisticValues.Sum"),
    ("set upside down", [{"MetricName": "m", **stat_set(2, 3, 2, 1)}], None,
     "1.StatisticValues.Maximum"),
    ("set with NaN", [{"MetricName": "m", **stat_set(1, "NaN", 1, 1)}], None,
     "1.StatisticValues.Sum"),
    ("unit", [datum(Unit="MegaBytes")], None, "1.Unit"),
    ("resolution", [datum(StorageResolution=5)], None,
     "1.StorageResolution"),
    ("two weeks old", [datum(Timestamp=time.time() - 14 * 86400 - 1)], None,
     "1.Timestamp"),
    ("milliseconds", [datum(Timestamp=time.time() * 1000)], None,
     "1.Timestamp"),
    ("two hours ahead", [datum(Timestamp=time.time() + 9000)], None,
     "1.Timestamp"),
    ("1001 data", [datum()] * 1001, None, ""),
    ("no data", [], "MissingParameter", ""),
    # types
    ("unknown member", [datum(Colour=1)], "InvalidQueryParameter",
     "1.Colour"),
    ("text for number", [datum(Value="1")], "InvalidQueryParameter",
     "1.Value"),
    ("boolean for number", [datum(Value=True)], "InvalidQueryParameter",
     "1.Value"),
    ("null", [datum(Unit=None)], "InvalidQueryParameter", "1.Unit"),
    ("number for text", [datum(MetricName=1)], "InvalidQueryParameter",
     "1.MetricName"),
    ("fraction for integer", [datum(StorageResolution=1.0)],
     "InvalidQueryParameter", "1.StorageResolution"),
    ("text for time", [datum(Timestamp="2026-01-01T00:00:00Z")],
     "InvalidQueryParameter", "1.Timestamp"),
    ("object for list", [datum(Dimensions={})], "InvalidQueryParameter",
     "1.Dimensions"),
    ("list for object", [[]], "InvalidQueryParameter", "1"),
]


@pytest.mark.parametrize("data, code, member", [
    pytest.param(*rest, id=label) for label, *rest in BAD])
def test_bad_datum_fails_all(service, data, code, member):
    if isinstance(data, bytes):
        data = b'{"Namespace": "N", "MetricData": %s}' % data
    elif 0 < len(data) < 1000:  # behind a good one, which falls with it
        data = [datum(), *data]
        member = re.sub("^1", "2", member)
    status, got, message = put(service, data)
    assert (status, got) == (400, code or "InvalidParameterValue")
    where = f"MetricData.member.{member}" if member else "MetricData"
    assert re.search(re.escape(where) + r"\b", message), message
    assert service.datums == []


GOOD = [
    ("zero", datum(Value=0)),
    ("just large", datum(Value=-2.0 ** 360)),
    ("just small", datum(Value=2.0 ** -360)),
    ("30 dimensions", datum(Dimensions=dimensions(*MANY[:30]))),
    ("long texts", datum(MetricName="x" * 255, Dimensions=dimensions(
        ("n" * 255, "v" * 1024)))),
    ("value with colon", datum(Dimensions=dimensions(("n", ":80")))),
    ("150 values", {"MetricName": "m", "Values": list(range(150)),
                    "Counts": [0.5] * 150}),
    ("two weeks", datum(Timestamp=time.time() - 14 * 86400 + 1800)),
    ("two hours", datum(Timestamp=time.time() + 7100.25)),
    ("punctuation", datum(MetricName="\"'\\ <&>%{}~", Unit="Bits/Second",
                          StorageResolution=1)),
]


@pytest.mark.parametrize("one", [
    pytest.param(one, id=label) for label, one in GOOD])
def test_good_datum_in_both_protocols(service, one):
    assert put(service, [one]) == (200, None, "")
    client(service).put_metric_data(Namespace="N", MetricData=[one])
    first, second = service.datums
    # Query carries whole seconds from this client.
    for got in (first, second):
        got["Request"] = None
        got["Timestamp"] = int(got["Timestamp"])
    if "Timestamp" not in one:
        first["Timestamp"] = second["Timestamp"]
    assert first == second
    assert first["MetricName"] == one["MetricName"]


@pytest.mark.parametrize("namespace, code", [
    (":x", "InvalidParameterValue"), ("AWS/EC2", "InvalidParameterValue"),
    ("", "InvalidParameterValue"), (" ", "InvalidParameterValue"),
    ("x" * 256, "InvalidParameterValue"), ("a*b", "InvalidParameterValue"),
    ("ä", "InvalidParameterValue"), (7, "InvalidQueryParameter")])
def test_bad_namespace(service, namespace, code):
    status, got, message = put(service, [datum()], namespace)
    assert (status, got) == (400, code) and "Namespace" in message


def test_faults_one_per_line(service):
    _, code, message = put(service, [
        datum(Unit="x"), datum(), datum(Value=1e-200, MetricName="")])
    assert code == "InvalidParameterValue"
    assert [re.search(r"MetricData\.member\.\d+\.\w+", line)[0]
            for line in message.split("\n")] == [
                "MetricData.member.1.Unit", "MetricData.member.3.MetricName",
                "MetricData.member.3.Value"]


@pytest.mark.parametrize("body", [
    b"", b"[]", b"{", b'{"Namespace": "a", "Namespace": "b"}', b"\xff{}",
    b'{"Namespace": "N", "MetricData": [{"MetricName": "m", "Value": NaN}]}',
    b"[" * 100000])
def test_body_not_the_json_due(service, body):
    assert put(service, body)[:2] == (400, "InvalidQueryParameter")


def test_query_refusal_as_botocore_reads_it(service):
    own = client(service)
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        own.put_metric_data(Namespace="N", MetricData=[
            {"MetricName": "m<&\x01", "Value": 1}])
    answer = refused.value.response
    assert answer["Error"]["Code"] == "InvalidParameterValue"
    assert answer["Error"]["Type"] == "Sender"
    assert "MetricData.member.1.MetricName" in answer["Error"]["Message"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    with pytest.raises(botocore.exceptions.ClientError, match="describe_al|"
                       "InvalidAction"):
        own.describe_alarms()


@pytest.mark.parametrize("form, code", [
    ("Action=Nothing", "InvalidAction"), ("Namespace=N", "MissingAction"),
    ("Action=PutMetricData&Version=2009-01-01", "InvalidAction"),
    ("Action=PutMetricData&Namespace=N&MetricData.member.2.MetricName=m",
     "InvalidQueryParameter"),
    ("Action=PutMetricData&Namespace=N&MetricData.member.1.MetricName=m"
     "&MetricData.member.1.Value=1_0", "InvalidQueryParameter"),
    ("Action=PutMetricData&Namespace=N&MetricData.member.1.MetricName=m"
     "&MetricData.member.1.Value=1&MetricData.member.1.Timestamp=99",
     "InvalidQueryParameter"),
    ("Action=PutMetricData&Namespace=N&MetricData=x",
     "InvalidQueryParameter"),
    ("Action=PutMetricData&Namespace=N&Namespace.x=y",
     "MalformedQueryString"),
    ("Action=PutMetricData&Namespace=N&MetricData.member.1.MetricName=m"
     "&MetricData.member.1.Value=Infinity", "InvalidParameterValue"),
    ("Action=PutMetricData&Namespace=N&MetricData.member.1.MetricName=m"
     "&MetricData.member.1.Value=%2B1.5e0"
     "&MetricData.member.1.Timestamp=DATE", None)])
def test_query_form(service, form, code):
    form = form.replace(
        "DATE", time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(MINUTE)))
    status, _, body = send(service, signed(
        service, form.encode(), headers=[
            ("X-Amz-Target", None), ("x-amzn-query-mode", None),
            ("Content-Type", "application/x-www-form-urlencoded; "
             "charset=utf-8")]))
    if code:
        assert (status, f"<Code>{code}</Code>" in body.decode()) == (
            400, True), body
    else:
        assert status == 200
        assert service.datums[0]["Timestamp"] == MINUTE
        assert service.datums[0]["Value"] == 1.5


def test_json_operation_unknown(service):
    for how in ({"operation": "NoSuch"},
                {"headers": [("X-Amz-Target", "Other.PutMetricData")]},
                {"headers": [("Content-Type", "application/json")]}):
        status, headers, body = send(service, signed(service, b"{}", **how))
        kind = json.loads(body)["__type"].rpartition("#")[2]
        assert (status, kind) == (400, "UnknownOperationException")


def test_query_error_header_only_when_asked(service):
    _, headers, body = send(service, signed(
        service, b'{"Namespace": "N"}',
        headers=[("x-amzn-query-mode", None)]))
    assert "x-amzn-query-error" not in headers
    assert json.loads(body)["__type"].endswith(
        "#MissingRequiredParameterException")


# --- size and gzip

def padded(size):
    """A good body of exactly that many bytes."""
    body = json.dumps({"Namespace": "N", "MetricData": [datum()]}).encode()
    return body + b" " * (size - len(body))


def test_one_megabyte(service):
    packed = ("Content-Encoding", "gzip")
    assert put(service, padded(1_000_000))[0] == 200
    assert put(service, gzip.compress(padded(1_000_000)),
               headers=[packed])[0] == 200
    for body, how in ((padded(1_000_001), []),
                      (gzip.compress(padded(1_000_001)), [packed]),
                      (gzip.compress(os.urandom(1_000_000)), [packed])):
        assert put(service, body, headers=how)[:2] == (
            413, "RequestEntityTooLarge")
    assert len(service.datums) == 2


def test_gzip(service):
    packed = ("Content-Encoding", "gzip")
    good = gzip.compress(padded(200))
    assert put(service, good, headers=[packed])[0] == 200
    assert service.requests[0].decoded == padded(200)
    assert service.requests[0].body == good
    for bad in (padded(200), good[:-1], good + b"x", b""):
        assert put(service, bad, headers=[packed])[:2] == (
            400, "MalformedHttpRequestException")


# --- signatures

VECTOR_TIME = calendar.timegm((2015, 8, 30, 12, 36, 0))
VECTOR_HOST = "monitoring.us-east-1.amazonaws.com"
QUERY_BODY = (
    "Action=PutMetricData&Version=2010-08-01&Namespace=collectd"
    "&MetricData.member.1.MetricName=load.shortterm"
    "&MetricData.member.1.Timestamp=2015-08-30T12%3A35%3A00Z"
    "&MetricData.member.1.Value=0.25")
JSON_BODY = (
    '{"Namespace":"collectd","MetricData":[{"MetricName":"load.shortterm",'
    '"Timestamp":1440938100,"Value":0.25}]}')
QUERY_HEADERS = {
    "content-type": "application/x-www-form-urlencoded; charset=utf-8"}
JSON_HEADERS = {
    "content-type": "application/x-amz-json-1.0",
    "x-amz-security-token": "SESSIONTOKENEXAMPLE",
    "x-amz-target": "GraniteServiceVersion20100801.PutMetricData",
    "x-amzn-query-mode": "true"}


@pytest.mark.parametrize("host, headers, body, signature", [
    (VECTOR_HOST, QUERY_HEADERS, QUERY_BODY, "f8f8b9aca1359a1beb28bf7c706b25"
     "57938b115f75d79df6084036b8207407c8"),
    (VECTOR_HOST, JSON_HEADERS, JSON_BODY, "c41a85d32e27e5747e14d3a5983eabb3"
     "94b7d59d31a7cfcc8e615254a3330e94"),
    ("127.0.0.1:4566", JSON_HEADERS, JSON_BODY, "3a2b7a77a6f152b652011230856"
     "c98b7d5f67451a540a25924c2e0fb31a938db")])
def test_vectors(host, headers, body, signature):
    """Signatures computed elsewhere, by two implementations that agree."""
    headers = {**headers, "host": host, "x-amz-date": "20150830T123600Z"}
    token = headers.get("x-amz-security-token")
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={KEY}/20150830/us-east-1/monitoring/"
        f"aws4_request, SignedHeaders={';'.join(sorted(headers))}, "
        f"Signature={signature}")
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    with Service(credentials={KEY: (secret, token)}, region=REGION,
                 now=lambda: VECTOR_TIME) as service:
        answer = send(service, AWSRequest(
            "POST", service.url, headers, body.encode()))
        assert answer[0] == 200, answer[2].decode()
        assert "30 Aug 2015 12:36:00 GMT" in answer[1]["Date"]
        assert service.datums[0]["Value"] == 0.25


def unsigned(header):
    """Take one header out of what is signed, and sign it so."""
    def change(service, made):
        kept = made.headers[header]
        again = signed(service, made.data, headers=[(header, None)])
        again.headers[header] = kept
        return again
    return change


def altered(header, value):
    def change(service, made):
        del made.headers[header]
        if value is not None:
            made.headers[header] = value
        return made
    return change


def body_altered(service, made):
    made.data = made.data.replace(b"1", b"2")
    return made


def shuffled(service, made):
    given = made.headers["Authorization"]
    return altered("Authorization", given.replace(
        "content-type;host", "host;content-type"))(service, made)


def same(service, made):
    return made


FORGED = [
    # label, how it is signed, what is done then, JSON name, status
    ("no authorization", {}, altered("Authorization", None),
     "MissingAuthenticationTokenException", 400),
    ("basic", {}, altered("Authorization", "Basic eDp5"),
     "IncompleteSignatureException", 400),
    ("no date", {}, altered("X-Amz-Date", None),
     "IncompleteSignatureException", 400),
    ("unknown key", {"key": "AKIDOTHER"}, same,
     "UnrecognizedClientException", 403),
    ("wrong secret", {"secret": "other"}, same,
     "InvalidSignatureException", 400),
    ("wrong token", {"key": TEMPORARY, "token": "other"}, same,
     "UnrecognizedClientException", 403),
    ("no token", {"key": TEMPORARY}, same,
     "UnrecognizedClientException", 403),
    ("token where none is due", {"token": TOKEN}, same,
     "UnrecognizedClientException", 403),
    ("token not signed", {"key": TEMPORARY},
     altered("X-Amz-Security-Token", TOKEN),
     "InvalidSignatureException", 400),
    ("content type not signed", {}, unsigned("Content-Type"),
     "InvalidSignatureException", 400),
    ("target not signed", {}, unsigned("X-Amz-Target"),
     "InvalidSignatureException", 400),
    ("encoding not signed", {}, altered("Content-Encoding", "gzip"),
     "InvalidSignatureException", 400),
    ("other x-amz- header", {}, altered("X-Amz-Meta", "x"),
     "InvalidSignatureException", 400),
    ("body altered", {}, body_altered, "InvalidSignatureException", 400),
    ("header altered", {}, altered("x-amzn-query-mode", "True"),
     "InvalidSignatureException", 400),
    ("host altered", {}, altered("Host", "example.org"),
     "InvalidSignatureException", 400),
    ("headers out of order", {}, shuffled,
     "InvalidSignatureException", 400),
    ("old", {"at": time.time() - 330}, same,
     "InvalidSignatureException", 400),
    ("early", {"at": time.time() + 3000}, same,
     "InvalidSignatureException", 400),
    ("region", {"region": "eu-west-1"}, same,
     "InvalidSignatureException", 400),
    ("service", {"name": "cloudwatch"}, same,
     "InvalidSignatureException", 400),
]


@pytest.mark.parametrize("how, change, name, status", [
    pytest.param(*rest, id=label) for label, *rest in FORGED])
def test_forged(service, how, change, name, status):
    made = signed(service, padded(100), **how)
    answer = send(service, change(service, made))
    kind = json.loads(answer[2])["__type"].rpartition("#")[2]
    assert (answer[0], kind) == (status, name)
    (request,) = service.requests
    assert (request.status, request.code) == (status, name)
    assert service.datums == []


def test_signature_message_helps(service):
    made = signed(service, padded(100))
    digest = hashlib.sha256(padded(101)).hexdigest()
    made.data = padded(101)
    message = json.loads(send(service, made)[2])["message"]
    assert f"\n{digest}'" in message and "AWS4-HMAC-SHA256\n" in message


def test_token_and_rotation(service):
    own = client(service, TEMPORARY, SECRET, TOKEN)
    own.put_metric_data(Namespace="N", MetricData=[datum()])
    service.credentials[TEMPORARY] = (SECRET, "next")
    with pytest.raises(botocore.exceptions.ClientError,
                       match="InvalidClientTokenId") as refused:
        own.put_metric_data(Namespace="N", MetricData=[datum()])
    metadata = refused.value.response["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == 403


def test_skew_within_five_minutes(service):
    for seconds in (-290, 290):
        assert put(service, [datum()], at=time.time() + seconds)[0] == 200


# --- connections and misbehaviour

def test_keep_alive(service):
    one = http.client.HTTPConnection("127.0.0.1", service.port)
    for body in (padded(100), b"{", padded(100)):
        send(service, signed(service, body), one)
    one.close()
    put(service, [datum()])
    assert [request.connection for request in service.requests] == [
        1, 1, 1, 2]
    assert [request.status for request in service.requests] == [
        200, 400, 200, 200]


def test_faults_by_answer(service):
    service.behave([
        faults.answer(503, "<html>", [("Content-Type", "text/html")]),
        faults.refuse("Throttling"),
        faults.refuse("ExpiredToken", query_error=False),
        faults.answer(413, close=True), faults.well()])
    service.always(faults.refuse("InternalServiceError"))
    results = []
    for _ in range(6):
        status, headers, body = send(service, signed(service, padded(100)))
        results.append((status, headers.get("x-amzn-query-error")))
    assert results == [
        (503, None), (400, "Throttling;Sender"), (400, None), (413, None),
        (200, None), (500, "InternalServiceError;Receiver")]
    assert len(service.datums) == 1
    # Reading is never scripted.
    assert len(client(service).list_metrics()["Metrics"]) == 1
    service.always(None)
    assert put(service, [datum()])[0] == 200


def test_fault_speaks_query(service):
    service.behave([faults.refuse("Throttling", "Rate exceeded")])
    with pytest.raises(botocore.exceptions.ClientError,
                       match="Throttling.*Rate exceeded"):
        client(service).put_metric_data(Namespace="N", MetricData=[datum()])


@pytest.mark.parametrize("action, error, stored", [
    (faults.reset(), ConnectionResetError, 0),
    (faults.reset(store=True), ConnectionResetError, 1),
    (faults.hang_up(), http.client.RemoteDisconnected, 0),
    (faults.hang_up(store=True), http.client.RemoteDisconnected, 1),
    (faults.half_answer(), ConnectionResetError, 1)])
def test_faults_by_connection(service, action, error, stored):
    service.behave([action])
    with pytest.raises(error) as raised:
        send(service, signed(service, padded(100)))
    assert raised.type is error
    assert len(service.datums) == stored
    assert service.requests[0].body == padded(100)
    assert put(service, [datum()])[0] == 200


def test_reset_while_sending(service):
    service.behave([faults.reset_request(after=1000)])
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        send(service, signed(service, padded(900_000) * 10))
    end = time.monotonic() + 5  # noted after the reset that we have seen
    while not service.requests and time.monotonic() < end:
        time.sleep(0.01)
    assert len(service.requests[0].body) == 1000
    assert put(service, [datum()])[0] == 200


def test_delay_and_hang(service):
    service.behave([faults.delay(0.3), faults.hang()])
    begun = time.monotonic()
    assert put(service, [datum()])[0] == 200
    assert time.monotonic() - begun >= 0.3
    one = socket.create_connection(("127.0.0.1", service.port))
    made = signed(service, padded(100))
    head = "".join(f"{k}: {v}\r\n" for k, v in made.headers.items())
    one.sendall(f"POST / HTTP/1.1\r\n{head}Content-Length: 100\r\n\r\n"
                .encode() + made.data)
    assert service.wait_for(lambda: len(service.requests) == 2, 5)
    assert service.requests[1].status is None
    service.stop()
    assert one.recv(100) == b""
    one.close()


def test_wait_datums(service):
    put(service, [datum(), datum()])
    assert len(service.wait_datums(2, 1)) == 2
    put(service, [datum(Unit="x")])
    with pytest.raises(TimeoutError, match="2 of 3 .*MetricData.member.1"):
        service.wait_datums(3, 0.05)


def test_short_body_gets_408(service, monkeypatch):
    monkeypatch.setattr("connection.BODY_TIMEOUT_S", 0.2)
    one = http.client.HTTPConnection("127.0.0.1", service.port)
    one.putrequest("POST", "/")
    one.putheader("Content-Length", "10")
    one.endheaders(b"short")
    answer = one.getresponse()
    assert (answer.status, answer.read()) == (408, b"")
    assert answer.headers["Connection"] == "close"
    one.close()


def test_tls(tmp_path):
    certificate, key = str(tmp_path / "c.pem"), str(tmp_path / "k.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-keyout",
         key, "-out", certificate, "-subj", "/CN=test", "-addext",
         "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    lines = []
    with Service(credentials={KEY: (SECRET, None)}, log=lines.append,
                 tls=(certificate, key)) as service:
        assert service.url.startswith("https://127.0.0.1:")
        for verify in (True, certificate):  # unknown, then known
            own = botocore.session.Session().create_client(
                "cloudwatch", region_name=REGION, verify=verify,
                endpoint_url=service.url, aws_access_key_id=KEY,
                aws_secret_access_key=SECRET, config=botocore.config.Config(
                    retries={"max_attempts": 0}))
            try:
                own.put_metric_data(Namespace="N", MetricData=[datum()])
            except botocore.exceptions.SSLError:
                assert verify is True
        assert len(service.datums) == 1
    assert "SSL" in lines[0]


def test_loopback_only():
    for host in ("0.0.0.0", "::", "192.0.2.1"):
        with pytest.raises(ValueError, match="not a loopback address"):
            Service(host)
    with Service("127.0.0.2", credentials={KEY: (SECRET, None)}) as service:
        assert service.url == f"http://127.0.0.2:{service.port}"


# --- the program

def test_program(tmp_path):
    files = {name: tmp_path / name for name in ("port", "datums", "requests")}
    with subprocess.Popen(
            [sys.executable, PROGRAM, "--port-file", files["port"],
             "--datums", files["datums"], "--requests", files["requests"],
             "--access-key", KEY, "--secret-key", SECRET, "--region", REGION,
             "--stop-after", "60"], stderr=subprocess.PIPE,
            text=True) as program:
        try:
            assert "listens on" in program.stderr.readline()
            port = int(files["port"].read_text())
            at = types.SimpleNamespace(port=port,
                                       url=f"http://127.0.0.1:{port}")
            assert put(at, [datum(), datum(Value=2)])[0] == 200
            assert put(at, [datum(Unit="x")])[0] == 400
            values = [json.loads(line)["Value"] for line in
                      files["datums"].read_text().splitlines()]
            assert values == [1, 2]
        finally:
            program.send_signal(signal.SIGTERM)
            rest = program.communicate(timeout=10)[1]
    assert program.returncode == 0
    assert len(rest.splitlines()) == 1
    assert "InvalidParameterValueException" in rest
    assert "MetricData.member.1.Unit" in rest
    done = [json.loads(line)
            for line in files["requests"].read_text().splitlines()]
    assert [(one["op"], one["status"], one["code"], one["datums"])
            for one in done] == [
        ("PutMetricData", 200, None, 2),
        ("PutMetricData", 400, "InvalidParameterValueException", 0)]
    assert done[0]["bytes"] > 50 and done[0]["time"] > MINUTE


def test_program_ends_by_itself_and_refuses_open_doors():
    def run(*words):
        return subprocess.run(
            [sys.executable, PROGRAM, "--access-key", "a", "--secret-key",
             "b", *words], capture_output=True, text=True, timeout=20)

    assert run("--stop-after", "0.1").returncode == 0
    refused = run("--host", "0.0.0.0")
    assert refused.returncode == 1
    assert "not a loopback address" in refused.stderr
