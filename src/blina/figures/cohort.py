"""Who was treated: age and the way to treatment, every patient a point."""

from __future__ import annotations

import re
from math import prod

import pandas as pd
import seaborn
from matplotlib.axes import Axes

from blina.analysis.cohort import NOT_RECORDED, by_group, describe
from blina.analysis.open import OPEN
from blina.figures.style import (
    LINE,
    MARGIN,
    MUTED,
    WIDE,
    Look,
    Picture,
    Sheet,
    bars_of,
    below_axes,
    crowded,
    headed,
    looks,
    people_or_rows,
    styled,
    text_width,
)
from blina.linelist.cohort import Cohort
from blina.measures.intervals import median

_PANELS = {
    "age_years": "age at first infusion (years)",
    "months_from_diagnosis": "diagnosis to first infusion (months)",
}
_AGE = "age (years)"  # of a reconstructed cohort, whose report does not say when
_CHARACTERISTIC = {"age_years": "age", "months_from_diagnosis": "diagnosis to first infusion"}
_COUNTS = {"male": ("sex", "male"), "BCR::ABL1": ("BCR::ABL1", "found")}
_BOUNDS = re.compile(r" of \d+| \([^)]*\)")  # what an open number says beyond its bounds
_SIDE_BY_SIDE = 3  # groups up to which the panels stand side by side
_HEIGHT, _LEFT = 58.0, 11.0  # mm
_ROOM = 1.4  # of a point, as a multiple of its size: the corners of diamonds stay apart


@styled
def baseline(
    patients: pd.DataFrame, cohort: Cohort, description: pd.DataFrame | None = None
) -> Picture:
    """Age and interval from diagnosis by group (180 mm): every patient a point, the median a line.

    Filled points carry BCR::ABL1. Points that have no room (`style.crowded`) are drawn as bars, as broad as there are
    patients. Whoever lacks a value has no point, and the number of values is printed. Below each group: n and the
    median; in the first panel boys and carriers too, as k/n. Intervals stand on a log axis unless one of them is 0.
    `description` is that of `describe`, with the bounds of `analysis.open` where rows of it are open: those print their
    bounds, and an open median draws no line.
    """
    description = describe(patients, cohort) if description is None else description
    stated = {
        (row.group, row.characteristic, row.level): row.text for row in description.itertuples()
    }
    shown = looks(cohort)
    beside = len(shown) <= _SIDE_BY_SIDE
    width = (WIDE - 2 * MARGIN) / 2 - _LEFT - 1 if beside else WIDE - 2 * MARGIN - _LEFT
    title = f"Age and time from diagnosis to blinatumomab of {people_or_rows(len(patients), cohort)}, by group"
    sizes = patients["group"].value_counts()
    labels = {
        (column, group): _labels(stated, column, group, sizes.get(group, 0), width / len(shown))
        for column in _PANELS
        for group in shown
    }
    heads = {
        name: headed(look.name, sizes.get(name, 0), width / len(shown) - 1)
        for name, look in shown.items()
    }
    below = (max(map(len, heads.values())) + max(map(len, labels.values()))) * LINE + 3
    body = _HEIGHT + below if beside else 2 * (_HEIGHT + below) + 3
    note = "Every point is a row of the line list: filled with BCR::ABL1, hollow without. Line: median."
    if patients["bcr_abl1"].isna().any():
        note = note.replace("without", "without or where that is not recorded")
    as_bars = {
        (column, name)
        for column in _PANELS
        for name, members in by_group(patients, cohort, total=False)
        if crowded(members[column].dropna(), prod(_size(len(members))), width / len(shown))
    }
    if as_bars:
        note += " Where points have no room there are bars, as broad as there are patients."
    if any(said.startswith(OPEN) for said in stated.values()):
        note += " Open: no single number; line lists that satisfy the report differ."
    sheet = Sheet(WIDE, 1 + body, title, [note], cohort.face)
    alt = []
    panels = _PANELS | ({"age_years": _AGE} if cohort.reconstructed else {})
    for place, (column, label) in enumerate(panels.items()):
        right, down = (place, 0) if beside else (0, place)
        left, top = MARGIN + _LEFT + right * (width + _LEFT + 2), 1 + down * (_HEIGHT + below + 3)
        axis = sheet.axes(left, top, width, _HEIGHT)
        values = patients[column].dropna()
        log = column == "months_from_diagnosis" and min(values, default=0) > 0
        for number, (name, members) in enumerate(by_group(patients, cohort, total=False)):
            middle = stated[name, _CHARACTERISTIC[column], ""]
            given = members.dropna(subset=[column])
            if (column, name) in as_bars:
                bars_of(axis, number, given[column], shown[name], 0.35, log, zorder=0.5)
            else:
                _points(
                    axis,
                    number,
                    given[column],
                    given["bcr_abl1"].eq(True).fillna(False),
                    shown[name],
                )
            if len(given) and not middle.startswith(OPEN):
                half = float(median(given[column]))
                axis.plot(
                    [number - 0.35, number + 0.35],
                    [half, half],
                    color=MUTED,
                    linewidth=1.2,
                    zorder=1,
                )
            for line, words in enumerate(heads[name]):
                below_axes(axis, number, 1.5 + line * LINE, words, weight="bold")
            for line, words in enumerate(labels[column, name], start=len(heads[name])):
                below_axes(axis, number, 1.5 + line * LINE, words)
            alt.append(
                f"{name}, {label}: {len(given)} points, median {middle.replace('open, median', 'open,')}"
            )
        _scale(axis, values, log)
        axis.set_ylabel(label)
        axis.set_xlim(-0.5, len(shown) - 0.5)
        axis.set_xticks(range(len(shown)), [""] * len(shown))
    return sheet.picture("baseline", f"Dot plot in two panels. {'. '.join(alt)}.")


