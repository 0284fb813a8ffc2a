"""What went wrong, how badly and when: each patient's course, what courses add up to, and scales in words."""

from __future__ import annotations

import pandas as pd

from blina.analysis.cohort import by_group, listed
from blina.linelist.cohort import Cohort
from blina.linelist.tidy import recorded
from blina.measures import views
from blina.measures.bounds import CohortBounds
from blina.measures.choices import (
    ANY,
    CRS,
    EVENTS,
    ICANS,
    NO_GRADE,
    SEVERE,
    UNGRADED,
    UNNAMED_REACTION,
)
from blina.measures.declare import CRS_READINGS, FURTHER, stop_reasons
from blina.measures.evaluate import Patients
from blina.measures.language import Asked, both
from blina.measures.results import Results

FEVER_RULES = {  # by scale, where it counts fever due to the drug as CRS grade 1; the others do not
    "ASTCT 2019": "ASTCT 2019: fever attributed to the drug is by itself CRS grade 1 (Lee et al., 2019)",
    "CTCAE v5": "CTCAE v5: fever, with or without constitutional symptoms, is by itself CRS grade 1 (NCI, 2017)",
}
UNRECORDED = "?"  # of an event in a patient's course
STOP_WORDS = {
    "completed": "completed",
    "severe_reaction": "stopped for a severe reaction",
    "economic": "stopped for cost",
    "other": "stopped for another reason",
}
COURSE_COLUMNS = (
    "patient_id",
    "group",
    "infusion_days",
    "stop_reason",
    "stopped_by",
    "extra_cycles",
    "icans_day",
)
COURSE_COUNT_COLUMNS = ("group", "feature", "grade", "onset_day", *views.STATED)


# Courses


