"""Certificates of authorities that a test makes.

    authority = Authority(folder)
    service = scene.service(tls=authority.issue('monitoring.test'))
    daemon = scene.start(config(service, CACert=authority.certificate))

A service that is given an ssl.SSLContext shows another certificate when
another is loaded into that:

    context = authority.context('127.0.0.1', days_ago=10)
    context.load_cert_chain(*authority.issue('127.0.0.1'))
"""

import ipaddress
import itertools
import os
import ssl
import subprocess

from times import find_faketime

_KEY = ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes')


class Authority:
    """certificate  the path of its own, which is to be trusted
    own  that, and the path of its key
    """

    def __init__(self, folder, name='authority'):
        self.folder = folder / name
        self.folder.mkdir()
        self.certificate = str(self.folder / 'authority.pem')
        self.own = self.certificate, str(self.folder / 'authority.key')
        self._numbers = itertools.count(1)
        self._openssl('req', '-x509', *_KEY, '-days', '30', '-subj',
                      f'/CN={name}', '-keyout', 'authority.key',
                      '-out', 'authority.pem', days_ago=20)

    def issue(self, name, days_ago=1):
        """(certificate, key): the paths of a server's, for a host name or an
        address, which is good for two days from so long ago on."""
        stem = f'server-{next(self._numbers)}'
        self._openssl('req', *_KEY, '-subj', '/CN=server', '-keyout',
                      f'{stem}.key', '-out', f'{stem}.csr')
        (self.folder / f'{stem}.ext').write_text(
            f'subjectAltName={_alternative(name)}\n')
        self._openssl('x509', '-req', '-in', f'{stem}.csr', '-days', '2',
                      '-CA', 'authority.pem', '-CAkey', 'authority.key',
                      '-CAcreateserial', '-extfile', f'{stem}.ext',
                      '-out', f'{stem}.pem', days_ago=days_ago)
        return (str(self.folder / f'{stem}.pem'),
                str(self.folder / f'{stem}.key'))

    def context(self, name, days_ago=1):
        """The ssl.SSLContext of a service with such a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(name, days_ago))
        return context

    def _openssl(self, *arguments, days_ago=0):
        """As if it were run some days ago."""
        subprocess.run(
            ['openssl', *arguments], cwd=self.folder, check=True,
            capture_output=True, timeout=30, env={
                **os.environ, 'LD_PRELOAD': find_faketime(),
                'FAKETIME': f'{-days_ago:+d}d'})


def _alternative(name):
    try:
        return f'IP:{ipaddress.ip_address(name)}'
    except ValueError:
        return f'DNS:{name}'
