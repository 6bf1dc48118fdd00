"""migrate-collectd-cloudwatch.conf publishes what collectd-cloudwatch did.

The oracle is written from that plugin's own files (branch master of
github.com/awslabs/collectd-cloudwatch, below src/cloudwatch/modules), which are
named at each rule.  Where the two differ, as the manual says, a test of the
last part shows both sides.
"""

import dataclasses
import math
import re

import pytest

from migrate import (EXAMPLES, HOST, Store, check_same, choose_dimensions,
                     of_host, open_scene, play, read_back, uncomment,
                     uncomment_block, values, without_metrics)
from scene import warnings

FILE = 'migrate-collectd-cloudwatch.conf'
TEXT = (EXAMPLES / FILE).read_text()
NAME = '%{plugin}.%{type}%{.type_instance}%{.ds}'
EVERYTHING = uncomment_block(without_metrics(TEXT), f'<Metric "{NAME}">')
ID, GROUP = 'i-0123456789abcdef0', 'web-asg'
TAGS = {'aws:autoscaling:groupName': GROUP}
# resources/whitelist.conf
WHITELIST = ['df-root-percent_bytes-used', 'memory--percent-used',
             'swap--percent-used', 'cpu--percent-active']
DIGITS = 12


# ---- the oracle --------------------------------------------------------------

def expand(one):
    """flusher.py, _expand_value_list: a value list of several values becomes
    one for each, the name of the data source behind the type instance."""
    if len(one.values) == 1:
        return [(one.type_instance, one.values[0])]
    before = one.type_instance and one.type_instance + '.'
    return [(before + name, value)
            for (name, _), value in zip(one.sources, one.values)]


def key_of(one, type_instance):
    """flusher.py, _get_metric_key: what the whitelist looks at."""
    return f'{one.plugin}-{one.plugin_instance}-{one.type}-{type_instance}'


def is_listed(whitelist, key):
    """configuration/whitelist.py: each line between ^ and $, and any may
    match."""
    return any(re.match(f'^{line.strip()}$', key) for line in whitelist)


def name_of(one, type_instance):
    """metricdata.py, _build_metric_name."""
    name = f'{one.plugin}.{one.type}'
    return f'{name}.{type_instance}' if type_instance else name


@dataclasses.dataclass
class Config:
    """plugin.conf as configuration/confighelper.py reads it; host is what
    `host` says, else the id of the instance, else empty."""

    host: str = ID
    asg: str = 'NONE'
    push_asg: bool = False
    push_constant: bool = False
    constant: str = 'ALL'
    high_resolution: bool = False


def sets_of(config, host, plugin_instance):
    """metricdata.py, MetricDataBuilder.build: the first set has all that there
    is, so push_asg changes it too.  host is that of the value."""
    instance = {'PluginInstance': plugin_instance or 'NONE'}
    first = {'Host': config.host or host, **instance}
    sets = [first]
    if config.push_asg:
        first['AutoScalingGroup'] = config.asg
        sets.append({'AutoScalingGroup': config.asg, **instance})
    if config.push_constant:
        first['FixedDimension'] = config.constant
        sets.append({'FixedDimension': config.constant, **instance})
    return sets


def in_python_2(number):
    """client/querystringbuilder.py hands numbers to urlencode(), which writes
    them by str(): in Python 2 a float has 12 digits."""
    return float(f'{number:.12g}') if isinstance(number, float) else number


def collectd_cloudwatch(stream, whitelist, config=Config()):
    """flusher.py, _aggregate_metric and _add_values_to_metrics: values are
    added up as they are, whatever their kind; what is no number is not.

    The window in which they are is 60 seconds from the first value on; here it
    is the minute.  With high resolution it is the second of the value
    (_aggregate_metric, _build_timestamp), and StorageResolution is 1
    (client/querystringbuilder.py)."""
    window, resolution = (1, 1) if config.high_resolution else (60, 60)
    store, hosts = Store(), {}
    for one in stream:
        at = one.time // window * window
        for type_instance, value in expand(one):
            key = key_of(one, type_instance)
            if not is_listed(whitelist, key) or math.isnan(value):
                continue
            # The key knows no host: who comes first has all of the window.
            host = hosts.setdefault((key, at), one.host)
            for dimensions in sets_of(config, host, one.plugin_instance):
                # plugininfo.py: the namespace.  No unit is sent.
                store.add_value('collectd', name_of(one, type_instance),
                                dimensions, at, 'None', resolution, value)
    for four in store.values():
        four[1:] = map(in_python_2, four[1:])
    return store


# ---- what is the same --------------------------------------------------------

def run(folder, text, wanted, stream=None, on_ec2=True, said=()):
    """said: a word of each warning"""
    with open_scene(folder) as scene:
        uses = [scene.metadata(tags=TAGS)] if on_ec2 else []
        service = scene.service()
        found = play(scene, service, text, stream or values(), wanted, uses)
        lines = warnings(scene.daemons[0])
        assert len(lines) == len(said)
        assert all(word in line for word, line in zip(said, lines))
        kinds = {key for datum in service.datums for key in datum}
        return found, kinds, read_back(service, wanted)


def test_as_installed(tmp_path):
    """The default whitelist; there is no swap, so one of its four is silent."""
    wanted = collectd_cloudwatch(values(), WHITELIST)
    assert {key[1] for key in wanted} == {
        'df.percent_bytes.used', 'memory.percent.used', 'cpu.percent.active'}
    found, kinds, back = run(tmp_path, FILE, wanted)
    check_same(found, wanted, DIGITS)
    check_same(back, wanted, DIGITS)
    # Never the single values: there were no percentiles, and there are none.
    assert 'StatisticValues' in kinds and 'Values' not in kinds


