"""`blina consistent`: whether the report's numbers fit together, and what it says where they do not."""

import json
import re

import pytest
from click.testing import CliRunner

from blina.claims import consistent as consistency
from blina.claims.check import check
from blina.claims.consistent import Repair, consistent
from blina.cli import main


def test_the_report_is_consistent_however_halves_are_rounded_but_not_if_digits_are_cut(report_claims):
    found = consistent(report_claims)
    assert found.status == "consistent"
    assert found.rounding == {
        "half_up": "consistent", "half_even": "consistent", "half_down": "consistent", "truncate": "contradictory"
    }  # fmt: skip
    assert check(report_claims, found.world).holds


@pytest.fixture(scope="module")
def misprinted(report_folder, document):
    """The report's document with one printed number changed."""
    text = (report_folder / "claims.yaml").read_text(encoding="utf-8")

    def change(claim: str, printed: str, misprint: str):
        pattern = rf'(id: {claim}, .*?equals: .*?)"{re.escape(printed)}"'
        changed, times = re.subn(pattern, rf'\g<1>"{misprint}"', text, count=1)
        assert times == 1
        return document(changed)

    return change


MISPRINTS = [  # claim, printed, misprint, a conflict found, the changes that would mend it
    ("mc-fever", "9", "19", ("n-mc", "mc-fever"), {("mc-fever", "9")}),
    ("mc-negative-pct", "72.2", "72.3", ("mc-negative-pct",), {("mc-negative-pct", "72.2")}),
    ("boys", "16", "15", ("boys", "girls"), {("boys", "16"), ("girls", "13")}),
    ("rr-negative", "4", "5", ("rr-negative", "rr-negative-pct"), {("rr-negative", "4")}),
    ("age-median", "11.0", "17.0", ("age-range", "age-median"), {("age-median", "16.4"), ("age-range", "17.0")}),
    ("mc-mrd-median", "0.145", "0.014", ("mc-mrd-median",), {("mc-mrd-median", "0.015")}),
    ("rr-mrd-median", "8.37", "8.38", ("rr-mrd-median", "rr-negative", "rr-negative-mrd"),
     {("rr-mrd-median", "8.37"), ("rr-negative-mrd", "8.38")}),
    ("fusion-mc", "6", "4", ("fusion-mc", "mc-pcr-positive"), {("fusion-mc", "5")}),
    ("more-cycles", "7", "29", ("more-cycles",), {("more-cycles", "25")}),
    ("rr-failed-pct", "42.9", "42.8", ("rr-failed-pct",), {("rr-failed-pct", "42.9")}),
    ("n-ic", "3", "4", ("n-ic", "ic-fever-of"), {("n-ic", "3")}),
    ("interval-ic-median", "1.4", "1.0", ("interval-ic-median", "interval-ic-range"),
     {("interval-ic-median", "1.1"), ("interval-ic-range", "1.0")}),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "printed", "misprint", "conflict", "mended"), MISPRINTS, ids=lambda value: None)
def test_a_misprint_is_found_with_a_minimal_conflict_and_what_would_mend_it(
    misprinted, claim, printed, misprint, conflict, mended
):
    document = misprinted(claim, printed, misprint)
    found = consistent(document)
    assert found.status == "contradictory" and {found.rounding[mode] for mode in document.modes} == {"contradictory"}
    # Which number says how large the group is (7, printed four times) is a matter of choice.
    assert any(set(conflict) <= set(one) and len(one) <= len(conflict) + 1 for one in found.conflicts)
    assert {(repair.claim, repair.instead) for repair in found.repairs} == mended


@pytest.mark.parametrize(
    ("claim", "printed", "changed"),
    [
        ("age-median", "11.0", "10.9"),  # any median between the ends of the range can be had with 28 children
        ("fusion-mc", "6", "7"),  # one more carrier could have become negative by RT-PCR as well
    ],
)
def test_a_change_that_no_other_number_speaks_of_goes_unseen(misprinted, claim, printed, changed):
    assert consistent(misprinted(claim, printed, changed)).status == "consistent"


def test_without_a_reading_what_rests_on_it_contradicts_nothing(misprinted):
    document = misprinted("more-cycles", "7", "26")
    assert consistent(document).status == "contradictory"  # the 3 of IC can have had none
    assert consistent(document.without(["R8"])).status == "consistent"


