"""From a cell as it stands in a sheet to the text that the strict parser takes, with what was changed on the way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal
from fractions import Fraction
from itertools import count
from math import floor
from typing import Literal

import numpy as np

from blina.linelist.chinese import allowed
from blina.linelist.cohort import NEVER_MISSING
from blina.linelist.columns import NUMBER, Column
from blina.linelist.dates import DAYS_OF_MONTH, DAYS_OF_YEAR
from blina.linelist.parse import parse_cell
from blina.linelist.phrases import FOUND
from blina.linelist.problems import Said
from blina.linelist.settings import Assay, Threshold
from blina.linelist.sheet import Cell, Cells
from blina.linelist.vocabulary import (
    BY_NAME,
    MISSING,
    NO,
    NOT_APPLICABLE,
    UNCLEAR,
    UNIT_OF,
    folded,
    normalised,
    word_of,
)

CHANGES: dict[str, Said] = {
    "trimmed": Said("blanks around it left out", "去除首尾空格"),
    "typing": Said("full-width characters, capitals, blanks or hyphens rewritten", "改写全角、大小写、空格或连字符"),
    "filled": Said("taken from the first row of a merged cell", "取自合并单元格的首行"),
    "word": Said("word read as the declared one", "按通用词义转换为规定用词"),
    "own word": Said("own word replaced as cohort.yaml says", "按 cohort.yaml 将本院用词转换"),
    "missing": Said("said not to be known: left blank", "注明不详：留空"),
    "no value": Said("says that there is no value: left blank", "注明无数值：留空"),
    "none": Said("none read as 0", "“无”读作 0"),
    "unit": Said("unit behind the number left out", "去除数字后的单位"),
    "converted": Said("converted to the unit of the column, rounded to its step (halves up)",
                      "换算单位并按精度四舍五入"),
    "decimal comma": Said("decimal comma read as a point", "小数逗号读作小数点"),
    "rounded": Said("rounded to the step of the column (halves up)", "按该列精度四舍五入"),
    "grade": Said("grade written as a number", "分级改写为数字"),
    "percent sign": Said("percent sign left out, the value is in percent", "去除百分号（数值单位为 %）"),
    "percent cell": Said("percent cell read in percent", "百分比格式单元格按 % 读取"),
    "fraction": Said("number read as a fraction, as cohort.yaml says, and turned to percent",
                     "按 cohort.yaml 将比例换算为 %"),
    "power of ten": Said("power of ten read as a fraction and turned to percent", "10 的幂按比例读取并换算为 %"),
    "exponent": Said("number with an exponent (1.2e-4) written out, in percent", "科学计数（1.2e-4）改写为 % 数值"),
    "not detected": Said("MRD not detected: no value", "MRD 未检出：数值留空"),
    "below limit": Said("below a limit: not detected, the limit kept", "低于某界限：按未检出，保留该界限"),
    "threshold": Said("value judged against the threshold of the assay", "数值按该检测的阈值判定"),
    "status and value": Said("result taken from the word, value kept apart", "结果取自文字，数值另存"),
}  # fmt: skip

FUSION_GENE = "fusion_gene"
GENE_NAMED = "gene-named"  # the rule that a fusion gene is told by its name
_FOUND = frozenset(map(normalised, FOUND))
LONGEST = 200  # characters of a cell that is read at all: beyond, it is a note


@dataclass(frozen=True)
class How:
    """What cohort.yaml says of a column: own words, its assay, the unit of plain MRD numbers, whether blanks may stand
    for values that were not recorded (`missing`); and whether its header says that it is `in_percent`."""

    words: Mapping[str, str] = field(default_factory=dict)
    assay: Assay | None = None
    mrd_unit: Literal["percent", "fraction"] | None = None
    missing: bool = False
    in_percent: bool = False


@dataclass(frozen=True)
class Converted:
    """What a cell is read as: `text` for the strict parser ("" for a blank), None where there is a problem.

    `changes` are keys of `CHANGES`; there is one at least where `text` is not what the cell holds. `rule` is the id of
    the problem's rule. `value_percent` is the MRD value that a positive result came with, `boundary` whether a value
    lay on its threshold. `limit_percent` is the limit below which a cell says that nothing was detected.
    """

    text: str | None
    changes: tuple[str, ...] = ()
    problem: Said | None = None
    rule: str = ""
    warning: Said | None = None
    value_percent: str | None = None
    boundary: bool = False
    limit_percent: Fraction | None = None


def convert(column: Column, cell: Cell, how: How) -> Converted:
    """A cell of a declared column as the strict parser takes it. Never raises, never repeats a value in a message."""
    found = _judged(column, cell, how)
    if found.text and column.type != "identifier" and (advice := parse_cell(column, found.text)[1]):
        found = _refused(f"{column.name}-allowed", advice)
    if found.text is None:
        return found
    if found.text in ("", "negative") and (column.unit == "%" or _is_assay(column)):
        found = replace(found, limit_percent=_typed_limit(cell, how))
    changes = found.changes
    if not changes and found.text != cell.text:
        changes = ("trimmed",) if found.text == cell.text.strip() else ("typing",)
    return replace(found, changes=changes + (("filled",) if cell.filled else ()))


def _typed_limit(cell: Cell, how: How) -> Fraction | None:
    """The limit, in percent, that a cell such as <0.01% or 阴性(<0.01%) states; None where it states none."""
    _, inner = _status_and_value(cell)
    mrd = read_mrd(inner, how.mrd_unit)
    if isinstance(mrd, Said) or mrd.comparison not in ("<", "<="):
        return None
    return mrd.value or None


def _refused(rule: str, said: Said) -> Converted:
    return Converted(None, problem=said, rule=rule)


def _write(column: Column, en: str, zh: str) -> Said:
    """What is wrong, and what may stand there."""
    return Said(f"{en}: write {column.allowed}", f"{zh}：请填写{allowed(column)}")


def _judged(column: Column, cell: Cell, how: How) -> Converted:
    if cell.kind == "error":
        return _refused("spreadsheet-error", _write(column, "is an error of the spreadsheet", "为表格公式错误"))
    if cell.kind == "uncalculated":
        return _refused("uncalculated", _UNCALCULATED)
    if column.type == "identifier" or not folded(cell.text):
        return Converted(cell.text.strip() if folded(cell.text) else "")
    if (own := _own_word(cell, how.words)) is not None:
        return Converted(own, ("own word",) if own != cell.text else ())
    if cell.text.strip() in column.words:
        return Converted(cell.text.strip())
    if cell.kind == "date":
        return _refused("date-in-place", _write(column, *_DATE_IN_PLACE))
    if len(cell.text) > LONGEST:
        return _refused(f"{column.name}-allowed", _write(column, "is a long text", "文字过长"))
    if not _shows_itself(column, cell):
        return _refused("shown-otherwise", _write(column, *_SHOWN_OTHERWISE))
    said = normalised(cell.text)
    if said in MISSING or (said in UNCLEAR | NOT_APPLICABLE and not _may_be_none(column)):
        return _missing(column, how)
    if column.unit == "%":
        return _mrd(column, cell, how)
    if column.is_number:
        return _number(column, cell)
    return _status(column, cell, how) if _is_assay(column) else _word(column, cell)


def _own_word(cell: Cell, words: Mapping[str, str]) -> str | None:
    """The declared word for one's own, as typed or as it compares; None if it is not one, or could be two."""
    for typed in (cell.text.strip(), cell.shown):
        if typed in words:
            return words[typed]
    alike = {words[word] for word in words if normalised(word) == normalised(cell.text)}
    return alike.pop() if len(alike) == 1 else None


