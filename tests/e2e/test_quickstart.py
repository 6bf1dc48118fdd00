"""contrib/quickstart from a fresh clone: what it prints, what it says when
nothing arrives, and that it leaves neither processes nor files behind."""

import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import termios
import time

import cloudwatch
import pytest
from quickstart import (LIMIT_S, ROOT, clone, files, launch, leaves_nothing,
                        make_clone, processes, run, still_there, wait_for)

DATUM = re.compile(
    r"^\d\d:\d\d:\d\d  Demo  (Sockets Used|Memory Available) +\{\} +"
    r"\d+\.\d (Count|Megabytes) +signature verified$", re.MULTILINE)
BARS = r"[▁▂▃▄▅▆▇█]+(?: [▁▂▃▄▅▆▇█]+)+"


# --- what it shows ------------------------------------------------------------

def test_both_metrics_arrive_verified(tmp_path):
    clone = make_clone(tmp_path)
    assert files(clone) == set()
    status, output = run(clone)
    assert status == 0, output
    arrived = [found[1] for found in DATUM.finditer(output)]
    assert arrived.count("Sockets Used") >= 2, output
    assert arrived.count("Memory Available") >= 2, output
    assert re.search(rf"^  Sockets Used +{BARS}  [\d.]+ to [\d.]+ Count$",
                     output, re.MULTILINE), output
    assert re.search(
        rf"^  Memory Available +{BARS}  [\d.]+ to [\d.]+ Megabytes$",
        output, re.MULTILINE), output
    assert re.search(r"^\d+ data: signature verified\.$", output, re.MULTILINE)
    assert files(clone) == {"!! .quickstart/"}
    assert processes(clone) == []

    # It says what it waits for, once for each thing where there is no terminal.
    assert output.count("waiting for the first flush") == 1
    assert output.count("waiting for the second flush") == 1
    assert "\r" not in output and "\033" not in output
    assert max(len(line) for line in output.splitlines()) <= 80

    # The memory that was shown is this machine's.
    meminfo = dict(re.findall(r"^(\w+): +(\d+) kB", pathlib.Path(
        "/proc/meminfo").read_text(), re.MULTILINE))
    shown = float(re.search(r"Available +\{\} +([\d.]+)", output)[1])
    assert 0 < shown < int(meminfo["MemTotal"]) / 1024


def test_what_the_service_refuses_is_a_failure(clone, module):
    script = clone / "contrib/quickstart"
    good = script.read_text()
    bad = good.replace('"AWS_SECRET_ACCESS_KEY=$secret_key"',
                       '"AWS_SECRET_ACCESS_KEY=of-somebody-else"')
    assert bad != good
    script.write_text(bad)
    try:
        status, output = run(clone, "--module", str(module), "--timeout", "8")
    finally:
        script.write_text(good)
    assert status == 1, output
    assert "did not arrive within 8 s" in output
    assert "SignatureDoesNotMatch" in output
    assert not DATUM.search(output)


def test_a_daemon_that_dies_is_said_with_its_log(clone, module):
    script = clone / "contrib/quickstart"
    good = script.read_text()
    bad = good.replace('Unit "Megabytes"', 'Unit "MegaBytes"')
    assert bad != good
    script.write_text(bad)
    try:
        status, output = run(clone, "--module", str(module))
    finally:
        script.write_text(good)
    assert status == 1, output
    assert "collectd ended by itself" in output
    assert "The end of .quickstart/run/collectd.log:" in output
    assert "MegaBytes" in output


def test_a_build_that_fails_is_said_with_its_log(clone):
    source = clone / "src/base/err.c"
    good = source.read_bytes()
    source.write_bytes(good + b"\n#error on purpose\n")
    try:
        status, output = run(clone)
    finally:
        source.write_bytes(good)
    assert status == 1, output
    assert "the build failed" in output
    assert "on purpose" in output
    assert ".quickstart/build.log" in output


def test_the_readme_shows_the_same_configuration():
    readme = (ROOT / "README").read_text()
    assert max(len(line) for line in readme.splitlines()) <= 80
    start = readme.index('      <Metric "Sockets Used">')
    blocks = readme[start:readme.index("    </Plugin>", start)]
    blocks = "".join(line[4:] for line in blocks.splitlines(keepends=True))
    assert blocks.count("<Metric ") == 2
    assert blocks in (ROOT / "contrib/quickstart").read_text()


# --- packages -----------------------------------------------------------------

def fake(folder, name, script):
    path = folder / name
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)


