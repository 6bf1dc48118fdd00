"""contrib/quickstart --config with the daemon: what it says of a user's own
configuration, and that it changes nothing outside."""

import json
import pathlib
import re
import signal
import socket
import subprocess
import tempfile

import cloudwatch
import pytest
from daemon import Daemon
from quickstart import (ROOT, clone, launch, leaves_nothing, run, still_there,
                        wait_for)

STOCK = pathlib.Path("/usr/share/doc/collectd-core/examples/collectd.conf")
# No reader is left out, and no name is looked up.
READS = "Interval 1\nFQDNLookup false\nHostname \"h\"\nLoadPlugin memory\n"
LOAD = "<LoadPlugin write_cloudwatch>\n  Interval 60\n</LoadPlugin>\n"
FREE = ('<Metric "Free">\n  Plugin "memory"\n  TypeInstance "free"\n'
        '  Unit "Bytes"\n</Metric>\n')


def block(*lines):
    return "\n".join(("<Plugin write_cloudwatch>", *lines, "</Plugin>", ""))


@pytest.fixture
def user(tmp_path):
    """A folder of the user's with a configuration; nothing in it may change."""
    class User:
        folder = tmp_path / "user"
        path = folder / "collectd.conf"

        def write(self, text, name="collectd.conf"):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            self.before = state(self.folder)
            return path

    one = User()
    yield one
    assert state(one.folder) == one.before


def state(folder):
    """{path: what a change would change}."""
    return {path: (path.lstat().st_mode, path.lstat().st_mtime_ns,
                   path.read_bytes() if path.is_file() else b"")
            for path in [folder, *folder.rglob("*")]}


def dry(clone, module, path, *arguments, **how):
    return run(clone, "--module", str(module), "--config", str(path),
               *arguments, **how)


def plain(output):
    """Without the breaks of paragraphs."""
    return re.sub(r"\s+", " ", output)


# --- what it says -------------------------------------------------------------

def test_debians_configuration_with_the_example(clone, module, user):
    """As Debian's package has it, and the example dropped where it belongs."""
    stock = STOCK.read_text()
    assert stock.count("/etc/collectd/collectd.conf.d") == 1
    stock = stock.replace("FQDNLookup true", "FQDNLookup false\nInterval 1")
    user.write((ROOT / "collectd.conf.d/write_cloudwatch.conf").read_text(),
               "collectd.conf.d/10-cw.conf")
    user.write("Endpoint http://x\n", "collectd.conf.d/wrong.conf")
    user.write("<Wrong", "collectd.conf.d/wrong.conf.off")
    user.write(stock.replace("/etc/collectd", str(user.folder)))
    status, output = dry(clone, module, user.path)
    assert status == 0, output
    assert f"{user.path}, 2 files in all" in output
    assert re.search(r"^2 metrics of at most 1,000 \(MaxMetrics\), a flush "
                     r"each 60 seconds$", output, re.M), output
    assert re.search(r"^  MyApp  Memory Available  \{\}  +[\d.]+ Megabytes$",
                     output, re.M), output
    assert re.search(r"^  MyApp  Sockets Used +\{\}  +[\d.]+ Count$", output,
                     re.M), output
    said = plain(output)
    assert "not run: syslog (this run has a log of its own)" in said
    assert "not run: rrdtool (it writes to another place)" in said
    assert f"{user.folder}/collectd.conf.d/wrong.conf, line 1: " in said
    assert "wrong.conf.off" not in said
    assert re.search(r"Not selected: \d+ identifiers of \d+\.", said)
    assert re.search(r"/memory/memory-used nearest is <Metric \"Memory "
                     r"Available\">: TypeInstance \S+ .*\"used\"", said), output
    assert "2 metrics and 43,200 requests, about 0.60 + 0.43 = 1.03 USD" in said
    assert output.endswith(
        "\nThis configuration is good: it would publish 2 metrics.\n")


