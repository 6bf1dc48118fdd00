"""DryRun: what the log explains, and that nothing is sent, asked for or touched
for it."""

import ctypes
import os
import re
import time

import pytest

import faults
from expect import metric
from identity import own
from nameserver import NameServer
from scene import (MINUTE, REGION, config, feed, names, node, publish, warnings,
                   without_keys)
from test_matrix_spool import files, spooling, wait_files
from times import put_all

AT = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(MINUTE))


def dry(metrics, *lines, **options):
    """A configuration without keys, region and endpoint."""
    return without_keys(None, *lines, **{
        'metric': metrics, 'Region': None, 'DryRun': True, **options})


def explained(daemon):
    """What was explained in the whole life of the daemon, in order."""
    if daemon.status is None:
        daemon.stop()
    mark = '[info] write_cloudwatch plugin: '
    return [line.removeprefix(mark) for line in daemon.lines
            if line.startswith(mark) and re.match(
                r'would publish|nothing selects|<Metric|DryRun has',
                line.removeprefix(mark))]


def about(daemon, words):
    """The explanations that hold these words."""
    return [line for line in explained(daemon) if words in line]


# ---- a metric ---------------------------------------------------------------

METRICS = {
    'a value': ([], ['1.5'],
                f'collectd "m": 1.5 None at {AT}'),
    'values': ([], ['1.5', '3', '1.5', '0'],
               f'collectd "m": 0, 1.5 x2, 3 None at {AT}'),
    'a set': (['Statistics "set"'], ['1.5', '3', '1.5', '0'],
              f'collectd "m": SampleCount 4, Sum 6, Minimum 0, Maximum 3 None '
              f'at {AT}'),
    'dimensions': (['Dimension "Host" "%{host}"', 'Dimension "Of" "a b"',
                    'Namespace "Its/Own"', 'Unit "Percent"'], ['7'],
                   f'Its/Own "m" {{Host=host, Of=a b}}: 7 Percent at {AT}'),
}


@pytest.mark.parametrize('label', METRICS)
def test_a_metric(scene, label):
    """Once, however often it comes."""
    lines, values, text = METRICS[label]
    daemon = scene.start(dry(metric('m', 'Plugin "test"', *lines)))
    put_all(daemon, 'host/test/gauge-x', [
        f'{MINUTE + i}:{value}' for i, value in enumerate(values)])
    daemon.flush()
    daemon.wait_for('would publish')
    publish(daemon, at=MINUTE + 60, x=5)
    line, = about(daemon, 'would publish')
    assert line == (f'would publish {text}, from host/test/gauge-x by '
                    '<Metric "m">')
    assert not warnings(daemon)


def test_each_datum(scene):
    """With LogPublished."""
    daemon = scene.start(dry(metric('m', 'Plugin "test"'), LogPublished=True))
    for i in range(3):
        publish(daemon, at=MINUTE + 60 * i, x=i)
    lines = about(daemon, 'would publish')
    assert [re.search(r'": (\d) None', line)[1] for line in lines] == [
        '0', '1', '2']
    assert not [line for line in daemon.lines if ': published ' in line]


def test_values_of_the_instance(scene):
    """They are asked for, and nothing else of the metadata service is."""
    metadata = scene.metadata()
    daemon = scene.start(
        dry(metric('m', 'Plugin "test"',
                   'Dimension "Id" "%{ec2:instance_id}"')), uses=[metadata])
    own(daemon, x=1)
    daemon.wait_for(r'would publish collectd "m" {Id=i-0123456789abcdef0}: 1 ')
    assert metadata.asked
    assert not [path for path in metadata.asked if 'security-cred' in path]


def test_the_metadata_service_is_left_alone(scene):
    """If no template names what it knows."""
    metadata = scene.metadata()
    daemon = scene.start(dry(metric('m', 'Plugin "test"')), uses=[metadata])
    own(daemon, x=1)
    daemon.wait_for('would publish')
    daemon.stop()
    assert not metadata.asked


# ---- an identifier that nothing selects -------------------------------------

