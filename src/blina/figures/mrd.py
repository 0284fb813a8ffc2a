"""MRD: every patient before and after by each assay, and burden before against response."""

from __future__ import annotations

from math import ceil, floor, log10

import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.transforms import blended_transform_factory

from blina.analysis import response as analysis
from blina.analysis.cohort import by_group
from blina.analysis.open import OPEN
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
    log_percent,
    looks,
    people_or_rows,
    styled,
    text_width,
    tint,
    wrapped,
)
from blina.linelist.cohort import Cohort
from blina.linelist.tidy import TIMES
from blina.measures.intervals import METHOD, rate_text, short_text

_SIDE_BY_SIDE = 3  # groups up to which the two assays stand side by side
_HEIGHT, _LEFT, _BELOW = (
    72.0,
    16.0,
    LINE + 3.0,
)  # mm; below the axis before what is said of the groups
_STEP, _SIDE, _SPREAD = (
    2.4,
    0.57,
    0.45,
)  # from group to group; before and after from its centre; patients about that
_INSIDE, _APART = (
    0.3,
    0.2,
)  # powers of ten: rows of points without value from their edge, and about that
_FEW, _ROOM = (
    6,
    20,
)  # patients of a group up to which each has a row without value; a white edge parts filled points
_RESULTS = ("positive", "negative")
STRIP = 10**2.3, 10**3.5  # above the scale: positive without a reported value
_NOBODY = {"FC": "nobody with a result", "RT-PCR": "nobody followed"}
_HEADINGS = {"FC": "FC", "RT-PCR": "RT-PCR, where a fusion gene is followed"}


def band(least: float) -> tuple[float, float]:
    """Where results that were not detected stand: below the limit of detection, or the least value, at no value."""
    return least * 10**-1.7, least * 0.9


@styled
def mrd_paired(
    patients: pd.DataFrame, mrd: pd.DataFrame, cohort: Cohort, statuses: pd.DataFrame | None = None
) -> Picture:
    """MRD of every patient before and after, FC and RT-PCR apart (180 mm), % on a log axis.

    A line joins one patient's two results by one assay. Hollow points in the shaded band were not detected; the band
    ends at the limit of detection or, if none is reported, at the least reported value, and the note says which. A
    positive result without a value stands in a strip above the scale. k/n in band and strip count the group's patients.
    A group of more than `MANY` patients is drawn as bars, as broad as there are patients, without lines. Who was not
    assessed at a time has no point there, and is counted below the group.
    `statuses` has a row per group, assay, time and status with the column `open` of `analysis.open`: where the number
    of negatives or of positives is open, the band prints the bounds of the negatives, and the strip `open`.
    """
    shown = looks(cohort)
    unsettled = _open(statuses)
    beside = len(shown) <= _SIDE_BY_SIDE
    width = (WIDE - 2 * MARGIN) / 2 - _LEFT - 1 if beside else WIDE - 2 * MARGIN - _LEFT
    title = f"MRD before and after blinatumomab by FC and by RT-PCR, {people_or_rows(len(patients), cohort)} by group"
    results = {assay: mrd[mrd["assay"] == assay] for assay in _HEADINGS}
    least = {assay: _least(mine, mrd) for assay, mine in results.items()}
    pairs = {
        (assay, name): _pairs(members, results[assay], least[assay])
        for assay in _HEADINGS
        for name, members in by_group(patients, cohort, total=False)
    }
    lacks = any(
        of[f"{time}_status"].isin(_RESULTS).eq(False).any()
        for of in pairs.values()
        for time in TIMES
    )
    below = {
        key: _below(of, shown[key[1]], width / len(shown) - 1, lacks) for key, of in pairs.items()
    }
    height = _HEIGHT + _BELOW + LINE * max(map(len, below.values()))
    body = height if beside else 2 * height + 7
    note = (
        f"Filled: positive. Hollow: not detected, in the band below {_end(results, least)}. k/n: patients in band or "
        "strip. A line joins the two results of one row of the line list; a dotted line leads to or from a positive "
        "result without value and shows no rise or fall."
    )
    if any(len(of) > MANY for of in pairs.values()):
        note += f" A group of more than {MANY} is drawn as bars, as broad as there are patients (at values, "
        note += "and in band and strip, to scales of their own), without lines."
    if unsettled:
        note += " Open: no single number; line lists that satisfy the report differ."
    sheet = Sheet(WIDE, 5 + body, title, [note], cohort.face)
    alt = []
    for place, (assay, heading) in enumerate(_HEADINGS.items()):
        right, down = (place, 0) if beside else (0, place)
        left, top = MARGIN + _LEFT + right * (width + _LEFT + 2), 5 + down * (height + 7)
        axis = sheet.axes(left, top, width, _HEIGHT)
        _scale(axis, least[assay], len(shown))
        axis.set_title(heading)
        for number, (name, look) in enumerate(shown.items()):
            times = {
                time: said for (*which, time), said in unsettled.items() if which == [name, assay]
            }
            for line, (words, weight) in enumerate(below[assay, name]):
                below_axes(axis, number * _STEP, 1.8 + LINE * (1 + line), words, weight=weight)
            room = width / len(shown) / 2 - 0.5
            said = _pair(axis, number * _STEP, pairs[assay, name], look, least[assay], times, room)
            alt.append(f"{name} by {assay}, {said or _NOBODY[assay]}")
    return sheet.picture("mrd-paired", f"Paired dot plot, one panel per assay. {'. '.join(alt)}.")


