"""Each statistic against brute force; the plain per-patient form against every line list there is."""

import statistics
from collections.abc import Iterator
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from per_patient import every_world, model_of

from blina.claims.check import check
from blina.claims.document import Document, compile_document
from blina.claims.encoding import Encoding
from blina.claims.printed import MODES, Interval, Printed, round_exact
from blina.claims.statistics import DENOMINATORS, STATISTICS, Sd
from blina.linelist.columns import Column
from blina.linelist.predicate import AllOf, Within
from blina.linelist.table import Table
from blina.yamlfile import FileError, parse_yaml

DOSE = Column("dose", "decimal", min="-2", max="30", step="0.1", blank=True)

BRUTE = {
    "count": lambda chosen, doses, high: (len(chosen),),
    "percent": lambda chosen, doses, high: (Fraction(100 * high, len(chosen)),) if chosen else None,
    "median": lambda chosen, doses, high: (statistics.median(doses),) if doses else None,
    "mean": lambda chosen, doses, high: (statistics.mean(doses),) if doses else None,
    "min": lambda chosen, doses, high: (min(doses),) if doses else None,
    "max": lambda chosen, doses, high: (max(doses),) if doses else None,
    "range": lambda chosen, doses, high: (min(doses), max(doses)) if doses else None,
    "sd": lambda chosen, doses, high: (statistics.variance(doses),) if len(doses) > 1 else None,  # exact as its square
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
    of_everybody = (statistics.pvariance(doses),) if doses else None
    assert DENOMINATORS["n"].values(table, rows, DOSE) == of_everybody


def test_with_nobody_chosen_only_a_count_has_a_value():
    table = Table({"dose": DOSE}, {"dose": np.array([5, 0])}, {"dose": np.array([False, True])}, ("1", "2"))
    nobody, only_blank = np.zeros(2, bool), np.array([False, True])
    for name, statistic in STATISTICS.items():
        of = {"nothing": None, "predicate": AllOf(), "number": DOSE}[statistic.of]
        assert statistic.values(table, nobody, of) == ((0,) if name == "count" else None)
        if statistic.of == "number":
            assert statistic.values(table, only_blank, of) is None


def test_an_sd_divides_by_n_less_1_unless_it_says_otherwise():
    assert STATISTICS["sd"] == DENOMINATORS["n-1"] == Sd() == Sd(1) != Sd(0) == DENOMINATORS["n"]
    assert (Sd(1).label, Sd(0).label) == ("sd", "sd (denominator n)")
    one = Table({"dose": DOSE}, {"dose": np.array([50])}, {"dose": np.array([False])}, ("1",))
    everybody = np.ones(1, bool)
    assert Sd(1).values(one, everybody, DOSE) is None  # one value has no spread to speak of
    assert Sd(0).values(one, everybody, DOSE) == (0,)
    assert (Sd(1).least_n, Sd(0).least_n) == (2, 1)


AGES = """
source: {{title: toy}}
patients: 8
rounding: {mode}
columns:
  age: {{type: integer, min: "-20", max: 20}}
claims:
  - {{id: a, statistic: sd, of: age, {claim}}}
"""


@pytest.mark.parametrize(
    "ages, claim, mode, recomputed, holds",
    [
        # 2 4 4 4 5 5 7 9: squared distances add up to 32, so 32/8 = 2 squared and 32/7 = 2.13809... squared
        ("2 4 4 4 5 5 7 9", 'equals: "2.1"', "any", "2.1", True),
        ("2 4 4 4 5 5 7 9", 'equals: "2.14"', "any", "2.14", True),
        ("2 4 4 4 5 5 7 9", 'equals: "2.13"', "truncate", "2.13", True),
        ("2 4 4 4 5 5 7 9", 'equals: "2.13"', "any", "2.14", False),
        ("2 4 4 4 5 5 7 9", 'equals: "2.0", denominator: n', "any", "2.0", True),
        ("2 4 4 4 5 5 7 9", 'equals: "2.1", denominator: n', "any", "2.0", False),
        ("2 4 4 4 5 5 7 9", 'equals: "2.1", denominator: n-1', "any", "2.1", True),
        ("2 4 4 4 5 5 7 9", 'equals: "2.138089935299395"', "any", "2.138089935299395", True),  # more than a float holds
        ("-2 -4 -4 -4 -5 -5 -7 -9", 'equals: "2.1"', "any", "2.1", True),
        ("3 3 3 3 3 3 3 3", 'equals: "0.0"', "any", "0.0", True),
        # 0 0 0 0 1 1 1 1 over n is a half exactly, where the modes part
        ("0 0 0 0 1 1 1 1", 'equals: "1", denominator: n', "half_up", "1", True),
        ("0 0 0 0 1 1 1 1", 'equals: "0", denominator: n', "half_even", "0", True),
        ("0 0 0 0 1 1 1 1", 'equals: "1", denominator: n', "half_down", "0", False),
        ("0 0 0 0 5 5 5 5", 'equals: "2", denominator: n', "half_even", "2", True),
        ("0 0 0 0 7 7 7 7", 'equals: "4", denominator: n', "half_even", "4", True),
        # limits are limits on the sd, not on its square
        ("2 4 4 4 5 5 7 9", 'at_most: "2", denominator: n', "any", "2", True),
        ("2 4 4 4 5 5 7 9", 'below: "2", denominator: n', "any", "2", False),
        ("2 4 4 4 5 5 7 9", 'at_most: "2"', "any", "2.1", False),
        ("2 4 4 4 5 5 7 9", 'above: "2.13", below: "2.14"', "any", "2.138", True),
        ("2 4 4 4 5 5 7 9", 'at_least: "-1"', "any", "2", True),
    ],
)
def test_an_sd_is_shown_and_judged_without_loss(document, ages, claim, mode, recomputed, holds):
    made = document(AGES.format(mode=mode, claim=claim))
    codes = np.array(ages.split(), dtype=np.int64)
    verdict = check(made, Table(made.columns, {"age": codes}, {"age": codes > 99}, tuple("12345678"))).claims[0]
    assert (verdict.recomputed, verdict.holds) == (recomputed, holds)


def test_an_sd_of_one_value_is_said_to_lack_a_second(document):
    made = document(AGES.format(mode="any", claim="at_least: '0'"))
    one = Table(made.columns, {"age": np.array([5])}, {"age": np.array([False])}, ("1",))
    verdict = check(made, one).claims[0]
    assert (verdict.recomputed, verdict.holds) == ("fewer than 2 to compute it of", False)


@given(
    st.fractions(min_value=0, max_value=10**6, max_denominator=10**6),
    st.integers(0, 6),
    st.sampled_from(MODES),
    st.booleans(),
)
def test_a_root_is_rounded_as_its_exact_decimal_is(value, places, mode, is_square):
    square = value**2 if is_square else value
    shown = Sd().shown(square, places, mode)
    with localcontext(prec=80):
        root = (Decimal(square.numerator) / Decimal(square.denominator)).sqrt()
    exact = value if is_square else Fraction(root)  # 80 digits settle a root that is no fraction
    assert shown == round_exact(exact, places, mode)
    assert square in Sd().interval(Printed(shown).admits(mode))


@given(
    st.integers(-30, 30), st.integers(-30, 30), st.booleans(), st.booleans(), st.sampled_from([0, 1, 2]),
    st.fractions(min_value=0, max_value=40, max_denominator=8),
)  # fmt: skip
def test_a_squared_interval_holds_the_squares_of_what_the_interval_holds(a, b, low_in, high_in, ends, value):
    low, high = Fraction(min(a, b)), Fraction(max(a, b))
    interval = Interval(None if ends == 1 else low, None if ends == 2 else high, low_in, high_in)
    for one in (value, low, high):
        if one >= 0:
            assert (one**2 in interval.squared()) == (one in interval)


# The plain form (see per_patient), with which test_per_patient compares the solver's own.
# A world is the same in any order of its patients, so worlds are compared as sorted tuples.

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


def admitted_by_plain_form(document: Document, modes: tuple[str, ...]) -> set[World]:
    return every_world(model_of(document, modes))


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
        (["statistic: sd, of: dose, equals: '0.5'"], {}),
        (["statistic: sd, of: dose, equals: '0.4'"], {"patients": 2}),  # 0 and 0.5: the root of 1/8
        (["statistic: sd, of: dose, equals: '0.3', denominator: n"], {"patients": 2, "rounding": "half_up"}),
        (["statistic: sd, of: dose, equals: '0.3', denominator: n"], {"patients": 2, "rounding": "half_down"}),
        (["statistic: sd, rows: {group: A}, of: dose, equals: '0'"], {}),  # alike, and at least two of them
        (["statistic: sd, rows: {group: A}, of: dose, equals: '0', denominator: n"], {}),  # or one alone
        (["statistic: sd, of: dose, above: '0.5'"], {"low": "-1", "high": "0.5"}),
        (["statistic: sd, of: dose, at_most: '0.35'"], {"low": "1", "high": "2", "blank": "never"}),
        (["statistic: sd, of: dose, at_most: '999999999999999999999'"], {}),  # a limit beyond 64 bits
        (["statistic: count, rows: {group: A}, equals: '1'"],
         {"rules": "{id: r, if: {group: A}, then: {dose: ''}, why: w}"}),
    ],
)  # fmt: skip
def test_the_plain_form_admits_exactly_the_line_lists_that_check_passes(document, claims, options):
    made = toy(document, claims, **options)
    for mode in made.modes:
        assert admitted_by_plain_form(made, (mode,)) == admitted_by_check(made, (mode,))
    if len(made.modes) > 1:
        assert admitted_by_plain_form(made, made.modes) == admitted_by_check(made, made.modes)


