"""Taking a line list in: from a hospital's file to an exact table, and everything that is to be told of the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from blina.linelist import privacy
from blina.linelist.cohort import NEVER_MISSING, Cohort
from blina.linelist.columns import PROVENANCE, Column
from blina.linelist.convert import FUSION_GENE, GENE_NAMED, Converted, How, convert, mixed_units, suspect_fractions
from blina.linelist.dates import as_date, days_between, months_between, years_between
from blina.linelist.layout import is_example
from blina.linelist.parse import Place, identifier_problems, is_reconstructed, parse_cell
from blina.linelist.problems import WARNING, Change, LineListError, Problem, Said
from blina.linelist.read import ReadOptions, read_sheet
from blina.linelist.recognise import Found, Recognised, is_header, named_columns, recognise, resembling
from blina.linelist.sheet import Cell, Cells, Sheet
from blina.linelist.table import Table
from blina.linelist.validate import oddities, rule_problems, same_patients, without_gene
from blina.linelist.vocabulary import says_missing

VALUE_OF = {"mrd_before_percent": ("fc_before", "pcr_before"), "mrd_after_percent": ("fc_after", "pcr_after")}
ASSAY_OF = {"fc_before": "FC", "fc_after": "FC", "pcr_before": "RT-PCR", "pcr_after": "RT-PCR"}
BETWEEN: dict[str, Callable] = {
    "age_years": years_between,
    "months_from_diagnosis": months_between,
    "infusion_days": lambda first, last: str(int(days_between(first, last)) + 1),  # both days count
    "icans_day": lambda first, last: str(int(days_between(first, last)) + 1),  # the first day of infusion is day 1
}


@dataclass(frozen=True)
class Intake:
    """A line list as it was read: its exact table, and what is wrong, odd, changed or set aside.

    `table` is complete only where there is no problem. `problems` must be corrected, `warnings` looked at; `changes`
    are whatever differs from what was typed, `set_aside` the letters and headers of columns that were not used.
    `understood` are letter, header and declared column wherever header and column differ.
    """

    sheet: Sheet
    table: Table
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    set_aside: list[tuple[str, str]] = field(default_factory=list)
    understood: list[tuple[str, str, str]] = field(default_factory=list)
    boundary: dict[str, int] = field(default_factory=dict)  # rows whose value lies on the threshold, by column

    def checked(self) -> Table:
        """The table (LineListError, with every problem, if there is one)."""
        if self.problems:
            raise LineListError(self.sheet.place, self.problems)
        return self.table


def read_line_list(path: Path, cohort: Cohort | None = None) -> Table:
    """The exact table of a line list; FileError where it cannot be read, LineListError where something is wrong.

    Without a cohort the sheet is read as one that says nothing of itself.
    """
    return take_in(path, cohort).checked()


def take_in(path: Path, cohort: Cohort | None = None) -> Intake:
    """Read, recognise, convert and check a line list file (FileError where it cannot be read at all)."""
    cohort = cohort or Cohort(name=path.stem, folder=path.parent, title=path.stem, file=path.name)
    options = ReadOptions(tab=cohort.sheet, is_header=partial(named_columns, cohort=cohort))
    sheet = read_sheet(path, options)
    recognised = recognise(sheet, cohort)
    if cohort.merged:
        sheet = read_sheet(path, replace(options, merged=_headers(sheet, recognised, cohort.merged)))
    return _Taking(_without(sheet, recognised.left_out), recognised, cohort).intake()


def _headers(sheet: Sheet, recognised: Recognised, names: Sequence[str]) -> frozenset[str]:
    """The headers meant by declared columns or headers."""
    meant = (recognised.found[name].positions if name in recognised.found else () for name in names)
    return frozenset(names) | {sheet.header[position] for positions in meant for position in positions}


def _without(sheet: Sheet, left_out: Sequence[int]) -> Sheet:
    """The sheet with some columns never looked at again; the others keep their addresses."""
    nothing = Cells((Cell(""),), np.zeros(len(sheet), dtype=np.int32))
    return replace(
        sheet,
        header=tuple("" if p in left_out else header for p, header in enumerate(sheet.header)),
        columns=tuple(nothing if p in left_out else cells for p, cells in enumerate(sheet.columns)),
        labels=tuple("" if p in left_out else label for p, label in enumerate(sheet.labels)),
    )


@dataclass(frozen=True)
class _Read:
    """A declared column as converted: each distinct cell, where each row's stands, and where the column stands."""

    converted: list[Converted]
    places: np.ndarray
    at: Place


