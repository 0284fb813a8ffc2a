"""Response and worst grades of whole line lists, counted once more row by row from what the words mean.

Nothing here shares code with the analysis: rows are dictionaries of words as a line list has them, "" where nothing is
recorded, and every count is a loop over them.
"""

from math import isnan
from pathlib import Path
from random import Random

import numpy as np
import pytest

from blina.analysis.response import rates
from blina.analysis.safety import worst_grades
from blina.linelist.cohort import Cohort, Group
from blina.linelist.columns import COLUMNS
from blina.linelist.parse import parse_cell
from blina.linelist.table import Table
from blina.linelist.tidy import tidy

WARDS = 60
MISSING = frozenset(column.name for column in COLUMNS if column.name not in ("patient_id", "group"))
PURPOSES = ("clearance", "reinduction", "bridging", None)


def a_row(random, groups):
    """A patient as reading a sheet gives one: anything but the group may be blank, RT-PCR only if it may apply."""

    def drawn(*words):
        return random.choice(words) if random.random() > blanks else ""

    blanks = random.choice([0, 0.1, 0.4])
    fusion = drawn("yes", "no")
    follow = {"yes": ["positive", "negative", "not_done"], "no": ["not_applicable"]}
    pcr = follow.get(fusion, ["positive", "negative", "not_done", "not_applicable"])
    icans = drawn("0", "0", "1", "2", "3", "4")
    return {
        "group": random.choice(groups), "sex": drawn("male", "female"), "age_years": drawn("0.0", "7.5"),
        "bcr_abl1": fusion, "intolerance_reason": "", "months_from_diagnosis": drawn("0.5", "30"),
        "infusion_days": drawn("1", "7", "8", "28"), "extra_cycles": drawn("0", "2"),
        "stop_reason": drawn("completed", "completed", "severe_reaction", "economic", "other"),
        "mrd_before_percent": drawn("0.145", "8"), "mrd_after_percent": drawn("0.012", ""),
        "fc_before": drawn("positive", "negative", "not_done"), "fc_after": drawn("positive", "negative", "not_done"),
        "pcr_before": pcr[0] if fusion == "no" else drawn(*pcr),
        "pcr_after": pcr[0] if fusion == "no" else drawn(*pcr), "fever_cycle1": drawn("yes", "no"),
        "crs_grade": drawn("0", "0", "1", "2", "3", "5"), "icans_grade": icans,
        "icans_day": drawn("1", "20") if icans != "0" else "",
    }  # fmt: skip


def a_ward(number):
    """Rows of 1 to 20 patients in 1 to 4 groups, one of which may be empty, and the groups' purposes."""
    random = Random(number)
    purposes = {f"group {place}": random.choice(PURPOSES) for place in range(random.randint(1, 4))}
    return [a_row(random, [*purposes]) for _ in range(random.randint(1, 20))], purposes


def tables_of(rows, purposes):
    """The rows as tidy tables, as reading a sheet would make them."""
    groups = tuple(Group(name=name, label=name, purpose=purpose) for name, purpose in purposes.items())
    cohort = Cohort(name="ward", folder=Path("ward"), title="invented", groups=groups, groups_stated=True,
                    missing_allowed=MISSING)  # fmt: skip
    columns = {column.name: column for column in cohort.declared if column.name != "patient_id"}
    read = {name: [parse_cell(column, row[name]) for row in rows] for name, column in columns.items()}
    assert all(advice is None for cells in read.values() for _, advice in cells)
    codes = {name: np.array([code or 0 for code, _ in cells], dtype=np.int64) for name, cells in read.items()}
    blank = {name: np.array([code is None for code, _ in cells]) for name, cells in read.items()}
    return tidy(Table(columns, codes, blank, tuple(f"P{place:02}" for place in range(len(rows)))), cohort)


def is_followed(row):
    """Whether RT-PCR is known to follow a patient: by a fusion gene, or by a result at any time."""
    seen = {row["pcr_before"], row["pcr_after"]} & {"positive", "negative"}
    return row["pcr_after"] != "not_applicable" and (row["bcr_abl1"] == "yes" or bool(seen))


def lacks_pcr(members):
    """Whether nobody has a result by RT-PCR after, though it may follow somebody."""
    found = [row["pcr_after"] for row in members]
    return any(one != "not_applicable" for one in found) and not {"positive", "negative"} & {*found}


def after(row, rule):
    """Whether a patient is "negative", "positive" or "not assessed" after by a rule; None if it is not asked."""
    fc, pcr = row["fc_after"], row["pcr_after"]
    if rule == "pcr" and not is_followed(row):
        return None
    results = {"fc": [fc], "pcr": [pcr], "fc_and_pcr": [fc] if pcr == "not_applicable" else [fc, pcr]}[rule]
    if not {*results} <= {"positive", "negative"}:
        return "not assessed"
    return "positive" if "positive" in results else "negative"


def found_before(row, rule="fc_and_pcr"):
    """Whether MRD was found before treatment by an assay of the rule."""
    results = {"fc": row["fc_before"], "pcr": row["pcr_before"]}
    return any(results[assay] == "positive" for assay in rule.split("_and_"))


def was_negative(row):
    """Whether every assay that applies was negative before, and some was."""
    asked = [found for found in (row["fc_before"], row["pcr_before"]) if found != "not_applicable"]
    return set(asked) == {"negative"}


def belongs(row, evaluable_set, rule):
    """Whether a patient is known to be in an evaluable set."""
    if evaluable_set == "assessed":
        return after(row, rule) != "not assessed"
    if evaluable_set == "positive_before":
        return found_before(row, rule)
    if evaluable_set == "more_than_7_days":
        return row["infusion_days"] != "" and int(row["infusion_days"]) > 7
    if evaluable_set == "without_severe_stops":
        return row["stop_reason"] not in ("", "severe_reaction")
    return True


