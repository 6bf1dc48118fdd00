"""daemon: a real collectd with a configuration, folders and a socket of its own.

    with Daemon(tmp_path, '<Plugin write_cloudwatch> ... </Plugin>') as daemon:
        daemon.putval('host/memory/memory-free', 'N:1')
        daemon.flush()
    assert daemon.status == 0

Everything lives below the given folder.  Every wait has an end.  MODULE names
the built write_cloudwatch.so (default: .libs/ of $builddir); COLLECTD_PRELOAD,
if set, is preloaded into the daemon (the runtime of a sanitizer).
"""

import functools
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

COLLECTD = shutil.which('collectd', path='/usr/sbin:/usr/local/sbin:/sbin')
ROOT = pathlib.Path(__file__).resolve().parents[2]
PASSED_ON = ('ASAN_OPTIONS', 'LSAN_OPTIONS', 'UBSAN_OPTIONS', 'TSAN_OPTIONS')


def find_built(name):
    """What make has built, below $builddir: a regular file, as collectd refuses
    links."""
    path = pathlib.Path(os.environ.get('builddir', ROOT), name).resolve()
    if not path.is_file():
        raise FileNotFoundError(f'{path} is not there: run make check-e2e, or '
                                'make first and name builddir')
    return path


def find_module():
    """The module under test."""
    if 'MODULE' in os.environ:
        return pathlib.Path(os.environ['MODULE']).resolve(strict=True)
    return find_built('.libs/write_cloudwatch.so')


@functools.cache
def find_plugin_folder():
    """Where the daemon has its own plugins, as it says itself."""
    text = subprocess.run([COLLECTD, '-h'], capture_output=True, text=True,
                          timeout=10).stdout
    return re.search(r'Plugin directory\s+(\S+)', text).group(1)


def load(module, options=''):
    """The lines that load a module of ours; options stand in the LoadPlugin
    block."""
    return (f'PluginDir "{module.parent}"\n'
            f'<LoadPlugin {module.stem}>\n{options}\n</LoadPlugin>\n'
            f'PluginDir "{find_plugin_folder()}"\n')


