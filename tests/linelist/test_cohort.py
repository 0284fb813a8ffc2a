"""A cohort's folder and what its `cohort.yaml` says."""

from fractions import Fraction
from pathlib import Path

import pytest

from blina.linelist.cohort import COHORTS, STANDARD_GROUPS, load_cohort
from blina.linelist.columns import COLUMNS, RECONSTRUCTED, RULES
from blina.linelist.intake import take_in
from blina.linelist.settings import Threshold
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


def test_a_description_without_groups_has_those_that_the_line_list_names(ours, line_list):
    (ours / "cohort.yaml").write_text("title: our ward\n")
    cohort = load_cohort(ours)
    assert cohort.groups == STANDARD_GROUPS
    table = take_in(line_list({(f"P{i}", "group"): "RR" for i in (19, 20, 21)})).table
    assert [group.name for group in cohort.of_table(table).groups] == ["MC", "RR"]
    (ours / "cohort.yaml").write_text("groups: {MC: {label: a}, RR: {label: b}, IC: {label: c}}\n")
    assert len(load_cohort(ours).of_table(table).groups) == 3  # those stated stay, with or without patients


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
        ("title:", "titel:", 1, "titel: is not known here; do you mean title?"),
        ("label: in remission, ", "", 3, "groups.MC.label: field required"),
        ("purpose: null", "purpose: cure", 4, "groups.RR.purpose: input should be 'clearance', 'bridging' or"),
        ("reported_rule: fc", "reported_rule: best", 3, "groups.MC.reported_rule: input should be 'fc', 'pcr' or"),
        ("title:", "xyz:", 1, "xyz: is not known here; remove it"),
        ("title:", "leaveout:", 1, "leaveout: is not known here; do you mean leave_out?"),
        ("title: our patients", "title：our patients", 1,
         "not valid YAML (mapping values are not allowed here; a colon here is full-width"),
        ("  RR: {", "  RR：{", 4, "not valid YAML ("),
        ("purpose: null", "purpose: cure", 4, "groups.RR.purpose: input should be 'clearance', 'bridging' or "
         "'reinduction', or leave it out"),
        ("label: relapsed", "label: relapsed, colour: red", 4, "groups.RR.colour: is not known here; remove it"),
        ("{label: relapsed, purpose: null}", "relapsed", 4, "group RR takes a description, as in RR: {label: ...}"),
        ("limit_of_detection_percent: 0.01", "limit_of_detection_percent: low", 6, "limit_of_detection_percent: input"),
        ("grading_scale: CTCAE v5", "reconstructed: perhaps", 5, "reconstructed: input should be a valid boolean"),
        ("grading_scale: CTCAE v5", "seed: x", 5, "seed: input should be a valid integer"),
        ("grading_scale: CTCAE v5", "grading_scale: [CTCAE]", 5, "grading_scale: write ASTCT 2019, CTCAE v4, CTCAE v5"),
        ("grading_scale: CTCAE v5", "grading_scale: CTCAE", 5, "grading_scale: write ASTCT 2019, CTCAE v4, CTCAE v5"),
        ("grading_scale: CTCAE v5", "grading_scale: {CRS: ASTCT}", 5, "grading_scale: write ASTCT 2019, CTCAE v4"),
        ("grading_scale: CTCAE v5", "mrd_unit: promille", 5, "mrd_unit: input should be 'percent' or 'fraction'"),
        ("grading_scale: CTCAE v5", "date_order: dym", 5, "date_order: input should be 'ymd', 'dmy' or 'mdy'"),
        ("grading_scale: CTCAE v5", "columns: {age: x}", 5, "columns: there is no declared column age; do you mean"),
        ("grading_scale: CTCAE v5", "values: {ward: {}}", 5, "values: there is no declared column ward; the columns"),
        ("grading_scale: CTCAE v5", "missing_allowed: [sexx]", 5, "missing_allowed: there is no declared column sexx"),
        ("grading_scale: CTCAE v5", "missing_allowed: [group]", 5, "group is needed of every patient; remove it here"),
        ("grading_scale: CTCAE v5", "columns: {sex: {from: a}}", 5, "columns.sex: write a header of your sheet, {from"),
        ("grading_scale: CTCAE v5", "assays: {PCR: {}}", 5, "assays.PCR: input should be 'FC' or 'RT-PCR'"),
        ("grading_scale: CTCAE v5", "assays: {FC: {negative: 0.01}}", 5, "assays.FC.negative: write the values that"),
        ("grading_scale: CTCAE v5", 'assays: {FC: {negative: "< x"}}', 5, "assays.FC.negative: write the values that"),
        ("grading_scale: CTCAE v5", "assays: {FC: {limit_of_detection_percent: low}}", 5,
         "assays.FC.limit_of_detection_percent: write a number in percent"),
        ("grading_scale: CTCAE v5", "pseudonyms: perhaps", 5, "pseudonyms: input should be a valid boolean"),
        ("  RR: {", "  MC: {", 4, "MC stands twice; keep one"),
        ("  RR: {", "\tRR: {", 4, "not valid YAML"),
    ],
)  # fmt: skip
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
        (
            "title：our ward\n",
            "cohort.yaml, line 1: a cohort description takes keys and their values, as in title: our "
            "patients; a colon here is full-width",
        ),
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


