"""Safety by patient: the report's numbers, what is not recorded, and totals of random cohorts.

The line list holds one worst grade per patient and event. That several records of a patient make one worst grade is
tested with the patients' courses, which are made of records.
"""

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from tables import changed, cohorts, described

from blina.analysis.safety import fever_note, fever_said, scale_text
from blina.analysis.study import where_grades_lack
from blina.measures.choices import (
    ANY,
    CRS,
    FEVER,
    ICANS,
    NO_GRADE,
    SEVERE,
    UNGRADED,
    UNKNOWN,
    UNNAMED_REACTION,
)
from blina.measures.declare import NOT_RECORDED, TOTAL

few = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def counted(table, *keys):
    return table.set_index([*keys])["text"].str.split(" ").str[0]


def graded(study):
    return study.worst_grades().table.set_index(["group", "event", "severity"])


def everywhere(study, column, word):
    return {(patient, column): word for patient in study.table.ids}


def test_the_report_s_worst_grades(report):
    found = counted(report.worst_grades().table, "group", "event", "severity")
    assert found.sort_index()["MC", FEVER].to_dict() == {NO_GRADE: "9/18"}
    grades = (ANY, SEVERE, UNGRADED)
    assert [found["RR", CRS, severity] for severity in grades] == ["2/7", "0/7", "0/7"]
    assert [found["MC", ICANS, severity] for severity in grades] == ["1/18", "1/18", "0/18"]
    assert found["IC", FEVER, NO_GRADE] == "3/3"


def test_who_may_belong_to_grade_3_or_more_leaves_it_without_a_rate(report):
    table = graded(report)
    row = table.loc[("MC", UNNAMED_REACTION, SEVERE)]
    assert (row["text"], row["k"]) == ("0 to 1 of 18, 1 not graded", 0)
    assert row[["percent", "lower", "upper"]].isna().all()
    assert table.loc[("RR", CRS, SEVERE), "text"] == "0/7 (0%, 0 to 41.0)"


def test_a_grade_that_is_not_reported_is_a_gap_and_bears_no_interval(report):
    # An interval would say that chance decided what was written down.
    assert graded(report).loc[("MC", UNNAMED_REACTION, UNGRADED), "text"] == "1/18 (5.6%)"


def test_grades_not_reported_have_a_line_only_where_some_grade_lacks(report):
    table = report.worst_grades().table
    told = where_grades_lack(table)
    assert {*told.loc[told["severity"] == UNGRADED, "event"]} == {UNNAMED_REACTION}
    # Lines left out: CRS and ICANS, all of whose grades are known, of each group and of all.
    assert len(table) - len(told) == 2 * (len(report.cohort.groups) + 1)
    lacking = where_grades_lack(changed(report, {("P07", "icans_grade"): ""}).worst_grades().table)
    assert {*lacking.loc[lacking["severity"] == UNGRADED, "event"]} == {UNNAMED_REACTION, ICANS}


def test_no_events_is_a_table_of_zeros(report):
    none = {
        **everywhere(report, "fever_cycle1", "no"),
        **everywhere(report, "crs_grade", "0"),
        **everywhere(report, "icans_grade", "0"),
        **everywhere(report, "icans_day", ""),
        **everywhere(report, "stop_reason", "completed"),
    }
    quiet = changed(report, none)
    for table in (quiet.worst_grades().table, quiet.icans().table, quiet.crs().table):
        assert set(table["k"]) == {0}
    assert set(quiet.severe_reactions().table["described_severe"]) == {"0"}


def test_fever_in_cycle_1(report):
    assert [*report.fever().table["k"]] == [9, 3, 4, 16]


def test_fever_alone_as_grade_1_crs(report):
    found = counted(report.crs().table, "group", "reading")
    assert [*found["RR"]] == ["2/7", "5/7"]
    assert [*found["MC"]] == ["0/18", "9/18"]
    assert [*found["IC"]] == ["0/3", "3/3"]


def test_icans_has_its_grade_and_day(report):
    table = report.icans().table.set_index("group")
    assert table.loc["MC", "text"] == "1/18 (5.6%, 0.1 to 27.3); grade 4; began on day 2"
    assert table.loc["RR", "text"] == "0/7 (0%, 0 to 41.0)"


def test_icans_of_two_grades_has_a_line_for_each(report):
    two = changed(report, {("P10", "icans_grade"): "1", ("P10", "icans_day"): "5"})
    rows = two.icans().table.query("group == 'MC'")
    assert [*zip(rows["grade"], rows["onset_days"], rows["k"], strict=True)] == [
        ("1", "5", 1),
        ("4", "2", 1),
    ]


def test_two_stopped_and_one_severe_reaction_is_described(report):
    table = report.severe_reactions().table.set_index("group")
    numbers = table.loc["MC", ["stopped_for_severe", "described_severe", "both", "difference"]]
    assert numbers.to_list() == ["2", "1", "1", "1"]
    assert table.loc["RR", "difference"] == "0"


def test_stops_and_their_reasons(report):
    found = counted(report.stops().table, "group", "stop_reason")
    assert [*found["MC"]] == ["15/18", "2/18", "1/18"]
    assert found[TOTAL, "completed"] == "25/28"


def test_stop_reasons_bear_no_interval(report):
    # How an infusion ends is decided at the bedside, and the reasons share out the same patients.
    table = report.stops().table
    assert not table["text"].str.contains(" to ").any()
    assert table.query("group == 'MC' and stop_reason == 'economic'")["text"].item() == "1/18 (5.6%)"


# What is not recorded


