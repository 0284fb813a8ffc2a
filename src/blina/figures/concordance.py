"""FC against RT-PCR in patients with a fusion gene: two by two, before and after, by group."""

from __future__ import annotations

import re

import pandas as pd
from matplotlib.axes import Axes

from blina.analysis.open import OPEN
from blina.analysis.response import AGREE, CELLS, MISSED, concordance
from blina.figures.style import (
    INK,
    LINE,
    MARGIN,
    RULE,
    SHADE,
    SMALL,
    WIDE,
    Look,
    Picture,
    Sheet,
    draw_rate,
    looks,
    people,
    styled,
    text_width,
    tint,
)
from blina.linelist.cohort import Cohort
from blina.measures.intervals import METHOD

# mm: heading of a group, a cell, row names, between tables, between groups, bar of a cell, from the edge of a cell
_HEAD, _WIDTH, _HEIGHT, _NAMES, _GAP, _BETWEEN, _BAR, _PAD = (
    4.0,
    26.0,
    8.0,
    18.0,
    3.0,
    3.0,
    2.0,
    1.2,
)
_TABLE = 2 * _HEIGHT + LINE + 1  # two rows of cells and the line on agreement
_TOP = 2 * LINE + 2.5  # what stands above the columns


@styled
def assay_concordance(
    patients: pd.DataFrame, mrd: pd.DataFrame, cohort: Cohort, table: pd.DataFrame | None = None
) -> Picture:
    """FC by RT-PCR in patients whom RT-PCR follows (180 mm): per group two tables of four cells, before and after.

    Every cell prints k/n, over a bar of that share; the one in which only RT-PCR is positive has a thick frame and a
    full bar. Below a table: in how many both agree. On the right: RT-PCR positive among FC negative after, with exact
    interval. A group without such patients says so. `table` is that of `concordance`, with the bounds of
    `analysis.open` where rows of it are open: their bars are hatched from the least to the greatest share, and a rate
    is a broad bar on a thin line, as in the figure of response.
    """
    table = concordance(patients, mrd, cohort) if table is None else table
    shown = looks(cohort)
    rows = {
        key: row
        for key, row in zip(
            table[["group", "time", "counted"]].itertuples(index=False, name=None),
            table.to_dict("records"),
            strict=True,
        )
    }
    sizes = {name: _size(rows, name) for name in shown}
    some = any(sizes.values())
    blocks = {name: (_HEAD + _TABLE if sizes[name] else LINE) + _BETWEEN for name in shown}
    first = _TOP if some else 0
    body = first + sum(blocks.values())
    note = (
        f"k/n (percent, interval): patients with results by both assays; {METHOD}. Thick frame: negative by FC, "
        "positive by RT-PCR. A full bar is 100%."
    )
    if "open" in table and table["open"].any():
        note += (
            " Open, hatched or broad bar: from the least to the greatest share over all line lists that satisfy the "
            "report."
        )
    title = "FC against RT-PCR before and after blinatumomab, patients with a fusion gene followed, by group"
    left = {
        time: MARGIN + _NAMES + place * (2 * _WIDTH + _GAP)
        for place, time in enumerate(("before", "after"))
    }
    start = left["after"] + 2 * _WIDTH + _GAP
    width = WIDE - MARGIN - 1.5 - start
    sheet = Sheet(WIDE, body + (9.5 if some else 0), title, [note] if some else [], cohort.face)
    if some:
        axis = sheet.axes(start, _TOP, width, body - _TOP)
        _scale(axis, body - _TOP)
        _above(sheet, left, start)
    top = first
    for number, (name, look) in enumerate(shown.items()):
        everyone = people(int((patients["group"] == name).sum()))
        heading = f"{look.name}, n = {sizes[name]} of {everyone} with a fusion gene followed"
        if not sizes[name]:
            sheet.text(MARGIN, top, f"{heading}: nothing to compare", va="top")
        else:
            sheet.text(MARGIN, top, heading, weight="bold", va="top")
            for line, words in enumerate(("FC positive", "FC negative")):
                sheet.text(MARGIN + 1.5, top + _HEAD + _HEIGHT * (line + 0.5), words, va="center")
            sheet.text(MARGIN + 1.5, top + _HEAD + 2 * _HEIGHT + 0.8, "both agree", va="top")
            for time, x in left.items():
                mine = {
                    counted: row
                    for (group, at, counted), row in rows.items()
                    if (group, at) == (name, time)
                }
                _two_by_two(sheet, x, top + _HEAD, mine, look, f"{number}-{time}")
            _missed(
                axis, top - _TOP + _HEAD + _HEIGHT * 1.5, rows[name, "after", MISSED], look, width
            )
        top += blocks[name]
    return sheet.picture("assay-concordance", _alt(rows, sizes))


def _above(sheet: Sheet, left: dict[str, float], start: float) -> None:
    """What stands above the tables and above the rates."""
    for time, x in left.items():
        sheet.text(x, 0, time, weight="bold", va="top")
        for column, words in enumerate(("RT-PCR positive", "RT-PCR negative")):
            sheet.text(x + _WIDTH * (column + 0.5), LINE + 0.5, words, ha="center", va="top")
    sheet.text(start, 0, "after: RT-PCR positive among", weight="bold", va="top")
    sheet.text(start, LINE, "those negative by FC", weight="bold", va="top")


