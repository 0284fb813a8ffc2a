"""What is counted for sending away: each number a result of the report, and whom it counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product

import numpy as np
import pandas as pd

from blina.analysis.study import Study
from blina.linelist.columns import COLUMNS, Column
from blina.linelist.table import Table
from blina.measures.choices import (
    ALL_SETS,
    ANY,
    EVENTS,
    LONGER_THAN_A_WEEK,
    MAY_BE_FOLLOWED,
    NEGATIVE_BEFORE,
    POSITIVE_BEFORE,
    RULES,
    SEVERE,
    SEVERE_STOP,
    UNGRADED,
    UNKNOWN,
    Event,
    ResponseRule,
    choice,
)
from blina.measures.declare import (
    BECAME,
    MRD_BEFORE,
    NO_GRADE,
    NOT_DETECTED,
    NOT_RECORDED,
    POWERS_OF_TEN,
    STAYED,
    TOTAL,
    UNKNOWN_BEFORE,
    Facts,
    Measure,
    Unit,
    applies_to,
    bins_before,
    group_rows,
    level_measure,
    not_severe,
    response_measure,
    units_of,
)
from blina.measures.evaluate import Patients, Value

SUCCESS, FAILURE = "negative", "not negative"
UNASSESSED, NOT_COUNTED = "not assessed", "not counted"
NO_EVENT, MILD = "none", "grade 1 or 2"
NO_REACTION, REACTION = "no", "severe_reaction"
NO_BLANK = "none"  # the level of a blank that says that there was nothing
BURDENS = (*POWERS_OF_TEN, NOT_DETECTED, NOT_RECORDED)
GRADES = (NO_EVENT, MILD, SEVERE, UNGRADED, UNKNOWN)
SEVERITIES = {
    ANY: frozenset([MILD, SEVERE, UNGRADED]),
    SEVERE: frozenset([SEVERE]),
    UNGRADED: frozenset([UNGRADED]),
    UNKNOWN: frozenset([UNKNOWN]),
}
YES, NO = frozenset([True]), frozenset([False])
UNITS = {  # the parts of a group: what their patients were before treatment
    STAYED: {"negative_before": YES},
    BECAME: {"positive_before": YES},
    UNKNOWN_BEFORE: {"positive_before": NO, "negative_before": NO},
}
RULE_IDS = tuple(rule.id for rule in RULES)
RESPONSE = (*RULE_IDS, "positive_before", "negative_before")
LINKED = (*RESPONSE, "fc_before", "pcr_before", "may_be_followed")  # all follow from the results
STOP = "stop_reason"

Where = Mapping[str, frozenset]  # a profile has, in each of these attributes, one of the levels


@dataclass(frozen=True)
class Count:
    """One number: patients of `groups` with one of the levels in each attribute of `where`.

    `table`, `row` and `name` say where it is sent: the table, the keys of the row in it, the
    column. `of` is the number of patients among whom it is counted; without that, it is not shown.
    `number` is what the report's result says, or nothing where the report states no rate
    (`stated`).
    """

    table: str
    row: tuple[tuple[str, str], ...]
    name: str
    groups: frozenset[str]
    where: Where = field(hash=False)
    of: Count | None = None
    number: int = field(default=0, compare=False)
    stated: bool = field(default=True, compare=False)

    @property
    def words(self) -> str:
        """What it is called, for a message."""
        keys = ", ".join(text for _, text in self.row)
        return f"{self.name} of {self.table}: {keys}"


@dataclass(frozen=True)
class Unstated:
    """Patients without a rate by RT-PCR: some may be followed, none has a result after.

    `row`: the first keys of their rows in the table of response.
    """

    row: tuple[tuple[str, str], ...]
    groups: frozenset[str]
    with_result: Where = field(hash=False)  # there is no such patient
    followed: Where = field(hash=False)  # there is at least one such patient


@dataclass(frozen=True)
class Scheme:
    """What of a patient is counted together, and the levels of what no MRD result decides.

    No number that is sent, and no link between attributes, needs more than one of `tables`. Tables
    that agree on the attributes they share can always be joined to a line list.
    """

    tables: tuple[tuple[str, ...], ...]
    levels: Mapping[str, tuple]

    @property
    def attributes(self) -> list[str]:
        """Every attribute of a table, once."""
        return [*dict.fromkeys(name for names in self.tables for name in names)]

    def possible(self, attributes: tuple[str, ...]) -> list[tuple]:
        """Every combination of these attributes, whatever the group, that a patient can have.

        Which outcomes go with which results is not said here a second time: the predicates of the
        response rules are asked of a made-up patient for every combination of results.
        """
        linked = [name for name in attributes if name not in self.levels]
        table = pd.DataFrame(index=[0])
        if linked:
            table = _possible_results()[linked].drop_duplicates()
        for name in attributes:
            if name in self.levels:
                levels = pd.DataFrame({name: self.levels[name]}, dtype="object")
                table = table.merge(levels, how="cross")
        if {"severe_stop", STOP} <= {*attributes}:
            table = table[table["severe_stop"] == table[STOP].map(_severe_stop_of)]
        if {"positive_before", "burden"} <= {*attributes}:
            is_value = table["burden"].isin([*POWERS_OF_TEN])
            unknown = table["burden"] == NOT_RECORDED
            table = table[unknown | (table["positive_before"] == is_value)]
        return [*table[[*attributes]].itertuples(index=False, name=None)]


def _severe_stop_of(reason: str) -> str:
    return reason if reason in (REACTION, NOT_RECORDED) else NO_REACTION


@dataclass(frozen=True)
class Shared:
    """What is shared of a cohort: numbers, the most important first, and a profile per patient.

    `profiles`: one row per patient, one column per attribute of the scheme.
    """

    scheme: Scheme
    counts: list[Count]
    profiles: pd.DataFrame
    unstated: list[Unstated]


def shared(study: Study) -> Shared:
    """The numbers that are sent if nothing is withheld, with all that their audit needs."""
    scheme = scheme_of(study.table)
    profiles = _profiles(study.counted)[scheme.attributes]
    return Shared(scheme, counts(study), profiles, _unstated(study))


def scheme_of(table: Table) -> Scheme:
    """What is counted together in a line list, by its columns."""
    others = [column for column in shared_columns(table) if column.name != STOP]
    events = [event.name for event in EVENTS]
    tables = (
        ("group", *LINKED),
        ("group", *RESPONSE, "more_than_7_days"),
        ("group", *RESPONSE, "severe_stop"),
        ("group", "severe_stop", STOP),
        ("group", "positive_before", "burden"),
        *(("group", column.name) for column in others),
        *(("group", event) for event in events),
    )
    levels: dict[str, tuple] = {
        "more_than_7_days": (True, False),
        "severe_stop": (REACTION, NO_REACTION, NOT_RECORDED),
        STOP: levels_of(table.columns[STOP]),
        "burden": BURDENS,
    }
    for column in others:
        levels[column.name] = levels_of(column)
    for event in events:
        levels[event] = GRADES
    return Scheme(tables, levels)


def shared_columns(table: Table) -> list[Column]:
    """The columns of which the counts of each level are shared."""
    return [column for column in table.columns.values() if column.shared and not column.is_number]


def levels_of(column: Column) -> tuple[str, ...]:
    """The levels of a column, the last for patients with a blank cell."""
    return (*column.words, _blank_level(column))


def _blank_level(column: Column) -> str:
    return NO_BLANK if column.blank_is_none else NOT_RECORDED


# What of each patient is counted


def _profiles(patients: Patients) -> pd.DataFrame:
    """One row per patient and one column per attribute, by the predicates of the choices."""
    table, facts = patients.table, patients.facts
    found = {"group": _words(table, "group"), **_results(patients)}
    found["more_than_7_days"] = patients.holding(LONGER_THAN_A_WEEK)
    known = patients.holding(not_severe(facts))
    reaction = patients.holding(SEVERE_STOP)
    stops = {REACTION: reaction, NO_REACTION: known}
    found["severe_stop"] = _levels(len(table), stops, NOT_RECORDED)
    bins = {name: patients.holding(rows) for name, rows in bins_before().items()}
    found["burden"] = _levels(len(table), bins, NOT_RECORDED)
    for name in {STOP: None, **{column.name: None for column in shared_columns(table)}}:
        found[name] = _words(table, name)
    for event in EVENTS:
        found[event.name] = _grades(event, patients)
    return pd.DataFrame(found)


def _words(table: Table, name: str) -> np.ndarray:
    """The words of a column, with a level for blank cells."""
    column = table.columns[name]
    words = np.array(levels_of(column), dtype=object)
    places = np.where(table.blank[name], len(words) - 1, table.codes[name])
    return words[places]


def _levels(patients: int, found: Mapping[str, np.ndarray], otherwise: str) -> np.ndarray:
    """For each patient the first level whose mask holds."""
    levels = np.full(patients, otherwise, dtype=object)
    for level, mask in reversed(found.items()):
        levels[mask] = level
    return levels


def _results(patients: Patients) -> dict[str, np.ndarray]:
    """What follows from the results of MRD: the outcome under each rule, and what was before."""
    size, found = len(patients.table), {}
    for rule in RULES:
        counted = patients.holding(applies_to(rule, patients.facts))
        outcomes = {
            NOT_COUNTED: ~counted,
            SUCCESS: patients.holding(rule.negative),
            FAILURE: patients.holding(rule.assessed),
        }
        found[rule.id] = _levels(size, outcomes, UNASSESSED)
    found["positive_before"] = patients.holding(POSITIVE_BEFORE)
    found["negative_before"] = patients.holding(NEGATIVE_BEFORE)
    found["fc_before"] = patients.holding(choice(RULES, "fc").before)
    found["pcr_before"] = patients.holding(choice(RULES, "pcr").before)
    found["may_be_followed"] = patients.holding(MAY_BE_FOLLOWED)
    return found


def _grades(event: Event, patients: Patients) -> np.ndarray:
    """The worst grade of one event in classes, by patient; without grades, that of no grade."""
    may_be_blank = patients.facts.may_be_blank
    occurred = patients.holding(event.occurred(may_be_blank))
    found = {}
    if event.severe is not None:
        found[SEVERE] = patients.holding(event.severe)
    if event.column in may_be_blank:
        if event.dated is not None:
            found[UNGRADED] = patients.holding(event.ungraded())
        found[UNKNOWN] = patients.holding(event.unrecorded())
    found[MILD if event.has_grades else UNGRADED] = occurred
    return _levels(len(patients.table), found, NO_EVENT)


@cache
def _possible_results() -> pd.DataFrame:
    """What follows from every combination of results, with a fusion gene or an unknown one."""
    patients = Patients(_made_up())
    return pd.DataFrame(_results(patients)).drop_duplicates(ignore_index=True)


def _made_up() -> Table:
    """A made-up patient for every combination of results, with a gene to follow or none."""
    results = ("positive", "negative", "not_done")
    courses = [*product(results, results)]
    followed = [*courses, ("not_applicable", "not_applicable")]
    genes = ("yes", "")
    names = ("fc_before", "fc_after", "pcr_before", "pcr_after", "bcr_abl1")
    lines = [(*fc, *pcr, gene) for fc, pcr, gene in product(courses, followed, genes)]
    entries = {column.name: column for column in COLUMNS}
    columns, codes, blank = {}, {}, {}
    for name, cells in zip(names, zip(*lines, strict=True), strict=True):
        column = replace(entries[name], blank=True)
        columns[name] = column
        codes[name] = np.array([column.words.get(cell, 0) for cell in cells])
        blank[name] = np.array([cell == "" for cell in cells])
    return Table(columns, codes, blank, tuple(str(place) for place in range(len(lines))))


# The numbers


def counts(study: Study) -> list[Count]:
    """Every number that is sent if none is withheld, the most important first.

    Sizes of groups; response, over all treated first; worst grades; how cycle 1 ended; MRD before;
    sex and what else of a line list is shared. Which numbers there are depends on the groups, their
    purposes and the columns only, never on the patients.
    """
    asking = _Asking(study)
    sizes = {}
    for group, members in asking.members.items():
        row = (("group", group), ("characteristic", "patients"), ("level", "all"))
        number = study.results.get("description", group, "patients", statistic="count").here.k
        sizes[group] = Count("cohort", row, "count", members, {}, number=number)
    columns = shared_columns(study.table)
    ending = [column for column in columns if column.name == STOP]
    others = [column for column in columns if column.name != STOP]
    found = [*sizes.values(), *_response(asking, sizes), *_safety(asking, sizes)]
    for column in ending:
        found += _column(asking, sizes, column)
    found += _burden(asking, sizes)
    for column in others:
        found += _column(asking, sizes, column)
    return found


class _Asking:
    """The results of a study, and the members of each of its groups."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.facts: Facts = study.counted.facts
        self.rows = dict(group_rows(study.cohort))
        names = [group.name for group in study.cohort.groups]
        self.members = {name: frozenset([name]) for name in names}
        self.members[TOTAL] = frozenset(names)

    def value(self, measure: Measure) -> Value:
        """What the result of a measure says.

        A report leaves out lines on what does not occur; what they would say is then asked of the
        same measure.
        """
        result = self.study.results.get(*measure.key)
        return result.here if result else self.study.counted.value(measure)

    def listed(self, topic: str, group: str, name: str, level: str, statistic: str) -> int:
        """How many patients a line counts; none, where the report leaves it out."""
        result = self.study.results.get(topic, group, name, level, statistic=statistic)
        return result.here.k if result else 0


