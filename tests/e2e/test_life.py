"""The daemon's life, and its end in each kind of trouble.

A whole life is start, a hundred intervals in scaled time with five write
threads, trouble and recovery, flushes of each kind, stop.  It is run again with
a module that was built with ASan and UBSan, and shows what they find."""

import pathlib
import re
import shutil
import signal
import socket
import threading
import time

import pytest

import faults
from daemon import Daemon, find_plugin_folder
from scene import KEY, REGION, SECRET, Scene, config, feed
from times import FastClock, merge
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
INTERVAL = 10
MARGIN_S = 5  # for a busy machine; Timeout is 20 s
START = 1700000000 // 600 * 600


def leaks_of_ours(log):
    """The leaks in our code that LeakSanitizer or valgrind saw; the daemon has
    some of its own."""
    blocks = re.split(r'(?=^(?:Direct|Indirect) leak of)|'
                      r'(?=^==\d+== [\d,]+ .*bytes in [\d,]+ blocks are )',
                      log, flags=re.MULTILINE)[1:]
    return [block for block in blocks
            if re.search(OURS, re.split(r'\n(?:==\d+== )?\n', block)[0])]


def check_sanitizers(log):
    """Nothing was reported but leaks that are not ours."""
    assert not re.search(r'(?<!Leak)Sanitizer: |runtime error: ', log), log
    assert leaks_of_ours(log) == [], log


def live(service, clock, daemon, intervals):
    """Values each second, some of them late, until so many intervals are
    over; then a flush of each kind, and the stop."""
    clock.begin()
    daemon.start(60)
    try:
        # A slow judge (valgrind) may be late, so not each interval has values.
        while clock.now() < START + intervals * INTERVAL:
            now = int(clock.now())
            daemon.putval('host/test/gauge-a', f'{now}:{now - START}',
                          f'{now - 2 * INTERVAL}:0.5')
            time.sleep(1 / clock.rate)
        daemon.flush(timeout=5)
        daemon.flush()
        daemon.signal(signal.SIGUSR1)
        daemon.putval('last/test/gauge-a', f'{START - 600}:42')
        daemon.settle()
    finally:
        status = daemon.stop(60)
    assert status == 0, daemon.log
    seen = {datum['MetricName'] for datum in service.datums}
    assert {'Memory Available', 'Busy', 'mark',
            'all.load.load.shortterm'} <= seen
    assert merge(service.datums, 'mark')[START - 600] == [42]


def live_block(service):
    return config(service, metric=METRICS, FlushInterval=INTERVAL,
                  **FastClock.LONG)


@pytest.mark.life
def test_a_whole_life(tmp_path):
    clock = FastClock(START, rate=100)
    with Service(credentials={KEY: (SECRET, None)}, region=REGION,
                 now=clock.now) as service:
        service.behave([faults.well(), faults.refuse('InternalServiceError'),
                        faults.hang_up()])
        daemon = Daemon(
            tmp_path, live_block(service), before=PLUGINS, interval=INTERVAL,
            write_threads=5,
            environment={**clock.environment, 'LSAN_OPTIONS': 'exitcode=0'})
        live(service, clock, daemon, 100)
        check_sanitizers(daemon.log)
        marks = [start for start in merge(service.datums, 'mark')
                 if start >= START]
        assert len(marks) > 90
        assert len(service.requests) > 90


# Without the mark, as valgrind and sanitizers exclude each other.
def test_a_whole_life_under_valgrind(tmp_path):
    assert shutil.which('valgrind'), 'install valgrind'
    clock = FastClock(START, rate=40)
    # The daemon's clock begins when valgrind has started, about a second after
    # the service's: the service must bear the difference.
    with Service(credentials={KEY: (SECRET, None)}, region=REGION,
                 now=clock.now, skew_s=3600) as service:
        service.behave([faults.well(), faults.refuse('InternalServiceError'),
                        faults.hang_up()])
        daemon = Daemon(
            tmp_path, live_block(service), before=PLUGINS, interval=INTERVAL,
            write_threads=5, environment=clock.environment,
            wrapper=('valgrind', '--error-exitcode=99', '--leak-check=full',
                     '--errors-for-leak-kinds=none',
                     '--show-leak-kinds=definite,indirect',
                     '--fullpath-after='))
        live(service, clock, daemon, 40)
        assert 'ERROR SUMMARY: 0 errors' in daemon.log, daemon.log
        assert leaks_of_ours(daemon.log) == [], daemon.log


# ---- the end -----------------------------------------------------------------

@pytest.fixture
def refusing():
    """The address of a port that refuses connections and is nobody else's."""
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        yield f'http://127.0.0.1:{taken.getsockname()[1]}'


