#!/usr/bin/python3
"""A CloudWatch service for loopback. It is a test service.

It stands in for CloudWatch in the demonstration and in all end-to-end tests:
it recomputes every signature, applies the limits of PutMetricData, keeps in
memory what was published and reads it back well enough for the AWS command
line. It keeps nothing, grants nothing and is no emulator; it listens on
loopback only and refuses any other address.

    loopback         HTTP: requests, scripted misbehaviour; connection
    keyring          who is known, and until when
    sigv4_check      signatures
    aws_wire         AWS JSON 1.0 and AWS Query; aws_shapes, aws_error
    put_metric_data  the rules of PutMetricData
    metric_store     what was published; metric_queries reads it
    faults           misbehaviour to choose from

Not built: entities, metric math, alarms, CBOR, presigned requests.
"""

import argparse
import json
import os
import signal
import sys
import threading
import time
import traceback

import aws_wire
import metric_queries
import put_metric_data
import sigv4_check
from aws_error import AwsError, Findings
from loopback import LoopbackService
from metric_store import Store

SIGNING_NAME = "monitoring"

_READS = {
    "ListMetrics": metric_queries.list_metrics,
    "GetMetricStatistics": metric_queries.get_metric_statistics,
    "GetMetricData": metric_queries.get_metric_data,
}


class Service(LoopbackService):
    """CloudWatch on http://host:port.

    credentials  access key: (secret, session token or None), and third, if
                 they end, the time at which; the dict may be changed while
                 the service runs, and be a Keyring
    region       the region that must be signed for; None: any
    tls          an ssl.SSLContext, or (certificate file, key file)
    now          the clock of the service, in seconds since 1970
    skew_s       how far a signature may be from that clock
    log          called with one line of text for each refusal
    on_datum     called with each accepted datum, in order
    on_request   called with each request when its answer is known
    network      where it listens; see loopback.py
    """

    def __init__(self, host="127.0.0.1", port=0, credentials=None,
                 region=None, tls=None, now=time.time, skew_s=300, log=None,
                 on_datum=None, on_request=None, network=None):
        self.credentials = {} if credentials is None else credentials
        self.region = region
        self.skew_s = skew_s
        self._on_datum = on_datum or (lambda datum: None)
        self._on_request = on_request or (lambda request: None)
        self._datums = []
        self._store = Store()
        super().__init__(host, port, tls, now, log, network)

    @property
    def datums(self):
        """All accepted datums in order: the members of put_metric_data's
        datums, and Request (its number), AccessKey, SignatureVerified."""
        with self._changed:
            return list(self._datums)

    def wait_datums(self, count, timeout):
        """Wait for so many datums in all and return them."""
        if not self.wait_for(lambda: len(self._datums) >= count, timeout):
            last = [f"{request.status} {request.code}: {request.message}"
                    for request in self.requests if request.code]
            raise TimeoutError(
                f"{len(self.datums)} of {count} datums after {timeout} s, "
                f"{len(self.requests)} requests, last refusal: "
                f"{last[-1:] or 'none'}")
        return self.datums

    def refusal(self, request, code, message=None, status=None):
        """The Answer that refuses a request in its own protocol."""
        error = AwsError(code, message, status)
        return aws_wire.of(request).failure(request, error)

    # --- LoopbackService

    def identify(self, request):
        try:
            request.decoded = aws_wire.decompress(request)
        except AwsError:
            pass  # perform() says so
        request.operation = aws_wire.of(request).operation(request)

    def is_scripted(self, request):
        # Before the body is read, Query does not yet say what it wants.
        operation = aws_wire.of(request).operation(request)
        return operation in ("PutMetricData", None)

    def perform(self, request):
        wire = aws_wire.of(request)
        try:
            return wire.success(request, self._perform(wire, request))
        except AwsError as error:
            return wire.failure(request, error)
        except Exception:  # our own fault must show, not time out
            self._log(traceback.format_exc())
            return wire.failure(request, AwsError("InternalFailure"))

    def finished(self, request):
        self._on_request(request)
        if request.status != 200:
            first, *more = (request.message or "").splitlines() or [""]
            self._log(f"request {request.number}, {request.operation}: "
                      f"{request.status or 'dropped'} {request.code or ''} "
                      f"{first}{f' (+{len(more)} lines)' if more else ''}")

    def _perform(self, wire, request):
        request.access_key = sigv4_check.check(
            request, self.credentials, SIGNING_NAME, self.region,
            self.now(), self.skew_s)
        aws_wire.decompress(request)
        operation = request.operation
        if operation != "PutMetricData" and operation not in _READS:
            code = "InvalidAction" if operation else "MissingAction"
            raise AwsError(code, f"Could not find operation {operation!a}")
        findings = Findings()
        request.input = wire.read(request, findings)
        findings.check()
        if operation == "PutMetricData":
            return self._put(request)
        with self._changed:
            return _READS[operation](self._store, request.input, self.now())

    def _put(self, request):
        accepted = put_metric_data.datums(request.input, self.now())
        with self._changed:
            for datum in accepted:
                datum.update(Request=request.number, SignatureVerified=True,
                             AccessKey=request.access_key)
                self._datums.append(datum)
                self._store.add(datum)
                self._on_datum(datum)
            request.accepted = len(accepted)
            self._changed.notify_all()
        return {}


