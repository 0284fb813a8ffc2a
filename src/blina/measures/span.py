"""Least and greatest value of a number: over all line lists that fit a report, or over what was not recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from blina.claims.status import Status
from blina.measures.intervals import decimal_text, short_text


@dataclass(frozen=True)
class Span:
    """Least and greatest value of a number; None where it has no value.

    status: "proven", "undefined" (it never has a value), or else the ends are not certain.
    sometimes_undefined: it has a value in some cases only. printed: its digits, where a report prints
    this very number. claims: the claims that do. places: decimals with which it is shown.
    """

    lower: Fraction | None
    upper: Fraction | None
    status: Status | str = Status.PROVEN
    sometimes_undefined: bool = False
    printed: str = ""
    claims: tuple[str, ...] = ()
    places: int = field(default=0, compare=False)

    @property
    def certain(self) -> bool:
        return self.status in (Status.PROVEN, Status.UNDEFINED)

    @property
    def determined(self) -> bool:
        """Proven to be the same in every case."""
        same = self.lower == self.upper
        return self.certain and same and not self.sometimes_undefined

    @property
    def is_open(self) -> bool:
        """Neither determined nor printed: rounding alone leaves nothing open."""
        return not (self.determined or self.printed)

    def __str__(self) -> str:
        """The span as read in a table: `10 to 13`, `15`; as printed, where it is."""
        if self.printed:
            return self.printed
        low, high = (end_text(end, self.places) for end in (self.lower, self.upper))
        return low if low == high else f"{low} to {high}"


NO_VALUE = Span(None, None, Status.UNDEFINED)


def end_text(value: Fraction | None, places: int) -> str:
    """One end of a span in digits, "unknown" where it has none."""
    return "unknown" if value is None else value_text(value, places)


def value_text(value: Fraction, places: int) -> str:
    """A value with so many decimals, or more where it needs them: 4 with two is 4.00, 18.25 with one 18.25."""
    needed = len(short_text(value).partition(".")[2])
    return decimal_text(value, max(places, needed))


def among(part: Span, whole: Span) -> str:
    """Some of how many: `10 to 13 of 15` or, where both differ, `1 to 4, among 7 to 10`."""
    if whole.lower == whole.upper:
        return f"{part} of {whole}"
    return f"{part}, among {whole}"
