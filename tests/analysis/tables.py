"""Cohorts to test on: 28 made-up patients who fit the printed numbers, and random ones of any shape."""

from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from blina.analysis.study import Study
from blina.linelist.cohort import Cohort, Group
from blina.linelist.columns import COLUMNS, PROVENANCE
from blina.linelist.parse import parse_cell
from blina.linelist.table import Table
from blina.measures.bounds import CohortBounds

# The line list in short: `-` is blank or negative, `+` positive, `.` not applicable.
NAMES = ("patient_id", "group", "sex", "age_years", "bcr_abl1", "intolerance_reason", "months_from_diagnosis",
         "infusion_days", "stop_reason", "extra_cycles", "mrd", "fc_before", "fc_after", "pcr_before", "pcr_after",
         "fever", "crs", "icans", "icans_day")  # fmt: skip
LINES = """
P01 MC male    0.6 yes -            3.7 28 completed       3  4.00 + - + + yes 0 0 -
P02 MC female 15.2 yes -           39.8 28 completed       2  2.75 + - + + no  0 0 -
P03 MC male   12.0 yes -            3.6 21 completed       0  0.46 + - + + yes 0 0 -
P04 MC male    9.1 yes -            4.4 14 completed       0  0.05 - - + + no  0 0 -
P05 MC female 11.5 yes -            2.1 28 completed       0  0.03 - - + + no  0 0 -
P06 MC male    7.7 yes -            3.7 28 completed       1  0.12 + - + - yes 0 0 -
P07 MC female 11.0 no  -            0.7  2 severe_reaction 0  1.10 + - . . yes 0 4 2
P08 MC male   13.4 no  -            5.5  1 severe_reaction 0  0.80 + - . . yes 0 0 -
P09 MC male    6.8 no  -            1.9  7 economic        0  0.17 + - . . no  0 0 -
P10 MC male   16.4 no  -           12.7 28 completed       1  0.01 + - . . yes 0 0 -
P11 MC female  4.3 no  -            2.8 28 completed       0  0.01 + - . . no  0 0 -
P12 MC male   14.0 no  -            3.1 27 completed       0  0.02 + - . . yes 0 0 -
P13 MC female 12.6 no  -            8.8 28 completed       0  0.06 + - . . no  0 0 -
P14 MC male    2.9 no  -            3.2 28 completed       0  0.08 + - . . no  0 0 -
P15 MC female 11.9 no  -            6.0 24 completed       2  0.10 + - . . yes 0 0 -
P16 MC male    8.5 no  -            4.0 28 completed       0  0.25 + - . . no  0 0 -
P17 MC male   13.8 no  -            1.3 28 completed       0  0.30 + - . . yes 0 0 -
P18 MC female 10.2 no  -           20.5 14 completed       0  1.90 + - . . no  0 0 -
P19 IC female  6.1 no  pancreatitis 1.1 28 completed       0  -    - - . . yes 0 0 -
P20 IC male   11.0 no  infection    1.4 28 completed       0  -    - - . . yes 0 0 -
P21 IC female 14.7 no  endocarditis 16.8 15 completed      1  -    - - . . yes 0 0 -
P22 RR male    5.0 yes -           29.0 28 completed       0  8.37 + - + + no  2 0 -
P23 RR male   12.2 no  -           62.1 28 completed       0  0.08 + - . . yes 0 0 -
P24 RR female  9.9 no  -            4.9 28 completed       1  1.32 + - . . yes 0 0 -
P25 RR male   15.8 no  -           33.3 28 completed       0  3.50 + - . . no  0 0 -
P26 RR female  3.3 no  -           18.0 21 completed       0 22.64 + + . . yes 0 0 -
P27 RR male    7.0 no  -           24.6 28 completed       0 45.10 + + . . no  0 0 -
P28 RR female 13.1 no  -           41.2 14 completed       0 78.30 + + . . yes 2 0 -
"""
STATUS = {"+": "positive", "-": "negative", ".": "not_applicable"}
SCALE = "ASTCT 2019"


