"""What reading a line list adds to its parts: where values come from, what is told, and what is kept to itself."""

import re
from datetime import date

import pytest
from files import HEADERS, canonical, changed, rows_at_random, ward, write

from blina.linelist.cohort import load_cohort
from blina.linelist.columns import COLUMNS
from blina.linelist.explain import Explanation
from blina.linelist.intake import BETWEEN, Intake, read_line_list, take_in
from blina.linelist.parse import MOST_ALIKE
from blina.linelist.problems import LineListError
from blina.linelist.recognise import FROM_DATES

OF_REPORT = [name for name in HEADERS if name not in ("fusion_gene", "mrd_after_percent")]
LETTERS = dict(zip(OF_REPORT, "ABCDEFGHIJKLMNOPQRS", strict=True))


@pytest.fixture
def take(tmp_path, report_rows):
    """Takes in the report's rows as a ward's sheet, some cells changed, as a cohort.yaml describes it."""

    def take(cells=None, settings="", language="zh", suffix=".csv", rows=report_rows, **how) -> Intake:
        (tmp_path / "cohort.yaml").write_text(f"file: linelist{suffix}\n{settings}", encoding="utf-8")
        write(tmp_path / f"linelist{suffix}", changed(ward(rows, language), cells or {}), **how)
        cohort = load_cohort(tmp_path)
        return take_in(cohort.linelist, cohort)

    return take


def column(letter, header, *values):
    """A column of a sheet: its header, and what stands below it from row 2 on."""
    return {f"{letter}{row}": value for row, value in enumerate((header, *values), start=1)}


def told(taken, what) -> dict[str, str]:
    """Where something was done to cells, by column."""
    return {change.column: change.where for change in taken.changes if change.what == what}


def rules(problems) -> set[tuple[str, str]]:
    return {(problem.cell, problem.rule) for problem in problems}


def test_the_report_s_own_line_list_is_taken_in_with_nothing_to_tell(report_folder):
    taken = take_in(report_folder / "linelist.csv", load_cohort("tianjin2023"))
    assert (taken.problems, taken.warnings, taken.changes, taken.set_aside, taken.understood) == ([], [], [], [], [])
    assert taken.table.reconstructed and len(taken.checked()) == 28


def test_a_line_list_without_description_is_one_of_the_standard_groups(tmp_path, report_rows):
    table = read_line_list(write(tmp_path / "any.csv", ward(report_rows, "en")))
    assert not table.reconstructed
    assert table.cells().equals(canonical(report_rows))


# Where values come from


def test_times_are_counted_from_dates(take, report_rows):
    cells = column("D", "出生日期", *["2010-03-01"] * 28) | column("G", "诊断日期", *["2022年12月1日"] * 28)
    cells |= column("H", "首次输注日期", *["2023/1/1"] * 28) | column("T", "末次输注日期", *["20230128"] * 28)
    cells |= column("S", "ICANS日期", *[""] * 15, "2023.1.3")  # of P16
    taken = take(cells, "columns:\n  age_years: {from: 出生日期, to: 首次输注日期}\n"
                 "  months_from_diagnosis: {from: 诊断日期, to: 首次输注日期}\n"
                 "  infusion_days: {from: 首次输注日期, to: 末次输注日期}\n"
                 "  icans_day: {from: 首次输注日期, to: ICANS日期}\n")  # fmt: skip
    read = taken.checked().cells()
    assert [*read.iloc[0][["age_years", "months_from_diagnosis", "infusion_days", "icans_day"]]] == [
        "12.8", "1.0", "28", ""]  # fmt: skip
    assert read["icans_day"][15] == "3"  # the first day of infusion is day 1
    assert told(taken, "dates") == {"age_years": "D2:D29", "months_from_diagnosis": "G2:G29",
                                    "infusion_days": "H2:H29", "icans_day": "H2:H29"}  # fmt: skip
    assert taken.set_aside == []


