"""What the report determines and what it leaves open: declared questions, their bounds, and what rests on readings."""

from dataclasses import replace
from fractions import Fraction

import pytest

from blina.analysis import determined as module
from blina.analysis import readings
from blina.analysis.determined import (
    answer_table,
    answers,
    bounds_of,
    claims_of,
    contrast_rests_on,
    counts_said,
    ensemble,
    lower_carriers,
    pooled_and_single,
    rates_at_both_ends,
    rounding,
    seen_table,
    separated,
)
from blina.analysis.readings import (
    changes,
    load_readings,
    readings_text,
    stated_alternatives,
    without_each,
)
from blina.analysis.study import Study, open_study
from blina.claims.check import read_for_claims
from blina.claims.consistent import consistent
from blina.claims.document import compile_document, load_claims
from blina.claims.sample import Distance
from blina.linelist.cohort import load_cohort
from blina.linelist.columns import COLUMNS, RULES
from blina.measures.asking import Declared, declared, share
from blina.measures.bounds import CohortBounds, Solver
from blina.measures.declare import TOTAL
from blina.measures.language import Asked, both
from blina.measures.recorded import AS_READ
from blina.measures.span import Span
from blina.yamlfile import FileError, parse_yaml

FEW_CLAIMS = """
source: {title: three numbers}
patients: 28
columns:
  group: {type: category, values: [MC, RR]}
  sex: {type: category, values: [male, female]}
claims:
  - {id: mc, statistic: count, rows: {group: MC}, equals: "18"}
  - {id: girls, statistic: count, rows: {sex: female}, equals: "12"}
"""
CONTRADICTORY = FEW_CLAIMS + '  - {id: girls-again, statistic: count, rows: {sex: female}, equals: "13"}\n'


def count(*rows):
    return Asked("count", both(*rows))


def compiled(text):
    return compile_document(parse_yaml(text, "toy.yaml"))


@pytest.fixture(scope="module")
def given(report_folder):
    cohort = load_cohort("tianjin2023")
    return claims_of(cohort, load_claims(report_folder / "claims.yaml"))


@pytest.fixture(scope="module")
def bounds(given):
    return bounds_of(*given)


@pytest.fixture(scope="module")
def found(given, bounds):
    cohort, document = given
    return answers(document, bounds, read_for_claims(cohort.linelist, document))


@pytest.fixture(scope="module")
def changed(given):
    return changes(*given, load_readings(*given))


def texts(found):
    return {answer.question.key: answer.text for answer in found}


# Questions and answers


def test_facts_that_the_report_does_not_print_are_determined(found):
    facts = texts(answer for answer in found if answer.determined and not answer.printed)
    assert facts[TOTAL, "negative after by FC"] == "25 of 28"
    assert facts["MC + RR", "negative after by FC"] == "22 of 25"
    assert facts["MC + RR", "negative after by FC and RT-PCR"] == "16 of 25"
    assert facts["RR", "negative after by FC and RT-PCR"] == "3 of 7"
    assert facts[TOTAL, "BCR::ABL1 carriers negative after by RT-PCR"] == "1 of 7"
    assert facts[TOTAL, "BCR::ABL1 carriers negative after by FC"] == "7 of 7"
    assert facts[TOTAL, "with 14 to 28 days of infusion in cycle 1"] == "25 of 28"
    assert facts["RR", "BCR::ABL1 carriers negative after by FC and RT-PCR"] == "0 of 1"


def test_a_mean_that_rests_on_the_decimals_of_the_line_list_alone_is_not_asked(given):
    assert ("IC", "mean interval") not in {question.key for question in declared(given[0])}


def test_the_answers_are_counted_and_rounded_ones_named(found):
    facts, is_open, printed = (sum(getattr(answer, name) for answer in found) for name in
                               ("determined", "is_open", "printed"))  # fmt: skip
    rounded = [answer for answer in found if answer.printed and not answer.determined]
    facts -= printed - len(rounded)
    assert facts + is_open + printed == len(found) and len(rounded) == 2
    assert counts_said(found) == (
        f"{len(found)} questions: {facts} determined though not printed, {is_open} open, {printed} printed by the "
        "report, 2 of them as rounded medians (3.7 stands for 3.65 to 3.75)."
    )
    assert counts_said([answer for answer in found if not answer.printed]).endswith("open, 0 printed by the report.")


