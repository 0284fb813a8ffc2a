"""The executed notebooks as a reviewer reruns them: nothing has changed, and no change would go unnoticed."""

import json
import re
import shutil
from dataclasses import replace

import pytest

from blina.linelist.cohort import ROOT, load_cohort
from blina.pipeline.steps import Project, steps
from blina.pipeline.verify import verify

EXECUTED = ROOT / "notebooks" / "executed"


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


def test_rerunning_gives_what_is_recorded_but_for_every_planted_change(cohort, tmp_path):
    planted = {}
    for path in EXECUTED.glob("*.ipynb"):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        for number, cell in enumerate(code, start=1):
            if kind := plant(cell):
                planted[path.name, number] = kind
        (tmp_path / path.name).write_text(json.dumps(notebook), encoding="utf-8")
    kinds = list(planted.values())
    assert len(planted) >= 30 and len({name for name, _ in planted}) == 11
    assert {"svg", "text/html", "text/markdown", "text"} <= set(kinds)
    result = verify(cohort, tmp_path)
    assert result.notebooks == 11 and result.cells >= len(planted) + 30
    assert {(failure.notebook, failure.cell) for failure in result.failures} == set(planted)


def test_a_figure_file_that_no_notebook_made_is_named(cohort, tmp_path):
    root = tmp_path / "copy"
    for part in ("notebooks", "figures"):
        shutil.copytree(ROOT / part, root / part)
    for path in (root / "figures").iterdir():
        if path.stem != "published":  # the others are made by notebooks that are left out here
            path.unlink()
    (root / "data" / "cohorts").mkdir(parents=True)
    drawn = root / "figures" / "published.svg"
    drawn.write_text(drawn.read_text(encoding="utf-8").replace("13/18", "12/18", 1), encoding="utf-8")
    (root / "figures" / "another.svg").write_text("<svg/>")
    copy = cohort.model_copy(update={"folder": root / "data" / "cohorts" / "tianjin2023"})
    project = Project(root)
    only = [step for step in steps(cohort, project) if step.notebook == "08-context.ipynb"]
    for path in (root / "notebooks" / "executed").glob("*.ipynb"):
        if path.stem != "08-context":
            path.unlink()
    only = [replace(step, parameters={"cohort": "tianjin2023"}) for step in only]
    result = verify(copy, project=project, steps=only)
    assert [failure.notebook for failure in result.failures] == ["figures/another.svg", "figures/published.svg"]
