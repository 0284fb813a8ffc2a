"""FC against RT-PCR in patients with a fusion gene: two by two, before and after, by group."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from blina.analysis.study import Study
from blina.figures.shown import no_results, of_groups
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
from blina.measures.declare import AGREE, CELLS, MISSED, TIMES
from blina.measures.intervals import METHOD
from blina.measures.text import OPEN_WORD

_HEAD, _NAMES = 4.0, 18.0  # mm: heading of a group, row names
_WIDTH, _HEIGHT, _BAR, _PAD = 26.0, 8.0, 2.0, 1.2  # mm: a cell, its bar, from its edge
_GAP, _BETWEEN = 3.0, 3.0  # mm: between tables, between groups
_TABLE = 2 * _HEIGHT + LINE + 1  # two rows of cells and the line on agreement
_TOP = 2 * LINE + 2.5  # what stands above the columns
_LEFT = {time: MARGIN + _NAMES + place * (2 * _WIDTH + _GAP) for place, time in enumerate(TIMES)}
_START = _LEFT["after"] + 2 * _WIDTH + _GAP  # of the rates
_ACROSS = WIDE - MARGIN - 1.5 - _START
_TITLE = "FC against RT-PCR before and after blinatumomab, patients with a fusion gene followed, by group"

Rows = dict[tuple[str, str, str], dict]  # by group, time and what is counted


@styled
def assay_concordance(study: Study) -> Picture:
    """FC by RT-PCR in patients whom RT-PCR follows (180 mm): per group two tables of four cells, before and after.

    Every cell prints k/n, over a bar of that share; the one in which only RT-PCR is positive has a
    thick frame and a full bar. Below a table: in how many both agree. On the right: RT-PCR positive
    among FC negative after, with exact interval. A group without such patients says so; where no
    patient has a result by RT-PCR there is one sentence. Bars of open cells are hatched from the
    least to the greatest share, and an open rate is a broad bar on a thin line, as in the figure of
    response.
    """
    rows = _rows(study)
    shown = looks(study.cohort)
    nothing = no_results(study.mrd, "RT-PCR")
    if nothing:
        sheet = Sheet(WIDE, 6, _TITLE, [], study.cohort.face)
        sheet.text(MARGIN, 1, nothing, va="top")
        return sheet.picture("assay-concordance", f"{nothing} Groups: {', '.join(shown)}.")
    sizes = {name: _size(rows, name) for name in shown}
    some = any(greatest for _, greatest in sizes.values())
    blocks = {}
    for name, (_, greatest) in sizes.items():
        blocks[name] = (_HEAD + _TABLE if greatest else LINE) + _BETWEEN
    first = _TOP if some else 0
    body = first + sum(blocks.values())
    notes = [_note(rows)] if some else []
    sheet = Sheet(WIDE, body + (9.5 if some else 0), _TITLE, notes, study.cohort.face)
    axis = None
    if some:
        axis = sheet.axes(_START, _TOP, _ACROSS, body - _TOP)
        _scale(axis, body - _TOP)
        _above(sheet)
    top = first
    for number, (name, look) in enumerate(shown.items()):
        everyone = people(int((study.patients["group"] == name).sum()))
        size = _size_in_words(sizes[name])
        heading = f"{look.name}, n = {size} of {everyone} with a fusion gene followed"
        if not sizes[name][1]:
            sheet.text(MARGIN, top, f"{heading}: nothing to compare", va="top")
        else:
            sheet.text(MARGIN, top, heading, weight="bold", va="top")
            _tables(sheet, top + _HEAD, rows, name, look, number)
            rate = rows[name, "after", MISSED]
            _missed(axis, top - _TOP + _HEAD + _HEIGHT * 1.5, rate, look)
        top += blocks[name]
    return sheet.picture("assay-concordance", _alt(rows, sizes))


def _rows(study: Study) -> Rows:
    rows = {}
    for row in of_groups(study.concordance().table, study).to_dict("records"):
        rows[row["group"], row["time"], row["counted"]] = row
    return rows


def _note(rows: Rows) -> str:
    note = (
        f"k/n (percent, interval): patients with results by both assays; {METHOD}. Thick frame: negative "
        "by FC, positive by RT-PCR. A full bar is 100%."
    )
    if any(row["open"] for row in rows.values()):
        note += (
            " Open, hatched or broad bar: from the least to the greatest share over all line lists that "
            "satisfy the report."
        )
    return note


def _above(sheet: Sheet) -> None:
    """What stands above the tables and above the rates."""
    for time, x in _LEFT.items():
        sheet.text(x, 0, time, weight="bold", va="top")
        for column, words in enumerate(("RT-PCR positive", "RT-PCR negative")):
            sheet.text(x + _WIDTH * (column + 0.5), LINE + 0.5, words, ha="center", va="top")
    sheet.text(_START, 0, "after: RT-PCR positive among", weight="bold", va="top")
    sheet.text(_START, LINE, "those negative by FC", weight="bold", va="top")


def _size(rows: Rows, name: str) -> tuple[int, int]:
    """The fewest and the most patients with results by both assays, before or after (the more)."""
    times = [rows[name, time, AGREE] for time in TIMES]
    least = max(int(row["n_least"]) for row in times)
    return least, max(int(row["n_greatest"]) for row in times)


def _size_in_words(size: tuple[int, int]) -> str:
    least, greatest = size
    return str(least) if least == greatest else f"{OPEN_WORD}, {least} to {greatest}"


def _scale(axis: Axes, height: float) -> None:
    axis.set(xlim=(-3, 103), ylim=(height, 0), yticks=[])
    axis.set_xticks([0, 25, 50, 75, 100], ["0", "25", "50", "75", "100"])
    axis.grid(axis="x", color=SHADE, linewidth=0.6)
    axis.spines["left"].set_visible(False)
    axis.set_xlabel("RT-PCR positive (%)")


def _tables(sheet: Sheet, top: float, rows: Rows, name: str, look: Look, number: int) -> None:
    """The two tables of a group, with the names of their rows."""
    for line, words in enumerate(("FC positive", "FC negative")):
        sheet.text(MARGIN + 1.5, top + _HEIGHT * (line + 0.5), words, va="center")
    sheet.text(MARGIN + 1.5, top + 2 * _HEIGHT + 0.8, "both agree", va="top")
    for time, left in _LEFT.items():
        for place, (cell, (fc, pcr)) in enumerate(CELLS.items()):
            x = left if pcr == "positive" else left + _WIDTH
            y = top if fc == "positive" else top + _HEIGHT
            only_pcr = (fc, pcr) == ("negative", "positive")
            gid = f"{number}-{time}-{place}"
            _cell(sheet, x, y, rows[name, time, cell], look, only_pcr, gid)
        agree = rows[name, time, AGREE]
        words = _fitting(agree["text"], agree["short"], 2 * _WIDTH)
        sheet.text(left + _WIDTH, top + 2 * _HEIGHT + 0.8, words, ha="center", va="top")


def _cell(sheet: Sheet, x: float, y: float, row: dict, look: Look, only_pcr: bool, gid: str) -> None:
    """One cell: its frame, its count and its bar; `gid` names its boxes."""
    frame = {"edgecolor": RULE, "linewidth": 0.6, "zorder": 1}
    if only_pcr:
        frame = {"edgecolor": INK, "linewidth": 1.6, "zorder": 2}
    sheet.box(x, y, _WIDTH, _HEIGHT, gid=gid, facecolor="none", **frame)
    full, at = _WIDTH - 2 * _PAD, y + _HEIGHT - _PAD - _BAR
    least, greatest = _span(row)
    edge = {"edgecolor": look.colour, "linewidth": 0.6}
    if least:
        face = look.colour if only_pcr else tint(look.colour)
        sheet.box(x + _PAD, at, full * least, _BAR, gid=f"{gid}-least", facecolor=face, **edge)
    if greatest > least:
        start, length = x + _PAD + full * least, full * (greatest - least)
        hatched = {"facecolor": "white", "hatch": "//////"} | edge
        sheet.box(start, at, length, _BAR, gid=f"{gid}-open", **hatched)
    shorter = f"{OPEN_WORD}, {row['bounds']}" if row["open"] else row["bounds"]
    count = _fitting(row["short"], shorter, _WIDTH - 1)
    weight = "bold" if only_pcr and not row["open"] else "normal"
    middle = y + (_HEIGHT - _PAD - _BAR) / 2 + 0.3
    sheet.text(x + _WIDTH / 2, middle, count, ha="center", va="center", weight=weight)


def _fitting(words: str, shorter: str, width: float) -> str:
    """The words, or shorter ones where they are wider than so many mm."""
    return words if text_width(words) < width else shorter


def _span(row: dict) -> tuple[float, float]:
    """Least and greatest share, the same twice where it is not open; 0 of no patients."""
    if pd.isna(row["percent_least"]):
        return 0.0, 0.0
    return row["percent_least"] / 100, row["percent_greatest"] / 100


def _missed(axis: Axes, y: float, row: dict, look: Look) -> None:
    """The rate on the right, and below it in words."""
    draw_rate(axis, y, row, look)
    words = "nobody negative by FC"
    if row["n_greatest"]:
        words = _fitting(row["text"], row["short"], _ACROSS)
    axis.text(50, y + 3, words, size=SMALL, ha="center", va="center")


def _alt(rows: Rows, sizes: dict[str, tuple[int, int]]) -> str:
    parts = []
    for name, (least, greatest) in sizes.items():
        if not greatest:
            parts.append(f"{name}: nobody with a fusion gene followed")
            continue
        many = people(least) if least == greatest else f"{_size_in_words((least, greatest))} patients"
        parts.append(f"{name}, {many} with a fusion gene followed")
        for time in TIMES:
            mine = [(cell, rows[name, time, cell]) for cell in CELLS]
            cells = [f"{cell} {row['short']}" for cell, row in mine if row["open"] or row["k"]]
            agree = rows[name, time, AGREE]["short"]
            parts.append(f"{time.capitalize()}: {'; '.join(cells)}; {AGREE} {agree}")
        parts.append(f"{MISSED} after: {rows[name, 'after', MISSED]['text']}")
    tables = "Two by two tables of FC by RT-PCR, before and after"
    return f"{tables}. {'. '.join(parts)}. All other cells 0."
