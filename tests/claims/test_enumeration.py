"""Where worlds are few, every one of them is listed, and draws are even."""

import random
from collections import Counter
from pathlib import Path

import pytest
from scipy.stats import chisquare

from blina.claims.check import check
from blina.claims.count import count
from blina.claims.document import load_claims
from blina.claims.enumeration import TooMany, enumerate_worlds

CENSUS = Path(__file__).parents[2] / "examples" / "census7" / "claims.yaml"
HEAD = "source: {title: toy}\n"
PROBLEMS = {
    "two columns that nothing ties": (
        "patients: 3\ncolumns: {sex: {type: category, values: [f, m]}, x: {type: integer, min: 0, max: 4}}\nclaims:\n"
        "  - {id: girls, statistic: count, rows: {sex: f}, equals: '1'}\n"
        "  - {id: median, statistic: median, of: x, equals: '2'}\n"
    ),
    "a median among some rows, blanks allowed": (
        "patients: 3\ncolumns: {g: {type: boolean}, x: {type: integer, min: 0, max: 3, blank: allowed}}\n"
        "rules:\n  - {id: r, if: {g: no}, then: {x: ''}, why: toy}\n"
        "claims:\n  - {id: n, statistic: count, rows: {g: yes}, at_least: '2'}\n"
        "  - {id: median, statistic: median, rows: {g: yes}, of: x, equals: '1.5'}\n"
    ),
    "a chain of tied columns": (
        "patients: 3\ncolumns: {a: {type: boolean}, b: {type: category, values: [p, q, r]}, c: {type: boolean}}\n"
        "rules:\n  - {id: ab, if: {a: yes}, then: {b: [p, q]}, why: toy}\n"
        "  - {id: bc, if: {b: p}, then: {c: yes}, why: toy}\n"
        "claims:\n  - {id: a, statistic: count, rows: {a: yes}, equals: '2'}\n"
        "  - {id: c, statistic: percent, rows: {b: [p, q]}, of: {c: yes}, equals: '50'}\n"
    ),
    "a mean whose rounding is open": (
        "patients: 2\nrounding: any\ncolumns: {x: {type: decimal, min: '0', max: '2', step: '0.5'}}\n"
        "claims:\n  - {id: mean, statistic: mean, of: x, equals: '1'}\n"
    ),
}


@pytest.mark.parametrize("text", PROBLEMS.values(), ids=PROBLEMS)
def test_listing_gives_the_number_that_counting_gives(document, text):
    toy = document(HEAD + text)
    listed = enumerate_worlds(toy)
    assert listed.worlds == count(toy).worlds > 1


@pytest.mark.parametrize("text", PROBLEMS.values(), ids=PROBLEMS)
def test_each_world_is_drawn_as_often_as_any_other(document, text):
    toy = document(HEAD + text)
    listed, rng = enumerate_worlds(toy), random.Random(20231102)
    seen = Counter()
    for _ in range(4000):
        world = listed.draw(rng)
        seen[tuple(map(tuple, world.cells().drop(columns="patient_id").to_numpy()))] += 1
        if seen.total() <= 50:
            assert check(toy, world).holds
    assert len(seen) == listed.worlds
    assert chisquare([*seen.values()]).pvalue > 0.001


def test_the_census_block_has_one_world():
    census = load_claims(CENSUS)
    listed = enumerate_worlds(census)
    assert (len(listed.solutions), listed.worlds) == (1, 5040)  # the seven can be numbered in 7! ways
    rows = listed.draw(random.Random(0)).cells()
    letters = (
        rows["race"].str[0].str.upper() + rows["sex"].str[0].str.upper() + rows["married"].map({"yes": "M", "no": "S"})
    )
    assert sorted(rows["age"] + letters) == sorted(["8BFS", "18WMS", "24WFS", "30WMM", "36BFM", "66BFM", "84BMM"])


def test_a_list_that_would_be_long_is_not_begun(report_claims):
    with pytest.raises(TooMany, match="more than 3"):
        enumerate_worlds(report_claims, most=3)


def test_contradictory_claims_have_no_world_to_list(document):
    toy = document(HEAD + "patients: 2\ncolumns: {x: {type: boolean}}\nclaims:\n"
                   "  - {id: a, statistic: count, rows: {x: yes}, equals: '1'}\n"
                   "  - {id: b, statistic: count, rows: {x: no}, equals: '2'}\n")  # fmt: skip
    assert enumerate_worlds(toy).worlds == 0
