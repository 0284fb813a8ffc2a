"""The answer of a report in a few sentences and two tables: what the first page shows."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from blina.analysis import questions
from blina.analysis.cohort import NOT_RECORDED, REASON_WORDS, TOTAL
from blina.analysis.determined import answers, bounds_of, changes, claims_of, load_readings, rests_on
from blina.analysis.open import CohortBounds, with_bounds
from blina.analysis.response import (
    ALL_SETS,
    BECAME,
    CLEARING,
    NO_RT_PCR,
    RULES,
    STAYED,
    UNKNOWN_BEFORE,
    burden_test,
    choice,
    fusion_contrast,
    nothing_to_clear,
    outcomes,
    rates,
)
from blina.analysis.safety import (
    ANY,
    CRS,
    NO_GRADE,
    SEVERE,
    fever_as_crs,
    stops,
    worst_grades,
)
from blina.claims.check import check, read_for_claims
from blina.claims.consistent import consistent
from blina.claims.document import Document, load_claims
from blina.claims.status import Status
from blina.linelist.cohort import Cohort
from blina.linelist.table import Table
from blina.linelist.tidy import UNNAMED_REACTION, Tidy

ALL_TREATED, POSITIVE_BEFORE = "all_treated", "positive_before"
STATED_RULES = ("fc", "fc_and_pcr")  # in a sentence; RT-PCR alone speaks of carriers only
MEASURES = {BECAME: "MRD negative after treatment", STAYED: "Stayed MRD negative",
            UNKNOWN_BEFORE: "Not assessed before, MRD negative after"}  # fmt: skip
AS_PRINTED = " (as printed)"
FEWEST_IN_RANGE = 3  # the range of fewer patients gives the values of each
STROBE_FILE = "strobe.csv"
STROBE = (
    "What a reader needs to judge an observational report (STROBE; von Elm et al., 2007), what the report says of it, "
    "and what is missing. Nobody has room for every item in an abstract, so a gap is a question to the authors and not "
    "a fault. Items 1 and 2, title and background, are left out."
)


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
        "and no follow-up is reported. Intervals speak of chance alone, not of how patients came to be treated."
    )
    return "\n".join(f"- {line}" for line in (*lines, no_comparator))


def answer(study: Tidy, known: CohortBounds | None) -> list[str]:
    """A few sentences on response in each group, then on safety; Markdown, open numbers by their bounds."""
    patients, mrd, cohort = study.patients, study.mrd, study.cohort
    table = with_bounds(rates(patients, mrd, cohort), questions.of_rates, known)
    contrast = with_bounds(fusion_contrast(patients, mrd, cohort), questions.of_fusion_contrast, known)
    looked = outcomes(patients, mrd).groupby("group")["assessed_before"].any()
    lines = []
    for group in cohort.groups:
        of_group, carriers = (one[one["group"] == group.name] for one in (table, contrast))
        unclear = [rule for rule in STATED_RULES if nothing_to_clear(table, group.name, rule)]
        without = unclear if looked.get(group.name, False) else []
        said = [*_rates(of_group, without)]
        if unclear and not without and len(said):
            said.append("MRD before is recorded of nobody.")
        said += _carriers(carriers[~(carriers["measure"].eq(BECAME) & carriers["rule"].isin(without))])
        if group.purpose == "reinduction":
            tested = with_bounds(burden_test(patients, mrd, cohort, group.name), questions.of_burden_test, known)
            said += _burden(tested, cohort)
        lines.append(f"**{group.name}, {group.label}.** {' '.join(said) or 'Nobody to judge.'}")
    return [*lines, _safety(study, known)]


def _some(counts: pd.Series) -> pd.Series:
    """Whether a count is, or could be, more than none."""
    return counts.ne(0).fillna(True)


def _rates(table: pd.DataFrame, without: list[str]) -> Iterator[str]:
    """Sentences on the rates of one group, of which nobody was positive before by the rules `without`."""
    for measure, rows in table[_some(table["n"]) | table["text"].eq(NO_RT_PCR)].groupby("measure", sort=False):
        whole = rows[rows["evaluable_set"].eq(ALL_TREATED) & rows["rule"].isin(STATED_RULES)]
        if measure == BECAME and without:
            by = "" if len(without) == len(STATED_RULES) else f" by {choice(RULES, without[0]).label}"
            yield f"Nobody was found MRD positive{by} before, so there was nothing to clear{by}."
            whole = whole[~whole["rule"].isin(without)]
        if whole.empty:
            continue
        labels = [choice(RULES, rule).label for rule in whole["rule"]]
        texts, marks = [*whole["text"]], [AS_PRINTED * printed for printed in whole["is_reported"]]
        if len(set(texts)) == 1 and not any(marks):
            yield f"{MEASURES[measure]}: {texts[0]} by {', and the same by '.join(labels)}."
        else:
            stated = [_by(text, label) + mark for text, label, mark in zip(texts, labels, marks, strict=True)]
            yield f"{MEASURES[measure]}: {'; '.join(stated)}."
        if measure == STAYED:
            yield "There was no MRD to clear, so this is no response rate."
        before = rows[rows["evaluable_set"].eq(POSITIVE_BEFORE) & rows["rule"].eq("fc")]["text"]
        if len(before) and before.iloc[0] != whole["text"].iloc[0]:
            yield f"Among those positive by FC before: {before.iloc[0]} by FC."


def _carriers(contrast: pd.DataFrame) -> Iterator[str]:
    told = _some(contrast["carriers_n"] + contrast["carriers_not_assessed"]) | contrast["carriers_text"].eq(NO_RT_PCR)
    rows = contrast[told & contrast["rule"].isin(STATED_RULES)]
    if len(rows):
        stated = [_by(row.carriers_text, choice(RULES, row.rule).label) for row in rows.itertuples()]
        yield f"Carriers of *BCR::ABL1*: {'; '.join(stated)}."


def _by(text: str, label: str) -> str:
    """A rate with its rule, which words that stand for a rate name themselves."""
    return text if text == NO_RT_PCR else f"{text} by {label}"


def _burden(tested: pd.DataFrame, cohort: Cohort) -> Iterator[str]:
    """MRD before of both sides; of patients only where a range is not that of one or two of them."""
    row, sizes = tested.iloc[0], tested[["responders", "others"]]
    if not cohort.reconstructed:
        if sizes.ge(FEWEST_IN_RANGE).all(axis=None):
            yield (f"MRD before was {row['responders_range']}% in those negative after by "
                   f"{choice(RULES, row['rule']).label} and {row['others_range']}% in those positive.")  # fmt: skip
    elif sizes.apply(_some).all(axis=None):
        yield (f"MRD before was {row['responders_range']}% in those negative after by "
               f"{choice(RULES, row['rule']).label} and {row['others_range']}% in the others.")  # fmt: skip


def _safety(study: Tidy, known: CohortBounds | None) -> str:
    patients, events, cohort = study.patients, study.events, study.cohort
    worst = with_bounds(worst_grades(patients, events, cohort), questions.of_worst_grades, known)
    every = worst[worst["group"] == TOTAL].set_index(["event", "severity"])
    severe, ungraded, counted = [], [], []
    for (event, severity), row in every.iterrows():
        if severity == NO_GRADE:
            counted.append(f"{event} {row['text']}")
        elif severity == SEVERE and event == UNNAMED_REACTION:
            ungraded.append(f"{event} or graded {every.loc[(event, ANY), 'text']}")
        elif severity == SEVERE:
            severe.append(f"{event} {row['text']}")
    crs = with_bounds(fever_as_crs(patients, events, cohort), questions.of_fever_as_crs, known)
    narrow, *broad = crs[crs["group"] == TOTAL]["text"]
    scale = cohort.scale(CRS) if cohort.scale_is_named else f"as in {cohort.scale(CRS)}; no scale is named"
    alone = [f", or up to {text} if fever alone counts as grade 1 ({scale})"
             for text in broad if text != narrow]  # fmt: skip
    counted.append(f"CRS {narrow}{''.join(alone)}")
    ends = with_bounds(stops(patients, cohort), questions.of_stops, known)
    early = ends[(ends["group"] == TOTAL) & ends["stop_reason"].ne("completed") & _some(ends["k"])]
    missing = early[early["stop_reason"].eq(NOT_RECORDED)]
    early = early[early["stop_reason"].ne(NOT_RECORDED)]
    stopped = [
        f"{REASON_WORDS.get(row.stop_reason, row.stop_reason.replace('_', ' '))} {row.text}"
        for row in early.itertuples()
    ]
    lacking = "".join(f" How cycle 1 ended is not recorded of {text}." for text in missing["text"])
    return (f"**Safety, everybody treated.** Grade 3 or more: {'; '.join([*severe, *ungraded])}. "
            f"Any grade: {'; '.join(counted)}. Stopped early: {'; '.join(stopped) or 'nobody'}.{lacking}")  # fmt: skip


def how_firm(study: Tidy) -> str:
    """What the claims of a cohort settle: whether they agree, how much they determine, and what rests on a reading.

    FileError where the claims, or what was made from them, cannot be read.
    """
    ours, document = claims_of(study.cohort, load_claims(study.cohort.claims))
    line_list = read_for_claims(ours.linelist, document)
    found = answers(document, bounds_of(ours, document), line_list)
    changed = changes(ours, document, load_readings(ours, document))
    said = [rules_differ(study), _agreement(ours, document, line_list)]
    printed, facts = sum(one.printed for one in found), sum(one.determined and not one.printed for one in found)
    said.append(
        f"Of {len(found)} questions put to the report, {printed} are answered in print, {facts} follow from what is "
        f"printed, and {sum(one.is_open for one in found)} stay open."
    )
    resting = {words: rests_on(changed, *keys) for words, keys in _stated(ours).items()}
    if on := [f"{words} ({readings})" for words, readings in resting.items() if readings]:
        said.append(f"Of the numbers above, these rest on a reading of an ambiguous sentence: {'; '.join(on)}.")
    return f"**How firm this is.** {' '.join(filter(None, said))}"


def rules_differ(study: Tidy) -> str:
    """What to know first where printed rates of groups follow different rules."""
    clearing = [group for group in study.cohort.groups if group.purpose in CLEARING]
    printed = {group.name: group.reported_rule for group in clearing if group.reported_rule}
    if len(set(printed.values())) < 2:
        return ""
    table = rates(study.patients, study.mrd, study.cohort)
    whole = table[table["evaluable_set"].eq(ALL_TREATED) & table["measure"].eq(BECAME)]
    counts = {(row.rule, row.group): f"{row.k}/{row.n}" for row in whole.itertuples()}
    by_rule = [
        f"by {choice(RULES, rule).label} {' and '.join(counts[rule, name] for name in printed)}"
        for rule in dict.fromkeys(printed.values())
    ]
    which, rules = " and ".join(printed), "; ".join(by_rule)
    return f"*The printed rates of {which} follow different rules; compare within one: {rules}.*"


def _agreement(cohort: Cohort, document: Document, line_list: Table) -> str:
    if not cohort.reconstructed:
        verdicts = [verdict.holds for verdict in check(document, line_list).verdicts if verdict.kind == "claim"]
        return f"{sum(verdicts)} of {len(verdicts)} printed claims come out."
    if consistent(document).status == Status.CONSISTENT:
        return f"All {len(document.claims)} claims can be true together, as the text is read here."
    return f"The {len(document.claims)} claims cannot all be true together."


def _stated(cohort: Cohort) -> dict[str, list[tuple[str, str]]]:
    """Numbers that the lines give, by their words, each with the declared questions that it answers."""
    groups = [group.name for group in cohort.groups]
    stated = {}
    for name in groups:
        for rule in STATED_RULES:
            label = choice(RULES, rule).label
            stated[f"{name}, negative by {label}"] = [(name, f"{measure} by {label}") for measure in MEASURES]
    return stated | {
        "fever": [(TOTAL, "fever in cycle 1")],
        "CRS": [(name, "CRS of any grade") for name in groups],
        "ICANS": [(TOTAL, "ICANS of any grade")],
        "the severe reaction without a name": [(TOTAL, "stopped for a severe reaction that is not described")],
    }


def response_table(study: Tidy, known: CohortBounds | None) -> pd.DataFrame:
    """Response to read: a row per group, measure and evaluable set, a column of text per rule; printed rates marked.

    A rate says how many of its patients were not assessed, and so count as not negative.
    """
    table = with_bounds(rates(study.patients, study.mrd, study.cohort), questions.of_rates, known)
    keys = ["group", "measure", "evaluable_set"]
    texts = table.assign(text=table["text"] + table["is_reported"].map({True: AS_PRINTED, False: ""}))
    wide = texts.pivot(index=keys, columns="rule", values="text")[[rule.id for rule in RULES]]
    wide = table[keys].drop_duplicates().merge(wide.reset_index(), on=keys, validate="one_to_one")
    wide["evaluable_set"] = [choice(ALL_SETS, id).label for id in wide["evaluable_set"]]
    return wide.rename(columns={rule.id: rule.label for rule in RULES})


def strobe(study: Tidy) -> pd.DataFrame | None:
    """What the report says to each STROBE item and what it leaves out, as written down beside its claims; else None.

    Source of the items: von Elm et al., 2007 (STROBE, cohort studies).
    """
    path = study.cohort.folder / STROBE_FILE
    return pd.read_csv(path, dtype=str, keep_default_na=False) if path.exists() else None
