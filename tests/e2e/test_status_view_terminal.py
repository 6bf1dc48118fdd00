"""contrib/cloudwatch-status seen in a terminal, as a person would."""

import json
import re
import subprocess

import pytest

from made_status import (ENDPOINT, PATIENCE_S, PROGRAM, SOURCE, at, failure,
                         made, series, trouble, unselected, view, written)
from terminal import SEQUENCE, Terminal

GREEN, YELLOW, RED, BOLD = '\x1b[32m', '\x1b[33m', '\x1b[31m', '\x1b[1m'
WIDE = '漢字' * 40 + ' é' * 9 + 'x' * 100 + 'Ａ ' * 9


@pytest.fixture
def terminal(tmp_path):
    with Terminal(tmp_path) as one:
        yield one


def colours_of(line):
    return SEQUENCE.findall(line)


def check(screen, columns=80):
    """Nothing had to be broken, and nothing else is there."""
    assert len(screen.lines) == len(screen.joined)
    assert max(map(len, screen.lines)) <= columns


def text_of(screen):
    """The verdict, which may take some lines."""
    return ' '.join('\n'.join(screen.lines).split('\n\n')[0].split())


def test_healthy(tmp_path, terminal):
    path = written(tmp_path / 'status.json', made())
    screen = terminal.run(PROGRAM, path)
    check(screen)
    assert screen.status == 0
    assert text_of(screen) == f'web1: publishing to {ENDPOINT} (eu-west-1) ' \
        f'as {SOURCE}, accepted 5 min ago'
    assert screen.styled[0].startswith(GREEN)
    assert '\n'.join(screen.lines[3:]) == f'''\
web1: write_cloudwatch 0.1.0, process 812
  region       eu-west-1
  endpoint     {ENDPOINT}
  credentials  {SOURCE}, they end in 5 h
  clock        agrees with AWS
  accepted     5 min ago, the last request took 0.113 s
  flushed      every 3600 s, last 5 min ago: data 2, requests 1
  waiting      nothing
  counted      from the start, 10 h ago: accepted 20, requests 10
  metrics      2 alive of 1,000
  identifiers  5 feed a metric, 3 none
  a month      about 0.61 USD: metrics 2 (0.60), requests 720 (0.01); an
               estimate by the prices of us-east-1, 2026; 10 metrics and
               1,000,000 requests are free, which is not deducted

Metrics in MyApp
  name    dimensions  unit   value         period
  Load 0  Host=web1   Count  6.5 (2 to 8)  5 min ago
  Load 1  Host=web1   Count  6.5 (2 to 8)  5 min ago

Identifiers that nothing selects, newest first
  identifier           nearest <Metric>  but
  web1/cpu-2/cpu-idle  Load              Plugin "load" is not cpu
  web1/cpu-1/cpu-idle  Load              Plugin "load" is not cpu
  web1/cpu-0/cpu-idle  Load              Plugin "load" is not cpu'''
    bold = [line for line in screen.styled if BOLD in line]
    assert [SEQUENCE.sub('', line) for line in bold] == [
        'web1: write_cloudwatch 0.1.0, process 812', 'Metrics in MyApp',
        'Identifiers that nothing selects, newest first']
    assert RED not in ''.join(screen.styled)


def test_degraded(tmp_path, terminal):
    path = written(tmp_path / 'status.json', made(
        troubles=[trouble('sending', -200)], last_error=failure(
            -200, sentence='CloudWatch answered AccessDenied: ' + 'word ' * 30),
        queue={'data': 4, 'bytes': 500, 'oldest': at(-330)},
        next_attempt=at(700)))
    screen = terminal.run(PROGRAM, path)
    check(screen)
    assert screen.status == 1
    assert re.match(r'web1: degraded since \d{4}-\d\d-\d\d [\d:]{8} UTC, 3 min: '
                    r'the last request failed \(AccessDenied\); to https:',
                    text_of(screen))
    assert colours_of(screen.styled[0])[0] == YELLOW
    assert '  last error   3 min ago: CloudWatch answered AccessDenied: word ' \
        'word word word' in screen.lines
    i = screen.lines.index('  waiting      4 data, 500 bytes of memory, the '
                           'oldest cut 5 min ago, next')
    assert screen.lines[i + 1] == ' ' * 15 + 'attempt in 11 min'


def test_dead(tmp_path, terminal):
    path = written(tmp_path / 'status.json', made(time=at(-9 * 3600)))
    screen = terminal.run(PROGRAM, path)
    check(screen)
    assert screen.status == 2
    assert re.match(r'web1: not publishing since .* UTC, 9 h: collectd writes '
                    'nothing: it is dead or hangs; to', text_of(screen))
    assert colours_of(screen.styled[0])[0] == RED


