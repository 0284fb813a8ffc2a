"""What a report does not determine is shown by its bounds over all line lists that satisfy it, never as a result."""

import random
from fractions import Fraction
from math import comb

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blina.analysis import open as module
from blina.analysis import questions
from blina.analysis.cohort import TOTAL, describe
from blina.measures.intervals import clopper_pearson, rank_permutation
from blina.analysis.open import (
    NOWHERE,
    CohortBounds,
    Span,
    exact_text,
    load_bounds,
    make_bounds,
    solver,
    with_bounds,
)
from blina.analysis.questions import Asked, Total, count, every_table
from blina.analysis.response import burden, burden_test, fusion_contrast, rates, statuses
from blina.analysis.safety import NO_GRADE, worst_grades
from blina.claims.bounds import bounds as solve_bounds
from blina.claims.check import read_for_claims
from blina.claims.document import load_claims
from blina.linelist.cohort import load_cohort
from blina.linelist.tidy import UNNAMED_REACTION, load, tidy
from blina.yamlfile import FileError, parse_yaml

SAMPLE = 25


@pytest.fixture(scope="module")
def study():
    return load("tianjin2023")


@pytest.fixture(scope="module")
def known(study):
    return load_bounds(study.cohort)


@pytest.fixture(scope="module")
def document(report_folder):
    return load_claims(report_folder / "claims.yaml")


def described(study, known):
    return with_bounds(describe(study.patients, study.cohort), questions.of_description, known)


def rated(study, known):
    return with_bounds(rates(study.patients, study.mrd, study.cohort), questions.of_rates, known)


def burdened(study, known, group):
    table = burden_test(study.patients, study.mrd, study.cohort, group)
    return with_bounds(table, questions.of_burden_test, known).iloc[0]


# What the report leaves open


def test_evaluable_sets_of_mc_under_the_strict_rule_are_open_and_all_treated_is_not(study, known):
    table = rated(study, known).query("group == 'MC' and rule == 'fc_and_pcr'").set_index("evaluable_set")
    assert table["text"].to_dict() == {
        "all_treated": "13/18 (72.2%, 46.5 to 90.3)",
        "positive_before": "13/18 (72.2%, 46.5 to 90.3)",
        "more_than_7_days": "open, 10 to 13 of 15 (66.7 to 86.7%)",
        "severe_stops_failed": "open, 11 to 13 of 18 (61.1 to 72.2%)",
        "without_severe_stops": "open, 11 to 13 of 16 (68.8 to 81.3%)",
    }
    assert table["open"].to_dict() == {id: text.startswith("open") for id, text in table["text"].items()}


def test_an_open_rate_has_no_point_and_no_interval_but_its_ends(study, known):
    table = rated(study, known)
    some = table[table["open"]]
    assert some[["percent", "lower", "upper"]].isna().all(axis=None) and len(some) == 16
    row = some.query("group == 'MC' and rule == 'fc_and_pcr' and evaluable_set == 'more_than_7_days'").iloc[0]
    assert (row["percent_least"], row["percent_greatest"]) == (pytest.approx(200 / 3), pytest.approx(260 / 3))
    assert pd.isna(row["k"]) and row["n"] == 15  # each number by itself: who is counted is known
    settled = table[~table["open"] & table["n"].gt(0)]
    assert (settled["percent_least"] - settled["percent"]).abs().max() < 1e-9
    assert not table.loc[table["is_reported"], "open"].any()


def test_exact_limits_of_an_open_rate_reach_from_the_fewest_to_the_most(study, known):
    table = rated(study, known).query("group == 'MC'").set_index(["rule", "evaluable_set"])
    ends = ["lower_least", "upper_greatest"]
    low, high = table.loc[("fc_and_pcr", "more_than_7_days"), ends]
    assert (low, high) == (
        pytest.approx(100 * clopper_pearson(10, 15)[0]),
        pytest.approx(100 * clopper_pearson(13, 15)[1]),
    )
    low, high = table.loc[("fc", "positive_before"), ends]  # all of 15 or of 16
    assert (low, high) == (pytest.approx(100 * clopper_pearson(15, 15)[0]), 100)
    settled = table.loc[("fc_and_pcr", "all_treated")]
    assert [*settled[ends]] == [settled["lower"], settled["upper"]]


