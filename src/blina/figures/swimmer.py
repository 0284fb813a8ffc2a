"""The course of every patient, one lane each: infusion in cycle 1, how it ended, further cycles and adverse events."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from blina.analysis.cohort import REASON_WORDS, by_group
from blina.analysis.safety import COURSE_COLUMNS, STOP_WORDS, UNRECORDED, scale_text
from blina.analysis.study import Study
from blina.figures.shown import of_groups
from blina.figures.style import (
    INK,
    LINE,
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
    looks,
    people_or_rows,
    styled,
    text_width,
    tint,
    wrapped,
    written,
)
from blina.linelist.cohort import Cohort
from blina.measures.choices import CRS, ICANS
from blina.measures.declare import FURTHER, NOT_RECORDED

_ENDS = {"completed": "o", "severe_reaction": "X", "economic": "D"}  # stop reason: marker
_OTHERWISE = "P"
# Stop reason: colour and hatching of its area.
_ENDED = {
    "completed": ("white", ""),
    "severe_reaction": (INK, ""),
    "economic": ("white", "////"),
    "other": ("white", "\\\\\\\\"),
    NOT_RECORDED: (SHADE, ""),
}
_SEVERE = ("3", "4", "5")  # grades
_STOREY = 34.0  # mm: highest area of a group
_GREY = "#8c8c8c"  # an event on a lane of which the report does not say that it has it
_ROOM = 170.0  # mm: for all lanes and the headings of groups
_WIDEST, _NARROWEST, _PAD = 4.2, 2.8, 1.2  # mm: a lane, and of it what stays free
_LABEL, _INDENT, _BEFORE = (
    24.0,
    1.5,
    1.2,
)  # mm: longest name of a lane; before it; above the heading of a group
_FURTHER, _EVENT, _WHY = 25.0, 12.0, 37.0  # mm: columns to the right of the time axis
_BLOCK, _BOX, _BESIDE = (
    2.8,
    2.3,
    1.4,
)  # mm: from a further cycle to the next; box of ICANS; end of a bar to its mark
_WEEKS = (1, 7, 14, 21, 28, 35, 42)


@styled
def swimmer(study: Study) -> Picture:
    """Courses of treatment (180 mm, at most about 230 high): a lane per patient, by group, longest infusion first.

    A bar covers the days of infusion in cycle 1; the mark at its end says how it ended; a box with
    the grade stands on the day on which ICANS began. To the right: further cycles as blocks, events
    without a known day, and why treatment stopped. Where there is no room for all, lanes that look
    the same are one, with their number; if that does not do, areas show of each group how many were
    on the drug, day by day, and how the others ended. The lanes of a reconstructed cohort bear
    numbers of rows, never names of patients. Beside a group's name stands what its lanes add up to,
    with bounds where that is open; bars that are open are hollow, and so are the blocks of a group
    in which it is open how many patients had further cycles. In a reconstructed cohort events are
    grey, unless all lanes of the group have them. Where no course is recorded, a sentence says so.
    """
    patients, cohort = study.patients, study.cohort
    counts = of_groups(study.course_counts(), study)
    shown = looks(cohort)
    table = _drawn(study.courses(), patients, cohort, counts, study.infusions())
    kinds = _kinds(table)
    everyone = people_or_rows(len(patients), cohort)
    title = f"Courses of blinatumomab by group: cycle 1, how it ended and events, {everyone}"
    if not _any_recorded(table, kinds):
        return _nothing(title, cohort)
    anybodys = _anybodys(counts, kinds, cohort)
    sizes = {name: len(members) for name, members in by_group(patients, cohort, total=False)}
    heads = {name: _heading(counts, name, f"{shown[name].name}, n = {sizes[name]}") for name in shown}
    heading = sum(LINE * len(lines) + _BEFORE for _, lines in heads.values())
    lanes = _lanes(table, int((_ROOM - heading) / _NARROWEST))
    if lanes is None:
        return _areas(table, cohort, heads, title).picture("swimmer", _alt(counts, sizes, everyone, "Areas of courses"))
    lane = min(_WIDEST, (_ROOM - heading) / max(len(lanes), 1))

    names = max(text_width(words) for words in ("", *lanes["label"])) + _INDENT + 1.5
    columns = _columns(kinds)
    right = sum(wide for _, wide in columns)
    width = WIDE - 2 * MARGIN - names - right
    above = LINE * max(len(lines) for lines, _ in columns) + 1
    height = heading + lane * len(lanes)
    key = _key(table)
    below = 11 + (LINE + 0.5) * (1 + key[-1][0])
    sheet = Sheet(WIDE, above + height + below, title, [_note(lanes, bool(anybodys), cohort)], cohort.face)

    time = sheet.axes(MARGIN + names, above, width, height)
    day = _scale(time, table, height, width)
    beside = sheet.axes(MARGIN + names + width, above, right, height)
    beside.set(xlim=(0, right), ylim=(height, 0))
    beside.set_axis_off()
    at = MARGIN + names + width + 1
    for lines, wide in columns:
        for line, words in enumerate(lines):
            sheet.text(at, above - 1 - LINE * (len(lines) - line), words, va="top")
        at += wide
    top = 0.0
    for name, members in by_group(lanes, cohort, total=False):
        words, lines = heads[name]
        top += _BEFORE
        sheet.text(MARGIN, above + top, words, va="top", weight="bold")
        for line, part in enumerate(lines):
            sheet.text(MARGIN + _beside_name(words), above + top + LINE * line, part, va="top")
        top += LINE * len(lines)
        time.vlines(
            [day for day in _WEEKS if day <= time.get_xlim()[1]],
            top,
            top + lane * len(members),
            color=RULE,
            linewidth=0.4,
            zorder=0,
        )
        for row in members.to_dict("records"):
            middle, thick = top + lane / 2, lane - _PAD
            sheet.text(MARGIN + _INDENT, above + middle, row["label"], va="center")
            _course(time, middle, thick, row, shown[name], day)
            _others(beside, middle, thick, row, shown[name], kinds, anybodys)
            top += lane
    for line, x, marker, words in key:
        y = above + height + 12 + (LINE + 0.5) * line
        _sign(sheet, x, y, marker)
        sheet.text(x + 2.5, y, words, va="center")
    return sheet.picture("swimmer", _alt(counts, sizes, everyone, "Swimmer plot"))


def _any_recorded(table: pd.DataFrame, kinds: list[str]) -> bool:
    """Whether anything is recorded of any course."""
    course = table[["infusion_days", "stop_reason", "extra_cycles"]]
    events = table[kinds].replace(UNRECORDED, "")
    return bool(course.notna().any(axis=None) or events.ne("").any(axis=None))


def _nothing(title: str, cohort: Cohort) -> Picture:
    """The figure of a cohort of which no course is recorded."""
    sentence = "The course of treatment is not recorded for any patient."
    sheet = Sheet(WIDE, 6, title, [], cohort.face)
    sheet.text(MARGIN, 1, sentence, va="top")
    names = ", ".join(group.name for group in cohort.groups)
    return sheet.picture("swimmer", f"{sentence} Groups: {names}.")


def _areas(table: pd.DataFrame, cohort: Cohort, heads: dict[str, tuple[str, list[str]]], title: str) -> Sheet:
    """Of each group, day by day: the share of patients on the drug and, above it, of those who had ended, by reason."""
    drawn = table.dropna(subset=["infusion_days"])
    reasons = drawn["stop_reason"].fillna(NOT_RECORDED)
    reasons = reasons.where(reasons.isin([*_ENDED]), "other")
    present = [reason for reason in _ENDED if reasons.eq(reason).any()]
    heading = sum(LINE * len(lines) + _BEFORE for _, lines in heads.values())
    storey = min(_STOREY, (TALL - 50 - heading) / len(heads))  # with room for title, key and notes
    note = (
        "There is no room for a lane of each. Areas show, day by day, the share of a group on the drug (in its colour) "
        "and, above, of those whose cycle 1 had ended, by how. Beside a group's name stands what its courses add "
        f"up to; grades: {scale_text(cohort)}."
    )
    if missing := len(table) - len(drawn):
        note += f" Days of infusion are not recorded of {missing}, who are in no area."
    sheet = Sheet(WIDE, heading + storey * len(heads) + 16, title, [note], cohort.face)
    days = np.arange(1, max([28, *drawn["infusion_days"].astype(int)]) + 2)
    top = 0.0
    for name, look in looks(cohort).items():
        words, lines = heads[name]
        top += _BEFORE
        sheet.text(MARGIN, top, words, va="top", weight="bold")
        for line, part in enumerate(lines):
            sheet.text(MARGIN + _beside_name(words), top + LINE * line, part, va="top")
        top += LINE * len(lines)
        axis = sheet.axes(MARGIN + 11, top + 1, WIDE - 2 * MARGIN - 12, storey - 4.5)
        axis.set(xlim=(days[0], days[-1]), ylim=(0, 100), yticks=[0, 50, 100])
        axis.set_xticks([day for day in _WEEKS if day <= days[-1]])
        mine = drawn[drawn["group"] == name]
        last = mine["infusion_days"].to_numpy(dtype=int)
        ended = [last[reasons[mine.index].eq(reason).to_numpy()] for reason in present]
        shares = [
            [(last >= day).sum() for day in days],
            *([(of < day).sum() for day in days] for of in ended),
        ]
        if len(mine):
            axis.stackplot(
                days,
                *(100 * np.array(share) / len(mine) for share in shares),
                step="post",
                linewidth=0.4,
                edgecolor=MUTED,
                colors=[tint(look.colour), *(_ENDED[reason][0] for reason in present)],
                hatch=["", *(_ENDED[reason][1] for reason in present)],
            )
        top += storey
    label = "day of infusion in cycle 1 (share of the group's patients, %)"
    sheet.text(WIDE / 2, top + 2, label, ha="center", va="top")
    x, y = MARGIN, top + 6.5
    for reason in present:
        words = STOP_WORDS.get(reason, f"ended, how is {NOT_RECORDED}")
        if x + text_width(words) + 4 > WIDE - MARGIN:
            x, y = MARGIN, y + 4
        colour, hatch = _ENDED[reason]
        sheet.box(x, y, 3, 3, facecolor=colour, hatch=hatch, edgecolor=MUTED, linewidth=0.4)
        sheet.text(x + 4, y + 1.5, words, va="center")
        x += text_width(words) + 8
    return sheet


def _drawn(
    table: pd.DataFrame,
    patients: pd.DataFrame,
    cohort: Cohort,
    counts: pd.DataFrame,
    bars: pd.DataFrame,
) -> pd.DataFrame:
    """The courses with a `label`, and whether bar and blocks are open (`bar_open`, `blocks_open`)."""
    keys = ["group", "stop_reason", "infusion_days"]
    is_open = bars.rename(columns={"open": "bar_open"}).astype({"infusion_days": "Int64"})
    drawn = table.astype({"infusion_days": "Int64"})
    drawn = drawn.merge(is_open, on=keys, how="left", validate="many_to_one")
    unsettled = set(counts.loc[counts["feature"].eq(FURTHER) & counts["open"], "group"])
    places = {patient: place for place, patient in enumerate(patients["patient_id"], start=1)}
    stopped_by = [row["stopped_by"] for row in table.to_dict("records")]
    if not cohort.reconstructed:
        stopped_by = [_described(row) for row in table.to_dict("records")]
    return drawn.assign(
        bar_open=drawn["bar_open"].eq(True).fillna(False),
        stopped_by=stopped_by,
        blocks_open=drawn["group"].isin(unsettled),
        label=[_label(patient, places[patient], cohort) for patient in drawn["patient_id"]],
    )


def _label(patient: str, place: int, cohort: Cohort) -> str:
    """The name of a lane: a row is no patient, and a name that is too long or cannot be written is its number."""
    if cohort.reconstructed:
        return f"row {place}"
    words = written(patient, f"patient {place}")
    return words if text_width(words) <= _LABEL else f"patient {place}"


def _described(row: dict) -> str:
    """Why a patient stopped for a severe reaction: that, with what is described of it, which need not be its cause."""
    found = [event for event in (CRS, ICANS) if row["stopped_by"] and row[event] in _SEVERE]
    grade = f" {row[found[0]]}" if len(found) == 1 else ""  # of two there is no room for grades
    return f"severe reaction ({', '.join(found)}{grade})" if found else row["stopped_by"]


def _kinds(table: pd.DataFrame) -> list[str]:
    """Events in columns of their own: all but ICANS whose day is known."""
    kinds = table.columns.drop([*COURSE_COLUMNS, "label", "bar_open", "blocks_open"])
    without_day = (table[ICANS] != "") & table["icans_day"].isna()
    return [kind for kind in kinds if kind != ICANS or without_day.any()]


def _anybodys(counts: pd.DataFrame, kinds: list[str], cohort: Cohort) -> set[tuple[str, str]]:
    """Group and event, where some lanes of a reconstructed group have it and others not: no report says which."""
    rows = counts[counts["feature"].isin(kinds) & cohort.reconstructed]
    some = rows[(rows["k"].ne(0) & rows["k"].ne(rows["n"])).fillna(True)]
    return {*zip(some["group"], some["feature"], strict=True)}


def _columns(kinds: list[str]) -> list[tuple[list[str], float]]:
    """The heading, in lines, and the width in mm of every column to the right of the time axis."""
    said = [("further cycles (dates and length not recorded)", _FURTHER)]
    said += [
        (f"{ICANS}, day not recorded" if kind == ICANS else written(kind, f"event {place}"), _EVENT)
        for place, kind in enumerate(kinds, start=1)
    ]
    said.append(("why it stopped early", _WHY))
    return [(wrapped(words, wide - 1), wide) for words, wide in said]


def _lanes(table: pd.DataFrame, most: int) -> pd.DataFrame | None:
    """The lanes with the number of patients `n` of each, those that look the same as one; None if there is no room."""
    if len(table) <= most:
        return table.assign(n=1)
    same = [name for name in table if name not in ("patient_id", "label")]
    lanes = table.groupby(same, sort=False, dropna=False)["label"].agg(n="size", label="first").reset_index()
    labels = [f"× {n}" if n > 1 else label for n, label in zip(lanes["n"], lanes["label"], strict=True)]
    return lanes.assign(label=labels) if len(lanes) <= most else None


def _added_up(counts: pd.DataFrame, name: str) -> str:
    """What a group's lanes add up to: every feature that occurs, or may."""
    rows = counts[counts["group"] == name]
    may_occur = rows["k"].ne(0).fillna(True) | rows["percent_greatest"].gt(0)
    return "; ".join(_in_words(row) for row in rows[may_occur].itertuples())