def courses(patients: pd.DataFrame, events: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Cycle 1 of every patient: one row each, by group, longest infusion first, `COURSE_COLUMNS` and one per event.

    `stopped_by` names the events that led to a stop. `icans_day` is the day on which ICANS began (Int64). A column per
    event, but for a reaction without a name: the worst grade as text, "yes" without a grade, "" where it did not occur,
    "?" where that is not recorded. These are rows: show `cohort.face`.
    """
    mine = events[events["cycle"] == 1]
    worst = _worst_by_patient(mine).set_index(["patient_id", "event"])["worst_grade"]
    kinds = _event_names(mine)
    texts = worst.astype("str").mask(worst.isna(), "yes").unstack("event")
    texts = texts.reindex(index=patients["patient_id"], columns=kinds).astype("object").fillna("")
    for event in kinds:
        unknown = _unknown(patients, event) & texts[event].eq("").to_numpy()
        texts.loc[unknown, event] = UNRECORDED
    led_to_stop = mine[mine["led_to_stop"]].groupby("patient_id")["event"]
    stopped_by = led_to_stop.agg(lambda names: " and ".join(sorted(set(names))))
    table = patients.assign(
        stopped_by=patients["patient_id"].map(stopped_by).astype("object").fillna(""),
        icans_day=patients["patient_id"].map(_onset(mine)).astype("Int64"),
    )
    table = table.merge(texts, on="patient_id", validate="one_to_one")
    members = []
    for _, rows in by_group(table, cohort, total=False):
        members.append(rows.sort_values("infusion_days", ascending=False, kind="stable"))
    return pd.concat(members, ignore_index=True)[[*COURSE_COLUMNS, *kinds]]


def _event_names(events: pd.DataFrame) -> list[str]:
    """The declared events, then any others that occur; a reaction without a name is none."""
    declared = [event.name for event in EVENTS]
    others = set(events["event"].unique()) - {*declared, UNNAMED_REACTION}
    return [*declared, *sorted(others)]


def _unknown(patients: pd.DataFrame, event: str) -> pd.Series:
    """Of whom it is not recorded whether an event occurred: of nobody, unless the patients' table says so."""
    column = recorded(event)
    if column not in patients:
        return pd.Series(False, index=range(len(patients))).to_numpy()
    return ~patients[column].to_numpy(dtype=bool)


def _worst_by_patient(events: pd.DataFrame) -> pd.DataFrame:
    """One row per patient and event that occurred: patient_id, event, worst_grade (Int64; NA where not determined)."""
    marked = events.assign(ungraded=events["grade"].isna())
    table = marked.groupby(["patient_id", "event"], as_index=False)
    table = table.agg(worst_grade=("grade", "max"), ungraded=("ungraded", "any"))
    table = table.astype({"worst_grade": "Int64"})
    is_severe = (table["worst_grade"] >= 3).fillna(False)
    undetermined = table["ungraded"] & ~is_severe
    table["worst_grade"] = table["worst_grade"].mask(undetermined)
    return table.drop(columns="ungraded")


def _onset(events: pd.DataFrame) -> pd.Series:
    """The first day on which ICANS is recorded, by patient."""
    return events[events["event"] == ICANS].groupby("patient_id")["onset_day"].min()


def course_counts(results: Results, patients: Patients, cohort: Cohort, known: CohortBounds | None) -> pd.DataFrame:
    """What a group's courses add up to: patients per group and feature, `COURSE_COUNT_COLUMNS`.

    Features: how cycle 1 ended (stop reason), each event at any grade, and further cycles. `grade` and `onset_day`
    (Int64) are those of the group's patients with the event, where all have the same, else NA.
    """
    reasons = stop_reasons(patients.facts)
    rows = []
    for group in cohort.groups:
        found = {reason: results.get("stops", group.name, "end of cycle 1", reason) for reason in reasons}
        for event in EVENTS:
            severity = ANY if event.has_grades else NO_GRADE
            found[event.name] = results.get("events", group.name, event.name, severity)
        found[FURTHER] = results.get("description", group.name, FURTHER, "patients given any")
        for feature, result in found.items():
            row = {"group": group.name, "feature": feature, **views.stated(result)}
            row |= _alike(patients, known, group.name, feature, row["open"])
            rows.append(row)
    types = {"grade": "Int64", "onset_day": "Int64", "k": "Int64", "n": "Int64"}
    return pd.DataFrame(rows, columns=COURSE_COUNT_COLUMNS).astype(types)


def _alike(
    patients: Patients, known: CohortBounds | None, group: str, feature: str, is_open: bool
) -> dict[str, object]:
    """The grade, and the day of onset, that all of a group's patients with an event have; whether that is open."""
    none = {"grade": pd.NA, "onset_day": pd.NA}
    if feature not in (CRS, ICANS) or is_open:
        return none
    column = f"{feature.lower()}_grade"
    mine = {"group": group}
    grades = [grade for grade in patients.values(column, mine) if grade != "0"]
    days = patients.values("icans_day", mine) if feature == ICANS else []
    same_grade = {column: grades[0]} if len(grades) == 1 else {}
    same_day = {"icans_day": days[0]} if len(days) == 1 else {}
    if known is not None and (same_grade or same_day):
        sharing = known(Asked("count", both(mine, same_grade, same_day)))
        if sharing.is_open:
            return none | {"open": True}
    return {
        "grade": int(grades[0]) if same_grade else pd.NA,
        "onset_day": int(days[0]) if same_day else pd.NA,
    }


def icans_text(rate: str, level: str, days: list[str]) -> str:
    """A rate of ICANS with its grade and the days on which it began."""
    parts = [rate]
    if level == UNGRADED:
        parts.append("grade not reported")
    elif level:
        parts.append(f"grade {level}")
    if days:
        parts.append(f"began on day {listed([int(day) for day in days])}")
    return "; ".join(parts)


# Scales in words


def scale_text(cohort: Cohort) -> str:
    """The grading scales in words; where none is stated, only how severe grades are read."""
    scales = {event: cohort.scale(event) for event in (CRS, ICANS)}
    named = scales[CRS]
    if len(set(scales.values())) > 1:
        named = ", ".join(f"{scale} for {event}" for event, scale in scales.items())
    if cohort.grading_scale_stated:
        return named
    return f"no scale is named, {SEVERE} read as in {named}"


def fever_note(cohort: Cohort) -> str:
    """What the scale of CRS says of fever alone, in half a sentence."""
    scale = cohort.scale(CRS)
    counts = "counts fever due to the drug as CRS grade 1"
    text = counts if scale in FEVER_RULES else "does not count fever alone as CRS"
    return f"{_if_graded(cohort)}{scale} {text}"


def fever_said(table: pd.DataFrame, cohort: Cohort) -> str:
    """What the cohort's scale says of fever, and CRS by what is called CRS, from the table of `views.fever_as_crs`."""
    scale = cohort.scale(CRS)
    if scale not in FEVER_RULES:
        return f"{scale} does not count fever alone as CRS. A comparison has to use the same scale on both sides."
    counted = table.pivot(index="group", columns="reading", values="number")
    counted = counted.reindex(table["group"].unique())[[*CRS_READINGS]]
    each = [f"{row.Index} {row[1]} or up to {row[2]}" for row in counted.itertuples()]
    return (
        f"{_if_graded(cohort)}{FEVER_RULES[scale]}. Patients with CRS of any grade, by what is called CRS: "
        f"{'; '.join(each)}. Nothing more happened to anybody under the second reading. A comparison with another "
        "report has to use the same reading on both sides."
    )


def _if_graded(cohort: Cohort) -> str:
    """What goes before a statement on the scale of patients for whom none is named."""
    return "" if cohort.scale_is_named else "No scale is named. If it was graded so: "
