"""A column is one entry in one place: with it, reading, checking, template, tables and claims know the column.

What is imported once keeps the columns that it found, so each command runs in a process of its own, in which the entry
is added before anything else of the project is imported.
"""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from openpyxl import load_workbook

SOURCES = Path(__file__).resolve().parents[2] / "src"
WITH_ENTRY = """
import sys

from blina.linelist import columns

loaded = [name for name in sys.modules if name.startswith("blina.") and name.count(".") > 1]
assert sorted(loaded) == ["blina.linelist.columns", "blina.linelist.phrases"], loaded
entry = columns.Column(
    "cns_involvement",
    "boolean",
    blank=True,
    optional=True,
    label="CNS involvement",
    meaning="leukaemia in the central nervous system at diagnosis",
    chinese="中枢神经系统受累",
    chinese_meaning="诊断时是否有中枢神经系统白血病",
    headers=("cns disease", "cns leukaemia", "中枢受累", "中枢神经系统白血病"),
    other_words={"yes": ("CNS3",), "no": ("CNS1",)},
    example="no",
    may_be_missing=True,
    described="found",
    characteristic="CNS involvement",
    shared=True,
)
columns.COLUMNS = (*columns.COLUMNS, entry)
"""
COMMAND = WITH_ENTRY + "from blina.cli import main\nmain(sys.argv[1:])\n"
EACH = WITH_ENTRY + (  # one process for all sheets: most of its time goes by before it reads anything
    "from blina.cli import main\n"
    "for sheet in sys.argv[1:]:\n"
    "    main(['ingest', sheet, '-o', sheet.removesuffix('.csv')], standalone_mode=False)\n"
)
BASELINE = WITH_ENTRY + (
    "from blina.analysis.study import open_study\nprint(open_study(sys.argv[1]).baseline().table.to_csv(index=False))\n"
)
TEMPLATE = WITH_ENTRY + (
    "from pathlib import Path\n"
    "from blina.linelist.template import new_cohort\n"
    "new_cohort(Path(sys.argv[1]), 'a ward')\n"
)


