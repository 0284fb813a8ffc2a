"""The figure of what a report leaves open: every bar from end to end, every dot in its place, nothing clipped."""

from itertools import combinations

import pandas as pd
import pytest
from matplotlib.colors import to_hex

from blina.analysis.determined import answer_table, answers, bounds_of, claims_of
from blina.claims.check import read_for_claims
from blina.claims.document import load_claims
from blina.figures.determined import determined
from blina.figures.style import MUTED, RULE, looks, tint
from blina.linelist.cohort import Group, load_cohort
from blina.measures.asking import UNITS


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
    words = {"text": "0.01 to 100.00, if anybody, unconfirmed", "question": table["question"] * 2}
    return table.assign(**words, sometimes_undefined=True, unconfirmed=True)


@pytest.mark.parametrize(
    "shape", [lambda table: table, wide, lambda table: table.iloc[:1], lambda table: table.iloc[:0]]
)
def test_text_is_legible_and_apart_and_all_is_inside_the_canvas(table, cohort, legible, shape):
    legible(determined(shape(table), cohort))


def test_each_bar_and_dot_stands_at_its_numbers(picture, table):
    panels = [rows for unit in UNITS if len(rows := table[table["unit"] == unit])]
    for axis, rows in zip(picture.figure.axes, panels, strict=True):
        bars = [line for line in axis.lines if line.get_linewidth() > 2]
        dots = [line for line in axis.lines if len(line.get_xdata()) == 1]
        tracks = [line for line in axis.lines if to_hex(line.get_color()) == RULE]
        assert [tuple(line.get_xdata()) for line in bars] == [*zip(rows["least"], rows["greatest"], strict=True)]
        assert [line.get_xdata()[0] for line in dots] == [*rows["here"]]
        assert [line.get_xdata()[1] for line in tracks] == [*rows["n_greatest"].dropna()]
        low, high = axis.get_xlim()
        assert all(low <= x <= high for line in axis.lines for x in line.get_xdata())


def test_each_bar_stands_between_its_name_and_its_bounds_in_the_colour_of_its_group(picture, table, cohort):
    page = picture.figure.transFigure.inverted()
    colours = {name: look.colour for name, look in looks(cohort).items()}
    for axis, unit in zip(picture.figure.axes, [unit for unit in UNITS if unit in {*table["unit"]}], strict=True):
        bars = [line for line in axis.lines if line.get_linewidth() > 2]
        for bar, row in zip(bars, table[table["unit"] == unit].itertuples(), strict=True):
            y = page.transform(axis.transData.transform((0, bar.get_ydata()[0])))[1]
            level = [text.get_text() for text in picture.figure.texts if text.get_position()[1] == pytest.approx(y)]
            name, words = level
            assert f"{row.group.removesuffix(' patients')}: {row.question}".startswith(name) and words == row.text
            assert to_hex(bar.get_color()) == to_hex(tint(colours.get(row.group, MUTED)))


def test_in_grey_bars_of_groups_differ_in_thickness_or_shade(picture, table, grey):
    bars = [line for axis in picture.figure.axes for line in axis.lines if line.get_linewidth() > 2]
    rows = pd.concat(table[table["unit"] == unit] for unit in UNITS)
    shades = {(group if group in ("MC", "IC", "RR") else "together", bar.get_linewidth(), grey(bar.get_color()))
              for bar, group in zip(bars, rows["group"], strict=True)}  # fmt: skip
    assert {group for group, *_ in shades} == {"MC", "IC", "RR", "together"}
    for (one, thick, shade), (other, another, shade_of_other) in combinations(shades, 2):
        assert one == other or thick != another or abs(shade - shade_of_other) > 0.1, (one, other)


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


def test_drawn_again_it_is_the_same_bytes_and_as_wide_as_its_function_says(picture, table, cohort):
    assert picture.render("svg") == determined(table, cohort).render("svg")
    assert picture.figure.get_figwidth() * 25.4 == pytest.approx(180) and "(180 mm)" in determined.__doc__
