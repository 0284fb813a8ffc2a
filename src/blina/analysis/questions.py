"""Which question about a line list each number of the analysis tables answers, in the language of claims files.

One function per table: from a row of it (a mapping) and the cohort to the questions, by column. A number without a
question is fixed by the form of the line list: fever, for example, never has a grade. Some questions belong to no
column: what the row says depends on them all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd
import yaml

from blina.analysis.cohort import TOTAL, describe
from blina.analysis.response import (
    AFTER,
    AGREE,
    CELLS,
    CLEARING,
    MISSED,
    STAYED,
    burden_test,
    concordance,
    flow,
    fusion_contrast,
    rates,
    statuses,
)
from blina.analysis.safety import (
    ANY,
    CRS,
    FEVER,
    FURTHER,
    ICANS,
    SEVERE,
    course_counts,
    fever_as_crs,
    fever_cycle1,
    icans,
    infusions,
    severe_reactions,
    stops,
    worst_grades,
)
from blina.linelist.cohort import Cohort
from blina.linelist.columns import COLUMNS
from blina.linelist.tidy import SEVERE_GRADE, UNNAMED_REACTION, Tidy

Rows = Mapping[str, object]  # whom: a predicate as claims files write it
_COLUMN = {column.name: column for column in COLUMNS}
_ORDER = {name: place for place, name in enumerate((*_COLUMN, "any_of", "not"))}


@dataclass(frozen=True, eq=False)
class Asked:
    """A question with one number for an answer, as a claims file writes it. It is known by its texts, its `key`."""

    statistic: str
    rows: Rows
    of: Rows | str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Statistic, `rows` and `of` in one line of YAML each; equal for questions that mean the same."""
        of = self.of if isinstance(self.of, str) else _flow(self.of) if self.of else ""
        return self.statistic, _flow(self.rows), of

    @property
    def part(self) -> Asked:
        """Of a percentage: how many are counted."""
        return Asked("count", both(self.rows, self.of))

    @property
    def whole(self) -> Asked:
        """Among how many it is taken; for numbers, the blank cells of the column included."""
        return Asked("count", self.rows)


@dataclass(frozen=True, eq=False)
class Total:
    """The sum of a number column that is never blank, with `each` more for every patient: number times mean."""

    rows: Rows
    of: str
    each: int = 0

    @property
    def number(self) -> Asked:
        return Asked("count", self.rows)

    @property
    def mean(self) -> Asked:
        return Asked("mean", self.rows, self.of)


Questions = dict[str, Asked | Total]
Asking = Callable[[Mapping, Cohort], Questions]


def both(*parts: Rows) -> dict[str, object]:
    """Whoever is among each of these rows, as rows; values of one column are narrowed to those in common."""
    joined: dict[str, object] = {}
    for part in parts:
        aside = {}
        for key, value in part.items():
            common = _common(joined[key], value) if key in joined else value
            if common is None:
                aside[key] = value
            else:
                joined[key] = common
        if aside:  # the language has no `all_of`, but an `any_of` with one entry says the same
            if "any_of" in joined:
                raise ValueError(f"two different any_of cannot be joined: {joined['any_of']} and {aside}")
            joined["any_of"] = [aside]
    return joined


def _common(one: object, other: object) -> object:
    """What two conditions on a column have in common; None where that cannot be written as one condition."""
    if one == other:
        return one
    if isinstance(one, Mapping) or isinstance(other, Mapping):
        return None
    words, others = (value if isinstance(value, list) else [value] for value in (one, other))
    if any(isinstance(word, Mapping) for word in words + others):
        return None
    same = [word for word in words if word in others]
    return (same[0] if len(same) == 1 else same) or None


class _Plain(yaml.SafeDumper):
    """Writes YAML as claims files do, in which every word is text: no quotation marks around yes and 7."""

    yaml_implicit_resolvers: dict = {}

    def ignore_aliases(self, data: object) -> bool:
        return True


def _flow(rows: Rows) -> str:
    """Rows in one line of YAML, columns in the order of the line list."""
    ordered = dict(sorted(rows.items(), key=lambda item: _ORDER[item[0]]))
    return yaml.dump(
        ordered, Dumper=_Plain, default_flow_style=True, sort_keys=False, width=10**6, allow_unicode=True
    ).strip()


def count(*rows: Rows) -> Asked:
    """How many patients are among all of these rows."""
    return Asked("count", both(*rows))


def _proportion(whom: Rows, what: Rows, prefix: str = "") -> Questions:
    percent = Asked("percent", whom, what)
    return {f"{prefix}k": percent.part, f"{prefix}n": percent.whole} | ({} if prefix else {"percent": percent})


