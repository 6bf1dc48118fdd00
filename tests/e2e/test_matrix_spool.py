"""The fault matrix: what waits in a spool survives the end of the daemon.  See
matrix.py; folders that cannot be used are in test_matrix_folder.py."""

import re
import time

import pytest

import faults
from matrix import METRIC, Ledger, ours, stored
from scene import KEY, SECRET, config, node


def spooling(scene, service, *lines, **options):
    """A configuration with a spool, in the scene's folder unless told."""
    return config(service, *lines, **{
        'metric': METRIC, 'SpoolDirectory': str(scene.folder / 'spool'),
        **options})


def files(folder):
    """The complete files, in the order of their flushes."""
    return sorted(folder.rglob('*.parcel')) if folder.exists() else []


def wait_files(folder, count, timeout=10):
    """Waits until there are so many; returns them."""
    end = time.monotonic() + timeout
    while len(files(folder)) != count:
        assert time.monotonic() < end, files(folder)
        time.sleep(0.01)
    return files(folder)


def says(daemon, pattern):
    """How many lines of ours match."""
    return sum(bool(re.search(pattern, line)) for line in ours(daemon))


OUTAGES = {'refuses': faults.refuse('ServiceUnavailable'),
           'is not AWS': faults.html(502),
           'hangs': faults.hang()}


@pytest.mark.parametrize('label', OUTAGES)
def test_stopped_in_an_outage(scene, label):
    """SIGTERM, then a start when the service is well."""
    service, spool = scene.service(), scene.folder / 'spool'
    configuration = spooling(scene, service, Timeout=0.5)
    ledger = Ledger(scene.start(configuration))
    ledger.begin_well(service)
    assert not files(spool)
    service.always(OUTAGES[label])
    ledger.dispatch()
    ledger.daemon.wait_for(r'\[warning\] ')
    ledger.dispatch()
    ledger.daemon.stop()
    assert len(stored(service)) == 6
    assert says(ledger.daemon, r'\[info\] .*: 12 data wait in .*/spool for the '
                'next start') == 1
    assert not says(ledger.daemon, r'\[error\]')

    service.always(None)
    ledger.daemon = scene.start(configuration)
    ledger.dispatch()
    ledger.wait(service)
    wait_files(spool, 0)
    assert ledger.compare(service) == 0
    assert says(ledger.daemon, r'\[info\] .*: 12 data of earlier flushes wait '
                r'in .*/spool \(\d+ KiB\)') == 1
    assert len(ours(ledger.daemon)) == 4
    ledger.read_back(service)


def test_killed_in_an_outage(scene):
    """SIGKILL: what was cut is there, with its own times."""
    service, spool = scene.service(), scene.folder / 'spool'
    ledger = Ledger(scene.start(spooling(scene, service)))
    ledger.begin_well(service)
    service.always(faults.refuse('ServiceUnavailable'))
    for n in range(1, 5):
        ledger.dispatch()
        wait_files(spool, n)
    scene.kill(ledger.daemon)
    assert len(stored(service)) == 6

    # Again, before the service is well: what the first left is not lost.
    ledger.daemon = scene.start(spooling(scene, service))
    ledger.dispatch()
    wait_files(spool, 5)
    scene.kill(ledger.daemon)
    assert len(stored(service)) == 6

    service.always(None)
    ledger.daemon = scene.start(spooling(scene, service))
    ledger.dispatch()
    ledger.wait(service)
    wait_files(spool, 0)
    assert ledger.compare(service) == 0
    assert len(ours(ledger.daemon)) == 4
    ledger.read_back(service)


HUNDRED = METRIC.replace('</Metric>', 'Namespace "of/%{host}"\n</Metric>')


