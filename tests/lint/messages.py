"""What the code says against what the manual explains; see messages.sh.

A sentence of the code is a text that stands where a function of FORMATS has its
format, or any other of some words.  Texts side by side are one, and macros are
put in.  A conversion such as %s or %.200s stands for any text.  Sentences are
mostly made of others, "waiting for %s: %s"; each is compared by itself.

The manual explains them in its chapter MESSAGES, in lines that begin with
"=item".  There, I<host>, or another word so marked, stands where the code has a
conversion, and "..." for anything at all.  An item of nothing but names, with
commas between, is one of codes.
"""

import collections
import fnmatch
import pathlib
import re
import sys

MANUAL = 'man/collectd-write_cloudwatch.pod'
CHAPTER = 'MESSAGES'

# Which argument is the format.
FORMATS = {'log_say': 2, 'log_state_bad': 5, 'log_state_good': 3, 'err_set': 1}

WORDS_MIN = 5  # of a text that is no format
LETTERS_MIN = 6  # of an item with "...", so that it does not fit everything

# What a text that makes no sense alone is put into, by the file and the call
# that it is an argument of; of a text that is no format also by the function or
# table that it stands in.
PROGRAM = 'profile %s: credential_process %s {}'
COMMAND_LINE = 'profile %s: credential_process: {}'
IMDS_STATUS = ('the instance metadata service at %s answered %s %s with status '
               '%d: {}')
JSON = 'not readable as JSON: {} near byte %zu of %zu'
STS_ANSWER = '%s: the answer of %s {}'
FRAMES = {
    ('src/aws/chain.c', 'fail'): 'profile "%s": {}',
    ('src/aws/chain.c', 'fail_value'): 'profile "%s": %s "%s" {}',
    ('src/aws/ini.c', 'fail'): '%s file, line %zu: {}',
    ('src/aws/sts.c', 'cred_from_object'): STS_ANSWER,
    ('src/aws/sts.c', 'cred_set'): STS_ANSWER,
    ('src/aws/sts.c', 'err_set'): STS_ANSWER,
    ('src/aws/words.c', 'err_set'): COMMAND_LINE,
    ('src/aws/words.c', 'take_kept'): COMMAND_LINE,
    ('src/aws/words.c', 'take_quoted'): COMMAND_LINE,
    ('src/base/json.c', 'check_string'): JSON,
    ('src/base/json.c', 'open_value'): JSON,
    ('src/metric/map.c', 'say'): '<Metric "%s">: {}',
    ('src/metric/record.c', 'refuse'): '%s/%s cannot be sent: {}; it is kept '
                                       'as %s',
    ('src/metric/tally.c', 'texts'): '%s {}',
    ('src/run/child.c', 'err_set'): PROGRAM,
    ('src/run/child.c', 'put_errno'): PROGRAM,
    ('src/run/http.c', 'put_reason'): 'cannot reach %s ({})',
    ('src/run/http_transfer.c', 'tls_remedies'): 'cannot reach %s (%s{}%s)',
    ('src/run/imds.c', 'meanings'): IMDS_STATUS,
    ('src/run/imds.c', 'say_status'): IMDS_STATUS,
    ('src/run/process.c', 'err_set'): PROGRAM,
    ('src/run/process.c', 'put_status'): PROGRAM,
    ('src/run/process.c', 'put_stop'): PROGRAM,
    ('src/run/source.c', 'say_none'): 'no credentials found: {}',
    ('src/run/source_profile.c', 'take_source'):
        'profile %s: credential_source %s gives none: {}',
}

# Tables of which the first column counts: the others are remedies.
FIRST_COLUMN = [
    ('src/aws/reply.c', 'rows'),
    ('src/aws/sts.c', 'rows'),
    ('src/metric/tally.c', 'texts'),
    ('src/run/http_transfer.c', 'tls_remedies'),
]

# Where codes stand, and the section that explains them.
CODES = {
    ('src/aws/reply.c', 'rows'): 'What CloudWatch answers',
    ('src/aws/sts.c', 'rows'): 'What STS answers',
    ('src/aws/sts.c', 'sts_is_skewed'): 'What STS answers',
}

# What needs no item, by file, and by call, function or table: with the reason.
MISTAKE = '''a mistake in the configuration stops the daemon; its sentence names
    block, option, value and remedy, and one item is for all of them'''
