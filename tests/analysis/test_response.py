"""Response under every rule and evaluable set: the report's numbers, and what missing results do to them."""

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from tables import changed, cohorts, described, make

from blina.linelist.cohort import Group
from blina.measures.choices import EVALUABLE_SETS, RULES
from blina.measures.declare import AFTER, AGREE, BECAME, CELLS, MISSED, STAYED, UNKNOWN_BEFORE
from blina.measures.text import NO_RT_PCR
from blina.measures.views import (
    BURDEN_COLUMNS,
    FLOW_COLUMNS,
    FUSION_COLUMNS,
    RESPONSE_COLUMNS,
    STATED,
)

few = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
CARRIERS_IN_MC = [f"P0{number}" for number in range(1, 7)]
CARRIERS = [*CARRIERS_IN_MC, "P22"]


def counts_of(texts):
    """How many of how many, without what follows."""
    return texts.str.split(" ").str[0]


def texts_of(study, group, rule):
    """The rates of a group by a rule, by evaluable set."""
    return study.rates(group).table.query("rule == @rule").set_index("evaluable_set")["text"]


@pytest.fixture(scope="module")
def table(report):
    return report.rates().table


@pytest.mark.parametrize(
    ("group", "rule", "text"),
    [
        ("MC", "fc", "18/18 (100%, 81.5 to 100)"),
        ("MC", "pcr", "1/6 (16.7%, 0.4 to 64.1)"),
        ("MC", "fc_and_pcr", "13/18 (72.2%, 46.5 to 90.3)"),
        ("RR", "fc", "4/7 (57.1%, 18.4 to 90.1)"),
        ("RR", "fc_and_pcr", "3/7 (42.9%, 9.9 to 81.6)"),
        ("MC + RR", "fc", "22/25 (88.0%, 68.8 to 97.5)"),
        ("MC + RR", "fc_and_pcr", "16/25 (64.0%, 42.5 to 82.0)"),
        ("IC", "fc", "3/3 (100%, 29.2 to 100)"),
        ("IC", "pcr", "0/0"),
    ],
)
def test_the_report_s_rates_over_all_treated(table, group, rule, text):
    row = table.query("group == @group and rule == @rule and evaluable_set == 'all_treated'")
    assert [*row["text"]] == [text]
    assert [*table.columns] == [*RESPONSE_COLUMNS]


def test_the_reported_rates_are_marked_and_never_pooled(table):
    reported = table[table["is_reported"]]
    marked = zip(reported["group"], reported["rule"], counts_of(reported["text"]), strict=True)
    assert [*marked] == [("MC", "fc_and_pcr", "13/18"), ("RR", "fc", "4/7")]
    assert not (table["is_reported"] & table["is_pooled"]).any()


def test_bridging_is_maintenance_and_enters_no_clearance_rate(table):
    bridging = table[table["group"] == "IC"]
    assert set(bridging["measure"]) == {STAYED}
    assert set(bridging.query("evaluable_set == 'positive_before'")["text"]) == {"0/0"}
    assert set(table[table["is_pooled"]]["group"]) == {"MC + RR"}


def test_a_bridging_patient_with_mrd_is_counted_apart(report):
    with_mrd = changed(report, {("P19", "fc_before"): "positive"})
    rates = with_mrd.rates("IC").table.query("rule == 'fc'").set_index(["measure", "evaluable_set"])
    found = counts_of(rates["text"])
    assert found[STAYED, "all_treated"] == "2/2"
    assert found[BECAME, "positive_before"] == "1/1"
    assert found[BECAME, "all_treated"] == "1/1"


def test_a_bridging_patient_not_assessed_before_has_not_stayed_negative(report):
    unknown = changed(report, {("P19", "fc_before"): "not_done"})
    rates = unknown.rates("IC").table.query("rule == 'fc' and evaluable_set == 'all_treated'")
    assert dict(zip(rates["measure"], rates["n"], strict=True)) == {STAYED: 2, UNKNOWN_BEFORE: 1}


def test_one_clearing_group_is_not_pooled_with_itself(report):
    only = described(report.cohort, groups=(report.cohort.group("MC"),))
    lines = [line for line in report.table.cells().to_dict("records") if line["group"] == "MC"]
    lines = [{name: word for name, word in line.items() if name != "provenance"} for line in lines]
    assert not make(lines, only).rates().table["is_pooled"].any()


