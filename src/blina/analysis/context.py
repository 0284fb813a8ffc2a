"""Published cohorts beside this one: which rates may stand side by side, which may be pooled, and why not others."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from blina.analysis.pooling import EXACT, LEAST, Pooled, estimate, pool
from blina.linelist.cohort import ROOT, Cohort
from blina.measures.choices import RULES, choice
from blina.measures.declare import BECAME, STAYED
from blina.measures.intervals import decimal_text, exact, rate
from blina.measures.views import nothing_to_clear
from blina.yamlfile import FileError, read_text

PUBLISHED = ROOT / "data" / "published" / "cohorts.csv"
DERIVED = ("derived", "back_calculated")
WIDE_PREDICTION = 50.0  # percentage points: a wider prediction interval says hardly anything about the next cohort
SIDE_COLUMNS = (
    "comparison",
    "own",
    "group",
    "study",
    "whom",
    "how",
    "outcome",
    "k",
    "n",
    "percent",
    "lower",
    "upper",
    "text",
    "plain",
    "short",
    "basis",
    "marks",
    "shared",
    "doi",
    "percent_least",
    "percent_greatest",
    "lower_least",
    "upper_greatest",
    "open",
)
SENSITIVITY_COLUMNS = ("choice", "comparison", "eligible", "text", "tau", "predicted")
POOL_COLUMNS = ("comparison", "pooled", "studies", "eligible", "why", "time", "tau", "text", "predicted",
                "left_out_one", "differs", "percent", "lower", "upper", "predicted_lower",
                "predicted_upper")  # fmt: skip

# What each outcome shown is called. A patient can meet one of these and not another.
OUTCOMES: Mapping[str, str] = {
    "mrd_neg": "MRD negative",
    "mrd_neg_all_treated": "MRD negative",
    "mrd_neg_fc": "MRD negative by FC",
    "mrd_neg_fc_and_pcr": "MRD negative by FC and RT-PCR",
    "mrd_neg_pcr": "RT-PCR negative",
    "complete_mrd_response": "complete MRD response",
    "mrd_undetectable": "MRD not detectable",
    "cr_with_mrd_neg": "CR and MRD negative",
    "pcr_clearance": "qPCR negative",
    "mrd_neg_maintained": "stayed MRD negative",
    "cr": "CR",
    "cr_or_crh": "CR or CRh",
    "mrd_neg_among_cr": "MRD negative, of CR",
    "mrd_neg_among_cr_crh": "MRD negative, of CR or CRh",
    "crs_any": "any CRS",
    "crs_any_astct_reading": "any CRS, fever alone read as grade 1",
    "crs_grade1": "CRS of grade 1",
    "crs_grade2": "CRS of grade 2",
    "crs_grade3plus": "CRS of grade 3 or more",
    "fever_only": "fever and nothing else",
    "bridged_hsct": "went on to transplantation",
}
UNDEFINED = ("mrd_response", "response", "response_as_published_CR_rate")  # what was counted, its report does not say
REMISSION = ("cr", "cr_or_crh")  # found by morphology, so without an assay of MRD
NOT_STATED = "not_stated"
SHARED = "may share patients"  # the mark of a row that may do so with the cohort's own report


@dataclass(frozen=True)
class Comparison:
    """Rates that answer one question: of the cohort's groups of a `purpose` by `rules`, and of published `groups`.

    Published `outcomes` are those shown, of one study the first only; those in `same` mean the same and may be pooled,
    over patients who are all in `remission` and counted as `counted`. The cohort's rates are over `evaluable_set`.
    Without `rules` the cohort has no such rate, and the published ones stand alone.
    """

    id: str
    title: str
    purpose: str
    rules: tuple[str, ...]
    groups: tuple[str, ...]
    outcomes: tuple[str, ...]
    same: tuple[str, ...]
    remission: str
    counted: str = "all_treated"
    evaluable_set: str = "all_treated"


COMPARISONS: tuple[Comparison, ...] = (
    Comparison("clearance", "MRD negative after, first remission or as marked", "clearance", ("fc", "fc_and_pcr"),
               ("MC",), ("mrd_neg", "mrd_neg_fc", "mrd_undetectable", "complete_mrd_response", "mrd_neg_fc_and_pcr"),
               ("mrd_neg", "mrd_neg_fc"), "first", evaluable_set="positive_before"),
    Comparison("molecular", "Fusion gene no longer found by PCR", "clearance", ("pcr",),
               ("MC_BCRABL1", "IC_like_MRDneg"), ("mrd_neg_pcr", "pcr_clearance"),
               ("mrd_neg_pcr", "pcr_clearance"), "first", evaluable_set="positive_before"),
    Comparison("later", "MRD negative after, second or later remission", "clearance", (),
               ("MC_in_later_CR", "MC_in_second_CR"), ("mrd_neg", "mrd_undetectable"), ("mrd_neg",), "later"),
    Comparison("maintained", "Stayed MRD negative while chemotherapy was not tolerated", "bridging", ("fc",), ("IC",),
               ("mrd_neg_maintained", "mrd_undetectable"), ("mrd_neg_maintained",), "not_stated"),
    Comparison("reinduction", "Relapsed or refractory: MRD negative, of all treated", "reinduction",
               ("fc", "fc_and_pcr"), ("RR",),
               ("mrd_neg", "mrd_neg_all_treated", "mrd_neg_fc", "cr_with_mrd_neg", "mrd_neg_fc_and_pcr"),
               ("mrd_neg", "mrd_neg_all_treated", "mrd_neg_fc"), "relapsed_refractory"),
    Comparison("remission", "Relapsed or refractory: complete remission (CR), of all treated", "reinduction", (),
               ("RR",), REMISSION, ("cr",), "relapsed_refractory"),
    Comparison("responders", "Relapsed or refractory: MRD negative, of those in remission", "reinduction", (),
               ("RR",), ("mrd_neg_among_cr", "mrd_neg_among_cr_crh"), ("mrd_neg_among_cr", "mrd_neg_among_cr_crh"),
               "relapsed_refractory", "responders"),
)  # fmt: skip


def comparison(id: str) -> Comparison:
    """The comparison of that id (KeyError if none)."""
    return {one.id: one for one in COMPARISONS}[id]


# The file

_WORDS = {
    "doi_seen": ("yes", "no"),
    "population": ("children", "adults", "infants"),
    "comparable_group": ("MC", "MC_BCRABL1", "MC_nonBCRABL1", "MC_in_second_CR", "MC_in_later_CR", "IC",
                         "IC_like_MRDneg", "RR", "RR_BCRABL1", "ALL", "control"),
    "remission": ("first", "later", "relapsed_refractory", "any", "not_stated"),
    "unit": ("patients", "courses", "cycles", "events"),
    "counted": ("all_treated", "evaluable", "safety_set", "responders", "subgroup"),
    "selected": ("yes", "no"),
    "count_basis": ("printed", "derived", "back_calculated", "not_printed"),
    "overlap_kind": ("", "preprint", "earlier_report", "possible"),
}  # fmt: skip
_PATTERNS = {
    "study_id": (r"[a-z0-9_]+", "small letters, digits and _"),
    "label": (r"\S.*", "a short name, as in Brown 2021"),
    "year": (r"20\d\d", "a year"),
    "doi": (r"(10\.\d{4,9}/\S+)?", "a DOI without the address, as in 10.1182/blood-2023-184732, or blank"),
    "country": (r"\S.*", "a country"),
    "n": (r"[1-9]\d*", "a whole number of patients"),
    "group_as_published": (r"\S.*", "the words of the publication"),
    "outcome": (r"\w+", "letters, digits and _"),
    "time": (r".*", "a text"),
    "events": (r"\d*", "a whole number, or blank where none is printed"),
    "denominator": (r"[1-9]\d*", "a whole number"),
    "assay": (r".*", "a text"),
    "threshold": (r".*", "a text"),
    "overlaps": (r"[a-z0-9_ ]*", "study_ids with a blank between them, or blank"),
    "note": (r".*", "a text"),
}
COLUMNS = ("study_id", "label", "year", "doi", "doi_seen", "country", "population", "n", "group_as_published",
           "comparable_group", "remission", "outcome", "time", "events", "denominator", "unit", "counted", "selected",
           "assay", "threshold", "count_basis", "overlaps", "overlap_kind", "note")  # fmt: skip
_OF_STUDY = ["label", "year", "doi", "doi_seen", "country", "population", "n", "overlaps", "overlap_kind"]
_RULES = {  # rules across columns: the column that a message names, what to do
    "doi-when-seen": ("doi", "a DOI that was confirmed has to be given"),
    "events-within": ("events", "must not be more than the denominator"),
    "events-when-printed": ("events", "is blank where count_basis is not_printed, and only there"),
    "patients-within": ("denominator", "counts patients, so it must not be more than n"),
    "basis-explained": ("note", "must say how a count that is not printed was found"),
    "overlap-known": ("overlaps", "must name other study_ids of this table only"),
    "overlap-kind": ("overlap_kind", "is given where overlaps is, and only there"),
    "response-has-time": ("time", f"says when response was assessed, or {NOT_STATED} where the report does not"),
    "one-row-each": ("outcome", "stands twice for one study, group and time"),
    "study-agrees": ("study_id", f"differs from the study's other rows in one of {', '.join(_OF_STUDY)}"),
}


def load_published(path: Path = PUBLISHED) -> pd.DataFrame:
    """The table of published cohorts, `COLUMNS`: a row per study, group and outcome, as its README explains.

    Whole numbers are integers (`events` nullable), `doi_seen` and `selected` bool, other blanks "". FileError with one
    line per broken rule, which names row (as a spreadsheet counts, the header is row 1), column and rule.
    """
    text = read_text(path, "table of published cohorts")
    header, *rows = csv.reader(io.StringIO(text))
    if header != [*COLUMNS]:
        raise FileError(f"{path.name}: row 1: the columns must be {', '.join(COLUMNS)}, in this order")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            said = f"row {number} has {len(row)} cells, not {len(header)}: put texts with commas in quotation marks"
            raise FileError(f"{path.name}: {said}")
    table = pd.DataFrame(rows, columns=header, dtype=str)
    if problems := sorted(_problems(table)):
        raise FileError("\n".join(f"{path.name}: row {row}, column {column}: {advice} [{rule}]"
                                  for row, column, advice, rule in problems))  # fmt: skip
    numbers = {name: table[name].astype(int) for name in ("year", "n", "denominator")}
    flags = {name: table[name].eq("yes") for name in ("doi_seen", "selected")}
    return table.assign(**numbers, **flags, events=pd.to_numeric(table["events"].replace("", None)).astype("Int64"))


def _problems(table: pd.DataFrame) -> set[tuple[int, str, str, str]]:
    """Row, column, what to do and rule of each cell that breaks a rule of the schema."""
    import pandera.pandas as pa  # takes 0.4 s, for which no other notebook should wait

    columns = {name: pa.Column(str, pa.Check.isin(words)) for name, words in _WORDS.items()}
    columns |= {name: pa.Column(str, pa.Check.str_matches(f"^(?:{form})$")) for name, (form, _) in _PATTERNS.items()}
    across = [pa.Check(_HOLDS[rule], name=rule) for rule in _RULES]
    try:
        pa.DataFrameSchema(columns, checks=across).validate(table, lazy=True)
    except pa.errors.SchemaErrors as error:
        found = error.failure_cases
        return {_problem(int(case["index"]), str(case["column"]), case["check"]) for _, case in found.iterrows()}
    return set()


def _problem(index: int, column: str, rule: str) -> tuple[int, str, str, str]:
    if rule in _RULES:
        column, advice = _RULES[rule]
    elif column in _WORDS:
        advice = "must be one of " + ", ".join(word or "blank" for word in _WORDS[column])
        rule = f"{column}-word"
    else:
        advice, rule = f"must be {_PATTERNS[column][1]}", f"{column}-form"
    return index + 2, column, advice, rule


def _number(table: pd.DataFrame, name: str) -> pd.Series:
    """A column's whole numbers; NaN, which is never greater, for what is none."""
    return pd.to_numeric(table[name], errors="coerce")


