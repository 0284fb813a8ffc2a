"""The one style of all figures: sizes in millimetres, colours and shapes per group, and files that never change."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, wraps
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullFormatter
from matplotlib.transforms import Affine2D, blended_transform_factory

from blina.linelist.cohort import STANDARD_GROUPS, Cohort

NARROW, WIDE, TALL = 85, 180, 247  # mm: one and two columns of a journal, the height of its page
MANY = 120  # rows of a group up to which each is drawn, if there is room; of more, bars show how many there are
FONT = "DejaVu Sans"
SMALL, NORMAL, LARGE = 7.0, 7.5, 8.5  # pt at final size; nothing is smaller
LINE = 3.0  # mm from line to line of small text
MARGIN = 2.0  # mm
NARROW_BAR = 2.0  # percentage points: a shorter bar could not be seen
INK, MUTED, RULE, SHADE = "#1a1a1a", "#595959", "#bfbfbf", "#ececec"
# Okabe and Ito (2008), ordered so that the first three groups stay apart in grey as well.
GROUP_COLOURS = ("#0072B2", "#E69F00", "#000000", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
GROUP_MARKERS = ("o", "s", "D", "^", "P", "v", "X")
STANDARD = tuple(group.name for group in STANDARD_GROUPS)  # these have the first three, in whatever cohort they are
FORMATS = ("svg", "pdf", "png")

STYLE = {
    "font.family": [FONT],
    "font.size": NORMAL,
    "text.color": INK,
    "text.parse_math": False,
    "axes.titlesize": NORMAL,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 4,
    "axes.labelsize": NORMAL,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "ytick.minor.size": 1.5,
    "ytick.minor.width": 0.4,
    "xtick.minor.size": 1.5,
    "xtick.minor.width": 0.4,
    "hatch.linewidth": 0.6,
    "savefig.dpi": 300,
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "blina",
    "pdf.fonttype": 42,
}
# No dates and no program names: the same figure is the same bytes.
_METADATA: dict[str, dict[str, None]] = {
    "svg": dict.fromkeys(("Date", "Creator", "Format", "Type")),
    "pdf": dict.fromkeys(("CreationDate", "Creator", "Producer")),
    "png": {"Software": None},
}


@contextmanager
def style() -> Iterator[None]:
    """The style, whatever the reader's own matplotlib settings are; they are as before afterwards."""
    with matplotlib.rc_context(matplotlib.rcParamsDefault):
        matplotlib.rcParams.update(STYLE)
        yield


def styled(draw: Callable[..., Picture]) -> Callable[..., Picture]:
    """A figure function that runs in the style."""

    @wraps(draw)
    def run(*args: object, **kwargs: object) -> Picture:
        with style():
            return draw(*args, **kwargs)

    return run


@dataclass(frozen=True)
class Shown:
    """What a notebook shows of a figure: SVG, compared as text, and the words for who cannot see it."""

    svg: str
    alt: str

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": self.alt}


