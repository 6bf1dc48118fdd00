"""matrix: numbered values, and what became of each when something failed.

    ledger = Ledger(scene.start(config(service, metric=METRIC)))
    ledger.dispatch(6)
    ...
    ledger.wait(service)
    ledger.daemon.stop()
    assert ledger.compare(service) == 0
    check_said(ledger.daemon, 'ServiceUnavailable')

A value is its number, is dispatched once, and makes a datum of its own: the
numbers go around over the metrics, then the hosts, then the minutes. So what
the service stored tells of each number whether it is missing, came twice, or
stands where it does not belong.

A row is a test that has values dispatched before, during and after its fault,
compares, and checks what was said. through() is the whole of most of them.
"""

import collections
import re

import judges
from scene import KEY, MINUTE, SECRET, answered
from times import put_all, samples_of

METRIC = '''
<Metric "%{type_instance}">
  Plugin "test"
  Dimension "Host" "%{host}"
</Metric>
'''
# What the plugin says in any life: when it flushes, what was accepted first,
# and that it stops.
USUAL_LINES = 3

Place = collections.namedtuple('Place', 'host metric minute number')


class Ledger:
    """The values that one daemon after the other gets.

    begin          the first minute
    metrics, hosts  how many there are
    """

    def __init__(self, daemon, begin=MINUTE - 12 * 3600, metrics=3, hosts=2):
        self.daemon = daemon
        self.begin, self.metrics, self.hosts = int(begin), metrics, hosts
        self.n = 0

    def place(self, number):
        """Where a number belongs."""
        series = (number - 1) % (self.metrics * self.hosts)
        minute = (number - 1) // (self.metrics * self.hosts)
        return Place(f'h{series // self.metrics}', f'm{series % self.metrics}',
                     self.begin + 60 * minute, number)

    def dispatch(self, count=6, flush=True):
        """Hands over the next numbers, which our plugin then has, and has
        them cut.  Returns them."""
        numbers = range(self.n + 1, self.n + count + 1)
        self.n += count
        values = collections.defaultdict(list)
        for number in numbers:
            to = self.place(number)
            values[f'{to.host}/test/gauge-{to.metric}'].append(
                f'{to.minute}:{number}')
        for identifier, given in values.items():
            put_all(self.daemon, identifier, given, interval=60)
        if flush:
            self.daemon.flush()
        else:
            self.daemon.settle()
        return numbers

    def expected(self, missing=()):
        return collections.Counter(
            self.place(number) for number in range(1, self.n + 1)
            if number not in missing)

    def wait(self, service, timeout=30, missing=()):
        """Waits until each number but those missing was stored."""
        expected = self.expected(missing)
        if not service.wait_for(lambda: not expected - stored(service),
                                timeout):
            lacking = sorted(one.number for one in expected - stored(service))
            raise AssertionError(
                f'after {timeout} s these are not there: {lacking[:20]}, '
                f'{len(lacking)} in all\n{self.daemon.log}')

    def begin_well(self, service):
        """Values that are accepted before anything fails, which the plugin
        has noticed."""
        self.dispatch()
        self.wait(service)
        self.daemon.wait_for('has accepted the first')

    def compare(self, service, missing=()):
        """Nothing else is missing, and nothing is where it does not belong.
        Returns how many were stored more often than dispatched."""
        answered(service)
        expected, found = self.expected(missing), stored(service)
        assert not expected - found, f'missing: {expected - found}'
        more = found - expected
        assert not set(more) - set(expected), f'strangers: {more}'
        return sum(more.values())

    def read_back(self, service):
        """compare(), as AWS's own client sees it."""
        client = judges.client('cloudwatch', service, (KEY, SECRET))
        found = collections.Counter()
        for series in client.list_metrics()['Metrics']:
            answer = client.get_metric_statistics(
                Namespace=series['Namespace'],
                MetricName=series['MetricName'],
                Dimensions=series['Dimensions'], StartTime=self.begin,
                EndTime=self.place(self.n).minute + 60, Period=60,
                Statistics=['Sum', 'SampleCount'])
            host, = (one['Value'] for one in series['Dimensions'])
            for point in answer['Datapoints']:
                assert point['SampleCount'] == 1, point
                found[Place(host, series['MetricName'],
                            int(point['Timestamp'].timestamp()),
                            int(point['Sum']))] += 1
        assert found == self.expected()


def stored(service):
    """How often each value is where the service has it."""
    return collections.Counter(
        Place(datum['Dimensions']['Host'], datum['MetricName'],
              int(datum['Timestamp']), value)
        for datum in service.datums for value in samples_of(datum))


def through(ledger, service, begin, end, cause, timeout=15):
    """Values before a fault, in it, and after it, until all have arrived and
    the daemon has stopped.  Returns how many came twice."""
    ledger.begin_well(service)
    begin()
    ledger.dispatch()
    ledger.daemon.wait_for(rf'\[warning\] .*({cause})', timeout)
    ledger.dispatch()
    end()
    ledger.dispatch()
    ledger.wait(service)
    ledger.daemon.stop()
    return ledger.compare(service)


def ours(daemon):
    """All that our plugin said in the whole life of the daemon, which ends
    here if it has not."""
    if daemon.status is None:
        daemon.stop()
    return [line for line in daemon.lines
            if 'write_cloudwatch plugin: ' in line]


def check_said(daemon, cause, n_causes=1, n_recoveries=1):
    """The first warning names the cause; there are so many in all, a line for
    each recovery, and nothing else beyond the usual."""
    lines = ours(daemon)
    bad = [line for line in lines
           if line.startswith(('[warning]', '[error]'))]
    assert re.search(cause, bad[0]), '\n'.join(lines)
    assert len(bad) == n_causes, '\n'.join(lines)
    good = [line for line in lines
            if re.match(r'\[notice\] .*sending again after \d+ s; ', line)]
    assert len(good) == n_recoveries, '\n'.join(lines)
    assert len(lines) <= USUAL_LINES + len(bad) + len(good), '\n'.join(lines)


def unanswered(daemon):
    """Data that the plugin counted as sent without an answer; it has
    stopped."""
    return int(daemon.wait_for(r'sent without an answer: (\d+)')[1])


def refused(daemon):
    """Data that the plugin counted as refused; it has stopped."""
    return int(daemon.wait_for(r'that were refused: (\d+)')[1])


def left_out(daemon):
    """Values that the plugin counted as not published; it has stopped."""
    return int(daemon.wait_for(r'(\d+) values were left out')[1])