# Selectors, identifiers, and what is said of them; the plugin is "test".
SELECTORS = {
    'plain': (['Type "cpu"'], 'host/test/gauge-x',
              'Type "cpu" does not match "gauge"'),
    'another plugin': (['Plugin "df"'], 'host/test/gauge-x',
                       'Plugin "df" does not match "test"'),
    'regex': (['TypeInstance "/^a+$/"'], 'host/test/gauge-b',
              'TypeInstance "/^a+$/" does not match "b"'),
    'several': (['TypeInstance "a"', 'TypeInstance "b"'], 'host/test/gauge-c',
                'TypeInstance "a" and "b" do not match "c"'),
    'many': ([f'TypeInstance "{name}"' for name in 'abde'], 'host/test/gauge-c',
             'TypeInstance "a", "b" and 2 more do not match "c"'),
    'excluded': (['TypeInstance "!c"'], 'host/test/gauge-c',
                 'TypeInstance "!c" excludes "c"'),
    'excluded by a regex': (['TypeInstance "!/^c/"'], 'host/test/gauge-c',
                            'TypeInstance "!/^c/" excludes "c"'),
    'data source': (['Type "load"', 'DataSource "long"'], 'host/test/load',
                    'DataSource "long" matches none of "shortterm", "midterm" '
                    'and "longterm"'),
    'empty instance': (['PluginInstance "0"'], 'host/test/gauge-x',
                       'PluginInstance "0" does not match ""'),
    'an instance that is to be empty': (
        ['PluginInstance ""'], 'host/test-1/gauge-x',
        'PluginInstance "" does not match "1"'),
    'host': (['Host "web1"'], 'host/test/gauge-x',
             'Host "web1" does not match "host"'),
}


@pytest.mark.parametrize('label', SELECTORS)
def test_nothing_selects_it(scene, label):
    lines, identifier, because = SELECTORS[label]
    plugin = [] if 'Plugin "df"' in lines else ['Plugin "test"']
    daemon = scene.start(dry(metric('m', *plugin, *lines)))
    values = '1:2:3' if identifier.endswith('load') else '1'
    for minute in range(2):
        daemon.putval(identifier, f'{MINUTE + 60 * minute}:{values}')
        daemon.flush()
    line, = about(daemon, identifier)
    assert line == (f'nothing selects {identifier}; nearest is <Metric "m">, '
                    f'but {because}')
    assert not warnings(daemon)


def test_the_nearest_of_several(scene):
    daemon = scene.start(dry(
        metric('other', 'Plugin "df"') +
        metric('far', 'Plugin "test"', 'Type "cpu"', 'TypeInstance "a"') +
        metric('near', 'Plugin "test"', 'Type "gauge"', 'TypeInstance "a"')))
    publish(daemon, x=1)
    line, = about(daemon, 'host/test/gauge-x')
    assert 'nearest is <Metric "near">, but TypeInstance "a"' in line


# ---- a member ---------------------------------------------------------------

SUM = metric('sum', 'Plugin "test"', 'Combine "sum"')


def test_members(scene):
    daemon = scene.start(dry(SUM))
    for minute in range(3):
        feed(daemon, MINUTE + 60 * minute, a=1, b=2)
        daemon.flush()
    members = about(daemon, ' combines ')
    assert sorted(members) == [
        f'<Metric "sum"> combines host/test/gauge-{name} with others'
        for name in 'ab']
    line, = about(daemon, 'would publish')
    assert re.match(r'would publish collectd "sum": 3 None at .*, from '
                    'host/test/gauge-[ab] by <Metric "sum">', line)


def test_what_is_left_out_is_not_explained(scene):
    """Each value of a member that is too old makes the rules run anew."""
    daemon = scene.start(dry(SUM))
    for i in range(5):
        daemon.putval('host/test/gauge-old', f'{1_000_000_000 + 60 * i}:1')
        daemon.flush()
    daemon.wait_for('host/test/gauge-old is older than')
    daemon.stop()
    assert not about(daemon, 'host/test/gauge-old')


# ---- the end of it ----------------------------------------------------------

def test_the_end_of_explanations(scene):
    """However many come between two flushes; and nothing is said twice."""
    daemon = scene.start(dry(metric('m', 'Plugin "df"')))
    for i in range(10_100):
        daemon.putval(f'host/test/gauge-{i}', f'{MINUTE}:1')
    daemon.flush()
    scene.status.wait(daemon, lambda version: version['last_flush'])
    assert 'no more are explained' in daemon.log
    publish(daemon, x=1)
    lines = explained(daemon)
    assert len(lines) == 10_001 == len(set(lines))
    assert lines[-1] == ('DryRun has explained 10000 metrics and identifiers; '
                         'no more are explained')


# ---- nothing else -----------------------------------------------------------

class OpenWatch:
    """Which files of a folder were opened (inotify(7))."""

    IN_OPEN = 0x20

    def __init__(self, folder):
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert libc.inotify_add_watch(
            self._fd, os.fsencode(folder), self.IN_OPEN) >= 0

    def any(self):
        try:
            return os.read(self._fd, 65536) != b''
        except BlockingIOError:
            return False
        finally:
            os.close(self._fd)


@pytest.fixture
def names_server(island):
    server = NameServer(island.network, island.folder)
    yield server
    server.stop()


