"""Who was treated, and how: the cohort described by group and in total."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd

from blina.analysis.intervals import decimal_text, exact, median, rate
from blina.linelist.cohort import Cohort
from blina.linelist.columns import COLUMNS

TOTAL = "All patients"
DESCRIPTION_KEYS = ("group", "characteristic", "level", "statistic", "unit")
DESCRIPTION_COLUMNS = (*DESCRIPTION_KEYS, "k", "n", "percent", "lower", "upper",
                       "value", "least", "greatest", "text")  # fmt: skip
_DECLARED = {column.name: column for column in COLUMNS}


def by_group(table: pd.DataFrame, cohort: Cohort, total: bool = True) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each group's rows in the cohort's order, then all rows under `TOTAL`; a group without rows comes empty.

    `table` has a column `group`. ValueError if it names a group that the cohort does not have.
    """
    unknown = sorted(set(table["group"]) - {group.name for group in cohort.groups})
    if unknown:
        cohort.group(unknown[0])  # says which groups there are
    for group in cohort.groups:
        yield group.name, table[table["group"] == group.name]
    if total:
        yield TOTAL, table


def describe(patients: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """The cohort described: one row per group (and total) x characteristic x level, `DESCRIPTION_COLUMNS`.

    `statistic` says which columns are filled: "proportion" (k, n, percent and exact limits in %), "median" (value,
    least and greatest, n) or "number" (value). Levels that occur nowhere in the cohort are left out. Reasons for
    intolerance are counted among the patients who have one. `unit` is that of value, least and greatest.
    """
    rows = []
    for characteristic, level, unit, state in _characteristics(patients):
        rows += [{"group": name, "characteristic": characteristic, "level": level, "unit": unit} | state(members)
                 for name, members in by_group(patients, cohort)]  # fmt: skip
    table = pd.DataFrame(rows, columns=DESCRIPTION_COLUMNS)
    return table.astype({"k": "Int64", "n": "Int64"} | dict.fromkeys(
        ("percent", "lower", "upper", "value", "least", "greatest"), "float64"))  # fmt: skip


def describe_wide(description: pd.DataFrame) -> pd.DataFrame:
    """`describe` to read: one row per characteristic and level, one column of text per group and for the total.

    Columns: characteristic (with its unit), level, then the groups in the order of the long table.
    """
    unit = description["unit"].map(lambda unit: f", {unit}" if unit else "")
    long = description.assign(characteristic=description["characteristic"] + unit)
    keys = ["characteristic", "level"]
    order = long[keys].drop_duplicates()
    wide = long.pivot(index=keys, columns="group", values="text")[[*long["group"].unique()]]
    return order.merge(wide.reset_index(), on=keys, how="left", validate="one_to_one").reset_index(drop=True)


def median_text(values: pd.Series, places: int) -> str:
    """Median (least to greatest) of values recorded with so many decimal places; "none" without values.

    Nothing is rounded: a median halfway between two recorded values is printed with the one place more that it needs.
    """
    middle = median(values)
    if middle is None:
        return "none"
    between = middle != exact(decimal_text(middle, places))
    least, greatest = (decimal_text(exact(value), places) for value in (values.min(), values.max()))
    return f"{decimal_text(middle, places + between)} ({least} to {greatest})"


State = Callable[[pd.DataFrame], dict[str, object]]


def _characteristics(patients: pd.DataFrame) -> Iterator[tuple[str, str, str, State]]:
    """Characteristic, level, unit, and what states it for a group."""
    yield "patients", "", "", _number(len)
    yield from _proportions("sex", "sex", patients)
    yield "age", "", "years", _median("age_years")
    yield "BCR::ABL1", "found", "", lambda of: _proportion(of["bcr_abl1"].astype(bool))
    yield from _proportions("reason for intolerance", "intolerance_reason", patients)
    yield "diagnosis to first infusion", "", "months", _median("months_from_diagnosis")
    yield "infusion in cycle 1", "", "days", _median("infusion_days")
    yield "infusion in cycle 1", "all together", "days", _number(lambda of: of["infusion_days"].sum())
    yield from _proportions("end of cycle 1", "stop_reason", patients)
    yield "further cycles", "patients given any", "", lambda of: _proportion(of["extra_cycles"] > 0)
    yield "further cycles", "cycles given", "", _number(lambda of: of["extra_cycles"].sum())
    yield "cycles, the first included", "", "", _number(lambda of: (1 + of["extra_cycles"]).sum())


def _proportions(characteristic: str, column: str, patients: pd.DataFrame) -> Iterator[tuple[str, str, str, State]]:
    seen = set(patients[column].dropna())
    declared = [level for level in _DECLARED[column].values if level in seen]
    for level in [*declared, *sorted(seen - set(declared))]:
        yield (characteristic, level.replace("_", " "), "",
               lambda of, level=level: _proportion(of[column].dropna() == level))  # fmt: skip


def _proportion(true: pd.Series) -> dict[str, object]:
    return {"statistic": "proportion"} | rate(true.sum(), len(true))


def _number(count: Callable[[pd.DataFrame], int]) -> State:
    def state(of: pd.DataFrame) -> dict[str, object]:
        return {"statistic": "number", "value": int(count(of)), "text": str(int(count(of)))}

    return state


def _median(column: str) -> State:
    places = len(_DECLARED[column].step.partition(".")[2])

    def state(of: pd.DataFrame) -> dict[str, object]:
        values = of[column].dropna()
        return {"statistic": "median", "n": len(values), "value": median(values), "least": values.min(),
                "greatest": values.max(), "text": median_text(values, places)}  # fmt: skip

    return state
