"""Patients up to what is asked of them: columns cut into atoms, atoms put together into profiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from blina.linelist.columns import Column
from blina.linelist.predicate import AllOf, AnyOf, Not, Predicate, Within
from blina.linelist.table import Table
from blina.yamlfile import FileError

MOST_PROFILES = 200_000


@dataclass(frozen=True)
class Atom:
    """Values of one column that nothing tells apart: the codes from `low` to `high`, or the blank cell."""

    low: int
    high: int
    blank: bool = False

    @property
    def size(self) -> int:
        """How many values it holds."""
        return 1 if self.blank else self.high - self.low + 1


def elementary(predicate: Predicate) -> Iterator[Within]:
    """The comparisons of one column that a predicate is made of."""
    match predicate:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from elementary(part)
        case Not(part):
            yield from elementary(part)
        case Within():
            yield predicate


def atoms(column: Column, conditions: Iterable[Within]) -> tuple[Atom, ...]:
    """The column's values cut wherever one of the conditions on it changes, ascending, a possible blank last."""
    starts = {column.lowest}
    for condition in conditions:
        if condition.codes is not None:
            starts |= {code for c in condition.codes for code in (c, c + 1)}
        else:
            starts |= {condition.low} if condition.low is not None else set()
            starts |= {condition.high + 1} if condition.high is not None else set()
    inside = sorted(start for start in starts if column.lowest <= start <= column.highest)
    ends = [start - 1 for start in inside[1:]] + [column.highest]
    cut = tuple(Atom(low, high) for low, high in zip(inside, ends, strict=True))
    return (*cut, Atom(0, 0, blank=True)) if column.blank else cut


@dataclass(frozen=True)
class Profiles:
    """Every combination of atoms that a patient can have: one row each of `table`, which holds each atom's least value.

    `index[c]` gives for each row the place of its atom in `atoms[c]`. Predicates made of the conditions that cut the
    columns hold for a profile's row if and only if they hold for every patient of that profile.
    """

    atoms: dict[str, tuple[Atom, ...]]
    index: dict[str, np.ndarray]
    table: Table

    def __len__(self) -> int:
        return len(self.table)


def profiles(
    columns: Mapping[str, Column],
    cut: Mapping[str, tuple[Atom, ...]],
    rules: Sequence[tuple[Predicate, Predicate]] = (),
    most: int = MOST_PROFILES,
) -> Profiles:
    """The profiles of these columns that break none of the rules (pairs: where the first holds, the second does).

    Rules that speak of further columns are left aside. FileError where there are more than `most` combinations.
    """
    waiting = [(when, then, when.column_names() | then.column_names()) for when, then in rules]
    index: dict[str, np.ndarray] = {}
    size = 1
    table = Table({}, {}, {}, ("",))
    for name in columns:
        if size * len(cut[name]) > most:
            raise FileError(
                f"the claims tie the columns {', '.join(columns)} together in more than {most} ways: "
                "ask about fewer columns in one claim or rule"
            )
        index = {other: np.repeat(places, len(cut[name])) for other, places in index.items()}
        index[name] = np.tile(np.arange(len(cut[name])), size)
        table = _representatives(columns, cut, index)
        ready = [rule for rule in waiting if rule[2] <= index.keys()]
        waiting = [rule for rule in waiting if not rule[2] <= index.keys()]
        kept = np.ones(len(table), bool)
        for when, then, _ in ready:
            kept &= ~when.holds(table) | then.holds(table)
        if not kept.all():
            index = {other: places[kept] for other, places in index.items()}
            table = _representatives(columns, cut, index)
        size = len(table)
    return Profiles({name: cut[name] for name in columns}, index, table)


def _representatives(
    columns: Mapping[str, Column], cut: Mapping[str, tuple[Atom, ...]], index: Mapping[str, np.ndarray]
) -> Table:
    size = len(next(iter(index.values())))
    lows = {name: np.array([atom.low for atom in cut[name]], np.int64)[places] for name, places in index.items()}
    blank = {name: np.array([atom.blank for atom in cut[name]], bool)[places] for name, places in index.items()}
    return Table({name: columns[name] for name in index}, lows, blank, ("",) * size)
