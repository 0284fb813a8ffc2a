"""Random claims files about three to six patients, and every line list that there can be of each.

Nothing here shares code with the package: predicates are those of the second opinion, statistics and rounding are
whole numbers in arrays, one entry per line list.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache, cached_property, lru_cache
from itertools import combinations_with_replacement, product
from math import ceil, comb, factorial, floor, lcm, prod

import numpy as np
import yaml
from independent import HALVES, LIMITS, SecondOpinion

MOST = 20_000  # line lists of a random problem that differ in more than the order of their rows
FAR = 2**40  # beyond every value of a column


# Every line list


@dataclass(frozen=True)
class Values:
    """A statistic's value in each line list, exactly `above / below`, where it is `defined`.

    With `root` it is the square root of that, and exact values are its squares.
    """

    above: np.ndarray
    below: np.ndarray
    defined: np.ndarray
    root: bool = False

    def at(self, place: int) -> Fraction | None:
        """The value in one line list; None where it is not defined."""
        return Fraction(int(self.above[place]), int(self.below[place])) if self.defined[place] else None

    def least_and_greatest(self, among: np.ndarray) -> tuple[Fraction, Fraction] | None:
        """Over the line lists of a mask; None where it is defined in none of them."""
        pairs = np.stack([self.above, self.below], axis=1)[among & self.defined]
        found = {Fraction(above, below) for above, below in set(map(tuple, pairs.tolist()))}
        return (min(found), max(found)) if found else None

    def printed(self, places: int, mode: str) -> np.ndarray:
        """What would be printed with so many decimals, in units of the last of them."""
        if self.root:
            scaled = self.above * 100**places
            whole = square_root(scaled // self.below)
            beyond = 4 * scaled - (2 * whole + 1) ** 2 * self.below
        else:
            whole, rest = np.divmod(np.abs(self.above) * 10**places, self.below)
            beyond = 2 * rest - self.below
        more, tie = beyond > 0, beyond == 0
        up = {"half_up": more | tie, "half_even": more | tie & (whole % 2 == 1), "half_down": more, "truncate": 0}[mode]
        return np.sign(self.above) * (whole + up)

    def within(self, limit: str, text: str) -> np.ndarray:
        end = Fraction(text)
        if self.root:
            end *= abs(end)
        return self.defined & LIMITS[limit](self.above * end.denominator, end.numerator * self.below)


class Exhaustion(SecondOpinion):
    """Every line list of a claims file: `lists` has a row for each, with the places in `states` of its patients.

    Line lists that differ only in the order of patients are one row. The file's content is given as text or as `read`
    from it. `like` is another's, of the same columns, patients and rules, whose work need not be done again; `lists`
    are line lists to judge instead of all.
    """

    def __init__(
        self, content: str | dict, like: Exhaustion | None = None, lists: Iterable[Sequence[int]] | None = None
    ):
        self.said = read(content) if isinstance(content, str) else content
        self.columns, self.claims = self.said["columns"], self.said["claims"]
        self.rules = self.said.get("rules", [])
        self.modes = list(HALVES) if self.said["rounding"] == "any" else [self.said["rounding"]]
        self.patients = int(self.said["patients"])
        self._true: dict[str, np.ndarray] = {}
        if like is not None:
            self.states, self.lists, self._known, self._values = like.states, like.lists, like._known, like._values
            return
        cells = [cells_of(column) for column in self.columns.values()]
        self.states = [dict(zip(self.columns, row, strict=True)) for row in product(*cells)]
        self.lists = every_list(len(self.states), self.patients) if lists is None else np.array(lists)
        self._known, self._values = {}, {}

    @cached_property
    def labelled(self) -> np.ndarray:
        """In how many ways the rows of each line list can be dealt to distinguishable patients."""
        return np.array([factorial(self.patients) // prod(map(factorial, np.bincount(w).tolist())) for w in self.lists])

    def values(self, asked: dict) -> list[Values]:
        """What a claim or question is about, in every line list; for a range both ends."""
        key = repr([asked.get(part) for part in ("statistic", "rows", "of", "denominator")])
        if key not in self._values:
            members, less = self._mask(asked.get("rows", {})), ["n", "n-1"].index(asked.get("denominator", "n-1"))
            self._values[key] = self._compute(asked["statistic"], members, asked.get("of"), less)
        return self._values[key]

    def _compute(self, statistic: str, members: np.ndarray, of: dict | str | None, less: int) -> list[Values]:
        if not isinstance(of, str):
            size, part = self._total(members), self._total(members & self._mask(of or {}))
            if statistic == "count":
                return [Values(size, np.ones_like(size), np.ones(len(size), bool))]
            return [Values(100 * part, np.maximum(size, 1), size > 0)]
        members = members & np.array([state[of] != "" for state in self.states])
        exact = [Fraction(state[of] or 0) for state in self.states]
        unit = lcm(*(value.denominator for value in exact))
        numbers = np.array([int(value * unit) for value in exact])
        size = self._total(members)
        if statistic == "sd":
            from_least = (numbers - numbers[members].min(initial=FAR)) * members
            above = size * self._total(from_least**2) - self._total(from_least) ** 2
            defined = size > less
            return [Values(above, np.where(defined, size * (size - less), 1) * unit**2, defined, root=True)]
        ascending = np.sort(np.where(members, numbers, FAR)[self.lists], axis=1)  # those who do not count come last

        def ranked(place: np.ndarray) -> np.ndarray:
            return np.take_along_axis(ascending, np.maximum(place, 0)[:, None], axis=1)[:, 0]

        least, greatest, one = ranked(size * 0), ranked(size - 1), np.ones_like(size)
        pairs = {
            "min": lambda: [(least, one)],
            "max": lambda: [(greatest, one)],
            "range": lambda: [(least, one), (greatest, one)],
            "median": lambda: [(ranked((size - 1) // 2) + ranked(np.minimum(size // 2, self.patients - 1)), 2 * one)],
            "mean": lambda: [(self._total(numbers * members), np.maximum(size, 1))],
        }[statistic]()
        return [Values(np.where(size > 0, above, 0), below * unit, size > 0) for above, below in pairs]

    def _mask(self, written: dict) -> np.ndarray:
        return np.array([self.chosen(state, written) for state in self.states])

    def _total(self, of_states: np.ndarray) -> np.ndarray:
        return of_states.astype(np.int64)[self.lists].sum(axis=1)

    # What is said of them

    @cached_property
    def lawful(self) -> np.ndarray:
        """For each rule, in which line lists it is true of every patient."""
        kept = [~self._mask(rule["if"]) | self._mask(rule["then"]) for rule in self.rules]
        return np.array([mask[self.lists].all(axis=1) for mask in kept], bool).reshape(len(kept), len(self.lists))

    def true(self, mode: str) -> np.ndarray:
        """For each claim, in which line lists it holds under a rounding mode."""
        if mode not in self._true:
            held = [self._holds_in(claim, mode) for claim in self.claims]
            self._true[mode] = np.array(held, bool).reshape(len(self.claims), len(self.lists))
        return self._true[mode]

    def _holds_in(self, claim: dict, mode: str) -> np.ndarray:
        values = self.values(claim)
        if "equals" in claim:
            pairs = zip(values, printed(claim), strict=True)
            return np.logical_and.reduce([self.as_printed(value, text, mode) for value, text in pairs])
        return np.logical_and.reduce([values[0].within(limit, claim[limit]) for limit in LIMITS if limit in claim])

    def as_printed(self, values: Values, text: str, mode: str) -> np.ndarray:
        return values.defined & (values.printed(places(text), mode) == units(text))

    def worlds_under(self, mode: str) -> np.ndarray:
        """In which line lists every rule and, under this rounding mode, every claim holds."""
        return self.lawful.all(axis=0) & self.true(mode).all(axis=0)

    @cached_property
    def worlds(self) -> np.ndarray:
        """In which line lists every rule and claim holds under one of the document's rounding modes."""
        return np.logical_or.reduce([self.worlds_under(mode) for mode in self.modes])

    def possible(self, claims: Iterable[str]) -> bool:
        """Whether some line list satisfies every rule and, under one rounding mode, these claims."""
        chosen = np.array([claim["id"] in set(claims) for claim in self.claims], bool)
        return any((self.lawful.all(axis=0) & self.true(mode)[chosen].all(axis=0)).any() for mode in self.modes)

    def conflicts(self) -> set[frozenset[str]]:
        """Every minimal set of claims that no line list satisfies under any one rounding mode, the rules being true."""
        names = [claim["id"] for claim in self.claims]
        lawful = self.lawful.all(axis=0)
        # Claims as the bits of a whole number: first those that hold together somewhere, then all that hold nowhere.
        powers = 1 << np.arange(len(names))
        together = np.unique(np.concatenate([powers @ self.true(mode)[:, lawful] for mode in self.modes]))
        found: list[int] = []
        for chosen in sorted(range(1 << len(names)), key=int.bit_count):
            if not any(chosen & one == one for one in found) and not (together & chosen == chosen).any():
                found.append(chosen)
        return {frozenset(name for i, name in enumerate(names) if chosen >> i & 1) for chosen in found}

    def repairs(self, claim_id: str, index: int = 0) -> set[str]:
        """The numbers nearest to a claim's printed one with which there would be a world: none, one or two.

        They have as many decimals; `index` is 1 for the upper end of a range.
        """
        place = next(i for i, claim in enumerate(self.claims) if claim["id"] == claim_id)
        claim, text = self.claims[place], printed(self.claims[place])[index]
        values = self.values(claim)
        fitting: set[int] = set()
        for mode in self.modes:
            others = np.delete(self.true(mode), place, axis=0).all(axis=0)
            kept = self.lawful.all(axis=0) & others & values[index].defined
            for other, (value, said) in enumerate(zip(values, printed(claim), strict=True)):
                if other != index:
                    kept &= self.as_printed(value, said, mode)
            fitting |= set(values[index].printed(places(text), mode)[kept].tolist())
        nearest = min((abs(number - units(text)) for number in fitting), default=None)
        return {as_text(number, places(text)) for number in fitting if abs(number - units(text)) == nearest}

    # From rows of cells to their place among the line lists

    def place(self, rows: Iterable[dict[str, str]]) -> int:
        """Which of the line lists these rows are, in whatever order and however their numbers are written."""
        known = {self._key(state): i for i, state in enumerate(self.states)}
        wanted = sorted(known[self._key(row)] for row in rows)
        (found,) = np.flatnonzero((self.lists == wanted).all(axis=1))
        return int(found)

    def _key(self, row: dict[str, str]) -> tuple:
        numbers = {name for name, column in self.columns.items() if column["type"] in ("integer", "decimal")}
        return tuple(Fraction(row[name]) if name in numbers and row[name] else row[name] for name in self.columns)

    def rows(self, place: int) -> list[dict[str, str]]:
        """The patients of a line list."""
        return [self.states[state] for state in self.lists[place]]


