"""What headers and words mean, in English and Chinese: which declared column, which declared word."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import product
from unicodedata import category, normalize

from blina.linelist.chinese import NAMES
from blina.linelist.chinese import WORDS as CHINESE_WORDS
from blina.linelist.columns import COLUMNS, Column

BY_NAME = {column.name: column for column in COLUMNS}

# Superscripts become a power before NFKC, which would turn 10⁻⁴ into 10-4.
_POWER = re.compile("[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", "⁺")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−﹣－ー", "-"))
_BLANKS = re.compile(r"((?<=\d)\s+(?=[.,]?\d)|(?<=\d[.,])\s+(?=\d))|\s+")


def folded(text: str) -> str:
    """Text without what typing adds to it: powers as ^-4, NFKC, one kind of dash, case folded, no blanks.

    Of blanks and line breaks between digits one blank stays: they may part two numbers (5 6 is not 56).
    """
    if text.isascii() and text.isprintable() and " " not in text:
        return text.casefold()
    powers = _POWER.sub(lambda found: "^" + found[0].translate(_SUPERSCRIPTS), text)
    plain = normalize("NFKC", normalize("NFKC", powers.translate(_DASHES)).casefold())
    seen = "".join(letter for letter in plain if letter.isspace() or category(letter) not in ("Cf", "Cc"))
    return _BLANKS.sub(lambda found: " " if found[1] else "", seen)


# Units as they stand in headers and behind numbers, by the declared unit of the column.
UNITS: dict[str, tuple[str, ...]] = {
    "years": ("years", "year", "yrs", "yr", "y", "周岁", "岁", "年"),
    "months": ("months", "month", "mos", "mo", "m", "个月", "月", "月龄"),
    "weeks": ("weeks", "week", "wks", "wk", "w", "周", "星期"),
    "days": ("days", "day", "d", "天", "日"),
    "hours": ("hours", "hour", "hrs", "hr", "h", "小时"),
    "cycles": ("cycles", "cycle", "courses", "course", "疗程", "个疗程", "周期", "个周期"),
    "%": ("%", "percent", "per cent", "百分比", "百分数"),
    "fraction": ("fraction", "10^-4", "copies", "拷贝", "小数", "比例", "ratio"),
}
UNIT_OF = {folded(word): unit for unit, words in UNITS.items() for word in words}
_RANGE = re.compile(r"\d-\d")  # of grades, as in CRS grade (0-5)
# A hyphen within a word is of typing, one behind it may mean negative; ?, * and # say doubt or point to a note.
_OF_TYPING = re.compile(
    r"^[(\[{【〔]-+[)\]}】〕]$|[_()\[\]{}【】〔〕\"'“”‘’「」]|(?<=[^\W\d])-(?=\w)|(?<=\d)-(?=[^\W\d])"
    r"|^[.,:;、。]+(?![.,:;*#、。\d])|[.,:;!、。]+$"
)
_IN_BRACKETS = re.compile(r"[(\[{<【〔]([^()\[\]{}<>【】〔〕]*)[)\]}>】〕]")


@lru_cache(maxsize=1024)
def normalised(text: str) -> str:
    """Text for comparing: `folded`, and no underscores, hyphens, brackets, units in brackets nor outer punctuation.

    What makes a number another one (-1, 2-3, .5) or says doubt (?, +-) stays. Of a text that would lose everything,
    such as a hyphen in brackets, the folded text is kept.
    """
    plain = folded(text)
    # 10^-4 may be a value behind a word
    without_units = _IN_BRACKETS.sub(
        lambda found: found[0] if UNIT_OF.get(found[1], "fraction") == "fraction" else "", plain
    )
    return _OF_TYPING.sub("", without_units) or plain


# Headers. Words that say nothing are left out of both sides, so that "MRD by FC before the infusion" is "MRD FC before
# infusion".
_SILENT = {"the", "of", "in", "at", "by", "for", "to", "a", "an", "is", "was"}


def _form(header: str) -> str:
    """A header as one run of letters and digits, without silent words and what brackets add: units, the grades."""
    plain = _IN_BRACKETS.sub(
        lambda found: " " if found[1] in UNIT_OF or _RANGE.fullmatch(found[1]) else f" {found[1]} ", _words(header)
    )
    words = [word for word in re.findall(r"[^\W_]+", plain) if word not in _SILENT]
    return "".join(words).replace("第一", "第1").replace("疗程1", "第1疗程").replace("第第1", "第1")


def _words(header: str) -> str:
    """A header folded as `folded` does, its blanks kept."""
    return " ".join(folded(word) for word in header.split())


def _each(*parts: Iterable[str]) -> Iterator[str]:
    """Every combination of one text of each part, in this order."""
    return (" ".join(texts) for texts in product(*parts))


_TREATMENT = ("", "treatment", "therapy", "infusion", "first infusion", "blinatumomab", "cycle 1", "blina")
TIMES: dict[str, tuple[str, ...]] = {
    "before": (*_each(("before", "pre", "prior"), _TREATMENT), "baseline", "治疗前", "疗前", "用药前", "输注前",
               "首次输注前", "首次用药前", "贝林妥欧单抗治疗前", "贝林妥欧治疗前", "第1疗程前", "基线"),
    "after": (*_each(("after", "post"), _TREATMENT), "治疗后", "疗后", "用药后", "输注后", "首次输注后", "首次用药后",
              "贝林妥欧单抗治疗后", "贝林妥欧治疗后", "第1疗程后", "首疗程后"),
}  # fmt: skip
_DISEASE = ("mrd", "微小残留病", "微小残留", "可测量残留病", "微量残留病", "minimal residual disease",
            "measurable residual disease")  # fmt: skip
_RESULT = ("", "result", "status", "结果", "检测", "检测结果")
_FLOW = ("fc", "fcm", "mfc", "flow", "flow cytometry", "流式", "流式细胞术", "流式细胞", "流式检测")
_PCR = ("pcr", "qpcr", "rt pcr", "rt qpcr", "rq pcr", "定量 pcr", "荧光定量 pcr", "实时定量 pcr", "定量")
_FUSION = ("bcr abl1", "bcr abl", "融合基因", "bcr abl1 融合基因", "bcr abl 融合基因", "fusion gene", "fusion")
_CYCLE_1 = ("", "cycle 1", "c1", "第1疗程", "首疗程", "首个疗程", "疗程1", "第1周期")
_WORST = ("", "worst", "highest", "maximum", "max", "最高", "最重", "最差", "最大")
_GRADE = ("", "grade", "grading", "级", "分级", "级别", "等级", "最高分级", "最高级别", "最重分级", "最高等级")
_CRS = ("crs", "cytokine release syndrome", "细胞因子释放综合征", "细胞因子释放综合症")
_ICANS = ("icans", "neurotoxicity", "神经毒性", "免疫效应细胞相关神经毒性综合征")
_FEVER = ("fever", "pyrexia", "发热", "发烧", "是否发热", "有无发热")
_NUMBER = ("id", "no", "number", "num", "code", "编号", "号")
_FIRST_INFUSION = ("first infusion", "infusion", "treatment", "blinatumomab", "first dose", "start blinatumomab")

HEADERS: dict[str, tuple[str, ...]] = {
    "patient_id": (
        *_each(("patient", "subject", "participant", "study", "record", "case", "患者", "患儿", "病人", "受试者",
                "研究", "入组"), _NUMBER),
        *_each(("patient study", "study patient", "study subject", "患者研究"), _NUMBER),
        "id", "pt id", "pid", "usubjid", "subjid", "编号", "序号", "病例编号", "登记号", "登记编号", "代号",
        "患者代号", "随机号",
    ),
    "group": (
        *_each(("", "treatment", "study", "patient", "cohort"), ("group", "arm")),
        *_each(("", "患者", "研究", "治疗"), ("组别", "分组")),
        "cohort", "grp", "组", "治疗组", "队列", "用药目的", "治疗目的", "使用目的", "indication",
    ),
    "sex": ("sex", "gender", "性别"),
    "age_years": (
        *_each(("age",), ("", "years", "yrs", "yr", "y"), ("", *_FIRST_INFUSION)),
        *_each(("", "用药", "用药时", "输注", "输注时", "首次输注", "首次输注时", "首次用药时", "治疗时"), ("年龄",),
               ("", "岁", "周岁")),
        "patient age", "患者年龄", "岁数",
    ),
    "bcr_abl1": (
        *_FUSION, *_each(_FUSION, ("positive", "status", "found", "阳性", "有无")), "ph", "ph status", "ph染色体",
        "philadelphia chromosome", "费城染色体", "有无融合基因", "有无bcr abl1融合基因", "有无bcr abl融合基因",
    ),
    "intolerance_reason": (
        *_each(("", "chemotherapy", "chemo"), ("intolerance",), ("", "reason", "cause")),
        *_each(("reason", "cause"), ("", "chemotherapy", "chemo"), ("intolerance",)),
        *_each(("", "化疗"), ("不耐受", "不能耐受"), ("", "原因")), "不能耐受化疗原因", "不耐受化疗原因",
    ),
    "months_from_diagnosis": (
        *_each(("months", "time", "interval", "time months"), ("from", "since"), ("diagnosis",),
               ("", *_FIRST_INFUSION)),
        *_each(("diagnosis",), _FIRST_INFUSION, ("", "months", "interval", "time")),
        *_each(("诊断", "确诊", "初诊", "诊断时", "确诊时"), ("至", "到", "距"),
               ("首次输注", "首次用药", "首次治疗", "输注", "用药", "治疗", "首次输注贝林妥欧单抗", "贝林妥欧单抗治疗"),
               ("", "时间", "间隔", "间隔时间"), ("", "月", "月数")),
    ),
    "infusion_days": (
        *_each(_CYCLE_1, ("infusion days", "infusion duration", "duration infusion", "days infusion", "days infused",
                          "treatment days", "days on infusion", "days on treatment")),
        *_each(("infusion days", "infusion duration", "duration infusion", "days infusion"), ("cycle 1", "c1")),
        *_each(_CYCLE_1, ("输注天数", "用药天数", "给药天数", "治疗天数", "输注日数", "输注持续天数")),
    ),
    "stop_reason": (
        *_each(("stop", "stopping", "discontinuation", "end treatment", "termination", "withdrawal"), ("reason",)),
        *_each(("reason",), ("stop", "stopped", "stopping", "discontinuation", "discontinued", "ending", "termination",
                             "end treatment", "stopping treatment", "stopping infusion")),
        *_each(_CYCLE_1, ("停药", "停止", "停用", "终止", "中止", "终止治疗", "停止治疗", "停止输注", "终止输注",
                          "结束", "治疗结束", "中断"), ("原因",)),
    ),
    "extra_cycles": (
        *_each(("", "number"), ("extra", "further", "additional", "subsequent", "later"), ("cycles", "courses")),
        "cycles after first", "cycles after cycle 1", "number cycles after first",
        *_each(("后续", "追加", "额外", "增加", "后续治疗"), ("疗程", "周期"), ("", "数")), "第1疗程后的疗程数",
    ),
    "fever_cycle1": (
        *_each(_CYCLE_1, _FEVER), *_each(_FEVER, _CYCLE_1),
    ),
    "crs_grade": tuple(_each(_WORST, _CRS, _GRADE)) + tuple(_each(_WORST, ("grade",), _CRS)),
    "icans_grade": tuple(_each(_WORST, _ICANS, _GRADE)) + tuple(_each(_WORST, ("grade",), _ICANS)),
    "icans_day": (
        *_each(_ICANS, ("day", "onset", "onset day", "day onset", "start day", "发生日", "发生天数", "出现日",
                        "出现天数", "起始日", "发生于第几天", "发生第几天", "发生日第几天")),
        *_each(("day", "onset day", "day onset", "onset", "start day"), _ICANS), *_each(("day",), _ICANS, ("onset",)),
    ),
}  # fmt: skip
# What is measured before and after; the time may stand anywhere in such a header.
MEASURED: dict[str, tuple[str, ...]] = {
    "mrd_{}_percent": tuple(_each(("", "bone marrow", "骨髓"), _DISEASE,
                                  ("", "value", "level", "percent", "水平", "值"))),
    "fc_{}": (*_each(_FLOW, ("", *_DISEASE), _RESULT), *_each(_DISEASE, _FLOW, _RESULT)),
    "pcr_{}": (*_each(("", *_FUSION, *_DISEASE), _PCR, _RESULT), *_each(_PCR, _DISEASE, _RESULT)),
}  # fmt: skip


def _index(said: Iterable[tuple[str, str]]) -> dict[str, str | None]:
    """What each form of a header stands for, from headers and what they stand for; None where it could be two."""
    index: dict[str, set[str]] = defaultdict(set)
    for header, meant in said:
        index[_form(header)].add(meant)
    return {form: min(meant) if len(meant) == 1 else None for form, meant in index.items() if form}


@lru_cache(maxsize=1)  # made when first asked for: some thousand combinations
def _indexes() -> tuple[dict[str, str | None], dict[str, str | None], tuple[tuple[str, str], ...]]:
    """Columns by form; what is measured by form; times by form, the longest first."""
    names = ((text, c.name) for c in COLUMNS for text in (c.name, c.label, NAMES[c.name], *HEADERS.get(c.name, ())))
    measured = ((text, pattern) for pattern, texts in MEASURED.items() for text in texts)
    times = {_form(text): time for time, texts in TIMES.items() for text in texts}
    return _index(names), _index(measured), tuple(sorted(times.items(), key=lambda one: (-len(one[0]), one[0])))


def _named(header: str) -> str | None:
    """The column that a header names as a whole, whatever unit it states."""
    form = _form(header)
    names, measured, times = _indexes()
    if form in names:
        return names[form]
    for said, time in times:
        before, found, behind = form.partition(said)
        if found and (pattern := measured.get(before + behind)):
            return pattern.format(time)
    return None


@lru_cache(maxsize=4096)
def column_of(header: str) -> str | None:
    """The declared column that a header names; None if none, or if it could be two, or if it names another unit.

    A header in two languages (年龄 Age, or age_years above 年龄（岁）) names a column where both of its parts do.
    """
    header = header[:200]
    name = _named(header) or next(_named_twice(header), None)
    return name if name is not None and _fits(header, BY_NAME[name]) else None


def _named_twice(header: str) -> Iterator[str]:
    """The column that both parts of a header name, for each place where it may be taken apart."""
    text = _words(header)
    for cut in re.finditer(r"[\s/|;,(]|(?<=[^\W\d_])(?=[\d\W_])|(?<=[^\x00-\x7f])(?=[\x00-\x7f])"
                           r"|(?<=[\x00-\x7f])(?=[^\x00-\x7f])", text):  # fmt: skip
        left, right = (_named(part) for part in (text[: cut.start()], text[cut.start() :]))
        if left is not None and left == right:
            yield left


_SAYS_MONTHS = re.compile(r"月|month|(?<![^\W_])mos?(?![^\W_])")


def _fits(header: str, column: Column) -> bool:
    """Whether the units that a header states are those of the column: an age in months is no age_years."""
    stated = {UNIT_OF[found.strip()] for found in _IN_BRACKETS.findall(_words(header)) if found.strip() in UNIT_OF}
    if column.name == "months_from_diagnosis" and not _SAYS_MONTHS.search(_words(header)):
        return False  # a time may be in days, weeks or years
    own = {"day": "days"}.get(column.unit, column.unit)
    may_hold_values = column.name.startswith(("fc_", "pcr_"))
    return stated <= ({"%"} if may_hold_values else {own})


# Words. Declared words and their Chinese forms are understood in each column; these are others that are written.
POSITIVE = ("pos", "+", "阳", "阳性(+)", "mrd阳性", "mrd+", "检出", "detected")
NEGATIVE = ("neg", "阴", "阴性(-)", "mrd阴性", "(-)", "未检出", "not detected", "undetected", "undetectable",
            "未检测到", "<lod", "below limit of detection", "below the limit of detection", "below lod",
            "低于检测下限", "低于检测限", "低于检出限")  # fmt: skip
NOT_DONE = ("未查", "未测", "未检", "未检测", "未检查", "未送检", "未行", "没做", "not tested", "untested",
            "not performed", "not examined", "not assessed")  # fmt: skip
_STATUS = {"positive": POSITIVE, "negative": NEGATIVE, "not_done": NOT_DONE, "not_applicable": ("无需", "不需要")}
NONE = ("无", "没有", "none", "no", "否", "未发生", "没有发生", "未出现", "nil")
WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "sex": {
        "male": ("m", "man", "boy", "男性", "男孩", "男童"),
        "female": ("f", "woman", "girl", "女性", "女孩", "女童"),
    },
    "intolerance_reason": {
        "pancreatitis": ("急性胰腺炎",),
        "infection": ("infections", "severe infection", "严重感染", "重症感染"),
        "endocarditis": ("infective endocarditis", "感染性心内膜炎"),
        "other": ("others", "other reason", "其它", "其他原因", "其它原因"),
    },
    "stop_reason": {
        "completed": ("complete", "finished", "as planned", "completed as planned", "planned", "完成", "已完成",
                      "计划完成", "正常完成", "完成疗程", "疗程完成", "完成治疗"),
        "severe_reaction": (  # one that is not called severe may have been mild
            "severe adverse reaction", "severe adverse event", "severe toxicity", "grade 3 toxicity",
            "严重反应", "严重毒性", "严重毒副反应", "严重不良事件",
            *_each(("3级以上", "3级及以上", "≥3级", ">=3级"), ("不良反应", "不良事件", "毒性")),
        ),
        "economic": ("cost", "financial", "financial reasons", "economic reason", "economic reasons", "经济", "费用",
                     "费用原因", "经济困难", "经济因素"),
        "other": ("others", "other reason", "其它", "其他原因", "其它原因"),
    },
    "fc_before": _STATUS, "fc_after": _STATUS, "pcr_before": _STATUS, "pcr_after": _STATUS,
    "boolean": {
        "yes": ("y", "true", "t", "1", "checked", "有", "发生", "出现", "√", "✓", "✔", "☑", "阳性",
                "positive", "pos", "+"),
        "no": ("n", "false", "f", "0", "unchecked", "☐", "阴性", "negative", "neg", "(-)", *NONE),
    },
}  # fmt: skip
NO = frozenset(map(normalised, NONE))
NOT_APPLICABLE = frozenset(map(normalised, ("not applicable", "not_applicable", "不适用")))
# ND is not done or not detected; NA not applicable or not available; a hyphen negative, none or not recorded.
UNCLEAR = frozenset(map(normalised, ("na", "n/a", "n.a.", "nd", "n.d.", "-", "--", "---", "/", "\\")))
MISSING = frozenset(map(normalised, (
    ".", "?", "??", "unknown", "unk", "uk", "nk", "not known", "not recorded", "not reported", "not available",
    "unavailable", "nr", "missing", "null", "nan", "未知", "不详", "不明", "不清", "不清楚", "缺失", "未记录",
    "无记录", "未提供", "无资料", "未登记", "资料缺失",
)))  # fmt: skip


def says_missing(text: str) -> bool:
    """Whether a cell says in words that its value is not known."""
    return normalised(text) in MISSING


@lru_cache(maxsize=256)
def _words_of(column: Column) -> dict[str, str | None]:
    """The declared word of each normalised one that is understood in a column; None where it could be two."""
    index: dict[str, set[str]] = defaultdict(set)
    known = WORDS.get("boolean" if column.type == "boolean" else column.name, {})
    for word in column.words:
        for text in (word, CHINESE_WORDS.get(word, word), *known.get(word, ())):
            index[normalised(text)].add(word)
    return {text: min(words) if len(words) == 1 else None for text, words in index.items()}


def word_of(column: Column, text: str) -> str | None:
    """The declared word of a category or boolean column that a text stands for; None if none, or if it could be two."""
    known = _words_of(column)
    return known.get(normalised(text)) or known.get(re.sub(r"^\((.+)\)$", r"\1", folded(text)))
