"""Which column of a sheet serves which declared column: as `cohort.yaml` says, else as headers are commonly written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from blina.linelist.cohort import NEVER_MISSING, Cohort
from blina.linelist.columns import PROVENANCE, Column
from blina.linelist.parse import missing, said_twice
from blina.linelist.problems import WARNING, Problem, Said
from blina.linelist.settings import Source
from blina.linelist.sheet import Sheet
from blina.linelist.vocabulary import column_of, normalised, resembles

LEAST_KNOWN = 3  # headers that must be recognised before a row is taken for a header, whose words may be repeated
FROM_DATES = ("age_years", "months_from_diagnosis", "infusion_days", "icans_day")  # computed from two dates where asked
OF_DATE = re.compile(r"日期|date\b", re.I)
REDCAP_ROWS = ("redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance")


@dataclass(frozen=True)
class Found:
    """Where a declared column comes from: one position of the header, two of dates, several of boxes, or a word."""

    positions: tuple[int, ...]
    source: Source


@dataclass(frozen=True)
class Recognised:
    """`found` by declared column; positions left out because cohort.yaml says so, and set aside because unknown.

    `warnings` are on names in cohort.yaml that no header has.
    """

    found: dict[str, Found]
    left_out: tuple[int, ...] = ()
    set_aside: tuple[int, ...] = ()
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    @property
    def served(self) -> dict[int, str]:
        """The declared column that each position of the header serves."""
        return {position: name for name, found in self.found.items() for position in found.positions}


def named_columns(header: Sequence[str], cohort: Cohort) -> int:
    """How many declared columns a row of texts names: what tells a header from a patient."""
    stated = {normalised(text): name for name, source in cohort.columns.items() for text in source.headers}
    names = {column.name for column in cohort.declared}
    return len(
        {stated.get(normalised(text)) or (text if text in names else column_of(text)) for text in header} - {None}
    )


def is_header(sheet: Sheet, cohort: Cohort) -> bool:
    """Whether what stands in the header's place is one beyond doubt (always in SAS files), and no patient."""
    return bool(sheet.labels) or named_columns(sheet.header, cohort) >= LEAST_KNOWN


def recognise(sheet: Sheet, cohort: Cohort) -> Recognised:
    """The columns of a sheet, and what is wrong with its header.

    What cohort.yaml names comes first; then a header that is the declared name; then one that is commonly used for it.
    The words of a header are repeated in a message only if the row is a header beyond doubt.
    """
    shown = sheet.header if is_header(sheet, cohort) else [""] * len(sheet.header)
    every = range(len(sheet.header))
    left_out = tuple(sorted({p for text in cohort.leave_out for p in _named(sheet, every, text)}))
    free = [p for p in every if p not in left_out]
    found: dict[str, Found] = {}
    problems: list[Problem] = []
    for name, source in cohort.columns.items():
        positions = []
        for text in source.headers:
            here = _named(sheet, free, text)
            if len(here) == 1:
                positions += here
            else:
                near = get_close_matches(text, [shown[p] for p in free], 1, 0.6)
                problems.append(Problem(sheet.header_row, name, "header-named", _not_found(text, len(here), near)))
        found[name] = Found(tuple(positions), source)
    taken = {position for one in found.values() for position in one.positions}
    free = [p for p in free if p not in taken]
    serves = {p: _served(sheet, p, cohort.declared) for p in free}
    for column in cohort.declared:
        if column.name in found:
            continue
        exact = [p for p in free if sheet.header[p] == column.name]
        alike = exact or [p for p in free if serves[p] == column.name]
        if len(alike) == 1:
            found[column.name] = Found((alike[0],), Source(header=sheet.header[alike[0]]))
        elif alike:
            problems.append(Problem(sheet.header_row, column.name, "header-once", _twice(sheet, alike, bool(exact))))
        elif column.name not in cohort.missing_allowed and not column.optional:
            unknown = [shown[p] for p in free if not serves[p] and shown[p]]
            problems.append(Problem(sheet.header_row, column.name, "header-complete", _missing(column, unknown)))
    taken |= {position for one in found.values() for position in one.positions}
    aside = tuple(p for p in free if p not in taken and sheet.header[p] != PROVENANCE)
    problems += _without_header(sheet, aside)
    problems += _several_rows(sheet, free)
    return Recognised(found, left_out, aside, problems, [*_named_in_vain(sheet, cohort, shown)])


