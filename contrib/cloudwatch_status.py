"""A status file of write_cloudwatch read, judged and priced; cloudwatch-status
shows it.

    for path, status in read_all('/var/lib/collectd/write_cloudwatch.json'):
        if not isinstance(status, Unreadable):
            reasons = judge(status, time.time())
"""

import calendar
import glob
import json
import os
import re
import stat
import time

SCHEMA = 1
SIZE_MAX = 32 << 20  # bytes, twice what the plugin writes at most
TEXT_MAX = 4096  # characters of each text
DIGITS_MAX = 20

PUBLISHING, DEGRADED, NOT_PUBLISHING, UNREADABLE = range(4)
VERDICTS = ("publishing", "degraded", "not publishing", "unreadable")

# --- what it costs ------------------------------------------------------------

# As https://aws.amazon.com/cloudwatch/pricing/ gave them, in USD a month.  Of
# metrics: how many are in a tier, and the price of each.
PRICES = {"region": "us-east-1", "read_in": 2026, "of_1000_requests": 0.01,
          "of_metrics": ((10000, 0.30), (240000, 0.10), (750000, 0.05),
                         (float("inf"), 0.02))}
FREE = "10 metrics and 1,000,000 requests are free, which is not deducted"
MONTH_S = 30 * 86400


def monthly(status):
    """Figures of 30 days of flushes like the last one, with nothing sent twice;
    None before the first."""
    alive, last = status["metrics"]["alive"], status["last_flush"]
    if last is None:
        return None
    # A flush without data, between rare values, is not the rule.
    requests = max(last["requests"], min(alive, 1)) * (
        MONTH_S // status["flush_interval"])
    requests_usd = requests / 1000 * PRICES["of_1000_requests"]
    metrics_usd, rest = 0.0, alive
    for size, usd in PRICES["of_metrics"]:
        metrics_usd += min(rest, size) * usd
        rest -= min(rest, size)
    return {"requests": requests, "requests_usd": round(requests_usd, 2),
            "metrics": alive, "metrics_usd": round(metrics_usd, 2),
            "usd": round(requests_usd + metrics_usd, 2), "is_estimate": True,
            "prices_of": f"{PRICES['region']}, {PRICES['read_in']}"}


# --- reading ------------------------------------------------------------------

WHY_UNREADABLE = {
    "missing": "{0} is not there: see that StatusFile in the block <Plugin "
               "write_cloudwatch> names it, and in collectd's log whether it "
               "can be written; or name the file that stands there",
    "forbidden": "{0} may not be read by this user: run this as root, or let "
                 "the user into the folders above the file",
    "failed": "{0} cannot be read ({1}): look at the disk and the path",
    "truncated": "{0} ends too early: the disk may be full, or power was lost; "
                 "a collectd that runs writes a whole one at its next flush",
    "foreign": "{0} is no status file of write_cloudwatch, as {1}: name the "
               "file that the option StatusFile names",
    "too_new": "{0} has version {1} of the schema, and this program knows "
               f"version {SCHEMA}: use the cloudwatch-status that came with "
               "the plugin which runs"}

# What status.schema.json says, as far as it is used: a class, a range, a tuple
# with None for what may be null, [...] for a list, {...: } for any names, a
# number that a number has to be above.
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", re.ASCII)
COUNT = range(1 << 63)
NUMBER = -1e308  # that can be reckoned with
SHAPE = {
    "version": str, "host": str, "node": str, "pid": COUNT, "time": TIME,
    "started": TIME, "stopped": bool, "dry_run": bool,
    "flush_interval": range(1, 86401),
    "region": (None, str), "endpoint": (None, str),
    "clock_offset": range(-1 << 63, 1 << 63),
    "last_accepted": (None, TIME), "next_attempt": (None, TIME),
    "request_duration": (None, NUMBER),
    "credentials": (None, {"source": str, "expires": (None, TIME)}),
    "last_flush": (None, {"time": TIME, "data": COUNT, "requests": COUNT}),
    "troubles": [{"what": str, "since": TIME}],
    "last_error": (None, {
        "time": TIME, "sentence": str, "status": (None, COUNT),
        "code": (None, str), "request_id": (None, str)}),
    "metrics": {"alive": COUNT, "max": COUNT},
    "identifiers": {"selected": COUNT, "unselected": COUNT},
    "queue": {"data": COUNT, "bytes": COUNT, "oldest": (None, TIME)},
    "spool": (None, {"directory": str, "usable": bool, "data": COUNT,
                     "bytes": COUNT}),
    "counters": {
        "accepted": COUNT, "requests": COUNT, "failed_requests": COUNT,
        "retried": COUNT, "ambiguous": COUNT, "refused": COUNT,
        "dropped": {...: COUNT}, "left_out": {...: COUNT}},
    "series": [{
        "namespace": str, "name": str, "dimensions": {...: str}, "unit": str,
        "resolution": COUNT, "time": TIME, "average": NUMBER, "minimum": NUMBER,
        "maximum": NUMBER}],
    "unselected": [{"identifier": str, "nearest": str, "because": str}]}


class Unreadable(Exception):
    """what is a key of WHY_UNREADABLE."""

    def __init__(self, what, path, detail=""):
        super().__init__(WHY_UNREADABLE[what].format(clean(str(path)),
                                                     clean(detail)))
        self.what = what


def seconds(text):
    """Of a time in the file, since 1970; None of None."""
    return text and calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def is_plain(value, shape):
    """Whether a value that is neither list nor object is of that shape."""
    if shape is TIME:
        try:
            return bool(TIME.match(value)) and seconds(value) is not None
        except (TypeError, ValueError):
            return False
    if isinstance(shape, range):
        return type(value) is int and value in shape
    if isinstance(shape, float):
        return type(value) in (int, float) and shape < value < 1e308
    return type(value) is shape


class Misfit(Exception):
    """The name of the first member that is not of its shape."""


def fit(value, shape, name=""):
    """What a shape names of a value, with clean texts; raises Misfit."""
    if isinstance(shape, tuple):
        return None if value is None else fit(value, shape[1], name)
    if not isinstance(shape, (list, dict)):
        if not is_plain(value, shape):
            raise Misfit(name)
        return clean(value) if shape is str else value
    if not isinstance(value, type(shape)):
        raise Misfit(name)
    if isinstance(shape, list):
        return [fit(item, shape[0], name) for item in value]
    if ... in shape:
        return {clean(key): fit(item, shape[...], name)
                for key, item in value.items()}
    for key in shape:
        if key not in value:
            raise Misfit(key)
    return {key: fit(value[key], kind, key) for key, kind in shape.items()}


def clean(text):
    """A text of bounded length, without what moves the cursor or changes
    colours or the direction of writing."""
    if len(text) > TEXT_MAX:
        text = text[:TEXT_MAX] + "..."
    return "".join(char if char.isprintable() else
                   " " if char.isspace() else "?" for char in text)


def load(path):
    """The bytes of a file."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise Unreadable("foreign", path, "it is no regular file")
        with open(path, "rb") as file:
            raw = file.read(SIZE_MAX + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise Unreadable("missing", path)
    except PermissionError:
        raise Unreadable("forbidden", path)
    except (OSError, ValueError) as error:
        raise Unreadable("failed", path, str(error))
    if len(raw) > SIZE_MAX:
        raise Unreadable("foreign", path, "it is too large")
    return raw


def whole(digits):
    """A number of JSON without a point; of many digits inexactly, as turning
    these into an integer takes long."""
    return int(digits) if len(digits) <= DIGITS_MAX else float(digits)


def parse(path):
    """The value that the JSON in a file is."""
    text = load(path).decode("utf-8", "replace").strip()
    if not text:
        raise Unreadable("truncated", path)
    try:
        return json.loads(text, parse_int=whole,
                          parse_constant=int)  # NaN is an error
    except (ValueError, RecursionError) as error:
        has_no_end = getattr(error, "pos", 0) >= len(text) or text[-1] != "}"
    raise Unreadable("truncated", path) if text[0] == "{" and has_no_end else \
        Unreadable("foreign", path, "it is not JSON")


def read(path):
    """What is used of the object in a status file, clean."""
    status = parse(path)
    if not isinstance(status, dict) \
            or status.get("plugin") != "write_cloudwatch":
        raise Unreadable("foreign", path, "it does not name this plugin")
    version = status.get("schema")
    if type(version) is int and version > SCHEMA:
        raise Unreadable("too_new", path, str(version))
    try:
        if type(version) is not int or version < SCHEMA:
            raise Misfit("schema")
        return fit(status, SHAPE)
    except Misfit as error:
        raise Unreadable("foreign", path,
                         f"its member {error} is missing or wrong")


def read_all(path):
    """[(path, status or Unreadable)] of a file and of those of its nodes, which
    are beside it, with a dot and the node appended."""
    found = []
    for each in [path] + sorted(glob.glob(glob.escape(path) + ".*")):
        node = each[len(path) + 1:]
        try:
            status = read(each)
            if not node or clean(node) == status["node"]:
                found.append((each, status))
        except MemoryError:
            found.append((each, Unreadable("failed", each, "memory lacks")))
        except Unreadable as error:
            # Beside the file there may be copies, and others' files.
            if not node or error.what != "foreign":
                found.append((each, error))
    is_missing = getattr(found[0][1], "what", None) == "missing"
    return found[1:] if is_missing and len(found) > 1 else found


# --- judging ------------------------------------------------------------------

SLACK_S = 60
SILENT_S = 180  # a daemon that lives writes at least once a minute
HOUR_S = 3600


class Facts:
    """What the rules ask of a status; times in seconds since 1970."""

    def __init__(self, status, now):
        self.status, self.now, self.metrics = status, now, status["metrics"]
        self.started = seconds(status["started"])
        self.written = seconds(status["time"])
        self.accepted = seconds(status["last_accepted"])
        self.well = self.accepted or self.started
        self.lapse_s = now - self.well
        self.left_out = status["counters"]["left_out"]
        self.ails = [trouble["what"] for trouble in status["troubles"]]
        # A metric is alive without a value for an hour, so that rare values are
        # no reason for nothing to be accepted for longer.
        flush_s = status["flush_interval"]
        self.long_s = 2 * flush_s + SLACK_S
        self.longer_s = max(HOUR_S, 4 * flush_s)

    def is_full(self):
        return self.metrics["alive"] >= self.metrics["max"] and \
            self.left_out.get("max_metrics", 0) > 0

    def is_unaccepted(self):
        """Whether there are data that CloudWatch does not take, and neither
        are they under way nor does a trouble tell why."""
        flush = self.status["last_flush"]
        if not self.metrics["alive"] or any(
                TROUBLES.get(what, (DEGRADED,))[0] == NOT_PUBLISHING
                for what in self.ails):
            return False
        if flush and flush["data"] and not self.status["queue"]["data"]:
            return self.lapse_s > self.long_s
        return self.lapse_s > self.longer_s and (
            "refused" in self.ails or self.left_out.get("quarantined", 0) > 0)


# What; the verdict if it holds; words; since when it holds, None if it does not
# and 0 if nobody knows.  If one of the first three holds, no other counts.
ENDS = ("stopped", "silent", "dry_run")
RULES = (
    ("stopped", NOT_PUBLISHING, "collectd was stopped",
     lambda f: f.written if f.status["stopped"] else None),
    ("silent", NOT_PUBLISHING, "collectd writes nothing: it is dead or hangs",
     lambda f: f.written if f.now - f.written > SILENT_S else None),
    ("dry_run", NOT_PUBLISHING, "DryRun is on: nothing is sent",
     lambda f: f.started if f.status["dry_run"] else None),
    ("idle", NOT_PUBLISHING, "no value comes that a <Metric> selects",
     lambda f: f.well if not f.metrics["alive"] and f.lapse_s > f.longer_s
     else None),
    ("unaccepted", NOT_PUBLISHING,
     "metrics are alive, but CloudWatch accepts none",
     lambda f: f.well if f.is_unaccepted() else None),
    ("starting", DEGRADED, "starting: nothing was accepted yet",
     lambda f: f.started if f.accepted is None else None),
    ("max_metrics", DEGRADED, "MaxMetrics is reached: metrics are left out",
     lambda f: 0 if f.is_full() else None),
    ("ahead", DEGRADED, "the file is of the future: a clock is wrong",
     lambda f: 0 if f.written > f.now + SLACK_S else None))

# The troubles of the file.  Those with NOT_PUBLISHING are DEGRADED until
# nothing was accepted for two flushes and some slack.
TROUBLES = {
    "credentials": (NOT_PUBLISHING, "there are no credentials"),
    "place": (NOT_PUBLISHING, "region or endpoint are not known"),
    "sending": (NOT_PUBLISHING, "the last request failed"),
    "renewal": (DEGRADED, "credentials are used on, as renewing them failed"),
    "place_renewal": (DEGRADED, "the shared AWS files cannot be followed"),
    "clock": (DEGRADED, "the clock of that host is wrong"),
    "buffer_limit": (DEGRADED, "data are dropped because of BufferLimit"),
    "buffer_age": (DEGRADED, "data are dropped because of BufferAge"),
    "future": (DEGRADED, "data are dropped that are of the future"),
    "refused": (DEGRADED, "CloudWatch refused data within the last hour"),
    "spool": (DEGRADED, "the spool cannot be used")}


def why_failed(error, since):
    """AWS's code, or HTTP's, in brackets, if the trouble has had one."""
    if not error or seconds(error["time"]) < since:
        return ""
    why = error["code"] or (error["status"] and f"status {error['status']}")
    return f" ({why})" if why else ""


def judge(status, now):
    """[(verdict, what, words, since)], the worst first; nothing is wrong if it
    is empty."""
    facts, reasons = Facts(status, now), []
    for what, verdict, words, find in RULES:
        since = find(facts)
        if since is not None:
            reasons.append((verdict, what, words, since))
            if what in ENDS:
                return reasons
    for trouble in status["troubles"]:
        what, since = trouble["what"], seconds(trouble["since"])
        verdict, words = TROUBLES.get(what, (DEGRADED, what))
        if verdict == NOT_PUBLISHING:
            words += why_failed(status["last_error"], since)
            if facts.lapse_s > facts.long_s:
                since = facts.well
            else:
                verdict = DEGRADED
        reasons.append((verdict, what, words, since))
    return sorted(reasons, key=lambda reason: -reason[0])
