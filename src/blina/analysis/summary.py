"""The answer of a report in a few sentences and two tables: what the first page shows."""

from __future__ import annotations

import pandas as pd

from blina.analysis import questions
from blina.analysis.cohort import TOTAL
from blina.analysis.determined import answers, bounds_of, changes, claims_of, load_readings, rests_on
from blina.analysis.open import CohortBounds, with_bounds
from blina.analysis.response import EVALUABLE_SETS, RULES, STAYED, choice, rates
from blina.analysis.safety import ANY, CRS, ICANS, NO_GRADE, SEVERE, stops, worst_grades
from blina.claims.check import check, read_for_claims
from blina.claims.document import load_claims
from blina.linelist.cohort import Cohort, Group
from blina.linelist.tidy import Tidy

ALL_TREATED = "all_treated"
STATED_RULES = ("fc", "fc_and_pcr")  # in a sentence; RT-PCR alone speaks of carriers only
AS_REPORTED = ", as reported"
OF_PRINTED_RATE = " (the rule of the printed rate)"
GRADED = (CRS, ICANS)
FEVER_QUESTION = "fever in cycle 1"
STROBE_FILE = "strobe.csv"


def what(cohort: Cohort) -> str:
    """What the report on a cohort is, and what it is not, as a Markdown list."""
    doi = f" ([doi:{cohort.doi}](https://doi.org/{cohort.doi}))" if cohort.doi else ""
    if cohort.reconstructed:
        lines = (
            f"**It is** a recount of what one report prints about its patients{doi}: every number checked against the "
            "others, response under every rule, exact intervals, and what the report leaves open.",
            f"**It is not** data of patients. No patient table was published. Where a figure shows rows, they are "
            f"*{cohort.face}*: a solver made them to fit the printed numbers, and countless other tables fit as well.",
        )
    else:
        lines = (
            f"**It is** a count of the patients in one line list{doi}: response under every rule, worst grades, and "
            "exact intervals. One row of the line list is one patient.",
            "**It is not** checked against the patients' records: it is as right as the line list is.",
        )
    no_comparator = (
        "**It cannot say** whether the drug works better than something else, or for how long: there is no comparator "
        "and no follow-up. Intervals speak of chance alone, not of how patients came to be treated."
    )
    return "\n".join(f"- {line}" for line in (*lines, no_comparator))


def answer(study: Tidy, known: CohortBounds | None) -> list[str]:
    """A sentence or two on response in each group, then one on safety; Markdown, open numbers by their bounds."""
    table = with_bounds(rates(study.patients, study.mrd, study.cohort), questions.of_rates, known)
    whole = table[table["evaluable_set"].eq(ALL_TREATED) & ~table["is_pooled"] & table["n"].ne(0).fillna(True)]
    said = [_response(group, whole[whole["group"] == group.name]) for group in study.cohort.groups]
    return [*said, _safety(study, known)]


def _response(group: Group, rows: pd.DataFrame) -> str:
    head = f"**{group.name}, {group.label}.**"
    if rows.empty:
        return f"{head} Nobody to judge."
    parts = []
    for measure, measured in rows.groupby("measure", sort=False):
        texts = {row.rule: row.text for row in measured.itertuples() if row.rule in STATED_RULES}
        printed = {row.rule for row in measured.itertuples() if row.is_reported}
        stated = [f"{text} by {choice(RULES, rule).label}{OF_PRINTED_RATE * (rule in printed)}"
                  for rule, text in texts.items()]  # fmt: skip
        if len(set(texts.values())) == 1 and not printed:
            stated = [f"{stated[0]}, and the same by {' and by '.join(choice(RULES, r).label for r in [*texts][1:])}"]
        not_cleared = ". There was no MRD to clear, so this is no response rate" if measure == STAYED else ""
        parts.append(f"{measure[0].upper()}{measure[1:]}: {'; '.join(stated)}{not_cleared}")
    return f"{head} {'. '.join(parts)}."


