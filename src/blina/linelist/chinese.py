"""The declared columns in Chinese: names, meanings, units, words and what may stand in a cell."""

from __future__ import annotations

from blina.linelist.columns import Column

NAMES = {
    "patient_id": "患者编号",
    "group": "分组",
    "sex": "性别",
    "age_years": "年龄（岁）",
    "bcr_abl1": "BCR::ABL1 融合基因",
    "intolerance_reason": "化疗不耐受原因",
    "months_from_diagnosis": "诊断至首次输注（月）",
    "infusion_days": "第 1 疗程输注天数",
    "stop_reason": "停药原因",
    "extra_cycles": "后续疗程数",
    "mrd_before_percent": "治疗前 MRD（%）",
    "mrd_after_percent": "治疗后 MRD（%）",
    "fc_before": "治疗前流式 MRD",
    "fc_after": "治疗后流式 MRD",
    "pcr_before": "治疗前 RT-PCR",
    "pcr_after": "治疗后 RT-PCR",
    "fever_cycle1": "第 1 疗程发热",
    "crs_grade": "CRS 分级",
    "icans_grade": "ICANS 分级",
    "icans_day": "ICANS 发生日",
}

MEANINGS = {
    "patient_id": "患者代号，如 P01、P02；不得填写姓名或住院号",
    "group": "使用贝林妥欧单抗的目的：MC 首次缓解期清除 MRD，IC 不能耐受化疗期间的桥接治疗，RR 难治或复发后的再诱导",
    "sex": "性别",
    "age_years": "首次输注时的年龄",
    "bcr_abl1": "是否检出 BCR::ABL1 融合基因",
    "intolerance_reason": "不能耐受化疗的原因；非 IC 组留空",
    "months_from_diagnosis": "从诊断到首次输注的时间",
    "infusion_days": "第 1 疗程的输注天数",
    "stop_reason": "第 1 疗程如何结束：按计划完成，或因严重不良反应、经济原因或其他原因停药",
    "extra_cycles": "第 1 疗程之后又用的疗程数",
    "mrd_before_percent": "首次输注前骨髓 MRD；未检出则留空",
    "mrd_after_percent": "第 1 疗程后骨髓 MRD；未检出则留空",
    "fc_before": "治疗前流式细胞术（FC）检测 MRD 的结果",
    "fc_after": "治疗后流式细胞术（FC）检测 MRD 的结果",
    "pcr_before": "治疗前 RT-PCR 检测融合基因的结果；无融合基因可供监测者填 not_applicable",
    "pcr_after": "治疗后 RT-PCR 检测融合基因的结果；无融合基因可供监测者填 not_applicable",
    "fever_cycle1": "第 1 疗程是否发热",
    "crs_grade": "细胞因子释放综合征的最高分级，未发生填 0",
    "icans_grade": "神经毒性（ICANS）的最高分级，未发生填 0",
    "icans_day": "ICANS 发生在输注第几天；未发生则留空",
}

UNITS = {"years": "岁", "months": "月", "days": "天", "day": "第几天", "cycles": "疗程", "%": "%"}

WORDS = {
    "MC": "首次缓解期清除 MRD",
    "IC": "不能耐受化疗时桥接",
    "RR": "难治或复发",
    "male": "男",
    "female": "女",
    "no": "否",
    "yes": "是",
    "pancreatitis": "胰腺炎",
    "infection": "感染",
    "endocarditis": "心内膜炎",
    "other": "其他",
    "completed": "按计划完成",
    "severe_reaction": "严重不良反应",
    "economic": "经济原因",
    "positive": "阳性",
    "negative": "阴性",
    "not_applicable": "不适用",
    "not_done": "未做",
}

RULES = {  # why each rule across columns holds, by its id
    "reason-only-in-IC": "化疗不耐受原因只属于桥接组",
    "reason-given-in-IC": "桥接组每位患者均须填写化疗不耐受原因",
    "pcr-before-needs-fusion": "无融合基因则 RT-PCR 无可监测",
    "pcr-after-needs-fusion": "无融合基因则 RT-PCR 无可监测",
    "fusion-followed-before": "有融合基因者以 RT-PCR 监测，或填未做",
    "fusion-followed-after": "有融合基因者以 RT-PCR 监测，或填未做",
    "mrd-value-when-detected": "治疗前有检测为阳性，则应有 MRD 数值",
    "mrd-blank-when-not-detected": "治疗前各项检测均非阳性，则 MRD 数值留空",
    "icans-day-with-icans": "发生 ICANS 则应有发生日",
    "no-icans-day-without-icans": "未发生 ICANS 则无发生日",
}


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
        *others, last = (f"{word}（{WORDS[word]}）" if word in WORDS else word for word in column.words)
        blank = " " if others and others[-1].isascii() else ""
        said = f" {'、'.join(others)}{blank}或 {last}" if others else f" {last}"
    return said + ("，或留空" if column.blank else "")
