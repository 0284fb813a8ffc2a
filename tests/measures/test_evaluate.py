"""Who meets a condition for sure and who possibly does, whatever the cells not recorded would say."""

import pytest
from tables import changed


@pytest.fixture(scope="module")
def patients(report):
    """Of P01 the sex, of P02 how cycle 1 ended is not recorded; of P03 FC after was not done."""
    lacking = {("P01", "sex"): "", ("P02", "stop_reason"): "", ("P03", "fc_after"): "not_done"}
    return changed(report, lacking).counted


def who(patients, rows):
    """(surely, possibly) of the first three patients, as + and -."""
    sure, possible = patients.possible(rows)
    return tuple("".join("+" if is_so else "-" for is_so in each[:3]) for each in (sure, possible))


@pytest.mark.parametrize(
    ("rows", "sure", "possible"),
    [
        ({"sex": "male"}, "--+", "+-+"),
        ({"not": {"sex": "male"}}, "-+-", "++-"),
        ({"not": {"stop_reason": "completed"}}, "---", "-+-"),
        ({"fc_after": "negative"}, "++-", "+++"),
        ({"not": {"fc_after": "negative"}}, "---", "--+"),
        ({"any_of": [{"sex": "male"}, {"stop_reason": "completed"}]}, "+-+", "+++"),
        ({"sex": "male", "stop_reason": "completed"}, "--+", "+-+"),
        ({"sex": ""}, "+--", "+--"),
        ({}, "+++", "+++"),
    ],
)
def test_what_is_not_recorded_may_be_anything(patients, rows, sure, possible):
    assert who(patients, rows) == (sure, possible)


def test_by_what_is_recorded_a_blank_meets_no_condition_but_that_of_being_blank(patients):
    first = patients.table.ids.index("P01")
    assert not patients.holding({"sex": ["male", "female"]})[first]
    assert patients.holding({"sex": ""})[first]
    assert patients.holding({"not": {"sex": "male"}})[first]


def test_a_blank_that_says_that_there_was_nothing_is_known(patients):
    # Without ICANS there is no day on which it began.
    assert who(patients, {"icans_day": {"at_least": "1"}}) == ("---", "---")
