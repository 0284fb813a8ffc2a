"""The statistics a claim can be about. Each is one class: its value on a line list, its solver form, its words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

import numpy as np

from blina.claims.printed import Interval, round_exact, round_root
from blina.linelist.columns import Column
from blina.linelist.predicate import Predicate
from blina.linelist.table import Table
from blina.yamlfile import FileError

if TYPE_CHECKING:
    from blina.claims.program import Sum

Of = Predicate | Column | None
MOST_SQUARE = 2**60  # a solver's whole numbers have 64 bits


@dataclass(frozen=True)
class Form:
    """A statistic for the solver: `numerator(n)` times `unit` over `divisor(n)`, where n patients are its rows.

    `size` is how many they are and `sizes` the numbers for which the statistic is defined and that are not ruled out
    beforehand; without `size` there is nothing to divide by and the statistic is always defined.
    """

    numerator: Callable[[int], Sum]
    unit: Fraction
    divisor: Callable[[int], int] = lambda n: 1
    size: Sum | None = None
    sizes: range = range(1)
    linear: bool = True  # the numerator is the same for every n, and the divisor is 1 or n

    @property
    def fewest(self) -> int:
        """The least number of patients of whom the statistic can be taken."""
        return next(n for n in (1, 2) if self.divisor(n))

    @property
    def is_ratio(self) -> bool:
        """Whether it divides by the number of patients."""
        return self.divisor(2) != 1


class CountedPatients(Protocol):
    """What a statistic can ask of patients who are counted, not named; `encoding.Encoding` answers.

    A scope stands for the numbers in a column of the patients among some rows, blanks left out.
    """

    def count(self, *predicates: Predicate) -> Sum: ...
    def sizes(self, rows: Predicate) -> range: ...
    def scope(self, rows: Predicate, of: Column) -> tuple: ...
    def how_many(self, scope: tuple, least: int) -> tuple[Sum, range]: ...
    def least(self, scope: tuple) -> Sum: ...
    def greatest(self, scope: tuple) -> Sum: ...
    def middles(self, scope: tuple) -> Sum: ...
    def added(self, scope: tuple, less: int = 0) -> Sum: ...
    def squares(self, scope: tuple, less: int = 0) -> Sum: ...
    def square_of_sum(self, scope: tuple, less: int = 0) -> Sum: ...


class Statistic(ABC):
    """`of` is what it is taken of: nothing, a predicate, or a number column (blank cells never count).

    Where what is printed need not be a fraction, as a standard deviation, values and intervals are of something exact
    that stands for it (its square): `exact`, `interval` and `shown` go there and back.
    """

    name: ClassVar[str]
    of: ClassVar[Literal["nothing", "predicate", "number"]]
    numbers: ClassVar[int] = 1  # how many numbers a claim prints
    possible: ClassVar[Interval] = Interval()  # no exact value ever lies outside
    least_n: int = 1  # undefined for fewer patients than this (of a number column: with a value in it)

    @abstractmethod
    def values(self, table: Table, rows: np.ndarray, of: Of) -> tuple[Fraction, ...] | None:
        """Its exact value or values over the chosen rows (a mask); None where they are fewer than `least_n`."""

    @abstractmethod
    def forms(self, patients: CountedPatients, rows: Predicate, of: Of) -> tuple[Form, ...]:
        """Its value or values over unknown patients who are counted, not named (see `encoding`)."""

    def grid(self, of: Of) -> tuple[Fraction, int, int | None] | None:
        """(step, least, greatest) if it only ever takes whole multiples of a step; None for no such step or end."""
        return None

    def exact(self, printed: Fraction) -> Fraction:
        """What stands for a printed number among the exact values."""
        return printed

    def interval(self, printed: Interval) -> Interval:
        """What stands for an interval of printed numbers among the exact values."""
        return printed

    def shown(self, value: Fraction, places: int, mode: str) -> str:
        """An exact value as it would be printed with `places` decimals under `mode`."""
        return round_exact(value, places, mode)

    @property
    def label(self) -> str:
        """Its name, with what sets it apart from others of that name."""
        return self.name


class Count(Statistic):
    """Number of rows."""

    name, of, least_n = "count", "nothing", 0
    possible = Interval(Fraction(0))

    def values(self, table, rows, of):
        return (Fraction(int(rows.sum())),)

    def forms(self, patients, rows, of):
        return (Form(lambda n: patients.count(rows), Fraction(1)),)

    def grid(self, of):
        return Fraction(1), 0, None


class Percent(Statistic):
    """Rows that satisfy `of`, per 100 rows."""

    name, of = "percent", "predicate"
    possible = Interval(Fraction(0), Fraction(100))

    def values(self, table, rows, of):
        return (Fraction(100 * int((rows & of.holds(table)).sum()), int(rows.sum())),) if rows.any() else None

    def forms(self, patients, rows, of):
        part, whole = patients.count(rows, of), patients.count(rows)
        return (Form(lambda n: part, Fraction(100), lambda n: n, whole, patients.sizes(rows)),)


class OfNumbers(Statistic):
    """A statistic of one number column."""

    of = "number"

    def values(self, table, rows, of):
        codes = np.sort(table.codes[of.name][rows & ~table.blank[of.name]])
        if len(codes) < self.least_n:
            return None
        return tuple(value * self.unit(of) for value in self.of_sorted([int(c) for c in codes]))

    @abstractmethod
    def of_sorted(self, codes: list[int]) -> tuple[Fraction, ...]:
        """Value or values of at least `least_n` codes, in ascending order; in units of `unit`."""

    def unit(self, of: Column) -> Fraction:
        """What 1 is worth in `of_sorted`: the column's step."""
        return of.size


