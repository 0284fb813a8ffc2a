"""Safety by patient: the report's numbers, and recounts on random cohorts."""

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tables import cohorts

from blina.analysis.cohort import NOT_RECORDED, TOTAL
from blina.analysis.safety import (
    ANY,
    EVENTS,
    NO_GRADE,
    SEVERE,
    UNGRADED,
    UNKNOWN,
    WORST_COLUMNS,
    fever_as_crs,
    fever_cycle1,
    fever_note,
    fever_said,
    icans,
    scale_text,
    severe_reactions,
    stops,
    where_grades_lack,
    worst_by_patient,
    worst_grades,
)
from blina.linelist.tidy import UNNAMED_REACTION

few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def counted(table, *keys):
    return table.set_index([*keys])["text"].str.split(" ").str[0]


def events_of(*records):
    """(patient, event, grade, scale) as an events table."""
    table = pd.DataFrame(records, columns=["patient_id", "event", "grade", "scale"])
    table = table.assign(cycle=1, onset_day=pd.array([pd.NA] * len(table), dtype="Int64"), led_to_stop=False)
    return table.astype({"grade": "Int64", "scale": "str", "patient_id": "str", "event": "str"})


def test_the_report_s_worst_grades(report):
    table = worst_grades(report.patients, report.events, report.cohort)
    found = counted(table, "group", "event", "severity")
    assert found.sort_index()["MC", "fever"].to_dict() == {NO_GRADE: "9/18"}
    assert [found["RR", "CRS", severity] for severity in (ANY, SEVERE, UNGRADED)] == ["2/7", "0/7", "0/7"]
    assert [found["MC", "ICANS", severity] for severity in (ANY, SEVERE, UNGRADED)] == ["1/18", "1/18", "0/18"]
    assert found["IC", "fever", NO_GRADE] == "3/3"
    assert set(table.query("event == 'CRS'")["scale"]) == {"ASTCT 2019"}


def test_who_may_belong_to_grade_3_or_more_leaves_it_without_a_rate(report):
    table = worst_grades(report.patients, report.events, report.cohort).set_index(["group", "event", "severity"])
    row = table.loc[("MC", UNNAMED_REACTION, SEVERE)]
    assert (row["text"], row["k"]) == ("0 to 1 of 18, 1 not graded", 0)
    assert row[["percent", "lower", "upper"]].isna().all()
    assert table.loc[("RR", "CRS", SEVERE), "text"] == "0/7 (0%, 0 to 41.0)"


def test_grades_not_reported_have_a_line_only_where_some_grade_lacks(report):
    table = worst_grades(report.patients, report.events, report.cohort)
    told = where_grades_lack(table)
    assert {*told.loc[told["severity"] == UNGRADED, "event"]} == {UNNAMED_REACTION}
    assert len(table) - len(told) == 2 * (len(report.cohort.groups) + 1)  # CRS and ICANS, all of whose grades are known
    unknown = where_grades_lack(table.assign(k=table["k"].astype("Int64").mask(table["event"] == "CRS")))
    assert {*unknown.loc[unknown["severity"] == UNGRADED, "event"]} == {UNNAMED_REACTION, "CRS"}


def test_fever_has_grades_where_another_scale_gives_it_some(report):
    events = events_of(("P22", "fever", 3, "CTCAE v5"), ("P23", "fever", None, None))
    table = worst_grades(report.patients, events, report.cohort).set_index(["group", "event", "severity"])
    assert table.loc[("RR", "fever", SEVERE), "text"] == "1 to 2 of 7, 1 not graded"
    assert table.loc[("RR", "fever", UNGRADED), "k"] == 1


def test_a_patient_counts_once_with_the_worst_grade(report):
    events = events_of(("P22", "CRS", 1, "A"), ("P22", "CRS", 3, "A"), ("P22", "CRS", 2, "A"), ("P23", "CRS", 2, "A"))
    assert [*worst_by_patient(events)["worst_grade"]] == [3, 2]
    found = counted(worst_grades(report.patients, events, report.cohort), "group", "event", "severity")
    assert (found["RR", "CRS", ANY], found["RR", "CRS", SEVERE]) == ("2/7", "1/7")


def test_an_ungraded_record_leaves_the_worst_grade_open_unless_another_is_severe():
    ungraded = ("CRS", None, None)
    events = events_of(("P1", "CRS", 1, "A"), ("P1", *ungraded), ("P2", "CRS", 4, "A"), ("P2", *ungraded))
    assert worst_by_patient(events)["worst_grade"].to_list() == [pd.NA, 4]


