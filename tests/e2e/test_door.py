"""The callbacks of the plugin: what they hand over, and how they end."""

import signal
import time

import pytest

import faults
from cloudwatch import Service
from daemon import Daemon

KEYS = {'AKID': ('SECRET', None)}


def plugin(service, *lines):
    return (f'<Plugin write_cloudwatch>\nAccessKeyId "AKID"\n'
            f'SecretAccessKey "SECRET"\nRegion "eu-west-1"\n'
            f'Endpoint "{service.url}"\nFlushInterval 3600\n' +
            '\n'.join(lines) + '\n</Plugin>\n')


def values(datum):
    return datum.get('Values') or [datum['Value']]


def test_each_kind_of_value(tmp_path):
    """The four kinds, at their limits, and several data sources."""
    now = int(time.time()) - 5
    metric = ('<Metric "%{type}%{.ds}">\nCounters "raw"\nUnit "None"\n'
              'StorageResolution 1\n</Metric>')
    given = {'gauge': '-0.5', 'derive': '-9007199254740992',
             'counter': '9007199254740993', 'absolute': '12',
             'if_octets': '1:2'}
    with Service(credentials=KEYS) as service:
        with Daemon(tmp_path, plugin(service, metric)) as daemon:
            for kind, value in given.items():
                daemon.putval(f'host/p/{kind}', f'{now}:{value}')
            daemon.flush()
            service.wait_datums(6, 10)
        got = {datum['MetricName']: values(datum) for datum in service.datums}
    assert got == {'gauge': [-0.5], 'derive': [-9007199254740992],
                   'counter': [9007199254740992], 'absolute': [12],
                   'if_octets.rx': [1], 'if_octets.tx': [2]}


@pytest.mark.parametrize('fraction', ['', '.000001', '.5', '.999999'])
def test_a_second_holds_all_its_microseconds(tmp_path, fraction):
    now = int(time.time()) - 5
    metric = '<Metric "m">\nStorageResolution 1\n</Metric>'
    with Service(credentials=KEYS) as service:
        with Daemon(tmp_path, plugin(service, metric)) as daemon:
            daemon.putval('host/p/gauge', f'{now}{fraction}:1')
            daemon.flush()
            service.wait_datums(1, 10)
        assert [datum['Timestamp'] for datum in service.datums] == [now]


def test_meta_data(tmp_path):
    """Attached by target_set; absent where nothing attached it."""
    chain = '''LoadPlugin match_regex
LoadPlugin target_set
<Chain "PreCache">
  <Rule "marked">
    <Match "regex">
      Plugin "^marked$"
    </Match>
    <Target "set">
      MetaData "colour" "red"
      MetaData "shape" "round"
    </Target>
  </Rule>
</Chain>
'''
    metric = ('<Metric "%{plugin}">\n'
              'Dimension "Shape" "%{meta:shape|none}"\n'
              'Dimension "Colour" "%{meta:colour|none}"\n</Metric>')
    with Service(credentials=KEYS) as service:
        with Daemon(tmp_path, chain + plugin(service, metric)) as daemon:
            daemon.putval('host/marked/gauge', 'N:1')
            daemon.putval('host/plain/gauge', 'N:1')
            daemon.flush()
            service.wait_datums(2, 10)
        got = {datum['MetricName']: datum['Dimensions']
               for datum in service.datums}
    assert got == {'marked': {'Colour': 'red', 'Shape': 'round'},
                   'plain': {'Colour': 'none', 'Shape': 'none'}}


@pytest.mark.parametrize('ask', ['socket', 'signal', 'stop'])
def test_each_way_to_flush(tmp_path, ask):
    with Service(credentials=KEYS) as service:
        with Daemon(tmp_path, plugin(service, '<Metric "m">\n</Metric>'),
                    interval=3600) as daemon:
            daemon.putval('host/p/gauge', 'N:1')
            daemon.settle()
            if ask == 'socket':
                daemon.flush(plugin='write_cloudwatch')
                service.wait_datums(1, 10)
            elif ask == 'signal':
                daemon.signal(signal.SIGUSR1)
                service.wait_datums(1, 10)
        assert len(service.datums) == 1
    assert daemon.status == 0


def test_flush_with_an_age(tmp_path):
    """Only periods that ended so long ago are cut; the rest at the stop."""
    metric = '<Metric "m">\nStorageResolution 1\n</Metric>'
    with Service(credentials=KEYS) as service:
        with Daemon(tmp_path, plugin(service, metric)) as daemon:
            now = int(time.time())
            daemon.putval('host/p/gauge', f'{now - 60}:1', f'{now}:2')
            daemon.flush(timeout=29.5)
            service.wait_datums(1, 10)
            assert [values(datum) for datum in service.datums] == [[1]]
        assert [values(datum) for datum in service.datums] == [[1], [2]]


@pytest.mark.parametrize('limit_s, least_s, most_s', [(0, 0, 2), (2, 1.5, 4)])
def test_stop_while_the_service_hangs(tmp_path, limit_s, least_s, most_s):
    """ShutdownTimeout holds for flush and shutdown of all nodes together."""
    nodes = [f'<Node "n{i}">\n</Node>' for i in range(3)]
    with Service(credentials=KEYS) as service:
        service.always(faults.hang())
        daemon = Daemon(tmp_path, plugin(
            service, f'ShutdownTimeout {limit_s}', '<Metric "m">\n</Metric>',
            *nodes))
        daemon.start()
        daemon.putval('host/p/gauge', 'N:1')
        daemon.flush()
        assert service.wait_for(lambda: len(service.requests) >= 3, 10)
        began = time.monotonic()
        assert daemon.stop() == 0
        assert least_s <= time.monotonic() - began <= most_s, daemon.log


def test_daemon_in_the_background(tmp_path):
    """The daemon forks after configuration: the threads must be the child's."""
    with Service(credentials=KEYS) as service:
        daemon = Daemon(tmp_path, plugin(service, '<Metric "m">\n</Metric>'),
                        arguments=())
        daemon.launch()
        try:
            daemon.putval('host/p/gauge', 'N:1')
            daemon.flush()
            assert len(service.wait_datums(1, 10)) == 1
        finally:
            daemon.stop_background()
