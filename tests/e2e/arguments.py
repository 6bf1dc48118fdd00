"""What processes show of themselves to everybody on a host: their arguments.

    watch = ArgumentWatch(lambda: [daemon.pid])
    ...
    watch.stop(); watch.seen  # {"/proc/17/cmdline": text, ...}
"""

import os
import pathlib
import threading

# A child may live for some milliseconds only.
PAUSE_S = 0.02


def _read(path):
    try:
        return pathlib.Path(path).read_text(errors="replace")
    except OSError:
        return ""  # it has ended


def children_of(pid):
    """The processes that any thread of this one has started and that live, or
    are zombies."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    return [int(child) for task in tasks
            for child in _read(f"/proc/{pid}/task/{task}/children").split()]


class ArgumentWatch:
    """Looks at the arguments of some processes, and of their children and
    theirs, again and again.

    pids  a function: which they are now; None is nobody
    """

    def __init__(self, pids):
        self.seen = {}  # where: all texts that stood there
        self._pids = pids
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        """Ends it; may be called twice."""
        self._over.set()
        self._thread.join()

    def _run(self):
        while not self._over.wait(PAUSE_S):
            for pid in self._pids():
                if pid is not None:
                    self._look(pid)

    def _look(self, pid):
        where = f"/proc/{pid}/cmdline"
        text = _read(where)
        if text not in self.seen.get(where, ""):
            self.seen[where] = self.seen.get(where, "") + text + "\n"
        for child in children_of(pid):
            self._look(child)