def test_limits_cover_those_of_every_rate_that_can_be():
    spans = {"k": Span(2, 5), "n": Span(0, 6), "percent": Span(Fraction(40), Fraction(100))}
    low, high = module._limits(spans)
    can_be = [(k, n) for n in range(1, 7) for k in range(2, 6) if Fraction(2, 5) <= Fraction(k, n) <= 1]
    assert low == pytest.approx(100 * min(clopper_pearson(*one)[0] for one in can_be))
    assert high == pytest.approx(100 * max(clopper_pearson(*one)[1] for one in can_be))


@pytest.mark.parametrize("value, places, text", [(4, 2, "4.00"), (Fraction("78.3"), 2, "78.30"), (7, 0, "7"),
                                                 (Fraction("18.25"), 1, "18.25")])  # fmt: skip
def test_a_value_is_shown_with_the_decimals_of_its_column(value, places, text):
    assert str(Span(Fraction(value), Fraction(value), places=places)) == text


def test_everybody_of_an_open_number_is_still_everybody(study, known):
    row = rated(study, known).query("group == 'MC' and rule == 'fc' and evaluable_set == 'positive_before'").iloc[0]
    assert row["text"] == "open, all of 15 to 16"
    assert row["percent_least"] == row["percent_greatest"] == 100


def test_what_is_printed_of_a_part_or_of_the_whole_alone_is_open_in_the_other(study, known):
    table = described(study, known).set_index(["group", "characteristic", "level"])
    text, is_open = table["text"].to_dict(), table["open"].to_dict()
    assert text[TOTAL, "diagnosis to first infusion", ""] == "open, median 3.7 to 22.9 (0.7 to 62.1)"
    assert text[TOTAL, "cycles, the first included", ""] == "open, 37 to 47"
    assert text["MC", "sex", "female"] == "open, 2 to 12 of 18 (11.1 to 66.7%)"
    assert text["MC", "infusion in cycle 1", ""] == "open, median 14 to 28 (within 1 to 28)"
    assert text["RR", "age", ""] == "open, median 0.6 to 16.4"
    assert not is_open[TOTAL, "sex", "male"] and not is_open[TOTAL, "age", ""]
    assert not any(is_open[group, "diagnosis to first infusion", ""] for group in ("MC", "IC", "RR"))


def test_a_median_that_the_report_prints_is_given_as_printed_though_it_was_rounded(study, known):
    span = known(Asked("median", {"group": "MC"}, "months_from_diagnosis"))
    assert (span.lower, span.upper, span.printed) == (Fraction("3.65"), Fraction("3.75"), "3.7")
    assert not span.determined and not span.is_open
    table = describe(study.patients, study.cohort)
    row = (table["group"] == "MC") & (table["characteristic"] == "diagnosis to first infusion")
    table.loc[row, ["value", "text"]] = 3.65, "3.65 (0.7 to 39.8)"  # as another line list would have it
    shown = with_bounds(table, questions.of_description, known)[row].iloc[0]
    assert (shown["value"], shown["text"], shown["open"]) == (3.7, "3.7 (0.7 to 39.8)", False)


def test_fc_before_in_mc_is_15_or_16_positive(study, known):
    table = statuses(study.only("MC").mrd).assign(group="MC")
    text = with_bounds(table, questions.of_statuses, known).set_index(["assay", "time", "status"])["text"]
    assert text["FC", "before", "positive"] == "open, 15 to 16 of 18"
    assert text["FC", "after", "negative"] == "18 of 18"


@pytest.mark.parametrize("name", ["of_flow", "of_fusion_contrast", "of_worst_grades", "of_fever", "of_fever_as_crs",
                                  "of_icans", "of_stops", "of_severe_reactions"])  # fmt: skip
def test_flow_carriers_and_safety_are_determined(study, known, name):
    (table,) = [table for table, asks in every_table(study) if asks.__name__ == name]
    stated = with_bounds(table, getattr(questions, name), known)
    assert not stated["open"].any()
    pd.testing.assert_frame_equal(stated[[*table]], table)


def test_what_notebooks_say_of_early_stops_in_one_sentence_is_determined(document):
    early = {"stop_reason": ["severe_reaction", "economic"]}
    for days in ("1", "2", "7"):
        found = solver(document)(count(early, {"infusion_days": days}))
        assert (found.lower, found.upper, found.status) == (1, 1, "proven")


# The rank test


