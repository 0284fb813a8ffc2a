"""The six figures: legible, stable, and showing exactly what the tables say."""

import re
from collections import Counter
from itertools import combinations, pairwise

import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from studies import changed, real, with_table

from blina.analysis.safety import scale_text
from blina.analysis.study import where_grades_lack
from blina.figures.cohort import baseline
from blina.figures.flow import patient_flow
from blina.figures.mrd import STRIP, band, burden, mrd_paired
from blina.figures.response import response
from blina.figures.safety import safety
from blina.figures.style import MUTED, RULE, TALL, looks, tint
from blina.measures import views
from blina.measures.choices import CLEARING, EVALUABLE_SETS, RULES, SEVERE, UNGRADED, choice

FIGURES = {
    "patient-flow": patient_flow,
    "baseline": baseline,
    "mrd-paired": mrd_paired,
    "response": response,
    "burden": lambda study: burden(study, "RR"),
    "safety": safety,
}
DRAWN_BY = FIGURES | {"burden": burden}
WIDTHS = dict.fromkeys(FIGURES, 180) | {"burden": 85}  # mm


@pytest.fixture(scope="module")
def pictures(shape):
    """Every figure of a cohort, by name."""
    return {name: draw(shape) for name, draw in FIGURES.items()}


@pytest.fixture(scope="module")
def open_pictures(shipped):
    """The figures of the report, which draw open numbers as open."""
    return {name: draw(shipped) for name, draw in FIGURES.items()}


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
    table = shape.rates(name).table
    table = table[table["rule"] == "fc_and_pcr"]
    sizes = table.groupby("evaluable_set")["n"].sum()
    return {one.label: sizes[one.id] for one in EVALUABLE_SETS if one.id != "severe_stops_failed"}


def test_each_box_of_the_flow_holds_the_counts_of_its_group_and_stage(pictures, shape):
    figure = pictures["patient-flow"].figure
    counts = shape.flow()
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
    table = report.rates().table
    for lost, why in ((table["evaluable_set"] == "all_treated", "do not add up"),
                      (table["evaluable_set"] == "more_than_7_days", "larger than all treated")):  # fmt: skip
        wrong = table.assign(n_least=table["n_least"] + lost, n_greatest=table["n_greatest"] + lost)
        with pytest.raises(AssertionError, match=why):
            patient_flow(with_table(report, rates=wrong))


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
    table = shape.baseline().table
    stated = table.set_index(["group", "characteristic", "level"])["short"]
    for axis, of in zip(pictures["baseline"].figure.axes, ("age", "diagnosis to first infusion"), strict=True):
        lines = iter(axis.lines)
        for number, (name, look) in enumerate(looks(shape.cohort).items()):
            n = (shape.patients["group"] == name).sum()
            below = [text.get_text() for text in axis.texts if text.xy[0] == number]
            said = [f"{look.name}, n = {n}", f"median {stated[name, of, '']}"]
            if of == "age":
                for word, key in (("male", ("sex", "male")), ("BCR::ABL1", ("BCR::ABL1", "found"))):
                    said.append(f"{word} {stated.get((name, *key), f'0/{n}')}")
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
    for axis in mrd_paired(report).figure.axes:
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
    """The rates that the figure of response shows, in its order: those of clearing lead with those positive before.

    A page has no room for all evaluable sets of many groups.
    """
    table = shape.rates().table
    clearing = {group.name for group in shape.cohort.groups if group.purpose in CLEARING}
    leads = (table["group"].isin(clearing) | table["is_pooled"]) & table["evaluable_set"].eq("positive_before")
    blocks = table.groupby(["group", "measure", "is_pooled"], sort=False).ngroup()
    table = table.assign(block=blocks, later=~leads)
    table = table.sort_values(["block", "later"], kind="stable", ignore_index=True)
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
        assert [text.get_text() for text in axis.texts] == [*rows["plain"]]
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
    before = None
    for place, row in enumerate(table.itertuples()):
        colour = MUTED if row.is_pooled else known[row.group].colour
        if row.block != before:
            before = row.block
            heading = f"{pooled} together" if row.is_pooled else f"{known[row.group].name}, {row.measure}"
            assert next(heights)[1].startswith(heading)
        height, label = next(heights)
        assert label == choice(EVALUABLE_SETS, row.evaluable_set).label
        for axis in figure.axes:
            text = axis.texts[place]
            assert on_page(axis, text.get_position()[1] - 5.9 / 2) > on_page(axis, text.get_position()[1])
            assert abs(on_page(axis, text.get_position()[1] - 1.5) - height) * figure.get_figheight() * 25.4 < 1.5
            mine = [line for line in axis.lines if line.get_ydata()[0] == pytest.approx(text.get_position()[1] - 2.7)]
            assert len(mine) == (0 if text.get_text() == "0/0" else 2)
            assert {to_hex(line.get_color()) for line in mine} <= {colour.lower()}
    assert next(heights, None) is None


