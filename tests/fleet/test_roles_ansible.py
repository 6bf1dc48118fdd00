"""contrib/ansible: the role by the real ansible-playbook, on a host of its own
(rollout.py), and the real collectd with what it wrote."""

import json
import re
import sys

import pytest
import yaml

from rollout import CONTRIB, ROOT, SITE, Host, published

sys.path.insert(0, str(CONTRIB))
import quickstart_config  # noqa: E402

ROLES = CONTRIB / 'ansible/roles'
ROLE = ROLES / 'collectd_write_cloudwatch'
SNIPPET = '/etc/collectd/collectd.conf.d/10-write_cloudwatch.conf'
SECRET = 'wJalrXUtnFEMIsecretK7MDENG'
OPTIONS = {'namespace': 'MyApp', 'region': 'eu-west-1'}


class Playbook:
    """The role on a host.

    variables  of the role, without their prefix
    """

    def __init__(self, folder, **variables):
        self.host = Host(folder)
        self.folder = folder
        self.variables = {'install': False, 'options': OPTIONS,
                          'dimensions': {'Group': 'web'}, **variables}

    def run(self, *arguments, **variables):
        """Returns (whether it went well, what was said, {ok, changed ...})."""
        told = {f'collectd_write_cloudwatch_{name}': value for name, value in
                {**self.variables, **variables}.items()}
        (self.folder / 'vars.json').write_text(json.dumps(told))
        (self.folder / 'site.yml').write_text(
            '- hosts: all\n  gather_subset: ["!all"]\n'
            '  roles: [collectd_write_cloudwatch]\n')
        status, said = self.host.run(
            'ansible-playbook', '-i', 'localhost,', '-c', 'local',
            '-e', 'ansible_python_interpreter=/usr/bin/python3',
            '-e', f'@{self.folder}/vars.json', *arguments,
            self.folder / 'site.yml', cwd=self.folder, environment={
                'ANSIBLE_ROLES_PATH': str(ROLES), 'ANSIBLE_NOCOLOR': '1',
                'ANSIBLE_NOCOWS': '1'})
        counts = re.search(r'^localhost +: (.*)$', said, re.M)
        assert counts, said
        counts = {name: int(n) for name, n in
                  re.findall(r'(\w+)=(\d+)', counts[1])}
        assert (status == 0) == (counts['failed'] == 0), said
        return status == 0, said, counts

    def text(self):
        return self.host.snippets()[SNIPPET].read_text()


@pytest.fixture
def playbook(tmp_path):
    return Playbook(tmp_path)


def words(text):
    """A configuration without comments, spaces and order: options with their
    values, blocks with what is in them."""
    def of(statements):
        return sorted(
            (str(one.key), [(value.kind, value.text) for value in one.values],
             of(one.children or [])) for one in statements
            if one.key is not None)
    return of(quickstart_config.parse(text, 'text'))


# ---- a rollout ---------------------------------------------------------------

def test_once_and_again(playbook, tmp_path):
    good, said, counts = playbook.run()
    assert good, said
    assert counts['changed'] == 2  # the snippet, the restart
    assert playbook.host.restarts == 1
    assert 'reload' not in playbook.host.asked
    assert list(playbook.host.snippets()) == [SNIPPET]
    state = playbook.host.snippets()[SNIPPET].stat()
    assert (state.st_mode & 0o7777, state.st_uid, state.st_gid) == (0o640, 0, 0)
    assert words(playbook.text()) == words(SITE)

    good, said, counts = playbook.run()
    assert good and counts['changed'] == 0, said
    assert playbook.host.restarts == 1

    ours, read = published(tmp_path / 'role', playbook.host.snippets().values())
    assert (ours, read) == published(tmp_path / 'hand', [SITE])
    assert read == {('MyApp', name, (('Group', 'web'),))
                    for name in ('Sockets Used', 'Memory Available')}


def test_check_mode(playbook):
    """It says what would change, and changes nothing."""
    good, said, counts = playbook.run('--check', '--diff')
    assert good and counts['changed'] == 2, said
    assert '+  Namespace "MyApp"' in said
    assert playbook.host.snippets() == {}
    assert playbook.host.restarts == 0

    playbook.run()
    before = playbook.text()
    good, said, counts = playbook.run(
        '--check', '--diff', options={**OPTIONS, 'namespace': 'Other'})
    assert good and counts['changed'] == 2, said
    assert '-  Namespace "MyApp"\n+  Namespace "Other"' in said
    assert playbook.text() == before
    assert playbook.host.restarts == 1


