"""model_input: what model.py is told: configurations and value lists as plain
data; and which values a block selects, and what templates make of them.
"""

import dataclasses
import math
import re

SELECTORS = ('Host', 'Plugin', 'PluginInstance', 'Type', 'TypeInstance',
             'DataSource')

# name of a type: its data sources, as (name, kind, minimum, maximum).
TYPES = {
    name: [(source, kind, *limits) for source in sources.split()]
    for name, sources, kind, *limits in (
        ('gauge', 'value', 'GAUGE', None, None),
        ('memory', 'value', 'GAUGE', 0, None),
        ('percent', 'value', 'GAUGE', 0, None),
        ('users', 'value', 'GAUGE', 0, None),
        ('load', 'shortterm midterm longterm', 'GAUGE', 0, None),
        ('derive', 'value', 'DERIVE', 0, None),
        ('counter', 'value', 'COUNTER', None, None),
        ('absolute', 'value', 'ABSOLUTE', 0, None),
        ('if_octets', 'rx tx', 'DERIVE', 0, None),
        ('disk_ops', 'read write', 'DERIVE', 0, None),
        # Not of collectd's own types.db: see TYPES_DB.
        ('bounded', 'value', 'COUNTER', 0, 1000),
        ('signed', 'value', 'DERIVE', None, None))
}
# Meta data that a filter chain attaches, by plugin; the daemon's environment.
META = {'web': {'team': 'blue'}}
ENVIRONMENT = {'STAGE': 'prod'}
TYPES['mixed'] = [('level', 'GAUGE', None, None), ('in', 'COUNTER', 0, 1000),
                  ('out', 'DERIVE', 0, None), ('seen', 'ABSOLUTE', 0, None)]
TYPES_DB = '''bounded value:COUNTER:0:1000
signed value:DERIVE:U:U
mixed level:GAUGE:U:U, in:COUNTER:0:1000, out:DERIVE:0:U, seen:ABSOLUTE:0:U
'''



class Undecided(Exception):
    """The manual does not say what happens."""


@dataclasses.dataclass(frozen=True)
class ValueList:
    """As collectd dispatches it; time and interval in seconds."""

    host: str
    plugin: str
    plugin_instance: str
    type: str
    type_instance: str
    time: float
    interval: float
    values: tuple

    @property
    def identifier(self):
        return (self.host, self.plugin, self.plugin_instance, self.type,
                self.type_instance)

    @property
    def second(self):
        return math.floor(self.time)

    def parts(self, source):
        """What templates name; the first six are those of selectors."""
        return {'host': self.host, 'plugin': self.plugin,
                'plugin_instance': self.plugin_instance, 'type': self.type,
                'type_instance': self.type_instance, 'ds': source,
                'meta:team': META.get(self.plugin, {}).get('team', ''),
                **{f'env:{name}': text for name, text in ENVIRONMENT.items()}}


@dataclasses.dataclass(frozen=True)
class Flush:
    """Asked for by command; see FLUSHING."""

    timeout: int


@dataclasses.dataclass
class Metric:
    """A <Metric> block; what is None has no line."""

    name: str
    select: dict = dataclasses.field(default_factory=dict)  # lists, by option
    Enabled: bool = None
    Unit: str = None
    OnNaN: str = None
    Counters: str = None
    Combine: str = None
    Scale: str = None
    Offset: str = None
    Round: str = None
    Statistics: str = None
    StorageResolution: int = None
    Namespace: str = None
    dimensions: dict = dataclasses.field(default_factory=dict)
    sets: list = dataclasses.field(default_factory=list)  # of lists of names


@dataclasses.dataclass
class Node:
    """A destination."""

    metrics: list
    FlushInterval: int = 60
    Protocol: str = None
    MaxMetrics: int = None
    Namespace: str = None
    dimensions: dict = dataclasses.field(default_factory=dict)
    sets: list = dataclasses.field(default_factory=list)


# ---- texts -------------------------------------------------------------------

def expand(template, parts):
    """TEMPLATES, without values of the instance."""
    def of(match):
        if match[0] == '%%':
            return '%'
        mark, name, text = match.groups()
        if parts.get(name, '') == '':
            return text or ''
        return (mark or '') + parts[name]
    return re.sub(r'%%|%\{([^\w|])?([\w:]+)(?:\|([^}]*))?\}', of, template)


def fits(selector, part):
    if selector.startswith('!'):
        return not fits(selector[1:], part)
    if len(selector) > 1 and selector[0] == selector[-1] == '/':
        return re.search(selector[1:-1], part) is not None
    return selector == part


def passes(selectors, part):
    """One of those without !, should there be any, and none of the others."""
    plain = [one for one in selectors if not one.startswith('!')]
    return (not plain or any(fits(one, part) for one in plain)) and all(
        fits(one, part) for one in selectors if one.startswith('!'))
