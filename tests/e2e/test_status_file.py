"""How the status file is written: whole, by whom, how often, and what is said
when it cannot be.  What is in it: test_status.py."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading
import time

import pytest

import mounts
from scene import MINUTE, Scene, config, publish
from status_watch import SCHEMA
from times import FastClock

START = 1_800_000_000
FULL_DISK = ('mount -t tmpfs -o size=256k,mode=0755 tmpfs "$1" && '
             '{ head -c 1m /dev/zero >"$1/ballast" 2>/dev/null || :; }')
SAID = r'\[warning\] .*the status file cannot be written: '
AGAIN = r'\[notice\] .*the status file .* is written again'


@pytest.fixture
def fast(tmp_path):
    with Scene(tmp_path, clock=FastClock(START, 20)) as one:
        yield one


def read(path):
    return json.loads(path.read_text())


# ---- where it cannot be written ---------------------------------------------

class Trouble:
    """Why it cannot be written: how that comes, what is said, how it ends."""

    how = {}

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / 'status.json'

    def seen(self, daemon):
        """The path by which we get to the file."""
        return self.path


class NoFolder(Trouble):
    says = r'cannot write to .*/none \(No such file or directory\): make it'

    def begin(self):
        self.path = self.folder / 'none' / 'status.json'

    def end(self, daemon):
        self.path.parent.mkdir()


class NoPermission(Trouble):
    says = (r'cannot write to {folder} \(Permission denied\): it belongs to '
            r'user root \(0\) with mode 0755, and collectd runs as user nobody '
            r'\(\d+\); the folder should belong to the user that collectd runs')
    how = {'user': 'nobody'}

    def begin(self):
        self.folder.chmod(0o755)

    def end(self, daemon):
        shutil.chown(self.folder, 'nobody')


class NotOurFile(NoPermission):
    """One of root's, that nobody may replace."""

    def begin(self):
        super().begin()
        self.path.write_text('{}')


class NoWayThere(Trouble):
    says = (r'cannot write to {folder} \(Permission denied\): collectd runs as '
            r'user nobody \(\d+\), who may not enter a folder above it')
    how = {'user': 'nobody'}

    def begin(self):
        self.above = self.folder
        self.above.chmod(0o700)
        self.folder = self.above / 'inner'
        self.folder.mkdir()
        shutil.chown(self.folder, 'nobody')
        self.path = self.folder / 'status.json'

    def end(self, daemon):
        self.above.chmod(0o711)


class AFolder(Trouble):
    says = (r'cannot write to {folder}/status.json \(Is a directory\): it must '
            r'be a file, not a folder')

    def begin(self):
        self.path.mkdir()

    def end(self, daemon):
        self.path.rmdir()


class UnderAFile(Trouble):
    says = r'cannot write to {folder} \(Not a directory\): it must be a folder'

    def begin(self):
        self.folder = self.folder / 'file'
        self.folder.write_text('')
        self.path = self.folder / 'status.json'

    def end(self, daemon):
        self.folder.unlink()
        self.folder.mkdir()


class ReadOnly(Trouble):
    says = (r'cannot write to {folder} \(Read-only file system\): have it '
            'mounted for writing')

    def begin(self):
        self.how = {'wrapper': mounts.wrapper(mounts.READ_ONLY, self.folder)}

    def end(self, daemon):
        mounts.run(daemon, 'mount', '-o', 'remount,rw,bind', self.folder)


class FullDisk(Trouble):
    says = (r'cannot write to {folder} \(No space left on device\): make room '
            'there')

    def begin(self):
        self.how = {'wrapper': mounts.wrapper(FULL_DISK, self.folder)}

    def end(self, daemon):
        assert os.listdir(self.seen(daemon).parent) == ['ballast']
        (self.seen(daemon).parent / 'ballast').unlink()

    def seen(self, daemon):
        return mounts.seen_by(daemon, self.path)


