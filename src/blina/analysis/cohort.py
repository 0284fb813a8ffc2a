"""Who was treated, and how: the cohort described by group and in total."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import nan

import numpy as np
import pandas as pd

from blina.measures.intervals import decimal_text, exact, median, rate
from blina.linelist.cohort import Cohort
from blina.linelist.columns import COLUMNS

TOTAL = "All patients"
NOT_RECORDED = "not recorded"
REASON_WORDS = {"completed": "completed", "severe_reaction": "severe reaction", "economic": "cost",
                "other": "another reason"}  # fmt: skip  # how cycle 1 ended, for readers
MOST_LISTED = 20  # numbers that are listed one by one
DESCRIPTION_KEYS = ("group", "characteristic", "level", "statistic", "unit")
DESCRIPTION_COLUMNS = (*DESCRIPTION_KEYS, "k", "n", "percent", "lower", "upper",
                       "value", "least", "greatest", "text")  # fmt: skip
_DECLARED = {column.name: column for column in COLUMNS}


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


def places(values: pd.Series, words: Sequence[str]) -> np.ndarray:
    """The place of each value among the words; -1 where it is missing or none of them."""
    codes, distinct = pd.factorize(values)  # a word is looked up once, however often it occurs
    return np.append(pd.Index(words).get_indexer(distinct), -1)[codes]


def describe(patients: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """The cohort described: one row per group (and total) x characteristic x level, `DESCRIPTION_COLUMNS`.

    `statistic` says which columns are filled: "proportion" (k, n, percent and exact limits in %), "median" (value,
    least and greatest, n) or "number" (value). Everything is counted among the patients of whom it is
    recorded; how many are not stands in a row of its own, level "not recorded", where there are any. Levels that occur
    nowhere in the cohort are left out. Reasons for intolerance are counted among the patients who have one. `unit` is
    that of value, least and greatest.
    """
    rows = []
    members = [*by_group(patients, cohort)]
    for characteristic, level, unit, state in _characteristics(patients):
        rows += [{"group": name, "characteristic": characteristic, "level": level, "unit": unit} | state(of)
                 for name, of in members]  # fmt: skip
    table = pd.DataFrame(rows, columns=DESCRIPTION_COLUMNS)
    return table.astype({"k": "Int64", "n": "Int64"} | dict.fromkeys(
        ("percent", "lower", "upper", "value", "least", "greatest"), "float64"))  # fmt: skip


def describe_wide(description: pd.DataFrame) -> pd.DataFrame:
    """`describe` to read: one row per characteristic and level, one column of text per group and for the total.

    Columns: characteristic (with its unit), level, then the groups in the order of the long table. How cycle 1 ended is
    said in `REASON_WORDS`.
    """
    ended = {reason.replace("_", " "): words for reason, words in REASON_WORDS.items()}
    is_end = description["characteristic"] == "end of cycle 1"
    description = description.assign(level=description["level"].mask(is_end, description["level"].replace(ended)))
    units = description.groupby("characteristic")["unit"].transform("max")
    unit = units.map(lambda unit: f", {unit}" if unit else "")
    long = description.assign(characteristic=description["characteristic"] + unit)
    keys = ["characteristic", "level"]
    order = long[keys].drop_duplicates()
    wide = long.pivot(index=keys, columns="group", values="text")[[*long["group"].unique()]]
    return order.merge(wide.reset_index(), on=keys, how="left", validate="one_to_one").reset_index(drop=True)


def stopped_early(patients: pd.DataFrame) -> str:
    """Who did not complete cycle 1, and after how many days of infusion, in a sentence or two."""
    known = patients[patients["stop_reason"].notna()]
    early = known[known["stop_reason"] != "completed"]
    groups, days = ", ".join(early["group"].unique()) or "none", sorted(early["infusion_days"].dropna().astype(int))
    said = f"{len(early)} of {len(known)} patients did not complete cycle 1 (groups: {groups})"
    said += f"; their infusions lasted {listed(days)} days." if days else "."
    if missing := len(patients) - len(known):
        said += f" How it ended is {NOT_RECORDED} of {missing} more."
    return said if len(known) else f"How cycle 1 ended is {NOT_RECORDED} of any patient."


def listed(numbers: Sequence[int]) -> str:
    """Numbers in order one by one, "1, 2, 7", or of more than `MOST_LISTED` the first and the last, "1 to 13"."""
    return ", ".join(map(str, numbers)) if len(numbers) <= MOST_LISTED else f"{numbers[0]} to {numbers[-1]}"


def median_text(values: pd.Series, places: int) -> str:
    """Median (least to greatest) of values recorded with so many decimal places; "none" without values.

    Nothing is rounded: a median halfway between two recorded values is printed with the one place more that it needs.
    """
    middle = median(_middle(values))
    if middle is None:
        return "none"
    between = middle != exact(decimal_text(middle, places))
    least, greatest = (decimal_text(exact(value), places) for value in (values.min(), values.max()))
    return f"{decimal_text(middle, places + between)} ({least} to {greatest})"


def _middle(values: pd.Series) -> np.ndarray:
    """The one or two values in the middle, which have the median of all: exact arithmetic on a million is slow."""
    ordered = np.sort(values.to_numpy())
    return ordered[(len(ordered) - 1) // 2 : len(ordered) // 2 + 1]


State = Callable[[pd.DataFrame], dict[str, object]]
Characteristic = tuple[str, str, str, State]


def _characteristics(patients: pd.DataFrame) -> Iterator[Characteristic]:
    """Characteristic, level, unit, and what states it for a group."""
    yield "patients", "", "", _number(len)
    yield from _proportions("sex", "sex", patients)
    yield from _not_recorded("sex", "sex", patients)
    yield from _median("age", "age_years", "years", patients)
    yield "BCR::ABL1", "found", "", lambda of: _proportion(of["bcr_abl1"].dropna().astype(bool))
    yield from _not_recorded("BCR::ABL1", "bcr_abl1", patients)
    yield from _proportions("reason for intolerance", "intolerance_reason", patients)
    yield from _median("diagnosis to first infusion", "months_from_diagnosis", "months", patients)
    yield from _median("infusion in cycle 1", "infusion_days", "days", patients)
    yield "infusion in cycle 1", "all together", "days", _sum(lambda of: of["infusion_days"])
    yield from _proportions("end of cycle 1", "stop_reason", patients)
    yield from _not_recorded("end of cycle 1", "stop_reason", patients)
    yield "further cycles", "patients given any", "", lambda of: _proportion(of["extra_cycles"].dropna() > 0)
    yield "further cycles", "cycles given", "", _sum(lambda of: of["extra_cycles"])
    yield from _not_recorded("further cycles", "extra_cycles", patients)
    yield "cycles, the first included", "", "", _sum(lambda of: 1 + of["extra_cycles"])


def _proportions(characteristic: str, column: str, patients: pd.DataFrame) -> Iterator[Characteristic]:
    seen = set(patients[column].dropna().unique())
    declared = [level for level in _DECLARED[column].values if level in seen]
    for level in [*declared, *sorted(seen - set(declared))]:
        yield (characteristic, level.replace("_", " "), "",
               lambda of, level=level: _proportion(of[column].dropna() == level))  # fmt: skip


def _not_recorded(characteristic: str, column: str, patients: pd.DataFrame) -> Iterator[Characteristic]:
    if patients[column].isna().any():
        yield characteristic, NOT_RECORDED, "", _number(lambda of: of[column].isna().sum())


def _proportion(true: pd.Series) -> dict[str, object]:
    return {"statistic": "proportion"} | rate(true.sum(), len(true))


def _number(count: Callable[[pd.DataFrame], int]) -> State:
    def state(of: pd.DataFrame) -> dict[str, object]:
        return {"statistic": "number", "value": int(count(of)), "text": str(int(count(of)))}

    return state


def _sum(amounts: Callable[[pd.DataFrame], pd.Series]) -> State:
    """What the patients of whom it is recorded add up to; nothing if it is recorded of none of them."""

    def state(of: pd.DataFrame) -> dict[str, object]:
        values = amounts(of)
        if len(values) and values.isna().all():
            return {"statistic": "number", "value": nan, "text": "none"}
        stated = _number(lambda _: values.sum())(of)
        if values.isna().any():
            stated["text"] += f" (of {values.count()} of {len(values)} patients)"
        return stated

    return state


def _median(characteristic: str, column: str, unit: str, patients: pd.DataFrame) -> Iterator[Characteristic]:
    places = len(_DECLARED[column].step.partition(".")[2])

    def state(of: pd.DataFrame) -> dict[str, object]:
        values = of[column].dropna()
        ends = (values.min(), values.max()) if len(values) else (nan, nan)
        return {"statistic": "median", "n": len(values), "value": median(_middle(values)), "least": ends[0],
                "greatest": ends[1], "text": median_text(values, places)}  # fmt: skip

    yield characteristic, "", unit, state
    yield from _not_recorded(characteristic, column, patients)
