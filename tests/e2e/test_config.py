"""Good and bad configurations in the real daemon.

Whatever is wrong in what reaches the plugin stops the daemon, with a message
that names the option, the block, the value and the remedy.
"""

import re

import pytest

from daemon import Daemon, load

METRIC = '<Metric "Sockets Used">\n  Plugin "tcpconns"\n</Metric>\n'
# Nothing listens there, and nothing is sent anywhere else.
NOWHERE = 'Region "eu-west-1"\nEndpoint "http://127.0.0.1:9"\n'


def plugin(*lines):
    return ('<Plugin write_cloudwatch>\n' + '\n'.join(lines) +
            '\n</Plugin>\n')


def in_metric(*lines):
    return '<Metric "Sockets Used">\n' + '\n'.join(lines) + '\n</Metric>'


def dimensions(n):
    return '\n'.join(f'Dimension "D{i}" "x"' for i in range(n))


OUTER = '<Plugin write_cloudwatch>'
INNER = '<Metric "Sockets Used">'

# What is wrong; the lines of the block; what one message must hold: block,
# option, value, remedy.
BAD = {
    'unknown option':
        (['Regoin "eu-west-1"', METRIC], [OUTER, 'Regoin', 'mean Region?']),
    'status file without a folder':
        (['StatusFile "status.json"', METRIC],
         [OUTER, 'StatusFile', '"status.json"', 'whole path']),
    'unit in the wrong case':
        ([in_metric('Unit "MegaBytes"')],
         [INNER, 'Unit', '"MegaBytes"', 'mean "Megabytes"?']),
    'region without quotes':
        (['Region us-east-1', METRIC],
         [OUTER, 'Region', 'quotes', '"us-east-1"']),
    'region with a dot':
        (['Region "us.east.1"', METRIC],
         [OUTER, 'Region', '"us.east.1"', 'like "eu-west-1"']),
    'number with an exponent':
        ([in_metric('Scale 1e-3')], [INNER, 'Scale', 'write 0.001']),
    'regular expression':
        ([in_metric('Type "/(/"')], [INNER, 'Type', '"/(/"', 'repair']),
    'template name in a metric':
        (['<Metric "%{plugni}">', 'Type "x"', '</Metric>'],
         [OUTER, 'Metric', 'plugni', 'known are host, plugin']),
    'template name in a dimension':
        (['Dimension "Host" "%{hots}"', METRIC],
         [OUTER, 'Dimension', 'hots', 'known are host']),
    'set of an undefined dimension':
        (['DimensionSet "Host"', METRIC],
         ['DimensionSet', '"Host"', INNER, 'define it']),
    '31 dimensions':
        ([dimensions(31), METRIC], ['Dimension', INNER, '31', '30', 'fewer']),
    'resolution':
        ([in_metric('StorageResolution 5')],
         [INNER, 'StorageResolution', '5', 'write 1 or 60']),
    'key without secret':
        (['AccessKeyId "AKIDEXAMPLE"', METRIC],
         [OUTER, 'AccessKeyId', '"AKIDEXAMPLE"', 'SecretAccessKey',
          'write both']),
    'secret without key':
        (['SecretAccessKey "wJalr"', METRIC],
         [OUTER, 'SecretAccessKey', 'AccessKeyId', 'write both']),
    'two nodes of one name':
        (['<Node "a">', METRIC + '</Node>', '<Node "A">', METRIC + '</Node>'],
         [OUTER, 'Node "A"', 'two nodes', 'rename']),
    'option twice':
        (['Timeout 5', 'Timeout 6', METRIC],
         [OUTER, 'Timeout 6', 'twice', 'keep one']),
    'series that disagree':
        ([in_metric('Unit "Count"'), in_metric('Unit "Bytes"')],
         [INNER, 'Unit', '"Count"', '"Bytes"', 'give both the same Unit']),
    'namespace of AWS':
        (['Namespace "AWS/EC2"', METRIC],
         ['Namespace', '"AWS/EC2"', 'choose another']),
    'namespace with a colon':
        (['Namespace ":x"', METRIC], ['Namespace', '":x"', 'choose another']),
    'namespace of AWS in a metric':
        ([in_metric('Namespace "AWS/EC2"')],
         [INNER, 'Namespace', '"AWS/EC2"', 'choose another']),
    'metric without an argument':
        (['<Metric>', 'Unit "Count"', '</Metric>'],
         [OUTER, 'Metric', 'exactly one name', 'write <Metric']),
    'metric without a name':
        (['<Metric "">', '</Metric>'],
         [OUTER, 'Metric ""', 'needs a name', 'write one']),
    'no metric':
        ([''], [OUTER, 'no enabled <Metric>', 'write one']),
    'no enabled metric':
        ([in_metric('Enabled false')],
         [OUTER, 'no enabled <Metric>', 'write Enabled true']),
    'no metric in a node':
        (['<Node "a">', 'MaxMetrics 5', '</Node>'],
         ['<Node "a">', 'no enabled <Metric>']),
    'negative duration':
        (['Timeout -5', METRIC],
         [OUTER, 'Timeout', '-5', 'write a number from']),
    'duration as a text':
        (['FlushInterval "often"', METRIC],
         [OUTER, 'FlushInterval', '"often"', 'write digits only']),
    'duration with a unit':
        (['ShutdownTimeout 5s', METRIC],
         [OUTER, 'ShutdownTimeout', '"5s"', 'without a unit']),
    'interval of a fraction':
        (['FlushInterval 1.5', METRIC],
         [OUTER, 'FlushInterval', '1.5', 'leave the fraction out']),
    'jitter above the interval':
        (['FlushInterval 10', 'FlushJitter 11', METRIC],
         [OUTER, 'FlushJitter', '11', 'write a smaller one']),
    'age above the window':
        (['BufferAge 1209601', METRIC],
         [OUTER, 'BufferAge', '1209601', 'to 1209600 seconds']),
    'endpoint without scheme':
        (['Endpoint "localhost:8000"', METRIC],
         [OUTER, 'Endpoint', '"localhost:8000"', 'http:// or https://']),
    'endpoint and FIPS':
        (['Endpoint "https://localhost"', 'UseFIPS true', METRIC],
         [OUTER, 'UseFIPS true', '"https://localhost"', 'remove one']),
    'option in the wrong block':
        (['Unit "Count"', METRIC],
         [OUTER, 'Unit', '"Count"', 'move it to a <Metric>']),
    'option in the wrong inner block':
        (['<Node "a">', in_metric('Region "eu-west-1"'), '</Node>'],
         ['<Node "a"> ' + INNER, 'Region', '"eu-west-1"', 'move it to']),
}