@dataclass(frozen=True)
class Picture:
    """A finished figure with its file name, its title and its alt text."""

    name: str
    figure: Figure
    title: str
    alt: str

    def show(self) -> Shown:
        """For a notebook: SVG only (and the alt text as plain text)."""
        return Shown(self.render("svg").decode(), self.alt)

    def save(self, folder: Path, formats: Iterable[str] = FORMATS) -> list[Path]:
        """Write NAME.svg, .pdf and .png into the folder (made if missing); the paths. ValueError for another format."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for kind in formats:
            content = self.render(kind)
            paths.append(folder / f"{self.name}.{kind}")
            paths[-1].write_bytes(content)
        return paths

    def render(self, kind: str) -> bytes:
        """The figure as svg, pdf or png: the same bytes every time."""
        if kind not in _METADATA:
            raise ValueError(f"no format {kind}; there are {', '.join(_METADATA)}")
        with style(), BytesIO() as file:
            self.figure.savefig(file, format=kind, metadata=_METADATA[kind] | {"Title": self.title})
            return file.getvalue() if kind != "svg" else self._described(file.getvalue().decode()).encode()

    def _described(self, svg: str) -> str:
        """The SVG with title and description, ids that are its own on a page of many, and a font for any machine."""
        svg = svg[svg.index("<svg") :]  # neither XML declaration nor doctype belongs into a page
        svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{self.name}-", svg)
        svg = svg.replace(f"'{FONT}'", f"'{FONT}', Verdana, sans-serif")
        svg = svg.replace('<style type="text/css">*{', f'<style type="text/css">#{self.name} *{{')
        described = f'<desc id="{self.name}-desc">{escape(self.alt)}</desc>'
        svg = svg.replace("<title>", f'<title id="{self.name}-title">', 1)
        svg = svg.replace("</title>", f"</title>\n {described}", 1)
        opened = f'<svg id="{self.name}" role="img" aria-labelledby="{self.name}-title {self.name}-desc"'
        return opened + svg.removeprefix("<svg")


class Sheet:
    """A page in millimetres: a title above, notes below, and between them a body in which axes and text are placed.

    Places are measured from the left edge of the page and downwards from the top of the body.
    `face` are the words that a figure of a reconstructed cohort bears; they stand last and darker
    than the notes.
    """

    def __init__(self, width: float, body: float, title: str, notes: Sequence[str] = (), face: str = ""):
        self.width, self.title, self.face = width, title, face
        heading = wrapped(title, width - 2 * MARGIN, LARGE, "bold")
        below = [(line, MUTED) for note in notes for line in wrapped(note, width - 2 * MARGIN)]
        sentence = f"{face[0].upper()}{face[1:]}." if face else ""
        below += [(line, INK) for line in wrapped(sentence, width - 2 * MARGIN)]
        self.top = MARGIN + 3.7 * len(heading) + 1.5
        self.height = self.top + body + LINE * len(below) + 1 + MARGIN
        self.figure = Figure(figsize=(width / 25.4, self.height / 25.4))
        for number, line in enumerate(heading):
            self.text(MARGIN, MARGIN - self.top + 3.7 * number, line, size=LARGE, weight="bold", va="top")
        for number, (line, colour) in enumerate(below):
            self.text(MARGIN, body + LINE * number + 1, line, color=colour, va="top")

    def picture(self, name: str, alt: str) -> Picture:
        """The finished figure; its alt text ends with the face, for who hears the figure rather than sees it."""
        return Picture(name, self.figure, self.title, f"{alt} The rows are {self.face}." if self.face else alt)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes whose frame is at that place."""
        bottom = self.height - self.top - top - height
        return self.figure.add_axes((left / self.width, bottom / self.height, width / self.width, height / self.height))

    def text(self, x: float, y: float, words: str, size: float = SMALL, **how: object) -> None:
        """Words at a place of the body."""
        self.figure.text(x / self.width, 1 - (self.top + y) / self.height, words, size=size, **how)

    def box(self, left: float, top: float, width: float, height: float, **how: object) -> None:
        """A rectangle at a place of the body."""
        corner = left / self.width, 1 - (self.top + top + height) / self.height
        self.figure.add_artist(
            Rectangle(
                corner,
                width / self.width,
                height / self.height,
                transform=self.figure.transFigure,
                **how,
            )
        )

    def line(self, xs: Sequence[float], ys: Sequence[float], **how: object) -> None:
        """A line through places of the body."""
        self.figure.add_artist(
            Line2D(
                [x / self.width for x in xs],
                [1 - (self.top + y) / self.height for y in ys],
                **{"color": MUTED, "linewidth": 0.8} | how,
            )
        )


@cache
def text_width(words: str, size: float = SMALL, weight: str = "normal") -> float:
    """How wide words are drawn, in mm."""
    font = get_font(findfont(FontProperties(family=FONT, weight=weight)))
    font.set_size(20 * size, 72)  # large, because small letters are hinted to whole pixels
    font.set_text(words)
    return font.get_width_height()[0] / 64 / 20 / 72 * 25.4


def wrapped(words: str, width: float, size: float = SMALL, weight: str = "normal") -> list[str]:
    """Words in lines no wider than so many mm; a single word that is wider stands alone."""
    lines: list[str] = []
    for word in words.split():
        if lines and text_width(f"{lines[-1]} {word}", size, weight) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def headed(name: str, n: int, width: float, between: str = ",") -> list[str]:
    """The heading of a group in bold lines no wider than so many mm: its name, and its size in one piece."""
    *lines, last = wrapped(name, width, SMALL, "bold")
    whole = f"{last}{between} n = {n}"
    return [*lines, whole] if text_width(whole, SMALL, "bold") <= width else [*lines, f"{last}{between}", f"n = {n}"]


