"""Excel workbooks: what a cell holds and what it shows, merged and hidden cells, several sheets, damaged files."""

import re
import string
import zipfile
from datetime import date, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from blina.linelist.layout import Note
from blina.linelist.problems import Said
from blina.linelist.read import ReadOptions, read_sheet
from blina.linelist.sheet import Cell, Sheet
from blina.yamlfile import FileError

DECLARED = {"id", "group", "sex", "age", "FC", "MRD"}
HEADER = ("id", "group", "sex", "age")
PATIENTS = [("P1", "CR1", "男", 7), ("P2", "RR", "女", 8), ("P3", "RR", "女", 9)]


def is_header(texts) -> int:
    return len(DECLARED & set(texts))


def book(rows=(HEADER, *PATIENTS), title="patients") -> Workbook:
    workbook = Workbook()
    workbook.active.title = title
    for row in rows:
        workbook.active.append(row)
    return workbook


@pytest.fixture
def read(tmp_path):
    """Saves a workbook and reads it back."""

    def read(workbook: Workbook, **options) -> Sheet:
        workbook.save(tmp_path / "list.xlsx")
        return read_sheet(tmp_path / "list.xlsx", ReadOptions(**{"is_header": is_header} | options))

    return read


@pytest.fixture
def refused(read):
    def refused(workbook: Workbook, **options) -> str:
        with pytest.raises(FileError) as error:
            read(workbook, **options)
        (said,) = error.value.args
        assert isinstance(said, Said) and "\n" not in said.en + said.zh
        return said.en

    return refused


