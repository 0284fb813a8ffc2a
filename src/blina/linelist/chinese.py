"""Chinese that columns share: units, common words, rules, and what may stand in a cell."""

from __future__ import annotations

from blina.linelist.columns import Column

UNITS = {"years": "岁", "months": "月", "days": "天", "day": "第几天", "cycles": "疗程", "%": "%"}

WORDS = {  # of several columns; those of one column alone are in its entry
    "male": "男",
    "female": "女",
    "no": "否",
    "yes": "是",
    "other": "其他",
    "positive": "阳性",
    "negative": "阴性",
    "not_applicable": "不适用",
    "not_done": "未做",
}

RULES = {  # why each rule across columns holds, by its id
    "reason-only-in-IC": "化疗不耐受原因只属于桥接组",
    "reason-given-in-IC": "桥接组每位患者均须填写化疗不耐受原因",
    "gene-is-bcr-abl1": "融合基因为 BCR::ABL1",
    "gene-is-not-bcr-abl1": "融合基因为其他基因或未检出",
    "fusion-followed-before": "有融合基因者以 RT-PCR 监测，或填未做",
    "fusion-followed-after": "有融合基因者以 RT-PCR 监测，或填未做",
    "mrd-value-when-detected": "治疗前有检测为阳性，则应有 MRD 数值",
    "mrd-blank-when-not-detected": "治疗前各项检测均非阳性，则 MRD 数值留空",
    "icans-day-with-icans": "发生 ICANS 则应有发生日",
    "no-icans-day-without-icans": "未发生 ICANS 则无发生日",
}


def word(column: Column, declared: str) -> str:
    """A declared word of a column in Chinese; "" where it is the same in Chinese."""
    return column.chinese_words.get(declared, WORDS.get(declared, ""))


def _both(column: Column, declared: str) -> str:
    """A declared word, its Chinese in brackets behind it."""
    translated = word(column, declared)
    return f"{declared}（{translated}）" if translated else declared


def allowed(column: Column) -> str:
    """What may stand in a cell of a column, as `Column.allowed` says it in English."""
    if column.type == "identifier":
        return "每位患者各不相同的编号"
    if column.is_number:
        limited = column.min is not None and column.max is not None
        limits = f" {column.text(column.lowest)} 至 {column.text(column.highest)} 的" if limited else ""
        kind = "整数" if column.size == 1 else f"数字，精确到 {column.step}"
        said = limits + kind + (f"（{UNITS.get(column.unit, column.unit)}）" if column.unit else "")
    else:
        *others, last = (_both(column, declared) for declared in column.words)
        blank = " " if others and others[-1].isascii() else ""
        said = f" {'、'.join(others)}{blank}或 {last}" if others else f" {last}"
    return said + ("，或留空" if column.blank else "")
