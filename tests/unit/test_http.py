"""run/http against servers on loopback that behave and misbehave.

The program under test is http_drive (its path in HTTP_DRIVE, else beside the
other unit tests of the build folder).  HTTP_DRIVE_WRAP may name a command in
front of it, such as valgrind.
"""

import os
import re
import shlex
import socket
import ssl
import subprocess
import threading
import time

import pytest

DRIVE = os.environ.get("HTTP_DRIVE", "tests/unit/http_drive")
WRAP = shlex.split(os.environ.get("HTTP_DRIVE_WRAP", ""))
SLOW = 20 if WRAP else 1  # valgrind takes its time


class Server:
    """Serves one connection after another; `script` gives, for each request in
    its order, what to send: bytes, or a function of the socket."""

    def __init__(self, *script, tls=None):
        self.script = list(script)
        self.requests = []  # (request line, headers, body, connection number)
        self.closed = threading.Event()  # a kept connection was closed by us
        self.n_connections = 0
        self.tls = tls
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/"
        self.host = f"127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.n_connections += 1
            threading.Thread(target=self.serve, daemon=True,
                             args=(connection, self.n_connections)).start()

    def serve(self, connection, number):
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection:
                while self.one(connection, number):
                    pass
        except (OSError, ValueError):
            pass

    def one(self, connection, number):
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                self.closed.set()
                return False
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:]
                       if ": " in line)
        length = int(headers.get("Content-Length", 0))
        while len(body) < length:
            body += connection.recv(65536)
        self.requests.append((lines[0], headers, body, number))
        act = self.script[min(len(self.requests), len(self.script)) - 1]
        if callable(act):
            return act(connection)
        connection.sendall(act)
        return True


def answer(body=b"", status="200 OK", headers=()):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def hang(connection):
    connection.recv(1)  # until the other side closes
    return False


def close(connection):
    return False


def partly(data):
    def act(connection):
        connection.sendall(data)
        return False
    return act


def clean_environment(**more):
    environment = {k: v for k, v in os.environ.items()
                   if "proxy" not in k.lower() and k != "AWS_CA_BUNDLE"}
    environment.update(more)
    return environment


def drive(commands, *options, **environment):
    run = subprocess.run(
        [*WRAP, DRIVE, *options], input="\n".join(commands) + "\n",
        capture_output=True, text=True, timeout=60 * SLOW, check=False,
        env=clean_environment(**environment))
    assert run.returncode == 0, run.stderr
    return [dict(field.split("=", 1) for field in line.split("\t"))
            for line in run.stdout.splitlines()]


def test_a_request_arrives_as_it_was_described():
    server = Server(answer(b"{}"))
    [got] = drive([f"send POST {server.url}a/../b 200000 "
                   "content-type=application/x-amz-json-1.0 x-empty= "
                   "x-two=a\\sb"])
    assert (got["status"], got["body"], got["error"]) == ("200", "2", "")
    [(line, headers, body, _)] = server.requests
    assert line == "POST /a/../b HTTP/1.1"
    assert body == b"x" * 200000
    assert headers.pop("User-Agent").startswith("write_cloudwatch/")
    assert headers.pop("x-empty", "") == ""
    assert headers == {
        "Host": server.host, "Content-Length": "200000",
        "content-type": "application/x-amz-json-1.0", "x-two": "a b"}


@pytest.mark.parametrize("method,size", [("GET", 0), ("PUT", 0), ("POST", 0)])
def test_methods_without_a_body(method, size):
    server = Server(answer(b"token"))
    [got] = drive([f"send {method} {server.url} {size}"])
    assert (got["status"], got["body"]) == ("200", "5")
    [(line, headers, _, _)] = server.requests
    assert line.startswith(method + " ")
    assert headers.get("Content-Length") == (None if method == "GET" else "0")


def test_headers_of_an_answer_are_found_whatever_their_case():
    server = Server(answer(b"", "400 Bad Request", [
        "X-AMZN-Query-Error: Throttling;Sender ", "x-amzn-ErrorType:Oops",
        "x-amzn-RequestId:\tabc", "DATE: Sun, 06 Nov 1994 08:49:37 GMT"]))
    [got] = drive([f"send POST {server.url} 5"])
    assert got["status"] == "400"
    assert got["query_error"] == "Throttling;Sender"
    assert got["error_type"] == "Oops"
    assert got["request_id"] == "abc"
    assert got["date"] == "Sun, 06 Nov 1994 08:49:37 GMT"


