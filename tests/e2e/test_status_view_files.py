"""contrib/cloudwatch-status: files that it cannot read, files of nodes, and
texts that would spoil a terminal."""

import itertools
import json
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import tempfile
import unicodedata

import jsonschema
import pytest

from made_status import (PROGRAM, ROOT, SCHEMA, core, failure, look, made, told,
                         trouble, view, written)


# ---- what cannot be read -----------------------------------------------------

def test_missing(tmp_path):
    told(tmp_path / 'none.json', 'missing', 'StatusFile', "collectd's log")
    (tmp_path / 'file').write_text('')
    told(tmp_path / 'file/none.json', 'missing')


def test_the_default_is_said():
    """Whether there is one on this machine or not."""
    default = '/var/lib/collectd/write_cloudwatch.json'
    assert default in ' '.join(view('--help').stdout.split())
    run = view('--json')
    assert json.loads(run.stdout)['nodes'][0]['file'].startswith(default)


@pytest.mark.parametrize('text, words', [
    ('hello\n', 'not JSON'), ('[1, 2]', 'does not name'),
    ('{"a": 1}', 'does not name'), ('{"a": NaN}', 'not JSON'),
    ('{"a": 1} {}', 'not JSON'), ('[' * 100000, 'not JSON'),
    ('{"plugin": "write_graphite", "schema": 1}', 'does not name'),
    ('{"plugin": "write_cloudwatch"}', 'member schema'),
    ('{"plugin": "write_cloudwatch", "schema": "1"}', 'member schema'),
    ('{"plugin": "write_cloudwatch", "schema": true}', 'member schema'),
    ('{"plugin": "write_cloudwatch", "schema": 0}', 'member schema'),
    ('{"plugin": "write_cloudwatch", "schema": 1}', 'member version'),
], ids=itertools.count())
def test_foreign(tmp_path, text, words):
    path = tmp_path / 'status.json'
    path.write_text(text)
    told(path, 'foreign', words, 'name the file')


def test_no_file(tmp_path):
    told(tmp_path, 'foreign', 'no regular file')
    os.mkfifo(tmp_path / 'fifo')  # which nobody ever writes to
    told(tmp_path / 'fifo', 'foreign', 'no regular file')
    told('/dev/zero', 'foreign', 'no regular file')


def test_too_large(tmp_path):
    path = tmp_path / 'status.json'
    with open(path, 'wb') as file:
        file.truncate(core.SIZE_MAX + 1)
    told(path, 'foreign', 'too large')


def test_too_new(tmp_path):
    path = written(tmp_path / 'status.json', {**made(), 'schema': 2})
    told(path, 'too_new', 'version 2', 'knows version 1',
         'the cloudwatch-status that came with')


def test_truncated(tmp_path):
    """Wherever it was cut."""
    status = made(host='\u00fcber')
    whole = json.dumps(status, ensure_ascii=False, indent=1).encode()
    path = tmp_path / 'status.json'
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(core.Unreadable) as error:
            core.read(path)
        assert error.value.what == 'truncated', whole[:length]
    told(path, 'truncated', 'ends too early', 'next flush')
    path.write_bytes(whole)
    assert core.read(path) == core.fit(status, core.SHAPE)


