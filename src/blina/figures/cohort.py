"""Who was treated: age and the way to treatment, every patient a point."""

from __future__ import annotations

from math import prod

import pandas as pd
import seaborn
from matplotlib.axes import Axes

from blina.analysis.cohort import by_group
from blina.analysis.study import Study
from blina.figures.shown import of_groups
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
    in_words,
    looks,
    people_or_rows,
    styled,
    text_width,
    wrapped,
)
from blina.linelist.cohort import Cohort
from blina.measures.declare import NOT_RECORDED
from blina.measures.text import OPEN_WORD

_PANELS = {
    "age_years": "age at first infusion (years)",
    "months_from_diagnosis": "diagnosis to first infusion (months)",
}
_AGE = "age (years)"  # of a reconstructed cohort, whose report does not say when
_CHARACTERISTIC = {"age_years": "age", "months_from_diagnosis": "diagnosis to first infusion"}
_COUNTS = {"male": ("sex", "male"), "BCR::ABL1": ("BCR::ABL1", "found")}
_SIDE_BY_SIDE = 3  # groups up to which the panels stand side by side
_HEIGHT, _LEFT = 58.0, 11.0  # mm
_ROOM = 1.4  # of a point, as a multiple of its size: the corners of diamonds stay apart


@styled
def baseline(study: Study) -> Picture:
    """Age and interval from diagnosis by group (180 mm): every patient a point, the median a line.

    Filled points carry BCR::ABL1. Points that have no room (`style.crowded`) are drawn as bars, as
    broad as there are patients. Whoever lacks a value has no point, and their number is printed;
    where nobody has one, a sentence says so. Below each group: n and the median; in the first panel
    boys and carriers too, as k/n. Intervals stand on a log axis unless one of them is 0. Open
    numbers print their bounds, and an open median draws no line.
    """
    patients, cohort = study.patients, study.cohort
    described = _described(study)
    shown = looks(cohort)
    beside = len(shown) <= _SIDE_BY_SIDE
    width = (WIDE - 2 * MARGIN) / 2 - _LEFT - 1 if beside else WIDE - 2 * MARGIN - _LEFT
    room = width / len(shown)
    title = f"Age and time from diagnosis to blinatumomab of {people_or_rows(len(patients), cohort)}, by group"
    heads, labels = {}, {}
    for name, members in by_group(patients, cohort, total=False):
        heads[name] = headed(shown[name].name, len(members), room - 1)
        for column in _PANELS:
            labels[column, name] = _labels(described, column, name, len(members), room)
    below = LINE * (max(map(len, heads.values())) + max(map(len, labels.values()))) + 3
    body = _HEIGHT + below if beside else 2 * (_HEIGHT + below) + 3
    as_bars = _as_bars(patients, cohort, room)
    notes = [_note(patients, as_bars, described)]
    sheet = Sheet(WIDE, 1 + body, title, notes, cohort.face)
    alt = []
    panels = _PANELS | ({"age_years": _AGE} if cohort.reconstructed else {})
    for place, (column, label) in enumerate(panels.items()):
        right, down = (place, 0) if beside else (0, place)
        left = MARGIN + _LEFT + right * (width + _LEFT + 2)
        axis = sheet.axes(left, 1 + down * (_HEIGHT + below + 3), width, _HEIGHT)
        values = patients[column].dropna()
        log = column == "months_from_diagnosis" and min(values, default=0) > 0
        for number, (name, members) in enumerate(by_group(patients, cohort, total=False)):
            given = members.dropna(subset=[column])
            if (column, name) in as_bars:
                bars_of(axis, number, given[column], shown[name], 0.35, log, zorder=0.5)
            else:
                filled = given["bcr_abl1"].eq(True).fillna(False)
                _points(axis, number, given[column], filled, shown[name])
            row = described[name, _CHARACTERISTIC[column], ""]
            if len(given) and pd.notna(row["value"]):
                ends, half = [number - 0.35, number + 0.35], row["value"]
                axis.plot(ends, [half, half], color=MUTED, linewidth=1.2, zorder=1)
            for line, words in enumerate(heads[name]):
                below_axes(axis, number, 1.5 + line * LINE, words, weight="bold")
            for line, words in enumerate(labels[column, name], start=len(heads[name])):
                below_axes(axis, number, 1.5 + line * LINE, words)
            alt.append(f"{name}, {label}: {len(given)} points, {_median_in_words(row)}")
        _scale(axis, values, log)
        axis.set_ylabel(label)
        axis.set_xlim(-0.5, len(shown) - 0.5)
        axis.set_xticks(range(len(shown)), [""] * len(shown))
        if values.empty:
            words = _CHARACTERISTIC[column].capitalize()
            in_words(axis, f"{words} is not recorded for any patient.", width)
    return sheet.picture("baseline", f"Dot plot in two panels. {'. '.join(alt)}.")


