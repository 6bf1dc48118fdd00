"""credential_process: a program as the source, in a daemon that has children
of its own or wants to know nothing of them."""

import json
import pathlib
import time

import pytest

from scene import warnings, without_keys
from story import children, start

PROFILE = '[default]\ncredential_process = {home}/helper'
SIGCHLD = 17
# Programs of the exec plugin: one that stays and has children that end all
# the time, and one that ends at once and is started every second.
EXEC = '''LoadPlugin exec
<Plugin exec>
  Exec "nobody" "/bin/sh" "-c" "while sleep 0.05; do (exit 3) & done"
  Exec "nobody" "/bin/true"
</Plugin>'''


def helper(*lines):
    return '\n'.join(['#!/bin/sh', 'echo x >> {home}/runs', *lines, ''])


def given(keys, *lines):
    """What prints these keys."""
    return {'.aws/config': PROFILE + '\n',
            'keys.json': json.dumps(keys.process_document()),
            'helper': helper(*lines or ('cat {home}/keys.json',))}


def runs(story):
    path = story.daemon.folder / 'runs'
    return len(path.read_text().split()) if path.exists() else 0


def ignores_sigchld(pid):
    text = pathlib.Path(f'/proc/{pid}/status').read_text(encoding='utf-8')
    line, = [line for line in text.splitlines() if line.startswith('SigIgn')]
    return int(line.split()[1], 16) >> SIGCHLD - 1 & 1 == 1


def wait_without_program(pid, timeout=5):
    """No child is left, dead or alive, but those of the exec plugin: neither
    the program nor what waits for it, which has the daemon's name."""
    end = time.monotonic() + timeout
    while left := [one for one in children(pid)
                   if one[0] not in ('sh', 'true')]:
        assert time.monotonic() < end, left
        time.sleep(0.02)


@pytest.mark.parametrize('before', ['', EXEC], ids=['alone', 'with exec'])
def test_program(scene, before):
    """Twice, as AWS knows the first keys no more: what it prints counts,
    whoever is told of its end, and nothing of it is left."""
    service = scene.service()
    old, new = scene.keyring.issue(), scene.keyring.issue()
    story = start(scene, service, without_keys(service), before=before,
                  files=given(old))
    assert ignores_sigchld(story.daemon.pid) == (before == '')
    assert story.send(2).sent_by() == old.key
    story.daemon.write('keys.json', json.dumps(new.process_document()))
    scene.keyring.forget(old)
    story.send(2)
    assert story.signers() == [old.key, new.key]
    assert runs(story) == 2
    wait_without_program(story.daemon.pid)
    if before:
        names = [name for name, _ in children(story.daemon.pid)]
        assert 'sh' in names, names


@pytest.mark.parametrize('before', ['', EXEC], ids=['alone', 'with exec'])
@pytest.mark.parametrize('lines, message', [
    (['echo broken >&2', 'exit 7'], 'ended with status 7 and said: broken'),
    (['exit 0'], 'printed nothing'),
    (['cat {home}/keys.json', 'exit 7'], 'ended with status 7'),
    (['cat {home}/keys.json', 'exec >&-', 'sleep 0.2', 'exit 1'],
     'ended with status 1'),
    (['cat {home}/keys.json', 'kill -SEGV $$'], 'was ended by signal 11'),
    (['echo "{\\"Version\\": 2}"'], 'Version'),
    (['echo "<html>"'], 'JSON'),
    (['head -c 1000000 /dev/zero'], 'more than 65536 bytes'),
    (['kill -9 $$'], 'was ended by signal 9'),
    (['cat {home}/keys.json', 'kill -9 0'], 'was ended by signal 9'),
])
def test_program_that_fails(scene, before, lines, message):
    """Said, and tried again; nothing of it is left. Its status is known,
    though the daemon ignores SIGCHLD or waits itself, and counts, whatever it
    has printed."""
    service, keys = scene.service(), scene.keyring.issue()
    story = start(scene, service, without_keys(service), before=before,
                  files=given(keys, *lines))
    story.send(2)
    story.daemon.wait_for(r'\[warning\] .*waiting for credentials: .*helper'
                          rf'.*({message})', 10)
    story.daemon.write('helper', given(keys)['helper'])
    assert story.sent_by() == keys.key
    wait_without_program(story.daemon.pid)


def test_arguments(scene):
    """Quotes hold blanks together; no shell reads the line."""
    service, keys = scene.service(), scene.keyring.issue()
    files = given(keys, 'printf "%s\\n" "$@" > {home}/arguments',
                  'cat {home}/keys.json')
    files['.aws/config'] = (
        PROFILE + ' --name "a b" $HOME *.json \'x;y\' ~ `id` | cat\n')
    story = start(scene, service, without_keys(service), files=files)
    assert story.send(2).sent_by() == keys.key
    assert (story.daemon.folder / 'arguments').read_text().splitlines() == [
        '--name', 'a b', '$HOME', '*.json', 'x;y', '~', '`id`', '|', 'cat']


def test_program_that_is_not_there(scene):
    service, keys = scene.service(), scene.keyring.issue()
    files = given(keys)
    program = files.pop('helper')
    story = start(scene, service, without_keys(service), files=files)
    story.send(2)
    story.daemon.wait_for(r'\[warning\] .*credential_process .*/helper cannot '
                          'be run: there is no such file', 10)
    story.daemon.write('helper', program)
    assert story.sent_by() == keys.key
    assert len(warnings(story.daemon)) == 1


def test_stop_does_not_wait_for_a_program(scene):
    """One that never ends is killed, with its children."""
    service, keys = scene.service(), scene.keyring.issue()
    story = start(scene, service, without_keys(service), files=given(
        keys, 'echo $$ > {home}/pid-of-helper', 'sleep 600 & sleep 600'))
    path = story.daemon.folder / 'pid-of-helper'
    end = time.monotonic() + 10
    while not path.exists() or not path.read_text().strip():
        assert time.monotonic() < end
        time.sleep(0.01)
    pid = int(path.read_text())
    begin = time.monotonic()
    assert story.daemon.stop() == 0
    assert time.monotonic() - begin < 5
    assert not pathlib.Path(f'/proc/{pid}').exists()
    assert not alive(pid)


def alive(group):
    """Who is in the process group, and not only waits for its parent (which
    is no longer ours) to hear of its end."""
    found = []
    for path in pathlib.Path('/proc').glob('[0-9]*/stat'):
        try:
            rest = path.read_text(encoding='utf-8').rpartition(')')[2].split()
        except OSError:
            continue
        if int(rest[2]) == group and rest[0] != 'Z':
            found.append((path.parent.name, rest[0]))
    return found
