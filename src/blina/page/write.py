"""Executed notebooks as HTML: one page composed of what they show, and each notebook with its code folded."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from functools import partial
from html import escape, unescape
from itertools import count
from pathlib import Path

import nbformat
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from blina.linelist.cohort import Cohort
from blina.page.contents import SECTIONS, SVG, Section, refuse_unknown_tags, without_heading

HERE = Path(__file__).parent
TEMPLATE = "template"
CONFIDENTIAL = (
    "Confidential: made from single patients. Figures and tables show single rows, and a number of 1 to 4 may tell who "
    "somebody is. What may be sent away is made by make share."
)
# How many columns need more width than a telephone has, and how many more than the page itself.
WIDTHS = {5: "wide", 8: "widest"}
PLAIN = re.compile("[a-zA-Z0-9_-]+")  # what the id of a cell may hold; a group may be named in any script
NARROW_POINTS = 300  # a figure of one journal column is 241 points wide, one of two 510


def write_page(notebooks: Path, folder: Path, cohort: Cohort) -> list[Path]:
    """Write `index.html` and one HTML file for each executed notebook into the folder (made if missing); the paths.

    Every file is complete in itself: no other file, no network and no script is needed to read it. Sections whose
    notebooks are not there (of a cohort without claims) are left out. The same bytes for the same notebooks. FileError
    where a cell that the page shows is not there, or has a tag that the page does not know.
    """
    read = {path.stem: nbformat.read(path, as_version=4) for path in sorted(notebooks.glob("*.ipynb"))}
    titles = {name: _title(notebook) for name, notebook in read.items()}
    refuse_unknown_tags(read)
    page, sections = _composed(read)
    warning = f"The rows behind this page are {cohort.face}." if cohort.reconstructed else CONFIDENTIAL
    resources = {"title": cohort.title, "warning": warning, "sections": sections, "notebooks": [*titles.items()]}
    pages = {"index": _html(page, "page", cohort, resources)}
    said = "" if cohort.reconstructed else CONFIDENTIAL  # of reconstructed rows every notebook says so by itself
    pages |= {name: _html(notebook, "notebook", cohort, {"title": titles[name], "warning": said})
              for name, notebook in read.items()}  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return [folder / f"{name}.html" for name in pages]


def _title(notebook: NotebookNode) -> str:
    """The heading of a notebook, with the group that it was run for, if any."""
    heading = next((cell.source for cell in notebook.cells if cell.source.startswith("# ")), "# Notebook")
    injected = next((cell.source for cell in notebook.cells if cell.id == "injected-parameters"), "")
    group = re.search(r'^group = "(.*)"$', injected, re.M)
    return heading.partition("\n")[0].removeprefix("# ") + (f" ({group[1]})" if group else "")


def _composed(notebooks: Mapping[str, NotebookNode]) -> tuple[NotebookNode, list[Section]]:
    """The page as a notebook, its cells taken from others, and those sections that have any."""
    cells, present = [], []
    names = {name: name if PLAIN.fullmatch(name) else f"notebook-{number}" for number, name in enumerate(notebooks)}
    for section in SECTIONS:
        found = [one for part in section.parts for one in part.cells(notebooks)]
        found = [(name, cell) for name, cell in found if cell["cell_type"] == "markdown" or cell["outputs"]]
        if not found:
            continue
        mine = [
            NotebookNode(cell, id=f"{names[name]}-{cell['id']}", metadata=NotebookNode(cell["metadata"]))
            for name, cell in found
        ]
        for place, cell in enumerate(mine):
            if cell.cell_type == "markdown":  # the section has its own heading; any further one is below it
                source = cell.source if place else without_heading(cell.source)
                cell.source = re.sub("^## ", "### ", source, flags=re.M)
        mine[0].metadata.begins = section
        mine[-1].metadata.ends = [*dict.fromkeys(name for name, _ in found)]
        cells += mine
        present.append(section)
    return new_notebook(cells=cells), present


def _html(notebook: NotebookNode, template: str, cohort: Cohort, resources: dict) -> str:
    exporter = HTMLExporter(
        template_name=TEMPLATE,
        extra_template_basedirs=[str(HERE)],
        template_file=f"{template}.html.j2",
        exclude_anchor_links=True,
    )
    exporter.register_filter("figure", partial(_figure, count(1), cohort.face))
    exporter.register_filter("table", partial(_table, count(1)))
    return exporter.from_notebook_node(notebook, resources)[0]


def _figure(numbers: count, face: str, output: NotebookNode, caption: str = "") -> str:
    """A figure as an image within the file, with its alt text and, below, its number and caption (HTML).

    It is never narrower than it can be read: where there is less room, it can be moved sideways. The words on the face
    of a figure of reconstructed rows stand below it as well, for who sees a part of the picture only.
    """
    svg, alt = output.data[SVG], output.data["text/plain"]
    name = re.search('<svg id="([^"]+)"', svg)[1]
    title = unescape(re.search("<title[^>]*>(.*?)</title>", svg, re.S)[1])
    wide = float(re.search(r'width="([\d.]+)pt"', svg)[1]) > NARROW_POINTS
    number = f"Figure {next(numbers)}."
    heading = escape(f"{number} {title}")
    source = f"data:{SVG};base64,{b64encode(svg.encode()).decode()}"
    rows = f'<p class="rows">{escape(face.capitalize())}.</p>' if face and face in alt else ""
    caption = re.sub("^<p>", f"<p><strong>{number}</strong> ", caption.strip()) or f"<p><strong>{heading}</strong></p>"
    return (
        f'<figure id="figure-{name}">\n'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{heading}">\n'
        f'<img class="{"wide" if wide else "narrow"}" alt="{escape(alt)}" src="{source}">\n</div>\n'
        f"<figcaption>{caption}{rows}</figcaption>\n</figure>"
    )


def _table(numbers: count, output: NotebookNode, id: str = "") -> str:
    """A table that can be moved sideways where there is little room; its look is that of the page."""
    html = re.sub(r' style="text-align: left"| border="0"| class="dataframe"', "", output.data["text/html"])
    columns = html.count('<th scope="col"')
    given = {"id": id, "class": next((name for least, name in reversed(WIDTHS.items()) if columns >= least), "")}
    attributes = "".join(f' {name}="{value}"' for name, value in given.items() if value)
    html = html.replace("<table", f"<table{attributes}", 1)
    return f'<div class="scroll" tabindex="0" role="region" aria-label="Table {next(numbers)}">\n{html}\n</div>'
