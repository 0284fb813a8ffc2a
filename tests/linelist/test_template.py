"""The folder of a new cohort: it says what to write, reads back as it was filled in, and loads as it stands."""

import io
import re
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from blina.linelist import chinese
from blina.linelist.cohort import STANDARD_GROUPS, load_cohort
from blina.linelist.columns import COLUMNS
from blina.linelist.convert import How, convert
from blina.linelist.intake import read_line_list, take_in
from blina.linelist.sheet import Cell
from blina.linelist.template import NEW_COHORTS, folder_for, new_cohort
from blina.linelist.vocabulary import column_of
from blina.yamlfile import FileError

BY_NAME = {column.name: column for column in COLUMNS}
KEYS = {"title", "file", "sheet", "columns", "values", "groups", "assays", "mrd_unit", "date_order", "grading_scale",
        "missing_allowed", "merged", "leave_out", "pseudonyms"}  # fmt: skip


@pytest.fixture
def ward(tmp_path):
    """A new cohort's folder."""
    new_cohort(tmp_path / "ward", "Our ward: 2021 #1")
    return tmp_path / "ward"


@pytest.fixture
def book(ward):
    return load_workbook(ward / "linelist.xlsx")


@pytest.fixture
def checks(book):
    """By declared column, what the sheet offers and refuses in its cells."""
    sheet = book["patients"]
    by_letter = {str(one.sqref).split("2:")[0]: one for one in sheet.data_validations.dataValidation}
    return {column.name: by_letter[cell.column_letter] for column, cell in zip(COLUMNS, sheet[1], strict=True)}


def fill(book, rows, words):
    """Patients as a ward would type them, below the example: words as `words` has them, numbers as numbers."""
    for row in rows:
        cells = []
        for column in COLUMNS:
            text = row.get(column.name, "")
            number = column.is_number and column.unit != "%" and text
            cells.append(float(text) if number else words.get(text, text) or None)
        book["patients"].append(cells)


def test_a_new_folder_holds_a_workbook_its_description_and_what_to_do(tmp_path):
    made = new_cohort(tmp_path / "ward", "Our ward")
    assert sorted(path.name for path in made) == ["README.md", "cohort.yaml", "linelist.xlsx"]
    assert sorted((tmp_path / "ward").iterdir()) == sorted(made)


