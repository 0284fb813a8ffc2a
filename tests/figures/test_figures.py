"""The six figures: legible, stable, and showing exactly what the tables say."""

import re
from collections import Counter
from itertools import combinations, pairwise

import pandas as pd
import pytest
from blina.analysis.open import load_bounds, with_bounds
from blina.analysis.response import CLEARING, EVALUABLE_SETS, RULES, burden_test, flow, rates, statuses
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from blina.analysis import questions
from blina.analysis import response as response_analysis
from blina.analysis.cohort import describe
from blina.analysis.safety import NO_GRADE, SEVERE, UNGRADED, scale_text, where_grades_lack, worst_grades
from blina.figures.cohort import baseline
from blina.figures.flow import patient_flow
from blina.figures.mrd import STRIP, band, burden, mrd_paired
from blina.figures.response import response
from blina.figures.safety import safety
from blina.figures.style import MUTED, RULE, TALL, looks, tint
from blina.linelist.tidy import load

FIGURES = {
    "patient-flow": lambda t: patient_flow(t.patients, t.mrd, t.cohort),
    "baseline": lambda t: baseline(t.patients, t.cohort),
    "mrd-paired": lambda t: mrd_paired(t.patients, t.mrd, t.cohort),
    "response": lambda t: response(t.patients, t.mrd, t.cohort),
    "burden": lambda t: burden(t.patients, t.mrd, t.cohort, "RR"),
    "safety": lambda t: safety(t.patients, t.events, t.cohort),
}


DRAWN_BY = {"patient-flow": patient_flow, "baseline": baseline, "mrd-paired": mrd_paired, "response": response,
            "burden": burden, "safety": safety}  # fmt: skip
WIDTHS = dict.fromkeys(FIGURES, 180) | {"burden": 85}  # mm


@pytest.fixture(scope="module")
def pictures(shape):
    """Every figure of a cohort, by name."""
    return {name: draw(shape) for name, draw in FIGURES.items()}


@pytest.fixture(scope="module")
def shipped():
    """The report's own line list, of which some numbers are open."""
    study = load("tianjin2023")
    known = load_bounds(study.cohort)
    table = with_bounds(rates(study.patients, study.mrd, study.cohort), questions.of_rates, known)
    description = with_bounds(describe(study.patients, study.cohort), questions.of_description, known)
    return study, table, description


def by_status(study):
    """Patients by group, assay, time and status."""
    return pd.concat([statuses(study.only(group.name).mrd).assign(group=group.name) for group in study.cohort.groups],
                     ignore_index=True)  # fmt: skip


def open_statuses(study):
    return with_bounds(by_status(study), questions.of_statuses, load_bounds(study.cohort))


def open_test(study):
    table = burden_test(study.patients, study.mrd, study.cohort, "RR")
    return with_bounds(table, questions.of_burden_test, load_bounds(study.cohort))


@pytest.fixture(scope="module")
def open_pictures(shipped):
    """The figures that draw open numbers as open."""
    study, table, description = shipped
    return {"baseline": baseline(study.patients, study.cohort, description),
            "mrd-paired": mrd_paired(study.patients, study.mrd, study.cohort, open_statuses(study)),
            "response": response(study.patients, study.mrd, study.cohort, table),
            "burden": burden(study.patients, study.mrd, study.cohort, "RR", tested=open_test(study)),
            "safety": safety(study.patients, study.events, study.cohort)}  # fmt: skip


def test_text_is_legible_and_apart_and_all_is_inside_the_canvas(pictures, texts, legible):
    for picture in pictures.values():
        assert len(texts(picture)) > 3
        legible(picture)


def test_text_is_legible_where_numbers_are_open(open_pictures, legible):
    for picture in open_pictures.values():
        legible(picture)


def test_the_title_and_the_face_are_on_the_figure(pictures, texts, shape):
    for name, picture in pictures.items():
        said = " ".join(words for words, _, _ in texts(picture))
        assert picture.name == name
        assert picture.title in said
        assert ("one of many possible" in said) == shape.cohort.reconstructed


def test_the_alt_text_speaks_of_every_group(pictures, shape):
    for name, picture in pictures.items():
        assert picture.alt.endswith(".") and ".." not in picture.alt
        assert ("one of many possible" in picture.alt) == shape.cohort.reconstructed
        assert all(group.name in picture.alt for group in shape.cohort.groups if name != "burden" or group.name == "RR")


@pytest.fixture(scope="module")
def drawn(report):
    """Every figure of the report, by name."""
    return {name: draw(report) for name, draw in FIGURES.items()}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_as_wide_as_its_function_says(drawn, name):
    assert drawn[name].figure.get_figwidth() * 25.4 == pytest.approx(WIDTHS[name])
    assert f"({WIDTHS[name]} mm)" in DRAWN_BY[name].__doc__


