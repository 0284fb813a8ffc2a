"""A claims file: read, checked and compiled. The format is described in the README of each cohort that has one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fractions import Fraction
from functools import reduce
from operator import and_
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from blina.claims.printed import HALF_MODES, MODES, Interval, Printed
from blina.claims.statistics import STATISTICS, Of, Statistic
from blina.linelist.columns import NUMBER, Column
from blina.linelist.predicate import LIMITS, Predicate, PredicateError, compile_predicate
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
class Claim:
    """One printed number (two for a range): where it stands and what it is a statistic of."""

    id: str
    where: str
    statistic: Statistic
    rows: Predicate
    of: Of
    words: str
    equals: tuple[Printed, ...] = ()
    limits: tuple[tuple[str, str], ...] = ()  # (at_least | at_most | above | below, printed)
    reading: str | None = None

    def intervals(self, *modes: str) -> tuple[Interval, ...]:
        """For each of its values, the exact values that agree with what is printed under every one of the modes."""
        if self.equals:
            return tuple(reduce(and_, (printed.admits(mode) for mode in modes)) for printed in self.equals)
        ends = {key: Fraction(text) for key, text in self.limits}
        low, high = ends.get("at_least", ends.get("above")), ends.get("at_most", ends.get("below"))
        return (Interval(low, high, "above" not in ends, "below" not in ends),)

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
            known = ", ".join(r.id for r in self.readings) or "none"
            raise FileError(f"there is no reading {unknown[0]}; the readings are {known}")
        kept = {part: tuple(x for x in getattr(self, part) if x.reading not in dropped) for part in ("rules", "claims")}
        return replace(self, **kept)

    @property
    def printed_numbers(self) -> int:
        """How many printed numbers the claims cover; a limit states something without printing a number."""
        return sum(len(claim.equals) for claim in self.claims)


def load_claims(path: Path) -> Document:
    """The document of a claims file. FileError (file, line, what to write instead) where it cannot be meant."""
    return compile_document(load_yaml(path, "claims file"))


def compile_document(typed: Typed) -> Document:
    """The document of a claims text already read as YAML."""
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
        rules=tuple(_rule(typed, columns, i, rule) for i, rule in enumerate(part.rules)),
        claims=tuple(_claim(typed, columns, i, claim) for i, claim in enumerate(part.claims)),
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


def _predicate(typed: Typed, columns: dict[str, Column], path: tuple, written: dict) -> Predicate:
    try:
        return compile_predicate(written, columns)
    except PredicateError as error:
        raise typed.error((*path, *error.path), str(error)) from None


def _rule(typed: Typed, columns: dict[str, Column], index: int, part: _RulePart) -> PatientRule:
    when = _predicate(typed, columns, ("rules", index, "if"), part.when)
    then = _predicate(typed, columns, ("rules", index, "then"), part.then)
    return PatientRule(part.id, when, then, part.why, part.reading)


def _claim(typed: Typed, columns: dict[str, Column], index: int, part: _ClaimPart) -> Claim:
    path = ("claims", index)
    statistic = STATISTICS.get(part.statistic)
    if statistic is None:
        near = get_close_matches(part.statistic, STATISTICS, 1)
        hint = f"did you mean {near[0]}?" if near else f"write one of {', '.join(STATISTICS)}"
        raise typed.error((*path, "statistic"), f"claim {part.id}: there is no statistic {part.statistic}; {hint}")
    of = _of(typed, columns, path, part, statistic)
    limits = tuple((key, value) for key in LIMITS if (value := getattr(part, key)) is not None)
    return Claim(
        id=part.id,
        where=part.where,
        statistic=statistic,
        rows=_predicate(typed, columns, (*path, "rows"), part.rows),
        of=of,
        words=_words(part),
        equals=_equals(typed, path, part, statistic, limits),
        limits=limits,
        reading=part.reading,
    )


def _of(typed: Typed, columns: dict[str, Column], path: tuple, part: _ClaimPart, statistic: Statistic) -> Of:
    here, name = (*path, "of"), f"claim {part.id}: {part.statistic}"
    if statistic.of == "nothing":
        if part.of is not None:
            raise typed.error(here, f"{name} takes no of; put the condition under rows")
        return None
    if statistic.of == "predicate":
        if not isinstance(part.of, dict):
            raise typed.error(here, f"{name} needs of: the rows that are counted, as in of: {{sex: female}}")
        return _predicate(typed, columns, here, part.of)
    if not isinstance(part.of, str) or part.of not in columns or not columns[part.of].is_number:
        numbers = ", ".join(name for name, column in columns.items() if column.is_number) or "none"
        raise typed.error(here, f"{name} needs of: a number column ({numbers})")
    return columns[part.of]


_OPPOSITES = (("at_least", "above"), ("at_most", "below"))  # two ways to give the lower limit, and the upper one


def _equals(typed: Typed, path: tuple, part: _ClaimPart, statistic: Statistic, limits: tuple) -> tuple[Printed, ...]:
    if (part.equals is None) == (not limits):
        raise typed.error(path, f"claim {part.id}: give either equals or limits ({', '.join(LIMITS)})")
    for key, text in [("equals", text) for text in part.equals or []] + list(limits):
        try:
            Printed(text)
        except (TypeError, ValueError):
            raise typed.error((*path, key), f"claim {part.id}: {text!r} is not a printed number such as 72.2") from None
    for one, other in _OPPOSITES:
        if one in dict(limits) and other in dict(limits):
            raise typed.error((*path, other), f"claim {part.id}: give {one} or {other}, not both")
    low, high = (next((Fraction(v) for k, v in limits if k in pair), None) for pair in _OPPOSITES)
    if low is not None and high is not None and low > high:
        raise typed.error(path, f"claim {part.id}: no number lies within these limits; swap them")
    wanted = statistic.numbers
    if limits and wanted != 1:
        raise typed.error(path, f"claim {part.id}: {part.statistic} takes equals: two printed numbers")
    if part.equals is not None and len(part.equals) != wanted:
        example = '["0.6", "16.4"]' if wanted == 2 else '"72.2"'
        raise typed.error((*path, "equals"), f"claim {part.id}: write equals: {example}, {wanted} in all")
    if part.equals and wanted == 2 and Fraction(part.equals[0]) > Fraction(part.equals[1]):
        raise typed.error((*path, "equals"), f"claim {part.id}: the ends of the range are swapped")
    return tuple(Printed(text) for text in part.equals or [])


def _words(part: _ClaimPart) -> str:
    whom = describe(part.rows) or "all patients"
    if part.of is None:
        return f"{part.statistic}: {whom}"
    return f"{part.statistic} of {part.of if isinstance(part.of, str) else describe(part.of)}: {whom}"


_SHAPES = {
    "dict_type": "columns and values, as in {group: MC, sex: female}",
    "model_type": "keys and their values, one key to a line",
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
        near = get_close_matches(key, _keys(path), 1)
        return typed.error(path, f"{key} is not known here; " + (f"did you mean {near[0]}?" if near else "remove it"))
    if first["type"] in _SHAPES:
        shape = "a column, or columns and values as in {sex: female}" if key == "of" else _SHAPES[first["type"]]
        return typed.error(path, f"{key} takes {shape}")
    return typed.error(path, f"{key}: {first['msg'][0].lower()}{first['msg'][1:]}")


def _keys(path: tuple) -> list[str]:
    part: type[BaseModel] = _DocumentPart
    if len(path) > 1:
        kinds = {"columns": _ColumnPart, "rules": _RulePart, "claims": _ClaimPart, "readings": Reading}
        part = {**kinds, "source": Source}.get(str(path[0]), _DocumentPart)
    return [field.alias or name for name, field in part.model_fields.items()]
