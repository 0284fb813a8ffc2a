"""Measures on the patients of a line list: exact values, and how far what is not recorded could move them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from blina.claims.status import Status
from blina.linelist.predicate import AllOf, AnyOf, Not, Predicate, Within, compile_predicate
from blina.linelist.table import Table
from blina.measures.choices import MAY_BE_FOLLOWED, RESULT
from blina.measures.declare import Facts, Measure
from blina.measures.intervals import ExactTest, rank_permutation
from blina.measures.language import Rows, both, flow_text
from blina.measures.span import NO_VALUE, Span

NO_RESULT = "not_done"  # the status of a test that was not done: what it would have found is unknown

Kleene = tuple[np.ndarray, np.ndarray]  # who meets a condition for sure, and who possibly does


@dataclass(frozen=True)
class Value:
    """A measure's value on a line list.

    value: exact, in percent for a percentage; None where nothing, or no single number, can be said.
    k, n: patients counted and among how many; of a number column, n patients have a value (k is None).
    not_recorded: patients whose missing data could move the value; not_assessed: without a result.
    span, k_span, n_span: least and greatest over all that the missing data could have been.
    stated: False where the rule asks for RT-PCR that was not done in any patient.
    is_single: False where missing data leave no single number, only a span.
    """

    value: Fraction | None
    k: int | None
    n: int
    span: Span
    k_span: Span
    n_span: Span
    not_recorded: int = 0
    not_assessed: int = 0
    stated: bool = True
    is_single: bool = True


class Patients:
    """The patients of one line list, of whom measures are taken; one row of the table is one patient."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._compiled: dict[str, Predicate] = {}
        self._leaves: dict[Within, np.ndarray] = {}
        self._holding: dict[str, np.ndarray] = {}
        self._unknown: dict[str, np.ndarray] = {}

    @property
    def facts(self) -> Facts:
        """What the declaration of measures asks of this line list."""
        return Facts(self.table.columns, self.occurs, self.values)

    def occurs(self, rows: Rows) -> bool:
        """Whether any patient is among the rows."""
        return bool(self.holding(rows).any())

    def values(self, column: str, rows: Rows) -> list[str]:
        """The distinct texts of a column among the rows, in the column's order, blanks left out."""
        inside = self.holding(rows) & ~self.table.blank[column]
        codes = np.unique(self.table.codes[column][inside])
        return [self.table.columns[column].text(code) for code in codes.tolist()]

    def value(self, measure: Measure) -> Value:
        """A measure's value."""
        if measure.counts:
            return self._counted(measure)
        return self._total(measure) if measure.statistic == "sum" else self._numbers(measure)

    # Rows by what is recorded: a blank meets no condition but that of being blank

    def holding(self, rows: Rows) -> np.ndarray:
        """Which patients are among the rows (bool, one per row of the table), by what is recorded."""
        if not rows:
            return np.ones(len(self.table), dtype=bool)
        text = flow_text(rows)
        if text not in self._holding:
            self._holding[text] = self._recorded(self._predicate(rows))
        return self._holding[text]

    def _predicate(self, rows: Rows) -> Predicate:
        text = flow_text(rows)
        if text not in self._compiled:
            self._compiled[text] = compile_predicate(rows, self.table.columns)
        return self._compiled[text]

    def _recorded(self, predicate: Predicate) -> np.ndarray:
        if isinstance(predicate, Within):
            return self._leaf(predicate)
        if isinstance(predicate, Not):
            return ~self._recorded(predicate.part)
        parts = [self._recorded(part) for part in predicate.parts]
        return _all(parts, len(self.table)) if isinstance(predicate, AllOf) else _any(parts)

    def _leaf(self, leaf: Within) -> np.ndarray:
        if leaf not in self._leaves:
            self._leaves[leaf] = leaf.holds(self.table)
        return self._leaves[leaf]

    # Rows by what is the case: what is not recorded may be anything

    def possible(self, rows: Rows) -> Kleene:
        """Who is among the rows for sure, and who may be, whatever the cells not recorded would say.

        Logic of three values (Kleene, 1938).
        """
        if not rows:
            everyone = np.ones(len(self.table), dtype=bool)
            return everyone, everyone
        return self._kleene(self._predicate(rows))

    def _kleene(self, predicate: Predicate) -> Kleene:
        if isinstance(predicate, Within):
            sure = self._leaf(predicate)
            if predicate.blank:
                return sure, sure  # asks what is recorded
            return sure & ~self._is_unknown(predicate.column), sure | self._is_unknown(predicate.column)
        if isinstance(predicate, Not):
            sure, possible = self._kleene(predicate.part)
            return ~possible, ~sure
        parts = [self._kleene(part) for part in predicate.parts]
        sure, possible = [one for one, _ in parts], [other for _, other in parts]
        if isinstance(predicate, AnyOf):
            return _any(sure), _any(possible)
        return _all(sure, len(self.table)), _all(possible, len(self.table))

    def _is_unknown(self, name: str) -> np.ndarray:
        """In which rows a column does not say what is the case."""
        if name not in self._unknown:
            column, blank = self.table.columns[name], self.table.blank[name]
            unknown = np.zeros(len(self.table), dtype=bool) if column.blank_is_none else blank
            if NO_RESULT in column.words and not column.is_number:
                no_result = self.table.codes[name] == column.words[NO_RESULT]
                unknown = unknown | no_result & ~blank
            self._unknown[name] = unknown
        return self._unknown[name]

    # Values

    def _counted(self, measure: Measure) -> Value:
        base = self.holding(measure.whom)
        stated = self._is_stated(measure)
        if not stated:
            base = np.zeros_like(base)
        inside, may_be_inside = (part & base for part in self.possible(measure.among))
        if measure.on_record:
            met = may_be_met = self.holding(measure.of or {})
        else:
            met, may_be_met = self.possible(measure.of or {})
        if measure.could is not None:
            may_be_met = may_be_met | self.possible(measure.could)[1]
        counted = _Counted.of(inside, may_be_inside, met, may_be_met)
        undecided = inside & may_be_met & ~met
        not_assessed = 0
        if measure.assessed is not None:
            assessed = self.holding(measure.assessed)
            not_assessed = int((inside & ~assessed).sum())
            if measure.missing == "failure":
                undecided = undecided & assessed  # who is not assessed counts as not meeting it
        is_single = not undecided.any()
        if measure.statistic == "count":
            value = Fraction(counted.k) if is_single else None
            span = Span(Fraction(counted.k), Fraction(counted.k_most))
        else:
            value = Fraction(100 * counted.k, counted.n) if is_single and counted.n else None
            span = counted.percent()
        return Value(
            value,
            counted.k,
            counted.n,
            span,
            Span(Fraction(counted.k), Fraction(counted.k_most)),
            Span(Fraction(counted.n), Fraction(counted.n_most)),
            counted.undecided + counted.n_most - counted.n,
            not_assessed,
            stated,
            is_single,
        )

    def _is_stated(self, measure: Measure) -> bool:
        """False where a rule asks for RT-PCR after, it might follow some, and no patient has a result."""
        if measure.unit_rows is None:
            return True
        may_be_followed = self.holding(both(measure.unit_rows, MAY_BE_FOLLOWED))
        has_result = self.holding(both(measure.unit_rows, {"pcr_after": RESULT}))
        return bool(has_result.any() or not may_be_followed.any())

    def _given(self, measure: Measure) -> tuple[np.ndarray, int]:
        """The codes recorded of a number column among a measure's patients, sorted; how many lack one."""
        inside, blank = self.holding(measure.rows), self.table.blank[measure.of]
        codes = np.sort(self.table.codes[measure.of][inside & ~blank])
        column = self.table.columns[measure.of]
        lacking = 0 if column.blank_is_none else int((inside & blank).sum())
        return codes, lacking

    def _numbers(self, measure: Measure) -> Value:
        codes, lacking = self._given(measure)
        column = self.table.columns[measure.of]
        n = len(codes)
        size = column.size
        value = _STATISTIC[measure.statistic](codes) * size if n else None
        lowest = np.full(lacking, column.lowest if column.min is not None else 0)
        highest = np.full(lacking, column.highest if column.max is not None else 0)
        if n + lacking:
            ends = [np.sort(np.concatenate([codes, end])) for end in (lowest, highest)]
            least, greatest = (_STATISTIC[measure.statistic](end) * size for end in ends)
            span = Span(least, greatest, sometimes_undefined=False)
        else:
            span = NO_VALUE
        whole = Span(Fraction(n), Fraction(n + lacking))
        return Value(value, None, n, span, NO_VALUE, whole, lacking)

    def _total(self, measure: Measure) -> Value:
        codes, lacking = self._given(measure)
        column = self.table.columns[measure.of]
        n = len(codes)
        known = int(codes.sum()) * column.size + measure.each * n
        value = known if n or not lacking else None
        span = Span(
            known + lacking * (column.lowest * column.size + measure.each),
            known + lacking * (column.highest * column.size + measure.each),
        )
        return Value(value, None, n, span, NO_VALUE, Span(Fraction(n), Fraction(n + lacking)), lacking)

    # Tests

    def ranks(self, rows: Rows, responded: Rows, column: str) -> ExactTest:
        """The exact rank test of a column between those who responded and the others among the rows."""
        inside = self.holding(rows)
        size = self.table.columns[column].size
        codes = self.table.codes[column][inside].tolist()
        return rank_permutation([code * size for code in codes], self.holding(responded)[inside].tolist())


