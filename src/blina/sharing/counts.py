"""What is counted for sending away: every number declared, and what of each patient decides in which he is counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import product

import pandas as pd

from blina.analysis.cohort import NOT_RECORDED, TOTAL
from blina.analysis.response import ALL_SETS, BECAME, RULES, STAYED, UNKNOWN_BEFORE, followed
from blina.analysis.safety import (
    ANY,
    CRS,
    FEVER,
    ICANS,
    REASONS,
    SEVERE,
    UNGRADED,
    UNKNOWN,
    worst_by_patient,
)
from blina.linelist.cohort import Cohort
from blina.linelist.tidy import ASSAYS, SEVERE_GRADE, STATUSES, TIMES, Tidy, recorded

SUCCESS, FAILURE, UNASSESSED, NOT_COUNTED = "negative", "not negative", "not assessed", "not counted"
NOT_DETECTED = "not detected"
NO_EVENT, MILD = "none", "grade 1 or 2"
RULE_IDS = tuple(rule.id for rule in RULES)
BINS = {"below 0.001%": 0.0, "0.001 to below 0.01%": 0.001, "0.01 to below 0.1%": 0.01, "0.1 to below 1%": 0.1,
        "1 to below 10%": 1.0, "10 to 100%": 10.0}  # fmt: skip
BURDENS = (*BINS, NOT_DETECTED, NOT_RECORDED)
SEXES = ("male", "female", NOT_RECORDED)
STOPS = (*REASONS, "other", NOT_RECORDED)
SEVERE_STOP = "severe_reaction"

# What of a patient is counted together. No number that is sent, and no rule between attributes, needs more than one of
# these tables. Tables that agree on the attributes they share can always be joined to a line list.
RESPONSE = (*RULE_IDS, "positive_before", "negative_before")
TABLES: tuple[tuple[str, ...], ...] = (
    ("group", *RESPONSE, "fc_before", "pcr_before"),
    ("group", *RESPONSE, "more_than_7_days"),
    ("group", *RESPONSE, "severe_stop"),
    ("group", "severe_stop", "stop_reason"),
    ("group", "positive_before", "burden"),
    ("group", "sex"),
    *(("group", event) for event in (FEVER, CRS, ICANS)),
)


@dataclass(frozen=True)
class Count:
    """One number: the patients of `groups` whose profile has, in each attribute of `where`, one of the levels.

    `table`, `row` and `name` say where it is sent: the table, the keys of the row in it, the column. `of` is the number
    of patients among whom it is counted; without that, it is not shown.
    """

    table: str
    row: tuple[tuple[str, str], ...]
    name: str
    groups: frozenset[str]
    where: dict[str, frozenset] = field(hash=False)
    of: Count | None = None


def profiles(tidy: Tidy) -> pd.DataFrame:
    """One row per patient and one column per attribute of `TABLES`: all that is counted of a patient."""
    table, worst = _results(tidy.patients, tidy.mrd), worst_by_patient(tidy.events)
    values = tidy.mrd[tidy.mrd["time"] == "before"].groupby("patient_id")["value_percent"].max()
    named = {name: table[name].astype("object").where(table[name].isin(levels), NOT_RECORDED)
             for name, levels in (("sex", SEXES), ("stop_reason", STOPS))}  # fmt: skip
    found = table.assign(
        **named,
        severe_stop=named["stop_reason"].where(named["stop_reason"].isin((SEVERE_STOP, NOT_RECORDED)), "no"),
        more_than_7_days=table["infusion_days"].gt(7).fillna(False).astype(bool),
        burden=_burden(table, table["patient_id"].map(values)),
        **{event: _severity(table, worst, event) for event in (FEVER, CRS, ICANS)},
    )
    return found[[*dict.fromkeys(name for names in TABLES for name in names)]]


def _results(patients: pd.DataFrame, mrd: pd.DataFrame) -> pd.DataFrame:
    """The table of `followed`, with the outcome under each rule in words."""
    table = followed(patients, mrd)
    for rule in RULE_IDS:
        said = table[rule].map({True: SUCCESS, False: FAILURE}).astype("object").fillna(NOT_COUNTED)
        table[rule] = said.mask(table[rule].notna() & ~table[f"{rule}_assessed"], UNASSESSED)
    return table


def _burden(table: pd.DataFrame, values: pd.Series) -> pd.Series:
    """MRD before in powers of ten, of those positive before; an assay negative and none positive: not detected."""
    label = pd.cut(values, [*BINS.values(), float("inf")], right=False, labels=[*BINS]).astype("object")
    label = label.where(table["positive_before"] & values.notna(), NOT_RECORDED)
    return label.mask(~table["positive_before"] & table["assessed_before"], NOT_DETECTED)


def _severity(table: pd.DataFrame, worst: pd.DataFrame, event: str) -> pd.Series:
    """The worst grade of one event in classes, by patient."""
    mine = worst[worst["event"] == event].set_index("patient_id")["worst_grade"]
    grade = table["patient_id"].map(mine).astype("Int64")
    said = grade.ge(SEVERE_GRADE).map({True: SEVERE, False: MILD}).astype("object").fillna(UNGRADED)
    is_known = table.get(recorded(event), pd.Series(True, table.index))
    nothing = is_known.map({True: NO_EVENT, False: UNKNOWN})
    return said.where(table["patient_id"].isin(mine.index), nothing)


LEVELS: dict[str, tuple] = {
    "more_than_7_days": (True, False), "severe_stop": (SEVERE_STOP, "no", NOT_RECORDED), "stop_reason": STOPS,
    "sex": SEXES, "burden": BURDENS,
    **dict.fromkeys((FEVER, CRS, ICANS), (NO_EVENT, MILD, SEVERE, UNGRADED, UNKNOWN)),
}  # fmt: skip


@cache
def possible(attributes: tuple[str, ...]) -> list[tuple]:
    """Every combination of these attributes, whatever the group, that a patient can have.

    Which outcomes go with which results is not said here a second time: `followed` counts a made-up patient for every
    combination of results.
    """
    linked = [name for name in attributes if name not in LEVELS]
    table = _possible_results()[linked].drop_duplicates() if linked else pd.DataFrame(index=[0])
    for name in attributes:
        if name in LEVELS:
            table = table.merge(pd.DataFrame({name: LEVELS[name]}, dtype="object"), how="cross")
    if {"severe_stop", "stop_reason"} <= {*attributes}:
        plain = table["stop_reason"].where(table["stop_reason"].isin((SEVERE_STOP, NOT_RECORDED)), "no")
        table = table[table["severe_stop"] == plain]
    if {"positive_before", "burden"} <= {*attributes}:
        table = table[(table["burden"] == NOT_RECORDED) | (table["positive_before"] == table["burden"].isin([*BINS]))]
    return [*table[[*attributes]].itertuples(index=False, name=None)]


@cache
def _possible_results() -> pd.DataFrame:
    """What `followed` makes of every combination of results before and after, with a fusion gene and of unknown one."""
    followed = [status for status in STATUSES if status != "not_applicable"]
    courses = [*product(followed, followed)]
    mrd = []
    for number, of_assays in enumerate(product(courses, [*courses, ("not_applicable", "not_applicable")])):
        mrd += [{"patient_id": str(number), "time": time, "assay": assay, "status": status}
                for assay, course in zip(ASSAYS, of_assays, strict=True)
                for time, status in zip(TIMES, course, strict=True)]  # fmt: skip
    results = pd.DataFrame(mrd)
    patients = results[["patient_id"]].drop_duplicates(ignore_index=True)
    found = [_results(patients.assign(bcr_abl1=pd.array([gene] * len(patients), dtype="boolean")), results)
             for gene in (True, None)]  # fmt: skip
    return pd.concat(found, ignore_index=True)[[*RESPONSE, "fc_before", "pcr_before"]]


def counts(cohort: Cohort) -> list[Count]:
    """Every number that is sent if nothing is withheld, the most important first: the last give way.

    Sizes of groups; response, over all treated first; worst grades; how cycle 1 ended; MRD before; sex. Which numbers
    there are depends on the groups and their purposes only, never on the patients.
    """
    groups = {group.name: frozenset([group.name]) for group in cohort.groups}
    groups[TOTAL] = frozenset(groups)
    every = (("characteristic", "patients"), ("level", "all"))
    sizes = {name: Count("cohort", (("group", name), *every), "count", members, {}) for name, members in groups.items()}
    return [
        *sizes.values(),
        *_response(cohort, sizes),
        *_safety(sizes),
        *_listed(sizes, "cohort", "end of cycle 1", "stop_reason", STOPS),
        *_listed(sizes, "mrd", "MRD before", "burden", BURDENS),
        *_listed(sizes, "cohort", "sex", "sex", SEXES),
    ]


def _response(cohort: Cohort, sizes: dict[str, Count]) -> Iterator[Count]:
    units = [(group.name, sizes[group.name].groups, measure, where, sizes[group.name])
             for group in cohort.groups for measure, where in _measures(group.purpose)]  # fmt: skip
    for evaluable, rule, (name, groups, measure, where, size) in product(ALL_SETS, RULE_IDS, units):
        if measure in (STAYED, UNKNOWN_BEFORE) and evaluable.id == "positive_before":
            continue  # nobody, whoever the patients are
        row = (("group", name), ("measure", measure), ("rule", rule), ("evaluable_set", evaluable.id))
        among, successful = _sets(evaluable.id, rule)
        n = Count("response", row, "n", groups, {rule: frozenset([SUCCESS, FAILURE, UNASSESSED])} | where | among, size)
        yield n
        yield Count("response", row, "k", groups, n.where | {rule: frozenset([SUCCESS])} | successful, n)


def _measures(purpose: str | None) -> list[tuple[str, dict[str, frozenset]]]:
    if purpose == "bridging":
        no, yes = frozenset([False]), frozenset([True])
        return [(STAYED, {"negative_before": yes}), (BECAME, {"positive_before": yes}),
                (UNKNOWN_BEFORE, {"positive_before": no, "negative_before": no})]  # fmt: skip
    return [(BECAME, {})]


def _sets(evaluable_set: str, rule: str) -> tuple[dict[str, frozenset], dict[str, frozenset]]:
    """What the members of an evaluable set have in common, and what the successes among them have besides."""
    before = {"fc": "fc_before", "pcr": "pcr_before", "fc_and_pcr": "positive_before"}[rule]
    yes, assessed = frozenset([True]), frozenset([SUCCESS, FAILURE])
    return {"all_treated": ({}, {}), "assessed": ({rule: assessed}, {}), "positive_before": ({before: yes}, {}),
            "more_than_7_days": ({"more_than_7_days": yes}, {}),
            "severe_stops_failed": ({}, {"severe_stop": frozenset(["no", NOT_RECORDED])}),
            "without_severe_stops": ({"severe_stop": frozenset(["no"])}, {})}[evaluable_set]  # fmt: skip


def _safety(sizes: dict[str, Count]) -> Iterator[Count]:
    severities = {ANY: (MILD, SEVERE, UNGRADED), SEVERE: (SEVERE,), UNGRADED: (UNGRADED,), UNKNOWN: (UNKNOWN,)}
    for (severity, levels), event, (name, size) in product(severities.items(), (FEVER, CRS, ICANS), sizes.items()):
        row = (("group", name), ("event", event), ("severity", severity))
        if event != FEVER or severity in (ANY, UNKNOWN):
            yield Count("safety", row, "k", size.groups, {event: frozenset(levels)}, size)


def _listed(sizes: dict[str, Count], table: str, what: str, attribute: str, levels: tuple[str, ...]) -> Iterator[Count]:
    for name, size in sizes.items():
        for level in levels:
            row = (("group", name), ("characteristic", what), ("level", level))
            yield Count(table, row, "count", size.groups, {attribute: frozenset([level])}, size)
