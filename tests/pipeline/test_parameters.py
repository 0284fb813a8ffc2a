"""What may be set is what a notebook's parameters cell declares, to values of the same type."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blina.pipeline.parameters import coerce, prepared, with_overrides
from blina.pipeline.steps import PipelineError, Step

scalars = (
    st.text(st.characters(exclude_categories=["Cs"]))
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
)


def test_a_parameter_reaches_only_the_notebooks_that_declare_it(toy):
    toy.add("01-a", declares='cohort = "x"\nworlds = 200')
    toy.add("02-b", declares='cohort = "x"\nseed = 1')
    first, second = with_overrides(toy.steps, {"worlds": "50"}, toy.project)
    assert first.parameters == {"cohort": "toy", "worlds": 50}
    assert second.parameters == {"cohort": "toy"}


def test_an_unknown_parameter_is_named_together_with_the_known_ones(toy):
    toy.add("01-a", declares='cohort = "x"\nworlds = 200')
    with pytest.raises(PipelineError) as refused:
        with_overrides(toy.steps, {"wrlds": "50"}, toy.project)
    message = "no notebook has a parameter wrlds; those that can be set: worlds (a whole number, now 200)"
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("value", "default"),
    [("many", 200), ("2.5", 200), (True, 200), (3, "svg"), ("maybe", True), (1, True), ("nan", 0.5), ("a,b", [1, 2])],
)
def test_a_value_of_another_type_is_refused_with_an_example(value, default):
    with pytest.raises(PipelineError, match=f"it must be .*, such as .*; it was given {value}".replace("it ", "p ", 1)):
        coerce("p", value, default)


@pytest.mark.parametrize(
    ("text", "default", "value"),
    [("no", True, False), ("3", 0.5, 3.0), ("svg, png", ["pdf"], ["svg", "png"]), ("7", "text", "7"), ("-1", 5, -1)],
)
def test_text_from_the_command_line_is_read_as_the_type_of_the_default(text, default, value):
    read = coerce("p", text, default)
    assert read == value and type(read) is type(default)


@pytest.mark.parametrize("name", ["cohort", "group"])
def test_the_cohort_and_its_groups_are_not_parameters_to_set(toy, name):
    toy.add("01-a", declares='cohort = "x"\ngroup = "A"')
    with pytest.raises(PipelineError, match="--cohort"):
        with_overrides(toy.steps, {name: "RR"}, toy.project)


@pytest.mark.parametrize("cell", ["import os", "days = max(1, 2)", "days = None", "days =", "days = [[1]]"])
def test_a_parameters_cell_holds_plain_values_only(toy, cell):
    toy.add("01-a", declares=f'cohort = "x"\n{cell}')
    with pytest.raises(PipelineError, match="the parameters cell of 01-a.ipynb may only hold"):
        with_overrides(toy.steps, {}, toy.project)


def test_a_notebook_without_a_parameters_cell_or_without_what_its_step_sets_is_refused(toy):
    step = toy.add("01-a", "1 + 1", declares="days = 1")
    with pytest.raises(PipelineError, match="01-a.ipynb does not set cohort"):
        with_overrides(toy.steps, {}, toy.project)
    path = toy.project.notebooks / step.notebook
    path.write_text(path.read_text().replace('"parameters"', '"other"'))
    with pytest.raises(PipelineError, match="01-a.ipynb needs exactly one cell with the tag 'parameters'"):
        with_overrides(toy.steps, {}, toy.project)


def test_a_missing_or_broken_notebook_is_named(toy):
    (toy.project.notebooks / "02-b.ipynb").write_text("{")
    for name in ("01-a.ipynb", "02-b.ipynb"):
        with pytest.raises(PipelineError, match=f"notebooks/{name} is missing or not a notebook"):
            with_overrides([Step("s", name)], {}, toy.project)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(value=scalars | st.lists(scalars, min_size=1))
def test_the_injected_cell_sets_exactly_the_values_given(toy, value):
    toy.steps.clear()
    step = toy.add("01-a", "1 + 1", sets={"place": value})
    cells = prepared(step, toy.project)["cells"]
    assert [cell["id"] for cell in cells] == ["c0", "c1", "injected-parameters", "c2"]
    names: dict = {}
    exec(cells[2]["source"], names)
    assert names["place"] == value and names["cohort"] == "toy"
