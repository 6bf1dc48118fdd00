"""The fault matrix: connections that cannot be made, break or hang.  See
matrix.py.

Where an answer is lost, what was sent in vain is sent again, and may be there
twice; no more than the plugin counts by itself.
"""

import contextlib
import socket

import pytest

import faults
from authority import Authority
from matrix import (METRIC, Ledger, check_said, stored, through, unanswered)
from scene import answered, config

# What the service does with two requests, of which the first is on a kept
# connection; what is said; whether the service stores what it does not answer.
# On a kept connection libcurl does not tell a reset from an end.
RESET = 'the connection was closed|the connection broke'
BROKEN = {
    'closed': (faults.hang_up(), 'the connection was closed', False),
    'reset': (faults.reset(), RESET, False),
    'hang': (faults.hang(), r'timed out after 0\.[5-9] s', False),
    'answer lost, closed':
        (faults.hang_up(store=True), 'the connection was closed', True),
    'answer lost, reset':
        (faults.reset(store=True), RESET, True),
    'half an answer':
        (faults.half_answer(), 'the connection broke|broke off', True),
    'late answer': (faults.delay(1), r'timed out after 0\.[5-9] s', True),
}


@pytest.mark.parametrize('label', BROKEN)
def test_broken(scene, label):
    action, why, is_lost = BROKEN[label]
    service = scene.service()
    ledger = Ledger(scene.start(config(service, metric=METRIC, Timeout=0.5)))
    cause = rf'no answer from 127\.0\.0\.1:{service.port} \(({why});'
    doubled = through(ledger, service, lambda: service.behave([action] * 2),
                      lambda: None, cause)
    check_said(ledger.daemon, cause, n_causes=2 if why == RESET else 1)
    assert unanswered(ledger.daemon) > 6  # of two requests
    assert doubled == (unanswered(ledger.daemon) if is_lost else 0)


def test_kept_connection_that_closes(scene):
    """libcurl would repeat the request unseen, and call it a success."""
    service = scene.service()
    ledger = Ledger(scene.start(config(service, metric=METRIC)))
    ledger.begin_well(service)
    service.behave([faults.hang_up(store=True)])
    ledger.dispatch(5)
    cause = r'no answer .*the connection was closed'
    ledger.daemon.wait_for(cause)
    ledger.daemon.wait_for('sending again')
    ledger.daemon.stop()
    assert ledger.compare(service) == 5 == unanswered(ledger.daemon)
    first, lost, again = answered(service)
    assert [(request.accepted, request.status)
            for request in (first, lost, again)] == [
                (6, 200), (5, None), (5, 200)]
    assert lost.connection == first.connection != again.connection
    check_said(ledger.daemon, cause)


# ---- a body that does not fit what the kernel keeps -------------------------

LONG = METRIC.replace('</Metric>', ''.join(
    f'Dimension "D{i}" "{chr(97 + i) * 250}"\n' for i in range(4)) +
    '</Metric>')


def test_reset_in_the_body(island):
    """So that the plugin knows that not all was sent."""
    def small_buffers():
        for name in ('tcp_wmem', 'tcp_rmem'):
            with open(f'/proc/sys/net/ipv4/{name}', 'w',
                      encoding='ascii') as file:
                file.write('4096 16384 65536\n')
    island.network.run(small_buffers)
    service = island.service()
    ledger = Ledger(island.start(config(service, metric=LONG,
                                        Compression=False)))
    cause = rf'no answer from 127\.0\.0\.1:\d+ \(({RESET});'
    ledger.begin_well(service)
    service.behave([faults.reset_request(after=100_000)] * 2)
    ledger.dispatch(700)
    ledger.daemon.wait_for(rf'\[warning\] .*{cause}')
    assert service.wait_for(lambda: len(service.requests) == 3, 15)
    ledger.dispatch()
    ledger.wait(service)
    assert max(len(request.body) for request in service.requests) > 700_000
    assert ledger.compare(service) == 0
    check_said(ledger.daemon, cause, n_causes=2)
    assert unanswered(ledger.daemon) == 0


# ---- nobody there -----------------------------------------------------------

def test_refused_from_the_start(scene):
    """Until the port opens."""
    service = scene.service()
    service.pause()
    ledger = Ledger(scene.start(config(service, metric=METRIC)))
    cause = rf'cannot reach 127\.0\.0\.1:{service.port} \(Connection refused'
    ledger.dispatch()
    ledger.daemon.wait_for(rf'\[warning\] .*{cause}')
    ledger.dispatch()
    service.resume()
    ledger.wait(service)
    assert ledger.compare(service) == 0
    check_said(ledger.daemon, cause)
    assert unanswered(ledger.daemon) == 0


def test_refused_for_a_while(scene):
    service = scene.service()
    ledger = Ledger(scene.start(config(service, metric=METRIC)))
    cause = rf'cannot reach 127\.0\.0\.1:{service.port} \(Connection refused'
    assert through(ledger, service, service.pause, service.resume, cause) == 0
    check_said(ledger.daemon, cause)
    assert unanswered(ledger.daemon) == 0


def test_refused_for_ever(scene):
    """Nothing is sent, and what is lost at the stop is said with its number:
    without a spool there is nowhere to keep it."""
    service = scene.service()
    service.pause()
    ledger = Ledger(scene.start(config(service, metric=METRIC)))
    ledger.dispatch(7)
    ledger.daemon.wait_for(r'\[warning\] .*Connection refused')
    ledger.daemon.stop()
    ledger.daemon.wait_for(r'\[error\] .*7 data could not be sent before the '
                           'stop and are lost')
    assert not stored(service)


@contextlib.contextmanager
def silence(address):
    """Connections are made there, and nothing is ever said."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
        yield


def test_hang_in_the_handshake(scene):
    authority = Authority(scene.folder)
    service = scene.service(tls=authority.issue('127.0.0.1'))
    ledger = Ledger(scene.start(config(
        service, metric=METRIC, ConnectTimeout=0.5,
        CACert=authority.certificate)))
    cause = r'cannot reach 127\.0\.0\.1:\d+ \(timed out after 0\.[5-9] s'
    ledger.begin_well(service)
    service.pause()
    with silence((service.host, service.port)):
        ledger.dispatch()
        ledger.daemon.wait_for(rf'\[warning\] .*{cause}')
        ledger.dispatch()
    service.resume()
    ledger.dispatch()
    ledger.wait(service)
    assert ledger.compare(service) == 0
    check_said(ledger.daemon, cause)
    assert unanswered(ledger.daemon) == 0
