"""expect: one configuration, some values, and exactly what arrives.

    expect(tmp_path, METRIC, [('memory/memory-free', '0:5', '10:7')],
           [datum('Memory Free', {5: 1, 7: 1}, unit='Bytes')])

A real collectd gets the values through its unixsock plugin, one after the
other, and sends them over a real socket to the loopback service.  What the
service accepted is compared as a whole, as is what the plugin said: nothing
may be missing and nothing else may be there.

Times are seconds since T, a full hour that is at least an hour ago.  The
configured FlushInterval is a day, so that nothing is cut while values are fed
and periods are a minute long; all is sent when the daemon stops.
"""

import itertools
import re
import time

from cloudwatch import Service
from daemon import Daemon
from status_watch import StatusWatch, status_lines

T = int(time.time()) // 3600 * 3600 - 3600
HOST = 'web1'  # of values whose identifier names none
KEY, SECRET = 'AKIDEXAMPLE', 'dummy'

# What the plugin says in any life.
USUAL = ('flushes every', 'has accepted the first', 'stops; ')

_marks = itertools.count(1)


def open_service():
    return Service(credentials={KEY: (SECRET, None)})


def settings(service, lines='', interval=86400):
    """The <Plugin> block that sends to the service when asked to."""
    return f'''<Plugin write_cloudwatch>
Endpoint "{service.url}"
Region "eu-west-1"
AccessKeyId "{KEY}"
SecretAccessKey "{SECRET}"
FlushInterval {interval}
FlushJitter 0
{lines}
</Plugin>
'''


def metric(name, *lines):
    return f'<Metric "{name}">\n' + '\n'.join(lines) + '\n</Metric>\n'


def datum(name, value, at=0, unit='None', dims=None, namespace='collectd',
          resolution=60):
    """A datum as it must arrive.

    value  a number: Value; a dict of values and how often: Values and Counts;
           a tuple (SampleCount, Sum, Minimum, Maximum): StatisticValues
    at     Timestamp, in seconds since T
    """
    result = {'Namespace': namespace, 'MetricName': name,
              'Dimensions': dims or {}, 'Timestamp': T + at, 'Unit': unit,
              'StorageResolution': resolution}
    if isinstance(value, dict):
        result['Values'] = sorted(value.items())
    elif isinstance(value, tuple):
        result['StatisticValues'] = dict(zip(
            ('SampleCount', 'Sum', 'Minimum', 'Maximum'), value))
    else:
        result['Value'] = value
    return result


def arrived(service):
    """What the service accepted, in the form and order of sort()."""
    result = []
    for given in service.datums:
        one = dict(given)
        assert one.pop('SignatureVerified') is True
        assert one.pop('AccessKey') == KEY
        del one['Request']
        if 'Values' in one:  # pairs, so that a value that came twice shows
            one['Values'] = sorted(zip(one['Values'], one.pop('Counts')))
        result.append(one)
    return sort(result)


def sort(datums):
    return sorted(datums, key=lambda one: (
        one['Namespace'], one['MetricName'], sorted(one['Dimensions'].items()),
        one['Timestamp'], str(one.get('Values')), str(one.get('Value'))))


def check_arrived(service, datums):
    """All of datums arrived, nothing else, and nothing was refused."""
    refused = [f'{request.status} {request.code}: {request.message}'
               for request in service.requests if request.status != 200]
    assert not refused, refused
    seen = arrived(service)
    assert seen == sort(datums), '\n'.join(
        [f'missing: {one}' for one in datums if one not in seen] +
        [f'not wanted: {one}' for one in seen if one not in datums] +
        [f'{len(seen)} datums, not {len(datums)}'])


def feed(daemon, values):
    """Puts values, each (identifier, 'SECONDS:VALUE', ...) with times since T
    and an optional number in between, the interval; returns when the plugin
    has all of them.

    Needs WriteThreads 1: the daemon's queue is then one line, and once its
    cache shows a last value, the writers have had all before it."""
    for identifier, *samples in values:
        interval = None
        if not isinstance(samples[0], str):
            interval = samples.pop(0)
        if identifier.count('/') == 1:
            identifier = f'{HOST}/{identifier}'
        for sample in samples:
            at, _, value = sample.partition(':')
            daemon.putval(identifier, f'{T + float(at):.6f}:{value}',
                          interval=interval)
    # The first value of a DERIVE: it shows in the cache, and nothing is ever
    # published or counted for it.
    mark = f'sync/sync/derive-{next(_marks)}'
    daemon.putval(mark, 'N:1')
    end = time.monotonic() + 20
    while not is_known(daemon, mark):
        assert time.monotonic() < end, 'the daemon does not take values'
        time.sleep(0.002)


def is_known(daemon, identifier):
    try:
        daemon.command(f'GETVAL "{identifier}"')
    except AssertionError:
        return False
    return True


def said(daemon):
    """What the plugin said beyond the usual: a list of lines."""
    lines = [line for line in daemon.log.splitlines()
             if 'write_cloudwatch plugin: ' in line]
    return [line.replace('write_cloudwatch plugin: ', '') for line in lines
            if not any(text in line for text in USUAL)]


def left_out(daemon):
    """How many values the plugin counted as not published."""
    return int(re.search(r'(\d+) values were left out', daemon.log).group(1))


def check_said(daemon, says):
    """Each expression must fit one line, and each line one of them."""
    lines = said(daemon)
    assert len(lines) == len(says), '\n'.join(lines) or 'nothing was said'
    for expression in says:
        assert any(re.search(expression, line) for line in lines), (
            f'no /{expression}/ in\n' + '\n'.join(lines))


def run(service, folder, config, values, *, types='', before='',
        environment=None):
    """A whole life of a daemon that has config inside <Plugin> and gets the
    values; returns it when it has ended.

    types   further lines of a types.db
    before  configuration before our module is loaded
    """
    before = 'WriteThreads 1\n' + before
    if types:
        (folder / 'types.db').write_text(types)
        before = f'TypesDB "{folder}/types.db"\n{before}'
    block, paths = status_lines(settings(service, config),
                                folder / 'run' / 'status.json')
    daemon = Daemon(folder / 'run', block, before=before,
                    environment=environment)
    status = StatusWatch()
    try:
        status.add(daemon, paths)
        with daemon:
            feed(daemon, values)
    finally:
        status.stop()
    status.check(killed=(), services=[service])
    return daemon


def expect(folder, config, values, datums, *, says=(), left=0, **more):
    """Runs a daemon and compares all datums, all that was said (expressions),
    and the number of values left out; more as for run()."""
    with open_service() as service:
        daemon = run(service, folder, config, values, **more)
        check_arrived(service, datums)
        check_said(daemon, says)
        seen = left_out(daemon)
        assert seen == left, f'{seen} values were left out, not {left}'
