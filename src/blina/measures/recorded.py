"""What was found of each question without each reading, as it is kept beside the claims in `readings.csv`."""

from __future__ import annotations

from fractions import Fraction

from blina.linelist.cohort import Cohort
from blina.measures.asking import declared
from blina.measures.bounds import read_stamped
from blina.measures.results import Readings
from blina.measures.span import Span
from blina.yamlfile import FileError

READINGS_FILE = "readings.csv"
AS_READ = ""  # in its column `reading`: with every reading
READING_COLUMNS = (
    "reading",
    "group",
    "question",
    "lower",
    "upper",
    "n_lower",
    "n_upper",
    "status",
    "sometimes_undefined",
)

Found = tuple[Span, Span | None]  # bounds of what is asked and, of a number of patients, of how many are counted
Recorded = dict[tuple[str, str, str], Found]  # by reading, group and question


def both_ends(span: Span | None) -> tuple[Fraction | None, Fraction | None]:
    """Least and greatest value; None twice without a span."""
    return (None, None) if span is None else (span.lower, span.upper)


def load_recorded(cohort: Cohort) -> Recorded:
    """What `readings.csv` holds. FileError where it is missing or damaged, or was made from other claims."""
    path = cohort.folder / READINGS_FILE
    try:
        return dict(map(_recorded, read_stamped(cohort, path, "table of readings")))
    except (KeyError, TypeError, ValueError):
        raise FileError(f"{READINGS_FILE} is damaged: run make linelist") from None


def readings_of(cohort: Cohort) -> Readings:
    """The readings without which a determined answer would be open, by the key of its question; none without claims."""
    if not cohort.reconstructed or not (cohort.folder / READINGS_FILE).exists():
        return {}
    recorded = load_recorded(cohort)
    readings = dict.fromkeys(reading for reading, *_ in recorded if reading != AS_READ)
    resting = {}
    for question in declared(cohort):
        as_read = recorded.get((AS_READ, *question.key))
        if as_read is None or not _is_determined(as_read):
            continue
        without = {reading: recorded.get((reading, *question.key)) for reading in readings}
        changed = tuple(reading for reading, found in without.items() if found != as_read)
        resting[question.asked.key] = changed
    return resting


def _is_determined(found: Found) -> bool:
    return all(span is None or span.determined for span in found)


def _recorded(row: dict[str, str]) -> tuple[tuple[str, str, str], Found]:
    """A row of `readings.csv`. KeyError, TypeError or ValueError where it is none."""
    if None in row.values() or None in row:
        raise ValueError("a cell is missing, or there is one too many")
    low, high, n_low, n_high = (Fraction(row[end]) if row[end] else None
                                for end in ("lower", "upper", "n_lower", "n_upper"))  # fmt: skip
    span = Span(low, high, row["status"], row["sometimes_undefined"] == "yes")
    return (row["reading"], row["group"], row["question"]), (span, None if n_low is None else Span(n_low, n_high))
