#!/usr/bin/python3
"""What contrib/quickstart --config shows of a dry run.

    watch    a progress line, until the daemon has read all that it reads twice
             (DIR/facts.json of quickstart_dry.py says how long that takes), or
             has ended
    summary  after its end: metrics, what nothing selects, what was left out,
             what the log warned of, what a month costs; ends with 0 if the
             configuration is good and each destination would get something
"""

import argparse
import collections
import json
import re
import signal
import sys
import textwrap
import time

from cloudwatch_status import FREE, Unreadable, clean, monthly, read_all
from quickstart_view import OURS, Screen, is_alive

RUNNING = "Initialization complete"
SERIES_MAX = 40  # lines of each list
PLUGINS_MAX = 20
EXAMPLES, EXAMPLES_IF_NONE = 2, 10  # identifiers of one plugin
MESSAGES_MAX = 10


def say(text, indent=2, more=2):
    """A paragraph; nothing in it is cut."""
    print(textwrap.fill(
        text, 79, initial_indent=" " * indent,
        subsequent_indent=" " * (indent + more), break_on_hyphens=False,
        break_long_words=False))


def several(count, what):
    return "%s %s%s" % (format(count, ","), what, "" if count == 1 else "s")


# --- while it runs ------------------------------------------------------------

def is_running(run):
    """Whether the daemon has begun to read."""
    with open(run + "/collectd.log", errors="replace") as log:
        return RUNNING in log.read()


def watch(options):
    """Ends when it was long enough; the daemon's own end is seen by summary."""
    with open(options.run + "/facts.json") as file:
        wait_s = json.load(file)["wait_s"]
    screen = Screen()
    begin = start = time.monotonic()
    limit_s = options.timeout  # the start takes as long as it takes
    try:
        while is_alive(options.pid):
            now = time.monotonic()
            if begin == start and is_running(options.run):
                begin, limit_s = now, wait_s
            if now - begin >= limit_s:
                return
            if begin != start:
                screen.progress("two readings take %.0f s" % wait_s,
                                "%.0f s so far" % (now - begin))
            time.sleep(0.1)
    finally:
        screen.end()


# --- what there is to say -----------------------------------------------------

# Reasons of the status file's counters.left_out; what is odd, the log explains.
LEFT_OUT = {
    "nan": "no number (OnNaN)", "infinite": "infinite",
    "range": "beyond 2^360", "old": "too old", "ahead": "of the future",
    "twice": "twice with the same time", "not_newer": "not newer than the last",
    "reset": "a counter that began again", "late": "late, for the next slot",
    "slot_dropped": "a sum that was not complete",
    "max_metrics": "beyond MaxMetrics", "disagree": "of another unit or kind",
    "crowded": "too many identifiers", "full": "no room in BufferLimit",
    "folded": "summed up for lack of room", "memory": "no memory",
    "awaited": "waiting for %{ec2:...}, which only an instance of EC2 knows",
    "lacking": "without the value of %{ec2:...}",
    "unfit": "an unfit name or namespace", "quarantined": "refused before"}


class Log:
    """The daemon's messages.

    ours, others  {text: how often} of warnings and errors
    is_running    whether the daemon got as far as reading
    """

    def __init__(self, path):
        self.ours = collections.OrderedDict()
        self.others = collections.OrderedDict()
        self.is_running = False
        with open(path, errors="replace") as file:
            for line in file:
                self._take(clean(line.rstrip("\n")))

    def _take(self, line):
        # The daemon prints what it skips in its configuration, without an end.
        line = re.sub(r"^[^[]*(?=\[(?:\w+|\d{4}-[^]]*)\] )", "", line)
        self.is_running = self.is_running or RUNNING in line
        found = re.match(r"\[(error|warning)\] (.*)", line)
        if not found and (self.is_running or re.match(r"\[\w+\] |\[\d", line)):
            return
        # Before there is a log, the daemon prints plain lines.
        severity, text = found.groups() if found else ("error", line)
        mine = self.ours if text.startswith(OURS) else self.others
        text = severity + ": " + text.replace(OURS, "", 1)
        mine[text] = mine.get(text, 0) + 1


