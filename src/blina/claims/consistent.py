"""Can all claims be true at once? If not: which contradict each other, and which single number, changed, would do."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import product
from math import prod
from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from blina.claims.bounds import nearest
from blina.claims.check import is_world
from blina.claims.confirm import confirms_impossible
from blina.claims.document import Claim, Document, PatientRule
from blina.claims.encoding import Encoding
from blina.claims.partition import atoms, elementary, profiles
from blina.claims.printed import MODES, round_exact
from blina.claims.program import LIMIT_SECONDS, Switch, solve
from blina.claims.statistics import STATISTICS
from blina.claims.status import Status
from blina.linelist.columns import Column
from blina.linelist.predicate import Within
from blina.linelist.table import Table

MOST_CONFLICTS = 200  # listed
SHOWN_CONFLICTS = 5
MOST_COMBINATIONS = 5_000
MOST_WORK = 20_000  # patients times claims, over all subsets that are tried in the search for further conflicts


@dataclass(frozen=True)
class Repair:
    """One printed number of a claim, and the nearest one in its place with which all claims could be true."""

    claim: str
    printed: str
    instead: str


@dataclass(frozen=True)
class Consistency:
    """`status`: CONSISTENT (with a `world`), CONTRADICTORY or UNKNOWN (see `status`).

    `rounding` gives the status under each rounding mode, also under those that the document does not use. `conflicts`
    lists the claims of each minimal conflict: claims that cannot all be true, while any of them but one can. They are
    all there are or, where `all_conflicts` is False, those that were found with reasonable effort. `repairs` are single
    changes that would do.
    """

    status: Status
    rounding: dict[str, Status]
    world: Table | None = None
    conflicts: tuple[tuple[str, ...], ...] = ()
    all_conflicts: bool = True
    repairs: tuple[Repair, ...] = ()


def a_world(document: Document, seed: int = 0, limit: float = LIMIT_SECONDS) -> Table | None:
    """Any world, quickly, but not drawn fairly; None if there is none. TimeoutError where that was not decided."""
    encoding = Encoding(document)
    found = solve(encoding.program, limit=limit, seed=seed)
    if found.status == Status.UNKNOWN:
        raise TimeoutError(f"the solver did not finish within {limit:.0f} s, so nothing can be said")
    if found.status == Status.INFEASIBLE:
        return None
    world = encoding.world(found.values, random.Random(seed))
    if not is_world(document, world):
        raise AssertionError("the solver's world does not satisfy the claims: the solver's form of one is wrong")
    return world


def consistent(document: Document, *, confirm: bool = True, limit: float = LIMIT_SECONDS) -> Consistency:
    """Whether a document has a world, under which rounding modes, and if not, why; `limit` is in seconds per solution.

    Without `confirm` nothing is called contradictory.
    """
    rounding = {mode: _status(replace(document, modes=(mode,)), confirm, limit) for mode in MODES}
    statuses = {rounding[mode] for mode in document.modes}
    if Status.CONSISTENT in statuses:
        return Consistency(Status.CONSISTENT, rounding, a_world(document, limit=limit))
    if Status.UNDECIDED in statuses or not confirm:
        for mode, status in rounding.items():
            if status == Status.UNDECIDED:
                rounding[mode] = Status.UNKNOWN
        return Consistency(Status.UNKNOWN, rounding)
    conflicts, complete = _Subsets(document, limit).minimal_conflicts()
    if Status.UNKNOWN in statuses:
        # The second solver may be able to confirm a part of the claims where all are beyond it.
        if not conflicts:
            return Consistency(Status.UNKNOWN, rounding)
        rounding |= dict.fromkeys(document.modes, Status.CONTRADICTORY)
    return Consistency(
        Status.CONTRADICTORY,
        rounding,
        conflicts=tuple(conflicts),
        all_conflicts=complete,
        repairs=tuple(_repairs(document, conflicts, limit)),
    )


def _status(document: Document, confirm: bool, limit: float) -> Status:
    encoding = Encoding(document)
    found = solve(encoding.program, limit=limit)
    if found.status == Status.SOLVED:
        return Status.CONSISTENT
    if found.status == Status.UNKNOWN:
        return Status.UNDECIDED
    return Status.CONTRADICTORY if confirm and confirms_impossible(encoding.program, (), limit) else Status.UNKNOWN


def explained(document: Document, found: Consistency) -> list[str]:
    """What was found, in lines for a reader of the report."""
    claims = {claim.id: claim for claim in document.claims}
    works = [mode.replace("_", " ") for mode, status in found.rounding.items() if status == Status.CONSISTENT]
    if found.status == Status.CONSISTENT:
        return [
            f"consistent: {len(claims)} claims can all be true at once",
            f"rounding under which they can: {', '.join(works)}",
        ]
    if found.status == Status.UNKNOWN:
        return [
            "unknown: one solver did not decide it in time, or found a contradiction that the second cannot confirm",
            "what makes it hard is most often a standard deviation in a column of many values: try without that claim",
        ]
    listed = len(found.conflicts)
    some = "" if found.all_conflicts else ", and there may be more"
    lines = [
        "contradictory: the claims, as they are read here, cannot all be true (two solvers agree)",
        f"minimal conflicts: {listed}{some}. In each, all claims but any one can be true together.",
    ]
    alike = {claim.id: [one.id for one in same] for same in _alike(document) for claim in same}  # are shown as one
    order = list(claims).index
    different = list({tuple(sorted((alike[id][0] for id in conflict), key=order)): 0 for conflict in found.conflicts})
    for number, conflict in enumerate(different[:SHOWN_CONFLICTS], start=1):
        lines.append(f"conflict {number}:")
        for claim in (claims[id] for id in conflict):
            also = "".join(f", also {id}" for id in alike[claim.id][1:])
            lines.append(f"  {claim.id}{also} ({claim.where or 'place not given'}): {claim.words}: {claim.printed}")
        numbers = {claims[id].of.name: claims[id].of for id in conflict if isinstance(claims[id].of, Column)}
        limits = "".join(f"; {name}: {column.allowed}" for name, column in numbers.items())
        lines.append(f"  given {document.patients} patients{limits}")
        if rules := rules_of(document, conflict):
            lines.append(f"  and the rules {', '.join(rules)}")
    if len(different) > SHOWN_CONFLICTS:
        lines.append(f"and {len(different) - SHOWN_CONFLICTS} more, none of them smaller: see --json")
    for repair in found.repairs:
        where = f" ({claims[repair.claim].where})" if claims[repair.claim].where else ""
        lines.append(f"one change would do: {repair.claim}{where}, {repair.instead} in place of {repair.printed}")
    if not found.repairs:
        lines.append("no single printed number, changed, would do")
    lines.append("This says that the numbers, as read, do not fit together. It does not say which is wrong, or why.")
    return lines


def rules_of(document: Document, conflict: Sequence[str], limit: float = LIMIT_SECONDS) -> tuple[str, ...]:
    """The rules that a conflict takes: without any of them its claims could all be true."""
    claims = [claim for claim in document.claims if claim.id in conflict]
    needed = _minimal(list(document.rules), lambda rules: not _possible(document, claims, rules, limit))
    return tuple(rule.id for rule in document.rules if rule in needed)


class _Subsets:
    """Which subsets of a document's claims can be true at once, its rules and columns taken as given.

    Claims that say the same stand for one another: `alike` lists, for each of `claims`, all that say what it says.
    """

    def __init__(self, document: Document, limit: float):
        self.document, self.limit = document, limit
        self.alike = _alike(document)
        self.claims = [claims[0] for claims in self.alike]
        self.order = list(range(len(self.claims)))  # of two claims that would both do, the first enters a conflict
        self.work = 0
        self._known: dict[frozenset[int], bool] = {}

    def minimal_conflicts(self) -> tuple[list[tuple[str, ...]], bool]:
        """Minimal conflicts, the smallest first, and whether these are all.

        Every subset is explored from above, as in MARCO (Liffiton et al., 2016): the largest one not yet decided is
        either possible, and with it all its subsets, or it is shrunk to a minimal conflict, which rules out all that
        contain it. Conflicts of two claims are what a reader understands best, so those are looked for first.
        """
        everything = frozenset(range(len(self.claims)))
        first = self._shrunk(everything)
        if not first:  # the rules alone
            return ([()], True) if self._is_sure(first) else ([], False)
        self.order.sort(key=self._strangeness(first))
        first = self._shrunk(everything)
        found = list(dict.fromkeys([first, *self._pairs(first, everything)]))
        map_ = cp_model.CpModel()
        chosen = [map_.new_bool_var("") for _ in self.claims]
        map_.maximize(sum(chosen))
        for conflict in found:
            map_.add_bool_or([chosen[i].negated() for i in conflict])
        while (subset := _largest(map_, chosen)) is not None:
            if len(found) >= MOST_CONFLICTS or self.work > MOST_WORK:
                break
            if self.possible(subset):
                map_.add_bool_or([chosen[i] for i in range(len(chosen)) if i not in subset])
            else:
                found.append(self._shrunk(subset))
                map_.add_bool_or([chosen[i].negated() for i in found[-1]])
        found.sort(key=lambda conflict: (len(conflict), sorted(conflict)))
        sure = [conflict for conflict in found if self._is_sure(conflict)]
        listed = [ids for conflict in sure for ids in self._spelt_out(conflict)]
        return listed[:MOST_CONFLICTS], subset is None and sure == found and len(listed) <= MOST_CONFLICTS

    def _is_sure(self, conflict: frozenset[int]) -> bool:
        """Whether the second solver, too, finds the conflict, and there is a world without any one of its claims."""
        program = Encoding(self._part(conflict)).program
        try:
            minimal = all(a_world(self._part(conflict - {one}), limit=self.limit) is not None for one in conflict)
        except TimeoutError:
            return False
        return minimal and confirms_impossible(program, (), self.limit)

    def _part(self, subset: frozenset[int]) -> Document:
        return _only(self.document, [self.claims[i] for i in sorted(subset)], self.document.rules)

    def _pairs(self, first: frozenset[int], everything: frozenset[int]) -> Iterator[frozenset[int]]:
        """Minimal conflicts of two claims about the same rows or numbers, one a claim without which all can be true."""
        for one in first:
            if 1 < len(first) <= 3 and self.possible(everything - {one}):
                for other in (i for i in everything - {one} if _asked(self.claims[i]) & _asked(self.claims[one])):
                    pair = frozenset((one, other))
                    if not self.possible(pair) and all(self.possible(frozenset((i,))) for i in pair):
                        yield pair

    def _spelt_out(self, conflict: frozenset[int]) -> Iterator[tuple[str, ...]]:
        """The conflict with each of its claims in turn replaced by those that say the same."""
        order = {claim.id: i for i, claim in enumerate(self.document.claims)}
        for claims in product(*(self.alike[i] for i in sorted(conflict))):
            yield tuple(sorted((claim.id for claim in claims), key=order.__getitem__))

    def possible(self, subset: frozenset[int]) -> bool:
        if subset not in self._known:
            self.work += self.document.patients * len(subset)
            found = solve(Encoding(self._part(subset)).program, limit=self.limit)
            self._known[subset] = found.status != Status.INFEASIBLE
        return self._known[subset]

    def _shrunk(self, subset: frozenset[int]) -> frozenset[int]:
        in_order = [i for i in self.order if i in subset]
        return frozenset(_minimal(in_order, lambda some: not self.possible(frozenset(some))))

    def _strangeness(self, conflict: frozenset[int]) -> Callable[[int], int]:
        """Puts claims first that speak of the same patients as those of a conflict, as a reader would look for them."""
        asked = Counter(part for i in conflict for part in set(elementary(self.claims[i].rows)))
        return lambda i: -sum(asked[part] for part in set(elementary(self.claims[i].rows)))


def _alike(document: Document) -> list[list[Claim]]:
    """The claims, those together that say the same of the same patients."""
    same: dict[tuple, list[Claim]] = {}
    for claim in document.claims:
        same.setdefault((claim.statistic, claim.rows, claim.of, claim.equals, claim.limits), []).append(claim)
    return list(same.values())


def _asked(claim: Claim) -> set[Within | Column]:
    """The conditions on its rows, and what it is a statistic of."""
    of = [claim.of] if isinstance(claim.of, Column) else [] if claim.of is None else elementary(claim.of)
    return {*elementary(claim.rows), *of}


def _possible(document: Document, claims: Sequence[Claim], rules: Sequence[PatientRule], limit: float) -> bool:
    """Whether the solver finds a world for these alone; if it runs out of time, it has not shown that there is none."""
    found = solve(Encoding(_only(document, claims, rules)).program, limit=limit)
    return found.status != Status.INFEASIBLE


def _largest(map_: cp_model.CpModel, chosen: Sequence[cp_model.IntVar]) -> frozenset[int] | None:
    """The largest subset that nothing found so far decides; None if there is none left."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    if solver.solve(map_) == cp_model.INFEASIBLE:
        return None
    return frozenset(i for i, one in enumerate(chosen) if solver.value(one))


