"""Questions in the language of claims files: put together, narrowed to some rows, and named by their text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import yaml

from blina.linelist.columns import COLUMNS

Rows = Mapping[str, object]  # which patients: a predicate as claims files write it
NOBODY: Rows = {"not": {}}  # no patient, whoever they are

_ORDER = {column.name: place for place, column in enumerate(COLUMNS)}
_LAST = len(_ORDER)


@dataclass(frozen=True, eq=False)
class Asked:
    """A question with one number for an answer. It is known by its texts, its `key`.

    statistic: its name in claims files; rows: whom it is about; of: what is counted (a predicate),
    what is measured (a column), or nothing.
    """

    statistic: str
    rows: Rows
    of: Rows | str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Statistic, `rows` and `of`, each in one line of YAML; equal for questions with equal texts."""
        if isinstance(self.of, str):
            return self.statistic, flow_text(self.rows), self.of
        of = flow_text(self.of) if self.of else ""
        return self.statistic, flow_text(self.rows), of

    @property
    def part(self) -> Asked:
        """Of a percentage: how many are counted."""
        return Asked("count", both(self.rows, self.of))

    @property
    def whole(self) -> Asked:
        """Among how many it is taken; of a number column, patients with a blank cell included."""
        return Asked("count", self.rows)

    @property
    def words(self) -> str:
        """The question in one line, as an error message names it."""
        statistic, rows, of = self.key
        what = f"{of} over " if of else ""
        return f"the {statistic} of {what}{rows}"


@dataclass(frozen=True, eq=False)
class Total:
    """The sum of a column that is never blank, with `each` more for every patient: number times mean."""

    rows: Rows
    of: str
    each: int = 0

    @property
    def number(self) -> Asked:
        return Asked("count", self.rows)

    @property
    def mean(self) -> Asked:
        return Asked("mean", self.rows, self.of)


def both(*parts: Rows | None) -> dict[str, object]:
    """The rows that are among each of these; conditions on one column are narrowed to those in common.

    >>> both({"group": "MC"}, {"sex": ["male", "female"]}, {"sex": "male"})
    {'group': 'MC', 'sex': 'male'}
    """
    joined: dict[str, object] = {}
    for part in parts:
        aside: dict[str, object] = {}
        for key, value in (part or {}).items():
            common = _common(joined[key], value) if key in joined else value
            if common is None:
                aside[key] = value
            else:
                joined[key] = common
        if aside:
            _nest(joined, aside)
    return joined


def _nest(joined: dict[str, object], aside: Rows) -> None:
    """Add a condition that cannot stand beside the others: an `any_of` with one entry says the same."""
    if "any_of" not in joined:
        joined["any_of"] = [aside]
        return
    joined["any_of"] = [both(entry, aside) for entry in joined["any_of"]]


def _common(one: object, other: object) -> object:
    """What two conditions on a column have in common; None where one condition cannot say that."""
    if one == other:
        return one
    if isinstance(one, Mapping) or isinstance(other, Mapping):
        return None
    words = one if isinstance(one, list) else [one]
    others = other if isinstance(other, list) else [other]
    if any(isinstance(word, Mapping) for word in [*words, *others]):
        return None
    same = [word for word in words if word in others]
    if not same:
        return None
    return same[0] if len(same) == 1 else same


class _Plain(yaml.SafeDumper):
    """Writes YAML as claims files do, in which every word is text: no quotation marks around yes and 7."""

    yaml_implicit_resolvers: dict = {}

    def ignore_aliases(self, data: object) -> bool:
        return True


def flow_text(rows: Rows) -> str:
    """Rows in one line of YAML, columns in the order of the line list.

    >>> flow_text({"sex": "male", "group": "MC"})
    '{group: MC, sex: male}'
    """
    ordered = sorted(rows.items(), key=lambda item: _ORDER.get(item[0], _LAST))
    pairs = [f"{_scalar_text(key)}: {_value_text(value)}" for key, value in ordered]
    return f"{{{', '.join(pairs)}}}"


def _value_text(value: object) -> str:
    """A condition in one line of YAML; the conditions of one column in the order in which they stand."""
    if isinstance(value, Mapping):
        return flow_text(value)
    if isinstance(value, list):
        return f"[{', '.join(_value_text(entry) for entry in value)}]"
    return _scalar_text(str(value))


@cache
def _scalar_text(text: str) -> str:
    """A word as YAML writes it within a line: in quotation marks only where it needs them."""
    written = yaml.dump([text], Dumper=_Plain, default_flow_style=True, width=10**6, allow_unicode=True)
    return written.strip()[1:-1]
