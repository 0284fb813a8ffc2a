"""Three tidy tables from a line list: patients, MRD results and adverse events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from blina.atomic import Content, write_all
from blina.linelist.cohort import Cohort, load_cohort
from blina.linelist.columns import COLUMNS, NOT_A_PATIENT, PROVENANCE
from blina.linelist.intake import read_line_list
from blina.linelist.privacy import safe_cells
from blina.linelist.table import Table

EVENT_COLUMNS = {"fever": "fever_cycle1", "CRS": "crs_grade", "ICANS": "icans_grade"}
TIMES, ASSAYS = ("before", "after"), ("FC", "RT-PCR")
STATUSES = ("positive", "negative", "not_applicable", "not_done")
UNNAMED_REACTION = "severe reaction, not named"
SEVERE_GRADE = 3


@dataclass(frozen=True)
class Tidy:
    """The three tables of a cohort, each with `patient_id` first.

    patients: one row per patient, with those optional columns that the line list has; where events may be missing
    from the line list, a column for each such event says whether it is recorded.
    mrd: one row per patient, time (before, after) and assay (FC, RT-PCR), with value and limit of detection in
    percent and status (`STATUSES`; blank: not recorded).
    events: one row per patient and kind of event that occurred, with worst grade (blank: not reported), its scale
    (blank: not stated), day of onset and whether it ended treatment.
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
        return write_tables(dict(self.tables()), folder)


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Write tables by name, each as CSV and Parquet; files that were there are replaced only once all are written."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[Path, Content] = {}
    for name, table in tables.items():
        files[folder / f"{name}.csv"] = partial(_write_csv, table)
        files[folder / f"{name}.parquet"] = partial(table.to_parquet, index=False)
    return write_all(files)


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, nothing in it that a spreadsheet would run; row by row, since it may be long."""
    safe_cells(table).to_csv(path, index=False, lineterminator="\n")


def load(cohort: str | Path) -> Tidy:
    """The tidy tables of a cohort, from its line list: read, checked and made tidy.

    Raises FileError where cohort or line list cannot be read, LineListError with every problem in the line list.
    """
    found = load_cohort(cohort)
    return tidy(read_line_list(found.linelist, found), found)


def tidy(table: Table, cohort: Cohort) -> Tidy:
    """The tidy tables of a checked line list; what is not recorded is missing (NA).

    Reconstructed rows make the cohort a reconstructed one, said or not.
    """
    cohort = cohort.of_table(table)
    wide = pd.DataFrame({"patient_id": pd.array(table.ids, dtype="str")} | {name: _values(table, name)
                                                                           for name in table.columns})  # fmt: skip
    patients = wide[["patient_id", *_patient_columns(table)]]
    words = patients.select_dtypes("category").columns
    patients = patients.astype(dict.fromkeys(words, "str")).assign(**_recorded(wide, table))
    return Tidy(cohort, patients, _mrd(wide, cohort, table), _events(wide, cohort))


def _patient_columns(table: Table) -> list[str]:
    """The columns of the patients' table: those of every line list, then the optional ones that this one has."""
    of_patients = [c for c in COLUMNS if c.table == "patients" and c.type != "identifier"]
    always = [column.name for column in of_patients if not column.optional]
    others = [column.name for column in of_patients if column.optional]
    return always + [name for name in others if name in table.columns]


def _values(table: Table, name: str) -> pd.api.extensions.ExtensionArray | np.ndarray:
    """The values of a column; words as categories, of which each is kept once."""
    column, codes, blank = table.columns[name], table.codes[name], table.blank[name]
    if column.type == "boolean":
        return pd.arrays.BooleanArray(codes.astype(bool), blank) if column.blank else codes.astype(bool)
    if column.type == "category":
        return pd.Categorical.from_codes(np.where(blank, -1, codes), pd.Index(column.values, dtype="str"))
    if column.type == "integer":
        return pd.arrays.IntegerArray(codes, blank) if column.blank else codes
    # One correctly rounded division by a power of ten, so that 0.15 is the 0.15 that a reader would type.
    return np.where(blank, np.nan, codes * column.size.numerator / column.size.denominator)


def _recorded(wide: pd.DataFrame, table: Table) -> dict[str, pd.Series]:
    """For events that a line list may leave blank: whether it says that they occurred or did not."""
    known = {column: wide[column].notna() for column in EVENT_COLUMNS.values() if table.columns[column].blank}
    if "icans_grade" in known:
        known["icans_grade"] |= wide["icans_day"].notna()  # what began on a day has occurred, at whatever grade
    return {recorded(event): known[column] for event, column in EVENT_COLUMNS.items() if column in known}


def recorded(event: str) -> str:
    """The column of the patients' table that says whether an event is recorded, where it may be missing."""
    return f"{event.lower()}_recorded"