@pytest.mark.parametrize('wrong, why', [
    ({'region': 'eu-west-1', 'flush_interval': 0}, 'FlushInterval 0: '),
    ({'namespace': 'AWS/EC2'}, 'Namespace "AWS/EC2" outside'),
    ({'use_fips': 'perhaps'}, 'UseFIPS "perhaps": is neither true nor false'),
    ({'flush_interval': 'soon'}, 'is no number'),
    ({'flush_intervall': 60}, 'flush_intervall is no option'),
    ({'Region': 'a', 'region': 'b'}, 'region stands twice'),
    ({'region': True}, 'put quotes around True'),
    ({'namespace': 'two\nlines'}, 'line break')])
def test_what_is_wrong_is_refused(playbook, wrong, why):
    """The old snippet stays, and collectd is left alone."""
    if not (ours := playbook.host.etc / SNIPPET[5:]).exists():
        ours.write_text('# the old one\n')
    good, said, _ = playbook.run(options=wrong)
    assert not good
    assert why in said.replace('\\"', '"')
    assert playbook.text() == '# the old one\n'
    assert list(playbook.host.snippets()) == [SNIPPET]
    assert playbook.host.restarts == 0


def test_redhat(playbook):
    (playbook.host.etc / 'collectd.d').mkdir()
    good, said, _ = playbook.run(os_family='RedHat')
    assert good, said
    assert list(playbook.host.snippets()) == [
        '/etc/collectd.d/10-write_cloudwatch.conf']


def test_package(playbook):
    """One that is there is left as it is."""
    good, said, counts = playbook.run(install=True, package='collectd-core')
    assert good and counts['changed'] == 2, said
    good, said, _ = playbook.run('--check', install=True)
    assert not good  # no repository has it
    assert 'collectd-plugin-write-cloudwatch' in said


def test_absent(playbook):
    playbook.run()
    good, said, counts = playbook.run(state='absent')
    assert good and counts['changed'] == 2, said
    assert playbook.host.snippets() == {} and playbook.host.restarts == 2
    good, said, counts = playbook.run(state='absent')
    assert good and counts['changed'] == 0, said


def test_no_restart(playbook):
    good, said, counts = playbook.run(restart=False)
    assert good and counts['changed'] == 1, said
    assert playbook.host.restarts == 0


@pytest.mark.parametrize('where', ['options', 'nodes'])
def test_keys_are_not_shown(playbook, where):
    keys = {'access_key_id': 'AKIAIOSFODNN7EXAMPLE',
            'secret_access_key': SECRET}
    given = {'options': {**OPTIONS, **keys} if where == 'options' else OPTIONS,
             'nodes': [{'name': 'prod', **keys}] if where == 'nodes' else []}
    for arguments, change in (((), {}), (('--check',), {'namespace': 'Other'}),
                              ((), {'flush_interval': 0})):
        given['options'] = {**given['options'], **change}
        good, said, _ = playbook.run('-vvvv', '--diff', *arguments, **given)
        assert good == ('flush_interval' not in change)
        assert 'The snippet' in said
        assert SECRET not in said
    assert f'SecretAccessKey "{SECRET}"' in playbook.text()
    state = playbook.host.snippets()[SNIPPET].stat()
    assert state.st_mode & 0o7777 == 0o640


# ---- texts and numbers -------------------------------------------------------

ODD = ['plain', 'with "quotes"', 'back\\slash', '\\', '\\"', '"', "it's", '$HOME',
       '%{host}', '#no comment', '<Plugin>', '{{ 1 }}'[1:-1], 'ä €', ' ', 'a\tb',
       '/^1\\.5$/', '', '5', 'true']
NUMBERS = {1: '1', 0: '0', -1.5: '-1.5', 9.5367431640625e-07:
           '0.00000095367431640625', 1e-07: '0.00000010', -2.5e-05: '-0.000025',
           1e22: '10000000000000000000000', 1.5e300: None, '60': '60',
           '1e-3': '0.001', ' 7 ': '7', '2.5E3': '2500', '+1.25e1': '12.5'}


