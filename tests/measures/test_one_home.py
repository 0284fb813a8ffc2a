"""One home for each number: a ward's report, claims file and shared counts say the same.

Random wards, the same for the same seed. Run as a script for more of them, and the number of
differences: `.venv/bin/python tests/measures/test_one_home.py 1000`.
"""

import importlib.util
import json
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

# Test folders are no packages (import mode importlib), so the shared tables are loaded by path.
if "tables" not in sys.modules:
    _path = Path(__file__).parents[1] / "analysis" / "tables.py"
    _spec = importlib.util.spec_from_file_location("tables", _path)
    sys.modules["tables"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["tables"])
tables = sys.modules["tables"]

from blina.analysis.study import Study  # noqa: E402
from blina.claims.check import check  # noqa: E402
from blina.claims.document import compile_document  # noqa: E402
from blina.claims.printed import round_exact  # noqa: E402
from blina.linelist.cohort import Cohort, Group  # noqa: E402
from blina.linelist.columns import COLUMNS, GENES  # noqa: E402
from blina.measures.author import TOPICS, claims_of  # noqa: E402
from blina.measures.language import NOBODY, both  # noqa: E402
from blina.sharing.counts import TOTAL, shared  # noqa: E402
from blina.yamlfile import parse_yaml  # noqa: E402

WARDS = 40
NAMES = ("MC", "IC", "RR", "yes", "7", "首次缓解: 组一", "C/D & <e>|*\\", "C-D", " - -")
PURPOSES = ("clearance", "bridging", "reinduction", None)
RULES = ("fc", "pcr", "fc_and_pcr", None)
NEVER_MISSING = ("patient_id", "group")
STOPS = ("completed", "completed", "severe_reaction", "economic", "other")
RESULTS = ("positive", "negative", "negative", "not_done")


# Random wards


def random_ward(seed: int) -> Study:
    """A ward of any groups and purposes, with every kind of missing data."""
    draw = Random(seed)
    names = draw.sample(NAMES, draw.randint(1, 4))
    groups = []
    for name in names:
        group = Group(name=name, label=name, purpose=draw.choice(PURPOSES), reported_rule=draw.choice(RULES))
        groups.append(group)
    columns = [column.name for column in COLUMNS if column.name not in NEVER_MISSING]
    missing = {name for name in columns if draw.random() < 0.6}
    cohort = Cohort(
        name="ward",
        folder=Path("ward"),
        title="made-up patients",
        groups=tuple(groups),
        groups_stated=True,
        missing_allowed=frozenset(missing),
    )
    ward = {
        "missing": missing,
        "blank": draw.choice((0, 0.05, 0.3)),
        "genes": draw.random() < 0.5,
        "no_rt_pcr": draw.random() < 0.2,
        "no_stops": draw.random() < 0.2 and "stop_reason" in missing,
        "no_result": draw.choice((0, 0.1, 0.5)),
    }
    lines = []
    for number in range(draw.choice((1, 2, 3, 8, 20, 40))):
        lines.append(random_patient(draw, number, draw.choice(groups), ward))
    table = tables.table_of(lines, cohort)
    return Study(table, cohort.of_table(table))


def random_patient(draw: Random, number: int, group: Group, ward: dict) -> dict:
    """A patient who keeps the constraints of a line list; few distinct values make ties."""
    line = {
        "patient_id": f"P{number:03}",
        "group": group.name,
        "sex": draw.choice(("male", "female")),
        "age_years": draw.choice((0, 1.5, 7.25 - 0.05, 11.0, 11.0, 16.4)),
        "months_from_diagnosis": draw.choice((0.7, 3.7, 3.7, 62.1)),
        "infusion_days": draw.choice((1, 7, 8, 28, 28)),
        "stop_reason": draw.choice(STOPS),
        "extra_cycles": draw.choice((0, 0, 1, 3)),
        "intolerance_reason": None,
        "fever_cycle1": draw.choice(("yes", "no")),
        "crs_grade": draw.choice((0, 0, 1, 2, 3, 5)),
        "icans_grade": draw.choice((0, 0, 0, 1, 4)),
        "icans_day": None,
    }
    if group.purpose == "bridging":
        line["intolerance_reason"] = draw.choice(("pancreatitis", "infection", "other"))
    if ward["no_stops"]:
        line["stop_reason"] = None
    for name in line:
        if name in ward["missing"] and draw.random() < ward["blank"]:
            line[name] = None
    add_gene(draw, line, ward)
    add_results(draw, line, ward)
    if line["icans_grade"] or line["icans_grade"] is None and draw.random() < 0.5:
        line["icans_day"] = draw.choice((1, 2, 9))
        if "icans_day" in ward["missing"] and draw.random() < ward["blank"]:
            line["icans_day"] = None
    return line


