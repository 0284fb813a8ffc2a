"""Response rules, evaluable sets and events, chosen by name."""

import pytest

from blina.linelist.cohort import Group
from blina.measures.choices import CRS, EVALUABLE_SETS, ICANS, choice, event, rule_of


def test_a_group_has_the_rule_behind_its_printed_rate_and_else_fc():
    assert rule_of(Group(name="A", label="a", reported_rule="pcr")) == "pcr"
    assert rule_of(Group(name="A", label="a")) == "fc"
    assert rule_of(Group(name="A", label="a", reported_rule="pcr"), "fc") == "fc"


def test_sets_and_events_are_chosen_by_name():
    assert choice(EVALUABLE_SETS, "all_treated").label == "all treated"
    assert event(CRS).column == "crs_grade"


def test_a_name_that_is_none_is_answered_with_those_there_are():
    with pytest.raises(ValueError, match="no flow among fc, pcr, fc_and_pcr"):
        rule_of(Group(name="A", label="a"), "flow")
    with pytest.raises(ValueError, match="no rate was reported for A"):
        rule_of(Group(name="A", label="a"), "reported")
    with pytest.raises(ValueError, match="no event rash among fever, CRS, ICANS"):
        event("rash")
    with pytest.raises(ValueError, match="no by_moonlight among all_treated"):
        choice(EVALUABLE_SETS, "by_moonlight")


def test_icans_that_began_on_a_day_has_occurred_where_its_grade_may_be_blank():
    assert event(ICANS).occurred(set()) == {"icans_grade": {"at_least": "1"}}
    assert {"icans_day": {"at_least": "1"}} in event(ICANS).occurred({"icans_grade"})["any_of"]
    assert event(CRS).occurred({"crs_grade"}) == {"crs_grade": {"at_least": "1"}}
