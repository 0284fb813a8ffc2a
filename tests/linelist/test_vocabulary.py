"""Headers and words as wards write them, in English and Chinese, and what they mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blina.linelist import chinese
from blina.linelist.columns import COLUMNS, Column
from blina.linelist.phrases import YES_NO
from blina.linelist.vocabulary import BY_NAME, column_of, folded, normalised, says_missing, word_of

HEADERS = {
    "patient_id": "编号 序号 患者编号 受试者编号 研究编号 登记号 Subject_ID record_id study_id Patient|No. "
                  "PatientID ID",
    "group": "group Group|Arm 组别 分组 cohort 研究分组 treatment_group",
    "sex": "SEX Gender 性别 性别/Sex Sex(性别)",
    "age_years": "age Age|(years) AGE_YRS 年龄 年龄（岁） 年龄\n(岁) ａｇｅ 首次输注年龄 Age|at|first|infusion|(years)",
    "bcr_abl1": "BCR-ABL BCR::ABL1 BCR/ABL1 Ph Ph+ BCR-ABL1融合基因 Ph染色体",
    # A fusion gene may be any; it was read as BCR::ABL1 before there was a column for its name.
    "fusion_gene": "fusion_gene Fusion|gene Gene|fusion 融合基因 有无融合基因 融合基因检测结果 融合基因（名称）",
    "intolerance_reason": "化疗不耐受原因 不耐受原因 intolerance_reason Reason|for|intolerance",
    "months_from_diagnosis": "诊断至首次输注(月) 诊断至首次输注时间（月） 确诊到用药间隔月数 Months|from|diagnosis "
                             "Time|since|diagnosis|(months)",
    "infusion_days": "输注天数 第一疗程输注天数 Infusion|days Days|of|infusion 输注天数（天）",
    "stop_reason": "停药原因 Stop|reason Reason|for|discontinuation 终止治疗原因",
    "extra_cycles": "后续疗程 后续疗程数 further|cycles Number|of|additional|cycles",
    "mrd_before_percent": "疗前MRD 治疗前MRD(%) MRD（疗前） Baseline|MRD MRD|at|baseline|(%) "
                          "pre-treatment|MRD 治疗前微小残留病",
    "mrd_after_percent": "疗后MRD(%) MRD_post MRD|after|treatment",
    "fc_before": "疗前流式 流式（疗前） 流式疗前MRD FCM|before MRD|before|treatment|by|flow|cytometry 疗前FCM(%)",
    "fc_after": "流式疗后 疗后FCM post-FC MFC|after",
    "pcr_before": "疗前PCR 疗前|RT-PCR 基线qPCR BCR-ABL定量（疗前） RT-PCR|pre",
    "pcr_after": "PCR疗后 治疗后RT-PCR RT-PCR|after",
    "fever_cycle1": "发热 fever 第一疗程发热 发热(第1疗程) Fever|(C1)",
    "crs_grade": "CRS CRS分级 CRS|grade 最高CRS分级 CRS级别 Max|CRS|grade|(0-5) 细胞因子释放综合征分级",
    "icans_grade": "ICANS ICANS分级 神经毒性分级 Neurotoxicity|grade Worst|ICANS|grade",
    "icans_day": "ICANS发生日 ICANS|day Day|of|ICANS|onset ICANS|onset|day",
}  # fmt: skip
NOT_ONE_OF_THEM = (
    "", "姓名", "住院号", "病案号", "病历号", "MRN", "patient name", "出生日期", "诊断日期", "首次输注日期", "电话",
    "备注", "MRD", "流式", "PCR", "疗前", "疗前融合基因", "疗程数", "cycles", "诊断年龄", "Age at diagnosis",
    "sex/age", "性别年龄", "MRD before and after", "ICANS发生日期", "住院天数", "Blast %", "CRS date",
    "诊断至输注时间", "确诊到用药间隔", "Time from diagnosis", "time_since_diagnosis",
)  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_as_wards_write_it_names_its_column(name):
    for header in HEADERS[name].split(" "):
        assert column_of(header.replace("|", " ")) == name, header


@pytest.mark.parametrize("header", NOT_ONE_OF_THEM)
def test_what_may_be_anything_else_or_identifies_names_no_column(header):
    assert column_of(header) is None


@pytest.mark.parametrize(
    "header", ["年龄（月）", "Age (months)", "诊断至首次输注（天）", "Time from diagnosis (years)",
               "MRD before (10^-4)", "输注天数（小时）", "年龄(月) Age"],
)  # fmt: skip
def test_a_header_that_states_another_unit_is_not_taken_for_the_column(header):
    assert column_of(header) is None


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_declared_names_labels_and_chinese_names_are_recognised_alone_and_together(column):
    own = column.chinese
    label = column.label or column.name.replace("_", " ").capitalize()
    for header in (column.name, column.name.upper(), label, own, f"{column.name}\n{own}", f"{own} {label}"):
        assert column_of(header) == column.name, header


@given(st.text(max_size=300))
def test_any_text_can_be_asked_for_its_column_and_its_word(text):
    assert column_of(text) in {None, *BY_NAME}
    for column in COLUMNS:
        if not column.is_number and column.type != "identifier":
            assert word_of(column, text) in {None, *column.words}
    assert says_missing(text) in (True, False)
    assert normalised(text) or not folded(text)


@pytest.mark.parametrize(
    "one, other",
    [
        ("10⁻⁴", "10^-4"),
        ("Ｎｏｔ　Ｄｏｎｅ", "not_done"),
        ("年龄（岁）", "年龄"),
        ("RT–PCR", "rt-pcr"),
        ("（阳性）", "阳性"),
        ("N.A.", "n.a"),
    ],
)
def test_texts_that_differ_in_typing_only_compare_as_the_same(one, other):
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    "one, other",
    [
        ("-1", "1"),
        ("2-3", "23"),
        (".5", "5"),
        ("10⁻⁴", "10-4"),
        ("-", ""),
        ("+", "-"),
        ("+-", "+"),
        ("5\n6", "56"),
        ("(-)", "-"),
        ("阳性-", "阳性"),
        ("阳性?", "阳性"),
        ("阳性*", "阳性"),
    ],
)
def test_texts_that_mean_different_numbers_or_signs_never_compare_as_the_same(one, other):
    assert normalised(one) != normalised(other)


def test_no_word_has_two_meanings_in_one_column():
    for column in COLUMNS:
        for word in column.words if not column.is_number else ():
            others = [word, *column.other_words.get(word, ())]
            others += YES_NO[word] if column.type == "boolean" else ()
            others += [chinese.word(column, word)] if chinese.word(column, word) else []
            for other in others:
                assert word_of(column, other) == word, (column.name, other)
                assert not says_missing(other)


def test_words_of_ones_own_groups_are_known_by_their_typing_only():
    groups = Column("group", "category", ("CR 1", "cr1b", "一组"))
    assert [word_of(groups, text) for text in ("cr1", "CR1B", " 一组", "二组")] == ["CR 1", "cr1b", "一组", None]
    assert word_of(Column("group", "category", ("A-1", "A1")), "a1") is None