class _Taking:
    """One line list on its way from sheet to table."""

    def __init__(self, sheet: Sheet, recognised: Recognised, cohort: Cohort) -> None:
        self.sheet, self.recognised, self.cohort = sheet, recognised, cohort
        self.declared = {column.name: column for column in cohort.declared}
        self.problems = [*recognised.problems]
        self.warnings = [*recognised.warnings]
        self.merged = {note.column: set(note.rows) for note in sheet.notes if note.what == "merged"}
        self.changes: list[Change] = []

    def intake(self) -> Intake:
        told = self._privacy()
        if self.problems and not is_header(self.sheet, self.cohort):  # what stands there may be a patient
            return Intake(self.sheet, _nothing(), sorted(self.problems))
        self.sheet = replace(self.sheet, header=told)
        self.problems += self._examples()
        self.changes += [
            Change.of(note.column if note.column in told else "", note.what, note.rows) for note in self.sheet.notes
        ]
        read = {name: self._column(self.declared[name], found) for name, found in self.recognised.found.items()
                if len(found.positions) == len(found.source.headers)}  # fmt: skip
        read |= self._values_of_assays(read)
        read |= self._carriers(read)
        self.problems += resembling(self.sheet, self.recognised, self._absent(read))
        lacking = [name for name in self.declared if name not in read and self._is_expected(name)]
        read |= {name: self._all_blank(name) for name in lacking}
        table = self._table(read)
        places = {name: one.at for name, one in read.items()}
        self.problems += rule_problems(table, self.cohort.every_rule, self.sheet, places, faulty=self.problems)
        self.warnings += oddities(table, self.sheet, places, self.cohort)
        self.warnings += without_gene(table, self.sheet, places, faulty=self.problems)
        if "patient_id" in places:
            self.warnings += same_patients(self.sheet, places["patient_id"])
        boundary = {
            name: int(_mask([c.boundary for c in one.converted])[one.places].sum()) for name, one in read.items()
        }
        return Intake(
            self.sheet,
            table,
            _once(self.problems),
            sorted(set(self.warnings)),
            self.changes,
            [(self.sheet.letters(p), self.sheet.header[p]) for p in self.recognised.set_aside if self.sheet.header[p]],
            [
                (self.sheet.letters(p), self.sheet.header[p], name)
                for name, found in self.recognised.found.items()
                for p in found.positions
                if self.sheet.header[p] not in ("", name)
            ],
            {name: count for name, count in boundary.items() if count},
        )

    def _privacy(self) -> tuple[str, ...]:
        """What identifies is refused, but for what cohort.yaml turns into a pseudonym or an age at once.

        Gives the header as it may be told: blank where it holds itself what identifies.
        """
        allowed = []
        for name, found in self.recognised.found.items():
            if name == "patient_id" and self.cohort.pseudonyms and name in self.cohort.columns:
                allowed += [self.sheet.header[p] for p in found.positions]
            if name == "age_years" and found.source.start is not None:
                allowed += [self.sheet.header[p] for p in found.positions]
        served = self.recognised.served
        self.problems += privacy.problems(self.sheet, served, allowed)
        held = {problem.cell for problem in self.problems if problem.rule == "identifying-value"}
        return tuple("" if self.sheet.address(position, self.sheet.header_row) in held else header
                     for position, header in enumerate(self.sheet.header))  # fmt: skip

    def _column(self, column: Column, found: Found) -> _Read:
        """A declared column read from wherever it comes."""
        at = Place(self.sheet, column.name, found.positions[0] if found.positions else None)
        cells = [self.sheet.columns[position] for position in found.positions]
        if found.source.value is not None:
            places = np.zeros(len(self.sheet), dtype=np.int32)
            return _Read([Converted(found.source.value, ("constant",))], places, at)
        if found.source.start is not None:
            self._judge_each(column, found, "date", partial(self._no_date, self._may_lack(column)))
            return _Read(*_combined(cells, partial(self._between, column)), at)
        if found.source.checked is not None:
            self._judge_each(column, found, "box", _no_box)
            words = [*found.source.checked.values()]
            return _Read(*_combined(cells, partial(_checked, column, words)), at)
        (only,) = cells
        if column.type == "identifier":
            return _Read([Converted(cell.text.strip(), _trimmed(cell)) for cell in only.distinct], only.places, at)
        how = How(
            words=self.cohort.values.get(column.name, {}),
            assay=self.cohort.assays.get(ASSAY_OF.get(column.name, "")),
            mrd_unit=self.cohort.mrd_unit,
            missing=self._may_lack(column),
            in_percent=bool(_SAYS_PERCENT.search(self.sheet.header[found.positions[0]])),
        )
        converted = [convert(column, cell, how) for cell in only.distinct]
        if column.name == FUSION_GENE and _names_no_gene(converted):
            said = _no_gene_named(self.sheet.header[found.positions[0]])
            self.problems.append(at.problem(self.sheet.header_row, GENE_NAMED, said))
            converted = [Converted("") for _ in converted]
        if (column.unit == "%" or column.name in ASSAY_OF) and self.cohort.mrd_unit is None:
            refused = set(mixed_units(column, only))
            converted = [replace(one, text=None, problem=_MIXED, rule="one-unit") if cell in refused else one
                         for one, cell in zip(converted, only.distinct, strict=True)]  # fmt: skip
            if column.unit == "%" and suspect_fractions(only):
                self.warnings.append(at.problem(self.sheet.header_row, "fractions", _FRACTIONS, WARNING))
        return _Read(converted, only.places, at)

    def _carriers(self, read: dict[str, _Read]) -> dict[str, _Read]:
        """BCR::ABL1 found or not and the fusion gene by its name, each from the other where the sheet does not say."""
        gene = read.get(FUSION_GENE)
        if gene is None:
            return {}
        says_something = any(converted.text != "" for converted in gene.converted)
        asked_for_names = any(problem.rule == GENE_NAMED for problem in self.problems)
        if says_something or asked_for_names:
            lacking = ("bcr_abl1", "header-complete")
            self.problems = [p for p in self.problems if (p.column, p.rule) != lacking]
        if "bcr_abl1" not in read and not says_something:
            return {}
        nothing = np.zeros(len(self.sheet), dtype=np.int32)
        at = Place(self.sheet, "bcr_abl1", gene.at.position)
        own = read.get("bcr_abl1", _Read([Converted("")], nothing, at))
        together = np.stack([own.places, gene.places], axis=1)
        distinct, places = np.unique(together, axis=0, return_inverse=True)
        carriers, genes = [], []
        for own_place, gene_place in distinct:
            carrier, named = own.converted[own_place], gene.converted[gene_place]
            if carrier.text == "yes" and named.text == "":
                named = Converted(BCR_ABL1, ("from BCR::ABL1",))
            if carrier.text == "":
                carrier = _carrier(named, otherwise=carrier)
            carriers.append(carrier)
            genes.append(named)
        places = places.reshape(-1).astype(np.int32)
        return {
            "bcr_abl1": _Read(carriers, places, own.at),
            FUSION_GENE: _Read(genes, places, gene.at),
        }

    def _may_lack(self, column: Column) -> bool:
        """Whether a blank in the column may say that a value is not recorded."""
        return column.name in self.cohort.missing_allowed or (column.blank and not column.blank_is_none)

    def _judge_each(self, column: Column, found: Found, rule: str, judge: Callable[[Cell], Said | None]) -> None:
        """What is wrong with the cells that a value is made of, each told at its own place."""
        for position in found.positions:
            cells, at = self.sheet.columns[position], Place(self.sheet, column.name, position)
            self.problems += at.problems(rule, [judge(cell) for cell in cells.distinct], cells.places)

    def _no_date(self, missing: bool, cell: Cell) -> Said | None:
        """What is wrong with a cell that should hold a date; a blank is judged as any other."""
        date = None if _is_blank(cell, missing) else as_date(cell, self.cohort.date_order)
        return date if isinstance(date, Said) else None

    def _between(self, column: Column, cells: Sequence[Cell]) -> Converted:
        """The distance of two dates, in the column's unit; nothing where one of them is told to be wrong."""
        if any(_is_blank(cell, self._may_lack(column)) for cell in cells):
            return Converted("", ("dates",) if any(cell.text.strip() for cell in cells) else ())
        first, last = (as_date(cell, self.cohort.date_order) for cell in cells)
        if isinstance(first, Said) or isinstance(last, Said):
            return Converted(None)
        if last < first:
            return Converted(None, problem=_BACKWARDS, rule="dates-in-order")
        return Converted(BETWEEN[column.name](first, last), ("dates",))

    def _values_of_assays(self, read: dict[str, _Read]) -> dict[str, _Read]:
        """MRD values that stand in the columns of assays, where that of MRD is blank or is not there.

        Where it is not blank, the two must agree. The value is that of FC, or of RT-PCR where FC has none.
        """
        found = {}
        for name, assays in VALUE_OF.items():
            sources = [read[assay] for assay in assays if assay in read]
            sources = [source for source in sources if any(c.value_percent for c in source.converted)]
            if sources:
                found[name] = self._with_values(name, sources, read)
                lacking = (name, "header-complete")
                self.problems = [p for p in self.problems if (p.column, p.rule) != lacking]
        return found

    def _with_values(self, name: str, sources: Sequence[_Read], read: dict[str, _Read]) -> _Read:
        """A column of MRD with the values that stand in those of its assays, FC before RT-PCR."""
        nothing = np.zeros(len(self.sheet), dtype=np.int32)
        at = Place(self.sheet, name, sources[0].at.position)
        own = read.get(name, _Read([Converted("")], nothing, at))
        converted, places = list(own.converted), own.places.copy()
        is_blank = _mask([_holds_nothing(one) for one in own.converted])[own.places]
        taken = np.zeros(len(self.sheet), dtype=bool)
        fc = read.get(VALUE_OF[name][0])
        fc_positive = _mask([c.text == "positive" for c in fc.converted])[fc.places] if fc else taken
        for source in sources:
            values = np.array([c.value_percent or "" for c in source.converted], dtype=object)
            values = values[source.places]
            free = (values != "") & ~taken
            filled = free & is_blank
            if filled.any():
                self.changes.append(Place(self.sheet, name, source.at.position).change("value of the assay", filled))
            for value in dict.fromkeys(values[filled]):
                places[filled & (values == value)] = len(converted)
                converted.append(Converted(value))
            if source is not fc and (beside := (values != "") & taken).any():
                self.changes.append(source.at.change("value beside", beside))
            to_compare = free & ~is_blank
            if source is not fc:
                to_compare &= ~fc_positive  # there the value may be that of FC
            self._compare(own, source, values, to_compare)
            taken |= free
        return _Read(converted, places, own.at)

    def _compare(self, own: _Read, source: _Read, values: np.ndarray, rows: np.ndarray) -> None:
        """A problem in each of the rows whose MRD value is not the one that the column of the assay holds."""
        for row in np.flatnonzero(rows):
            stated = own.converted[own.places[row]].text
            if stated is None or (stated and Fraction(stated) == Fraction(values[row])):
                continue
            number = int(self.sheet.numbers[row])
            other = self.sheet.address(source.at.position, number)
            said = Said(
                f"is not the MRD value that stands in {other}: two columns disagree, correct one of them",
                f"与 {other} 中的 MRD 数值不一致：请更正其一",
            )
            self.problems.append(own.at.problem(number, "two-columns-disagree", said))

    def _absent(self, read: dict[str, _Read]) -> list[Column]:
        """Declared columns that the sheet lacks without a problem, and that may stand there under another header."""
        told = {problem.column for problem in self.problems if problem.rule.startswith("header-")}
        told |= {problem.column for problem in self.problems if problem.rule == GENE_NAMED}
        return [column for name, column in self.declared.items() if name not in read and name not in told]

    def _is_expected(self, name: str) -> bool:
        """Whether a line list that lacks the column is one in which nothing of it is recorded."""
        return name in self.cohort.missing_allowed and not self.declared[name].optional

    def _all_blank(self, name: str) -> _Read:
        self.changes.append(Change(name, "column not in the sheet", 0))
        return _Read([Converted("")], np.zeros(len(self.sheet), dtype=np.int32), Place(self.sheet, name, None))

    def _table(self, read: dict[str, _Read]) -> Table:
        """Codes of every column that was read; problems, warnings and changes on the way."""
        codes, blank, amounts, limits = {}, {}, {}, {}
        ids: list[str] = []
        for name, column in self.declared.items():
            if name not in read:
                continue
            one = read[name]
            self.changes += _changes(one)
            self.warnings += one.at.problems(f"{name}-odd", [c.warning for c in one.converted], one.places, WARNING)
            if column.type == "identifier":
                ids = [one.converted[place].text for place in one.places]
                self.problems += identifier_problems(one.at, ids)
                continue
            values, advice, rules = [], [], []
            for converted in one.converted:
                code, said = (None, converted.problem) if converted.text is None else parse_cell(column, converted.text)
                values.append(code)
                advice.append(self._hint(column, said, converted.text == ""))
                rules.append(converted.rule or f"{name}-allowed")
            if held := _per_row([_amount(c) for c in one.converted], one.places):
                amounts[name] = held
            if held := _per_row([c.limit_percent for c in one.converted], one.places):
                limits[name] = held
            codes[name] = np.array([value or 0 for value in values], dtype=np.int64)[one.places]
            blank[name] = _mask([value is None for value in values])[one.places]
            self.problems += map(self._of_merged, one.at.problems(rules, advice, one.places))
        columns = {name: self.declared[name] for name in codes}
        return Table(columns, codes, blank, self._identifiers(ids), is_reconstructed(self.sheet), amounts, limits)

    def _examples(self) -> list[Problem]:
        """Rows that say that they are the template's example, and are not: a patient was written over it."""
        cells, name = self.sheet.columns[0], self.recognised.served.get(0, self.sheet.letters(0))
        said = [_OVERWRITTEN if is_example(cell) else None for cell in cells.distinct]
        return Place(self.sheet, name, 0).problems("example-row", said, cells.places)

    def _of_merged(self, problem: Problem) -> Problem:
        """A problem with the rest of a merged cell, which is blank, says so."""
        if problem.row not in self.merged.get(problem.header, ()):
            return problem
        said = Said(
            "is part of a merged cell: if its value counts for each row, name the column under merged in cohort.yaml, "
            f"as in merged: [{problem.column}]; else it {problem.advice.en}",
            f"为合并单元格的一部分：如该值适用于每一行，请在 cohort.yaml 的 merged 中列入此列，如 "
            f"merged: [{problem.column}]；否则{problem.advice.zh}",
        )
        return replace(problem, advice=said)

    def _hint(self, column: Column, said: Said | None, blank: bool) -> Said | None:
        """What else can be done about a cell: say in cohort.yaml what it means."""
        if said is None or self.cohort.reconstructed or PROVENANCE in self.sheet.header:
            return said
        if blank and column.name not in NEVER_MISSING:
            return Said(f"{said.en}; or, if not recorded, name {column.name} under missing_allowed in cohort.yaml",
                        f"{said.zh}；如未记录，请在 cohort.yaml 的 missing_allowed 中列入 {column.name}")  # fmt: skip
        if column.name == "group" and not self.cohort.groups_stated:
            return Said(f"{said.en}; or name your own groups under groups in cohort.yaml",
                        f"{said.zh}；或在 cohort.yaml 的 groups 中写明本院的分组")  # fmt: skip
        return said

    def _identifiers(self, typed: list[str]) -> tuple[str, ...]:
        """Pseudonyms in the order of the sheet, unless those typed are such, are asked to be kept, or are nobody's."""
        if not typed or not self.cohort.pseudonyms or is_reconstructed(self.sheet) or privacy.are_pseudonyms(typed):
            return tuple(typed) or tuple(map(str, self.sheet.numbers.tolist()))
        at = Place(self.sheet, "patient_id", self.recognised.found["patient_id"].positions[0])
        self.changes.append(at.change("pseudonym", np.ones(len(typed), dtype=bool)))
        return privacy.pseudonyms(len(typed))


