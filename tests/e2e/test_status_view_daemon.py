"""contrib/cloudwatch-status on what the real daemon writes: a healthy one, one
whose requests fail, one that has stopped, one that is dead."""

import json
import re
import time

import faults
from made_status import look, validate, view
from scene import MINUTE, Scene, config, node, publish
from times import FastClock, faked

DENIED = faults.refuse('AccessDenied', 'User is not authorized')


def wait_status(path, holds, timeout=30):
    """What the file says, when that holds."""
    end = time.monotonic() + timeout
    while True:
        status = json.loads(path.read_text()) if path.exists() else {}
        if status and holds(status):
            validate(status)
            return status
        assert time.monotonic() < end, status
        time.sleep(0.05)


def test_healthy_then_stopped_then_dead(scene):
    service = scene.service()
    path = scene.folder / 'status.json'
    daemon = scene.start(config(service, StatusFile=str(path)))
    publish(daemon, load=1.5)
    daemon.putval('host/other/gauge', f'{MINUTE}:1')
    service.wait_datums(1, 30)
    wait_status(path, lambda status: status['last_accepted'])
    publish(daemon, load=2.5)
    wait_status(path, lambda status: status['counters']['accepted'] == 2
                and status['unselected'])
    code, document = look(path)
    (one,) = document['nodes']
    assert (code, one['reasons'], one['host']) == (0, [], 'testhost')
    assert one['month']['metrics'] == 1
    assert one['month']['requests'] == 30 * 24
    text = view('--all', path).stdout
    assert re.match(f'testhost: publishing to {service.url}/? [(]eu-west-1[)] '
                    'as AccessKeyId in the configuration, accepted ', text)
    assert 'Metrics in collectd\n' in text
    assert '  load              None  2 (1.5 to 2.5)  ' in text
    assert re.search(r'^  host/other/gauge  +%{type_instance}  Plugin "test" '
                     'does not match "other"$', text, re.M)

    # Some hours later nothing was written.
    later = view('--json', path, environment=faked(FAKETIME='+3h'))
    assert later.returncode == 2
    reasons = json.loads(later.stdout)['nodes'][0]['reasons']
    assert [reason['what'] for reason in reasons] == ['silent']

    daemon.stop()
    code, document = look(path)
    assert code == 2
    assert document['nodes'][0]['reasons'][0]['what'] == 'stopped'
    assert 'not publishing since ' in view(path).stdout


def test_killed(scene):
    """It cannot say so itself."""
    service = scene.service()
    path = scene.folder / 'status.json'
    daemon = scene.start(config(service, StatusFile=str(path)))
    publish(daemon, load=1.5)
    wait_status(path, lambda status: status['last_accepted'])
    scene.kill(daemon)
    run = view(path, environment=faked(FAKETIME='+3h'))
    assert run.returncode == 2
    assert ': collectd writes nothing: it is dead or hangs; to' in run.stdout


def test_failing(tmp_path):
    """Degraded at first, not publishing when it lasts, and well again."""
    clock = FastClock(1_800_000_000, 60)
    with Scene(tmp_path, clock=clock) as scene:
        service = scene.service()
        path = tmp_path / 'status.json'
        daemon = scene.start(config(
            service, StatusFile=str(path), FlushInterval=10,
            **FastClock.LONG))

        def verdict():
            """At the moment of which the file tells."""
            status = json.loads(path.read_text())
            validate(status)
            when = status['time'].replace('T', ' ').rstrip('Z')
            run = view('--json', path,
                       environment=faked(FAKETIME=f'@{when}'))
            return run.returncode, json.loads(run.stdout)['nodes'][0]

        def ails(status):
            return [one['what'] for one in status['troubles']] == ['sending']

        publish(daemon, at=int(clock.now()), load=1)
        wait_status(path, lambda status: status['last_accepted'])
        service.always(DENIED)
        publish(daemon, at=int(clock.now()), load=2)
        wait_status(path, ails)
        wait_status(path, lambda status: ails(status)
                    and verdict()[0] == 2)
        code, one = verdict()
        assert (code, one['reasons'][0]['what']) == (2, 'sending')
        assert one['reasons'][0]['since'] == one['last_accepted']
        assert 'the last request failed (AccessDenied); to' in one['summary']
        service.always(faults.well())
        wait_status(path, lambda status: not status['troubles'])
        assert verdict()[0] == 0


def test_all_is_refused(tmp_path):
    """The daemon sends on, which is no trouble of its own, until nothing was
    accepted for long."""
    clock = FastClock(1_800_000_000, 60)
    with Scene(tmp_path, clock=clock) as scene:
        service = scene.service()
        path = tmp_path / 'status.json'
        service.always(faults.refuse('InvalidParameterValue', 'It is bad.'))
        daemon = scene.start(config(
            service, StatusFile=str(path), FlushInterval=10,
            **FastClock.LONG))
        seen, end = [], time.monotonic() + 60
        while 'unaccepted' not in seen:
            assert time.monotonic() < end, seen
            # A name that was never refused.
            publish(daemon, at=int(clock.now()),
                    **{f'load{len(seen)}': 1})
            seen.append(None)
            status = wait_status(path, lambda status: status['last_flush'])
            when = status['time'].replace('T', ' ').rstrip('Z')
            run = view('--json', path,
                       environment=faked(FAKETIME=f'@{when}'))
            (node,) = json.loads(run.stdout)['nodes']
            seen[-1] = node['reasons'][0]['what']
        assert (run.returncode, node['last_accepted']) == (2, None)
        assert 'CloudWatch accepts none; to ' in node['summary']


def test_just_failing(scene):
    service = scene.service()
    service.always(DENIED)
    path = scene.folder / 'status.json'
    daemon = scene.start(config(service, StatusFile=str(path)))
    publish(daemon, load=1.5)
    wait_status(path, lambda status: status['troubles'])
    run = view(path)
    assert run.returncode == 1
    assert 'starting: nothing was accepted yet; the last request failed ' \
        '(AccessDenied); to' in run.stdout
    assert '\n  last error ' in run.stdout
    assert '\n  waiting      1 data, ' in run.stdout


def test_dry_run(scene):
    """It sends nothing, and says what it would cost."""
    path = scene.folder / 'status.json'
    daemon = scene.start(config(None, StatusFile=str(path), DryRun=True,
                                FlushInterval=60))
    publish(daemon, a=1, b=2)
    wait_status(path, lambda status: len(status['series']) == 2)
    run = view(path, columns=200)
    assert run.returncode == 2
    assert ': DryRun is on: nothing is sent' in run.stdout
    assert 'about 1.03 USD: metrics 2 (0.60), requests 43,200 (0.43);' in \
        run.stdout


def test_nodes(scene):
    """Found by what StatusFile says, of which there is no file."""
    well, bad = scene.service(), scene.service()
    bad.always(DENIED)
    path = scene.folder / 'status.json'
    daemon = scene.start(config(
        None, node('well', well), node('bad', bad), StatusFile=str(path)))
    publish(daemon, load=1)
    for name in ('well', 'bad'):
        wait_status(path.with_name(f'status.json.{name}'),
                    lambda status: status['counters']['requests'])
    run = view(path)
    assert run.returncode == 1
    lines = run.stdout.splitlines()
    assert lines[0].startswith('testhost, node bad: degraded since ')
    assert lines[1].startswith(f'testhost, node well: publishing to {well.url}')
