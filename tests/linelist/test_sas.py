"""SAS transport files as SAS and R write them."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blina.linelist.layout import Note
from blina.linelist.problems import Said
from blina.linelist.read import read_sheet
from blina.linelist.sheet import Cell
from blina.yamlfile import FileError

PATIENTS = {
    "ID": ["P1", "P2", "P3"],
    "AGE": [7.0, 0.145, np.nan],
    "SEX": ["男", "", " female"],
    "DIAGN": [date(2023, 4, 3), None, date(1959, 12, 31)],
    "SEEN": [datetime(2023, 4, 3, 10, 30), datetime(2023, 4, 3), None],
}
LABELS = ["Patient", "年龄（岁）", "性别", "诊断日期", "Last seen"]


@pytest.fixture(params=[5, 8], ids="version {}".format)
def transport(request, tmp_path):
    """The patients as a transport file, in both versions of the format."""
    path = tmp_path / "list.xpt"
    pyreadstat.write_xport(
        pd.DataFrame(PATIENTS), path, file_format_version=request.param, column_labels=LABELS, table_name="PATIENTS"
    )
    return path


def test_numbers_texts_and_dates_come_back(transport):
    sheet = read_sheet(transport)
    assert (sheet.name, sheet.header, sheet.labels) == ("list.xpt", tuple(PATIENTS), tuple(LABELS))
    assert [*sheet.numbers] == [2, 3, 4] and sheet.tab == "" and sheet.notes == ()
    number, age, sex, diagnosed, seen = ([column[row] for row in range(3)] for column in sheet.columns)
    assert number == [Cell("P1"), Cell("P2"), Cell("P3")]
    assert age == [Cell("7", "number"), Cell("0.145", "number"), Cell("")]
    assert sex == [Cell("男"), Cell(""), Cell(" female")]
    assert diagnosed == [Cell("2023-04-03", "date"), Cell(""), Cell("1959-12-31", "date")]
    assert seen == [Cell("2023-04-03T10:30:00", "date"), Cell("2023-04-03", "date"), Cell("")]


def test_chinese_in_gb18030_is_read_and_told(transport):
    content = transport.read_bytes()
    for text in ("男", *LABELS):  # each in as many bytes as before
        utf8, gb = text.encode(), text.encode("gb18030")
        content = content.replace(utf8, gb + b" " * (len(utf8) - len(gb)))
    transport.write_bytes(content)
    sheet = read_sheet(transport)
    assert sheet.columns[2].texts()[0] == "男" and sheet.labels[2] == "性别"
    assert sheet.notes == (Note("gb18030"),)


def test_blank_rows_are_no_patients(tmp_path):
    pyreadstat.write_xport(pd.DataFrame({"A": [1.0, np.nan, 3.0], "B": ["x", "", "y"]}), tmp_path / "list.xpt")
    sheet = read_sheet(tmp_path / "list.xpt")
    assert [*sheet.numbers] == [2, 4] and sheet.notes == (Note("blank rows", (3,)),)


@pytest.mark.parametrize("form", ["DATE9.", "YYMMDD10.", "E8601DA.", "DDMMYYP10.", "MONYY7.", "NLDATE.", "WORDDATE."])
def test_a_number_is_a_date_by_its_format(tmp_path, form):
    days = pd.DataFrame({"A": ["x"], "B": [23103.0], "C": [23103.0]})
    pyreadstat.write_xport(days, tmp_path / "list.xpt", variable_format={"B": form, "C": "BEST12."})
    sheet = read_sheet(tmp_path / "list.xpt")
    assert [column[0] for column in sheet.columns[1:]] == [Cell("2023-04-03", "date"), Cell("23103", "number")]


def refusal(path) -> str:
    with pytest.raises(FileError) as error:
        read_sheet(path)
    (said,) = error.value.args
    assert isinstance(said, Said) and "\n" not in said.en + said.zh
    return said.en


def test_a_file_of_several_tables_is_one_line(transport):
    content = transport.read_bytes()
    transport.write_bytes(content + content[240:])  # from the header of the first table on
    assert refusal(transport) == "list.xpt holds several tables: export the line list alone"


def test_a_table_without_patients_is_one_line(tmp_path):
    pyreadstat.write_xport(pd.DataFrame({"A": [""], "B": [np.nan]}), tmp_path / "list.xpt")
    assert refusal(tmp_path / "list.xpt") == "list.xpt has a header but no patients: add one row per patient"


def test_an_impossible_date_is_one_line(tmp_path):
    days = pd.DataFrame({"A": ["x"], "B": [1.9e9]})
    pyreadstat.write_xport(days, tmp_path / "list.xpt", variable_format={"B": "DATE9."})
    assert refusal(tmp_path / "list.xpt") == ("list.xpt holds a date that no calendar has: correct it and export again")


@pytest.mark.parametrize("kept", [80, 400, 700, 1000])
def test_a_truncated_file_is_one_line(transport, kept):
    transport.write_bytes(transport.read_bytes()[:kept])
    assert refusal(transport).startswith("list.xpt ")


@given(st.integers(0, 3000), st.binary(min_size=1, max_size=20))
@settings(max_examples=100)
def test_a_damaged_file_is_a_table_or_one_line(tmp_path_factory, at, piece):
    folder = tmp_path_factory.getbasetemp()
    if not (folder / "whole.xpt").exists():
        pyreadstat.write_xport(pd.DataFrame(PATIENTS), folder / "whole.xpt")
    whole = (folder / "whole.xpt").read_bytes()
    (folder / "list.xpt").write_bytes(whole[:at] + piece + whole[at + len(piece) :])
    try:
        assert len(read_sheet(folder / "list.xpt"))
    except FileError as error:
        assert len(str(error).splitlines()) == 1
