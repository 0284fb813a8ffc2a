"""The line list, declared once: the schema, the data dictionary and the solver's variables all come from here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import ceil, floor
from typing import Literal

ColumnType = Literal["identifier", "category", "boolean", "integer", "decimal"]
RECONSTRUCTED = "reconstructed from published aggregates, one of many possible"
PROVENANCE = "provenance"  # the column in which reconstructed rows say what they are; real patients have none
NOT_A_PATIENT = "not a patient: reconstructed from published aggregates"
BOOLEAN_WORDS = {"no": 0, "yes": 1}
NUMBER = re.compile(
    r"[+-]?([0-9]{1,400}(\.[0-9]{1,400})?|\.[0-9]{1,400})"
)  # as people write one: no exponent, no fraction


@dataclass(frozen=True)
class Column:
    """One column: what a cell may hold, and the whole number (the code) that stands for each value.

    Codes make every comparison exact: a category is its place in `values`, a boolean 0 or 1, an integer itself, a
    decimal its number of steps (0.15 with step 0.01 is 15). `min`, `max` and `step` are the decimal strings of the
    declaration; `blank` says whether a cell may be empty, `optional` whether a line list may lack the whole column.
    """

    name: str
    type: ColumnType
    values: tuple[str, ...] = ()
    min: str | None = None
    max: str | None = None
    step: str = "1"
    unit: str = ""
    blank: bool = False
    optional: bool = False
    meaning: str = ""
    label: str = ""  # its name in prose, where the name with blanks for underscores would not do

    @cached_property
    def size(self) -> Fraction:
        """What one code is worth: the step of a decimal column, 1 elsewhere."""
        return Fraction(self.step)

    @property
    def is_number(self) -> bool:
        return self.type in ("integer", "decimal")

    @cached_property
    def lowest(self) -> int:
        """Least code that the declaration allows (ValueError if a number column has no `min`)."""
        return 0 if not self.is_number else ceil(Fraction(self._bound(self.min, "min")) / self.size)

    @cached_property
    def highest(self) -> int:
        """Greatest code that the declaration allows (ValueError if a number column has no `max`)."""
        if self.is_number:
            return floor(Fraction(self._bound(self.max, "max")) / self.size)
        return 1 if self.type == "boolean" else len(self.values) - 1

    def _bound(self, value: str | None, which: str) -> str:
        if value is None:
            raise ValueError(f"column {self.name} needs a {which}")
        return value

    @cached_property
    def words(self) -> dict[str, int]:
        """Allowed words of a category or boolean column, with their codes."""
        return BOOLEAN_WORDS if self.type == "boolean" else {word: code for code, word in enumerate(self.values)}

    def text(self, code: int) -> str:
        """The cell that stands for a code: `positive`, `yes`, `12`, `0.15`."""
        if self.type == "boolean":
            return "yes" if code else "no"
        if self.type == "category":
            return self.values[code]
        return str(Decimal(code) * Decimal(self.step))  # exact, with the decimals of the step

    @property
    def allowed(self) -> str:
        """What may stand in a cell, in words for a message or a dictionary."""
        if self.type == "identifier":
            return "a different text for every patient"
        if self.is_number:
            kind = "a whole number" if self.size == 1 else f"a number in steps of {self.step}"
            limits = f" from {self.text(self.lowest)} to {self.text(self.highest)}" if self.min and self.max else ""
            said = kind + limits + (f" ({self.unit})" if self.unit else "")
        else:
            *others, last = self.words
            said = f"{', '.join(others)} or {last}" if others else last
        return said + (", or blank" if self.blank else "")


@dataclass(frozen=True)
class Rule:
    """True of every patient: where `when` holds, `then` must. Both are predicates as claims files write them."""

    id: str
    when: dict
    then: dict
    why: str

    @property
    def column(self) -> str:
        """The column that a broken rule is told of: the first that `then` names."""
        return next(iter(self.then))


REASONS = ("pancreatitis", "infection", "endocarditis", "other")  # for which chemotherapy was not tolerated

COLUMNS: tuple[Column, ...] = (
    Column("patient_id", "identifier", meaning="a pseudonym, P01, P02, ...; no name and no hospital number"),
    Column("group", "category", ("MC", "IC", "RR"),
           meaning="why blinatumomab was given: MC clearing MRD in first remission, IC bridging while chemotherapy "
                   "cannot be tolerated, RR reinduction of refractory or relapsed disease"),
    Column("sex", "category", ("male", "female"), meaning="sex"),
    Column("age_years", "decimal", min="0", max="120", step="0.1", unit="years", meaning="age at the first infusion",
           label="age"),
    Column("bcr_abl1", "boolean", meaning="BCR::ABL1 fusion gene found", label="BCR::ABL1"),
    Column("intolerance_reason", "category", REASONS, blank=True,
           meaning="why chemotherapy was not tolerated; blank outside IC"),
    Column("months_from_diagnosis", "decimal", min="0", max="600", step="0.1", unit="months",
           meaning="from diagnosis to the first infusion"),
    Column("infusion_days", "integer", min="1", max="42", unit="days", meaning="days of infusion in cycle 1"),
    Column("stop_reason", "category", ("completed", "severe_reaction", "economic", "other"),
           meaning="how cycle 1 ended: as planned, or stopped for a severe reaction, for cost or for another reason"),
    Column("extra_cycles", "integer", min="0", max="20", unit="cycles", meaning="cycles given after the first"),
    Column("mrd_before_percent", "decimal", min="0.0001", max="100", step="0.0001", unit="%", blank=True,
           meaning="MRD in bone marrow before the first infusion; blank where not detected",
           label="MRD before (%)"),
    Column("mrd_after_percent", "decimal", min="0.0001", max="100", step="0.0001", unit="%", blank=True, optional=True,
           meaning="MRD in bone marrow after cycle 1; blank where not detected", label="MRD after (%)"),
    Column("fc_before", "category", ("positive", "negative", "not_done"),
           meaning="MRD by flow cytometry (FC) before", label="FC before"),
    Column("fc_after", "category", ("positive", "negative", "not_done"),
           meaning="MRD by flow cytometry (FC) after", label="FC after"),
    Column("pcr_before", "category", ("positive", "negative", "not_applicable", "not_done"),
           meaning="fusion gene by RT-PCR before; not_applicable where there is no fusion gene to follow",
           label="RT-PCR before"),
    Column("pcr_after", "category", ("positive", "negative", "not_applicable", "not_done"),
           meaning="fusion gene by RT-PCR after; not_applicable where there is no fusion gene to follow",
           label="RT-PCR after"),
    Column("fever_cycle1", "boolean", meaning="fever in cycle 1", label="fever in cycle 1"),
    Column("crs_grade", "integer", min="0", max="5", meaning="worst grade of cytokine release syndrome, 0 for none",
           label="CRS grade"),
    Column("icans_grade", "integer", min="0", max="5",
           meaning="worst grade of neurotoxicity (ICANS), 0 for none", label="ICANS grade"),
    Column("icans_day", "integer", min="1", max="42", unit="day", blank=True,
           meaning="day of infusion on which ICANS began; blank without ICANS", label="ICANS day"),
)  # fmt: skip

RULES: tuple[Rule, ...] = (
    Rule("reason-only-in-IC", {"intolerance_reason": [*REASONS]}, {"group": "IC"},
         "a reason for intolerance belongs to group IC"),
    Rule("reason-given-in-IC", {"group": "IC"}, {"intolerance_reason": [*REASONS]},
         "every IC patient has a reason for intolerance"),
    Rule("pcr-before-needs-fusion", {"bcr_abl1": "no"}, {"pcr_before": "not_applicable"},
         "without a fusion gene there is nothing for RT-PCR to follow"),
    Rule("pcr-after-needs-fusion", {"bcr_abl1": "no"}, {"pcr_after": "not_applicable"},
         "without a fusion gene there is nothing for RT-PCR to follow"),
    Rule("fusion-followed-before", {"bcr_abl1": "yes"}, {"pcr_before": ["positive", "negative", "not_done"]},
         "a fusion gene is followed by RT-PCR, or this is not done"),
    Rule("fusion-followed-after", {"bcr_abl1": "yes"}, {"pcr_after": ["positive", "negative", "not_done"]},
         "a fusion gene is followed by RT-PCR, or this is not done"),
    Rule("mrd-value-when-detected", {"any_of": [{"fc_before": "positive"}, {"pcr_before": "positive"}]},
         {"mrd_before_percent": {"at_least": "0.0001"}}, "an assay was positive before, so there is an MRD value"),
    Rule("mrd-blank-when-not-detected",
         {"fc_before": ["negative", "not_done"],
          "pcr_before": ["negative", "not_applicable", "not_done"]},
         {"mrd_before_percent": ""}, "no assay was positive before, so the MRD value is blank"),
    Rule("icans-day-with-icans", {"icans_grade": {"at_least": "1"}}, {"icans_day": {"at_least": "1"}},
         "ICANS has a day of onset"),
    Rule("no-icans-day-without-icans", {"icans_grade": "0"}, {"icans_day": ""},
         "without ICANS there is no day of onset"),
)  # fmt: skip
