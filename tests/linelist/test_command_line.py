"""`blina ingest`: what it writes, its exit codes, and one clear line for whatever is wrong."""

import subprocess
import sys

import pandas as pd
import pytest
from click.testing import CliRunner

from blina.cli import main

FILES = sorted(f"{name}.{suffix}" for name in ("patients", "mrd", "events") for suffix in ("csv", "parquet"))


def ingest(*arguments) -> tuple[int, list[str], list[str]]:
    done = CliRunner().invoke(main, ["ingest", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout.splitlines(), done.stderr.splitlines()


def test_a_line_list_becomes_three_tables(line_list, tmp_path):
    code, said, wrong = ingest(line_list(), "-o", tmp_path / "out")
    assert (code, said, wrong) == (0, ["patients: 28 rows", "mrd: 112 rows", "events: 21 rows"], [])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES


# Bad input: (changes to cells or text of the file, exit code, what is said of it)
BAD = {
    "an unknown group": ({("P02", "group"): "XX"}, ["row 3, column group: write MC, IC or RR; or say under values in"]),
    "age 180": ({("P02", "age_years"): "180"}, ["row 3, column age_years: is out of range: write a number in steps"]),
    "MRD -1": ({("P02", "mrd_before_percent"): "-1"}, ["row 3, column mrd_before_percent: is not an MRD value"]),
    "MRD abc": ({("P02", "mrd_before_percent"): "abc"}, ["row 3, column mrd_before_percent: is not an MRD value"]),
    "a fusion gene that nobody follows": (
        {("P01", "pcr_after"): "not_applicable"},
        ["row 2, column pcr_after: does not fit the rest of its row (a fusion gene is followed by RT-PCR, or this"],
    ),
    "a patient twice": ({("P05", "patient_id"): "P04"}, ["row 6, column patient_id: is the same as in row 5"]),
    "several at once": (
        {("P28", "sex"): "boy or girl", ("P02", "age_years"): "old", ("P16", "icans_day"): ""},
        ["row 3, column age_years: is not", "row 17, column icans_day: does not fit", "row 29, column sex: "],
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", BAD)
@pytest.mark.parametrize("former", [True, False])
def test_each_problem_is_one_line_and_nothing_is_written(line_list, tmp_path, mistake, former):
    changes, expected = BAD[mistake]
    out = tmp_path / "out"
    if former:
        out.mkdir()
        (out / "patients.csv").write_text("former")
    code, said, wrong = ingest(line_list(changes), "-o", out)
    assert (code, said) == (1, [])
    *problems, summary = wrong
    assert len(problems) == len(expected)
    for line, start in zip(problems, expected, strict=True):
        assert line.startswith(f"linelist.csv: {start}")
    assert summary.startswith(f"{len(expected)} problem")
    assert summary.endswith("in linelist.csv; nothing was written.")
    assert not {text for text in changes.values() if len(text) > 2} & set(" ".join(problems).replace(":", "").split())
    assert {p.name: p.read_text() for p in out.glob("*")} == ({"patients.csv": "former"} if former else {})


@pytest.mark.parametrize(
    "name, content, code, expected",
    [
        ("absent.csv", None, 2, ["there is no line list absent.csv in the folder "]),
        ("", None, 2, [" is a folder, not a line list: name the file in it"]),
        ("empty.csv", "", 2, ["empty.csv is empty: it should be a line list"]),
        ("only.csv", "patient_id,group\n", 2, ["only.csv has a header but no patients: add one row per patient"]),
        ("ragged.csv", "a,b\n1\n", 2, ["ragged.csv: row 2 has 1 cells and the header has 2"]),
        ("other.csv", "bed,ward\nAnna,3\n", 1, [f"other.csv: row 1, column {c}: is missing from the header" for c in (
            "age_years", "bcr_abl1", "crs_grade", "extra_cycles", "fc_after", "fc_before", "fever_cycle1", "group",
            "icans_day", "icans_grade", "infusion_days", "intolerance_reason", "months_from_diagnosis",
            "mrd_before_percent", "patient_id", "pcr_after", "pcr_before", "sex", "stop_reason")]),
    ],
)  # fmt: skip
def test_a_file_that_is_no_line_list_is_said_to_be_none(tmp_path, name, content, code, expected):
    place = tmp_path / "in"
    place.mkdir()
    if content is not None:
        (place / name).write_text(content)
    found, said, wrong = ingest(place / name, "-o", tmp_path / "out")
    assert (found, said) == (code, [])
    assert len(wrong) == len(expected) + (code == 1)
    assert all(start in line for line, start in zip(wrong, expected, strict=False))
    assert not (tmp_path / "out").exists()
    assert "Anna" not in " ".join(wrong)


def test_an_output_folder_that_is_a_file_is_one_line(line_list, tmp_path):
    (tmp_path / "out").write_text("mine")
    code, said, wrong = ingest(line_list(), "-o", tmp_path / "out")
    assert (code, said, wrong) == (2, [], ["out: File exists"])
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("inside", [True, False])
def test_the_description_beside_a_line_list_is_the_one_that_counts(line_list, tmp_path, monkeypatch, inside):
    """Also where the folder bears the report's name, and where one works in the folder itself."""
    path = line_list()
    cells = pd.read_csv(path, dtype="str", keep_default_na=False).drop(columns="provenance")
    folder = tmp_path / "tianjin2023"
    folder.mkdir()
    cells.to_csv(folder / "linelist.csv", index=False)
    (folder / "cohort.yaml").write_text("grading_scale: CTCAE v5\n")
    monkeypatch.chdir(folder if inside else tmp_path)
    assert ingest("linelist.csv" if inside else "tianjin2023/linelist.csv", "-o", tmp_path / "out")[0] == 0
    events = pd.read_csv(tmp_path / "out" / "events.csv")
    assert set(events["scale"].dropna()) == {"CTCAE v5"}
    assert "provenance" not in events


def test_a_broken_description_beside_a_line_list_is_one_line(line_list, tmp_path):
    path = line_list()
    (path.parent / "cohort.yaml").write_text("seed: many\n")
    code, said, wrong = ingest(path, "-o", tmp_path / "out")
    assert (code, said, len(wrong)) == (2, [], 1)
    assert wrong[0].startswith("cohort.yaml, line 1: seed: input should be a valid integer")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("changes, code", [({}, 0), ({("P02", "mrd_before_percent"): "777.7"}, 1)])
def test_the_command_itself_ends_with_its_exit_code_and_no_traceback(line_list, tmp_path, changes, code):
    command = [sys.executable, "-m", "blina.cli", "ingest", str(line_list(changes)), "-o", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == code
    assert (tmp_path / "out").exists() == (code == 0)
    assert "Traceback" not in done.stderr
    assert "777.7" not in done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == (2 if code else 0)
