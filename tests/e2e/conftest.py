"""What all end-to-end tests share: which module they test.

builddir  the folder that make ran in; MODULE, if set, names the module itself
"""
import os
import pathlib


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "life: a whole life of the daemon; run with sanitizers too")
    if "builddir" in os.environ:
        path = pathlib.Path(os.environ["builddir"], ".libs",
                            "write_cloudwatch.so")
        os.environ.setdefault("MODULE", str(path))
