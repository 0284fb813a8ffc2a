"""What went wrong, how badly and when: patients by worst grade, and how they stopped. Always patients, never events."""

from __future__ import annotations

from math import nan

import numpy as np
import pandas as pd

from blina.analysis.cohort import NOT_RECORDED, by_group, listed
from blina.measures.intervals import rate
from blina.linelist.cohort import Cohort
from blina.linelist.tidy import SEVERE_GRADE, UNNAMED_REACTION, recorded

FEVER, CRS, ICANS = "fever", "CRS", "ICANS"
EVENTS = (FEVER, CRS, ICANS, UNNAMED_REACTION)
ANY, SEVERE, UNGRADED = "any grade", "grade 3 or more", "grade not reported"
UNKNOWN = "occurrence not recorded"
NO_GRADE = "counted apart from CRS"  # of fever without grades: one line, and nothing more
CRS_READINGS = ("as reported", "if all fever is attributed to the drug")
FEVER_RULES = {  # by scale, where it counts fever due to the drug as CRS grade 1; the others do not
    "ASTCT 2019": "ASTCT 2019: fever attributed to the drug is by itself CRS grade 1 (Lee et al., 2019)",
    "CTCAE v5": "CTCAE v5: fever, with or without constitutional symptoms, is by itself CRS grade 1 (NCI, 2017)",
}
RATE = ("k", "n", "percent", "lower", "upper")
WORST_KEYS = ("group", "event", "severity")
WORST_COLUMNS = (*WORST_KEYS, "scale", *RATE, "text")
FEVER_COLUMNS = ("group", *RATE, "text")
CRS_COLUMNS = ("group", "reading", "fever_only", *RATE, "text")
ICANS_COLUMNS = ("group", "grade", "scale", *RATE, "onset_days", "text")
STOP_COLUMNS = ("group", "stop_reason", *RATE, "text")
FURTHER = "further cycles"
UNRECORDED = "?"  # of an event in a patient's course
REASONS = ("completed", "severe_reaction", "economic")  # that a table lists even of nobody
STOP_WORDS = {"completed": "completed", "severe_reaction": "stopped for a severe reaction",
              "economic": "stopped for cost", "other": "stopped for another reason"}  # fmt: skip
COURSE_COLUMNS = ("patient_id", "group", "infusion_days", "stop_reason", "stopped_by", "extra_cycles", "icans_day")
COURSE_COUNT_COLUMNS = ("group", "feature", "grade", "onset_day", *RATE, "text")
INFUSION_COLUMNS = ("group", "stop_reason", "infusion_days", *RATE, "text")
REACTION_COLUMNS = ("group", "stopped_for_severe", "described_severe", "both", "difference", "text")


