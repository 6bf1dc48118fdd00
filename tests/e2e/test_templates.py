"""Each form of a template in the real daemon: as a name, a namespace or the
value of a dimension."""

import pytest

from expect import datum, expect, metric

NAME_MAX, VALUE_MAX = 255, 1024

# A daemon whose values of the plugin "team" carry meta data.
META = '''LoadPlugin match_regex
LoadPlugin target_set
<Chain "PreCache">
  <Rule "blue">
    <Match "regex">
      Plugin "^team$"
    </Match>
    <Target "set">
      MetaData "team" "blue"
      MetaData "cost center" "R&D 7"
    </Target>
  </Rule>
</Chain>
'''


def hashed(text):
    """The suffix of a text that was changed: 64-bit FNV-1a, folded."""
    value = 0xcbf29ce484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001b3 % 2 ** 64
    return f'-{(value ^ value >> 32) & 0xffffffff:08x}'


def names(*lines):
    """One Metric for each name, all of all values."""
    return ''.join(metric(name) for name in lines)


FULL = ('db1/disk-sda/disk_octets-data', '0:0:0', '10:10:20')
SPARSE = ('db1/users/gauge', '0:3')
PER_SECOND = 'Bytes/Second'


def both(rx, tx, users):
    """What FULL and SPARSE give under one name each."""
    return [datum(rx, 1, unit=PER_SECOND), datum(tx, 2, unit=PER_SECOND),
            datum(users, 3)]


def changed(what, limit):
    return (f'CloudWatch takes printable ASCII, at most {limit} characters; '
            f'where {what} is not so, it is published changed')