def test_it_is_the_same_bytes_every_time(tmp_path):
    one, other = ([path.read_bytes() for path in new_cohort(tmp_path / place / "ward", "Our ward")[:2]]
                  for place in ("here", "there"))  # fmt: skip
    assert one == other
    with ZipFile(io.BytesIO(one[0])) as workbook:
        assert {entry.date_time for entry in workbook.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert set(re.findall(rb"\d{4}-\d\d-\d\dT[\d:]+", workbook.read("docProps/core.xml"))) == {
            b"2000-01-01T00:00:00"
        }


# The sheet to fill in


def test_every_header_is_recognised_in_the_order_of_the_declaration(book):
    headers = [" ".join(cell.value.split()) for cell in book["patients"][1]]
    assert [column_of(header) for header in headers] == [column.name for column in COLUMNS]


CHINESE_WORDS = {word: chinese.word(column, word) for column in COLUMNS if column.words for word in column.words}


@pytest.mark.parametrize("words", [{}, CHINESE_WORDS], ids=["English", "Chinese"])
def test_a_filled_sheet_reads_back_as_it_was_typed(words, ward, book, report_rows, report_folder):
    groups = {group.name: group.name for group in STANDARD_GROUPS}
    fill(book, report_rows, words | groups)
    book.save(ward / "linelist.xlsx")
    intake = take_in(ward / "linelist.xlsx", load_cohort(ward))
    assert intake.problems == []
    reports = read_line_list(report_folder / "linelist.csv", load_cohort(report_folder))
    read = intake.checked().cells()
    optional = ["fusion_gene", "mrd_after_percent"]  # which the template asks for and the report does not state
    carriers = read["bcr_abl1"] == "yes"  # who carries BCR::ABL1 has that gene; nothing else is filled in
    assert set(read.loc[carriers, "fusion_gene"]) == {"BCR::ABL1"}
    assert set(read.loc[~carriers, "fusion_gene"]) == set(read["mrd_after_percent"]) == {""}
    assert read.drop(columns=optional).equals(reports.cells().drop(columns="provenance"))
    assert "example row" in {change.what for change in intake.changes}


def test_a_sheet_with_nothing_but_the_example_has_no_patients(ward):
    with pytest.raises(FileError, match="no patients"):
        take_in(ward / "linelist.xlsx", load_cohort(ward))


@pytest.mark.parametrize("column, value", [("sex", "male"), ("age_years", 7.1), ("icans_day", 3)])
def test_a_patient_written_over_the_example_is_not_lost(column, value, ward, book, report_rows):
    fill(book, report_rows, {})
    book["patients"].cell(2, [*BY_NAME].index(column) + 1, value)
    book.save(ward / "linelist.xlsx")
    problems = take_in(ward / "linelist.xlsx", load_cohort(ward)).problems
    assert [(p.cell, p.advice.en[:52]) for p in problems if p.rule == "example-row"] == [
        ("A2", "this row still says EXAMPLE but holds other values: ")]  # fmt: skip


def test_the_example_is_grey_and_says_that_it_is_none(book):
    example = book["patients"][2]
    assert example[0].value.startswith("EXAMPLE 示例")
    assert all(cell.font.italic and cell.font.color.rgb.endswith("808080") for cell in example)
    for column, cell in zip(COLUMNS[1:], example[1:], strict=True):
        text = "" if cell.value is None else str(cell.value)
        assert convert(column, Cell(text), How()).problem is None, column.name


@pytest.mark.parametrize("name", [column.name for column in COLUMNS if column.words])
def test_every_word_that_a_list_offers_is_understood(name, checks):
    assert checks[name].type == "list" and not checks[name].showDropDown  # which hides it
    offered = checks[name].formula1.strip('"').split(",")
    assert offered[: len(BY_NAME[name].words)] == [*BY_NAME[name].words]
    read = [convert(BY_NAME[name], Cell(word), How()).text for word in offered]
    assert set(read) == {*BY_NAME[name].words}


@pytest.mark.parametrize(
    "column", [c for c in COLUMNS if c.is_number and c.unit != "%"], ids=lambda column: column.name
)
def test_numbers_have_the_declared_limits_and_say_them(column, checks):
    check = checks[column.name]
    assert check.type == ("whole" if column.type == "integer" else "decimal")
    assert (check.formula1, check.formula2, check.operator) == (column.min, column.max, "between")
    assert column.allowed in check.prompt and chinese.allowed(column).strip() in check.prompt


@pytest.mark.parametrize("name", ["mrd_before_percent", "mrd_after_percent", "patient_id"])
def test_mrd_and_identifiers_stay_what_is_typed(name, book, checks):
    """A cell in text format keeps 0.145, 0.145% and <0.01%, and no limit on numbers refuses it."""
    letter = next(cell.column_letter for cell in book["patients"][1] if cell.value.startswith(name))
    assert book["patients"].column_dimensions[letter].number_format == "@"
    assert checks[name].type is None and checks[name].showInputMessage


def test_no_cell_refuses_a_blank_and_own_groups_are_only_warned_of(checks):
    assert all(check.allow_blank for check in checks.values())
    assert {name for name, check in checks.items() if check.errorStyle == "warning"} == {"group"}


def test_what_is_shown_beside_a_cell_is_no_longer_than_excel_allows(checks):
    for check in checks.values():
        assert len(check.promptTitle) <= 32 and len(check.prompt) <= 255
        assert len(check.error or "") <= 225 and len(check.formula1 or "") <= 255


def test_the_header_stays_in_sight(book):
    assert book["patients"].freeze_panes == "B2"


# What it says


def test_the_dictionary_has_every_column_in_both_languages(book, ward):
    _, *rows = book["dictionary"].iter_rows(values_only=True)
    cohort = load_cohort(ward)
    assert [row[0] for row in rows] == [column.name for column in cohort.declared]
    for column, row in zip(cohort.declared, rows, strict=True):
        assert row[1:6] == (column.chinese, column.meaning, column.chinese_meaning, column.allowed,
                            chinese.allowed(column).strip())  # fmt: skip
        assert row[8].startswith("yes") == row[9].startswith("可") == column.blank
        assert ("not recorded" in row[8]) == ("未记录" in row[9]) == (column.name in cohort.missing_allowed)


def test_how_to_has_ten_steps_in_both_languages(book):
    _, *steps = book["how to"].iter_rows(values_only=True)
    assert [step[0] for step in steps] == [*range(1, 11)]
    assert all(re.search("[\u4e00-\u9fff]", zh) and not re.search("[\u4e00-\u9fff]", en) for _, en, zh in steps)


def test_the_description_loads_as_it_stands(ward):
    cohort = load_cohort(ward)
    assert (cohort.name, cohort.title, cohort.groups) == ("ward", "Our ward: 2021 #1", STANDARD_GROUPS)
    assert cohort.linelist == ward / "linelist.xlsx"
    always = {"patient_id", "group", "sex", "age_years", "infusion_days", "stop_reason", "fc_before", "fc_after"}
    assert {column.name for column in cohort.declared} - cohort.missing_allowed - always == {"intolerance_reason"}


def test_every_key_is_explained_by_an_example_that_loads(ward):
    text = (ward / "cohort.yaml").read_text(encoding="utf-8")
    used = re.sub(r"^# (?=\w+:|  )", "", text, flags=re.M)
    assert set(re.findall(r"^(\w+):", used, re.M)) == KEYS
    (ward / "cohort.yaml").write_text(used, encoding="utf-8")
    cohort = load_cohort(ward)
    assert cohort.groups_stated and cohort.groups == STANDARD_GROUPS
    assert cohort.columns["age_years"].headers == ("出生日期", "首次输注日期")
    assert (cohort.mrd_unit, cohort.date_order, cohort.pseudonyms, cohort.leave_out) == (
        "percent", "dmy", False, ("姓名", "住院号"))  # fmt: skip
    assert not cohort.assays["FC"].negative.or_equal and cohort.assays["RT-PCR"].negative.or_equal


def test_what_to_do_is_said_in_ten_lines(ward):
    title, *lines = [line for line in (ward / "README.md").read_text(encoding="utf-8").splitlines() if line]
    assert title == "# Our ward: 2021 #1" and [line.split(".")[0] for line in lines] == [*map(str, range(1, 11))]
    said = "\n".join(lines)
    for command in (f"make report COHORT={ward}", f"make share COHORT={ward}", "build/ward/report/index.html"):
        assert said.count(command) == 2, command  # in each language


# Where it goes


def test_a_new_cohort_goes_where_git_does_not_look():
    assert folder_for("ward-3_b") == NEW_COHORTS / "ward-3_b"
    assert folder_for("三病区") == NEW_COHORTS / "三病区"
    assert f"{NEW_COHORTS.name}/" in (NEW_COHORTS.parent / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("name", ["a/b", "a\\b", "..", ".", "", "-x", "a b", "a.b", "a\n", "report", "Report", "failed",
                                  "share", "problems", "tianjin2023"])  # fmt: skip
def test_a_name_that_would_go_elsewhere_or_is_taken_is_refused(name):
    with pytest.raises(FileError, match="a cohort cannot be called") as error:
        folder_for(name)
    assert "\n" not in str(error.value)


def test_a_folder_that_is_there_is_left_alone(ward):
    before = {path.name: path.read_bytes() for path in ward.iterdir()}
    (ward / "linelist.xlsx").write_bytes(b"patients")
    with pytest.raises(FileError, match="is there already: choose another name$"):
        new_cohort(ward, "another title")
    assert {path.name: path.read_bytes() for path in ward.iterdir()} == before | {"linelist.xlsx": b"patients"}
