"""Worlds: the shipped line list is remade byte for byte, is plausible, and any claims file gets one or is refused."""

import os
from fractions import Fraction

import numpy as np
import pytest
from click.testing import CliRunner
from per_patient import every_world, model_of

from blina.analysis.determined import claims_of
from blina.analysis.readings import load_readings
from blina.claims import worlds
from blina.claims.check import check, read_for_claims
from blina.claims.document import load_claims
from blina.claims.printed import HALF_MODES
from blina.claims.program import Sum
from blina.claims.statistics import Count, Form
from blina.claims.worlds import Contradictory, spread_world, write_world
from blina.cli import main
from blina.linelist.cohort import load_cohort
from blina.linelist.columns import NOT_A_PATIENT
from blina.linelist.intake import read_line_list
from blina.measures.bounds import load_bounds


class Remembered:
    """Answers as a solver gave them before."""

    def __init__(self, spans):
        self.spans = spans

    def __call__(self, asked):
        return self.spans[asked.key]

    def printed(self, asked):
        span = self.spans.get(asked.key)
        return ("", ()) if span is None else (span.printed, span.claims)


def test_line_list_and_bounds_are_remade_with_the_same_bytes(report_folder, tmp_path, monkeypatch):
    folder = tmp_path / "again"
    folder.mkdir()
    for name in ("claims.yaml", "cohort.yaml", "questions.yaml"):
        (folder / name).write_bytes((report_folder / name).read_bytes())
    recorded = load_bounds(load_cohort("tianjin2023")).spans  # solving all again takes half a minute
    monkeypatch.setattr("blina.analysis.study.Solver", lambda document: Remembered(recorded))
    cohort, document = claims_of(load_cohort("tianjin2023"), load_claims(report_folder / "claims.yaml"))
    readings = load_readings(cohort, document)
    monkeypatch.setattr("blina.analysis.readings.without_each", lambda cohort, document: readings)
    done = CliRunner().invoke(main, ["linelist", "--cohort", str(folder)])
    assert (done.exit_code, done.stderr) == (0, "")
    assert "They are not patients" in done.stdout
    assert f"{len(recorded)} numbers over all such line lists" in done.stdout
    assert sorted(os.listdir(folder)) == [
        "bounds.csv", "claims.yaml", "cohort.yaml", "linelist.csv", "questions.yaml", "readings.csv",
    ]  # fmt: skip
    for name in ("linelist.csv", "bounds.csv", "readings.csv"):
        assert (folder / name).read_bytes() == (report_folder / name).read_bytes()


def test_the_world_fits_every_claim_whichever_way_halves_were_rounded(report_claims, report_table):
    assert check(report_claims, report_table).surviving == HALF_MODES


def test_the_world_meets_the_rules_of_every_line_list_and_says_what_it_is(report_folder, report_rows, report_table):
    table = read_line_list(report_folder / "linelist.csv")
    assert table.reconstructed
    assert {row["provenance"] for row in report_rows} == {NOT_A_PATIENT}
    assert [row["patient_id"] for row in report_rows] == [f"P{i:02d}" for i in range(1, 29)] == [*table.ids]
    written = report_table.cells().to_csv(index=False, lineterminator="\n")
    assert written.encode() == (report_folder / "linelist.csv").read_bytes()


def test_no_child_is_treated_for_longer_than_it_has_lived(report_rows):
    for row in report_rows:
        assert Fraction(row["months_from_diagnosis"]) <= 12 * Fraction(row["age_years"])


def test_both_sexes_are_in_each_group(report_rows):
    assert {(row["group"], row["sex"]) for row in report_rows} == {
        (group, sex) for group in ("MC", "IC", "RR") for sex in ("male", "female")
    }


def test_nobody_who_stopped_for_a_reaction_or_for_cost_gets_further_cycles(report_rows):
    stopped = [row for row in report_rows if row["stop_reason"] != "completed"]
    assert len(stopped) == 3
    assert {row["extra_cycles"] for row in stopped} == {"0"}


