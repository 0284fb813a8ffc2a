"""Whatever stands in a sheet: nothing is changed without being told, no value is told, and nothing fails."""

import csv
import io
import re
from decimal import Decimal
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from files import HEADERS, rows_at_random, ward
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blina.linelist import intake
from blina.linelist.cohort import Cohort
from blina.linelist.columns import COLUMNS, Column
from blina.linelist.convert import How, convert
from blina.linelist.explain import Explanation
from blina.linelist.intake import ASSAY_OF, Intake, take_in
from blina.linelist.parse import parse_cell
from blina.linelist.problems import Change
from blina.linelist.settings import Assay, Source
from blina.linelist.sheet import Cell, sheet_of
from blina.yamlfile import FileError

CANARY = "Zqx71Wv"  # in no word of ours, so that wherever it is found it was copied from a cell
PATIENTS = rows_at_random(5, 3)
NAMES = [*HEADERS]
STEADY = {"derandomize": True, "database": None, "suppress_health_check": list(HealthCheck)}
PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)

# What is typed in wards, whole or as a piece of something else.
PIECES = (
    "", " ", "\u3000", "\n", "\u200b", "\ufeff", "0", "1", "7", "28", "0.01", "0.145", "14.8", "5,5", "1,234",
    "inf", "nan", "２", "１２", "٣", "½", "²", "Ⅱ", "iv", "+", ".", "..", "%", "％", "<", "≤", "＜", ">", "≥",
    "~", "-", "－", "—", "/", "10⁻⁴", "10-4", "1.2e-4", "×10^", "e5", "=1+1", "#N/A", "NA", "n.d.", "None",
    "null", "无", "未做", "不详", "不适用", "阳性", "阴性", "(-)", "（＋）", "positive", "not done", "男", "女",
    "male", "F", "是", "否", "√", "MC", "RR", "感染", "完成", "经济原因", "岁", "个月", "天", "第", "半", "级",
    "D", "day", "grade", "CRS", "2023-04-03", "2023年4月3日", "3/4/2023", CANARY,
)  # fmt: skip
WHOLE = (
    "5岁", "5岁半", "3岁8月", "8月龄", "2周", "4 weeks", "28天", "28 d", "15个月", "1年3个月", "第3天", "D3",
    "2级", "Grade 2", "G2", "II", "3疗程", "0.145%", "0.0145 %", "14.5％", "<0.01%", "≤0.01%", "＜１０⁻⁴",
    ">1%", "3×10^-4", "10^-2%", "1.2E-2", "5E-05", "0,145", "1,5%", "5,25", "阳性(0.03%)", "阴性（<0.01%）",
    "MRD阳性 0.5%", "未检出", "not detected", "N/A", "\u3000男 ", "Ｍ", "ＭＣ", "mc", "Not-Done",
    "not_applicable", "没有", "急性胰腺炎", "费用", "不良反应", "007", "+5", "5.", ".5", "12.0", "1e1", "0x10",
    "1_000", "100", "100.0001", "0.00009", "-0", "00", "1 000", "true", "N", "1/2",
)  # fmt: skip
typed = st.one_of(
    st.sampled_from(WHOLE),
    st.lists(st.sampled_from(PIECES), max_size=3).map("".join),
    st.text(max_size=6),
    st.decimals(-1, 200, places=4).map(lambda number: f"{number.normalize():f}"),
    st.integers(-2, 130).map(str),
)
with_canary = st.tuples(st.sampled_from(PIECES), st.sampled_from(PIECES)).map(CANARY.join)
DESCRIPTIONS = [
    {},
    {"missing_allowed": frozenset({c.name for c in COLUMNS} - {"patient_id", "group"})},
    {"mrd_unit": "fraction", "assays": {"FC": Assay(negative="< 0.01"), "RT-PCR": Assay(negative="<= 0.001")}},
    {"mrd_unit": "percent", "pseudonyms": False, "leave_out": ("性别",)},
    {"values": {"sex": {"1": "male", "无": "female"}, "fc_before": {"0": "negative", "0.01": "positive"}}},
]


def cohort(file="linelist.csv", **described) -> Cohort:
    return Cohort(name="ours", folder=".", title="ours", file=file, **described)


def judged(taken: Intake) -> None:
    """Every cell stands as it was typed, or a change or a problem tells of it; and no value is told."""
    told = {(problem.column, problem.row) for problem in taken.problems}
    told |= {(change.column, row) for change in taken.changes for row in rows_of(change)}
    read = taken.table.cells().to_dict("list") if len(taken.table) else {}
    served = {letter: name for letter, _, name in taken.understood}
    for place, column in enumerate(taken.sheet.columns):
        name = served.get(taken.sheet.letters(place), taken.sheet.header[place])
        if name not in read or (name, taken.sheet.header_row) in told:  # a header that cannot be understood
            continue
        for row, number in enumerate(taken.sheet.numbers.tolist()):
            assert same(column[row].text, read[name][row]) or (name, number) in told, (name, column[row])
    assert taken.problems or set(read) >= {column.name for column in COLUMNS if not column.optional}
    for language in ("en", "zh"):
        assert CANARY not in "\n".join(Explanation(taken, language).lines())
    assert CANARY not in Explanation(taken).page()


def rows_of(change: Change) -> list[int]:
    return [row for first, last in change.runs for row in range(first, last + 1)]


