"""The page is a view of the executed notebooks: what they show, in the order a clinician reads, and nothing else."""

import re
from html import unescape

import nbformat
import pytest

from blina.linelist.cohort import ROOT, load_cohort
from blina.page import write_page
from blina.page.contents import SECTIONS, Figures, Shows

EXECUTED = ROOT / "notebooks" / "executed"
ORDER = ["what", "answer", "figures", "response", "safety", "determined", "context", "numbers", "linelist", "readings",
         "rerun"]  # fmt: skip


@pytest.fixture(scope="module")
def cohort():
    return load_cohort("tianjin2023")


@pytest.fixture(scope="module")
def page(site):
    return (site / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def executed():
    return {path.stem: nbformat.read(path, as_version=4) for path in EXECUTED.glob("*.ipynb")}


def cells_of(html):
    """The text of each cell of the tables in a piece of HTML."""
    return [
        unescape(re.sub("<[^>]+>", "", cell)).strip() for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", html, re.S)
    ]


def test_sections_stand_in_the_order_in_which_a_clinician_reads(page):
    assert [section.id for section in SECTIONS] == ORDER
    assert re.findall(r'<section [^>]*\bid="([^"]+)"', page) == [*ORDER, "notebooks"]
    assert re.findall(r'<li><a href="#([^"]+)"', page) == ORDER


def test_whatever_the_page_takes_is_in_the_notebooks(executed):
    for section in SECTIONS:
        for part in section.parts:
            if isinstance(part, Shows | Figures):
                assert [*part.cells(executed)], part


def test_every_table_of_the_page_is_a_table_of_an_executed_notebook(page, executed):
    shown = [cells_of(table) for table in re.findall(r"<table.*?</table>", page, re.S)]
    recorded = [cells_of("".join(output["data"]["text/html"]))
                for notebook in executed.values() for cell in notebook["cells"] for output in cell.get("outputs", ())
                if "text/html" in output.get("data", {})]  # fmt: skip
    assert len(shown) >= 7 and all(table in recorded for table in shown)


def test_every_figure_of_the_report_is_shown_once_with_a_caption_and_its_alt_text(page, executed):
    figures = re.findall(r'<figure id="figure-([^"]+)">(.*?)</figure>', page, re.S)
    assert sorted(name for name, _ in figures) == sorted(path.stem for path in (ROOT / "figures").glob("*.svg"))
    recorded = {"".join(output["data"]["text/plain"])
                for notebook in executed.values() for cell in notebook["cells"] for output in cell.get("outputs", ())
                if "image/svg+xml" in output.get("data", {})}  # fmt: skip
    for place, (name, figure) in enumerate(figures, start=1):
        assert unescape(re.search(r'alt="([^"]+)"', figure)[1]) in recorded, name
        caption = re.search(r"<figcaption>(.*)</figcaption>", figure, re.S)[1]
        assert re.match(rf"<p><strong>Figure {place}\.</strong> \w.{{20}}", caption), name
        assert ("one of many possible" in caption) == ("one of many possible" in figure.partition("<figcaption>")[0])


def test_the_page_says_first_of_all_that_its_rows_are_no_patients(page):
    assert page.index("not patients: reconstructed from published aggregates, one of many possible") < page.index(
        "<nav"
    )


def test_real_patients_without_claims_get_a_page_without_what_claims_would_say(cohort, tmp_path):
    notebooks, folder = tmp_path / "notebooks", tmp_path / "report"
    notebooks.mkdir()
    for path in EXECUTED.glob("*.ipynb"):
        if path.stem[:2] not in ("06", "07"):
            (notebooks / path.name).write_bytes(path.read_bytes())
    for path in sorted(notebooks.glob("03-*")):  # groups may be named in any script
        path.rename(path.with_stem(path.stem.replace("__", "__第") + "组"))
    ours = cohort.model_copy(update={"reconstructed": False, "title": "Our ward <2024>"})
    made = write_page(notebooks, folder, ours)
    html = made[0].read_text(encoding="utf-8")
    assert "<h1>Our ward &lt;2024&gt;</h1>" in html and "not patients" not in html.partition("<nav")[0]
    assert "Confidential" in html.partition("<nav")[0]
    assert re.findall(r'<section [^>]*\bid="([^"]+)"', html) == [
        *(name for name in ORDER if name not in ("determined", "numbers")), "notebooks"]  # fmt: skip
    assert sorted(path.name for path in made) == sorted(path.name for path in folder.iterdir())


def test_the_same_notebooks_give_the_same_bytes(cohort, site, tmp_path):
    for path in write_page(EXECUTED, tmp_path, cohort):
        assert path.read_bytes() == (site / path.name).read_bytes(), path.name


def test_nothing_is_asked_of_the_network(site):
    for path in site.iterdir():
        html = path.read_text(encoding="utf-8")
        loaded = re.findall(r'(?:src|srcset|poster|data)="([^"]+)"|url\(([^)]+)\)|@import|<link', html)
        assert all(source.startswith("data:image/svg+xml;base64,") for source, _ in loaded), path.name
        assert len(html) < 6e6
