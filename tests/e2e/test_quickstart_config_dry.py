"""The copy of a configuration that contrib/quickstart --config makes and runs:
what it leaves and takes away, and how long it runs."""

import os
import pathlib
import re
import subprocess
import sys

import pytest
from daemon import ROOT, find_plugin_folder

sys.path.append(str(ROOT / "contrib"))
import quickstart_dry  # noqa: E402
from quickstart_config import ConfigError  # noqa: E402

PLUGINS = find_plugin_folder()

# --- the copy -----------------------------------------------------------------

LOAD = "LoadPlugin write_cloudwatch\n"
BLOCK = ("<Plugin write_cloudwatch>\n  <Metric \"M\">\n    Plugin \"load\"\n"
         "  </Metric>\n</Plugin>\n")


def prepare(tmp_path, text, limit_s=90, kept=()):
    path = tmp_path / "user.conf"
    path.write_bytes(text.encode("latin-1"))
    return quickstart_dry.prepare(str(path), "/run dir", PLUGINS, limit_s, kept)


def rest_of(text):
    """What a copy holds beside what this run adds."""
    body = text[text.index("</Plugin>\n") + 10:]
    for line in ('PluginDir "/run dir/plugins"\n', f'PluginDir "{PLUGINS}"\n',
                 "  DryRun true\n", '  StatusFile "/run dir/status/json"\n'):
        assert body.count(line) == 1, body
        body = body.replace(line, "")
    return body


def test_a_configuration_without_effects_is_kept(tmp_path):
    text = ("# mine \xe9\n\nInterval 20 \\\n\n\nHostname \"h\"\n"
            "TypesDB \"t.db\"   # relative\nLoadPlugin load\n"
            "<LoadPlugin \"Write_CloudWatch\"> # ours\n  Interval 60\n"
            "</LoadPlugin>\n<plugin WRITE_cloudwatch>\n  <Metric \"M\">\n"
            "    Unit \\\n      \"None\"\n  </Metric>\n</plugin>\n"
            "<Chain \"PostCache\">\n  <Target \"write\">\n"
            "    Plugin \"csv\" \"write_cloudwatch\"\n  </Target>\n</Chain>\n"
            "# end")
    copy, facts = prepare(tmp_path, text)
    assert rest_of(copy) == text + "\n"
    assert facts["left_out"] == {} and facts["dropped"] == []
    # Ours is loaded from this run's folder, by the user's own line.
    before, _, after = copy.partition('<LoadPlugin "Write_CloudWatch"> # ours')
    assert before.endswith('PluginDir "/run dir/plugins"\n')
    assert after.index(f'PluginDir "{PLUGINS}"') < after.index("<plugin")
    # Its options stand in our block, and only there.
    assert "<plugin WRITE_cloudwatch>\n  DryRun true\n" in after


def test_our_options_that_write_are_dropped(tmp_path):
    node = ('  <Node "a">\n    SPOOLDIRECTORY "/x"\n    SpoolLimit 10\n'
            '    StatusFile "/z"\n    DryRun "false"\n    LogPublished true\n'
            '  </Node>\n')
    text = (LOAD + "LoadPlugin load\n" + BLOCK.replace(
        '  <Metric', node + '  StatusFile "/y" # mine\n  <Metric')
        + "<Plugin write_cloudwatch>\n  dryrun false\n  Region \"x\"\n</Plugin>\n"
        + '<Plugin other>\n  StatusFile "theirs"\n</Plugin>\n')
    copy, facts = prepare(tmp_path, text)
    gone = re.compile(r'(?im)^ +(SpoolDirectory "/x"|StatusFile "/[zy]".*'
                      r'|DryRun "?false"?)\n')
    assert rest_of(copy) == gone.sub("", text)
    assert {key.lower() for key in facts["dropped"]} == {
        "spooldirectory", "statusfile", "dryrun"}


