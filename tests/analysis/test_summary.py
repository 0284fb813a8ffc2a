"""The answer in a few lines: the same numbers as the tables, open where they are open, and nothing said of nobody."""

import re

import pytest
from tables import changed, described, lines_of, make

from blina.analysis import summary
from blina.analysis.study import open_study
from blina.measures.choices import ALL_SETS, RULES


@pytest.fixture(scope="module")
def study():
    return open_study("tianjin2023")


@pytest.fixture(scope="module")
def ours(study):
    """The same rows as if they were a hospital's own patients."""
    return changed(study, {}, reconstructed=False, doi=None)


def everywhere(study, group, *columns, word):
    """The cells of these columns in a group, but where RT-PCR follows nothing."""
    cells = {}
    for line in lines_of(study):
        for column in columns:
            if line["group"] == group and line[column] != "not_applicable":
                cells[line["patient_id"], column] = word
    return cells


def test_the_answer_has_a_line_for_each_group_and_one_for_safety(study):
    lines = summary.answer(study)
    assert len(lines) == 4
    for line, group in zip(lines, study.cohort.groups, strict=False):
        assert line.startswith(f"**{group.name}, {group.label}.** ")
    safety = "**Safety, everybody treated.** Grade 3 or more: CRS 0/28 (0%, 0 to 12.3); ICANS 1/28"
    assert lines[3].startswith(safety)


def test_each_rate_in_the_answer_is_one_of_the_tables_with_its_interval(study):
    rates = study.rates().table.query("evaluable_set in ('all_treated', 'positive_before')")
    contrast = study.fusion().table
    for line, group in zip(summary.answer(study), study.cohort.groups, strict=False):
        whole = rates[rates["group"] == group.name]
        carriers = contrast[contrast["group"] == group.name]
        stated = {*whole["text"], *carriers["carriers_text"], *carriers["carriers_before_text"]}
        written = set(re.findall(r"\d+/\d+ \([^)]*\)", line))
        assert written
        assert written <= stated


def test_the_rule_of_a_printed_rate_is_marked_and_only_there(study):
    mc, ic, rr, _ = summary.answer(study)
    assert "by FC and RT-PCR (as printed)" in mc
    assert mc.count("as printed") == 1
    assert "by FC (as printed)" in rr
    assert rr.count("as printed") == 1
    assert "as printed" not in ic
    assert "no response rate" in ic
    assert "Stayed MRD negative" in ic


def test_an_open_number_is_given_by_its_bounds(study):
    leading = "of those positive before by the same assay: open, 15/15 or 16/16 by FC;"
    assert leading in summary.answer(study)[0]


def test_burden_is_told_where_remission_was_to_be_reinduced(study):
    mc, _, rr, _ = summary.answer(study)
    assert ("MRD before was 0.08 to 8.37% in those negative after by FC and 22.64 to 78.30% in the others.") in rr
    assert "MRD before was" not in mc


def test_crs_is_told_both_ways_and_an_ungraded_reaction_is_no_grade(study):
    safety = summary.answer(study)[3]
    both = "CRS 2/28 (7.1%, 0.9 to 23.5), or up to 17/28 (60.7%, 40.6 to 78.5) if fever alone"
    assert both in safety
    assert "severe reaction, not named or graded 1/28" in safety


def test_a_group_without_patients_is_not_judged(ours):
    lines = [line for line in lines_of(ours) if line["group"] != "IC"]
    empty = make(lines, described(ours.cohort, groups_stated=True))
    assert summary.answer(empty)[1].endswith("No patients.")


def test_how_firm_it_is_begins_with_the_rules_and_names_the_readings_under_each_line(study):
    words = summary.how_firm(study)
    assert "by FC and RT-PCR 13/18 and 3/7; by FC 18/18 and 4/7" in words
    assert "All 66 claims can be true together" in words
    for resting in (
        "RR, negative by FC (R14)",
        "RR, negative by FC and RT-PCR (R1, R14)",
        "IC, negative by FC (R15)",
        "fever (R10, R11)",
        "CRS (R5, R10)",
        "ICANS (R10)",
        "without a name (R4)",
    ):
        assert resting in words
    assert "MC, negative" not in words