COLUMN_OF = {"mrd": "mrd_before_percent", "fever": "fever_cycle1", "crs": "crs_grade", "icans": "icans_grade"}


def text_of(value: object) -> str:
    """A value as a line list writes it: "" for None, yes and no for truth values, no more digits than needed."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def table_of(lines: list[dict], cohort: Cohort) -> Table:
    """The exact table of a cohort's patients, from one dictionary per patient with columns named as `NAMES` or in full.

    A column that no line has is left out where it may be absent, and blank elsewhere.
    """
    rows = [{COLUMN_OF.get(name, name): text_of(value) for name, value in line.items()} for line in lines]
    named = {name for row in rows for name in row}
    columns = {}
    for column in cohort.declared:
        if column.type != "identifier" and (column.name in named or not column.optional):
            columns[column.name] = column
    codes, blank = {}, {}
    for name, column in columns.items():
        cells = [parse_cell(column, row.get(name, "")) for row in rows]
        advice = [said for _, said in cells if said is not None]
        assert not advice, (name, advice[0].en)
        codes[name] = np.array([code or 0 for code, _ in cells], dtype=np.int64)
        blank[name] = np.array([code is None for code, _ in cells], dtype=bool)
    ids = tuple(row.get("patient_id", f"P{place:03}") for place, row in enumerate(rows, start=1))
    return Table(columns, codes, blank, ids)


def make(lines: list[dict], cohort: Cohort, known: CohortBounds | None = None) -> Study:
    """A study of these patients: `.table`, `.patients`, `.mrd`, `.events`, `.cohort`, `.results` and its views."""
    return Study(table_of(lines, cohort), cohort, known)


MISSING = frozenset(column.name for column in COLUMNS if column.name not in ("patient_id", "group"))


def described(cohort: Cohort, **settings) -> Cohort:
    """A cohort described otherwise; what it computed of itself is computed anew."""
    told = {name: getattr(cohort, name) for name in Cohort.model_fields}
    return Cohort(**(told | settings))


def lines_of(study: Study) -> list[dict[str, str]]:
    """The rows of a study as the words of a line list."""
    return study.table.cells().drop(columns=PROVENANCE, errors="ignore").to_dict("records")


def changed(study: Study, changes: dict[tuple[str, str], str], **settings) -> Study:
    """The same patients with cells changed, as in `{("P01", "fc_after"): "not_done"}`; "" is not recorded.

    settings: what the cohort's description says otherwise.
    """
    lines = {line["patient_id"]: line for line in lines_of(study)}
    for (patient, column), word in changes.items():
        lines[patient][column] = word
    return make([*lines.values()], described(study.cohort, missing_allowed=MISSING, **settings))


def regrouped(study: Study, cohort: Cohort, groups: dict[int, str] | None = None) -> Study:
    """The same patients under another description, those at the given places in other groups."""
    words = study.table.columns["group"].values
    names = [words[code] for code in study.table.codes["group"]]
    for place, name in (groups or {}).items():
        names[place] = name
    column = next(one for one in cohort.declared if one.name == "group")
    codes = {**study.table.codes, "group": np.array([column.words[name] for name in names], dtype=np.int64)}
    table = replace(study.table, columns={**study.table.columns, "group": column}, codes=codes)
    return Study(table, cohort, study.known)


def picked(study: Study, cohort: Cohort, places: list[int], ids: tuple[str, ...] | None = None) -> Study:
    """The patients at these places (which may repeat), under a description of the cohort that has their groups."""
    parts = {}
    for part in ("codes", "blank"):
        parts[part] = {name: values[places] for name, values in getattr(study.table, part).items()}
    names = ids or tuple(study.table.ids[place] for place in places)
    return regrouped(Study(replace(study.table, **parts, ids=names), cohort, study.known), cohort)


def report() -> Study:
    """28 made-up patients for whom every printed number holds."""
    cohort = Cohort(name="toy", folder=Path("toy"), title="28 made-up children", groups=(
        Group(name="MC", label="clearing MRD in first remission", purpose="clearance", reported_rule="fc_and_pcr"),
        Group(name="IC", label="bridging chemotherapy intolerance", purpose="bridging"),
        Group(name="RR", label="refractory or relapsed", purpose="reinduction", reported_rule="fc"),
    ), reconstructed=True, grading_scale=SCALE, grading_scale_stated=False)  # fmt: skip
    table = pd.read_csv(StringIO(LINES), sep=r"\s+", names=NAMES, na_values=[], keep_default_na=False)
    lines = []
    for row in table.to_dict("records"):
        status = {name: STATUS[row[name]] for name in NAMES if name.startswith(("fc_", "pcr_"))}
        lines.append(row | status | {
            "bcr_abl1": row["bcr_abl1"] == "yes", "fever": row["fever"] == "yes",
            "intolerance_reason": None if row["intolerance_reason"] == "-" else row["intolerance_reason"],
            "mrd": None if row["mrd"] == "-" else float(row["mrd"]),
            "icans_day": None if row["icans_day"] == "-" else int(row["icans_day"]),
        })  # fmt: skip
    return make(lines, cohort)


@st.composite
def cohorts(draw, most_groups: int = 4, most_patients: int = 25) -> Study:
    """Random tidy tables: any groups and purposes, some groups empty, any mix of statuses and events."""
    names = draw(st.lists(st.sampled_from(["MC", "IC", "RR", "A + B", "late", "第二组"]), min_size=1,
                          max_size=most_groups, unique=True))  # fmt: skip
    purposes = st.sampled_from(["clearance", "bridging", "reinduction", None])
    rules = st.sampled_from(["fc", "pcr", "fc_and_pcr", None])
    groups = tuple(Group(name=name, label=name, purpose=draw(purposes), reported_rule=draw(rules)) for name in names)
    cohort = Cohort(name="random", folder=Path("random"), title="random patients", groups=groups,
                    grading_scale=SCALE, limit_of_detection_percent=draw(st.sampled_from([None, 0.01])))  # fmt: skip
    lines = [draw(_patient(names, number)) for number in range(1, draw(st.integers(1, most_patients)) + 1)]
    return make(lines, cohort)


@st.composite
def _patient(draw, names: list[str], number: int) -> dict:
    plus_minus = st.sampled_from(["positive", "negative"])
    carrier = draw(st.booleans())
    line = {
        "patient_id": f"P{number:03}",
        "group": draw(st.sampled_from(names)),
        "sex": draw(st.sampled_from(["male", "female"])),
        "age_years": draw(st.integers(0, 180)) / 10,
        "bcr_abl1": carrier,
        "intolerance_reason": draw(st.sampled_from([None, "infection", "other"])),
        "months_from_diagnosis": draw(st.integers(0, 600)) / 10,
        "infusion_days": draw(st.integers(1, 42)),
        "stop_reason": draw(st.sampled_from(["completed", "severe_reaction", "economic"])),
        "extra_cycles": draw(st.integers(0, 3)),
        "fc_before": draw(plus_minus),
        "fc_after": draw(plus_minus),
        "pcr_before": draw(plus_minus) if carrier else "not_applicable",
        "pcr_after": draw(plus_minus) if carrier else "not_applicable",
        "fever": draw(st.booleans()),
        "crs": draw(st.integers(0, 4)),
        "icans": draw(st.integers(0, 4)),
    }
    detected = "positive" in (line["fc_before"], line["pcr_before"])
    line["mrd"] = draw(st.integers(1, 10000)) / 100 if detected else None
    line["icans_day"] = draw(st.integers(1, 42)) if line["icans"] else None
    return line