def test_scales_are_never_pooled(report):
    events = events_of(("P22", "CRS", 1, "ASTCT 2019"), ("P23", "CRS", 1, "CTCAE v5"))
    with pytest.raises(ValueError, match="CRS is graded on ASTCT 2019 and CTCAE v5"):
        worst_grades(report.patients, events, report.cohort)
    apart = events_of(("P22", "CRS", 1, "ASTCT 2019"), ("P23", "infection", 3, "CTCAE v5"))
    table = worst_grades(report.patients, apart, report.cohort)
    assert [*table["event"].unique()] == [*(event for event in EVENTS if event != UNNAMED_REACTION), "infection"]
    assert {*worst_grades(report.patients, report.events, report.cohort)["event"]} == {*EVENTS}
    assert set(table.query("event == 'infection'")["scale"]) == {"CTCAE v5"}


def test_no_events_is_a_table_of_zeros(report):
    none = report.events.iloc[:0]
    assert set(worst_grades(report.patients, none, report.cohort)["k"]) == {0}
    assert set(icans(report.patients, none, report.cohort)["k"]) == {0}
    assert set(fever_as_crs(report.patients, none, report.cohort)["k"]) == {0}
    assert set(severe_reactions(report.patients, none, report.cohort)["described_severe"]) == {0}


def test_fever_in_cycle_1(report):
    later = report.events.assign(cycle=2)
    assert [*fever_cycle1(report.patients, report.events, report.cohort)["k"]][:2] == [9, 3]
    assert set(fever_cycle1(report.patients, later, report.cohort)["k"]) == {0}


def test_fever_alone_as_grade_1_crs(report):
    found = counted(fever_as_crs(report.patients, report.events, report.cohort), "group", "reading")
    assert [*found["RR"]] == ["2/7", "5/7"]
    assert [*found["MC"]] == ["0/18", "9/18"]
    assert [*found["IC"]] == ["0/3", "3/3"]


def test_icans_has_its_grade_and_day(report):
    table = icans(report.patients, report.events, report.cohort).set_index("group")
    assert table.loc["MC", "text"] == "1/18 (5.6%, 0.1 to 27.3); grade 4; began on day 2"
    assert table.loc["RR", "text"] == "0/7 (0%, 0 to 41.0)"


def test_icans_twice_is_one_patient_with_the_first_day(report):
    again = report.events.query("event == 'ICANS'").assign(onset_day=9, grade=2).astype({"onset_day": "Int64"})
    table = icans(report.patients, pd.concat([again, report.events]), report.cohort).set_index("group")
    assert table.loc["MC", "text"] == "1/18 (5.6%, 0.1 to 27.3); grade 4; began on day 2"


def test_two_stopped_and_one_severe_reaction_is_described(report):
    table = severe_reactions(report.patients, report.events, report.cohort).set_index("group")
    numbers = table.loc["MC", ["stopped_for_severe", "described_severe", "both", "difference"]]
    assert numbers.to_list() == [2, 1, 1, 1]
    assert table.loc["RR", "difference"] == 0


def test_stops_and_their_reasons(report):
    found = counted(stops(report.patients, report.cohort), "group", "stop_reason")
    assert [*found["MC"]] == ["15/18", "2/18", "1/18"]
    assert found[TOTAL, "completed"] == "25/28"


def test_where_no_scale_is_named_only_severe_grades_are_read_on_one(report):
    assert scale_text(report.cohort) == "no scale is named, grade 3 or more read as in ASTCT 2019"
    assert scale_text(report.cohort.model_copy(update={"grading_scale_stated": True})) == "ASTCT 2019"


def test_an_event_of_which_nobody_wrote_down_whether_it_occurred_makes_a_span(report):
    patients = report.patients.assign(crs_recorded=~report.patients["patient_id"].isin(["P22", "P23", "P24"]))
    table = worst_grades(patients, report.events, report.cohort).set_index(["group", "event", "severity"])
    # P22 is recorded with CRS, whatever a column says of it.
    assert table.loc[("RR", "CRS", ANY), "text"] == "2 to 4 of 7, 2 not recorded"
    assert table.loc[("RR", "CRS", SEVERE), "text"] == "0 to 2 of 7, 2 not recorded"
    assert table.loc[("RR", "CRS", UNKNOWN), "text"] == "2 of 7"
    assert table.loc[("MC", "CRS", ANY), "text"].startswith("0/18 ") and table.loc[("MC", "CRS", UNKNOWN), "k"] == 0
    assert ("RR", "ICANS", UNKNOWN) not in table.index
    readings = fever_as_crs(patients, report.events, report.cohort).query("group == 'RR'")["text"]
    assert [*readings] == ["2 to 4 of 7, 2 not recorded", "5/7 (71.4%, 29.0 to 96.3)"]  # both have had fever


def test_fever_and_icans_not_recorded_are_spans(report):
    patients = report.patients.assign(fever_recorded=False, icans_recorded=False)
    fever = fever_cycle1(patients, report.events, report.cohort).set_index("group")
    assert fever.loc["IC", "text"].startswith("3/3 ") and fever.loc["MC", "text"] == "9 to 18 of 18, 9 not recorded"
    table = icans(patients, report.events, report.cohort).set_index("group")
    assert table.loc["MC", "text"] == "1 to 18 of 18, 17 not recorded; grade 4; began on day 2"


