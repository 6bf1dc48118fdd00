"""rollout: a host that configuration management writes to, and what collectd
makes of the files that it finds there.

    host = Host(tmp_path)
    host.run('ansible-playbook', ...)
    host.restarts                      # of the service, so far
    published(folder, host.snippets().values())

The host is this machine with a copy of /etc, in which the service is a script
that notes what is asked of it, and with our module among collectd's plugins.
It is made of mounts that only the commands of run() see, and needs root.
"""

import pathlib
import re
import shutil
import subprocess
import time

from cloudwatch import Service
from daemon import Daemon, find_module, find_plugin_folder
from scene import KEY, MINUTE, REGION, SECRET

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONTRIB = ROOT / 'contrib'

# What all examples of contrib/ describe, as one would write it by hand.
SITE = r'''
LoadPlugin memory
LoadPlugin tcpconns
<Plugin tcpconns>
  AllPortsSummary true
</Plugin>

<LoadPlugin write_cloudwatch>
  Interval 60
</LoadPlugin>
<Plugin write_cloudwatch>
  Namespace "MyApp"
  Region "eu-west-1"
  Dimension "Group" "web"
  <Metric "Sockets Used">
    Plugin "tcpconns"
    PluginInstance "all"
    TypeInstance "ESTABLISHED"
    Unit "Count"
  </Metric>
  <Metric "Memory Available">
    Plugin "memory"
    Type "memory"
    TypeInstance "/^(free|buffered|cached|slab_recl)$/"
    Combine "sum"
    Scale 0.00000095367431640625
    Unit "Megabytes"
  </Metric>
</Plugin>
'''

MIB = 1 << 20
VALUES = {'tcpconns-all/tcp_connections-ESTABLISHED': 187,
          'tcpconns-all/tcp_connections-CLOSED': 5,
          'memory/memory-free': 100.5 * MIB,
          'memory/memory-buffered': 20 * MIB,
          'memory/memory-cached': 3 * MIB,
          'memory/memory-slab_recl': 4 * MIB,
          'memory/memory-used': 500 * MIB}
EXPECTED = {'Sockets Used': 187, 'Memory Available': 127.5}

SERVICE = '''#!/bin/sh
# What is asked of the service; it runs all the time.
echo "$1" >>{log}
'''
MOUNTS = ('mount --make-rprivate / && mount --bind "$1" /etc && '
          'mount --bind "$2" {plugins} && cd "$3" && shift 3 && exec "$@"')


class Host:
    """folder  of its own, for all that it has"""

    def __init__(self, folder):
        self.folder = folder / 'host'
        self.etc = self.folder / 'etc'
        self._plugins = self.folder / 'plugins'
        self._log = self.folder / 'service.log'
        self.folder.mkdir()
        subprocess.run(['cp', '-a', '/etc', self.etc], check=True, timeout=60)
        shutil.rmtree(self.etc / 'collectd', ignore_errors=True)
        (self.etc / 'collectd/collectd.conf.d').mkdir(parents=True)
        shutil.copytree(find_plugin_folder(), self._plugins, symlinks=True)
        shutil.copyfile(find_module(), self._plugins / 'write_cloudwatch.so')
        script = self.etc / 'init.d/collectd'
        script.write_text(SERVICE.format(log=self._log))
        script.chmod(0o755)

    def run(self, *command, cwd=ROOT, environment=None, timeout=180):
        """Runs a command there; returns its status and all that it said."""
        done = subprocess.run(
            ['unshare', '--mount', 'sh', '-c',
             MOUNTS.format(plugins=find_plugin_folder()), 'sh', self.etc,
             self._plugins, cwd, *map(str, command)],
            env={'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:'
                         '/sbin:/bin', 'HOME': str(self.folder),
                 'LC_ALL': 'C.UTF-8', **(environment or {})},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=timeout)
        return done.returncode, done.stdout

    @property
    def asked(self):
        """What was asked of the service: restart, start, stop, status, ..."""
        return self._log.read_text().split() if self._log.exists() else []

    @property
    def restarts(self):
        """A restart may be a stop and a start; a reload is none."""
        return sum(word in ('restart', 'start') for word in self.asked)

    def snippets(self):
        """The files for collectd, by their path on the host."""
        return {f'/{path.relative_to(self.etc.parent)}': path
                for folder in ('collectd', 'collectd.d')
                for path in sorted((self.etc / folder).rglob('*'))
                if path.is_file()}


