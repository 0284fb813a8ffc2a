"""What a report leaves open: bounds over all line lists that satisfy it, in panels by unit."""

from __future__ import annotations

from math import ceil

import pandas as pd
from matplotlib.axes import Axes

from blina.figures.style import (
    INK,
    MARGIN,
    MUTED,
    RULE,
    WIDE,
    Look,
    Picture,
    Sheet,
    log_percent,
    looks,
    styled,
    text_width,
    tint,
    wrapped,
)
from blina.linelist.cohort import Cohort
from blina.measures.asking import UNITS
from blina.measures.choices import CLEARING
from blina.measures.declare import TOTAL

_ROW, _LINE, _HEAD, _TICKS = (
    4.4,
    2.9,
    5.2,
    4.8,
)  # mm: a row, each further line of its label, a heading, tick labels
_LEFT, _RIGHT, _GAP = (
    77.0,
    25.5,
    2.5,
)  # mm: the row labels, the bounds in words (or more), before each of them
_THICK, _THIN = 6.0, 3.0  # pt: the bar of a group, of groups together
_NARROW = 0.9  # mm: a shorter bar could hardly be seen
_LOG = "percent"
_REMARKS = {  # by column of the table: as the bounds say it, and what it means
    "sometimes_undefined": (
        "If anybody",
        "in some of these line lists there is nobody to compute it of",
    ),
    "unconfirmed": (
        "Unconfirmed",
        "the second solver has not confirmed that nothing lies beyond",
    ),
}


@styled
def determined(table: pd.DataFrame, cohort: Cohort) -> Picture:
    """Open numbers (180 mm): a panel per unit, a row per number, a bar from its least to its greatest value.

    `table` holds the open rows of `analysis.determined.answer_table`. A dot is the value in the
    line list at hand; it lies outside its bar where that line list does not satisfy the claims. Of
    a reconstructed cohort, whose line list is one of many, it is a ring without fill. Groups
    together have a thinner bar. Numbers of patients stand on a thin line from nobody to all who
    could be counted.
    """
    known = looks(cohort)
    pooled = [group.name for group in cohort.groups if group.purpose in CLEARING]
    if len(pooled) > 1:
        known[" + ".join(pooled)] = Look(" + ".join(known[name].name for name in pooled), MUTED, "d")
    known[TOTAL] = Look("All", MUTED, "d")
    width = WIDE - 2 * MARGIN - _LEFT - _GAP - max([_RIGHT, *map(text_width, table["text"])])
    panels = [(unit, rows) for unit in UNITS if len(rows := table[table["unit"] == unit])]
    labels = {unit: [_label(row, known) for row in rows.to_dict("records")] for unit, rows in panels}
    heights = {unit: sum(map(_height, labels[unit])) for unit, _ in panels}
    body = sum(_HEAD + heights[unit] + _TICKS for unit, _ in panels) if panels else _HEAD
    at_hand = "Dot: the value in this line list."
    if cohort.reconstructed:
        at_hand = "Ring: the line list shipped here, one of many, no estimate."
    note = (
        "Bar, thinner for groups together: from the least to the greatest value over all line lists that satisfy the "
        "report; no interval of chance, and nothing says where in it the truth lies. Thin line: from nobody to all who "
        "are counted. "
        f"{at_hand} FC and RT-PCR: by FC and, where a fusion gene is followed, by RT-PCR."
    )
    for column, (words, meaning) in _REMARKS.items():
        if table[column].any():
            note += f" {words}: {meaning}."
    title = "What the report leaves open: bounds over all line lists that satisfy it"
    sheet = Sheet(WIDE, body + 1, title, [note], cohort.face)
    top = 0.0
    if not panels:
        nothing = "No number to show: nothing that was asked is open, or the claims contradict each other."
        sheet.text(MARGIN, 1, nothing, va="top")
    for unit, rows in panels:
        sheet.text(MARGIN, top + 1, UNITS[unit], weight="bold", va="top")
        top += _HEAD
        axis = sheet.axes(MARGIN + _LEFT, top, width, heights[unit])
        _scale(axis, unit, rows, heights[unit])
        y = 0.0
        for row, lines in zip(rows.to_dict("records"), labels[unit], strict=True):
            _draw(axis, y + _ROW / 2, row, known[row["group"]], hollow=cohort.reconstructed)
            for number, line in enumerate(lines):
                sheet.text(
                    MARGIN + 1.5 + (2 if number else 0),
                    top + y + _ROW / 2 + _LINE * number,
                    line,
                    va="center",
                )
            sheet.text(MARGIN + _LEFT + width + _GAP, top + y + _ROW / 2, row["text"], va="center")
            y += _height(lines)
        top += heights[unit] + _TICKS
    return sheet.picture("determined", _alt(table))


def _label(row: dict, known: dict[str, Look]) -> list[str]:
    return wrapped(f"{known[row['group']].name}: {row['question']}", _LEFT - 5.5)


def _height(lines: list[str]) -> float:
    return _ROW + _LINE * (len(lines) - 1)


def _scale(axis: Axes, unit: str, rows: pd.DataFrame, height: float) -> None:
    axis.set(ylim=(height, 0), yticks=[])
    axis.spines["left"].set_visible(False)
    axis.tick_params(axis="x", pad=1.5)
    end = max(1.0, rows[["greatest", "here", "n_greatest"]].astype(float).max().max())
    if unit == _LOG:
        axis.set_xlim(0.008, max(125.0, end * 1.1))
        log_percent(axis, "x", 0.01, 100)
        return
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, ceil(end)) if end / step <= 8)
    last = ceil(end / step) * step
    axis.set_xlim(-0.012 * last, last * 1.012)
    ticks = range(0, last + 1, step)
    axis.set_xticks(ticks, map(str, ticks))


def _draw(axis: Axes, y: float, row: dict, look: Look, hollow: bool) -> None:
    """The bar, the dot or ring and, for numbers of patients, the line on which they stand."""
    if not pd.isna(row["n_greatest"]):
        axis.plot(
            [0, row["n_greatest"]],
            [y, y],
            color=RULE,
            linewidth=0.8,
            solid_capstyle="butt",
            zorder=1,
        )
    low, high = (axis.transData.transform((row[end], 0))[0] for end in ("least", "greatest"))
    shown = (high - low) / axis.figure.dpi * 25.4
    thick = _THIN if look.colour == MUTED else _THICK
    axis.plot(
        [row["least"], row["greatest"]],
        [y, y],
        color=tint(look.colour),
        linewidth=thick,
        solid_capstyle="butt",
        marker="s" if shown < _NARROW else "",
        markersize=min(thick, 5),
        markeredgewidth=0,
        zorder=2,
    )
    if pd.isna(row["here"]):
        return
    if hollow:
        axis.plot(
            [row["here"]],
            [y],
            marker="o",
            markersize=3.4,
            markerfacecolor="none",
            markeredgecolor=INK,
            markeredgewidth=0.7,
            zorder=3,
            clip_on=False,
        )
    else:
        axis.plot(
            [row["here"]],
            [y],
            marker=look.marker,
            markersize=5 * look.scale,
            color=look.colour,
            markeredgecolor="white",
            markeredgewidth=0.5,
            zorder=3,
            clip_on=False,
        )


def _alt(table: pd.DataFrame) -> str:
    said = [f"{row.group}, {row.question}, {row.text}" for row in table.itertuples()]
    panels = len(table["unit"].unique())
    return (
        f"{len(said)} numbers that the report leaves open, in {panels} panels by unit, each as a bar from its "
        f"least to its greatest value over all line lists that satisfy it: {'; '.join(said)}."
    )
