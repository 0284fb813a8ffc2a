"""Excel workbooks (.xlsx, .xlsm): what their cells hold, and what a spreadsheet shows instead."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from itertools import takewhile
from operator import eq, ge, gt, le, lt, ne

import numpy as np
from openpyxl import load_workbook
from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.utils.escape import unescape
from openpyxl.workbook import Workbook
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

from blina.linelist.layout import (
    HEAD,
    LEAST_KNOWN,
    MOST_COLUMNS,
    MOST_ROWS,
    Grid,
    IsHeader,
    empty,
    header_row,
    header_text,
    number_text,
    table,
)
from blina.linelist.problems import Said
from blina.linelist.sheet import Cell, Cells, Note, Sheet
from blina.yamlfile import FileError

Row = dict[int, Cell]  # the cells of a row by the number of their column, blanks left out

LOCAL_DATES = {*range(27, 37), *range(50, 59)}  # built-in date formats of Chinese and Japanese Excel (ECMA-376 18.8.30)
FORMAT = re.compile(
    r'"([^"]*)"|\[([^\]]*)\]|\\(.)|[_*].|(.)', re.DOTALL
)  # text, colour or condition, a letter, padding
CONDITION = re.compile(r"(<=|>=|<>|<|>|=)(-?[\d.]+)")
HOLDS = {"<": lt, "<=": le, ">": gt, ">=": ge, "=": eq, "<>": ne}
AS_TYPED = re.compile(r"general|g/通用格式|通用格式|常规|@", re.IGNORECASE)  # formats without digits of their own
DIGITS = re.compile(r"(?=[#0?.])[#0?,]*(?:\.([#0?]*))?(E[+-]?[#0?]+)?", re.IGNORECASE)
EXACT = Context(prec=400, rounding=ROUND_HALF_UP)
GENERAL = 10  # digits that a cell without a format shows
VALUE = (b"</v>", b"</f>", b"</is>")  # where something that stands in a cell ends


def read_excel(name: str, data: bytes, tab: str | None, merged: frozenset[str], is_header: IsHeader) -> Sheet:
    """The table of a workbook: of the sheet `tab`, else of the one that has a header, else of the only one not empty.

    Merged cells count for each of their rows in the columns of the headers `merged`. FileError where the workbook is
    damaged, empty, or has several sheets that may be meant.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they repeat the values of cells
            workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            _add_local_dates(workbook)
            tabs = {sheet.title: _Tab(sheet) for sheet in workbook.worksheets}
            return _table(name, tabs, _chosen(name, tabs, tab, is_header), merged, is_header)
    except FileError:
        raise
    except Exception:  # whatever a damaged workbook brings about
        raise damaged(name) from None


def damaged(name: str) -> FileError:
    return FileError(
        Said(f"{name} is damaged or no Excel workbook: open it in Excel and save it again as .xlsx",
             f"{name} 已损坏或不是 Excel 工作簿：请用 Excel 打开后重新另存为 .xlsx")
    )  # fmt: skip


def _add_local_dates(workbook: Workbook) -> None:
    """Tell openpyxl of the date formats that it does not know."""
    styles = enumerate(workbook._cell_styles)
    workbook._date_formats |= {number for number, style in styles if style.numFmtId in LOCAL_DATES}


class _Parser(WorkSheetParser):
    """openpyxl's parser, which keeps merged ranges and formats while it streams; uncalculated formulas told apart."""

    def parse_cell(self, element) -> dict:
        cell = super().parse_cell(element)
        if cell["value"] is None and element.get("t") != "str" and element.find(FORMULA_TAG) is not None:
            cell["data_type"] = "uncalculated"
        return cell


