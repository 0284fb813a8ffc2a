"""The declaration of the line list."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blina.linelist import chinese
from blina.linelist.columns import COLUMNS, NUMBER, RULES, Column
from blina.linelist.parse import parse_cell
from blina.linelist.predicate import compile_predicate

BY_NAME = {column.name: column for column in COLUMNS}


def test_each_column_is_declared_once_and_says_what_it_means():
    assert len(BY_NAME) == len(COLUMNS)
    assert all(column.meaning for column in COLUMNS)
    assert COLUMNS[0].type == "identifier"
    assert [column.name for column in COLUMNS if column.optional] == ["fusion_gene", "mrd_after_percent"]


def test_each_column_rule_and_word_is_told_in_chinese_as_well():
    assert all(column.chinese and column.chinese_meaning for column in COLUMNS)
    assert chinese.RULES.keys() == {rule.id for rule in RULES}
    assert chinese.UNITS.keys() == {column.unit for column in COLUMNS} - {""}
    for column in COLUMNS:
        assert column.other_words.keys() | column.chinese_words.keys() <= {*column.values}
        for word in {} if column.is_number else column.words:
            is_gene = word.isupper()  # whose name is the same
            assert bool(chinese.word(column, word)) != is_gene or column.name == "group"


def test_a_word_has_its_chinese_in_one_place_only():
    for column in COLUMNS:
        assert not column.chinese_words.keys() & chinese.WORDS.keys()


def test_an_entry_is_taken_as_it_stands():
    """The template can show its example, and what describes a column names what it states."""
    for column in COLUMNS:
        assert bool(column.described) == bool(column.characteristic)
        if column.type != "identifier":
            assert column.example == "" or parse_cell(column, str(column.example))[1] is None


def test_an_assay_may_be_said_not_to_be_done_and_this_is_never_a_result():
    for name in ("fc_before", "fc_after", "pcr_before", "pcr_after"):
        assert "not_done" in BY_NAME[name].values
    rules = {rule.id: rule for rule in RULES}
    assert "not_done" in rules["fusion-followed-before"].then["pcr_before"]
    assert "not_done" in rules["fusion-followed-after"].then["pcr_after"]
    blank = rules["mrd-blank-when-not-detected"].when
    assert "not_done" in blank["fc_before"] and "not_done" in blank["pcr_before"]


def test_each_rule_is_about_declared_columns_and_has_its_own_id():
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        for part in (rule.when, rule.then):
            assert compile_predicate(part, BY_NAME).column_names() <= BY_NAME.keys()
        assert rule.column in BY_NAME


@pytest.mark.parametrize("name", [name for name, column in BY_NAME.items() if column.type != "identifier"])
def test_each_allowed_value_is_read_back_as_its_code(name):
    column = BY_NAME[name]
    codes = {*range(column.lowest, column.highest + 1)[:2000], column.highest}
    assert [parse_cell(column, column.text(code)) for code in codes] == [(code, None) for code in codes]
    assert len({column.text(code) for code in codes}) == len(codes)
    assert parse_cell(column, "")[1] is None if column.blank else "is blank" in parse_cell(column, "")[1].en


@given(st.integers(-(10**6), 10**6), st.sampled_from(["0.1", "0.01", "0.25", "5", "1"]))
def test_a_code_is_a_number_of_steps(code, step):
    column = Column("x", "decimal", min="-1000000000", max="1000000000", step=step)
    assert Fraction(column.text(code)) == code * Fraction(step)
    assert parse_cell(column, column.text(code)) == (code, None)


@pytest.mark.parametrize("text", ["２", "٣", "1e2", "1/2", "1_0", " 1", "1,5", ""])
def test_a_number_is_written_in_plain_digits(text):
    assert not NUMBER.fullmatch(text)


@pytest.mark.parametrize(
    "column, said",
    [
        (Column("x", "category", ("a",)), "a"),
        (Column("x", "category", ("a", "b", "c"), blank=True), "a, b or c, or blank"),
        (Column("x", "boolean"), "no or yes"),
        (Column("x", "integer", min="0", max="5"), "a whole number from 0 to 5"),
        (Column("x", "decimal", min="0.3", max="5", step="0.5", unit="%"),
         "a number in steps of 0.5 from 0.5 to 5.0 (%)"),
        (Column("x", "identifier"), "a different text for every patient"),
    ],
)  # fmt: skip
def test_what_is_allowed_is_said_in_words(column, said):
    assert column.allowed == said


@pytest.mark.parametrize(
    "name, said",
    [
        ("patient_id", "每位患者各不相同的编号"),
        ("sex", " male（男）或 female（女）"),
        ("crs_grade", " 0 至 5 的整数"),
        ("age_years", " 0.0 至 120.0 的数字，精确到 0.1（岁）"),
        ("icans_day", " 1 至 42 的整数（第几天），或留空"),
    ],
)
def test_what_is_allowed_is_said_in_chinese(name, said):
    assert chinese.allowed(BY_NAME[name]) == said


def test_limits_that_are_no_step_are_drawn_inward():
    column = Column("x", "decimal", min="0.3", max="1.9", step="0.5")
    assert (column.lowest, column.highest) == (1, 3)


def test_a_number_column_without_limits_says_so():
    with pytest.raises(ValueError, match="column x needs a min"):
        _ = Column("x", "integer", max="3").lowest
    with pytest.raises(ValueError, match="column x needs a max"):
        _ = Column("x", "integer", min="3").highest
