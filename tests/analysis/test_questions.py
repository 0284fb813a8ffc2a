"""Every number of the analysis tables answers a question of the claims language, and answers it right."""

import pandas as pd
import pytest

from blina.measures.intervals import exact
from blina.analysis.open import load_bounds, with_bounds
from blina.analysis.questions import (
    Asked,
    Total,
    both,
    count,
    every_table,
    of_concordance,
    of_course_counts,
    of_description,
    of_infusions,
    of_rates,
)
from blina.analysis.response import concordance
from blina.analysis.safety import course_counts, infusions
from blina.claims.bounds import bounds
from blina.claims.document import load_claims
from blina.claims.worlds import spread_world
from blina.linelist.cohort import Group, load_cohort
from blina.linelist.tidy import load, tidy
from blina.yamlfile import parse_yaml

NUMBERS = ("k", "n", "of", "percent", "value", "least", "greatest", "fever_only", "stopped_for_severe",
           "described_severe", "both", "difference", "carriers_k", "carriers_n", "others_k", "others_n",
           "without_value", "responders", "others")  # fmt: skip


@pytest.fixture(scope="module")
def document(report_folder):
    return load_claims(report_folder / "claims.yaml")


@pytest.fixture(scope="module")
def free(document):
    """The same with no more claims than the sizes of the groups: its worlds differ in everything else."""
    kept = tuple(claim for claim in document.claims if claim.id.startswith("n-"))
    rules = tuple(rule for rule in document.rules if rule.id in STANDARD)
    return type(document)(**{**vars(document), "claims": kept, "rules": rules})


STANDARD = ("reason-only-in-IC", "reason-given-in-IC", "pcr-before-needs-fusion", "pcr-after-needs-fusion",
            "fusion-followed-before", "fusion-followed-after", "mrd-value-when-detected",
            "mrd-blank-when-not-detected", "icans-day-with-icans", "no-icans-day-without-icans")  # fmt: skip


def answer(document, table, asked):
    """The exact answer on one line list; None where there is nobody."""
    if isinstance(asked, Total):
        number, mean = (answer(document, table, part) for part in (asked.number, asked.mean))
        return number * (mean + asked.each) if number else 0
    question = document.question(asked.statistic, asked.rows, asked.of)
    values = question.statistic.values(table, question.rows.holds(table), question.of)
    return None if values is None else values[0]


def compare(document, table, study):
    """Each number of each table with the answer to its question; how many were compared."""
    compared = 0
    for frame, questions in every_table(study):
        for row in frame.to_dict("records"):
            asked = questions(row, study.cohort)
            for name, value in row.items():
                if name in asked and not isinstance(value, str):
                    found = answer(document, table, asked[name])
                    same = pd.isna(value) if found is None else abs(exact(value) - found) <= exact("1e-9")
                    assert same, (questions.__name__, row, name, value, found)
                    compared += 1
                elif name in NUMBERS and not pd.isna(value):
                    assert value == 0, (questions.__name__, row, name)  # fixed by the form of the line list
            for side in ("responders", "others"):
                if f"{side}_least" in asked and row[side]:
                    ends = [exact(end) for end in row[f"{side}_range"].split(" to ")]
                    assert ends == [answer(document, table, asked[f"{side}_{end}"]) for end in ("least", "greatest")]
                    middle = answer(document, table, asked[f"{side}_median"])
                    assert exact(row[f"{side}_median"]) == middle
    return compared


FAR_APART = (
    ("count", {"group": "MC", "fc_after": "negative", "pcr_after": "negative", "infusion_days": {"above": "7"}}, None),
    ("count", {"sex": "female", "bcr_abl1": "yes"}, None),
    ("median", {}, "months_from_diagnosis"),
)


def test_every_number_of_the_reports_tables_is_the_answer_to_its_question(document):
    study = load("tianjin2023")
    for asked in FAR_APART:  # the line lists at both ends of open questions
        for table in bounds(document, document.question(*asked)).worlds:
            assert compare(document, table, tidy(table, study.cohort)) > 700


@pytest.mark.parametrize("seed", range(5))
def test_the_same_holds_of_line_lists_of_any_kind(free, seed):
    cohort = load_cohort("tianjin2023")
    if seed % 2:  # groups without a declared purpose, and bridging patients who had MRD
        mc, ic, rr = cohort.groups
        undeclared = Group(name="RR", label="relapsed")
        cohort = cohort.model_copy(update={"groups": (mc.model_copy(update={"purpose": "bridging"}), ic, undeclared)})
    table = spread_world(free, seed, even=False)
    assert compare(free, table, tidy(table, cohort)) > 650


