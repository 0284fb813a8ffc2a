"""A line list file as the text of its cells, nothing converted yet."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from blina.yamlfile import FileError, read_text


@dataclass(frozen=True)
class Sheet:
    """Header and rows as text; `rows[i]` is row `numbers[i]` of the file, as a spreadsheet counts (header 1)."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]


def read_sheet(path: Path) -> Sheet:
    """Cells of a CSV line list, trimmed; rows that are entirely blank are not patients and are left out.

    Raises FileError where the file is missing, a folder, empty, not UTF-8, holds no patients, or has a row whose
    number of cells differs from the header's.
    """
    try:
        lines = list(csv.reader(io.StringIO(read_text(path, "line list"), newline="")))
    except csv.Error:
        raise FileError(f"{path.name} is not a CSV table: look for a quotation mark that is not closed") from None
    header = tuple(cell.strip() for cell in lines[0])
    if len(header) == 1 and (other := next((mark for mark in ";\t" if mark in header[0]), None)):
        mark = "semicolons" if other == ";" else "tabs"
        raise FileError(f"{path.name} seems to be separated by {mark}: save it as CSV separated by commas")
    rows, numbers = [], []
    for number, line in enumerate(lines[1:], start=2):
        cells = tuple(cell.strip() for cell in line)
        if not any(cells):
            continue
        if len(cells) != len(header):
            raise FileError(
                f"{path.name}: row {number} has {len(cells)} cells and the header has {len(header)}: "
                "look for a missing or an additional comma"
            )
        rows.append(cells)
        numbers.append(number)
    if not rows:
        raise FileError(f"{path.name} has a header but no patients: add one row per patient")
    return Sheet(path.name, header, tuple(rows), tuple(numbers))