class _Tab:
    """One sheet of a workbook: its rows, and after them its merged ranges and what is hidden."""

    def __init__(self, sheet: ReadOnlyWorksheet) -> None:
        book = sheet.parent
        with sheet._get_source() as source:
            content = io.BytesIO(_essential(source.read()))
        self.hidden = sheet.sheet_state != "visible"
        self._content = content
        self._formats = [_format(book, style.numFmtId) for style in book._cell_styles]
        self._settings = (sheet._shared_strings, True, book.epoch, book._date_formats, book._timedelta_formats)
        self.parser: _Parser

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Numbers and cells of the rows in which something stands."""
        self._content.seek(0)
        self.parser = _Parser(self._content, *self._settings)
        known: dict[tuple, Cell] = {}
        for number, parsed in self.parser.parse():
            row = {}
            for cell in parsed:
                value, kind, style = cell["value"], cell["data_type"], cell["style_id"]
                if value is None and kind != "uncalculated":
                    continue
                key = (value, kind, style)
                if key not in known:
                    known[key] = _cell(value, kind, self._formats[style])
                row[cell["column"]] = known[key]
            if any(cell.text.strip() or cell.kind == "uncalculated" for cell in row.values()):
                yield number, row

    def head(self) -> list[list[str]]:
        """The texts of the first rows."""
        texts: list[list[str]] = [[] for _ in range(HEAD)]
        for number, row in takewhile(lambda numbered: numbered[0] <= HEAD, self.rows()):
            texts[number - 1] = [row[column].text if column in row else "" for column in range(1, max(row) + 1)]
        return texts

    def merged(self) -> list[tuple[int, int, int, int]]:
        """First column, first row, last column, last row of each merged range, from the top (after `rows`)."""
        ranges = self.parser.merged_cells.mergeCell if self.parser.merged_cells else ()
        return sorted((range_boundaries(one.ref) for one in ranges), key=lambda ends: (ends[1], ends[0]))

    def hidden_rows(self) -> set[int]:
        return {int(number) for number, has in self.parser.row_dimensions.items() if _is_hidden(has)}

    def hidden_columns(self) -> set[int]:
        hidden = [has for has in self.parser.column_dimensions.values() if _is_hidden(has)]
        return {column for has in hidden for column in range(int(has["min"]), int(has["max"]) + 1)}


def _is_hidden(attributes: dict[str, str]) -> bool:
    return attributes.get("hidden") in ("1", "true")


def _essential(xml: bytes) -> bytes:
    """A sheet's XML without what is not read: rows below the last value (there may be a million), and rules of display.

    As it is where it is not written as spreadsheets write it.
    """
    rows_end = xml.find(b"</sheetData>")
    last = max(xml.rfind(mark, 0, rows_end) for mark in VALUE)
    row_end = xml.find(b"</row>", last, rows_end)
    if rows_end < 0 or last < 0 or row_end < 0:
        return xml
    ranges = re.search(rb"<mergeCells.*?</mergeCells>", xml[rows_end:], re.DOTALL)
    return xml[:row_end] + b"</row></sheetData>" + (ranges[0] if ranges else b"") + b"</worksheet>"


def _chosen(name: str, tabs: dict[str, _Tab], tab: str | None, is_header: IsHeader) -> str:
    """The sheet to read (FileError, which lists the sheets, where that cannot be told)."""
    if tab is not None:
        if tab not in tabs:
            raise FileError(
                Said(f"{name} has no sheet {tab}: name one of {', '.join(tabs)}",
                     f"{name} 中没有工作表“{tab}”：请从以下名称中选择：{'、'.join(tabs)}")
            )  # fmt: skip
        return tab
    heads = {title: one.head() for title, one in tabs.items()}
    with_header = [title for title, head in heads.items() if max(map(is_header, head)) >= LEAST_KNOWN]
    choices = (
        [title for title in with_header if not tabs[title].hidden],
        with_header,
        [title for title, one in tabs.items() if next(one.rows(), None)],
    )
    meant = next(filter(None, choices), [])
    if not meant:
        raise empty(name)
    if len(meant) > 1:
        raise FileError(
            Said(f"{name} has several sheets that may be the line list ({', '.join(meant)}): name one under sheet in "
                 "cohort.yaml",
                 f"{name} 中有多个工作表可能是患者登记表（{'、'.join(meant)}）：请在 cohort.yaml 的 sheet 中注明")
        )  # fmt: skip
    return meant[0]


def _table(name: str, tabs: dict[str, _Tab], title: str, merged: frozenset[str], is_header: IsHeader) -> Sheet:
    tab = tabs[title]
    header = header_row(name, tab.head(), is_header)
    numbers, columns = _columns(tab)
    if numbers[-1] > MOST_ROWS or (np.diff(numbers) <= 0).any() or len(columns) > MOST_COLUMNS:
        raise damaged(name)
    ranges = [ends for ends in tab.merged() if ends[3] >= header]
    if across := next((ends for ends in ranges if ends[1] <= header and ends[0] < ends[2]), None):
        raise _merged_header(name, header, across)
    at = int(np.searchsorted(numbers, header))
    names = {place: header_text(cells[at].text) for place, cells in enumerate(columns, start=1)}
    meant = {header_text(text) for text in merged}
    fill = [ends for ends in ranges if names.get(ends[0]) in meant]
    for ends in fill:
        columns[ends[0] - 1] = _filled(columns[ends[0] - 1], numbers, ends[1], ends[3])
    others = any(next(one.rows(), None) for other, one in tabs.items() if other != title)
    notes = (Note("other sheets"),) if others else ()
    sheet = table(Grid(name, tuple(columns), numbers, title, notes=notes), header)
    return replace(sheet, notes=(*sheet.notes, *_hidden(sheet, tab), *_merged(sheet, names, ranges, fill)))


def _merged_header(name: str, header: int, ends: tuple[int, int, int, int]) -> FileError:
    first, row, last, last_row = ends
    where = f"{get_column_letter(first)}{row}:{get_column_letter(last)}{last_row}"
    return FileError(
        Said(f"{name}: the header in row {header} has merged cells ({where}): write one header row, with one name "
             "above each column",
             f"{name}：第 {header} 行表头含有合并单元格（{where}）：请只用一行表头，每列一个名称")
    )  # fmt: skip


def _columns(tab: _Tab) -> tuple[np.ndarray, list[Cells]]:
    """Numbers of the rows in which something stands, and all columns from the first on."""
    numbers: list[int] = []
    held: dict[int, tuple[list[int], list[Cell]]] = {}
    for place, (number, row) in enumerate(tab.rows()):
        numbers.append(number)
        for column, cell in row.items():
            places, cells = held.setdefault(column, ([], []))
            places.append(place)
            cells.append(cell)
    nothing = Cells((Cell(""),), np.zeros(len(numbers), dtype=np.int32))
    columns = [nothing] * max(held)
    for column, (rows, cells) in held.items():
        given = Cells.of(cells)
        places = np.zeros(len(numbers), dtype=np.int32)
        places[rows] = given.places + 1
        columns[column - 1] = Cells((Cell(""), *given.distinct), places)
    return np.array(numbers, dtype=np.int64), columns


def _filled(cells: Cells, numbers: np.ndarray, first: int, last: int) -> Cells:
    """A column whose rows after `first`, up to `last`, hold what the first one holds."""
    top, begin, end = np.searchsorted(numbers, [first, first + 1, last + 1])
    if top == begin:  # nothing stands in the first row
        return cells
    places = cells.places.copy()
    places[begin:end] = len(cells.distinct)
    return Cells((*cells.distinct, cells[top]._replace(filled=True)), places)


def _hidden(sheet: Sheet, tab: _Tab) -> Iterator[Note]:
    rows, columns = tab.hidden_rows(), tab.hidden_columns()
    if hidden := tuple(number for number in sheet.numbers.tolist() if number in rows):
        yield Note("hidden rows", hidden)
    for column, name in enumerate(sheet.header, start=sheet.first_column):
        if column in columns and name:
            yield Note("hidden columns", (), name)


def _merged(sheet: Sheet, names: dict[int, str], ranges: Sequence[tuple], fill: Sequence[tuple]) -> Iterator[Note]:
    """Which patients' rows have a part of a merged cell that is read as blank, by header."""
    patients = sheet.numbers.tolist()
    rows: dict[str, set[int]] = {}
    for first, top, last, bottom in ranges:
        begin = top if last > first else top + 1 if (first, top, last, bottom) not in fill else bottom + 1
        rows.setdefault(names.get(first, ""), set()).update(range(begin, bottom + 1))
    for name, within in rows.items():
        if blank := tuple(number for number in patients if number in within):
            yield Note("merged", blank, name)


