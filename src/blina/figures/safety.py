"""Adverse events: patients by worst grade."""

from __future__ import annotations

from math import ceil

import pandas as pd

from blina.analysis.intervals import METHOD
from blina.analysis.safety import ANY, SEVERE, SEVERITIES, UNGRADED, scale_text, worst_grades
from blina.figures.style import INK, LINE, MARGIN, MUTED, WIDE, Picture, Sheet, looks, people, styled, tint, written
from blina.linelist.cohort import Cohort

_ROW, _HEAD, _LEFT, _BAR, _TEXT = 3.6, 3.5, 27.0, 14.0, 35.0  # mm: row, event name, row labels, bar at 100%, its text
_ACROSS = 3  # groups side by side


@styled
def safety(patients: pd.DataFrame, events: pd.DataFrame, cohort: Cohort) -> Picture:
    """Worst grade per patient (180 mm): a column per group, three bars per event, each with k/n and exact interval.

    Bars show the share of the group's patients with the event at any grade (light), at grade 3 or more (full), and
    with a grade that was not reported (hatched): these might belong to grade 3 or more. More than three groups wrap.
    """
    table = worst_grades(patients, events, cohort)
    shown = looks(cohort)
    names = [*shown]
    kinds = [*table["event"].unique()]
    block = _HEAD + _ROW * len(SEVERITIES) + 1.5
    storey = LINE + 2.5 + block * len(kinds)
    title = f"Patients by worst grade of each adverse event, {people(len(patients))} by group"
    body = storey * ceil(len(names) / _ACROSS)
    sheet = Sheet(WIDE, body, title, [
        f"A patient counts once per event, by the worst grade; any dose of drug. Grades: {scale_text(cohort)}. "
        f"k/n (percent, interval): {METHOD}; a full bar is 100%. Patients whose grade was not reported could belong to "
        "grade 3 or more. ASTCT 2019 would count fever due to the drug as CRS grade 1.",
    ], cohort.face)  # fmt: skip
    cells = table.set_index(["group", "event", "severity"])
    for number, name in enumerate(names):
        floor, column = divmod(number, _ACROSS)
        top, left = storey * floor, MARGIN + _LEFT + (_BAR + _TEXT + 1.2) * column
        n = cells.loc[(name, kinds[0], ANY), "n"]
        sheet.text(left, top, f"{shown[name].name}, n = {n}", weight="bold", va="top")
        for place, event in enumerate(kinds):
            start = top + LINE + 1.5 + block * place
            if column == 0:
                sheet.text(MARGIN, start, written(event, f"event {place + 1}"), weight="bold", va="top")
            for line, severity in enumerate(SEVERITIES):
                y = start + _HEAD + _ROW * line
                row = cells.loc[(name, event, severity)]
                if column == 0:
                    sheet.text(MARGIN + 1.5, y + _ROW / 2, severity, va="center")
                sheet.box(left, y + 0.6, _BAR, _ROW - 1.2, facecolor="none", edgecolor=MUTED, linewidth=0.3)
                if row["k"]:
                    sheet.box(left, y + 0.6, _BAR * row["k"] / row["n"], _ROW - 1.2, gid=f"bar-{number}-{place}-{line}",
                              **_bar(severity, shown[name].colour))  # fmt: skip
                sheet.text(left + _BAR + 1.2, y + _ROW / 2, row["text"].partition(";")[0], va="center",
                           color=INK if row["k"] else MUTED)  # fmt: skip
    return sheet.picture("safety", _alt(table, cohort))


def _bar(severity: str, colour: str) -> dict[str, object]:
    if severity == UNGRADED:
        return {"facecolor": "white", "edgecolor": colour, "hatch": "//////", "linewidth": 0.6}
    return {"facecolor": colour if severity == SEVERE else tint(colour), "edgecolor": colour, "linewidth": 0.6}


def _alt(table: pd.DataFrame, cohort: Cohort) -> str:
    said = []
    for group in cohort.groups:
        rows = table[(table["group"] == group.name) & (table["k"] > 0)]
        listed = [f"{row.event}, {row.severity} {row.text.partition(';')[0]}" for row in rows.itertuples()]
        said.append(f"{group.name}: {'; '.join(listed) or 'no event'}")
    return f"Bars of patients by worst grade per event, scale {scale_text(cohort)}. {'. '.join(said)}. All others 0."
