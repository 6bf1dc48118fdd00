"""lack: memory that the daemon has, but not for our module (lack.c).

    lack = Lack(folder)
    daemon = scene.start(..., environment=lack.environment)
    lack.refuse(7)            # the seventh allocation from now on
    lack.refuse(7, 20)        # and the next thirteen
    lack.end()
"""

import mmap
import os
import struct

from daemon import find_built

_FORM = struct.Struct('=5Q')  # struct lack


class Lack:
    """environment  for the daemon"""

    def __init__(self, folder):
        path = folder / 'lack'
        path.write_bytes(bytes(_FORM.size))
        with path.open('r+b') as file:
            self._map = mmap.mmap(file.fileno(), _FORM.size)
        preload = [str(find_built('tests/e2e/.libs/lack.so')),
                   os.environ.get('COLLECTD_PRELOAD', '')]
        self.environment = {'LD_PRELOAD': ' '.join(filter(None, preload)),
                            'LACK_FILE': str(path)}

    def refuse(self, first, last=None, of_thread=False):
        """of_thread: also what libraries ask for on behalf of our thread."""
        self.end()
        _FORM.pack_into(self._map, 0, 0, of_thread, first, last or first, 0)
        struct.pack_into('=Q', self._map, 0, 1)

    def end(self):
        """How many were asked for meanwhile."""
        struct.pack_into('=Q', self._map, 0, 0)
        return _FORM.unpack_from(self._map)[4]