@pytest.mark.parametrize(
    "column, group, most_at_an_end",
    [("mrd_before_percent", "MC", 3), ("mrd_before_percent", "RR", 2), ("months_from_diagnosis", "MC", 2),
     ("months_from_diagnosis", "RR", 2), ("age_years", "MC", 2), ("infusion_days", "MC", 3)],
)  # fmt: skip
def test_values_are_spread_and_not_piled_up_at_their_ends(report_rows, column, group, most_at_an_end):
    values = sorted(Fraction(row[column]) for row in report_rows if row["group"] == group and row[column])
    assert len(set(values)) >= 0.7 * len(values)
    assert values.count(values[0]) + values.count(values[-1]) <= most_at_an_end
    middle = sum(values[0] < value < values[-1] for value in values)
    assert middle >= len(values) - 3


# Other claims files

TOY = """\
source: {title: a toy}
patients: 7
rounding: RULE
columns:
  weight: {type: decimal, min: "-2", max: "50", step: "0.25", blank: allowed}
  left: {type: boolean}
  visits: {type: integer, min: 0, max: 9}
rules:
  - {id: heavy, if: {left: true}, then: {weight: {above: 10}}, why: w}
claims:
  - {id: half, statistic: percent, of: {left: true}, equals: "42.9"}
  - {id: weights, statistic: range, of: weight, equals: ["-1.5", "40"]}
  - {id: middle, statistic: median, of: weight, equals: "12.0"}
  - {id: none, statistic: count, rows: {weight: ""}, equals: "1"}
  - {id: few, statistic: mean, of: visits, below: "2"}
"""


@pytest.mark.parametrize("rounding", ["any", "half_up", "half_even"])
@pytest.mark.parametrize("seed", [0, 1])
def test_claims_on_other_columns_and_without_groups_get_a_world(document, tmp_path, rounding, seed):
    made = document(TOY.replace("RULE", rounding))
    world = spread_world(made, seed)
    assert check(made, world).holds
    path = tmp_path / "world.csv"
    write_world(world, path)
    again = read_for_claims(path, made)  # what is written is what was made
    assert again.reconstructed
    for part in ("codes", "blank"):
        for name in made.columns:
            assert np.array_equal(getattr(again, part)[name], getattr(world, part)[name])
    assert path.read_text(encoding="utf-8").splitlines()[0] == "patient_id,weight,left,visits,provenance"


def test_a_world_is_the_same_for_the_same_seed_and_another_for_another(document):
    made = document(TOY.replace("RULE", "any"))
    one, same, other = (spread_world(made, seed).cells() for seed in (3, 3, 4))
    assert one.equals(same)
    assert not one.equals(other)


SPREAD = """\
source: {title: a toy}
patients: 7
columns:
  treated: {type: boolean}
  age: {type: integer, min: 0, max: 99}
  weight: {type: integer, min: 0, max: 99}
claims:
  - {id: ages, statistic: range, of: age, equals: ["10", "70"]}
  - {id: middle, statistic: median, of: age, equals: "20"}
  - {id: heavy, statistic: mean, of: weight, above: "50"}
"""


def test_numbers_are_spaced_evenly_from_end_to_end_with_the_median_at_its_place(document):
    ages = sorted(int(age) for age in spread_world(document(SPREAD), 0).cells()["age"])
    assert ages == [10, 13, 16, 20, 30, 46, 70]  # on the logarithmic scale, where 20 lies nearer the middle


def test_numbers_drawn_by_chance_keep_to_the_claims_and_differ_from_seed_to_seed(document):
    made = document(SPREAD)
    drawn = {tuple(sorted(spread_world(made, seed, even=False).cells()["age"])) for seed in range(8)}
    assert len(drawn) > 4
    for ages in drawn:
        assert (min(ages), ages[3], max(ages)) == ("10", "20", "70")


def test_words_that_no_claim_settles_take_every_value_in_some_world(document):
    made = document(SPREAD + '  - {id: few, statistic: count, rows: {treated: true}, at_most: "3"}\n')
    treated = {sum(spread_world(made, seed).cells()["treated"] == "yes") for seed in range(40)}
    assert treated >= {1, 2, 3}