def test_the_toys_above_admit_some_line_lists_and_refuse_others(document):
    made = toy(document, ["statistic: median, of: dose, equals: '0.3'"], patients=2, rounding="half_up")
    everything = set(all_worlds(made))
    assert 0 < len(admitted_by_plain_form(made, ("half_up",))) < len(everything)
    assert not admitted_by_plain_form(made, ("half_down",))  # 0.25 prints as 0.2


def test_an_sd_whose_squares_the_solver_cannot_hold_is_refused_in_one_line(document):
    made = toy(document, ["statistic: sd, of: dose, equals: '1'"], high="1000000000")
    with pytest.raises(FileError, match="the sd of dose is beyond the solver: give the column a wider step, or"):
        Encoding(made)


conditions = st.sampled_from(
    ["{}", "{group: A}", "{group: [A, B]}", "{dose: ''}", "{dose: {above: '0'}}", "{dose: {at_most: '0.5'}, group: B}",
     "{not: {dose: '0.5'}}", "{any_of: [{group: A}, {dose: ['0', '']}]}", "{not: {any_of: [{group: A}, {dose: ''}]}}"]
)  # fmt: skip
amounts = st.sampled_from(["-0.5", "-0.2", "0", "0.2", "0.3", "0.5", "0.7", "0.8", "1", "1.0"])
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
            "sd": st.sampled_from(["0", "0.2", "0.3", "0.35", "0.4", "0.5", "0.6", "0.7"]),
        }
        key = draw(st.just("equals") | limit)
        said = f"{key}: '{draw(numbers.get(name, amounts))}'"
    if name == "sd":
        said += f", denominator: {draw(st.sampled_from(sorted(DENOMINATORS)))}"
    return f"statistic: {name}, rows: {rows}, {of}{said}"


@settings(max_examples=200)
@given(
    claims=st.lists(random_claims(), min_size=1, max_size=2),
    patients=st.integers(1, 3),
    mode=st.sampled_from(MODES),
    ends=st.sampled_from([("0", "1"), ("-1", "0.5")]),
    rule=st.none() | st.tuples(conditions, conditions),
)
def test_the_plain_form_and_check_agree_on_random_claims(claims, patients, mode, ends, rule):
    def judged(text: str) -> Document:  # whether or not anybody would mean it
        return compile_document(parse_yaml(text, "toy.yaml"), strict=False)

    rules = f"{{id: r, if: {rule[0]}, then: {rule[1]}, why: w}}" if rule else ""
    made = toy(judged, claims, patients=patients, rounding=mode, low=ends[0], high=ends[1], rules=rules)
    assert admitted_by_plain_form(made, (mode,)) == admitted_by_check(made, (mode,))
