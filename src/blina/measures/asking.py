"""Questions that a reader puts to a report, declared in `questions.yaml` beside its claims."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from blina.claims.document import Document
from blina.linelist.cohort import Cohort
from blina.measures.language import Asked, Rows, Total, both
from blina.yamlfile import FileError, Typed, load_yaml

QUESTIONS_FILE = "questions.yaml"
UNITS = {  # in the order of tables and figures
    "patients": "number of patients",
    "months": "months from diagnosis to first infusion",
    "percent": "MRD before treatment (%)",
    "cycles": "cycles",
    "days": "days of infusion in cycle 1",
    "years": "age (years)",
}
_AFTER_WORDS = {"months": ", months", "percent": ", %", "years": ", years"}  # units that the words leave out


@dataclass(frozen=True)
class Declared:
    """A number that a reader may want to know: whose (`group`), what (`words`), in which unit, and the question.

    `whole`: of a number of patients, among how many they are counted. `place`: file and line where it is written.
    """

    group: str
    words: str
    unit: str
    asked: Asked | Total
    whole: Asked | None = None
    place: str = field(default="", compare=False)

    @property
    def key(self) -> tuple[str, str]:
        return self.group, self.words

    @property
    def what(self) -> str:
        """The words with the unit, for a table in which units change from row to row."""
        return self.words + _AFTER_WORDS.get(self.unit, "")


class _Written(BaseModel):
    """A question as it is written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str
    words: str
    unit: Literal["patients", "months", "percent", "cycles", "days", "years"] = "patients"
    statistic: Literal["count", "median", "mean", "min", "max", "sum"] = "count"
    rows: dict = {}
    of: dict | str
    each: int = 0


def declared(cohort: Cohort) -> tuple[Declared, ...]:
    """The questions of a cohort's `questions.yaml`, none without one.

    FileError (file, line, what to write instead) where a question cannot be meant.
    """
    path = cohort.folder / QUESTIONS_FILE
    if not path.exists():
        return ()
    typed = load_yaml(path, "file of questions")
    if not isinstance(typed.content, Mapping) or [*typed.content] != ["questions"]:
        raise typed.error((), "a file of questions holds the key questions, and a list under it")
    if not isinstance(typed.content["questions"], list):
        raise typed.error(("questions",), "questions takes a list, one question in a line")
    found: dict[tuple[str, str], Declared] = {}
    for place, content in enumerate(typed.content["questions"]):
        question = _question(typed, place, content)
        if question.key in found:
            said = f"{question.group} is asked twice for {question.words!r}; use other words"
            raise typed.error(("questions", place), said)
        found[question.key] = question
    return tuple(found.values())


def _question(typed: Typed, place: int, content: object) -> Declared:
    try:
        written = _Written.model_validate(content)
    except ValidationError as error:
        raise _explained(typed, place, error) from None
    if (written.statistic == "count") != isinstance(written.of, dict):
        said = "of holds columns and values where patients are counted, and a column with a statistic"
        raise typed.error(("questions", place), said)
    question = as_declared(written.group, written.words, written.unit, written)
    return replace(question, place=f"{typed.name}, line {typed.line(('questions', place))}")


def check_question(question: Declared, document: Document) -> None:
    """FileError, with the place where it is written, if a question is about what claims know nothing of."""
    asked = question.asked
    for part in (asked.number, asked.mean) if isinstance(asked, Total) else (asked,):
        try:
            document.question(part.statistic, part.rows, part.of)
        except FileError as error:
            raise FileError(f"{question.place}: {error}" if question.place else str(error)) from None


def _explained(typed: Typed, place: int, error: ValidationError) -> FileError:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = ", ".join(_Written.model_fields)
        return typed.error(("questions", place), f"{field} is not known here; the keys are {known}")
    return typed.error(("questions", place), f"{field}: {first['msg'][0].lower()}{first['msg'][1:]}")


def as_declared(group: str, words: str, unit: str, written: _Written) -> Declared:
    """A written question as one that can be asked."""
    rows = written.rows
    if written.statistic == "count":
        return share(group, words, rows, written.of)
    if written.statistic == "sum":
        return Declared(group, words, unit, Total(rows, written.of, written.each))
    return Declared(group, words, unit, Asked(written.statistic, rows, written.of))


def share(group: str, words: str, whom: Rows, what: Rows) -> Declared:
    """How many patients among some."""
    return Declared(group, words, "patients", Asked("count", both(whom, what)), Asked("count", whom))


def number(group: str, words: str, unit: str, statistic: str, whom: Rows, column: str) -> Declared:
    """A statistic of a number column."""
    return Declared(group, words, unit, Asked(statistic, whom, column))