def _carrier(gene: Converted, otherwise: Converted) -> Converted:
    """Whether BCR::ABL1 was found, from the fusion gene as it was read; what else is known where that says nothing."""
    if gene.text is None:
        return Converted(None)  # what is wrong with the gene is told of the gene
    if gene.text == "":
        return otherwise
    return Converted("yes" if gene.text == BCR_ABL1 else "no", ("from the gene",))


def _holds_nothing(converted: Converted) -> bool:
    """Whether a cell of MRD says nothing of it: a blank, which may stand beside a value elsewhere."""
    says_none = {"not detected", "below limit"} & {*converted.changes}
    return converted.text == "" and not says_none


def _amount(converted: Converted) -> Fraction | None:
    """The value in percent that stands beside a result."""
    return None if converted.value_percent is None else Fraction(converted.value_percent)


def _per_row(values: Sequence[Fraction | None], places: np.ndarray) -> tuple[Fraction | None, ...]:
    """Each row's value; nothing at all where there is none in any row."""
    if not any(value is not None for value in values):
        return ()
    return tuple(values[place] for place in places)


def _names_no_gene(converted: Sequence[Converted]) -> bool:
    """Whether cells of fusion genes say that one was found, and none of them says which."""
    found = any(one.rule == GENE_NAMED for one in converted)
    return found and not any(one.text not in (None, "", "none") for one in converted)


