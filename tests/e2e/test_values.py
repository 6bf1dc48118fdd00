"""Bad values never stop good ones; numbers arrive as they are; what was
published can be read back."""

import json
import math
import os
import random
import re
import socket
import subprocess

import pytest

from daemon import Daemon
from expect import (HOST, KEY, SECRET, T, arrived, check_arrived, check_said,
                    datum, expect, feed, left_out, metric, open_service, run,
                    settings)

DAY = 86400
LONG = 127  # bytes of a name that collectd has room for

INFINITE = (r'^.warning. web1/p/gauge-bad is infinite, which CloudWatch '
            'refuses; left out')
RANGE = (r'^.warning. web1/p/gauge-bad is beyond 2\^360, which CloudWatch '
         'refuses: check Scale and Offset; left out')
OLD = r'^.warning. web1/p/gauge-bad is older than .*: check the clock'
AHEAD = (r'^.warning. web1/p/gauge-bad lies more than FlushInterval \(at most '
         r'two hours\) in the future: check the clock')
NAN = r'^.info. web1/p/gauge-bad is not a number'

# One bad sample; what is published of it, None for nothing; what is said.
BAD = {
    'not a number': ('0:nan', None, NAN),
    'undefined': ('0:U', None, NAN),
    'infinite': ('0:inf', None, INFINITE),
    'minus infinite': ('0:-inf', None, INFINITE),
    'too near to 0': ('0:1e-110', 0, None),
    'too near to 0 from below': ('0:-1e-110', 0, None),
    'denormal': ('0:5e-324', 0, None),
    'just far enough from 0': (f'0:{2.0 ** -360!r}', 2.0 ** -360, None),
    'minus 0': ('0:-0', 0, None),
    'too large': ('0:1e109', None, RANGE),
    'too large below 0': ('0:-1e109', None, RANGE),
    'as large as may be': (f'0:{2.0 ** 360!r}', 2.0 ** 360, None),
    '15 days old': (f'{-15 * DAY}:1', None, OLD),
    'of the year 1970': (f'{1000 - T}:1', None, OLD),
    '13 days old': (f'{-13 * DAY}:1', (1, -13 * DAY), None),
    'a year ahead': (f'{366 * DAY}:1', None, AHEAD),
    'beyond the two hours that CloudWatch accepts':
        (f'{6 * 3600}:1', None, AHEAD),
}
GOOD = [datum('good', 1), datum('good', 2, at=60)]


@pytest.mark.parametrize('label', BAD)
def test_bad_value_among_good_ones(tmp_path, label):
    sample, wanted, says = BAD[label]
    value, at = wanted if isinstance(wanted, tuple) else (wanted, 0)
    expect(tmp_path, metric('%{type_instance}', 'Plugin "p"'),
           [('p/gauge-good', '0:1'), ('p/gauge-bad', sample),
            ('p/gauge-good', '60:2')],
           GOOD + ([] if wanted is None else [datum('bad', value, at)]),
           says=[says] if says else [], left=1 if wanted is None else 0)


def test_all_bad_values_at_once(tmp_path):
    """Each is counted, each reason is said once."""
    values, datums = [], []
    for i, (sample, wanted, _) in enumerate(BAD.values()):
        value, at = wanted if isinstance(wanted, tuple) else (wanted, 0)
        for plugin in 'pq':
            values.append((f'{plugin}/gauge-{i}', sample))
            if wanted is not None:
                datums.append(datum(f'{plugin}{i}', value, at))
    expect(tmp_path, metric('%{plugin}%{type_instance}', 'Plugin "!sync"'),
           [('p/gauge-good', '0:1'), *values, ('p/gauge-good', '60:2')],
           [datum('pgood', 1), datum('pgood', 2, at=60), *datums],
           says=['is not a number', 'is infinite', r'is beyond 2\^360',
                 'is older', 'in the future'],
           left=len(values) - len(datums))


