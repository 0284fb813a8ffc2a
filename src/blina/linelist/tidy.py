"""Three tidy tables from a line list: patients, MRD results and adverse events."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from blina.linelist.cohort import Cohort, load_cohort
from blina.linelist.columns import NOT_A_PATIENT, PROVENANCE
from blina.linelist.table import Table
from blina.linelist.intake import read_line_list

PATIENT_COLUMNS = (
    "group", "sex", "age_years", "bcr_abl1", "intolerance_reason", "months_from_diagnosis", "infusion_days",
    "stop_reason", "extra_cycles",
)  # fmt: skip
UNNAMED_REACTION = "severe reaction, not named"
SEVERE_GRADE = 3


@dataclass(frozen=True)
class Tidy:
    """The three tables of a cohort, each with `patient_id` first.

    patients: one row per patient. mrd: one row per patient, time (before, after) and assay (FC, RT-PCR), with value and
    limit of detection in percent and status (positive, negative, not_applicable). events: one row per patient and kind
    of event, with worst grade (blank: not reported), its scale, day of onset and whether it ended treatment.
    """

    cohort: Cohort
    patients: pd.DataFrame
    mrd: pd.DataFrame
    events: pd.DataFrame

    def tables(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Each table with its name; every row of a reconstructed cohort says in a last column what it is."""
        for name in ("patients", "mrd", "events"):
            table = getattr(self, name)
            yield name, table.assign(**{PROVENANCE: NOT_A_PATIENT}) if self.cohort.reconstructed else table

    def only(self, group: str) -> Tidy:
        """The same for one group alone (ValueError if the cohort has no such group)."""
        cohort = self.cohort.model_copy(update={"groups": (self.cohort.group(group),)})
        ids = self.patients.loc[self.patients["group"] == group, "patient_id"]
        picked = (
            table[table["patient_id"].isin(ids)].reset_index(drop=True)
            for table in (self.patients, self.mrd, self.events)
        )
        return Tidy(cohort, *picked)

    def write(self, folder: Path) -> list[Path]:
        """Write each table as CSV and Parquet; files that were there are replaced only once all are written."""
        folder.mkdir(parents=True, exist_ok=True)
        parts: dict[Path, Path] = {}
        try:
            for name, table in self.tables():
                for suffix, save in (
                    ("csv", lambda p, t=table: t.to_csv(p, index=False, lineterminator="\n")),
                    ("parquet", lambda p, t=table: t.to_parquet(p, index=False)),
                ):
                    path = folder / f"{name}.{suffix}"
                    parts[path] = path.with_name(f".{path.name}.part")
                    save(parts[path])
            for path, part in parts.items():
                os.replace(part, path)
        finally:
            for part in parts.values():
                part.unlink(missing_ok=True)
        return list(parts)


def load(cohort: str | Path) -> Tidy:
    """The tidy tables of a cohort, from its line list: read, checked and made tidy.

    Raises FileError where cohort or line list cannot be read, LineListError with every problem in the line list.
    """
    found = load_cohort(cohort)
    return tidy(read_line_list(found.linelist, found), found)


def tidy(table: Table, cohort: Cohort) -> Tidy:
    """The tidy tables of a checked line list. Reconstructed rows make the cohort a reconstructed one, said or not."""
    cohort = cohort.of_table(table)
    wide = pd.DataFrame({"patient_id": pd.array(table.ids, dtype="str")})
    for name in table.columns:
        wide[name] = _values(table, name)
    return Tidy(cohort, wide[["patient_id", *PATIENT_COLUMNS]], _mrd(wide, cohort), _events(wide, cohort))


def _values(table: Table, name: str) -> pd.api.extensions.ExtensionArray | np.ndarray:
    column, codes, blank = table.columns[name], table.codes[name], table.blank[name]
    if column.type == "boolean":
        return codes.astype(bool)
    if column.type == "category":
        return pd.array(np.where(blank, None, np.array(column.values, dtype=object)[codes]), dtype="str")
    if column.type == "integer":
        return pd.arrays.IntegerArray(codes, blank) if column.blank else codes
    # One correctly rounded division by a power of ten, so that 0.15 is the 0.15 that a reader would type.
    return np.where(blank, np.nan, codes * column.size.numerator / column.size.denominator)


def _mrd(wide: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    # One MRD value is given per patient, before treatment: it is the FC value where FC found MRD, else that of RT-PCR.
    fc_found = wide["fc_before"] == "positive"
    values = {
        ("before", "FC"): wide["mrd_before_percent"].where(fc_found),
        ("before", "RT-PCR"): wide["mrd_before_percent"].where(~fc_found),
    }
    parts = []
    for time in ("before", "after"):
        for assay, column in (("FC", f"fc_{time}"), ("RT-PCR", f"pcr_{time}")):
            part = wide[["patient_id"]].assign(
                time=time, assay=assay, value_percent=values.get((time, assay), np.nan), unit="%"
            )
            part["limit_of_detection_percent"] = (
                np.nan if cohort.limit_of_detection_percent is None else cohort.limit_of_detection_percent
            )
            parts.append(part.assign(status=wide[column]))
    mrd = pd.concat(parts, ignore_index=True)
    return mrd.sort_values("patient_id", kind="stable", ignore_index=True)


def _events(wide: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    stopped = wide["stop_reason"] == "severe_reaction"
    severe = {event: wide[column] >= SEVERE_GRADE for event, column in (("CRS", "crs_grade"), ("ICANS", "icans_grade"))}
    unnamed = stopped & ~severe["CRS"] & ~severe["ICANS"]
    parts = [_event(wide[wide["fever_cycle1"]], "fever")]
    for event, column in (("CRS", "crs_grade"), ("ICANS", "icans_grade")):
        rows = wide[wide[column] > 0]
        day = rows["icans_day"] if event == "ICANS" else pd.NA
        led = (stopped & severe[event])[rows.index]
        parts.append(_event(rows, event, rows[column], cohort.grading_scale, day, led))
    parts.append(_event(wide[unnamed], UNNAMED_REACTION, led_to_stop=True))
    return pd.concat(parts, ignore_index=True)


def _event(rows: pd.DataFrame, event: str, grade=pd.NA, scale=pd.NA, day=pd.NA, led_to_stop=False) -> pd.DataFrame:
    part = rows[["patient_id"]].assign(
        cycle=1, event=event, grade=grade, scale=scale, onset_day=day, led_to_stop=led_to_stop
    )
    types = {"event": "str", "grade": "Int64", "scale": "str", "onset_day": "Int64", "led_to_stop": bool}
    return part.astype(types)
