"""What is wrong, odd or changed in a line list, told in English and Chinese and never with a patient's value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

Language = Literal["en", "zh"]
ERROR, WARNING = "error", "warning"
MOST_RUNS = 20


@dataclass(frozen=True, order=True)
class Said:
    """A message in both languages; `str` is the English one."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.en

    def in_(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to correct (level "error") or to look at ("warning").

    Never holds the cell's value: messages end up in logs and mails. `row` is the row's number in the file, `column` the
    declared column (or the header, where it is none), `rule` an id such as age_years-allowed, `advice` what is wrong
    and what to write. `cell` is the address in the file (C14), `header` what stands there above it, `place` the file
    and sheet; these three are empty where they would say nothing.
    """

    row: int
    column: str
    rule: str
    advice: Said
    cell: str = ""
    header: str = ""
    level: Literal["error", "warning"] = ERROR

    def line(self, place: str, language: Language = "en") -> str:
        """The problem as one line for a reader; `place` is the file (and sheet)."""
        typed = f" ({self.header})" if self.header and self.header != self.column else ""
        if language == "zh":
            cell = f"，单元格 {self.cell}" if self.cell else ""
            return f"{place}：第 {self.row} 行，{self.column}{typed} 列：{self.advice.zh} [{self.rule}{cell}]"
        cell = f", cell {self.cell}" if self.cell else ""
        return f"{place}: row {self.row}, column {self.column}{typed}: {self.advice.en} [{self.rule}{cell}]"


class LineListError(Exception):
    """A line list with problems: `file` names it (and its sheet), `problems` lists them all in order of rows."""

    def __init__(self, file: str, problems: Iterable[Problem]):
        self.file, self.problems = file, sorted(set(problems))
        super().__init__(self.said())

    def said(self, language: Language = "en") -> str:
        return "\n".join(problem.line(self.file, language) for problem in self.problems)


@dataclass(frozen=True, order=True)
class Change:
    """What reading changed in a column (or, without a column, left out or decided), of one kind, and in which rows.

    `what` is a key of `explain.CHANGES`, `count` the number of cells (or rows), `runs` where they stand: first and last
    row number of each run, the first `MOST_RUNS` of them. `letter` is the column's letter. No value is held.
    """

    column: str
    what: str
    count: int
    runs: tuple[tuple[int, int], ...] = ()
    letter: str = ""
    header: str = ""

    @classmethod
    def of(cls, column: str, what: str, rows: Iterable[int], letter: str = "", header: str = "") -> Change:
        """A change in the rows of these numbers (ascending)."""
        numbers = np.asarray(rows, dtype=np.int64)
        breaks = np.flatnonzero(np.diff(numbers) != 1)
        firsts = numbers[np.concatenate(([0], breaks + 1))] if len(numbers) else numbers
        lasts = numbers[np.concatenate((breaks, [len(numbers) - 1]))] if len(numbers) else numbers
        runs = tuple(zip(firsts[:MOST_RUNS].tolist(), lasts[:MOST_RUNS].tolist(), strict=True))
        return cls(column, what, len(numbers), runs, letter, header)

    @property
    def where(self) -> str:
        """The cells, as a spreadsheet names them: C2:C14, C16; row numbers where whole rows are meant."""
        said = [
            f"{self.letter}{first}" + (f":{self.letter}{last}" if last > first else "") for first, last in self.runs
        ]
        covered = sum(last - first + 1 for first, last in self.runs)
        return ", ".join(said) + (", ..." if covered < self.count else "")
