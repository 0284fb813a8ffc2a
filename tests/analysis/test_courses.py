"""Courses of treatment, patient by patient and added up: hand counts, and recounts on random cohorts."""

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from tables import cohorts

from blina.analysis.safety import (
    COURSE_COLUMNS,
    COURSE_COUNT_COLUMNS,
    INFUSION_COLUMNS,
    REASONS,
    course_counts,
    courses,
    infusions,
    stops,
)

few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.fixture(scope="module")
def counts(report):
    return course_counts(report.patients, report.events, report.cohort).set_index(["group", "feature"])


def test_a_course_is_one_row_with_what_happened_in_cycle_1(report):
    table = courses(report.patients, report.events, report.cohort)
    assert [*table.columns] == [*COURSE_COLUMNS, "fever", "CRS", "ICANS"]
    assert len(table) == 28 and table["patient_id"].is_unique
    stopped = table[table["stop_reason"] == "severe_reaction"].set_index("patient_id")
    assert [*stopped.index] == ["P07", "P08"]
    assert [*stopped["stopped_by"]] == ["ICANS", "severe reaction, not named"]
    assert (stopped.loc["P07", "ICANS"], stopped.loc["P07", "icans_day"]) == ("4", 2)
    assert stopped.loc["P08", "ICANS"] == "" and pd.isna(stopped.loc["P08", "icans_day"])
    assert [*table.loc[table["CRS"] != "", "patient_id"]] == ["P22", "P28"]
    assert set(table["fever"]) == {"yes", ""}


def test_an_event_of_another_cycle_is_not_in_the_course_of_cycle_1(report):
    later = report.events.assign(cycle=2)
    table = courses(report.patients, later, report.cohort)
    assert set(table[["fever", "CRS", "ICANS"]].to_numpy().ravel()) == {""}
    assert table["icans_day"].isna().all() and set(table["stopped_by"]) == {""}


@pytest.mark.parametrize(("group", "feature", "text"), [
    ("MC", "completed", "15/18 (83.3%, 58.6 to 96.4)"),
    ("MC", "severe_reaction", "2/18 (11.1%, 1.4 to 34.7)"),
    ("MC", "economic", "1/18 (5.6%, 0.1 to 27.3)"),
    ("MC", "fever", "9/18 (50.0%, 26.0 to 74.0)"),
    ("MC", "further cycles", "5/18 (27.8%, 9.7 to 53.5)"),
    ("IC", "CRS", "0/3 (0%, 0 to 70.8)"),
    ("RR", "CRS", "2/7 (28.6%, 3.7 to 71.0)"),
])  # fmt: skip
def test_what_the_courses_of_a_group_add_up_to(counts, group, feature, text):
    assert counts.loc[(group, feature), "text"] == text


def test_grade_and_day_are_given_where_all_have_the_same(report, counts):
    assert (counts.loc[("MC", "ICANS"), "grade"], counts.loc[("MC", "ICANS"), "onset_day"]) == (4, 2)
    assert counts.loc[("RR", "CRS"), "grade"] == 2 and pd.isna(counts.loc[("RR", "CRS"), "onset_day"])
    assert pd.isna(counts.loc[("IC", "CRS"), "grade"]) and pd.isna(counts.loc[("MC", "fever"), "grade"])
    events = report.events.copy()
    events.loc[events["patient_id"].eq("P22") & events["event"].eq("CRS"), "grade"] = 1
    other = course_counts(report.patients, events, report.cohort).set_index(["group", "feature"])
    assert pd.isna(other.loc[("RR", "CRS"), "grade"])


def test_infusions_are_counted_by_days_and_end(report):
    table = infusions(report.patients, report.cohort)
    assert [*table.columns] == [*INFUSION_COLUMNS]
    mine = table[table["group"] == "MC"]
    assert [*zip(mine["infusion_days"], mine["stop_reason"], mine["k"], strict=True)] == [
        (28, "completed", 10), (27, "completed", 1), (24, "completed", 1), (21, "completed", 1), (14, "completed", 2),
        (7, "economic", 1), (2, "severe_reaction", 1), (1, "severe_reaction", 1)]  # fmt: skip


@few
@given(cohorts())
def test_courses_and_what_they_add_up_to_are_the_same_patients(study):
    table = courses(study.patients, study.events, study.cohort)
    counted = course_counts(study.patients, study.events, study.cohort)
    assert [*counted.columns] == [*COURSE_COUNT_COLUMNS]
    assert sorted(table["patient_id"]) == sorted(study.patients["patient_id"])
    for name, members in table.groupby("group"):
        assert members["infusion_days"].is_monotonic_decreasing
        k = counted[counted["group"] == name].set_index("feature")["k"]
        for event in ("fever", "CRS", "ICANS"):
            found = study.events[study.events["event"] == event]["patient_id"]
            assert k[event] == members["patient_id"].isin(found).sum() == (members[event] != "").sum()
        assert k["further cycles"] == (members["extra_cycles"] > 0).sum()
    ends = counted[counted["feature"].isin(REASONS)]
    other = stops(study.patients, study.cohort).query("group != 'All patients'")
    assert [*ends["k"]] == [*other["k"]]
    assert infusions(study.patients, study.cohort)["k"].sum() == len(table)
