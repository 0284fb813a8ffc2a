"""Whole-number programs: unknowns, linear conditions on them (some only under switches), and CP-SAT to solve them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

from ortools.sat.python import cp_model

from blina.claims.status import Status

LIMIT_SECONDS = 60.0
# Most programs of this kind fall to propagation in milliseconds, and what costs more than it saves is switched off at
# first; linear relaxations help with long vectors. The limits on attempts count work, the same on every machine.
ATTEMPTS = (
    "linearization_level: 0 cp_model_probing_level: 0 symmetry_level: 0 max_deterministic_time: 1",
    "linearization_level: 2 max_deterministic_time: 5",
    "",
)
Switch = int  # the index of a 0-1 unknown, or ~index for its contrary


class Sum:
    """A whole-number combination of unknowns: `terms` maps an unknown's index to its factor."""

    __slots__ = ("constant", "terms")

    def __init__(self, terms: Mapping[int, int] | None = None, constant: int = 0):
        self.terms = {v: c for v, c in (terms or {}).items() if c}
        self.constant = constant

    def __add__(self, other: Sum | int) -> Sum:
        if isinstance(other, int):
            return Sum(self.terms, self.constant + other)
        terms = dict(self.terms)
        for unknown, factor in other.terms.items():
            terms[unknown] = terms.get(unknown, 0) + factor
        return Sum(terms, self.constant + other.constant)

    __radd__ = __add__

    def __mul__(self, factor: int) -> Sum:
        return Sum({v: c * factor for v, c in self.terms.items()}, self.constant * factor)

    __rmul__ = __mul__

    def __sub__(self, other: Sum | int) -> Sum:
        return self + other * -1

    def of(self, values: Sequence[int]) -> int:
        """Its value where the unknowns have these values."""
        return self.constant + sum(factor * values[unknown] for unknown, factor in self.terms.items())


def total(sums: Iterable[Sum]) -> Sum:
    """The sum of many."""
    terms: dict[int, int] = {}
    constant = 0
    for one in sums:
        constant += one.constant
        for unknown, factor in one.terms.items():
            terms[unknown] = terms.get(unknown, 0) + factor
    return Sum(terms, constant)


@dataclass(frozen=True)
class Condition:
    """`low` <= `sum` <= `high` (None: no limit) wherever every one of the switches is on."""

    sum: Sum
    low: int | None
    high: int | None
    switches: tuple[Switch, ...] = ()


@dataclass
class Program:
    """Unknowns with their least and greatest values, and what is required of them."""

    lows: list[int] = field(default_factory=list)
    highs: list[int] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    squares: list[tuple[int, int]] = field(default_factory=list)  # (unknown, the unknown that is its square)
    narrowed: dict[frozenset, tuple[int, int]] = field(default_factory=dict)  # limits that sums are known to keep

    def copy(self) -> Program:
        """The same program; what is added to one is not in the other."""
        return Program(
            lows=list(self.lows),
            highs=list(self.highs),
            conditions=list(self.conditions),
            squares=list(self.squares),
            narrowed=dict(self.narrowed),
        )

    def unknown(self, low: int, high: int) -> int:
        """Index of a new unknown from `low` to `high`."""
        self.lows.append(low)
        self.highs.append(high)
        return len(self.lows) - 1

    def integer(self, low: int, high: int) -> Sum:
        """A new unknown from `low` to `high`, as a sum; a plain number where there is no choice."""
        return Sum(constant=low) if low == high else Sum({self.unknown(low, high): 1})

    def require(self, what: Sum, low: int | None, high: int | None, *switches: Switch) -> None:
        """`what` lies from `low` to `high` (None: no limit) wherever every switch is on."""
        if low is None and high is None:
            return
        least, greatest = self.reach(what)
        if (low is None or low <= least) and (high is None or greatest <= high):
            return
        self.conditions.append(Condition(what, low, high, switches))

    def reach(self, what: Sum) -> tuple[int, int]:
        """Least and greatest value that the limits of the unknowns alone allow."""
        low = high = what.constant
        for unknown, factor in what.terms.items():
            ends = factor * self.lows[unknown], factor * self.highs[unknown]
            low, high = low + min(ends), high + max(ends)
        return low, high

    def narrow(self, what: Sum, low: int | None, high: int | None) -> None:
        """Require the limits; of a single unknown, by narrowing it."""
        if len(what.terms) == 1 and next(iter(what.terms.values())) == 1:
            (unknown,) = what.terms
            least = self.lows[unknown] if low is None else max(self.lows[unknown], low - what.constant)
            greatest = self.highs[unknown] if high is None else min(self.highs[unknown], high - what.constant)
            if least <= greatest:
                self.lows[unknown], self.highs[unknown] = least, greatest
                return
        self.require(what, low, high)
        if low is not None and high is not None and low <= high:
            self.narrowed[frozenset(what.terms.items())] = low - what.constant, high - what.constant

    def square(self, what: Sum) -> Sum:
        """The square of `what`."""
        low, high = self.reach(what)
        known = self.narrowed.get(frozenset(what.terms.items()))
        if known:
            low, high = max(low, known[0] + what.constant), min(high, known[1] + what.constant)
        if low >= high:
            return Sum(constant=low * low)
        root = self.unknown(low, high)
        self.require(what - Sum({root: 1}), 0, 0)
        ends = low * low, high * high
        result = self.unknown(0 if low < 0 < high else min(ends), max(ends))
        self.squares.append((root, result))
        return Sum({result: 1})


