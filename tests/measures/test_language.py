"""Questions in the language of claims files: put together, known by their texts, and read back from them."""

import pytest

from blina.analysis.study import open_study
from blina.measures.language import Asked, Total, both, flow_text
from blina.yamlfile import parse_yaml


@pytest.mark.parametrize(
    ("parts", "joined"),
    [
        (({"a": "x"}, {"b": "y"}), {"a": "x", "b": "y"}),
        (({"a": ["x", "y"]}, {"a": "x"}), {"a": "x"}),
        (({"a": ["x", "y", "z"]}, {"a": ["z", "y"]}), {"a": ["y", "z"]}),
        (({"a": "x"}, {"a": "y"}), {"a": "x", "any_of": [{"a": "y"}]}),
        (({"a": {"above": "1"}}, {"a": "2"}), {"a": {"above": "1"}, "any_of": [{"a": "2"}]}),
        (({"any_of": [{"a": "x"}]}, {"any_of": [{"a": "x"}]}), {"any_of": [{"a": "x"}]}),
        ((None, {"a": "x"}), {"a": "x"}),
    ],
)
def test_rows_are_joined_to_those_in_common(parts, joined):
    assert both(*parts) == joined


def test_two_different_alternatives_are_joined_by_nesting_one_in_the_other():
    # They could not be joined at all before; a carrier of another gene who was positive before needs it.
    joined = both({"any_of": [{"a": "x"}, {"b": "y"}]}, {"any_of": [{"c": "z"}]})
    nested = {"any_of": [{"c": "z"}]}
    assert joined == {"any_of": [{"a": "x", **nested}, {"b": "y", **nested}]}


def test_questions_that_mean_the_same_are_one():
    one = Asked("count", both({"group": "MC"}, {"sex": "male"}))
    other = Asked("count", both({"sex": "male"}, {"group": "MC"}))
    assert one.key == other.key == ("count", "{group: MC, sex: male}", "")


def test_a_percentage_is_some_of_a_whole():
    girls = Asked("percent", {"group": "MC"}, {"sex": "female"})
    assert girls.part.key == ("count", "{group: MC, sex: female}", "")
    assert girls.whole.key == ("count", "{group: MC}", "")


def test_an_error_names_a_question_in_words():
    assert Asked("max", {}, "crs_grade").words == "the max of crs_grade over {}"


def test_a_question_is_known_by_its_text_which_a_claims_file_could_hold():
    for result in open_study("tianjin2023").results:
        if not result.measure.statistic.endswith("p"):
            for asked in (result.measure.asked, *result.measure.also):
                read_back(asked)


def read_back(asked):
    """Each of a question's texts, read as YAML, is what was asked."""
    if isinstance(asked, Total):
        read_back(asked.number)
        read_back(asked.mean)
        return
    read = [parse_yaml(f"- {text or '{}'}", "question").content[0] for text in asked.key]
    assert read == [asked.statistic, asked.rows, asked.of or {}]


def test_a_text_has_no_quotation_marks_and_the_columns_in_order():
    assert flow_text({"bcr_abl1": "yes", "group": "A + B"}) == "{group: A + B, bcr_abl1: yes}"
