"""What identifies a patient is refused; pseudonyms; texts that a spreadsheet would run are made safe."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

import numpy as np
import pandas as pd

from blina.linelist.identifying import (
    BIRTH,
    KINDS,
    LANDLINE,
    NAME,
    about_birth,
    is_full_date,
    is_name,
    kinds,
    named,
)
from blina.linelist.problems import Problem, Said
from blina.linelist.recognise import LEAST_KNOWN
from blina.linelist.sheet import Cells, Sheet


def problems(sheet: Sheet, mapped: Mapping[int, str], allowed: Collection[str] = ()) -> list[Problem]:
    """A problem for each header that names what identifies a patient, and for each column that holds it.

    `mapped` gives the declared column that a position of the header serves. `allowed` are headers, as typed, that may
    name what identifies because it is not kept: of a patient_id that pseudonyms replace (its cells may then hold
    anything), and of a date of birth that only an age is taken from.
    """
    found: list[Problem] = []
    for position, header in enumerate(sheet.header):
        found += _column_problems(sheet, position, mapped, header in allowed)
    return found


def shown_header(sheet: Sheet, position: int, mapped: Mapping[int, str]) -> str:
    """A header as it may be repeated: as typed, or "" where it holds what identifies or may be no header at all."""
    if len(set(mapped.values())) < LEAST_KNOWN or _held_by_header(sheet, position, mapped.get(position, "")):
        return ""
    return sheet.header[position]


def pseudonyms(number: int) -> tuple[str, ...]:
    """P01, P02, ... for so many patients, all of one length and with at least two digits."""
    return tuple(f"P{patient:0{_digits(number)}}" for patient in range(1, number + 1))


def are_pseudonyms(ids: Collection[str]) -> bool:
    """Whether all are of exactly the form that `pseudonyms` gives to so many patients, so that they may stay."""
    form = re.compile(f"P[0-9]{{{_digits(len(ids))}}}")
    return all(form.fullmatch(one) for one in ids)


def safe_text(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would run it as a formula; numbers stay."""
    runs = re.match(r"[=+\-@\t\r\n＝＋－＠]", text) and not re.fullmatch(r"[+-]?\d*\.?\d+(e[+-]?\d+)?", text, re.I)
    return f"'{text}" if runs else text


def safe_cells(table: pd.DataFrame) -> pd.DataFrame:
    """The table as it may be opened in a spreadsheet: no column name and no text that would be run as a formula."""
    safe = {}
    for name in table.columns:
        if pd.api.types.is_numeric_dtype(table[name]):  # booleans too
            continue
        words = {text: safe_text(text) for text in table[name].dropna().unique() if isinstance(text, str)}
        if changed := {text: said for text, said in words.items() if text != said}:
            safe[name] = table[name].replace(changed)
    return table.assign(**safe).rename(columns=lambda name: safe_text(str(name)))


def _digits(number: int) -> int:
    return max(2, len(str(number)))


def _column_problems(sheet: Sheet, position: int, mapped: Mapping[int, str], allowed: bool) -> Iterator[Problem]:
    """What identifies in one column: in its header, by its header, and in its cells."""
    declared, header = mapped.get(position, ""), shown_header(sheet, position, mapped)
    held = _held_by_header(sheet, position, declared)

    def problem(row: int, rule: str, said: Said) -> Problem:
        column = declared or header or sheet.letters(position)
        return Problem(row, column, rule, said, sheet.address(position, row), header)

    for kind in held:
        yield problem(sheet.header_row, "identifying-value", _said_of_header(kind))
    texts = () if allowed else _header_texts(sheet, position)
    if not held and (kind := next(filter(None, map(named, texts)), None)):
        yield problem(sheet.header_row, "identifying-header", _said_of_name(kind))
    elif not (allowed and declared == "patient_id"):
        cells = sheet.columns[position]
        for kind, distinct in _held_by_cells(cells, declared, any(map(about_birth, texts))).items():
            rows = np.flatnonzero(np.isin(cells.places, distinct))
            yield problem(int(sheet.numbers[rows[0]]), "identifying-value", _said_of_cells(kind, len(rows), declared))


