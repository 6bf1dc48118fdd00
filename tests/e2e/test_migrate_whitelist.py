"""The lines of a whitelist.conf that the manual turns into selectors: each line
matches, as collectd-cloudwatch looks at it, what its selectors select."""

import re

import pytest

from daemon import ROOT
from expect import arrived, metric, open_service, run
from migrate import EXAMPLES, STREAM, read_types
from test_migrate_collectd_cloudwatch import WHITELIST, is_listed

# Beside those of the stream: what the lines are about, and what is near to it.
IDENTIFIERS = [line for line in STREAM.read_text().splitlines()
               if '/' in line] + '''
df-a-b/percent_bytes-used df-root/percent_inodes-used df/percent_bytes-used
memory-node0/percent-used memory-node0/memory-free memory/percent-unused
swap-dev_sda2/percent-used swap/percent-used-much cpu-0/percent-active
load-far/load load/load-relative interface-eth10/if_packets
interface-eth/if_octets interface-veth1/if_octets interface-eth1/if_octets-x
disk-xvda/disk_octets disk-xvda1/disk_octets disk-xvdb/disk_octets-x
tcpconns-80-local/tcp_connections-ESTABLISHED
tcpconns-80-local/tcp_connections-TIME_WAIT
tcpconns-80-remote/tcp_connections-ESTABLISHED
tcpconns-80-local/tcp_connections-CLOSED
aggregation-cpu-average/cpu-user aggregation-cpu-average/cpu-system
aggregation-cpu-average/cpu-userland aggregation-cpu-sum/cpu-user
processes/ps_state-sleeping processes-nginx/ps_state-running
statsd/gauge-shop.cart statsd/gauge-shopping statsd-x/gauge-shop.cart
statsd/gauge-my.shop.cart other/percent-used other-one/percent-used
'''.split()
NAME = '%{plugin}|%{plugin_instance}|%{type}|%{type_instance}|%{ds}'


def examples():
    """{line of a whitelist: selectors} of the manual."""
    text = (ROOT / 'man/collectd-write_cloudwatch.pod').read_text()
    section = text.split('=head2 The lines of a whitelist.conf')[1]
    section = section.split('=head2')[0]
    return dict(re.findall(r'=item C<(.*)>\n\n((?:    .+\n)+)', section))


def matched(line):
    """The names, as above, of what the line lets through."""
    names = set()
    for identifier in IDENTIFIERS:
        parts = re.fullmatch(r'(\w+)-?(.*)/(\w+)-?(.*)', identifier).groups()
        sources = [name for name, _ in read_types()[parts[2]]]
        for source in sources if len(sources) > 1 else ['']:
            instance = '.'.join(filter(None, [parts[3], source]))
            if is_listed([line], '-'.join([*parts[:3], instance])):
                names.add('|'.join([*parts, source]))
    return names


@pytest.fixture(scope='module')
def selected(tmp_path_factory):
    """{line: names of what its selectors select}, all of one daemon."""
    blocks = [metric(f'{i} {NAME}', selectors, 'Counters "raw"', 'Unit "None"')
              for i, selectors in enumerate(examples().values())]
    types = read_types()
    values = []
    for identifier in dict.fromkeys(IDENTIFIERS):
        sources = types[re.search(r'/(\w+)', identifier)[1]]
        values.append((identifier, '0' + ':1' * len(sources)))
    with open_service() as service:
        run(service, tmp_path_factory.mktemp('daemon'), ''.join(blocks), values)
        names = {datum['MetricName'] for datum in arrived(service)}
    return {line: {name.split(' ', 1)[1] for name in names
                   if name.startswith(f'{i} ')}
            for i, line in enumerate(examples())}


@pytest.mark.parametrize('line', examples())
def test_line(selected, line):
    wanted = matched(line)
    assert wanted and len(wanted) < len(IDENTIFIERS) / 4
    assert selected[line] == wanted


def test_default_lines_are_those_of_the_example():
    """In the manual, and in the file with the same selectors."""
    text = (EXAMPLES / 'migrate-collectd-cloudwatch.conf').read_text()
    for line in WHITELIST:
        block = re.search(rf'  # {re.escape(line)}\n  <Metric.*\n'
                          r'((?:    .+\n)+)', text)[1]
        assert block.startswith(examples()[line])
