"""contrib/ansible: the role by the real ansible-playbook, on a host of its own
(rollout.py), and the real collectd with what it wrote."""

import json
import re
import sys

import pytest
import yaml

from cloudwatch import Service
from rollout import (CONTRIB, ROOT, SITE, Host, published,
                     read_by_itself)
from test_examples import NAMES, uncomment

sys.path.insert(0, str(CONTRIB))
import quickstart_config  # noqa: E402

ROLES = CONTRIB / 'ansible/roles'
ROLE = ROLES / 'collectd_write_cloudwatch'
SNIPPET = '/etc/collectd/collectd.conf.d/10-write_cloudwatch.conf'
KEY = 'AKIAIOSFODNN7EXAMPLE'
SECRET = 'wJalrXUtnFEMIsecretK7MDENG'
OPTIONS = {'namespace': 'MyApp', 'region': 'eu-west-1'}
DEFAULTS = {'install': False, 'options': OPTIONS,
            'dimensions': {'Group': 'web'}}


class Playbook:
    """The role, on a host (rollout.py) that stands for one or for several: each
    has a folder of snippets of its own then."""

    def __init__(self, folder):
        self.host = Host(folder)
        self.folder = folder

    def run(self, *arguments, **variables):
        """The role with its own folder; variables are without their prefix.
        Returns what was said and {changed, failed ...}."""
        said, counts = self.run_many({'one': variables}, *arguments)
        return said, counts['one']

    def run_many(self, hosts, *arguments):
        """The same with {host: variables}."""
        told = {host: {f'collectd_write_cloudwatch_{name}': value
                       for name, value in {**DEFAULTS, **variables}.items()}
                for host, variables in hosts.items()}
        for name, text in (
                ('hosts.json', json.dumps({'all': {'hosts': told}})),
                ('site.yml', '- hosts: all\n  gather_subset: ["!all"]\n'
                             '  roles: [collectd_write_cloudwatch]\n')):
            (self.folder / name).write_text(text)
        status, said = self.host.run(
            'ansible-playbook', '-i', self.folder / 'hosts.json', '-c', 'local',
            '-e', 'ansible_python_interpreter=/usr/bin/python3', *arguments,
            self.folder / 'site.yml', cwd=self.folder, environment={
                'ANSIBLE_ROLES_PATH': str(ROLES), 'ANSIBLE_NOCOLOR': '1',
                'ANSIBLE_INVENTORY_ENABLED': 'yaml'})
        counts = {host: {name: int(n) for name, n in
                         re.findall(r'(\w+)=(\d+)', line)} for host, line in
                  re.findall(r'^(\w+) +: (ok=.*)$', said, re.M)}
        assert set(counts) == set(hosts), said
        assert (status == 0) == all(
            count['failed'] == 0 for count in counts.values()), said
        return said, counts

    def place(self, host):
        """The folder of one of several, and its snippet: on the host, and how
        we get to it."""
        folder = f'/etc/collectd/{host}'
        return folder, self.host.etc / folder[5:] / '10-write_cloudwatch.conf'

    def text(self):
        return self.host.snippets()[SNIPPET].read_text()


def good(counts):
    return counts['failed'] == 0 and counts['unreachable'] == 0


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
    said, counts = playbook.run()
    assert good(counts) and counts['changed'] == 2, said  # snippet and restart
    assert playbook.host.restarts == 1
    assert 'reload' not in playbook.host.asked
    assert list(playbook.host.snippets()) == [SNIPPET]
    state = playbook.host.snippets()[SNIPPET].stat()
    assert (state.st_mode & 0o7777, state.st_uid, state.st_gid) == (0o640, 0, 0)
    assert words(playbook.text()) == words(SITE)

    said, counts = playbook.run()
    assert good(counts) and counts['changed'] == 0, said
    assert playbook.host.restarts == 1

    files = list(playbook.host.snippets().values())
    assert published(tmp_path / 'role', files) == published(
        tmp_path / 'hand', [SITE])
    assert read_by_itself(tmp_path / 'read', files) == {
        ('MyApp', name, (('Group', 'web'),))
        for name in ('Sockets Used', 'Memory Available')}


def test_check_mode(playbook):
    """It says what would change, and changes nothing."""
    snippet = playbook.host.etc / SNIPPET[5:]
    snippet.write_text('  Namespace "Old"\n')
    said, counts = playbook.run('--check', '--diff')
    assert good(counts) and counts['changed'] == 2, said
    assert '-  Namespace "Old"\n' in said and '+  Namespace "MyApp"\n' in said
    assert playbook.text() == '  Namespace "Old"\n'
    assert playbook.host.restarts == 0


