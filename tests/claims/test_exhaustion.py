"""The solver against every line list there is, on hundreds of random problems small enough to try them all."""

import importlib.util
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from random import Random

import numpy as np
import pytest

from blina.claims.bounds import bounds
from blina.claims.check import check
from blina.claims.consistent import Consistency, consistent
from blina.claims.count import count
from blina.claims.document import Document, compile_document
from blina.claims.printed import MODES
from blina.linelist.columns import Column
from blina.linelist.table import Table
from blina.yamlfile import parse_yaml

# Test folders are no packages (import mode importlib), so helpers are loaded by path.
if "exhaustion" not in sys.modules:
    _spec = importlib.util.spec_from_file_location("exhaustion", Path(__file__).with_name("exhaustion.py"))
    sys.modules["exhaustion"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["exhaustion"])
exhaustion = sys.modules["exhaustion"]

BATCHES, IN_A_BATCH = 20, 10


@dataclass
class Case:
    """A random problem, everything that there can be of it, and its compiled document."""

    problem: exhaustion.Problem
    everything: exhaustion.Exhaustion
    document: Document

    @cached_property
    def misprinted(self) -> "Case | None":
        changed = self.problem.misprinted(self.everything)
        return changed and case_of(changed, self.everything)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Whatever fails within is told with the seed and the claims text."""
        try:
            yield
        except Exception as error:
            error.add_note(f"seed {self.problem.seed}\n{self.problem.text}")
            raise


def case_of(problem, like=None) -> Case:
    # Not strict: what can hardly be meant, as rows among which nobody can be, has its answer too.
    document = compile_document(parse_yaml(problem.text, f"seed {problem.seed}"), strict=False)
    assert exhaustion.read(problem.text) == problem.said
    return Case(problem, exhaustion.Exhaustion(problem.said, like=like), document)


@pytest.fixture(scope="module", params=range(BATCHES), ids=lambda b: f"seeds {b * IN_A_BATCH} on")
def cases(request) -> list[Case]:
    seeds = range(request.param * IN_A_BATCH, (request.param + 1) * IN_A_BATCH)
    return [case_of(exhaustion.problem(seed)) for seed in seeds]


# The table of a line list and back


def table_of(document: Document, rows: list[dict[str, str]]) -> Table:
    codes, blank = {}, {}
    for name, column in document.columns.items():
        cells = [row[name] for row in rows]
        blank[name] = np.array([cell == "" for cell in cells])
        codes[name] = np.array([code_of(column, cell) for cell in cells], np.int64)
    return Table(document.columns, codes, blank, tuple(f"P{i}" for i in range(len(rows))))


def code_of(column: Column, cell: str) -> int:
    if cell == "":
        return 0
    return int(Fraction(cell) / Fraction(column.step)) if column.is_number else list(column.words).index(cell)


def place_of(case: Case, table: Table) -> int:
    return case.everything.place(table.cells().to_dict("records"))


# What they agree on


def test_check_and_the_second_opinion_judge_line_lists_as_exhaustion_does(cases):
    for case in cases:
        with case.told():
            everything, chance = case.everything, np.random.default_rng(case.problem.seed)
            some, worlds = chance.choice(len(everything.lists), 3), chance.choice(np.flatnonzero(everything.worlds), 2)
            for place in (*some, *worlds, everything.place(case.problem.truth)):
                rows = everything.rows(place)
                verdicts = check(case.document, table_of(case.document, rows))
                broken = {mode: broken_claims(everything, place, mode) for mode in everything.modes}
                assert set(verdicts.surviving) == {mode for mode in everything.modes if not broken[mode]}
                unlawful = {
                    rule["id"]
                    for rule, held in zip(everything.rules, everything.lawful[:, place], strict=True)
                    if not held
                }
                assert {v.id for v in verdicts.verdicts if not v.holds} == unlawful | broken[verdicts.rounding]
                if all(claim["statistic"] != "sd" for claim in everything.claims):
                    assert {mode: failed for mode, (_, failed) in everything.judge(rows).items()} == broken


def broken_claims(everything, place: int, mode: str) -> set[str]:
    held = everything.true(mode)[:, place]
    return {claim["id"] for claim, holds in zip(everything.claims, held, strict=True) if not holds}


def test_the_line_list_that_was_printed_from_is_a_world(cases):
    for case in cases:
        with case.told():
            assert case.everything.worlds[case.everything.place(case.problem.truth)]


def test_consistent_means_that_some_line_list_is_a_world(cases):
    for case in cases:
        for each in (case, case.misprinted or case):
            with each.told():
                found, everything = consistent(each.document), each.everything
                possible = {mode: everything.worlds_under(mode).any() for mode in found.rounding}
                assert set(possible) == set(MODES)
                assert found.rounding == {mode: STATUS[worlds] for mode, worlds in possible.items()}
                assert found.status == STATUS[everything.worlds.any()]
                if found.status == "consistent":
                    assert everything.worlds[place_of(each, found.world)]
                    assert (found.conflicts, found.repairs) == ((), ())
                else:
                    assert found.world is None
                    assert_explained(everything, found)


STATUS = {True: "consistent", False: "contradictory"}


def assert_explained(everything, found: Consistency) -> None:
    """Every minimal conflict is named, and none else; every repair is one, the nearest, and none is left out."""
    assert found.all_conflicts
    assert len(set(found.conflicts)) == len(found.conflicts)
    assert set(map(frozenset, found.conflicts)) == everything.conflicts()
    for conflict in found.conflicts:
        assert not everything.possible(conflict)
        assert all(everything.possible(set(conflict) - {one}) for one in conflict)
    repairs = {
        (claim["id"], text, instead)
        for claim in everything.claims
        if "equals" in claim
        for index, text in enumerate(exhaustion.printed(claim))
        for instead in everything.repairs(claim["id"], index)
    }
    assert {(repair.claim, repair.printed, repair.instead) for repair in found.repairs} == repairs


REPAIRED_BY_A_TIE = """
source: {title: toy}
patients: 3
rounding: any
columns:
  dose: {type: decimal, min: "0.25", max: "0.5", step: "0.25"}
