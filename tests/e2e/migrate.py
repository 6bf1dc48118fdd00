"""migrate: an example migrate-*.conf in the real daemon, fed with what collectd
read once (migrate_stream.txt), and what CloudWatch has of it then.

    with open_scene(tmp_path) as scene:
        found = play(scene, service, 'migrate-scalemate.conf', values(), wanted)

Both what arrived and what an old tool would have sent are a Store: for each
metric, time, unit and resolution the four statistics of all data together, as
CloudWatch adds up what comes for one time.

The daemon's clock begins a few minutes after the recording, so that nothing of
the stream has to be changed.
"""

import collections
import dataclasses
import math
import re
import shutil
import time

import judges
from daemon import ROOT, find_plugin_folder
from scene import KEY, REGION, SECRET, Scene
from times import FastClock, put_all

EXAMPLES = ROOT / 'collectd.conf.d'
STREAM = ROOT / 'tests/e2e/migrate_stream.txt'
TYPES = '/usr/share/collectd/types.db'
HOST = 'testhost'  # the daemon's own
# Half a minute before it the recording has ended.
NOW = 1795800780 + 610
RECORDED = range(1795800540, 1795800780)


# ---- values ------------------------------------------------------------------

@dataclasses.dataclass(frozen=True)
class ValueList:
    """A value list of collectd; sources are (name, kind) of types.db."""

    plugin: str
    plugin_instance: str
    type: str
    type_instance: str
    sources: tuple
    time: float
    values: tuple
    host: str = HOST

    @property
    def identifier(self):
        return (f'{self.host}/{self.plugin}{self.plugin_instance and "-"}'
                f'{self.plugin_instance}/{self.type}'
                f'{self.type_instance and "-"}{self.type_instance}')


def read_types():
    """{type: ((name, kind), ...)} of collectd's types.db."""
    found = {}
    for line in open(TYPES):
        if line.strip() and not line.startswith('#'):
            name, sources = line.split(None, 1)
            found[name] = tuple(tuple(source.strip().split(':')[:2])
                                for source in sources.split(','))
    return found


def to_number(text, kind):
    if text == 'U':
        return math.nan
    return float(text) if kind == 'GAUGE' else int(text)


def values(plugins='.*'):
    """The value lists of the stream in the order of time, of some plugins."""
    types, found, parts = read_types(), [], None
    for line in STREAM.read_text().splitlines():
        if not line.startswith('  '):
            parts = re.fullmatch(r'(\w+)-?(.*)/(\w+)-?(.*)', line)
            continue
        if not re.fullmatch(plugins, parts[1]):
            continue
        at, *numbers = line.strip().split(':')
        sources = types[parts[3]]
        found.append(ValueList(*parts.groups(), sources, float(at), tuple(
            to_number(text, kind)
            for text, (_, kind) in zip(numbers, sources, strict=True))))
    assert found
    return sorted(found, key=lambda one: one.time)


def of_host(host, stream):
    """The same of another host, a moment later."""
    return [dataclasses.replace(one, host=host, time=one.time + 0.01)
            for one in stream]


def write_values(given):
    return ':'.join('U' if math.isnan(one) else repr(one) for one in given)


# ---- what was published ------------------------------------------------------

class Store(dict):
    """{(namespace, name, dimensions, time, unit, resolution):
    [SampleCount, Sum, Minimum, Maximum]}"""

    def add(self, namespace, name, dimensions, time, unit, resolution, *four):
        key = (namespace, name, tuple(sorted(dimensions.items())), time, unit,
               resolution)
        old = self.get(key, [0, 0, math.inf, -math.inf])
        self[key] = [old[0] + four[0], old[1] + four[1],
                     min(old[2], four[2]), max(old[3], four[3])]

    def add_value(self, *key_and_value):
        *key, value = key_and_value
        self.add(*key, 1, value, value, value)


def four_of(datum):
    """Of a datum as the service keeps it."""
    if 'StatisticValues' in datum:
        return [datum['StatisticValues'][name] for name in
                ('SampleCount', 'Sum', 'Minimum', 'Maximum')]
    pairs = [(datum['Value'], 1)] if 'Value' in datum else list(
        zip(datum['Values'], datum['Counts']))
    return [sum(count for _, count in pairs),
            math.fsum(value * count for value, count in pairs),
            min(pairs)[0], max(pairs)[0]]


def arrived(service):
    """The Store of what the service has of the recorded time."""
    store = Store()
    for datum in service.datums:
        if datum['Timestamp'] in RECORDED:
            store.add(datum['Namespace'], datum['MetricName'],
                      datum['Dimensions'], datum['Timestamp'], datum['Unit'],
                      datum['StorageResolution'], *four_of(datum))
    return store


