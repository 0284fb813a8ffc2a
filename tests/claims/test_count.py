"""Counting worlds: as many as there are, by brute force, and drawn with equal chances."""

import math
import random
import time
from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import combinations_with_replacement, permutations, product

import numpy as np
import pytest
import yaml
from scipy.stats import chisquare

from blina.claims import count as count_module
from blina.claims.check import check
from blina.claims.count import Uncountable, count
from blina.claims.document import compile_document
from blina.yamlfile import parse_yaml

HALVES = ("half_up", "half_even", "half_down")


# A brute force that shares nothing with the dynamic program: every line list, judged in plain Python on whole numbers
# and fractions. It reads the claims as they are written.


def compared(kind, cell, word):
    return cell == word if kind != "number" or "" in (cell, word) else Fraction(cell) == Fraction(word)


LIMITS = {"at_least": lambda a, b: a >= b, "at_most": lambda a, b: a <= b, "above": lambda a, b: a > b,
          "below": lambda a, b: a < b}  # fmt: skip


def chosen(said, patient, written):
    for key, value in written.items():
        if key == "any_of":
            holds = any(chosen(said, patient, part) for part in value)
        elif key == "not":
            holds = not chosen(said, patient, value)
        elif isinstance(value, dict):
            cell = patient[key]
            holds = cell != "" and all(LIMITS[k](Fraction(cell), Fraction(v)) for k, v in value.items())
        else:
            kind = "number" if "min" in said["columns"][key] else "word"
            holds = any(compared(kind, patient[key], w) for w in (value if isinstance(value, list) else [value]))
        if not holds:
            return False
    return True


def cells_of(column):
    if column["type"] == "category":
        cells = list(column["values"])
    elif column["type"] == "boolean":
        cells = ["yes", "no"]
    else:
        step = Fraction(column.get("step", "1"))
        least, most = Fraction(column["min"]) / step, Fraction(column["max"]) / step
        cells = [number(code * step) for code in range(math.ceil(least), math.floor(most) + 1)]
    return cells + ([""] if column.get("blank") == "allowed" else [])


def number(value):
    return str(value.numerator) if value.denominator == 1 else str(float(value))


def possible_patients(said):
    names = list(said["columns"])
    for cells in product(*(cells_of(column) for column in said["columns"].values())):
        patient = dict(zip(names, cells, strict=True))
        if all(chosen(said, patient, rule["then"]) for rule in said["rules"] if chosen(said, patient, rule["if"])):
            yield patient


def taken(said, patient, claim):
    """What a claim takes from a patient: 0, 1 or a number; None for nothing."""
    if not chosen(said, patient, claim.get("rows", {})):
        return None
    of = claim.get("of", {})
    if isinstance(of, dict):
        return Fraction(chosen(said, patient, of))
    return Fraction(patient[of]) if patient[of] != "" else None