def _group(name: str, cohort: Cohort) -> Rows:
    """The members of a group, of all groups (`TOTAL`), or of those that are pooled under any other name."""
    if name == TOTAL:
        return {}
    groups = [group.name for group in cohort.groups]
    pooled = [group.name for group in cohort.groups if group.purpose in CLEARING]
    return {"group": name if name in groups else pooled}


# Who was treated


def of_description(row: Mapping, cohort: Cohort) -> Questions:
    """Of a row of `cohort.describe`."""
    whom = _group(row["group"], cohort)
    match row["characteristic"], row["level"]:
        case "patients", _:
            return {"value": count(whom)}
        case "age", _:
            return _middle(whom, "age_years")
        case "diagnosis to first infusion", _:
            return _middle(whom, "months_from_diagnosis")
        case "infusion in cycle 1", "":
            return _middle(whom, "infusion_days")
        case "infusion in cycle 1", _:
            return {"value": Total(whom, "infusion_days")}
        case "further cycles", "cycles given":
            return {"value": Total(whom, "extra_cycles")}
        case "cycles, the first included", _:
            return {"value": Total(whom, "extra_cycles", each=1)}
        case "further cycles", _:
            return _proportion(whom, {"extra_cycles": {"at_least": "1"}})
        case "BCR::ABL1", _:
            return _proportion(whom, {"bcr_abl1": "yes"})
        case "sex", level:
            return _proportion(whom, {"sex": level})
        case "end of cycle 1", level:
            return _proportion(whom, {"stop_reason": _word("stop_reason", level)})
        case "reason for intolerance", level:
            known = {"not": {"intolerance_reason": ""}}
            return _proportion(both(whom, known), {"intolerance_reason": _word("intolerance_reason", level)})
    raise ValueError(f"no question is written down for {row['characteristic']}, {row['level']}")


def _middle(whom: Rows, column: str) -> Questions:
    asked = {"value": "median", "least": "min", "greatest": "max"}
    return {"n": count(whom)} | {name: Asked(statistic, whom, column) for name, statistic in asked.items()}


def _word(column: str, level: str) -> str:
    """The word of the line list behind a level as it is shown."""
    return next(word for word in _COLUMN[column].values if word.replace("_", " ") == level)


# MRD response

_ASSAY = {"FC": "fc", "RT-PCR": "pcr"}
_NOT_POSITIVE = ["negative", "not_applicable"]
_NONE_BEFORE = {"fc_before": "negative", "pcr_before": _NOT_POSITIVE}
_BEFORE = {  # positive before, by the assay of a rule
    "fc": {"fc_before": "positive"},
    "pcr": {"pcr_before": "positive"},
    "fc_and_pcr": {"any_of": [{"fc_before": "positive"}, {"pcr_before": "positive"}]},
}
_APPLIES: dict[str, Rows] = {"fc": {}, "pcr": {"pcr_after": ["positive", "negative"]}, "fc_and_pcr": {}}
_NEGATIVE: dict[str, Rows] = {
    "fc": {"fc_after": "negative"},
    "pcr": {"pcr_after": "negative"},
    "fc_and_pcr": {"fc_after": "negative", "pcr_after": _NOT_POSITIVE},
}
_NO_SEVERE_STOP = {"stop_reason": ["completed", "economic"]}
_WITH_VALUE = {"not": {"mrd_before_percent": ""}}


def of_statuses(row: Mapping, cohort: Cohort) -> Questions:
    """Of a row of `response.statuses`, for the group in a column `group`, or for everybody without one."""
    whom = _group(row.get("group", TOTAL), cohort)
    column = f"{_ASSAY[row['assay']]}_{row['time']}"
    every = {"n": count(whom)}
    return every | ({"k": count(whom, {column: row["status"]})} if row["status"] in _COLUMN[column].values else {})


def of_rates(row: Mapping, cohort: Cohort) -> Questions:
    """Of a row of `response.rates`."""
    rule, negative = row["rule"], _NEGATIVE[row["rule"]]
    counted: Rows = {}
    match row["evaluable_set"]:
        case "positive_before":
            counted = _BEFORE[rule]
        case "more_than_7_days":
            counted = {"infusion_days": {"above": "7"}}
        case "without_severe_stops":
            counted = _NO_SEVERE_STOP
        case "severe_stops_failed":
            negative = both(negative, _NO_SEVERE_STOP)
        case "all_treated":
            pass
        case unknown:
            raise ValueError(f"no question is written down for the evaluable set {unknown}")
    return _proportion(both(_unit(row, cohort), _APPLIES[rule], counted), negative)