def told_together(rows, purposes):
    """Whose response is stated together: (name, measure, rows)."""
    for name, purpose in purposes.items():
        mine = [row for row in rows if row["group"] == name]
        if purpose == "bridging":
            with_mrd = [row for row in mine if found_before(row)]
            without = [row for row in mine if was_negative(row)]
            others = [row for row in mine if not found_before(row) and not was_negative(row)]
            yield name, "stayed negative", without
            if with_mrd:
                yield name, "negative after", with_mrd
            if others:
                yield name, "negative after, not assessed before", others
        else:
            yield name, "negative after", mine
    clearing = [name for name, purpose in purposes.items() if purpose in ("clearance", "reinduction")]
    if len(clearing) > 1 and len({purposes[name] for name in clearing}) == 1:
        yield " + ".join(clearing), "negative after", [row for row in rows if row["group"] in clearing]


def counted_rates(rows, purposes):
    """(k, n, not assessed) by name, measure, rule and evaluable set."""
    rules = ("fc", "pcr", "fc_and_pcr")
    sets = ["all_treated", "positive_before", "more_than_7_days", "severe_stops_failed", "without_severe_stops"]
    if any(after(row, rule) == "not assessed" for row in rows for rule in rules):
        sets.append("assessed")
    found = {}
    for name, measure, members in told_together(rows, purposes):
        for rule in rules:
            for evaluable_set in sets:
                k = n = missing = 0
                for row in [] if rule != "fc" and lacks_pcr(members) else members:
                    outcome = after(row, rule)
                    if outcome is None or not belongs(row, evaluable_set, rule):
                        continue
                    fails = evaluable_set == "severe_stops_failed" and row["stop_reason"] == "severe_reaction"
                    n += 1
                    k += outcome == "negative" and not fails
                    missing += outcome == "not assessed"
                found[name, measure, rule, evaluable_set] = (k, n, missing)
    return found


def happened(row, event):
    """The grade of an event as a number, "no grade", "none", or "unknown" where nobody recorded whether it occurred."""
    if event == "fever":
        return {"yes": "no grade", "no": "none", "": "unknown"}[row["fever_cycle1"]]
    if event == "severe reaction, not named":
        described = any(row[column] in ("3", "4", "5") for column in ("crs_grade", "icans_grade"))
        return "no grade" if row["stop_reason"] == "severe_reaction" and not described else "none"
    grade = row[f"{event.lower()}_grade"]
    if grade == "":
        return "no grade" if event == "ICANS" and row["icans_day"] else "unknown"
    return "none" if grade == "0" else int(grade)


def counted_worst(rows, purposes):
    """(at least, at most, n) by group, event and severity."""
    found = {}
    events = ["fever", "CRS", "ICANS"]
    if any(happened(row, "severe reaction, not named") == "no grade" for row in rows):
        events.append("severe reaction, not named")
    for event in events:
        some_unknown = any(happened(row, event) == "unknown" for row in rows)
        for name in (*purposes, "All patients"):
            grades = [happened(row, event) for row in rows if name in (row["group"], "All patients")]
            n, unknown, ungraded = len(grades), grades.count("unknown"), grades.count("no grade")
            some, severe = (sum(isinstance(grade, int) and grade >= least for grade in grades) for least in (1, 3))
            any_grade = (some + ungraded, some + ungraded + unknown, n)
            if event == "fever":
                found[name, event, "counted apart from CRS"] = any_grade
            else:
                found[name, event, "any grade"] = any_grade
                found[name, event, "grade 3 or more"] = (severe, severe + ungraded + unknown, n)
                found[name, event, "grade not reported"] = (ungraded, ungraded, n)
            if some_unknown:
                found[name, event, "occurrence not recorded"] = (unknown, unknown, n)
    return found


@pytest.fixture(scope="module")
def wards():
    """Line lists with what was not done, not recorded and not graded, each with its tidy tables."""
    made = [a_ward(number) for number in range(WARDS)]
    return [(rows, purposes, tables_of(rows, purposes)) for rows, purposes in made]


def test_every_rate_is_what_a_count_of_rows_gives(wards, record_property):
    compared = 0
    for rows, purposes, study in wards:
        table = rates(study.patients, study.mrd, study.cohort)
        keys = table[["group", "measure", "rule", "evaluable_set"]].itertuples(index=False, name=None)
        found = dict(zip(keys, table[["k", "n", "not_assessed"]].itertuples(index=False, name=None), strict=True))
        assert len(found) == len(table)
        assert found == counted_rates(rows, purposes)
        compared += len(found)
    record_property("total rates counted once more", compared)


def test_every_worst_grade_is_what_a_count_of_rows_gives_and_a_span_where_something_is_unknown(wards, record_property):
    compared = 0
    for rows, purposes, study in wards:
        table = worst_grades(study.patients, study.events, study.cohort).to_dict("records")
        found = {(row["group"], row["event"], row["severity"]): row for row in table}
        expected = counted_worst(rows, purposes)
        assert {*found} == {*expected} and len(table) == len(expected)
        for key, (least, most, n) in expected.items():
            row = found[key]
            assert (row["k"], row["n"]) == (least, n)
            if key[2] == "occurrence not recorded":
                assert row["text"] == f"{least} of {n}" and isnan(row["percent"])
            elif least == most:
                assert row["text"].startswith(f"{least}/{n}")
                assert n == 0 or row["percent"] == pytest.approx(100 * least / n)
            else:
                assert row["text"].startswith(f"{least} to {most} of {n}, ")
                assert all(isnan(row[name]) for name in ("percent", "lower", "upper"))
        compared += len(expected)
    record_property("total worst grades counted once more", compared)
