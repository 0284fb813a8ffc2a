"""What a report leaves open: numbers with their bounds over all line lists that satisfy its claims."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from hashlib import sha256
from math import ceil, comb, floor, nan

import pandas as pd

from blina.analysis.intervals import clopper_pearson, decimal_text, p_text, short_text
from blina.analysis.questions import Asked, Asking, Total, count, every_table
from blina.claims.document import Document, Question
from blina.claims.status import Status
from blina.linelist.cohort import Cohort
from blina.linelist.columns import COLUMNS as LINE_LIST
from blina.linelist.tidy import load
from blina.yamlfile import FileError, read_text

OPEN, UNCONFIRMED = "open", Status.UNCONFIRMED
PROVEN, OUTER, UNDEFINED = Status.PROVEN, Status.OUTER, Status.UNDEFINED
USUAL_PLACES = {"%": 2}
COLUMNS = ("statistic", "rows", "of", "lower", "upper", "status", "sometimes_undefined", "printed")
_STAMP = "# claims.yaml, sha256 "


@dataclass(frozen=True)
class Span:
    """Least and greatest value of a number over all line lists that satisfy the claims; None where it has no value.

    `status` is that of `claims.bounds.Bounds`: "proven", "undefined" (it has no value in any line list), or else the
    bounds are not certain. `sometimes_undefined`: it has a value in some line lists only. `printed`: its digits, where
    the report prints this very number. `places`: decimals with which it is shown.
    """

    lower: Fraction | None
    upper: Fraction | None
    status: str = PROVEN
    sometimes_undefined: bool = False
    printed: str = ""
    places: int = field(default=0, compare=False)

    @property
    def certain(self) -> bool:
        return self.status in (PROVEN, UNDEFINED)

    @property
    def determined(self) -> bool:
        """Proven to be the same in every line list."""
        return self.certain and self.lower == self.upper and not self.sometimes_undefined

    @property
    def is_open(self) -> bool:
        """Neither determined nor printed: rounding alone leaves nothing open."""
        return not (self.determined or self.printed)

    def __str__(self) -> str:
        """The span as read in a table: `10 to 13`, `15`; as printed, where it is."""
        low, high = ("unknown" if end is None else value_text(end, self.places) for end in (self.lower, self.upper))
        return self.printed or (low if low == high else f"{low} to {high}")


NOWHERE = Span(None, None, UNDEFINED)


def value_text(value: Fraction, places: int) -> str:
    """A value with so many decimals, or with more where it needs them: 4 with two is 4.00, 18.25 with one 18.25."""
    needed = len(short_text(value).partition(".")[2])
    return decimal_text(value, max(places, needed))


def among(part: Span, whole: Span) -> str:
    """Some of how many: `10 to 13 of 15` or, where both differ, `1 to 4, among 7 to 10`."""
    return f"{part} of {whole}" if whole.lower == whole.upper else f"{part}, among {whole}"


def places_of(column: str) -> int:
    """Decimals in which a column of the line list is shown at least; MRD is mostly given in hundredths of a percent."""
    declared = next(one for one in LINE_LIST if one.name == column)
    return USUAL_PLACES.get(declared.unit, len(declared.step.partition(".")[2]))


class CohortBounds:
    """The bounds of a cohort's numbers, by question: as they were read or, with a solver, found on the way."""

    def __init__(self, cohort: Cohort, spans: dict[tuple, Span], solve: Callable[[Asked], Span] | None = None):
        self.cohort, self.spans, self._solve = cohort, spans, solve

    @property
    def proven(self) -> bool:
        """Whether two solvers agree on every one of them."""
        return all(span.certain for span in self.spans.values())

    def __call__(self, asked: Asked | Total) -> Span:
        """Bounds of what is asked. FileError where they were not read and there is no solver.

        Statistics of nobody, a percentage of a known number of patients, and sums follow from other bounds.
        """
        if isinstance(asked, Total):
            return self._total(asked)
        if asked.of is not None:
            whole = self(asked.whole)
            if whole.determined and not whole.lower:
                return NOWHERE
            if asked.statistic == "percent" and whole.determined:
                return self._share(asked, whole.lower)
        if asked.key not in self.spans:
            if self._solve is None:
                statistic, rows, of = asked.key
                said = f"the {statistic} of {f'{of} over ' if of else ''}{rows}"
                raise FileError(f"{self.cohort.bounds.name} does not hold {said}: run make linelist")
            self.spans[asked.key] = self._solve(asked)
        return self.spans[asked.key]

    def _share(self, asked: Asked, whole: Fraction) -> Span:
        part = self(asked.part)
        if part.lower is None or part.upper is None:
            return part
        return Span(100 * part.lower / whole, 100 * part.upper / whole, part.status)

    def _total(self, asked: Total) -> Span:
        number = self(asked.number)
        if number.upper == 0:
            return Span(Fraction(0), Fraction(0), number.status)
        mean = self(asked.mean)
        if mean.lower is None or mean.upper is None:
            return Span(None, None, mean.status)
        ends = [n * (m + asked.each) for n in (number.lower, number.upper) for m in (mean.lower, mean.upper)]
        exact = number.determined and not mean.sometimes_undefined
        return Span(min(ends), max(ends), mean.status if exact else OUTER)


