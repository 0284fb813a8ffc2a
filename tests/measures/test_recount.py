"""Every number of made-up wards is what a count of their rows gives, whatever is not recorded.

`python tests/measures/test_recount.py 1000` compares as many wards and prints what it found.
"""

import sys
from itertools import product
from pathlib import Path

if __name__ == "__main__":
    import conftest  # noqa: F401

import pytest
from recount import Expected, Ward, a_ward, counted, report_of, sums
from tables import make

from blina.linelist.cohort import Cohort, Group
from blina.linelist.columns import COLUMNS

WARDS = 30
PERMUTATIONS = "burden test"  # p of ranks, which test_intervals recounts
MISSING = frozenset(column.name for column in COLUMNS if column.name not in ("patient_id", "group"))


def study_of(ward: Ward):
    """The rows of a ward as a study of its patients."""
    groups = []
    for name, (purpose, reported_rule) in ward.groups.items():
        groups.append(Group(name=name, label=name, purpose=purpose, reported_rule=reported_rule))
    cohort = Cohort(
        name="ward",
        folder=Path("ward"),
        title="invented",
        groups=tuple(groups),
        groups_stated=True,
        missing_allowed=MISSING,
    )
    return make(ward.rows, cohort)


def ends(span) -> tuple | None:
    return None if span.lower is None else (span.lower, span.upper)


def as_expected(result) -> Expected:
    """A result in the form of what is expected of it."""
    here = result.here
    return Expected(
        value=result.value,
        k=here.k,
        n=here.n,
        span=ends(result.spans.value),
        k_span=ends(result.spans.k),
        n_span=ends(result.spans.n),
        not_recorded=here.not_recorded,
        not_assessed=here.not_assessed,
        stated=here.stated,
    )


def differences(ward: Ward) -> tuple[int, list]:
    """How many numbers of a ward were compared; those that differ, as (key, found, expected)."""
    found = {}
    for result in study_of(ward).results:
        if result.measure.topic != PERMUTATIONS:
            found[result.measure.key] = as_expected(result)
    expected = report_of(ward)
    differing = []
    for key in sorted({*found, *expected}):
        if found.get(key) != expected.get(key):
            differing.append((key, found.get(key), expected.get(key)))
    return len({*found, *expected}), differing


@pytest.mark.parametrize("number", range(WARDS))
def test_every_number_of_a_ward_is_what_a_count_of_its_rows_gives(number, record_property):
    compared, differing = differences(a_ward(number))
    assert differing == []
    record_property("total numbers counted once more", compared)


@pytest.mark.parametrize("number", range(5))
def test_sums_of_fates_are_those_of_every_choice_of_one_fate_for_each_patient(number):
    each = [{True, False}, {None, True}, {False}, {True, None, False}, {None}][number:]
    literal = set()
    for fates in product(*each):
        inside = [fate for fate in fates if fate is not None]
        literal.add((sum(inside), len(inside)))
    assert sums(each) == literal


def test_the_recount_notices_a_patient_more():
    ward = a_ward(3)
    some = counted(ward.rows, ["sex"], lambda row: row["sex"] == "male")
    more = counted([*ward.rows, {"sex": "male"}], ["sex"], lambda row: row["sex"] == "male")
    assert (more.k, more.n) == (some.k + 1, some.n + 1)


def main(wards: int) -> int:
    """Compare so many wards and print what was found; 1 if a number differs."""
    compared, differing = 0, []
    for number in range(wards):
        many, wrong = differences(a_ward(number))
        compared += many
        differing += [(number, *one) for one in wrong]
    for one in differing[:20]:
        print(*one, sep="\n  ")
    print(f"{wards} wards, {compared} numbers compared, {len(differing)} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else WARDS))