def test_what_is_not_determined_has_its_known_bounds(found):
    open_ = texts(answer for answer in found if answer.is_open)
    assert open_[TOTAL, "median interval"] == "3.7 to 22.9"
    assert open_["RR", "mean MRD"] == "18.88 to 29.20"
    assert open_["MC", "mean MRD"] == "0.30 to 1.85"
    assert open_[TOTAL, "girls among BCR::ABL1 carriers"] == "0 to 7 of 7"
    assert open_[TOTAL, "cycles given, the first included"] == "37 to 47"
    assert open_["MC", "negative after by FC and RT-PCR, more than 7 days"] == "10 to 13 of 15"
    assert open_["RR", "greatest MRD of a BCR::ABL1 carrier"] == "0.08 to 8.37"


def test_what_the_report_prints_is_neither_a_new_fact_nor_open(found):
    printed = texts(answer for answer in found if answer.printed)
    assert printed["MC", "median interval"] == "3.7"  # 3.65 to 3.75, rounded
    assert printed["MC", "negative after by FC and RT-PCR"] == "13 of 18"
    assert printed["MC", "greatest MRD"] == "4.00"  # an end of a printed range
    assert not any(answer.is_open for answer in found if answer.printed)


def test_the_shipped_line_list_lies_within_all_bounds_and_another_may_not(given, bounds, found, line_list):
    cohort, document = given
    assert all(answer.inside and answer.here is not None for answer in found)
    other = read_for_claims(line_list({("P25", "fc_after"): "positive", ("P26", "fc_after"): "positive"}), document)
    fc = [question for question in declared(cohort) if question.key == (TOTAL, "negative after by FC")]
    (answer,) = answers(document, bounds, other, fc)
    assert not answer.inside and answer.here < 25


def test_an_answer_that_is_not_confirmed_is_no_fact(given):
    cohort, document = given
    question = share(TOTAL, "girls", {}, {"sex": "female"})
    known = {count({"sex": "female"}).key: Span(Fraction(12), Fraction(12), "unconfirmed"),
             count({}).key: Span(Fraction(28), Fraction(28))}  # fmt: skip
    (answer,) = answers(document, CohortBounds(cohort, known), questions=[question])
    assert (answer.determined, answer.is_open, answer.text) == (False, True, "12 of 28, unconfirmed")


def test_a_count_is_a_fact_only_if_it_is_known_among_how_many(given):
    cohort, document = given
    question = share(TOTAL, "girls", {}, {"sex": "female"})
    known = {count({"sex": "female"}).key: Span(Fraction(0), Fraction(0)),
             count({}).key: Span(Fraction(7), Fraction(9))}  # fmt: skip
    (answer,) = answers(document, CohortBounds(cohort, known), questions=[question])
    assert answer.is_open and answer.text == "0, among 7 to 9"


def test_a_number_of_nobody_has_no_answer(given):
    cohort, document = given
    none, nobody = Span(Fraction(0), Fraction(0)), {"group": "IC", "bcr_abl1": "yes"}
    questions = [share("IC", "girls", nobody, {"sex": "female"}),
                 Declared("IC", "median age", "years", Asked("median", nobody, "age_years"))]  # fmt: skip
    known = {count(nobody).key: none, count(nobody, {"sex": "female"}).key: none}
    assert answers(document, CohortBounds(cohort, known), questions=questions) == ()


