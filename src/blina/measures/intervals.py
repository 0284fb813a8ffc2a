"""How counts of patients are stated: exact percentages, exact intervals, exact tests, and one way to print each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb, floor, nan

import pandas as pd
from scipy.special import betaincinv

METHOD = "exact 95% interval (Clopper and Pearson, 1934)"
MOST_RANKED = 100


def exact(value: float | int | str | Fraction) -> Fraction:
    """The decimal number that a value is printed as: 0.1 gives 1/10, not the binary fraction nearest to it."""
    return value if isinstance(value, Fraction) else Fraction(str(value))


def decimal_text(value: Fraction, places: int) -> str:
    """An exact value with so many decimal places, halves rounded away from zero: 2675/1000, 2 gives 2.68."""
    units = floor(abs(value) * 10**places + Fraction(1, 2))
    digits = str(units).rjust(places + 1, "0")
    sign = "-" if value < 0 and units else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def short_text(value: float | Fraction) -> str:
    """A recorded value as it was written, without trailing zeros: 0.10 gives 0.1, 7.0 gives 7."""
    text = decimal_text(exact(value), 6)
    return text.rstrip("0").rstrip(".")


def median(values: Iterable[float | int | str | Fraction]) -> Fraction | None:
    """The exact median; the mean of the middle two where their number is even; None of nothing."""
    ordered = sorted(exact(value) for value in values)
    half = len(ordered) // 2
    return (ordered[half] + ordered[~half]) / 2 if ordered else None


def percent_text(k: int, n: int, places: int = 1) -> str:
    """k of n in percent from the exact fraction, halves up, without the sign: 13, 18 gives 72.2.

    Nobody and everybody are "0" and "100"; 0 of 0 is "".
    """
    _counted(k, n)
    if k in (0, n):
        return "" if n == 0 else "0" if k == 0 else "100"
    return decimal_text(Fraction(100 * k, n), places)


def clopper_pearson(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Exact two-sided confidence interval of a proportion k/n, as two proportions; (nan, nan) where n is 0.

    Source: Clopper and Pearson (1934), through quantiles of the beta distribution. At 0/n the lower limit is 0, at n/n
    the upper limit is 1. ValueError if not 0 <= k <= n or the level is not between 0 and 1.
    """
    _counted(k, n)
    if not 0 < level < 1:
        raise ValueError(f"a confidence level lies between 0 and 1, not {level}")
    if n == 0:
        return nan, nan
    tail = (1 - level) / 2
    lower = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    upper = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - tail))
    return lower, upper


def rate_text(k: int, n: int, *notes: str, interval: bool = True) -> str:
    """A proportion as every table and figure prints it, with notes inside the bracket.

    >>> rate_text(13, 18)
    '13/18 (72.2%, 46.5 to 90.3)'
    >>> rate_text(13, 18, "2 not recorded", interval=False)
    '13/18 (72.2%; 2 not recorded)'
    >>> rate_text(0, 0)
    '0/0'
    """
    parts = list(notes)
    if n:
        stated = f"{percent_text(k, n)}%"
        if interval:
            lower, upper = (_limit_text(limit) for limit in clopper_pearson(k, n))
            stated += f", {lower} to {upper}"
        parts.insert(0, stated)
    return f"{k}/{n} ({'; '.join(parts)})" if parts else f"{k}/{n}"


def rate(k: int, n: int) -> dict[str, object]:
    """The columns that state a proportion: k, n, percent, lower, upper (all in %, NaN where n is 0), text."""
    k, n = int(k), int(n)
    lower, upper = clopper_pearson(k, n)
    return {"k": k, "n": n, "percent": 100 * k / n if n else nan, "lower": 100 * lower, "upper": 100 * upper,
            "text": rate_text(k, n)}  # fmt: skip


@dataclass(frozen=True)
class ExactTest:
    """A two-sided exact p, the least p that the same n patients could have given, and n."""

    p: Fraction
    smallest_attainable: Fraction
    n: int

    @property
    def text(self) -> str:
        """The p and how small it could be: "p = 0.057; the smallest these 7 patients can give is 0.057"."""
        smallest = p_number(self.smallest_attainable)
        return f"{p_text(self.p)}; the smallest these {self.n} patients can give is {smallest}"


def p_text(p: Fraction) -> str:
    """A p in words: `p = 0.057`, `p < 0.0001`, `p > 0.999`."""
    number = p_number(p)
    return f"p {number}" if number[0] in "<>" else f"p = {number}"


