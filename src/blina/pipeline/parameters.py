"""Parameters: what a notebook's own parameters cell declares is what may be set, to values of the same type."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from blina.pipeline.steps import PipelineError, Project, Step

WORDS = {bool: "yes or no", int: "a whole number", float: "a number", str: "text", list: "a list, with commas"}


def read_source(step: Step, project: Project) -> dict:
    """The step's source notebook as JSON (PipelineError if it is missing or not a notebook)."""
    path = project.notebooks / step.notebook
    try:
        source = json.loads(path.read_text(encoding="utf-8"))
        cells = source["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        raise PipelineError(f"{project.short(path)} is missing or not a notebook; restore it (git checkout)") from None
    for number, cell in enumerate(cells):
        cell.setdefault("id", f"cell-{number}")
        cell["source"] = "".join(cell["source"])
    return source | {"nbformat": 4, "nbformat_minor": 5}


def defaults(source: Mapping, name: str) -> dict[str, Any]:
    """Names and default values in a notebook's parameters cell (PipelineError if it has none, or not plain values)."""
    cells = [cell for cell in source["cells"] if "parameters" in cell["metadata"].get("tags", [])]
    if len(cells) != 1:
        raise PipelineError(f"{name} needs exactly one cell with the tag 'parameters'; it has {len(cells)}")
    found = {}
    try:
        for line in ast.parse(cells[0]["source"]).body:
            target, value = line.targets[0].id, ast.literal_eval(line.value)
            found[target] = value
            items = value if isinstance(value, list) else [value]
            if not items or any(type(item) not in (bool, int, float, str) for item in items):
                raise ValueError
    except (SyntaxError, ValueError, AttributeError):
        plain = "name = value, the value a text, number, True, False or list of these"
        raise PipelineError(f"the parameters cell of {name} may only hold lines {plain}") from None
    return found


def with_overrides(todo: Sequence[Step], overrides: Mapping[str, Any], project: Project) -> tuple[Step, ...]:
    """The steps, each with the overrides that its notebook knows.

    PipelineError before anything starts: a name no notebook has, a value not of the default's type, a parameter that
    the steps set themselves, or a step that sets what its notebook does not declare.
    """
    declared = {step.notebook: defaults(read_source(step, project), step.notebook) for step in todo}
    set_by_steps = {name for step in todo for name in step.parameters} | {"cohort", "group"}
    known = {name: value for found in declared.values() for name, value in found.items() if name not in set_by_steps}
    for name in overrides:
        if name in set_by_steps:
            raise PipelineError(f"{name} cannot be set with -p; choose a cohort with --cohort, it brings its groups")
        if name not in known:
            listed = ", ".join(f"{n} ({WORDS[type(v)]}, now {v})" for n, v in sorted(known.items())) or "none"
            raise PipelineError(f"no notebook has a parameter {name}; those that can be set: {listed}")
    result = []
    for step in todo:
        found = declared[step.notebook]
        for name in step.parameters:
            if name not in found:
                raise PipelineError(f"the parameters cell of {step.notebook} does not set {name}")
        own = {name: coerce(name, value, found[name]) for name, value in overrides.items() if name in found}
        result.append(replace(step, parameters={**step.parameters, **own}))
    return tuple(result)


def coerce(name: str, value: Any, default: Any) -> Any:
    """`value` (text from the command line, or already typed) as the type of `default`; PipelineError if it is not."""
    kind = type(default)
    try:
        return _as(kind, value, default)
    except (ValueError, KeyError):
        raise PipelineError(f"{name} must be {WORDS[kind]}, such as {default}; it was given {value}") from None


def _as(kind: type, value: Any, default: Any) -> Any:
    if kind is list:
        items = value.split(",") if isinstance(value, str) else value
        if not isinstance(items, list) or not items:
            raise ValueError
        return [_as(type(default[0]), i.strip() if isinstance(i, str) else i, None) for i in items]
    if isinstance(value, str) and kind is not str:
        words = {"true": True, "yes": True, "false": False, "no": False}
        value = words[value.strip().lower()] if kind is bool else kind(value)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or (kind is float and not math.isfinite(value)):
        raise ValueError
    return value


def prepared(step: Step, project: Project) -> dict:
    """The notebook as papermill is to run it: the source with the step's parameters after its parameters cell."""
    notebook = read_source(step, project)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)  # what a source was saved with is never taken for a result
    # Written here and not by papermill, whose text depends on whether black is installed and whose cell id is random.
    injected = {
        "cell_type": "code",
        "execution_count": None,
        "id": "injected-parameters",
        "metadata": {"tags": ["injected-parameters"]},
        "outputs": [],
        "source": "# Parameters\n" + "\n".join(f"{n} = {_literal(v)}" for n, v in step.parameters.items()),
    }
    tags = [cell["metadata"].get("tags", []) for cell in notebook["cells"]]
    place = next(number for number, tag in enumerate(tags) if "parameters" in tag) + 1
    notebook["cells"].insert(place, injected)
    return notebook


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return f"[{', '.join(map(_literal, value))}]" if isinstance(value, list) else repr(value)