def _missing(column: Column, how: How) -> Converted:
    if how.missing:
        return Converted("", ("missing",))
    if column.name in NEVER_MISSING:
        return _refused("not-known", _write(column, "is said not to be known", "注明不详"))
    return _refused("not-known", Said(
        f"is said not to be known: write {column.allowed}, or name {column.name} under missing_allowed in cohort.yaml",
        f"注明不详：请填写{allowed(column)}；如未记录，请在 cohort.yaml 的 missing_allowed 中列入 {column.name}",
    ))  # fmt: skip


def _is_assay(column: Column) -> bool:
    return {"positive", "negative", "not_done"} <= set(column.values)


def _may_be_none(column: Column) -> bool:
    """Whether NA or a hyphen in the column may mean something else than that it is not recorded."""
    whole_from_0 = column.type == "integer" and not column.lowest
    or_none = column.type == "boolean" or "none" in column.values
    return column.blank_is_none or whole_from_0 or or_none or _is_assay(column)


# What is wrong, in words; of pairs, what may stand in the column is told behind them.

_UNCALCULATED = Said(
    "is a formula whose result the file does not hold: open and save the file in a spreadsheet, or write the value",
    "为公式而文件中无计算结果：请用表格软件打开并保存，或直接填写数值",
)
_DATE_IN_PLACE = ("is a date; a spreadsheet makes one of texts such as 2-3", "为日期（表格会将 2-3 等文字变为日期）")
_SHOWN_OTHERWISE = (
    "holds a number that the spreadsheet shows otherwise, with other text beside it or not at all",
    "所存数字与表格显示不一致（数字格式另加了文字或将其隐藏）",
)
_PERCENT_CELL = ("is a percent cell, where a plain number is meant", "为百分比格式，此处应为普通数字")
_A_LIMIT = ("is a limit and not one number", "为界限而非确定数值")
_NONE_OR_UNKNOWN = ("may mean none, or not recorded", "可能表示“无”或“未记录”")
_NEGATIVE_OR_NOT_DONE = (
    "may mean negative, not done, not applicable or not recorded",
    "可能表示阴性、未做、不适用或未记录",
)
_WHICH_GENE = ("says that a fusion gene was found, but not which", "只注明阳性，未注明哪种融合基因")
_BOTH_SIDES = ("is a limit on both sides of the threshold of the assay", "为界限，无法按阈值判定")
_CONTRADICT = ("holds a word and a value that contradict each other", "文字与数值相互矛盾")
_DISAGREE = ("holds a word and a value that do not agree by the threshold of the assay", "文字与数值按阈值判定不一致")
_OVER_100 = ("is over 100, which no percentage of cells is", "超过 100，不是百分数")
_COMMA = Said(
    "holds a comma that may stand for thousands or for decimals: use a point for decimals, and no comma",
    "逗号可能是千位分隔或小数点：小数请用小数点，勿用逗号",
)
_POWER_LOST_SAID = Said(
    "may be a power of ten that has lost its raised figure: write the value in percent, as in 0.01%",
    "可能为丢失上标的 10 的幂：请以百分数填写，如 0.01%",
)
_NOT_MRD = Said(
    "is not an MRD value: write a number in percent, as in 0.145, or leave it blank where not detected",
    "不是 MRD 数值：请填写百分数，如 0.145；未检出则留空",
)
_VALUE_NEEDED = Said(
    "says that MRD was found, but not how much: write the value in percent, as in 0.145",
    "只注明阳性而无数值：请填写百分数，如 0.145",
)
_THRESHOLD = Said(
    "is a value, and nothing says which values are negative: write positive or negative, or declare the threshold "
    "under assays in cohort.yaml",
    "为数值，但未声明阴性阈值：请填写 positive（阳性）或 negative（阴性），或在 cohort.yaml 的 assays 中声明阈值",
)
_EXPONENT = Said(
    "a number with an exponent (as in 1.2e-4) was read as a fraction, not in percent: say under mrd_unit in "
    "cohort.yaml (percent or fraction) which is meant",
    "科学计数（如 1.2e-4）按比例（如 0.0001 表示 0.01%）而非 % 读取：请在 cohort.yaml 的 mrd_unit 中注明 percent 或 "
    "fraction",
)
_UNDER_PERCENT = Said(
    "a power of ten or exponent without % was read as a fraction, not in percent, though the header says %, which is a "
    "factor of 100: write it with %, or say under mrd_unit in cohort.yaml what is meant",
    "表头注明 %，而无百分号的 10 的幂或科学计数按比例读取，可能相差 100 倍：请加百分号，"
    "或在 cohort.yaml 的 mrd_unit 中注明单位",
)
_FINER = Said(
    "is finer than 0.0001%: round it, or, if it is a fraction and not in percent, say so under mrd_unit in cohort.yaml",
    "精度超过 0.0001%：请取舍；如为比例（如 0.0001 表示 0.01%）而非百分数，请在 cohort.yaml 的 mrd_unit 中注明",
)