def read(text: str) -> dict:
    """The content of a claims text, every value a string."""
    return yaml.load(text, Loader=yaml.BaseLoader)


def cells_of(column: dict) -> list[str]:
    """Everything that a cell of a column, as written in a claims file, may hold."""
    if column["type"] in ("integer", "decimal"):
        step = Decimal(column.get("step", "1"))
        ends = Fraction(column["min"]) / Fraction(step), Fraction(column["max"]) / Fraction(step)
        cells = [str(step * k) for k in range(ceil(ends[0]), floor(ends[1]) + 1)]
    else:
        cells = ["no", "yes"] if column["type"] == "boolean" else list(column["values"])
    return cells + ([""] if column.get("blank") == "allowed" else [])


@lru_cache(maxsize=64)
def every_list(states: int, patients: int) -> np.ndarray:
    """Every choice of so many patients' states, whatever their order: one ascending row each."""
    return np.array(list(combinations_with_replacement(range(states), patients)))


def square_root(numbers: np.ndarray) -> np.ndarray:
    """The greatest whole numbers whose squares are at most these."""
    roots = np.sqrt(numbers).astype(np.int64)
    roots -= roots**2 > numbers
    return roots + ((roots + 1) ** 2 <= numbers)


def printed(claim: dict) -> list[str]:
    return claim["equals"] if isinstance(claim["equals"], list) else [claim["equals"]]


