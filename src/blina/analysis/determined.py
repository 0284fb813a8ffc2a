"""What a report determines and what it leaves open: questions declared before their answers, answered over all worlds.

A world is a line list that satisfies every claim. A number is determined where it is the same in all of them, whether
the report prints it or not; else it is open, and its bounds are the least and the greatest value over all worlds.
Bounds are no estimates and no confidence intervals. They are called proven where a world attains each end and two
solvers of different kinds agree that no world lies beyond.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import pandas as pd

from blina.analysis.cohort import TOTAL
from blina.analysis.intervals import rate_text, short_text
from blina.analysis.open import (
    UNCONFIRMED,
    UNDEFINED,
    CohortBounds,
    Span,
    among,
    exact_text,
    load_bounds,
    places_of,
    solver,
    stamp,
    value_text,
)
from blina.analysis.questions import (
    Asked,
    Rows,
    Total,
    both,
    count,
    of_burden_test,
    of_fusion_contrast,
    of_rates,
    of_severe_reactions,
)
from blina.analysis.response import BECAME, CLEARING, EVALUABLE_SETS, RULES, STAYED, choice, rule_of
from blina.claims.bounds import shown
from blina.claims.consistent import Consistency, consistent
from blina.claims.document import Document, PatientRule, load_claims
from blina.claims.sample import Distance, Sampler
from blina.claims.status import Status
from blina.claims.worlds import Contradictory
from blina.linelist.cohort import Cohort
from blina.linelist.columns import COLUMNS
from blina.linelist.columns import RULES as RULES_OF_EVERY_LINE_LIST
from blina.linelist.predicate import PredicateError, compile_predicate
from blina.linelist.table import Table
from blina.yamlfile import FileError, read_text

CONTRADICTORY, UNKNOWN = Status.CONTRADICTORY, Status.UNKNOWN
UNITS = {  # in the order of tables and figures
    "patients": "number of patients",
    "months": "months from diagnosis to first infusion",
    "percent": "MRD before treatment (%)",
    "cycles": "cycles",
    "days": "days of infusion in cycle 1",
    "years": "age (years)",
}
GREATEST, CARRIERS_GREATEST = "greatest MRD", "greatest MRD of a BCR::ABL1 carrier"
CARRIERS = "BCR::ABL1 carriers"
RULES_OF_CONTRAST = ("fc", "fc_and_pcr")  # by RT-PCR alone, carriers have nobody to compare with
EQUALLY_LIKELY = "every line list equally likely (patients told apart)"
_AFTER_WORDS = {"months": ", months", "percent": ", %", "years": ", years"}  # units that the words leave out
READINGS_FILE = "readings.csv"
AS_READ = ""  # in its column `reading`: with every reading
READING_COLUMNS = ("reading", "group", "question", "lower", "upper", "n_lower", "n_upper", "status",
                   "sometimes_undefined")  # fmt: skip
ROUNDING_WORDS = {"half_up": "halves up", "half_even": "halves to the even digit", "half_down": "halves down",
                  "truncate": "further digits cut off"}  # fmt: skip


# What is asked about


def claims_of(cohort: Cohort, document: Document) -> tuple[Cohort, Document]:
    """The cohort with those groups that its claims can be about, and the claims with every column of a line list.

    Columns that the claims file leaves out come with the rules that every line list obeys on them.
    """
    known = document.columns
    needed = (column for column in COLUMNS if column.type != "identifier" and not column.optional)
    added = {column.name: column for column in needed if column.name not in known}
    columns = added | known
    rules = []
    for rule in RULES_OF_EVERY_LINE_LIST if added else ():
        try:
            when, then = (compile_predicate(part, columns) for part in (rule.when, rule.then))
        except PredicateError:  # the claims give one of its columns other values
            continue
        if (when.column_names() | then.column_names()) & added.keys():
            rules.append(PatientRule(rule.id, when, then, rule.why))
    groups = tuple(group for group in cohort.groups if group.name in columns["group"].words)
    return (
        cohort.model_copy(update={"groups": groups}),
        replace(document, columns=columns, rules=(*document.rules, *rules)),
    )


def bounds_of(cohort: Cohort, document: Document) -> CohortBounds:
    """Bounds of whatever is asked: as recorded in the cohort's `bounds.csv`, else found by the solvers on the way."""
    recorded = load_bounds(cohort)
    return CohortBounds(cohort, dict(recorded.spans) if recorded else {}, solver(document))


