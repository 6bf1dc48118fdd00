"""A name server for a network of its own, at 127.0.0.1 port 53.

    names = NameServer(network, folder)
    names.addresses['monitoring.test'] = '127.0.0.2'
    daemon = scene.start(..., wrapper=names.wrapper)

The daemon has a /etc/resolv.conf and an /etc/hosts that lead to it, in a mount
namespace of the daemon's own; nothing outside notices.
"""

import socket
import socketserver
import struct
import threading

import mounts

_A, _IN = 1, 1
NO_SUCH_NAME, FAILED = 3, 2  # RFC 1035, 4.1.1: RCODE


class NameServer(socketserver.ThreadingUDPServer):
    """addresses  name: an IPv4 address. A test changes it
    fails      None; NO_SUCH_NAME or FAILED for whatever is asked; or SILENT
    patience   the daemon's, with one that is silent: options of resolv.conf
    asked      names, in order
    wrapper    a command put before another has that use this server
    """

    SILENT = -1
    daemon_threads = True

    def __init__(self, network, folder, patience='timeout:1 attempts:1'):
        self.addresses = {}
        self.fails = None
        self.asked = []
        network.run(lambda: super(NameServer, self).__init__(
            ('127.0.0.1', 53), _Handler))
        threading.Thread(target=self.serve_forever, args=(0.05,),
                         daemon=True).start()
        self.wrapper = _wrapper(folder, {
            'resolv.conf': 'nameserver 127.0.0.1\n'
                           f'options {patience}\n',
            'hosts': '127.0.0.1 localhost\n',
            'nsswitch.conf': 'hosts: files dns\n'})

    def stop(self):
        self.shutdown()
        self.server_close()

    def answer(self, query):
        """The answer to a query, or None."""
        name, end = _read_name(query)
        kind, = struct.unpack_from('!H', query, end)
        self.asked.append(name)
        if self.fails == self.SILENT:
            return None
        address = self.addresses.get(name)
        code = self.fails or (0 if address else NO_SUCH_NAME)
        records = b''
        if code == 0 and kind == _A:
            records = b'\xc0\x0c' + struct.pack(
                '!HHIH', _A, _IN, 0, 4) + socket.inet_aton(address)
        return query[:2] + struct.pack(
            '!HHHHH', 0x8180 | code, 1, 1 if records else 0, 0, 0) + \
            query[12:end + 4] + records


class _Handler(socketserver.BaseRequestHandler):
    def handle(self):
        query, sock = self.request
        answer = self.server.answer(query)
        if answer is not None:
            sock.sendto(answer, self.client_address)


def _read_name(query):
    """The name that is asked for, and where it ends."""
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1:at + 1 + length].decode())
        at += 1 + length
    return '.'.join(labels), at + 1


def _wrapper(folder, files):
    """Runs a command with these files in the place of those of /etc."""
    for name, text in files.items():
        (folder / name).write_text(text)
    return mounts.wrapper(' && '.join(
        f'mount --bind "$1/{name}" "/etc/{name}"' for name in files), folder)
