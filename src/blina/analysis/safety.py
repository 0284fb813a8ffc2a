"""What went wrong, how badly and when: patients by worst grade, and how they stopped. Always patients, never events."""

from __future__ import annotations

from math import nan

import pandas as pd

from blina.analysis.cohort import by_group
from blina.analysis.intervals import rate
from blina.linelist.cohort import Cohort
from blina.linelist.tidy import UNNAMED_REACTION

FEVER, CRS, ICANS = "fever", "CRS", "ICANS"
EVENTS = (FEVER, CRS, ICANS, UNNAMED_REACTION)
ANY, SEVERE, UNGRADED = "any grade", "grade 3 or more", "grade not reported"
NO_GRADE = "counted apart from CRS"  # of fever without grades: one line, and nothing more
CRS_READINGS = ("as reported", "if all fever is attributed to the drug")
FEVER_RULE = "ASTCT 2019: fever attributed to the drug is by itself CRS grade 1 (Lee et al., 2019)"
RATE = ("k", "n", "percent", "lower", "upper")
WORST_KEYS = ("group", "event", "severity")
WORST_COLUMNS = (*WORST_KEYS, "scale", *RATE, "text")
FEVER_COLUMNS = ("group", *RATE, "text")
CRS_COLUMNS = ("group", "reading", "fever_only", *RATE, "text")
ICANS_COLUMNS = ("group", "grade", "scale", *RATE, "onset_days", "text")
STOP_COLUMNS = ("group", "stop_reason", *RATE, "text")
FURTHER = "further cycles"
REASON_WORDS = {"completed": "completed", "severe_reaction": "severe reaction", "economic": "cost"}  # for readers
STOP_WORDS = {"completed": "completed", "severe_reaction": "stopped for a severe reaction",
              "economic": "stopped for cost"}  # fmt: skip
REASONS = (*REASON_WORDS,)
COURSE_COLUMNS = ("patient_id", "group", "infusion_days", "stop_reason", "stopped_by", "extra_cycles", "icans_day")
COURSE_COUNT_COLUMNS = ("group", "feature", "grade", "onset_day", *RATE, "text")
INFUSION_COLUMNS = ("group", "stop_reason", "infusion_days", *RATE, "text")
REACTION_COLUMNS = ("group", "stopped_for_severe", "described_severe", "both", "difference", "text")