DATE = "Date: Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize("headers,wait_ms", [
    ([], 0),
    (["Retry-After: 7"], 7000),
    (["x-amz-retry-after: 1500"], 1500),
    (["x-amz-retry-after: 1500", "Retry-After: 1"], 1500),
    (["Retry-After: 99999999999999999999"], 0),
    (["Retry-After: 999999999"], 300000),
    (["Retry-After: Fri, 31 Dec 1999 23:59:59 GMT"], 0),  # long ago
    (["Retry-After: Sun, 06 Nov 1994 08:49:47 GMT", DATE], 10000),
    ([DATE, "Retry-After: Sun, 06 Nov 1994 08:49:47 GMT"], 10000),
    (["Retry-After: Sun, 06 Nov 1994 08:49:27 GMT", DATE], 0),
    (["Retry-After: Sun, 06 Nov 1994 18:49:37 GMT", DATE], 300000),
    (["Retry-After: Fri, 31 Dec 9999 23:59:59 GMT"], 300000),  # by our clock
    (["Retry-After: Sun, 06 Nov 1994 08:49:47 GMT", DATE,
      "x-amz-retry-after: 15000"], 15000),
    (["Retry-After: tomorrow", DATE], 0),
    (["Retry-After: -1"], 0),
])
def test_how_long_to_wait(headers, wait_ms):
    server = Server(answer(b"", "503 Slow Down", headers))
    [got] = drive([f"send POST {server.url} 5"])
    assert (got["status"], int(got["retry"])) == ("503", wait_ms)


def test_what_came_before_the_answer_does_not_count():
    server = Server(b"HTTP/1.1 100 Continue\r\nx-amzn-RequestId: no\r\n\r\n"
                    + answer(b"{}"))
    [got] = drive([f"send POST {server.url} 5"])
    assert (got["status"], got["request_id"]) == ("200", "")


def test_a_connection_is_used_again():
    server = Server(answer(b"{}"))
    drive([f"send POST {server.url} 5"] * 3)
    assert [r[3] for r in server.requests] == [1, 1, 1]


def test_a_post_on_a_kept_connection_is_never_repeated_unseen():
    server = Server(answer(b"{}"), close, answer(b"{}"))
    first, second = drive([f"send POST {server.url} 100"] * 2)
    assert first["status"] == "200"
    assert (second["status"], second["ambiguous"]) == ("0", "1")
    assert second["error"] == \
        f"no answer from {server.host} (the connection was closed; if it " \
        "lasts, see Proxy and firewalls)"
    assert [r[3] for r in server.requests] == [1, 1]


def test_an_idle_connection_is_not_used_again():
    server = Server(answer(b"{}"))
    drive([f"send POST {server.url} 5", "rest", "sleep 10100",
           f"send POST {server.url} 5"])
    assert [r[3] for r in server.requests] == [1, 2]


def test_rest_closes_an_idle_connection():
    server = Server(answer(b"{}"))
    process = subprocess.Popen([*WRAP, DRIVE], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True,
                               env=clean_environment())
    try:
        process.stdin.write(f"send POST {server.url} 5\nrest\nsleep 10100\n")
        process.stdin.flush()
        assert not server.closed.wait(5)
        process.stdin.write("rest\n")
        process.stdin.flush()
        assert server.closed.wait(10 * SLOW)
        process.stdin.write(f"send POST {server.url} 5\n")
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert [line.split("\t")[0] for line in out.splitlines()] == \
        ["status=200"] * 2
    assert [r[3] for r in server.requests] == [1, 2]


def test_after_an_error_the_connection_is_not_used_again():
    server = Server(answer(b"{}"), partly(b"HTTP/1.1 200 OK\r\n"
                                          b"Content-Length: 50\r\n\r\nxyz"),
                    answer(b"{}"))
    got = drive([f"send POST {server.url} 100"] * 3)
    assert [g["status"] for g in got] == ["200", "0", "200"]
    assert got[1]["ambiguous"] == "1"
    assert got[1]["body"] == "0"
    assert "broke off" in got[1]["error"]
    assert [r[3] for r in server.requests] == [1, 1, 2]


@pytest.mark.parametrize("size,status,kept", [
    (65536, "200", 65536), (65537, "200", 65536), (1 << 20, "200", 65536),
    ((1 << 20) + 1, "0", 0)])
def test_long_answers_are_bounded(size, status, kept):
    server = Server(answer(b"y" * size))
    [got] = drive([f"send POST {server.url} 10"])
    assert (got["status"], int(got["body"])) == (status, kept)
    assert got["cut"] == ("1" if kept and size > kept else "0")
    if status == "0":
        assert got["error"] == \
            f"the answer of {server.host} is longer than 1048576 bytes"


