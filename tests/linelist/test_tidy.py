"""The three tidy tables: their columns and types, nothing is lost, and reconstructed rows say what they are."""

import pandas as pd
import pytest

from blina.linelist import tidy as module
from blina.linelist.cohort import NEVER_MISSING, Cohort
from blina.linelist.columns import COLUMNS as LINE_LIST
from blina.linelist.columns import NOT_A_PATIENT, PROVENANCE
from blina.linelist.intake import read_line_list
from blina.linelist.settings import Assay
from blina.linelist.tidy import load, tidy

COLUMNS = {
    "patients": {
        "patient_id": "str", "group": "str", "sex": "str", "age_years": "float64", "bcr_abl1": "bool",
        "intolerance_reason": "str", "months_from_diagnosis": "float64", "infusion_days": "int64",
        "stop_reason": "str", "extra_cycles": "int64",
    },
    "mrd": {
        "patient_id": "str", "time": "str", "assay": "str", "value_percent": "float64", "unit": "str",
        "limit_of_detection_percent": "float64", "status": "str",
    },
    "events": {
        "patient_id": "str", "cycle": "int64", "event": "str", "grade": "Int64", "scale": "str", "onset_day": "Int64",
        "led_to_stop": "bool",
    },
}  # fmt: skip


@pytest.fixture
def real(report_folder, tmp_path):
    """The report's line list without the column that says what its rows are, as a cohort of its own."""
    (tmp_path / "real").mkdir()
    cells = pd.read_csv(report_folder / "linelist.csv", dtype="str", keep_default_na=False)
    cells.drop(columns=PROVENANCE).to_csv(tmp_path / "real" / "linelist.csv", index=False)
    return Cohort(name="real", folder=tmp_path / "real", title="real patients", limit_of_detection_percent=0.01)


def types(table: pd.DataFrame) -> dict[str, str]:
    return {name: str(kind) for name, kind in table.dtypes.items()}


@pytest.mark.parametrize("changes", [{}, {"fever_cycle1": "no", "crs_grade": "0", "icans_grade": "0", "icans_day": "",
                                          "stop_reason": "completed"}])  # fmt: skip
def test_tables_have_the_documented_columns_and_types_even_without_events(real, changes):
    cells = pd.read_csv(real.linelist, dtype="str", keep_default_na=False).assign(**changes)
    cells.to_csv(real.linelist, index=False)
    tables = dict(tidy(read_line_list(real.linelist, real), real).tables())
    assert {name: types(table) for name, table in tables.items()} == COLUMNS
    assert len(tables["events"]) == (0 if changes else 21)


def test_nothing_of_the_line_list_is_lost_or_added(real, report_rows):
    made = tidy(read_line_list(real.linelist, real), real)
    assert (len(made.patients), len(made.mrd)) == (28, 4 * 28)
    results = made.mrd.set_index(["patient_id", "time", "assay"]).sort_index()
    events = made.events.set_index(["patient_id", "event"]).sort_index()
    assert not results.index.has_duplicates
    assert not events.index.has_duplicates
    for row, patient in zip(report_rows, made.patients.itertuples(), strict=True):
        who = row["patient_id"]
        for name in ("patient_id", "group", "sex", "stop_reason"):
            assert getattr(patient, name) == row[name]
        for name in ("age_years", "months_from_diagnosis", "infusion_days", "extra_cycles"):
            assert getattr(patient, name) == float(row[name])
        assert patient.bcr_abl1 == (row["bcr_abl1"] == "yes")
        reason = patient.intolerance_reason
        assert reason == row["intolerance_reason"] if row["intolerance_reason"] else pd.isna(reason)
        for time in ("before", "after"):
            for assay, column in (("FC", "fc"), ("RT-PCR", "pcr")):
                assert results.loc[(who, time, assay), "status"] == row[f"{column}_{time}"]
        values = results.loc[who, "value_percent"].dropna()
        by = "FC" if row["fc_before"] == "positive" else "RT-PCR"
        expected = {("before", by): float(row["mrd_before_percent"])} if row["mrd_before_percent"] else {}
        assert values.to_dict() == expected
        graded = {name: row[f"{name.lower()}_grade"] for name in ("CRS", "ICANS")}
        named = {name for name, grade in graded.items() if grade != "0"} | (
            {"fever"} if row["fever_cycle1"] == "yes" else set()
        )
        found = set(events.loc[[who]].index.get_level_values(1)) if who in events.index else set()
        assert found - {module.UNNAMED_REACTION} == named
        for name in named - {"fever"}:
            assert events.loc[(who, name), "grade"] == int(graded[name])
        stopping = events.loc[[who], "led_to_stop"].sum() if found else 0
        assert stopping == (row["stop_reason"] == "severe_reaction")
        if "ICANS" in named:
            assert events.loc[(who, "ICANS"), "onset_day"] == int(row["icans_day"])
    assert set(made.mrd["limit_of_detection_percent"]) == {0.01}
    assert made.events["scale"].isna().all()  # the cohort states none