def test_rates_of_clearing_lead_with_those_who_had_mrd_to_clear(shipped, open_pictures):
    figure = open_pictures["response"].figure
    labels = {one.label for one in EVALUABLE_SETS}
    names = [text for text in figure.texts if text.get_position()[0] < 0.2]
    names = [text.get_text() for text in sorted(names, key=lambda text: -text.get_position()[1])]
    first = {heading: names[place + 1] for place, heading in enumerate(names[:-1]) if names[place + 1] in labels
             and heading not in labels}  # fmt: skip
    assert first == {"MC, negative after": "positive before", "IC, stayed negative": "all treated",
                     "RR, negative after": "positive before",
                     "MC + RR together, to compare rules": "positive before"}  # fmt: skip


def test_an_open_rate_is_a_bar_over_its_span_without_point_or_interval(shipped, open_pictures):
    table = drawn_rates(shipped, open_pictures["response"].figure)
    for axis, rule in zip(open_pictures["response"].figure.axes, RULES, strict=True):
        rows = table[table["rule"] == rule.id]
        settled = rows[~rows["open"] & (rows["n"] > 0)]
        bars = [tuple(line.get_xdata()) for line in axis.lines if line.get_linewidth() > 2]
        spans = rows.loc[rows["open"], ["percent_least", "percent_greatest"]]
        assert bars == [*spans.itertuples(index=False, name=None)]
        assert len([line for line in axis.lines if len(line.get_xdata()) == 1]) == len(settled)
    assert table["open"].any() and not table.loc[table["is_reported"], "open"].any()


def test_the_exact_limits_at_both_ends_of_an_open_rate_are_a_thin_line(shipped, open_pictures):
    table = drawn_rates(shipped, open_pictures["response"].figure)
    for axis, rule in zip(open_pictures["response"].figure.axes, RULES, strict=True):
        rows = table[(table["rule"] == rule.id) & table["open"]]
        thin = [tuple(line.get_xdata()) for line in axis.lines if line.get_linewidth() == 0.6]
        assert thin == [*rows[["lower_least", "upper_greatest"]].itertuples(index=False, name=None)]
    said = " ".join(text.get_text() for text in open_pictures["response"].figure.texts)
    assert "thin line: exact 95% limits at the fewest and at the most" in said


def test_what_is_not_recorded_has_the_display_of_what_is_open(report):
    """A rate with patients not assessed: its span under the point, as a broad bar on a thin line."""
    study = changed(real(report), fc_after={4: "not_done", 5: "not_done"})
    figure = response(study).figure
    table = drawn_rates(study, figure)
    assert table["not_assessed"].sum() and not table["open"].any()
    for axis, rule in zip(figure.axes, RULES, strict=True):
        rows = table[(table["rule"] == rule.id) & table["percent_greatest"].gt(table["percent_least"])]
        bars = [tuple(line.get_xdata()) for line in axis.lines if line.get_label() == "span"]
        thin = [tuple(line.get_xdata()) for line in axis.lines if line.get_linewidth() == 0.6]
        points = [line.get_xdata()[0] for line in axis.lines if line.get_label() == "rate"]
        assert bars == [*rows[["percent_least", "percent_greatest"]].itertuples(index=False, name=None)]
        assert thin == [*rows[["lower_least", "upper_greatest"]].itertuples(index=False, name=None)]
        assert set(rows["percent"]) <= {*points} and (len(rows) > 0) == (rule.id != "pcr")
    said = " ".join(text.get_text() for text in figure.texts)
    assert "Broad bar: from the least to the greatest rate, whatever is not recorded" in said
    assert "line lists that satisfy" not in said