def _least(mine: pd.DataFrame, mrd: pd.DataFrame) -> float:
    """Where an assay's band ends: at its limit of detection, or at the least value of any assay where it has none."""
    limits = mine["limit_of_detection_percent"].dropna()
    values = (mine if len(limits) else mrd)["value_percent"].dropna()
    return min([*limits.unique(), *values], default=0.01)


def _end(results: dict[str, pd.DataFrame], least: dict[str, float]) -> str:
    """What the band ends at, in words."""
    limits = {
        assay: sorted(mine["limit_of_detection_percent"].dropna().unique())
        for assay, mine in results.items()
    }
    if not any(limits.values()):
        value = short_text(min(least.values()))
        return f"the least reported value, {value}%, as no limit of detection is reported"
    said = {
        assay: f"{' and '.join(map(short_text, some))}%" for assay, some in limits.items() if some
    }
    if len(said) == len(limits) and len(set(said.values())) == 1:
        return f"the limit of detection, {next(iter(said.values()))}"
    return f"the limit of detection, {' and '.join(f'{limit} by {assay}' for assay, limit in said.items())}"


def _open(statuses: pd.DataFrame | None) -> dict[tuple[str, str, str], str]:
    """Group, assay and time where the number of negatives or of positives is open, with that of negatives in words."""
    if statuses is None:
        return {}
    keys = ["group", "assay", "time"]
    some = statuses[statuses["open"] & statuses["status"].isin(["negative", "positive"])]
    negative = statuses[statuses["status"] == "negative"].set_index(keys)["text"]
    return {key: negative[key] for key in some[keys].itertuples(index=False, name=None)}


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
        side = pairs[["patient_id"]].merge(
            mrd[mrd["time"] == time], on="patient_id", validate="one_to_one"
        )
        pairs[f"{time}_status"] = side["status"]
        pairs[time] = side["value_percent"].where(side["status"] == "positive")
        pairs[f"{time}_valued"] = pairs[time].notna()
        for kind, (low, high) in (("negative", band(least)), ("positive", STRIP)):
            without = (side["status"] == kind) & ~pairs[f"{time}_valued"]
            pairs.loc[without, time] = (
                high * 10**-_INSIDE if kind == "negative" else low * 10**_INSIDE
            )
    followed = [pairs[f"{time}_status"].ne("not_applicable").fillna(True) for time in TIMES]
    assessed = [pairs[f"{time}_status"].isin(_RESULTS) for time in TIMES]
    pairs = pairs[followed[0] & followed[1] & (assessed[0] | assessed[1])]
    pairs = pairs.sort_values(["before", "after", "patient_id"], ignore_index=True)
    if (
        len(pairs) > 1
    ):  # where there is no value, rows keep points and lines apart: one each for a few patients
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
    unsettled: dict[str, str],
    room: float,
) -> str:
    """Draw a group's results by one assay, with bounds at times that are open; what there is to say of them.

    `room` is how many mm a count may be wide.
    """
    n = len(pairs)
    if n > MANY:
        _crowd(axis, centre, pairs, look, least)
    else:
        _each(axis, centre, pairs, look)
    said = []
    for time, side in (("before", -_SIDE), ("after", _SIDE)):
        negative = pairs[f"{time}_status"] == "negative"
        unvalued = (pairs[f"{time}_status"] == "positive") & ~pairs[f"{time}_valued"]
        no, yes = (f"{some.sum()}/{n}" for some in (negative, unvalued))
        count = f"not detected in {no}, positive without a value {yes}"
        if missing := _unassessed(pairs, time):
            count += f", not assessed {missing}/{n}"
        if text_width(f"{n}/{n}") > room:
            no, yes = (words.replace("/", "\nof ") for words in (no, yes))
        if time in unsettled:
            bounds = unsettled[time].partition(" of ")[
                0
            ]  # of the whole group; here of those whom the assay follows
            least_to_most = bounds.removeprefix(f"{OPEN}, ")
            count = (
                f"not detected in {least_to_most} of {n}{f' ({OPEN})' * (bounds != least_to_most)}"
            )
            count += f", positive without a value {OPEN}"
            no, yes = f"{bounds}\nof {n}".replace(", ", ",\n", 1), OPEN
        axis.text(centre + side, band(least)[0] * 1.2, no, size=SMALL, ha="center", va="bottom")
        axis.text(centre + side, STRIP[1] / 1.2, yes, size=SMALL, ha="center", va="top")
        said.append(f"{time}: {count}")
    return "; ".join(said) if n else ""


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
            s=[
                (look.scale * (3.8 if n <= 60 else 2.4) + (0 if no else 0.8)) ** 2
                for no in negative
            ],
            linewidth=[0.8 if no else 0.4 for no in negative],
            edgecolor=[look.colour if no or n > _ROOM else "white" for no in negative],
            facecolor=["white" if no else look.colour for no in negative],
            zorder=2,
        )