@pytest.mark.parametrize("status,size", [("200 OK", 3), ("404 No", 60000)])
def test_an_answer_gets_all_its_room_before_it_comes(status, size):
    server = Server(answer(b"y" * size, status))
    [got] = drive([f"send GET {server.url} 0"])
    assert (got["body"], got["room"]) == (str(size), "65537")


def test_a_redirect_is_an_answer():
    server = Server(answer(b"", "302 Found", ["Location: /other"]))
    [got] = drive([f"send POST {server.url} 10"])
    assert got["status"] == "302"
    assert len(server.requests) == 1


def test_a_time_out_says_how_long():
    server = Server(hang)
    [got] = drive([f"send POST {server.url} 10"], "timeout=1000")
    assert (got["status"], got["ambiguous"]) == ("0", "1")
    assert got["silent"] == "1"
    assert re.fullmatch(rf"no answer from {server.host} "
                        r"\(timed out after 1(\.\d)? s; see what slows "
                        r"requests, or raise Timeout\)", got["error"])


def test_what_takes_long_is_told_once():
    """After a second, while the request goes on; a quick one never."""
    def late(connection):
        time.sleep(2)
        connection.sendall(answer())
        return True
    server = Server(answer(), late, hang)
    quick, slow, silent = drive([f"send POST {server.url} 3"] * 3,
                                "timeout=5000")
    assert quick["slow"] == "0"
    assert (slow["slow"], slow["status"]) == ("1", "200")
    assert (silent["slow"], silent["status"]) == ("1", "0")
    for one in slow, silent:
        assert 1000 <= int(one["slow_after"]) < 2000 * SLOW


def test_nobody_listens():
    unused = socket.create_server(("127.0.0.1", 0))
    port = unused.getsockname()[1]
    unused.close()
    [got] = drive([f"send POST http://127.0.0.1:{port}/x 10"])
    assert (got["status"], got["ambiguous"]) == ("0", "0")
    assert got["error"] == \
        f"cannot reach 127.0.0.1:{port} (Connection refused; see Endpoint " \
        "and Proxy, nothing listens there)"


def test_what_is_nearby_has_other_remedies():
    """There is no proxy and no name to see to."""
    [got] = drive(["send GET http://127.0.0.1:1/x 0"], "nearby=1")
    assert got["error"] == "cannot reach 127.0.0.1:1 (Connection refused)"


def test_a_connection_that_never_comes_about():
    full = socket.socket()  # a queue of one, which is taken
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    port = full.getsockname()[1]
    waiting = []
    for _ in range(3):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
        waiting.append(one)
    url = f"http://127.0.0.1:{port}/"
    timed_out, stopped = drive(
        [f"send POST {url} 10", "deadline 300", f"send POST {url} 10"],
        "connect=500")
    assert re.fullmatch(rf"cannot reach 127.0.0.1:{port} "
                        r"\(timed out after 0\.[5-9] s; see firewalls, routes "
                        r"and Proxy, or raise ConnectTimeout\)",
                        timed_out["error"])
    assert timed_out["silent"] == "0"
    assert (stopped["ambiguous"], stopped["error"]) == \
        ("0", f"gave up the request to 127.0.0.1:{port} (stopping)")
    assert 300 <= int(stopped["took"]) < 300 + 400 * SLOW


def test_a_name_that_does_not_exist():
    [got] = drive(["send POST http://nowhere.invalid/ 10"])
    assert got["error"] == "cannot reach nowhere.invalid " \
        "(its name could not be resolved; see Region, Endpoint and this " \
        "host's DNS, or name a Proxy)"


def test_the_deadline_is_seen_promptly():
    server = Server(hang)
    got = drive(["deadline 500", f"send POST {server.url} 10",
                 f"send POST {server.url} 10"])
    assert [g["status"] for g in got] == ["0", "0"]
    assert 400 <= int(got[0]["took"]) < 500 + 400 * SLOW
    assert got[0]["ambiguous"] == "1"
    assert int(got[1]["took"]) < 100 * SLOW  # it had passed already
    assert len(server.requests) == 1


def test_header_values_with_line_breaks_are_refused():
    server = Server(answer(b"{}"))
    [got] = drive([f"send POST {server.url} 10 x-evil=a\\nhost:b"])
    assert got["error"] == "a value of header x-evil holds a control character"
    assert server.n_connections == 0


def test_other_schemes_are_refused():
    [got] = drive(["send GET file:///etc/hostname 0"])
    assert got["status"] == "0"
    assert got["error"] != ""


def test_an_error_never_shows_a_header():
    server = Server(close)
    [got] = drive([f"send POST {server.url} 10 authorization=SECRET"])
    assert got["status"] == "0"
    assert "SECRET" not in str(got)