# The questions


@dataclass(frozen=True)
class Declared:
    """A number that a reader may want to know: whose (`group`), what (`words`), in which unit, and the question.

    `whole`: of a number of patients, among how many they are counted.
    """

    group: str
    words: str
    unit: str
    asked: Asked | Total
    whole: Asked | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.group, self.words

    @property
    def what(self) -> str:
        """The words with the unit, for a table in which units change from row to row."""
        return self.words + _AFTER_WORDS.get(self.unit, "")


def declared(cohort: Cohort) -> tuple[Declared, ...]:
    """Every question that is asked of a cohort's claims, whatever the answer turns out to be."""
    return (*_of_patients(cohort), *_of_numbers(cohort))


_CARRIERS, _GIRLS = {"bcr_abl1": "yes"}, {"sex": "female"}
_EARLY = {"stop_reason": ["severe_reaction", "economic"]}
_SEVERE = {"any_of": [{"crs_grade": {"at_least": "3"}}, {"icans_grade": {"at_least": "3"}}]}


def _share(group: str, words: str, whom: Rows, what: Rows) -> Declared:
    return Declared(group, words, "patients", count(whom, what), count(whom))


def _rate(group: str, cohort: Cohort, rule: str, evaluable_set: str = "all_treated", measure: str = BECAME) -> Declared:
    row = {"group": group, "measure": measure, "rule": rule, "evaluable_set": evaluable_set}
    asked = of_rates(row, cohort)
    words = f"{measure} by {choice(RULES, rule).label}"
    if evaluable_set != "all_treated":
        words += f", {choice(EVALUABLE_SETS, evaluable_set).label}"
    return Declared(group, words, "patients", asked["k"], asked["n"])


def _of_patients(cohort: Cohort) -> Iterator[Declared]:
    groups = [group.name for group in cohort.groups]
    clearing = [group for group in cohort.groups if group.purpose in CLEARING]
    yield _share(TOTAL, "negative after by FC", {}, {"fc_after": "negative"})
    for name in pooled_and_single(cohort):
        yield _rate(name, cohort, "fc")
        yield _rate(name, cohort, "fc_and_pcr")
        for rule in RULES_OF_CONTRAST:
            asked = of_fusion_contrast({"group": name, "measure": BECAME, "rule": rule}, cohort)
            words = f"{CARRIERS} negative after by {choice(RULES, rule).label}"
            yield Declared(name, words, "patients", asked["carriers_k"], asked["carriers_n"])
    yield _share(TOTAL, "negative after by FC but positive by RT-PCR", {},
                 {"fc_after": "negative", "pcr_after": "positive"})  # fmt: skip
    yield _share(TOTAL, "BCR::ABL1 carriers negative after by RT-PCR", _CARRIERS, {"pcr_after": "negative"})
    yield _share(TOTAL, "BCR::ABL1 carriers negative after by FC", _CARRIERS, {"fc_after": "negative"})
    yield _share(TOTAL, "BCR::ABL1 carriers positive before by RT-PCR", _CARRIERS, {"pcr_before": "positive"})
    for group in clearing:
        yield _share(group.name, "positive before by FC", {"group": group.name}, {"fc_before": "positive"})
    for group in cohort.groups:
        if group.purpose == "bridging":
            yield _rate(group.name, cohort, "fc", measure=STAYED)
    for group in clearing:
        if group.purpose == "clearance":
            for name in ("more_than_7_days", "severe_stops_failed", "without_severe_stops"):
                yield _rate(group.name, cohort, group.reported_rule or "fc", name)
    yield _share(TOTAL, "negative after by FC, of those who stopped early", _EARLY, {"fc_after": "negative"})
    strict = {"fc_after": "negative", "pcr_after": ["negative", "not_applicable"]}
    yield _share(TOTAL, "negative after by FC and RT-PCR, of those who stopped early", _EARLY, strict)
    yield _share(TOTAL, "negative after by FC and RT-PCR, of those with CRS or ICANS of grade 3 or more",
                 _SEVERE, strict)  # fmt: skip
    reactions = of_severe_reactions({"group": TOTAL}, cohort)
    yield Declared(TOTAL, "stopped for a severe reaction that is not described", "patients",
                   reactions["difference"], reactions["stopped_for_severe"])  # fmt: skip
    yield _share(TOTAL, "with 14 to 28 days of infusion in cycle 1", {},
                 {"infusion_days": {"at_least": "14", "at_most": "28"}})  # fmt: skip
    for name in groups:
        yield _share(name, "girls", {"group": name}, _GIRLS)
    yield _share(TOTAL, "girls among BCR::ABL1 carriers", _CARRIERS, _GIRLS)
    for name in groups:
        yield _share(name, "given further cycles", {"group": name}, {"extra_cycles": {"at_least": "1"}})
    for group in cohort.groups:
        if group.purpose == "bridging":
            for reason in ("pancreatitis", "infection", "endocarditis"):
                yield _share(group.name, f"intolerance because of {reason}", {"group": group.name},
                             {"intolerance_reason": reason})  # fmt: skip
    for name in groups:
        yield _share(name, "CRS of any grade", {"group": name}, {"crs_grade": {"at_least": "1"}})
    yield _share(TOTAL, "ICANS of any grade", {}, {"icans_grade": {"at_least": "1"}})
    yield _share(TOTAL, "fever in cycle 1", {}, {"fever_cycle1": "yes"})
    yield _share(TOTAL, "fever in cycle 1 among BCR::ABL1 carriers", _CARRIERS, {"fever_cycle1": "yes"})


