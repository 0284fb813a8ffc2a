"""The statistics a claim can be about. Each is one class: its value on a line list, its solver form, its words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from blina.claims.printed import Interval
from blina.linelist.columns import Column
from blina.linelist.predicate import Predicate
from blina.linelist.table import Table

if TYPE_CHECKING:
    from blina.claims.model import Model

Of = Predicate | Column | None


class Statistic(ABC):
    """`of` is what it is taken of: nothing, a predicate, or a number column (blank cells never count)."""

    name: ClassVar[str]
    of: ClassVar[Literal["nothing", "predicate", "number"]]
    numbers: ClassVar[int] = 1  # how many numbers a claim prints

    @abstractmethod
    def values(self, table: Table, rows: np.ndarray, of: Of) -> tuple[Fraction, ...] | None:
        """Its exact value or values over the chosen rows (a mask); None where there is nobody to take it of."""

    @abstractmethod
    def post(self, model: Model, rows: Predicate, of: Of, intervals: tuple[Interval, ...]) -> None:
        """Require of the solver's patients that each value lies in its interval."""


class Count(Statistic):
    """Number of rows."""

    name, of = "count", "nothing"

    def values(self, table, rows, of):
        return (Fraction(int(rows.sum())),)

    def post(self, model, rows, of, intervals):
        model.between(sum(model.literals(rows)), *intervals[0].integers())


class Percent(Statistic):
    """Rows that satisfy `of`, per 100 rows."""

    name, of = "percent", "predicate"

    def values(self, table, rows, of):
        return (Fraction(100 * int((rows & of.holds(table)).sum()), int(rows.sum())),) if rows.any() else None

    def post(self, model, rows, of, intervals):
        both = [model.both(a, b) for a, b in zip(model.literals(rows), model.literals(of), strict=True)]
        n = model.patients
        # The denominator may itself be open: list each (part, whole) that prints as it should.
        allowed = [(k, m) for m in range(1, n + 1) for k in range(m + 1) if Fraction(100 * k, m) in intervals[0]]
        model.one_of([(sum(both), n), (sum(model.literals(rows)), n)], allowed)


class OfNumbers(Statistic):
    """A statistic of one number column."""

    of = "number"

    def values(self, table, rows, of):
        codes = np.sort(table.codes[of.name][rows & ~table.blank[of.name]])
        return tuple(value * of.size for value in self.of_sorted([int(c) for c in codes])) if len(codes) else None

    @abstractmethod
    def of_sorted(self, codes: list[int]) -> tuple[Fraction, ...]:
        """Value or values of at least one code, in ascending order; in units of the column's step."""


class Mean(OfNumbers):
    """Sum over number."""

    name = "mean"

    def of_sorted(self, codes):
        return (Fraction(sum(codes), len(codes)),)

    def post(self, model, rows, of, intervals):
        members = model.members(rows, of)
        total = sum(model.counted(of, members))
        model.cp.add_bool_or(members)
        for n in range(1, model.patients + 1):  # the denominator may itself be open
            there_are_n = model.equals(sum(members), n, model.patients)
            model.between(total, *intervals[0].integers(of.size / n), when=there_are_n)


class Median(OfNumbers):
    """Middle value, or half the sum of the two middle values."""

    name = "median"

    def of_sorted(self, codes):
        return (Fraction(codes[(len(codes) - 1) // 2] + codes[len(codes) // 2], 2),)

    def post(self, model, rows, of, intervals):
        lower, upper = model.middle_pair(of, model.members(rows, of))
        model.between(lower + upper, *intervals[0].integers(of.size / 2))


class Least(OfNumbers):
    """Least value."""

    name = "min"

    def of_sorted(self, codes):
        return (Fraction(codes[0]),)

    def post(self, model, rows, of, intervals):
        model.between(model.extreme(of, model.members(rows, of), greatest=False), *intervals[0].integers(of.size))


class Greatest(OfNumbers):
    """Greatest value."""

    name = "max"

    def of_sorted(self, codes):
        return (Fraction(codes[-1]),)

    def post(self, model, rows, of, intervals):
        model.between(model.extreme(of, model.members(rows, of), greatest=True), *intervals[0].integers(of.size))


class Range(OfNumbers):
    """Least and greatest value, both attained."""

    name, numbers = "range", 2

    def of_sorted(self, codes):
        return (Fraction(codes[0]), Fraction(codes[-1]))

    def post(self, model, rows, of, intervals):
        Least().post(model, rows, of, intervals[:1])
        Greatest().post(model, rows, of, intervals[1:])


STATISTICS: dict[str, Statistic] = {
    statistic.name: statistic for statistic in (Count(), Percent(), Median(), Mean(), Least(), Greatest(), Range())
}
