"""A column of a sheet that looks like one which the sheet seems to lack is asked about, and never just left unused."""

import pytest
from files import HEADERS, changed, ward, write

from blina.linelist.cohort import load_cohort
from blina.linelist.columns import COLUMNS
from blina.linelist.intake import Intake, take_in
from blina.linelist.vocabulary import column_of, resembles

BY_NAME = {column.name: column for column in COLUMNS}
CELLS = {  # what wards type into a column of each kind
    "pcr": ["positive", "negative", "not done", "negative"],
    "fc": ["positive", "negative", "not done", "negative"],
    "icans_day": ["3", "", "", ""],
    "bcr_abl1": ["1.2", "0", "", "0"],
    "age_years": ["7.1", "8", "2.5", "11"],
    "fever_cycle1": ["2", "0", "1", "0"],
}


@pytest.fixture
def take(tmp_path, report_rows):
    """Takes in four rows of the report with one more column, some columns gone, which may be missing."""

    def take(gone: list[str], header: str, cells: list[str], settings: str = "") -> Intake:
        rows = [{name: cell for name, cell in row.items() if name not in gone} for row in report_rows[:4]]
        if "icans_day" in gone:
            rows = [row | {"icans_grade": "0"} for row in rows]
        grid = ward(rows, "en")
        grid = [[*row, cell] for row, cell in zip(grid, [header, *cells], strict=True)]
        allowed = f"missing_allowed: [{', '.join([*gone, 'mrd_before_percent'])}]\n"
        (tmp_path / "cohort.yaml").write_text(allowed + settings, encoding="utf-8")
        write(tmp_path / "linelist.csv", changed(grid, {}))
        cohort = load_cohort(tmp_path)
        return take_in(cohort.linelist, cohort)

    return take


@pytest.mark.parametrize(
    "header, name",
    [
        ("PCR前", "pcr_before"),
        ("PCR后", "pcr_after"),
        ("流式（前）", "fc_before"),
        ("流式（后）", "fc_after"),
        ("RT-PCR before", "pcr_before"),
        ("FC (pre)", "fc_before"),
        ("用药之前PCR", None),
        ("移植前PCR", None),
        ("化疗前流式", None),
        ("ICANS天数", None),  # of onset, or how many?
    ],
)
def test_a_header_that_can_mean_one_column_only_is_taken_for_it(header, name):
    assert column_of(header) == name


UNUSED = [
    # header, columns that the sheet lacks, the column that it may be
    ("ICANS天数", ["icans_day"], "icans_day"),
    ("移植前PCR", ["pcr_before", "pcr_after"], "pcr_before"),
    ("PCR D15", ["pcr_before", "pcr_after"], "pcr_before"),
    ("BCR-ABL定量结果（疗后1）", ["pcr_before", "pcr_after"], "pcr_after"),
    ("BCR/ABL copies", ["bcr_abl1", "pcr_before", "pcr_after"], "bcr_abl1"),
    ("诊断年龄", ["age_years"], "age_years"),
    ("Age at diagnosis", ["age_years"], "age_years"),
    ("发热天数", ["fever_cycle1"], "fever_cycle1"),
    ("fevre_cycle1", ["fever_cycle1"], "fever_cycle1"),
]


@pytest.mark.parametrize("header, gone, name", UNUSED)
def test_an_unused_column_that_looks_like_an_absent_one_stops_the_run(take, header, gone, name):
    kind = next(kind for kind in CELLS if name.startswith(kind))
    taken = take(gone, header, CELLS[kind])
    (problem,) = [problem for problem in taken.problems if problem.rule == "resembles"]
    assert (problem.column, problem.header) == (name, header)
    for said in (problem.advice.en, problem.advice.zh):
        assert name in said and "columns: {" in said and "leave_out: [" in said and header in said


@pytest.mark.parametrize("header, gone, name", UNUSED)
def test_what_is_left_out_is_never_asked_about(take, header, gone, name):
    taken = take(gone, header, ["?"] * 4, f'leave_out: ["{header}"]\n')
    assert taken.problems == []


def test_the_lines_to_paste_are_those_that_settle_it(take):
    (problem,) = take(["pcr_before"], "PCR: D0", CELLS["pcr"]).problems
    pasted = 'columns: {pcr_before: "PCR: D0"}'
    assert pasted in problem.advice.en
    taken = take(["pcr_before"], "PCR: D0", CELLS["pcr"], pasted + "\n")
    assert [problem for problem in taken.problems if problem.rule == "resembles"] == []
    assert [*taken.table.cells()["pcr_before"]] == ["positive", "negative", "not_done", "negative"]


@pytest.mark.parametrize(
    "header, gone",
    [
        ("PCR D15", []),  # both are there
        ("身高", ["pcr_before", "pcr_after"]),
        ("Infusion rate", ["bcr_abl1"]),  # which holds the word fusion
        ("PCR日期", ["pcr_before"]),
        ("FCR", ["fc_before"]),
        ("Dosage", ["age_years"]),
    ],
)
def test_what_looks_like_nothing_that_lacks_is_not_asked_about(take, header, gone):
    taken = take(gone, header, ["1", "2", "3", "4"])
    assert [problem for problem in taken.problems if problem.rule == "resembles"] == []
    assert header in [header for _, header in taken.set_aside]


def test_a_column_without_values_is_not_asked_about(take):
    assert take(["icans_day"], "ICANS天数", [""] * 4).problems == []


def test_a_header_of_another_time_does_not_look_like_the_column():
    assert resembles("第3次PCR（疗后）", BY_NAME["pcr_after"])
    assert not resembles("第3次PCR（疗后）", BY_NAME["pcr_before"])


def test_every_declared_column_that_may_be_absent_has_words_that_make_a_header_look_like_it():
    for column in COLUMNS:
        if column.name not in ("patient_id", "group"):
            assert column.keys
            assert any(resembles(f"{header}？？2", column) for header in HEADERS[column.name]), column.name
