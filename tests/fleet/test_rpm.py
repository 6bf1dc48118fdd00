"""The spec for Fedora and EL, as far as Debian's rpmbuild goes: it builds what
"make dist" ships.  In place of collectd's source there is a tarball with the
headers of Debian's collectd-dev, laid out as there; nothing is installed."""

import pathlib
import re
import shutil
import subprocess
import tarfile

import pytest

from conftest import make_deb, once
from test_deb import ROOT

NAME = 'collectd-write_cloudwatch'
SPEC = f'contrib/packaging/{NAME}.spec'
COLLECTD = 'collectd-5.12.0'


def run(*command, **how):
    done = subprocess.run(list(map(str, command)), text=True, timeout=900,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, **how)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def tarball():
    """That of "make dist", from which "make deb" built."""
    found, = once('deb', make_deb).glob('*.orig.tar.gz')
    return found


def make_rpm(folder):
    """What rpmbuild makes of the tarball, in folder/RPMS."""
    sources = folder / 'SOURCES'
    sources.mkdir()
    version, = re.findall(r'_(.*)\.orig', tarball().name)
    archive = sources / f'write_cloudwatch-{version}.tar.gz'
    shutil.copy(tarball(), archive)
    source = folder / COLLECTD
    headers = pathlib.Path('/usr/include/collectd')
    shutil.copytree(headers / 'core', source / 'src')
    shutil.copytree(headers / 'liboconfig', source / 'src/liboconfig',
                    dirs_exist_ok=True)
    (source / 'configure').write_text('#!/bin/sh\n')
    (source / 'configure').chmod(0o755)
    with tarfile.open(sources / f'{COLLECTD}.tar.bz2', 'w:bz2') as file:
        file.add(source, COLLECTD)
    # Debian has the packages, but not by rpm's names.
    run('rpmbuild', '-tb', '--nodeps', '--define', f'_topdir {folder}',
        '--define', '_smp_mflags -j2', archive)


@pytest.fixture(scope='session')
def spec(tmp_path_factory):
    """The spec as it is shipped."""
    folder = tmp_path_factory.mktemp('spec')
    with tarfile.open(tarball()) as file:
        name, = [name for name in file.getnames() if name.endswith(SPEC)]
        file.extract(name, folder)
    return folder / name


@pytest.fixture(scope='session')
def rpm():
    package, = once('rpm', make_rpm).rglob(f'RPMS/*/{NAME}-[0-9]*.rpm')
    return package


def test_it_says_what_is_untested():
    assert 'Untested on Fedora and EL' in (ROOT / SPEC).read_text().split(
        '\n')[0]


def test_it_parses(spec):
    version, = re.findall(r'AC_INIT\(\[write_cloudwatch\], \[(.*?)\]',
                          (ROOT / 'configure.ac').read_text())
    names = run('rpmspec', '-q', '--qf', '%{name} %{version}\n', spec)
    assert names.splitlines()[0] == f'{NAME} {version}'
    parsed = run('rpmspec', '-P', spec)
    assert '@' not in re.sub('(?s)%description.*', '', parsed)
    assert re.search(r'^Requires: +collectd\S* >= 5.8$', parsed, re.M)
    assert 'collectd-5.9.0.tar.bz2' in run(
        'rpmspec', '-P', '--define', 'collectd_version 5.9.0', spec)


def test_it_builds_what_make_install_installs(rpm, deb):
    """But for where a Debian has it, and what each says of its licence."""
    libdir = run('rpm', '--eval', '%{_libdir}').strip()
    files = {}
    for line in run('rpm', '-qp', '--qf', '[%{FILEMODES:perms} %{FILENAMES}\n]',
                    rpm).splitlines():
        mode, path = line.split()
        if mode[0] == '-':
            files[path] = mode
    assert files.pop(f'{libdir}/collectd/write_cloudwatch.so') == '-rwxr-xr-x'
    page, = [path for path in files if '/man5/' in path]
    assert files.pop(page) and f'{NAME}.5' in page
    assert not [path for path in files if path.startswith('/etc')]

    examples = {path.split('/examples/')[1]: mode for path, mode in files.items()
                if f'/{NAME}/examples/' in path}
    other = run('dpkg-deb', '-c', deb)
    assert examples == {
        name: mode for mode, name in re.findall(
            r'^(-\S+) .*?/examples/(\S+)$', other, re.M)}
    assert {pathlib.Path(path).name for path in files
            if '/examples/' not in path} == {'COPYING', 'NEWS', 'README'}
