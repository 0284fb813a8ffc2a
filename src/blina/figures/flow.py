"""Who was treated, how treatment ended and what came of it: the flow of patients."""

from __future__ import annotations

import pandas as pd

from blina.analysis.safety import STOP_WORDS
from blina.analysis.study import Study
from blina.figures.shown import of_groups
from blina.figures.style import (
    INK,
    LINE,
    MARGIN,
    MUTED,
    SMALL,
    WIDE,
    Picture,
    Sheet,
    headed,
    looks,
    people,
    styled,
    text_width,
    wrapped,
    written,
)
from blina.linelist.cohort import Cohort, Group
from blina.measures.choices import ALL_SETS, ALL_TREATED
from blina.measures.text import NO_RT_PCR, OPEN_WORD
from blina.measures.views import FLOW_COLUMNS

_SETS = "evaluable sets"
_STAGES = ("treated", "MRD before", "end of cycle 1", _SETS, "MRD after")
_WORDS = STOP_WORDS | {"treated": "safety set (any dose of drug)"}
_RULE = "fc_and_pcr"  # by which the evaluable sets are stated
_SAME_AS_TREATED = "severe_stops_failed"
# mm: inside a box, between stages, for stage names, between groups, before a line's continuation
_PAD, _GAP, _LABEL, _BETWEEN, _INDENT = 1.6, 4.5, 16.0, 3.0, 1.5
_NOTE = (
    "k/n: patients of the group. Positive by any assay: by FC or by RT-PCR. RT-PCR follows a fusion gene "
    "and is not applicable without one. Evaluable sets overlap; positive before: by either assay; days: "
    "of drug in cycle 1. MRD after: of all treated."
)
Line = tuple[str, float, dict]  # words, indent in mm, how they are written


@styled
def patient_flow(study: Study) -> Picture:
    """Flow of patients (180 mm): the cohort, its groups and safety set, MRD before, end of cycle 1, evaluable sets, MRD
    after by either assay.

    Every box states k/n of its group, or the span of k where the report leaves it open or it is not
    recorded; the counts balance (`views.flow` and `evaluable` assert it).
    """
    cohort = study.cohort
    flow = study.flow()
    sets = evaluable(study.rates().table, flow)
    counts = of_groups(pd.concat([flow, sets], ignore_index=True), study)
    shown = looks(cohort)
    everyone = f"{people(len(study.patients))} treated with blinatumomab"
    title = f"{people(len(study.patients))} from treatment to MRD after blinatumomab, by group"
    width = (WIDE - 2 * MARGIN - _LABEL - _BETWEEN * (len(shown) - 1)) / len(shown)
    lines = {}
    for group in cohort.groups:
        for stage in _STAGES:
            name = shown[group.name].name
            lines[stage, group.name] = _lines(counts, stage, group, name, width - 2 * _PAD)
    heights = []
    for stage in _STAGES:
        most = max(len(lines[stage, name]) for name in shown)
        heights.append(LINE * most + 2 * _PAD)
    first = LINE + 2 * _PAD
    tops = [first + _GAP]
    for height in heights[:-1]:
        tops.append(tops[-1] + height + _GAP)
    sheet = Sheet(WIDE, tops[-1] + heights[-1] + 1.5, title, [_NOTE], cohort.face)
    centres = {}
    for place, name in enumerate(shown):
        centres[name] = MARGIN + _LABEL + (width + _BETWEEN) * place + width / 2
    branch = _root(sheet, everyone, [*centres.values()])
    for stage, top, height in zip(_STAGES, tops, heights, strict=True):
        for number, line in enumerate(wrapped(stage, _LABEL - 2, SMALL, "bold")):
            y = top + _PAD + LINE * number
            sheet.text(MARGIN, y, line, weight="bold", color=MUTED, va="top")
        for name, centre in centres.items():
            start = branch if stage == _STAGES[0] else top - _GAP
            _arrow(sheet, centre, start, top)
            left, colour = centre - width / 2, shown[name].colour
            sheet.box(left, top, width, height, facecolor="white", edgecolor=colour, linewidth=1)
            for number, (words, indent, how) in enumerate(lines[stage, name]):
                y = top + _PAD + LINE * number
                sheet.text(left + _PAD + indent, y, words, va="top", **how)
    return sheet.picture("patient-flow", _alt(counts, cohort, everyone))


