"""From executed notebooks to the published record: the same bytes on every run, swapped in whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from blina.linelist.cohort import TAKEN, Cohort
from blina.pipeline.steps import PipelineError, Project, file_name

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python", "pygments_lexer": "ipython3"}


def normalized(notebook: Mapping) -> dict:
    """A notebook as JSON without times, durations, random ids and versions; execution counts stay, nbval needs them."""
    kept = {key: value for key, value in notebook["metadata"].items() if key not in ("papermill", "widgets")}
    cells = [_normalized_cell(cell) for cell in notebook["cells"]]
    metadata = kept | {"kernelspec": KERNELSPEC, "language_info": LANGUAGE}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _normalized_cell(cell: Mapping) -> dict:
    metadata = {key: value for key, value in cell["metadata"].items() if key not in ("papermill", "execution")}
    if not metadata.get("tags", True):
        del metadata["tags"]
    cell = {**cell, "metadata": metadata}
    if "outputs" in cell:
        cell["outputs"] = merged_streams(cell["outputs"])
    return cell


def merged_streams(outputs: Iterable[Mapping]) -> list:
    """Outputs with neighbouring stream chunks joined, stdout before stderr: how they arrive is a matter of timing."""
    result, streams = [], {}

    def flush() -> None:
        result.extend(streams.pop(name) for name in sorted(streams, reverse=True))  # stdout, then stderr

    for output in outputs:
        if output["output_type"] != "stream":
            flush()
            result.append(output)
        elif output["name"] in streams:
            streams[output["name"]]["text"] += output["text"]
        else:
            streams[output["name"]] = type(output)(output)
    flush()
    return result


def text(notebook: Mapping) -> str:
    """The notebook file's text: as nbformat writes it."""
    import nbformat

    return nbformat.writes(nbformat.from_dict(notebook)) + "\n"


def refuse_absolute_paths(notebook: Mapping, name: str, places: Iterable[Path], allowed: str = "") -> None:
    """PipelineError, naming notebook and cell, if a path on this machine stands in the notebook.

    `places` are folders such as the project, the home and the scratch folder; `allowed` is the one path that the user
    gave as the cohort.
    """
    spellings = {str(p) for place in places for p in (place, place.resolve()) if len(p.parts) > 1}
    pattern = re.compile("|".join(rf"(?<![\w.]){re.escape(spelling)}(?![\w-])" for spelling in sorted(spellings)))
    number = 0
    for cell in notebook["cells"]:
        number += cell["cell_type"] == "code"
        for words in _strings(cell):
            if found := pattern.search(words.replace(allowed, "") if allowed else words):
                kind = f"code cell {number}" if cell["cell_type"] == "code" else f"the text after code cell {number}"
                raise PipelineError(f"{name}, {kind}: it shows {found[0]}, which differs on other machines")


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, (dict, list)):
        for inner in node.values() if isinstance(node, dict) else node:
            yield from _strings(inner)


def machine_places(project: Project) -> list[Path]:
    """Folders whose names differ from machine to machine and so may not stand in a published notebook."""
    return [project.root, Path.home(), Path(tempfile.gettempdir()), Path(sys.prefix)]


def targets(cohort: Cohort, project: Project, custom: bool) -> dict[str, Path]:
    """Where each part of the output folder is published ("" is the rest of it).

    The committed record holds the repository's own cohorts only, as their notebooks stand. What is made with other
    parameters (`custom`) or from other patients goes to the ignored build folder. PipelineError if the cohort's name is
    that of a folder there which has another use.
    """
    name = file_name(cohort.name)
    if name in TAKEN:
        raise PipelineError(f"a cohort cannot be named {name}: build/{name} has another use; rename its folder")
    if not project.committed(cohort):
        return {"": project.build / name}
    if custom:
        return {"": project.build / f"{name}-custom"}
    made = {"notebooks": project.executed, "figures": project.figures, "report": project.build / "report"}
    return made | {"": project.build / name}


def place(name: str, to: Mapping[str, Path]) -> Path:
    """Where a file of the output folder is published."""
    part, _, rest = name.partition("/")
    return to[part] / rest if part in to else to[""] / name


def probe(folders: Iterable[Path]) -> None:
    """Make the folders and write in each for a moment (OSError, naming the folder, if one cannot be written)."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            os.rmdir(tempfile.mkdtemp(prefix=".probe-", dir=folder))
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(folder)) from None


def publish(output: Path, to: Mapping[str, Path]) -> None:
    """Swap the parts of `output` into their targets, whole folders by rename, all or none.

    What a target held before is gone afterwards, so nothing stale stays. Raises OSError with every target as it was.
    """
    token = output.parent.name
    moves = []
    try:
        for part, target in to.items():
            source = output / part
            source.mkdir(exist_ok=True)
            target = target.resolve()
            new = target.with_name(f"{token}-{target.name}-new")
            moves.append((new, target, target.with_name(f"{token}-{target.name}-old")))
            shutil.move(source, new)  # beside its target first: from here on a rename is enough, whatever the disks
        _swap(moves)
    finally:
        for new, target, old in moves:
            shutil.rmtree(new, ignore_errors=True)
            if target.exists():  # else `old` is the only copy there is
                shutil.rmtree(old, ignore_errors=True)


def _swap(moves: Iterable[tuple[Path, Path, Path]]) -> None:
    undo: list[tuple[Path, Path]] = []
    try:
        for new, target, old in moves:
            for source, destination in ((target, old), (new, target)):
                if source.exists():
                    undo.append((destination, source))
                    os.rename(source, destination)
    except BaseException:
        for destination, source in reversed(undo):
            if not source.exists():  # the last rename may not have happened
                try:
                    os.rename(destination, source)
                except OSError:
                    raise PipelineError(f"{source} could not be put back; rename {destination} to it") from None
        raise
