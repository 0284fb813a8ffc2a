"""Telling a reader what is wrong, odd, changed or set aside in a line list: as lines, and as one page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd

from blina.linelist.convert import CHANGES as OF_CELLS
from blina.linelist.intake import Intake
from blina.linelist.layout import NOTES
from blina.linelist.problems import WARNING, Change, Language, Problem, Said
from blina.linelist.sheet import Cell

# What reading may do beside changing single cells (`convert.CHANGES`): to rows, columns and the whole sheet.
CHANGES: dict[str, Said] = {
    **OF_CELLS,
    **NOTES,
    "constant": Said("the same for every patient, by cohort.yaml", "全部患者取同一值（依 cohort.yaml）"),
    "dates": Said("computed from two dates", "由两个日期计算"),
    "boxes": Said("taken from checked boxes", "取自勾选框"),
    "value of the assay": Said("value taken from the column of the assay", "数值取自检测结果列"),
    "value beside": Said(
        "value of RT-PCR beside one of FC: kept with RT-PCR, the MRD value is that of FC",
        "RT-PCR 数值与流式数值并存：保留为 RT-PCR 数值，MRD 数值取流式",
    ),
    "from the gene": Said(
        "BCR::ABL1 found or not: taken from the fusion gene by its name", "由融合基因名称得出是否检出 BCR::ABL1"
    ),
    "from BCR::ABL1": Said("fusion gene: taken from BCR::ABL1, which was found", "已检出 BCR::ABL1，据此填写融合基因"),
    "pseudonym": Said("identifiers replaced by pseudonyms in the order of the sheet", "患者编号按表中次序替换为代号"),
    "column not in the sheet": Said(
        "not in the sheet: every value counts as not recorded", "表中无此列：全部按未记录处理"
    ),
}

WORDS = {
    "title": Said("What was found in the line list", "患者登记表检查结果"),
    "problems": Said("To correct", "须更正"),
    "warnings": Said("To look at", "请核对"),
    "changes": Said("Changed on reading", "读取时的改动"),
    "set_aside": Said("Columns that were not used", "未使用的列"),
    "understood": Said("Headers, and the columns that they were taken for", "表头及其对应的列"),
    "none": Said("none", "无"),
    "cell": Said("cell", "单元格"),
    "letter": Said("letter", "列号"),
    "header": Said("header", "表头"),
    "column": Said("column", "列"),
    "rule": Said("rule", "规则"),
    "advice": Said("what is wrong, what to write", "问题与填写方法"),
    "value": Said("typed", "原内容"),
    "what": Said("what was done", "改动"),
    "cells": Said("cells", "单元格数"),
    "where": Said("where", "位置"),
    "masked": Said("Values are not shown.", "不显示患者数据。"),
    "shown": Said("This page shows values of patients: treat it as confidential.", "本页含患者数据，请注意保密。"),
}


def problems_table(problems: list[Problem]) -> pd.DataFrame:
    """Problems or warnings to read in a notebook: cell, column, header, what is said of it."""
    rows = [(problem.cell, problem.column, problem.header, problem.advice.en) for problem in problems]
    return pd.DataFrame(rows, columns=["cell", "column", "header", "remark"])


def changes_table(changes: list[Change]) -> pd.DataFrame:
    """What reading changed, to read in a notebook: column, header, what was done, number of cells, where."""
    rows = [(change.column, change.header, CHANGES[change.what].en, change.count or "", change.where)
            for change in changes]  # fmt: skip
    return pd.DataFrame(rows, columns=["column", "header", "change", "cells", "where"])


@dataclass(frozen=True)
class Explanation:
    """What an intake found, in one language; with `show_values` also what stands in the cells concerned."""

    intake: Intake
    language: Language = "en"
    show_values: bool = False

    @property
    def place(self) -> str:
        """The file and, in a workbook, the sheet."""
        sheet = self.intake.sheet
        return f"{sheet.name}，工作表 {sheet.tab}" if self.language == "zh" and sheet.tab else sheet.place

    def lines(self) -> Iterator[str]:
        """What is to be told, a line each: every problem or, where there is none, the rest; then a line that counts."""
        if not self.intake.problems:
            yield from map(self._line, self.intake.warnings)
            yield from self._changed_lines()
            return
        yield from map(self._line, self.intake.problems)
        count = len(self.intake.problems)
        yield (f"{self.place}：共 {count} 个问题，未写出任何文件。" if self.language == "zh"
               else f"{count} problem{'s' * (count > 1)} in {self.place}; nothing was written.")  # fmt: skip

    def _line(self, problem: Problem) -> str:
        said = problem.line(self.place, self.language)
        if problem.level == WARNING:
            said = said.replace(": ", ": odd: ", 1) if self.language == "en" else said.replace("：", "：请核对：", 1)
        value = self.value(problem)
        return f"{said}  <- {value}" if value else said

    def value(self, problem: Problem) -> str:
        """What stands in the cell of a problem, if it may be shown."""
        cell = self._cell(problem) if self.show_values else None
        return "" if cell is None else cell.shown or cell.text

    def _cell(self, problem: Problem) -> Cell | None:
        sheet = self.intake.sheet
        row = int(np.searchsorted(sheet.numbers, problem.row))
        if row == len(sheet) or sheet.numbers[row] != problem.row:
            return None
        columns = (cells for position, cells in enumerate(sheet.columns)
                   if problem.cell == sheet.address(position, problem.row))  # fmt: skip
        return next((cells[row] for cells in columns), None)

    def changed(self, change: Change) -> str:
        """What was done, in words."""
        return CHANGES[change.what].in_(self.language)

    def _changed_lines(self) -> Iterator[str]:
        place, changed = self.place, WORDS["changes"].in_(self.language)
        for change in self.intake.changes:
            column = change.column + (f" ({change.header})" if change.header not in ("", change.column) else "")
            where = f" ({change.count}: {change.where})" if change.count else ""
            yield f"{place}: {changed}: {column}{': ' if column else ''}{self.changed(change)}{where}"
        if headers := [f"{header} ({letter}): {name}" for letter, header, name in self.intake.understood]:
            yield f"{place}: {WORDS['understood'].in_(self.language)}: {'; '.join(headers)}"
        if aside := [f"{header} ({letter})" for letter, header in self.intake.set_aside]:
            yield f"{place}: {WORDS['set_aside'].in_(self.language)}: {', '.join(aside)}"

    def page(self) -> str:
        """The same as one HTML page, complete in itself."""
        words = {name: said.in_(self.language) for name, said in WORDS.items()}
        return _template().render(found=self, intake=self.intake, words=words, language=self.language)


@cache
def _template() -> jinja2.Template:
    """The page's template."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string((Path(__file__).parent / "problems.html.j2").read_text(encoding="utf-8"))
