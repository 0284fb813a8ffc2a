"""What was found in a line list, as lines and as a page, in English and Chinese: all of it, and no patient's value."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from files import changed, ward, write

from blina.linelist import explain, layout
from blina.linelist.cohort import load_cohort
from blina.linelist.explain import CHANGES, WORDS, Explanation
from blina.linelist.intake import take_in

FAULTS = {
    "C3": "男&<b>女</b>", "D4": "5-6岁", "K5": "0.26%", "L7": "0.12%", "A20": "P02", "T1": "姓名", "T2": "张三测试",
    "U1": "身高<cm>", "U2": "123.4",
}  # fmt: skip
ODD = {"D3": "0", "G3": "1.0", "H6": "35天", "Q8": "Ⅱ级"}  # nothing wrong in these
VALUES = ("男&", "<b>", "女</b>", "5-6岁", "0.26%", "0.12%", "张三测试", "123.4", "35天", "Ⅱ级")
HAN = re.compile("[\u4e00-\u9fff]")


@pytest.fixture
def take(tmp_path, report_rows):
    def take(cells, suffix=".xlsx"):
        path = write(tmp_path / f"linelist{suffix}", changed(ward(report_rows, "zh"), cells))
        return take_in(path, load_cohort(tmp_path))

    return take


@pytest.fixture
def faulty(take):
    return take(FAULTS | ODD)


class Texts(HTMLParser):
    """The texts of a page by the element in which they stand, what it asks for, and the elements left open."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.asked += [value for name, value in attributes if name in ("src", "href", "action", "style", "onclick")]
        if tag != "meta":
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if self.open:
            self.texts[self.open[-1]][-1] += text


@pytest.mark.parametrize("said", [*CHANGES.values(), *WORDS.values()], ids=[*CHANGES, *WORDS])
def test_whatever_is_told_is_told_in_english_and_in_chinese(said):
    assert said.en.isascii() and HAN.search(said.zh)


def test_whatever_reading_leaves_out_has_words():
    assert layout.NOTES.keys() | explain.OF_CELLS.keys() < CHANGES.keys()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_problem_is_a_line_and_the_last_one_counts(faulty, language):
    *lines, last = Explanation(faulty, language).lines()
    assert len(lines) == len(faulty.problems) == 6
    for line, problem in zip(lines, faulty.problems, strict=True):
        assert problem.cell in line and problem.advice.in_(language) in line
    place = {"en": "linelist.xlsx, sheet patients", "zh": "linelist.xlsx，工作表 patients"}[language]
    assert all(line.startswith(place) for line in lines)
    assert last == {"en": f"6 problems in {place}; nothing was written.",
                    "zh": f"{place}：共 6 个问题，未写出任何文件。"}[language]  # fmt: skip


def test_one_problem_is_not_several(take):
    assert [*Explanation(take({"C3": "？"})).lines()][-1].startswith("1 problem in ")


@pytest.mark.parametrize("language, odd", [("en", ": odd: "), ("zh", "：请核对：")])
def test_a_line_list_without_problems_tells_what_is_odd_changed_and_not_used(take, language, odd):
    taken = take(ODD | {"U1": "身高"}, ".csv")
    lines = [*Explanation(taken, language).lines()]
    assert sum(odd in line for line in lines) == len(taken.warnings) == 2
    changes = [line for line in lines if WORDS["changes"].in_(language) in line]
    assert len(changes) == len(taken.changes)
    assert any(CHANGES["grade"].in_(language) in line and "(1: Q8)" in line for line in changes)
    assert any("年龄（岁） (D): age_years" in line for line in lines)
    assert lines[-1].endswith(f"{WORDS['set_aside'].in_(language)}: 身高 (U)")


def test_a_line_list_as_declared_has_nothing_to_tell(report_folder):
    taken = take_in(report_folder / "linelist.csv", load_cohort("tianjin2023"))
    assert [*Explanation(taken).lines()] == []
    assert Texts(Explanation(taken).page()).texts["p"][2:] == ["none"] * 5


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_complete_in_itself_and_names_every_cell(faulty, language):
    page = Explanation(faulty, language).page()
    found = Texts(page)
    assert found.open == [] and found.asked == []
    assert "http" not in page and "url(" not in page and "@import" not in page
    assert page.startswith("<!doctype html>\n") and f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in page
    cells = set(found.texts["td"])
    for problem in faulty.problems + faulty.warnings:
        assert {problem.cell, problem.rule, problem.advice.in_(language)} <= cells
    for change in faulty.changes:
        assert {change.where, CHANGES[change.what].in_(language)} <= cells
    assert {"T", "姓名", "U", "身高<cm>"} <= cells
    counts = [faulty.problems, faulty.warnings, faulty.changes, faulty.understood, faulty.set_aside]
    assert [int(re.search(r"\d+", title)[0]) for title in found.texts["h2"]] == [*map(len, counts)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_value_is_told_unless_it_is_asked_for(faulty, language):
    masked, shown = Explanation(faulty, language), Explanation(faulty, language, show_values=True)
    for said in ("\n".join(masked.lines()), masked.page(), unescape(masked.page())):
        assert [value for value in VALUES if value in said.split("</style>")[-1]] == []
    assert WORDS["masked"].in_(language) in masked.page() and WORDS["shown"].in_(language) in shown.page()
    cells = Texts(shown.page()).texts["td"]
    assert {"男&<b>女</b>", "5-6岁", "0.26%", "0.12%", "35天"} <= {*cells}
    assert "张三测试" not in cells  # a header is wrong there, and nobody needs to see its column
    assert any(line.endswith("  <- 5-6岁") for line in shown.lines())


def test_what_is_typed_is_never_a_part_of_the_page(faulty):
    page = Explanation(faulty, show_values=True).page()
    assert "<b>" not in page and "&lt;b&gt;" in page
    assert "身高&lt;cm&gt;" in page


def test_a_percent_cell_is_shown_as_the_spreadsheet_shows_it(tmp_path, report_rows):
    grid = changed(ward(report_rows, "zh"), {"D3": "0.148"})
    path = write(tmp_path / "linelist.xlsx", grid, formats={"D3": "0.0%"})
    (line, _) = Explanation(take_in(path, load_cohort(tmp_path)), show_values=True).lines()
    assert line.endswith("[percent-cell, cell D3]  <- 14.8%")


def test_the_same_line_list_gives_the_same_page(take):
    assert Explanation(take(FAULTS)).page() == Explanation(take(FAULTS)).page()
