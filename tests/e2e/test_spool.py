"""When files are written to the spool, where, and how many."""

import re
import time

import faults
from scene import MINUTE, config, feed, names, node, publish, warnings
from times import SteppedClock, wait_samples

LONG = '\n'.join(['<Metric "%{type_instance}">', 'Plugin "test"',
                  *(f'Dimension "D{i}" "{"x" * 1000}"' for i in range(4)),
                  '</Metric>'])


def parcels(folder):
    return sorted(path.name for path in folder.glob('*.parcel'))


def wait_until(holds, timeout=10):
    end = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < end, 'it did not come about'
        time.sleep(0.01)


def test_a_healthy_node_writes_no_file(scene, tmp_path):
    """The folder's time of change would tell."""
    spool = tmp_path / 'spool'
    service = scene.service()
    daemon = scene.start(config(service, SpoolDirectory=str(spool)))
    wait_until((spool / 'lock').exists)
    changed = spool.stat().st_mtime_ns
    for i in range(1, 6):
        publish(daemon, at=MINUTE + 60 * i, load=i)
        service.wait_datums(i, 10)
    assert daemon.stop() == 0
    assert spool.stat().st_mtime_ns == changed
    assert spool.stat().st_mode & 0o777 == 0o700
    assert not warnings(daemon)


def test_a_slow_request_is_on_disk_until_it_is_answered(scene, tmp_path):
    spool = tmp_path / 'spool'
    service = scene.service()
    service.behave([faults.delay(3)])
    daemon = scene.start(config(service, SpoolDirectory=str(spool)))
    publish(daemon, load=1)
    wait_until(lambda: len(parcels(spool)) == 1)
    path, = spool.glob('*.parcel')
    assert path.stat().st_mode & 0o777 == 0o600
    assert not service.datums  # it is still under way
    service.wait_datums(1, 10)
    wait_until(lambda: not parcels(spool))
    assert len(service.requests) == 1


def test_what_does_not_go_with_the_request_is_on_disk(scene, tmp_path):
    """Before it leaves: the service looks while it answers."""
    spool = tmp_path / 'spool'
    service = scene.service()
    seen = []
    service.always(lambda handler, request: seen.append(len(parcels(spool))))
    daemon = scene.start(config(
        service, SpoolDirectory=str(spool), metric='''
<Metric "m">
  Plugin "test"
  Namespace "of/%{type_instance}"
</Metric>'''))
    publish(daemon, a=1, b=2, c=3, d=4)
    service.wait_datums(4, 10)
    wait_until(lambda: not parcels(spool))
    assert seen == [3, 2, 1, 0] or seen == [3, 3, 2, 1]


def test_nodes_have_folders_of_their_own(scene, tmp_path):
    spool = tmp_path / 'spool'
    services = [scene.service() for _ in range(2)]
    for service in services:
        service.always(faults.refuse('ServiceUnavailable'))
    block = config(None, *(node(f'n{i}', service)
                           for i, service in enumerate(services)),
                   Region=None, SpoolDirectory=str(spool))
    daemon = scene.start(block)
    publish(daemon, load=1)
    wait_until(lambda: all(len(parcels(spool / f'n{i}')) == 1
                           for i in range(2)))
    daemon.stop()
    assert not parcels(spool)
    for service in services:
        service.always(None)
    again = scene.start(block)
    for service in services:
        assert names(service.wait_datums(1, 10)) == ['load']
    again.stop()
    assert not parcels(spool / 'n0') and not parcels(spool / 'n1')


