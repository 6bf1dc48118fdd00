"""The fleet's tests use the loopback service and the judges of tests/e2e.

builddir  the folder that make ran in, as there
"""

import fcntl
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'e2e'))

from chroot import Chroot, make_base  # noqa: E402

SHARED = 'FLEET_FOLDER'  # of all workers of a run


def pytest_configure(config):
    if not hasattr(config, 'workerinput'):
        os.environ[SHARED] = tempfile.mkdtemp(prefix='fleet-')


def pytest_unconfigure(config):
    if not hasattr(config, 'workerinput'):
        shutil.rmtree(os.environ.pop(SHARED), ignore_errors=True)


def once(name, make):
    """The folder that make(folder) made for all workers, the first time."""
    folder = pathlib.Path(os.environ[SHARED], name)
    with open(f'{folder}.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            new = folder.with_suffix('.new')
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir()
            make(new)
            new.rename(folder)
    return folder


def make_deb(folder):
    """What `make deb` leaves in the build folder; the unit tests, which it
    would run, have a phase of their own."""
    build = pathlib.Path(os.environ['builddir'])
    done = subprocess.run(
        ['make', '-C', build, 'deb'], text=True, timeout=900,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, 'DEB_BUILD_OPTIONS': 'nocheck parallel=2'})
    assert done.returncode == 0, done.stdout[-4000:]
    for file in (build / 'deb').iterdir():
        if file.is_file():
            shutil.copy(file, folder)


@pytest.fixture(scope='session')
def deb():
    """The package, a .deb file; the others of its build are beside it."""
    folder = once('deb', make_deb)
    package, = folder.glob('collectd-plugin-write-cloudwatch_*.deb')
    return package


@pytest.fixture
def debian(tmp_path):
    """A Chroot: a bare Debian 12 that nobody else uses."""
    base = once('base', make_base)
    folder = tmp_path / 'debian'
    subprocess.run(['cp', '-a', base, folder], check=True, timeout=300)
    try:
        with Chroot(folder) as chroot:
            yield chroot
    finally:  # should a mount be there after all, it stays whole
        subprocess.run(['rm', '-rf', '--one-file-system', folder], check=True,
                       timeout=300)