def test_what_is_left_out_is_said_once_for_many_flushes(tmp_path):
    config = metric('%{type_instance}', 'Plugin "p"')
    with open_service() as service:
        with Daemon(tmp_path, settings(service, config),
                    before='WriteThreads 1\n') as daemon:
            for minute in range(3):
                at = minute * 60
                feed(daemon, [('p/gauge-bad', f'{at}:inf', f'{at + 1}:nan'),
                              ('p/gauge-good', f'{at}:{minute}')])
                daemon.flush()
                service.wait_datums(minute + 1, 10)
        check_arrived(service, [datum('good', minute, at=minute * 60)
                                for minute in range(3)])
        check_said(daemon, [INFINITE, NAN])
        assert left_out(daemon) == 6


def test_minus_zero_is_sent_as_zero(tmp_path):
    """-0 equals 0, so that only the body shows it."""
    config = metric('%{type_instance}', 'Plugin "p"', 'Round "nearest"')
    with open_service() as service:
        run(service, tmp_path, config,
            [('p/gauge-a', '0:-0'), ('p/gauge-b', '0:-0.3'),
             ('p/gauge-c', '0:-1e-110')])
        check_arrived(service, [datum(name, 0) for name in 'abc'])
        body, = (request.decoded for request in service.requests)
        assert body.count(b'"Value":0') == 3
        assert b'-' not in body


def test_sum_of_a_set_that_is_too_large(tmp_path):
    config = (metric('Set', 'Plugin "p"', 'Statistics "set"') +
              metric('Average', 'Plugin "p"', 'Statistics "average"') +
              metric('Values', 'Plugin "p"') +
              metric('Good', 'Plugin "good"'))
    expect(tmp_path, config,
           [('p/gauge-bad', '0:2e108', '10:2.1e108'), ('good/gauge', '0:1')],
           [datum('Values', {2e108: 1, 2.1e108: 1}),
            datum('Average', 2.05e108), datum('Good', 1)],
           says=[RANGE], left=2)


def test_what_scale_and_combine_make_too_large(tmp_path):
    config = (metric('Scaled', 'Plugin "p"', 'Scale 1000', 'Unit "None"') +
              metric('Summed', 'Plugin "p"', 'Combine "sum"') +
              metric('Good', 'Plugin "good"'))
    expect(tmp_path, config,
           [('p/gauge-bad', 10, '0:2e108'), ('p/gauge-bad2', 10, '1:2e108'),
            ('good/gauge', '0:1')],
           [datum('Good', 1)], says=[RANGE], left=3)


# ---- names ------------------------------------------------------------------

NAMES = {
    'empty instances': ('h/p/gauge', 'h..gauge.'),
    'instances that are empty behind their mark': ('h/p-/gauge-', 'h..gauge.'),
    'quotes': ('h/p-"q"/gauge-\'a\'"', 'h."q".gauge.\'a\'"'),
    'backslashes': ('h/p-\\/gauge-C:\\n\\', 'h.\\.gauge.C:\\n\\'),
    'JSON': ('h/p/gauge-"},{"Value":1', 'h..gauge."},{"Value":1'),
    'a form': ('h/p-a&b=c/gauge-%20+d', 'h.a&b=c.gauge.%20+d'),
    'a template': ('h/p/gauge-%{host}', 'h..gauge.%{host}'),
    'blanks': ('a host/p- /gauge- b ', 'a host. .gauge. b '),
    'as long as collectd takes':
        ('h/p/gauge-' + 't' * LONG, 'h..gauge.' + 't' * LONG),
}
DOTS = metric('%{host}.%{plugin_instance}.%{type}.%{type_instance}',
              'Plugin "p"', 'Dimension "All" "%{host}|%{plugin}|'
              '%{plugin_instance}|%{type}|%{type_instance}"')


def all_of(name):
    """The dimension that DOTS gives beside a name."""
    host, instance, rest = name.split('.', 2)
    kind, _, type_instance = rest.partition('.')
    return {'All': f'{host}|p|{instance}|{kind}|{type_instance}'}


