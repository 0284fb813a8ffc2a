"""Figures of cohorts that look like no report: much missing, long and Chinese names, hundreds of patients."""

import pandas as pd
import pytest
from blina.analysis.open import with_bounds
from blina.analysis.questions import of_rates
from blina.analysis.response import rates

from blina.analysis.context import comparable, load_published, pools, side_by_side
from blina.figures.cohort import baseline
from blina.figures.flow import patient_flow
from blina.figures.mrd import burden, mrd_paired
from blina.figures.published import published
from blina.figures.response import response
from blina.figures.safety import safety
from blina.figures.style import MANY, TALL, looks, renamed
from blina.figures.swimmer import swimmer
from blina.linelist.cohort import Group

LONG = "ward 5/6, protocol CCCG-2020 B"
PURPOSES = {"第一组": "clearance", "复发/难治": "reinduction", LONG: "clearance", "arm A": None, "桥接": "bridging",
            "arm B": "reinduction"}  # fmt: skip


def forest(study):
    chosen = comparable(load_published(), study.cohort)
    own = with_bounds(rates(study.patients, study.mrd, study.cohort), of_rates, None)
    return published(side_by_side(chosen, own, study.cohort), study.cohort, pools(chosen))


FIGURES = {
    "baseline": lambda t: baseline(t.patients, t.cohort),
    "patient-flow": lambda t: patient_flow(t.patients, t.mrd, t.cohort),
    "mrd-paired": lambda t: mrd_paired(t.patients, t.mrd, t.cohort),
    "burden": lambda t: burden(t.patients, t.mrd, t.cohort, t.cohort.groups[-1].name),
    "response": lambda t: response(t.patients, t.mrd, t.cohort),
    "safety": lambda t: safety(t.patients, t.events, t.cohort),
    "swimmer": lambda t: swimmer(t.patients, t.events, t.cohort),
    "published": forest,
}


def copies(report, n):
    """Each of the 28 so many times, as real patients."""
    parts = [[table.assign(patient_id=f"{copy:02}" + table["patient_id"]) for copy in range(n)]
             for table in (report.patients, report.mrd, report.events)]  # fmt: skip
    cohort = report.cohort.model_copy(update={"reconstructed": False})
    return type(report)(cohort, *(pd.concat(part, ignore_index=True) for part in parts))


def nothing_recorded(report):
    """28 patients of whom a hospital knows nothing but that they were treated."""
    group = Group(name="ours", label="all of ours")
    patients = report.patients.assign(
        group="ours", sex=None, age_years=float("nan"), months_from_diagnosis=float("nan"), stop_reason=None,
        fever_recorded=False, crs_recorded=False, icans_recorded=False,
        **{name: pd.array([pd.NA] * 28, dtype=kind) for name, kind in
           (("bcr_abl1", "boolean"), ("infusion_days", "Int64"), ("extra_cycles", "Int64"))},
    ).astype({"sex": "str", "stop_reason": "str"})  # fmt: skip
    mrd = report.mrd.assign(status=None, value_percent=float("nan")).astype({"status": "str"})
    cohort = report.cohort.model_copy(update={"groups": (group,), "reconstructed": False})
    return type(report)(cohort, patients, mrd, report.events.iloc[:0])


def six_groups(report):
    """84 patients in six groups with names of any kind; of one in seven nothing was assessed after."""
    study = copies(report, 3)
    names = pd.Series([*PURPOSES] * 14)
    patients = study.patients.assign(group=names, crs_recorded=[place % 9 > 0 for place in range(84)])
    lost = patients["patient_id"][::7]
    unknown = study.mrd["patient_id"].isin(lost) & study.mrd["time"].eq("after")
    status = study.mrd["status"].mask(unknown & study.mrd["status"].ne("not_applicable"), "not_done")
    groups = tuple(Group(name=name, label=name, purpose=purpose) for name, purpose in PURPOSES.items())
    cohort = study.cohort.model_copy(update={"groups": groups})
    return type(report)(cohort, patients, study.mrd.assign(status=status), study.events)


def crowd(report):
    """1,120 patients: too many of each group for points."""
    study = copies(report, 40)
    days = pd.Series(range(len(study.patients))) % 42 + 1
    return type(report)(study.cohort, study.patients.assign(infusion_days=days), study.mrd, study.events)


COHORTS = {"nothing recorded": nothing_recorded, "six groups": six_groups, "crowd": crowd}


