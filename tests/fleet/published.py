"""The real collectd of a Chroot publishes to the loopback CloudWatch what the
snippets in it say, and botocore reads it back.

    with Published(debian) as daemon:  # /etc/collectd/collectd.conf.d/*.conf
        daemon.wait_both()             # "Memory Available", "Sockets Used"
    assert 0 < min(daemon.read_back('Memory Available'))
"""

import datetime
import os
import pathlib
import signal
import time

import judges
from cloudwatch import Service

SNIPPETS = '/etc/collectd/collectd.conf.d'
LOG = '/var/log/collectd.log'
KEYS = ('AKIDEXAMPLE', 'dummy')
BOTH = {'Memory Available': 'Megabytes', 'Sockets Used': 'Count'}
MAIN = f'''FQDNLookup false
Interval 1
LoadPlugin logfile
<Plugin logfile>
  LogLevel info
  File "{LOG}"
</Plugin>
<Include "{SNIPPETS}">
  Filter "*.conf"
</Include>
'''


def lay_snippet(chroot, text, name='10-write_cloudwatch.conf'):
    path = chroot.path(f'{SNIPPETS}/{name}')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o640)


class Published:
    def __init__(self, chroot, namespace='MyApp'):
        self.namespace = namespace
        self._chroot = chroot
        self._service = Service(credentials={KEYS[0]: (KEYS[1], None)},
                                region='eu-west-1')

    def __enter__(self):
        self._chroot.path('/etc/collectd/collectd.conf').write_text(MAIN)
        self._daemon = self._chroot.start('collectd', '-f', env={
            'AWS_ACCESS_KEY_ID': KEYS[0], 'AWS_SECRET_ACCESS_KEY': KEYS[1],
            'AWS_REGION': 'eu-west-1',
            'AWS_ENDPOINT_URL_CLOUDWATCH': self._service.url})
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.stop()
        finally:
            self._service.stop()

    @property
    def log(self):
        path = self._chroot.path(LOG)
        return path.read_text() if path.exists() else ''

    @property
    def pid(self):
        """As this machine counts: nsenter, which we started, has one child."""
        task = f'/proc/{self._daemon.pid}/task/{self._daemon.pid}/children'
        return int(pathlib.Path(task).read_text())

    def _seen(self):
        return {datum['MetricName'] for datum in self._service.datums}

    def wait_both(self, timeout=90):
        """Has the daemon flush what it has, until both have arrived (anew)."""
        before = len(self._service.datums)
        end = time.monotonic() + timeout
        while not set(BOTH) <= {datum['MetricName'] for datum
                                in self._service.datums[before:]}:
            assert self._daemon.poll() is None and time.monotonic() < end, (
                f'{self._seen()} arrived\n{self.log}')
            time.sleep(0.5)
            if 'Initialization complete' in self.log:
                os.kill(self.pid, signal.SIGUSR1)
        units = {datum['MetricName']: datum['Unit']
                 for datum in self._service.datums}
        assert units == BOTH
        assert {datum['Namespace'] for datum in self._service.datums} == {
            self.namespace}

    def read_back(self, name):
        """The averages of each minute, as botocore gets them."""
        now = datetime.datetime.now(datetime.timezone.utc)
        answer = judges.client('cloudwatch', self._service, KEYS) \
            .get_metric_statistics(
                Namespace=self.namespace, MetricName=name, Dimensions=[],
                StartTime=now - datetime.timedelta(minutes=10),
                EndTime=now + datetime.timedelta(minutes=2), Period=60,
                Statistics=['Average'])
        return [point['Average'] for point in answer['Datapoints']]

    def stop(self):
        """As an administrator does."""
        if self._daemon.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
        status = self._daemon.wait(60)
        assert status == 0, f'collectd ended with {status}\n{self.log}'
