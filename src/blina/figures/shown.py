"""Which rows of results a study shows, and what is said where nothing is recorded."""

from __future__ import annotations

import pandas as pd

from blina.analysis.study import Study
from blina.measures.choices import RESULT


def of_groups(table: pd.DataFrame, study: Study) -> pd.DataFrame:
    """The rows on a study's groups, and on groups taken together where it has more than one."""
    names = [group.name for group in study.cohort.groups]
    mine = table["group"].isin(names)
    if "is_pooled" in table:
        mine = mine & ~table["is_pooled"]
        if len(names) > 1:
            mine = mine | table["is_pooled"]
    return table[mine].reset_index(drop=True)


def no_results(mrd: pd.DataFrame, assay: str, time: str | None = None) -> str:
    """A sentence where no patient has a result by an assay (at a time); "" where some have."""
    mine = mrd[mrd["assay"] == assay]
    if time is not None:
        mine = mine[mine["time"] == time]
    if mine["status"].isin(RESULT).any():
        return ""
    if len(mine) and mine["status"].eq("not_applicable").fillna(False).all():
        return f"{assay} applies to no patient: none has a fusion gene that it follows."
    when = "" if time is None else f" {time} treatment"
    return f"{assay}{when} is not recorded for any patient."
