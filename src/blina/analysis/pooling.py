"""One rate from several studies: a random-effects estimate from the exact binomial likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import nan, sqrt

import numpy as np
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.special import chdtri, expit, gammaln, log_expit, logit, logsumexp, ndtri, stdtrit

from blina.measures.intervals import clopper_pearson

LEAST = 3  # studies: with fewer, nothing can be said about how rates differ between them
NODES = 41  # of the quadrature, placed around each study's own mode
MOST_TAU = 6.0  # between studies, on the logit scale: at more, rates near 0% and near 100% are both likely
RANDOM, EXACT = "random effects", "exact, of all patients together"
METHOD = (
    "binomial-normal model (Stijnen, Hamza and Ozdemir, 2010), maximum likelihood, profile likelihood 95% interval; "
    "prediction interval after Higgins, Thompson and Spiegelhalter (2009), here with the standard error that each half "
    "of the profile interval implies"
)
_X, _WEIGHTS = np.polynomial.hermite_e.hermegauss(NODES)
_LOG_WEIGHTS = np.log(_WEIGHTS) + _X**2 / 2


@dataclass(frozen=True)
class Pooled:
    """Several studies' common rate; rates and limits in %.

    `percent` with `lower` and `upper` is the rate of a median study; `tau` the standard deviation of the logits between
    studies; a further study's own rate lies between `predicted_lower` and `predicted_upper` with a probability of 95%.
    Where every study has nobody or everybody, `method` is EXACT: all patients together, tau and prediction NaN.
    `logit` and `se` are the estimate and its standard error from the observed information.
    """

    studies: int
    k: int
    n: int
    method: str
    percent: float
    lower: float
    upper: float
    tau: float = nan
    predicted_lower: float = nan
    predicted_upper: float = nan
    logit: float = nan
    se: float = nan


def pool(k: Sequence[int], n: Sequence[int], level: float = 0.95) -> Pooled:
    """The random-effects estimate of k of n patients in each study.

    Each study's logit is drawn from a normal distribution, its count from a binomial one: no study needs a correction
    for having nobody or everybody. The interval is from the profile likelihood, because with few studies one from the
    standard error takes tau as known and is too narrow. The prediction interval takes Student's t on two degrees of
    freedom fewer than studies (Higgins, Thompson and Spiegelhalter, 2009), on each side with the standard error that
    the interval's half implies, so that it always reaches further than the interval.

    If all studies have nobody, or all everybody, the estimate would be infinite: the exact interval of all patients
    together is given instead. ValueError for fewer than `LEAST` studies, counts that cannot be, or rates so far apart
    that no common one exists (tau beyond `MOST_TAU`).
    """
    return _pool(tuple(map(int, k)), tuple(map(int, n)), level)


@cache  # one notebook asks for the same studies under several choices
def _pool(counts: tuple[int, ...], patients: tuple[int, ...], level: float) -> Pooled:
    k, n = np.array(counts), np.array(patients)
    if k.shape != n.shape or not ((k >= 0) & (k <= n) & (n > 0)).all():
        raise ValueError("each study needs a count between 0 and its number of patients, which is at least 1")
    if len(k) < LEAST:
        raise ValueError(f"{len(k)} studies are too few for a random-effects estimate (at least {LEAST})")
    total = {"studies": len(k), "k": int(k.sum()), "n": int(n.sum())}
    if total["k"] in (0, total["n"]):
        lower, upper = clopper_pearson(total["k"], total["n"], level)
        return Pooled(**total, method=EXACT, percent=100 * total["k"] / total["n"], lower=100 * lower,
                      upper=100 * upper)  # fmt: skip
    mu, tau = _most_likely(k, n)
    if tau > MOST_TAU:
        raise ValueError("the rates lie too far apart for a common one")
    se = _standard_error(k, n, mu, tau)
    lower, upper = _profile_limits(k, n, mu, tau, level)
    far = {end: stdtrit(len(k) - 2, (1 + level) / 2) * sqrt(tau**2 + ((end - mu) / ndtri((1 + level) / 2)) ** 2)
           for end in (lower, upper)}  # fmt: skip
    ends = {"percent": mu, "lower": lower, "upper": upper, "predicted_lower": mu - far[lower],
            "predicted_upper": mu + far[upper]}  # fmt: skip
    return Pooled(**total, method=RANDOM, tau=tau, logit=mu, se=se,
                  **{name: float(100 * expit(value)) for name, value in ends.items()})  # fmt: skip


def estimate(k: Sequence[int], n: Sequence[int]) -> float:
    """The rate of `pool` alone, in %, without its intervals: for many pools, as when each study in turn is left out."""
    return _estimate(tuple(map(int, k)), tuple(map(int, n)))


@cache
def _estimate(counts: tuple[int, ...], patients: tuple[int, ...]) -> float:
    k, n = np.array(counts), np.array(patients)
    return 100 * k.sum() / n.sum() if k.sum() in (0, n.sum()) else float(100 * expit(_most_likely(k, n)[0]))


def log_likelihood(k: np.ndarray, n: np.ndarray, mu: float, tau: float) -> float:
    """Log-likelihood of the binomial-normal model, binomial coefficients included.

    Adaptive Gauss-Hermite quadrature (Liu and Pierce, 1994): with eta = mu + tau z, the integrand of each study is a
    binomial probability times a standard normal density of z; nodes are centred on its mode, scaled by its curvature.
    """
    k, n, variance = np.asarray(k), np.asarray(n), tau**2
    p = (k + 0.5) / (n + 1)
    information = variance * n * p * (1 - p)
    z = np.where(information > 0, information / (1 + information) * (logit(p) - mu) / (tau or 1), 0.0)
    for _ in range(30):  # Newton; the integrand is log-concave, and the start is near
        p = expit(mu + tau * z)
        step = (tau * (k - n * p) - z) / (1 + variance * n * p * (1 - p))
        z = z + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-6:
            break
    p = expit(mu + tau * z)
    scale = 1 / np.sqrt(1 + variance * n * p * (1 - p))
    at = z[:, None] + scale[:, None] * _X
    eta = mu + tau * at
    inside = k[:, None] * log_expit(eta) + (n - k)[:, None] * log_expit(-eta) - at**2 / 2
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    each = ways + np.log(scale) + logsumexp(inside + _LOG_WEIGHTS, axis=1) - np.log(2 * np.pi) / 2
    return float(each.sum())


def _most_likely(k: np.ndarray, n: np.ndarray) -> tuple[float, float]:
    """Logit and tau of the greatest likelihood; tau is 0 where no difference between studies explains them better."""
    alike = float(logit(k.sum() / n.sum()))
    exactly = {"xatol": 1e-6, "fatol": 1e-10, "maxiter": 2000}
    found = minimize(lambda at: -log_likelihood(k, n, at[0], abs(at[1])), (alike, 0.5), method="Nelder-Mead",
                     options=exactly)  # fmt: skip
    if log_likelihood(k, n, alike, 0.0) >= -found.fun - 1e-8:
        return alike, 0.0
    return float(found.x[0]), float(abs(found.x[1]))


def _standard_error(k: np.ndarray, n: np.ndarray, mu: float, tau: float) -> float:
    """Of the logit, from the observed information; with tau at its limit of 0, of a single binomial rate."""
    if tau == 0:
        p = expit(mu)
        return 1 / sqrt(n.sum() * p * (1 - p))
    step = 1e-3

    def curve(one: tuple[float, float], two: tuple[float, float]) -> float:
        corners = ((s, t) for s in (1, -1) for t in (1, -1))
        values = (s * t * log_likelihood(k, n, mu + step * (s * one[0] + t * two[0]),
                                         abs(tau + step * (s * one[1] + t * two[1]))) for s, t in corners)  # fmt: skip
        return -sum(values) / (4 * step**2)

    logits, taus = (1.0, 0.0), (0.0, 1.0)
    return 1 / sqrt(curve(logits, logits) - curve(logits, taus) ** 2 / curve(taus, taus))


def _profile_limits(k: np.ndarray, n: np.ndarray, mu: float, tau: float, level: float) -> tuple[float, float]:
    """Logits at which the likelihood, with the best tau for each, is just too low (chi-squared, one degree)."""
    enough = log_likelihood(k, n, mu, tau) - chdtri(1, 1 - level) / 2

    def above(at: float) -> float:
        best = minimize_scalar(lambda t: -log_likelihood(k, n, at, t), bounds=(0, 2 * MOST_TAU), method="bounded",
                               options={"xatol": 1e-4})  # fmt: skip
        return max(-best.fun, log_likelihood(k, n, at, 0.0)) - enough

    ends = []
    for side in (-1, 1):
        reach = 1.0
        while above(mu + side * reach) > 0:
            reach *= 2
        ends.append(brentq(above, mu, mu + side * reach, xtol=1e-5))
    low, high = sorted(ends)
    return low, high
