"""How a number of a report is written: with its span where it has one, and with what is missing."""

import pytest
from tables import changed, make

from blina.analysis.study import open_study
from blina.measures import text


@pytest.fixture(scope="module")
def study():
    return open_study("tianjin2023")


def response(study, group, rule="fc", evaluable_set="all_treated"):
    return study.results.get("response", group, "negative after", "", rule, evaluable_set)


def description(study, group, name, level="", statistic="percent"):
    return study.results.get("description", group, name, level, statistic=statistic)


def test_a_rate_is_written_in_full_or_as_counts(report):
    found = response(report, "MC", "fc_and_pcr")
    assert text.rate(found) == "13/18 (72.2%, 46.5 to 90.3)"
    assert text.counts(found) == "13/18"
    assert text.plain_rate(found) == text.rate(found)


def test_a_rate_of_no_patients_is_no_percentage(report):
    empty = report.results.get("response", "IC", "stayed negative", "", "pcr", "all_treated")
    assert text.rate(empty) == "0/0"


def test_missing_results_are_told_behind_the_rate_and_not_in_the_plain_one(report):
    found = response(changed(report, {("P01", "fc_after"): "not_done"}), "MC")
    assert text.rate(found) == (
        "17/18 (94.4%, 72.7 to 99.9; 1 of the 18 not assessed, counted as not negative; "
        "worst to best case 94.4 to 100%)"
    )
    assert text.plain_rate(found) == "17/18 (94.4%, 72.7 to 99.9)"


def test_an_open_rate_is_never_written_as_one_number(study):
    found = response(study, "MC", "fc_and_pcr", "more_than_7_days")
    assert text.rate(found) == "open, 10 to 13 of 15 (66.7 to 86.7%)"
    assert text.counts(found) == "open, 10 to 13 of 15"
    assert text.plain_rate(found) == text.rate(found)


def test_where_both_counts_are_open_each_has_its_ends(study):
    found = response(study, "MC", "pcr", "positive_before")
    assert text.rate(found) == "open, 0 to 1, among 5 to 6 (0 to 16.7%)"


def test_a_share_without_interval_has_its_percentage_alone(report):
    assert text.rate(description(report, "MC", "sex", "female")) == "7/18 (38.9%)"


def test_what_is_recorded_for_nobody_is_said_so(report):
    blank = {(patient, "sex"): "" for patient in report.table.ids if patient != "P22"}
    found = description(changed(report, blank), "MC", "sex", "male")
    assert text.rate(found) == "not recorded, 18 patients"
    assert text.counts(found) == "not recorded, 18 patients"
    one = [{**line, "sex": ""} for line in lines_of_one(report)]
    both = make([*one, *lines_of_one(report, "RR")], changed(report, {}).cohort)
    assert text.rate(description(both, "MC", "sex", "male")) == "not recorded"


def lines_of_one(report, group="MC"):
    """The first patient of a group as words of a line list."""
    lines = report.table.cells().to_dict("records")
    first = next(line for line in lines if line["group"] == group)
    first.pop("provenance", None)
    return [first]


def test_a_median_has_the_decimals_it_needs_and_a_range_those_of_its_column(report):
    age = [description(report, "MC", "age", statistic=one) for one in ("median", "min", "max")]
    assert text.median_and_range(*age) == "11.25 (0.6 to 16.4)"
    assert text.middle_text(age[0]) == "11.25"
    assert text.range_text(*age[1:]) == "0.6 to 16.4"


def test_a_number_without_values_is_none_and_without_record_not_recorded(report):
    none = report.results.get("burden", "IC", "MRD before", "others", "fc", statistic="median")
    assert text.middle_text(none) == "none"
    blank = {(patient, "extra_cycles"): "" for patient in report.table.ids}
    unknown = description(changed(report, blank), "MC", "further cycles", "cycles given", "sum")
    assert text.number(unknown) == "not recorded"