def rounded(values):
    """Values to compare: seaborn's swarm carries them through the axes' transform and back."""
    return sorted(round(float(value), 6) for value in values)


def inside(figure, box, left=0.0):
    """What stands in a box of the figure, or beside it from its left edge or from another place, in one line."""
    (x0, bottom), (x1, top) = box.get_bbox().get_points()
    x0, x1 = (left, x0 - 1e-9) if left else (x0, x1)
    return " ".join(text.get_text() for text in figure.texts
                    if x0 <= text.get_position()[0] <= x1 and bottom < text.get_position()[1] < top)  # fmt: skip


def evaluable(shape, name):
    """The evaluable sets of a group as the table of rates has them."""
    table = rates(shape.patients, shape.mrd, shape.cohort)
    table = table[(table["group"] == name) & (table["rule"] == "fc_and_pcr")]
    sizes = table.groupby("evaluable_set")["n"].sum()
    return {one.label: sizes[one.id] for one in EVALUABLE_SETS if one.id != "severe_stops_failed"}


def test_each_box_of_the_flow_holds_the_counts_of_its_group_and_stage(pictures, shape):
    figure = pictures["patient-flow"].figure
    counts = flow(shape.patients, shape.mrd, shape.cohort)
    boxes = iter([box for box in figure.findobj(Rectangle) if box is not figure.patch])
    assert inside(figure, next(boxes)).startswith(f"{len(shape.patients)} patients treated")
    for stage in ("treated", "MRD before", "end of cycle 1", "evaluable sets", "MRD after"):
        for place, (name, look) in enumerate(looks(shape.cohort).items()):
            box = next(boxes)
            said = inside(figure, box)
            n = (shape.patients["group"] == name).sum()
            rows = [(row.n, row.state) for row in counts.itertuples() if (row.stage, row.group) == (stage, name)]
            if stage == "evaluable sets":
                rows = [(size, label) for label, size in evaluable(shape, name).items()]
            assert [word for word in said.split() if word[0].isdigit() and "/" in word] == [f"{k}/{n}" for k, _ in rows]
            if stage == "treated":
                assert said.startswith(f"{look.name}: n = {n} ") and f"{n}/{n} safety set" in said
            elif stage != "end of cycle 1":
                assert said == " ".join(f"{k}/{n} {state}" for k, state in rows)
            assert to_hex(box.get_edgecolor()) == look.colour.lower()
            if place == 0:
                assert inside(figure, box, left=1e-3) == stage
    assert next(boxes, None) is None


def test_the_flow_is_not_drawn_where_counts_do_not_balance(report):
    table = rates(report.patients, report.mrd, report.cohort)
    for lost, why in ((table["evaluable_set"] == "all_treated", "do not add up"),
                      (table["evaluable_set"] == "more_than_7_days", "larger than all treated")):  # fmt: skip
        wrong = table.assign(n=table["n"] + lost)
        with pytest.raises(AssertionError, match=why):
            patient_flow(report.patients, report.mrd, report.cohort, table=wrong)


def test_the_baseline_shows_every_patient(pictures, shape):
    figure = pictures["baseline"].figure
    for axis, column in zip(figure.axes, ("age_years", "months_from_diagnosis"), strict=True):
        points = iter(axis.collections)
        for number, group in enumerate(shape.cohort.groups):
            members = shape.patients[shape.patients["group"] == group.name]
            if members.empty:
                continue
            drawn = next(points)
            assert abs(drawn.get_offsets()[:, 0] - number).max() < 0.5
            assert rounded(drawn.get_offsets()[:, 1]) == rounded(members[column])
            filled = [tuple(colour) != (1, 1, 1, 1) for colour in drawn.get_facecolor()]
            by_value = sorted(zip(drawn.get_offsets()[:, 1].round(6).tolist(), filled, strict=True))
            assert by_value == sorted(zip(members[column].round(6), members["bcr_abl1"], strict=True))
        assert next(points, None) is None