def _size(rows: dict, name: str) -> int | str:
    """How many patients of a group have results by both assays, before or after, whichever are more."""
    numbers = [rows[name, time, AGREE]["n"] for time in ("before", "after")]
    return OPEN if any(map(pd.isna, numbers)) else max(numbers)


def _scale(axis: Axes, height: float) -> None:
    axis.set(xlim=(-3, 103), ylim=(height, 0), yticks=[])
    axis.set_xticks([0, 25, 50, 75, 100], ["0", "25", "50", "75", "100"])
    axis.grid(axis="x", color=SHADE, linewidth=0.6)
    axis.spines["left"].set_visible(False)
    axis.set_xlabel("RT-PCR positive (%)")


def _short(row: dict) -> str:
    """A proportion without percent and interval: "5/6", "open, 3 to 4 of 6"."""
    return row["text"].partition(" (")[0]


def _two_by_two(sheet: Sheet, left: float, top: float, rows: dict, look: Look, gid: str) -> None:
    """One table of four cells and the line on agreement below; `gid` names its boxes."""
    full = _WIDTH - 2 * _PAD
    for number, (cell, (fc, pcr)) in enumerate(CELLS.items()):
        row, x, y = (
            rows[cell],
            left + _WIDTH * (pcr == "negative"),
            top + _HEIGHT * (fc == "negative"),
        )
        only_pcr = (fc, pcr) == ("negative", "positive")
        sheet.box(
            x,
            y,
            _WIDTH,
            _HEIGHT,
            gid=f"{gid}-{number}",
            facecolor="none",
            edgecolor=INK if only_pcr else RULE,
            linewidth=1.6 if only_pcr else 0.6,
            zorder=2 if only_pcr else 1,
        )
        least, greatest = _span(row)
        at, bar = y + _HEIGHT - _PAD - _BAR, {"edgecolor": look.colour, "linewidth": 0.6}
        if least:
            sheet.box(
                x + _PAD,
                at,
                full * least / 100,
                _BAR,
                gid=f"{gid}-{number}-least",
                facecolor=look.colour if only_pcr else tint(look.colour),
                **bar,
            )
        if greatest > least:
            sheet.box(
                x + _PAD + full * least / 100,
                at,
                full * (greatest - least) / 100,
                _BAR,
                gid=f"{gid}-{number}-open",
                facecolor="white",
                hatch="//////",
                **bar,
            )
        count = _fitting(_short(row), re.split(" of |, among ", _short(row))[0], _WIDTH - 1)
        sheet.text(
            x + _WIDTH / 2,
            y + (_HEIGHT - _PAD - _BAR) / 2 + 0.3,
            count,
            ha="center",
            va="center",
            weight="bold" if only_pcr and not row.get("open", False) else "normal",
        )
    agree = _fitting(rows[AGREE]["text"], _short(rows[AGREE]), 2 * _WIDTH)
    sheet.text(left + _WIDTH, top + 2 * _HEIGHT + 0.8, agree, ha="center", va="top")


def _fitting(words: str, shorter: str, width: float) -> str:
    """The words, or shorter ones where they are wider than so many mm."""
    return words if text_width(words) < width else shorter


def _span(row: dict) -> tuple[float, float]:
    """Least and greatest share of a row in %, the same twice where it is not open; 0 of nobody."""
    ends = (
        (row["percent_least"], row["percent_greatest"])
        if row.get("open", False)
        else (row["percent"],) * 2
    )
    return (0.0, 0.0) if any(map(pd.isna, ends)) else ends


def _missed(axis: Axes, y: float, row: dict, look: Look, width: float) -> None:
    """The rate on the right, and below it in words."""
    draw_rate(axis, y, row, look)
    said = (
        _fitting(row["text"], _short(row), width)
        if row.get("open", False) or row["n"]
        else "nobody negative by FC"
    )
    axis.text(50, y + 3, said, size=SMALL, ha="center", va="center")


def _alt(rows: dict, sizes: dict[str, int | str]) -> str:
    said = []
    for name, size in sizes.items():
        if not size:
            said.append(f"{name}: nobody with a fusion gene followed")
            continue
        said.append(f"{name}, {people(size)} with a fusion gene followed")
        for time in ("before", "after"):
            cells = [
                f"{cell} {_short(rows[name, time, cell])}"
                for cell in CELLS
                if _occurs(rows[name, time, cell])
            ]
            said.append(
                f"{time.capitalize()}: {'; '.join(cells)}; {AGREE} {_short(rows[name, time, AGREE])}"
            )
        said.append(f"{MISSED} after: {rows[name, 'after', MISSED]['text']}")
    return f"Two by two tables of FC by RT-PCR, before and after. {'. '.join(said)}. All other cells 0."


def _occurs(row: dict) -> bool:
    return row["text"].startswith(OPEN) or bool(row["k"])