claims:
  - {id: all-the-same, statistic: max, of: dose, equals: "0.25"}
  - {id: misprint, statistic: mean, of: dose, equals: PRINTED}
"""


@pytest.mark.parametrize("printed, instead", [("0.1", {"0.2"}), ("0.4", {"0.3"}), ("0.6", {"0.3"})])
def test_a_repair_may_be_nearest_under_another_rounding_mode(document, printed, instead):
    found = consistent(document(REPAIRED_BY_A_TIE.replace("PRINTED", printed)))
    assert {repair.instead for repair in found.repairs if repair.claim == "misprint"} == instead


def test_bounds_are_the_least_and_the_greatest_value_in_any_world(cases):
    for case in cases:
        for question in case.problem.questions:
            with case.told():
                assert_bounds(case, question)


def assert_bounds(case: Case, question: dict) -> None:
    everything, (values,) = case.everything, case.everything.values(question)
    asked = case.document.question(**question)
    found, ends = bounds(case.document, asked), values.least_and_greatest(everything.worlds)
    if ends is None:
        assert (found.status, found.lower, found.upper, found.worlds) == ("undefined", None, None, ()), question
        return
    assert (found.status, found.lower, found.upper) == ("proven", *ends), question
    assert found.sometimes_undefined == (not values.defined[everything.worlds].all()), question
    assert found.determined == (ends[0] == ends[1] and not found.sometimes_undefined), question
    for world, end in zip(found.worlds, ends, strict=True):
        assert check(case.document, world).holds, question
        place = place_of(case, world)
        assert everything.worlds[place], question
        assert values.at(place) == end, question
    printed_from = values.at(everything.place(case.problem.truth))
    assert printed_from is None or found.lower <= printed_from <= found.upper, question


def test_contradictory_claims_have_no_bounds_and_no_worlds(cases):
    for case in cases:
        if case.misprinted and not case.misprinted.everything.worlds.any():
            with case.misprinted.told():
                found = bounds(case.misprinted.document, case.document.question(**case.problem.questions[0]))
                assert (found.status, found.lower, found.upper) == ("contradictory", None, None)
                assert count(case.misprinted.document).worlds == 0


def test_worlds_are_counted_as_exhaustion_counts_them(cases):
    for case in cases:
        with case.told():
            counted = count(case.document)
            assert counted.worlds == case.everything.labelled[case.everything.worlds].sum()
            for seed in range(3):
                assert case.everything.worlds[place_of(case, counted.draw(Random(seed)))]


def test_the_problems_are_of_every_kind(record_property):
    kinds: Counter[str] = Counter()
    for seed in range(BATCHES * IN_A_BATCH):
        problem = exhaustion.problem(seed)
        everything = exhaustion.Exhaustion(problem.said)
        kinds["problems with one world" if everything.worlds.sum() == 1 else "problems with several worlds"] += 1
        under = [everything.worlds_under(mode) for mode in everything.modes]
        kinds["problems whose rounding mode matters"] += any((worlds != under[0]).any() for worlds in under)
        misprinted = problem.misprinted(everything)
        if misprinted is None:
            continue
        everything = exhaustion.Exhaustion(misprinted.said, like=everything)
        if everything.worlds.any():
            kinds["misprints without contradiction"] += 1
            continue
        sizes = sorted(map(len, everything.conflicts()))
        kinds["misprints that contradict"] += 1
        kinds["misprints that contradict another claim"] += sizes[-1] > 1
        kinds["misprints in several conflicts"] += len(sizes) > 1
    for kind, number in kinds.items():
        record_property(f"total {kind}", number)
        assert number >= LEAST[kind], kind
    assert set(kinds) == set(LEAST)


LEAST = {
    "problems with one world": 10,
    "problems with several worlds": 150,
    "problems whose rounding mode matters": 30,
    "misprints without contradiction": 50,
    "misprints that contradict": 100,
    "misprints that contradict another claim": 40,
    "misprints in several conflicts": 15,
}


# What larger sweeps found once, reduced


def test_a_printed_number_far_out_of_reach_leaves_no_bounds(document):
    toy = document("""
source: {title: toy}
patients: 4
columns:
  dose: {type: decimal, min: "0", max: "0.03", step: "0.01"}
  group: {type: category, values: [A, B]}
claims:
  - {id: far, statistic: sd, of: dose, denominator: n, equals: "10"}
""")
    for asked in (toy.question("count", {"group": "A"}), toy.question("sd", of="dose")):
        assert bounds(toy, asked).status == "contradictory"


def test_a_drawn_world_keeps_a_rule_on_two_columns_that_a_mean_cuts(document):
    toy = document("""
source: {title: toy}
patients: 2
columns:
  dose: {type: decimal, min: "0", max: "1", step: "0.2"}
  group: {type: category, values: [A, B]}
rules:
  - {id: high-in-A, if: {dose: {above: "0.6"}}, then: {not: {group: B}}, why: so it is}
claims:
  - {id: high, statistic: max, of: dose, at_least: "0.98"}
  - {id: low, statistic: mean, rows: {dose: {below: "0.2"}, group: A}, of: dose, equals: "0"}
""")
    counted = count(toy)
    assert counted.worlds == 2
    assert all(check(toy, counted.draw(Random(seed))).holds for seed in range(5))
