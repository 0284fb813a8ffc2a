"""Every number of a report, declared once: whose, of what, by which rule, over which patients, missing meaning what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from blina.linelist.cohort import Cohort, Group
from blina.linelist.columns import Column
from blina.measures.choices import (
    ALL_SETS,
    ALL_TREATED,
    ANY,
    ASSESSED,
    CLEARING,
    CRS,
    DESCRIBED_SEVERE,
    EVENTS,
    FEVER,
    ICANS,
    LONGER_THAN_A_WEEK,
    NEGATIVE_BEFORE,
    NO_GENE,
    NO_GRADE,
    POSITIVE_BEFORE,
    RESULT,
    RULES,
    SEVERE,
    SEVERE_STOP,
    UNGRADED,
    UNKNOWN,
    UNNAMED,
    UNNAMED_REACTION,
    WITH_RT_PCR,
    Event,
    ResponseRule,
    followed,
    rule_of,
)
from blina.measures.language import NOBODY, Asked, Rows, Total, both

TOTAL = "All patients"
NOT_RECORDED = "not recorded"
NOT_DETECTED = "not detected"
BECAME, STAYED = "negative after", "stayed negative"
UNKNOWN_BEFORE = "negative after, not assessed before"  # of a bridging group
TIMES, ASSAYS = ("before", "after"), ("FC", "RT-PCR")
PREFIX = {"FC": "fc", "RT-PCR": "pcr"}
STATUSES = ("positive", "negative", "not_applicable", "not_done")
ALWAYS_LISTED = ("positive", "negative", "not_applicable")  # statuses listed even with no patients
REASONS = ("completed", "severe_reaction", "economic")  # listed even with no patients
CELLS = {f"FC {fc}, RT-PCR {pcr}": (fc, pcr) for fc in ("positive", "negative") for pcr in RESULT}
AGREE, MISSED = "FC and RT-PCR agree", "RT-PCR positive among FC negative"
AFTER = (
    "negative by FC and, where followed, RT-PCR",
    "negative by FC, positive by RT-PCR",
    "positive by FC",
    "negative by FC, RT-PCR not assessed",
    "not assessed",
    "positive by RT-PCR, FC not assessed",
)
BEFORE = ("positive by any assay", NOT_DETECTED, "not assessed")
CRS_READINGS = ("as reported", "if all fever is attributed to the drug")
FURTHER = "further cycles"
SOME_CYCLES: Rows = {"extra_cycles": {"at_least": "1"}}
BCR_ABL1 = "BCR::ABL1"
RESPONDERS, OTHERS = "responders", "others"
WITH_VALUE: Rows = {"not": {"mrd_before_percent": ""}}
MRD_BEFORE = "MRD before"
POWERS_OF_TEN: Mapping[str, Rows] = {  # MRD before treatment, %
    "below 0.001%": {"below": "0.001"},
    "0.001 to below 0.01%": {"at_least": "0.001", "below": "0.01"},
    "0.01 to below 0.1%": {"at_least": "0.01", "below": "0.1"},
    "0.1 to below 1%": {"at_least": "0.1", "below": "1"},
    "1 to below 10%": {"at_least": "1", "below": "10"},
    "10 to 100%": {"at_least": "10"},
}

Missing = Literal["failure", "span"]


@dataclass(frozen=True, eq=False)
class Measure:
    """One number of a report, as a question in the claims language.

    topic, group, name, level, rule, evaluable_set: what the number is called in the results.
    statistic: count or percent (of patients), or median, min, max or sum (of a number column).
    whom: the patients it is about, decided by what is recorded of them.
    among: a further condition on them that may be unknown of a patient; who is not known to meet it
        is left out, and could belong.
    of: what is counted among them (rows), or measured (a column).
    could: who could count as well, though nothing recorded says so.
    missing: what it means that `of` is unknown. "failure": counted as not meeting it (missing counted
        as non-response), worst and best case beside; "span": no single number, least and greatest.
    on_record: `of` asks what is recorded, which is never unknown.
    assessed: who has a result by everything that `of` asks for.
    unit_rows: the patients whose RT-PCR decides whether a rule with RT-PCR has a rate; None: it always has.
    also: questions on which the row depends besides, such as a day that it states.
    interval: whether an exact interval is stated. each: added to the sum for every patient.
    """

    topic: str
    group: str
    name: str
    level: str = ""
    rule: str = ""
    evaluable_set: str = ""
    statistic: str = "percent"
    whom: Rows = field(default_factory=dict)
    among: Rows = field(default_factory=dict)
    of: Rows | str | None = None
    could: Rows | None = None
    missing: Missing = "span"
    on_record: bool = False
    assessed: Rows | None = None
    unit_rows: Rows | None = None
    also: tuple[Asked, ...] = ()
    interval: bool = False
    unit: str = "patients"
    each: int = 0
    is_reported: bool = False
    is_pooled: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it apart from all others of a report."""
        return (
            self.topic,
            self.group,
            self.name,
            self.level,
            self.rule,
            self.evaluable_set,
            self.statistic,
        )

    @property
    def rows(self) -> Rows:
        """Among whom it is taken."""
        return both(self.whom, self.among)

    @property
    def counts(self) -> bool:
        """Whether it counts patients, as a number or in percent."""
        return self.statistic in ("count", "percent")

    @property
    def asked(self) -> Asked | Total:
        """The number as a question; of a count, the patients counted."""
        if self.statistic == "sum":
            return Total(self.rows, self.of, self.each)
        if self.statistic == "count":
            return Asked("count", both(self.rows, self.of))
        return Asked(self.statistic, self.rows, self.of)