def test_below_each_group_of_the_baseline_stands_what_the_table_says_and_the_line_is_its_median(pictures, shape):
    stated = describe(shape.patients, shape.cohort).set_index(["group", "characteristic", "level"])["text"]
    for axis, of in zip(pictures["baseline"].figure.axes, ("age", "diagnosis to first infusion"), strict=True):
        lines = iter(axis.lines)
        for number, (name, look) in enumerate(looks(shape.cohort).items()):
            n = (shape.patients["group"] == name).sum()
            below = [text.get_text() for text in axis.texts if text.xy[0] == number]
            said = [f"{look.name}, n = {n}", f"median {stated[name, of, ''].partition(' ')[0]}"]
            if of == "age":
                for word, key in (("male", ("sex", "male")), ("BCR::ABL1", ("BCR::ABL1", "found"))):
                    said.append(f"{word} {stated.get((name, *key), f'0/{n}').partition(' ')[0]}")
            assert below == said
            if n:
                line = next(lines)
                assert line.get_ydata()[0] == pytest.approx(float(said[1].removeprefix("median ")), abs=0.051)
                assert (line.get_xdata()[0] + line.get_xdata()[1]) / 2 == pytest.approx(number)
        assert next(lines, None) is None


def test_paired_mrd_shows_each_result_where_it_belongs(pictures, shape):
    figure = pictures["mrd-paired"].figure
    limits = shape.mrd["limit_of_detection_percent"].dropna()
    low, top = band(min([*limits, *shape.mrd["value_percent"].dropna()]))
    for axis, assay in zip(figure.axes, ("FC", "RT-PCR"), strict=True):
        points = iter(axis.collections)
        for group in shape.cohort.groups:
            members = shape.patients.loc[shape.patients["group"] == group.name, "patient_id"]
            for time in ("before", "after"):
                side = (shape.mrd["assay"] == assay) & (shape.mrd["time"] == time)
                rows = shape.mrd[side & shape.mrd["patient_id"].isin(members)].query("status != 'not_applicable'")
                drawn = next(points)
                y = drawn.get_offsets()[:, 1]
                hollow = [tuple(colour) == (1, 1, 1, 1) for colour in drawn.get_facecolor()]
                in_band, in_strip = (low < y) & (y < top), (STRIP[0] < y) & (y < STRIP[1])
                assert len(y) == len(rows)
                assert [*in_band] == hollow
                assert sum(hollow) == (rows["status"] == "negative").sum()
                assert rounded(y[~in_band & ~in_strip]) == rounded(rows["value_percent"].dropna())
                assert in_strip.sum() == ((rows["status"] == "positive") & rows["value_percent"].isna()).sum()


def test_each_line_of_paired_mrd_joins_the_results_of_one_patient_in_the_place_of_the_group(pictures, shape):
    figure = pictures["mrd-paired"].figure
    results = shape.mrd.set_index(["patient_id", "assay", "time"])
    limits = shape.mrd["limit_of_detection_percent"].dropna()
    top = band(min([*limits, *shape.mrd["value_percent"].dropna()]))[1]
    for axis, assay in zip(figure.axes, ("FC", "RT-PCR"), strict=True):
        lines, points = iter(axis.lines), iter(axis.collections)
        names = [text for text in axis.texts if ", n = " in text.get_text()]
        assert [tick.get_text() for tick in axis.get_xticklabels()] == ["before", "after"] * len(names)
        ticks = iter(axis.get_xticks())
        for text, (name, look) in zip(names, looks(shape.cohort).items(), strict=True):
            patients = shape.patients.loc[shape.patients["group"] == name, "patient_id"]
            pairs = [[results.loc[(patient, assay, time)] for time in ("before", "after")] for patient in patients]
            pairs = [pair for pair in pairs if all(side["status"] != "not_applicable" for side in pair)]
            assert text.get_text() == f"{look.name}, n = {len(pairs)}"
            expected = [tuple(float(side["value_percent"]) if side["value_percent"] > 0 else side["status"]
                              for side in pair) for pair in pairs]  # fmt: skip
            joined = []
            for line in [next(lines) for _ in pairs]:
                ends = [float(y) for y in line.get_ydata()]
                joined.append(tuple("positive" if y > STRIP[0] else y if y > top else "negative" for y in ends))
                assert line.get_xdata()[0] < text.xy[0] < line.get_xdata()[1]
                assert abs(line.get_xdata() - text.xy[0]).max() < 1.2
            assert Counter(joined) == Counter(expected)
            for side, sign in (("before", -1), ("after", 1)):
                xs = next(points).get_offsets()[:, 0]
                assert ((xs - text.xy[0]) * sign > 0).all()
                tick = next(ticks)
                assert (abs(xs - tick) < 0.5).all() and (tick - text.xy[0]) * sign > 0
                printed = [count for count in axis.texts if "/" in count.get_text()
                           and count.get_position()[0] == pytest.approx(tick)]  # fmt: skip
                printed = [count.get_text() for count in sorted(printed, key=lambda text: text.get_position()[1])]
                sides = [pair[("before", "after").index(side)] for pair in expected]
                assert printed == [f"{sides.count(status)}/{len(sides)}" for status in ("negative", "positive")]


