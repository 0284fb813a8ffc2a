"""How results are written: the one place where a number of a report becomes text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from blina.linelist.columns import COLUMNS
from blina.measures.intervals import decimal_text, p_number, p_text, rate_text, short_text
from blina.measures.results import Result
from blina.measures.span import NO_VALUE, Span, among, value_text

OPEN_WORD, UNCONFIRMED = "open", "unconfirmed"
NO_RT_PCR = "no RT-PCR after treatment"  # instead of a rate by a rule that asks for it
NOT_RECORDED = "not recorded"
USUAL_PLACES = {"%": 2}  # MRD is mostly given in hundredths of a percent

_DECLARED = {column.name: column for column in COLUMNS}


def places_of(column: str) -> int:
    """Decimals with which a column of the line list is shown at least."""
    declared = _DECLARED[column]
    return USUAL_PLACES.get(declared.unit, decimals(declared.step))


def decimals(number: str) -> int:
    """How many decimal places a written number has."""
    return len(number.partition(".")[2])


# Patients counted


def counts(result: Result) -> str:
    """A count without percentage and interval: `13/18`, `open, 10 to 13 of 15`, `2 to 4 of 20`."""
    if not result.here.stated:
        return NO_RT_PCR
    if result.is_open:
        return _sure(f"{OPEN_WORD}, {_open_counts(result)}", result)
    if not result.here.is_single:
        return _missing_counts(result)
    return f"{result.here.k}/{result.here.n}"


def rate(result: Result) -> str:
    """A proportion in full: counts, percentage and, where one is stated, the interval; what is missing.

    A count, which is no proportion, is some of how many.
    """
    if result.measure.statistic == "count":
        return some_of(result)
    if not result.here.stated:
        return NO_RT_PCR
    if result.is_open:
        return _sure(f"{OPEN_WORD}, {_open_rate(result)}", result)
    if not result.here.is_single:
        return ", ".join([_missing_counts(result), *_notes(result)])
    notes = _notes(result)
    if result.here.not_recorded and result.spans.value.lower is not None:
        notes.append(f"worst to best case {_percent(result.spans.value)}%")
    return rate_text(result.here.k, result.here.n, *notes, interval=result.measure.interval)


def plain_rate(result: Result) -> str:
    """A proportion without what is missing, as a figure prints it where a note says the rest."""
    if not result.here.stated or result.is_open or not result.here.is_single:
        return counts(result) if not result.is_open else rate(result)
    return rate_text(result.here.k, result.here.n, interval=result.measure.interval)


def some_of(result: Result) -> str:
    """A count as some of how many: `3 of 18`, `open, 3 to 16 of 18`."""
    if result.is_open:
        return _sure(f"{OPEN_WORD}, {among(result.spans.k, result.spans.n)}", result)
    return f"{result.here.k} of {result.here.n}"


def patients(result: Result) -> str:
    """A number of patients alone: `2`, `open, 0 to 2`, `1 to 3` where the rest is not recorded."""
    if not result.here.is_single:
        return str(result.here.k_span)
    return number(result)


def patients_counted(result: Result) -> str:
    """How many patients are counted: `2`, `0 to 9` where it is open, `1 to 3` where the rest is not recorded."""
    if result.is_open:
        return str(result.spans.k)
    return str(result.here.k_span if not result.here.is_single else result.here.k)


def negatives(result: Result) -> str:
    """How many of an open count there can be, `3 to 16`; of another, the count."""
    return str(result.spans.k) if result.is_open else str(result.here.k)


def bounds(result: Result) -> str:
    """Least to greatest alone, of patients counted or of a number measured: `3 to 16`, `0.6 to 16.4`."""
    return str(result.spans.k) if result.measure.counts else number_span(result)


def number(result: Result) -> str:
    """A count or a sum alone: `28`, `open, 37 to 47`; of a sum, of how many patients."""
    if result.is_open:
        return _sure(f"{OPEN_WORD}, {result.spans.value}", result)
    if result.here.value is None:
        return "none" if not result.here.not_recorded else NOT_RECORDED
    text = short_text(result.here.value)
    missing = 0 if result.measure.counts else result.here.not_recorded
    if missing:
        known = result.here.n
        text += f" (of {known} of {known + missing} patients)"
    return text


def _missing_counts(result: Result) -> str:
    k, most, n = result.here.k, result.here.k_span.upper, result.here.n
    if result.undecided == n and result.measure.could is None:
        return f"{NOT_RECORDED}, {n} patients" if n > 1 else NOT_RECORDED
    return f"{k} to {most} of {n}"


def _notes(result: Result) -> list[str]:
    """What is missing, in words."""
    notes = []
    undecided, left_out, n = result.undecided, result.left_out, result.here.n
    if undecided and result.here.is_single:
        notes.append(f"{undecided} of the {n} not assessed, counted as not negative")
    elif result.measure.could is not None and undecided:
        notes.append(f"{undecided} not graded")
    elif undecided and undecided < n:
        notes.append(f"{undecided} {NOT_RECORDED}")
    if left_out:
        notes.append(f"{left_out} more left out, {NOT_RECORDED}")
    return notes


def _open_counts(result: Result) -> str:
    k, n = result.k_reach, result.spans.n
    if _is_everybody(result):
        sizes = [int(n.lower), int(n.upper)]
        joint = " or " if sizes[1] - sizes[0] == 1 else " to "
        return joint.join(f"{size}/{size}" for size in sizes)
    return among(k, n)


def _is_everybody(result: Result) -> bool:
    """Whether all are counted, however many they are."""
    percent, n = result.spans.value, result.spans.n
    return percent.lower == percent.upper == 100 and n.lower != n.upper


def _open_rate(result: Result) -> str:
    text = _open_counts(result)
    if _is_everybody(result):
        return text
    if result.measure.statistic == "percent":
        text += f" ({_percent(result.spans.value)}%)"
    return text


def _percent(span: Span) -> str:
    """A span of percentages to one decimal, 0 and 100 without."""
    texts = []
    for end in (span.lower, span.upper):
        if end is None:
            texts.append("unknown")
        else:
            texts.append(decimal_text(end, 0 if end in (0, 100) else 1))
    return " to ".join(dict.fromkeys(texts))


# Numbers measured


def median_and_range(median: Result, least: Result, greatest: Result) -> str:
    """Median (least to greatest): `3.7 (0.7 to 39.8)`, `open, median 3.7 to 22.9 (within 0.7 to 62.1)`."""
    parts = (median, least, greatest)
    if any(part.is_open for part in parts):
        middle = number_span(median)
        within = range_within(least, greatest)
        said = f"median {middle}"
        if within != f"within {middle}":
            said += f" ({within})"
        return _sure(f"{OPEN_WORD}, {said}", *parts)
    if median.here.value is None:
        return "none"
    return f"{middle_text(median)} ({ends_text(least, greatest)})"


def middle_text(median: Result) -> str:
    """A median as printed, or with the decimals of its column and the one more that it may need."""
    if median.spans.value.printed and median.in_worlds:
        return median.spans.value.printed
    if median.is_open:
        return _sure(f"{OPEN_WORD}, {number_span(median)}", median)
    if median.here.value is None:
        return "none"
    return value_text(median.here.value, places_of(median.measure.of))


def range_text(least: Result, greatest: Result) -> str:
    """Least to greatest value: `0.08 to 8.37`, `open, within 0.01 to 4.00`; blank without values."""
    if least.is_open or greatest.is_open:
        return _sure(f"{OPEN_WORD}, {range_within(least, greatest)}", least, greatest)
    return ends_text(least, greatest) if least.here.value is not None else ""


def ends_text(least: Result, greatest: Result) -> str:
    """Two values, with as many decimals as either needs."""
    values = (least.here.value, greatest.here.value)
    needed = [places_of(least.measure.of), *(decimals(short_text(value)) for value in values)]
    return " to ".join(decimal_text(value, max(needed)) for value in values)


def range_within(least: Result, greatest: Result) -> str:
    """Ends of a range or, where they are open, what all values lie within."""
    places = places_of(least.measure.of)
    low, high = least.spans.value.lower, greatest.spans.value.upper
    ends = [str(Span(end, end, places=places)) for end in (low, high)]
    is_open = least.spans.value.is_open or greatest.spans.value.is_open
    return ("within " if is_open else "") + " to ".join(ends)


def number_span(result: Result) -> str:
    """The bounds of a number measured: `3.7 to 22.9`; as printed, where it is."""
    return str(replace(result.spans.value, places=places_of(result.measure.of)))


# Tests


def test(p: Result, smallest: Result) -> str:
    """An exact p beside the smallest attainable: `p = 0.057; the smallest these 7 patients can give is 0.057`."""
    if p.status == "open":
        return _open_test(p)
    if p.here.value is None:
        return p.note
    least = p_number(smallest.here.value)
    return f"{p_text(p.here.value)}; the smallest these {p.here.n} patients can give is {least}"


def _open_test(p: Result) -> str:
    span = p.spans.value
    if span.lower is None:
        return OPEN_WORD
    with_ties, without = p_text(span.lower), p_text(span.upper)
    if with_ties == without:
        return f"{OPEN_WORD}: {without}, the smallest possible"
    other = p_number(span.lower)
    said = f"{without}, or {other} if {p.note}; in either case the smallest possible"
    return f"{OPEN_WORD}: {said}"


def _sure(text: str, *results: Result) -> str:
    """The text, marked where a bound that it states is not proven."""
    spans: list[Span] = []
    for result in results:
        spans += [span for span in result.spans.each() if span != NO_VALUE]
    return text if _certain(spans) else f"{text}, {UNCONFIRMED}"


def _certain(spans: Sequence[Span]) -> bool:
    return all(span.certain or span.printed for span in spans)


def as_float(value: Fraction | None) -> float:
    """A value for a table of numbers; NaN where there is none."""
    return float("nan") if value is None else float(value)