@dataclass(frozen=True)
class Facts:
    """What the declaration needs to know of a line list.

    columns: its columns by name; occurs: whether rows (as written) hold any patient;
    values: the distinct texts of a column among rows, in the column's order, blanks left out.
    """

    columns: Mapping[str, Column]
    occurs: Callable[[Rows], bool]
    values: Callable[[str, Rows], list[str]]

    @property
    def may_be_blank(self) -> set[str]:
        return {name for name, column in self.columns.items() if column.blank}

    def lacks(self, column: str) -> bool:
        """Whether some patient has nothing recorded in a column."""
        return column in self.may_be_blank and self.occurs({column: ""})


def measures(cohort: Cohort, facts: Facts) -> list[Measure]:
    """Every number of a cohort's report, in the order of the report."""
    return [
        *_description(cohort, facts),
        *_statuses(cohort, facts),
        *_response(cohort, facts),
        *_flow(cohort, facts),
        *_concordance(cohort),
        *_fusion(cohort, facts),
        *_burden(cohort, facts),
        *_powers_of_ten(cohort),
        *_events(cohort, facts),
        *_icans(cohort, facts),
        *_stops(cohort, facts),
        *_infusions(cohort, facts),
        *_severe_reactions(cohort),
    ]


def group_rows(cohort: Cohort, total: bool = True) -> list[tuple[str, Rows]]:
    """Each group with its rows, and all patients under `TOTAL`."""
    groups: list[tuple[str, Rows]] = [(group.name, {"group": group.name}) for group in cohort.groups]
    return [*groups, (TOTAL, {})] if total else groups


# Who was treated


def _description(cohort: Cohort, facts: Facts) -> Iterator[Measure]:
    """Characteristics in the order of the line list's columns, each of every group and of all patients."""
    whose = group_rows(cohort)
    for group, rows in whose:
        yield Measure("description", group, "patients", statistic="count", whom=rows, on_record=True)
    for column in facts.columns.values():
        for make in _of_column(column, facts):
            for group, rows in whose:
                yield make(group, rows)
    for group, rows in whose:
        yield _sum(group, rows, "cycles, the first included", "", "extra_cycles", "", each=1)


Make = Callable[[str, Rows], Measure]


def _of_column(column: Column, facts: Facts) -> Iterator[Make]:
    """What is stated of one column, by its entry."""
    name = column.characteristic
    if column.described == "levels":
        for level in facts.values(column.name, {}):
            yield partial(level_measure, column, level)
    if column.described == "median":
        for statistic in ("median", "min", "max"):
            yield _number(name, statistic, column)
    if column.name == "infusion_days":
        yield lambda group, rows: _sum(group, rows, name, "all together", column.name, column.unit)
    if column.described == "found" and column.name == "extra_cycles":
        yield partial(_given_any, name)
        yield lambda group, rows: _sum(group, rows, name, "cycles given", column.name, "")
    elif column.described == "found":
        yield partial(level_measure, column, "yes")
    if column.described and not column.blank_is_none and facts.lacks(column.name):
        yield partial(level_measure, column, "")


