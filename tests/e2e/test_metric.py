"""What each option of <Metric> makes of values, in the real daemon."""

import pytest

from expect import datum, expect, metric

# ---- selectors --------------------------------------------------------------

# Each value has its own number, so what arrives says what was selected.
ALL = [
    ('a/cpu-0/percent-idle', '0:1'),
    ('a/cpu-1/percent-user', '0:2'),
    ('a/memory/memory-free', '0:3'),
    ('b/cpu-0/percent-idle', '0:4'),
    ('b/df-root/df_complex-free', '0:5'),
    ('b/load/load', '0:6:7:8'),  # shortterm, midterm, longterm
    ('A/memory/memory-used', '0:9'),
    ('a/memory/gauge', '0:10'),
    ('b/memory/gauge-a.b', '0:11'),
    ('b/memory/gauge-axb', '0:12'),
]

SELECTIONS = {
    'no selector takes all': ([], range(1, 13)),
    'Host literal': (['Host "a"'], [1, 2, 3, 10]),
    'Host minds the case': (['Host "A"'], [9]),
    'Host regex': (['Host "/^[aA]$/"'], [1, 2, 3, 9, 10]),
    'Host repeated': (['Host "A"', 'Host "a"'], [1, 2, 3, 9, 10]),
    'Host excluded': (['Host "!b"'], [1, 2, 3, 9, 10]),
    'Host excluded by regex': (['Host "!/[ab]/"'], [9]),
    'Plugin literal': (['Plugin "cpu"'], [1, 2, 4]),
    'Plugin literal is not a prefix': (['Plugin "cp"'], []),
    'Plugin regex is not anchored': (['Plugin "/f|p/"'], [1, 2, 4, 5]),
    'Plugin repeated': (['Plugin "df"', 'Plugin "/^cpu/"'], [1, 2, 4, 5]),
    'Plugin excluded twice':
        (['Plugin "!memory"', 'Plugin "!/^l/"'], [1, 2, 4, 5]),
    'Plugin, some and not others':
        (['Plugin "/./"', 'Plugin "!load"', 'Plugin "!memory"'], [1, 2, 4, 5]),
    'Plugin excluded before it is taken':
        (['Plugin "!cpu"', 'Plugin "/cpu|df/"'], [5]),
    'PluginInstance literal': (['PluginInstance "0"'], [1, 4]),
    'PluginInstance empty':
        (['PluginInstance ""'], [3, 6, 7, 8, 9, 10, 11, 12]),
    'PluginInstance not empty': (['PluginInstance "!"'], [1, 2, 4, 5]),
    'PluginInstance regex': (['PluginInstance "/^[0-9]+$/"'], [1, 2, 4]),
    'PluginInstance repeated':
        (['PluginInstance "1"', 'PluginInstance "root"'], [2, 5]),
    'Type literal': (['Type "memory"'], [3, 9]),
    'Type regex': (['Type "/^(percent|df_complex)$/"'], [1, 2, 4, 5]),
    'Type repeated': (['Type "memory"', 'Type "percent"'], [1, 2, 3, 4, 9]),
    'Type excluded': (['Type "!percent"', 'Type "!load"'],
                      [3, 5, 9, 10, 11, 12]),
    'TypeInstance literal': (['TypeInstance "free"'], [3, 5]),
    'TypeInstance empty': (['TypeInstance ""'], [6, 7, 8, 10]),
    'TypeInstance regex': (['TypeInstance "/e$/"'], [1, 3, 4, 5]),
    'TypeInstance repeated':
        (['TypeInstance "idle"', 'TypeInstance "used"'], [1, 4, 9]),
    'TypeInstance excluded':
        (['TypeInstance "!/./"', 'TypeInstance "!idle"'], [6, 7, 8, 10]),
    'a dot is a dot in a literal': (['TypeInstance "a.b"'], [11]),
    'a dot is any character in a regex': (['TypeInstance "/a.b/"'], [11, 12]),
    'a regex with a backslash, doubled for collectd':
        (['TypeInstance "/a\\\\.b/"'], [11]),
    'DataSource literal': (['DataSource "midterm"'], [7]),
    'DataSource of types with one': (['DataSource "value"'],
                                     [1, 2, 3, 4, 5, 9, 10, 11, 12]),
    'DataSource regex': (['DataSource "/^[ms].*term$/"'], [6, 7]),
    'DataSource repeated':
        (['DataSource "shortterm"', 'DataSource "longterm"'], [6, 8]),
    'DataSource excluded':
        (['DataSource "!value"', 'DataSource "!midterm"'], [6, 8]),
    'several selectors must all hold':
        (['Host "a"', 'Plugin "cpu"', 'TypeInstance "!user"'], [1]),
    'several selectors, of which one does not hold':
        (['Host "a"', 'Plugin "load"'], []),
    'none': (['Plugin "nothing"'], []),
}


