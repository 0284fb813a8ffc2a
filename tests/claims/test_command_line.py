"""`blina check`: what it says, its exit codes, and one clear line for whatever is wrong."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from blina.cli import main


def check(*arguments) -> tuple[int, list[str], list[str]]:
    done = CliRunner().invoke(main, ["check", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout.splitlines(), done.stderr.splitlines()


def test_every_claim_of_the_report_holds_on_its_line_list(report_folder, report_claims):
    code, said, told = check(report_folder / "linelist.csv")
    claims, rules = len(report_claims.claims), len(report_claims.rules) + 1
    assert code == 0
    assert told == [
        f"{claims} claims, {rules - 1} rules and the number of patients recomputed (rounding: half_up): all hold."
    ]
    assert len(said) == claims + rules
    assert all(line.endswith("; holds") for line in said)
    assert "mc-mrd-median (Results, 7): printed 0.145; recomputed 0.145; holds" in said
    assert "ic-infection (Results, 3): printed at least 1; recomputed 1; holds" in said


def test_what_does_not_hold_is_said_and_the_exit_code_is_1(line_list):
    code, said, told = check(line_list({("P06", "sex"): "male"}))
    assert code == 1
    assert [line for line in said if not line.endswith("; holds")] == [
        "boys (Results, 1): printed 16; recomputed 17; DOES NOT HOLD",
        "girls (Results, 1): printed 12; recomputed 11; DOES NOT HOLD",
    ]
    assert ": 2 of 90 do not hold. The claims are those of tianjin2023; there are none beside linelist.csv." in told[0]


def test_a_broken_rule_is_named_with_how_many_patients_break_it(line_list):
    code, said, _ = check(line_list({("P02", "pcr_after"): "positive", ("P04", "pcr_after"): "positive"}))
    assert code == 1
    assert "pcr-after-needs-fusion: stated every patient; recomputed all but 2; DOES NOT HOLD" in said


def test_a_patient_who_stands_twice_is_bad_input(line_list):
    code, said, told = check(line_list({("P04", "patient_id"): "P03"}))
    assert (code, said) == (2, [])
    assert len(told) == 1 and "row 5, column patient_id: is the same as in row 4" in told[0]


def test_a_value_beyond_a_limit_is_shown_with_the_decimals_that_tell(tmp_path):
    claims, rows = tmp_path / "claims.yaml", tmp_path / "rows.csv"
    claims.write_text(
        "source: {title: toy}\npatients: 3\ncolumns: {x: {type: decimal, min: 0, max: 9, step: '0.01'}}\n"
        "claims:\n  - {id: few, statistic: mean, of: x, at_most: '2'}\n"
    )
    rows.write_text("x\n2.00\n2.01\n2.00\n")
    code, said, _ = check(rows, "--claims", claims)
    assert code == 1 and said[0] == "few: printed at most 2; recomputed 2.003; DOES NOT HOLD"


def test_json_holds_the_same_verdicts_and_nothing_else(line_list):
    path = line_list({("P16", "mrd_before_percent"): "0.20"})
    code, said, told = check(path, "--json")
    result = json.loads("\n".join(said))
    assert (code, told, result["holds"]) == (1, [], False)
    assert set(result) == {"holds", "rounding", "surviving_rounding", "verdicts"}
    (failing,) = (verdict for verdict in result["verdicts"] if not verdict["holds"])
    assert failing == {
        "id": "mc-mrd-median", "kind": "claim", "where": "Results, 7", "printed": "0.145", "recomputed": "0.185",
        "words": "median of mrd_before_percent: group MC", "holds": False, "reading": "R3",
    }  # fmt: skip
    plain = [line for line in check(path)[1] if line.endswith("DOES NOT HOLD")]
    assert plain == ["mc-mrd-median (Results, 7): printed 0.145; recomputed 0.185; DOES NOT HOLD"]


def test_without_a_reading_what_rests_on_it_is_not_judged(line_list):
    path = line_list({("P16", "mrd_before_percent"): "0.20"})
    code, said, told = check(path, "--without", "R3")
    assert code == 0 and told[0].startswith("64 claims, 23 rules and the number of patients recomputed")
    assert not any(line.startswith(("mc-mrd-median", "mc-mrd-range")) for line in said)
    assert check(path, "--without", "R1", "--without", "R3")[2][0].startswith("64 claims, 21 rules and ")
    assert check(path, "--without", "R16")[::2] == (
        2,
        [f"there is no reading R16; the readings are {', '.join(f'R{i}' for i in range(1, 16))}"],
    )


TOY = """\
source: {title: toy}
patients: 2
columns:
  age: {type: integer, min: 0, max: 99}
