"""model_random: configurations and streams of values for model.py, by chance.

    dice = random.Random(seed)
    now, steps = stream(dice)
    node = configuration(dice, steps)

They are made to meet: selectors are of what is in the stream, times lie around
the bounds of periods, slots and flushes, and now and then all is odd.
"""

import math

from model_input import SELECTORS, TYPES, Flush, Metric, Node, ValueList

DAY = 86400
TWO_WEEKS_S = 14 * DAY

# ---- values ------------------------------------------------------------------

HOSTS = ('h1', 'h2')
PLUGINS = ('p', 'q', 'web')
INSTANCES = ('', '', '0', '1', 'a b')
TYPE_INSTANCES = ('', '', 'a', 'b', 'free', 'used.x')
STYLES = (
    lambda dice: float(dice.randint(0, 9)),
    lambda dice: dice.randint(-4000, 4000) / 8,
    lambda dice: dice.randint(-50, 50) / 10,
    lambda dice: dice.uniform(-1, 1) * 10.0 ** dice.randint(-9, 9),
)
ODD = (math.nan, math.inf, -math.inf, 1e109, -1e109, 2.0 ** 360, -0.0, 1e-110,
       5e-324, 0.5, -1.5, 2.5, 1e300)


class Source:
    """One identifier, and what it reports one after the other."""

    def __init__(self, dice, interval, kind=None):
        self.dice = dice
        self.interval = interval
        self.type = kind or dice.choice([*TYPES, 'gauge', 'gauge', 'derive'])
        self.names = (dice.choice(HOSTS), dice.choice(PLUGINS),
                      dice.choice(INSTANCES), self.type,
                      dice.choice(TYPE_INSTANCES))
        self.phase = dice.randrange(8 * max(1, int(interval))) / 8
        self.style = dice.choice(STYLES)
        self.is_odd = dice.random() < 0.3
        self.numbers = [self._start(kind) for _, kind, *_ in TYPES[self.type]]

    def _start(self, kind):
        if kind == 'COUNTER':
            return self.dice.choice(
                (0, 2 ** 32 - 100, 2 ** 32 + 5, 2 ** 64 - 200, 2 ** 53 + 1))
        return self.dice.choice((0, 1000, 2 ** 40))

    def _next(self, i, kind, low):
        dice = self.dice
        if kind == 'GAUGE':
            if self.is_odd and dice.random() < 0.2:
                return dice.choice(ODD)
            return self.style(dice)
        if kind == 'ABSOLUTE':
            return dice.randint(0, 500)
        step = dice.choice((0, 1, 10, 60, 100, 1000, 30000))
        if dice.random() < 0.1:  # reset
            self.numbers[i] = dice.randint(0, 100)
        elif kind == 'DERIVE' and low is None and dice.random() < 0.3:
            self.numbers[i] -= step
        else:
            self.numbers[i] += step
        if kind == 'COUNTER':
            self.numbers[i] %= 2 ** dice.choice((32, 64))
        return self.numbers[i]

    def report(self, time):
        return ValueList(*self.names, time, self.interval, tuple(
            self._next(i, kind, low) for i, (_, kind, low, _) in
            enumerate(TYPES[self.type])))


def readings(dice, now):
    """(time of coming, value list) of all sources."""
    usual = dice.choice((10, 10, 10, 1, 2.5, 20, 60))
    rounds = dice.randint(2, 12)
    span = rounds * usual
    begin = now - dice.choice((0, 0, 5, 300, 900)) - math.ceil(span)
    sources = {source.names: source for source in (
        Source(dice, usual if dice.random() < 0.85 else
               dice.choice((0.5, 5, 7, 30)))
        for _ in range(dice.randint(2, 8)))}.values()
    for source in sources:
        count = min(40, math.ceil(span / source.interval))
        for time in (begin + source.phase + k * source.interval
                     for k in range(count)):
            if dice.random() < 0.9:
                yield time, source.report(time)
            if dice.random() < 0.05:
                yield time, source.report(
                    time + dice.choice((0, 0, 0.5, -usual, usual, -61)))
            if dice.random() < 0.01:
                yield time, source.report(now + dice.choice(
                    (5, 30, 200, 4000, 8000, -13 * DAY, -15 * DAY)))
    if dice.random() < 0.25:  # more than fit into one datum
        source = Source(dice, 10, 'gauge')
        source.is_odd = False
        numbers = dice.sample(range(1000), dice.choice((149, 150, 151, 301)))
        source.style = lambda dice: numbers.pop() / 8
        at = now // 60 * 60 - dice.choice((60, 600))
        for k in range(len(numbers)):
            yield begin, source.report(at + k / 8)


def stream(dice):
    """(now, steps): value lists and flushes, in the order of their coming."""
    now = 1700000000 + dice.randrange(10 * DAY)
    steps = []
    for _, value_list in sorted(
            readings(dice, now),
            key=lambda one: one[0] + (dice.random() < 0.1) * dice.choice(
                (0.5, 10, 30))):
        steps.append(value_list)
        if dice.random() < 0.03:  # as a filter chain may write it
            steps.append(value_list)
    for _ in range(dice.choice((0, 0, 1, 2, 4))):
        steps.insert(dice.randint(1, len(steps)), Flush(dice.choice(
            (0, 0, 1, 10, 60, 120, 300, 600))))
    return now, steps


