"""Text files of separated cells: CSV, TSV and what exports call TXT."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

import numpy as np

from blina.linelist.layout import HEAD, MOST_COLUMNS, Grid, IsHeader, empty, header_row, table
from blina.linelist.problems import Said
from blina.linelist.sheet import Cell, Cells, Note, Sheet
from blina.yamlfile import FileError

DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons"}
WORDS = {",": ("comma", "逗号"), "\t": ("tab", "制表符"), ";": ("semicolon", "分号")}
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
BLANK = " \t\r\n,;\ufeff"  # a text of these alone says nothing
CHUNK = 1_000  # rows held as texts at a time: more of them are slower, being out of the processor's reach


def read_delimited(name: str, data: bytes, usual: str, is_header: IsHeader) -> Sheet:
    """The table in the bytes of a text file; `usual` is the delimiter that its suffix promises.

    A byte-order mark decides the encoding, else strict UTF-8, else GB18030. The delimiter is the one by which a row
    names most declared columns. FileError where it is no text, no table, or a row has not the header's number of cells.
    """
    encoding = _encoding(name, data)
    heads = {mark: _head(data, encoding, mark) for mark in sorted(DELIMITERS, key=lambda mark: mark != usual)}
    delimiter = max(heads, key=lambda mark: _fit(heads[mark], is_header))
    head = heads[delimiter]
    header = header_row(name, head, is_header)
    width = min(len(head[header - 1]), MOST_COLUMNS)
    least = max(place for place, text in enumerate(head[header - 1], start=1) if text.strip())
    columns = [_Column() for _ in range(width)]
    rows, beyond, ragged = 0, [], {}
    for chunk in _chunks(name, data, encoding, delimiter):
        for place, row in enumerate(chunk):
            if len(row) != width:
                number = rows + place + 1
                if any(text.strip() for text in row[width:]) or 0 < len(row) < least:
                    ragged[number] = len(row)
                elif len(row) > width:
                    beyond.append(number)
                chunk[place] = (row + [""] * (width - len(row)))[:width]
        for column, texts in zip(columns, zip(*chunk, strict=True), strict=True):
            column.add(texts)
        rows += len(chunk)
    notes = [
        *([Note(encoding)] if encoding in ("gb18030", "utf-16") else []),
        *([Note(DELIMITERS[delimiter])] if delimiter != usual else []),
        *([Note("cells beyond the header", tuple(beyond))] if beyond else []),
    ]
    cells = tuple(column.cells() for column in columns)
    sheet = table(Grid(name, cells, np.arange(1, rows + 1), notes=tuple(notes)), header)
    if wrong := sorted(ragged.keys() & set(sheet.numbers.tolist())):
        raise _ragged(name, wrong[0], ragged[wrong[0]], least, delimiter)
    return sheet


class _Column:
    """A column that grows: each distinct text once, and which one each row holds."""

    def __init__(self) -> None:
        self.index: defaultdict[str, int] = defaultdict()
        self.index.default_factory = self.index.__len__
        self.places: list[np.ndarray] = []

    def add(self, texts: tuple[str, ...]) -> None:
        self.places.append(np.fromiter(map(self.index.__getitem__, texts), np.int32, len(texts)))

    def cells(self) -> Cells:
        return Cells(tuple(map(Cell, self.index)), np.concatenate(self.places))


def _encoding(name: str, data: bytes) -> str:
    """The encoding of a text; FileError where it is none, or nothing stands in it."""
    marked = next((encoding for mark, encoding in MARKS.items() if data.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise FileError(
                Said(f"{name} holds NUL characters, so it is damaged or no text: export it again",
                     f"{name} 含有 NUL 字符，文件可能损坏或不是文本：请重新导出")
            )  # fmt: skip
        if not text.strip(BLANK):
            raise empty(name)
        if encoding != "gb18030" or _is_chinese(text):
            return encoding
    raise FileError(
        Said(f"{name} is not UTF-8 text: save the line list as UTF-8 and run again",
             f"{name} 不是 UTF-8（或 GB18030）文本：请另存为 UTF-8 后重新运行")
    )  # fmt: skip


def _is_chinese(text: str) -> bool:
    """Whether what reads as GB18030 is likely meant so: western texts read as rare characters outside GB2312."""
    letters = [letter for letter in set(text) if not letter.isascii()]
    return 2 * sum(bool(letter.encode("gb2312", "ignore")) for letter in letters) >= len(letters)


def _lines(data: bytes, encoding: str, delimiter: str) -> Iterator[list[str]]:
    """The rows of a text; strict, so that a quotation mark which is not closed is an error."""
    return csv.reader(io.TextIOWrapper(io.BytesIO(data), encoding, newline=""), delimiter=delimiter, strict=True)


def _head(data: bytes, encoding: str, delimiter: str) -> list[list[str]]:
    """The first rows, or those that can be read."""
    rows: list[list[str]] = []
    try:
        for row in islice(_lines(data, encoding, delimiter), HEAD):
            rows.append(row)
    except csv.Error:
        pass  # said when the whole is read, if this is the delimiter
    return rows


def _fit(head: list[list[str]], is_header: IsHeader) -> tuple[int, int, int]:
    """How well a delimiter fits: declared columns named, cells of the first row that is not blank, most cells."""
    filled = [len(row) for row in head if any(text.strip() for text in row)]
    return max(map(is_header, head), default=0), filled[0] if filled else 0, max(filled, default=0)


def _chunks(name: str, data: bytes, encoding: str, delimiter: str) -> Iterator[list[list[str]]]:
    """All rows, some at a time."""
    lines = _lines(data, encoding, delimiter)
    row = 1
    while True:
        chunk: list[list[str]] = []
        try:
            chunk.extend(islice(lines, CHUNK))
        except csv.Error:
            raise FileError(
                Said(f"{name} is not a CSV table: look for a quotation mark that is not closed, in row "
                     f"{row + len(chunk)} or above it",
                     f"{name} 不是 CSV 表格：请在第 {row + len(chunk)} 行或其上方查找未闭合的引号")
            ) from None  # fmt: skip
        if not chunk:
            return
        row += len(chunk)
        yield chunk


def _ragged(name: str, row: int, cells: int, header: int, delimiter: str) -> FileError:
    en, zh = WORDS[delimiter]
    return FileError(
        Said(f"{name}: row {row} has {cells} cells and the header has {header}: look for a missing or an additional "
             f"{en}",
             f"{name}：第 {row} 行有 {cells} 个单元格，而表头有 {header} 个：请查找缺少或多余的{zh}")
    )  # fmt: skip