def places(text: str) -> int:
    """Decimal places of a printed number."""
    return len(text.partition(".")[2])


def units(text: str) -> int:
    """A printed number in units of its last place."""
    return int(Decimal(text).scaleb(places(text)))


def as_text(number: int, places: int) -> str:
    """The printed number of so many units of its last place."""
    return f"{Decimal(number).scaleb(-places):f}"


# Random problems


@dataclass(frozen=True)
class Problem:
    """A claims file's content, the rows that its numbers were printed from, and questions to ask of it."""

    seed: int
    said: dict
    truth: tuple[dict[str, str], ...]
    questions: tuple[dict, ...]

    @property
    def text(self) -> str:
        """As a claims file."""
        return as_yaml(self.said, random.Random(self.seed))

    def misprinted(self, everything: Exhaustion) -> Problem | None:
        """The same with one printed number changed; None if none is printed.

        To what another rounding mode makes of it, to what could be printed if nothing else were, or to a number near.
        """
        chance, said = random.Random(f"misprint {self.seed}"), copy.deepcopy(self.said)
        candidates = [(claim, i) for claim in said["claims"] if "equals" in claim for i in range(len(printed(claim)))]
        if not candidates:
            return None
        truth = everything.place(self.truth)

        def otherwise_rounded(claim: dict, index: int) -> list[int]:
            value, text = everything.values(claim)[index], printed(claim)[index]
            return sorted({int(value.printed(places(text), mode)[truth]) for mode in everything.modes} - {units(text)})

        claim, index = chance.choice([pair for pair in candidates if otherwise_rounded(*pair)] or candidates)
        if chance.random() < 0.5:
            claim, index = chance.choice(candidates)
        numbers = printed(claim)
        was, decimals = units(numbers[index]), places(numbers[index])
        value = everything.values(claim)[index]
        lawful = value.defined & everything.lawful.all(axis=0)
        possible = sorted(set(value.printed(decimals, everything.modes[0])[lawful].tolist()) - {was})
        near = [was + by for by in (-10, -3, -2, -1, -1, 1, 1, 2, 3, 10) if was + by >= 0 or was < 0]
        ways = [otherwise_rounded(claim, index), possible, possible, near]
        number = chance.choice(chance.choice([way for way in ways if way]))
        changed = [as_text(number, decimals) if i == index else text for i, text in enumerate(numbers)]
        claim["equals"] = sorted(changed, key=Fraction) if len(changed) > 1 else changed[0]
        return Problem(self.seed, said, self.truth, self.questions)


