"""The description of a cohort: the report's numbers, and recounts on random cohorts."""

import statistics

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from tables import cohorts

from blina.analysis.cohort import (
    DESCRIPTION_COLUMNS,
    NOT_RECORDED,
    TOTAL,
    by_group,
    describe,
    describe_wide,
    median_text,
    stopped_early,
)

few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def test_the_report_s_description(report):
    wide = describe_wide(describe(report.patients, report.cohort)).set_index(["characteristic", "level"])
    assert [*wide.columns] == ["MC", "IC", "RR", TOTAL]
    assert [*wide.loc[("patients", "")]] == ["18", "3", "7", "28"]
    assert wide.loc[("sex", "male"), TOTAL] == "16/28 (57.1%, 37.2 to 75.5)"
    assert wide.loc[("age, years", ""), TOTAL] == "11.0 (0.6 to 16.4)"
    assert wide.loc[("BCR::ABL1", "found"), "MC"] == "6/18 (33.3%, 13.3 to 59.0)"
    assert [*wide.loc[("diagnosis to first infusion, months", "")]][:3] == [
        "3.7 (0.7 to 39.8)", "1.4 (1.1 to 16.8)", "29.0 (4.9 to 62.1)"]  # fmt: skip
    assert wide.loc[("reason for intolerance", "infection"), "IC"] == "1/3 (33.3%, 0.8 to 90.6)"
    assert wide.loc[("reason for intolerance", "infection"), "MC"] == "0/0"
    assert wide.loc[("end of cycle 1", "severe reaction"), "MC"] == "2/18 (11.1%, 1.4 to 34.7)"
    assert wide.loc[("further cycles", "patients given any"), TOTAL].startswith("7/28 ")


def test_a_median_between_two_values_is_not_rounded():
    assert median_text(pd.Series([10.9, 11.0]), 1) == "10.95 (10.9 to 11.0)"
    assert median_text(pd.Series([21, 22]), 0) == "21.5 (21 to 22)"
    assert median_text(pd.Series([0.12, 0.17]), 2) == "0.145 (0.12 to 0.17)"
    assert median_text(pd.Series([], dtype=float), 1) == "none"


def test_groups_come_in_the_cohort_s_order_and_an_unknown_one_is_named(report):
    assert [name for name, _ in by_group(report.patients, report.cohort)] == ["MC", "IC", "RR", TOTAL]
    with pytest.raises(ValueError, match="no group XX.*MC, IC, RR"):
        [*by_group(report.patients.assign(group="XX"), report.cohort)]


def test_what_is_not_recorded_has_a_row_and_is_in_no_proportion_or_median(report):
    patients = report.patients.astype({"bcr_abl1": "boolean", "extra_cycles": "Int64", "sex": "str"})
    some = patients["patient_id"].isin(["P01", "P02"])
    patients.loc[some, "sex"] = None
    patients.loc[some, ["age_years", "bcr_abl1", "extra_cycles"]] = [float("nan"), pd.NA, pd.NA]
    wide = describe_wide(describe(patients, report.cohort)).set_index(["characteristic", "level"])["MC"]
    assert wide["sex", "male"].startswith("10/16 ") and wide["sex", NOT_RECORDED] == "2"
    assert wide["BCR::ABL1", "found"].startswith("4/16 ") and wide["BCR::ABL1", NOT_RECORDED] == "2"
    assert wide["age, years", ""] == "11.25 (2.9 to 16.4)" and wide["age, years", NOT_RECORDED] == "2"
    assert wide["further cycles", "patients given any"].startswith("3/16 ")
    assert wide["further cycles", "cycles given"] == "4 (of 16 of 18 patients)"
    assert wide["cycles, the first included", ""] == "20 (of 16 of 18 patients)"
    assert ("infusion in cycle 1, days", NOT_RECORDED) not in wide


def test_a_column_without_any_value_is_described_as_such(report):
    nothing = report.patients.assign(infusion_days=pd.array([pd.NA] * 28, dtype="Int64"), sex=None)
    wide = describe_wide(describe(nothing, report.cohort)).set_index(["characteristic", "level"])[TOTAL]
    assert wide["infusion in cycle 1, days", ""] == wide["infusion in cycle 1, days", "all together"] == "none"
    assert wide["sex", NOT_RECORDED] == wide["infusion in cycle 1, days", NOT_RECORDED] == "28"


def test_who_stopped_early_is_told_in_a_sentence(report):
    said = "3 of 28 patients did not complete cycle 1 (groups: MC); their infusions lasted 1, 2, 7 days."
    assert stopped_early(report.patients) == said
    many = pd.concat([report.patients] * 7)
    assert stopped_early(many).endswith("their infusions lasted 1 to 7 days.")
    unknown = report.patients.assign(stop_reason=None)
    assert stopped_early(unknown) == "How cycle 1 ended is not recorded of any patient."
    assert "How it ended is not recorded of 28 more." in stopped_early(pd.concat([report.patients, unknown]))


@given(cohorts())
@few
def test_every_cell_is_what_a_recount_gives(tables):
    table = describe(tables.patients, tables.cohort)
    assert [*table.columns] == [*DESCRIPTION_COLUMNS]
    found = table.set_index(["characteristic", "level", "group"])
    for name in [*(group.name for group in tables.cohort.groups), TOTAL]:
        rows = [row for row in tables.patients.to_dict("records") if name in (row["group"], TOTAL)]
        assert found.loc[("patients", "", name), "value"] == len(rows)
        carriers = found.loc[("BCR::ABL1", "found", name)]
        assert (carriers["k"], carriers["n"]) == (sum(row["bcr_abl1"] for row in rows), len(rows))
        cycles = found.loc[("cycles, the first included", "", name), "value"]
        assert cycles == len(rows) + sum(row["extra_cycles"] for row in rows)
        age = found.loc[("age", "", name)]
        if rows:
            ages = [row["age_years"] for row in rows]
            assert age["value"] == pytest.approx(statistics.median(ages))
            assert (age["least"], age["greatest"]) == (min(ages), max(ages))
        else:
            assert age["text"] == "none"


@given(cohorts())
@few
def test_levels_of_a_characteristic_add_up_to_its_denominator(tables):
    table = describe(tables.patients, tables.cohort).query("characteristic in ('sex', 'end of cycle 1')")
    for _, levels in table.groupby(["characteristic", "group"]):
        assert levels["k"].sum() == levels["n"].iloc[0]
