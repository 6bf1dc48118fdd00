"""How contrib/quickstart --config reads a configuration, against the daemon's own
reading.  test_quickstart_config_dry.py has what it changes."""

import pathlib
import random
import re
import subprocess
import sys

import pytest
from daemon import COLLECTD, ROOT

sys.path.append(str(ROOT / "contrib"))
import quickstart_config  # noqa: E402
from quickstart_config import ConfigError  # noqa: E402

STOCK = pathlib.Path("/usr/share/doc/collectd-core/examples/collectd.conf")


def read(path):
    return path.read_bytes().decode("latin-1")


def parse(text):
    return quickstart_config.parse(text, "file")


# --- the language -------------------------------------------------------------

ODD = {
    "nothing": "",
    "a comment without end": "# only this",
    "empty lines": "\n\n  \n",
    "bytes": 'LoadPlugin "caf\xe9"\n',
    "line ends": 'Interval 10\r\n<Plugin x>\r\n  A "b"\r\n</Plugin>\r\n',
    "continued": 'LoadPlugin \\\n  "memory"\n',
    "continued with a return": 'LoadPlugin \\\r\n  "memory"\n',
    "a comment that looks continued": "# a \\\nInterval 10\n",
    "a comment behind": "<Plugin x> # one\n A 1 # two\n</Plugin> # three\n",
    "a text of two lines": 'A "b\nc"\n',
    "a text that is continued": 'A "b\\\n     c"\n',
    "a sign in quotes": 'A "</Plugin> # \\" <" 2\n',
    "blocks in blocks": "<A>\n<B 1 \"c\">\n D true\n</B>\n</A>\n",
    "a block of nothing": "<Plugin x>\n</Plugin>\n",
    "numbers": "A -1 +2 .5 1.5e+3 0x1F 017\n",
    "addresses": "A 127.0.0.1 ::1 [fe80::1]:80 10.0.0.1:8080\n",
    "what the daemon skips": "A us-east-1\n",
    "tabs": "\t<Plugin\tx>\n\tA\t1\t\n\t</Plugin>\t\n",
    "an odd quote": 'A "b\n',
}
WRONG = {
    "no end of the last line": ("A 1\nB 2", "add a newline"),
    "an end of another block": ("<A>\nB 1\n</C>\n", "<A> of line 1 is open"),
    "ends compare with case": ("<A>\nB 1\n</a>\n", "</a> ends no block"),
    "an end too many": ("A 1\n</A>\n", "none is open"),
    "an open block": ("<A>\nB 1\n", "<A> has no </A>"),
    "no value": ("A 1\nEnabled\n", "file, line 2: Enabled has no value"),
    "a path without quotes": ("A /tmp/x\n", "needs quotes"),
    "a word behind a block": ("<A> 1\nB 1\n</A>\n", "and nothing else"),
    "an end with a word": ("<A>\nB 1\n</A x>\n", "has no argument"),
    "a number for a name": ("10 A\n", 'begins with "10", which is no name'),
    "a boolean for a name": ("true 1\n", 'begins with "true"'),
    "a text for a name": ('"secret" 1\n', "begins with a text in quotes"),
    "an open text": ('A "b \\\n c\n', "has no end"),
    "an empty bracket": ("<>\n", "the line of a block"),
    "half a bracket": ("<A\nB 1\n</A>\n", "the line of a block"),
}


