"""Response under every rule and evaluable set: the report's numbers, and recounts on random cohorts."""

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from tables import cohorts

from blina.analysis.response import (
    AFTER,
    AGREE,
    BECAME,
    BURDEN_COLUMNS,
    BURDEN_TEST_COLUMNS,
    CELLS,
    CONCORDANCE_COLUMNS,
    CONTRAST_COLUMNS,
    EVALUABLE_SETS,
    FLOW_COLUMNS,
    MISSED,
    NO_RT_PCR,
    RULES,
    STAYED,
    UNKNOWN_BEFORE,
    burden,
    burden_test,
    choice,
    concordance,
    flow,
    fusion_contrast,
    outcomes,
    rates,
    rule_of,
    statuses,
)
from blina.linelist.cohort import Group

few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.fixture(scope="module")
def table(report):
    return rates(report.patients, report.mrd, report.cohort)


@pytest.mark.parametrize(("group", "rule", "text"), [
    ("MC", "fc", "18/18 (100%, 81.5 to 100)"),
    ("MC", "pcr", "1/6 (16.7%, 0.4 to 64.1)"),
    ("MC", "fc_and_pcr", "13/18 (72.2%, 46.5 to 90.3)"),
    ("RR", "fc", "4/7 (57.1%, 18.4 to 90.1)"),
    ("RR", "fc_and_pcr", "3/7 (42.9%, 9.9 to 81.6)"),
    ("MC + RR", "fc", "22/25 (88.0%, 68.8 to 97.5)"),
    ("MC + RR", "fc_and_pcr", "16/25 (64.0%, 42.5 to 82.0)"),
    ("IC", "fc", "3/3 (100%, 29.2 to 100)"),
    ("IC", "pcr", "0/0"),
])  # fmt: skip
def test_the_report_s_rates_over_all_treated(table, group, rule, text):
    row = table.query("group == @group and rule == @rule and evaluable_set == 'all_treated'")
    assert [*row["text"]] == [text]


def test_the_reported_rates_are_marked_and_never_pooled(table):
    reported = table[table["is_reported"]]
    assert [*zip(reported["group"], reported["rule"], reported["text"].str.split().str[0], strict=True)] == [
        ("MC", "fc_and_pcr", "13/18"), ("RR", "fc", "4/7")]  # fmt: skip
    assert not (table["is_reported"] & table["is_pooled"]).any()


def test_bridging_is_maintenance_and_enters_no_clearance_rate(table):
    bridging = table[table["group"] == "IC"]
    assert set(bridging["measure"]) == {STAYED}
    assert set(bridging.query("evaluable_set == 'positive_before'")["text"]) == {"0/0"}
    assert set(table[table["is_pooled"]]["group"]) == {"MC + RR"}


def test_a_bridging_patient_with_mrd_is_counted_apart(report):
    mrd = report.mrd.copy()
    mrd.loc[(mrd["patient_id"] == "P19") & (mrd["time"] == "before") & (mrd["assay"] == "FC"), "status"] = "positive"
    table = rates(report.patients, mrd, report.cohort).query("group == 'IC' and rule == 'fc'")
    by_measure = table.set_index(["measure", "evaluable_set"])["text"].str.split().str[0]
    assert by_measure[STAYED, "all_treated"] == "2/2"
    assert by_measure[BECAME, "positive_before"] == by_measure[BECAME, "all_treated"] == "1/1"


def test_one_clearing_group_is_not_pooled_with_itself(report):
    only = report.cohort.model_copy(update={"groups": (report.cohort.group("MC"),)})
    table = rates(report.patients.query("group == 'MC'"), report.mrd, only)
    assert not table["is_pooled"].any()


def test_early_stops_count_as_failures_or_not_at_all(table):
    strict = table.query("group == 'MC' and rule == 'fc_and_pcr'").set_index("evaluable_set")["text"].str.split().str[0]
    assert strict.to_dict() == {"all_treated": "13/18", "positive_before": "13/18", "more_than_7_days": "10/15",
                                "severe_stops_failed": "11/18", "without_severe_stops": "11/16"}  # fmt: skip


def test_positive_before_is_by_the_assay_of_the_rule(report, table):
    found = table.query("group == 'MC' and evaluable_set == 'positive_before'").set_index("rule")["text"]
    assert found.str.split().str[0].to_dict() == {"fc": "16/16", "pcr": "1/6", "fc_and_pcr": "13/18"}
    each = outcomes(report.patients, report.mrd)
    assert (each["positive_before"] == each["fc_before"] | each["pcr_before"]).all()