def show_messages(title, messages):
    if not messages:
        return
    print("\n" + title)
    for text, count in list(messages.items())[:MESSAGES_MAX]:
        say(text + (" (%d times)" % count if count > 1 else ""))
    if len(messages) > MESSAGES_MAX:
        say("and %s more in .quickstart/run/collectd.log"
            % several(len(messages) - MESSAGES_MAX, "message"))


def statuses(run):
    """The last status of each node, in the order of their names."""
    return [status for _, status in read_all(run + "/status/json")
            if not isinstance(status, Unreadable) and status["stopped"]]


def show_series(status):
    """The table, of as many as fit, and how many are not in it."""
    alive, awaited = (status["metrics"]["alive"],
                      status["counters"]["left_out"].get("awaited"))
    every = sorted(status["series"], key=lambda one: (
        one["namespace"], one["name"], sorted(one["dimensions"].items())))
    rows = [(one["namespace"], one["name"], "{%s}" % ", ".join(
        "=".join(pair) for pair in one["dimensions"].items()),
        "%.6g" % one["average"], one["unit"]) for one in every[:SERIES_MAX]]
    widths = [max([len(row[i]) for row in rows] or [0]) for i in range(4)]
    for row in rows:
        print("  %s  %s  %s  %s %s" % (
            row[0].ljust(widths[0]), row[1].ljust(widths[1]),
            row[2].ljust(widths[2]), row[3].rjust(widths[3]), row[4]))
    if len(every) > SERIES_MAX:
        say("and %s more" % format(alive - SERIES_MAX, ","))
    elif alive > len(every):
        say("%s without data in this run%s" % (
            ("and %s more" if rows else "%s") % format(alive - len(every), ","),
            "; some wait for %{ec2:...}, which only an instance of EC2 knows: "
            "try it there" if awaited else ""))


def by_plugin(identifiers):
    """{plugin: those of the status file's list}, in order."""
    groups = collections.OrderedDict()
    for one in sorted(identifiers, key=lambda one: one["identifier"]):
        # host/plugin-instance/type-instance
        plugin = re.match("(?:[^/]*/)?([^/-]*)", one["identifier"])[1]
        groups.setdefault(plugin, []).append(one)
    return groups


def nearest(one):
    return 'nearest is <Metric "%s">: %s' % (one["nearest"], one["because"])


def show_group(plugin, mine, examples):
    for one in mine[:examples]:
        print("  " + one["identifier"])
        say(nearest(one), 4)
    if len(mine) > examples:
        say("and %d more of %s" % (len(mine) - examples, plugin))


def show_unselected(status):
    """By plugin, with why not.  Plugins that no <Metric> names at all are what
    is not wanted, most often, and get one paragraph unless there is nothing
    else."""
    total = status["identifiers"]["unselected"]
    if not total:
        return
    selected = status["identifiers"]["selected"]
    say("Not selected: %s of %s." % (
        several(total, "identifier"), format(total + selected, ",")), 0, 0)
    groups = by_plugin(status["unselected"])
    others = [plugin for plugin, mine in groups.items() if selected and
              all(one["because"].startswith('Plugin "') for one in mine)]
    shown = [plugin for plugin in groups if plugin not in others]
    for plugin in shown[:PLUGINS_MAX]:
        show_group(plugin, groups[plugin],
                   EXAMPLES if selected else EXAMPLES_IF_NONE)
    if len(shown) > PLUGINS_MAX:
        say("and those of %s" % several(len(shown) - PLUGINS_MAX,
                                        "further plugin"))
    if others:
        say("of plugins that no <Metric> takes: %s" % ", ".join(
            "%s (%d)" % (plugin, len(groups[plugin])) for plugin in others))
        say(nearest(groups[others[0]][0]), 4)


def show_left_out(status):
    rows = ["%s: %s" % (LEFT_OUT.get(reason, reason), format(count, ","))
            for reason, count in sorted(status["counters"]["left_out"].items())
            if count]
    if rows:
        say("Values that did not count: %s" % ", ".join(rows), 0)


DATA_MAX = 1000  # of a request