class Mean(OfNumbers):
    """Sum over number."""

    name = "mean"

    def of_sorted(self, codes):
        return (Fraction(sum(codes), len(codes)),)

    def forms(self, patients, rows, of):
        scope = patients.scope(rows, of)
        return (Form(lambda n: patients.added(scope), of.size, lambda n: n, *patients.how_many(scope, 1)),)


@dataclass(frozen=True)
class Sd(OfNumbers):
    """Standard deviation: root of the squared distances from the mean, summed, over n - `ddof`; exact as its square."""

    name = "sd"
    possible = Interval(Fraction(0))
    ddof: int = 1

    @property
    def least_n(self) -> int:
        return 1 + self.ddof

    @property
    def label(self):
        return "sd" if self.ddof else "sd (denominator n)"

    def of_sorted(self, codes):
        n = len(codes)
        return (Fraction(n * sum(c * c for c in codes) - sum(codes) ** 2, n * (n - self.ddof)),)

    def unit(self, of):
        return of.size**2

    def exact(self, printed):
        return printed**2

    def interval(self, printed):
        return printed.squared()

    def shown(self, value, places, mode):
        return round_root(value, places, mode)

    def forms(self, patients, rows, of):
        scope, less = patients.scope(rows, of), of.lowest
        size, sizes = patients.how_many(scope, self.least_n)
        most = max(sizes, default=0)
        if ((of.highest - of.lowest) * most) ** 2 > MOST_SQUARE:
            raise FileError(
                f"the sd of {of.name} is beyond the solver: give the column a wider step, or a nearer min and max"
            )

        def numerator(n: int) -> Sum:
            return patients.squares(scope, less) * n - patients.square_of_sum(scope, less)

        return (Form(numerator, self.unit(of), lambda n: n * (n - self.ddof), size, sizes, linear=False),)


class Median(OfNumbers):
    """Middle value, or half the sum of the two middle values."""

    name = "median"

    def of_sorted(self, codes):
        return (Fraction(codes[(len(codes) - 1) // 2] + codes[len(codes) // 2], 2),)

    def forms(self, patients, rows, of):
        scope = patients.scope(rows, of)
        size, sizes = patients.how_many(scope, 1)
        return (Form(lambda n: patients.middles(scope), of.size / 2, size=size, sizes=sizes),)


class Attained(OfNumbers):
    """A value, or values, that some patient has."""

    def grid(self, of):
        return of.size, of.lowest, of.highest


class Least(Attained):
    """Least value."""

    name = "min"

    def of_sorted(self, codes):
        return (Fraction(codes[0]),)

    def forms(self, patients, rows, of):
        scope = patients.scope(rows, of)
        size, sizes = patients.how_many(scope, 1)
        return (Form(lambda n: patients.least(scope), of.size, size=size, sizes=sizes),)


class Greatest(Attained):
    """Greatest value."""

    name = "max"

    def of_sorted(self, codes):
        return (Fraction(codes[-1]),)

    def forms(self, patients, rows, of):
        scope = patients.scope(rows, of)
        size, sizes = patients.how_many(scope, 1)
        return (Form(lambda n: patients.greatest(scope), of.size, size=size, sizes=sizes),)


class Range(Attained):
    """Least and greatest value, both attained."""

    name, numbers = "range", 2

    def of_sorted(self, codes):
        return (Fraction(codes[0]), Fraction(codes[-1]))

    def forms(self, patients, rows, of):
        return (*Least().forms(patients, rows, of), *Greatest().forms(patients, rows, of))


STATISTICS: dict[str, Statistic] = {
    statistic.name: statistic
    for statistic in (Count(), Percent(), Median(), Mean(), Sd(), Least(), Greatest(), Range())
}
DENOMINATORS: dict[str, Sd] = {"n-1": Sd(1), "n": Sd(0)}  # of a standard deviation, as a claims file names them