claims:
  - {id: mean-age, statistic: mean, of: age, equals: "5"}
"""


def test_the_claims_beside_a_line_list_are_the_ones_checked(tmp_path, line_list):
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "ages.csv").write_text("age\n4\n6\n")
    (tmp_path / "toy" / "claims.yaml").write_text(TOY)
    code, said, _ = check(tmp_path / "toy" / "ages.csv")
    assert (code, said[0]) == (0, "mean-age: printed 5; recomputed 5; holds")
    code, said, _ = check(line_list(), "--claims", tmp_path / "toy" / "claims.yaml")
    assert (code, len(said)) == (2, 0)  # the report's line list has no column age


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({("P02", "group"): "XX"}, ["linelist.csv: row 3, column group: write MC, IC or RR [group-allowed, cell B3]"]),
        ({("P02", "age_years"): "180"}, ["linelist.csv: row 3, column age_years: is out of range: write a number in"]),
        ({("P02", "mrd_before_percent"): "-1"}, ["linelist.csv: row 3, column mrd_before_percent: is out of range"]),
        (
            {("P02", "mrd_before_percent"): "abc", ("P09", "sex"): "f"},
            [
                "linelist.csv: row 3, column mrd_before_percent: is not a number",
                "linelist.csv: row 10, column sex: write",
            ],
        ),
    ],
)
def test_a_cell_that_cannot_be_read_is_one_line_and_the_exit_code_is_2(line_list, changes, expected):
    code, said, wrong = check(line_list(changes))
    assert (code, said, len(wrong)) == (2, [], len(expected))
    assert all(line.startswith(start) for line, start in zip(wrong, expected, strict=True))
    assert "abc" not in " ".join(wrong)


@pytest.mark.parametrize(
    "line_list_text, claims_text, expected",
    [
        (None, TOY, "there is no line list ages.csv in the folder "),
        ("", TOY, "ages.csv is empty: it should be a line list"),
        ("age\n", TOY, "ages.csv has a header but no patients: add one row per patient"),
        ("ages\n3\n4\n", TOY, "ages.csv: row 1, column age: is missing from the header: "),
        ("age\n4\n6\n", None, "there is no claims file toy.yaml in the folder "),
        ("age\n4\n6\n", "", "toy.yaml is empty: it should be a claims file"),
        ("age\n4\n6\n", TOY.replace("mean,", "maen,"), "toy.yaml, line 6: claim mean-age: there is no statistic maen"),
        ("age\n4\n6\n", TOY.replace("of: age", "of: ages"), "toy.yaml, line 6: claim mean-age: mean needs of: a"),
        ("age\n4\n6\n", TOY + "  - {id: [", "toy.yaml, line 7: not valid YAML"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_one_line_and_the_exit_code_is_2(tmp_path, line_list_text, claims_text, expected):
    for name, text in (("ages.csv", line_list_text), ("toy.yaml", claims_text)):
        if text is not None:
            (tmp_path / name).write_text(text)
    code, said, wrong = check(tmp_path / "ages.csv", "--claims", tmp_path / "toy.yaml")
    assert (code, said, len(wrong)) == (2, [], 1)
    assert wrong[0].startswith(expected)
    assert str(tmp_path.parent) not in wrong[0]


def test_a_folder_in_place_of_a_file_is_one_line(report_folder, tmp_path):
    assert check(report_folder)[::2] == (2, ["tianjin2023 is a folder, not a line list: name the file in it"])
    code, _, wrong = check(report_folder / "linelist.csv", "--claims", report_folder)
    assert (code, wrong) == (2, ["tianjin2023 is a folder, not a claims file: name the file in it"])


@pytest.mark.parametrize("changes, code", [({}, 0), ({("P06", "sex"): "male"}, 1), ({("P04", "age_years"): "777"}, 2)])
def test_the_command_itself_ends_with_its_exit_code_and_no_traceback(line_list, changes, code):
    command = [sys.executable, "-m", "blina.cli", "check", str(line_list(changes))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, len(done.stderr.splitlines())) == (code, 1)
    assert "Traceback" not in done.stderr
    assert "777" not in done.stderr


def test_a_file_of_several_line_lists_is_not_checked_as_one(report_folder, tmp_path):
    rows = (report_folder / "linelist.csv").read_text(encoding="utf-8").splitlines()
    several = tmp_path / "worlds.csv"
    lines = [f"world,{rows[0]}", *(f"{world},{row}" for world in (1, 2) for row in rows[1:])]
    several.write_text("\n".join(lines) + "\n", encoding="utf-8")
    code, said, told = check(several)
    assert (code, said) == (2, [])
    assert told == ["worlds.csv holds several line lists (column world): keep the rows of one and check that"]