def test_the_table_of_answers_names_the_readings_under_a_fact(found, changed):
    table = answer_table(found, changed).set_index(["group", "question"])
    assert table.loc[(TOTAL, "negative after by FC"), "rests_on"] == "R14, R15"
    assert table.loc[("RR", "negative after by FC and RT-PCR"), "rests_on"] == "R1, R14"
    assert table.loc[("MC", "CRS of any grade"), "rests_on"] == "R5, R10"
    row = table.loc[("MC", "girls")]
    assert (row["least"], row["greatest"], row["n_least"], row["rests_on"], row["open"]) == (2, 12, 18, "", True)
    assert len(answer_table(())) == 0 and answer_table(())["open"].dtype == bool


def test_no_carrier_of_the_fusion_gene_in_rr_had_the_greatest_mrd(found, changed):
    (said,) = lower_carriers(found, changed)
    assert said.startswith("In RR the one carrier of *BCR::ABL1* had at most 8.37% MRD")
    assert said.endswith("reaches 78.30% (reading R14).")
    several = [answer for answer in found if answer.question.words != "BCR::ABL1 carriers negative after by FC"]
    assert lower_carriers(several)[0].startswith("In RR no carrier of *BCR::ABL1* had more than 8.37% MRD")


def test_contrasts_by_rt_pcr_rest_on_whom_it_followed(changed):
    rests = {(group, rule): contrast_rests_on(changed, group, rule)
             for group in ("MC", "RR", "MC + RR") for rule in ("fc", "fc_and_pcr")}  # fmt: skip
    assert {key for key, readings in rests.items() if readings} == {*rests} - {("MC", "fc"), ("MC", "fc_and_pcr")}
    assert rests["RR", "fc"] == rests["MC + RR", "fc"] == "R14"
    assert rests["RR", "fc_and_pcr"] == rests["MC + RR", "fc_and_pcr"] == "R1, R14"


# Rounding


def test_cutting_digits_off_is_ruled_out_by_one_number(given):
    _, document = given
    table = rounding(document, consistent(document)).set_index("rounding")
    assert [*table["all_claims"]] == ["consistent"] * 3 + ["contradictory"]
    said = table.loc["further digits cut off", "ruled_out_by"]
    assert "printed 42.9, would be 42.8" in said and "Results, 13" in said and ";" not in said
    assert (table["ruled_out_by"] != "").sum() == 1


# Readings


def test_a_reading_that_is_dropped_only_widens_bounds(given):
    recorded = load_readings(*given)
    for (reading, *question), (span, whole) in recorded.items():
        before, counted = recorded[AS_READ, *question]
        assert span.lower <= before.lower <= before.upper <= span.upper, (reading, question)
        assert whole is None or whole.lower <= counted.lower <= counted.upper <= whole.upper
        assert span.status == "proven"


def test_the_readings_file_is_what_the_solvers_find_for_each_reading_by_itself(given):
    cohort, document = given
    recorded = load_readings(cohort, document)
    asked = {question.key: question for question in declared(cohort)}
    some = [("R1", "RR", "negative after by FC and RT-PCR"), ("R2", TOTAL, "BCR::ABL1 carriers negative after by FC"),
            ("R5", "MC", "CRS of any grade"), ("R7", TOTAL, "cycles given, the first included"),
            ("R12", "RR", "mean MRD"), ("R9", TOTAL, "negative after by FC"), (AS_READ, "MC", "girls")]  # fmt: skip
    for reading, *key in some:
        bounds = CohortBounds(cohort, {}, Solver(document.without([reading] if reading else [])))
        question, (span, whole) = asked[tuple(key)], recorded[reading, *key]
        again = bounds(question.asked)
        assert (again.lower, again.upper, again.status) == (span.lower, span.upper, span.status)
        if whole:
            again = bounds(question.whole)
            assert (again.lower, again.upper) == (whole.lower, whole.upper)


def test_dropping_readings_by_halves_finds_what_dropping_each_finds(given):
    cohort, document = given
    some = [question for question in declared(cohort) if question.key in
            {("MC", "positive before by FC"), ("MC", "CRS of any grade"), (TOTAL, "negative after by FC")}]  # fmt: skip
    recorded = load_readings(cohort, document)
    found = without_each(cohort, document, some)
    assert len(found) == 3 * (1 + len(document.readings))
    assert found == {key: recorded[key] for key in found}