def _of_numbers(cohort: Cohort) -> Iterator[Declared]:
    whom = {TOTAL: {}} | {group.name: {"group": group.name} for group in cohort.groups}
    clearing = [group for group in cohort.groups if group.purpose in CLEARING]
    bridging = [group.name for group in cohort.groups if group.purpose == "bridging"]
    for name, rows in whom.items():
        yield Declared(name, "median interval", "months", Asked("median", rows, "months_from_diagnosis"))
        if name not in bridging:  # so few that the mean would only say to how many decimals intervals are recorded
            yield Declared(name, "mean interval", "months", Asked("mean", rows, "months_from_diagnosis"))
    pooled = {"group": [group.name for group in clearing]}
    if len(clearing) > 1:
        yield Declared(_joined(clearing), "median MRD", "percent", Asked("median", pooled, "mrd_before_percent"))
    for group in clearing:
        yield Declared(group.name, "mean MRD", "percent", Asked("mean", whom[group.name], "mrd_before_percent"))
        yield Declared(group.name, GREATEST, "percent", Asked("max", whom[group.name], "mrd_before_percent"))
        carriers = both(whom[group.name], _CARRIERS)
        yield Declared(group.name, CARRIERS_GREATEST, "percent",
                       Asked("max", carriers, "mrd_before_percent"))  # fmt: skip
    yield Declared(TOTAL, "cycles given, the first included", "cycles", Total({}, "extra_cycles", each=1))
    yield Declared(TOTAL, "median days", "days", Asked("median", {}, "infusion_days"))
    yield Declared(TOTAL, "mean days", "days", Asked("mean", {}, "infusion_days"))
    for name, rows in whom.items():
        yield Declared(name, "median age", "years", Asked("median", rows, "age_years"))
    yield Declared(TOTAL, "mean age", "years", Asked("mean", {}, "age_years"))


def _joined(groups: Iterable) -> str:
    return " + ".join(group.name for group in groups)


def pooled_and_single(cohort: Cohort) -> list[str]:
    """The groups treated to clear MRD or to reinduce and, where there are several, all of them together."""
    clearing = [group for group in cohort.groups if group.purpose in CLEARING]
    return [group.name for group in clearing] + ([_joined(clearing)] if len(clearing) > 1 else [])


# The answers


@dataclass(frozen=True)
class Answer:
    """A question, its bounds over all worlds (of a number of patients, with those of `whole`), and both in words.

    `printed`: the report itself gives the number. `here`: its value in the line list at hand, None of nobody.
    """

    question: Declared
    span: Span
    whole: Span | None
    text: str
    printed: bool = False
    here: Fraction | None = None
    here_text: str = ""

    @property
    def determined(self) -> bool:
        return self.span.determined and (self.whole is None or self.whole.determined)

    @property
    def is_open(self) -> bool:
        return not (self.determined or self.printed)

    @property
    def inside(self) -> bool:
        """Whether the line list at hand lies within the bounds."""
        return self.here is None or self.span.lower <= self.here <= self.span.upper


