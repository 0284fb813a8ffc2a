"""Percentages, intervals and tests against closed forms, other software and plain enumeration."""

from fractions import Fraction
from itertools import combinations
from math import comb, isnan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from blina.measures.intervals import (
    clopper_pearson,
    decimal_text,
    exact,
    fisher_exact,
    median,
    p_text,
    percent_text,
    rank_permutation,
    rate,
    rate_text,
    short_text,
)

counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
small_tables = st.lists(st.integers(0, 12), min_size=4, max_size=4).map(lambda cells: [cells[:2], cells[2:]])
ranked = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=10)


@pytest.mark.parametrize(("k", "n", "text"), [(13, 18, "72.2"), (4, 7, "57.1"), (3, 7, "42.9"), (1, 16, "6.3"),
                                              (1, 800, "0.1"), (0, 5, "0"), (5, 5, "100"), (0, 0, "")])  # fmt: skip
def test_percentages_come_from_the_fraction_halves_up(k, n, text):
    assert percent_text(k, n) == text


@given(counts)
def test_a_printed_percentage_is_within_half_a_unit_of_the_fraction(count):
    k, n = count
    assert abs(Fraction(percent_text(k, n)) - Fraction(100 * k, n)) <= Fraction(1, 20)


def test_values_are_read_as_the_decimals_they_are_printed_as():
    assert exact(0.1) == Fraction(1, 10)
    assert median([0.12, 0.17]) == Fraction(145, 1000)
    assert median([3, 1, 2]) == 2
    assert median([]) is None
    printed = [decimal_text(exact(value), 2) for value in (2.675, -0.004, "-1.005", 7)]
    assert printed == ["2.68", "0.00", "-1.01", "7.00"]
    assert [short_text(value) for value in (0.10, 7.0, 100, 22.64)] == ["0.1", "7", "100", "22.64"]


@pytest.mark.parametrize("n", [1, 3, 18, 200])
def test_interval_has_its_closed_form_at_nobody_and_everybody(n):
    assert clopper_pearson(n, n) == pytest.approx((0.025 ** (1 / n), 1), rel=1e-12)
    assert clopper_pearson(0, n) == pytest.approx((0, 1 - 0.025 ** (1 / n)), rel=1e-12)


def test_rule_of_three():
    assert clopper_pearson(0, 1000, level=0.90)[1] == pytest.approx(3 / 1000, rel=0.01)


@given(counts)
def test_interval_agrees_with_statsmodels_to_10_digits(count):
    k, n = count
    assert clopper_pearson(k, n) == pytest.approx(proportion_confint(k, n, method="beta"), rel=1e-10, abs=1e-14)


@given(counts)
def test_interval_covers_the_rate_and_mirrors_the_failures(count):
    k, n = count
    lower, upper = clopper_pearson(k, n)
    assert 0 <= lower <= k / n <= upper <= 1
    assert clopper_pearson(n - k, n) == pytest.approx((1 - upper, 1 - lower), abs=1e-12)


def test_each_limit_leaves_a_fortieth_of_probability_beyond_the_count():
    lower, upper = clopper_pearson(13, 18)
    assert sum(comb(18, x) * lower**x * (1 - lower) ** (18 - x) for x in range(13, 19)) == pytest.approx(0.025)
    assert sum(comb(18, x) * upper**x * (1 - upper) ** (18 - x) for x in range(14)) == pytest.approx(0.025)


def test_rates_are_printed_one_way():
    assert rate_text(13, 18) == "13/18 (72.2%, 46.5 to 90.3)"
    assert rate_text(3, 3) == "3/3 (100%, 29.2 to 100)"
    assert rate_text(0, 7) == "0/7 (0%, 0 to 41.0)"


def test_nobody_evaluable_has_no_percentage_and_no_interval():
    assert rate_text(0, 0) == "0/0"
    assert all(isnan(rate(0, 0)[name]) for name in ("percent", "lower", "upper"))


@pytest.mark.parametrize(("k", "n"), [(5, 4), (-1, 4), (0, -1)])
def test_impossible_counts_are_refused(k, n):
    with pytest.raises(ValueError, match="impossible"):
        clopper_pearson(k, n)
    with pytest.raises(ValueError, match="impossible"):
        percent_text(k, n)


def test_a_level_is_a_probability():
    with pytest.raises(ValueError, match="between 0 and 1"):
        clopper_pearson(1, 2, level=95)


