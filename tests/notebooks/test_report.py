"""The whole report, made anew in a copy: the same bytes as the committed record, and its own data when they change."""

import shutil

import pytest

from blina.linelist.cohort import ROOT, load_cohort
from blina.pipeline.run import run
from blina.pipeline.steps import Project, steps
from blina.pipeline.verify import verify


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "data", root / "data")
    (root / "notebooks").mkdir()
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        shutil.copy(path, root / "notebooks")
    return Project(root)


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_report_made_anew_is_the_committed_record_byte_for_byte(project):
    cohort = load_cohort(ROOT / "data" / "cohorts" / "tianjin2023")
    copy = cohort.model_copy(update={"folder": project.root / "data" / "cohorts" / "tianjin2023"})
    summary = run(copy, project=project, say=lambda line: None)
    assert (summary.notebooks, summary.figures, summary.claims, summary.hold) == (11, 10, 66, 66)
    for folder in ("notebooks/executed", "figures"):
        made, committed = files(project.root / folder), files(ROOT / folder)
        assert sorted(made) == sorted(committed)
        differing = [name for name in made if made[name] != committed[name]]
        # Figures too: every one of them is the same bytes when another process draws it again.
        assert not differing, f"make report would change {folder}: {differing}"
    tables = project.root / "build" / "tianjin2023"
    assert {path.name for path in (tables / "tidy").glob("*.csv")} == {"patients.csv", "mrd.csv", "events.csv"}
    assert "not a patient" in (tables / "tidy" / "patients.csv").read_text(encoding="utf-8").splitlines()[-1]


def test_a_changed_cell_of_the_line_list_is_named_by_verify(tmp_path):
    # Beside the repository's own record, a cohort whose line list differs in one cell: a child has another sex.
    folder = tmp_path / "changed"
    shutil.copytree(ROOT / "data" / "cohorts" / "tianjin2023", folder)
    rows = (folder / "linelist.csv").read_text(encoding="utf-8").splitlines()
    rows[1] = rows[1].replace(",male,", ",female,") if ",male," in rows[1] else rows[1].replace(",female,", ",male,")
    (folder / "linelist.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    executed = tmp_path / "executed"
    shutil.copytree(ROOT / "notebooks" / "executed", executed)
    for path in executed.glob("*.ipynb"):
        text = path.read_text(encoding="utf-8").replace('cohort = \\"tianjin2023\\"', f'cohort = \\"{folder}\\"')
        path.write_text(text, encoding="utf-8")
    cohort, named = load_cohort(folder), ("02-cohort.ipynb", "06-reported-results.ipynb")
    for path in executed.glob("*.ipynb"):
        if path.name not in named:
            path.unlink()
    result = verify(cohort, executed, steps=[step for step in steps(cohort) if step.notebook in named])
    assert {failure.notebook for failure in result.failures} == {*named}
