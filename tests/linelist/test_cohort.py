"""A cohort's folder and what its `cohort.yaml` says."""

from pathlib import Path

import pytest

from blina.linelist.cohort import COHORTS, STANDARD_GROUPS, load_cohort
from blina.linelist.columns import RECONSTRUCTED
from blina.yamlfile import FileError

OURS = """\
title: our patients
groups:
  MC: {label: in remission, purpose: clearance, reported_rule: fc}
  RR: {label: relapsed, purpose: null}
grading_scale: CTCAE v5
limit_of_detection_percent: 0.01
"""


@pytest.fixture
def ours(tmp_path, monkeypatch):
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "cohort.yaml").write_text(OURS)
    monkeypatch.chdir(tmp_path)
    return folder


def test_the_report_is_a_reconstructed_cohort_and_says_so_on_its_face():
    report = load_cohort("tianjin2023")
    assert report.folder == COHORTS / "tianjin2023"
    assert (report.face, report.doi) == (f"not patients: {RECONSTRUCTED}", "10.1182/blood-2023-184732")
    assert [group.name for group in report.groups] == ["MC", "IC", "RR"]
    assert [group.reported_rule for group in report.groups] == ["fc_and_pcr", None, "fc"]
    assert (report.grading_scale, report.grading_scale_stated) == ("ASTCT 2019", False)
    assert report.limit_of_detection_percent is None
    assert {load_cohort(place).folder.resolve() for place in (str(report.folder), "data/cohorts/tianjin2023")} == {
        report.folder
    }


def test_a_cohort_is_what_its_description_says(ours):
    cohort = load_cohort(str(ours))
    assert (cohort.name, cohort.title, cohort.face) == ("ours", "our patients", "")
    assert [(g.name, g.label, g.purpose, g.reported_rule) for g in cohort.groups] == [
        ("MC", "in remission", "clearance", "fc"),
        ("RR", "relapsed", None, None),
    ]
    assert (cohort.grading_scale, cohort.grading_scale_stated, cohort.limit_of_detection_percent) == (
        "CTCAE v5",
        True,
        0.01,
    )
    assert cohort.linelist == ours / "linelist.csv"
    assert cohort.group("RR").label == "relapsed"
    with pytest.raises(ValueError, match="no group IC in ours; its groups are MC, RR"):
        cohort.group("IC")


def test_a_folder_without_description_has_the_standard_groups(tmp_path):
    cohort = load_cohort(tmp_path)
    assert cohort.groups == STANDARD_GROUPS
    assert (cohort.reconstructed, cohort.seed, cohort.title) == (False, None, f"cohort {tmp_path.name}")


def test_a_description_without_groups_has_those_that_the_line_list_names(ours):
    (ours / "cohort.yaml").write_text("title: our ward\n")
    (ours / "linelist.csv").write_text("patient_id,group\nP01,RR\nP02,MC\n")
    assert [group.name for group in load_cohort(ours).groups] == ["MC", "RR"]


def test_a_description_need_not_repeat_the_folder_s_name(ours):
    (ours / "cohort.yaml").write_text("grading_scale: CTCAE v5\n")
    assert (load_cohort(ours).name, load_cohort(ours).title) == ("ours", "cohort ours")


def test_a_folder_named_from_where_one_works_is_that_folder(ours, monkeypatch):
    (ours.parent / "tianjin2023").mkdir()
    (ours.parent / "tianjin2023" / "cohort.yaml").write_text("title: other patients\n")
    assert load_cohort("ours").title == "our patients"
    assert load_cohort(Path("tianjin2023")).title == "other patients"  # a path is never mistaken for the report
    assert load_cohort("tianjin2023").reconstructed
    monkeypatch.chdir(ours)
    assert load_cohort(Path(".")).title == load_cohort(".").title == "our patients"


def test_the_output_folder_is_the_pipelines_while_it_runs(ours, monkeypatch):
    assert load_cohort(ours).output.parts[-2:] == ("build", "ours")
    monkeypatch.setenv("BLINA_OUTPUT", "scratch")
    assert str(load_cohort(ours).output) == "scratch"


@pytest.mark.parametrize(
    "old, new, line, said",
    [
        ("title:", "titel:", 1, "titel: is not known here; remove it"),
        ("label: in remission, ", "", 3, "groups.MC.label: field required"),
        ("purpose: null", "purpose: cure", 4, "groups.RR.purpose: input should be 'clearance', 'bridging' or"),
        ("reported_rule: fc", "reported_rule: best", 3, "groups.MC.reported_rule: input should be 'fc', 'pcr' or"),
        ("label: relapsed", "label: relapsed, colour: red", 4, "groups.RR.colour: is not known here; remove it"),
        ("{label: relapsed, purpose: null}", "relapsed", 4, "group RR takes a description, as in RR: {label: ...}"),
        ("limit_of_detection_percent: 0.01", "limit_of_detection_percent: low", 6, "limit_of_detection_percent: input"),
        ("grading_scale: CTCAE v5", "reconstructed: perhaps", 5, "reconstructed: input should be a valid boolean"),
        ("grading_scale: CTCAE v5", "seed: x", 5, "seed: input should be a valid integer"),
        ("grading_scale: CTCAE v5", "grading_scale: [CTCAE]", 5, "grading_scale: input should be a valid string"),
        ("  RR: {", "  MC: {", 4, "MC stands twice; keep one"),
        ("  RR: {", "\tRR: {", 4, "not valid YAML"),
    ],
)
def test_a_mistake_in_a_description_is_one_line_that_says_where(ours, old, new, line, said):
    assert OURS.count(old) == 1
    (ours / "cohort.yaml").write_text(OURS.replace(old, new))
    with pytest.raises(FileError) as error:
        load_cohort(ours)
    assert str(error.value).startswith(f"cohort.yaml, line {line}: {said}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "cohort.yaml is empty: it should be a cohort description"),
        ("# only a remark\n", "cohort.yaml, line 1: a cohort description takes keys and their values"),
        ("- a\n", "cohort.yaml, line 1: a cohort description takes keys and their values"),
        ("title: x\ngroups: [MC, RR]\n", "cohort.yaml, line 2: groups takes names and descriptions"),
        ("title: x\ngroups:\n", "cohort.yaml, line 2: groups takes names and descriptions"),
    ],
)
def test_a_description_that_describes_nothing_is_said_to(ours, text, said):
    (ours / "cohort.yaml").write_text(text)
    with pytest.raises(FileError) as error:
        load_cohort(ours)
    assert str(error.value).startswith(said)


def test_an_unknown_cohort_is_named_with_those_that_there_are(ours):
    with pytest.raises(
        FileError, match="there is no cohort theirs: name a folder that holds a linelist.csv, or one of"
    ):
        load_cohort("theirs")