@pytest.fixture(scope="module", params=COHORTS)
def study(request, report):
    return COHORTS[request.param](report)


@pytest.mark.filterwarnings("error")  # such as that points have no room, or that the font lacks a letter
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_of_any_cohort_is_legible_and_fits_a_page_and_a_mail(study, name, legible):
    picture = FIGURES[name](study)
    legible(picture)
    assert picture.figure.get_figheight() * 25.4 <= TALL
    assert len(picture.render("svg")) < 500_000


def test_names_that_a_figure_cannot_bear_are_said_beside_it(report):
    cohort = six_groups(report).cohort
    assert [look.name for look in looks(cohort).values()] == ["group 1", "group 2", LONG, "arm A", "group 5", "arm B"]
    assert renamed(cohort) == "In the figures group 1 is 第一组, group 2 is 复发/难治, group 5 is 桥接."
    assert renamed(report.cohort) == ""


def test_many_patients_are_bars_whose_breadth_counts_them(report):
    study = crowd(report)
    for axis in baseline(study.patients, study.cohort).figure.axes:
        drawn = {round(bar.get_x() + bar.get_width() / 2) for bar in axis.patches}
        assert drawn == {0, 1, 2} and not axis.collections
    ages = study.patients.loc[study.patients["group"] == "RR", "age_years"]
    bars = [bar for bar in baseline(study.patients, study.cohort).figure.axes[0].patches
            if round(bar.get_x() + bar.get_width() / 2) == 2]  # fmt: skip
    inside = [ages.between(bar.get_y(), bar.get_y() + bar.get_height(), inclusive="left").sum() for bar in bars]
    assert sum(inside) == len(ages)
    assert [bar.get_width() / 0.7 for bar in bars] == pytest.approx([many / max(inside) for many in inside])


def test_a_few_patients_of_whom_too_many_share_a_value_are_bars_and_not_one_point(report):
    study = copies(report, 4)
    patients, mrd = study.patients.assign(age_years=7.0), study.mrd.assign(value_percent=0.01)
    first, second = baseline(patients, study.cohort).figure.axes
    assert first.patches and not first.collections and second.collections
    assert burden(patients, mrd, study.cohort, "RR").figure.axes[0].patches


def test_of_many_patients_paired_bars_stand_in_band_and_strip_by_their_share(report):
    study = crowd(report)
    axis = mrd_paired(study.patients, study.mrd, study.cohort).figure.axes[0]
    after = [patch.get_width() for patch in axis.patches if patch.get_gid() == "many-after"]
    # Not detected, then positive without a value, of MC and RR: all of MC and four of seven of RR are negative after.
    assert [width / 0.9 for width in after[:2]] == pytest.approx([1, 0])
    assert [width / 0.9 for width in after[2:]] == pytest.approx([4 / 7, 3 / 7])
    assert not axis.lines or len(axis.lines) <= MANY


def test_two_groups_with_one_purpose_have_each_a_picture_of_burden(report):
    groups = [group.model_copy(update={"purpose": "reinduction"}) for group in report.cohort.groups]
    cohort = report.cohort.model_copy(update={"groups": tuple(groups)})
    names = [burden(report.patients, report.mrd, cohort, group.name).name for group in groups]
    assert names == ["burden", "burden-2", "burden-3"]


def without_rt_pcr(report):
    """28 patients of a ward that does no RT-PCR after treatment."""
    study = copies(report, 1)
    after = study.mrd["time"].eq("after") & study.mrd["assay"].eq("RT-PCR") & study.mrd["status"].ne("not_applicable")
    mrd = study.mrd.assign(status=study.mrd["status"].mask(after, "not_done"))
    return type(study)(study.cohort, study.patients, mrd, study.events)


def printed(picture):
    texts = [*picture.figure.texts, *(text for axis in picture.figure.axes for text in axis.texts)]
    return " ".join(text.get_text() for text in texts)


def test_figures_of_a_ward_without_rt_pcr_say_so_and_give_no_rate(report):
    study = without_rt_pcr(report)
    for name in ("patient-flow", "response"):
        assert "no RT-PCR after treatment" in printed(FIGURES[name](study))


def test_a_stop_for_a_severe_reaction_is_not_put_down_to_what_is_described(report):
    assert "severe reaction (ICANS 4)" in printed(FIGURES["swimmer"](copies(report, 1)))
