"""scene: daemons, services and proxies of one test, ended together.

    with Scene(tmp_path) as scene:
        service = scene.service()
        daemon = scene.start(config(service))
        publish(daemon, load=1.5)
        service.wait_datums(1, 10)

At the end every daemon must have stopped well, and no log may hold a secret,
a token or a signature.
"""

import itertools
import re
import socket
import socketserver
import threading
import time

from cloudwatch import Service
from daemon import Daemon

KEY, SECRET = 'AKIDEXAMPLE', 'secretEXAMPLEsecret'
TOKEN = 'tokenEXAMPLEtoken=='
REGION = 'eu-west-1'
# A period that is over, whose data a flush of any kind sends.
MINUTE = int(time.time()) // 60 * 60 - 600

# Flushes come when the test asks for them, and one at the stop.
DEFAULTS = {'Region': REGION, 'AccessKeyId': KEY, 'SecretAccessKey': SECRET,
            'FlushInterval': 3600, 'FlushJitter': 0, 'ShutdownTimeout': 0.5}
# Named by the type instance: see feed().
METRIC = '<Metric "%{type_instance}">\nPlugin "test"\n</Metric>'


def lines_of(options):
    """Options as lines; None leaves one out."""
    return [f'{name} "{value}"' if isinstance(value, str) else
            f'{name} {str(value).lower()}'
            for name, value in options.items() if value is not None]


def config(service, *lines, metric=METRIC, **options):
    """A <Plugin> block that sends to service (None: no Endpoint)."""
    if service is not None:
        options.setdefault('Endpoint', service.url)
    return '\n'.join(['<Plugin write_cloudwatch>', metric, *lines,
                      *lines_of({**DEFAULTS, **options}), '</Plugin>', ''])


def node(name, service, *lines, **options):
    """A <Node> block."""
    if service is not None:
        options = {'Region': REGION, 'Endpoint': service.url, **options}
    return '\n'.join([f'<Node "{name}">', *lines, *lines_of(options),
                      '</Node>'])


def named(datums):
    """Datums by their metric name, each of which must be there once."""
    found = {datum['MetricName']: datum for datum in datums}
    assert len(found) == len(datums), datums
    return found


def names(datums):
    return sorted(datum['MetricName'] for datum in datums)


def answered(service, timeout=10):
    """All requests so far, once each has its status: data are counted a
    moment before."""
    assert service.wait_for(
        lambda: all(request.over for request in service.requests), timeout)
    return service.requests


_barriers = itertools.count()


def feed(daemon, at=MINUTE, **values):
    """Hands over values of host/test/gauge-<name> and waits until our module
    has them: the daemon has one write thread, and shows in its cache what
    that thread has in hand."""
    for name, value in values.items():
        daemon.putval(f'host/test/gauge-{name}', f'{at}:{value}')
    barrier = f'host/barrier-{next(_barriers)}/gauge'
    daemon.putval(barrier, f'{at}:1')
    end = time.monotonic() + 10
    while not any(barrier in line for line in daemon.command('LISTVAL')):
        assert time.monotonic() < end, 'the daemon keeps a value back'


def publish(daemon, at=MINUTE, **values):
    """Feeds values and has them cut into data."""
    feed(daemon, at, **values)
    daemon.flush()


class Proxy(socketserver.ThreadingTCPServer):
    """An HTTP proxy on loopback that has one destination, whatever host is
    asked for; with none it answers 502."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, service=None):
        self.target = service and (service.host, service.port)
        self.asked = []  # first lines
        self.headers = []  # of each, as text
        self.changed = threading.Condition()
        super().__init__(('127.0.0.1', 0), _ProxyHandler)
        self.url = f'http://127.0.0.1:{self.server_address[1]}'
        threading.Thread(target=self.serve_forever, args=(0.05,),
                         daemon=True).start()

    def wait(self, count=1, timeout=10):
        """The first lines, when there are so many."""
        with self.changed:
            assert self.changed.wait_for(
                lambda: len(self.asked) >= count, timeout), self.asked
            return list(self.asked)

    def stop(self):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        pass  # a peer that goes away


class _ProxyHandler(socketserver.StreamRequestHandler):
    def handle(self):
        first = self.rfile.readline().decode().strip()
        headers = ''
        while (line := self.rfile.readline().decode()).strip():
            headers += line
        with self.server.changed:
            self.server.asked.append(first)
            self.server.headers.append(headers)
            self.server.changed.notify_all()
        if self.server.target is None:
            self.wfile.write(b'HTTP/1.1 502 Bad Gateway\r\n'
                             b'Content-Length: 0\r\n\r\n')
            return
        method, url, version = first.split()
        with socket.create_connection(self.server.target) as onward:
            if method == 'CONNECT':
                self.wfile.write(b'HTTP/1.1 200 OK\r\n\r\n')
            else:
                path = re.sub(r'^http://[^/]*', '', url)
                onward.sendall(f'{method} {path} {version}\r\n{headers}\r\n'
                               .encode())
            threading.Thread(target=self._copy_back, args=(onward,),
                             daemon=True).start()
            while data := self.rfile.read1(65536):
                onward.sendall(data)

    def _copy_back(self, onward):
        try:
            while data := onward.recv(65536):
                self.wfile.write(data)
            self.connection.shutdown(socket.SHUT_RDWR)
        except (OSError, ValueError):
            pass


class Scene:
    """What one test starts, in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.secrets = {SECRET, TOKEN}  # a test adds its own
        self.daemons = []
        self.services = []
        self.proxies = []

    def service(self, **how):
        how.setdefault('credentials', {KEY: (SECRET, None)})
        how.setdefault('region', REGION)
        self.services.append(Service(**how))
        return self.services[-1]

    def proxy(self, service=None):
        self.proxies.append(Proxy(service))
        return self.proxies[-1]

    def daemon(self, configuration, before='', **how):
        """A daemon with one write thread, not started."""
        folder = self.folder / f'daemon-{len(self.daemons)}'
        self.daemons.append(Daemon(folder, configuration,
                                   before=before + '\nWriteThreads 1', **how))
        return self.daemons[-1]

    def start(self, configuration, **how):
        return self.daemon(configuration, **how).start()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        try:
            for daemon in self.daemons:
                if daemon.status is None and kind is None:
                    daemon.stop()
                elif daemon.status is None:
                    daemon.kill()
                    print(daemon.log)
        finally:
            for server in self.proxies + self.services:
                server.stop()
        self._look_for_secrets()
        if kind is None:
            assert [daemon.status for daemon in self.daemons] == \
                [0] * len(self.daemons)

    def _look_for_secrets(self):
        signatures = {request.headers.get('authorization', '')[-64:]
                      for service in self.services
                      for request in service.requests}
        for daemon in self.daemons:
            for secret in (self.secrets | signatures) - {''}:
                assert secret not in daemon.log, f'{secret} is in the log'


def warnings(daemon, pattern=''):
    """Our messages at warning or error that match, in the whole life of the
    daemon, which ends here if it has not."""
    if daemon.status is None:
        daemon.stop()
    return [line for line in daemon.lines
            if re.match(r'\[(warning|error)\] write_cloudwatch plugin: ', line)
            and re.search(pattern, line)]
