#!/usr/bin/python3
"""What contrib/quickstart shows: a line per datum, a progress line, a summary.

    watch    shows datums as they come; ends with 0 when both metrics came with
             two flushes, 3 when a process it was told of is gone, 4 when they
             did not come in time
    summary  sums up what came; ends with 0 if both metrics came, verified

Datums come from the test service (--datums, which saw them and checked their
signature), else from the daemon's log (--log, option LogPublished).
"""

import argparse
import datetime
import json
import os
import re
import shutil
import signal
import sys
import textwrap
import time

METRICS = ("Sockets Used", "Memory Available")
FLUSHES = 2
BARS = "▁▂▃▄▅▆▇█"
SUMMARY_COLUMNS = 36  # of bars and gaps
ORDINALS = ("first", "second")
OURS = "write_cloudwatch plugin: "
PUBLISHED = re.compile(
    r'published (?P<namespace>.*?) "(?P<name>.*?)"'
    r"(?: \{(?P<dimensions>.*)\})?: (?P<values>.*) (?P<unit>\S+) "
    r"at (?P<time>\S+)$")


class Datum:
    """values is a list of (value, count); verdict what the service said."""

    def __init__(self, time_s, namespace, name, dimensions, values, unit,
                 verdict, is_good):
        self.time_s = time_s
        self.namespace = namespace
        self.name = name
        self.dimensions = dimensions
        self.values = values
        self.unit = unit
        self.verdict = verdict
        self.is_good = is_good

    @classmethod
    def from_service(cls, line):
        datum = json.loads(line)
        values = datum.get("Values", [datum.get("Value")])
        is_good = datum["SignatureVerified"] is True
        return cls(
            datum["Timestamp"], datum["Namespace"], datum["MetricName"],
            ", ".join(f"{k}={v}" for k, v in datum["Dimensions"].items()),
            list(zip(values, datum.get("Counts", [1] * len(values)))),
            datum["Unit"],
            "signature verified" if is_good else "SIGNATURE NOT VERIFIED",
            is_good)

    @classmethod
    def from_log(cls, line):
        """None if the line speaks of something else."""
        found = PUBLISHED.search(line)
        if not found:
            return None
        values = []
        for text in found["values"].split(", "):
            value, _, count = text.partition(" x")
            values.append((float(value), float(count or 1)))
        when = datetime.datetime.strptime(found["time"], "%Y-%m-%dT%H:%M:%SZ")
        return cls(
            when.replace(tzinfo=datetime.timezone.utc).timestamp(),
            found["namespace"], found["name"], found["dimensions"] or "",
            values, found["unit"], "accepted by the service", True)

    def samples(self):
        """Each value as often as it was counted."""
        return [value for value, count in self.values
                for _ in range(int(count))]

    def __str__(self):
        samples = self.samples()
        mean = sum(samples) / len(samples)
        return (f"{time.strftime('%H:%M:%S', time.gmtime(self.time_s))}  "
                f"{self.namespace}  {self.name:<16}  {{{self.dimensions}}}  "
                f"{mean:7.1f} {self.unit:<9}  {self.verdict}")


class Lines:
    """The complete lines that a growing file has gained."""

    def __init__(self, path):
        self._path = path
        self._file = None
        self._rest = ""

    def read(self):
        if self._file is None:
            try:
                self._file = open(self._path, encoding="utf-8",
                                  errors="replace")
            except FileNotFoundError:
                return []
        *lines, self._rest = (self._rest + self._file.read()).split("\n")
        return lines


class Feed:
    """New datums, and what the plugin has to say besides."""

    def __init__(self, options):
        self._log = Lines(options.log)
        self._datums = Lines(options.datums) if options.datums else None

    def read(self):
        datums, remarks = [], []
        for line in self._log.read():
            if not line.startswith(OURS):
                continue
            line = line[len(OURS):]
            if not line.startswith("published "):
                remarks.append(line)
            elif self._datums is None:
                datums.append(Datum.from_log(line))
        if self._datums is not None:
            datums = [Datum.from_service(line) for line in self._datums.read()]
        return [datum for datum in datums if datum], remarks


