"""identity: values of the daemon's own host, and what became of them."""

import re

from scene import MINUTE, config

GROUP = 'Dimension "Group" "%{ec2:autoscaling_group}"'


def fleet_and_group(template):
    """Lines that publish each value for the fleet and for the group."""
    return [f'Dimension "Group" "{template}"', 'DimensionSet ""',
            'DimensionSet "Group"']


def start_with(scene, service, metadata, *lines, **options):
    """A daemon whose metadata service this is."""
    return scene.start(config(service, *lines, **options), uses=[metadata])


def put_own(daemon, at=MINUTE, **values):
    """Hands over values testhost/test/gauge-<name>; testhost is the daemon."""
    for name, value in values.items():
        daemon.putval(f'testhost/test/gauge-{name}', f'{at}:{value}')


def own(daemon, at=MINUTE, **values):
    """Hands over own values and has them cut into data."""
    put_own(daemon, at, **values)
    daemon.flush()


def told(service):
    """[(dimensions, timestamp, value)], in order of time."""
    return sorted(((datum['Dimensions'], datum['Timestamp'], datum['Value'])
                   for datum in service.datums),
                  key=lambda one: (one[1], len(one[0]), one[2]))


def count_lines(daemon, pattern):
    return sum(re.search(pattern, line) is not None for line in daemon.lines)
