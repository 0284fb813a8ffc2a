"""Inputs for which a report once stated a wrong number without a word, each with what must be said instead.

Every ward here is invented. Where a kind of mistake has several forms, each form is an input of its own.
"""

import csv
from fractions import Fraction
from math import isnan
from pathlib import Path

import pytest
from tables import MISSING, make

from blina.analysis import summary
from blina.analysis.study import open_study
from blina.linelist.cohort import Cohort, Group
from blina.measures import text
from blina.measures.text import NO_RT_PCR

CHILD = {
    "group": "MC",
    "sex": "female",
    "age_years": "7.5",
    "bcr_abl1": "no",
    "months_from_diagnosis": "4",
    "infusion_days": "28",
    "stop_reason": "completed",
    "extra_cycles": "0",
    "mrd_before_percent": "0.2",
    "fc_before": "positive",
    "fc_after": "negative",
    "pcr_before": "not_applicable",
    "pcr_after": "not_applicable",
    "fever_cycle1": "no",
    "crs_grade": "0",
    "icans_grade": "0",
}
MC = Group(name="MC", label="clearing MRD", purpose="clearance")
RR = Group(name="RR", label="reinduction", purpose="reinduction")
CARRIER = {"bcr_abl1": "yes", "pcr_before": "positive", "pcr_after": "negative"}
NO_PCR = {"pcr_before": "", "pcr_after": ""}


def ward(*children, groups=(MC,)):
    """A ward's study: each child as the one above but for these cells."""
    cohort = Cohort(
        name="ward",
        folder=Path("ward"),
        title="invented",
        groups=groups,
        groups_stated=True,
        missing_allowed=MISSING,
    )
    return make([CHILD | child for child in children], cohort)


def rate(study, rule, evaluable_set="all_treated", group="MC"):
    return study.results.get("response", group, "negative after", "", rule, evaluable_set)


def stopped(study, reason="severe_reaction"):
    return study.results.get("stops", "MC", "end of cycle 1", reason)


def ends(span):
    return span.lower, span.upper


# RT-PCR that is absent is not recorded, and never "not applicable"


@pytest.mark.parametrize(
    "children",
    [
        [NO_PCR, NO_PCR],
        [NO_PCR | {"bcr_abl1": "yes"}, NO_PCR],
        [NO_PCR | {"bcr_abl1": ""}, {}],
        [{"bcr_abl1": "yes", "pcr_before": "positive", "pcr_after": "not_done"}, {}],
    ],
    ids=["no column", "a carrier", "carrier or not is unknown", "not done"],
)
def test_without_any_rt_pcr_that_may_be_due_the_joint_rule_has_no_rate(children):
    study = ward(*children)
    for rule in ("pcr", "fc_and_pcr"):
        found = rate(study, rule)
        assert not found.here.stated
        assert found.value is None
        assert text.rate(found) == NO_RT_PCR
    assert text.rate(rate(study, "fc")).startswith("2/2 ")


@pytest.mark.parametrize(
    ("after", "counts"),
    [
        (("positive", "positive"), "0/2"),
        (("positive", "negative"), "1/2"),
        (("positive", ""), "0/2"),
        (("positive", "not_done"), "0/2"),
    ],
)
def test_children_positive_by_rt_pcr_after_are_never_negative_by_both(after, counts):
    study = ward(*({**CARRIER, "pcr_after": found} for found in after))
    assert text.counts(rate(study, "fc_and_pcr")) == counts
    assert text.counts(rate(study, "fc")) == "2/2"


def test_where_rt_pcr_follows_nobody_the_joint_rule_is_that_of_fc():
    study = ward({}, {"fc_after": "positive"})
    assert text.rate(rate(study, "fc_and_pcr")) == text.rate(rate(study, "fc"))
    assert text.rate(rate(study, "pcr")) == "0/0"


# A fusion gene other than BCR::ABL1


GENE_AFTER = [
    ("ETV6::RUNX1", "negative", "1/1 (100%, 2.5 to 100)"),
    ("TCF3::PBX1", "positive", "0/1 (0%, 0 to 97.5)"),
    ("KMT2A", "negative", "1/1 (100%, 2.5 to 100)"),
    ("another", "positive", "0/1 (0%, 0 to 97.5)"),
]


