"""status_watch: the status file of a daemon (StatusFile), each version of it.

    watch = StatusWatch()
    watch.add(daemon, {'': folder / 'status.json'})
    ...
    watch.wait(daemon, lambda version: version['troubles'] == [])
    watch.stop()
    watch.check(killed=(), services=[service])

A version that is not whole, not valid by contrib/status.schema.json, or that
takes back what an earlier one said, is a fault in whatever test it turns up: so
scene.py has all its daemons watched.
"""

import functools
import json
import os
import pathlib
import re
import threading

import jsonschema

from cloudwatch import Service

PAUSE_S = 0.05

SCHEMA = (pathlib.Path(__file__).resolve().parents[2] /
          'contrib/status.schema.json')

# The last line of a node's log, and where the file has its numbers.
STOPS = re.compile(
    r'stops; (?P<accepted>\d+) data were accepted, (?P<left_out>\d+) values '
    r'were left out; data that were refused: (?P<refused>\d+), dropped by '
    r'BufferLimit: (?P<buffer_limit>\d+), by SpoolLimit: (?P<spool_limit>\d+), '
    r'by BufferAge: (?P<buffer_age>\d+), by this stop: (?P<stop>\d+), sent '
    r'without an answer: (?P<ambiguous>\d+)')

# Values of these reasons were published all the same.
NOT_LOST = ('late', 'folded')


@functools.cache
def validator():
    return jsonschema.Draft7Validator(json.loads(SCHEMA.read_text()))


def status_lines(configuration, path):
    """The configuration with a StatusFile, if it is one of ours that has none;
    and {node: path} of the files that it makes."""
    block = re.search(r'(?im)^\s*<Plugin\s+"?write_cloudwatch"?\s*>',
                      configuration)
    if block is None:
        return configuration, {}
    given = re.search(r'(?im)^\s*StatusFile\s+"?([^"\n]*)"?', configuration)
    if given:
        path = pathlib.Path(given[1])
    else:
        configuration = (f'{configuration[:block.end()]}\n'
                         f'StatusFile "{path}"{configuration[block.end():]}')
    nodes = re.findall(r'(?im)^\s*<Node\s+"?([^">]*)"?\s*>', configuration)
    return configuration, {
        node: path.with_name(path.name + (node and f'.{node}'))
        for node in nodes or ['']}


def counters_of(version):
    """{name: number} of all counters, those inside others too."""
    found = {}
    for name, value in version['counters'].items():
        if isinstance(value, dict):
            found |= {f'{name}.{inner}': n for inner, n in value.items()}
        else:
            found[name] = value
    return found


def totals_of(version):
    """What a version says of the numbers in the log's last line."""
    counters = version['counters']
    dropped = counters['dropped']
    return {'accepted': counters['accepted'],
            'left_out': sum(n for reason, n in counters['left_out'].items()
                            if reason not in NOT_LOST),
            'refused': counters['refused'] + dropped['future'],
            'buffer_limit': dropped['buffer_limit'],
            'spool_limit': dropped['spool_limit'],
            'buffer_age': dropped['buffer_age'],
            'stop': dropped['stop'],
            'ambiguous': counters['ambiguous']}


def check_valid(version):
    fault = jsonschema.exceptions.best_match(
        validator().iter_errors(version))
    assert fault is None, f'{fault.json_path}: {fault.message}'