def test_a_rate_that_is_a_span_alone_has_a_bar_and_no_point(report):
    study = changed(real(report), stop_reason={4: ""})
    figure = response(study).figure
    table = drawn_rates(study, figure)
    rows = table[(table["rule"] == "fc") & table["percent"].isna() & table["n"].gt(0)]
    assert [*rows["evaluable_set"]] == ["severe_stops_failed"] and [*rows["plain"]] == ["15 to 16 of 18"]
    axis = figure.axes[0]
    [text] = [text for text in axis.texts if text.get_text() == "15 to 16 of 18"]
    mine = [line for line in axis.lines if line.get_ydata()[0] == pytest.approx(text.get_position()[1] - 2.7)]
    assert {line.get_label() for line in mine if line.get_linewidth() > 2} == {"span"}
    assert not [line for line in mine if line.get_label() == "rate"]


def test_a_rate_of_whom_nobody_was_assessed_is_no_rate_of_none(report):
    lost = dict.fromkeys(range(21, 28), "not_done")
    axis = response(changed(real(report), fc_after=lost)).figure.axes[0]
    said = [text.get_text() for text in axis.texts]
    assert said.count("0 of 7 assessed after") == 5 and not any(words.startswith("0/7") for words in said)


def test_below_the_baseline_open_numbers_give_their_bounds(open_pictures):
    said = [text.get_text() for axis in open_pictures["baseline"].figure.axes for text in axis.texts]
    assert "male open, 6 to 16" in said and "median open," in said and "0.6 to 16.4" in said
    assert not any(words.endswith("open") for words in said)


def test_an_open_rate_prints_its_bounds_and_its_percentages_where_there_is_room(shipped, open_pictures):
    table = drawn_rates(shipped, open_pictures["response"].figure)
    for axis, rule in zip(open_pictures["response"].figure.axes, RULES, strict=True):
        said = [text.get_text() for text in axis.texts]
        rows = table[table["rule"] == rule.id]
        cut = []
        for words, row in zip(said, rows.itertuples(), strict=True):
            assert words in (row.text, row.short)
            cut += [words] if words != row.text else []
        assert all(", among " in words for words in cut) and (len(cut) > 0) == (rule.id != "fc_and_pcr")


def test_an_open_median_draws_no_line(shipped, open_pictures):
    description = shipped.baseline().table
    groups = description[description["group"] != "All patients"]
    for axis, of in zip(open_pictures["baseline"].figure.axes, ("age", "diagnosis to first infusion"), strict=True):
        assert len(axis.lines) == (~groups.loc[groups["characteristic"] == of, "open"]).sum()


def test_an_open_status_prints_its_bounds_in_the_band(shipped, open_pictures):
    picture, table = open_pictures["mrd-paired"], views.statuses(shipped.results)
    some = table[table["open"] & (table["status"] != "not_applicable")].groupby(["group", "assay", "time"])
    assert {*some.groups} == {("MC", "FC", "before"), ("MC", "RT-PCR", "before")}
    for axis in picture.figure.axes:
        printed = [text.get_text() for text in axis.texts
                   if text.get_text().startswith("open") or "/" in text.get_text()]  # fmt: skip
        assert len(printed) == 4 * len(shipped.cohort.groups)
        assert [place for place, words in enumerate(printed) if words.startswith("open")] == [0, 1]
    assert printed[0] == "open,\n0 to 1\nof 6"  # of those whom RT-PCR follows
    assert "MC by FC, before: not detected in 2 to 3 of 18 (open), positive without a value open; after" in picture.alt
    assert "MC by RT-PCR, before: not detected in 0 to 1 of 6 (open), positive without a value open;" in picture.alt
    assert "RR by FC, before: not detected in 0/7, positive without a value 0/7; after" in picture.alt


def test_a_group_of_the_report_alone_keeps_its_bounds(shipped):
    for draw in (mrd_paired, response, safety, baseline, patient_flow):
        alone, whole = draw(shipped.only("MC")), draw(shipped)
        assert not re.search(r"\bRR\b", alone.alt) and "MC" in alone.alt
        assert ("open" in alone.alt) == ("open" in whole.alt)


def test_an_open_rate_that_is_nearly_the_same_everywhere_is_still_seen(shipped, open_pictures):
    table = shipped.rates().table
    same = table[table["open"] & (table["percent_greatest"] - table["percent_least"] < 2)]
    marked = [line for axis in open_pictures["response"].figure.axes for line in axis.lines
              if line.get_linewidth() > 2 and line.get_marker() == "s"]  # fmt: skip
    assert len(marked) == len(same) > 0