def _root(sheet: Sheet, everyone: str, centres: list[float]) -> float:
    """The box of all patients and the line that branches to the groups; where that line is, in mm."""
    left, right = min(centres), max(centres)
    middle = (left + right) / 2
    height = LINE + 2 * _PAD
    half = text_width(everyone, SMALL, "bold") / 2 + _PAD
    frame = {"facecolor": "white", "edgecolor": INK, "linewidth": 0.8}
    sheet.box(middle - half, 0, 2 * half, height, **frame)
    sheet.text(middle, height / 2, everyone, weight="bold", ha="center", va="center")
    branch = height + _GAP / 2
    sheet.line([middle, middle], [height, branch])
    sheet.line([left, right], [branch, branch])
    return branch


def _arrow(sheet: Sheet, x: float, start: float, end: float) -> None:
    head = {"marker": "v", "markevery": [1], "markersize": 3, "solid_capstyle": "butt"}
    sheet.line([x, x], [start, end - 0.85], **head)


def evaluable(table: pd.DataFrame, flow: pd.DataFrame) -> pd.DataFrame:
    """How many are in which evaluable set, as one more stage of the flow, `FLOW_COLUMNS`.

    table: that of `views.response`, of which the rows by both assays count; flow: that of
    `views.flow`. A set of the same patients as all treated is left out; a group of which the rule
    cannot be stated has none. AssertionError unless all treated are the group, and the sets fit
    into it.
    """
    treated = flow.groupby("group")["of"].max()
    table = table[table["rule"].eq(_RULE) & ~table["is_pooled"]]
    present = set(table["evaluable_set"]) - {_SAME_AS_TREATED}
    rows = []
    for name, mine in table.groupby("group", sort=False):
        if not mine["stated"].all():
            continue
        sizes = mine.groupby("evaluable_set")[["n_least", "n_greatest"]].sum()
        of = int(treated[name])
        assert sizes.loc[ALL_TREATED.id].eq(of).all(), "all treated do not add up"
        for some in ALL_SETS:
            if some.id not in present:
                continue
            least, greatest = (int(end) for end in sizes.loc[some.id])
            assert greatest <= of, "an evaluable set is larger than all treated"
            rows.append(_size(name, some.label, least, greatest, of, bool(mine["open"].any())))
    return pd.DataFrame(rows, columns=FLOW_COLUMNS).astype({"n": "Int64", "of": "Int64"})


def _size(name: str, label: str, least: int, greatest: int, of: int, is_open: bool) -> dict:
    """A row of the flow: how many of a group are in an evaluable set."""
    is_single = least == greatest
    short = f"{least}/{of}" if is_single else f"{least} to {greatest} of {of}"
    if is_open and not is_single:
        short = f"{OPEN_WORD}, {short}"
    return {
        "stage": _SETS,
        "group": name,
        "state": label,
        "n": least if is_single else pd.NA,
        "of": of,
        "open": is_open and not is_single,
        "short": short,
    }


def _words(row: tuple) -> str:
    state = _WORDS.get(row.state, row.state.replace("_", " "))
    return f"{row.short} {written(state, 'ended otherwise')}"


def _lines(counts: pd.DataFrame, stage: str, group: Group, name: str, width: float) -> list[Line]:
    """The lines of a box; a state without patients is muted."""
    rows = counts[(counts["stage"] == stage) & (counts["group"] == group.name)]
    lines: list[Line] = []
    if stage == _STAGES[0]:
        lines += [(line, 0, {"weight": "bold"}) for line in headed(name, rows["of"].max(), width, ":")]
        lines += [(line, 0, {}) for line in wrapped(written(group.label, ""), width)]
    elif rows.empty:
        return [(line, 0, {"color": MUTED}) for line in wrapped(NO_RT_PCR, width)]
    for row in rows.itertuples():
        colour = INK if pd.isna(row.n) or row.n else MUTED
        for number, line in enumerate(wrapped(_words(row), width - _INDENT)):
            lines.append((line, _INDENT if number else 0, {"color": colour}))
    return lines


def _alt(counts: pd.DataFrame, cohort: Cohort, everyone: str) -> str:
    parts = []
    occurs = (counts["n"].fillna(1) > 0) | (counts["stage"] == _STAGES[0])
    for group in cohort.groups:
        rows = counts[(counts["group"] == group.name) & occurs]
        parts.append(f"{group.name} ({group.label}), {people(rows['of'].max())}")
        for stage in _STAGES:
            states = rows[rows["stage"] == stage]
            if len(states):
                listed = ", ".join(_words(row) for row in states.itertuples())
                parts.append(f"{stage[0].upper()}{stage[1:]}: {listed}")
    return f"Flow chart. {everyone}. {'. '.join(parts)}."
