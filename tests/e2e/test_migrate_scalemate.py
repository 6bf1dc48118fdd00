"""migrate-scalemate.conf publishes what Scalemate published.

The oracle is written from Scalemate's own files, which are named at each rule
(github.com/eladnava/scalemate).
"""

import dataclasses

import pytest

from migrate import (EXAMPLES, RECORDED, Store, check_same, open_scene, play,
                     read_back, values)
from scene import warnings

FILE = 'migrate-scalemate.conf'


def sockets_used(meminfo, sockstat):
    """metrics/socketsUsed.js: sockets.used of the package sockstat, which is
    the line "sockets: used" of /proc/net/sockstat."""
    return sockstat


def memory_available(meminfo, sockstat):
    """metrics/memoryAvailable.js: the seventh word of the second line of
    free -m, "available", which free cuts to whole MiB."""
    return meminfo // 1024


# config.js: key, name, unit
CONFIG = [(sockets_used, 'Sockets Used', 'Count'),
          (memory_available, 'Memory Available', 'Count')]


def reading(stream, plugin, type_instance, minute, look):
    """What the kernel said last, when Scalemate looks at that second of the
    minute; None before the first."""
    seen = [one.values[0] for one in stream
            if (one.plugin, one.type_instance) == (plugin, type_instance)
            and minute <= one.time < minute + look]
    return seen[-1] if seen else None


def scalemate(stream, app, config=tuple(CONFIG), look=30):
    """lib/scalemate.js: scheduleNextRun() looks at second 30 of each minute;
    publishMetrics() sends one Value for each metric.  The time it gives is
    that of the look; CloudWatch keeps it by the minute, as StorageResolution
    is 60."""
    store = Store()
    for minute in RECORDED[::60]:
        meminfo = reading(stream, 'meminfo', 'MemAvailable', minute, look)
        sockstat = reading(stream, 'sockstat', 'sockets-used', minute, look)
        if meminfo is None:
            continue
        for value, name, unit in config:
            store.add_value('Scalemate', name, {app: app}, minute, unit, 60,
                            value(meminfo, sockstat))
    return store


def still(stream):
    """The stream as if nothing changed within a minute."""
    first = {}
    return [dataclasses.replace(one, values=first.setdefault(
        (one.identifier, one.time // 60), one.values)) for one in stream]


def test_at_the_end_of_the_minute(tmp_path):
    """As installed: the same data, but that the number is the minute's last,
    and Scalemate's that of second 30."""
    stream = values('meminfo|sockstat')
    wanted = scalemate(stream, 'MyApp', look=60)
    assert len(wanted) == 2 * len(RECORDED[::60])
    with open_scene(tmp_path) as scene:
        service = scene.service()
        check_same(play(scene, service, FILE, stream, wanted), wanted)
        assert warnings(scene.daemons[0]) == []
        # Both metrics, and no other, as CloudWatch tells it.
        check_same(read_back(service, wanted), wanted)


def test_the_same_number(tmp_path):
    """Where it does not change meanwhile, it is that of second 30."""
    stream = [one for one in still(values('meminfo|sockstat'))
              if one.time >= RECORDED[60]]
    wanted = scalemate(stream, 'MyApp')
    assert len(wanted) == 6
    with open_scene(tmp_path) as scene:
        check_same(play(scene, scene.service(), FILE, stream, wanted), wanted)


def test_what_is_read():
    """The plugin table is told the same as by write_cloudwatch-exact.conf, of
    which test_examples.py knows that it is what the kernel says."""
    def table(name):
        text = (EXAMPLES / name).read_text()
        return text[text.index('LoadPlugin table'):text.index('<LoadPlugin w')]
    assert table(FILE) == table('write_cloudwatch-exact.conf')


def test_changed_config(tmp_path):
    """What the head of the file says of another config.js."""
    text = (EXAMPLES / FILE).read_text()
    text = text.replace('Dimension "MyApp" "MyApp"', 'Dimension "Shop" "Shop"')
    text = text.replace('<Metric "Memory Available">', '<Metric "Free">')
    begin = text.index('  <Metric "Sockets Used">')
    text = text[:begin] + text[text.index('  <Metric "Free">'):].replace(
        'Unit "Count"', 'Unit "Megabytes"')
    stream = values('meminfo|sockstat')
    wanted = scalemate(stream, 'Shop', look=60,
                       config=[(memory_available, 'Free', 'Megabytes')])
    with open_scene(tmp_path) as scene:
        check_same(play(scene, scene.service(), text, stream, wanted), wanted)


@pytest.mark.parametrize('line, other', [
    ('Namespace "Scalemate"', 'Namespace "MyApp"'),
    ('Dimension "MyApp" "MyApp"', 'Dimension "App" "MyApp"'),
    ('TypeInstance "sockets-used"', 'TypeInstance "TCP-inuse"'),
    ('Unit "Count"', 'Unit "Megabytes"'),
    ('Round "floor"', 'Round "nearest"'),
    ('Statistics "last"', 'Statistics "values"'),
])
def test_a_broken_rule_is_seen(tmp_path, line, other):
    text = (EXAMPLES / FILE).read_text()
    broken = text.replace(f'  {line}\n', f'  {other}\n')
    assert broken != text
    stream = values('meminfo|sockstat')
    wanted = scalemate(stream, 'MyApp', look=60)
    with open_scene(tmp_path) as scene:
        found = play(scene, scene.service(), broken, stream, Store())
        with pytest.raises(AssertionError):
            check_same(found, wanted)