def test_an_open_test_of_burden_prints_what_is_known_of_p_and_no_range_that_is_open(shipped, open_pictures):
    picture = open_pictures["burden"]
    said = " ".join(text.get_text() for text in picture.figure.texts)
    assert "two-sided, open: p = 0.057, or 0.029 if a second responder also had 8.37%" in said
    assert "Negative after by FC: 4/7 (57.1%, 18.4 to 90.1), MRD before 0.08 to 8.37%." in picture.alt
    table = shipped.burden("RR").table
    counts = {"n": pd.NA, "responders": pd.NA, "others": pd.NA, "without_value": pd.NA}
    words = {"responders_short": "open, 3 to 4 of 7", "others_short": "open, 3 to 4 of 7",
             "without_value_text": "open, 0 to 2"}  # fmt: skip
    other = burden(with_table(shipped, burden=table.assign(**counts, **words)), "RR")
    assert "Negative after by FC: open, 3 to 4 of 7," in other.alt and "Not negative: open," in other.alt
    assert "Not shown: open, 0 to 2 patients" in " ".join(text.get_text() for text in other.figure.texts)


def test_burden_says_which_values_the_report_determines(shipped, report):
    def said(study):
        return " ".join(text.get_text() for text in burden(study, "RR").figure.texts)

    both = "determines the ends of the ranges 0.08 to 8.37% and 22.64 to 78.30%; all other values are made up."
    assert both in said(shipped)
    table = shipped.burden("RR").table.assign(others_range="open, within 9 to 78.30", others_range_open=True)
    one_end = said(with_table(shipped, burden=table))
    assert "the ends of the range 0.08 to 8.37%; all other values are made up." in one_end
    table = table.assign(responders_range="open, within 0.08 to 9", responders_range_open=True)
    nothing = said(with_table(shipped, burden=table))
    assert "Every point is a row of the line list. The values are made up." in nothing
    assert "made up" not in said(real(report))
    assert "made up" not in said(report)  # nothing is known of its bounds


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


def test_open_counts_of_the_flow_print_their_bounds(report):
    counts = report.flow()
    before = (counts["stage"] == "MRD before") & (counts["group"] == "MC")
    counts = counts.assign(n=counts["n"].mask(before), short=counts["short"].mask(before, "open, 2 to 18 of 18"))
    study = with_table(report)
    study.flow = lambda: counts
    picture = patient_flow(study)
    said = " ".join(text.get_text() for text in picture.figure.texts)
    assert said.count("open, 2 to 18 of 18") == 2 and "18/18 positive by any assay" not in said
    assert picture.alt.count("open, 2 to 18 of 18") == 2
    table = report.rates().table
    some = (table["group"] == "MC") & (table["evaluable_set"] == "more_than_7_days")
    table = table.assign(n_least=table["n_least"].mask(some, 9), open=table["open"] | some)
    picture = patient_flow(with_table(report, rates=table))
    assert "open, 9 to 15 of 18 more than 7 days" in " ".join(text.get_text() for text in picture.figure.texts)


def test_who_may_be_in_an_evaluable_set_is_counted_in_the_flow(report):
    study = changed(real(report), infusion_days={4: "", 5: ""})
    assert "13 to 15 of 18 more than 7 days" in patient_flow(study).alt


def test_open_adverse_events_are_hatched_between_their_bounds_and_print_them(report):
    table = report.worst_grades().table
    fever = (table["group"] == "MC") & (table["event"] == "fever")
    table = table.assign(
        open=fever,
        k=table["k"].mask(fever),
        text=table["text"].mask(fever, "open, 6 to 9 of 18"),
        percent_least=table["percent_least"].mask(fever, 100 * 6 / 18),
    )
    picture = safety(with_table(report, worst_grades=table))
    bars = {box.get_gid(): box for box in picture.figure.findobj(Rectangle) if box.get_gid()}
    known, rest = bars["bar-0-0-0"], bars["bar-0-0-0-more"]
    assert rest.get_hatch() and not known.get_hatch()
    assert rest.get_width() / known.get_width() == pytest.approx(3 / 6)
    assert [text.get_text() for text in picture.figure.texts].count("open, 6 to 9 of 18") == 1
    assert "fever, counted apart from CRS open, 6 to 9 of 18" in picture.alt


