"""Rules across the columns of a line list: what cannot be, and what can be but is odd."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from math import ceil, floor

import numpy as np

from blina.linelist import chinese
from blina.linelist.cohort import Cohort
from blina.linelist.columns import COLUMNS, Rule
from blina.linelist.parse import MOST_ALIKE, Place
from blina.linelist.predicate import compile_predicate
from blina.linelist.problems import WARNING, Problem, Said
from blina.linelist.settings import Threshold
from blina.linelist.sheet import Cells, Sheet
from blina.linelist.table import Table

LEAST_FILLED = 8  # cells that two rows must share before they are taken for one patient
MONTHS_OF_YEAR, LONGEST_PLANNED, SHORTEST_COMPLETED, DEATH = 12, 28, 7, 5


def rules_that_apply(rules: Iterable[Rule], columns: Collection[str]) -> list[Rule]:
    """The rules whose columns are all there."""
    return [rule for rule in rules if rule.columns <= set(columns)]


def rule_problems(
    table: Table, rules: Iterable[Rule], sheet: Sheet, places: Mapping[str, Place], faulty: Iterable[Problem] = ()
) -> list[Problem]:
    """A problem for each row that breaks a rule, on the first column that the rule's `then` names.

    A rule is not asked of a row in which one of its own cells is `faulty`, nor where one of its columns is not there.
    """
    unreadable = {(problem.row, problem.column) for problem in faulty}
    problems = []
    for rule in rules_that_apply(rules, table.columns):
        when, then = (compile_predicate(part, table.columns) for part in (rule.when, rule.then))
        names = when.column_names() | then.column_names()
        said = Said(
            f"does not fit the rest of its row ({rule.why}): correct one of them",
            f"与本行其他内容不符（{chinese.RULES.get(rule.id, rule.why)}）：请更正其一",
        )
        rows = sheet.numbers[np.flatnonzero(when.holds(table) & ~then.holds(table))].tolist()
        rows = [row for row in rows if not any((row, name) in unreadable for name in names)]
        problems += [places[rule.column].problem(row, rule.id, said) for row in rows[:MOST_ALIKE]]
        if (more := len(rows) - MOST_ALIKE) > 0:
            said = Said(
                f"and {more} more {'rows below break' if more > 1 else 'row below breaks'} this rule",
                f"以下另有 {more} 行不符合此规则",
            )
            problems.append(places[rule.column].problem(rows[MOST_ALIKE], rule.id, said))
    return problems


@dataclass(frozen=True)
class Oddity:
    """Something that can be, but is more often a slip.

    `holds` takes the codes of the columns `needs`, in their order and only where all are given, with the table.
    """

    id: str
    needs: tuple[str, ...]
    holds: Callable[..., np.ndarray]
    said: Said

    @property
    def column(self) -> str:
        """The column that it is told of: the first that is needed."""
        return self.needs[0]

    def rows(self, table: Table) -> np.ndarray:
        """Positions of the rows that are odd."""
        given = np.logical_and.reduce([~table.blank[name] for name in self.needs])
        return np.flatnonzero(given & self.holds(table, *(table.codes[name] for name in self.needs)))


def _is(table: Table, column: str, word: str) -> np.ndarray:
    return table.codes[column] == table.columns[column].words.get(word, -1)


MRD = next(column for column in COLUMNS if column.name == "mrd_before_percent")


def _all_cells(_: Table, percent: np.ndarray) -> np.ndarray:
    return percent == MRD.highest


ALL_CELLS = Said("is 100%: is this a share of all cells?", "为 100%：确为占全部细胞的比例？")
ODDITIES: tuple[Oddity, ...] = (
    Oddity(
        "age-zero",
        ("age_years",),
        lambda table, age: age == 0,
        Said("is 0.0 years: a newborn, or an age that is not known?", "为 0.0 岁：确为新生儿，还是年龄不详？"),
    ),
    Oddity("mrd-before-all-cells", ("mrd_before_percent",), _all_cells, ALL_CELLS),
    Oddity("mrd-after-all-cells", ("mrd_after_percent",), _all_cells, ALL_CELLS),
    Oddity(
        "interval-longer-than-life",
        ("months_from_diagnosis", "age_years"),
        lambda table, months, age: months > MONTHS_OF_YEAR * (age + 1),  # both in tenths; an age may be cut off
        Said(
            "is longer than the patient's life: look at the age and at the unit (months)",
            "长于患者年龄：请核对年龄及单位（月）",
        ),
    ),
    Oddity(
        "longer-than-planned",
        ("infusion_days",),
        lambda table, days: days > LONGEST_PLANNED,
        Said(
            "is more than the 28 days of a cycle: are days of later cycles in it?",
            "超过一个疗程的 28 天：是否计入了后续疗程？",
        ),
    ),
    Oddity(
        "completed-early",
        ("infusion_days", "stop_reason"),
        lambda table, days, _: (days < SHORTEST_COMPLETED) & _is(table, "stop_reason", "completed"),
        Said("is less than a week of a cycle that is called completed", "不足一周，而疗程记为完成"),
    ),
    Oddity(
        "cycles-after-death",
        ("extra_cycles", "crs_grade", "icans_grade"),
        lambda table, cycles, crs, icans: (cycles > 0) & (np.maximum(crs, icans) == DEATH),
        Said("counts further cycles after an event of grade 5 (death)", "5 级（死亡）之后仍有后续疗程：请核对"),
    ),
    Oddity(
        "value-though-negative",
        ("mrd_after_percent", "fc_after", "pcr_after"),
        lambda table, *_: ~_is(table, "fc_after", "positive") & ~_is(table, "pcr_after", "positive"),
        Said(
            "holds a value though no assay was positive after: look at the assays",
            "治疗后检测均非阳性却有数值：请核对检测结果",
        ),
    ),
)


OF_ASTCT = Oddity(
    "no-fever-with-crs",
    ("crs_grade", "fever_cycle1"),
    lambda table, crs, fever: (crs > 0) & (fever == 0),
    Said(
        "is CRS without fever: ASTCT asks for fever, unless it was suppressed",
        "有 CRS 而无发热：ASTCT 标准以发热为前提（除非已用药控制）",
    ),
)


def _of_cohort(cohort: Cohort) -> Iterator[Oddity]:
    """What is odd by the grading scale and the thresholds that a cohort states."""
    if cohort.grading_scale_stated and cohort.scale("CRS") == "ASTCT 2019":
        yield OF_ASTCT
    if (assay := cohort.assays.get("FC")) and assay.negative:
        said = Said("does not agree with FC by the threshold in cohort.yaml: look at both, and at the unit",
                    "与流式结果按 cohort.yaml 的阈值判定不一致：请核对两者及单位")  # fmt: skip
        for time in ("before", "after"):
            needs = (f"mrd_{time}_percent", f"fc_{time}")
            yield Oddity(f"fc-and-value-{time}", needs, partial(_disagree, assay.negative, needs[1]), said)


def _disagree(threshold: Threshold, fc: str, table: Table, percent: np.ndarray, _: np.ndarray) -> np.ndarray:
    """Where FC is positive though the value is negative by its threshold, or the other way round."""
    limit = threshold.limit / MRD.size
    negative = percent <= floor(limit) if threshold.or_equal else percent < ceil(limit)
    return np.where(negative, _is(table, fc, "positive"), _is(table, fc, "negative"))


def without_gene(
    table: Table, sheet: Sheet, places: Mapping[str, Place], faulty: Iterable[Problem] = ()
) -> list[Problem]:
    """Warnings on RT-PCR of patients in whom BCR::ABL1 was not found and no other gene is named, one a column.

    Where it is blank or not done, there may have been nothing to follow, but only the ward can know. Where it has a
    result, a gene was followed that the sheet does not name. Cells that are `faulty` are not counted.
    """
    if "bcr_abl1" not in table.columns:
        return []
    unreadable = {(problem.row, problem.column) for problem in faulty}
    nobodys = _is(table, "bcr_abl1", "no") & ~table.blank["bcr_abl1"]
    if "fusion_gene" in table.columns:
        nobodys &= table.blank["fusion_gene"] | _is(table, "fusion_gene", "none")
    warnings = []
    for name in ("pcr_before", "pcr_after"):
        if name not in table.columns or places[name].position is None:
            continue
        readable = np.array([(row, name) not in unreadable for row in sheet.numbers.tolist()])
        blank = table.blank[name]
        result = ~blank & (_is(table, name, "positive") | _is(table, name, "negative"))
        lacking = blank | _is(table, name, "not_done")
        for rule, rows, said in (
            ("nothing-to-follow", lacking, _nothing_to_follow),
            ("gene-not-named", result, _gene_not_named),
        ):
            if count := int((nobodys & rows & readable).sum()):
                warnings.append(places[name].problem(sheet.header_row, rule, said(count), WARNING))
    return warnings


def _nothing_to_follow(count: int) -> Said:
    patients = f"{count} patients" if count > 1 else "1 patient"
    return Said(
        f"is blank or not_done in {patients} without a fusion gene, which counts as not assessed: "
        "write not_applicable where no gene was there to follow",
        f"{count} 例无融合基因的患者此列为空或未做，按未评估处理：如无基因可供监测，请填 not_applicable（不适用）",
    )


def _gene_not_named(count: int) -> Said:
    patients = f"{count} patients" if count > 1 else "1 patient"
    return Said(
        f"has a result in {patients} without BCR::ABL1 and with no other gene named: name the gene under fusion_gene",
        f"{count} 例无 BCR::ABL1 且未注明其他基因的患者有 RT-PCR 结果：请在 fusion_gene（融合基因）列填写基因名称",
    )


def same_patients(sheet: Sheet, at: Place) -> list[Problem]:
    """A warning on each row that repeats an earlier one in every column but that of the identifier.

    Asked only of rows in which `LEAST_FILLED` other cells are filled.
    """
    columns = [_texts(cells) for place, cells in enumerate(sheet.columns) if place != at.position]
    if len(columns) < LEAST_FILLED:
        return []
    codes = np.stack(columns, axis=1)
    _, first, same = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    first = first[same.reshape(-1)]
    rows = np.flatnonzero((first < np.arange(len(sheet))) & ((codes > 0).sum(axis=1) >= LEAST_FILLED))
    return [at.problem(int(sheet.numbers[row]), "same-values", _same(int(sheet.numbers[first[row]])), WARNING)
            for row in rows[:MOST_ALIKE]]  # fmt: skip


def _texts(cells: Cells) -> np.ndarray:
    """A number for each row's text, 0 for a blank."""
    index = {"": 0}
    numbers = [index.setdefault(cell.text.strip(), len(index)) for cell in cells.distinct]
    return np.array(numbers, dtype=np.int32)[cells.places]


def _same(row: int) -> Said:
    return Said(f"same values as row {row} in every other column: the same patient twice?",
                f"其余各列均与第 {row} 行相同：是否为同一患者重复登记？")  # fmt: skip


def oddities(table: Table, sheet: Sheet, places: Mapping[str, Place], cohort: Cohort) -> list[Problem]:
    """Warnings on cells that are plausible but odd, row by row; the table may lack columns."""
    found = []
    for oddity in (*ODDITIES, *_of_cohort(cohort)):
        if set(oddity.needs) <= table.columns.keys():
            rows = sheet.numbers[oddity.rows(table)].tolist()
            found += [places[oddity.column].problem(row, oddity.id, oddity.said, WARNING) for row in rows[:MOST_ALIKE]]
    return found