def add_gene(draw: Random, line: dict, ward: dict) -> None:
    line["bcr_abl1"] = draw.choice(("yes", "no", "no"))
    if ward["genes"]:
        line["fusion_gene"] = "BCR::ABL1"
        if line["bcr_abl1"] == "no":
            line["fusion_gene"] = draw.choice(("none", "none", *GENES[1:]))
        if draw.random() < ward["blank"]:
            line["fusion_gene"] = None
    if "bcr_abl1" in ward["missing"] and draw.random() < ward["blank"]:
        line["bcr_abl1"] = None


def add_results(draw: Random, line: dict, ward: dict) -> None:
    def result(column: str) -> str | None:
        if column in ward["missing"] and draw.random() < ward["blank"]:
            return None
        if draw.random() < ward["no_result"]:
            return "not_done"
        return draw.choice(RESULTS)

    for time in ("before", "after"):
        line[f"fc_{time}"] = result(f"fc_{time}")
        column = f"pcr_{time}"
        line[column] = result(column)
        if line["bcr_abl1"] is None:
            line[column] = draw.choice((line[column], "not_applicable"))
        elif line["bcr_abl1"] == "no":
            line[column] = "not_applicable"
        elif ward["no_rt_pcr"]:
            line[column] = "not_done"
    line["mrd_before_percent"] = None
    if "positive" in (line["fc_before"], line["pcr_before"]):
        line["mrd_before_percent"] = draw.choice((0.01, 0.01, 0.0005, 0.145, 4, 10, 78.3))
        if "mrd_before_percent" in ward["missing"] and draw.random() < ward["blank"]:
            line["mrd_before_percent"] = None


# What differs


def differences(study: Study) -> tuple[list[str], int]:
    """Where claims or shared counts differ from the results, and how many were compared."""
    text = claims_of(study.table, study.cohort, study.results)
    typed = parse_yaml(text, "claims.yaml")
    found, compared = claims_that_differ(study, typed.content["claims"])
    document = compile_document(typed)
    checked = check(document, study.table)
    found += [f"{verdict.id} does not hold" for verdict in checked.verdicts if not verdict.holds]
    sent, counts = counts_that_differ(study)
    return found + sent, compared + len(document.claims) + counts


def claims_that_differ(study: Study, claims: list[dict]) -> tuple[list[str], int]:
    """Results that the file says otherwise, or of which it does not speak."""
    printed = {}
    for claim in claims:
        printed[question(claim["statistic"], claim.get("rows"), claim.get("of"))] = claim["equals"]
    found, compared = [], 0
    for result in study.results:
        for asked, expected in expected_claims(result):
            compared += 1
            equals = printed.get(asked)
            if equals is None and result.measure.topic not in TOPICS:
                continue  # it repeats others
            if not same(equals, expected):
                found.append(f"{result.measure.key}: {equals} for {expected}")
    return found, compared


def question(statistic: str, rows: dict | None, of: object) -> tuple[str, str, str]:
    return statistic, json.dumps(rows or {}, sort_keys=True), json.dumps(of, sort_keys=True)


def expected_claims(result):
    """The questions of a result in the claims language, each with its value."""
    measure, here = result.measure, result.here
    if measure.statistic in ("sum", "p", "smallest p") or not here.stated or not here.n:
        return
    if measure.statistic in ("count", "percent"):
        if measure.of is NOBODY:
            return
        yield question("count", both(measure.rows, measure.of), None), str(here.k)
        if measure.statistic == "percent" and here.value is not None:
            percent = round_exact(here.value, 1, "half_up")
            yield question("percent", measure.rows, measure.of), percent
    elif measure.statistic == "median":
        yield question("median", measure.rows, measure.of), here.value
    else:
        place = 0 if measure.statistic == "min" else 1
        yield question("range", measure.rows, measure.of), (place, here.value)


