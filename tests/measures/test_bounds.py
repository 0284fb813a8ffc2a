"""What a report does not determine is shown by its bounds over all line lists that satisfy it, never as a result."""

import random
from fractions import Fraction
from math import comb
from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import described

from blina.analysis.study import Study, bounds_of_report, open_study
from blina.claims.bounds import bounds as solve_bounds
from blina.claims.check import read_for_claims
from blina.claims.document import load_claims
from blina.linelist.cohort import load_cohort
from blina.measures import contrasts, text
from blina.measures.bounds import CohortBounds, Solver, bounds_text, exact_text, load_bounds
from blina.measures.choices import ANY, NO_GRADE, SEVERE, UNGRADED, UNNAMED_REACTION
from blina.measures.compute import results_of
from blina.measures.declare import BECAME, TOTAL, carriers_level
from blina.measures.intervals import clopper_pearson, rank_permutation
from blina.measures.language import Asked, Total, both
from blina.measures.results import result_of
from blina.measures.span import NO_VALUE, Span
from blina.yamlfile import FileError, parse_yaml

SAMPLE = 25
GIRLS = {"sex": "female"}


@pytest.fixture(scope="module")
def study():
    return open_study("tianjin2023")


@pytest.fixture(scope="module")
def known(study):
    return study.known


@pytest.fixture(scope="module")
def document(report_folder):
    return load_claims(report_folder / "claims.yaml")


def count(*rows):
    return Asked("count", both(*rows))


def several(low, high, status="proven", **more):
    return Span(Fraction(low), Fraction(high), status, **more)


def with_spans(study, changes):
    """The same study where these questions, by key, have other bounds."""
    return Study(study.table, study.cohort, CohortBounds(study.cohort, study.known.spans | changes))


def rates(study, group, rule):
    return study.rates(group).table.query("rule == @rule").set_index("evaluable_set")


# What the report leaves open


def test_evaluable_sets_of_mc_under_the_strict_rule_are_open_and_all_treated_is_not(study):
    table = rates(study, "MC", "fc_and_pcr")
    assert table["text"].to_dict() == {
        "all_treated": "13/18 (72.2%, 46.5 to 90.3)",
        "positive_before": "13/18 (72.2%, 46.5 to 90.3)",
        "more_than_7_days": "open, 10 to 13 of 15 (66.7 to 86.7%)",
        "severe_stops_failed": "open, 11 to 13 of 18 (61.1 to 72.2%)",
        "without_severe_stops": "open, 11 to 13 of 16 (68.8 to 81.3%)",
    }
    is_open = {name: words.startswith("open") for name, words in table["text"].items()}
    assert table["open"].to_dict() == is_open


def test_an_open_rate_has_no_point_and_no_interval_but_its_ends(study):
    table = study.rates().table
    some = table[table["open"]]
    assert some[["percent", "lower", "upper"]].isna().all(axis=None)
    assert len(some) == 16
    row = rates(study, "MC", "fc_and_pcr").loc["more_than_7_days"]
    assert row["percent_least"] == pytest.approx(200 / 3)
    assert row["percent_greatest"] == pytest.approx(260 / 3)
    # Each number by itself: among how many is known.
    assert pd.isna(row["k"])
    assert row["n"] == 15
    settled = table[~table["open"] & table["n"].gt(0)]
    assert (settled["percent_least"] - settled["percent"]).abs().max() < 1e-9
    assert not table.loc[table["is_reported"], "open"].any()


def test_exact_limits_of_an_open_rate_reach_from_the_fewest_to_the_most(study):
    ends = ["lower_least", "upper_greatest"]
    low, high = rates(study, "MC", "fc_and_pcr").loc["more_than_7_days", ends]
    assert low == pytest.approx(100 * clopper_pearson(10, 15)[0])
    assert high == pytest.approx(100 * clopper_pearson(13, 15)[1])
    low, high = rates(study, "MC", "fc").loc["positive_before", ends]  # 15/15 or 16/16
    assert low == pytest.approx(100 * clopper_pearson(15, 15)[0])
    assert high == 100
    settled = rates(study, "MC", "fc_and_pcr").loc["all_treated"]
    assert [*settled[ends]] == [settled["lower"], settled["upper"]]


