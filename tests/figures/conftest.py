"""Cohorts of several shapes, and the six figures of each."""

import importlib.util
import sys
from functools import cache
from itertools import combinations
from pathlib import Path

import matplotlib.text
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgb
from matplotlib.markers import MarkerStyle
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox

from blina.analysis.study import open_study
from blina.figures.style import SMALL


def _load(name, path):
    """Test folders are no packages (import mode importlib), so what they share is loaded by path."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


_load("tables", Path(__file__).parents[1] / "analysis" / "tables.py")
studies = _load("studies", Path(__file__).with_name("studies.py"))


@pytest.fixture(scope="session")
def report():
    return studies.report()


@pytest.fixture(scope="session")
def shipped():
    """The report's own line list, of which some numbers are open."""
    return open_study("tianjin2023")


@pytest.fixture(scope="session", params=studies.SHAPES)
def shape(request, report):
    """Each of the cohorts in turn."""
    return studies.SHAPES[request.param](report)


@pytest.fixture(scope="session")
def texts():
    """What a figure writes when it is drawn: words, place in points, size."""

    @cache
    def of(picture):
        written = []
        original = matplotlib.text.Text.draw

        def draw(self, renderer):
            if self.get_visible() and self.get_text().strip():
                written.append((self.get_text(), self.get_window_extent(renderer), self.get_fontsize()))
            return original(self, renderer)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(matplotlib.text.Text, "draw", draw)
            picture.render("svg")
        return written

    return of


def _around(point, path, size, edge):
    """The box of a marker of that size, in points."""
    box = path.get_extents()
    return Bbox([[point[0] + box.x0 * size - edge / 2, point[1] + box.y0 * size - edge / 2],
                 [point[0] + box.x1 * size + edge / 2, point[1] + box.y1 * size + edge / 2]])  # fmt: skip


def marks(figure):
    """Boxes, in points, of the points, bars and intervals of a figure: whatever could hide a number."""
    figure.dpi = 72
    for axis in figure.axes:
        for line in axis.lines:
            ends = line.get_transform().transform(line.get_xydata())
            if line.get_marker() not in ("", "None"):
                marker = MarkerStyle(line.get_marker())
                path = marker.get_path().transformed(marker.get_transform())
                yield from (_around(end, path, line.get_markersize(), line.get_markeredgewidth()) for end in ends)
            if len(ends) == 2 and line.get_linewidth() >= 1:  # thinner ones join points and part rows
                half = line.get_linewidth() / 2
                yield Bbox([[min(ends[:, 0]), ends[0, 1] - half], [max(ends[:, 0]), ends[1, 1] + half]])
        for points in axis.findobj(PathCollection):
            offsets = axis.transData.transform(points.get_offsets())
            sizes, edges = ([*values] * len(offsets) if len(values) == 1 else values
                            for values in (points.get_sizes(), points.get_linewidths()))  # fmt: skip
            yield from (_around(point, points.get_paths()[0], size**0.5, edge)
                        for point, size, edge in zip(offsets, sizes, edges, strict=True))  # fmt: skip
    yield from (box.get_window_extent() for box in figure.findobj(Rectangle) if box.get_gid())


def _apart(one, two):
    """How far two boxes are apart; less than 0 where one lies over the other."""
    return max(one.x0 - two.x1, two.x0 - one.x1, one.y0 - two.y1, two.y0 - one.y1)


@pytest.fixture(scope="session")
def legible(texts):
    """Fails unless everything is on the canvas and text is large enough, and apart from other text, points and bars."""

    def check(picture):
        width, height = picture.figure.get_size_inches() * 72
        found = texts(picture)
        for words, place, size in found:
            assert size >= SMALL, words
            assert min(place.x0, place.y0, width - place.x1, height - place.y1) >= 0, words
        for (words, one, _), (others, two, _) in combinations(found, 2):
            assert _apart(one, two) > -0.25, f"{picture.name}: {words!r} lies over {others!r}"
        for mark in marks(picture.figure):
            hidden = [words for words, place, _ in found if _apart(mark, place) < 0]
            assert not hidden, f"{picture.name}: a point or bar lies over {hidden}"
        drawn, canvas = picture.figure.get_tightbbox(), picture.figure.bbox_inches
        assert canvas.x0 <= drawn.x0 and drawn.x1 <= canvas.x1, picture.name
        assert canvas.y0 <= drawn.y0 and drawn.y1 <= canvas.y1, picture.name

    return check


@pytest.fixture(scope="session")
def grey():
    """How light a colour is in a grey print, 0 to 1."""

    def of(colour):
        r, g, b = to_rgb(colour)
        return round(0.299 * r + 0.587 * g + 0.114 * b, 3)

    return of