@pytest.fixture
def silent():
    """The address of a port that accepts connections and says nothing."""
    with socket.create_server(('127.0.0.1', 0)) as server:
        yield f'http://127.0.0.1:{server.getsockname()[1]}'


MEMORY = '<Metric "%{type_instance}">\nPlugin "memory"\n</Metric>'


@pytest.mark.life
@pytest.mark.parametrize('where', ['refusing', 'silent'])
def test_one_shot_ends_in_time(tmp_path, request, where):
    url = request.getfixturevalue(where)
    with Scene(tmp_path) as scene:
        daemon = scene.daemon(
            config(None, metric=MEMORY, Endpoint=url, ShutdownTimeout=2),
            before='LoadPlugin memory', arguments=('-T',),
            environment={'LSAN_OPTIONS': 'exitcode=0'})
        began = time.monotonic()
        daemon.run(20)
        took = time.monotonic() - began
    assert took < 2 + MARGIN_S, daemon.log
    check_sanitizers(daemon.log)


@pytest.mark.parametrize('limit', [0, 2])
def test_stop_while_the_endpoint_hangs(tmp_path, silent, limit):
    with Scene(tmp_path) as scene:
        daemon = scene.start(config(None, Endpoint=silent,
                                    ShutdownTimeout=limit))
        feed(daemon, load=1)
        began = time.monotonic()
        daemon.stop()
        took = time.monotonic() - began
    assert max(0, limit - 0.5) <= took <= limit + MARGIN_S, daemon.log
    daemon.wait_for('1 data could not be sent before the stop and are lost')


def test_flushes_during_shutdown_do_no_harm(tmp_path, silent):
    """Of a signal, whose thread nobody joins, and through the socket.

    Not run with sanitizers: collectd makes that thread in its signal handler,
    which their own locks do not bear.  For the same reason no signal comes
    while the daemon takes itself apart."""
    with Scene(tmp_path) as scene:
        daemon = scene.start(
            config(None, Endpoint=silent, ShutdownTimeout=2))
        feed(daemon, load=1)
        other = object.__new__(Daemon)
        other.socket_path, other._socket = daemon.socket_path, None
        other.command('FLUSH')

        def flush_on():
            try:
                while True:
                    other.command('FLUSH timeout=1')
                    other.command('FLUSH')
            except (OSError, AssertionError):
                pass  # the daemon has gone

        flusher = threading.Thread(target=flush_on)
        flusher.start()
        daemon.signal(signal.SIGTERM)
        daemon.wait_for('Stopping . write threads')
        for _ in range(20):  # while shutdown waits for the endpoint
            daemon.signal(signal.SIGUSR1)
            time.sleep(0.02)
        daemon.stop(10)
        flusher.join(10)
        assert not flusher.is_alive()


@pytest.mark.life
def test_failed_init_followed_by_writes(tmp_path):
    """The daemon goes on calling what is registered until it has ended: here
    with a plugin that reads at once and often, and a flush at the end."""
    bad = '<Node "a">\n<Metric "b">\nEnabled false\n</Metric>\n</Node>'
    with Scene(tmp_path) as scene:
        service = scene.service()
        daemon = scene.daemon(
            config(service, bad, metric=MEMORY), interval=0.01,
            before='LoadPlugin memory\nLoadPlugin cpu\nLoadPlugin load',
            environment={'LSAN_OPTIONS': 'exitcode=0'})
        assert daemon.run(20) == 1
        daemon.status = 0
    daemon.wait_for(r'collectd is stopped')
    daemon.wait_for(r'Exiting normally')
    assert service.requests == []
    check_sanitizers(daemon.log)


def test_background(tmp_path):
    """The daemon forks between configuration and init: our thread must be the
    child's."""
    with Scene(tmp_path) as scene:
        service = scene.service()
        daemon = scene.daemon(config(service, FlushInterval=1),
                              arguments=()).launch()
        try:
            feed(daemon, load=1)
            # Without being asked to.
            assert service.wait_datums(1, 10)[0]['MetricName'] == 'load'
        finally:
            daemon.stop_background()


def test_beside_write_http(tmp_path):
    """Which brings libcurl built with GnuTLS into the same process."""
    if not pathlib.Path(find_plugin_folder(), 'write_http.so').exists():
        pytest.fail('collectd has no write_http plugin here')
    with Scene(tmp_path) as scene:
        service, other = scene.service(), scene.service()
        before = f"""LoadPlugin write_http
<Plugin write_http>
  <Node "x">
    URL "{other.url}/put"
    Format "JSON"
  </Node>
</Plugin>
"""
        daemon = scene.start(config(service), before=before)
        feed(daemon, load=1)
        daemon.flush()
        assert service.wait_datums(1, 10)[0]['MetricName'] == 'load'
        assert other.wait_for(lambda: other.requests, 10)
        assert b'"load"' in other.requests[0].body
