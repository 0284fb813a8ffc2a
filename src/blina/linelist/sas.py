"""SAS transport files (.xpt), versions 5 and 8."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path

import numpy as np
import pyreadstat

from blina.linelist.layout import Grid, number_text, table
from blina.linelist.problems import Said
from blina.linelist.sheet import Cell, Cells, Note, Sheet
from blina.yamlfile import FileError

ENCODINGS = ("UTF-8", "GB18030")
# Date formats that pyreadstat takes for plain numbers, which might then be taken for the serial numbers of Excel.
DATES = ["MONYY", "MMYY", "YYMM", "YYMON", "NLDATE", "NLDATEW", "WORDDATE", "WORDDATX", "JULIAN", "MINGUO"]
MEMBER = (b"HEADER RECORD*******MEMBER  HEADER RECORD", b"HEADER RECORD*******MEMBV8  HEADER RECORD")


def read_sas(path: Path, data: bytes) -> Sheet:
    """The table in a SAS transport file: the header holds the names of variables, `labels` what they are called.

    A missing number is a blank, a number with a date format a date. FileError where it is damaged or holds several
    tables.
    """
    file = path.name
    if sum(map(data.count, MEMBER)) > 1:
        raise FileError(
            Said(f"{file} holds several tables: export the line list alone",
                 f"{file} 含有多个数据集：请只导出患者登记表")
        )  # fmt: skip
    for encoding in ENCODINGS:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # a variable that stands twice
                values, about = pyreadstat.read_xport(
                    path, encoding=encoding, output_format="dict", extra_date_formats=DATES
                )
        except OverflowError:
            raise FileError(
                Said(f"{file} holds a date that no calendar has: correct it and export again",
                     f"{file} 含有无效日期：请更正后重新导出")
            ) from None  # fmt: skip
        except Exception:  # text in another encoding, and whatever a damaged file brings about
            continue
        if not values or not all(values):  # variables without a name
            break
        columns = tuple(_column(*variable) for variable in values.items())
        labels = tuple(label or "" for label in about.column_labels)
        notes = (Note("gb18030"),) if encoding == "GB18030" else ()
        return table(Grid(file, columns, np.arange(1, len(columns[0]) + 1), labels=labels, notes=notes), header=1)
    raise FileError(
        Said(f"{file} cannot be read as a SAS transport file: export it again",
             f"{file} 无法作为 SAS 传输文件读取：请重新导出")
    )  # fmt: skip


def _column(name: str, values: Sequence[object]) -> Cells:
    return Cells.of([Cell(name), *map(_cell, values)])


def _cell(value: object) -> Cell:
    if value is None or value != value:  # a missing number may be NaN
        return Cell("")
    if isinstance(value, datetime) and value.time() == time():
        return Cell(value.date().isoformat(), "date")
    if isinstance(value, (date, time)):
        return Cell(value.isoformat(), "date")
    if isinstance(value, str):
        return Cell(value)
    return Cell(number_text(value), "number")
