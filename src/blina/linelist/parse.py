"""From the canonical text of cells to an exact table, with every problem found on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fractions import Fraction

import numpy as np

from blina.linelist.chinese import allowed
from blina.linelist.columns import NOT_A_PATIENT, NUMBER, PROVENANCE, Column
from blina.linelist.problems import Change, LineListError, Problem, Said
from blina.linelist.sheet import Sheet
from blina.linelist.table import Table

MOST_ALIKE = 1000  # problems of one rule in one column that are listed; more are counted in the last of them


def parse(sheet: Sheet, columns: Iterable[Column]) -> tuple[Table, list[Problem]]:
    """Exact table of the declared columns, and the cells that cannot stand as they are (coded as blank).

    Cells are taken as typed but for blanks around them. Raises LineListError where the header does not hold every
    declared column exactly once (an optional one at most once). Other columns are left out.
    """
    declared = {c.name: c for c in columns}
    position = _positions(sheet, declared)
    codes: dict[str, np.ndarray] = {}
    blank: dict[str, np.ndarray] = {}
    problems: list[Problem] = []
    ids = [str(number) for number in sheet.numbers]
    for name in position:
        column, cells = declared[name], sheet.columns[position[name]]
        at = Place(sheet, name, position[name])
        if column.type == "identifier":
            ids = [text.strip() for text in cells.texts()]
            problems += identifier_problems(at, ids)
            continue
        read = [parse_cell(column, cell.text.strip()) for cell in cells.distinct]
        codes[name] = np.array([code or 0 for code, _ in read], dtype=np.int64)[cells.places]
        blank[name] = np.array([code is None for code, _ in read])[cells.places]
        problems += at.problems(f"{name}-allowed", [advice for _, advice in read], cells.places)
    found = {name: declared[name] for name in codes}
    return Table(found, codes, blank, tuple(ids), is_reconstructed(sheet)), problems


def is_reconstructed(sheet: Sheet) -> bool:
    """Whether rows of the sheet say of themselves that they are no patients."""
    if PROVENANCE not in sheet.header:
        return False
    cells = sheet.columns[sheet.header.index(PROVENANCE)]
    return any(cell.text.strip() == NOT_A_PATIENT for cell in cells.distinct)


class Place:
    """Where a declared column stands in a sheet, for saying what is wrong there; `position` None: nowhere."""

    def __init__(self, sheet: Sheet, column: str, position: int | None) -> None:
        self.sheet, self.column, self.position = sheet, column, position

    def problem(self, row: int, rule: str, advice: Said, level: str = "error") -> Problem:
        """A problem in the row of that number."""
        if self.position is None:
            return Problem(row, self.column, rule, advice, level=level)
        cell = self.sheet.address(self.position, row)
        return Problem(row, self.column, rule, advice, cell, self.sheet.header[self.position], level)

    def change(self, what: str, rows: np.ndarray) -> Change:
        """A change in the rows of a mask."""
        letter, header = ("", "") if self.position is None else (
            self.sheet.letters(self.position), self.sheet.header[self.position])  # fmt: skip
        return Change.of(self.column, what, self.sheet.numbers[rows], letter, header)

    def problems(
        self, rule: str | list[str], advice: list[Said | None], places: np.ndarray, level: str = "error"
    ) -> list[Problem]:
        """A problem for each row whose distinct cell has an advice; `places` gives each row's."""
        rules = [rule] * len(advice) if isinstance(rule, str) else rule
        wrong = np.flatnonzero(np.array([said is not None for said in advice], dtype=bool)[places])
        found = [self.problem(int(self.sheet.numbers[row]), rules[places[row]], advice[places[row]], level)
                 for row in wrong[:MOST_ALIKE]]  # fmt: skip
        if more := len(wrong) - len(found):
            found.append(self.and_more(int(self.sheet.numbers[wrong[len(found)]]), more, level))
        return found

    def and_more(self, row: int, more: int, level: str = "error") -> Problem:
        """Stands for the problems that are not listed, from the row of that number on."""
        said = Said(f"{more} more of this column, below: correct these first",
                    f"本列以下另有 {more} 个单元格有误：请先更正以上各处")  # fmt: skip
        return self.problem(row, "and-more", said, level)


def _positions(sheet: Sheet, declared: Mapping[str, Column]) -> dict[str, int]:
    header = [name.strip() for name in sheet.header]
    problems = []
    is_header = not declared.keys().isdisjoint(header)  # else it may be a patient, whose values are not repeated
    for name, column in declared.items():
        found = header.count(name)
        if found > 1:
            problems.append(Problem(sheet.header_row, name, "header-once", said_twice(found)))
        elif not found and not column.optional:
            near = get_close_matches(name, [h for h in header if h not in declared], 1, 0.6)
            problems.append(Problem(sheet.header_row, name, "header-complete", missing(near if is_header else ())))
    if problems:
        raise LineListError(sheet.place, problems)
    return {name: header.index(name) for name in declared if name in header}


def said_twice(times: int) -> Said:
    return Said(f"stands {times} times in the header: keep one", f"在表头中出现 {times} 次：请只保留一列")


def missing(near: Iterable[str] = ()) -> Said:
    """What to do about a column that the header lacks; `near` holds a header that may be meant."""
    for header in near:
        return Said(f"is missing from the header: rename {header}", f"表头缺少此列：请将“{header}”改为此名")
    return Said("is missing from the header: add it", "表头缺少此列：请补上")


def identifier_problems(at: Place, ids: list[str]) -> list[Problem]:
    """Patients without an identifier, and identifiers that stand twice."""
    first: dict[str, int] = {}
    problems = []
    for number, id in zip(at.sheet.numbers.tolist(), ids, strict=True):
        if not id:
            advice = Said("is blank: give every patient an identifier", "为空：请为每位患者填写编号")
            problems.append(at.problem(number, "id-given", advice))
        elif first.setdefault(id, number) != number:
            advice = Said(f"is the same as in row {first[id]}: one row per patient, each with its own identifier",
                          f"与第 {first[id]} 行相同：每位患者一行，编号不可重复")  # fmt: skip
            problems.append(at.problem(number, "id-once", advice))
    listed, more = problems[:MOST_ALIKE], problems[MOST_ALIKE:]
    return [*listed, at.and_more(more[0].row, len(more))] if more else listed


def parse_cell(column: Column, text: str) -> tuple[int | None, Said | None]:
    """(code, None) for an allowed value, (None, None) for an allowed blank, (None, advice) for anything else."""
    if text == "":
        return (None, None) if column.blank else (None, _write(column, "is blank: ", "为空："))
    if not column.is_number:
        code = column.words.get(text)
        return (code, None) if code is not None else (None, _write(column))
    if not NUMBER.fullmatch(text):
        return None, _write(column, "is not a number: ", "不是数字：")
    steps = Fraction(text) / column.size
    if column.min is not None and steps < column.lowest or column.max is not None and steps > column.highest:
        return None, _write(column, "is out of range: ", "超出范围：")
    if steps.denominator != 1:
        return None, _write(column, "is between two steps: ", "精度不符：")
    return steps.numerator, None


def _write(column: Column, en: str = "", zh: str = "") -> Said:
    return Said(f"{en}write {column.allowed}", f"{zh}请填写{allowed(column)}")