@pytest.fixture
def place():
    """A folder that others can get to.  To be named before the scene, whose
    daemons write there until they end."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix='status-'))
    yield folder
    shutil.rmtree(folder)


def kinds(base=Trouble):
    return [kind for one in base.__subclasses__()
            for kind in (one, *kinds(one))]


@pytest.mark.parametrize('kind', kinds())
def test_it_cannot_be_written(place, scene, kind):
    """That is said once, and when it is over; data are published meanwhile."""
    service, trouble = scene.service(), kind(place)
    trouble.begin()
    daemon = scene.start(config(service, StatusFile=str(trouble.path)),
                         **trouble.how)
    says = trouble.says.replace('{folder}', str(trouble.folder))
    daemon.wait_for(SAID + says)
    for i in range(3):
        publish(daemon, at=MINUTE + 60 * i, load=i)
        service.wait_datums(i + 1, 20)
        time.sleep(1.1)  # it is tried once a second
    assert daemon.log.count('the status file') == 1

    trouble.end(daemon)
    publish(daemon, at=MINUTE + 300, load=3)
    daemon.wait_for(AGAIN)
    path = trouble.seen(daemon)
    assert read(path)['counters']['accepted'] in (3, 4)
    assert path.stat().st_mode & 0o777 == 0o644
    assert daemon.log.count('the status file') == 2
    daemon.stop()  # before its folder goes


# ---- what stands in its place -----------------------------------------------

def test_a_link_in_its_place(scene):
    """Who can write to the folder cannot have another file written to."""
    service, path = scene.service(), scene.folder / 'status.json'
    other = scene.folder / 'other'
    other.write_text('untouched')
    path.symlink_to(other)
    path.with_name('.status.json.new').symlink_to(other)
    daemon = scene.start(config(service, StatusFile=str(path)))
    publish(daemon, load=1)
    scene.status.wait(daemon, lambda version: version['last_accepted'])
    assert other.read_text() == 'untouched'
    assert not path.is_symlink() and read(path)['plugin'] == 'write_cloudwatch'


def test_leavings(scene):
    """What a life that was killed left, the file and half of the next."""
    service, path = scene.service(), scene.folder / 'status.json'
    path.write_text('{"schema": 1')
    path.with_name('.status.json.new').write_text('{"sche')
    daemon = scene.start(config(service, StatusFile=str(path)))
    publish(daemon, load=1)
    service.wait_datums(1, 10)
    daemon.stop()
    assert read(path)['stopped']
    assert not path.with_name('.status.json.new').exists()


# ---- how --------------------------------------------------------------------

def test_all_may_read_it(scene):
    service = scene.service()
    daemon = scene.start(config(service), wrapper=(
        'sh', '-c', 'umask 077; exec "$@"', 'sh'))
    scene.status.wait(daemon, lambda version: True)
    path = daemon.folder / 'status.json'
    assert path.stat().st_mode & 0o7777 == 0o644
    done = subprocess.run(
        ['setpriv', '--reuid=nobody', '--regid=65534', '--clear-groups',
         'cat', '/dev/stdin'], stdin=path.open(), capture_output=True,
        check=True, timeout=10)
    assert json.loads(done.stdout)['schema'] == 1


class Reader(threading.Thread):
    """Reads a file as fast as it can, until stop()."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path = path
        self.stamps = set()  # of the versions that it saw
        self.faults = []
        self.n = 0
        self._over = threading.Event()
        self.start()

    def run(self):
        while not self._over.is_set():
            try:
                with self.path.open('rb') as file:
                    text = file.read()
                    st = os.fstat(file.fileno())
            except FileNotFoundError:
                if self.stamps:
                    self.faults.append('it was not there')
                continue
            self.stamps.add((st.st_ino, st.st_mtime_ns))
            self.n += 1
            if not text.endswith(b']}\n'):
                self.faults.append(text[-80:])

    def stop(self):
        self._over.set()
        self.join()