@pytest.mark.parametrize('label', NAMES)
def test_odd_name_among_good_ones(tmp_path, label):
    identifier, name = NAMES[label]
    good = 'h.i.gauge.good'
    expect(tmp_path, DOTS,
           [('h/p-i/gauge-good', '0:1'), (identifier, '0:7'),
            ('h/p-i/gauge-good', '60:2')],
           [datum(good, 1, dims=all_of(good)),
            datum(good, 2, at=60, dims=all_of(good)),
            datum(name, 7, dims=all_of(name))])


def test_names_as_long_as_collectd_takes(tmp_path):
    """All four together are too long for a name, so that this one is cut and
    ends in a hash; longer ones never get through the daemon."""
    h, p, i, t = (letter * LONG for letter in 'hpit')
    config = metric('%{host}%{plugin}%{plugin_instance}%{type_instance}',
                    'Type "gauge"')
    with open_service() as service:
        with Daemon(tmp_path, settings(service, config),
                    before='WriteThreads 1\n') as daemon:
            feed(daemon, [('h/good/gauge', '0:1'),
                          (f'{h}/{p[:60]}-{i[:60]}/gauge-{t}', '0:2')])
            for identifier in (f'{h}h/p/gauge', f'h/{p}p/gauge',
                               f'h/p/gauge-{t}t', 'h/p/gauge-' + 't' * 200):
                with pytest.raises(AssertionError, match='too long'):
                    feed(daemon, [(identifier, '0:3')])
            feed(daemon, [('h/good/gauge', '60:1')])
        odd, = {one['MetricName'] for one in service.datums} - {'hgood'}
        assert re.fullmatch(r'h{127}p{60}i{59}-[0-9a-f]{8}', odd)
        check_arrived(service, [datum('hgood', 1), datum('hgood', 1, at=60),
                                datum(odd, 2)])
        check_said(daemon, ['it is published changed'])
        assert left_out(daemon) == 0


def test_names_that_are_no_utf8(tmp_path):
    """The daemon takes any byte from the network; ours must make do."""
    config = metric('%{type_instance}', 'Plugin "p"')
    with open_service() as service:
        with Daemon(tmp_path, settings(service, config),
                    before='WriteThreads 1\n') as daemon:
            feed(daemon, [('p/gauge-good', '0:1')])
            with socket.socket(socket.AF_UNIX) as raw:
                raw.settimeout(10)
                raw.connect(str(daemon.socket_path))
                raw.sendall(b'PUTVAL "h/p/gauge-\xff\xfe\xc3" %d:5\n' % T)
                assert raw.recv(100).startswith(b'0 Success')
            feed(daemon, [('p/gauge-good', '60:2')])
        names = {one['MetricName'] for one in service.datums}
        odd = (names - {'good'}).pop()
        assert odd.startswith('___-') and len(odd) == 12
        check_arrived(service, GOOD + [datum(odd, 5)])
        check_said(daemon, ['it is published changed'])
        assert left_out(daemon) == 0


# ---- numbers ----------------------------------------------------------------

def test_numbers_arrive_as_they_are(tmp_path):
    """To the last bit, alone and in Values."""
    seed = random.randrange(2 ** 32)
    print('seed', seed)
    dice = random.Random(seed)
    numbers = [0.1, 1 / 3, 1e15, 1e16, 1e17, 123456789.12345679, 1e22, 1e23,
               2.0 ** 53, 2.0 ** 53 + 2, -2.5e-7, 4.35, 0.1 + 0.2,
               math.nextafter(1, 2), math.nextafter(2.0 ** 360, 0)]
    # Not nearer to 0 than CloudWatch takes: that would be published as 0.
    numbers += [dice.choice((-1, 1)) * dice.uniform(0.1, 1) *
                10.0 ** dice.randint(-107, 107)
                for _ in range(60)]
    values = [(f'p/gauge-{i}', f'0:{number!r}')
              for i, number in enumerate(numbers)]
    expect(tmp_path, metric('One %{type_instance}', 'Plugin "p"') +
           metric('All', 'Plugin "p"'), values,
           [datum(f'One {i}', number) for i, number in enumerate(numbers)] +
           [datum('All', {number: 1 for number in numbers})])


# ---- reading back -----------------------------------------------------------

