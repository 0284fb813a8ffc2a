"""A run makes everything or changes nothing."""

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from blina.pipeline.run import StepFailed
from blina.pipeline.steps import PipelineError


def test_two_runs_publish_the_same_bytes_and_leave_nothing_behind(toy):
    toy.add("01-a", toy.prints_to_both, toy.shows_a_figure, toy.writes_a_table)
    toy.add("02-b", toy.shows_a_table, sets={"place": "ward"})
    lines = []
    summary = toy.run(say=lines.append)
    first = toy.published()
    assert set(first) == {"notebooks/executed/01-a.ipynb", "notebooks/executed/02-b.ipynb", "build/toy/tables/ward.csv"}
    assert str(summary).startswith("2 notebooks, 0 figures, ")
    assert lines[0] == f"2 notebooks of {toy.cohort.name}:"
    assert sorted(line.split()[0] for line in lines[1:]) == ["01-a", "02-b"]
    toy.run()
    assert toy.published() == first
    assert toy.scratch() == []
    executed = json.loads(first["notebooks/executed/01-a.ipynb"])
    assert [c["execution_count"] for c in executed["cells"] if c["cell_type"] == "code"] == [1, 2, 3, 4, 5]
    assert set(json.loads((toy.project.build / "run.json").read_text())["steps"]) == {"01-a", "02-b"}


def test_the_summary_counts_the_claims_that_hold_and_each_figure_once(toy, papermill_stand_in):
    def perform(step, output):
        (output / "figures").mkdir()
        for kind in ("svg", "png", "pdf"):
            (output / "figures" / f"flow.{kind}").write_text("x")
        (output / "claims.json").write_text('{"claims": 90, "hold": 89}')

    papermill_stand_in(perform)
    toy.add("05-figures", makes=("figures/*",))
    summary = toy.run()
    assert str(summary).startswith("1 notebooks, 89 of 90 claims hold, 1 figures, ")
    assert set(toy.published()) >= {"figures/flow.svg", "figures/flow.png", "figures/flow.pdf", "build/toy/claims.json"}


def test_independent_steps_run_side_by_side_and_a_step_waits_for_what_it_needs(toy, papermill_stand_in):
    together, ended = threading.Barrier(2, timeout=10), []

    def perform(step, output):
        if step in ("01-a", "02-b"):
            together.wait()  # passes only if both are running
        assert step != "03-c" or set(ended) >= {"01-a", "02-b"}
        ended.append(step)

    papermill_stand_in(perform)
    toy.add("03-c", needs=("01-a", "02-b"))
    toy.add("01-a")
    toy.add("02-b")
    toy.run()
    assert ended[-1] == "03-c"


def test_the_longest_step_starts_first_by_the_last_run_or_as_declared(toy, papermill_stand_in):
    begun = []
    papermill_stand_in(lambda step, output: begun.append(step))
    for name, takes in (("01-a", 1), ("02-b", 2), ("03-c", 6)):
        toy.add(name, takes=takes)
    toy.run(workers=1)
    assert begun == ["03-c", "02-b", "01-a"]
    begun.clear()
    (toy.project.build / "run.json").write_text('{"steps": {"01-a": 1, "02-b": 9, "03-c": 4}}')
    toy.run(workers=1)
    assert begun == ["02-b", "03-c", "01-a"]


def test_a_failing_cell_is_named_and_kept_and_what_was_published_stays(toy):
    toy.add("01-a", "1 + 1")
    toy.run()
    before = toy.published()
    toy.add("02-b", toy.fails)
    with pytest.raises(StepFailed) as failed:
        toy.run()
    assert str(failed.value) == (
        "02-b failed: cell [3] stopped with ValueError: no group C; "
        "open build/failed/toy/02-b.ipynb in JupyterLab (make lab) to see it"
    )
    kept = (toy.project.build / "failed" / "toy" / "02-b.ipynb").read_text()
    assert "so far" in kept and '"output_type": "error"' in kept
    assert toy.published() == before and toy.scratch() == []
    toy.steps.pop()
    toy.run()
    assert not (toy.project.build / "failed" / "toy").exists()


def test_a_step_after_a_failed_one_does_not_run_and_each_failure_has_its_line(toy, papermill_stand_in):
    ran, together = [], threading.Barrier(2, timeout=10)

    def perform(step, output):
        ran.append(step)
        together.wait()
        raise OSError(errno.ENOSPC, "No space left on device")

    papermill_stand_in(perform)
    for name, needs in (("01-a", ()), ("02-b", ()), ("03-c", ()), ("04-d", ("01-a",))):
        toy.add(name, needs=needs)
    with pytest.raises(StepFailed) as failed:
        toy.run()
    assert sorted(ran) == ["01-a", "02-b"]
    lines = str(failed.value).splitlines()
    assert len(lines) == 2 and all("failed: cannot write or start: no space left" in line for line in lines)