class Daemon:
    """One run of collectd.

    folder       for everything it writes; must be empty of an earlier run
    config       what stands after the loading of our module
    before       what stands before it (other plugins, global options)
    load_options what stands inside <LoadPlugin write_cloudwatch>; None: the
                 module is not loaded here, config does it with load()
    interval     the daemon's Interval in seconds
    write_threads  1 makes settle() exact
    probe        a Probe, loaded after our module
    environment  added to a nearly empty one; None takes a variable away.
                 {home} stands for the daemon's HOME, which is folder
    files        {path below HOME: text or bytes}, {home} as above
    user         whom it runs as: a name; None: as we do
    wrapper      command put before collectd, such as ('valgrind', '-q')
    arguments    of collectd, without -C
    """

    def __init__(self, folder, config, *, before='', load_options='',
                 interval=1, write_threads=1, probe=None, environment=None,
                 files=None, user=None, wrapper=(), arguments=('-f',)):
        self.folder = pathlib.Path(folder)
        self.socket_path = self.folder / 'socket'
        self.config_path = self.folder / 'collectd.conf'
        self.status = None
        self.lines = []  # of the log, guarded by changed
        self.changed = threading.Condition()
        self._ended = False
        self._process = None
        self._socket = None

        plugins = self.folder / 'plugins'
        plugins.mkdir(parents=True, exist_ok=True)
        self.module = plugins / 'write_cloudwatch.so'
        shutil.copyfile(find_module(), self.module)
        self._n_marks = 0
        before = f'WriteThreads {write_threads}\n' + before
        if probe is not None:
            config = probe.install(self.folder, load) + config
        self._write_config(config, before, load_options, interval)
        self.files = []  # what write() wrote, and what should hold secrets
        self._user = user
        for name, content in (files or {}).items():
            self.write(name, content)
        if user is not None:
            wrapper = [*wrapper, 'setpriv', f'--reuid={user}',
                       f'--regid={pwd.getpwnam(user).pw_gid}',
                       '--clear-groups']
        self._command = [*wrapper, COLLECTD, '-C', str(self.config_path),
                         *arguments]
        self._environment = self._make_environment(environment or {})

    def _write_config(self, config, before, load_options, interval):
        text = f'''Hostname "testhost"
FQDNLookup false
Interval {interval}
BaseDir "{self.folder}"
PIDFile "{self.folder}/pid"
TypesDB "/usr/share/collectd/types.db"
PluginDir "{find_plugin_folder()}"
LoadPlugin logfile
<Plugin logfile>
  LogLevel info
  File STDOUT
  Timestamp false
  PrintSeverity true
</Plugin>
LoadPlugin unixsock
<Plugin unixsock>
  SocketFile "{self.socket_path}"
  DeleteSocket true
</Plugin>
{before}
'''
        if load_options is not None:
            text += load(self.module, load_options)
        self.config_path.write_text(text + config + '\n')
        self.config_path.chmod(0o640)

    def _make_environment(self, more):
        environment = {'PATH': os.environ['PATH'], 'HOME': str(self.folder),
                       'AWS_EC2_METADATA_DISABLED': 'true'}
        for name in PASSED_ON:
            if name in os.environ:
                environment[name] = os.environ[name]
        if 'COLLECTD_PRELOAD' in os.environ:
            environment['LD_PRELOAD'] = os.environ['COLLECTD_PRELOAD']
        return {name: self._fill_in(value)
                for name, value in {**environment, **more}.items()
                if value is not None}

    def _fill_in(self, text):
        return text.replace('{home}', str(self.folder))

    def write(self, name, content, mode=0o600):
        """Writes a file of the daemon's home as tools do it: whole, or not at
        all.  A script can be run.  Returns its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = self._fill_in(content).encode()
        new = path.with_name(path.name + '.new')
        new.write_bytes(content)
        new.chmod(0o700 if content.startswith(b'#!') else mode)
        if self._user is not None:
            shutil.chown(new, self._user)
        os.replace(new, path)
        self.files.append(path)
        return path

    # ---- life ---------------------------------------------------------------

    def launch(self):
        """Starts the process and reads its log."""
        if self._user is not None:
            for path in [self.folder, *self.folder.rglob('*')]:
                shutil.chown(path, self._user)
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors='replace', start_new_session=True, cwd=self.folder)
        threading.Thread(target=self._read_log, daemon=True).start()
        return self

    def _read_log(self):
        for line in self._process.stdout:
            with self.changed:
                self.lines.append(line.rstrip('\n'))
                self.changed.notify_all()
        with self.changed:
            self._ended = True
            self.changed.notify_all()

    def start(self, timeout=30):
        """Starts the daemon and waits until it reads and writes values."""
        self.launch()
        try:
            self.wait_for(r'Initialization complete', timeout)
        except BaseException:
            self.kill()
            raise
        return self

    def run(self, timeout=30):
        """Starts the daemon and waits until it ends by itself."""
        self.launch()
        return self._join(timeout)

    def stop(self, timeout=60):
        """Ends the daemon as an administrator does; returns its status."""
        self._hang_up()
        self.signal(signal.SIGTERM)
        return self._join(timeout)

    def stop_background(self, timeout=60):
        """Ends a daemon that has left the foreground (arguments without
        -f), of which the launched process is only the parent."""
        os.kill(int((self.folder / 'pid').read_text()), signal.SIGTERM)
        with self.changed:
            assert self.changed.wait_for(lambda: self._ended, timeout)
        return self._join(timeout)

    def signal(self, number):
        if self._process.poll() is None:
            os.killpg(self._process.pid, number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self._join(10)

    def _hang_up(self):
        if self._socket is not None:
            self._answers.close()
            self._socket.close()
            self._socket = None

    def _join(self, timeout):
        self._hang_up()
        try:
            self.status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self._process.wait(10)
            raise AssertionError(
                f'collectd did not end within {timeout} s\n{self.log}')
        with self.changed:
            self.changed.wait_for(lambda: self._ended, 10)
        return self.status

    @property
    def pid(self):
        """None before it is started."""
        return self._process and self._process.pid

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.stop()
        else:
            self.kill()

    # ---- log ----------------------------------------------------------------

    @property
    def log(self):
        with self.changed:
            return '\n'.join(self.lines)

    def wait_for(self, pattern, timeout=30):
        """Waits for a line of the log; returns the match."""
        expression = re.compile(pattern)
        read = 0
        found = None

        def look():
            nonlocal read, found
            while found is None and read < len(self.lines):
                found = expression.search(self.lines[read])
                read += 1
            return found is not None or self._ended

        with self.changed:
            self.changed.wait_for(look, timeout)
        if found is None:
            raise AssertionError(f'the log has no /{pattern}/\n{self.log}')
        return found

    # ---- values -------------------------------------------------------------

    def _connect(self, timeout):
        # The unixsock plugin opens its socket in a thread of its own, some
        # time after the daemon has said that it is ready.
        end = time.monotonic() + timeout
        while True:
            self._socket = socket.socket(socket.AF_UNIX)
            try:
                self._socket.connect(str(self.socket_path))
                break
            except OSError:
                self._socket.close()
                self._socket = None
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
        self._answers = self._socket.makefile('r', errors='surrogateescape')

    def command(self, line, timeout=10):
        """Sends one command through the socket; returns the answer's lines.
        Bytes that are not UTF-8 are as surrogateescape has them."""
        if self._socket is None:
            self._connect(timeout)
        self._socket.settimeout(timeout)
        self._socket.sendall(line.encode(errors='surrogateescape') + b'\n')
        first = self._answers.readline().rstrip('\n')
        n, _, text = first.partition(' ')
        if not re.fullmatch(r'-?\d+', n) or int(n) < 0:
            raise AssertionError(f'{line}: {first}')
        return [text] + [self._answers.readline().rstrip('\n')
                         for _ in range(int(n))]

    def putval(self, identifier, *values, interval=None):
        """Dispatches values such as '1700000000:1.5', 'N:U' or '17:1:2'."""
        escaped = identifier.replace('\\', '\\\\').replace('"', '\\"')
        option = f' interval={interval}' if interval is not None else ''
        self.command(f'PUTVAL "{escaped}"{option} {" ".join(values)}')

    def settle(self, timeout=10):
        """Waits until the values put so far have been written.

        The daemon queues values.  One more is put, which is no number, so that
        nothing publishes it (but for OnNaN zero); when it shows up in the
        daemon's cache, the one write thread has done with those before it.  Its
        interval is long, or the cache of a daemon whose clock runs fast might
        forget it before it was seen.
        """
        self._n_marks += 1
        mark = f'testhost/settled/gauge-{self._n_marks}'
        self.putval(mark, 'N:U', interval=86400)
        end = time.monotonic() + timeout
        while True:
            try:
                self.command(f'GETVAL {mark}')
                return
            except AssertionError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.002)

    def now(self, timeout=10):
        """What the daemon's clock says, a moment ago; the values put so far
        have been written, as after settle(), but there is one mark for all
        times.  The daemon does not take one that is not newer than the last,
        so it may have to be put again."""
        mark = 'testhost/now/gauge'
        before = self._time_of(mark)
        again = time.monotonic()
        end = again + timeout
        while (now := self._time_of(mark)) <= before:
            assert time.monotonic() < end, 'the daemon keeps a value back'
            if time.monotonic() >= again:
                self.putval(mark, 'N:U', interval=86400)
                again = time.monotonic() + 0.1
        return now

    def _time_of(self, identifier):
        """When the daemon's cache last had a value of it; 0: never."""
        for line in self.command('LISTVAL')[1:]:
            when, _, what = line.partition(' ')
            if what == identifier:
                return float(when)
        return 0

    def flush(self, timeout=None, plugin=None):
        """Asks all plugins, or one, to flush what was put; timeout in
        seconds."""
        self.settle()
        line = 'FLUSH'
        if timeout is not None:
            line += f' timeout={timeout}'
        if plugin is not None:
            line += f' plugin="{plugin}"'
        self.command(line)
