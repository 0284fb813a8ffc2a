"""MRD response with exact intervals, by group, rule and evaluable set."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from blina.analysis.response import ASSESSED, CLEARING, NO_RT_PCR, RULES, rates, sets_of
from blina.figures.style import (
    INK,
    MARGIN,
    MUTED,
    RULE,
    SHADE,
    SMALL,
    TALL,
    WIDE,
    Look,
    Picture,
    Sheet,
    draw_rate,
    looks,
    people,
    styled,
    text_width,
)
from blina.linelist.cohort import Cohort
from blina.measures.intervals import METHOD, rate_text

_ROW, _HEAD, _LEFT, _BETWEEN = (
    5.9,
    5.0,
    34.0,
    4.0,
)  # mm: a row, a block's heading, the row labels, between panels

_FRAME = 45.0  # mm: what stands above and below the rows, at most
_THICK, _THIN = 4.5, 3.0  # pt: the bar of an open rate of a group, of groups together


@styled
def response(
    patients: pd.DataFrame, mrd: pd.DataFrame, cohort: Cohort, table: pd.DataFrame | None = None
) -> Picture:
    """Response rates with exact intervals (180 mm): a panel per rule, a block per group, a row per evaluable set.

    Every row prints k/n, percent and interval; the rate that the report printed stands in bold on a shaded ground.
    Nobody evaluable: "0/0" without a point; RT-PCR not done after: words. Bridging groups state who stayed negative;
    groups taken together come last.
    `table` is that of `rates`, with the bounds of `analysis.open` where rows of it are open: those are drawn as a broad
    bar from the least to the greatest rate, without a point (a square where they are too near for a bar), on a thin
    line from the exact lower limit at the fewest to the exact upper limit at the most. Of many groups, those evaluable
    sets are left out, from the last on, for which a page has no room; a note names them.
    """
    table = rates(patients, mrd, cohort) if table is None else table
    shown = looks(cohort)
    pooled = " + ".join(
        shown[group.name].name for group in cohort.groups if group.purpose in CLEARING
    )
    blocks = [*table.groupby(["group", "measure", "is_pooled"], sort=False)]
    every = sets_of(table)
    most = int(((TALL - _FRAME) / len(blocks) - _HEAD) / _ROW)
    sets, left_out = every[:most], every[most:]
    height = (_HEAD + _ROW * len(sets)) * len(blocks)
    width = (WIDE - 2 * MARGIN - _LEFT - _BETWEEN * (len(RULES) - 1)) / len(RULES)
    title = f"MRD response under each rule and evaluable set, {people(len(patients))} by group"
    meanings = "; ".join(f"{rule.label}, {rule.meaning}" for rule in RULES)
    printed = bool(table["is_reported"].any())
    note = (
        f"k/n (percent, interval): {METHOD}. {'Shaded and bold: as printed. ' * printed}Rules: {meanings}. "
        "Positive before: by the assay of the rule; where the rule has both, by either. Severe stops: patients who "
        "stopped early for a severe reaction."
    )
    if ASSESSED in every:
        note += " Whoever was not assessed after is among the treated and counts as not negative."
    if left_out:
        note += f" Not shown for want of room: {'; '.join(one.label for one in left_out)}."
    if "open" in table and table["open"].any():
        note += (
            " Open, broad bar: from the least to the greatest rate over all line lists that satisfy the report; thin "
            "line: exact 95% limits at the fewest and at the most."
        )
    sheet = Sheet(WIDE, 5 + height + 9.5, title, [note], cohort.face)
    axes = [
        sheet.axes(MARGIN + _LEFT + (width + _BETWEEN) * place, 5, width, height)
        for place in range(len(RULES))
    ]
    for axis, rule in zip(axes, RULES, strict=True):
        axis.set_title(rule.label)
        axis.set(xlim=(-3, 103), ylim=(height, 0), yticks=[])
        axis.set_xticks([0, 25, 50, 75, 100], ["0", "25", "50", "75", "100"])
        axis.spines["left"].set_visible(False)
        axis.set_xlabel("patients negative after (%)")
    top = 0.0
    for (name, measure, is_pooled), rows in blocks:
        look = Look(pooled, MUTED, "d") if is_pooled else shown[name]
        heading = (
            f"{look.name} together, to compare rules" if is_pooled else f"{look.name}, {measure}"
        )
        sheet.text(MARGIN, 5 + top + 0.8, heading, weight="bold", va="top")
        top += _HEAD
        for evaluable in sets:
            sheet.text(MARGIN + 1.5, 5 + top + 1.5, evaluable.label, va="top")
            for axis, rule in zip(axes, RULES, strict=True):
                row = rows[
                    (rows["rule"] == rule.id) & (rows["evaluable_set"] == evaluable.id)
                ].iloc[0]
                _row(axis, top, row, look, width)
            top += _ROW
        for axis in axes:
            axis.axhline(top, color=RULE, linewidth=0.5)
    return sheet.picture("response", _alt(table, len(sets)))


def _row(axis: Axes, top: float, row: pd.Series, look: Look, width: float) -> None:
    if row["is_reported"]:
        axis.axhspan(top, top + _ROW, color=SHADE, linewidth=0, zorder=0)
    draw_rate(axis, top + 1.7, row, look, thick=_THIN if row["is_pooled"] else _THICK)
    said = rate_text(row["k"], row["n"]) if row["not_assessed"] else row["text"]
    if row.get("open", False) and text_width(said) > width + _BETWEEN - 1:
        said = said.partition(" (")[0]  # the bar says it in percent
    axis.text(
        50,
        top + 4.4,
        said,
        size=SMALL,
        ha="center",
        va="center",
        weight="bold" if row["is_reported"] else "normal",
        color=MUTED if row["text"] in ("0/0", NO_RT_PCR) else INK,
    )


def _alt(table: pd.DataFrame, sets: int) -> str:
    every = table[table["evaluable_set"] == "all_treated"]
    said = []
    for (name, measure), rows in every.groupby(["group", "measure"], sort=False):
        by_rule = [
            f"{rule.label} {row.text}{' as printed' if row.is_reported else ''}"
            for rule, row in zip(RULES, rows.itertuples(), strict=True)
        ]
        said.append(f"{name}, {measure}: {'; '.join(by_rule)}")
    return (
        f"Rates with exact intervals, a panel per rule, {sets} evaluable sets per group. "
        f"All treated: {'. '.join(said)}."
    )