# The file


def load_bounds(cohort: Cohort) -> CohortBounds | None:
    """The bounds of a reconstructed cohort from its `bounds.csv`; None where rows are real patients.

    FileError where the file is missing or damaged, or was made from other claims.
    """
    if not (cohort.reconstructed and cohort.claims.exists()):
        return None
    name = cohort.bounds.name
    if not cohort.bounds.exists():
        raise FileError(f"there is no {name} beside {cohort.claims.name}: run make linelist")
    first, _, rest = read_text(cohort.bounds, "table of bounds").partition("\n")
    if first != stamp(cohort):
        raise FileError(f"{name} was made from another {cohort.claims.name}: run make linelist")
    spans = {}
    try:
        for row in csv.DictReader(io.StringIO(rest)):
            if None in row.values():
                raise ValueError("a cell is missing")
            low, high = (Fraction(row[end]) if row[end] else None for end in ("lower", "upper"))
            span = Span(low, high, row["status"], row["sometimes_undefined"] == "yes", row["printed"])
            spans[row["statistic"], row["rows"], row["of"]] = span
    except (KeyError, TypeError, ValueError):
        raise FileError(f"{name} is damaged: run make linelist") from None
    return CohortBounds(cohort, spans)


def solver(document: Document) -> Callable[[Asked], Span]:
    """Answers questions by their bounds over all line lists that satisfy a document's claims."""
    from blina.claims.bounds import bounds  # a notebook that reads its bounds need not load a solver

    def solve(asked: Asked) -> Span:
        question = document.question(asked.statistic, asked.rows, asked.of)
        found = bounds(document, question)
        printed = (claim.printed for claim in document.claims if claim.equals and _same(claim, question))
        return Span(found.lower, found.upper, found.status, found.sometimes_undefined, next(printed, ""))

    return solve


def _same(one: Question, other: Question) -> bool:
    return (one.statistic, one.rows, one.of) == (other.statistic, other.rows, other.of)


def make_bounds(cohort: Cohort, solve: Callable[[Asked], Span]) -> CohortBounds:
    """The bounds of every number in the tables of a cohort's report, each question solved once; writes `bounds.csv`."""
    bounds = CohortBounds(cohort, {}, solve)
    for table, questions in every_table(load(cohort.folder)):
        with_bounds(table, questions, bounds)
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(COLUMNS)
    for key, span in sorted(bounds.spans.items()):
        ends = ("" if end is None else exact_text(end) for end in (span.lower, span.upper))
        writer.writerow((*key, *ends, span.status, "yes" if span.sometimes_undefined else "no", span.printed))
    part = cohort.bounds.with_name(f".{cohort.bounds.name}.part")
    part.write_text(f"{stamp(cohort)}\n{lines.getvalue()}", encoding="utf-8", newline="")
    os.replace(part, cohort.bounds)
    return bounds


def exact_text(value: Fraction) -> str:
    """A value as a decimal where it has an end within nine places, else as a fraction: 22.9, 2/3."""
    exactly = (value * 10**9).denominator == 1
    return decimal_text(value, 9).rstrip("0").rstrip(".") if exactly else str(value)


def stamp(cohort: Cohort) -> str:
    """Names the content of the claims file, however its lines end."""
    lines = read_text(cohort.claims, "claims file").splitlines()
    return _STAMP + sha256("\n".join(lines).encode()).hexdigest()


# Tables

VALUES = ("k", "n", "value", "least", "greatest")
SIDES = ("", "carriers_", "others_", "responders_")


