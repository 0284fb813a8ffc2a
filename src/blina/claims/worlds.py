"""Worlds: line lists that satisfy every claim, made by the solver and never taken for real patients."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import exp, log
from pathlib import Path

import numpy as np
import pandas as pd
from ortools.sat.python import cp_model

from blina.claims.check import check
from blina.claims.document import Claim, Document
from blina.claims.model import Model
from blina.claims.solve import model_of, solve, table_of
from blina.linelist.columns import Column
from blina.linelist.table import Table


class Contradictory(Exception):
    """The solver found no line list that satisfies the claims."""


def spread_world(document: Document, seed: int, even: bool = True) -> Table:
    """One world whose open values are spread over what the claims allow; the same for the same document and seed.

    Words first: every condition that a claim or rule asks of a patient is made true or false by chance, in random
    order, as far as the claims leave it open. Numbers next: with those conditions held, each number lies as near as it
    can to evenly spaced places between the printed ends of its smallest claimed rows (see `_places`), dealt to the
    patients at random; a number that no claim describes takes the least value that its conditions allow. If not `even`,
    the places are drawn by chance instead, crowded toward one end or the other.

    The claims hold under every rounding mode of the document at once or, where no world does that, under one of them.
    Raises Contradictory where there is no world at all, and TimeoutError where that could not be decided.
    """
    for modes in (document.modes, *((mode,) for mode in document.modes if len(document.modes) > 1)):
        model = model_of(document, modes)
        chance = random.Random(seed)
        words = solve(model, seed, decide=_in_random_order(model, chance))
        if words is None:
            continue
        for leaf in model.leaves.values():
            model.cp.add(leaf == words.value(leaf))
        for blank in (blank for name in model.columns if model.columns[name].blank for blank in model.blank[name]):
            model.cp.add(blank == words.value(blank))
        _spread_numbers(document, model, words, chance, even)
        table = _ordered(table_of(model, solve(model, seed)), chance)
        if not check(document, table).holds:
            raise AssertionError("the solver's world does not satisfy the claims: the solver's form of one is wrong")
        return table
    raise Contradictory("no line list satisfies all claims at once")


def _in_random_order(model: Model, chance: random.Random) -> list:
    """Every elementary condition, or its contrary, each with even chance."""
    literals = [leaf if chance.random() < 0.5 else leaf.negated() for leaf in model.leaves.values()]
    chance.shuffle(literals)
    return literals


def _ordered(table: Table, chance: random.Random) -> Table:
    """The same patients, by the first category column and in random order within it."""
    order = list(range(len(table)))
    chance.shuffle(order)
    first = next((name for name, column in table.columns.items() if column.type == "category"), None)
    if first:
        order.sort(key=lambda i: table.codes[first][i])
    pick = {part: {name: values[order] for name, values in getattr(table, part).items()} for part in ("codes", "blank")}
    return replace(table, **pick)


@dataclass(frozen=True, order=True)
class _Place:
    """Where a number should lie, and the cost of each step away from it."""

    code: int
    weight: int


def _spread_numbers(
    document: Document, model: Model, words: cp_model.CpSolver, chance: random.Random, even: bool
) -> None:
    """Ask the solver to bring every number as near as it can to its place."""
    table = table_of(model, words)
    distances = []
    for name, column in model.columns.items():
        if not column.is_number:
            continue
        places = _deal(document, table, column, chance, even)
        for i, code in enumerate(model.codes[name]):
            if i not in places:
                distances.append(code - column.lowest)
                continue
            distance = model.cp.new_int_var(0, column.highest - column.lowest, "")
            model.cp.add_abs_equality(distance, code - places[i].code)
            model.cp.add_hint(code, places[i].code)
            distances.append(places[i].weight * distance)
        # Patients whom no claim on this column tells apart may as well stand in the order of their places. The solver
        # need not try the other orders: without this, a median of 28 takes it a minute instead of a fifth of a second.
        for group in _alike(document, model, words, table, column, places).values():
            for one, next_ in zip(group, group[1:], strict=False):
                model.cp.add(model.codes[name][one] <= model.codes[name][next_])
    model.cp.minimize(sum(distances))


def _deal(document: Document, table: Table, column: Column, chance: random.Random, even: bool) -> dict[int, _Place]:
    """For each patient whom a claim on the column describes, a place within the smallest claimed rows they are in."""
    scopes = []
    for claims in _claims_by_rows(document, column):
        members = np.flatnonzero(claims[0].rows.holds(table) & ~table.blank[column.name])
        if len(members):
            scopes.append((members, claims))
    dealt: dict[int, _Place] = {}
    for members, claims in sorted(scopes, key=lambda scope: len(scope[0]), reverse=True):
        shares = [i / max(1, len(members) - 1) for i in range(len(members))]
        if not even:
            crowding = 4 ** chance.uniform(-1, 1)
            shares[1:-1] = sorted(chance.random() ** crowding for _ in shares[1:-1])
        places = _places(column, claims, shares)
        chance.shuffle(places)
        dealt.update(zip(map(int, members), places, strict=True))
    return dealt


def _alike(
    document: Document, model: Model, words: cp_model.CpSolver, table: Table, column: Column, places: dict[int, _Place]
) -> dict[tuple, list[int]]:
    """Patients with a place, in the order of places, by all that claims and rules ask about the column."""
    rows = [claim.rows.holds(table) for claim in document.claims if claim.of is column]
    groups: dict[tuple, list[int]] = {}
    for i in sorted(places, key=places.__getitem__):
        leaves = [leaf for (within, j), leaf in model.leaves.items() if j == i and within.column == column.name]
        asked = [words.value(leaf) for leaf in leaves]
        groups.setdefault((*(bool(mask[i]) for mask in rows), *asked, bool(table.blank[column.name][i])), []).append(i)
    return groups


def _claims_by_rows(document: Document, column: Column) -> list[list[Claim]]:
    """Claims on the ends or the median of a column, together where they are about the same rows and give both ends."""
    groups: dict[object, list[Claim]] = {}
    for claim in document.claims:
        if claim.of is column and claim.equals and claim.statistic.name in ("range", "min", "max", "median"):
            groups.setdefault(claim.rows, []).append(claim)
    return [claims for claims in groups.values() if _printed_ends(claims) is not None]


def _printed_ends(claims: list[Claim]) -> tuple[Fraction, Fraction, Fraction | None] | None:
    """(least, greatest, median or None) as printed; None where an end is not printed."""
    said = {claim.statistic.name: [p.value for p in claim.equals] for claim in claims}
    low, high = said.get("range") or (said.get("min", [None])[0], said.get("max", [None])[0])
    if low is None or high is None:
        low = high = low if low is not None else high
    return None if low is None else (low, high, said.get("median", [None])[0])


def _places(column: Column, claims: list[Claim], shares: list[float]) -> list[_Place]:
    """Places at these shares of the way from the least (0) to the greatest printed value (1), the median at a half.

    The way is measured on the scale, plain or logarithmic, on which the printed median lies nearer the middle of the
    printed range; without a median, on the logarithmic scale where the ends differ by more than ten times.
    """
    low, high, median = (None if end is None else float(end / column.size) for end in _printed_ends(claims))
    logarithmic = False
    if 0 < low < high:
        if median is None:
            logarithmic = high > 10 * low
        else:
            plain, logged = (median - low) / (high - low), log(median / low) / log(high / low)
            logarithmic = abs(logged - 0.5) < abs(plain - 0.5)
    scale, back = (log, exp) if logarithmic else (float, float)
    points = ([0, 0.5, 1], [scale(low), scale(median), scale(high)]) if median else ([0, 1], [scale(low), scale(high)])
    codes = [round(back(np.interp(share, *points))) for share in shares]
    # On a logarithmic scale a step matters in proportion to the value.
    return [_Place(code, max(1, round(high / max(code, 1))) if logarithmic else 1) for code in codes]


def write_world(world: Table, path: Path) -> None:
    """Write a world as a line list (CSV, UTF-8, line feeds); a file that was there is replaced by a whole one."""
    _write(world.cells(), path)


def write_worlds(worlds: Sequence[Table], path: Path) -> None:
    """Write several worlds one after the other, a first column `world` counting them from 1."""
    _write(pd.concat([world.cells().assign(world=i) for i, world in enumerate(worlds, 1)]), path, first="world")


def _write(cells: pd.DataFrame, path: Path, first: str = "patient_id") -> None:
    columns = [first, *(name for name in cells if name != first)]
    part = path.with_name(f".{path.name}.part")
    part.write_text(cells[columns].to_csv(index=False, lineterminator="\n"), encoding="utf-8", newline="")
    os.replace(part, path)