_HOLDS = {
    "doi-when-seen": lambda t: t["doi_seen"].ne("yes") | t["doi"].ne(""),
    "events-within": lambda t: ~(_number(t, "events") > _number(t, "denominator")),
    "events-when-printed": lambda t: t["events"].eq("") == t["count_basis"].eq("not_printed"),
    "patients-within": lambda t: t["unit"].ne("patients") | ~(_number(t, "denominator") > _number(t, "n")),
    "basis-explained": lambda t: t["count_basis"].eq("printed") | t["note"].ne(""),
    "overlap-known": lambda t: pd.Series([{*row.overlaps.split()} <= {*t["study_id"]} - {row.study_id}
                                          for row in t.itertuples()], t.index, dtype=bool),
    "overlap-kind": lambda t: t["overlaps"].eq("") == t["overlap_kind"].eq(""),
    "response-has-time": lambda t: ~t["outcome"].isin(_RESPONSES) | t["time"].ne(""),
    "one-row-each": lambda t: ~t.duplicated(["study_id", "group_as_published", "outcome", "time"]),
    "study-agrees": lambda t: _of_study(t) == _of_study(t).groupby(t["study_id"]).transform(lambda s: s.mode()[0]),
}  # fmt: skip
_RESPONSES = {outcome for one in COMPARISONS for outcome in one.outcomes}


