"""Worlds of a document drawn, rechecked, compared and written, one at a time."""

from __future__ import annotations

import csv
import os
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from math import factorial, isinf, log10
from pathlib import Path

import numpy as np

from blina.atomic import write_whole
from blina.claims.check import is_world
from blina.claims.confirm import confirms_impossible
from blina.claims.consistent import a_world
from blina.claims.count import Uncountable, count
from blina.claims.document import Document
from blina.claims.encoding import Encoding
from blina.claims.enumeration import TooMany, enumerate_worlds
from blina.claims.program import LIMIT_SECONDS
from blina.claims.walk import Walk
from blina.claims.worlds import Contradictory
from blina.linelist.columns import NOT_A_PATIENT, PROVENANCE, Column
from blina.linelist.table import Table
from blina.yamlfile import FileError

CHAINS = 4
MOST_KEPT = 32  # worlds that each new one is compared with
LEAST_COMPARED = 100  # worlds drawn for the greatest distance, however few are asked for
MOST_TOLD_APART = 1000  # worlds whose difference is remembered for a lower bound on their number
MOST_COUNTS = 8  # attempts to leave fewer claims out of an upper bound
STATES_FOR_BOUND = 150_000  # effort of each
HARD_TO_COUNT = ("sd", "mean", "percent", "median", "range", "min", "max", "count")  # the hardest first
ENDINGS = (".csv", ".parquet")
WORLDS_AT_ONCE = 200  # in a row group of a Parquet file
MOST_TEXTS = 20_000  # of a column, remembered


@dataclass(frozen=True)
class Distance:
    """Greatest number of patients in whose rows two worlds differ, in whatever order of rows they agree best."""

    at_least: int
    at_most: int

    def __str__(self) -> str:
        if self.at_least == self.at_most:
            return f"{self.at_least} patients"
        return f"at least {self.at_least} patients (seen), at most {self.at_most}"


class Sampler:
    """Draws worlds of a document; the same ones for the same document and seed.

    `measure`: in words, how likely each world is to be drawn. `exact`: every line list with its patients told apart is
    equally likely. `r_hat`: of the Markov chain where there is one (see `walk`), else None.
    """

    def __init__(self, document: Document, seed: int):
        """Contradictory where there is no world; TimeoutError where that could not be decided in time."""
        self.document, self.seed = document, seed
        self.exact, self.r_hat, self.log10_count = True, None, None
        self._worlds: int | None = None  # how many there are, patients told apart, where known
        self._draw: Callable[[], Table] = self._source()
        self._seen = _Seen(document.patients)

    def _source(self) -> Callable[[], Table]:
        """The fairest way to draw that there is for the document, and what to say of it."""
        rng = random.Random(str(self.seed))  # of a whole number, the sign would be lost
        for list_or_count in (count, enumerate_worlds):
            try:
                counted = list_or_count(self.document)
            except (Uncountable, TooMany, FileError):  # FileError: one claim or rule ties too many columns together
                continue
            if not counted.worlds:
                raise _contradictory(self.document)
            self._worlds, self.log10_count = counted.worlds, counted.log10
            self.measure = "exact: uniform over labelled line lists"
            return lambda: counted.draw(rng)
        starts = [a_world(self.document, (CHAINS * self.seed + i) % 2**31) for i in range(CHAINS)]
        if None in starts:
            raise _contradictory(self.document)
        walk = Walk(self.document, starts, self.seed)
        self.exact, self.r_hat = False, walk.r_hat
        agree = "" if walk.agrees else "; the chains do not agree, so draws may leave out or favour some worlds"
        self.measure = (
            f"Markov chain, meant to be uniform over labelled line lists, as far as its moves connect them: {CHAINS} "
            f"chains, R-hat {'infinite' if isinf(walk.r_hat) else f'{walk.r_hat:.3f}'}, effective sample size "
            f"{walk.effective:.0f} before the first draw, {walk.thinning} proposals between draws of a chain{agree}"
        )
        return lambda: walk.draw(rng)

    def draws(self, n: int) -> Iterator[Table]:
        """The next n worlds, each rechecked (AssertionError if one is none)."""
        for _ in range(n):
            table = self._draw()
            if not is_world(self.document, table):
                raise AssertionError("a line list that was drawn does not satisfy the claims: its way to draw is wrong")
            self._seen.add(table)
            yield table

    def distance(self) -> Distance:
        """Greatest distance between two worlds; exact where a pair attains it or every world was seen, else bounds.

        May draw some more worlds, so ask once all are drawn.
        """
        most, seen = self.document.patients, self._seen
        missing = LEAST_COMPARED - seen.drawn
        if seen.distance < most and not self._all_seen():
            for _ in self.draws(missing):
                if seen.distance == most or self._all_seen():
                    break
        return Distance(seen.distance, seen.distance if self._all_seen() else most)

    def _all_seen(self) -> bool:
        """Whether the worlds compared with each other are all there are."""
        return self._seen.compared_all and self._seen.labelled == self._worlds

    def log10_bounds(self) -> tuple[float, float] | None:
        """log10 of a least and a greatest number of worlds, patients told apart; None where the number is known."""
        if self.log10_count is not None:
            return None
        return (log10(max(1, self._seen.labelled)), self._upper)

    @cached_property
    def _upper(self) -> float:
        return log10_upper(self.document)