def test_everybody_of_an_open_number_is_still_everybody(study):
    row = rates(study, "MC", "fc").loc["positive_before"]
    assert row["text"] == "open, 15/15 or 16/16"
    assert row["percent_least"] == row["percent_greatest"] == 100


def test_what_is_printed_of_a_part_or_of_the_whole_alone_is_open_in_the_other(study):
    table = study.baseline().table.set_index(["group", "characteristic", "level"])
    words, is_open = table["text"].to_dict(), table["open"].to_dict()
    months = "diagnosis to first infusion"
    assert words[TOTAL, months, ""] == "open, median 3.7 to 22.9 (0.7 to 62.1)"
    assert words[TOTAL, "cycles, the first included", ""] == "open, 37 to 47"
    assert words["MC", "sex", "female"] == "open, 2 to 12 of 18 (11.1 to 66.7%)"
    infusion = "infusion in cycle 1"
    assert words["MC", infusion, ""] == "open, median 14 to 28 (within 1 to 28)"
    assert words["RR", "age", ""] == "open, median 0.6 to 16.4"
    assert not is_open[TOTAL, "sex", "male"]
    assert not is_open[TOTAL, "age", ""]
    assert not any(is_open[group, months, ""] for group in ("MC", "IC", "RR"))


def test_a_median_that_the_report_prints_is_given_as_printed_though_it_was_rounded(study, known):
    span = known(Asked("median", {"group": "MC"}, "months_from_diagnosis"))
    assert (span.lower, span.upper, span.printed) == (Fraction("3.65"), Fraction("3.75"), "3.7")
    assert not span.determined
    assert not span.is_open
    keys = ["group", "characteristic"]
    row = study.baseline().table.set_index(keys).loc[("MC", "diagnosis to first infusion")]
    assert (row["value"], row["text"], row["open"]) == (3.7, "3.7 (0.7 to 39.8)", False)


def test_fc_before_in_mc_is_15_or_16_positive(study):
    words = study.statuses("MC").table.set_index(["assay", "time", "status"])["text"]
    assert words["FC", "before", "positive"] == "open, 15 to 16 of 18"
    assert words["FC", "after", "negative"] == "18 of 18"


@pytest.mark.parametrize(
    "view", ["flow", "fusion", "worst_grades", "fever", "crs", "icans", "stops", "severe_reactions"]
)
def test_flow_carriers_and_safety_are_determined(study, view):
    found = getattr(study, view)()
    table = found if view == "flow" else found.table
    assert len(table)
    assert not table["open"].any()


def test_of_carriers_only_those_positive_before_by_fc_are_open(study):
    table = study.fusion(["MC"]).table.set_index("rule")
    assert table.loc["fc", "carriers_before_text"] == "open, 3/3 or 4/4"
    assert table.loc["fc_and_pcr", "carriers_before_text"].startswith("1/6 ")


def test_what_notebooks_say_of_early_stops_in_one_sentence_is_determined(document):
    early = {"stop_reason": ["severe_reaction", "economic"]}
    for days in ("1", "2", "7"):
        found = Solver(document)(count(early, {"infusion_days": days}))
        assert (found.lower, found.upper, found.status) == (1, 1, "proven")


def test_of_fc_against_rt_pcr_only_the_sixth_carrier_before_is_open(study):
    table = study.concordance().table
    some = table[table["open"]]
    assert set(some["group"]) == {"MC"}
    assert set(some["time"]) == {"before"}
    assert dict(zip(some["counted"], some["text"], strict=True)) == {
        "FC positive, RT-PCR positive": "open, 3 to 4 of 6 (50.0 to 66.7%)",
        "FC positive, RT-PCR negative": "open, 0 to 1 of 6 (0 to 16.7%)",
        "FC negative, RT-PCR positive": "open, 2 to 3 of 6 (33.3 to 50.0%)",
        "FC and RT-PCR agree": "open, 3 to 4 of 6 (50.0 to 66.7%)",
        "RT-PCR positive among FC negative": "open, 2/2 or 3/3",
    }