# --- the program

def _arguments():
    parser = argparse.ArgumentParser(
        description="A CloudWatch service for loopback: a test service.")
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="a loopback address")
    add("--port", type=int, default=0, help="0: a free one")
    add("--port-file", metavar="FILE", help="gets the port when it listens")
    add("--datums", metavar="FILE", help="gets a JSON line for each datum")
    add("--requests", metavar="FILE",
        help="gets a JSON line for each request")
    add("--access-key", required=True)
    add("--secret-key", required=True)
    add("--session-token")
    add("--region", help="refuse signatures for any other")
    add("--clock-skew", type=float, default=300, metavar="SECONDS",
        help="how far a signature may be off, 300 unless told")
    add("--clock-offset", type=float, default=0, metavar="SECONDS",
        help="how far the clock of the service is ahead of this machine's")
    add("--stop-after", type=float, metavar="SECONDS")
    return parser.parse_args()


def _line_writer(path):
    """A function that appends one JSON line and flushes it."""
    if path is None:
        return None
    file = open(path, "w", encoding="utf-8")
    lock = threading.Lock()

    def write(record):
        with lock:
            file.write(json.dumps(record) + "\n")
            file.flush()
    return write


def _request_writer(path):
    write = _line_writer(path)
    return write and (lambda request: write({
        "time": request.time, "op": request.operation,
        "status": request.status, "code": request.code,
        "bytes": len(request.body), "datums": request.accepted}))


def _write_port(path, port):
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(f"{port}\n")
    os.replace(path + ".new", path)


def main():
    options = _arguments()
    # Blocked before there are threads, so that all of them inherit it and
    # the signal waits for sigtimedwait() below.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    try:
        service = Service(
            options.host, options.port,
            {options.access_key: (options.secret_key,
                                  options.session_token)},
            options.region, skew_s=options.clock_skew,
            now=lambda: time.time() + options.clock_offset,
            log=lambda line: print(f"cloudwatch.py: {line}",
                                   file=sys.stderr, flush=True),
            on_datum=_line_writer(options.datums),
            on_request=_request_writer(options.requests))
    except (OSError, ValueError) as error:
        sys.exit(f"cloudwatch.py: {error}")
    with service:
        if options.port_file:
            _write_port(options.port_file, service.port)
        print(f"cloudwatch.py: listens on {service.url}", file=sys.stderr,
              flush=True)
        if options.stop_after is None:
            signal.sigwait(ends)
        else:
            signal.sigtimedwait(ends, options.stop_after)


if __name__ == "__main__":
    main()
