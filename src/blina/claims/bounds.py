"""Between which values a statistic lies in every world, with a world at each end and a second solver's word."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from blina.claims.check import is_world
from blina.claims.confirm import confirms_impossible
from blina.claims.document import Document, Question
from blina.claims.encoding import Encoding, Form
from blina.claims.program import LIMIT_SECONDS, Condition, Program, Solution, solve
from blina.claims.statistics import STATISTICS
from blina.claims.status import Status
from blina.linelist.columns import Column
from blina.linelist.predicate import AllOf, Not, Within
from blina.linelist.table import Table
from blina.yamlfile import FileError

Conditions = tuple[Condition, ...]


@dataclass(frozen=True)
class Bounds:
    """Least and greatest value of a statistic over all worlds in which it is defined (exact; of an sd, the variance).

    `status`: PROVEN, UNCONFIRMED, OUTER, UNKNOWN, CONTRADICTORY or UNDEFINED (see `status`). `worlds` attain the lower
    and the upper end. `sometimes_undefined`: in other worlds there is nobody to compute it of.
    """

    question: Question
    status: Status
    lower: Fraction | None = None
    upper: Fraction | None = None
    worlds: tuple[Table, ...] = ()
    sometimes_undefined: bool = False

    @property
    def attained(self) -> bool:
        """Whether there is a world at each end."""
        return len(self.worlds) == 2

    @property
    def determined(self) -> bool:
        """Whether the value is the same in every world, and both solvers say so."""
        return self.status == Status.PROVEN and self.lower == self.upper and not self.sometimes_undefined

    def as_json(self) -> dict[str, object]:
        """Ends as one would print them, whether a world attains each, and the status."""
        lower, upper = self.text()
        return {"lower": lower, "upper": upper, "attained": self.attained, "status": self.status}

    @property
    def said(self) -> str:
        """The bounds in a sentence."""
        lower, upper = self.text()
        found = {
            Status.CONTRADICTORY: "no line list satisfies the claims, so nothing can be said; see `blina consistent`",
            Status.UNDEFINED: "in no line list that satisfies the claims is there anybody to compute it of",
            Status.UNKNOWN: "not decided: a solver did not finish in time, or the second did not confirm the first",
        }.get(self.status) or (
            f"{lower}, the same in every line list that satisfies the claims"
            if self.lower == self.upper
            else f"{lower} to {upper} over all line lists that satisfy the claims"
        )
        notes = {
            Status.PROVEN: "proven by two solvers, with a line list at each end",
            Status.UNCONFIRMED: "unconfirmed: the second solver has not confirmed that nothing lies beyond",
            Status.OUTER: "outer bounds: out of time, the ends may not be attained",
        }
        note = f" ({notes[self.status]})" if self.status in notes else ""
        empty = "; in some of them there is nobody to compute it of" if self.sometimes_undefined else ""
        return f"{self.question.words}: {found}{empty}{note}"

    def text(self) -> tuple[str | None, str | None]:
        """Both ends as one would print them."""
        return tuple(None if end is None else shown(self.question, end) for end in (self.lower, self.upper))


def shown(question: Question, value: Fraction) -> str:
    """A statistic's value in digits: a percent to one decimal, others to the column's (a mean to at least two)."""
    return question.statistic.shown(value, places(question, value), "half_up")


def places(question: Question, value: Fraction) -> int:
    """Decimals that `shown` gives; a median halfway between two steps gets the one more that it needs."""
    name = question.statistic.name
    if name in ("count", "percent"):
        return int(name == "percent")
    step = len(question.of.step.partition(".")[2])
    if name in ("mean", "sd"):
        return max(2, step)
    return step if (value / question.of.size).denominator == 1 else step + 1


def bounds(document: Document, question: Question, *, confirm: bool = True, limit: float = LIMIT_SECONDS) -> Bounds:
    """Bounds of a statistic over all worlds of a document; `limit` is the time in seconds for each call of a solver.

    FileError for a range, which is two statistics. Without `confirm` nothing is called proven.
    """
    if question.statistic.numbers != 1:
        raise FileError(f"{question.statistic.name} has two values: ask for min and for max")
    encoding = Encoding(document, question)
    (form,), program = encoding.forms, encoding.program
    given = () if form.size is None else (encoding.defined(form),)
    first = solve(program, extra=given, limit=limit)
    if first.status == Status.INFEASIBLE:
        impossible = confirm and confirms_impossible(program, given, limit)
        return Bounds(question, _without_value(document, limit) if impossible else Status.UNKNOWN)
    if not first.values:
        return Bounds(question, Status.UNKNOWN)
    ends = [_end(program, form, given, first, sign, limit) for sign in (1, -1)]
    lower, upper = (end.value for end in ends)
    if any(end.values is None for end in ends):
        status = Status.UNKNOWN if None in (lower, upper) else Status.OUTER
        return Bounds(question, status, lower, upper)
    agreed = confirm and all(_confirmed(program, beyond, limit) for end in ends for beyond in end.beyond)
    may_be_empty = form.size is not None and form.sizes[0] == form.fewest
    return Bounds(
        question,
        Status.PROVEN if agreed else Status.UNCONFIRMED,
        lower,
        upper,
        tuple(_world(encoding, end.values, end.value) for end in ends),
        may_be_empty and _may_be_fewer(document, question, form.fewest, limit),
    )


def nearest(document: Document, question: Question, above: bool, limit: float = LIMIT_SECONDS) -> Fraction | None:
    """The least value (else: the greatest) over all worlds, by one solver; None if there is none or time ran out."""
    encoding = Encoding(document, question)
    (form,) = encoding.forms
    given = () if form.size is None else (encoding.defined(form),)
    first = solve(encoding.program, extra=given, limit=limit) if form.is_ratio else Solution(Status.UNKNOWN)
    if form.is_ratio and not first.values:
        return None
    end = _end(encoding.program, form, given, first, 1 if above else -1, limit)
    return end.value if end.values else None


@dataclass(frozen=True)
class _End:
    """One end: its value, a solution that attains it (None: not found in time), and what would lie beyond it."""

    value: Fraction | None
    values: tuple[int, ...] | None
    beyond: tuple[tuple[Condition, ...], ...] = ()


def _end(program: Program, form: Form, given: Conditions, first: Solution, sign: int, limit: float) -> _End:
    """The least value (sign 1) or the greatest (sign -1)."""
    if not form.is_ratio:
        return _simple_end(program, form, 1, given, sign, limit)
    if form.linear:
        return _ratio_end(program, form, given, first, sign, limit)
    ends = [
        _simple_end(program, form, n, (*given, Condition(form.size, n, n)), sign, limit) for n in form.sizes
    ]  # each number of patients has a goal of its own
    if any(end.values is None for end in ends):
        return _End(None, None)
    best = min((end for end in ends if end.value is not None), key=lambda end: end.value * sign)
    return _End(best.value, best.values, tuple(beyond for end in ends for beyond in end.beyond))


def _simple_end(program: Program, form: Form, n: int, given: Conditions, sign: int, limit: float) -> _End:
    goal, worth = form.numerator(n) * sign, form.unit * sign / form.divisor(n)
    found = solve(program, goal, given, limit)
    if found.status == Status.INFEASIBLE:
        return _End(None, (), (given,))
    if found.status == Status.UNKNOWN:
        return _End(None if found.bound is None else found.bound * worth, None)
    least = goal.of(found.values)
    return _End(least * worth, found.values, ((Condition(goal, None, least - 1), *given),))


def _ratio_end(program: Program, form: Form, given: Conditions, first: Solution, sign: int, limit: float) -> _End:
    """Least `part / whole` by the method of Dinkelbach (1967): where p/q is least, so is q part - p whole, at 0."""
    part, whole, values = form.numerator(1) * sign, form.size, first.values
    while True:
        ratio = Fraction(part.of(values), whole.of(values))
        goal = part * ratio.denominator - whole * ratio.numerator
        found = solve(program, goal, given, limit)
        if found.status != Status.SOLVED:
            return _End(None, None)
        if goal.of(found.values) == 0:
            return _End(ratio * form.unit * sign, values, ((Condition(goal, None, -1), *given),))
        values = found.values


def _confirmed(program: Program, beyond: Conditions, limit: float) -> bool:
    """Whether the second solver, too, finds nothing there."""
    out_of_reach = any(one.high is not None and program.reach(one.sum)[0] > one.high for one in beyond)
    return out_of_reach or confirms_impossible(program, beyond, limit)


def _world(encoding: Encoding, values: Sequence[int], value: Fraction) -> Table:
    """The solution as a line list, checked claim by claim."""
    table, (asked,) = encoding.world(values, random.Random(0)), encoding.asked
    found = asked.statistic.values(table, asked.rows.holds(table), asked.of)
    if not is_world(encoding.document, table) or found != (value,):
        raise AssertionError("the solver's world is not what it should be: the solver's form of a statistic is wrong")
    return table


def _may_be_fewer(document: Document, question: Question, n: int, limit: float) -> bool:
    """Whether in some world fewer than n patients are there to take the statistic of."""
    rows = question.rows
    if isinstance(question.of, Column) and question.of.blank:
        rows = AllOf((rows, Not(Within(question.of.name, blank=True, codes=frozenset()))))
    encoding = Encoding(document, replace(question, statistic=STATISTICS["count"], rows=rows, of=None))
    how_many = encoding.forms[0].numerator(1)
    found = solve(encoding.program, extra=[Condition(how_many, None, n - 1)], limit=limit)
    return found.status == Status.SOLVED


def _without_value(document: Document, limit: float) -> Status:
    """The status where no world has a value: is there any world at all?"""
    program = Encoding(document).program
    status = solve(program, limit=limit).status
    if status == Status.INFEASIBLE:
        return Status.CONTRADICTORY if confirms_impossible(program, (), limit) else Status.UNKNOWN
    return Status.UNDEFINED if status == Status.SOLVED else Status.UNKNOWN
