"""MRD response: under every rule and evaluable set, by fusion gene and by burden before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd

from blina.analysis.cohort import by_group, median_text
from blina.analysis.intervals import MOST_RANKED, ExactTest, exact, fisher_exact, rank_permutation, rate
from blina.linelist.cohort import Cohort, Group

BECAME, STAYED = "negative after", "stayed negative"
REPORTED = "reported"
CLEARING = ("clearance", "reinduction")
STATUSES = ("positive", "negative", "not_applicable")
STATUS_KEYS = ("assay", "time", "status")
RATE_KEYS = ("group", "measure", "rule", "evaluable_set")
STATUS_COLUMNS = (*STATUS_KEYS, "k", "n", "text")
RATE_COLUMNS = (*RATE_KEYS, "k", "n", "percent", "lower", "upper", "is_reported",
                "is_pooled", "text")  # fmt: skip
CONTRAST_COLUMNS = ("group", "measure", "rule", "carriers_k", "carriers_n", "carriers_text", "others_k", "others_n",
                    "others_text", "p", "smallest_attainable", "test_text")  # fmt: skip
CONCORDANCE_COLUMNS = ("group", "time", "counted", "k", "n", "percent", "lower", "upper", "text")
FLOW_COLUMNS = ("stage", "group", "state", "n", "of")
BURDEN_COLUMNS = ("patient_id", "group", "assay", "value_percent", "rule", "responded")
BURDEN_TEST_COLUMNS = ("group", "rule", "n", "without_value", "responders", "responders_median", "responders_range",
                       "others", "others_median", "others_range", "p", "smallest_attainable", "test_text")  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """A response rule or an evaluable set: its id, how tables and figures name it, what it means."""

    id: str
    label: str
    meaning: str


RULES: tuple[Choice, ...] = (
    Choice("fc", "FC", "negative by FC after treatment"),
    Choice("pcr", "RT-PCR", "negative by RT-PCR after treatment, among patients with a fusion gene followed"),
    Choice("fc_and_pcr", "FC and RT-PCR", "negative by FC and, where a fusion gene is followed, by RT-PCR"),
)
CELLS = {f"FC {fc}, RT-PCR {pcr}": (fc, pcr) for fc in ("positive", "negative") for pcr in ("positive", "negative")}
AGREE, MISSED = "FC and RT-PCR agree", "RT-PCR positive among FC negative"
AFTER = ("negative by FC and, where followed, RT-PCR", "negative by FC, positive by RT-PCR", "positive by FC",
         "not assessed")  # fmt: skip
EVALUABLE_SETS: tuple[Choice, ...] = (
    Choice("all_treated", "all treated", "every patient who received any blinatumomab"),
    Choice("positive_before", "positive before",
           "patients positive before treatment by the rule's assay (by either, where the rule has both)"),
    Choice("more_than_7_days", "more than 7 days", "patients with more than 7 days of infusion in cycle 1"),
    Choice("severe_stops_failed", "severe stops as failures",
           "every patient; who stopped early for a severe reaction counts as not negative"),
    Choice("without_severe_stops", "without severe stops",
           "patients who did not stop early for a severe reaction"),
)  # fmt: skip


def choice(choices: tuple[Choice, ...], id: str) -> Choice:
    """The rule or evaluable set of that id (ValueError, with the ids there are, if none)."""
    for one in choices:
        if one.id == id:
            return one
    raise ValueError(f"no {id} among {', '.join(one.id for one in choices)}")


def rule_of(group: Group, rule: str | None = None) -> str:
    """A rule's id: the one named, "reported" for the one behind the group's printed rate, None for that or else FC.

    ValueError if there is no such rule, or "reported" is asked of a group for which no rate was reported.
    """
    if rule == REPORTED and group.reported_rule is None:
        raise ValueError(f"no rate was reported for {group.name}, so there is no reported rule")
    return choice(RULES, (group.reported_rule or "fc") if rule in (None, REPORTED) else rule).id


def outcomes(patients: pd.DataFrame, mrd: pd.DataFrame) -> pd.DataFrame:
    """One row per patient: what MRD was before and after, and the outcome under every rule.

    Adds to `patients` the columns `positive_before` (bool, any assay), `fc_before` and `pcr_before` (bool, positive by
    that assay), and `fc`, `pcr`, `fc_and_pcr` (boolean: negative
    after by that rule; NA where the rule's assay does not apply, so the patient is in no denominator of it).
    ValueError unless there is exactly one MRD row per patient, time and assay.
    """
    keys = ["patient_id", "time", "assay"]
    if mrd.duplicated(keys).any():
        raise ValueError("the MRD table has two rows for one patient, time and assay")
    wanted = pd.MultiIndex.from_product([patients["patient_id"], ("before", "after"), ("FC", "RT-PCR")], names=keys)
    status = mrd.set_index(keys)["status"].reindex(wanted)
    if status.isna().any():
        raise ValueError(f"the MRD table lacks {int(status.isna().sum())} of {len(wanted)} rows (patient, time, assay)")
    results = pd.MultiIndex.from_product([("before", "after"), ("FC", "RT-PCR")])
    status = status.unstack(["time", "assay"]).reindex(index=patients["patient_id"], columns=results)
    fc, pcr = (_negative(status["after", assay].array) for assay in ("FC", "RT-PCR"))
    return patients.assign(
        positive_before=status["before"].eq("positive").any(axis=1).array,
        fc_before=status["before", "FC"].eq("positive").array,
        pcr_before=status["before", "RT-PCR"].eq("positive").array,
        fc=fc,
        pcr=pcr,
        fc_and_pcr=fc & pcr.fillna(True),
    )


def statuses(mrd: pd.DataFrame) -> pd.DataFrame:
    """Patients by assay, time and status: one row per combination, none left out, `STATUS_COLUMNS`."""
    counts = mrd.groupby(["assay", "time", "status"]).size()
    rows = [(assay, time, status, int(counts.get((assay, time, status), 0)), mrd["patient_id"].nunique())
            for assay in ("FC", "RT-PCR") for time in ("before", "after") for status in STATUSES]  # fmt: skip
    return pd.DataFrame([(*row, f"{row[3]} of {row[4]}") for row in rows], columns=STATUS_COLUMNS)


def rates(patients: pd.DataFrame, mrd: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Response of every group under every rule and evaluable set, `RATE_COLUMNS`; percent and exact limits in %.

    Groups treated to clear MRD or to reinduce state who is "negative after" (`measure`), and are also pooled under each
    rule (`is_pooled`). A patient of theirs who was negative before counts as treated; the set "positive before"
    leaves out who was negative before by the assay of the rule. A group treated for bridging, or without a declared
    purpose and with nobody positive before, states who "stayed negative" among the patients negative before, is never
    pooled, and leaves nobody in the set "positive before"; bridging patients who were positive before get rows of
    their own under "negative after". `is_reported` marks the row whose rule is the one behind the group's printed rate,
    over all treated. n is 0 where nobody is evaluable: percent and limits are NaN.
    """
    rows = []
    for unit in _units(outcomes(patients, mrd), cohort):
        for rule in RULES:
            for evaluable in EVALUABLE_SETS:
                headline = rule.id == unit.reported_rule and evaluable.id == "all_treated"
                counted = {"group": unit.name, "measure": unit.measure, "rule": rule.id, "evaluable_set": evaluable.id,
                           "is_reported": headline, "is_pooled": unit.is_pooled}  # fmt: skip
                rows.append(counted | rate(*_counts(_success(unit.members, rule.id, evaluable.id))))
    return pd.DataFrame(rows, columns=RATE_COLUMNS)


def flow(patients: pd.DataFrame, mrd: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Patients from treatment to outcome: one row per stage, group and state that occurs at the stage, `FLOW_COLUMNS`.

    Stages: "treated" (group), "MRD before" (positive by any assay or not detected), "end of cycle 1" (stop reason) and
    "MRD after" (`AFTER`, which splits every patient by what either assay says). `n` of the group's `of` patients.
    Counts balance: the states of a stage add up to the group, the groups to the cohort.
    """
    table = outcomes(patients, mrd)
    after = pd.Series(AFTER[3], index=table.index).mask(table["fc"].fillna(True).eq(False), AFTER[2])
    after = after.mask(table["fc"] & ~table["fc_and_pcr"], AFTER[1]).mask(table["fc"] & table["fc_and_pcr"], AFTER[0])
    before = table["positive_before"].map({True: "positive by any assay", False: "not detected"})
    stages = {"treated": pd.Series("treated", index=table.index), "MRD before": before,
              "end of cycle 1": table["stop_reason"], "MRD after": after}  # fmt: skip
    declared = ("treated", "completed", "severe_reaction", "economic", "positive by any assay", "not detected", *AFTER)
    rows = []
    for stage, states in stages.items():
        seen = set(states)
        present = [*(state for state in declared if state in seen), *sorted(seen - set(declared))]
        for name, members in by_group(table, cohort, total=False):
            mine = states[members.index]
            rows += [(stage, name, state, int((mine == state).sum()), len(mine)) for state in present]
    counts = pd.DataFrame(rows, columns=FLOW_COLUMNS)
    by_stage = counts.groupby(["stage", "group"], sort=False).agg(n=("n", "sum"), of=("of", "first"))
    assert (by_stage["n"] == by_stage["of"]).all(), "the states of a stage do not add up to the group"
    assert (by_stage.groupby("stage")["n"].sum() == len(patients)).all(), "the groups do not add up to the cohort"
    return counts


def concordance(patients: pd.DataFrame, mrd: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """FC against RT-PCR in patients whom RT-PCR follows, per group and time, `CONCORDANCE_COLUMNS`; limits in %.

    `counted` is a cell of the two by two table (`CELLS`) or `AGREE`, each of all patients with both results, or
    `MISSED`: RT-PCR positive, of those negative by FC. n is 0 where there is nobody: percent and limits are NaN.
    ValueError if there are two results for one patient, time and assay.
    """
    status = mrd.pivot(index=["patient_id", "time"], columns="assay", values="status").reset_index()
    both = status[status[["FC", "RT-PCR"]].isin(("positive", "negative")).all(axis=1)]
    table = patients[["patient_id", "group"]].merge(both, on="patient_id", validate="one_to_many")
    rows = []
    for name, members in by_group(table, cohort, total=False):
        for time in ("before", "after"):
            fc, pcr = (members.loc[members["time"] == time, assay] for assay in ("FC", "RT-PCR"))
            success = {cell: (fc == by_fc) & (pcr == by_pcr) for cell, (by_fc, by_pcr) in CELLS.items()}
            success |= {AGREE: fc == pcr, MISSED: pcr[fc == "negative"] == "positive"}
            rows += [{"group": name, "time": time, "counted": counted} | rate(yes.sum(), len(yes))
                     for counted, yes in success.items()]  # fmt: skip
    return pd.DataFrame(rows, columns=CONCORDANCE_COLUMNS)


def fusion_contrast(patients: pd.DataFrame, mrd: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Carriers of BCR::ABL1 against the others, per group and rule over all treated, `CONTRAST_COLUMNS`.

    p and smallest attainable p are Fisher's exact test of negative or not by carrier or not (float; NaN where one side
    has nobody: there is nothing to compare, and `test_text` says so). Groups and measures are those of `rates`.
    """
    rows = []
    for unit in _units(outcomes(patients, mrd), cohort):
        is_carrier = unit.members["bcr_abl1"].astype(bool)
        for rule in RULES:
            counts = {"carriers": _counts(unit.members.loc[is_carrier, rule.id]),
                      "others": _counts(unit.members.loc[~is_carrier, rule.id])}  # fmt: skip
            both = all(n for _, n in counts.values())
            test = fisher_exact([[k, n - k] for k, n in counts.values()]) if both else None
            stated = {f"{side}_{name}": rate(*count)[name]
                      for side, count in counts.items() for name in ("k", "n", "text")}  # fmt: skip
            rows.append({"group": unit.name, "measure": unit.measure, "rule": rule.id} | stated
                        | _test_columns(test, "nobody to compare with"))  # fmt: skip
    return pd.DataFrame(rows, columns=CONTRAST_COLUMNS)


def burden(patients: pd.DataFrame, mrd: pd.DataFrame, cohort: Cohort, group: str,
           rule: str | None = None) -> pd.DataFrame:  # fmt: skip
    """MRD before against response, one row per patient of a group with a value before, least first, `BURDEN_COLUMNS`.

    `value_percent` is the recorded MRD in %, `assay` the one it stands on; `responded` whether the patient was negative
    after under the rule (`rule_of`). A patient with values by both assays gives the FC value. These are rows: show
    `cohort.face`. ValueError if there is no such group or rule.
    """
    rule = rule_of(cohort.group(group), rule)
    table = outcomes(patients, mrd).query("group == @group")
    before = mrd[(mrd["time"] == "before") & mrd["value_percent"].notna()].sort_values("assay")
    before = before.drop_duplicates("patient_id")[["patient_id", "assay", "value_percent"]]
    joined = table.merge(before, on="patient_id", validate="one_to_one").assign(rule=rule, responded=lambda t: t[rule])
    joined = joined[joined["responded"].notna()].astype({"responded": bool})
    return joined.sort_values(["value_percent", "patient_id"])[[*BURDEN_COLUMNS]].reset_index(drop=True)


def burden_test(patients: pd.DataFrame, mrd: pd.DataFrame, cohort: Cohort, group: str,
                rule: str | None = None) -> pd.DataFrame:  # fmt: skip
    """MRD before of responders against the others, in one row, `BURDEN_TEST_COLUMNS`.

    n patients have a value and an outcome, `without_value` do not. Both sides as number, median and range in
    %; exact rank permutation p with the smallest attainable (float; NaN where one side is empty or there
    are more than 100 patients, and `test_text` says which).
    """
    table = burden(patients, mrd, cohort, group, rule)
    yes, no = (table.loc[table["responded"] == side, "value_percent"] for side in (True, False))
    why_not = "nobody to compare with" if yes.empty or no.empty else f"not computed for over {MOST_RANKED} patients"
    test = None
    if len(yes) and len(no) and len(table) <= MOST_RANKED:
        test = rank_permutation([exact(value) for value in table["value_percent"]], [*table["responded"]])
    row = {"group": group, "rule": rule_of(cohort.group(group), rule), "n": len(table),
           "without_value": int((patients["group"] == group).sum()) - len(table)}  # fmt: skip
    for side, values in (("responders", yes), ("others", no)):
        middle, _, ends = median_text(values, 2).partition(" ")
        row |= {side: len(values), f"{side}_median": middle, f"{side}_range": ends.strip("()")}
    return pd.DataFrame([row | _test_columns(test, why_not)], columns=BURDEN_TEST_COLUMNS)


def _negative(status: pd.api.extensions.ExtensionArray) -> pd.api.extensions.ExtensionArray:
    """Negative or not as nullable booleans, NA where the assay does not apply."""
    negative = pd.array([one == "negative" for one in status], dtype="boolean")
    negative[[one == "not_applicable" for one in status]] = pd.NA
    return negative


# Who is counted in each evaluable set, from the outcome table.
_BEFORE = {"fc": "fc_before", "pcr": "pcr_before", "fc_and_pcr": "positive_before"}
_COUNTED: dict[str, Callable[[pd.DataFrame, str], pd.Series]] = {
    "all_treated": lambda of, rule: of["patient_id"].notna(),
    "positive_before": lambda of, rule: of[_BEFORE[rule]],
    "more_than_7_days": lambda of, rule: of["infusion_days"] > 7,
    "severe_stops_failed": lambda of, rule: of["patient_id"].notna(),
    "without_severe_stops": lambda of, rule: of["stop_reason"] != "severe_reaction",
}


@dataclass(frozen=True)
class _Unit:
    """Patients whose response is stated together: a group, one measure's part of a bridging group, or pooled groups."""

    name: str
    measure: str
    members: pd.DataFrame
    reported_rule: str | None = None
    is_pooled: bool = False


def _units(table: pd.DataFrame, cohort: Cohort) -> Iterator[_Unit]:
    for name, members in by_group(table, cohort, total=False):
        group, positive = cohort.group(name), members["positive_before"]
        if group.purpose == "bridging" or (group.purpose is None and not positive.any()):
            yield _Unit(name, STAYED, members[~positive], group.reported_rule)
            if positive.any():
                yield _Unit(name, BECAME, members[positive])
        else:
            yield _Unit(name, BECAME, members, group.reported_rule)
    clearing = [group.name for group in cohort.groups if group.purpose in CLEARING]
    if len(clearing) > 1:
        yield _Unit(" + ".join(clearing), BECAME, table[table["group"].isin(clearing)], is_pooled=True)


def _success(members: pd.DataFrame, rule: str, evaluable_set: str) -> pd.Series:
    """The outcome of those counted, NA where the rule's assay does not apply."""
    counted = members[_COUNTED[evaluable_set](members, rule)]
    success = counted[rule]
    if evaluable_set == "severe_stops_failed":
        success = success.mask(success.notna() & (counted["stop_reason"] == "severe_reaction"), False)
    return success


def _counts(success: pd.Series) -> tuple[int, int]:
    """Successes and patients with an outcome."""
    return int(success.sum()), int(success.notna().sum())


def _test_columns(test: ExactTest | None, why_not: str) -> dict[str, object]:
    if test is None:
        return {"p": float("nan"), "smallest_attainable": float("nan"), "test_text": why_not}
    return {"p": float(test.p), "smallest_attainable": float(test.smallest_attainable), "test_text": test.text}