def _format(book: Workbook, number: int) -> str:
    """The text of a number format."""
    if number < BUILTIN_FORMATS_MAX_SIZE:
        return BUILTIN_FORMATS.get(number, "General")
    return book._number_formats[number - BUILTIN_FORMATS_MAX_SIZE]


def _cell(value: object, kind: str, form: str) -> Cell:
    """A cell of openpyxl's value and kind (its `data_type`), and the text of its number format."""
    if kind == "uncalculated":
        return Cell("", "uncalculated")
    if kind == "e":
        return Cell(str(value), "error")
    if isinstance(value, bool):
        return Cell("yes" if value else "no", "boolean")
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    if isinstance(value, (date, time)):
        return Cell(value.isoformat(), "date") if getattr(value, "year", 1900) >= 1900 else Cell("#VALUE!", "error")
    if isinstance(value, timedelta):
        return Cell(str(value), "date")
    if isinstance(value, (int, float)):
        text = number_text(value)
        percent, shown = _shown(Decimal(text), form)
        return Cell(text, "percent" if percent else "number", shown)
    return Cell(unescape(str(value)))


def _shown(number: Decimal, form: str) -> tuple[bool, str]:
    """Whether a number is shown in percent, and what a spreadsheet shows of it ("" where that is the number itself).

    Rounded half away from zero, as spreadsheets do, with the text that the format adds (4周); a sign of thousands is
    left out. A blank where the format shows nothing.
    """
    number, section = _section(number, form)
    codes = "".join(text if is_code else "\0" * len(text) for text, is_code in section)  # text put out of sight
    written = "".join(text for text, _ in section)
    percent = "%" in codes
    value = number * 100 ** codes.count("%")
    digits = DIGITS.search(codes)
    if digits and ("/" in codes or codes[: digits.end() + 1].endswith(",")):  # 1 1/2, or thousands as 1
        return percent, ""
    at = digits or AS_TYPED.search(codes)
    if at is None:
        return percent, written.strip() or " "
    if digits and digits[2]:
        with localcontext(EXACT):
            shown = f"{value:.{len(digits[1] or '')}E}"
    else:
        places = len(digits[1] or "") if digits else max(0, GENERAL - len(str(abs(int(value)))))
        rounded = value.quantize(Decimal(1).scaleb(-places), context=EXACT)
        shown = format(rounded, "f") if digits else number_text(rounded)
    before, behind = written[: at.start()].lstrip(), written[at.end() :].rstrip()
    if not before + behind and Decimal(shown) == number:
        return percent, ""
    return percent, f"{before}{shown}{behind}"


def _section(number: Decimal, form: str) -> tuple[Decimal, list[tuple[str, bool]]]:
    """The section of a format that shows a number, as texts and whether each is a code; and what it shows of it.

    Sections are those of positive and negative numbers (shown without its sign) and zero, or have conditions.
    """
    sections: list[list[tuple[str, bool]]] = [[]]
    conditions: dict[int, bool] = {}
    for text, bracket, letter, code in FORMAT.findall(form):
        if code == ";":
            sections.append([])
        elif found := CONDITION.fullmatch(bracket):
            conditions[len(sections) - 1] = HOLDS[found[1]](number, Decimal(found[2]))
        else:
            sections[-1].append((code, True) if code else (text or letter or _currency(bracket), False))
    if conditions:
        return number, next((one for place, one in enumerate(sections[:3]) if conditions.get(place, True)), [])
    if number < 0 and len(sections) > 1:
        return -number, sections[1]
    return number, sections[2 if number == 0 and len(sections) > 2 else 0]


def _currency(bracket: str) -> str:
    """The sign in a bracket of a format, as in [$¥-804]; other brackets show nothing."""
    return bracket[1:].split("-")[0] if bracket.startswith("$") else ""