def test_a_question_is_known_by_its_text_which_a_claims_file_could_hold(document):
    study = load("tianjin2023")
    for frame, questions in every_table(study):
        for row in frame.to_dict("records"):
            for asked in questions(row, study.cohort).values():
                if isinstance(asked, Asked):
                    statistic, rows, of = (parse_yaml(f"- {text or '{}'}", "q").content[0] for text in asked.key)
                    assert (statistic, rows, of or None) == (asked.statistic, asked.rows, asked.of)


def test_questions_that_mean_the_same_are_one():
    one, other = count({"group": "MC"}, {"sex": "male"}), count({"sex": "male"}, {"group": "MC"})
    assert one.key == other.key == ("count", "{group: MC, sex: male}", "")


@pytest.mark.parametrize(
    "parts, joined",
    [
        (({"a": "x"}, {"b": "y"}), {"a": "x", "b": "y"}),
        (({"a": ["x", "y"]}, {"a": "x"}), {"a": "x"}),
        (({"a": ["x", "y", "z"]}, {"a": ["z", "y"]}), {"a": ["y", "z"]}),
        (({"a": "x"}, {"a": "y"}), {"a": "x", "any_of": [{"a": "y"}]}),
        (({"a": {"above": "1"}}, {"a": "2"}), {"a": {"above": "1"}, "any_of": [{"a": "2"}]}),
        (({"any_of": [{"a": "x"}]}, {"any_of": [{"a": "x"}]}), {"any_of": [{"a": "x"}]}),
    ],
)
def test_rows_are_joined_to_those_in_common(parts, joined):
    assert both(*parts) == joined


def test_two_different_alternatives_cannot_be_joined():
    with pytest.raises(ValueError, match="two different any_of"):
        both({"any_of": [{"a": "x"}]}, {"any_of": [{"a": "y"}]})


def test_a_row_without_a_question_is_an_error_and_no_silence():
    cohort = load_cohort("tianjin2023")
    with pytest.raises(ValueError, match="no question is written down for weight"):
        of_description({"group": "MC", "characteristic": "weight", "level": ""}, cohort)
    row = {"group": "MC", "measure": "negative after", "rule": "fc", "evaluable_set": "by moonlight"}
    with pytest.raises(ValueError, match="by moonlight"):
        of_rates(row, cohort)


def opened(table, questions, study):
    """The texts of the open rows of a table, by its first three columns."""
    found = with_bounds(table, questions, load_bounds(study.cohort))
    found = found[found["open"]]
    return dict(zip(found.iloc[:, :3].itertuples(index=False, name=None), found["text"], strict=True))


def test_of_fc_against_rt_pcr_only_the_sixth_carrier_before_is_open():
    study = load("tianjin2023")
    assert opened(concordance(study.patients, study.mrd, study.cohort), of_concordance, study) == {
        ("MC", "before", "FC positive, RT-PCR positive"): "open, 3 to 4 of 6 (50.0 to 66.7%)",
        ("MC", "before", "FC positive, RT-PCR negative"): "open, 0 to 1 of 6 (0 to 16.7%)",
        ("MC", "before", "FC negative, RT-PCR positive"): "open, 2 to 3 of 6 (33.3 to 50.0%)",
        ("MC", "before", "FC and RT-PCR agree"): "open, 3 to 4 of 6 (50.0 to 66.7%)",
        ("MC", "before", "RT-PCR positive among FC negative"): "open, all of 2 to 3",
    }


def test_of_the_courses_added_up_only_further_cycles_are_open():
    study = load("tianjin2023")
    table = course_counts(study.patients, study.events, study.cohort)
    found = opened(table, of_course_counts, study)
    assert {key[:2]: text.partition(" (")[0] for key, text in found.items()} == {
        ("MC", "further cycles"): "open, 0 to 7 of 18", ("RR", "further cycles"): "open, 0 to 7 of 7"}  # fmt: skip


def test_a_grade_or_day_that_the_report_does_not_determine_makes_the_row_open():
    study = load("tianjin2023")
    table = course_counts(study.patients, study.events, study.cohort)
    row = table[(table["group"] == "MC") & (table["feature"] == "ICANS")].iloc[0]
    assert of_course_counts(row, study.cohort)["same"].key == ("count", "{group: MC, icans_grade: 4, icans_day: 2}", "")


def test_of_the_infusions_only_the_three_that_stopped_early_are_determined():
    study = load("tianjin2023")
    table = infusions(study.patients, study.cohort)
    found = with_bounds(table, of_infusions, load_bounds(study.cohort))
    known = found.loc[~found["open"], ["group", "stop_reason", "infusion_days", "k"]]
    assert [*known.itertuples(index=False, name=None)] == [
        ("MC", "economic", 7, 1), ("MC", "severe_reaction", 2, 1), ("MC", "severe_reaction", 1, 1)]  # fmt: skip
