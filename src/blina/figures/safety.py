"""Adverse events: patients by worst grade."""

from __future__ import annotations

from math import ceil

import pandas as pd

from blina.analysis.safety import (
    ANY,
    NO_GRADE,
    SEVERE,
    UNGRADED,
    UNKNOWN,
    fever_note,
    scale_text,
    where_grades_lack,
    worst_grades,
)
from blina.figures.style import (
    INK,
    LINE,
    MARGIN,
    MUTED,
    WIDE,
    Picture,
    Sheet,
    headed,
    looks,
    people,
    styled,
    text_width,
    tint,
    written,
)
from blina.linelist.cohort import Cohort
from blina.measures.intervals import METHOD

_ROW, _HEAD, _LEFT, _BAR, _GAP = (
    3.6,
    3.5,
    33.5,
    14.0,
    1.2,
)  # mm: row, event name, row labels, longest bar, to its text
_ACROSS = 3  # groups side by side
_COULD = {
    ANY: (UNKNOWN,),
    NO_GRADE: (UNKNOWN,),
    SEVERE: (UNGRADED, UNKNOWN),
}  # who could belong to a line besides


@styled
def safety(
    patients: pd.DataFrame, events: pd.DataFrame, cohort: Cohort, table: pd.DataFrame | None = None
) -> Picture:
    """Worst grade per patient (180 mm): a column per group, bars for each event with k/n and exact interval.

    Bars show the share of the group's patients with the event at any grade (light), at grade 3 or more (full), and
    with a grade that was not reported (hatched; a line only where there are any). These might belong to grade 3 or
    more, whose bar is then hatched from the least to the greatest share that it could have. So are the bars of events
    of which it is not recorded of some whether they occurred. An event that is counted without grades has one light
    bar. More than three groups wrap. `table` is that of `worst_grades`, with the bounds
    of `analysis.open` where rows of it are open: those say so and have no bar.
    """
    table = worst_grades(patients, events, cohort) if table is None else table
    shown = looks(cohort)
    names = [*shown]
    told = where_grades_lack(table)
    kinds = [*table["event"].unique()]
    lines = {event: [*told.loc[told["event"] == event, "severity"].unique()] for event in kinds}
    blocks = [_HEAD + _ROW * len(lines[event]) + 1.5 for event in kinds]
    across = (WIDE - MARGIN - _LEFT - MARGIN) / _ACROSS
    sizes = {name: int((patients["group"] == name).sum()) for name in shown}
    heads = {name: headed(look.name, sizes[name], across - 2) for name, look in shown.items()}
    above = LINE * max(map(len, heads.values()))
    storey = above + 2.5 + sum(blocks)
    title = f"Patients by worst grade of each adverse event, {people(len(patients))} by group"
    body = storey * ceil(len(names) / _ACROSS)
    source = "the report" if cohort.reconstructed else "the line list"
    note = (
        "A patient counts once per event, by the worst grade; any dose of drug. Grades of CRS and ICANS: "
        f"{scale_text(cohort)}. Fever stands apart from CRS, as in {source}; {fever_note(cohort)}. "
        f"k/n (percent, interval): {METHOD}; a full bar is 100%. Hatched: not graded, could belong to "
        "grade 3 or more, whose bar then reaches from the fewest to the most that it could be."
    )
    if told["severity"].eq(UNKNOWN).any():
        note += " So it is where an occurrence is not recorded, at any grade."
    if cohort.reconstructed:
        note += " An event that the report does not mention is counted as none."
    sheet = Sheet(WIDE, body, title, [note], cohort.face)
    cells = table.set_index(["group", "event", "severity"])
    longest = max(text_width(words) for words in table.loc[table["group"].isin(names), "text"])
    bar = max(3.0, min(_BAR, across - longest - 2 * _GAP))
    for number, name in enumerate(names):
        floor, column = divmod(number, _ACROSS)
        top, left = storey * floor, MARGIN + _LEFT + across * column
        n = sizes[name]
        for line, words in enumerate(heads[name]):
            sheet.text(left, top + LINE * line, words, weight="bold", va="top")
        for place, event in enumerate(kinds):
            head = top + above + 1.5 + sum(blocks[:place])
            if column == 0:
                sheet.text(
                    MARGIN, head, written(event, f"event {place + 1}"), weight="bold", va="top"
                )
            for line, severity in enumerate(lines[event]):
                y = head + _HEAD + _ROW * line
                row = cells.loc[(name, event, severity)]
                if column == 0:
                    sheet.text(MARGIN + 1.5, y + _ROW / 2, severity, va="center")
                is_open = row.get("open", False)
                known = 0 if is_open else row["k"]
                more = (
                    0
                    if is_open
                    else sum(
                        cells.loc[(name, event, one), "k"]
                        for one in _COULD.get(severity, ())
                        if (name, event, one) in cells.index
                    )
                )
                sheet.box(
                    left, y + 0.6, bar, _ROW - 1.2, facecolor="none", edgecolor=MUTED, linewidth=0.3
                )
                for start, many, look in ((0, known, severity), (known, more, UNGRADED)):
                    if many:
                        sheet.box(
                            left + bar * start / n,
                            y + 0.6,
                            bar * many / n,
                            _ROW - 1.2,
                            gid=f"bar-{number}-{place}-{line}{'-more' if start else ''}",
                            **_bar(look, shown[name].colour),
                        )
                colour = INK if known + more or is_open else MUTED
                sheet.text(left + bar + _GAP, y + _ROW / 2, row["text"], va="center", color=colour)
    return sheet.picture("safety", _alt(table, cohort))


def _bar(severity: str, colour: str) -> dict[str, object]:
    if severity in (UNGRADED, UNKNOWN):
        return {"facecolor": "white", "edgecolor": colour, "hatch": "/////////", "linewidth": 0.6}
    return {
        "facecolor": colour if severity == SEVERE else tint(colour),
        "edgecolor": colour,
        "linewidth": 0.6,
    }


def _alt(table: pd.DataFrame, cohort: Cohort) -> str:
    said = []
    for group in cohort.groups:
        some = (table["k"].fillna(1) > 0) | (table["percent"].isna() & (table["n"] > 0))
        rows = table[(table["group"] == group.name) & some]
        listed = [f"{row.event}, {row.severity} {row.text}" for row in rows.itertuples()]
        said.append(f"{group.name}: {'; '.join(listed) or 'no event'}")
    scale = f"Grades of CRS and ICANS: {scale_text(cohort)}"
    return f"Bars of patients by worst grade per event. {scale}. {'. '.join(said)}. All others 0."