def _minimal(parts: list[Any], conflict: Callable[[list[Any]], bool]) -> list[Any]:
    """A minimal sublist that still conflicts, of a list that does (QuickXplain, Junker 2004)."""

    def needed(given: list[Any], grown: bool, rest: list[Any]) -> list[Any]:
        if grown and conflict(given):
            return []
        if len(rest) == 1:
            return rest
        half = len(rest) // 2
        second = needed(given + rest[:half], True, rest[half:])
        return needed(given + second, bool(second), rest[:half]) + second

    return [] if not parts or conflict([]) else needed([], False, parts)


def _only(document: Document, claims: Sequence[Claim], rules: Sequence[PatientRule]) -> Document:
    """The document with these claims and rules, less the columns and rules that can never matter to the claims.

    Left out are columns that no rule ties to those of the claims and, one after the other, columns that always have a
    value with which their rules hold, whatever the other columns are.
    """
    if not claims:
        return replace(document, claims=(), rules=tuple(rules))
    claimed = set().union(*map(_columns_of, claims))
    named = set(claimed)
    while more := set().union(*(_tied(rule) for rule in rules if _tied(rule) & named)) - named:
        named |= more
    left = [rule for rule in rules if _tied(rule) <= named]
    while free := [name for name in sorted(named - claimed) if _always_fits(document, name, left)]:
        named.discard(free[0])
        left = [rule for rule in left if free[0] not in _tied(rule)]
    columns = {name: column for name, column in document.columns.items() if name in named}
    return replace(document, claims=tuple(claims), rules=tuple(left), columns=columns or document.columns)


