#!/usr/bin/python3
"""sink: a peer that takes what the daemon's writers send, and counts it, in a
process of its own.

    with Sink('data') as sink:
        sink.port
        sink.read()         # {'requests': 3, 'bytes': 8192, 'count': 2000}

    kind     what is counted
    data     PutMetricData in JSON: data, by the names in the bodies
    series   likewise, but decoded: read() also says how many values they
             are of, and read(series=True), for each series, the number and
             the sum of its values
    command  write_http, Format Command: lines
    json     write_http, Format JSON: values
    graphite lines, without HTTP

It answers {} to whatever comes, after latency_s, and with closes ends each
connection after an answer.  certificate, (certificate, key), makes it speak
TLS.  It judges nothing: that the plugin's requests are good is for tests/e2e.
"""

import asyncio
import collections
import json
import re
import ssl
import subprocess
import sys
import zlib

MARKS = {'data': b'"MetricName"', 'command': b'PUTVAL ',
         'json': b'"dstypes"', 'graphite': b'\n'}


class Sink:
    def __init__(self, kind, latency_s=0, closes=False, certificate=()):
        self._process = subprocess.Popen(
            [sys.executable, __file__, kind, str(latency_s), str(closes),
             *certificate],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self._process.stdout.readline())

    def read(self, series=False):
        self._process.stdin.write('series\n' if series else 'count\n')
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


# --- the process -------------------------------------------------------------

class Tally:
    def __init__(self, kind):
        self.mark = MARKS.get(kind)
        self.requests = self.bytes = self.count = self.values = 0
        self.series = collections.defaultdict(lambda: [0, 0])

    def add(self, body):
        if self.mark:
            self.count += body.count(self.mark)
            return
        for datum in json.loads(body)['MetricData']:
            self.count += 1
            dimensions = sorted((one['Name'], one['Value'])
                                for one in datum.get('Dimensions', ()))
            key = '/'.join([datum['MetricName'],
                            *(value for _, value in dimensions)])
            values = datum.get('Values', [datum.get('Value')])
            counts = datum.get('Counts', [1] * len(values))
            entry = self.series[key]
            self.values += sum(counts)
            entry[0] += sum(counts)
            entry[1] += sum(value * count
                            for value, count in zip(values, counts))

    def show(self, series):
        seen = {'requests': self.requests, 'bytes': self.bytes,
                'count': self.count, 'values': self.values}
        return {**seen, 'series': self.series} if series else seen


async def take_requests(tally, latency_s, closes, reader, writer):
    """One HTTP connection."""
    try:
        while True:
            head = (await reader.readuntil(b'\r\n\r\n')).lower()
            size = int(re.search(rb'\ncontent-length: *(\d+)', head)[1])
            body = await reader.readexactly(size)
            tally.requests += 1
            tally.bytes += size
            if b'\ncontent-encoding: gzip' in head:
                body = zlib.decompress(body, 31)
            tally.add(body)
            await asyncio.sleep(latency_s)
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n'
                         b'Content-Type: application/x-amz-json-1.0\r\n' +
                         (b'Connection: close\r\n' if closes else b'') +
                         b'\r\n{}')
            await writer.drain()
            if closes:
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # it has gone
    finally:
        writer.close()


async def take_lines(tally, reader, writer):
    while data := await reader.read(65536):
        tally.bytes += len(data)
        tally.add(data)
    writer.close()


async def serve(kind, latency_s, closes, certificate):
    tally = Tally(kind)
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)

    def take(reader, writer):
        if kind == 'graphite':
            return take_lines(tally, reader, writer)
        return take_requests(tally, latency_s, closes, reader, writer)

    server = await asyncio.start_server(take, '127.0.0.1', 0, ssl=context,
                                        limit=16 * 1024 * 1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    orders = asyncio.StreamReader(limit=1024)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while order := await orders.readline():  # until who started us has gone
        print(json.dumps(tally.show(order == b'series\n')), flush=True)


if __name__ == '__main__':
    kind, latency, closes, *certificate = sys.argv[1:]
    asyncio.run(serve(kind, float(latency), closes == 'True', certificate))
