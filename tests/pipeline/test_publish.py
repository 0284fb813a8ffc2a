"""The published record has the same bytes on every run, names no machine, and is swapped in whole or not at all."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blina.pipeline.publish import merged_streams, normalized, publish, refuse_absolute_paths, targets
from blina.pipeline.steps import PipelineError


def stream(name: str, text: str) -> dict:
    return {"output_type": "stream", "name": name, "text": text}


FIGURE = {"output_type": "display_data", "data": {"image/svg+xml": "<svg/>"}, "metadata": {}}


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.text(min_size=1))))
def test_printed_text_does_not_depend_on_the_chunks_it_came_in(chunks):
    whole = {name: "".join(text for n, text in chunks if n == name) for name in ("stdout", "stderr")}
    merged = merged_streams([stream(name, text) for name, text in chunks])
    assert merged == [stream(name, text) for name, text in whole.items() if text]
    assert merged_streams(merged) == merged


def test_text_before_a_figure_stays_before_it():
    outputs = [stream("stdout", "a"), FIGURE, stream("stdout", "b"), stream("stdout", "c")]
    assert merged_streams(outputs) == [stream("stdout", "a"), FIGURE, stream("stdout", "bc")]


def cell(**changes) -> dict:
    return {
        "cell_type": "code",
        "id": "a",
        "metadata": {},
        "source": "1",
        "outputs": [],
        "execution_count": 1,
    } | changes


def notebook(*cells: dict, **metadata) -> dict:
    return {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def test_times_durations_and_versions_are_dropped_and_execution_counts_and_tags_kept():
    timed = {"papermill": {"duration": 1.5}, "execution": {"iopub.status.busy": "2024"}, "tags": []}
    made = normalized(
        notebook(
            cell(metadata=timed), cell(metadata={"tags": ["parameters"]}), papermill={}, language_info={"version": 3}
        )
    )
    assert made["cells"][0] == cell()
    assert made["cells"][1]["metadata"] == {"tags": ["parameters"]}
    assert "version" not in made["metadata"]["language_info"] and "papermill" not in made["metadata"]


@pytest.mark.parametrize("place", ["/srv/lab", "/srv/lab/data.csv", "file:///srv/lab/x", "\n/srv/lab:"])
def test_a_path_of_this_machine_is_refused_with_notebook_and_cell(place):
    shown = notebook(cell(), cell(outputs=[stream("stdout", f"from {place}")]))
    with pytest.raises(PipelineError, match="02-cohort.ipynb, code cell 2: it shows /srv/lab"):
        refuse_absolute_paths(shown, "02-cohort.ipynb", [Path("/srv/lab")])


@pytest.mark.parametrize("text", ["https://example.org/srv/lab", "/srv/laboratory", "srv/lab", "../srv/lab"])
def test_what_only_looks_like_a_path_of_this_machine_may_stand(text):
    refuse_absolute_paths(notebook(cell(source=text)), "02-cohort.ipynb", [Path("/srv/lab")])


def test_the_folder_a_user_named_as_the_cohort_may_stand_in_their_own_notebooks():
    shown = notebook(cell(source='cohort = "/home/ward/ours"'))
    refuse_absolute_paths(shown, "01.ipynb", [Path("/home/ward")], allowed="/home/ward/ours")
    with pytest.raises(PipelineError):
        refuse_absolute_paths(shown, "01.ipynb", [Path("/home/ward")])


def test_only_a_committed_cohort_with_its_own_parameters_enters_the_committed_record(toy, tmp_path):
    committed = targets(toy.cohort, toy.project, custom=False)
    assert committed["notebooks"] == toy.project.executed and committed["figures"] == toy.project.figures
    assert targets(toy.cohort, toy.project, custom=True) == {"": toy.project.build / "toy-custom"}
    others = toy.cohort.model_copy(update={"folder": tmp_path / "ward", "name": "our ward/2024"})
    assert targets(others, toy.project, custom=False) == {"": toy.project.build / "our-ward-2024"}
    for name in ("..", ".", "../..", ""):
        within = targets(others.model_copy(update={"name": name}), toy.project, custom=False)[""]
        assert within.resolve().parent == toy.project.build.resolve()


@pytest.mark.parametrize("name", ["report", "failed"])
def test_a_cohort_cannot_take_a_folder_of_build_that_has_another_use(toy, tmp_path, name):
    ours = toy.cohort.model_copy(update={"folder": tmp_path / name, "name": name})
    with pytest.raises(PipelineError, match=f"build/{name} has another use; rename its folder"):
        targets(ours, toy.project, custom=False)


@pytest.fixture
def made(toy) -> tuple[Path, dict[str, Path]]:
    """An output folder to publish over older results."""
    to = targets(toy.cohort, toy.project, custom=False)
    for target in to.values():
        target.mkdir(parents=True)
        (target / "old.txt").write_text("old")
    output = toy.project.build / ".run-x" / "output"
    for folder in ("notebooks", "figures", "report", "tables"):
        (output / folder).mkdir(parents=True)
        (output / folder / "new.txt").write_text("new")
    return output, to


def test_publishing_replaces_folders_whole_so_that_nothing_stale_stays(toy, made):
    publish(*made)
    folders = ("notebooks/executed", "figures", "build/report", "build/toy/tables")
    names = {f"{folder}/new.txt" for folder in folders}
    assert toy.published() == dict.fromkeys(names, b"new")


@pytest.mark.parametrize("failing", range(8))
@pytest.mark.parametrize("error", [OSError(errno.EROFS, "Read-only file system"), KeyboardInterrupt()])
def test_a_swap_that_fails_anywhere_leaves_everything_as_it_was(toy, made, monkeypatch, failing, error):
    before, calls, rename = toy.published(), [], os.rename

    def fail_once(source, target):
        if "-old" in f"{source}{target}" or "-new" in str(source):
            calls.append(source)
            if len(calls) == failing + 1:
                raise error
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail_once)
    with pytest.raises(type(error)):
        publish(*made)
    assert len(calls) > failing and toy.published() == before
    assert toy.scratch() == [".run-x"]


def test_a_disk_that_fills_up_while_publishing_leaves_everything_as_it_was(toy, made, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = toy.published()
    monkeypatch.setattr("blina.pipeline.publish.shutil.move", full)
    with pytest.raises(OSError, match="No space left"):
        publish(*made)
    assert toy.published() == before