WORDS_ONLY = """\
source: {title: a toy}
patients: 4
columns:
  group: {type: category, values: [B, A]}
claims:
  - {id: a, statistic: count, rows: {group: A}, equals: "1"}
"""


def test_a_world_without_any_number_column_stands_in_the_order_of_its_groups(document):
    world = spread_world(document(WORDS_ONLY), 0)
    assert list(world.cells()["group"]) == ["B", "B", "B", "A"]


def one_mean(rounding: str, *means: str) -> str:
    claims = "".join(f'  - {{id: m{i}, statistic: mean, of: x, equals: "{mean}"}}\n' for i, mean in enumerate(means))
    return (
        f"source: {{title: t}}\npatients: 2\nrounding: {rounding}\n"
        f"columns:\n  x: {{type: integer, min: 0, max: 5}}\nclaims:\n{claims}"
    )


@pytest.mark.parametrize(
    "rounding, means, surviving",
    [
        ("any", ("2", "2.0"), HALF_MODES),
        ("any", ("3", "2.5"), ("half_up",)),  # no world fits under all modes at once, one does under half_up
        ("any", ("2", "2.5"), ("half_even", "half_down")),
        ("truncate", ("2", "2.5"), ("truncate",)),
    ],
)
def test_a_world_fits_under_all_rounding_modes_or_else_under_one(document, rounding, means, surviving):
    made = document(one_mean(rounding, *means))
    assert check(made, spread_world(made, 0)).surviving == surviving


@pytest.mark.parametrize("rounding, means", [("any", ("2", "3.0")), ("half_even", ("3", "2.5")), ("any", ("6",))])
def test_contradictory_claims_have_no_world(document, rounding, means):
    with pytest.raises(Contradictory, match="no line list satisfies all claims at once"):
        spread_world(document(one_mean(rounding, *means)), 0)


def test_contradictory_rules_have_no_world(document):
    text = WORDS_ONLY + "rules:\n  - {id: r, if: {}, then: {group: B}, why: w}\n"
    with pytest.raises(Contradictory):
        spread_world(document(text), 0)


def test_a_world_is_checked_before_it_is_given_out(document, monkeypatch):
    always_5 = Form(lambda n: Sum(constant=5), Fraction(1))  # a form for the solver that is wrong
    monkeypatch.setattr(Count, "forms", lambda *arguments: (always_5,))
    with pytest.raises(AssertionError, match="does not satisfy the claims"):
        spread_world(document(WORDS_ONLY.replace('equals: "1"', 'equals: "5"')), 0)


def test_what_the_solver_could_not_decide_in_time_is_not_called_contradictory(document, monkeypatch):
    monkeypatch.setattr(worlds, "LIMIT_SECONDS", 0.0)
    with pytest.raises(TimeoutError, match="nothing can be said"):
        spread_world(document(WORDS_ONLY), 0)


ONLY_BLOCK = "8FBS 18MWS 24FWS 30MWM 36FBM 66FBM 84MBM"


def test_the_seven_people_of_a_census_block_are_found(document):
    """The published statistics fit exactly one block (Garfinkel, Abowd and Martindale 2018)."""
    cells = spread_world(document(CENSUS), 0).cells()
    sex, race = (cells[column].str[0].str.upper() for column in ("sex", "race"))
    people = cells["age"] + sex + race + cells["married"].map({"yes": "M", "no": "S"})
    assert " ".join(sorted(people, key=lambda person: int(person[:-3]))) == ONLY_BLOCK


@pytest.mark.parametrize("decimals, blocks", [(".0", 1), ("", 6)])
def test_a_mean_printed_without_its_decimal_leaves_more_blocks_open(document, decimals, blocks):
    model = model_of(document(CENSUS.replace(".0", decimals)), ["half_up"])
    orders = [
        sum(model.codes[name][i] * worth for name, worth in (("age", 8), ("sex", 4), ("race", 2), ("married", 1)))
        for i in range(7)
    ]
    for one, next_ in zip(orders, orders[1:], strict=False):
        model.cp.add(one <= next_)
    assert len(every_world(model)) == blocks