def level_measure(column: Column, word: str, group: str, rows: Rows) -> Measure:
    """Patients with a word in a column or, where the word is blank, with nothing recorded in it."""
    name = column.characteristic or column.name
    counted = {column.name: word}
    if not word:
        return Measure(
            "description",
            group,
            name,
            NOT_RECORDED,
            statistic="count",
            whom=rows,
            of=counted,
            on_record=True,
        )
    if column.described == "found":
        level = "found" if word == "yes" else "not found"
        return Measure("description", group, name, level, whom=rows, of=counted, interval=True)
    known = {"not": {column.name: ""}} if column.blank_is_none else {}
    level = word.replace("_", " ")
    return Measure("description", group, name, level, whom=both(rows, known), of=counted)


def _given_any(name: str, group: str, rows: Rows) -> Measure:
    return Measure("description", group, name, "patients given any", whom=rows, of=SOME_CYCLES, interval=True)


def _number(name: str, statistic: str, column: Column) -> Make:
    def make(group: str, rows: Rows) -> Measure:
        return Measure(
            "description",
            group,
            name,
            statistic=statistic,
            whom=rows,
            of=column.name,
            unit=column.unit,
        )

    return make


def _sum(group: str, rows: Rows, name: str, level: str, column: str, unit: str, each: int = 0) -> Measure:
    return Measure(
        "description",
        group,
        name,
        level,
        statistic="sum",
        whom=rows,
        of=column,
        unit=unit,
        each=each,
    )


# MRD: what each assay said


def status_column(assay: str, time: str) -> str:
    return f"{PREFIX[assay]}_{time}"


def status_name(assay: str, time: str) -> str:
    return f"{assay} {time}"


def _statuses(cohort: Cohort, facts: Facts) -> Iterator[Measure]:
    for group, rows in group_rows(cohort, total=False):
        for assay in ASSAYS:
            for time in TIMES:
                column = status_column(assay, time)
                for status in _listed_statuses(column, rows, facts):
                    found = {column: "" if status == NOT_RECORDED else status}
                    # FC is never "not applicable": there is nothing to ask, and nobody to count.
                    never = status not in (*facts.columns[column].words, NOT_RECORDED)
                    yield Measure(
                        "statuses",
                        group,
                        status_name(assay, time),
                        status,
                        statistic="count",
                        whom=rows,
                        of=NOBODY if never else found,
                        on_record=True,
                    )


def _listed_statuses(column: str, rows: Rows, facts: Facts) -> list[str]:
    """The statuses that are always listed, then others that occur in the group."""
    words = facts.columns[column].words
    listed = []
    for status in STATUSES:
        occurs = status in words and facts.occurs(both(rows, {column: status}))
        if status in ALWAYS_LISTED or occurs:
            listed.append(status)
    if column in facts.may_be_blank and facts.occurs(both(rows, {column: ""})):
        listed.append(NOT_RECORDED)
    return listed


# Response


@dataclass(frozen=True)
class Unit:
    """Patients whose response is stated together: a group, a part of a bridging group, or pooled groups."""

    name: str
    measure: str
    rows: Rows
    reported_rule: str | None = None
    is_pooled: bool = False


_NOT_KNOWN_BEFORE: Rows = {"not": {"any_of": [*POSITIVE_BEFORE["any_of"], NEGATIVE_BEFORE]}}


def units(cohort: Cohort, facts: Facts) -> Iterator[Unit]:
    """Whose response is stated, each with its measure."""
    for group in cohort.groups:
        first, *others = units_of(group)
        yield first
        yield from (unit for unit in others if facts.occurs(unit.rows))
    pooled = pooled_groups(cohort)
    if pooled:
        names = [group.name for group in pooled]
        yield Unit(joined(pooled), BECAME, {"group": names}, is_pooled=True)


