"""Each statistic against brute force; its form for the solver against every line list there is."""

import statistics
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ortools.sat.python import cp_model

from blina.claims.check import check
from blina.claims.document import Document
from blina.claims.model import Model
from blina.claims.printed import MODES
from blina.claims.solve import model_of
from blina.claims.statistics import STATISTICS
from blina.linelist.columns import Column
from blina.linelist.predicate import AllOf, Within
from blina.linelist.table import Table

DOSE = Column("dose", "decimal", min="-2", max="30", step="0.1", blank=True)

BRUTE = {
    "count": lambda chosen, doses, high: (len(chosen),),
    "percent": lambda chosen, doses, high: (Fraction(100 * high, len(chosen)),) if chosen else None,
    "median": lambda chosen, doses, high: (statistics.median(doses),) if doses else None,
    "mean": lambda chosen, doses, high: (statistics.mean(doses),) if doses else None,
    "min": lambda chosen, doses, high: (min(doses),) if doses else None,
    "max": lambda chosen, doses, high: (max(doses),) if doses else None,
    "range": lambda chosen, doses, high: (min(doses), max(doses)) if doses else None,
}


@given(st.lists(st.tuples(st.none() | st.integers(-20, 300), st.booleans()), max_size=9))
def test_a_statistic_is_what_it_says(patients):
    blank = np.array([code is None for code, _ in patients], dtype=bool)
    codes = np.array([code or 0 for code, _ in patients], dtype=np.int64)
    rows = np.array([chosen for _, chosen in patients], dtype=bool)
    table = Table({"dose": DOSE}, {"dose": codes}, {"dose": blank}, tuple(map(str, range(len(patients)))))
    chosen = [code for code, is_chosen in patients if is_chosen]
    doses = [Fraction(code, 10) for code in chosen if code is not None]
    high = Within("dose", low=100)
    assert set(BRUTE) == set(STATISTICS)
    for name, brute in BRUTE.items():
        statistic = STATISTICS[name]
        of = {"nothing": None, "predicate": high, "number": DOSE}[statistic.of]
        expected = brute(chosen, doses, sum(dose >= 10 for dose in doses))
        assert statistic.values(table, rows, of) == expected, name


def test_with_nobody_chosen_only_a_count_has_a_value():
    table = Table({"dose": DOSE}, {"dose": np.array([5, 0])}, {"dose": np.array([False, True])}, ("1", "2"))
    nobody, only_blank = np.zeros(2, bool), np.array([False, True])
    for name, statistic in STATISTICS.items():
        of = {"nothing": None, "predicate": AllOf(), "number": DOSE}[statistic.of]
        assert statistic.values(table, nobody, of) == ((0,) if name == "count" else None)
        if statistic.of == "number":
            assert statistic.values(table, only_blank, of) is None


# The solver's form. A world is the same in any order of its patients, so worlds are compared as sorted tuples.

World = tuple[tuple[tuple[int, bool], ...], ...]


def all_worlds(document: Document) -> Iterator[World]:
    states = [()]
    for column in document.columns.values():
        cells = [(code, False) for code in range(column.lowest, column.highest + 1)]
        cells += [(0, True)] if column.blank else []
        states = [(*state, cell) for state in states for cell in cells]
    yield from combinations_with_replacement(sorted(states), document.patients)


def table_of(document: Document, world: World) -> Table:
    names = list(document.columns)
    codes = {name: np.array([patient[i][0] for patient in world]) for i, name in enumerate(names)}
    blank = {name: np.array([patient[i][1] for patient in world]) for i, name in enumerate(names)}
    return Table(document.columns, codes, blank, tuple(map(str, range(len(world)))))


class EveryWorld(cp_model.CpSolverSolutionCallback):
    """Collects the worlds of a model."""

    def __init__(self, model: Model):
        super().__init__()
        self.model, self.found = model, set()

    def on_solution_callback(self):
        def cell(name: str, patient: int) -> tuple[int, bool]:
            blank = self.boolean_value(self.model.blank[name][patient])
            return (0 if blank else self.value(self.model.codes[name][patient]), blank)

        patients = range(self.model.patients)
        self.found.add(tuple(sorted(tuple(cell(name, i) for name in self.model.columns) for i in patients)))