@dataclass(frozen=True)
class Look:
    """How a group appears: its name, as far as the font can write it, colour and marker shape."""

    name: str
    colour: str
    marker: str

    @property
    def scale(self) -> float:
        """What the marker's size is to be multiplied by, so that all shapes look equally large."""
        return 0.8 if self.marker in "Dds" else 1.0

    def spaced(self, by: float) -> MarkerStyle:
        """The marker, drawn so many times smaller than its size says: a swarm then leaves room between points."""
        return MarkerStyle(self.marker, transform=Affine2D().scale(1 / by))


def tint(colour: str) -> tuple[float, ...]:
    """A lighter, opaque version of a colour."""
    return tuple(1 - 0.45 * (1 - part) for part in to_rgb(colour))


def written(words: str, instead: str) -> str:
    """The words, or others instead if the font lacks a letter of them: better than a row of boxes."""
    return words if all(ord(letter) in _letters() for letter in words) else instead


@cache
def _letters() -> frozenset[int]:
    """What the font can write."""
    return frozenset(get_font(findfont(FontProperties(family=FONT))).get_charmap())


def looks(cohort: Cohort) -> dict[str, Look]:
    """The look of each group; a name that the font cannot write, or with too long a word, becomes "group 2".

    MC, IC and RR have a look of their own, which they keep in a figure of one group; others follow
    in their order.
    """
    others = [group.name for group in cohort.groups if group.name not in STANDARD]
    found, room = {}, max(20.0, 66 / len(cohort.groups))  # mm for a word
    for place, group in enumerate(cohort.groups):
        at = (*STANDARD, *others).index(group.name) % len(GROUP_COLOURS)
        name = written(group.name, f"group {place + 1}")
        if any(text_width(word, SMALL, "bold") > room for word in name.split()):
            name = f"group {place + 1}"
        found[group.name] = Look(name, GROUP_COLOURS[at], GROUP_MARKERS[at])
    return found


def renamed(cohort: Cohort) -> str:
    """Which group is which, where figures cannot bear their names; "" where they can."""
    others = {look.name: name for name, look in looks(cohort).items() if look.name != name}
    return f"In the figures {', '.join(f'{shown} is {name}' for shown, name in others.items())}." if others else ""


def crowded(values: Sequence[float], size: float, room: float) -> bool:
    """Whether points of so many pt have no room: too many, or too many of one value beside each other in so many mm."""
    alike = max(Counter(values).values(), default=0)
    return len(values) > MANY or alike * size / 72 * 25.4 > room


def bars_of(
    axis: Axes,
    at: float,
    values: Iterable[float],
    look: Look,
    half: float,
    log: bool,
    upright: bool = True,
    **how: object,
) -> None:
    """Many values as bars about a place of the other axis: as broad as there are patients, the broadest twice `half`.

    Bars stand on the scale of the values, ten to a power of ten (`log`) or thirty from the least to
    the greatest.
    """
    values = np.asarray(values, dtype=float)
    if log:
        low, high = (np.floor(10 * np.log10(end)) for end in (values.min(), values.max()))
        edges = 10 ** (np.arange(low, high + 2) / 10)
    else:
        edges = np.linspace(values.min(), values.max() + 1e-9, 31)
    counts, _ = np.histogram(values, edges)
    broad = 2 * half * counts / max(counts.max(), 1)
    draw = axis.barh if upright else axis.bar
    start, thick = ("left", "height") if upright else ("bottom", "width")
    draw(
        edges[:-1],
        broad,
        align="edge",
        color=tint(look.colour),
        linewidth=0,
        **{start: at - broad / 2, thick: np.diff(edges)} | how,
    )


