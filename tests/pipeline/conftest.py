"""A toy project in a temporary folder, with notebooks made of a few lines, and a stand-in for papermill."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from blina.linelist.cohort import Cohort, Group
from blina.pipeline.run import run
from blina.pipeline.steps import Project, Step


@dataclass
class Toy:
    """A project, its cohort, its steps, and cells for its notebooks."""

    writes_a_table = (
        "import os, pathlib\nout = pathlib.Path(os.environ['BLINA_OUTPUT'], 'tables')\n"
        "out.mkdir(exist_ok=True)\n_ = (out / f'{place}.csv').write_text('n, 18')"
    )
    shows_a_figure = 'from IPython.display import SVG\nSVG(\'<svg xmlns="x"><path d="M 1.5 2.5"/></svg>\')'
    shows_a_table = "from IPython.display import HTML\nHTML('<table><tr><td>13/18</td></tr></table>')"
    prints_to_both = (
        "import sys\nfor n in range(30):\n    print('out', n, flush=True)\n"
        "    print('err', n, file=sys.stderr, flush=True)"
    )
    fails = "print('so far')\nraise ValueError('no group C')"

    project: Project
    cohort: Cohort
    steps: list[Step]

    def run(self, parameters: dict | None = None, **options):
        """Run the steps, in ordinary kernels and silently unless told otherwise."""
        options = {"fork": False, "say": lambda line: None, "workers": 2} | options
        return run(self.cohort, parameters, project=self.project, steps=self.steps, **options)

    def add(self, name: str, *cells: str, declares: str = 'cohort = "x"\nplace = "ward"\ndays = 28', **step) -> Step:
        """A notebook with a parameters cell and these code cells, and a step that runs it."""
        new = nbformat.v4.new_code_cell
        notebook = nbformat.v4.new_notebook(
            cells=[
                nbformat.v4.new_markdown_cell("# How many?"),
                new(declares, metadata={"tags": ["parameters"]}),
                *map(new, cells),
            ]
        )
        for number, cell in enumerate(notebook.cells):
            cell.id = f"c{number}"
        nbformat.write(notebook, self.project.notebooks / f"{name}.ipynb")
        self.steps.append(Step(name, f"{name}.ipynb", {"cohort": self.cohort.name, **step.pop("sets", {})}, **step))
        return self.steps[-1]

    def published(self) -> dict[str, bytes]:
        """Every file that a run has published, by its path in the project."""
        build = (self.project.build / name for name in (self.cohort.name, "report"))
        folders = (self.project.executed, self.project.figures, *build)
        files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
        return {self.project.short(file): file.read_bytes() for file in files}

    def scratch(self) -> list[str]:
        """What is left of unfinished runs."""
        return [p.name for folder in ("", "build", "notebooks") for p in (self.project.root / folder).glob(".*")]


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    root = tmp_path / "project"
    folder = root / "data" / "cohorts" / "toy"
    folder.mkdir(parents=True)
    (root / "notebooks").mkdir()
    groups = (Group(name="A", label="first"), Group(name="B", label="second"))
    return Toy(Project(root), Cohort(name="toy", folder=folder, title="A toy report", groups=groups), [])


@pytest.fixture
def papermill_stand_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str, Path], None]], None]:
    """Replaces papermill: give it what a step does, a function of the step's name and the output folder."""
    import papermill

    def install(perform: Callable[[str, Path], None]) -> None:
        def execute_notebook(source: str, raw: str, **options):
            output = Path(raw).parents[1] / "output"
            perform(Path(raw).stem, output)
            return json.loads(Path(source).read_text())

        monkeypatch.setattr(papermill, "execute_notebook", execute_notebook)

    return install