@pytest.mark.parametrize("order, months", [("dmy", "0.9"), ("mdy", "0.0")])
def test_a_date_that_could_be_two_is_read_as_the_description_says(take, order, months):
    cells = column("G", "诊断日期", *["01/02/2023"] * 28) | column("T", "首次输注日期", *["01/03/2023"] * 28)
    source = "{from: 诊断日期, to: 首次输注日期}"
    taken = take(cells, f"date_order: {order}\ncolumns: {{months_from_diagnosis: {source}}}\n")
    assert {*taken.checked().cells()["months_from_diagnosis"]} == {months}


def test_dates_of_a_workbook_are_dates(take):
    cells = column("G", "诊断日期", *[date(2022, 12, 1)] * 28) | column("T", "首次输注日期", *[date(2023, 1, 1)] * 28)
    taken = take(cells, "columns: {months_from_diagnosis: {from: 诊断日期, to: 首次输注日期}}\n", suffix=".xlsx")
    assert {*taken.checked().cells()["months_from_diagnosis"]} == {"1.0"}


def test_a_group_may_be_the_same_for_everybody(take):
    taken = take(column("B", "病区", *["三"] * 28) | column("F", "化疗不耐受原因", *[""] * 28),
                 "columns: {group: {value: RR}}\n")  # fmt: skip
    assert {*taken.checked().cells()["group"]} == {"RR"}
    assert {(c.column, c.what, c.count, c.where) for c in taken.changes} >= {("group", "constant", 28, "2:29")}
    assert taken.set_aside == [("B", "病区")]


def test_one_box_may_stand_for_yes_or_no(take):
    taken = take(column("P", "fever___1", "1", "0", *["0"] * 26),
                 "columns: {fever_cycle1: {checked: {fever___1: 'yes'}}}\n")  # fmt: skip
    assert [*taken.checked().cells()["fever_cycle1"]][:3] == ["yes", "no", "no"]
    assert told(taken, "boxes") == {"fever_cycle1": "P2:P29"}


def test_a_box_alone_that_was_left_blank_is_not_a_no(take):
    cells = column("P", "fever___1", "1", "", *["0"] * 26)
    box = "columns: {fever_cycle1: {checked: {fever___1: 'yes'}}}\n"
    assert [(p.cell, p.rule) for p in take(cells, box).problems] == [("P3", "fever_cycle1-allowed")]
    taken = take(cells, f"{box}missing_allowed: [fever_cycle1]\n")
    assert [*taken.checked().cells()["fever_cycle1"]][:3] == ["yes", "", "no"]


def test_a_merged_group_counts_for_each_row_where_that_is_declared(take, report_rows):
    def merge(sheet):
        sheet.merge_cells("B2:B19")

    refused = take(suffix=".xlsx", edit=merge)
    assert {problem.cell for problem in refused.problems} == {f"B{row}" for row in range(3, 20)}
    assert told(refused, "merged") == {"分组": "3:19"}
    for problem in refused.problems:
        assert "is part of a merged cell: if its value counts for each row" in problem.advice.en
        assert "merged: [group]" in problem.advice.en and "merged: [group]" in problem.advice.zh
    taken = take(settings="merged: [group]\n", suffix=".xlsx", edit=merge)
    assert taken.checked().cells().equals(canonical(report_rows))
    assert told(taken, "filled") == {"group": "B3:B19"}


# MRD values in the columns of assays


def with_values(*before):
    """FC before as values for P02 to P07, who were positive by it, instead of a column of values."""
    cells = column("K", "骨髓", *[""] * 28)
    return cells | {f"L{row}": value for row, value in enumerate(before, start=3)}


ASSAYS = 'assays: {{FC: {{limit_of_detection_percent: "0.01", negative: "{} 0.01"}}}}\n'


@pytest.mark.parametrize("comparison, status", [("<", "positive"), ("<=", "negative")])
def test_a_value_on_the_threshold_is_judged_as_declared_and_counted(take, comparison, status):
    taken = take({"M3": "0.01%", "M4": "<0.01%", "M5": "0.011%"}, ASSAYS.format(comparison))
    assert taken.problems == []
    assert [*taken.table.cells()["fc_after"][1:4]] == [status, "negative", "positive"]
    assert taken.boundary == {"fc_after": 1}
    assert told(taken, "threshold") == {"fc_after": "M3:M5"}


