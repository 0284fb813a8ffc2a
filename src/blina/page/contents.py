"""What stands on the page, in which order: outputs and prose of executed notebooks, named by notebook and cell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from blina.yamlfile import FileError

SVG = "image/svg+xml"
PAGE = "page-"  # how the tags begin that put a cell on the page
Cell = Mapping
Notebooks = Mapping[str, Mapping]  # by name, without .ipynb


@dataclass(frozen=True)
class Shows:
    """What the cells of a notebook with one tag show: their outputs, or their prose."""

    notebook: str
    tag: str

    def cells(self, notebooks: Notebooks) -> Iterator[tuple[str, Cell]]:
        """The cells, with the name of their notebook; nothing where there is no such notebook.

        FileError where the notebook has no cell with the tag: what the page shows is never dropped in silence.
        """
        if self.notebook not in notebooks:
            return
        found = [one for one in _cells(notebooks, self.notebook) if self.tag in tags_of(one[1])]
        if not found:
            raise FileError(
                f"{self.notebook}.ipynb: no cell has the tag {self.tag}, which the page shows; "
                "give the cell that tag, or take it out of src/blina/page/contents.py"
            )
        yield from found


@dataclass(frozen=True)
class Figures:
    """Every figure of a notebook, with the prose before it as `caption` in the cell's metadata."""

    notebook: str

    def cells(self, notebooks: Notebooks) -> Iterator[tuple[str, Cell]]:
        """The cells that show figures, these figures alone as their outputs."""
        caption = ""
        for name, cell in _cells(notebooks, self.notebook):
            if cell["cell_type"] == "markdown":
                caption = without_heading(cell["source"])
            elif pictures := [one for one in cell["outputs"] if SVG in one.get("data", {})]:
                yield name, {**cell, "outputs": pictures, "metadata": {"caption": caption}}


@dataclass(frozen=True)
class Limits:
    """The limits with which every notebook ends, but for those that stand elsewhere on the page."""

    elsewhere: tuple[str, ...] = ()

    def cells(self, notebooks: Notebooks) -> Iterator[tuple[str, Cell]]:
        """One cell of prose per notebook, headed by its name; a notebook that is run for each group comes once."""
        seen = set(self.elsewhere)
        for full_name in notebooks:
            name = full_name.partition("__")[0]
            for _, cell in _cells(notebooks, full_name):
                if cell["cell_type"] == "markdown" and cell["source"].startswith("## Limits") and name not in seen:
                    seen.add(name)
                    source = f"### Limits of {name}\n\n{without_heading(cell['source'])}"
                    yield full_name, {**cell, "source": source}


@dataclass(frozen=True)
class Section:
    """A part of the page, with its id and its heading."""

    id: str
    title: str
    parts: tuple[Shows | Figures | Limits, ...]


def _shows(notebook: str, *names: str) -> tuple[Shows, ...]:
    return tuple(Shows(notebook, f"{PAGE}{name}") for name in names)


SECTIONS = (
    Section("what", "What this is, and what it is not", _shows("09-summary", "what")),
    Section("answer", "The answer", _shows("09-summary", "answer", "method", "text-words", "words-of-a-report")),
    Section(
        "figures",
        "Figures",
        (*_shows("05-figures", "names"), Figures("05-figures"), Figures("07-determined"), Figures("08-context")),
    ),
    Section("response", "Response under every rule", _shows("09-summary", "text-09", "response")),
    Section(
        "safety",
        "Safety",
        _shows("04-safety", "text-07", "scale", "worst", "silence", "text-13", "crs", "text-18", "stops", "tension",
               "tension-of-this-report"),
    ),
    Section(
        "determined",
        "What the report determines, and what it leaves open",
        _shows("07-determined", "text-07", "facts", "text-09", "open"),
    ),
    Section(
        "context",
        "Among published cohorts",
        _shows("08-context", "text-comparable", "comparable", "left-out", "text-rates", "rates", "text-pooling",
               "pools", "text-overlap", "overlap"),
    ),
    Section(
        "numbers",
        "Every printed number and its verdict",
        _shows("06-reported-results", "size", "check", "text-08", "claims", "verdict", "text-17"),
    ),
    Section(
        "linelist",
        "How the line list was read",
        _shows("01-ingest", "checked", "text-changed", "changed", "aside", "text-15", "odd"),
    ),
    Section(
        "readings",
        "Readings and limits",
        (*_shows("06-reported-results", "text-12", "readings"), *_shows("09-summary", "strobe"),
         Limits(elsewhere=("06-reported-results",))),
    ),
    Section("rerun", "How to run it again", _shows("09-summary", "text-16")),
)  # fmt: skip


def _cells(notebooks: Notebooks, name: str) -> Iterator[tuple[str, Cell]]:
    yield from ((name, cell) for cell in notebooks.get(name, {"cells": ()})["cells"])


def without_heading(source: str) -> str:
    """Prose in Markdown less the heading that it begins with, of a part of a notebook."""
    return re.sub("^## .*", "", source.strip()).strip()


def tags_of(cell: Cell) -> list[str]:
    """The tags of a cell."""
    return list(cell["metadata"].get("tags", []))


def refuse_unknown_tags(notebooks: Notebooks) -> None:
    """FileError where a cell has a tag of the page that no section shows."""
    known = {part.tag for section in SECTIONS for part in section.parts if isinstance(part, Shows)}
    for name, notebook in notebooks.items():
        for cell in notebook["cells"]:
            unknown = [tag for tag in tags_of(cell) if tag.startswith(PAGE) and tag not in known]
            if unknown:
                raise FileError(
                    f"{name}.ipynb: no section of the page shows the tag {unknown[0]}; correct it, or "
                    "add it in src/blina/page/contents.py"
                )
