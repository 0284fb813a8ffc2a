"""Cells as wards write them become the declared text, every change is told, and no value stands in a message."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from blina.linelist.columns import COLUMNS, Column
from blina.linelist.convert import CHANGES, Converted, How, Mrd, convert, mixed_units, read_mrd, suspect_fractions
from blina.linelist.dates import as_date, days_between, months_between, years_between
from blina.linelist.parse import parse_cell
from blina.linelist.problems import Said
from blina.linelist.settings import Assay
from blina.linelist.sheet import Cell, Cells

BY_NAME = {column.name: column for column in COLUMNS}
BELOW = Assay(negative="< 0.01")
UP_TO = Assay(negative="<= 0.01")


def read(name: str, cell: str | Cell, **how) -> Converted:
    return convert(BY_NAME[name], cell if isinstance(cell, Cell) else Cell(cell), How(**how))


def number(text: str, shown: str = "") -> Cell:
    return Cell(text, "number", shown)


def percent(text: str, shown: str = "") -> Cell:
    return Cell(text, "percent", shown)


# Cells, what they are read as, and what was changed.
READ = {
    "sex": [("male", "male", ""), ("男", "male", "word"), (" 女 ", "female", "word"), ("M", "male", "word"),
            ("Ｆ", "female", "word"), ("Female", "female", "typing"), (" male", "male", "trimmed")],
    "age_years": [("5.2", "5.2", ""), ("5岁", "5", "unit"), ("５．２　岁", "5.2", "unit"), ("12 yrs", "12", "unit"),
                  ("5岁3月", "5.3", "converted"), ("5y3m", "5.3", "converted"),
                  ("5 years 3 months", "5.3", "converted"), ("8月龄", "0.7", "converted"),
                  ("8m", "0.7", "converted"), ("5岁半", "5.5", "converted"),
                  ("7,5", "7.5", "decimal comma"), ("５．２", "5.2", "typing"), ("5.2\u200b", "5.2", "typing"),
                  (number("7"), "7", ""), (number("7.1000000000000005"), "7.1", "rounded"),
                  (number("7.14", "7.1"), "7.1", "rounded"), (number("0.6274", "1"), "0.6", "rounded"),
                  (number("5", "5岁"), "5", "unit"), (number("5.25", "5周岁"), "5.3", "unit, rounded")],
    "months_from_diagnosis": [("1年3月", "15.0", "converted"), ("45天", "1.5", "converted"), ("3个月", "3", "unit"),
                              ("3.5 mo", "3.5", "unit"), ("0,5", "0.5", "decimal comma")],
    "infusion_days": [("28", "28", ""), ("28天", "28", "unit"), ("28 d", "28", "unit"), ("4周", "28", "converted"),
                      ("２８", "28", "typing")],
    "extra_cycles": [("2个疗程", "2", "unit"), ("3 cycles", "3", "unit"), ("无", "0", "none"), ("None", "0", "none")],
    "crs_grade": [("2", "2", ""), ("Ⅱ", "2", "grade"), ("II", "2", "grade"), ("2级", "2", "grade"),
                  ("２级", "2", "grade"), ("Ⅲ度", "3", "grade"), ("Grade 2", "2", "grade"), ("G2", "2", "grade"),
                  ("CRS 1级", "1", "grade"), ("Ⅴ", "5", "grade"), (number("2", "Grade 2"), "2", "unit"),
                  ("0级", "0", "grade"), ("无", "0", "none"),
                  ("no", "0", "none"), ("未发生", "0", "none"), (number("3"), "3", "")],
    "icans_day": [("3", "3", ""), ("第3天", "3", "unit"), ("D3", "3", "unit"), ("day 3", "3", "unit"),
                  ("无", "", "no value"), ("N/A", "", "no value"), ("-", "", "no value"), ("", "", ""),
                  ("  ", "", "trimmed")],
    "bcr_abl1": [("yes", "yes", ""), ("是", "yes", "word"), ("有", "yes", "word"), ("阳性", "yes", "word"),
                 ("+", "yes", "word"), ("1", "yes", "word"), (number("0"), "no", "word"), ("无", "no", "word"),
                 ("FALSE", "no", "word"), ("Checked", "yes", "word"), ("Unchecked", "no", "word"), ("√", "yes", "word"),
                 (Cell("yes", "boolean"), "yes", "")],
    "intolerance_reason": [("胰腺炎", "pancreatitis", "word"), ("无", "", "no value"), ("不适用", "", "no value"),
                           ("/", "", "no value"), ("", "", ""), ("其它", "other", "word")],
    "stop_reason": [("按计划完成", "completed", "word"), ("经济原因", "economic", "word"),
                    ("Severe reaction", "severe_reaction", "typing"), ("严重不良反应", "severe_reaction", "word"),
                    ("3级以上不良反应", "severe_reaction", "word"), ("Severe toxicity", "severe_reaction", "word")],
    "group": [("MC", "MC", ""), ("mc", "MC", "typing"), ("难治或复发", "RR", "word")],
    "fc_before": [("阳性", "positive", "word"), ("（+）", "positive", "word"), ("+", "positive", "word"),
                  ("(-)", "negative", "word"), ("阴性", "negative", "word"), ("未检出", "negative", "word"),
                  ("未做", "not_done", "word"), ("not done", "not_done", "typing"), ("未检测", "not_done", "word"),
                  ("阴性（<0.01%）", "negative", "status and value, percent sign"), ("阴性（-）", "negative", "word")],
    "pcr_after": [("不适用", "not_applicable", "word"), ("Not applicable", "not_applicable", "typing"),
                  ("neg", "negative", "word")],
    "mrd_before_percent": [
        ("0.145", "0.145", ""), ("0.10", "0.10", ""), (" 0.1 ", "0.1", "trimmed"), ("０．１", "0.1", "typing"),
        ("0.145%", "0.145", "percent sign"), ("0.145 ％", "0.145", "percent sign"), ("0,145", "0.145", "decimal comma"),
        ("10⁻⁴", "0.01", "power of ten"), ("10^-4", "0.01", "power of ten"), ("1×10⁻⁴", "0.01", "power of ten"),
        ("1.2 x 10-4", "0.012", "power of ten"), ("3·10^-5", "0.003", "power of ten"), ("1.2e-4", "0.012", "exponent"),
        ("1.2E-04", "0.012", "exponent"), (number("0.00012", "1.20E-04"), "0.012", "exponent"),
        (number("0.145"), "0.145", ""), (percent("0.00145", "0.145%"), "0.145", "percent cell"),
        (percent("0.0014500000000000001"), "0.145", "percent cell, rounded"),
        (percent("0.001452837", "0.15%"), "0.1453", "percent cell, rounded"),
        (percent("0.0061", "1%"), "0.61", "percent cell"), (number("0.14528", "0.15"), "0.1453", "rounded"),
        (number("0.145", "0.1%"), "0.145", "percent sign"),
        (percent("1", "100%"), "100", "percent cell"),
        ("＜0.01％", "", "below limit"), ("<0.01%", "", "below limit"), ("≤0.01", "", "below limit"),
        ("<10⁻⁴", "", "below limit"), ("阴性(<0.01%)", "", "below limit"), ("0", "", "not detected"),
        (number("0"), "", "not detected"), ("0.00%", "", "not detected"), ("阴性", "", "not detected"),
        ("未检出", "", "not detected"), ("not detected", "", "not detected"), ("ND", "", "no value"),
        ("未做", "", "no value"), ("not done", "", "no value"), ("-", "", "no value"), ("", "", ""),
        ("阳性（0.03%）", "0.03", "status and value, percent sign"), ("阳性0.3", "0.3", "status and value"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_cells_as_wards_write_them_are_read_and_what_was_changed_is_told(name):
    for cell, text, changes in READ[name]:
        found = read(name, cell)
        assert (found.text, ", ".join(found.changes)) == (text, changes), cell
        assert found.problem is None and parse_cell(BY_NAME[name], text)[1] is None or not text


# Cells that are refused, the rule, and a part of what is said.
REFUSED = {
    "sex": [("1", "code", "may be a code"), ("未知", "not-known", "missing_allowed"),
            ("男/女", "sex-allowed", "your word"), ("女？", "sex-allowed", "your word"),
            ("NA", "not-known", "not to be known"), (Cell("yes", "boolean"), "sex-allowed", "write male or female")],
    "age_years": [("1,234", "age_years-allowed", "thousands"), ("7.55", "age_years-allowed", "between two steps"),
                  ("5岁15月", "age_years-allowed", "not a number"), ("<1", "age_years-allowed", "a limit"),
                  ("2-3岁", "age_years-allowed", "a range"), ("200", "age_years-allowed", "out of range"),
                  ("约5岁", "age_years-allowed", "not a number"),
                  ("5\n6", "age_years-allowed", "two numbers"), ("1 2岁", "age_years-allowed", "two numbers"),
                  ("5, 6", "age_years-allowed", "two numbers"), ("3月5日", "age_years-allowed", "not a number"),
                  (number("8", "8月"), "shown-otherwise", "other text"),
                  (number("8", " "), "shown-otherwise", "not at all"),
                  (number("2", "12"), "shown-otherwise", "shows otherwise"),
                  ("5小时", "age_years-allowed", "not a number"),
                  (number("7.55", "7.55"), "age_years-allowed", "between two steps"),
                  (percent("0.05", "5%"), "percent-cell", "percent cell"),
                  (Cell("2023-02-03", "date"), "date-in-place", "is a date"),
                  (Cell("#DIV/0!", "error"), "spreadsheet-error", "error of the spreadsheet"),
                  (Cell("", "uncalculated"), "uncalculated", "formula"),
                  ("x" * 300, "age_years-allowed", "long text")],
    "months_from_diagnosis": [(text, "months_from_diagnosis-allowed", "not a number")
                              for text in ("4月5日", "23年4月", "2岁", "8月龄")],
    "extra_cycles": [("1 2", "extra_cycles-allowed", "two numbers")],
    "stop_reason": [(text, "stop_reason-allowed", "under values")
                    for text in ("不良反应", "不良事件", "毒性", "Toxicity", "adverse event", "完成?")],
    "infusion_days": [(number("4", "4周"), "shown-otherwise", "other text"),
                      ("1个月", "infusion_days-allowed", "not a number"), ("0", "infusion_days-allowed", "range"),
                      ("28.5天", "infusion_days-allowed", "between two steps")],
    "crs_grade": [("2-3", "crs_grade-allowed", "a range"), ("1/2", "crs_grade-allowed", "two numbers"),
                  ("½", "crs_grade-allowed", "two numbers"), ("≥3", "crs_grade-allowed", "a limit"),
                  ("3+", "crs_grade-allowed", "a limit"), ("3级以上", "crs_grade-allowed", "a limit"),
                  ("有", "crs_grade-allowed", "give its grade"), ("-", "crs_grade-allowed", "not recorded"),
                  ("V", "crs_grade-allowed", "not a number"), ("ICANS 2", "crs_grade-allowed", "not a number"),
                  ("6", "crs_grade-allowed", "out of range"), ("0\n2", "crs_grade-allowed", "two numbers"),
                  ("不详", "not-known", "missing_allowed"),
                  (Cell("2023-02-03", "date"), "date-in-place", "such as 2-3")],
    "bcr_abl1": [("-", "unclear", "not recorded"), ("x", "bcr_abl1-allowed", "your word"),
                 ("有?", "bcr_abl1-allowed", "your word"),
                 ("有-", "bcr_abl1-allowed", "your word"), ("2", "code", "a code")],
    "intolerance_reason": [("不详", "not-known", "missing_allowed")],
    "fc_before": [("-", "unclear", "not done"), ("ND", "unclear", "not done"), ("无", "unclear", "negative"),
                  ("0.03%", "threshold-declared", "assays"), ("1", "code", "percent sign"),
                  ("MRD", "fc_before-allowed", "your word"),
                  *((doubtful, "fc_before-allowed", "your word") for doubtful in
                    ("阳性？", "阴性?", "阳性*", "阴性#", "阳性†", "+-", "-+", "±", "（±）", "阳性-", "阳性(-)")),
                  *((over, "over-100", "over 100") for over in ("450", "10000", "101%")),
                  *((both, "status-and-value", "contradict") for both in
                    ("阴性(10^-4)", "阴性 1", "阳性(<0.01%)", "阴性(>0.01%)", "阳性 0%")),
                  (number("0.5", "<0.5"), "shown-otherwise", "other text"),
                  ("10-4", "fc_before-allowed", "raised figure"), ("yes", "fc_before-allowed", "your word")],
    "pcr_before": [("NA", "unclear", "not applicable"), ("N/A", "unclear", "not recorded")],
    "mrd_before_percent": [
        (">5%", "limit", "a limit"), ("≥5", "limit", "a limit"), ("阳性", "value-given", "how much"),
        ("10-4", "mrd_before_percent-allowed", "raised figure"),
        ("10E-4", "mrd_before_percent-allowed", "raised figure"),
        ("1,234", "mrd_before_percent-allowed", "thousands"), ("0.00001", "finer-than-step", "mrd_unit"),
        ("10⁻⁷", "finer-than-step", "finer than"), ("120", "mrd_before_percent-allowed", "out of range"),
        ("0.1-0.2", "mrd_before_percent-allowed", "not an MRD value"),
        ("5‰", "mrd_before_percent-allowed", "not an MRD value"),
        ("3\n0.01", "mrd_before_percent-allowed", "not an MRD value"), ("2 0", "mrd_before_percent-allowed", "not an"),
        ("<5%", "limit", "a limit"), ("<1", "limit", "a limit"), ("阴性(<5%)", "limit", "a limit"),
        ("阴性 0.5%", "status-and-value", "contradict"), ("阳性(<0.01%)", "status-and-value", "contradict"),
        (number("3", "3×10⁻⁴"), "shown-otherwise", "other text"), (number("0.1", "0.1‰"), "shown-otherwise", "other"),
        (percent("0.0001", "<0.01%"), "shown-otherwise", "other text"),
        (percent("0.0000003", "0%"), "finer-than-step", "finer than"),
        ("3×100", "mrd_before_percent-allowed", "not an MRD value"),
        (percent("2"), "mrd_before_percent-allowed", "out of range"),
        ("不详", "not-known", "missing_allowed"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_mean_two_things_or_nothing_is_refused_and_told_how_to_write_it(name):
    for cell, rule, said in REFUSED[name]:
        found = read(name, cell)
        assert found.text is None and found.rule == rule, cell
        assert said in found.problem.en, cell
        assert "write " in found.problem.en or ":" in found.problem.en
        assert any("一" <= letter <= "鿿" for letter in found.problem.zh)


@pytest.mark.parametrize("name", [c.name for c in COLUMNS if c.type != "identifier"])
@pytest.mark.parametrize("word", ["未知", "不详", "unknown", "NR", ".", "缺失", "Not recorded"])
def test_not_known_is_blank_only_where_a_value_may_be_missing_and_never_none_or_negative(name, word):
    assert read(name, word).rule == "not-known"
    found = read(name, word, missing=True)
    assert (found.text, found.changes) == ("", ("missing",))


def test_own_words_come_before_common_meanings():
    words = {"1": "female", "2": "male", "F ": "male"}
    assert read("sex", "1", words=words) == Converted("female", ("own word",))
    assert read("sex", number("2"), words=words).text == "male"
    assert read("sex", "f", words=words).text == "male"
    assert read("crs_grade", "1", words={"1": "0"}).text == "0"
    assert read("stop_reason", "病情 进展", words={"病情进展": "other"}) == Converted("other", ("own word",))
    assert read("stop_reason", "x", words={"x": "stopped"}).rule == "stop_reason-allowed"
    assert read("crs_grade", "-1", words={"1": "0"}).rule == "crs_grade-allowed"
    assert read("sex", "甲", words={"（甲）": "male", "甲_": "female"}).text is None


@pytest.mark.parametrize(
    "text, below, up_to",
    [
        ("0.03%", "positive", "positive"),
        ("0.01%", "positive", "negative"),
        ("10⁻⁴", "positive", "negative"),
        ("0.009", "negative", "negative"),
        ("10⁻⁵", "negative", "negative"),
        ("<0.01%", "negative", "negative"),
        ("≤0.01%", None, "negative"),
        (">0.01%", "positive", "positive"),
        ("≥0.01%", "positive", None),
        ("<0.02%", None, None),
        (">0.001%", None, None),
        ("0", "negative", "negative"),
        ("阳性(0.01%)", "positive", None),
        ("阴性(0.01%)", None, "negative"),
    ],
)
def test_a_value_of_an_assay_is_judged_exactly_as_its_threshold_is_declared(text, below, up_to):
    assert read("fc_after", text, assay=BELOW).text == below
    assert read("fc_after", text, assay=UP_TO).text == up_to


def test_values_on_the_threshold_are_marked_and_positive_ones_keep_their_value():
    on = read("pcr_after", "10⁻⁴", assay=BELOW)
    assert (on.boundary, on.value_percent, on.changes) == (True, "0.01", ("threshold", "power of ten"))
    assert read("pcr_after", "0.010", assay=UP_TO).boundary
    assert read("pcr_after", percent("0.0003", "0.03%"), assay=BELOW).value_percent == "0.03"
    assert read("pcr_after", "0.03%", assay=BELOW).boundary is False
    assert read("pcr_after", "<0.01%", assay=BELOW) == Converted(
        "negative", ("threshold", "percent sign"), limit_percent=Fraction("0.01")
    )
    assert read("fc_after", "阳性 0.03%").value_percent == "0.03"
    finer = read("fc_after", number("3.123456"), assay=BELOW)
    assert (finer.value_percent, finer.changes) == ("3.1235", ("threshold", "rounded"))


@given(st.fractions(0, 1).map(lambda value: Fraction(round(value * 10**6), 10**6)))
def test_a_value_is_negative_by_exact_comparison_with_the_threshold(value):
    text = f"{float(value):.6f}"
    assert (read("fc_after", f"{text}%", assay=BELOW).text == "negative") == (value < Fraction("0.01"))
    assert (read("fc_after", f"{text}%", assay=UP_TO).text == "negative") == (value <= Fraction("0.01"))


def test_the_unit_of_plain_mrd_numbers_is_percent_unless_cohort_yaml_says_fraction():
    name = "mrd_before_percent"
    assert read(name, "0.00145").rule == "finer-than-step"
    assert read(name, "0.00145", mrd_unit="fraction") == Converted("0.145", ("fraction",))
    assert read(name, "0.145%", mrd_unit="fraction").text == "0.145"
    assert read(name, percent("0.00145"), mrd_unit="percent").text == "0.145"
    assert read(name, "10⁻⁴", mrd_unit="percent").text == "0.01"
    assert read(name, "1.2e-2", mrd_unit="percent").text == "0.012"
    guessed, said = read(name, "1.2e-4"), read(name, "1.2e-4", mrd_unit="fraction")
    assert guessed.text == said.text == "0.012"
    assert "mrd_unit" in guessed.warning.en and said.warning is None


@pytest.mark.parametrize(
    "cell, value, comparison, written",
    [
        ("<0.01%", "0.01", "<", "percent sign"),
        ("≤ 10⁻⁴", "0.01", "<=", "power of ten"),
        (">5", "5", ">", "plain"),
        ("MRD: 0.3 %", "0.3", "", "percent sign"),
        (percent("0.00145"), "0.145", "", "percent cell"),
        ("2.5×10^-3", "0.25", "", "power of ten"),
        ("5e-05", "0.005", "", "exponent"),
    ],
)
def test_an_mrd_value_is_read_with_its_comparison_and_how_its_unit_was_told(cell, value, comparison, written):
    found = read_mrd(cell if isinstance(cell, Cell) else Cell(cell))
    assert found == Mrd(Fraction(value), comparison, written)


def test_percent_beside_plain_numbers_in_one_column_are_found_whichever_is_rarer():
    column = BY_NAME["mrd_before_percent"]
    cells = Cells.of([number("0.1"), number("0.2"), percent("0.003"), "<0.01%", "0", "阴性", "10⁻⁴", ""])
    assert mixed_units(column, cells) == (percent("0.003"),)
    assert mixed_units(column, Cells.of(["0.1%", "0.2%", "0.3"])) == (Cell("0.3"),)
    assert mixed_units(column, Cells.of(["0.1%", "0.3"])) == (Cell("0.3"),)
    assert mixed_units(column, Cells.of(["0.1%", percent("0.003"), "<0.01"])) == ()
    assert mixed_units(column, cells.take(cells.places != 2)) == ()
    assert mixed_units(column, Cells.of(["1e-04", "0.3", "5e-01", "0.2"])) == (Cell("1e-04"), Cell("5e-01"))
    assert mixed_units(column, Cells.of(["1e-04", "5e-03", "<0.01"])) == ()
    assert mixed_units(column, Cells.of(["0.3%", number("0.2", "0.2%")])) == ()


def test_a_column_of_plain_values_of_at_most_1_may_be_fractions():
    assert suspect_fractions(Cells.of(["0.0012", "0.01", "10^-4", "0.5%", "0"]))
    assert suspect_fractions(Cells.of(["0.0012", "0.3"]))
    assert not suspect_fractions(Cells.of(["0.0012", "1.3"]))
    assert not suspect_fractions(Cells.of(["0.001%", "阴性", ""]))


DATES = (
    "2023-04-03", "2023/4/3", "2023.4.3", "20230403", "2023年4月3日", "２０２３年4月3日", "03-Apr-2023", "03APR2023",
    "3 April 2023", "April 3, 2023", "April 3 2023", "2023. 4. 3", "2023年 4月 3日",
    "2023-04-03 00:00:00", "2023-04-03T00:00", "45019", "45019.5",
)  # fmt: skip


@pytest.mark.parametrize("text", DATES)
def test_one_day_in_many_forms(text):
    assert as_date(Cell(text)) == date(2023, 4, 3)


@pytest.mark.parametrize(
    "text, order, read",
    [
        ("3/4/2023", "dmy", date(2023, 4, 3)),
        ("3/4/2023", "mdy", date(2023, 3, 4)),
        ("3/4/2023", None, "date_order"),
        ("13/4/2023", None, date(2023, 4, 13)),
        ("4/13/2023", None, date(2023, 4, 13)),
        ("4/4/2023", None, date(2023, 4, 4)),
        ("4/13/2023", "dmy", "there is not"),
        ("23/4/3", "ymd", "two digits"),
        ("3-Apr-23", None, "two digits"),
        ("2023-02-30", None, "there is not"),
        ("2023-04", None, "not a date"),
        ("20231", None, "not a date"),
        ("2023-1 1-05", None, "not a date"),
        ("4\n5019", None, "not a date"),
        ("3", None, "not a date"),
        ("不详", None, "not a date"),
        ("1850-01-01", None, "before 1900"),
        ("2024-01-01", None, "future"),
    ],
)
def test_a_date_that_may_be_two_or_none_is_refused(text, order, read):
    found = as_date(Cell(text), order, today=date(2023, 12, 31))
    assert found == read if isinstance(read, date) else read in found.en


def test_dates_of_a_spreadsheet_are_read_from_their_kind():
    assert as_date(Cell("2023-04-03", "date")) == as_date(number("45019")) == as_date(number("20230403"))
    assert isinstance(as_date(number("12")), Said)
    assert isinstance(as_date(Cell("", "uncalculated")), Said)


@given(st.dates(date(1960, 1, 1), date(2020, 1, 1)), st.integers(0, 20000))
def test_time_between_dates_is_to_a_tenth_with_halves_up(first, days):
    last = first + timedelta(days)
    assert days_between(first, last) == days
    assert abs(Fraction(months_between(first, last)) - Fraction(days) / Fraction("30.4375")) <= Fraction(1, 20)
    assert abs(Fraction(years_between(first, last)) - Fraction(days) / Fraction("365.25")) <= Fraction(1, 20)
    assert as_date(number(str((first - date(1899, 12, 30)).days))) == first


def test_a_filled_cell_is_told_as_changed():
    assert read("group", Cell("MC", filled=True)) == Converted("MC", ("filled",))


# Whatever stands in a cell.

KINDS = ("text", "number", "percent", "date", "boolean", "error", "uncalculated")
PIECES = st.sampled_from(
    [*"0123456789.,-+<>%％≤×^eE⁻⁴ⅡＡ/年月日天级 \n", "阳性", "阴性", "未做", "10", "mrd", "grade", "(", ")"]
)
TEXTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=8).map("".join))
HOWS = st.builds(How, assay=st.sampled_from([None, BELOW, UP_TO]), mrd_unit=st.sampled_from([None, "percent"]),
                 missing=st.booleans())  # fmt: skip
NUMBERS = st.decimals(-200, 200, places=5).map(lambda value: f"{value:f}")
CELLS = st.one_of(
    st.builds(Cell, TEXTS, st.sampled_from(["text", "date", "boolean", "error", "uncalculated"])),
    st.builds(Cell, NUMBERS, st.sampled_from(["number", "percent"]), st.one_of(TEXTS, NUMBERS)),
)


@given(st.sampled_from(COLUMNS), CELLS, HOWS)
@example(BY_NAME["fc_after"], Cell("0.03%"), How(assay=BELOW))
@example(BY_NAME["mrd_before_percent"], Cell("1.2e-4"), How())
def test_any_cell_is_read_or_refused_and_no_change_is_silent(column, cell, how):
    found = convert(column, cell, how)
    assert (found.text is None) == (found.problem is not None)
    assert set(found.changes) <= CHANGES.keys()
    if found.text is None:
        assert found.rule and not found.changes
        return
    assert found.changes or found.text == cell.text
    if found.text and column.type != "identifier":
        assert parse_cell(column, found.text)[1] is None
        again = convert(column, Cell(found.text), how)
        assert (again.text, again.changes) == (found.text, ())


@given(st.sampled_from([c for c in COLUMNS if c.type != "identifier"]), st.data())
def test_what_is_declared_is_read_as_itself(column, data):
    text = column.text(data.draw(st.integers(column.lowest, column.highest)))
    assert convert(column, Cell(text), How()) == Converted(text)


CANARIES = ("张三测试", "13800138000", "98765.4321", "4407-88", "zq@example.org", "Zhang-Q7")


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_message_repeats_what_stands_in_the_cell(canary, kind):
    if kind in ("number", "percent") and not canary.replace(".", "").isdigit():
        kind = "text"
    for column in COLUMNS:
        found = convert(column, Cell(canary, kind, canary), How(words={canary[:-1]: "x"}, assay=BELOW))
        said = [found.problem, found.warning, as_date(Cell(canary, kind))]
        assert canary not in "".join(f"{one.en}{one.zh}" for one in said if isinstance(one, Said)) + found.rule
    assert canary not in repr(CHANGES)


def test_groups_of_ones_own_are_read_by_their_names():
    groups = Column("group", "category", ("一组", "CR 2"))
    assert convert(groups, Cell("cr2"), How()).text == "CR 2"
    assert convert(groups, Cell("3"), How()).rule == "code"
    assert convert(groups, Cell("MC"), How()).text is None