def same(text: str, read: str) -> bool:
    """Whether a cell is read as it was typed, but for blanks around it and zeros behind its decimals."""
    text = text.strip()
    plain = PLAIN.fullmatch(text) and PLAIN.fullmatch(read)
    return text == read or bool(plain and Decimal(text) == Decimal(read))


def taken_in(sheet, cohort) -> Intake:
    """What becomes of a sheet that reading has given."""
    with patch.object(intake, "read_sheet", lambda *_: sheet):
        return take_in(SimpleNamespace(stem="ours", name="ours.csv", parent="."), cohort)


cells = st.one_of(
    typed.map(Cell),
    st.builds(Cell, st.decimals(-1, 200, places=5).map(lambda number: f"{number.normalize():f}"),
              st.sampled_from(["number", "percent"]), st.sampled_from(["", "0.15", "14.5%", "1.2E-04", "7"])),
    st.sampled_from([Cell("2023-04-03", "date"), Cell("yes", "boolean"), Cell("#REF!", "error"),
                     Cell("", "uncalculated"), Cell("0.145", filled=True), Cell("阳性", filled=True)]),
)  # fmt: skip


def check_cell(column: Column, cell: Cell, ours: Cohort) -> None:
    """A cell of a declared column is read as it stands, with a change, or not at all, with what is wrong."""
    how = How(ours.values.get(column.name, {}), ours.assays.get(ASSAY_OF.get(column.name)), ours.mrd_unit)
    found = convert(column, cell, how)
    if found.text is None:
        assert found.problem and found.rule and CANARY not in found.problem.en + found.problem.zh
    else:
        assert same(cell.text, found.text) or found.changes, (column.name, cell)
        assert parse_cell(column, found.text)[1] is None or not found.text


@pytest.mark.parametrize("described", DESCRIPTIONS, ids=" ".join)
def test_what_wards_type_is_read_as_typed_or_told_of_in_every_column(described):
    ours = cohort(**described)
    for column in ours.declared[1:]:
        for text in (*PIECES, *WHOLE):
            check_cell(column, Cell(text), ours)


@settings(max_examples=1000, **STEADY)
@given(st.sampled_from(COLUMNS[1:]), st.one_of(cells, with_canary.map(Cell)), st.sampled_from(DESCRIPTIONS))
def test_a_cell_is_read_as_typed_or_told_of(column, cell, described):
    ours = cohort(**described)
    check_cell(next(declared for declared in ours.declared if declared.name == column.name), cell, ours)


@settings(max_examples=400, **STEADY)
@given(
    st.dictionaries(st.tuples(st.integers(0, 2), st.sampled_from(NAMES)), st.one_of(cells, with_canary.map(Cell)),
                    min_size=1, max_size=8),
    st.sampled_from(DESCRIPTIONS),
    st.sampled_from(["en", "zh"]),
)  # fmt: skip
def test_every_cell_is_read_as_typed_or_told_of(changes, described, language):
    header, *grid = ward(PATIENTS, language)
    for (row, name), cell in changes.items():
        grid[row][NAMES.index(name)] = cell
    judged(taken_in(sheet_of("ours.csv", header, grid), cohort(**described)))


pieces_of_headers = st.sampled_from(
    [*(name for both in HEADERS.values() for name in both), *HEADERS, *(column.chinese for column in COLUMNS)]
    + ["_", " ", "\n", "（%）", "(月)", "MRD", "治疗前", "2"]
)


@settings(max_examples=300, **STEADY)
@given(
    st.lists(st.one_of(pieces_of_headers, st.lists(pieces_of_headers, max_size=3).map("".join), st.text(max_size=5)),
             max_size=24),
    st.lists(with_canary | typed, min_size=1, max_size=24),
    st.dictionaries(st.sampled_from(NAMES), st.one_of(pieces_of_headers, st.just(CANARY)), max_size=3),
)  # fmt: skip
def test_any_header_is_understood_or_told_of(header, row, columns):
    header = [" ".join(text.split()) for text in header] + [""] * (len(row) - len(header))
    row = row + [""] * (len(header) - len(row))
    described = cohort(columns={name: Source(header=text) for name, text in columns.items() if text.strip()})
    taken = taken_in(sheet_of("ours.csv", header, [row, row]), described)
    if CANARY not in columns.values():
        judged(taken)
    assert taken.problems  # a patient stands twice


@settings(max_examples=300, **STEADY)
@given(
    st.dictionaries(st.tuples(st.integers(0, 3), st.sampled_from(NAMES)), typed | with_canary, max_size=6),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16", "latin-1"]),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONE]),
    st.binary(max_size=3),
    st.sampled_from([".csv", ".tsv", ".txt"]),
)
def test_any_text_file_is_read_or_told_of(tmp_path_factory, changes, encoding, mark, end, quotes, junk, suffix):
    grid = ward(PATIENTS, "zh")
    for (row, name), text in changes.items():
        if row:
            grid[row][NAMES.index(name)] = text
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=mark, lineterminator=end, quoting=quotes, quotechar='"', escapechar="\\").writerows(grid)
    path = tmp_path_factory.getbasetemp() / f"fuzzed{suffix}"
    path.write_bytes(text.getvalue().encode(encoding, "replace") + junk)
    try:
        judged(take_in(path, cohort(path.name)))
    except FileError as error:
        assert CANARY not in error.args[0].en + error.args[0].zh
