"""The fault matrix: certificates that must not be trusted.  Nothing is sent to
who shows one, not even to ask who it is; it is said what is wrong and what to
do; and all arrives when the service shows a good one.  See matrix.py."""

import ssl

import pytest

from authority import Authority
from matrix import METRIC, Ledger, check_said, unanswered
from scene import config


CA = 'CACert, or see that no proxy looks into TLS'
HOST = 'see that Endpoint, DNS and proxy lead to the right host'


def unknown(folder, authority):
    return Authority(folder, 'other').context('127.0.0.1')


def self_signed(folder, authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*Authority(folder, 'other').own)
    return context


def expired(folder, authority):
    return authority.context('127.0.0.1', days_ago=10)


def of_the_future(folder, authority):
    return authority.context('127.0.0.1', days_ago=-3)


def of_another_name(folder, authority):
    return authority.context('monitoring.test')


# What is said: in OpenSSL's and libcurl's words, and what to do.
BAD = {
    'unknown': (unknown, 'unable to get local issuer certificate; name who '
                f'issued it with {CA}'),
    'self-signed': (self_signed, 'self.signed certificate; if it is meant to '
                    'be, name it with CACert'),
    'expired': (expired, 'certificate has expired; have it renewed, or set '
                "this host's clock"),
    'of the future': (of_the_future, 'certificate is not yet valid; set this '
                      "host's clock"),
    'wrong name': (of_another_name, 'no alternative certificate subject name '
                   f"matches target host name '127.0.0.1'; {HOST}"),
}


@pytest.mark.parametrize('label', BAD)
def test_certificate(scene, label):
    make, why = BAD[label]
    authority = Authority(scene.folder)
    context = make(scene.folder, authority)
    service = scene.service(tls=context)
    ledger = Ledger(scene.start(config(service, metric=METRIC,
                                       CACert=authority.certificate)))
    cause = rf'cannot reach 127\.0\.0\.1:{service.port} \(SSL.*{why}'
    ledger.dispatch()
    ledger.daemon.wait_for(rf'\[warning\] .*{cause}.*; the data wait')
    ledger.dispatch()
    assert not service.requests
    context.load_cert_chain(*authority.issue('127.0.0.1'))
    ledger.wait(service)
    assert ledger.compare(service) == 0
    check_said(ledger.daemon, cause)
    assert unanswered(ledger.daemon) == 0
