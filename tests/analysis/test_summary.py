"""The answer in a few lines: the same numbers as the tables, open where they are open, and nothing said of nobody."""

import re

import pytest
from blina.analysis.open import load_bounds, with_bounds
from blina.analysis.response import EVALUABLE_SETS, RULES, fusion_contrast, rates

from blina.analysis import questions, summary
from blina.linelist.tidy import load


@pytest.fixture(scope="module")
def study():
    return load("tianjin2023")


@pytest.fixture(scope="module")
def known(study):
    return load_bounds(study.cohort)


@pytest.fixture(scope="module")
def ours(study):
    """The same rows as if they were a hospital's own patients."""
    cohort = study.cohort.model_copy(update={"reconstructed": False, "doi": None})
    return type(study)(cohort, study.patients, study.mrd, study.events)


def test_the_answer_has_a_line_for_each_group_and_one_for_safety(study, known):
    lines = summary.answer(study, known)
    assert len(lines) == 4
    for line, group in zip(lines, study.cohort.groups, strict=False):
        assert line.startswith(f"**{group.name}, {group.label}.** ")
    assert lines[3].startswith("**Safety, everybody treated.** Grade 3 or more: CRS 0/28 (0%, 0 to 12.3); ICANS 1/28")


def test_each_rate_in_the_answer_is_that_of_the_tables_with_its_interval(study, known):
    table = rates(study.patients, study.mrd, study.cohort).query("evaluable_set == 'all_treated' and not is_pooled")
    contrast = fusion_contrast(study.patients, study.mrd, study.cohort).query("carriers_n > 0")
    for line, group in zip(summary.answer(study, known), study.cohort.groups, strict=False):
        whole, carriers = (one[(one["group"] == group.name) & one["rule"].isin(summary.STATED_RULES)]
                           for one in (table, contrast))  # fmt: skip
        stated = {*whole["text"], *carriers["carriers_text"]}
        assert set(re.findall(r"\d+/\d+ \([^)]*\)", line)) == stated


def test_the_rule_of_a_printed_rate_is_marked_and_only_there(study, known):
    mc, ic, rr, _ = summary.answer(study, known)
    assert "by FC and RT-PCR (as printed)" in mc and mc.count("as printed") == 1
    assert "by FC (as printed)" in rr and rr.count("as printed") == 1
    assert "as printed" not in ic and "no response rate" in ic and "Stayed MRD negative" in ic


def test_an_open_number_is_given_by_its_bounds(study, known):
    assert "Among those positive by FC before: open, all of 15 to 16 by FC." in summary.answer(study, known)[0]


def test_burden_is_told_where_remission_was_to_be_reinduced(study, known):
    mc, _, rr, _ = summary.answer(study, known)
    assert "MRD before was 0.08 to 8.37% in those negative after by FC and 22.64 to 78.30% in the others." in rr
    assert "MRD before was" not in mc


def test_crs_is_told_both_ways_and_an_ungraded_reaction_is_no_grade(study, known):
    safety = summary.answer(study, known)[3]
    assert "CRS 2/28 (7.1%, 0.9 to 23.5), or up to 17/28 (60.7%, 40.6 to 78.5) if fever alone" in safety
    assert "severe reaction, not named or graded 1/28" in safety


def test_a_group_without_patients_is_not_judged(ours):
    none = ours.only("IC")
    empty = type(ours)(ours.cohort, *(table[~table["patient_id"].isin(none.patients["patient_id"])]
                                      for table in (ours.patients, ours.mrd, ours.events)))  # fmt: skip
    assert summary.answer(empty, None)[1].endswith("Nobody to judge.")


def test_how_firm_it_is_begins_with_the_rules_and_names_the_readings_under_each_line(study):
    said = summary.how_firm(study)
    assert "by FC and RT-PCR 13/18 and 3/7; by FC 18/18 and 4/7" in said
    assert "All 66 claims can be true together" in said
    for words in ("RR, negative by FC (R14)", "RR, negative by FC and RT-PCR (R1, R14)", "IC, negative by FC (R15)",
                  "fever (R10, R11)", "CRS (R5, R10)", "ICANS (R10)", "without a name (R4)"):  # fmt: skip
        assert words in said
    assert "MC, negative" not in said


def test_one_rule_for_all_printed_rates_needs_no_warning(study):
    groups = [group.model_copy(update={"reported_rule": "fc"}) for group in study.cohort.groups]
    same = study.cohort.model_copy(update={"groups": tuple(groups)})
    assert summary.rules_differ(study).startswith("*The printed rates of MC and RR follow different rules")
    assert summary.rules_differ(type(study)(same, study.patients, study.mrd, study.events)) == ""


