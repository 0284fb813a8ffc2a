"""From the text of cells to an exact table, with every problem found on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction

import numpy as np
import pandas as pd

from blina.linelist.columns import NOT_A_PATIENT, NUMBER, PROVENANCE, Column
from blina.linelist.read import Sheet
from blina.linelist.table import Table


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to correct. Never holds the cell's value: messages end up in logs and mails."""

    row: int
    column: str
    rule: str
    advice: str

    def line(self, file: str) -> str:
        """The problem as one line for a reader."""
        return f"{file}: row {self.row}, column {self.column}: {self.advice} [{self.rule}]"


class LineListError(Exception):
    """A line list with problems: `file` names it, `problems` lists them all in order of rows."""

    def __init__(self, file: str, problems: Iterable[Problem]):
        self.file, self.problems = file, sorted(set(problems))
        super().__init__("\n".join(problem.line(file) for problem in self.problems))


def parse(sheet: Sheet, columns: Iterable[Column]) -> tuple[Table, list[Problem]]:
    """Exact table of the declared columns, and the cells that cannot stand as they are (coded as blank).

    Raises LineListError where the header does not hold every declared column exactly once. Other columns are left out.
    """
    declared = {c.name: c for c in columns}
    position = _positions(sheet, declared)
    problems: list[Problem] = []
    codes: dict[str, np.ndarray] = {}
    blank: dict[str, np.ndarray] = {}
    ids: tuple[str, ...] = tuple(str(number) for number in sheet.numbers)
    for name, column in declared.items():
        cells = [row[position[name]] for row in sheet.rows]
        if column.type == "identifier":
            ids = tuple(cells)
            problems += _identifier_problems(column, cells, sheet)
            continue
        # Each distinct text is read once, which keeps a long line list quick.
        places, distinct = pd.factorize(np.array(cells, dtype=object))
        read = [parse_cell(column, text) for text in distinct]
        codes[name] = np.array([code or 0 for code, _ in read], dtype=np.int64)[places]
        blank[name] = np.array([code is None for code, _ in read])[places]
        for where in np.flatnonzero(np.array([advice is not None for _, advice in read])[places]):
            advice = read[places[where]][1]
            problems.append(Problem(sheet.numbers[where], name, f"{name}-allowed", str(advice)))
    numbers_and_words = {name: c for name, c in declared.items() if c.type != "identifier"}
    reconstructed = PROVENANCE in sheet.header and any(
        row[sheet.header.index(PROVENANCE)] == NOT_A_PATIENT for row in sheet.rows
    )
    return Table(numbers_and_words, codes, blank, ids, reconstructed), problems


def _positions(sheet: Sheet, declared: dict[str, Column]) -> dict[str, int]:
    problems = []
    is_header = not declared.keys().isdisjoint(sheet.header)  # else it may be a patient, whose values are not repeated
    for name in declared:
        found = sheet.header.count(name)
        if found > 1:
            problems.append(Problem(1, name, "header-once", f"stands {found} times in the header: keep one"))
        elif not found:
            near = get_close_matches(name, [h for h in sheet.header if h not in declared], 1, 0.6)
            hint = f"rename {near[0]}" if near and is_header else "add it"
            problems.append(Problem(1, name, "header-complete", f"is missing from the header: {hint}"))
    if problems:
        raise LineListError(sheet.name, problems)
    return {name: sheet.header.index(name) for name in declared}


def _identifier_problems(column: Column, cells: list[str], sheet: Sheet) -> list[Problem]:
    first: dict[str, int] = {}
    problems = []
    for number, cell in zip(sheet.numbers, cells, strict=True):
        if not cell:
            problems.append(Problem(number, column.name, "id-given", "is blank: give every patient an identifier"))
        elif cell in first:
            advice = f"is the same as in row {first[cell]}: one row per patient, each with its own identifier"
            problems.append(Problem(number, column.name, "id-once", advice))
        else:
            first[cell] = number
    return problems


def parse_cell(column: Column, text: str) -> tuple[int | None, str | None]:
    """(code, None) for an allowed value, (None, None) for an allowed blank, (None, advice) for anything else."""
    if text == "":
        return (None, None) if column.blank else (None, f"is blank: write {column.allowed}")
    if not column.is_number:
        code = column.words.get(text)
        return (code, None) if code is not None else (None, f"write {column.allowed}")
    if not NUMBER.fullmatch(text):
        return None, f"is not a number: write {column.allowed}"
    steps = Fraction(text) / column.size
    if column.min is not None and steps < column.lowest or column.max is not None and steps > column.highest:
        return None, f"is out of range: write {column.allowed}"
    if steps.denominator != 1:
        return None, f"is between two steps: write {column.allowed}"
    return steps.numerator, None
