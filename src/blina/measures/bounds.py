"""Bounds of a report's numbers over all line lists that satisfy its claims: kept in a file, or found by a solver."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

from blina.claims.document import Document, Question
from blina.claims.status import Status
from blina.linelist.cohort import Cohort
from blina.measures.declare import Measure
from blina.measures.intervals import decimal_text
from blina.measures.language import NOBODY, Asked, Total, both
from blina.measures.span import NO_VALUE, Span
from blina.yamlfile import FileError, read_text

BOUNDS_COLUMNS = (
    "statistic",
    "rows",
    "of",
    "lower",
    "upper",
    "status",
    "sometimes_undefined",
    "printed",
    "claims",
)
_STAMP = "# claims.yaml, sha256 "

_NONE = Span(Fraction(0), Fraction(0))


class CohortBounds:
    """The bounds of a cohort's numbers, by question: as they were read or, with a solver, found on the way."""

    def __init__(self, cohort: Cohort, spans: dict[tuple, Span], solve: Solver | None = None) -> None:
        self.cohort, self.spans, self._solve = cohort, spans, solve

    @property
    def proven(self) -> bool:
        """Whether two solvers agree on every one of them."""
        return all(span.certain for span in self.spans.values())

    def __call__(self, asked: Asked | Total) -> Span:
        """Bounds of what is asked. FileError where they were not read and there is no solver.

        A statistic of no patients, a percentage of a known number of patients, and a sum follow from
        other bounds.
        """
        if isinstance(asked, Total):
            return self._total(asked)
        if asked.of is not None:
            whole = self(asked.whole)
            if whole.determined and not whole.lower:
                return NO_VALUE
            if asked.statistic == "percent" and whole.determined:
                return self._share(asked, whole.lower)
        return self._kept(asked)

    def _kept(self, asked: Asked) -> Span:
        if asked.key not in self.spans:
            if self._solve is None:
                name = self.cohort.bounds.name
                raise FileError(f"{name} does not hold {asked.words}: run make linelist")
            self.spans[asked.key] = self._solve(asked)
        return self.spans[asked.key]

    def _share(self, asked: Asked, whole: Fraction) -> Span:
        """A percentage of a known number of patients; kept only where the report prints it."""
        span = share(self(asked.part), whole)
        if asked.key not in self.spans and self._solve is not None:
            printed, claims = self._solve.printed(asked)
            if claims:
                self.spans[asked.key] = replace(span, printed=printed, claims=claims)
        return self.spans.get(asked.key, span)

    def _total(self, asked: Total) -> Span:
        number = self(asked.number)
        if number.upper == 0:
            return Span(Fraction(0), Fraction(0), number.status)
        mean = self(asked.mean)
        if mean.lower is None or mean.upper is None:
            return Span(None, None, mean.status)
        ends = []
        for patients in (number.lower, number.upper):
            ends += [patients * (mean.lower + asked.each), patients * (mean.upper + asked.each)]
        is_exact = number.determined and not mean.sometimes_undefined
        return Span(min(ends), max(ends), mean.status if is_exact else Status.OUTER)


def share(part: Span, whole: Fraction) -> Span:
    """A number of patients in percent of a known number."""
    if part.lower is None or part.upper is None:
        return part
    return Span(100 * part.lower / whole, 100 * part.upper / whole, part.status)


@dataclass(frozen=True)
class Spans:
    """The bounds of a measure: of its value and, where it counts patients, of how many and among how many."""

    value: Span
    k: Span = NO_VALUE
    n: Span = NO_VALUE
    also: tuple[Span, ...] = ()

    def each(self) -> tuple[Span, ...]:
        return (self.value, self.k, self.n, *self.also)


def spans_of(measure: Measure, bounds: CohortBounds) -> Spans:
    """A measure's bounds over all line lists that satisfy the claims."""
    also = tuple(bounds(asked) for asked in measure.also)
    n = bounds(Asked("count", measure.rows))
    if not measure.counts:
        return Spans(bounds(measure.asked), n=n, also=also)
    k = _patients(measure, measure.of, bounds)
    if measure.could is not None:
        most = _patients(measure, measure.could, bounds)
        reach = replace(k, upper=most.upper, status=k.status if most.certain else most.status)
        value = share(reach, n.lower) if n.determined and n.lower else NO_VALUE
        return Spans(value, k, n, (*also, most))
    if measure.statistic == "count":
        return Spans(k, k, n, also)
    if measure.of is NOBODY:
        return Spans(share(k, n.lower) if n.lower else NO_VALUE, k, n, also)
    return Spans(bounds(measure.asked), k, n, also)


