#!/usr/bin/python3
"""Makes the copy of a configuration that contrib/quickstart --config runs: all
that it includes in one file, write_cloudwatch with DryRun and a StatusFile of
ours, and without what would have an effect outside.

    quickstart_dry.py FILE --run DIR --plugins DIR --timeout SECONDS
                      [--with-plugin NAME]...

writes DIR/collectd.conf and DIR/facts.json, what quickstart_summary.py needs to
know of it.  Ends with 1 and a sentence if collectd would not take FILE.
"""

import argparse
import json
import os
import re
import sys

from quickstart_config import ConfigError, parse, read_all, source

OURS = "write_cloudwatch"

# --- what a dry run does without ----------------------------------------------

WRITES = "it writes to another place"
LOGS = "this run has a log of its own"
TELLS = "it sends notifications"
TAKES = "values that others send to it are not seen"
CODE = "it runs code that may do anything; values of it are not seen"
# Plugins with an effect outside, first match: an expression for the name, the
# option without which there is no effect (None: always), and why.
EFFECTS = (
    ("write_(?!cloudwatch$).*", None, WRITES),
    ("csv|rrdtool|rrdcached", None, WRITES),
    ("postgresql", "Writer", WRITES),
    ("network|amqp1?|mqtt|grpc", None,
     "it sends and receives values; those of other hosts are not seen"),
    ("statsd|pinba|email|unixsock|sysevent|gmond", None, TAKES),
    ("snmp_agent|capabilities", None, "it serves what others ask for"),
    ("dpdk_telemetry", None, "it takes a socket away from a collectd that runs"),
    ("ipmi", "SELClearEvent", "it deletes events that others may wait for"),
    ("syslog|logfile|log_logstash", None, LOGS),
    ("notify_.*", None, TELLS),
    ("exec|python|perl|java|lua", None, CODE),
)
# Options of ours that write, or that this run sets.
DROPPED = ("DryRun", "StatusFile", "SpoolDirectory")
GLOBALS = ("BaseDir", "PIDFile")


def has_option(statements, key):
    return any(one.named(key) or has_option(one.children or (), key)
               for one in statements)


def effect_of(name, statements):
    """Why a plugin is left out, or None."""
    for pattern, option, why in EFFECTS:
        if re.fullmatch(pattern, name):
            mine = [one for one in statements if one.named("Plugin", name)]
            if option is None or has_option(mine, option):
                return why
    return None


def find_effects(statements, kept):
    """{plugin: why} of what is left out; names in lower case."""
    names = {one.argument.lower() for one in statements
             if (one.named("LoadPlugin") or one.named("Plugin"))
             and one.argument}
    found = {name: effect_of(name, statements) for name in sorted(names)
             if name not in kept}
    return {name: why for name, why in found.items() if why}


# --- what has to be there -----------------------------------------------------

def autoloads(statements):
    return any(one.named("AutoLoadPlugin") and
               one.values[0].text.lower() in ("true", "yes", "on")
               for one in statements)


def check(statements):
    """That collectd would hand a block to the plugin."""
    loads = [one for one in statements if one.named("LoadPlugin")]
    mine = [one for one in loads if one.named("LoadPlugin", OURS)]
    blocks = [one for one in statements if one.named("Plugin", OURS)]
    if not blocks:
        raise ConfigError(
            "there is no <Plugin %s> block: write one, as README shows it, "
            "with a <Metric> for each metric" % OURS)
    if autoloads(statements) or not loads:
        return
    if not mine:
        raise ConfigError(
            "nothing loads the plugin, so that collectd ignores the block of "
            "%s: write LoadPlugin %s above it" % (blocks[0].where, OURS))
    if statements.index(blocks[0]) < statements.index(mine[0]):
        raise ConfigError(
            "%s: the block stands before the LoadPlugin of %s, so that "
            "collectd ignores it: write LoadPlugin %s above it" % (
                blocks[0].where, mine[0].where, OURS))


GIVEN = """\
LoadPlugin memory
LoadPlugin tcpconns
<Plugin tcpconns>
  AllPortsSummary true
</Plugin>
"""


def give(statements):
    """(statements, names of plugins): to a snippet that loads nothing but us,
    what the plain quickstart has."""
    loads = [one for one in statements if one.named("LoadPlugin")]
    if autoloads(statements) or \
            not all(one.named("LoadPlugin", OURS) for one in loads):
        return statements, []
    more = GIVEN if loads else GIVEN + "LoadPlugin %s\n" % OURS
    # A general Interval counts for what is loaded below it.
    at = next(i for i, one in enumerate(statements)
              if one.named("LoadPlugin") or one.named("Plugin"))
    return (statements[:at] + parse(more, "contrib/quickstart") +
            statements[at:], ["memory", "tcpconns"])


# --- the copy -----------------------------------------------------------------

HEAD = """\
# Made by contrib/quickstart --config.
BaseDir {run}
PIDFile {pid}
LoadPlugin logfile
<Plugin logfile>
  LogLevel info
  File STDOUT
  Timestamp false
  PrintSeverity true
</Plugin>
"""