def test_never_a_part(fast):
    """A file of some 400 KB that is replaced some twenty times a second."""
    service = fast.service(skew_s=1e6)
    daemon = fast.start(config(service, **FastClock.LONG))
    path = daemon.folder / 'status.json'
    for i in range(1000):
        daemon.putval(f'host/test/gauge-m{i:04}', f'{START - 3600}:{i}')
    daemon.flush()
    fast.status.wait(daemon, lambda version: len(version['series']) == 1000)
    reader = Reader(path)
    for i in range(60):
        publish(daemon, at=START - 3000 + 60 * i, m0001=i)
        time.sleep(0.05)
    reader.stop()
    assert not reader.faults
    assert len(reader.stamps) >= 10 and reader.n > 2 * len(reader.stamps)


def test_once_a_second(scene):
    """However much happens; and what was put off comes, although nothing
    happens any more."""
    begin = time.monotonic()
    service = scene.service()
    daemon = scene.start(config(service))
    reader = Reader(daemon.folder / 'status.json')
    for i in range(60):
        publish(daemon, at=MINUTE - 60 * i, load=i)
        time.sleep(0.03)
    service.wait_datums(60, 20)
    seen = scene.status.wait(
        daemon, lambda version: version['counters']['accepted'] == 60)
    reader.stop()
    passed_s = time.monotonic() - begin
    assert len(reader.stamps) <= passed_s + 1
    assert seen['counters']['requests'] > 2 * len(reader.stamps)


def test_bytes_that_are_no_text(scene):
    """An identifier may have any, the file is UTF-8 all the same."""
    service = scene.service()
    daemon = scene.start(config(service))
    daemon.putval('host/test/gauge-K\udcf6ln', f'{MINUTE}:1')
    daemon.putval('host/other/gauge-\udcff\x01"\\', f'{MINUTE}:1')
    daemon.putval('host/other/gauge-Köln', f'{MINUTE}:1')
    publish(daemon, load=1)
    seen = scene.status.wait(
        daemon, lambda version: version['counters']['accepted'] == 2)
    assert 'host/test/gauge-K?ln' in [
        one['identifier'] for one in seen['series']]
    unselected = [one['identifier'] for one in seen['unselected']]
    assert 'host/other/gauge-?\x01"\\' in unselected
    assert 'host/other/gauge-Köln' in unselected


# ---- the schema -------------------------------------------------------------

def members(schema, root):
    """{path: names} of all objects that a schema tells of."""
    if '$ref' in schema:
        schema = root['definitions'][schema['$ref'].rsplit('/', 1)[1]]
    found = {'': set(schema['properties'])} if 'properties' in schema else {}
    for name, inner in schema.get('properties', {}).items():
        found |= {f'/{name}{path}': names
                  for path, names in members(inner, root).items()}
    for inner in [*schema.get('oneOf', ()), *filter(None, [
            schema.get('items')])]:
        found |= members(inner, root)
    return found


def given(value):
    """Likewise of a version of the file."""
    found = {}
    if isinstance(value, list):
        for inner in value:
            found |= given(inner)
    elif isinstance(value, dict):
        found[''] = set(value)
        for name, inner in value.items():
            found |= {f'/{name}{path}': names
                      for path, names in given(inner).items()}
    return found


def test_nothing_that_the_schema_does_not_tell(scene):
    """A member more would be valid; here there is none."""
    service = scene.service()
    service.pause()
    daemon = scene.start(config(service, SpoolDirectory=str(
        scene.folder / 'spool')))
    publish(daemon, load=1)
    scene.status.wait(daemon, lambda version: version['troubles'])
    service.resume()
    service.wait_datums(1, 20)
    root = json.loads(SCHEMA.read_text())
    told = members(root, root)
    told['/counters/left_out'] = set(root['properties']['counters'][
        'properties']['left_out']['required'])
    shown = {}
    for version in scene.status.versions(daemon):
        shown |= given(version)
    shown.pop('/series/dimensions')
    assert shown == told