def test_a_contradiction_needs_the_word_of_both_solvers(misprinted, monkeypatch):
    monkeypatch.setattr(consistency, "confirms_impossible", lambda *args: False)
    found = consistent(misprinted("boys", "16", "15"))
    assert (found.status, found.conflicts) == ("unknown", ())


def test_a_conflict_that_the_second_solver_does_not_confirm_is_not_listed(misprinted, monkeypatch):
    document = misprinted("boys", "16", "15")
    real = consistency.confirms_impossible
    few = 50  # the program of two claims has far fewer unknowns, that of all claims far more
    monkeypatch.setattr(
        consistency, "confirms_impossible", lambda program, *rest: len(program.lows) > few and real(program, *rest)
    )
    found = consistent(document)
    assert (found.status, found.conflicts, found.all_conflicts, found.repairs) == ("contradictory", (), False, ())


def test_a_time_limit_gives_unknown(report_claims):
    assert consistent(report_claims, limit=0).status == "unknown"


def test_claims_that_say_the_same_stand_for_one_another_in_conflicts(document):
    toy = document(
        "source: {title: toy}\npatients: 5\ncolumns: {x: {type: boolean}}\nclaims:\n"
        "  - {id: yes, statistic: count, rows: {x: yes}, equals: '2'}\n"
        "  - {id: again, statistic: count, rows: {x: yes}, equals: '2'}\n"
        "  - {id: no, statistic: count, rows: {x: no}, equals: '4'}\n"
    )
    found = consistent(toy)
    assert set(found.conflicts) == {("yes", "no"), ("again", "no")} and found.all_conflicts
    assert found.repairs == (Repair("no", "4", "3"),)


def test_a_contradiction_beside_an_sd_that_is_too_wide_for_the_second_solver_is_found(document):
    toy = document(
        "source: {title: toy}\npatients: 6\ncolumns: {plt: {type: integer, min: 0, max: 3000}, bled: {type: boolean}}\n"
        "claims:\n  - {id: sd, statistic: sd, of: plt, equals: '812.5'}\n"
        "  - {id: bled, statistic: percent, of: {bled: yes}, equals: '20.7'}\n"
    )
    found = consistent(toy)
    assert (found.status, found.conflicts) == ("contradictory", (("bled",),))


def test_rules_that_contradict_each_other_are_a_conflict_without_claims(document):
    toy = document(
        "source: {title: toy}\npatients: 1\ncolumns: {x: {type: boolean}}\nrules:\n"
        "  - {id: r1, if: {x: yes}, then: {x: no}, why: toy}\n  - {id: r2, if: {x: no}, then: {x: yes}, why: toy}\n"
    )
    found = consistent(toy)
    assert (found.status, found.conflicts, found.repairs) == ("contradictory", ((),), ())
    assert consistency.rules_of(toy, ()) == ("r1", "r2")


# The command


def ask(*arguments) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["consistent", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def test_the_command_says_that_the_report_is_consistent():
    code, said, _ = ask("--json")
    assert code == 0
    found = json.loads(said)
    assert (found["status"], found["conflicts"], found["rounding"]["truncate"]) == ("consistent", [], "contradictory")


def test_the_command_shows_where_each_claim_of_a_conflict_stands(tmp_path, report_folder):
    text = (report_folder / "claims.yaml").read_text(encoding="utf-8")
    claims = tmp_path / "claims.yaml"
    claims.write_text(
        text.replace('rows: {sex: male}, equals: "16"', 'rows: {sex: male}, equals: "15"'), encoding="utf-8"
    )
    code, said, told = ask("--claims", claims)
    assert (code, told) == (1, "")
    assert "  boys (Results, 1): count: sex male: 15" in said and "  girls (Results, 1): count: sex female: 12" in said
    assert "one change would do: boys (Results, 1), 16 in place of 15" in said
    assert "It does not say which is wrong, or why." in said
    code, said, _ = ask("--claims", claims, "--json")
    assert code == 1 and json.loads(said)["conflicts"] == [["boys", "girls"]]


def test_a_claims_file_that_cannot_be_read_is_bad_input(tmp_path):
    assert ask("--claims", tmp_path / "none.yaml")[0] == 2