def _unit(row: Mapping, cohort: Cohort) -> Rows:
    """Whom a row's measure is about."""
    whom = _group(row["group"], cohort)
    if row["measure"] == STAYED:
        return both(whom, _NONE_BEFORE)
    bridging = any(group.name == row["group"] and group.purpose == "bridging" for group in cohort.groups)
    return both(whom, _BEFORE["fc_and_pcr"]) if bridging else whom


def of_concordance(row: Mapping, cohort: Cohort) -> Questions:
    """Of a row of `response.concordance`."""
    fc, pcr = f"fc_{row['time']}", f"pcr_{row['time']}"
    whom = both(_group(row["group"], cohort), {pcr: ["positive", "negative"]})
    if row["counted"] == MISSED:
        return _proportion(both(whom, {fc: "negative"}), {pcr: "positive"})
    cells = [{fc: by_fc, pcr: by_pcr} for by_fc, by_pcr in CELLS.values()]
    agree = {"any_of": [cell for cell in cells if cell[fc] == cell[pcr]]}
    return _proportion(whom, (dict(zip(CELLS, cells, strict=True)) | {AGREE: agree})[row["counted"]])


def of_fusion_contrast(row: Mapping, cohort: Cohort) -> Questions:
    """Of a row of `response.fusion_contrast`."""
    whom, rule = both(_unit(row, cohort), _APPLIES[row["rule"]]), row["rule"]
    return {
        name: asked
        for side, carrier in (("carriers_", "yes"), ("others_", "no"))
        for name, asked in _proportion(both(whom, {"bcr_abl1": carrier}), _NEGATIVE[rule], side).items()
    }


def of_burden_test(row: Mapping, cohort: Cohort) -> Questions:
    """Of a row of `response.burden_test`; the ends of the ranges as `responders_least` and so on."""
    whom, rule = _group(row["group"], cohort), row["rule"]
    compared = both(_WITH_VALUE, _APPLIES[rule])
    inside = both(whom, compared)
    asked: Questions = {"n": count(inside), "without_value": count(whom, {"not": compared})}
    for side, rows in (("responders", _NEGATIVE[rule]), ("others", {"not": _NEGATIVE[rule]})):
        middle = _middle(both(inside, rows), "mrd_before_percent")
        asked |= {side: middle["n"], f"{side}_median": middle["value"]}
        asked |= {f"{side}_{end}": middle[end] for end in ("least", "greatest")}
    return asked


def of_flow(row: Mapping, cohort: Cohort) -> Questions:
    """Of a row of `response.flow`, whose `n` counts patients in a state."""
    whom = _group(row["group"], cohort)
    clear, found = _NEGATIVE["fc_and_pcr"], {"fc_after": "negative", "pcr_after": "positive"}
    states = {
        "treated": {},
        "positive by any assay": _BEFORE["fc_and_pcr"],
        "not detected": _NONE_BEFORE,
        **dict(zip(AFTER, (clear, found, {"fc_after": "positive"}), strict=False)),
        **{reason: {"stop_reason": reason} for reason in _COLUMN["stop_reason"].values},
    }
    every: Questions = {"of": count(whom)}
    return every | ({"n": count(whom, states[row["state"]])} if row["state"] in states else {})


# Safety

_SEVERE = {"at_least": str(SEVERE_GRADE)}
_CRS, _ICANS = {"crs_grade": {"at_least": "1"}}, {"icans_grade": {"at_least": "1"}}
_FEVER, _STOPPED = {"fever_cycle1": "yes"}, {"stop_reason": "severe_reaction"}
_DESCRIBED = {"any_of": [{"crs_grade": _SEVERE}, {"icans_grade": _SEVERE}]}
_NOT_DESCRIBED = {"not": _DESCRIBED}
_GRADED = {  # event: whoever has it, and whoever has it at grade 3 or more
    CRS: (_CRS, {"crs_grade": _SEVERE}),
    ICANS: (_ICANS, {"icans_grade": _SEVERE}),
}
_UNNAMED = both(_STOPPED, _NOT_DESCRIBED)


