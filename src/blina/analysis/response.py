"""MRD response: under every rule and evaluable set, by fusion gene and by burden before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from blina.analysis.cohort import NOT_RECORDED, by_group, median_text, places
from blina.measures.intervals import MOST_RANKED, ExactTest, exact, fisher_exact, rank_permutation, rate, short_text
from blina.linelist.cohort import Cohort, Group
from blina.linelist.tidy import ASSAYS, STATUSES, TIMES

BECAME, STAYED = "negative after", "stayed negative"
UNKNOWN_BEFORE = "negative after, not assessed before"  # of a bridging group
REPORTED = "reported"
CLEARING = ("clearance", "reinduction")
WITH_RT_PCR = ("pcr", "fc_and_pcr")
NO_RT_PCR = "no RT-PCR after treatment"  # instead of a rate by these rules
ALWAYS_LISTED = ("positive", "negative", "not_applicable")  # statuses that a table lists even of nobody
STATUS_KEYS = ("assay", "time", "status")
RATE_KEYS = ("group", "measure", "rule", "evaluable_set")
STATUS_COLUMNS = (*STATUS_KEYS, "k", "n", "text")
RATE_COLUMNS = (*RATE_KEYS, "k", "n", "percent", "lower", "upper", "not_assessed", "is_reported",
                "is_pooled", "text")  # fmt: skip
CONTRAST_COLUMNS = ("group", "measure", "rule", "carriers_k", "carriers_n", "carriers_text", "others_k", "others_n",
                    "others_text", "carriers_not_assessed", "others_not_assessed", "not_recorded", "p",
                    "smallest_attainable", "test_text")  # fmt: skip
_POSITIVE, _NEGATIVE, _NOT_APPLICABLE = (STATUSES.index(word) for word in ALWAYS_LISTED)
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
         "not assessed", "positive by RT-PCR, FC not assessed")  # fmt: skip
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
ASSESSED = Choice("assessed", "assessed after", "patients assessed after treatment by what the rule asks for")
ALL_SETS = (EVALUABLE_SETS[0], ASSESSED, *EVALUABLE_SETS[1:])  # with the one that only some cohorts need


def choice(choices: tuple[Choice, ...], id: str) -> Choice:
    """The rule or evaluable set of that id (ValueError, with the ids there are, if none)."""
    for one in choices:
        if one.id == id:
            return one
    raise ValueError(f"no {id} among {', '.join(one.id for one in choices)}")


def sets_of(table: pd.DataFrame) -> list[Choice]:
    """The evaluable sets that a table of `rates` has, in the order of `ALL_SETS`."""
    present = set(table["evaluable_set"])
    return [one for one in ALL_SETS if one.id in present]


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
    that assay), `assessed_before` (bool, a result by any assay), `negative_before` (bool, negative by each assay that
    applies), `pcr_result` (bool, a result by RT-PCR, before or after), and `fc`, `pcr`, `fc_and_pcr` (boolean: known to
    be negative after by that rule; NA where the rule's assay does not apply, so the patient is in no denominator of
    it). `fc_assessed`, `pcr_assessed` and `fc_and_pcr_assessed` (bool) say whether each assay that the rule needs has a
    result, whatever it is: who is assessed must not depend on what was found. An assay that was not done, or of which
    nothing is recorded, has no result; `positive_after` (bool) is a positive result by any assay. ValueError unless
    there is exactly one MRD row per patient, time and assay.
    """
    status = _status(patients, mrd)
    positive, negative, applies = status == _POSITIVE, status == _NEGATIVE, status != _NOT_APPLICABLE
    result = positive | negative
    (fc, pcr), (has_fc, has_pcr), (_, pcr_applies) = (of[:, 1].T for of in (negative, result, applies))
    both = fc & (pcr | ~pcr_applies)
    return patients.assign(
        positive_before=positive[:, 0].any(axis=1),
        fc_before=positive[:, 0, 0],
        pcr_before=positive[:, 0, 1],
        assessed_before=result[:, 0].any(axis=1),
        negative_before=(negative[:, 0] | ~applies[:, 0]).all(axis=1) & negative[:, 0].any(axis=1),
        positive_after=positive[:, 1].any(axis=1),
        pcr_result=result[:, :, 1].any(axis=1),
        fc=_nullable(fc, applies[:, 1, 0]),
        pcr=_nullable(pcr, pcr_applies),
        fc_and_pcr=_nullable(both, applies[:, 1, 0] | positive[:, 1, 1]),
        fc_assessed=has_fc,
        pcr_assessed=has_pcr,
        fc_and_pcr_assessed=has_fc & (has_pcr | ~pcr_applies),
    )


