"""The random-effects rate: published examples, brute integration, and the cases in which it does not exist."""

from math import log

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import expit, logit
from scipy.stats import binom, norm

from blina.analysis.pooling import EXACT, RANDOM, estimate, log_likelihood, pool
from blina.measures.intervals import clopper_pearson

# Catheter-related infections of 18 trials (Niel-Weise, Stijnen and van den Broek, 2007), as in the R package metadat,
# data-raw/dat.nielweise2007.txt: standard and anti-infective catheters.
STANDARD = ([3, 3, 9, 7, 6, 4, 3, 2, 19, 2, 7, 1, 5, 11, 0, 1, 3, 1],
            [117, 35, 195, 136, 157, 139, 177, 39, 103, 122, 64, 58, 175, 180, 105, 262, 362, 69])  # fmt: skip
TREATED = ([0, 1, 2, 0, 5, 1, 1, 1, 1, 1, 0, 0, 3, 6, 0, 0, 1, 4],
           [116, 44, 208, 130, 151, 98, 174, 74, 97, 113, 66, 70, 188, 187, 118, 252, 345, 64])  # fmt: skip
# metafor, tests/testthat/test_analysis_example_stijnen2010.r, rma.glmm(measure="PLO"), which has 7 quadrature points
# and a Wald interval; rounded to two decimals they are those of Stijnen, Hamza and Ozdemir (2010), Table II.
METAFOR = {"standard": (STANDARD, -3.4964, 0.2570, 0.8124, 0.0294, 0.0180, 0.0478),
           "anti-infective": (TREATED, -4.8121, 0.3555, 0.8265, 0.0081, 0.0040, 0.0161)}  # fmt: skip
REMISSION = ([9, 44, 26, 6], [11, 58, 33, 13])


@pytest.mark.parametrize("arm", METAFOR)
def test_it_gives_what_metafor_and_the_paper_give(arm):
    (k, n), estimate, se, tau2, rate, lower, upper = METAFOR[arm]
    found = pool(k, n)
    assert found.method == RANDOM and (found.studies, found.k, found.n) == (18, sum(k), sum(n))
    assert found.logit == pytest.approx(estimate, abs=5e-4)
    assert found.se == pytest.approx(se, abs=5e-4)
    assert found.tau**2 == pytest.approx(tau2, abs=2e-3)
    assert found.percent == pytest.approx(100 * rate, abs=0.006)
    wald = [100 * expit(found.logit + side * 1.959964 * found.se) for side in (-1, 1)]
    assert wald == pytest.approx([100 * lower, 100 * upper], abs=0.006)
    assert found.lower < wald[0] and found.upper < wald[1]  # the profile follows the skewed likelihood


@pytest.mark.parametrize("tau", [0.0, 0.02, 0.7, 3.0])
@pytest.mark.parametrize("k, n", [(0, 5), (7, 7), (3, 7), (92, 93), (250, 600)])
def test_the_likelihood_is_the_integral_over_all_rates(k, n, tau):
    mu = 0.4

    def integrand(z):
        return binom.pmf(k, n, expit(mu + tau * z)) * norm.pdf(z)

    at = float(np.clip((logit((k + 0.5) / (n + 1)) - mu) / tau, -8, 8)) if tau else 0.0
    brute = quad(integrand, -12, 12, points=[at - 0.5, at, at + 0.5], epsabs=0, epsrel=1e-10, limit=400)[0]
    assert log_likelihood([k], [n], mu, tau) == pytest.approx(log(brute), abs=1e-6)


study = st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(st.lists(study, min_size=3, max_size=7), st.floats(-2, 2), st.floats(0, 3))
@settings(max_examples=12, deadline=None)
def test_no_other_rate_and_tau_are_more_likely(studies, shift, tau):
    k, n = map(list, zip(*studies, strict=True))
    try:
        found = pool(k, n)
    except ValueError as error:
        assert "too far apart" in str(error)
        return
    if found.method == EXACT:
        assert sum(k) in (0, sum(n))
        return
    assert log_likelihood(k, n, found.logit + shift, tau) <= log_likelihood(k, n, found.logit, found.tau) + 1e-6
    assert found.predicted_lower <= found.lower <= found.percent <= found.upper <= found.predicted_upper


def test_the_interval_ends_where_the_best_likelihood_has_fallen_by_half_the_quantile():
    k, n = REMISSION
    found = pool(k, n)
    best = log_likelihood(k, n, found.logit, found.tau)
    for end in (found.lower, found.upper):
        profile = max(log_likelihood(k, n, logit(end / 100), tau) for tau in np.linspace(0, 2, 401))
        assert best - profile == pytest.approx(3.841459 / 2, abs=1e-4)


def test_the_estimate_alone_is_that_of_the_pool():
    for k, n in (REMISSION, ([3, 18, 5], [3, 18, 5])):
        assert estimate(k, n) == pool(k, n).percent


def test_alike_studies_have_no_tau_and_the_rate_of_all_patients_as_logistic_regression_has():
    k, n = np.array([30, 31, 29]), np.array([40, 40, 40])
    found = pool(k, n)
    oracle = sm.GLM(np.column_stack([k, n - k]), np.ones((3, 1)), family=sm.families.Binomial()).fit()
    assert found.tau == 0
    assert (found.logit, found.se) == pytest.approx((oracle.params[0], oracle.bse[0]), abs=1e-6)
    assert found.predicted_lower < found.lower and found.upper < found.predicted_upper


def test_counting_failures_instead_mirrors_the_rate_and_the_order_of_studies_is_nothing():
    k, n = np.array(TREATED)
    one, other, shuffled = pool(k, n), pool(n - k, n), pool(k[::-1], n[::-1])
    same = pytest.approx([one.percent, one.lower, one.tau], abs=1e-3)
    assert [100 - other.percent, 100 - other.upper, other.tau] == same
    assert [shuffled.percent, shuffled.lower, shuffled.tau] == same


def test_where_every_study_has_everybody_or_nobody_it_is_the_exact_interval_of_all_together():
    for k, at in (([3, 18, 5], 26), ([0, 0, 0], 0)):
        found = pool(k, [3, 18, 5])
        lower, upper = clopper_pearson(at, 26)
        assert found.method == EXACT and found.percent == 100 * at / 26
        assert (found.lower, found.upper) == (100 * lower, 100 * upper)
        assert found.tau != found.tau and found.predicted_lower != found.predicted_lower  # not a number


def test_one_failure_among_studies_of_everybody_is_enough_for_an_estimate():
    found = pool([3, 17, 5], [3, 18, 5])
    assert found.method == RANDOM and 80 < found.lower < found.percent < found.upper < 100


def test_no_estimate_of_two_studies_of_impossible_counts_or_of_opposites():
    with pytest.raises(ValueError, match="2 studies are too few"):
        pool([1, 2], [3, 4])
    for k, n in (([4, 1, 1], [3, 3, 3]), ([-1, 1, 1], [3, 3, 3]), ([0, 1, 1], [0, 3, 3])):
        with pytest.raises(ValueError, match="each study needs a count"):
            pool(k, n)
    with pytest.raises(ValueError, match="too far apart"):
        pool([10, 0, 10], [10, 10, 10])