@pytest.mark.parametrize('is_dry', [True, False])
def test_nothing_is_asked_for(island, names_server, is_dry):
    """Neither names, nor a connection, nor the shared files, nor the program in
    them.  Without DryRun all of that is seen."""
    proxy = island.proxy()
    metadata = island.metadata(host='169.254.169.254', port=80)
    daemon = island.daemon(
        without_keys(None, DryRun=is_dry or None, Endpoint=None,
                     Proxy=None if is_dry else proxy.url, Region='eu-west-1'),
        uses=[metadata], wrapper=names_server.wrapper, files={
            '.aws/config': '[default]\ncredential_process = {home}/helper\n',
            'helper': '#!/bin/sh\ntouch {home}/was-run\nexit 1\n'})
    watch = OpenWatch(daemon.folder / '.aws')
    daemon.start()
    publish(daemon, load=1)
    if is_dry:
        daemon.wait_for('would publish')
    else:
        daemon.wait_for(r'\[warning\] .*waiting for credentials')
    daemon.stop()
    assert (daemon.folder / 'was-run').exists() == (not is_dry)
    assert watch.any() == (not is_dry)
    assert not (is_dry and (proxy.asked or metadata.asked or
                            names_server.asked))


@pytest.mark.parametrize('is_dry', [True, False])
def test_nothing_is_sent(island, names_server, is_dry):
    """With keys and all, by a name, through a proxy or not."""
    service = island.service()
    proxy = island.proxy(service)
    names_server.addresses['monitoring.test'] = service.host
    where = {'Region': REGION,
             'Endpoint': f'http://monitoring.test:{service.port}'}
    daemon = island.start(
        config(None, node('direct', None, **where),
               node('proxied', None, Proxy=proxy.url, **where),
               DryRun=is_dry or None), wrapper=names_server.wrapper)
    for i in range(3):
        publish(daemon, at=MINUTE + 60 * i, load=i)
    daemon.stop()
    assert len(service.datums) == (0 if is_dry else 6)
    assert bool(proxy.asked) == bool(names_server.asked) == (not is_dry)
    for one in ('direct', 'proxied'):
        assert (f'plugin: {one}: would publish' in daemon.log) == is_dry


def test_a_spool_is_left_alone(scene):
    """Byte by byte; and the next life without DryRun sends what is in it."""
    service, spool = scene.service(), scene.folder / 'spool'
    service.always(faults.refuse('ServiceUnavailable'))
    first = scene.start(spooling(scene, service))
    publish(first, a=1, b=2)
    wait_files(spool, 1)
    first.stop()

    def look():
        return {path: (path.read_bytes(), path.stat().st_mtime_ns,
                       path.stat().st_ino)
                for path in spool.rglob('*') if path.is_file()}
    before = look()
    asked = len(service.requests)
    service.always(None)
    daemon = scene.start(spooling(scene, service, DryRun=True))
    publish(daemon, at=MINUTE + 60, a=3)
    daemon.wait_for('would publish')
    seen = scene.status.wait(daemon, lambda version: version['last_flush'])
    assert seen['queue']['data'] == 0 and seen['spool'] is None
    daemon.stop()
    assert look() == before and len(service.requests) == asked

    scene.start(spooling(scene, service))
    datums = service.wait_datums(2, 15)
    assert len(files(spool)) <= 1
    assert sorted((datum['MetricName'], datum['Value']) for datum in datums) \
        == [('a', 1), ('b', 2)]


def test_a_node_that_is_dry(scene):
    service = scene.service()
    daemon = scene.start(config(
        None, node('wet', service),
        node('dry', service, metric('m', 'Plugin "other"'), DryRun=True)))
    publish(daemon, load=1)
    service.wait_datums(1, 10)
    seen = scene.status.wait(
        daemon, lambda version: version['last_flush'], node='dry')
    assert seen['dry_run'] and seen['counters']['requests'] == 0
    seen = scene.status.wait(
        daemon, lambda version: version['last_accepted'], node='wet')
    assert not seen['dry_run']
    daemon.stop()
    lines = [line for line in daemon.lines if 'nothing selects' in line]
    assert lines and all('plugin: dry: ' in line for line in lines)
    assert names(service.datums) == ['load']
    notice, = [line for line in daemon.lines if 'DryRun: ' in line]
    assert 'plugin: dry: DryRun: nothing is sent to AWS' in notice


def test_the_status_file(scene):
    """It lists what would be published."""
    daemon = scene.start(dry(metric('m', 'Plugin "test"')))
    publish(daemon, x=4)
    seen = scene.status.wait(daemon, lambda version: version['series'])
    assert seen['dry_run'] and seen['troubles'] == []
    assert (seen['credentials'], seen['region'], seen['endpoint'],
            seen['next_attempt'], seen['last_accepted']) == (None,) * 5
    assert [(one['name'], one['average']) for one in seen['series']] == [
        ('m', 4)]
    assert seen['last_flush']['data'] == seen['last_flush']['requests'] == 1
    assert seen['queue']['data'] == 0
    assert seen['counters']['accepted'] == seen['counters']['requests'] == 0
    assert [one['nearest'] for one in seen['unselected']] == ['m'] * len(
        seen['unselected'])