@pytest.mark.parametrize(("gene", "after", "words"), GENE_AFTER)
def test_carriers_of_another_gene_are_shown_by_its_name_and_not_as_bcr_abl1(gene, after, words):
    followed = {"fusion_gene": gene, "pcr_before": "positive", "pcr_after": after}
    study = ward(followed, {"fusion_gene": "none"}, {"fusion_gene": "none"})
    table = study.fusion().table.query("rule == 'fc_and_pcr'").set_index("gene")
    assert table.loc[gene, "carriers_text"] == words
    assert table.loc[gene, "others_text"].startswith("2/2 ")
    assert table.loc["BCR::ABL1", "carriers_text"] == "0/0"
    assert table.loc["BCR::ABL1", "others_n"] == 3
    # Whom RT-PCR follows is told by the gene and its results.
    assert text.rate(rate(study, "pcr")) == words


def test_each_gene_has_a_line_of_its_own():
    genes = ("BCR::ABL1", "ETV6::RUNX1", "KMT2A")
    children = []
    for gene in genes:
        carrier = "yes" if gene == "BCR::ABL1" else "no"
        found = {"fusion_gene": gene, "bcr_abl1": carrier, "pcr_after": "negative"}
        children.append(CARRIER | found)
    study = ward(*children)
    table = study.fusion().table.query("rule == 'pcr'")
    assert dict(zip(table["gene"], table["carriers_n"], strict=True)) == dict.fromkeys(genes, 1)
    words = " ".join(summary.answer(study))
    for gene in genes:
        assert f"Carriers of *{gene}*" in words


def test_a_child_of_whom_no_gene_is_recorded_is_no_carrier_and_none_of_the_others():
    study = ward({"fusion_gene": "KMT2A", "pcr_after": "negative"}, {"fusion_gene": ""})
    row = study.fusion().table.query("gene == 'KMT2A' and rule == 'fc'").iloc[0]
    assert (row["carriers_n"], row["others_n"], row["not_recorded"]) == (1, 0, 1)


# How cycle 1 ended is not recorded


def test_where_no_end_is_recorded_nobody_is_said_to_have_stopped_or_not():
    study = ward(*[{"stop_reason": ""}] * 3)
    found = stopped(study)
    assert found.value is None
    assert ends(found.spans.k) == (0, 3)
    assert text.rate(found) == "not recorded, 3 patients"
    assert repr(study.stops()) == "How cycle 1 ended is not recorded for any patient."
    failed = rate(study, "fc", "severe_stops_failed")
    assert failed.value is None
    assert ends(failed.spans.k) == (0, 3)
    assert failed.here.n == 3


@pytest.mark.parametrize(
    ("reasons", "words", "failed"),
    [
        (["severe_reaction", "", "", ""], "1 to 4 of 4, 3 not recorded", (0, 3)),
        (["completed", "", "", ""], "0 to 3 of 4, 3 not recorded", (1, 4)),
        (["economic", "completed", "other", ""], "0 to 1 of 4, 1 not recorded", (3, 4)),
        (["severe_reaction", "severe_reaction", "", ""], "2 to 4 of 4, 2 not recorded", (0, 2)),
    ],
)
def test_unknown_ends_leave_a_span_over_everybody(reasons, words, failed):
    study = ward(*({"stop_reason": reason} for reason in reasons))
    found = stopped(study)
    assert text.rate(found) == words
    assert found.here.n == 4
    assert all(isnan(limit) for limit in found.limits)
    result = rate(study, "fc", "severe_stops_failed")
    assert ends(result.spans.k) == failed
    assert result.here.n == 4
    assert result.value is None


def test_a_child_whose_end_is_unknown_but_who_stayed_positive_leaves_nothing_open():
    study = ward({"stop_reason": "", "fc_after": "positive"}, {})
    found = rate(study, "fc", "severe_stops_failed")
    assert text.rate(found) == "1/2 (50.0%, 1.3 to 98.7)"
    assert ends(found.spans.value) == (50, 50)


# A domain of which nothing is recorded is one sentence


UNRECORDED = [
    ("worst_grades", "fever_cycle1 crs_grade icans_grade", "Adverse events are not recorded"),
    ("fever", "fever_cycle1", "Fever is not recorded"),
    ("crs", "crs_grade", "CRS is not recorded"),
    ("icans", "icans_grade", "ICANS is not recorded"),
    ("stops", "stop_reason", "How cycle 1 ended is not recorded"),
    ("concordance", "pcr_before pcr_after", "RT-PCR is not recorded"),
]


@pytest.mark.parametrize(("view", "columns", "words"), UNRECORDED)
def test_an_unrecorded_domain_is_one_sentence_and_no_table_of_zeros(view, columns, words):
    blank = dict.fromkeys(columns.split(), "")
    found = getattr(ward(blank, blank), view)()
    assert repr(found) == f"{words} for any patient."
    assert found._repr_markdown_() == repr(found)
    assert found._repr_html_() is None