def _patients(measure: Measure, counted: Mapping | None, bounds: CohortBounds) -> Span:
    if counted is NOBODY:
        return _NONE
    return bounds(Asked("count", both(measure.rows, counted)))


# The file


def load_bounds(cohort: Cohort) -> CohortBounds | None:
    """The bounds of a reconstructed cohort from its `bounds.csv`; None where rows are real patients.

    FileError where the file is missing or damaged, or was made from other claims.
    """
    if not (cohort.reconstructed and cohort.claims.exists()):
        return None
    spans = {}
    for row in read_stamped(cohort, cohort.bounds, "table of bounds"):
        try:
            spans[row["statistic"], row["rows"], row["of"]] = _span(row)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise FileError(f"{cohort.bounds.name} is damaged: run make linelist") from None
    return CohortBounds(cohort, spans)


def _span(row: Mapping[str, str]) -> Span:
    if None in row.values():
        raise ValueError("a cell is missing")
    low, high = (Fraction(row[end]) if row[end] else None for end in ("lower", "upper"))
    claims = tuple(row["claims"].split())
    return Span(low, high, row["status"], row["sometimes_undefined"] == "yes", row["printed"], claims)


def read_stamped(cohort: Cohort, path: Path, what: str) -> list[dict[str, str]]:
    """The rows of a table made from the cohort's claims.

    FileError where it is missing, damaged, or was made from other claims.
    """
    if not path.exists():
        raise FileError(f"there is no {path.name} beside {cohort.claims.name}: run make linelist")
    first, _, rest = read_text(path, what).partition("\n")
    if first != stamp(cohort):
        raise FileError(f"{path.name} was made from another {cohort.claims.name}: run make linelist")
    return list(csv.DictReader(io.StringIO(rest)))


def stamped(cohort: Cohort, columns: Iterable[str], rows: Iterable[Iterable]) -> str:
    """The text of a table made from the cohort's claims, which `read_stamped` reads."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return f"{stamp(cohort)}\n{lines.getvalue()}"


def stamp(cohort: Cohort) -> str:
    """Names the content of the claims file, however its lines end."""
    lines = read_text(cohort.claims, "claims file").splitlines()
    return _STAMP + sha256("\n".join(lines).encode()).hexdigest()


def bounds_text(bounds: CohortBounds) -> str:
    """The content of `bounds.csv`."""
    rows = []
    for key, span in sorted(bounds.spans.items()):
        ends = ["" if end is None else exact_text(end) for end in (span.lower, span.upper)]
        undefined = "yes" if span.sometimes_undefined else "no"
        rows.append((*key, *ends, span.status, undefined, span.printed, " ".join(span.claims)))
    return stamped(bounds.cohort, BOUNDS_COLUMNS, rows)


def exact_text(value: Fraction) -> str:
    """A value as a decimal where it has an end within nine places, else as a fraction: 22.9, 2/3."""
    if (value * 10**9).denominator != 1:
        return str(value)
    text = decimal_text(value, 9)
    return text.rstrip("0").rstrip(".")


class Solver:
    """Answers questions by their bounds over all line lists that satisfy a document's claims."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def __call__(self, asked: Asked) -> Span:
        """The bounds of a question, with the claims that print its answer."""
        from blina.claims.bounds import (
            bounds,  # who reads bounds from a file need not load a solver
        )

        found = bounds(self.document, self._question(asked))
        printed, claims = self.printed(asked)
        claims += self._ends_of_ranges(asked)
        return Span(found.lower, found.upper, found.status, found.sometimes_undefined, printed, claims)

    def _ends_of_ranges(self, asked: Asked) -> tuple[str, ...]:
        """The claims that print a least or greatest value as an end of a range."""
        if asked.statistic not in ("min", "max"):
            return ()
        return self.printed(Asked("range", asked.rows, asked.of))[1]

    def printed(self, asked: Asked) -> tuple[str, tuple[str, ...]]:
        """The answer as the document prints it ("" if it does not), and the ids of the claims that do."""
        question = self._question(asked)
        claims = [one for one in self.document.claims if one.equals and same(one, question)]
        return claims[0].printed if claims else "", tuple(claim.id for claim in claims)

    def _question(self, asked: Asked) -> Question:
        return self.document.question(asked.statistic, asked.rows, asked.of)


def same(one: Question, other: Question) -> bool:
    """Whether two questions ask the same."""
    return (one.statistic, one.rows, one.of) == (other.statistic, other.rows, other.of)
