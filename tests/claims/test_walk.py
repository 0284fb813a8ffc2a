"""The Markov chain over worlds: it keeps every claim, favours no world, and says when its chains do not agree."""

import random
from collections import Counter
from itertools import product
from math import inf

import numpy as np
import pytest
from scipy.stats import chisquare

from blina.claims.check import check
from blina.claims.walk import Walk, effective_size, split_r_hat
from blina.linelist.table import Table

MIXED = """\
source: {title: a toy}
patients: 3
columns:
  g: {type: category, values: [A, B]}
  x: {type: integer, min: 0, max: 5, blank: allowed}
rules:
  - {id: older, if: {g: B}, then: {x: {at_least: 2}}, why: w}
claims:
  - {id: a, statistic: count, rows: {g: A}, equals: "2"}
  - {id: mean, statistic: mean, of: x, equals: "2"}
"""
# Some worlds hold under one rounding mode alone.
ROUNDED = """\
source: {title: a toy}
patients: 3
columns:
  x: {type: integer, min: 0, max: 4}
  y: {type: category, values: [u, v], blank: allowed}
claims:
  - {id: median, statistic: median, rows: {not: {y: u}}, of: x, equals: "2"}
  - {id: sd, statistic: sd, of: x, above: "0.4", below: "1.8"}
  - {id: pct, statistic: percent, rows: {any_of: [{y: v}, {x: {at_least: 1}}]}, of: {y: v}, equals: "50"}
  - {id: least, statistic: min, of: x, at_most: "1"}
"""


def table(document, rows) -> Table:
    """A line list from rows of codes, None for a blank."""
    cells = {name: [row[i] for row in rows] for i, name in enumerate(document.columns)}
    codes = {name: np.array([code or 0 for code in column], np.int64) for name, column in cells.items()}
    blank = {name: np.array([code is None for code in column]) for name, column in cells.items()}
    return Table(document.columns, codes, blank, tuple(f"P{i:02d}" for i in range(1, len(rows) + 1)), True)


def rows_of(world: Table) -> tuple:
    """The rows of codes that `table` makes a line list of."""
    columns = [
        [None if blank else int(code) for code, blank in zip(world.codes[name], world.blank[name], strict=True)]
        for name in world.columns
    ]
    return tuple(zip(*columns, strict=True))


def every_world(document) -> list[tuple]:
    """All worlds, patients told apart, by trying every line list."""
    values = [[*range(c.lowest, c.highest + 1), *([None] if c.blank else [])] for c in document.columns.values()]
    lists = product(product(*values), repeat=document.patients)
    return [rows for rows in lists if check(document, table(document, rows)).holds]


@pytest.mark.parametrize("text, worlds", [(MIXED, 183), (ROUNDED, 102)])
def test_every_world_is_seen_and_none_is_favoured(document, text, worlds):
    made = document(text)
    every = every_world(made)
    assert len(every) == worlds
    if text == ROUNDED:
        assert len({check(made, table(made, rows)).surviving for rows in every}) > 2
    walk = Walk(made, [table(made, every[i]) for i in (0, 30, 60, -1)], seed=1)
    assert walk.r_hat < 1.05 and walk.agrees
    rng = random.Random(1)
    drawn = Counter(rows_of(walk.draw(rng)) for _ in range(15 * worlds))
    assert drawn.keys() == set(every)
    assert chisquare([drawn[rows] for rows in every]).pvalue > 0.001


def test_every_step_of_a_walk_over_the_report_keeps_every_claim_and_rule(report_claims, report_table):
    walk = Walk(report_claims, [report_table], seed=2, most=0)
    walk.thinning = 400
    rng = random.Random(0)
    worlds = [walk.draw(rng) for _ in range(50)]
    assert all(check(report_claims, world).holds and world.reconstructed for world in worlds)
    assert len({rows_of(world) for world in worlds}) == 50
    assert {world.ids for world in worlds} == {report_table.ids}


def test_a_walk_is_the_same_for_the_same_seed_and_another_for_another(document):
    made = document(MIXED)
    start = table(made, every_world(made)[0])

    def draws(seed: int) -> list[tuple]:
        walk, rng = Walk(made, [start, start], seed, most=0), random.Random(0)
        return [rows_of(walk.draw(rng)) for _ in range(20)]

    assert draws(5) == draws(5) != draws(6)


def test_a_walk_starts_from_worlds(document):
    made = document(MIXED)
    with pytest.raises(ValueError, match="this line list is none"):
        Walk(made, [table(made, [(0, 0), (0, 0), (1, 0)])], 0)
    with pytest.raises(ValueError, match="at least one world"):
        Walk(made, [], 0)


# Two or six of eight patients have a 1: four would have to change at once to get from one to the other.
APART = """\
source: {title: a toy}
patients: 8
columns: {x: {type: integer, min: 0, max: 1}}
claims: [{id: sd, statistic: sd, of: x, equals: "0.4629"}]
"""


def test_chains_that_cannot_meet_are_told_by_r_hat(document):
    made = document(APART)
    few, many = ([(int(i < ones),) for i in range(8)] for ones in (2, 6))
    assert all(check(made, table(made, rows)).holds for rows in (few, many))
    walk = Walk(made, [table(made, few), table(made, many)], seed=0, most=10_000)
    assert walk.r_hat == inf and not walk.agrees
    assert Walk(made, [table(made, few)] * 2, seed=0, most=10_000).r_hat == 1  # no start says that there is more


def test_one_patient_and_one_column_are_enough_for_a_walk(document):
    made = document(APART.replace("patients: 8", "patients: 1").replace("sd, of", "max, of").replace("0.4629", "1"))
    walk = Walk(made, [table(made, [(1,)])], 0)
    assert rows_of(walk.draw(random.Random(0))) == ((1,),)


def test_r_hat_and_effective_size_are_those_of_the_book():
    rng = np.random.default_rng(0)
    independent = rng.normal(size=(4, 1000))
    assert split_r_hat(independent) == pytest.approx(1, abs=0.005)
    assert effective_size(independent) == pytest.approx(4000, rel=0.1)
    assert split_r_hat(independent + np.arange(4)[:, None]) > 1.4
    drifting = independent + np.linspace(0, 4, 1000)  # chains alike, each of them moving: only split chains tell
    assert split_r_hat(drifting) > 1.3
    slow = np.zeros((4, 4000))
    for i in range(1, 4000):
        slow[:, i] = 0.9 * slow[:, i - 1] + rng.normal(size=4)
    assert effective_size(slow) == pytest.approx(16000 * 0.1 / 1.9, rel=0.25)
    by_hand = np.array([[1.0, 3, 2, 4], [3, 5, 4, 8]])  # halves: means 2 3 4 6, variances 2 2 2 8
    within, between = 14 / 4, 2 * np.var([2, 3, 4, 6], ddof=1)
    assert split_r_hat(by_hand) == pytest.approx(((within / 2 + between / 2) / within) ** 0.5)


def test_what_never_varies_is_settled_and_what_differs_between_still_chains_never_is():
    third = 1 / 3
    assert split_r_hat(np.full((3, 100), third)) == 1
    assert effective_size(np.full((3, 100), third)) == 300
    assert split_r_hat(np.array([[third] * 100, [0.1] * 100])) == inf
    assert effective_size(np.array([[third] * 100, [0.1] * 100])) < 10