def admitted_by_solver(document: Document, modes: tuple[str, ...]) -> set[World]:
    model = model_of(document, modes)
    solver, everyone = cp_model.CpSolver(), EveryWorld(model)
    solver.parameters.enumerate_all_solutions = True
    solver.parameters.num_workers = 1
    assert solver.solve(model.cp, everyone) in (cp_model.OPTIMAL, cp_model.INFEASIBLE)
    return everyone.found


def admitted_by_check(document: Document, modes: tuple[str, ...]) -> set[World]:
    """Worlds in which every rule and claim holds under each of the modes."""
    found = set()
    for world in all_worlds(document):
        checked = check(document, table_of(document, world))
        rules_hold = all(v.holds for v in checked.verdicts if v.kind == "rule")
        if rules_hold and set(modes) <= set(checked.surviving):
            found.add(world)
    return found


TOY = """
source: {{title: toy}}
patients: {patients}
rounding: {rounding}
columns:
  group: {{type: category, values: [A, B]}}
  dose: {{type: decimal, min: "{low}", max: "{high}", step: "0.5", blank: {blank}}}
{rules}
claims:
{claims}
"""


def toy(document, claims, patients=3, rounding="any", low="0", high="1", blank="allowed", rules=""):
    lines = "\n".join(f"  - {{id: c{i}, {claim}}}" for i, claim in enumerate(claims))
    rules = f"rules: [{rules}]" if rules else ""
    return document(TOY.format(patients=patients, rounding=rounding, low=low, high=high, blank=blank, rules=rules,
                               claims=lines))  # fmt: skip


@pytest.mark.parametrize(
    "claims, options",
    [
        (["statistic: count, rows: {group: A}, equals: '2'"], {}),
        (["statistic: count, rows: {group: A}, equals: '4'"], {}),  # more than there are: no world
        (["statistic: count, rows: {dose: ''}, above: '0', below: '3'"], {}),
        (["statistic: percent, rows: {group: A}, of: {dose: {at_least: '0.5'}}, equals: '50'"], {}),  # 1 of 2 only
        (["statistic: percent, rows: {group: A}, of: {dose: {at_least: '0.5'}}, equals: '67'"], {}),
        (["statistic: percent, of: {group: A}, equals: '40.0'"], {}),  # no fraction of 3 prints so: no world
        (["statistic: percent, rows: {group: B}, of: {group: A}, equals: '0'"], {}),  # 0 of nobody is not 0
        (["statistic: percent, of: {dose: ''}, at_most: '33.4'"], {}),
        (["statistic: median, of: dose, equals: '0.5'"], {"patients": 1}),
        (["statistic: median, of: dose, equals: '0.5'"], {"patients": 2}),
        (["statistic: median, of: dose, equals: '0.3'"], {"patients": 2, "rounding": "half_up"}),  # (0 + 0.5) / 2
        (["statistic: median, of: dose, equals: '0.2'"], {"patients": 2, "rounding": "half_up"}),
        (["statistic: median, of: dose, equals: '0.2'"], {"patients": 2, "rounding": "half_even"}),
        (["statistic: median, of: dose, equals: '0.2'"], {"patients": 2}),
        (["statistic: median, of: dose, equals: '0.75'"], {"patients": 4, "high": "1.5", "blank": "never"}),
        (["statistic: median, rows: {group: A}, of: dose, equals: '0.5'"], {"patients": 4, "high": "0.5"}),
        (["statistic: mean, of: dose, equals: '0.5'"], {}),
        (["statistic: mean, rows: {group: A}, of: dose, equals: '0.3'"], {"rounding": "half_up"}),
        (["statistic: mean, of: dose, equals: '0.33'"], {"rounding": "truncate"}),
        (["statistic: mean, of: dose, at_most: '-0.5'"], {"low": "-1", "high": "0.5"}),
        (["statistic: min, rows: {group: B}, of: dose, equals: '0.5'"], {}),
        (["statistic: max, rows: {group: B}, of: dose, equals: '0'"], {}),
        (["statistic: max, of: dose, below: '0'"], {"low": "-1", "high": "0.5"}),
        (["statistic: range, of: dose, equals: ['0', '1.0']"], {}),
        (["statistic: range, of: dose, equals: ['0.5', '0.5']"], {}),
        (["statistic: range, rows: {dose: {above: '0'}}, of: dose, equals: ['0.5', '1.0']"], {}),
        (["statistic: range, of: dose, equals: ['-1', '0']"], {"low": "-1", "high": "0", "patients": 2}),
        (["statistic: count, rows: {not: {any_of: [{group: A}, {dose: ''}]}}, equals: '1'"], {}),
        (["statistic: count, rows: {any_of: [{group: A, dose: ['0', '']}, {dose: {above: '0.5'}}]}, equals: '2'"], {}),
        (["statistic: count, rows: {dose: {at_least: '5'}}, equals: '0'"], {}),  # beyond the column: nobody
        (["statistic: count, rows: {group: A}, equals: '1'"],
         {"rules": "{id: r, if: {group: A}, then: {dose: ''}, why: w}"}),
    ],
)  # fmt: skip
def test_the_solver_admits_exactly_the_line_lists_that_check_passes(document, claims, options):
    made = toy(document, claims, **options)
    for mode in made.modes:
        assert admitted_by_solver(made, (mode,)) == admitted_by_check(made, (mode,))
    if len(made.modes) > 1:
        assert admitted_by_solver(made, made.modes) == admitted_by_check(made, made.modes)