@cache
def problem(seed: int) -> Problem:
    """The random problem of a seed; in its `truth` every rule and claim holds."""
    chance = random.Random(seed)
    patients, columns = _patients_and_columns(chance)
    said = {"source": {"title": "A random problem"}, "patients": str(patients), "rounding": "any", "columns": columns}
    said |= {"rules": [], "claims": []}
    draw = _Draw(chance, columns)
    opinion = Exhaustion(said, lists=[])
    lawful = opinion.states
    for number in range(chance.choice([0, 0, 1, 2])):
        rule = {"id": f"rule-{number}", "if": draw.predicate(), "then": draw.predicate(), "why": "so it is"}
        kept = [s for s in lawful if not opinion.chosen(s, rule["if"]) or opinion.chosen(s, rule["then"])]
        if len(kept) > 1:
            lawful = kept
            said["rules"].append(rule)
    some = chance.sample(lawful, chance.randint(1, len(lawful)))
    truth = tuple(chance.choice(some) for _ in range(patients))
    mode = chance.choice([*HALVES, *HALVES, "truncate"])
    said["rounding"] = chance.choice(["any", "any", mode]) if mode in HALVES else mode
    one = Exhaustion(said, lists=[[opinion.states.index(row) for row in truth]])
    for number in range(chance.choice([1, 2, 3, 4, 6, 8, 10, 10])):
        claim = draw.question()
        values = one.values(claim)
        if values[0].defined[0]:
            said["claims"].append({"id": f"claim-{number}", **claim, **draw.saying(values, mode, claim["statistic"])})
    questions = tuple(draw.question(ends=False) for _ in range(chance.choice([2, 2, 3])))
    return Problem(seed, said, truth, questions)