def test_sides_that_are_apart_in_every_line_list_leave_p_open_only_by_ties(study, known, document):
    row = burdened(study, known, "RR")
    assert (row["responders"], row["responders_median"], row["responders_range"]) == (
        4, "open, 0.08 to 8.37", "0.08 to 8.37")  # fmt: skip
    assert row["test_text"] == (
        "open: p = 0.057, or 0.029 if a second responder also had 8.37%; in either case the smallest possible"
    )
    assert row[["p", "smallest_attainable"]].isna().all()
    asked = document.question("count", {"group": "RR", "fc_after": "negative", "mrd_before_percent": "8.37"})
    seen = set()
    for world in solve_bounds(document, asked).worlds:  # one or three responders with the greatest MRD
        one = tidy(world, study.cohort)
        rows = burden(one.patients, one.mrd, one.cohort, "RR")
        seen.add(rank_permutation([*rows["value_percent"]], [*rows["responded"]]).p)
    assert seen == {Fraction(1, 35), Fraction(2, 35)}


def test_sides_that_may_overlap_leave_p_open(study, known):
    row = burdened(study, known, "MC")
    assert row["test_text"] == "open" and pd.isna(row["p"])
    assert row["others_range"] == "open, within 0.01 to 4.00"


def test_without_anybody_on_one_side_there_is_no_test_in_any_line_list(study, known):
    assert burdened(study, known, "IC")["test_text"] == "nobody to compare with"


def ranked(responders, others, ties=(1, 1)):
    """The changes to a row of a burden test with these numbers and ends of sides: (number, least, greatest)."""
    fixed = {}
    for side, (number, least, greatest) in (("responders", responders), ("others", others)):
        fixed |= {side: Span(Fraction(number), Fraction(number)), f"{side}_least": Span(least, least, places=2),
                  f"{side}_greatest": Span(greatest, greatest, places=2)}  # fmt: skip
    asked = {name: Asked("max", {"group": "MC"}, "mrd_before_percent") for name in fixed}
    bounds = CohortBounds(None, {}, lambda one: Span(*map(Fraction, ties)))
    return module._rank_test(asked, fixed, bounds)


@pytest.mark.parametrize(
    "responders, others, ties, said",
    [
        ((3, 1, 2), (3, 4, 9), (1, 2), None),  # sides of one size: no tie can blur the mirror image
        ((4, 1, 2), (3, 4, 9), (1, 1), None),  # no ties at the end that matters
        ((4, 1, 2), (3, 4, 9), (2, 2), None),  # always the same ties
        ((4, 1, 2), (3, 4, 9), (1, 2), "open: p = 0.057, or 0.029 if a second responder also had 2.00%;"),
        ((3, 4, 9), (4, 1, 2), (1, 2), "open: p = 0.057, or 0.029 if a second one of the others also had 2.00%;"),
        ((2, 4, 9), (5, 1, 2), (1, 1), "open: p = 0.095, or 0.048 if certain others share a value;"),
        ((4, 1, 4), (3, 4, 9), (1, 1), "open"),
        ((4, 1, 5), (3, 4, 9), (1, 1), "open"),
    ],
)
def test_p_is_known_as_far_as_who_is_above_whom_is_known(responders, others, ties, said):
    changed = ranked(responders, others, ties)
    assert changed.get("test_text", "").startswith(said) if said else changed == {}


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.lists(st.integers(6, 10), min_size=1, max_size=5))
def test_p_of_sides_that_are_apart_is_one_or_two_assignments_by_ties_in_the_larger(low, high):
    test = rank_permutation([*low, *high], [True] * len(low) + [False] * len(high))
    ways, more = comb(len(low) + len(high), len(low)), abs(len(low) - len(high))
    larger = sorted(low, reverse=True) if len(low) > len(high) else sorted(high)  # from the end toward the other side
    blurred = more > 0 and larger[more - 1] == larger[more]
    assert test.p == test.smallest_attainable == Fraction(1 if blurred else 2, ways)


def test_p_of_a_contrast_with_an_open_count_is_open(study, known):
    table = fusion_contrast(study.patients, study.mrd, study.cohort)
    spans = dict(known.spans)
    carriers = questions.of_fusion_contrast(table.iloc[0].to_dict(), study.cohort)["carriers_k"]
    spans[carriers.key] = Span(Fraction(5), Fraction(6))
    row = with_bounds(table, questions.of_fusion_contrast, CohortBounds(study.cohort, spans)).iloc[0]
    assert (row["test_text"], row["carriers_text"], row["others_text"]) == (
        "open", "open, 5 to 6 of 6", "12/12 (100%, 73.5 to 100)")  # fmt: skip
    assert pd.isna(row["carriers_k"]) and row["carriers_n"] == 6


# What is not proven, or not defined


