"""dashboard: the body of a dashboard by its documented structure.

    findings(body)  # what is not as the document says
    metrics(body)   # the metrics that it shows
    searches(body)  # [(namespace, (dimensions), name)] of its expressions
"""

import json
import re

from asked import VALUES, Metric

COLUMNS = 24
TYPES = {'metric', 'text', 'log', 'alarm', 'explorer'}
VIEWS = {'timeSeries', 'singleValue', 'gauge', 'bar', 'pie', 'table'}
WIDGET = {'type', 'x', 'y', 'width', 'height', 'properties'}
PROPERTIES = {'metrics', 'region', 'title', 'view', 'period', 'stat', 'yAxis',
              'annotations', 'stacked', 'legend', 'liveData', 'timezone',
              'setPeriodToTimeRange'}
OPTIONS = {'id', 'expression', 'label', 'stat', 'period', 'visible', 'color',
           'yAxis', 'region', 'accountId'}
SEARCH = re.compile(r"SEARCH\('\{(\"[^\"]+\"(?:,\"[^\"]+\")*)\} "
                    r"MetricName=\"([^\"]+)\"', '(\w+)', (\d+)\)")


def of(body):
    def once(pairs):
        assert len({name for name, _ in pairs}) == len(pairs), pairs
        return dict(pairs)
    return json.loads(body, object_pairs_hook=once)


def rows(widget):
    """(texts, options) of each metric of a widget."""
    for row in widget['properties']['metrics']:
        options = row[-1] if isinstance(row[-1], dict) else {}
        yield row[:-1] if options else row, options


def expand(row):
    """A row may say . for what the row above says, ... for all of the rest;
    ours do not."""
    assert not {'.', '...'} & set(row), row
    return row


def findings(body):
    found, taken = [], set()
    tree = of(body)
    if set(tree) - {'widgets', 'start', 'end', 'periodOverride', 'variables'}:
        found.append(f'members {sorted(tree)}')
    for i, widget in enumerate(tree['widgets']):
        found += [f'widget {i}: {one}' for one in _widget(widget, taken)]
    return found


def _widget(widget, taken):
    if set(widget) != WIDGET or widget['type'] not in TYPES:
        yield f'members {sorted(widget)} of type {widget.get("type")}'
        return
    x, y, width, height = (widget[name] for name in
                           ('x', 'y', 'width', 'height'))
    if not (0 <= x and 1 <= width <= COLUMNS - x and 0 <= y
            and 1 <= height <= 1000):
        yield 'does not fit in the grid'
    cells = {(i, j) for i in range(x, x + width) for j in range(y, y + height)}
    if cells & taken:
        yield 'lies over another'
    taken |= cells
    properties = widget['properties']
    if set(properties) - PROPERTIES or not {'metrics', 'region'} <= set(
            properties):
        yield f'properties {sorted(properties)}'
    if properties.get('view') not in VIEWS:
        yield f'view {properties.get("view")}'
    period = properties.get('period', 60)
    if period not in (1, 5, 10, 30) and period % 60:
        yield f'period {period}'
    for line in properties.get('annotations', {}).get('horizontal', ()):
        if not isinstance(line.get('value'), (int, float)):
            yield f'annotation {line}'
    yield from _metrics(widget)


def _metrics(widget):
    idents = [options['id'] for _, options in rows(widget) if 'id' in options]
    if len(set(idents)) != len(idents):
        yield f'ids {idents}'
    for texts, options in rows(widget):
        if set(options) - OPTIONS:
            yield f'options {sorted(options)}'
        if 'stat' in options and options['stat'] not in VALUES['Stat']:
            yield f'stat {options["stat"]}'
        if not re.fullmatch('[a-z][a-zA-Z0-9_]*', options.get('id', 'a')):
            yield f'id {options["id"]}'
        if 'expression' in options:
            if texts:
                yield f'{texts} beside an expression'
            yield from _expression(options['expression'], idents)
        elif len(texts) < 2 or len(texts) % 2 or not all(
                isinstance(text, str) and text for text in texts):
            yield f'metric {texts}'


def _expression(text, idents):
    if 'SEARCH' in text:
        if not SEARCH.fullmatch(text):
            yield f'search {text}'
        elif SEARCH.fullmatch(text)[3] not in VALUES['Stat']:
            yield f'statistic of {text}'
    else:
        unknown = set(re.findall('[a-z]\\w*', text)) - set(idents)
        if unknown:
            yield f'{text} names {unknown}'


def metrics(body):
    """A dashboard does not choose by units."""
    return [Metric(texts[0], texts[1],
                   tuple(sorted(zip(expand(texts)[2::2], texts[3::2]))), None,
                   options['stat'], widget['properties'].get('period', 60))
            for widget in of(body)['widgets']
            for texts, options in rows(widget) if texts]


def searches(body):
    found = []
    for widget in of(body)['widgets']:
        for _, options in rows(widget):
            search = SEARCH.fullmatch(options.get('expression', ''))
            if search:
                namespace, *dimensions = re.findall('"([^"]+)"', search[1])
                found.append((namespace, tuple(dimensions), search[2]))
    return found
