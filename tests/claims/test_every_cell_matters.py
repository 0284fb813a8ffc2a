"""Change one cell of the report's line list at a time: `check` must name exactly what that breaks."""

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from blina.claims.check import check
from blina.cli import main
from blina.linelist.parse import parse_cell

COLUMNS = (
    "group", "sex", "age_years", "bcr_abl1", "intolerance_reason", "months_from_diagnosis", "infusion_days",
    "stop_reason", "extra_cycles", "mrd_before_percent", "fc_before", "fc_after", "pcr_before", "pcr_after",
    "fever_cycle1", "crs_grade", "icans_grade", "icans_day",
)  # fmt: skip


def test_every_column_of_the_claims_is_changed_below(report_claims):
    assert tuple(report_claims.columns) == COLUMNS


def test_the_shipped_line_list_breaks_nothing(report_claims, report_table, report_rows, second_opinion):
    checked = check(report_claims, report_table)
    assert checked.holds
    assert checked.surviving == ("half_up", "half_even", "half_down")
    assert not any(broken for _, broken in second_opinion.judge(report_rows).values())
    assert not second_opinion.broken_rules(report_rows)


def assert_agree(checked, rows, second_opinion):
    """Both name the same claims and rules, print the same values and leave the same rounding modes."""
    opinions = second_opinion.judge(rows)
    fewest = min(len(broken) for _, broken in opinions.values())
    came_to, broken = opinions[checked.rounding]
    assert len(broken) == fewest
    named = {kind: {v.id for v in checked.verdicts if v.kind == kind and not v.holds} for kind in ("claim", "rule")}
    assert named == {"claim": broken, "rule": second_opinion.broken_rules(rows)}
    assert checked.surviving == tuple(mode for mode, (_, failing) in opinions.items() if not failing)
    for verdict in checked.claims:
        if came_to[verdict.id] and "at " not in verdict.printed:
            assert verdict.recomputed == came_to[verdict.id], verdict.id
    return bool(named["claim"] or named["rule"])


@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_cell_is_named_by_all_that_it_breaks(
    column, report_claims, report_table, report_rows, second_opinion, record_property
):
    tried = breaking = 0
    for index, row in enumerate(report_rows):
        for text in second_opinion.other_values(column, row[column]):
            code, advice = parse_cell(report_claims.columns[column], text)
            assert advice is None
            codes, blank = report_table.codes[column].copy(), report_table.blank[column].copy()
            codes[index], blank[index] = code or 0, code is None
            changed = replace(
                report_table,
                codes={**report_table.codes, column: codes},
                blank={**report_table.blank, column: blank},
            )
            rows = [*report_rows[:index], {**row, column: text}, *report_rows[index + 1 :]]
            breaking += assert_agree(check(report_claims, changed), rows, second_opinion)
            tried += 1
    assert tried >= 28
    assert breaking > 0
    record_property("total line list cells changed, one at a time", tried)
    record_property("total of these changes that break a claim or rule", breaking)


@pytest.mark.parametrize("missing", [0, 17, 27])
def test_a_patient_left_out_is_named_by_all_that_it_breaks(
    missing, report_claims, report_table, report_rows, second_opinion
):
    kept = np.arange(28) != missing
    changed = replace(
        report_table,
        codes={name: codes[kept] for name, codes in report_table.codes.items()},
        blank={name: blank[kept] for name, blank in report_table.blank.items()},
        ids=tuple(np.array(report_table.ids)[kept]),
    )
    rows = [row for row, stays in zip(report_rows, kept, strict=True) if stays]
    assert assert_agree(check(report_claims, changed), rows, second_opinion)


@pytest.mark.parametrize(
    "patient, column, text",
    [("P06", "sex", "male"), ("P16", "mrd_before_percent", "0.01"), ("P23", "pcr_after", "negative"),
     ("P09", "infusion_days", "14"), ("P19", "intolerance_reason", "pancreatitis"), ("P10", "extra_cycles", "0")],
)  # fmt: skip
def test_the_command_names_what_a_changed_cell_breaks(
    patient, column, text, line_list, report_folder, report_rows, second_opinion
):
    claims_file = str(report_folder / "claims.yaml")
    path = line_list({(patient, column): text})
    done = CliRunner().invoke(main, ["check", str(path), "--claims", claims_file, "--json"])
    said = json.loads(done.stdout)
    rows = [{**row, column: text} if row["patient_id"] == patient else row for row in report_rows]
    expected = second_opinion.judge(rows)[said["rounding"]][1] | second_opinion.broken_rules(rows)
    assert {verdict["id"] for verdict in said["verdicts"] if not verdict["holds"]} == expected
    assert (done.exit_code, done.stderr) == (1 if expected else 0, "")