CHECKED = 'what is written and signed here has been checked before'
NAME = 'a part of a sentence, such as where credentials come from'
REMEDY = 'says itself what to do'
EXCEPT = [
    ('src/options.c', '*', MISTAKE),
    ('src/options_[arv]*.c', '*', MISTAKE),
    ('src/options_finish.c', 'apply* check_* fill finish* set* buf_*', MISTAKE),
    ('src/metric/agree.c', '*', MISTAKE),
    ('src/metric/block.c', '*', MISTAKE),
    ('src/metric/ec2.c', '*', MISTAKE),
    ('src/metric/names.c', '*', MISTAKE),
    ('src/metric/select.c', '*', MISTAKE),
    ('src/metric/tmpl.c', '*', MISTAKE),
    ('src/metric/where.c', '*', MISTAKE),
    ('src/metric/rule.c', 'compile_* rules_compile', MISTAKE),
    ('src/metric/encode_query.c', '*', CHECKED),
    ('src/metric/batch.c', 'batch_end', CHECKED),
    ('src/run/folder.c', 'folder_write', CHECKED),
    ('src/aws/container.c', 'container_url', CHECKED),
    ('src/aws/sigv4.c', 'check* collect_headers', CHECKED),
    ('src/run/source*.c', 'buf_puts buf_printf', NAME),
    ('src/run/place.c', 'take_services', NAME),
    ('src/run/profile.c', 'profile_refresh', NAME),
    ('src/run/source_process.c', 'source_process', NAME),
    ('src/run/source_profile.c', 'fail', NAME),
    ('src/metric/map.c', 'expand_value', NAME),
    ('src/aws/remedy.c', '*', REMEDY),
    ('src/aws/reply.c', 'asked bare find_row reply_hint', REMEDY),
    ('src/aws/sts.c', 'put_denied sts_put_hint', REMEDY),
    ('src/run/http_transfer.c', 'way_remedies remedy_for remedy_of_proxy',
     REMEDY),
    ('src/run/file.c', 'remedy_for', REMEDY),
]

# Calls whose texts are for the program, not for people.
NOT_SAID = ['STR', 'static_assert', 'strcmp', 'strncmp', 'strspn', 'strstr']

TOKEN = re.compile(r'''
    (?P<blank> \s+ | /\*.*?\*/ | //[^\n]* )
  | (?P<line>  ^[ \t]*\#(?:[^\\\n]|\\.)* )
  | (?P<text>  "(?:\\.|[^"\\])*" )
  | (?P<char>  '(?:\\.|[^'\\])*' )
  | (?P<word>  [A-Za-z_]\w* )
  | (?P<mark>  . )''', re.X | re.S | re.M)
MACRO = re.compile(r'^#define (\w+)[ \t]+((?:[^\\\n]|\\.)*)', re.M | re.S)
CONVERSION = re.compile(
    r'%(?!%)[-+ #0]*[\d*]*(?:\.[\d*]+)?(?:hh?|ll?|z|j)?[a-zA-Z]')
WORD = re.compile(r'''(?<!\S)[("]*[A-Za-z][A-Za-z'-]*[)",.;:?]*(?!\S)''')
ANY = '\0'  # something that is put in
JOINTS = ' ;:,'  # what joins a part to the rest of its sentence

# within: the function or table; call: what it is an argument of, at place (an
# unnamed one is that of an initializer); opened: which call of the file
Text = collections.namedtuple('Text', 'file line text within call place opened')
Item = collections.namedtuple('Item', 'line section text')


# ---- the code ----------------------------------------------------------------

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
    """The texts of a file."""
    within = before = ''
    stack = [['', 0, 0]]  # what is open: call, place, which one
    n_opened = depth = 0
    found = None
    for kind, token, line in tokens(path.read_text()):
        piece = unquote(token) if kind == 'text' else (
            named.get(token) if kind == 'word' else None)
        if piece is not None:
            found = found or [line, '']
            found[1] += piece
            continue
        if found:
            yield Text(str(path), *found, within, *stack[-1])
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


def is_format(text):
    return FORMATS.get(text.call) == text.place


def is_excepted(text):
    return text.call in NOT_SAID or any(
        fnmatch.fnmatch(text.file, file) and
        (fnmatch.fnmatch(text.within, name) or fnmatch.fnmatch(text.call, name))
        for file, names, _ in EXCEPT for name in names.split())


def put_in(form, text, n):
    """The format with a text in place of its n-th argument."""
    for match in CONVERSION.finditer(form):
        n -= match[0].count('*')
        if n == 0:
            return form[:match.start()] + text + form[match.end():]
        n -= 1
    return text


def find_frame(text):
    frame = FRAMES.get((text.file, text.call))
    if frame is None and not is_format(text):
        frame = FRAMES.get((text.file, text.within))
    return frame


