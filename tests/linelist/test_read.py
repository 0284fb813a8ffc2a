"""Text files as people, spreadsheets and databases write them; what stands around a table; files of other kinds."""

import csv
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blina.linelist.intake import read_line_list
from blina.linelist.layout import NOTES, Note
from blina.linelist.problems import Said
from blina.linelist.read import SUFFIXES, ReadOptions, read_sheet
from blina.yamlfile import FileError

DECLARED = {"id", "group", "sex", "age", "FC", "编号", "组别", "性别", "年龄"}
OPTIONS = ReadOptions(is_header=lambda texts: len(DECLARED & set(texts)))


def saved(tmp_path, content: bytes | str, name="list.csv"):
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return tmp_path / name


def rows(sheet) -> list[tuple[str, ...]]:
    return list(zip(*(cells.texts() for cells in sheet.columns), strict=True))


def refusal(path, options=OPTIONS) -> str:
    """What is said of a file that cannot be read: one line, in two languages."""
    with pytest.raises(FileError) as error:
        read_sheet(path, options)
    (said,) = error.value.args
    assert isinstance(said, Said) and path.name in said.zh and said.zh != said.en
    assert "\n" not in said.en + said.zh
    return str(error.value)


@pytest.mark.parametrize(
    "content, cells, numbers",
    [
        ("a,b\n1,2\n3,4\n", [("1", "2"), ("3", "4")], (2, 3)),
        ("a,b\r\n1,2\r\n3,4\r\n", [("1", "2"), ("3", "4")], (2, 3)),
        ("a,b\r1,2\r3,4", [("1", "2"), ("3", "4")], (2, 3)),
        ("\ufeffa,b\n1,2\n", [("1", "2")], (2,)),
        (" a ,b\t\n 1,2 \n", [(" 1", "2 ")], (2,)),  # a cell stays as typed
        ('"a","b"\n"1,5","2 ""x"""\n', [("1,5", '2 "x"')], (2,)),
        ('a,b\n"1\n1",2\n3,4\n', [("1\n1", "2"), ("3", "4")], (2, 3)),  # a line break in a cell is no new row
        ("a,b\n1,2\n\n ,\n,\n3,4\n\n", [("1", "2"), ("3", "4")], (2, 6)),  # blank rows keep their numbers
        ("a,b\n,2\n", [("", "2")], (2,)),
        ("a,b\n\u30001\u00a0,2\n", [("\u30001\u00a0", "2")], (2,)),
        ('a,b\n1,the "x" of y\n', [("1", 'the "x" of y')], (2,)),
    ],
)
def test_cells_are_read_as_text_with_the_row_numbers_of_a_spreadsheet(tmp_path, content, cells, numbers):
    sheet = read_sheet(saved(tmp_path, content))
    assert (sheet.name, sheet.header, rows(sheet)) == ("list.csv", ("a", "b"), cells)
    assert (*sheet.numbers,) == numbers
    assert {cell.kind for column in sheet.columns for cell in column.distinct} == {"text"}