def _no_gene_named(header: str) -> Said:
    mapped = f"columns: {{bcr_abl1: {header}}}"
    return Said(
        "its cells say that a fusion gene was found, but not which: name the gene in each cell, or, "
        f"if BCR::ABL1 alone is meant, write in cohort.yaml {mapped}",
        f"本列只注明检出融合基因，未注明哪种：请逐格填写基因名称；如专指 BCR::ABL1，请在 cohort.yaml 中写 {mapped}",
    )


BCR_ABL1 = "BCR::ABL1"
_SAYS_PERCENT = re.compile("[%％]|percent|百分", re.I)
_OVERWRITTEN = Said(
    "this row still says EXAMPLE but holds other values: write the patient's own number, or restore or delete the row",
    "此行仍标为示例（EXAMPLE），但内容已改动：请填写患者编号，或恢复、删除此行",
)
_BOX = Column("box", "boolean", blank=True)
_MIXED = Said(
    "is written in another way than the rest of its column (a % sign, none, or an exponent), which may be a factor of "
    "100: write all in the same way, or say under mrd_unit in cohort.yaml what numbers without a sign mean",
    "与本列其他单元格写法不同（有无百分号或科学计数），可能相差 100 倍：请统一写法，"
    "或在 cohort.yaml 的 mrd_unit 中注明无百分号数字的单位",
)
_FRACTIONS = Said(
    "every value without a % sign is 1 or less: are these in percent, or fractions (0.0001 for 0.01%)? Say which under "
    "mrd_unit in cohort.yaml (percent or fraction)",
    "无百分号的数值均不大于 1：是百分数，还是比例（如 0.0001 表示 0.01%）？请在 cohort.yaml 的 mrd_unit 中"
    "注明（percent 或 fraction）",
)
_BACKWARDS = Said("the second date is before the first: correct one of them", "后一日期早于前一日期：请更正其一")
_BOX_ALLOWED = Said("is no box: write 1 (checked) or 0 (not checked)", "不是勾选框：请填写 1（勾选）或 0（未勾选）")
_SEVERAL_BOXES = Said("several boxes are checked where one answer is needed: keep one", "勾选了多个选项：请只保留一个")


