"""status_read: what a version of the status file says, in words of the tests.

    seen = scene.status.wait(daemon, has_trouble('sending'))
    check_counters(seen, requests=1, failed_requests=1, retried=1)
"""

import calendar
import time


def seconds(text):
    """Seconds since 1970 of a time in the file."""
    return calendar.timegm(time.strptime(text, '%Y-%m-%dT%H:%M:%SZ'))


def troubles(version):
    return [trouble['what'] for trouble in version['troubles']]


def has_trouble(what):
    return lambda version: what in troubles(version)


def is_well(version):
    return version['troubles'] == []


def accepted(count):
    return lambda version: version['counters']['accepted'] == count


def check_counters(version, **expected):
    """These have these numbers, all others are 0."""
    counters = version['counters']
    dropped, left_out = counters['dropped'], counters['left_out']
    found = {name: n for part in (counters, dropped, left_out)
             for name, n in part.items() if isinstance(n, int) and n != 0}
    assert found == expected


def series_of(version):
    """{name: series}"""
    return {one['name']: one for one in version['series']}
