"""What rests on readings: every question asked again without each reading, and what changes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction

import pandas as pd

from blina.analysis.determined import answer_text, claims_of
from blina.claims.document import Document, load_claims
from blina.claims.status import Status
from blina.linelist.cohort import Cohort
from blina.measures.asking import Declared, check_question, declared
from blina.measures.bounds import CohortBounds, Solver, exact_text, stamped
from blina.measures.recorded import (
    AS_READ,
    READING_COLUMNS,
    READINGS_FILE,
    Found,
    Recorded,
    both_ends,
    load_recorded,
)
from blina.measures.span import Span
from blina.yamlfile import FileError

Asking = Iterable[Declared]


def without_each(cohort: Cohort, document: Document, questions: Asking | None = None) -> Recorded:
    """Bounds of every question (or of these) with all readings, `AS_READ`, and without each in turn.

    Without a reading there are more worlds, so bounds can only widen: what does not change without several of them does
    not change without any one of them. So all are dropped together first, then halves of them where something changes.
    Empty where the claims contradict each other.
    """
    by_dropped: dict[tuple[str, ...], CohortBounds] = {}

    def ask(question: Declared, dropped: tuple[str, ...]) -> Found:
        if dropped not in by_dropped:
            by_dropped[dropped] = CohortBounds(cohort, {}, Solver(document.without(dropped)))
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
        check_question(question, document)
        as_read = ask(question, ())
        if as_read[0].status == Status.CONTRADICTORY:
            return {}
        each = without(question, every, as_read) if every else {}
        result |= {(reading, *question.key): found for reading, found in ({AS_READ: as_read} | each).items()}
    return result


def readings_text(cohort: Cohort) -> str:
    """The content of `readings.csv`: every question answered as read and without each reading in turn.

    The same bytes for the same claims. Takes most of a minute for a dozen readings.
    """
    here, document = claims_of(cohort, load_claims(cohort.claims))
    found = without_each(here, document)
    rows = []
    for key in _wanted(here, document):
        span, whole = found[key]
        ends = [*both_ends(span), *both_ends(whole)]
        texts = ["" if end is None else exact_text(end) for end in ends]
        rows.append((*key, *texts, span.status, "yes" if span.sometimes_undefined else "no"))
    return stamped(cohort, READING_COLUMNS, rows)


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
    found = load_recorded(cohort)
    if [*found] != _wanted(cohort, document):
        raise FileError(f"{READINGS_FILE} was made for other questions: run make linelist")
    return found


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
            texts = ["nobody" if span.lower is None else answer_text(document, question, span, whole)
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