def normal(text):
    text = CONVERSION.sub(ANY, text).replace('%%', '%')
    return re.sub(r'\s+', ' ', re.sub(ANY + '+', ANY, text)).strip(JOINTS)


def n_words(text):
    return len(WORD.findall(text.replace(ANY, ' ')))


def sentences(found):
    """What must be explained, as (text, sentence)."""
    forms = {(text.file, text.opened): text for text in found if is_format(text)}
    for text in found:
        if is_excepted(text) or (text.file, text.within) in FIRST_COLUMN and (
                text.place > 0):
            continue
        frame, least = find_frame(text), WORDS_MIN
        form = forms.get((text.file, text.opened))
        sentence = text.text
        if frame or is_format(text):
            least = 1
        if n_words(sentence) < least:
            continue
        if form and not is_format(text):
            sentence = put_in(form.text, sentence, text.place - form.place - 1)
        yield text, normal(frame.replace('{}', sentence) if frame else sentence)


# ---- the manual --------------------------------------------------------------

def plain(pod):
    """A line of the manual without its markup, but for I<>."""
    pod = re.sub(r'I<[^<>]*>', ANY, pod).replace('E<lt>', '\1')
    pod = pod.replace('E<gt>', '\2').replace('E<nbsp>', ' ')
    pod = re.sub(r'[BCFL]<([^<>]*)>', r'\1', pod)
    return pod.replace('\1', '<').replace('\2', '>')


def items():
    chapter = section = None
    line = 1
    for part in re.split(r'(\n\n+)', pathlib.Path(MANUAL).read_text()):
        if match := re.match(r'=head([12]) (.*)', part):
            chapter, section = (chapter, match[2]) if match[1] == '2' else (
                match[2], None)
        elif chapter == CHAPTER and re.match(r'=item\s+[^*\s]', part):
            yield Item(line, section, plain(part[len('=item'):].strip()))
        line += part.count('\n')


def codes_of(item):
    return item.text.replace(',', ' ').split() if re.fullmatch(
        r'[A-Z]\w+(,\s+[A-Z]\w+)*', item.text) else []


def pattern(item):
    """What an item stands for; None: for too much."""
    parts = re.sub(r'\s+', ' ', item.text).strip(JOINTS).split('...')
    if len(parts) > 1 and sum(map(str.isalpha, ''.join(parts))) < LETTERS_MIN:
        return None
    return re.compile('.*'.join(re.escape(part.strip(JOINTS))
                                for part in parts))


# ---- both --------------------------------------------------------------------

class Judge:
    def __init__(self):
        self.n_refused = 0

    def refuse(self, file, line, why):
        self.n_refused += 1
        print(f'messages: {file}:{line}: {why.replace(ANY, "I<>")}')

    def compare_sentences(self, said, explained):
        patterns = {item: pattern(item) for item in explained}
        used = set()
        for text, sentence in said:
            hits = [item for item, it in patterns.items()
                    if it and it.fullmatch(sentence)]
            used.update(hits)
            if not hits:
                self.refuse(text.file, text.line,
                            f'the manual lacks "{sentence}"')
        for item, it in patterns.items():
            if it is None:
                self.refuse(MANUAL, item.line, f'"{item.text}" is too little')
            elif item not in used:
                self.refuse(MANUAL, item.line, f'nothing says "{item.text}"')

    def compare_codes(self, known, explained):
        """Both are sets of (section, code)."""
        for section, code in sorted(known - explained):
            self.refuse(MANUAL, 0, f'"{section}" lacks {code}')
        for section, code in sorted(explained - known):
            self.refuse(MANUAL, 0, f'no table has {code} of "{section}"')


def main():
    paths = sorted(pathlib.Path('src').rglob('*.[ch]'))
    named = macros(paths)
    found = [text for path in paths for text in texts(path, named)]
    said = list(sentences(found))
    explained = list(items())
    known = {(CODES[text.file, text.within], text.text) for text in found
             if text.text and (text.file, text.within) in CODES and (
                 text.place == 0 or (text.file, text.within) not in FIRST_COLUMN)}
    judge = Judge()
    judge.compare_sentences(said, [i for i in explained if not codes_of(i)])
    judge.compare_codes(known, {(item.section, code) for item in explained
                                for code in codes_of(item)})
    if not said or not known:
        judge.refuse('src', 0, 'nothing to look at')
    print(f'messages: {len(said)} sentences, {len(known)} codes, '
          f'{len(explained)} items')
    return 1 if judge.n_refused else 0


sys.exit(main())
