"""collectd's configuration language, read as the daemon reads it (liboconfig's
scanner and parser, and the includes of daemon/configfile.c): for
contrib/quickstart --config, which changes some lines of a configuration and
keeps all others byte for byte.

    read_all(path)    the statements of a file and of all that it includes
    source(list)      their text again

Text is one character a byte (latin-1), so that any file can be written back.
"""

import fnmatch
import glob
import math
import os
import re
import shlex

DEPTH_MAX = 8  # of includes, as in the daemon
SIZE_MAX = 16 << 20  # bytes of one file


HEX_MAX = 100  # characters of a number
DECIMAL = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"


class ConfigError(Exception):
    """What the daemon would not take, as a sentence."""


class Filtered(ConfigError):
    """A file that the Filter of its <Include> does not take."""


class Value:
    """kind: quoted, word, number or bool; text without quotes and escapes."""

    def __init__(self, kind, text):
        self.kind = kind
        self.text = text

    @property
    def is_text(self):
        return self.kind in ("quoted", "word")


class Statement:
    """An option, a block (children is a list), or (key None) what follows the
    last statement of a file.

    before  the comments and empty lines above it
    text    its line; of a block the line of its beginning
    end     of a block, the line of its end and the comments above that
    """

    def __init__(self, file, line, before, text, key=None, values=()):
        self.file = file
        self.line = line
        self.before = before
        self.text = text
        self.key = key
        self.values = list(values)
        self.children = None
        self.end = ""

    def named(self, key, name=None):
        """Whether it is that option or block, with that one argument.  Names
        compare without case."""
        if self.key is None or self.key.lower() != key.lower():
            return False
        return name is None or (self.argument or "").lower() == name.lower()

    @property
    def argument(self):
        """Its first argument, if that is a text, or None."""
        if self.values and self.values[0].is_text:
            return self.values[0].text
        return None

    @property
    def number(self):
        """Its only argument as a number, quoted or not, or None."""
        if len(self.values) != 1:
            return None
        text = self.values[0].text
        if re.fullmatch("0[xX][0-9A-Fa-f]+", text):
            return float(int(text, 16)) if len(text) < HEX_MAX else None
        found = float(text) if re.fullmatch(DECIMAL, text) else math.inf
        return found if math.isfinite(found) else None

    @property
    def where(self):
        return "%s, line %d" % (self.file, self.line)

    def source(self):
        return self.before + self.text + source(self.children or ()) + self.end


def source(statements):
    return "".join(statement.source() for statement in statements)


# --- words --------------------------------------------------------------------

# The longest match wins, of equal ones the first; a byte that begins none is
# skipped, as the daemon does (it prints it).
RULES = [(kind, re.compile(pattern, re.DOTALL)) for kind, pattern in (
    ("space", r"[ \t\b]+|#[^\n]*|\\\r?\n"),
    ("end", r"\r?\n"),
    ("/", "/"),
    ("<", "<"),
    (">", ">"),
    ("bool", "true|yes|on|false|no|off"),
    ("word", r"(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?"
           r"|\[?[0-9A-Fa-f]*::?[0-9A-Fa-f]*:[0-9A-Fa-f:.]*\]?(?::\d{1,5})?"),
    ("number", r"[+-]?[0-9]*\.[0-9]+(?:[eE][+-][0-9]+)?"
               r"|0[xX][0-9A-Fa-f]+|[+-]?[0-9]+"),
    ("quoted", r'"(?:[^\\"]|\\\r\n|\\.)*"'),
    ("open", r'"(?:[^\\"]|\\.)*\\\r?\n'),
    ("word", "[0-9A-Za-z_]+"))]


def tokens(text):
    """(kind, text, start, end) of each word and each end of a line."""
    at = 0
    while at < len(text):
        longest, kind = max(
            ((rule.match(text, at), kind) for kind, rule in RULES),
            key=lambda found: found[0].end() if found[0] else -1)
        if longest is None:
            at += 1
            continue
        if kind != "space":
            yield kind, longest.group(), at, longest.end()
        at = longest.end()


def value_of(kind, text):
    if kind == "quoted":
        # A backslash at the end of a line joins it to the next one.
        text = re.sub(r"\\\r?\n[ \t\b]*", "", text[1:-1])
        text = re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
    return Value(kind, text)


# --- statements ---------------------------------------------------------------

VALUES = ("bool", "number", "quoted", "word")
BEGINNINGS = {"quoted": "a text in quotes", "open": "a text in quotes"}
BLOCKS_MAX = 100  # inside one another
UNQUOTED = "a text with other characters than letters, digits and _ needs quotes"


def statement_of(words, file, line):
    """(key, values, kind) of the words of one line; kind is option, begin or
    end."""
    kinds = [word[0] for word in words]
    kind, first = "option", 0
    if kinds[0] == "<":
        kind, first = ("end", 2) if kinds[1:2] == ["/"] else ("begin", 1)
        if kinds[-1] != ">" or len(kinds) < first + 2:
            raise ConfigError('%s, line %d: the line of a block is "<Name ...>" '
                              'or "</Name>" and nothing else' % (file, line))
        words, kinds = words[:-1], kinds[:-1]
    if kinds[first] != "word":
        # Not the text of quotes, which may be a secret.
        raise ConfigError("%s, line %d: it begins with %s, which is no name of "
                          "an option" % (file, line, BEGINNINGS.get(
                              kinds[first], '"%s"' % words[first][1])))
    rest = words[first + 1:]
    for word in rest:
        if word[0] == "open":
            raise ConfigError("%s, line %d: a text in quotes has no end"
                              % (file, line))
        if word[0] not in VALUES:
            raise ConfigError('%s, line %d: "%s" cannot stand there: %s'
                              % (file, line, word[1], UNQUOTED))
    name = words[first][1]
    if kind == "option" and not rest:
        raise ConfigError("%s, line %d: %s has no value" % (file, line, name))
    if kind == "end" and rest:
        raise ConfigError("%s, line %d: </%s> has no argument"
                          % (file, line, name))
    return name, [value_of(word[0], word[1]) for word in rest], kind