def _no_box(cell: Cell) -> Said | None:
    """What is wrong with a cell that should hold a box; a blank one is not checked."""
    return _BOX_ALLOWED if convert(_BOX, cell, How(missing=True)).problem else None


def _checked(column: Column, words: Sequence[str], cells: Sequence[Cell]) -> Converted:
    """The word of the one box that is checked; a blank where none is, nothing where one is told to be wrong.

    One box alone is a no where it holds 0; a blank one was not filled in.
    """
    boxes = [convert(_BOX, cell, How(missing=True)).text for cell in cells]
    if None in boxes:
        return Converted(None)
    chosen = [word for word, box in zip(words, boxes, strict=True) if box == "yes"]
    if column.type == "boolean" and len(words) == 1 and boxes != [""]:
        return Converted(words[0] if chosen else {"yes": "no", "no": "yes"}[words[0]], ("boxes",))
    if len(chosen) > 1:
        return Converted(None, problem=_SEVERAL_BOXES, rule="one-box")
    return Converted(chosen[0] if chosen else "", ("boxes",))


def _combined(columns: Sequence[Cells], judge: Callable[[Sequence[Cell]], Converted]) -> tuple[list, np.ndarray]:
    """Each distinct combination of cells judged once, and which one each row has."""
    together = np.stack([cells.places for cells in columns], axis=1)
    distinct, places = np.unique(together, axis=0, return_inverse=True)
    cells = ([column.distinct[place] for column, place in zip(columns, row, strict=True)] for row in distinct)
    return [judge(row) for row in cells], places.reshape(-1).astype(np.int32)