# Words


def _word(column: Column, cell: Cell) -> Converted:
    """A category or boolean."""
    said = normalised(cell.text)
    if (word := word_of(column, cell.text)) is not None:
        return Converted(word, ("typing" if normalised(word) == said else "word",))
    if column.blank_is_none and said in NO | NOT_APPLICABLE | UNCLEAR:
        return Converted("", ("no value",))
    if said in UNCLEAR | NOT_APPLICABLE:
        return _refused("unclear", _write(column, *_NONE_OR_UNKNOWN))
    if column.name == FUSION_GENE and said in _FOUND:
        return _refused(GENE_NAMED, _write(column, *_WHICH_GENE))
    return _refused(*(("code", _code(column)) if said.isdecimal() else (f"{column.name}-allowed", _unknown(column))))


def _code(column: Column) -> Said:
    en, zh = ("; a value takes a percent sign, as in 1%", "；数值请加百分号，如 1%") if _is_assay(column) else ("", "")
    return Said(
        f"may be a code: write {column.allowed}, or say under values in cohort.yaml what the code means{en}",
        f"可能为编码：请填写{allowed(column)}，或在 cohort.yaml 的 values 中注明编码含义{zh}",
    )


def _unknown(column: Column) -> Said:
    return Said(f"write {column.allowed}; or say under values in cohort.yaml what your word means",
                f"请填写{allowed(column)}；或在 cohort.yaml 的 values 中注明本院用词的含义")  # fmt: skip


