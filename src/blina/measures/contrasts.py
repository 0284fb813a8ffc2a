"""Exact tests of a report: carriers of a fusion gene against the others, and MRD before against response."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import comb

from blina.claims.status import Status
from blina.linelist.cohort import Cohort
from blina.measures.bounds import CohortBounds, Spans, exact_text
from blina.measures.choices import ASSESSED, RULES, choice, rule_of
from blina.measures.declare import (
    OTHERS,
    RESPONDERS,
    Facts,
    Measure,
    burden_rows,
    carriers_level,
    genes,
    others_level,
    pooled_groups,
    units,
)
from blina.measures.evaluate import Patients, Value
from blina.measures.intervals import MOST_RANKED, ExactTest, fisher_exact
from blina.measures.language import Asked, both
from blina.measures.results import OBSERVED, OPEN, Result, find
from blina.measures.span import NO_VALUE, Span

FUSION_TEST, BURDEN_TEST = "fusion test", "burden test"
NO_COMPARISON = "no patients to compare with"
DIFFERENT_REASONS = "not tested: the groups were treated for different reasons"
P, SMALLEST = "p", "smallest p"
MOST_TESTED = 2000  # patients: the whole numbers of an exact test of more take minutes


def contrasts(found: list[Result], cohort: Cohort, patients: Patients, bounds: CohortBounds | None) -> list[Result]:
    """The tests of a report as results, two each: p, and the smallest p that the same patients could give."""
    made: list[Result] = []
    mixed = {unit.name for unit in units(cohort, patients.facts) if unit.is_pooled}
    purposes = {group.purpose for group in pooled_groups(cohort)}
    if len(purposes) < 2:
        mixed = set()
    for unit in units(cohort, patients.facts):
        for gene in genes(patients.facts):
            for rule in RULES:
                about = (unit.name, unit.measure, gene.name, rule.id)
                made += _fusion_test(found, about, bounds is not None, unit.name in mixed)
    for group in cohort.groups:
        made += _burden_test(found, group.name, rule_of(group), patients, bounds)
    return made


def _fusion_test(found: list[Result], about: tuple[str, ...], in_worlds: bool, is_mixed: bool) -> Iterator[Result]:
    """Fisher's exact test of negative or not by carrier or not, among patients assessed.

    is_mixed: the patients were treated for different reasons, so that no p over all of them is stated.
    """
    group, measure, gene, rule = about
    levels = (carriers_level(gene), others_level(gene))
    sides = [find(found, ("fusion", group, measure, level, rule, ASSESSED.id, "percent")) for level in levels]
    test = None
    total = sum(side.here.n for side in sides)
    if not is_mixed and total <= MOST_TESTED and all(side.here.n for side in sides):
        table = [[side.here.k, side.here.n - side.here.k] for side in sides]
        test = fisher_exact(table)
    is_open = any(side.is_open for side in sides)
    why_not = "" if test else NO_COMPARISON
    if total > MOST_TESTED:
        why_not = f"not computed for over {MOST_TESTED} patients"
    if is_mixed:
        is_open, why_not = False, DIFFERENT_REASONS
    for statistic in (P, SMALLEST):
        asked = Measure(FUSION_TEST, group, measure, gene, rule, ASSESSED.id, statistic, unit="")
        yield _result(asked, test, is_open, in_worlds, why_not)


def _result(
    measure: Measure,
    test: ExactTest | None,
    is_open: bool,
    in_worlds: bool,
    why_not: str,
    span: Span | None = None,
    note: str = "",
) -> Result:
    p = None
    if test is not None:
        p = test.p if measure.statistic == P else test.smallest_attainable
    n = test.n if test is not None else 0
    number = Span(Fraction(n), Fraction(n))
    here = Value(p, None, n, Span(p, p) if test else NO_VALUE, NO_VALUE, number)
    if not in_worlds:
        return Result(measure, here, Spans(here.span, n=number), OBSERVED, note=why_not)
    if is_open:
        ends = span or Span(None, None, "open")
        return Result(measure, here, Spans(ends, n=number), OPEN, note=note)
    return Result(measure, here, Spans(here.span, n=number), "determined", note=why_not)


@dataclass(frozen=True)
class _Sides:
    """Responders and others of a group: how many, and the ends of their MRD before."""

    sizes: dict[str, Result]
    ends: dict[tuple[str, str], Result]

    @property
    def n(self) -> int:
        return sum(size.here.k for size in self.sizes.values())

    def below(self, low: str, high: str) -> bool:
        """Whether each of one side lies below each of the other, in every line list."""
        ends = self.ends[low, "max"].spans.value, self.ends[high, "min"].spans.value
        if not all(end.certain and end.upper is not None for end in ends):
            return False
        return ends[0].upper < ends[1].lower


def _burden_test(
    found: list[Result],
    group: str,
    rule: str,
    patients: Patients,
    bounds: CohortBounds | None,
) -> Iterator[Result]:
    """The exact rank test of MRD before between those negative after and the others, by a rule."""
    facts = patients.facts
    about = ("burden", group, "MRD before")
    sides = _Sides(
        {side: find(found, (*about, side, rule, "", "count")) for side in (RESPONDERS, OTHERS)},
        {
            (side, end): find(found, (*about, side, rule, "", end))
            for side in (RESPONDERS, OTHERS)
            for end in ("min", "max")
        },
    )
    test, why_not = None, ""
    if not all(size.here.k for size in sides.sizes.values()):
        why_not = NO_COMPARISON
    elif sides.n > MOST_RANKED:
        why_not = f"not computed for over {MOST_RANKED} patients"
    else:
        asked = choice(RULES, rule)
        rows = burden_rows(group, asked, facts)
        test = patients.ranks(rows, asked.negative, "mrd_before_percent")
    is_open, span, note = False, None, ""
    if bounds is not None:
        is_open, span, note = _in_worlds(sides, group, rule, facts, bounds)
    for statistic in (P, SMALLEST):
        asked = Measure(BURDEN_TEST, group, "MRD before", "", rule, "", statistic, unit="")
        yield _result(asked, test, is_open, bounds is not None, why_not, span, note)


def _in_worlds(
    sides: _Sides, group: str, rule: str, facts: Facts, bounds: CohortBounds
) -> tuple[bool, Span | None, str]:
    """Whether p is open, between which values, and on what it depends.

    The test needs to know only who is above whom. Where in every line list all responders lie below all
    others, or all above, two assignments are most extreme: the one seen and, unless ties blur it, its
    mirror image. So p is 2 over the number of assignments or, with such ties, 1; either is the smallest
    that these values can give. They are ties within the larger side; if it is larger by one, ties at its
    end toward the other side.
    """
    sizes = {side: size.spans.k for side, size in sides.sizes.items()}
    if not all(size.determined for size in sizes.values()):
        return True, None, ""
    if not all(size.lower for size in sizes.values()):
        return False, None, ""
    low, high = RESPONDERS, OTHERS
    if not sides.below(low, high):
        low, high = high, low
    if not sides.below(low, high):
        return True, None, ""
    larger, end = (low, "max") if sizes[low].lower > sizes[high].lower else (high, "min")
    more = abs(sizes[low].lower - sizes[high].lower)
    if more == 0:
        return False, None, ""
    at_end = sides.ends[larger, end].spans.value
    tied = None
    if more == 1 and at_end.determined:
        tied = _sharing(group, rule, larger, at_end, facts, bounds)
        if tied.determined:
            return False, None, ""
    assignments = comb(int(sizes[low].lower + sizes[high].lower), int(sizes[low].lower))
    span = Span(Fraction(1, assignments), Fraction(2, assignments), Status.PROVEN)
    return True, span, _case(larger, at_end) if tied else f"certain {larger} share a value"


def _sharing(group: str, rule: str, side: str, end: Span, facts: Facts, bounds: CohortBounds) -> Span:
    """How many patients of a side have the value at its end."""
    asked = choice(RULES, rule)
    mine = asked.negative if side == RESPONDERS else {"not": asked.negative}
    rows = both(burden_rows(group, asked, facts), mine)
    return bounds(Asked("count", both(rows, {"mrd_before_percent": exact_text(end.lower)})))


def _case(larger: str, end: Span) -> str:
    who = "a second responder" if larger == RESPONDERS else "a second one of the others"
    return f"{who} also had {end}%"