def test_a_step_that_does_not_make_what_it_declares_has_failed(toy, papermill_stand_in):
    papermill_stand_in(lambda step, output: None)
    toy.add("05-figures", makes=("figures/*",))
    with pytest.raises(StepFailed, match="05-figures failed: it ended without making figures"):
        toy.run()


def test_a_kernel_that_never_ends_is_ended_at_the_limit(toy):
    toy.add("01-a", "import time\ntime.sleep(60)")
    began = time.monotonic()
    with pytest.raises(StepFailed, match="01-a failed: did not finish within 4 seconds; open build/failed"):
        toy.run(limit=4)
    assert time.monotonic() - began < 20


def test_papermill_hanging_after_the_last_cell_is_given_up_at_the_limit(toy, papermill_stand_in):
    papermill_stand_in(lambda step, output: time.sleep(6))
    toy.add("01-a")
    with pytest.raises(StepFailed, match="did not finish within 0.5 seconds"):
        toy.run(limit=0.5)
    assert toy.published() == {}


def test_a_kernel_that_dies_is_a_failed_step(toy):
    toy.add("01-a", "import os\nos._exit(1)")
    with pytest.raises(StepFailed, match="01-a failed: its Python process died"):
        toy.run()


def test_a_notebook_that_shows_a_path_of_this_machine_is_not_published(toy):
    toy.add("01-a", "import os\nprint('written to', os.environ['BLINA_OUTPUT'])")
    with pytest.raises(StepFailed, match="01-a.ipynb, code cell 3: it shows /"):
        toy.run()
    assert toy.published() == {}


def test_a_wrong_parameter_stops_the_run_before_anything_starts(toy, papermill_stand_in):
    papermill_stand_in(lambda step, output: pytest.fail("it started"))
    toy.add("01-a")
    for wrong in ({"day": "28"}, {"days": "soon"}, {"cohort": "other"}):
        with pytest.raises(PipelineError):
            toy.run(wrong)
    assert not toy.project.build.exists()


def test_results_with_other_parameters_are_kept_apart_from_the_committed_record(toy):
    toy.add("01-a", "print(days)", toy.writes_a_table)
    toy.run()
    before = toy.published()
    summary = toy.run({"days": "7"})
    assert "the committed record is as it was" in str(summary) and summary.folders == ("build/toy-custom",)
    assert toy.published() == before
    assert '"7\\n"' in (toy.project.build / "toy-custom" / "notebooks" / "01-a.ipynb").read_text()


def test_another_hospitals_results_stay_in_the_build_folder(toy, tmp_path, papermill_stand_in):
    papermill_stand_in(lambda step, output: None)
    toy.cohort = toy.cohort.model_copy(update={"name": "ours", "folder": tmp_path / "ours"})
    toy.add("01-a", sets={"cohort": str(tmp_path / "ours")})
    assert toy.run().folders == ("build/ours",)
    assert not toy.project.executed.exists() and (toy.project.build / "ours" / "notebooks" / "01-a.ipynb").exists()


@pytest.mark.parametrize("target", ["build", "notebooks", ""])
def test_a_folder_that_cannot_be_written_is_named_before_anything_starts(toy, monkeypatch, papermill_stand_in, target):
    papermill_stand_in(lambda step, output: pytest.fail("it started"))
    toy.add("01-a")
    mkdtemp, closed = tempfile.mkdtemp, toy.project.root / target

    def read_only(*args, dir=None, **options):
        if dir == closed:
            raise OSError(errno.EROFS, "Read-only file system", str(closed))
        return mkdtemp(*args, dir=dir, **options)

    monkeypatch.setattr(tempfile, "mkdtemp", read_only)
    with pytest.raises(PipelineError) as refused:
        toy.run()
    name = target or "the project's folder"
    assert str(refused.value) == f"cannot write {name}: read-only file system; what was published before is unchanged"
    assert toy.published() == {} and toy.scratch() == []


def test_a_file_in_the_way_of_the_build_folder_is_named(toy):
    toy.add("01-a")
    toy.project.build.write_text("in the way")
    with pytest.raises(PipelineError, match="cannot write build: file exists; what was published before is unchanged"):
        toy.run()


def test_interrupting_a_run_ends_its_kernels_and_publishes_nothing(toy, tmp_path):
    toy.add(
        "01-a", f"import os, time\n_ = open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    )
    code = f"""if True:
        from pathlib import Path
        from blina.linelist.cohort import Cohort
        from blina.pipeline.run import run
        from blina.pipeline.steps import Project, Step
        root = Path({str(toy.project.root)!r})
        cohort = Cohort(name="toy", folder=root / "data/cohorts/toy", title="t", groups=())
        run(cohort, project=Project(root), steps=[Step("01-a", "01-a.ipynb", {{"cohort": "toy"}})])"""
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, env=environment)
    kernel = int(wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text()))
    process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=20)[1]
    wait_for(lambda: not Path(f"/proc/{kernel}").exists())
    assert toy.published() == {} and toy.scratch() == []
    assert list(tmp_path.glob("blina-*")) == []


def wait_for(condition, seconds=30):
    """What `condition` returns once it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.05)
    raise AssertionError("it never happened")