def p_number(p: Fraction) -> str:
    """A p in digits: three places; below 0.001 four, then "< 0.0001"; never rounded up to 1."""
    if p >= Fraction(9995, 10000):
        return "1" if p == 1 else "> 0.999"
    if p < Fraction(1, 10000):
        return "< 0.0001"
    return decimal_text(p, 3 if p >= Fraction(1, 1000) else 4)


def fisher_exact(table: Sequence[Sequence[int]]) -> ExactTest:
    """Fisher's exact test of a 2 by 2 table of counts, two-sided, in whole numbers.

    p is the probability, margins fixed, of all tables no more probable than the one seen (Fisher, 1935; Freeman and
    Halton, 1951). The smallest attainable p is the least that any table with these margins gives. An empty row or
    column leaves one table only: p is 1. ValueError if the table is not 2 by 2 whole numbers of 0 or more.
    """
    counts = [[int(count) for count in row] for row in table]
    if [len(row) for row in counts] != [2, 2] or min(map(min, counts)) < 0:
        raise ValueError(f"Fisher's test needs two rows of two counts, not {table}")
    (a, b), (c, d) = counts
    first, second, column = a + b, c + d, a + c
    attainable = range(max(0, column - second), min(first, column) + 1)
    ways = {x: comb(first, x) * comb(second, column - x) for x in attainable}
    every, rarest = sum(ways.values()), min(ways.values())
    p, least = (Fraction(sum(way for way in ways.values() if way <= most), every) for most in (ways[a], rarest))
    return ExactTest(p, least, first + second)


def rank_permutation(values: Sequence[float], responded: Sequence[bool]) -> ExactTest:
    """Exact two-sided rank-sum (Wilcoxon, 1945; Mann and Whitney, 1947) test by counting every assignment of patients.

    `values` are numbers, one per patient; `responded` says who responded. Ties share their midrank. p is the share of
    assignments of as many responders whose rank sum lies at least as far from its expectation as the one seen; the
    smallest attainable p is the least of any assignment of these values. If either side is empty, p is 1. ValueError
    if the lengths differ, a value is missing, or there are more than `MOST_RANKED` patients.
    """
    if len(values) != len(responded):
        raise ValueError(f"{len(values)} values for {len(responded)} patients")
    if len(values) > MOST_RANKED:
        raise ValueError(f"{len(values)} patients are too many to count every assignment (at most {MOST_RANKED})")
    if any(pd.isna(value) for value in values):
        raise ValueError("a value is missing: drop patients without one, and say how many")
    ranks = _doubled_midranks([exact(value) for value in values])
    size, n = sum(map(bool, responded)), len(ranks)
    ways = _rank_sums(ranks, size)
    seen = sum(rank for rank, is_responder in zip(ranks, responded, strict=True) if is_responder)
    distance = {total: abs(total - size * (n + 1)) for total in ways}  # doubled ranks: expectation size * (n + 1)
    every, farthest = comb(n, size), max(distance.values())

    def tail(least: int) -> Fraction:
        return Fraction(sum(count for total, count in ways.items() if distance[total] >= least), every)

    return ExactTest(tail(distance[seen]), tail(farthest), n)


def _counted(k: int, n: int) -> None:
    if not 0 <= k <= n:
        raise ValueError(f"a count of {k} among {n} patients is impossible")


def _limit_text(limit: float) -> str:
    """One end of an interval in percent; its ends 0 and 100 are exact, as `clopper_pearson` gives them."""
    return f"{100 * limit:.0f}" if limit in (0.0, 1.0) else f"{100 * limit:.1f}"


def _doubled_midranks(values: list[Fraction]) -> list[int]:
    """Twice the rank of each value, so that the midranks of ties stay whole."""
    ordered = sorted(values)
    first = {value: place for place, value in reversed([*enumerate(ordered, 1)])}
    last = {value: place for place, value in enumerate(ordered, 1)}
    return [first[value] + last[value] for value in values]


def _rank_sums(ranks: list[int], size: int) -> dict[int, int]:
    """How many ways there are to choose `size` of the ranks, by their sum.

    The counts by sum are the coefficients of a polynomial; each polynomial is kept in one integer, a fixed number of
    bits per coefficient (Kronecker, 1882), which makes every step one shift and one addition.
    """
    bits = comb(len(ranks), size).bit_length()  # room for every count of the result; carries on the way cancel
    chosen = [1] + [0] * size
    for rank in ranks:
        for many in range(size, 0, -1):
            chosen[many] += chosen[many - 1] << (rank * bits)
    packed, mask = chosen[size], (1 << bits) - 1
    sums = ((total, packed >> (total * bits) & mask) for total in range(sum(sorted(ranks)[len(ranks) - size :]) + 1))
    return {total: count for total, count in sums if count}