def test_of_the_courses_added_up_only_further_cycles_are_open(study):
    table = study.course_counts()
    some = table[table["open"]]
    found = zip(some["group"], some["feature"], some["short"], strict=True)
    assert [*found] == [
        ("MC", "further cycles", "open, 0 to 7 of 18"),
        ("RR", "further cycles", "open, 0 to 7 of 7"),
    ]


def test_a_grade_or_day_that_the_report_does_not_determine_makes_the_row_open(study):
    sharing = count({"group": "MC", "icans_grade": "4", "icans_day": "2"})
    table = with_spans(study, {sharing.key: several(0, 1)}).course_counts()
    row = table.set_index(["group", "feature"]).loc[("MC", "ICANS")]
    assert row["open"]
    assert pd.isna(row["grade"])


def test_of_the_infusions_only_the_three_that_stopped_early_are_determined(study):
    table = study.infusions()
    settled = table[~table["open"]]
    found = zip(settled["group"], settled["stop_reason"], settled["infusion_days"], strict=True)
    assert {*found} == {
        ("MC", "economic", 7),
        ("MC", "severe_reaction", 2),
        ("MC", "severe_reaction", 1),
    }


# The rank test


def burden(study, group):
    return study.burden(group).table.iloc[0]


def test_sides_that_are_apart_in_every_line_list_leave_p_open_only_by_ties(study, document):
    row = burden(study, "RR")
    assert row["responders"] == 4
    assert row["responders_median"] == "open, 0.08 to 8.37"
    assert row["responders_range"] == "0.08 to 8.37"
    assert row["test_text"] == (
        "open: p = 0.057, or 0.029 if a second responder also had 8.37%; in either case the smallest possible"
    )
    assert row[["p", "smallest_attainable"]].isna().all()
    rows = {"group": "RR", "fc_after": "negative", "mrd_before_percent": "8.37"}
    seen = set()
    for world in solve_bounds(document, document.question("count", rows)).worlds:
        points = Study(world, study.cohort).burden_points("RR")
        seen.add(rank_permutation([*points["value_percent"]], [*points["responded"]]).p)
    # One responder, or three of them, with the greatest MRD.
    assert seen == {Fraction(1, 35), Fraction(2, 35)}


def test_sides_that_may_overlap_leave_p_open(study):
    row = burden(study, "MC")
    assert row["test_text"] == "open"
    assert pd.isna(row["p"])
    assert row["others_range"] == "open, within 0.01 to 4.00"


def test_without_anybody_on_one_side_there_is_no_test_in_any_line_list(study):
    assert burden(study, "IC")["test_text"] == "no patients to compare with"


def told_by(value):
    """What the test asks of a result whose value and number of patients are the same in every line list."""
    return SimpleNamespace(spans=SimpleNamespace(k=several(value, value), value=several(value, value)))


def ranked(study, responders, others, ties):
    """(is open, its span, on what it depends) of p, for sides of this size, least and greatest value."""
    sizes, ends = {}, {}
    for side, (number, least, greatest) in (("responders", responders), ("others", others)):
        sizes[side] = told_by(number)
        ends[side, "min"] = told_by(least)
        ends[side, "max"] = told_by(greatest)
    bounds = CohortBounds(None, {}, lambda asked: several(*ties))
    sides = contrasts._Sides(sizes, ends)
    return contrasts._in_worlds(sides, "MC", "fc", study.counted.facts, bounds)


@pytest.mark.parametrize(
    ("responders", "others"),
    [((3, 1, 2), (3, 4, 9)), ((3, 4, 9), (3, 1, 2))],
)
def test_no_tie_can_blur_the_mirror_image_of_sides_of_one_size(study, responders, others):
    assert ranked(study, responders, others, ties=(1, 2))[0] is False


@pytest.mark.parametrize("ties", [(1, 1), (2, 2)])
def test_p_is_known_where_it_is_known_how_many_share_the_value_that_matters(study, ties):
    assert ranked(study, (4, 1, 2), (3, 4, 9), ties)[0] is False


