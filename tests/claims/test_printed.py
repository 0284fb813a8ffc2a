"""Printed numbers against decimal arithmetic, which is an independent implementation of every rounding mode."""

from decimal import ROUND_DOWN, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blina.claims.printed import MODES, Interval, Printed, round_exact

ROUNDINGS = {
    "half_up": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
    "half_down": ROUND_HALF_DOWN,
    "truncate": ROUND_DOWN,
}
modes = st.sampled_from(MODES)
places = st.integers(0, 3)
small_fractions = st.builds(Fraction, st.integers(-2000, 2000), st.integers(1, 40))


def by_decimal(value: Fraction, decimals: int, mode: str) -> Decimal:
    with localcontext(prec=60):  # a fraction that is no decimal is never so near a half that 60 digits mistake it
        return (Decimal(value.numerator) / value.denominator).quantize(Decimal(1).scaleb(-decimals), ROUNDINGS[mode])


@st.composite
def near_what_is_printed(draw):
    """A printed number and a value at, or a twentieth of a unit around, one of its neighbours and halves."""
    decimals = draw(places)
    code = draw(st.integers(-300, 300))
    printed = str(Decimal(code).scaleb(-decimals))
    return printed, Fraction(20 * code + draw(st.integers(-45, 45)), 20 * 10**decimals)


def test_every_rounding_mode_is_compared():
    assert set(ROUNDINGS) == set(MODES)


@given(near_what_is_printed(), modes)
def test_a_value_is_admitted_exactly_where_it_prints_so(case, mode):
    text, value = case
    printed = Printed(text)
    assert (value in printed.admits(mode)) == (by_decimal(value, printed.places, mode) == Decimal(text))


@given(small_fractions, places, modes)
def test_rounding_prints_what_decimal_arithmetic_prints(value, decimals, mode):
    expected = by_decimal(value, decimals, mode)
    assert round_exact(value, decimals, mode) == format(abs(expected) if expected == 0 else expected, "f")


@given(small_fractions, places, modes)
def test_each_value_is_admitted_by_the_number_it_is_printed_as(value, decimals, mode):
    assert value in Printed(round_exact(value, decimals, mode)).admits(mode)


ends = st.none() | st.builds(Fraction, st.integers(-12, 12), st.sampled_from([1, 2, 3]))
intervals = st.builds(Interval, ends, ends, st.booleans(), st.booleans())


def inside(value: Fraction, interval: Interval) -> bool:
    above = interval.low is None or (value >= interval.low if interval.low_in else value > interval.low)
    below = interval.high is None or (value <= interval.high if interval.high_in else value < interval.high)
    return above and below


@given(intervals, intervals)
def test_two_intervals_have_in_common_what_lies_in_both(one, other):
    for value in (Fraction(k, 6) for k in range(-80, 81)):
        assert (value in one) == inside(value, one)
        assert (value in (one & other)) == (inside(value, one) and inside(value, other))


@given(intervals, st.sampled_from([Fraction(1), Fraction(1, 2), Fraction(2, 3), Fraction(1, 10)]))
def test_whole_numbers_of_an_interval_are_those_whose_multiples_lie_in_it(interval, scale):
    low, high = interval.integers(scale)
    assert (low is None, high is None) == (interval.low is None, interval.high is None)
    for k in range(-150, 151):
        assert inside(k * scale, interval) == ((low is None or low <= k) and (high is None or k <= high))


@pytest.mark.parametrize(
    "value, decimals, half_up, half_even, half_down, truncate",
    [
        ("10.95", 1, "11.0", "11.0", "10.9", "10.9"),  # round(10.95, 1) is 10.9 in floats
        ("0.145", 2, "0.15", "0.14", "0.14", "0.14"),  # f"{0.145:.2f}" is 0.14
        ("2.5", 0, "3", "2", "2", "2"),
        ("0.05", 1, "0.1", "0.0", "0.0", "0.0"),
        ("-0.05", 1, "-0.1", "0.0", "0.0", "0.0"),  # never a minus sign before zero
        ("-2.5", 0, "-3", "-2", "-2", "-2"),
        ("99.95", 1, "100.0", "100.0", "99.9", "99.9"),
    ],
)
def test_halves_go_where_the_mode_sends_them(value, decimals, half_up, half_even, half_down, truncate):
    expected = dict(half_up=half_up, half_even=half_even, half_down=half_down, truncate=truncate)
    assert {mode: round_exact(Fraction(value), decimals, mode) for mode in expected} == expected


@pytest.mark.parametrize(
    "part, whole, text, agreeing",
    [
        (13, 18, "72.2", MODES),
        (4, 7, "57.1", MODES),
        (3, 7, "42.9", ("half_up", "half_even", "half_down")),  # 42.857...: nobody who truncates prints 42.9
        (3, 7, "42.8", ("truncate",)),
        (1, 8, "13", ("half_up",)),
        (1, 8, "12", ("half_even", "half_down", "truncate")),
        (23, 30, "73", ()),  # printed elsewhere, and wrong
        (5, 33, "18.5", ()),
        (5, 9, "66", ()),
    ],
)
def test_a_printed_percentage_rules_modes_out(part, whole, text, agreeing):
    value = Fraction(100 * part, whole)
    assert tuple(mode for mode in MODES if value in Printed(text).admits(mode)) == agreeing


@pytest.mark.parametrize("total, agreeing", [(73, ("half_up",)), (74, MODES), (75, ("half_down", "truncate"))])
def test_a_median_of_18_printed_with_one_decimal_admits_three_sums_of_its_middle_pair(total, agreeing):
    value = Fraction(total, 20)  # middle values in steps of 0.1, so their sum is a number of tenths
    assert tuple(mode for mode in MODES if value in Printed("3.7").admits(mode)) == agreeing


def test_trailing_zeros_are_part_of_what_is_printed():
    assert Fraction("4.04") in Printed("4.0").admits("half_up")
    assert Fraction("4.04") not in Printed("4.00").admits("half_up")


@pytest.mark.parametrize("text", ["", "1e3", "1/3", "nan", "72,2", "72.2%", "4.", "--1", " 3", "9" * 5000])
def test_what_is_no_printed_number_is_refused(text):
    with pytest.raises(ValueError, match="is not a printed number"):
        Printed(text)