def _mrd(wide: pd.DataFrame, cohort: Cohort, table: Table) -> pd.DataFrame:
    """Four rows per patient, in the order of patients' identifiers."""
    in_order = wide["patient_id"].array.argsort(kind="stable")
    status, value, limit = [], [], []
    for time in TIMES:
        fc, pcr = (wide[f"{assay}_{time}"].cat.set_categories(STATUSES) for assay in ("fc", "pcr"))
        status += [fc.cat.codes, pcr.cat.codes]
        value += _amounts(wide, table, time)
        limit += _limits(wide, table, time, cohort)
    each, n = len(status), len(wide)
    return pd.DataFrame({
        "patient_id": wide["patient_id"].array.take(np.repeat(in_order, each)),
        "time": _words(TIMES, np.tile(np.repeat([0, 1], len(ASSAYS)), n)),
        "assay": _words(ASSAYS, np.tile([0, 1], n * len(TIMES))),
        "value_percent": np.stack(value, axis=1)[in_order].ravel(),
        "unit": _words(("%",), np.zeros(n * each, dtype=int)),
        "limit_of_detection_percent": np.stack(limit, axis=1)[in_order].ravel(),
        "status": _words(STATUSES, np.stack(status, axis=1)[in_order].ravel()),
    })  # fmt: skip


def _amounts(wide: pd.DataFrame, table: Table, time: str) -> list[pd.Series]:
    """MRD in percent by FC and by RT-PCR at a time: what stands beside the result, else the patient's one value.

    That one is of FC unless only RT-PCR found MRD, or it was typed beside the result of RT-PCR alone.
    """
    given = wide.get(f"mrd_{time}_percent", pd.Series(np.nan, wide.index))
    is_pcr = wide[f"fc_{time}"].ne("positive") & wide[f"pcr_{time}"].eq("positive")
    by_fc, by_pcr = (_beside(table.amounts, f"{assay}_{time}", wide.index) for assay in ("fc", "pcr"))
    typed_by_pcr = by_fc.isna() & by_pcr.eq(given)
    return [by_fc.fillna(given.mask(is_pcr | typed_by_pcr)), by_pcr.fillna(given.where(is_pcr))]


def _limits(wide: pd.DataFrame, table: Table, time: str, cohort: Cohort) -> list[pd.Series]:
    """Limits of detection of FC and RT-PCR at a time, in percent: those typed in cells, else the cohort's.

    One typed in the column of the MRD value is of FC, or of RT-PCR where FC alone has no result.
    """
    has_result = {assay: wide[f"{assay}_{time}"].isin(["positive", "negative"]) for assay in ("fc", "pcr")}
    of_value = _beside(table.limits, f"mrd_{time}_percent", wide.index)
    is_pcr = ~has_result["fc"] & has_result["pcr"]
    by_fc, by_pcr = (_beside(table.limits, f"{assay}_{time}", wide.index) for assay in ("fc", "pcr"))
    typed = [by_fc.fillna(of_value.mask(is_pcr)), by_pcr.fillna(of_value.where(is_pcr))]
    stated = [cohort.limit_of_detection(assay) for assay in ASSAYS]
    return [
        limits if everybodys is None else limits.fillna(everybodys)
        for limits, everybodys in zip(typed, stated, strict=True)
    ]


def _beside(held: dict[str, tuple[Fraction | None, ...]], name: str, index: pd.Index) -> pd.Series:
    """What cells of a column hold beside their result, as numbers; missing where they hold nothing."""
    values = [np.nan if value is None else float(value) for value in held.get(name, ())]
    return pd.Series(values or np.nan, index, dtype="float64")


def _words(words: Sequence[str], codes: np.ndarray) -> pd.api.extensions.ExtensionArray:
    """A column of text from the places of its words; missing where the place is -1."""
    return pd.array([*words], dtype="str").take(codes, allow_fill=True)


def _events(wide: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    stopped = wide["stop_reason"].eq("severe_reaction")
    grades = {event: wide[EVENT_COLUMNS[event]] for event in ("CRS", "ICANS")}
    severe = {event: grade.ge(SEVERE_GRADE).fillna(False).astype(bool) for event, grade in grades.items()}
    occurred = {event: grade.gt(0).fillna(False).astype(bool) for event, grade in grades.items()}
    occurred["ICANS"] |= wide["icans_grade"].isna() & wide["icans_day"].notna()
    parts = [_event(wide[wide["fever_cycle1"].fillna(False).astype(bool)], "fever")]
    for event, grade in grades.items():
        rows = wide[occurred[event]]
        scale = pd.Series(cohort.scale(event), rows.index, dtype="str").where(
            rows[grade.name].notna() & cohort.scale_is_named
        )
        day = rows["icans_day"] if event == "ICANS" else pd.NA
        parts.append(_event(rows, event, rows[grade.name], scale, day, (stopped & severe[event])[rows.index]))
    parts.append(_event(wide[stopped & ~severe["CRS"] & ~severe["ICANS"]], UNNAMED_REACTION, led_to_stop=True))
    return pd.concat(parts, ignore_index=True)


def _event(rows: pd.DataFrame, event: str, grade=pd.NA, scale=pd.NA, day=pd.NA, led_to_stop=False) -> pd.DataFrame:
    part = rows[["patient_id"]].assign(
        cycle=1, event=event, grade=grade, scale=scale, onset_day=day, led_to_stop=led_to_stop
    )
    types = {"event": "str", "grade": "Int64", "scale": "str", "onset_day": "Int64", "led_to_stop": bool}
    return part.astype(types)
