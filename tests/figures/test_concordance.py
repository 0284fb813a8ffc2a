"""FC against RT-PCR: every cell printed and drawn as the table has it, and the one that matters stands out."""

from collections import Counter
from itertools import combinations

import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from studies import changed, with_table

from blina.figures.concordance import assay_concordance
from blina.figures.style import SMALL, WIDE
from blina.measures.declare import AGREE, CELLS, MISSED


@pytest.fixture(scope="module")
def picture(shape):
    return assay_concordance(shape)


@pytest.fixture(scope="module")
def of_report(shipped):
    """The report's own figure, of which cells before treatment are open."""
    return assay_concordance(shipped)


def boxes(picture):
    return {box.get_gid(): box for box in picture.figure.findobj(Rectangle) if box.get_gid()}


def printed(picture):
    return [text.get_text() for text in picture.figure.texts]


def assert_legible(picture, texts):
    width, height = picture.figure.get_size_inches() * 72
    found = texts(picture)
    assert width == pytest.approx(WIDE / 25.4 * 72) and len(found) > 1
    for words, place, size in found:
        assert size >= SMALL, words
        assert min(place.x0, place.y0, width - place.x1, height - place.y1) >= 0, words
    for (words, one, _), (others, two, _) in combinations(found, 2):
        apart = max(one.x0 - two.x1, two.x0 - one.x1, one.y0 - two.y1, two.y0 - one.y1)
        assert apart > -0.25, f"{words!r} lies over {others!r}"


def test_text_is_legible_inside_the_canvas_and_apart(picture, of_report, texts):
    assert_legible(picture, texts)
    assert_legible(of_report, texts)


def test_title_face_and_groups_are_said(picture, shape, texts):
    said = " ".join(words for words, _, _ in texts(picture))
    assert picture.name == "assay-concordance" and picture.title in said
    for words in (said, picture.alt):
        assert ("one of many possible" in words) == shape.cohort.reconstructed
    assert all(group.name in picture.alt for group in shape.cohort.groups)
    assert picture.alt.endswith(".") and ".." not in picture.alt


def test_bars_are_the_shares_and_every_count_is_printed(picture, shape):
    table = shape.concordance().table
    drawn, found, words = boxes(picture), {}, []
    for number, group in enumerate(shape.cohort.groups):
        for time in ("before", "after"):
            rows = table[(table["group"] == group.name) & (table["time"] == time)].set_index("counted")
            if not rows.loc[AGREE, "n"]:
                continue
            words += [*rows.loc[[*CELLS], "short"]] + [rows.loc[AGREE, "text"]]
            for place, cell in enumerate(CELLS):
                frame, bar = (drawn.get(f"{number}-{time}-{place}{end}") for end in ("", "-least"))
                full = frame.get_width() - 2 * 1.2 / WIDE
                share = bar.get_width() / full if bar else 0
                assert share == pytest.approx(rows.loc[cell, "k"] / rows.loc[cell, "n"])
                found[frame.get_gid()] = frame
    assert {gid for gid in drawn if gid.count("-") == 2} == {*found}
    assert not any(gid.endswith("-open") for gid in drawn)
    assert Counter(text for text in printed(picture) if text.split()[0].replace("/", "").isdigit()) == Counter(words)


def test_every_count_stands_in_the_cell_of_its_row_and_column(report):
    picture = assay_concordance(report)
    table = report.concordance().table
    rows = table[table["group"] == "MC"].set_index(["time", "counted"])["short"]
    words = picture.figure.texts
    for place, time in enumerate(("before", "after")):
        for number, (cell, (fc, pcr)) in enumerate(CELLS.items()):
            frame = boxes(picture)[f"0-{time}-{number}"]
            x, y = frame.get_x() + frame.get_width() / 2, frame.get_y() + frame.get_height() / 2
            column = [text for text in words if text.get_text() == f"RT-PCR {pcr}"][place]
            row = next(text for text in words if text.get_text() == f"FC {fc}")
            assert column.get_position()[0] == pytest.approx(x) and row.get_position()[1] == pytest.approx(y)
            near = [text for text in words if abs(text.get_position()[1] - y) < frame.get_height() / 2]
            inside = [text.get_text() for text in near if text.get_position()[0] == pytest.approx(x)]
            assert inside == [rows[time, cell]]


def test_rates_among_fc_negative_are_points_with_exact_intervals(picture, shape):
    table = shape.concordance().table
    rows = table[(table["counted"] == MISSED) & (table["time"] == "after") & (table["n"] > 0)]
    axis = picture.figure.axes[0]
    points = [line.get_xdata()[0] for line in axis.lines if len(line.get_xdata()) == 1]
    lines = [tuple(line.get_xdata()) for line in axis.lines if len(line.get_xdata()) == 2]
    assert points == [*rows["percent"]]
    assert lines == [*zip(rows["lower"], rows["upper"], strict=True)]
    assert [text.get_text() for text in axis.texts] == [*rows["text"]]


