"""contrib/cloudwatch-status: what it makes of files that can be read, as text,
as JSON and as an exit status.  test_status_view_files.py has the others,
test_status_view_terminal.py what a person sees."""

import json
import os
import re
import socket
import subprocess

import pytest

from made_status import (ENDPOINT, FLUSH_S, PATIENCE_S, ROOT, SCHEMA, SILENT_S,
                         SOURCE, at, core, failure, look, made, series, trouble,
                         unselected, view, with_counters, written)

LATE_S = 300  # on either side of a limit
DAY_S = 86400


# ---- verdicts ----------------------------------------------------------------

SHORT, LONG = -PATIENCE_S + LATE_S, -PATIENCE_S - LATE_S
BARREN = {'time': at(-330), 'data': 0, 'requests': 0}  # a flush
OVERDUE = {'last_accepted': LONG, 'last_flush': BARREN}
HOURS = -4 * FLUSH_S - LATE_S  # of four flushes, and of an hour
FULL = {'metrics': {'alive': 10, 'max': 10}}
# Changes; times in seconds from now.  The exit status, and why.
VERDICTS = {
    'well': ({}, 0, []),
    'written a while ago': ({'time': -SILENT_S // 3}, 0, []),
    'accepted long ago, but nothing is wrong': (OVERDUE, 0, []),
    'silent': ({'time': -SILENT_S - LATE_S}, 2, ['silent']),
    'silent, which is all that counts': (
        {'time': LONG, 'dry_run': True, 'troubles': [('sending', LONG)]}, 2,
        ['silent']),
    'stopped': ({'stopped': True}, 2, ['stopped']),
    'stopped long ago': ({'stopped': True, 'time': LONG}, 2, ['stopped']),
    'dry run': ({'dry_run': True, 'last_accepted': None}, 2, ['dry_run']),
    'started': ({'started': -LATE_S, 'last_accepted': None}, 1, ['starting']),
    'started long ago': ({**OVERDUE, 'started': LONG, 'last_accepted': None},
                         1, ['starting']),
    'flushed, but nothing was ever accepted': (
        {'started': LONG, 'last_accepted': None}, 2,
        ['unaccepted', 'starting']),
    'flushed, but nothing is accepted': ({'last_accepted': LONG}, 2,
                                         ['unaccepted']),
    'flushed a while ago': ({'last_accepted': SHORT}, 0, []),
    'a rare datum is under way': (
        {'last_accepted': LONG, 'queue': {
            'data': 1, 'bytes': 99, 'oldest': at(-LATE_S)}}, 0, []),
    'flushed rare data, before they were no more': (
        {'last_accepted': LONG, 'metrics': {'alive': 0, 'max': 10}}, 0, []),
    'flushed, and a trouble tells why nothing is accepted': (
        {'last_accepted': LONG, 'troubles': [('sending', -LATE_S)]}, 2,
        ['sending']),
    'all refused for long': (
        {**OVERDUE, 'last_accepted': HOURS, 'troubles': [
            ('refused', -LATE_S)]}, 2, ['unaccepted', 'refused']),
    'all quarantined for long': (
        {**OVERDUE, 'last_accepted': HOURS, 'counters': {
            'left_out': {'quarantined': 9}}}, 2, ['unaccepted']),
    'rare values, and some were once refused': (
        {**OVERDUE, 'counters': {'left_out': {'quarantined': 9}}}, 0, []),
    'started, and fails': (
        {'started': -LATE_S, 'last_accepted': None,
         'troubles': [('credentials', -LATE_S)]}, 1,
        ['starting', 'credentials']),
    'failed from the start': (
        {**OVERDUE, 'started': LONG, 'last_accepted': None,
         'troubles': [('credentials', LONG)]}, 2, ['credentials', 'starting']),
    'idle': ({'metrics': {'alive': 0, 'max': 10},
              'last_accepted': -4 * FLUSH_S - LATE_S}, 2, ['idle']),
    'not yet idle': ({'metrics': {'alive': 0, 'max': 10},
                      'last_accepted': -4 * FLUSH_S + LATE_S}, 0, []),
    'full': ({**FULL, 'counters': {'left_out': {'max_metrics': 1}}}, 1,
             ['max_metrics']),
    'just not full': (FULL, 0, []),
    'no longer full': ({'counters': {'left_out': {'max_metrics': 1}}}, 0, []),
    'of the future': ({'time': LATE_S}, 1, ['ahead']),
    'two troubles': (
        {'troubles': [('clock', -LATE_S), ('sending', -LATE_S)], **OVERDUE}, 2,
        ['sending', 'clock']),
}
for what, worst in {'credentials': 2, 'place': 2, 'sending': 2, 'renewal': 1,
                    'place_renewal': 1, 'clock': 1, 'buffer_limit': 1,
                    'buffer_age': 1, 'future': 1, 'refused': 1, 'spool': 1}.items():
    since = {'troubles': [(what, -LATE_S)]}
    VERDICTS[f'{what}'] = ({**since, 'last_accepted': SHORT}, 1, [what])
    VERDICTS[f'{what} for long'] = ({**since, **OVERDUE}, worst, [what])


def test_all_troubles_are_known():
    known = SCHEMA['properties']['troubles']['items']['properties']['what']
    assert set(core.TROUBLES) == set(known['enum'])
    assert set(known['enum']) <= set(VERDICTS)


def moved(changes):
    """Offsets to times."""
    changes = {name: at(value) if type(value) is int else value
               for name, value in changes.items()}
    if 'troubles' in changes:
        changes['troubles'] = [trouble(*one) for one in changes['troubles']]
    if 'counters' in changes:
        changes['counters'] = with_counters(**changes['counters'])
    return changes


@pytest.mark.parametrize('row', VERDICTS)
def test_verdict(tmp_path, row):
    changes, expected, why = VERDICTS[row]
    path = written(tmp_path / 'status.json', made(**moved(changes)))
    status, document = look(path)
    (node,) = document['nodes']
    assert status == expected
    assert [reason['what'] for reason in node['reasons']] == why
    plain = view(path)
    assert plain.returncode == expected
    first = plain.stdout.splitlines()[0]
    assert re.match(f'web1: {core.VERDICTS[expected]}( |:)', first)
    assert first == node['summary']
    for reason in node['reasons']:
        assert reason['words'] in plain.stdout
        assert (reason['words'] in first) == \
            (reason['verdict'] == node['verdict'])


def test_verdicts_of_the_manual():
    """Its table has the rows of the program, with their verdicts."""
    manual = (ROOT / 'man/collectd-write_cloudwatch.pod').read_text()
    chapter = re.search(r'=head1 STATUS FILE\n(.*?)\n=head1 ', manual, re.S)[1]
    rows = re.findall(r'^  (\w+) +(degraded|not publishing)', chapter, re.M)
    assert rows == [
        *((what, core.VERDICTS[verdict])
          for what, verdict, *_ in core.RULES),
        *((what, core.VERDICTS[verdict])
          for what, (verdict, _) in core.TROUBLES.items())]


def test_jq_of_the_manual(tmp_path):
    """Its lines are run as they stand there."""
    manual = (ROOT / 'man/collectd-write_cloudwatch.pod').read_text()
    lines = re.findall(r'^  (jq (?:.*\\\n)*.*)$', manual, re.M)
    path = written(tmp_path / 'write_cloudwatch.json', made(
        troubles=[trouble('clock', -60)], last_accepted=at(-60),
        counters=with_counters(dropped={'future': 3, 'stop': 4})))
    def run():
        return [subprocess.run(line, shell=True, cwd=tmp_path, text=True,
                               capture_output=True, timeout=60)
                for line in lines]
    assert [each.stdout for each in run()] == [
        f'clock since {json.loads(path.read_text())["troubles"][0]["since"]}\n',
        'MyApp\tLoad 0\tCount\t6.5\nMyApp\tLoad 1\tCount\t6.5\n', '7\n',
        'true\n']
    for accepted in (at(-DAY_S), None):
        written(path, made(last_accepted=accepted))
        assert [each.returncode for each in run()] == [0, 0, 0, 1]


def test_headline(tmp_path):
    """As whom, to where, since when not and why: in one line."""
    def first(**changes):
        path = written(tmp_path / 'status.json', made(**changes))
        return view(path, columns=40).stdout.splitlines()[0]

    where = f'to {ENDPOINT} (eu-west-1) as {SOURCE}'
    assert first() == f'web1: publishing {where}, accepted 5 min ago'
    since = at(-3 * DAY_S - 600)
    day, hour = since[:10], since[11:19]
    assert first(
        node='prod', last_accepted=since, last_error=failure(-60),
        troubles=[trouble('sending', -900)]) == (
            f'web1, node prod: not publishing since {day} {hour} UTC, 3 days: '
            f'the last request failed (AccessDenied); {where}')
    # An error of before has nothing to do with it.
    assert first(
        last_accepted=since, troubles=[trouble('sending', -900)],
        last_error=failure(-1800)).endswith(
            f': the last request failed; {where}')
    assert 'failed (status 503)' in first(
        troubles=[trouble('sending', -900)],
        last_error=failure(-60, code=None, status=503))
    assert re.search(r'UTC, \d+ s: collectd was stopped$', first(
        stopped=True, endpoint=None, region=None, credentials=None))


@pytest.mark.parametrize('host, pid, said', [
    ('', None, ' (process {} is there)'),
    ('.example.com', 4194304 + 7, ' (process {} is gone)'),
    ('-not', 4194304 + 7, ''),
])
def test_a_silent_process(tmp_path, host, pid, said):
    """It is looked for on its own host only."""
    name = socket.gethostname().split('.')[0] + host
    pid = pid or os.getpid()
    path = written(tmp_path / 'status.json',
                   made(host=name, pid=pid, time=at(LONG)))
    assert 'dead or hangs' + said.format(pid) + ';' in view(path).stdout


def test_refused_for_hours_though_it_flushes_each_minute(tmp_path):
    """Whether the last flush had data that were let back, or none."""
    for data in (0, 3):
        path = written(tmp_path / 'status.json', made(
            flush_interval=60, time=at(-5), last_accepted=at(-5 * 3600),
            last_flush={'time': at(-5), 'data': data, 'requests': data and 1},
            counters=with_counters(refused=9, left_out={'quarantined': 900})))
        first = view(path).stdout.splitlines()[0]
        assert re.match('web1: not publishing since .* UTC, 5 h: metrics are '
                        'alive, but CloudWatch accepts none; to', first)


def test_a_trouble_of_a_later_version(tmp_path):
    status = made()
    status['troubles'] = [trouble('gravity', -60)]
    status['gravity'] = {'is': 'low'}
    written(tmp_path / 'status.json', status)
    code, document = look(tmp_path / 'status.json')
    assert code == 1
    assert document['nodes'][0]['reasons'][0]['words'] == 'gravity'


# ---- what is told ------------------------------------------------------------

def fields(text):
    """{name: text} of the part that is not cut into columns."""
    found, name = {}, None
    for line in text.split('\n\n')[1].splitlines():
        match = re.match(r'  (.{11})  (.*)$', line)
        if match and match[1].strip():
            name = match[1].strip()
            found.setdefault(name, match[2])
        elif match:
            found[name] += ' ' + match[2]
    return found


def test_fields(tmp_path):
    path = written(tmp_path / 'status.json', made(
        clock_offset=-7300, next_attempt=at(330), node='prod',
        troubles=[trouble('sending', -400), trouble('clock', -400)],
        last_accepted=at(-2.5 * DAY_S), last_error=failure(-330),
        queue={'data': 1234, 'bytes': 3 << 19, 'oldest': at(-2.5 * 3600)},
        spool={'directory': '/var/spool/x', 'usable': False, 'data': 7,
               'bytes': 4096},
        counters=with_counters(retried=4, dropped={'buffer_limit': 9},
                               left_out={'nan': 3, 'not_newer': 12345,
                                         'late': 7})))
    found = fields(view(path, columns=200).stdout)
    assert found == {
        'besides': 'the clock of that host is wrong',
        'last error': '5 min ago: it failed: do this',
        'region': 'eu-west-1', 'endpoint': ENDPOINT,
        'credentials': f'{SOURCE}, they end in 5 h',
        'clock': '2 h ahead of AWS',
        'accepted': '2 days ago, the last request took 0.113 s',
        'flushed': 'every 3600 s, last 5 min ago: data 2, requests 1',
        'waiting': '1,234 data, 1.5 MiB of memory, the oldest cut 2 h ago, '
                   'next attempt in 5 min',
        'spool': '/var/spool/x, 7 data, 4.0 KiB; it cannot be used',
        'counted': 'from the start, 10 h ago: accepted 20, requests 10, '
                   'retried 4',
        'dropped': 'buffer limit 9', 'left out': 'nan 3, not newer 12,345',
        'published': 'late 7',
        'metrics': '2 alive of 1,000',
        'identifiers': '5 feed a metric, 3 none',
        'a month': 'about 0.61 USD: metrics 2 (0.60), requests 720 (0.01); an '
                   'estimate by the prices of us-east-1, 2026; 10 metrics and '
                   '1,000,000 requests are free, which is not deducted'}


def test_fields_of_nothing(tmp_path):
    """Of a daemon that has just started and found nothing."""
    path = written(tmp_path / 'status.json', made(
        region=None, endpoint=None, credentials=None, last_accepted=None,
        request_duration=None, last_flush=None, series=[], unselected=[],
        metrics={'alive': 0, 'max': 1000},
        counters=with_counters(accepted=0, requests=0),
        troubles=[trouble('place', -60)], started=at(-60)))
    text = view(path, columns=200).stdout
    found = fields(text)
    assert found['region'] == found['endpoint'] == 'not known'
    assert found['credentials'] == 'none'
    assert found['clock'] == 'agrees with AWS'
    assert found['accepted'] == 'never'
    assert found['flushed'] == 'every 3600 s, not yet'
    assert found['waiting'] == 'nothing'
    assert found['counted'].endswith('nothing')
    assert found['a month'] == 'not known before the first flush'
    assert not {'besides', 'spool', 'dropped', 'left out'} & set(found)
    assert 'Metrics' not in text and 'nothing selects' not in text


def test_lists(tmp_path):
    """They are cut, unless all is asked for."""
    many = made(
        series=[series(i, average=i, minimum=i, maximum=i) for i in range(25)],
        unselected=[unselected(i) for i in range(11)])
    path = written(tmp_path / 'status.json', many)
    short, full = view(path).stdout, view('--all', path).stdout
    assert '  Load 9  Host=web1   Count  9 ' in short
    assert 'Load 10' not in short and 'cpu-0/' not in short
    assert '  ... and 15 more\n' in short and '  ... and 1 more\n' in short
    assert re.search(r'^  Load 24 +Host=web1 +Count +24 +5 min ago$', full,
                     re.M)
    assert 'web1/cpu-10/cpu-idle  Load              Plugin "load" is not' \
        in full
    assert '...' not in full
    assert 'Metrics in MyApp\n' in short


def test_two_namespaces(tmp_path):
    path = written(tmp_path / 'status.json', made(
        series=[series(1), series(2, namespace='Other', dimensions={})]))
    text = view(path).stdout
    assert re.search(r'^  MyApp +Load 1 +Host=web1 +Count +6.5 \(2 to 8\)',
                     text, re.M)
    assert re.search(r'^  Other +Load 2 +Count ', text, re.M)


# ---- what it costs -----------------------------------------------------------

@pytest.mark.parametrize('alive, usd', [
    (0, 0), (2, 0.60), (202, 60.60), (10000, 3000), (10001, 3000.10),
    (100000, 12000), (250000, 27000), (250001, 27000.05), (1000000, 64500),
    (1000001, 64500.02)])
def test_price_of_metrics(tmp_path, alive, usd):
    path = written(tmp_path / 'status.json', made(
        metrics={'alive': alive, 'max': 1000000}))
    month = look(path)[1]['nodes'][0]['month']
    assert month['metrics'] == alive
    assert month['metrics_usd'] == usd
    assert month['prices_of'] == 'us-east-1, 2026'


@pytest.mark.parametrize('interval, last, alive, requests, usd', [
    (60, 1, 2, 43200, 0.43), (10, 1, 2, 259200, 2.59),
    (60, 100, 2, 4320000, 43.20), (1, 1, 2, 2592000, 25.92),
    (60, 0, 2, 43200, 0.43), (60, 0, 0, 0, 0), (86400, 3, 1, 90, 0)])
def test_price_of_requests(tmp_path, interval, last, alive, requests, usd):
    """The figures of the manual and of HACKING."""
    path = written(tmp_path / 'status.json', made(
        flush_interval=interval, metrics={'alive': alive, 'max': 1000},
        last_flush={'time': at(-5), 'data': 2, 'requests': last}))
    month = look(path)[1]['nodes'][0]['month']
    assert month['requests'] == requests
    assert month['requests_usd'] == usd
    assert month['usd'] == round(month['metrics_usd'] + usd, 2)
