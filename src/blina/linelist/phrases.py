"""Phrases of headers and cells that several columns share, and how they are put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

_SIGNS = ("::", "-", "/", ":")  # between the two genes of a fusion
_BEHIND_GENES = (
    "",
    "融合基因",
    "融合",
    "阳性",
    "融合基因阳性",
    "重排",
    "重排阳性",
    "+",
    "(+)",
    " positive",
    " pos",
    " fusion",
    " fusion gene",
    " rearrangement",
    " rearranged",
)


def genes(*names: str) -> Iterator[str]:
    """Genes or fusions of genes, and what is typed behind them: KMT2A重排, BCR-ABL positive."""
    return (name + behind for name, behind in product(names, _BEHIND_GENES))


def fusions(firsts: Iterable[str], seconds: Iterable[str]) -> Iterator[str]:
    """Fusions of each of the first genes with each of the second, as they are typed."""
    for first, sign, second in product(firsts, _SIGNS, seconds):
        yield from genes(first + sign + second)


def each(*parts: Iterable[str]) -> Iterator[str]:
    """Every combination of one text of each part, in this order, with a blank between them."""
    return (" ".join(texts) for texts in product(*parts))


# Parts of headers. An empty text stands for a part that may be left out.

PATIENT = (
    "patient",
    "subject",
    "participant",
    "study",
    "record",
    "case",
    "患者",
    "患儿",
    "病人",
    "受试者",
    "研究",
    "入组",
)
NUMBER_WORDS = ("id", "no", "number", "num", "code", "编号", "号")
FIRST_INFUSION = (
    "first infusion",
    "infusion",
    "treatment",
    "blinatumomab",
    "first dose",
    "start blinatumomab",
)
CYCLE_1 = ("", "cycle 1", "c1", "第1疗程", "首疗程", "首个疗程", "疗程1", "第1周期")
WORST = ("", "worst", "highest", "maximum", "max", "最高", "最重", "最差", "最大")
GRADE = (
    "",
    "grade",
    "grading",
    "级",
    "分级",
    "级别",
    "等级",
    "最高分级",
    "最高级别",
    "最重分级",
    "最高等级",
)
CRS = ("crs", "cytokine release syndrome", "细胞因子释放综合征", "细胞因子释放综合症")
ICANS = ("icans", "neurotoxicity", "神经毒性", "免疫效应细胞相关神经毒性综合征")
FEVER = ("fever", "pyrexia", "发热", "发烧", "是否发热", "有无发热")

DISEASE = (
    "mrd",
    "微小残留病",
    "微小残留",
    "可测量残留病",
    "微量残留病",
    "minimal residual disease",
    "measurable residual disease",
)
RESULT = ("", "result", "status", "结果", "检测", "检测结果")
FLOW = (
    "fc",
    "fcm",
    "mfc",
    "flow",
    "flow cytometry",
    "流式",
    "流式细胞术",
    "流式细胞",
    "流式检测",
)
PCR = (
    "pcr",
    "qpcr",
    "rt pcr",
    "rt qpcr",
    "rq pcr",
    "定量 pcr",
    "荧光定量 pcr",
    "实时定量 pcr",
    "定量",
)
BCR_ABL1 = ("bcr abl1", "bcr abl", "bcr abl1 融合基因", "bcr abl 融合基因")
ANY_FUSION = ("融合基因", "fusion gene", "fusion genes", "gene fusion", "fusion")
GENE_STATUS = ("positive", "status", "found", "阳性", "有无")

# When something was measured; such a text may stand anywhere in a header.
_TREATMENT = (
    "",
    "treatment",
    "therapy",
    "infusion",
    "first infusion",
    "blinatumomab",
    "cycle 1",
    "blina",
)
TIMES: dict[str, tuple[str, ...]] = {
    "before": (
        *each(("before", "pre", "prior"), _TREATMENT),
        "baseline",
        "治疗前",
        "疗前",
        "用药前",
        "输注前",
        "首次输注前",
        "首次用药前",
        "贝林妥欧单抗治疗前",
        "贝林妥欧治疗前",
        "第1疗程前",
        "之前",
        "前",
        "基线",
    ),
    "after": (
        *each(("after", "post"), _TREATMENT),
        "治疗后",
        "疗后",
        "用药后",
        "输注后",
        "首次输注后",
        "首次用药后",
        "贝林妥欧单抗治疗后",
        "贝林妥欧治疗后",
        "第1疗程后",
        "首疗程后",
        "之后",
        "后",
    ),
}

# Headers without their time.
MRD_HEADERS = tuple(
    each(
        ("", "bone marrow", "骨髓"),
        DISEASE,
        ("", "value", "level", "percent", "水平", "值"),
    )
)
FC_HEADERS = (
    *each(FLOW, ("", *DISEASE), RESULT),
    *each(DISEASE, FLOW, RESULT),
)
PCR_HEADERS = (
    *each(("", *BCR_ABL1, *ANY_FUSION, *DISEASE), PCR, RESULT),
    *each(PCR, DISEASE, RESULT),
)

# Words that make a header look like one of a column, though it is not known as such.
MRD_KEYS = ("mrd", "残留", "residual disease")
FC_KEYS = ("fc", "fcm", "mfc", "flow", "流式")
PCR_KEYS = ("pcr", "qpcr", "rtpcr", "rqpcr", "rtqpcr", "定量", "拷贝", "copies", "copy")
FUSION_KEYS = ("fusion", "融合基因")
BCR_ABL1_KEYS = ("bcr", "philadelphia", "费城", "ph染色体")
INFUSION_KEYS = (
    "infusion days",
    "infusion duration",
    "infusion time",
    "输注天",
    "输注时间",
    "用药天",
    "用药时间",
)
DIAGNOSIS_KEYS = (
    "from diagnosis",
    "since diagnosis",
    "diagnosis to",
    "诊断至",
    "诊断到",
    "诊断距",
    "确诊至",
    "确诊到",
    "确诊距",
    "病程",
)
STOP_KEYS = ("stopped", "stop reason", "discontinu", "停药", "停用", "终止", "中止", "停止")
CYCLE_KEYS = ("cycles", "courses", "疗程数", "周期数", "总疗程")

# Words in cells.

STATUS_WORDS: dict[str, tuple[str, ...]] = {
    "positive": ("pos", "+", "阳", "阳性(+)", "mrd阳性", "mrd+", "检出", "detected"),
    "negative": (
        "neg",
        "阴",
        "阴性(-)",
        "mrd阴性",
        "(-)",
        "未检出",
        "not detected",
        "undetected",
        "undetectable",
        "未检测到",
        "<lod",
        "below limit of detection",
        "below the limit of detection",
        "below lod",
        "低于检测下限",
        "低于检测限",
        "低于检出限",
    ),
    "not_done": (
        "未查",
        "未测",
        "未检",
        "未检测",
        "未检查",
        "未送检",
        "未行",
        "没做",
        "not tested",
        "untested",
        "not performed",
        "not examined",
        "not assessed",
    ),
}
FOLLOWED_WORDS = {**STATUS_WORDS, "not_applicable": ("无需", "不需要")}
OTHER_REASON = ("others", "other reason", "其它", "其他原因", "其它原因")
NONE = ("无", "没有", "none", "no", "否", "未发生", "没有发生", "未出现", "nil")
YES_NO: dict[str, tuple[str, ...]] = {  # of every boolean column
    "yes": (
        "y",
        "true",
        "t",
        "1",
        "checked",
        "有",
        "发生",
        "出现",
        "√",
        "✓",
        "✔",
        "☑",
        "阳性",
        "positive",
        "pos",
        "+",
    ),
    "no": (
        "n",
        "false",
        "f",
        "0",
        "unchecked",
        "☐",
        "阴性",
        "negative",
        "neg",
        "(-)",
        *NONE,
    ),
}

# Fusion genes, by the word that is declared for them. What is found under the microscope, such as
# t(1;19), is no gene and is not read as one.
_KMT2A_PARTNERS = (
    "AFF1",
    "AF4",
    "MLLT1",
    "ENL",
    "MLLT3",
    "AF9",
    "MLLT10",
    "AF10",
    "MLLT4",
    "AFDN",
    "AF6",
    "ELL",
    "EPS15",
    "USP2",
)
GENE_WORDS: dict[str, tuple[str, ...]] = {
    "none": (
        "negative",
        "阴性",
        *STATUS_WORDS["negative"],
        *NONE,
        "no fusion",
        "no fusion gene",
        "none detected",
        "none found",
        "无融合基因",
        "未见融合基因",
        "未检出融合基因",
        "未检测到融合基因",
        "融合基因阴性",
    ),
    "BCR::ABL1": (
        *fusions(("BCR",), ("ABL1", "ABL", "ABL1 p190", "ABL p190", "ABL1 p210", "ABL p210")),
        "Ph+",
        "Ph(+)",
        "Ph阳性",
        "Ph positive",
        "Ph染色体阳性",
        "费城染色体阳性",
    ),
    "ETV6::RUNX1": tuple(fusions(("ETV6", "TEL"), ("RUNX1", "AML1"))),
    "TCF3::PBX1": tuple(fusions(("TCF3", "E2A"), ("PBX1", "PBX"))),
    "KMT2A": (
        *genes("KMT2A", "MLL", "KMT2A-r", "KMT2Ar", "MLL-r", "MLLr"),
        *fusions(("KMT2A", "MLL"), _KMT2A_PARTNERS),
    ),
    "another": (
        "other",
        "other fusion",
        "other fusion gene",
        "another fusion gene",
        "其他",
        "其它",
        "其他基因",
        "其它融合基因",
        *fusions(("TCF3", "E2A"), ("HLF",)),
        *fusions(("P2RY8", "IGH", "IGH@"), ("CRLF2",)),
        *fusions(("SIL", "STIL"), ("TAL1",)),
        *fusions(("SET",), ("NUP214", "CAN")),
        *fusions(("ETV6", "NUP214", "ZMIZ1", "RCSD1"), ("ABL1",)),
        *fusions(("EBF1",), ("PDGFRB",)),
        *fusions(("MEF2D",), ("BCL9", "HNRNPUL1")),
        *fusions(("EP300", "TCF3", "TAF15"), ("ZNF384",)),
        *fusions(("PAX5",), ("ETV6", "JAK2")),
        *fusions(("BCR",), ("JAK2",)),
    ),
}
FOUND = ("yes", "是", *YES_NO["yes"], *STATUS_WORDS["positive"])  # says that there is one, not which
