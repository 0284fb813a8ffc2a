"""What is known after a solver was asked: one set of words for claims, bounds and programs."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """A status; it is also the text that stands in JSON and in tables."""

    # Of the bounds of a statistic
    PROVEN = "proven"  # both solvers agree that nothing lies beyond
    UNCONFIRMED = "unconfirmed"  # only the first says so
    OUTER = "outer"  # out of time: nothing lies beyond, but the ends may not be attained
    UNDEFINED = "undefined"  # it has no value in any world
    # Of claims
    CONSISTENT = "consistent"  # a world satisfies them
    CONTRADICTORY = "contradictory"  # both solvers agree that there is no world
    UNDECIDED = "undecided"  # the first solver ran out of time (a step on the way to UNKNOWN)
    # Of a program, by one solver
    SOLVED = "solved"
    INFEASIBLE = "infeasible"
    # Of any of them: out of time, or the second solver has not confirmed the first
    UNKNOWN = "unknown"
