"""MRD: every patient before and after by each assay, and burden before against response."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.transforms import blended_transform_factory

from blina.analysis.cohort import by_group
from blina.analysis.study import Study
from blina.figures.shown import no_results, of_groups
from blina.figures.style import (
    LINE,
    MANY,
    MARGIN,
    NARROW,
    RULE,
    SHADE,
    SMALL,
    WIDE,
    Look,
    Picture,
    Sheet,
    bars_of,
    below_axes,
    crowded,
    headed,
    in_words,
    log_percent,
    looks,
    people_or_rows,
    styled,
    text_width,
    tint,
    wrapped,
)
from blina.linelist.tidy import TIMES
from blina.measures import views
from blina.measures.choices import RULES, choice
from blina.measures.intervals import METHOD, rate_text, short_text
from blina.measures.text import OPEN_WORD

_SIDE_BY_SIDE = 3  # groups up to which the two assays stand side by side
_HEIGHT, _LEFT = 72.0, 16.0  # mm
_BELOW = LINE + 3.0  # mm below the axis before what is said of the groups
_STEP, _SIDE = 2.4, 0.57  # from group to group; before and after from its centre
_SPREAD = 0.45  # patients about that
_INSIDE, _APART = 0.3, 0.2  # powers of ten: rows without value from their edge, and about that
_FEW = 6  # patients of a group up to which each has a row without value
_ROOM = 20  # patients of a group up to which a white edge parts filled points
_RESULTS = ("positive", "negative")
STRIP = 10**2.3, 10**3.5  # above the scale: positive without a reported value
_NOBODY = {"FC": "nobody with a result", "RT-PCR": "nobody followed"}
_HEADINGS = {"FC": "FC", "RT-PCR": "RT-PCR, where a fusion gene is followed"}


def band(least: float) -> tuple[float, float]:
    """Where results that were not detected stand: below the limit of detection, or the least value, at no value."""
    return least * 10**-1.7, least * 0.9


@styled
def mrd_paired(study: Study) -> Picture:
    """MRD of every patient before and after, FC and RT-PCR apart (180 mm), % on a log axis.

    A line joins one patient's two results by one assay. Hollow points in the shaded band were not
    detected; the band ends at the limit of detection or, if none is reported, at the least reported
    value, and the note says which. A positive result without a value stands in a strip above the
    scale. k/n in band and strip count the group's patients. A group of more than `MANY` patients is
    drawn as bars, as broad as there are patients, without lines. Who was not assessed at a time has
    no point there, and is counted below the group. Where the number of negatives or of positives is
    open, the band prints the bounds of the negatives, and the strip "open". An assay without any
    result is a sentence.
    """
    patients, mrd, cohort = study.patients, study.mrd, study.cohort
    shown = looks(cohort)
    unsettled = _open(of_groups(views.statuses(study.results), study))
    beside = len(shown) <= _SIDE_BY_SIDE
    width = (WIDE - 2 * MARGIN) / 2 - _LEFT - 1 if beside else WIDE - 2 * MARGIN - _LEFT
    rows = people_or_rows(len(patients), cohort)
    title = f"MRD before and after blinatumomab by FC and by RT-PCR, {rows} by group"
    if all(no_results(mrd, assay) for assay in _HEADINGS):
        sentence = "MRD is not recorded for any patient."
        sheet = Sheet(WIDE, 6, title, [], cohort.face)
        sheet.text(MARGIN, 1, sentence, va="top")
        return sheet.picture("mrd-paired", f"{sentence} Groups: {', '.join(shown)}.")
    results = {assay: mrd[mrd["assay"] == assay] for assay in _HEADINGS}
    least = {assay: _least(mine, mrd) for assay, mine in results.items()}
    pairs = {}
    for assay in _HEADINGS:
        for name, members in by_group(patients, cohort, total=False):
            pairs[assay, name] = _pairs(members, results[assay], least[assay])
    lacks = any(_unassessed(of, time) for of in pairs.values() for time in TIMES)
    below = {}
    for (assay, name), mine in pairs.items():
        below[assay, name] = _below(mine, shown[name], width / len(shown) - 1, lacks)
    height = _HEIGHT + _BELOW + LINE * max(map(len, below.values()))
    body = height if beside else 2 * height + 7
    notes = [_paired_note(results, least, pairs, bool(unsettled))]
    sheet = Sheet(WIDE, 5 + body, title, notes, cohort.face)
    alt = []
    for place, (assay, heading) in enumerate(_HEADINGS.items()):
        right, down = (place, 0) if beside else (0, place)
        left, top = MARGIN + _LEFT + right * (width + _LEFT + 2), 5 + down * (height + 7)
        axis = sheet.axes(left, top, width, _HEIGHT)
        axis.set_title(heading)
        nothing = no_results(mrd, assay)
        if nothing:
            in_words(axis, nothing, width)
            alt += [f"{name} by {assay}, {_NOBODY[assay]}" for name in shown]
            continue
        _scale(axis, least[assay], len(shown))
        for number, (name, look) in enumerate(shown.items()):
            times = {time: unsettled.get((name, assay, time)) for time in TIMES}
            for line, (words, weight) in enumerate(below[assay, name]):
                below_axes(axis, number * _STEP, 1.8 + LINE * (1 + line), words, weight=weight)
            room = width / len(shown) / 2 - 0.5
            mine, centre = pairs[assay, name], number * _STEP
            words = _pair(axis, centre, mine, look, least[assay], times, room)
            alt.append(f"{name} by {assay}, {words or _NOBODY[assay]}")
    return sheet.picture("mrd-paired", f"Paired dot plot, one panel per assay. {'. '.join(alt)}.")


def _paired_note(
    results: dict[str, pd.DataFrame],
    least: dict[str, float],
    pairs: dict[tuple[str, str], pd.DataFrame],
    is_open: bool,
) -> str:
    note = (
        f"Filled: positive. Hollow: not detected, in the band below {_end(results, least)}. k/n: "
        "patients in band or strip. A line joins the two results of one row of the line list; a dotted "
        "line leads to or from a positive result without value and shows no rise or fall."
    )
    if any(len(of) > MANY for of in pairs.values()):
        note += (
            f" A group of more than {MANY} is drawn as bars, as broad as there are patients (at values, "
            "and in band and strip, to scales of their own), without lines."
        )
    if is_open:
        note += " Open: no single number; line lists that satisfy the report differ."
    return note


def _least(mine: pd.DataFrame, mrd: pd.DataFrame) -> float:
    """Where an assay's band ends: at its limit of detection, or at the least value of any assay where it has none."""
    limits = mine["limit_of_detection_percent"].dropna()
    values = (mine if len(limits) else mrd)["value_percent"].dropna()
    return min([*limits.unique(), *values], default=0.01)