def resembling(sheet: Sheet, recognised: Recognised, absent: Sequence[Column]) -> list[Problem]:
    """Columns that nothing was read from, though they look like declared ones that the sheet seems to lack.

    To leave one aside unasked would count as not recorded what stands in it. Columns without values, those that
    cohort.yaml leaves out, and dates that no column is computed from are not asked about.
    """
    problems = []
    for position in recognised.set_aside:
        header = sheet.header[position]
        texts = [text for text in (header, *sheet.labels[position : position + 1]) if text]
        filled = any(cell.text.strip() for cell in sheet.columns[position].distinct)
        if not header or not filled:
            continue
        alike = []
        for column in absent:
            if column.name not in FROM_DATES and any(OF_DATE.search(text) for text in texts):
                continue
            if any(resembles(text, column) for text in texts):
                alike.append(column.name)
        if alike:
            address = sheet.address(position, sheet.header_row)
            said = _resembles(header, alike)
            problems.append(Problem(sheet.header_row, alike[0], "resembles", said, address, header))
    return problems


def _resembles(header: str, names: Sequence[str]) -> Said:
    quoted = header if re.fullmatch(r"[\w ]+", header) else json.dumps(header, ensure_ascii=False)
    mapped = f"columns: {{{names[0]}: {quoted}}}"
    left_out = f"leave_out: [{quoted}]"
    return Said(
        f"this column is not used, but looks like {' or '.join(names)}, which the sheet lacks: write in cohort.yaml "
        f"{mapped} if it is that, or {left_out} if it is something else",
        f"此列未被使用，但与表中缺少的 {'、'.join(names)} 相似：如即为该列，请在 cohort.yaml 中写 {mapped}；"
        f"否则请写 {left_out}",
    )


def _named_in_vain(sheet: Sheet, cohort: Cohort, shown: Sequence[str]) -> Iterator[Problem]:
    """Names under leave_out and merged that no header has: what they were to do is not done."""
    declared = [column.name for column in cohort.declared]
    for key, names in (("leave_out", cohort.leave_out), ("merged", cohort.merged)):
        for name in names:
            if (key == "merged" and name in declared) or _named(sheet, range(len(sheet.header)), name):
                continue
            if "，" in name or "、" in name:
                hint = Said("; separate names by , (half-width)", "；请用半角逗号 , 分隔各名称")
            else:
                near = get_close_matches(name, [*filter(None, shown)], 1, 0.6)
                hint = (Said(f"; do you mean {near[0]}?", f"；是否为“{near[0]}”？") if near
                        else Said(": correct or remove it", "：请更正或删去"))  # fmt: skip
            said = Said(f"cohort.yaml names {name} here, a header that the sheet has not got{hint.en}",
                        f"cohort.yaml 在此列入“{name}”，表中无此表头{hint.zh}")  # fmt: skip
            yield Problem(sheet.header_row, key, "header-named", said, level=WARNING)


def _named(sheet: Sheet, positions: Sequence[int], text: str) -> list[int]:
    """The columns that a text names by header or (SAS) label: as it is typed or, where none is, in another spelling."""
    called = {p: (sheet.header[p], *sheet.labels[p : p + 1]) for p in positions}
    exact = [p for p, names in called.items() if text in names]
    alike = normalised(text)
    return exact or [p for p, names in called.items() if alike and alike in map(normalised, names)]


