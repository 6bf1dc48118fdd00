"""The Debian package on a bare Debian 12: what it installs, that it publishes,
and that nothing is left of it."""

import filecmp
import pathlib
import re
import subprocess

from published import BOTH, Published, lay_snippet

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAME = 'collectd-plugin-write-cloudwatch'
MODULE = '/usr/lib/collectd/write_cloudwatch.so'
EXAMPLES = f'/usr/share/doc/{NAME}/examples'
STATUS = '/run/write_cloudwatch.json'
# What dpkg, apt and the daemon keep for themselves.
KEPT = ('/var/cache', '/var/lib/apt', '/var/lib/dpkg', '/var/log', '/tmp',
        '/run')


def field(deb, name):
    return subprocess.run(['dpkg-deb', '-f', deb, name], capture_output=True,
                          text=True, check=True, timeout=30).stdout.strip()


def dependencies(deb):
    return sorted(set(re.findall(r'(?:^|, )([\w.+-]+)', field(deb, 'Depends'))))


def installed(debian):
    return debian.run('dpkg', '-L', NAME).stdout.split()


def lay_example(debian):
    """The shortest example as it is, and a file for cloudwatch-status."""
    lay_snippet(debian, debian.path(
        f'{EXAMPLES}/write_cloudwatch.conf').read_text())
    lay_snippet(debian, '<Plugin write_cloudwatch>\n'
                f'StatusFile "{STATUS}"\n</Plugin>\n', '20-status.conf')


def show_status(debian, daemon):
    """What cloudwatch-status says when all is well."""
    daemon.wait_both()
    daemon.wait_both()  # a file is written after its flush, before the next
    return debian.run(f'{EXAMPLES}/cloudwatch-status', STATUS).stdout


def with_version(deb, version, folder):
    """The same package under another version."""
    files = folder / 'files'
    folder.mkdir()
    subprocess.run(['dpkg-deb', '-R', deb, files], check=True, timeout=60)
    control = files / 'DEBIAN/control'
    control.write_text(re.sub('(?m)^Version: .*', f'Version: {version}',
                              control.read_text()))
    result = folder / f'{NAME}_{version}.deb'
    subprocess.run(['dpkg-deb', '--root-owner-group', '-b', files, result],
                   check=True, timeout=60)
    return result


def test_lintian_says_nothing(deb):
    changes, = deb.parent.glob('*.changes')
    done = subprocess.run(
        ['lintian', '--no-cfg', '--allow-root', '--fail-on',
         'error,warning', changes], text=True, timeout=300,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert (done.returncode, done.stdout) == (0, '')


def test_version_is_that_of_the_source(deb):
    version, = re.findall(r'AC_INIT\(\[write_cloudwatch\], \[(.*?)\]',
                          (ROOT / 'configure.ac').read_text())
    assert field(deb, 'Version') == f'{version}-1'


def test_bare_debian(debian, deb):
    debian.install(deb)
    assert debian.run('dpkg', '-V', NAME).stdout == ''
    files = installed(debian)
    assert not [path for path in files if path.startswith('/etc')]
    assert debian.run('grep', '-rl', 'write_cloudwatch', '/etc',
                      check=False).stdout == ''

    # It is where this daemon looks.
    folder, = re.findall(r'Plugin directory +(\S+)',
                         debian.run('collectd', '-h').stdout)
    assert f'{folder}/write_cloudwatch.so' == MODULE and MODULE in files

    # The page opens as people open it.
    debian.install('man-db')
    page = debian.run('man', '5', 'collectd-write_cloudwatch',
                      env={'MANWIDTH': '80', 'MAN_KEEP_FORMATTING': ''}).stdout
    assert re.search(r'write_cloudwatch', page) and len(page) > 50_000
    assert re.search(r'^(O.)*OPTIONS|^CONFIGURATION|^SYNOPSIS', page, re.M)


def test_examples_are_those_of_the_tree(debian, deb):
    debian.install(deb)
    folder = debian.path(EXAMPLES)
    found = {str(path.relative_to(folder)) for path in folder.rglob('*')
             if path.is_file()}
    assert found >= {path.name for path in ROOT.glob('collectd.conf.d/*')}
    assert {'cloudwatch-status', 'terraform/alarms.tf',
            'contrib/salt/write_cloudwatch/init.sls'} <= found
    for name in found:
        source, = [path for part in ('collectd.conf.d', 'contrib')
                   for path in (ROOT / part).rglob(pathlib.Path(name).name)
                   if str(path).endswith(f'/{name}')]
        assert filecmp.cmp(folder / name, source, shallow=False), name
        assert (folder / name).stat().st_mode & 0o777 == (
            0o755 if source.stat().st_mode & 0o100 else 0o644), name


def test_published_and_read_back(debian, deb):
    debian.install(deb, 'python3-minimal', 'python3')
    lay_example(debian)
    with Published(debian) as daemon:
        shown = show_status(debian, daemon)
        available = daemon.read_back('Memory Available')
        sockets = daemon.read_back('Sockets Used')
    assert all(name in shown for name in BOTH), shown
    total, = re.findall(r'MemTotal: +(\d+)',
                        pathlib.Path('/proc/meminfo').read_text())
    assert available and all(0 < value < int(total) / 1024
                             for value in available)
    assert sockets and all(value >= 0 for value in sockets)


def test_purge_leaves_nothing(debian, deb):
    debian.install('python3', *dependencies(deb))
    # Python's cache is not ours.
    debian.run('python3', '-c', 'import argparse, json, shutil, textwrap')
    lay_snippet(debian, '', 'empty.conf')
    before = debian.files(*KEPT)
    debian.install(deb)
    lay_example(debian)
    with Published(debian) as daemon:
        show_status(debian, daemon)
    ours = set(debian.files(*KEPT)) - set(before)
    assert MODULE in ours
    debian.run('apt-get', '-q', '-y', 'purge', NAME)
    for path in ('collectd.conf', 'collectd.conf.d/10-write_cloudwatch.conf',
                 'collectd.conf.d/20-status.conf'):  # the user's
        debian.path(f'/etc/collectd/{path}').unlink()
    assert debian.files(*KEPT) == before
    assert NAME not in debian.run('dpkg-query', '-W').stdout
    assert not [path for path in debian.files() if NAME in path
                and not path.startswith(('/var/cache/apt', '/tmp'))]


def test_upgrade_under_a_running_daemon(debian, deb, tmp_path):
    old = with_version(deb, '0.0.1-1', tmp_path / 'old')
    debian.install(old)
    lay_example(debian)
    with Published(debian) as daemon:
        daemon.wait_both()
        debian.install(deb)
        maps = pathlib.Path(f'/proc/{daemon.pid}/maps').read_text()
        assert re.search(r'write_cloudwatch\.so\S* \(deleted\)', maps), maps
        daemon.wait_both()
    assert debian.run('dpkg-query', '-W', '-f', '${Version}',
                      NAME).stdout == field(deb, 'Version')
    with Published(debian) as daemon:
        daemon.wait_both()