def same(equals: object, expected: object) -> bool:
    """Whether a claim says a number: a text as it stands, an exact value by its value."""
    if equals is None or isinstance(expected, str):
        return equals == expected
    if isinstance(expected, tuple):
        place, value = expected
        return Fraction(equals[place]) == value
    return Fraction(equals) == expected


def counts_that_differ(study: Study) -> tuple[list[str], int]:
    """Shared counts, none withheld, that differ from the audit or from the results."""
    sharing = shared(study)
    found = []
    for count in sharing.counts:
        if not count.stated:
            continue
        profiles = sharing.profiles
        inside = profiles["group"].isin(count.groups)
        for name, levels in count.where.items():
            inside &= profiles[name].isin(levels)
        if inside.sum() != count.number:
            audited = int(inside.sum())
            found.append(f"{count.words}: {audited} in the audit, {count.number} in the results")
    sent = {(count.row, count.name): count.number for count in sharing.counts}
    compared = len(sharing.counts)
    for key, number in shared_results(study):
        compared += 1
        if sent.get(key) != number:
            found.append(f"{key}: {sent.get(key)} for {number}")
    return found, compared


def shared_results(study: Study):
    """The results that are shared: the row of the table in which each stands, and its number."""
    groups = {TOTAL, *(group.name for group in study.cohort.groups)}
    for result in study.results:
        measure, here = result.measure, result.here
        about = ("group", measure.group)
        if measure.group not in groups:
            continue
        if measure.topic == "response":
            if measure.name != "negative after" and measure.evaluable_set == "positive_before":
                continue
            row = (about, ("measure", measure.name), ("rule", measure.rule))
            row += (("evaluable_set", measure.evaluable_set),)
            yield (row, "k"), here.k
            if here.stated:
                yield (row, "n"), here.n
        elif measure.topic == "stops":
            yield listed(about, measure.name, measure.level), here.k
        elif measure.topic == "MRD before":
            yield listed(about, "MRD before", measure.level), here.k
        elif measure.topic == "description" and measure.name == "sex":
            yield listed(about, "sex", measure.level), here.k
        elif measure.topic == "events" and measure.name in ("fever", "CRS", "ICANS"):
            if measure.name == "fever" and measure.level == "grade not reported":
                continue
            severity = measure.level.replace("counted apart from CRS", "any grade")
            yield ((about, ("event", measure.name), ("severity", severity)), "k"), here.k


def listed(about: tuple[str, str], name: str, level: str) -> tuple:
    return (about, ("characteristic", name), ("level", level)), "count"


# Tests


@pytest.mark.parametrize("first", range(0, WARDS, 10))
def test_report_claims_and_shared_counts_say_the_same(first, record_property):
    compared = 0
    for seed in range(first, min(first + 10, WARDS)):
        found, numbers = differences(random_ward(seed))
        assert found == [], f"ward {seed}"
        compared += numbers
    record_property("total numbers of random wards compared", compared)


def test_random_wards_have_what_makes_numbers_differ():
    """Among the wards are all the cases that were thought of."""
    seen, wards = Counter(), range(0, WARDS, 3)
    for seed in wards:
        study = random_ward(seed)
        responses = study.results.of("response")
        seen["no rate with RT-PCR"] += any(not result.here.stated for result in responses)
        seen["not done"] += study.counted.occurs({"fc_after": "not_done"})
        seen["blank"] += any(blank.any() for blank in study.table.blank.values())
        seen["genes"] += "fusion_gene" in study.table.columns
        seen["no stops"] += bool(study.table.blank["stop_reason"].all())
        seen["only a span"] += any(not result.here.is_single for result in study.results)
        seen["one group"] += len(study.cohort.groups) == 1
        seen["bridging"] += any(group.purpose == "bridging" for group in study.cohort.groups)
    assert min(seen.values()) > len(wards) / 30, seen


def main(wards: int) -> int:
    """Compare so many wards: the number of differences, printed with where they are."""
    different = compared = 0
    for seed in range(wards):
        found, numbers = differences(random_ward(seed))
        compared += numbers
        different += len(found)
        for line in found:
            print(f"ward {seed}: {line}", flush=True)
    print(f"{wards} wards, {compared} numbers compared, {different} differences")
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else WARDS))