def test_a_package_that_cannot_be_installed(clone, tmp_path):
    """Asks for what is missing only, removes nothing, shows the log."""
    fake(tmp_path, "dpkg-query",
         'case $* in *libyajl-dev*) exit 1 ;; esac; echo installed')
    fake(tmp_path, "apt-get", 'echo "apt-get $*"; [ "$2" = update ]')
    status, output = run(clone, environment={
        "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert status == 1, output
    assert output.startswith("installing libyajl-dev\n")
    assert "| apt-get -q update\n" in output
    assert ("| apt-get -q -y --no-install-recommends --no-remove install "
            "libyajl-dev\n") in output
    assert "Install them by hand" in output


def test_a_distribution_that_is_not_known(clone, tmp_path):
    for tool in ("bash", "dirname", "flock", "id", "mkdir", "rm"):
        (tmp_path / tool).symlink_to(shutil.which(tool))
    status, output = run(clone, environment={"PATH": str(tmp_path)})
    assert status == 1, output
    assert "this distribution is not supported" in output


# --- another service, the default credentials ---------------------------------

def test_an_endpoint_of_ones_own(clone, module):
    with cloudwatch.Service(credentials={"AKIDOTHER": ("hidden", None)},
                            region="eu-west-1") as service:
        status, output = run(
            clone, "--module", str(module),
            "--endpoint", service.url, "--region", "eu-west-1",
            environment={"AWS_ACCESS_KEY_ID": "AKIDOTHER",
                         "AWS_SECRET_ACCESS_KEY": "hidden"})
        names = {datum["MetricName"] for datum in service.datums}
    assert status == 0, output
    assert names == {"Sockets Used", "Memory Available"}
    assert re.search(r"  Memory Available  \{\}  +[\d.]+ Megabytes  "
                     r"accepted by the service$", output, re.MULTILINE), output
    assert "verified" not in output
    assert "hidden" not in output


# --- interrupted --------------------------------------------------------------

def test_interrupted_on_a_terminal(clone, module):
    """Ctrl-C while it waits, after its progress line was rewritten in place."""
    parent, child = pty.openpty()
    process = launch(
        clone, "--module", str(module), "--keep", stdout=child, stderr=child,
        preexec_fn=lambda: fcntl.ioctl(child, termios.TIOCSCTTY, 0))
    os.close(child)
    output = b""
    interrupted = False
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        if not select.select([parent], [], [], 1)[0]:
            continue
        try:
            output += os.read(parent, 4096)
        except OSError:  # the terminal is closed: all have ended
            break
        if not interrupted and b"running until interrupted" in output:
            os.write(parent, b"\x03")
            interrupted = True
    os.close(parent)
    text = output.decode()
    assert process.wait(30) == 0, text  # the ordinary end of --keep
    assert re.search(r"\r\033\[Kwaiting for the first flush, \d+ s, 0 data "
                     r"so far \.\.\.\r\033\[K", text), text
    assert re.search(rf"  Sockets Used +{BARS}", text), text


@pytest.mark.parametrize("number, status", [
    (signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_ended_while_data_flow(clone, module, tmp_path, number, status):
    path = tmp_path / "output"
    with open(path, "wb") as output:
        process = launch(clone, "--module", str(module),
                         stdout=output, stderr=output)
    wait_for(path, "waiting for the second flush", process)
    assert len(processes(clone)) >= 4  # itself, service, daemon, display
    process.send_signal(number)
    assert process.wait(30) == status


@pytest.mark.parametrize("number, status", [
    (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_ended_while_building(clone, tmp_path, number, status):
    path = tmp_path / "output"
    with open(path, "wb") as output:
        process = launch(clone, stdout=output, stderr=output)
    wait_for(path, "building: make", process)
    time.sleep(0.5)  # compilers are at work
    process.send_signal(number)
    assert process.wait(30) == status
    assert still_there(clone, 2) == []


# --- wrong use ----------------------------------------------------------------

@pytest.mark.parametrize("arguments, said", [
    (["--bogus"], "there is no option --bogus"),
    (["--region"], "--region needs a value"),
    (["--timeout", "soon"], "--timeout soon is not a number of seconds"),
    (["--region", 'a"b'], "holds no quotes"),
    (["--module", "/nonexistent"], "there is no file /nonexistent"),
])
def test_wrong_options_are_refused(clone, arguments, said):
    status, output = run(clone, *arguments)
    assert status == 1
    assert said in output


def test_needs_root(clone):
    result = subprocess.run(
        ["setpriv", "--reuid", "65534", "--clear-groups", "bash", "-s"],
        input=(clone / "contrib/quickstart").read_text(), cwd="/",
        capture_output=True, text=True, timeout=30)
    assert result.returncode == 1
    assert "sudo contrib/quickstart" in result.stderr
