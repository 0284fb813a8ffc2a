"""Dates as cells hold them, and the time between two of them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Literal

from blina.linelist.problems import Said
from blina.linelist.sheet import Cell
from blina.linelist.vocabulary import folded

DAYS_OF_MONTH, DAYS_OF_YEAR = Fraction("30.4375"), Fraction("365.25")
_FIRST_YEAR = 1900
_EPOCH = date(1899, 12, 30)  # day 0 of a spreadsheet's serial dates, as they count from March 1900 on
_SERIAL = range(20000, 60001)  # from 1954 to 2064
_SERIAL_IN_TEXT = range(30000, 60001)  # from 1982: 20231 as text is a year and month rather than a day of 1955
_TIME = re.compile(r"[t\s]*\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(z|am|pm)?$", re.ASCII)
_YMD = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})[日号]?|(\d{2})(\d{2}))", re.ASCII)
_OTHER_ORDER = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})", re.ASCII)
_SHORT_YEAR = re.compile(r"\d{1,2}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}[-/.]?[a-z]{3,9}[-/.,]?\d{2}", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = re.compile(r"(?:(\d{1,2})[-/.]?([a-z]{3,9})|([a-z]{3,9})[-/.]?(\d{1,2}))[-/., ]*(\d{4})", re.ASCII)
_BLANK_BESIDE = re.compile(r"\s*([-/.,年月])\s*")
_NO_DATE = Said("is not a date: write year, month and day, as in 2023-04-03", "不是日期：请按年月日填写，如 2023-04-03")


def as_date(cell: Cell, order: Literal["ymd", "dmy", "mdy"] | None = None, today: date | None = None) -> date | Said:
    """The date that a cell holds, its time left out, or what is wrong with it.

    Reads 2023-04-03, 2023/4/3, 2023.4.3, 20230403, 2023年4月3日, 3 Apr 2023, the serial numbers of spreadsheets, and
    3/4/2023 as `order` says or where only one reading is a date. `today` (else today) is the last day that may be.
    """
    if cell.kind in ("error", "uncalculated", "boolean", "percent"):
        return _NO_DATE
    text = folded(_BLANK_BESIDE.sub(r"\1", _TIME.sub("", cell.text.strip().casefold())))
    read = _read_date(text, order, _SERIAL_IN_TEXT if cell.kind == "text" else _SERIAL)
    if isinstance(read, Said):
        return read
    if read.year < _FIRST_YEAR:
        return Said(f"is before {_FIRST_YEAR}: correct the year", f"早于 {_FIRST_YEAR} 年：请更正年份")
    if read > (today or date.today()):
        return Said("is in the future: correct it", "晚于今日：请更正")
    return read


def _read_date(text: str, order: str | None, serials: range) -> date | Said:
    if (serial := re.fullmatch(r"(\d{5})(\.\d+)?", text, re.ASCII)) and int(serial[1]) in serials:
        return _EPOCH + timedelta(days=int(serial[1]))
    if found := _YMD.fullmatch(text):
        return _date(found[1], found[2] or found[4], found[3] or found[5])
    if (found := _NAMED.fullmatch(text)) and (found[2] or found[3])[:3] in _MONTHS:
        return _date(found[5], _MONTHS.index((found[2] or found[3])[:3]) + 1, found[1] or found[4])
    if found := _OTHER_ORDER.fullmatch(text):
        by_order = {"dmy": _date(found[3], found[2], found[1]), "mdy": _date(found[3], found[1], found[2])}
        if order in by_order:
            return by_order[order]
        dates = {read for read in by_order.values() if isinstance(read, date)}
        if len(dates) == 2:
            return Said("may be day/month/year or month/day/year: say under date_order in cohort.yaml (dmy or mdy)",
                        "可能为 日/月/年 或 月/日/年：请在 cohort.yaml 的 date_order 中注明 dmy 或 mdy")  # fmt: skip
        return next(iter(dates), _NO_DATE)
    if _SHORT_YEAR.fullmatch(text):
        return Said(
            "has a year of two digits: write all four, as in 2023-04-03", "年份只有两位：请写四位，如 2023-04-03"
        )
    return _NO_DATE


def _date(year: str, month: str | int, day: str) -> date | Said:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return Said("is a day that there is not: correct it", "日期不存在：请更正")


def days_between(first: date, last: date) -> int:
    """Days from one date to another."""
    return (last - first).days


def months_between(first: date, last: date) -> str:
    """Months of 30.4375 days from one date to another, to a tenth, halves up."""
    return _tenths(days_between(first, last) / DAYS_OF_MONTH)


def years_between(first: date, last: date) -> str:
    """Years of 365.25 days from one date to another, to a tenth, halves up."""
    return _tenths(days_between(first, last) / DAYS_OF_YEAR)


def _tenths(value: Fraction) -> str:
    return str(Decimal(floor(10 * value + Fraction(1, 2))).scaleb(-1))