def test_reconstructed_rows_are_said_to_be_no_patients_and_real_ones_are_not(study, ours):
    assert "not patients: reconstructed from published aggregates" in summary.what(study.cohort)
    said = summary.what(ours.cohort)
    assert "reconstructed" not in said and "doi" not in said and "One row of the line list is one patient" in said


def test_the_response_table_has_every_rate_and_marks_the_printed_ones(study, known):
    table = summary.response_table(study, known)
    every = with_bounds(rates(study.patients, study.mrd, study.cohort), questions.of_rates, known)
    assert len(table) * len(RULES) == len(every)
    found = table.melt(["group", "measure", "evaluable_set"], var_name="rule", value_name="text")
    labels = {one.label: one.id for one in (*RULES, *EVALUABLE_SETS)}
    found["rule"], found["evaluable_set"] = (found[name].map(labels) for name in ("rule", "evaluable_set"))
    both = found.merge(every, on=["group", "measure", "rule", "evaluable_set"], validate="one_to_one")
    marked = both["text_x"].str.endswith(summary.AS_PRINTED)
    assert len(both) == len(every) and (marked == both["is_reported"]).all() and marked.sum() == 2
    assert (both["text_x"].str.removesuffix(summary.AS_PRINTED) == both["text_y"]).all()


def test_the_strobe_table_goes_through_the_items_and_says_what_is_missing(study, ours, tmp_path):
    items = summary.strobe(study)
    numbers = [int(item) for item in items["item"]]
    assert numbers == sorted(set(numbers)) and {*range(5, 10), *range(12, 18), 19} <= set(numbers)
    assert items.ne("").all(axis=None)
    elsewhere = ours.cohort.model_copy(update={"folder": tmp_path})
    assert summary.strobe(type(ours)(elsewhere, ours.patients, ours.mrd, ours.events)) is None


def changed(study, group, status, **where):
    """The same rows with one status in all of a group's MRD where a time or assay is as given."""
    mine = study.mrd["patient_id"].isin(study.only(group).patients["patient_id"])
    for name, value in where.items():
        mine &= study.mrd[name].eq(value)
    mine &= study.mrd["status"].ne("not_applicable")
    mrd = study.mrd.assign(status=study.mrd["status"].mask(mine, status))
    return type(study)(study.cohort, study.patients, mrd, study.events)


def test_a_ward_without_rt_pcr_after_gets_no_rate_by_it(ours):
    mc = summary.answer(changed(ours, "MC", "not_done", time="after", assay="RT-PCR"), None)[0]
    assert "18/18 (100%, 81.5 to 100) by FC; no RT-PCR after treatment" in mc
    assert "Carriers of *BCR::ABL1*: 6/6 (100%, 54.1 to 100) by FC; no RT-PCR after treatment." in mc


def test_where_nobody_was_positive_before_there_was_nothing_to_clear(ours):
    mc = summary.answer(changed(ours, "MC", "negative", time="before"), None)[0]
    assert "Nobody was found MRD positive before, so there was nothing to clear." in mc
    assert "%" not in mc
    unknown = summary.answer(changed(ours, "MC", "not_done", time="before"), None)[0]
    assert "18/18" in unknown and "MRD before is recorded of nobody." in unknown


def test_an_end_that_is_not_recorded_is_no_stop(ours):
    patients = ours.patients.assign(stop_reason=ours.patients["stop_reason"].mask(ours.patients.index < 5))
    safety = summary.answer(type(ours)(ours.cohort, patients, ours.mrd, ours.events), None)[-1]
    stopped, _, lacking = safety.partition("Stopped early: ")[2].partition(". How cycle 1 ended is ")
    assert "not recorded" not in stopped and lacking == "not recorded of 5 of 28."


def test_a_range_of_one_or_two_patients_is_not_told(ours):
    rr = ours.only("RR")
    assert "22.64 to 78.30% in those positive." in summary.answer(rr, None)[0]
    after_fc = rr.mrd[(rr.mrd["time"] == "after") & (rr.mrd["assay"] == "FC")]
    positive = after_fc.loc[after_fc["status"] == "positive", "patient_id"]
    ids = set(rr.patients["patient_id"]) - {positive.iloc[0]}
    fewer = type(rr)(rr.cohort, *(table[table["patient_id"].isin(ids)] for table in (rr.patients, rr.mrd, rr.events)))
    assert "MRD before was" not in summary.answer(fewer, None)[0]
