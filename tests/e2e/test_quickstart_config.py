"""How contrib/quickstart --config reads and changes a configuration: the reading
against the daemon's own, the changes by what they leave and take away."""

import os
import pathlib
import random
import re
import subprocess
import sys

import pytest
from daemon import COLLECTD, ROOT, find_plugin_folder

sys.path.append(str(ROOT / "contrib"))
import quickstart_config  # noqa: E402
import quickstart_dry  # noqa: E402
from quickstart_config import ConfigError  # noqa: E402

PLUGINS = find_plugin_folder()
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


# --- the copy -----------------------------------------------------------------

LOAD = "LoadPlugin write_cloudwatch\n"
BLOCK = ("<Plugin write_cloudwatch>\n  <Metric \"M\">\n    Plugin \"load\"\n"
         "  </Metric>\n</Plugin>\n")


def prepare(tmp_path, text, limit_s=90, kept=()):
    path = tmp_path / "user.conf"
    path.write_bytes(text.encode("latin-1"))
    return quickstart_dry.prepare(str(path), "/run dir", PLUGINS, limit_s, kept)


def rest_of(text):
    """What a copy holds beside what this run adds."""
    body = text[text.index("</Plugin>\n") + 10:]
    for line in ('PluginDir "/run dir/plugins"\n', f'PluginDir "{PLUGINS}"\n',
                 "  DryRun true\n", '  StatusFile "/run dir/status/json"\n'):
        assert body.count(line) == 1, body
        body = body.replace(line, "")
    return body


def test_a_configuration_without_effects_is_kept(tmp_path):
    text = ("# mine \xe9\n\nInterval 20 \\\n\n\nHostname \"h\"\n"
            "TypesDB \"t.db\"   # relative\nLoadPlugin load\n"
            "<LoadPlugin \"Write_CloudWatch\"> # ours\n  Interval 60\n"
            "</LoadPlugin>\n<plugin WRITE_cloudwatch>\n  <Metric \"M\">\n"
            "    Unit \\\n      \"None\"\n  </Metric>\n</plugin>\n"
            "<Chain \"PostCache\">\n  <Target \"write\">\n"
            "    Plugin \"csv\" \"write_cloudwatch\"\n  </Target>\n</Chain>\n"
            "# end")
    copy, facts = prepare(tmp_path, text)
    assert rest_of(copy) == text + "\n"
    assert facts["left_out"] == {} and facts["dropped"] == []
    # Ours is loaded from this run's folder, by the user's own line.
    before, _, after = copy.partition('<LoadPlugin "Write_CloudWatch"> # ours')
    assert before.endswith('PluginDir "/run dir/plugins"\n')
    assert after.index(f'PluginDir "{PLUGINS}"') < after.index("<plugin")
    # Its options stand in our block, and only there.
    assert "<plugin WRITE_cloudwatch>\n  DryRun true\n" in after


def test_our_options_that_write_are_dropped(tmp_path):
    node = ('  <Node "a">\n    SPOOLDIRECTORY "/x"\n    SpoolLimit 10\n'
            '    StatusFile "/z"\n    DryRun "false"\n    LogPublished true\n'
            '  </Node>\n')
    text = (LOAD + "LoadPlugin load\n" + BLOCK.replace(
        '  <Metric', node + '  StatusFile "/y" # mine\n  <Metric')
        + "<Plugin write_cloudwatch>\n  dryrun false\n  Region \"x\"\n</Plugin>\n"
        + '<Plugin other>\n  StatusFile "theirs"\n</Plugin>\n')
    copy, facts = prepare(tmp_path, text)
    gone = re.compile(r'(?im)^ +(SpoolDirectory "/x"|StatusFile "/[zy]".*'
                      r'|DryRun "?false"?)\n')
    assert rest_of(copy) == gone.sub("", text)
    assert {key.lower() for key in facts["dropped"]} == {
        "spooldirectory", "statusfile", "dryrun"}


@pytest.mark.parametrize("name, more", [
    *((name, "") for name in (
        "write_http", "write_graphite", "csv", "rrdtool", "rrdcached", "network",
        "amqp", "amqp1", "mqtt", "grpc", "unixsock", "statsd", "email", "syslog",
        "logfile", "log_logstash", "notify_email", "exec", "python", "perl",
        "java", "lua", "write_cloudwatch2")),
    ("postgresql", '<Database "d">\n    writer "w"\n  </Database>')])
def test_plugins_with_an_effect_are_left_out(tmp_path, name, more):
    theirs = (f"<LoadPlugin {name}>\n  Interval 5\n</LoadPlugin>\n"
              f'LoadPlugin "{name.upper()}"\n'
              f'<Plugin {name.upper()}>\n  Some "text"\n  {more}\n</Plugin>\n')
    mine = "LoadPlugin load\n" + LOAD + BLOCK
    copy, facts = prepare(tmp_path, theirs + mine)
    assert rest_of(copy) == mine
    assert list(facts["left_out"]) == [name] and facts["left_out"][name]
    copy, facts = prepare(tmp_path, theirs + mine, kept=[name.title()])
    assert rest_of(copy) == theirs + mine and not facts["left_out"]


