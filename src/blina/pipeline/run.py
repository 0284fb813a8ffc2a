"""One run of all steps: side by side, each in its own kernel, published only when every one has succeeded."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from blina.linelist.cohort import Cohort
from blina.pipeline import publish
from blina.pipeline.kernel import ForkedProvisioner, KernelServer, manager_class
from blina.pipeline.parameters import prepared, with_overrides
from blina.pipeline.steps import (
    HERE,
    PipelineError,
    Project,
    Step,
    cohort_parameter,
    file_name,
    in_order,
)
from blina.pipeline.steps import steps as steps_of

CONFIDENTIAL = """\
Confidential: this folder shows single patients. Send nothing of it; what may be sent away is made by make share.
保密：本文件夹含逐例患者数据，请勿外传；可外发的汇总数据由 make share 生成。
"""


class StepFailed(PipelineError):
    """At least one step failed; the message has one line for each."""


@dataclass(frozen=True)
class Summary:
    """What a successful run made and where; `claims` and `hold` may be None (no claims), `page` "" (no page)."""

    notebooks: int
    figures: int
    seconds: float
    claims: int | None
    hold: int | None
    folders: tuple[str, ...]
    page: str
    custom: bool

    def __str__(self) -> str:
        claims = [] if self.claims is None else [f"{self.hold} of {self.claims} claims hold"]
        counts = ", ".join([f"{self.notebooks} notebooks", *claims, f"{self.figures} figures", f"{self.seconds:.1f} s"])
        note = " These are your parameters; the committed record is as it was." if self.custom else ""
        page = f" Open {self.page} in a browser." if self.page else ""
        return f"{counts}. Written to {', '.join(self.folders)}.{note}{page}"


def run(
    cohort: Cohort,
    parameters: Mapping[str, Any] | None = None,
    *,
    project: Project = HERE,
    steps: Sequence[Step] | None = None,
    workers: int | None = None,
    limit: float = 600.0,
    fork: bool = True,
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),
) -> Summary:
    """Run every step of a cohort and publish what they made; a line to begin with and one per step go to `say`.

    `parameters` override notebooks' defaults (text is read as the default's type), `limit` is seconds per step.
    Raises PipelineError before anything starts, or if nothing can be written, StepFailed if a step fails. In either
    case, and on Ctrl-C, what was published before is untouched.
    """
    began = monotonic()
    todo = with_overrides(steps_of(cohort, project) if steps is None else steps, parameters or {}, project)
    in_order(todo)
    to = publish.targets(cohort, project, custom=bool(parameters))
    try:
        with _scratch(project, to) as scratch:
            say(f"{len(todo)} notebooks of {cohort.name}:")
            current = _Run(cohort, project, scratch, limit)
            with KernelServer(fork) as server:
                import papermill  # noqa: F401 - here, while the server has its own imports to do

                server.wait()
                seconds = current.execute(todo, workers or _workers(), server.address, say)
            output = current.output
            if steps is None:  # the whole report, so there is something to put on a page
                from blina.page import write_page

                write_page(output / "notebooks", output / "report", cohort)
                if not cohort.reconstructed:
                    (output / "CONFIDENTIAL.txt").write_text(CONFIDENTIAL, encoding="utf-8")
            score = json.loads(_read(output / "claims.json") or "{}")
            figures = len({path.stem for path in output.glob("figures/*")})
            folders = tuple(project.short(target) for target in to.values())
            _write_timings(project, cohort, seconds, monotonic() - began)
            publish.publish(output, to)
    except OSError as error:
        where = project.short(Path(error.filename)) if isinstance(error.filename, str) else ""
        place = {"": "", ".": " the project's folder"}.get(where, f" {where}")
        raise PipelineError(
            f"cannot write{place}: {(error.strerror or str(error)).lower()}; what was published before is unchanged"
        ) from error
    custom = bool(parameters) and project.committed(cohort)
    total = monotonic() - began
    page = project.short(publish.place("report/index.html", to)) if steps is None else ""
    return Summary(len(todo), figures, total, score.get("claims"), score.get("hold"), folders, page, custom)


@contextmanager
def _scratch(project: Project, to: Mapping[str, Path]) -> Iterator[Path]:
    publish.probe({project.build, *(target.parent for target in to.values())})
    folder = Path(tempfile.mkdtemp(prefix=".run-", dir=project.build))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _workers() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, 4)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _write_timings(project: Project, cohort: Cohort, seconds: Mapping[str, float], total: float) -> None:
    timings = {"cohort": cohort.name, "seconds": round(total, 2), "steps": {n: round(s, 2) for n, s in seconds.items()}}
    (project.build / "run.json").write_text(json.dumps(timings, indent=1) + "\n", encoding="utf-8")


def _previous_timings(project: Project) -> dict[str, float]:
    with suppress(OSError, ValueError, KeyError, TypeError):
        return dict(json.loads(_read(project.build / "run.json"))["steps"])
    return {}


class _Run:
    """The scratch folder of one run, and the executing of its steps in it."""

    def __init__(self, cohort: Cohort, project: Project, scratch: Path, limit: float) -> None:
        self.project, self.scratch, self.limit = project, scratch, limit
        self.output = scratch / "output"
        self.failed = project.build / "failed" / file_name(cohort.name)
        inside = cohort.folder.resolve().is_relative_to(project.root.resolve())
        self.outside = "" if inside else cohort_parameter(cohort, project)  # the one path of this machine in notebooks
        for folder in (self.output / "notebooks", scratch / "source", scratch / "raw"):
            folder.mkdir(parents=True)
        shutil.rmtree(self.failed, ignore_errors=True)

    def execute(self, todo: Sequence[Step], workers: int, server: str, say: Callable[[str], None]) -> dict[str, float]:
        """Run the steps, `workers` at a time, each as soon as what it needs is done; seconds by step (StepFailed)."""
        order, steps = in_order(todo), {step.name: step for step in todo}
        past, width = _previous_timings(self.project), max(map(len, steps))
        ready, seconds, failures = [], {}, []
        running: set[_Execution] = set()
        finished: SimpleQueue[_Execution] = SimpleQueue()
        try:
            while order.is_active():
                ready += order.get_ready()
                while ready and len(running) < workers and not failures:
                    longest = max(ready, key=lambda name: past.get(name, steps[name].takes))
                    ready.remove(longest)
                    running.add(_Execution(self, steps[longest], server, finished))
                if not running:
                    break
                done = self._next(running, finished)
                running.discard(done)
                if done.error is None:
                    seconds[done.step.name] = done.seconds
                    order.done(done.step.name)
                    say(f"  {done.step.name:<{width}}  {done.seconds:5.1f} s")
                else:
                    failures.append(self._failure(done))
                    say(f"  {done.step.name:<{width}}  failed")
        finally:
            for execution in running:
                execution.stop()
                execution.join(2)
        if failures:
            raise StepFailed("\n".join(failures))
        return seconds

    def _next(self, running: set[_Execution], finished: SimpleQueue[_Execution]) -> _Execution:
        """The next execution that ends, or that is ended here because its time is up."""
        while True:
            slowest = min(running, key=lambda execution: execution.began)
            try:
                done = finished.get(timeout=max(0, slowest.began + self.limit - monotonic()))
            except Empty:
                # A limit outside papermill, which has none after the last cell and may wait there for ever.
                slowest.error = PipelineError(f"did not finish within {self.limit:g} seconds")
                slowest.stop()
                slowest.join(2)
                return slowest
            if done in running:
                return done

    def _failure(self, execution: _Execution) -> str:
        name, kept = execution.step.name, self.failed / f"{execution.step.name}.ipynb"
        look = "no notebook could be kept"
        with suppress(OSError):
            self.failed.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(execution.raw if execution.raw.exists() else execution.source, kept)
            look = f"open {self.project.short(kept)} in JupyterLab (make lab) to see it"
        return f"{name} failed: {_reason(execution.error)}; {look}"


class _Execution(threading.Thread):
    """One step on its way; puts itself on `finished` at its end, with `error` set if it failed."""

    def __init__(self, current: _Run, step: Step, server: str, finished: SimpleQueue[_Execution]) -> None:
        super().__init__(name=step.name, daemon=True)  # a daemon, so that a hanging one cannot keep us from ending
        self.current, self.step, self.server, self.finished = current, step, server, finished
        self.source = current.scratch / "source" / f"{step.name}.ipynb"
        self.raw = current.scratch / "raw" / f"{step.name}.ipynb"
        self.kernels: list[ForkedProvisioner] = []
        self.error: BaseException | None = None
        self.began, self.seconds = monotonic(), 0.0
        self.start()

    def run(self) -> None:
        try:
            self._perform()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the step failed and the run says why
            self.error = self.error or error
        self.seconds = monotonic() - self.began
        self.finished.put(self)

    def _perform(self) -> None:
        import logging

        import papermill

        logging.getLogger("papermill").addHandler(logging.NullHandler())  # what it reports, the run says in a line
        current, output = self.current, self.current.output
        self.source.write_text(publish.text(prepared(self.step, current.project)), encoding="utf-8")
        executed = papermill.execute_notebook(
            *(str(path).replace("{", "{{").replace("}", "}}") for path in (self.source, self.raw)),
            kernel_name="python3",
            language="python",
            progress_bar=False,
            kernel_manager_class=manager_class(self.server, {"BLINA_OUTPUT": str(output)}, self.kernels),
            shutdown_kernel="immediate",
            resources={"metadata": {"path": str(current.project.notebooks)}},  # where JupyterLab would run it
        )
        notebook = publish.normalized(executed)
        places = [*publish.machine_places(current.project), current.scratch]
        publish.refuse_absolute_paths(notebook, self.source.name, places, current.outside)
        for pattern in self.step.makes:
            if not any(output.glob(pattern)):
                raise PipelineError(f"it ended without making {pattern}")
        (output / "notebooks" / self.source.name).write_text(publish.text(notebook), encoding="utf-8")

    def stop(self) -> None:
        """End its kernel, at once."""
        for kernel in self.kernels:
            kernel.abandon()


def _reason(error: BaseException) -> str:
    """One line for an error in a step."""
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    if isinstance(error, PapermillExecutionError):
        words = (error.evalue.strip().splitlines() or [""])[0]
        return f"cell [{error.exec_count}] stopped with {error.ename}: {words}"
    if isinstance(error, DeadKernelError):
        return "its Python process died, perhaps for lack of memory"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot write or start: {error.strerror.lower()}"
    words = (str(error).strip().splitlines() or [""])[0]
    return words if isinstance(error, PipelineError) else f"{type(error).__name__}: {words}"
