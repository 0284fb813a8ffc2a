"""The executed notebooks as a reviewer reruns them: nothing has changed, and no change would go unnoticed."""

import json
import re
import shutil

import pytest

from blina.linelist.cohort import ROOT, load_cohort
from blina.pipeline.steps import Project
from blina.pipeline.verify import verify


@pytest.fixture(scope="module")
def cohort():
    return load_cohort("tianjin2023")


def change_a_digit(text, place=-1):
    """The text with one of its digits (counted among all of them) replaced by another."""
    found = list(re.finditer(r"\d", text))[place]
    return text[: found.start()] + str((int(found[0]) + 1) % 10) + text[found.end() :]


def plant(cell):
    """Change one number in one recorded output of a cell: the text it prints, a table's cell, an SVG coordinate."""
    for output in cell["outputs"]:
        holders = (
            [(output, "text")] if output["output_type"] == "stream" else [(output["data"], m) for m in output["data"]]
        )
        for holder, key in sorted(holders, key=lambda pair: pair[1] == "text/plain"):
            text = "".join(holder[key])
            if key == "image/svg+xml":
                coordinate = re.search(r' d="M (\d+\.\d+)', text)
                start, end = coordinate.span(1)
                holder[key] = text[:start] + change_a_digit(text[start:end]) + text[end:]
                return "svg"
            if re.search(r"\d", text):
                holder[key] = change_a_digit(text)
                return key
    return None


@pytest.fixture
def project(tmp_path):
    """A copy of the project in which things can be changed."""
    for part in ("notebooks", "figures", "data"):
        shutil.copytree(ROOT / part, tmp_path / part)
    return Project(tmp_path)


def test_rerunning_gives_what_is_recorded_but_for_every_planted_change(cohort, project):
    planted = {}
    for path in project.executed.glob("*.ipynb"):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        for number, cell in enumerate(code, start=1):
            if kind := plant(cell):
                planted[path.name, number] = kind
        path.write_text(json.dumps(notebook), encoding="utf-8")
    drawn = project.figures / "safety.svg"
    drawn.write_text(drawn.read_text(encoding="utf-8").replace("9/18", "8/18", 1), encoding="utf-8")
    (project.figures / "another.svg").write_text("<svg/>")  # no notebook makes it
    (project.figures / "swimmer.pdf").unlink()
    files = {(f"figures/{name}", None) for name in ("safety.svg", "another.svg", "swimmer.pdf")}
    kinds = list(planted.values())
    assert len(planted) >= 30 and len({name for name, _ in planted}) == 11
    assert {"svg", "text/html", "text/markdown", "text"} <= set(kinds)
    copy = cohort.model_copy(update={"folder": project.root / "data" / "cohorts" / "tianjin2023"})
    result = verify(copy, project=project)
    assert result.notebooks == 11 and result.cells >= len(planted) + 30
    assert {(failure.notebook, failure.cell) for failure in result.failures} == planted.keys() | files
