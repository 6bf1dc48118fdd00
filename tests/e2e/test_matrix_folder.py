"""The fault matrix: a spool that cannot be used, and files that cannot be read.
It is said once, with what to do; what waits is in memory meanwhile; and the
folder is used as soon as it can be.  See matrix.py; scaled time, as a folder is
tried again after ten seconds."""

import os
import re

import pytest

import faults
import mounts
from matrix import Ledger, ours, stored
from scene import Scene
from test_matrix_spool import files, says, spooling, wait_files
from times import FastClock

START = 1_800_000_000
NOBODY = 65534
# A stop ends soon, though the service is not well.
OPTIONS = {**FastClock.LONG, 'ShutdownTimeout': 10}


@pytest.fixture
def scene(tmp_path):
    with Scene(tmp_path, clock=FastClock(START, 20)) as one:
        yield one



class Trouble:
    """A folder that cannot be used: how it came, what is said, how it ends."""

    def __init__(self, scene, service):
        self.scene, self.service = scene, service
        self.spool = scene.folder / 'spool'
        self.wrapper = ()

    def make(self):
        self.spool.mkdir(mode=0o700)


class ReadOnly(Trouble):
    says = r'cannot .* \(Read-only file system\): have it mounted for writing'

    def begin(self):
        self.make()
        self.wrapper = mounts.wrapper(mounts.READ_ONLY, self.spool)

    def end(self, daemon):
        mounts.run(daemon, 'mount', '-o', 'remount,rw,bind', self.spool)


class NoPermission(Trouble):
    says = (r'\(Permission denied\): it belongs to .* the folder should belong '
            'to the user that collectd runs as')

    def begin(self):
        self.make()
        self.spool.chmod(0o500)
        self.wrapper = ('setpriv',
                        '--bounding-set=-dac_override,-dac_read_search')

    def end(self, daemon):
        self.spool.chmod(0o700)


class NoParent(Trouble):
    says = r'cannot make .*/spool \(No such file or directory\): make it'

    def begin(self):
        self.spool = self.scene.folder / 'none' / 'spool'

    def end(self, daemon):
        self.spool.parent.mkdir()


class OfAnotherUser(Trouble):
    says = r'belongs to another user \(65534\) .*: run chown 0 '

    def begin(self):
        self.make()
        os.chown(self.spool, NOBODY, NOBODY)

    def end(self, daemon):
        os.chown(self.spool, 0, 0)


class OpenToOthers(Trouble):
    says = r'may be written to by other users \(mode 0777\): run chmod 0700 '

    def begin(self):
        self.make()
        self.spool.chmod(0o777)

    def end(self, daemon):
        self.spool.chmod(0o700)


class NoFolder(Trouble):
    says = r'cannot open .*/spool \(Not a directory\): it must be a folder'

    def begin(self):
        self.spool.write_text('')

    def end(self, daemon):
        self.spool.unlink()


class InUse(Trouble):
    says = r'is in use by another collectd or node: give each a folder'

    def begin(self):
        self.other = self.scene.start(spooling(self.scene, self.service))

    def end(self, daemon):
        self.other.stop()


@pytest.mark.parametrize('kind', Trouble.__subclasses__())
def test_unusable_folder(scene, kind):
    service = scene.service(skew_s=1e6)
    trouble = kind(scene, service)
    trouble.begin()
    configuration = spooling(scene, service, **OPTIONS,
                             SpoolDirectory=str(trouble.spool))
    ledger = Ledger(scene.start(configuration, wrapper=trouble.wrapper),
                    START - 86400)
    first = ledger.daemon
    first.wait_for(rf'\[warning\] .*the spool cannot be used: .*{kind.says}.*; '
                   'what waits stays in memory')
    ledger.begin_well(service)
    service.always(faults.refuse('ServiceUnavailable'))
    ledger.dispatch()
    first.wait_for(r'\[warning\] .*ServiceUnavailable')
    scene.clock.sleep_until(scene.now() + 25)  # it is tried again, twice
    assert not files(trouble.spool)

    trouble.end(first)
    first.wait_for(r'\[notice\] .*the spool in .*/spool is used again')
    wait_files(trouble.spool, 1)
    ledger.dispatch()
    wait_files(trouble.spool, 2)
    scene.kill(first)
    service.always(None)
    ledger.daemon = scene.start(configuration)
    ledger.dispatch()
    ledger.wait(service)
    assert ledger.compare(service) == 0
    assert says(first, r'\[warning\]|\[error\]') == 2
    assert says(first, r'\[notice\]') == 1
    assert not says(ledger.daemon, r'\[warning\]|\[error\]|\[notice\]')