def test_a_line_to_or_from_a_result_without_value_is_dotted(report):
    for axis in mrd_paired(report.patients, report.mrd, report.cohort).figure.axes:
        for line in axis.lines:
            in_strip = any(y > STRIP[0] for y in line.get_ydata())
            assert (line.get_linestyle() == ":") == in_strip


def test_the_note_says_what_the_band_means(pictures, shape):
    said = " ".join(text.get_text() for text in pictures["mrd-paired"].figure.texts)
    if shape.mrd["limit_of_detection_percent"].notna().any():
        assert "the limit of detection, 0.005%" in said
    else:
        assert "the least reported value" in said and "no limit of detection is reported" in said


def drawn_rates(shape, figure):
    """The rates that the figure of response shows: a page has no room for all evaluable sets of many groups."""
    table = rates(shape.patients, shape.mrd, shape.cohort)
    said = " ".join(text.get_text() for text in figure.texts)
    note = said.partition("Not shown for want of room: ")[2].partition(".")[0]
    left_out = [one.id for one in EVALUABLE_SETS if one.label in note]
    assert figure.get_figheight() * 25.4 <= TALL and "all_treated" not in left_out
    return table[~table["evaluable_set"].isin(left_out)]


def test_response_shows_every_rate_and_marks_the_reported(pictures, shape):
    figure = pictures["response"].figure
    table = drawn_rates(shape, figure)
    for axis, rule in zip(figure.axes, RULES, strict=True):
        rows = table[table["rule"] == rule.id]
        assert [text.get_text() for text in axis.texts] == [*rows["text"]]
        assert [text.get_weight() == "bold" for text in axis.texts] == [*rows["is_reported"]]
        heights = [text.get_position()[1] for text in axis.texts]
        shaded = [(shade.get_y(), shade.get_y() + shade.get_height()) for shade in axis.patches]
        assert [any(top < y < end for top, end in shaded) for y in heights] == [*rows["is_reported"]]
        points = [line for line in axis.lines if len(line.get_xdata()) == 1]
        intervals = [line for line in axis.lines if len(line.get_xdata()) == 2 and line.get_color() != RULE]
        some = rows[rows["n"] > 0]
        assert [line.get_xdata()[0] for line in points] == [*some["percent"]]
        assert [tuple(line.get_xdata()) for line in intervals] == [*zip(some["lower"], some["upper"], strict=True)]


def on_page(axis, y):
    """A height in an axes as a share of the page."""
    return axis.figure.transFigure.inverted().transform(axis.transData.transform((0, y)))[1]


def test_response_rows_stand_beside_the_name_of_their_group_and_set(pictures, shape):
    figure = pictures["response"].figure
    table = drawn_rates(shape, figure).query("rule == 'fc'")
    known = looks(shape.cohort)
    pooled = " + ".join(known[group.name].name for group in shape.cohort.groups if group.purpose in CLEARING)
    names = [(text.get_position()[1], text.get_text()) for text in figure.texts
             if on_page(figure.axes[0], figure.axes[0].get_ylim()[0]) < text.get_position()[1]][1:]  # fmt: skip
    heights = iter(sorted(names, reverse=True))
    for place, row in enumerate(table.itertuples()):
        colour = MUTED if row.is_pooled else known[row.group].colour
        if row.evaluable_set == EVALUABLE_SETS[0].id:
            heading = f"{pooled} together" if row.is_pooled else f"{known[row.group].name}, {row.measure}"
            assert next(heights)[1].startswith(heading)
        height, label = next(heights)
        assert label == response_analysis.choice(EVALUABLE_SETS, row.evaluable_set).label
        for axis in figure.axes:
            text = axis.texts[place]
            assert on_page(axis, text.get_position()[1] - 5.9 / 2) > on_page(axis, text.get_position()[1])
            assert abs(on_page(axis, text.get_position()[1] - 1.5) - height) * figure.get_figheight() * 25.4 < 1.5
            mine = [line for line in axis.lines if line.get_ydata()[0] == pytest.approx(text.get_position()[1] - 2.7)]
            assert len(mine) == (0 if text.get_text() == "0/0" else 2)
            assert {to_hex(line.get_color()) for line in mine} <= {colour.lower()}
    assert next(heights, None) is None


def test_an_open_rate_is_a_bar_over_its_span_without_point_or_interval(shipped, open_pictures):
    _, table, _ = shipped
    for axis, rule in zip(open_pictures["response"].figure.axes, RULES, strict=True):
        rows = table[table["rule"] == rule.id]
        settled = rows[~rows["open"] & (rows["n"] > 0)]
        bars = [tuple(line.get_xdata()) for line in axis.lines if line.get_linewidth() > 2]
        spans = rows.loc[rows["open"], ["percent_least", "percent_greatest"]]
        assert bars == [*spans.itertuples(index=False, name=None)]
        assert len([line for line in axis.lines if len(line.get_xdata()) == 1]) == len(settled)
    assert table["open"].any() and not table.loc[table["is_reported"], "open"].any()