def run(program: str, *arguments: object) -> subprocess.CompletedProcess:
    """Run a program in a process of its own."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(SOURCES), "PYTHONUTF8": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)


@pytest.fixture
def ward(tmp_path, report_rows):
    """Writes the report's rows as a ward's sheet with one more column, and gives its path."""

    def ward(header: str, cells: list[str], groups: tuple[str, ...] = ("MC", "IC", "RR")) -> Path:
        folder = tmp_path / "ward"
        folder.mkdir()
        (folder / "cohort.yaml").write_text("title: a ward\n", encoding="utf-8")
        path = folder / "linelist.csv"
        rows = [{name: cell for name, cell in row.items() if name != "provenance"} for row in report_rows]
        rows = [row for row in rows if row["group"] in groups]
        typed = cells + [""] * (len(rows) - len(cells))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*rows[0], header])
            for row, cell in zip(rows, typed, strict=True):
                writer.writerow([*row.values(), cell])
        return path

    return ward


HEADERS = ("cns_involvement", "CNS involvement", "CNS disease", "中枢神经系统受累", "中枢受累")


def test_its_headers_and_words_are_read_into_the_table_of_patients(ward, tmp_path):
    sheets = []
    for place, header in enumerate(HEADERS):
        path = ward(header, ["yes", "否", "CNS3", "CNS1", "不详"])
        sheets.append(path.rename(tmp_path / f"{place}.csv"))
        (path.parent / "cohort.yaml").unlink()
        path.parent.rmdir()
    (tmp_path / "cohort.yaml").write_text("title: a ward\n", encoding="utf-8")
    done = run(EACH, *sheets)
    assert done.returncode == 0, done.stderr
    for sheet in sheets:
        patients = list(csv.DictReader((sheet.with_suffix("") / "patients.csv").open(encoding="utf-8")))
        found = [patient["cns_involvement"] for patient in patients[:6]]
        assert found == ["True", "False", "True", "False", "", ""]
        assert [*patients[0]][-2:] == ["extra_cycles", "cns_involvement"]


def test_a_sheet_without_it_is_read_and_has_no_such_column(ward, tmp_path):
    path = ward("height", ["120"])
    assert run(COMMAND, "ingest", path, "-o", tmp_path / "tidy").returncode == 0
    assert "cns" not in (tmp_path / "tidy" / "patients.csv").read_text(encoding="utf-8")


def test_a_wrong_word_is_told_at_its_cell_with_what_may_stand_there(ward, tmp_path):
    path = ward("中枢受累", ["yes", "perhaps"])
    done = run(COMMAND, "ingest", path, "-o", tmp_path / "tidy")
    assert done.returncode == 1
    line = done.stderr.splitlines()[0]
    assert "row 3, column cns_involvement (中枢受累): write no or yes, or blank" in line
    assert line.endswith("[cns_involvement-allowed, cell T3]")
    assert "perhaps" not in done.stderr


def test_the_template_asks_for_it(tmp_path):
    done = run(TEMPLATE, tmp_path / "ward")
    assert done.returncode == 0, done.stderr
    book = load_workbook(tmp_path / "ward" / "linelist.xlsx")
    sheet = book["patients"]
    head = sheet[1][-1]
    assert head.value == "cns_involvement\n中枢神经系统受累"
    assert sheet.cell(2, head.column).value == "no"
    validations = {str(one.sqref): one for one in sheet.data_validations.dataValidation}
    validation = validations[f"{head.column_letter}2:{head.column_letter}10000"]
    assert (validation.type, validation.formula1) == ("list", '"no,yes,否,是"')
    *_, explained = book["dictionary"].iter_rows(values_only=True)
    assert explained[:4] == (
        "cns_involvement",
        "中枢神经系统受累",
        "leukaemia in the central nervous system at diagnosis",
        "诊断时是否有中枢神经系统白血病",
    )
    assert explained[8] == "yes: not recorded"
    description = yaml.safe_load((tmp_path / "ward" / "cohort.yaml").read_text(encoding="utf-8"))
    assert "cns_involvement" in description["missing_allowed"]


def test_the_claims_of_the_ward_declare_it(ward):
    path = ward("CNS disease", ["yes", "no"])
    done = run(COMMAND, "claims", path.parent)
    assert done.returncode == 0, done.stderr
    declared = yaml.safe_load(done.stdout)["columns"]["cns_involvement"]
    assert declared == {
        "type": "boolean",
        "blank": "allowed",
        "meaning": "leukaemia in the central nervous system at diagnosis",
    }


def test_the_table_that_describes_the_cohort_states_it(ward):
    path = ward("CNS disease", ["yes", "no", "yes"])
    done = run(BASELINE, path.parent)
    assert done.returncode == 0, done.stderr
    rows = [row for row in csv.DictReader(done.stdout.splitlines()) if row["characteristic"] == "CNS involvement"]
    stated = {(row["group"], row["level"]): row["text"] for row in rows}
    assert stated["All patients", "found"] == "2 to 27 of 28, 25 not recorded"
    assert stated["All patients", "not recorded"] == "25"
    assert stated["RR", "found"] == "not recorded, 7 patients"


def test_the_claims_of_the_ward_state_what_the_report_does(ward):
    path = ward("CNS disease", ["yes" if place < 9 else "no" for place in range(28)])
    done = run(COMMAND, "claims", path.parent)
    claims = [claim for claim in yaml.safe_load(done.stdout)["claims"] if "CNS" in claim["id"]]
    every = {claim["statistic"]: claim["equals"] for claim in claims if "group" not in claim.get("rows", {})}
    assert every == {"count": "9", "percent": "32.1"}


def test_its_counts_are_among_those_that_may_be_sent(ward, tmp_path):
    path = ward("CNS disease", ["yes"] * 18, ("MC",))  # of everybody: a smaller count may be withheld
    done = run(COMMAND, "share", "--cohort", path.parent, "-o", tmp_path / "sent")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "sent" / "cohort.csv").open(encoding="utf-8-sig") as file:
        sent = [row for row in csv.DictReader(file) if row["characteristic"] == "CNS involvement"]
    every = {row["level"]: row["count"] for row in sent if row["group"] == "All patients"}
    assert every == {"yes": "18", "no": "0", "not recorded": "0"}
