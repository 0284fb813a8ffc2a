"""The notebooks as a person opens them: they run as they stand, carry no outputs, and read well."""

import re
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from blina.linelist.cohort import ROOT, load_cohort
from blina.pipeline.parameters import defaults, read_source
from blina.pipeline.steps import HERE, steps

SOURCES = sorted((ROOT / "notebooks").glob("*.ipynb"))
source = pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_all_notebooks_of_the_design_are_there():
    assert [path.stem[:2] for path in SOURCES] == ["01", "02", "03", "04", "05", "06", "07", "08", "09"]


@source
def test_the_report_runs_a_notebook_with_its_own_defaults_and_without_a_warning(path):
    # So the executed record, which is made anew byte for byte elsewhere, is what a person sees who runs all cells.
    mine = [step for step in steps(load_cohort("tianjin2023")) if step.notebook == path.name]
    own = defaults(read_source(mine[0], HERE), path.name)
    assert any(step.parameters.items() <= own.items() for step in mine)
    for step in mine:
        outputs = [output for cell in code_cells(HERE.executed / f"{step.name}.ipynb") for output in cell.outputs]
        assert outputs and not [one for one in outputs if one.output_type == "error" or one.get("name") == "stderr"]


def test_a_notebook_runs_in_an_ordinary_kernel_as_jupyterlab_starts_it(tmp_path, monkeypatch):
    monkeypatch.setenv("BLINA_OUTPUT", str(tmp_path))
    notebook, recorded = (
        nbformat.read(folder / SOURCES[0].name, as_version=4) for folder in (HERE.notebooks, HERE.executed)
    )
    place = {"metadata": {"path": str(HERE.notebooks)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=place).execute()
    shown = [[cell.outputs for cell in one.cells if cell.get("outputs")] for one in (notebook, recorded)]
    assert [len(outputs) for outputs in shown[0]] == [len(outputs) for outputs in shown[1]] and shown[0]
    assert not [one for outputs in shown[0] for one in outputs if one.get("name") == "stderr"]


@source
def test_a_source_carries_no_outputs_and_no_path_of_a_machine(path):
    for cell in code_cells(path):
        assert cell.execution_count is None and cell.outputs == []
    assert not re.search(r"/(root|home|work|tmp|Users)/", path.read_text(encoding="utf-8"))


@source
def test_a_source_begins_with_its_question_and_then_its_parameters(path):
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].cell_type == "markdown" and cells[0].source.startswith(f"# {path.stem[:2]} · ")
    assert cells[1].metadata["tags"] == ["parameters"] and "import" not in cells[1].source
    limits = max(place for place, cell in enumerate(cells) if cell.cell_type == "markdown")
    assert cells[limits].source.startswith("## Limits")
    assert all(cell.source.startswith("remark(") for cell in cells[limits + 1 :])  # what is true of this report alone
    assert path.stem == "05-figures" or "**Reads**" in cells[0].source and "**Makes**" in cells[0].source


@source
def test_a_source_is_short_and_most_of_it_is_explained(path):
    cells = nbformat.read(path, as_version=4).cells
    code = code_cells(path)
    lengths = [len(cell.source.splitlines()) for cell in code]
    assert 8 <= len(code) <= 15 and sum(lengths) <= 150 and max(lengths) <= 25
    assert sum(cell.cell_type == "markdown" for cell in cells) >= len(code) / 2
    assert not re.search(r"^\s*#\s*\w+\(|autoreload|filterwarnings|sys\.path", "\n".join(c.source for c in code), re.M)


def test_the_code_of_the_notebooks_is_clean():
    check = [sys.executable, "-m", "ruff", "check", "--line-length", "100", *map(str, SOURCES)]
    form = [sys.executable, "-m", "ruff", "format", "--check", "--line-length", "100", *map(str, SOURCES)]
    for command in (check, form):
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        assert done.returncode == 0, done.stdout + done.stderr


def numbers(text):
    """Numbers that a reader would take for a result; names such as R4, grade 3 and 95% are none."""
    text = re.sub(
        r"`[^`]*`|\"[^\"]*\"|\bR\d+\b|notebooks? \d+|^# \d+ ·|grade \d|\b95%|versions? \d(?: and \d)?", "", text
    )
    return re.findall(r"\d+(?:\.\d+)?%|\b\d+/\d+\b|\b\d+ of \d+\b|\b\d+\.\d+\b", text)


@source
def test_no_result_is_typed_into_prose(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            assert not numbers(cell.source), cell.source