# Numbers

_NUMBER_SHOWN = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d{1,3})?", re.ASCII)
_HELD = 15  # significant digits that a spreadsheet shows of a number; those beyond are noise of its arithmetic
_LIMIT = re.compile(
    r"(?:<|>|=<|=>|≤|≥|≦|≧|大于|小于|高于|低于|超过|不足|at least|at most|over|under).*|.*(?:\d\+|以上|以下)"
)
_WITH_COMMA = re.compile(r"([+-]?)(\d+),(\d+)")
_RANGE = re.compile(r"\D*\d[\d.]*[^\d.]*?[-~/,、;:至到或⁄ ][^\d.]*\d.*")


def _number(column: Column, cell: Cell) -> Converted:
    """A whole number, grade, or decimal that is no MRD value."""
    if cell.kind == "percent":
        return _refused("percent-cell", _write(column, *_PERCENT_CELL))
    if cell.kind == "number":
        return _held(column, cell)
    plain = folded(cell.text)
    if (number := _as_number(plain)) is not None:
        return Converted(*number)
    said = normalised(cell.text)
    if said in NO and column.type == "integer" and not column.lowest:
        return Converted("0", ("none",))
    if column.blank_is_none and said in NO | NOT_APPLICABLE | UNCLEAR:
        return Converted("", ("no value",))
    for read in (_grade, _with_unit):
        if (found := read(column, plain, cell.text)) is not None:
            return found
    return _refused(f"{column.name}-allowed", _no_number(column, plain, said))


def _held(column: Column, cell: Cell) -> Converted:
    """A number of a spreadsheet: as held if that is on a step of the column, else rounded to it where shown so."""
    unit = ("unit",) if _beside(cell) else ()
    for text in (cell.text, f"{_without_noise(cell):f}"):
        if (Fraction(text) / column.size).denominator == 1:
            return Converted(text, unit + (("rounded",) if text != cell.text else ()))
    if _last_place(cell) >= column.size:
        return Converted(column.text(_nearest(Fraction(cell.text) / column.size)), (*unit, "rounded"))
    return Converted(cell.text)  # between two steps, as the strict parser says


def _without_noise(cell: Cell) -> Decimal:
    """The number that a spreadsheet holds, without the noise of its arithmetic."""
    return Decimal(cell.text).normalize(Context(prec=_HELD))


def _last_place(cell: Cell) -> Fraction:
    """What the last digit is worth that a spreadsheet shows of a number; 0 where it shows all that it holds."""
    shown = _NUMBER_SHOWN.search(folded(cell.shown))
    return Fraction(10) ** Decimal(shown[0]).as_tuple().exponent if shown else Fraction(0)


def _beside(cell: Cell) -> str | None:
    """The text that a spreadsheet shows beside a number (周 of 4周); None where it shows another number or none."""
    if cell.kind not in ("number", "percent") or not cell.shown:
        return ""
    plain = folded(cell.shown)
    shown = _NUMBER_SHOWN.search(plain)
    percent = cell.kind == "percent"
    if not shown or 2 * abs(Fraction(shown[0]) - Fraction(cell.text) * (100 if percent else 1)) > _last_place(cell):
        return None
    beside = plain[: shown.start()] + plain[shown.end() :]
    return beside.replace("%", "", 1) if percent else beside


