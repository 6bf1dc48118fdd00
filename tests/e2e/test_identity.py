"""%{ec2:...} in names, namespaces and dimensions: what is asked, what has no
value, whose values have it.  When it is known late is in
test_identity_late.py."""

import re

import pytest

from daemon import ROOT
from identity import (GROUP, count_lines, fleet_and_group, own, put_own,
                      start_with, told)
from keyring import ACCOUNT
from scene import MINUTE, config, feed, named, node
import faults
import imds

REMEDY = (r'see that the instance metadata service answers, allow tags in '
          r'instance metadata \(aws ec2 '
          r'modify-instance-metadata-options --instance-metadata-tags enabled\)'
          r' and see that the instance has the tag, or write such a text')


# ---- values -----------------------------------------------------------------

VALUES = {
    'ec2:instance_id': 'i-0123456789abcdef0',
    'ec2:instance_type': 't3.micro',
    'ec2:image_id': 'ami-0123456789abcdef0',
    'ec2:availability_zone': 'eu-west-1b',
    'ec2:region': 'eu-west-1',
    'ec2:account_id': ACCOUNT,
    'ec2:autoscaling_group': 'web-asg',
    'ec2:tag:Name': 'web 1',
    'ec2:tag:cost-center@a,b=c+d.e_f:g': 'R&D "7" \\ %{host}|x',
    'ec2:tag:City': 'K__ln-3170c566',
}
TAGS = {'aws:autoscaling:groupName': 'web-asg', 'Name': 'web 1',
        'cost-center@a,b=c+d.e_f:g': 'R&D "7" \\ %{host}|x', 'City': 'Köln'}


def test_every_value(scene):
    """As dimensions, names and namespaces; and the one document is asked for
    once.  Whose role it is is of no matter: nobody needs a permission."""
    service, metadata = scene.service(), scene.metadata(tags=TAGS)
    metadata.role = None
    lines = [f'Dimension "D{i}" "%{{{name}}}"'
             for i, name in enumerate(VALUES)]
    daemon = start_with(
        scene, service, metadata, *lines,
        metric='<Metric "%{type_instance}%{.ec2:instance_type}">\n'
        'Plugin "test"\nNamespace "%{ec2:account_id}%{/ec2:tag:Name}"\n'
        '</Metric>')
    own(daemon, load=1)
    one, = service.wait_datums(1, 10)
    assert one['Dimensions'] == {
        f'D{i}': value for i, value in enumerate(VALUES.values())}
    assert one['MetricName'] == 'load.t3.micro'
    assert one['Namespace'] == f'{ACCOUNT}/web 1'
    assert (one['Timestamp'], one['Value']) == (MINUTE, 1)
    asked = [path for path in metadata.asked if imds.TOKEN not in path]
    assert sorted(asked) == sorted(
        [f'GET {imds.IDENTITY}',
         *[f'GET {imds.TAGS}/{name}' for name in TAGS]])
    metadata.check_manners()
    # CloudWatch alone was talked to beside it.
    assert {request.operation for request in service.requests} == \
        {'PutMetricData'}


def test_what_is_not_named_is_not_asked(scene):
    service, metadata = scene.service(), scene.metadata(tags=TAGS)
    daemon = start_with(
        scene, service, metadata,
        metric='<Metric "%{type_instance}">\nPlugin "test"\n</Metric>\n'
        '<Metric "x%{ec2:region}">\nEnabled false\n</Metric>')
    own(daemon, load=1)
    service.wait_datums(1, 10)
    assert metadata.asked == []


# ---- sets -------------------------------------------------------------------

# The example of the manual.
SETS = [GROUP, 'Dimension "Id" "%{ec2:instance_id}"',
        'DimensionSet "Group" "Id"', 'DimensionSet "Group"', 'DimensionSet ""']