def test_values_of_an_assay_are_the_mrd_values_where_the_sheet_has_no_others(take, report_rows):
    rows = [row for row in report_rows if row["fc_before"] == "positive"]
    values = [row["mrd_before_percent"] for row in rows]
    cells = column("K", "骨髓", *[""] * len(rows)) | column("L", "治疗前流式MRD", *(f"{value}%" for value in values))
    taken = take(cells, ASSAYS.format("<"), rows=rows)
    assert taken.checked().cells().drop(columns="patient_id").equals(
        canonical(rows).drop(columns="patient_id").reindex(columns=taken.table.cells().columns[1:]))  # fmt: skip
    assert told(taken, "value of the assay") == {"mrd_before_percent": f"L2:L{len(rows) + 1}"}


def test_the_value_of_flow_cytometry_comes_before_that_of_rt_pcr_and_each_is_told_at_its_own_cell(take, report_rows):
    rows = [row for row in report_rows if row["bcr_abl1"] == "yes"]
    pcr = 'assays: {FC: {negative: "< 0.01"}, RT-PCR: {negative: "< 0.001"}}\n'
    cells = column("K", "骨髓", *[""] * len(rows)) | column("N", "治疗前RT-PCR", *["0.5%"] * len(rows))
    taken = take(cells | {"L2": "0.7%", "L3": "0.005%"}, pcr, rows=rows)
    assert [*taken.table.cells()["mrd_before_percent"][:3]] == ["0.7000", "0.5000", "0.5000"]
    at = [change.where for change in taken.changes if change.what == "value of the assay"]
    assert at == ["L2", f"N3:N{len(rows) + 1}"]


def test_a_column_of_fractions_is_read_as_the_description_says(take, report_rows):
    fractions = [f"{float(row['mrd_before_percent']) / 100:.6f}" if row["mrd_before_percent"] else ""
                 for row in report_rows]  # fmt: skip
    taken = take(column("K", "治疗前MRD", *fractions), "mrd_unit: fraction\n")
    assert taken.checked().cells().equals(canonical(report_rows))
    assert [*told(taken, "fraction")] == ["mrd_before_percent"]


def test_values_that_may_all_be_fractions_are_warned_of(take):
    small = ["0.0012" if row in (*range(19), *range(21, 28)) else "" for row in range(28)]
    taken = take(column("K", "治疗前MRD", *(value if place not in (18, 19, 20) else "" for place, value in
                                            enumerate(small))))  # fmt: skip
    assert taken.problems == []
    assert ("K1", "fractions") in rules(taken.warnings)


def test_percent_signs_in_a_part_of_a_column_are_refused_unless_the_unit_is_declared(take):
    assert rules(take({"K3": "0.38%"}).problems) == {("K3", "one-unit")}
    assert take({"K3": "0.38%"}, "mrd_unit: percent\n").checked().cells()["mrd_before_percent"][1] == "0.3800"


# What may be missing


def test_a_blank_that_may_be_missing_is_blank_and_its_rules_are_not_asked(take):
    cells = {"C2": "", "R3": "不详", "K4": "", "L5": ""}
    named = "[sex, icans_grade, mrd_before_percent, fc_before]"
    assert len(take(cells).problems) == 4
    taken = take(cells, f"missing_allowed: {named}\n")
    read = taken.checked().cells()
    assert [read["sex"][0], read["icans_grade"][1], read["mrd_before_percent"][2], read["fc_before"][3]] == [""] * 4
    assert told(taken, "missing") == {"icans_grade": "R3"}