def test_everything(tmp_path):
    wanted = collectd_cloudwatch(values(), ['.*'])
    assert len({key[1:3] for key in wanted}) > 40
    found, _, back = run(tmp_path, EVERYTHING, wanted)
    check_same(found, wanted, DIGITS)
    check_same(back, wanted, DIGITS)


DIMENSIONS = {
    'elsewhere': Config(host=''),
    'host = "Server1"': Config(host='Server1'),
    'push_asg = True': Config(push_asg=True, asg=GROUP),
    'push_constant = True': Config(push_constant=True),
    'push_asg = True and push_constant = True':
        Config(push_asg=True, push_constant=True, asg=GROUP),
}


@pytest.mark.parametrize('heading', DIMENSIONS)
def test_dimensions(tmp_path, heading):
    config = DIMENSIONS[heading]
    wanted = collectd_cloudwatch(values(), ['.*'], config)
    found, *_ = run(tmp_path, choose_dimensions(EVERYTHING, heading), wanted,
                    on_ec2=heading not in ('elsewhere', 'host = "Server1"'))
    check_same(found, wanted, DIGITS)


def test_no_group(tmp_path):
    """client/ec2getclient.py: what is not to be had is "NONE"."""
    text = choose_dimensions(TEXT, 'push_asg = True')
    wanted = collectd_cloudwatch(values(), WHITELIST, Config(push_asg=True))
    with open_scene(tmp_path) as scene:
        found = play(scene, scene.service(), text, values(), wanted,
                     [scene.metadata(tags={})])
    check_same(found, wanted, DIGITS)


def test_high_resolution(tmp_path):
    """enable_high_resolution_metrics with flush_interval_in_seconds = 10."""
    text = uncomment(TEXT, 'StorageResolution 1').replace(
        '  #FlushInterval 60 ', '  FlushInterval 10 ')
    wanted = collectd_cloudwatch(values(), WHITELIST,
                                 Config(high_resolution=True))
    assert len(wanted) == 44
    found, *_ = run(tmp_path, text, wanted)
    check_same(found, wanted, DIGITS)


# ---- the check can fail ------------------------------------------------------

@pytest.mark.parametrize('line, other', [
    ('Namespace "collectd"', 'Namespace "Collectd"'),
    ('"%{ec2:instance_id}"', '"%{host}"'),
    ('"%{plugin_instance|NONE}"', '"%{plugin_instance}"'),
    ('%{.type_instance}', '%{_type_instance}'),
    ('%{.ds}', ''),
    ('Counters "raw"', 'Counters "rate"'),
    ('Unit "None"', 'Unit "Count"'),
    ('Statistics "set"', 'Statistics "average"'),
    ('Statistics "set"', 'OnNaN "zero"'),
])
def test_a_broken_rule_is_seen(tmp_path, line, other):
    broken = EVERYTHING.replace(line, other)
    assert broken != EVERYTHING
    wanted = collectd_cloudwatch(values(), ['.*'])
    with open_scene(tmp_path) as scene:
        found = play(scene, scene.service(), broken, values(), Store(),
                     [scene.metadata(tags=TAGS)])
    with pytest.raises(AssertionError):
        check_same(found, wanted, DIGITS)


# ---- what is not the same ----------------------------------------------------

def test_digits(tmp_path):
    """The numbers themselves are those of collectd, not cut to 12 digits."""
    stream = [dataclasses.replace(one, values=(1234567890123.25,))
              for one in values('memory') if one.type_instance == 'used'
              and one.type == 'percent'][:1]
    wanted = collectd_cloudwatch(stream, WHITELIST)
    found, *_ = run(tmp_path, FILE, wanted, stream)
    (ours,), (theirs,) = found.values(), wanted.values()
    assert (ours[1], theirs[1]) == (1234567890123.25, 1234567890120)


def test_values_of_others(tmp_path):
    """The old plugin mixes them with its own; here only the instance itself has
    an id, and with %{host} each host has its own metric."""
    own = values('memory')
    both = sorted(own + of_host('web2', own), key=lambda one: one.time)
    mixed = collectd_cloudwatch(both, WHITELIST)
    wanted = collectd_cloudwatch(own, WHITELIST)
    assert [four[0] for four in mixed.values()] == [
        2 * four[0] for four in wanted.values()]
    with open_scene(tmp_path) as scene:
        found = play(scene, scene.service(), FILE, both, wanted,
                     [scene.metadata(tags=TAGS)])
        others = {key for key in found
                  if key[2] == (('PluginInstance', 'NONE'),)}
        assert len(others) == len(wanted)
        check_same(Store({key: four for key, four in found.items()
                          if key not in others}), wanted, DIGITS)
        wanted = Store()
        found = play(scene, scene.service(),
                     choose_dimensions(TEXT, 'elsewhere'), both, wanted)
    for host in (HOST, 'web2'):
        wanted.update(collectd_cloudwatch(of_host(host, own), WHITELIST,
                                          Config(host='')))
    check_same(found, wanted, DIGITS)


def test_two_blocks_count_twice(tmp_path):
    """Whitelist lines may overlap, selectors must not; it is said."""
    doubled = TEXT.replace('    Plugin "cpu"\n    PluginInstance ""\n', '')
    doubled = doubled.replace('TypeInstance "active"', 'TypeInstance "used"')
    stream = values('memory')
    wanted = collectd_cloudwatch(stream, ['memory--percent-used',
                                          '.*-percent-used'])
    found, *_ = run(tmp_path, doubled, wanted, stream,
                    said=['each counts twice'])
    assert {key: four[0] for key, four in found.items()} == {
        key: 2 * four[0] for key, four in wanted.items()}