def edited(path, member: str, change) -> None:
    """Changes the XML of one part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[member] = change(parts[member])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    "value, form, cell",
    [
        ("阴性", "General", Cell("阴性")),
        (" <0.01% ", "General", Cell(" <0.01% ")),
        ("0.145", "@", Cell("0.145")),
        (7, "General", Cell("7", "number")),
        (7.0, "General", Cell("7", "number")),
        (-1.5, "General", Cell("-1.5", "number")),
        (0.145, "General", Cell("0.145", "number")),
        (0.00145, "General", Cell("0.00145", "number")),
        (1.2e-05, "General", Cell("0.000012", "number")),
        (1.38001e10, "General", Cell("13800100000", "number")),
        (0.3000000000004, "General", Cell("0.3000000000004", "number", "0.3")),  # as computing leaves behind
        (1 / 3, "G/通用格式", Cell("0.3333333333333333", "number", "0.333333333")),
        (7.46, "0.0", Cell("7.46", "number", "7.5")),
        (7.45, "0.0", Cell("7.45", "number", "7.5")),  # half away from zero, as Excel
        (-2.5, "0", Cell("-2.5", "number", "-3")),
        (7.5, "0.0", Cell("7.5", "number")),
        (7.5, "0.00", Cell("7.5", "number")),
        (1234.5, "#,##0", Cell("1234.5", "number", "1235")),
        (7.46, '0.0"岁"', Cell("7.46", "number", "7.5岁")),
        (8, '0"月"', Cell("8", "number", "8月")),
        (8, "0月", Cell("8", "number", "8月")),
        (8, 'General"月"', Cell("8", "number", "8月")),
        (3, '0"×10⁻⁴"', Cell("3", "number", "3×10⁻⁴")),
        (0.0001, '"<"0.00%', Cell("0.0001", "percent", "<0.01%")),
        (0.145, '0.0"%"', Cell("0.145", "number", "0.1%")),
        (0.005, '[<0.01]"<0.01";0.00', Cell("0.005", "number", "<0.01")),
        (0.5, '[<0.01]"<0.01";0.00', Cell("0.5", "number")),
        (0, '0;-0;"无"', Cell("0", "number", "无")),
        (0, "0;;;@", Cell("0", "number", " ")),
        (0, '_ * #,##0_ ;_ * -#,##0_ ;_ * "-"??_ ;_ @_ ', Cell("0", "number", "-0")),
        (5, "[$¥-804]0", Cell("5", "number", "¥5")),
        (7.46, r"0.0\岁_);[Red]\(0.0\)", Cell("7.46", "number", "7.5岁")),
        (2, '"Grade "0', Cell("2", "number", "Grade 2")),
        (0.000145, "0.0E+00", Cell("0.000145", "number", "1.5E-4")),
        (0.5, "# ?/?", Cell("0.5", "number")),
        (1500, "0.0,", Cell("1500", "number")),
        (0.00145, "0.000%", Cell("0.00145", "percent", "0.145%")),
        (0.00145, "0.00%", Cell("0.00145", "percent", "0.15%")),
        (0.00145, "0%", Cell("0.00145", "percent", "0%")),
        (1, "0%", Cell("1", "percent", "100%")),
        (True, "General", Cell("yes", "boolean")),
        (False, "General", Cell("no", "boolean")),
        (datetime(2023, 4, 3), "yyyy-mm-dd", Cell("2023-04-03", "date")),
        (date(2023, 4, 3), 'yyyy"年"m"月"d"日"', Cell("2023-04-03", "date")),
        (45019, "m/d/yy", Cell("2023-04-03", "date")),
        (datetime(2023, 4, 3, 10, 30), "yyyy-mm-dd h:mm", Cell("2023-04-03T10:30:00", "date")),
        (time(10, 30), "h:mm", Cell("10:30:00", "date")),
        (0, "yyyy-mm-dd", Cell("00:00:00", "date")),
        (7.5, "[h]:mm", Cell("7 days, 12:00:00", "date")),
        (-5, "yyyy-mm-dd", Cell("#VALUE!", "error")),
        (99999999, "yyyy-mm-dd", Cell("#VALUE!", "error")),
        ("#DIV/0!", "General", Cell("#DIV/0!", "error")),
        ("=1+1", "General", Cell("", "uncalculated")),
        (None, "0.00%", Cell("")),
    ],
)  # fmt: skip
def test_a_cell_is_what_it_holds_and_what_it_shows(read, value, form, cell):
    workbook = book([HEADER, ("P1", "CR1", "男", value)])
    workbook.active["D2"].number_format = form
    assert read(workbook).columns[3][0] == cell


@pytest.mark.parametrize("built_in", [31, 57])
def test_the_date_formats_of_chinese_excel_are_known(read, tmp_path, built_in):
    workbook = book([HEADER, ("P1", "CR1", "男", 45019)])
    workbook.active["D2"].number_format = "0.00"
    workbook.save(tmp_path / "list.xlsx")
    edited(tmp_path / "list.xlsx", "xl/styles.xml",
           lambda xml: xml.replace(b'numFmtId="2"', b'numFmtId="%d"' % built_in))  # fmt: skip
    assert read_sheet(tmp_path / "list.xlsx").columns[3][0] == Cell("2023-04-03", "date")


@pytest.mark.parametrize(
    "xml, cell",
    [
        (b"<f>A2*2</f><v>14</v>", Cell("14", "number")),
        (b"<f>A2*0.145</f><v>0.14499999999999999</v>", Cell("0.145", "number")),  # Excel writes 17 digits
        (b"<f>A2*2</f>", Cell("", "uncalculated")),
        (b"<f>A2*2</f><v/>", Cell("", "uncalculated")),
    ],
)
def test_a_formula_is_its_value_if_the_file_holds_it(tmp_path, xml, cell):
    book([HEADER, ("P1", "CR1", "男", 4321)]).save(tmp_path / "list.xlsx")
    edited(tmp_path / "list.xlsx", "xl/worksheets/sheet1.xml", lambda part: part.replace(b"<v>4321</v>", xml))
    assert read_sheet(tmp_path / "list.xlsx").columns[3][0] == cell


def test_a_formula_that_gives_an_empty_text_is_blank_and_a_row_of_formulas_is_a_patient(tmp_path):
    workbook = book([HEADER, ("P1", "CR1", "男", 4321), (None, None, None, "=1")])
    workbook.save(tmp_path / "list.xlsx")
    empty = b'<c r="D2" t="str"><f>A1</f><v></v>'
    edited(tmp_path / "list.xlsx", "xl/worksheets/sheet1.xml",
           lambda part: re.sub(rb'<c r="D2"[^>]*><v>4321</v>', empty, part))  # fmt: skip
    sheet = read_sheet(tmp_path / "list.xlsx")
    assert [sheet.columns[3][row].kind for row in range(2)] == ["text", "uncalculated"]


def test_a_table_is_found_where_it_stands(read):
    rows = [("Our patients",), (), (None, "id ", "sex\n", None, "age"), (None, "P1", "男", None, 7),
            (), (None, "P2", "女", None, 8), (), (None, "注：截至六月")]  # fmt: skip
    sheet = read(book(rows))
    assert (sheet.name, sheet.tab, sheet.place) == ("list.xlsx", "patients", "list.xlsx, sheet patients")
    assert (sheet.header, sheet.header_row, [*sheet.numbers]) == (("id", "sex", "", "age"), 3, [4, 6])
    assert sheet.address(3, 6) == "E6" and sheet.columns[3].texts() == ["7", "8"]
    assert sheet.notes == (Note("title", (1,)), Note("blank rows", (5,)), Note("note below", (8,)))


@pytest.fixture
def merged() -> Workbook:
    """Three patients; the last two share one group, the first two one sex."""
    workbook = book()
    workbook.active.merge_cells("B3:B4")
    workbook.active.merge_cells("C2:C3")
    return workbook


def test_a_merged_cell_counts_for_its_rows_only_where_that_is_declared(read, merged):
    group, sex = read(merged, merged=frozenset({"group"})).columns[1:3]
    assert [group[row] for row in range(3)] == [Cell("CR1"), Cell("RR"), Cell("RR", filled=True)]
    assert sex.texts() == ["男", "", "女"]


def test_blanks_of_merged_cells_are_explained(read, merged):
    assert read(merged).notes == (Note("merged", (3,), "sex"), Note("merged", (4,), "group"))
    assert read(merged, merged=frozenset({"group", "sex"})).notes == ()
    merged.active.merge_cells("C4:D4")  # across columns
    notes = read(merged, merged=frozenset({"group", "sex"})).notes
    assert notes == (Note("merged", (4,), "sex"),)


def test_a_merged_cell_fills_no_blank_row(read):
    workbook = book([HEADER, ("P1", "RR", "男", 7), (), ("P2", None, "女", 8)])
    workbook.active.merge_cells("B2:B4")
    sheet = read(workbook, merged=frozenset({"group"}))
    assert sheet.columns[1].texts() == ["RR", "RR"] and sheet.notes == (Note("blank rows", (3,)),)


@pytest.mark.parametrize(
    "rows, ranges, said",
    [
        ([("id", "sex", "age", "MRD", None), (None, None, None, "FC", "PCR"), ("P1", "男", 7, 1, 2)], ["D1:E1"],
         "list.xlsx: rows 1 and 2 both look like the header"),
        ([("id", "sex", "age", "MRD", None), ("P1", "男", 7, 1, 2)], ["D1:E1"],
         "list.xlsx: the header in row 1 has merged cells (D1:E1): write one header row, with one name above each"),
        ([("patient", None, "MRD"), ("id", "sex", "age", "FC"), ("P1", "男", 7, 1)], ["A1:B1", "C1:D1"],
         "list.xlsx: rows 1 and 2 both look like the header"),
    ],
)  # fmt: skip
def test_a_header_of_two_rows_is_explained(refused, rows, ranges, said):
    workbook = book(rows)
    for one in ranges:
        workbook.active.merge_cells(one)
    assert refused(workbook).startswith(said)


def test_a_title_merged_across_the_table_is_a_title(read):
    workbook = book([("Our patients",), HEADER, *PATIENTS])
    workbook.active.merge_cells("A1:D1")
    assert read(workbook).notes == (Note("title", (1,)),)


def test_hidden_rows_and_columns_are_read_and_told(read):
    workbook = book()
    workbook.active.row_dimensions[3].hidden = True
    workbook.active.column_dimensions["C"].hidden = True
    workbook.active.auto_filter.ref = "A1:D4"
    sheet = read(workbook)
    assert len(sheet) == 3
    assert sheet.notes == (Note("hidden rows", (3,)), Note("hidden columns", (), "sex"))


def test_the_sheet_with_a_header_is_read(read):
    workbook = book([("Dictionary",), ("id", "who"), ("sex", "how")], title="说明")
    patients = workbook.create_sheet("患者")
    for row in (HEADER, *PATIENTS):
        patients.append(row)
    sheet = read(workbook)
    assert (sheet.tab, len(sheet), sheet.notes) == ("患者", 3, (Note("other sheets"),))
    assert read(workbook, tab="说明").tab == "说明"


def test_a_visible_sheet_comes_before_a_hidden_one_and_a_filled_one_before_empty_ones(read):
    workbook = book()
    old = workbook.copy_worksheet(workbook.active)
    old.title, old.sheet_state = "old", "hidden"
    assert read(workbook).tab == "patients"
    alone = book([("own", "words"), (1, 2)])
    alone.create_sheet("Sheet2")
    sheet = read(alone)
    assert sheet.tab == "patients" and not sheet.notes


def test_sheets_that_cannot_be_told_apart_are_listed(refused):
    two = book()
    two.copy_worksheet(two.active).title = "copy"
    assert refused(two) == (
        "list.xlsx has several sheets that may be the line list (patients, copy): name one under sheet in cohort.yaml"
    )
    assert refused(two, tab="pateints") == "list.xlsx has no sheet pateints: name one of patients, copy"


def test_a_workbook_without_patients_is_one_line(refused):
    assert refused(book([])) == "list.xlsx is empty: it should be a line list"
    assert refused(book([(" ",)])) == "list.xlsx is empty: it should be a line list"
    assert refused(book([HEADER])) == "list.xlsx has a header but no patients: add one row per patient"


def test_rows_formatted_down_to_the_end_take_no_time(tmp_path):
    """Excel writes an empty cell for each that has a format; here 200,000 rows of them, and a last row that counts."""
    book().save(tmp_path / "list.xlsx")
    empty = b"".join(b'<row r="%d"><c r="A%d" s="0"/></row>' % (row, row) for row in range(5, 200_000))
    edited(tmp_path / "list.xlsx", "xl/worksheets/sheet1.xml",
           lambda xml: xml.replace(b"</sheetData>", empty + b"</sheetData>"))  # fmt: skip
    assert len(read_sheet(tmp_path / "list.xlsx")) == 3
    last = b'<row r="200000"><c r="A200000"><v>9</v></c><c r="D200000"><v>7</v></c></row></sheetData>'
    edited(tmp_path / "list.xlsx", "xl/worksheets/sheet1.xml",
           lambda xml: re.sub(rb'<row r="[56]\d*">.*</sheetData>', last, xml))  # fmt: skip
    sheet = read_sheet(tmp_path / "list.xlsx")
    assert [*sheet.numbers] == [2, 3, 4, 200_000] and len(sheet.notes[0].rows) == 199_995


def test_no_value_of_a_damaged_cell_is_told(tmp_path, recwarn):
    workbook = book([HEADER, ("P1", "CR1", "男", 13800138000)])
    workbook.active["D2"].number_format = "yyyy-mm-dd"  # openpyxl warns of this, and repeats the value
    workbook.save(tmp_path / "list.xlsx")
    assert read_sheet(tmp_path / "list.xlsx").columns[3][0] == Cell("#VALUE!", "error")
    assert not recwarn.list


values = (
    st.none()
    | st.text(string.ascii_letters + "阴性＜ \n", min_size=1, max_size=5)
    | st.integers(-(10**9), 10**9)
    | st.booleans()
    | st.dates(date(1900, 3, 1), date(2100, 1, 1))
    | st.decimals(0, 1000, places=4).map(float)
)


def held(value) -> str:
    """The text of a cell that was given a value."""
    if value is None or isinstance(value, bool):
        return {None: "", True: "yes", False: "no"}[value]
    return f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


@given(st.lists(st.tuples(values, values), min_size=1, max_size=5), st.integers(1, 20), st.integers(1, 4))
@settings(max_examples=40)
def test_any_table_comes_back_cell_by_cell_with_its_addresses(tmp_path_factory, table, row, column):
    workbook, path = Workbook(), tmp_path_factory.getbasetemp() / "any.xlsx"
    for across, text in enumerate(("id", "sex", "age", "end"), start=column):
        workbook.active.cell(row, across, text)
    for down, (sex, age) in enumerate(table, start=row + 1):
        for across, value in enumerate((f"P{down}", sex, age, "end"), start=column):
            workbook.active.cell(down, across, value)
    workbook.save(path)
    sheet = read_sheet(path, ReadOptions(is_header=is_header))
    assert sheet.header == ("id", "sex", "age", "end")
    assert sheet.columns[1].texts() == [held(sex) for sex, _ in table]
    assert sheet.columns[2].texts() == [held(age) for _, age in table]
    assert load_workbook(path).active[sheet.address(0, int(sheet.numbers[-1]))].value == f"P{row + len(table)}"


@given(st.data())
@settings(max_examples=60)
def test_a_damaged_workbook_is_a_table_or_one_line(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    if not (folder / "whole.xlsx").exists():
        book().save(folder / "whole.xlsx")
    with zipfile.ZipFile(folder / "whole.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = data.draw(st.sampled_from(sorted(parts)))
    begin = data.draw(st.integers(0, len(parts[name])))
    end = data.draw(st.integers(begin, min(len(parts[name]), begin + 40)))
    parts[name] = parts[name][:begin] + data.draw(st.binary(max_size=6)) + parts[name][end:]
    with zipfile.ZipFile(folder / "list.xlsx", "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    try:
        assert len(read_sheet(folder / "list.xlsx"))
    except FileError as error:
        assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_workbook_is_one_line(tmp_path, kept):
    book().save(tmp_path / "list.xlsx")
    whole = (tmp_path / "list.xlsx").read_bytes()
    (tmp_path / "list.xlsx").write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(FileError, match="list.xlsx is damaged or incomplete: copy or export it again"):
        read_sheet(tmp_path / "list.xlsx")