def test_the_numbers_in_the_claims_file_are_the_bounds_without_a_reading(given, changed):
    _, document = given
    stated = stated_alternatives(document, changed)
    assert [*stated["reading"]] == ["R1", "R5", "R5", "R5", "R11", "R12"]
    assert (stated["found"] != "").all()
    assert stated.loc[0, "found"] == "MC: positive before by FC, 3 to 16 of 18"
    other = replace(
        document,
        readings=tuple(
            reading.model_copy(update={"alternatives": [text.replace("3 and 16", "3 and 15")
                                                        for text in reading.alternatives]})
            for reading in document.readings
        ),
    )  # fmt: skip
    assert stated_alternatives(other, changed).loc[0, "found"] == ""


@pytest.fixture
def copy(report_folder, tmp_path):
    for path in report_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return load_cohort(tmp_path)


def test_the_readings_file_is_written_as_it_was(copy, given, monkeypatch):
    recorded, path = load_readings(*given), copy.folder / "readings.csv"
    before = path.read_bytes()
    path.unlink()
    monkeypatch.setattr(readings, "without_each", lambda cohort, document: recorded)
    assert readings_text(copy).encode() == before


def test_a_readings_file_that_does_not_fit_is_refused_in_one_line(copy, given):
    _, document = given
    path = copy.folder / "readings.csv"
    text = path.read_text(encoding="utf-8")
    last = text.rstrip("\n").rpartition("\n")[0] + "\n"
    for content, said in ((text.replace(",28,", ",many,", 1), "is damaged"), (text.replace(",proven,no", "", 1),
                          "is damaged"), (last, "was made for other questions"),
                          (text.replace("sha256 ", "sha256 0"), "was made from another claims.yaml")):  # fmt: skip
        path.write_text(content, encoding="utf-8")
        with pytest.raises(FileError, match=rf"^readings.csv {said}: run make linelist$"):
            load_readings(copy, document)
    path.unlink()
    with pytest.raises(FileError, match=r"^there is no readings.csv beside claims.yaml: run make linelist$"):
        load_readings(copy, document)


# Conclusions


@pytest.fixture(scope="module")
def study():
    return open_study("tianjin2023")


def test_in_every_world_each_responder_of_rr_had_less_mrd_than_each_other_child(study):
    results = study.results
    assert separated(results, "RR") == "in every world, at most 8.37 against at least 22.64"
    assert separated(results, "MC") == "open"
    assert separated(results, "IC") == "no patients to compare"


def apart(study, responders_max, others_min):
    """Whether responders of RR lie below the others, for other bounds of the values that touch."""
    ends = {"responders": ("max", responders_max), "others": ("min", others_min)}
    spans = dict(study.known.spans)
    for side, (statistic, (low, high)) in ends.items():
        about = ("burden", "RR", "MRD before", side, "fc", "", statistic)
        key = study.results.get(*about).measure.asked.key
        spans[key] = Span(Fraction(low), Fraction(high))
    changed = Study(study.table, study.cohort, CohortBounds(study.cohort, spans))
    return separated(changed.results, "RR")


def test_where_responders_start_above_the_others_they_are_never_below(study):
    assert apart(study, (9, 10), (1, 9)) == "in no world"
    assert apart(study, (9, 10), (1, 11)) == "open"


def test_early_stops_move_the_printed_rate_of_mc_between_exact_limits(study):
    table = rates_at_both_ends(study.results).query("group == 'MC'").set_index("evaluable_set")
    assert [*table["patients"]] == [
        "13 of 18",
        "13 of 18",
        "10 to 13 of 15",
        "11 to 13 of 18",
        "11 to 13 of 16",
    ]
    row = table.loc["more than 7 days"]
    assert row["at_the_fewest"] == "10/15 (66.7%, 38.4 to 88.2)"
    assert row["at_the_most"] == "13/15 (86.7%, 59.5 to 98.3)"
    ends = table.loc["all treated", ["at_the_fewest", "at_the_most"]]
    assert [*ends] == ["13/18 (72.2%, 46.5 to 90.3)", ""]
    assert [*table["open"]] == [False, False, True, True, True]


