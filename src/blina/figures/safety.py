"""Adverse events: patients by worst grade."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import pandas as pd

from blina.analysis.safety import fever_note, scale_text
from blina.analysis.study import Study, where_grades_lack
from blina.figures.shown import of_groups
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
from blina.measures.choices import SEVERE, UNGRADED, UNKNOWN
from blina.measures.intervals import METHOD

_ROW, _HEAD, _LEFT = 3.6, 3.5, 33.5  # mm: a row, the name of an event, the row labels
_BAR, _GAP = 14.0, 1.2  # mm: the longest bar, from it to its text
_ACROSS = 3  # groups side by side
_COLUMN = (WIDE - MARGIN - _LEFT - MARGIN) / _ACROSS  # mm


@styled
def safety(study: Study) -> Picture:
    """Worst grade per patient (180 mm): a column per group, bars for each event with k/n and exact interval.

    Bars show the share of the group's patients with the event at any grade (light), at grade 3 or
    more (full), and with a grade that was not reported (hatched; a line only where there are any).
    Whatever could belong to a line besides, since a grade or an occurrence is not recorded or the
    report leaves it open, is hatched from the least to the greatest share. An event that is counted
    without grades has one light bar. More than three groups wrap. Where no event is recorded for
    any patient, a sentence says so.
    """
    view = study.worst_grades()
    title = f"Patients by worst grade of each adverse event, {people(len(study.patients))} by group"
    if view.sentence:
        return _nothing(title, view.sentence, study)
    table = of_groups(view.table, study)
    lines = where_grades_lack(table)
    shown = looks(study.cohort)
    sizes = {name: int((study.patients["group"] == name).sum()) for name in shown}
    heads = {name: headed(look.name, sizes[name], _COLUMN - 2) for name, look in shown.items()}
    place = _Places.of(lines, above=LINE * max(map(len, heads.values())))
    body = place.storey * ceil(len(shown) / _ACROSS)
    sheet = Sheet(WIDE, body, title, [_note(lines, study.cohort)], study.cohort.face)
    longest = max(text_width(words) for words in table["text"])
    bar = max(3.0, min(_BAR, _COLUMN - longest - 2 * _GAP))
    for number, (name, look) in enumerate(shown.items()):
        storey, column = divmod(number, _ACROSS)
        top, left = place.storey * storey, MARGIN + _LEFT + _COLUMN * column
        for line, words in enumerate(heads[name]):
            sheet.text(left, top + LINE * line, words, weight="bold", va="top")
        if column == 0:
            _labels(sheet, place, top)
        mine = lines[lines["group"] == name].set_index(["event", "severity"], drop=False)
        for (event, severity), y in place.rows.items():
            row = mine.loc[event, severity]
            gid = f"bar-{number}-{place.number(event)}-{place.lines[event].index(severity)}"
            _bar(sheet, left, top + y, bar, row, look.colour, gid)
    return sheet.picture("safety", _alt(lines, study.cohort))


@dataclass(frozen=True)
class _Places:
    """Where everything stands in a storey of groups side by side, in mm below its top.

    lines: the severities of each event; heads: of each event, where its name stands; rows: of each
    event and severity, where its row begins.
    """

    lines: dict[str, list[str]]
    heads: dict[str, float]
    rows: dict[tuple[str, str], float]
    storey: float

    @classmethod
    def of(cls, table: pd.DataFrame, above: float) -> _Places:
        lines, heads, rows = {}, {}, {}
        y = above + 1.5
        for event, mine in table.groupby("event", sort=False):
            lines[event] = [*mine["severity"].unique()]
            heads[event] = y
            y += _HEAD
            for severity in lines[event]:
                rows[event, severity] = y
                y += _ROW
            y += 1.5
        return cls(lines, heads, rows, y + 1)

    def number(self, event: str) -> int:
        return [*self.lines].index(event)


def _nothing(title: str, sentence: str, study: Study) -> Picture:
    """The figure of a cohort of which no event is recorded."""
    sheet = Sheet(WIDE, 6, title, [], study.cohort.face)
    sheet.text(MARGIN, 1, sentence, va="top")
    names = ", ".join(group.name for group in study.cohort.groups)
    return sheet.picture("safety", f"{sentence} Groups: {names}.")


def _note(lines: pd.DataFrame, cohort: Cohort) -> str:
    source = "the report" if cohort.reconstructed else "the line list"
    joint = ";" if cohort.scale_is_named else "."
    note = (
        "A patient counts once per event, by the worst grade; any dose of drug. Grades of CRS and "
        f"ICANS: {scale_text(cohort)}. Fever stands apart from CRS, as in {source}{joint} "
        f"{fever_note(cohort)}. k/n (percent, interval): {METHOD}; a full bar is 100%. Hatched: not "
        "graded, could belong to grade 3 or more, whose bar then reaches from the fewest to the most "
        "that it could be."
    )
    if lines["severity"].eq(UNKNOWN).any():
        note += " So it is where an occurrence is not recorded, at any grade."
    if lines["open"].any():
        note += " So it is where the report leaves a number open."
    if cohort.reconstructed:
        note += " An event that the report does not mention is counted as none."
    return note


def _labels(sheet: Sheet, place: _Places, top: float) -> None:
    """The names of events and severities, on the left of a storey."""
    for event, y in place.heads.items():
        name = written(event, f"event {place.number(event) + 1}")
        sheet.text(MARGIN, top + y, name, weight="bold", va="top")
    for (_, severity), y in place.rows.items():
        sheet.text(MARGIN + 1.5, top + y + _ROW / 2, severity, va="center")


def _bar(sheet: Sheet, left: float, top: float, width: float, row: pd.Series, colour: str, gid: str) -> None:
    """The frame, the bar and the words of one row."""
    y, height = top + 0.6, _ROW - 1.2
    sheet.box(left, y, width, height, facecolor="none", edgecolor=MUTED, linewidth=0.3)
    least, greatest = _shares(row)
    if least:
        how = _filling(row["severity"], colour)
        sheet.box(left, y, width * least, height, gid=gid, **how)
    if greatest > least:
        start, length = left + width * least, width * (greatest - least)
        gid_of_rest = f"{gid}-more" if least else gid
        sheet.box(start, y, length, height, gid=gid_of_rest, **_filling(UNGRADED, colour))
    ink = INK if greatest or row["open"] else MUTED
    sheet.text(left + width + _GAP, top + _ROW / 2, row["text"], va="center", color=ink)


def _shares(row: pd.Series) -> tuple[float, float]:
    """The least and the greatest share of the group's patients; 0 of no patients."""
    if row["severity"] == UNKNOWN:  # a number of patients, not a share
        known = pd.notna(row["k"]) and row["n"]
        share = float(row["k"] / row["n"]) if known else 0.0
        return share, share
    if pd.isna(row["percent_least"]):
        return 0.0, 0.0
    return row["percent_least"] / 100, row["percent_greatest"] / 100


def _filling(severity: str, colour: str) -> dict[str, object]:
    if severity in (UNGRADED, UNKNOWN):
        return {"facecolor": "white", "edgecolor": colour, "hatch": "/////////", "linewidth": 0.6}
    full = colour if severity == SEVERE else tint(colour)
    return {"facecolor": full, "edgecolor": colour, "linewidth": 0.6}


def _alt(table: pd.DataFrame, cohort: Cohort) -> str:
    occurs = table["k"].gt(0).fillna(True) | table["percent_greatest"].gt(0)
    parts = []
    for group in cohort.groups:
        rows = table[(table["group"] == group.name) & occurs]
        listed = [f"{row.event}, {row.severity} {row.text}" for row in rows.itertuples()]
        parts.append(f"{group.name}: {'; '.join(listed) or 'no event'}")
    scale = f"Grades of CRS and ICANS: {scale_text(cohort)}"
    groups = ". ".join(parts)
    return f"Bars of patients by worst grade per event. {scale}. {groups}. All others 0."
