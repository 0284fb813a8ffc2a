"""From claims to the solver (CP-SAT) and back to a line list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from ortools.sat.python import cp_model

from blina.claims.document import Document
from blina.claims.model import Literal, Model
from blina.linelist.table import Table

LIMIT_SECONDS = 120.0


def model_of(document: Document, modes: Iterable[str]) -> Model:
    """The patients of a document, every rule holding of each and every claim under each of the rounding `modes`."""
    model, modes = Model(document.columns, document.patients), list(modes)
    for rule in document.rules:
        for when, then in zip(model.literals(rule.when), model.literals(rule.then), strict=True):
            model.cp.add_implication(when, then)
    for claim in document.claims:
        claim.statistic.post(model, claim.rows, claim.of, claim.intervals(*modes))
    return model


def solve(model: Model, seed: int, decide: Sequence[Literal] = ()) -> cp_model.CpSolver | None:
    """The solver with its best solution, None if there is none; the same for the same model and seed.

    The literals of `decide` are made true in turn, where they can be. Raises TimeoutError where it did not finish.
    """
    solver = cp_model.CpSolver()
    if decide:
        model.cp.add_decision_strategy(decide, cp_model.CHOOSE_FIRST, cp_model.SELECT_MAX_VALUE)
        solver.parameters.search_branching = cp_model.FIXED_SEARCH
    solver.parameters.random_seed = seed
    solver.parameters.num_workers = 1  # several workers race, and the winner would differ from run to run
    solver.parameters.max_time_in_seconds = LIMIT_SECONDS
    status = solver.solve(model.cp)
    if status == cp_model.OPTIMAL:
        return solver
    if status == cp_model.INFEASIBLE:
        return None
    raise TimeoutError(f"the solver did not finish within {LIMIT_SECONDS:.0f} s, so nothing can be said")


def table_of(model: Model, solution: cp_model.CpSolver) -> Table:
    """The line list that a solution stands for, its patients called P01, P02, ..."""
    width = max(2, len(str(model.patients)))
    blank = {name: np.array([bool(solution.value(b)) for b in row]) for name, row in model.blank.items()}
    codes = {
        name: np.where(blank[name], 0, np.array([solution.value(code) for code in row], dtype=np.int64))
        for name, row in model.codes.items()
    }
    ids = tuple(f"P{i:0{width}d}" for i in range(1, model.patients + 1))
    return Table(model.columns, codes, blank, ids, reconstructed=True)