@pytest.mark.parametrize('label', SELECTIONS)
def test_selectors(tmp_path, label):
    lines, numbers = SELECTIONS[label]
    wanted = {number: 1 for number in numbers}
    says = ()
    if len(wanted.keys() & {6, 7, 8}) > 1:
        says = ['"load" go to one metric']
    if len(wanted) == 1:
        wanted = next(iter(wanted))
    expect(tmp_path, metric('M', 'Unit "None"', *lines), ALL,
           [datum('M', wanted)] if numbers else [], says=says)


# ---- one thing for each case ------------------------------------------------

ONE = [('p/gauge', '0:1.5')]
OWN = 'Plugin "p"'

CASES = {
    'a value that several Metrics select goes to each': (
        metric('A', OWN) + metric('B', 'Type "gauge"', 'Scale 2') +
        metric('C', 'Plugin "other"'),
        ONE, [datum('A', 1.5), datum('B', 3)],
        ['<Metric "B">: with Scale the unit .* is None']),
    'a disabled Metric takes nothing': (
        metric('A', 'Enabled false') + metric('B', 'Enabled true'),
        ONE, [datum('B', 1.5)]),
    'a disabled Metric and nothing else that selects': (
        metric('A', OWN, 'Enabled false') + metric('B', 'Plugin "other"'),
        ONE, []),

    # ---- Unit
    'a unit that is said': (
        metric('M', OWN, 'Unit "Megabits/Second"'),
        ONE, [datum('M', 1.5, unit='Megabits/Second')]),
    'units by type': (
        metric('%{type}%{.ds}'),
        [('p/percent', '0:50'), ('p/memory', '0:1024'),
         ('p/response_time', '0:12'), ('p/if_octets', '0:0:0', '10:80:40'),
         ('p/total_requests', '0:0', '10:5'), ('p/gauge', '0:1'),
         ('p/users', '0:3')],
        [datum('percent', 50, unit='Percent'),
         datum('memory', 1024, unit='Bytes'),
         datum('response_time', 12, unit='Seconds'),
         datum('if_octets.rx', 8, unit='Bytes/Second'),
         datum('if_octets.tx', 4, unit='Bytes/Second'),
         datum('total_requests', 0.5, unit='Count/Second'),
         datum('gauge', 1), datum('users', 3, unit='Count')]),
    'a unit that is said wins over the type': (
        metric('M', 'Type "memory"', 'Unit "Count"'),
        [('p/memory', '0:7')], [datum('M', 7, unit='Count')]),
    'no unit by type with Scale, with a warning': (
        metric('M', 'Type "memory"', 'Scale 0.5'),
        [('p/memory', '0:7')], [datum('M', 3.5)],
        ['<Metric "M">: with Scale .* say Unit "None"']),
    'no unit by type with Counters, with a warning': (
        metric('M', 'Type "total_requests"', 'Counters "delta"'),
        [('p/total_requests', '0:1', '10:8')], [datum('M', 7, at=0)],
        ['<Metric "M">: with Counters .* say Unit "None"']),
    'no warning where the unit is said, be it None': (
        metric('A', OWN, 'Scale 2', 'Unit "Bytes"') +
        metric('B', OWN, 'Scale 2', 'Unit "None"'),
        ONE, [datum('A', 3, unit='Bytes'), datum('B', 3)]),
    'Scale 1 leaves the unit': (
        metric('M', 'Type "memory"', 'Scale 1'),
        [('p/memory', '0:7')], [datum('M', 7, unit='Bytes')]),

    # ---- OnNaN
    'NaN is dropped': (
        metric('M', OWN), [('p/gauge', '0:1', '10:U', '20:nan', '30:2')],
        [datum('M', {1: 1, 2: 1})],
        ['^.info. web1/p/gauge is not a number: OnNaN "zero"'], 2),
    'NaN is dropped where that is said': (
        metric('M', OWN, 'OnNaN "drop"'), [('p/gauge', '0:U')], [],
        ['not a number'], 1),
    'NaN is zero': (
        metric('M', OWN, 'OnNaN "zero"'), [('p/gauge', '0:1', '10:U')],
        [datum('M', {0: 1, 1: 1})]),
    'NaN is zero before Scale and Offset': (
        metric('M', OWN, 'OnNaN "zero"', 'Scale 3', 'Offset 5',
               'Unit "None"'),
        [('p/gauge', '0:U')], [datum('M', 5)]),
    'NaN is zero before Combine': (
        metric('M', OWN, 'OnNaN "zero"', 'Combine "average"'),
        [('p/gauge-a', 10, '0:U'), ('p/gauge-b', 10, '1:4')],
        [datum('M', 2)]),

    # ---- Scale, Offset, Round
    'Scale': (
        metric('M', OWN, 'Scale 0.25', 'Unit "None"'),
        [('p/gauge', '0:6')], [datum('M', 1.5)]),
    'a negative Scale': (
        metric('M', OWN, 'Scale -2', 'Unit "None"'),
        [('p/gauge', '0:6')], [datum('M', -12)]),
    'Offset': (
        metric('M', OWN, 'Offset -273.15'),
        [('p/gauge', '0:300')], [datum('M', 300 - 273.15)]),
    'Scale before Offset': (
        metric('M', OWN, 'Offset 32', 'Scale 1.8', 'Unit "None"'),
        [('p/gauge', '0:100')], [datum('M', 212)]),
    'Round ceil': (
        metric('M', OWN, 'Round "ceil"'),
        [('p/gauge', '0:1.1', '1:-1.9', '2:3')],
        [datum('M', {2: 1, -1: 1, 3: 1})]),
    'Round floor': (
        metric('M', OWN, 'Round "floor"'),
        [('p/gauge', '0:1.9', '1:-1.1', '2:3')],
        [datum('M', {1: 1, -2: 1, 3: 1})]),
    'Round nearest, halves away from zero': (
        metric('M', OWN, 'Round "nearest"'),
        [('p/gauge', '0:1.4', '1:1.5', '2:-2.5', '3:-0.2', '4:7')],
        [datum('M', {1: 1, 2: 1, -3: 1, 0: 1, 7: 1})]),
    'Round after Offset after Scale': (
        metric('M', OWN, 'Round "floor"', 'Offset 0.75', 'Scale 0.5',
               'Unit "None"'),
        [('p/gauge', '0:3.5')], [datum('M', 2)]),
    # Another order would give 30, 33, 30.5 or 29.5.
    'Round after Offset after Scale after Combine': (
        metric('M', OWN, 'Round "ceil"', 'Offset 0.5', 'Scale 10',
               'Combine "sum"', 'Unit "None"'),
        [('p/gauge-a', 10, '0:1.4'), ('p/gauge-b', 10, '1:1.4')],
        [datum('M', 29)]),
    'Combine after Counters': (
        metric('M', OWN, 'Combine "sum"', 'Counters "rate"'),
        [('p/derive-a', 10, '0:0', '10:20'),
         ('p/derive-b', 10, '1:0', '11:50')],
        [datum('M', 7)]),

    # ---- Combine
    'Combine takes the members into one sample': (
        ''.join(metric(f'The {function}', OWN, f'Combine "{function}"')
                for function in ('sum', 'average', 'min', 'max', 'count')),
        [('p/memory-a', 10, '0:1'), ('p/memory-b', 10, '3:5'),
         ('p/memory-c', 10, '9:3')],
        [datum('The sum', 9, unit='Bytes'),
         datum('The average', 3, unit='Bytes'),
         datum('The min', 1, unit='Bytes'),
         datum('The max', 5, unit='Bytes'),
         datum('The count', 3, unit='Count')]),
    'Combine makes one sample of each series': (
        'Dimension "Host" "%{host}"\nDimensionSet "Host"\nDimensionSet ""\n' +
        metric('M', OWN, 'Combine "sum"'),
        [('a/p/gauge', 10, '0:1'), ('b/p/gauge', 10, '1:2')],
        [datum('M', 1, dims={'Host': 'a'}), datum('M', 2, dims={'Host': 'b'}),
         datum('M', 3)]),
    'samples of Combine have Statistics': (
        metric('M', OWN, 'Combine "sum"', 'Statistics "set"'),
        [('p/gauge-a', 10, '0:1', '10:2', '20:3'),
         ('p/gauge-b', 10, '1:10', '11:20', '21:30')],
        [datum('M', (3, 66, 11, 33))]),

    # ---- StorageResolution, Namespace
    'StorageResolution 1 has periods of a second': (
        metric('M', OWN, 'StorageResolution 1'),
        [('p/gauge', '0:1', '0.5:2', '1:2', '61.25:4')],
        [datum('M', {1: 1, 2: 1}, resolution=1),
         datum('M', 2, at=1, resolution=1),
         datum('M', 4, at=61, resolution=1)],
        ['StorageResolution 1 with a FlushInterval of 86400 s']),
    'StorageResolution 60 for all else': (
        metric('A', OWN, 'StorageResolution 60') + metric('B', OWN),
        [('p/gauge', '0:1', '59.999:2', '60:3', '119:4', '120:5')],
        [datum(name, value, at)
         for name in 'AB'
         for at, value in ((0, {1: 1, 2: 1}), (60, {3: 1, 4: 1}), (120, 5))]),
    'a value half a second before a period is in the one before': (
        metric('M', OWN), [('p/gauge', '-0.5:1', '0:2')],
        [datum('M', 1, at=-60), datum('M', 2)]),
    'the Namespace outside': (
        'Namespace "My App/web.1"\n' + metric('M', OWN), ONE,
        [datum('M', 1.5, namespace='My App/web.1')]),
    'a Namespace for a metric': (
        metric('A', OWN, 'Namespace "Own"') + 'Namespace "MyApp"\n' +
        metric('B', OWN),
        ONE, [datum('A', 1.5, namespace='Own'),
              datum('B', 1.5, namespace='MyApp')]),
    'a template outside as Namespace': (
        'Namespace "Fleet/%{plugin}%{-plugin_instance}"\n' + metric('M'),
        [('p/gauge', '0:1'), ('q-3/gauge', '0:2')],
        [datum('M', 1, namespace='Fleet/p'),
         datum('M', 2, namespace='Fleet/q-3')]),
    'a template inside as Namespace': (
        'Namespace "MyApp"\n' +
        metric('M', 'Namespace "%{host}"'), ONE,
        [datum('M', 1.5, namespace='web1')]),
    'an empty Namespace refuses the value, said once': (
        metric('M', 'Namespace "%{type_instance}"'),
        [('p/gauge', '0:1'), ('p/gauge-x', '0:2'), ('q/gauge', '0:3')],
        [datum('M', 2, namespace='x')],
        ['values for which the namespace is empty are not published']),
    'a Namespace that AWS keeps refuses the value, said once': (
        metric('M', 'Namespace "%{plugin}%{/plugin_instance}"'),
        [('AWS-EC2/gauge', '0:1'), ('AWS-S3/gauge', '0:1'),
         ('AWSOME-x/gauge', '0:2')],
        [datum('M', 2, namespace='AWSOME/x')],
        ['namespace begins with ":" or "AWS/" are not published']),

    # ---- Dimension
    'no Dimension that was not asked for': (
        metric('M', OWN), ONE, [datum('M', 1.5)]),
    'a Dimension outside': (
        'Dimension "Host" "%{host}"\n' + metric('M', OWN), ONE,
        [datum('M', 1.5, dims={'Host': 'web1'})]),
    'a Dimension inside': (
        metric('A', OWN, 'Dimension "Tier" "front"') + metric('B', OWN), ONE,
        [datum('A', 1.5, dims={'Tier': 'front'}), datum('B', 1.5)]),
    'a Dimension inside is added to those outside': (
        metric('M', OWN, 'Dimension "Tier" "front"') +
        'Dimension "Host" "%{host}"\n', ONE,
        [datum('M', 1.5, dims={'Host': 'web1', 'Tier': 'front'})]),
    'a Dimension inside overrides the one outside': (
        'Dimension "Host" "%{host}"\nDimension "Tier" "back"\n' +
        metric('A', OWN, 'Dimension "Tier" "front"') + metric('B', OWN), ONE,
        [datum('A', 1.5, dims={'Host': 'web1', 'Tier': 'front'}),
         datum('B', 1.5, dims={'Host': 'web1', 'Tier': 'back'})]),
    'names of Dimensions mind the case': (
        'Dimension "Tier" "back"\n' +
        metric('A', OWN, 'Dimension "tier" "front"'), ONE,
        [datum('A', 1.5, dims={'Tier': 'back', 'tier': 'front'})]),
    '30 Dimensions': (
        metric('M', OWN, *(f'Dimension "D{i}" "v{i}"' for i in range(30))),
        ONE, [datum('M', 1.5, dims={f'D{i}': f'v{i}' for i in range(30)})]),

    # ---- DimensionSet
    'per host, per group and fleet-wide are three lines': (
        'Dimension "Host" "%{host}"\nDimension "Group" "web"\n'
        'DimensionSet "Host"\nDimensionSet "Group"\nDimensionSet ""\n' +
        metric('M', OWN), ONE,
        [datum('M', 1.5, dims={'Host': 'web1'}),
         datum('M', 1.5, dims={'Group': 'web'}), datum('M', 1.5)]),
    'a DimensionSet of two': (
        'Dimension "A" "1"\nDimension "B" "2"\nDimension "C" "3"\n'
        'DimensionSet "C" "A"\n' + metric('M', OWN), ONE,
        [datum('M', 1.5, dims={'A': '1', 'C': '3'})]),
    'sets that differ only in order are published once': (
        'Dimension "A" "1"\nDimension "B" "2"\n'
        'DimensionSet "A" "B"\nDimensionSet "B" "A"\nDimensionSet "B"\n' +
        metric('M', OWN), ONE,
        [datum('M', 1.5, dims={'A': '1', 'B': '2'}),
         datum('M', 1.5, dims={'B': '2'})]),
    'a DimensionSet inside replaces those outside': (
        'Dimension "A" "1"\nDimension "B" "2"\n'
        'DimensionSet "A"\nDimensionSet "B"\n' +
        metric('M', OWN, 'DimensionSet ""') + metric('N', OWN), ONE,
        [datum('M', 1.5), datum('N', 1.5, dims={'A': '1'}),
         datum('N', 1.5, dims={'B': '2'})]),
    'a DimensionSet outside of what a Metric overrides': (
        'Dimension "A" "1"\nDimension "B" "2"\nDimensionSet "A"\n' +
        metric('M', OWN, 'Dimension "A" "own"'), ONE,
        [datum('M', 1.5, dims={'A': 'own'})]),
    'a dimension with an empty value leaves its set': (
        'Dimension "Instance" "%{type_instance}"\n'
        'Dimension "Host" "%{host}"\n' + metric('M', OWN),
        [('p/gauge', '0:1'), ('p/gauge-x', '0:2')],
        [datum('M', 1, dims={'Host': 'web1'}),
         datum('M', 2, dims={'Host': 'web1', 'Instance': 'x'})]),
    'a blank value is empty too': (
        'Dimension "Instance" "%{type_instance}"\n' + metric('M', OWN),
        [('p/gauge-  ', '0:1')], [datum('M', 1)]),
    'sets that have become equal are published once': (
        'Dimension "Instance" "%{type_instance}"\n'
        'Dimension "Host" "%{host}"\nDimensionSet "Host" "Instance"\n'
        'DimensionSet "Host"\nDimensionSet "Instance"\nDimensionSet ""\n' +
        metric('M', OWN), [('p/gauge', '0:1')],
        [datum('M', 1, dims={'Host': 'web1'}), datum('M', 1)]),

    # ---- how many
    'one metric more than MaxMetrics is refused, said once': (
        'MaxMetrics 2\n' + metric('%{type_instance}', OWN),
        [('p/gauge-a', '0:1'), ('p/gauge-b', '0:2'), ('p/gauge-c', '0:3'),
         ('p/gauge-d', '0:4'), ('p/gauge-a', '10:5')],
        [datum('a', {1: 1, 5: 1}), datum('b', 2)],
        ['web1/p/gauge-c would make one metric more than MaxMetrics'], 2),
    'host series never crowd out fleet series': (
        'MaxMetrics 1\nDimension "Host" "%{host}"\n'
        'DimensionSet "Host"\nDimensionSet ""\n' + metric('M', OWN),
        [('a/p/gauge', '0:1'), ('b/p/gauge', '0:2')],
        [datum('M', {1: 1, 2: 1})],
        ['a/p/gauge would make one metric more than MaxMetrics'], 2),

    # ---- one series from several places
    'several Metrics feed one series': (
        metric('M', 'Plugin "p"', 'Scale 2', 'Unit "Count"') +
        metric('M', 'Plugin "q"', 'Unit "Count"'),
        [('p/gauge', '0:1'), ('q/gauge', '0:5'), ('r/gauge', '0:9')],
        [datum('M', {2: 1, 5: 1}, unit='Count')]),
    'several identifiers feed one series': (
        metric('M', OWN),
        [('p/gauge-a', '0:1', '10:2'), ('p/gauge-b', '0:2', '10:4')],
        [datum('M', {1: 1, 2: 2, 4: 1})]),
    'a unit by type that disagrees is left out, said once': (
        metric('M', OWN),
        [('p/memory', '0:1', '10:2'), ('p/percent', '0:3', '10:4'),
         ('p/users', '0:5')],
        [datum('M', {1: 1, 2: 1}, unit='Bytes')],
        ['web1/p/percent goes to a metric that other values feed'],
        2),
    'two data sources of one identifier in one series warn once': (
        metric('M', 'Type "load"'),
        [('a/load/load', '0:1:2:3', '10:1:2:3'), ('b/load/load', '0:4:5:6')],
        [datum('M', {1: 2, 2: 2, 3: 2, 4: 1, 5: 1, 6: 1})],
        ['<Metric "M">: the data sources "shortterm" and "midterm" of type '
         '"load" go to one metric; put %{.ds} into the name']),
    'two data sources that Combine are no mistake': (
        metric('M', 'Type "load"', 'Combine "max"'),
        [('a/load/load', 10, '0:1:2:3')], [datum('M', 3)]),
}


