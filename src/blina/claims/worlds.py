"""Worlds: line lists that satisfy every claim, made by the solver and never taken for patients."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import exp, log
from pathlib import Path

import numpy as np
import pandas as pd

from blina.atomic import write_whole
from blina.claims.check import check
from blina.claims.document import Claim, Document
from blina.claims.encoding import Encoding
from blina.claims.program import LIMIT_SECONDS, Condition, Program, Sum, solve, total
from blina.claims.status import Status
from blina.linelist.columns import Column
from blina.linelist.table import Table

ENDS_AND_MEDIAN = ("range", "min", "max", "median")
TICKS = 1000  # whole steps in the mean time between two arrivals


class Contradictory(Exception):
    """The solver found no line list that satisfies the claims."""


def spread_world(document: Document, seed: int, even: bool = True) -> Table:
    """One world whose open values are spread over what the claims allow.

    Words first: how many patients have which profile is drawn by chance among what the claims allow
    (see `_earliest`). Numbers next: with these counts held, each ascending vector lies as near as
    it can to evenly spaced places between the printed ends of its smallest claimed rows (see
    `_places`). If not `even`, the places are drawn by chance instead, crowded toward one end or the
    other. A number of which a mean or an sd is printed, but no end, takes the least value that the
    claims allow; one that no claim describes is drawn by chance.

    The claims hold under every rounding mode of the document at once or, where no world does that,
    under one of them. The world is the same for the same document and seed. Raises Contradictory
    where there is no world at all, and TimeoutError where that could not be decided.
    """
    for every_mode in (True, False):
        encoding = Encoding(document, every_mode=every_mode)
        chance = random.Random(seed)
        words = _earliest(encoding, chance)
        if words is None:
            continue
        numbers = _nearest_to_places(encoding, words, chance, even)
        if numbers is None:
            raise AssertionError("the solver finds no numbers for counts that it found itself")
        world = _in_order_of_groups(encoding.world(numbers, chance))
        if not check(document, world).holds:
            raise AssertionError("the solver's world does not satisfy the claims: the solver's form of one is wrong")
        return world
    raise Contradictory("no line list satisfies all claims at once")


def _best(program: Program, least: Sum, extra: Sequence[Condition] = ()) -> tuple[int, ...] | None:
    """Values that make a sum least; None where the program has no solution.

    TimeoutError where that was not decided in time.
    """
    found = solve(program, least, extra, LIMIT_SECONDS)
    if found.status == Status.UNKNOWN:
        raise TimeoutError(f"the solver did not finish within {LIMIT_SECONDS:.0f} s, so nothing can be said")
    return found.values if found.status == Status.SOLVED else None


def _earliest(encoding: Encoding, chance: random.Random) -> tuple[int, ...] | None:
    """A solution with counts drawn by chance.

    Patients of each profile arrive at random times, all profiles at the same rate, and the solution
    is the one whose patients arrived earliest, their times added up. Without any claim, every
    patient would have each profile with the same chance.
    """
    program = encoding.program.copy()
    times = []
    for count in encoding.counts:
        arrived = []
        time = 0.0
        for _ in range(encoding.document.patients):
            time += chance.expovariate(1)
            here = Sum({program.unknown(0, 1): 1})
            arrived.append(here)
            times.append(here * round(TICKS * time))
        program.require(count - total(arrived), 0, 0)
    return _best(program, total(times))


def _nearest_to_places(
    encoding: Encoding, words: Sequence[int], chance: random.Random, even: bool
) -> tuple[int, ...] | None:
    """A solution with the counts of `words`, its numbers as near to their places as they can be."""
    program = encoding.program.copy()
    distances = []
    for name, vectors in encoding.vectors.items():
        column = encoding.document.columns[name]
        dealt = _deal(encoding, column, words, chance, even)
        for vector in vectors:
            codes = vector.codes[: vector.size.of(words)]
            if vector.signature not in dealt:
                distances += codes
                continue
            for code, place in zip(codes, dealt[vector.signature], strict=True):
                farthest = max(abs(end) for end in program.reach(code - place.code))
                distance = program.integer(0, farthest)
                program.require(distance - code + place.code, 0, None)
                program.require(distance + code - place.code, 0, None)
                distances.append(distance * place.weight)
    held = []
    for count in encoding.counts:
        patients = count.of(words)
        held.append(Condition(count, patients, patients))
    return _best(program, total(distances), held)


def _in_order_of_groups(table: Table) -> Table:
    """The same patients in the order of the first category column."""
    categories = [name for name, column in table.columns.items() if column.type == "category"]
    if not categories:
        return table
    order = np.argsort(table.codes[categories[0]], kind="stable")
    codes = {name: values[order] for name, values in table.codes.items()}
    blank = {name: values[order] for name, values in table.blank.items()}
    return replace(table, codes=codes, blank=blank)


@dataclass(frozen=True, order=True)
class _Place:
    """Where a number should lie, and the cost of each step away from it."""

    code: int
    weight: int


def _deal(
    encoding: Encoding, column: Column, words: Sequence[int], chance: random.Random, even: bool
) -> dict[tuple[bool, ...], list[_Place]]:
    """By signature, the places of each vector that a claim describes.

    They lie between the printed ends of the smallest claimed rows that hold the vector.
    """
    scopes = []
    for claims in _claims_by_rows(encoding.document, column):
        vectors = encoding.scope(claims[0].rows, column)
        sizes = [vector.size.of(words) for vector in vectors]
        scopes.append((sum(sizes), vectors, sizes, claims))
    scopes.sort(key=lambda scope: scope[0], reverse=True)
    dealt = {}
    for patients, vectors, sizes, claims in scopes:
        shares = [i / max(1, patients - 1) for i in range(patients)]
        if not even:
            crowding = 4 ** chance.uniform(-1, 1)
            shares[1:-1] = sorted(chance.random() ** crowding for _ in shares[1:-1])
        places = _places(column, claims, shares)
        chance.shuffle(places)
        for vector, size in zip(vectors, sizes, strict=True):
            dealt[vector.signature] = sorted(places[:size])
            places = places[size:]
    return dealt


def _claims_by_rows(document: Document, column: Column) -> list[list[Claim]]:
    """Claims on the ends or the median of a column, by their rows, where these give an end."""
    groups: dict[object, list[Claim]] = {}
    for claim in document.claims:
        if claim.of is column and claim.equals and claim.statistic.name in ENDS_AND_MEDIAN:
            groups.setdefault(claim.rows, []).append(claim)
    return [claims for claims in groups.values() if _printed_ends(claims) is not None]


def _printed_ends(claims: list[Claim]) -> tuple[Fraction, Fraction, Fraction | None] | None:
    """(least, greatest, median or None) as printed; where one end alone is, it stands for both."""
    printed = {claim.statistic.name: [number.value for number in claim.equals] for claim in claims}
    ends = printed.get("range") or [*printed.get("min", []), *printed.get("max", [])]
    if not ends:
        return None
    median = printed["median"][0] if "median" in printed else None
    return ends[0], ends[-1], median


def _places(column: Column, claims: list[Claim], shares: list[float]) -> list[_Place]:
    """Places at these shares of the way from the least (0) to the greatest printed value (1).

    The median lies at a half. The way is measured on the scale, plain or logarithmic, on which the
    printed median lies nearer the middle of the printed range; without a median, on the logarithmic
    scale where the ends differ by more than ten times.
    """
    ends = _printed_ends(claims)
    low, high, median = (None if end is None else float(end / column.size) for end in ends)
    logarithmic = False
    if 0 < low < high:
        if median is None:
            logarithmic = high > 10 * low
        else:
            plain = (median - low) / (high - low)
            logged = log(median / low) / log(high / low)
            logarithmic = abs(logged - 0.5) < abs(plain - 0.5)
    scale, back = (log, exp) if logarithmic else (float, float)
    if median is None:
        at, values = [0, 1], [scale(low), scale(high)]
    else:
        at, values = [0, 0.5, 1], [scale(low), scale(median), scale(high)]
    places = []
    for share in shares:
        code = round(back(np.interp(share, at, values)))
        # On a logarithmic scale a step matters in proportion to the value.
        weight = max(1, round(high / max(code, 1))) if logarithmic else 1
        places.append(_Place(code, weight))
    return places


def write_world(world: Table, path: Path) -> None:
    """Write a world as a line list (CSV, UTF-8, line feeds), whole or not at all."""
    _write(world.cells(), path)


def write_worlds(worlds: Sequence[Table], path: Path) -> None:
    """Write several worlds one after the other, a first column `world` counting them from 1."""
    numbered = [world.cells().assign(world=number) for number, world in enumerate(worlds, 1)]
    _write(pd.concat(numbered), path, first="world")


def _write(cells: pd.DataFrame, path: Path, first: str = "patient_id") -> None:
    columns = [first, *(name for name in cells if name != first)]
    write_whole(path, cells[columns].to_csv(index=False, lineterminator="\n"))
