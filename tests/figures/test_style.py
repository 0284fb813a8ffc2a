"""Files that never change, an SVG that a page can hold, and a style of its own."""

import re
import xml.etree.ElementTree as ET

import matplotlib
import pytest
from matplotlib.colors import to_rgb

from blina.figures import style
from blina.figures.style import (
    GROUP_COLOURS,
    GROUP_MARKERS,
    NARROW,
    Sheet,
    looks,
    people,
    people_or_rows,
    styled,
    text_width,
    wrapped,
    written,
)
from blina.linelist.cohort import Group


@pytest.fixture
def picture():
    @styled
    def draw():
        sheet = Sheet(NARROW, 30, "A & B, less < more", ["a note"], "the face")
        axis = sheet.axes(10, 2, 60, 20)
        axis.plot([0, 1], [0, 1], marker="o")
        axis.set_xlabel("100$ x_1$")
        return sheet.picture("plain", "A line from 0 to 1 & no more.")

    return draw()


def test_svg_has_its_title_and_description_and_text_as_text(picture):
    root = ET.fromstring(picture.render("svg"))
    space = {"s": "http://www.w3.org/2000/svg"}
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"].split() == ["plain-title", "plain-desc"]
    assert [root.find("s:title", space).text, root.find("s:desc", space).text] == [picture.title, picture.alt]
    said = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"A & B, less < more", "a note", "The face.", "100$ x_1$"} <= said


def test_svg_can_stand_on_a_page_with_others(picture):
    svg = picture.render("svg").decode()
    ids = re.findall(r'\bid="([^"]*)"', svg)
    assert len(ids) == len(set(ids))
    assert all(one == "plain" or one.startswith("plain-") for one in ids)
    used = set(re.findall(r'href="#([^"]*)"', svg)) | set(re.findall(r"url\(#([^)]*)\)", svg))
    assert used and used <= set(ids)
    assert re.findall(r"<style[^>]*>\s*([^{]*)\{", svg) == ["#plain *"]
    assert "<?xml" not in svg and "<!DOCTYPE" not in svg


def test_files_carry_no_time_and_no_program(picture):
    for kind in ("svg", "pdf", "png"):
        content = picture.render(kind)
        assert not re.search(rb"Date|Creator|Producer|Software|[Mm]atplotlib v|202\d-", content), kind


def test_pdf_embeds_its_font_and_png_is_300_dpi(picture):
    assert b"/FontFile2" in picture.render("pdf") and b"/Type3" not in picture.render("pdf")
    png = picture.render("png")
    width = int.from_bytes(png[16:20], "big")
    assert width == pytest.approx(NARROW / 25.4 * 300, abs=1)


def test_a_notebook_gets_svg_and_the_alt_text_only(picture):
    bundle = picture.show()._repr_mimebundle_()
    assert bundle == {"image/svg+xml": picture.render("svg").decode(), "text/plain": picture.alt}


def test_saving_makes_the_folder_and_names_the_files(picture, tmp_path):
    paths = picture.save(tmp_path / "new", ("svg", "png"))
    assert [path.name for path in paths] == ["plain.svg", "plain.png"]
    assert paths[0].read_bytes() == picture.render("svg")
    with pytest.raises(ValueError, match="no format gif; there are svg, pdf, png"):
        picture.save(tmp_path, ["gif"])


def test_the_reader_s_settings_neither_change_nor_matter(picture):
    expected = picture.render("svg")
    mine = {"font.size": 30, "svg.fonttype": "path", "lines.linewidth": 9, "svg.hashsalt": None}
    with matplotlib.rc_context(mine):
        assert picture.render("svg") == expected
        assert {name: matplotlib.rcParams[name] for name in mine} == mine


def test_lines_fill_their_width_and_no_more():
    words = "negative by FC and, where a fusion gene is followed, by RT-PCR " * 3
    lines = wrapped(words, 50)
    assert " ".join(lines).split() == words.split()
    assert all(text_width(line) <= 50 for line in lines)
    assert all(text_width(f"{line} {after.split()[0]}") > 50 for line, after in zip(lines, lines[1:], strict=False))
    assert wrapped("", 50) == []


def test_what_the_font_cannot_write_is_said_otherwise(report):
    assert written("第二组", "group 2") == "group 2"
    assert written("BCR::ABL1 ≥ 3", "") == "BCR::ABL1 ≥ 3"
    cohort = report.cohort.model_copy(update={"groups": (Group(name="A", label="a"), Group(name="第二组", label="b"))})
    assert [look.name for look in looks(cohort).values()] == ["A", "group 2"]


def test_groups_differ_in_colour_and_shape_and_the_first_three_in_grey():
    assert len(set(GROUP_COLOURS)) == len(set(GROUP_MARKERS)) == len(GROUP_COLOURS)
    greys = [0.299 * r + 0.587 * g + 0.114 * b for r, g, b in map(to_rgb, GROUP_COLOURS[:3])]
    assert min(abs(a - b) for a in greys for b in greys if a != b) > 0.2


def test_a_group_keeps_its_look_in_a_figure_of_its_own(report):
    assert [*looks(report.cohort)] == [*style.STANDARD]
    every = looks(report.cohort)
    assert [look.colour for look in every.values()] == [*GROUP_COLOURS[:3]]
    for group in report.cohort.groups:
        assert looks(report.cohort.model_copy(update={"groups": (group,)})) == {group.name: every[group.name]}
    names = ("late", "RR", "A + B", "MC")
    mixed = looks(report.cohort.model_copy(update={"groups": tuple(Group(name=n, label=n) for n in names)}))
    assert [GROUP_MARKERS.index(mixed[name].marker) for name in names] == [3, 2, 4, 0]


def test_patients_are_counted_in_words():
    assert [people(n) for n in (0, 1, 28)] == ["0 patients", "1 patient", "28 patients"]


def test_rows_of_a_made_up_line_list_are_not_counted_as_patients(report):
    assert report.cohort.reconstructed
    assert [people_or_rows(n, report.cohort) for n in (1, 28)] == ["1 row of the line list", "28 rows of the line list"]
    assert people_or_rows(28, report.cohort.model_copy(update={"reconstructed": False})) == "28 patients"


def test_no_text_size_is_below_7_points():
    assert min(style.SMALL, style.NORMAL, style.LARGE) >= 7