def changed(report, changes):
    """The report with statuses changed: (patient, time, assay): status."""
    mrd = report.mrd.astype({"status": "str"})
    for (patient, time, assay), status in changes.items():
        mrd.loc[mrd["patient_id"].eq(patient) & mrd["time"].eq(time) & mrd["assay"].eq(assay), "status"] = status
    return report.patients, mrd, report.cohort


def test_whoever_was_not_assessed_counts_as_not_negative_and_the_set_assessed_leaves_them_out(report, table):
    assert "assessed" not in set(table["evaluable_set"]) and not table["not_assessed"].any()
    lacking = changed(report, {("P01", "after", "FC"): "not_done", ("P10", "after", "FC"): None,
                               ("P06", "after", "RT-PCR"): "not_done"})  # fmt: skip
    found = rates(*lacking).query("group == 'MC'").set_index(["rule", "evaluable_set"])
    assert found.loc[("fc", "all_treated"), "text"] == (
        "16/18 (88.9%, 65.3 to 98.6; 2 of the 18 not assessed, counted as not negative)"
    )
    assert found.loc[("fc", "assessed"), "text"] == "16/16 (100%, 79.4 to 100)"
    assert found.loc[("pcr", "all_treated"), ["k", "n", "not_assessed"]].to_list() == [0, 6, 1]
    # P01 is positive by RT-PCR, but has no FC; P06 is negative by FC, but its fusion gene was not looked for.
    assert found.loc[("fc_and_pcr", "all_treated"), ["k", "n", "not_assessed"]].to_list() == [11, 18, 3]


@pytest.mark.parametrize("found", ["positive", "negative"])
def test_who_is_assessed_does_not_depend_on_the_result(report, found):
    lacking = changed(report, {("P01", "after", "FC"): found, ("P01", "after", "RT-PCR"): "not_done"})
    row = rates(*lacking).query("group == 'MC' and rule == 'fc_and_pcr'").set_index("evaluable_set")
    assert (row.loc["assessed", "n"], row.loc["all_treated", "n"]) == (17, 18)


def test_a_side_of_the_contrast_of_which_nobody_was_assessed_is_not_tested(report):
    carriers = report.patients.loc[report.patients["bcr_abl1"], "patient_id"]
    lacking = changed(report, {(patient, "after", "FC"): "not_done" for patient in carriers})
    row = fusion_contrast(*lacking).query("group == 'MC' and rule == 'fc'").iloc[0]
    assert (row["carriers_text"], row["carriers_not_assessed"], row["others_n"]) == ("0 of 6 assessed", 6, 12)
    assert pd.isna(row["p"]) and row["test_text"] == "nobody to compare with"


def test_a_bridging_patient_not_assessed_before_has_not_stayed_negative(report):
    found = rates(*changed(report, {("P19", "before", "FC"): "not_done"})).query("group == 'IC' and rule == 'fc'")
    n = found[found["evaluable_set"] == "all_treated"].set_index("measure")["n"]
    assert n.to_dict() == {STAYED: 2, UNKNOWN_BEFORE: 1}


def test_a_ward_s_groups_of_different_purposes_are_not_pooled(report):
    ward = report.cohort.model_copy(update={"reconstructed": False})
    assert not rates(report.patients, report.mrd, ward)["is_pooled"].any()
    groups = tuple(group.model_copy(update={"purpose": "clearance"}) for group in ward.groups)
    same = rates(report.patients, report.mrd, ward.model_copy(update={"groups": groups}))
    assert set(same.loc[same["is_pooled"], "group"]) == {"MC + IC + RR"}


def without_pcr_after(report):
    carriers = report.patients.loc[report.patients["bcr_abl1"], "patient_id"]
    return changed(report, {(patient, "after", "RT-PCR"): "not_done" for patient in carriers})


def test_without_rt_pcr_after_there_is_no_rate_by_it(report):
    found = rates(*without_pcr_after(report)).query("group == 'MC'")
    with_pcr = found[found["rule"] != "fc"]
    assert set(with_pcr["text"]) == {NO_RT_PCR} and not with_pcr["n"].any() and with_pcr["percent"].isna().all()
    assert set(found.loc[found["rule"] == "fc", "text"].str.split().str[0]) >= {"18/18"}
    contrast = fusion_contrast(*without_pcr_after(report)).query("group == 'MC'").set_index("rule")
    assert [*contrast["carriers_text"]] == ["6/6 (100%, 54.1 to 100)", NO_RT_PCR, NO_RT_PCR]
    assert contrast.loc["fc_and_pcr", "test_text"] == "nobody to compare with"


