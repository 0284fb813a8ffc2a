"""The steps of a cohort follow from its groups and its claims."""

from pathlib import Path

import pytest

from blina.pipeline.steps import Declaration, PipelineError, Step, cohort_parameter, in_order, steps


def test_a_group_has_its_own_response_step_and_the_claims_are_checked_where_there_are_any(toy):
    names = [step.name for step in steps(toy.cohort, toy.project)]
    assert "03-mrd-response__A" in names and "03-mrd-response__B" in names
    assert "06-reported-results" not in names
    toy.cohort.claims.write_text("claims: []")
    found = {step.name: step for step in steps(toy.cohort, toy.project)}
    assert "06-reported-results" in found
    assert found["03-mrd-response__B"].parameters == {"cohort": "toy", "group": "B"}
    assert found["03-mrd-response__B"].notebook == "03-mrd-response.ipynb"


def test_notebooks_are_told_a_cohort_in_the_shortest_way_that_finds_it(toy, tmp_path):
    def parameter(folder: Path) -> str:
        return cohort_parameter(toy.cohort.model_copy(update={"folder": folder}), toy.project)

    assert parameter(toy.project.root / "data" / "cohorts" / "toy") == "toy"
    assert parameter(toy.project.root / "patients" / "ours") == "patients/ours"
    assert parameter(tmp_path / "elsewhere") == str(tmp_path / "elsewhere")


def test_a_notebook_that_needs_another_waits_for_all_of_its_steps(toy):
    report = (Declaration("03", per_group=True), Declaration("07", needs=("03",)))
    assert steps(toy.cohort, toy.project, report)[-1].needs == ("03__A", "03__B")
    with pytest.raises(PipelineError, match="needs 09"):
        steps(toy.cohort, toy.project, (Declaration("07", needs=("09",)),))


def test_steps_that_cannot_be_put_in_order_are_refused():
    with pytest.raises(PipelineError, match="a needs b, which is not a step"):
        in_order([Step("a", "a.ipynb", needs=("b",))])
    with pytest.raises(PipelineError, match="circle: "):
        in_order([Step("a", "a.ipynb", needs=("b",)), Step("b", "b.ipynb", needs=("a",))])
    with pytest.raises(PipelineError, match="two steps are named a"):
        in_order([Step("a", "a.ipynb"), Step("a", "a.ipynb")])