def test_how_a_cycle_ended_is_counted_among_those_of_whom_it_is_recorded(report):
    patients = report.patients.astype({"stop_reason": "str"})
    patients.loc[patients["patient_id"].isin(["P01", "P08"]), "stop_reason"] = [None, "other"]
    found = counted(stops(patients, report.cohort), "group", "stop_reason")
    assert found["MC"].to_dict() == {"completed": "14/17", "severe_reaction": "1/17", "economic": "1/17",
                                     "other": "1/17", NOT_RECORDED: "1"}  # fmt: skip
    assert found["IC", NOT_RECORDED] == "0"


@pytest.mark.parametrize(("scale", "readings", "said"), [
    ("ASTCT 2019", 2, "ASTCT 2019: fever attributed to the drug"),
    ("CTCAE v5", 2, "CTCAE v5: fever, with or without constitutional symptoms"),
    ("CTCAE v4", 1, "CTCAE v4 does not count fever alone as CRS."),
])  # fmt: skip
def test_whether_fever_alone_is_crs_depends_on_the_scale(report, scale, readings, said):
    cohort = report.cohort.model_copy(update={"grading_scale": {"CRS": scale, "ICANS": "ASTCT 2019"}})
    table = fever_as_crs(report.patients, report.events, cohort)
    assert table["reading"].nunique() == readings and fever_said(table, cohort).startswith(said)
    assert fever_note(cohort).startswith(scale) and ("grade 1" in fever_note(cohort)) == (readings == 2)


def test_where_no_scale_is_stated_grades_bear_none_and_fever_is_told_on_a_condition(report):
    events = report.events.assign(scale=pd.array([pd.NA] * len(report.events), dtype="str"))
    assert set(worst_grades(report.patients, events, report.cohort)["scale"]) == {""}
    ward = report.cohort.model_copy(update={"reconstructed": False})
    assert fever_note(ward).startswith("No scale is named. If it was graded so: ASTCT 2019 counts")


def test_fever_whose_occurrence_is_not_recorded_is_told_as_a_span(report):
    patients = report.patients.assign(crs_recorded=~report.patients["patient_id"].isin(["P23", "P25"]))
    said = fever_said(fever_as_crs(patients, report.events, report.cohort), report.cohort)
    assert "RR 2 to 4 of 7, 2 not recorded or up to 5 to 6 of 7, 1 not recorded" in said
    assert "MC 0 or up to 9" in said


def test_each_event_has_its_own_scale_in_words(report):
    both = {"CRS": "CTCAE v5", "ICANS": "ASTCT 2019"}
    cohort = report.cohort.model_copy(update={"grading_scale": both, "grading_scale_stated": True})
    assert scale_text(cohort) == "CTCAE v5 for CRS, ASTCT 2019 for ICANS"


@given(cohorts(), st.randoms())
@few
def test_every_worst_grade_count_is_what_a_recount_gives(tables, random):
    # Repeated and ungraded records, so that worst of several is put to the test.
    repeated = tables.events.sample(frac=1, replace=True, random_state=random.randrange(1000))
    events = pd.concat([tables.events, repeated.assign(grade=lambda table: table["grade"].where(table["cycle"] > 1))])
    table = worst_grades(tables.patients, events, tables.cohort)
    assert [*table.columns] == [*WORST_COLUMNS]
    records = events.to_dict("records")
    for row in table.itertuples():
        members = {patient["patient_id"] for patient in tables.patients.to_dict("records")
                   if row.group in (patient["group"], TOTAL)}  # fmt: skip
        grades: dict[str, list] = {}
        for record in records:
            if record["event"] == row.event and record["patient_id"] in members:
                grades.setdefault(record["patient_id"], []).append(record["grade"])
        severe = {one for one, seen in grades.items() if any(not pd.isna(grade) and grade >= 3 for grade in seen)}
        open_ = {one for one, seen in grades.items() if any(pd.isna(grade) for grade in seen)} - severe
        k = {ANY: len(grades), NO_GRADE: len(grades), SEVERE: len(severe), UNGRADED: len(open_)}[row.severity]
        assert (row.k, row.n) == (k, len(members))


@given(cohorts())
@few
def test_totals_are_the_sum_of_the_groups(tables):
    for table in (stops(tables.patients, tables.cohort),
                  worst_grades(tables.patients, tables.events, tables.cohort),
                  fever_as_crs(tables.patients, tables.events, tables.cohort)):  # fmt: skip
        assert table.loc[table["group"] != TOTAL, "k"].sum() == table.loc[table["group"] == TOTAL, "k"].sum()
    listed = icans(tables.patients, tables.events, tables.cohort)
    assert listed.query("group == @TOTAL")["k"].sum() == (tables.events["event"] == "ICANS").sum()
