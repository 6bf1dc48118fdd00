"""scene: daemons, services and proxies of one test, ended together.

    with Scene(tmp_path) as scene:
        service = scene.service()
        daemon = scene.start(config(service))
        publish(daemon, load=1.5)
        service.wait_datums(1, 10)

A scene with metadata and roles, and a fast one in a network of its own:

    imds, sts = scene.metadata(), scene.sts()
    daemon = scene.start(without_keys(service, RoleArn=...), uses=[imds, sts],
                         files={'.aws/config': '[default]\n...'})

    with Scene(tmp_path, network=Network(), clock=FastClock(T, 60)) as scene:
        scene.container(host=network.ECS, port=80)

All services know the scene's keyring, and what others of them give out.

At the end every daemon must have stopped well, and neither a log nor a file
that a daemon wrote, nor the arguments of it or of a child, may hold a secret, a
token or a signature.  Each daemon writes a status file, and all versions of it
are checked (status_watch.py).
"""

import http
import itertools
import pathlib
import re
import socket
import shutil
import socketserver
import tempfile
import threading
import time
import urllib.parse

from arguments import ArgumentWatch
from cloudwatch import Service
from containers import ContainerEndpoint
from daemon import Daemon
from imds import Metadata
from keyring import Keyring
from status_watch import StatusWatch, status_lines
from sts import TokenService

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


def without_keys(service, *lines, **options):
    """config() that leaves the credentials to be found."""
    return config(service, *lines, **{'AccessKeyId': None,
                                      'SecretAccessKey': None, **options})


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


def cut(daemon, minutes_ago, **values):
    """Publishes values of a minute that long before MINUTE, in a flush of
    their own."""
    publish(daemon, at=MINUTE - 60 * minutes_ago, **values)
    let_flush(daemon)


def let_flush(daemon):
    """Waits until an order to flush was taken, as others that come until then
    would be one with it: for as long as some ways through the daemon take
    today."""
    begin = time.monotonic()
    for _ in range(3):
        daemon.settle()
    time.sleep(max(0.05, time.monotonic() - begin))