def _shows_itself(column: Column, cell: Cell) -> bool:
    """Whether a spreadsheet shows a number as it holds it, with no other text beside it than the column's unit."""
    beside = _beside(cell)
    if column.name.endswith("_grade") and beside in ("级", "度", "grade"):
        return True
    own = {"day": "days", "": "%" if _is_assay(column) else None}.get(column.unit, column.unit)
    return beside == "" or beside is not None and UNIT_OF.get(beside, beside) == own


def _as_number(plain: str) -> tuple[str, tuple[str, ...]] | None:
    """A plain number, its decimal comma made a point where it cannot separate thousands; None if it is none."""
    if NUMBER.fullmatch(plain) and plain.isascii():
        return plain, ()
    comma = _WITH_COMMA.fullmatch(plain)
    if not comma or not plain.isascii() or len(plain) > 40:
        return None
    sign, whole, decimals = comma.groups()
    if len(decimals) == 3 and len(whole) <= 3 and not whole.startswith("0"):
        return None
    return f"{sign}{whole}.{decimals}", ("decimal comma",)


def _no_number(column: Column, plain: str, said: str) -> Said:
    """Why a text is no number."""
    if said in UNCLEAR | NOT_APPLICABLE | NO:
        return _write(column, *_NONE_OR_UNKNOWN)
    if _LIMIT.fullmatch(plain):
        return _write(column, *_A_LIMIT)
    if _WITH_COMMA.fullmatch(plain):
        return _COMMA
    if _RANGE.fullmatch(plain):
        return _write(column, "may be two numbers or a range: decide on one", "可能为两个数值或范围：请确定一个")
    if column.name.endswith("_grade") and word_of(BY_NAME["bcr_abl1"], plain) == "yes":
        return _write(column, "says that there was one: give its grade", "注明发生：请写明分级")
    return _write(column, "is not a number", "不是数字")


_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5"}
_GRADE = re.compile(r"(crs|icans)?:?(grade|gr\.?|g)?:?([0-5]|iv|v|i{1,3})(级|度|grade)?")


def _grade(column: Column, plain: str, typed: str) -> Converted | None:
    """Ⅱ, II, 2级, Grade 2, G2; a lone v may be a tick, so that it needs a word beside it."""
    found = _GRADE.fullmatch(plain) if column.name.endswith("_grade") else None
    if found is None or (plain == "v" and "v" in typed.casefold()):
        return None
    if found[1] and found[1] != column.name.removesuffix("_grade"):
        return None
    return Converted(_ROMAN.get(found[3], found[3]), ("grade",))


_DAY = re.compile(r"(?:第|day|d)?(\d{1,3})(?:天|日|days?|d)?", re.ASCII)
_AMOUNT = re.compile(rf"(\d{{1,4}}(?:\.\d{{1,4}})?)({'|'.join(sorted(UNIT_OF, key=len, reverse=True))})(半?)", re.ASCII)
_WORTH: dict[str, dict[str, Fraction]] = {  # of each unit, from the greatest, in the unit of a column
    "years": {"years": Fraction(1), "months": Fraction(1, 12), "weeks": 7 / DAYS_OF_YEAR, "days": 1 / DAYS_OF_YEAR},
    "months": {"years": Fraction(12), "months": Fraction(1), "weeks": 7 / DAYS_OF_MONTH, "days": 1 / DAYS_OF_MONTH},
    "days": {"weeks": Fraction(7), "days": Fraction(1)},
    "cycles": {"cycles": Fraction(1)},
}
_DATE_LIKE = re.compile(r"(?:\d{1,4}年)?\d{1,2}月\d{1,2}[日号]|\d{2,4}年\d{1,2}月")  # 4月5日, 23年4月
_OF_AGE = re.compile("岁|月龄")
_FEWER_THAN = {"months": 12, "weeks": 53, "days": 31}  # behind a greater unit