def with_bounds(table: pd.DataFrame, questions: Asking, bounds: CohortBounds | None) -> pd.DataFrame:
    """The table with a column `open` (bool): some number of the row is not proven to be the same in every line list.

    `questions` says which question each number answers (see `analysis.questions`). Open numbers, and whatever is
    computed from them, are blank; texts give the bounds instead, as in `open, 10 to 13 of 15 (66.7 to 86.7%)`; where
    they are not proven, they say `unconfirmed`. A table with a column `percent` gets `percent_least` and
    `percent_greatest`, with the exact `lower_least` at the one and `upper_greatest` at the other. Without bounds (real
    patients) nothing is open.
    """
    if "percent" in table:
        table = table.assign(percent_least=table["percent"], percent_greatest=table["percent"],
                             lower_least=table["lower"], upper_greatest=table["upper"])  # fmt: skip
    if bounds is None:
        return table.assign(open=False)
    rows = [_stated(row, questions(row, bounds.cohort), bounds) for row in table.to_dict("records")]
    changed = {name: [row.get(name, old) for row, old in zip(rows, table[name], strict=True)]
               for name in table if any(name in row for row in rows)}  # fmt: skip
    for name, values in changed.items():
        table = table.assign(**{name: pd.Series(values, table.index, dtype=_nullable(table[name]))})
    return table.assign(open=pd.array([row["open"] for row in rows], dtype=bool))


def _nullable(column: pd.Series) -> object:
    return "Int64" if column.dtype == "int64" else column.dtype


def _stated(row: Mapping, asked: Mapping[str, Asked | Total], bounds: CohortBounds) -> dict[str, object]:
    """What is to be changed in a row, by column, and whether it is open."""
    spans = {name: replace(bounds(one), places=_places(one)) for name, one in asked.items()}
    is_open = {name for name, span in spans.items() if span.is_open}
    stated: dict[str, object] = {"open": bool(is_open)}
    if "percent" in spans:
        ends = (spans["percent"].lower, spans["percent"].upper)
        stated |= {f"percent_{end}": nan if value is None else float(value)
                   for end, value in zip(("least", "greatest"), ends, strict=True)}  # fmt: skip
        if is_open & {"k", "n", "percent"}:
            stated |= dict(zip(("lower_least", "upper_greatest"), _limits(spans), strict=True))
    if (printed := spans.get("value", NOWHERE).printed) and not is_open:
        stated |= {"value": float(printed), "text": f"{printed} {row['text'].partition(' ')[2]}".rstrip()}
    for name in is_open & row.keys():
        stated[name] = _said({"value": spans[name]}) if isinstance(row[name], str) else None
    for side in SIDES:
        mine = {name.removeprefix(side): span for name, span in spans.items() if name.startswith(side)}
        if is_open & {f"{side}{name}" for name in (*VALUES, "percent")} and f"{side}text" in row:
            stated[f"{side}text"] = _said(mine)
            stated |= {f"{side}{name}": nan for name in ("percent", "lower", "upper") if f"{side}{name}" in row}
        if is_open & {f"{side}least", f"{side}greatest"} and f"{side}range" in row:
            stated[f"{side}range"] = _sure(f"{OPEN}, {_within(mine)}", mine)
    if is_open and "text" in row and "text" not in stated:
        stated["text"] = _sure(OPEN, spans)
    if "test_text" in row:
        stated |= _rank_test(asked, spans, bounds) if "responders" in row else _fisher(is_open)
    return stated


def _places(asked: Asked | Total) -> int:
    return places_of(asked.of) if isinstance(asked, Asked) and isinstance(asked.of, str) else 0


def _limits(spans: Mapping[str, Span]) -> tuple[float, float]:
    """Exact limits in % of an open proportion: the lower one at the fewest, the upper one at the most; NaN if unknown.

    Where it is open how many are counted, no limits of any line list lie beyond.
    """
    k, n, share = (spans[name] for name in ("k", "n", "percent"))
    if None in (k.lower, k.upper, n.lower, n.upper, share.lower, share.upper):
        return nan, nan
    wholes = range(max(1, int(n.lower)), int(n.upper) + 1)
    fewest = ((max(int(k.lower), ceil(share.lower * whole / 100)), whole) for whole in wholes)
    most = ((min(int(k.upper), floor(share.upper * whole / 100)), whole) for whole in wholes)
    lower = min((clopper_pearson(part, whole)[0] for part, whole in fewest if part <= whole), default=nan)
    upper = max((clopper_pearson(part, whole)[1] for part, whole in most), default=nan)
    return 100 * lower, 100 * upper


