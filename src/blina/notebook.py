"""What every notebook does in the same way: say a sentence, show a table, keep a table."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd
from IPython.display import Markdown

from blina.linelist.cohort import Cohort
from blina.linelist.columns import COLUMNS
from blina.linelist.privacy import safe_cells
from blina.pipeline.steps import file_name


def say(text: str) -> Markdown:
    """A sentence with its values already put in, as prose below a cell."""
    return Markdown(text)


@dataclass(frozen=True)
class Shown:
    """A table as a reader sees it: no index, underscores as spaces, blanks for missing values."""

    table: pd.DataFrame

    def _cells(self) -> pd.DataFrame:
        return self.table.rename(columns=lambda name: str(name).replace("_", " "))

    def _repr_html_(self) -> str:
        html = self._cells().to_html(index=False, border=0, na_rep="")
        left = 'style="text-align: left"'  # Jupyter would push words to the right
        return html.replace("<td>", f"<td {left}>").replace("<th>", f'<th scope="col" {left}>')

    def __repr__(self) -> str:
        return self._cells().to_string(index=False, na_rep="")


def show(table: pd.DataFrame, columns: list[str] | dict[str, str] | None = None) -> Shown:
    """A table to read: all its columns, those listed, or those of a mapping under its headings."""
    if isinstance(columns, dict):
        return Shown(table[list(columns)].rename(columns=columns))
    return Shown(table if columns is None else table[columns])


def plain(words: str) -> str:
    """A claim in words as a reader would say it: `patients: group MC and FC after negative`."""
    labels = {column.name: column.label for column in COLUMNS if column.label}
    named = re.sub(r"\b\w+\b", lambda word: labels.get(word[0], word[0].replace("_", " ")), words)
    return re.sub(r"^count: ", "patients: ", named).replace("patients: all patients", "all patients")


def keep(table: pd.DataFrame, cohort: Cohort, name: str) -> None:
    """Write a whole table of results to `tables/NAME.csv` of the cohort's output folder, and say so.

    A group's name in NAME may hold what no file name can; it is written as the pipeline writes it in its own files.
    """
    name = file_name(name)
    folder = cohort.output / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    safe_cells(table).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n", float_format="%.10g")
    print(f"wrote tables/{name}.csv ({len(table)} rows)")


def remark(cohort: Cohort, text: str) -> Markdown | None:
    """Prose about the reconstructed report alone: shown for it, left out of a report on a hospital's own patients."""
    return Markdown(text) if cohort.reconstructed else None