def found(claim, values):
    """Value or values of the statistic; of an sd the square. None where it is undefined."""
    values = sorted(v for v in values if v is not None)
    n, name = len(values), claim["statistic"]
    if name == "count":
        return (Fraction(n),)
    if not n or name == "sd" and n == 1 and claim.get("denominator") != "n":
        return None
    mean = sum(values) / n
    match name:
        case "percent":
            return (100 * mean,)
        case "mean":
            return (mean,)
        case "median":
            return ((values[(n - 1) // 2] + values[n // 2]) / 2,)
        case "sd":
            return (sum((v - mean) ** 2 for v in values) / (n if claim.get("denominator") == "n" else n - 1),)
    return {"min": values[:1], "max": values[-1:], "range": [values[0], values[-1]]}[name]


def rounded(value, places, mode, root=False):
    """Printed steps (an integer) of a value of either sign, or of the root of a value."""
    scaled = abs(value) * (100 if root else 10) ** places
    whole = math.isqrt(scaled.numerator // scaled.denominator) if root else scaled.numerator // scaled.denominator
    half = Fraction(2 * whole + 1, 2) ** (2 if root else 1)
    up = mode != "truncate" and (scaled > half or scaled == half and
                                 (mode == "half_up" or mode == "half_even" and whole % 2 == 1))  # fmt: skip
    return (whole + up) * (-1 if value < 0 else 1)


def agrees(claim, values, mode):
    if values is None:
        return False
    root = claim["statistic"] == "sd"
    if "equals" not in claim:
        ends = {k: Fraction(claim[k]) for k in LIMITS if k in claim}
        return all(LIMITS[k](values[0], end**2 if root and end >= 0 else end) for k, end in ends.items())
    texts = claim["equals"] if isinstance(claim["equals"], list) else [claim["equals"]]
    places = [len(text.partition(".")[2]) for text in texts]
    return [rounded(v, p, mode, root) for v, p in zip(values, places, strict=True)] == [
        int(Fraction(text) * 10**p) for text, p in zip(texts, places, strict=True)
    ]


def brute_force(said):
    """Every unlabelled world (patients in ascending order) with the number of its labelled ones."""
    patients = list(possible_patients(said))
    modes = HALVES if said["rounding"] == "any" else (said["rounding"],)
    n = int(said["patients"])
    takes = [[taken(said, patient, claim) for patient in patients] for claim in said["claims"]]
    worlds = {}
    for world in combinations_with_replacement(range(len(patients)), n):
        left = modes
        for claim, take in zip(said["claims"], takes, strict=True):
            values = found(claim, [take[i] for i in world])
            left = [mode for mode in left if agrees(claim, values, mode)]
            if not left:
                break
        else:
            orders = math.factorial(n) // math.prod(map(math.factorial, Counter(world).values()))
            worlds[tuple(sorted(tuple(patients[i].values()) for i in world))] = orders
    return worlds


def world_of(table):
    """The line list as in `brute_force`, whatever the order of its patients."""
    cells = [
        ["" if blank else written(column, code) for code, blank in zip(*both, strict=True)]
        for column, *both in (
            (c, table.codes[name].tolist(), table.blank[name].tolist()) for name, c in table.columns.items()
        )
    ]
    return tuple(sorted(zip(*cells, strict=True)))


@cache
def written(column, code):
    return number(code * column.size) if column.is_number else column.text(code)


# Random documents: claims printed from a random line list, which so is one of the worlds


def random_document(chance, most=2500):
    while True:
        said = random_columns(chance)
        patients = list(possible_patients(said))
        n = int(said["patients"])
        if patients and math.comb(len(patients) + n - 1, n) <= most:
            break
    mode = chance.choice(HALVES if said["rounding"] == "any" else [said["rounding"]])
    world = [chance.choice(patients) for _ in range(n)]
    for _ in range(chance.randint(1, 6)):
        claim = random_question(chance, said)
        values = found(claim, [taken(said, patient, claim) for patient in world])
        if values is None:
            continue
        root, places = claim["statistic"] == "sd", chance.choice([0, 0, 1, 2])
        texts = [printed(rounded(v, places, mode, root), places) for v in values]
        if len(texts) == 1 and chance.random() < 0.2:
            steps = rounded(values[0], places, "truncate", root)
            limit = chance.choice(list(LIMITS))
            claim[limit] = printed(steps + (1 if limit in ("at_most", "below") else -1), places)
        else:
            claim["equals"] = texts if claim["statistic"] == "range" else texts[0]
        said["claims"].append(claim | {"id": f"c{len(said['claims'])}"})
    return said


def printed(steps, places):
    digits = str(abs(steps)).rjust(places + 1, "0")
    return ("-" if steps < 0 else "") + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def random_columns(chance):
    columns = {}
    if chance.random() < 0.7:
        columns["group"] = {"type": "category", "values": ["A", "B", "C"][: chance.choice([2, 2, 3])]}
        if chance.random() < 0.2:
            columns["group"]["blank"] = "allowed"
    for name in ("x", "y")[: chance.choice([1, 1, 2])]:
        least, size = chance.choice([-2, 0, 0, 1]), chance.randint(2, 7)
        kind = chance.choice([("integer", 1), ("decimal", Fraction(1, 2)), ("decimal", Fraction(1, 10))])
        columns[name] = {"type": kind[0], "min": number(least * kind[1]), "max": number((least + size - 1) * kind[1])}
        if kind[0] == "decimal":
            columns[name]["step"] = number(kind[1])
        if chance.random() < 0.3:
            columns[name]["blank"] = "allowed"
    if chance.random() < 0.5:
        columns["flag"] = {"type": "boolean"}
    said = {"source": {"title": "toy"}, "patients": str(chance.randint(2, 6)), "columns": columns, "rules": [],
            "rounding": chance.choice(["any", "any", "half_up", "half_even", "truncate"]), "claims": []}  # fmt: skip
    for i in range(chance.choice([0, 0, 1, 2])):
        rule = {"if": random_rows(chance, columns), "then": random_rows(chance, columns)}
        said["rules"].append(rule | {"id": f"r{i}", "why": "w"})
    return said


def random_rows(chance, columns, depth=0):
    if chance.random() < 0.1:
        return {}
    if depth < 2 and chance.random() < 0.15:
        return {"any_of": [random_rows(chance, columns, depth + 1) for _ in range(2)]}
    if depth < 2 and chance.random() < 0.1:
        return {"not": random_rows(chance, columns, depth + 1)}
    rows = {}
    for name in chance.sample(list(columns), min(len(columns), chance.choice([1, 1, 2]))):
        cells = cells_of(columns[name])
        if "min" in columns[name] and chance.random() < 0.7:
            cell = chance.choice([cell for cell in cells if cell != ""])
            rows[name] = {chance.choice(list(LIMITS)): cell}
        else:
            rows[name] = chance.choice(cells) if chance.random() < 0.7 else chance.sample(cells, 2)
    return rows


def random_question(chance, said):
    numbers = [name for name, column in said["columns"].items() if "min" in column]
    statistic = chance.choice(["count", "percent", "median", "median", "mean", "sd", "min", "max", "range"])
    claim = {"statistic": statistic, "rows": random_rows(chance, said["columns"]) if chance.random() < 0.6 else {}}
    if statistic == "percent":
        claim["of"] = random_rows(chance, said["columns"])
    elif statistic != "count":
        claim["of"] = chance.choice(numbers)
    if statistic == "sd":
        claim["denominator"] = chance.choice(["n", "n-1"])
    return claim


def compiled(said):
    return compile_document(parse_yaml(yaml.safe_dump(said, sort_keys=False), "toy.yaml"), strict=False)


@pytest.mark.parametrize("seed", range(8))
def test_there_are_as_many_worlds_as_a_brute_force_finds(seed, monkeypatch, record_property):
    if seed % 2:  # small documents need no key: take one all the same
        monkeypatch.setattr(count_module._Mixture, "_cost", lambda self, key: 0 if key else 1)
    chance, keys = random.Random(seed), 0
    for _ in range(15):
        said = random_document(chance, most=1200)
        worlds = brute_force(said)
        assert worlds
        if seed % 2 and "group" in said["columns"]:
            place, world = list(said["columns"]).index("group"), next(iter(worlds))
            for cell in cells_of(said["columns"]["group"]):
                said["claims"].append({"id": f"fixed {cell}", "statistic": "count", "rows": {"group": cell},
                                       "equals": str(sum(patient[place] == cell for patient in world))})  # fmt: skip
            worlds = brute_force(said)
        result = count(compiled(said))
        assert result.worlds == sum(worlds.values()), yaml.safe_dump(said)
        assert world_of(result.draw(chance)) in worlds
        keys += result._mixture.key is not None
    assert keys >= 3 * (seed % 2)
    record_property("total documents whose worlds were counted by brute force too", 15)


@pytest.mark.parametrize("seed", range(2))
def test_a_number_misprinted_leaves_as_many_worlds_as_a_brute_force_finds_often_none(seed):
    chance, contradictory = random.Random(seed), 0
    for _ in range(25):
        said = random_document(chance, most=1500)
        for claim in said["claims"]:
            if isinstance(claim.get("equals"), str) and chance.random() < 0.5:
                claim["equals"] = printed(int(Fraction(claim["equals"])) + chance.choice([-1, 1]), 0)
        worlds = brute_force(said)
        result = count(compiled(said))
        assert result.worlds == sum(worlds.values()), yaml.safe_dump(said)
        contradictory += not worlds
    assert contradictory > 5


SEPARATE = """
source: {title: sexes and reactions have nothing to do with each other but by group}
patients: 4
columns:
  group: {type: category, values: [A, B]}
  sex: {type: boolean}
  grade: {type: integer, min: 0, max: 3}
rules: [{id: mild, if: {group: B}, then: {grade: {at_most: "1"}}, why: w}]
claims:
  - {id: a, statistic: count, rows: {group: A}, equals: "2"}
  - {id: b, statistic: percent, rows: {group: A}, of: {sex: yes}, equals: "50.0"}
  - {id: c, statistic: max, rows: {group: A}, of: grade, equals: "2"}
"""
STAGED = """
source: {title: a rounded median and a mean}
patients: 5
rounding: any
columns:
  sex: {type: boolean}
  score: {type: decimal, min: "0", max: "2", step: "0.5", blank: allowed}
rules: []
claims:
  - {id: girls, statistic: count, rows: {sex: yes}, equals: "2"}
  - {id: some, statistic: count, rows: {score: ""}, equals: "1"}
  - {id: middle, statistic: median, of: score, equals: "1.2"}
  - {id: mean, statistic: mean, rows: {sex: yes}, of: score, at_most: "1"}
  - {id: high, statistic: count, rows: {score: {at_least: "1.5"}}, at_least: "2"}
"""


@pytest.mark.parametrize("text, separate", [(SEPARATE, True), (STAGED, False)])
def test_every_world_is_drawn_and_each_with_the_same_chance(text, separate):
    said = yaml.load(text, Loader=yaml.BaseLoader) | ({"rounding": "any"} if separate else {})
    worlds = brute_force(said)
    result = count(compiled(said))
    assert (len(result._mixture.blocks) > 1) == separate
    assert 20 < len(worlds) < 200
    assert result.worlds == sum(worlds.values())
    chance = random.Random(20231202)
    seen = Counter(world_of(result.draw(chance)) for _ in range(20_000))
    assert seen.keys() == worlds.keys()
    expected = [20_000 * orders / result.worlds for orders in worlds.values()]
    assert min(expected) > 5
    assert chisquare([seen[world] for world in worlds], expected).pvalue > 0.001


# A rule ties the columns whose values are given in two stages


CUT_BY_A_MEAN = """
source: {title: a mean whose rows cut both columns of a rule}
patients: 2
columns:
  first: {type: decimal, min: "0", max: "1", step: "0.2"}
  group: {type: category, values: [A, B]}
rules: [{id: r, if: {first: {above: "0.6"}}, then: {not: {group: B}}, why: w}]
claims:
  - {id: c0, statistic: max, of: first, at_least: "0.98"}
  - {id: c3, statistic: mean, rows: {first: {below: "0.2"}, group: A}, of: first, equals: "0"}
"""


def test_a_drawn_value_keeps_the_rule_that_ties_it_to_the_patient_s_group(document):
    toy = document(CUT_BY_A_MEAN)
    result, chance = count(toy), random.Random(5)
    assert result.worlds == 2
    assert all(check(toy, result.draw(chance)).holds for _ in range(20))


def tied_document(chance):
    """Rules on a number and a word, and value claims whose rows cut both."""
    size = chance.randint(3, 6)
    columns = {"x": {"type": "integer", "min": "0", "max": str(size - 1)},
               "g": {"type": "category", "values": ["A", "B", "C"][: chance.choice([2, 3])]}}  # fmt: skip
    if chance.random() < 0.3:
        columns["x"]["blank"] = "allowed"
    if chance.random() < 0.4:
        columns["y"] = {"type": "integer", "min": "0", "max": "2"}
    said = {"source": {"title": "toy"}, "patients": str(chance.randint(2, 4)), "columns": columns, "rules": [],
            "rounding": chance.choice(["any", "half_up"]), "claims": []}  # fmt: skip

    def some(name):
        if "values" in columns[name]:
            return chance.choice(columns[name]["values"])
        return {chance.choice(list(LIMITS)): str(chance.randrange(1, int(columns[name]["max"]) + 1))}

    def rows():
        names = chance.sample(list(columns), chance.choice([0, 1, 2, 2]))
        return {name: some(name) for name in names}

    for i in range(chance.choice([1, 1, 2])):
        one, other = chance.sample(list(columns), 2)
        then = {other: some(other)}
        said["rules"].append({"id": f"r{i}", "if": {one: some(one)}, "why": "w",
                              "then": {"not": then} if chance.random() < 0.5 else then})  # fmt: skip
    patients, n = list(possible_patients(said)), int(said["patients"])
    if math.comb(len(patients) + n - 1, n) > 800:
        return tied_document(chance)
    world = chance.choices(patients, k=n) if patients else []
    for _ in range(chance.randint(2, 5)):
        statistic = chance.choice(["mean", "median", "sd", "max", "min", "count"])
        claim = {"id": f"c{len(said['claims'])}", "statistic": statistic, "rows": rows()}
        if statistic != "count":
            claim["of"] = chance.choice([name for name in columns if name != "g"])
        values = found(claim, [taken(said, patient, claim) for patient in world])
        if values is not None:
            places = 0 if statistic == "count" else 1
            text = printed(rounded(values[0], places, "half_up", statistic == "sd"), places)
            said["claims"].append(claim | {chance.choice(["equals", "equals", "at_least"]): text})
    return said


@pytest.mark.parametrize("seed", range(4))
def test_draws_are_fair_where_rules_tie_numbers_to_other_columns(seed):
    chance, tested = random.Random(f"tied {seed}"), 0
    for _ in range(25):
        said = tied_document(chance)
        worlds = brute_force(said)
        result = count(compiled(said))
        assert result.worlds == sum(worlds.values()), yaml.safe_dump(said)
        if not worlds:
            continue
        seen = Counter(world_of(result.draw(chance)) for _ in range(20))
        assert seen.keys() <= worlds.keys(), yaml.safe_dump(said)
        expected = [400 * orders / result.worlds for orders in worlds.values()]
        if len(worlds) > 1 and min(expected) > 5:
            seen = Counter(world_of(result.draw(chance)) for _ in range(400))
            assert chisquare([seen[world] for world in worlds], expected).pvalue > 1e-4, yaml.safe_dump(said)
            tested += 1
    assert tested >= 3


def test_labels_of_patients_are_dealt_fairly_too(document):
    said = SEPARATE
    result, chance = count(document(said)), random.Random(4)
    tables = [result.draw(chance) for _ in range(3000)]
    for place in range(4):
        share = np.mean([table.codes["group"][place] == 0 for table in tables])
        assert abs(share - 0.5) < 0.04  # 4.4 standard errors


@pytest.fixture(scope="module")
def report_worlds(report_claims):
    return count(report_claims)


def test_worlds_of_the_report_are_counted_and_those_drawn_are_worlds(report_claims, report_worlds, record_property):
    result = report_worlds
    assert result.log10 == pytest.approx(math.log10(result.worlds)) and result.log10 > 200
    assert count(report_claims).worlds == result.worlds
    chance = random.Random(1)
    tables = [result.draw(chance) for _ in range(30)]
    for table in tables:
        assert table.reconstructed
        assert table.ids[:2] == ("P01", "P02")
        assert check(report_claims, table).holds
    assert len({world_of(table) for table in tables}) == 30
    record_property("total worlds of the report, log10", round(result.log10, 2))


def test_fewer_claims_leave_more_worlds(report_claims, report_worlds):
    assert count(report_claims.without(["R1"])).worlds > report_worlds.worlds


def test_the_same_seed_draws_the_same_world(report_claims, report_worlds):
    again = count(report_claims).draw(random.Random(1)).cells()
    one, same, other = (report_worlds.draw(random.Random(seed)).cells() for seed in (1, 1, 2))
    assert one.equals(again)
    assert one.equals(same)
    assert not one.equals(other)


def test_contradictory_claims_have_no_world(document):
    result = count(document(SEPARATE + '  - {id: d, statistic: count, rows: {group: B}, equals: "3"}\n'))
    assert (result.worlds, result.log10) == (0, -math.inf)
    with pytest.raises(ValueError, match="contradict"):
        result.draw(random.Random(0))


def test_columns_that_nobody_asks_about_take_every_value(document):
    free = document("""
source: {title: nothing said}
patients: 120
columns:
  group: {type: category, values: [A, B, C]}
  age: {type: decimal, min: "0", max: "120", step: "0.1"}
rules: []
claims: []
""")
    result = count(free)
    assert result.worlds == (3 * 1201) ** 120
    assert result.log10 == pytest.approx(120 * math.log10(3 * 1201))
    assert result.draw(random.Random(0)).ids[0] == "P001"


def test_a_median_of_two_middle_values_is_counted_by_a_formula(document):
    # Codes 0 to 9, four patients, the two middle ones adding up to 3 halves: (0, 3) or (1, 2).
    result = count(
        document("""
source: {title: four}
patients: 4
rounding: half_up
columns: {x: {type: integer, min: 0, max: 9}}
rules: []
claims: [{id: m, statistic: median, of: x, equals: "1.5"}]
""")
    )
    quadruples = [(a, *pair, b) for pair in ((0, 3), (1, 2)) for a in range(pair[0] + 1) for b in range(pair[1], 10)]
    orders = sum(len(set(permutations(four))) for four in quadruples)
    assert result.worlds == orders


AGES = """
source: {title: ages as the report prints them}
patients: 28
rounding: any
columns: {age: {type: decimal, min: "0", max: "120", step: "0.1"}}
rules: []
claims:
  - {id: r, statistic: range, of: age, equals: ["0.6", "16.4"]}
  - {id: m, statistic: median, of: age, equals: "11.0"}
"""


def test_ages_of_28_are_counted_as_by_order_statistics(document):
    def within(least, greatest):
        """Lists of 28 codes from `least` to `greatest` whose two middle ones add up to 219, 220 or 221."""
        ways = 0
        for lower, upper in ((a, s - a) for s in (219, 220, 221) for a in range(least, s // 2 + 1)):
            down, up = lower - least, greatest - upper  # how many codes lie below the one, above the other
            if up < 0:
                continue
            if lower < upper:
                ways += math.comb(28, 14) * ((down + 1) ** 14 - down**14) * ((up + 1) ** 14 - up**14)
            else:
                ways += sum(
                    math.comb(28, b) * math.comb(28 - b, a) * down**b * up**a for a in range(14) for b in range(14)
                )
        return ways

    both_ends = within(6, 164) - within(7, 164) - within(6, 163) + within(7, 163)
    assert count(document(AGES)).worlds == both_ends


TOO_MUCH = """
source: {title: many scores in one sum}
patients: 30
columns:
  age: {type: decimal, min: "0", max: "100", step: "0.1"}
rules: []
claims:
  - {id: m, statistic: CLAIM, of: age, equals: "50.0"}
"""


MANY_COLUMNS = f"""
source: {{title: one claim on fifteen columns}}
patients: 3
columns: {{{", ".join(f"c{i}: {{type: boolean}}" for i in range(15))}}}
claims: [{{id: c, statistic: count, rows: {{{", ".join(f"c{i}: yes" for i in range(15))}}}, equals: "1"}}]
"""


def test_what_would_take_too_long_is_refused_in_words(document):
    begun = time.process_time()
    with pytest.raises(Uncountable, match="tie too much together: counting takes more than 250,000 states"):
        count(document(TOO_MUCH.replace("CLAIM", "mean")))
    assert time.process_time() - begun < 4  # it takes less than 1
    with pytest.raises(Uncountable, match="more than 1,000 states"):
        count(document(TOO_MUCH.replace("CLAIM", "median")), most_states=1000)
    with pytest.raises(Uncountable, match="more than 20000 ways: ask about fewer columns"):
        count(document(MANY_COLUMNS))
