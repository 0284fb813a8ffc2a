"""How many worlds a document has, exactly, and fair draws from them, by dynamic programming.

Patients are told apart (labelled): two line lists that differ in the order of their rows are two worlds. The columns
fall into blocks that no rule or claim ties together. Where the claims fix how many patients have each value of one
column (the key, such as the group), blocks that meet in that column alone are independent given its values, and a block
falls into further parts by the key where no claim looks across. Within a part the patients are shared out among
options (what the claims can tell apart in a patient), option by option; what is kept on the way is the totals that
claims still to be decided depend on. Columns with a median, mean or standard deviation get their values in a second
stage: their number of ways is a function of how many patients lie in each cell (rows of such claims x values that
rules and claims tell apart).
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, combinations, groupby, product
from math import comb, factorial, inf, log10, prod

import numpy as np

from blina.claims.document import Claim, Document
from blina.claims.partition import atoms, elementary, profiles
from blina.linelist.columns import Column
from blina.linelist.predicate import AllOf, AnyOf, Not, Predicate, Within
from blina.linelist.table import Table
from blina.yamlfile import FileError

MOST_STATES = 1_000_000
MOST_CASES = 20_000
MOST_KEYS = 60  # ways in which the counts of a key column may be open
HOPELESS = 100  # a sum that would take so many times the states allowed is not begun
STAGED = ("median", "mean", "sd")  # statistics whose values are given in the second stage
NOBODY = Not(AllOf())


class Uncountable(Exception):
    """The worlds of a document are not counted; `reason` says why in a sentence for its author."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class _TooMany(Exception):
    """More states than the budget allows."""


class _Budget:
    """States that may still be looked at, and cases that one claim-by-claim enumeration may have."""

    def __init__(self, states: int, cases: int):
        self.states = self.left = states
        self.cases = cases

    def spend(self, states: int) -> None:
        self.left -= states
        if self.left < 0:
            raise _TooMany


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


def count(document: Document, most_states: int = MOST_STATES, most_cases: int = MOST_CASES) -> Counted:
    """The worlds of a document, exactly.

    Raises Uncountable where that would take more than `most_states` states of the dynamic program in all, or more than
    `most_cases` combinations of middle values of medians at once.
    """
    mixture = _Mixture(document, _Budget(most_states, most_cases))
    return Counted(mixture.worlds, mixture)


# What claims demand, in whole numbers


Limits = tuple[int, int]  # least and greatest, both allowed; crossed if nothing is


def _demands(document: Document, modes: Sequence[str]) -> tuple:
    """For each claim what it asks under every one of the modes at once, in whole numbers; equal if it asks the same.

    count: Limits of the count. percent: the allowed (part, whole). min, max, range: Limits of each code. median: Limits
    of the two middle codes' sum. mean, sd: for n = 1, 2, ... patients Limits of the codes' sum and of n times the sum
    of squares less the squared sum.
    """
    return tuple(_demand(claim, claim.intervals(*modes), document.patients) for claim in document.claims)


def _demand(claim: Claim, intervals: tuple, n: int) -> object:
    def limits(interval, scale, low: int, high: int) -> Limits:
        least, greatest = interval.integers(scale)
        return (low if least is None else max(low, least), high if greatest is None else min(high, greatest))

    name, of, first = claim.statistic.name, claim.of, intervals[0]
    match name:
        case "count":
            return limits(first, 1, 0, n)
        case "percent":
            parts = ((m, limits(first, Fraction(100, m), 0, m)) for m in range(1, n + 1))
            return frozenset((k, m) for m, (low, high) in parts for k in range(low, high + 1))
        case "min" | "max" | "range":
            return tuple(limits(interval, of.size, of.lowest, of.highest) for interval in intervals)
        case "median":
            return limits(first, of.size / 2, 2 * of.lowest, 2 * of.highest)
        case "mean":
            return tuple(limits(first, of.size / m, m * of.lowest, m * of.highest) for m in range(1, n + 1))
        case "sd":
            ddof, most = claim.statistic.ddof, (of.highest - of.lowest) ** 2
            sizes = range(1, n + 1)
            return tuple(
                limits(first, of.size**2 / (m * (m - ddof)), 0, m * m * most) if m > ddof else (1, 0) for m in sizes
            )
    raise Uncountable(f"worlds cannot be counted where a claim is on a {name}")


@dataclass(frozen=True)
class _Range:
    """So many patients are of these profiles."""

    who: int
    low: int
    high: int


@dataclass(frozen=True)
class _Share:
    """(patients of `part`, patients of `whole`) is one of the allowed pairs."""

    part: int
    whole: int
    allowed: frozenset[tuple[int, int]]


class _Kinds:
    """Sets of profiles that conditions are about, each known by its number."""

    def __init__(self, table: Table):
        self.table = table
        self.masks: list[np.ndarray] = []
        self._known: dict[bytes, int] = {}
        self._holds: dict[object, np.ndarray] = {}

    def number(self, mask: np.ndarray) -> int:
        key = np.packbits(mask).tobytes()
        if key not in self._known:
            self._known[key] = len(self.masks)
            self.masks.append(mask)
        return self._known[key]

    def holds(self, predicate: Predicate) -> np.ndarray:
        if predicate not in self._holds:
            self._holds[predicate] = predicate.holds(self.table)
        return self._holds[predicate]

    def with_value(self, claim: Claim) -> np.ndarray:
        """Those among a claim's rows who have a value in its column."""
        return self.holds(claim.rows) & ~self.table.blank[claim.of.name]

    def conditions(self, claim: Claim, demand: object) -> Iterator[_Range | _Share]:
        """What a claim of the first stage asks."""
        match claim.statistic.name:
            case "count":
                yield _Range(self.number(self.holds(claim.rows)), *demand)
            case "percent":
                rows = self.holds(claim.rows)
                yield _Share(self.number(rows & self.holds(claim.of)), self.number(rows), demand)
            case "min" | "max" | "range" as name:
                rows, codes = self.with_value(claim), self.table.codes[claim.of.name]
                for end, (low, high) in zip(("min", "max") if name == "range" else (name,), demand, strict=True):
                    beyond = codes < low if end == "min" else codes > high
                    yield _Range(self.number(rows & beyond), 0, 0)
                    yield _Range(self.number(rows & (codes >= low) & (codes <= high)), 1, inf)


