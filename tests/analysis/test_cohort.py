"""The description of a cohort: the report's numbers, what is not recorded, and recounts on random cohorts."""

import statistics

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from tables import changed, cohorts

from blina.analysis.cohort import by_group, describe_wide, early_stops_text
from blina.measures.declare import NOT_RECORDED, TOTAL
from blina.measures.views import DESCRIPTION_COLUMNS

few = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def wide(study):
    return describe_wide(study.baseline().table).set_index(["characteristic", "level"])


def test_the_report_s_description(report):
    table = wide(report)
    assert [*table.columns] == ["MC", "IC", "RR", TOTAL]
    assert [*table.loc[("patients", "")]] == ["18", "3", "7", "28"]
    # Sex and the end of cycle 1 are facts of these patients, no estimate: they bear no interval.
    assert table.loc[("sex", "male"), TOTAL] == "16/28 (57.1%)"
    assert table.loc[("end of cycle 1", "severe reaction"), "MC"] == "2/18 (11.1%)"
    assert table.loc[("reason for intolerance", "infection"), "IC"] == "1/3 (33.3%)"
    assert table.loc[("reason for intolerance", "infection"), "MC"] == "0/0"
    assert table.loc[("age, years", ""), TOTAL] == "11.0 (0.6 to 16.4)"
    assert table.loc[("BCR::ABL1", "found"), "MC"] == "6/18 (33.3%, 13.3 to 59.0)"
    months = table.loc[("diagnosis to first infusion, months", "")]
    assert [*months][:3] == ["3.7 (0.7 to 39.8)", "1.4 (1.1 to 16.8)", "29.0 (4.9 to 62.1)"]
    assert table.loc[("further cycles", "patients given any"), TOTAL].startswith("7/28 ")


def test_groups_come_in_the_cohort_s_order_and_an_unknown_one_is_named(report):
    names = [name for name, _ in by_group(report.patients, report.cohort)]
    assert names == ["MC", "IC", "RR", TOTAL]
    with pytest.raises(ValueError, match="no group XX.*MC, IC, RR"):
        [*by_group(report.patients.assign(group="XX"), report.cohort)]


def test_what_is_not_recorded_has_a_row_and_leaves_a_span_over_everybody(report):
    # It used to be a share of those of whom it is recorded: 10 of 16 boys.
    lacking = {}
    for patient in ("P01", "P02"):
        for column in ("sex", "age_years", "bcr_abl1", "extra_cycles"):
            lacking[patient, column] = ""
    table = wide(changed(report, lacking))["MC"]
    assert table["sex", "male"] == "10 to 12 of 18, 2 not recorded"
    assert table["sex", NOT_RECORDED] == "2"
    assert table["BCR::ABL1", "found"] == "4 to 6 of 18, 2 not recorded"
    assert table["BCR::ABL1", NOT_RECORDED] == "2"
    assert table["age, years", ""] == "11.25 (2.9 to 16.4)"
    assert table["age, years", NOT_RECORDED] == "2"
    assert table["further cycles", "patients given any"] == "3 to 5 of 18, 2 not recorded"
    assert table["further cycles", "cycles given"] == "4 (of 16 of 18 patients)"
    assert table["cycles, the first included", ""] == "20 (of 16 of 18 patients)"
    assert ("infusion in cycle 1, days", NOT_RECORDED) not in table


def test_a_median_of_some_stands_with_the_span_over_all(report):
    blank = {(patient, "age_years"): "" for patient in ("P01", "P02")}
    median = changed(report, blank).results.get("description", "MC", "age", statistic="median")
    assert (median.here.n, median.here.not_recorded) == (16, 2)
    # With two ages of 0 the ninth and tenth of 18 are 10.2 and 11.0, with two of 120 11.5 and 11.9.
    span = median.spans.value
    assert (float(span.lower), float(span.upper)) == (10.6, 11.7)


def test_a_column_without_any_value_is_described_as_such(report):
    nothing = {}
    for patient in report.table.ids:
        nothing[patient, "infusion_days"] = nothing[patient, "sex"] = ""
    table = wide(changed(report, nothing))[TOTAL]
    assert table["infusion in cycle 1, days", ""] == "none"
    assert table["infusion in cycle 1, days", "all together"] == NOT_RECORDED
    assert table["sex", NOT_RECORDED] == "28"
    assert table["infusion in cycle 1, days", NOT_RECORDED] == "28"


def test_who_stopped_early_is_told_in_a_sentence(report):
    assert early_stops_text(report.patients) == (
        "3 of 28 patients did not complete cycle 1 (groups: MC); their infusions lasted 1, 2, 7 days."
    )
    many = pd.concat([report.patients] * 7)
    assert early_stops_text(many).endswith("their infusions lasted 1 to 7 days.")
    unknown = report.patients.assign(stop_reason=None)
    assert early_stops_text(unknown) == "How cycle 1 ended is not recorded for any patient."


def test_an_unknown_end_may_have_been_an_early_one(report):
    both = pd.concat([report.patients, report.patients.assign(stop_reason=None)])
    text = early_stops_text(both)
    assert text.startswith("3 to 31 of 56 patients did not complete cycle 1")
    assert text.endswith("How it ended is not recorded for 28.")


@given(cohorts())
@few
def test_every_cell_is_what_a_recount_gives(study):
    table = study.baseline().table
    assert [*table.columns] == [*DESCRIPTION_COLUMNS]
    found = table.set_index(["characteristic", "level", "group"])
    for name in [*(group.name for group in study.cohort.groups), TOTAL]:
        rows = []
        for row in study.patients.to_dict("records"):
            if name in (row["group"], TOTAL):
                rows.append(row)
        assert found.loc[("patients", "", name), "value"] == len(rows)
        carriers = found.loc[("BCR::ABL1", "found", name)]
        assert carriers["k"] == sum(row["bcr_abl1"] for row in rows)
        assert carriers["n"] == len(rows)
        cycles = found.loc[("cycles, the first included", "", name), "value"]
        assert cycles == len(rows) + sum(row["extra_cycles"] for row in rows)
        age = found.loc[("age", "", name)]
        if not rows:
            assert age["text"] == "none"
            continue
        ages = [row["age_years"] for row in rows]
        assert age["value"] == pytest.approx(statistics.median(ages))
        assert (age["least"], age["greatest"]) == (min(ages), max(ages))


@given(cohorts())
@few
def test_levels_of_a_characteristic_add_up_to_its_denominator(study):
    table = study.baseline().table.query("characteristic in ('sex', 'end of cycle 1')")
    for _, levels in table.groupby(["characteristic", "group"]):
        assert levels["k"].sum() == levels["n"].iloc[0]
