"""ReportStats: what the plugin counts, as values of collectd, by way of the csv
plugin and of CloudWatch itself."""

import csv
import pathlib
import re
import time

import pytest

import faults
import judges
from scene import (KEY, MINUTE, SECRET, config, node, publish,
                   without_keys)
from test_delivery import LONG, overflow
from test_matrix_spool import spooling, wait_files
from test_refused import is_named, refuse_data

TYPES_DB = pathlib.Path('/usr/share/collectd/types.db')
# The reasons as the manual lists them.
LEFT_OUT = ('nan infinite range old ahead twice not_newer reset slot_dropped '
            'max_metrics disagree crowded full memory awaited lacking unfit '
            'quarantined').split()
COUNTERS = {*(f'total_values-{name}' for name in (
                'accepted', 'refused', 'retried', 'ambiguous',
                'dropped-buffer_limit', 'dropped-spool_limit',
                'dropped-buffer_age', 'dropped-future',
                *(f'left_out-{reason}' for reason in LEFT_OUT),
                'published-late', 'published-folded')),
            'total_requests-sent', 'total_requests-failed'}
ALWAYS = COUNTERS | {'queue_length-waiting', 'bytes-waiting', 'duration-oldest',
                     'count-metrics'}


def start(scene, configuration, **how):
    """A daemon that keeps what it is told in files of the csv plugin."""
    return scene.start(configuration, before=f'''LoadPlugin csv
<Plugin csv>
  DataDir "{scene.folder}/csv"
  StoreRates false
</Plugin>''', **how)


def stored(scene, instance=''):
    """{type-instance: [(time, value)]} of what is there."""
    folder = scene.folder / 'csv' / 'testhost' / (
        'write_cloudwatch' + (instance and f'-{instance}'))
    found = {}
    for path in sorted(folder.glob('*')):
        with path.open() as file:
            rows = [(float(row[0]), float(row[1]))
                    for row in list(csv.reader(file))[1:] if len(row) == 2]
        found.setdefault(path.name[:-11], []).extend(rows)
    return found


def wait(scene, fits, instance='', timeout=20):
    """Waits until the newest values fit; returns those of one read later, as
    what one read gives is not written at once."""
    end = time.monotonic() + timeout
    before = None  # how many there were when they did
    while True:
        found = stored(scene, instance)
        newest = {name: rows[-1][1] for name, rows in found.items() if rows}
        if before is not None and all(
                len(rows) > before.get(name, 0)
                for name, rows in found.items()):
            return newest
        if before is None and newest and fits(newest):
            before = {name: len(rows) for name, rows in found.items()}
        assert time.monotonic() < end, newest
        time.sleep(0.05)


def has(**counters):
    """Of accepted and others, that they have come to these numbers."""
    return lambda newest: all(
        newest.get(f'total_values-{name}') == n
        for name, n in counters.items())


def check_counters(newest, **expected):
    """These have these numbers, the others are 0."""
    found = {name: n for name, n in newest.items()
             if name in COUNTERS and n != 0}
    assert found == {name.replace('__', '-'): n for name, n in expected.items()}


# ---- csv --------------------------------------------------------------------

def test_what_is_counted(scene):
    service = scene.service()
    service.behave([faults.refuse('InternalServiceError'),
                    faults.reset(store=True)])
    daemon = start(scene, config(service, ReportStats=True))
    publish(daemon, load=1)  # three requests: failed, no answer, accepted
    wait(scene, has(accepted=1))
    service.always(refuse_data('.Value', is_named('bad')))
    daemon.putval('host/test/gauge-nan', f'{MINUTE}:U')
    publish(daemon, bad=1, good=2)  # two requests
    newest = wait(scene, has(accepted=2))
    check_counters(newest, total_values__accepted=2, total_values__retried=3,
                   total_values__refused=1, total_values__ambiguous=1,
                   total_requests__sent=5, total_requests__failed=3,
                   **{'total_values__left_out-nan': 1})
    assert set(newest) == ALWAYS | {'latency-request'}
    assert newest['queue_length-waiting'] == newest['bytes-waiting'] == 0
    assert newest['duration-oldest'] == 0
    assert newest['count-metrics'] == 4
    assert 0 <= newest['latency-request'] < 30


