"""How many patients it takes to tell two rates apart, by exact power."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial
from math import ceil, sqrt

import numpy as np
import pandas as pd
from scipy.special import bdtr, bdtrc, gammaln, ndtri, xlog1py, xlogy

from blina.measures.intervals import rate

ALPHA = 0.05  # two-sided
MOST = 600  # patients per group: beyond, the search is given up
_SETTLED = 40  # sizes in a row with enough power, many times the length of a tooth of the saw
_TIE = 1 + 1e-9  # a probability at the level itself counts, whatever its last binary digit
SIZE_COLUMNS = ("design", "power", "n", "patients", "attained", "first_n")
WIDTH_COLUMNS = ("n", "k", "percent", "lower", "upper", "width", "text")


def fisher_power(n: int, one: float, other: float, alpha: float = ALPHA) -> float:
    """Power of Fisher's exact test, two-sided, of two groups of n patients with those rates.

    Every pair of counts is enumerated. With groups of one size the hypergeometric distribution is symmetrical, so the
    sum of all tables no more probable than the one seen is twice the smaller tail.
    """
    seen, total = np.arange(n + 1), np.arange(2 * n + 1)[:, None]
    rest = total - seen
    possible = (rest >= 0) & (rest <= n)
    others = np.where(possible, rest, 0)
    ways = _log_ways(n)
    table = np.where(possible, np.exp(ways[seen] + ways[others] - _log_ways(2 * n)[total]), 0.0)
    fewer = possible & (2 * np.cumsum(table, axis=1) <= alpha * _TIE)  # the first group has too few
    first, second = (_binomial(n, rate) for rate in (one, other))
    both = first[seen] * second[others] + second[seen] * first[others]  # or, mirrored, the second has
    return float(both[fewer].sum())


def binomial_power(n: int, fixed: float, true: float, alpha: float = ALPHA) -> float:
    """Power of the exact two-sided test of one group of n patients against a fixed rate, when the rate is `true`.

    It rejects where the exact interval (Clopper and Pearson, 1934) leaves out the fixed rate: each tail has alpha / 2.
    """
    k = np.arange(n + 1)
    too_few = bdtr(k, n, fixed) <= alpha / 2 * _TIE
    too_many = np.where(k == 0, 1.0, bdtrc(np.maximum(k - 1, 0), n, fixed)) <= alpha / 2 * _TIE
    return float(_binomial(n, true)[too_few | too_many].sum())


def least_n(power_of: Callable[[int], float], target: float, start: int, most: int = MOST) -> tuple[int, int]:
    """The least n from which the power stays at or above the target, and the first n that reaches it at all.

    Exact power goes up in a saw: one patient more can lower it. So the search begins at a size with too little power,
    near `start` or below, and ends after `_SETTLED` sizes in a row with enough. ValueError beyond `most` patients.
    """
    if start > most:
        raise ValueError(f"more than {most} patients per group are needed: name rates further apart")
    n = max(1, start)
    while n > 1 and power_of(n) >= target:
        n = n * 3 // 4
    first, last_short = None, n - 1
    while n - last_short <= _SETTLED:
        if n > most + _SETTLED:
            raise ValueError(f"more than {most} patients per group are needed: name rates further apart")
        if power_of(n) < target:
            last_short = n
        elif first is None:
            first = n
        n += 1
    return last_short + 1, first or last_short + 1


def sizes(now: float, hoped: float, powers: Iterable[float] = (0.8, 0.9), alpha: float = ALPHA) -> pd.DataFrame:
    """Patients needed to tell a rate of `now` from one of `hoped` (in %): a row per design and power, `SIZE_COLUMNS`.

    Designs: two groups of n patients each by Fisher's exact test; one group of n against the fixed rate `now`.
    `attained` is the power in % at n; `first_n` the size at which the power is first reached, only to fall below again
    if it is less than n. ValueError for rates that are equal or not between 0 and 100, or a power that is not above
    alpha and below 1.
    """
    if not (0 < now < 100 and 0 < hoped < 100) or now == hoped:
        raise ValueError(f"two different rates between 0 and 100% are needed, not {now} and {hoped}")
    one, other = now / 100, hoped / 100
    designs = {
        "two groups, Fisher's exact test": (2, cache(partial(fisher_power, one=one, other=other, alpha=alpha))),
        f"one group against a fixed {now:g}%": (1, cache(partial(binomial_power, fixed=one, true=other, alpha=alpha))),
    }
    rows = []
    for design, (groups, power_of) in designs.items():
        for target in powers:
            if not alpha < target < 1:
                raise ValueError(f"a power lies between {alpha} and 1, not {target}")
            n, first = least_n(power_of, target, normal_n(one, other, target, groups, alpha) * 9 // 10)
            rows.append((design, 100 * target, n, groups * n, 100 * power_of(n), first))
    return pd.DataFrame(rows, columns=SIZE_COLUMNS)


def normal_n(one: float, other: float, power: float, groups: int, alpha: float = ALPHA) -> int:
    """Patients per group by the normal approximation (Fleiss, 1981): where an exact search may begin."""
    a, b = ndtri(1 - alpha / 2), ndtri(power)
    mean = (one + other) / 2 if groups == 2 else one
    spread = sum(rate * (1 - rate) for rate in (one, other)) if groups == 2 else other * (1 - other)
    return ceil(((a * sqrt(groups * mean * (1 - mean)) + b * sqrt(spread)) / (one - other)) ** 2)


def widths(percent: float, sizes: Iterable[int] = (18, 50, 100, 200)) -> pd.DataFrame:
    """How wide the exact 95% interval is when about that rate is seen among n patients, `WIDTH_COLUMNS` (in %).

    k is the whole number of patients nearest to the rate, halves up.
    """
    rows = []
    for n in sizes:
        stated = rate(int(n * percent / 100 + 0.5), n)
        rows.append(stated | {"width": stated["upper"] - stated["lower"]})
    return pd.DataFrame(rows)[[*WIDTH_COLUMNS]]


def _log_ways(n: int) -> np.ndarray:
    """Logarithms of the ways to choose 0 to n of n."""
    k = np.arange(n + 1)
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def _binomial(n: int, rate: float) -> np.ndarray:
    """Probabilities of 0 to n of n."""
    k = np.arange(n + 1)
    return np.exp(_log_ways(n) + xlogy(k, rate) + xlog1py(n - k, -rate))