def _end(results: dict[str, pd.DataFrame], least: dict[str, float]) -> str:
    """What the band ends at, in words."""
    limits = {}
    for assay, mine in results.items():
        found = sorted(mine["limit_of_detection_percent"].dropna().unique())
        if found:
            limits[assay] = _limits_text(found)
    if not limits:
        value = short_text(min(least.values()))
        return f"the least reported value, {value}%, as no limit of detection is reported"
    if len(limits) == len(results) and len(set(limits.values())) == 1:
        return f"the limit of detection, {next(iter(limits.values()))}"
    each = [f"{limit} by {assay}" for assay, limit in limits.items()]
    return f"the limit of detection, {' and '.join(each)}"


def _limits_text(limits: list[float]) -> str:
    """Limits of detection in words; of more than two, which patients' cells may state, the least and the greatest."""
    texts = [short_text(limit) for limit in limits]
    if len(texts) > 2:
        return f"{texts[0]} to {texts[-1]}%"
    return f"{' and '.join(texts)}%"


def _open(statuses: pd.DataFrame) -> dict[tuple[str, str, str], dict]:
    """The row of the negatives, by group, assay and time, where counts are open."""
    rows = {}
    for key, mine in statuses.groupby(["group", "assay", "time"], sort=False):
        found = mine[mine["status"].isin(_RESULTS)]
        if found["open"].any():
            rows[key] = found[found["status"] == "negative"].iloc[0].to_dict()
    return rows


def _below(pairs: pd.DataFrame, look: Look, room: float, lacks: bool) -> list[tuple[str, str]]:
    """What stands below a group, line by line with its weight: name and size and, where told, who lacks a result."""
    said = [(line, "bold") for line in headed(look.name, len(pairs), room)]
    if lacks:
        missing = [f"{time} {_unassessed(pairs, time)}" for time in TIMES]
        said += [(line, "normal") for line in wrapped(f"not assessed: {', '.join(missing)}", room)]
    return said


def _unassessed(pairs: pd.DataFrame, time: str) -> int:
    return int((~pairs[f"{time}_status"].isin(_RESULTS)).sum())