def _scale(axis: Axes, values: pd.Series, log: bool) -> None:
    least, most = min(values, default=0), max(values, default=1)
    if log:
        axis.set_yscale("log")
        ticks = [
            tick for tick in (0.1, 0.3, 1, 3, 10, 30, 100, 300) if least / 1.5 <= tick <= most * 1.5
        ]
        axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.set_yticks([], minor=True)
        axis.set_ylim(least / 1.5, most * 1.5)
    else:
        axis.set_ylim(0, max(most * 1.08, 1))


def _size(n: int) -> tuple[float, float]:
    """How large the points of so many patients are, in pt, and the room of each as a multiple of that."""
    return (4.4, _ROOM) if n <= 60 else (2.4, 1)


def _points(axis: Axes, number: int, values: pd.Series, filled: pd.Series, look: Look) -> None:
    if values.empty:
        return
    size, room = _size(len(values))
    seaborn.swarmplot(
        x=[number] * len(values),
        y=[*values],
        ax=axis,
        native_scale=True,
        marker=look.spaced(room),
        size=look.scale * size * room,
        linewidth=0.9,
        zorder=3,
    )
    points = axis.collections[-1]
    points.set_facecolor([look.colour if full else "white" for full in filled])
    points.set_edgecolor(look.colour)


def _labels(stated: dict, column: str, group: str, n: int, width: float) -> list[str]:
    """What stands below a group: `median 3.7`, `male 10/18`, `male open, 4 to 16`, on two lines where that is wide.

    Counts belong to no panel and stand in the first alone.
    """
    said = {"median": stated[group, _CHARACTERISTIC[column], ""]}
    if column == next(iter(_PANELS)):
        said |= {word: stated.get((group, *key), f"0/{n}") for word, key in _COUNTS.items()}
    if (missing := stated.get((group, _CHARACTERISTIC[column], NOT_RECORDED), "0")) != "0":
        said[NOT_RECORDED] = missing
    lines = []
    for word, text in said.items():
        if not text.startswith(OPEN):
            lines.append(f"{word} {text.partition(' ')[0]}")
            continue
        bounds = _BOUNDS.sub("", text.removeprefix(f"{OPEN}, ").removeprefix("median "))
        whole = f"{word} {OPEN}, {bounds}"
        lines += [whole] if text_width(whole) < width - 1 else [f"{word} {OPEN},", bounds]
    return lines