def _in_words(row: tuple) -> str:
    """A feature with its count: "ICANS 1/18 (grade 4, day 2)", "further cycles open, 0 to 7 of 18"."""
    feature = STOP_WORDS.get(row.feature, written(row.feature.replace("_", " "), "another feature"))
    shared = []
    for word, value in (("grade", row.grade), ("day", row.onset_day)):
        if pd.notna(value):
            shared.append(f"{word} {value}")
    if shared and pd.notna(row.k):
        return f"{feature} {row.short} ({', '.join(shared)})"
    return f"{feature} {row.short}"


def _heading(counts: pd.DataFrame, name: str, words: str) -> tuple[str, list[str]]:
    """A group with its size, as said in words, and, in lines, what its lanes add up to."""
    return words, wrapped(_added_up(counts, name), WIDE - 2 * MARGIN - _beside_name(words)) or [""]


def _beside_name(words: str) -> float:
    return text_width(words, SMALL, "bold") + 1.5


def _scale(axis: Axes, table: pd.DataFrame, height: float, width: float) -> float:
    """The time axis, on which a day reaches from half a day before its number to half a day after; the mm of a day."""
    days = max([28, *table["infusion_days"].dropna(), *table["icans_day"].dropna()])
    axis.set(xlim=(0.5, days + 3.5), ylim=(height, 0), yticks=[])
    axis.set_xticks([day for day in _WEEKS if day <= days])
    axis.set_xlabel("day of infusion in cycle 1")
    axis.spines["left"].set_visible(False)
    return width / (days + 3)