def test_a_snippet_alone(clone, module, user):
    """As README has it, though with Interval 1."""
    readme = (ROOT / "README").read_text()
    start = readme.index("    <Plugin write_cloudwatch>\n      Namespace \"MyApp")
    text = readme[start:readme.index("    </Plugin>\n", start)] + "    </Plugin>\n"
    user.write("Interval 1\n" + text)
    status, output = dry(clone, module, "collectd.conf", cwd=user.folder)
    assert status == 0, output
    assert "this run added memory and tcpconns" in plain(output)
    assert "2 metrics of at most 1,000" in output
    assert output.endswith("it would publish 2 metrics.\n")
    assert max(len(line) for line in output.splitlines()
               if str(user.folder) not in line) <= 80


def test_two_nodes(clone, module, user):
    """Each with its own figures; LogPublished and dimensions are obeyed."""
    user.write(LOAD, "d/load.conf")
    user.write(READS + 'Include "d/l*.conf"\n' + block(
        FREE, '<Node "one">', 'Region "eu-west-1"',
        'Dimension "Host" "%{host}"', "MaxMetrics 7", "</Node>",
        '<Node "all">', 'Region "us-east-1"', "FlushInterval 10",
        '<Metric "memory.%{type_instance}">', 'Plugin "memory"', "</Metric>",
        "</Node>"))
    status, output = dry(clone, module, user.path, cwd=user.folder)
    assert status == 0, output
    all_, one = output.index('Node "all": '), output.index('Node "one": ')
    assert all_ < one
    assert '\nNode "one": 1 metric of at most 7 (MaxMetrics)' in output
    assert re.search(r"^  collectd  Free  \{Host=h\}  \S+ Bytes$",
                     output[one:], re.M), output
    total = int(re.search(r'Node "all": (\d+) metrics', output)[1])
    assert total >= 4
    assert f"would publish {total + 1} metrics." in output
    said = plain(output)
    assert "1 metric and 43,200 requests, about 0.30 + 0.43 = 0.73 USD" in said
    assert f"{total} metrics and 259,200 requests" in said


def test_a_mistake(clone, module, user):
    user.write(READS + LOAD + block(FREE.replace('"Bytes"', '"bytes"')))
    status, output = dry(clone, module, user.path)
    assert status == 1, output
    assert re.search(r'^  error: <Metric "Free">: .*Unit.*bytes', output, re.M), \
        output
    assert output.endswith("\ncollectd does not run with this configuration; "
                           "its messages above say why.\n")
    assert "metrics of at most" not in output


def test_a_region_without_quotes(clone, module, user):
    """Of which collectd prints what it skips into its log."""
    user.write(READS + LOAD + block(FREE, "Region us-east-1"))
    status, output = dry(clone, module, user.path)
    assert status == 1, output
    said = plain(output)
    assert "put it in quotes: Region \"us-east-1\"" in said, output
    assert "successfully loaded" not in said


def test_a_plugin_that_is_not_there(clone, module, user):
    user.write(READS + "LoadPlugin nosuch\n" + LOAD + block(FREE))
    status, output = dry(clone, module, user.path)
    assert status == 1, output
    assert 'Could not find plugin "nosuch"' in plain(output)
    assert "does not run with this configuration" in output


def test_a_file_that_does_not_parse(clone, module, user):
    user.write(READS + LOAD + block(FREE, "Endpoint http://x"))
    status, output = dry(clone, module, user.path)
    assert status == 1, output
    assert f'{user.path}, line 15: "/" cannot stand there' in output
    assert "needs quotes" in output


def test_nothing_is_selected(clone, module, user):
    user.write(READS + LOAD + block(FREE.replace('"free"', '"fre"')))
    status, output = dry(clone, module, user.path)
    assert status == 1, output
    assert "\n0 metrics of at most" in output
    assert re.search(r'h/memory/memory-free nearest is <Metric "Free">: '
                     r'TypeInstance "fre" .*"free"', plain(output)), output
    assert "Nothing would be published: no <Metric> selects" in output