def _changes(read: _Read) -> Iterator[Change]:
    """What was changed in a column, a line for each kind of change."""
    for what in dict.fromkeys(what for converted in read.converted for what in converted.changes):
        rows = _mask([what in converted.changes for converted in read.converted])[read.places]
        if rows.any():
            yield read.at.change(what, rows)


def _trimmed(cell: Cell) -> tuple[str, ...]:
    return ("trimmed",) if cell.text != cell.text.strip() else ()


def _is_blank(cell: Cell, missing: bool) -> bool:
    """Whether a cell holds nothing or, where a value may be missing, says that it is not known."""
    return cell.kind == "text" and (not cell.text.strip() or missing and says_missing(cell.text))


def _once(problems: Sequence[Problem]) -> list[Problem]:
    """All problems in order, one with a date or box that serves several columns told of the first of them alone."""
    shared: dict[tuple, Problem] = {}
    for problem in problems:
        of = () if problem.rule in ("date", "box") and problem.cell else (problem.column, problem.row)
        shared.setdefault((problem.cell, problem.rule, problem.advice, *of), problem)
    return sorted(shared.values())


def _mask(values: Sequence[bool]) -> np.ndarray:
    return np.array(values, dtype=bool)


def _nothing() -> Table:
    return Table({}, {}, {}, ())
