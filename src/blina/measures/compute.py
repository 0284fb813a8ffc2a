"""Every number of a report, computed: from its line list and, of a reconstructed one, its bounds."""

from __future__ import annotations

from blina.linelist.cohort import Cohort
from blina.linelist.table import Table
from blina.measures.bounds import CohortBounds
from blina.measures.contrasts import contrasts
from blina.measures.declare import measures
from blina.measures.evaluate import Patients
from blina.measures.results import Readings, Results, result_of


def results_of(
    table: Table,
    cohort: Cohort,
    bounds: CohortBounds | None = None,
    readings: Readings | None = None,
) -> Results:
    """Every number of a cohort's report, from its line list and, of a reconstructed one, its bounds."""
    patients = Patients(table)
    declared = measures(cohort, patients.facts)
    found = [result_of(measure, patients, bounds, readings or {}) for measure in declared]
    found += contrasts(found, cohort, patients, bounds)
    return Results(found, cohort)