def worst_grades(patients: pd.DataFrame, events: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Patients by worst grade of each event, per group and in total, `WORST_COLUMNS`; percent and exact limits in %.

    `severity`: "any grade" counts every patient with the event; "grade 3 or more" those with such a recorded grade;
    "grade not reported" those with a record without grade and none of grade 3 or more, who therefore could belong to
    the second: where there are any, the second has no percentage and no interval. Fever usually has no grade: where
    none is recorded with one, it has a single line, "counted apart from CRS". n is all patients of the group: any
    dose. `scale` names the grades' scale ("" where none is graded).
    ValueError if one event is graded on two scales: grades of different scales are never pooled.
    """
    rows = []
    for event in _event_names(events):
        records = events[events["event"] == event]
        scale = _one_scale(records, event)
        worst = worst_by_patient(records)
        for name, members in by_group(patients, cohort):
            found = worst[worst["patient_id"].isin(members["patient_id"])]
            if event == FEVER and not scale:
                line = {"group": name, "event": event, "severity": NO_GRADE, "scale": scale}
                rows.append(line | rate(len(found), len(members)))
                continue
            counts = {ANY: len(found), SEVERE: int((found["worst_grade"] >= 3).sum()),
                      UNGRADED: int(found["worst_grade"].isna().sum())}  # fmt: skip
            rows += [{"group": name, "event": event, "severity": severity, "scale": scale} | rate(k, len(members))
                     for severity, k in counts.items()]  # fmt: skip
            if ungraded := counts[UNGRADED]:  # any of them may belong to grade 3 or more, so that is no known rate
                span = f"{counts[SEVERE]} to {counts[SEVERE] + ungraded} of {len(members)}, {ungraded} not graded"
                rows[-2] |= dict.fromkeys(("percent", "lower", "upper"), nan) | {"text": span}
    return pd.DataFrame(rows, columns=WORST_COLUMNS)


def where_grades_lack(table: pd.DataFrame) -> pd.DataFrame:
    """The table of `worst_grades` with lines on grades not reported only for events of which some grade is not."""
    lacking = table.assign(k=table["k"].fillna(1)).groupby(["event", "severity"])["k"].transform("sum").ne(0)
    return table[table["severity"].ne(UNGRADED) | lacking]


def worst_by_patient(events: pd.DataFrame) -> pd.DataFrame:
    """One row per patient and event that occurred: patient_id, event, worst_grade (Int64).

    worst_grade is NA where it is not determined: a record without grade, and no other of grade 3 or more.
    """
    table = events.assign(ungraded=events["grade"].isna()).groupby(["patient_id", "event"], as_index=False)
    table = table.agg(worst_grade=("grade", "max"), ungraded=("ungraded", "any")).astype({"worst_grade": "Int64"})
    undetermined = table["ungraded"] & ~(table["worst_grade"] >= 3).fillna(False)
    return table.assign(worst_grade=table["worst_grade"].mask(undetermined)).drop(columns="ungraded")


def fever_cycle1(patients: pd.DataFrame, events: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Patients with fever in cycle 1, per group and in total, `FEVER_COLUMNS`."""
    feverish = _patients_with(events[events["cycle"] == 1], FEVER)
    return pd.DataFrame([{"group": name} | rate(members["patient_id"].isin(feverish).sum(), len(members))
                         for name, members in by_group(patients, cohort)], columns=FEVER_COLUMNS)  # fmt: skip


def fever_as_crs(patients: pd.DataFrame, events: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """CRS of any grade under two readings, per group and in total, `CRS_COLUMNS`.

    A report may list fever apart from CRS, while ASTCT (`FEVER_RULE`) counts fever due to the drug as CRS grade 1.
    `fever_only` is the number of patients with fever and no CRS: the readings differ by exactly that.
    """
    crs = _patients_with(events, CRS)
    fever_only = _patients_with(events, FEVER) - crs
    rows = []
    for name, members in by_group(patients, cohort):
        reported, alone = (int(members["patient_id"].isin(of).sum()) for of in (crs, fever_only))
        rows += [{"group": name, "reading": reading, "fever_only": alone} | rate(k, len(members))
                 for reading, k in zip(CRS_READINGS, (reported, reported + alone), strict=True)]  # fmt: skip
    return pd.DataFrame(rows, columns=CRS_COLUMNS)


def icans(patients: pd.DataFrame, events: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Patients with ICANS by worst grade, with the days on which it began, `ICANS_COLUMNS`.

    One row per group (and total) and worst grade that occurs there; a group without ICANS has one row with grade NA
    and k 0. `grade` is NA with k above 0 where it was not reported. `onset_days` lists each patient's first day.
    """
    records = events[events["event"] == ICANS]
    scale = _one_scale(records, ICANS)
    worst = worst_by_patient(records).assign(onset=lambda table: table["patient_id"].map(_onset(records)))
    rows = []
    for name, members in by_group(patients, cohort):
        found = worst[worst["patient_id"].isin(members["patient_id"])]
        for grade, same in [*found.groupby("worst_grade", dropna=False)] or [(pd.NA, found)]:
            days = sorted(same["onset"].dropna())
            stated = rate(len(same), len(members))
            listed = ", ".join(str(day) for day in days)
            said = [stated["text"]]
            if len(same):
                said.append("grade not reported" if pd.isna(grade) else f"grade {grade}")
            if days:
                said.append(f"began on day {listed}")
            rows.append({"group": name, "grade": grade, "scale": scale, "onset_days": listed} | stated
                        | {"text": "; ".join(said)})  # fmt: skip
    return pd.DataFrame(rows, columns=ICANS_COLUMNS).astype({"grade": "Int64"})


def stops(patients: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """How cycle 1 ended, patients per group (and total) and reason, `STOP_COLUMNS`."""
    return pd.DataFrame([{"group": name, "stop_reason": reason}
                         | rate((members["stop_reason"] == reason).sum(), len(members))
                         for name, members in by_group(patients, cohort) for reason in _reasons(patients)],
                        columns=STOP_COLUMNS)  # fmt: skip


def courses(patients: pd.DataFrame, events: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Cycle 1 of every patient: one row each, by group, longest infusion first, `COURSE_COLUMNS` and one per event.

    `stopped_by` names the events that led to a stop. `icans_day` is the day on which ICANS began (Int64). A column per
    event of `_event_names`, but for a reaction without a name: the worst grade as text, "yes" without a grade, "" where
    it did not occur. These are rows: show `cohort.face`.
    """
    mine = events[events["cycle"] == 1]
    worst = worst_by_patient(mine).set_index(["patient_id", "event"])["worst_grade"]
    kinds = [event for event in _event_names(mine) if event != UNNAMED_REACTION]
    said = worst.astype("str").mask(worst.isna(), "yes").unstack("event")
    said = said.reindex(index=patients["patient_id"], columns=kinds).astype("object").fillna("")
    led = mine[mine["led_to_stop"]].groupby("patient_id")["event"].agg(lambda names: " and ".join(sorted(set(names))))
    table = patients.assign(
        stopped_by=patients["patient_id"].map(led).astype("object").fillna(""),
        icans_day=patients["patient_id"].map(_onset(mine)).astype("Int64"),
    ).merge(said, on="patient_id", validate="one_to_one")
    members = [rows.sort_values("infusion_days", ascending=False, kind="stable")
               for _, rows in by_group(table, cohort, total=False)]  # fmt: skip
    return pd.concat(members, ignore_index=True)[[*COURSE_COLUMNS, *kinds]]


def course_counts(patients: pd.DataFrame, events: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """What a group's courses add up to: patients per group and feature, `COURSE_COUNT_COLUMNS`; limits in %.

    Features: how cycle 1 ended (stop reason), each event of cycle 1 at any grade, and further cycles. `grade` and
    `onset_day` (Int64) are those of the group's patients with the event, where all have the same, else NA.
    """
    table = courses(patients, events, cohort)
    kinds = [*table.columns.drop([*COURSE_COLUMNS])]
    rows = []
    for name, members in by_group(table, cohort, total=False):
        features = {reason: members["stop_reason"] == reason for reason in _reasons(patients)}
        features |= {event: members[event] != "" for event in kinds} | {FURTHER: members["extra_cycles"] > 0}
        for feature, has in features.items():
            found = members[has]
            grades = set(found[feature]) if feature in kinds else set()
            days = set(found["icans_day"]) if feature == ICANS else set()
            rows.append({"group": name, "feature": feature, "grade": _only(grades), "onset_day": _only(days)}
                        | rate(has.sum(), len(members)))  # fmt: skip
    return pd.DataFrame(rows, columns=COURSE_COUNT_COLUMNS).astype({"grade": "Int64", "onset_day": "Int64"})


def infusions(patients: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Patients by days of infusion and end of cycle 1, per group, longest first: `INFUSION_COLUMNS`; limits in %."""
    rows = []
    for name, members in by_group(patients, cohort, total=False):
        same = members.groupby(["infusion_days", "stop_reason"]).size().sort_index(ascending=False)
        rows += [{"group": name, "stop_reason": reason, "infusion_days": days} | rate(k, len(members))
                 for (days, reason), k in same.items()]  # fmt: skip
    return pd.DataFrame(rows, columns=INFUSION_COLUMNS)


def severe_reactions(patients: pd.DataFrame, events: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Stops for a severe reaction beside the severe reactions described, per group and in total, `REACTION_COLUMNS`.

    All counts are patients: stopped for a severe reaction; with a described event of grade 3 or more (any scale, each
    event on its own); both. `difference` is stopped less both: stops whose severe reaction nobody described.
    """
    worst = worst_by_patient(events)
    described = set(worst.loc[(worst["worst_grade"] >= 3).fillna(False), "patient_id"])
    rows = []
    for name, members in by_group(patients, cohort):
        stopped = members["stop_reason"] == "severe_reaction"
        severe = members["patient_id"].isin(described)
        both = int((stopped & severe).sum())
        difference = int(stopped.sum()) - both
        text = (f"{stopped.sum()} stopped for a severe reaction, {severe.sum()} with one described at grade 3 or more, "
                f"{both} both; {difference} stopped without one described")  # fmt: skip
        rows.append({"group": name, "stopped_for_severe": int(stopped.sum()), "described_severe": int(severe.sum()),
                     "both": both, "difference": difference, "text": text})  # fmt: skip
    return pd.DataFrame(rows, columns=REACTION_COLUMNS)


def scale_text(cohort: Cohort) -> str:
    """The grading scale in words; where none is stated, only how severe grades are read."""
    if cohort.grading_scale_stated:
        return cohort.grading_scale
    return f"no scale is named, grade 3 or more read as in {cohort.grading_scale}"


def _event_names(events: pd.DataFrame) -> list[str]:
    """The declared events (that of a reaction without a name only where there is one), then any others that occur."""
    seen = set(events["event"])
    return [*(event for event in EVENTS if event in seen or event != UNNAMED_REACTION), *sorted(seen - set(EVENTS))]


def _reasons(patients: pd.DataFrame) -> list[str]:
    """The declared stop reasons, then any others that occur."""
    return [*REASONS, *sorted(set(patients["stop_reason"]) - set(REASONS))]


def _onset(events: pd.DataFrame) -> pd.Series:
    """The first day on which ICANS is recorded, by patient."""
    return events[events["event"] == ICANS].groupby("patient_id")["onset_day"].min()


def _only(values: set) -> object:
    """The value that all have; NA where they differ, or it is none or no number."""
    value = next(iter(values)) if len(values) == 1 else pd.NA
    return pd.NA if pd.isna(value) or value == "yes" else int(value)


def _one_scale(records: pd.DataFrame, event: str) -> str:
    graded = records.loc[records["grade"].notna(), "scale"].fillna("a scale not named").unique()
    if len(graded) > 1:
        raise ValueError(f"{event} is graded on {' and '.join(sorted(graded))}: different scales are never pooled")
    return graded[0] if len(graded) else ""


def _patients_with(events: pd.DataFrame, event: str) -> set[str]:
    return set(events.loc[events["event"] == event, "patient_id"])