def test_one_of_two_nodes_gets_nothing(clone, module, user):
    user.write(READS + LOAD + block(
        '<Node "good">', FREE, "</Node>", '<Node "empty">',
        FREE.replace('"free"', '"fre"'), "</Node>"))
    status, output = dry(clone, module, user.path)
    assert status == 1, output
    assert output.endswith(
        'Nothing would be published to the node "empty".\n'), output


def test_warnings_and_values_without_data_are_said(clone, module, user):
    user.write(READS + LOAD + block(
        "MaxMetrics 2", '<Metric "%{type_instance}">', 'Plugin "memory"',
        "Scale 2", "</Metric>"))
    status, output = dry(clone, module, user.path)
    assert status == 0, output
    said = plain(output)
    assert re.search(r"write_cloudwatch says: (.* )?warning: .*Scale", said)
    assert re.search(r"Values that did not count: .*beyond MaxMetrics: [1-9]",
                     said), output
    assert "2 metrics of at most 2" in said


# --- what it leaves alone -----------------------------------------------------

EFFECTS = '''
BaseDir "{0}/base"
PIDFile "{0}/collectd.pid"
LoadPlugin csv
<Plugin csv>
  DataDir "{0}/csv"
</Plugin>
LoadPlugin rrdtool
<Plugin rrdtool>
  DataDir "{0}/rrd"
</Plugin>
LoadPlugin logfile
<Plugin logfile>
  File "{0}/collectd.log"
</Plugin>
LoadPlugin unixsock
<Plugin unixsock>
  SocketFile "{0}/socket"
  DeleteSocket true
</Plugin>
LoadPlugin exec
<Plugin exec>
  Exec "nobody" "/bin/touch" "{0}/touched"
</Plugin>
LoadPlugin write_http
<Plugin write_http>
  <Node "n">
    URL "{1}"
  </Node>
</Plugin>
LoadPlugin network
<Plugin network>
  Server "127.0.0.1" "{2}"
</Plugin>
'''


def test_nothing_is_sent_or_written(clone, module, user):
    """Whatever the configuration writes to is here, and stays as it is."""
    with cloudwatch.Service(credentials={"AKID": ("secret", None)},
                            region="eu-west-1") as service, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(("127.0.0.1", 0))
        datagrams.setblocking(False)
        user.write(READS + EFFECTS.format(
            user.folder, service.url, datagrams.getsockname()[1]) + LOAD
            + block(FREE, f'Endpoint "{service.url}"', 'Region "eu-west-1"',
                    'AccessKeyId "AKID"', 'SecretAccessKey "secret"',
                    "FlushInterval 1", f'SpoolDirectory "{user.folder}/spool"',
                    f'StatusFile "{user.folder}/status"', "DryRun false"))
        status, output = dry(clone, module, user.path)
        assert service.requests == []
        with pytest.raises(BlockingIOError):
            datagrams.recv(1)
    assert status == 0, output
    assert "secret" not in output and "AKID" not in output
    assert "it would publish 1 metric." in output
    assert "not obeyed, as it writes: DryRun, SpoolDirectory, StatusFile" in output
    assert "exec (it runs code that may do anything; values of it are not " \
        "seen)" in plain(output)
    # And the service, which would have seen it, was told right.
    copy = (clone / ".quickstart/run/collectd.conf").read_text()
    assert service.url in copy and "csv" not in copy


def test_needs_no_network(clone, module, user):
    """Where there is none, not even loopback; the plugin asks nobody."""
    user.write(READS + LOAD + block(
        FREE, '<Metric "Other">', 'Plugin "memory"', 'TypeInstance "used"',
        'Dimension "Id" "%{ec2:instance_id}"', "</Metric>"))
    status, output = dry(clone, module, user.path,
                         wrapper=("unshare", "--net"))
    assert status == 0, output
    assert re.search(r"^  collectd  Free  \{\}  ", output, re.M), output
    assert "and 1 more without data in this run; some wait for %{ec2:...}" in \
        plain(output), output