# ---- proxies ---------------------------------------------------------------


def test_a_proxy_is_asked_and_can_be_switched_off():
    proxy, server = Server(answer(b"from proxy")), Server(answer(b"{}"))
    elsewhere = f"http_proxy=http://127.0.0.1:{proxy.port}"
    by_option = drive([f"send POST {server.url} 10"],
                      f"proxy=http://127.0.0.1:{proxy.port}")
    by_environment = drive([f"send POST {server.url} 10"],
                           **dict([elsewhere.split("=", 1)]))
    switched_off = drive([f"send POST {server.url} 10"], "proxy=",
                         **dict([elsewhere.split("=", 1)]))
    excepted = drive([f"send POST {server.url} 10"], "no_proxy=127.0.0.1",
                     **dict([elsewhere.split("=", 1)]))
    assert [g[0]["body"] for g in
            (by_option, by_environment, switched_off, excepted)] == \
        ["10", "10", "2", "2"]
    assert len(proxy.requests) == 2


@pytest.mark.parametrize("status, remedy", [
    (407, "write its login into Proxy, or the host into NoProxy"),
    (403, "it has to let this host through, or write the host into NoProxy"),
    (502, "it cannot reach the host, see Endpoint, or write the host into "
          "NoProxy"),
])
def test_a_proxy_that_refuses(status, remedy):
    proxy = Server(answer(b"<html>", f"{status} No"))
    [got] = drive(["send POST https://monitoring.example/ 10"],
                  f"proxy=http://127.0.0.1:{proxy.port}")
    assert (got["status"], got["ambiguous"]) == ("0", "0")
    assert got["error"] == \
        f"cannot reach monitoring.example (the proxy answered {status}; " \
        f"{remedy})"


# ---- TLS -------------------------------------------------------------------


@pytest.fixture(scope="module", name="certificate")
def make_certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    (folder / "trusted").mkdir()
    key, cert = str(folder / "key.pem"), str(folder / "trusted" / "cert.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
         "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
         "-out", cert], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    subprocess.run(["openssl", "rehash", os.path.dirname(cert)], check=True,
                   capture_output=True)
    return context, cert


def test_an_unknown_certificate_is_refused(certificate):
    context, _ = certificate
    server = Server(answer(b"{}"), tls=context)
    [got] = drive([f"send POST {server.url} 10"])
    assert (got["status"], got["ambiguous"]) == ("0", "0")
    assert got["error"].startswith(f"cannot reach {server.host} (SSL cert")
    assert "with CACert" in got["error"]
    assert not server.requests


def test_certificates_to_trust_that_are_not_there(certificate, tmp_path):
    context, _ = certificate
    server = Server(answer(b"{}"), tls=context)
    [got] = drive([f"send POST {server.url} 10"], f"ca={tmp_path}/none.pem")
    assert got["error"].startswith(f"cannot reach {server.host} (error ")
    assert "; correct CACert, CAPath or AWS_CA_BUNDLE" in got["error"]
    assert not server.requests


def test_ways_to_trust_a_certificate(certificate):
    context, cert = certificate
    server = Server(answer(b"{}"), tls=context)
    send = [f"send POST {server.url} 10"]
    assert drive(send, f"ca={cert}")[0]["status"] == "200"
    assert drive(send, f"ca_path={os.path.dirname(cert)}")[0]["status"] == "200"
    assert drive(send, AWS_CA_BUNDLE=cert)[0]["status"] == "200"
    assert drive(send, "verify=0")[0]["status"] == "200"
    # An option comes before the variable.
    system = "ca=/etc/ssl/certs/ca-certificates.crt"
    assert drive(send, system, AWS_CA_BUNDLE=cert)[0]["status"] == "0"


def test_a_certificate_must_be_for_this_host(certificate):
    context, cert = certificate
    server = Server(answer(b"{}"), tls=context)
    url = f"https://localhost:{server.port}/"
    assert drive([f"send POST {url} 10"], f"ca={cert}")[0]["status"] == "0"
    assert not server.requests


def test_rest_and_idle_with_tls(certificate):
    context, cert = certificate
    server = Server(answer(b"{}"), tls=context)
    got = drive([f"send POST {server.url} 10", "sleep 10100", "rest",
                 f"send POST {server.url} 10", f"send POST {server.url} 10"],
                f"ca={cert}")
    assert [g["status"] for g in got] == ["200"] * 3
    assert [r[3] for r in server.requests] == [1, 2, 2]


def test_a_missing_certificate_file_is_named():
    [got] = drive(["send POST https://127.0.0.1:1/ 10"], "ca=/nowhere.pem",
                  "connect=1000")
    assert got["status"] == "0"