def _of_study(table: pd.DataFrame) -> pd.Series:
    """What belongs to the study rather than to the row, in one text."""
    return table[_OF_STUDY].agg("|".join, axis=1)


# What is comparable


@dataclass(frozen=True)
class Chosen:
    """Published rows that stand beside this cohort, and all others with a `reason`.

    The kept ones have the id of their `comparison`, `shares_patients` (bool) where they may do so with the cohort's own
    report, and `negative_before`, how many of how many had no MRD before treatment ("" where no row says it).
    """

    kept: pd.DataFrame
    left_out: pd.DataFrame

    def reasons(self) -> pd.DataFrame:
        """How many rows of how many studies were left out for each reason, in the order in which reasons are asked."""
        by_reason = self.left_out.groupby("reason", sort=False)
        counts = by_reason.agg(rows=("reason", "size"), studies=("study_id", "nunique")).reset_index()
        return counts.sort_values("reason", key=lambda of: of.map(list(_REASONS.values()).index)).reset_index(drop=True)


_REASONS = {
    "shares patients": "a report of the same patients as this one, or very probably so",
    "not defined": "outcome not defined",
    "no such rate": "no rate of response by which groups are compared here (adverse events, group sizes, transplants)",
    "no such group": "no group of this cohort was treated for that purpose",
    "no count": "how many responded is not printed",
    "unit": "counts courses, cycles or events, not patients",
    "population": "adults",
    "doi": "its DOI is not confirmed",
    "basis": "the count is derived or back-calculated",
    "selected": "patients were chosen by their outcome, or are single cases",
    "counted": "counts a part of the patients (a subgroup, or who responded)",
    "version": "a preprint of a report that is in the table",
    "same patients": "the same patients by another row of this comparison, or in a larger report",
}