def _patients_and_columns(chance: random.Random) -> tuple[int, dict]:
    while True:
        patients = chance.randint(3, 6)
        kinds = chance.sample(["category", "boolean", "integer", "decimal", "decimal"], chance.choice([2, 2, 3]))
        if not {"integer", "decimal"} & set(kinds):
            continue
        columns = {}
        for kind, name in zip(kinds, ("first", "second", "third"), strict=False):
            columns[{"category": "group", "boolean": "married"}.get(kind, name)] = _column(chance, kind)
        states = prod(len(cells_of(column)) for column in columns.values())
        if states >= 4 and comb(states + patients - 1, patients) <= MOST:
            return patients, columns


def _column(chance: random.Random, kind: str) -> dict:
    column: dict = {"type": kind}
    if kind == "category":
        column["values"] = ["A", "B", "not known"][: chance.choice([2, 2, 3])]
    elif kind != "boolean":
        step = Fraction(chance.choice(["0.5", "0.1", "0.2", "0.25", "0.01", "2.5"])) if kind == "decimal" else 1
        low, more = chance.choice([-2, 0, 0, 0, 1, 3, 37, 1000]), chance.choice([1, 2, 3, 4, 5, 7])
        # Ends that are no multiple of the step leave room for as many values less one.
        beside = chance.choice([0, 0, Fraction(1, 4)]) if kind == "decimal" else 0
        column["min"], column["max"] = (_decimal((end + beside) * step) for end in (low, low + more))
        if kind == "decimal":
            column["step"] = _decimal(step)
    if chance.random() < 0.25:
        column["blank"] = "allowed"
    return column


def _decimal(value: Fraction | int) -> str:
    value = Fraction(value)
    return str(Decimal(value.numerator) / Decimal(value.denominator))


