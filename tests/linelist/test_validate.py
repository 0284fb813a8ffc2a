"""Every problem of a line list is named at once by row, column and rule, and never by a patient's value."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from blina.linelist.columns import COLUMNS, RULES
from blina.linelist.intake import read_line_list, take_in
from blina.linelist.parse import Place
from blina.linelist.problems import LineListError
from blina.linelist.sheet import sheet_of
from blina.linelist.validate import LEAST_FILLED, same_patients

NAMES = [column.name for column in COLUMNS]
SHIPPED = [column.name for column in COLUMNS if not column.optional]  # those of the report's line list


def problems(path) -> list[tuple[int, str, str]]:
    with pytest.raises(LineListError) as error:
        read_line_list(path)
    return [(problem.row, problem.column, problem.rule) for problem in error.value.problems]


def test_the_reports_line_list_has_no_problem(report_folder):
    assert len(read_line_list(report_folder / "linelist.csv")) == 28


# Patients of the report's line list by what they are: P01 MC with fusion, P02 MC without, P16 with ICANS, P19 in IC,
# P25 RR with fusion.
BREAKS = {
    "reason-only-in-IC": ({("P02", "intolerance_reason"): "infection"}, (3, "group")),
    "reason-given-in-IC": ({("P19", "intolerance_reason"): ""}, (20, "intolerance_reason")),
    "gene-is-bcr-abl1": ({("P02", "fusion_gene"): "BCR::ABL1"}, (3, "bcr_abl1")),
    "gene-is-not-bcr-abl1": ({("P01", "fusion_gene"): "KMT2A"}, (2, "bcr_abl1")),
    "fusion-followed-before": ({("P25", "pcr_before"): "not_applicable"}, (26, "pcr_before")),
    "fusion-followed-after": ({("P01", "pcr_after"): "not_applicable"}, (2, "pcr_after")),
    "mrd-value-when-detected": ({("P02", "mrd_before_percent"): ""}, (3, "mrd_before_percent")),
    "mrd-blank-when-not-detected": ({("P02", "fc_before"): "negative"}, (3, "mrd_before_percent")),
    "icans-day-with-icans": ({("P16", "icans_day"): ""}, (17, "icans_day")),
    "no-icans-day-without-icans": ({("P16", "icans_grade"): "0"}, (17, "icans_day")),
}


def test_a_way_to_break_each_rule_is_known():
    assert set(BREAKS) == {rule.id for rule in RULES}


@pytest.mark.parametrize("rule", BREAKS)
def test_each_rule_across_columns_is_named_where_it_is_broken(line_list, rule):
    changes, (row, column) = BREAKS[rule]
    assert problems(line_list(changes)) == [(row, column, rule)]


def odd(path, rule) -> list[tuple[str, str]]:
    """Where something is odd by a rule of no single row, and what is said of it."""
    taken = take_in(path)
    assert taken.problems == []
    return sorted((warning.cell, warning.advice.en) for warning in taken.warnings if warning.rule == rule)


def test_rt_pcr_of_a_patient_without_bcr_abl1_is_taken_and_its_gene_is_asked_for(line_list):
    """Another gene, or IG/TR, may be followed: it was refused while RT-PCR could only follow BCR::ABL1."""
    changes = {("P02", "pcr_before"): "positive", ("P02", "pcr_after"): "negative", ("P04", "pcr_after"): "negative"}
    path = line_list(changes)
    assert odd(path, "gene-not-named") == [
        (
            "N1",
            "has a result in 1 patient without BCR::ABL1 and with no other gene named: name the gene under fusion_gene",
        ),
        (
            "O1",
            "has a result in 2 patients without BCR::ABL1 and with no other gene named: name the gene under "
            "fusion_gene",
        ),
    ]
    read = read_line_list(path).cells()
    assert [*read["pcr_after"][[1, 3]]] == ["negative", "negative"]
    named = {("P02", "fusion_gene"): "ETV6-RUNX1", ("P04", "fusion_gene"): "KMT2A"}
    assert odd(line_list(changes | named), "gene-not-named") == []


def test_no_rt_pcr_without_a_fusion_gene_stays_as_it_is_and_is_asked_about_once(line_list):
    """It was made not_applicable before, which said of a test that was not done that there was nothing to test."""
    changes = {("P02", "pcr_after"): "not_done", ("P04", "pcr_after"): "not_done", ("P01", "pcr_after"): "not_done"}
    path = line_list(changes)
    ((cell, said),) = odd(path, "nothing-to-follow")
    assert cell == "O1" and "in 2 patients without a fusion gene" in said
    assert "write not_applicable where no gene was there to follow" in said
    assert {*read_line_list(path).cells()["pcr_after"][[0, 1, 3]]} == {"not_done"}
    other = {("P02", "fusion_gene"): "ETV6-RUNX1", ("P04", "fusion_gene"): "无"}
    ((_, said),) = odd(line_list(changes | other), "nothing-to-follow")
    assert "in 1 patient without a fusion gene" in said


@pytest.mark.parametrize(
    "column, text, advice",
    [
        ("group", "XX", "write MC, IC or RR"),
        ("group", "", "is blank: write MC, IC or RR"),
        ("age_years", "180", "is out of range: write a number in steps of 0.1 from 0.0 to 120.0 (years)"),
        ("age_years", "7.55", "is between two steps: write a number in steps of 0.1 from 0.0 to 120.0 (years)"),
        ("age_years", "", "is blank: write a number"),
        ("bcr_abl1", "perhaps", "write no or yes"),
        ("mrd_before_percent", "-1", "is not an MRD value: write a number in percent, as in 0.145, or leave it blank"),
        ("mrd_before_percent", "100.01",
         "is out of range: write a number in steps of 0.0001 from 0.0001 to 100.0000 (%), or blank"),
        ("mrd_before_percent", "abc", "is not an MRD value"),
        ("mrd_before_percent", "0.5%", "is written in another way than the rest of its column"),
        ("mrd_before_percent", "nan", "is said not to be known"),
        ("mrd_before_percent", "0.12345", "is finer than 0.0001%"),
        ("infusion_days", "43", "is out of range: write a whole number from 1 to 42 (days)"),
        ("infusion_days", "14.5", "is between two steps"),
        ("infusion_days", "9" * 5000, "is a long text"),
        ("crs_grade", "6", "is out of range: write a whole number from 0 to 5"),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_stand_is_one_line_that_says_what_to_write(line_list, column, text, advice):
    with pytest.raises(LineListError) as error:
        read_line_list(line_list({("P02", column): text}))
    (line,) = str(error.value).splitlines()
    assert line.startswith(f"linelist.csv: row 3, column {column}: {advice}")
    cell = f"{'ABCDEFGHIJKLMNOPQRS'[SHIPPED.index(column)]}3"
    assert line.endswith(f", cell {cell}]")
    assert text == "" or text not in line


@pytest.mark.parametrize("text", ["+7.5", "07.5", "7.50", ".5", "0.5000", "１２.0"])
def test_a_number_may_be_written_in_several_ways(line_list, text):
    table = read_line_list(line_list({("P02", "age_years"): text}))
    assert table.codes["age_years"][1] == Fraction(text) * 10


def test_all_problems_are_named_at_once_in_the_order_of_rows(line_list):
    changes = {
        ("P28", "sex"): "girl or boy", ("P01", "pcr_after"): "not_applicable", ("P02", "age_years"): "180",
        ("P05", "patient_id"): "P04", ("P10", "patient_id"): "", ("P07", "icans_day"): "99",
        ("P20", "intolerance_reason"): "",
    }  # fmt: skip
    assert problems(line_list(changes)) == [
        (2, "pcr_after", "fusion-followed-after"),
        (3, "age_years", "age_years-allowed"),
        (6, "patient_id", "id-once"),
        (8, "icans_day", "icans_day-allowed"),  # and not also that a day is missing: what stands there is not known
        (11, "patient_id", "id-given"),
        (21, "intolerance_reason", "reason-given-in-IC"),
        (29, "sex", "sex-allowed"),
    ]


def test_an_identifier_that_stands_twice_is_named_with_its_first_row(line_list):
    with pytest.raises(LineListError) as error:
        read_line_list(line_list({("P05", "patient_id"): "P04"}))
    assert str(error.value) == (
        "linelist.csv: row 6, column patient_id: is the same as in row 5: one row per patient, "
        "each with its own identifier [id-once, cell A6]"
    )


MISSING = (
    "; or name your header for it under columns in cohort.yaml, or, if you do not record it, name it under "
    "missing_allowed"
)


@pytest.mark.parametrize(
    "old, new, column, rule, advice",
    [
        ("sex", "ward", "sex", "header-complete", f"is missing from the header: add it{MISSING}"),
        ("infusion_days", "infusion_dys", "infusion_days", "header-complete",
         "is missing from the header: rename infusion_dys"),
        ("provenance", "sex", "sex", "header-once", "stands 2 times in the header: keep one"),
    ],
)  # fmt: skip
def test_a_header_that_lacks_a_column_says_which(line_list, old, new, column, rule, advice):
    path = line_list()
    header, _, rest = path.read_text(encoding="utf-8").partition("\n")
    path.write_text(header.replace(old, new, 1) + "\n" + rest, encoding="utf-8")
    with pytest.raises(LineListError) as error:
        read_line_list(path)
    assert str(error.value) == f"linelist.csv: row 1, column {column}: {advice} [{rule}]"


@pytest.mark.parametrize(
    "old, new", [("sex", "gender"), ("age_years", "Age (years)"), ("fc_before", "FC_before"), ("patient_id", "id")]
)
def test_a_header_that_is_commonly_used_is_understood_and_told(line_list, old, new):
    path = line_list()
    header, _, rest = path.read_text(encoding="utf-8").partition("\n")
    path.write_text(header.replace(old, new, 1) + "\n" + rest, encoding="utf-8")
    intake = take_in(path)
    assert not intake.problems
    assert [(header, column) for _, header, column in intake.understood] == [(new, old)]


def test_a_column_that_is_not_declared_is_left_out(line_list):
    path = line_list()
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(f"{line},{'ward' if i == 0 else 'B12'}" for i, line in enumerate(lines)))
    table = read_line_list(path)
    assert set(table.columns) == set(SHIPPED) - {"patient_id"}
    assert "B12" not in table.cells().to_csv()


def test_a_file_without_header_does_not_show_its_first_patient(line_list):
    path = line_list({("P01", "patient_id"): "patient_1d"})
    path.write_text(path.read_text(encoding="utf-8").partition("\n")[2], encoding="utf-8")
    with pytest.raises(LineListError) as error:
        read_line_list(path)
    rules = Counter(problem.rule for problem in error.value.problems)
    assert rules["header-complete"] == len(SHIPPED)
    assert rules.keys() <= {"header-complete", "header-given"}
    assert "patient_1d" not in str(error.value)


def test_rows_that_share_few_filled_cells_are_not_taken_for_one_patient():
    for filled, rows in ((0, []), (LEAST_FILLED - 1, []), (LEAST_FILLED, [3])):
        cells = [f"c{place}" for place in range(filled)]
        sheet = sheet_of("x.csv", ["id", *cells, "note"], [["1", *cells, ""], ["2", *cells, ""]])
        assert [odd.row for odd in same_patients(sheet, Place(sheet, "patient_id", 0))] == rows


CANARY = "Zq7!Kx"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.tuples(st.integers(0, 27), st.sampled_from(SHIPPED)), st.sampled_from(["", "9", ".", "-", "<"]),
                    min_size=1, max_size=12),
    st.booleans(),
)  # fmt: skip
def test_no_message_ever_holds_a_patients_value(report_rows, tmp_path, planted, twice):
    rows = [[row[name] for name in SHIPPED] for row in report_rows]
    for (row, name), before in planted.items():
        rows[row][SHIPPED.index(name)] = before + CANARY + ("" if twice else str(row))
    assume(twice or any(name != "patient_id" for _, name in planted))
    path = tmp_path / "list.csv"
    path.write_text("\n".join(",".join(row) for row in (SHIPPED, *rows)), encoding="utf-8")
    try:
        read_line_list(path)
    except LineListError as error:
        said = str(error)
        assert CANARY not in said + repr(error) + repr(error.problems)
        assert {(p.row - 2, p.column) for p in error.problems} >= {at for at in planted if at[1] != "patient_id"}
        assert all(line.startswith("list.csv: row ") for line in said.splitlines())
        assert len(said.splitlines()) == len(error.problems)
    else:
        assert all(name == "patient_id" for _, name in planted)


@pytest.mark.parametrize("numbers", [["77.31", "16.83"], ["3.14159"]])
def test_no_message_holds_a_number_that_was_typed(line_list, numbers):
    changes = {(f"P{i:02d}", "age_years"): f"{n}7" for i, n in enumerate(numbers, 1)}
    changes |= {(f"P{i:02d}", "mrd_before_percent"): f"-{n}" for i, n in enumerate(numbers, 5)}
    with pytest.raises(LineListError) as error:
        read_line_list(line_list(changes))
    assert len(error.value.problems) == 2 * len(numbers)
    assert not any(n in str(error.value) for n in numbers)
