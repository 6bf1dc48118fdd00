"""made_status: status files as the daemon writes them, for the tests of what
reads them; each is valid by contrib/status.schema.json.

    status = made(time=at(-7500), troubles=[trouble('sending', -300)])
    run = view(written(tmp_path / 'status.json', status), '--json')
    assert run.returncode == 2

Times are told in seconds from now.  The flush interval is an hour, so that what
is old is so by hours, and a slow machine makes no difference.
"""

import copy
import importlib.util
import json
import os
import pathlib
import subprocess
import time

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / 'contrib/cloudwatch-status'
SCHEMA = json.loads((ROOT / 'contrib/status.schema.json').read_text())
FLUSH_S = 3600
PATIENCE_S = 2 * FLUSH_S + 60  # as the manual has it
SILENT_S = 180  # likewise
ENDPOINT = 'https://monitoring.eu-west-1.amazonaws.com:443'
SOURCE = "the instance's role web"


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


core = load(ROOT / 'contrib/cloudwatch_status.py')


def at(offset_s):
    return time.strftime('%Y-%m-%dT%H:%M:%SZ',
                         time.gmtime(time.time() + offset_s))


def trouble(what, offset_s):
    return {'what': what, 'since': at(offset_s)}


def failure(offset_s, **changes):
    return {'time': at(offset_s), 'sentence': 'it failed: do this',
            'status': 403, 'code': 'AccessDenied', 'message': 'User is not',
            'request_id': 'b5c0', **changes}


def series(i, **changes):
    return {'namespace': 'MyApp', 'name': f'Load {i}',
            'dimensions': {'Host': 'web1'}, 'unit': 'Count', 'resolution': 60,
            'identifier': f'web1/load/load-{i}', 'metric': 'Load',
            'time': at(-330), 'count': 6, 'average': 6.5, 'minimum': 2,
            'maximum': 8, **changes}


def unselected(i, **changes):
    return {'identifier': f'web1/cpu-{i}/cpu-idle', 'nearest': 'Load',
            'because': 'Plugin "load" is not cpu', **changes}


def validate(status):
    jsonschema.Draft7Validator(SCHEMA).validate(status)


def made(**changes):
    """The status of a daemon that is well."""
    reasons = SCHEMA['properties']['counters']['properties']
    counters = {
        name: dict.fromkeys(what['required'], 0) if 'required' in what else 0
        for name, what in reasons.items()}
    status = {
        'schema': 1, 'plugin': 'write_cloudwatch', 'version': '0.1.0',
        'host': 'web1', 'node': '', 'pid': 812, 'time': at(-10),
        'started': at(-10 * FLUSH_S), 'stopped': False, 'dry_run': False,
        'flush_interval': FLUSH_S,
        'region': 'eu-west-1', 'endpoint': ENDPOINT,
        'credentials': {'source': SOURCE, 'expires': at(5.5 * 3600)},
        'clock_offset': 0, 'last_accepted': at(-330), 'next_attempt': None,
        'request_duration': 0.113,
        'last_flush': {'time': at(-330), 'data': 2, 'requests': 1},
        'troubles': [], 'last_error': None,
        'metrics': {'alive': 2, 'max': 1000},
        'identifiers': {'selected': 5, 'unselected': 3},
        'queue': {'data': 0, 'bytes': 0, 'oldest': None}, 'spool': None,
        'counters': {**counters, 'accepted': 20, 'requests': 10},
        'series': [series(i) for i in range(2)],
        'unselected': [unselected(i) for i in range(3)], **changes}
    validate(status)
    return status


def with_counters(**changes):
    counters = copy.deepcopy(made()['counters'])
    for name, value in changes.items():
        if isinstance(value, dict):
            counters[name].update(value)
        else:
            counters[name] = value
    return counters


def written(path, status):
    path.write_text(json.dumps(status), encoding='utf-8')
    return path


def view(*arguments, columns=100, environment=None, **how):
    """What the program prints and ends with, without a terminal."""
    how.setdefault('encoding', 'utf-8')
    return subprocess.run(
        ['/usr/bin/python3', str(PROGRAM), *map(str, arguments)],
        capture_output=True, timeout=60, env={
            'PATH': os.environ['PATH'], 'LC_ALL': 'C.UTF-8',
            'COLUMNS': str(columns), **(environment or {})}, **how)


def look(path, *arguments):
    """Exit status and document of --json."""
    run = view('--json', *arguments, path)
    assert run.stderr == ''
    document = json.loads(run.stdout)
    assert document['exit_status'] == run.returncode
    assert document['verdict'] == core.VERDICTS[run.returncode]
    return run.returncode, document


def told(path, what, *words):
    """That a file cannot be read, in one line of text."""
    status, document = look(path)
    (node,) = document['nodes']
    assert (status, node['verdict']) == (3, 'unreadable')
    (reason,) = node['reasons']
    assert reason['what'] == what
    run = view(path)
    assert (run.returncode, run.stdout, run.stderr) == \
        (3, reason['words'] + '\n', '')
    assert str(path) in run.stdout
    for word in words:
        assert word in run.stdout