@pytest.mark.parametrize(
    ("responders", "others", "ends", "note"),
    [
        ((4, 1, 2), (3, 4, 9), (1, 2, 35), "a second responder also had 2%"),
        ((3, 4, 9), (4, 1, 2), (1, 2, 35), "a second one of the others also had 2%"),
        ((2, 4, 9), (5, 1, 2), (1, 2, 21), "certain others share a value"),
    ],
)
def test_p_is_one_of_two_values_where_ties_may_blur_it(study, responders, others, ends, note):
    one, two, assignments = ends
    is_open, span, found = ranked(study, responders, others, ties=(1, 2))
    assert is_open
    assert (span.lower, span.upper) == (Fraction(one, assignments), Fraction(two, assignments))
    assert found == note


@pytest.mark.parametrize("responders", [(4, 1, 4), (4, 1, 5)])
def test_p_is_open_without_ends_where_sides_may_touch(study, responders):
    assert ranked(study, responders, (3, 4, 9), ties=(1, 1)) == (True, None, "")


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=5),
    st.lists(st.integers(6, 10), min_size=1, max_size=5),
)
def test_p_of_sides_that_are_apart_is_one_or_two_assignments_by_ties_in_the_larger(low, high):
    test = rank_permutation([*low, *high], [True] * len(low) + [False] * len(high))
    ways, more = comb(len(low) + len(high), len(low)), abs(len(low) - len(high))
    # Values of the larger side, from the end toward the other side.
    larger = sorted(low, reverse=True) if len(low) > len(high) else sorted(high)
    is_blurred = more > 0 and larger[more - 1] == larger[more]
    assert test.p == test.smallest_attainable == Fraction(1 if is_blurred else 2, ways)


def test_p_of_a_contrast_with_an_open_count_is_open(study):
    level = carriers_level("BCR::ABL1")
    about = ("fusion", "MC", BECAME, level, "fc", "assessed")
    carriers = study.results.get(*about).measure
    changes = {count(carriers.rows, carriers.of).key: several(5, 6)}
    row = with_spans(study, changes).fusion(["MC"]).table.query("rule == 'fc'").iloc[0]
    assert row["test_text"] == "open"
    assert row["carriers_text"] == "open, 5 to 6 of 6 (83.3 to 100%)"
    assert row["others_text"] == "12/12 (100%, 73.5 to 100)"
    assert pd.isna(row["carriers_k"])
    assert row["carriers_n"] == 6


# What is not proven, or not defined


@pytest.fixture
def with_other_rate(study):
    """The rate of MC, strict rule, more than 7 days, for other bounds of its numbers."""
    about = ("response", "MC", BECAME, "", "fc_and_pcr", "more_than_7_days")
    measure = study.results.get(*about).measure

    def change(k, n=None, percent=None):
        changes = {count(measure.rows, measure.of).key: k}
        if n is not None:
            changes[count(measure.rows).key] = n
            changes[measure.asked.key] = percent
        bounds = CohortBounds(study.cohort, study.known.spans | changes)
        return result_of(measure, study.counted, bounds)

    return change


@pytest.mark.parametrize("status", ["unconfirmed", "outer"])
def test_bounds_that_are_not_proven_say_so_even_where_they_meet(with_other_rate, status):
    wide = with_other_rate(several(9, 13, status))
    assert text.rate(wide) == "open, 9 to 13 of 15 (60.0 to 86.7%), unconfirmed"
    met = with_other_rate(several(13, 13, status))
    assert met.is_open
    assert text.rate(met) == "open, 13 of 15 (86.7%), unconfirmed"


def test_a_number_of_which_the_solver_found_nothing_is_unknown(with_other_rate):
    found = with_other_rate(Span(None, None, "unknown"))
    assert found.is_open
    assert text.rate(found) == "open, unknown of 15 (unknown%), unconfirmed"


def test_a_rate_of_nobody_in_some_line_lists_is_open(with_other_rate):
    one = several(0, 1)
    everybody = several(100, 100, sometimes_undefined=True)
    found = with_other_rate(one, one, everybody)
    assert found.is_open
    assert text.rate(found) == "open, 0/0 or 1/1"


