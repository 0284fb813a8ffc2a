"""The claims file of a cohort: the numbers that a report of it prints, written so that anyone can check them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from textwrap import fill

import yaml

from blina.claims.document import Question, compile_document
from blina.claims.printed import round_exact
from blina.linelist.cohort import Cohort
from blina.linelist.columns import COLUMNS, Column
from blina.linelist.intake import read_line_list
from blina.linelist.predicate import compile_predicate
from blina.linelist.table import Table
from blina.yamlfile import Typed

ROUNDING = "half_up"
PERCENT_PLACES = 1
GRADED = {"crs_grade": "CRS", "icans_grade": "ICANS"}
FEW = 4  # patients: a number about so few may tell who they are
BLANK_MEANS = {column.name for column in COLUMNS if column.blank}  # there a blank says more than "not recorded"
NEGATIVE_BEFORE = {"fc_before": "negative", "pcr_before": ["negative", "not_applicable"]}
NEGATIVE_AFTER = {  # by each response rule
    "fc": {"fc_after": "negative"},
    "pcr": {"pcr_after": "negative"},
    "fc_and_pcr": {"fc_after": "negative", "pcr_after": ["negative", "not_applicable"]},
}
FOLLOWED = {"pcr": {"not": {"pcr_after": "not_applicable"}}}  # whom a rule leaves out: nothing there to follow


@dataclass(frozen=True)
class Number:
    """A number to print, not yet computed: what its claim says but for `equals`."""

    id: str
    statistic: str
    rows: dict
    of: dict | str | None = None


@dataclass(frozen=True)
class Unit:
    """Patients of whom numbers are printed: everybody (no name) or a group."""

    name: str
    rows: dict
    purpose: str | None = None

    def number(self, id: str, statistic: str, rows: dict, of: dict | str | None = None) -> Number:
        """A number about those of its patients who are also among `rows`."""
        return Number(f"{id}/{self.name}" if self.name else id, statistic, {**self.rows, **rows}, of)


def write_claims(cohort: Cohort) -> str:
    """The claims file (YAML) of a cohort, from its line list.

    Raises FileError where the line list cannot be read, LineListError where something in it is wrong.
    """
    table = read_line_list(cohort.linelist, cohort)
    return claims_of(table, cohort.of_table(table))


def claims_of(table: Table, cohort: Cohort) -> str:
    """The claims file (YAML) of a checked line list; the order of its rows makes no difference.

    Percentages are rounded half up to one decimal, medians and ends of ranges not at all. What cannot be computed, as a
    median of nobody, is left out. A comment at the top names the claims about 1 to 4 patients.
    """
    head = _head(table, cohort)
    document = compile_document(Typed("claims", {**head, "claims": []}))
    sections: dict[str, list[dict]] = {}
    few = []
    for where, number in _numbers(table, cohort):
        asked = document.question(number.statistic, number.rows, number.of)
        if printed := _printed(asked, table):
            said = {"id": number.id, "where": where, "statistic": number.statistic, "rows": number.rows}
            said |= {"of": number.of, "equals": printed if len(printed) > 1 else printed[0]}
            sections.setdefault(where, []).append({key: value for key, value in said.items() if value})
            few += [number.id] * (1 <= _patients(asked, table) <= FEW)
    return "\n".join([*_remarks(few, cohort), *_lines(head, sections), ""])


def _head(table: Table, cohort: Cohort) -> dict:
    """What stands above the claims; every value is text."""
    source = {"title": cohort.title, "doi": cohort.doi, "note": cohort.face}
    return {
        "source": {key: value for key, value in source.items() if value},
        "patients": str(len(table)),
        "rounding": ROUNDING,
        "columns": {name: _declared(column, cohort) for name, column in table.columns.items()},
        "rules": [{"id": rule.id, "if": rule.when, "then": rule.then, "why": rule.why} for rule in cohort.rules],
    }


def _declared(column: Column, cohort: Cohort) -> dict:
    """A column as a claims file declares it; a grade says by which scale, where the cohort does."""
    scale = cohort.scale(GRADED[column.name]) if column.name in GRADED and cohort.grading_scale_stated else ""
    said = {"type": column.type, "values": list(column.values), "min": column.min, "max": column.max,
            "step": column.step if column.type == "decimal" else "", "unit": column.unit,
            "blank": "allowed" if column.blank else "",
            "meaning": column.meaning + (f"; graded by {scale}" if scale else "")}  # fmt: skip
    return {key: value for key, value in said.items() if value}


# What is printed


def _numbers(table: Table, cohort: Cohort) -> Iterator[tuple[str, Number]]:
    """Every number to print, in the order of the report, each with its section."""
    groups = [Unit(group.name, {"group": group.name}, group.purpose) for group in cohort.groups]
    everybody = Unit("", {}, cohort.groups[0].purpose if len(groups) == 1 else None)
    several = groups if len(groups) > 1 else []
    for where, (_, numbers) in SECTIONS.items():
        # MRD means something else in each group, so nothing is said of all of them together.
        units = several or [everybody] if numbers is _mrd else [everybody, *several]
        yield from ((where, number) for unit in units for number in numbers(unit, table))


def _description(unit: Unit, table: Table) -> Iterator[Number]:
    yield unit.number("n", "count", {})
    yield from _levels(unit, table, "sex")
    yield from _middle(unit, table, "age_years")
    yield from _levels(unit, table, "bcr_abl1")
    yield from _levels(unit, table, "intolerance_reason")
    yield from _middle(unit, table, "months_from_diagnosis")
    yield from _middle(unit, table, "infusion_days")
    yield from _levels(unit, table, "stop_reason")
    yield unit.number("extra_cycles-any", "count", {"extra_cycles": {"at_least": "1"}})
    yield from _levels(unit, table, "extra_cycles")


def _mrd(unit: Unit, table: Table) -> Iterator[Number]:
    for name in ("fc_before", "pcr_before", "fc_after", "pcr_after"):
        yield from _levels(unit, table, name)
    yield from _middle(unit, table, "mrd_before_percent")
    yield from _middle(unit, table, "mrd_after_percent")
    bridging = unit.purpose == "bridging"  # then MRD is to stay negative, not to become so
    measure, before = ("stayed-negative", NEGATIVE_BEFORE) if bridging else ("negative", {})
    for rule, negative in NEGATIVE_AFTER.items():
        counted = {**before, **FOLLOWED.get(rule, {})}
        if compile_predicate({**unit.rows, **counted}, table.columns).holds(table).any():
            yield unit.number(f"{measure}-{rule}", "count", {**before, **negative})
            yield unit.number(f"{measure}-{rule}-percent", "percent", counted, negative)


def _events(unit: Unit, table: Table) -> Iterator[Number]:
    yield from _levels(unit, table, "fever_cycle1")
    for name in ("crs_grade", "icans_grade"):
        yield unit.number(f"{name}-any", "count", {name: {"at_least": "1"}})
        yield unit.number(f"{name}-3-or-more", "count", {name: {"at_least": "3"}})
        yield from _levels(unit, table, name)
    yield from _middle(unit, table, "icans_day")


SECTIONS: dict[str, tuple[str, Callable[[Unit, Table], Iterator[Number]]]] = {  # by notebook of the report
    "02-cohort": ("Who was treated, and how", _description),
    "03-mrd-response": ("MRD before and after", _mrd),
    "04-safety": ("What went wrong, and how badly", _events),
}


def _levels(unit: Unit, table: Table, name: str) -> Iterator[Number]:
    """Patients with each value of a column that occurs in the cohort (of yes and no, only yes), and without any."""
    column, blank = table.columns[name], table.blank[name]
    texts = [column.text(code) for code in sorted(set(table.codes[name][~blank].tolist()))]
    for text in texts if column.type != "boolean" else ["yes"]:
        yield unit.number(f"{name}-{text}", "count", {name: text})
    if blank.any() and name not in BLANK_MEANS:
        yield unit.number(f"{name}-not-recorded", "count", {name: ""})


def _middle(unit: Unit, table: Table, name: str) -> Iterator[Number]:
    """Median and range of a number column and, where some cells of it are blank, of how many patients."""
    if name not in table.columns:
        return
    if table.blank[name].any():
        yield unit.number(f"{name}-n", "count", {"not": {name: ""}})
    yield unit.number(f"{name}-median", "median", {}, name)
    yield unit.number(f"{name}-range", "range", {}, name)


# What it comes to


def _printed(asked: Question, table: Table) -> list[str]:
    """The value (two for a range) as the report prints it; empty where there is nobody to take it of."""
    values = asked.statistic.values(table, asked.rows.holds(table), asked.of)
    if asked.statistic.name == "percent":
        return [asked.statistic.shown(value, PERCENT_PLACES, ROUNDING) for value in values or ()]
    least = _places(asked.of, table) if isinstance(asked.of, Column) else 0
    return [_unrounded(value, least) for value in values or ()]


def _places(column: Column, table: Table) -> int:
    """The decimal places with which a column was recorded: as many as its values need."""
    codes = table.codes[column.name][~table.blank[column.name]]
    return max(
        (len(_unrounded(int(code) * column.size, 0).partition(".")[2]) for code in set(codes.tolist())), default=0
    )


def _unrounded(value: Fraction, least: int) -> str:
    """A decimal fraction with as many decimal places as it needs, and no fewer than `least`."""
    while (value * 10**least).denominator > 1:
        least += 1
    return round_exact(value, least, ROUNDING)


def _patients(asked: Question, table: Table) -> int:
    """Of how many patients a number tells something."""
    rows = asked.rows.holds(table)
    if isinstance(asked.of, Column):
        rows &= ~table.blank[asked.of.name]
    elif asked.of is not None:
        rows &= asked.of.holds(table)
    return int(rows.sum())


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
        yield f"  # {SECTIONS[where][0]}"
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