def test_the_exact_limits_at_both_ends_of_an_open_rate_are_a_thin_line(shipped, open_pictures):
    _, table, _ = shipped
    for axis, rule in zip(open_pictures["response"].figure.axes, RULES, strict=True):
        rows = table[(table["rule"] == rule.id) & table["open"]]
        thin = [tuple(line.get_xdata()) for line in axis.lines if line.get_linewidth() == 0.6]
        assert thin == [*rows[["lower_least", "upper_greatest"]].itertuples(index=False, name=None)]
    said = " ".join(text.get_text() for text in open_pictures["response"].figure.texts)
    assert "thin line: exact 95% limits at the fewest and at the most" in said


def test_below_the_baseline_open_numbers_give_their_bounds(open_pictures):
    said = [text.get_text() for axis in open_pictures["baseline"].figure.axes for text in axis.texts]
    assert "male open, 6 to 16" in said and "median open," in said and "0.6 to 16.4" in said
    assert not any(words.endswith("open") for words in said)


def test_an_open_rate_prints_its_bounds_and_its_percentages_where_there_is_room(shipped, open_pictures):
    _, table, _ = shipped
    for axis, rule in zip(open_pictures["response"].figure.axes, RULES, strict=True):
        said = [text.get_text() for text in axis.texts]
        whole = table.loc[table["rule"] == rule.id, "text"]
        assert all(text.startswith(words) for words, text in zip(said, whole, strict=True))
        cut = [words for words, text in zip(said, whole, strict=True) if words != text]
        assert all(", among " in words for words in cut) and (len(cut) > 0) == (rule.id != "fc_and_pcr")


def test_an_open_median_draws_no_line(shipped, open_pictures):
    _, _, description = shipped
    groups = description[description["group"] != "All patients"]
    for axis, of in zip(open_pictures["baseline"].figure.axes, ("age", "diagnosis to first infusion"), strict=True):
        assert len(axis.lines) == (~groups.loc[groups["characteristic"] == of, "open"]).sum()


def test_an_open_status_prints_its_bounds_in_the_band(shipped, open_pictures):
    study, _, _ = shipped
    picture, table = open_pictures["mrd-paired"], open_statuses(study)
    some = table[table["open"] & (table["status"] != "not_applicable")].groupby(["group", "assay", "time"])
    assert {*some.groups} == {("MC", "FC", "before"), ("MC", "RT-PCR", "before")}
    for axis in picture.figure.axes:
        printed = [text.get_text() for text in axis.texts
                   if text.get_text().startswith("open") or "/" in text.get_text()]  # fmt: skip
        assert len(printed) == 4 * len(study.cohort.groups)
        assert [place for place, words in enumerate(printed) if words.startswith("open")] == [0, 1]
    assert printed[0] == "open,\n0 to 1\nof 6"  # of those whom RT-PCR follows
    assert "MC by FC, before: not detected in 2 to 3 of 18 (open), positive without a value open; after" in picture.alt
    assert "MC by RT-PCR, before: not detected in 0 to 1 of 6 (open), positive without a value open;" in picture.alt
    assert "RR by FC, before: not detected in 0/7, positive without a value 0/7; after" in picture.alt
    settled = mrd_paired(study.patients, study.mrd, study.cohort)
    assert "open" not in settled.alt
    assert mrd_paired(study.patients, study.mrd, study.cohort, table.assign(open=False)).alt == settled.alt


def test_an_open_rate_that_is_nearly_the_same_everywhere_is_still_seen(shipped, open_pictures):
    _, table, _ = shipped
    same = table[table["open"] & (table["percent_greatest"] - table["percent_least"] < 2)]
    marked = [line for axis in open_pictures["response"].figure.axes for line in axis.lines
              if line.get_linewidth() > 2 and line.get_marker() == "s"]  # fmt: skip
    assert len(marked) == len(same) > 0


def test_an_open_test_of_burden_prints_what_is_known_of_p_and_no_range_that_is_open(shipped, open_pictures):
    picture = open_pictures["burden"]
    said = " ".join(text.get_text() for text in picture.figure.texts)
    assert "two-sided, open: p = 0.057, or 0.029 if a second responder also had 8.37%" in said
    assert "Negative after by FC: 4/7 (57.1%, 18.4 to 90.1), MRD before 0.08 to 8.37%." in picture.alt
    study, _, _ = shipped
    tested = open_test(study).assign(responders=pd.NA, others=pd.NA, without_value=pd.NA)
    alt = burden(study.patients, study.mrd, study.cohort, "RR", tested=tested).alt
    assert "Negative after by FC: open," in alt and "Not negative: open," in alt