def _contradictory(document: Document) -> Exception:
    """What to raise where no world was found: Contradictory if a second solver says so too, else TimeoutError."""
    programs = (Encoding(replace(document, modes=(mode,))).program for mode in document.modes)
    if all(confirms_impossible(program, (), LIMIT_SECONDS) for program in programs):
        return Contradictory("no line list satisfies all claims at once (blina consistent says why)")
    return TimeoutError("no line list that satisfies all claims was found, but a second solver could not confirm it")


# What the drawn worlds tell of all


class _Seen:
    """Worlds seen so far, in bounded memory: how far apart two of them are, and how many they are at least.

    `labelled`: number of worlds with patients told apart that they stand for, each in every order of its rows.
    """

    def __init__(self, patients: int):
        self.patients = patients
        self.distance = self.drawn = self.labelled = 0
        self.compared_all = True  # every two different worlds were compared
        self._told_apart: set[bytes] = set()
        self._kept: list[Counter[bytes]] = []

    def add(self, table: Table) -> None:
        self.drawn += 1
        full = len(self._told_apart) >= MOST_TOLD_APART
        if full and self.distance == self.patients:
            return  # nothing more to learn
        rows = rows_of(table)
        one = blake2b(b"".join(sorted(rows)), digest_size=16).digest()
        if one in self._told_apart:
            return
        world = Counter(rows)
        if not full:
            self._told_apart.add(one)
            orders = factorial(self.patients)
            for alike in world.values():
                orders //= factorial(alike)
            self.labelled += orders
        if self.distance < self.patients:
            self.distance = max((self.distance, *(distance(world, kept) for kept in self._kept)))
        if len(self._kept) < MOST_KEPT:
            self._kept.append(world)
        else:
            self.compared_all = False


def rows_of(table: Table) -> list[bytes]:
    """Each row as bytes that are the same for the same row."""
    cells = [part[name] for name in table.columns for part in (table.codes, table.blank)]
    return [row.tobytes() for row in np.column_stack([cell.astype(np.int64) for cell in cells])]


def distance(one: Counter[bytes], other: Counter[bytes]) -> int:
    """Patients whose rows differ between two worlds of as many patients, in the orders of rows that agree best."""
    return one.total() - (one & other).total()


def log10_upper(document: Document) -> float:
    """log10 of a number that the number of worlds (labelled) does not exceed: of those that fewer claims allow."""
    best = document.patients * sum(
        log10(column.highest - column.lowest + 1 + column.blank) for column in document.columns.values()
    )
    dropped: list = []
    for name in HARD_TO_COUNT:
        again = [claim for claim in document.claims if claim.statistic.name == name]
        if not again:
            continue
        dropped += again
        found = _log10_without(document, dropped)
        if found is not None:
            best = min(best, found)
            break
    else:
        return best
    for claim in dropped[::-1][:MOST_COUNTS]:  # those it may be possible to count with after all
        fewer = [other for other in dropped if other is not claim]
        found = _log10_without(document, fewer)
        if found is not None:
            best, dropped = min(best, found), fewer
    return best


