"""HTTP plumbing of the test services: requests, answers, connections.

It keeps connections alive and knows what a misbehaving service needs; what
is answered, and when not, LoopbackService decides.
"""

import dataclasses
import email.utils
import http
import http.server
import socket
import ssl
import struct
import threading

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
        self.close_connection |= answer.close
        if self.close_connection:
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


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, service, address, tls):
        self.service = service
        self.tls = tls
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.lock = threading.Condition()
        self.ids = {}
        super().__init__(address, Handler)

    def listen_on(self):
        threading.Thread(target=self.serve_forever, args=(0.05,),
                         daemon=True).start()

    def close_door(self):
        self.shutdown()
        self.server_close()

    def get_request(self):
        sock, peer = super().get_request()
        if self.tls:
            sock = self.tls.wrap_socket(
                sock, server_side=True, do_handshake_on_connect=False)
        with self.lock:
            self.ids[sock] = next(self.service.connections)
        return sock, peer

    def shutdown_request(self, request):
        super().shutdown_request(request)
        with self.lock:
            self.ids.pop(request, None)
            self.lock.notify_all()

    def handle_error(self, request, client_address):
        self.service.note_fault()

    def drop_connections(self, timeout):
        """End every connection; whether their threads let go in time."""
        with self.lock:
            for sock in self.ids:
                try:
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
                except OSError:
                    pass
            return self.lock.wait_for(lambda: not self.ids, timeout)