def test_a_carrier_who_was_not_assessed_is_told_beside_the_rate_of_carriers(report):
    lacking = changed(report, {("P06", "after", "RT-PCR"): "not_done"})
    text = fusion_contrast(*lacking).query("group == 'MC' and rule == 'pcr'")["carriers_text"].iloc[0]
    assert text == "0/5 (0%, 0 to 52.2; 1 more not assessed)"


def test_rt_pcr_counts_carriers_and_whoever_has_a_result_by_it(report):
    unknown = {(patient, time, "RT-PCR"): "not_done" for patient in ("P07", "P08") for time in ("before", "after")}
    patients, mrd, cohort = changed(report, unknown | {("P08", "after", "RT-PCR"): "negative"})
    fusion = patients["bcr_abl1"].astype("boolean").mask(patients["patient_id"].isin(["P07", "P08"]))
    found = rates(patients.assign(bcr_abl1=fusion), mrd, cohort).query("group == 'MC' and rule == 'pcr'")
    assert found["text"].iloc[0].startswith("2/7 ")  # six carriers and P08, not P07, of whom nothing is known


def test_flow_tells_not_assessed_from_positive(report):
    lacking = changed(report, {("P01", "after", "FC"): "not_done", ("P10", "after", "FC"): None,
                               ("P19", "before", "FC"): "not_done"})  # fmt: skip
    n = flow(*lacking).set_index(["stage", "state", "group"])["n"]
    assert n["MRD after", "positive by RT-PCR, FC not assessed", "MC"] == 1
    assert n["MRD after", "not assessed", "MC"] == 1
    assert n["MRD before", "not assessed", "IC"] == 1


def test_a_status_that_was_not_done_or_not_recorded_is_listed_where_it_occurs(report):
    _, mrd, _ = changed(report, {("P01", "after", "FC"): "not_done", ("P10", "after", "FC"): None})
    found = statuses(mrd).set_index(["assay", "time", "status"])["k"]
    assert (found["FC", "after", "not_done"], found["FC", "after", "not recorded"]) == (1, 1)
    assert len(found) == 14 and found["RT-PCR", "before", "not_applicable"] == 21


def test_a_group_without_a_purpose_is_always_negative_after_whatever_was_found_before(report):
    one = report.cohort.model_copy(update={"groups": (Group(name="ours", label="ours"),)})
    patients, mrd = report.patients.assign(group="ours"), report.mrd.assign(status=None).astype({"status": "str"})
    assert set(rates(patients, mrd, one)["measure"]) == {BECAME}
    assert set(rates(patients, mrd.assign(status="negative"), one)["measure"]) == {BECAME}


def test_who_may_carry_the_fusion_gene_is_on_neither_side(report):
    unknown = report.patients.astype({"bcr_abl1": "boolean"})
    unknown.loc[unknown["patient_id"].isin(["P01", "P10"]), "bcr_abl1"] = pd.NA
    row = fusion_contrast(unknown, report.mrd, report.cohort).query("group == 'MC' and rule == 'fc'").iloc[0]
    assert (row["carriers_n"], row["others_n"], row["not_recorded"]) == (5, 11, 2)


def test_whose_days_or_reason_are_not_recorded_is_in_no_set_that_depends_on_them(report):
    patients = report.patients.astype({"infusion_days": "Int64"})
    patients.loc[patients["patient_id"].eq("P01"), ["infusion_days", "stop_reason"]] = [pd.NA, None]
    n = (
        rates(patients, report.mrd, report.cohort)
        .query("group == 'MC' and rule == 'fc'")
        .set_index("evaluable_set")["n"]
    )
    assert n.to_dict() == {"all_treated": 18, "positive_before": 16, "more_than_7_days": 14, "severe_stops_failed": 18,
                           "without_severe_stops": 15}  # fmt: skip


