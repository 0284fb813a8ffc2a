"""Where the table stands in a sheet: which row is its header, and what stands above, between and below its rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from unicodedata import normalize

import numpy as np

from blina.linelist.columns import COLUMNS
from blina.linelist.problems import Said
from blina.linelist.sheet import Cell, Cells, Note, Sheet
from blina.linelist.vocabulary import column_of
from blina.yamlfile import FileError

IsHeader = Callable[[Sequence[str]], int]  # how many declared columns a row of texts names

HEAD = 20  # the header is looked for in this many rows
LEAST_KNOWN = 3  # declared columns that a row must name before it is taken for a header below other rows
LONG = 30  # characters; a lone cell of more text at the end is a note
MOST_COLUMNS, MOST_ROWS = 16_384, 1_048_576  # what a spreadsheet can hold

TOTALS = re.compile(r"合计|总计|平均|中位数|n\s*=|(?:total|mean|median|sum)(?:[\s:(]|$)", re.IGNORECASE)
NOTE = re.compile(r"[*#※]|注|备注|说明|来源|数据来源|note|remark|source", re.IGNORECASE)
SAYS_EXAMPLE = ("EXAMPLE", "示例")
EXAMPLE = {column.name: str(column.example) for column in COLUMNS}

# What reading may tell of a file, by `Note.what`.
NOTES = {
    "title": Said("taken for a title above the header; not read", "表头上方的标题行，未读取"),
    "blank rows": Said("blank rows between patients; left out", "患者之间的空行，已略过"),
    "note below": Said("taken for a note below the table; left out", "表格下方的注释，已略过"),
    "totals row": Said("taken for totals below the table; left out", "表格下方的合计行，已略过"),
    "header again": Said("the header once more; left out", "重复的表头行，已略过"),
    "example row": Said("the example of the template; left out", "模板中的示例行，已略过"),
    "gb18030": Said("read as GB18030 text", "按 GB18030 编码读取"),
    "utf-16": Said("read as UTF-16 text", "按 UTF-16 编码读取"),
    "commas": Said("read as separated by commas", "按逗号分隔读取"),
    "semicolons": Said("read as separated by semicolons", "按分号分隔读取"),
    "tabs": Said("read as separated by tabs", "按制表符分隔读取"),
    "cells beyond the header": Said("empty cells to the right of the header; left out", "超出表头的空单元格，已略过"),
    "merged": Said("part of a merged cell, read as blank: only the first cell of the range holds the value; name the "
                   "column under merged in cohort.yaml if the value counts for each row",
                   "合并单元格的其余部分按空白读取；如该值适用于每一行，请在 cohort.yaml 的 merged 中列入此列"),
    "hidden rows": Said("hidden or filtered out in the sheet; read all the same", "表中隐藏或被筛选掉的行，仍已读取"),
    "hidden columns": Said("hidden in the sheet; read all the same", "表中隐藏的列，仍已读取"),
    "other sheets": Said("the workbook has other sheets; not read", "工作簿中的其他工作表，未读取"),
}  # fmt: skip


@dataclass(frozen=True)
class Grid:
    """The cells of a file from its first column on, header included, before anything is left out.

    `numbers` (ascending) are the numbers of the rows in the file; a row that is not among them is blank.
    """

    name: str
    columns: tuple[Cells, ...]
    numbers: np.ndarray
    tab: str = ""
    labels: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


def header_text(text: str) -> str:
    """A header as it is compared: line breaks and runs of blanks are one blank."""
    return " ".join(text.split())


def number_text(number: int | float | Decimal) -> str:
    """The shortest decimal text that means a number, without an exponent: 0.00145, 7."""
    if isinstance(number, int):
        return str(number)
    return format((Decimal(str(number)) + 0).normalize(), "f")


def empty(name: str) -> FileError:
    """A file in which nothing stands."""
    return FileError(Said(f"{name} is empty: it should be a line list", f"{name} 是空文件：应为患者登记表"))


def header_row(name: str, head: Sequence[Sequence[str]], is_header: IsHeader) -> int:
    """The number of the header's row, given the texts of a file's first `HEAD` rows.

    It is the first row that names at least `LEAST_KNOWN` declared columns, and half as many as the row that names most;
    where none does, the first row with more than one filled cell. FileError where all is blank, or the header takes two
    rows: filled cells stand right above it, or words right below its blanks.
    """
    rows = [[header_text(text) for text in row] for row in head[:HEAD]]
    filled = [sum(map(bool, row)) for row in rows]
    if not any(filled):
        raise empty(name)
    known = [is_header(row) for row in rows]
    if max(known) < LEAST_KNOWN:
        return 1 + next((at for at, cells in enumerate(filled) if cells > 1), filled.index(1) if 1 in filled else 0)
    at = next(at for at, names in enumerate(known) if names >= LEAST_KNOWN and 2 * names >= max(known))
    if at and filled[at - 1] > 1:
        raise _two_rows(name, at)
    if at + 1 < len(rows) and _completes(rows[at], rows[at + 1], known[at + 1]):
        raise _two_rows(name, at + 1)
    return at + 1


def _completes(header: Sequence[str], below: Sequence[str], known: int) -> bool:
    """Whether the row below a header stands under its blanks and reads like a header too."""
    blanks = [place for place in range(len(below)) if place >= len(header) or not header[place]]
    words = known > 1 or not any(letter.isdigit() for text in below for letter in text)
    return words and any(below[place] for place in blanks)


def _two_rows(name: str, first: int) -> FileError:
    return FileError(
        Said(
            f"{name}: rows {first} and {first + 1} both look like the header: write one header row, with one name "
            "above each column",
            f"{name}：第 {first} 行和第 {first + 1} 行似乎都是表头：请只保留一行表头，每列一个名称",
        )
    )


def table(grid: Grid, header: int) -> Sheet:
    """The patients below the header, which stands in the row of this number; what is left out is noted.

    FileError where there are none. Columns without header and content are left out at both ends; between others they
    stay, so that addresses hold.
    """
    at = int(np.searchsorted(grid.numbers, header))
    names = tuple(header_text(cells[at].text) for cells in grid.columns)
    columns = [replace(cells, places=cells.places[at + 1 :]) for cells in grid.columns]
    numbers = grid.numbers[at + 1 :]
    filled = np.stack([_which(cells, _is_filled) for cells in columns])
    count = filled.sum(axis=0)
    left_out = {
        "header again": np.logical_and.reduce([cells.places[at] == cells.places[at + 1 :] for cells in grid.columns]),
        "example row": _examples(names, columns, filled),
        **_ending(columns, filled, count),
    }
    kept = np.logical_and.reduce([count > 0, *(~rows for rows in left_out.values())])
    if not kept.any():
        raise FileError(
            Said(f"{grid.name} has a header but no patients: add one row per patient",
                 f"{grid.name} 只有表头而没有患者：请每位患者填写一行")
        )  # fmt: skip
    patients = numbers[kept]
    above = [number for place, number in enumerate(grid.numbers[:at]) if any(map(_is_filled, _row(grid, place)))]
    notes = {
        "title": above,
        "blank rows": _between(numbers[count > 0], patients[0], patients[-1]),
        **{what: numbers[rows] for what, rows in left_out.items()},
    }
    used = [place for place, name in enumerate(names) if name or filled[place, kept].any()]
    ends = slice(used[0], used[-1] + 1)
    return Sheet(
        name=grid.name,
        header=names[ends],
        columns=tuple(_only_used(cells.take(kept)) for cells in columns[ends]),
        numbers=patients,
        header_row=header,
        first_column=used[0] + 1,
        tab=grid.tab,
        labels=grid.labels[ends],
        notes=(*grid.notes, *(Note(what, tuple(map(int, rows))) for what, rows in notes.items() if len(rows))),
    )


def _between(numbers: np.ndarray, first: int, last: int) -> np.ndarray:
    """The numbers from first to last that are not among those given."""
    missing = np.ones(last - first + 1, dtype=bool)
    missing[numbers[(numbers >= first) & (numbers <= last)] - first] = False
    return np.flatnonzero(missing) + first


def _row(grid: Grid, place: int) -> list[Cell]:
    return [cells[place] for cells in grid.columns]


def _is_filled(cell: Cell) -> bool:
    return bool(cell.text.strip()) or cell.kind == "uncalculated"


def is_example(cell: Cell) -> bool:
    """Whether a cell says that its row is the example of the template."""
    return cell.text.lstrip().startswith(SAYS_EXAMPLE)


def _which(cells: Cells, holds: Callable[[Cell], bool]) -> np.ndarray:
    """The rows of which something holds (a mask); asked of each distinct cell once."""
    return np.fromiter(map(holds, cells.distinct), bool, len(cells.distinct))[cells.places]


def _examples(names: Sequence[str], columns: Sequence[Cells], filled: np.ndarray) -> np.ndarray:
    """Which rows are the example of the template (a mask): they say so first, and hold its values or blanks besides."""
    first = next((place for place, name in enumerate(names) if name or filled[place].any()), 0)
    found = _which(columns[first], is_example)
    for name, cells in zip(names[first + 1 :], columns[first + 1 :], strict=True):
        if not found.any():  # as in most files
            break
        shown = EXAMPLE.get(name.split(" ")[0], EXAMPLE.get(column_of(name), ""))
        found &= _which(cells, lambda cell, shown=shown: cell.text.strip() in ("", shown))
    return found


def _ending(columns: Sequence[Cells], filled: np.ndarray, count: np.ndarray) -> dict[str, np.ndarray]:
    """Which rows at the end are notes and totals (masks).

    From the first such row on, what follows is a note as well where it is a lone cell: notes may take several rows.
    """
    rows = {"note below": np.zeros(len(count), dtype=bool), "totals row": np.zeros(len(count), dtype=bool)}
    ending: list[tuple[int, str]] = []  # from the last row upwards; "" is a lone cell that may be a patient or a note
    for row in np.flatnonzero(count)[::-1]:
        text = normalize("NFKC", columns[int(filled[:, row].argmax())][row].text).strip()
        lone = count[row] == 1 and len(columns) > 1
        if TOTALS.match(text):
            ending.append((row, "totals row"))
        elif lone:
            ending.append((row, "note below" if NOTE.match(text) or len(text) > LONG else ""))
        else:
            break
    while ending and not ending[-1][1]:
        ending.pop()
    for row, what in ending:
        rows[what or "note below"][row] = True
    return rows


def _only_used(cells: Cells) -> Cells:
    """The same cells without the distinct ones that no row holds."""
    used = np.zeros(len(cells.distinct), dtype=bool)
    used[cells.places] = True
    if used.all():
        return cells
    moved = (np.cumsum(used) - 1).astype(np.int32)
    return Cells(tuple(cell for cell, keep in zip(cells.distinct, used, strict=True) if keep), moved[cells.places])