def draw_rate(
    axis: Axes,
    y: float,
    row: Mapping,
    look: Look,
    thick: float = 4.5,
    size: float = 4.0,
    hollow: bool = False,
    label: str = "rate",
) -> None:
    """A rate in %, at a height of the axes: its span, and on it a point with its exact interval.

    `row` has the columns of `measures.views.STATED`. What was not published or not recorded leaves
    a span: a broad bar, `thick` points, from the least to the greatest value, on a thin line from
    the lower limit at the fewest to the upper one at the most. A rate without a single value, or of
    no patients, has no point. `label` names the point, "span" the bar.
    """
    if has_span(row):
        _draw_span(axis, y, row, look, thick)
    if pd.isna(row["percent"]):
        return
    ends = [row["lower"], row["upper"]]
    axis.plot(ends, [y, y], color=look.colour, linewidth=1.2, clip_on=False)
    axis.plot(
        [row["percent"]],
        [y],
        marker=look.marker,
        markersize=size * look.scale,
        color=look.colour,
        markerfacecolor="white" if hollow else look.colour,
        markeredgewidth=0.9,
        clip_on=False,
        label=label,
    )


def has_span(row: Mapping) -> bool:
    """Whether a rate has more than one possible value, or is open how many patients it is of."""
    if pd.isna(row["percent_least"]):
        return False
    return bool(row["open"]) or row["percent_least"] < row["percent_greatest"]


def _draw_span(axis: Axes, y: float, row: Mapping, look: Look, thick: float) -> None:
    least, greatest = row["percent_least"], row["percent_greatest"]
    limits = [row["lower_least"], row["upper_greatest"]]
    axis.plot(limits, [y, y], color=look.colour, linewidth=0.6, zorder=1.5, clip_on=False)
    axis.plot(
        [least, greatest],
        [y, y],
        color=tint(look.colour),
        linewidth=thick,
        solid_capstyle="butt",
        marker="s" if greatest - least < NARROW_BAR else "",
        markersize=thick,
        markeredgewidth=0,
        snap=False,
        clip_on=False,
        zorder=1.8,
        label="span",
    )


OPEN_SPAN = (
    "Open, broad bar: from the least to the greatest rate over all line lists that satisfy the report; thin line: "
    "exact 95% limits at the fewest and at the most."
)
MISSING_SPAN = (
    "Broad bar: from the least to the greatest rate, whatever is not recorded; thin line: exact 95% limits at the "
    "fewest and at the most."
)


def span_note(table: pd.DataFrame) -> str:
    """What the broad bars of rates mean, "" where there are none."""
    if not any(has_span(row) for row in table.to_dict("records")):
        return ""
    return OPEN_SPAN if table["open"].any() else MISSING_SPAN


def in_words(axis: Axes, sentence: str, width: float) -> None:
    """A sentence, in lines of at most so many mm, in place of axes that have nothing to show."""
    axis.set_axis_off()
    lines = "\n".join(wrapped(sentence, width))
    axis.text(0.5, 0.5, lines, size=SMALL, ha="center", va="center", transform=axis.transAxes)


def log_percent(axis: Axes, which: str, low: float, high: float) -> None:
    """A log axis of MRD in %, ticked at plain numbers from low to high (powers of ten, both in %)."""
    getattr(axis, f"set_{which}scale")("log")
    of = getattr(axis, f"{which}axis")
    ticks = [10.0**power for power in range(-6, 3) if low <= 10.0**power * 1.0001 and 10.0**power <= high * 1.0001]
    of.set_ticks(ticks, [f"{tick:g}" if tick >= 1e-4 else f"{tick:.6f}".rstrip("0") for tick in ticks])
    of.set_ticks([tick * step for tick in ticks for step in range(2, 10) if tick * step <= high], minor=True)
    of.set_minor_formatter(NullFormatter())


def below_axes(axis: Axes, x: float, mm: float, words: str, **how: object) -> None:
    """Words centred at a data x, so many mm below the axes."""
    place = blended_transform_factory(axis.transData, axis.transAxes)
    axis.annotate(
        words,
        (x, 0),
        xycoords=place,
        xytext=(0, -mm * 72 / 25.4),
        textcoords="offset points",
        ha="center",
        va="top",
        size=SMALL,
        annotation_clip=False,
        **how,
    )


def people(n: int) -> str:
    """ "1 patient", "28 patients"."""
    return f"{n} patient" + ("" if n == 1 else "s")


def people_or_rows(n: int, cohort: Cohort) -> str:
    """ "28 patients"; of a reconstructed cohort "28 rows of the line list", for no row is a patient."""
    return f"{people(n).replace('patient', 'row')} of the line list" if cohort.reconstructed else people(n)
