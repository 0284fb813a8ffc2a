"""Claims files: what they say, and one line for whatever an author may have mistyped."""

import re
from pathlib import Path

import pytest
import yaml

from blina.claims.check import check, read_for_claims
from blina.claims.document import compile_document, load_claims
from blina.claims.printed import HALF_MODES
from blina.linelist.columns import COLUMNS, RULES
from blina.yamlfile import FileError, parse_yaml

TOY = """\
source: {title: A toy report, doi: 10.0000/toy}
patients: 3
rounding: any
columns:
  group: {type: category, values: [A, B]}
  age: {type: integer, min: 0, max: 120}
  dose: {type: decimal, step: "0.5", min: "0", max: "9", blank: allowed}
  married: {type: boolean}
rules:
  - id: adults-marry
    if: {married: true}
    then: {age: {at_least: 15}}
    why: legal age
    reading: R1
claims:
  - {id: n-a, where: "Results, 1", statistic: count, rows: {group: A}, equals: "2"}
  - {id: pct, statistic: percent, rows: {group: A}, of: {married: yes}, equals: "50.0", reading: R2}
  - {id: ages, statistic: range, of: age, equals: ["1", "40"]}
  - {id: few, statistic: count, rows: {any_of: [{group: B, married: true}, {age: {at_most: 5}}]}, at_most: "2"}
readings:
  - {id: R1, question: q, choice: c, because: b, alternatives: [a]}
  - {id: R2, question: q, choice: c, because: b, alternatives: [a]}
"""


def changed(*pairs: tuple[str, str]) -> str:
    text = TOY
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def message(document, text: str) -> str:
    with pytest.raises(FileError) as error:
        document(text)
    return str(error.value)


def test_a_claims_file_says_what_it_prints(document):
    made = document(TOY)
    assert (made.patients, made.modes, made.printed_numbers) == (3, HALF_MODES, 4)
    assert [claim.printed for claim in made.claims] == ["2", "50.0", "1 to 40", "at most 2"]
    assert [claim.words for claim in made.claims] == [
        "count: group A",
        "percent of married yes: group A",
        "range of age: all patients",
        "count: (group B and married true or age at most 5)",
    ]
    assert (made.claims[0].where, made.claims[1].reading) == ("Results, 1", "R2")


