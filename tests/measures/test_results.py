"""Every number of a report answers a question of the claims language, and answers it right; results as a table."""

from dataclasses import replace
from fractions import Fraction

import pytest
from tables import changed

from blina.analysis.study import Study, open_study
from blina.claims.bounds import bounds
from blina.claims.document import load_claims
from blina.claims.worlds import spread_world
from blina.linelist.cohort import Group, load_cohort
from blina.linelist.columns import NOT_A_PATIENT, PROVENANCE
from blina.measures.language import Asked, Total
from blina.measures.results import RESULT_COLUMNS, dictionary

STANDARD = (
    "reason-only-in-IC",
    "reason-given-in-IC",
    "pcr-before-needs-fusion",
    "pcr-after-needs-fusion",
    "fusion-followed-before",
    "fusion-followed-after",
    "mrd-value-when-detected",
    "mrd-blank-when-not-detected",
    "icans-day-with-icans",
    "no-icans-day-without-icans",
)


@pytest.fixture(scope="module")
def document(report_folder):
    return load_claims(report_folder / "claims.yaml")


@pytest.fixture(scope="module")
def free(document):
    """The same with no more claims than the sizes of the groups: its worlds differ in everything else."""
    kept = tuple(claim for claim in document.claims if claim.id.startswith("n-"))
    rules = tuple(rule for rule in document.rules if rule.id in STANDARD)
    return replace(document, claims=kept, rules=rules)


@pytest.fixture(scope="module")
def study():
    return open_study("tianjin2023")


def answer(document, table, asked):
    """The exact answer to a question on one line list, as claims are checked; None where there is nobody."""
    if isinstance(asked, Total):
        number, mean = answer(document, table, asked.number), answer(document, table, asked.mean)
        return number * (mean + asked.each) if number else Fraction(0)
    question = document.question(asked.statistic, asked.rows, asked.of)
    values = question.statistic.values(table, question.rows.holds(table), question.of)
    return None if values is None else values[0]


def compare(document, study):
    """Each number of a study with the answer to its question; how many were compared."""
    compared = 0
    for result in study.results:
        measure = result.measure
        if measure.statistic.endswith("p") or measure.could is not None:
            continue  # a test, or a number that no rows alone can answer
        assert result.value == answer(document, study.table, measure.asked), measure.key
        if measure.statistic == "percent":
            assert result.here.k == answer(document, study.table, measure.asked.part), measure.key
            assert result.here.n == answer(document, study.table, measure.asked.whole), measure.key
        compared += 1
    return compared


FAR_APART = (
    (
        "count",
        {
            "group": "MC",
            "fc_after": "negative",
            "pcr_after": "negative",
            "infusion_days": {"above": "7"},
        },
    ),
    ("count", {"sex": "female", "bcr_abl1": "yes"}),
    ("median", {}, "months_from_diagnosis"),
)


@pytest.mark.parametrize("question", FAR_APART, ids=["response", "girls", "months"])
def test_every_number_of_the_report_is_the_answer_to_its_question(document, study, question):
    # In the line lists at both ends of an open question.
    for table in bounds(document, document.question(*question)).worlds:
        assert compare(document, Study(table, study.cohort)) > 300


@pytest.mark.parametrize("seed", range(5))
def test_the_same_holds_of_line_lists_of_any_kind(free, seed):
    cohort = load_cohort("tianjin2023")
    if seed % 2:  # groups without a declared purpose, and bridging patients who had MRD
        mc, ic, _ = cohort.groups
        bridging = mc.model_copy(update={"purpose": "bridging"})
        undeclared = Group(name="RR", label="relapsed")
        cohort = cohort.model_copy(update={"groups": (bridging, ic, undeclared)})
    table = spread_world(free, seed, even=False)
    assert compare(free, Study(table, cohort)) > 300


# Status, claims and readings


def response(study, group, rule, evaluable_set="all_treated"):
    return study.results.get("response", group, "negative after", "", rule, evaluable_set)