def test_texts_and_numbers_arrive(playbook):
    """As collectd's language has them, and not changed by a second run."""
    metrics = [{'name': f'%{{type_instance}} {number}', 'type_instance': text}
               for number, text in enumerate(ODD)]
    metrics += [{'name': f'scaled {i}', 'scale': number, 'unit': 'None'}
                for i, number in enumerate(NUMBERS)]
    good, said, _ = playbook.run(metrics=metrics)
    assert good, said
    (plugin,) = [one for one in quickstart_config.parse(playbook.text(), 'x')
                 if one.key == 'Plugin' and one.values[0].text ==
                 'write_cloudwatch']
    options = [{line.key: line.values[0] for line in one.children}
               for one in plugin.children if one.key == 'Metric']
    texts, numbers = options[:len(ODD)], options[len(ODD):]
    assert [one['TypeInstance'].text for one in texts] == ODD
    assert {one['TypeInstance'].kind for one in texts} == {'quoted'}
    for given, one in zip(NUMBERS, numbers):
        assert one['Scale'].kind == 'number'
        assert float(one['Scale'].text) == float(given)
        assert 'e' not in one['Scale'].text.lower()


# ---- every option ------------------------------------------------------------

def table():
    """{name: its row} of the plugin's own table."""
    source = (ROOT / 'src/options.c').read_text()
    body = re.search(r'struct option table\[\] = \{(.*?)\n\};', source, re.S)[1]
    rows = re.findall(r'^    \{"(\w+)"(.*?)(?=^    \{"|\Z)', body, re.S | re.M)
    return dict(rows)


def test_lists_are_the_table():
    rows = table()
    assert len(rows) > 50
    lists = yaml.safe_load((ROLE / 'vars/main.yml').read_text())
    for name, mark in (('options', ''), ('numbers', '.kind = NUMBER'),
                       ('truths', '.kind = TRUTH'),
                       ('secrets', '.secret = true')):
        assert lists[f'collectd_write_cloudwatch__{name}'] == [
            option for option, row in rows.items() if mark in row], name


def snake(name):
    """UseFIPS is use_fips."""
    return re.sub(r'(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])', '_',
                  name).lower()


def variables_of(block, spell):
    """A <Plugin> block of collectd's language as variables of the role."""
    found = {}
    for line in block.children:
        if line.children is not None:
            found.setdefault(f'{line.key.lower()}s', []).append(
                {'name': line.values[0].text, **variables_of(line, spell)})
        elif line.key == 'Dimension':
            found.setdefault('dimensions', {})[
                line.values[0].text] = line.values[1].text
        elif line.key == 'DimensionSet':
            found.setdefault('dimension_sets', []).append(
                [value.text for value in line.values if value.text])
        else:
            value = line.values[0].text
            kind = line.values[0].kind
            found.setdefault(spell(line.key), []).append(
                float(value) if kind == 'number' else
                value == 'true' if kind == 'bool' else value)
    return {name: value[0] if isinstance(value, list) and len(value) == 1 and
            name not in ('metrics', 'nodes', 'dimension_sets') else value
            for name, value in found.items()}


@pytest.mark.parametrize('spell', [snake, str], ids=['snake', 'as_is'])
def test_every_option(playbook, spell):
    """The example with all of its options active, taken apart into variables,
    is the same when the role has written it; collectd takes it."""
    from test_examples import NAMES, uncomment
    text = re.sub('/var/lib/collectd/', f'{playbook.folder}/', uncomment(NAMES))
    (plugin,) = [one for one in quickstart_config.parse(text, 'example')
                 if one.key == 'Plugin' and
                 one.values[0].text == 'write_cloudwatch']
    shown = set(re.findall(r'^\s*<?([A-Z]\w+)', plugin.source(), re.M))
    assert set(table()) <= shown
    given = variables_of(plugin, spell)
    levels = {name: given.pop(name, []) for name in
              ('metrics', 'nodes', 'dimensions', 'dimension_sets')}
    good, said, _ = playbook.run(options=given, **levels)
    assert good, said
    (ours,) = [one for one in quickstart_config.parse(playbook.text(), 'ours')
               if one.key == 'Plugin' and
               one.values[0].text == 'write_cloudwatch']
    assert plain(words(ours.source())) == plain(words(plugin.source()))


def plain(blocks):
    """Numbers as numbers: 60.0 is 60."""
    return [(key, [(kind, float(text) if kind == 'number' else text)
                   for kind, text in values], plain(children))
            for key, values, children in blocks]


# ---- what the role says of itself ---------------------------------------------

def test_variables_are_described():
    """defaults, specification and README have the same variables."""
    defaults = yaml.safe_load((ROLE / 'defaults/main.yml').read_text())
    specs = yaml.safe_load((ROLE / 'meta/argument_specs.yml').read_text())
    options = specs['argument_specs']['main']['options']
    assert set(options) == set(defaults)
    for name, option in options.items():
        if 'default' in option:
            assert option['default'] == defaults[name], name
    readme = (ROLE / 'README.md').read_text()
    assert set(re.findall(r'collectd_write_cloudwatch_[a-z]\w*', readme)) == set(
        defaults)
