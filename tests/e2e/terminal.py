"""terminal: a terminal of a fixed size, as a person would look at it.

    with Terminal(tmp_path, columns=80) as terminal:
        screen = terminal.run('cloudwatch-status', path)
    assert screen.status == 0 and 'publishing' in screen.lines[0]

It is a tmux with a server of its own, which ends with the block.
"""

import collections
import os
import re
import shlex
import subprocess
import time

SEQUENCE = re.compile(r'\x1b\[[\d;]*m')

# lines   without colours, as they stand on the screen
# joined  the same, with those joined again that the terminal had to break
# styled  with the sequences of colours
Screen = collections.namedtuple('Screen', 'status lines joined styled')


class Terminal:
    """columns, rows  its size, within which all that is run must fit
    environment       added to a nearly empty one"""

    def __init__(self, folder, columns=80, rows=120, environment=None):
        self._size = ['-x', str(columns), '-y', str(rows)]
        self._tmux = ['tmux', '-u', '-S', str(folder / 'tmux'),
                      '-f', '/dev/null']
        self._environment = {
            'PATH': os.environ['PATH'], 'HOME': str(folder),
            'LC_ALL': 'C.UTF-8', 'SHELL': '/bin/sh', **(environment or {})}

    def _ask(self, *words):
        return subprocess.run(
            [*self._tmux, *words], env=self._environment, check=True,
            capture_output=True, text=True, timeout=60).stdout

    def __enter__(self):
        self._ask('new-session', '-d', *self._size, 'exec cat')
        self._pid = int(self._ask('display-message', '-p', '#{pid}'))
        return self

    def __exit__(self, kind, value, trace):
        self._ask('kill-server')
        end = time.monotonic() + 60
        while os.path.exists(f'/proc/{self._pid}'):
            assert time.monotonic() < end, 'tmux does not end'
            time.sleep(0.05)

    def _capture(self, *options):
        return self._ask('capture-pane', '-p', *options).rstrip('\n')

    def run(self, *command, limit_s=60):
        """What is on the screen when the command has ended."""
        line = shlex.join(map(str, command))
        self._ask('respawn-pane', '-k',
                  f'{line}; echo "=$?="; exec cat')
        end = time.monotonic() + limit_s
        while not (found := re.search(r'^=(\d+)=\Z', self._capture(), re.M)):
            assert time.monotonic() < end, self._capture()
            time.sleep(0.05)
        lines, joined, styled = (
            self._capture(*options).splitlines()[:-1]
            for options in ((), ('-J',), ('-e',)))
        assert [SEQUENCE.sub('', line) for line in styled] == lines
        return Screen(int(found[1]), lines, [line.rstrip() for line in joined],
                      styled)