def test_burden_says_which_values_the_report_determines(shipped, report):
    study, _, _ = shipped

    def said(cohort, tested):
        picture = burden(study.patients, study.mrd, cohort, "RR", tested=tested)
        return " ".join(text.get_text() for text in picture.figure.texts)

    table = open_test(study)
    both = "determines the ends of the ranges 0.08 to 8.37% and 22.64 to 78.30%; all other values are made up."
    assert both in said(study.cohort, table)
    table = table.assign(others_range="open, within 9 to 78.30")
    assert "the ends of the range 0.08 to 8.37%; all other values are made up." in said(study.cohort, table)
    table = table.assign(responders_range="open, within 0.08 to 9")
    assert "Every point is a row of the line list. The values are made up." in said(study.cohort, table)
    assert "made up" not in said(study.cohort.model_copy(update={"reconstructed": False}), table)
    assert "made up" not in said(report.cohort, None)  # nothing is known of its bounds


def test_figures_of_rows_do_not_call_them_patients_and_other_figures_may(pictures, shape):
    n = len(shape.patients)
    rows = f"{n} rows of the line list" if shape.cohort.reconstructed else f"{n} patients"
    for name in ("baseline", "mrd-paired"):
        assert rows in pictures[name].title
    for name in ("patient-flow", "response", "safety"):
        assert f"{n} patients" in pictures[name].title


def test_age_is_at_first_infusion_only_where_patients_are_real(pictures, shape):
    label = "age (years)" if shape.cohort.reconstructed else "age at first infusion (years)"
    assert pictures["baseline"].figure.axes[0].get_ylabel() == label


def test_open_counts_of_the_flow_print_open(report):
    counts = flow(report.patients, report.mrd, report.cohort).astype({"n": "Int64"})
    before = (counts["stage"] == "MRD before") & (counts["group"] == "MC")
    picture = patient_flow(report.patients, report.mrd, report.cohort, counts.assign(n=counts["n"].mask(before)))
    said = " ".join(text.get_text() for text in picture.figure.texts)
    assert said.count("open/18") == 2 and "18/18 positive by any assay" not in said
    assert picture.alt.count("open/18") == 2
    table = rates(report.patients, report.mrd, report.cohort).astype({"n": "Int64"})
    table["n"] = table["n"].mask((table["group"] == "MC") & (table["evaluable_set"] == "more_than_7_days"))
    picture = patient_flow(report.patients, report.mrd, report.cohort, table=table)
    assert "open/18 more than 7 days" in " ".join(text.get_text() for text in picture.figure.texts)


def test_open_adverse_events_have_no_bar_and_print_their_bounds(report):
    table = worst_grades(report.patients, report.events, report.cohort).astype({"k": "Int64"})
    fever = (table["group"] == "MC") & (table["event"] == "fever")
    table = table.assign(open=fever, k=table["k"].mask(fever), text=table["text"].mask(fever, "open, 8 to 9 of 18"))
    picture = safety(report.patients, report.events, report.cohort, table)
    bars = {box.get_gid() for box in picture.figure.findobj(Rectangle) if box.get_gid()}
    assert not any(bar.startswith("bar-0-0-") for bar in bars) and bars
    assert [text.get_text() for text in picture.figure.texts].count("open, 8 to 9 of 18") == 1
    assert f"fever, {NO_GRADE} open, 8 to 9 of 18" in picture.alt


def test_the_printed_rates_are_called_so(report):
    picture = response(report.patients, report.mrd, report.cohort)
    assert "Shaded and bold: as printed." in " ".join(text.get_text() for text in picture.figure.texts)
    for words in ("FC and RT-PCR 13/18 (72.2%, 46.5 to 90.3) as printed", "FC 4/7 (57.1%, 18.4 to 90.1) as printed"):
        assert words in picture.alt
    assert picture.alt.count("as printed") == 2


def test_maintenance_is_not_headed_as_clearance(report):
    headings = {text.get_text() for text in response(report.patients, report.mrd, report.cohort).figure.texts}
    assert {"MC, negative after", "IC, stayed negative", "RR, negative after",
            "MC + RR together, to compare rules"} <= headings  # fmt: skip


