"""A document as a whole-number program: how many patients have which profile, and their numbers in ascending vectors.

Nothing in a claims file tells patients apart, so the program counts them instead of naming them. Columns that a claim,
a rule or a question ties together share one table of counts, a count for each profile (see `partition`). The sets of
tied columns form a tree whose neighbours agree on the columns that they share; such tables always fit together to one
line list (Lauritzen, Graphical Models, 1996, on decomposable models). Numbers of which a median, a mean or a range is
asked stand in ascending vectors, one for each set of patients that the questions about that column tell apart.
"""

from __future__ import annotations

import random
from bisect import bisect, bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations, groupby, pairwise
from math import factorial, prod
from typing import Any

import numpy as np

from blina.claims.document import Claim, Document, Question
from blina.claims.partition import Profiles, atoms, elementary, profiles
from blina.claims.program import Condition, Program, Sum, Switch, total
from blina.claims.statistics import Form, OfNumbers
from blina.linelist.columns import Column
from blina.linelist.predicate import AllOf, Predicate
from blina.linelist.table import Table


@dataclass(frozen=True)
class Vector:
    """The numbers of some patients in one column, ascending; place i counts where its `present` switch is on.

    Places without a switch (None) always count; those that do not count hold the column's greatest number.
    """

    codes: tuple[Sum, ...]
    present: tuple[Switch | None, ...]
    signature: tuple[bool, ...]
    profiles: np.ndarray  # mask of the profiles of the patients
    size: Sum

    @property
    def least_size(self) -> int:
        return self.present.count(None)


@dataclass(frozen=True)
class _Clique:
    """Columns that are counted together, the clique before it that they are joined to, and the columns both count."""

    columns: tuple[str, ...]
    parent: int | None
    shared: tuple[str, ...]


@dataclass(frozen=True)
class _Counts:
    """The counts of one clique: `unknowns[k]` patients have one of the profiles p with `classes[p] == k`."""

    profiles: Profiles
    classes: np.ndarray
    unknowns: tuple[Sum, ...]

    def where(self, mask: np.ndarray) -> Sum:
        """How many patients have one of these profiles, a mask that cuts no class."""
        return total(self.unknowns[k] for k in np.unique(self.classes[mask]))

    def cells(self, shared: Sequence[str]) -> np.ndarray:
        """For each profile, a number that says which atoms of the shared columns it has."""
        cell = np.zeros(len(self.profiles), np.int64)
        for name in shared:
            cell = cell * len(self.profiles.atoms[name]) + self.profiles.index[name]
        return cell