def test_plugins_that_only_read_are_kept(tmp_path):
    text = "".join(f"LoadPlugin {path.stem}\n" for path in pathlib.Path(
        PLUGINS).glob("*.so"))
    copy, facts = prepare(tmp_path, text + LOAD + BLOCK)
    left = {line.split()[1] for line in text.splitlines()} - set(
        re.findall(r"^LoadPlugin (\S+)$", rest_of(copy), re.M))
    assert left == set(facts["left_out"])
    assert not left & {"aggregation", "cpu", "curl", "df", "match_regex", "snmp",
                       "postgresql", "table", "tail", "target_set", "threshold",
                       "tcpconns"}


def test_global_options_are_replaced(tmp_path):
    copy, _ = prepare(tmp_path, 'basedir "/var"\nPIDFile "/x"\nBaseDir "/y"\n'
                      'LoadPlugin load\n' + LOAD + BLOCK)
    assert re.findall("(?im)^(?:BaseDir|PIDFile).*", copy) == [
        'BaseDir "/run dir"', 'PIDFile "/run dir/pid"']


def test_a_plugin_folder_of_the_users_stays_in_force(tmp_path):
    copy, _ = prepare(tmp_path, 'PluginDir "/own"\nLoadPlugin load\n' + LOAD
                      + BLOCK + "LoadPlugin cpu\n")
    assert re.findall(r"(?m)^(?:PluginDir|LoadPlugin) (.*)$", copy) == [
        "logfile", '"/own"', "load", '"/run dir/plugins"', "write_cloudwatch",
        '"/own"', "cpu"]


@pytest.mark.parametrize("loads", ["", LOAD])
def test_a_snippet_gets_something_to_read(tmp_path, loads):
    copy, facts = prepare(tmp_path, "Interval 1\n" + loads + BLOCK)
    assert facts["given"] == ["memory", "tcpconns"]
    names = re.findall(r"^LoadPlugin (\S+)$", copy, re.M)
    assert names == ["logfile", "memory", "tcpconns", "write_cloudwatch"]
    # Below the Interval, which counts from there on, and above the block.
    assert copy.index("Interval 1") < copy.index("LoadPlugin memory") \
        < copy.index("LoadPlugin write_c") < copy.index("<Plugin write_c")
    assert facts["wait_s"] == 3


def test_plugins_that_are_loaded_by_their_blocks(tmp_path):
    text = ("AutoLoadPlugin true\n<Plugin load>\n  A 1\n</Plugin>\n"
            "<Plugin write_http>\n  B 1\n</Plugin>\n" + BLOCK)
    copy, facts = prepare(tmp_path, text)
    assert list(facts["left_out"]) == ["write_http"] and not facts["given"]
    assert "B 1" not in copy
    assert copy.index("/run dir/plugins") < copy.index("<Plugin write_cloudw")


@pytest.mark.parametrize("text, said", [
    ("LoadPlugin load\n", "there is no <Plugin write_cloudwatch> block: write"),
    ("", "there is no <Plugin write_cloudwatch> block: write"),
    ("LoadPlugin load\n" + BLOCK, "nothing loads the plugin"),
    ("LoadPlugin load\n" + BLOCK + LOAD,
     "user.conf, line 2: the block stands before the LoadPlugin of "),
    ("LoadPlugin load\n" + LOAD + BLOCK + "Endpoint http://x\n",
     "user.conf, line 8: "),
])
def test_what_cannot_work_is_said(tmp_path, text, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        prepare(tmp_path, text)


@pytest.mark.parametrize("lines, limit_s, wait_s, late", [
    ("LoadPlugin load\n", 90, 12.5, []),
    ("Interval 1\nLoadPlugin load\n", 90, 3, []),
    ("LoadPlugin load\nInterval 1\n", 90, 12.5, []),
    ("Interval 1\nLoadPlugin load\n<LoadPlugin df>\n Interval \"20\"\n"
     "</LoadPlugin>\n", 90, 25, []),
    ("Interval 1\nLoadPlugin load\n<LoadPlugin df>\n Interval 300\n"
     "</LoadPlugin>\n", 90, 3, ["df"]),
    ("LoadPlugin snmp\n<Plugin SNMP>\n <Host \"h\">\n  Interval 40\n </Host>\n"
     "</Plugin>\n", 90, 50, []),
    ("Interval 60\nLoadPlugin load\n", 5, 5, ["load"]),
    ("Interval 1\nLoadPlugin load\n<LoadPlugin csv>\n Interval 60\n"
     "</LoadPlugin>\n", 90, 3, []),
    # Its first rate is a mean of rates.
    ("Interval 1\nLoadPlugin cpu\nLoadPlugin aggregation\n", 90, 6, []),
])
def test_how_long_it_runs(tmp_path, lines, limit_s, wait_s, late):
    _, facts = prepare(tmp_path, lines + "<LoadPlugin write_cloudwatch>\n"
                       " Interval 60\n</LoadPlugin>\n" + BLOCK, limit_s)
    assert facts["wait_s"] == wait_s
    assert list(facts["late"]) == late


def test_the_copy_may_be_read_by_its_owner_only(tmp_path):
    path = tmp_path / "user.conf"
    path.write_text(BLOCK)
    (tmp_path / "run").mkdir()
    subprocess.run([ROOT / "contrib/quickstart_dry.py", path, "--run",
                    tmp_path / "run", "--plugins", PLUGINS, "--timeout", "9"],
                   check=True, timeout=60,
                   env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    copy = tmp_path / "run/collectd.conf"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.read_text() == quickstart_dry.prepare(
        str(path), str(tmp_path / "run"), PLUGINS, 9)[0]