@pytest.mark.parametrize("name, more", [
    *((name, "") for name in (
        "write_http", "write_graphite", "csv", "rrdtool", "rrdcached", "network",
        "amqp", "amqp1", "mqtt", "grpc", "unixsock", "statsd", "email", "gmond",
        "dpdk_telemetry", "syslog", "logfile", "log_logstash", "notify_email",
        "exec", "python", "perl", "java", "lua", "write_cloudwatch2")),
    ("postgresql", '<Database "d">\n    writer "w"\n  </Database>'),
    ("ipmi", '<Instance "i">\n    SELClearEvent true\n  </Instance>')])
def test_plugins_with_an_effect_are_left_out(tmp_path, name, more):
    theirs = (f"<LoadPlugin {name}>\n  Interval 5\n</LoadPlugin>\n"
              f'LoadPlugin "{name.upper()}"\n'
              f'<Plugin {name.upper()}>\n  Some "text"\n  {more}\n</Plugin>\n')
    mine = "LoadPlugin load\n" + LOAD + BLOCK
    copy, facts = prepare(tmp_path, theirs + mine)
    assert rest_of(copy) == mine
    assert list(facts["left_out"]) == [name] and facts["left_out"][name]
    copy, facts = prepare(tmp_path, theirs + mine, kept=[name.title()])
    assert rest_of(copy) == theirs + mine and not facts["left_out"]


def test_plugins_that_only_read_are_kept(tmp_path):
    text = "".join(f"LoadPlugin {path.stem}\n" for path in pathlib.Path(
        PLUGINS).glob("*.so"))
    copy, facts = prepare(tmp_path, text + LOAD + BLOCK)
    left = {line.split()[1] for line in text.splitlines()} - set(
        re.findall(r"^LoadPlugin (\S+)$", rest_of(copy), re.M))
    assert left == set(facts["left_out"])
    assert not left & {"aggregation", "cpu", "curl", "df", "match_regex", "snmp",
                       "postgresql", "table", "tail", "target_set", "threshold",
                       "tcpconns"}


# They bind a name for the answers of one program, or are told by the kernel; of
# one it is the name.
ASKERS = {"connectivity", "powerdns", "procevent", "bind"}
# They hand what they are handed back to the daemon.
INSIDE = {"aggregation", "threshold"}


def test_all_that_listen_or_are_handed_values_are_known():
    """Of the plugins that are installed, by the functions that they call."""
    calls = re.compile(rb"\0(bind|listen|plugin_register_(?:write|notification"
                       rb"|log))(?=\0)")
    found = {path.stem for path in pathlib.Path(PLUGINS).glob("*.so")
             if calls.search(path.read_bytes())}
    found -= {"write_cloudwatch", "postgresql"}  # which need not write
    assert {"statsd", "network", "csv", "syslog"} < found
    assert {name for name in found
            if not quickstart_dry.effect_of(name, [])} <= ASKERS | INSIDE


def test_global_options_are_replaced(tmp_path):
    copy, _ = prepare(tmp_path, 'basedir "/var"\nPIDFile "/x"\nBaseDir "/y"\n'
                      'LoadPlugin load\n' + LOAD + BLOCK)
    assert re.findall("(?im)^(?:BaseDir|PIDFile).*", copy) == [
        'BaseDir "/run dir"', 'PIDFile "/run dir/pid"']


def test_a_plugin_folder_of_the_users_stays_in_force(tmp_path):
    copy, _ = prepare(tmp_path, 'PluginDir "/own"\nLoadPlugin load\n' + LOAD
                      + BLOCK + "LoadPlugin cpu\n")
    assert re.findall(r"(?m)^(?:PluginDir|LoadPlugin) (.*)$", copy) == [
        "logfile", '"/own"', "load", '"/run dir/plugins"', "write_cloudwatch",
        '"/own"', "cpu"]


@pytest.mark.parametrize("loads", ["", LOAD])
def test_a_snippet_gets_something_to_read(tmp_path, loads):
    copy, facts = prepare(tmp_path, "Interval 1\n" + loads + BLOCK)
    assert facts["given"] == ["memory", "tcpconns"]
    names = re.findall(r"^LoadPlugin (\S+)$", copy, re.M)
    assert names == ["logfile", "memory", "tcpconns", "write_cloudwatch"]
    # Below the Interval, which counts from there on, and above the block.
    assert copy.index("Interval 1") < copy.index("LoadPlugin memory") \
        < copy.index("LoadPlugin write_c") < copy.index("<Plugin write_c")
    assert facts["wait_s"] == 3