def test_before_anything_was_sent(scene):
    """A latency is not known yet."""
    service = scene.service()
    start(scene, config(service, ReportStats=True))
    assert set(wait(scene, lambda newest: len(newest) >= len(ALWAYS))) == ALWAYS


def test_types(scene):
    """They come with collectd, and have one value; what begins with total_
    is a counter."""
    known = {line.split()[0]: line.split(None, 1)[1]
             for line in TYPES_DB.read_text().splitlines()
             if line.strip() and not line.startswith('#')}
    service, metadata = scene.service(), scene.metadata()
    daemon = start(scene, without_keys(
        service, ReportStats=True, SpoolDirectory=str(scene.folder / 'spool')),
        uses=[metadata])
    publish(daemon, load=1)
    newest = wait(scene, has(accepted=1))
    assert set(newest) == ALWAYS | {'latency-request', 'bytes-spool',
                                    'timeleft-credentials'}
    for name in newest:
        source, = known[name.partition('-')[0]].split(',')
        assert name.startswith('total_') == (':DERIVE:' in source)


def test_what_waits(scene):
    service, spool = scene.service(), scene.folder / 'spool'
    service.always(faults.refuse('ServiceUnavailable'))
    daemon = start(scene, spooling(scene, service, ReportStats=True))
    publish(daemon, a=1, b=2)
    wait_files(spool, 1)
    newest = wait(scene, lambda newest: newest['duration-oldest'] >= 2)
    assert newest['queue_length-waiting'] == 2
    assert newest['bytes-spool'] == 4096
    assert newest['total_values-accepted'] == 0
    service.always(None)
    newest = wait(scene, has(accepted=2))
    assert newest['queue_length-waiting'] == newest['duration-oldest'] == 0
    assert newest['bytes-spool'] == newest['bytes-waiting'] == 0


def test_what_is_dropped(scene):
    """It, and what was sent, is all that there was."""
    service = scene.service()
    service.always(faults.refuse('ServiceUnavailable'))
    daemon = start(scene, config(service, metric=LONG, BufferLimit=1,
                                 ReportStats=True))
    overflow(daemon)
    newest = wait(scene, lambda newest: newest[
        'total_values-dropped-buffer_limit'] > 0)
    assert newest['bytes-waiting'] > 100_000
    service.always(None)
    wait(scene, lambda newest: newest['total_values-accepted'] + newest[
        'total_values-dropped-buffer_limit'] == 480, timeout=30)


def test_what_is_left_of_credentials(scene):
    service, metadata = scene.service(), scene.metadata()
    keys = metadata.rotate(life_s=7200)
    start(scene, without_keys(service, ReportStats=True), uses=[metadata])
    wait(scene, lambda newest: 'timeleft-credentials' in newest)
    for at, left_s in stored(scene)['timeleft-credentials']:
        assert abs(keys.end - at - left_s) <= 2


def test_by_aws_clock(scene):
    """Which is what they end by."""
    service = scene.service(now=lambda: time.time() + 3600)
    metadata = scene.metadata()
    keys = metadata.rotate(life_s=7200)
    daemon = start(scene, without_keys(service, ReportStats=True),
                   uses=[metadata])
    publish(daemon, load=1)
    wait(scene, has(accepted=1))
    wait(scene, lambda newest: abs(
        keys.end - time.time() - 3600 - newest['timeleft-credentials']) < 60)


def test_the_interval_is_that_of_the_plugin(scene):
    """Not the daemon's, nor that of flushes."""
    service = scene.service()
    start(scene, config(service, ReportStats=True), load_options='Interval 3')
    wait(scene, lambda newest: len(
        stored(scene)['total_values-accepted']) >= 3, timeout=60)
    times = [at for at, _ in stored(scene)['total_values-accepted']]
    assert all(later - at > 2 for at, later in zip(times, times[1:]))


