"""The forest of published rates: legible, stable, and showing exactly what the tables say."""

from itertools import combinations

import pytest
from matplotlib.patches import Polygon

from blina.analysis import questions
from blina.analysis.context import COMPARISONS, comparable, load_published, pools, side_by_side
from blina.analysis.open import load_bounds, with_bounds
from blina.analysis.response import rates
from blina.figures.published import published
from blina.figures.style import MUTED, SMALL, looks, tint
from blina.linelist.tidy import load

PUBLISHED = load_published()


def tables_of(study, known=None, **choices):
    """What stands beside a cohort, and the pools."""
    own = with_bounds(rates(study.patients, study.mrd, study.cohort), questions.of_rates, known)
    chosen = comparable(PUBLISHED, study.cohort, **choices)
    return side_by_side(chosen, own, study.cohort), pools(chosen)


@pytest.fixture(scope="module")
def drawn(shape):
    """A cohort, its tables and its figure."""
    side, pooled = tables_of(shape)
    return shape.cohort, side, pooled, published(side, shape.cohort, pooled)


@pytest.fixture(scope="module")
def shipped():
    """The same of the report's own line list."""
    study = load("tianjin2023")
    side, pooled = tables_of(study, load_bounds(study.cohort))
    return study.cohort, side, pooled, published(side, study.cohort, pooled)


@pytest.fixture(scope="module")
def opened(shipped):
    """The report as if its strict rates were open, one of them in a span too narrow to be drawn."""
    cohort, side, pooled, _ = shipped
    side = side.copy()
    wide, narrow = side.index[side["own"] & side["how"].eq("FC and RT-PCR")]
    for row, least, greatest in ((wide, 61.1, 72.2), (narrow, 42.9, 43.0)):
        blank = dict.fromkeys(("k", "n", "percent", "lower", "upper"))
        ends = {"percent_least": least, "percent_greatest": greatest, "lower_least": least - 20}
        ends |= {"upper_greatest": greatest + 20, "open": True, "text": "open, 11 to 13 of 18 (61.1 to 72.2%)"}
        side.loc[row, [*blank, *ends]] = [*blank.values(), *ends.values()]
    return side, cohort, published(side, cohort, pooled)


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


def test_so_it_is_with_bounds_and_with_everything_let_in(opened, shipped, texts):
    study = load("tianjin2023")
    side, pooled = tables_of(study, load_bounds(study.cohort), include_adults=True, include_overlap=True,
                             include_unconfirmed_dois=True, include_selected=True)  # fmt: skip
    for picture in (shipped[-1], opened[-1], published(side, study.cohort, pooled)):
        assert_legible(picture, texts(picture))


def test_the_report_fits_a_page_of_a_journal(shipped):
    width, height = shipped[-1].figure.get_size_inches() * 25.4
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


def test_a_diamond_and_a_prediction_stand_where_rates_were_pooled_and_nowhere_else(drawn):
    _, _, pooled, picture = drawn
    estimates = pooled[pooled["pooled"] & pooled["comparison"].isin(drawn[1]["comparison"])]
    diamonds = [patch for patch in picture.figure.axes[0].patches if type(patch) is Polygon]
    corners = [sorted(set(diamond.get_xy()[:, 0].round(6))) for diamond in diamonds]
    assert corners == [[round(row[end], 6) for end in ("lower", "percent", "upper")]
                       for _, row in estimates.iterrows()]  # fmt: skip
    ends = [[*line.get_xdata()] for line in points(picture, "prediction")]
    assert ends == estimates[["predicted_lower", "predicted_upper"]].to_numpy().tolist()


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


def test_a_question_that_nothing_published_answers_says_so(shipped, texts):
    said = [words for words, _, _ in texts(shipped[-1])]
    assert said.count("No published rate is comparable.") == 1  # those who stayed negative


def test_an_open_rate_is_a_bar_between_its_ends_and_bears_the_face(opened, shipped, texts):
    side, cohort, picture = opened
    bars = points(picture, "open")
    assert [[*bar.get_xdata()] for bar in bars] == side.loc[
        side["open"], ["percent_least", "percent_greatest"]
    ].to_numpy().tolist()
    assert [bar.get_marker() for bar in bars] == ["", "s"]  # the second is too narrow to be seen as a bar
    assert [bar.get_color() for bar in bars] == [tint(looks(cohort)[name].colour) for name in ("MC", "RR")]
    assert len(points(picture, "own")) == side["own"].sum() - 2
    opened_said, plain = (" ".join(words for words, _, _ in texts(one)) for one in (picture, shipped[-1]))
    assert "one of many possible" in opened_said and "broad bar" in opened_said
    assert "one of many possible" not in plain and "printed or follow from what is printed" in plain


def test_without_anything_to_compare_it_says_so(shipped, texts):
    cohort, side, pooled, _ = shipped
    nobody = cohort.model_copy(update={"groups": cohort.groups[:1]})
    picture = published(side.iloc[:0], nobody, pooled)
    assert "No published rate is comparable" in " ".join(words for words, _, _ in texts(picture))


def test_drawn_twice_it_is_the_same_bytes(shipped):
    cohort, side, pooled, picture = shipped
    again = published(side.copy(), cohort, pooled.copy())
    for kind in ("svg", "pdf"):
        assert picture.render(kind) == again.render(kind)
