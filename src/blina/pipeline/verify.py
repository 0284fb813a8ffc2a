"""Whether the executed notebooks still are what the pipeline makes: nothing uncompared, every output the same."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from blina.linelist.cohort import Cohort
from blina.pipeline.compare import RESULTS
from blina.pipeline.kernel import SERVER, KernelServer, private_folder
from blina.pipeline.parameters import prepared
from blina.pipeline.publish import targets
from blina.pipeline.steps import HERE, PipelineError, Project, Step, file_name
from blina.pipeline.steps import steps as steps_of

IGNORING = re.compile(r"NBVAL_|PYTEST_VALIDATE_IGNORE_OUTPUT|nbval-|pytest-validate|raises-exception|skip-execution")
# Parts of an output that nbval leaves out of its comparison, whatever they hold.
LEFT_OUT = {
    *("metadata", "traceback", "prompt_number", "output_type", "name", "execution_count", "image/png", "image/jpeg"),
    "application/vnd.jupyter.widget-view+json",
}


@dataclass(frozen=True)
class Failure:
    """A cell (code cells count from 1; None: the whole notebook) that is not as recorded, and why."""

    notebook: str
    cell: int | None
    reason: str

    def __str__(self) -> str:
        return f"{self.notebook}{'' if self.cell is None else f', cell {self.cell}'}: {self.reason}"


@dataclass(frozen=True)
class VerifyResult:
    """How many notebooks and cells were compared, and which failed; its text is what a person is to read."""

    notebooks: int
    cells: int
    failures: tuple[Failure, ...]

    @property
    def ok(self) -> bool:
        return not self.failures

    def __str__(self) -> str:
        if self.ok:
            return f"Verified {self.notebooks} notebooks, {self.cells} cells: all as recorded."
        return "\n".join(map(str, self.failures))


def verify(
    cohort: Cohort,
    folder: Path | None = None,
    *,
    project: Project = HERE,
    steps: Sequence[Step] | None = None,
    workers: int = 2,
    limit: float = 600.0,
    fork: bool = True,
) -> VerifyResult:
    """Rerun the executed notebooks of a cohort with nbval and compare every cell, and the figure files they make.

    `folder` holds them (unless given, where `run` published them), `limit` is seconds for all. Nothing published is
    touched. PipelineError if a source notebook is missing or pytest cannot run.
    """
    made = project.executed if project.committed(cohort) else project.build / file_name(cohort.name) / "notebooks"
    folder = (folder or made).resolve()
    todo = steps_of(cohort, project) if steps is None else steps
    recorded, failures = {}, []
    for step in todo:
        name = f"{step.name}.ipynb"
        try:
            recorded[name] = json.loads((folder / name).read_text(encoding="utf-8"))
            failures += _structure(name, recorded[name], prepared(step, project))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            recorded.pop(name, None)
            failures.append(Failure(name, None, "is missing or is not a notebook; make it (make report)"))
    for path in sorted(folder.glob("*.ipynb")):
        if path.stem not in {step.name for step in todo}:
            failures.append(Failure(path.name, None, "is not a notebook that the pipeline makes; remove it"))
    cells = {(name, n) for name, notebook in recorded.items() for n, _ in _code_cells(notebook)}
    compared, made = _run_nbval(folder, sorted(recorded), workers, limit, fork) if recorded else ({}, {})
    already = {(failure.notebook, failure.cell) for failure in failures}
    for name, number in sorted(cells | set(compared), key=lambda place: (place[0], place[1] or 0)):
        reason = compared.get((name, number), "nbval did not reach it")
        if reason and (name, number) not in already:
            failures.append(Failure(name, number, reason))
    failures += _figures(made, cohort, project)
    return VerifyResult(len(recorded), len(cells), tuple(failures))


def _figures(made: Mapping[str, bytes], cohort: Cohort, project: Project) -> Iterator[Failure]:
    """Published figure files that are not, byte for byte, what the notebooks made when they were rerun."""
    to = targets(cohort, project, custom=False)
    published = to.get("figures", to[""] / "figures")
    there = {path.name: path.read_bytes() for path in published.glob("*")} if made else {}
    for name in sorted(made.keys() | there.keys()):
        if made.get(name) != there.get(name):
            yield Failure(f"figures/{name}", None, "is not what the notebooks make; make it again (make report)")


def _code_cells(notebook: Mapping) -> Iterator[tuple[int, Mapping]]:
    return enumerate((cell for cell in notebook["cells"] if cell["cell_type"] == "code"), start=1)


def _structure(name: str, notebook: Mapping, expected: Mapping) -> Iterator[Failure]:
    """What no rerun would show: text or code that is not the source's, and cells that nbval would not compare."""
    if _sources(notebook) != _sources(expected):
        pairs = zip(_sources(notebook), _sources(expected), strict=False)
        differing = next((n for n, (one, other) in enumerate(pairs, start=1) if one != other), None)
        place = f"its cell {differing}, prose counted," if differing else "its number of cells"
        yield Failure(name, None, f"{place} is not as in the source notebook; make it again (make report)")
    for number, cell in _code_cells(notebook):
        if reason := uncompared(cell, number):
            yield Failure(name, number, f"nbval would not compare it: {reason}")