def _response(asking: _Asking, sizes: dict[str, Count]) -> Iterator[Count]:
    units = []
    for group in asking.study.cohort.groups:
        units += [(unit, _whom(unit, group.purpose)) for unit in units_of(group)]
    for evaluable, rule, (unit, whom) in product(ALL_SETS, RULES, units):
        if unit.measure in (STAYED, UNKNOWN_BEFORE) and evaluable.id == "positive_before":
            continue  # nobody, whoever the patients are
        value = asking.value(response_measure(unit, rule, evaluable.id, asking.facts))
        size = sizes[unit.name]
        row = (*_unit_row(unit), ("rule", rule.id), ("evaluable_set", evaluable.id))
        among, successful = _sets(evaluable.id, rule)
        inside = {rule.id: frozenset([SUCCESS, FAILURE, UNASSESSED])} | whom | among
        n = Count("response", row, "n", size.groups, inside, size, number=value.n, stated=value.stated)
        where = inside | {rule.id: frozenset([SUCCESS])} | successful
        yield n
        yield Count("response", row, "k", size.groups, where, n, number=value.k, stated=value.stated)


def _unit_row(unit: Unit) -> tuple[tuple[str, str], ...]:
    return ("group", unit.name), ("measure", unit.measure)


def _whom(unit: Unit, purpose: str | None) -> Where:
    """What the patients of a unit have in common; only bridging groups have parts."""
    return UNITS[unit.measure] if purpose == "bridging" else {}