def test_a_collectd_that_runs_meanwhile_goes_on(clone, module, user, tmp_path):
    with Daemon(tmp_path / "daemon", "", load_options=None) as daemon:
        with open(daemon.config_path) as file:
            user.write(file.read() + "LoadPlugin memory\n" + LOAD + block(FREE))
        status, output = dry(clone, module, user.path)
        assert status == 0, output
        daemon.putval("h/test/gauge", "N:1")  # its socket is still its own
        assert daemon.command("LISTVAL")
    assert daemon.status == 0


def test_a_plugin_that_is_asked_for(clone, module, user):
    """exec is run when its user says so, and its values are seen."""
    with tempfile.TemporaryDirectory() as folder:  # who runs it gets there
        script = pathlib.Path(folder, "script")
        script.write_text("#!/bin/sh\nwhile :; do\n  echo PUTVAL "
                          '"h/mine/gauge" interval=1 N:7\n  sleep 1\ndone\n')
        for path in (script, script.parent):
            path.chmod(0o755)
        reads = READS + (f'LoadPlugin exec\n<Plugin exec>\n  Exec "nobody" '
                         f'"{script}"\n</Plugin>\n')
        mine = LOAD + block('<Metric "Mine">', 'Plugin "mine"', "</Metric>")
        user.write(reads + mine)
        status, output = dry(clone, module, user.path)
        assert status == 1 and "exec (it runs code" in plain(output), output
        for interval in (1, 10, 60):  # a slow machine starts it late
            user.write(reads.replace("Interval 1", f"Interval {interval}") + mine)
            status, output = dry(clone, module, user.path, "--with-plugin",
                                 "exec")
            if status == 0:
                break
    assert re.search(r"^  collectd  Mine  \{\}  7 None$", output, re.M), output
    assert "not run" not in output


@pytest.mark.parametrize("number, status", [
    (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_ended_while_it_runs(clone, module, user, tmp_path, number, status):
    user.write("Interval 60\n" + READS.split("\n", 1)[1] + LOAD + block(FREE))
    path = tmp_path / "output"
    with open(path, "wb") as output:
        process = launch(clone, "--module", str(module), "--config",
                         str(user.path), stdout=output, stderr=output)
    wait_for(path, "two readings take 75 s", process)
    process.send_signal(number)
    assert process.wait(30) == status
    assert still_there(clone, 10) == []


# --- wrong use ----------------------------------------------------------------

@pytest.mark.parametrize("arguments, said", [
    (["--config", "/none/such"], "there is no file /none/such"),
    (["--config", "/etc"], "there is no file /etc"),
    (["--config", "/dev/null", "--region", "x"], "with --config nothing is sent"),
    (["--config", "/dev/null", "--keep"], "with --config nothing is sent"),
    (["--with-plugin", "exec"], "--with-plugin needs --config"),
])
def test_wrong_options_are_refused(clone, arguments, said):
    status, output = run(clone, *arguments)
    assert status == 1
    assert said in output


def test_every_reason_has_words():
    """Of the schema, in the summary."""
    schema = json.loads((ROOT / "contrib/status.schema.json").read_text())
    reasons = schema["properties"]["counters"]["properties"]["left_out"]
    text = subprocess.run(
        ["/usr/bin/python3", "-B", "-c", "import sys, json; sys.path.append("
         f"{str(ROOT / 'contrib')!r}); import quickstart_summary as s; "
         "print(json.dumps(sorted(s.LEFT_OUT)))"],
        capture_output=True, check=True, timeout=60).stdout
    assert json.loads(text) == sorted(reasons["required"])
