"""The commands of the manual's chapter INSTALLING, and those of README, run as
they are written on a bare Debian 12."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
MANUAL = (ROOT / 'man/collectd-write_cloudwatch.pod').read_text()
README = (ROOT / 'README').read_text()
MODULE = '/usr/lib/collectd/write_cloudwatch.so'


def blocks(text, begin, end):
    """The indented blocks between two headings, as scripts."""
    part = text[text.index(begin) + len(begin):]
    part = part[:part.index(end)]
    return ['\n'.join(line.strip() for line in block.splitlines())
            for block in part.strip('\n').split('\n\n')
            if block.startswith(' ')]


SOURCE, PACKAGE = blocks(MANUAL, '=head1 INSTALLING', '=head1 ')
README_SOURCE, = blocks(README, 'Install\n-------\n', 'Configure\n---------')


def test_readme_says_the_same():
    assert README_SOURCE == SOURCE


def run(debian, script, folder):
    """As somebody who types it, but that apt asks nothing."""
    script = script.replace('apt-get install', 'apt-get -q -y install')
    return debian.run('sh', '-ec', f'cd {folder}\n{script}').stdout


def copy_tree(debian):
    """What git would have, on the host of the test."""
    files = subprocess.run(
        ['find', '.', '-type', 'f', '-not', '-path', './.*/*', '-not', '-name',
         '*.o', '-print0'], cwd=ROOT, capture_output=True, check=True,
        timeout=60).stdout
    debian.path('/source').mkdir()
    subprocess.run(
        f'tar --null -T - -cf - | tar -C {debian.path("/source")} -xf -',
        cwd=ROOT, input=files, shell=True, check=True, timeout=60)


def test_from_source(debian):
    copy_tree(debian)
    run(debian, SOURCE, '/source')
    assert debian.path(MODULE).is_file()
    out = debian.run('collectd', '-h').stdout
    assert re.search(r'Plugin directory +/usr/lib/collectd$', out, re.M), out
    assert [path for path in debian.files()
            if path.endswith('examples/cloudwatch-status')]
    run(debian, 'make uninstall', '/source')
    assert not debian.path(MODULE).exists()


def test_the_package(debian, deb):
    """make deb itself is what made deb: see conftest.py."""
    needs, build, install = PACKAGE.splitlines()
    assert build == 'make deb' and deb.parent.name == 'deb'
    run(debian, f'apt-get update -q\n{needs} --no-install-recommends', '/')
    debian.copy(deb, f'/source/deb/{deb.name}')
    run(debian, install, '/source')
    assert debian.path(MODULE).is_file()
