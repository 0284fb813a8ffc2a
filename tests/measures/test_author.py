"""The claims file that a cohort's own line list gives: true, checkable, and broken by a changed cell."""

import csv
import importlib.util
import random
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from blina.claims.check import check, is_world
from blina.claims.consistent import consistent
from blina.claims.document import compile_document
from blina.cli import main
from blina.linelist.cohort import Cohort, Group, load_cohort
from blina.linelist.columns import COLUMNS
from blina.linelist.intake import read_line_list
from blina.linelist.table import Table
from blina.measures.author import FEW, claims_of, write_claims
from blina.measures.compute import results_of
from blina.yamlfile import parse_yaml

ODD_NAMES = ("首次缓解: 组一", "yes", "7", "a, b [c] {d} # \"e\" 'f'", " - -", "C/D & <e>|*\\")


def compiled(text):
    return compile_document(parse_yaml(text, "claims.yaml"))


@pytest.fixture(scope="module")
def ours(tmp_path_factory, report_rows):
    """The report's rows as a hospital would have them: nothing in them says that they are made."""
    folder = tmp_path_factory.mktemp("ours")
    with (folder / "linelist.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [name for name in report_rows[0] if name != "provenance"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(report_rows)
    (folder / "cohort.yaml").write_text("title: 'Our ward: 2021 to 2024'\n")
    return load_cohort(folder)


@pytest.fixture(scope="module")
def claims(ours):
    return write_claims(ours)


@pytest.fixture(scope="module")
def published(claims):
    return compiled(claims)


@pytest.fixture(scope="module")
def table(ours, claims):
    return read_line_list(ours.linelist, ours)


def test_every_claim_holds_on_the_line_list_that_it_comes_from(ours, claims, tmp_path):
    (tmp_path / "claims.yaml").write_text(claims, encoding="utf-8")
    done = CliRunner().invoke(main, ["check", str(ours.linelist), "--claims", str(tmp_path / "claims.yaml")])
    assert (done.exit_code, "DOES NOT HOLD" in done.stdout) == (0, False)


@pytest.fixture(scope="module")
def independent():
    """A reader of claims files that shares no code with the package (test folders are no packages)."""
    path = Path(__file__).parents[1] / "claims" / "independent.py"
    spec = importlib.util.spec_from_file_location("independent", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_second_opinion_finds_the_same_numbers(claims, published, report_rows, independent, tmp_path):
    (tmp_path / "claims.yaml").write_text(claims, encoding="utf-8")
    opinion = independent.SecondOpinion(tmp_path / "claims.yaml")
    came_to, broken = opinion.judge(report_rows)["half_up"]
    assert not broken and not opinion.broken_rules(report_rows)
    assert len(came_to) == len(published.claims)


def test_the_claims_can_all_be_true_at_once(published):
    assert consistent(published).status == "consistent"


@pytest.mark.parametrize(
    "id, printed",
    [
        ("description/All-patients/patients", ["28"]),
        ("description/All-patients/sex/female", ["12"]),
        ("description/All-patients/age/median", ["11.0"]),
        ("description/MC/age/median", ["10.15"]),
        ("burden/MC/MRD-before/responders/fc/median", ["0.145"]),
        ("burden/RR/MRD-before/others/fc/range", ["22.64", "78.30"]),
        ("response/MC/negative-after/fc_and_pcr/all_treated", ["13"]),
        ("response/MC/negative-after/fc_and_pcr/all_treated/percent", ["72.2"]),
        ("response/RR/negative-after/fc/all_treated/percent", ["57.1"]),
        ("response/MC/negative-after/pcr/all_treated/percent", ["16.7"]),
        ("response/IC/stayed-negative/fc/all_treated", ["3"]),
        ("events/RR/CRS/any-grade", ["2"]),
        ("events/MC/ICANS/grade-3-or-more", ["1"]),
        ("ICANS/MC/4/day-2", ["1"]),
        ("description/All-patients/further-cycles/patients-given-any", ["7"]),
        ("description/MC/end-of-cycle-1/economic", ["1"]),
        ("MRD-before/RR/powers-of-ten/10-to-100", ["3"]),
    ],
)
def test_numbers_are_printed_as_the_report_prints_them(published, id, printed):
    """Percentages with one decimal; medians unrounded, with the decimals that the column was recorded with or more."""
    claim = next(claim for claim in published.claims if claim.id == id)
    assert [number.text for number in claim.equals] == printed


def test_nothing_is_said_of_nobody(published):
    ids = {claim.id for claim in published.claims}
    assert "burden/IC/without-value-or-outcome/fc" in ids
    assert "burden/IC/MRD-before/responders/fc/median" not in ids  # nobody had a value
    assert "response/MC/negative-after/pcr/all_treated" in ids
    assert not any(id.startswith("response/IC/stayed-negative/pcr") for id in ids)  # nobody had a gene to follow


def test_sums_and_p_values_are_no_claims_and_no_question_is_asked_twice(published):
    asked = [claim.words for claim in published.claims]
    assert len({*asked}) == len(asked)
    assert {claim.statistic.name for claim in published.claims} == {"count", "percent", "median", "range"}


def test_a_claim_that_differs_from_its_result_is_not_written(ours, table):
    """Results of other patients would make a claim that does not hold; it is named."""
    cohort = ours.of_table(table)
    codes = {**table.codes, "sex": 1 - table.codes["sex"]}
    others = results_of(replace(table, codes=codes), cohort)
    with pytest.raises(AssertionError, match="description/MC/sex/male"):
        claims_of(table, cohort, others)


def changes(table, chance):
    """Every other word or grade for every second patient, and some number: (column, is it a word, changed table)."""
    for name, column in table.columns.items():
        few = column.highest - column.lowest <= 5
        for row in range(0, len(table), 2):
            here = None if table.blank[name][row] else int(table.codes[name][row])
            codes = range(column.lowest, column.highest + 1) if few else chance.sample(
                range(column.lowest, column.highest), 1)  # fmt: skip
            for code in {*codes, *([None] if column.blank else [])} - {here}:
                changed_codes, changed_blank = table.codes[name].copy(), table.blank[name].copy()
                changed_codes[row], changed_blank[row] = code or 0, code is None
                yield name, few, replace(table, codes={**table.codes, name: changed_codes},
                                   blank={**table.blank, name: changed_blank})  # fmt: skip


def test_a_changed_cell_breaks_a_claim(published, table, record_property):
    """A changed word always does; a changed number does where it was, or now is, an end or moves a median.

    Of grades the report states any grade and grade 3 or more: grade 2 for 1 makes no difference.
    """
    assert is_world(published, table)
    words, grades, numbers = [], [], []
    for name, few, changed in changes(table, random.Random(1)):
        kind = grades if name == "crs_grade" else words if few else numbers
        kind.append(not is_world(published, changed))
    assert all(words) and len(words) > 300
    assert sum(grades) > 0.9 * len(grades)
    assert sum(numbers) > 0.8 * len(numbers)
    caught = words + grades + numbers
    record_property("total cells changed against a cohort's own claims", len(caught))
    record_property("total of these that a claim notices", sum(caught))


def random_table(cohort: Cohort, patients: int, chance: np.random.Generator) -> Table:
    """Any values, whatever the rules; most columns may hold blanks."""
    columns = {column.name: column for column in cohort.declared if column.type != "identifier"}
    codes = {name: chance.integers(column.lowest, column.highest + 1, patients) for name, column in columns.items()}
    blank = {name: (chance.random(patients) < 0.3) & column.blank for name, column in columns.items()}
    return Table(columns, {n: np.where(blank[n], 0, codes[n]) for n in codes}, blank, tuple(map(str, range(patients))))


@pytest.mark.parametrize("patients, number_of_groups", [(1, 1), (3, 2), (20, 6)])
def test_claims_of_any_cohort_are_read_back_and_hold(patients, number_of_groups, tmp_path):
    purposes = ("clearance", "bridging", "reinduction", None, None, None)
    groups = tuple(Group(name=name, label=name, purpose=purpose)
                   for name, purpose in zip(ODD_NAMES[:number_of_groups], purposes, strict=False))  # fmt: skip
    missing = frozenset(column.name for column in COLUMNS if column.name not in ("patient_id", "group"))
    cohort = Cohort(name="x", folder=tmp_path, title="A: \"title\" # 'of' ours", groups=groups, missing_allowed=missing)
    table = random_table(cohort, patients, np.random.default_rng(patients))
    text = claims_of(table, cohort)
    document = compiled(text)
    checked = check(document, table)
    assert [verdict.id for verdict in checked.claims if not verdict.holds] == []
    assert document.columns["group"].values == tuple(group.name for group in groups)
    assert document.source.title == cohort.title
    head = text.split("\nclaims:")[0]
    assert yaml.safe_load(head)["columns"] == parse_yaml(head, "claims.yaml").content["columns"]  # text to any reader


def test_whatever_is_not_recorded_is_counted(tmp_path):
    cohort = Cohort(name="x", folder=tmp_path, title="x", missing_allowed=frozenset({"sex", "crs_grade", "age_years"}))
    table = random_table(cohort, 60, np.random.default_rng(1))
    found = {claim.id: claim.equals[0].value for claim in compiled(claims_of(table, cohort)).claims if claim.equals}
    for id, name in (("description/All-patients/sex/not-recorded", "sex"),
                     ("description/All-patients/age/not-recorded", "age_years"),
                     ("events/All-patients/CRS/occurrence-not-recorded", "crs_grade")):  # fmt: skip
        assert found[id] == Fraction(int(table.blank[name].sum())) > 0
    ids = {*found}
    assert "description/All-patients/sex/male" in ids  # how many are known
    assert "description/All-patients/sex/male/percent" not in ids  # of how many is not


def test_grades_say_by_which_scale(ours, table, published):
    scales = {"grading_scale": {"CRS": "CTCAE v5", "ICANS": "ASTCT 2019"}, "grading_scale_stated": True}
    graded = compiled(claims_of(table, ours.model_copy(update=scales))).columns
    assert graded["crs_grade"].meaning.endswith("; graded by CTCAE v5")
    assert graded["icans_grade"].meaning.endswith("; graded by ASTCT 2019")
    assert "graded by" not in published.columns["crs_grade"].meaning


def test_the_order_of_patients_makes_no_difference(ours, claims, table):
    order = np.random.default_rng(0).permutation(len(table))
    codes, blank = ({name: cells[order] for name, cells in part.items()} for part in (table.codes, table.blank))
    assert claims_of(replace(table, codes=codes, blank=blank), ours) == claims


def test_numbers_about_few_patients_are_named_at_the_top(claims, published):
    top = " ".join(line.removeprefix("# ") for line in claims.split("source:")[0].splitlines())
    named = set(re.search(r"patients: ([^:]+)\.$", top)[1].split(", "))
    counts = {claim.id: claim.equals[0].value for claim in published.claims if claim.statistic.name == "count"}
    assert {id for id, count in counts.items() if 1 <= count <= FEW} == named & counts.keys()
    age = {"description/IC/age/median", "description/IC/age/range"}
    assert age | {"response/RR/negative-after/fc/all_treated/percent"} <= named
    assert "description/MC/patients" not in named


def test_claims_of_reconstructed_rows_say_that_they_are_nobody_s(report_folder):
    text = write_claims(load_cohort(report_folder))
    assert "\n# not patients: reconstructed from published aggregates" in text
    assert compiled(text).source.note.startswith("not patients")


def test_a_claim_stands_in_one_line(claims, published):
    lines = re.findall(r"^  - \{id: .*\}$", claims, re.M)
    assert len(lines) == len(published.claims) + len(published.rules)