def test_burden_leaves_out_who_was_not_assessed_and_rounds_no_value(report):
    patients, mrd, cohort = changed(report, {("P22", "after", "FC"): "not_done"})
    fine = mrd.assign(value_percent=mrd["value_percent"].where(mrd["value_percent"].ne(0.08), 0.0795))
    row = burden_test(patients, fine, cohort, "RR", "fc").iloc[0]
    assert (row["n"], row["without_value"]) == (6, 1)
    assert row["responders_range"] == "0.0795 to 3.5000"


@given(cohorts())
@few
def test_rules_and_sets_are_ordered_as_their_meaning_says(tables):
    table = rates(tables.patients, tables.mrd, tables.cohort)
    who = ["group", "measure", "is_pooled"]
    k = table.set_index([*who, "rule", "evaluable_set"])["k"].unstack(["rule", "evaluable_set"])
    same = [one.id for one in EVALUABLE_SETS if one.id != "positive_before"]  # that set is another one for each rule
    assert (k["fc_and_pcr"][same] <= k["fc"][same]).all(axis=None)
    n = table.set_index([*who, "rule", "evaluable_set"])["n"].unstack(["rule", "evaluable_set"])
    assert (n["fc"]["positive_before"] <= n["fc_and_pcr"]["positive_before"]).all()
    assert (n["pcr"]["positive_before"] <= n["fc_and_pcr"]["positive_before"]).all()
    for rule in RULES:
        assert (k[rule.id]["severe_stops_failed"] == k[rule.id]["without_severe_stops"]).all()


def test_every_patient_has_one_outcome_row(report):
    table = outcomes(report.patients, report.mrd)
    assert [*table["patient_id"]] == [*report.patients["patient_id"]]
    assert (table["pcr"].notna() == table["bcr_abl1"]).all()


def test_a_doubled_or_missing_mrd_row_is_refused(report):
    with pytest.raises(ValueError, match="two rows"):
        outcomes(report.patients, report.mrd.iloc[[0, *range(len(report.mrd))]])
    with pytest.raises(ValueError, match="lacks 1 of 112 rows"):
        outcomes(report.patients, report.mrd.iloc[1:])


def test_fusion_carriers_against_the_others(report):
    table = fusion_contrast(report.patients, report.mrd, report.cohort)
    assert [*table.columns] == [*CONTRAST_COLUMNS]
    row = table.query("group == 'MC' and rule == 'fc_and_pcr'").iloc[0]
    assert (row["carriers_text"], row["others_text"]) == ("1/6 (16.7%, 0.4 to 64.1)", "12/12 (100%, 73.5 to 100)")
    assert row["p"] == pytest.approx(13 / 18564)
    assert set(table.query("rule == 'pcr'")["test_text"]) == {"nobody to compare with"}


@given(cohorts())
@few
def test_carriers_and_others_make_up_the_group(tables):
    both = fusion_contrast(tables.patients, tables.mrd, tables.cohort)
    whole = rates(tables.patients, tables.mrd, tables.cohort).query("evaluable_set == 'all_treated'")
    assert [*(both["carriers_k"] + both["others_k"])] == [*whole["k"]]
    assert [*(both["carriers_n"] + both["others_n"])] == [*whole["n"]]


def test_burden_against_response_in_the_reinduction_group(report):
    inputs = report.patients, report.mrd, report.cohort, "RR"
    table = burden(*inputs)
    assert [*table.columns] == [*BURDEN_COLUMNS]
    assert table["value_percent"].is_monotonic_increasing
    assert [*table["responded"]] == [True] * 4 + [False] * 3
    test = burden_test(*inputs)
    assert [*test.columns] == [*BURDEN_TEST_COLUMNS]
    assert test.loc[0, "p"] == test.loc[0, "smallest_attainable"] == pytest.approx(2 / 35)
    assert test.loc[0, ["others_median", "others_range"]].to_list() == ["45.10", "22.64 to 78.30"]
    assert test.loc[0, ["n", "without_value", "responders", "others"]].to_list() == [7, 0, 4, 3]


def test_burden_without_contrast_or_without_values_says_so(report):
    inputs = report.patients, report.mrd, report.cohort
    assert burden_test(*inputs, "MC", "fc").loc[0, "test_text"] == "nobody to compare with"
    bridging = burden_test(*inputs, "IC").loc[0]
    assert bridging["rule"] == "fc"
    assert (bridging["n"], bridging["without_value"]) == (0, 3)
    assert (bridging["others_median"], bridging["others_range"]) == ("none", "")
    with pytest.raises(ValueError, match="no rate was reported for IC"):
        burden_test(*inputs, "IC", "reported")