def aws(service, *arguments):
    """The AWS command line of the distribution; what it prints as JSON."""
    done = subprocess.run(
        ['/usr/bin/aws', 'cloudwatch', *arguments, '--endpoint-url',
         service.url, '--region', 'eu-west-1', '--output', 'json'],
        env={'PATH': os.environ['PATH'], 'HOME': '/nonexistent',
             'AWS_ACCESS_KEY_ID': KEY, 'AWS_SECRET_ACCESS_KEY': SECRET,
             'AWS_EC2_METADATA_DISABLED': 'true'},
        capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def statistics(service, name, *arguments):
    points = aws(service, 'get-metric-statistics', '--namespace', 'MyApp',
                 '--metric-name', name, '--start-time', str(T),
                 '--end-time', str(T + 120), '--period', '60', *arguments)
    return sorted(points['Datapoints'], key=lambda one: one['Timestamp'])


def test_more_than_150_distinct_values_are_exact(tmp_path):
    """Several datums of one time, which CloudWatch merges to the whole."""
    numbers = list(range(1, 401)) + [200] * 7 + [400]
    random.Random(1).shuffle(numbers)
    samples = [f'{i * 0.1:.1f}:{number}' for i, number in enumerate(numbers)]
    with open_service() as service:
        run(service, tmp_path, 'Namespace "MyApp"\n' + metric('M'),
            [('p/gauge', *samples)])
        datums = arrived(service)
        assert sorted(len(one['Values']) for one in datums) == [100, 150, 150]
        assert {one['Timestamp'] for one in datums} == {T}
        counts = [pair for one in datums for pair in one['Values']]
        assert sorted(counts) == [
            (number, {200: 8, 400: 2}.get(number, 1))
            for number in range(1, 401)]
        point, = statistics(service, 'M', '--statistics', 'SampleCount', 'Sum',
                            'Average', 'Minimum', 'Maximum')
        assert (point['SampleCount'], point['Sum'], point['Minimum'],
                point['Maximum']) == (408, sum(numbers), 1, 400)
        assert point['Average'] == sum(numbers) / 408
        point, = statistics(service, 'M', '--extended-statistics', 'p50',
                            'p100')
        assert point['ExtendedStatistics'] == {'p50': 200, 'p100': 400}


def test_the_aws_command_line_reads_it_back(tmp_path):
    config = ('Namespace "MyApp"\n'
              'Dimension "Host" "%{host}"\nDimensionSet "Host"\n'
              'DimensionSet ""\n' +
              metric('Memory Available', 'Plugin "memory"',
                     'TypeInstance "/^(free|cached)$/"', 'Combine "sum"',
                     'Unit "Bytes"') +
              metric('Sockets Used', 'Plugin "tcpconns"'))
    values = [('memory/memory-free', 10, '0:100', '10:110', '60:120'),
              ('memory/memory-cached', 10, '0:5', '10:5', '60:5'),
              ('memory/memory-used', 10, '0:999'),
              ('tcpconns-all/tcp_connections-ESTABLISHED', '0:7', '10:9')]
    with open_service() as service:
        run(service, tmp_path, config, values)
        metrics = aws(service, 'list-metrics', '--namespace', 'MyApp')
        host = [{'Name': 'Host', 'Value': HOST}]
        assert sorted(metrics['Metrics'], key=json.dumps) == sorted(
            [{'Namespace': 'MyApp', 'MetricName': name, 'Dimensions': dims}
             for name in ('Memory Available', 'Sockets Used')
             for dims in ([], host)], key=json.dumps)
        first, second = statistics(
            service, 'Memory Available', '--statistics', 'Sum', 'Maximum',
            '--dimensions', f'Name=Host,Value={HOST}')
        assert (first['Sum'], first['Maximum'], first['Unit']) == (
            105 + 115, 115, 'Bytes')
        assert (second['Sum'], second['Maximum']) == (125, 125)
        point, = statistics(service, 'Sockets Used', '--statistics',
                            'Average')
        assert (point['Average'], point['Unit']) == (8, 'Count')
