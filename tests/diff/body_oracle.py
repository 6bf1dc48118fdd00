"""Reads the lines of diff_body, lets botocore's Query serializer make the
request for the same data, and compares it with ours: content type and the set
of parameters; numbers as numbers.

Usage: diff_body | /usr/bin/python3 body_oracle.py
"""

import json
import re
import sys
from urllib.parse import unquote

import botocore.loaders
import botocore.model
import botocore.serialize

# Below this number of requests something is wrong with the test itself.
LEAST_REQUESTS = 300

NUMBER = re.compile(
    r"\.(Value|StorageResolution|(Values|Counts)\.member\.\d+"
    r"|StatisticValues\.\w+)$"
)
PLAIN = re.compile(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*\Z")
VALUE = re.compile(r"^(MetricData\.member\.\d+)\.Values\.member\.(\d+)$")
DATUM = re.compile(r"^(MetricData\.member\.\d+)\.MetricName$")


def operation():
    loader = botocore.loaders.Loader()
    model = loader.load_service_model("cloudwatch", "service-2", "2010-08-01")
    service = botocore.model.ServiceModel(model)
    return service.operation_model("PutMetricData")


def parameters(body):
    """Our body, decoded strictly: what must be encoded is, once."""
    found = {}
    for pair in body.split("&"):
        name, value = pair.split("=")
        assert PLAIN.match(name) and PLAIN.match(value), pair
        name = unquote(name, errors="strict")
        assert name not in found, name
        found[name] = unquote(value, errors="strict")
    return found


def normal(params):
    """With the service's defaults, and numbers as numbers."""
    full = {}
    for name, value in params.items():
        if name.endswith(".Dimensions") and value == "":
            continue  # how botocore writes an empty list
        datum, one = DATUM.match(name), VALUE.match(name)
        if datum:
            full.setdefault(datum[1] + ".Unit", "None")
            full.setdefault(datum[1] + ".StorageResolution", 60.0)
        if one:
            full.setdefault(f"{one[1]}.Counts.member.{one[2]}", 1.0)
        # "MetricData.member.1.Dimensions.member.1.Value" is a text.
        is_text = ".Dimensions." in name
        full[name] = (
            float(value) if NUMBER.search(name) and not is_text else value
        )
    return full


def main():
    serializer = botocore.serialize.create_serializer("query")
    put_metric_data = operation()
    n_requests = n_data = 0
    for line in sys.stdin:
        request = json.loads(line)
        what, ours = request["what"], request["query"]
        theirs = serializer.serialize_to_request(what, put_metric_data)
        headers = {k.lower(): v for k, v in theirs["headers"].items()}
        wanted = normal({k: str(v) for k, v in theirs["body"].items()})
        got = normal(parameters(ours["body"]))
        if got != wanted or headers != ours["headers"]:
            print(f"request {n_requests}: ours: {ours}", file=sys.stderr)
            for name in sorted(set(got) | set(wanted)):
                if got.get(name) != wanted.get(name):
                    print(
                        f"{name}: {got.get(name)!r}, "
                        f"not {wanted.get(name)!r}",
                        file=sys.stderr,
                    )
            print(f"headers: {headers}", file=sys.stderr)
            return 1
        n_requests += 1
        n_data += len(what["MetricData"])
    if n_requests < LEAST_REQUESTS:
        print(f"only {n_requests} requests to compare", file=sys.stderr)
        return 1
    print(
        f"AWS Query: {n_requests} requests of {n_data} data are those of "
        "botocore"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
