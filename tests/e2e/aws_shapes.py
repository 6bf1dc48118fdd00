"""Values of the two protocols against the shapes of botocore's model.

Reading is strict: an unknown member, a null, a string where a number is due
are findings, each with the path of the member as the service spells it
(MetricData.member.N..., N from 1).
"""

import datetime
import math
import re
from xml.sax.saxutils import escape

from aws_error import AwsError

_DUE = {
    "structure": ("an object", dict), "list": ("an array", list),
    "string": ("a string", str), "boolean": ("a boolean", bool),
    "integer": ("an integer", int), "double": ("a number", (int, float)),
    "timestamp": ("a number", (int, float)),
}
_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def from_json(shape, value, path, findings):
    due, types = _DUE[shape.type_name]
    if shape.type_name == "double" and isinstance(value, str):
        value = _NON_FINITE.get(value, value)
    wrong = not isinstance(value, types)
    if wrong or isinstance(value, bool) and shape.type_name != "boolean":
        findings.add("InvalidQueryParameter",
                   f"{path or 'The body'} is {_kind(value)} where {due} "
                   f"is due")
        return None
    if shape.type_name == "list":
        return [from_json(shape.member, item, f"{path}.member.{n}", findings)
                for n, item in enumerate(value, 1)]
    if shape.type_name == "structure":
        return _members(shape, value, path, findings, from_json)
    if shape.type_name in ("double", "timestamp"):
        return _double(value)
    return value


def _double(value):
    """JSON integers have no bounds, doubles have."""
    try:
        float(value)
        return value
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _kind(value):
    if value is None:
        return "null"
    return {dict: "an object", list: "an array", str: "a string",
            bool: "a boolean"}.get(type(value), "a number")


def _members(shape, tree, path, findings, read):
    result = {}
    for name, value in tree.items():
        where = f"{path}.{name}" if path else name
        if name not in shape.members:
            findings.add("InvalidQueryParameter",
                       f"{where!a} is not a known member")
        else:
            result[name] = read(shape.members[name], value, where, findings)
    return result


def to_json(shape, value):
    if shape.type_name == "structure":
        return {name: to_json(shape.members[name], item)
                for name, item in value.items()}
    if shape.type_name == "list":
        return [to_json(shape.member, item) for item in value]
    return value


# --- Query parameters

def tree_of(form):
    """Parameters with dotted names as nested dictionaries."""
    root = {}
    for name, value in form.items():
        node, *path = root, *name.split(".")
        for step in path[:-1]:
            node = node.setdefault(step, {})
            if not isinstance(node, dict):
                break
        if not isinstance(node, dict) or path[-1] in node:
            raise AwsError("MalformedQueryString",
                           f"{name!a} is both a value and a structure")
        node[path[-1]] = value
    return root


_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)(\.\d{1,9})?"
    r"(Z|[+-]\d\d:\d\d)", re.ASCII)


def from_query(shape, value, path, findings):
    kind = shape.type_name
    if kind == "list" and value == "":
        return []  # how an empty list is written
    if isinstance(value, str) == (kind in ("structure", "list")):
        return _no_value(value, path, _DUE[kind][0], findings)
    if kind == "structure":
        return _members(shape, value, path, findings, from_query)
    if kind == "list":
        items = value.get("member")
        items = items if isinstance(items, dict) else {}
        indices = [str(n) for n in range(1, len(items) + 1)]
        if set(value) != {"member"} or not items or (
                set(items) != set(indices)):
            return _no_value(value, path, "member.1, member.2 and so on",
                             findings)
        return [from_query(shape.member, items[n], f"{path}.member.{n}",
                            findings) for n in indices]
    if kind == "string":
        return value
    try:
        return _SCALARS[kind](value)
    except (ValueError, KeyError):
        return _no_value(value, path, _DUE[kind][0], findings)


def _no_value(value, path, due, findings):
    what = ascii(value[:80]) if isinstance(value, str) else "a structure"
    findings.add("InvalidQueryParameter",
                 f"{path} is {what} where {due} is due")


def _query_double(text):
    if text in _NON_FINITE:
        return _NON_FINITE[text]
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return float(text)


def _query_integer(text):
    if not re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII):
        raise ValueError(text)
    return int(text)


def _query_time(text):
    match = _DATE.fullmatch(text)
    if not match:
        raise ValueError(text)
    *numbers, fraction, zone = match.groups()
    date = datetime.datetime.fromisoformat(
        "{}-{}-{}T{}:{}:{}".format(*numbers) + zone.replace("Z", "+00:00"))
    seconds = int(date.timestamp())
    return seconds + float(fraction) if fraction else seconds


_SCALARS = {
    "double": _query_double, "integer": _query_integer,
    "timestamp": _query_time,
    "boolean": {"true": True, "false": False}.__getitem__,
}


def to_xml(shape, value):
    kind = shape.type_name
    if kind == "structure":
        return "".join(f"<{name}>{to_xml(shape.members[name], item)}"
                       f"</{name}>" for name, item in value.items())
    if kind == "list":
        return "".join(f"<member>{to_xml(shape.member, item)}</member>"
                       for item in value)
    if kind == "map":
        return "".join(f"<entry><key>{xml_text(key)}</key>"
                       f"<value>{item!r}</value></entry>"
                       for key, item in value.items())
    if kind == "timestamp":
        date = datetime.datetime.fromtimestamp(value, datetime.timezone.utc)
        return date.strftime("%Y-%m-%dT%H:%M:%SZ")
    return xml_text(str(value))


def xml_text(text):
    """Control characters do not exist in XML 1.0, escaped or not."""
    return escape(re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd]", "?", text))
