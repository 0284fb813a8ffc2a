"""How many worlds a document has, exactly, and fair draws from them, by dynamic programming.

Patients are told apart (labelled): two line lists that differ in the order of their rows are two worlds. The columns
fall into blocks that no rule or claim ties together. Where the claims fix how many patients have each value of one
column (the key, such as the group), blocks that meet in that column alone are independent, so the key ties nothing.
Within a block the patients are shared out among options (what rules and claims can tell apart in a patient), option by
option; a state is what has been given so far, as far as claims ask for it. Columns with a median, mean or standard
deviation get their values in a second stage, in as many ways as there are for the numbers of patients in each cell
(rows of such claims x values that rules and claims tell apart).
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import accumulate, combinations, product
from math import comb, factorial, inf, log10, prod

import numpy as np

from blina.claims.document import Claim, Document
from blina.claims.partition import atoms, elementary, profiles
from blina.linelist.columns import Column
from blina.linelist.predicate import AllOf, AnyOf, Not, Predicate, Within
from blina.linelist.table import Table
from blina.yamlfile import FileError

MOST_STATES = 250_000
MOST_PROFILES = 20_000  # of a block
STAGED = ("median", "mean", "sd")  # statistics whose values are given in the second stage
NOBODY = Not(AllOf())

Limits = tuple[int, int]  # least and greatest, both allowed; crossed if nothing is
Rule = tuple[Predicate, Predicate]  # whoever satisfies the first satisfies the second


class Uncountable(Exception):
    """The worlds of a document are not counted; the message says why in a sentence for its author."""


class _Budget:
    """States that may still be looked at."""

    def __init__(self, states: int):
        self.states = self.left = states

    def spend(self, states: int) -> None:
        self.left -= states
        if self.left < 0:
            raise Uncountable(f"the claims tie too much together: counting takes more than {self.states:,} states")


@dataclass(frozen=True)
class Counted:
    """The worlds of a document, counted.

    `worlds` is the number of labelled line lists for which there is one rounding mode under which every claim holds, 0
    if the claims contradict each other; `log10` its decimal logarithm (minus infinity for none).
    """

    worlds: int
    _mixture: _Mixture

    @property
    def log10(self) -> float:
        return log10(self.worlds) if self.worlds else -inf

    def draw(self, rng: random.Random) -> Table:
        """One world, each with the same chance. ValueError if there is none."""
        if not self.worlds:
            raise ValueError("the claims contradict each other: there is no world to draw")
        return self._mixture.draw(rng)


def count(document: Document, most_states: int = MOST_STATES) -> Counted:
    """The worlds of a document, exactly.

    Raises Uncountable where that would take more than `most_states` states of the dynamic programs in all, a state
    counted once for each way into it, or where a block of columns has more than MOST_PROFILES kinds of patients.
    """
    mixture = _Mixture(document, _Budget(most_states))
    return Counted(mixture.worlds, mixture)


# What claims demand, in whole numbers


def _demand(claim: Claim, modes: Sequence[str], n: int) -> object:
    """What a claim asks of n patients under every one of the modes at once; equal if it asks the same.

    count: Limits of the count. percent: the allowed (part, whole). min, max, range: Limits of each code. median: Limits
    of the two middle codes' sum. mean, sd: for m = 1, 2, ... patients Limits of the codes' sum and of m times the sum
    of squares less the squared sum.
    """

    def limits(interval, scale, low: int, high: int) -> Limits:
        least, greatest = interval.integers(scale)
        return (low if least is None else max(low, least), high if greatest is None else min(high, greatest))

    intervals, of, sizes = claim.intervals(*modes), claim.of, range(1, n + 1)
    match claim.statistic.name:
        case "count":
            return limits(intervals[0], 1, 0, n)
        case "percent":
            parts = ((m, limits(intervals[0], Fraction(100, m), 0, m)) for m in sizes)
            return frozenset((k, m) for m, (low, high) in parts for k in range(low, high + 1))
        case "min" | "max" | "range":
            return tuple(limits(interval, of.size, of.lowest, of.highest) for interval in intervals)
        case "median":
            return limits(intervals[0], of.size / 2, 2 * of.lowest, 2 * of.highest)
        case "mean":
            return tuple(limits(intervals[0], of.size / m, m * of.lowest, m * of.highest) for m in sizes)
        case "sd":
            ddof, widest = claim.statistic.ddof, (of.highest - of.lowest) ** 2
            return tuple(
                limits(intervals[0], of.size**2 / (m * (m - ddof)), 0, m * m * widest) if m > ddof else (1, 0)
                for m in sizes
            )
    raise Uncountable(f"worlds cannot be counted where a claim is on a {claim.statistic.name}")


def _ends(name: str, demand: tuple[Limits, ...]) -> list[tuple[str, Limits]]:
    """What a min, max or range demands: Limits of the code for each of min and max that it is about."""
    return list(zip(("min", "max") if name == "range" else (name,), demand, strict=True))


# The dynamic program: sharing patients out among options


@dataclass(frozen=True)
class _Option:
    """What patients of a group can be given: `weight` ways for each, and what each `adds` to which totals (>= 0)."""

    group: int
    weight: int
    adds: Mapping[int, int]


Factor = tuple[Sequence[int], Callable[..., int]]  # totals, and a number of ways that depends on their values


class _Tally:
    """Ways to give every patient of some groups one of the group's options so that totals over all patients are right.

    `groups`: their numbers of patients. `options`: those of a group one after the other. `limits`: of each total.
    `factors` multiply, 0 for not allowed. `ways` is the number of ways, patients told apart. Raises Uncountable if the
    budget does not suffice.

    A state is (patients of the group still without an option, open totals ...). `layers` has for each state before each
    step its edges, (patients who get the step's option, state afterwards, ways), with the running sums of their ways.
    """

    def __init__(self, groups: Sequence[int], options: Sequence[_Option], limits: Sequence[Limits],
                 factors: Sequence[Factor], budget: _Budget):  # fmt: skip
        self.size, self.ways = len(options), 0
        budget.spend(self.size)
        reach = _reach(groups, options, range(len(limits)))
        if any(low > most or high < least for (low, high), (least, most) in zip(limits, reach, strict=True)):
            return
        if {g for g, n in enumerate(groups) if n} - {option.group for option in options}:
            return  # somebody has no option
        self.steps = _plan(groups, options, limits, reach, factors)
        self.layers: list[dict[tuple[int, ...], tuple[list[int], list] | None]] = [{(0,): None}]
        for step in self.steps:
            here, after = self.layers[-1], {}
            for state in here:
                edges = step.edges(state)
                here[state] = [], edges
                budget.spend(1 + len(edges))
                after.update(dict.fromkeys(edge[1] for edge in edges))
            self.layers.append(after)
        ways = dict.fromkeys(self.layers[-1], 1)
        for layer in reversed(self.layers[:-1]):
            later, ways = ways, {}
            for state, (sums, edges) in layer.items():
                sums += accumulate(w * later[after] for _, after, w in edges)
                ways[state] = sums[-1] if sums else 0
        self.ways = ways[0,]

    def draw(self, rng: random.Random) -> list[int]:
        """How many patients get each of the options, in proportion to the ways."""
        shared, state = [0] * self.size, (0,)
        for step, layer in zip(self.steps, self.layers, strict=False):
            sums, edges = layer[state]
            shared[step.option], state, _ = edges[_choose(sums, rng)]
        return shared


@dataclass(frozen=True)
class _Step:
    """How one option is given to patients of its group, `starts` of them if it is the first of the group, else 0.

    Totals are read at a place of the state, -1 where they are not begun. `bounds`: (place, added, least, greatest, the
    most that a later patient of the group can add, the most that later groups can add). `moves`: (place, added, cap)
    for each total open afterwards. `factors`: those due, each with (place, added) for its arguments.
    """

    option: int
    weight: int
    starts: int
    is_last: bool  # of its group
    bounds: list[tuple[int, int, int, int, int, int]]
    moves: list[tuple[int, int, int]]
    factors: list[tuple[Callable[..., int], list[tuple[int, int]]]]

    def edges(self, state: tuple[int, ...]) -> list[tuple[int, tuple[int, ...], int]]:
        """(patients who get the option, state afterwards, ways) for all that the limits allow."""
        values = (*state, 0)  # so that place -1 reads 0
        rest = self.starts or state[0]
        fewest, most = rest if self.is_last else 0, rest
        for place, added, least, greatest, later, beyond in self.bounds:
            value = values[place]
            if added:
                most = min(most, (greatest - value) // added)
            # value + added x + later (rest - x) + beyond >= least, or the least can no longer be reached
            missing, gain = least - value - later * rest - beyond, added - later
            if gain > 0:
                fewest = max(fewest, -(-missing // gain))
            elif gain < 0:
                most = min(most, missing // gain)
            elif missing > 0:
                return []
        found = []
        for x in range(fewest, most + 1):
            ways = comb(rest, x) * self.weight**x
            for function, arguments in self.factors:
                ways *= ways and function(*[values[p] + c * x for p, c in arguments])
            if ways:
                after = [min(values[p] + c * x, cap) for p, c, cap in self.moves]
                found.append((x, (rest - x, *after), ways))
        return found


def _plan(groups, options, limits, reach, factors) -> list[_Step]:
    """The steps of a tally (see there), an option each; `reach`: Limits of each total that any sharing out keeps."""
    used = [k for k, option in enumerate(options) if groups[option.group]]
    wanted = {t for totals, _ in factors for t in totals}
    first, last = {}, {}  # step at which a total is first and last added to, if it need be known
    for step, k in enumerate(used):
        for t, added in options[k].adds.items():
            if added and (t in wanted or limits[t][0] > reach[t][0] or limits[t][1] < reach[t][1]):
                first.setdefault(t, step)
                last[t] = step
    due = [max((last[t] for t in totals if t in last), default=0) for totals, _ in factors]
    until = dict(last)
    for (totals, _), end in zip(factors, due, strict=True):
        until |= {t: max(until[t], end) for t in totals if t in last}
    # Beyond the least that is asked for, a total without an upper limit need not be known.
    caps = {t: reach[t][1] if t in wanted or limits[t][1] < reach[t][1] else limits[t][0] for t in first}
    steps: list[_Step] = []
    later, beyond = dict.fromkeys(first, 0), dict.fromkeys(first, 0)
    for step in reversed(range(len(used))):
        option, following = options[used[step]], options[used[step + 1]] if steps else None
        is_last = not steps or following.group != option.group
        if steps and is_last:
            beyond = {t: most + later[t] * groups[following.group] for t, most in beyond.items()}
            later = dict.fromkeys(first, 0)
        is_first = not step or options[used[step - 1]].group != option.group
        place = {t: i for i, t in enumerate((t for t in first if first[t] < step <= until[t]), start=1)}
        read = {t: (place.get(t, -1), option.adds.get(t, 0)) for t in {**first, **dict.fromkeys(wanted)}}
        steps.append(_Step(
            used[step], option.weight, groups[option.group] if is_first else 0, is_last,
            bounds=[(*read[t], *limits[t], later[t], beyond[t]) for t in first if first[t] <= step <= last[t]],
            moves=[(*read[t], caps[t]) for t in first if first[t] <= step < until[t]],
            factors=[(way, [read[t] for t in totals]) for (totals, way), end in zip(factors, due, strict=True)
                     if end == step],
        ))  # fmt: skip
        later |= {t: max(later[t], c) for t, c in option.adds.items() if t in first}
    return steps[::-1]


def _reach(groups: Sequence[int], options: Sequence[_Option], totals: Iterable[int]) -> list[Limits]:
    """The least and greatest value of each total if any patient can have any option of the group."""
    reach = []
    members = [(n, [option.adds for option in options if option.group == g]) for g, n in enumerate(groups) if n]
    for t in totals:
        added = [(n, [adds.get(t, 0) for adds in mine]) for n, mine in members if mine]
        reach.append((sum(n * min(each) for n, each in added), sum(n * max(each) for n, each in added)))
    return reach


def _choose(sums: Sequence[int], rng: random.Random) -> int:
    """Place of one of the weights whose running sums are given, in proportion to them."""
    return bisect_right(sums, rng.randrange(sums[-1])) if len(sums) > 1 else 0


# Second stage: values of one column, given how many patients lie in each cell


@dataclass(frozen=True)
class _Cell:
    """Patients who are in the rows of the same claims on a column, with a code from `low` to `high`."""

    claims: frozenset[int]
    low: int
    high: int


@dataclass(frozen=True)
class _Measure:
    """Sum of a power (0: number, 1: sum, 2: squares) of the codes from `low` to `high` in some cells."""

    cells: frozenset[int]
    low: int
    high: int
    power: int = 0


Condition = tuple[_Measure, int, float]  # least and greatest
Spread = tuple[tuple[_Measure, _Measure], Callable[[int, int], int]]  # sum, squares; whether they are allowed


class _Numbers:
    """Ways to give patients a value of one column each so that claims on it hold; none of them has two values.

    `claims`: statistic of each claim, by its number. `cells`: sets of patients that the claims do not tell apart;
    `cell_of` each profile (-1: in none). What the claims demand (see `_demand`) is given by its place in `demands`.
    """

    def __init__(
        self, column: Column, claims: dict[int, str], cells: Sequence[_Cell], cell_of: np.ndarray, budget: _Budget
    ):
        self.column, self.claims, self.cells, self.cell_of, self.budget = column, claims, cells, cell_of, budget
        self.lowest, self.highest = column.lowest, column.highest
        self.demands: list[tuple] = []
        self._known: dict[tuple, tuple[list[int], list]] = {}

    def place(self, demands: tuple) -> int:
        """The place of what these demands, of all claims, are for the claims on this column."""
        asked = tuple(demands[c] for c in self.claims)
        if asked not in self.demands:
            self.demands.append(asked)
        return self.demands.index(asked)

    def ways(self, demand: int, *counts: int) -> int:
        """Number of ways if the cells have so many patients."""
        sums, _ = self._cases(demand, counts)
        return sums[-1] if sums else 0

    def draw(self, demand: int, counts: tuple[int, ...], rng: random.Random) -> list[list[int]]:
        """For each cell the codes of its patients, in random order."""
        sums, cases = self._cases(demand, counts)
        tally, stretches = cases[_choose(sums, rng)]
        drawn: list[list[int]] = [[] for _ in counts]
        for x, (cell, low, high) in zip(tally.draw(rng), stretches, strict=True):
            drawn[cell] += [low + rng.randrange(high - low + 1) for _ in range(x)]
        for codes in drawn:
            rng.shuffle(codes)
        return drawn

    def _cases(self, demand: int, counts: tuple[int, ...]) -> tuple[list[int], list]:
        """Disjoint cases, each a tally with its stretches of codes, and the running sums of their ways."""
        if (demand, counts) not in self._known:
            cases = [self._tally(counts, *case) for case in self._conditions(demand, counts)]
            possible = [case for case in cases if case[0].ways]
            self._known[demand, counts] = list(accumulate(tally.ways for tally, _ in possible)), possible
        return self._known[demand, counts]

    def _conditions(self, demand: int, counts: tuple[int, ...]) -> Iterator[tuple[list[Condition], list[Spread]]]:
        """What must hold in each of some disjoint cases; nothing if a claim is about nobody."""
        lowest, highest = self.lowest, self.highest
        always: list[Condition] = []
        spreads, medians, spans = [], [], {}
        for (c, name), asked in zip(self.claims.items(), self.demands[demand], strict=True):
            who = frozenset(i for i, cell in enumerate(self.cells) if c in cell.claims and counts[i])
            n = sum(counts[i] for i in who)
            if not n:
                return
            span = spans.setdefault(who, [min(self.cells[i].low for i in who), max(self.cells[i].high for i in who)])
            match name:
                case "mean":
                    low, high = asked[n - 1]  # measures are of codes above the lowest: they are not negative
                    always.append((_Measure(who, lowest, highest, 1), low - n * lowest, high - n * lowest))
                case "sd":
                    pair = _Measure(who, lowest, highest, 1), _Measure(who, lowest, highest, 2)
                    always += [(measure, 0, inf) for measure in pair]
                    spreads.append((pair, _spread(n, *asked[n - 1])))
                case "median":
                    medians.append((who, n, *asked, span))
                case _:
                    for end, (low, high) in _ends(name, asked):
                        beyond = (lowest, low - 1) if end == "min" else (high + 1, highest)
                        always += [(_Measure(who, *beyond), 0, 0), (_Measure(who, low, high), 1, n)]
                        span[0] = max(span[0], low) if end == "min" else span[0]
                        span[1] = min(span[1], high) if end == "max" else span[1]
        for case in product(*(self._middles(*median) for median in medians)):
            yield always + [condition for conditions in case for condition in conditions], spreads

    def _middles(
        self, who: frozenset[int], n: int, low: int, high: int, span: tuple[int, int]
    ) -> Iterator[list[Condition]]:
        """Disjoint ways for the two middle codes of n patients, within the span, to add up to `low` to `high`."""
        lowest, (least, greatest) = self.lowest, span
        below, half = (n - 1) // 2, n // 2
        if n % 2:
            bottom, top = max(least, -(-low // 2)), min(greatest, high // 2)
            if bottom <= top:
                yield [(_Measure(who, lowest, bottom - 1), 0, below), (_Measure(who, lowest, top), half + 1, n)]
            return
        for lower in range(max(least, low - greatest), min(greatest, high // 2) + 1):
            bottom, top = max(lower, low - lower), min(greatest, high - lower)
            if bottom <= top:
                yield [
                    (_Measure(who, lowest, lower - 1), 0, below),
                    (_Measure(who, lowest, lower), below + 1, n),
                    (_Measure(who, lowest, bottom - 1), 0, half),
                    (_Measure(who, lowest, top), half + 1, n),
                ]

    def _tally(self, counts: tuple[int, ...], conditions: Iterable[Condition], spreads: Iterable[Spread]) -> tuple:
        """The tally of a case, and for each of its options (cell, least code, greatest code)."""
        limits: dict[_Measure, tuple[int, float]] = {}
        for measure, low, high in conditions:
            least, greatest = limits.get(measure, (0, inf))
            limits[measure] = max(low, least), min(high, greatest)
        factors = [(tuple(map(list(limits).index, pair)), allowed) for pair, allowed in spreads]
        stretches, options = [], []
        for i, cell in enumerate(self.cells):
            if not counts[i]:
                continue
            mine = [(t, measure) for t, measure in enumerate(limits) if i in measure.cells]
            starts = sorted({cell.low, *(c for _, m in mine for c in (m.low, m.high + 1) if cell.low < c <= cell.high)})
            if any(measure.power for _, measure in mine):
                starts = list(range(cell.low, cell.high + 1))
            for low, high in zip(starts, [start - 1 for start in starts[1:]] + [cell.high], strict=True):
                adds = {t: (low - self.lowest) ** m.power for t, m in mine if m.low <= low <= m.high}
                stretches.append((i, low, high))
                options.append(_Option(i, high - low + 1, adds))
        return _Tally(counts, options, list(limits.values()), factors, self.budget), stretches


def _spread(n: int, low: int, high: int) -> Callable[[int, int], int]:
    return lambda total, squares: int(low <= n * squares - total * total <= high)


# First stage: one block of columns


class _Block:
    """Columns that rules and claims tie together; where they are tied to the key, patients are grouped by its values.

    `names`: the columns whose values are given here; `sizes`: number of patients in each group. Raises Uncountable
    where the columns have too many profiles.
    """

    def __init__(self, model: _Mixture, names: list[str]):
        self.document, self.budget, self.names, claims = model.document, model.budget, names, model.document.claims
        columns = {*names, model.key} - {None}
        rules = [rule for rule in model.rules if _columns(*rule) <= columns]
        # What asks no column, or the key only, belongs to one block: the first.
        is_first = names[0] == (model.key or next(iter(self.document.columns)))
        self.claims = [
            i for i in model.claims if (about := _about(claims[i])) <= columns and (about & {*names} or is_first)
        ]
        ties = [_about(claims[i]) for i in self.claims] + [_columns(*rule) for rule in rules]
        key = model.key if any(model.key in tied and tied & {*names} for tied in ties) else None
        self.sizes = model.sizes if key else (self.document.patients,)
        whole = {name: column for name, column in self.document.columns.items() if name in names or name == key}
        try:
            self.profiles = profiles(whole, model.cut, rules, MOST_PROFILES)
        except FileError as error:
            raise Uncountable(str(error)) from None
        self.table = self.profiles.table
        self.group = self.profiles.index[key] if key else np.zeros(len(self.profiles), np.int64)
        self.numbers = self._numbers()
        self.staged = {c for numbers in self.numbers for c in numbers.claims}
        self.fields = [self._fields(profile) for profile in range(len(self.profiles))]
        self.weights = [prod(size for _, _, size, _ in chosen) for chosen, _ in self.fields]
        self._deals: dict[tuple, _Deal] = {}

    def with_value(self, claim: Claim) -> np.ndarray:
        """Mask of the profiles among a claim's rows that have a value in its column."""
        return claim.rows.holds(self.table) & ~self.table.blank[claim.of.name]

    def _numbers(self) -> list[_Numbers]:
        """The second stages: one for the claims on a column that share patients."""
        found, claims = [], self.document.claims
        staged = {claims[c].of.name for c in self.claims if claims[c].statistic.name in STAGED}
        for name in (name for name in self.names if name in staged):
            mine = [c for c in self.claims if isinstance(claims[c].of, Column) and claims[c].of.name == name]
            among = np.column_stack([self.with_value(claims[c]) for c in mine])
            ties = [[c for c, inside in zip(mine, row, strict=True) if inside] for row in np.unique(among, axis=0)]
            for together in _components(mine, ties):
                known: dict[_Cell, int] = {}
                cell_of = np.full(len(self.profiles), -1, np.int64)
                inside = among[:, [c in together for c in mine]]
                for p in np.flatnonzero(inside.any(axis=1)):
                    atom = self.profiles.atoms[name][self.profiles.index[name][p]]
                    rows = frozenset(c for c, chosen in zip(together, inside[p], strict=True) if chosen)
                    cell_of[p] = known.setdefault(_Cell(rows, atom.low, atom.high), len(known))
                statistics = {c: claims[c].statistic.name for c in together}
                found.append(_Numbers(self.document.columns[name], statistics, list(known), cell_of, self.budget))
        return found

    def deal(self, demands: tuple) -> _Deal:
        """The ways to give the columns their values if the claims demand this (see `_demand`)."""
        key = tuple(demands[c] for c in self.claims)
        if key not in self._deals:
            self._deals[key] = _Deal(self, demands)
        return self._deals[key]

    def _fields(self, profile: int) -> tuple[list[tuple[str, int, int, bool]], list[tuple[int, int]]]:
        """What a profile says: (column, least code, number of codes, blank), and (number, cell) of second stages."""
        cells = [(f, int(x.cell_of[profile])) for f, x in enumerate(self.numbers) if x.cell_of[profile] >= 0]
        now = [name for name in self.names if name not in {self.numbers[f].column.name for f, _ in cells}]
        chosen = [(name, self.profiles.atoms[name][self.profiles.index[name][profile]]) for name in now]
        return [(name, atom.low, atom.size, atom.blank) for name, atom in chosen], cells


class _Deal:
    """A block with what the claims demand of it: number of ways, and draws."""

    def __init__(self, block: _Block, demands: tuple):
        self.block, n = block, sum(block.sizes)
        masks: list[np.ndarray] = []
        limits: list[Limits] = []
        known: dict[bytes, int] = {}

        def total(mask: np.ndarray, low: int = 0, high: int = n) -> int:
            t = known.setdefault(mask.tobytes(), len(masks))
            if t == len(masks):
                masks.append(mask)
                limits.append((0, n))
            limits[t] = max(low, limits[t][0]), min(high, limits[t][1])
            return t

        shares = []
        for c in block.claims:
            claim = block.document.claims[c]
            if c in block.staged:
                continue
            if claim.statistic.name == "count":
                total(claim.rows.holds(block.table), *demands[c])
            elif claim.statistic.name == "percent":
                rows = claim.rows.holds(block.table)
                shares.append((total(rows & claim.of.holds(block.table)), total(rows), demands[c]))
            else:
                rows, codes = block.with_value(claim), block.table.codes[claim.of.name]
                for end, (low, high) in _ends(claim.statistic.name, demands[c]):
                    total(rows & (codes < low if end == "min" else codes > high), 0, 0)
                    total(rows & (codes >= low) & (codes <= high), 1)
        # Profiles in the same group, totals and cells make one option.
        kinds = np.column_stack([block.group, *masks, *(numbers.cell_of for numbers in block.numbers)])
        kinds, option_of = np.unique(kinds, axis=0, return_inverse=True)
        self.members: list[list[int]] = [[] for _ in kinds]
        for profile, k in enumerate(option_of.ravel().tolist()):
            self.members[k].append(profile)
        factors: list[Factor] = []
        cell_total = {}
        self.asked = [numbers.place(demands) for numbers in block.numbers]
        for f, (numbers, asked) in enumerate(zip(block.numbers, self.asked, strict=True)):
            totals = range(len(limits), len(limits) + len(numbers.cells))
            cell_total |= {(f, cell): t for cell, t in enumerate(totals)}
            limits += [(0, n)] * len(totals)
            factors.append((totals, partial(numbers.ways, asked)))
        options = []
        for kind, members in zip(kinds.tolist(), self.members, strict=True):
            adds = {t: 1 for t, inside in enumerate(kind[1 : 1 + len(masks)]) if inside}
            adds |= {cell_total[f, cell]: 1 for f, cell in enumerate(kind[1 + len(masks) :]) if cell >= 0}
            options.append(_Option(kind[0], sum(block.weights[p] for p in members), adds))
        for part, whole, allowed in shares:
            ((least, greatest),) = _reach(block.sizes, options, [whole])
            parts = [k for k, m in allowed if least <= m <= greatest]
            limits[part] = max(limits[part][0], min(parts, default=1)), min(limits[part][1], max(parts, default=0))
            if least < greatest:  # else the limits say it: parts of one whole follow each other
                factors.append(((part, whole), lambda part, whole, allowed=allowed: int((part, whole) in allowed)))
        self.groups = [option.group for option in options]
        self.tally = _Tally(block.sizes, options, limits, factors, block.budget)
        self.ways = self.tally.ways
        self._sums = [list(accumulate(block.weights[p] for p in mine)) for mine in self.members]

    def draw(self, rng: random.Random, groups: Sequence[list[int]], codes: Mapping, blank: Mapping) -> None:
        """Give the patients of each group values in the block's columns: `codes` and `blank` by column and patient."""
        queues = [rng.sample(patients, len(patients)) for patients in groups]
        in_cell: dict[tuple[int, int], list[int]] = {}
        for k, (x, group) in enumerate(zip(self.tally.draw(rng), self.groups, strict=True)):
            for _ in range(x):
                patient = queues[group].pop()
                fields, cells = self.block.fields[self.members[k][_choose(self._sums[k], rng)]]
                for name, low, size, empty in fields:
                    blank[name][patient] = empty
                    codes[name][patient] = low + rng.randrange(size) if size > 1 else low
                for cell in cells:
                    in_cell.setdefault(cell, []).append(patient)
        for f, (numbers, asked) in enumerate(zip(self.block.numbers, self.asked, strict=True)):
            cells = [in_cell.get((f, i), []) for i in range(len(numbers.cells))]
            for patients, drawn in zip(cells, numbers.draw(asked, tuple(map(len, cells)), rng), strict=True):
                for patient, code in zip(patients, drawn, strict=True):
                    codes[numbers.column.name][patient] = code


def _components(nodes: Iterable, ties: Iterable[Iterable]) -> list[list]:
    """Nodes in groups that the ties (each some of the nodes) hold together, in the order of the nodes."""
    nodes = list(nodes)
    groups = [{node} for node in nodes]
    for tie in map(set, ties):
        tied = [group for group in groups if group & tie]
        groups = [group for group in groups if not group & tie] + ([set().union(*tied)] if tied else [])
    groups.sort(key=lambda group: min(map(nodes.index, group)))
    return [[node for node in nodes if node in group] for group in groups]


# The document as a whole


class _Mixture:
    """The worlds of a document: a union over rounding modes, each a product over blocks."""

    def __init__(self, document: Document, budget: _Budget):
        self.document, self.budget, claims = document, budget, document.claims
        by_mode = {m: tuple(_demand(claim, (m,), document.patients) for claim in claims) for m in document.modes}
        self.modes = list({demands: mode for mode, demands in reversed(by_mode.items())}.values())[::-1]
        # Claims that some of the modes see differently tell which modes a line list satisfies.
        self.telling = [c for i, c in enumerate(claims) if len({by_mode[m][i] for m in self.modes}) > 1]
        asked = [by_mode[mode] for mode in self.modes]
        # That nobody satisfies something is a rule, which may tie fewer columns together than a claim.
        empty = {i for i, c in enumerate(claims) if c.statistic.name == "count" and {d[i] for d in asked} == {(0, 0)}}
        self.rules = list(_split((rule.when, rule.then) for rule in document.rules))
        self.rules += _split((claims[i].rows, NOBODY) for i in empty)
        self.claims = [i for i in range(len(claims)) if i not in empty]
        self.cut = self._cut(asked)
        fixed = {name: sizes for name in document.columns if (sizes := self._fixed(name, asked))}
        self.key = min((None, *fixed), key=self._cost)
        self.sizes = fixed.get(self.key, (document.patients,))
        self.blocks = [_Block(self, names) for names in ([[self.key]] if self.key else []) + self._names(self.key)]
        orders = factorial(document.patients) // prod(map(factorial, self.sizes))
        self.worlds = 0
        self._deals: list[tuple[int, list[_Deal]]] = []  # ways and each block's deal, for each mode
        for size in range(1, len(self.modes) + 1):
            for modes in combinations(self.modes, size):
                # What each of the modes asks for, all of them do.
                demands = tuple(
                    each[0] if len(set(each)) == 1 else _demand(claim, modes, document.patients)
                    for claim, *each in zip(claims, *(by_mode[mode] for mode in modes), strict=True)
                )
                deals = [block.deal(demands) for block in self.blocks]
                ways = prod(deal.ways for deal in deals)
                self.worlds -= (-1) ** size * ways * orders
                if size == 1:
                    self._deals.append((ways, deals))
        self._sums = list(accumulate(ways for ways, _ in self._deals))

    def _cut(self, asked: Sequence[tuple]) -> dict[str, tuple]:
        """The atoms of each column: values that no rule and, by what the modes ask, no claim tells apart."""
        claims = [(i, self.document.claims[i]) for i in self.claims]
        predicates = [predicate for rule in self.rules for predicate in rule]
        predicates += [claim.rows for _, claim in claims]
        predicates += [claim.of for _, claim in claims if claim.statistic.name == "percent"]
        conditions: dict[str, set[Within]] = {name: set() for name in self.document.columns}
        for leaf in (leaf for predicate in predicates for leaf in elementary(predicate)):
            conditions[leaf.column].add(leaf)
        staged = {claim.of.name for _, claim in claims if claim.statistic.name in STAGED}
        for i, claim in claims:
            if claim.statistic.name in ("min", "max", "range") and claim.of.name not in staged:
                ends = {pair for demands in asked for pair in demands[i]}
                conditions[claim.of.name] |= {Within(claim.of.name, low, high) for low, high in ends}
        return {name: atoms(column, conditions[name]) for name, column in self.document.columns.items()}

    def _fixed(self, name: str, asked: Sequence[tuple]) -> tuple[int, ...] | None:
        """How many patients have each atom of a column if single claims fix that, and no claim is on its values."""
        cut, claims = self.cut[name], list(enumerate(self.document.claims))
        if len(cut) < 2 or any(isinstance(claim.of, Column) and claim.of.name == name for _, claim in claims):
            return None
        table = profiles({name: self.document.columns[name]}, {name: cut}).table
        sizes: dict[int, int] = {}
        for i, claim in claims:
            if claim.statistic.name == "count" and claim.rows.column_names() == {name}:
                inside, limits = np.flatnonzero(claim.rows.holds(table)), {demands[i] for demands in asked}
                low, high = limits.pop()
                if len(inside) == 1 and low == high and not limits:
                    sizes[int(inside[0])] = low
        rest = self.document.patients - sum(sizes.values())
        if rest < 0 or len(sizes) < len(cut) - 1:
            return None
        return tuple(sizes.get(a, rest) for a in range(len(cut)))

    def _names(self, key: str | None) -> list[list[str]]:
        """The columns of each block, the key aside."""
        ties = [_columns(*rule) - {key} for rule in self.rules]
        ties += [_about(self.document.claims[i]) - {key} for i in self.claims]
        return _components([name for name in self.document.columns if name != key], ties)

    def _cost(self, key: str | None) -> int:
        own = len(self.cut[key]) if key else 1
        return sum(prod(len(self.cut[name]) for name in names) * own for names in self._names(key))

    def draw(self, rng: random.Random) -> Table:
        while True:
            table = self._draw(self._deals[_choose(self._sums, rng)][1], rng)
            # A world that several modes allow is drawn for each of them: keep one in so many.
            if rng.randrange(self._satisfied(table)) == 0:
                return table

    def _satisfied(self, table: Table) -> int:
        values = [(c, c.statistic.values(table, c.rows.holds(table), c.of)) for c in self.telling]
        return sum(
            all(v in i for c, found in values for v, i in zip(found, c.intervals(mode), strict=True))
            for mode in self.modes
        )

    def _draw(self, deals: list[_Deal], rng: random.Random) -> Table:
        n, columns = self.document.patients, self.document.columns
        codes, blank = {name: [0] * n for name in columns}, {name: [False] * n for name in columns}
        everybody = rng.sample(range(n), n)
        ends = [0, *accumulate(self.sizes)]
        groups = [everybody[a:b] for a, b in zip(ends, ends[1:], strict=False)]
        for deal in deals:
            deal.draw(rng, groups if len(deal.block.sizes) > 1 else [everybody], codes, blank)
        width = max(2, len(str(n)))
        return Table(
            columns,
            {name: np.array(codes[name], np.int64) for name in columns},
            {name: np.array(blank[name], bool) for name in columns},
            tuple(f"P{i:0{width}d}" for i in range(1, n + 1)),
            reconstructed=True,
        )


def _about(claim: Claim) -> set[str]:
    """Columns that a claim ties together."""
    of = claim.of
    more = set() if of is None else {of.name} if isinstance(of, Column) else of.column_names()
    return claim.rows.column_names() | more


def _columns(*predicates: Predicate) -> set[str]:
    return set().union(*(predicate.column_names() for predicate in predicates))


def _split(rules: Iterable[Rule]) -> Iterator[Rule]:
    """The same rules in smaller pieces, which tie fewer columns together."""
    for when, then in rules:
        if isinstance(when, AnyOf):
            yield from _split((part, then) for part in when.parts)
        elif isinstance(then, AllOf) and then.parts:
            yield from _split((when, part) for part in then.parts)
        else:
            yield when, then