# Ensemble


def test_drawn_worlds_lie_within_the_bounds_and_never_vary_in_what_is_determined(given, found):
    _, document = given
    drawn = ensemble(document, found, worlds=20, seed=5)
    assert drawn == ensemble(document, found, worlds=20, seed=5)
    for answer in found:
        low, high = drawn.seen[answer.question.key]
        assert answer.span.lower <= low <= high <= answer.span.upper
        assert not answer.determined or low == high
    table = seen_table(document, drawn, found).set_index(["group", "question"])
    row = table.loc[(TOTAL, "median interval")]
    assert row["bounds"] == "3.7 to 22.9" and not row["both_ends"] and row["open"]
    said = drawn.said(found)
    assert said.startswith("20 worlds drawn, every line list equally likely (patients told apart), each rechecked")
    assert "There are about 10^230 such worlds. Two of them can differ in all 28 rows" in said
    assert said.endswith("numbers that are exactly the same in every world, none varied.")
    with pytest.raises(ValueError, match="draw at least one world, not 0"):
        ensemble(document, found, worlds=0, seed=5)


@pytest.mark.parametrize("ends, said", [((28, 28), "all 28 rows"), ((2, 2), "2 of 28 rows"),
                                        ((20, 28), "20 to 28 of 28 rows")])  # fmt: skip
def test_how_far_two_worlds_can_differ_is_said_in_rows(ends, said):
    assert module._in_rows(Distance(*ends), 28) == said


# Other cohorts


def test_claims_on_a_few_columns_are_asked_about_all_columns_of_a_line_list():
    cohort, document = claims_of(load_cohort("tianjin2023"), compiled(FEW_CLAIMS))
    assert set(document.columns) == {c.name for c in COLUMNS if c.type != "identifier" and not c.optional}
    assert {rule.id for rule in document.rules} == {
        rule.id for rule in RULES if "fusion_gene" not in rule.columns and "-in-IC" not in rule.id
    }
    assert [group.name for group in cohort.groups] == ["MC", "RR"] and pooled_and_single(cohort)[-1] == "MC + RR"
    bounds = CohortBounds(cohort, {}, Solver(document))
    girls = [share(name, "girls", {"group": name}, {"sex": "female"}) for name in ("MC", "RR")]
    found = texts(answers(document, bounds, questions=girls))
    assert found == {("MC", "girls"): "2 to 12 of 18", ("RR", "girls"): "0 to 10 of 10"}


def test_claims_that_name_every_column_are_asked_about_as_they_are(given, report_folder):
    assert given[1] == load_claims(report_folder / "claims.yaml")


def test_claims_that_contradict_each_other_have_no_answers():
    cohort, document = claims_of(load_cohort("tianjin2023"), compiled(CONTRADICTORY))
    bounds = CohortBounds(cohort, {}, Solver(document))
    assert answers(document, bounds, questions=declared(cohort)[:3]) == ()
    assert without_each(cohort, document) == {}
    drawn = ensemble(document, (), worlds=3, seed=1)
    assert drawn.worlds == 0 and "No world was drawn: no line list satisfies all claims" in drawn.said(())
    assert changes(cohort, document, {}).empty and seen_table(document, drawn, ()).empty


def test_of_real_patients_the_bounds_are_what_their_claims_say(copy):
    real = copy.model_copy(update={"reconstructed": False})
    asked = "questions:\n  - {group: MC, words: girls, rows: {group: MC}, of: {sex: female}}\n"
    (copy.folder / "questions.yaml").write_text(asked, encoding="utf-8")
    cohort, document = claims_of(real, compiled(FEW_CLAIMS))
    bounds = bounds_of(cohort, document)
    assert bounds.spans == {}
    assert load_readings(cohort, document).keys() == {(AS_READ, *question.key) for question in declared(cohort)}
    assert bounds(count({"group": "MC", "sex": "female"})).upper == 12
