"""Sample sizes by exact power: published values, hand-counted cases, and the saw."""

from math import comb

import pytest
from scipy.stats import binom
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from blina.analysis.samplesize import MOST, binomial_power, fisher_power, least_n, normal_n, sizes, widths
from blina.measures.intervals import clopper_pearson, fisher_exact, rate


def test_of_four_against_four_only_all_against_none_is_significant():
    # 4/4 against 0/4 has p = 2/70; the next best, 4/4 against 1/4, has 2 * 4/56.
    one, other = 0.3, 0.8
    assert fisher_power(4, one, other) == pytest.approx(one**4 * (1 - other) ** 4 + (1 - one) ** 4 * other**4)
    assert fisher_power(3, one, other) == 0  # 3/3 against 0/3 has p = 2/20


@pytest.mark.parametrize("n", [5, 8, 11])
def test_the_power_of_fishers_test_is_the_sum_over_all_significant_tables(n):
    def chance(k, p):
        return comb(n, k) * p**k * (1 - p) ** (n - k)

    tables = [(x, y) for x in range(n + 1) for y in range(n + 1)]
    power = sum(chance(x, 0.35) * chance(y, 0.9) for x, y in tables if fisher_exact([[x, n - x], [y, n - y]]).p <= 0.05)
    assert fisher_power(n, 0.35, 0.9) == pytest.approx(power, abs=1e-12)


def test_it_gives_the_published_sizes_of_clinfun():
    # R package clinfun, README: fe.ssize(p1 = .8, p2 = .2): 12 per group, exact power 0.8115276; 13, 0.8688275.
    assert fisher_power(12, 0.8, 0.2) == pytest.approx(0.8115276, abs=5e-8)
    assert fisher_power(13, 0.8, 0.2) == pytest.approx(0.8688275, abs=5e-8)
    assert least_n(lambda n: fisher_power(n, 0.8, 0.2), 0.8, 10) == (12, 12)


def test_it_goes_up_in_the_saw_that_sas_shows():
    # communities.sas.com, on PROC POWER, exact one-sided test at 5% of 81% against 90%: 80% power at 99 and 100
    # patients, 76.1% at 104, and for good from 112. One side at 5% is two sides at 10%.
    power = {n: binomial_power(n, 0.81, 0.90, alpha=0.10) for n in range(90, 121)}
    assert min(power[99], power[100]) >= 0.8 and max(power[n] for n in range(90, 99)) < 0.8
    assert power[104] == pytest.approx(0.761, abs=5e-4)
    assert max(n for n, found in power.items() if found < 0.8) == 111
    assert least_n(power_of=lambda n: binomial_power(n, 0.81, 0.90, alpha=0.10), target=0.8, start=90) == (112, 99)


@pytest.mark.parametrize("n, fixed", [(9, 0.722), (40, 0.3), (93, 0.722)])
def test_one_group_is_told_from_a_fixed_rate_where_the_exact_interval_leaves_it_out(n, fixed):
    limits = {k: clopper_pearson(k, n) for k in range(n + 1)}
    outside = [k for k, (lower, upper) in limits.items() if not lower <= fixed <= upper]
    assert binomial_power(n, fixed, 0.85) == pytest.approx(binom.pmf(outside, n, 0.85).sum(), abs=1e-12)
    assert binomial_power(n, fixed, fixed) <= 0.05


def test_the_default_question_has_these_sizes_and_power_stays():
    table = sizes(72.2, 85.0)
    assert [*table["n"]] == [174, 227, 93, 118] and [*table["patients"]] == [348, 454, 93, 118]
    assert (table["attained"] >= table["power"]).all() and (table["first_n"] <= table["n"]).all()
    for n, target in zip(table["n"][:2], (0.8, 0.9), strict=True):
        assert fisher_power(n - 1, 0.722, 0.85) < target
        assert all(fisher_power(more, 0.722, 0.85) >= target for more in range(n, n + 60, 5))
    for n, target in zip(table["n"][2:], (0.8, 0.9), strict=True):
        assert binomial_power(n - 1, 0.722, 0.85) < target
        assert all(binomial_power(more, 0.722, 0.85) >= target for more in range(n, 600))
    assert table.loc[2, "first_n"] < table.loc[2, "n"]  # reached, and lost again


def test_exact_sizes_lie_above_the_normal_approximation_and_not_far():
    for target, exact in ((0.8, 174), (0.9, 227)):
        effect = proportion_effectsize(0.85, 0.722)
        normal = NormalIndPower().solve_power(effect, power=target, alpha=0.05)
        assert normal < exact < 1.15 * normal
        assert abs(normal_n(0.722, 0.85, target, 2) - normal) < 0.03 * normal


def test_more_power_and_nearer_rates_need_more_patients_and_the_order_of_two_groups_is_nothing():
    farther, nearer = sizes(60, 90)["n"], sizes(60, 84)["n"]
    assert (nearer > farther).all()
    assert farther[0] < farther[1] and farther[2] < farther[3]
    assert sizes(90, 60)["n"][:2].tolist() == farther[:2].tolist()
    assert sizes(40, 10)["n"][:2].tolist() == farther[:2].tolist()  # who does not respond


def test_questions_without_an_answer_are_refused():
    for now, hoped in ((70, 70), (0, 50), (50, 100)):
        with pytest.raises(ValueError, match="two different rates"):
            sizes(now, hoped)
    with pytest.raises(ValueError, match="a power lies between"):
        sizes(60, 90, [0.03])
    with pytest.raises(ValueError, match=f"more than {MOST} patients per group"):
        sizes(72.2, 74)


def test_intervals_narrow_with_the_number_of_patients():
    table = widths(72.2)
    assert table["n"].tolist() == [18, 50, 100, 200] and table["k"].tolist() == [13, 36, 72, 144]
    assert table.loc[0, "text"] == rate(13, 18)["text"]
    assert table["width"].is_monotonic_decreasing
    assert table["width"].tolist() == pytest.approx((table["upper"] - table["lower"]).tolist())