def test_burden_shows_every_value_on_its_side(pictures, shape):
    axis = pictures["burden"].figure.axes[0]
    table = response_analysis.burden(shape.patients, shape.mrd, shape.cohort, "RR")
    for points, responded in zip(axis.collections, (True, False), strict=True):
        side = table[table["responded"] == responded]
        assert rounded(points.get_offsets()[:, 0]) == rounded(side["value_percent"])
        assert (points.get_facecolor()[0][:3] == 1).all() == responded
        assert abs(points.get_offsets()[:, 1] - (0 if responded else 1)).max() < 0.5
    said = [label.get_text().replace("\n", " ") for label in axis.get_yticklabels()]
    assert [*axis.get_yticks()] == [0, 1]
    assert said == [f"{word} after, {(table['responded'] == side).sum()}/{len(table)}"
                    for word, side in (("negative", True), ("not negative", False))]  # fmt: skip


def test_burden_prints_the_exact_p_with_the_smallest_attainable(report):
    said = " ".join(text.get_text() for text in burden(report.patients, report.mrd, report.cohort, "RR").figure.texts)
    assert "p = 0.057; the smallest these 7 patients can give is 0.057" in said


def test_burden_in_words_gives_ranges_of_rows_and_no_median(report):
    alt = burden(report.patients, report.mrd, report.cohort, "RR").alt
    assert "MRD before in RR, 7 rows of the line list." in alt and "MRD before 22.64 to 78.30%" in alt
    assert "median" not in alt and "45.10" not in alt
    real = report.cohort.model_copy(update={"reconstructed": False})
    assert "MRD before in RR, 7 patients." in burden(report.patients, report.mrd, real, "RR").alt


def test_burden_works_where_nobody_has_a_value_and_where_all_respond(report):
    nobody = burden(report.patients, report.mrd, report.cohort, "IC")
    assert "3 rows of the line list without a value" in " ".join(text.get_text() for text in nobody.figure.texts)
    assert "nobody to compare with" in burden(report.patients, report.mrd, report.cohort, "MC", "fc").alt
    assert nobody.render("svg")


def test_safety_bars_are_the_rates_and_every_rate_is_printed(pictures, shape):
    figure = pictures["safety"].figure
    table = worst_grades(shape.patients, shape.events, shape.cohort)
    told = where_grades_lack(table)
    kinds = told.groupby("event", sort=False)["severity"].unique()
    told, table = told.set_index("group"), table.set_index(["group", "event", "severity"])
    boxes = [box for box in figure.findobj(Rectangle) if box is not figure.patch]
    bars, fills = {}, {}
    for frame, bar in pairwise(boxes):
        if frame.get_gid() and bar.get_gid():  # the bar of those who could belong besides, beside that of those who do
            frame = boxes[boxes.index(frame) - 1]
        if bar.get_gid():
            full = frame.get_width()
            bars[bar.get_gid()] = (bar.get_x() - frame.get_x()) / full, bar.get_width() / full, bool(bar.get_hatch())
            fills[bar.get_gid()] = to_hex(bar.get_facecolor())
    expected = {}
    lines = [(number, group.name, place, event, line, severity)
             for number, group in enumerate(shape.cohort.groups)
             for place, (event, severities) in enumerate(kinds.items())
             for line, severity in enumerate(severities)]  # fmt: skip
    for number, name, place, event, line, severity in lines:
        row = table.loc[(name, event, severity)]
        ungraded = table.loc[(name, event, UNGRADED), "k"] if severity == SEVERE else 0
        for start, length, hatched in ((0, row["k"], severity == UNGRADED), (row["k"], ungraded, True)):
            if length:
                gid = f"bar-{number}-{place}-{line}{'-more' if start else ''}"
                expected[gid] = start / row["n"], length / row["n"], hatched
                colour = looks(shape.cohort)[name].colour
                fill = "white" if hatched else colour if severity == SEVERE else tint(colour)
                assert fills[gid] == to_hex(fill)
    assert {*bars} == {*expected}
    for gid, bar in bars.items():
        assert bar == pytest.approx(expected[gid], abs=1e-9), gid
    said = [text.get_text() for text in figure.texts]
    groups = told.loc[[group.name for group in shape.cohort.groups]]
    rated = re.compile(r"\d+/\d+|\d+ to \d+ of \d+")
    assert Counter(words for words in said if rated.match(words)) == Counter(groups["text"])


