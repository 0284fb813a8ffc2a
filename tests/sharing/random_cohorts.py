"""Random cohorts for sharing: any number of groups of any size, skewed, with results not done and grades unknown."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random

# Test folders are no packages (import mode importlib), so the shared tables are loaded by path.
if "tables" not in sys.modules:
    _spec = spec_from_file_location("tables", Path(__file__).parents[1] / "analysis" / "tables.py")
    sys.modules["tables"] = module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["tables"])
tables = sys.modules["tables"]

from blina.analysis.study import Study  # noqa: E402
from blina.linelist.cohort import Cohort, Group  # noqa: E402

MISSING = ("sex", "stop_reason", "infusion_days", "fever_cycle1", "crs_grade", "icans_grade", "icans_day")
PURPOSES = ("clearance", "bridging", "reinduction", None)


def random_cohort(seed: int, most_patients: int = 200, most_groups: int = 6, rt_pcr_after: bool = True) -> Study:
    """A cohort of 1 to `most_groups` groups and 3 to `most_patients` patients, the same for the same seed.

    rt_pcr_after: whether RT-PCR was done after treatment in any patient.
    """
    draw = Random(seed)
    groups = tuple(Group(name=f"G{place}", label="", purpose=draw.choice(PURPOSES))
                   for place in range(1, draw.randint(1, most_groups) + 1))  # fmt: skip
    cohort = Cohort(name="random", folder=Path("random"), title="made-up patients", groups=groups,
                    missing_allowed=frozenset(MISSING))  # fmt: skip
    number = round(3 * (most_patients / 3) ** draw.random())  # as many cohorts of 5 patients as of 50
    crowd = [draw.random() ** 3 for _ in groups]
    often = {name: draw.random() ** 2 for name in ("carrier", "positive", "after", "fever", "event", "stop", "odd")}
    lines = [_patient(draw, place, draw.choices(groups, crowd)[0].name, often)
             for place in range(1, number + 1)]  # fmt: skip
    for line in lines:
        _lose(draw, line, often["odd"] / 4)
        if not rt_pcr_after and line["bcr_abl1"]:
            line["pcr_after"] = "not_done"
    return tables.make(lines, cohort)


def _lose(draw: Random, line: dict, chance: float) -> None:
    """Leave some cells of a patient blank; ICANS of unknown grade may have its day, and then has occurred."""
    if line["icans"]:
        line["icans_day"] = draw.choice((1, 2, 5, None))
    for name in ("sex", "stop_reason", "infusion_days", "fever", "crs", "icans"):
        if draw.random() < chance:
            line[name] = None


def _patient(draw: Random, number: int, group: str, often: dict[str, float]) -> dict:
    def result(chance: float) -> str:
        if draw.random() < often["odd"] / 5:
            return "not_done"
        return "positive" if draw.random() < chance else "negative"

    def grade() -> int:
        return draw.choice((1, 1, 1, 2, 3, 4)) if draw.random() < often["event"] else 0

    carrier = draw.random() < often["carrier"]
    line = {
        "patient_id": f"P{number:03}", "group": group, "sex": draw.choice(("male", "female")), "age_years": 8.0,
        "bcr_abl1": carrier, "intolerance_reason": None, "months_from_diagnosis": 4.0,
        "infusion_days": draw.choice((3, 7, 14, 28, 28, 28)), "extra_cycles": 0,
        "stop_reason": draw.choice(("severe_reaction", "economic")) if draw.random() < often["stop"] else "completed",
        "fc_before": result(1 - often["positive"]), "fc_after": result(often["after"]),
        "pcr_before": result(1 - often["positive"]) if carrier else "not_applicable",
        "pcr_after": result(often["after"]) if carrier else "not_applicable",
        "fever": draw.random() < often["fever"], "crs": grade(), "icans": grade(), "icans_day": None,
    }  # fmt: skip
    detected = "positive" in (line["fc_before"], line["pcr_before"])
    return line | {"mrd": round(10 ** draw.uniform(-4, 2), 4) if detected else None}
