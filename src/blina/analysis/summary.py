"""The answer of a report in a few sentences and two tables: what the first page shows."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from IPython.display import Markdown

from blina.analysis.cohort import REASON_WORDS
from blina.analysis.determined import answers, bounds_of, claims_of, rests_on
from blina.analysis.readings import changes, load_readings
from blina.analysis.safety import FEVER_RULES
from blina.analysis.study import Study, View
from blina.claims.check import check, read_for_claims
from blina.claims.consistent import consistent
from blina.claims.document import Document, load_claims
from blina.claims.status import Status
from blina.linelist.cohort import Cohort, Group
from blina.linelist.table import Table
from blina.measures import text, views
from blina.measures.choices import (
    ALL_SETS,
    ALL_TREATED,
    ANY,
    CLEARING,
    CRS,
    EVENTS,
    NO_GRADE,
    RULES,
    SEVERE,
    STATED_RULES,
    UNNAMED_REACTION,
    choice,
)
from blina.measures.declare import (
    BECAME,
    CRS_READINGS,
    NOT_RECORDED,
    STAYED,
    TOTAL,
    UNKNOWN_BEFORE,
    carriers_level,
)
from blina.measures.intervals import METHOD
from blina.measures.results import Result
from blina.notebook import show

POSITIVE_BEFORE = "positive_before"
MEASURES = {
    BECAME: "MRD negative after treatment",
    STAYED: "Stayed MRD negative",
    UNKNOWN_BEFORE: "Not assessed before, MRD negative after",
}
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


METHOD_TEXT = f"k/n: patients; in brackets the percentage and its {METHOD}. *0/0*: it applies to no patients."


def answer_list(study: Study) -> str:
    """The lines of `answer` and, where a report was printed, how firm they are, as a numbered list."""
    lines = answer(study)
    if study.cohort.claims.exists() and study.cohort.reconstructed:
        lines.append(how_firm(study))
    numbered = [f"{number}. {line}" for number, line in enumerate(lines, start=1)]
    return "\n".join(numbered)


def answer(study: Study) -> list[str]:
    """A few sentences on response in each group, then on safety; Markdown, open numbers by their bounds."""
    lines = []
    for group in study.cohort.groups:
        sentences = [*_response(study, group), *_carriers(study, group)]
        if group.purpose == "reinduction":
            sentences += _burden(study, group)
        if not study.results.get("description", group.name, "patients", statistic="count").here.k:
            sentences = []
        lines.append(f"**{group.name}, {group.label}.** {' '.join(sentences) or 'No patients.'}")
    return [*lines, _safety(study)]


def _rate(study: Study, group: str, measure: str, rule: str, evaluable_set: str) -> Result | None:
    return study.results.get("response", group, measure, "", rule, evaluable_set)


def has_patients(result: Result) -> bool:
    """Whether a rate is, or could be, one of any patients."""
    return result.here.n > 0 or bool(result.spans.n.upper)


def _response(study: Study, group: Group) -> Iterator[str]:
    """Sentences on the rates of one group: first of those positive before, then of all treated."""
    for measure in MEASURES:
        if _rate(study, group.name, measure, "fc", ALL_TREATED.id) is None:
            continue
        whole = {rule: _rate(study, group.name, measure, rule, ALL_TREATED.id) for rule in STATED_RULES}
        if not any(has_patients(rate) or not rate.here.stated for rate in whole.values()):
            continue
        if measure == BECAME:
            yield from _cleared(study, group, whole)
        else:
            yield f"{MEASURES[measure]}: {_by_rule(whole)}."
        if measure == STAYED:
            yield "There was no MRD to clear, so this is no response rate."


def _cleared(study: Study, group: Group, whole: dict[str, Result]) -> Iterator[str]:
    """What had MRD and cleared it, by each rule; then what is said of all treated besides."""
    before = {rule: _rate(study, group.name, BECAME, rule, POSITIVE_BEFORE) for rule in STATED_RULES}
    nothing = [rule for rule in STATED_RULES if before[rule].here.stated and not has_patients(before[rule])]
    for rule in nothing:
        yield (
            f"No patient was found MRD positive by {_assays(rule)} before, so there was nothing to "
            f"clear by {choice(RULES, rule).label}."
        )
    leading = {rule: rate for rule, rate in before.items() if rule not in nothing}
    if leading:
        same = {rule for rule in leading if _equal(before[rule], whole[rule])}
        printed = {rule for rule in same if whole[rule].measure.is_reported}
        yield f"{MEASURES[BECAME]}, of those positive before by the same assay: {_by_rule(leading, printed)}."
        rest = {rule: rate for rule, rate in whole.items() if rule in leading and rule not in same}
        if rest:
            yield f"Negative after, of all treated: {_by_rule(rest)}."


def _assays(rule: str) -> str:
    return choice(RULES, rule).label.replace(" and ", " or ")


def _equal(one: Result, other: Result) -> bool:
    """Whether two rates count the same, in every line list that fits."""
    return all(
        (mine.lower, mine.upper) == (theirs.lower, theirs.upper)
        for mine, theirs in zip((one.spans.k, one.spans.n), (other.spans.k, other.spans.n), strict=True)
    )


def _by_rule(rates: dict[str, Result], printed: set[str] | None = None) -> str:
    """Rates with their rules: `18/18 (...) by FC; 13/18 (...) by FC and RT-PCR (as printed)`."""
    parts = []
    for rule, rate in rates.items():
        words = text.rate(rate)
        if rate.here.stated:
            words += f" by {choice(RULES, rule).label}"
        marked = rate.measure.is_reported or rule in (printed or ())
        parts.append(words + AS_PRINTED * marked)
    return "; ".join(dict.fromkeys(parts))


def _carriers(study: Study, group: Group) -> Iterator[str]:
    """Carriers of each fusion gene, those positive before by the rule's assay first."""
    table = study.fusion().table
    mine = table[table["group"].eq(group.name) & table["rule"].isin(STATED_RULES)]
    for (measure, gene), rows in mine.groupby(["measure", "gene"], sort=False):
        whole, before = {}, {}
        for rule in rows["rule"]:
            about = (group.name, measure, carriers_level(gene), rule)
            whole[rule] = study.results.get("fusion", *about, "assessed")
            before[rule] = study.results.get("fusion", *about, POSITIVE_BEFORE)
        by_fc = rows[rows["rule"] == "fc"]
        missing = int(by_fc["carriers_not_assessed"].max())
        if not any(has_patients(rate) for rate in whole.values()) and not missing:
            continue
        words = f"Carriers of *{gene}*"
        if before["fc"] is None:
            yield f"{words}: {_by_rule(whole)}."
            continue
        cleared = {rule: rate for rule, rate in before.items() if has_patients(rate)}
        if cleared:
            yield f"{words} positive before: {_by_rule(cleared)}."
        rest = {rule: rate for rule, rate in whole.items() if not _equal(rate, before[rule])}
        if rest:
            yield f"{words}, all: {_by_rule(rest)}."
        if missing:
            yield f"{missing} more not assessed by FC."


