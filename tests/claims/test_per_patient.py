"""The solver's counts and vectors against the plain form, in which every patient has variables of their own."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from per_patient import Model, admits, has_solution, model_of, post

from blina.claims.bounds import bounds
from blina.claims.check import check
from blina.claims.consistent import consistent
from blina.claims.document import Document, Question, compile_document
from blina.claims.printed import Interval
from blina.claims.worlds import Contradictory, spread_world
from blina.yamlfile import parse_yaml

# Test folders are no packages (import mode importlib), so helpers are loaded by path.
if "exhaustion" not in sys.modules:
    _spec = importlib.util.spec_from_file_location("exhaustion", Path(__file__).with_name("exhaustion.py"))
    sys.modules["exhaustion"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["exhaustion"])
exhaustion = sys.modules["exhaustion"]


def plain(document: Document, mode: str, asked: Question | None = None, within: Interval | None = None) -> Model:
    """The plain form of a document under a rounding mode, the value of a statistic within an interval."""
    model = model_of(document, [mode])
    if asked is not None:
        post(model, asked, (within,))
    return model


def assert_bounds(document: Document, asked: Question) -> None:
    """The plain form, too, has the world at each end and none beyond."""
    found, modes = bounds(document, asked), document.modes
    if found.status == "undefined":
        assert not any(has_solution(plain(document, mode, asked, Interval())) for mode in modes)
        return
    assert found.status == "proven"
    for end, world in zip((found.lower, found.upper), found.worlds, strict=True):
        assert any(admits(plain(document, mode, asked, Interval(end, end)), world) for mode in modes)
    for beyond in (Interval(None, found.lower, high_in=False), Interval(found.upper, None, low_in=False)):
        assert not any(has_solution(plain(document, mode, asked, beyond)) for mode in modes)


@pytest.mark.parametrize("seed", range(1000, 1030))
def test_both_forms_find_the_same_bounds_and_contradictions(seed):
    problem = exhaustion.problem(seed)
    misprinted = problem.misprinted(exhaustion.Exhaustion(problem.said))
    for said in (problem, misprinted or problem):
        document = compile_document(parse_yaml(said.text, "random"), strict=False)
        for mode, status in consistent(document).rounding.items():
            assert has_solution(plain(document, mode)) == (status == "consistent"), said.text
    document = compile_document(parse_yaml(problem.text, "random"), strict=False)
    assert_bounds(document, document.question(**problem.questions[0]))


@pytest.mark.parametrize("seed", range(1000, 1015))
def test_a_spread_world_fits_all_rounding_modes_if_the_plain_form_has_such_a_world(seed):
    problem = exhaustion.problem(seed)
    document = compile_document(parse_yaml(problem.text, "random"), strict=False)
    if not any(has_solution(plain(document, mode)) for mode in document.modes):
        with pytest.raises(Contradictory):
            spread_world(document, seed)
        return
    world = spread_world(document, seed)
    fits_all = has_solution(model_of(document, document.modes))
    assert (set(document.modes) <= set(check(document, world).surviving)) == fits_all
    assert any(admits(plain(document, mode), world) for mode in document.modes)


@pytest.mark.parametrize("mode", ["half_up", "truncate"])
def test_the_report_is_consistent_in_both_forms_or_in_neither(report_claims, mode):
    assert has_solution(plain(report_claims, mode)) == (consistent(report_claims).rounding[mode] == "consistent")


@pytest.mark.parametrize(
    "question",
    [
        {"statistic": "max", "rows": {"group": "IC"}, "of": "infusion_days"},
        {"statistic": "min", "rows": {"group": "RR"}, "of": "age_years"},
        {"statistic": "count", "rows": {"fever_cycle1": "yes", "crs_grade": {"at_least": "1"}}},
    ],
)
def test_both_forms_bound_the_report_alike(report_claims, question):
    assert_bounds(replace(report_claims, modes=("half_up",)), report_claims.question(**question))
