"""Who was treated, and how: the description of a cohort in words, and its groups in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from blina.linelist.cohort import Cohort
from blina.measures.declare import NOT_RECORDED, TOTAL

REASON_WORDS = {  # how cycle 1 ended, for readers
    "completed": "completed",
    "severe_reaction": "severe reaction",
    "economic": "cost",
    "other": "another reason",
}
MOST_LISTED = 20  # numbers that are listed one by one


def by_group(table: pd.DataFrame, cohort: Cohort, total: bool = True) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each group's rows in the cohort's order, then all rows under `TOTAL`; a group without rows comes empty.

    `table` has a column `group`. ValueError if it names a group that the cohort does not have.
    """
    unknown = set(table["group"].unique()) - {group.name for group in cohort.groups}
    if unknown:
        cohort.group(min(map(str, unknown)))  # says which groups there are
    for group in cohort.groups:
        yield group.name, table[table["group"] == group.name]
    if total:
        yield TOTAL, table


def describe_wide(description: pd.DataFrame) -> pd.DataFrame:
    """A description to read: one row per characteristic and level, one column of text per group and for all patients.

    Columns: characteristic (with its unit), level, then the groups in the order of the long table. How cycle 1 ended is
    said in `REASON_WORDS`.
    """
    ended = {reason.replace("_", " "): words for reason, words in REASON_WORDS.items()}
    is_end = description["characteristic"] == "end of cycle 1"
    levels = description["level"].mask(is_end, description["level"].replace(ended))
    units = description.groupby("characteristic")["unit"].transform("max")
    unit = units.map(lambda unit: f", {unit}" if unit else "")
    long = description.assign(level=levels, characteristic=description["characteristic"] + unit)
    keys = ["characteristic", "level"]
    order = long[keys].drop_duplicates()
    wide = long.pivot(index=keys, columns="group", values="text")[[*long["group"].unique()]]
    joined = order.merge(wide.reset_index(), on=keys, how="left", validate="one_to_one")
    return joined.reset_index(drop=True)


def early_stops_text(patients: pd.DataFrame) -> str:
    """Who did not complete cycle 1, and after how many days of infusion, in a sentence or two."""
    known = patients[patients["stop_reason"].notna()]
    if known.empty:
        return f"How cycle 1 ended is {NOT_RECORDED} for any patient."
    early = known[known["stop_reason"] != "completed"]
    groups = ", ".join(early["group"].unique()) or "none"
    days = sorted(early["infusion_days"].dropna().astype(int))
    missing = len(patients) - len(known)
    many = f"{len(early)} to {len(early) + missing}" if missing else str(len(early))
    text = f"{many} of {len(patients)} patients did not complete cycle 1 (groups: {groups})"
    text += f"; their infusions lasted {listed(days)} days." if days else "."
    if missing:
        text += f" How it ended is {NOT_RECORDED} for {missing}."
    return text


def listed(numbers: Sequence[int]) -> str:
    """Numbers in order one by one, "1, 2, 7", or of more than `MOST_LISTED` the first and the last, "1 to 13"."""
    if len(numbers) <= MOST_LISTED:
        return ", ".join(map(str, numbers))
    return f"{numbers[0]} to {numbers[-1]}"