def _log10_without(document: Document, claims: list) -> float | None:
    ids = {claim.id for claim in claims}
    try:
        fewer = replace(document, claims=tuple(c for c in document.claims if c.id not in ids))
        counted = count(fewer, most_states=STATES_FOR_BOUND)
    except (Uncountable, FileError):
        return None
    return counted.log10


# Files


def check_place(path: Path, endings: Sequence[str] = ENDINGS) -> None:
    """FileError where worlds cannot be written to this path: before the first is drawn, not after the last."""
    if path.suffix.lower() not in endings:
        choice = ", whichever the file should be" if len(endings) > 1 else ""
        raise FileError(f"{path.name}: end the name in {' or '.join(endings)}{choice}")
    if path.is_dir():
        raise FileError(f"{path.name} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise FileError(f"there is no folder {path.parent.name} to write {path.name} in: make it first")
    if not os.access(path.parent, os.W_OK):
        raise FileError(f"{path.name} cannot be written: check the permissions of its folder")


def write_draws(tables: Iterable[Table], path: Path) -> None:
    """Write worlds one after the other as CSV or Parquet, by the ending; column `world` counts them from 1.

    Cells are the texts of `Table.cells()`. A file that was there is replaced only by a whole one, and nothing is left
    of one that was not finished. Memory does not grow with the number of worlds.
    """
    check_place(path)
    write = _write_csv if path.suffix.lower() == ".csv" else _write_parquet
    write_whole(path, lambda part: write(enumerate(tables, 1), part))


def _write_csv(worlds: Iterable[tuple[int, Table]], part: Path) -> None:
    texts = _Texts()
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for number, table in worlds:
            columns = texts.of(table)
            if number == 1:
                writer.writerow(["world", *columns])
            writer.writerows(zip([number] * len(table), *columns.values(), strict=True))


def _write_parquet(worlds: Iterable[tuple[int, Table]], part: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    texts, worlds, writer = _Texts(), iter(worlds), None
    try:
        while group := list(islice(worlds, WORLDS_AT_ONCE)):
            columns: dict[str, list] = {"world": [number for number, table in group for _ in range(len(table))]}
            for _, table in group:
                for name, cells in texts.of(table).items():
                    columns.setdefault(name, []).extend(cells)
            schema = pa.schema([(name, pa.int64() if name == "world" else pa.string()) for name in columns])
            writer = writer or parquet.ParquetWriter(part, schema)
            writer.write_table(pa.table(columns, schema=schema))
    finally:
        if writer:
            writer.close()


class _Texts:
    """The cells of many tables as text, each value of a column worked out once."""

    def __init__(self):
        self._known: dict[str, dict[int, str]] = {}

    def of(self, table: Table) -> dict[str, list[str]]:
        """What `table.cells()` holds, without the price of a data frame; FileError if a column's name is taken."""
        if taken := sorted({"world", "patient_id", PROVENANCE} & table.columns.keys()):
            raise FileError(f"the claims have a column {taken[0]}, a name that every file of worlds uses: rename it")
        columns = {"patient_id": list(table.ids)}
        for name, column in table.columns.items():
            columns[name] = [
                "" if blank else self._text(column, code)
                for code, blank in zip(table.codes[name].tolist(), table.blank[name].tolist(), strict=True)
            ]
        if table.reconstructed:
            columns[PROVENANCE] = [NOT_A_PATIENT] * len(table)
        return columns

    def _text(self, column: Column, code: int) -> str:
        known = self._known.setdefault(column.name, {})
        if code not in known:
            if len(known) > MOST_TEXTS:
                known.clear()
            known[code] = column.text(code)
        return known[code]