@pytest.mark.parametrize(
    "content, said",
    [
        ("", "list.csv is empty: it should be a line list"),
        (" \n\n", "list.csv is empty: it should be a line list"),
        ("\ufeff", "list.csv is empty: it should be a line list"),
        (",,\n,,\n", "list.csv is empty: it should be a line list"),
        ("a,b\n", "list.csv has a header but no patients: add one row per patient"),
        ("a,b\n,\n \n", "list.csv has a header but no patients: add one row per patient"),
        ("a,b\n1,2\n1\n",
         "list.csv: row 3 has 1 cells and the header has 2: look for a missing or an additional comma"),
        ("a,b\n1,2,3\n", "list.csv: row 2 has 3 cells and the header has 2"),
        ("a,b\n1\n1,2,3\n", "list.csv: row 2 has 1 cells"),  # the first row that is wrong
        ("a;b\n1;2\n1\n", "list.csv: row 3 has 1 cells and the header has 2: look for a missing or an additional semi"),
        ('a,b\n1,"2\n3,4\n', "list.csv is not a CSV table: look for a quotation mark that is not closed, in row 2"),
        ('a,b\n1,2\n1,"2"3\n', "list.csv is not a CSV table: look for a quotation mark that is not closed, in row 3"),
        ('a,b\n1,"' + "2,3\n" * 50_000, "list.csv is not a CSV table: look for a quotation mark that is not closed"),
        ("a,b\n1," + "2" * 200_000, "list.csv is not a CSV table"),
        ("a,b\n1,\0\n", "list.csv holds NUL characters, so it is damaged or no text"),
        ("a,b\n1,2\n".encode("utf-16-le"), "list.csv holds NUL characters"),  # without a byte-order mark
        (b"a,b\nM\xe4dchen,2\n", "list.csv is not UTF-8 text: save the line list as UTF-8 and run again"),
        (b"a,b\n\xff,2\n", "list.csv is not UTF-8 text"),
        (b"\xff\xfea,b", "list.csv is not UTF-8 text"),  # half a character of UTF-16
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_of_patients_is_one_line(tmp_path, content, said):
    assert refusal(saved(tmp_path, content)).startswith(said)


@pytest.mark.parametrize(
    "name, said",
    [("absent.csv", "there is no line list absent.csv in the folder "),
     ("folder", "folder is a folder, not a line list")],
)  # fmt: skip
def test_a_file_that_is_not_there_is_one_line(tmp_path, name, said):
    (tmp_path / "folder").mkdir()
    assert refusal(tmp_path / name).startswith(said)


@pytest.mark.parametrize(
    "encoding, notes",
    [("utf-8", ()), ("utf-8-sig", ()), ("utf-16", (Note("utf-16"),)), ("gb18030", (Note("gb18030"),))],
)
def test_chinese_is_read_in_the_encodings_of_hospitals(tmp_path, encoding, notes):
    sheet = read_sheet(saved(tmp_path, "编号,性别\n1,男\n2,女\n".encode(encoding)))
    assert (sheet.header, rows(sheet)) == (("编号", "性别"), [("1", "男"), ("2", "女")])
    assert sheet.notes == notes


def test_what_is_utf_8_is_never_taken_for_gb18030(tmp_path):
    both = "编号,b\n1,2\n".encode()
    assert both.decode("gb18030").startswith("缂栧彿,")
    sheet = read_sheet(saved(tmp_path, both))
    assert sheet.header == ("编号", "b") and not sheet.notes


@pytest.mark.parametrize(
    "name, mark, notes",
    [("list.csv", ",", ()), ("list.csv", ";", ("semicolons",)), ("list.csv", "\t", ("tabs",)), ("list.tsv", "\t", ()),
     ("list.txt", "\t", ()), ("list.txt", ",", ("commas",)), ("list.tsv", ";", ("semicolons",)), ("LIST.CSV", ",", ())],
)  # fmt: skip
def test_the_header_shows_what_separates_cells(tmp_path, name, mark, notes):
    lines = [("id", "sex", "age", "remark"), ("1", "男", '"7,5"', '"a;b\tc,d,e,f,g"')]
    sheet = read_sheet(saved(tmp_path, "".join(mark.join(line) + "\n" for line in lines), name), OPTIONS)
    assert sheet.header == ("id", "sex", "age", "remark")
    assert rows(sheet) == [("1", "男", "7,5", "a;b\tc,d,e,f,g")]
    assert tuple(note.what for note in sheet.notes) == notes


def test_a_title_with_commas_does_not_hide_that_semicolons_separate(tmp_path):
    sheet = read_sheet(saved(tmp_path, "Ward 3, haematology, 2024, all\nid;sex;age\n1;男;7,5\n"), OPTIONS)
    assert sheet.header == ("id", "sex", "age") and rows(sheet) == [("1", "男", "7,5")]
    assert sheet.notes == (Note("semicolons"), Note("title", (1,)))


TABLE = "id,sex,age\n1,男,7\n2,女,8\n"


@pytest.mark.parametrize(
    "content, notes",
    [
        (TABLE, ()),
        ("Our patients,,\n\n" + TABLE, (Note("title", (1,)),)),
        ("Our patients\n2021 to 2024\n" + TABLE, (Note("title", (1, 2)),)),
        ("Ward,3\nYear,2024\n\n" + TABLE, (Note("title", (1, 2)),)),  # apart from the header by a blank row
        ("id,sex,age\n1,男,7\n\n,,\n2,女,8\n\n\n", (Note("blank rows", (3, 4)),)),
        ("id,sex,age\n1,男,7\nid,sex,age\n2,女,8\n", (Note("header again", (3,)),)),
        ("id,sex,age\nEXAMPLE: one patient,female,5.2\n1,男,7\n2,女,8\n", (Note("example row", (2,)),)),
        ("id,sex,age\n示例 EXAMPLE,female,\n1,男,7\n2,女,8\n", (Note("example row", (2,)),)),
        (TABLE + "注：FC 为流式\n", (Note("note below", (4,)),)),
        (TABLE + "\n* as of June,,\n", (Note("note below", (5,)),)),
        (TABLE + ",备注：年龄为整岁,\nsee above\n,,ok\n", (Note("note below", (4, 5, 6)),)),  # notes of several lines
        (TABLE + "This line is longer than any patient's only cell,,\n", (Note("note below", (4,)),)),
        (TABLE + "合计,,15\n", (Note("totals row", (4,)),)),
        (TABLE + "Mean (all),,7.5\nN＝2\nSource: the ward\n", (Note("note below", (6,)), Note("totals row", (4, 5)))),
        ("id,sex,age\n1,男,7,,\n2,女,8,\n", (Note("cells beyond the header", (2, 3)),)),
        ("id,sex,age,,\n1,男,7\n2,女,8,,\n", ()),
        (",id,sex,age,\n,1,男,7,\n,2,女,8,\n", ()),
    ],
)
def test_what_stands_around_the_patients_is_left_out_and_noted(tmp_path, content, notes):
    sheet = read_sheet(saved(tmp_path, content), OPTIONS)
    assert sheet.header == ("id", "sex", "age")
    assert rows(sheet) == [("1", "男", "7"), ("2", "女", "8")]
    assert sheet.notes == notes
    lines = list(csv.reader(io.StringIO(content)))
    for position, column in enumerate(sheet.columns):
        at = position + sheet.first_column - 1
        assert lines[sheet.header_row - 1][at] == sheet.header[position]
        assert [lines[number - 1][at] for number in sheet.numbers] == column.texts()
        assert {cell.text for cell in column.distinct} == set(column.texts())  # nothing of what was left out


@pytest.mark.parametrize(
    "last",
    ["3,,", "3", ",,9", "Summer,男,9", "Meanwhile,男,7", "note,女,8"],
)
def test_a_patient_is_not_taken_for_a_note(tmp_path, last):
    options = OPTIONS if last.count(",") == 2 else ReadOptions()
    if last == "3":
        assert refusal(saved(tmp_path, TABLE + last)).startswith("list.csv: row 4 has 1 cells")
    else:
        assert len(read_sheet(saved(tmp_path, TABLE + last + "\n"), options)) == 3


def test_a_note_between_patients_is_a_row_to_be_explained(tmp_path):
    sheet = read_sheet(saved(tmp_path, "id,sex,age\n1,男,7\n注：第二批,,\n2,女,8\n"), OPTIONS)
    assert len(sheet) == 3 and not sheet.notes


@pytest.mark.parametrize(
    "content, header",
    [
        ('"id\n(no.)","  FC \r\n before ","组　别"\n1,2,3\n', ("id (no.)", "FC before", "组 别")),
        ("id,,sex,age\n1,x,男,7\n", ("id", "", "sex", "age")),  # cells without a header are kept
        ("id,,sex,age\n1,,男,7\n", ("id", "", "sex", "age")),  # as is a blank column, for the others' addresses
        ("id,sex,age,\n1,男,7,x\n", ("id", "sex", "age", "")),
        ("only\n1\n", ("only",)),
        ("Our ward\n\nown word,another,third\n1,2,3\n", ("own word", "another", "third")),  # nothing is recognised
    ],
)
def test_headers_lose_line_breaks_and_keep_their_columns(tmp_path, content, header):
    assert read_sheet(saved(tmp_path, content), OPTIONS).header == header


@pytest.mark.parametrize(
    "content, first, second",
    [
        ("patient,,MRD,\nid,sex,age,FC\n1,男,7,positive\n", 1, 2),
        ("id,sex,age,FC,\n,,,before,after\n1,男,7,positive,negative\n", 1, 2),
        ("Ward\n\nid,sex,age,\n,,,group\n1,男,7,A\n", 3, 4),
    ],
)
def test_a_header_of_two_rows_is_explained(tmp_path, content, first, second):
    said = f"list.csv: rows {first} and {second} both look like the header: write one header row, with one name"
    assert refusal(saved(tmp_path, content)).startswith(said)


def test_addresses_are_those_of_the_file(tmp_path):
    sheet = read_sheet(saved(tmp_path, "Our ward\n\n,id,,sex,age\n,1,,男,7\n\n,2,,女,8\n"), OPTIONS)
    assert (sheet.header_row, sheet.first_column, sheet.header) == (3, 2, ("id", "", "sex", "age"))
    assert sheet.address(3, int(sheet.numbers[1])) == "E6"
    assert sheet.columns[3].texts() == ["7", "8"]


def an_archive(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(500)
XLSX = an_archive(**{"[Content_Types].xml": b"", "xl/workbook.xml": b""})
ODS = an_archive(mimetype=b"application/vnd.oasis.opendocument.spreadsheet")
XPT = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!" + b"0" * 400


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("a.xls", OLE, "a.xls is a workbook of the old Excel format (.xls): open it in Excel and save it as .xlsx"),
        ("a.xlsx", OLE, "a.xlsx is a workbook of the old Excel format (.xls): open it in Excel and save it as .xlsx"),
        ("a.xlsx", OLE + "EncryptedPackage".encode("utf-16-le"), "a.xlsx is protected by a password: save a copy"),
        ("a.xlsb", an_archive(**{"xl/workbook.bin": b""}), "a.xlsb is a binary Excel workbook (.xlsb): open it in"),
        ("a.ods", ODS, "a.ods is an OpenDocument file (.ods): open it in Excel and save it as .xlsx"),
        ("a.xlsx", ODS, "a.xlsx is an OpenDocument file (.ods): open it in Excel and save it as .xlsx"),
        ("a.xlsx", an_archive(**{"list.csv": b"a,b"}), "a.xlsx is an archive, not an Excel workbook: take the line"),
        ("a.xlsx", XLSX[:40], "a.xlsx is damaged or incomplete: copy or export it again"),
        ("a.xlsx", XLSX, "a.xlsx is damaged or no Excel workbook: open it in Excel and save it again as .xlsx"),
        ("a.xlsx", b"<html><table><tr><td>1</td></tr></table></html>", "a.xlsx is a web page or XML, which spread"),
        ("a.xls", b"\xef\xbb\xbf\n<?xml version='1.0'?><Workbook/>", "a.xls is a web page or XML, which spreadsheets"),
        ("a.csv", b"<!DOCTYPE html><html></html>", "a.csv is a web page or XML, which spreadsheets can open"),
        ("a.xlsx", b"a,b\n1,2\n", "a.xlsx is text: end its name in .csv"),
        ("a.xls", b"a\tb\n1\t2\n", "a.xls is text: end its name in .csv"),
        ("a.csv", XLSX, "a.csv is an Excel workbook: end its name in .xlsx"),
        ("a.csv", XPT, "a.csv is a SAS transport file: end its name in .xpt"),
        ("a.xpt", b"a,b\n1,2\n", "a.xpt is not a SAS transport file: export it again"),
        ("a.xpt", XPT, "a.xpt cannot be read as a SAS transport file: export it again"),
        ("a.sav", b"$FL2@(#) SPSS", "a.sav is none of the files that can be read: save the line list as one of .csv"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",  # bytes of a workbook hold the time
)
def test_a_file_of_another_kind_is_named_with_what_to_do(tmp_path, name, content, said):
    assert refusal(saved(tmp_path, content, name)).startswith(said)


texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"), max_size=6)
marks = st.sampled_from([("list.csv", ","), ("list.csv", ";"), ("list.tsv", "\t")])


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=6), marks, st.sampled_from(["utf-8-sig", "utf-16"]))
@settings(max_examples=100)
def test_any_table_of_texts_comes_back_cell_by_cell(tmp_path_factory, table, kind, encoding):
    name, mark = kind
    path = tmp_path_factory.getbasetemp() / name
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=mark, quoting=csv.QUOTE_ALL).writerows(
            [("id", "sex", "age", "FC"), *((str(n), *row, "end") for n, row in enumerate(table))]
        )
    sheet = read_sheet(path, OPTIONS)
    assert rows(sheet) == [(str(n), *row, "end") for n, row in enumerate(table)]
    assert sheet.header == ("id", "sex", "age", "FC") and [*sheet.numbers] == [*range(2, len(table) + 2)]


