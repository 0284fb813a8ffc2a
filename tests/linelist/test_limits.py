"""What a cell holds beside a result: a limit of detection or a value is kept with its patient, time and assay."""

from fractions import Fraction

import pandas as pd
import pytest
from files import changed, ward, write

from blina.figures.mrd import _end, _least
from blina.linelist.cohort import load_cohort
from blina.linelist.intake import Intake, take_in
from blina.linelist.tidy import tidy

ASSAYS = 'assays: {FC: {negative: "< 0.01"}, RT-PCR: {negative: "< 0.001"}}\n'
MISSING = "missing_allowed: [mrd_before_percent, mrd_after_percent]\n"
BEFORE, FC_BEFORE, FC_AFTER, PCR_BEFORE = "K", "L", "M", "N"  # columns of the report's rows as a ward's sheet


@pytest.fixture
def take(tmp_path, report_rows):
    """Takes in the report's rows as a ward's sheet, some cells changed."""

    def take(cells: dict[str, str], settings: str = ASSAYS + MISSING) -> Intake:
        (tmp_path / "cohort.yaml").write_text(settings, encoding="utf-8")
        write(tmp_path / "linelist.csv", changed(ward(report_rows, "en"), cells))
        cohort = load_cohort(tmp_path)
        return take_in(cohort.linelist, cohort)

    return take


@pytest.fixture
def results(take, tmp_path):
    """The tidy table of MRD of such a sheet, by patient, time and assay."""

    def results(cells: dict[str, str], settings: str = ASSAYS + MISSING) -> pd.DataFrame:
        taken = take(cells, settings)
        mrd = tidy(taken.checked(), load_cohort(tmp_path)).mrd
        return mrd.set_index(["patient_id", "time", "assay"]).sort_index()

    return results


def changes(taken: Intake, what: str) -> set[tuple[str, str]]:
    return {(change.column, change.where) for change in taken.changes if change.what == what}


# Limits of detection


def test_a_limit_typed_for_one_patient_is_that_patients_limit(results):
    mrd = results({f"{FC_AFTER}2": "<0.01%", f"{FC_AFTER}3": "阴性(<0.005%)"})
    limits = mrd["limit_of_detection_percent"].dropna()
    assert limits.to_dict() == {("P01", "after", "FC"): 0.01, ("P02", "after", "FC"): 0.005}
    assert mrd.loc[[("P01", "after", "FC"), ("P02", "after", "FC")], "status"].eq("negative").all()
    assert mrd.loc[[("P01", "after", "FC"), ("P02", "after", "FC")], "value_percent"].isna().all()


def test_the_cells_limit_comes_before_the_cohorts(results):
    stated = ASSAYS.replace("FC: {", 'FC: {limit_of_detection_percent: "0.02", ') + MISSING
    mrd = results({f"{FC_AFTER}2": "<0.01%"}, stated)
    assert mrd.loc[("P01", "after", "FC"), "limit_of_detection_percent"] == 0.01
    others = mrd.drop(("P01", "after", "FC")).xs("FC", level="assay")
    assert set(others["limit_of_detection_percent"]) == {0.02}
    assert mrd.xs("RT-PCR", level="assay")["limit_of_detection_percent"].isna().all()


def test_limits_are_kept_exactly_and_only_where_a_cell_states_one(take):
    table = take({f"{FC_AFTER}2": "<0.01%", f"{FC_AFTER}3": "＜10⁻⁴", f"{FC_AFTER}4": "<LOD"}).checked()
    assert table.limits.keys() == {"fc_after"}
    assert table.limits["fc_after"][:4] == (Fraction("0.01"), Fraction("0.01"), None, None)
    assert take({}).table.limits == {}


def test_a_limit_in_the_column_of_values_is_of_the_assay_that_has_a_result(results, report_rows):
    followed = [row["fc_before"] == "negative" and row["bcr_abl1"] == "yes" for row in report_rows]
    negative = followed.index(True)
    who = report_rows[negative]["patient_id"]
    cells = {f"{BEFORE}{negative + 2}": "<0.01", f"{PCR_BEFORE}{negative + 2}": "Negative"}
    assert results(cells).loc[(who, "before"), "limit_of_detection_percent"].dropna().to_dict() == {"FC": 0.01}
    cells |= {f"{FC_BEFORE}{negative + 2}": "Not done"}
    by_pcr = results(cells).loc[(who, "before"), "limit_of_detection_percent"].dropna()
    assert by_pcr.to_dict() == {"RT-PCR": 0.01}


def test_an_own_word_that_is_a_limit_keeps_it(results):
    settings = 'values: {fc_after: {"<0.01%": negative}}\n' + MISSING
    mrd = results({f"{FC_AFTER}2": "<0.01%"}, settings)
    assert mrd["limit_of_detection_percent"].dropna().to_dict() == {("P01", "after", "FC"): 0.01}


