"""The figure of what a report leaves open: every bar from end to end, every dot in its place, nothing clipped."""

from itertools import combinations

import pytest
from matplotlib.colors import to_hex

from blina.analysis.determined import UNITS, answer_table, answers, bounds_of, claims_of
from blina.claims.check import read_for_claims
from blina.claims.document import load_claims
from blina.figures.determined import determined
from blina.figures.style import RULE, SMALL
from blina.linelist.cohort import Group, load_cohort


@pytest.fixture(scope="module")
def cohort():
    return load_cohort("tianjin2023")


@pytest.fixture(scope="module")
def table(cohort):
    _, document = claims_of(cohort, load_claims(cohort.claims))
    found = answers(document, bounds_of(cohort, document), read_for_claims(cohort.linelist, document))
    return answer_table([answer for answer in found if answer.is_open])


@pytest.fixture(scope="module")
def picture(table, cohort):
    return determined(table, cohort)


def wide(table):
    """The same rows with the longest texts there are."""
    return table.assign(text="0.01 to 100.00, if anybody, unconfirmed", question=table["question"] * 2)


@pytest.mark.parametrize(
    "shape", [lambda table: table, wide, lambda table: table.iloc[:1], lambda table: table.iloc[:0]]
)
def test_text_is_legible_inside_the_canvas_and_apart(table, cohort, texts, shape):
    picture = determined(shape(table), cohort)
    width, height = picture.figure.get_size_inches() * 72
    found = texts(picture)
    assert width == pytest.approx(180 / 25.4 * 72)
    for words, place, size in found:
        assert size >= SMALL, words
        assert min(place.x0, place.y0, width - place.x1, height - place.y1) >= 0, words
    for (words, one, _), (others, two, _) in combinations(found, 2):
        apart = max(one.x0 - two.x1, two.x0 - one.x1, one.y0 - two.y1, two.y0 - one.y1)
        assert apart > -0.25, f"{words!r} lies over {others!r}"


def test_each_bar_and_dot_stands_at_its_numbers(picture, table):
    panels = [rows for unit in UNITS if len(rows := table[table["unit"] == unit])]
    for axis, rows in zip(picture.figure.axes, panels, strict=True):
        bars = [line for line in axis.lines if line.get_linewidth() > 4]
        dots = [line for line in axis.lines if len(line.get_xdata()) == 1]
        tracks = [line for line in axis.lines if to_hex(line.get_color()) == RULE]
        assert [tuple(line.get_xdata()) for line in bars] == [*zip(rows["least"], rows["greatest"], strict=True)]
        assert [line.get_xdata()[0] for line in dots] == [*rows["here"]]
        assert [line.get_xdata()[1] for line in tracks] == [*rows["n_greatest"].dropna()]
        low, high = axis.get_xlim()
        assert all(low <= x <= high for line in axis.lines for x in line.get_xdata())


def test_every_open_number_is_named_with_its_bounds(picture, table, texts):
    said = " ".join(words for words, _, _ in texts(picture))
    for row in table.itertuples():
        assert f"{row.group.removesuffix(' patients')}: {row.question}" in said
        assert row.text in said
        assert f"{row.group}, {row.question}, {row.text}" in picture.alt


def test_the_face_and_the_title_are_on_the_figure(picture, cohort, table, texts):
    said = " ".join(words for words, _, _ in texts(picture))
    assert picture.name == "determined" and picture.title in said
    assert "one of many possible" in said and "one of many possible" in picture.alt
    real = determined(table, cohort.model_copy(update={"reconstructed": False}))
    said = " ".join(words for words, _, _ in texts(real))
    assert "one of many possible" not in said + real.alt and "Dot: the value in this line list." in said


def test_the_shipped_line_list_is_a_ring_and_no_estimate_and_real_patients_are_dots(picture, cohort, table, texts):
    assert "Ring: the line list shipped here, one of many, no estimate." in " ".join(t for t, _, _ in texts(picture))
    real = determined(table, cohort.model_copy(update={"reconstructed": False}))
    for drawn, hollow in ((picture, True), (real, False)):
        dots = [line for axis in drawn.figure.axes for line in axis.lines if len(line.get_xdata()) == 1]
        assert len(dots) == len(table) and {line.get_markerfacecolor() == "none" for line in dots} == {hollow}


def test_a_dot_outside_its_bar_is_drawn_where_it_is(table, cohort):
    rows = table[table["unit"] == "cycles"].assign(here=60.0)
    (axis,) = determined(rows, cohort).figure.axes
    (dot,) = [line for line in axis.lines if len(line.get_xdata()) == 1]
    assert dot.get_xdata()[0] == 60 and axis.get_xlim()[1] >= 60


def test_a_number_without_a_value_in_the_line_list_has_no_dot(table, cohort):
    rows = table[table["unit"] == "cycles"].assign(here=float("nan"))
    (axis,) = determined(rows, cohort).figure.axes
    assert not [line for line in axis.lines if len(line.get_xdata()) == 1]


def test_the_note_explains_only_what_occurs(table, cohort, texts):
    def note(rows):
        return " ".join(words for words, _, _ in texts(determined(rows, cohort)))

    assert "Unconfirmed:" not in note(table) and "If anybody:" not in note(table)
    said = note(wide(table))
    assert (
        "Unconfirmed: the second solver has not confirmed that nothing lies beyond." in said
        and "If anybody: in some of these" in said
    )


def test_a_group_that_the_font_cannot_write_is_numbered_alone_and_pooled(table, cohort, texts):
    groups = (*cohort.groups, Group(name="第二组", label="第二组", purpose="clearance"))
    other = cohort.model_copy(update={"groups": groups})
    names = {"MC": "第二组", "MC + RR": "MC + RR + 第二组"}
    picture = determined(table.assign(group=table["group"].replace(names)), other)
    said = " ".join(words for words, _, _ in texts(picture))
    assert "group 4: girls" in said and "MC + RR + group 4: median MRD" in said and "第" not in said


def test_where_nothing_is_open_the_figure_says_so(table, cohort, texts):
    picture = determined(table.iloc[:0], cohort)
    assert picture.figure.axes == []
    assert any("No number to show" in words for words, _, _ in texts(picture))
    assert picture.render("svg")


def test_drawn_again_it_is_the_same_bytes(picture, table, cohort):
    assert all(picture.render(kind) == determined(table, cohort).render(kind) for kind in ("svg", "pdf", "png"))