def test_early_stops_count_as_failures_or_not_at_all(report):
    assert counts_of(texts_of(report, "MC", "fc_and_pcr")).to_dict() == {
        "all_treated": "13/18",
        "positive_before": "13/18",
        "more_than_7_days": "10/15",
        "severe_stops_failed": "11/18",
        "without_severe_stops": "11/16",
    }


def test_positive_before_is_by_the_assay_of_the_rule(table):
    found = table.query("group == 'MC' and evaluable_set == 'positive_before'").set_index("rule")
    assert counts_of(found["text"]).to_dict() == {
        "fc": "16/16",
        "pcr": "1/6",
        "fc_and_pcr": "13/18",
    }


def test_whoever_was_not_assessed_counts_as_not_negative_and_the_set_assessed_leaves_them_out(report, table):
    assert "assessed" not in set(table["evaluable_set"])
    assert not table["not_assessed"].any()
    lacking = changed(
        report,
        {
            ("P01", "fc_after"): "not_done",
            ("P10", "fc_after"): "",
            ("P06", "pcr_after"): "not_done",
        },
    )
    found = lacking.rates("MC").table.set_index(["rule", "evaluable_set"])
    # Worst and best case stand beside the rate: what the two were is not known.
    assert found.loc[("fc", "all_treated"), "text"] == (
        "16/18 (88.9%, 65.3 to 98.6; 2 of the 18 not assessed, counted as not negative; "
        "worst to best case 88.9 to 100%)"
    )
    assert found.loc[("fc", "assessed"), "text"] == "16/16 (100%, 79.4 to 100)"
    counted = ["k", "n", "not_assessed"]
    assert found.loc[("pcr", "all_treated"), counted].to_list() == [0, 6, 1]
    # P01 is positive by RT-PCR, but has no FC; P06 is negative by FC, but has no RT-PCR.
    assert found.loc[("fc_and_pcr", "all_treated"), counted].to_list() == [11, 18, 3]
    # P01 stays positive whatever FC had found: two of the three could have been negative.
    ends = found.loc[("fc_and_pcr", "all_treated"), ["percent_least", "percent_greatest"]]
    assert ends.to_list() == [pytest.approx(1100 / 18), pytest.approx(1300 / 18)]


@pytest.mark.parametrize("result", ["positive", "negative"])
def test_who_is_assessed_does_not_depend_on_the_result(report, result):
    lacking = changed(report, {("P01", "fc_after"): result, ("P01", "pcr_after"): "not_done"})
    n = lacking.rates("MC").table.query("rule == 'fc_and_pcr'").set_index("evaluable_set")["n"]
    assert (n["assessed"], n["all_treated"]) == (17, 18)


def test_a_ward_s_groups_of_different_purposes_are_not_pooled(report):
    ward = changed(report, {}, reconstructed=False)
    assert not ward.rates().table["is_pooled"].any()
    alike = []
    for group in ward.cohort.groups:
        alike.append(group.model_copy(update={"purpose": "clearance"}))
    same = changed(report, {}, reconstructed=False, groups=tuple(alike)).rates().table
    assert set(same.loc[same["is_pooled"], "group"]) == {"MC + IC + RR"}


def without_pcr_after(report):
    return changed(report, {(patient, "pcr_after"): "not_done" for patient in CARRIERS})


def test_without_rt_pcr_after_there_is_no_rate_by_it(report):
    study = without_pcr_after(report)
    found = study.rates("MC").table
    with_pcr = found[found["rule"] != "fc"]
    assert set(with_pcr["text"]) == {NO_RT_PCR}
    assert not with_pcr["n"].any()
    assert with_pcr["percent"].isna().all()
    assert texts_of(study, "MC", "fc")["all_treated"].startswith("18/18 ")
    contrast = study.fusion(["MC"]).table.set_index("rule")
    assert [*contrast["carriers_text"]] == ["6/6 (100%, 54.1 to 100)", NO_RT_PCR, NO_RT_PCR]
    assert contrast.loc["fc_and_pcr", "test_text"] == "no patients to compare with"


