"""Drawn worlds: fair and rechecked, how many there are and how far apart, written without piling up; `blina worlds`."""

import csv
import json
import os
import tracemalloc
from collections import Counter
from itertools import permutations, product
from math import inf, log10

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from scipy.stats import chisquare

from blina.claims import sample
from blina.claims.check import check, read_for_claims
from blina.claims.count import Uncountable
from blina.claims.enumeration import TooMany
from blina.claims.sample import Distance, Sampler, distance, log10_upper, rows_of, write_draws
from blina.cli import main
from blina.linelist.columns import NOT_A_PATIENT
from blina.linelist.table import Table
from blina.yamlfile import FileError

SMALL = """\
source: {title: a toy}
patients: 3
columns:
  g: {type: category, values: [A, B]}
  x: {type: decimal, min: "0", max: "1", step: "0.5", blank: allowed}
claims:
  - {id: a, statistic: count, rows: {g: A}, equals: "2", reading: R}
  - {id: mean, statistic: mean, rows: {g: A}, of: x, equals: "0.5"}
readings:
  - {id: R, question: q, choice: c, because: b, alternatives: [none]}
"""
ONE = """\
source: {title: a toy}
patients: 3
columns: {x: {type: integer, min: 0, max: 4}}
claims:
  - {id: ends, statistic: range, of: x, equals: ["1", "3"]}
  - {id: mean, statistic: mean, of: x, equals: "1.67"}
"""
CONTRADICTORY = ONE.replace("1.67", "3.50")


def every_world(document) -> list[Table]:
    columns, n = document.columns, document.patients
    values = [[*range(c.lowest, c.highest + 1), *([None] if c.blank else [])] for c in columns.values()]
    found = []
    for rows in product(product(*values), repeat=n):
        cells = dict(zip(columns, zip(*rows, strict=True), strict=True))
        codes = {name: np.array([code or 0 for code in column]) for name, column in cells.items()}
        blank = {name: np.array([code is None for code in column]) for name, column in cells.items()}
        table = Table(columns, codes, blank, tuple(f"P{i:02d}" for i in range(1, n + 1)), True)
        if check(document, table).holds:
            found.append(table)
    return found


def rows_that_differ(one: Table, other: Table) -> int:
    """By trying every order of rows."""
    a, b = (table.cells().drop(columns="patient_id").to_numpy().tolist() for table in (one, other))
    return min(sum(x != y for x, y in zip(a, order, strict=True)) for order in permutations(b))


def uncountable(*args, **kwargs):
    raise Uncountable("too many")


def too_many(*args, **kwargs):
    raise TooMany("too many")


# Drawing


def test_where_worlds_can_be_counted_draws_are_exact(document):
    made = document(SMALL)
    every = {tuple(rows_of(table)) for table in every_world(made)}
    sampler = Sampler(made, 4)
    assert (sampler.exact, sampler.r_hat, sampler.measure) == (True, None, "exact: uniform over labelled line lists")
    assert sampler.log10_count == pytest.approx(log10(len(every)))
    assert sampler.log10_bounds() is None
    drawn = Counter(tuple(rows_of(table)) for table in sampler.draws(20 * len(every)))
    assert drawn.keys() == every
    assert chisquare(list(drawn.values())).pvalue > 0.001


def test_where_they_cannot_be_counted_a_markov_chain_draws_and_bounds_stand_for_the_number(document, monkeypatch):
    made = document(SMALL)
    known = len(every_world(made))
    real = sample.count

    def only_without_means(document, **kwargs):
        if any(claim.statistic.name == "mean" for claim in document.claims):
            raise Uncountable("too hard")
        return real(document, **kwargs)

    monkeypatch.setattr(sample, "count", only_without_means)
    monkeypatch.setattr(sample, "enumerate_worlds", too_many)
    sampler = Sampler(made, 0)
    assert not sampler.exact and sampler.log10_count is None
    assert 0.99 < sampler.r_hat < 1.05
    assert sampler.measure.startswith("Markov chain, meant to be uniform over labelled line lists, as far as its moves")
    assert f"R-hat {sampler.r_hat:.3f}" in sampler.measure and "proposals between draws" in sampler.measure
    assert len({tuple(rows_of(table)) for table in sampler.draws(5 * known)}) > known / 2
    low, high = sampler.log10_bounds()
    assert low == pytest.approx(log10(known))  # with every order of the rows seen, all worlds are
    assert high == pytest.approx(log10(3 * 4**3))  # which of them is in B, and any x


