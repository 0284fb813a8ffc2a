"""What is counted for sending away: every number declared, and what of each patient decides in which he is counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import product

import pandas as pd

from blina.analysis.cohort import TOTAL
from blina.analysis.response import BECAME, CLEARING, EVALUABLE_SETS, RULES, STATUSES, STAYED, outcomes
from blina.analysis.safety import ANY, CRS, FEVER, ICANS, REASONS, SEVERE, UNGRADED, worst_by_patient
from blina.linelist.cohort import Cohort
from blina.linelist.tidy import SEVERE_GRADE, Tidy

NOT_RECORDED, NOT_DETECTED = "not recorded", "not detected"
SUCCESS, FAILURE, NOT_COUNTED = "negative", "not negative", "not counted"
NO_EVENT, MILD = "none", "grade 1 or 2"
RULE_IDS = tuple(rule.id for rule in RULES)
BINS = {"below 0.001%": 0.0, "0.001 to below 0.01%": 0.001, "0.01 to below 0.1%": 0.01, "0.1 to below 1%": 0.1,
        "1 to below 10%": 1.0, "10 to 100%": 10.0}  # fmt: skip
BURDENS = (*BINS, NOT_DETECTED, NOT_RECORDED)
SEXES = ("male", "female", NOT_RECORDED)
STOPS = (*dict.fromkeys((*REASONS, "other", NOT_RECORDED)),)

# What of a patient is counted together. Two tables that share attributes agree on them, and no number that is sent
# needs attributes of two tables, so any line list with these tables looks the same from outside.
RESPONSE = (*RULE_IDS, "positive_before")
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

    @property
    def attributes(self) -> frozenset[str]:
        return frozenset(self.where)


def profiles(tidy: Tidy) -> pd.DataFrame:
    """One row per patient and one column per attribute of `TABLES`: all that is counted of a patient."""
    table, worst = outcomes(tidy.patients, tidy.mrd), worst_by_patient(tidy.events)
    values = tidy.mrd[tidy.mrd["time"] == "before"].groupby("patient_id")["value_percent"].max()
    assessed = tidy.mrd[(tidy.mrd["time"] == "before") & (tidy.mrd["status"] == "negative")]["patient_id"]
    found = table.assign(
        severe_stop=table["stop_reason"].eq("severe_reaction").fillna(False).astype(bool),
        more_than_7_days=table["infusion_days"].gt(7).fillna(False).astype(bool),
        burden=_burden(table, table["patient_id"].map(values), table["patient_id"].isin(assessed)),
        **{rule: table[rule].map({True: SUCCESS, False: FAILURE}).fillna(NOT_COUNTED) for rule in RULE_IDS},
        **{name: table[name].where(table[name].isin(levels), NOT_RECORDED)
           for name, levels in (("sex", SEXES), ("stop_reason", STOPS))},
        **{event: _severity(worst, event, table["patient_id"]) for event in (FEVER, CRS, ICANS)},
    )  # fmt: skip
    return found[[*dict.fromkeys(name for names in TABLES for name in names)]]


def _burden(table: pd.DataFrame, values: pd.Series, is_assessed: pd.Series) -> pd.Series:
    """MRD before in powers of ten, of those positive before; an assay negative and none positive: not detected."""
    label = pd.cut(values, [*BINS.values(), float("inf")], right=False, labels=[*BINS]).astype("object")
    label = label.where(table["positive_before"] & values.notna(), NOT_RECORDED)
    return label.mask(~table["positive_before"] & is_assessed, NOT_DETECTED)


def _severity(worst: pd.DataFrame, event: str, patients: pd.Series) -> pd.Series:
    """The worst grade of one event in four classes, by patient."""
    mine = worst[worst["event"] == event].set_index("patient_id")["worst_grade"]
    grade = patients.map(mine).astype("Int64")
    said = grade.ge(SEVERE_GRADE).map({True: SEVERE, False: MILD}).fillna(UNGRADED)
    return said.where(patients.isin(mine.index), NO_EVENT)


LEVELS: dict[str, tuple] = {
    "more_than_7_days": (True, False), "severe_stop": (True, False), "stop_reason": STOPS, "sex": SEXES,
    "burden": BURDENS, **dict.fromkeys((FEVER, CRS, ICANS), (NO_EVENT, MILD, SEVERE, UNGRADED)),
}  # fmt: skip


@cache
def possible(attributes: tuple[str, ...]) -> list[tuple]:
    """Every combination of these attributes, whatever the group, that a patient can have.

    Which outcomes go with which results is not said here a second time: `outcomes` counts a made-up patient for every
    combination of results.
    """
    linked = [name for name in attributes if name not in LEVELS]
    table = _possible_results()[linked].drop_duplicates() if linked else pd.DataFrame(index=[0])
    for name in attributes:
        if name in LEVELS:
            table = table.merge(pd.DataFrame({name: LEVELS[name]}, dtype="object"), how="cross")
    if {"severe_stop", "stop_reason"} <= {*attributes}:
        table = table[table["severe_stop"] == (table["stop_reason"] == "severe_reaction")]
    if {"positive_before", "burden"} <= {*attributes}:
        table = table[(table["burden"] == NOT_RECORDED) | (table["positive_before"] == table["burden"].isin([*BINS]))]
    return [*table[[*attributes]].itertuples(index=False, name=None)]


@cache
def _possible_results() -> pd.DataFrame:
    """What `outcomes` makes of every combination of results before and after: fusion genes are followed or are not."""
    followed = [status for status in STATUSES if status != "not_applicable"]
    pairs = [*product(followed, followed), ("not_applicable", "not_applicable")]
    patients, mrd = [], []
    for number, ((fc_before, fc_after), (pcr_before, pcr_after)) in enumerate(
        product(product(followed, followed), pairs)
    ):
        patients.append({"patient_id": str(number)})
        results = {("before", "FC"): fc_before, ("after", "FC"): fc_after, ("before", "RT-PCR"): pcr_before,
                   ("after", "RT-PCR"): pcr_after}  # fmt: skip
        mrd += [{"patient_id": str(number), "time": time, "assay": assay, "status": status}
                for (time, assay), status in results.items()]  # fmt: skip
    table = outcomes(pd.DataFrame(patients), pd.DataFrame(mrd))
    for rule in RULE_IDS:
        table[rule] = table[rule].map({True: SUCCESS, False: FAILURE}).fillna(NOT_COUNTED)
    return table[[*RESPONSE, "fc_before", "pcr_before"]].drop_duplicates(ignore_index=True)


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
    clearing = [group.name for group in cohort.groups if group.purpose in CLEARING]
    if len(clearing) > 1:
        units.append((" + ".join(clearing), frozenset(clearing), BECAME, {}, None))
    for evaluable, rule, (name, groups, measure, where, size) in product(EVALUABLE_SETS, RULE_IDS, units):
        if measure == STAYED and evaluable.id == "positive_before":
            continue  # nobody, whoever the patients are
        row = (("group", name), ("measure", measure), ("rule", rule), ("evaluable_set", evaluable.id))
        among, successful = _sets(evaluable.id, rule)
        n = Count("response", row, "n", groups, where | {rule: frozenset([SUCCESS, FAILURE])} | among, size)
        yield n
        yield Count("response", row, "k", groups, n.where | {rule: frozenset([SUCCESS])} | successful, n)


def _measures(purpose: str | None) -> list[tuple[str, dict[str, frozenset]]]:
    if purpose == "bridging":
        return [(STAYED, {"positive_before": frozenset([False])}), (BECAME, {"positive_before": frozenset([True])})]
    return [(BECAME, {})]


def _sets(evaluable_set: str, rule: str) -> tuple[dict[str, frozenset], dict[str, frozenset]]:
    """What the members of an evaluable set have in common, and what the successes among them have besides."""
    before = {"fc": "fc_before", "pcr": "pcr_before", "fc_and_pcr": "positive_before"}[rule]
    yes, no = frozenset([True]), frozenset([False])
    return {"all_treated": ({}, {}), "positive_before": ({before: yes}, {}),
            "more_than_7_days": ({"more_than_7_days": yes}, {}), "severe_stops_failed": ({}, {"severe_stop": no}),
            "without_severe_stops": ({"severe_stop": no}, {})}[evaluable_set]  # fmt: skip


def _safety(sizes: dict[str, Count]) -> Iterator[Count]:
    severities = {ANY: (MILD, SEVERE, UNGRADED), SEVERE: (SEVERE,), UNGRADED: (UNGRADED,)}
    for (severity, levels), event, (name, size) in product(severities.items(), (FEVER, CRS, ICANS), sizes.items()):
        row = (("group", name), ("event", event), ("severity", severity))
        if event != FEVER or severity == ANY:
            yield Count("safety", row, "k", size.groups, {event: frozenset(levels)}, size)


def _listed(sizes: dict[str, Count], table: str, what: str, attribute: str, levels: tuple[str, ...]) -> Iterator[Count]:
    for name, size in sizes.items():
        for level in levels:
            row = (("group", name), ("characteristic", what), ("level", level))
            yield Count(table, row, "count", size.groups, {attribute: frozenset([level])}, size)