def _pairs(members: pd.DataFrame, mrd: pd.DataFrame, least: float) -> pd.DataFrame:
    """Before and after of every patient to whom the assay applies, least first.

    Columns per time: place on the axis, `_status`, and `_valued`, whether the place is a value.
    """
    pairs = pd.DataFrame({"patient_id": members["patient_id"].array})
    for time in ("before", "after"):
        side = pairs[["patient_id"]].merge(mrd[mrd["time"] == time], on="patient_id", validate="one_to_one")
        pairs[f"{time}_status"] = side["status"]
        pairs[time] = side["value_percent"].where(side["status"] == "positive")
        pairs[f"{time}_valued"] = pairs[time].notna()
        for kind, (low, high) in (("negative", band(least)), ("positive", STRIP)):
            without = (side["status"] == kind) & ~pairs[f"{time}_valued"]
            pairs.loc[without, time] = high * 10**-_INSIDE if kind == "negative" else low * 10**_INSIDE
    followed = [pairs[f"{time}_status"].ne("not_applicable").fillna(True) for time in TIMES]
    assessed = [pairs[f"{time}_status"].isin(_RESULTS) for time in TIMES]
    pairs = pairs[followed[0] & followed[1] & (assessed[0] | assessed[1])]
    pairs = pairs.sort_values(["before", "after", "patient_id"], ignore_index=True)
    if len(pairs) > 1:  # without values, rows keep points and lines apart: one each for a few patients
        rows = len(pairs) if len(pairs) <= _FEW else 3
        row = 10 ** (_APART * (2 * (pairs.index % rows) / (rows - 1) - 1))
        for time in ("before", "after"):
            pairs[time] = pairs[time].where(pairs[f"{time}_valued"], pairs[time] * row)
    return pairs


def _scale(axis: Axes, least: float, groups: int) -> None:
    low, top = band(least)
    log_percent(axis, "y", least, 100)
    axis.set_ylim(low, STRIP[1])
    axis.set_xlim(-_STEP / 2, _STEP * (groups - 0.5))
    axis.axhspan(low, top, color=SHADE, linewidth=0, zorder=0)
    axis.axhspan(*STRIP, facecolor="none", edgecolor=RULE, linewidth=0.6, zorder=0)
    axis.spines["left"].set_bounds(least, 100)
    axis.spines["bottom"].set_visible(False)
    axis.tick_params(axis="x", length=0)
    ticks = [_STEP * number + side for number in range(groups) for side in (-_SIDE, _SIDE)]
    axis.set_xticks(ticks, ["before", "after"] * groups)
    beside = blended_transform_factory(axis.transAxes, axis.transData)
    for (bottom, end), words in (
        (band(least), "not\ndetected"),
        (STRIP, "positive,\nno value\nreported"),
    ):
        axis.text(
            -0.02,
            (bottom * end) ** 0.5,
            words,
            size=SMALL,
            ha="right",
            va="center",
            transform=beside,
        )
    axis.annotate(
        "MRD (%)",
        (0, (least * 100) ** 0.5),
        xycoords=beside,
        xytext=(-12 * 72 / 25.4, 0),
        rotation=90,
        textcoords="offset points",
        ha="center",
        va="center",
        annotation_clip=False,
    )


def _pair(
    axis: Axes,
    centre: float,
    pairs: pd.DataFrame,
    look: Look,
    least: float,
    unsettled: dict[str, dict | None],
    room: float,
) -> str:
    """Draw a group's results by one assay, with bounds at times that are open; what there is to say of them.

    unsettled: per time the row of the negatives where counts are open; room: how many mm a count
    may be wide.
    """
    n = len(pairs)
    if n > MANY:
        _crowd(axis, centre, pairs, look, least)
    else:
        _each(axis, centre, pairs, look)
    parts = []
    for time, side in (("before", -_SIDE), ("after", _SIDE)):
        if unsettled[time] is None:
            no, yes, words = _counted(pairs, time, room)
        else:
            no, yes, words = _bounded(unsettled[time], n)
        x = centre + side
        axis.text(x, band(least)[0] * 1.2, no, size=SMALL, ha="center", va="bottom")
        axis.text(x, STRIP[1] / 1.2, yes, size=SMALL, ha="center", va="top")
        parts.append(f"{time}: {words}")
    return "; ".join(parts) if n else ""


def _counted(pairs: pd.DataFrame, time: str, room: float) -> tuple[str, str, str]:
    """What band and strip print at a time, and the same in words."""
    n = len(pairs)
    negative = int((pairs[f"{time}_status"] == "negative").sum())
    positive = pairs[f"{time}_status"] == "positive"
    unvalued = int((positive & ~pairs[f"{time}_valued"]).sum())
    words = f"not detected in {negative}/{n}, positive without a value {unvalued}/{n}"
    missing = _unassessed(pairs, time)
    if missing:
        words += f", not assessed {missing}/{n}"
    between = "/" if text_width(f"{n}/{n}") <= room else "\nof "
    return f"{negative}{between}{n}", f"{unvalued}{between}{n}", words


