"""quickstart: a clone of the tree, and contrib/quickstart in it.

    from quickstart import clone, leaves_nothing, run

    def test(clone, module):
        status, output = run(clone, '--module', str(module))

The fixture leaves_nothing looks after each test of a module that imports it.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIMIT_S = 180


def git(folder, *arguments):
    return subprocess.run(
        ["git", "-c", "user.name=test", "-c", "user.email=test@localhost",
         "-c", "init.defaultBranch=main", "-C", str(folder), *arguments],
        capture_output=True, text=True, check=True, timeout=60).stdout


def make_clone(folder):
    """What a newcomer has: the files of the tree, and nothing built."""
    origin = folder / "origin"
    shutil.copytree(ROOT, origin, symlinks=True, ignore=shutil.ignore_patterns(
        ".git", ".build", ".quickstart", "sanitize-*"))
    git(origin, "init", "-q")
    git(origin, "add", "-A")
    git(origin, "commit", "-q", "-m", "all")
    git(folder, "clone", "-q", str(origin), "clone")
    shutil.rmtree(origin)
    return folder / "clone"


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """One for all tests of a worker; only some of them build in it."""
    return make_clone(tmp_path_factory.mktemp("quickstart"))


@pytest.fixture(autouse=True)
def leaves_nothing(clone):
    """No process, and nothing outside the ignored folder."""
    assert os.getuid() == 0, "the quickstart installs packages: run as root"
    before = files(clone)
    yield
    # A daemon whose service went first may take its ShutdownTimeout.
    left = still_there(clone, 10)
    for line in left:
        os.kill(int(line.split()[0]), signal.SIGKILL)
    assert left == []
    assert files(clone) - before <= {"!! .quickstart/"}


def files(clone):
    """What git sees beside the tree, ignored or not."""
    status = git(clone, "status", "--porcelain", "--ignored")
    return set(status.splitlines())


def processes(folder):
    """Those that were started from, work in or run files of the folder."""
    mark = str(folder)
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace")
            where = os.readlink(entry / "cwd"), os.readlink(entry / "exe")
        except OSError:  # it has ended, or is a kernel thread
            continue
        if any(mark in text for text in (words, *where)):
            found.append(f"{entry.name} {words}")
    return found


def still_there(folder, seconds):
    """The processes that do not end within that time."""
    end = time.monotonic() + seconds
    while processes(folder) and time.monotonic() < end:
        time.sleep(0.1)
    return processes(folder)


def launch(clone, *arguments, environment=None, cwd="/", wrapper=(),
           **options):
    return subprocess.Popen(
        [*wrapper, str(clone / "contrib/quickstart"), *arguments],
        stdin=subprocess.DEVNULL, cwd=cwd, start_new_session=True,
        env={"PATH": os.environ["PATH"], "HOME": str(clone / "none"),
             **(environment or {})}, **options)


def run(clone, *arguments, **how):
    """Status and output."""
    process = launch(clone, *arguments, stdout=subprocess.PIPE,
                     stderr=subprocess.STDOUT, **how)
    try:
        output, _ = process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
        pytest.fail(f"not done within {LIMIT_S} s\n{output.decode()}")
    return process.returncode, output.decode()


def wait_for(path, pattern, process, timeout=LIMIT_S):
    """Waits until the file holds a match."""
    end = time.monotonic() + timeout
    while True:
        text = path.read_text() if path.exists() else ""
        if re.search(pattern, text):
            return
        assert process.poll() is None, f"ended by itself\n{text}"
        assert time.monotonic() < end, f"no /{pattern}/\n{text}"
        time.sleep(0.05)