def test_limits_cover_those_of_every_rate_that_can_be(with_other_rate):
    found = with_other_rate(several(2, 5), several(0, 6), several(40, 100))
    low, high = found.outer_limits
    can_be = []
    for n in range(1, 7):
        for k in range(2, min(5, n) + 1):
            if Fraction(k, n) >= Fraction(2, 5):
                can_be.append(clopper_pearson(k, n))
    assert low == pytest.approx(100 * min(lower for lower, _ in can_be))
    assert high == pytest.approx(100 * max(upper for _, upper in can_be))


def test_a_share_follows_from_its_part_where_the_whole_is_known():
    some, none = {"group": "MC"}, {"group": "IC"}
    spans = {
        count(some).key: several(6, 6),
        count(some, GIRLS).key: several(1, 2),
        count(none).key: several(0, 0),
    }
    bounds = CohortBounds(None, spans)
    assert bounds(Asked("percent", some, GIRLS)) == Span(Fraction(50, 3), Fraction(100, 3))
    assert bounds(Asked("percent", none, GIRLS)) == NO_VALUE
    assert bounds(Asked("median", none, "age_years")) == NO_VALUE


def sum_of(number, mean):
    asked = Total({"group": "MC"}, "extra_cycles", each=1)
    return CohortBounds(None, {asked.number.key: number, asked.mean.key: mean})(asked)


def test_a_sum_follows_from_its_mean_and_is_less_sure_where_the_number_is_open():
    mean = several(Fraction(1, 5), 2)
    assert sum_of(several(5, 5), mean) == several(6, 15)
    assert sum_of(several(0, 5), mean) == several(0, 15, "outer")
    assert sum_of(several(0, 0), NO_VALUE) == several(0, 0)


def test_a_severe_grade_is_open_where_the_number_without_a_grade_is(study):
    unnamed = study.results.get("events", "MC", UNNAMED_REACTION, ANY).measure
    changes = {count(unnamed.rows, unnamed.of).key: several(1, 2)}
    table = with_spans(study, changes).worst_grades().table
    rows = table[table["group"].eq("MC") & table["event"].eq(UNNAMED_REACTION)]
    assert rows.set_index("severity")["open"].to_dict() == {ANY: True, SEVERE: True, UNGRADED: True}
    # Nobody is known to have had one of grade 3 or more; one or two patients may have.
    assert rows.set_index("severity")["text"].to_dict() == {
        ANY: "open, 1 to 2 of 18 (5.6 to 11.1%)",
        SEVERE: "open, 0 to 2 of 18 (0 to 11.1%)",
        UNGRADED: "open, 1 to 2 of 18 (5.6 to 11.1%)",
    }


def test_fever_without_a_grade_on_the_scale_is_one_number(study):
    fever = count({"group": "MC", "fever_cycle1": "yes"})
    table = with_spans(study, {fever.key: several(8, 9)}).worst_grades().table
    rows = table[table["group"].eq("MC") & table["event"].eq("fever")].set_index("severity")
    assert rows["text"].to_dict() == {NO_GRADE: "open, 8 to 9 of 18 (44.4 to 50.0%)"}


# Real patients


def test_of_real_patients_nothing_is_open(study):
    real = described(study.cohort, reconstructed=False)
    assert load_bounds(real) is None
    nowhere = described(study.cohort, folder=real.folder / "nowhere")
    assert load_bounds(nowhere) is None  # no claims
    for result in Study(study.table, real).results:
        assert not result.is_open
        # Nothing of these rows is missing, so that each number is its own least and greatest value.
        if result.value is not None and result.measure.could is None:
            span = result.spans.value
            assert (span.lower, span.upper) == (result.value, result.value)


# The file


@pytest.fixture
def copy(report_folder, tmp_path):
    """A copy of the report's cohort."""
    for path in report_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return load_cohort(tmp_path)


def test_bounds_made_from_other_claims_are_refused_in_one_line(copy):
    assert load_bounds(copy) is not None
    words = copy.claims.read_text(encoding="utf-8")
    copy.claims.write_bytes(words.replace("\n", "\r\n").encode())
    assert load_bounds(copy) is not None  # how lines end does not matter
    copy.claims.write_text(words + "# a comment\n", encoding="utf-8")
    refused = r"^bounds.csv was made from another claims.yaml: run make linelist$"
    with pytest.raises(FileError, match=refused):
        load_bounds(copy)