@dataclass(frozen=True)
class _Counted:
    """Patients counted, by what is known of each: surely inside or maybe, surely counted or maybe."""

    k: int  # inside and counted
    n: int  # inside
    k_most: int  # may be inside and counted
    n_most: int
    undecided: int  # inside, and maybe counted
    may_fail: int  # may be inside and not counted
    fails: int  # inside and not counted, whatever the missing data

    @classmethod
    def of(cls, inside: np.ndarray, may_be_inside: np.ndarray, met: np.ndarray, may_be_met: np.ndarray) -> _Counted:
        return cls(
            k=int((inside & met).sum()),
            n=int(inside.sum()),
            k_most=int((may_be_inside & may_be_met).sum()),
            n_most=int(may_be_inside.sum()),
            undecided=int((inside & may_be_met & ~met).sum()),
            may_fail=int((may_be_inside & ~met).sum()),
            fails=int((inside & ~may_be_met).sum()),
        )

    def percent(self) -> Span:
        """Least and greatest share in percent; who may be left out is, unless that is the worse (better) case.

        Least: whoever may fail is inside and fails; greatest: whoever may be counted is inside and is.
        """
        if not self.n_most:
            return NO_VALUE
        lowest = _share(self.k, self.k + self.may_fail, alone=Fraction(100))
        highest = _share(self.k_most, self.k_most + self.fails, alone=Fraction(0))
        return Span(lowest, highest, Status.PROVEN, sometimes_undefined=self.n == 0)


def _share(k: int, n: int, alone: Fraction) -> Fraction:
    """k of n in percent; `alone` where none is sure to be inside, so that a single patient decides."""
    return Fraction(100 * k, n) if n else alone


def _all(parts: list[np.ndarray], n: int) -> np.ndarray:
    joined = np.ones(n, dtype=bool)
    for part in parts:
        joined = joined & part
    return joined


def _any(parts: list[np.ndarray]) -> np.ndarray:
    joined = parts[0]
    for part in parts[1:]:
        joined = joined | part
    return joined


def _median(codes: np.ndarray) -> Fraction:
    """The middle of sorted codes, or half the sum of the two in the middle."""
    lower, upper = codes[(len(codes) - 1) // 2], codes[len(codes) // 2]
    return Fraction(int(lower) + int(upper), 2)


_STATISTIC = {
    "median": _median,
    "min": lambda codes: Fraction(int(codes[0])),
    "max": lambda codes: Fraction(int(codes[-1])),
}