def _bounded(negatives: dict, n: int) -> tuple[str, str, str]:
    """The same where counts are open; bounds are of the group, n are those whom the assay follows."""
    bounds = negatives["bounds"]
    words = f"not detected in {bounds} of {n}"
    band_text = f"{bounds}\nof {n}"
    if negatives["open"]:
        words += f" ({OPEN_WORD})"
        band_text = f"{OPEN_WORD},\n{band_text}"
    return band_text, OPEN_WORD, f"{words}, positive without a value {OPEN_WORD}"


def _crowd(axis: Axes, centre: float, pairs: pd.DataFrame, look: Look, least: float) -> None:
    """Many patients' results: bars at their values, and one bar each in band and strip."""
    for time, side in (("before", -_SIDE), ("after", _SIDE)):
        status, valued = pairs[f"{time}_status"], pairs[f"{time}_valued"]
        if valued.any():
            bars_of(
                axis,
                centre + side,
                pairs.loc[valued, time],
                look,
                _SPREAD,
                log=True,
                gid=f"values-{time}",
            )
        places = {"negative": band(least)[1] * 10**-_INSIDE, "positive": STRIP[0] * 10**_INSIDE}
        for which, place in places.items():
            broad = 2 * _SPREAD * (status.eq(which) & ~valued).mean()
            axis.add_patch(
                Rectangle(
                    (centre + side - broad / 2, place / 1.3),
                    broad,
                    place * (1.3 - 1 / 1.3),
                    facecolor=tint(look.colour),
                    linewidth=0,
                    gid=f"many-{time}",
                )
            )


def _each(axis: Axes, centre: float, pairs: pd.DataFrame, look: Look) -> None:
    """Each patient's two results, joined."""
    n = len(pairs)
    offsets = [0.0] if n == 1 else [_SPREAD * (2 * place / (n - 1) - 1) for place in range(n)]
    for row, offset in zip(pairs.itertuples(), offsets, strict=True):
        unvalued = any(
            status == "positive" and not valued
            for status, valued in (
                (row.before_status, row.before_valued),
                (row.after_status, row.after_valued),
            )
        )
        axis.plot(
            [centre - _SIDE + offset, centre + _SIDE + offset],
            [row.before, row.after],
            zorder=1,
            linewidth=0.5,
            color=RULE if unvalued else look.colour,
            linestyle=":" if unvalued else "-",
        )
    for time, side in (("before", -_SIDE), ("after", _SIDE)):
        some = pairs[pairs[time].notna()]
        negative = some[f"{time}_status"] == "negative"
        axis.scatter(
            [centre + side + offsets[place] for place in some.index],
            some[time],
            marker=look.marker,
            s=[(look.scale * (3.8 if n <= 60 else 2.4) + (0 if no else 0.8)) ** 2 for no in negative],
            linewidth=[0.8 if no else 0.4 for no in negative],
            edgecolor=[look.colour if no or n > _ROOM else "white" for no in negative],
            facecolor=["white" if no else look.colour for no in negative],
            zorder=2,
        )