def test_two_nodes(scene):
    """Each for itself."""
    good, bad = scene.service(), scene.service()
    bad.always(faults.refuse('ServiceUnavailable'))
    daemon = start(scene, config(
        None, node('good', good), node('bad', bad),
        node('silent', good, ReportStats=False), Region=None,
        ReportStats=True))
    publish(daemon, load=1)
    wait(scene, has(accepted=1), 'good')
    newest = wait(scene, lambda newest: newest['queue_length-waiting'] == 1,
                  'bad')
    assert newest['total_values-accepted'] == 0
    assert newest['total_requests-failed'] >= 1
    assert sorted(path.name for path in (
        scene.folder / 'csv' / 'testhost').glob('write_cloudwatch*')) == [
            'write_cloudwatch-bad', 'write_cloudwatch-good']


def test_none_unless_asked(scene):
    service = scene.service()
    daemon = start(scene, config(service))
    publish(daemon, load=1)
    service.wait_datums(1, 10)
    time.sleep(2)
    daemon.stop()
    assert not stored(scene)


@pytest.mark.parametrize('interval', [0.01, 1])
def test_the_end(scene, interval):
    """Reads go on until the daemon stops, and not beyond."""
    service = scene.service()
    daemon = start(scene, config(service, ReportStats=True), interval=interval)
    publish(daemon, load=1)
    wait(scene, has(accepted=1))
    assert daemon.stop() == 0
    end = time.time()
    before = stored(scene)
    assert all(rows[-1][0] <= end for rows in before.values())
    assert not [line for line in daemon.lines if re.search(
        'read-function|uc_update|Value too old', line)]


# ---- CloudWatch -------------------------------------------------------------

OWN = '''
<Metric "Metrics backlog">
  Plugin "write_cloudwatch"
  Type "queue_length"
  Unit "Count"
</Metric>
<Metric "Accepted a second">
  Plugin "write_cloudwatch"
  Type "total_values"
  TypeInstance "accepted"
</Metric>
'''


def test_published(scene):
    """As any value; AWS's own client reads them back."""
    begin = int(time.time()) // 60 * 60 - 60
    service = scene.service()
    daemon = scene.start(config(service, ReportStats=True, metric=OWN))
    end = time.monotonic() + 20
    while not {'Metrics backlog', 'Accepted a second'} <= {
            datum['MetricName'] for datum in service.datums}:
        assert time.monotonic() < end, service.datums
        daemon.flush()
        time.sleep(0.5)
    daemon.stop()
    client = judges.client('cloudwatch', service, (KEY, SECRET))
    assert sorted(one['MetricName'] for one in client.list_metrics()[
        'Metrics']) == ['Accepted a second', 'Metrics backlog']
    points = {name: client.get_metric_statistics(
        Namespace='collectd', MetricName=name, StartTime=begin,
        EndTime=int(time.time()) + 60, Period=3600,
        Statistics=['Sum', 'SampleCount'])['Datapoints']
        for name in ('Metrics backlog', 'Accepted a second')}
    assert sum(one['Sum'] for one in points['Metrics backlog']) == 0
    assert sum(one['SampleCount'] for one in points['Metrics backlog']) > 1
    assert points['Metrics backlog'][0]['Unit'] == 'Count'
    # What was accepted before the last read, each second's share of it.
    assert sum(one['Sum'] for one in points['Accepted a second']) > 0


def test_not_published_unless_selected(scene):
    """Nor is anybody told that nothing selects them."""
    service = scene.service()
    daemon = start(scene, config(service, ReportStats=True))
    wait(scene, lambda newest: True)
    publish(daemon, load=1)
    service.wait_datums(1, 10)
    daemon.stop()
    assert [datum['MetricName'] for datum in service.datums] == ['load']
    last = scene.status.wait(daemon, lambda version: version['stopped'])
    assert not [one for one in last['unselected']
                if 'write_cloudwatch' in one['identifier']]
    assert last['unselected']