def _safety(study: Tidy, known: CohortBounds | None) -> str:
    worst = with_bounds(worst_grades(study.patients, study.events, study.cohort), questions.of_worst_grades, known)
    every = worst[worst["group"] == TOTAL].set_index(["event", "severity"])["text"]
    severe = [f"{event} {text}" for (event, severity), text in every.items() if severity == SEVERE]
    lesser = [
        f"{event} {text}"
        for (event, severity), text in every.items()
        if severity == NO_GRADE or event in GRADED and severity == ANY and text != every[event, SEVERE]
    ]
    ends = with_bounds(stops(study.patients, study.cohort), questions.of_stops, known)
    early = ends[(ends["group"] == TOTAL) & ends["stop_reason"].ne("completed") & ends["k"].ne(0).fillna(True)]
    stopped = [f"{row.stop_reason.replace('_', ' ')} {row.text}" for row in early.itertuples()]
    return (f"**Safety, everybody treated.** Grade 3 or more: {'; '.join(severe)}. Any grade: {'; '.join(lesser)}. "
            f"Stopped early: {'; '.join(stopped) or 'nobody'}.")  # fmt: skip


def how_firm(study: Tidy) -> str:
    """What the claims of a cohort settle: how many numbers agree, are determined or open, and rest on a reading.

    FileError where the claims, or what was made from them, cannot be read.
    """
    ours, document = claims_of(study.cohort, load_claims(study.cohort.claims))
    line_list = read_for_claims(ours.linelist, document)
    verdicts = [verdict.holds for verdict in check(document, line_list).verdicts if verdict.kind == "claim"]
    found = answers(document, bounds_of(ours, document), line_list)
    changed = changes(ours, document, load_readings(ours, document))
    facts = sum(one.determined and not one.printed for one in found)
    facts, still_open = sum(one.determined and not one.printed for one in found), sum(one.is_open for one in found)
    said = [
        f"**How firm this is.** {sum(verdicts)} of {len(verdicts)} claims hold. Of {len(found)} further questions, "
        f"{facts} have one answer though the report does not print it, and {still_open} stay open."
    ]
    stated = [(group.name, f"negative after by {choice(RULES, rule).label}")
              for group in ours.groups for rule in STATED_RULES]  # fmt: skip
    resting = {question: rests_on(changed, question) for question in [*stated, (TOTAL, FEVER_QUESTION)]}
    if on := [f"{group}, {words} ({readings})" for (group, words), readings in resting.items() if readings]:
        said.append(f"Of the numbers above, these rest on a reading of an ambiguous sentence: {'; '.join(on)}.")
    printed = {group.name: group.reported_rule for group in ours.groups if group.reported_rule}
    if len(set(printed.values())) > 1:
        said.append(f"The printed rates of {' and '.join(printed)} follow different rules: compare within one rule.")
    return " ".join(said)


def response_table(study: Tidy, known: CohortBounds | None) -> pd.DataFrame:
    """Response to read: a row per group, measure and evaluable set, a column of text per rule; printed rates marked."""
    table = with_bounds(rates(study.patients, study.mrd, study.cohort), questions.of_rates, known)
    keys = ["group", "measure", "evaluable_set"]
    texts = table.assign(text=table["text"] + table["is_reported"].map({True: AS_REPORTED, False: ""}))
    wide = texts.pivot(index=keys, columns="rule", values="text")[[rule.id for rule in RULES]]
    wide = table[keys].drop_duplicates().merge(wide.reset_index(), on=keys, validate="one_to_one")
    wide["evaluable_set"] = [choice(EVALUABLE_SETS, id).label for id in wide["evaluable_set"]]
    return wide.rename(columns={rule.id: rule.label for rule in RULES})


def strobe(study: Tidy) -> pd.DataFrame | None:
    """What the report says to each STROBE item and what it leaves out, as written down beside its claims; else None.

    Source of the items: von Elm et al., 2007 (STROBE, cohort studies).
    """
    path = study.cohort.folder / STROBE_FILE
    return pd.read_csv(path, dtype=str, keep_default_na=False) if path.exists() else None