@pytest.mark.parametrize('label', CASES)
def test_option(tmp_path, label):
    config, values, datums, *rest = CASES[label]
    says = rest[0] if rest else ()
    left = rest[1] if len(rest) > 1 else 0
    expect(tmp_path, config, values, datums, says=says, left=left)


# ---- Statistics -------------------------------------------------------------

SAMPLES = [('p/gauge', '0:5', '30:9', '10:7', '20:5', '60:4', '70:4',
            '120:3')]
STATISTICS = {
    'values': ({5: 2, 7: 1, 9: 1}, {4: 2}, 3),
    'set': ((4, 26, 5, 9), (2, 8, 4, 4), 3),
    'last': (9, 4, 3),
    'average': (6.5, 4, 3),
    'max': (9, 4, 3),
    'min': (5, 4, 3),
}


@pytest.mark.parametrize('name', STATISTICS)
def test_statistics(tmp_path, name):
    """Four samples of which two are equal and one is late, two equal ones,
    and one alone."""
    expect(tmp_path, metric('M', OWN, f'Statistics "{name}"'), SAMPLES,
           [datum('M', value, at) for at, value in
            zip((0, 60, 120), STATISTICS[name])])


def test_statistics_are_values_unless_told(tmp_path):
    expect(tmp_path, metric('M', OWN), SAMPLES,
           [datum('M', value, at) for at, value in
            zip((0, 60, 120), STATISTICS['values'])])