def quoted(text):
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


def is_left_out(one, effects):
    if any(one.named(key) for key in GLOBALS):
        return True
    return (one.named("LoadPlugin") or one.named("Plugin")) \
        and (one.argument or "").lower() in effects


def without(block):
    """Takes the options that this run sets out of a block of ours and of its
    nodes.  Returns their names."""
    dropped = [child.key for child in block.children
               if any(child.named(key) for key in DROPPED)]
    block.children = [child for child in block.children
                      if child.key not in dropped]
    for child in block.children:
        if child.named("Node") and child.children is not None:
            dropped += without(child)
    return dropped


def make_dry(statements, status):
    """Changes the blocks of ours.  Returns the names of what was dropped."""
    blocks = [one for one in statements
              if one.named("Plugin", OURS) and one.children is not None]
    dropped = [key for block in blocks for key in without(block)]
    if blocks:
        blocks[0].children[:0] = parse(
            "  DryRun true\n  StatusFile %s\n" % quoted(status), "")
    return sorted(set(dropped))


def load_ours(statements, ours, theirs):
    """Statements with a PluginDir on both sides of what loads us: ours, and the
    one that was in force."""
    auto = autoloads(statements)
    found = []
    for one in statements:
        if one.named("PluginDir") and one.argument:
            theirs = one.argument
        if one.named("LoadPlugin", OURS) or auto and one.named("Plugin", OURS):
            found += parse("PluginDir %s\n" % quoted(ours), "")
            found.append(one)
            found += parse("PluginDir %s\n" % quoted(theirs), "")
        else:
            found.append(one)
    return found


# --- how long it takes --------------------------------------------------------

INTERVAL_S = 10  # collectd's own
READINGS = {"aggregation": 4}  # intervals until there is a rate; others: one


def intervals(statements):
    """{plugin: seconds between its readings}, the longest it names."""
    general, found, auto = INTERVAL_S, {}, autoloads(statements)
    for one in statements:
        name = (one.argument or "").lower()
        if one.named("Interval") and (one.number or 0) > 0:
            general = one.number
        elif one.named("LoadPlugin") and name != OURS:
            found[name] = max([general] + numbers(one.children or ()))
        elif one.named("Plugin") and (name in found or auto) and name != OURS:
            found[name] = max([found.get(name, general)] +
                              numbers(one.children or ()))
    return found


def numbers(statements):
    """Of all options Interval in them."""
    found = []
    for one in statements:
        if one.named("Interval") and one.number is not None:
            found.append(one.number)
        found += numbers(one.children or ())
    return found


def needs_s(interval_s, readings):
    return interval_s * readings + max(2, interval_s / 4)


def plan(found, limit_s):
    """(seconds to run, {plugin: seconds that it would need but does not get})
    for two readings of each, as rates need two."""
    readings = max([READINGS.get(name, 1) for name in found] or [1])
    needs = {name: needs_s(interval_s, readings)
             for name, interval_s in found.items()}
    within = [seconds for seconds in needs.values() if seconds <= limit_s]
    return (max(within or [limit_s]),
            {name: seconds for name, seconds in sorted(needs.items())
             if seconds > limit_s})


# --- all together -------------------------------------------------------------

def prepare(path, run, plugins, limit_s, kept=()):
    """(text of the copy, facts) of the configuration at path.

    run      the folder of this run, plugins the one of the daemon's plugins
    limit_s  how long it may take
    kept     names of plugins that are run though they have an effect
    """
    statements, reader = read_all(path)
    check(statements)
    statements, given = give(statements)
    effects = find_effects(statements, [name.lower() for name in kept])
    statements = [one for one in statements if not is_left_out(one, effects)]
    dropped = make_dry(statements, run + "/status/json")
    wait_s, late = plan(intervals(statements), limit_s)
    head = HEAD.format(run=quoted(run), pid=quoted(run + "/pid"))
    return head + source(load_ours(statements, run + "/plugins", plugins)), {
        "config": path, "n_files": len(reader.files),
        "skipped": reader.skipped, "left_out": effects, "dropped": dropped,
        "given": given, "wait_s": wait_s, "late": late}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("config")
    parser.add_argument("--run", required=True)
    parser.add_argument("--plugins", required=True)
    parser.add_argument("--timeout", type=float, required=True)
    parser.add_argument("--with-plugin", action="append", default=[])
    options = parser.parse_args()
    try:
        text, facts = prepare(options.config, options.run, options.plugins,
                              options.timeout, options.with_plugin)
    except ConfigError as error:
        sys.exit(str(error))
    os.makedirs(os.path.join(options.run, "status"), exist_ok=True)
    # It may hold secrets.
    place = os.path.join(options.run, "collectd.conf")
    with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w",
              encoding="latin-1", newline="") as file:
        file.write(text)
    with open(os.path.join(options.run, "facts.json"), "w") as file:
        json.dump(facts, file)


if __name__ == "__main__":
    main()
