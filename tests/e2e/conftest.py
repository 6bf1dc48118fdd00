"""What all end-to-end tests share: where the module under test is, and how the
daemon has to be started to load it.

builddir          folder that make ran in; default: the current one
COLLECTD_PRELOAD  libraries for the daemon's LD_PRELOAD: a module built with a
                  sanitizer needs its runtime there
"""
import os
import pathlib

import pytest


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "life: a whole life of the daemon; run with sanitizers too")


@pytest.fixture(scope="session")
def module():
    """The path of write_cloudwatch.so."""
    path = pathlib.Path(os.environ.get("builddir", "."),
                        ".libs", "write_cloudwatch.so").resolve()
    if not path.is_file():
        pytest.fail(f"{path} is not there: run make first", pytrace=False)
    return path


@pytest.fixture(scope="session")
def preload():
    """What the daemon's LD_PRELOAD must begin with; "" for nothing."""
    return os.environ.get("COLLECTD_PRELOAD", "")