def test_the_toys_above_admit_some_line_lists_and_refuse_others(document):
    made = toy(document, ["statistic: median, of: dose, equals: '0.3'"], patients=2, rounding="half_up")
    everything = set(all_worlds(made))
    assert 0 < len(admitted_by_solver(made, ("half_up",))) < len(everything)
    assert not admitted_by_solver(made, ("half_down",))  # 0.25 prints as 0.2


conditions = st.sampled_from(
    ["{}", "{group: A}", "{group: [A, B]}", "{dose: ''}", "{dose: {above: '0'}}", "{dose: {at_most: '0.5'}, group: B}",
     "{not: {dose: '0.5'}}", "{any_of: [{group: A}, {dose: ['0', '']}]}", "{not: {any_of: [{group: A}, {dose: ''}]}}"]
)  # fmt: skip
amounts = st.sampled_from(["0", "0.2", "0.3", "0.5", "0.7", "0.8", "1", "1.0"])
limit = st.sampled_from(["at_least", "at_most", "above", "below"])


@st.composite
def random_claims(draw):
    rows, name = draw(conditions), draw(st.sampled_from(sorted(STATISTICS)))
    of = {"nothing": "", "predicate": f"of: {draw(conditions)}, ", "number": "of: dose, "}[STATISTICS[name].of]
    if name == "range":
        ends = sorted(draw(st.tuples(amounts, amounts)), key=Fraction)
        said = f"equals: {ends}"
    else:
        numbers = {
            "count": st.sampled_from("0123"),
            "percent": st.sampled_from(["0", "33", "34", "50", "67", "66.7", "100"]),
        }
        key = draw(st.just("equals") | limit)
        said = f"{key}: '{draw(numbers.get(name, amounts))}'"
    return f"statistic: {name}, rows: {rows}, {of}{said}"


@settings(max_examples=200)
@given(
    claims=st.lists(random_claims(), min_size=1, max_size=2),
    patients=st.integers(1, 3),
    mode=st.sampled_from(MODES),
    rule=st.none() | st.tuples(conditions, conditions),
)
def test_solver_and_check_agree_on_random_claims(document, claims, patients, mode, rule):
    rules = f"{{id: r, if: {rule[0]}, then: {rule[1]}, why: w}}" if rule else ""
    made = toy(document, claims, patients=patients, rounding=mode, rules=rules)
    assert admitted_by_solver(made, (mode,)) == admitted_by_check(made, (mode,))
