"""Courses of treatment, patient by patient and added up: hand counts, and recounts on random cohorts."""

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from tables import changed, cohorts

from blina.analysis.safety import COURSE_COLUMNS, COURSE_COUNT_COLUMNS, courses
from blina.measures.declare import REASONS
from blina.measures.views import INFUSION_COLUMNS

few = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def counts(report):
    return report.course_counts().set_index(["group", "feature"])


def test_a_course_is_one_row_with_what_happened_in_cycle_1(report):
    table = report.courses()
    assert [*table.columns] == [*COURSE_COLUMNS, "fever", "CRS", "ICANS"]
    assert len(table) == 28
    assert table["patient_id"].is_unique
    stopped = table[table["stop_reason"] == "severe_reaction"].set_index("patient_id")
    assert [*stopped.index] == ["P07", "P08"]
    assert [*stopped["stopped_by"]] == ["ICANS", "severe reaction, not named"]
    assert (stopped.loc["P07", "ICANS"], stopped.loc["P07", "icans_day"]) == ("4", 2)
    assert stopped.loc["P08", "ICANS"] == ""
    assert pd.isna(stopped.loc["P08", "icans_day"])
    assert [*table.loc[table["CRS"] != "", "patient_id"]] == ["P22", "P28"]
    assert set(table["fever"]) == {"yes", ""}


def test_an_event_of_another_cycle_is_not_in_the_course_of_cycle_1(report):
    later = report.events.assign(cycle=2)
    table = courses(report.patients, later, report.cohort)
    assert set(table[["fever", "CRS", "ICANS"]].to_numpy().ravel()) == {""}
    assert table["icans_day"].isna().all()
    assert set(table["stopped_by"]) == {""}


def records(report, *grades):
    """The report's events, and CRS of P23 with these grades."""
    one = report.events.query("event == 'CRS'").iloc[[0]].assign(patient_id="P23")
    more = pd.concat([one] * len(grades)).assign(grade=pd.array([*grades], dtype="Int64"))
    return pd.concat([report.events, more.assign(led_to_stop=False)], ignore_index=True)


@pytest.mark.parametrize(
    ("grades", "worst"),
    [((1, 3, 2), "3"), ((1, None), "yes"), ((4, None), "4")],
    ids=["the worst counts", "another may be worse", "severe is severe"],
)
def test_of_several_records_a_course_has_the_worst_grade_as_far_as_it_is_known(report, grades, worst):
    table = courses(report.patients, records(report, *grades), report.cohort)
    assert table.set_index("patient_id").loc["P23", "CRS"] == worst


def test_what_is_not_recorded_is_marked_in_a_course(report):
    unknown = changed(report, {("P23", "crs_grade"): "", ("P01", "fever_cycle1"): ""})
    table = unknown.courses().set_index("patient_id")
    assert (table.loc["P23", "CRS"], table.loc["P01", "fever"]) == ("?", "?")
    assert table.loc["P24", "CRS"] == ""


@pytest.mark.parametrize(
    ("group", "feature", "text"),
    [
        ("MC", "completed", "15/18 (83.3%)"),
        ("MC", "severe_reaction", "2/18 (11.1%)"),
        ("MC", "economic", "1/18 (5.6%)"),
        ("MC", "fever", "9/18 (50.0%, 26.0 to 74.0)"),
        ("MC", "further cycles", "5/18 (27.8%, 9.7 to 53.5)"),
        ("IC", "CRS", "0/3 (0%, 0 to 70.8)"),
        ("RR", "CRS", "2/7 (28.6%, 3.7 to 71.0)"),
    ],
)
def test_what_the_courses_of_a_group_add_up_to(counts, group, feature, text):
    assert counts.loc[(group, feature), "text"] == text


def test_grade_and_day_are_given_where_all_have_the_same(report, counts):
    icans = counts.loc[("MC", "ICANS")]
    assert (icans["grade"], icans["onset_day"]) == (4, 2)
    assert counts.loc[("RR", "CRS"), "grade"] == 2
    assert pd.isna(counts.loc[("RR", "CRS"), "onset_day"])
    assert pd.isna(counts.loc[("IC", "CRS"), "grade"])
    assert pd.isna(counts.loc[("MC", "fever"), "grade"])
    other = changed(report, {("P22", "crs_grade"): "1"}).course_counts()
    assert pd.isna(other.set_index(["group", "feature"]).loc[("RR", "CRS"), "grade"])


def test_infusions_are_those_days_and_ends_that_occur(report):
    table = report.infusions()
    assert [*table.columns] == [*INFUSION_COLUMNS]
    mine = table[table["group"] == "MC"]
    found = {*zip(mine["infusion_days"], mine["stop_reason"], strict=True)}
    assert len(found) == len(mine)
    assert found == {
        (28, "completed"),
        (27, "completed"),
        (24, "completed"),
        (21, "completed"),
        (14, "completed"),
        (7, "economic"),
        (2, "severe_reaction"),
        (1, "severe_reaction"),
    }


def test_infusions_are_counted_by_days_and_end(report):
    counts = {}
    for result in report.results.of("infusions"):
        if result.measure.group == "MC":
            counts[int(result.measure.level), result.measure.name] = result.here.k
    assert counts[28, "completed"] == 10
    assert counts[14, "completed"] == 2
    assert sum(counts.values()) == 18


@few
@given(cohorts())
def test_courses_and_what_they_add_up_to_are_the_same_patients(study):
    table = study.courses()
    counted = study.course_counts()
    assert [*counted.columns] == [*COURSE_COUNT_COLUMNS]
    assert sorted(table["patient_id"]) == sorted(study.patients["patient_id"])
    for name, members in table.groupby("group"):
        assert members["infusion_days"].is_monotonic_decreasing
        k = counted[counted["group"] == name].set_index("feature")["k"]
        for event in ("fever", "CRS", "ICANS"):
            with_event = study.events[study.events["event"] == event]["patient_id"]
            assert k[event] == members["patient_id"].isin(with_event).sum()
            assert k[event] == (members[event] != "").sum()
        assert k["further cycles"] == (members["extra_cycles"] > 0).sum()
    ends = counted[counted["feature"].isin(REASONS)]
    stops = study.stops().table.query("group != 'All patients'")
    assert [*ends["k"]] == [*stops["k"]]
    infusions = study.results.of("infusions")
    assert sum(result.here.k for result in infusions) == len(table)
