"""The swimmer: a lane per patient that shows exactly that patient's course, and says where it is made up."""

import random
from collections import Counter
from itertools import combinations, pairwise

import pandas as pd
import pytest
import tables
from matplotlib.colors import to_rgb
from studies import changed, copies, real

from blina.figures.style import SMALL, TALL, WIDE, looks
from blina.figures.swimmer import swimmer
from blina.measures.choices import CRS, ICANS

ENDS = {"completed": "o", "severe_reaction": "X", "economic": "D", "other": "P"}


@pytest.fixture(scope="module")
def picture(shape):
    return swimmer(shape)


@pytest.fixture(scope="module")
def of_report(shipped):
    """The figure of the report's own rows, of which some numbers are open."""
    return swimmer(shipped)


def differing(report, n):
    """So many real patients, nearly all different, with events of every kind, graded or not, with a day or without."""
    chance = random.Random(1)
    ward = real(report)
    places = [place % 28 for place in range(n)]
    study = tables.picked(ward, ward.cohort, places, tuple(f"P{number:03}" for number in range(n)))

    def each(draw):
        return {place: draw() for place in range(n)}

    with_icans = chance.sample(range(n), n // 3)
    grades = dict.fromkeys(range(n), "0") | {place: chance.choice(["1", "2", "3", "4", ""]) for place in with_icans}
    days = dict.fromkeys(range(n), "")
    days |= {place: chance.choice(["1", "2", "30"]) for place in with_icans if grades[place] == "" or place % 2}
    return changed(
        study,
        infusion_days=each(lambda: str(chance.randint(1, 42))),
        extra_cycles=each(lambda: str(chance.randint(0, 3))),
        stop_reason=each(lambda: chance.choice([*ENDS])),
        fever_cycle1=each(lambda: chance.choice(["yes", "no"])),
        crs_grade=each(lambda: chance.choice(["0", "0", "1", "2", "3", ""])),
        icans_grade=grades,
        icans_day=days,
    )


@pytest.fixture(scope="module")
def varied(report):
    """As many different patients as there are lanes for, or nearly."""
    return differing(report, 45)


@pytest.fixture(scope="module")
def crowd(report):
    """More different patients than there are lanes for, of some of whom days and reasons are not recorded."""
    lost = {"infusion_days": dict.fromkeys(range(10), ""), "stop_reason": dict.fromkeys(range(5, 20), "")}
    return changed(differing(report, 168), **lost)


@pytest.fixture(scope="module")
def varied_picture(varied):
    return swimmer(varied)


def level(text):
    """How high words of the figure stand, in its pixels."""
    return text.get_transform().transform(text.get_position())[1]


def lanes(picture, cohort):
    """What each lane shows, by its height in the figure: read back from bars, marks, blocks, dots and words."""
    time, beside = picture.figure.axes
    groups = {to_rgb(look.colour): name for name, look in looks(cohort).items()}
    names = [text for text in picture.figure.texts if text.get_text().startswith(("row ", "× ", "P"))]
    found = {}
    for bar in (patch for patch in time.patches if patch.get_gid() == "infusion"):
        y = round(bar.get_y() + bar.get_height() / 2, 6)
        height = time.transData.transform((0, y))[1]
        label = min(names, key=lambda text, height=height: abs(level(text) - height))
        assert bar.get_x() == 0.5  # the first day reaches from half a day before its number
        found[y] = {"group": groups[bar.get_edgecolor()[:3]], "label": label.get_text(), "days": bar.get_width(),
                    "end": None, "cycles": 0, "icans": None,
                    "hollow": tuple(bar.get_facecolor()[:3]) == (1, 1, 1), "beside": {}}  # fmt: skip
    for line in time.lines:
        lane = found[round(line.get_ydata()[0], 6)]
        assert line.get_xdata()[0] > lane["days"] + 0.5
        lane["end"] = line.get_marker()
    boxed = {tuple(round(value, 6) for value in text.get_position()): text.get_text() for text in time.texts}
    for box in (patch for patch in time.patches if patch.get_gid() == "icans"):
        y = round(box.get_y() + box.get_height() / 2, 6)
        day = round(box.get_x() + box.get_width() / 2, 6)
        found[y]["icans"] = day, boxed[day, y]
    for block in beside.patches:
        found[round(block.get_y() + block.get_height() / 2, 6)]["cycles"] += 1
    for dot in beside.lines:
        found[round(dot.get_ydata()[0], 6)]["beside"][dot.get_gid()] = "yes"
    for text in beside.texts:
        if text.get_text():
            found[round(text.get_position()[1], 6)]["beside"][text.get_gid()] = text.get_text()
    return [*found.values()]


def features(lane):
    beside = tuple(sorted(lane["beside"].items()))
    return lane["group"], lane["days"], lane["end"], lane["cycles"], lane["icans"], beside


def expected(study):
    """The same of every patient, from the table of courses."""
    for row in study.courses().to_dict("records"):
        known = pd.notna(row["icans_day"])
        beside = {kind: row[kind] for kind in ("fever", CRS, ICANS, "infection") if row.get(kind)}
        if known:
            del beside[ICANS]
        if row["stop_reason"] != "completed":
            short = {"severe_reaction": "severe reaction", "economic": "cost"}
            beside["why"] = row["stopped_by"] or short.get(row["stop_reason"], row["stop_reason"])
            severe = [event for event in ("CRS", "ICANS") if row[event] in ("3", "4", "5")]
            grade = f" {row[severe[0]]}" if len(severe) == 1 else ""
            if not study.cohort.reconstructed and row["stopped_by"] and severe:
                beside["why"] = f"severe reaction ({', '.join(severe)}{grade})"
        box = (row["icans_day"], row[ICANS].replace("yes", "")) if known else None
        yield (row["group"], row["infusion_days"], ENDS[row["stop_reason"]], row["extra_cycles"], box,
               tuple(sorted(beside.items())))  # fmt: skip


def times(lane):
    return int(lane["label"].removeprefix("× ")) if lane["label"].startswith("×") else 1


def assert_legible(picture, texts):
    width, height = picture.figure.get_size_inches() * 72
    found = texts(picture)
    assert width == pytest.approx(WIDE / 25.4 * 72) and height <= 230 / 25.4 * 72 and len(found) > 10
    for words, place, size in found:
        assert size >= SMALL, words
        assert min(place.x0, place.y0, width - place.x1, height - place.y1) >= 0, words
    for (words, one, _), (others, two, _) in combinations(found, 2):
        apart = max(one.x0 - two.x1, two.x0 - one.x1, one.y0 - two.y1, two.y0 - one.y1)
        assert apart > -0.25, f"{words!r} lies over {others!r}"


def test_text_is_legible_inside_the_canvas_and_apart(picture, texts):
    assert_legible(picture, texts)


def test_so_it_is_with_open_numbers_and_with_more_patients_than_there_is_room_for(of_report, varied_picture, texts):
    assert_legible(of_report, texts)
    assert_legible(varied_picture, texts)


def test_title_face_and_groups_are_said(picture, shape, texts):
    said = " ".join(words for words, _, _ in texts(picture))
    assert picture.name == "swimmer" and picture.title in said
    for words in (said, picture.alt):
        assert ("one of many possible" in words) == shape.cohort.reconstructed
    for group in shape.cohort.groups:
        assert f"{group.name}, n = {(shape.patients['group'] == group.name).sum()}" in picture.alt
    assert picture.alt.endswith(".") and ".." not in picture.alt


def test_every_patient_has_the_lane_of_their_course(picture, shape):
    drawn = Counter()
    for lane in lanes(picture, shape.cohort):
        drawn[features(lane)] += times(lane)
    assert drawn == Counter(expected(shape))


def test_lanes_stand_by_group_with_the_longest_infusion_first(report):
    days = [lane["days"] for lane in lanes(swimmer(report), report.cohort)]
    sizes = [18, 3, 7]
    assert days == [day for start, size in zip((0, 18, 21), sizes, strict=True)
                    for day in sorted(days[start : start + size], reverse=True)]  # fmt: skip


def test_a_real_lane_bears_its_patient_and_a_reconstructed_one_no_more_than_a_row(report):
    ids = [*report.courses()["patient_id"]]
    made_up, ward = swimmer(report), swimmer(real(report))
    assert [lane["label"] for lane in lanes(made_up, report.cohort)] == [f"row {int(patient[1:])}" for patient in ids]
    assert [lane["label"] for lane in lanes(ward, report.cohort)] == ids
    svg = made_up.render("svg").decode()
    assert not any(f">{patient}<" in svg for patient in ids) and "A lane is a row of the line list." in svg


def test_a_name_too_long_for_its_lane_is_a_number(report):
    ward = real(report)
    picture = swimmer(tables.picked(ward, ward.cohort, [0, 1], ("a hospital number of great length", "第一")))
    assert {"patient 1", "patient 2"} <= {text.get_text() for text in picture.figure.texts}


def test_of_too_many_patients_the_lanes_that_look_the_same_are_one(report):
    six = copies(report, 6)
    drawn, alone = lanes(swimmer(six), report.cohort), Counter(expected(real(report)))
    assert len(drawn) == len(alone)
    assert {features(lane): times(lane) for lane in drawn} == {course: 6 * n for course, n in alone.items()}


def test_where_there_is_no_room_for_lanes_areas_add_up_to_the_group_on_every_day(crowd):
    picture = swimmer(crowd)
    assert picture.figure.get_figheight() * 25.4 <= TALL
    for axis, group in zip(picture.figure.axes, crowd.cohort.groups, strict=True):
        mine = crowd.patients[crowd.patients["group"] == group.name].dropna(subset=["infusion_days"])
        days, ended = mine["infusion_days"].astype(int), mine["stop_reason"].fillna("not recorded")
        kinds = [reason if reason in ENDS else "other" for reason in ended]
        kinds = [kind if reason != "not recorded" else reason for kind, reason in zip(kinds, ended, strict=True)]
        for day in (1, 10, 28, 42):
            over = [sum(length < day and kind == one for length, kind in zip(days, kinds, strict=True))
                    for one in AREAS]  # fmt: skip
            counts = [(days >= day).sum(), *over]
            ends = [100 * sum(counts[: place + 1]) / len(mine) for place in range(len(counts))]
            assert [top_of(area, day) for area in axis.collections] == pytest.approx(ends)
            assert ends[-1] == pytest.approx(100)
    said = " ".join(text.get_text() for text in picture.figure.texts)
    assert "Days of infusion are not recorded of 10, who are in no area." in said
    assert {"stopped for another reason", "ended, how is not recorded"} <= {t.get_text() for t in picture.figure.texts}
    assert picture.alt.startswith("Areas of courses of 168 patients, by group. MC, n = 108: completed ")


AREAS = ("completed", "severe_reaction", "economic", "other", "not recorded")


def top_of(area, day):
    """How high an area reaches on a day: it is drawn in steps, each from one day to the next."""
    vertices = area.get_paths()[0].vertices
    return max(y for (x, y), (other, _) in pairwise(vertices) if {x, other} == {day, day + 1})


def test_icans_without_a_day_stands_in_a_column_of_its_own(varied, varied_picture, picture):
    words = [text.get_text() for text in varied_picture.figure.texts]
    assert "ICANS," in words and "day not" in words
    assert "ICANS," not in [text.get_text() for text in picture.figure.texts]
    assert any(ICANS in lane["beside"] and lane["icans"] is None for lane in lanes(varied_picture, varied.cohort))


@pytest.mark.parametrize("began", [1, 2, 3, 4])
def test_the_mark_of_the_end_stands_clear_of_icans(report, began):
    axis = swimmer(changed(report, icans_day={6: str(began)})).figure.axes[0]
    box = next(patch for patch in axis.patches if patch.get_gid() == "icans")
    assert box.get_x() + box.get_width() / 2 == pytest.approx(began)
    y = box.get_y() + box.get_height() / 2
    end = next(line.get_xdata()[0] for line in axis.lines if line.get_ydata()[0] == pytest.approx(y))
    half = 0.6  # mm, of the mark
    day = (axis.get_position().width * WIDE) / (axis.get_xlim()[1] - axis.get_xlim()[0])
    assert end * day + half < box.get_x() * day or end * day - half > (box.get_x() + box.get_width()) * day


def test_how_cycle_1_ended_is_told_by_shapes_that_the_key_explains(varied_picture):
    marks = {line.get_marker(): line.get_markerfacecolor() for line in varied_picture.figure.axes[0].lines}
    assert {*marks} == {*ENDS.values()}
    key = {line.get_marker() for line in varied_picture.figure.findobj(lambda artist: hasattr(artist, "get_marker"))
           if line.axes is None}  # fmt: skip
    assert key >= {*ENDS.values()}
    said = {text.get_text() for text in varied_picture.figure.texts}
    assert {"completed", "stopped for a severe reaction", "stopped for cost", "ended otherwise", "ICANS began (grade)",
            "event without a grade"} <= said  # fmt: skip


def test_only_bars_that_are_the_same_in_every_line_list_are_filled(shipped, of_report):
    bars, picture = shipped.infusions(), of_report
    drawn = lanes(picture, shipped.cohort)
    filled = {(lane["days"], lane["end"]) for lane in drawn if not lane["hollow"]}
    assert filled == {(2, "X"), (1, "X"), (7, "D")} and sum(not lane["hollow"] for lane in drawn) == 3
    assert {(row.infusion_days, ENDS[row.stop_reason]) for row in bars[~bars["open"]].itertuples()} == filled
    blocks = [patch for patch in picture.figure.axes[1].patches if patch.get_gid() == "cycle"]
    assert blocks and all(tuple(block.get_facecolor()[:3]) == (1, 1, 1) for block in blocks)


def test_real_bars_and_blocks_are_filled_and_nothing_is_said_of_hollow_ones(varied, varied_picture):
    assert not any(lane["hollow"] for lane in lanes(varied_picture, varied.cohort))
    assert "ollow" not in " ".join(text.get_text() for text in varied_picture.figure.texts)


GREY = "Grey dots and grades: the report does not say which lanes of the group have them."


def events_beside(picture):
    """Event, its lightness and the colour of the bar of its lane, of everything in the columns of events."""
    time, beside = picture.figure.axes
    bars = [bar for bar in time.patches if bar.get_gid() == "infusion"]
    groups = {round(bar.get_y() + bar.get_height() / 2, 6): bar.get_edgecolor()[:3] for bar in bars}
    signs = [(line, line.get_ydata()[0]) for line in beside.lines]
    signs += [(text, text.get_position()[1]) for text in beside.texts if text.get_gid() != "why" and text.get_text()]
    return [(sign.get_gid(), max(to_rgb(sign.get_color())), groups[round(y, 6)]) for sign, y in signs]


def test_an_event_is_grey_unless_all_lanes_of_a_made_up_group_have_it(shipped, of_report):
    study, picture = shipped, of_report
    colours = {name: to_rgb(look.colour) for name, look in looks(study.cohort).items()}
    found = Counter((event, next(name for name, colour in colours.items() if colour == group), light > 0.3)
                    for event, light, group in events_beside(picture))  # fmt: skip
    assert found == {("fever", "MC", True): 9, ("fever", "IC", False): 3, ("fever", "RR", True): 5,
                     (CRS, "RR", True): 2}  # fmt: skip
    assert GREY in " ".join(text.get_text() for text in picture.figure.texts)


def test_events_of_real_patients_are_never_grey(varied_picture):
    found = events_beside(varied_picture)
    assert found and all(light < 0.3 for _, light, _ in found)
    assert "Grey" not in " ".join(text.get_text() for text in varied_picture.figure.texts)


def test_beside_its_name_a_group_says_what_its_lanes_add_up_to_and_what_of_it_is_open(shipped, of_report):
    study, picture = shipped, of_report
    said = " ".join(text.get_text() for text in picture.figure.texts)
    for words in ("stopped for a severe reaction 2/18; stopped for cost 1/18; fever 9/18; ICANS 1/18 (grade 4, day 2)",
                  "further cycles open, 0 to 7 of 18", "CRS 2/7 (grade 2); further cycles open, 0 to 7 of 7",
                  "which features meet in one lane is one of many possibilities"):  # fmt: skip
        assert words in said
    assert "fever 9/18; ICANS 1/18 (grade 4, day 2); further cycles open, 0 to 7 of 18. IC, n = 3" in picture.alt
    assert study.cohort.face in said.lower()


def test_drawn_again_it_is_the_same_bytes(report):
    assert swimmer(report).render("svg") == swimmer(report).render("svg")