def test_plugins_that_are_loaded_by_their_blocks(tmp_path):
    text = ("AutoLoadPlugin true\n<Plugin load>\n  A 1\n</Plugin>\n"
            "<Plugin write_http>\n  B 1\n</Plugin>\n" + BLOCK)
    copy, facts = prepare(tmp_path, text)
    assert list(facts["left_out"]) == ["write_http"] and not facts["given"]
    assert "B 1" not in copy
    assert copy.index("/run dir/plugins") < copy.index("<Plugin write_cloudw")


@pytest.mark.parametrize("text, said", [
    ("LoadPlugin load\n", "there is no <Plugin write_cloudwatch> block: write"),
    ("", "there is no <Plugin write_cloudwatch> block: write"),
    ("LoadPlugin load\n" + BLOCK, "nothing loads the plugin"),
    ("LoadPlugin load\n" + BLOCK + LOAD,
     "user.conf, line 2: the block stands before the LoadPlugin of "),
    ("LoadPlugin load\n" + LOAD + BLOCK + "Endpoint http://x\n",
     "user.conf, line 8: "),
])
def test_what_cannot_work_is_said(tmp_path, text, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        prepare(tmp_path, text)


@pytest.mark.parametrize("lines, limit_s, wait_s, late", [
    ("LoadPlugin load\n", 90, 12.5, []),
    ("Interval 1\nLoadPlugin load\n", 90, 3, []),
    ("LoadPlugin load\nInterval 1\n", 90, 12.5, []),
    ("Interval 0x1E\nLoadPlugin load\n", 90, 37.5, []),
    ("Interval \"0X14\"\nLoadPlugin load\n", 90, 25, []),
    ("Interval 1\nLoadPlugin load\n<LoadPlugin df>\n Interval 0x1e\n"
     "</LoadPlugin>\n", 90, 37.5, []),
    *((f"Interval \"{odd}\"\nLoadPlugin load\n", 90, 12.5, []) for odd in (
        "nan", "inf", "2_0", "0x", "0xg", "-0x1E", "1e999", "", "20s")),
    ("Interval 1\nLoadPlugin load\n<LoadPlugin df>\n Interval \"20\"\n"
     "</LoadPlugin>\n", 90, 25, []),
    ("Interval 1\nLoadPlugin load\n<LoadPlugin df>\n Interval 300\n"
     "</LoadPlugin>\n", 90, 3, ["df"]),
    ("LoadPlugin snmp\n<Plugin SNMP>\n <Host \"h\">\n  Interval 40\n </Host>\n"
     "</Plugin>\n", 90, 50, []),
    ("Interval 60\nLoadPlugin load\n", 5, 5, ["load"]),
    ("Interval 1\nLoadPlugin load\n<LoadPlugin csv>\n Interval 60\n"
     "</LoadPlugin>\n", 90, 3, []),
    # Its first rate is a mean of rates.
    ("Interval 1\nLoadPlugin cpu\nLoadPlugin aggregation\n", 90, 6, []),
])
def test_how_long_it_runs(tmp_path, lines, limit_s, wait_s, late):
    _, facts = prepare(tmp_path, lines + "<LoadPlugin write_cloudwatch>\n"
                       " Interval 60\n</LoadPlugin>\n" + BLOCK, limit_s)
    assert facts["wait_s"] == wait_s
    assert list(facts["late"]) == late


def test_the_copy_may_be_read_by_its_owner_only(tmp_path):
    path = tmp_path / "user.conf"
    path.write_text(BLOCK)
    (tmp_path / "run").mkdir()
    subprocess.run([ROOT / "contrib/quickstart_dry.py", path, "--run",
                    tmp_path / "run", "--plugins", PLUGINS, "--timeout", "9"],
                   check=True, timeout=60,
                   env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    copy = tmp_path / "run/collectd.conf"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.read_text() == quickstart_dry.prepare(
        str(path), str(tmp_path / "run"), PLUGINS, 9)[0]