def _block(name: str, rows: str, n: str, median: str, mean: str) -> str:
    return "".join(
        f'  - {{id: {name}-{statistic}, statistic: {statistic}, rows: {rows}, {of}equals: "{value}"}}\n'
        for statistic, of, value in (("count", "", n), ("median", "of: age, ", median), ("mean", "of: age, ", mean))
    )


_FEW = {
    "single-adults": "{married: no, age: {above: 17}}", "black-male": "{race: black, sex: male}",
    "white-male": "{race: white, sex: male}", "white-female": "{race: white, sex: female}",
    "under-5": "{age: {below: 5}}", "under-18": "{age: {below: 18}}", "64-or-older": "{age: {at_least: 64}}",
}  # fmt: skip
CENSUS = (
    "source: {title: a census block}\npatients: 7\ncolumns:\n"
    "  sex: {type: category, values: [female, male]}\n  race: {type: category, values: [black, white]}\n"
    "  married: {type: boolean}\n  age: {type: integer, min: 0, max: 125}\n"
    "rules:\n  - {id: adults-marry, if: {married: yes}, then: {age: {at_least: 15}}, why: law}\nclaims:\n"
    + _block("all", "{}", "7", "30", "38.0")
    + _block("female", "{sex: female}", "4", "30", "33.5")
    + _block("male", "{sex: male}", "3", "30", "44.0")
    + _block("black", "{race: black}", "4", "51", "48.5")
    + _block("white", "{race: white}", "3", "24", "24.0")
    + _block("married", "{married: yes}", "4", "51", "54.0")
    + _block("black-female", "{race: black, sex: female}", "3", "36", "36.7")
    + "".join(f'  - {{id: {name}, statistic: count, rows: {rows}, at_most: "2"}}\n' for name, rows in _FEW.items())
)


def test_a_line_list_that_was_there_is_replaced_only_by_a_whole_one(document, tmp_path, monkeypatch):
    path = tmp_path / "linelist.csv"
    path.write_text("former")

    def full_disk(*args, **kwargs):
        raise OSError(28, "No space left on device")

    world = spread_world(document(WORDS_ONLY), 0)
    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError):
        write_world(world, path)
    assert path.read_text() == "former"


def test_the_cohorts_seed_is_the_one_that_made_its_line_list(report_folder):
    cohort = load_cohort("tianjin2023")
    assert (cohort.reconstructed, cohort.seed) == (True, 1)
    assert cohort.linelist.read_bytes() == (report_folder / "linelist.csv").read_bytes()
    assert load_claims(cohort.claims).patients == 28


@pytest.mark.parametrize(
    "settings, said",
    [("title: ours\n", "has no `reconstructed: true` and `seed` in cohort.yaml: its line list is kept"),
     ("seed: 3\n", "its line list is kept"), ("reconstructed: yes\n", "its line list is kept")],
)  # fmt: skip
def test_a_real_line_list_is_never_overwritten_by_a_world(report_folder, tmp_path, settings, said):
    (tmp_path / "claims.yaml").write_bytes((report_folder / "claims.yaml").read_bytes())
    (tmp_path / "cohort.yaml").write_text(settings)
    (tmp_path / "linelist.csv").write_text("real patients")
    done = CliRunner().invoke(main, ["linelist", "--cohort", str(tmp_path)])
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (tmp_path / "linelist.csv").read_text() == "real patients"


def test_a_contradictory_cohort_keeps_its_line_list(tmp_path):
    (tmp_path / "claims.yaml").write_text(one_mean("any", "2", "3.0"))
    (tmp_path / "cohort.yaml").write_text("reconstructed: true\nseed: 1\n")
    (tmp_path / "linelist.csv").write_text("former")
    done = CliRunner().invoke(main, ["linelist", "--cohort", str(tmp_path)])
    assert (done.exit_code, done.stderr) == (2, "claims.yaml: no line list satisfies all claims at once\n")
    assert (tmp_path / "linelist.csv").read_text() == "former"