def _sets(evaluable_set: str, rule: ResponseRule) -> tuple[Where, Where]:
    """What the members of a set have in common, and what successes have besides."""
    before = {"fc": "fc_before", "pcr": "pcr_before", "fc_and_pcr": "positive_before"}[rule.id]
    without_reaction = {"severe_stop": frozenset([NO_REACTION])}
    return {
        "all_treated": ({}, {}),
        "assessed": ({rule.id: frozenset([SUCCESS, FAILURE])}, {}),
        "positive_before": ({before: YES}, {}),
        "more_than_7_days": ({"more_than_7_days": YES}, {}),
        "severe_stops_failed": ({}, without_reaction),
        "without_severe_stops": (without_reaction, {}),
    }[evaluable_set]


def _unstated(study: Study) -> list[Unstated]:
    """The groups, or parts of a group, of whom no rate with RT-PCR is stated."""
    asking, rule, found = _Asking(study), choice(RULES, "pcr"), []
    for group in study.cohort.groups:
        for unit in units_of(group):
            if asking.value(response_measure(unit, rule, "all_treated", asking.facts)).stated:
                continue
            whom = _whom(unit, group.purpose)
            with_result = {**whom, rule.id: frozenset([SUCCESS, FAILURE])}
            followed = {**whom, "may_be_followed": YES}
            members = asking.members[group.name]
            found.append(Unstated(_unit_row(unit), members, with_result, followed))
    return found


