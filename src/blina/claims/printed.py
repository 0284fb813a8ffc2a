"""What a printed number says: the exact values that round to it, in whole numbers and fractions only."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import ceil, floor, isqrt

from blina.linelist.columns import NUMBER

HALF_MODES = ("half_up", "half_even", "half_down")
MODES = (*HALF_MODES, "truncate")


@dataclass(frozen=True)
class Interval:
    """Exact values from `low` to `high` (None: no limit), each end in or out."""

    low: Fraction | None = None
    high: Fraction | None = None
    low_in: bool = True
    high_in: bool = True

    def __contains__(self, value: Fraction) -> bool:
        if self.low is not None and (value < self.low or value == self.low and not self.low_in):
            return False
        return not (self.high is not None and (value > self.high or value == self.high and not self.high_in))

    def __and__(self, other: Interval) -> Interval:
        """What lies in both."""
        low, low_in = self.low, self.low_in
        if other.low is not None and (low is None or (other.low, not other.low_in) > (low, not low_in)):
            low, low_in = other.low, other.low_in
        high, high_in = self.high, self.high_in
        if other.high is not None and (high is None or (other.high, other.high_in) < (high, high_in)):
            high, high_in = other.high, other.high_in
        return Interval(low, high, low_in, high_in)

    @property
    def is_empty(self) -> bool:
        """Whether no value lies inside."""
        return (
            self.low is not None
            and self.high is not None
            and (self.low > self.high or self.low == self.high and not (self.low_in and self.high_in))
        )

    def squared(self) -> Interval:
        """The squares of what lies inside and is not negative."""
        low, low_in = (self.low**2, self.low_in) if self.low is not None and self.low >= 0 else (Fraction(0), True)
        if self.high is None:
            return Interval(low, None, low_in)
        if self.high < 0:
            return Interval(Fraction(0), Fraction(0), False, False)  # nothing
        return Interval(low, self.high**2, low_in, self.high_in)

    def integers(self, scale: Fraction | int = 1) -> tuple[int | None, int | None]:
        """Least and greatest whole number k with k * scale inside (`scale` above 0); there is none if they cross."""
        low = high = None
        if self.low is not None:
            low = ceil(self.low / scale)
            low += low * scale == self.low and not self.low_in
        if self.high is not None:
            high = floor(self.high / scale)
            high -= high * scale == self.high and not self.high_in
        return low, high


@dataclass(frozen=True)
class Printed:
    """A number as printed, trailing zeros kept: `72.2`, `4.00`, `3`."""

    text: str

    def __post_init__(self) -> None:
        if not NUMBER.fullmatch(self.text):
            raise ValueError(f"{self.text!r} is not a printed number such as 72.2")

    @property
    def value(self) -> Fraction:
        return Fraction(self.text)

    @property
    def places(self) -> int:
        """Decimal places printed."""
        return len(self.text.partition(".")[2])

    def admits(self, mode: str) -> Interval:
        """The exact values that `mode` rounds to this text.

        Modes are those of decimal arithmetic (Cowlishaw, General Decimal Arithmetic): half_up takes a half away from
        zero, half_down toward zero, half_even to the even digit; truncate cuts toward zero.
        """
        return _admitted(self, mode)


@cache
def _admitted(printed: Printed, mode: str) -> Interval:
    value, unit = printed.value, Fraction(1, 10**printed.places)
    if mode == "truncate":
        if value == 0:
            return Interval(-unit, unit, False, False)
        ends = (value, value + unit, True, False) if value > 0 else (value - unit, value, False, True)
        return Interval(*ends)
    half = unit / 2
    if mode == "half_even":
        even = (value / unit).numerator % 2 == 0
        return Interval(value - half, value + half, even, even)
    toward_zero_end = mode == "half_up"  # a half is rounded away from zero, so it belongs to the number beyond it
    if value == 0:
        return Interval(-half, half, not toward_zero_end, not toward_zero_end)
    ends = (toward_zero_end, not toward_zero_end) if value > 0 else (not toward_zero_end, toward_zero_end)
    return Interval(value - half, value + half, *ends)


def round_exact(value: Fraction, places: int, mode: str) -> str:
    """An exact value as it would be printed with `places` decimals under `mode`."""
    whole, rest = divmod(abs(value) * 10**places, 1)
    return _text(int(whole), rest - Fraction(1, 2), places, mode, negative=value < 0)


def round_root(square: Fraction, places: int, mode: str) -> str:
    """The square root of an exact value (0 or more) as it would be printed with `places` decimals under `mode`."""
    scaled = square * 100**places
    whole = isqrt(floor(scaled))
    return _text(whole, scaled - (whole + Fraction(1, 2)) ** 2, places, mode)


def _text(whole: int, beyond_half: Fraction, places: int, mode: str, negative: bool = False) -> str:
    """A number whose last printed digit ends `whole`; `beyond_half` has the sign of what follows it, less a half."""
    up = mode != "truncate" and (
        beyond_half > 0 or beyond_half == 0 and (mode == "half_up" or mode == "half_even" and whole % 2 == 1)
    )
    digits = str(whole + up).rjust(places + 1, "0")
    sign = "-" if negative and int(digits) else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)
