"""Rules across the columns of a line list, and the whole check of a file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from blina.linelist.columns import COLUMNS, RULES, Rule
from blina.linelist.parse import LineListError, Problem, parse
from blina.linelist.predicate import compile_predicate
from blina.linelist.read import Sheet, read_sheet
from blina.linelist.table import Table


def rule_problems(
    table: Table, rules: Iterable[Rule], numbers: Iterable[int], faulty: Iterable[Problem] = ()
) -> list[Problem]:
    """A problem for each row that breaks a rule, on the first column that the rule's `then` names.

    `numbers` are the rows' numbers in the file. A rule is not asked of a row in which one of its own cells is `faulty`.
    """
    numbers = list(numbers)
    unreadable = {(problem.row, problem.column) for problem in faulty}
    problems = []
    for rule in rules:
        when, then = (compile_predicate(part, table.columns) for part in (rule.when, rule.then))
        names = when.column_names() | then.column_names()
        column = next(iter(rule.then))
        for row in np.flatnonzero(when.holds(table) & ~then.holds(table)):
            if not any((numbers[row], name) in unreadable for name in names):
                advice = f"does not fit the rest of its row ({rule.why}): correct one of them"
                problems.append(Problem(numbers[row], column, rule.id, advice))
    return problems


def read_line_list(path: Path) -> Table:
    """The exact table of a line list file; FileError where it cannot be read, LineListError as `checked` raises it."""
    return checked(read_sheet(path))


def checked(sheet: Sheet) -> Table:
    """The exact table of a sheet that meets every rule.

    Raises LineListError, with all problems at once, where cells, the header or rules across columns are broken.
    """
    table, problems = parse(sheet, COLUMNS)
    problems += rule_problems(table, RULES, sheet.numbers, faulty=problems)
    if problems:
        raise LineListError(sheet.name, problems)
    return table