def statuses(mrd: pd.DataFrame) -> pd.DataFrame:
    """Patients by assay, time and status, `STATUS_COLUMNS`: one row per combination, none of `ALWAYS_LISTED` left out.

    "not_done" and "not recorded" are listed where they occur.
    """
    n = mrd["patient_id"].nunique()
    counts = mrd.fillna({"status": NOT_RECORDED}).groupby(["assay", "time", "status"]).size()
    rows = []
    for assay in ASSAYS:
        for time in TIMES:
            found = counts.get((assay, time), pd.Series(dtype=int))
            rows += [(assay, time, status, int(found.get(status, 0)), n) for status in (*STATUSES, NOT_RECORDED)
                     if status in ALWAYS_LISTED or status in found]  # fmt: skip
    return pd.DataFrame([(*row, f"{row[3]} of {row[4]}") for row in rows], columns=STATUS_COLUMNS)


def rates(patients: pd.DataFrame, mrd: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Response of every group under every rule and evaluable set, `RATE_COLUMNS`; percent and exact limits in %.

    Groups treated to clear MRD or to reinduce state who is "negative after" (`measure`), and are also pooled under each
    rule (`is_pooled`; outside a reconstruction only if all have one purpose). A patient of theirs who was negative
    before counts as treated; the set "positive before" leaves out who was negative before by the assay of the rule. A
    group without a purpose states the same, but is not pooled. A group treated for bridging states who "stayed
    negative" among the patients negative before by each assay that applies, is never pooled, and leaves nobody in the
    set "positive before"; its patients who were positive before, and those not assessed before (`UNKNOWN_BEFORE`), get
    rows of their own. `is_reported` marks the row whose rule is the one behind the group's printed rate, over all
    treated. n is 0 where nobody is evaluable: percent and limits are NaN.

    Who was not assessed after is among the n and counts as not negative (missing counted as non-response);
    `not_assessed` is their number, and the text gives it. Where there are any, the set "assessed" leaves them out.
    Whose days of drug or reason to stop are not recorded is in no set that depends on them.

    RT-PCR alone counts known carriers of BCR::ABL1 and whoever has a result by it, before or after. Where none of a
    group's patients whom RT-PCR might follow has a result after, no rule with RT-PCR is stated: n is 0 and the text is
    `NO_RT_PCR`.
    """
    table = followed(patients[["patient_id", "group", "infusion_days", "stop_reason", "bcr_abl1"]], mrd)
    lacks = any((table[rule.id].notna() & ~table[f"{rule.id}_assessed"]).any() for rule in RULES)
    rows = []
    for unit in _units(table, cohort):
        for rule in RULES:
            negative = unit.members[rule.id].fillna(False).to_numpy(dtype=bool)
            assessed = unit.members[f"{rule.id}_assessed"].to_numpy()
            unstated = lacks_rt_pcr(unit.members, rule.id)
            for evaluable_set, counted in _counted(unit.members, rule.id).items():
                if evaluable_set == ASSESSED.id and not lacks:
                    continue
                counted = counted & (not unstated)
                success = counted & negative
                if evaluable_set == "severe_stops_failed":
                    success = success & ~_severe_stop(unit.members)
                missing = int((counted & ~assessed).sum())
                stated = _rate(success.sum(), counted.sum(), missing, unstated)
                rows.append({"group": unit.name, "measure": unit.measure, "rule": rule.id,
                             "evaluable_set": evaluable_set, "not_assessed": missing, "is_pooled": unit.is_pooled,
                             "is_reported": rule.id == unit.reported_rule and evaluable_set == "all_treated",
                             } | stated)  # fmt: skip
    return pd.DataFrame(rows, columns=RATE_COLUMNS)


def nothing_to_clear(table: pd.DataFrame, group: str, rule: str) -> bool:
    """Whether nobody of a group was positive before by the assay of a rule, so that "negative after" is no response.

    `table` is that of `rates`, with bounds or without; where it is open how many were, somebody may have been.
    """
    mine = table["group"].eq(group) & table["rule"].eq(rule) & table["measure"].eq(BECAME) & ~table["is_pooled"]
    mine &= table["text"].ne(NO_RT_PCR)
    n = table.loc[mine & table["evaluable_set"].eq("positive_before"), "n"]
    return bool(n.eq(0).fillna(False).any())


def flow(patients: pd.DataFrame, mrd: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Patients from treatment to outcome: one row per stage, group and state that occurs at the stage, `FLOW_COLUMNS`.

    Stages: "treated" (group), "MRD before" (positive by any assay, not detected or not assessed), "end of cycle 1"
    (stop reason) and "MRD after" (`AFTER`, which splits every patient by what either assay says; "not assessed" is
    whoever has no result that decides it). `n` of the group's `of` patients. Counts balance: the states of a stage add
    up to the group, the groups to the cohort.
    """
    table = outcomes(patients, mrd)
    is_clear, by_fc = table["fc_and_pcr"].fillna(False).astype(bool), table["fc"].fillna(False).astype(bool)
    decided = table["fc_and_pcr_assessed"] | table["positive_after"]
    after = np.select([is_clear, decided & by_fc, decided & table["fc_assessed"], decided],
                      [AFTER[0], AFTER[1], AFTER[2], AFTER[4]], AFTER[3])  # fmt: skip
    before = np.select([table["positive_before"], table["assessed_before"]],
                       ["positive by any assay", "not detected"], "not assessed")  # fmt: skip
    stages = {"treated": "treated", "MRD before": before, "end of cycle 1": table["stop_reason"].fillna(NOT_RECORDED),
              "MRD after": after}  # fmt: skip
    declared = ("treated", "completed", "severe_reaction", "economic", "other", NOT_RECORDED, "positive by any assay",
                "not detected", *AFTER)  # fmt: skip
    rows = []
    for stage, found in stages.items():
        states = pd.Series(found, index=table.index, dtype="str")
        seen = set(states.unique())
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
    ValueError unless there is exactly one MRD row per patient, time and assay.
    """
    status = _status(patients, mrd)
    rows = []
    for group in cohort.groups:
        mine = status[patients["group"].eq(group.name).to_numpy()]
        for at, time in enumerate(TIMES):
            fc, pcr = mine[np.isin(mine[:, at], (_POSITIVE, _NEGATIVE)).all(axis=1), at].T
            success = {cell: (fc == STATUSES.index(by_fc)) & (pcr == STATUSES.index(by_pcr))
                       for cell, (by_fc, by_pcr) in CELLS.items()}  # fmt: skip
            success |= {AGREE: fc == pcr, MISSED: pcr[fc == _NEGATIVE] == _POSITIVE}
            rows += [{"group": group.name, "time": time, "counted": counted} | rate(yes.sum(), len(yes))
                     for counted, yes in success.items()]  # fmt: skip
    return pd.DataFrame(rows, columns=CONCORDANCE_COLUMNS)


def fusion_contrast(patients: pd.DataFrame, mrd: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Carriers of BCR::ABL1 against the others, per group and rule among the patients assessed, `CONTRAST_COLUMNS`.

    p and smallest attainable p are Fisher's exact test of negative or not by carrier or not (float; NaN where one side
    has nobody assessed: there is nothing to compare, and `test_text` says so). How many of a side were not assessed
    after is in its text and in `carriers_not_assessed` and `others_not_assessed`. `not_recorded` counts patients of
    whom it is not recorded whether they carry it: they are on neither side. Groups and measures are those of `rates`,
    as is what stands where no carrier has a result by RT-PCR after."""
    rows = []
    for unit in _units(followed(patients, mrd), cohort):
        is_carrier = unit.members["bcr_abl1"].astype("boolean")
        for rule in RULES:
            sides = {side: _side(unit.members[mine.fillna(False).astype(bool)], rule.id)
                     for side, mine in (("carriers", is_carrier), ("others", ~is_carrier))}  # fmt: skip
            both = all(one["n"] for one in sides.values())
            test = fisher_exact([[one["k"], one["n"] - one["k"]] for one in sides.values()]) if both else None
            stated = {
                f"{side}_{name}": one[name]
                for side, one in sides.items()
                for name in ("k", "n", "text", "not_assessed")
            }
            rows.append({"group": unit.name, "measure": unit.measure, "rule": rule.id,
                         "not_recorded": int(is_carrier.isna().sum())} | stated
                        | _test_columns(test, "nobody to compare with"))  # fmt: skip
    return pd.DataFrame(rows, columns=CONTRAST_COLUMNS)


def burden(patients: pd.DataFrame, mrd: pd.DataFrame, cohort: Cohort, group: str,
           rule: str | None = None) -> pd.DataFrame:  # fmt: skip
    """MRD before against response, a row per patient of a group with a value and an outcome, least first.

    Columns: `BURDEN_COLUMNS`. Who was not assessed after has no outcome. `value_percent` is the recorded MRD in %,
    `assay` the one it stands on; `responded` whether the patient was negative after under the rule (`rule_of`). A
    patient with values by both assays gives the FC value. These are rows: show `cohort.face`. ValueError if there is no
    such group or rule.
    """
    rule = rule_of(cohort.group(group), rule)
    table = outcomes(patients, mrd)
    table = table[table["group"].eq(group) & table[f"{rule}_assessed"]]
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
    digits = max([2, *(len(short_text(value).partition(".")[2]) for value in table["value_percent"])])
    for side, values in (("responders", yes), ("others", no)):
        middle, _, ends = median_text(values, digits).partition(" ")
        row |= {side: len(values), f"{side}_median": middle, f"{side}_range": ends.strip("()")}
    return pd.DataFrame([row | _test_columns(test, why_not)], columns=BURDEN_TEST_COLUMNS)


def _status(patients: pd.DataFrame, mrd: pd.DataFrame) -> np.ndarray:
    """Each patient's statuses as places in `STATUSES`, -1 where not recorded: patient x time x assay (int8).

    ValueError unless there is exactly one MRD row per patient, time and assay.
    """
    codes, ids = pd.factorize(mrd["patient_id"])
    keys = (pd.Index(patients["patient_id"]).get_indexer(ids)[codes], places(mrd["time"], TIMES),
            places(mrd["assay"], ASSAYS))  # fmt: skip
    shape = len(patients), len(TIMES), len(ASSAYS)
    known = np.logical_and.reduce([key >= 0 for key in keys])
    cells = np.ravel_multi_index([key[known] for key in keys], shape)
    rows = np.bincount(cells, minlength=np.prod(shape))
    if (rows > 1).any():
        raise ValueError("the MRD table has two rows for one patient, time and assay")
    if lacking := int((rows == 0).sum()):
        raise ValueError(f"the MRD table lacks {lacking} of {len(rows)} rows (patient, time, assay)")
    status = np.empty(len(rows), dtype=np.int8)
    status[cells] = places(mrd["status"], STATUSES)[known]
    return status.reshape(shape)


def _nullable(true: np.ndarray, known: np.ndarray) -> pd.api.extensions.ExtensionArray:
    return pd.arrays.BooleanArray(true.copy(), ~known)


_BEFORE = {"fc": "fc_before", "pcr": "pcr_before", "fc_and_pcr": "positive_before"}


def _counted(members: pd.DataFrame, rule: str) -> dict[str, np.ndarray]:
    """Who is counted in each set of `ALL_SETS` under a rule (bool, a row of the outcome table each)."""
    whom = {
        "all_treated": members["patient_id"].notna(),
        "assessed": members[f"{rule}_assessed"],
        "positive_before": members[_BEFORE[rule]],
        "more_than_7_days": members["infusion_days"].gt(7).fillna(False),
        "severe_stops_failed": members["patient_id"].notna(),
        "without_severe_stops": members["stop_reason"].notna() & ~_severe_stop(members),
    }
    applies = members[rule].notna().to_numpy()
    return {evaluable_set: applies & of.to_numpy(dtype=bool) for evaluable_set, of in whom.items()}


def _severe_stop(members: pd.DataFrame) -> np.ndarray:
    return members["stop_reason"].eq("severe_reaction").to_numpy(dtype=bool)


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
        group, positive, negative = cohort.group(name), members["positive_before"], members["negative_before"]
        if group.purpose == "bridging":
            yield _Unit(name, STAYED, members[negative], group.reported_rule)
            for measure, mine in ((BECAME, positive), (UNKNOWN_BEFORE, ~positive & ~negative)):
                if mine.any():
                    yield _Unit(name, measure, members[mine])
        else:
            yield _Unit(name, BECAME, members, group.reported_rule)
    pooled = [group for group in cohort.groups if group.purpose in CLEARING]
    clearing = [group.name for group in pooled]
    # Patients treated for different purposes are pooled only to compare with what a report pooled.
    if len(pooled) > 1 and (cohort.reconstructed or len({group.purpose for group in pooled}) == 1):
        yield _Unit(" + ".join(clearing), BECAME, table[table["group"].isin(clearing)], is_pooled=True)


def followed(patients: pd.DataFrame, mrd: pd.DataFrame) -> pd.DataFrame:
    """The table of `outcomes` in which RT-PCR alone counts only whom it is known to follow; `may_follow` whom it may.

    It follows known carriers of BCR::ABL1 and whoever has a result by it; who is not "not applicable" it may follow.
    """
    table = outcomes(patients, mrd)
    follows = table["bcr_abl1"].astype("boolean").fillna(False).astype(bool) | table["pcr_result"]
    return table.assign(may_follow=table["pcr"].notna(), pcr=table["pcr"].where(follows))


def lacks_rt_pcr(members: pd.DataFrame, rule: str) -> bool:
    """Whether a rule asks for RT-PCR of patients none of whom has a result by it after, though it might follow some."""
    return rule in WITH_RT_PCR and bool(members["may_follow"].any() and not members["pcr_assessed"].any())


def _rate(k: int, n: int, not_assessed: int, unstated: bool) -> dict[str, object]:
    """The columns of `rate`, whose text says how many of the n were not assessed, or that RT-PCR was not done."""
    stated = rate(k, n)
    if unstated:
        return stated | {"text": NO_RT_PCR}
    if not_assessed:
        stated["text"] = f"{stated['text'][:-1]}; {not_assessed} of the {n} not assessed, counted as not negative)"
    return stated


def _side(members: pd.DataFrame, rule: str) -> dict[str, object]:
    """The rate of carriers, or of the others, by a rule, among those assessed; how many are not."""
    unstated = lacks_rt_pcr(members, rule)
    asked, assessed = members[rule].notna() & (not unstated), members[f"{rule}_assessed"]
    n, missing = int((asked & assessed).sum()), int((asked & ~assessed).sum())
    stated = _rate((members[rule].fillna(False) & asked & assessed).sum(), n, 0, unstated)
    if missing:
        stated["text"] = f"{stated['text'][:-1]}; {missing} more not assessed)" if n else f"0 of {missing} assessed"
    return stated | {"not_assessed": missing}


def _test_columns(test: ExactTest | None, why_not: str) -> dict[str, object]:
    if test is None:
        return {"p": float("nan"), "smallest_attainable": float("nan"), "test_text": why_not}
    return {"p": float(test.p), "smallest_attainable": float(test.smallest_attainable), "test_text": test.text}