# Sharing patients out among options, with limits on totals


class _Tally:
    """Ways to give every patient of some groups one of the group's options so that totals over all patients are right.

    `options`: (group, weight, {total: coefficient}), in the order in which they are dealt with; `weight` is in how many
    ways one patient can have the option. `groups`: their numbers of patients. `limits`: (least, greatest) of each
    total; `factors`: (totals, function of their values), a number of ways that multiplies, 0 for not allowed, and
    `guards`: (totals, whether that can still become allowed, while some patients are left out).
    Coefficients are not negative. `ways` is the number of ways, patients told apart.
    """

    def __init__(
        self,
        options: Sequence[tuple[int, int, Mapping[int, int]]],
        groups: Sequence[int],
        limits: Sequence[tuple[int, float]],
        factors: Sequence[tuple[tuple[int, ...], Callable[..., int]]],
        budget: _Budget,
        guards: Sequence[tuple[tuple[int, ...], Callable[..., bool]]] = (),
    ):
        # Patients of each group are totals like others, with the first numbers.
        shift = len(groups)
        self.size = len(options)
        limits = [(n, n) for n in groups] + list(limits)
        factors = [(tuple(t + shift for t in totals), way) for totals, way in factors]
        kept = []
        for place, (group, weight, coefficients) in enumerate(options):
            given = {group: 1} | {t + shift: c for t, c in coefficients.items() if c}
            if weight and all(limits[t][1] >= c for t, c in given.items()):
                kept.append((place, group, weight, given))
        self.kept = kept
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        for step, (*_, given) in enumerate(kept):
            for t in given:
                first.setdefault(t, step)
                last[t] = step
        self.constant = prod(low <= 0 <= high for t, (low, high) in enumerate(limits) if t not in first)
        ends: dict[int, list] = {}
        used = set()
        for totals, way in factors:
            used |= set(totals)
            touched = [t for t in totals if t in first]
            if not touched:
                self.constant *= way(*(0 for _ in totals)) if self.constant else 0
                continue
            end = max(last[t] for t in touched)
            ends.setdefault(end, []).append((totals, way))
            for t in touched:
                last[t] = max(last[t], end)
        # Beyond the least that is asked for, a total without an upper limit need not be known.
        caps = {t: low for t, (low, high) in enumerate(limits) if high == inf and t not in used}
        greatest = [[0] * shift for _ in limits]  # coefficient of each total among later options, by group
        steps: list[tuple] = []
        for step in reversed(range(len(kept))):
            _, group, weight, given = kept[step]
            live_in = [t for t in first if first[t] < step <= last[t]]
            live_out = [t for t in first if first[t] <= step < last[t]]
            where = {t: i for i, t in enumerate(live_in)}
            bounds = []
            for t in dict.fromkeys(live_in + live_out + list(given)):
                low, high = limits[t]
                c, later = given.get(t, 0), greatest[t][group]
                others = sum(groups[g] * m for g, m in enumerate(greatest[t]) if g != group)
                if c or low > 0:
                    bounds.append((where.get(t, -1), c, high if c else inf, low, later, others))
            moves = [(where.get(t, -1), given.get(t, 0), caps.get(t, inf)) for t in live_out]
            ways = [([(where.get(t, -1), given.get(t, 0)) for t in totals], way) for totals, way in ends.get(step, ())]
            watched = [
                ([(where.get(t, -1), given.get(t, 0)) for t in mine], can)
                for mine, can in ((tuple(t + shift for t in totals), can) for totals, can in guards)
                if any(t in given for t in mine)
            ]
            powers = [1]
            for _ in range(groups[group]):
                powers.append(powers[-1] * weight)
            steps.append((groups[group], where.get(group, -1), bounds, moves, ways, watched, powers))
            for t, c in given.items():
                greatest[t][group] = max(greatest[t][group], c)
        self.steps = steps[::-1]
        self.values: list[dict[tuple, int]] = []
        self._choices: dict[tuple[int, tuple], tuple[list[int], list]] = {}
        self.ways = self._count(budget) if self.constant else 0

    def _count(self, budget: _Budget) -> int:
        layers: list[Iterable[tuple]] = [[()]]
        for step in range(len(self.steps)):
            reached: dict[tuple, None] = {}
            for state in layers[-1]:
                before = len(reached)
                reached.update((after, None) for _, after, _ in self._edges(step, state))
                budget.spend(len(reached) - before)
            layers.append(reached)
        values: dict[tuple, int] = {state: 1 for state in layers[-1]}
        self.values = [values]
        for step in reversed(range(len(self.steps))):
            values, later = {}, values
            for state in layers[step]:
                total = 0
                for _, after, ways in self._edges(step, state):
                    total += ways * later[after]
                values[state] = total
            self.values.append(values)
        self.values.reverse()
        return self.constant * values[()]

    def _edges(self, step: int, state: tuple) -> Iterator[tuple[int, tuple, int]]:
        """(patients who get this step's option, state afterwards, ways) for all that the limits allow."""
        size, place, bounds, moves, factors, guards, powers = self.steps[step]
        rest = size - (state[place] if place >= 0 else 0)
        least, most = 0, rest
        for place, c, high, low, later, others in bounds:
            value = state[place] if place >= 0 else 0
            if high != inf and (high - value) // c < most:
                most = (high - value) // c
            # value + c x + later (rest - x) + others >= low, or the total cannot be reached any more
            missing = low - value - later * rest - others
            if c > later:
                least = max(least, -(-missing // (c - later)))
            elif missing > 0:
                if c == later:
                    return
                most = -1
            elif c < later:
                most = min(most, -missing // (later - c))
        for x in range(least, most + 1):
            if guards and not all(can(*((state[p] if p >= 0 else 0) + c * x for p, c in mine)) for mine, can in guards):
                continue
            ways = comb(rest, x) * powers[x]
            for totals, way in factors:
                ways *= way(*((state[p] if p >= 0 else 0) + c * x for p, c in totals))
                if not ways:
                    break
            else:
                after = tuple(
                    min((state[p] if p >= 0 else 0) + c * x, cap) if c else state[p] if p >= 0 else 0
                    for p, c, cap in moves
                )
                yield x, after, ways

    def draw(self, rng: random.Random) -> list[int]:
        """How many patients get each of the options, in proportion to the ways."""
        shared = [0] * self.size
        state: tuple = ()
        for step, (place, *_) in enumerate(self.kept):
            if (step, state) not in self._choices:
                later = self.values[step + 1]
                edges = list(self._edges(step, state))
                sums = list(accumulate(ways * later[after] for _, after, ways in edges))
                self._choices[step, state] = sums, edges
            sums, edges = self._choices[step, state]
            x, state, _ = edges[_choose(sums, rng)]
            shared[place] = x
        return shared


def _choose(sums: Sequence[int], rng: random.Random) -> int:
    """Place of one of the weights whose running sums are given, in proportion to them."""
    return bisect_right(sums, rng.randrange(sums[-1])) if len(sums) > 1 else 0


# Second stage: values of one column, given how many patients lie in each cell


Ends = tuple[tuple[int, int], ...]  # codes from .. to, several such, ascending


@dataclass(frozen=True)
class _Cell:
    """Patients who are in the same rows of the claims on a column, with a value among `codes`."""

    rows: frozenset[int]
    codes: Ends


class _Values:
    """Ways to give the patients of cells a value each so that the claims on the column hold.

    `demands`: (number of the claim among the cells' rows, statistic, ddof of an sd, what it asks).
    """

    def __init__(self, column: Column, cells: Sequence[_Cell], demands: Sequence[tuple], budget: _Budget):
        self.column, self.cells, self.demands, self.budget = column, cells, demands, budget
        self._known: dict[tuple[int, ...], tuple[list[int], list[_Tally]]] = {}

    def ways(self, *counts: int) -> int:
        """Number of ways if the cells have so many patients."""
        sums, _ = self._cases(counts)
        return sums[-1] if sums else 0

    def draw(self, counts: tuple[int, ...], rng: random.Random) -> list[list[int]]:
        """For each cell the codes of its patients, in random order."""
        sums, cases = self._cases(counts)
        tally = cases[_choose(sums, rng)]
        drawn: list[list[int]] = [[] for _ in counts]
        for x, (cell, low, high) in zip(tally.draw(rng), tally.segments, strict=True):
            drawn[cell] += [low + rng.randrange(high - low + 1) for _ in range(x)]
        for codes in drawn:
            rng.shuffle(codes)
        return drawn

    def _cases(self, counts: tuple[int, ...]) -> tuple[list[int], list[_Tally]]:
        if counts not in self._known:
            tallies = [self._tally(counts, case) for case in self._combinations(counts)]
            possible = [tally for tally in tallies if tally is not None and tally.ways]
            self._known[counts] = list(accumulate(tally.ways for tally in possible)), possible
        return self._known[counts]

    def _combinations(self, counts: tuple[int, ...]) -> Iterator[tuple[tuple, ...]]:
        """Disjoint cases, each a list of conditions, all of which must hold."""
        always: list[tuple] = []
        open_: list[list[list[tuple]]] = []
        whom: dict[frozenset[int], list[int | tuple]] = {}
        lows: dict[frozenset[int], int] = {}
        highs: dict[frozenset[int], int] = {}
        for claim, name, ddof, demand in self.demands:
            who = frozenset(i for i, cell in enumerate(self.cells) if claim in cell.rows and counts[i])
            n = sum(counts[i] for i in who)
            if not n:
                return
            whom.setdefault(who, []).append((claim, name, ddof, demand))
            lows.setdefault(who, min(self.cells[i].codes[0][0] for i in who))
            highs.setdefault(who, max(self.cells[i].codes[-1][1] for i in who))
            match name:
                case "mean":
                    always.append((who, "sum", *demand[n - 1]))
                case "sd":
                    always.append((who, "sd", n, *demand[n - 1]))
                case "min" | "max" | "range":
                    ends = ("min", "max") if name == "range" else (name,)
                    for end, (low, high) in zip(ends, demand, strict=True):
                        beyond = (None, low - 1) if end == "min" else (high + 1, None)
                        always.append((who, beyond, 0, 0))
                        always.append((who, (low, high), 1, inf))
                        if end == "min":
                            lows[who] = max(lows[who], low)
                        else:
                            highs[who] = min(highs[who], high)
        for who, claims in whom.items():
            for _, name, _, demand in claims:
                if name == "median":
                    n = sum(counts[i] for i in who)
                    open_.append(list(_middles(who, n, *demand, lows[who], highs[who])))
        if prod(len(cases) for cases in open_) > self.budget.cases:
            raise Uncountable(
                f"the medians of {self.column.name} can come about in more than {self.budget.cases:,} ways"
            )
        for case in product(*open_):
            yield (*always, *(condition for conditions in case for condition in conditions))

    def _tally(self, counts: tuple[int, ...], conditions: Sequence[tuple]) -> _Tally | None:
        summed = set().union(*(who for who, kind, *_ in conditions if kind in ("sum", "sd")))
        cuts: list[set[int]] = [set() for _ in counts]
        for who, kind, *_ in conditions:
            if isinstance(kind, tuple):
                for i in who:
                    cuts[i] |= {kind[0]} if kind[0] is not None else set()
                    cuts[i] |= {kind[1] + 1} if kind[1] is not None else set()
        patients, span = sum(counts[i] for i in summed), self.column.highest - self.column.lowest
        if (span * patients) ** 2 > HOPELESS * self.budget.states:  # about as many states as codes x patients x sums
            raise _TooMany
        active = [i for i, n in enumerate(counts) if n]
        number = {cell: g for g, cell in enumerate(active)}
        segments = sorted(
            ((i, *ends) for i in active for ends in _segments(self.cells[i].codes, cuts[i], i in summed)),
            key=lambda segment: (segment[1], segment[0]),
        )
        totals: dict[tuple, int] = {}
        limits: list[list] = []
        factors, guards = [], []

        def total(key: tuple, low: int = 0, high: float = inf) -> int:
            if key not in totals:
                totals[key] = len(limits)
                limits.append([0, inf])
            mine = limits[totals[key]]
            mine[:] = max(mine[0], low), min(mine[1], high)
            return totals[key]

        base = self.column.lowest  # coefficients of a tally are not negative
        for who, kind, *rest in conditions:
            if kind == "sum":
                n = sum(counts[i] for i in who)
                total((who, "sum"), rest[0] - n * base, rest[1] - n * base)
            elif kind == "sd":
                totals_of = (total((who, (None, None))), total((who, "sum")), total((who, "squares")))
                factors.append((totals_of, _spread(*rest)))
                guards.append((totals_of, _not_too_wide(*rest)))
            else:
                total((who, kind), *rest)
        if any(low > high for low, high in limits):
            return None
        options = []
        for cell, low, high in segments:
            coefficients = {}
            for (who, kind), t in totals.items():
                if cell not in who:
                    continue
                if kind == "sum":
                    coefficients[t] = low - base
                elif kind == "squares":
                    coefficients[t] = (low - base) ** 2
                elif (kind[0] is None or low >= kind[0]) and (kind[1] is None or high <= kind[1]):
                    coefficients[t] = 1
            options.append((number[cell], high - low + 1, coefficients))
        tally = _Tally(options, [counts[i] for i in active], limits, factors, self.budget, guards)
        tally.segments = segments
        return tally


def _spread(n: int, low: int, high: int) -> Callable[[int, int, int], int]:
    return lambda _, total, squares: int(low <= n * squares - total * total <= high)


def _not_too_wide(n: int, low: int, high: int) -> Callable[[int, int, int], bool]:
    """Squared distances from the mean, summed, never fall when patients are added."""
    return lambda k, total, squares: n * (k * squares - total * total) <= high * k


def _middles(who: frozenset[int], n: int, low: int, high: int, least: int, greatest: int) -> Iterator[list[tuple]]:
    """Disjoint ways for the sum of the two middle codes of n patients to lie from `low` to `high`.

    Each is a list of conditions (who, (from, to), least number, greatest number of patients with such codes).
    """
    below, half = (n - 1) // 2, n // 2
    if n % 2:
        bottom, top = max(least, -(-low // 2)), min(greatest, high // 2)
        if bottom <= top:
            yield [(who, (None, bottom - 1), 0, below), (who, (None, top), half + 1, inf)]
        return
    for lower in range(max(least, low - greatest), min(greatest, high // 2) + 1):
        bottom, top = max(lower, low - lower), min(greatest, high - lower)
        if bottom > top:
            continue
        yield [
            (who, (None, lower - 1), 0, below),
            (who, (None, lower), below + 1, inf),
            (who, (None, bottom - 1), 0, half),
            (who, (None, top), half + 1, inf),
        ]


def _segments(codes: Ends, cuts: Iterable[int], single: bool) -> Iterator[tuple[int, int]]:
    """The codes in stretches: cut before each of `cuts`, or one by one."""
    for low, high in codes:
        starts = range(low, high + 1) if single else sorted({low, *(c for c in cuts if low < c <= high)})
        for i, start in enumerate(starts):
            yield start, (starts[i + 1] - 1 if i + 1 < len(starts) else high)


# First stage: one block of columns


class _Part:
    """Some groups of a block with the conditions that tie them, for given numbers of patients."""

    def __init__(self, block: _Block, groups: Sequence[int], sizes: Sequence[int], conditions: Iterable,
                 factors: Sequence[int], demands: tuple):  # fmt: skip
        inside = np.flatnonzero(np.isin(block.group, groups))
        used = list(dict.fromkeys(w for c in conditions for w in _whom(c)))
        marks = np.zeros((len(inside), len(used)), np.int64)
        varies = {(w, g) for w in used for g in groups if block.varies(w, g)}
        for j, w in enumerate(used):
            marks[:, j] = block.kinds.masks[w][inside]
            for g in groups:
                if (w, g) not in varies:
                    marks[block.group[inside] == g, j] = 0
        in_cells = [block.factors[f].cell_of[inside] for f in factors]
        rows = np.column_stack([block.group[inside], marks, *in_cells])
        kinds, which = np.unique(rows, axis=0, return_inverse=True)
        classes = {
            tuple(kind): (sum(block.weights[p] for p in members), members)
            for kind, members in zip(kinds.tolist(), _split_by(inside, which.ravel(), len(kinds)), strict=True)
        }
        limits: list[list] = [[0, inf] for _ in used]
        place = {w: j for j, w in enumerate(used)}
        ways: list[tuple[tuple[int, ...], Callable]] = []
        for condition in conditions:
            if isinstance(condition, _Range):
                mine = limits[place[condition.who]]
                mine[:] = max(mine[0], condition.low), min(mine[1], condition.high)
            else:
                pair = place[condition.part], place[condition.whole]
                for t, ends in zip(pair, zip(*condition.allowed, strict=True), strict=True):
                    limits[t][:] = max(limits[t][0], min(ends)), min(limits[t][1], max(ends))
                ways.append((pair, lambda part, whole, allowed=condition.allowed: int((part, whole) in allowed)))
        self.values: list[tuple[int, _Values, list[int]]] = []
        cell_total: dict[tuple[int, int], int] = {}
        for at, f in enumerate(factors, 1 + len(used)):
            cells = _merged(classes, at, block.factors[f].cells, block.beside(f))
            classes = {kind: rest for kind, rest in classes.items() if kind[at] in cells or kind[at] < 0}
            values = block.values_of(f, tuple(cells.values()), demands)
            totals = tuple(range(len(limits), len(limits) + len(cells)))
            cell_total |= {(at, cell): t for cell, t in zip(cells, totals, strict=True)}
            limits += [[0, inf] for _ in cells]
            ways.append((totals, values.ways))
            self.values.append((f, values, list(cells)))
        number = {g: i for i, g in enumerate(groups)}
        options = []
        for kind, (weight, _) in classes.items():
            coefficients = {j: 1 for j, c in enumerate(kind[1 : 1 + len(used)]) if c}
            coefficients |= {t: 1 for (at, cell), t in cell_total.items() if kind[at] == cell}
            options.append((number[kind[0]], weight, coefficients))
        self.members = [members for _, members in classes.values()]
        order = _order(options, [totals for totals, _ in ways])
        self.members = [self.members[k] for k in order]
        self.options = [options[k] for k in order]
        self.groups = list(groups)
        possible = all(low <= high for low, high in limits)
        self.tally = _Tally(self.options, sizes, limits, ways, block.budget) if possible else None
        self.ways = self.tally.ways if possible else 0
        self._sums: dict[int, list[int]] = {}

    def draw(self, rng: random.Random, block: _Block, patients: Sequence[list[int]], world: _World) -> None:
        """Give the patients of each of the block's groups a profile and values."""
        shared = self.tally.draw(rng)
        queues = {g: list(patients[g]) for g in self.groups}
        for queue in queues.values():
            rng.shuffle(queue)
        in_cell: dict[tuple[int, int], list[int]] = {}
        for k, (x, (group, _, _), members) in enumerate(zip(shared, self.options, self.members, strict=True)):
            if not x:
                continue
            if k not in self._sums:
                self._sums[k] = list(accumulate(block.weights[p] for p in members))
            queue = queues[self.groups[group]]
            for _ in range(x):
                profile = int(members[_choose(self._sums[k], rng)])
                block.give(rng, queue.pop(), profile, world, in_cell)
        for f, values, numbers in self.values:
            cells = [in_cell.get((f, i), []) for i in numbers]
            for queue, codes in zip(cells, values.draw(tuple(map(len, cells)), rng), strict=True):
                for patient, code in zip(queue, codes, strict=True):
                    world.codes[values.column.name][patient] = code


def _split_by(items: np.ndarray, which: np.ndarray, size: int) -> list[list[int]]:
    """Items in lists, by a number from 0 to `size` less one."""
    split: list[list[int]] = [[] for _ in range(size)]
    for item, k in zip(items.tolist(), which.tolist(), strict=True):
        split[k].append(item)
    return split


def _merged(
    classes: Mapping[tuple, tuple[int, list]], at: int, cells: Sequence[_Cell], beside: Sequence[int]
) -> dict[int, _Cell]:
    """Cells that differ in their values alone, made one: the number of one of them, and the cell with all values.

    `classes`: weight and profiles of patients who are alike in group, conditions and cells; `at` is the place of the
    cell's number, -1 for none; `beside` tells profiles apart by all but this column's values. Where rules tie the
    column to another, cells may allow as many values of the other, but not the same ones: such are not made one.
    """
    seen: dict[int, dict[tuple, frozenset[int]]] = {}
    for kind, (_, members) in classes.items():
        if kind[at] >= 0:
            seen.setdefault(kind[at], {})[kind[:at] + kind[at + 1 :]] = frozenset(beside[p] for p in members)
    alike: dict[tuple, list[int]] = {}
    for cell, others in seen.items():
        alike.setdefault((cells[cell].rows, frozenset(others.items())), []).append(cell)
    return {
        same[0]: _Cell(rows, _joined(ends for cell in same for ends in cells[cell].codes))
        for (rows, _), same in alike.items()
    }


def _joined(stretches: Iterable[tuple[int, int]]) -> Ends:
    joined: list[tuple[int, int]] = []
    for low, high in sorted(stretches):
        if joined and joined[-1][1] == low - 1:
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return tuple(joined)


def _whom(condition: _Range | _Share) -> tuple[int, ...]:
    return (condition.who,) if isinstance(condition, _Range) else (condition.part, condition.whole)


def _order(options: Sequence[tuple[int, int, dict[int, int]]], factors: Sequence[tuple[int, ...]]) -> list[int]:
    """Options by group, and within it so that totals are soon complete: few of them are open at a time."""
    ordered: list[int] = []
    opened: set[int] = set()
    together = {t: set(totals) for totals in factors for t in totals}
    for _, group in groupby(sorted(range(len(options)), key=lambda k: options[k][0]), key=lambda k: options[k][0]):
        left = list(group)
        while left:
            by_total: dict[int, list[int]] = {}
            for k in left:
                for t in options[k][2]:
                    by_total.setdefault(t, []).append(k)
            if not by_total:
                ordered += left
                break

            def cost(t: int, by_total=by_total, opened=frozenset(opened)) -> tuple[int, int]:
                closing = by_total[t]
                touched = {u for k in closing for u in options[k][2]}
                touched |= {v for u in touched for v in together.get(u, ())}
                return len(touched - opened), len(closing)

            best = min(by_total, key=cost)
            chosen = sorted(by_total[best], key=lambda k: len(options[k][2]))
            ordered += chosen
            opened |= {u for k in chosen for u in options[k][2]}
            left = [k for k in left if k not in set(chosen)]
    return ordered


@dataclass
class _Factor:
    """Claims on one column that share patients, for the second stage; `cell_of` each profile (-1: in none)."""

    column: Column
    claims: tuple[int, ...]
    cells: list[_Cell]
    cell_of: np.ndarray


class _Block:
    """Columns that rules and claims tie together, the key aside; `key` where they are tied to it as well."""

    def __init__(self, model: _Mixture, names: Sequence[str], key: str | None, rules: Sequence, claims: Sequence[int]):
        self.document, self.budget, self.names, self.key = model.document, model.budget, list(names), key
        self.claims = list(claims)
        whole = ([key] if key else []) + self.names
        columns = {name: self.document.columns[name] for name in whole}
        try:
            self.profiles = profiles(columns, model.cut, rules)
        except FileError as error:
            raise Uncountable(str(error)) from None
        self.kinds = _Kinds(self.profiles.table)
        size = len(self.profiles)
        self.groups = len(model.cut[key]) if key else 1
        self.group = self.profiles.index[key] if key else np.zeros(size, np.int64)
        self.factors = self._factors(model)
        self._values: dict[tuple, _Values] = {}
        self._parts: dict[tuple, _Part] = {}
        self._varies: dict[tuple[int, int], bool] = {}
        self._plans: list[tuple] = []
        self.weights = self._weights()
        self._given: dict[int, list[tuple]] = {}

    def _staged(self) -> dict[str, list[int]]:
        on: dict[str, list[int]] = {}
        for c in self.claims:
            claim = self.document.claims[c]
            if isinstance(claim.of, Column):
                on.setdefault(claim.of.name, []).append(c)
        named = {name: {self.document.claims[c].statistic.name for c in claims} for name, claims in on.items()}
        return {name: claims for name, claims in on.items() if named[name] & set(STAGED)}

    def _factors(self, model: _Mixture) -> list[_Factor]:
        factors = []
        self.staged_claims: set[int] = set()
        for name, claims in self._staged().items():
            self.staged_claims |= set(claims)
            scopes = {c: self.kinds.with_value(self.document.claims[c]) for c in claims}
            for together in _components(claims, [[c for c in claims if scopes[c][p]] for p in _distinct(scopes)]):
                column, index = self.document.columns[name], self.profiles.index[name]
                inside = np.logical_or.reduce([scopes[c] for c in together])
                known: dict[tuple, int] = {}
                cells: list[_Cell] = []
                cell_of = np.full(len(self.profiles), -1, np.int64)
                for p in np.flatnonzero(inside):
                    rows, atom = frozenset(c for c in together if scopes[c][p]), int(index[p])
                    if (rows, atom) not in known:
                        known[rows, atom] = len(cells)
                        values = model.cut[name][atom]
                        cells.append(_Cell(rows, ((values.low, values.high),)))
                    cell_of[p] = known[rows, atom]
                factors.append(_Factor(column, tuple(together), cells, cell_of))
        return factors

    def _weights(self) -> list[int]:
        """Ways in which one patient can have each profile, values given in the second stage left aside."""
        weights = [1] * len(self.profiles)
        for name in self.names:
            sizes = [atom.size for atom in self.profiles.atoms[name]]
            later = np.zeros(len(weights), bool)
            for factor in self.factors:
                if factor.column.name == name:
                    later |= factor.cell_of >= 0
            if max(sizes) > 1:
                index = self.profiles.index[name]
                weights = [
                    w if skip else w * sizes[i] for w, i, skip in zip(weights, index.tolist(), later, strict=True)
                ]
        return weights

    def values_of(self, factor: int, cells: tuple[_Cell, ...], demands: tuple) -> _Values:
        f, claims = self.factors[factor], self.document.claims
        asked = tuple(
            (c, claims[c].statistic.name, getattr(claims[c].statistic, "ddof", 0), demands[c]) for c in f.claims
        )
        if (factor, cells, asked) not in self._values:
            self._values[factor, cells, asked] = _Values(f.column, cells, asked, self.budget)
        return self._values[factor, cells, asked]

    def beside(self, factor: int) -> list[int]:
        """For each profile a number that says which atoms it has of all columns but the factor's."""
        name = self.factors[factor].column.name
        others = [index for other, index in self.profiles.index.items() if other != name]
        rows = np.column_stack([np.zeros(len(self.profiles), np.int64), *others])
        return np.unique(rows, axis=0, return_inverse=True)[1].ravel().tolist()

    def varies(self, who: int, group: int) -> bool:
        """Whether some patients of a group are of these profiles and some are not."""
        if (who, group) not in self._varies:
            mask = self.kinds.masks[who][self.group == group]
            self._varies[who, group] = bool(mask.any() and not mask.all())
        return self._varies[who, group]

    def parts(self, demands: tuple, sizes: tuple[int, ...]) -> list[_Part] | None:
        """Independent parts of the block, given what the claims ask and the groups' sizes; None if there is no way."""
        asked = tuple(demands[c] for c in self.claims)
        known = next((conditions for past, conditions in self._plans if past == asked), None)
        if known is None:
            known = list(dict.fromkeys(
                condition for c in self.claims if c not in self.staged_claims
                for condition in self.kinds.conditions(self.document.claims[c], demands[c])
            ))  # fmt: skip
            self._plans.append((asked, known))
        conditions = []
        for condition in known:
            reduced = self._reduced(condition, sizes)
            if reduced is False:
                return None
            if reduced is not True:
                conditions.append(reduced)
        live = [g for g in range(self.groups) if sizes[g]]
        touched = [[g for g in live if any(self.varies(w, g) for w in _whom(c))] for c in conditions]
        covered = [sorted({int(g) for g in self.group[f.cell_of >= 0]} & set(live)) for f in self.factors]
        parts = []
        for groups in _components(live, touched + covered):
            mine = tuple(c for c, where in zip(conditions, touched, strict=True) if set(where) & set(groups))
            factors = tuple(f for f, where in enumerate(covered) if set(where) & set(groups))
            staged = tuple(demands[c] for f in factors for c in self.factors[f].claims)
            counts = tuple(sizes[g] for g in groups)
            key = (tuple(groups), counts, frozenset(mine), factors, staged)
            if key not in self._parts:
                try:
                    self._parts[key] = _Part(self, groups, counts, mine, factors, demands)
                except _TooMany:
                    raise Uncountable(
                        f"the claims tie {', '.join(self.names)} together in more than {self.budget.states:,} ways"
                    ) from None
            parts.append(self._parts[key])
        if any(not where for where in covered):  # a claim on numbers that nobody can have
            return None
        return parts

    def _reduced(self, condition: _Range | _Share, sizes: Sequence[int]) -> _Range | _Share | bool:
        """The condition on patients of those groups in which it is open, or whether it holds."""

        def fixed(who: int) -> tuple[int, bool]:
            mask, known, open_ = self.kinds.masks[who], 0, False
            for g, n in enumerate(sizes):
                if n and self.varies(who, g):
                    open_ = True
                elif n and mask[self.group == g].any():
                    known += n
            return known, open_

        if isinstance(condition, _Range):
            known, open_ = fixed(condition.who)
            if not open_:
                return condition.low <= known <= condition.high
            return _Range(condition.who, max(0, condition.low - known), condition.high - known)
        (part, part_open), (whole, whole_open) = fixed(condition.part), fixed(condition.whole)
        allowed = frozenset((k - part, m - whole) for k, m in condition.allowed if k >= part and m >= whole)
        if not whole_open:
            fits = sorted(k for k, m in allowed if not m)  # consecutive
            if not part_open or not fits:
                return 0 in fits
            return _Range(condition.part, fits[0], fits[-1])
        return _Share(condition.part, condition.whole, allowed) if allowed else False

    def give(self, rng: random.Random, patient: int, profile: int, world: _World, in_cell: dict) -> None:
        """Give a patient the values of a profile, each equally likely; note in which cells of the second stage."""
        if profile not in self._given:
            self._given[profile] = self._choices(profile)
        fields, cells = self._given[profile]
        for name, low, size, blank in fields:
            if blank:
                world.blank[name][patient] = True
            else:
                world.codes[name][patient] = low + rng.randrange(size) if size > 1 else low
        for cell in cells:
            in_cell.setdefault(cell, []).append(patient)

    def _choices(self, profile: int) -> tuple[list[tuple], list[tuple]]:
        cells = [(f, int(x.cell_of[profile])) for f, x in enumerate(self.factors) if x.cell_of[profile] >= 0]
        later = {self.factors[f].column.name for f, _ in cells}
        fields = []
        for name in self.names:
            if name not in later:
                atom = self.profiles.atoms[name][self.profiles.index[name][profile]]
                fields.append((name, atom.low, atom.size, atom.blank))
        return fields, cells


def _distinct(scopes: Mapping[int, np.ndarray]) -> np.ndarray:
    """Profiles, one for each different membership in the scopes."""
    return np.unique(np.column_stack(list(scopes.values())), axis=0, return_index=True)[1]


def _components(nodes: Iterable, ties: Iterable[Iterable]) -> list[list]:
    """Nodes in groups that the ties (each some of the nodes) hold together, in the order of the nodes."""
    nodes = list(nodes)
    group = {node: {node} for node in nodes}
    for tie in ties:
        tie = [node for node in tie if node in group]
        for node in tie[1:]:
            if group[node] is not group[tie[0]]:
                group[tie[0]] |= group[node]
                for other in group[node]:
                    group[other] = group[tie[0]]
    return [[n for n in nodes if n in g] for g in {id(group[n]): group[n] for n in nodes}.values()]


@dataclass
class _World:
    """A line list in the making."""

    codes: dict[str, list[int]]
    blank: dict[str, list[bool]]


# The document as a whole


class _Mixture:
    """The worlds of a document: a union over rounding modes, each a sum over the key's counts of products of parts."""

    def __init__(self, document: Document, budget: _Budget):
        self.document, self.budget = document, budget
        by_mode = {mode: _demands(document, (mode,)) for mode in document.modes}
        self.modes = list({demands: mode for mode, demands in reversed(by_mode.items())}.values())[::-1]
        # Claims that some of the modes see differently tell which modes a line list satisfies.
        self.telling = [c for i, c in enumerate(document.claims) if len({by_mode[m][i] for m in self.modes}) > 1]
        zero = {
            i for i, claim in enumerate(document.claims)
            if claim.statistic.name == "count" and all(by_mode[m][i] == (0, 0) for m in self.modes)
        }  # fmt: skip
        self.rules = [
            rule for rule in _split([*((r.when, r.then) for r in document.rules),
                                     *((document.claims[i].rows, NOBODY) for i in sorted(zero))])
        ]  # fmt: skip
        self.claims = [i for i in range(len(document.claims)) if i not in zero]
        # A rule or claim without columns is about everybody or nobody, whatever the line list.
        self.possible = all(
            _constant(then) or not _constant(when) for when, then in self.rules if not _names((when, then))
        )
        self.rules = [rule for rule in self.rules if _names(rule)]
        self.cut = self._cut([by_mode[m] for m in self.modes])
        self.key, self.blocks = self._arrange([by_mode[m] for m in self.modes])
        self._ways: dict[str, list[tuple[int, tuple[int, ...], list]]] = {}
        self.worlds = 0
        for size in range(1, len(self.modes) + 1):
            for modes in combinations(self.modes, size):
                ways = self._worlds(_demands(document, modes))
                if size == 1:
                    self._ways[modes[0]] = ways
                self.worlds -= (-1) ** size * sum(n for n, *_ in ways)
        self._by_mode = list(accumulate(sum(n for n, *_ in self._ways[m]) for m in self.modes))
        self._sums = {m: list(accumulate(n for n, *_ in ways)) for m, ways in self._ways.items()}

    def _cut(self, demands: Sequence[tuple]) -> dict[str, tuple]:
        conditions: dict[str, set[Within]] = {name: set() for name in self.document.columns}
        for when, then in self.rules:
            for predicate in (when, then):
                for leaf in elementary(predicate):
                    conditions[leaf.column].add(leaf)
        staged = {c.of.name for c in self.document.claims if c.statistic.name in STAGED}
        for i in self.claims:
            claim = self.document.claims[i]
            for predicate in (claim.rows, *((claim.of,) if claim.statistic.name == "percent" else ())):
                for leaf in elementary(predicate):
                    conditions[leaf.column].add(leaf)
            if claim.statistic.name in ("min", "max", "range") and claim.of.name not in staged:
                ends = {pair for asked in demands for pair in asked[i]}
                conditions[claim.of.name] |= {Within(claim.of.name, low, high) for low, high in ends}
        return {name: atoms(column, conditions[name]) for name, column in self.document.columns.items()}

    # The key

    def _arrange(self, demands: Sequence[tuple]) -> tuple[str | None, list[_Block]]:
        """The key that leaves the smallest blocks (None: no key), and the blocks."""
        of = {self.document.claims[i].of.name for i in self.claims if isinstance(self.document.claims[i].of, Column)}
        best = (self._cost(None, 1), None)
        self._keys: dict[str, _Key] = {}
        for name in self.document.columns:
            if name in of or len(self.cut[name]) < 2:
                continue
            key = _Key(self, name)
            open_ = [key.vectors(asked) for asked in demands]
            if any(found is None for found in open_):
                continue
            self._keys[name] = key
            cost = self._cost(name, max(1, *(len(found) for found in open_)))
            if cost < best[0]:
                best = (cost, name)
        key = best[1]
        blocks = []
        for names in self._blocks(key):
            columns = {*names, key}
            rules = [rule for rule in self.rules if _names(rule) <= columns]
            claims = [
                i for i in self.claims if (about := _about(self.document.claims[i])) <= columns and about & set(names)
            ]
            tied = any(key in _names(rule) and _names(rule) & set(names) for rule in rules)
            tied |= any(key in _about(self.document.claims[i]) for i in claims)
            rules = rules if tied else [rule for rule in rules if key not in _names(rule)]
            blocks.append(_Block(self, names, key if key and tied else None, rules, claims))
        return key, blocks

    def _blocks(self, key: str | None) -> list[list[str]]:
        ties = [_names(rule) - {key} for rule in self.rules]
        ties += [_about(self.document.claims[i]) - {key} for i in self.claims]
        return _components([name for name in self.document.columns if name != key], ties)

    def _cost(self, key: str | None, vectors: int) -> int:
        own = len(self.cut[key]) if key else 1
        return vectors * sum(prod(len(self.cut[name]) for name in names) * own for names in self._blocks(key))

    # Counting and drawing

    def _worlds(self, demands: tuple) -> list[tuple[int, tuple[int, ...], list]]:
        """For each way in which the key's counts can be: worlds, the counts and each block's parts."""
        n = self.document.patients
        for i in self.claims:
            claim = self.document.claims[i]
            if not _about(claim):
                rows = n * _constant(claim.rows)
                if claim.statistic.name == "percent":
                    holds = (rows * _constant(claim.of), rows) in demands[i]
                else:
                    holds = demands[i][0] <= rows <= demands[i][1]
                if not holds:
                    return []
        if not self.possible:
            return []
        found = []
        for sizes in self._keys[self.key].vectors(demands) if self.key else [()]:
            ways = 1
            if self.key:
                ways = factorial(n) // prod(map(factorial, sizes))
                ways *= prod(atom.size**m for atom, m in zip(self.cut[self.key], sizes, strict=True))
            chosen = []
            for block in self.blocks:
                parts = block.parts(demands, sizes if block.key else (n,))
                ways *= prod(part.ways for part in parts) if parts is not None else 0
                if not ways:
                    break
                chosen.append((block, parts))
            if ways:
                found.append((ways, sizes, chosen))
        return found

    def draw(self, rng: random.Random) -> Table:
        while True:
            mode = self.modes[_choose(self._by_mode, rng)]
            table = self._draw(mode, rng)
            # A world that several modes allow is drawn for each of them: keep one in so many.
            if rng.randrange(self._satisfied(table)) == 0:
                return table

    def _satisfied(self, table: Table) -> int:
        values = [(c, c.statistic.values(table, c.rows.holds(table), c.of)) for c in self.telling]
        return sum(
            all(v in i for c, found in values for v, i in zip(found, c.intervals(mode), strict=True))
            for mode in self.modes
        )

    def _draw(self, mode: str, rng: random.Random) -> Table:
        n, columns = self.document.patients, self.document.columns
        _, sizes, chosen = self._ways[mode][_choose(self._sums[mode], rng)]
        world = _World({name: [0] * n for name in columns}, {name: [False] * n for name in columns})
        everybody = list(range(n))
        groups: list[list[int]] = []
        if self.key:
            rng.shuffle(everybody)
            ends = [0, *accumulate(sizes)]
            groups = [everybody[a:b] for a, b in zip(ends, ends[1:], strict=False)]
            for atom, patients in zip(self.cut[self.key], groups, strict=True):
                for patient in patients:
                    world.codes[self.key][patient] = atom.low + rng.randrange(atom.size)
                    world.blank[self.key][patient] = atom.blank
        for block, parts in chosen:
            for part in parts:
                part.draw(rng, block, groups if block.key else [everybody], world)
        width = max(2, len(str(n)))
        return Table(
            columns,
            {name: np.array(world.codes[name], np.int64) for name in columns},
            {name: np.array(world.blank[name], bool) for name in columns},
            tuple(f"P{i:0{width}d}" for i in range(1, n + 1)),
            reconstructed=True,
        )


class _Key:
    """How many patients can have each atom of a column, by the rules and claims that speak of this column only."""

    def __init__(self, model: _Mixture, name: str):
        self.document = model.document
        column = {name: self.document.columns[name]}
        cut = {name: model.cut[name]}
        self.allowed = set(profiles(column, cut, [r for r in model.rules if _names(r) == {name}]).index[name].tolist())
        self.size = len(cut[name])
        self.claims = [i for i in model.claims if _about(self.document.claims[i]) == {name}]
        self.kinds = _Kinds(profiles(column, cut).table)
        self._known: dict[tuple, list[tuple[int, ...]] | None] = {}

    def vectors(self, demands: tuple) -> list[tuple[int, ...]] | None:
        """Every possible vector of counts by atom; None if there are too many to list."""
        asked = tuple(demands[i] for i in self.claims)
        if asked not in self._known:
            self._known[asked] = self._list(demands)
        return self._known[asked]

    def _list(self, demands: tuple) -> list[tuple[int, ...]] | None:
        n = self.document.patients
        conditions = [c for i in self.claims for c in self.kinds.conditions(self.document.claims[i], demands[i])]
        lows = [0] * self.size
        highs = [n if a in self.allowed else 0 for a in range(self.size)]
        for condition in conditions:
            if isinstance(condition, _Range):
                inside = np.flatnonzero(self.kinds.masks[condition.who]).tolist()
                for a in inside:
                    highs[a] = min(highs[a], condition.high)
                if len(inside) == 1:
                    lows[inside[0]] = max(lows[inside[0]], condition.low)
        found: list[tuple[int, ...]] = []
        looked = 0
        stack = [()]
        while stack:
            begun = stack.pop()
            looked += 1
            if looked > MOST_KEYS * 20:
                return None
            a, left = len(begun), n - sum(begun)
            if a == self.size:
                if not left and all(self._holds(condition, begun) for condition in conditions):
                    found.append(begun)
                continue
            bottom = max(lows[a], left - sum(highs[a + 1 :]))
            top = min(highs[a], left - sum(lows[a + 1 :]))
            stack += [(*begun, x) for x in range(bottom, top + 1)]
        return found if len(found) <= MOST_KEYS else None

    def _holds(self, condition: _Range | _Share, counts: Sequence[int]) -> bool:
        def number(who: int) -> int:
            return sum(n for n, inside in zip(counts, self.kinds.masks[who], strict=True) if inside)

        if isinstance(condition, _Range):
            return condition.low <= number(condition.who) <= condition.high
        return (number(condition.part), number(condition.whole)) in condition.allowed


def _about(claim: Claim) -> set[str]:
    """Columns that a claim ties together."""
    of = claim.of
    more = set() if of is None else {of.name} if isinstance(of, Column) else of.column_names()
    return claim.rows.column_names() | more


def _constant(predicate: Predicate) -> bool:
    """Whether a predicate that asks no column holds of everybody."""
    return bool(predicate.holds(Table({}, {}, {}, ("",)))[0])


def _names(rule: tuple[Predicate, Predicate]) -> set[str]:
    return rule[0].column_names() | rule[1].column_names()


def _split(rules: Iterable[tuple[Predicate, Predicate]]) -> Iterator[tuple[Predicate, Predicate]]:
    """The same rules in smaller pieces, which tie fewer columns together."""
    for when, then in rules:
        if isinstance(when, AnyOf):
            yield from _split((part, then) for part in when.parts)
        elif isinstance(then, AllOf) and then.parts:
            yield from _split((when, part) for part in then.parts)
        else:
            yield when, then
