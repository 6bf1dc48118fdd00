"""silent: a port whose connections the kernel accepts, and nobody answers."""

import socket


class Silent:
    def __enter__(self):
        self._socket = socket.create_server(('127.0.0.1', 0))
        self.port = self._socket.getsockname()[1]
        return self

    def __exit__(self, *_):
        self._socket.close()
