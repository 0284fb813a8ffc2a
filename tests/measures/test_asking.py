"""Questions of a report are data: one more is an answer more, and what cannot be meant says so in one line."""

import pytest

from blina.analysis.determination import Determination
from blina.analysis.determined import answers, bounds_of, claims_of
from blina.analysis.study import open_study
from blina.claims.check import read_for_claims
from blina.claims.document import load_claims
from blina.linelist.cohort import load_cohort
from blina.measures.asking import QUESTIONS_FILE, UNITS, declared
from blina.measures.language import Total
from blina.yamlfile import FileError

BOYS = "  - {group: RR, words: boys, rows: {group: RR}, of: {sex: male}}\n"


@pytest.fixture
def copy(report_folder, tmp_path):
    """A copy of the report's folder."""
    for path in report_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return load_cohort(tmp_path)


def write(cohort, text):
    (cohort.folder / QUESTIONS_FILE).write_text(text, encoding="utf-8")


def read(cohort):
    return (cohort.folder / QUESTIONS_FILE).read_text(encoding="utf-8")


def answered(cohort):
    """The answers of notebook 07 to the questions of a cohort, by whose and what."""
    ours, document = claims_of(cohort, load_claims(cohort.claims))
    line_list = read_for_claims(ours.linelist, document)
    found = answers(document, bounds_of(ours, document), line_list)
    return {answer.question.key: answer.text for answer in found}


def test_every_question_is_asked_once_and_has_a_unit(copy):
    asked = declared(copy)
    assert len({question.key for question in asked}) == len(asked)
    assert {question.unit for question in asked} == set(UNITS)
    for question in asked:
        assert (question.whole is not None) == (question.unit == "patients")


def test_a_question_more_is_an_answer_more_and_changes_no_other(copy):
    before = answered(copy)
    write(copy, read(copy) + BOYS)
    after = answered(copy)
    assert after.pop(("RR", "boys")) == "0 to 7 of 7"
    assert after == before


def test_a_question_less_is_an_answer_less(copy):
    before = answered(copy)
    lines = [line for line in read(copy).splitlines() if "group: IC, words: girls" not in line]
    write(copy, "\n".join(lines))
    after = answered(copy)
    assert {*before} - {*after} == {("IC", "girls")}


def test_notebook_07_asks_to_make_what_a_new_question_needs(copy):
    write(copy, read(copy) + BOYS)
    asked_to = "^readings.csv was made for other questions: run make linelist$"
    with pytest.raises(FileError, match=asked_to):
        Determination(open_study(copy.folder))


def test_a_cohort_without_the_file_has_no_questions(copy):
    (copy.folder / QUESTIONS_FILE).unlink()
    assert declared(copy) == ()


ONE = "questions:\n"


@pytest.mark.parametrize(
    ("line", "whole", "total"),
    [
        ("{group: MC, words: girls, rows: {group: MC}, of: {sex: female}}", True, False),
        ("{group: A, words: age, statistic: median, unit: years, of: age_years}", False, False),
        ("{group: A, words: c, statistic: sum, unit: cycles, of: extra_cycles}", False, True),
    ],
    ids=["patients", "a number", "a sum"],
)
def test_a_question_counts_patients_or_measures_a_column(copy, line, whole, total):
    write(copy, f"{ONE}  - {line}\n")
    (question,) = declared(copy)
    assert (question.whole is not None) == whole
    assert isinstance(question.asked, Total) == total


GIRLS = "group: MC, words: girls, of: {sex: female}"
MALFORMED = {
    "another key at the top": ("asked:\n  - {a: b}\n", "line 1: .*holds the key questions"),
    "no list": ("questions: {a: b}\n", "line 1: .*takes a list"),
    "an unknown key": (
        f"{ONE}  - {{{GIRLS}, colour: red}}\n",
        "line 2: colour is not known here; the keys are group, words, unit",
    ),
    "no group": (f"{ONE}  - {{words: girls, of: {{sex: female}}}}\n", "line 2: group: "),
    "no words": (f"{ONE}  - {{group: MC, of: {{sex: female}}}}\n", "line 2: words: "),
    "nothing counted": (f"{ONE}  - {{group: MC, words: girls}}\n", "line 2: of: "),
    "a unit that is none": (
        f"{ONE}  - {{{GIRLS}}}\n  - {{group: A, words: b, unit: stones, of: {{sex: male}}}}\n",
        "line 3: unit: .*'patients', 'months'",
    ),
    "a statistic that is none": (
        f"{ONE}  - {{group: A, words: b, statistic: mode, of: age_years}}\n",
        "line 2: statistic: .*'median'",
    ),
    "a column counted": (
        f"{ONE}  - {{group: MC, words: age, of: age_years}}\n",
        "line 2: of holds columns and values where patients are counted",
    ),
    "values measured": (
        f"{ONE}  - {{group: MC, words: age, statistic: median, of: {{sex: male}}}}\n",
        "line 2: of holds columns and values",
    ),
    "twice the same": (
        f"{ONE}  - {{{GIRLS}}}\n\n  - {{{GIRLS}}}\n",
        "line 4: MC is asked twice for 'girls'; use other words",
    ),
    "not YAML": (f"{ONE}  - {{{GIRLS}\n", "not valid YAML"),
    "empty": ("", "is empty"),
    "a number for each that is none": (
        f"{ONE}  - {{group: A, words: b, statistic: sum, of: extra_cycles, each: some}}\n",
        "line 2: each: ",
    ),
    "a text for a question": (f"{ONE}  - how many girls\n", "line 2: "),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_file_that_cannot_be_meant_says_where_and_what_to_do_in_one_line(copy, kind):
    text, said = MALFORMED[kind]
    write(copy, text)
    with pytest.raises(FileError, match=rf"^{QUESTIONS_FILE}.*{said}") as error:
        declared(copy)
    assert "\n" not in str(error.value)


WRONG_IN_ASKING = {
    "a column that there is none": ("{group: A, words: b, of: {colour: red}}", "colour"),
    "a value that there is none": ("{group: A, words: b, of: {sex: boy}}", "boy"),
    "a median of words": ("{group: A, words: b, statistic: median, of: sex}", "number column"),
}


@pytest.mark.parametrize("kind", WRONG_IN_ASKING)
def test_a_question_about_what_a_line_list_has_not_got_says_so_in_one_line(copy, kind):
    line, named = WRONG_IN_ASKING[kind]
    write(copy, f"{ONE}  - {line}\n")
    with pytest.raises(FileError, match=named) as error:
        answered(copy)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(f"{QUESTIONS_FILE}, line 2: ")