@pytest.mark.parametrize('label', BAD)
def test_bad_configuration_stops_the_daemon(tmp_path, label):
    lines, parts = BAD[label]
    daemon = Daemon(tmp_path, plugin(*lines))
    assert daemon.run() == 1
    errors = [line for line in daemon.lines
              if line.startswith('[error] write_cloudwatch plugin: ')]
    assert any(all(part in line for part in parts)
               for line in errors), daemon.log
    assert 'wJalr' not in daemon.log


def test_all_mistakes_are_said_in_one_run(tmp_path):
    daemon = Daemon(tmp_path, plugin('Timeout -1', 'Regoin "x"',
                                     in_metric('Unit "X"', 'Scale "y"')))
    assert daemon.run() == 1
    for option in ('Timeout', 'Regoin', 'Unit', 'Scale'):
        daemon.wait_for(rf'write_cloudwatch plugin: .*{option}')


def test_no_block_at_all(tmp_path):
    daemon = Daemon(tmp_path, '')
    assert daemon.run() == 1
    daemon.wait_for(r'no <Plugin write_cloudwatch> block .*after the '
                    r'LoadPlugin .*could not parse')
    daemon.wait_for('Exiting normally')


def test_plugin_block_before_loadplugin(tmp_path):
    daemon = Daemon(tmp_path, '', before=plugin(METRIC, NOWHERE))
    assert daemon.run() == 1
    daemon.wait_for(r'no <Plugin write_cloudwatch> block .*after the '
                    r'LoadPlugin')


def test_file_that_does_not_parse(tmp_path):
    """The daemon skips it when it comes from an included folder."""
    folder = tmp_path / 'conf.d'
    folder.mkdir()
    (folder / 'a.conf').write_text(plugin('Endpoint http://x', METRIC))
    daemon = Daemon(tmp_path, f'<Include "{folder}">\nFilter "*.conf"\n'
                              '</Include>')
    assert daemon.run() == 1
    daemon.wait_for(r'no <Plugin write_cloudwatch> block .*could not parse')


def test_two_blocks_are_read_as_one(tmp_path):
    with Daemon(tmp_path, plugin(METRIC) +
                plugin('FlushInterval 7', NOWHERE)) as daemon:
        daemon.wait_for(r'flushes every 7 s, which is 370285 requests')
    assert daemon.status == 0


def test_an_option_twice_in_two_blocks(tmp_path):
    daemon = Daemon(tmp_path, plugin('MaxMetrics 5', METRIC) +
                    plugin('MaxMetrics 5'))
    assert daemon.run() == 1
    daemon.wait_for(r'<Plugin write_cloudwatch>: MaxMetrics 5: .*twice.*'
                    r'several <Plugin> blocks are read as one')


def test_order_of_lines_has_no_meaning(tmp_path):
    """Sorted keys, as some roles write them; names in any case."""
    with Daemon(tmp_path, plugin('<node "b">', '</node>', '<metric "m">',
                                 'UNIT "Count"', 'type "x"', '</metric>',
                                 'endpoint "http://127.0.0.1:9"',
                                 'compression "no"',
                                 'REGION "eu-west-1"')) as daemon:
        daemon.wait_for('b: flushes every 1 s')
    assert daemon.status == 0


