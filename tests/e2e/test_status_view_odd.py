"""contrib/cloudwatch-status: files that are valid JSON and would break it, and
places that it cannot write to.  Whatever happens, it ends with a sentence, and
with the exit status of a degraded daemon only if there is one."""

import json
import os
import re
import resource
import shutil
import subprocess

import pytest

from made_status import (PROGRAM, ROOT, core, failure, look, made, told, trouble,
                         unselected, view, written)

# ---- what is read ------------------------------------------------------------

NUMBERS = ('request_duration', 'average', 'minimum', 'maximum')


@pytest.mark.parametrize('name', NUMBERS)
@pytest.mark.parametrize('number', [
    '1' + '0' * 308, '1' + '0' * 399, '9' * 100000, '-' + '9' * 400, '1e308',
    '1e999', '-1e999', '1e-1', '9' * 300, '-1e307'], ids=lambda text: text[:9])
def test_numbers_of_any_size(tmp_path, name, number):
    """They can be shown, or they are wrong."""
    status = json.dumps(made(request_duration=0.5))
    text = re.sub(rf'"{name}": [\d.]+', f'"{name}": {number}', status)
    assert text != status
    path = tmp_path / 'status.json'
    path.write_text(text)
    least = -1e308
    if least < float(number) < 1e308:
        for option in ([], ['--json']):
            run = view(*option, path)
            assert (run.returncode, run.stderr) == (0, '')
    else:
        told(path, 'foreign', f'member {name} ')


@pytest.mark.parametrize('number', ['9' * 30, '-1', '1.5', '9223372036854775808'])
def test_counts_of_any_size(tmp_path, number):
    path = tmp_path / 'status.json'
    path.write_text(json.dumps(made()).replace(
        '"retried": 0', f'"retried": {number}'))
    told(path, 'foreign', 'member retried')


def test_unknown_members_may_hold_anything(tmp_path):
    """They are not looked at."""
    path = tmp_path / 'status.json'
    for depth in (900, 980):
        more = '[' * depth + ']' * depth
        path.write_text(json.dumps(made())[:-1] + f', "more": {more}}}')
        code, document = look(path)
        assert code in (0, 3)  # by what Python's parser takes
        assert code == 0 or depth > 900
        assert '"more"' not in json.dumps(document)
        assert view(path).returncode == code


def test_memory_lacks(tmp_path):
    path = written(tmp_path / 'status.json', {
        **made(), 'more': [[]] * (6 << 20)})
    assert path.stat().st_size < core.SIZE_MAX
    run = view(path, preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_AS, (150 << 20,) * 2))
    assert (run.returncode, run.stderr) == (3, '')
    assert run.stdout == f'{path} cannot be read (memory lacks): look at the ' \
        'disk and the path\n'


def test_long_texts_are_cut(tmp_path):
    """Before they are looked at."""
    for text in ('x' * 5_000_000, 'x ' * 2_500_000, '\u6f22\u5b57 ' * 300_000):
        path = written(tmp_path / 'status.json', made(
            host=text, last_error=failure(-60, sentence=text),
            unselected=[unselected(0, identifier=text)],
            troubles=[trouble('clock', -60)]))
        for columns in (20, 1000):
            run = view('--all', path, columns=columns)
            assert (run.returncode, run.stderr) == (1, '')
            assert len(run.stdout) < 20 * core.TEXT_MAX


# ---- where it writes ---------------------------------------------------------

def shell(line, *arguments):
    """What a line of bash says, in which "$@" is the program."""
    return subprocess.run(
        ['/bin/bash', '-c', line, 'bash', '/usr/bin/python3', PROGRAM,
         *arguments], text=True, capture_output=True, timeout=60)


@pytest.mark.parametrize('option', [None, '--json', '--help'])
@pytest.mark.parametrize('to, why', [
    ('>&-', 'closed'), ('>/dev/full', 'No space left on device'),
    ('>&- 2>&-', ''), ('>/dev/full 2>/dev/full', '')])
def test_no_place_to_write(tmp_path, to, why, option):
    """Nothing is known of a verdict that nobody can read."""
    path = written(tmp_path / 'status.json', made())
    run = shell(f'"$@" {to}; echo $?', *filter(None, [option]), path)
    assert run.stdout == '3\n'
    assert run.stderr.count('\n') == bool(why)
    assert why in run.stderr and 'Traceback' not in run.stderr


def test_a_mistake_without_a_place(tmp_path):
    assert shell('"$@" 2>&-; echo $?', '--colour').stdout.endswith('\n3\n')


def test_no_module_beside_it(tmp_path):
    """A copy without it is not degraded."""
    shutil.copy(PROGRAM, tmp_path)
    run = subprocess.run([tmp_path / PROGRAM.name], text=True,
                         capture_output=True, timeout=60)
    assert (run.returncode, run.stderr) == (3, '')
    assert run.stdout == 'cloudwatch-status: ModuleNotFoundError: No module ' \
        "named 'cloudwatch_status'\n"


def test_a_defect_is_no_verdict(tmp_path):
    """Of the program: it ends with a sentence."""
    shutil.copy(PROGRAM, tmp_path)
    module = (ROOT / 'contrib/cloudwatch_status.py').read_text()
    (tmp_path / 'cloudwatch_status.py').write_text(
        module + '\ndef judge(status, now):\n    return 1 / 0\n')
    path = written(tmp_path / 'status.json', made())
    run = subprocess.run([tmp_path / PROGRAM.name, path], text=True,
                         capture_output=True, timeout=60)
    assert (run.returncode, run.stderr) == (3, '')
    assert run.stdout == 'cloudwatch-status: ZeroDivisionError: division by ' \
        'zero\n'


@pytest.mark.parametrize('option', [None, '--json', '--help'])
def test_a_reader_that_goes_away(tmp_path, option):
    """The verdict stands, and nothing is said of it."""
    path = written(tmp_path / 'status.json', made())
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run(
        ['/usr/bin/python3', PROGRAM, *filter(None, [option]), path],
        stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert (run.returncode, run.stderr) == (0, b'')