def test_an_upper_bound_leaves_out_as_few_claims_as_it_can(document, monkeypatch):
    made = document(SMALL)
    real = sample.count

    def not_all(document, **kwargs):
        if len(document.claims) == 2:
            raise Uncountable("too hard")
        return real(document, **kwargs)

    monkeypatch.setattr(sample, "count", not_all)
    assert log10_upper(made) == pytest.approx(log10(3 * 4**3))
    monkeypatch.setattr(sample, "count", uncountable)
    assert log10_upper(made) == pytest.approx(log10((2 * 4) ** 3))  # what the columns allow


def test_a_draw_that_is_no_world_is_never_given_out(document, monkeypatch):
    right, wrong = document(SMALL), document(SMALL.replace('equals: "2"', 'equals: "1"'))
    monkeypatch.setattr(sample, "count", lambda document, real=sample.count: real(wrong))
    with pytest.raises(AssertionError, match="does not satisfy the claims"):
        next(Sampler(right, 0).draws(1))


# How far apart


def test_the_greatest_distance_is_that_of_all_pairs(document):
    made = document(SMALL)
    every = every_world(made)
    assert all(
        distance(Counter(rows_of(one)), Counter(rows_of(other))) == rows_that_differ(one, other)
        for one in every[:12]
        for other in every[::5]
    )
    assert Sampler(made, 0).distance() == Distance(3, 3)
    middle = document(ONE.replace('  - {id: mean, statistic: mean, of: x, equals: "1.67"}\n', ""))  # 1, any of 3, 3
    assert {rows_that_differ(a, b) for a in every_world(middle) for b in every_world(middle)} == {0, 1}
    assert Sampler(middle, 0).distance() == Distance(1, 1)  # below the ceiling, and every world was seen


def test_one_world_only_is_at_distance_0(document):
    sampler = Sampler(document(ONE), 0)
    assert len(list(sampler.draws(1))) == 1
    assert sampler.log10_count == pytest.approx(log10(3))  # in three orders
    assert sampler.distance() == Distance(0, 0)


def test_worlds_that_cannot_be_counted_but_are_few_are_listed(document, monkeypatch):
    monkeypatch.setattr(sample, "count", uncountable)
    sampler = Sampler(document(ONE), 0)
    assert sampler.exact and sampler.log10_count == pytest.approx(log10(3))


def test_a_distance_that_was_only_seen_is_no_more_than_that(document, monkeypatch):
    monkeypatch.setattr(sample, "count", uncountable)
    monkeypatch.setattr(sample, "enumerate_worlds", too_many)
    sampler = Sampler(document(ONE), 0)
    assert sampler.distance() == Distance(0, 3)
    assert str(sampler.distance()) == "at least 0 patients (seen), at most 3"


# Writing


@pytest.fixture
def tables(document) -> list[Table]:
    return list(Sampler(document(SMALL), 1).draws(450))  # several row groups


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".CSV"])
def test_what_is_written_is_the_cells_of_every_world_in_turn(tables, tmp_path, ending):
    path = tmp_path / f"worlds{ending}"
    write_draws(iter(tables), path)
    expected = pd.concat([table.cells().assign(world=i) for i, table in enumerate(tables, 1)], ignore_index=True)
    expected.insert(0, "world", expected.pop("world"))
    if ending == ".parquet":
        pd.testing.assert_frame_equal(pd.read_parquet(path), expected, check_dtype=False)
        assert pd.read_parquet(path)["world"].dtype == np.int64
    else:
        assert path.read_bytes() == expected.to_csv(index=False, lineterminator="\n").encode()
    assert list(expected)[:2] == ["world", "patient_id"] and list(expected)[-1] == "provenance"
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError(28, "No space left on device"), AssertionError])
def test_nothing_is_left_of_a_file_that_was_not_finished(tables, tmp_path, ending, fault):
    def broken_off():
        yield from tables[:250]
        raise fault

    path = tmp_path / f"worlds{ending}"
    path.write_text("former")
    with pytest.raises(fault if isinstance(fault, type) else OSError):
        write_draws(broken_off(), path)
    assert os.listdir(tmp_path) == [path.name]
    assert path.read_text() == "former"


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_ten_times_the_worlds_take_no_more_memory(tables, tmp_path, ending):
    def peak(times: int) -> int:
        tracemalloc.start()
        write_draws((table for _ in range(times) for table in tables), tmp_path / f"worlds{ending}")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1)
    assert peak(10) < 1.2 * peak(1)