def test_interval_of_the_loadplugin_block(tmp_path):
    with Daemon(tmp_path, plugin(METRIC, NOWHERE),
                load_options='Interval 60') as daemon:
        daemon.wait_for(r'flushes every 60 s, which is 43200 requests or '
                        r'more .*FlushInterval')
    assert daemon.status == 0


@pytest.mark.parametrize('nodes, names', [
    ([], ['write_cloudwatch']),
    (['prod', 'test'], ['write_cloudwatch/prod', 'write_cloudwatch/test']),
])
def test_names_for_filter_chains(tmp_path, nodes, names):
    """The daemon lists the names when a chain writes to one that it lacks."""
    blocks = [f'<Node "{node}">\n</Node>' for node in nodes]
    chain = ('<Chain "PostCache">\n<Target "write">\nPlugin "nobody"\n'
             '</Target>\n</Chain>')
    with Daemon(tmp_path, plugin(METRIC, NOWHERE, *blocks) + chain) as daemon:
        for node in nodes:
            daemon.wait_for(f'plugin: {node}: flushes every 1 s')
        daemon.putval('host/p/gauge', 'N:1')
        listed = daemon.wait_for(r'Available write targets:+ (.*)')[1]
        assert sorted(re.findall(r'[\w/]+', listed)) == names
        for name in names:
            daemon.flush(timeout=5, plugin=name)
    assert daemon.status == 0


@pytest.mark.parametrize('arguments', [('-f',), ('-T',)])
def test_writes_after_a_failed_init(tmp_path, arguments):
    """The daemon reads and writes on until it sees the signal; with -T it reads
    everything once in any case."""
    daemon = Daemon(tmp_path, plugin('DimensionSet "Nope"', METRIC),
                    before='LoadPlugin memory\nLoadPlugin load\n',
                    interval=0.1, arguments=arguments)
    assert daemon.run() == 1  # and not a signal
    daemon.wait_for('DimensionSet "Nope"')


def test_second_node_with_a_mistake(tmp_path):
    """What the first one has by then is given back."""
    daemon = Daemon(tmp_path, plugin(METRIC, NOWHERE, '<Node "good">',
                                     '</Node>', '<Node "bad">',
                                     'DimensionSet "Nope"', '</Node>'))
    assert daemon.run() == 1
    daemon.wait_for('plugin: bad: DimensionSet "Nope"')
    assert 'flushes every' not in daemon.log


# ---- keys that everybody can read -------------------------------------------

KEYS = 'AccessKeyId "AKIDEXAMPLE"\nSecretAccessKey "wJalr"\n'
WARNING = r'\[warning\] .*{} holds a SecretAccessKey .*chmod 0640 {}'


def exposed(path):
    return WARNING.format(re.escape(str(path)), re.escape(str(path)))


@pytest.mark.parametrize('mode, warns', [(0o644, True), (0o640, False)])
def test_keys_in_the_main_file(tmp_path, mode, warns):
    daemon = Daemon(tmp_path, plugin(METRIC, NOWHERE, KEYS))
    daemon.config_path.chmod(mode)
    with daemon:
        pass
    assert daemon.status == 0
    found = [re.search(exposed(daemon.config_path), line)
             for line in daemon.lines]
    assert len([match for match in found if match]) == (1 if warns else 0)
    assert 'wJalr' not in daemon.log


@pytest.mark.parametrize('include', [
    'Include "{folder}/*.conf"',
    '<Include "{folder}">\n  Filter "*.conf"\n</Include>',
    'Include "conf.d"',
])
def test_keys_in_an_included_file(tmp_path, include):
    """Only the file that holds the key is named, also below a folder that is
    relative to where the daemon was started."""
    folder = tmp_path / 'conf.d'
    folder.mkdir()
    for name, text in (('keys.conf', plugin(KEYS, NOWHERE)),
                       ('metric.conf', plugin(METRIC))):
        (folder / name).write_text(text)
        (folder / name).chmod(0o644)
    daemon = Daemon(tmp_path, include.format(folder=folder))
    daemon.config_path.chmod(0o644)
    with daemon:
        shown = 'conf.d' if include == 'Include "conf.d"' else folder
        daemon.wait_for(exposed(f'{shown}/keys.conf'))
    assert daemon.log.count('holds a SecretAccessKey') == 1


def test_main_file_named_by_a_relative_path(tmp_path):
    daemon = Daemon(tmp_path, plugin(METRIC, NOWHERE, KEYS),
                    arguments=('-fC', 'collectd.conf'))
    daemon.config_path.chmod(0o644)
    with daemon:
        daemon.wait_for(exposed('collectd.conf'))


def test_module_that_config_loads_itself(tmp_path):
    """LoadPlugin in an included file, as configuration tools write it."""
    daemon = Daemon(tmp_path, f'Include "{tmp_path}/10-cw.conf"',
                    load_options=None)
    (tmp_path / '10-cw.conf').write_text(
        load(daemon.module, 'Interval 30') + plugin(METRIC, NOWHERE))
    with daemon:
        daemon.wait_for('flushes every 30 s')
