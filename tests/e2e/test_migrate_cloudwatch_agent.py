"""migrate-cloudwatch-agent.conf publishes what the CloudWatch agent published
of the values that collectd sent to it.

The oracle is written from the files that the agent is made of, which are named
at each rule: those without a repository are of aws/amazon-cloudwatch-agent.
Where the two differ, as the manual says, a test of the last part shows both
sides.
"""

import dataclasses
import math

import pytest

from migrate import (EXAMPLES, HOST, Store, check_same, choose_dimensions,
                     of_host, open_scene, play, read_back, uncomment,
                     uncomment_block, values)
from scene import warnings

FILE = 'migrate-cloudwatch-agent.conf'
TEXT = (EXAMPLES / FILE).read_text()
ID, GROUP = 'i-0123456789abcdef0', 'web-asg'
TAGS = {'aws:autoscaling:groupName': GROUP}
TAGGED = {'ImageId': 'ami-0123456789abcdef0', 'InstanceId': ID,
          'InstanceType': 't3.micro', 'AutoScalingGroupName': GROUP}
ALL_FOUR = ('append_dimensions of "metrics": all four; leave out what you do '
            'not have')
ROLLUP = [['InstanceId'], ['AutoScalingGroupName', 'type'], []]
# Whole ones: the agent adds one value after the other up, without more digits.
DIGITS = 14


# ---- the oracle --------------------------------------------------------------

@dataclasses.dataclass
class Config:
    """The agent's configuration, as far as it concerns collectd; the defaults
    are those of translator/translate/metrics/metrics_collect/collectd/."""

    name_prefix: str = 'collectd_'
    aggregation_interval: int = 60
    own_dimensions: dict = dataclasses.field(default_factory=dict)
    append_dimensions: dict = dataclasses.field(default_factory=dict)
    aggregation_dimensions: list = dataclasses.field(default_factory=list)
    drop_original_metrics: tuple = ()


def parse(one):
    """collectd/go-collectd network/parse.go: a packet with an ABSOLUTE is
    refused.  influxdata/telegraf plugins/parsers/collectd/parser.go, "split":
    names, and tags, of which none is empty; all kinds as floating point."""
    tags = {'host': one.host, 'type': one.type}
    if one.plugin_instance:
        tags['instance'] = one.plugin_instance
    if one.type_instance:
        tags['type_instance'] = one.type_instance
    return [(f'{one.plugin}_{name}', tags, float(value))
            for (name, kind), value in zip(one.sources, one.values)
            if kind != 'ABSOLUTE']


def is_taken(value):
    """internal/util/type_conversion.go: no NaN, no infinite ones;
    metric/distribution/regular/regular_distribution.go: none below zero."""
    return math.isfinite(value) and value >= 0


def dimensions_of(tags, config):
    """The tags of the section are added where they are not there (telegraf's
    MakeMetric); plugins/processors/ec2tagger/ec2tagger.go adds those of
    append_dimensions, and takes host away."""
    tags = {**config.own_dimensions, **tags}
    if config.append_dimensions:
        tags = {**tags, **config.append_dimensions}
        del tags['host']
    return tags


def sets_of(name, tags, config):
    """plugins/outputs/cloudwatch/cloudwatch.go, ProcessRollup and IsDropping: a
    set must be smaller than the original, and all of it must be there."""
    sets = [] if name in config.drop_original_metrics else [tags]
    for names in config.aggregation_dimensions:
        if len(names) < len(tags) and all(name in tags for name in names):
            sets.append({name: tags[name] for name in names})
    return sets


def cloudwatch_agent(stream, config=Config()):
    """plugins/outputs/cloudwatch/aggregator.go: the period by the time of the
    value, StorageResolution 1 where it is below a minute; no unit, as
    receiver/adapter/accumulator/default_unit.go knows no such measurement."""
    period = config.aggregation_interval
    store = Store()
    for one in stream:
        for name, tags, value in parse(one):
            name = config.name_prefix + name
            if not is_taken(value):
                continue
            tags = dimensions_of(tags, config)
            for dimensions in sets_of(name, tags, config):
                # metrics.namespace
                store.add_value('CWAgent', name, dimensions,
                                one.time // period * period, 'None',
                                1 if period < 60 else 60, value)
    return store


def all_values():
    """Without those below zero, of which a test of its own says more."""
    return values('(?!sensors).*')


# ---- what is the same --------------------------------------------------------

def run(folder, text, wanted, stream=None):
    with open_scene(folder) as scene:
        service = scene.service()
        found = play(scene, service, text, stream or all_values(), wanted,
                     [scene.metadata(tags=TAGS)])
        assert warnings(scene.daemons[0]) == []
        return found, read_back(service, wanted)


def test_as_installed(tmp_path):
    """The section "collectd": {}."""
    wanted = cloudwatch_agent(all_values())
    assert {'collectd_load_midterm', 'collectd_memory_value',
            'collectd_ups_seconds', 'collectd_tail_value'} <= {
                key[1] for key in wanted}
    found, back = run(tmp_path, FILE, wanted)
    check_same(found, wanted, DIGITS)
    check_same(back, wanted, DIGITS)


def test_values_of_others(tmp_path):
    """With Forward true of the plugin network."""
    both = values('load|swap') + of_host('web2', values('load|swap'))
    wanted = cloudwatch_agent(both)
    found, _ = run(tmp_path, FILE, wanted, both)
    check_same(found, wanted, DIGITS)


DIMENSIONS = {
    'append_dimensions of the section "collectd": { "d1": "foo" }':
        Config(own_dimensions={'d1': 'foo'}),
    ALL_FOUR:
        Config(append_dimensions=TAGGED),
    'the same with aggregation_dimensions:':
        Config(append_dimensions=TAGGED, aggregation_dimensions=ROLLUP),
}