def test_spool_limit(scene, tmp_path):
    """About 4 kB a datum, of which 1 MiB holds some 240; memory holds as many.
    The oldest are dropped, and each is stored or counted."""
    spool = tmp_path / 'spool'
    service = scene.service()
    service.always(faults.refuse('ServiceUnavailable', headers=[
        ('x-amz-retry-after', '1000')]))
    daemon = scene.start(config(service, metric=LONG, BufferLimit=1,
                                SpoolDirectory=str(spool), SpoolLimit=1))
    values = {f'm{i:02}': i for i in range(20)}
    for minutes_ago in range(30, 0, -1):
        publish(daemon, at=MINUTE - 60 * minutes_ago, **values)
        time.sleep(0.05)
    wait_until(lambda: parcels(spool))
    daemon.wait_for(r'\[error\] .*SpoolLimit is reached; the oldest data are '
                    'dropped')
    blocks = sum(path.stat().st_blocks for path in spool.iterdir()) * 512
    assert blocks <= 1 << 20
    service.always(None)
    daemon.wait_for('0 data are still waiting|within SpoolLimit', 20)
    wait_until(lambda: not parcels(spool), 30)
    daemon.stop()
    found = re.search(r'stops; (\d+) data were accepted, .* dropped by '
                      r'BufferLimit: (\d+), by SpoolLimit: (\d+)', daemon.log)
    accepted, by_memory, by_spool = map(int, found.groups())
    assert by_spool > 0
    assert accepted + by_memory + by_spool == 600
    stored = {datum['Timestamp'] for datum in service.datums}
    assert len(service.datums) == accepted
    newest = {MINUTE - 60 * n for n in range(1, len(stored) + 1)}
    assert stored == newest  # none of those that were dropped is newer


def test_a_test_run_beside_a_running_daemon(scene, tmp_path):
    """collectd -T finds the folder in use, and leaves it alone."""
    spool = tmp_path / 'spool'
    service = scene.service()
    service.always(faults.refuse('ServiceUnavailable'))
    block = config(service, SpoolDirectory=str(spool))
    daemon = scene.start(block)
    publish(daemon, load=1)
    wait_until(lambda: len(parcels(spool)) == 1)
    other = scene.daemon(block, arguments=('-T',))
    assert other.run(20) == 0
    line, = warnings(other, 'spool')
    assert 'in use by another collectd or node' in line
    assert len(parcels(spool)) == 1
    service.always(None)
    assert len(wait_samples(service, 1)) == 1


def test_the_folder_is_removed_and_comes_back(scene, tmp_path):
    """What is in memory is not lost with it."""
    spool = tmp_path / 'spool'
    service = scene.service()
    service.always(faults.refuse('ServiceUnavailable'))
    daemon = scene.start(config(service, SpoolDirectory=str(spool)))
    publish(daemon, at=MINUTE - 60, a=1)
    wait_until(lambda: len(parcels(spool)) == 1)
    for path in spool.iterdir():
        path.unlink()
    spool.rmdir()
    publish(daemon, b=2)
    daemon.wait_for(r'\[warning\] .*the spool cannot be used')
    daemon.wait_for(r'\[notice\] .*the spool .* is used again', 30)
    wait_until(lambda: len(parcels(spool)) == 2)
    scene.kill(daemon)
    service.always(None)
    scene.start(config(service, SpoolDirectory=str(spool)))
    assert names(service.wait_datums(2, 10)) == ['a', 'b']


def test_a_stop_without_time_keeps_all(scene, tmp_path):
    """Also what the last flush may have on its way by then."""
    spool = tmp_path / 'spool'
    service = scene.service()
    service.always(faults.hang())
    block = config(service, SpoolDirectory=str(spool), ShutdownTimeout=0)
    daemon = scene.start(block)
    feed(daemon, at=int(time.time()), load=1)
    daemon.stop()
    daemon.wait_for(r'\[info\] .*1 data wait in .* for the next start')
    service.always(None)
    scene.start(block)
    assert names(service.wait_datums(1, 10)) == ['load']


def test_a_clock_of_another_month_drops_nothing(scene, tmp_path):
    """A host may boot with one, before it knows better."""
    spool = tmp_path / 'spool'
    service = scene.service()
    service.always(faults.refuse('ServiceUnavailable'))
    block = config(service, SpoolDirectory=str(spool))
    first = scene.start(block)
    publish(first, a=1, b=2)
    first.wait_for('ServiceUnavailable')
    first.stop()
    kept = parcels(spool)
    assert kept

    clock = SteppedClock(tmp_path / 'clock', 20 * 86400)
    service.always(None)
    wrong = scene.start(block, environment=clock.environment)
    wrong.wait_for('2 data of earlier flushes wait')
    time.sleep(2.5)
    wrong.stop()
    assert parcels(spool) == kept
    assert not service.datums and not warnings(wrong)

    scene.start(block)
    assert names(service.wait_datums(2, 10)) == ['a', 'b']