@given(cohorts())
@few
def test_burden_counts_every_patient_of_the_group_once(tables):
    for group in tables.cohort.groups:
        for rule in RULES:
            row = burden_test(tables.patients, tables.mrd, tables.cohort, group.name, rule.id).loc[0]
            assert row["responders"] + row["others"] == row["n"]
            assert row["n"] + row["without_value"] == (tables.patients["group"] == group.name).sum()


def test_the_report_s_flow(report):
    counts = flow(report.patients, report.mrd, report.cohort)
    assert [*counts.columns] == [*FLOW_COLUMNS]
    assert [*counts["stage"].unique()] == ["treated", "MRD before", "end of cycle 1", "MRD after"]
    n = counts.groupby(["stage", "state"])["n"].agg(list)
    assert [n["MRD after", state] for state in AFTER[:3]] == [[13, 3, 3], [5, 0, 1], [0, 0, 3]]
    assert n["MRD before", "not detected"] == [0, 3, 0]
    assert n["end of cycle 1", "severe_reaction"] == [2, 0, 0]


@given(cohorts())
@few
def test_the_flow_agrees_with_the_rates_and_loses_nobody(tables):
    counts = flow(tables.patients, tables.mrd, tables.cohort)
    assert set(counts.groupby("stage")["n"].sum()) == {len(tables.patients)}
    after = counts[counts["stage"] == "MRD after"]
    strict = outcomes(tables.patients, tables.mrd).groupby("group")["fc_and_pcr"].sum()
    found = after[after["state"] == AFTER[0]].set_index("group")["n"]
    assert all(found.get(name, 0) == k for name, k in strict.items())


def test_rules_and_sets_are_chosen_by_name():
    assert rule_of(Group(name="A", label="a", reported_rule="pcr")) == "pcr"
    assert rule_of(Group(name="A", label="a")) == "fc"
    assert choice(EVALUABLE_SETS, "all_treated").label == "all treated"
    with pytest.raises(ValueError, match="no flow among fc, pcr, fc_and_pcr"):
        rule_of(Group(name="A", label="a"), "flow")


@pytest.mark.parametrize(("group", "time", "cells", "agree", "missed"), [
    ("MC", "before", "4/6 0/6 2/6 0/6", "4/6", "2/2 (100%, 15.8 to 100)"),
    ("MC", "after", "0/6 0/6 5/6 1/6", "1/6", "5/6 (83.3%, 35.9 to 99.6)"),
    ("IC", "before", "0/0 0/0 0/0 0/0", "0/0", "0/0"),
    ("RR", "before", "1/1 0/1 0/1 0/1", "1/1", "0/0"),
    ("RR", "after", "0/1 0/1 1/1 0/1", "0/1", "1/1 (100%, 2.5 to 100)"),
])  # fmt: skip
def test_fc_against_rt_pcr_counts_carriers_alone(report, group, time, cells, agree, missed):
    table = concordance(report.patients, report.mrd, report.cohort)
    text = table[(table["group"] == group) & (table["time"] == time)].set_index("counted")["text"]
    assert [text[cell].split()[0] for cell in CELLS] == cells.split()
    assert text[AGREE].split()[0] == agree and text[MISSED] == missed


@few
@given(cohorts())
def test_the_four_cells_are_all_carriers_and_hold_who_agrees_and_who_is_missed(study):
    table = concordance(study.patients, study.mrd, study.cohort)
    assert [*table.columns] == [*CONCORDANCE_COLUMNS]
    carriers = study.patients[study.patients["bcr_abl1"]].groupby("group").size()
    for (group, _), rows in table.groupby(["group", "time"]):
        rows = rows.set_index("counted")
        both, fc_only, pcr_only, neither = rows.loc[[*CELLS], "k"]
        assert both + fc_only + pcr_only + neither == rows.loc[AGREE, "n"] == carriers.get(group, 0)
        assert rows.loc[AGREE, "k"] == both + neither
        assert (rows.loc[MISSED, "k"], rows.loc[MISSED, "n"]) == (pcr_only, pcr_only + neither)


def test_two_results_for_one_assay_are_not_compared(report):
    with pytest.raises(ValueError, match="two rows for one patient"):
        concordance(report.patients, pd.concat([report.mrd, report.mrd.head(1)]), report.cohort)
