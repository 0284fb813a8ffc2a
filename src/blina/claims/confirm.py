"""A second opinion on what CP-SAT rules out: the same program for HiGHS, branch and bound on linear relaxations.

The two share no code: CP-SAT learns clauses over whole numbers, HiGHS (Huangfu and Hall, 2018) solves linear programs
in floating point with a feasibility tolerance of 1e-7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from blina.claims.program import Condition, Program, Sum

INFEASIBLE = 2  # scipy's status of a program without solution
WIDEST_SQUARE = 1000  # a square is written out value by value
LARGEST = 10**7  # beyond it, a factor drowns in the tolerance


def confirms_impossible(program: Program, extra: Sequence[Condition], limit: float) -> bool:
    """Whether the second solver, too, finds that nothing meets the program's conditions and the `extra` ones.

    Conditions beyond its precision are left out: what is impossible even without them is impossible. So False, which
    is also the answer where it did not finish within `limit` seconds, says nothing.
    """
    squares, conditions = program.squares, [*program.conditions, *extra]
    program = replace(program, lows=list(program.lows), highs=list(program.highs))
    program.unknown(0, 0)  # scipy wants at least one
    too_wide = {square for root, square in squares if program.highs[root] - program.lows[root] > WIDEST_SQUARE}
    conditions = [condition for condition in conditions if not too_wide & condition.sum.terms.keys()]
    for root, square in squares:
        if square not in too_wide:
            conditions += _square_by_steps(program, root, square)
    rows, columns, factors, least, greatest = [], [], [], [], []
    for condition in conditions:
        for sum_, low in _one_sided(condition, program.reach(condition.sum)):
            if max(map(abs, sum_.terms.values()), default=0) > LARGEST:
                continue
            for unknown, factor in sum_.terms.items():
                rows.append(len(least))
                columns.append(unknown)
                factors.append(factor)
            least.append(low - sum_.constant)
            greatest.append(np.inf)
    matrix = csr_array((factors, (rows, columns)), shape=(len(least), len(program.lows)))
    result = milp(
        np.zeros(len(program.lows)),
        integrality=np.ones(len(program.lows)),
        bounds=Bounds(program.lows, program.highs),
        constraints=LinearConstraint(matrix, least, greatest),
        options={"time_limit": limit},
    )
    return result.status == INFEASIBLE


def _one_sided(condition: Condition, reach: tuple[int, int]) -> list[tuple[Sum, int]]:
    """The condition as sums that are at least something; with a switch off, the sum may be anything that it can be.

    What lies far beyond reach is as impossible as what lies just beyond it, and keeps the factors of switches small.
    """
    sides = []
    if condition.low is not None:
        sides.append((condition.sum, min(condition.low, reach[1] + 1), reach[0]))
    if condition.high is not None:
        sides.append((condition.sum * -1, min(-condition.high, 1 - reach[0]), -reach[1]))
    result = []
    for what, low, anyway in sides:
        slack = max(0, low - anyway)
        for switch in condition.switches:
            off = Sum({switch: -slack}, slack) if switch >= 0 else Sum({~switch: slack})
            what = what + off
        result.append((what, low))
    return result


def _square_by_steps(program: Program, root: int, square: int) -> list[Condition]:
    """`square` is the square of `root`: each step from one value of the root to the next adds what it adds."""
    low, high = program.lows[root], program.highs[root]
    steps = [program.unknown(0, 1) for _ in range(low, high)]  # step i is taken where root > low + i
    conditions = [Condition(Sum({one: 1, next_: -1}), 0, None) for one, next_ in pairwise(steps)]
    taken = Sum(dict.fromkeys(steps, 1), low)
    gained = Sum({step: 2 * (low + i) + 1 for i, step in enumerate(steps)}, low * low)
    return [*conditions, Condition(taken - Sum({root: 1}), 0, 0), Condition(gained - Sum({square: 1}), 0, 0)]