@pytest.fixture
def with_other_rate(study, known):
    """The row of MC, strict rule, more than 7 days, for other bounds of its number."""

    def show(k, n=None, percent=None):
        table = rates(study.patients, study.mrd, study.cohort)
        picked = (table["group"] == "MC") & (table["rule"] == "fc_and_pcr")
        table = table[picked & (table["evaluable_set"] == "more_than_7_days")]
        asked = questions.of_rates(table.iloc[0].to_dict(), study.cohort)
        spans = dict(known.spans) | {asked["k"].key: k}
        spans |= {asked["n"].key: n, asked["percent"].key: percent} if n else {}
        return with_bounds(table, questions.of_rates, CohortBounds(study.cohort, spans)).iloc[0]

    return show


@pytest.mark.parametrize("status", ["unconfirmed", "outer"])
def test_bounds_that_are_not_proven_say_so_even_where_they_meet(with_other_rate, status):
    wide = with_other_rate(Span(Fraction(9), Fraction(13), status))
    assert wide["text"] == "open, 9 to 13 of 15 (60.0 to 86.7%), unconfirmed"
    met = with_other_rate(Span(Fraction(13), Fraction(13), status))
    assert met["open"] and met["text"] == "open, 13 of 15 (86.7%), unconfirmed"


def test_a_number_of_which_the_solver_found_nothing_is_unknown(with_other_rate):
    row = with_other_rate(Span(None, None, "unknown"))
    assert row["open"] and row["text"] == "open, unknown of 15 (unknown%), unconfirmed"


def test_a_rate_of_nobody_in_some_line_lists_is_open(with_other_rate):
    one = Span(Fraction(0), Fraction(1))
    row = with_other_rate(one, n=one, percent=Span(Fraction(100), Fraction(100), sometimes_undefined=True))
    assert row["open"] and row["text"] == "open, all of 0 to 1"


def test_a_share_follows_from_its_part_where_the_whole_is_known():
    some, none, girls = {"group": "MC"}, {"group": "IC"}, {"sex": "female"}
    six, zero, part = Span(Fraction(6), Fraction(6)), Span(Fraction(0), Fraction(0)), Span(Fraction(1), Fraction(2))
    known = CohortBounds(None, {count(some).key: six, count(some, girls).key: part, count(none).key: zero})
    assert known(Asked("percent", some, girls)) == Span(Fraction(50, 3), Fraction(100, 3))
    assert known(Asked("percent", none, girls)) == known(Asked("median", none, "age_years")) == NOWHERE


def test_a_sum_follows_from_its_mean_and_is_less_sure_where_the_number_is_open():
    def of(number, mean):
        asked = Total({"group": "MC"}, "extra_cycles", each=1)
        return CohortBounds(None, {asked.number.key: number, asked.mean.key: mean})(asked)

    mean, five = Span(Fraction(1, 5), Fraction(2)), Span(Fraction(5), Fraction(5))
    assert of(five, mean) == Span(Fraction(6), Fraction(15))
    assert of(Span(Fraction(0), Fraction(5)), mean) == Span(Fraction(0), Fraction(15), "outer")
    assert of(Span(Fraction(0), Fraction(0)), NOWHERE) == Span(Fraction(0), Fraction(0))


def test_a_severe_grade_is_open_where_the_number_without_a_grade_is(study, known):
    table = worst_grades(study.patients, study.events, study.cohort)
    unnamed = table[(table["group"] == "MC") & (table["event"] == UNNAMED_REACTION)]
    asked = questions.of_worst_grades(unnamed.iloc[0].to_dict(), study.cohort)["k"]
    spans = dict(known.spans) | {asked.key: Span(Fraction(1), Fraction(2))}
    stated = with_bounds(unnamed, questions.of_worst_grades, CohortBounds(study.cohort, spans))
    assert stated.set_index("severity")["text"].to_dict() == {
        "any grade": "open, 1 to 2 of 18 (5.6 to 11.1%)", "grade 3 or more": "open",
        "grade not reported": "open, 1 to 2 of 18 (5.6 to 11.1%)"}  # fmt: skip


def test_fever_without_a_grade_on_the_scale_is_one_number(study, known):
    table = worst_grades(study.patients, study.events, study.cohort)
    spans = dict(known.spans) | {count({"group": "MC", "fever_cycle1": "yes"}).key: Span(Fraction(8), Fraction(9))}
    stated = with_bounds(table, questions.of_worst_grades, CohortBounds(study.cohort, spans))
    rows = stated[(stated["group"] == "MC") & (stated["event"] == "fever")].set_index("severity")["text"]
    assert rows.to_dict() == {NO_GRADE: "open, 8 to 9 of 18 (44.4 to 50.0%)"}


