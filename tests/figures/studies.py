"""Studies of several shapes to draw: the report's toy, wards, and some whose views say what no report says yet."""

from dataclasses import replace

import numpy as np
import tables
from tables import report

from blina.analysis.study import Study, View
from blina.linelist.cohort import NEVER_MISSING, Group
from blina.linelist.columns import COLUMNS
from blina.linelist.parse import parse_cell

__all__ = ["report"]


def described(cohort, **how):
    """A cohort described otherwise; what it has worked out of its old description is left behind."""
    other = cohort.model_copy(update=how)
    for name in ("declared", "every_rule"):
        other.__dict__.pop(name, None)
    return other


def real(study, **how):
    """The same patients, as those of a hospital, of whom anything may be missing."""
    missing = frozenset(column.name for column in COLUMNS) - {*NEVER_MISSING}
    cohort = described(study.cohort, reconstructed=False, missing_allowed=missing, **how)
    columns = {column.name: column for column in cohort.declared if column.name in study.table.columns}
    return Study(replace(study.table, columns=columns), cohort)


def changed(study, **cells):
    """The same patients with other cells: by column one text for all, or a text by place."""
    codes, blank = {**study.table.codes}, {**study.table.blank}
    for name, texts in cells.items():
        column = study.table.columns[name]
        codes[name], blank[name] = codes[name].copy(), blank[name].copy()
        if isinstance(texts, str):
            texts = dict.fromkeys(range(len(study.table)), texts)
        for place, text in texts.items():
            code, advice = parse_cell(column, text)
            assert advice is None, (name, text, advice)
            codes[name][place], blank[name][place] = code or 0, code is None
    table = replace(study.table, codes=codes, blank=blank)
    return Study(table, study.cohort, study.known)


def copies(study, n):
    """Each patient so many times, as real patients."""
    ids = tuple(f"{copy:02}{patient}" for copy in range(n) for patient in study.table.ids)
    ward = real(study)
    return tables.picked(ward, ward.cohort, [*range(len(study.table))] * n, ids)


def one_group(report):
    """Group RR alone."""
    cohort = described(report.cohort, groups=(report.cohort.group("RR"),))
    places = [*np.flatnonzero(report.patients["group"] == "RR")]
    ids = tuple(report.table.ids[place] for place in places)
    rows = tables.picked(report, report.cohort, places, ids)
    return tables.regrouped(rows, cohort)


def six_groups(report):
    """Six groups, one without patients and one whose name the font cannot write."""
    more = (
        Group(name="late", label="after transplantation"),
        Group(name="第二组", label="第二组", purpose="clearance"),
        Group(name="A + B", label="two protocols", purpose="clearance", reported_rule="pcr"),
    )
    cohort = described(report.cohort, groups=(*report.cohort.groups, *more))
    groups = dict.fromkeys(range(6), "late") | dict.fromkeys(range(6, 9), "A + B")
    return tables.regrouped(report, cohort, groups)


def no_events(report):
    nothing = {"fever_cycle1": "no", "crs_grade": "0", "icans_grade": "0", "icans_day": ""}
    return changed(report, stop_reason="completed", **nothing)


def many_patients(report):
    """168 real patients with a limit of detection: each of the 28 six times."""
    study = copies(report, 6)
    return real(study, limit_of_detection_percent=0.005)


SHAPES = {
    "report": lambda report: report,
    "one group": one_group,
    "six groups": six_groups,
    "no events": no_events,
    "many patients": many_patients,
}


def with_table(study, **views):
    """The same study, of which views (by name) have other tables, as no report has them yet."""
    other = Study(study.table, study.cohort, study.known)
    for name, table in views.items():
        view = View(table, None)
        setattr(other, name, lambda *_, view=view: view)
    return other