def test_a_column_that_may_be_missing_may_be_absent(take):
    cells = column("C", "身高", *["120"] * 28)
    assert rules(take(cells).problems) == {("", "header-complete")}
    taken = take(cells, "missing_allowed: [sex]\n")
    assert {*taken.checked().cells()["sex"]} == {""}
    assert [(c.column, c.what) for c in taken.changes if c.what == "column not in the sheet"] == [
        ("sex", "column not in the sheet")]  # fmt: skip


def test_a_missing_column_is_told_with_the_ways_out(take):
    (problem,) = take({"C1": "身高"}).problems
    assert problem.row == 1 and problem.column == "sex"
    for way in ("add it", "under columns in cohort.yaml", "under missing_allowed"):
        assert way in problem.advice.en
    for way in ("请补上", "columns", "missing_allowed"):
        assert way in problem.advice.zh


# What is kept to itself


def test_a_column_that_is_left_out_is_never_read(take):
    cells = column("T", "姓名", *["张三测试"] * 28)
    assert rules(take(cells).problems) == {("T1", "identifying-header")}
    taken = take(cells, "leave_out: [姓名]\n")
    assert taken.problems == [] and taken.set_aside == []
    assert not any("张三测试" in text for column in taken.sheet.columns for text in column.texts())


def test_identifiers_are_replaced_unless_they_are_to_be_kept(take, report_rows):
    cells = column("A", "登记号", *(f"C-{place * 7}" for place in range(28)))
    taken = take(cells)
    assert taken.checked().ids == tuple(row["patient_id"] for row in report_rows)
    assert told(taken, "pseudonym") == {"patient_id": "A2:A29"}
    kept = take(cells, "pseudonyms: no\n")
    assert kept.checked().ids == tuple(f"C-{place * 7}" for place in range(28))
    assert told(kept, "pseudonym") == {}


def test_a_hospital_number_may_be_the_identifier_that_a_pseudonym_replaces(take):
    cells = column("A", "住院号", *(f"ZY77310{place}" for place in range(28)))
    assert ("A1", "identifying-header") in rules(take(cells).problems)
    taken = take(cells, "columns: {patient_id: 住院号}\n")
    assert taken.checked().ids[0] == "P01"
    refused = take(cells, "columns: {patient_id: 住院号}\npseudonyms: no\n")
    assert ("A1", "identifying-header") in rules(refused.problems)


def test_a_date_of_birth_is_turned_to_an_age_at_once(take):
    cells = column("D", "出生日期", *["2015-04-03"] * 28) | column("T", "首次输注日期", *["2023-04-03"] * 28)
    taken = take(cells, "columns: {age_years: {from: 出生日期, to: 首次输注日期}}\n")
    assert {*taken.checked().cells()["age_years"]} == {"8.0"}


def test_a_sheet_without_header_never_shows_its_first_patient(take, report_rows):
    first = report_rows[18]
    cells = {f"{letter}1": "张三测试" if letter == "A" else first[name] or "" for name, letter in LETTERS.items()}
    taken = take(cells)
    assert taken.problems and len(taken.table) == 0 and taken.set_aside == taken.understood == taken.changes == []
    for language in ("en", "zh"):
        found = Explanation(taken, language)
        said = "\n".join(found.lines()) + found.page()
        for value in ("张三测试", "endocarditis", "16.8", "2.9"):
            assert value not in said


def test_a_header_that_holds_a_number_of_a_patient_is_told_by_its_letter(take):
    taken = take(column("T", "母亲13800138000", "x"))
    found = Explanation(taken)
    assert "13800138000" not in "\n".join(found.lines()) + found.page()
    assert rules(taken.problems) == {("T1", "identifying-value")}


def test_no_more_than_a_thousand_problems_of_a_kind_are_listed(take):
    rows = rows_at_random(3, MOST_ALIKE + 300)
    cells = column("C", "性别", *["？？男"] * len(rows)) | column("A", "患者编号", *["P0001"] * len(rows))
    problems = take(cells, rows=rows).problems
    of_sex = [problem for problem in problems if problem.column == "sex"]
    assert len(of_sex) == MOST_ALIKE + 1
    assert of_sex[-1].rule == "and-more" and "300 more of this column" in of_sex[-1].advice.en
    assert "另有 300 个" in of_sex[-1].advice.zh
    of_ids = [problem for problem in problems if problem.column == "patient_id"]
    assert len(of_ids) == MOST_ALIKE + 1 and "299 more of this column" in of_ids[-1].advice.en