def test_safety_bars_stand_under_their_group_and_beside_their_event_and_rate(pictures, shape):
    figure = pictures["safety"].figure
    table = where_grades_lack(worst_grades(shape.patients, shape.events, shape.cohort))
    texts = [(*text.get_position(), text.get_text()) for text in figure.texts]
    frames = iter([box for box in figure.findobj(Rectangle) if box is not figure.patch and not box.get_gid()])
    for name, look in looks(shape.cohort).items():
        for row in table[table["group"] == name].itertuples():
            (left, bottom), (right, top) = next(frames).get_bbox().get_points()
            level = [(x, words) for x, y, words in texts if bottom < y < top]
            above = sorted((y, x, words) for x, y, words in texts if y > top)
            assert next(words for x, words in sorted(level) if x > right) == row.text
            assert min(level)[1] == row.severity
            heading = next(words for _, x, words in above if x == pytest.approx(left))
            assert heading == f"{look.name}, n = {(shape.patients['group'] == name).sum()}"
            assert next(words for _, x, words in above if x == pytest.approx(2 / 180)) == row.event
    assert next(frames, None) is None


def dots(figure):
    """Shape and colour of every point of a dot plot, with its group by its place on the axis."""
    for axis in figure.axes:
        names = [text for text in axis.texts if ", n = " in text.get_text()]
        for points in axis.collections:
            for (x, _), edge, face in zip(points.get_offsets(), points.get_edgecolor(), points.get_facecolor(),
                                          strict=False):  # fmt: skip
                name = min(names, key=lambda text: abs(text.xy[0] - x)).get_text()
                outline = tuple(map(tuple, points.get_paths()[0].vertices.round(3)))
                yield name.partition(",")[0], outline, to_hex(face if tuple(face[:3]) != (1, 1, 1) else edge)


def drawn_looks(name, picture, cohort):
    """Whose, shape and colour of what a figure draws for its groups, read from what is drawn."""
    known = {look.colour.lower(): look.name for look in looks(cohort).values()}
    known |= {to_hex(tint(colour)): whose for colour, whose in known.items()}
    figure = picture.figure
    if name in ("baseline", "mrd-paired"):
        yield from dots(figure)
    elif name == "response":
        for line in (line for axis in figure.axes for line in axis.lines if line.get_color() != RULE):
            if line.get_marker() not in ("", "None") or line.get_linewidth() > 2:
                whose = known.get(to_hex(line.get_color()), "together")
                yield whose, (line.get_marker(), line.get_linewidth()), to_hex(line.get_color())
    else:
        for box in figure.findobj(Rectangle):
            whose = known.get(to_hex(box.get_edgecolor()))
            if whose:
                yield whose, "box", to_hex(box.get_edgecolor())
            if whose and box.get_gid() and not box.get_hatch():
                full = to_hex(box.get_facecolor()) == to_hex(box.get_edgecolor())
                yield whose, f"bar, {'full' if full else 'light'}", to_hex(box.get_facecolor())


def test_in_grey_groups_differ_in_shape_or_shade(report, open_pictures, grey):
    found = {"patient-flow": FIGURES["patient-flow"](report)} | open_pictures
    for name, picture in found.items():
        if name == "burden":  # one group; hollow and filled points stay apart in any colour
            continue
        drawn = {*drawn_looks(name, picture, report.cohort)}
        assert {"MC", "IC", "RR"} <= {whose for whose, *_ in drawn}
        for (one, shape, colour), (other, another, colour_of_other) in combinations(drawn, 2):
            if one != other and shape == another:
                assert abs(grey(colour) - grey(colour_of_other)) > 0.1, (name, one, other)


def test_some_severe_and_some_ungraded_is_hatched_from_the_one_to_the_other(report):
    events = report.events.copy()
    events.loc[(events["patient_id"] == "P01") & (events["event"] == "fever"), "grade"] = 3
    figure = safety(report.patients, events, report.cohort).figure
    boxes = figure.findobj(Rectangle)
    place = next(at for at, box in enumerate(boxes) if box.get_gid() == "bar-0-0-1")
    frame, known, bar = boxes[place - 1 : place + 2]
    assert known.get_width() / frame.get_width() == pytest.approx(1 / 18) and not known.get_hatch()
    assert bar.get_gid() == "bar-0-0-1-more" and bar.get_hatch()
    assert (bar.get_x() - frame.get_x()) / frame.get_width() == pytest.approx(1 / 18)
    assert bar.get_width() / frame.get_width() == pytest.approx(8 / 18)
    assert "1 to 9 of 18, 8 not graded" in {text.get_text() for text in figure.texts}


def test_safety_says_what_was_not_graded_and_not_mentioned(pictures, shape):
    said = " ".join(text.get_text() for text in pictures["safety"].figure.texts)
    assert "Hatched: not graded, could belong to grade 3 or more" in said
    source = "the report" if shape.cohort.reconstructed else "the line list"
    assert f"Grades of CRS and ICANS: {scale_text(shape.cohort)}. Fever stands apart from CRS, as in {source};" in said
    assert ("An event that the report does not mention is counted as none." in said) == shape.cohort.reconstructed
