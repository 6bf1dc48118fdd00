"""contrib/puppet, chef and salt, and the habits of common roles (renderers.py):
whatever writes the file, collectd publishes the same as with the one that was
written by hand."""

import functools

import pytest
import yaml

import renderers
from rollout import CONTRIB, SITE, Host, published

READERS = ('LoadPlugin memory\nLoadPlugin tcpconns\n<Plugin tcpconns>\n'
           '  AllPortsSummary true\n</Plugin>\n')
SOCKETS = {'Plugin': 'tcpconns', 'PluginInstance': 'all',
           'TypeInstance': 'ESTABLISHED', 'Unit': 'Count'}
MEMORY = {'Plugin': 'memory', 'Type': 'memory', 'Combine': 'sum',
          'TypeInstance': '/^(free|buffered|cached|slab_recl)$/'}
# Roles that print numbers as Python does cannot say 0.00000095: bytes, then.
BYTES = (SITE.replace('    Scale 0.00000095367431640625\n', '')
         .replace('"Megabytes"', '"Bytes"'))
IN_BYTES = {'Sockets Used': 187, 'Memory Available': 127.5 * (1 << 20)}
SITE_OPTIONS = {'Namespace': 'MyApp', 'Region': 'eu-west-1',
                'FlushInterval': 60}


# ---- each returns the files -----------------------------------------------------

def puppet(folder):
    """The manifest, really applied, once and again."""
    host = Host(folder)
    (host.etc / 'collectd/conf.d').mkdir()
    apply = ['puppet', 'apply', '--detailed-exitcodes', '--modulepath',
             renderers.puppet_module(folder),
             CONTRIB / 'puppet/write_cloudwatch.pp']
    status, said = host.run(*apply)
    assert status == 2, said  # changes were made
    assert host.restarts == 1, host.asked
    status, said = host.run(*apply)
    assert status == 0, said  # none
    assert host.restarts == 1
    files = {path: file for path, file in host.snippets().items()}
    assert list(files) == [f'/etc/collectd/conf.d/10-{name}.conf' for name in
                           ('memory', 'tcpconns', 'write_cloudwatch')]
    state = files['/etc/collectd/conf.d/10-write_cloudwatch.conf'].stat()
    assert state.st_mode & 0o7777 == 0o640
    return list(files.values())


def chef_file(family, folder):
    """Chef's own resources."""
    template, service = renderers.chef('write_cloudwatch.rb', family)
    assert (template['name'], template['owner'], template['group'],
            template['mode']) == (f'{folder}/10-write_cloudwatch.conf', 'root',
                                  'root', '0640')
    assert template['notifies'] == [['restart', 'service[collectd]', 'delayed']]
    assert (service['kind'], service['name']) == ('service', 'collectd')
    return [template['text']]


def chef_bloomberg(folder):
    made = renderers.chef('bloomberg.rb')
    assert [one['kind'] for one in made] == [
        'collectd_plugin', 'collectd_config', 'collectd_config']
    return [READERS, *(one['text'] for one in made)]


def salt(family, where):
    pillar = yaml.safe_load((CONTRIB / 'salt/pillar.example').read_text())
    state = yaml.safe_load(renderers.salt(
        'init.sls', salt={'pillar.get': pillar.get},
        grains={'os_family': family}))
    options = {key: value for one in state['write_cloudwatch.conf'][
        'file.managed'] for key, value in one.items()}
    assert options['name'] == f'{where}/10-write_cloudwatch.conf'
    assert (options['user'], options['group'], options['mode']) == (
        'root', 'root', '0640')
    assert options['source'] == ('salt://write_cloudwatch/'
                                 'write_cloudwatch.conf.jinja')
    (file,) = {path.name for path in (CONTRIB / 'salt').rglob('*.jinja')}
    assert options['source'].endswith(file)
    assert state['write_cloudwatch-restart']['service.running'] == [
        {'name': 'collectd'}, {'watch': [{'file': 'write_cloudwatch.conf'}]}]
    return [renderers.salt(file, **options['context'])]


def ansible_sorted(folder):
    return [READERS, renderers.ansible_sorted({
        **SITE_OPTIONS, 'Dimension': 'Group\tweb',
        'Metric "Sockets Used"': SOCKETS,
        'Metric "Memory Available"': {**MEMORY, 'Unit': 'Bytes'}})]


def ansible_node(folder):
    """A destination by a key with a name, and lists in their order."""
    memory = {**MEMORY, 'Unit': 'Bytes', 'TypeInstance': [
        'slab_recl', 'free', 'cached', 'buffered']}
    return [READERS, renderers.ansible_sorted({
        'Node "prod"': {**SITE_OPTIONS, 'Dimension': ['Group\tweb']},
        'Metric "Sockets Used"': SOCKETS,
        'Metric "Memory Available"': memory})]


def flat_and_blocks(folder):
    """What a template has no room for stands in a file beside it."""
    site = SITE.splitlines(keepends=True)
    blocks = ''.join(line for line in site if not any(
        word in line for word in ('Namespace', 'Region', 'Interval', 'Load')))
    blocks = READERS + blocks[blocks.index('<Plugin write_cloudwatch>'):]
    return [renderers.flat(SITE_OPTIONS), blocks]


TABLE = {
    'puppet': (puppet, SITE),
    'chef': (lambda _: chef_file('debian', '/etc/collectd/collectd.conf.d'),
             SITE),
    'chef on RedHat': (lambda _: chef_file('rhel', '/etc/collectd.d'), SITE),
    'chef bloomberg': (chef_bloomberg, SITE),
    'chef flat': (flat_and_blocks, SITE),
    'salt': (lambda _: salt('Debian', '/etc/collectd/collectd.conf.d'), SITE),
    'salt on RedHat': (lambda _: salt('RedHat', '/etc/collectd.d'), SITE),
    'ansible sorted': (ansible_sorted, BYTES),
    'ansible node': (ansible_node, BYTES),
}


@functools.cache
def by_hand(text, folder):
    return published(folder, [text], **expected(text))


def expected(text):
    return {'expected': IN_BYTES} if text is BYTES else {}


@pytest.mark.parametrize('name', TABLE)
def test_means_the_same(name, tmp_path, tmp_path_factory):
    render, text = TABLE[name]
    files = render(tmp_path)
    hand = by_hand(text, tmp_path_factory.getbasetemp() /
                   ('bytes' if text is BYTES else 'site'))
    assert published(tmp_path / 'run', files, **expected(text)) == hand


def test_salt_escapes():
    settings = {'namespace': 'a"b\\c', 'dimensions': {'x"': '\\'}}
    text = renderers.salt('write_cloudwatch.conf.jinja', settings=settings)
    assert r'Namespace "a\"b\\c"' in text
    assert r'Dimension "x\"" "\\"' in text
    assert text.endswith('</Plugin>\n')


def test_all_is_reached():
    """No file of these folders is left out, and each says what it is."""
    files = {path.relative_to(CONTRIB) for tool in ('puppet', 'chef', 'salt')
             for path in (CONTRIB / tool).rglob('*') if path.is_file()}
    assert {str(path) for path in files} == {
        'puppet/write_cloudwatch.pp', 'chef/recipes/write_cloudwatch.rb',
        'chef/recipes/bloomberg.rb', 'chef/templates/write_cloudwatch.conf.erb',
        'salt/write_cloudwatch/init.sls', 'salt/pillar.example',
        'salt/write_cloudwatch/write_cloudwatch.conf.jinja'}
    for path in files:
        if path.parts[0] == 'salt':
            first = (CONTRIB / path).read_text().splitlines()[0]
            assert 'Untested by Salt itself' in first, path