# What is told


@pytest.mark.parametrize(
    "settings, said",
    [
        (
            "leave_out: [姓名，住院号]",
            "names 姓名，住院号 here, a header that the sheet has not got; separate names by ,",
        ),
        ("leave_out: [发熱]", "names 发熱 here, a header that the sheet has not got"),
        ("merged: [性別, group]", "names 性別 here"),
        ("merged: [BCR-ABL1融合基囚]", "do you mean BCR-ABL1融合基因?"),
    ],
)
def test_a_name_that_no_header_has_is_looked_at(take, settings, said):
    (warning,) = take(settings=settings + "\n").warnings
    assert said in warning.advice.en


def test_names_that_the_sheet_has_are_not_told(take):
    assert take(settings="leave_out: [身高]\nmerged: [group, 性别]\n", cells=column("T", "身高", "1")).warnings == []


def test_the_columns_that_may_come_from_dates_are_those_that_can_be_computed():
    assert {*FROM_DATES} == {*BETWEEN}


def test_a_column_that_dates_could_give_is_told_to_be_computed(take):
    two = column("H", "首次给药日期", "2023-01-01") | column("T", "末次给药日期", "2023-01-28")
    (problem,) = take(two).problems
    assert (
        "or compute it from two dates, as in infusion_days: {from: 首次给药日期, to: 末次给药日期}" in problem.advice.en
    )
    (problem,) = take(two | column("U", "随访日期", "2023-02-28")).problems
    assert "如 infusion_days: {from: 首次输注日期, to: 末次输注日期}" in problem.advice.zh
    (problem,) = take(column("H", "身高", "1")).problems
    assert "two dates" not in problem.advice.en


def test_a_wrong_date_that_serves_two_columns_is_told_once(take):
    cells = column("D", "诊断时间甲", *["2010-03-01"] * 28) | column("G", "给药日", *["2023-01-01"] * 28)
    cells |= {"G4": "2023-02-30"}
    taken = take(cells, "columns:\n  age_years: {from: 诊断时间甲, to: 给药日}\n"
                 "  months_from_diagnosis: {from: 诊断时间甲, to: 给药日}\n")  # fmt: skip
    assert [problem.cell for problem in taken.problems] == ["G4"]


def test_a_patient_who_stands_twice_under_two_numbers_is_looked_at(take, report_rows):
    again = take(rows=[*report_rows, {**report_rows[4], "patient_id": "P77"}])
    assert [(w.cell, w.rule, w.advice.en) for w in again.warnings] == [
        ("A30", "same-values", "same values as row 6 in every other column: the same patient twice?")]  # fmt: skip


def test_a_value_that_does_not_agree_with_fc_by_its_threshold_is_looked_at(take):
    cells = {"K3": "0.005", "L3": "阳性", "K4": "0.01", "L4": "阳性"}
    assert ("K3", "fc-and-value-before") in rules(take(cells, ASSAYS.format("<")).warnings)
    assert ("K4", "fc-and-value-before") not in rules(take(cells, ASSAYS.format("<")).warnings)
    assert ("K4", "fc-and-value-before") in rules(take(cells, ASSAYS.format("<=")).warnings)
    assert "fc-and-value-before" not in {warning.rule for warning in take(cells).warnings}


def test_crs_without_fever_is_odd_only_by_the_scale_that_asks_for_fever(take):
    cells = {"P4": "否", "Q4": "2"}
    odd = {scale: ("Q4", "no-fever-with-crs") in rules(take(cells, scale).warnings)
           for scale in ("", "grading_scale: ASTCT 2019\n", "grading_scale: CTCAE v5\n")}  # fmt: skip
    assert [*odd.values()] == [False, True, False]