def test_fusion_carriers_against_the_others():
    test = fisher_exact([[1, 5], [12, 0]])
    assert test.p == test.smallest_attainable == Fraction(13, 18564)
    assert test.text == "p = 0.0007; the smallest these 18 patients can give is 0.0007"


@given(small_tables)
def test_fisher_agrees_with_scipy_to_10_digits(table):
    assert float(fisher_exact(table).p) == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-10)


@given(small_tables)
def test_fisher_smallest_is_attained_by_a_table_with_the_same_margins(table):
    (a, b), (c, d) = table
    same = [[[x, a + b - x], [a + c - x, d - a + x]] for x in range(a + b + 1) if x <= a + c and d - a + x >= 0]
    assert fisher_exact(table).smallest_attainable == min(fisher_exact(other).p for other in same)


@given(small_tables)
def test_fisher_does_not_mind_which_way_the_table_is_written(table):
    (a, b), (c, d) = table
    assert fisher_exact(table) == fisher_exact([[c, d], [a, b]]) == fisher_exact([[b, a], [d, c]])
    assert fisher_exact(table).p == fisher_exact([[a, c], [b, d]]).p


@pytest.mark.parametrize("table", [[[1, 2]], [[1, 2, 3], [1, 2, 3]], [[1, -1], [2, 2]]])
def test_fisher_needs_four_counts(table):
    with pytest.raises(ValueError, match="two rows of two counts"):
        fisher_exact(table)


def test_four_against_three_apart_give_two_in_thirty_five():
    test = rank_permutation([0.08, 1.32, 3.5, 8.37, 22.64, 45.1, 78.3], [True] * 4 + [False] * 3)
    assert test.p == test.smallest_attainable == Fraction(2, 35)
    assert test.text == "p = 0.057; the smallest these 7 patients can give is 0.057"


@given(ranked)
def test_rank_test_is_the_enumeration_of_all_assignments(patients):
    values, responded = zip(*patients, strict=True)
    ranks = stats.rankdata(values)
    size, middle = sum(responded), sum(responded) * (len(values) + 1) / 2
    distances = [abs(sum(ranks[i] for i in chosen) - middle) for chosen in combinations(range(len(values)), size)]
    seen = abs(sum(rank for rank, yes in zip(ranks, responded, strict=True) if yes) - middle)
    test = rank_permutation(values, responded)
    assert test.p == Fraction(sum(d >= seen for d in distances), len(distances))
    assert test.smallest_attainable == Fraction(distances.count(max(distances)), len(distances))


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=40, unique=True), st.data())
@settings(max_examples=30)
def test_rank_test_without_ties_agrees_with_scipy_to_10_digits(values, data):
    size = data.draw(st.integers(1, len(values) - 1))
    expected = stats.mannwhitneyu(values[:size], values[size:], method="exact").pvalue
    test = rank_permutation(values, [place < size for place in range(len(values))])
    assert float(test.p) == pytest.approx(expected, rel=1e-10)


def test_rank_test_counts_large_groups_with_ties():
    test = rank_permutation([1] * 50 + [2] * 50, [True] * 50 + [False] * 50)
    assert test.p == test.smallest_attainable == Fraction(2, comb(100, 50))
    assert rank_permutation([1] * 60, [True] * 59 + [False]).p == 1


def test_rank_test_with_nobody_on_one_side_says_nothing():
    assert rank_permutation([1, 2, 3], [True] * 3).p == 1
    assert rank_permutation([], []).p == 1


def test_rank_test_declines_what_it_cannot_count():
    with pytest.raises(ValueError, match="at most 100"):
        rank_permutation(range(101), [True] * 101)
    with pytest.raises(ValueError, match="missing"):
        rank_permutation([1, float("nan")], [True, False])
    with pytest.raises(ValueError, match="2 values for 1 patients"):
        rank_permutation([1, 2], [True])


@pytest.mark.parametrize(("p", "text"), [("2/35", "p = 0.057"), ("1/1000", "p = 0.001"), ("9/10000", "p = 0.0009"),
                                         ("1/100000", "p < 0.0001"), ("1", "p = 1"), ("9999/10000", "p > 0.999"),
                                         ("999/1000", "p = 0.999")])  # fmt: skip
def test_p_is_printed_to_three_places_and_never_as_a_false_zero_or_one(p, text):
    assert p_text(Fraction(p)) == text
