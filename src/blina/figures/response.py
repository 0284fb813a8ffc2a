"""MRD response with exact intervals, by group, rule and evaluable set."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import pandas as pd
from matplotlib.axes import Axes

from blina.analysis.study import Study
from blina.figures.shown import no_results, of_groups
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
    in_words,
    looks,
    people,
    span_note,
    styled,
    text_width,
)
from blina.measures.choices import (
    ALL_SETS,
    ALL_TREATED,
    ASSESSED,
    CLEARING,
    RULES,
    Choice,
    ResponseRule,
    choice,
)
from blina.measures.declare import pooled_groups
from blina.measures.intervals import METHOD

_ROW, _HEAD, _LEFT = 5.9, 5.0, 34.0  # mm: a row, a block's heading, the row labels
_BETWEEN, _ABOVE = 4.0, 5.0  # mm: between panels, above the rows
_FRAME = 45.0  # mm: what stands above and below the rows, at most
_THICK, _THIN = 4.5, 3.0  # pt: the span of a rate of a group, of groups together
_POSITIVE_BEFORE = choice(ALL_SETS, "positive_before")


@styled
def response(study: Study) -> Picture:
    """Response rates with exact intervals (180 mm): a panel per rule, a block per group, a row per evaluable set.

    Rates of groups treated to clear MRD lead with those positive before. Every row prints k/n,
    percent and interval; the rate that the report printed stands in bold on a shaded ground. Where
    the report leaves a rate open, or results are not recorded, a broad bar shows its span, without
    a point where there is no single rate. A rate of no patients is "0/0", one of which nobody was
    assessed has no point. A panel whose rule asks for a test that nobody had after holds a
    sentence. Bridging groups state who stayed negative; groups taken together come last. Of many
    groups, those evaluable sets are left out for which a page has no room; a note names them.
    """
    table = of_groups(study.rates().table, study)
    title = f"MRD response under each rule and evaluable set, {people(len(study.patients))} by group"
    if no_results(study.mrd, "FC", "after") and no_results(study.mrd, "RT-PCR", "after"):
        return _nothing(title, study)
    blocks = [*table.groupby(["group", "measure", "is_pooled"], sort=False)]
    every = _sets(table)
    most = max(1, int(((TALL - _FRAME) / len(blocks) - _HEAD) / _ROW))
    sets, left_out = every[:most], every[most:]
    height = (_HEAD + _ROW * len(sets)) * len(blocks)
    notes = [_note(table, every, left_out)]
    sheet = Sheet(WIDE, _ABOVE + height + 9.5, title, notes, study.cohort.face)
    axes = _panels(sheet, table, study, height)
    top = 0.0
    for (name, measure, is_pooled), rows in blocks:
        look = _pooled_look(study) if is_pooled else looks(study.cohort)[name]
        together = f"{look.name} together, to compare rules"
        heading = together if is_pooled else f"{look.name}, {measure}"
        sheet.text(MARGIN, _ABOVE + top + 0.8, heading, weight="bold", va="top")
        top += _HEAD
        clears = is_pooled or study.cohort.group(name).purpose in CLEARING
        for evaluable in _in_order(sets, clears):
            sheet.text(MARGIN + 1.5, _ABOVE + top + 1.5, evaluable.label, va="top")
            mine = rows[rows["evaluable_set"] == evaluable.id].set_index("rule", drop=False)
            for rule, axis in axes.items():
                _row(axis, top, mine.loc[rule], look)
            top += _ROW
        for axis in axes.values():
            axis.axhline(top, color=RULE, linewidth=0.5)
    return sheet.picture("response", _alt(table, len(sets), study))


def _nothing(title: str, study: Study) -> Picture:
    """The figure of a cohort of which no MRD after treatment is recorded."""
    sentence = "MRD after treatment is not recorded for any patient: no response can be stated."
    sheet = Sheet(WIDE, 6, title, [], study.cohort.face)
    sheet.text(MARGIN, 1, sentence, va="top")
    names = ", ".join(group.name for group in study.cohort.groups)
    return sheet.picture("response", f"{sentence} Groups: {names}.")


def _sets(table: pd.DataFrame) -> list[Choice]:
    """The evaluable sets of a table; those that a small page is to keep come first."""
    present = set(table["evaluable_set"])
    first = [ALL_TREATED, _POSITIVE_BEFORE]
    others = [one for one in ALL_SETS if one not in first]
    return [one for one in (*first, *others) if one.id in present]


def _in_order(sets: Sequence[Choice], clears: bool) -> list[Choice]:
    """The sets as a block shows them: rates of clearing lead with those who had MRD to clear."""
    if clears and _POSITIVE_BEFORE in sets:
        return [_POSITIVE_BEFORE, *(one for one in sets if one != _POSITIVE_BEFORE)]
    return [one for one in ALL_SETS if one in sets]


def _pooled_look(study: Study) -> Look:
    shown = looks(study.cohort)
    names = [shown[group.name].name for group in pooled_groups(study.cohort)]
    return Look(" + ".join(names), MUTED, "d")


def _width() -> float:
    """How wide a panel is, in mm."""
    return (WIDE - 2 * MARGIN - _LEFT - _BETWEEN * (len(RULES) - 1)) / len(RULES)


def _panels(sheet: Sheet, table: pd.DataFrame, study: Study, height: float) -> dict[str, Axes]:
    """The axes of every rule that has rates; a rule that has none holds a sentence."""
    axes = {}
    for place, rule in enumerate(RULES):
        left = MARGIN + _LEFT + (_width() + _BETWEEN) * place
        sentence = _why_empty(rule, table, study)
        axis = sheet.axes(left, _ABOVE, _width(), height)
        axis.set_title(rule.label)
        if sentence:
            in_words(axis, sentence, _width() - 2)
            continue
        axes[rule.id] = axis
        axis.set(xlim=(-3, 103), ylim=(height, 0), yticks=[])
        axis.set_xticks([0, 25, 50, 75, 100], ["0", "25", "50", "75", "100"])
        axis.spines["left"].set_visible(False)
        axis.set_xlabel("patients negative after (%)")
    return axes


def _why_empty(rule: ResponseRule, table: pd.DataFrame, study: Study) -> str:
    """Why a rule has no rate in any group, "" where it has some."""
    without_fc = no_results(study.mrd, "FC", "after")
    without_pcr = no_results(study.mrd, "RT-PCR", "after")
    if rule.id == "fc":
        return without_fc
    if rule.id == "pcr":
        return without_pcr
    has_rates = table.loc[table["rule"] == rule.id, "stated"].any()
    return without_fc or ("" if has_rates else without_pcr)


def _note(table: pd.DataFrame, every: Sequence[Choice], left_out: Sequence[Choice]) -> str:
    meanings = "; ".join(f"{rule.label}, {rule.meaning}" for rule in RULES)
    note = f"k/n (percent, interval): {METHOD}."
    if table["is_reported"].any():
        note += " Shaded and bold: as printed."
    note += (
        f" Rules: {meanings}. Positive before: by the assay of the rule; where the rule has both, by "
        "either. Severe stops: patients who stopped early for a severe reaction."
    )
    if ASSESSED in every:
        note += " Whoever was not assessed after is among the treated and counts as not negative."
    if left_out:
        note += f" Not shown for want of room: {'; '.join(one.label for one in left_out)}."
    return f"{note} {span_note(table)}".rstrip()


def _row(axis: Axes, top: float, row: pd.Series, look: Look) -> None:
    if row["is_reported"]:
        axis.axhspan(top, top + _ROW, color=SHADE, linewidth=0, zorder=0)
    drawn, words = row.to_dict(), row["plain"]
    if _none_assessed(row):
        drawn["percent"] = nan
        words = f"0 of {row['n']} assessed after"
    draw_rate(axis, top + 1.7, drawn, look, thick=_THIN if row["is_pooled"] else _THICK)
    if row["open"] and text_width(words) > _width() + _BETWEEN - 1:
        words = row["short"]  # the bar says it in percent
    is_empty = pd.notna(row["n"]) and row["n"] == 0
    axis.text(
        50,
        top + 4.4,
        words,
        size=SMALL,
        ha="center",
        va="center",
        weight="bold" if row["is_reported"] else "normal",
        color=MUTED if is_empty else INK,
    )


def _none_assessed(row: pd.Series) -> bool:
    """Whether a rate has patients, but none with a result by its rule: then it is no rate of 0%."""
    return bool(pd.notna(row["n"]) and row["n"] > 0 and row["not_assessed"] == row["n"])


def _alt(table: pd.DataFrame, sets: int, study: Study) -> str:
    parts = [f"Rates with exact intervals, a panel per rule, {sets} evaluable sets per group"]
    for (name, measure, is_pooled), rows in table.groupby(["group", "measure", "is_pooled"], sort=False):
        clears = is_pooled or study.cohort.group(name).purpose in CLEARING
        for evaluable in (_POSITIVE_BEFORE, ALL_TREATED) if clears else (ALL_TREATED,):
            mine = rows[rows["evaluable_set"] == evaluable.id]
            parts.append(f"{name}, {measure}, {evaluable.label}: {_by_rule(mine)}")
    return f"{'. '.join(parts)}."


def _by_rule(rows: pd.DataFrame) -> str:
    """The rates of an evaluable set by every rule, in words."""
    texts = []
    for row in rows.itertuples():
        text = f"{choice(RULES, row.rule).label} {row.text}"
        texts.append(f"{text} as printed" if row.is_reported else text)
    return "; ".join(texts)