def test_a_power_of_ten_below_a_header_in_percent_is_looked_at(take):
    assert ("K3", "mrd_before_percent-odd") in rules(take({"K3": "10⁻³"}).warnings)
    assert take({"K3": "10⁻³"}, "mrd_unit: percent\n").warnings == []
    assert take({"K3": "10⁻³", "K1": "治疗前MRD"}).warnings == []


def test_oddities_are_warnings_and_keep_nothing_from_being_read(take):
    taken = take({"D3": "0", "K4": "100", "G5": "590", "H6": "35"})
    assert rules(taken.warnings) >= {("D3", "age-zero"), ("K4", "mrd-before-all-cells"),
                                     ("G5", "interval-longer-than-life"), ("H6", "longer-than-planned")}  # fmt: skip
    assert len(taken.checked()) == 28


def test_every_change_is_listed_with_its_cells(take):
    taken = take({"D4": "3岁8月", "Q5": "Ⅱ级", "J6": "无", "H7": "14天", "M8": "ＮＥＧＡＴＩＶＥ", "K9": "＜0.01％",
                  "L9": "阴性", "N9": "阴性", "G10": "2,8"})  # fmt: skip
    assert taken.problems == []
    expected = {
        ("age_years", "converted"): "D4", ("crs_grade", "grade"): "Q5", ("extra_cycles", "none"): "J6",
        ("infusion_days", "unit"): "H7", ("fc_after", "typing"): "M8", ("mrd_before_percent", "below limit"): "K9",
        ("months_from_diagnosis", "decimal comma"): "G10",
    }  # fmt: skip
    assert expected.items() <= {(c.column, c.what): c.where for c in taken.changes}.items()


def test_columns_that_are_not_used_are_told_and_so_is_what_headers_were_taken_for(take):
    taken = take(column("T", "身高(cm)", "120") | column("V", "方案", "VP"))
    assert taken.set_aside == [("T", "身高(cm)"), ("V", "方案")]
    assert set(taken.understood) == {(LETTERS[name], HEADERS[name][1], name) for name in LETTERS}


def test_what_is_wrong_can_be_raised_with_every_problem(take):
    taken = take({"C3": "?", "D4": "old"})
    with pytest.raises(LineListError) as error:
        taken.checked()
    assert [problem.cell for problem in error.value.problems] == ["C3", "D4"]
    assert re.search(r"row 3, column sex .*\n.*row 4, column age_years", str(error.value))


def test_every_declared_column_has_a_ward_s_header_in_both_languages():
    assert [*HEADERS] == [column.name for column in COLUMNS]


@pytest.mark.parametrize("typed", ["未做", ""])
def test_no_rt_pcr_is_never_taken_for_nothing_to_follow(take, report_rows, typed):
    """Absent is not recorded, with a fusion gene or without; whether there was one to follow only the ward knows."""
    without = next(place for place, row in enumerate(report_rows) if row["bcr_abl1"] == "no")
    carrier = next(place for place, row in enumerate(report_rows) if row["bcr_abl1"] == "yes")
    letter = LETTERS["pcr_after"]
    cells = {f"{letter}{without + 2}": typed, f"{letter}{carrier + 2}": typed}
    taken = take(cells, "missing_allowed: [pcr_after]\n")
    after = taken.table.cells()["pcr_after"]
    assert not taken.problems
    assert {after[without], after[carrier]} == {"not_done" if typed else ""}
    assert not any(change.column == "pcr_after" and change.what != "word" for change in taken.changes)
    assert (f"{letter}1", "nothing-to-follow") in rules(taken.warnings)


def test_an_absent_column_of_rt_pcr_is_recorded_of_nobody(take, report_rows):
    rows = [{name: cell for name, cell in row.items() if name != "pcr_after"} for row in report_rows]
    taken = take(settings="missing_allowed: [pcr_after]\n", rows=rows)
    assert {*taken.checked().cells()["pcr_after"]} == {""}
    assert told(taken, "column not in the sheet") == {"pcr_after": ""}
