"""What the status file says of a node that is well, or waits.  Of one at which
something fails: test_status_faults.py; how the file is written:
test_status_file.py.  That each version is valid, and that its counters agree
with the log and with what the service has: status_watch.py, in every test."""

import re
import time

import pytest

import faults
from keyring import stamp
from scene import MINUTE, REGION, config, node, publish, without_keys
from status_read import (accepted, check_counters, has_trouble, is_well,
                         seconds, series_of, troubles)
from times import put_all


# ---- well -------------------------------------------------------------------

def test_well(scene):
    begin = int(time.time())
    service = scene.service()
    daemon = scene.start(config(service, 'Dimension "Host" "%{host}"'))
    publish(daemon, load=1.5, free=2)
    seen = scene.status.wait(daemon, accepted(2))
    end = time.time()

    assert seen['plugin'] == 'write_cloudwatch'
    assert re.fullmatch(r'\d+\.\d+\.\d+\S*', seen['version'])
    assert (seen['host'], seen['node'], seen['pid']) == (
        'testhost', '', daemon.pid)
    assert begin <= seconds(seen['started']) <= seconds(seen['time']) <= end
    assert not seen['stopped'] and not seen['dry_run']
    assert (seen['region'], seen['endpoint']) == (REGION, service.url)
    assert seen['credentials'] == {
        'source': 'AccessKeyId in the configuration', 'expires': None}
    assert seen['clock_offset'] == 0
    assert begin <= seconds(seen['last_accepted']) <= end
    assert seen['next_attempt'] is None
    assert 0 <= seen['request_duration'] <= end - begin
    assert begin <= seconds(seen['last_flush']['time']) <= end
    assert seen['last_flush']['data'] == 2
    assert seen['last_flush']['requests'] == 1
    assert is_well(seen) and seen['last_error'] is None
    assert seen['flush_interval'] == 3600
    assert seen['metrics'] == {'alive': 2, 'max': 1000}
    assert seen['identifiers']['selected'] == 2
    assert seen['queue'] == {'data': 0, 'bytes': 0, 'oldest': None}
    assert seen['spool'] is None
    check_counters(seen, accepted=2, requests=1)
    assert series_of(seen)['load'] == {
        'namespace': 'collectd', 'name': 'load', 'dimensions': {'Host': 'host'},
        'unit': 'None', 'resolution': 60, 'identifier': 'host/test/gauge-load',
        'metric': '%{type_instance}', 'time': stamp(MINUTE), 'count': 1,
        'average': 1.5, 'minimum': 1.5, 'maximum': 1.5}
    assert sorted(series_of(seen)) == ['free', 'load']
    hidden = [one for one in seen['unselected']
              if one['identifier'].startswith('host/barrier-')]
    assert hidden and hidden[0] == {
        'identifier': hidden[0]['identifier'], 'nearest': '%{type_instance}',
        'because': 'Plugin "test" does not match "barrier"'}
    assert seen['identifiers']['unselected'] == len(seen['unselected'])


def test_nothing_yet(scene):
    """A daemon that has just been started."""
    service = scene.service()
    daemon = scene.start(config(service))
    seen = scene.status.wait(daemon, lambda version: True)
    assert seen['last_flush'] is None and seen['last_accepted'] is None
    assert seen['request_duration'] is None and seen['next_attempt'] is None
    assert seen['series'] == [] and is_well(seen)
    check_counters(seen)


def test_the_end(scene):
    """What a stop could not send is counted, and nothing waits any more."""
    service = scene.service()
    service.always(faults.refuse('ServiceUnavailable'))
    daemon = scene.start(config(service))
    publish(daemon, load=1, free=2)
    seen = scene.status.wait(daemon, has_trouble('sending'))
    assert not seen['stopped']
    daemon.stop()
    seen = scene.status.wait(daemon, lambda version: version['stopped'])
    assert seen['queue']['data'] == 0
    assert seen['counters']['dropped']['stop'] == 2
    assert seen['counters']['accepted'] == 0


def test_values_of_one_period(scene):
    """The data of a period that are several, for want of room in one, are one
    line; a later period takes their place."""
    service = scene.service()
    daemon = scene.start(config(service))
    put_all(daemon, 'host/test/gauge-many',
            [f'{MINUTE + i / 10:.1f}:{i}' for i in range(400)])
    publish(daemon, few=7)
    seen = scene.status.wait(daemon, lambda version: 'many' in series_of(
        version))
    assert len([datum for datum in service.datums
                if datum['MetricName'] == 'many']) == 3
    many = series_of(seen)['many']
    assert (many['count'], many['minimum'], many['maximum']) == (400, 0, 399)
    assert many['average'] == pytest.approx(199.5)
    publish(daemon, at=MINUTE + 60, many=3)
    seen = scene.status.wait(daemon, lambda version: series_of(version)[
        'many']['time'] == stamp(MINUTE + 60))
    many = series_of(seen)['many']
    assert (many['count'], many['average']) == (1, 3)


