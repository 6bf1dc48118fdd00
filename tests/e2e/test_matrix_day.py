"""The fault matrix: an outage of a day, of one cause after the other, in
memory and with a spool.  See matrix.py; scaled time, a minute is some 40 ms."""

import pathlib
import re

import pytest

import faults
from matrix import Ledger, ours, stored
from scene import Scene
from test_matrix_spool import files, spooling, wait_files
from times import FastClock

START = 1_800_000_000
METRICS = 3
LINES_MAX = 30
# Of the heap and of threads, which have nothing to do with what waits.
SLACK_KB = 2048


def by_turns(*actions):
    """Another one for each request."""
    return lambda handler, request: actions[
        request.number % len(actions)](handler, request)


# What is wrong for four hours each; None: nobody listens.
CAUSES = [
    faults.refuse('AccessDenied', 'User is not authorized to perform: '
                  'cloudwatch:PutMetricData', headers=[
                      ('x-amzn-RequestId', '0c0ffee0-0000')]),
    faults.refuse('ServiceUnavailable'),
    None,
    faults.html(502),
    faults.reset(),
    by_turns(faults.refuse('InternalServiceError'), faults.html(200),
             faults.refuse('Throttling'), faults.hang_up())]
FIRST = (r'\[warning\] .*answered AccessDenied \(status 40[03]\): User is not '
         r'authorized .* \[request 0c0ffee0-0000\]: .*allow '
         'cloudwatch:PutMetricData.*; the data wait and are sent later')


def fail(service, cause, before):
    service.always(cause or faults.hang_up())
    if cause is None:
        service.pause()
    elif before is None:
        service.resume()


def pass_by(scene, ledger, minutes):
    """Time in which values of each minute come when it is over; yields every
    half an hour."""
    for minute in range(minutes):
        over = ledger.n // METRICS + 1
        scene.clock.sleep_until(START + 60 * over)
        ledger.dispatch(METRICS, flush=False)
        if minute % 30 == 29:
            yield


def anonymous_kb(daemon):
    """Memory of the daemon that no file stands behind."""
    text = pathlib.Path(f'/proc/{daemon.pid}/smaps_rollup').read_text()
    return int(re.search(r'^Anonymous: *(\d+) kB', text, re.M)[1])


def bytes_on_disk(folder):
    """A file may go while we look."""
    sizes = []
    for path in files(folder):
        try:
            sizes.append(path.stat().st_blocks * 512)
        except FileNotFoundError:
            pass
    return sum(sizes)


def check_backlog(service, ledger, first, last):
    """What was dispatched between these numbers came in few requests, full
    ones, the newest flush first.  On a busy machine a flush may hold some
    minutes, in any order, and the last of all may have come with a fresh
    one."""
    in_flush_s = 1200
    first = ledger.place(first).minute + 60
    last = ledger.place(last).minute - in_flush_s
    times = {}
    for datum in service.datums:
        if first <= datum['Timestamp'] < last:
            times.setdefault(datum['Request'], []).append(datum['Timestamp'])
    ordered = [times[number] for number in sorted(times)]
    bounds = [(max(one), min(one)) for one in ordered]
    assert all(later[0] <= newer[1] + in_flush_s
               for newer, later in zip(bounds, bounds[1:])), bounds
    assert len(ordered) <= sum(map(len, ordered)) // 1000 + 2


# Without a spool a day lies in memory; with one, most of it on the disk.
WHERE = {'memory': {'SpoolDirectory': None, 'BufferLimit': 4},
         'spool': {'BufferLimit': 1, 'SpoolLimit': 6}}


@pytest.mark.parametrize('where', WHERE)
def test_day(tmp_path, where):
    options = WHERE[where]
    with Scene(tmp_path, clock=FastClock(START, 1440)) as scene:
        service, spool = scene.service(skew_s=1e9), tmp_path / 'spool'
        ledger = Ledger(scene.start(spooling(
            scene, service, FlushInterval=60, **FastClock.LONG, **options),
            interval=60), START, METRICS, hosts=1)
        daemon = ledger.daemon
        scene.clock.follow(daemon)
        list(pass_by(scene, ledger, 30))
        ledger.wait(service)
        daemon.wait_for('has accepted the first')
        n_before = ledger.n
        start_kb = anonymous_kb(daemon)
        most_kb = most_bytes = 0

        before, began = CAUSES[0], scene.now()
        for cause in CAUSES:
            fail(service, cause, before)
            for _ in pass_by(scene, ledger, 240):
                most_kb = max(most_kb, anonymous_kb(daemon))
                most_bytes = max(most_bytes, bytes_on_disk(spool))
            before = cause
        assert len(stored(service)) == n_before
        n_failed, passed = ledger.n, scene.now() - began
        service.always(None)
        for _ in pass_by(scene, ledger, 60):
            if len(stored(service)) > n_before + 1000:
                break
        ledger.wait(service)
        assert ledger.compare(service) == 0
        check_backlog(service, ledger, n_before, n_failed)
        assert most_kb - start_kb <= options['BufferLimit'] * 1024 + SLACK_KB
        if where == 'spool':
            assert 1 << 20 <= most_bytes <= options['SpoolLimit'] << 20
            wait_files(spool, 0)

    n_data = ledger.n - n_before
    lines = ours(daemon)
    print('\n'.join(lines), f'{len(lines)} lines, {most_kb - start_kb} KiB of '
          f'memory, {most_bytes >> 10} KiB on disk', sep='\n')
    assert len(lines) <= LINES_MAX, '\n'.join(lines)
    said = [line for line in lines if line.startswith('[warning]')]
    assert re.search(FIRST, said[0])
    again = [re.search(r'\[notice\] .*sending again after (\d+) s; (\d+) data '
                       'are still waiting', line) for line in lines]
    lasted, waited = map(int, next(filter(None, again)).groups())
    # A busy machine may take longer; its second has 1440.
    assert 86400 - 900 <= passed and abs(lasted - passed) <= 1800, lasted
    assert 0.95 * n_data <= waited <= n_data
    assert sum(line.startswith('[notice]') for line in lines) == 1
