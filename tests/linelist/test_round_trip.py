"""A line list that is written as any of the files that hospitals send is read back as it was, cell by cell."""

from random import Random

import pytest
import yaml
from files import HEADERS, canonical, rows_at_random, ward, write

from blina.linelist.cohort import load_cohort
from blina.linelist.columns import COLUMNS
from blina.linelist.intake import take_in
from blina.linelist.problems import Language

BY_NAME = {column.name: column for column in COLUMNS}
KINDS = {  # of a file: its suffix, and how it is written
    "a workbook": (".xlsx", {}),
    "GB18030 CSV": (".csv", {"encoding": "gb18030"}),
    "UTF-8 CSV": (".csv", {}),
    "CSV as Excel saves it": (".csv", {"encoding": "utf-8-sig"}),
    "tabs": (".tsv", {}),
    "Unicode text as Excel saves it": (".tsv", {"encoding": "utf-16"}),
    "SAS, version 8": (".xpt", {"version": 8}),
    "SAS, version 5": (".xpt", {"version": 5}),
}
REASONS = ("completed", "severe_reaction", "economic", "other")
MEANT = {header: name for name, both in HEADERS.items() for header in both}


@pytest.fixture(scope="module", params=["the report's", 1, 2])
def rows(request, report_rows):
    """A line list: the report's own, or one in which everything that may stand in one occurs."""
    if request.param == "the report's":
        return [{name: row[name] for name in HEADERS if name in row} for row in report_rows]
    return rows_at_random(request.param)


def read_back(path, settings):
    """The cells that a cohort of this line list and these settings has."""
    (path.parent / "cohort.yaml").write_text(
        yaml.safe_dump({"file": path.name, **settings}, allow_unicode=True), encoding="utf-8"
    )
    cohort = load_cohort(path.parent)
    intake = take_in(cohort.linelist, cohort)
    assert intake.problems == []
    return intake.table.cells()


def shuffled(grid, seed):
    """The same columns in another order."""
    order = Random(seed).sample(range(len(grid[0])), len(grid[0]))
    return [[row[place] for place in order] for row in grid]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_line_list_is_read_back_from_every_kind_of_file(rows, kind, language: Language, tmp_path):
    suffix, how = KINDS[kind]
    header, *cells = shuffled(ward(rows, language), f"{kind} {language}")
    own = {old: f"项{place}" for place, old in enumerate(header) if place % 2}  # every other one renamed
    path = write(tmp_path / f"ours{suffix}", [[own.get(old, old) for old in header], *cells], **how)
    assert read_back(path, {"columns": {MEANT[old]: new for old, new in own.items()}}).equals(canonical(rows))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_identifiers_of_a_hospital_become_pseudonyms_in_the_order_of_the_sheet(rows, language: Language, tmp_path):
    grid = ward(rows, language)
    for place, row in enumerate(grid[1:]):
        row[0] = f"2023-{(place * 17) % 101:03}"
    path = write(tmp_path / "ours.xlsx", grid)
    assert read_back(path, {}).equals(canonical(rows))
    assert [*read_back(path, {"pseudonyms": "no"})["patient_id"]] == [row[0] for row in grid[1:]]


def codes(name):
    """The codes by which REDCap exports the words of a column: 1, 2, ...; 1 and 0 of yes and no."""
    column = BY_NAME[name]
    if column.type == "boolean":
        return {"yes": "1", "no": "0"}
    return {word: str(code) for code, word in enumerate(column.values, start=1)} if name != "patient_id" else {}


def boxes(rows, checked, unchecked):
    """REDCap's boxes of the reason to stop, one for each reason."""
    return [[checked if row["stop_reason"] == reason else unchecked for reason in REASONS] for row in rows]


def test_a_raw_export_of_redcap_is_read_back(rows, tmp_path):
    names = [name for name in rows[0] if name != "stop_reason"]
    header = ["record_id", *(f"v_{name}" for name in names[1:]), *(f"stop___{code}" for code in range(1, 5))]
    grid = [[codes(name).get(row[name], row[name]) for name in names] + checked
            for row, checked in zip(rows, boxes(rows, "1", "0"), strict=True)]  # fmt: skip
    coded = [name for name in names if codes(name) and BY_NAME[name].type == "category"]
    settings = {
        "columns": {name: title for name, title in zip(names, header, strict=False)}
        | {"stop_reason": {"checked": dict(zip(header[len(names) :], REASONS, strict=True))}},
        "values": {name: {code: word for word, code in codes(name).items()} for name in coded},
    }
    path = write(tmp_path / "DATA_2024-01-01.csv", shuffled([header, *grid], 7), encoding="utf-8-sig")
    assert read_back(path, settings).equals(canonical(rows))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_label_export_of_redcap_is_read_back(rows, language: Language, tmp_path):
    header, *grid = ward(rows, language)
    at = header.index(HEADERS["stop_reason"][language == "zh"])
    choices = [f"{header[at]} (choice={reason})" for reason in REASONS]
    told = ("Checked", "Unchecked") if language == "en" else ("是", "否")
    grid = [row[:at] + row[at + 1 :] + checked for row, checked in zip(grid, boxes(rows, *told), strict=True)]
    settings = {"columns": {"stop_reason": {"checked": dict(zip(choices, REASONS, strict=True))}}}
    path = write(tmp_path / "labels.csv", shuffled([header[:at] + header[at + 1 :] + choices, *grid], 8))
    assert read_back(path, settings).equals(canonical(rows))
