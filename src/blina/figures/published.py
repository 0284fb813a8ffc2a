"""The cohort's rates among published ones: a forest in panels by question."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Polygon

from blina.analysis.context import COMPARISONS, DERIVED, OUTCOMES, SHARED, Comparison
from blina.figures.style import (
    INK,
    MARGIN,
    MUTED,
    RULE,
    SHADE,
    TALL,
    WIDE,
    Look,
    Picture,
    Sheet,
    draw_rate,
    looks,
    span_note,
    styled,
    text_width,
    wrapped,
    written,
)
from blina.linelist.cohort import Cohort
from blina.measures.intervals import METHOD, decimal_text, exact

_STUDY, _WHAT, _STATED = 48.0, 53.0, 37.5  # mm: who, what was counted and how, the rate in words
_LINE, _PAD, _HEAD = 2.8, 0.8, 5.4  # mm: a line of text, what is between rows, a panel's heading
_HOLLOW = {word.replace("_", "-") for word in DERIVED}
_PUBLISHED = Look("", MUTED, "h")


@dataclass(frozen=True)
class _Row:
    """A row of the forest: lines of its two columns of words, lines of its rate, and what is drawn."""

    who: list[str]
    what: list[str]
    stated: list[str]
    drawn: dict

    @property
    def height(self) -> float:
        return _LINE * max(map(len, (self.who, self.what, self.stated))) + _PAD


@styled
def published(table: pd.DataFrame, cohort: Cohort, pooled: pd.DataFrame | None = None) -> Picture:
    """Rates with exact intervals beside published ones (180 mm): a panel per comparison, this cohort's rows first.

    `table` is that of `context.side_by_side`, `pooled` that of `context.pools`: a pooled rate is a
    hollow grey diamond from its lower to its upper limit, a thin line its prediction interval. This
    cohort's rows have the look of their group; where a rate is open or not all is recorded, a broad
    bar from its least to its greatest value and a thin line between the exact limits at both.
    Published rates are grey, hollow where the count is derived or back-calculated. DOIs are left to
    the table. Where a page has no room for all, panels in which this cohort has no rate are left
    out, and a note names them.
    """
    known = looks(cohort)
    whose = "This report" if cohort.doi else "This cohort"
    panels = []
    for one in COMPARISONS:
        mine = table[table["comparison"] == one.id]
        if len(mine):
            panels.append((one, _rows(mine, known, whose) + _diamond(one, pooled)))
    own = table[table["own"]]
    face = cohort.face if own["open"].any() else ""
    title = "Rates of response beside those of published cohorts, with exact 95% intervals"
    note = _note(table, pooled, cohort)
    sheet = Sheet(WIDE, max(_height(panels), _HEAD) + 9.5, title, [note], face)
    if sheet.height > TALL and len(own):
        kept = set(own["comparison"])
        left_out = [one.title for one, _ in panels if one.id not in kept]
        note += f" No room for: {'; '.join(left_out)} (see the table)."
        panels = [(one, rows) for one, rows in panels if one.id in kept]
        sheet = Sheet(WIDE, _height(panels) + 9.5, title, [note], face)
    height = _height(panels)
    if not panels:
        sheet.text(MARGIN, 1, "No published rate is comparable with one of this cohort.", va="top")
        return sheet.picture("published", "No published rate is comparable with one of this cohort.")
    left = MARGIN + _STUDY + _WHAT
    axis = sheet.axes(left, 0, WIDE - left - _STATED - MARGIN - 2, height)
    _scale(axis, height)
    top = 0.0
    for one, rows in panels:
        sheet.text(MARGIN, top + 1.6, one.title, weight="bold", va="top")
        # No grid behind a heading.
        axis.axhspan(top, top + _HEAD - 0.8, color="white", zorder=0.5, linewidth=0)
        if top:
            sheet.line((MARGIN, WIDE - MARGIN), (top + 0.5, top + 0.5), color=RULE, linewidth=0.5)
        top += _HEAD
        for row in rows:
            middle = top + (row.height - _PAD) / 2
            for words, x in (
                (row.who, MARGIN),
                (row.what, MARGIN + _STUDY),
                (row.stated, WIDE - MARGIN - _STATED),
            ):
                _write(sheet, x, middle, words, bold=row.drawn.get("own", False) and words is row.who)
            _draw(axis, middle, row.drawn, known)
            top += row.height
    return sheet.picture("published", _alt(table, pooled))


def _height(panels: list[tuple[Comparison, list[_Row]]]) -> float:
    return sum(_HEAD + sum(row.height for row in rows) for _, rows in panels)


def _rows(mine: pd.DataFrame, known: dict[str, Look], whose: str) -> list[_Row]:
    """The rows of a panel; where nothing published stands in it, a last one that says so."""
    rows, named = [], set()
    for row in mine.to_dict("records"):
        who, whom = row["study"], row["whom"]
        how = "; ".join(filter(None, (row["how"], row["marks"])))
        if row["own"]:  # whose rule is in the words of the outcome
            who, how = f"{whose}, {known[row['group']].name}", row["marks"]
            whom = "" if row["group"] in named else written(whom, "")  # once for all rules
            named.add(row["group"])
        stated = row["plain"]  # a bar shows what is not recorded
        if row["open"] and text_width(stated) > _STATED:
            stated = row["short"]  # the bar says it in percent
        first = _lines((who, whom), _STUDY)
        second = _lines((row["outcome"], how), _WHAT)
        rows.append(_Row(first, second, wrapped(stated, _STATED), row))
    if mine["own"].all():
        rows.append(_Row(["No published rate is comparable."], [], [], {}))
    return rows


def _lines(texts: tuple[str, str], width: float) -> list[str]:
    """The lines of a column of words, so many mm wide."""
    lines = []
    for words in texts:
        lines += wrapped(_signs(words), width - 2)
    return lines


def _signs(words: str) -> str:
    return words.replace(">=", "≥").replace("<=", "≤")


def _diamond(one: Comparison, pooled: pd.DataFrame | None) -> list[_Row]:
    if pooled is None:
        return []
    return [
        _Row(
            [f"Pooled: {row['eligible']} studies"],
            [
                f"{OUTCOMES[one.same[0]]} {row['time']}",
                "all patients together" if pd.isna(row["tau"]) else "random effects",
            ],
            [row["text"], *_predicted(row)],
            row,
        )
        for row in pooled[pooled["pooled"] & pooled["comparison"].eq(one.id)].to_dict("records")
    ]


def _predicted(row: dict) -> list[str]:
    if pd.isna(row["predicted_lower"]):
        return []
    low, high = (decimal_text(exact(row[f"predicted_{end}"]), 1) for end in ("lower", "upper"))
    return [f"a further cohort: {low} to {high}"]


def _scale(axis: Axes, height: float) -> None:
    axis.set(xlim=(-3, 103), ylim=(height, 0), yticks=[], xlabel="patients (%)")
    axis.set_xticks([0, 25, 50, 75, 100], ["0", "25", "50", "75", "100"])
    axis.spines["left"].set_visible(False)
    for tick in (0, 25, 50, 75, 100):
        axis.axvline(tick, color=SHADE, linewidth=0.6, zorder=0)


def _write(sheet: Sheet, x: float, middle: float, lines: list[str], bold: bool) -> None:
    """Lines of text around a height: the first dark, the others muted."""
    first = middle - _LINE * (len(lines) - 1) / 2
    for number, line in enumerate(lines):
        sheet.text(
            x,
            first + _LINE * number,
            line,
            va="center",
            color=MUTED if number else INK,
            weight="bold" if bold and not number else "normal",
        )


def _draw(axis: Axes, y: float, row: dict, known: dict[str, Look]) -> None:
    if not row:
        return
    if "pooled" in row:
        if not pd.isna(row["predicted_lower"]):
            axis.plot(
                [row["predicted_lower"], row["predicted_upper"]],
                [y, y],
                color=MUTED,
                linewidth=0.8,
                marker="|",
                markersize=4,
                label="prediction",
            )
        corners = [
            (row["lower"], y),
            (row["percent"], y - 1.5),
            (row["upper"], y),
            (row["percent"], y + 1.5),
        ]
        axis.add_patch(Polygon(corners, facecolor="white", edgecolor=MUTED, linewidth=0.9, zorder=3))
        return
    look = known[row["group"]] if row["own"] else _PUBLISHED
    draw_rate(
        axis,
        y,
        row,
        look,
        size=4.6,
        hollow=row["basis"] in _HOLLOW,
        label="own" if row["own"] else "published",
    )


def _note(table: pd.DataFrame, pooled: pd.DataFrame | None, cohort: Cohort) -> str:
    said = [
        f"k/n (percent, interval): {METHOD}. Grey: published, of children unless marked; hollow where the count is "
        "derived or back-calculated."
    ]
    if pooled is not None and pooled["pooled"].any():
        said.append(
            "Hollow diamond: pooled rate of that very outcome with its 95% interval; line with ends: where the "
            "true rate of a further, similar cohort would lie with 95% probability. This cohort's rates are in "
            "no pool."
        )
    if not table["own"].all():
        said.append("Assays, thresholds, doses, courses and burden differ or are not stated: no row is a comparator.")
    if table["shared"].any():
        said.append(f"{SHARED.capitalize()}: with this report.")
    said.append(span_note(table))
    if cohort.reconstructed and not table["open"].any():
        said.append("Rates of this report are printed or follow from what is printed; no reconstructed row is shown.")
    return " ".join(filter(None, said))


def _alt(table: pd.DataFrame, pooled: pd.DataFrame | None) -> str:
    said = []
    for one in COMPARISONS:
        mine = table[table["comparison"] == one.id]
        rows = [f"{row.study}, {row.outcome}, {row.text}" for row in mine.itertuples()]
        if pooled is not None and rows:
            estimates = pooled.loc[pooled["pooled"] & pooled["comparison"].eq(one.id), "text"]
            rows += [f"pooled {text}" for text in estimates]
        if rows:
            said.append(f"{one.title}: {'; '.join(rows)}")
    return f"Rates with exact intervals in {len(said)} panel{'' if len(said) == 1 else 's'}. {'. '.join(said)}."
