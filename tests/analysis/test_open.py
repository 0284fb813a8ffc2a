"""What differs between line lists that all satisfy a report is a span, never a result."""

import pandas as pd
import pytest

from blina.analysis.cohort import DESCRIPTION_KEYS, TOTAL, describe
from blina.analysis.open import with_spans
from blina.analysis.response import RATE_KEYS, burden_test, flow, fusion_contrast, rates, statuses
from blina.analysis.safety import fever_as_crs, fever_cycle1, icans, severe_reactions, stops
from blina.linelist.tidy import load, load_others


@pytest.fixture(scope="module")
def study():
    return load("tianjin2023")


@pytest.fixture(scope="module")
def others(study):
    return load_others(study.cohort)


def test_without_other_line_lists_nothing_is_open(study):
    table = with_spans(lambda s: rates(s.patients, s.mrd, s.cohort), study, [], RATE_KEYS)
    plain = rates(study.patients, study.mrd, study.cohort)
    assert not table["open"].any()
    pd.testing.assert_frame_equal(table[[*plain]], plain, check_dtype=False)


def test_an_open_row_gives_the_span_over_all_line_lists_and_no_number(study, others):
    table = with_spans(lambda s: rates(s.patients, s.mrd, s.cohort), study, others, RATE_KEYS)
    every = [rates(s.patients, s.mrd, s.cohort) for s in (study, *others)]
    for i, row in table.iterrows():
        k, n = ({int(one[name][i]) for one in every} for name in ("k", "n"))
        assert row["open"] == (len(k) > 1 or len(n) > 1)
        if row["open"]:
            assert row[["k", "n", "percent", "lower", "upper"]].isna().all()
            ends = [f"{min(of)} to {max(of)}" if len(of) > 1 else f"{min(of)}" for of in (k, n)]
            everybody = all(one["k"][i] == one["n"][i] > 0 for one in every)
            said = f"all of {ends[1]}" if everybody else f"{ends[0]} of {ends[1]}"
            assert row["text"] == f"open, seen {said}"
        else:
            assert row["text"] == every[0]["text"][i]


def test_what_the_report_fixes_is_not_open_and_what_it_never_joins_is(study, others):
    table = with_spans(lambda s: rates(s.patients, s.mrd, s.cohort), study, others, RATE_KEYS)
    for _, (group, rule, evaluable, seen) in table[["group", "rule", "evaluable_set", "open"]].iterrows():
        single_assay_before = evaluable == "positive_before" and rule != "fc_and_pcr"  # which assay found it: not told
        if group in ("IC", "RR") or evaluable == "all_treated":
            assert not seen
        elif single_assay_before:
            assert seen
        elif evaluable == "positive_before" or rule == "fc":
            assert not seen
        elif rule == "fc_and_pcr":
            assert seen


def test_the_pooled_median_interval_and_sex_by_group_are_open_but_their_printed_parts_are_not(study, others):
    table = with_spans(lambda s: describe(s.patients, s.cohort), study, others, DESCRIPTION_KEYS)
    is_open = table.set_index(["group", "characteristic", "level"])["open"].to_dict()
    assert is_open[TOTAL, "diagnosis to first infusion", ""]
    assert is_open["MC", "sex", "male"] and is_open["MC", "age", ""]
    assert not is_open[TOTAL, "sex", "male"] and not is_open[TOTAL, "age", ""]
    assert not any(is_open[group, "diagnosis to first infusion", ""] for group in ("MC", "IC", "RR"))


def test_texts_that_differ_read_open(study, others):
    mine, theirs = study.only("RR"), [other.only("RR") for other in others]
    table = with_spans(lambda s: burden_test(s.patients, s.mrd, s.cohort, "RR"), mine, theirs, ["group", "rule"])
    assert table["responders_median"][0] == "open"
    assert table["test_text"][0].startswith("p = 0.057")  # complete separation is the same in every world


def test_fc_before_in_mc_is_15_or_16_positive(study, others):
    mine, theirs = study.only("MC"), [other.only("MC") for other in others]
    table = with_spans(lambda s: statuses(s.mrd), mine, theirs, ["assay", "time", "status"])
    text = table.set_index(["assay", "time", "status"])["text"]
    assert text["FC", "before", "positive"] == "open, seen 15 to 16 of 18"
    assert text["FC", "after", "negative"] == "18 of 18"


@pytest.mark.parametrize(
    "analyse",
    [
        lambda s: fusion_contrast(s.patients, s.mrd, s.cohort),
        lambda s: flow(s.patients, s.mrd, s.cohort),
        lambda s: fever_cycle1(s.patients, s.events, s.cohort),
        lambda s: fever_as_crs(s.patients, s.events, s.cohort),
        lambda s: icans(s.patients, s.events, s.cohort),
        lambda s: stops(s.patients, s.cohort),
        lambda s: severe_reactions(s.patients, s.events, s.cohort),
        lambda s: sorted(s.patients.query("stop_reason != 'completed'")["infusion_days"]),
    ],
    ids=["fusion", "flow", "fever", "CRS", "ICANS", "stops", "severe reactions", "days of early stops"],
)
def test_what_the_notebooks_show_without_a_span_is_the_same_in_every_line_list(study, others, analyse):
    expected = analyse(study)
    for other in others:
        found = analyse(other)
        assert found.equals(expected) if isinstance(expected, pd.DataFrame) else found == expected


def test_tables_about_other_rows_are_not_compared(study, others):
    with pytest.raises(ValueError, match="other rows"):
        with_spans(lambda s: s.patients[["patient_id", "sex"]].assign(text=""), study, others, ["patient_id", "sex"])


def test_every_further_line_list_says_that_it_is_nobodys(others):
    assert len(others) > 1
    assert all(other.cohort.reconstructed for other in others)
