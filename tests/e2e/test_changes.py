"""Whose credentials are used when the shared files come, go and change, on a
host that has a role of its own."""

import time

from scene import Scene, publish, without_keys
from story import start as tell
from times import FastClock

START = 1_800_000_000
FILE = '.aws/credentials'


def begin(scene):
    """A daemon that has signed with the keys of its file."""
    service, metadata = scene.service(), scene.metadata()
    keys = scene.keyring.issue(None)
    daemon = scene.start(without_keys(service), uses=[metadata],
                         files={FILE: keys.section('default')})
    publish(daemon, first=1)
    assert service.wait_datums(1, 10)[0]['AccessKey'] == keys.key
    return service, daemon, keys


def signer(service, daemon, count, name):
    publish(daemon, **{name: 1})
    return service.wait_datums(count, 10)[-1]['AccessKey']


def test_file_that_is_being_rewritten(scene):
    service, daemon, keys = begin(scene)
    daemon.write(FILE, '')
    assert signer(service, daemon, 2, 'empty') == keys.key
    daemon.wait_for(r'could not be renewed: profile default in \S+ has none '
                    r'any more; should that last for a minute, those of the '
                    r"instance's role \S+ are used")
    daemon.write(FILE, keys.section('default'))
    assert signer(service, daemon, 3, 'whole') == keys.key
    daemon.wait_for(r'the credentials are renewed \(profile default')


def test_file_that_comes_later(scene):
    service, metadata = scene.service(), scene.metadata()
    daemon = scene.start(without_keys(service), uses=[metadata])
    by_role = signer(service, daemon, 1, 'before')
    keys = scene.keyring.issue(None)
    assert by_role != keys.key
    daemon.write(FILE, keys.section('default'))
    assert signer(service, daemon, 2, 'after') == keys.key
    daemon.wait_for('the credentials are those of profile default in ')


def test_profile_that_has_a_region_alone(scene):
    """It is no end of the chain; keys of the environment are, with Profile,
    none of it."""
    service, metadata = scene.service(), scene.metadata()
    keys = scene.keyring.issue(None)
    daemon = scene.start(
        without_keys(service, Profile='one', Region=None), uses=[metadata],
        environment=keys.environment(),
        files={'.aws/config': '[profile one]\nregion = eu-west-1\n'})
    by_role = signer(service, daemon, 1, 'load')
    assert by_role != keys.key
    daemon.wait_for("signed with the credentials of the instance's role ")


def test_file_that_is_gone_for_good(tmp_path):
    with Scene(tmp_path, clock=FastClock(START, 40)) as scene:
        service, metadata = scene.service(), scene.metadata()
        keys = scene.keyring.issue(None)
        story = tell(scene, service,
                     without_keys(service, **FastClock.LONG), interval=60,
                     uses=[metadata], files={FILE: keys.section('default')})
        story.send()
        service.wait_datums(1, 20)
        story.daemon.write(FILE, '')
        end = time.monotonic() + 30
        while (service.datums[-1]['AccessKey'] == keys.key
               and time.monotonic() < end):
            story.send()
            time.sleep(0.3)
        assert service.datums[-1]['AccessKey'] != keys.key
        story.daemon.wait_for("the credentials are those of the instance's "
                              'role ')
        story.check()
