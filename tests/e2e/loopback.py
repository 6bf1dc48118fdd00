"""HTTP plumbing of the test services: a small server on loopback.

It keeps connections alive, remembers every request with the connection it
came on, and can be told to misbehave.  It knows nothing of AWS: a service
derives from `LoopbackService` and turns requests into answers.

It binds loopback addresses only and refuses every other.
"""

import collections
import dataclasses
import email.utils
import http
import http.server
import ipaddress
import socket
import ssl
import struct
import sys
import threading
import time

# A peer that announces more bytes than it sends gets a bare 408 after this
# many seconds, as from the service.
BODY_TIMEOUT_S = 10
# No test sends more; what is larger is not even read.
BODY_LIMIT = 64 * 1024 * 1024


@dataclasses.dataclass
class Request:
    """One request as it came in, and what became of it.

    `status` and `code` stay None until an answer goes out, and for ever
    where the connection was dropped instead.
    """

    number: int
    connection: int
    time: float
    method: str
    path: str
    header_list: list  # (name, value) in the order and spelling received
    headers: dict  # lower-case name: value; repeated ones joined by ","
    body: bytes = b""  # as on the wire
    decoded: bytes = None  # without Content-Encoding; None if it failed
    operation: str = None
    input: dict = None
    access_key: str = None
    accepted: int = 0  # datums stored
    status: int = None
    code: str = None
    message: str = None
    over: bool = False  # answered, or dropped


@dataclasses.dataclass
class Answer:
    """What goes back. Date, Content-Length and Connection are added unless
    they are among the headers."""

    status: int = 200
    body: bytes = b""
    headers: list = dataclasses.field(default_factory=list)
    close: bool = False
    code: str = None
    message: str = None


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection. Scripted actions use send(), reset() and hang_up()."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        self.service = self.server.service
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        super().setup()

    def _serve(self):
        request = self.service.begin(self)
        try:
            early = self.service.take_action(request, early=True)
            if early and early(self, request):
                self.service.record(request)
            elif self._read_body(request):
                self.service.record(request)
                self.service.dispatch(self, request)
        except OSError:  # the peer went away
            self.close_connection = True
        finally:
            self.service.settled(request)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve

    def _read_body(self, request):
        if "Transfer-Encoding" in self.headers:
            return self._give_up(request, 411)
        try:
            size = int(self.headers.get("Content-Length", 0))
        except ValueError:
            return self._give_up(request, 400)
        if not 0 <= size <= BODY_LIMIT:
            return self._give_up(request, 413)
        self.connection.settimeout(BODY_TIMEOUT_S)
        try:
            request.body = self.rfile.read(size)
        except TimeoutError:
            return self._give_up(request, 408)
        finally:
            self.connection.settimeout(None)
        if len(request.body) == size:
            return True
        self.service.record(request)
        self.close_connection = True
        return False

    def _give_up(self, request, status):
        self.service.record(request)
        self.send(request, Answer(status, close=True))
        return False

    def send(self, request, answer, cut=None):
        """Send the answer; with `cut`, only so many bytes of its body."""
        request.status = answer.status
        request.code, request.message = answer.code, answer.message
        given = {name.lower() for name, _ in answer.headers}
        headers = list(answer.headers)
        if "date" not in given:
            now = email.utils.formatdate(self.service.now(), usegmt=True)
            headers.append(("Date", now))
        if "content-length" not in given:
            headers.append(("Content-Length", str(len(answer.body))))
        if answer.close:
            self.close_connection = True
            headers.append(("Connection", "close"))
        try:
            reason = http.HTTPStatus(answer.status).phrase
        except ValueError:
            reason = "Unknown"
        lines = [f"HTTP/1.1 {answer.status} {reason}"]
        lines += [f"{name}: {value}" for name, value in headers]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self.service.settled(request)
        self.wfile.write(head + answer.body[:cut])

    def hang_up(self):
        """Close in good order, with nothing more said."""
        self.close_connection = True

    def reset(self):
        """Drop the connection so that the peer sees ECONNRESET."""
        self.close_connection = True
        linger_zero = struct.pack("ii", 1, 0)
        sock = self.connection
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)
        # Detached, or the server would say FIN before the RST.
        socket.close(sock.detach())

    def log_message(self, format, *args):
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, service, address, tls):
        self.service = service
        self.tls = tls
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.lock = threading.Condition()
        self.ids = {}
        self.count = 0
        super().__init__(address, Handler)

    def get_request(self):
        sock, peer = super().get_request()
        if self.tls:
            sock = self.tls.wrap_socket(
                sock, server_side=True, do_handshake_on_connect=False)
        with self.lock:
            self.count += 1
            self.ids[sock] = self.count
        return sock, peer

    def shutdown_request(self, request):
        super().shutdown_request(request)
        with self.lock:
            self.ids.pop(request, None)
            self.lock.notify_all()

    def handle_error(self, request, client_address):
        self.service.note_fault()

    def drop_connections(self):
        """End every connection and wait until their threads let go."""
        with self.lock:
            for sock in self.ids:
                try:
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
                except OSError:
                    pass
            return self.lock.wait_for(lambda: not self.ids, 5)


class LoopbackService:
    """A test service on loopback; derive and give it identify(), perform()
    and is_scripted(). Everything public may be used from any thread."""

    def __init__(self, host="127.0.0.1", port=0, tls=None, now=time.time,
                 log=None):
        if host == "localhost":
            host = "127.0.0.1"
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"{host} is not a loopback address")
        if isinstance(tls, tuple):
            certificate, key = tls
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate, key)
        self.now = now
        self.stopping = threading.Event()
        self._log = log or (lambda line: None)
        self._changed = threading.Condition(threading.RLock())
        self._requests = []
        self._actions = collections.deque()
        self._always = None
        self._number = 0
        self._server = _Server(self, (host, port), tls)
        self.host, self.port = self._server.server_address[:2]
        name = f"[{self.host}]" if ":" in self.host else self.host
        self.url = f"{'https' if tls else 'http'}://{name}:{self.port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

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
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if not self._server.drop_connections():
            raise RuntimeError("a connection of the test service hangs")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # --- for a service to fill in

    def identify(self, request):
        """Fill in decoded and operation; must not raise."""

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
                self._number, self._server.ids[handler.request], self.now(),
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
