"""Which patients: a predicate as claims files write it, compiled to comparisons of whole numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from math import ceil, floor

import numpy as np

from blina.linelist.columns import NUMBER, Column
from blina.linelist.table import Table

LIMITS = ("at_least", "at_most", "above", "below")
TRUE_WORDS, FALSE_WORDS = ("yes", "true"), ("no", "false")


class PredicateError(ValueError):
    """A predicate that cannot be meant; `path` leads to the part that is wrong."""

    def __init__(self, path: tuple[str | int, ...], message: str):
        super().__init__(message)
        self.path = path


@dataclass(frozen=True)
class Within:
    """The column's code lies in `low` to `high` (None: no limit), or is one of `codes`, or the cell is blank."""

    column: str
    low: int | None = None
    high: int | None = None
    codes: frozenset[int] | None = None
    blank: bool = False

    def holds(self, table: Table) -> np.ndarray:
        codes, blank = table.codes[self.column], table.blank[self.column]
        if self.codes is not None:
            inside = np.zeros(len(table), bool)
            for code in self.codes:
                inside |= codes == code
        else:
            inside = np.ones(len(table), bool)
            if self.low is not None:
                inside &= codes >= self.low
            if self.high is not None:
                inside &= codes <= self.high
        return np.where(blank, self.blank, inside)

    def column_names(self) -> set[str]:
        return {self.column}


@dataclass(frozen=True)
class AllOf:
    parts: tuple[Predicate, ...] = ()

    def holds(self, table: Table) -> np.ndarray:
        return np.logical_and.reduce([np.ones(len(table), bool), *(part.holds(table) for part in self.parts)])

    def column_names(self) -> set[str]:
        return set().union(*(part.column_names() for part in self.parts))


@dataclass(frozen=True)
class AnyOf:
    parts: tuple[Predicate, ...]

    def holds(self, table: Table) -> np.ndarray:
        return np.logical_or.reduce([part.holds(table) for part in self.parts])

    def column_names(self) -> set[str]:
        return set().union(*(part.column_names() for part in self.parts))


@dataclass(frozen=True)
class Not:
    part: Predicate

    def holds(self, table: Table) -> np.ndarray:
        return ~self.part.holds(table)

    def column_names(self) -> set[str]:
        return self.part.column_names()


Predicate = Within | AllOf | AnyOf | Not


def compile_predicate(written: object, columns: Mapping[str, Column]) -> Predicate:
    """The predicate that a mapping of strings stands for.

    A mapping of columns to a value, a list of values (or) or `{at_least, at_most, above, below}`, and-ed together, with
    `any_of` (a list) and `not` nesting. An empty value means a blank cell; a comparison never holds for a blank.
    Raises PredicateError for an unknown column, a value that the column cannot hold, or a limit on words.
    """
    return _all_of(written, columns, ())


def _all_of(written: object, columns: Mapping[str, Column], path: tuple) -> Predicate:
    if not isinstance(written, Mapping):
        raise PredicateError(path, "rows are chosen by columns and values, as in {group: MC, sex: female}")
    parts: list[Predicate] = []
    for key, value in written.items():
        here = (*path, key)
        if key == "any_of":
            if not isinstance(value, list) or not value:
                raise PredicateError(here, "any_of takes a list, as in any_of: [{group: MC}, {group: RR}]")
            parts.append(AnyOf(tuple(_all_of(item, columns, (*here, i)) for i, item in enumerate(value))))
        elif key == "not":
            parts.append(Not(_all_of(value, columns, here)))
        elif key in columns:
            parts.append(_leaf(columns[key], value, here))
        else:
            names = ", ".join(columns)
            raise PredicateError(here, f"there is no column {key}; the columns are {names}{_near(key, columns)}")
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _leaf(column: Column, value: object, path: tuple) -> Predicate:
    if isinstance(value, Mapping):
        return _limits(column, value, path)
    words = value if isinstance(value, list) else [value]
    if not words:
        raise PredicateError(path, f"the list of values for {column.name} is empty")
    blank = "" in words
    if blank and not column.blank:
        raise PredicateError(path, f"{column.name} is never blank")
    return Within(column.name, codes=frozenset(_code(column, w, path) for w in words if w != ""), blank=blank)


def _limits(column: Column, limits: Mapping, path: tuple) -> Predicate:
    if not column.is_number:
        said = f"{column.name} holds words, so {', '.join(limits)} cannot be asked of it"
        raise PredicateError(path, f"{said}; name the words, as in {{{column.name}: {next(iter(column.words))}}}")
    if unknown := [key for key in limits if key not in LIMITS]:
        hint = _near(unknown[0], LIMITS)
        raise PredicateError((*path, unknown[0]), f"{unknown[0]} is not one of {', '.join(LIMITS)}{hint}")
    low, high = [], []
    for key, text in limits.items():
        value = _number(column, text, (*path, key)) / column.size
        if key == "at_least":
            low.append(ceil(value))
        elif key == "above":
            low.append(floor(value) + 1)
        elif key == "at_most":
            high.append(floor(value))
        else:
            high.append(ceil(value) - 1)
    return Within(column.name, low=max(low, default=None), high=min(high, default=None))


def _code(column: Column, text: object, path: tuple) -> int:
    if column.is_number:
        value = _number(column, text, path) / column.size
        if value.denominator != 1:
            said = f"{text} is not a step of {column.name}, whose step is {column.step}"
            near = " and ".join(column.text(code) for code in (floor(value), ceil(value)))
            raise PredicateError(path, f"{said}; the nearest are {near}")
        return value.numerator
    if column.type == "boolean" and isinstance(text, str) and text.lower() in TRUE_WORDS + FALSE_WORDS:
        return int(text.lower() in TRUE_WORDS)
    if not isinstance(text, str) or text not in column.words:
        hint = _near(text, column.words)
        raise PredicateError(path, f"{column.name} is never {text!r}; it is {column.allowed}{hint}")
    return column.words[text]


def _near(text: object, known: Iterable[str]) -> str:
    """A hint for a misspelt word, where one of those known is like it in spelling or differs in case."""
    lower = {word.lower(): word for word in known}
    near = get_close_matches(text.lower(), lower, 1) if isinstance(text, str) else []
    return f"; did you mean {lower[near[0]]}?" if near else ""


def _number(column: Column, text: object, path: tuple) -> Fraction:
    if not isinstance(text, str) or not NUMBER.fullmatch(text):
        raise PredicateError(path, f"{column.name} is a number, and {text!r} is not")
    return Fraction(text)
