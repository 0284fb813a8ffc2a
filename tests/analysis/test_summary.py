"""The answer in a few lines: the same numbers as the tables, open where they are open, and nothing said of nobody."""

import re

import pytest

from blina.analysis import questions, summary
from blina.analysis.open import load_bounds, with_bounds
from blina.analysis.response import EVALUABLE_SETS, RULES, rates
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


def test_each_rate_in_the_answer_is_that_of_the_table_with_its_interval(study, known):
    table = rates(study.patients, study.mrd, study.cohort).query("evaluable_set == 'all_treated' and not is_pooled")
    for line, group in zip(summary.answer(study, known), study.cohort.groups, strict=False):
        texts = table[(table["group"] == group.name) & table["rule"].isin(summary.STATED_RULES)]["text"]
        assert set(re.findall(r"\d+/\d+ \([^)]*\)", line)) == set(texts)


def test_the_rule_of_a_printed_rate_is_marked_and_only_there(study, known):
    mc, ic, rr, _ = summary.answer(study, known)
    assert "by FC and RT-PCR (the rule of the printed rate)" in mc and mc.count("printed rate") == 1
    assert "by FC (the rule of the printed rate)" in rr and rr.count("printed rate") == 1
    assert "printed rate" not in ic and "no response rate" in ic and "Stayed negative" in ic


def test_a_group_without_patients_is_not_judged(ours):
    none = ours.only("IC")
    empty = type(ours)(ours.cohort, *(table[~table["patient_id"].isin(none.patients["patient_id"])]
                                      for table in (ours.patients, ours.mrd, ours.events)))  # fmt: skip
    assert summary.answer(empty, None)[1].endswith("Nobody to judge.")


def test_how_firm_it_is_counts_claims_and_names_the_readings_that_the_lines_rest_on(study):
    said = summary.how_firm(study)
    assert "66 of 66 claims hold" in said
    assert "RR, negative after by FC and RT-PCR (R1)" in said and "fever in cycle 1 (R10, R11)" in said
    assert "The printed rates of MC and RR follow different rules" in said


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
    marked = both["text_x"].str.endswith(", as reported")
    assert len(both) == len(every) and (marked == both["is_reported"]).all() and marked.sum() == 2
    assert (both["text_x"].str.removesuffix(", as reported") == both["text_y"]).all()


def test_the_strobe_table_goes_through_the_items_and_says_what_is_missing(study, ours, tmp_path):
    items = summary.strobe(study)
    numbers = [int(item) for item in items["item"]]
    assert numbers == sorted(set(numbers)) and {*range(5, 10), *range(12, 18), 19} <= set(numbers)
    assert items.ne("").all(axis=None)
    elsewhere = ours.cohort.model_copy(update={"folder": tmp_path})
    assert summary.strobe(type(ours)(elsewhere, ours.patients, ours.mrd, ours.events)) is None
