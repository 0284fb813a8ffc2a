"""`blina bounds`: what the report fixes, what it leaves open, and how sure that is."""

import csv
import json
from fractions import Fraction

import pytest
from click.testing import CliRunner

from blina.claims import bounds as bounds_module
from blina.claims.bounds import bounds
from blina.claims.check import check, read_for_claims
from blina.cli import main

STRICT = {"fc_after": "negative", "pcr_after": ["negative", "not_applicable"]}


def of_report(report_claims, *asked, without=()):
    document = report_claims.without(without)
    return bounds(document, document.question(*asked))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (("median", {}, "months_from_diagnosis"), ("3.7", "22.9")),
        (("mean", {"group": "RR"}, "mrd_before_percent"), ("18.88", "29.20")),
        (("mean", {"group": "MC"}, "mrd_before_percent"), ("0.30", "1.85")),
        (("count", {"sex": "female", "bcr_abl1": "yes"}), ("0", "7")),
        (("count", {"group": "MC", "fc_before": "positive"}), ("15", "16")),
        (("count", STRICT | {"group": "MC", "infusion_days": {"above": "7"}}), ("10", "13")),
        (("count", STRICT | {"group": "MC", "stop_reason": ["completed", "economic"]}), ("11", "13")),
        (("percent", {"group": "MC", "infusion_days": {"above": "7"}}, STRICT), ("66.7", "86.7")),
        (("min", {"group": "RR", "fc_after": "positive"}, "mrd_before_percent"), ("22.64", "22.64")),
        (("max", {"group": "RR", "bcr_abl1": "yes"}, "mrd_before_percent"), ("0.08", "8.37")),
    ],
    ids=lambda value: None,
)
def test_what_the_report_leaves_open_lies_between_known_bounds(report_claims, asked, expected):
    found = of_report(report_claims, *asked)
    assert (found.text(), found.status, found.attained) == (expected, "proven", True)


@pytest.mark.parametrize(
    ("rows", "number"),
    [
        ({"fc_after": "negative"}, 25),
        ({"bcr_abl1": "yes", "pcr_after": "negative"}, 1),
        ({"bcr_abl1": "yes"}, 7),
        (STRICT | {"group": "RR"}, 3),
    ],
    ids=lambda value: None,
)
def test_what_the_report_fixes_without_printing_it_is_determined(report_claims, rows, number):
    found = of_report(report_claims, "count", rows)
    assert found.determined and found.lower == number


def test_further_cycles_come_to_9_to_19_in_all(report_claims):
    found = of_report(report_claims, "mean", {}, "extra_cycles")
    assert (found.lower * 28, found.upper * 28) == (9, 19)


def test_a_world_stands_at_each_end_and_satisfies_every_claim(report_claims):
    question = report_claims.question("mean", {"bcr_abl1": "yes"}, "age_years")
    found = bounds(report_claims, question)
    for world, value in zip(found.worlds, (found.lower, found.upper), strict=True):
        assert check(report_claims, world).holds
        assert question.statistic.values(world, question.rows.holds(world), question.of) == (value,)
    assert found.lower < found.upper


@pytest.mark.parametrize(
    ("reading", "asked", "with_it", "without_it"),
    [
        ("R1", ("count", {"group": "MC", "fc_before": "positive"}), ("15", "16"), ("3", "16")),
        ("R5", ("count", {"group": "RR", "crs_grade": {"at_least": "1"}}), ("2", "2"), ("2", "5")),
        ("R12", ("mean", {"group": "RR"}, "mrd_before_percent"), ("18.88", "29.20"), ("18.88", "29.22")),
        ("R3", ("mean", {"group": "RR"}, "mrd_before_percent"), ("18.88", "29.20"), ("18.88", "29.20")),
    ],
)
def test_a_reading_that_is_dropped_widens_what_rests_on_it_and_nothing_else(
    report_claims, reading, asked, with_it, without_it
):
    assert of_report(report_claims, *asked).text() == with_it
    assert of_report(report_claims, *asked, without=[reading]).text() == without_it


def test_the_mode_of_rounding_is_one_for_the_whole_document(document):
    toy = document(
        "source: {title: toy}\npatients: 2\ncolumns: {x: {type: integer, min: 0, max: 9}}\n"
        "claims:\n  - {id: mean, statistic: mean, of: x, equals: '3'}\n"
        "  - {id: max, statistic: max, of: x, equals: '4'}\n"
    )
    found = bounds(toy, toy.question("min", {}, "x"))
    assert (found.lower, found.upper) == (1, 3)  # a mean of 2.5 is printed as 3 half up, one of 3.5 half down only


def test_nobody_to_compute_it_of_is_not_a_contradiction(report_claims):
    found = of_report(report_claims, "median", {"group": "IC"}, "mrd_before_percent")
    assert (found.status, found.lower) == ("undefined", None)
    girls = of_report(report_claims, "percent", {"sex": "female", "bcr_abl1": "yes"}, {"fever_cycle1": "yes"})
    assert girls.sometimes_undefined and not girls.determined


def test_a_bound_is_proven_only_if_the_second_solver_agrees(report_claims, monkeypatch):
    monkeypatch.setattr(bounds_module, "confirms_impossible", lambda *args: False)
    assert of_report(report_claims, "mean", {"group": "RR"}, "mrd_before_percent").status == "unconfirmed"


