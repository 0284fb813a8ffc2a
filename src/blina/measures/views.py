"""Tables of results: the same numbers, put side by side as notebooks, figures and the page need them."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import nan

import pandas as pd

from blina.measures import text
from blina.measures.choices import ANY, ASSESSED, CRS, RULES, choice
from blina.measures.contrasts import BURDEN_TEST, FUSION_TEST, SMALLEST, P
from blina.measures.declare import (
    ASSAYS,
    BECAME,
    CRS_READINGS,
    OTHERS,
    RESPONDERS,
    TIMES,
    carriers_level,
    others_level,
    status_name,
)
from blina.measures.results import Result, Results

RATE = ("k", "n", "percent", "lower", "upper")
BOUNDS = ("percent_least", "percent_greatest", "lower_least", "upper_greatest")
SIZES = ("n_least", "n_greatest")
STATED = (
    *RATE,
    *BOUNDS,
    *SIZES,
    "not_assessed",
    "not_recorded",
    "open",
    "text",
    "short",
    "bounds",
)


def stated(result: Result) -> dict[str, object]:
    """The columns that state a proportion: counts, percentages, limits in %, and how it is written.

    percent_least and percent_greatest: over all line lists that fit, or over the missing data; lower_least and
    upper_greatest: the exact limits there. n_least and n_greatest: among how many, likewise. bounds: the
    least and greatest number counted, alone.
    """
    has_percent = result.measure.statistic == "percent"
    lower, upper = result.limits if has_percent else (nan, nan)
    least, greatest = result.outer_limits if has_percent else (nan, nan)
    span = result.spans.value
    percent = result.value if has_percent and not result.is_open else None
    return {
        "k": result.k,
        "n": result.n,
        "percent": text.as_float(percent),
        "lower": lower,
        "upper": upper,
        "percent_least": text.as_float(span.lower) if has_percent else nan,
        "percent_greatest": text.as_float(span.upper) if has_percent else nan,
        "lower_least": least,
        "upper_greatest": greatest,
        "n_least": _whole(result.spans.n.lower),
        "n_greatest": _whole(result.spans.n.upper),
        "not_assessed": result.here.not_assessed,
        "not_recorded": 0 if result.in_worlds else result.here.not_recorded,
        "open": result.is_open,
        "text": text.rate(result),
        "short": text.counts(result),
        "bounds": text.bounds(result),
    }


def _whole(value: Fraction | None) -> object:
    return pd.NA if value is None else int(value)


def _frame(rows: Iterable[dict], columns: Iterable[str]) -> pd.DataFrame:
    table = pd.DataFrame(list(rows), columns=[*columns])
    whole = ("k", "n", *SIZES, "not_assessed", "not_recorded")
    types = {name: "Int64" for name in whole if name in table}
    types |= {name: "float64" for name in (*RATE[2:], *BOUNDS) if name in table}
    return table.astype(types | {"open": bool} if "open" in table else types)


def _rates(results: Results, topic: str, **named: str) -> pd.DataFrame:
    """The proportions of a topic, a row each: its names, then `STATED`. named: attributes of measures, by column."""
    rows = []
    for result in results.of(topic):
        about = {column: getattr(result.measure, name) for column, name in named.items()}
        rows.append(about | stated(result))
    return _frame(rows, (*named, *STATED))


RESPONSE_COLUMNS = (
    "group",
    "measure",
    "rule",
    "evaluable_set",
    *STATED,
    "plain",
    "stated",
    "is_reported",
    "is_pooled",
)


def response(results: Results) -> pd.DataFrame:
    """Response of every group under every rule and evaluable set, one row each, `RESPONSE_COLUMNS`.

    `stated` is False where a rule asks for RT-PCR that was not done; `plain` is the rate without what is missing.
    """
    rows = []
    for result in results.of("response"):
        measure = result.measure
        rows.append(
            {
                "group": measure.group,
                "measure": measure.name,
                "rule": measure.rule,
                "evaluable_set": measure.evaluable_set,
                **stated(result),
                "plain": text.plain_rate(result),
                "stated": result.here.stated,
                "is_reported": measure.is_reported,
                "is_pooled": measure.is_pooled,
            }
        )
    return _frame(rows, RESPONSE_COLUMNS)


def nothing_to_clear(table: pd.DataFrame, group: str, rule: str) -> bool:
    """Whether no patient of a group was positive before by a rule's assay, so that there was nothing to clear.

    `table` is that of `response`. Where it is open, or not recorded, how many were, some may have been.
    """
    mine = table["group"].eq(group) & table["rule"].eq(rule) & table["measure"].eq(BECAME)
    mine &= ~table["is_pooled"] & table["stated"] & table["evaluable_set"].eq("positive_before")
    none = table["n"].eq(0).fillna(False) & table["percent_greatest"].isna()
    return bool(none[mine].any())


DESCRIPTION_KEYS = ("group", "characteristic", "level", "statistic", "unit")
DESCRIPTION_COLUMNS = (*DESCRIPTION_KEYS, *STATED, "value", "least", "greatest")


def description(results: Results) -> pd.DataFrame:
    """The cohort described: one row per group (and all patients), characteristic and level, `DESCRIPTION_COLUMNS`.

    `statistic` is "proportion", "number", "sum" or "median"; a median stands with its least and greatest value.
    """
    rows = []
    for result in results.of("description"):
        measure = result.measure
        if measure.statistic in ("min", "max"):
            continue
        row = {
            "group": measure.group,
            "characteristic": measure.name,
            "level": measure.level,
            "unit": "" if measure.counts else measure.unit,
        }
        if measure.statistic == "median":
            row |= {"statistic": "median", **_middle(results, result)}
        elif measure.statistic == "percent":
            row |= {"statistic": "proportion", **stated(result)}
        else:
            words = text.number(result)
            row |= {
                "statistic": "number",
                "value": text.as_float(result.value),
                "open": result.is_open,
                "text": words,
                "short": words,
                "bounds": text.bounds(result),
            }
        rows.append(row)
    table = _frame(rows, DESCRIPTION_COLUMNS)
    return table.astype(dict.fromkeys(("value", "least", "greatest"), "float64"))


def _middle(results: Results, median: Result) -> dict[str, object]:
    """The columns of a median with its range."""
    measure = median.measure
    least, greatest = (
        results.get(
            measure.topic,
            measure.group,
            measure.name,
            measure.level,
            measure.rule,
            measure.evaluable_set,
            end,
        )
        for end in ("min", "max")
    )
    return {
        "n": median.n,
        "value": text.as_float(_printed_or(median)),
        "least": text.as_float(least.value),
        "greatest": text.as_float(greatest.value),
        "not_recorded": 0 if median.in_worlds else median.here.not_recorded,
        "open": any(part.is_open for part in (median, least, greatest)),
        "text": text.median_and_range(median, least, greatest),
        "short": text.middle_text(median),
        "bounds": text.bounds(median),
    }


def _printed_or(result: Result):
    """A number as printed, where it is; else its value."""
    printed = result.spans.value.printed if result.in_worlds else ""
    return float(printed) if printed and result.value is not None else result.value


STATUS_COLUMNS = ("group", "assay", "time", "status", *STATED)


def statuses(results: Results) -> pd.DataFrame:
    """Patients by group, assay, time and status, `STATUS_COLUMNS`."""
    named = {status_name(assay, time): (assay, time) for assay in ASSAYS for time in TIMES}
    rows = []
    for result in results.of("statuses"):
        assay, time = named[result.measure.name]
        words = {"text": text.some_of(result), "short": text.negatives(result)}
        rows.append(
            {"group": result.measure.group, "assay": assay, "time": time, "status": result.measure.level}
            | stated(result)
            | words
        )
    return _frame(rows, STATUS_COLUMNS)


FLOW_COLUMNS = ("stage", "group", "state", "n", "of", "open", "short")


def flow(results: Results) -> pd.DataFrame:
    """Patients from treatment to outcome: one row per stage, group and state that occurs, `FLOW_COLUMNS`.

    `n` of the group's `of` patients. The states of a stage add up to the group.
    """
    rows = []
    for result in results.of("flow"):
        measure = result.measure
        rows.append(
            {
                "stage": measure.name,
                "group": measure.group,
                "state": measure.level,
                "n": result.k,
                "of": result.here.n,
                "open": result.is_open,
                "short": text.counts(result),
            }
        )
    table = pd.DataFrame(rows, columns=FLOW_COLUMNS).astype({"n": "Int64", "of": "Int64"})
    here = pd.Series([result.here.k for result in results.of("flow")], dtype="Int64")
    sums = table.assign(here=here).groupby(["stage", "group"], sort=False)
    assert (sums["here"].sum() == sums["of"].first()).all(), "states do not add up to the group"
    return table


def concordance(results: Results) -> pd.DataFrame:
    """FC against RT-PCR in patients with both results: group, time, counted, and `STATED`."""
    return _rates(results, "concordance", group="group", time="name", counted="level")


FUSION_COLUMNS = (
    "group",
    "measure",
    "gene",
    "rule",
    "carriers_k",
    "carriers_n",
    "carriers_text",
    "carriers_before_text",
    "carriers_before_n",
    "others_k",
    "others_n",
    "others_text",
    "others_before_text",
    "carriers_not_assessed",
    "others_not_assessed",
    "not_recorded",
    "carriers_stated",
    "p",
    "smallest_attainable",
    "test_text",
    "open",
)


def fusion(results: Results, not_assessed, lacking) -> pd.DataFrame:
    """Carriers of each fusion gene against the others, by group and rule among the patients assessed.

    `carriers_before_text` counts those positive before by the rule's assay. not_assessed(group, measure, gene, rule,
    side) and lacking(group, measure, gene) give the patients of a side without a result, and those of whom it is not
    recorded whether they carry the gene.
    """
    rows = []
    for p in results.of(FUSION_TEST):
        measure = p.measure
        if measure.statistic != P:
            continue
        about = (measure.group, measure.name, measure.level, measure.rule)
        smallest = results.get(FUSION_TEST, *about, ASSESSED.id, SMALLEST)
        row = {
            "group": measure.group,
            "measure": measure.name,
            "gene": measure.level,
            "rule": measure.rule,
            "not_recorded": lacking(*about[:3]),
            "p": text.as_float(p.value),
            "smallest_attainable": text.as_float(smallest.value),
            "test_text": text.test(p, smallest),
        }
        is_open = p.status == "open"
        for side, level in _sides(measure.level).items():
            mine = results.get("fusion", *about[:2], level, measure.rule, ASSESSED.id)
            before = results.get("fusion", *about[:2], level, measure.rule, "positive_before")
            missing = not_assessed(*about, side)
            row |= {
                f"{side}_k": mine.k,
                f"{side}_n": mine.n,
                f"{side}_text": _with_missing(text.rate(mine), missing, mine),
                f"{side}_before_text": text.rate(before) if before else "",
                f"{side}_not_assessed": missing,
            }
            is_open = is_open or mine.is_open
            if side == "carriers":
                row["carriers_stated"] = mine.here.stated
                row["carriers_before_n"] = before.spans.n.upper if before else pd.NA
        rows.append(row | {"open": is_open})
    table = pd.DataFrame(rows, columns=FUSION_COLUMNS)
    counts = ("carriers_k", "carriers_n", "others_k", "others_n", "carriers_not_assessed")
    counts += ("others_not_assessed", "not_recorded", "carriers_before_n")
    return table.astype(dict.fromkeys(counts, "Int64") | {"open": bool})


def _sides(gene: str) -> dict[str, str]:
    return {"carriers": carriers_level(gene), OTHERS: others_level(gene)}


def _with_missing(words: str, missing: int, result: Result) -> str:
    if not missing or not result.here.stated:
        return words
    if not result.here.n:
        return f"0 of {missing} assessed"
    return f"{words}; {missing} more not assessed"


BURDEN_COLUMNS = (
    "group",
    "rule",
    "n",
    "without_value",
    "without_value_text",
    "responders",
    "responders_short",
    "responders_median",
    "responders_range",
    "responders_range_open",
    "others",
    "others_short",
    "others_median",
    "others_range",
    "others_range_open",
    "p",
    "smallest_attainable",
    "test_text",
    "open",
)


def burden(results: Results, group: str | None = None) -> pd.DataFrame:
    """MRD before of those negative after against the others, a row per group, `BURDEN_COLUMNS`; values in %.

    n patients have a value and an outcome, `without_value` do not. `_short` is the count among the n.
    """
    rows = []
    for p in results.of(BURDEN_TEST):
        measure = p.measure
        if measure.statistic != P or group not in (None, measure.group):
            continue
        rows.append(_burden_row(results, p))
    table = pd.DataFrame(rows, columns=BURDEN_COLUMNS)
    counts = ("n", "without_value", "responders", "others")
    flags = ("open", "responders_range_open", "others_range_open")
    return table.astype(dict.fromkeys(counts, "Int64") | dict.fromkeys(flags, bool))


def _burden_row(results: Results, p: Result) -> dict[str, object]:
    group, rule = p.measure.group, p.measure.rule
    smallest = results.get(BURDEN_TEST, group, "MRD before", "", rule, "", SMALLEST)
    without = results.get("burden", group, "without value or outcome", "", rule, "", "count")
    row = {
        "group": group,
        "rule": rule,
        "without_value": without.k,
        "without_value_text": text.patients(without),
    }
    sizes = []
    is_open = p.status == "open" or without.is_open
    for side in (RESPONDERS, OTHERS):
        size, median, least, greatest = (
            results.get("burden", group, "MRD before", side, rule, "", statistic)
            for statistic in ("count", "median", "min", "max")
        )
        sizes.append(size.k)
        row |= {
            side: size.k,
            f"{side}_short": text.counts(size),
            f"{side}_median": text.middle_text(median),
            f"{side}_range": text.range_text(least, greatest),
            f"{side}_range_open": least.is_open or greatest.is_open,
        }
        is_open = is_open or any(part.is_open for part in (size, median, least, greatest))
    row["n"] = None if None in sizes else sum(sizes)
    row |= {
        "p": text.as_float(p.value),
        "smallest_attainable": text.as_float(smallest.value),
        "test_text": text.test(p, smallest),
        "open": is_open,
    }
    return row


def events(results: Results) -> pd.DataFrame:
    """Patients by worst grade of each event: group (and all patients), event, severity, and `STATED`."""
    return _rates(results, "events", group="group", event="name", severity="level")


CRS_COLUMNS = ("group", "reading", "fever_only", "number", *STATED)


def fever_as_crs(results: Results, readings: Iterable[str]) -> pd.DataFrame:
    """CRS of any grade as reported and, if asked for, with fever alone as grade 1, `CRS_COLUMNS`.

    `fever_only`: patients with fever and no CRS, by whom the two readings differ.
    """
    rows = []
    for alone in results.of("fever as CRS"):
        if alone.measure.statistic != "count":
            continue
        group = alone.measure.group
        counted = {
            CRS_READINGS[0]: results.get("events", group, CRS, ANY),
            CRS_READINGS[1]: results.get("fever as CRS", group, CRS, CRS_READINGS[1]),
        }
        for reading in readings:
            mine = counted[reading]
            row = {"group": group, "reading": reading, "fever_only": alone.k, "number": text.patients_counted(mine)}
            rows.append(row | stated(mine))
    return _frame(rows, CRS_COLUMNS).astype({"fever_only": "Int64"})


def stops(results: Results) -> pd.DataFrame:
    """How cycle 1 ended: group (and all patients), stop_reason, and `STATED`."""
    return _rates(results, "stops", group="group", stop_reason="level")


REACTION_COLUMNS = ("group", "stopped_for_severe", "described_severe", "both", "difference", "open")


def severe_reactions(results: Results) -> pd.DataFrame:
    """Stops for a severe reaction beside the severe reactions described, `REACTION_COLUMNS` (texts)."""
    rows: dict[str, dict[str, object]] = {}
    for result in results.of("severe reactions"):
        measure = result.measure
        row = rows.setdefault(measure.group, {"group": measure.group, "open": False})
        row[measure.name] = text.patients(result)
        row["open"] = row["open"] or result.is_open
    return pd.DataFrame(list(rows.values()), columns=REACTION_COLUMNS)


INFUSION_COLUMNS = ("group", "stop_reason", "infusion_days", "open")


def infusions(results: Results) -> pd.DataFrame:
    """Days of infusion and end of cycle 1 that occur in each group, and whether the number of such patients is open."""
    rows = []
    for result in results.of("infusions"):
        rows.append(
            {
                "group": result.measure.group,
                "stop_reason": result.measure.name,
                "infusion_days": int(result.measure.level),
                "open": result.is_open,
            }
        )
    return pd.DataFrame(rows, columns=INFUSION_COLUMNS).astype({"open": bool})


def label(rule: str) -> str:
    """A response rule as tables name it."""
    return choice(RULES, rule).label
