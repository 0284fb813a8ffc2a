"""A claims file: read, checked and compiled. The README describes the format in "Check another report"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fractions import Fraction
from functools import cached_property, reduce
from math import ceil, floor
from operator import and_, getitem
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from blina.claims.partition import atoms, elementary, profiles
from blina.claims.printed import HALF_MODES, MODES, Interval, Printed
from blina.claims.statistics import DENOMINATORS, STATISTICS, Of, Sd, Statistic
from blina.linelist.columns import NUMBER, Column
from blina.linelist.predicate import (
    LIMITS,
    AllOf,
    AnyOf,
    Not,
    Predicate,
    PredicateError,
    Within,
    compile_predicate,
)
from blina.yamlfile import FileError, Typed, load_yaml

MOST_STEPS = 10**12  # a solver adds such numbers up over all patients, in 64 bits


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Part):
    """The document that prints the claims."""

    title: str
    doi: str | None = None
    note: str | None = None


class Reading(_Part):
    """A choice where the text is ambiguous."""

    id: str
    question: str
    choice: str
    because: str
    alternatives: list[str] = Field(min_length=1)


class _ColumnPart(_Part):
    type: Literal["category", "boolean", "integer", "decimal"]
    values: list[str] = []
    min: str | None = None
    max: str | None = None
    step: str = "1"
    unit: str = ""
    blank: Literal["allowed", "never"] = "never"
    meaning: str = ""


class _RulePart(_Part):
    id: str
    when: dict = Field(alias="if")
    then: dict
    why: str
    reading: str | None = None


class _ClaimPart(_Part):
    id: str
    where: str = ""
    statistic: str
    rows: dict = {}
    of: dict | str | None = None
    denominator: Literal["n", "n-1"] | None = None
    equals: Annotated[list[str], BeforeValidator(lambda v: v if isinstance(v, list) else [v])] | None = None
    at_least: str | None = None
    at_most: str | None = None
    above: str | None = None
    below: str | None = None
    reading: str | None = None
    note: str = ""


class _DocumentPart(_Part):
    source: Source
    patients: int = Field(ge=1)
    rounding: Literal["any", *MODES] = "any"  # type: ignore[valid-type]
    columns: dict[str, _ColumnPart]
    rules: list[_RulePart] = []
    claims: list[_ClaimPart] = []
    readings: list[Reading] = []


@dataclass(frozen=True)
class PatientRule:
    """True of every patient, though not printed: where `when` holds, `then` does."""

    id: str
    when: Predicate
    then: Predicate
    why: str
    reading: str | None = None


@dataclass(frozen=True)
class Question:
    """A statistic of some rows, whatever its value."""

    statistic: Statistic
    rows: Predicate
    of: Of
    words: str


@dataclass(frozen=True)
class Claim(Question):
    """One printed number (two for a range): where it stands and what it is a statistic of."""

    id: str
    where: str
    equals: tuple[Printed, ...] = ()
    limits: tuple[tuple[str, str], ...] = ()  # (at_least | at_most | above | below, printed)
    reading: str | None = None

    def intervals(self, *modes: str) -> tuple[Interval, ...]:
        """For each of its values, the exact values that agree with what is printed under every one of the modes."""
        if modes not in self._intervals:  # asked again for every line list that is checked
            if self.equals:
                printed = [reduce(and_, (number.admits(mode) for mode in modes)) for number in self.equals]
            else:
                printed = [_between(self.limits)]
            self._intervals[modes] = tuple(map(self.statistic.interval, printed))
        return self._intervals[modes]

    @cached_property
    def _intervals(self) -> dict[tuple[str, ...], tuple[Interval, ...]]:
        return {}

    @property
    def printed(self) -> str:
        """What the report prints, as a reader would write it."""
        if self.equals:
            return " to ".join(printed.text for printed in self.equals)
        return " and ".join(f"{key.replace('_', ' ')} {text}" for key, text in self.limits)

    @property
    def places(self) -> tuple[int, ...]:
        """Decimal places of each printed number."""
        return tuple(Printed(text).places for text in self.printed_numbers)

    @property
    def printed_numbers(self) -> tuple[str, ...]:
        return tuple(p.text for p in self.equals) or tuple(text for _, text in self.limits)


@dataclass(frozen=True)
class Document:
    """Everything a claims file says, ready to be checked on a line list or given to the solver."""

    source: Source
    patients: int
    modes: tuple[str, ...]  # rounding modes the document may have used
    columns: dict[str, Column]
    rules: tuple[PatientRule, ...]
    claims: tuple[Claim, ...]
    readings: tuple[Reading, ...]

    def without(self, readings: Iterable[str]) -> Document:
        """The document less every rule and claim that rests on one of these readings; FileError for an unknown one."""
        dropped = set(readings)
        if unknown := sorted(dropped - {r.id for r in self.readings}):
            known = ", ".join(r.id for r in self.readings)
            those = f"the readings are {known}" if known else "this claims file has none"
            raise FileError(f"there is no reading {unknown[0]}; {those}")
        kept = {part: tuple(x for x in getattr(self, part) if x.reading not in dropped) for part in ("rules", "claims")}
        return replace(self, **kept)

    def question(
        self,
        statistic: str,
        rows: Mapping | None = None,
        of: Mapping | str | None = None,
        denominator: str | None = None,
    ) -> Question:
        """What a claim with this statistic, `rows`, `of` and `denominator`, as in a claims file, would be about.

        FileError where it cannot be meant.
        """
        try:
            return _question(self.columns, statistic, rows or {}, of, denominator)
        except PredicateError as error:
            raise FileError(f"{error.path[0]}: {error}") from None

    @property
    def printed_numbers(self) -> int:
        """How many printed numbers the claims cover; a limit states something without printing a number."""
        return sum(len(claim.equals) for claim in self.claims)


def load_claims(path: Path) -> Document:
    """The document of a claims file. FileError (file, line, what to write instead) where it cannot be meant."""
    return compile_document(load_yaml(path, "claims file"))


def compile_document(typed: Typed, strict: bool = True) -> Document:
    """The document of a claims text already read as YAML.

    If `strict`, it also refuses what could be judged but hardly be meant: a condition that no value of its column can
    meet, rows among which nobody can ever be, a printed number that no value of the column prints as.
    """
    try:
        part = _DocumentPart.model_validate(typed.content)
    except ValidationError as error:
        raise _explain(typed, error) from None
    columns = {name: _column(typed, name, column) for name, column in part.columns.items()}
    readings = {reading.id for reading in part.readings}
    # Verdicts are named by id, whether they are of a claim, a rule or the number of patients.
    verdicts = {"patients": ("patients",)}
    for section, items, seen in (("rules", part.rules, verdicts), ("claims", part.claims, verdicts),
                                 ("readings", part.readings, {})):  # fmt: skip
        _check_ids(typed, section, items, seen, readings)
    return Document(
        source=part.source,
        patients=part.patients,
        modes=HALF_MODES if part.rounding == "any" else (part.rounding,),
        columns=columns,
        rules=tuple(_rule(typed, columns, i, rule, strict) for i, rule in enumerate(part.rules)),
        claims=tuple(_claim(typed, columns, i, claim, strict) for i, claim in enumerate(part.claims)),
        readings=tuple(part.readings),
    )


def describe(written: Mapping) -> str:
    """A predicate in words: `group MC and age at least 15`."""
    parts = []
    for key, value in written.items():
        if key == "any_of":
            parts.append("(" + " or ".join(describe(item) for item in value) + ")")
        elif key == "not":
            parts.append(f"not ({describe(value)})")
        elif isinstance(value, Mapping):
            parts.append(f"{key} " + " and ".join(f"{k.replace('_', ' ')} {v}" for k, v in value.items()))
        else:
            words = value if isinstance(value, list) else [value]
            parts.append(f"{key} " + " or ".join(word or "blank" for word in words))
    return " and ".join(parts)


def _column(typed: Typed, name: str, part: _ColumnPart) -> Column:
    path = ("columns", name)
    if part.type == "category" and len(set(part.values)) < max(1, len(part.values)):
        raise typed.error(path, f"column {name} is a category: list its different values, as in values: [A, B]")
    if part.type in ("integer", "decimal"):
        for key in ("min", "max", "step"):
            if not NUMBER.fullmatch(getattr(part, key) or ""):
                raise typed.error((*path, key), f"column {name} holds numbers: give it a number as {key}")
        if Fraction(part.step) <= 0 or part.type == "integer" and part.step != "1":
            raise typed.error((*path, "step"), f"column {name}: the step is a number above 0, and 1 for an integer")
        if Fraction(part.min) > Fraction(part.max):
            raise typed.error(path, f"column {name}: min {part.min} is above max {part.max}; swap them")
    rest = part.model_dump(exclude={"values", "blank", "type"})
    column = Column(name, part.type, tuple(part.values), blank=part.blank == "allowed", **rest)
    if not column.lowest <= column.highest:
        raise typed.error(path, f"column {name}: no multiple of {part.step} lies between min and max; widen them")
    if max(-column.lowest, column.highest) > MOST_STEPS:
        raise typed.error(path, f"column {name}: more than {MOST_STEPS} steps away from 0; narrow it or widen the step")
    return column


def _check_ids(typed: Typed, section: str, items: list, seen: dict[str, tuple], readings: set[str]) -> None:
    for index, item in enumerate(items):
        if item.id in seen:
            first = typed.line(seen[item.id])
            raise typed.error((section, index, "id"), f"id {item.id} stands already in line {first}; choose another")
        seen[item.id] = (section, index, "id")
        if getattr(item, "reading", None) and item.reading not in readings:
            raise typed.error((section, index, "reading"), f"there is no reading {item.reading}; add it under readings")


def _rule(typed: Typed, columns: dict[str, Column], index: int, part: _RulePart, strict: bool) -> PatientRule:
    try:
        when, then = (_within(key, said, columns, strict) for key, said in (("if", part.when), ("then", part.then)))
    except PredicateError as error:
        raise typed.error(("rules", index, *error.path), f"rule {part.id}: {error}") from None
    return PatientRule(part.id, when, then, part.why, part.reading)


def _claim(typed: Typed, columns: dict[str, Column], index: int, part: _ClaimPart, strict: bool) -> Claim:
    path = ("claims", index)
    try:
        asked = _question(columns, part.statistic, part.rows, part.of, part.denominator, strict)
        if strict:
            _check_scope(columns, asked, part)
    except PredicateError as error:
        raise typed.error((*path, *error.path), f"claim {part.id}: {error}") from None
    limits = tuple((key, value) for key in LIMITS if (value := getattr(part, key)) is not None)
    equals = _equals(typed, path, part, asked.statistic, limits)
    for i, printed in enumerate(equals if strict else ()):
        if impossible := _impossible(asked.statistic, asked.of, printed):
            raise typed.error((*path, "equals", i), f"claim {part.id}: {impossible}")
    return Claim(**vars(asked), id=part.id, where=part.where, equals=equals, limits=limits, reading=part.reading)


_OTHER_NAMES = {name: name for name in STATISTICS} | {
    "average": "mean", "avg": "mean", "std": "sd", "stdev": "sd", "standard deviation": "sd", "minimum": "min",
    "maximum": "max", "n": "count", "number": "count", "percentage": "percent", "proportion": "percent", "%": "percent",
}  # fmt: skip


def _question(
    columns: dict[str, Column],
    name: str,
    rows: Mapping,
    of: Mapping | str | None,
    denominator: str | None = None,
    strict: bool = False,
) -> Question:
    """PredicateError, with the path within the claim, where it cannot be meant."""
    statistic = STATISTICS.get(name)
    if statistic is None:
        other = _OTHER_NAMES.get(name.lower())
        near = [other] if other else get_close_matches(name, STATISTICS, 1)
        hint = f"did you mean {near[0]}?" if near else f"write one of {', '.join(STATISTICS)}"
        raise PredicateError(("statistic",), f"there is no statistic {name}; {hint}")
    if denominator is not None:
        if not isinstance(statistic, Sd):
            raise PredicateError(("denominator",), f"{name} has no denominator to choose, only sd has; remove it")
        if denominator not in DENOMINATORS:
            raise PredicateError(("denominator",), f"write the denominator of sd as {' or '.join(DENOMINATORS)}")
        statistic = DENOMINATORS[denominator]
    compiled = _of(columns, statistic, of, strict)
    whom = _within("rows", rows, columns, strict)
    words = describe(rows) or "all patients"
    if of is not None:
        words = f"of {of if isinstance(of, str) else describe(of)}: {words}"
    return Question(statistic, whom, compiled, f"{statistic.label}{' ' if of is not None else ': '}{words}")


def _of(columns: dict[str, Column], statistic: Statistic, of: Mapping | str | None, strict: bool) -> Of:
    if statistic.of == "nothing":
        if of is not None:
            raise PredicateError(("of",), f"{statistic.name} takes no of; put the condition under rows")
        return None
    if statistic.of == "predicate":
        if not isinstance(of, Mapping):
            raise PredicateError(
                ("of",), f"{statistic.name} needs of: the rows that are counted, as in of: {{sex: female}}"
            )
        return _within("of", of, columns, strict)
    if not isinstance(of, str) or of not in columns or not columns[of].is_number:
        numbers = [name for name, column in columns.items() if column.is_number]
        near = get_close_matches(of, numbers, 1) if isinstance(of, str) else []
        hint = f"; did you mean {near[0]}?" if near else ""
        raise PredicateError(
            ("of",), f"{statistic.name} needs of: a number column ({', '.join(numbers) or 'none'}){hint}"
        )
    return columns[of]


def _within(key: str, written: Mapping, columns: dict[str, Column], strict: bool) -> Predicate:
    try:
        predicate = compile_predicate(written, columns)
        if strict:
            _check_conditions(written, columns, ())
        return predicate
    except PredicateError as error:
        raise PredicateError((key, *error.path), str(error)) from None


# What could be judged but hardly be meant


def _check_conditions(written: Mapping, columns: dict[str, Column], path: tuple) -> None:
    """PredicateError for a condition on one column that none of its values meets."""
    for key, value in written.items():
        here = (*path, key)
        if key == "any_of":
            for i, item in enumerate(value):
                _check_conditions(item, columns, (*here, i))
        elif key == "not":
            _check_conditions(value, columns, here)
        else:
            column = columns[key]
            for one in value if isinstance(value, list) else [value]:
                if _can_hold(compile_predicate({key: one}, columns), columns):
                    continue
                said = describe({key: one}).removeprefix(f"{key} ")
                if isinstance(one, Mapping) and all(
                    _can_hold(compile_predicate({key: {limit: end}}, columns), columns) for limit, end in one.items()
                ):
                    raise PredicateError(
                        here, f"no {key} is {said} at once; swap the limits, or write any_of for either"
                    )
                raise PredicateError(here, f"{key} is never {said}; it is {column.allowed}")


def _check_scope(columns: dict[str, Column], asked: Question, part: _ClaimPart) -> None:
    """PredicateError where nobody can be among the rows, or be what they are asked for, whatever the patients."""
    rows = describe(part.rows)
    if not _can_hold(asked.rows, columns):
        raise PredicateError(("rows",), f"nobody can be among these rows ({rows}): two conditions exclude each other")
    if asked.statistic.of == "predicate" and not _can_hold(asked.of, columns):
        raise PredicateError(("of",), f"nobody can be {describe(part.of)}: two conditions exclude each other")
    if asked.statistic.of == "number" and asked.of.blank:
        filled = Not(Within(asked.of.name, codes=frozenset(), blank=True))
        if not _can_hold(AllOf((asked.rows, filled)), columns):
            raise PredicateError(("rows",), f"{asked.of.name} is always blank among these rows ({rows})")


def _can_hold(predicate: Predicate, columns: dict[str, Column]) -> bool:
    """Whether some patient could satisfy the predicate, by the declarations of the columns alone."""
    names = sorted(predicate.column_names())
    if isinstance(predicate, AnyOf):
        return any(_can_hold(part, columns) for part in predicate.parts)
    if isinstance(predicate, AllOf) and sum(len(part.column_names()) for part in predicate.parts) == len(names):
        return all(_can_hold(part, columns) for part in predicate.parts)  # each speaks of columns of its own
    conditions = list(elementary(predicate))
    cut = {name: atoms(columns[name], [c for c in conditions if c.column == name]) for name in names}
    try:
        everybody = profiles({name: columns[name] for name in names}, cut)
    except FileError:  # too many combinations to look through; the solver will say
        return True
    return bool(predicate.holds(everybody.table).any())


def _impossible(statistic: Statistic, of: Of, printed: Printed) -> str | None:
    """Why the statistic never prints so under any rounding mode; None if it may."""
    admitted = [statistic.interval(printed.admits(mode)) & statistic.possible for mode in MODES]
    if all(interval.is_empty for interval in admitted):
        ends = "0 or more" if statistic.possible.high is None else f"from 0 to {statistic.possible.high}"
        return f"{statistic.name} {printed.text} cannot be; it is {ends}"
    grid = statistic.grid(of)
    if grid is None:
        return None
    step, least, greatest = grid
    steps = [(max(low, least), high if greatest is None else min(high, greatest))
             for low, high in (interval.integers(step) for interval in admitted)]  # fmt: skip
    if any(low <= high for low, high in steps):
        return None
    if not isinstance(of, Column):
        return f"{statistic.name} {printed.text} cannot be; it is a whole number"
    below, above = floor(printed.value / step), ceil(printed.value / step)
    codes = [c for c in (below, above) if least <= c <= greatest] or [least if above < least else greatest]
    near = f"the nearest {'is' if len(codes) == 1 else 'are'} {' and '.join(map(of.text, codes))}"
    return f"no {of.name} prints as {printed.text}, {near}; correct it, or the column's min, max or step"


_OPPOSITES = (("at_least", "above"), ("at_most", "below"))  # two ways to give the lower limit, and the upper one


def _equals(typed: Typed, path: tuple, part: _ClaimPart, statistic: Statistic, limits: tuple) -> tuple[Printed, ...]:
    if (part.equals is None) == (not limits):
        raise typed.error(path, f"claim {part.id}: give either equals or limits ({', '.join(LIMITS)})")
    for key, text in [("equals", text) for text in part.equals or []] + list(limits):
        try:
            Printed(text)
        except (TypeError, ValueError):
            said = f"{text!r} is not a printed number such as 72.2; write its digits alone, with a point for decimals"
            raise typed.error((*path, key), f"claim {part.id}: {said}") from None
    for one, other in _OPPOSITES:
        if one in dict(limits) and other in dict(limits):
            raise typed.error((*path, other), f"claim {part.id}: give {one} or {other}, not both")
    if limits and _between(limits).is_empty:
        raise typed.error(path, f"claim {part.id}: no number lies within these limits; swap them")
    wanted = statistic.numbers
    if limits and wanted != 1:
        said = 'has two ends; write both, as in equals: ["0.6", "16.4"], or one as a min or a max'
        raise typed.error(path, f"claim {part.id}: {part.statistic} {said}")
    if part.equals is not None and len(part.equals) != wanted:
        said = (
            'two numbers; write both ends, as in equals: ["0.6", "16.4"]'
            if wanted == 2
            else 'one number; write it as in equals: "72.2"'
        )
        raise typed.error((*path, "equals"), f"claim {part.id}: {part.statistic} is {said}")
    if part.equals and wanted == 2 and Fraction(part.equals[0]) > Fraction(part.equals[1]):
        low, high = reversed(part.equals)
        said = f'the ends of the range are swapped; write equals: ["{low}", "{high}"]'
        raise typed.error((*path, "equals"), f"claim {part.id}: {said}")
    return tuple(Printed(text) for text in part.equals or [])


def _between(limits: tuple[tuple[str, str], ...]) -> Interval:
    ends = {key: Fraction(text) for key, text in limits}
    low, high = ends.get("at_least", ends.get("above")), ends.get("at_most", ends.get("below"))
    return Interval(low, high, "above" not in ends, "below" not in ends)


_EXAMPLES = {
    "source": "{title: Blinatumomab in 28 children}",
    "columns": "{type: integer, min: 0, max: 120}",
    "rules": "{id: r1, if: {married: yes}, then: {age: {at_least: 15}}, why: law}",
    "claims": '{id: n, statistic: count, equals: "28"}',
    "readings": "{id: R1, question: ..., choice: ..., because: ..., alternatives: [...]}",
}
_SHAPES = {
    "dict_type": "columns and values, as in {group: MC, sex: female}",
    "model_type": "keys and their values",
    "list_type": "a list, each entry after a dash",
    "string_type": "a plain word or number",
    "int_parsing": "a whole number",
    "too_short": "at least one entry",
}


def _explain(typed: Typed, error: ValidationError) -> FileError:
    """The first thing pydantic found (a misspelt key before the one that it should be), in words for the author."""
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    path = tuple(first["loc"])
    if first["type"] not in ("missing", "extra_forbidden"):
        while path and path not in typed.lines:  # pydantic names the types that it tried, and lists that it made
            path = path[:-1]
    key = str(next((part for part in reversed(path) if isinstance(part, str)), "the file"))
    if first["type"] == "missing":
        return typed.error(path[:-1], f"{key} is missing here; add it")
    if first["type"] == "extra_forbidden":
        known, given = _keys(path), reduce(getitem, path[:-1], typed.content)
        near = get_close_matches(key, [other for other in known if other not in given], 1)
        hint = f"did you mean {near[0]}?" if near else f"the keys here are {', '.join(known)}"
        if given[path[-1]] == "":  # as in {where: Methods, 1}
            hint = "put a text that has a comma in quotation marks"
        return typed.error(path, f"{key} is not known here; {hint}")
    if first["type"] in _SHAPES:
        shape = "a column, or columns and values as in {sex: female}" if key == "of" else _SHAPES[first["type"]]
        if first["type"] == "model_type":
            shape += (
                f", as in {_EXAMPLES[path[0]]}"
                if path and path[0] in _EXAMPLES
                else " (source, patients, columns, claims)"
            )
        return typed.error(path, f"{key} takes {shape}")
    return typed.error(path, f"{key}: {first['msg'][0].lower()}{first['msg'][1:]}")


def _keys(path: tuple) -> list[str]:
    part: type[BaseModel] = _DocumentPart
    if len(path) > 1:
        kinds = {"columns": _ColumnPart, "rules": _RulePart, "claims": _ClaimPart, "readings": Reading}
        part = {**kinds, "source": Source}.get(str(path[0]), _DocumentPart)
    return [field.alias or name for name, field in part.model_fields.items()]