class _Files:
    """The status files of one daemon: {node: path}."""

    def __init__(self, daemon, paths, clock_steps):
        self.daemon = daemon
        self.host = re.findall(r'(?im)^\s*Hostname\s+"([^"]*)"',
                               daemon.config_path.read_text())[-1]
        self.paths = paths
        self.clock_steps = clock_steps
        self.texts = {node: [] for node in paths}  # bytes of each version
        # What a test or an earlier life left there is none of this one's.
        self._stamps = {node: self._stamp(path.stat())
                        for node, path in paths.items() if path.is_file()}

    @staticmethod
    def _stamp(st):
        return st.st_ino, st.st_mtime_ns

    def look(self):
        """Reads what is new; whether anything was."""
        return any([self._look(node, path)
                    for node, path in self.paths.items()])

    def _look(self, node, path):
        try:
            with path.open('rb') as file:
                stamp = self._stamp(os.fstat(file.fileno()))
                if stamp == self._stamps.get(node):
                    return False
                self._stamps[node] = stamp
                self.texts[node].append(file.read())
                return True
        except OSError:
            return False  # not there yet, or never

    def last(self, node):
        texts = self.texts[node]
        return json.loads(texts[-1]) if texts else None

    def check(self):
        """Each version, and each beside the one before it."""
        for node, texts in self.texts.items():
            before = None
            for text in texts:
                version = json.loads(text)
                check_valid(version)
                assert (version['host'], version['node']) == (
                    self.host, node)
                if before is not None:
                    self._check_after(before, version)
                before = version

    def _check_after(self, before, version):
        assert not before['stopped'], 'there is a file after the last'
        for name in ('pid', 'started', 'version', 'dry_run', 'flush_interval'):
            assert before[name] == version[name], name
        falling = [name for name, n in counters_of(version).items()
                   if n < counters_of(before)[name]]
        assert not falling, f'{falling} fell from {before} to {version}'
        if self.clock_steps:
            return
        for name in ('time', 'last_accepted'):
            assert (before[name] or '') <= (version[name] or ''), (
                f'{name} went from {before[name]} to {version[name]}')

    def check_end(self):
        """The last version of a daemon that stopped well, beside its log, if
        that shows its end."""
        for node in self.paths:
            is_shown = 'Exiting normally' in self.daemon.log
            if not self.texts[node] or not is_shown:
                continue
            last = self.last(node)
            assert last['stopped'], f'not the last file of "{node}": {last}'
            mark = f'plugin: {node}: ' if node else 'plugin: '
            found = re.search(re.escape(mark) + STOPS.pattern, self.daemon.log)
            assert found, f'"{node}" does not say that it stops'
            said = {name: int(n) for name, n in found.groupdict().items()}
            assert totals_of(last) == said


class StatusWatch:
    """Reads the status files of several daemons whenever they change."""

    def __init__(self):
        self._files = {}  # by daemon
        self._changed = threading.Condition()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, daemon, paths, clock_steps=False):
        """paths of status_lines(); clock_steps: whether the daemon's clock may
        be set back."""
        with self._changed:
            self._files[daemon] = _Files(daemon, paths, clock_steps)

    def stop(self):
        """Looks a last time."""
        self._over.set()
        self._thread.join()

    def _run(self):
        is_last = False
        while not is_last:
            is_last = self._over.wait(PAUSE_S)
            with self._changed:
                if any([files.look() for files in self._files.values()]):
                    self._changed.notify_all()

    @property
    def texts(self):
        """{what: text} of all versions so far."""
        with self._changed:
            return {f'version {i} of {files.paths[node]}':
                    text.decode(errors='replace')
                    for files in self._files.values()
                    for node, texts in files.texts.items()
                    for i, text in enumerate(texts)}

    def versions(self, daemon, node=''):
        """All that were seen so far."""
        with self._changed:
            return [json.loads(text)
                    for text in self._files[daemon].texts[node]]

    def wait(self, daemon, fits, node='', timeout=20):
        """Waits until the newest version fits; returns it."""
        files = self._files[daemon]

        def look():
            last = files.last(node)
            return last if last is not None and fits(last) else None

        with self._changed:
            found = self._changed.wait_for(look, timeout)
        assert found, f'the status file says {files.last(node)}'
        return found

    # ---- the end ------------------------------------------------------------

    def check(self, killed, services):
        """All versions of all daemons.

        killed    those that did not stop by themselves
        services  all that they sent to"""
        for files in self._files.values():
            files.check()
            if files.daemon not in killed:
                files.check_end()
        if not killed:
            self._check_accepted(services)

    def _check_accepted(self, services):
        """What daemons and services say that was accepted is the same, unless
        an answer was lost, or lied."""
        lasts = [files.last(node) for files in self._files.values()
                 for node in files.paths]
        requests = [request for service in services
                    if isinstance(service, Service)
                    for request in service.requests if request.headers.get(
                        'user-agent', '').startswith('write_cloudwatch')]
        is_seen = all(files.paths for files in self._files.values())
        if not lasts or not is_seen or any(
                last is None or last['counters']['ambiguous']
                for last in lasts):
            return
        if any(request.status is not None and 200 <= request.status < 300 and
               not request.accepted for request in requests):
            return
        stored = sum(request.accepted for request in requests
                     if request.status == 200)
        counted = sum(last['counters']['accepted'] for last in lasts)
        assert counted == stored, (
            f'{stored} data were accepted, the status files say {counted}')
