"""What `cohort.yaml` may say of a hospital's own sheet: where each declared column comes from, what its words mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from blina.linelist.columns import NUMBER

NoneWord = BeforeValidator(lambda text: None if text in ("", "null", "none") else text)
SCALES = {
    "ASTCT 2019": r"ASTCT(\W*2019)?",
    "CTCAE v4": r"(NCI\W*)?CTCAE\W*v?4(\.0\d?)?",
    "CTCAE v5": r"(NCI\W*)?CTCAE\W*v?5(\.0)?",
}
EVENTS_GRADED = ("CRS", "ICANS")
ASSAYS = ("FC", "RT-PCR")


class Part(BaseModel):
    """A part of a description: no key but the declared ones, and unchanging."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Source(Part):
    """Where a declared column comes from: exactly one of four forms.

    `header`: a column of the sheet. `start` and `end` (written `from` and `to`): columns of dates, whose distance is
    taken. `value`: the same for every patient. `checked`: columns of boxes, with the word that each one stands for.
    """

    header: str | None = None
    start: str | None = Field(None, alias="from")
    end: str | None = Field(None, alias="to")
    value: str | None = None
    checked: dict[str, str] | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, written: Any) -> Any:
        return {"header": written} if isinstance(written, str) else written

    @model_validator(mode="after")
    def _one_form(self) -> Source:
        dates = self.start is not None and self.end is not None
        forms = [self.header is not None, dates, self.value is not None, bool(self.checked)]
        if sum(forms) != 1 or (not dates and (self.start or self.end)):
            raise ValueError("write a header of your sheet, {from: header, to: header}, {value: word} or "
                             "{checked: {header: word}}")  # fmt: skip
        return self

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers of the sheet that are named."""
        return tuple(h for h in (self.header, self.start, self.end, *(self.checked or ())) if h is not None)


@dataclass(frozen=True)
class Threshold:
    """Which MRD values, in percent, are negative: below `limit`, or (`or_equal`) at most that."""

    limit: Fraction
    or_equal: bool

    def negative(self, value: Fraction) -> bool:
        return value <= self.limit if self.or_equal else value < self.limit


def _threshold(written: Any) -> Any:
    if not isinstance(written, str) or written in ("", "null", "none"):
        return None if not written or isinstance(written, str) else written
    found = re.fullmatch(r"(<=|≤|<)\s*([^%\s]+)\s*%?", written.strip())
    if not found or not NUMBER.fullmatch(found[2]):
        raise ValueError('write the values that are negative in percent, as in negative: "< 0.01" or "<= 0.01"')
    return Threshold(Fraction(found[2]), found[1] != "<")


def _percent(written: Any) -> Any:
    if not isinstance(written, str) or written in ("", "null", "none"):
        return None
    number = written.strip().removesuffix("%").strip()
    if not NUMBER.fullmatch(number) or not 0 < Fraction(number) <= 100:
        raise ValueError('write a number in percent, as in limit_of_detection_percent: "0.01"')
    return Fraction(number)


class Assay(Part):
    """What an assay can see and what counts as negative by it, in percent; either may not be stated."""

    limit_of_detection_percent: Annotated[Fraction | None, BeforeValidator(_percent)] = None
    negative: Annotated[Threshold | None, BeforeValidator(_threshold)] = None


def _scale(written: object) -> str:
    for name, pattern in SCALES.items():
        if isinstance(written, str) and re.fullmatch(pattern, written.strip(), re.I):
            return name
    raise ValueError(
        f"write {', '.join(SCALES)}, or one of them for each event, as in {{CRS: CTCAE v5, ICANS: ASTCT 2019}}"
    )


def _scales(written: object) -> str | dict[str, str]:
    if isinstance(written, dict) and set(written) == set(EVENTS_GRADED):
        return {event: _scale(name) for event, name in written.items()}
    return _scale(written)


GradingScale = Annotated[str | dict[str, str], BeforeValidator(_scales)]  # of all events, or of each