CASES = {
    # ---- names
    'a name without a template': (
        names('Sockets Used'), [SPARSE],
        [datum('Sockets Used', 3)]),
    '%{host} %{plugin} %{plugin_instance} %{type} %{type_instance} %{ds}': (
        names('%{host} %{plugin} %{plugin_instance} %{type} '
              '%{type_instance} %{ds}'),
        [FULL, SPARSE],
        both('db1 disk sda disk_octets data read',
             'db1 disk sda disk_octets data write',
             'db1 users  gauge  ')),
    'the names of collectd-cloudwatch': (
        names('%{plugin}.%{type}%{.type_instance}%{.ds}'),
        [FULL, SPARSE, ('db1/memory/memory-free', '0:7'),
         ('db1/load/load', '0:1:2:3')],
        both('disk.disk_octets.data.read', 'disk.disk_octets.data.write',
             'users.gauge') +
        [datum('memory.memory.free', 7, unit='Bytes'),
         datum('load.load.shortterm', 1), datum('load.load.midterm', 2),
         datum('load.load.longterm', 3)]),
    '%{ds} is empty for types with one data source': (
        names('Load%{ds}'), [SPARSE, ('db1/df/df', '0:1:2')],
        [datum('Load', 3), datum('Loadused', 1, unit='Bytes'),
         datum('Loadfree', 2, unit='Bytes')]),
    '%{ds} is told where DataSource leaves one of several': (
        metric('Df%{.ds}', 'DataSource "free"'), [('db1/df/df', '0:1:2')],
        [datum('Df.free', 2, unit='Bytes')]),
    'two names side by side': (
        names('%{plugin}%{type_instance}'), [('db1/p/gauge-x', '0:1')],
        [datum('px', 1)]),
    'the same name twice': (
        names('%{plugin}=%{plugin}'), [('db1/p/gauge-x', '0:1')],
        [datum('p=p', 1)]),

    # ---- fallback, mark, percent sign
    'a text for what is empty': (
        names('%{plugin_instance|all}/%{type_instance|no instance}'),
        [FULL, SPARSE],
        both('sda/data', 'sda/data', 'all/no instance')[2:] +
        [datum('sda/data', {1: 1, 2: 1}, unit=PER_SECOND)],
        ['go to one metric']),
    'an empty text for what is empty': (
        names('M%{type_instance|}'), [SPARSE],
        [datum('M', 3)]),
    'a text with marks of its own': (
        names('M%{type_instance|%|.-{x}'), [SPARSE],
        [datum('M%|.-{x', 3)]),
    'a dot before what is not empty': (
        names('%{plugin}%{.plugin_instance}%{.type_instance}%{.ds}'),
        [FULL, SPARSE],
        both('disk.sda.data.read', 'disk.sda.data.write', 'users')),
    'a mark and a text: the text stands without the mark': (
        names('%{plugin}%{-type_instance|-total}'),
        [('db1/p/gauge-x', '0:1'), ('db1/p/gauge', '0:2')],
        [datum('p-x', 1), datum('p-total', 2)]),
    'percent sign': (
        names('100%% %{plugin} %%{plugin}%%'), [('db1/p/gauge', '0:1')],
        [datum('100% p %{plugin}%', 1)]),

    # ---- meta data
    '%{meta:KEY}': (
        names('M %{meta:team} %{meta:cost center}'),
        [('db1/team/gauge', '0:1'), ('db1/other/gauge', '0:2')],
        [datum('M blue R&D 7', 1), datum('M  ', 2)], [], 0, META),
    '%{meta:KEY} with text and mark': (
        names('M%{.meta:team|.none}'),
        [('db1/team/gauge', '0:1'), ('db1/other/gauge', '0:2')],
        [datum('M.blue', 1), datum('M.none', 2)], [], 0, META),
    '%{meta:KEY}, whose case is of no matter to collectd': (
        names('M%{.meta:Team}'), [('db1/team/gauge', '0:1')],
        [datum('M.blue', 1)], [], 0, META),
    '%{meta:KEY} as a dimension and a namespace': (
        'Namespace "%{meta:team|nobody}"\nDimension "Cost" '
        '"%{meta:cost center}"\n' + names('M'),
        [('db1/team/gauge', '0:1'), ('db1/other/gauge', '0:2')],
        [datum('M', 1, namespace='blue', dims={'Cost': 'R&D 7'}),
         datum('M', 2, namespace='nobody')], [], 0, META),

    # ---- environment
    '%{env:NAME}': (
        'Namespace "%{env:STAGE}/web"\nDimension "Stage" "%{env:STAGE}"\n' +
        names('M%{-env:STAGE}'), [SPARSE],
        [datum('M-prod', 3, namespace='prod/web',
               dims={'Stage': 'prod'})]),
    '%{env:NAME} that is not set': (
        'Dimension "Stage" "%{env:NO_STAGE}"\n'
        'Dimension "Group" "%{env:NO_GROUP|web}"\n' +
        names('M%{-env:NO_STAGE}%{env:NO_STAGE|.x}'), [SPARSE],
        [datum('M.x', 3, dims={'Group': 'web'})],
        ['Dimension "Stage" is always empty and so is left out']),
    '%{env:NAME} that is empty': (
        names('M%{-env:EMPTY|.none}'), [SPARSE],
        [datum('M.none', 3)]),
    '%{env:NAME} is text, not a template': (
        names('%{env:ODD}'), [SPARSE],
        [datum('%{host}|%%', 3)]),

    # ---- dimensions
    'every name as the value of a dimension': (
        'Dimension "H" "%{host}"\nDimension "P" "%{plugin}"\n'
        'Dimension "PI" "%{plugin_instance}"\nDimension "T" "%{type}"\n'
        'Dimension "TI" "%{type_instance|all}"\nDimension "DS" "%{ds}"\n'
        'Dimension "All" "%{host}%{/plugin}%{-plugin_instance}%{/type}'
        '%{-type_instance}%{:ds}"\n' + names('M'),
        [FULL, SPARSE],
        [datum('M', n, unit=PER_SECOND, dims={
            'H': 'db1', 'P': 'disk', 'PI': 'sda', 'T': 'disk_octets',
            'TI': 'data', 'DS': ds,
            'All': f'db1/disk-sda/disk_octets-data:{ds}'})
         for n, ds in ((1, 'read'), (2, 'write'))] +
        [datum('M', 3, dims={
            'H': 'db1', 'P': 'users', 'T': 'gauge', 'TI': 'all',
            'All': 'db1/users/gauge'})]),
    'a dimension in front of which stands a colon': (
        'Dimension "P" "%{:plugin}"\n' + names('M'), [SPARSE],
        [datum('M', 3, dims={'P': ':users'})]),

    # ---- what is empty
    'an empty name refuses the value, said once': (
        names('%{type_instance}'),
        [('db1/p/gauge', '0:1'), ('db1/q/gauge', '0:2'),
         ('db1/p/gauge-x', '0:3')],
        [datum('x', 3)],
        ['<Metric "%{type_instance}">: values for which the name is empty '
         'are not published']),
    'a blank name refuses the value, said once': (
        names('%{plugin_instance} %{type_instance}'),
        [('db1/p/gauge', '0:1'), ('db1/p/gauge-x', '0:3')],
        [datum(' x', 3)], ['the name is empty']),

    # ---- what CloudWatch does not take
    'other bytes than printable ASCII': (
        names('%{type_instance}'),
        [('db1/p/gauge-größe', '0:1'), ('db1/p/gauge-grüße', '0:2'),
         ('db1/p/gauge-size', '0:3')],
        [datum('gr____e' + hashed('größe'), 1),
         datum('gr____e' + hashed('grüße'), 2), datum('size', 3)],
        [changed('the name', NAME_MAX)]),
    'control characters': (
        names('%{type_instance}'),
        [('db1/p/gauge-a\tb\x7fc\x01', '0:1')],
        [datum('a_b_c_' + hashed('a\tb\x7fc\x01'), 1)],
        [changed('the name', NAME_MAX)]),
    'other bytes in a dimension': (
        'Dimension "Ort" "%{type_instance}"\n' + names('M'),
        [('db1/p/gauge-Köln', '0:1')],
        [datum('M', 1, dims={'Ort': 'K__ln' + hashed('Köln')})],
        [changed('the value of Dimension "Ort"', VALUE_MAX)]),
    'other bytes in a namespace': (
        'Namespace "Ort/%{type_instance}"\n' + names('M'),
        [('db1/p/gauge-Köln', '0:1')],
        [datum('M', 1, namespace='Ort/K__ln' + hashed('Ort/Köln'))],
        [changed('the namespace', NAME_MAX)]),
    'a text of the greatest length stays': (
        names('%{plugin}%{plugin_instance}' + 'x' * 5),
        [(f'db1/{"p" * 125}-{"i" * 125}/gauge', '0:1')],
        [datum('p' * 125 + 'i' * 125 + 'x' * 5, 1)]),
    'a name that is too long': (
        names('%{plugin}%{plugin_instance}%{type_instance}'),
        [(f'db1/{"p" * 100}-{"i" * 100}/gauge-{"t" * 55}', '0:1'),
         (f'db1/{"p" * 100}-{"i" * 100}/gauge-{"t" * 56}', '0:2'),
         (f'db1/{"p" * 100}-{"i" * 100}/gauge-{"t" * 100}', '0:3')],
        [datum('p' * 100 + 'i' * 100 + 't' * 55, 1),
         datum('p' * 100 + 'i' * 100 + 't' * 46 +
               hashed('p' * 100 + 'i' * 100 + 't' * 56), 2),
         datum('p' * 100 + 'i' * 100 + 't' * 46 +
               hashed('p' * 100 + 'i' * 100 + 't' * 100), 3)],
        [changed('the name', NAME_MAX)]),
    'a dimension that is too long': (
        'Dimension "D" "' + '%{plugin}' * 9 + '"\n' + names('M'),
        [(f'db1/{"p" * 127}/gauge', '0:1')],
        [datum('M', 1, dims={'D': 'p' * 1015 + hashed('p' * 127 * 9)})],
        [changed('the value of Dimension "D"', VALUE_MAX)]),
    'a namespace that is too long': (
        'Namespace "%{plugin}/%{plugin}/%{plugin}"\n' + names('M'),
        [(f'db1/{"p" * 100}/gauge', '0:1')],
        [datum('M', 1, namespace='/'.join(['p' * 100] * 3)[:246] +
               hashed('/'.join(['p' * 100] * 3)))],
        [changed('the namespace', NAME_MAX)]),
    'quotes and backslashes stay as they are': (
        'Dimension "D" "%{type_instance}"\n' + names('%{type_instance}'),
        [('db1/p/gauge-a"b\\c\'d<e>&f', '0:1')],
        [datum('a"b\\c\'d<e>&f', 1, dims={'D': 'a"b\\c\'d<e>&f'})]),
}

for mark in '!"#$&\'()*+,-./:;<=>@[\\]^_`~?':
    escaped = '\\' + mark if mark in '"\\' else mark
    CASES[f'{mark} before what is not empty'] = (
        names(f'M%{{{escaped}type_instance}}'),
        [('db1/p/gauge-x', '0:1'), ('db1/p/gauge', '0:2')],
        [datum(f'M{mark}x', 1), datum('M', 2)])

ENVIRONMENT = {'STAGE': 'prod', 'EMPTY': '', 'ODD': '%{host}|%%'}


@pytest.mark.parametrize('label', CASES)
def test_template(tmp_path, label):
    config, values, datums, *rest = CASES[label]
    says, left, before = (*rest, *([], 0, '')[len(rest):])
    expect(tmp_path, config, values, datums, says=says, left=left,
           before=before, environment=ENVIRONMENT)