def _tied(rule: PatientRule) -> set[str]:
    return rule.when.column_names() | rule.then.column_names()


def _always_fits(document: Document, name: str, rules: Sequence[PatientRule]) -> bool:
    mine = tuple(rule for rule in rules if name in _tied(rule))
    names = set().union(*map(_tied, mine)) | {name}
    return _fits(name, mine, tuple(column for column in document.columns.values() if column.name in names))


@cache
def _fits(name: str, rules: tuple[PatientRule, ...], columns: tuple[Column, ...]) -> bool:
    """Whether the column has, for all values of the others, one with which these rules hold."""
    asked = [part for rule in rules for side in (rule.when, rule.then) for part in elementary(side)]
    cut = {column.name: atoms(column, [part for part in asked if part.column == column.name]) for column in columns}
    others = [column.name for column in columns if column.name != name]
    combinations = prod(len(cut[other]) for other in others)
    if combinations > MOST_COMBINATIONS:
        return False
    ordered = {column.name: column for column in sorted(columns, key=lambda column: column.name == name)}
    found = profiles(ordered, cut, [(rule.when, rule.then) for rule in rules])
    cell = np.zeros(len(found), np.int64)
    for other in others:
        cell = cell * len(cut[other]) + found.index[other]
    return len(np.unique(cell)) == combinations


