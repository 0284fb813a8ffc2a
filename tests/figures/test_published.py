"""The forest of published rates: legible, stable, and showing exactly what the tables say."""

from itertools import combinations

import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Polygon

from blina.analysis.context import COMPARISONS, comparable, load_published, pools, side_by_side
from blina.figures.published import published
from blina.figures.style import MUTED, SMALL, TALL, looks, tint

PUBLISHED = load_published()


def tables_of(study, table=PUBLISHED, **choices):
    """What stands beside a cohort, and the pools."""
    chosen = comparable(table, study.cohort, **choices)
    return side_by_side(chosen, study.rates().table, study.cohort), pools(chosen)


@pytest.fixture(scope="module")
def drawn(shape):
    """A cohort, its tables and its figure."""
    side, pooled = tables_of(shape)
    picture = published(side, shape.cohort, pooled)
    assert picture.figure.get_figheight() * 25.4 <= TALL
    if "No room for: " in " ".join(text.get_text() for text in picture.figure.texts):
        side = side[side["comparison"].isin(side.loc[side["own"], "comparison"])]
    return shape.cohort, side, pooled, picture


@pytest.fixture(scope="module")
def beside(shipped):
    """The same of the report's own line list."""
    side, pooled = tables_of(shipped)
    return shipped.cohort, side, pooled, published(side, shipped.cohort, pooled)


@pytest.fixture(scope="module")
def narrow(beside):
    """The report with one of its open rates in a span too narrow to be drawn, the other one determined."""
    cohort, side, pooled, _ = beside
    side = side.copy()
    wide = side.index[side["open"] & side["percent_greatest"].gt(side["percent_least"])]
    side.loc[wide, ["percent_least", "percent_greatest"]] = [42.9, 43.0]
    return side, published(side, cohort, pooled)


@pytest.fixture(scope="module")
def pooling(shipped):
    """The report beside an invented table of three reports that can be pooled."""
    rows = PUBLISHED[PUBLISHED["study_id"].eq("schlegel2014") & PUBLISHED["outcome"].eq("cr")]
    counts = {"Alpha": (6, 13), "Beta": (9, 11), "Gamma": (26, 33)}
    invented = [rows.assign(study_id=name.lower(), label=name, events=k, denominator=n, n=n)
                for name, (k, n) in counts.items()]  # fmt: skip
    table = pd.concat(invented, ignore_index=True).astype({"events": "Int64"})
    side, pooled = tables_of(shipped, table)
    return side, pooled, published(side, shipped.cohort, pooled)


def assert_legible(picture, found):
    width, height = picture.figure.get_size_inches() * 72
    assert len(found) > 3
    for words, place, size in found:
        assert size >= SMALL, words
        assert min(place.x0, place.y0, width - place.x1, height - place.y1) >= 0, words
    for (words, one, _), (others, two, _) in combinations(found, 2):
        apart = max(one.x0 - two.x1, two.x0 - one.x1, one.y0 - two.y1, two.y0 - one.y1)
        assert apart > -0.25, f"{words!r} lies over {others!r}"


def test_text_is_legible_inside_the_canvas_and_apart(drawn, texts):
    assert_legible(drawn[-1], texts(drawn[-1]))


def test_so_it_is_with_bounds_a_pool_and_everything_let_in(narrow, pooling, beside, shipped, texts):
    everything = {"include_adults": True, "include_overlap": True, "include_selected": True}
    side, pooled = tables_of(shipped, **everything)
    for picture in (beside[-1], narrow[-1], pooling[-1], published(side, shipped.cohort, pooled)):
        assert_legible(picture, texts(picture))


def test_the_report_fits_a_page_of_a_journal(beside):
    width, height = beside[-1].figure.get_size_inches() * 25.4
    assert width == pytest.approx(180) and height < 230


def points(picture, label):
    return [line for line in picture.figure.axes[0].lines if line.get_label() == label]


def test_every_rate_stands_at_its_place_with_its_exact_interval(drawn):
    _, side, _, picture = drawn
    lines = [line for line in picture.figure.axes[0].lines if line.get_label() in ("own", "published")]
    by_height = sorted(lines, key=lambda line: line.get_ydata()[0])
    assert [line.get_label() for line in by_height] == ["own" if own else "published" for own in side["own"]]
    assert [line.get_xdata()[0] for line in by_height] == pytest.approx(side["percent"].tolist())
    axis = picture.figure.axes[0]
    intervals = {line.get_ydata()[0]: [*line.get_xdata()] for line in axis.lines
                 if len(line.get_xdata()) == 2 and line.get_linewidth() == 1.2}  # fmt: skip
    limits = [end for line in by_height for end in intervals[line.get_ydata()[0]]]
    assert limits == pytest.approx(side[["lower", "upper"]].to_numpy().ravel().tolist())


