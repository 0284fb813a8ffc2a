"""A Markov chain over the worlds of a document, for documents whose worlds cannot be counted.

Metropolis-Hastings with patients told apart: every world that the moves connect is equally likely in the long run. That
they connect all worlds is not guaranteed. Chains therefore start from different worlds, and split R-hat says whether
they came to agree (Gelman et al., Bayesian Data Analysis, 3rd edition, sections 11.4 and 11.5).
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, combinations
from math import ceil, inf

import numpy as np

from blina.claims.document import Claim, Document
from blina.claims.partition import atoms, elementary
from blina.claims.statistics import OfNumbers
from blina.linelist.columns import Column
from blina.linelist.predicate import AllOf, AnyOf, Not, Predicate, Within
from blina.linelist.table import Table

GOOD_R_HAT = 1.05
GOOD_SIZE = 80  # effective number of draws that the warm-up asks for: ten for each half of four chains
FIRST_SWEEPS = 200  # of each chain; doubled until the chains agree
MOST_PROPOSALS = 2_000_000  # of all chains together in the warm-up
MOST_REMEMBERED = 100_000  # verdicts kept for a claim
MOST_UNIONS = 500  # sets of columns made of two claims or rules
SELDOM = 10  # times less often are sets of columns tried whose change was never accepted

Row = list[int]  # one code per column; a blank is the column's highest code + 1
Test = Callable[[Row], bool]


class Walk:
    """Chains over the worlds of a document, run until they agree or have had their share of proposals.

    `r_hat`: the greatest split R-hat over the summaries (mean of each number column, count of each word and blank);
    infinite where they differ in one that moves in no chain. `effective`: the least effective sample size of the
    warm-up's second half. `thinning`: proposals that a chain makes between two of its draws. The same for the same
    starts and seed.
    """

    def __init__(self, document: Document, starts: Sequence[Table], seed: int, most: int = MOST_PROPOSALS):
        """ValueError without any start, or for a start that is no world."""
        if not starts:
            raise ValueError("a walk needs at least one world to start from")
        moves = _Moves(document)
        self.document = document
        self.chains = [_Chain(moves, start, f"{seed} {i}") for i, start in enumerate(starts)]
        self.sweep = document.patients * len(document.columns)
        self._next = 0
        sweeps = FIRST_SWEEPS
        records: list[list[list[float]]] = [[] for _ in self.chains]
        while True:
            for chain, record in zip(self.chains, records, strict=True):
                while len(record) < sweeps:
                    chain.run(self.sweep)
                    record.append(chain.summaries())
            if sweeps == FIRST_SWEEPS:  # once: to go on choosing by what was accepted would favour some worlds
                moves.favour()
            kept = np.array([record[sweeps // 2 :] for record in records])
            series = [kept[:, :, k] for k in range(kept.shape[2])]
            self.r_hat = max(map(split_r_hat, series), default=1.0)
            self.effective = min(map(effective_size, series), default=float(kept.shape[0] * kept.shape[1]))
            if self.agrees or 2 * sweeps * self.sweep * len(self.chains) > most:
                break
            sweeps *= 2
        correlated = kept.shape[0] * kept.shape[1] / self.effective  # sweeps that are worth one independent draw
        self.thinning = self.sweep * max(1, ceil(correlated))

    @property
    def agrees(self) -> bool:
        """Whether the chains agree as far as the summaries tell."""
        return self.r_hat <= GOOD_R_HAT and self.effective >= GOOD_SIZE

    def draw(self, rng: random.Random) -> Table:
        """The next world, its patients in random order; the chains take turns."""
        chain = self.chains[self._next]
        self._next = (self._next + 1) % len(self.chains)
        chain.run(self.thinning)
        return chain.table(rng)


# Convergence


def split_r_hat(draws: np.ndarray) -> float:
    """Potential scale reduction of draws (chains by draws), each chain split in two; 1 where nothing varies."""
    halves = _halves(draws)
    n = halves.shape[1]
    if np.ptp(halves) == 0:
        return 1.0
    within, between = _variances(halves)
    if within == 0:
        return inf
    return float((((n - 1) / n * within + between / n) / within) ** 0.5)


def effective_size(draws: np.ndarray) -> float:
    """Number of independent draws that these (chains by draws) are worth; all of them where nothing varies."""
    halves = _halves(draws)
    m, n = halves.shape
    if np.ptp(halves) == 0:
        return float(m * n)
    within, between = _variances(halves)
    total = (n - 1) / n * within + between / n
    correlations: list[float] = []
    for lag in range(1, n):
        variogram = float(((halves[:, lag:] - halves[:, :-lag]) ** 2).mean())
        correlations.append(1 - variogram / (2 * total))
        if lag % 2 == 0 and correlations[-1] + correlations[-2] < 0:
            del correlations[-2:]
            break
    return float(min(m * n, m * n / max(1 / (m * n), 1 + 2 * sum(correlations))))


def _variances(draws: np.ndarray) -> tuple[float, float]:
    """Within chains and between them, the latter times the draws of a chain."""
    still = np.ptp(draws, axis=1) == 0  # a constant that is no sum of powers of two has a variance in floating point
    within = np.where(still, 0.0, draws.var(axis=1, ddof=1)).mean()
    return within, draws.shape[1] * draws.mean(axis=1).var(ddof=1)


def _halves(draws: np.ndarray) -> np.ndarray:
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, -half:]])


# What claims and rules ask of rows


def _test(predicate: Predicate, place: dict[str, int], columns: dict[str, Column]) -> Test:
    """The predicate as a function of one row."""
    match predicate:
        case Within(name, low, high, codes, blank):
            column, at = columns[name], place[name]
            if codes is None:
                first = column.lowest if low is None else max(low, column.lowest)
                last = column.highest if high is None else min(high, column.highest)
                if not blank:
                    return lambda row: first <= row[at] <= last
                end = _blank(column)
                return lambda row: first <= row[at] <= last or row[at] == end
            allowed = frozenset(c for c in codes if c <= column.highest) | ({_blank(column)} if blank else set())
            return lambda row: row[at] in allowed
        case Not(part):
            inner = _test(part, place, columns)
            return lambda row: not inner(row)
        case AllOf(parts):
            tests = tuple(_test(part, place, columns) for part in parts)

            def every(row: Row) -> bool:
                for test in tests:  # noqa: SIM110 - all() over a generator takes twice as long
                    if not test(row):
                        return False
                return True

            return every
        case AnyOf(parts):
            tests = tuple(_test(part, place, columns) for part in parts)
            return lambda row: any(test(row) for test in tests)


def _blank(column: Column) -> int:
    return column.highest + 1


# For each statistic, what of the sorted codes of its rows its value depends on (all of them for one not listed).
_ENOUGH: dict[str, Callable[[list[int]], tuple[int, ...]]] = {
    "count": lambda codes: (len(codes),),
    "percent": lambda codes: (len(codes), len(codes) - bisect_left(codes, 1)),
    "median": lambda codes: (codes[(len(codes) - 1) // 2], codes[len(codes) // 2]),
    "mean": lambda codes: (len(codes), sum(codes)),
    "sd": lambda codes: (len(codes), len(codes) * sum(c * c for c in codes) - sum(codes) ** 2),
    "min": lambda codes: (codes[0],),
    "max": lambda codes: (codes[-1],),
    "range": lambda codes: (codes[0], codes[-1]),
}


class _Asked:
    """A claim as a function of sorted codes: the rounding modes under which it holds, one bit each."""

    def __init__(self, claim: Claim, modes: Sequence[str]):
        self.statistic, self.of = claim.statistic, claim.of
        self.enough = _ENOUGH.get(claim.statistic.name)
        self.intervals = [claim.intervals(mode) for mode in modes]
        self.known: dict[tuple[int, ...], int] = {}

    def modes(self, codes: list[int]) -> int:
        if len(codes) < self.statistic.least_n:
            return 0
        if self.enough is None:
            return self._modes(tuple(codes))
        key = self.enough(codes)
        found = self.known.get(key)
        if found is None:
            if len(self.known) > MOST_REMEMBERED:
                self.known.clear()
            found = self.known[key] = self._modes(key)
        return found

    def _modes(self, key: tuple[int, ...]) -> int:
        values = self._values(key)
        return sum(
            1 << bit
            for bit, intervals in enumerate(self.intervals)
            if all(value in interval for value, interval in zip(values, intervals, strict=True))
        )

    def _values(self, key: tuple[int, ...]) -> tuple[Fraction, ...]:
        match self.statistic.name:
            case "count":
                return (Fraction(key[0]),)
            case "percent":
                return (Fraction(100 * key[1], key[0]),)
        assert isinstance(self.statistic, OfNumbers)
        unit = self.statistic.unit(self.of)
        match self.statistic.name:
            case "mean":
                return (Fraction(key[1], key[0]) * unit,)
            case "sd":
                return (Fraction(key[1], key[0] * (key[0] - self.statistic.ddof)) * unit,)
        return tuple(value * unit for value in self.statistic.of_sorted(list(key)))


@dataclass(frozen=True)
class _Scope:
    """Claims about the same rows and `of`. `take(row)`: what a patient brings to them, None for nothing."""

    take: Callable[[Row], int | None]
    claims: tuple[_Asked, ...]
    columns: frozenset[int]

    def modes(self, codes: list[int]) -> int:
        """The rounding modes under which all of them hold; `codes` is what the patients bring, sorted."""
        modes = -1
        for claim in self.claims:
            modes &= claim.modes(codes)
            if not modes:
                break
        return modes


def _take(claim: Claim, place: dict[str, int], columns: dict[str, Column]) -> Callable[[Row], int | None]:
    chosen = _test(claim.rows, place, columns)
    if isinstance(claim.of, Column):
        at, last = place[claim.of.name], claim.of.highest
        return lambda row: row[at] if row[at] <= last and chosen(row) else None
    if claim.of is None:
        return lambda row: 0 if chosen(row) else None
    of = _test(claim.of, place, columns)
    return lambda row: int(of(row)) if chosen(row) else None


class _Moves:
    """A document made ready for chains: what to ask after a change of some columns, and which columns to change."""

    def __init__(self, document: Document):
        self.document, columns = document, document.columns
        self.columns = list(columns.values())
        self.lowest = [column.lowest for column in self.columns]
        self.highest = [column.highest for column in self.columns]
        place = {name: i for i, name in enumerate(columns)}
        self.every_mode = (1 << len(document.modes)) - 1
        self.rules = []  # (test, columns)
        for rule in document.rules:
            broken = AllOf((rule.when, Not(rule.then)))
            self.rules.append((_test(Not(broken), place, columns), frozenset(place[n] for n in broken.column_names())))
        grouped: dict[tuple, list[Claim]] = {}
        for claim in document.claims:
            grouped.setdefault((claim.statistic.of, claim.rows, claim.of), []).append(claim)
        self.scopes = []
        for (_, rows, of), claims in grouped.items():
            names = rows.column_names()
            names |= {of.name} if isinstance(of, Column) else set() if of is None else of.column_names()
            take = _take(claims[0], place, columns)
            asked = tuple(_Asked(claim, document.modes) for claim in claims)
            self.scopes.append(_Scope(take, asked, frozenset(place[n] for n in names)))
        self.numbers = [
            i for i, column in enumerate(self.columns) if column.is_number and column.highest > column.lowest
        ]
        # Steps and slides are the more frequent the more values a column has.
        self.bits = [(c.highest - c.lowest + c.blank).bit_length() for c in self.columns]
        self.shares = list(accumulate(self.bits[i] + 2 for i in self.numbers))
        self._cut(document)
        # Columns that one rule or claim ties together change together.
        tied = sorted({tuple(sorted(x)) for x in self._column_sets() if len(x) > 1})
        self.one, self.two, self.swaps = (_Sets(len(self.columns), tied) for _ in range(3))
        self._touched: dict[tuple[int, ...], tuple] = {}

    def favour(self) -> None:
        """From now on, try changes of a kind that was accepted before more often than others."""
        for sets in (self.one, self.two, self.swaps):
            sets.favour()

    def _column_sets(self) -> Iterable[frozenset[int]]:
        yield from (columns for _, columns in self.rules)
        yield from (scope.columns for scope in self.scopes)

    def _cut(self, document: Document) -> None:
        """For each column, values among which new ones are chosen, cut where claims and rules tell them apart."""
        conditions: dict[str, list[Within]] = {name: [] for name in document.columns}
        for part in (*document.rules, *document.claims):
            for predicate in (part.when, part.then) if hasattr(part, "when") else (part.rows, part.of):
                if isinstance(predicate, Predicate):
                    for leaf in elementary(predicate):
                        conditions[leaf.column].append(leaf)
        for claim in document.claims:
            if isinstance(claim.of, Column) and claim.statistic.name in ("min", "max", "range", "median"):
                for interval in claim.intervals(document.modes[0]):
                    low, high = interval.integers(claim.of.size)
                    conditions[claim.of.name].append(Within(claim.of.name, low, high))
        self.spans: list[list[tuple[int, int]]] = []  # (least, greatest) of each part
        self.starts: list[list[int]] = []
        self.sums: list[list[int]] = []  # a part is taken in proportion to the binary digits of its size
        self.densities: list[list[float]] = []
        for name, column in document.columns.items():
            parts = atoms(column, conditions[name])
            if not column.is_number:  # words are few: each has the same chance
                spans = [(code, code) for code in range(column.lowest, column.highest + 1 + column.blank)]
            else:
                spans = [(_blank(column),) * 2 if part.blank else (part.low, part.high) for part in parts]
            self.spans.append(spans)
            self.starts.append([low for low, _ in spans])
            sizes = [high - low + 1 for low, high in spans]
            self.sums.append(list(accumulate(size.bit_length() for size in sizes)))
            self.densities.append([size.bit_length() / size for size in sizes])

    def part(self, column: int, chance: random.Random) -> int:
        """The place of one of the parts of a column."""
        sums = self.sums[column]
        return bisect_right(sums, int(chance.random() * sums[-1]))

    def touched(self, columns: tuple[int, ...]) -> tuple[tuple[Test, ...], tuple[int, ...]]:
        """The rules to test, and the places of scopes to look at again, where these columns change."""
        found = self._touched.get(columns)
        if found is None:
            changed = frozenset(columns)
            found = self._touched[columns] = (
                tuple(test for test, asked in self.rules if asked & changed),
                tuple(i for i, scope in enumerate(self.scopes) if scope.columns & changed),
            )
        return found


class _Sets:
    """Sets of columns to change together: one column, two that are tied, all of one claim or rule, those of two."""

    def __init__(self, columns: int, tied: list[tuple[int, ...]]):
        singles = [(i,) for i in range(columns)]
        pairs = sorted({pair for one in tied for pair in combinations(one, 2)})
        unions = sorted({tuple(sorted({*a, *b})) for a, b in combinations(tied, 2)} - set(tied))
        if len(unions) > MOST_UNIONS:
            unions = random.Random(0).sample(unions, MOST_UNIONS)
        self.sets: list[tuple[int, ...]] = []
        self.weights: list[float] = []
        for share, sets in ((0.4, singles), (0.2, pairs), (0.2, tied), (0.2, unions)):
            self.sets += sets
            self.weights += [share / max(1, len(sets))] * len(sets)
        self.worked = [False] * len(self.sets)
        self.sums = list(accumulate(self.weights))

    def some(self, chance: random.Random) -> int:
        """The place of one of the sets."""
        return min(bisect_right(self.sums, chance.random() * self.sums[-1]), len(self.sets) - 1)

    def favour(self) -> None:
        """From now on, take the sets whose change was never accepted so far much less often than the others."""
        weights = zip(self.weights, self.worked, strict=True)
        self.sums = list(accumulate(weight if worked else weight / SELDOM for weight, worked in weights))


class _Chain:
    """One line of worlds, each made from the one before."""

    def __init__(self, moves: _Moves, start: Table, seed: str):
        self.moves, self.chance = moves, random.Random(seed)
        blanks = [_blank(column) for column in moves.columns]
        cells = [
            [end if blank else int(code) for code, blank in zip(start.codes[c.name], start.blank[c.name], strict=True)]
            for c, end in zip(moves.columns, blanks, strict=True)
        ]
        self.rows: list[Row] = [list(row) for row in zip(*cells, strict=True)]
        self.taken = [[scope.take(row) for row in self.rows] for scope in moves.scopes]
        self.codes = [sorted(code for code in taken if code is not None) for taken in self.taken]
        self.modes = [scope.modes(codes) for scope, codes in zip(moves.scopes, self.codes, strict=True)]
        self.common = self._common({})
        whole = len(self.rows) == moves.document.patients
        if not (self.common and whole and all(test(row) for test, _ in moves.rules for row in self.rows)):
            raise ValueError("a walk starts from a world, and this line list is none")

    def run(self, proposals: int) -> None:
        """Make so many proposals."""
        chance, n, numbers = self.chance.random, len(self.rows), bool(self.moves.numbers)
        for _ in range(proposals):
            kind = chance() if numbers else 0.45 + 0.55 * chance()
            patient = int(chance() * n)
            other = (patient + 1 + int(chance() * (n - 1))) % n  # the same one where there is nobody else
            if kind < 0.1:
                self._slide(patient)
            elif kind < 0.3:
                self._redraw((patient,), (self._number(),))
            elif kind < 0.35:
                self._step(patient, None)
            elif kind < 0.45:
                if patient != other:
                    self._step(patient, other)
            else:
                one, two, swaps = self.moves.one, self.moves.two, self.moves.swaps
                sets = one if kind < 0.65 or patient == other else two if kind < 0.8 else swaps
                place = sets.some(self.chance)
                columns = sets.sets[place]
                if sets is swaps:
                    done = self._swap(patient, other, columns)
                else:
                    done = self._redraw((patient,) if sets is one else (patient, other), columns)
                if done:
                    sets.worked[place] = True

    # Moves. All but `_redraw` are symmetric: as likely proposed as their way back.

    def _number(self) -> int:
        """A number column, the more often the more values it has."""
        moves = self.moves
        return moves.numbers[bisect_right(moves.shares, self.chance.random() * moves.shares[-1])]

    def _slide(self, patient: int) -> bool:
        """One number anew, from the nearest of other patients at or below it to just below the nearest above it."""
        at = self._number()
        low, high, former = self.moves.lowest[at], self.moves.highest[at], self.rows[patient][at]
        if former > high:
            return False
        for i, row in enumerate(self.rows):
            value = row[at]
            if value <= former:
                if value > low and i != patient:
                    low = value
            elif value <= high:
                high = value - 1
        now = self.chance.randrange(low, high + 1)
        if now == former:
            return False
        row = self.rows[patient].copy()
        row[at] = now
        return self._take_over([(patient, row)], (at,))

    def _step(self, patient: int, other: int | None) -> bool:
        """One number up or down by few or many steps and, with another patient, theirs by as many the other way."""
        moves, chance = self.moves, self.chance
        at = self._number()
        reach = 1 << int(chance.random() * moves.bits[at])
        by = 1 + int(chance.random() * reach)
        if chance.random() < 0.5:
            by = -by
        low, high = moves.lowest[at], moves.highest[at]
        changes = []
        for i, step in ((patient, by),) if other is None else ((patient, by), (other, -by)):
            row = self.rows[i]
            if not (row[at] <= high and low <= row[at] + step <= high):  # a blank has no next step
                return False
            row = row.copy()
            row[at] += step
            changes.append((i, row))
        return self._take_over(changes, (at,))

    def _redraw(self, patients: tuple[int, ...], columns: tuple[int, ...]) -> bool:
        """These columns of one patient, or the same of two, drawn anew: a part of the column, then a value in it.

        That some values are proposed more often than others is made good by the acceptance.
        """
        moves, chance = self.moves, self.chance
        changes, ratio, same = [], 1.0, True
        for i in patients:
            row = self.rows[i].copy()
            for at in columns:
                spans = moves.spans[at]
                low, high = spans[part := moves.part(at, chance)]
                former = row[at]
                if low == high:
                    row[at] = low
                else:
                    row[at] = chance.randrange(low, high + 1)
                if row[at] != former:
                    same = False
                    densities = moves.densities[at]
                    ratio *= densities[bisect_right(moves.starts[at], former) - 1] / densities[part]
            changes.append((i, row))
        if same or ratio < 1 and chance.random() >= ratio:
            return False
        return self._take_over(changes, columns)

    def _swap(self, patient: int, other: int, columns: tuple[int, ...]) -> bool:
        """These columns of two patients exchanged."""
        one, two = self.rows[patient].copy(), self.rows[other].copy()
        for at in columns:
            one[at], two[at] = two[at], one[at]
        if one == self.rows[patient]:
            return False
        return self._take_over([(patient, one), (other, two)], columns)

    def _take_over(self, changes: list[tuple[int, Row]], columns: tuple[int, ...]) -> bool:
        """Make the changed rows the chain's, if every rule and, under one rounding mode, every claim still holds."""
        rules, scopes = self.moves.touched(columns)
        for _, row in changes:
            for rule in rules:
                if not rule(row):
                    return False
        found: dict[int, int] = {}
        kept = []
        for s in scopes:
            scope, taken, codes = self.moves.scopes[s], self.taken[s], None
            for i, row in changes:
                now, former = scope.take(row), taken[i]
                if now == former:
                    continue
                if codes is None:
                    codes = self.codes[s].copy()
                if former is not None:
                    del codes[bisect_left(codes, former)]
                if now is not None:
                    insort(codes, now)
                kept.append((taken, i, now))
            if codes is not None and codes != self.codes[s]:
                modes = scope.modes(codes)
                if not modes:
                    return False
                found[s] = modes
                kept.append((self.codes, s, codes))
        common = self.common
        if any(self.modes[s] != modes for s, modes in found.items()):
            common = self._common(found)
            if not common:
                return False
        for where, key, what in kept:
            where[key] = what
        for s, modes in found.items():
            self.modes[s] = modes
        for i, row in changes:
            self.rows[i] = row
        self.common = common
        return True

    def _common(self, found: dict[int, int]) -> int:
        common = self.moves.every_mode
        for s, modes in enumerate(self.modes):
            common &= found.get(s, modes)
        return common

    # What it shows

    def summaries(self) -> list[float]:
        """Mean of each number column (0 where all are blank), and how many patients have each word or a blank."""
        said: list[float] = []
        for column, highest, cells in zip(
            self.moves.columns, self.moves.highest, zip(*self.rows, strict=True), strict=True
        ):
            if column.is_number:
                values = [cell for cell in cells if cell <= highest]
                said.append(sum(values) / len(values) if values else 0.0)
                if column.blank:
                    said.append(len(values))
            else:
                said += [cells.count(code) for code in range(highest + 1 + column.blank)]
        return said

    def table(self, rng: random.Random) -> Table:
        """The present world with its patients in random order: the order says nothing, so each is equally likely."""
        rows = rng.sample(self.rows, len(self.rows))
        codes, blank = {}, {}
        for column, highest, cells in zip(self.moves.columns, self.moves.highest, zip(*rows, strict=True), strict=True):
            values = np.array(cells, np.int64)
            blank[column.name] = values > highest
            codes[column.name] = np.where(blank[column.name], 0, values)
        width = max(2, len(str(len(rows))))
        ids = tuple(f"P{i:0{width}d}" for i in range(1, len(rows) + 1))
        return Table(dict(self.moves.document.columns), codes, blank, ids, reconstructed=True)
