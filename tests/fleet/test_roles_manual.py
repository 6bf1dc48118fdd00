"""The commands of ROLLING OUT in the manual, as they stand there, on a host of
their own; those of tools that Debian has not are only looked at."""

import os
import re
import shlex
import shutil

import pytest

from renderers import puppet_module
from rollout import CONTRIB, ROOT, SITE, Host, published

NOT_TO_BE_HAD = {'chef-client', 'salt'}
SNIPPET = '10-write_cloudwatch.conf'


def sections():
    """{heading: its commands}."""
    manual = (ROOT / 'man/collectd-write_cloudwatch.pod').read_text()
    chapter = manual.split('=head1 ROLLING OUT\n')[1].split('\n=head1 ')[0]
    return {part.split('\n', 1)[0]: re.findall(r'^  (\S.*)$', part, re.M)
            for part in chapter.split('\n=head2 ')[1:]}


def ansible(host, work):
    (work / 'hosts').write_text(
        '[web]\nlocalhost ansible_connection=local '
        'ansible_python_interpreter=/usr/bin/python3 '
        # The plugin's own is in no repository here.
        'collectd_write_cloudwatch_package=collectd-core\n')


def puppet(host, work):
    modules = host.etc / 'puppet/code/modules'
    shutil.copytree(puppet_module(work), modules, dirs_exist_ok=True)
    (host.etc / 'collectd/conf.d').mkdir()


def chef(host, work):
    for folder in ('recipes', 'templates'):
        (work / 'cookbooks/web' / folder).mkdir(parents=True)


def salt(host, work):
    pass


PREPARE = {'Ansible': ansible, 'Puppet': puppet, 'Chef': chef, 'Salt': salt}
# What the trial says of the snippet.
ROLLS_OUT = {'Ansible': '+  Namespace "MyApp"',
             'Puppet': 'File[write_cloudwatch.load]'}


def test_sections_are_known():
    found = sections()
    assert [name for name in found if found[name]] == list(PREPARE)


@pytest.mark.parametrize('tool', PREPARE)
def test_commands(tool, tmp_path):
    host, work = Host(tmp_path), tmp_path / 'work'
    work.mkdir()
    os.symlink(CONTRIB, work / 'contrib')
    PREPARE[tool](host, work)
    # What would be below / of this machine.
    commands = [command.replace('/srv/', f'{work}/srv/')
                for command in sections()[tool]]
    ran = [command for command in commands
           if shlex.split(command)[0] not in NOT_TO_BE_HAD]
    assert (len(ran) < len(commands)) == (tool not in ROLLS_OUT)
    for command in ran:
        before = host.snippets()
        status, said = host.run('sh', '-c', command, cwd=work)
        assert status == 0, f'{command}\n{said}'
        if '--check' in command or '--noop' in command:
            assert host.snippets() == before and host.restarts == 0
            assert ROLLS_OUT[tool] in said
    if tool in ROLLS_OUT:
        assert host.restarts == 1
        assert SNIPPET in {file.name for file in host.snippets().values()}
        assert published(tmp_path / 'run', host.snippets().values()) == published(
            tmp_path / 'hand', [SITE])
    elif tool == 'Salt':
        assert {path.name for path in (work / 'srv').rglob('*')
                if path.is_file()} == {
            'init.sls', 'write_cloudwatch.conf.jinja', 'write_cloudwatch.sls'}