def test_one_rule_for_all_printed_rates_needs_no_warning(study):
    warning = "*The printed rates of MC and RR follow different rules"
    assert summary.rules_differ(study).startswith(warning)
    groups = []
    for group in study.cohort.groups:
        groups.append(group.model_copy(update={"reported_rule": "fc"}))
    assert summary.rules_differ(changed(study, {}, groups=tuple(groups))) == ""


def test_reconstructed_rows_are_said_to_be_no_patients_and_real_ones_are_not(study, ours):
    assert "not patients: reconstructed from published aggregates" in summary.what(study.cohort)
    words = summary.what(ours.cohort)
    assert "reconstructed" not in words
    assert "doi" not in words
    assert "One row of the line list is one patient" in words


def test_the_response_table_has_every_rate_and_marks_the_printed_ones(study):
    table = summary.response_table(study).table
    every = study.rates().table
    assert len(table) * len(RULES) == len(every)
    keys = ["group", "measure", "evaluable_set"]
    found = table.melt(keys, var_name="rule", value_name="text")
    labels = {one.label: one.id for one in (*RULES, *ALL_SETS)}
    for name in ("rule", "evaluable_set"):
        found[name] = found[name].map(labels)
    both = found.merge(every, on=[*keys, "rule"], validate="one_to_one")
    marked = both["text_x"].str.endswith(summary.AS_PRINTED)
    assert len(both) == len(every)
    assert (marked == both["is_reported"]).all()
    assert marked.sum() == 2
    assert (both["text_x"].str.removesuffix(summary.AS_PRINTED) == both["text_y"]).all()


def test_the_strobe_table_goes_through_the_items_and_says_what_is_missing(study, ours, tmp_path):
    _, view = summary.strobe(study)
    numbers = [int(item) for item in view.table["item"]]
    assert numbers == sorted(set(numbers))
    assert {*range(5, 10), *range(12, 18), 19} <= set(numbers)
    assert view.table.ne("").all(axis=None)
    assert summary.strobe(changed(ours, {}, folder=tmp_path)) == []


def test_a_ward_without_rt_pcr_after_gets_no_rate_by_it(ours):
    no_pcr = everywhere(ours, "MC", "pcr_after", word="not_done")
    mc = summary.answer(changed(ours, no_pcr))[0]
    assert "18/18 (100%, 81.5 to 100) by FC" in mc
    assert "; no RT-PCR after treatment" in mc
    assert "Carriers of *BCR::ABL1*, all: 6/6 (100%, 54.1 to 100) by FC" in mc
    assert "by FC and RT-PCR" not in mc


def test_where_nobody_was_positive_before_there_was_nothing_to_clear(ours):
    before = ("fc_before", "pcr_before")
    none = everywhere(ours, "MC", *before, word="negative")
    blank = everywhere(ours, "MC", "mrd_before_percent", word="")
    mc = summary.answer(changed(ours, none | blank))[0]
    assert "No patient was found MRD positive by FC before, so there was nothing to clear" in mc
    assert "Negative after, of all treated" not in mc


def test_where_mrd_before_was_not_looked_for_it_is_not_said_that_there_was_none(ours):
    unknown = everywhere(ours, "MC", "fc_before", "pcr_before", word="not_done")
    mc = summary.answer(changed(ours, unknown))[0]
    assert "nothing to clear" not in mc
    assert "18 more left out, not recorded" in mc
    assert "Negative after, of all treated: 18/18 (100%, 81.5 to 100) by FC" in mc


def test_an_end_that_is_not_recorded_is_no_stop_but_may_be_one(ours):
    blank = {(patient, "stop_reason"): "" for patient in ours.table.ids[:5]}
    safety = summary.answer(changed(ours, blank))[-1]
    stopped, _, lacking = safety.partition("Stopped early: ")[2].partition(". How cycle 1 ended is ")
    assert lacking == "not recorded for 5 of 28."
    assert re.search(r"severe reaction \d to \d of 28, 5 not recorded", stopped)


def test_a_range_of_one_or_two_patients_is_not_told(ours):
    rr = summary.answer(ours)[2]
    assert "22.64 to 78.30% in the others." in rr
    gone = next(line["patient_id"] for line in lines_of(ours) if line["fc_after"] == "positive")
    two = [line for line in lines_of(ours) if line["patient_id"] != gone]
    assert "MRD before was" not in summary.answer(make(two, ours.cohort))[2]