def parse(text, file):
    """The statements of one file."""
    root, blocks, words, begin = [], [], [], 0
    line, counted = 1, 0  # at that place
    for kind, word, start, end in tokens(text):
        if kind != "end":
            words.append((kind, word, start))
            continue
        if not words:
            continue
        first = words[0][2]
        line, counted = line + text.count("\n", counted, first), first
        key, values, kind = statement_of(words, file, line)
        if kind == "end":
            if not blocks or blocks[-1].key != key:
                raise ConfigError(
                    "%s, line %d: </%s> ends no block; %s" % (
                        file, line, key, "<%s> of line %d is open" % (
                            blocks[-1].key, blocks[-1].line)
                        if blocks else "none is open"))
            blocks.pop().end = text[begin:end]
        else:
            one = Statement(file, line, text[begin:first], text[first:end],
                            key, values)
            (blocks[-1].children if blocks else root).append(one)
            if kind == "begin":
                one.children = []
                blocks.append(one)
                if len(blocks) > BLOCKS_MAX:
                    raise ConfigError("%s: too many blocks inside one another"
                                      % one.where)
        words, begin = [], end
    if words:
        raise ConfigError("%s: the last line has no end: add a newline" % file)
    if blocks:
        raise ConfigError("%s, line %d: <%s> has no </%s>" % (
            file, blocks[-1].line, blocks[-1].key, blocks[-1].key))
    if text[begin:]:
        rest = text[begin:]
        if not rest.endswith("\n"):
            rest += "\n"  # a comment; others may follow it
        root.append(Statement(file, text.count("\n") + 1, rest, ""))
    return root


# --- files --------------------------------------------------------------------

def expand(pattern):
    """The paths that an Include means: those of a shell, in bytewise order.
    One that matches nothing stands for itself."""
    if re.search(r"[|&;<>(){}`\n]|\$\(", pattern):
        raise ConfigError('Include "%s" cannot be expanded' % pattern)
    try:
        words = shlex.split(pattern)
    except ValueError:
        raise ConfigError('Include "%s" has a quote without end' % pattern)
    paths = []
    for word in words:
        word = os.path.expanduser(os.path.expandvars(word))
        paths += glob.glob(word) or [word]
    return sorted(paths, key=os.fsencode)


class Reader:
    """Files and folders, in the daemon's order.

    files    that were read
    skipped  sentences: of files in included folders that the daemon would
             leave out with no more than a line on its standard error, and of
             paths that are not there
    """

    def __init__(self):
        self.files = []
        self.skipped = []

    def read_file(self, path, pattern, depth):
        if pattern and not fnmatch.fnmatchcase(os.path.basename(path), pattern):
            raise Filtered('%s does not match the Filter "%s", which collectd '
                           "takes from folders only: it does not start"
                           % (path, pattern))
        try:
            with open(path, encoding="latin-1", newline="") as file:
                text = file.read(SIZE_MAX + 1)
        except OSError as error:
            raise ConfigError("%s cannot be read: %s" % (path, error.strerror))
        if len(text) > SIZE_MAX:
            raise ConfigError("%s is too large to be a configuration" % path)
        statements = parse(text, path)
        self.files.append(path)
        found = []
        for statement in statements:
            if statement.named("Include"):
                found += self.include(statement, depth)
            else:
                found.append(statement)
        return found

    def include(self, statement, depth):
        if len(statement.values) != 1 or statement.argument is None:
            raise ConfigError("%s: Include needs exactly one text"
                              % statement.where)
        pattern = None
        for child in statement.children or ():
            if child.named("Filter") and len(child.values) == 1:
                pattern = child.argument or pattern
        try:
            return self.read_any(statement.argument, pattern, depth + 1)
        except ConfigError as error:
            raise ConfigError("%s (included by %s)" % (error, statement.where))

    def read_folder(self, path, pattern, depth):
        try:
            names = [name for name in os.listdir(path) if name[0] != "."]
        except OSError as error:
            raise ConfigError("%s cannot be read: %s" % (path, error.strerror))
        found = []
        for name in sorted(names, key=os.fsencode):
            n_files = len(self.files)
            try:
                # The daemon expands wildcards in these names, too.
                found += self.read_any("%s/%s" % (path, name), pattern, depth)
            except Filtered:
                pass
            except ConfigError as error:
                del self.files[n_files:]
                self.skipped.append(str(error))
        return found

    def read_any(self, pattern, filter_, depth):
        if depth >= DEPTH_MAX:
            raise ConfigError('"%s" is included too deep: %d files inside one '
                              "another are the most" % (pattern, DEPTH_MAX))
        found = []
        for path in expand(pattern):
            if os.path.isfile(path):
                found += self.read_file(path, filter_, depth)
            elif os.path.isdir(path):
                found += self.read_folder(path, filter_, depth)
            else:
                self.skipped.append("%s is neither a file nor a folder" % path)
        return found


def read_all(path):
    """(statements, Reader) of a file and of all that it includes."""
    reader = Reader()
    if not os.path.isfile(path):
        raise ConfigError("there is no file %s" % path)
    return reader.read_file(path, None, 0), reader