def _course(axis: Axes, y: float, thick: float, row: dict, look: Look, day: float) -> None:
    """Bar of infusion, mark of its end and, where its day is known, the box of ICANS; `day` is the mm of a day."""
    if pd.isna(length := row["infusion_days"]):
        axis.text(1, y, UNRECORDED, size=SMALL, ha="center", va="center")
        length = 0
    else:
        axis.add_patch(
            Rectangle(
                (0.5, y - thick / 2),
                length,
                thick,
                gid="infusion",
                clip_on=False,
                **_filling(look, row["bar_open"]),
            )
        )
    end = length + 0.5
    if pd.notna(began := row["icans_day"]):
        half = _BOX / day / 2
        axis.add_patch(
            Rectangle(
                (began - half, y - _BOX / 2),
                2 * half,
                _BOX,
                facecolor="white",
                edgecolor=INK,
                linewidth=0.8,
                zorder=3,
                gid="icans",
                clip_on=False,
            )
        )
        axis.text(
            began,
            y,
            row[ICANS].replace("yes", ""),
            size=SMALL,
            ha="center",
            va="center_baseline",
            zorder=4,
        )
        if began - half < end + 2 * _BESIDE / day:  # the mark of the end stands beyond the box
            end = max(end, began + half)
    if length and pd.notna(row["stop_reason"]):
        axis.plot(
            [end + _BESIDE / day],
            [y],
            gid="end",
            **_mark(_ENDS.get(row["stop_reason"], _OTHERWISE)),
        )