def _columns_of(claim: Claim) -> set[str]:
    of = claim.of
    said = set() if of is None else {of.name} if isinstance(of, Column) else of.column_names()
    return claim.rows.column_names() | said


def _repairs(document: Document, conflicts: Sequence[tuple[str, ...]], limit: float) -> Iterator[Repair]:
    """Single changes after which all claims can be true: only a claim that is part of every conflict can be one."""
    in_all = set.intersection(*map(set, conflicts)) if conflicts else set()
    for claim in document.claims:
        if claim.id in in_all and claim.equals:
            others = tuple(other for other in document.claims if other.id != claim.id)
            yield from _nearest(replace(document, claims=others), claim, limit)


_ENDS = {"range": ("min", "max")}


def _nearest(others: Document, claim: Claim, limit: float) -> Iterator[Repair]:
    """For each printed number of a claim the nearest one, or the two at the same distance, that the others allow."""
    ends = [STATISTICS[name] for name in _ENDS.get(claim.statistic.name, ())] or [claim.statistic]
    apart = [
        replace(claim, statistic=statistic, equals=(printed,))
        for statistic, printed in zip(ends, claim.equals, strict=True)
    ]
    for i, part in enumerate(apart):
        rest = replace(others, claims=(*others.claims, *apart[:i], *apart[i + 1 :]))
        (printed,) = part.equals
        found = sorted(_next_to(rest, part, limit), key=Fraction)
        distances = [abs(Fraction(text) - printed.value) for text in found]
        for text, distance in zip(found, distances, strict=True):
            if distance == min(distances):
                yield Repair(claim.id, printed.text, text)


def _next_to(rest: Document, part: Claim, limit: float) -> set[str]:
    """What might be printed instead: the nearest value below and above that the rest allows, under each rounding."""
    (printed,) = part.equals
    alike: dict[Switch | None, list[str]] = {}  # modes under which the claims admit the same values
    for mode, switch in Encoding(replace(rest, claims=(*rest.claims, part))).modes.items():
        alike.setdefault(switch, []).append(mode)
    found = set()
    for mode, *others in alike.values():
        admitted = printed.admits(mode)
        for above in (False, True):
            end, end_in = (admitted.high, admitted.high_in) if above else (admitted.low, admitted.low_in)
            key = {True: ("at_least", "above"), False: ("at_most", "below")}[above][end_in]
            outside = replace(part, equals=(), limits=((key, round_exact(end, printed.places + 1, "half_up")),))
            there = replace(rest, modes=(mode,), claims=(*rest.claims, outside))
            value = nearest(there, part, above, limit)
            if value is not None:
                found |= {part.statistic.shown(value, printed.places, one) for one in (mode, *others)}
    return found - {printed.text}
