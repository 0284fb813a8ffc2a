"""Predicates as claims files write them, against a plain reading of what was written."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blina.linelist.columns import Column
from blina.linelist.predicate import AllOf, PredicateError, compile_predicate
from blina.linelist.table import Table

COLUMNS = {
    column.name: column
    for column in (
        Column("group", "category", ("A", "B", "C")),
        Column("reason", "category", ("pain", "cost"), blank=True),
        Column("married", "boolean"),
        Column("age", "integer", min="0", max="9"),
        Column("dose", "decimal", min="-0.4", max="0.4", step="0.2", blank=True),
    )
}


def table(patients: list[dict[str, int | None]]) -> Table:
    codes = {name: np.array([p[name] or 0 for p in patients], dtype=np.int64) for name in COLUMNS}
    blank = {name: np.array([p[name] is None for p in patients], dtype=bool) for name in COLUMNS}
    return Table(COLUMNS, codes, blank, tuple(map(str, range(len(patients)))))


def says(patient: dict[str, str], written: dict) -> bool:
    """A plain reading of a predicate for a patient whose cells are text."""

    def same(cell: str, word: str) -> bool:
        if not cell or not word:
            return cell == word
        try:
            return Fraction(cell) == Fraction(word)
        except ValueError:
            return {"true": "yes", "false": "no"}.get(word.lower(), word.lower()) == cell.lower()

    def one(key: str, value) -> bool:
        if key == "any_of":
            return any(says(patient, part) for part in value)
        if key == "not":
            return not says(patient, value)
        if isinstance(value, dict):
            if not patient[key]:
                return False
            here, ends = Fraction(patient[key]), {k: Fraction(v) for k, v in value.items()}
            return (
                here >= ends.get("at_least", here)
                and here <= ends.get("at_most", here)
                and ("above" not in ends or here > ends["above"])
                and ("below" not in ends or here < ends["below"])
            )
        return any(same(patient[key], word) for word in (value if isinstance(value, list) else [value]))

    return all(one(key, value) for key, value in written.items())


patients = st.fixed_dictionaries(
    {
        name: st.integers(column.lowest, column.highest) | (st.none() if column.blank else st.nothing())
        for name, column in COLUMNS.items()
    }
)
limits = st.dictionaries(
    st.sampled_from(["at_least", "at_most", "above", "below"]),
    st.sampled_from(["-0.3", "-0.2", "0", "0.1", "0.20", "0.4", "3", "7.5", "9"]),
    min_size=1,
)
words = {
    "group": ["A", "B", "C"],
    "reason": ["pain", "cost", ""],
    "married": ["yes", "no", "true", "false", "Yes", "FALSE"],
    "age": ["0", "3", "03", "9", "3.0"],
    "dose": ["0.2", "0.20", "-0.4", ".4", "0", ""],
}
leaves = st.one_of(
    *(
        st.tuples(
            st.just(name),
            st.sampled_from(said) | st.lists(st.sampled_from(said), min_size=1)
            | (limits if COLUMNS[name].is_number else st.nothing()),
        )
        for name, said in words.items()
    )
).map(lambda leaf: {leaf[0]: leaf[1]})  # fmt: skip
predicates = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any_of": parts}),
        inner.map(lambda part: {"not": part}),
        st.lists(inner, max_size=3).map(lambda parts: {k: v for part in parts for k, v in part.items()}),
    ),
    max_leaves=6,
)


@settings(max_examples=300)
@given(predicates, st.lists(patients, min_size=1, max_size=5))
def test_a_predicate_holds_for_whom_it_says(written, chosen):
    made = table(chosen)
    cells = [
        {name: "" if code is None else COLUMNS[name].text(code) for name, code in patient.items()} for patient in chosen
    ]
    assert compile_predicate(written, COLUMNS).holds(made).tolist() == [says(patient, written) for patient in cells]


@given(predicates)
def test_a_predicate_knows_its_columns(written):
    def named(part) -> set[str]:
        found = set()
        for key, value in part.items():
            inner = value if key == "any_of" else [value] if key == "not" else []
            found |= set().union(*(named(item) for item in inner)) if key in ("any_of", "not") else {key}
        return found

    assert compile_predicate(written, COLUMNS).column_names() == named(written)


@pytest.mark.parametrize("words", [["yes"], ["true"], ["Yes"], ["TRUE"], ["yes", "true"]])
def test_true_and_yes_mean_the_same(words):
    assert compile_predicate({"married": words}, COLUMNS) == compile_predicate({"married": "yes"}, COLUMNS)


@pytest.mark.parametrize(
    "limits, chosen",
    [
        ({"at_least": "0.2"}, "0.2 0.4"),
        ({"above": "0.2"}, "0.4"),
        ({"at_most": "0.2"}, "-0.4 -0.2 0.0 0.2"),
        ({"below": "0.2"}, "-0.4 -0.2 0.0"),
        ({"above": "-0.3", "below": "0.3"}, "-0.2 0.0 0.2"),  # limits between two steps
        ({"at_least": "-0.3", "above": "0", "at_most": "0.3"}, "0.2"),  # the narrower of two limits
        ({"above": "0.4"}, ""),
    ],
)
def test_a_limit_takes_its_own_value_in_or_leaves_it_out(limits, chosen):
    column = COLUMNS["dose"]
    codes = range(column.lowest, column.highest + 1)
    everybody = table([dict.fromkeys(COLUMNS, 0) | {"dose": code} for code in codes])
    holds = compile_predicate({"dose": limits}, COLUMNS).holds(everybody)
    assert " ".join(column.text(code) for code, h in zip(codes, holds, strict=True) if h) == chosen


def test_no_condition_chooses_everybody_and_a_comparison_never_chooses_a_blank():
    two = table([dict.fromkeys(COLUMNS, 0) | {"dose": None}, dict.fromkeys(COLUMNS, 0)])
    assert compile_predicate({}, COLUMNS) == AllOf()
    assert compile_predicate({}, COLUMNS).holds(two).tolist() == [True, True]
    assert compile_predicate({"dose": {"at_most": "9"}}, COLUMNS).holds(two).tolist() == [False, True]
    assert compile_predicate({"not": {"dose": {"at_most": "9"}}}, COLUMNS).holds(two).tolist() == [True, False]
    assert compile_predicate({"dose": ""}, COLUMNS).holds(two).tolist() == [True, False]


@pytest.mark.parametrize(
    "written, path, said",
    [
        ("group", (), "rows are chosen by columns and values"),
        ({"grup": "A"}, ("grup",), "there is no column grup; the columns are group, reason"),
        ({"group": "D"}, ("group",), "group is never 'D'; it is A, B or C"),
        ({"group": ["A", "D"]}, ("group",), "group is never 'D'"),
        ({"group": ""}, ("group",), "group is never blank"),
        ({"group": []}, ("group",), "the list of values for group is empty"),
        ({"group": {"at_least": "A"}}, ("group",), "group holds words"),
        ({"married": {"above": "0"}}, ("married",), "married holds words"),
        ({"married": "1"}, ("married",), "married is never '1'; it is no or yes"),
        ({"age": "3.5"}, ("age",), "3.5 is not a step of age, whose step is 1"),
        ({"dose": ["0.2", "0.3"]}, ("dose",), "0.3 is not a step of dose, whose step is 0.2"),
        ({"age": "many"}, ("age",), "age is a number, and 'many' is not"),
        ({"age": "1/2"}, ("age",), "age is a number, and '1/2' is not"),
        ({"age": {"at_least": "1e999999999"}}, ("age", "at_least"), "age is a number, and '1e999999999' is not"),
        ({"age": {"at_least": ["3"]}}, ("age", "at_least"), "age is a number"),
        ({"age": {"atleast": "3"}}, ("age", "atleast"), "atleast is not one of at_least, at_most, above, below"),
        ({"age": [{"at_least": "3"}]}, ("age",), "age is a number"),
        ({"any_of": {"group": "A"}}, ("any_of",), "any_of takes a list"),
        ({"any_of": []}, ("any_of",), "any_of takes a list"),
        ({"any_of": [{"group": "A"}, {"age": {"above": "x"}}]}, ("any_of", 1, "age", "above"), "age is a number"),
        ({"not": {"any_of": [{"not": {"sex": "male"}}]}}, ("not", "any_of", 0, "not", "sex"), "there is no column sex"),
        ({"not": ["A"]}, ("not",), "rows are chosen by columns and values"),
    ],
)
def test_a_predicate_that_cannot_be_meant_is_named_with_its_place(written, path, said):
    with pytest.raises(PredicateError) as error:
        compile_predicate(written, COLUMNS)
    assert error.value.path == path
    assert said in str(error.value)
    assert "\n" not in str(error.value)
