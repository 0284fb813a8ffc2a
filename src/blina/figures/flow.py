"""Who was treated, how treatment ended and what came of it: the flow of patients."""

from __future__ import annotations

import pandas as pd

from blina.analysis.open import OPEN
from blina.analysis.response import FLOW_COLUMNS, NO_RT_PCR, flow, rates, sets_of
from blina.analysis.safety import STOP_WORDS
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

_SETS = "evaluable sets"
_STAGES = ("treated", "MRD before", "end of cycle 1", _SETS, "MRD after")
_WORDS = STOP_WORDS | {"treated": "safety set (any dose of drug)"}
# mm: inside a box, between stages, for stage names, between groups, before a line's continuation
_PAD, _GAP, _LABEL, _BETWEEN, _INDENT = 1.6, 4.5, 16.0, 3.0, 1.5


@styled
def patient_flow(
    patients: pd.DataFrame,
    mrd: pd.DataFrame,
    cohort: Cohort,
    counts: pd.DataFrame | None = None,
    table: pd.DataFrame | None = None,
) -> Picture:
    """Flow of patients (180 mm): the cohort, its groups and safety set, MRD before, how cycle 1 ended, the evaluable
    sets, MRD after by either assay.

    Every box states k/n of its group; the counts balance (`flow` and `_evaluable` assert it). `counts` is the table of
    `flow` and `table` that of `rates`, with the bounds of `analysis.open` where counts of them are open: those print
    `open`.
    """
    counts = flow(patients, mrd, cohort) if counts is None else counts
    counts = _evaluable(counts, rates(patients, mrd, cohort) if table is None else table)
    shown = looks(cohort)
    everyone = f"{people(len(patients))} treated with blinatumomab"
    title = f"{people(len(patients))} from treatment to MRD after blinatumomab, by group"
    width = (WIDE - 2 * MARGIN - _LABEL - _BETWEEN * (len(shown) - 1)) / len(shown)
    lines = {
        (stage, group.name): _lines(counts, stage, group, shown[group.name].name, width - 2 * _PAD)
        for stage in _STAGES
        for group in cohort.groups
    }
    heights = [
        LINE * max(len(lines[stage, name]) for name in shown) + 2 * _PAD for stage in _STAGES
    ]
    first = LINE + 2 * _PAD
    tops = [first + _GAP + sum(heights[:place]) + _GAP * place for place in range(len(_STAGES))]

    sheet = Sheet(
        WIDE,
        tops[-1] + heights[-1] + 1.5,
        title,
        [
            "k/n: patients of the group. Positive by any assay: by FC or by RT-PCR. RT-PCR follows a fusion gene and is "
            "not applicable without one. Evaluable sets overlap; positive before: by either assay; days: of drug in cycle "
            "1. MRD after: of all treated.",
        ],
        cohort.face,
    )
    centres = {
        name: MARGIN + _LABEL + (width + _BETWEEN) * place + width / 2
        for place, name in enumerate(shown)
    }
    middle = (min(centres.values()) + max(centres.values())) / 2
    half = text_width(everyone, SMALL, "bold") / 2 + _PAD
    sheet.box(middle - half, 0, 2 * half, first, facecolor="white", edgecolor=INK, linewidth=0.8)
    sheet.text(middle, first / 2, everyone, weight="bold", ha="center", va="center")
    branch = first + _GAP / 2
    sheet.line([middle, middle], [first, branch])
    sheet.line([min(centres.values()), max(centres.values())], [branch, branch])
    for stage, top, height in zip(_STAGES, tops, heights, strict=True):
        for number, line in enumerate(wrapped(stage, _LABEL - 2, SMALL, "bold")):
            sheet.text(
                MARGIN, top + _PAD + LINE * number, line, weight="bold", color=MUTED, va="top"
            )
        for name, centre in centres.items():
            start = branch if stage == _STAGES[0] else top - _GAP
            sheet.line(
                [centre, centre],
                [start, top - 0.85],
                marker="v",
                markevery=[1],
                markersize=3,
                solid_capstyle="butt",
            )
            left = centre - width / 2
            sheet.box(
                left,
                top,
                width,
                height,
                facecolor="white",
                edgecolor=shown[name].colour,
                linewidth=1,
            )
            for number, (line, indent, how) in enumerate(lines[stage, name]):
                sheet.text(left + _PAD + indent, top + _PAD + LINE * number, line, va="top", **how)
    return sheet.picture("patient-flow", _alt(counts, cohort, everyone))


def _evaluable(counts: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The counts of `flow` and, as one more stage of them, who of each group is in which evaluable set.

    `table` is that of `rates`, under the rule of both assays. A set of the same patients as all treated is left out;
    a group of which the rule cannot be stated has none.
    AssertionError unless all treated are the group.
    """
    of = counts.groupby("group", sort=False)["of"].max()
    table = table[(table["rule"] == "fc_and_pcr") & ~table["is_pooled"]]
    rows = []
    for name, n in of.items():
        mine = table[table["group"] == name]  # by two measures, where a bridging group has both
        if mine["text"].eq(NO_RT_PCR).any():
            continue
        sizes = {
            some: mine.loc[mine["evaluable_set"] == some.id, "n"].sum(skipna=False)
            for some in sets_of(table)
            if some.id != "severe_stops_failed"
        }
        known = {some.id: size for some, size in sizes.items() if not pd.isna(size)}
        treated = known.get("all_treated", n)
        assert treated == n, "all treated do not add up"
        assert all(size <= treated for size in known.values()), (
            "an evaluable set is larger than all treated"
        )
        rows += [(_SETS, name, some.label, size, n) for some, size in sizes.items()]
    sets = pd.DataFrame(rows, columns=FLOW_COLUMNS)
    return pd.concat([counts, sets], ignore_index=True).astype({"n": "Int64"})


def _said(row: tuple) -> str:
    state = _WORDS.get(row.state, row.state.replace("_", " "))
    return f"{OPEN if pd.isna(row.n) else row.n}/{row.of} {written(state, 'ended otherwise')}"


def _lines(
    counts: pd.DataFrame, stage: str, group: Group, name: str, width: float
) -> list[tuple[str, float, dict]]:
    """The lines of a box, each with its indent in mm and how it is written: nobody in a state is muted."""
    rows = counts[(counts["stage"] == stage) & (counts["group"] == group.name)]
    lines = []
    if stage == _STAGES[0]:
        head = headed(name, rows["of"].max(), width, ":")
        label = wrapped(written(group.label, ""), width)
        lines = [(line, 0, {"weight": "bold"}) for line in head] + [(line, 0, {}) for line in label]
    elif rows.empty:
        lines = [(line, 0, {"color": MUTED}) for line in wrapped(NO_RT_PCR, width)]
    return lines + [
        (line, _INDENT * (number > 0), {"color": INK if pd.isna(row.n) or row.n else MUTED})
        for row in rows.itertuples()
        for number, line in enumerate(wrapped(_said(row), width - _INDENT))
    ]


def _alt(counts: pd.DataFrame, cohort: Cohort, everyone: str) -> str:
    said = []
    for group in cohort.groups:
        rows = counts[
            (counts["group"] == group.name)
            & ((counts["n"].fillna(1) > 0) | (counts["stage"] == _STAGES[0]))
        ]
        said.append(f"{group.name} ({group.label}), {people(rows['of'].max())}")
        for stage in _STAGES:
            states = rows[rows["stage"] == stage]
            if len(states):
                said.append(
                    f"{stage[0].upper()}{stage[1:]}: " + ", ".join(map(_said, states.itertuples()))
                )
    return f"Flow chart. {everyone}. {'. '.join(said)}."