def _burden(study: Study, group: Group) -> Iterator[str]:
    """MRD before of both sides; of patients only where a range is not that of one or two of them."""
    row = study.burden(group.name).table.iloc[0]
    sizes = [row["responders"], row["others"]]
    fewest = 1 if study.cohort.reconstructed else FEWEST_IN_RANGE
    if not all(pd.isna(size) or size >= fewest for size in sizes):
        return
    yield (
        f"MRD before was {row['responders_range']}% in those negative after by {views.label(row['rule'])} "
        f"and {row['others_range']}% in the others."
    )


def _safety(study: Study) -> str:
    """One paragraph on adverse events and early stops, of everybody treated."""
    if study.safety().sentence:
        return f"**Safety, everybody treated.** {study.safety().sentence} {_stopped(study)}"
    severe, counted = [], []
    for event in EVENTS:
        if not event.has_grades:
            counted.append(f"{event.name} {text.rate(_event(study, event.name, NO_GRADE))}")
            continue
        severe.append(f"{event.name} {text.rate(_event(study, event.name, SEVERE))}")
    unnamed = _event(study, UNNAMED_REACTION, ANY)
    if unnamed is not None:
        severe.append(f"{UNNAMED_REACTION} or graded {text.rate(unnamed)}")
    counted.append(_crs(study))
    return (
        f"**Safety, everybody treated.** Grade 3 or more: {'; '.join(severe)}. "
        f"Any grade: {'; '.join(counted)}. {_stopped(study)}"
    )


def _event(study: Study, name: str, severity: str) -> Result | None:
    return study.results.get("events", TOTAL, name, severity)


def _crs(study: Study) -> str:
    """CRS of any grade, and what it could be if fever alone counts."""
    cohort = study.cohort
    narrow = _event(study, CRS, ANY)
    words = f"CRS {text.rate(narrow)}"
    broad = study.results.get("fever as CRS", TOTAL, CRS, CRS_READINGS[1])
    if cohort.scale(CRS) in FEVER_RULES and not _equal(narrow, broad):
        scale = cohort.scale(CRS)
        named = scale if cohort.scale_is_named else f"as in {scale}; no scale is named"
        words += f", or up to {text.rate(broad)} if fever alone counts as grade 1 ({named})"
    return words