# The command


@pytest.fixture
def worlds(tmp_path):
    """Runs `blina worlds` on a claims text: exit code, standard output, lines of standard error."""

    def run(text: str, *arguments: str) -> tuple[int, str, list[str]]:
        claims = tmp_path / "claims.yaml"
        claims.write_text(text)
        done = CliRunner().invoke(main, ["worlds", "--claims", str(claims), *map(str, arguments)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        assert set(os.listdir(tmp_path)) <= {"claims.yaml", "worlds.csv", "worlds.parquet"}
        return done.exit_code, done.stdout, done.stderr.splitlines()

    return run


def test_worlds_are_written_and_what_they_are_is_said(worlds, tmp_path, document):
    path = tmp_path / "worlds.csv"
    code, said, told = worlds(SMALL, "-n", 12, "--seed", 3, "-o", path)
    assert (code, said) == (0, "")
    assert told == [
        "worlds.csv: 12 worlds, each rechecked.",
        "Drawn: exact: uniform over labelled line lists.",
        "No draw is a probability about the real patients.",
        f"Worlds there are, patients told apart: 10^{log10(len(every_world(document(SMALL)))):.1f}.",
        "Greatest distance between two worlds: 3 patients, of 3.",
    ]
    rows = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
    assert [row["world"] for row in rows] == [str(i) for i in range(1, 13) for _ in range(3)]
    assert {row["provenance"] for row in rows} == {NOT_A_PATIENT}
    code, said, _ = worlds(SMALL, "-n", 12, "--seed", 3, "-o", tmp_path / "worlds.parquet", "--json")
    assert pd.read_parquet(tmp_path / "worlds.parquet").astype(str).to_dict("records") == rows
    assert json.loads(said) == {
        "worlds": 12, "measure": "exact: uniform over labelled line lists", "exact": True,
        "log10_count": pytest.approx(log10(len(every_world(document(SMALL))))), "log10_count_bounds": None,
        "greatest_distance": {"at_least": 3, "at_most": 3}, "r_hat": None,
    }  # fmt: skip


def test_what_a_markov_chain_drew_is_said_to_be_that(worlds, tmp_path, monkeypatch):
    monkeypatch.setattr(sample, "count", uncountable)
    monkeypatch.setattr(sample, "enumerate_worlds", too_many)
    code, said, told = worlds(SMALL, "-n", 3, "-o", tmp_path / "worlds.csv", "--json")
    result = json.loads(said)
    assert code == 0
    assert (result["exact"], result["log10_count"]) == (False, None)
    assert result["r_hat"] == pytest.approx(1, abs=0.05)
    low, high = result["log10_count_bounds"]
    assert 0 < low < high
    assert told[1].startswith("Drawn: Markov chain") and f"10^{low:.1f} to 10^{high:.1f}" in told[3]
    monkeypatch.setattr(sample.Walk, "draw", lambda walk, rng: walk.chains[0].table(rng))
    init = sample.Walk.__init__

    def apart(walk, *args):
        init(walk, *args)
        walk.r_hat = inf

    monkeypatch.setattr(sample.Walk, "__init__", apart)
    code, said, told = worlds(SMALL, "-n", 3, "-o", tmp_path / "worlds.csv", "--json")
    assert json.loads(said)["r_hat"] is None  # JSON knows no infinity
    assert "R-hat infinite" in told[1] and "the chains do not agree" in told[1]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_same_seed_gives_the_same_bytes_and_another_other_ones(worlds, tmp_path, ending):
    path = tmp_path / f"worlds.{ending}"
    files = []
    for seed in (1, 1, 2):
        assert worlds(SMALL, "-n", 30, "--seed", seed, "-o", path)[0] == 0
        files.append(path.read_bytes())
    assert files[0] == files[1] != files[2]


def test_a_drawn_world_of_the_report_is_one_by_blina_check(report_claims, tmp_path):
    path, one = tmp_path / "worlds.csv", tmp_path / "one.csv"
    done = CliRunner().invoke(main, ["worlds", "-n", "5", "--seed", "7", "-o", str(path), "--json"])
    assert done.exit_code == 0
    result = json.loads(done.stdout)
    assert result["exact"] and result["log10_count"] > 200
    assert result["greatest_distance"] == {"at_least": 28, "at_most": 28}
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    for i in range(5):
        one.write_text("\n".join(line.partition(",")[2] for line in [header, *lines[28 * i : 28 * (i + 1)]]) + "\n")
        assert check(report_claims, read_for_claims(one, report_claims)).holds


def test_without_a_reading_there_are_more_worlds(worlds, tmp_path):
    counts = []
    for more in ([], ["--without", "R"]):
        counts.append(json.loads(worlds(SMALL, "-n", 1, "-o", tmp_path / "worlds.csv", "--json", *more)[1]))
    assert counts[0]["log10_count"] < counts[1]["log10_count"]
    code, _, told = worlds(SMALL, "-n", 1, "-o", tmp_path / "worlds.csv", "--without", "R9")
    assert (code, told) == (2, ["there is no reading R9; the readings are R"])


@pytest.mark.parametrize(
    "number, name, wrong",
    [(0, "worlds.csv", "-n 0: draw at least 1 world"), (-4, "worlds.csv", "-n -4: draw at least 1 world"),
     (1, "worlds.xlsx", "worlds.xlsx: end the name in .csv or .parquet, whichever the file should be"),
     (1, "worlds", "worlds: end the name in .csv or .parquet, whichever the file should be"),
     (1, "none/worlds.csv", "there is no folder none to write worlds.csv in: make it first")],
)  # fmt: skip
def test_bad_input_is_one_line_and_nothing_is_drawn(worlds, tmp_path, monkeypatch, number, name, wrong):
    monkeypatch.setattr(sample, "Sampler", None)
    assert worlds(SMALL, "-n", number, "-o", tmp_path / name) == (2, "", [wrong])


def test_a_column_whose_name_is_taken_is_to_be_renamed(worlds, tmp_path):
    code, _, told = worlds(
        ONE.replace("{x:", "{world:").replace("of: x", "of: world"), "-n", 1, "-o", tmp_path / "worlds.csv"
    )
    assert (code, told) == (2, ["the claims have a column world, a name that every file of worlds uses: rename it"])
    assert os.listdir(tmp_path) == ["claims.yaml"]


def test_a_folder_is_not_a_file_to_write(worlds, tmp_path):
    (tmp_path / "worlds.csv").mkdir()
    assert worlds(SMALL, "-n", 1, "-o", tmp_path / "worlds.csv") == (
        2,
        "",
        ["worlds.csv is a folder: name a file in it"],
    )


def test_a_folder_that_cannot_be_written_to_is_said_before_drawing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(FileError, match="worlds.csv cannot be written: check the permissions of its folder"):
        write_draws([], tmp_path / "worlds.csv")


@pytest.mark.parametrize("countable", [True, False])
def test_contradictory_claims_have_no_worlds_to_draw(worlds, tmp_path, monkeypatch, countable):
    if not countable:
        monkeypatch.setattr(sample, "count", uncountable)
    code, said, told = worlds(CONTRADICTORY, "-n", 1, "-o", tmp_path / "worlds.csv")
    no = "claims.yaml: no line list satisfies all claims at once (blina consistent says why)"
    assert (code, said, told) == (1, "", [no])
    assert os.listdir(tmp_path) == ["claims.yaml"]


def test_what_no_second_solver_confirms_is_unknown_and_not_contradictory(worlds, tmp_path, monkeypatch):
    monkeypatch.setattr(sample, "confirms_impossible", lambda *arguments: False)
    code, said, told = worlds(CONTRADICTORY, "-n", 1, "-o", tmp_path / "worlds.csv")
    assert (code, said, len(told)) == (1, "", 1)
    assert told[0].startswith("claims.yaml: unknown: no line list that satisfies all claims was found")
