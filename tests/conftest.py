"""Shared by all tests: the report's cohort, its line list with cells changed, and totals told at the end."""

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("steady", deadline=None)  # a busy machine is no bug
settings.load_profile("steady")

REPORT = Path(__file__).parents[1] / "data" / "cohorts" / "tianjin2023"


@pytest.fixture(scope="session")
def report_folder() -> Path:
    return REPORT


@pytest.fixture(scope="session")
def report_rows() -> list[dict[str, str]]:
    """The report's line list as the text of its cells; not to be changed in place."""
    with (REPORT / "linelist.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def line_list(report_rows: list[dict[str, str]], tmp_path: Path) -> Callable[..., Path]:
    """Writes the report's line list with cells changed, as in `line_list({("P04", "sex"): "male"})`; gives its path.

    A column that the report's line list has not got is added, blank in the other rows.
    """

    def write(changes: dict[tuple[str, str], str] | None = None, name: str = "linelist.csv") -> Path:
        rows = {row["patient_id"]: dict(row) for row in report_rows}
        for (patient, column), text in (changes or {}).items():
            rows[patient][column] = text
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
            added = dict.fromkeys(column for _, column in changes or {} if column not in report_rows[0])
            writer = csv.DictWriter(file, [*report_rows[0], *added], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows.values())
        return tmp_path / name

    return write


def pytest_terminal_summary(terminalreporter) -> None:
    """Tell what tests counted (with `record_property("total ...", n)`), summed over all of them."""
    totals: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        if report.when == "call":
            totals.update({name: n for name, n in report.user_properties if name.startswith("total ")})
    for name, n in totals.items():
        terminalreporter.write_line(f"{name.removeprefix('total ')}: {n}")
