"""What a report determines and what it leaves open: questions declared before their answers, answered over all worlds.

A world is a line list that satisfies every claim. A number is determined where it is the same in all of them, whether
the report prints it or not; else it is open, and its bounds are the least and the greatest value over all worlds.
Bounds are no estimates and no confidence intervals. They are called proven where a world attains each end and two
solvers of different kinds agree that no world lies beyond.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import pandas as pd

from blina.claims.bounds import shown
from blina.claims.consistent import Consistency, consistent
from blina.claims.document import Document, PatientRule
from blina.claims.sample import Distance, Sampler
from blina.claims.status import Status
from blina.claims.worlds import Contradictory
from blina.linelist.cohort import Cohort
from blina.linelist.columns import COLUMNS
from blina.linelist.columns import RULES as RULES_OF_EVERY_LINE_LIST
from blina.linelist.predicate import PredicateError, compile_predicate
from blina.linelist.table import Table
from blina.measures.asking import Declared, check_question, declared
from blina.measures.bounds import CohortBounds, Solver, load_bounds
from blina.measures.choices import CLEARING, EVALUABLE_SETS, RULES, choice, rule_of
from blina.measures.declare import BECAME, OTHERS, RESPONDERS
from blina.measures.intervals import rate_text, short_text
from blina.measures.language import Asked, Total
from blina.measures.recorded import both_ends
from blina.measures.results import Result, Results
from blina.measures.span import Span, among, value_text
from blina.measures.text import UNCONFIRMED, places_of

GREATEST, CARRIERS_GREATEST = "greatest MRD", "greatest MRD of a BCR::ABL1 carrier"
CARRIERS = "BCR::ABL1 carriers"
EQUALLY_LIKELY = "every line list equally likely (patients told apart)"
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
    return CohortBounds(cohort, dict(recorded.spans) if recorded else {}, Solver(document))


def pooled_and_single(cohort: Cohort) -> list[str]:
    """The groups treated to clear MRD or to reinduce and, where there are several, all of them together."""
    clearing = [group for group in cohort.groups if group.purpose in CLEARING]
    names = [group.name for group in clearing]
    return [*names, " + ".join(names)] if len(names) > 1 else names


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
        check_question(question, document)
        span, whole = bounds(question.asked), bounds(question.whole) if question.whole else None
        if span.status in (Status.UNDEFINED, Status.CONTRADICTORY, Status.UNKNOWN) or whole and not whole.upper:
            continue
        here = _compiled(document, question.asked)(table) if table else None
        found.append(
            Answer(
                question,
                span,
                whole,
                answer_text(document, question, span, whole),
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


def answer_text(document: Document, question: Declared, span: Span, whole: Span | None) -> str:
    """Bounds in words: `10 to 13 of 15`, `18.88 to 29.20`."""
    said = span.printed or _ends(_number(document, question, end) for end in (span.lower, span.upper))
    if whole:
        said = among(span, whole)
    if span.sometimes_undefined:
        said += ", if anybody"
    return said if is_certain(span, whole) else f"{said}, {UNCONFIRMED}"


def is_certain(span: Span, whole: Span | None) -> bool:
    """Whether bounds, and those of how many are counted, are proven or printed."""
    return bool((span.certain or span.printed) and (whole is None or whole.certain))


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
            most = value_text(carriers.span.upper, places_of(carriers.question.asked.of))
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
        wholes = [None if answer.whole is None else int(end) for end in both_ends(answer.whole)]
        rows.append(
            {"group": answer.question.group, "question": answer.question.words, "what": answer.question.what,
             "unit": answer.question.unit, "text": answer.text, "here_text": answer.here_text, **numbers,
             "n_least": wholes[0], "n_greatest": wholes[1], "status": answer.span.status,
             "determined": answer.determined, "printed": answer.printed, "open": answer.is_open,
             "sometimes_undefined": answer.span.sometimes_undefined,
             "unconfirmed": not is_certain(answer.span, answer.whole),
             "rests_on": "" if changed is None else rests_on(changed, answer.question.key)}
        )  # fmt: skip
    columns = ("group", "question", "what", "unit", "text", "here_text", "least", "greatest", "here", "n_least",
               "n_greatest", "status", "determined", "printed", "open", "sometimes_undefined", "unconfirmed",
               "rests_on")  # fmt: skip
    flags = ("determined", "printed", "open", "sometimes_undefined", "unconfirmed")
    types = dict.fromkeys(("n_least", "n_greatest"), "Int64") | dict.fromkeys(flags, bool)
    return pd.DataFrame(rows, columns=columns).astype(types)


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
        if status == Status.CONTRADICTORY:
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


# Conclusions


def separated(results: Results, group: str) -> str:
    """Whether each responder of a group had less MRD before than each other patient, by the rule of its rate.

    "in every world", with the two values that touch; "in no world"; "open" where worlds differ; "no patients to
    compare".
    """
    rule = rule_of(results.cohort.group(group))
    about = ("burden", group, "MRD before")
    most = results.get(*about, RESPONDERS, rule, "", "max")
    least = results.get(*about, OTHERS, rule, "", "min")
    ends = [result.spans.value for result in (most, least)]
    if Status.UNDEFINED in [end.status for end in ends]:
        return "no patients to compare"
    if not all(end.certain and not end.sometimes_undefined for end in ends):
        return "open"
    if ends[0].upper < ends[1].lower:
        places = places_of(least.measure.of)
        high, low = value_text(ends[0].upper, places), value_text(ends[1].lower, places)
        return f"in every world, at most {high} against at least {low}"
    return "in no world" if ends[0].lower >= ends[1].upper else "open"


def rates_at_both_ends(results: Results) -> pd.DataFrame:
    """The rule behind each reported rate under every evaluable set, with the exact interval at the fewest and the most.

    Columns: group, rule, evaluable_set (labels), patients, `at_the_fewest`, `at_the_most` (blank where it is open how
    many are counted), open (bool).
    """
    rows = []
    for group in results.cohort.groups:
        if group.reported_rule is None or group.purpose not in CLEARING:
            continue
        for evaluable in EVALUABLE_SETS:
            rate = results.get("response", group.name, BECAME, "", group.reported_rule, evaluable.id)
            rows.append(_at_both_ends(rate, evaluable.label))
    columns = ("group", "rule", "evaluable_set", "patients", "at_the_fewest", "at_the_most", "open")
    return pd.DataFrame(rows, columns=columns)


def _at_both_ends(rate: Result, evaluable_set: str) -> dict[str, object]:
    k, n = (replace(span, printed="") for span in (rate.spans.k, rate.spans.n))
    texts = ["", ""]
    if k.certain and n.determined and None not in (k.lower, k.upper):
        texts = [rate_text(int(end), int(n.lower)) for end in (k.lower, k.upper)]
    fewest, most = texts
    return {
        "group": rate.measure.group,
        "rule": choice(RULES, rate.measure.rule).label,
        "evaluable_set": evaluable_set,
        "patients": among(k, n),
        "at_the_fewest": fewest,
        "at_the_most": most if most != fewest else "",
        "open": not (k.determined and n.determined),
    }


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
        reached = sum(self.seen[answer.question.key] == both_ends(answer.span) for answer in is_open)
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
                     "seen": said, "both_ends": ends == both_ends(answer.span), "open": answer.is_open})  # fmt: skip
    columns = ("group", "question", "what", "bounds", "seen", "both_ends", "open")
    return pd.DataFrame(rows, columns=columns).astype({"open": bool})