def of_others(published: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """The rows of all reports but the cohort's own (known by its DOI)."""
    return published[~_is_own(published, cohort)].reset_index(drop=True)


def _is_own(published: pd.DataFrame, cohort: Cohort) -> pd.Series:
    return published["doi"].eq(cohort.doi or "none")


def sharing(published: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """The rows of reports that share patients with the cohort's own report, or may share them."""
    return published[_name_any(published, published.loc[_is_own(published, cohort), "study_id"])]


def _name_any(table: pd.DataFrame, studies: Iterable[str]) -> pd.Series:
    """Whether each row's `overlaps` names any of the studies."""
    wanted = {*studies}
    return pd.Series([not wanted.isdisjoint(ids.split()) for ids in table["overlaps"]], table.index, dtype=bool)


def comparable(published: pd.DataFrame, cohort: Cohort, *, include_adults: bool = False, include_overlap: bool = False,
               include_unconfirmed_dois: bool = True, include_derived: bool = True,
               include_selected: bool = False) -> Chosen:  # fmt: skip
    """Which rows of other reports may stand beside the cohort; every other row with the first reason against it.

    Never shown: outcomes that their report does not define, rates that no comparison asks for, rates without a count,
    and units other than patients. Not unless asked for:

    - `include_adults`: studies of adults, then marked.
    - `include_overlap`: earlier or preliminary reports of the cohort's own patients. Where it is only possible that
      patients are shared, the row stands there, marked; neither is ever pooled.
    - `include_selected`: single cases and patients who were chosen by their outcome.

    Shown, marked, unless refused: `include_unconfirmed_dois`, studies whose DOI is missing or was not confirmed;
    `include_derived`, counts that follow from other printed numbers. First and later remission stand in comparisons of
    their own. Of a preprint and its publication the preprint goes; of two reports of the same patients, and of two
    outcomes of one study, one row stays in each comparison: of the report that `overlaps` names, and of the outcome
    that the comparison lists first (a stricter rule of the same study may stand beside it).
    """
    table = of_others(published, cohort)
    shown = [_comparison_of(row) for row in table.itertuples()]
    baseline = table[table["outcome"].eq("mrd_neg_baseline")].itertuples()
    before = {(row.study_id, row.group_as_published): f"{row.events} of {row.denominator}" for row in baseline}
    whose = zip(table["study_id"], table["group_as_published"], strict=True)
    possible = table["overlap_kind"].eq("possible")
    shares = _name_any(table, published.loc[_is_own(published, cohort), "study_id"])
    table = table.assign(comparison=[one.id if one else "" for one in shown], shares_patients=shares,
                         negative_before=[before.get(key, "") for key in whose])  # fmt: skip
    reasons = pd.Series("", index=table.index)

    def leave_out(why: str, which: Sequence[bool]) -> None:
        reasons[pd.Series(which, table.index, dtype=bool) & reasons.eq("")] = _REASONS[why]

    if not include_overlap:
        leave_out("shares patients", shares & ~possible)
    leave_out("not defined", table["outcome"].isin(UNDEFINED))
    leave_out("no such rate", [one is None for one in shown])
    purposes = {group.purpose for group in cohort.groups}
    leave_out("no such group", [one is not None and one.purpose not in purposes for one in shown])
    leave_out("no count", table["events"].isna())
    leave_out("unit", table["unit"].ne("patients"))
    if not include_adults:
        leave_out("population", table["population"].eq("adults"))
    if not include_unconfirmed_dois:
        leave_out("doi", ~table["doi_seen"])
    if not include_derived:
        leave_out("basis", table["count_basis"].isin(DERIVED))
    if not include_selected:
        leave_out("selected", table["selected"])
    leave_out("counted", [one is not None and row.counted not in (one.counted, "evaluable")
                          for one, row in zip(shown, table.itertuples(), strict=True)])  # fmt: skip
    leave_out("version", table["overlap_kind"].eq("preprint"))
    leave_out("same patients", table.index.isin(_repeated(table[reasons.eq("")])))
    kept = reasons.eq("")
    return Chosen(table[kept].reset_index(drop=True),
                  table[[*published]].assign(reason=reasons)[~kept].reset_index(drop=True))  # fmt: skip


def _comparison_of(row: object) -> Comparison | None:
    for one in COMPARISONS:
        if row.comparable_group in one.groups and row.outcome in one.outcomes:
            return one
    return None


def _repeated(rows: pd.DataFrame) -> list[int]:
    """Rows whose patients already stand in the same comparison, by the same rule."""
    repeated = []
    for id, mine in rows.groupby("comparison"):
        order = comparison(id).outcomes
        mine = mine.sort_values("outcome", key=lambda of: of.map(order.index), kind="stable")
        strict = mine["outcome"].eq("mrd_neg_fc_and_pcr")
        twice = _name_any(mine, mine["study_id"]) & mine["overlap_kind"].ne("possible")
        again = mine.assign(strict=strict).duplicated(["study_id", "strict"]) | twice
        repeated += [*mine.index[again]]
    return repeated


# Side by side


def side_by_side(chosen: Chosen, rates: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """The cohort's rates and the published ones, in the order of `COMPARISONS`, `SIDE_COLUMNS`; percentages in %.

    `rates` is the table of `views.response`. Of the cohort stand all groups of the purpose of
    a comparison, over its evaluable set, first (`own`); then the published studies, oldest first, with exact intervals.
    What says nothing of response does not: a rate of nobody, one by an assay that nobody had after, one of a group in
    which nobody was positive before by the rule. `marks` says what a reader must know of a row: another population, an
    unknown remission, other patients counted, patients that may be shared, a DOI that is not confirmed; of the cohort's
    own row, an evaluable set that is not all treated.
    """
    rows = []
    for one in COMPARISONS:
        rows += _own(one, rates, cohort)
        mine = chosen.kept[chosen.kept["comparison"] == one.id]
        order = sorted(mine.itertuples(), key=lambda row: (row.year, row.study_id, one.outcomes.index(row.outcome)))
        rows += [_published(one, row) for row in order]
    table = pd.DataFrame(rows, columns=SIDE_COLUMNS)
    return table.astype({"own": bool, "open": bool, "shared": bool, "k": "Int64", "n": "Int64"})


def _own(one: Comparison, rates: pd.DataFrame, cohort: Cohort) -> Iterator[dict]:
    measure = STAYED if one.purpose == "bridging" else BECAME
    whose = "this report" if cohort.doi else "this cohort"
    wanted = rates[rates["measure"].eq(measure) & rates["evaluable_set"].eq(one.evaluable_set) & ~rates["is_pooled"]]
    for group in cohort.groups:
        if group.purpose != one.purpose:
            continue
        for rule in one.rules:
            if measure == BECAME and nothing_to_clear(rates, group.name, rule):
                continue
            for row in wanted[(wanted["group"] == group.name) & (wanted["rule"] == rule)].to_dict("records"):
                if not row["stated"] or (pd.notna(row["n"]) and row["n"] == row["not_assessed"]):
                    continue  # no patients, or none with a result
                by = choice(RULES, rule).label
                positive = f"of those positive before by {by.replace(' and ', ' or ')}"
                marks = positive if one.evaluable_set == "positive_before" else ""
                words = {"comparison": one.id, "own": True, "group": group.name, "study": f"{whose}, {group.name}",
                         "whom": group.label, "how": by, "outcome": f"{measure} by {by}", "basis": "", "marks": marks,
                         "doi": cohort.doi or "", "shared": False}  # fmt: skip
                yield words | {name: row[name] for name in SIDE_COLUMNS if name in row and name not in words}


def rate_now(rates: pd.DataFrame, cohort: Cohort) -> tuple[float, str] | None:
    """A rate of response from which a next study of the cohort would start, in % to one decimal, and whose it is.

    Over all treated: of the first group treated to clear MRD by FC and RT-PCR, else of the first group with a response
    by FC. `rates` is the table of `views.response`. None where no group has such a rate.
    """
    whole = rates[rates["measure"].eq(BECAME) & rates["evaluable_set"].eq("all_treated") & ~rates["is_pooled"]]
    clearance = [(group.name, "fc_and_pcr") for group in cohort.groups if group.purpose == "clearance"][:1]
    for name, rule in [*clearance, *((group.name, "fc") for group in cohort.groups)]:
        for row in whole[whole["group"].eq(name) & whole["rule"].eq(rule)].itertuples():
            if pd.notna(row.percent) and not nothing_to_clear(rates, name, rule):
                return round(row.percent, 1), f"{name}, {BECAME} by {choice(RULES, rule).label}: {row.text}"
    return None


def _published(one: Comparison, row: object) -> dict:
    stated = rate(row.events, row.denominator)
    ends = {"percent_least": stated["percent"], "percent_greatest": stated["percent"],
            "lower_least": stated["lower"], "upper_greatest": stated["upper"], "open": False}  # fmt: skip
    how = ", ".join(words for words in (row.assay, row.threshold) if words not in ("", "not stated"))
    how = "" if row.outcome in REMISSION else how or "assay not stated"
    words = {"comparison": one.id, "own": False, "group": row.comparable_group, "study": f"{row.label}, {row.country}",
             "whom": row.group_as_published, "how": how, "outcome": _named(row),
             "basis": row.count_basis.replace("_", "-"), "marks": "; ".join(_marks(one, row)),
             "doi": row.doi, "short": "", "shared": bool(row.shares_patients)}  # fmt: skip
    return words | stated | ends | {"plain": stated["text"]}


def _named(row: object) -> str:
    """The outcome of a published row in words, with its time where it is stated."""
    return OUTCOMES[row.outcome] + ("" if row.time == NOT_STATED else f" {row.time}")


_UNSURE = {"any": "first and later remission", "not_stated": "remission not stated"}


def _marks(one: Comparison, row: object) -> Iterator[str]:
    """In what a published row differs from the comparison's question."""
    if row.population != "children":
        yield row.population
    if row.remission != one.remission and row.remission in _UNSURE:
        yield _UNSURE[row.remission]
    if row.counted == "evaluable":
        yield "evaluable only"
    if row.negative_before:
        yield f"{row.negative_before} negative before"
    if row.selected:
        yield "selected"
    if row.shares_patients:
        yield SHARED
    if not row.doi_seen:
        yield "DOI not confirmed"


# Pooling


def pools(chosen: Chosen) -> pd.DataFrame:
    """Every comparison as a candidate for one pooled rate, `POOL_COLUMNS`: pooled or not, and the reasons.

    Only published studies are candidates, never the cohort's own rate nor what may share patients with its report.
    Those are `eligible` that report the same outcome at a stated time, of all treated children in the same disease
    state, not chosen by their outcome and not known to be in another study of the comparison. Nothing is pooled of
    fewer than three, or of several times. `left_out_one` is the range of estimates when each study in turn is left
    out, `differs` what still differs between those pooled. Percentages in %.
    """
    rows = []
    for one in COMPARISONS:
        mine = chosen.kept[chosen.kept["comparison"] == one.id]
        why_not = [[*_not_eligible(one, row, mine)] for row in mine.itertuples()]
        eligible = mine.loc[[not why for why in why_not]]
        found, why = _pooled(eligible)
        against: dict[str, dict[str, None]] = {}  # the studies of each reason, each once
        for label, reasons in zip(mine["label"], why_not, strict=True):
            for reason in reasons:
                against.setdefault(reason, {})[label] = None
        others = [f"{reason}: {', '.join(labels)}" for reason, labels in against.items()]
        row = {"comparison": one.id, "pooled": found is not None, "studies": len(mine), "eligible": len(eligible),
               "why": "; ".join(filter(None, (why, *others)))}  # fmt: skip
        rows.append(row | (_estimate(found, eligible) if found else {}))
    return pd.DataFrame(rows, columns=POOL_COLUMNS)


def _not_eligible(one: Comparison, row: object, mine: pd.DataFrame) -> Iterator[str]:
    """Every reason why a study cannot enter the pool of its comparison, of which `mine` are the rows."""
    if row.outcome not in one.same:
        yield f"another outcome ({OUTCOMES[row.outcome]})"
    if row.time == NOT_STATED:
        yield "time of response not stated"
    if row.population != "children":
        yield row.population
    if row.remission != one.remission:
        yield _UNSURE.get(row.remission, "another state of the disease")
    if row.counted != one.counted:
        yield "evaluable patients only"
    if row.selected:
        yield "patients chosen by their outcome"
    if row.shares_patients:
        yield f"{SHARED} with this report"
    if others := mine.loc[mine["study_id"].isin(row.overlaps.split()), "label"].unique().tolist():
        yield f"{SHARED} with {' and '.join(others)}"


def _pooled(eligible: pd.DataFrame) -> tuple[Pooled | None, str]:
    times = eligible["time"].unique()
    if len(eligible) < LEAST or len(times) > 1:
        at = f" ({', '.join(times)})" if len(times) > 1 else ""
        return None, f"{len(eligible) or 'none'} eligible{at}; at least {LEAST} are needed, all of one time of response"
    try:
        return pool(eligible["events"], eligible["denominator"]), ""
    except ValueError as error:
        return None, str(error)


def sensitivity(published: pd.DataFrame, cohort: Cohort, *, include_unconfirmed_dois: bool = True,
                include_derived: bool = True) -> pd.DataFrame:  # fmt: skip
    """The pooled rates as chosen, and with either choice of `comparable` turned round; `SENSITIVITY_COLUMNS`.

    A row per choice and comparison that is pooled under at least one of them; without a pool, `text` says so.
    """
    words = {"include_unconfirmed_dois": ("confirmed DOIs only", "unconfirmed DOIs too"),
             "include_derived": ("printed counts only", "derived and back-calculated counts too")}  # fmt: skip
    chosen = {"include_unconfirmed_dois": include_unconfirmed_dois, "include_derived": include_derived}
    choices = {"as chosen": chosen} | {said[not chosen[name]]: chosen | {name: not chosen[name]}
                                       for name, said in words.items()}  # fmt: skip
    found = pd.concat([pools(comparable(published, cohort, **choice)).assign(choice=said)
                       for said, choice in choices.items()])  # fmt: skip
    found = found[found["comparison"].isin(found.loc[found["pooled"], "comparison"])].sort_values(
        "comparison", key=lambda of: of.map([one.id for one in COMPARISONS].index), kind="stable")  # fmt: skip
    return found.fillna({"text": "not pooled"})[[*SENSITIVITY_COLUMNS]].reset_index(drop=True)


def _estimate(found: Pooled, eligible: pd.DataFrame) -> dict[str, object]:
    """The columns of a pooled rate."""
    low, high = (_percent(end) for end in (found.lower, found.upper))
    words = {"time": eligible["time"].iloc[0], "text": f"{_percent(found.percent)}% ({low} to {high})",
             "tau": found.tau, "differs": _differs(eligible), "percent": found.percent, "lower": found.lower,
             "upper": found.upper, "predicted_lower": found.predicted_lower,
             "predicted_upper": found.predicted_upper}  # fmt: skip
    if found.method == EXACT:
        return words | {"predicted": "every study has nobody, or everybody: exact interval of all together"}
    predicted = f"{_percent(found.predicted_lower)} to {_percent(found.predicted_upper)}"
    spans = found.predicted_upper - found.predicted_lower
    vague = ": too wide to say much about the next cohort" if spans > WIDE_PREDICTION else ""
    return words | {"predicted": f"{predicted}%{vague}", "left_out_one": _left_out_one(eligible)}


def _left_out_one(eligible: pd.DataFrame) -> str:
    """The range of estimates when each study in turn is left out; of three studies none can be."""
    if len(eligible) == LEAST:
        return ""
    rest = (eligible.drop(index=index) for index in eligible.index)
    found = [estimate(rows["events"], rows["denominator"]) for rows in rest]
    return f"{_percent(min(found))} to {_percent(max(found))}%"


def _differs(eligible: pd.DataFrame) -> str:
    """What differs between pooled studies, or is not known, by the columns of the table."""
    said = []
    for name, words in {"assay": "assay", "threshold": "threshold", "group_as_published": "whom", "country": "country",
                        "count_basis": "counts"}.items():  # fmt: skip
        values = eligible[name].replace("", "not stated").str.replace("_", "-")
        said.append(f"{words}: " + ", ".join(f"{value} ({many})" if many > 1 else value
                                             for value, many in values.value_counts(sort=False).items()))  # fmt: skip
    return "; ".join(said) + "; dose, length of course and burden before are not in the table"


def _percent(value: float) -> str:
    return decimal_text(exact(value), 1)


# The report itself and others of its centre

# Outcomes of another report of the same patients and what this report calls them, where it has them.
_COUNTERPARTS = {
    "mrd_neg": ("mrd_neg_fc", "mrd_neg_fc_and_pcr"),
    "crs_any": ("crs_any_astct_reading",),
    "crs_grade1": ("fever_only",),
    "crs_grade2": ("crs_grade2",),
}
OVERLAP_COLUMNS = (
    "study",
    "kind",
    "outcome",
    "text",
    "here",
    "here_text",
    "among_them",
    "fits",
    "rule",
    "k_there",
    "n_there",
    "n_here",
)
_RULE_OF = {"mrd_neg_fc": "FC", "mrd_neg_fc_and_pcr": "FC and RT-PCR"}


def overlap(published: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """What smaller reports that may share patients with the cohort's own report say, beside it; `OVERLAP_COLUMNS`.

    A larger report cannot be checked in this way, since its patients cannot all be among these. `text` and `here_text`
    are k/n there and here, `here` the outcome's name here (both blank where this report has no such number: the other
    one adds it). `among_them` is how many of the other report's patients would have the outcome if all of them were
    among this report's: between k - (n - m) and k of m; `fits` whether the other report's count is one of these (yes,
    no, blank where there is nothing to compare).
    """
    own = published[_is_own(published, cohort)]
    others = sharing(published, cohort)
    rows = []
    for other in others[others["n"].le(own["n"].max())].itertuples():
        same = own[own["comparable_group"].eq(other.comparable_group)]
        here = same[same["outcome"].isin(_COUNTERPARTS.get(other.outcome, ()))]
        words = {"study": other.label, "kind": other.overlap_kind.replace("_", " "),
                 "outcome": OUTCOMES.get(other.outcome, other.outcome)}  # fmt: skip
        if pd.isna(other.events):
            rows.append(words | {"text": "not printed"})
            continue
        words |= {"text": f"{other.events}/{other.denominator}"}
        rows += [words | _counterpart(other, row) for row in here.itertuples()] or [words]
    words = [name for name in OVERLAP_COLUMNS if name not in ("k_there", "n_there", "n_here")]
    return pd.DataFrame(rows, columns=OVERLAP_COLUMNS).fillna(dict.fromkeys(words, ""))


def _counterpart(other: object, here: object) -> dict[str, str]:
    m = other.denominator
    low, high = max(0, here.events - (here.denominator - m)), min(here.events, m)
    return {"here": OUTCOMES[here.outcome], "here_text": f"{here.events}/{here.denominator}",
            "among_them": f"{low}" if low == high else f"{low} to {high}",
            "fits": "yes" if low <= other.events <= high else "no",
            "rule": _RULE_OF.get(here.outcome, ""), "k_there": other.events, "n_there": m,
            "n_here": here.denominator}  # fmt: skip