def units_of(group: Group) -> list[Unit]:
    """A group or, of a bridging one, its parts: negative, positive, not assessed before."""
    mine = {"group": group.name}
    if group.purpose != "bridging":
        return [Unit(group.name, BECAME, mine, group.reported_rule)]
    return [
        Unit(group.name, STAYED, both(mine, NEGATIVE_BEFORE), group.reported_rule),
        Unit(group.name, BECAME, both(mine, POSITIVE_BEFORE)),
        Unit(group.name, UNKNOWN_BEFORE, both(mine, _NOT_KNOWN_BEFORE)),
    ]


def pooled_groups(cohort: Cohort) -> list[Group]:
    """The groups that are also taken together, if any.

    Patients treated for different purposes are pooled only to compare with what a report pooled.
    """
    clearing = [group for group in cohort.groups if group.purpose in CLEARING]
    purposes = {group.purpose for group in clearing}
    if len(clearing) > 1 and (cohort.reconstructed or len(purposes) == 1):
        return clearing
    return []


def joined(groups: list[Group]) -> str:
    """The name under which groups are taken together."""
    return " + ".join(group.name for group in groups)


def not_severe(facts: Facts) -> Rows:
    """Who is known not to have stopped for a severe reaction."""
    words = facts.columns["stop_reason"].words
    return {"stop_reason": [word for word in words if word != SEVERE_STOP["stop_reason"]]}


def _response(cohort: Cohort, facts: Facts) -> Iterator[Measure]:
    sets = [one for one in ALL_SETS if one != ASSESSED or _some_not_assessed(facts)]
    for unit in units(cohort, facts):
        for rule in RULES:
            for evaluable_set in sets:
                yield response_measure(unit, rule, evaluable_set.id, facts)


def _some_not_assessed(facts: Facts) -> bool:
    """Whether some patient lacks a result that a rule asks for."""
    for rule in RULES:
        lacking = both(applies_to(rule, facts), {"any_of": [{"not": rule.assessed}]})
        if facts.occurs(lacking):
            return True
    return False


def applies_to(rule: ResponseRule, facts: Facts) -> Rows:
    """Whom a rule is asked of: RT-PCR alone only of those whom it is known to follow."""
    return followed(facts.columns) if rule.id == "pcr" else {}


def response_measure(unit: Unit, rule: ResponseRule, evaluable_set: str, facts: Facts) -> Measure:
    """The rate of a unit by a rule over an evaluable set."""
    whom = both(unit.rows, applies_to(rule, facts))
    among: Rows = {}
    of = rule.negative
    if evaluable_set == ASSESSED.id:
        whom = both(whom, rule.assessed)
    elif evaluable_set == "positive_before":
        among = rule.before
    elif evaluable_set == "more_than_7_days":
        among = LONGER_THAN_A_WEEK
    elif evaluable_set == "severe_stops_failed":
        of = both(rule.negative, not_severe(facts))
    elif evaluable_set == "without_severe_stops":
        among = not_severe(facts)
    return Measure(
        "response",
        unit.name,
        unit.measure,
        rule=rule.id,
        evaluable_set=evaluable_set,
        whom=whom,
        among=among,
        of=of,
        missing="failure",
        assessed=rule.assessed,
        unit_rows=unit.rows if rule.id in WITH_RT_PCR else None,
        interval=True,
        is_reported=rule.id == unit.reported_rule and evaluable_set == ALL_TREATED.id,
        is_pooled=unit.is_pooled,
    )


# From treatment to outcome


def flow_states(facts: Facts) -> list[tuple[str, str, Rows]]:
    """Stage, state and who is in it; the states of a stage share out every patient."""
    results_before = {"any_of": [{"fc_before": RESULT}, {"pcr_before": RESULT}]}
    by_rt_pcr = [*RESULT, "not_applicable"]
    negative = dict(RULES[-1].negative)
    pcr_positive = {"fc_after": "negative", "pcr_after": "positive"}
    positive = {"fc_after": "positive"}
    without_pcr = {"fc_after": "negative", "not": {"pcr_after": by_rt_pcr}}
    pcr_alone = {"pcr_after": "positive", "not": {"fc_after": RESULT}}
    decided = [negative, pcr_positive, positive, without_pcr, pcr_alone]
    reasons = list(facts.columns["stop_reason"].words)
    listed = [*(word for word in (*REASONS, "other") if word in reasons)]
    listed += [word for word in reasons if word not in listed]
    states: list[tuple[str, str, Rows]] = [
        ("treated", "treated", {}),
        ("MRD before", BEFORE[0], POSITIVE_BEFORE),
        ("MRD before", BEFORE[1], both(_negative_in_some(), {"not": POSITIVE_BEFORE})),
        ("MRD before", BEFORE[2], {"not": results_before}),
    ]
    states += [("end of cycle 1", reason, {"stop_reason": reason}) for reason in listed]
    if "stop_reason" in facts.may_be_blank:
        states.append(("end of cycle 1", NOT_RECORDED, {"stop_reason": ""}))
    unknown = {"not": {"any_of": decided}}
    after = [negative, pcr_positive, positive, without_pcr, unknown, pcr_alone]
    states += [("MRD after", state, rows) for state, rows in zip(AFTER, after, strict=True)]
    return states