def _header_texts(sheet: Sheet, position: int) -> tuple[str, ...]:
    """The header and, in a SAS file, what the column is called in words."""
    return (sheet.header[position], *sheet.labels[position : position + 1])


def _held_by_header(sheet: Sheet, position: int, declared: str) -> list[str]:
    """Kinds of what a header itself holds: it may be a patient's row, or that of a table with patients side by side."""
    texts = _header_texts(sheet, position)
    held = [kind for text in texts for kind in kinds(text)]
    held += [NAME for text in texts if not declared and is_name(text)]
    return list(dict.fromkeys(held))


def _held_by_cells(cells: Cells, declared: str, of_birth: bool) -> dict[str, list[int]]:
    """Places of the distinct cells that hold something identifying, by its kind.

    Texts that could be names are names where they are half of a column that is not one of numbers or declared words.
    """
    held: dict[str, list[int]] = {}
    like_names, texts = [], 0
    for place in np.flatnonzero(np.bincount(cells.places, minlength=len(cells.distinct))).tolist():
        cell = cells.distinct[place]
        for kind in kinds(cell.text):
            held.setdefault(kind, []).append(place)
        if of_birth and (cell.kind == "date" or is_full_date(cell.text)):
            held.setdefault(BIRTH, []).append(place)
        texts += bool(cell.text.strip())
        if is_name(cell.text):
            like_names.append(place)
    if declared in ("", "patient_id") and like_names and 2 * len(like_names) >= texts:
        held.setdefault(NAME, []).extend(like_names)
    if declared == "patient_id":
        held.pop(LANDLINE, None)  # 025-20230045 is rather the 45th patient of a centre than somebody's telephone
    return held


_LEAVE_OUT = Said(
    "delete the column, or name it under leave_out in cohort.yaml (it is then never read)",
    "请删除此列，或在 cohort.yaml 的 leave_out 中列入（此列将不再读取）",
)
_REPLACE = Said(
    "write P01, P02, ... instead, or name this header for patient_id under columns in cohort.yaml (pseudonyms then "
    "replace it at once)",
    "请改写为 P01、P02 等代号，或在 cohort.yaml 的 columns 中将此表头指定为 patient_id（读入时即替换为代号）",
)
_CLEAR = Said("remove it from these cells", "请从这些单元格中删去")
_ONLY_AGE = Said(
    "; or, to keep the age alone, write age_years: {from: this header, to: header of the first infusion} under columns "
    "in cohort.yaml",
    "；如只需年龄，请在 cohort.yaml 的 columns 中写 age_years: {from: 此表头, to: 首次输注日期的表头}",
)


def _said_of_name(kind: str) -> Said:
    what, age = KINDS[kind], _ONLY_AGE if kind == BIRTH else Said("", "")
    return Said(f"this header names {what.en}, which identifies a patient: {_LEAVE_OUT.en}{age.en}",
                f"此表头指{what.zh}，可识别患者身份：{_LEAVE_OUT.zh}{age.zh}")  # fmt: skip


def _said_of_header(kind: str) -> Said:
    what = KINDS[kind]
    return Said(f"the header itself holds what looks like {what.en}: write there what the column holds, or delete it",
                f"表头本身疑似含有{what.zh}：请改写为此列的名称，或删除此列")  # fmt: skip


def _said_of_cells(kind: str, rows: int, declared: str) -> Said:
    what, todo = KINDS[kind], {"": _LEAVE_OUT, "patient_id": _REPLACE}.get(declared, _CLEAR)
    more = rows - 1
    more_en, more_zh = (f" and in {more} more row{'s' * (more > 1)}", f"（另有 {more} 行）") if more else ("", "")
    return Said(f"holds what looks like {what.en} here{more_en}: {todo.en}", f"疑似含有{what.zh}{more_zh}：{todo.zh}")
