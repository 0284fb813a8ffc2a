"""What notebooks say of their rows: reconstructed ones are never called patients, nor real ones reconstructed."""

import pandas as pd
import pytest

from blina.analysis.study import Study, open_study
from blina.measures.bounds import CohortBounds
from blina.measures.span import Span
from blina.notebook import keep, plain, remark, show


@pytest.fixture(scope="module")
def study():
    return open_study("tianjin2023")


@pytest.fixture
def ours(study):
    cohort = study.cohort.model_copy(update={"reconstructed": False, "name": "ours"})
    return Study(study.table, cohort)


def test_a_reconstructed_cohort_is_said_to_be_no_patients(study):
    said = study.about().data
    assert "not patients" in said and "one of many possible" in said
    assert said.endswith("over all line lists that satisfy the report, proven by two solvers.")


def test_bounds_that_are_not_proven_are_not_said_to_be(study):
    doubtful = CohortBounds(study.cohort, {("count", "{}", ""): Span(1, 2, "unconfirmed")})
    assert "proven" not in Study(study.table, study.cohort, doubtful).about().data


def test_real_patients_are_not_said_to_be_reconstructed(ours):
    assert "reconstructed" not in ours.about().data
    assert remark(ours.cohort, "only of the report") is None


def test_a_kept_table_is_whole_and_said(study, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("BLINA_OUTPUT", str(tmp_path))
    table = pd.DataFrame({"k": [1, None], "text": ["a", "b, c"]})
    keep(table, study.cohort, "results")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "tables" / "results.csv"), table)
    assert capsys.readouterr().out == "wrote tables/results.csv (2 rows)\n"


def test_a_kept_table_of_a_group_has_a_name_that_a_file_can_have(study, tmp_path, monkeypatch):
    monkeypatch.setenv("BLINA_OUTPUT", str(tmp_path))
    keep(pd.DataFrame({"k": [1]}), study.cohort, "mrd-response-复发/难治 B")
    assert [path.name for path in (tmp_path / "tables").iterdir()] == ["mrd-response-复发-难治-B.csv"]


def test_a_shown_table_has_no_index_and_no_underscores():
    shown = show(pd.DataFrame({"patients_treated": [3], "text": [None]}), {"patients_treated": "patients_treated"})
    html = shown._repr_html_()
    assert html.count("<th ") == 1 and '<th scope="col" style="text-align: left">patients treated</th>' in html
    assert '<td style="text-align: left">3</td>' in html
    assert repr(shown).split("\n")[0].strip() == "patients treated"


def test_a_claim_in_plain_words_names_columns_as_a_reader_would():
    words = "count: group MC and fc_after negative and pcr_after negative or not_applicable"
    assert plain(words) == "patients: group MC and FC after negative and RT-PCR after negative or not applicable"
    assert plain("median of months_from_diagnosis: group IC") == "median of months from diagnosis: group IC"