class Encoding:
    """The program of a document and, if one is asked, of all that a further question needs.

    In a solution every rule holds, and every claim under one of the document's rounding modes: `modes` gives for each
    mode the switch that says that it is this one (None where the claims leave no choice between the modes). With
    `every_mode`, every claim holds under all of the modes at once.
    """

    def __init__(self, document: Document, question: Question | None = None, *, every_mode: bool = False):
        self.document = document
        self.program = Program()
        self.modes: dict[str, Switch | None] = {}
        self._questions: list[Question] = [*document.claims, *([question] if question else [])]
        self._cut = self._atoms()
        self._cliques = _clique_tree(document.columns, self._ties())
        self._counts = [self._table_of_counts(place) for place in range(len(self._cliques))]
        self._join()
        self.vectors = {name: self._sorted(name) for name in document.columns if self._scopes(name)}
        self._made: dict[tuple, object] = {}
        self._post_claims(every_mode)
        self.asked = (question,) if question else ()
        self.forms = tuple(form for one in self.asked for form in one.statistic.forms(self, one.rows, one.of))
        for form in self.forms:
            form.numerator(1)  # its unknowns are made before anything is solved

    # The verbs in which statistics say what they are

    def count(self, *predicates: Predicate) -> Sum:
        """How many patients satisfy all of them."""
        both = AllOf(predicates)
        counts = self._counts[self._home(both.column_names())]
        return counts.where(both.holds(counts.profiles.table))

    def sizes(self, rows: Predicate) -> range:
        """How many patients, from 1 on, may be among the rows by the counts that are claimed."""
        place = self._home(rows.column_names())
        low, high = self._limits(place, rows.holds(self._counts[place].profiles.table))
        return range(max(1, low), high + 1)

    def scope(self, rows: Predicate, of: Column) -> tuple[Vector, ...]:
        """The numbers in a column of the patients among the rows, blanks left out."""
        place = self._scopes(of.name).index(rows)
        return tuple(vector for vector in self.vectors[of.name] if vector.signature[place])

    def how_many(self, scope: tuple[Vector, ...], least: int) -> tuple[Sum, range]:
        """How many numbers there are in a scope, and which counts from `least` on are not ruled out beforehand."""
        most = min(self.document.patients, sum(len(vector.codes) for vector in scope))
        sizes = range(max(least, sum(vector.least_size for vector in scope)), most + 1)
        return total(vector.size for vector in scope), sizes

    def least(self, scope: tuple[Vector, ...]) -> Sum:
        """Least number of a scope that has any."""
        return self._once(("least", *scope), lambda: self._extreme(scope, greatest=False))

    def greatest(self, scope: tuple[Vector, ...]) -> Sum:
        """Greatest number of a scope that has any."""
        return self._once(("greatest", *scope), lambda: self._extreme(scope, greatest=True))

    def middles(self, scope: tuple[Vector, ...]) -> Sum:
        """The two middle numbers of a scope that has any, added up; twice the middle one where there is just one."""
        return self._once(("middles", *scope), lambda: self._middles(scope))

    def added(self, scope: tuple[Vector, ...], less: int = 0) -> Sum:
        """All numbers of a scope, each less a constant, added up."""
        return total(code for vector in scope for code in self._counted(vector, less))

    def squares(self, scope: tuple[Vector, ...], less: int = 0) -> Sum:
        """The squares of all numbers of a scope, each less a constant, added up."""
        numbers = [code for vector in scope for code in self._counted(vector, less)]
        return self._once(("squares", less, *scope), lambda: total(map(self.program.square, numbers)))

    def square_of_sum(self, scope: tuple[Vector, ...], less: int = 0) -> Sum:
        """The square of `added`."""
        return self._once(("square of sum", less, *scope), lambda: self.program.square(self.added(scope, less)))

    # From a solution to a line list

    def world(self, values: Sequence[int], chance: random.Random) -> Table:
        """A line list that a solution stands for; what the solution leaves open is drawn by chance."""
        patients = self.document.patients
        profile = [np.zeros(patients, np.int64) for _ in self._cliques]
        atom = {}
        for place, (clique, counts) in enumerate(zip(self._cliques, self._counts, strict=True)):
            drawn = np.array(self._drawn_profiles(counts, values, chance))
            if clique.parent is None:
                profile[place] = drawn
            else:
                above = self._counts[clique.parent].cells(clique.shared)[profile[clique.parent]]
                below = counts.cells(clique.shared)[drawn]
                profile[place][np.argsort(above, kind="stable")] = drawn[np.argsort(below, kind="stable")]
            for name in clique.columns:
                atom[name] = counts.profiles.index[name][profile[place]]
        codes, blank = {}, {}
        for name in self.document.columns:
            cut = self._cut[name]
            blank[name] = np.array([cut[k].blank for k in atom[name]])
            codes[name] = np.array([chance.randint(cut[k].low, cut[k].high) for k in atom[name]], np.int64)
        for name, vectors in self.vectors.items():
            here = profile[self._home_of_numbers(name)]
            for vector in vectors:
                whose = np.flatnonzero(vector.profiles[here])
                dealt = [code.of(values) for code in vector.codes[: len(whose)]]
                # Within an atom the numbers go to the patients by chance; atoms are in ascending order.
                chances = [chance.random() for _ in whose]
                order = sorted(range(len(whose)), key=lambda i: (atom[name][whose[i]], chances[i]))
                codes[name][whose[order]] = dealt
        width = max(2, len(str(patients)))
        ids = tuple(f"P{i:0{width}d}" for i in range(1, patients + 1))
        return Table(self.document.columns, codes, blank, ids, reconstructed=True)

    def _drawn_profiles(self, counts: _Counts, values: Sequence[int], chance: random.Random) -> list[int]:
        weights, members = self._weights(counts), {}
        for p, k in enumerate(counts.classes):
            members.setdefault(int(k), []).append(p)
        drawn = []
        for k, unknown in enumerate(counts.unknowns):
            upto = list(accumulate(weights[p] for p in members[k]))
            drawn += [members[k][bisect(upto, chance.randrange(upto[-1]))] for _ in range(unknown.of(values))]
        chance.shuffle(drawn)
        return drawn

    def _weights(self, counts: _Counts) -> list[int]:
        """For each profile, the values that it leaves open: those of the columns that first stand in this table."""

        def make() -> list[int]:
            weights = [1] * len(counts.profiles)
            for name, index in counts.profiles.index.items():
                first = self._home_of_numbers(name) if name in self.vectors else self._home({name})
                if self._counts[first] is counts:
                    vectors = self.vectors.get(name, ())
                    in_vector = np.logical_or.reduce([np.zeros(len(index), bool), *(v.profiles for v in vectors)])
                    sizes = [
                        1 if inside else self._cut[name][k].size for k, inside in zip(index, in_vector, strict=True)
                    ]
                    weights = [weight * size for weight, size in zip(weights, sizes, strict=True)]
            return weights

        return self._once(("weights", id(counts)), make)

    @property
    def counts(self) -> list[Sum]:
        """How many patients have which profile, for all profiles that something asked tells apart."""
        return [unknown for counts in self._counts for unknown in counts.unknowns]

    @property
    def decisive(self) -> list[Sum]:
        """What tells one solution from another: all counts, and the numbers of all vectors."""
        return self.counts + [code for vectors in self.vectors.values() for vector in vectors for code in vector.codes]

    def ways(self, values: Sequence[int]) -> int:
        """How many line lists a solution stands for, patients told apart; `world` draws each with the same chance."""
        result = 1
        for clique, counts in zip(self._cliques, self._counts, strict=True):
            numbers = [unknown.of(values) for unknown in counts.unknowns]
            cells, weights = counts.cells(clique.shared), self._weights(counts)
            of_class: dict[int, tuple[int, int]] = {}  # the shared cell of each class, and what its profiles leave open
            for p, k in enumerate(counts.classes):
                of_class[int(k)] = int(cells[p]), of_class.get(int(k), (0, 0))[1] + weights[p]
            for cell in {cell for cell, _ in of_class.values()}:
                result *= _arrangements(numbers[k] for k, (here, _) in of_class.items() if here == cell)
            for k, (_, weight) in of_class.items():
                result *= weight ** numbers[k]
        for name, vectors in self.vectors.items():
            tops = [atom.high for atom in self._cut[name] if not atom.blank]
            for vector in vectors:
                codes = [code.of(values) for code in vector.codes[: vector.size.of(values)]]
                for _, within in groupby(codes, key=lambda code: bisect_left(tops, code)):
                    result *= _arrangements(Counter(within).values())
        return result

    # Columns, cliques and counts

    def _atoms(self) -> dict:
        asked: dict[str, list] = {name: [] for name in self.document.columns}
        predicates = [predicate for rule in self.document.rules for predicate in (rule.when, rule.then)]
        for question in self._questions:
            predicates += [question.rows, *([question.of] if question.statistic.of == "predicate" else [])]
        for predicate in predicates:
            for condition in elementary(predicate):
                asked[condition.column].append(condition)
        return {name: atoms(column, asked[name]) for name, column in self.document.columns.items()}

    def _scopes(self, name: str) -> list[Predicate]:
        """Whose numbers in a column are asked about."""
        of_it = (q for q in self._questions if isinstance(q.statistic, OfNumbers) and q.of.name == name)
        return list(dict.fromkeys(question.rows for question in of_it))

    def _columns_of_numbers(self, name: str) -> set[str]:
        return {name}.union(*(rows.column_names() for rows in self._scopes(name)))

    def _ties(self) -> list[set[str]]:
        ties = [rule.when.column_names() | rule.then.column_names() for rule in self.document.rules]
        ties += [_columns_of_counts(question) for question in self._questions]
        return ties + [self._columns_of_numbers(name) for name in self.document.columns if self._scopes(name)]

    def _home(self, columns: set[str]) -> int:
        """The first clique that counts all these columns."""
        return next(place for place, clique in enumerate(self._cliques) if columns <= set(clique.columns))

    def _home_of_numbers(self, name: str) -> int:
        return self._home(self._columns_of_numbers(name))

    def _table_of_counts(self, place: int) -> _Counts:
        clique = self._cliques[place]
        columns = {name: self.document.columns[name] for name in clique.columns}
        found = profiles(columns, self._cut, [(rule.when, rule.then) for rule in self.document.rules])
        table, told_apart = found.table, [np.zeros(len(found), np.int64)]
        for question in self._questions:
            if self._home(_columns_of_counts(question)) == place:
                told_apart.append(question.rows.holds(table))
                if question.statistic.of == "predicate":
                    told_apart.append(question.of.holds(table))
        for name in clique.columns:
            if self._scopes(name) and self._home_of_numbers(name) == place:
                told_apart += [found.index[name], *(rows.holds(table) for rows in self._scopes(name))]
        for other in self._cliques:
            if other is clique or other.parent == place:
                told_apart += [found.index[name] for name in other.shared]
        kinds, classes = np.unique(np.column_stack(told_apart), axis=0, return_inverse=True)
        unknowns = tuple(self.program.integer(0, self.document.patients) for _ in kinds)
        return _Counts(found, classes.reshape(-1), unknowns)

    def _join(self) -> None:
        for clique, counts in zip(self._cliques, self._counts, strict=True):
            if clique.parent is None:
                self.program.require(total(counts.unknowns), self.document.patients, self.document.patients)
                continue
            parent = self._counts[clique.parent]
            below, above = counts.cells(clique.shared), parent.cells(clique.shared)
            for cell in np.union1d(below, above):
                self.program.require(counts.where(below == cell) - parent.where(above == cell), 0, 0)

    def _limits(self, place: int, mask: np.ndarray) -> tuple[int, int]:
        """How many patients at least and at most have one of these profiles, by single claims on counts."""
        low, high = 0, self.document.patients
        low = high if mask.all() else low
        clique, table = set(self._cliques[place].columns), self._counts[place].profiles.table
        for claim in self.document.claims:
            if claim.statistic.of == "nothing" and claim.rows.column_names() <= clique:
                counted = claim.rows.holds(table)
                ends = [claim.intervals(mode)[0].integers() for mode in self.document.modes]
                if not (mask & ~counted).any() and all(end is not None for _, end in ends):
                    high = min(high, max(end for _, end in ends))
                if not (counted & ~mask).any() and all(end is not None for end, _ in ends):
                    low = max(low, min(end for end, _ in ends))
        return low, max(high, 0)

    # Ascending vectors

    def _sorted(self, name: str) -> tuple[Vector, ...]:
        place = self._home_of_numbers(name)
        counts = self._counts[place]
        table, index = counts.profiles.table, counts.profiles.index[name]
        masks = np.column_stack([rows.holds(table) & ~table.blank[name] for rows in self._scopes(name)])
        vectors = []
        for signature in np.unique(masks, axis=0):
            if signature.any():
                mine = (masks == signature).all(axis=1)
                vectors.append(self._vector(name, place, mine, tuple(map(bool, signature)), np.unique(index[mine])))
        return tuple(vectors)

    def _vector(
        self, name: str, place: int, mine: np.ndarray, signature: tuple[bool, ...], present_atoms: np.ndarray
    ) -> Vector:
        counts, program = self._counts[place], self.program
        low, high = self._limits(place, mine)
        cut = [self._cut[name][k] for k in present_atoms]
        size = counts.where(mine)
        program.require(size, low, high)
        codes = tuple(program.integer(cut[0].low, cut[-1].high) for _ in range(high))
        for one, next_ in pairwise(codes):
            program.require(next_ - one, 0, None)
        present: list[Switch | None] = [None] * min(low, high) + [program.unknown(0, 1) for _ in range(low, high)]
        self._as_many(present[low:], size - low)
        for code, switch in zip(codes, present, strict=True):
            if switch is not None:
                program.require(code, cut[-1].high, None, ~switch)
        index = counts.profiles.index[name]
        for upto, (atom, above) in enumerate(pairwise(cut), start=1):
            within = [program.unknown(0, 1) for _ in codes]  # whether the number lies in this atom or below
            self._as_many(within, counts.where(mine & np.isin(index, present_atoms[:upto])))
            for code, switch in zip(codes, within, strict=True):
                program.require(code, None, atom.high, switch)
                program.require(code, above.low, None, ~switch)
        return Vector(codes, tuple(present), signature, mine, size)

    def _as_many(self, switches: Sequence[Switch], how_many: Sum) -> None:
        """The first so many of the switches are on, and no other."""
        self.program.require(total(Sum({s: 1}) for s in switches) - how_many, 0, 0)
        for one, next_ in pairwise(switches):
            self.program.require(Sum({one: 1, next_: -1}), 0, None)

    def _once(self, what: tuple, make: Callable[[], Any]) -> Any:
        """What was made for this before, else what `make` makes."""
        key = tuple(id(part) if isinstance(part, Vector) else part for part in what)
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _extreme(self, scope: tuple[Vector, ...], greatest: bool) -> Sum:
        end = -1 if greatest else 0
        if len(scope) == 1 and scope[0].codes and scope[0].present[end] is None:
            return scope[0].codes[end]
        program = self.program
        extreme = self._between_ends(scope)
        attained = []
        for vector in scope:
            places = range(len(vector.codes))
            if not greatest:
                places = places[:1]
            elif None in vector.present:
                places = places[vector.least_size - 1 :]  # those before it are never the greatest alone
            for i in places:
                code, switch = vector.codes[i], vector.present[i]
                when = () if switch is None else (switch,)
                gap = extreme - code
                program.require(gap if greatest else gap * -1, 0, None, *when)
                here = program.unknown(0, 1)
                program.require(gap, 0, 0, here)
                for switch in when:
                    program.require(Sum({switch: 1, here: -1}), 0, None)
                attained.append(here)
        program.require(total(Sum({here: 1}) for here in attained), 1, None)
        return extreme

    def _middles(self, scope: tuple[Vector, ...]) -> Sum:
        if len(scope) == 1 and scope[0].codes and all(switch is None for switch in scope[0].present):
            codes = scope[0].codes
            return codes[(len(codes) - 1) // 2] + codes[len(codes) // 2]
        program = self.program
        size = total(vector.size for vector in scope)
        lower, upper = self._between_ends(scope), self._between_ends(scope)
        program.require(upper - lower, 0, None)
        # With n numbers, at least n/2 lie at or below the lower middle one and at least (n + 1)/2 at or above it.
        self._at_least_half(scope, lower, below=True, least=size)
        self._at_least_half(scope, lower, below=False, least=size + 1)
        self._at_least_half(scope, upper, below=True, least=size + 1)
        self._at_least_half(scope, upper, below=False, least=size)
        return lower + upper

    def _at_least_half(self, scope: tuple[Vector, ...], middle: Sum, below: bool, least: Sum) -> None:
        """Twice the numbers at or below (else: at or above) `middle` are at least `least`."""
        program, counted = self.program, []
        for vector in scope:
            switches = [program.unknown(0, 1) for _ in vector.codes]
            for code, present, switch in zip(vector.codes, vector.present, switches, strict=True):
                program.require((middle - code) * (1 if below else -1), 0, None, switch)
                if present is not None:
                    program.require(Sum({present: 1, switch: -1}), 0, None)
            if below:  # places that do not count come last, so only here are those that do counted from the first on
                for one, next_ in pairwise(switches):
                    program.require(Sum({one: 1, next_: -1}), 0, None)
            counted += switches
        program.require(total(Sum({switch: 2}) for switch in counted) - least, 0, None)

    def _between_ends(self, scope: tuple[Vector, ...]) -> Sum:
        reaches = [self.program.reach(code) for vector in scope for code in vector.codes] or [(0, 0)]
        return self.program.integer(min(low for low, _ in reaches), max(high for _, high in reaches))

    def _counted(self, vector: Vector, less: int) -> list[Sum]:
        """For each place its number less a constant where it counts, else 0."""
        return [
            code - less
            if switch is None
            else self._once(("counted", less, i, vector), lambda c=code - less, s=switch: self._where(c, s))
            for i, (code, switch) in enumerate(zip(vector.codes, vector.present, strict=True))
        ]

    def _where(self, what: Sum, switch: Switch) -> Sum:
        """A sum where a switch is on, else 0."""
        low, high = self.program.reach(what)
        result = self.program.integer(min(0, low), max(0, high))
        self.program.require(result - what, 0, 0, switch)
        self.program.require(result, 0, 0, ~switch)
        return result

    # Claims

    def _post_claims(self, every_mode: bool) -> None:
        """Require every claim under one rounding mode, the same for all, or under every mode at once."""
        modes = self.document.modes
        choices = [modes] * len(modes) if every_mode else [(mode,) for mode in modes]
        posted = [
            (
                form,
                n,
                [claim.intervals(*choice)[part].integers(form.unit / form.divisor(n)) for choice in choices],
            )
            for claim in self.document.claims
            for part, form in enumerate(self._forms(claim))
            for n in (form.sizes if form.is_ratio else form.sizes[:1])
        ]
        kinds = list(zip(*(limits for _, _, limits in posted), strict=True)) or [()] * len(modes)
        distinct = list(dict.fromkeys(kinds))
        switches = [self.program.unknown(0, 1) for _ in distinct] if len(distinct) > 1 else [None]
        if len(distinct) > 1:
            self.program.require(total(Sum({switch: 1}) for switch in switches), 1, 1)
        self.modes = {m: switches[distinct.index(k)] for m, k in zip(modes, kinds, strict=True)}
        # What is linear comes first: it may narrow the sums of which an sd takes the squares.
        for i, (form, n, limits) in sorted(enumerate(posted), key=lambda one: not one[1][0].linear):
            when = (self.size_is(form, n),) if form.is_ratio and len(form.sizes) > 1 else ()
            if len(set(limits)) == 1:
                self._limit(form.numerator(n), *limits[0], *when)
                continue
            if not when:
                self._limit(form.numerator(n), *_hull(limits))
            for kind, switch in zip(distinct, switches, strict=True):
                self._limit(form.numerator(n), *kind[i], *when, switch)

    def _limit(self, what: Sum, low: int | None, high: int | None, *when: Switch) -> None:
        if when:
            self.program.require(what, low, high, *when)
        else:
            self.program.narrow(what, low, high)

    def _forms(self, claim: Claim) -> tuple[Form, ...]:
        made = claim.statistic.forms(self, claim.rows, claim.of)
        for form in made:
            if form.size is not None:
                self.program.conditions.append(self.defined(form))
        return made

    def defined(self, form: Form) -> Condition:
        """The statistic has a value: there are rows to take it of."""
        return Condition(form.size, form.sizes[0], form.sizes[-1]) if form.sizes else Condition(Sum(), 1, 1)

    def size_is(self, form: Form, n: int) -> Switch:
        """The switch that says whether a form's rows are n; exactly one of those of its sizes is on."""

        def make() -> dict[int, Switch]:
            switches = {m: self.program.unknown(0, 1) for m in form.sizes}
            self.program.require(total(Sum({switch: 1}) for switch in switches.values()), 1, 1)
            self.program.require(total(Sum({s: m}) for m, s in switches.items()) - form.size, 0, 0)
            return switches

        return self._once((tuple(form.size.terms.items()), form.size.constant, form.sizes), make)[n]


def _hull(limits: Sequence[tuple[int | None, int | None]]) -> tuple[int | None, int | None]:
    """The narrowest limits that contain all of these."""
    lows, highs = zip(*limits, strict=True)
    return None if None in lows else min(lows), None if None in highs else max(highs)


def _arrangements(numbers: Iterable[int]) -> int:
    """In how many ways so many patients of each kind can be told apart."""
    numbers = list(numbers)
    return factorial(sum(numbers)) // prod(map(factorial, numbers))


def _columns_of_counts(question: Question) -> set[str]:
    """The columns that say who is counted."""
    of = question.of.column_names() if question.statistic.of == "predicate" else set()
    return question.rows.column_names() | of


def _clique_tree(columns: Sequence[str], ties: Sequence[set[str]]) -> list[_Clique]:
    """Sets of columns such that each tie lies within one, joined to a tree; a parent stands before its children.

    Columns are eliminated in the order that adds the fewest further ties (minimum fill).
    """
    near: dict[str, set[str]] = {name: set() for name in columns}
    for tie in ties:
        for one, other in combinations(tie, 2):
            near[one].add(other)
            near[other].add(one)

    def fill(name: str) -> int:
        return sum(other not in near[one] for one, other in combinations(near[name], 2))

    eliminated: list[tuple[str, set[str]]] = []
    left = list(columns)
    while left:
        name = min(left, key=fill)
        left.remove(name)
        eliminated.append((name, near[name]))
        for one, other in combinations(near[name], 2):
            near[one].add(other)
            near[other].add(one)
        for other in near[name]:
            near[other].discard(name)
    sets: list[tuple[set[str], int | None, set[str]]] = []
    for name, neighbours in reversed(eliminated):
        parent = next((place for place, (members, _, _) in enumerate(sets) if neighbours <= members), None)
        if parent is not None and neighbours == sets[parent][0]:
            sets[parent][0].add(name)
        else:
            sets.append(({name} | neighbours, parent, neighbours))
    order = {name: i for i, name in enumerate(columns)}
    return [
        _Clique(tuple(sorted(members, key=order.get)), parent, tuple(sorted(shared, key=order.get)))
        for members, parent, shared in sets
    ]