def _sources(notebook: Mapping) -> list[tuple]:
    return [(cell["cell_type"], "".join(cell["source"]), cell.get("attachments")) for cell in notebook["cells"]]


def uncompared(cell: Mapping, number: int) -> str:
    """Why nbval would pass over the code cell of that number or a part of its outputs; empty if it compares all."""
    if cell["execution_count"] != number:
        return "it was not run, or not in its turn"
    if found := IGNORING.search("\n".join(["".join(cell["source"]), *cell["metadata"].get("tags", [])])):
        return f"it is marked {found[0]}"
    for output in cell["outputs"]:
        kind = output["output_type"]
        if kind == "error":
            return "it ended in an error"
        if kind == "stream":
            if output["name"] not in ("stdout", "stderr") or "\r" in "".join(output["text"]):
                return "it prints over its own text"
        elif left_out := LEFT_OUT & set(output["data"]):
            return f"it shows {sorted(left_out)[0]}; show figures as SVG"
        elif not output["data"]:
            return "one of its outputs is empty"
    return ""


def _run_nbval(
    folder: Path, names: Sequence[str], workers: int, limit: float, fork: bool
) -> tuple[dict[tuple[str, int | None], str], dict[str, bytes]]:
    """Run nbval over notebooks: for every cell it reached, why it failed, or an empty text; and the figures made."""
    scratch = private_folder()
    try:
        (scratch / "output").mkdir()
        (scratch / "pytest.ini").write_text("[pytest]\n")  # instead of the settings of any project around
        options = f"""-p blina.pipeline.compare -p xdist -p nbval -p no:cacheprovider --noconftest -q
            --nbval --nbval-current-env --nbval-cell-timeout={limit:g} -n {workers} --dist loadscope""".split()
        options += [f"--rootdir={folder}", f"--config-file={scratch / 'pytest.ini'}"]
        command = [sys.executable, "-m", "pytest", *options, *(str(folder / name) for name in names)]
        with KernelServer(fork) as server:
            variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")} | {
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "JUPYTER_DEFAULT_PROVISIONER_NAME": "blina-forked",
                SERVER: server.address,
                RESULTS: str(scratch / "results.json"),
                "BLINA_OUTPUT": str(scratch / "output"),
            }
            done = subprocess.run(
                command, env=variables, cwd=scratch, capture_output=True, text=True, timeout=limit, check=False
            )
        figures = {path.name: path.read_bytes() for path in (scratch / "output").glob("figures/*")}
        try:
            results = json.loads((scratch / "results.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            words = (done.stderr + done.stdout).strip().splitlines() or [f"exit {done.returncode}"]
            raise PipelineError(f"nbval could not run: {words[-1]}") from None
    except subprocess.TimeoutExpired:
        raise PipelineError(f"nbval did not finish within {limit:g} seconds") from None
    except OSError as error:
        raise PipelineError(f"cannot write in {tempfile.gettempdir()}: {error.strerror}; make room there") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    reasons = {_place(r["cell"]): "" if r["outcome"] == "passed" else r["reason"] or r["outcome"] for r in results}
    return reasons, figures


def _place(node: str) -> tuple[str, int | None]:
    """A notebook's file name and the number of a code cell in it, from pytest's name of a test."""
    notebook, _, cell = node.partition("::Cell ")
    return Path(notebook).name, int(cell) + 1 if cell else None