def lacking(cohort: Cohort, cells: pd.DataFrame, **changes: object) -> Cohort:
    """The cohort with these cells as its line list, in which anything may be missing."""
    cells.to_csv(cohort.linelist, index=False)
    missing = frozenset(column.name for column in LINE_LIST if column.name not in NEVER_MISSING)
    return cohort.model_copy(update={"missing_allowed": missing} | changes)


def test_what_is_not_recorded_is_missing_and_never_none_or_negative(real):
    cells = pd.read_csv(real.linelist, dtype="str", keep_default_na=False)
    for column in cells.columns.drop(["patient_id", "group", "bcr_abl1"]):
        cells[column] = ""
    cohort = lacking(real, cells)
    made = tidy(read_line_list(cohort.linelist, cohort), cohort)
    empty = made.patients.drop(columns=["patient_id", "group", "bcr_abl1"])
    assert empty.drop(columns=["fever_recorded", "crs_recorded", "icans_recorded"]).isna().all(axis=None)
    assert not empty[["fever_recorded", "crs_recorded", "icans_recorded"]].any(axis=None)
    assert types(made.patients)["infusion_days"] == "Int64" and types(made.patients)["bcr_abl1"] == "boolean"
    assert types(made.events) == COLUMNS["events"] and made.events.empty
    # Also of patients without a fusion gene, of whom it was taken for granted that there was nothing to follow.
    assert made.mrd["status"].isna().all()


def test_icans_with_a_day_and_no_grade_has_occurred(real):
    cells = pd.read_csv(real.linelist, dtype="str", keep_default_na=False)
    cells.loc[cells["icans_grade"] != "0", "icans_grade"] = ""
    cells.loc[0, ["crs_grade", "fever_cycle1"]] = ""
    cohort = lacking(real, cells)
    made = tidy(read_line_list(cohort.linelist, cohort), cohort)
    icans = made.events[made.events["event"] == "ICANS"]
    assert len(icans) == 1 and icans["grade"].isna().all() and icans["onset_day"].notna().all()
    assert made.patients["icans_recorded"].all()
    assert [*made.patients["crs_recorded"]] == [*made.patients["fever_recorded"]] == [False] + [True] * 27


def test_a_value_after_treatment_and_a_limit_stand_with_their_assay(real):
    cells = pd.read_csv(real.linelist, dtype="str", keep_default_na=False)
    by_fc = (cells["fc_after"] == "positive").idxmax()
    by_pcr = ((cells["fc_after"] == "negative") & (cells["pcr_after"] == "positive")).idxmax()
    cells.loc[[by_fc, by_pcr], "mrd_after_percent"] = ["0.145", "0.012"]
    cells.loc[by_fc, "fc_before"], cells.loc[by_fc, "mrd_before_percent"] = "not_done", ""
    assays = {"FC": Assay(limit_of_detection_percent="0.01"), "RT-PCR": Assay(limit_of_detection_percent="0.001")}
    cohort = lacking(real, cells.fillna(""), assays=assays)
    mrd = tidy(read_line_list(cohort.linelist, cohort), cohort).mrd
    after = mrd[(mrd["time"] == "after") & mrd["value_percent"].notna()]
    assert {*zip(after["assay"], after["value_percent"], strict=True)} == {("FC", 0.145), ("RT-PCR", 0.012)}
    assert {*zip(mrd["assay"], mrd["limit_of_detection_percent"], strict=True)} == {("FC", 0.01), ("RT-PCR", 0.001)}
    assert (mrd["status"] == "not_done").sum() == 1