@pytest.mark.parametrize('when', ['at once', 'after a second'])
def test_killed_while_the_first_of_100_requests_hangs(scene, when):
    """All that waits for its turn is on disk before the first leaves; that
    one is when it has had no answer for a second."""
    service, spool = scene.service(), scene.folder / 'spool'
    configuration = spooling(scene, service, metric=HUNDRED, BackfillRate=0)
    service.always(faults.hang())
    ledger = Ledger(scene.start(configuration), metrics=1, hosts=100)
    ledger.dispatch(100)
    assert service.wait_for(lambda: service.requests, 10)
    if when != 'at once':
        wait_files(spool, 100)
    scene.kill(ledger.daemon)
    kept = files(spool)
    hangs, = service.requests
    assert len(kept) in (99, 100)

    # None of them was stored; what hung is lost if it was not on disk.
    being_sent = re.search(rb'"Value":(\d+)', hangs.decoded)
    missing = {int(being_sent[1])} if len(kept) == 99 else set()
    service.always(None)
    ledger.daemon = scene.start(configuration)
    ledger.wait(service, missing=missing)
    wait_files(spool, 0)
    assert ledger.compare(service, missing) == 0
    assert len(ours(ledger.daemon)) == 4


def test_nobody_can_read_it(scene):
    """And there is nothing secret in it."""
    service, spool = scene.service(), scene.folder / 'spool'
    service.always(faults.refuse('ServiceUnavailable'))
    ledger = Ledger(scene.start(spooling(scene, service)))
    for n in range(1, 4):
        ledger.dispatch()
        wait_files(spool, n)
    assert spool.stat().st_mode & 0o7777 == 0o700
    sent = [value.encode() for request in service.requests
            for name, value in request.headers.items()
            if name.startswith(('authorization', 'x-amz-security'))]
    for path in spool.iterdir():
        assert path.stat().st_mode & 0o7777 == 0o600, path
        text = path.read_bytes()
        assert not [word for word in (KEY.encode(), SECRET.encode(), *sent)
                    if word in text]
    service.always(None)
    ledger.wait(service)
    assert ledger.compare(service) == 0


def test_of_two_nodes(scene):
    """Each has a folder of its own, and gets its own back."""
    services = {name: scene.service() for name in ('first', 'second')}
    spool = scene.folder / 'spool'
    configuration = spooling(scene, None, *(
        node(name, service) for name, service in services.items()))
    for service in services.values():
        service.always(faults.refuse('ServiceUnavailable'))
    ledger = Ledger(scene.start(configuration))
    for n in range(1, 3):
        ledger.dispatch()
        wait_files(spool / 'first', n)
        wait_files(spool / 'second', n)
    services['first'].always(None)
    ledger.wait(services['first'])
    ledger.daemon.stop()
    assert len(files(spool / 'second')) == 2 and not files(spool / 'first')

    services['second'].always(None)
    ledger.daemon = scene.start(configuration)
    ledger.dispatch()
    for service in services.values():
        ledger.wait(service)
        assert ledger.compare(service) == 0
    assert says(scene.daemons[0], r'\[warning\]|\[error\]') == 2
    assert not says(ledger.daemon, r'\[warning\]|\[error\]')


def test_two_daemons_with_one_folder(scene):
    """The first has it, and the other keeps what waits in memory.  Neither
    sends what is the other's."""
    services = [scene.service(), scene.service()]
    spool = scene.folder / 'spool'
    ledgers = []
    for service in services:
        service.always(faults.refuse('ServiceUnavailable'))
        ledgers.append(Ledger(scene.start(spooling(scene, service))))
    for ledger in ledgers:
        ledger.dispatch()
        ledger.daemon.wait_for('ServiceUnavailable')
    wait_files(spool, 1)
    for service, ledger in zip(services, ledgers):
        service.always(None)
        ledger.dispatch()
        ledger.wait(service)
        assert ledger.compare(service) == 0
    wait_files(spool, 0)
    assert not says(ledgers[0].daemon, 'the spool')
    assert says(ledgers[1].daemon, r'\[warning\] .*the spool cannot be used: '
                '.*in use by another collectd or node') == 1
