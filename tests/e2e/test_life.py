"""A whole life of the daemon: start, a hundred intervals with five write
threads, trouble and recovery, flushes of each kind, stop.  Run with a module
that was built with ASan and UBSan, it shows what they find."""

import re
import signal
import time

import pytest

import faults
from daemon import Daemon
from scene import KEY, MINUTE, REGION, SECRET, config
from cloudwatch import Service

PLUGINS = '''
WriteThreads 5
LoadPlugin cpu
LoadPlugin interface
LoadPlugin load
LoadPlugin memory
LoadPlugin tcpconns
<Plugin tcpconns>
  AllPortsSummary true
</Plugin>
'''
# Each way through the rules: rates, sums, templates, sets, high resolution.
METRICS = '''
Dimension "Host" "%{host}"
Dimension "Part" "%{plugin_instance|none}"
DimensionSet "Host" "Part"
DimensionSet "Host"
DimensionSet ""
<Metric "all.%{plugin}.%{type}%{.type_instance}%{.ds}">
  Plugin "!test"
</Metric>
<Metric "Memory Available">
  Plugin "memory"
  TypeInstance "/^(free|buffered|cached|slab_recl)$/"
  Combine "sum"
  Scale 0.00000095367431640625
  Round "nearest"
  Unit "Megabytes"
</Metric>
<Metric "Busy">
  Plugin "cpu"
  TypeInstance "!idle"
  Counters "delta"
  Statistics "set"
  StorageResolution 1
  Dimension "Meta" "%{meta:nothing|-}"
</Metric>
<Metric "mark">
  Plugin "test"
  DimensionSet ""
</Metric>
'''
OURS = r'write_cloudwatch|/src/(base|metric|aws|run)/|/src/options'


def leaks_of_ours(log):
    """The leaks that LeakSanitizer saw in our code; the daemon has its own."""
    blocks = re.split(r'(?=^(?:Direct|Indirect) leak of)', log,
                      flags=re.MULTILINE)[1:]
    return [block for block in blocks
            if re.search(OURS, block.split('\n\n')[0])]


@pytest.mark.life
def test_a_whole_life(tmp_path):
    with Service(credentials={KEY: (SECRET, None)}, region=REGION) as service:
        service.behave([faults.well(), faults.refuse('InternalServiceError'),
                        faults.hang_up()])
        daemon = Daemon(
            tmp_path, config(service, metric=METRICS, FlushInterval=1,
                             ShutdownTimeout=5),
            before=PLUGINS, interval=0.1,
            environment={'LSAN_OPTIONS': 'exitcode=0'}).start()
        try:
            end = time.monotonic() + 10
            while time.monotonic() < end:
                daemon.putval('host/test/gauge-a', 'N:1')
                time.sleep(0.1)
            daemon.flush()
            daemon.signal(signal.SIGUSR1)
            daemon.putval('last/test/gauge-a', f'{MINUTE}:42')
            daemon.settle()
        finally:
            status = daemon.stop()
        assert status == 0, daemon.log
        assert not re.search('ERROR: AddressSanitizer|runtime error: ',
                             daemon.log), daemon.log
        assert leaks_of_ours(daemon.log) == [], daemon.log
        seen = {datum['MetricName'] for datum in service.datums}
        assert {'Memory Available', 'Busy', 'mark',
                'all.load.load.shortterm'} <= seen
        assert any(datum.get('Value') == 42 for datum in service.datums)
