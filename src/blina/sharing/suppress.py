"""Which counts may be shown: none that is small, and none from which a small one could be worked out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import block_array, csr_array, eye_array, vstack

from blina.sharing.counts import Count, Shared, Unstated

THRESHOLD = 5
AT_ONCE = 40  # small numbers that one search for another line list tries to make large together


@dataclass(frozen=True)
class Shown:
    """What may be sent: the value of each count, None where it is withheld.

    unstated: the patients of whom it may be said that no rate with RT-PCR is stated.
    """

    values: list[int | None]
    unstated: list[Unstated]


def shown(shared: Shared, threshold: int = THRESHOLD) -> Shown:
    """What is shown of the counts; the first are the most important.

    A number is small from 1 to threshold - 1. Protected is every small number that could be asked for: a count, who is
    left of those among whom it is counted, the difference of two counts of which one holds the other, any union of
    groups or of the levels of one attribute. It is protected as long as some line list gives every number shown and
    puts the protected one at `threshold` or more: from outside it need not be small. Besides, no small count may be
    fixed for somebody who guesses which counts are small: 8 patients in two groups suppressed as small are 4 and 4.
    Each count in turn is shown if all that is protected stays so. Nobody (0) and everybody are shown like other
    numbers; but no count is shown without the number of patients among whom it is counted, unless it follows from what
    is shown. That no rate is stated tells that nobody of some patients has a result: like a number,
    it is said only if all that is protected stays so.
    AssertionError, naming the count, where the profiles give another number than the result.
    """
    counts = shared.counts
    audit = _Audit(_Space(shared, threshold), counts, threshold)
    _confirm(counts, audit.counted)
    unstated = [patients for patients in shared.unstated if audit.tell(patients)]
    stated = [place for place, count in enumerate(counts) if count.stated]
    _show(audit, counts, stated)
    for place in audit.following(sorted({*stated} - {*audit.shown})):
        audit.show([place])
    values: list[int | None] = [None] * len(counts)
    for place in audit.shown:
        values[place] = int(audit.counted[place])
    return Shown(values, unstated)


def _confirm(counts: Sequence[Count], counted: np.ndarray) -> None:
    """AssertionError if what is audited is not what the report says."""
    for count, number in zip(counts, counted.tolist(), strict=True):
        if count.stated and count.number != number:
            audited = f"{number} are counted, and the result is {count.number}"
            raise AssertionError(f"{count.words}: {audited}")


def _show(audit: _Audit, counts: Sequence[Count], places: Sequence[int]) -> None:
    """Show what may be shown of these, as deciding one after the other would, but many at a time where all may be."""
    asked, wanted = {counts[place] for place in audit.shown}, []
    for place in places:
        if counts[place].of in (None, *asked) and not audit.space.tells(place, [*audit.shown, *wanted]):
            asked.add(counts[place])
            wanted.append(place)
    if not wanted or audit.show(wanted):
        return
    if len(wanted) == 1:
        _show(audit, counts, [place for place in places if place != wanted[0]])
    else:
        _show(audit, counts, places[: len(places) // 2])
        _show(audit, counts, places[len(places) // 2 :])


class _Space:
    """Line lists as vectors: how many patients are in each cell; `truth` is the cohort's.

    `links` times such a vector is 0 (tables agree on what they share), `rows` times it gives the counts, `protected`
    times it all that could be asked for and is small in the cohort. `telling` says which pairs of counts give a small
    number at once: they spare the solver most of its work.
    """

    def __init__(self, shared: Shared, threshold: int):
        counts, self.scheme = shared.counts, shared.scheme
        self.tables = self.scheme.tables
        self.groups = sorted(frozenset().union(*(count.groups for count in counts)))
        self.cells, held = [], []
        for names in self.tables:
            patients = Counter(shared.profiles[[*names]].itertuples(index=False, name=None))
            possible = self.scheme.possible(names[1:])
            conceivable = ((group, *rest) for group in self.groups for rest in possible)
            self.cells.append([*dict.fromkeys([*conceivable, *patients])])
            held.append(np.array([patients[cell] for cell in self.cells[-1]]))
        self.levels = [dict(zip(names, zip(*cells, strict=True), strict=True))
                       for names, cells in zip(self.tables, self.cells, strict=True)]  # fmt: skip
        self.starts = np.cumsum([0, *map(len, self.cells)])
        self.truth = np.concatenate(held)
        self.links = csr_array(np.vstack([*self._links()]))
        self.rows = csr_array(np.vstack([self.row(count.groups, count.where) for count in counts]))
        self.telling, small = np.zeros((len(counts), len(counts)), dtype=bool), []
        for place, patients in enumerate(held):
            self._mark_telling(place, patients, counts, threshold)
            for asked in self._askable(place, counts):
                numbers = asked @ patients
                small.append(self._whole(place, asked[(numbers >= 1) & (numbers < threshold)]))
        self.protected = csr_array(np.unique(np.vstack(small), axis=0))

    def tells(self, place: int, others: Sequence[int]) -> bool:
        """Whether a count is small or, beside one of the others, plainly leaves a small number."""
        return self.telling[place, place] or self.telling[place, others].any()

    def _mark_telling(self, place: int, patients: np.ndarray, counts: Sequence[Count], threshold: int) -> None:
        """Mark in `telling` the counts of one table that are small, and the pairs that differ by a small number."""
        names = {*self.tables[place]}
        mine = [number for number, count in enumerate(counts) if {*count.where} <= names]
        rows = np.array([self._holds(place, counts[number].groups, counts[number].where) for number in mine])
        held = rows @ patients
        left = held - held[:, None]
        inside = (rows @ (1 - rows).T == 0) & (left >= 1) & (left < threshold)
        small = np.diag((held >= 1) & (held < threshold))
        self.telling[np.ix_(mine, mine)] |= inside | inside.T | small

    def _links(self) -> Iterator[np.ndarray]:
        for place, names in enumerate(self.tables[1:], 1):
            before = max(range(place), key=lambda earlier: len({*names} & {*self.tables[earlier]}))
            shared = [name for name in names if name in self.tables[before]]
            mine, theirs = ([*zip(*(self.levels[table][name] for name in shared), strict=True)]
                            for table in (place, before))  # fmt: skip
            for key in dict.fromkeys([*mine, *theirs]):
                here, there = ([one == key for one in table] for table in (mine, theirs))
                yield self._whole(place, here) - self._whole(before, there)

    def row(self, groups: Set[str], where: Mapping[str, frozenset]) -> np.ndarray:
        """A row that counts patients with these profiles, over the first table that can."""
        names = {*where}
        place = next(place for place, table in enumerate(self.tables) if names <= {*table})
        return self._whole(place, self._holds(place, groups, where))

    def _holds(self, place: int, groups: Set[str], where: Mapping[str, frozenset]) -> np.ndarray:
        """Which cells of a table have one of these levels in each of these attributes, as 0 and 1."""
        cells, named = self.levels[place], {"group": groups, **where}.items()
        return np.prod([[level in levels for level in cells[name]] for name, levels in named], axis=0, dtype=np.int64)

    def _whole(self, place: int, cells: Sequence | np.ndarray) -> np.ndarray:
        """Rows over the cells of one table as rows over all cells."""
        rows = np.atleast_2d(cells).astype(np.int64)
        return np.pad(rows, ((0, 0), (self.starts[place], self.starts[-1] - self.starts[place + 1])))

    def _askable(self, place: int, counts: Sequence[Count]) -> Iterator[np.ndarray]:
        """What could be asked for in one table, as rows over its cells."""
        held = {count: self._holds(place, count.groups, count.where) for count in counts
                if {*count.where} <= {*self.tables[place]}}  # fmt: skip
        others = [held[count.of] - row for count, row in held.items() if count.of]
        parts = np.unique(np.array([*held.values(), *others]), axis=0)
        yield parts
        part, whole = np.nonzero((parts @ (1 - parts).T == 0) & ~np.eye(len(parts), dtype=bool))
        yield parts[whole] - parts[part]
        for some in _unions(self.groups):
            yield parts * self._holds(place, some, {})
        sizes = [row for count, row in held.items() if not count.where]
        levels = self.scheme.levels
        for name in {*self.tables[place]} & {*levels}:
            unions = [self._holds(place, {*self.groups}, {name: some}) for some in _unions(levels[name])]
            yield from (np.array(unions) * size for size in sizes)


def _unions(parts: Sequence) -> Iterator[frozenset]:
    """Every choice of some, but not all, of the parts."""
    return map(frozenset, chain.from_iterable(combinations(parts, many) for many in range(1, len(parts))))


class _Audit:
    """What is shown so far, and line lists that prove it safe: they show the same, but other numbers that are small.

    A proof is a whole line list, checked in whole numbers: the solver only finds it. Where it finds none, nothing more
    is shown.
    """

    def __init__(self, space: _Space, counts: Sequence[Count], threshold: int):
        self.space, self.threshold = space, threshold
        self.counted = space.rows @ space.truth
        self.most = int(self.counted.max()) + threshold  # patients that a line list may have in one cell
        self.shown: list[int] = []
        self.facts: list[tuple[np.ndarray, int, float]] = []  # rows told otherwise, least and most
        self.others = np.zeros((0, len(space.truth)), dtype=np.int64)  # line lists, one per row
        self.failed: Counter[tuple] = Counter()  # how often each protected number was the one that was not safe
        value, small = dict(zip(counts, self.counted, strict=True)), range(1, threshold)
        self.told = [place for place, count in enumerate(counts)
                     if value[count] in small and value.get(count.of) not in small]  # fmt: skip
        self.guarded = [place for place in self.told if self._could_differ([], [place])]

    def tell(self, patients: Unstated) -> bool:
        """Tell that some of these may be followed and none has a result: whether it is safe."""
        before = self.facts
        with_result = self.space.row(patients.groups, patients.with_result)
        followed = self.space.row(patients.groups, patients.followed)
        self.facts = [*before, (with_result, 0, 0), (followed, 1, np.inf)]
        if self._is_safe(self.shown):
            return True
        self.facts = before
        return False

    def _is_safe(self, same: list[int]) -> bool:
        """Whether everything protected is safe if these counts are shown."""
        return self._could_be_large(same) and self._could_differ(same, self.guarded)

    def show(self, places: list[int]) -> bool:
        """Show these counts, all or none: whether everything protected stays safe."""
        same = [*self.shown, *places]
        if not self._is_safe(same):
            return False
        self.shown = same
        return True

    def _could_be_large(self, same: list[int]) -> bool:
        """Whether each protected number is at the threshold or above in some line list with the same counts."""
        safe = (self.space.protected @ self._alike(same) >= self.threshold).any(axis=1)
        while not safe.all():
            left = np.flatnonzero(~safe)
            first = max(left, key=lambda row: self.failed["large", row])
            together = left[np.linspace(0, len(left) - 1, min(AT_ONCE, len(left))).astype(int)]
            found = self._search(same, self.space.protected[[first]], self.threshold, self.space.protected[together])
            if found is None:
                self.failed["large", first] += 1
                return False
            safe |= self.space.protected @ found >= self.threshold
        return True

    def _could_differ(self, same: list[int], guarded: list[int]) -> bool:
        """Whether each of these has another value in some line list with the same counts and the same small ones.

        It has, then, even for somebody who guesses which counts are small. That guess alone may fix some (4 patients in
        four groups): those are not `guarded`, for nothing that is shown or withheld makes a difference to them.
        """
        rows, values = self.space.rows[guarded], self.counted[guarded]
        alike = self._alike(same)
        small = self.space.rows[self.told] @ alike
        alike = alike[:, ((small >= 1) & (small < self.threshold)).all(axis=0)]
        safe = (rows @ alike != values[:, None]).any(axis=1)
        while not safe.all():
            left = np.flatnonzero(~safe)
            first = max(left, key=lambda row: self.failed["other", guarded[row]])
            row, value = rows[[first]], values[first]
            found = self._search(same, row, value + 1, rows[left], self.told)
            found = self._search(same, -row, 1 - value, rows[left], self.told) if found is None else found
            if found is None:
                self.failed["other", guarded[first]] += 1
                return False
            safe |= rows @ found != values
        return True

    def following(self, places: list[int]) -> list[int]:
        """Those of the counts that are the same in every line list that gives the numbers shown."""
        rows, values = self.space.rows[places], self.counted[places]
        same = (rows @ self._alike(self.shown) == values[:, None]).all(axis=1)
        while (zeros := np.flatnonzero(same & (values == 0))).size:
            anybody = csr_array(rows[zeros].sum(axis=0)[None, :])
            found = self._search(self.shown, anybody, 1, rows[zeros])
            if found is None:
                break
            same &= rows @ found == values
        for at in np.flatnonzero(same & (values > 0)):
            sides = ((rows[[at]], values[at] + 1), (-rows[[at]], 1 - values[at]))
            same[at] = all(self._search(self.shown, row, least, rows[[at]]) is None for row, least in sides)
        return [place for place, is_same in zip(places, same, strict=True) if is_same]

    def _alike(self, same: list[int]) -> np.ndarray:
        """The line lists known so far that give the cohort's own numbers for these counts, one per column."""
        alike = (self.space.rows[same] @ self.others.T == self.counted[same, None]).all(axis=0)
        for row, least, most in self.facts:
            number = (row @ self.others.T)[0]
            alike &= (number >= least) & (number <= most)
        return self.others[alike].T

    def _search(self, same: list[int], sought: csr_array, least: int, together: csr_array,
                small: Sequence[int] = ()) -> np.ndarray | None:  # fmt: skip
        """A line list with the same counts, `sought` at `least` or more, and as many of `together` large as may be.

        The counts at the places `small` are to stay small.
        """
        counts = self.space.rows[[*same, *small]]
        told = [csr_array(row) for row, _, _ in self.facts]
        held = vstack([self.space.links, counts, *told, sought])
        fewest = [least for _, least, _ in self.facts]
        greatest = [most for _, _, most in self.facts]
        zeros, ones = np.zeros(self.space.links.shape[0]), np.ones(len(small))
        lower = np.concatenate([zeros, self.counted[same], ones, fewest, [least]])
        most = (self.threshold - 1) * ones
        upper = np.concatenate([zeros, self.counted[same], most, greatest, [np.inf]])
        cells, extra = len(self.space.truth), together.shape[0]
        result = milp(
            np.repeat([0, -1], [cells, extra]),
            integrality=np.ones(cells + extra),
            bounds=(0, np.repeat([self.most, self.threshold], [cells, extra])),
            constraints=LinearConstraint(
                block_array([[held, None], [together, -eye_array(extra)]], format="csr"),
                np.concatenate([lower, np.zeros(extra)]),
                np.concatenate([upper, np.full(extra, np.inf)]),
            ),
            options={"mip_rel_gap": 0.2},
        )
        if result.x is None:
            return None
        found = np.rint(result.x[:cells]).astype(np.int64)
        numbers = held @ found
        if (found < 0).any() or (numbers < lower).any() or (numbers > upper).any():
            return None
        self.others = np.vstack([self.others, found])
        return found