pieces = st.sampled_from([b"id,sex,age\n", b"1,2,3\n", b'"', b"\n", b",", b";", b"\t", "编号".encode(), b"\xb1\xe0",
                          b"PK\x03\x04", b"HEADER RECORD*******", OLE[:8], b"\xff\xfe", b"<html>", b"\0",
                          XLSX])  # fmt: skip


@given(st.lists(pieces | st.binary(max_size=20), max_size=12).map(b"".join), st.sampled_from((*SUFFIXES, "")))
@settings(max_examples=300)
def test_no_bytes_bring_about_anything_but_a_table_or_one_line(tmp_path_factory, content, suffix):
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_bytes(content)
    try:
        sheet = read_sheet(path, OPTIONS)
    except FileError as error:
        assert len(str(error).splitlines()) == 1
    else:
        assert len(sheet) and len(sheet.header) == len(sheet.columns)
        assert all(len(column) == len(sheet) for column in sheet.columns)
        assert {note.what for note in sheet.notes} <= NOTES.keys()


def test_the_same_line_list_is_read_from_windows_and_from_a_shuffled_header(line_list, report_folder, tmp_path):
    plain = read_line_list(report_folder / "linelist.csv")
    text = (report_folder / "linelist.csv").read_text(encoding="utf-8")
    windows = saved(tmp_path, b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    lines = [line.split(",") for line in text.splitlines()]
    backwards = "\n".join(",".join(["note", *reversed(line)]) for line in lines)
    for path in (windows, saved(tmp_path, backwards, "backwards.csv")):
        assert read_line_list(path).cells().equals(plain.cells())