def _filling(look: Look, is_open: bool) -> dict[str, object]:
    return {
        "facecolor": "white" if is_open else tint(look.colour),
        "edgecolor": look.colour,
        "linewidth": 0.8,
    }


def _mark(marker: str) -> dict[str, object]:
    """The look of the mark at the end of a bar: hollow where cycle 1 was completed."""
    return {
        "marker": marker,
        "markersize": 3.3 if marker == "D" else 4,
        "color": INK,
        "markeredgewidth": 0.7,
        "markerfacecolor": "white" if marker == _ENDS["completed"] else INK,
    }


def _others(
    axis: Axes,
    y: float,
    thick: float,
    row: dict,
    look: Look,
    kinds: list[str],
    anybodys: set[tuple[str, str]],
) -> None:
    """Further cycles, events and reason to stop of a lane, in their columns; grey what may be another lane's."""
    further = 0 if pd.isna(row["extra_cycles"]) else int(row["extra_cycles"])
    if pd.isna(row["extra_cycles"]):
        axis.text(2, y, UNRECORDED, size=SMALL, ha="center", va="center")
    step = min(_BLOCK, (_FURTHER - 2) / max(further, 1))
    for cycle in range(further):
        axis.add_patch(
            Rectangle(
                (1 + cycle * step, y - thick / 2),
                0.8 * step,
                thick,
                gid="cycle",
                **_filling(look, row["blocks_open"]),
            )
        )
    for place, kind in enumerate(kinds):
        x = _FURTHER + _EVENT * place + 4
        if kind == ICANS and pd.notna(row["icans_day"]):
            continue  # it stands on its day
        colour = _GREY if (row["group"], kind) in anybodys else INK
        if row[kind] == "yes":
            axis.plot([x], [y], marker="o", markersize=3, color=colour, gid=kind)
        else:
            axis.text(x, y, row[kind], size=SMALL, ha="center", va="center", gid=kind, color=colour)
    if pd.isna(row["stop_reason"]) or row["stop_reason"] != "completed":
        reason = NOT_RECORDED if pd.isna(row["stop_reason"]) else row["stop_reason"]
        words = row["stopped_by"] or REASON_WORDS.get(reason, reason)
        axis.text(
            _FURTHER + _EVENT * len(kinds) + 1,
            y,
            written(words, "another reason"),
            size=SMALL,
            va="center",
            gid="why",
        )