@dataclass(frozen=True)
class Solution:
    """`status`: SOLVED (`values` is the best there is), INFEASIBLE, or UNKNOWN (out of time; `bound` on the goal)."""

    status: Status
    values: tuple[int, ...] = ()
    bound: int | None = None


def solve(
    program: Program,
    least: Sum | None = None,
    extra: Sequence[Condition] = (),
    limit: float = LIMIT_SECONDS,
    seed: int = 0,
) -> Solution:
    """Values that meet every condition (and the `extra` ones), with `least` as small as it can be; CP-SAT, one worker.

    Out of time, `values` is the best that was found, if anything was, and `bound` a proven lower limit of `least`.
    """
    model = cp_model.CpModel()
    unknowns = [model.new_int_var(low, high, "") for low, high in zip(program.lows, program.highs, strict=True)]
    for condition in (*program.conditions, *extra):
        low = cp_model.INT_MIN if condition.low is None else condition.low - condition.sum.constant
        high = cp_model.INT_MAX if condition.high is None else condition.high - condition.sum.constant
        if low > high:
            constraint = model.add_bool_or([])
        else:
            constraint = model.add_linear_constraint(_expression(condition.sum, unknowns), low, high)
        if condition.switches:
            constraint.only_enforce_if([unknowns[s] if s >= 0 else unknowns[~s].negated() for s in condition.switches])
    for root, square in program.squares:
        model.add_multiplication_equality(unknowns[square], [unknowns[root], unknowns[root]])
    if least is not None and least.terms:
        model.minimize(_expression(least, unknowns))
    began = monotonic()
    for parameters in ATTEMPTS:
        solver = cp_model.CpSolver()
        solver.parameters.parse_text_format(parameters)
        solver.parameters.num_workers = 1  # several would race, and the winner differ from run to run
        solver.parameters.random_seed = seed
        solver.parameters.max_time_in_seconds = max(0.0, limit - (monotonic() - began))
        status = solver.solve(model)
        if status in (cp_model.OPTIMAL, cp_model.INFEASIBLE):
            break
    if status == cp_model.INFEASIBLE:
        return Solution(Status.INFEASIBLE)
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    values = tuple(int(solver.value(unknown)) for unknown in unknowns) if found else ()
    if status == cp_model.OPTIMAL:
        return Solution(Status.SOLVED, values)
    constant = least.constant if least is not None else 0
    bound = round(solver.best_objective_bound) + constant if least is not None and found else None
    return Solution(Status.UNKNOWN, values, bound)


def _expression(what: Sum, unknowns: Sequence[cp_model.IntVar]) -> cp_model.LinearExpr:
    return cp_model.LinearExpr.weighted_sum([unknowns[v] for v in what.terms], list(what.terms.values()))