def test_grades_bear_the_scale_of_their_event(real):
    cohort = real.model_copy(update={"grading_scale": {"CRS": "CTCAE v5", "ICANS": "ASTCT 2019"},
                                    "grading_scale_stated": True})  # fmt: skip
    events = tidy(read_line_list(cohort.linelist, cohort), cohort).events
    graded = events[events["grade"].notna()]
    assert {*zip(graded["event"], graded["scale"], strict=True)} == {("CRS", "CTCAE v5"), ("ICANS", "ASTCT 2019")}


def test_decimals_are_what_a_reader_would_type(real, report_rows):
    ages = tidy(read_line_list(real.linelist, real), real).patients["age_years"]
    assert [repr(float(age)) for age in ages] == [row["age_years"] for row in report_rows]


def test_only_reconstructed_rows_say_what_they_are(real):
    for cohort, expected in ((real, False), (real.model_copy(update={"reconstructed": True}), True)):
        for _, table in tidy(read_line_list(real.linelist, real), cohort).tables():
            assert (PROVENANCE in table) is expected
            assert not expected or set(table[PROVENANCE]) == {NOT_A_PATIENT}


@pytest.mark.parametrize("told", ["all", "one"])
def test_rows_that_say_they_are_reconstructed_make_the_cohort_so_whatever_its_description_says(
    report_folder, real, told
):
    cells = pd.read_csv(report_folder / "linelist.csv", dtype="str", keep_default_na=False)
    if told == "one":
        cells.loc[1:, PROVENANCE] = ""
    cells.to_csv(real.linelist, index=False)
    assert not real.reconstructed
    made = tidy(read_line_list(real.linelist, real), real)
    assert made.cohort.face
    assert all(PROVENANCE in table for _, table in made.tables())


def test_a_column_provenance_that_says_something_else_makes_nobody_reconstructed(report_folder, real):
    cells = pd.read_csv(report_folder / "linelist.csv", dtype="str", keep_default_na=False)
    cells.assign(**{PROVENANCE: "ward 3"}).to_csv(real.linelist, index=False)
    assert not tidy(read_line_list(real.linelist, real), real).cohort.reconstructed


def test_what_is_written_is_read_back(real, tmp_path):
    made = tidy(read_line_list(real.linelist, real), real)
    written = made.write(tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(p.name for p in written)
    for name, table in made.tables():
        parquet = pd.read_parquet(tmp_path / "out" / f"{name}.parquet")
        assert types(parquet) == COLUMNS[name]
        pd.testing.assert_frame_equal(parquet, table)
        csv = pd.read_csv(tmp_path / "out" / f"{name}.csv")
        pd.testing.assert_frame_equal(csv, table, check_dtype=False)
        assert b"\r" not in (tmp_path / "out" / f"{name}.csv").read_bytes()


@pytest.mark.parametrize("nth", [1, 2, 4, 6])
@pytest.mark.parametrize("former", [True, False])
def test_a_failure_midway_leaves_the_former_files(real, tmp_path, monkeypatch, nth, former):
    made = tidy(read_line_list(real.linelist, real), real)
    out = tmp_path / "out"
    if former:
        out.mkdir()
        for name in COLUMNS:
            for suffix in ("csv", "parquet"):
                (out / f"{name}.{suffix}").write_text(f"former {name}")
    before = {path.name: path.read_bytes() for path in out.glob("*")}
    calls = 0

    def failing(method):
        def save(self, *args, **kwargs):
            nonlocal calls
            calls += 1
            if calls == nth:
                raise OSError(28, "No space left on device")
            return method(self, *args, **kwargs)

        return save

    for method in ("to_csv", "to_parquet"):
        monkeypatch.setattr(pd.DataFrame, method, failing(getattr(pd.DataFrame, method)))
    with pytest.raises(OSError):
        made.write(out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_one_group_alone_keeps_its_patients_and_no_others(report_rows):
    made = load("tianjin2023")
    for group, n in (("MC", 18), ("IC", 3), ("RR", 7)):
        part = made.only(group)
        theirs = {row["patient_id"] for row in report_rows if row["group"] == group}
        assert set(part.patients["patient_id"]) == theirs
        assert (len(part.patients), len(part.mrd)) == (n, 4 * n)
        assert set(part.events["patient_id"]) <= theirs
        assert [g.name for g in part.cohort.groups] == [group]
    assert sum(len(made.only(group.name).events) for group in made.cohort.groups) == len(made.events)
    with pytest.raises(ValueError, match="no group XX"):
        made.only("XX")
