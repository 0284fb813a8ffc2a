"""What is wrong, odd or changed in a line list, told in English and Chinese and never with a patient's value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Language = Literal["en", "zh"]
ERROR, WARNING = "error", "warning"


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
    """What reading changed in a column, of one kind, and in which rows (their numbers in the file, ascending).

    `what` is a key of `explain.CHANGES`; `letter` the column's letter in the file ("" where whole rows are meant). No
    value is held: to see what became of a cell, look at the file beside the tidy tables.
    """

    column: str
    what: str
    rows: tuple[int, ...]
    letter: str = ""
    header: str = ""
