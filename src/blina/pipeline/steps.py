"""The steps of a report, declared once as data: which notebook, with which parameters, after what, making what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from blina.linelist.cohort import ROOT, Cohort


class PipelineError(Exception):
    """A run that cannot start or cannot be published; the message is one line for its user."""


@dataclass(frozen=True)
class Project:
    """Where a project keeps its notebooks, their committed record, and what else is made."""

    root: Path = ROOT

    @property
    def notebooks(self) -> Path:
        return self.root / "notebooks"

    @property
    def executed(self) -> Path:
        return self.root / "notebooks" / "executed"

    @property
    def figures(self) -> Path:
        return self.root / "figures"

    @property
    def build(self) -> Path:
        return self.root / "build"

    def committed(self, cohort: Cohort) -> bool:
        """Whether the cohort is one of the repository's own, whose record is committed."""
        return cohort.folder.resolve().parent == (self.root / "data" / "cohorts").resolve()

    def short(self, path: Path) -> str:
        """A path as a person would type it from the project's folder."""
        path, root = path.resolve(), self.root.resolve()
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


HERE = Project()


@dataclass(frozen=True)
class Step:
    """One notebook run with one set of parameters; `needs` names steps, `makes` are globs in the output folder.

    `takes` is roughly how many seconds; the longest start first, by the last run's times once there are any.
    """

    name: str
    notebook: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    takes: float = 1.0


@dataclass(frozen=True)
class Declaration:
    """A notebook of the report; `per_group` runs it once for each group, `needs` names other notebooks.

    `with_claims`: only where there are claims; `reconstructed`: only of rows made to fit them, since what real patients
    leave open is nothing that a solver could tell.
    """

    notebook: str
    per_group: bool = False
    with_claims: bool = False
    reconstructed: bool = False
    needs: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    takes: float = 1.0


REPORT = (
    Declaration("01-ingest", makes=("tidy/*",)),
    Declaration("02-cohort"),
    Declaration("03-mrd-response", per_group=True),
    Declaration("04-safety"),
    Declaration("05-figures", makes=("figures/*",), takes=6.0),
    Declaration("06-reported-results", with_claims=True, makes=("claims.json",)),
    Declaration("07-determined", with_claims=True, reconstructed=True, makes=("figures/determined.*",), takes=12.0),
    Declaration("08-context", makes=("figures/published.*",), takes=4.0),
    Declaration("09-summary"),
)


def steps(cohort: Cohort, project: Project = HERE, report: Sequence[Declaration] = REPORT) -> tuple[Step, ...]:
    """The steps of one cohort (PipelineError if a need is unknown or needs go round in a circle)."""
    reference = cohort_parameter(cohort, project)
    expanded = {d.notebook: list(_expand(d, cohort, reference)) for d in report}
    unknown = sorted({need for d in report for need in d.needs} - set(expanded))
    if unknown:
        raise PipelineError(f"a step needs {unknown[0]}, which is not a notebook of the report")
    result = tuple(
        replace(step, needs=tuple(s.name for need in d.needs for s in expanded[need]))
        for d in report
        for step in expanded[d.notebook]
    )
    in_order(result)
    return result


def _expand(declaration: Declaration, cohort: Cohort, reference: str) -> Iterable[Step]:
    if declaration.with_claims and not cohort.claims.exists() or declaration.reconstructed and not cohort.reconstructed:
        return
    name = declaration.notebook
    runs = [("", {})]
    if declaration.per_group:
        runs = [("__" + file_name(g.name), {"group": g.name}) for g in cohort.groups]
    for suffix, group in runs:
        yield Step(
            name + suffix,
            f"{name}.ipynb",
            {"cohort": reference, **group},
            makes=declaration.makes,
            takes=declaration.takes,
        )


def file_name(name: str) -> str:
    """A name that a user chose, as the name of a file or folder that stays where it is put."""
    return re.sub(r"[^\w.-]+", "-", name).strip(".") or "unnamed"


def cohort_parameter(cohort: Cohort, project: Project) -> str:
    """How notebooks name the cohort: its name if it is the repository's own, else its folder."""
    return cohort.folder.name if project.committed(cohort) else project.short(cohort.folder)


def in_order(todo: Sequence[Step]) -> TopologicalSorter[str]:
    """A sorter of the steps' names, prepared (PipelineError: a name twice, an unknown need, a circle)."""
    names = [step.name for step in todo]
    for step in todo:
        if names.count(step.name) > 1:
            raise PipelineError(f"two steps are named {step.name}; rename one of the groups")
        for need in step.needs:
            if need not in names:
                raise PipelineError(f"step {step.name} needs {need}, which is not a step")
    order = TopologicalSorter({step.name: step.needs for step in todo})
    try:
        order.prepare()
    except CycleError as error:
        raise PipelineError(f"steps need each other in a circle: {' -> '.join(error.args[1])}") from None
    return order