@pytest.mark.parametrize(("view", "columns", "words"), UNRECORDED)
def test_a_domain_recorded_for_one_child_is_a_table(view, columns, words):
    blank = dict.fromkeys(columns.split(), "")
    found = getattr(ward(blank, CARRIER), view)()
    assert words not in repr(found)
    assert len(found.table)


def test_mrd_values_that_nobody_recorded_are_no_burden():
    study = ward({"mrd_before_percent": ""}, {"mrd_before_percent": ""})
    assert repr(study.burden()).startswith("No patient has an MRD value before")


# Numbers that the report does not state are stated nowhere


BY_RT_PCR = "topic in ('response', 'fusion') and response_rule in ('pcr', 'fc_and_pcr')"


@pytest.mark.parametrize(
    ("children", "rows"),
    [
        ([CARRIER | {"pcr_after": "not_done"}] * 3, BY_RT_PCR),
        ([NO_PCR] * 3, BY_RT_PCR),
        ([NO_PCR | {"bcr_abl1": "yes"}, {}, {}], f"{BY_RT_PCR} and topic == 'response'"),
        ([{"stop_reason": ""}] * 3, "topic == 'stops' and statistic == 'percent'"),
    ],
    ids=["not done", "no column", "one carrier", "no ends"],
)
def test_a_rate_that_is_not_stated_has_no_value_that_could_become_a_claim(children, rows):
    table = ward(*children).results.table().query(rows)
    assert len(table)
    assert set(table["value_exact"]) == {""}
    assert table[["value", "interval_lower", "interval_upper"]].isna().all(axis=None)


# Limits of detection


def open_ward(folder, *children):
    """A study of a line list in a file, each child as the one above but for these cells."""
    lines = []
    for number, child in enumerate(children, start=1):
        blank = {"intolerance_reason": "", "icans_day": ""}
        lines.append({"patient_id": f"P{number:02}", **CHILD, **blank, **child})
    threshold = 'assays: {FC: {negative: "< 0.01"}}\n'
    (folder / "cohort.yaml").write_text(threshold, encoding="utf-8")
    with (folder / "linelist.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*lines[0]])
        writer.writeheader()
        writer.writerows(lines)
    return open_study(folder)


@pytest.mark.parametrize(
    ("cell", "limit"),
    [("<0.01%", 0.01), ("<0.001%", 0.001), ("< 0.0001%", 0.0001), ("<0.005%", 0.005)],
)
def test_a_limit_typed_in_a_cell_is_that_of_the_assay_and_the_child_is_negative(tmp_path, cell, limit):
    study = open_ward(tmp_path, {"fc_after": cell}, {})
    mrd = study.mrd.query("assay == 'FC' and time == 'after'").set_index("patient_id")
    assert mrd.loc["P01", "limit_of_detection_percent"] == limit
    assert text.counts(rate(study, "fc")) == "2/2"


# What had nothing to clear cannot clear


def test_response_leads_with_those_positive_before_by_the_rule_s_assay():
    study = ward({}, {}, {"fc_before": "negative", "mrd_before_percent": ""})
    (line, _) = summary.answer(study)
    leading, _, rest = line.partition("Negative after, of all treated")
    assert "2/2 (100%, 15.8 to 100) by FC" in leading
    assert "3/3 (100%, 29.2 to 100) by FC" in rest


def test_of_the_report_15_or_16_were_positive_before_by_fc():
    study = open_study("tianjin2023")
    found = rate(study, "fc", "positive_before")
    assert text.rate(found) == "open, 15/15 or 16/16"
    line = summary.answer(study)[0]
    assert line.index("15/15 or 16/16") < line.index("18/18")


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (("negative", "negative"), "0/0"),
        (("positive", "negative"), "1/1 (100%, 2.5 to 100)"),
        (("positive", "not_done"), "1/1 (100%, 2.5 to 100; 1 more left out, not recorded;"),
        (("", ""), "0/0 (2 more left out, not recorded;"),
    ],
)
def test_who_may_have_been_positive_before_is_left_out_and_told(before, words):
    children = [{"fc_before": status, "mrd_before_percent": ""} for status in before]
    found = rate(ward(*children), "fc", "positive_before")
    assert text.rate(found).startswith(words)


def test_a_child_who_may_not_belong_is_in_the_worst_and_best_case():
    children = [{}, {"fc_before": "", "fc_after": "positive", "mrd_before_percent": ""}]
    found = rate(ward(*children), "fc", "positive_before")
    assert found.value == 100
    assert ends(found.spans.value) == (Fraction(50), Fraction(100))
    assert ends(found.spans.n) == (1, 2)