WRONG = [
    ({'flush_interval': 0}, 'FlushInterval 0: '),
    ({'namespace': 'AWS/EC2'}, 'Namespace "AWS/EC2" outside'),
    ({'use_fips': 'perhaps'}, 'UseFIPS "perhaps": is neither true nor false'),
    ({'flush_interval': 'soon'}, 'FlushInterval "soon": is no number'),
    ({'flush_intervall': 60}, 'flush_intervall is no option'),
    ({'Region': 'a', 'region': 'b'}, 'region stands twice'),
    ({'region': True}, 'put quotes around True'),
    ({'namespace': 'two\nlines'}, 'a text has a line break')]


def test_what_is_wrong_is_refused(playbook):
    """The old snippet stays, and collectd is left alone."""
    hosts = {f'wrong_{n}': {'options': options,
                            'folder': playbook.place(f'wrong_{n}')[0]}
             for n, (options, _) in enumerate(WRONG)}
    for host in hosts:
        snippet = playbook.place(host)[1]
        snippet.parent.mkdir()
        snippet.write_text('# the old one\n')
    said, counts = playbook.run_many(hosts)
    for host, (_, why) in zip(hosts, WRONG):
        assert not good(counts[host])
        (told,) = [line for line in said.splitlines()
                   if line.startswith(f'fatal: [{host}]')]
        assert why in told.replace('\\"', '"')
        snippet = playbook.place(host)[1]
        assert snippet.read_text() == '# the old one\n'
        assert list(snippet.parent.iterdir()) == [snippet]
    assert playbook.host.restarts == 0


def test_ways(playbook):
    """Each in its folder, but for RedHat's own."""
    hosts = {'redhat': {'os_family': 'RedHat'},
             'package': {'install': True, 'package': 'collectd-core'},
             'no_package': {'install': True},
             'no_restart': {'restart': False},
             'no_interval': {'interval': None, 'restart': False},
             'absent': {'state': 'absent'},
             'absent_before': {'state': 'absent'}}
    for host in hosts:
        folder, snippet = playbook.place(host)
        snippet.parent.mkdir()
        if host != 'redhat':
            hosts[host]['folder'] = folder
    gone = playbook.place('absent')[1]
    gone.write_text('# the old one\n')
    said, counts = playbook.run_many(hosts)
    assert {host: count['changed'] for host, count in counts.items()} == {
        'redhat': 3,  # the folder, the snippet, the restart
        'package': 2, 'no_package': 0, 'no_restart': 1,
        'no_interval': 1, 'absent': 2, 'absent_before': 0}, said
    assert [host for host in hosts if not good(counts[host])] == ['no_package']
    assert "'collectd-plugin-write-cloudwatch'" in said  # in no repository
    assert '/etc/collectd.d/10-write_cloudwatch.conf' in playbook.host.snippets()
    assert playbook.place('package')[1].exists()
    assert playbook.place('no_restart')[1].exists()
    assert ' Interval' not in playbook.place('no_interval')[1].read_text()
    assert not gone.exists()
    assert playbook.host.restarts == 3  # redhat, package, absent


def test_keys_are_not_shown(playbook):
    keys = {'access_key_id': KEY,
            'SecretAccessKey': SECRET}
    hosts = {'options': {'options': {**OPTIONS, **keys}},
             'nodes': {'nodes': [{'name': 'prod', **keys}]},
             'proxy': {'options': {**OPTIONS,
                                   'proxy': f'http://me:{SECRET}@127.0.0.1'}},
             'refused': {'options': {**keys, 'flush_interval': 0}}}
    for host in hosts:
        hosts[host]['folder'] = playbook.place(host)[0]
    said, counts = playbook.run_many(hosts, '-vvvv', '--diff')
    assert [good(counts[host]) for host in hosts] == [True, True, True, False]
    assert 'The snippet' in said and SECRET not in said
    for host in ('options', 'nodes', 'proxy'):
        snippet = playbook.place(host)[1]
        assert SECRET in snippet.read_text()
        assert snippet.stat().st_mode & 0o7777 == 0o640


