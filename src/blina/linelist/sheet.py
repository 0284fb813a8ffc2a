"""The cells of a line list file as they stand in it, nothing converted yet; each keeps its address."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

import numpy as np

Kind = Literal["text", "number", "percent", "date", "boolean", "error", "uncalculated"]


class Cell(NamedTuple):
    """What stands in a cell.

    `text` is what it holds: of a number the shortest decimal text that means it (0.00145), of a date its ISO form, of a
    boolean yes or no, else the text itself, untrimmed; "" for a blank. `kind` is how the file holds it: everything in a
    CSV file is "text"; "percent" is a number that a spreadsheet shows with a % sign, "error" one like #DIV/0!,
    "uncalculated" a formula whose value the file does not hold. `shown` is what a spreadsheet shows instead of `text`
    ("0.145%"), "" where it shows the text itself. `filled`: taken from the first row of a merged range.
    """

    text: str
    kind: Kind = "text"
    shown: str = ""
    filled: bool = False


@dataclass(frozen=True)
class Cells:
    """The cells of one column below its header: row i holds `distinct[places[i]]` (places: int32, one per row).

    Each distinct cell is kept, read and judged once, which keeps a long line list quick and small.
    """

    distinct: tuple[Cell, ...] = field(repr=False)  # patients' values: never printed by accident
    places: np.ndarray

    @classmethod
    def of(cls, cells: Iterable[Cell | str]) -> Cells:
        """Cells given one by one; a plain text is a cell of text."""
        index: dict[Cell, int] = {}
        places = [index.setdefault(cell if isinstance(cell, Cell) else Cell(cell), len(index)) for cell in cells]
        return cls(tuple(index), np.array(places, dtype=np.int32))

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, row: int) -> Cell:
        return self.distinct[self.places[row]]

    def texts(self) -> list[str]:
        """The text of every row."""
        return [self.distinct[place].text for place in self.places]

    def take(self, rows: np.ndarray) -> Cells:
        """The cells of some rows (a mask or positions); distinct cells that are left over stay."""
        return replace(self, places=self.places[rows])


@dataclass(frozen=True)
class Note:
    """Something that reading did or left out, and is to be told: `what` is a key of `explain.CHANGES`."""

    what: str
    rows: tuple[int, ...] = ()  # numbers of the rows concerned, as a spreadsheet counts
    column: str = ""


@dataclass(frozen=True)
class Sheet:
    """A table in a file: header as typed, and one `Cells` per column, `numbers[i]` being row i's number in the file.

    `header_row` and `first_column` (both from 1) say where the table begins, `tab` which sheet of a workbook it is
    ("" for other files), `labels` what a SAS file calls its columns in words (one per column, or none). `notes` tell
    what was left out on the way: blank rows at the end, a title above, other sheets, notes below.
    """

    name: str
    header: tuple[str, ...]
    columns: tuple[Cells, ...]
    numbers: np.ndarray
    header_row: int = 1
    first_column: int = 1
    tab: str = ""
    labels: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.numbers)

    def letters(self, position: int) -> str:
        """What a spreadsheet calls the column at a position of the header (0 is A where the table begins at A)."""
        return letters(position + self.first_column)

    def address(self, position: int, row: int) -> str:
        """What a spreadsheet calls the cell of a column's position and a row's number: C14."""
        return f"{self.letters(position)}{row}"

    @property
    def place(self) -> str:
        """The file and, in a workbook, the sheet."""
        return f"{self.name}, sheet {self.tab}" if self.tab else self.name


def letters(number: int) -> str:
    """The letters of a spreadsheet's column: 1 is A, 27 is AA."""
    said = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        said = chr(ord("A") + rest) + said
    return said


def sheet_of(
    name: str, header: Sequence[str], rows: Sequence[Sequence[Cell | str]], numbers: Sequence[int] = ()
) -> Sheet:
    """A sheet given row by row, numbered from 2 unless told otherwise: for small tables, and for tests."""
    columns = tuple(Cells.of(row[place] for row in rows) for place in range(len(header)))
    return Sheet(name, tuple(header), columns, np.array(numbers or range(2, len(rows) + 2), dtype=np.int64))