def _served(sheet: Sheet, position: int, declared: Sequence[Column]) -> str | None:
    texts = [sheet.header[position], *([sheet.labels[position]] if sheet.labels else [])]
    names = {column.name for column in declared}
    for text in texts:
        if text in names:
            return text
    return next((name for text in texts if (name := column_of(text)) in names), None)


def _not_found(text: str, times: int, near: Sequence[str]) -> Said:
    if times:
        return Said(f"cohort.yaml takes it from the header {text}, which stands {times} times: keep one",
                    f"cohort.yaml 指定的表头“{text}”出现 {times} 次：请只保留一列")  # fmt: skip
    en = f"; do you mean {near[0]}?" if near else ": correct one of them"
    zh = f"；是否为“{near[0]}”？" if near else "：请更正其一"
    return Said(f"cohort.yaml takes it from the header {text}, which the sheet has not got{en}",
                f"cohort.yaml 指定的表头“{text}”在表中不存在{zh}")  # fmt: skip


def _twice(sheet: Sheet, positions: Sequence[int], exact: bool) -> Said:
    if exact:
        return said_twice(len(positions))
    cells = [sheet.address(position, sheet.header_row) for position in positions]
    return Said(f"may be any of the headers in {', '.join(cells)}: name the right one under columns in cohort.yaml",
                f"以下表头均可能是此列：{'、'.join(cells)}；请在 cohort.yaml 的 columns 中注明")  # fmt: skip


def _missing(column: Column, unknown: Sequence[str]) -> Said:
    """What to do about a column that the header lacks; `unknown` are the headers that serve no other."""
    dates = [header for header in unknown if OF_DATE.search(header)] if column.name in FROM_DATES else []
    near = get_close_matches(column.name, [header for header in unknown if header not in dates], 1, 0.6)
    said = missing(near)
    if near:
        return said
    name = Said(f"{said.en}; or name your header for it under columns in cohort.yaml",
                f"{said.zh}；或在 cohort.yaml 的 columns 中注明对应表头")  # fmt: skip
    if column.name in NEVER_MISSING:
        return name
    if dates:
        first, last = dates if len(dates) == 2 else ("首次输注日期", "末次输注日期")
        form = f"{column.name if len(dates) == 2 else 'infusion_days'}: {{from: {first}, to: {last}}}"
        name = Said(f"{name.en}, or compute it from two dates, as in {form}",
                    f"{name.zh}，或由两个日期计算，如 {form}")  # fmt: skip
    return Said(f"{name.en}, or, if you do not record it, name it under missing_allowed",
                f"{name.zh}；如未记录，请列入 missing_allowed")  # fmt: skip


def _without_header(sheet: Sheet, aside: Sequence[int]) -> list[Problem]:
    said = Said("this column has cells but no header: write a header above it or clear it",
                "此列有内容但无表头：请补写表头或清空此列")  # fmt: skip
    filled = [p for p in aside if any(cell.text.strip() for cell in sheet.columns[p].distinct)]
    return [Problem(sheet.header_row, sheet.letters(p), "header-given", said, sheet.address(p, sheet.header_row))
            for p in filled if not sheet.header[p]]  # fmt: skip


def _several_rows(sheet: Sheet, positions: Sequence[int]) -> list[Problem]:
    """REDCap exports a row for each event or repeat of a record; a line list has one row per patient."""
    said = Said(
        "the export holds several events or repeats, so several rows for one patient: export the one event that holds "
        "the line list",
        "导出文件含多个事件或重复记录，同一患者有多行：请只导出一个事件",
    )
    return [Problem(sheet.header_row, sheet.header[p], "one-row-per-patient", said, sheet.address(p, sheet.header_row))
            for p in positions if sheet.header[p] in REDCAP_ROWS
            and len({cell.text.strip() for cell in sheet.columns[p].distinct} - {""}) > 1]  # fmt: skip