def test_a_printed_number_names_the_claims_that_print_it(study):
    printed = response(study, "MC", "fc_and_pcr")
    assert printed.status == "printed"
    assert {*printed.claims} == {"mc-negative", "mc-negative-pct"}


def test_a_number_is_open_determined_or_printed_and_of_real_patients_observed(study, report):
    assert response(study, "MC", "fc_and_pcr", "more_than_7_days").status == "open"
    assert response(study, "MC + RR", "fc").status == "determined"
    assert response(changed(report, {}, reconstructed=False), "MC", "fc").status == "observed"


def test_an_open_number_has_no_value_but_its_ends(study):
    found = response(study, "MC", "fc_and_pcr", "more_than_7_days")
    assert found.value is None
    assert found.k is None
    assert found.here.k is not None
    assert (found.spans.k.lower, found.spans.k.upper) == (10, 13)


def test_what_nobody_recorded_has_the_status_not_recorded(report):
    blank = {(patient, "age_years"): "" for patient in report.table.ids}
    results = changed(report, blank).results
    median = results.get("description", "MC", "age", statistic="median")
    assert (median.status, median.value) == ("not recorded", None)
    assert (median.spans.value.lower, median.spans.value.upper) == (0, 120)


def test_a_share_without_single_number_of_which_something_is_known_is_observed(report):
    results = changed(report, {("P25", "stop_reason"): ""}).results
    found = results.get("response", "RR", "negative after", "", "fc", "severe_stops_failed")
    assert (found.status, found.value) == ("observed", None)


def test_a_share_of_patients_of_whom_nothing_is_known_is_not_recorded(report):
    blank = {(patient, "sex"): "" for patient in report.table.ids if patient != "P22"}
    results = changed(report, blank).results
    assert results.get("description", "MC", "sex", "male").status == "not recorded"
    assert results.get("description", "RR", "sex", "male").status == "observed"


# Results as a table


def test_the_table_has_a_row_for_every_number_and_says_of_each_row_what_it_is(study, report):
    table = study.results.table()
    assert [*table.columns] == [*RESULT_COLUMNS, PROVENANCE]
    assert len(table) == len(study.results)
    assert set(table[PROVENANCE]) == {NOT_A_PATIENT}
    keys = ["topic", "group", "measure", "level", "response_rule", "evaluable_set", "statistic"]
    assert not table.duplicated(keys).any()
    real = changed(report, {}, reconstructed=False)
    assert PROVENANCE not in real.results.table()


def test_every_column_of_the_table_is_explained():
    assert [*dictionary()["column"]] == [*RESULT_COLUMNS]
    assert dictionary()["meaning"].ne("").all()


def test_a_value_lies_between_its_least_and_greatest(study):
    table = study.results.table()
    known = table[table["value"].notna() & table["least"].notna()]
    assert len(known) > 250
    # A median as printed is rounded; the ends are those that round to it.
    assert (known["least"] <= known["value"] + 1e-9).all()
    assert (known["value"] <= known["greatest"] + 1e-9).all()


def test_an_interval_stands_with_its_method_or_not_at_all(study):
    table = study.results.table()
    has_interval = table["interval_lower"].notna()
    assert (has_interval == table["interval_method"].ne("")).all()
    assert not has_interval[table["status"].eq("open")].any()
    assert not has_interval[table["topic"].isin(["stops", "statuses", "flow"])].any()


def test_exact_values_are_written_exactly(study):
    row = study.results.table().query("topic == 'response' and status == 'printed'").iloc[0]
    assert Fraction(row["value_exact"]) == Fraction(1300, 18)
    assert row["value"] == pytest.approx(1300 / 18)
    assert (row["numerator"], row["denominator"]) == (13, 18)


def test_a_question_that_no_measure_asks_has_no_result(study):
    assert study.results.get("description", "MC", "weight") is None
    assert Asked("count", {"group": "MC"}).key in study.known.spans