@pytest.mark.parametrize('heading', DIMENSIONS)
def test_dimensions(tmp_path, heading):
    wanted = cloudwatch_agent(all_values(), DIMENSIONS[heading])
    found, _ = run(tmp_path, choose_dimensions(TEXT, heading), wanted)
    check_same(found, wanted, DIGITS)


def test_drop_original_metrics(tmp_path):
    text = choose_dimensions(TEXT, 'the same with aggregation_dimensions:')
    text = uncomment(text, 'Plugin "!load"')
    for block in ('shortterm', '%{ds}'):
        text = uncomment_block(text, f'<Metric "collectd_load_{block}">')
    wanted = cloudwatch_agent(all_values(), Config(
        append_dimensions=TAGGED, aggregation_dimensions=ROLLUP,
        drop_original_metrics=('collectd_load_shortterm',)))
    found, _ = run(tmp_path, text, wanted)
    check_same(found, wanted, DIGITS)


def test_name_prefix(tmp_path):
    text = TEXT.replace('<Metric "collectd_', '<Metric "my-')
    wanted = cloudwatch_agent(all_values(), Config(name_prefix='my-'))
    found, _ = run(tmp_path, text, wanted)
    check_same(found, wanted, DIGITS)


@pytest.mark.parametrize('interval', [1, 10, 30, 300])
def test_aggregation_interval(tmp_path, interval):
    """The agent's data are of the interval, ours of the second or minute; added
    up by the interval they are the same."""
    text = TEXT if interval >= 60 else uncomment(
        TEXT, 'StorageResolution 1').replace(
            '  #FlushInterval 60 ', '  FlushInterval 10 ')
    wanted = cloudwatch_agent(all_values(),
                              Config(aggregation_interval=interval))
    with open_scene(tmp_path) as scene:
        found = play(scene, scene.service(), text, all_values(), Store())
    joined = Store()
    for (*key, time, unit, resolution), four in found.items():
        key[2] = dict(key[2])
        joined.add(*key, time // interval * interval, unit, resolution, *four)
    check_same(joined, wanted, DIGITS)
    assert (found.keys() == wanted.keys()) == (interval == 1)


# ---- the check can fail ------------------------------------------------------

@pytest.mark.parametrize('line, other', [
    ('Namespace "CWAgent"', 'Namespace "collectd"'),
    ('<Metric "collectd_%{plugin}_%{ds|value}">',
     '<Metric "collectd_%{plugin}%{_ds}">'),
    ('Dimension "instance" "%{plugin_instance}"',
     'Dimension "instance" "%{plugin_instance|NONE}"'),
    ('Dimension "host" "%{host}"', 'Dimension "host" "localhost"'),
    ('Type "!absolute"', 'Type "!nothing"'),
    ('Type "!duration"', 'Type "!nothing"'),
    ('Counters "raw"', 'Counters "delta"'),
    ('Unit "None"', 'Unit "Count"'),
    ('    Unit "None"\n', '    Unit "None"\n    Statistics "max"\n'),
])
def test_a_broken_rule_is_seen(tmp_path, line, other):
    broken = TEXT.replace(line, other)
    assert broken != TEXT
    with open_scene(tmp_path) as scene:
        found = play(scene, scene.service(), broken, all_values(), Store())
    with pytest.raises(AssertionError):
        check_same(found, cloudwatch_agent(all_values()), DIGITS)


# ---- what is not the same ----------------------------------------------------

def test_below_zero(tmp_path):
    """The agent leaves them out."""
    stream = values('sensors')
    wanted = cloudwatch_agent(stream)
    found, _ = run(tmp_path, FILE, wanted, stream)
    assert sum(four[0] for four in wanted.values()) == sum(
        value >= 0 for one in stream for value in one.values)
    assert sum(four[0] for four in found.values()) == len(stream)
    assert min(four[2] for four in found.values()) == -3.5


def test_a_set_that_a_metric_has_in_part(tmp_path):
    """The agent leaves a set of aggregation_dimensions out where one of its
    dimensions is not there; here the dimension leaves the set."""
    stream = values('memory')
    text = TEXT.replace('"%{type_instance}"\n', '''"%{type_instance}"
  DimensionSet "host" "instance" "type" "type_instance"
  DimensionSet "host" "instance"
''', 1)
    wanted = cloudwatch_agent(stream, Config(
        aggregation_dimensions=[['host', 'instance']]))
    assert wanted == cloudwatch_agent(stream)  # memory has no instance
    with open_scene(tmp_path) as scene:
        found = play(scene, scene.service(), text, stream, wanted)
    assert wanted.keys() < found.keys()
    assert {key[2] for key in found.keys() - wanted.keys()} == {
        (('host', HOST),)}


@pytest.mark.parametrize('has_line', [True, False])
def test_a_group_that_is_not_there(tmp_path, has_line):
    """Without a group the agent leaves the dimension out; here nothing is
    published until it is there, or the line is taken away."""
    text, stream = choose_dimensions(TEXT, ALL_FOUR), values('memory')
    if not has_line:
        text = text.replace('  Dimension "AutoScalingGroupName" '
                            '"%{ec2:autoscaling_group}"\n', '')
    tagged = {name: value for name, value in TAGGED.items()
              if name != 'AutoScalingGroupName'}
    wanted = Store() if has_line else cloudwatch_agent(
        stream, Config(append_dimensions=tagged))
    with open_scene(tmp_path) as scene:
        found = play(scene, scene.service(), text, stream, wanted,
                     [scene.metadata(tags={})])
    if has_line:
        assert found == {}
    else:
        check_same(found, wanted, DIGITS)