class Snippets(Daemon):
    """A daemon that has nothing but some files; keys and endpoint come from the
    environment."""

    def __init__(self, folder, files, service):
        plugins = folder / 'plugins'
        plugins.mkdir(parents=True)
        lines = [f'PluginDir "{plugins}"']
        for number, file in enumerate(files):
            text = file if isinstance(file, str) else file.read_text()
            for name in re.findall(r'LoadPlugin "?(\w+)', text):
                if name != 'write_cloudwatch':
                    shutil.copy(f'{find_plugin_folder()}/{name}.so', plugins)
            copy = folder / f'{number}.conf'
            # Nothing is flushed between two of our values.
            copy.write_text(re.sub(r'((?:Flush)?Interval) "?60\b', r'\1 3600',
                                   text))
            copy.chmod(0o640)
            lines.append(f'Include "{copy}"')
        super().__init__(
            folder, '\n'.join(lines), load_options=None, interval=1,
            environment={'AWS_ACCESS_KEY_ID': KEY,
                         'AWS_SECRET_ACCESS_KEY': SECRET,
                         'AWS_ENDPOINT_URL_CLOUDWATCH': service.url})


def wait_for_reads(daemon, seconds=4, timeout=60):
    """Waits until collectd has read for so long what the metrics are made of:
    of a sum, the first moments are not published."""
    end = time.monotonic() + timeout
    wanted = [f'testhost/{identifier}' for identifier in VALUES]
    first = None
    while True:
        seen = {name: float(at) for at, name in (
            line.split(' ', 1) for line in daemon.command('LISTVAL')[1:])}
        last = min(seen.get(name, 0) for name in wanted)
        first = first or last
        if first and last >= first + seconds:
            return daemon.settle()
        assert time.monotonic() < end, f'{seen}\n{daemon.log}'
        time.sleep(0.05)


def run(folder, files, feed):
    """What CloudWatch has when collectd has run with the files (or texts)
    alone, and feed(daemon, service) has done its part."""
    with Service(credentials={KEY: (SECRET, None)}, region=REGION) as service:
        with Snippets(folder, files, service) as daemon:
            feed(daemon, service)
        assert not [line for line in daemon.lines
                    if re.match(r'\[(warning|error)\]', line)
                    and 'write_cloudwatch' in line], daemon.log
        return service.datums


def published(folder, files, expected=EXPECTED):
    """What CloudWatch has of VALUES."""
    def feed(daemon, service):
        for identifier, value in VALUES.items():
            daemon.putval(f'web-1/{identifier}', f'{MINUTE}:{value}')
        daemon.flush()
        service.wait_datums(len(expected), 30)
    ours = [{key: datum.get(key) for key in (
        'Namespace', 'MetricName', 'Dimensions', 'Unit', 'Value', 'Values',
        'Counts', 'StatisticValues', 'StorageResolution')}
        for datum in run(folder, files, feed) if datum['Timestamp'] == MINUTE]
    ours.sort(key=lambda datum: datum['MetricName'])
    assert {datum['MetricName']: datum['Value'] for datum in ours} == expected
    return ours


def read_by_itself(folder, files):
    """Namespace, name and dimensions of what collectd reads and publishes."""
    return {(datum['Namespace'], datum['MetricName'],
             tuple(sorted(datum['Dimensions'].items())))
            for datum in run(folder, files, lambda daemon, _:
                             wait_for_reads(daemon))}