def test_rt_pcr_counts_carriers_and_whoever_has_a_result_by_it(report):
    unknown = {}
    for patient in ("P07", "P08"):
        unknown[patient, "bcr_abl1"] = ""
        unknown[patient, "pcr_before"] = unknown[patient, "pcr_after"] = "not_done"
    found = changed(report, unknown | {("P08", "pcr_after"): "negative"})
    # Six carriers and P08, not P07, of whom nothing is known.
    assert texts_of(found, "MC", "pcr")["all_treated"].startswith("2/7 ")


def test_a_group_without_a_purpose_is_always_negative_after_whatever_was_found_before(report):
    ours = (Group(name="ours", label="ours"),)
    moved = {(patient, "group"): "ours" for patient in report.table.ids}
    for status in ("", "negative"):
        same = {(patient, "fc_before"): status for patient in report.table.ids}
        rates = changed(report, moved | same, groups=ours).rates().table
        assert set(rates["measure"]) == {BECAME}


def test_whose_days_or_reason_are_not_recorded_is_left_out_of_the_sets_that_depend_on_them(report):
    lacking = changed(report, {("P01", "infusion_days"): "", ("P01", "stop_reason"): ""})
    found = lacking.rates("MC").table.query("rule == 'fc'").set_index("evaluable_set")
    assert found["n"].to_dict() == {
        "all_treated": 18,
        "positive_before": 16,
        "more_than_7_days": 14,
        "severe_stops_failed": 18,
        "without_severe_stops": 15,
    }
    assert found.loc["more_than_7_days", "text"] == (
        "14/14 (100%, 76.8 to 100; 1 more left out, not recorded; worst to best case 100%)"
    )
    # Whether P01 failed depends on why the infusion ended: no single number can be given.
    assert found.loc["severe_stops_failed", "text"] == "15 to 16 of 18, 1 not recorded"
    assert pd.isna(found.loc["severe_stops_failed", "percent"])


@given(cohorts())
@few
def test_rules_and_sets_are_ordered_as_their_meaning_says(study):
    table = study.rates().table
    keys = ["group", "measure", "is_pooled", "rule", "evaluable_set"]
    k = table.set_index(keys)["k"].unstack(["rule", "evaluable_set"])
    n = table.set_index(keys)["n"].unstack(["rule", "evaluable_set"])
    # The set of those positive before is another one for each rule.
    same = [one.id for one in EVALUABLE_SETS if one.id != "positive_before"]
    # Where no patient has RT-PCR that may follow some, the joint rule has no rate.
    assert (k["fc_and_pcr"][same] <= k["fc"][same]).all(axis=None)
    assert (n["fc"]["positive_before"] <= n["fc_and_pcr"]["positive_before"]).all()
    assert (n["pcr"]["positive_before"] <= n["fc_and_pcr"]["positive_before"]).all()
    for rule in RULES:
        sets = k[rule.id]
        assert (sets["severe_stops_failed"] == sets["without_severe_stops"]).all()


# Carriers of a fusion gene


def test_fusion_carriers_against_the_others(report):
    table = report.fusion().table
    assert [*table.columns] == [*FUSION_COLUMNS]
    row = table.query("group == 'MC' and rule == 'fc_and_pcr'").iloc[0]
    assert row["carriers_text"] == "1/6 (16.7%, 0.4 to 64.1)"
    assert row["others_text"] == "12/12 (100%, 73.5 to 100)"
    assert row["p"] == pytest.approx(13 / 18564)
    by_pcr = table.query("rule == 'pcr' and group != 'MC + RR'")
    assert set(by_pcr["test_text"]) == {"no patients to compare with"}


def test_no_p_is_computed_over_groups_that_were_treated_for_different_reasons(report):
    # It used to be: p = 0.003 over MC and RR said nothing about why children were treated.
    pooled = report.fusion(["MC + RR"]).table
    assert pooled["p"].isna().all()
    assert set(pooled["test_text"]) == {"not tested: the groups were treated for different reasons"}
    alike = []
    for group in report.cohort.groups:
        purpose = "bridging" if group.name == "IC" else "clearance"
        alike.append(group.model_copy(update={"purpose": purpose}))
    same = changed(report, {}, groups=tuple(alike)).fusion(["MC + RR"]).table.set_index("rule")
    assert same.loc["fc_and_pcr", "p"] == pytest.approx(5865 / 2042975)