def _safety(asking: _Asking, sizes: dict[str, Count]) -> Iterator[Count]:
    for (severity, levels), event, group in product(SEVERITIES.items(), EVENTS, sizes):
        if not event.has_grades and severity not in (ANY, UNKNOWN):
            continue
        level = NO_GRADE if severity == ANY and not event.has_grades else severity
        statistic = "count" if severity == UNKNOWN else "percent"
        number = asking.listed("events", group, event.name, level, statistic)
        row = (("group", group), ("event", event.name), ("severity", severity))
        size = sizes[group]
        yield Count("safety", row, "k", size.groups, {event.name: levels}, size, number=number)


def _column(asking: _Asking, sizes: dict[str, Count], column: Column) -> Iterator[Count]:
    """Patients with each level of a column, and with none."""
    name = column.characteristic or column.name
    for group, size in sizes.items():
        for level in levels_of(column):
            word = "" if level == _blank_level(column) else level
            number = 0
            if word or column.blank:
                measure = level_measure(column, word, group, asking.rows[group])
                number = asking.value(measure).k
            row = (("group", group), ("characteristic", name), ("level", level))
            where = {column.name: frozenset([level])}
            yield Count("cohort", row, "count", size.groups, where, size, number=number)


def _burden(asking: _Asking, sizes: dict[str, Count]) -> Iterator[Count]:
    """Patients by MRD before in powers of ten."""
    for group, size in sizes.items():
        for level in BURDENS:
            number = asking.listed(MRD_BEFORE, group, "powers of ten", level, "count")
            row = (("group", group), ("characteristic", "MRD before"), ("level", level))
            where = {"burden": frozenset([level])}
            yield Count("mrd", row, "count", size.groups, where, size, number=number)
