"""Every world of a document, one after the other, where there are few: for claims that `count` cannot count."""

from __future__ import annotations

import random
from dataclasses import dataclass
from math import log10

from blina.claims.confirm import confirms_impossible
from blina.claims.document import Document
from blina.claims.encoding import Encoding
from blina.claims.program import LIMIT_SECONDS, Sum, solve, total
from blina.claims.status import Status
from blina.linelist.table import Table

MOST_SOLUTIONS = 50


class TooMany(Exception):
    """There are more solutions than can be listed, or their list could not be shown to be complete."""


@dataclass(frozen=True)
class Enumerated:
    """All solutions of a document's program; `ways[i]` line lists, patients told apart, for `solutions[i]`."""

    encoding: Encoding
    solutions: tuple[tuple[int, ...], ...]
    ways: tuple[int, ...]

    @property
    def worlds(self) -> int:
        """Number of worlds, patients told apart."""
        return sum(self.ways)

    @property
    def log10(self) -> float:
        return log10(self.worlds)

    def draw(self, rng: random.Random) -> Table:
        """One world; all worlds, patients told apart, are equally likely."""
        place = rng.randrange(self.worlds)
        for solution, ways in zip(self.solutions, self.ways, strict=True):
            if place < ways:
                return self.encoding.world(solution, rng)
            place -= ways
        raise ValueError("there is no world to draw")


def enumerate_worlds(document: Document, most: int = MOST_SOLUTIONS, limit: float = LIMIT_SECONDS) -> Enumerated:
    """All worlds: each solution is ruled out once found, until both solvers agree that there is no other.

    TooMany if there are more than `most` solutions, or that was not decided within `limit` seconds a step.
    """
    encoding = Encoding(document)
    program, decisive = encoding.program, [one for one in encoding.decisive if one.terms]
    solutions = []
    while (found := solve(program, limit=limit)).status == Status.SOLVED:
        if len(solutions) == most:
            raise TooMany(f"there are more than {most} solutions")
        solutions.append(found.values)
        differs = []
        for one in decisive:
            value = one.of(found.values)
            below, above = program.unknown(0, 1), program.unknown(0, 1)
            program.require(one, None, value - 1, below)
            program.require(one, value + 1, None, above)
            differs += [below, above]
        program.require(total(Sum({switch: 1}) for switch in differs), 1, None)
    if found.status != Status.INFEASIBLE or not confirms_impossible(program, (), limit):
        raise TooMany("it was not decided whether there are further solutions")
    return Enumerated(encoding, tuple(solutions), tuple(map(encoding.ways, solutions)))