def _said(spans: Mapping[str, Span]) -> str:
    """The text of an open number or proportion."""
    if "k" in spans:
        k, n, percent = spans["k"], spans["n"], spans.get("percent")
        if percent and percent.lower == percent.upper == 100:
            said = f"all of {n}"
        else:
            said = among(k, n) + (f" ({_percent(percent)}%)" if percent else "")
    elif "least" in spans:
        within = _within(spans)
        said = f"median {spans['value']}" + ("" if within == f"within {spans['value']}" else f" ({within})")
    else:
        said = str(spans["value"])
    return _sure(f"{OPEN}, {said}", spans)


def _percent(span: Span) -> str:
    """A span of percentages to one decimal, 0 and 100 without."""
    ends = ("unknown" if end is None else decimal_text(end, end not in (0, 100)) for end in (span.lower, span.upper))
    return " to ".join(dict.fromkeys(ends))


def _within(spans: Mapping[str, Span]) -> str:
    """Ends of a range or, where they are open, what all values lie within."""
    least, greatest = spans["least"], spans["greatest"]
    low, high = (str(Span(end, end, places=least.places)) for end in (least.lower, greatest.upper))
    return f"{'within ' if least.is_open or greatest.is_open else ''}{low} to {high}"


def _sure(said: str, spans: Mapping[str, Span]) -> str:
    certain = all(span.certain or span.printed for span in spans.values())
    return said if certain else f"{said}, {UNCONFIRMED}"


def _fisher(is_open: set[str]) -> dict[str, object]:
    return {"p": nan, "smallest_attainable": nan, "test_text": OPEN} if is_open else {}


def _rank_test(asked: Mapping, spans: Mapping[str, Span], bounds: CohortBounds) -> dict[str, object]:
    """p of a rank test: it needs to know only who is above whom, not the values.

    Where in every line list all responders lie below all others, or all above, two assignments are most extreme: the
    one seen and, unless ties blur it, its mirror image. So p is 2 over the number of assignments or, with such ties, 1;
    either is the smallest that these values can give. They are ties within the larger side; if it is larger by one,
    ties at its end toward the other side.
    """
    blank = {"p": nan, "smallest_attainable": nan, "test_text": OPEN}
    sizes = [spans[side] for side in ("responders", "others")]
    if not all(size.determined for size in sizes):
        return blank
    if not all(size.lower for size in sizes):
        return {}  # nobody to compare with, in any line list
    low, high = ("responders", "others") if _below(spans, "responders", "others") else ("others", "responders")
    if not _below(spans, low, high):
        return blank
    larger, end = (low, "greatest") if spans[low].lower > spans[high].lower else (high, "least")
    more = abs(sizes[0].lower - sizes[1].lower)
    tied = _tied(asked[f"{larger}_{end}"], spans[f"{larger}_{end}"], bounds) if more == 1 else None
    if more == 0 or tied and tied.determined:
        return {}
    ways = comb(int(sum(size.lower for size in sizes)), int(sizes[0].lower))
    tied_p, other_p = (p_text(Fraction(many, ways)) for many in (1, 2))
    if tied_p == other_p:
        return blank | {"test_text": f"{OPEN}: {other_p}, the smallest possible"}
    if tied:
        who = "a second responder" if larger == "responders" else "a second one of the others"
        case = f"{who} also had {spans[f'{larger}_{end}']}%"
    else:
        case = f"certain {larger} share a value"
    said = f"{other_p}, or {tied_p.removeprefix('p = ')} if {case}; in either case the smallest possible"
    return blank | {"test_text": f"{OPEN}: {said}"}


def _below(spans: Mapping[str, Span], low: str, high: str) -> bool:
    ends = spans[f"{low}_greatest"], spans[f"{high}_least"]
    return all(end.certain and end.upper is not None for end in ends) and ends[0].upper < ends[1].lower


def _tied(end: Asked, span: Span, bounds: CohortBounds) -> Span | None:
    """How many patients share the value at the end of a range; None where that value is itself open."""
    return bounds(count(end.rows, {end.of: exact_text(span.lower)})) if span.determined else None