class _Draw:
    """Draws predicates, questions and what is printed, in words of the columns."""

    def __init__(self, chance: random.Random, columns: dict):
        self.chance, self.columns = chance, columns
        self.numbers = [name for name, column in columns.items() if column["type"] in ("integer", "decimal")]
        self.asked: list[dict] = []

    def question(self, ends: bool = True) -> dict:
        """A statistic of some rows; only if `ends`, also a range."""
        names = ["count", "count", "percent", "percent", "median", "median", "mean", "mean", "min", "max", "sd"]
        statistic = self.chance.choice([*names, "range"] if ends else names)
        asked: dict = {"statistic": statistic}
        if self.chance.random() < 0.75 or statistic == "count":
            # Reports say several things of the same rows.
            again = self.asked and self.chance.random() < 0.5
            asked["rows"] = self.chance.choice(self.asked) if again else self.predicate()
            self.asked.append(asked["rows"])
        if statistic == "percent":
            asked["of"] = self.predicate()
        elif statistic != "count":
            asked["of"] = self.chance.choice(self.numbers)
        if statistic == "sd" and self.chance.random() < 0.6:
            asked["denominator"] = self.chance.choice(["n", "n-1"])
        return asked

    def predicate(self, deep: int = 2) -> dict:
        """One condition, or two together, some of them nested."""
        written: dict = {}
        for _ in range(self.chance.choice([1, 1, 1, 2])):
            draw = self.chance.random()
            if deep and draw < 0.12:
                written["not"] = self.predicate(deep - 1)
            elif deep and draw < 0.3:
                written["any_of"] = [self.predicate(deep - 1) for _ in range(self.chance.choice([1, 2, 2, 3]))]
            else:
                name = self.chance.choice(list(self.columns))
                written[name] = self._condition(name)
        return written

    def _condition(self, name: str) -> str | list | dict:
        chance, cells = self.chance, cells_of(self.columns[name])
        if name in self.numbers and chance.random() < 0.65:
            filled = [Decimal(cell) for cell in cells if cell]
            step = Decimal(self.columns[name].get("step", "1"))

            def end() -> str:  # on a value, between two, or beyond all
                return str(chance.choice(filled) + step * chance.choice([0, 0, 0, 0, Decimal("0.4"), -1, 1]))

            low, high = chance.choice(["at_least", "above"]), chance.choice(["at_most", "below"])
            return chance.choice([{low: end()}, {high: end()}, {low: end(), high: end()}])
        if chance.random() < 0.7:
            return chance.choice(cells)
        return chance.sample(cells, chance.randint(1, min(3, len(cells))))

    def saying(self, values: list[Values], mode: str, statistic: str) -> dict:
        """What a claim could print of these values of one line list: the numbers themselves, or a limit."""
        chance = self.chance
        decimals = chance.choice([0, 0, 0, 1] if statistic == "count" else [0, 1, 1, 2])
        ties = [d for d in (0, 1, 2) if any(v.printed(d, "half_up") != v.printed(d, "half_down") for v in values)]
        if ties and chance.random() < 0.6:
            decimals = chance.choice(ties)
        if len(values) > 1:
            return {"equals": [as_text(int(v.printed(decimals, mode)[0]), decimals) for v in values]}
        if chance.random() < 0.75:
            return {"equals": as_text(int(values[0].printed(decimals, mode)[0]), decimals)}
        low, high = chance.choice(["at_least", "above"]), chance.choice(["at_most", "below"])
        said = {}
        for limit, by in chance.choice([[(low, -1)], [(high, 1)], [(low, -1), (high, 1)]]):
            end = int(values[0].printed(decimals, "truncate")[0]) + by * chance.choice([-1, 0, 1, 2])
            while not values[0].within(limit, as_text(end, decimals))[0]:
                end += by
            said[limit] = as_text(end, decimals)
        return said


def as_yaml(said: dict, chance: random.Random) -> str:
    """A claims file with this content, one line to a column, rule or claim; quotes by chance where YAML needs none."""

    def inline(value: object) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key}: {inline(item)}" for key, item in value.items()) + "}"
        if isinstance(value, (list, tuple)):
            return "[" + ", ".join(map(inline, value)) + "]"
        return value if value and chance.random() < 0.5 else f'"{value}"'

    lines = [f"source: {inline(said['source'])}", f"patients: {said['patients']}", f"rounding: {said['rounding']}"]
    lines += ["columns:", *(f"  {name}: {inline(column)}" for name, column in said["columns"].items())]
    for part in ("rules", "claims"):
        if said[part]:
            lines += [f"{part}:", *(f"  - {inline(item)}" for item in said[part])]
        else:
            lines.append(f"{part}: []")
    return "\n".join(lines) + "\n"
