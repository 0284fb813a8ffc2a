"""Cohorts to test on: 28 made-up patients who fit the printed numbers, and random ones of any shape."""

from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pandas as pd
from hypothesis import strategies as st

from blina.linelist.cohort import Cohort, Group


@dataclass(frozen=True)
class Tables:
    cohort: Cohort
    patients: pd.DataFrame
    mrd: pd.DataFrame
    events: pd.DataFrame


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


def make(lines: list[dict], cohort: Cohort) -> Tables:
    """Tidy tables from one dictionary per patient, named as `NAMES`."""
    patients, mrd, events = [], [], []
    for line in lines:
        patients.append({name: line[name] for name in NAMES[:10]})
        for time in ("before", "after"):
            holder = "FC" if line["fc_before"] == "positive" else "RT-PCR"
            for assay, prefix in (("FC", "fc"), ("RT-PCR", "pcr")):
                value = line["mrd"] if time == "before" and assay == holder else None
                mrd.append({"patient_id": line["patient_id"], "time": time, "assay": assay, "value_percent": value,
                            "unit": "%", "limit_of_detection_percent": cohort.limit_of_detection_percent,
                            "status": line[f"{prefix}_{time}"]})  # fmt: skip
        happened = [("fever", None, None)] * line["fever"]
        happened += [("CRS", line["crs"], None)] * (line["crs"] > 0)
        happened += [("ICANS", line["icans"], line["icans_day"])] * (line["icans"] > 0)
        named = bool(happened) and any((grade or 0) >= 3 for _, grade, _ in happened)
        stopped = line["stop_reason"] == "severe_reaction"
        happened += [("severe reaction, not named", None, None)] * (stopped and not named)
        for event, grade, day in happened:
            led = stopped and ((grade or 0) >= 3 or event.startswith("severe"))
            events.append({"patient_id": line["patient_id"], "cycle": 1, "event": event, "grade": grade,
                           "scale": SCALE if grade else None, "onset_day": day, "led_to_stop": led})  # fmt: skip
    columns = ("patient_id", "cycle", "event", "grade", "scale", "onset_day", "led_to_stop")
    return Tables(
        cohort,
        pd.DataFrame(patients).astype({"intolerance_reason": "str"}),
        pd.DataFrame(mrd).astype({"value_percent": "float64", "limit_of_detection_percent": "float64"}),
        pd.DataFrame(events, columns=columns).astype(
            {"patient_id": "str", "event": "str", "scale": "str", "cycle": "int64", "grade": "Int64",
             "onset_day": "Int64", "led_to_stop": "bool"}),
    )  # fmt: skip


def report() -> Tables:
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
def cohorts(draw, most_groups: int = 4, most_patients: int = 25) -> Tables:
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
