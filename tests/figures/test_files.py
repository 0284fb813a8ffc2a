"""The figure files as they are shipped: what a journal asks for, in all ten."""

import re
import xml.etree.ElementTree as ET

import nbformat
import pytest

from blina.figures.style import FORMATS
from blina.linelist.cohort import ROOT

SVG = "{http://www.w3.org/2000/svg}"
WIDTHS = {"burden": 85} | dict.fromkeys(
    ("patient-flow", "baseline", "mrd-paired", "assay-concordance", "response", "swimmer", "safety", "determined",
     "published"), 180)  # fmt: skip
named = pytest.mark.parametrize("name", WIDTHS)


def content(name, kind):
    return (ROOT / "figures" / f"{name}.{kind}").read_bytes()


@pytest.fixture(scope="module")
def alt_texts():
    """The alt text of each figure, by its name, as the executed notebooks have it."""
    found = {}
    for name in ("05-figures", "07-determined", "08-context"):
        for cell in nbformat.read(ROOT / "notebooks" / "executed" / f"{name}.ipynb", as_version=4).cells:
            for output in cell.get("outputs", ()):
                if svg := output.get("data", {}).get("image/svg+xml"):
                    found[re.search('<svg id="([^"]+)"', svg)[1]] = output["data"]["text/plain"]
    return found


def test_there_are_ten_figures_each_in_every_format():
    made = sorted(path.name for path in (ROOT / "figures").iterdir())
    assert made == sorted(f"{name}.{kind}" for name in WIDTHS for kind in FORMATS)


@named
def test_svg_has_its_title_its_description_and_its_words_as_text(name, alt_texts):
    root = ET.fromstring(content(name, "svg"))
    title, described = (root.find(f"{SVG}{part}").text for part in ("title", "desc"))
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert described == alt_texts[name] and len(described) > 200
    assert title in " ".join(words) and len(words) > 15
    assert b"DejaVuSans-" not in content(name, "svg")  # as letters that are drawn as paths are called


@named
def test_pdf_embeds_its_fonts_and_png_has_300_dpi_at_journal_width(name):
    pdf, png = content(name, "pdf"), content(name, "png")
    assert b"/FontFile2" in pdf and b"/Type3" not in pdf
    at = png.index(b"pHYs") + 4
    assert [round(int.from_bytes(png[place : place + 4]) * 0.0254) for place in (at, at + 4)] == [300, 300]
    assert int.from_bytes(png[16:20]) == pytest.approx(WIDTHS[name] / 25.4 * 300, abs=1)
    assert float(ET.fromstring(content(name, "svg")).attrib["width"][:-2]) == pytest.approx(WIDTHS[name] / 25.4 * 72)