def answers(
    document: Document, bounds: CohortBounds, table: Table | None = None, questions: Iterable[Declared] | None = None
) -> tuple[Answer, ...]:
    """The declared questions (or these) answered; left out are those that have no answer in any world.

    `table` is the line list at hand. Of claims that contradict each other there are no answers.
    """
    found = []
    for question in declared(bounds.cohort) if questions is None else questions:
        span, whole = bounds(question.asked), bounds(question.whole) if question.whole else None
        if span.status in (UNDEFINED, CONTRADICTORY, UNKNOWN) or whole and not whole.upper:
            continue
        here = _compiled(document, question.asked)(table) if table else None
        found.append(
            Answer(
                question,
                span,
                whole,
                _text(document, question, span, whole),
                bool(span.printed) or _ends_a_printed_range(document, question),
                here,
                "" if here is None else _number(document, question, here),
            )
        )
    return tuple(found)


def _ends_a_printed_range(document: Document, question: Declared) -> bool:
    """Whether the question is the least or the greatest value of rows whose range is printed."""
    asked = question.asked
    if isinstance(asked, Total) or asked.statistic not in ("min", "max"):
        return False
    range_ = document.question("range", asked.rows, asked.of)
    return any(
        (claim.statistic, claim.rows, claim.of) == (range_.statistic, range_.rows, range_.of)
        for claim in document.claims
    )


def counts_said(found: Sequence[Answer]) -> str:
    """How many questions there are, and how many answers are determined though not printed, open, and printed."""
    printed = [answer for answer in found if answer.printed]
    facts = sum(answer.determined for answer in found if not answer.printed)
    said = (f"{len(found)} questions: {facts} determined though not printed, "
            f"{sum(answer.is_open for answer in found)} open, {len(printed)} printed by the report")  # fmt: skip
    if rounded := [answer for answer in printed if not answer.determined]:
        one = rounded[0]
        ends = Span(one.span.lower, one.span.upper)
        statistics = {getattr(answer.question.asked, "statistic", "number") for answer in rounded}
        kind = statistics.pop() if len(statistics) == 1 else "number"
        many = f"{len(rounded)} of them as rounded {kind}s" if len(rounded) > 1 else f"1 of them as a rounded {kind}"
        said += f", {many} ({one.span.printed} stands for {ends})"
    return f"{said}."


def _text(document: Document, question: Declared, span: Span, whole: Span | None) -> str:
    """Bounds in words: `10 to 13 of 15`, `18.88 to 29.20`."""
    said = span.printed or _ends(_number(document, question, end) for end in (span.lower, span.upper))
    if whole:
        said = among(span, whole)
    if span.sometimes_undefined:
        said += ", if anybody"
    certain = (span.certain or span.printed) and (whole is None or whole.certain)
    return said if certain else f"{said}, {UNCONFIRMED}"


def _ends(texts: Iterable[str]) -> str:
    return " to ".join(dict.fromkeys(texts))


def _number(document: Document, question: Declared, value: Fraction) -> str:
    """A value in digits: a mean to two decimals, others to those of their column."""
    asked = question.asked
    if isinstance(asked, Total):
        return short_text(value)
    return shown(document.question(asked.statistic, asked.rows, asked.of), value)


def _compiled(document: Document, asked: Asked | Total) -> Callable[[Table], Fraction | None]:
    """What takes the exact value in a line list; None where there is nobody to compute it of."""
    if isinstance(asked, Total):
        number, mean = (_compiled(document, one) for one in (asked.number, asked.mean))
        return lambda table: number(table) * ((mean(table) or 0) + asked.each)
    question = document.question(asked.statistic, asked.rows, asked.of)
    statistic, rows, of = question.statistic, question.rows, question.of
    return lambda table: (statistic.values(table, rows.holds(table), of) or (None,))[0]


def lower_carriers(found: Sequence[Answer], changed: pd.DataFrame | None = None) -> list[str]:
    """A sentence for each group in which no carrier of BCR::ABL1 can have had the greatest MRD of the group.

    With what `changes` found, it names the readings without which the bound would be another.
    """
    spans = {answer.question.key: answer for answer in found}
    said = []
    for (group, words), carriers in spans.items():
        whole = spans.get((group, GREATEST))
        if words == CARRIERS_GREATEST and whole and carriers.span.certain and carriers.span.upper < whole.span.lower:
            most = carriers.text.split(" to ")[-1]
            number = spans.get((group, f"{CARRIERS} negative after by FC"))
            one = number is not None and number.whole.determined and number.whole.upper == 1
            who = f"the one carrier of *BCR::ABL1* had at most {most}%" if one else (
                f"no carrier of *BCR::ABL1* had more than {most}%")  # fmt: skip
            moved = (
                []
                if changed is None
                else [row.reading for row in changed.itertuples() if (row.group, row.question) == (group, words)]
            )
            on = f" (reading {', '.join(moved)})" if moved else ""
            said.append(f"In {group} {who} MRD before treatment, while the group reaches {whole.text}%{on}.")
    return said