def test_full_disk(scene):
    """All stays in memory and is delivered from there; when there is room
    again, the next outage's data lie on the disk."""
    service, spool = scene.service(skew_s=1e6), scene.folder / 'spool'
    spool.mkdir()
    ledger = Ledger(scene.start(
        spooling(scene, service, **OPTIONS),
        wrapper=mounts.wrapper(mounts.FULL_DISK, spool)), START - 86400)
    disk = mounts.seen_by(ledger.daemon, spool)
    ledger.begin_well(service)
    service.always(faults.refuse('ServiceUnavailable'))
    ledger.dispatch()
    ledger.daemon.wait_for(
        r'\[warning\] .*the spool cannot be used: cannot write to .*/spool '
        r'\(No space left on device\): make room there; what waits stays in')
    ledger.dispatch()
    scene.clock.sleep_until(scene.now() + 25)  # it is tried again, twice
    assert sorted(os.listdir(disk)) == ['ballast', 'lock']
    service.always(None)
    ledger.wait(service)

    service.always(faults.refuse('ServiceUnavailable'))
    (disk / 'ballast').unlink()
    ledger.dispatch()
    wait_files(disk, 1)
    ledger.dispatch()
    wait_files(disk, 2)
    service.always(None)
    ledger.wait(service)
    wait_files(disk, 0)
    assert ledger.compare(service) == 0
    assert says(ledger.daemon, r'\[warning\] .*the spool') == 1
    assert says(ledger.daemon, r'\[notice\] .*the spool .*used again') == 1
    assert len(ours(ledger.daemon)) <= 3 + 2 + 4  # two outages


# ---- files ------------------------------------------------------------------

def flipped(text):
    at = len(text) // 2
    return text[:at] + bytes([text[at] ^ 1]) + text[at + 1:]


DAMAGES = {
    'flipped': (flipped, 'its checksum is wrong'),
    'truncated': (lambda text: text[:-100], 'its checksum is wrong'),
    'a head only': (lambda text: text[:20], 'it is cut off'),
    'empty': (lambda text: b'', 'it does not begin as a file of the spool'),
    'foreign': (lambda text: b'#!/bin/sh\n' * 40,
                'it does not begin as a file of the spool'),
    'of a later version': (
        lambda text: text[:8] + (2).to_bytes(4, 'big') + text[12:],
        'another version of the plugin wrote it'),
}


@pytest.mark.parametrize('label', DAMAGES)
def test_damaged_file(scene, label):
    """It is set aside for somebody to look at, and said; only what is in it
    is missing."""
    damage, why = DAMAGES[label]
    service, spool = scene.service(skew_s=1e6), scene.folder / 'spool'
    configuration = spooling(scene, service, **OPTIONS)
    service.always(faults.refuse('ServiceUnavailable'))
    ledger = Ledger(scene.start(configuration), START - 86400)
    flushes = []
    for n in range(1, 5):
        flushes.append(set(ledger.dispatch()))
        wait_files(spool, n)
    ledger.daemon.stop()
    assert not stored(service)

    path = files(spool)[2]
    damaged = damage(path.read_bytes())
    path.write_bytes(damaged)
    service.always(None)
    ledger.daemon = scene.start(configuration)
    ledger.dispatch()
    ledger.wait(service, missing=flushes[2])
    wait_files(spool, 0)
    assert ledger.compare(service, missing=flushes[2]) == 0
    aside = path.with_name(path.name + '.damaged')
    assert aside.read_bytes() == damaged
    assert says(ledger.daemon, rf'\[error\] .*{re.escape(str(path))} cannot be '
                rf'sent: {why}.*; it is kept as {aside.name}') == 1
    assert says(ledger.daemon, r'\[error\]|\[warning\]') == 1