def _with_unit(column: Column, plain: str, typed: str) -> Converted | None:
    """A number with its unit: 5岁, 5岁3月, 8月龄, 28 d, 4 weeks, 第3天; in the unit of the column, to its step."""
    if column.unit == "day":
        found = _DAY.fullmatch(plain)
        return Converted(found[1], ("unit",)) if found else None
    if _DATE_LIKE.fullmatch(plain) or (_OF_AGE.search(plain) and column.unit != "years"):
        return None
    worth = _WORTH.get(column.unit, {})
    parts = [
        (UNIT_OF[word], Fraction(number) + Fraction(len(half), 2)) for number, word, half in _AMOUNT.findall(plain)
    ]
    units = [unit for unit, _ in parts]
    if not parts or _AMOUNT.sub("", plain) or units != [unit for unit in worth if unit in units]:
        return None
    if any(number >= _FEWER_THAN[unit] for unit, number in parts[1:]):
        return None
    if units == [column.unit] and not plain.endswith("半"):
        return Converted(_AMOUNT.fullmatch(plain)[1], ("unit",))
    total = sum(number * worth[unit] for unit, number in parts)
    return Converted(column.text(_nearest(total / column.size)), ("converted",))


def _nearest(steps: Fraction) -> int:
    """Nearest whole number, halves up."""
    return floor(steps + Fraction(1, 2))


def _decimal(value: Fraction) -> str:
    """The shortest decimal text of a fraction that has one."""
    places = next(places for places in count() if (value * 10**places).denominator == 1)
    digits = str(abs(int(value * 10**places))).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


# MRD


@dataclass(frozen=True)
class Mrd:
    """An MRD value as written: in percent, "" or a comparison with it, and how its unit was told.

    `written` is "plain" for a number alone, "percent sign", "percent cell", "power of ten" or "exponent".
    """

    value: Fraction
    comparison: Literal["", "<", "<=", ">", ">="]
    written: Literal["plain", "percent sign", "percent cell", "power of ten", "exponent"]


_COMPARED = {
    **dict.fromkeys(("<", "小于", "低于", "below"), "<"),
    **dict.fromkeys(("<=", "=<", "≤", "≦", "⩽", "不高于"), "<="),
    **dict.fromkeys((">", "大于", "高于", "above"), ">"),
    **dict.fromkeys((">=", "=>", "≥", "≧", "⩾", "不低于"), ">="),
}
_PLAIN = r"\d{1,30}(?:[.,]\d{1,30})?|\.\d{1,30}"
_MRD = re.compile(
    rf"(?:mrd[:=]?)?(?P<comparison>{'|'.join(_COMPARED)})?"
    rf"(?:(?P<plain>{_PLAIN})(?:e(?P<exponent>[+-]?\d{{1,2}}))?"
    rf"|(?:(?P<times>{_PLAIN})[x×*·⋅]10(?:\^|\*\*|(?=[+-]))|10(?:\^|\*\*))(?P<power>[+-]?\d{{1,2}}))"
    r"(?P<sign>%|percent)?",
    re.ASCII,
)
_POWER_LOST = re.compile(r"\D*(10-\d{1,2}|10e[+-]?\d{1,2})%?")


def read_mrd(cell: Cell, mrd_unit: Literal["percent", "fraction"] | None = None) -> Mrd | Said:
    """The MRD value of a cell, in percent, or what is wrong with it. Words (negative, not done) are not read here.

    A plain number is in percent unless `mrd_unit` says fraction; one with an exponent (1.2e-4) a fraction unless it
    says percent; a power of ten (10⁻⁴, 3×10^-5) without a percent sign, and what a percent cell holds, are fractions.
    """
    if cell.kind == "percent":
        return Mrd(100 * Fraction(cell.text), "", "percent cell")
    plain = folded(cell.text)
    if cell.kind == "number" and _beside(cell) == "%":
        return Mrd(Fraction(cell.text), "", "percent sign")
    if cell.kind == "number" and "e" in cell.shown.casefold():
        return _in_percent(Fraction(cell.text), "", "exponent", mrd_unit)
    if _POWER_LOST.fullmatch(plain):
        return _POWER_LOST_SAID
    found = _MRD.fullmatch(plain)
    if found is None:
        return _NOT_MRD
    number = found["plain"] or found["times"] or "1"
    if (pointed := _as_number(number)) is None:
        return _COMMA
    value = Fraction(pointed[0]) * Fraction(10) ** int(found["power"] or found["exponent"] or 0)
    comparison = _COMPARED.get(found["comparison"], "")
    if found["sign"]:
        return Mrd(value, comparison, "percent sign")
    written = "power of ten" if found["power"] else "exponent" if found["exponent"] else "plain"
    return _in_percent(value, comparison, written, mrd_unit)


def _in_percent(value: Fraction, comparison: str, written: str, mrd_unit: str | None) -> Mrd:
    is_fraction = {"power of ten": True, "exponent": mrd_unit != "percent", "plain": mrd_unit == "fraction"}[written]
    return Mrd(100 * value if is_fraction else value, comparison, written)


