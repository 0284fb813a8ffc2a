"""What notebook 01 says of a line list: what a cell may hold, what was read, what is blank and what stands out."""

from __future__ import annotations

import pandas as pd
from IPython.display import Markdown

from blina.analysis.study import Study
from blina.linelist.cohort import Cohort
from blina.linelist.explain import changes_table, problems_table
from blina.linelist.intake import Intake
from blina.linelist.table import Table
from blina.linelist.validate import rules_that_apply
from blina.notebook import Shown, show


def dictionary_table(cohort: Cohort) -> Shown:
    """What a cell of each column may hold."""
    rows = []
    for column in cohort.declared:
        rows.append({"column": column.name, "allowed": column.allowed, "meaning": column.meaning})
    return show(pd.DataFrame(rows))


def rules_table(cohort: Cohort, table: Table) -> Shown:
    """What must hold of every patient across columns."""
    rules = rules_that_apply(cohort.rules, table.columns)
    return show(pd.DataFrame([{"rule": one.id, "every patient": one.why} for one in rules]))


def checked_text(table: Table, cohort: Cohort) -> Markdown:
    """How many cells and rules were checked, and in which columns values may be missing."""
    rules = rules_that_apply(cohort.rules, table.columns)
    lacking = ", ".join(sorted(cohort.missing_allowed))
    exempt = f"; values may be missing in {lacking}" if lacking else ""
    columns = 1 + len(table.columns)
    return Markdown(
        f"{len(table)} rows, {columns} columns: all {len(table) * columns} cells are of the declared "
        f"kind and all {len(rules)} rules hold in every row{exempt}."
    )


def changes(intake: Intake) -> Shown | Markdown:
    """What reading changed, with its place in the file; one sentence where nothing was."""
    if not intake.changes:
        return Markdown("Nothing was changed: every cell was read as it stands.")
    return show(changes_table(intake.changes))


def aside_text(intake: Intake) -> Markdown:
    """Headers that were taken for a column, columns that were not used, and values on a threshold."""
    listed = {
        "Headers, and the columns that they were taken for": [
            f"{header} ({letter}): {name}" for letter, header, name in intake.understood
        ],
        "Columns that were not used": [f"{header} ({letter})" for letter, header in intake.set_aside],
        "Values exactly on a threshold": [f"{name} {n}" for name, n in intake.boundary.items()],
    }
    sentences = [f"{what}: {'; '.join(found) or 'none'}." for what, found in listed.items()]
    return Markdown(" ".join(sentences))


def blanks_table(table: Table) -> Shown:
    """How many cells of each column are blank, where any are."""
    rows = []
    for name, blank in table.blank.items():
        rows.append({"column": name, "filled": int((~blank).sum()), "blank": int(blank.sum())})
    counted = pd.DataFrame(rows)
    return show(counted[counted["blank"] > 0])


def without_value_text(study: Study) -> Markdown:
    """How many patients were MRD positive before without a value on record."""
    positive = study.mrd[study.mrd["time"].eq("before") & study.mrd["status"].eq("positive")]
    valued = positive.groupby("patient_id")["value_percent"].count()
    return Markdown(
        "A blank MRD value before treatment means *not detected*, except in "
        f"{int((valued == 0).sum())} patients who were positive without a value on record."
    )


def spans_table(study: Study) -> Shown:
    """Least and greatest value of each number."""
    numbers = study.patients.set_index("patient_id").select_dtypes("number")
    before = study.mrd[study.mrd["time"] == "before"]
    numbers["mrd_before_percent"] = before.groupby("patient_id")["value_percent"].first()
    spans = numbers.agg(["count", "min", "max"]).T.rename_axis("number").reset_index()
    return show(spans.assign(count=spans["count"].astype(int)))


def odd_table(intake: Intake) -> Shown | Markdown:
    """What can be, but is more often a slip; one sentence where nothing is."""
    if not intake.warnings:
        return Markdown("Nothing odd was found.")
    return show(problems_table(intake.warnings))


def written_table(study: Study) -> Shown:
    """The tidy tables, and how large each is."""
    rows = []
    for name, table in study.tidy.tables():
        rows.append({"table": name, "rows": len(table), "columns": len(table.columns)})
    return show(pd.DataFrame(rows))