def test_example_of_the_manual():
    manual = ROOT / 'man/collectd-write_cloudwatch.pod'
    assert '\n  ' + '\n  '.join(SETS) + '\n\n' in manual.read_text()


def test_host_group_and_fleet(scene):
    service = scene.service()
    metadata = scene.metadata(tags={'aws:autoscaling:groupName': 'web-asg'})
    daemon = start_with(scene, service, metadata, *SETS)
    own(daemon, load=3)
    service.wait_datums(3, 10)
    group = {'Group': 'web-asg'}
    assert told(service) == [
        ({}, MINUTE, 3), (group, MINUTE, 3),
        ({**group, 'Id': 'i-0123456789abcdef0'}, MINUTE, 3)]


@pytest.mark.parametrize('tags', [None, {}, {'other': 'x'},
                                  {'aws:autoscaling:groupName': '  '}])
def test_group_never_falls_into_the_fleet(scene, tags):
    """Without the tag the value is published for the fleet, once, and not for
    the group: said once, with what to do."""
    service, metadata = scene.service(), scene.metadata(tags=tags)
    daemon = start_with(scene, service, metadata, *SETS)
    for i in range(3):
        own(daemon, at=MINUTE + 60 * i, load=i + 1)
    service.wait_datums(3, 10)
    daemon.stop()
    assert told(service) == [({}, MINUTE + 60 * i, i + 1) for i in range(3)]
    assert count_lines(
        daemon, r'\[warning\] .*%\{ec2:autoscaling_group\} has no value, so '
        r'what names it without a text after "\|" is not published: '
        + REMEDY) == 1
    assert count_lines(daemon, 'has no value') == 1
    assert count_lines(daemon, r'\[info\] .*testhost/test/gauge-load needs a '
                       'value of the instance that there is not; left out') == 1
    assert '6 values were left out' in daemon.log


def test_group_set_alone(scene):
    """No DimensionSet: the one set there is names it, so nothing comes."""
    service, metadata = scene.service(), scene.metadata(tags={})
    daemon = start_with(scene, service, metadata, GROUP,
                        'Dimension "Host" "%{host}"')
    own(daemon, load=1)
    daemon.wait_for('has no value')
    daemon.stop()
    assert service.datums == []


def test_text_stands_for_what_is_missing(scene):
    service, metadata = scene.service(), scene.metadata(tags={'B': 'b'})
    daemon = start_with(
        scene, service, metadata, 'Dimension "A" "%{.ec2:tag:A|no group}"',
        'Dimension "B" "%{.ec2:tag:B|no group}"')
    own(daemon, load=1)
    service.wait_datums(1, 10)
    assert told(service) == [({'A': 'no group', 'B': '.b'}, MINUTE, 1)]
    assert 'has no value' not in daemon.log


@pytest.mark.parametrize('text', ['', '  '])
def test_blank_text_counts_as_none(scene, text):
    service, metadata = scene.service(), scene.metadata(tags={})
    daemon = start_with(scene, service, metadata,
                        'Dimension "A" "%{ec2:tag:A|' + text + '}"')
    own(daemon, load=1)
    daemon.wait_for(r'\[warning\] .*%\{ec2:tag:A\} has no value')
    daemon.stop()
    assert service.datums == []


def test_name_and_namespace_without_the_value(scene):
    """One rule for these, too; other blocks are not hindered."""
    service, metadata = scene.service(), scene.metadata(tags={})
    daemon = start_with(
        scene, service, metadata,
        metric='<Metric "m%{.ec2:tag:A}">\n</Metric>\n'
        '<Metric "n">\nNamespace "N/%{ec2:tag:B}"\n</Metric>\n'
        '<Metric "ok%{ec2:tag:A|!}">\nPlugin "test"\n</Metric>')
    own(daemon, load=1)
    service.wait_datums(1, 10)
    daemon.wait_for(r'%\{ec2:tag:A\} has no value')
    daemon.wait_for(r'%\{ec2:tag:B\} has no value')
    daemon.stop()
    assert list(named(service.datums)) == ['ok!']


