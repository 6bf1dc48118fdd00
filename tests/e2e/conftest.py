"""What all end-to-end tests share.

builddir          the folder that make ran in; MODULE names the module itself
COLLECTD_PRELOAD  what the daemon's LD_PRELOAD holds: the runtime of the
                  sanitizers that the module was built with

Both are read by daemon.py.
"""
import pytest

from daemon import find_module
from network import Network
from scene import Scene


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "life: a whole life of the daemon; run with sanitizers too")


@pytest.fixture(scope="session")
def module():
    """The path of write_cloudwatch.so."""
    return find_module()


@pytest.fixture
def scene(tmp_path):
    """A Scene in the network of this machine."""
    with Scene(tmp_path) as one:
        yield one


@pytest.fixture
def island(tmp_path):
    """A Scene in a network of its own, with the addresses of AWS's metadata
    services."""
    with Scene(tmp_path, network=Network()) as one:
        yield one