def test_an_event_of_which_nobody_wrote_down_whether_it_occurred_makes_a_span(report):
    blank = {(patient, "crs_grade"): "" for patient in ("P23", "P24")}
    table = graded(changed(report, blank))
    assert table.loc[("RR", CRS, ANY), "text"] == "2 to 4 of 7, 2 not recorded"
    assert table.loc[("RR", CRS, SEVERE), "text"] == "0 to 2 of 7, 2 not recorded"
    assert table.loc[("RR", CRS, UNKNOWN), "text"] == "2 of 7"
    assert table.loc[("IC", CRS, ANY), "text"] == "0/3 (0%, 0 to 70.8)"


def test_icans_that_began_on_a_day_has_occurred_at_whatever_grade(report):
    table = graded(changed(report, {("P07", "icans_grade"): ""}))
    assert table.loc[("MC", ICANS, ANY), "text"] == "1/18 (5.6%, 0.1 to 27.3)"
    assert table.loc[("MC", ICANS, SEVERE), "text"] == "0 to 1 of 18, 1 not recorded"
    assert table.loc[("MC", ICANS, UNGRADED), "text"] == "1/18 (5.6%)"


def test_icans_of_which_little_is_known_keeps_its_grade_and_day(report):
    blank = {}
    for number in range(1, 19):
        patient = f"P{number:02}"
        if patient != "P07":
            blank[patient, "icans_grade"] = ""
    study = changed(report, blank)
    assert graded(study).loc[("MC", ICANS, ANY), "text"] == "1 to 18 of 18, 17 not recorded"
    row = study.icans().table.query("group == 'MC'").iloc[0]
    # Who is recorded with grade 4 is one; the line with everybody of unknown grade is the table of worst grades.
    assert row["text"] == "1/18 (5.6%, 0.1 to 27.3); grade 4; began on day 2"


def test_an_end_that_is_not_recorded_leaves_a_span_over_everybody(report):
    # It used to be a share of those whose end is recorded: 14 of 17.
    study = changed(report, {("P01", "stop_reason"): "", ("P08", "stop_reason"): "other"})
    found = study.stops().table.set_index(["group", "stop_reason"])["text"]
    assert found["MC"].to_dict() == {
        "completed": "14 to 15 of 18, 1 not recorded",
        "severe_reaction": "1 to 2 of 18, 1 not recorded",
        "economic": "1 to 2 of 18, 1 not recorded",
        "other": "1 to 2 of 18, 1 not recorded",
        NOT_RECORDED: "1 of 18",
    }
    assert found["IC", "completed"] == "3/3 (100%)"
    assert found["IC", NOT_RECORDED] == "0 of 3"


def test_fever_whose_occurrence_is_not_recorded_is_told_as_a_span(report):
    blank = {(patient, "crs_grade"): "" for patient in ("P23", "P25")}
    study = changed(report, blank)
    text = fever_said(study.crs().table, study.cohort)
    # Of the two without a grade, P23 had fever, so that only P25 is unknown under the second reading.
    assert "RR 2 to 4 or up to 5 to 6" in text
    assert "MC 0 or up to 9" in text


# Scales


def test_where_no_scale_is_named_only_severe_grades_are_read_on_one(report):
    assert scale_text(report.cohort) == "no scale is named, grade 3 or more read as in ASTCT 2019"
    assert scale_text(described(report.cohort, grading_scale_stated=True)) == "ASTCT 2019"


@pytest.mark.parametrize(
    ("scale", "readings", "text"),
    [
        ("ASTCT 2019", 2, "ASTCT 2019: fever attributed to the drug"),
        ("CTCAE v5", 2, "CTCAE v5: fever, with or without constitutional symptoms"),
        ("CTCAE v4", 1, "CTCAE v4 does not count fever alone as CRS."),
    ],
)
def test_whether_fever_alone_is_crs_depends_on_the_scale(report, scale, readings, text):
    study = changed(report, {}, grading_scale={"CRS": scale, "ICANS": "ASTCT 2019"})
    table = study.crs().table
    assert table["reading"].nunique() == readings
    assert fever_said(table, study.cohort).startswith(text)
    note = fever_note(study.cohort)
    assert note.startswith(scale)
    assert ("grade 1" in note) == (readings == 2)


def test_where_no_scale_is_stated_fever_is_told_on_a_condition(report):
    ward = described(report.cohort, reconstructed=False)
    assert fever_note(ward).startswith("No scale is named. If it was graded so: ASTCT 2019 counts")


def test_each_event_has_its_own_scale_in_words(report):
    scales = {"CRS": "CTCAE v5", "ICANS": "ASTCT 2019"}
    cohort = described(report.cohort, grading_scale=scales, grading_scale_stated=True)
    assert scale_text(cohort) == "CTCAE v5 for CRS, ASTCT 2019 for ICANS"


# Random cohorts


@given(cohorts())
@few
def test_totals_are_the_sum_of_the_groups(study):
    for table in (study.stops().table, study.worst_grades().table, study.crs().table):
        of_groups = table.loc[table["group"] != TOTAL, "k"].sum()
        assert of_groups == table.loc[table["group"] == TOTAL, "k"].sum()
    icans = study.icans().table
    assert icans.query("group == @TOTAL")["k"].sum() == (study.events["event"] == ICANS).sum()


@given(cohorts())
@few
def test_worst_grades_are_ordered_as_their_meaning_says(study):
    table = graded(study)["k"].unstack("severity")
    has_grades = table.loc[pd.IndexSlice[:, [CRS, ICANS]], :]
    assert (has_grades[SEVERE] <= has_grades[ANY]).all()
    assert (has_grades[UNGRADED] <= has_grades[ANY]).all()