def most_requests(status):
    """Of a flush in which each metric has data of all its periods, which a
    short run has not."""
    is_fast = any(one["resolution"] == 1 for one in status["series"])
    periods = max(1, status["flush_interval"] // (1 if is_fast else 60))
    return -(-status["metrics"]["alive"] * periods // DATA_MAX)


def show_cost(status):
    month = monthly(status)
    if month is None or not month["metrics"]:
        return
    say("A month (30 days) of this host: %s and %s, about %.2f + %.2f = %.2f "
        "USD (prices of %s; %s).  Hosts that feed the same metrics pay for "
        "them once." % (
            several(month["metrics"], "metric"),
            several(month["requests"], "request"), month["metrics_usd"],
            month["requests_usd"], month["usd"], month["prices_of"], FREE), 0, 0)
    most, now = most_requests(status), status["last_flush"]["requests"]
    if most > max(now, 1):
        say("Counted with %s a flush; with data in each period there may be up "
            "to %d." % (several(max(now, 1), "request"), most), 0, 0)


def show_node(status):
    print("\n%s%s of at most %s (MaxMetrics), a flush each %s" % (
        'Node "%s": ' % status["node"] if status["node"] else "",
        several(status["metrics"]["alive"], "metric"),
        format(status["metrics"]["max"], ","),
        several(status["flush_interval"], "second")))
    show_series(status)
    show_left_out(status)
    show_unselected(status)
    show_cost(status)


def show_facts(facts):
    """What this run did otherwise than the configuration says."""
    print("\n%s, %s" % (facts["config"],
                        several(facts["n_files"], "file") + " in all"))
    for sentence in facts["skipped"]:
        say("left out by collectd itself: " + sentence)
    if facts["given"]:
        say("it loads no plugin that reads: this run added %s"
            % " and ".join(facts["given"]))
    for why in sorted(set(facts["left_out"].values())):
        names = [name for name in sorted(facts["left_out"])
                 if facts["left_out"][name] == why]
        say("not run: %s (%s)" % (", ".join(names), why))
    if facts["dropped"]:
        say("not obeyed, as it writes: " + ", ".join(facts["dropped"]))
    for name, seconds in sorted(facts["late"].items()):
        say("%s is read so rarely that its rates are not seen: --timeout %d "
            "waits for them" % (name, -(-seconds // 1)))


def verdict(log, found, given):
    """(exit status, sentence); given are the plugins that this run added."""
    if not log.is_running:
        return 1, ("collectd does not run with this configuration; its "
                   "messages above say why.")
    if not found:
        return 1, ("collectd ended by itself, or not in time when it was told "
                   "to: its log is .quickstart/run/collectd.log.")
    empty = [status["node"] for status in found
             if not status["metrics"]["alive"]]
    if empty and len(empty) == len(found):
        return 1, ("Nothing would be published: no <Metric> selects any of "
                   "the identifiers above, or their values did not count.") + (
                       "  There was no more to select: give the whole "
                       "collectd.conf." if given else "")
    if empty:
        return 1, "Nothing would be published to the node%s %s." % (
            "" if len(empty) == 1 else "s",
            ", ".join('"%s"' % node for node in empty))
    total = sum(status["metrics"]["alive"] for status in found)
    return 0, "This configuration is good: it would publish %s." % several(
        total, "metric")


def summary(options):
    run = options.run
    with open(run + "/facts.json") as file:
        facts = json.load(file)
    log = Log(run + "/collectd.log")
    found = statuses(run)
    show_facts(facts)
    show_messages("write_cloudwatch says:", log.ours)
    show_messages("Others say:", log.others)
    for status in found:
        show_node(status)
    status, sentence = verdict(log, found, facts["given"])
    print()
    say(sentence, 0, 0)
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("what", choices=("watch", "summary"))
    parser.add_argument("--run", required=True)
    parser.add_argument("--pid", type=int)
    parser.add_argument("--timeout", type=float)
    options = parser.parse_args()
    # Ends quietly, with its progress line wiped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.exit(watch(options) if options.what == "watch" else summary(options))


if __name__ == "__main__":
    main()