# ---- configurations ----------------------------------------------------------

NAMES = ('', ' %{type_instance}', '%{.plugin}%{-plugin_instance}',
         ' %{host}/%{type_instance|none}', '%{.type}%{.type_instance}%{.ds}',
         ' 100%% %{ds|one}', '%{plugin_instance|}%{type}',
         '%{-meta:team} %{env:STAGE}')
VALUES = ('%{host}', '%{plugin}%{:plugin_instance}', '%{type_instance}',
          '%{type_instance|all}', 'front', '%{ds}', '%{plugin_instance}',
          '%{meta:team}', '%{/env:STAGE}%{env:MISSING}')
NAMESPACES = ('MyApp', '%{meta:team|nobody}', 'Fleet/%{plugin}',
              '%{type_instance}', '%{host}.%{type}')
SCALES = ('1', '2', '8', '0.5', '0.001', '-1', '0.00000095367431640625', '100',
          '1000000')
OFFSETS = ('0', '0.25', '32', '-273.15')


def maybe(dice, share, *choices):
    return dice.choice(choices) if dice.random() < share else None


def parts_of(value_list):
    """By the names of SELECTORS; DataSource as a list."""
    return dict(zip(SELECTORS, (*value_list.identifier, [
        name for name, *_ in TYPES[value_list.type]])))


def selector(dice, part):
    """Something that takes, or misses, a part."""
    plain = part.replace('.', '\\.')
    chosen = dice.choice((
        part, part, part, f'/^{plain}$/', f'/{plain[:1]}/', f'/{plain[-1:]}$/',
        '/^[a-p0-9]*$/', '/e|a/', '/./', part[:1]))
    if chosen in ('//', '/$/', '/^$/'):
        chosen = ''
    return ('!' if dice.random() < 0.2 else '') + chosen


def selectors(dice, lists):
    found = {}
    for _ in range(dice.choice((0, 1, 1, 2, 2, 3))):
        option = dice.choice(SELECTORS)
        lines = []
        for _ in range(dice.choice((1, 1, 2))):
            part = parts_of(dice.choice(lists))[option]
            if isinstance(part, list):
                part = dice.choice(part)
            lines.append(selector(dice, part))
        found[option] = lines
    return found


def dimensions(dice, share):
    if dice.random() > share:
        return {}
    return {name: dice.choice(VALUES) for name in
            dice.sample(('Host', 'Tier', 'Which'), dice.randint(1, 3))}


def sets(dice, names):
    if not names or dice.random() < 0.4:
        return []
    if dice.random() < 0.3:  # for the host, and for all hosts
        return dice.sample([[], names[:1], names], 3)
    return [dice.sample(names, dice.randint(0, len(names)))
            for _ in range(dice.randint(1, 3))]


def blocks(dice, letter, lists, outside):
    """One or two blocks that may feed one series."""
    count = dice.choice((1, 1, 2))
    common = {
        'Unit': maybe(dice, 0.5, 'Count', 'Bytes/Second', 'Milliseconds'),
        'Combine': maybe(dice, 0.4, 'sum', 'average', 'min', 'max', 'count'),
        'Statistics': maybe(dice, 0.6, 'values', 'set', 'last', 'average',
                            'max', 'min'),
        'StorageResolution': maybe(dice, 0.3, 1, 60)}
    name = letter + dice.choice(NAMES)
    for _ in range(count):
        own = dimensions(dice, 0.3)
        # Blocks of one metric must agree in what their Unit comes to.
        is_free = count == 1 or common['Unit'] is not None
        yield Metric(
            name if dice.random() < 0.8 else letter + dice.choice(NAMES),
            selectors(dice, lists), **common,
            Enabled=maybe(dice, 0.1, True, True, False),
            OnNaN=maybe(dice, 0.3, 'zero', 'zero', 'drop'),
            Counters=maybe(dice, 0.4 * is_free, 'rate', 'delta', 'raw'),
            Scale=maybe(dice, 0.3 * is_free, *SCALES),
            Offset=maybe(dice, 0.2, *OFFSETS),
            Round=maybe(dice, 0.2, 'ceil', 'floor', 'nearest'),
            Namespace=maybe(dice, 0.2, *NAMESPACES), dimensions=own,
            sets=sets(dice, sorted({**outside, **own})))


def configuration(dice, steps):
    lists = [step for step in steps if isinstance(step, ValueList)]
    most = maybe(dice, 0.2, 2, 3, 4, 5, 6, 8)
    outside = dimensions(dice, 0.5 if most is None else 0.9)
    metrics = [metric for letter in 'ABCD'[:dice.randint(1, 4)]
               for metric in blocks(dice, letter, lists, outside)]
    dice.shuffle(metrics)
    return Node(
        metrics, FlushInterval=dice.choice((1, 7, 10, 25, 60, 60, 300, 86400)),
        Protocol=maybe(dice, 0.2, 'query', 'json'),
        MaxMetrics=most,
        Namespace=maybe(dice, 0.3, *NAMESPACES), dimensions=outside,
        sets=sets(dice, sorted(outside)))
