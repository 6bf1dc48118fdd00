"""What the code says against what the manual explains; see messages.sh.

A sentence of the code is a text that stands where a function of FORMATS has its
format, or any other of two words or more.  Texts side by side are one, and
macros are put in; what a macro does with a text counts as well.  A conversion
such as %s or %.200s stands for any text.  Sentences are mostly made of others,
"waiting for %s: %s"; each is compared by itself.

A mistake in the configuration has no item of its own: it is refused unless it
says itself what to do.

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

from c_texts import macros, texts

MANUAL = 'man/collectd-write_cloudwatch.pod'
CHAPTER = 'MESSAGES'

# Which argument is the format.
FORMATS = {'log_say': 2, 'log_state_bad': 5, 'log_state_good': 3,
           'log_state_event': 4, 'err_set': 1, 'plugin_log': 1, 'ERROR': 0,
           'WARNING': 0, 'NOTICE': 0, 'INFO': 0, 'DEBUG': 0}
PARTS = ['buf_printf']  # its formats are mostly parts, and no sentences

WORDS_MIN = 2  # of a text that is no format
WORDS_IN = 5  # of one that a format has put in
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

# What needs no item, by file, and by function or table, or by the call that it
# is an argument of, with "(": with the reason.
MISTAKE = '''a mistake in the configuration stops the daemon; its sentence names
    block, option, value and remedy, and one item is for all of them'''
NAME = 'a part of a sentence, such as where credentials come from'
REMEDY = 'says itself what to do'
EXCEPT = [
    ('src/metric/where.c', 'refuse_dimension', NAME),
    ('src/aws/fault.c', 'cut_signed', NAME),
    ('src/options.c', '*', MISTAKE),
    ('src/options_[arv]*.c', '*', MISTAKE),
    ('src/options_finish.c', 'apply* check_* fill finish* set* share_*',
     MISTAKE),
    ('src/metric/agree.c', '*', MISTAKE),
    ('src/metric/block.c', '*', MISTAKE),
    ('src/metric/ec2.c', '*', MISTAKE),
    ('src/metric/names.c', '*', MISTAKE),
    ('src/metric/select.c', '*', MISTAKE),
    ('src/metric/tmpl.c', '*', MISTAKE),
    ('src/metric/where.c', '*', MISTAKE),
    ('src/metric/rule.c', 'compile_* rules_compile', MISTAKE),
    ('src/run/source*.c', 'buf_puts( buf_printf(', NAME),
    ('src/run/place.c', 'take_services', NAME),
    ('src/run/profile.c', 'profile_refresh', NAME),
    ('src/run/source_process.c', 'source_process', NAME),
    ('src/run/source_profile.c', 'fail', NAME),
    ('src/run/place.c', 'take_profile', NAME),
    ('src/run/folder.c', 'say(', NAME),
    ('src/run/identity.c', 'put_unanswered', NAME),
    ('src/run/process.c', 'put_said', NAME),
    ('src/run/settle.c', 'request_id', NAME),
    ('src/aws/cred.c', 'check(', NAME),
    ('src/aws/cred_json.c', 'STR(', NAME),
    ('src/aws/role.c', 'check_name(', NAME),
    ('src/metric/map.c', 'expand( expand_value', NAME),
    ('src/metric/explain.c', 'put_list put_unmatched', NAME),
    ('src/run/file.c', 'file_explain(', NAME),
    ('src/aws/remedy.c', 'remedy_* sentences policies', REMEDY),
    ('src/aws/reply.c', 'asked bare find_row reply_hint', REMEDY),
    ('src/aws/sts.c', 'put_denied sts_put_hint', REMEDY),
    ('src/run/http_transfer.c', 'way_remedies remedy_for remedy_of_proxy',
     REMEDY),
    ('src/run/file.c', 'remedy_for', REMEDY),
]

# Calls whose texts are for the program, not for people.
NOT_SAID = ['static_assert', 'strcmp', 'strncmp', 'strspn', 'strstr']

CONVERSION = re.compile(
    r'%(?!%)[-+ #0]*[\d*]*(?:\.[\d*]+)?(?:hh?|ll?|z|j)?[a-zA-Z]')
WORD = re.compile(r'''(?<!\S)[("]*[A-Za-z][A-Za-z'-]*[)",.;:?]*(?!\S)''')
PRINTS = re.compile(r'\b(\w+)\([^;{}]*?\)\s*'
                    r'__attribute__\(\(format\(printf, (\d+), [1-9]')
# How a sentence says what to do, and what a remedy may name.
DOES = re.compile(
    r'\b(add|choose|define|did you mean|enable|give|keep|known are|leave|let|look|'
    r'lists|move|name fewer|needs? exactly|out of memory|put|remove|rename|repair|'
    r'see|write)\b|^[^a-z]*$|%s$')
OPTION = re.compile(r"\b[A-Z][a-z]+[A-Z]\w*|\b[A-Z]{2,}[a-z]\w*")
NAMES = ['CloudWatch', 'PutMetricData', 'SELinux', 'AssumeRole',
         'AssumeRoleWithWebIdentity']
TERM = re.compile(r'[A-Z]\w*')  # put in: "PUT", "EcsContainer"
ANY = '\0'  # something that is put in
JOINTS = ' ;:,'  # what joins a part to the rest of its sentence

Item = collections.namedtuple('Item', 'line section text')


# ---- the code ----------------------------------------------------------------

def is_format(text):
    return FORMATS.get(text.call) == text.place


def fits(text, file, name):
    return fnmatch.fnmatch(text.file, file) and (
        fnmatch.fnmatch(text.within, name) or
        fnmatch.fnmatch(text.call + '(', name))


def exception_of(text):
    """Why a text needs no item; None: it does."""
    if text.call in NOT_SAID:
        return NOT_SAID
    if (text.file, text.within) in FIRST_COLUMN and text.place > 0:
        return REMEDY
    return next((why for file, names, why in EXCEPT if any(
        fits(text, file, name) for name in names.split())), None)


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
        if exception_of(text) is not None:
            continue
        form = forms.get((text.file, text.opened))
        frame, least = find_frame(text), WORDS_IN if form else WORDS_MIN
        sentence = text.text
        if frame or is_format(text):
            least = 1
        if n_words(sentence) < least or (
                not is_format(text) and TERM.fullmatch(sentence)):
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
    whole = '.*'.join(map(re.escape, parts))
    # Behind "...: ..." there may be nothing.
    return re.compile(re.sub(rf'((?:[{JOINTS}]|\\ )+\.\*)$', r'(?:\1)?', whole))


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


def check_formats(judge, paths):
    """Whoever prints is known here, so that nobody says what is not seen."""
    for path in paths:
        for name, at in PRINTS.findall(path.read_text()):
            if name not in PARTS and FORMATS.get(name) != int(at) - 1:
                judge.refuse(path, 0, f'{name}() prints: FORMATS lacks it')


def check_remedies(judge, found, options):
    for text in found:
        why = exception_of(text)
        if why is MISTAKE and is_format(text) and n_words(text.text) > 0 and (
                not DOES.search(text.text)):
            judge.refuse(text.file, text.line,
                         f'no remedy in "{normal(text.text)}"')
        for name in OPTION.findall(text.text) if why is REMEDY else ():
            if name not in options and name not in NAMES:
                judge.refuse(text.file, text.line,
                             f'{name}, which is no option, in "{text.text}"')


def check_exceptions(judge, found):
    """An exception that nothing needs would let something new pass."""
    here = 'tests/lint/messages.py'
    for file, names, _ in EXCEPT:
        for name in names.split():
            if not any(fits(text, file, name) for text in found):
                judge.refuse(here, 0, f'no text of {file} needs {name}')
    frames = {(text.file, name) for text in found
              for name in (text.call, text.within)}
    for file, name in {*FRAMES, *FIRST_COLUMN, *CODES} - frames:
        judge.refuse(here, 0, f'no text of {file} is of {name}')


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
    check_formats(judge, paths)
    check_exceptions(judge, found)
    check_remedies(judge, found, set(re.findall(
        r'^=item B<(\w+)>', pathlib.Path(MANUAL).read_text(), re.M)))
    judge.compare_sentences(said, [i for i in explained if not codes_of(i)])
    judge.compare_codes(known, {(item.section, code) for item in explained
                                for code in codes_of(item)})
    if not said or not known:
        judge.refuse('src', 0, 'nothing to look at')
    print(f'messages: {len(said)} sentences, {len(known)} codes, '
          f'{len(explained)} items')
    return 1 if judge.n_refused else 0


sys.exit(main())
