"""What counts as a response, whom a rate counts, and which adverse events there are: each choice in one place."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from blina.linelist.cohort import Group
from blina.measures.language import Rows

RESULT = ["positive", "negative"]  # what a test found; anything else is no result
NOT_POSITIVE = ["negative", "not_applicable"]
CLEARING = ("clearance", "reinduction")  # purposes for which a group is treated to become MRD negative
SEVERE_GRADE = 3
REPORTED = "reported"


@dataclass(frozen=True)
class Choice:
    """A response rule, an evaluable set or an event: its id, how tables and figures name it, what it means."""

    id: str
    label: str
    meaning: str


@dataclass(frozen=True)
class ResponseRule(Choice):
    """What counts as MRD negative after treatment.

    negative: who is negative; assessed: who has every result that the rule asks for; before: who was
    positive before by an assay of the rule; needs: the status columns after treatment that it looks at.
    """

    negative: Rows = field(default_factory=dict)
    assessed: Rows = field(default_factory=dict)
    before: Rows = field(default_factory=dict)
    needs: tuple[str, ...] = ()


RULES: tuple[ResponseRule, ...] = (
    ResponseRule(
        "fc",
        "FC",
        "negative by FC after treatment",
        negative={"fc_after": "negative"},
        assessed={"fc_after": RESULT},
        before={"fc_before": "positive"},
        needs=("fc_after",),
    ),
    ResponseRule(
        "pcr",
        "RT-PCR",
        "negative by RT-PCR after treatment, among patients with a fusion gene followed",
        negative={"pcr_after": "negative"},
        assessed={"pcr_after": RESULT},
        before={"pcr_before": "positive"},
        needs=("pcr_after",),
    ),
    ResponseRule(
        "fc_and_pcr",
        "FC and RT-PCR",
        "negative by FC and, where a fusion gene is followed, by RT-PCR",
        negative={"fc_after": "negative", "pcr_after": NOT_POSITIVE},
        assessed={"fc_after": RESULT, "pcr_after": [*RESULT, "not_applicable"]},
        before={"any_of": [{"fc_before": "positive"}, {"pcr_before": "positive"}]},
        needs=("fc_after", "pcr_after"),
    ),
)
WITH_RT_PCR = tuple(rule.id for rule in RULES if "pcr_after" in rule.needs)
STATED_RULES = ("fc", "fc_and_pcr")  # in a sentence; RT-PCR alone speaks of some patients only

# Before treatment, by any assay and by none.
POSITIVE_BEFORE: Rows = {"any_of": [{"fc_before": "positive"}, {"pcr_before": "positive"}]}
NEGATIVE_BEFORE: Rows = {"fc_before": "negative", "pcr_before": NOT_POSITIVE}

LONGER_THAN_A_WEEK: Rows = {"infusion_days": {"above": "7"}}

ALL_TREATED = Choice("all_treated", "all treated", "every patient who received any blinatumomab")
ASSESSED = Choice("assessed", "assessed after", "patients assessed after treatment by what the rule asks for")
EVALUABLE_SETS: tuple[Choice, ...] = (
    ALL_TREATED,
    Choice(
        "positive_before",
        "positive before",
        "patients positive before treatment by the rule's assay (by either, where the rule has both)",
    ),
    Choice(
        "more_than_7_days",
        "more than 7 days",
        "patients with more than 7 days of infusion in cycle 1",
    ),
    Choice(
        "severe_stops_failed",
        "severe stops as failures",
        "every patient; who stopped early for a severe reaction counts as not negative",
    ),
    Choice(
        "without_severe_stops",
        "without severe stops",
        "patients who did not stop early for a severe reaction",
    ),
)
ALL_SETS = (ALL_TREATED, ASSESSED, *EVALUABLE_SETS[1:])  # with the one that only some cohorts need


def choice(choices: Sequence[Choice], id: str) -> Choice:
    """The choice of that id (ValueError, with the ids there are, if none)."""
    for one in choices:
        if one.id == id:
            return one
    raise ValueError(f"no {id} among {', '.join(one.id for one in choices)}")


def rule_of(group: Group, rule: str | None = None) -> str:
    """A rule's id: the one named, "reported" for the one behind the group's printed rate, None for that or else FC.

    ValueError if there is no such rule, or "reported" is asked of a group without a reported rate.
    """
    if rule == REPORTED and group.reported_rule is None:
        raise ValueError(f"no rate was reported for {group.name}, so there is no reported rule")
    if rule in (None, REPORTED):
        rule = group.reported_rule or "fc"
    return choice(RULES, rule).id


# Whom RT-PCR follows

NO_GENE = "none"


def carriers(columns: Collection) -> Rows:
    """Who is known to carry a fusion gene, of a line list with these columns (by name)."""
    if "fusion_gene" not in columns:
        return {"bcr_abl1": "yes"}
    named = [gene for gene in columns["fusion_gene"].values if gene != NO_GENE]
    return {"any_of": [{"bcr_abl1": "yes"}, {"fusion_gene": named}]}


def followed(columns: Collection) -> Rows:
    """Whom RT-PCR is known to follow: carriers, and whoever has a result by it, before or after."""
    known = carriers(columns)
    entries = known.get("any_of", [known])
    results = [{"pcr_before": RESULT}, {"pcr_after": RESULT}]
    return {"any_of": [*entries, *results], "not": {"pcr_after": "not_applicable"}}


MAY_BE_FOLLOWED: Rows = {"not": {"pcr_after": "not_applicable"}}


# Adverse events

FEVER, CRS, ICANS = "fever", "CRS", "ICANS"
UNNAMED_REACTION = "severe reaction, not named"
ANY, SEVERE = "any grade", "grade 3 or more"
UNGRADED = "grade not reported"
UNKNOWN = "occurrence not recorded"
NO_GRADE = "counted apart from CRS"  # of fever, which has no grades: one line, and nothing more
SEVERE_STOP = {"stop_reason": "severe_reaction"}
_SEVERE_LIMIT = {"at_least": str(SEVERE_GRADE)}
_MILD_LIMIT = {"at_most": str(SEVERE_GRADE - 1)}
_SOME = {"at_least": "1"}


@dataclass(frozen=True)
class Event:
    """An adverse event: who had it, who had it at grade 3 or more, and in which column its grade stands.

    dated: who had it at a grade that may not be recorded (what began on a day has occurred); None
    where no day is asked for.
    """

    name: str
    column: str
    any_grade: Rows
    severe: Rows | None = None
    dated: Rows | None = None

    @property
    def has_grades(self) -> bool:
        return self.severe is not None

    def occurred(self, may_be_blank: Collection[str]) -> Rows:
        """Who is known to have had it, given the columns that may be blank."""
        if self.dated is None or self.column not in may_be_blank:
            return self.any_grade
        return {"any_of": [self.any_grade, self.dated]}

    def unrecorded(self) -> Rows:
        """Of whom nothing is recorded."""
        blank = {self.column: ""}
        return blank if self.dated is None else {**blank, "not": self.dated}

    def ungraded(self) -> Rows | None:
        """Who had it, at a grade that is not recorded."""
        return None if self.dated is None else {self.column: "", **self.dated}


EVENTS: tuple[Event, ...] = (
    Event(FEVER, "fever_cycle1", {"fever_cycle1": "yes"}),
    Event(CRS, "crs_grade", {"crs_grade": _SOME}, severe={"crs_grade": _SEVERE_LIMIT}),
    Event(
        ICANS,
        "icans_grade",
        {"icans_grade": _SOME},
        severe={"icans_grade": _SEVERE_LIMIT},
        dated={"icans_day": _SOME},
    ),
)
DESCRIBED_SEVERE: Rows = {"any_of": [{"crs_grade": _SEVERE_LIMIT}, {"icans_grade": _SEVERE_LIMIT}]}
UNNAMED: Rows = {**SEVERE_STOP, "crs_grade": _MILD_LIMIT, "icans_grade": _MILD_LIMIT}


def event(name: str) -> Event:
    """The event of that name (ValueError if it is none)."""
    for one in EVENTS:
        if one.name == name:
            return one
    raise ValueError(f"no event {name} among {', '.join(one.name for one in EVENTS)}")