@pytest.mark.parametrize(
    "old, new, line, said",
    [
        # misspelt words
        ("statistic: percent", "statistic: precent", 17, "claim pct: there is no statistic precent; did you mean per"),
        ("statistic: percent", "statistic: x", 17, "write one of count, percent, median, mean, sd, min, max, range"),
        ("statistic: percent", "statistic: Percent", 17, "there is no statistic Percent; did you mean percent?"),
        ("statistic: percent", "statistic: average", 17, "there is no statistic average; did you mean mean?"),
        ("statistic: range", "statistik: range", 18, "statistik is not known here; did you mean statistic?"),
        ("where:", "were:", 16, "were is not known here; did you mean where?"),
        ("patients: 3", "patient: 3", 2, "patient is not known here; did you mean patients?"),
        ("rounding: any", "rounding: up", 3, "rounding: input should be 'any', 'half_up'"),
        ("type: integer", "type: int", 6, "type: input should be 'category', 'boolean', 'integer' or 'decimal'"),
        ("{married: true}\n", "{maried: true}\n", 11,
         "rule adults-marry: there is no column maried; the columns are group, age, dose, married; did you "
         "mean married?"),
        ("rows: {group: A}, equals", "rows: {Group: A}, equals", 16,
         "claim n-a: there is no column Group; the columns are group, age, dose, married; did you mean group?"),
        ("{age: {at_least: 15}}", "{age: {atleast: 15}}", 12,
         "atleast is not one of at_least, at_most, above, below; did you mean at_least?"),
        ("rows: {group: A}, equals", "rows: {group: C}, equals", 16, "claim n-a: group is never 'C'; it is A or B"),
        ("rows: {group: A}, equals", "rows: {group: a}, equals", 16,
         "group is never 'a'; it is A or B; did you mean A?"),
        ("{group: B, married: true}", "{group: B, married: maybe}", 19, "married is never 'maybe'; it is no or yes"),
        ("of: age", "of: ages", 18, "claim ages: range needs of: a number column (age, dose); did you mean age?"),
        ("of: age", "of: group", 18, "claim ages: range needs of: a number column (age, dose)"),
        ("reading: R2", "reading: R9", 17, "there is no reading R9; add it under readings"),
        # something missing
        ("patients: 3\n", "", 1, "patients is missing here; add it"),
        ("    why: legal age\n", "", 10, "why is missing here; add it"),
        ("if: {married: true}", "when: {married: true}", 11,
         "when is not known here; the keys here are id, if, then, why, reading"),
        ("id: few, ", "", 19, "id is missing here; add it"),
        ("min: 0, ", "", 6, "column age holds numbers: give it a number as min"),
        (", alternatives: [a]}\n  - {id: R2", ", alternatives: []}\n  - {id: R2", 21,
         "alternatives takes at least one entry"),
        ("of: {married: yes}, ", "", 17, "claim pct: percent needs of: the rows that are counted"),
        ("of: {married: yes}", "of: age", 17, "claim pct: percent needs of: the rows that are counted"),
        ("of: {married: yes}", "of: [married]", 17, "of takes a column, or columns and values as in {sex: female}"),
        (', equals: ["1", "40"]', "", 18, "claim ages: give either equals or limits (at_least, at_most, above, below)"),
        # too much
        ("count, rows: {group: A}", "count, of: age, rows: {group: A}", 16, "claim n-a: count takes no of"),
        ('at_most: "2"', 'at_most: "2", equals: "2"', 19, "claim few: give either equals or limits"),
        ('at_most: "2"', 'at_most: "2", below: "2"', 19, "claim few: give at_most or below, not both"),
        ('at_most: "2"', 'at_most: "2", at_least: "3"', 19, "claim few: no number lies within these limits"),
        ('equals: "2"', 'equals: ["2", "3"]', 16, 'claim n-a: count is one number; write it as in equals: "72.2"'),
        ('equals: ["1", "40"]', 'equals: "40"', 18,
         'claim ages: range is two numbers; write both ends, as in equals: ['),
        ('equals: ["1", "40"]', 'at_least: "1"', 18, "claim ages: range has two ends; write both, as in equals: ["),
        ('at_most: "2"', 'above: "2", below: "2"', 19, "claim few: no number lies within these limits; swap them"),
        ('at_most: "2"', 'at_most: "2", denominator: n', 19, "claim few: count has no denominator to choose, only sd"),
        ('of: age, equals: ["1", "40"]', 'of: age, denominator: m', 18, "denominator: input should be 'n' or 'n-1'"),
        ('equals: ["1", "40"]', 'equals: ["40", "1"]', 18,
         'claim ages: the ends of the range are swapped; write equals: ["1", "40"]'),
        ("id: ages", "id: pct", 18, "id pct stands already in line 17; choose another"),
        ("id: ages", "id: adults-marry", 18, "id adults-marry stands already in line 10; choose another"),
        ("id: ages", "id: patients", 18, "id patients stands already in line 2; choose another"),
        ("readings:\n", "readings:\n  - {id: R1, question: q, choice: c, because: b, alternatives: [a]}\n", 22,
         "id R1 stands already in line 21; choose another"),
        ("rounding: any", "patients: 3", 3, "patients stands twice; keep one"),
        ("where: ", "id: x, where: ", 16, "id stands twice; keep one"),
        # numbers
        ('equals: "50.0"', 'equals: "50.0%"', 17, "claim pct: '50.0%' is not a printed number such as 72.2"),
        ('equals: "50.0"', 'equals: "50,0"', 17,
         "claim pct: '50,0' is not a printed number such as 72.2; write its digits alone, with a point for decimals"),
        ('equals: "50.0"', 'equals: "150.0"', 17, "claim pct: percent 150.0 cannot be; it is from 0 to 100"),
        ('rows: {group: A}, equals: "2"', 'equals: "2.5"', 16, "claim n-a: count 2.5 cannot be; it is a whole number"),
        ('rows: {group: A}, equals: "2"', 'equals: "-2"', 16, "claim n-a: count -2 cannot be; it is 0 or more"),
        ('statistic: range, of: age, equals: ["1", "40"]', 'statistic: sd, of: age, equals: "-0.2"', 18,
         "claim ages: sd -0.2 cannot be; it is 0 or more"),
        ('equals: ["1", "40"]', 'equals: ["1.3", "40"]', 18,
         "claim ages: no age prints as 1.3, the nearest are 1 and 2; correct it, or the column's min, max or step"),
        ('equals: ["1", "40"]', 'equals: ["1", "140"]', 18,
         "claim ages: no age prints as 140, the nearest is 120; correct"),
        ('range, of: age, equals: ["1", "40"]', 'max, of: dose, equals: "0.145"', 18,
         "claim ages: no dose prints as 0.145, the nearest are 0.0 and 0.5"),
        ('equals: "50.0"', "equals: [[5]]", 17, "equals takes a plain word or number"),
        ('equals: "50.0"', "equals: {is: 5}", 17, "equals takes a plain word or number"),
        ("rows: {group: A}, equals", 'rows: {dose: "0.7"}, equals', 16,
         "claim n-a: 0.7 is not a step of dose, whose step is 0.5; the nearest are 0.5 and 1.0"),
        ("rows: {group: A}, equals", 'rows: {dose: "9.5"}, equals', 16,
         "claim n-a: dose is never 9.5; it is a number in steps of 0.5 from 0.0 to 9.0, or blank"),
        ("rows: {group: A}, equals", "rows: {age: [3, 130]}, equals", 16,
         "age is never 130; it is a whole number from 0"),
        ("{age: {at_least: 15}}", "{age: {at_least: 150}}", 12,
         "rule adults-marry: age is never at least 150; it is a whole number from 0 to 120"),
        # rows among which nobody can be
        ("rows: {group: A}, equals", "rows: {age: {at_least: 130}}, equals", 16,
         "claim n-a: age is never at least 130; it"),
        ("rows: {group: A}, equals", "rows: {age: {at_least: 5, at_most: 3}}, equals", 16,
         "claim n-a: no age is at least 5 and at most 3 at once; swap the limits, or write any_of for either"),
        ("rows: {group: A}, equals", "rows: {age: {above: 5, below: 6}}, equals", 16,
         "no age is above 5 and below 6 at once"),
        ("{any_of: [{group: B, married: true}, {age: {at_most: 5}}]}", "{any_of: [{group: B}, {age: {below: 0}}]}", 19,
         "claim few: age is never below 0; it is a whole number from 0 to 120"),
        ("rows: {group: A}, equals", "rows: {group: A, not: {group: [A, B]}}, equals", 16,
         "claim n-a: nobody can be among these rows (group A and not (group A or B)): two conditions exclude "
         "each other"),
        ("rows: {group: A}, equals",
         "rows: {group: A, any_of: [{group: B}, {married: yes, not: {married: yes}}]}, equals", 16,
         "claim n-a: nobody can be among these rows (group A and (group B or married yes and not (married yes)))"),
        ("rows: {group: A}, equals", "rows: {not: {}}, equals", 16,
         "claim n-a: nobody can be among these rows (not ())"),
        ("of: {married: yes}", "of: {married: yes, not: {married: yes}}", 17,
         "claim pct: nobody can be married yes and not (married yes): two conditions exclude each other"),
        ('range, of: age, equals: ["1", "40"]', 'mean, rows: {dose: ""}, of: dose, equals: "1"', 18,
         "claim ages: dose is always blank among these rows (dose blank)"),
        ("patients: 3", "patients: 0", 2, "patients: input should be greater than or equal to 1"),
        ("patients: 3", "patients: three", 2, "patients takes a whole number"),
        ('step: "0.5"', 'step: "1/3"', 7, "column dose holds numbers: give it a number as step"),
        ('step: "0.5"', 'step: "0"', 7, "column dose: the step is a number above 0"),
        ('step: "0.5"', 'step: "0.000000000000001"', 7, "column dose: more than 1000000000000 steps"),
        ("max: 120", 'max: 120, step: "0.5"', 6, "column age: the step is a number above 0, and 1 for an integer"),
        ("min: 0, max: 120", "min: 120, max: 0", 6, "column age: min 120 is above max 0; swap them"),
        ('min: "0", max: "9"', 'min: "0.1", max: "0.4"', 7, "column dose: no multiple of 0.5 lies between min and max"),
        ("max: 120", "max: 1e30", 6, "column age holds numbers: give it a number as max"),
        ("values: [A, B]", "values: [A, A]", 5, "column group is a category: list its different values"),
        ("values: [A, B]", "values: A", 5, "values takes a list, each entry after a dash"),
        (", values: [A, B]", "", 5, "column group is a category: list its different values"),
        # shapes
        ("{title: A toy report, doi: 10.0000/toy}", "a toy report", 1,
         "source takes keys and their values, as in {title: Blinatumomab in 28 children}"),
        ("{type: boolean}", "boolean", 8, "married takes keys and their values, as in {type: integer, min"),
        ("rows: {group: A}, equals", "rows: [group, A], equals", 16, "rows takes columns and values"),
        ("rows: {group: A}, equals", "rows: group A, equals", 16, "rows takes columns and values"),
        ("if: {married: true}", "if: married", 11, "if takes columns and values"),
        ('{id: ages, statistic: range, of: age, equals: ["1", "40"]}', "ages", 18,
         'claims takes keys and their values, as in {id: n, statistic: count, equals: "28"}'),
        # YAML itself
        ("type: boolean}", "type: boolean", 9, "not valid YAML"),
        ("  group: {", "\tgroup: {", 5, "not valid YAML (found character '\\t'"),
        ("readings:\n", "---\nreadings:\n", 20, "not valid YAML (but found another document)"),
        ("rounding: any", "? [rounding]\n: any", 3, "a key must be a plain word"),
        ("rows: {group: A}, of", "rows: &a {group: A}, of: *a, off", 17, "a YAML alias (*name) refers to this"),
        ("rows: {group: A}, of", "rows: &a {not: *a}, of", 17, "a YAML alias (*name) refers to this"),
        ("rows: {group: A}, of", "rows: " + "{not: " * 50 + "{}" + "}" * 50 + ", of", 17,
         "nested more than 40 levels deep"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_claims_file_is_one_line_that_says_where_and_what_to_write(document, old, new, line, said):
    text = message(document, changed((old, new)))
    assert text.startswith(f"toy.yaml, line {line}: ")
    assert said in text
    assert "\n" not in text
    assert len(text) < 200


@pytest.mark.parametrize(
    "text, said",
    [
        (
            "# nothing but a remark\n",
            "toy.yaml, line 1: the file takes keys and their values (source, patients, columns, claims)",
        ),
        ("- a\n- b\n", "toy.yaml, line 1: the file takes keys and their values (source, patients, columns, claims)"),
        ("just words", "toy.yaml, line 1: the file takes keys and their values (source, patients, columns, claims)"),
        ("a: \x00", "toy.yaml: not valid YAML (a character that YAML does not allow)"),
        ("a: " + "[" * 5000, "toy.yaml: nested more than 40 levels deep; write it flatter"),
    ],
)
def test_a_file_that_is_no_claims_file_is_said_to_be_none(document, text, said):
    assert message(document, text).startswith(said)


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("absent.yaml", None, "there is no claims file absent.yaml in the folder"),
        ("empty.yaml", b"", "empty.yaml is empty: it should be a claims file"),
        ("blank.yaml", b" \n\n", "blank.yaml is empty: it should be a claims file"),
        ("latin.yaml", TOY.replace("A toy", "Ein Märchen").encode("latin-1"), "latin.yaml is not UTF-8 text: save the"),
        ("", None, "is a folder, not a claims file: name the file in it"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError) as error:
        load_claims(tmp_path / name)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert str(tmp_path.parent) not in str(error.value)


def test_the_working_folder_itself_has_a_name_in_the_message():
    with pytest.raises(FileError, match=r"^\. is a folder, not a claims file"):
        load_claims(Path("."))


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path, document):
    path = tmp_path / "toy.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + TOY.replace("\n", "\r\n").encode())
    assert load_claims(path) == document(TOY)


def test_values_stay_as_typed():
    typed = parse_yaml("a: 4.00\nb: yes\nc: [010, 2023-01-01, ~]\nd:", "x")
    assert typed.content == {"a": "4.00", "b": "yes", "c": ["010", "2023-01-01", "~"], "d": ""}
    assert [typed.line(path) for path in ((), ("b",), ("c", 2), ("c", 7, "x"))] == [1, 2, 3, 3]


def test_without_a_reading_exactly_what_rests_on_it_is_dropped(document, report_claims):
    made = document(TOY)
    assert [claim.id for claim in made.without(["R2"]).claims] == ["n-a", "ages", "few"]
    assert made.without(["R2"]).rules == made.rules
    assert made.without(["R1"]).rules == ()
    assert made.without(["R1"]).claims == made.claims
    assert made.without([]) == made
    for reading in report_claims.readings:
        rest = report_claims.without([reading.id])
        for part in ("rules", "claims"):
            kept, dropped = (
                [item.id for item in getattr(report_claims, part) if (item.reading == reading.id) is rests]
                for rests in (False, True)
            )
            assert [item.id for item in getattr(rest, part)] == kept
            assert not set(dropped) & set(kept)


def test_an_unknown_reading_is_named_with_those_that_there_are(document):
    with pytest.raises(FileError, match="there is no reading R3; the readings are R1, R2"):
        document(TOY).without(["R1", "R3"])


@pytest.mark.parametrize(
    "old, new",
    [
        ("rows: {group: A}, equals", "rows: {age: {at_least: 130}}, equals"),
        ("rows: {group: A}, equals", "rows: {not: {}}, equals"),
        ('equals: ["1", "40"]', 'equals: ["1.3", "40"]'),
        ('equals: "50.0"', 'equals: "150.0"'),
    ],
)
def test_what_can_hardly_be_meant_may_still_be_judged_if_asked_for(old, new):
    assert compile_document(parse_yaml(changed((old, new)), "toy.yaml"), strict=False).patients == 3


@pytest.mark.parametrize(
    "old, new",
    [
        ("rows: {group: A}, equals", "rows: {age: {at_most: 500}}, equals"),  # everybody, which is no mistake
        ("rows: {group: A}, equals", 'rows: {dose: {above: "0.2", below: "0.7"}}, equals'),  # limits between two steps
        ("rows: {group: A}, equals", "rows: {any_of: [{group: A}, {not: {group: A}}]}, equals"),
        ("rows: {group: A}, equals", "rows: {not: {age: {at_least: 18}}, age: {above: 16}}, equals"),  # 17
        ('equals: ["1", "40"]', 'equals: ["1.0", "40.00"]'),
        ('range, of: age, equals: ["1", "40"]', 'max, of: dose, equals: "1"'),  # 0.5 rounded up, 1.0, or 1.5 cut off
        ('range, of: age, equals: ["1", "40"]', 'median, of: age, equals: "12.3"'),  # contradictory, not mistyped
        ('range, of: age, equals: ["1", "40"]', 'mean, of: age, equals: "125"'),
        ('equals: "2"', 'equals: "9"'),  # more than there are: for the solver to say
        ('equals: "2"', 'equals: "2.0"'),
    ],
)
def test_what_may_be_meant_is_left_to_the_check_and_the_solver(document, old, new):
    assert document(changed((old, new))).patients == 3


def test_a_question_is_worded_and_refused_as_a_claim_is(document):
    made = document(TOY)
    assert made.question("sd", of="age").words == "sd of age: all patients"
    assert made.question("sd", {"group": "A"}, "age", "n").words == "sd (denominator n) of age: group A"
    assert made.question("sd", of="age") == made.question("sd", of="age", denominator="n-1")
    assert made.question("sd", of="age") != made.question("sd", of="age", denominator="n")
    for asked, said in (
        (("sd", {}, "age", "n-2"), "denominator: write the denominator of sd as n-1 or n"),
        (("mean", {}, "age", "n"), "denominator: mean has no denominator to choose, only sd has; remove it"),
        (("median", {}, "agee"), "of: median needs of: a number column (age, dose); did you mean age?"),
        (("count", {"grup": "A"}), "rows: there is no column grup; the columns are group, age, dose, married; did you"),
    ):
        with pytest.raises(FileError) as error:
            made.question(*asked)
        assert str(error.value).startswith(said)


# The rounding mode is one for the whole document.

HALVES = """\
source: {title: toy}
patients: 2
rounding: MODE
columns:
  age: {type: integer, min: 0, max: 9}
claims:
  - {id: up, statistic: mean, of: age, equals: "3"}
  - {id: down, statistic: percent, rows: {age: {at_least: 0}}, of: {age: "3"}, equals: "50"}
"""


def ages(document, mode: str, claims: str, ages: str, tmp_path) -> object:
    path = tmp_path / "ages.csv"
    path.write_text("age\n" + ages.replace(" ", "\n"))
    made = document(HALVES.replace("MODE", mode).split("claims:")[0] + "claims:\n" + claims)
    return check(made, read_for_claims(path, made))


def test_any_rounding_is_one_mode_for_the_whole_document(document, tmp_path):
    up = '  - {id: up, statistic: mean, of: age, equals: "3"}\n'  # 2.5 under half_up
    down = '  - {id: down, statistic: median, of: age, equals: "2"}\n'  # 2.5 under half_even and half_down
    again = '  - {id: again, statistic: median, rows: {age: {above: 0}}, of: age, equals: "2"}\n'
    for claims, surviving in ((up, ("half_up",)), (down, ("half_even", "half_down"))):
        alone = ages(document, "any", claims, "2 3", tmp_path)
        assert (alone.holds, alone.surviving) == (True, surviving)
    both = ages(document, "any", up + down, "2 3", tmp_path)
    assert (both.holds, both.surviving, both.rounding) == (False, (), "half_up")
    assert [(v.id, v.holds, v.recomputed) for v in both.claims] == [("up", True, "3"), ("down", False, "3")]
    most = ages(document, "any", up + down + again, "2 3", tmp_path)  # judged by the mode under which fewest fail
    assert most.rounding == "half_even"
    assert [v.id for v in most.claims if not v.holds] == ["up"]


@pytest.mark.parametrize(
    "mode, printed, holds",
    [("half_up", "3", True), ("half_even", "3", False), ("half_down", "2", True), ("truncate", "2", True),
     ("truncate", "3", False), ("half_up", "2.5", True)],
)  # fmt: skip
def test_a_stated_rounding_is_the_only_one(document, tmp_path, mode, printed, holds):
    claim = f'  - {{id: a, statistic: mean, of: age, equals: "{printed}"}}\n'
    checked = ages(document, mode, claim, "2 3", tmp_path)
    assert (checked.holds, checked.rounding, checked.surviving) == (holds, mode, (mode,) if holds else ())


def test_a_statistic_of_nobody_does_not_hold(document, tmp_path):
    claim = '  - {id: a, statistic: mean, rows: {age: {above: 8}}, of: age, at_most: "9"}\n'
    (verdict,) = ages(document, "any", claim, "2 3", tmp_path).claims
    assert (verdict.holds, verdict.recomputed) == (False, "nobody to compute it of")


def test_the_number_of_patients_is_checked(document, tmp_path):
    checked = ages(document, "any", '  - {id: a, statistic: min, of: age, equals: "2"}\n', "2 3 4", tmp_path)
    assert [(v.id, v.printed, v.recomputed) for v in checked.verdicts if not v.holds] == [("patients", "2", "3")]


# The report's own claims file.


@pytest.fixture(scope="module")
def said(report_folder) -> dict:
    return yaml.load((report_folder / "claims.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def test_the_reports_columns_are_those_of_every_line_list_but_narrower(report_claims):
    needed = [column for column in COLUMNS if column.type != "identifier" and not column.optional]
    assert [*report_claims.columns] == [column.name for column in needed]
    for column in needed:
        own = report_claims.columns[column.name]
        assert (own.type, own.unit, own.blank) == (column.type, column.unit, column.blank), column.name
        assert own.words.items() <= column.words.items()  # the same words, with the same codes
        assert (own.size / column.size).denominator == 1  # every value of the report is one of any line list
        if column.is_number:
            assert column.lowest * column.size <= own.lowest * own.size
            assert own.highest * own.size <= column.highest * column.size


def narrowed(part, columns):
    """A predicate on any line list's columns as one on narrower ones: words and limits that these lack are gone."""
    if isinstance(part, list):
        return [narrowed(inner, columns) for inner in part]
    result = {}
    for name, value in part.items():
        if name == "any_of":
            value = narrowed(value, columns)
        elif isinstance(value, list):
            value = [word for word in value if word in columns[name].words]
            value = value[0] if len(value) == 1 else value
        elif isinstance(value, dict):
            value = {"at_least": columns[name].min if value["at_least"] == WIDEST[name] else value["at_least"]}
        result[name] = value
    return result


WIDEST = {column.name: column.min for column in COLUMNS}


def test_the_reports_first_rules_are_those_of_every_line_list(said, report_claims):
    """But for two: that RT-PCR followed BCR::ABL1 alone is a reading of this report; a ward may follow any gene."""
    common = [rule for rule in RULES if rule.columns <= report_claims.columns.keys()]
    first = said["rules"][: len(common) + 2]
    readings = {"pcr-before-needs-fusion": "R1", "pcr-after-needs-fusion": "R1"}
    assert {rule["id"]: rule["reading"] for rule in first if "reading" in rule} == readings
    assert len(common) == 8
    assert [(r["id"], r["if"], r["then"]) for r in first if r["id"] not in readings] == [
        (r.id, narrowed(r.when, report_claims.columns), narrowed(r.then, report_claims.columns)) for r in common
    ]


DOCUMENTARY: set[str] = set()  # readings on which no rule and no claim rests, if there were any


def test_a_rule_or_claim_rests_on_each_reading(report_claims):
    used = {item.reading for item in (*report_claims.rules, *report_claims.claims)} - {None}
    assert used | DOCUMENTARY == {reading.id for reading in report_claims.readings}
    assert not used & DOCUMENTARY


def test_each_claim_of_the_report_says_where_it_stands(report_claims):
    printed = [claim for claim in report_claims.claims if claim.equals]  # others are limits that its words imply
    assert len(printed) >= 59
    assert all(re.fullmatch(r"(Methods|Results), \d+", claim.where) for claim in printed)
