"""What is sent away: the report's own counts, with nobody left to be singled out."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from attacker import Attack
from click.testing import CliRunner
from random_cohorts import random_cohort, tables

from blina.analysis.cohort import TOTAL
from blina.analysis.study import Study
from blina.cli import main
from blina.linelist.columns import Column
from blina.sharing.write import NO_RT_PCR, results, share
from blina.yamlfile import FileError

THRESHOLD = 5
EVERYTHING = 1  # the threshold at which no number is small


def ward(*groups: tuple[str, int, int], first: dict | None = None, every: dict | None = None) -> Study:
    """Groups of a name, a number of patients and how many of them stay positive by FC; no fusion genes, no events.

    first: cells of the first two patients; every: cells of all.
    """
    line = {"sex": "male", "age_years": 5.0, "bcr_abl1": False, "intolerance_reason": None, "infusion_days": 28,
            "months_from_diagnosis": 3.0, "stop_reason": "completed", "extra_cycles": 0, "mrd": 1.0,
            "fc_before": "positive", "pcr_before": "not_applicable", "pcr_after": "not_applicable", "fever": False,
            "crs": 0, "icans": 0, "icans_day": None}  # fmt: skip
    patients = [(group, place < positive) for group, number, positive in groups for place in range(number)]
    named = tuple(tables.Group(name=name, label="", purpose="clearance") for name, _, _ in groups)
    cohort = tables.Cohort(name="ward", folder=Path("ward"), title="made-up patients", groups=named)
    lines = []
    for place, (group, positive) in enumerate(patients):
        after = {"fc_after": "positive" if positive else "negative"}
        own = (every or {}) | (first or {} if place < 2 else {})
        lines.append(line | after | {"patient_id": f"P{place:03}", "group": group} | own)
    return tables.make(lines, cohort)


def sizes(cohort: Study) -> dict[str, int | None]:
    rows = results(cohort, THRESHOLD)["tables"]["cohort"]
    return {row["group"]: row["count"] for row in rows if row["characteristic"] == "patients"}


def by_fc(cohort: Study) -> dict[tuple[str, str], tuple[int | None, int | None]]:
    """k and n by FC, of group and evaluable set."""
    rows = results(cohort, THRESHOLD)["tables"]["response"]
    return {(row["group"], row["evaluable_set"]): (row["k"], row["n"]) for row in rows if row["rule"] == "fc"}


@pytest.fixture(scope="module", params=[4, 13, 16])
def everything(request):
    cohort = random_cohort(request.param, 60)
    return cohort, results(cohort, EVERYTHING)["tables"]


def test_counts_are_those_of_the_report_s_response_table(everything):
    cohort, sent = everything
    said = {(row["group"], row["measure"], row["rule"], row["evaluable_set"]): (row["k"], row["n"])
            for row in sent["response"]}  # fmt: skip
    purposes = {group.name: group.purpose for group in cohort.cohort.groups}
    compared = 0
    for result in cohort.results.of("response"):
        measure = result.measure
        if measure.group not in purposes:
            continue  # groups are not pooled in what is sent
        if measure.name != "negative after" and measure.evaluable_set == "positive_before":
            continue  # of nobody, whoever the patients are
        key = measure.group, measure.name, measure.rule, measure.evaluable_set
        number = (result.here.k, result.here.n) if result.here.stated else (None, None)
        assert said[key] == number
        compared += 1
    assert compared


def test_counts_are_those_of_the_report_s_worst_grades_and_stops(everything):
    cohort, sent = everything
    size = {name: len(cohort.patients) for name in [TOTAL]} | cohort.patients["group"].value_counts().to_dict()
    for row in sent["safety"]:
        is_fever = row["event"] == "fever" and row["severity"] == "any grade"
        level = "counted apart from CRS" if is_fever else row["severity"]
        statistic = "count" if level == "occurrence not recorded" else "percent"
        result = cohort.results.get("events", row["group"], row["event"], level, statistic=statistic)
        assert (row["k"], row["n"]) == (result.here.k if result else 0, size.get(row["group"], 0))
    for row in sent["cohort"]:
        if row["characteristic"] == "end of cycle 1":
            statistic = "count" if row["level"] == "not recorded" else "percent"
            result = cohort.results.get("stops", row["group"], "end of cycle 1", row["level"], statistic=statistic)
            assert row["count"] == (result.here.k if result else 0)


def test_patients_of_a_group_are_all_in_one_bin_of_mrd_and_of_one_sex(everything):
    _, sent = everything
    size = {row["group"]: row["count"] for row in sent["cohort"] if row["characteristic"] == "patients"}
    for group, patients in size.items():
        assert sum(row["count"] for row in sent["mrd"] if row["group"] == group) == patients
        assert sum(row["count"] for row in sent["cohort"]
                   if (row["group"], row["characteristic"]) == (group, "sex")) == patients  # fmt: skip


def test_a_small_group_takes_the_total_with_it():
    assert sizes(ward(("A", 18, 0), ("B", 7, 0), ("C", 3, 0))) == {"A": 18, "B": 7, "C": None, TOTAL: None}


def test_two_small_groups_that_make_five_leave_the_total_and_four_do_not():
    assert sizes(ward(("A", 18, 0), ("B", 2, 0), ("C", 3, 0)))[TOTAL] == 23
    assert sizes(ward(("A", 18, 0), ("B", 2, 0), ("C", 2, 0)))[TOTAL] is None


def test_a_total_that_can_only_be_the_sum_of_the_largest_small_groups_is_withheld():
    assert sizes(ward(("A", 4, 0), ("B", 4, 0)))[TOTAL] is None
    assert sizes(ward(("A", 4, 0), ("B", 3, 0)))[TOTAL] == 7


def test_a_rate_is_withheld_when_few_failed_and_shown_when_nobody_did():
    sent = by_fc(ward(("A", 18, 2), ("B", 18, 0), ("C", 18, 6)))
    assert [sent[group, "all_treated"] for group in "ABC"] == [(None, 18), (18, 18), (12, 18)]


def test_of_two_sets_that_differ_by_few_patients_the_less_important_is_withheld():
    cohort = ward(("A", 18, 6), first={"infusion_days": 7})
    sent = by_fc(cohort)
    assert sent["A", "all_treated"] == (12, 18)
    assert sent["A", "more_than_7_days"] == (None, None)


def test_a_number_that_follows_from_zeros_shown_is_shown_without_its_own_number_of_patients():
    cohort = ward(("A", 18, 18), first={"fc_before": "negative", "mrd": None})
    sent = by_fc(cohort)
    assert sent["A", "all_treated"] == (0, 18)
    assert sent["A", "positive_before"] == (0, None)


def test_of_a_large_cohort_everything_common_is_shown():
    cohort = ward(("A", 2500, 600), ("B", 2500, 0))
    assert None not in [row["k"] for row in results(cohort, THRESHOLD)["tables"]["response"]]


NO_RESULT = {"bcr_abl1": True, "pcr_before": "positive", "pcr_after": "not_done"}


def test_a_rate_that_is_not_stated_is_sent_with_the_reason_and_not_as_none_of_none(tmp_path):
    """RT-PCR might follow all of these patients, and was done after treatment in none."""
    cohort = ward(("A", 18, 6), ("B", 7, 0), every=NO_RESULT)
    sent = results(cohort, THRESHOLD)
    rows = sent["tables"]["response"]
    assert {row["rule"]: row.get("reason") for row in rows} == {
        "fc": None,
        "pcr": NO_RT_PCR,
        "fc_and_pcr": NO_RT_PCR,
    }
    assert all((row["k"], row["n"]) == (None, None) for row in rows if row["rule"] != "fc")
    assert NO_RT_PCR in sent["protection"]["reasons"]
    assert sent["protection"]["suppressed"]["response"]["of"] == 2 * sum(row["rule"] == "fc" for row in rows)
    share(cohort, tmp_path / "sent")
    with (tmp_path / "sent" / "response.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [(row["k"], row["n"]) for row in csv.DictReader(file) if row["rule"] == "pcr"]
    assert {*cells} == {(NO_RT_PCR, NO_RT_PCR)}


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_recovered_from_the_reason_why_there_is_no_rate(seed):
    cohort = random_cohort(seed, most_patients=30, most_groups=2, rt_pcr_after=False)
    sent = results(cohort, THRESHOLD)
    attack = Attack(sent)
    assert attack.recovered() == {}


def test_reasons_are_given_in_random_cohorts_too():
    given = 0
    for seed in range(6):
        cohort = random_cohort(seed, most_patients=30, most_groups=2, rt_pcr_after=False)
        given += any(row.get("reason") for row in results(cohort, THRESHOLD)["tables"]["response"])
    assert given >= 2


def test_a_further_shared_column_adds_its_levels_and_is_protected():
    """A column that is shared by its entry is counted, audited, and withheld where few patients have a level."""
    entry = Column("cns_involvement", "boolean", blank=True, optional=True, described="found", shared=True,
                   characteristic="CNS involvement")  # fmt: skip
    cohort = ward(("A", 18, 0))
    for positive, expected in ((6, {"no": 12, "yes": 6, "not recorded": 0}), (2, {"no": None, "yes": None})):
        places = np.arange(18)
        table = replace(
            cohort.table,
            columns={**cohort.table.columns, entry.name: entry},
            codes={**cohort.table.codes, entry.name: (places < positive).astype(np.int64)},
            blank={**cohort.table.blank, entry.name: np.zeros(18, dtype=bool)},
        )
        study = Study(table, cohort.cohort)
        rows = results(study, THRESHOLD)["tables"]["cohort"]
        mine = [row for row in rows if row["characteristic"] == "CNS involvement" and row["group"] == "A"]
        counts = {row["level"]: row["count"] for row in mine}
        assert {level: counts[level] for level in expected} == expected
        found = study.results.get("description", "A", "CNS involvement", "found")
        assert found.here.k == positive


def test_nothing_is_written_where_the_audit_counts_otherwise_than_the_report(tmp_path):
    study, others = ward(("A", 18, 6)), ward(("A", 18, 7))
    study.results = others.results  # as if a result were counted in another way
    with pytest.raises(AssertionError, match="response: A, negative after, fc, all_treated: 12 .* 11"):
        share(study, tmp_path / "sent")
    assert not (tmp_path / "sent").exists()


@pytest.mark.parametrize("seed", range(12))
def test_nothing_suppressed_is_recovered_by_an_attacker_with_another_solver(seed):
    attack = Attack(results(random_cohort(seed, most_patients=30, most_groups=2), THRESHOLD))
    assert not any(1 <= (value or 0) < THRESHOLD for _, value in attack.known.values())
    assert attack.recovered() == {}


def test_a_small_difference_is_not_left_and_a_small_number_is_not_surely_small():
    cohort = random_cohort(24, most_patients=40, most_groups=2)
    attack, truth = (Attack(results(cohort, threshold)) for threshold in (THRESHOLD, EVERYTHING))
    small = [key for key in attack.sought if 1 <= truth.known[key][1] < THRESHOLD]
    assert small and attack.surely_small(small) == [] and attack.small_left() == {}


def test_the_attacker_recovers_what_is_suppressed_only_where_it_is_small():
    caught = []
    for seed in (5, 8, 10, 11, 13, 15, 18, 20, 23, 24):
        sent = results(random_cohort(seed, most_patients=40, most_groups=2), EVERYTHING)
        sent["protection"]["threshold"] = THRESHOLD
        for row in (row for rows in sent["tables"].values() for row in rows):
            row |= {name: None for name, value in row.items() if isinstance(value, int) and 1 <= value < THRESHOLD}
        caught.append(Attack(sent).recovered() != {})
    assert sum(caught) > len(caught) / 2


def test_the_folder_holds_counts_and_words_of_its_own_only(tmp_path):
    cohort = ward(("=A1", 18, 6), ("B", 7, 2))
    made = share(cohort, tmp_path / "sent", centre="Centre 3")
    assert sorted(path.name for path in made) == sorted(
        ["centre.json", "cohort.csv", "response.csv", "safety.csv", "mrd.csv", "README.txt"])  # fmt: skip
    sent = json.loads((tmp_path / "sent" / "centre.json").read_text(encoding="utf-8"))
    assert (sent["schema_version"], sent["centre"], sent["protection"]["threshold"]) == ("1", "Centre 3", 5)
    every = "".join(path.read_text(encoding="utf-8") for path in made)
    assert cohort.cohort.title not in every and "P001" not in every
    with (tmp_path / "sent" / "response.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["group"] == "'=A1" and rows[0]["k"] == "12"
    for typed, row in zip(rows, sent["tables"]["response"], strict=True):
        assert typed["k"] == ("suppressed" if row["k"] is None else str(row["k"]))


def test_the_same_patients_make_the_same_bytes_in_any_order(tmp_path):
    cohort = random_cohort(4, 60)
    turned = tables.picked(cohort, cohort.cohort, [*range(len(cohort.table))][::-1])
    first, second = share(cohort, tmp_path / "a"), share(turned, tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_rows_that_are_nobody_s_are_not_sent(tmp_path):
    cohort = ward(("A", 9, 0))
    made_up = Study(cohort.table, cohort.cohort.model_copy(update={"reconstructed": True}))
    with pytest.raises(FileError, match="nobody's"):
        share(made_up, tmp_path / "sent")
    assert not (tmp_path / "sent").exists()


def test_a_folder_with_other_files_is_not_sent_along(tmp_path):
    (tmp_path / "linelist.csv").write_text("patient_id\n")
    with pytest.raises(FileError, match="holds other files"):
        share(ward(("A", 9, 0)), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["linelist.csv"]


@pytest.mark.parametrize("wrong", [{"threshold": 2}, {"centre": "x" * 61}, {"centre": "two\nlines"}])
def test_too_low_a_threshold_and_too_long_a_label_are_refused(tmp_path, wrong):
    with pytest.raises(FileError):
        share(ward(("A", 9, 0)), tmp_path / "sent", **wrong)


def test_a_ward_is_shared_once_since_two_versions_tell_of_whom_they_differ_by(tmp_path):
    share(ward(("A", 12, 6)), tmp_path)
    sent = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    share(ward(("A", 12, 6)), tmp_path)  # the same again is no second version
    for other, threshold in ((ward(("A", 13, 6)), THRESHOLD), (ward(("A", 12, 6)), THRESHOLD + 2)):
        with pytest.raises(FileError, match="Never send two"):
            share(other, tmp_path, threshold)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == sent


def test_the_command_refuses_rows_that_are_nobody_s_in_one_line():
    done = CliRunner().invoke(main, ["share"])
    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "reconstructed and nobody's" in done.stderr