def test_no_time_gives_unknown_and_never_a_contradiction(report_claims):
    question = report_claims.question("median", {}, "months_from_diagnosis")
    assert bounds(report_claims, question, limit=0).status == "unknown"


def test_an_end_beyond_the_time_limit_is_an_outer_bound(report_claims, monkeypatch):
    solve = bounds_module.solve

    def without_time_for_the_goal(program, least=None, extra=(), limit=0.0, seed=0):
        found = solve(program, least, extra, 60, seed)
        return found if least is None else type(found)("unknown", found.values, least.of(found.values) - 5)

    monkeypatch.setattr(bounds_module, "solve", without_time_for_the_goal)
    found = of_report(report_claims, "count", {"fc_after": "negative"})
    assert (found.status, found.attained, found.lower, found.upper) == ("outer", False, 20, 30)


# The command


def ask(*arguments) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["bounds", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def test_the_command_prints_both_ends_as_json():
    code, said, _ = ask("--statistic", "mean", "--rows", "{group: RR}", "--of", "mrd_before_percent", "--json")
    assert code == 0
    assert json.loads(said) == {"lower": "18.88", "upper": "29.20", "attained": True, "status": "proven"}


def test_a_range_is_answered_end_by_end():
    code, said, _ = ask(
        "--statistic", "range", "--rows", "{group: RR, fc_after: negative}", "--of", "age_years", "--json"
    )
    ends = json.loads(said)
    assert code == 0 and list(ends) == ["min", "max"]
    assert ends["max"]["upper"] == "16.4" and ends["min"]["lower"] == "0.6"


def test_a_determined_value_is_said_to_be_determined():
    code, said, _ = ask("--statistic", "count", "--rows", "{fc_after: negative}")
    assert code == 0
    assert said.startswith(
        "count: fc_after negative: 25, the same in every line list that satisfies the claims (proven"
    )


def test_the_two_worlds_at_the_ends_are_written(tmp_path, report_claims):
    file = tmp_path / "ends.csv"
    code, _, _ = ask("--statistic", "median", "--of", "months_from_diagnosis", "--worlds", file)
    rows = list(csv.DictReader(file.open(encoding="utf-8", newline="")))
    assert code == 0 and {row["world"] for row in rows} == {"1", "2"} and len(rows) == 56
    assert all(row["provenance"].startswith("not a patient") for row in rows)
    medians = []
    for world in "12":
        part = tmp_path / f"{world}.csv"
        with part.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, rows[0].keys())
            writer.writeheader()
            writer.writerows(row for row in rows if row["world"] == world)
        table = read_for_claims(part, report_claims)
        assert check(report_claims, table).holds
        months = sorted(table.codes["months_from_diagnosis"])
        medians.append(Fraction(int(months[13] + months[14]), 20))
    assert medians == [Fraction("3.7"), Fraction("22.9")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--statistic", "count", "--worlds", "ends.xlsx"], "ends.xlsx: end the name in .csv"),
        (["--statistic", "medain", "--of", "age_years"], "there is no statistic medain; did you mean median?"),
        (["--statistic", "median"], "median needs of: a number column"),
        (["--statistic", "count", "--rows", "{group: MD}"], "rows: group is never 'MD'"),
        (["--statistic", "count", "--rows", "{group: MC"], "--rows, line 1: not valid YAML"),
        (["--statistic", "count", "--rows", "MC"], "rows: rows are chosen by columns and values"),
        (["--statistic", "percent", "--of", "age_years"], "percent needs of: the rows that are counted"),
        (["--statistic", "count", "--without", "R99"], "there is no reading R99"),
        (["--statistic", "count", "--claims", "none.yaml"], "there is no claims file none.yaml"),
    ],
)
def test_a_question_that_cannot_be_meant_is_refused_in_one_line(arguments, message):
    code, said, told = ask(*arguments)
    assert (code, said) == (2, "")
    assert len(told.splitlines()) == 1 and message in told


def test_an_sd_in_a_column_of_many_values_does_not_keep_other_bounds_from_being_proven(document):
    toy = document(
        "source: {title: toy}\npatients: 6\ncolumns: {plt: {type: integer, min: 0, max: 3000}, bled: {type: boolean}}\n"
        "claims:\n  - {id: sd, statistic: sd, of: plt, equals: '812.5'}\n"
        "  - {id: bled, statistic: percent, of: {bled: yes}, equals: '50.0'}\n"
    )
    found = bounds(toy, toy.question("count", {"bled": "yes"}))
    assert found.determined and found.lower == 3


def test_contradictory_claims_have_no_bounds(tmp_path):
    claims = tmp_path / "claims.yaml"
    claims.write_text(
        "source: {title: toy}\npatients: 2\ncolumns: {x: {type: integer, min: 0, max: 9}}\n"
        "claims:\n  - {id: mean, statistic: mean, of: x, equals: '3.3'}\n"
    )
    code, said, _ = ask("--claims", claims, "--statistic", "max", "--of", "x", "--json")
    assert code == 1
    assert json.loads(said) == {"lower": None, "upper": None, "attained": False, "status": "contradictory"}
