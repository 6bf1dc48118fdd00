"""What the test services have in common: a small HTTP server on loopback.

It remembers every request with the connection it came on, can be told to
misbehave, and can close its door for a while.  It knows nothing of AWS: a
service derives from `LoopbackService` and turns requests into answers.

It binds loopback addresses only, and in a network of its own (network.py)
the addresses of that network, and refuses every other.
"""

import collections
import ipaddress
import itertools
import socket
import ssl
import sys
import threading
import time

from connection import Request, Server


def _check_address(host, network):
    """The address, if it stays within this machine or the network."""
    if host == "localhost":
        return "127.0.0.1"
    if network is not None and host in network.addresses:
        return host
    if not ipaddress.ip_address(host).is_loopback:
        raise ValueError(f"{host} is not a loopback address")
    return host


def _reserve(host, port):
    """A socket that keeps the port while nobody listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    place = socket.socket(family)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((host, port))
    except OSError:
        place.close()
        raise
    return place


def _url(tls, host, port):
    name = f"[{host}]" if ":" in host else host
    default = 443 if tls else 80
    where = name if port == default else f"{name}:{port}"
    return f"{'https' if tls else 'http'}://{where}"


class LoopbackService:
    """A test service on loopback; derive and give it identify(), perform()
    and is_scripted(). Everything public may be used from any thread.

    host     an address, or several: each has its URL in `urls`
    port     0: the kernel's choice
    network  the Network to live in; None: that of this process
    """

    secrets = frozenset()  # what no log may show, besides signatures
    environment = {}  # what makes a daemon use it, where variables do
    files = {}  # what must stand in that daemon's home for it

    def __init__(self, host="127.0.0.1", port=0, tls=None, now=time.time,
                 log=None, network=None):
        hosts = (host,) if isinstance(host, str) else tuple(host)
        hosts = [_check_address(name, network) for name in hosts]
        if isinstance(tls, tuple):
            certificate, key = tls
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate, key)
        self.now = now
        self.stopping = threading.Event()
        self.connections = itertools.count(1)
        self._log = log or (lambda line: None)
        self._changed = threading.Condition(threading.RLock())
        self._requests = []
        self._actions = collections.deque()
        self._always = None
        self._by_path = {}
        self._number = 0
        self._tls = tls
        self._run = network.run if network else lambda make: make()
        self._servers = []
        self._places = [self._run(lambda: _reserve(name, port))
                        for name in hosts]
        addresses = [place.getsockname()[:2] for place in self._places]
        self.urls = [_url(tls, *address) for address in addresses]
        self.host, self.port = addresses[0]
        self.url = self.urls[0]
        self.resume()

    # --- for the tests

    @property
    def requests(self):
        """All requests so far, those still waiting for an answer too."""
        with self._changed:
            return list(self._requests)

    def behave(self, actions):
        """Append actions; each serves one scripted request, in order.

        An action is a callable (handler, request) that returns True when
        it has dealt with the request; see faults.py."""
        with self._changed:
            self._actions.extend(actions)

    def always(self, action):
        """What to do with scripted requests once behave() has run out;
        None: answer them as a well-behaved service."""
        with self._changed:
            self._always = action

    def at(self, path, action):
        """What to do with requests for this path, or with a star at its end
        for all that begin so, before all else; None: as ever."""
        with self._changed:
            self._by_path.pop(path, None)
            if action is not None:
                self._by_path[path] = action

    @property
    def asked(self):
        """All requests so far, each as "METHOD path"."""
        return [f"{one.method} {one.path}" for one in self.requests]

    def pause(self):
        """Refuse connections, and end those that there are."""
        servers, self._servers = self._servers, []
        for server in servers:
            server.close_door()
            server.drop_connections(0)

    def resume(self):
        """Listen again, at the same address."""
        assert not self._servers
        for place in self._places:
            address = place.getsockname()[:2]
            self._servers.append(self._run(
                lambda: Server(self, address, self._tls)))
            self._servers[-1].listen_on()

    def wait_for(self, predicate, timeout):
        """Wait until predicate() holds, looked at after each change;
        returns its last value."""
        with self._changed:
            return self._changed.wait_for(predicate, timeout)

    def stop(self):
        """Stop listening and drop all connections; may be called twice."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        for server in self._servers:
            server.close_door()
        for place in self._places:
            place.close()
        if not all([server.drop_connections(5) for server in self._servers]):
            raise RuntimeError("a connection of the test service hangs")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # --- for a service to fill in

    def identify(self, request):
        """Fill in decoded and operation, if it has them; must not raise."""

    def perform(self, request):
        """Do what the request asks and return the Answer."""
        raise NotImplementedError

    def is_scripted(self, request):
        """Whether behave() and always() apply; called once before the body
        is read as well, when only the headers are known."""
        return True

    def finished(self, request):
        """Called once for each request when all of it is known."""

    # --- for the handler

    def begin(self, handler):
        fields = {}
        for name, value in handler.headers.items():
            fields.setdefault(name.lower(), []).append(value.strip())
        with self._changed:
            self._number += 1
            return Request(
                self._number, handler.server.ids[handler.request], self.now(),
                handler.command, handler.path, handler.headers.items(),
                {name: ",".join(values) for name, values in fields.items()})

    def record(self, request):
        self.identify(request)
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()

    def dispatch(self, handler, request):
        action = self.take_action(request)
        if not (action and action(handler, request)):
            handler.send(request, self.perform(request))

    def take_action(self, request, early=False):
        """The action for this request, or None. An action whose attribute
        `early` is true acts before the body is read, all others after."""
        with self._changed:
            for path, action in self._by_path.items():
                if request.path == path or path[-1] == "*" and (
                        request.path.startswith(path[:-1])):
                    fits = getattr(action, "early", False) == early
                    return action if fits else None
            action = self._actions[0] if self._actions else self._always
            if action is None or getattr(action, "early", False) != early:
                return None
            if not self.is_scripted(request):
                return None
            if self._actions:
                self._actions.popleft()
            return action

    def settled(self, request):
        """The request got its status, or will never get one."""
        with self._changed:
            if not request.over:
                request.over = True
                self.finished(request)
                self._changed.notify_all()

    def note_fault(self):
        """A connection failed outside of a request: TLS, mostly."""
        if not self.stopping.is_set():
            self._log(f"connection failed: {sys.exc_info()[1]!r}")