@styled
def burden(
    patients: pd.DataFrame,
    mrd: pd.DataFrame,
    cohort: Cohort,
    group: str,
    rule: str | None = None,
    tested: pd.DataFrame | None = None,
) -> Picture:
    """MRD before against response in one group (85 mm), % on a log axis, with the exact p and the smallest attainable.

    The picture is named "burden", that of a second group with the same purpose "burden-2". `rule` as in
    `analysis.response.rule_of`. Patients without a value before are counted in a note. In a reconstructed cohort points
    are rows of the line list, and are named so. `tested` is the row of `burden_test`, with the bounds of
    `analysis.open` where numbers of it are open: ranges and test are printed as it says.
    """
    table = analysis.burden(patients, mrd, cohort, group, rule)
    test = (
        analysis.burden_test(patients, mrd, cohort, group, rule) if tested is None else tested
    ).iloc[0]
    n, yes, no, without = (
        OPEN if pd.isna(test[of]) else int(test[of])
        for of in ("n", "responders", "others", "without_value")
    )
    label = analysis.choice(analysis.RULES, test["rule"]).label
    tested_text = (", " if ":" in test["test_text"] else ": ") + test["test_text"]
    look = looks(cohort)[group]
    title = f"MRD before and response by {label} in {look.name}: {yes} of {n} negative after"
    notes = [
        f"Negative after: {_rate(yes, n)}, {METHOD}.",
        f"Exact rank test, two-sided{tested_text}.",
    ]
    if without:
        rows = OPEN if without == OPEN else people_or_rows(without, cohort)
        notes.append(f"Not shown: {rows} without a value before or an outcome by this rule.")
    sides = [
        table.loc[table["responded"] == responded, "value_percent"] for responded in (True, False)
    ]
    sizes = [look.scale * (5 if len(values) <= 40 else 2.6) for values in sides]
    as_bars = [crowded(values, size, 13) for values, size in zip(sides, sizes, strict=True)]
    if any(as_bars):
        notes.append("Where points have no room there are bars, as high as there are patients.")
    if cohort.reconstructed:
        notes.append(f"Every point is a row of the line list. {_determined(test)}".rstrip())
    sheet = Sheet(NARROW, 38, title, notes, cohort.face)
    axis = sheet.axes(MARGIN + 19, 1, NARROW - 2 * MARGIN - 22, 28)
    for place, (values, size, responded) in enumerate(
        zip(sides, sizes, (True, False), strict=True)
    ):
        if as_bars[place]:
            bars_of(axis, place, values, look, 0.3, log=True, upright=False)
        elif len(values):
            seaborn.swarmplot(
                x=[*values],
                y=[place] * len(values),
                ax=axis,
                orient="h",
                native_scale=True,
                marker=look.marker,
                size=size,
                linewidth=0.9,
            )
            axis.collections[-1].set(
                facecolor="white" if responded else look.colour, edgecolor=look.colour
            )
    low = 10.0 ** floor(log10(min(table["value_percent"], default=0.01)))
    high = 10.0 ** ceil(log10(max(table["value_percent"], default=100)))
    log_percent(axis, "x", low, high)
    axis.set_xlim(low * 0.8, high * 1.25)
    axis.set_ylim(1.5, -0.5)
    axis.set_xlabel("MRD before (%)")
    axis.set_yticks([0, 1], [f"negative\nafter, {yes}/{n}", f"not negative\nafter, {no}/{n}"])
    ends = {
        side: f", MRD before {test[side]}%" if test[side] else ""
        for side in ("responders_range", "others_range")
    }
    alt = (
        f"Dot plot. MRD before in {group}, {people_or_rows(len(table), cohort)}. "
        f"Negative after by {label}: {_rate(yes, n)}{ends['responders_range']}. "
        f"Not negative: {_rate(no, n)}{ends['others_range']}. Rank test{tested_text}."
    )
    place = [one.name for one in cohort.groups if one.purpose == cohort.group(group).purpose].index(
        group
    )
    return sheet.picture(f"burden-{place + 1}" if place else "burden", alt)


def _rate(k: int | str, n: int | str) -> str:
    return OPEN if OPEN in (k, n) else rate_text(k, n)


def _determined(test: pd.Series) -> str:
    """Which values the report determines, in words: ends of ranges that are not open; "" where no bounds are known."""
    if "open" not in test:
        return ""
    ranges = [test["responders_range"], test["others_range"]]
    some = [f"{ends}%" for ends in ranges if ends and not ends.startswith(OPEN)]
    if not some:
        return "The values are made up."
    ends = f"the ends of the range{'s' * (len(some) > 1)} {' and '.join(some)}"
    return f"The report determines {ends}; all other values are made up."
