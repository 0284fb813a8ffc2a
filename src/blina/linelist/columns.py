"""The line list, declared once: the schema, the data dictionary and the solver's variables all come from here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import ceil, floor
from typing import Literal

from blina.linelist.phrases import (
    ANY_FUSION,
    BCR_ABL1,
    BCR_ABL1_KEYS,
    CRS,
    CYCLE_1,
    CYCLE_KEYS,
    DIAGNOSIS_KEYS,
    FC_HEADERS,
    FC_KEYS,
    FEVER,
    FIRST_INFUSION,
    FOLLOWED_WORDS,
    FUSION_KEYS,
    GENE_STATUS,
    GENE_WORDS,
    GRADE,
    ICANS,
    INFUSION_KEYS,
    MRD_HEADERS,
    MRD_KEYS,
    NUMBER_WORDS,
    OTHER_REASON,
    PATIENT,
    PCR_HEADERS,
    PCR_KEYS,
    STATUS_WORDS,
    STOP_KEYS,
    WORST,
    each,
)

ColumnType = Literal["identifier", "category", "boolean", "integer", "decimal"]
RECONSTRUCTED = "reconstructed from published aggregates, one of many possible"
PROVENANCE = "provenance"  # the column in which reconstructed rows say what they are; real patients have none
NOT_A_PATIENT = "not a patient: reconstructed from published aggregates"
BOOLEAN_WORDS = {"no": 0, "yes": 1}
NUMBER = re.compile(
    r"[+-]?([0-9]{1,400}(\.[0-9]{1,400})?|\.[0-9]{1,400})"
)  # as people write one: no exponent, no fraction


@dataclass(frozen=True)
class Column:
    """One column: what a cell may hold, and the whole number (the code) that stands for each value.

    Codes make every comparison exact: a category is its place in `values`, a boolean 0 or 1, an integer itself, a
    decimal its number of steps (0.15 with step 0.01 is 15). `min`, `max` and `step` are the decimal strings of the
    declaration; `blank` says whether a cell may be empty, `optional` whether a line list may lack the whole column.

    How wards write it: `chinese` and `chinese_meaning` are its name and meaning in Chinese; `headers`
    are other headers that it is known by. A column with a `time` is known by a header that names this
    time as well, anywhere in it. `keys` are words that make an unknown header look like it, so that it
    is asked about where the column lacks. `other_words` are those understood for each declared word,
    `chinese_words` the Chinese of declared words that `chinese.WORDS` does not have.
    `blank_is_none`: a blank says that there was nothing, as no MRD detected, and not that nothing is
    recorded.

    In the template: `example` is the cell of its example row; `may_be_missing` puts the column among
    those that a new cohort may lack.

    In what is made of it: `table` is the tidy table in which it appears. `described` says how the
    table that describes the cohort states it, under the name `characteristic`: patients with each
    level, patients in whom it was found, median and range, or ("") not in that way. `shared`: counts
    of its levels are shared.
    """

    name: str
    type: ColumnType
    values: tuple[str, ...] = ()
    min: str | None = None
    max: str | None = None
    step: str = "1"
    unit: str = ""
    blank: bool = False
    optional: bool = False
    meaning: str = ""
    label: str = ""  # its name in prose, where the name with blanks for underscores would not do
    chinese: str = ""
    chinese_meaning: str = ""
    headers: tuple[str, ...] = field(default=(), repr=False)
    time: Literal["", "before", "after"] = ""
    keys: tuple[str, ...] = ()
    other_words: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False, repr=False)
    chinese_words: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)
    blank_is_none: bool = False
    example: str | int | float = ""
    may_be_missing: bool = False
    table: Literal["patients", "mrd", "events"] = "patients"
    described: Literal["", "levels", "found", "median"] = ""
    characteristic: str = ""
    shared: bool = False

    @cached_property
    def size(self) -> Fraction:
        """What one code is worth: the step of a decimal column, 1 elsewhere."""
        return Fraction(self.step)

    @property
    def is_number(self) -> bool:
        return self.type in ("integer", "decimal")

    @cached_property
    def lowest(self) -> int:
        """Least code that the declaration allows (ValueError if a number column has no `min`)."""
        return 0 if not self.is_number else ceil(Fraction(self._bound(self.min, "min")) / self.size)

    @cached_property
    def highest(self) -> int:
        """Greatest code that the declaration allows (ValueError if a number column has no `max`)."""
        if self.is_number:
            return floor(Fraction(self._bound(self.max, "max")) / self.size)
        return 1 if self.type == "boolean" else len(self.values) - 1

    def _bound(self, value: str | None, which: str) -> str:
        if value is None:
            raise ValueError(f"column {self.name} needs a {which}")
        return value

    @cached_property
    def words(self) -> dict[str, int]:
        """Allowed words of a category or boolean column, with their codes."""
        return BOOLEAN_WORDS if self.type == "boolean" else {word: code for code, word in enumerate(self.values)}

    def text(self, code: int) -> str:
        """The cell that stands for a code: `positive`, `yes`, `12`, `0.15`."""
        if self.type == "boolean":
            return "yes" if code else "no"
        if self.type == "category":
            return self.values[code]
        return str(Decimal(code) * Decimal(self.step))  # exact, with the decimals of the step

    @property
    def allowed(self) -> str:
        """What may stand in a cell, in words for a message or a dictionary."""
        if self.type == "identifier":
            return "a different text for every patient"
        if self.is_number:
            kind = "a whole number" if self.size == 1 else f"a number in steps of {self.step}"
            limits = f" from {self.text(self.lowest)} to {self.text(self.highest)}" if self.min and self.max else ""
            said = kind + limits + (f" ({self.unit})" if self.unit else "")
        else:
            *others, last = self.words
            said = f"{', '.join(others)} or {last}" if others else last
        return said + (", or blank" if self.blank else "")


def names_in(written: Mapping) -> set[str]:
    """The columns that a written predicate speaks of."""
    names = {*written} - {"any_of", "not"}
    for part in written.get("any_of", ()):
        names |= names_in(part)
    if "not" in written:
        names |= names_in(written["not"])
    return names


@dataclass(frozen=True)
class Rule:
    """True of every patient: where `when` holds, `then` must. Both are predicates as claims files write them."""

    id: str
    when: dict
    then: dict
    why: str

    @property
    def columns(self) -> set[str]:
        """Every column that the rule speaks of."""
        return names_in(self.when) | names_in(self.then)

    @property
    def column(self) -> str:
        """The column that a broken rule is told of: the first that `then` names."""
        return next(iter(self.then))


REASONS = ("pancreatitis", "infection", "endocarditis", "other")  # for which chemotherapy was not tolerated
GENES = ("BCR::ABL1", "ETV6::RUNX1", "TCF3::PBX1", "KMT2A", "another")  # that may have fused
RESULTS = ("positive", "negative", "not_done")
FOLLOWED_RESULTS = ("positive", "negative", "not_applicable", "not_done")

# The examples make up the patient that the template shows. Reading leaves out that one alone.
COLUMNS: tuple[Column, ...] = (
    Column(
        "patient_id",
        "identifier",
        meaning="a pseudonym, P01, P02, ...; no name and no hospital number",
        chinese="患者编号",
        chinese_meaning="患者代号，如 P01、P02；不得填写姓名或住院号",
        headers=(
            *each(PATIENT, NUMBER_WORDS),
            *each(("patient study", "study patient", "study subject", "患者研究"), NUMBER_WORDS),
            *("id", "pt id", "pid", "usubjid", "subjid"),
            *("编号", "序号", "病例编号", "登记号", "登记编号", "代号", "患者代号", "随机号"),
        ),
        example="EXAMPLE 示例 (not read 不读取)",
    ),
    Column(
        "group",
        "category",
        ("MC", "IC", "RR"),
        meaning="why blinatumomab was given: MC clearing MRD in first remission, IC bridging while "
        "chemotherapy cannot be tolerated, RR reinduction of refractory or relapsed disease",
        chinese="分组",
        chinese_meaning="使用贝林妥欧单抗的目的：MC 首次缓解期清除 MRD，IC 不能耐受化疗期间的桥接治疗，"
        "RR 难治或复发后的再诱导",
        headers=(
            *each(("", "treatment", "study", "patient", "cohort"), ("group", "arm")),
            *each(("", "患者", "研究", "治疗"), ("组别", "分组")),
            *("cohort", "grp", "indication"),
            *("组", "治疗组", "队列", "用药目的", "治疗目的", "使用目的"),
        ),
        chinese_words={
            "MC": "首次缓解期清除 MRD",
            "IC": "不能耐受化疗时桥接",
            "RR": "难治或复发",
        },
        example="MC",
    ),
    Column(
        "sex",
        "category",
        ("male", "female"),
        meaning="sex",
        chinese="性别",
        chinese_meaning="性别",
        headers=("sex", "gender", "性别"),
        keys=("sex", "gender", "性别"),
        other_words={
            "male": ("m", "man", "boy", "男性", "男孩", "男童"),
            "female": ("f", "woman", "girl", "女性", "女孩", "女童"),
        },
        example="female",
        described="levels",
        characteristic="sex",
        shared=True,
    ),
    Column(
        "age_years",
        "decimal",
        min="0",
        max="120",
        step="0.1",
        unit="years",
        label="age",
        meaning="age at the first infusion",
        chinese="年龄（岁）",
        chinese_meaning="首次输注时的年龄",
        headers=(
            *each(("age",), ("", "years", "yrs", "yr", "y"), ("", *FIRST_INFUSION)),
            *each(
                ("", "用药", "用药时", "输注", "输注时", "首次输注", "首次输注时", "首次用药时", "治疗时"),
                ("年龄",),
                ("", "岁", "周岁"),
            ),
            *("patient age", "患者年龄", "岁数"),
        ),
        keys=("age", "年龄"),
        example=5.2,
        described="median",
        characteristic="age",
    ),
    Column(
        "bcr_abl1",
        "boolean",
        label="BCR::ABL1",
        meaning="BCR::ABL1 fusion gene found",
        chinese="BCR::ABL1 融合基因",
        chinese_meaning="是否检出 BCR::ABL1 融合基因",
        headers=(
            *BCR_ABL1,
            *each(BCR_ABL1, GENE_STATUS),
            *("ph", "ph status", "ph染色体", "philadelphia chromosome", "费城染色体"),
            *("有无bcr abl1融合基因", "有无bcr abl融合基因"),
        ),
        keys=BCR_ABL1_KEYS,
        example="yes",
        may_be_missing=True,
        described="found",
        characteristic="BCR::ABL1",
    ),
    Column(
        "fusion_gene",
        "category",
        ("none", *GENES),
        blank=True,
        optional=True,
        label="fusion gene",
        meaning="the fusion gene that was found, by name; none where none was",
        chinese="融合基因",
        chinese_meaning="检出的融合基因名称；未检出填 none（无）",
        headers=(
            *ANY_FUSION,
            *each(ANY_FUSION, GENE_STATUS),
            *each(("fusion gene", "gene fusion", "fusion"), ("name", "type", "result")),
            *each(("融合基因",), ("名称", "类型", "种类", "结果", "检测", "检测结果")),
            *("有无融合基因", "fusion transcript"),
        ),
        keys=FUSION_KEYS,
        other_words=GENE_WORDS,
        chinese_words={"none": "无", "another": "其他融合基因"},
        example="BCR::ABL1",
        may_be_missing=True,
        described="levels",
        characteristic="fusion gene",
    ),
    Column(
        "intolerance_reason",
        "category",
        REASONS,
        blank=True,
        blank_is_none=True,
        meaning="why chemotherapy was not tolerated; blank outside IC",
        chinese="化疗不耐受原因",
        chinese_meaning="不能耐受化疗的原因；非 IC 组留空",
        headers=(
            *each(("", "chemotherapy", "chemo"), ("intolerance",), ("", "reason", "cause")),
            *each(("reason", "cause"), ("", "chemotherapy", "chemo"), ("intolerance",)),
            *each(("", "化疗"), ("不耐受", "不能耐受"), ("", "原因")),
            *("不能耐受化疗原因", "不耐受化疗原因"),
        ),
        keys=("intoleran", "耐受"),
        other_words={
            "pancreatitis": ("急性胰腺炎",),
            "infection": ("infections", "severe infection", "严重感染", "重症感染"),
            "endocarditis": ("infective endocarditis", "感染性心内膜炎"),
            "other": OTHER_REASON,
        },
        chinese_words={"pancreatitis": "胰腺炎", "infection": "感染", "endocarditis": "心内膜炎"},
        described="levels",
        characteristic="reason for intolerance",
    ),
    Column(
        "months_from_diagnosis",
        "decimal",
        min="0",
        max="600",
        step="0.1",
        unit="months",
        meaning="from diagnosis to the first infusion",
        chinese="诊断至首次输注（月）",
        chinese_meaning="从诊断到首次输注的时间",
        headers=(
            *each(
                ("months", "time", "interval", "time months"),
                ("from", "since"),
                ("diagnosis",),
                ("", *FIRST_INFUSION),
            ),
            *each(("diagnosis",), FIRST_INFUSION, ("", "months", "interval", "time")),
            *each(
                ("诊断", "确诊", "初诊", "诊断时", "确诊时"),
                ("至", "到", "距"),
                (
                    *("首次输注", "首次用药", "首次治疗", "输注", "用药", "治疗"),
                    *("首次输注贝林妥欧单抗", "贝林妥欧单抗治疗"),
                ),
                ("", "时间", "间隔", "间隔时间"),
                ("", "月", "月数"),
            ),
        ),
        keys=DIAGNOSIS_KEYS,
        example=4.5,
        may_be_missing=True,
        described="median",
        characteristic="diagnosis to first infusion",
    ),
    Column(
        "infusion_days",
        "integer",
        min="1",
        max="42",
        unit="days",
        meaning="days of infusion in cycle 1",
        chinese="第 1 疗程输注天数",
        chinese_meaning="第 1 疗程的输注天数",
        headers=(
            *each(
                CYCLE_1,
                (
                    *("infusion days", "infusion duration", "duration infusion", "days infusion"),
                    *("days infused", "treatment days", "days on infusion", "days on treatment"),
                ),
            ),
            *each(
                ("infusion days", "infusion duration", "duration infusion", "days infusion"),
                ("cycle 1", "c1"),
            ),
            *each(
                CYCLE_1,
                ("输注天数", "用药天数", "给药天数", "治疗天数", "输注日数", "输注持续天数"),
            ),
        ),
        keys=INFUSION_KEYS,
        example=28,
        described="median",
        characteristic="infusion in cycle 1",
    ),
    Column(
        "stop_reason",
        "category",
        ("completed", "severe_reaction", "economic", "other"),
        meaning="how cycle 1 ended: as planned, or stopped for a severe reaction, for cost or for another reason",
        chinese="停药原因",
        chinese_meaning="第 1 疗程如何结束：按计划完成，或因严重不良反应、经济原因或其他原因停药",
        headers=(
            *each(
                ("stop", "stopping", "discontinuation", "end treatment", "termination", "withdrawal"),
                ("reason",),
            ),
            *each(
                ("reason",),
                (
                    *("stop", "stopped", "stopping", "discontinuation", "discontinued", "ending"),
                    *("termination", "end treatment", "stopping treatment", "stopping infusion"),
                ),
            ),
            *each(
                CYCLE_1,
                (
                    *("停药", "停止", "停用", "终止", "中止", "终止治疗", "停止治疗", "停止输注"),
                    *("终止输注", "结束", "治疗结束", "中断"),
                ),
                ("原因",),
            ),
        ),
        keys=STOP_KEYS,
        other_words={
            "completed": (
                *("complete", "finished", "as planned", "completed as planned", "planned"),
                *("完成", "已完成", "计划完成", "正常完成", "完成疗程", "疗程完成", "完成治疗"),
            ),
            "severe_reaction": (  # one that is not called severe may have been mild
                *("severe adverse reaction", "severe adverse event", "severe toxicity"),
                *("grade 3 toxicity", "严重反应", "严重毒性", "严重毒副反应", "严重不良事件"),
                *each(
                    ("3级以上", "3级及以上", "≥3级", ">=3级"),
                    ("不良反应", "不良事件", "毒性"),
                ),
            ),
            "economic": (
                *("cost", "financial", "financial reasons", "economic reason", "economic reasons"),
                *("经济", "费用", "费用原因", "经济困难", "经济因素"),
            ),
            "other": OTHER_REASON,
        },
        chinese_words={
            "completed": "按计划完成",
            "severe_reaction": "严重不良反应",
            "economic": "经济原因",
        },
        example="completed",
        described="levels",
        characteristic="end of cycle 1",
        shared=True,
    ),
    Column(
        "extra_cycles",
        "integer",
        min="0",
        max="20",
        unit="cycles",
        meaning="cycles given after the first",
        chinese="后续疗程数",
        chinese_meaning="第 1 疗程之后又用的疗程数",
        headers=(
            *each(
                ("", "number"),
                ("extra", "further", "additional", "subsequent", "later"),
                ("cycles", "courses"),
            ),
            *("cycles after first", "cycles after cycle 1", "number cycles after first"),
            *each(
                ("后续", "追加", "额外", "增加", "后续治疗"),
                ("疗程", "周期"),
                ("", "数"),
            ),
            "第1疗程后的疗程数",
        ),
        keys=CYCLE_KEYS,
        example=1,
        may_be_missing=True,
        described="found",
        characteristic="further cycles",
    ),
    Column(
        "mrd_before_percent",
        "decimal",
        min="0.0001",
        max="100",
        step="0.0001",
        unit="%",
        blank=True,
        blank_is_none=True,
        label="MRD before (%)",
        meaning="MRD in bone marrow before the first infusion; blank where not detected",
        chinese="治疗前 MRD（%）",
        chinese_meaning="首次输注前骨髓 MRD；未检出则留空",
        time="before",
        headers=MRD_HEADERS,
        keys=MRD_KEYS,
        example="0.145",
        may_be_missing=True,
        table="mrd",
    ),
    Column(
        "mrd_after_percent",
        "decimal",
        min="0.0001",
        max="100",
        step="0.0001",
        unit="%",
        blank=True,
        blank_is_none=True,
        optional=True,
        label="MRD after (%)",
        meaning="MRD in bone marrow after cycle 1; blank where not detected",
        chinese="治疗后 MRD（%）",
        chinese_meaning="第 1 疗程后骨髓 MRD；未检出则留空",
        time="after",
        headers=MRD_HEADERS,
        keys=MRD_KEYS,
        may_be_missing=True,
        table="mrd",
    ),
    Column(
        "fc_before",
        "category",
        RESULTS,
        label="FC before",
        meaning="MRD by flow cytometry (FC) before",
        chinese="治疗前流式 MRD",
        chinese_meaning="治疗前流式细胞术（FC）检测 MRD 的结果",
        time="before",
        headers=FC_HEADERS,
        keys=FC_KEYS,
        other_words=STATUS_WORDS,
        example="positive",
        table="mrd",
    ),
    Column(
        "fc_after",
        "category",
        RESULTS,
        label="FC after",
        meaning="MRD by flow cytometry (FC) after",
        chinese="治疗后流式 MRD",
        chinese_meaning="治疗后流式细胞术（FC）检测 MRD 的结果",
        time="after",
        headers=FC_HEADERS,
        keys=FC_KEYS,
        other_words=STATUS_WORDS,
        example="negative",
        table="mrd",
    ),
    Column(
        "pcr_before",
        "category",
        FOLLOWED_RESULTS,
        label="RT-PCR before",
        meaning="fusion gene by RT-PCR before; not_applicable where there is no fusion gene to follow",
        chinese="治疗前 RT-PCR",
        chinese_meaning="治疗前 RT-PCR 检测融合基因的结果；无融合基因可供监测者填 not_applicable",
        time="before",
        headers=PCR_HEADERS,
        keys=PCR_KEYS,
        other_words=FOLLOWED_WORDS,
        example="positive",
        may_be_missing=True,
        table="mrd",
    ),
    Column(
        "pcr_after",
        "category",
        FOLLOWED_RESULTS,
        label="RT-PCR after",
        meaning="fusion gene by RT-PCR after; not_applicable where there is no fusion gene to follow",
        chinese="治疗后 RT-PCR",
        chinese_meaning="治疗后 RT-PCR 检测融合基因的结果；无融合基因可供监测者填 not_applicable",
        time="after",
        headers=PCR_HEADERS,
        keys=PCR_KEYS,
        other_words=FOLLOWED_WORDS,
        example="negative",
        may_be_missing=True,
        table="mrd",
    ),
    Column(
        "fever_cycle1",
        "boolean",
        label="fever in cycle 1",
        meaning="fever in cycle 1",
        chinese="第 1 疗程发热",
        chinese_meaning="第 1 疗程是否发热",
        headers=(
            *each(CYCLE_1, FEVER),
            *each(FEVER, CYCLE_1),
        ),
        keys=("fever", "pyrexia", "发热", "发烧"),
        example="yes",
        may_be_missing=True,
        table="events",
    ),
    Column(
        "crs_grade",
        "integer",
        min="0",
        max="5",
        label="CRS grade",
        meaning="worst grade of cytokine release syndrome, 0 for none",
        chinese="CRS 分级",
        chinese_meaning="细胞因子释放综合征的最高分级，未发生填 0",
        headers=(
            *each(WORST, CRS, GRADE),
            *each(WORST, ("grade",), CRS),
        ),
        keys=("crs", "cytokine", "细胞因子"),
        example=1,
        may_be_missing=True,
        table="events",
    ),
    Column(
        "icans_grade",
        "integer",
        min="0",
        max="5",
        label="ICANS grade",
        meaning="worst grade of neurotoxicity (ICANS), 0 for none",
        chinese="ICANS 分级",
        chinese_meaning="神经毒性（ICANS）的最高分级，未发生填 0",
        headers=(
            *each(WORST, ICANS, GRADE),
            *each(WORST, ("grade",), ICANS),
        ),
        keys=("icans", "neurotox", "神经毒性"),
        example=0,
        may_be_missing=True,
        table="events",
    ),
    Column(
        "icans_day",
        "integer",
        min="1",
        max="42",
        unit="day",
        blank=True,
        blank_is_none=True,
        label="ICANS day",
        meaning="day of infusion on which ICANS began; blank without ICANS",
        chinese="ICANS 发生日",
        chinese_meaning="ICANS 发生在输注第几天；未发生则留空",
        headers=(
            *each(
                ICANS,
                (
                    *("day", "onset", "onset day", "day onset", "start day"),
                    *("发生日", "发生天数", "出现日", "出现天数", "起始日"),
                    *("发生于第几天", "发生第几天", "发生日第几天"),
                ),
            ),
            *each(("day", "onset day", "day onset", "onset", "start day"), ICANS),
            *each(("day",), ICANS, ("onset",)),
        ),
        keys=("icans", "neurotox", "神经毒性"),
        may_be_missing=True,
        table="events",
    ),
)

RULES: tuple[Rule, ...] = (
    Rule("reason-only-in-IC", {"intolerance_reason": [*REASONS]}, {"group": "IC"},
         "a reason for intolerance belongs to group IC"),
    Rule("reason-given-in-IC", {"group": "IC"}, {"intolerance_reason": [*REASONS]},
         "every IC patient has a reason for intolerance"),
    Rule(
        "gene-is-bcr-abl1",
        {"fusion_gene": "BCR::ABL1"},
        {"bcr_abl1": "yes"},
        "the fusion gene is BCR::ABL1",
    ),
    Rule(
        "gene-is-not-bcr-abl1",
        {"fusion_gene": ["none", *GENES[1:]]},
        {"bcr_abl1": "no"},
        "the fusion gene is another one, or there is none",
    ),
    Rule("fusion-followed-before", {"bcr_abl1": "yes"}, {"pcr_before": ["positive", "negative", "not_done"]},
         "a fusion gene is followed by RT-PCR, or this is not done"),
    Rule("fusion-followed-after", {"bcr_abl1": "yes"}, {"pcr_after": ["positive", "negative", "not_done"]},
         "a fusion gene is followed by RT-PCR, or this is not done"),
    Rule("mrd-value-when-detected", {"any_of": [{"fc_before": "positive"}, {"pcr_before": "positive"}]},
         {"mrd_before_percent": {"at_least": "0.0001"}}, "an assay was positive before, so there is an MRD value"),
    Rule("mrd-blank-when-not-detected",
         {"fc_before": ["negative", "not_done"],
          "pcr_before": ["negative", "not_applicable", "not_done"]},
         {"mrd_before_percent": ""}, "no assay was positive before, so the MRD value is blank"),
    Rule("icans-day-with-icans", {"icans_grade": {"at_least": "1"}}, {"icans_day": {"at_least": "1"}},
         "ICANS has a day of onset"),
    Rule("no-icans-day-without-icans", {"icans_grade": "0"}, {"icans_day": ""},
         "without ICANS there is no day of onset"),
)  # fmt: skip