@styled
def burden(study: Study, group: str) -> Picture:
    """MRD before against response in one group (85 mm), % on a log axis, with the exact p and the smallest attainable.

    Response is by the rule of the group's reported rate, else by FC. The picture is named "burden",
    that of a second group with the same purpose "burden-2". Patients without a value before are
    counted in a note. In a reconstructed cohort points are rows of the line list, and are named so.
    Where no patient of the group has a value and an outcome, a sentence says so.
    """
    cohort = study.cohort
    view = study.burden(group)
    test = view.table.iloc[0]
    points = study.burden_points(group)
    look = looks(cohort)[group]
    label = choice(RULES, test["rule"]).label
    counted = test["responders_short"]
    if pd.notna(test["n"]):
        counted = f"{test['responders']} of {test['n']}"
    title = f"MRD before and response by {label} in {look.name}: {counted} negative after"
    not_shown = _not_shown(test, study)
    if view.sentence:
        sheet = Sheet(NARROW, 9, f"MRD before and response by {label} in {look.name}", not_shown, cohort.face)
        for line, words in enumerate(wrapped(view.sentence, NARROW - 2 * MARGIN)):
            sheet.text(MARGIN, 1 + LINE * line, words, va="top")
        return sheet.picture(_burden_name(study, group), f"{group}: {view.sentence}")
    tested = f", {test['test_text']}" if test["open"] else f": {test['test_text']}"
    sides = _sides(points, look)
    notes = [
        f"Negative after: {_rate(test, 'responders')}, {METHOD}.",
        f"Exact rank test, two-sided{tested}.",
        *not_shown,
    ]
    if any(side.as_bars for side in sides):
        notes.append("Where points have no room there are bars, as high as there are patients.")
    if cohort.reconstructed:
        notes.append(f"Every point is a row of the line list. {_determined(test, study)}".rstrip())
    sheet = Sheet(NARROW, 38, title, notes, cohort.face)
    axis = sheet.axes(MARGIN + 19, 1, NARROW - 2 * MARGIN - 22, 28)
    for place, side in enumerate(sides):
        _draw_side(axis, place, side, look)
    low = 10.0 ** floor(log10(min(points["value_percent"], default=0.01)))
    high = 10.0 ** ceil(log10(max(points["value_percent"], default=100)))
    log_percent(axis, "x", low, high)
    axis.set_xlim(low * 0.8, high * 1.25)
    axis.set_ylim(1.5, -0.5)
    axis.set_xlabel("MRD before (%)")
    counts = [test["responders_short"], test["others_short"]]
    axis.set_yticks([0, 1], [f"negative\nafter, {counts[0]}", f"not negative\nafter, {counts[1]}"])
    alt = (
        f"Dot plot. MRD before in {group}, {people_or_rows(len(points), cohort)}. "
        f"Negative after by {label}: {_rate(test, 'responders')}{_within(test, 'responders')}. "
        f"Not negative: {_rate(test, 'others')}{_within(test, 'others')}. Rank test{tested}."
    )
    return sheet.picture(_burden_name(study, group), alt)


@dataclass(frozen=True)
class _Side:
    """The values of those negative after, or of the others, and how they are drawn."""

    values: pd.Series
    responded: bool
    size: float
    as_bars: bool


def _sides(points: pd.DataFrame, look: Look) -> list[_Side]:
    sides = []
    for responded in (True, False):
        values = points.loc[points["responded"] == responded, "value_percent"]
        size = look.scale * (5 if len(values) <= 40 else 2.6)
        sides.append(_Side(values, responded, size, crowded(values, size, 13)))
    return sides


def _draw_side(axis: Axes, place: int, side: _Side, look: Look) -> None:
    if side.as_bars:
        bars_of(axis, place, side.values, look, 0.3, log=True, upright=False)
        return
    if side.values.empty:
        return
    seaborn.swarmplot(
        x=[*side.values],
        y=[place] * len(side.values),
        ax=axis,
        orient="h",
        native_scale=True,
        marker=look.marker,
        size=side.size,
        linewidth=0.9,
    )
    face = "white" if side.responded else look.colour
    axis.collections[-1].set(facecolor=face, edgecolor=look.colour)


def _burden_name(study: Study, group: str) -> str:
    """The name of the picture: that of a group with the purpose of an earlier one bears a number."""
    purpose = study.cohort.group(group).purpose
    alike = [one.name for one in study.cohort.groups if one.purpose == purpose]
    place = alike.index(group)
    return f"burden-{place + 1}" if place else "burden"


def _not_shown(test: pd.Series, study: Study) -> list[str]:
    """Who has no point, in a sentence; none where all have one."""
    without = test["without_value"]
    if pd.notna(without) and without == 0:
        return []
    rows = f"{test['without_value_text']} patients"
    if pd.notna(without):
        rows = people_or_rows(int(without), study.cohort)
    return [f"Not shown: {rows} without a value before or an outcome by this rule."]


def _rate(test: pd.Series, side: str) -> str:
    """How many of those compared are on a side, in percent with the exact interval."""
    if pd.isna(test[side]) or pd.isna(test["n"]):
        return test[f"{side}_short"]
    return rate_text(int(test[side]), int(test["n"]))


def _within(test: pd.Series, side: str) -> str:
    ends = test[f"{side}_range"]
    return f", MRD before {ends}%" if ends else ""


def _determined(test: pd.Series, study: Study) -> str:
    """Which values the report determines, in words: ends of ranges that are not open; "" where no bounds are known."""
    if study.known is None:
        return ""
    known = []
    for side in ("responders", "others"):
        if test[f"{side}_range"] and not test[f"{side}_range_open"]:
            known.append(f"{test[f'{side}_range']}%")
    if not known:
        return "The values are made up."
    ranges = "ranges" if len(known) > 1 else "range"
    ends = f"the ends of the {ranges} {' and '.join(known)}"
    return f"The report determines {ends}; all other values are made up."