def _negative_in_some() -> Rows:
    return {"any_of": [{"fc_before": "negative"}, {"pcr_before": "negative"}]}


def _flow(cohort: Cohort, facts: Facts) -> Iterator[Measure]:
    for stage, state, found in flow_states(facts):
        if not facts.occurs(found):
            continue
        for group, rows in group_rows(cohort, total=False):
            yield Measure("flow", group, stage, state, statistic="count", whom=rows, of=found, on_record=True)


# FC against RT-PCR


def _concordance(cohort: Cohort) -> Iterator[Measure]:
    for group, rows in group_rows(cohort, total=False):
        for time in TIMES:
            fc, pcr = f"fc_{time}", f"pcr_{time}"
            whom = both(rows, {fc: RESULT, pcr: RESULT})
            cells = {cell: {fc: by_fc, pcr: by_pcr} for cell, (by_fc, by_pcr) in CELLS.items()}
            agree = [found for found in cells.values() if found[fc] == found[pcr]]
            counted = {**cells, AGREE: {"any_of": agree}}
            for cell, found in counted.items():
                yield _compared(group, time, cell, whom, found)
            yield _compared(group, time, MISSED, both(whom, {fc: "negative"}), {pcr: "positive"})


def _compared(group: str, time: str, cell: str, whom: Rows, found: Rows) -> Measure:
    return Measure("concordance", group, time, cell, whom=whom, of=found, on_record=True, interval=True)


# Carriers of a fusion gene


@dataclass(frozen=True)
class Gene:
    """A fusion gene, its carriers, and those known not to carry it."""

    name: str
    carriers: Rows
    others: Rows


def genes(facts: Facts) -> list[Gene]:
    """The fusion genes whose carriers are compared with the others: BCR::ABL1, and any other that occurs."""
    found = [Gene(BCR_ABL1, {"bcr_abl1": "yes"}, {"bcr_abl1": "no"})]
    if "fusion_gene" not in facts.columns:
        return found
    words = list(facts.columns["fusion_gene"].words)
    for gene in facts.values("fusion_gene", {}):
        if gene in (BCR_ABL1, NO_GENE):
            continue
        others = [word for word in words if word != gene]
        found.append(Gene(gene, {"fusion_gene": gene}, {"fusion_gene": others}))
    return found


def carriers_level(gene: str) -> str:
    return f"carriers of {gene}"


def others_level(gene: str) -> str:
    return f"without {gene}"


def _fusion(cohort: Cohort, facts: Facts) -> Iterator[Measure]:
    for unit in units(cohort, facts):
        for gene in genes(facts):
            for rule in RULES:
                yield from _of_carriers(unit, gene, rule, facts)


def _of_carriers(unit: Unit, gene: Gene, rule: ResponseRule, facts: Facts) -> Iterator[Measure]:
    """Carriers and the others by a rule: those assessed and, of them, those positive before."""
    sets: dict[str, Rows] = {ASSESSED.id: {}}
    if unit.measure == BECAME:
        sets["positive_before"] = rule.before
    for evaluable_set, among in sets.items():
        sides = ((carriers_level(gene.name), gene.carriers), (others_level(gene.name), gene.others))
        for level, mine in sides:
            asked = both(unit.rows, applies_to(rule, facts), mine)
            yield Measure(
                "fusion",
                unit.name,
                unit.measure,
                level,
                rule.id,
                evaluable_set,
                whom=both(asked, rule.assessed),
                among=among,
                of=rule.negative,
                missing="failure",
                assessed=rule.assessed,
                unit_rows=both(unit.rows, mine) if rule.id in WITH_RT_PCR else None,
                interval=True,
                is_pooled=unit.is_pooled,
            )