def check_same(found, wanted, digits=15):
    """Both have the same metrics, and numbers that are equal when they are
    written with so many digits."""
    def written(four):
        return [f'{number:.{digits}g}' for number in four]
    wrong = [f'missing: {key} {wanted[key]}'
             for key in wanted - found.keys()]
    wrong += [f'not wanted: {key} {found[key]}'
              for key in found - wanted.keys()]
    wrong += [f'{key}: {found[key]}, not {wanted[key]}'
              for key in found.keys() & wanted.keys()
              if written(found[key]) != written(wanted[key])]
    assert not wrong, '\n'.join(sorted(wrong))
    assert found


def read_back(service, wanted):
    """The Store of what botocore reads of these metrics, of which there must be
    no other; its clock is the real one."""
    service.now = time.time
    client = judges.client('cloudwatch', service, (KEY, SECRET))
    listed = {(one['Namespace'], one['MetricName'], tuple(sorted(
        (dimension['Name'], dimension['Value'])
        for dimension in one['Dimensions'])))
        for page in client.get_paginator('list_metrics').paginate()
        for one in page['Metrics']}
    metrics = {key[:3] for key in wanted}
    assert metrics == listed
    store = Store()
    for namespace, name, dimensions in metrics:
        answer = client.get_metric_statistics(
            Namespace=namespace, MetricName=name,
            Dimensions=[{'Name': name, 'Value': value}
                        for name, value in dimensions],
            StartTime=RECORDED.start, EndTime=RECORDED.stop, Period=60,
            Statistics=['SampleCount', 'Sum', 'Minimum', 'Maximum'])
        for point in answer['Datapoints']:
            store.add(namespace, name, dict(dimensions),
                      int(point['Timestamp'].timestamp()), point['Unit'], 60,
                      *(point[name] for name in
                        ('SampleCount', 'Sum', 'Minimum', 'Maximum')))
    return store


# ---- the daemon --------------------------------------------------------------

def open_scene(folder):
    return Scene(folder, clock=FastClock(NOW, 1))


def play(scene, service, example, stream, wanted, uses=()):
    """A life of a daemon that includes the example and is given the stream;
    the Store of what arrived.

    example  a file of collectd.conf.d by its name, or a text
    wanted   the Store that is waited for
    """
    file = EXAMPLES / example if example.endswith('.conf') else None
    if file is None:
        file = scene.folder / f'example-{len(scene.daemons)}.conf'
        file.write_text(example)
    plugins = scene.folder / f'daemon-{len(scene.daemons)}' / 'plugins'
    plugins.mkdir(parents=True)
    for name in re.findall(r'(?m)^LoadPlugin (\w+)', file.read_text()):
        shutil.copy(f'{find_plugin_folder()}/{name}.so', plugins)
    daemon = scene.start(
        f'PluginDir "{plugins}"\nInclude "{file}"', load_options=None,
        interval=10, uses=uses, environment={
            'AWS_ACCESS_KEY_ID': KEY, 'AWS_SECRET_ACCESS_KEY': SECRET,
            'AWS_REGION': REGION, 'AWS_ENDPOINT_URL_CLOUDWATCH': service.url})
    texts = collections.defaultdict(list)
    for one in stream:
        texts[one.identifier].append(f'{one.time}:{write_values(one.values)}')
    for identifier, lines in texts.items():
        put_all(daemon, identifier, lines, interval=10)
    daemon.flush()
    service.wait_for(lambda: wanted.keys() <= arrived(service).keys(), 30)
    daemon.stop()
    refused = [request.message for request in service.requests
               if request.status != 200]
    assert not refused
    return arrived(service)


# ---- variants ----------------------------------------------------------------

def choose_dimensions(text, heading):
    """The example with the paragraph of dimensions that has this heading in
    the place of the one that is there."""
    before, rest = text.split('  # ---- dimensions', 1)
    middle, after = rest.split('\n  # ----', 1)
    found = 0
    paragraphs = middle.split('\n\n')
    for i, paragraph in enumerate(paragraphs):
        chosen = paragraph.startswith(f'  # {heading}\n')
        found += chosen
        paragraphs[i] = re.sub('(?m)^  #?Dimension', '  Dimension' if chosen
                               else '  #Dimension', paragraph)
    assert found == 1, heading
    middle = '\n\n'.join(paragraphs)
    return f'{before}  # ---- dimensions{middle}\n  # ----{after}'


def uncomment(text, line):
    """The example with all lines that begin so made active."""
    changed = re.sub(rf'(?m)^( *)#({re.escape(line)})', r'\1\2', text)
    assert changed != text, line
    return changed


def uncomment_block(text, line):
    """The example with the <Metric> that begins with this line made active."""
    block, = re.findall(rf'(?ms)^  #{re.escape(line)}\n.*?^  #</Metric>\n',
                        text)
    return text.replace(block, block.replace('  #', '  '))


def without_metrics(text):
    """The example without its active blocks."""
    return re.sub('(?ms)^  <Metric.*?^  </Metric>\n', '', text)
