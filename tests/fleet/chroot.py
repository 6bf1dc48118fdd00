"""A throw-away Debian 12 in a folder: debootstrap's minbase, and what a test
installs there.

    with Chroot(folder) as host:               # a copy of make_base()'s folder
        host.install('collectd-core', deb)     # names, or paths of .deb files
        host.copy('my.conf', '/etc/collectd/collectd.conf')
        daemon = host.start('collectd', '-f')  # a Popen
        print(host.run('collectd', '-h').stdout)

The fixture `debian` of conftest.py is one that is new for each test; it shares
nothing with this machine but the network, /dev and the packages that apt has
already fetched.  Its processes and mounts are in namespaces of their own, held
by one process that ends when its standard input does: so all of them are gone,
with the mounts, however the test ends.  It needs root.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

SUITE = 'bookworm'
ARCHIVES = '/var/cache/apt/archives'
APT = ('apt-get', '-q', '-y', '--no-install-recommends')

# The first process of the folder: reaps orphans, and lives as long as we do.
HOLDER = '''import signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("ready", flush=True)
sys.stdin.read()
'''
MOUNT = '''mount -t proc proc "$1/proc" && mount -t sysfs -o ro sysfs "$1/sys" &&
mount --rbind /dev "$1/dev" && shift && exec "$@"'''


def _output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True,
                          timeout=60).stdout


def _sources():
    """[(uri, release)] from which this machine has its Debian."""
    targets = _output('apt-get', 'indextargets', '--format',
                      '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)',
                      'Created-By: Packages')
    found = [line.split()[:2] for line in sorted(set(targets.splitlines()))
             if line.endswith(' main Debian')
             and re.match(f'{SUITE}\\b', line.split()[1])]
    assert any(release == SUITE for _, release in found), (
        f'apt knows no source of {SUITE}:\n{targets}')
    return found


def make_base(folder, timeout=900):
    """Makes the folder that all are copies of."""
    sources = _sources()
    mirror = next(uri for uri, release in sources if release == SUITE)
    done = subprocess.run(
        ['debootstrap', '--variant=minbase', f'--cache-dir={ARCHIVES}', SUITE,
         folder, mirror], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=timeout)
    assert done.returncode == 0, done.stdout[-4000:]
    # How this machine reaches the mirror (a proxy, how old lists may be).
    acquire = [line for line in _output('apt-config', 'dump').splitlines()
               if line.startswith('Acquire::')
               and not line.startswith('Acquire::IndexTargets')]
    apt = pathlib.Path(folder, 'etc/apt')
    (apt / 'sources.list').write_text(''.join(
        f'deb {uri} {release} main\n' for uri, release in sources))
    (apt / 'apt.conf.d/10acquire').write_text('\n'.join(acquire) + '\n')
    with Chroot(folder) as base:
        base.run('apt-get', '-q', 'update')


class Chroot:
    """folder  a root file system, such as a copy of make_base()'s"""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self._holder = None
        self._started = []

    def __enter__(self):
        self._holder = subprocess.Popen(
            ['unshare', '--mount', '--pid', '--fork', '--kill-child',
             'sh', '-c', MOUNT, 'sh', str(self.folder), sys.executable, '-c',
             HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._holder.stdout.readline() == 'ready\n', (
            'a Debian in a folder needs root')
        children = f'/proc/{self._holder.pid}/task/{self._holder.pid}/children'
        first = pathlib.Path(children).read_text().strip()
        self._wrapper = ['nsenter', f'--target={first}', '--mount', '--pid',
                         '--', 'chroot', str(self.folder)]
        return self

    def __exit__(self, *_):
        """Ends all that runs in it."""
        self._holder.stdin.close()
        self._holder.wait(30)
        self._holder.stdout.close()
        for process in self._started:
            process.wait(30)
            if process.stdout:
                process.stdout.close()

    def path(self, name):
        """Where this machine sees the file."""
        return self.folder / str(name).lstrip('/')

    def copy(self, source, to):
        """Copies a file or a folder into it, with modes; belongs to root."""
        target = self.path(to)
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(['cp', '-RT', '--preserve=mode', source, target],
                       check=True, timeout=60)

    @staticmethod
    def _environment(more):
        return {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root',
                'LC_ALL': 'C.UTF-8', 'DEBIAN_FRONTEND': 'noninteractive',
                **(more or {})}

    def start(self, *command, env=None, **how):
        """Starts a command and returns its Popen; it ends with the folder."""
        process = subprocess.Popen(
            [*self._wrapper, *map(str, command)], text=True,
            env=self._environment(env), **{'stdin': subprocess.DEVNULL, **how})
        self._started.append(process)
        return process

    def run(self, *command, env=None, input='', timeout=300, check=True):
        """Runs a command to its end; returns what subprocess.run() does, with
        both outputs in stdout.  A status other than 0 fails unless check is
        False."""
        done = subprocess.run(
            [*self._wrapper, *map(str, command)], input=input, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout,
            env=self._environment(env))
        assert not check or done.returncode == 0, (
            f'{command} ended with {done.returncode}:\n{done.stdout[-4000:]}')
        return done

    def install(self, *packages, timeout=300):
        """Installs packages with what they need: names, or paths of .deb files
        of this machine."""
        wanted = []
        for package in packages:
            if str(package).endswith('.deb'):
                name = f'/tmp/{pathlib.Path(package).name}'
                self.copy(package, name)
                package = name
            wanted.append(package)
        self._fetch_known(self.run(*APT, '--print-uris', 'install', *wanted))
        done = self.run(*APT, 'install', *wanted, timeout=timeout)
        for name in wanted:
            if name.startswith('/tmp/'):
                self.path(name).unlink()
        return done

    def _fetch_known(self, listed):
        """Takes from this machine what it has fetched before."""
        for name in re.findall(r"^'\S+' (\S+\.deb)", listed.stdout, re.M):
            known = pathlib.Path(ARCHIVES, name)
            if known.exists():
                shutil.copy(known, self.path(known))

    def files(self, *without):
        """Every path in it, sorted; not those below the given ones."""
        found = []
        for folder, names, files in os.walk(self.folder):
            inside = '/' + os.path.relpath(folder, self.folder).lstrip('.')
            inside = inside.replace('//', '/').rstrip('/')
            names[:] = [name for name in names
                        if f'{inside}/{name}' not in without]
            found += [f'{inside}/{name}' for name in names + files]
        return sorted(found)