_HIGHEST_LIMIT = Fraction("0.1")  # percent: below a higher one, more may be there than an assay would miss


def _mrd(column: Column, cell: Cell, how: How) -> Converted:
    """An MRD value in percent; a blank where none was detected."""
    said, status = normalised(cell.text), word_of(BY_NAME["fc_before"], cell.text)
    if status == "negative":
        return Converted("", ("not detected",))
    if status == "not_done" or said in NO | NOT_APPLICABLE | UNCLEAR:
        return Converted("", ("no value",))
    if status == "positive":
        return _refused("value-given", _VALUE_NEEDED)
    told, cell = _status_and_value(cell)
    mrd = read_mrd(cell, how.mrd_unit)
    if isinstance(mrd, Said):
        return _refused(f"{column.name}-allowed", mrd)
    if told is not None and not _agrees(told, mrd):
        return _refused("status-and-value", _write(column, *_CONTRADICT))
    if mrd.comparison in ("<", "<=") and mrd.value <= _HIGHEST_LIMIT:
        return Converted("", ("below limit",))
    if mrd.comparison:
        return _refused("limit", _write(column, *_A_LIMIT))
    if not mrd.value:
        return Converted("", ("not detected",))
    changes, warning = _how_written(mrd, cell, how)
    changes = ("status and value", *changes) if told else changes
    if (mrd.value / column.size).denominator == 1:
        typed = folded(cell.text)
        same = mrd.written == "plain" and not changes and NUMBER.fullmatch(typed)
        return Converted(typed if same else _decimal(mrd.value), changes, warning=warning)
    if rounded := _rounded(column, cell, mrd):
        return Converted(_decimal(rounded), (*changes, "rounded"), warning=warning)
    return _refused("finer-than-step", _FINER)


def _agrees(told: str, mrd: Mrd) -> bool:
    """Whether a value may stand behind the word positive or negative where no threshold is declared."""
    nothing = mrd.comparison in ("<", "<=") or not (mrd.value or mrd.comparison)
    return nothing == (told == "negative")


def _rounded(column: Column, cell: Cell, mrd: Mrd) -> Fraction | None:
    """A spreadsheet's MRD value to the step of its column, if only noise or digits not shown are lost; else None."""
    if cell.kind == "text":
        return None
    factor = mrd.value / Fraction(cell.text)
    exact = factor * Fraction(_without_noise(cell))
    if (exact / column.size).denominator == 1:
        return exact
    last = _last_place(cell) * (1 if cell.kind == "percent" else factor)  # a percent cell is shown in percent
    return _nearest(mrd.value / column.size) * column.size if last >= column.size else None


def _how_written(mrd: Mrd, cell: Cell, how: How) -> tuple[tuple[str, ...], Said | None]:
    """What was changed to read an MRD value, and a warning where its unit was guessed."""
    changes = () if mrd.written == "plain" else (mrd.written,)
    if mrd.written == "plain" and how.mrd_unit == "fraction":
        changes = ("fraction",)
    if "," in folded(cell.text):
        changes += ("decimal comma",)
    if how.mrd_unit is None and how.in_percent and mrd.written in ("exponent", "power of ten"):
        return changes, _UNDER_PERCENT
    return changes, _EXPONENT if mrd.written == "exponent" and how.mrd_unit is None else None


_CODES = ("0", "1", "2", "3")  # rather than values in percent, where they stand without a percent sign
_WITH_STATUS = re.compile(r"(?:mrd)?(阳性|阴性|positive|negative|pos|neg)[(:,;、。]*([<>=≤≥≦≧\d.][^()]*)\)?")


def _status_and_value(cell: Cell) -> tuple[str | None, Cell]:
    """The status that stands before a value, as in 阳性(0.03%), and the cell without it."""
    found = _WITH_STATUS.fullmatch(folded(cell.text)) if cell.kind == "text" else None
    if found is None:
        return None, cell
    return word_of(BY_NAME["fc_before"], found[1]), cell._replace(text=found[2])


