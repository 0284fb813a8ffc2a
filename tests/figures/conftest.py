"""Cohorts of several shapes, and the six figures of each."""

import importlib.util
import sys
from pathlib import Path

import matplotlib.text
import pandas as pd
import pytest

from blina.linelist.cohort import Group

# Test folders are no packages (import mode importlib), so the shared tables are loaded by path.
if "tables" not in sys.modules:
    _path = Path(__file__).parents[1] / "analysis" / "tables.py"
    _spec = importlib.util.spec_from_file_location("tables", _path)
    sys.modules["tables"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["tables"])
tables = sys.modules["tables"]


def _with_groups(report, groups):
    return report.cohort.model_copy(update={"groups": tuple(groups)})


def one_group(report):
    """Group RR alone."""
    cohort = _with_groups(report, [report.cohort.group("RR")])
    kept = report.patients.query("group == 'RR'").reset_index(drop=True)
    mine = kept["patient_id"]
    return tables.Tables(cohort, kept, report.mrd[report.mrd["patient_id"].isin(mine)],
                         report.events[report.events["patient_id"].isin(mine)])  # fmt: skip


def six_groups(report):
    """Six groups, one without patients and one whose name the font cannot write."""
    more = [
        Group(name="late", label="after transplantation"),
        Group(name="第二组", label="第二组", purpose="clearance"),
        Group(name="A + B", label="two protocols", purpose="clearance", reported_rule="pcr"),
    ]
    patients = report.patients.copy()
    patients.loc[:5, "group"] = "late"
    patients.loc[6:8, "group"] = "A + B"
    return tables.Tables(_with_groups(report, [*report.cohort.groups, *more]), patients, report.mrd, report.events)


def no_events(report):
    return tables.Tables(report.cohort, report.patients, report.mrd, report.events.iloc[:0])


def many_patients(report):
    """168 real patients with a limit of detection: each of the 28 six times."""
    copies = []
    for copy in range(6):
        copies.append([table.assign(patient_id=table["patient_id"] + f"-{copy}")
                       for table in (report.patients, report.mrd, report.events)])  # fmt: skip
    patients, mrd, events = (pd.concat(parts, ignore_index=True) for parts in zip(*copies, strict=True))
    cohort = report.cohort.model_copy(update={"reconstructed": False})
    return tables.Tables(cohort, patients, mrd.assign(limit_of_detection_percent=0.005), events)


SHAPES = {"report": lambda report: report, "one group": one_group, "six groups": six_groups, "no events": no_events,
          "many patients": many_patients}  # fmt: skip


@pytest.fixture(scope="session")
def report():
    return tables.report()


@pytest.fixture(scope="session", params=SHAPES)
def shape(request, report):
    """Each of the cohorts in turn."""
    return SHAPES[request.param](report)


@pytest.fixture
def texts(monkeypatch):
    """What a figure writes when it is drawn: words, place in points, size."""

    def of(picture):
        written = []
        original = matplotlib.text.Text.draw

        def draw(self, renderer):
            if self.get_visible() and self.get_text().strip():
                written.append((self.get_text(), self.get_window_extent(renderer), self.get_fontsize()))
            return original(self, renderer)

        with monkeypatch.context() as patch:
            patch.setattr(matplotlib.text.Text, "draw", draw)
            picture.render("svg")
        return written

    return of