def test_namespace_that_is_kept_for_aws(scene):
    service, metadata = scene.service(), scene.metadata(tags={'A': 'AWS'})
    daemon = start_with(
        scene, service, metadata, metric='<Metric "m">\nPlugin "test"\n'
        'Namespace "%{ec2:tag:A}/x"\n</Metric>')
    own(daemon, load=1)
    daemon.wait_for(r'\[warning\] .*testhost/test/gauge-load has a name or '
                    r'namespace that is empty, or begins with "AWS/" or ":", '
                    r"once the instance's values are in it: put a text before")
    daemon.stop()
    assert service.datums == []


def test_values_of_other_hosts(scene):
    """A relay stamps its identity on nobody."""
    service = scene.service()
    metadata = scene.metadata(tags={'A': 'mine'})
    daemon = start_with(
        scene, service, metadata, 'Dimension "A" "%{ec2:tag:A}"',
        'Dimension "B" "%{ec2:tag:B|none}"', 'Dimension "Host" "%{host}"')
    feed(daemon, load=1)  # of the host "host"
    own(daemon, load=2)
    service.wait_datums(2, 10)
    assert told(service) == [
        ({'B': 'none', 'Host': 'host'}, MINUTE, 1),
        ({'A': 'mine', 'B': 'none', 'Host': 'testhost'}, MINUTE, 2)]


def test_combined(scene):
    service, metadata = scene.service(), scene.metadata(tags={'A': 'a'})
    daemon = start_with(
        scene, service, metadata, 'Dimension "A" "%{ec2:tag:A}"',
        metric='<Metric "sum">\nPlugin "test"\nCombine "sum"\n</Metric>')
    put_own(daemon, x=1, y=2)
    own(daemon, at=MINUTE + 60, x=3, y=4)
    service.wait_datums(1, 10)
    daemon.stop()
    assert told(service) == [({'A': 'a'}, MINUTE, 3),
                             ({'A': 'a'}, MINUTE + 60, 7)]


def test_two_nodes(scene):
    """Each asks for what its own templates name."""
    one, two = scene.service(), scene.service()
    metadata = scene.metadata(tags={'A': 'a', 'B': 'b'})
    daemon = scene.start(
        config(None, node('one', one, 'Dimension "A" "%{ec2:tag:A}"'),
               node('two', two, 'Dimension "B" "%{ec2:tag:B}"')),
        uses=[metadata])
    own(daemon, load=1)
    one.wait_datums(1, 10)
    two.wait_datums(1, 10)
    assert told(one) == [({'A': 'a'}, MINUTE, 1)]
    assert told(two) == [({'B': 'b'}, MINUTE, 1)]


def test_log_shows_what_was_published(scene):
    service, metadata = scene.service(), scene.metadata(tags={'A': 'a'})
    daemon = start_with(scene, service, metadata,
                        'Dimension "A" "%{ec2:tag:A}"', LogPublished=True)
    own(daemon, load=1)
    daemon.wait_for(r'published collectd "load" \{A=a\}: 1 None')
    assert '\x01' not in daemon.log


# ---- what ends the waiting --------------------------------------------------

def test_switched_off(scene):
    """The variable is a definite answer: nothing waits, nothing is asked."""
    service, metadata = scene.service(), scene.metadata(tags={'A': 'a'})
    daemon = scene.start(
        config(service, *fleet_and_group('%{ec2:region}')), uses=[metadata],
        environment={'AWS_EC2_METADATA_DISABLED': 'true'})
    own(daemon, load=1)
    service.wait_datums(1, 10)
    daemon.wait_for(r'\[warning\] .*%\{ec2:region\} has no value, so what names'
                    r' it without a text after "\|" is not published: see that '
                    'the daemon can ask the instance metadata service, or '
                    'write such a text')
    assert told(service) == [({}, MINUTE, 1)]
    assert metadata.asked == []


