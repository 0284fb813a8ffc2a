"""Figures of cohorts that look like no report: much missing, long and Chinese names, hundreds of patients."""

import pytest
import tables
from studies import changed, copies, described, real

from blina.analysis.context import comparable, load_published, pools, side_by_side
from blina.figures.cohort import baseline
from blina.figures.concordance import assay_concordance
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
    side = side_by_side(chosen, study.rates().table, study.cohort)
    return published(side, study.cohort, pools(chosen))


FIGURES = {
    "baseline": baseline,
    "patient-flow": patient_flow,
    "mrd-paired": mrd_paired,
    "burden": lambda study: burden(study, study.cohort.groups[-1].name),
    "response": response,
    "safety": safety,
    "swimmer": swimmer,
    "published": forest,
}


def nothing_recorded(report):
    """28 patients of whom a hospital knows nothing but that they were treated."""
    study = real(report)
    cohort = described(study.cohort, groups=(Group(name="ours", label="all of ours"),))
    columns = [name for name, column in study.table.columns.items() if column.blank]
    return tables.regrouped(changed(study, **dict.fromkeys(columns, "")), cohort, dict.fromkeys(range(28), "ours"))


def six_groups(report):
    """84 patients in six groups with names of any kind; of one in seven nothing was assessed after."""
    study = copies(report, 3)
    lost = dict.fromkeys(range(0, 84, 7), "not_done")
    followed = study.table.codes["pcr_after"] != study.table.columns["pcr_after"].words["not_applicable"]
    study = changed(
        study,
        fc_after=lost,
        pcr_after={place: text for place, text in lost.items() if followed[place]},
        crs_grade=dict.fromkeys(range(0, 84, 9), ""),
    )
    groups = tuple(Group(name=name, label=name, purpose=purpose) for name, purpose in PURPOSES.items())
    names = dict(enumerate([*PURPOSES] * 14))
    return tables.regrouped(study, described(study.cohort, groups=groups), names)


def crowd(report):
    """1,120 patients: too many of each group for points."""
    study = copies(report, 40)
    return changed(study, infusion_days={place: str(place % 42 + 1) for place in range(1120)})


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
    for axis in baseline(study).figure.axes:
        drawn = {round(bar.get_x() + bar.get_width() / 2) for bar in axis.patches}
        assert drawn == {0, 1, 2} and not axis.collections
    ages = study.patients.loc[study.patients["group"] == "RR", "age_years"]
    bars = [bar for bar in baseline(study).figure.axes[0].patches
            if round(bar.get_x() + bar.get_width() / 2) == 2]  # fmt: skip
    inside = [ages.between(bar.get_y(), bar.get_y() + bar.get_height(), inclusive="left").sum() for bar in bars]
    assert sum(inside) == len(ages)
    assert [bar.get_width() / 0.7 for bar in bars] == pytest.approx([many / max(inside) for many in inside])


def test_a_few_patients_of_whom_too_many_share_a_value_are_bars_and_not_one_point(report):
    study = changed(copies(report, 4), age_years="7.0", mrd_before_percent="0.01")
    first, second = baseline(study).figure.axes
    assert first.patches and not first.collections and second.collections
    assert burden(study, "RR").figure.axes[0].patches


def test_of_many_patients_paired_bars_stand_in_band_and_strip_by_their_share(report):
    study = crowd(report)
    axis = mrd_paired(study).figure.axes[0]
    after = [patch.get_width() for patch in axis.patches if patch.get_gid() == "many-after"]
    # Not detected, then positive without a value, of MC and RR: all of MC and four of seven of RR are negative after.
    assert [width / 0.9 for width in after[:2]] == pytest.approx([1, 0])
    assert [width / 0.9 for width in after[2:]] == pytest.approx([4 / 7, 3 / 7])
    assert not axis.lines or len(axis.lines) <= MANY


def test_two_groups_with_one_purpose_have_each_a_picture_of_burden(report):
    groups = [group.model_copy(update={"purpose": "reinduction"}) for group in report.cohort.groups]
    study = real(report, groups=tuple(groups))
    names = [burden(study, group.name).name for group in groups]
    assert names == ["burden", "burden-2", "burden-3"]


def without_rt_pcr(report):
    """28 patients of a ward that does no RT-PCR after treatment."""
    study = copies(report, 1)
    followed = study.table.codes["pcr_after"] != study.table.columns["pcr_after"].words["not_applicable"]
    return changed(study, pcr_after={place: "not_done" for place in range(28) if followed[place]})


def printed(picture):
    texts = [*picture.figure.texts, *(text for axis in picture.figure.axes for text in axis.texts)]
    return " ".join(text.get_text() for text in texts)


def test_figures_of_a_ward_without_rt_pcr_say_so_and_give_no_rate(report):
    study = without_rt_pcr(report)
    assert "no RT-PCR after treatment" in printed(patient_flow(study))
    figure = response(study).figure
    sentence = "RT-PCR after treatment is not recorded for any patient."
    by_rule = [" ".join(text.get_text().replace("\n", " ") for text in axis.texts) for axis in figure.axes]
    assert by_rule[1] == sentence and "no RT-PCR after treatment" in by_rule[2]
    assert not figure.axes[1].lines and "3/3" in by_rule[2]  # whom no RT-PCR follows has a rate


SENTENCES = {
    "baseline": "Age is not recorded for any patient.",
    "mrd-paired": "MRD is not recorded for any patient.",
    "burden": "No patient has an MRD value before and an outcome after",
    "response": "MRD after treatment is not recorded for any patient",
    "safety": "Adverse events are not recorded for any patient.",
    "swimmer": "The course of treatment is not recorded for any patient.",
    "assay-concordance": "RT-PCR is not recorded for any patient.",
}


@pytest.mark.parametrize("name", SENTENCES)
def test_of_what_nobody_recorded_there_is_a_sentence_and_no_number(report, name):
    study = nothing_recorded(report)
    picture = (FIGURES | {"assay-concordance": assay_concordance})[name](study)
    words = " ".join(printed(picture).split())
    assert SENTENCES[name] in words and "0/28" not in words and "(0%" not in words
    assert not any(axis.lines or axis.collections for axis in picture.figure.axes)


def test_a_stop_for_a_severe_reaction_is_not_put_down_to_what_is_described(report):
    assert "severe reaction (ICANS 4)" in printed(FIGURES["swimmer"](copies(report, 1)))