def worst_grades(patients: pd.DataFrame, events: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Patients by worst grade of each event, per group and in total, `WORST_COLUMNS`; percent and exact limits in %.

    `severity`: "any grade" counts every patient with the event; "grade 3 or more" those with such a recorded grade;
    "grade not reported" those with a record without grade and none of grade 3 or more, who therefore could belong to
    the second; "occurrence not recorded" (only for events of which that is not recorded of somebody) those who
    could belong to the first two. Where some could belong to a line, it has no percentage and no interval: its k are
    those known to, and its text is a span. Fever usually has no grade: where none is recorded with one, it has a single
    line of patients known to have it, "counted apart from CRS". n is all patients of the group: any dose. `scale` names
    the grades' scale ("" where none is graded, or none is stated).
    ValueError if one event is graded on two scales: grades of different scales are never pooled.
    """
    groups = _places(patients, cohort)
    everyone = pd.Index(patients["patient_id"])
    rows = []
    for event in _event_names(events):
        records = events[events["event"] == event]
        scale = _one_scale(records, event)
        at = everyone.get_indexer(records["patient_id"])
        grade = records["grade"].to_numpy(dtype="float64", na_value=nan)
        found, severe, ungraded = (_marked(at[which], len(patients)) for which in (
            grade == grade, grade >= SEVERE_GRADE, np.isnan(grade)))  # fmt: skip
        found, ungraded = found | ungraded, ungraded & ~severe
        unknown = _unknown(patients, event) & ~found
        for name, mine in groups:
            n = len(mine)
            k, k_severe, k_ungraded, k_unknown = (int(of[mine].sum()) for of in (found, severe, ungraded, unknown))
            lines = {ANY: _at_least(k, n, k_unknown), SEVERE: _at_least(k_severe, n, k_unknown, k_ungraded),
                     UNGRADED: rate(k_ungraded, n)}  # fmt: skip
            if event == FEVER and not (grade == grade).any():
                lines = {NO_GRADE: lines[ANY]}
            if unknown.any():
                lines[UNKNOWN] = _lacking(k_unknown, n)
            rows += [{"group": name, "event": event, "severity": severity, "scale": scale} | line
                     for severity, line in lines.items()]  # fmt: skip
    return pd.DataFrame(rows, columns=WORST_COLUMNS)


def _marked(at: np.ndarray, n: int) -> np.ndarray:
    """Which of n patients stand at these places; -1 is none of them."""
    marked = np.zeros(n + 1, dtype=bool)
    marked[at] = True
    return marked[:n]


def _unknown(patients: pd.DataFrame, event: str) -> np.ndarray:
    """Of whom it is not recorded whether an event occurred: of nobody, unless the patients' table says so."""
    column = recorded(event)
    return ~patients[column].to_numpy(dtype=bool) if column in patients else np.zeros(len(patients), dtype=bool)


def _at_least(k: int, n: int, unknown: int, ungraded: int = 0) -> dict[str, object]:
    """The columns of a rate of at least k of n: a span, without percentage and interval, where more could belong."""
    stated = rate(k, n)
    if unknown or ungraded:
        counted = ((ungraded, "not graded"), (unknown, NOT_RECORDED))
        why = ", ".join(f"{many} {what}" for many, what in counted if many)
        span = f"{k} to {k + unknown + ungraded} of {n}, {why}"
        stated |= dict.fromkeys(("percent", "lower", "upper"), nan) | {"text": span}
    return stated


def _lacking(k: int, n: int) -> dict[str, object]:
    """The columns of a count of missing data, which is no rate: without percentage and interval."""
    return {"k": k, "n": n, "percent": nan, "lower": nan, "upper": nan, "text": f"{k} of {n}"}


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
    """Patients with fever in cycle 1, per group and in total, `FEVER_COLUMNS`; a span where it is not recorded of all.

    k are those known to have had it, n all patients of the group.
    """
    feverish = _has(patients, events[events["cycle"] == 1], FEVER)
    unknown = _unknown(patients, FEVER) & ~feverish
    return pd.DataFrame([{"group": name} | _at_least(feverish[mine].sum(), len(mine), unknown[mine].sum())
                         for name, mine in _places(patients, cohort)], columns=FEVER_COLUMNS)  # fmt: skip


def fever_as_crs(patients: pd.DataFrame, events: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """CRS of any grade under two readings, per group and in total, `CRS_COLUMNS`.

    A report may list fever apart from CRS, while ASTCT and CTCAE v5 (`FEVER_RULES`) count fever due to the drug as CRS
    grade 1; on a scale that does not there is only the first reading. `fever_only` is the number of patients known to
    have had fever and not known to have had CRS: the k of the readings differ by exactly that. A span where CRS, or
    fever, is not recorded of all.
    """
    crs, fever = (_has(patients, events, event) for event in (CRS, FEVER))
    no_record = {event: _unknown(patients, event) for event in (CRS, FEVER)}
    readings = {CRS_READINGS[0]: (crs, no_record[CRS])}
    if cohort.scale(CRS) in FEVER_RULES:
        readings[CRS_READINGS[1]] = (crs | fever, no_record[CRS] | no_record[FEVER])
    rows = []
    for name, mine in _places(patients, cohort):
        alone = int((fever & ~crs)[mine].sum())
        rows += [{"group": name, "reading": reading, "fever_only": alone}
                 | _at_least(counted[mine].sum(), len(mine), (unknown & ~counted)[mine].sum())
                 for reading, (counted, unknown) in readings.items()]  # fmt: skip
    return pd.DataFrame(rows, columns=CRS_COLUMNS)


def fever_said(table: pd.DataFrame, cohort: Cohort) -> str:
    """What the cohort's scale says of fever, and CRS by what is called CRS, from the table of `fever_as_crs`."""
    scale = cohort.scale(CRS)
    if scale not in FEVER_RULES:
        return f"{scale} does not count fever alone as CRS. A comparison has to use the same scale on both sides."
    is_span = table["text"].str.contains(" to .* of .* not recorded")
    said = table.assign(said=table["k"].astype("str").mask(is_span, table["text"]))
    counts = said.pivot(index="group", columns="reading", values="said")
    counts = counts.reindex(table["group"].unique())[[*CRS_READINGS]]
    return (
        f"{_if_graded(cohort)}{FEVER_RULES[scale]}. Patients with CRS of any grade, by what is called CRS: "
        + "; ".join(f"{row.Index} {row[1]} or up to {row[2]}" for row in counts.itertuples())
        + ". Nothing more happened to anybody under the second reading. A comparison with another "
        "report has to use the same reading on both sides."
    )


def _places(patients: pd.DataFrame, cohort: Cohort) -> list[tuple[str, np.ndarray]]:
    """Where the members of each group, and all, stand in the table."""
    groups = by_group(patients[["group"]].reset_index(drop=True), cohort)
    return [(name, members.index.to_numpy()) for name, members in groups]


def icans(patients: pd.DataFrame, events: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Patients with ICANS by worst grade, with the days on which it began, `ICANS_COLUMNS`.

    One row per group (and total) and worst grade that occurs there; a group without ICANS has one row with grade NA
    and k 0. `grade` is NA with k above 0 where it was not reported. `onset_days` lists each patient's first day, or of
    more than `MOST_LISTED` patients the least and the greatest. A span where it is not recorded of all whether they had
    ICANS.
    """
    records = events[events["event"] == ICANS]
    scale = _one_scale(records, ICANS)
    worst = worst_by_patient(records).assign(onset=lambda table: table["patient_id"].map(_onset(records)))
    no_record = patients["patient_id"][_unknown(patients, ICANS) & ~_has(patients, events, ICANS)]
    rows = []
    for name, members in by_group(patients, cohort):
        found = worst[worst["patient_id"].isin(members["patient_id"])]
        for grade, same in [*found.groupby("worst_grade", dropna=False)] or [(pd.NA, found)]:
            days = sorted(same["onset"].dropna())
            stated = _at_least(len(same), len(members), members["patient_id"].isin(no_record).sum())
            began = listed(days)
            said = [stated["text"]]
            if len(same):
                said.append("grade not reported" if pd.isna(grade) else f"grade {grade}")
            if days:
                said.append(f"began on day {began}")
            rows.append({"group": name, "grade": grade, "scale": scale, "onset_days": began} | stated
                        | {"text": "; ".join(said)})  # fmt: skip
    return pd.DataFrame(rows, columns=ICANS_COLUMNS).astype({"grade": "Int64"})


def stops(patients: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """How cycle 1 ended, patients per group (and total) and reason, `STOP_COLUMNS`.

    n is all patients of the group of whom it is recorded; where it is not of some, the reason "not recorded" counts
    them among all, without percentage and interval.
    """
    rows = []
    for name, members in by_group(patients[["group", "stop_reason"]], cohort):
        given = members["stop_reason"].dropna()
        rows += [{"group": name, "stop_reason": reason} | rate((given == reason).sum(), len(given))
                 for reason in _reasons(patients)]  # fmt: skip
        if patients["stop_reason"].isna().any():
            k, n = len(members) - len(given), len(members)
            rows.append({"group": name, "stop_reason": NOT_RECORDED} | _lacking(k, n))
    return pd.DataFrame(rows, columns=STOP_COLUMNS)


def courses(patients: pd.DataFrame, events: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Cycle 1 of every patient: one row each, by group, longest infusion first, `COURSE_COLUMNS` and one per event.

    `stopped_by` names the events that led to a stop. `icans_day` is the day on which ICANS began (Int64). A column per
    event of `_event_names`, but for a reaction without a name: the worst grade as text, "yes" without a grade, "" where
    it did not occur, "?" where that is not recorded. These are rows: show `cohort.face`.
    """
    mine = events[events["cycle"] == 1]
    worst = worst_by_patient(mine).set_index(["patient_id", "event"])["worst_grade"]
    kinds = [event for event in _event_names(mine) if event != UNNAMED_REACTION]
    said = worst.astype("str").mask(worst.isna(), "yes").unstack("event")
    said = said.reindex(index=patients["patient_id"], columns=kinds).astype("object").fillna("")
    for event in kinds:
        said.loc[_unknown(patients, event) & said[event].eq("").to_numpy(), event] = UNRECORDED
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

    Features: how cycle 1 ended (stop reason), each event of cycle 1 at any grade, and further cycles; n are those of
    whom the feature is recorded. `grade` and `onset_day` (Int64) are those of the group's patients with the event,
    where all have the same, else NA.
    """
    table = courses(patients, events, cohort)
    kinds = [*table.columns.drop([*COURSE_COLUMNS])]
    rows = []
    for name, members in by_group(table, cohort, total=False):
        ended, further = (members[column].dropna() for column in ("stop_reason", "extra_cycles"))
        features = {reason: ended == reason for reason in _reasons(patients)}
        features |= {event: members.loc[members[event] != UNRECORDED, event] != "" for event in kinds}
        features |= {FURTHER: further > 0}
        for feature, has in features.items():
            found = members.loc[has.index[has.astype(bool)]]
            grades = set(found[feature]) if feature in kinds else set()
            days = set(found["icans_day"]) if feature == ICANS else set()
            rows.append({"group": name, "feature": feature, "grade": _only(grades), "onset_day": _only(days)}
                        | rate(has.sum(), len(has)))  # fmt: skip
    return pd.DataFrame(rows, columns=COURSE_COUNT_COLUMNS).astype({"grade": "Int64", "onset_day": "Int64"})


def infusions(patients: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Patients by days of infusion and end of cycle 1, per group, longest first: `INFUSION_COLUMNS`; limits in %.

    Days and reasons may be missing; n is all patients of the group.
    """
    rows = []
    for name, members in by_group(patients, cohort, total=False):
        same = members.groupby(["infusion_days", "stop_reason"], dropna=False).size().sort_index(ascending=False)
        rows += [{"group": name, "stop_reason": reason, "infusion_days": days} | rate(k, len(members))
                 for (days, reason), k in same.items()]  # fmt: skip
    given = patients[["infusion_days", "stop_reason"]].dtypes
    return pd.DataFrame(rows, columns=INFUSION_COLUMNS).astype(given.to_dict() if rows else {})


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
    """The grading scales in words; where none is stated, only how severe grades are read."""
    scales = {event: cohort.scale(event) for event in (CRS, ICANS)}
    if len(set(scales.values())) > 1:
        named = ", ".join(f"{scale} for {event}" for event, scale in scales.items())
    else:
        named = scales[CRS]
    return named if cohort.grading_scale_stated else f"no scale is named, grade 3 or more read as in {named}"


def fever_note(cohort: Cohort) -> str:
    """What the scale of CRS says of fever alone, in half a sentence."""
    scale = cohort.scale(CRS)
    counts = scale in FEVER_RULES
    said = "counts fever due to the drug as CRS grade 1" if counts else "does not count fever alone as CRS"
    return f"{_if_graded(cohort)}{scale} {said}"


def _if_graded(cohort: Cohort) -> str:
    """What goes before a statement on the scale of patients for whom none is named."""
    return "" if cohort.scale_is_named else "No scale is named. If it was graded so: "


def _event_names(events: pd.DataFrame) -> list[str]:
    """The declared events (that of a reaction without a name only where there is one), then any others that occur."""
    seen = set(events["event"].unique())
    return [*(event for event in EVENTS if event in seen or event != UNNAMED_REACTION), *sorted(seen - set(EVENTS))]


def _reasons(patients: pd.DataFrame) -> list[str]:
    """The stop reasons that are always listed, then any others that occur."""
    return [*REASONS, *sorted(set(patients["stop_reason"].dropna().unique()) - set(REASONS))]


def _onset(events: pd.DataFrame) -> pd.Series:
    """The first day on which ICANS is recorded, by patient."""
    return events[events["event"] == ICANS].groupby("patient_id")["onset_day"].min()


def _only(values: set) -> object:
    """The value that all have; NA where they differ, or it is none or no number."""
    value = next(iter(values)) if len(values) == 1 else pd.NA
    return pd.NA if pd.isna(value) or value == "yes" else int(value)


def _one_scale(records: pd.DataFrame, event: str) -> str:
    graded = records.loc[records["grade"].notna(), "scale"].fillna("").unique()
    if len(graded) > 1:
        graded = [scale or "a scale not named" for scale in graded]
        raise ValueError(f"{event} is graded on {' and '.join(sorted(graded))}: different scales are never pooled")
    return graded[0] if len(graded) else ""


def _has(patients: pd.DataFrame, events: pd.DataFrame, event: str) -> np.ndarray:
    """Which patients are recorded with an event."""
    return patients["patient_id"].isin(events.loc[events["event"] == event, "patient_id"]).to_numpy()