def test_this_cohort_has_the_look_of_its_groups_and_others_are_grey_and_hollow_unless_printed(drawn):
    cohort, side, _, picture = drawn
    known = looks(cohort)
    for line, group in zip(points(picture, "own"), side.loc[side["own"], "group"], strict=True):
        assert (line.get_color(), line.get_marker()) == (known[group].colour, known[group].marker)
        assert line.get_markerfacecolor() == known[group].colour
    others = side[~side["own"]]
    assert {"printed", "back-calculated"} <= set(others["basis"])
    for line, basis in zip(points(picture, "published"), others["basis"], strict=True):
        assert line.get_color() == MUTED
        assert line.get_marker() not in {look.marker for look in known.values()}
        assert (line.get_markerfacecolor() == "white") == (basis != "printed")


def diamonds(picture):
    return [patch for patch in picture.figure.axes[0].patches if type(patch) is Polygon]


def test_no_diamond_stands_where_nothing_is_pooled(drawn, texts):
    assert not diamonds(drawn[-1]) and not points(drawn[-1], "prediction")
    assert not any("diamond" in words or "Pooled" in words for words, _, _ in texts(drawn[-1]))


def test_a_pooled_rate_is_a_hollow_grey_diamond_with_its_intervals_in_words_too(pooling, texts):
    _, pooled, picture = pooling
    [row] = pooled[pooled["pooled"]].to_dict("records")
    [diamond] = diamonds(picture)
    ends = [row[end] for end in ("lower", "percent", "upper")]
    assert sorted(set(diamond.get_xy()[:, 0].round(6))) == pytest.approx(ends, abs=1e-6)
    assert diamond.get_facecolor()[:3] == (1, 1, 1) and diamond.get_edgecolor()[:3] == pytest.approx(to_rgb(MUTED))
    [line] = points(picture, "prediction")
    assert [*line.get_xdata()] == [row["predicted_lower"], row["predicted_upper"]]
    said = [words for words, _, _ in texts(picture)]
    assert {"Pooled: 3 studies", "CR after cycle 1", "random effects", row["text"]} <= {*said}
    assert f"a further cohort: {row['predicted_lower']:.1f} to {row['predicted_upper']:.1f}" in said
    assert "true rate of a further, similar cohort" in " ".join(said) and f"pooled {row['text']}" in picture.alt


def test_it_prints_every_rate_study_and_question(drawn, texts):
    _, side, _, picture = drawn
    said = [words for words, _, _ in texts(picture)]
    together = " ".join(said)
    for row in side.itertuples():
        assert row.text in said
        assert row.own or row.study in said
        assert row.text in picture.alt
    for one in COMPARISONS:
        assert (one.title in said) == (one.id in set(side["comparison"]))
    assert picture.title in together and picture.name == "published"


def test_a_question_that_nothing_published_answers_says_so(beside, texts):
    said = [words for words, _, _ in texts(beside[-1])]
    assert said.count("No published rate is comparable.") == 1  # those who stayed negative


def test_an_open_rate_is_a_bar_between_its_ends_and_bears_the_face(narrow, beside, texts):
    cohort, side, _, picture = beside
    colour = tint(looks(cohort)["MC"].colour)
    for table, drawn, markers in ((side, picture, ["s", ""]), (narrow[0], narrow[1], ["s", "s"])):
        bars = points(drawn, "span")
        ends = table.loc[table["open"], ["percent_least", "percent_greatest"]].to_numpy().tolist()
        assert [[*bar.get_xdata()] for bar in bars] == ends
        assert [bar.get_marker() for bar in bars] == markers  # a bar too narrow to be seen is a square
        assert [bar.get_color() for bar in bars] == [colour, colour]
        assert len(points(drawn, "own")) == side["own"].sum() - 2
    said = " ".join(words for words, _, _ in texts(picture))
    assert "one of many possible" in said and "broad bar" in said


def test_without_an_open_rate_it_says_that_no_reconstructed_row_is_shown(beside, texts):
    cohort, side, pooled, _ = beside
    plain = " ".join(words for words, _, _ in texts(published(side[~side["open"]], cohort, pooled)))
    assert "one of many possible" not in plain and "printed or follow from what is printed" in plain


def test_the_patients_of_each_own_rate_stand_below_its_outcome(beside, texts):
    said = [words for words, _, _ in texts(beside[-1])]
    for by in ("FC", "FC or RT-PCR", "RT-PCR"):
        assert said.count(f"of those positive before by {by}") == 1


def test_who_may_share_patients_and_whose_doi_is_unconfirmed_is_said(beside, texts):
    _, side, _, picture = beside
    together = " ".join(words for words, _, _ in texts(picture))
    for mark in ("may share patients", "DOI not confirmed"):
        assert together.count(mark.split()[0]) >= side["marks"].str.contains(mark).sum() > 0
    assert "May share patients: with this report." in together


def test_without_anything_to_compare_it_says_so(beside, texts):
    cohort, side, pooled, _ = beside
    nobody = cohort.model_copy(update={"groups": cohort.groups[:1]})
    picture = published(side.iloc[:0], nobody, pooled)
    assert "No published rate is comparable" in " ".join(words for words, _, _ in texts(picture))


def test_drawn_twice_it_is_the_same_bytes(beside):
    cohort, side, pooled, picture = beside
    again = published(side.copy(), cohort, pooled.copy())
    assert picture.render("svg") == again.render("svg")
