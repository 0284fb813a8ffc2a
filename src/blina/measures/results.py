"""Results: each number of a report as data, with its span, its status, and the claims and readings behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import ceil, floor, nan

import pandas as pd

from blina.linelist.cohort import Cohort
from blina.linelist.columns import NOT_A_PATIENT, PROVENANCE
from blina.measures.bounds import CohortBounds, Spans, exact_text, spans_of
from blina.measures.declare import Measure
from blina.measures.evaluate import Patients, Value
from blina.measures.intervals import METHOD, clopper_pearson
from blina.measures.span import NO_VALUE, Span

PRINTED, DETERMINED, OPEN = "printed", "determined", "open"
OBSERVED, NOT_RECORDED = "observed", "not recorded"
Readings = Mapping[tuple[str, str, str], tuple[str, ...]]  # by the key of a question


@dataclass(frozen=True, eq=False)
class Result:
    """The answer to a measure.

    value: exact, in percent for a percentage; None where it is open, not recorded or has no patients.
    k, n: patients counted, among how many; None where open. here: value, k and n in the line list at hand,
    open or not. spans: least and greatest over all line lists that fit the report or, for real patients,
    over all that the missing data could have been. note: why there is no value, or on what an open one
    depends.
    """

    measure: Measure
    here: Value
    spans: Spans
    status: str
    claims: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()
    note: str = ""

    @property
    def in_worlds(self) -> bool:
        """Whether the span is over line lists that fit a report, not over missing data."""
        return self.status in (PRINTED, DETERMINED, OPEN)

    @property
    def is_open(self) -> bool:
        """Whether the report leaves the number, or what its row states besides, open."""
        if not self.in_worlds:
            return False
        spans = self.spans.each()
        if self.measure.could is not None:
            spans = spans[1:]  # the value is a span by its meaning, not since the report leaves it open
        return any(span.is_open for span in spans)

    @property
    def value(self) -> Fraction | None:
        if self.in_worlds and self.spans.value.is_open:
            return None
        return self.here.value

    @property
    def k(self) -> int | None:
        return None if self.in_worlds and self.spans.k.is_open else self.here.k

    @property
    def n(self) -> int | None:
        return None if self.in_worlds and self.spans.n.is_open else self.here.n

    @cached_property
    def limits(self) -> tuple[float, float]:
        """The exact interval of the value in percent; NaN where there is none, or the value is open."""
        known = not self.is_open and self.measure.statistic == "percent"
        if not known or self.value is None or not self.here.n:
            return nan, nan
        lower, upper = clopper_pearson(self.here.k, self.here.n)
        return 100 * lower, 100 * upper

    @cached_property
    def outer_limits(self) -> tuple[float, float]:
        """The exact lower limit at the fewest and the upper one at the most, in percent; NaN if unknown."""
        if not self.is_open and self.here.not_recorded == 0:
            return self.limits
        k, n, percent = self.spans.k, self.spans.n, self.spans.value
        if None in (k.lower, k.upper, n.lower, n.upper, percent.lower, percent.upper):
            return nan, nan
        lowest, highest = [], []
        for whole in range(max(1, int(n.lower)), int(n.upper) + 1):
            fewest = max(int(k.lower), ceil(percent.lower * whole / 100))
            most = min(int(k.upper), floor(percent.upper * whole / 100))
            if fewest <= whole:
                lowest.append(clopper_pearson(fewest, whole)[0])
            if most >= 0:
                highest.append(clopper_pearson(most, whole)[1])
        return 100 * min(lowest, default=nan), 100 * max(highest, default=nan)

    @property
    def k_reach(self) -> Span:
        """Fewest and most patients counted, with those who could count though nothing recorded says so."""
        if self.measure.could is None or not self.in_worlds:
            return self.spans.k
        k, most = self.spans.k, self.spans.also[-1]
        return replace(k, upper=most.upper, status=k.status if most.certain else most.status)

    @property
    def left_out(self) -> int:
        """Patients who are left out, since it is not known whether they belong."""
        ends = self.spans.n
        if self.in_worlds or ends.lower is None:
            return 0
        return int(ends.upper - ends.lower)

    @property
    def undecided(self) -> int:
        """Patients who are among those counted, of whom it is not known whether they count."""
        if not self.measure.counts:
            return 0
        left_out = self.here.n_span.upper - self.here.n_span.lower
        return self.here.not_recorded - int(left_out)


class Results(Sequence):
    """Every number of a report, in the order of the report."""

    def __init__(self, results: Sequence[Result], cohort: Cohort) -> None:
        self.cohort = cohort
        self._results = list(results)
        self._by_key = {result.measure.key: result for result in self._results}
        if len(self._by_key) < len(self._results):
            raise AssertionError("two measures have one name")

    def __len__(self) -> int:
        return len(self._results)

    def __getitem__(self, place: int) -> Result:
        return self._results[place]

    def get(
        self,
        topic: str,
        group: str,
        name: str,
        level: str = "",
        rule: str = "",
        evaluable_set: str = "",
        statistic: str = "percent",
    ) -> Result | None:
        """The result of that name, None if there is none."""
        return self._by_key.get((topic, group, name, level, rule, evaluable_set, statistic))

    def of(self, topic: str) -> list[Result]:
        """All results of a topic, in order."""
        return [result for result in self._results if result.measure.topic == topic]

    def table(self) -> pd.DataFrame:
        """One row per number, `RESULT_COLUMNS`; a last column says of reconstructed rows what they are."""
        rows = [_row(result) for result in self._results]
        table = pd.DataFrame(rows, columns=[*RESULT_COLUMNS]).astype(_TYPES)
        return table.assign(**{PROVENANCE: NOT_A_PATIENT}) if self.cohort.reconstructed else table


def find(results: Sequence[Result], key: tuple[str, ...]) -> Result:
    """The result whose measure has that key (StopIteration if none)."""
    return next(result for result in results if result.measure.key == key)


def result_of(
    measure: Measure,
    patients: Patients,
    bounds: CohortBounds | None = None,
    readings: Readings | None = None,
) -> Result:
    """The result of one measure."""
    here = patients.value(measure)
    if bounds is None:
        spans = Spans(here.span, here.k_span, here.n_span)
        return Result(measure, here, spans, _observed(measure, here))
    spans = spans_of(measure, bounds)
    claims = [*spans.value.claims, *(spans.k.claims if measure.statistic == "percent" else ())]
    on = (readings or {}).get(_question_key(measure), ())
    status = _status(spans)
    return Result(measure, here, spans, status, tuple(dict.fromkeys(claims)), on)


def _question_key(measure: Measure) -> tuple[str, ...]:
    """The key under which a question of `questions.yaml` asks for the number; of a percentage, for its count."""
    if measure.statistic == "sum":
        return ()
    asked = measure.asked.part if measure.statistic == "percent" else measure.asked
    return asked.key


def _observed(measure: Measure, here: Value) -> str:
    """The status of a number of real patients: not recorded where nothing is known of any that it is about."""
    if not here.stated:
        return NOT_RECORDED
    if here.value is not None or measure.could is not None:
        return OBSERVED
    known = here.n
    if measure.counts:
        left_out = int(here.n_span.upper) - here.n
        known -= here.not_recorded - left_out
    return NOT_RECORDED if here.not_recorded and not known else OBSERVED


def _status(spans: Spans) -> str:
    if spans.value.printed or spans.value.claims:
        return PRINTED
    if spans.value.determined or spans.value == NO_VALUE:
        return DETERMINED
    return OPEN


# Results as a table

RESULT_COLUMNS: Mapping[str, str] = {
    "topic": "part of the report",
    "group": "patients it is about: a group, groups taken together, or All patients",
    "measure": "what is counted or measured",
    "level": "which value, grade, state or side of it; blank where there is one only",
    "response_rule": "what counts as MRD negative (fc, pcr, fc_and_pcr); blank where none applies",
    "evaluable_set": "whom a rate counts; blank where all patients of the group",
    "statistic": "count, percent, median, min, max, sum, p or smallest p",
    "unit": "unit of a number that is no count; % for a percentage",
    "value": "the number; blank where it is open, not recorded, or has no patients",
    "value_exact": "the number without rounding, a decimal or a fraction",
    "numerator": "patients counted; blank where open",
    "denominator": "among how many; of a median, how many have a value; blank where open",
    "interval_lower": "lower end of the interval, %; blank where none is stated",
    "interval_upper": "upper end of the interval, %",
    "interval_method": "how the interval is computed",
    "not_recorded": "patients whose missing data could move the number",
    "not_assessed": "patients in the denominator without a result that the rule asks for",
    "least": "least value: over all line lists that fit the report, or over the missing data",
    "greatest": "greatest value, likewise",
    "numerator_least": "fewest patients counted, likewise",
    "numerator_greatest": "most patients counted",
    "denominator_least": "fewest patients among whom it is taken",
    "denominator_greatest": "most patients among whom it is taken",
    "status": "printed, determined or open (reconstructed report); observed or not recorded (real patients)",
    "claims": "claims of claims.yaml that print this number",
    "readings": "readings without which a determined number of questions.yaml would be open",
}  # fmt: skip
_NUMBERS = (
    "value",
    "interval_lower",
    "interval_upper",
    "least",
    "greatest",
)
_COUNTS = (
    "numerator",
    "denominator",
    "not_recorded",
    "not_assessed",
    "numerator_least",
    "numerator_greatest",
    "denominator_least",
    "denominator_greatest",
)
_TYPES = dict.fromkeys(_NUMBERS, "float64") | dict.fromkeys(_COUNTS, "Int64")


def _row(result: Result) -> dict[str, object]:
    measure, spans = result.measure, result.spans
    has_interval = measure.interval and measure.statistic == "percent"
    lower, upper = result.limits if has_interval else (nan, nan)
    counted = measure.counts
    return {
        "topic": measure.topic,
        "group": measure.group,
        "measure": measure.name,
        "level": measure.level,
        "response_rule": measure.rule,
        "evaluable_set": measure.evaluable_set,
        "statistic": measure.statistic,
        "unit": "%" if measure.statistic == "percent" else "" if counted else measure.unit,
        "value": _number(result.value),
        "value_exact": "" if result.value is None else exact_text(result.value),
        "numerator": result.k if measure.statistic == "percent" else pd.NA,
        "denominator": result.n,
        "interval_lower": lower,
        "interval_upper": upper,
        "interval_method": METHOD if lower == lower else "",
        "not_recorded": 0 if result.in_worlds else result.here.not_recorded,
        "not_assessed": 0 if result.in_worlds else result.here.not_assessed,
        "least": _number(spans.value.lower),
        "greatest": _number(spans.value.upper),
        "numerator_least": _whole(result.k_reach.lower),
        "numerator_greatest": _whole(result.k_reach.upper),
        "denominator_least": _whole(spans.n.lower),
        "denominator_greatest": _whole(spans.n.upper),
        "status": result.status,
        "claims": " ".join(result.claims),
        "readings": " ".join(result.readings),
    }


def _number(value: Fraction | None) -> float:
    return nan if value is None else float(value)


def _whole(value: Fraction | None) -> object:
    return pd.NA if value is None else int(value)


def dictionary() -> pd.DataFrame:
    """What each column of the table of results holds."""
    return pd.DataFrame([{"column": name, "meaning": words} for name, words in RESULT_COLUMNS.items()])
