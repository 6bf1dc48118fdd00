"""Nothing outlives a Chroot, however its test ends."""

import os
import pathlib
import signal
import time

import pytest

from chroot import Chroot


def inside(folder):
    """The processes of this machine that have their root in the folder."""
    found = []
    for root in pathlib.Path('/proc').glob('[0-9]*/root'):
        try:
            if root.readlink().is_relative_to(folder):
                found.append(root.parent.name)
        except OSError:
            pass  # it has ended
    return found


def fail(_):
    raise ZeroDivisionError


def kill_holder(chroot):
    os.kill(chroot._holder.pid, signal.SIGKILL)


@pytest.mark.parametrize('end', [fail, kill_holder])
def test_nothing_outlives_it(debian, end):
    # A second one of the same folder; the processes of the first have their
    # root elsewhere.
    try:
        with Chroot(debian.folder) as host:
            process = host.start('sleep', '1000')
            host.run('mount', '-t', 'tmpfs', 'tmpfs', '/mnt')
            host.run('sh', '-c', 'sleep 1000 >/dev/null 2>&1 & :')
            assert ' /mnt tmpfs' in host.run('cat', '/proc/mounts').stdout
            assert len(inside(host.folder)) >= 2
            end(host)
    except ZeroDivisionError:
        pass
    assert process.poll() is not None
    deadline = time.monotonic() + 30  # the killed one is not waited for
    while inside(debian.folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert inside(debian.folder) == []
    assert str(debian.folder) not in pathlib.Path(
        '/proc/self/mounts').read_text()
