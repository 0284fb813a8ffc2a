"""The claims file of a cohort: the numbers of its report, written so that anyone can check them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from textwrap import fill

import yaml

from blina.claims.document import Document, compile_document
from blina.claims.printed import round_exact
from blina.linelist.cohort import Cohort
from blina.linelist.columns import Column, Rule
from blina.linelist.intake import read_line_list
from blina.linelist.table import Table
from blina.measures.choices import ICANS
from blina.measures.compute import results_of
from blina.measures.declare import MRD_BEFORE, Measure
from blina.measures.evaluate import Patients
from blina.measures.language import NOBODY, Asked, both
from blina.measures.results import Result, Results
from blina.yamlfile import Typed

ROUNDING = "half_up"
PERCENT_PLACES = 1
GRADED = {"crs_grade": "CRS", "icans_grade": "ICANS"}
FEW = 4  # patients: a number about so few may tell who they are
SECTIONS = {  # by notebook of the report
    "02-cohort": "Who was treated, and how",
    "03-mrd-response": "MRD before and after",
    "04-safety": "What went wrong, and how badly",
}
TOPICS = {  # topics that are left out repeat others, patient by patient or state by state
    "description": "02-cohort",
    "statuses": "03-mrd-response",
    MRD_BEFORE: "03-mrd-response",
    "response": "03-mrd-response",
    "concordance": "03-mrd-response",
    "fusion": "03-mrd-response",
    "burden": "03-mrd-response",
    "events": "04-safety",
    "fever as CRS": "04-safety",
    ICANS: "04-safety",
    "stops": "04-safety",
    "severe reactions": "04-safety",
}
_OTHER_CHARACTERS = re.compile(r"[^\w]+")


@dataclass(frozen=True)
class Number:
    """A claim to write: its question, its exact values, and about how many patients it is."""

    measure: Measure
    asked: Asked
    values: tuple[Fraction, ...]
    patients: int
    besides: str = ""  # what sets it apart from the measure's own number

    @property
    def where(self) -> str:
        """The section in which it stands."""
        return TOPICS[self.measure.topic]

    @property
    def name(self) -> str:
        """Its id unless taken: topic, group, name, level, rule, set and statistic."""
        measure = self.measure
        parts = [measure.topic, measure.group]
        if measure.name != measure.topic:
            parts.append(measure.name)
        parts += [measure.level, measure.rule, measure.evaluable_set, self.besides]
        if self.asked.statistic != "count":
            parts.append(self.asked.statistic)
        slugs = [_OTHER_CHARACTERS.sub("-", part).strip("-") for part in parts]
        return "/".join(slug for slug in slugs if slug)


def write_claims(cohort: Cohort) -> str:
    """The claims file (YAML) of a cohort, from its line list.

    Raises FileError where the line list cannot be read, LineListError where something in it is
    wrong.
    """
    table = read_line_list(cohort.linelist, cohort)
    return claims_of(table, cohort)


def claims_of(table: Table, cohort: Cohort, results: Results | None = None) -> str:
    """The claims file (YAML) of a checked line list; the order of its rows makes no difference.

    results: those of the line list, if they are known. Percentages are rounded half up to one
    decimal, medians and ends of ranges not at all. What has no single value, as a median of no
    patients, is left out. A comment at the top names the claims about 1 to 4 patients.
    AssertionError, naming the measure, if a claim would not hold on the line list.
    """
    cohort = cohort.of_table(table)
    results = results_of(table, cohort) if results is None else results
    head = _head(table, cohort)
    without_claims = compile_document(Typed("claims", {**head, "claims": []}))
    sections: dict[str, list[dict]] = {}
    few = []
    for id, number in _named(_distinct(_numbers(results, Patients(table)))):
        _confirm(number, without_claims, table)
        sections.setdefault(number.where, []).append(_claim(id, number, table))
        if 1 <= number.patients <= FEW:
            few.append(id)
    return "\n".join([*_remarks(few, cohort), *_lines(head, sections), ""])


# Which numbers


def _numbers(results: Results, patients: Patients) -> Iterator[Number]:
    """The numbers that the results state, by section and in the order of the report."""
    for where in SECTIONS:
        for result in results:
            if TOPICS.get(result.measure.topic) == where:
                yield from numbers_of(result, results)
                if result.measure.topic == ICANS:
                    yield from _onset_days(result.measure, patients)


def numbers_of(result: Result, results: Results) -> Iterator[Number]:
    """The claims of a result: patients counted, their share, a median, or both ends of a range."""
    measure, here = result.measure, result.here
    if not here.stated or not here.n or measure.of is NOBODY:
        return
    if measure.counts:
        counted = Asked("count", both(measure.rows, measure.of))
        yield Number(measure, counted, (Fraction(here.k),), here.k)
        if measure.statistic == "percent" and here.is_single:
            yield Number(measure, measure.asked, (here.value,), here.k)
    elif measure.statistic == "median":
        yield Number(measure, measure.asked, (here.value,), here.n)
    elif measure.statistic == "min":
        greatest = results.get(*measure.key[:-1], statistic="max")
        asked = Asked("range", measure.rows, measure.of)
        yield Number(measure, asked, (here.value, greatest.here.value), here.n)


def _onset_days(measure: Measure, patients: Patients) -> Iterator[Number]:
    """How many patients began on each of the days that the row of a measure states."""
    for day in patients.values("icans_day", both(measure.rows, measure.of)):
        asked = Asked("count", both(measure.rows, measure.of, {"icans_day": day}))
        k = int(patients.holding(asked.rows).sum())
        yield Number(measure, asked, (Fraction(k),), k, f"day {day}")


def _distinct(numbers: Iterable[Number]) -> Iterator[Number]:
    """Each question once, where it is first asked."""
    asked = set()
    for number in numbers:
        if number.asked.key not in asked:
            asked.add(number.asked.key)
            yield number


def _named(numbers: Iterable[Number]) -> Iterator[tuple[str, Number]]:
    """Each number with its id; those that would have the same are counted through."""
    taken = set()
    for number in numbers:
        id, times = number.name, 1
        while id in taken:
            times += 1
            id = f"{number.name}-{times}"
        taken.add(id)
        yield id, number


def _confirm(number: Number, document: Document, table: Table) -> None:
    """AssertionError if the question, as a claim, has another value on the line list."""
    asked = number.asked
    question = document.question(asked.statistic, asked.rows, asked.of)
    values = question.statistic.values(table, question.rows.holds(table), question.of)
    if values != number.values:
        raise AssertionError(f"the claim of {number.name} differs from its result ({asked.words})")


# What stands in the file


def _claim(id: str, number: Number, table: Table) -> dict:
    """A number as a claim."""
    asked = number.asked
    printed = _printed(number, table)
    claim = {
        "id": id,
        "where": number.where,
        "statistic": asked.statistic,
        "rows": asked.rows,
        "of": asked.of,
        "equals": printed if len(printed) > 1 else printed[0],
    }
    return {key: value for key, value in claim.items() if value}


def _head(table: Table, cohort: Cohort) -> dict:
    """What stands above the claims; every value is text."""
    source = {"title": cohort.title, "doi": cohort.doi, "note": cohort.face}
    return {
        "source": {key: value for key, value in source.items() if value},
        "patients": str(len(table)),
        "rounding": ROUNDING,
        "columns": {name: _declared(column, cohort) for name, column in table.columns.items()},
        "rules": [_constraint(rule) for rule in cohort.rules],
    }


def _constraint(rule: Rule) -> dict:
    return {"id": rule.id, "if": rule.when, "then": rule.then, "why": rule.why}


def _declared(column: Column, cohort: Cohort) -> dict:
    """A column as a claims file declares it; a grade says by which scale, where the cohort does."""
    meaning = column.meaning
    if column.name in GRADED and cohort.grading_scale_stated:
        meaning += f"; graded by {cohort.scale(GRADED[column.name])}"
    declared = {
        "type": column.type,
        "values": list(column.values),
        "min": column.min,
        "max": column.max,
        "step": column.step if column.type == "decimal" else "",
        "unit": column.unit,
        "blank": "allowed" if column.blank else "",
        "meaning": meaning,
    }
    return {key: value for key, value in declared.items() if value}


def _printed(number: Number, table: Table) -> list[str]:
    """The value (two for a range) as the report prints it."""
    asked = number.asked
    if asked.statistic == "percent":
        return [round_exact(value, PERCENT_PLACES, ROUNDING) for value in number.values]
    least = 0
    if isinstance(asked.of, str):
        least = _places(table.columns[asked.of], table)
    return [_unrounded(value, least) for value in number.values]


def _places(column: Column, table: Table) -> int:
    """The decimal places with which a column was recorded: as many as its values need."""
    codes = table.codes[column.name][~table.blank[column.name]]
    most = 0
    for code in set(codes.tolist()):
        decimals = _unrounded(code * column.size, 0).partition(".")[2]
        most = max(most, len(decimals))
    return most


def _unrounded(value: Fraction, least: int) -> str:
    """A decimal fraction with as many decimal places as it needs, and no fewer than `least`."""
    while (value * 10**least).denominator > 1:
        least += 1
    return round_exact(value, least, ROUNDING)


# How it is written


def _remarks(few: list[str], cohort: Cohort) -> Iterator[str]:
    """Comments at the top: what this is, and what to look at before it is published."""
    yield "# The numbers that a report of this cohort prints, as claims: `blina check LINELIST --claims THIS_FILE`."
    if cohort.face:
        yield f"# {cohort.face}"
    said = (
        f"Before you publish this: a number about 1 to {FEW} patients may tell who they are, and so may the ends of a "
        f"range, each of which is one patient's value. Numbers about 1 to {FEW} patients: "
        f"{', '.join(map(_flow, few)) or 'none'}."
    )
    yield fill(said, 118, initial_indent="# ", subsequent_indent="# ", break_long_words=False, break_on_hyphens=False)


def _lines(head: dict, sections: dict[str, list[dict]]) -> Iterator[str]:
    """The file, one claim, rule or column in a line."""
    for key in ("source", "patients", "rounding"):
        yield f"{key}: {_flow(head[key]) if key == 'source' else head[key]}"
    yield "columns:"
    yield from (f"  {name}: {_flow(column)}" for name, column in head["columns"].items())
    yield "rules:"
    yield from (f"  - {_flow(rule)}" for rule in head["rules"])
    yield "claims:"
    for where, claims in sections.items():
        yield f"  # {SECTIONS[where]}"
        yield from (f"  - {_flow(claim)}" for claim in claims)


class _Quoted(yaml.SafeDumper):
    """Writes YAML whose every value is text to any reader: all but plain words stand in quotation marks."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def text(self, text: str) -> yaml.ScalarNode:
        kind = self.resolve(yaml.ScalarNode, text, (True, False))  # of an unquoted 7 or yes: a number, a boolean
        plain = kind == self.DEFAULT_SCALAR_TAG and re.fullmatch(r"[^\W\d]([\w/-]*\w)?", text)
        return self.represent_scalar(self.DEFAULT_SCALAR_TAG, text, style=None if plain else '"')


_Quoted.add_representer(str, _Quoted.text)


def _flow(value: object) -> str:
    """A value in one line of YAML."""
    written = yaml.dump(
        value, Dumper=_Quoted, default_flow_style=True, sort_keys=False, width=float("inf"), allow_unicode=True
    )
    return written.removesuffix("...\n").strip()