@pytest.mark.parametrize('wait_s', [0, 300])
def test_service_in_trouble(scene, wait_s):
    """With MetadataWait 0 nothing waits; else what waits does, and all of it
    comes with its own time."""
    service, metadata = scene.service(), scene.metadata(tags={'A': 'a'})
    metadata.always(faults.answer(500))
    daemon = start_with(scene, service, metadata,
                        *fleet_and_group('%{ec2:tag:A}'), MetadataWait=wait_s)
    own(daemon, load=1)
    service.wait_datums(1, 10)
    if wait_s == 0:
        daemon.wait_for(r'%\{ec2:tag:A\} has no value')
    else:
        daemon.wait_for(r"\[warning\] .*waiting for the instance's identity "
                        r'\(%\{ec2:tag:A\}\): .*status 500.*; metrics that name '
                        'it wait until MetadataWait has passed')
    metadata.always(None)
    daemon.wait_for(r"\[notice\] .*the instance's identity was read after \d+ "
                    's', 20)
    own(daemon, at=MINUTE + 60, load=2)
    service.wait_datums(3 if wait_s == 0 else 4, 10)
    assert told(service) == [
        ({}, MINUTE, 1), *([({'Group': 'a'}, MINUTE, 1)] if wait_s else []),
        ({}, MINUTE + 60, 2), ({'Group': 'a'}, MINUTE + 60, 2)]
    daemon.stop()
    assert (', 0 values were left out' in daemon.log) == (wait_s > 0)


def test_stop_while_waiting(scene):
    """A stop in these minutes loses what waits, counted and said."""
    service, metadata = scene.service(), scene.metadata(tags={'A': 'a'})
    metadata.always(faults.hang())
    daemon = start_with(scene, service, metadata,
                        *fleet_and_group('%{ec2:tag:A}'))
    for i in range(5):
        own(daemon, at=MINUTE + 60 * i, load=i)
    service.wait_datums(5, 10)
    daemon.stop()
    assert told(service) == [({}, MINUTE + 60 * i, i) for i in range(5)]
    assert count_lines(
        daemon, r'\[warning\] .*testhost/test/gauge-load waited for a value of '
        r'the instance \(%\{ec2:\.\.\.\}\) until BufferLimit was reached or '
        'the daemon stopped: write a text after ') == 1
    assert re.search(r'5 data were accepted, 5 values were left out',
                     daemon.log)


def test_wait_that_ends_during_the_stop(scene):
    """MetadataWait passes after the last flush: no value is lost unseen."""
    service, metadata = scene.service(), scene.metadata(tags={'A': 'a'})
    service.always(faults.hang())
    metadata.always(faults.hang())
    daemon = start_with(scene, service, metadata,
                        *fleet_and_group('%{ec2:tag:A}'), MetadataWait=4,
                        ShutdownTimeout=6)
    put_own(daemon, load=1)
    daemon.stop()
    assert re.search(r'stops; 0 data were accepted, 1 values were left out',
                     daemon.log)


@pytest.mark.parametrize('template, error', [
    ('%{ec2:hostname}', r'unknown name "ec2:hostname"; known are '
     'ec2:instance_id'),
    ('%{ec2:tag:Cost Center}', r'"ec2:tag:Cost Center": instance metadata '
     'shows no tag'),
    ('%{ec2:tag:..}', r'"ec2:tag:\.\.": instance metadata shows no tag'),
    (''.join(f'%{{ec2:tag:k{i}}}' for i in range(33)),
     r'"ec2:tag:k32" is one value too many')])
def test_wrong_configuration(scene, template, error):
    daemon = scene.daemon(config(None, f'Dimension "A" "{template}"'))
    assert daemon.run() != 0
    assert re.search(rf'\[error\] .*Dimension "A" .*{error}', daemon.log)
    scene.daemons.clear()