def test_a_side_of_the_contrast_of_which_nobody_was_assessed_is_not_tested(report):
    lacking = changed(report, {(patient, "fc_after"): "not_done" for patient in CARRIERS})
    row = lacking.fusion(["MC"]).table.query("rule == 'fc'").iloc[0]
    assert (row["carriers_text"], row["carriers_not_assessed"]) == ("0 of 6 assessed", 6)
    assert row["others_n"] == 12
    assert pd.isna(row["p"])
    assert row["test_text"] == "no patients to compare with"


def test_a_carrier_who_was_not_assessed_is_told_beside_the_rate_of_carriers(report):
    lacking = changed(report, {("P06", "pcr_after"): "not_done"})
    row = lacking.fusion(["MC"]).table.query("rule == 'pcr'").iloc[0]
    assert row["carriers_text"] == "0/5 (0%, 0 to 52.2); 1 more not assessed"


def test_who_may_carry_the_fusion_gene_is_on_neither_side(report):
    unknown = changed(report, {("P01", "bcr_abl1"): "", ("P10", "bcr_abl1"): ""})
    row = unknown.fusion(["MC"]).table.query("rule == 'fc'").iloc[0]
    assert (row["carriers_n"], row["others_n"], row["not_recorded"]) == (5, 11, 2)


@given(cohorts())
@few
def test_carriers_and_others_make_up_the_group(study):
    both = study.fusion().table.set_index(["group", "measure", "rule"])
    whole = study.rates().table.query("evaluable_set == 'all_treated'")
    whole = whole.set_index(["group", "measure", "rule"])
    assert (both["carriers_k"] + both["others_k"]).equals(whole["k"].reindex(both.index))
    assert (both["carriers_n"] + both["others_n"]).equals(whole["n"].reindex(both.index))


# Burden before against response


def test_burden_against_response_in_the_reinduction_group(report):
    points = report.burden_points("RR")
    assert points["value_percent"].is_monotonic_increasing
    assert [*points["responded"]] == [True] * 4 + [False] * 3
    test = report.burden("RR").table
    assert [*test.columns] == [*BURDEN_COLUMNS]
    row = test.iloc[0]
    assert row["p"] == row["smallest_attainable"] == pytest.approx(2 / 35)
    assert (row["others_median"], row["others_range"]) == ("45.10", "22.64 to 78.30")
    sizes = row[["n", "without_value", "responders", "others"]]
    assert sizes.to_list() == [7, 0, 4, 3]


def test_burden_without_contrast_or_without_values_says_so(report):
    groups = []
    for group in report.cohort.groups:
        groups.append(group.model_copy(update={"reported_rule": "fc"}))
    by_fc = changed(report, {}, groups=tuple(groups))
    assert by_fc.burden("MC").table.loc[0, "test_text"] == "no patients to compare with"
    bridging = report.burden("IC")
    row = bridging.table.loc[0]
    assert row["rule"] == "fc"
    assert (row["n"], row["without_value"]) == (0, 3)
    assert (row["others_median"], row["others_range"]) == ("none", "")
    assert repr(bridging).startswith("No patient has an MRD value before and an outcome after")


def test_burden_leaves_out_who_was_not_assessed_and_rounds_no_value(report):
    fine = {("P22", "fc_after"): "not_done", ("P23", "mrd_before_percent"): "0.0795"}
    row = changed(report, fine).burden("RR").table.iloc[0]
    assert (row["n"], row["without_value"]) == (6, 1)
    assert row["responders_range"] == "0.0795 to 3.5000"


@given(cohorts())
@few
def test_burden_counts_every_patient_of_the_group_once(study):
    table = study.burden().table
    assert (table["responders"] + table["others"] == table["n"]).all()
    for group, n, without in zip(table["group"], table["n"], table["without_value"], strict=True):
        assert n + without == (study.patients["group"] == group).sum()
        assert len(study.burden_points(group)) == n


# Flow, statuses and concordance