Described = dict[tuple[str, str, str], dict]  # rows by group, characteristic and level


def _described(study: Study) -> Described:
    rows = of_groups(study.baseline().table, study).to_dict("records")
    return {(row["group"], row["characteristic"], row["level"]): row for row in rows}


def _as_bars(patients: pd.DataFrame, cohort: Cohort, room: float) -> set[tuple[str, str]]:
    """Panels (by column) and groups whose points have no room in so many mm."""
    found = set()
    for column in _PANELS:
        for name, members in by_group(patients, cohort, total=False):
            if crowded(members[column].dropna(), prod(_size(len(members))), room):
                found.add((column, name))
    return found


def _note(patients: pd.DataFrame, as_bars: set[tuple[str, str]], described: Described) -> str:
    hollow = "hollow without"
    if patients["bcr_abl1"].isna().any():
        hollow = "hollow without or where that is not recorded"
    note = f"Every point is a row of the line list: filled with BCR::ABL1, {hollow}. Line: median."
    if as_bars:
        note += " Where points have no room there are bars, as broad as there are patients."
    printed = {*_CHARACTERISTIC.values(), *(name for name, _ in _COUNTS.values())}
    if any(row["open"] for row in described.values() if row["characteristic"] in printed):
        note += " Open: no single number; line lists that satisfy the report differ."
    return note


def _median_in_words(row: dict) -> str:
    """The median with its range, for the alt text."""
    if row["open"]:
        return f"median {row['short']}"
    return f"median {row['text']}"


def _scale(axis: Axes, values: pd.Series, log: bool) -> None:
    least, most = min(values, default=0), max(values, default=1)
    if log:
        axis.set_yscale("log")
        ticks = [tick for tick in (0.1, 0.3, 1, 3, 10, 30, 100, 300) if least / 1.5 <= tick <= most * 1.5]
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


def _labels(described: Described, column: str, group: str, n: int, width: float) -> list[str]:
    """What stands below a group: `median 3.7`, `male 10/18`, `male open, 4 to 16`, on two lines where that is wide.

    Counts belong to no panel and stand in the first alone.
    """
    characteristic = _CHARACTERISTIC[column]
    lines = _label("median", described[group, characteristic, ""], width)
    if column == next(iter(_PANELS)):
        for word, (name, level) in _COUNTS.items():
            row = described.get((group, name, level))
            if row is None:
                row = _absent_level(described.get((group, name, NOT_RECORDED)), n)
            lines += _label(word, row, width)
    lacking = described.get((group, characteristic, NOT_RECORDED))
    if lacking is not None and lacking["value"]:
        lines.append(f"{NOT_RECORDED} {lacking['short']}")
    return lines


def _absent_level(lacking: dict | None, n: int) -> dict:
    """What is known of a level that no patient is recorded to have."""
    unknown = 0 if lacking is None else int(lacking["value"])
    if not unknown:
        return {"open": False, "short": f"0/{n}"}
    return {"open": False, "short": NOT_RECORDED if unknown == n else f"0 to {unknown} of {n}"}


def _label(word: str, row: dict, width: float) -> list[str]:
    """A number with its name, on two lines where it is too wide for one."""
    is_open = row["open"] and not pd.notna(row.get("value"))
    head, number = (f"{word} {OPEN_WORD},", row["bounds"]) if is_open else (word, row["short"])
    whole = f"{head} {number}"
    if text_width(whole) < width - 1:
        return [whole]
    return [head, *wrapped(number, width - 1)]