def test_trial_leaves_no_trace(tmp_path):
    """What may be out there is neither sent to nor touched."""
    host, snippet = Host(tmp_path), tmp_path / 'snippet.conf'
    with Service(credentials={KEY: (SECRET, None)}) as service:
        (tmp_path / 'spool').mkdir()
        snippet.write_text(SITE.replace('Interval 60', 'Interval 1').replace(
            '  Namespace', f'''
  Endpoint "{service.url}"
  AccessKeyId "{KEY}"
  SecretAccessKey "{SECRET}"
  ReportStats true
  SpoolDirectory "{tmp_path}/spool"
  SpoolLimit 10
  StatusFile "{tmp_path}/status.json"
  DryRun false
  Namespace'''))
        # -T may end before anything is sent; this one reads a few times.
        (daemon := tmp_path / 'collectd').write_text(
            '#!/bin/sh\n/usr/sbin/collectd "$@" || exit\nshift\n'
            'timeout -s TERM 5 /usr/sbin/collectd -f "$@"\n'
            'test $? = 124\n')
        daemon.chmod(0o755)
        before = sorted(tmp_path.iterdir())
        status, said = host.run(
            'sh', '-c', (ROLE / 'files/trial.sh').read_text(), 'trial',
            daemon, snippet, environment={'TMPDIR': str(tmp_path)})
        assert status == 0, said
        assert service.requests == []
    assert sorted(tmp_path.iterdir()) == before
    assert list((tmp_path / 'spool').iterdir()) == []


# ---- texts and numbers -------------------------------------------------------

ODD = ['plain', 'with "quotes"', 'back\\slash', '\\', '\\"', '"', "it's", '$HOME',
       '%{host}', '#no comment', '<Plugin>', 'ä €', ' ', 'a\tb', '/^1\\.5$/', '',
       '5', 'true', 'None', 'null']
NUMBERS = [1, 0, -1.5, 9.5367431640625e-07, 1e-07, -2.5e-05, 1e22, '60', '1e-3',
           ' 7 ', '2.5E3', '+1.25e1']


def block_of(text):
    (plugin,) = [one for one in quickstart_config.parse(text, 'text')
                 if one.key == 'Plugin' and
                 one.values[0].text == 'write_cloudwatch']
    return plugin


def test_texts_and_numbers_arrive(playbook):
    """As collectd's language has them; the daemon takes them."""
    metrics = [{'name': f'text {n}', 'type_instance': text}
               for n, text in enumerate(ODD)]
    metrics += [{'name': f'number {n}', 'scale': number, 'unit': 'None'}
                for n, number in enumerate(NUMBERS)]
    said, counts = playbook.run(metrics=metrics)
    assert good(counts), said
    options = [{line.key: line.values[0] for line in one.children}
               for one in block_of(playbook.text()).children
               if one.key == 'Metric']
    texts, numbers = options[:len(ODD)], options[len(ODD):]
    assert [one['TypeInstance'].text for one in texts] == ODD
    assert {one['TypeInstance'].kind for one in texts} == {'quoted'}
    for given, one in zip(NUMBERS, numbers, strict=True):
        assert one['Scale'].kind == 'number'
        assert float(one['Scale'].text) == float(given)
        assert one['Unit'].text == 'None'


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


def number(text):
    return float(text) if '.' in text else int(text)


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
                number(value) if kind == 'number' else
                value == 'true' if kind == 'bool' else value)
    return {name: value[0] if isinstance(value, list) and len(value) == 1 and
            name not in ('metrics', 'nodes', 'dimension_sets') else value
            for name, value in found.items()}


def test_every_option(playbook):
    """The example with all of its options active, taken apart into variables,
    is the same when the role has written it; collectd takes it."""
    text = uncomment(NAMES).replace('/var/lib/collectd/', f'{playbook.folder}/')
    example = block_of(text)
    shown = set(re.findall(r'^\s*<?([A-Z]\w+)', example.source(), re.M))
    assert set(table()) <= shown
    hosts = {}
    for host, spell in (('snake', snake), ('as_is', str)):
        given = variables_of(example, spell)
        levels = {name: given.pop(name) for name in
                  ('metrics', 'nodes', 'dimensions', 'dimension_sets')}
        hosts[host] = {'options': given, 'folder': playbook.place(host)[0],
                       **levels}
    said, counts = playbook.run_many(hosts)
    for host in hosts:
        assert good(counts[host]), said
        ours = block_of(playbook.place(host)[1].read_text())
        assert words(ours.source()) == words(example.source())


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