# Real patients


def test_of_real_patients_nothing_is_open(study):
    cohort = study.cohort.model_copy(update={"reconstructed": False})
    assert load_bounds(cohort) is None
    assert load_bounds(study.cohort.model_copy(update={"folder": cohort.folder / "nowhere"})) is None  # no claims
    table = rates(study.patients, study.mrd, cohort)
    stated = with_bounds(table, questions.of_rates, None)
    assert not stated["open"].any()
    pd.testing.assert_frame_equal(stated[[*table]], table)
    assert stated["percent_least"].equals(table["percent"]) and stated["percent_greatest"].equals(table["percent"])


# The file


@pytest.fixture
def copy(report_folder, tmp_path):
    """A copy of the report's cohort."""
    for path in report_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return load_cohort(tmp_path)


def test_bounds_made_from_other_claims_are_refused_in_one_line(copy):
    assert load_bounds(copy) is not None
    text = copy.claims.read_text(encoding="utf-8")
    copy.claims.write_bytes(text.replace("\n", "\r\n").encode())  # how lines end does not matter
    assert load_bounds(copy) is not None
    copy.claims.write_text(text + "# a comment\n", encoding="utf-8")
    with pytest.raises(FileError, match=r"^bounds.csv was made from another claims.yaml: run make linelist$"):
        load_bounds(copy)


def test_bounds_that_are_missing_or_damaged_are_refused_in_one_line(copy):
    text = copy.bounds.read_text(encoding="utf-8")
    for old, new in (("lower,", "lowest,"), (",28,28,", ",28,many,"), (",28,28,", ",28\n")):
        copy.bounds.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(FileError, match=r"^bounds.csv is damaged: run make linelist$"):
            load_bounds(copy)
    copy.bounds.unlink()
    with pytest.raises(FileError, match=r"^there is no bounds.csv beside claims.yaml: run make linelist$"):
        load_bounds(copy)


def test_a_question_that_was_not_solved_is_refused_in_one_line(known):
    with pytest.raises(FileError, match=r"bounds.csv does not hold the max of crs_grade over \{\}: run make linelist"):
        known(Asked("max", {}, "crs_grade"))


def test_the_file_holds_what_the_tables_need_and_nothing_else(study, known):
    needed = set()

    class Listening(dict):
        def __getitem__(self, key):
            needed.add(key)
            return super().__getitem__(key)

    listening = CohortBounds(study.cohort, Listening(known.spans))
    for table, asks in every_table(study):
        with_bounds(table, asks, listening)
    assert needed == set(known.spans)
    assert known.proven


def test_the_solver_finds_the_recorded_bounds_again(known, document):
    solve = solver(document)
    for key in random.Random(23).sample(sorted(known.spans), SAMPLE):
        statistic, rows, of = key
        if of.startswith("{"):
            of = parse_yaml(of, "of").content
        assert solve(Asked(statistic, parse_yaml(rows, "rows").content, of or None)) == known.spans[key], key


def test_the_shipped_line_list_lies_within_the_bounds_and_where_they_meet_upon_them(study, known, document):
    table = read_for_claims(study.cohort.linelist, document)
    for (statistic, rows, of), span in known.spans.items():
        of = parse_yaml(of, "of").content if of.startswith("{") else of or None
        question = document.question(statistic, parse_yaml(rows, "rows").content, of)
        (value,) = question.statistic.values(table, question.rows.holds(table), question.of)
        assert span.lower <= value <= span.upper


def test_the_file_is_written_as_it_was_and_each_question_solved_once(copy, known):
    asked = []

    def solve(question):
        asked.append(question.key)
        return known.spans[question.key]

    before = copy.bounds.read_bytes()
    copy.bounds.unlink()
    make_bounds(copy, solve)
    assert copy.bounds.read_bytes() == before
    assert len(asked) == len(set(asked)) == len(known.spans)
    assert [path.name for path in copy.folder.glob(".*")] == []


@pytest.mark.parametrize(
    "value, text",
    [(Fraction(7), "7"), (Fraction(229, 10), "22.9"), (Fraction(2, 3), "2/3"), (Fraction(100), "100"),
     (Fraction(0), "0"), (Fraction(1, 2**30), "1/1073741824")],
)  # fmt: skip
def test_an_end_is_written_exactly(value, text):
    assert exact_text(value) == text
    assert Fraction(text) == value
