"""The fault matrix: the name of the service, which cannot be resolved for a
while, or comes to mean another address.  See matrix.py."""

import time

import pytest

import nameserver
from authority import Authority
from matrix import METRIC, Ledger, check_said, ours, stored, unanswered
from nameserver import NameServer
from network import Network
from scene import Scene, config
from times import FastClock

NAME = 'monitoring.test'
PORT = 8443


@pytest.fixture
def names(island):
    server = NameServer(island.network, island.folder)
    yield server
    server.stop()


def start(scene, names, authority, **options):
    return Ledger(scene.start(
        config(None, metric=METRIC, Endpoint=f'https://{NAME}:{PORT}',
               CACert=authority.certificate, **options),
        wrapper=names.wrapper))


FAILURES = {'no such name': nameserver.NO_SUCH_NAME,
            'failed': nameserver.FAILED, 'silent': NameServer.SILENT}
CAUSE = (rf'cannot reach {NAME}:{PORT} \((its name could not be resolved|'
         r'timed out after \d)')


@pytest.mark.parametrize('label', FAILURES)
def test_dns_fails_then_is_good(island, names, label):
    authority = Authority(island.folder)
    service = island.service(port=PORT, tls=authority.issue(NAME))
    names.addresses[NAME] = service.host
    names.fails = FAILURES[label]
    ledger = start(island, names, authority, ConnectTimeout=3)
    ledger.dispatch()
    ledger.daemon.wait_for(rf'\[warning\] .*{CAUSE}')
    ledger.dispatch()
    names.fails = None
    ledger.wait(service)
    assert ledger.compare(service) == 0
    check_said(ledger.daemon, CAUSE)
    assert unanswered(ledger.daemon) == 0
    assert set(names.asked) == {NAME}


def two_services(scene, names, authority):
    """At two addresses; the name means the first."""
    services = [scene.service(host=f'127.0.0.{i}', port=PORT,
                              tls=authority.issue(NAME)) for i in (2, 3)]
    names.addresses[NAME] = services[0].host
    return services


def compare_both(ledger, first, second, n_first):
    """The first numbers are in the first, the others in the second."""
    assert {place.number for place in stored(first)} == \
        set(range(1, n_first + 1))
    assert {place.number for place in stored(second)} == \
        set(range(n_first + 1, ledger.n + 1))
    both = stored(first) + stored(second)
    assert both == ledger.expected()


def test_name_moves_and_the_old_address_closes(island, names):
    """The next connection is made to the new address, though the answer of
    before is a moment old."""
    authority = Authority(island.folder)
    first, second = two_services(island, names, authority)
    ledger = start(island, names, authority)
    ledger.begin_well(first)
    names.addresses[NAME] = second.host
    first.pause()
    ledger.dispatch()
    assert second.wait_for(lambda: len(stored(second)) == 6, 15)
    compare_both(ledger, first, second, 6)
    assert len(ours(ledger.daemon)) == 3
    assert unanswered(ledger.daemon) == 0


def test_name_moves_and_the_old_address_goes_on(tmp_path):
    """A connection is kept while requests follow each other, and after ten
    seconds without one the name is asked for again; scaled time."""
    rate = 10
    clock = FastClock(int(time.time()), rate)
    with Scene(tmp_path, network=Network(), clock=clock) as scene:
        names = NameServer(scene.network, scene.folder)
        authority = Authority(scene.folder)
        first, second = two_services(scene, names, authority)
        ledger = start(scene, names, authority, **FastClock.LONG)
        ledger.begin_well(first)
        names.addresses[NAME] = second.host
        clock.sleep_until(clock.now() + 11)
        ledger.dispatch()
        assert second.wait_for(lambda: len(stored(second)) == 6, 15)
        compare_both(ledger, first, second, 6)
        names.stop()
    assert len(ours(ledger.daemon)) == 3
