"""Whatever is changed in an executed notebook is found, and so is whatever nbval would pass over."""

import json
import re
import shutil

import pytest

from blina.pipeline.steps import PipelineError
from blina.pipeline.verify import uncompared, verify

PNG = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"}}
ALL_KINDS = "print(18)\nfrom IPython.display import HTML, SVG, display\ndisplay(HTML('<td>13/18</td>'))\nprint('after')"


def check(toy, folder=None, **options):
    result = verify(toy.cohort, folder, project=toy.project, steps=toy.steps, **options)
    return result, {str(failure).split(": ", 1)[0]: failure.reason for failure in result.failures}


def altered(path, *alter):
    """Change an executed notebook's file: each function gets the notebook and its code cells, numbered from 1."""
    notebook = json.loads(path.read_text())
    code = dict(enumerate((cell for cell in notebook["cells"] if cell["cell_type"] == "code"), start=1))
    for change in alter:
        change(notebook, code)
    path.write_text(json.dumps(notebook))


def replaced(number, old, new):
    """In the outputs of one cell, other text."""

    def alter(notebook, code):
        text = json.dumps(code[number]["outputs"])
        assert old in text
        code[number]["outputs"] = json.loads(text.replace(old, new))

    return alter


def test_every_change_in_a_record_is_found_and_an_unchanged_record_passes(toy, tmp_path, monkeypatch):
    shown = ["print(18)", toy.shows_a_figure, toy.shows_a_table, ALL_KINDS, "x = 1", *[ALL_KINDS] * 4]
    toy.add("a", *shown, "import os\nassert os.environ.get('TOY') != '2', 'not two'", toy.writes_a_table)
    for name in "bcd":
        toy.add(name, "days + 1")
    toy.run()
    before = toy.published()
    monkeypatch.setenv("PYTEST_ADDOPTS", "--collect-only")  # of another run of pytest: not for this one
    result, _ = check(toy)
    assert str(result) == "Verified 4 notebooks, 22 cells: all as recorded."
    assert toy.published() == before

    folder = tmp_path / "changed"
    shutil.copytree(toy.project.executed, folder)
    altered(
        folder / "a.ipynb",
        replaced(3, "18", "17"),
        replaced(4, "M 1.5 2.5", "M 1.5 2.6"),
        replaced(5, "13/18</td>", "12/18</td>"),
        lambda notebook, code: code[6]["outputs"].pop(2),
        lambda notebook, code: code[7]["outputs"].append({"output_type": "stream", "name": "stdout", "text": "n"}),
        lambda notebook, code: code[8].update(execution_count=None),
        lambda notebook, code: code[9]["metadata"].update(tags=["nbval-skip"]),
        lambda notebook, code: code[10]["outputs"].reverse(),
        lambda notebook, code: code[11]["outputs"][1].update(metadata={"alt": "another text"}),
    )
    monkeypatch.setenv("TOY", "2")  # so that cell 12, which ran, now fails
    (folder / "b.ipynb").unlink()
    altered(folder / "c.ipynb", lambda notebook, code: notebook["cells"][0].update(source="# Another question?"))
    source = toy.project.notebooks / "d.ipynb"  # changed since the run
    source.write_text(source.read_text().replace("days + 1", "days + 2"))
    (folder / "extra.ipynb").write_text("{}")

    result, reasons = check(toy, folder, fork=False)
    assert not result.ok
    cells = {f"a.ipynb, cell {number}" for number in range(3, 13)}
    assert set(reasons) == cells | {"b.ipynb", "c.ipynb", "d.ipynb", "extra.ipynb"}
    assert "18" in reasons["a.ipynb, cell 3"] and "17" in reasons["a.ipynb, cell 3"]
    assert "2.6" in reasons["a.ipynb, cell 4"] and "12/18" in reasons["a.ipynb, cell 5"]
    assert reasons["a.ipynb, cell 6"] == "2 outputs were recorded, 3 came now"
    assert reasons["a.ipynb, cell 7"] == "1 outputs were recorded, 0 came now"
    assert "not run" in reasons["a.ipynb, cell 8"] and "nbval-" in reasons["a.ipynb, cell 9"]
    assert reasons["a.ipynb, cell 12"] == "AssertionError: not two"
    assert "missing" in reasons["b.ipynb"] and "remove it" in reasons["extra.ipynb"]
    assert reasons["c.ipynb"].startswith("its cell 1, prose counted, is not as in the source notebook")
    assert reasons["d.ipynb"].startswith("its cell 4, prose counted, is not as in the source notebook")
    assert toy.published() == before


def test_without_source_notebooks_nothing_can_be_verified(toy):
    toy.add("a", "1")
    toy.run()
    (toy.project.notebooks / "a.ipynb").unlink()
    with pytest.raises(PipelineError, match="notebooks/a.ipynb is missing"):
        check(toy)


def code(source: str = "1", tags: tuple[str, ...] = (), outputs: tuple[dict, ...] = (), count: int | None = 1) -> dict:
    return {"source": source, "metadata": {"tags": list(tags)}, "outputs": list(outputs), "execution_count": count}


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (code(count=None), "not run"),
        (code(count=7), "not in its turn"),
        (code("# NBVAL_IGNORE_OUTPUT\n1"), "NBVAL_"),
        (code("  # NBVAL_SKIP"), "NBVAL_"),
        (code(tags=("nbval-ignore-output",)), "nbval-"),
        (code(tags=("raises-exception",)), "raises-exception"),
        (code(tags=("skip-execution",)), "skip-execution"),
        (code(outputs=(PNG,)), "image/png; show figures as SVG"),
        (code(outputs=({"output_type": "display_data", "data": {}, "metadata": {}},)), "empty"),
        (code(outputs=({"output_type": "stream", "name": "stdout", "text": "13\r12"},)), "over its own text"),
        (code(outputs=({"output_type": "stream", "name": "metadata", "text": "x"},)), "over its own text"),
        (code(outputs=({"output_type": "error", "ename": "E", "evalue": "", "traceback": []},)), "error"),
    ],
)
def test_a_cell_that_nbval_would_pass_over_is_found(cell, reason):
    assert reason in uncompared(cell, 1)


def test_a_cell_of_compared_outputs_only_passes():
    shown = {"output_type": "display_data", "data": {"image/svg+xml": "<svg/>", "text/html": "x"}, "metadata": {}}
    assert uncompared(code(outputs=(shown,)), 1) == ""


def test_what_nbval_is_known_to_leave_out_is_what_this_version_leaves_out():
    import inspect

    from nbval import plugin

    from blina.pipeline.verify import LEFT_OUT

    source = inspect.getsource(plugin.IPyNbFile.__init__)
    assert set(re.findall(r"^\s+'([\w/.+-]+)',? ?#?", source, re.MULTILINE)) | {"image/png", "image/jpeg"} == LEFT_OUT