@pytest.mark.parametrize("text", ["", " \n", "# only a remark\n", "\ufeff"])
def test_a_description_in_which_nothing_stands_is_as_good_as_none(ours, text):
    (ours / "cohort.yaml").write_text(text, encoding="utf-8")
    cohort = load_cohort(ours)
    assert (cohort.title, cohort.groups, cohort.groups_stated) == ("cohort ours", STANDARD_GROUPS, False)


def test_an_unknown_cohort_is_named_with_those_that_there_are(ours):
    with pytest.raises(FileError, match="there is no cohort theirs: name a folder that holds a line list, or one of"):
        load_cohort("theirs")


@pytest.mark.parametrize(
    "files, file",
    [
        ([], "linelist.csv"),
        (["linelist.csv"], "linelist.csv"),
        (["linelist.xlsx", "notes.csv", "~$linelist.xlsx"], "linelist.xlsx"),
        (["LineList.XPT"], "LineList.XPT"),
    ],
)
def test_the_line_list_of_a_folder_is_the_file_of_that_name(ours, files, file):
    for name in files:
        (ours / name).touch()
    assert load_cohort(ours).linelist == ours / file


def test_of_two_line_lists_the_description_must_name_one(ours):
    (ours / "linelist.csv").touch()
    (ours / "linelist.xlsx").touch()
    with pytest.raises(FileError, match="ours holds linelist.csv and linelist.xlsx: keep one, or name the one to read"):
        load_cohort(ours)
    (ours / "cohort.yaml").write_text("file: linelist.xlsx\n")
    assert load_cohort(ours).linelist.name == "linelist.xlsx"


def test_thresholds_and_limits_are_exact_and_of_each_assay(ours):
    (ours / "cohort.yaml").write_text(
        'limit_of_detection_percent: 0.1\nassays:\n  FC: {limit_of_detection_percent: "0.01%", negative: "< 0.01%"}\n'
        "  RT-PCR: {negative: <= 0.001}\n"
    )
    cohort = load_cohort(ours)
    assert cohort.assays["FC"].negative == Threshold(Fraction(1, 100), or_equal=False)
    assert cohort.assays["RT-PCR"].negative == Threshold(Fraction(1, 1000), or_equal=True)
    assert [threshold.negative(threshold.limit) for a in cohort.assays.values() if (threshold := a.negative)] == [
        False,
        True,
    ]
    assert (cohort.limit_of_detection("FC"), cohort.limit_of_detection("RT-PCR")) == (0.01, 0.1)


@pytest.mark.parametrize(
    "written, crs, icans",
    [
        ("ASTCT", "ASTCT 2019", "ASTCT 2019"),
        ("CTCAE 4.03", "CTCAE v4", "CTCAE v4"),
        ("NCI-CTCAE v5.0", "CTCAE v5", "CTCAE v5"),
        ("{CRS: CTCAE v5, ICANS: ASTCT 2019}", "CTCAE v5", "ASTCT 2019"),
    ],
)
def test_each_event_is_graded_in_one_scale(ours, written, crs, icans):
    (ours / "cohort.yaml").write_text(f"grading_scale: {written}\n")
    cohort = load_cohort(ours)
    assert (cohort.scale("CRS"), cohort.scale("ICANS")) == (crs, icans)


def test_the_columns_and_rules_are_those_of_the_cohorts_groups(ours):
    report = load_cohort("tianjin2023")
    assert (report.declared, report.every_rule) == (COLUMNS, RULES)
    (ours / "cohort.yaml").write_text(
        "groups:\n  一组: {label: a, purpose: bridging}\n  2: {label: b}\nmissing_allowed: [sex, icans_day]\n"
    )
    cohort = load_cohort(ours)
    declared = {column.name: column for column in cohort.declared}
    assert declared["group"].values == ("一组", "2")
    assert {name for name, column in declared.items() if column.blank} == {
        column.name for column in COLUMNS if column.blank
    } | {"sex"}
    rules = {rule.id: rule for rule in cohort.rules}
    assert rules["reason-only-in-IC"].then == {"group": "一组"}
    assert rules["icans-day-with-icans"].when == {"not": {"icans_day": ""}, "icans_grade": {"at_least": "1"}}
    (ours / "cohort.yaml").write_text("groups:\n  2: {label: b}\n")
    assert (
        len(load_cohort(ours).every_rule) == len(RULES) - 2
    )  # nothing can be asked of bridging where nobody is bridged


def test_everything_but_who_and_which_group_may_be_missing(ours):
    (ours / "cohort.yaml").write_text("missing_allowed: all\n")
    cohort = load_cohort(ours)
    assert {column.name for column in cohort.declared if not column.blank} == {"patient_id", "group"}
