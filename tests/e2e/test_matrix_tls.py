"""The fault matrix: certificates that must not be trusted.  Nothing is sent to
who shows one, not even to ask who it is; it is said what is wrong and what to
do; and all arrives when the service shows a good one.  See matrix.py."""

import pytest

from authority import Authority
from matrix import METRIC, Ledger, check_said, unanswered
from scene import config


def unknown(folder, authority):
    return Authority(folder, 'other').context('127.0.0.1')


def expired(folder, authority):
    return authority.context('127.0.0.1', ended=True)


def of_another_name(folder, authority):
    return authority.context('monitoring.test')


BAD = {
    'unknown': (unknown, 'unable to get local issuer certificate'),
    'expired': (expired, 'certificate has expired'),
    'wrong name': (of_another_name, "no alternative certificate subject name "
                   "matches target host name '127.0.0.1'"),
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