def _stopped(study: Study) -> str:
    """How many stopped early, and why; of how many that is not recorded."""
    if study.stops().sentence:
        return study.stops().sentence
    stopped, missing = [], ""
    for result in study.results.of("stops"):
        reason = result.measure.level
        if result.measure.group != TOTAL or reason == "completed":
            continue
        if reason == NOT_RECORDED:
            missing = f" How cycle 1 ended is not recorded for {text.some_of(result)}."
        elif result.spans.k.upper:
            stopped.append(f"{REASON_WORDS.get(reason, reason.replace('_', ' '))} {text.rate(result)}")
    return f"Stopped early: {'; '.join(stopped) or 'no patient'}.{missing}"


def how_firm(study: Study) -> str:
    """What the claims of a cohort settle: whether they agree, how much they determine, and what rests on a reading.

    FileError where the claims, or what was made from them, cannot be read.
    """
    ours, document = claims_of(study.cohort, load_claims(study.cohort.claims))
    line_list = read_for_claims(ours.linelist, document)
    found = answers(document, bounds_of(ours, document), line_list)
    changed = changes(ours, document, load_readings(ours, document))
    sentences = [rules_differ(study), _agreement(ours, document, line_list)]
    printed = sum(one.printed for one in found)
    facts = sum(one.determined and not one.printed for one in found)
    still_open = sum(one.is_open for one in found)
    sentences.append(
        f"Of {len(found)} questions put to the report, {printed} are answered in print, {facts} follow from what is "
        f"printed, and {still_open} stay open."
    )
    resting = {words: rests_on(changed, *keys) for words, keys in _stated(ours).items()}
    on = [f"{words} ({readings})" for words, readings in resting.items() if readings]
    if on:
        sentences.append(f"Of the numbers above, these rest on a reading of an ambiguous sentence: {'; '.join(on)}.")
    return f"**How firm this is.** {' '.join(filter(None, sentences))}"


def rules_differ(study: Study) -> str:
    """What to know first where printed rates of groups follow different rules."""
    clearing = [group for group in study.cohort.groups if group.purpose in CLEARING]
    printed = {group.name: group.reported_rule for group in clearing if group.reported_rule}
    if len(set(printed.values())) < 2:
        return ""
    by_rule = []
    for rule in dict.fromkeys(printed.values()):
        rates = [_rate(study, name, BECAME, rule, ALL_TREATED.id) for name in printed]
        counts = " and ".join(text.counts(rate) for rate in rates)
        by_rule.append(f"by {choice(RULES, rule).label} {counts}")
    which, rules = " and ".join(printed), "; ".join(by_rule)
    return f"*The printed rates of {which} follow different rules; compare within one: {rules}.*"


def _agreement(cohort: Cohort, document: Document, line_list: Table) -> str:
    if not cohort.reconstructed:
        verdicts = [one.holds for one in check(document, line_list).verdicts if one.kind == "claim"]
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
            questions = [(name, f"{measure} by {label}") for measure in MEASURES]
            stated[f"{name}, negative by {label}"] = questions
    return stated | {
        "fever": [(TOTAL, "fever in cycle 1")],
        "CRS": [(name, "CRS of any grade") for name in groups],
        "ICANS": [(TOTAL, "ICANS of any grade")],
        "the severe reaction without a name": [(TOTAL, "stopped for a severe reaction that is not described")],
    }


def response_table(study: Study) -> View:
    """Response to read: a row per group, measure and evaluable set, a column of text per rule; printed rates marked.

    A rate says how many of its patients were not assessed, and so count as not negative.
    """
    table = study.rates().table
    keys = ["group", "measure", "evaluable_set"]
    marked = table["is_reported"].map({True: AS_PRINTED, False: ""})
    texts = table.assign(text=table["text"] + marked)
    wide = texts.pivot(index=keys, columns="rule", values="text")[[rule.id for rule in RULES]]
    wide = table[keys].drop_duplicates().merge(wide.reset_index(), on=keys, validate="one_to_one")
    wide["evaluable_set"] = [choice(ALL_SETS, id).label for id in wide["evaluable_set"]]
    wide = wide.rename(columns={rule.id: rule.label for rule in RULES})
    return View(wide, show(wide))


def strobe(study: Study) -> list[Markdown | View]:
    """What the report says to each STROBE item and what it leaves out, as written down beside its claims.

    Nothing without such a file. Source of the items: von Elm et al., 2007 (STROBE, cohort studies).
    """
    path = study.cohort.folder / STROBE_FILE
    if not path.exists():
        return []
    items = pd.read_csv(path, dtype=str, keep_default_na=False)
    return [Markdown(STROBE), View(items, show(items))]