def of_worst_grades(row: Mapping, cohort: Cohort) -> Questions:
    """Of a row of `safety.worst_grades`."""
    whom, event, severity = _group(row["group"], cohort), row["event"], row["severity"]
    if event in _GRADED:
        place = {ANY: 0, SEVERE: 1}.get(severity)  # None: every record has a grade
        return {"n": count(whom)} if place is None else _proportion(whom, _GRADED[event][place])
    if event == FEVER:
        return _proportion(whom, _FEVER)
    assert event == UNNAMED_REACTION, event
    if severity == SEVERE:  # none has a grade: what is said depends on how many could belong here
        return {"n": count(whom), "ungraded": count(whom, _UNNAMED)}
    return _proportion(whom, _UNNAMED)


def of_fever(row: Mapping, cohort: Cohort) -> Questions:
    """Of a row of `safety.fever_cycle1`."""
    return _proportion(_group(row["group"], cohort), _FEVER)


def of_fever_as_crs(row: Mapping, cohort: Cohort) -> Questions:
    """Of a row of `safety.fever_as_crs`."""
    whom = _group(row["group"], cohort)
    counted = _CRS if row["reading"] == "as reported" else {"any_of": [_CRS, _FEVER]}
    return _proportion(whom, counted) | {"fever_only": count(whom, _FEVER, {"crs_grade": "0"})}


def of_icans(row: Mapping, cohort: Cohort) -> Questions:
    """Of a row of `safety.icans`: also how many have any ICANS, since grades that do not occur have no row."""
    whom = _group(row["group"], cohort)
    grade = _ICANS if pd.isna(row["grade"]) else {"icans_grade": str(row["grade"])}
    days = [day for day in row["onset_days"].split(", ") if day]
    on_day = {f"on day {day}": count(whom, grade, {"icans_day": day}) for day in days}
    return _proportion(whom, grade) | {"any": count(whom, _ICANS)} | on_day


def of_stops(row: Mapping, cohort: Cohort) -> Questions:
    """Of a row of `safety.stops`."""
    return _proportion(_group(row["group"], cohort), {"stop_reason": row["stop_reason"]})


def of_course_counts(row: Mapping, cohort: Cohort) -> Questions:
    """Of a row of `safety.course_counts`: also how many have the one grade, and day of onset, that it states."""
    whom, feature = _group(row["group"], cohort), row["feature"]
    events = {FEVER: _FEVER, CRS: _CRS, ICANS: _ICANS, FURTHER: {"extra_cycles": {"at_least": "1"}}}
    what = events.get(feature, {"stop_reason": feature})
    grade = {} if pd.isna(row["grade"]) else {f"{feature.lower()}_grade": str(row["grade"])}
    day = {} if pd.isna(row["onset_day"]) else {"icans_day": str(row["onset_day"])}
    return _proportion(whom, what) | ({"same": count(whom, grade | day)} if grade or day else {})


def of_infusions(row: Mapping, cohort: Cohort) -> Questions:
    """Of a row of `safety.infusions`."""
    what = {"infusion_days": str(row["infusion_days"]), "stop_reason": row["stop_reason"]}
    return _proportion(_group(row["group"], cohort), what)


def of_severe_reactions(row: Mapping, cohort: Cohort) -> Questions:
    """Of a row of `safety.severe_reactions`."""
    whom = _group(row["group"], cohort)
    return {
        "stopped_for_severe": count(whom, _STOPPED),
        "described_severe": count(whom, _DESCRIBED),
        "both": count(whom, _STOPPED, _DESCRIBED),
        "difference": count(whom, _STOPPED, _NOT_DESCRIBED),
    }


def every_table(study: Tidy) -> Iterator[tuple[pd.DataFrame, Asking]]:
    """Each table of a study's report, with what asks of its rows."""
    patients, mrd, events, cohort = study.patients, study.mrd, study.events, study.cohort
    yield describe(patients, cohort), of_description
    yield rates(patients, mrd, cohort), of_rates
    yield flow(patients, mrd, cohort), of_flow
    yield concordance(patients, mrd, cohort), of_concordance
    yield fusion_contrast(patients, mrd, cohort), of_fusion_contrast
    for group in cohort.groups:
        part = study.only(group.name)
        yield statuses(part.mrd).assign(group=group.name), of_statuses
        yield burden_test(part.patients, part.mrd, part.cohort, group.name), of_burden_test
    yield worst_grades(patients, events, cohort), of_worst_grades
    yield fever_cycle1(patients, events, cohort), of_fever
    yield fever_as_crs(patients, events, cohort), of_fever_as_crs
    yield icans(patients, events, cohort), of_icans
    yield stops(patients, cohort), of_stops
    yield course_counts(patients, events, cohort), of_course_counts
    yield infusions(patients, cohort), of_infusions
    yield severe_reactions(patients, events, cohort), of_severe_reactions