# ---- what is not there ------------------------------------------------------

def test_waiting_for_credentials(scene):
    service = scene.service()
    daemon = scene.start(without_keys(service))
    publish(daemon, load=1)
    seen = scene.status.wait(daemon, has_trouble('credentials'))
    assert seen['credentials'] is None and troubles(seen) == ['credentials']
    assert (seen['region'], seen['endpoint']) == (REGION, service.url)
    assert seen['queue']['data'] == 1 and seen['queue']['bytes'] > 0
    assert seconds(seen['queue']['oldest']) <= seconds(seen['time'])
    assert seen['next_attempt'] is not None
    assert re.search('no credentials', seen['last_error']['sentence'])
    assert seen['last_error']['status'] is None
    check_counters(seen)
    daemon.write('.aws/credentials', scene.keyring.issue(None).section(
        'default'))
    seen = scene.status.wait(daemon, accepted(1))
    assert is_well(seen)
    assert seen['credentials']['expires'] is None
    assert '.aws/credentials' in seen['credentials']['source']


def test_waiting_for_a_region(scene):
    service = scene.service()
    daemon = scene.start(config(service, Region=None))
    publish(daemon, load=1)
    seen = scene.status.wait(daemon, has_trouble('place'))
    assert troubles(seen) == ['place']
    assert (seen['region'], seen['endpoint']) == (None, None)
    assert seen['queue']['data'] == 1
    daemon.write('.aws/config', f'[default]\nregion = {REGION}\n')
    seen = scene.status.wait(daemon, accepted(1))
    assert is_well(seen) and seen['region'] == REGION


def test_credentials_that_end(scene):
    service, metadata = scene.service(), scene.metadata()
    keys = metadata.rotate(life_s=7200)
    daemon = scene.start(without_keys(service), uses=[metadata])
    publish(daemon, load=1)
    seen = scene.status.wait(daemon, accepted(1))
    assert seen['credentials']['expires'] == stamp(keys.end)
    assert seen['credentials']['source'] == "the instance's role host-role"


# ---- what is left out

def test_max_metrics(scene):
    service = scene.service()
    daemon = scene.start(config(service, MaxMetrics=2))
    publish(daemon, a=1, b=2, c=3)
    seen = scene.status.wait(daemon, accepted(2))
    assert seen['metrics'] == {'alive': 2, 'max': 2}
    check_counters(seen, accepted=2, requests=1, max_metrics=1)


def test_values_that_are_left_out(scene):
    service = scene.service()
    daemon = scene.start(config(service))
    daemon.putval('host/test/gauge-nan', f'{MINUTE}:U')
    daemon.putval('host/test/gauge-old', '1000000000:1')
    publish(daemon, load=1)
    seen = scene.status.wait(daemon, accepted(1))
    check_counters(seen, accepted=1, requests=1, nan=1, old=1)


# ---- nodes ------------------------------------------------------------------

def test_one_of_two_nodes_is_ill(scene):
    good, bad = scene.service(), scene.service()
    bad.always(faults.refuse('ServiceUnavailable'))
    daemon = scene.start(config(None, node('good', good), node('bad', bad),
                                Region=None))
    publish(daemon, load=1)
    seen = scene.status.wait(daemon, accepted(1), node='good')
    assert is_well(seen) and seen['last_error'] is None
    assert (seen['node'], seen['endpoint']) == ('good', good.url)
    seen = scene.status.wait(daemon, has_trouble('sending'), node='bad')
    assert (seen['node'], seen['endpoint']) == ('bad', bad.url)
    assert seen['counters']['accepted'] == 0
    bad.always(None)
    scene.status.wait(daemon, is_well, node='bad')


# ---- lists ------------------------------------------------------------------

def test_lists_that_are_cut(scene):
    """The metrics that came first, the newest of the identifiers."""
    service = scene.service()
    daemon = scene.start(config(service, MaxMetrics=2000))
    for i in range(1100):
        daemon.putval(f'host/test/gauge-m{i:04}', f'{MINUTE}:{i}')
    for i in range(300):
        daemon.putval(f'host/other/gauge-n{i:04}', f'{MINUTE}:{i}')
    daemon.flush()
    seen = scene.status.wait(daemon, accepted(1100))
    assert [one['name'] for one in seen['series']] == [
        f'm{i:04}' for i in range(1000)]
    assert seen['metrics']['alive'] == 1100
    assert seen['last_flush']['data'] == 1100
    listed = [one['identifier'] for one in seen['unselected']]
    assert len(listed) == 200 == len(set(listed))
    assert [name for name in listed if '/other/' in name] == [
        f'host/other/gauge-n{i:04}' for i in range(
            300 - len([one for one in listed if '/other/' in one]), 300)]
    assert seen['identifiers']['unselected'] >= 300