def test_forbidden():
    """To a user that the folder does not let in."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix='status-'))
    try:
        folder.chmod(0o755)
        for name in ('cloudwatch-status', 'cloudwatch_status.py'):
            shutil.copy(ROOT / 'contrib' / name, folder / name)
        (folder / 'closed').mkdir(mode=0o700)
        path = written(folder / 'closed/status.json', made())
        run = subprocess.run(
            [str(folder / 'cloudwatch-status'), str(path)],
            capture_output=True, text=True, timeout=60, env={},
            user=pwd.getpwnam('nobody').pw_uid, extra_groups=())
        assert run.returncode == 3
        assert re.match(rf'{path} may not be read by this user: run this as '
                        'root', run.stdout)
        assert view(path).returncode == 0
        # A link finds the other file, and a folder stays as it is.
        (folder / 'link').symlink_to(folder / 'closed/../cloudwatch-status')
        assert subprocess.run([folder / 'link', path], timeout=60, env={},
                              stdout=subprocess.DEVNULL).returncode == 0
        assert not (folder / '__pycache__').exists()
    finally:
        shutil.rmtree(folder)


def test_usage():
    """A mistake of the caller is no verdict."""
    run = view('--colour')
    assert (run.returncode, run.stdout) == (3, '')
    assert 'usage:' in run.stderr
    assert view('--help').returncode == 0


# ---- the shape ---------------------------------------------------------------

def places(shape, path=()):
    """The paths of the members of core.SHAPE."""
    if isinstance(shape, tuple):
        shape = shape[1]
    if isinstance(shape, list):
        yield from places(shape[0], (*path, 0))
    elif isinstance(shape, dict):
        for key, kind in shape.items():
            if key is ...:
                continue
            yield (*path, key)
            yield from places(kind, (*path, key))


def full():
    """With something in each place."""
    return made(troubles=[trouble('clock', -60)], last_error=failure(-60),
                spool={'directory': '/', 'usable': True, 'data': 0, 'bytes': 0})


def misfit(status):
    """The member that core.fit() names, or None."""
    try:
        core.fit(status, core.SHAPE)
    except core.Misfit as error:
        return str(error)
    return None


# Valid for the program, which is laxer here.
LAXER = {('troubles', 0, 'what'): 'text', ('counters', 'dropped'): {},
         ('counters', 'left_out'): {}}


@pytest.mark.parametrize('path', places(core.SHAPE),
                         ids=lambda path: '-'.join(map(str, path)))
def test_shape_is_that_of_the_schema(path):
    """A member that is missing, null, or of another type is seen and named if
    the schema says so, and only then."""
    judge = jsonschema.Draft7Validator(SCHEMA)
    status = full()
    target = status
    for key in path[:-1]:
        target = target[key]
    for value in (None, True, 'text', [], {}, 1.5):
        target[path[-1]] = value
        found = misfit(status)
        if path in LAXER and LAXER[path] == value or judge.is_valid(status):
            assert found is None, value
        else:
            assert found in path or value == {}, (value, found)
            assert found is not None, value
    del target[path[-1]]
    assert not judge.is_valid(status)
    assert misfit(status) == path[-1]


def test_days_that_there_are_not(tmp_path):
    """They pass the pattern of the schema."""
    status = {**made(), 'started': '2026-02-30T00:00:00Z'}
    told(written(tmp_path / 'status.json', status), 'foreign', 'member started')


# ---- nodes -------------------------------------------------------------------

def test_nodes(tmp_path):
    """They are found by the name that the option has, the worst first, and the
    file of an instance without nodes need not be there."""
    path = tmp_path / 'status [1].json'  # no pattern
    for node, changes in {'a': {}, 'b': {'stopped': True}, 'c': {
            'troubles': [trouble('clock', -60)]}}.items():
        written(path.with_name(f'{path.name}.{node}'),
                made(node=node, **changes))
    # What else may lie there.
    written(path.with_name(path.name + '.old'), made(node='a', stopped=True))
    path.with_name(f'.{path.name}.c.new').write_text('{"sch')
    path.with_name(path.name + '.d').write_text('a note')
    status, document = look(path)
    assert status == 2
    assert [node['node'] for node in document['nodes']] == ['b', 'c', 'a']
    lines = view(path).stdout.splitlines()
    assert [line.split(':')[0] for line in lines[:4]] == [
        'web1, node b', 'web1, node c', 'web1, node a', '']
    assert lines[4] == 'web1 b: write_cloudwatch 0.1.0, process 812'

    path.with_name(path.name + '.e').write_text('{"schema": 1')
    status, document = look(path)
    assert status == 3
    assert document['nodes'][0]['file'].endswith('.json.e')
    assert len(document['nodes']) == 4


def test_several_files(tmp_path):
    well = written(tmp_path / 'well.json', made())
    bad = written(tmp_path / 'bad.json', made(troubles=[trouble('clock', -60)]))
    for files, expected in (((well, bad), 1), ((well, well), 0),
                            ((bad, tmp_path / 'none'), 3)):
        run = view(*files)
        assert run.returncode == expected
        assert len(run.stdout.split('\n\n')[0].splitlines()) == 2


# ---- nasty texts -------------------------------------------------------------

NASTY = '\x1b[31m\x1b]0;title\x07\x9b2J\r\n\x00\x7f\u202e\u200b\u2028\ud800'
WIDE = '\u6f22\u5b57' * 40 + ' e\u0301\u0301' * 9 + 'x' * 300 + '\uff21 ' * 9


def with_texts(value, text):
    """The value with this text in all that is no name of a member."""
    if isinstance(value, dict):
        free = {'Host'} & set(value)
        return {(text if key in free else key): with_texts(item, text)
                for key, item in value.items()}
    if isinstance(value, list):
        return [with_texts(item, text) for item in value]
    is_time = isinstance(value, str) and core.TIME.match(value)
    return text if isinstance(value, str) and not is_time else value


def nasty(text):
    status = with_texts(full(), text)
    return {**status, 'plugin': 'write_cloudwatch'}


@pytest.mark.parametrize('option', [[], ['--json'], ['--all']], ids=str)
def test_no_control_characters(tmp_path, option):
    path = written(tmp_path / 'status.json', nasty(f'a{NASTY}b'))
    for environment in ({}, {'LC_ALL': 'C', 'PYTHONUTF8': '0',
                             'PYTHONCOERCECLOCALE': '0'}):
        run = view(*option, path, environment=environment)
        assert (run.returncode, run.stderr) == (1, '')
        bad = {char for char in run.stdout
               if unicodedata.category(char) in ('Cc', 'Cf', 'Cs', 'Zl', 'Zp')}
        assert bad == {'\n'}
        assert 'a?[31m' in run.stdout
        if option == ['--json']:
            assert '\\u' not in run.stdout


def test_a_nasty_path(tmp_path):
    path = bytes(tmp_path) + b'/\x1b[31m\xff'
    for option in ([], ['--json']):
        run = subprocess.run(['/usr/bin/python3', str(PROGRAM), *option, path],
                             capture_output=True, timeout=60)
        assert run.returncode == 3
        assert b'\x1b' not in run.stdout and b'?[31m?' in run.stdout


@pytest.mark.parametrize('text', ['short', WIDE, 'no-blank' * 200],
                         ids=['short', 'wide', 'long'])
def test_width(tmp_path, text):
    """No line but the first is wider than the terminal."""
    def columns(line):
        return sum(2 if unicodedata.east_asian_width(char) in 'WF' else
                   not unicodedata.combining(char) for char in line)
    path = written(tmp_path / 'status.json', nasty(text))
    for width in (20, 21, 30, 40, 79, 80, 81, 200, 1000):
        run = view('--all', path, columns=width)
        assert run.stderr == ''
        lines = run.stdout.splitlines()
        assert max(columns(line) for line in lines[1:]) <= width