@pytest.mark.parametrize(("old", "new"), [("lower,", "lowest,"), (",28,28,", ",28,many,"), (",28,28,", ",28\n")])
def test_damaged_bounds_are_refused_in_one_line(copy, old, new):
    words = copy.bounds.read_text(encoding="utf-8")
    copy.bounds.write_text(words.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FileError, match=r"^bounds.csv is damaged: run make linelist$"):
        load_bounds(copy)


def test_missing_bounds_are_refused_in_one_line(copy):
    copy.bounds.unlink()
    refused = r"^there is no bounds.csv beside claims.yaml: run make linelist$"
    with pytest.raises(FileError, match=refused):
        load_bounds(copy)


def test_a_question_that_was_not_solved_is_refused_in_one_line(known):
    refused = r"bounds.csv does not hold the max of crs_grade over \{\}: run make linelist"
    with pytest.raises(FileError, match=refused):
        known(Asked("max", {}, "crs_grade"))


class Listening(dict):
    """Bounds that note which of them were asked for."""

    def __init__(self, spans):
        super().__init__(spans)
        self.needed = set()

    def __getitem__(self, key):
        self.needed.add(key)
        return super().__getitem__(key)

    def get(self, key, other=None):
        if key not in self:
            return other
        return self[key]


def test_the_file_holds_what_the_results_need_and_nothing_else(study, known):
    spans = Listening(known.spans)
    results_of(study.table, study.cohort, CohortBounds(study.cohort, spans))
    listening = Study(study.table, study.cohort, CohortBounds(study.cohort, spans))
    listening.course_counts()  # asks besides whether all had the same grade and day
    assert spans.needed == set(known.spans)
    assert known.proven


def asked_of(key):
    """The question of a key, read from its texts."""
    statistic, rows, of = key
    if of.startswith("{"):
        of = parse_yaml(of, "of").content
    return Asked(statistic, parse_yaml(rows, "rows").content, of or None)


def test_the_solver_finds_the_recorded_bounds_again(known, document):
    solve = Solver(document)
    for key in random.Random(23).sample(sorted(known.spans), SAMPLE):
        assert solve(asked_of(key)) == known.spans[key], key


def test_the_shipped_line_list_lies_within_the_bounds_and_where_they_meet_upon_them(study, known, document):
    table = read_for_claims(study.cohort.linelist, document)
    for key, span in known.spans.items():
        asked = asked_of(key)
        question = document.question(asked.statistic, asked.rows, asked.of)
        rows = question.rows.holds(table)
        (value,) = question.statistic.values(table, rows, question.of)
        assert span.lower <= value <= span.upper


def test_the_file_is_written_as_it_was_and_each_question_solved_once(copy, known, monkeypatch):
    asked = []

    def solve(self, question):
        asked.append(question.key)
        return known.spans[question.key]

    monkeypatch.setattr(Solver, "__call__", solve)
    found = bounds_of_report(copy, load_claims(copy.claims))
    assert bounds_text(found) == copy.bounds.read_text(encoding="utf-8")
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Fraction(7), "7"),
        (Fraction(229, 10), "22.9"),
        (Fraction(2, 3), "2/3"),
        (Fraction(100), "100"),
        (Fraction(0), "0"),
        (Fraction(1, 2**30), "1/1073741824"),
    ],
)
def test_an_end_is_written_exactly(value, words):
    assert exact_text(value) == words
    assert Fraction(words) == value


@pytest.mark.parametrize(
    ("value", "places", "words"),
    [
        (4, 2, "4.00"),
        (Fraction("78.3"), 2, "78.30"),
        (7, 0, "7"),
        (Fraction("18.25"), 1, "18.25"),
    ],
)
def test_a_value_is_shown_with_the_decimals_of_its_column(value, places, words):
    assert str(Span(Fraction(value), Fraction(value), places=places)) == words
