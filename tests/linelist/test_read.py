"""CSV files as people and spreadsheets write them."""

import pytest

from blina.linelist.read import read_sheet
from blina.linelist.validate import read_line_list
from blina.yamlfile import FileError


def saved(tmp_path, content: bytes | str, name="list.csv"):
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return tmp_path / name


@pytest.mark.parametrize(
    "content, rows, numbers",
    [
        ("a,b\n1,2\n3,4\n", (("1", "2"), ("3", "4")), (2, 3)),
        ("a,b\r\n1,2\r\n3,4\r\n", (("1", "2"), ("3", "4")), (2, 3)),
        ("a,b\r1,2\r3,4", (("1", "2"), ("3", "4")), (2, 3)),
        ("\ufeffa,b\n1,2\n", (("1", "2"),), (2,)),
        (" a ,b\t\n 1,2 \n", (("1", "2"),), (2,)),
        ('"a","b"\n"1,5","2 ""x"""\n', (("1,5", '2 "x"'),), (2,)),
        ('a,b\n"1\n1",2\n3,4\n', (("1\n1", "2"), ("3", "4")), (2, 3)),  # a line break in a cell is no new row
        ("a,b\n1,2\n\n ,\n,\n3,4\n\n", (("1", "2"), ("3", "4")), (2, 6)),  # blank rows keep their numbers
        ("a,b\n,2\n", (("", "2"),), (2,)),
        ("a,b\n\u30001\u00a0,2\n", (("1", "2"),), (2,)),
    ],
)
def test_cells_are_read_as_text_with_the_row_numbers_of_a_spreadsheet(tmp_path, content, rows, numbers):
    sheet = read_sheet(saved(tmp_path, content))
    assert (sheet.name, sheet.header, sheet.rows, sheet.numbers) == ("list.csv", ("a", "b"), rows, numbers)


@pytest.mark.parametrize(
    "content, said",
    [
        ("", "list.csv is empty: it should be a line list"),
        (" \n\n", "list.csv is empty: it should be a line list"),
        ("a,b\n", "list.csv has a header but no patients: add one row per patient"),
        ("a,b\n,\n \n", "list.csv has a header but no patients: add one row per patient"),
        (
            "a,b\n1,2\n1\n",
            "list.csv: row 3 has 1 cells and the header has 2: look for a missing or an additional comma",
        ),
        ("a,b\n1,2,3\n", "list.csv: row 2 has 3 cells and the header has 2"),
        ("a,b\n1,2,\n", "list.csv: row 2 has 3 cells and the header has 2"),
        ('a,b\n1,"2\n3,4\n', None),  # a quotation mark that is not closed takes the rest of the file into one cell
        ('a,b\n1,"' + "2,3\n" * 50_000, "list.csv is not a CSV table: look for a quotation mark that is not closed"),
        (b"a,b\nM\xe4dchen,2\n", "list.csv is not UTF-8 text: save the line list as UTF-8 and run again"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\xff\xfe", "list.csv is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_table_of_patients_is_one_line(tmp_path, content, said):
    path = saved(tmp_path, content)
    if said is None:
        assert len(read_sheet(path).rows) == 1
        return
    with pytest.raises(FileError) as error:
        read_sheet(path)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name, said",
    [("absent.csv", "there is no line list absent.csv in the folder "),
     ("folder", "folder is a folder, not a line list")],
)  # fmt: skip
def test_a_file_that_is_not_there_is_one_line(tmp_path, name, said):
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError) as error:
        read_sheet(tmp_path / name)
    assert str(error.value).startswith(said)


def test_the_same_line_list_is_read_from_windows_and_from_a_shuffled_header(line_list, report_folder, tmp_path):
    plain = read_line_list(report_folder / "linelist.csv")
    text = (report_folder / "linelist.csv").read_text(encoding="utf-8")
    windows = saved(tmp_path, b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    lines = [line.split(",") for line in text.splitlines()]
    backwards = "\n".join(",".join(["note", *reversed(line)]) for line in lines)
    for path in (windows, saved(tmp_path, backwards, "backwards.csv")):
        assert read_line_list(path).cells().equals(plain.cells())