def _key(table: pd.DataFrame) -> list[tuple[int, float, str, str]]:
    """Line, place in mm, marker and words of every sign; "box" is that of ICANS, "dot" that of an event."""
    signs = [(marker, STOP_WORDS[reason]) for reason, marker in _ENDS.items()]
    if not set(table["stop_reason"].dropna()) <= {*_ENDS}:
        signs.append((_OTHERWISE, "ended otherwise"))
    signs += [("box", f"{ICANS} began (grade)"), ("dot", "event without a grade")]
    placed, line, x = [], 0, MARGIN + 1.5
    for marker, words in signs:
        wide = text_width(words) + 7
        if x + wide > WIDE:
            line, x = line + 1, MARGIN + 1.5
        placed.append((line, x, marker, words))
        x += wide
    return placed


def _sign(sheet: Sheet, x: float, y: float, marker: str) -> None:
    """A sign of the key, drawn as it is in the lanes."""
    if marker == "box":
        sheet.box(x - _BOX / 2, y - _BOX / 2, _BOX, _BOX, facecolor="white", edgecolor=INK, linewidth=0.8)
    elif marker == "dot":
        sheet.line([x], [y], marker="o", markersize=3, color=INK)
    else:
        sheet.line([x], [y], **_mark(marker))


def _note(lanes: pd.DataFrame, some_grey: bool, cohort: Cohort) -> str:
    said = ["A lane is a row of the line list." if cohort.reconstructed else "A lane is a patient."]
    if (lanes["n"] > 1).any():
        said.append("× n: so many lanes that look the same.")
    if lanes[["infusion_days", "extra_cycles"]].isna().any(axis=None) or lanes.eq(UNRECORDED).any(axis=None):
        said.append(f"{UNRECORDED}: {NOT_RECORDED}.")
    said.append(f"Numbers: worst grade; {scale_text(cohort)}.")
    if cohort.reconstructed:
        said.append("The report describes no course: which features meet in one lane is one of many possibilities.")
    if lanes["bar_open"].any() or lanes["blocks_open"].any():
        said.append(
            "Filled bar: its length and end are the same in every line list that satisfies the report. Hollow bars and "
            "blocks: line lists differ. Beside a group's name stands what its lanes add up to; open: no single number."
        )
    if some_grey:
        said.append("Grey dots and grades: the report does not say which lanes of the group have them.")
    return " ".join(said)


def _alt(counts: pd.DataFrame, sizes: dict[str, int], everyone: str, kind: str) -> str:
    said = [f"{name}, n = {n}: {_added_up(counts, name) or 'nothing to show'}" for name, n in sizes.items()]
    return f"{kind} of {everyone}, by group. {'. '.join(said)}. All others 0."