def daemon_says(folder, text, name="test.conf"):
    """What collectd prints of a file, which it does not run: it fails at the
    first plugin that is not there, and goes on to say so of the others."""
    path = folder / name
    path.write_bytes(
        f'BaseDir "{folder}"\nPIDFile "{folder}/pid"\nFQDNLookup false\n'
        'LoadPlugin logfile\n<Plugin logfile>\n  File STDOUT\n'
        '</Plugin>\n'.encode() + text.encode("latin-1"))
    result = subprocess.run(
        [COLLECTD, "-T", "-f", "-C", str(path)], cwd=folder, timeout=60,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return result.stdout.decode(errors="replace")


MARK = re.compile(r'Could not find plugin "(mark_\w+)"')


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_text_comes_back_byte_for_byte(text, tmp_path):
    statements = parse(text)
    whole = text if text.endswith("\n") or not text else text + "\n"
    assert quickstart_config.source(statements) == whole
    # The daemon takes it as well.
    assert MARK.findall(daemon_says(
        tmp_path, whole + "LoadPlugin mark_1\n")) == ["mark_1"]


@pytest.mark.parametrize("text, said", WRONG.values(), ids=WRONG)
def test_what_the_daemon_refuses_is_refused(text, said, tmp_path):
    with pytest.raises(ConfigError, match=re.escape(said)):
        parse(text)
    said = daemon_says(tmp_path, "LoadPlugin mark_1\n" + text)
    assert re.search("(?i)parse error|block_begin", said), said
    assert MARK.findall(said) == []


@pytest.mark.parametrize("path", [
    STOCK, *(ROOT / "collectd.conf.d").glob("*.conf")], ids=lambda p: p.name)
def test_files_of_others_come_back_byte_for_byte(path):
    assert quickstart_config.source(parse(read(path))) == read(path)


def test_blocks_without_bound_are_refused():
    with pytest.raises(ConfigError, match="file, line 101: too many blocks"):
        parse("<A>\n" * 100_000)


def test_values():
    one, two = parse('A "b\\\\\\"c\\d" "e\\\n   f" wörd 1.5 on\n'
                     .encode().decode("latin-1") + "<Node x>\n C 1\n</Node>\n")
    assert [value.text for value in one.values][:2] == ['b\\"cd', "ef"]
    assert one.values[-2].text == "1.5" and one.values[-1].kind == "bool"
    assert one.named("a") and not one.named("a", "b")
    assert two.named("NODE", "X") and two.children[0].number == 1
    assert two.children[0].where == "file, line 4"


# --- includes -----------------------------------------------------------------

class Tree:
    """Random files and folders that include one another; each LoadPlugin is a
    mark of its own."""

    def __init__(self, folder, seed):
        self._random = random.Random(seed)
        self._folder = folder
        self._n_marks = 0
        for name in ("a", "b", "b/c"):
            (folder / name).mkdir()
        self._places = [folder / name / file for name in ("a", "b", "b/c")
                        for file in ("1.conf", "2.conf", "x.off", ".h.conf")]
        for place in self._places:
            place.write_text(self._content())

    def _content(self):
        chance = self._random.random()
        if chance < 0.03:
            return "<Wrong>\n"
        return "".join(self._line() for _ in range(self._random.randrange(4)))

    def _line(self):
        if self._random.random() < 0.75:
            self._n_marks += 1
            return f"LoadPlugin mark_{self._n_marks}\n"
        return self.include()

    def include(self):
        random_ = self._random
        path = random_.choice([
            "a", "b", "b/c", "a/1.conf", "a/*.conf", "b/?.conf", "b/*", "*",
            "a/none.conf", "b/none*", "a/1.conf {0}/b/2.conf", "a/x.off",
            "b/[12].conf", "$NOWHERE/b/c"])
        # Of the file system's root for "$NOWHERE": not there.
        path = (f"{self._folder}/{path}" if path[0] != "$" else path) \
            .replace("{0}", str(self._folder))
        end = random_.choice(("include", "Include"))
        # A Filter for what is no folder ends the daemon.
        if "*" in path or random_.random() < 0.3:
            return f'{end} "{path}"\n'
        return (f'<{end} "{path}">\n  Filter "'
                f'{random_.choice(("*.conf", "1*", "*", "*"))}"\n</{end}>\n')


@pytest.mark.parametrize("seed", range(24))
def test_includes_are_followed_as_the_daemon_does(tmp_path, seed):
    tree = Tree(tmp_path, seed)
    text = "".join(f"LoadPlugin mark_0{i}\n{tree.include()}" for i in range(3))
    seen = MARK.findall(daemon_says(tmp_path, text))
    try:
        statements, _ = quickstart_config.read_all(str(tmp_path / "test.conf"))
    except ConfigError:
        assert seen == []
        return
    assert [one.argument for one in statements if one.named("LoadPlugin")
            and one.argument.startswith("mark")] == seen
    # The copy is one file that the daemon reads likewise.
    assert MARK.findall(daemon_says(
        tmp_path, quickstart_config.source(statements), "copy.conf")) == seen


def test_a_file_that_includes_itself(tmp_path):
    path = tmp_path / "me.conf"
    path.write_text(f'LoadPlugin mark_1\nInclude "{path}"\n')
    assert MARK.findall(daemon_says(tmp_path, read(path))) == []
    with pytest.raises(ConfigError, match="included too deep"):
        quickstart_config.read_all(str(path))


def test_what_the_daemon_skips_is_said(tmp_path):
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "1.conf").write_text("A 1\n")
    (folder / "2.conf").write_text("B 1\nEndpoint http://x\n")
    path = tmp_path / "f.conf"
    path.write_text(f'Include "{folder}"\nInclude "{tmp_path}/none"\n')
    statements, reader = quickstart_config.read_all(str(path))
    assert [one.key for one in statements] == ["A"]
    assert reader.files == [str(path), str(folder / "1.conf")]
    wrong, absent = reader.skipped
    assert f"{folder}/2.conf, line 2: " in wrong and "needs quotes" in wrong
    assert f"{tmp_path}/none is neither" in absent