@pytest.mark.parametrize('content, words', [
    (None, ' is not there: see that StatusFile'),
    ('{"schema": 1, "plugin": "write_cl', ' ends too early: '),
    ('{"status": "fine"}', ' is no status file of write_cloudwatch, as'),
    (json.dumps({**made(), 'schema': 2}), ' has version 2 of the schema'),
], ids=['missing', 'truncated', 'foreign', 'too new'])
def test_unreadable(tmp_path, terminal, content, words):
    path = tmp_path / 'status.json'
    if content is not None:
        path.write_text(content)
    screen = terminal.run(PROGRAM, path)
    check(screen)
    assert screen.status == 3
    assert words in text_of(screen).replace(str(path), '')
    assert '' not in screen.lines
    assert colours_of(screen.styled[0])[0] == RED


def test_nodes(tmp_path):
    """A line for each, then a table for each."""
    for node, changes in {'a': {}, 'b': {'stopped': True}, 'c': {
            'troubles': [trouble('clock', -200)]}}.items():
        written(tmp_path / f'status.json.{node}', made(node=node, **changes))
    with Terminal(tmp_path, columns=200) as wide:
        screen = wide.run(PROGRAM, tmp_path / 'status.json')
    check(screen, 200)
    assert screen.status == 2
    assert [colours_of(line)[0] for line in screen.styled[:3]] == [
        RED, YELLOW, GREEN]
    assert [line.split(': ')[1].split(' since')[0][:12]
            for line in screen.lines[:3]] == [
                'not publishi', 'degraded', 'publishing t']
    assert screen.lines[3] == ''
    titles = [line for line in screen.lines if ': write_cloudwatch ' in line]
    assert [line[:6] for line in titles] == ['web1 b', 'web1 c', 'web1 a']


@pytest.mark.parametrize('columns', [20, 40, 80, 81])
def test_width(tmp_path, columns):
    """The terminal itself judges that nothing is too wide, whatever the texts:
    what is broken is one line again in what it joins."""
    path = written(tmp_path / 'status.json', made(
        series=[series(0, name='n' * 255, dimensions={'D' * 99: 'd' * 1024}),
                series(1, namespace=WIDE)],
        credentials={'source': WIDE, 'expires': None},
        last_error=failure(-60, sentence=WIDE * 2),
        unselected=[unselected(0, identifier=WIDE, because=WIDE)]))
    with Terminal(tmp_path, columns=columns, rows=400) as terminal:
        screen = terminal.run(PROGRAM, path)
    assert len(screen.lines) == len(screen.joined)
    assert screen.status == 0
    assert '...' in screen.lines[-1]


def test_columns_of_odd_letters(tmp_path, terminal):
    """Each next column begins at the same place of the terminal."""
    names = ['abcdef', 'e\u0301' * 6, '漢字あ', 'e\u0301漢\u0301abc']
    path = written(tmp_path / 'status.json', made(
        series=[series(0, name=name) for name in names]))
    screen = terminal.run(PROGRAM, path)
    rows = [line for line in screen.lines if '  Host=web1  ' in line]
    assert [row[:row.index('Host')] for row in rows] == [
        f'  {name}  ' for name in names]


def test_control_characters(tmp_path, terminal):
    """They neither colour nor move: the same as with question marks."""
    screens = []
    for text in ('a\x1b[31m\x1b[2J\x1b]0;title\x07\x9b5A\rb',
                 'a?[31m?[2J?]0;title??5A b'):
        path = written(tmp_path / 'status.json', made(
            host=text, last_error=failure(-200, sentence=text),
            series=[series(0, name=text)]))
        screens.append(terminal.run(PROGRAM, path))
    assert screens[0].styled == screens[1].styled
    check(screens[0])


@pytest.mark.parametrize('environment, arguments, has_colours', [
    ({}, [], True), ({}, ['--color', 'never'], False),
    ({'NO_COLOR': '1'}, [], False), ({'NO_COLOR': ''}, [], True),
    ({'NO_COLOR': '1'}, ['--color=always'], True)])
def test_colours(tmp_path, environment, arguments, has_colours):
    path = written(tmp_path / 'status.json', made())
    with Terminal(tmp_path, environment=environment) as terminal:
        screen = terminal.run(PROGRAM, *arguments, path)
        assert any(map(colours_of, screen.styled)) == has_colours
        # Behind a pipe the screen shows none, unless they are asked for.
        piped = terminal.run('sh', '-c', '"$@" | cat', 'sh', PROGRAM,
                             *arguments, path)
        assert any(map(colours_of, piped.styled)) == \
            (arguments == ['--color=always'])


def test_colours_in_a_file(tmp_path):
    path = written(tmp_path / 'status.json', made())
    assert '\x1b' not in view(path).stdout
    assert '\x1b[32mweb1: publishing' in view('--color', 'always', path).stdout
    assert '\x1b' not in view('--color', 'always', '--json', path).stdout
