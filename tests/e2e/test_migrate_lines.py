"""Each commented line of the examples migrate-*.conf, made active in the place
of the one that it is an alternative to; those of dimensions and blocks are
tested with what they publish."""

import re

import pytest

from migrate import EXAMPLES
from test_examples import check_loads

LINE = re.compile(r'(?m)^  #((?!Dimension)([A-Z]\w+) .*)$')
CASES = [(path.name, *found.groups())
         for path in sorted(EXAMPLES.glob('migrate-*.conf'))
         for found in LINE.finditer(path.read_text())]


def test_lines_are_found():
    assert len({file for file, *_ in CASES}) == 3 and len(CASES) > 10


@pytest.mark.parametrize('file, line, option', CASES)
def test_line(tmp_path, file, line, option):
    text = (EXAMPLES / file).read_text()
    text = re.sub(rf'(?m)^  {option} .*$', '', text)
    check_loads(tmp_path, text.replace(f'  #{line}\n', f'  {line}\n'))