def test_only_what_fc_misses_has_a_thick_frame_and_a_darker_bar(report):
    drawn = boxes(assay_concordance(report))
    missed = [*CELLS].index("FC negative, RT-PCR positive")
    thick = {gid for gid, box in drawn.items() if gid.count("-") == 2 and box.get_linewidth() > 1}
    assert thick == {f"{group}-{time}-{missed}" for group in (0, 2) for time in ("before", "after")}

    def luminance(gid):
        red, green, blue = to_rgb(drawn[gid].get_facecolor())
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for one, other in (("0-before-2-least", "0-before-0-least"), ("0-after-2-least", "0-after-3-least")):
        assert luminance(other) - luminance(one) > 0.2


def test_a_group_without_carriers_says_so_and_has_no_table(report):
    picture = assay_concordance(report)
    assert "IC, n = 0 of 3 patients with a fusion gene followed: nothing to compare" in printed(picture)
    assert "IC: nobody with a fusion gene followed" in picture.alt
    assert not any(gid.startswith("1-") for gid in boxes(picture))


def test_where_nobody_carries_a_fusion_gene_there_are_words_alone(report, texts):
    nobody = changed(report, bcr_abl1="no", pcr_before="not_applicable", pcr_after="not_applicable")
    picture = assay_concordance(nobody)
    assert not picture.figure.axes and not boxes(picture)
    assert "RT-PCR applies to no patient: none has a fusion gene that it follows." in printed(picture)
    assert "nothing to compare" not in " ".join(printed(picture)) and "not recorded" not in picture.alt
    assert_legible(picture, texts)


def test_nobody_negative_by_fc_is_said_and_has_no_point(report):
    axis = assay_concordance(changed(report, fc_after={21: "positive"})).figure.axes[0]
    assert [text.get_text() for text in axis.texts][1] == "nobody negative by FC"
    assert len([line for line in axis.lines if len(line.get_xdata()) == 1]) == 1


def test_what_the_report_leaves_open_is_hatched_between_its_bounds(shipped, of_report):
    table, picture = shipped.concordance().table, of_report
    rows = table[table["open"] & table["counted"].isin(CELLS)]
    assert {*zip(rows["group"], rows["time"], strict=True)} == {("MC", "before")} and len(rows) == 3
    drawn = boxes(picture)
    for row in rows.itertuples():
        gid = f"0-before-{[*CELLS].index(row.counted)}"
        full = drawn[gid].get_width() - 2 * 1.2 / WIDE
        least = drawn[f"{gid}-least"].get_width() / full if row.percent_least else 0
        beyond = drawn[f"{gid}-open"]
        assert beyond.get_hatch() and least == pytest.approx(row.percent_least / 100)
        assert least + beyond.get_width() / full == pytest.approx(row.percent_greatest / 100)
    assert sum(gid.endswith("-open") for gid in drawn) == 3
    assert {"open, 3 to 4 of 6", "open, 0 to 1 of 6", "open, 2 to 3 of 6"} <= {*printed(picture)}
    assert "open, 3 to 4 of 6 (50.0 to 66.7%)" in printed(picture)
    assert "Before: FC positive, RT-PCR positive open, 3 to 4 of 6" in picture.alt
    assert "after: 5/6 (83.3%, 35.9 to 99.6)" in picture.alt


def test_an_open_rate_is_a_broad_bar_on_a_thin_line_and_open_carriers_are_said(report, texts):
    table = report.concordance().table
    mine = table["group"] == "MC"
    ends = {"percent_least": 50.0, "percent_greatest": 100.0, "lower_least": 11.8, "upper_greatest": 100.0,
            "n_least": 150, "n_greatest": 168}  # fmt: skip
    words = {"text": "open, 100 to 130, among 150 to 168", "short": "open, 100 to 130, among 150 to 168",
             "bounds": "100 to 130", "k": pd.NA, "n": pd.NA, "percent": float("nan")}  # fmt: skip
    for name, value in (ends | words).items():
        table.loc[mine, name] = value
    picture = assay_concordance(with_table(report, concordance=table.assign(open=mine)))
    axis = picture.figure.axes[0]
    assert [tuple(line.get_xdata()) for line in axis.lines][:2] == [(11.8, 100.0), (50.0, 100.0)]
    assert printed(picture).count("open, 100 to 130") == 8
    assert "MC, n = open, 150 to 168 of 18 patients with a fusion gene followed" in printed(picture)
    assert_legible(picture, texts)


def test_drawn_again_it_is_the_same_bytes(report):
    assert assay_concordance(report).render("svg") == assay_concordance(report).render("svg")