def test_the_report_s_flow(report):
    counts = report.flow()
    assert [*counts.columns] == [*FLOW_COLUMNS]
    stages = ["treated", "MRD before", "end of cycle 1", "MRD after"]
    assert [*counts["stage"].unique()] == stages
    n = counts.groupby(["stage", "state"])["n"].agg(list)
    assert [n["MRD after", state] for state in AFTER[:3]] == [[13, 3, 3], [5, 0, 1], [0, 0, 3]]
    assert n["MRD before", "not detected"] == [0, 3, 0]
    assert n["end of cycle 1", "severe_reaction"] == [2, 0, 0]


def test_flow_tells_not_assessed_from_positive(report):
    lacking = {
        ("P01", "fc_after"): "not_done",
        ("P10", "fc_after"): "",
        ("P19", "fc_before"): "not_done",
    }
    n = changed(report, lacking).flow().set_index(["stage", "state", "group"])["n"]
    assert n["MRD after", "positive by RT-PCR, FC not assessed", "MC"] == 1
    assert n["MRD after", "not assessed", "MC"] == 1
    assert n["MRD before", "not assessed", "IC"] == 1


@given(cohorts())
@few
def test_the_flow_agrees_with_the_rates_and_loses_nobody(study):
    counts = study.flow()
    assert set(counts.groupby("stage")["n"].sum()) == {len(study.patients)}
    after = counts[counts["stage"] == "MRD after"]
    found = after[after["state"] == AFTER[0]].set_index("group")["n"]
    strict = study.rates().table.query("rule == 'fc_and_pcr' and evaluable_set == 'all_treated'")
    strict = strict[~strict["is_pooled"] & strict["stated"]].groupby("group")["k"].sum()
    assert all(found.get(name, 0) == k for name, k in strict.items())


def test_a_status_that_was_not_done_or_not_recorded_is_listed_where_it_occurs(report):
    lacking = changed(report, {("P01", "fc_after"): "not_done", ("P10", "fc_after"): ""})
    found = lacking.statuses("MC").table.set_index(["assay", "time", "status"])["k"]
    assert (found["FC", "after", "not_done"], found["FC", "after", "not recorded"]) == (1, 1)
    assert len(found) == 14
    assert found["RT-PCR", "before", "not_applicable"] == 12


@pytest.mark.parametrize(
    ("group", "time", "cells", "agree", "missed"),
    [
        ("MC", "before", "4/6 0/6 2/6 0/6", "4/6", "2/2 (100%, 15.8 to 100)"),
        ("MC", "after", "0/6 0/6 5/6 1/6", "1/6", "5/6 (83.3%, 35.9 to 99.6)"),
        ("IC", "before", "0/0 0/0 0/0 0/0", "0/0", "0/0"),
        ("RR", "before", "1/1 0/1 0/1 0/1", "1/1", "0/0"),
        ("RR", "after", "0/1 0/1 1/1 0/1", "0/1", "1/1 (100%, 2.5 to 100)"),
    ],
)
def test_fc_against_rt_pcr_counts_carriers_alone(report, group, time, cells, agree, missed):
    table = report.concordance().table.query("group == @group and time == @time")
    text = table.set_index("counted")["text"]
    assert [text[cell].split()[0] for cell in CELLS] == cells.split()
    assert text[AGREE].split()[0] == agree
    assert text[MISSED] == missed


@few
@given(cohorts())
def test_the_four_cells_are_all_carriers_and_hold_who_agrees_and_who_is_missed(study):
    table = study.concordance().table
    assert [*table.columns] == ["group", "time", "counted", *STATED]
    carriers = study.patients[study.patients["bcr_abl1"]].groupby("group").size()
    for (group, _), rows in table.groupby(["group", "time"]):
        rows = rows.set_index("counted")
        both, fc_only, pcr_only, neither = rows.loc[[*CELLS], "k"]
        size = carriers.get(group, 0)
        assert both + fc_only + pcr_only + neither == rows.loc[AGREE, "n"] == size
        assert rows.loc[AGREE, "k"] == both + neither
        assert rows.loc[MISSED, "k"] == pcr_only
        assert rows.loc[MISSED, "n"] == pcr_only + neither