def test_the_printed_rates_are_called_so(report):
    picture = response(report)
    assert "Shaded and bold: as printed." in " ".join(text.get_text() for text in picture.figure.texts)
    for words in ("FC and RT-PCR 13/18 (72.2%, 46.5 to 90.3) as printed", "FC 4/7 (57.1%, 18.4 to 90.1) as printed"):
        assert words in picture.alt
    assert picture.alt.count("as printed") == 2


def test_maintenance_is_not_headed_as_clearance(report):
    headings = {text.get_text() for text in response(report).figure.texts}
    assert {"MC, negative after", "IC, stayed negative", "RR, negative after",
            "MC + RR together, to compare rules"} <= headings  # fmt: skip


def test_burden_shows_every_value_on_its_side(pictures, shape):
    axis = pictures["burden"].figure.axes[0]
    table = shape.burden_points("RR")
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
    said = " ".join(text.get_text() for text in burden(report, "RR").figure.texts)
    assert "p = 0.057; the smallest these 7 patients can give is 0.057" in said


def test_burden_in_words_gives_ranges_of_rows_and_no_median(report):
    alt = burden(report, "RR").alt
    assert "MRD before in RR, 7 rows of the line list." in alt and "MRD before 22.64 to 78.30%" in alt
    assert "median" not in alt and "45.10" not in alt
    assert "MRD before in RR, 7 patients." in burden(real(report), "RR").alt


def test_burden_works_where_nobody_has_a_value_and_where_all_respond(report):
    nobody = burden(report, "IC")
    said = " ".join(text.get_text() for text in nobody.figure.texts)
    assert "3 rows of the line list without a value" in said and not nobody.figure.axes
    assert "No patient has an MRD value before and an outcome after" in said and "IC" in nobody.alt
    groups = [group.model_copy(update={"reported_rule": "fc"}) for group in report.cohort.groups]
    by_fc = real(report, groups=tuple(groups))
    assert "no patients to compare with" in burden(by_fc, "MC").alt
    assert nobody.render("svg")


def test_safety_bars_are_the_rates_and_every_rate_is_printed(pictures, shape):
    figure = pictures["safety"].figure
    table = shape.worst_grades().table
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
    table = where_grades_lack(shape.worst_grades().table)
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
    found = open_pictures
    for name, picture in found.items():
        if name == "burden":  # one group; hollow and filled points stay apart in any colour
            continue
        drawn = {*drawn_looks(name, picture, report.cohort)}
        assert {"MC", "IC", "RR"} <= {whose for whose, *_ in drawn}
        for (one, shape, colour), (other, another, colour_of_other) in combinations(drawn, 2):
            if one != other and shape == another:
                assert abs(grey(colour) - grey(colour_of_other)) > 0.1, (name, one, other)


def test_some_severe_and_some_ungraded_is_hatched_from_the_one_to_the_other(report):
    study = changed(real(report), icans_grade={6: "4", 7: ""}, icans_day={6: "2", 7: "3"})
    figure = safety(study).figure
    boxes = figure.findobj(Rectangle)
    place = next(at for at, box in enumerate(boxes) if box.get_gid() == "bar-0-2-1")
    frame, known, bar = boxes[place - 1 : place + 2]
    assert known.get_width() / frame.get_width() == pytest.approx(1 / 18) and not known.get_hatch()
    assert bar.get_gid() == "bar-0-2-1-more" and bar.get_hatch()
    assert (bar.get_x() - frame.get_x()) / frame.get_width() == pytest.approx(1 / 18)
    assert bar.get_width() / frame.get_width() == pytest.approx(1 / 18)
    assert any(text.get_text().startswith("1 to 2 of 18") for text in figure.texts)


def test_safety_says_what_was_not_graded_and_not_mentioned(pictures, shape):
    said = " ".join(text.get_text() for text in pictures["safety"].figure.texts)
    assert "Hatched: not graded, could belong to grade 3 or more" in said
    source = "the report" if shape.cohort.reconstructed else "the line list"
    joint = ";" if shape.cohort.scale_is_named else "."
    scale = f"Grades of CRS and ICANS: {scale_text(shape.cohort)}."
    assert f"{scale} Fever stands apart from CRS, as in {source}{joint}" in said
    assert ("An event that the report does not mention is counted as none." in said) == shape.cohort.reconstructed