def test_the_figure_says_the_limit_that_was_typed(results):
    mrd = results({f"{FC_AFTER}{row}": "<0.01%" for row in range(2, 12)}).reset_index()
    by_assay = {assay: mrd[mrd["assay"] == assay] for assay in ("FC", "RT-PCR")}
    least = {assay: _least(mine, mrd) for assay, mine in by_assay.items()}
    assert _end(by_assay, least) == "the limit of detection, 0.01% by FC"
    several = results({f"{FC_AFTER}{row}": f"<0.00{row}%" for row in range(2, 6)}).reset_index()
    by_assay = {assay: several[several["assay"] == assay] for assay in ("FC", "RT-PCR")}
    assert _end(by_assay, least) == "the limit of detection, 0.002 to 0.005% by FC"


# Values beside results


@pytest.fixture
def positive(report_rows):
    """The number of the first row that is positive by FC before, and its patient."""
    place = next(place for place, row in enumerate(report_rows) if row["fc_before"] == "positive")
    return place + 2, report_rows[place]["patient_id"]


def test_a_value_beside_a_result_is_kept_where_that_of_mrd_is_blank(take, results, positive):
    row, who = positive
    cells = {f"{BEFORE}{row}": "", f"{FC_BEFORE}{row}": "0.15%"}
    taken = take(cells)
    assert taken.problems == []
    assert taken.table.cells()["mrd_before_percent"][row - 2] == "0.1500"
    assert changes(taken, "value of the assay") == {("mrd_before_percent", f"{FC_BEFORE}{row}")}
    assert results(cells).loc[(who, "before", "FC"), ["status", "value_percent"]].tolist() == ["positive", 0.15]


def test_two_columns_that_disagree_are_told_and_two_that_agree_are_not(take, positive, report_rows):
    row, _ = positive
    stated = report_rows[row - 2]["mrd_before_percent"]
    assert take({f"{FC_BEFORE}{row}": f"{stated}%"}).problems == []
    (problem,) = take({f"{FC_BEFORE}{row}": "77.31%"}).problems
    assert (problem.cell, problem.rule) == (f"{BEFORE}{row}", "two-columns-disagree")
    assert f"stands in {FC_BEFORE}{row}" in problem.advice.en and "77.31" not in problem.advice.en + problem.advice.zh


@pytest.mark.parametrize("typed", ["<0.01", "0", "未检出"])
def test_not_detected_in_one_column_and_a_value_in_the_other_disagree(take, positive, typed):
    row, _ = positive
    problems = take({f"{BEFORE}{row}": typed, f"{FC_BEFORE}{row}": "0.15%"}).problems
    assert (f"{BEFORE}{row}", "two-columns-disagree") in {(problem.cell, problem.rule) for problem in problems}


def test_each_assay_keeps_its_own_value(take, results, report_rows):
    both = next(p for p, r in enumerate(report_rows) if r["fc_before"] == r["pcr_before"] == "positive")
    row, who = both + 2, report_rows[both]["patient_id"]
    cells = {f"{BEFORE}{row}": "", f"{FC_BEFORE}{row}": "0.7%", f"{PCR_BEFORE}{row}": "阳性(0.5%)"}
    taken = take(cells)
    assert taken.problems == []
    assert changes(taken, "value beside") == {("pcr_before", f"{PCR_BEFORE}{row}")}
    assert results(cells).loc[(who, "before"), "value_percent"].to_dict() == {"FC": 0.7, "RT-PCR": 0.5}


def test_a_value_of_rt_pcr_alone_is_never_shown_as_one_of_fc(results, report_rows):
    both = next(p for p, r in enumerate(report_rows) if r["fc_before"] == r["pcr_before"] == "positive")
    row, who = both + 2, report_rows[both]["patient_id"]
    mrd = results({f"{BEFORE}{row}": "", f"{PCR_BEFORE}{row}": "0.5%"}).loc[(who, "before")]
    assert mrd["value_percent"].dropna().to_dict() == {"RT-PCR": 0.5}


def test_a_value_of_rt_pcr_need_not_be_that_of_fc(take, results, report_rows):
    both = next(p for p, r in enumerate(report_rows) if r["fc_before"] == r["pcr_before"] == "positive")
    row, who = both + 2, report_rows[both]["patient_id"]
    cells = {f"{PCR_BEFORE}{row}": "0.5%"}
    assert take(cells).problems == []
    stated = float(report_rows[both]["mrd_before_percent"])
    assert results(cells).loc[(who, "before"), "value_percent"].to_dict() == {"FC": stated, "RT-PCR": 0.5}