# Burden before against response


def burden_rows(group: str, rule: ResponseRule, facts: Facts) -> Rows:
    """Whose MRD before is compared: patients with a value and an outcome by the rule."""
    return both({"group": group}, WITH_VALUE, applies_to(rule, facts), rule.assessed)


def _burden(cohort: Cohort, facts: Facts) -> Iterator[Measure]:
    for group in cohort.groups:
        rule = next(one for one in RULES if one.id == rule_of(group))
        inside = burden_rows(group.name, rule, facts)
        column = facts.columns["mrd_before_percent"]
        without = {"not": both(WITH_VALUE, applies_to(rule, facts), rule.assessed)}
        yield Measure(
            "burden",
            group.name,
            "without value or outcome",
            rule=rule.id,
            statistic="count",
            whom={"group": group.name},
            of=without,
            on_record=True,
        )
        for side, mine in ((RESPONDERS, rule.negative), (OTHERS, {"not": rule.negative})):
            yield Measure(
                "burden",
                group.name,
                "MRD before",
                side,
                rule.id,
                statistic="count",
                whom=inside,
                of=mine,
                on_record=True,
            )
            for statistic in ("median", "min", "max"):
                yield Measure(
                    "burden",
                    group.name,
                    "MRD before",
                    side,
                    rule.id,
                    statistic=statistic,
                    whom=both(inside, mine),
                    of=column.name,
                    unit=column.unit,
                )


def bins_before() -> dict[str, Rows]:
    """MRD before in powers of ten, not detected or not recorded: each patient is in one."""
    bins = {}
    for name, limits in POWERS_OF_TEN.items():
        bins[name] = both(POSITIVE_BEFORE, {"mrd_before_percent": limits})
    bins[NOT_DETECTED] = both(_negative_in_some(), {"not": POSITIVE_BEFORE})
    with_value = both(POSITIVE_BEFORE, WITH_VALUE)
    bins[NOT_RECORDED] = {"not": {"any_of": [with_value, bins[NOT_DETECTED]]}}
    return bins


def _powers_of_ten(cohort: Cohort) -> Iterator[Measure]:
    """Patients by MRD before in powers of ten; of real patients only, who are shared so."""
    if cohort.reconstructed:
        return
    for group, rows in group_rows(cohort):
        for level, found in bins_before().items():
            yield Measure(
                MRD_BEFORE,
                group,
                "powers of ten",
                level,
                statistic="count",
                whom=rows,
                of=found,
                on_record=True,
            )


# Safety


def _events(cohort: Cohort, facts: Facts) -> Iterator[Measure]:
    for event in EVENTS:
        for group, rows in group_rows(cohort):
            yield from _grades(event, group, rows, facts)
    if facts.occurs(UNNAMED) or facts.occurs(_may_be_unnamed(facts)):
        for group, rows in group_rows(cohort):
            yield from _unnamed(group, rows)
    for group, rows in group_rows(cohort):
        yield from _fever_as_crs(group, rows)


def _may_be_unnamed(facts: Facts) -> Rows:
    """Who stopped for a severe reaction, with none described at grade 3 or more."""
    return both(SEVERE_STOP, {"not": DESCRIBED_SEVERE})


def _grades(event: Event, group: str, rows: Rows, facts: Facts) -> Iterator[Measure]:
    """Patients by worst grade of one event; any dose of drug counts."""

    def line(severity: str, of: Rows, **how: object) -> Measure:
        return Measure("events", group, event.name, severity, whom=rows, of=of, **how)

    occurred = event.occurred(facts.may_be_blank)
    if event.has_grades:
        yield line(ANY, occurred, interval=True)
        yield line(SEVERE, event.severe, interval=True)
        ungraded = event.ungraded()
        if ungraded is None or event.column not in facts.may_be_blank:
            ungraded = NOBODY
        yield line(UNGRADED, ungraded, on_record=True)
    else:
        yield line(NO_GRADE, occurred, interval=True)
    if event.column in facts.may_be_blank and facts.occurs(event.unrecorded()):
        yield line(UNKNOWN, event.unrecorded(), on_record=True, statistic="count")