class Proxy(socketserver.ThreadingTCPServer):
    """An HTTP proxy on loopback that has one destination, whatever host is
    asked for.

    refuses  a status that it answers itself; 502 if it has no destination.
             A test may change it
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, service=None):
        self.target = service and (service.host, service.port)
        self.refuses = None if service else 502
        self.asked = []  # first lines
        self.headers = []  # of each, as text
        self.tunnels = []  # sockets of those who asked
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

    def end_tunnels(self):
        """Closes the connections of CONNECT that there are."""
        with self.changed:
            tunnels, self.tunnels = self.tunnels, []
        for tunnel in tunnels:
            try:
                tunnel.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended

    def stop(self):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        pass  # a peer that goes away


class _ProxyHandler(socketserver.StreamRequestHandler):
    def handle(self):
        first = self.rfile.readline().decode().strip()
        if not first:  # given up before anything was asked
            return
        headers = ''
        while (line := self.rfile.readline().decode()).strip():
            headers += line
        with self.server.changed:
            self.server.asked.append(first)
            self.server.headers.append(headers)
            self.server.changed.notify_all()
        if self.server.refuses is not None:
            self._refuse(self.server.refuses)
            return
        method, url, version = first.split()
        with socket.create_connection(self.server.target) as onward:
            if method == 'CONNECT':
                self._tunnel(onward)
                return
            path = re.sub(r'^http://[^/]*', '', url)
            size = re.search(r'(?im)^content-length: *(\d+)', headers)
            body = self.rfile.read(int(size[1]) if size else 0)
            onward.sendall(f'{method} {path} {version}\r\n{headers}'
                           'Connection: close\r\n\r\n'.encode() + body)
            self._copy_back(onward)

    def _refuse(self, status):
        page = b'<!DOCTYPE html><html><body>The proxy says no.</body></html>'
        self.wfile.write((
            f'HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\n'
            'Proxy-Authenticate: Basic realm="proxy"\r\n'
            'Content-Type: text/html\r\nConnection: close\r\n'
            f'Content-Length: {len(page)}\r\n\r\n').encode() + page)

    def _tunnel(self, onward):
        with self.server.changed:
            self.server.tunnels.append(self.connection)
        self.wfile.write(b'HTTP/1.1 200 OK\r\n\r\n')
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
    """What one test starts, in a folder of its own.

    network  a Network that services and daemons live in; the scene ends it
    clock    a FastClock for all of them; it begins at the first start
    """

    def __init__(self, folder, network=None, clock=None):
        self.folder = folder
        self.network = network
        self.clock = clock
        self.now = clock.now if clock else time.time
        self.keyring = Keyring({KEY: (SECRET, None)}, now=self.now)
        self.secrets = {SECRET, TOKEN}  # a test adds its own
        self.daemons = []
        self.services = []
        self.proxies = []
        self._folders = []  # outside of ours
        self._killed = []  # daemons
        self._watch = ArgumentWatch(lambda: [
            daemon.pid for daemon in self.daemons if daemon.status is None])
        self.status = StatusWatch()

    def service(self, **how):
        """A CloudWatch that knows the scene's keyring."""
        return self._add(Service, **{'credentials': self.keyring,
                                     'region': REGION, **how})

    def metadata(self, **how):
        """An instance metadata service."""
        return self._add(Metadata, **{'keyring': self.keyring, **how})

    def container(self, **how):
        """A credentials endpoint of containers."""
        return self._add(ContainerEndpoint, **{'keyring': self.keyring, **how})

    def sts(self, **how):
        """A token service."""
        return self._add(TokenService, **{'keyring': self.keyring, **how})

    def _add(self, kind, **how):
        self.services.append(kind(**{'now': self.now, 'network': self.network,
                                     **how}))
        return self.services[-1]

    def proxy(self, service=None):
        run = self.network.run if self.network else lambda make: make()
        self.proxies.append(run(lambda: Proxy(service)))
        return self.proxies[-1]

    def daemon(self, configuration, before='', uses=(), **how):
        """A daemon with one write thread, not started.

        uses  services that it is to find by variables and files
        how   as of Daemon; files, environment and user above all"""
        folder = self.folder / f'daemon-{len(self.daemons)}'
        if how.get('user'):  # who does not get to our folder
            folder = pathlib.Path(tempfile.mkdtemp(prefix='daemon-'))
            self._folders.append(folder)
        environment = dict(self.clock.environment) if self.clock else {}
        files = {}
        for service in uses:
            environment.update(service.environment)
            files.update(service.files)
        how['environment'] = {**environment, **(how.get('environment') or {})}
        how['files'] = {**files, **(how.get('files') or {})}
        if self.network:
            how['wrapper'] = (*self.network.wrapper, *how.get('wrapper', ()))
        configuration, paths = status_lines(configuration,
                                            folder / 'status.json')
        self.daemons.append(Daemon(folder, configuration,
                                   before=before + '\nWriteThreads 1', **how))
        self.status.add(self.daemons[-1], paths,
                        'FAKETIME_TIMESTAMP_FILE' in how['environment'])
        return self.daemons[-1]

    def start(self, configuration, **how):
        daemon = self.daemon(configuration, **how)
        if self.clock and len(self.daemons) == 1:
            self.clock.begin()
        return daemon.start()

    def kill(self, daemon):
        """Ends a daemon as the kernel does; that it fails is no fault then."""
        daemon.kill()
        self._killed.append(daemon)

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
            if self.network:
                self.network.stop()
            self._watch.stop()
            self.status.stop()
            try:
                self._look_for_secrets()
            finally:
                for folder in self._folders:
                    shutil.rmtree(folder)
        if kind is None:
            assert all(daemon.status == 0 for daemon in self.daemons
                       if daemon not in self._killed)
            self.status.check(self._killed, self.services)

    def _look_for_secrets(self):
        secrets = self.secrets | self.keyring.secrets
        for service in self.services:
            secrets |= service.secrets
            secrets |= {request.headers.get('authorization', '')[-64:]
                        for request in service.requests}
        # A text that was cut holds no whole one.
        secrets |= {secret[:16] for secret in secrets if len(secret) > 20}
        secrets |= {urllib.parse.quote(secret, safe='') for secret in secrets}
        shown = {**self._watch.seen, **self.status.texts}
        for i, daemon in enumerate(self.daemons):
            shown |= {f'log {i}': daemon.log, **written_by(daemon)}
        for secret in secrets - {''}:
            for where, text in shown.items():
                assert secret not in text, f'{secret} is in {where}'


def written_by(daemon):
    """{path: text} of the files that the daemon wrote, not those that a test
    gave to it."""
    given = {*daemon.files, daemon.config_path, daemon.module}
    return {path: path.read_text(errors='replace')
            for path in daemon.folder.rglob('*')
            if path.is_file() and path not in given
            and path.parent.name != '.aws'}


def warnings(daemon, pattern=''):
    """Our messages at warning or error that match, in the whole life of the
    daemon, which ends here if it has not."""
    if daemon.status is None:
        daemon.stop()
    return [line for line in daemon.lines
            if re.match(r'\[(warning|error)\] write_cloudwatch plugin: ', line)
            and re.search(pattern, line)]