def rests_on(changed: pd.DataFrame, *questions: tuple[str, str]) -> str:
    """Readings of `changes` without which an answer to one of these questions, determined as read, would not be so."""
    rows = (row for row in changed.itertuples() if row.was_determined and (row.group, row.question) in questions)
    return ", ".join(dict.fromkeys(row.reading for row in rows))


def answer_table(found: Sequence[Answer], changed: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row per answer: whose, what, unit, bounds and the line list's own value as texts and as numbers.

    With what `changes` found, `rests_on` names the readings without which a determined answer would be open.
    """
    rows = []
    for answer in found:
        ends = {"least": answer.span.lower, "greatest": answer.span.upper, "here": answer.here}
        numbers = {name: None if end is None else float(end) for name, end in ends.items()}
        wholes = [None if answer.whole is None else int(end) for end in _both_ends(answer.whole)]
        rows.append(
            {"group": answer.question.group, "question": answer.question.words, "what": answer.question.what,
             "unit": answer.question.unit, "text": answer.text, "here_text": answer.here_text, **numbers,
             "n_least": wholes[0], "n_greatest": wholes[1], "status": answer.span.status,
             "determined": answer.determined, "printed": answer.printed, "open": answer.is_open,
             "rests_on": "" if changed is None else rests_on(changed, answer.question.key)}
        )  # fmt: skip
    columns = ("group", "question", "what", "unit", "text", "here_text", "least", "greatest", "here", "n_least",
               "n_greatest", "status", "determined", "printed", "open", "rests_on")  # fmt: skip
    types = dict.fromkeys(("n_least", "n_greatest"), "Int64") | dict.fromkeys(("determined", "printed", "open"), bool)
    return pd.DataFrame(rows, columns=columns).astype(types)


def _both_ends(span: Span | None) -> tuple[Fraction | None, Fraction | None]:
    return (None, None) if span is None else (span.lower, span.upper)


def contrast_rests_on(changed: pd.DataFrame, group: str, rule: str) -> str:
    """Readings without which carriers of BCR::ABL1 against the others in a group would be open, by a rule.

    The others are the group less its carriers, so both sides follow from the two.
    """
    words = f"negative after by {choice(RULES, rule).label}"
    return rests_on(changed, (group, words), (group, f"{CARRIERS} {words}"))


# Rounding


def rounding(document: Document, found: Consistency) -> pd.DataFrame:
    """Each way of rounding: whether all claims can be true under it and, if not, which numbers rule it out.

    A number that rules a way out alone is given with what it would have been, where that is the one change that helps.
    """
    claims = {claim.id: claim for claim in document.claims}
    rows = []
    for mode, status in found.rounding.items():
        because = []
        if status == CONTRADICTORY:
            other = consistent(replace(document, modes=(mode,)))
            instead = {repair.claim: repair.instead for repair in other.repairs}
            for conflict in other.conflicts:
                told = [f"{claims[id].words} ({claims[id].where or id}), printed {claims[id].printed}"
                        + (f", would be {instead[id]}" if id in instead else "") for id in conflict]  # fmt: skip
                because.append(" against ".join(told))
        allowed = "yes" if mode in document.modes else "no"
        rows.append({"rounding": ROUNDING_WORDS[mode], "all_claims": status, "ruled_out_by": "; ".join(because),
                     "allowed_in_the_claims_file": allowed})  # fmt: skip
    return pd.DataFrame(rows)


# What rests on readings


Found = tuple[Span, Span | None]  # bounds of what is asked and, of a number of patients, of how many are counted
Recorded = dict[tuple[str, str, str], Found]  # by reading, group and question


def without_each(cohort: Cohort, document: Document, questions: Iterable[Declared] | None = None) -> Recorded:
    """Bounds of every question (or of these) with all readings, `AS_READ`, and without each in turn.

    Without a reading there are more worlds, so bounds can only widen: what does not change without several of them does
    not change without any one of them. So all are dropped together first, then halves of them where something changes.
    Empty where the claims contradict each other.
    """
    by_dropped: dict[tuple[str, ...], CohortBounds] = {}

    def ask(question: Declared, dropped: tuple[str, ...]) -> Found:
        if dropped not in by_dropped:
            by_dropped[dropped] = CohortBounds(cohort, {}, solver(document.without(dropped)))
        bounds = by_dropped[dropped]
        span, whole = bounds(question.asked), bounds(question.whole) if question.whole else None
        status = span.status if whole is None or whole.certain else whole.status
        plain = Span(span.lower, span.upper, status, span.sometimes_undefined)
        return plain, None if whole is None else Span(whole.lower, whole.upper)

    def without(question: Declared, readings: tuple[str, ...], as_read: Found) -> dict[str, Found]:
        found = ask(question, readings)
        if len(readings) == 1 or found == as_read and found[0].certain:
            return dict.fromkeys(readings, found)
        half = len(readings) // 2
        return without(question, readings[:half], as_read) | without(question, readings[half:], as_read)

    every = tuple(reading.id for reading in document.readings)
    result: Recorded = {}
    for question in declared(cohort) if questions is None else questions:
        as_read = ask(question, ())
        if as_read[0].status == CONTRADICTORY:
            return {}
        each = without(question, every, as_read) if every else {}
        result |= {(reading, *question.key): found for reading, found in ({AS_READ: as_read} | each).items()}
    return result


def make_readings(cohort: Cohort) -> int:
    """Answer every question without each reading in turn and write `readings.csv` beside the claims; how many rows.

    The same bytes for the same claims. Takes most of a minute for a dozen readings.
    """
    here, document = claims_of(cohort, load_claims(cohort.claims))
    found = without_each(here, document)
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(READING_COLUMNS)
    for reading, *question in _wanted(here, document):
        span, whole = found[reading, *question]
        ends = ("" if end is None else exact_text(end) for end in (*_both_ends(span), *_both_ends(whole)))
        writer.writerow((reading, *question, *ends, span.status, "yes" if span.sometimes_undefined else "no"))
    path = cohort.folder / READINGS_FILE
    part = path.with_name(f".{path.name}.part")
    part.write_text(f"{stamp(cohort)}\n{lines.getvalue()}", encoding="utf-8", newline="")
    os.replace(part, path)
    return len(found)


def _wanted(cohort: Cohort, document: Document) -> list[tuple[str, str, str]]:
    """What `readings.csv` has a row for: every reading and question, in order."""
    readings = (AS_READ, *(reading.id for reading in document.readings))
    return [(reading, *question.key) for reading in readings for question in declared(cohort)]


def load_readings(cohort: Cohort, document: Document) -> Recorded:
    """What `without_each` finds: of a reconstructed cohort from its `readings.csv`, else found now.

    FileError where the file is missing or damaged, or was made from other claims or for other questions.
    """
    if not cohort.reconstructed:
        return without_each(cohort, document)
    path = cohort.folder / READINGS_FILE
    if not path.exists():
        raise FileError(f"there is no {path.name} beside {cohort.claims.name}: run make linelist")
    first, _, rest = read_text(path, "table of readings").partition("\n")
    if first != stamp(cohort):
        raise FileError(f"{path.name} was made from another {cohort.claims.name}: run make linelist")
    try:
        found = dict(map(_recorded, csv.DictReader(io.StringIO(rest))))
    except (KeyError, TypeError, ValueError):
        raise FileError(f"{path.name} is damaged: run make linelist") from None
    if [*found] != _wanted(cohort, document):
        raise FileError(f"{path.name} was made for other questions: run make linelist")
    return found


def _recorded(row: dict[str, str]) -> tuple[tuple[str, str, str], Found]:
    """A row of `readings.csv`. KeyError, TypeError or ValueError where it is none."""
    if None in row.values() or None in row:
        raise ValueError("a cell is missing, or there is one too many")
    low, high, n_low, n_high = (Fraction(row[end]) if row[end] else None
                                for end in ("lower", "upper", "n_lower", "n_upper"))  # fmt: skip
    span = Span(low, high, row["status"], row["sometimes_undefined"] == "yes")
    return (row["reading"], row["group"], row["question"]), (span, None if n_low is None else Span(n_low, n_high))


def changes(cohort: Cohort, document: Document, recorded: Recorded) -> pd.DataFrame:
    """What changes when a reading is dropped: one row per reading and question whose bounds are not as before.

    Columns: reading, group, question, what, `as_read`, `without` (texts), `was_determined`, `lower`, `upper` (Fraction,
    without the reading).
    """
    rows = []
    for reading in document.readings:
        for question in declared(cohort):
            before, after = (recorded.get((one, *question.key)) for one in (AS_READ, reading.id))
            if before == after:
                continue
            texts = ["nobody" if span.lower is None else _text(document, question, span, whole)
                     for span, whole in (before, after)]  # fmt: skip
            settled = all(span is None or span.determined for span in before)
            rows.append({"reading": reading.id, "group": question.group, "question": question.words,
                         "what": question.what, "as_read": texts[0], "without": texts[1], "was_determined": settled,
                         "lower": after[0].lower, "upper": after[0].upper})  # fmt: skip
    columns = ("reading", "group", "question", "what", "as_read", "without", "was_determined", "lower", "upper")
    return pd.DataFrame(rows, columns=columns).astype({"was_determined": bool})


_PAIR = re.compile(r"(\d+(?:\.\d+)?)(?: \w+)? (?:to|and|rather than) (\d+(?:\.\d+)?)")


def stated_alternatives(document: Document, changed: pd.DataFrame) -> pd.DataFrame:
    """Pairs of numbers in the alternatives that a claims file states for its readings, beside bounds found without.

    One row per pair such as "3 and 16" or "2 to 5": `found` names the question whose bounds without the reading are
    these two numbers, or is blank where there is none.
    """
    rows = []
    for reading in document.readings:
        mine = changed[changed["reading"] == reading.id]
        for alternative in reading.alternatives:
            for pair in _PAIR.finditer(alternative):
                ends = sorted(map(Fraction, pair.groups()))
                same = [f"{row.group}: {row.question}, {row.without}" for row in mine.itertuples()
                        if [row.lower, row.upper] == ends]  # fmt: skip
                rows.append({"reading": reading.id, "alternative": alternative, "stated": pair[0],
                             "found": same[0] if same else ""})  # fmt: skip
    return pd.DataFrame(rows, columns=("reading", "alternative", "stated", "found"))


# Conclusions


def separated(bounds: CohortBounds, group: str, rule: str | None = None) -> str:
    """Whether, by a rule (`response.rule_of`), each responder of a group had less MRD before than each other patient.

    "in every world", with the two values that touch; "in no world"; "open" where worlds differ; "nobody to compare".
    """
    asked = of_burden_test({"group": group, "rule": rule_of(bounds.cohort.group(group), rule)}, bounds.cohort)
    most, least = (bounds(asked[name]) for name in ("responders_greatest", "others_least"))
    if UNDEFINED in (most.status, least.status):
        return "nobody to compare"
    if not (most.certain and least.certain) or most.sometimes_undefined or least.sometimes_undefined:
        return "open"
    if most.upper < least.lower:
        ends = (value_text(end, places_of(asked["others_least"].of)) for end in (most.upper, least.lower))
        return "in every world, at most {} against at least {}".format(*ends)
    return "in no world" if most.lower >= least.upper else "open"


def rates_at_both_ends(bounds: CohortBounds) -> pd.DataFrame:
    """The rule behind each reported rate under every evaluable set, with the exact interval at the fewest and the most.

    Columns: group, rule, evaluable_set (labels), patients, `at_the_fewest`, `at_the_most` (blank where it is open how
    many are counted), open (bool).
    """
    rows = []
    for group in bounds.cohort.groups:
        if group.reported_rule is None or group.purpose not in CLEARING:
            continue
        for evaluable in EVALUABLE_SETS:
            row = {"group": group.name, "measure": BECAME, "rule": group.reported_rule, "evaluable_set": evaluable.id}
            k, n = (replace(bounds(of_rates(row, bounds.cohort)[name]), printed="") for name in ("k", "n"))
            sure = k.certain and n.determined and None not in _both_ends(k)
            fewest, most = (rate_text(int(end), int(n.lower)) if sure else "" for end in _both_ends(k))
            rows.append({"group": group.name, "rule": choice(RULES, group.reported_rule).label,
                         "evaluable_set": evaluable.label, "patients": among(k, n),
                         "at_the_fewest": fewest, "at_the_most": most if most != fewest else "",
                         "open": not (k.determined and n.determined)})  # fmt: skip
    return pd.DataFrame(rows, columns=("group", "rule", "evaluable_set", "patients", "at_the_fewest", "at_the_most",
                                       "open"))  # fmt: skip


# An ensemble of worlds


@dataclass(frozen=True)
class Ensemble:
    """Worlds drawn by `claims.sample`, each rechecked: what was seen in them, by question, and how they were drawn.

    `seen` gives least and greatest value, None where the number had no value in any of them. `measure` says how likely
    each world was to be drawn, `size` how many there are, the sentence `distance` how far two of them can differ.
    """

    worlds: int
    measure: str
    size: str
    distance: str
    seen: dict[tuple[str, str], tuple[Fraction, Fraction] | None]

    def said(self, found: Sequence[Answer]) -> str:
        """How they were drawn, and how far they reach into the bounds of these answers."""
        if not self.worlds:
            return f"No world was drawn: {self.measure}."
        is_open = [answer for answer in found if answer.is_open]
        reached = sum(self.seen[answer.question.key] == _both_ends(answer.span) for answer in is_open)
        fixed = [self.seen[answer.question.key] for answer in found if answer.determined]
        varied = sum(ends is not None and ends[0] != ends[1] for ends in fixed)
        return (
            f"{self.worlds} worlds drawn, {self.measure}, each rechecked claim by claim. There are {self.size} such "
            f"worlds. {self.distance} Both ends were seen for {reached} of {len(is_open)} open numbers. Of the "
            f"{len(fixed)} numbers that are exactly the same in every world, {varied or 'none'} varied."
        )


def ensemble(document: Document, found: Sequence[Answer], worlds: int, seed: int) -> Ensemble:
    """Draw worlds and take every answered question in each; 0 worlds where there is none, `measure` then says why.

    ValueError if `worlds` is below 1; AssertionError where a value lies outside its bounds.
    """
    if worlds < 1:
        raise ValueError(f"draw at least one world, not {worlds}")
    try:
        sampler = Sampler(document, seed)
    except (Contradictory, TimeoutError) as error:
        return Ensemble(0, str(error), "unknown", "unknown", {answer.question.key: None for answer in found})
    compiled = [(answer, _compiled(document, answer.question.asked)) for answer in found]
    values: dict[tuple[str, str], set[Fraction | None]] = {answer.question.key: set() for answer in found}
    for table in sampler.draws(worlds):
        for answer, value in compiled:
            values[answer.question.key].add(value(table))
    for answer in found:
        inside = values[answer.question.key]
        inside.discard(None)  # nobody to compute it of
        assert not inside or answer.span.lower <= min(inside) <= max(inside) <= answer.span.upper, answer.question.key
    limits, distance = sampler.log10_bounds(), sampler.distance()
    size = f"10^{sampler.log10_count:.1f}" if limits is None else "10^{:.1f} to 10^{:.1f}".format(*limits)
    if limits is None and sampler.log10_count > 10:
        size = f"about 10^{sampler.log10_count:.0f}"
    measure = EQUALLY_LIKELY if sampler.exact else sampler.measure
    differ = f"Two of them can differ in {_in_rows(distance, document.patients)}, however rows are matched."
    seen = {key: (min(inside), max(inside)) if inside else None for key, inside in values.items()}
    return Ensemble(worlds, measure, size, differ, seen)


def _in_rows(distance: Distance, patients: int) -> str:
    """In how many rows two worlds can differ: "all 28 rows", "2 of 28 rows", "20 to 28 of 28 rows"."""
    if distance.at_least == patients:
        return f"all {patients} rows"
    ends = dict.fromkeys((distance.at_least, distance.at_most))
    return f"{' to '.join(map(str, ends))} of {patients} rows"


def seen_table(document: Document, drawn: Ensemble, found: Sequence[Answer]) -> pd.DataFrame:
    """Bounds beside what was seen in the ensemble, one row per answer.

    Columns: group, question, what, bounds, seen (texts); `both_ends` (bool: both were seen), open (bool).
    """
    rows = []
    for answer in found:
        question, ends = answer.question, drawn.seen[answer.question.key]
        said = "nobody" if ends is None else _ends(_number(document, question, end) for end in ends)
        rows.append({"group": question.group, "question": question.words, "what": question.what, "bounds": answer.text,
                     "seen": said, "both_ends": ends == _both_ends(answer.span), "open": answer.is_open})  # fmt: skip
    columns = ("group", "question", "what", "bounds", "seen", "both_ends", "open")
    return pd.DataFrame(rows, columns=columns).astype({"open": bool})