def _unnamed(group: str, rows: Rows) -> Iterator[Measure]:
    """Stops for a severe reaction that nothing described explains; such a reaction has no grade."""
    about = {"topic": "events", "group": group, "name": UNNAMED_REACTION, "whom": rows}
    yield Measure(level=ANY, of=UNNAMED, interval=True, **about)
    yield Measure(level=SEVERE, of=NOBODY, could=UNNAMED, interval=True, **about)
    yield Measure(level=UNGRADED, of=UNNAMED, **about)


def _fever_as_crs(group: str, rows: Rows) -> Iterator[Measure]:
    """CRS of any grade if fever alone is grade 1, and who is counted besides."""
    fever, crs = (next(one for one in EVENTS if one.name == name) for name in (FEVER, CRS))
    either = {"any_of": [crs.any_grade, fever.any_grade]}
    yield Measure("fever as CRS", group, CRS, CRS_READINGS[1], whom=rows, of=either, interval=True)
    alone = both(fever.any_grade, {"not": crs.any_grade})
    yield Measure(
        "fever as CRS",
        group,
        "fever without CRS",
        statistic="count",
        whom=rows,
        of=alone,
        on_record=True,
    )


def _icans(cohort: Cohort, facts: Facts) -> Iterator[Measure]:
    """Patients with ICANS by worst grade, a row for each grade that occurs; the days on which it began."""
    icans = next(one for one in EVENTS if one.name == ICANS)
    occurred = icans.occurred(facts.may_be_blank)
    for group, rows in group_rows(cohort):
        grades = [grade for grade in facts.values("icans_grade", rows) if grade != "0"]
        found: list[tuple[str, Rows]] = [(grade, {"icans_grade": grade}) for grade in grades]
        ungraded = icans.ungraded()
        if "icans_grade" in facts.may_be_blank and facts.occurs(both(rows, ungraded)):
            found.append((UNGRADED, ungraded))
        for level, of in found or [("", occurred)]:
            days = facts.values("icans_day", both(rows, of))
            also = [Asked("count", both(rows, of, {"icans_day": day})) for day in days]
            yield Measure(
                "ICANS",
                group,
                ICANS,
                level,
                whom=rows,
                of=of,
                on_record=bool(level),
                interval=True,
                also=(Asked("count", both(rows, occurred)), *also),
            )


def stop_reasons(facts: Facts) -> list[str]:
    """The stop reasons that are always listed, then others that occur."""
    words = facts.columns["stop_reason"].words
    others = [word for word in facts.values("stop_reason", {}) if word not in REASONS]
    return [*(word for word in REASONS if word in words), *sorted(others)]


def _stops(cohort: Cohort, facts: Facts) -> Iterator[Measure]:
    for group, rows in group_rows(cohort):
        for reason in stop_reasons(facts):
            found = {"stop_reason": reason}
            yield Measure("stops", group, "end of cycle 1", reason, whom=rows, of=found)
        if facts.lacks("stop_reason"):
            yield Measure(
                "stops",
                group,
                "end of cycle 1",
                NOT_RECORDED,
                statistic="count",
                whom=rows,
                of={"stop_reason": ""},
                on_record=True,
            )


def _infusions(cohort: Cohort, facts: Facts) -> Iterator[Measure]:
    """Patients by days of infusion and end of cycle 1, for each pair that occurs in a group."""
    for group, rows in group_rows(cohort, total=False):
        for reason in facts.values("stop_reason", rows):
            ended = both(rows, {"stop_reason": reason})
            for days in facts.values("infusion_days", ended):
                found = {"infusion_days": days, "stop_reason": reason}
                yield Measure("infusions", group, reason, days, whom=rows, of=found, on_record=True)


def _severe_reactions(cohort: Cohort) -> Iterator[Measure]:
    """Stops for a severe reaction beside the severe reactions described."""
    counted = {
        "stopped_for_severe": SEVERE_STOP,
        "described_severe": DESCRIBED_SEVERE,
        "both": both(SEVERE_STOP, DESCRIBED_SEVERE),
        "difference": UNNAMED,
    }
    for group, rows in group_rows(cohort):
        for name, of in counted.items():
            yield Measure("severe reactions", group, name, statistic="count", whom=rows, of=of)
