"""The texts in C code, and where each stands."""

import collections
import re

TOKEN = re.compile(r'''
    (?P<blank> \s+ | /\*.*?\*/ | //[^\n]* )
  | (?P<line>  ^[ \t]*\#(?:[^\\\n]|\\.)* )
  | (?P<text>  "(?:\\.|[^"\\])*" )
  | (?P<char>  '(?:\\.|[^'\\])*' )
  | (?P<word>  [A-Za-z_]\w* )
  | (?P<mark>  . )''', re.X | re.S | re.M)
MACRO = re.compile(r'^#define (\w+)[ \t]+((?:[^\\\n]|\\.)*)', re.M | re.S)
CODE = re.compile(r'#define (\w+)(?:\([^)]*\))?((?:[^\\\n]|\\.)*)', re.S)

# within: the function or table; call: what it is an argument of, at place (an
# unnamed one is that of an initializer); opened: which call of the file
Text = collections.namedtuple('Text', 'file line text within call place opened')


def unquote(text):
    return re.sub(r'\\(.)', lambda m: {'n': '\n', 't': '\t'}.get(m[1], m[1]),
                  text[1:-1])


def tokens(code):
    line = 1
    for match in TOKEN.finditer(code):
        if match.lastgroup != 'blank':
            yield match.lastgroup, match[0], line
        line += match[0].count('\n')


def macros(paths):
    """The texts that have a name, which may stand in one another."""
    bodies = {}
    for path in paths:
        for name, body in MACRO.findall(path.read_text()):
            bodies[name] = list(tokens(body.replace('\\\n', ' ')))

    def expand(name, depth):
        pieces = [unquote(text) if kind == 'text' else
                  expand(text, depth - 1) if kind == 'word' and depth else None
                  for kind, text, _ in bodies.get(name, [])]
        return ''.join(pieces) if pieces and None not in pieces else None

    return {name: text for name in bodies if (text := expand(name, 5))}


def texts(path, named):
    """The texts of a file, those in the code of its macros included."""
    code = path.read_text()
    for kind, token, line in tokens(code):
        match = kind == 'line' and CODE.match(token)
        if match and match[1] not in named:
            body = match[2].replace('\\\n', ' ')
            for text in texts_of(str(path), body, named):
                yield text._replace(line=line, within=match[1],
                                    opened=(line, text.opened))
    yield from texts_of(str(path), code, named)


def texts_of(file, code, named):
    within = before = ''
    stack = [['', 0, 0]]  # what is open: call, place, which one
    n_opened = depth = 0
    found = None
    for kind, token, line in (*tokens(code), ('mark', ';', 0)):
        piece = unquote(token) if kind == 'text' else (
            named.get(token) if kind == 'word' else None)
        if piece is not None:
            found = found or [line, '']
            found[1] += piece
            continue
        if found:
            yield Text(file, *found, within, *stack[-1])
            found = None
        if depth == 0 and token in '([=' and before:
            within = before
        if token in '({':
            n_opened += 1
            stack.append([before if token == '(' else '', 0, n_opened])
        elif token in ')}' and len(stack) > 1:
            stack.pop()
        elif token == ',':
            stack[-1][1] += 1
        depth += (token == '{') - (token == '}')
        before = token if kind == 'word' else ''
