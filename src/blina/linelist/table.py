"""A line list in exact form: for each column the whole numbers that stand for its values (see `columns.Column`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pandas as pd

from blina.linelist.columns import NOT_A_PATIENT, PROVENANCE, Column


@dataclass(frozen=True)
class Table:
    """One row per patient. `codes[c]` (int64) and `blank[c]` (bool) have one entry per row; a blank's code is 0.

    `reconstructed`: the rows were made to fit printed numbers and are nobody's.
    `amounts[c]` and `limits[c]` have what cells of MRD and its assays hold beside their result, in percent: how
    much was found, and the limit below which nothing was (None where a cell does not say). Columns of which no cell
    says anything of the kind are not in them.
    """

    columns: dict[str, Column]
    codes: dict[str, np.ndarray]
    blank: dict[str, np.ndarray]
    ids: tuple[str, ...]
    reconstructed: bool = False
    amounts: dict[str, tuple[Fraction | None, ...]] = field(default_factory=dict)
    limits: dict[str, tuple[Fraction | None, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def cells(self) -> pd.DataFrame:
        """The table as it is written in a file: text cells, blanks empty, `patient_id` first.

        Where the rows are reconstructed, a last column says so in every one of them, wherever the file travels.
        """
        frame = {"patient_id": list(self.ids)}
        for name, column in self.columns.items():
            frame[name] = [
                "" if blank else column.text(int(code))
                for code, blank in zip(self.codes[name], self.blank[name], strict=True)
            ]
        if self.reconstructed:
            frame[PROVENANCE] = [NOT_A_PATIENT] * len(self)
        return pd.DataFrame(frame, dtype="str")