def _status(column: Column, cell: Cell, how: How) -> Converted:
    """The result of an assay: a word, or a value judged against the threshold of the assay."""
    said = normalised(cell.text)
    if (word := word_of(column, cell.text)) is not None:
        return Converted(word, ("typing" if normalised(word) == said else "word",))
    if said in UNCLEAR | NO | NOT_APPLICABLE:
        return _refused("unclear", _write(column, *_NEGATIVE_OR_NOT_DONE))
    if said in _CODES and cell.kind in ("text", "number") and not _beside(cell) and (said != "0" or how.assay is None):
        return _refused("code", _code(column))
    told, inner = _status_and_value(cell)
    mrd = read_mrd(inner, how.mrd_unit)
    if isinstance(mrd, Said):
        is_word = mrd is _NOT_MRD
        return _refused(f"{column.name}-allowed", _unknown(column) if is_word else mrd)
    if mrd.value > 100:
        return _refused("over-100", _write(column, *_OVER_100))
    threshold = how.assay.negative if how.assay else None
    if threshold is None and told is None:
        return _refused("threshold-declared", _THRESHOLD)
    negative = told == "negative" if threshold is None else _is_negative(mrd, threshold)
    if negative is None:
        return _refused("threshold-undecided", _write(column, *_BOTH_SIDES))
    if told is not None and threshold is None and not _agrees(told, mrd):
        return _refused("status-and-value", _write(column, *_CONTRADICT))
    if told is not None and negative != (told == "negative"):
        return _refused("status-and-value", _write(column, *_DISAGREE))
    changes, warning = _how_written(mrd, inner, how)
    value = None if negative or mrd.comparison else _to_step(mrd.value)
    if value not in (None, mrd.value):
        changes += ("rounded",)
    return Converted(
        "negative" if negative else "positive",
        ("threshold" if told is None else "status and value", *changes),
        warning=warning,
        value_percent=None if value is None else _decimal(value),
        boundary=threshold is not None and not mrd.comparison and mrd.value == threshold.limit,
    )


def _to_step(value: Fraction) -> Fraction:
    """An MRD value to the step of the columns that hold one; as it is where nothing would be left."""
    step = BY_NAME["mrd_before_percent"].size
    return _nearest(value / step) * step or value


def _is_negative(mrd: Mrd, threshold: Threshold) -> bool | None:
    """Whether a value, or whatever a limit leaves open, is negative by a threshold; None if it could be either."""
    if not mrd.comparison:
        return threshold.negative(mrd.value)
    if mrd.comparison in ("<", "<="):
        below = mrd.comparison == "<" and mrd.value == threshold.limit
        return True if below or threshold.negative(mrd.value) else None
    above = mrd.comparison == ">" and mrd.value == threshold.limit
    return False if above or not threshold.negative(mrd.value) else None


def mixed_units(column: Column, cells: Cells) -> tuple[Cell, ...]:
    """Of a column of MRD values, the distinct cells of the rarer kind, where plain numbers stand beside percent ones.

    Limits (<0.01%) and zeros are no values and do not count; powers of ten say their unit themselves. Where both kinds
    are as many, the plain ones, which do not say their unit, are given. Beside plain numbers, those with an exponent
    are given too: software writes the small ones of one column so (1e-04), whatever its unit.
    """
    rows = np.bincount(cells.places, minlength=len(cells.distinct))
    plain, percent, exponent = (
        [place for place, kind in enumerate(_kinds(cells)) if kind in kinds and rows[place]]
        for kinds in (("plain",), ("percent sign", "percent cell"), ("exponent",))
    )
    if not plain:
        return ()
    rarer = percent if rows[percent].sum() < rows[plain].sum() else plain if percent else []
    return tuple(cells.distinct[place] for place in sorted([*rarer, *exponent]))


def suspect_fractions(cells: Cells) -> bool:
    """Whether every plain value of a column of MRD values is 1 or less, as fractions would be."""
    plain = (cell for cell, kind in zip(cells.distinct, _kinds(cells), strict=True) if kind == "plain")
    values = [mrd.value for mrd in map(read_mrd, plain) if isinstance(mrd, Mrd)]
    return bool(values) and max(values) <= 1


def _kinds(cells: Cells) -> list[str | None]:
    """How each distinct cell that holds an MRD value writes it; None for words, limits and zeros."""
    kinds: list[str | None] = []
    for cell in cells.distinct:
        mrd = read_mrd(cell) if cell.kind in ("text", "number", "percent") else _NOT_MRD
        kinds.append(mrd.written if isinstance(mrd, Mrd) and mrd.value and not mrd.comparison else None)
    return kinds