class Screen:
    """Lines that stay, above one line that is rewritten in place; where the
    output is no terminal, that line is printed when its first part changes."""

    def __init__(self):
        self._is_terminal = sys.stdout.isatty()
        self._state = None
        self._shown = None

    def say(self, text):
        self._shown = None
        if self._is_terminal:
            text = "\r\033[K" + text
        print(text, flush=True)

    def progress(self, state, detail):
        if self._is_terminal:
            columns = shutil.get_terminal_size().columns - 1
            text = f"{state}, {detail} ..."[:columns]
            if text != self._shown:
                print("\r\033[K" + text, end="", flush=True)
            self._shown = text
        elif state != self._state:
            print(state, flush=True)
        self._state = state

    def end(self):
        if self._is_terminal:
            print("\r\033[K", end="", flush=True)


def what_is_missing(datums):
    """What to wait for, in words; None if all of it came."""
    came = {name: len({d.time_s for d in datums if d.name == name})
            for name in METRICS}
    least = min(came.values())
    if least >= FLUSHES:
        return None
    late = [name for name in METRICS if came[name] == least]
    if len(late) == len(METRICS):
        return f"waiting for the {ORDINALS[least]} flush"
    return f'waiting for "{late[0]}" of the {ORDINALS[least]} flush'


def is_alive(pid):
    try:
        os.kill(pid, 0)
        return True
    except ProcessLookupError:
        return False


def show(feed, screen, datums):
    """Shows what is new."""
    new, remarks = feed.read()
    for remark in remarks:
        screen.say(textwrap.fill(
            remark, 79, initial_indent="  collectd: ",
            subsequent_indent="    ", break_on_hyphens=False))
    for datum in new:
        screen.say(str(datum))
    datums += new


def watch(options):
    feed = Feed(options)
    screen = Screen()
    start = time.monotonic()
    datums = []
    screen.say("each line: time (UTC), namespace, metric, {dimensions}, mean, "
               "unit, verdict")
    try:
        while True:
            dead = [pid for pid in options.pid if not is_alive(pid)]
            show(feed, screen, datums)
            missing = what_is_missing(datums)
            waited_s = time.monotonic() - start
            if dead:
                return 3
            if not missing and not options.keep:
                return 0
            if waited_s > options.timeout and not options.keep:
                return 4
            screen.progress(missing or "running until interrupted",
                            f"{waited_s:.0f} s, {len(datums)} data so far")
            time.sleep(0.1)
    finally:
        screen.end()


def sparkline(groups):
    """One bar per value, a gap between groups, all on one scale."""
    least = min(min(group) for group in groups)
    span = max(max(group) for group in groups) - least
    highest = len(BARS) - 1
    return " ".join("".join(
        BARS[round((value - least) / span * highest) if span else 0]
        for value in group) for group in groups)


def last_that_fit(groups):
    """As many groups, from the end, as have room."""
    kept, room = [], SUMMARY_COLUMNS
    for group in reversed(groups):
        room -= len(group) + 1
        if room < 0 and kept:
            break
        kept.insert(0, group)
    return kept


def summary(options):
    datums, _ = Feed(options).read()
    if datums:
        print("\nThe last flushes, a bar for each value, in ascending order "
              "within a flush;\nleast and greatest of the whole run:")
    is_good = True
    for name in METRICS:
        mine = [datum for datum in datums if datum.name == name]
        is_good = is_good and bool(mine) and all(d.is_good for d in mine)
        if not mine:
            print(f"  {name:<16}  did not arrive")
            continue
        groups = [sorted(datum.samples()) for datum in mine]
        values = sum(groups, [])
        print(f"  {name:<16}  {sparkline(last_that_fit(groups))}  "
              f"{min(values):.1f} to {max(values):.1f} {mine[0].unit}")
    verdicts = sorted({datum.verdict for datum in datums})
    print(f"{len(datums)} data: {', '.join(verdicts) or 'nothing arrived'}.")
    return 0 if is_good else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("what", choices=("watch", "summary"))
    parser.add_argument("--log", required=True)
    parser.add_argument("--datums")
    parser.add_argument("--pid", type=int, action="append", default=[])
    parser.add_argument("--timeout", type=float, default=30)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    # Ends quietly, with its progress line wiped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.exit(watch(options) if options.what == "watch" else summary(options))


if __name__ == "__main__":
    main()
