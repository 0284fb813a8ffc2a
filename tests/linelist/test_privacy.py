"""What identifies a patient is found, however it is typed; what a ward writes of a disease is left alone."""

import dataclasses
from datetime import date, datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blina.linelist import chinese
from blina.linelist.columns import COLUMNS
from blina.linelist.identifying import HOSPITAL_NUMBER, about_birth, kinds
from blina.linelist.phrases import YES_NO
from blina.linelist.privacy import are_pseudonyms, problems, pseudonyms, safe_cells, safe_text, shown_header
from blina.linelist.sheet import Cell, sheet_of

PERSON, MOBILE, MAIL, HOME = "张三测试", "13800138000", "zhangsan@example.com", "幻想省虚构市测试区"
HAN_DIGITS = str.maketrans("0123456789", "０１２３４５６７８９")


def id_card(area="110101", born="19000307", serial="775"):
    """An invented ID number: the last character makes the sum of digits times powers of two leave 1 over 11."""
    digits = f"{area}{born}{serial}"
    total = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(digits))
    return digits + next("0123456789X"[last] for last in range(11) if (total + last) % 11 == 1)


CARD = id_card()
KNOWN = ["分组", "性别", "年龄"]


def found(cells, header="remarks", declared="", allowed=()):
    """Problems of a column in a sheet whose other columns are known."""
    sheet = sheet_of("ward.csv", [header, *KNOWN], [[cell, "MC", "male", "1"] for cell in cells])
    return problems(sheet, {1: "group", 2: "sex", 3: "age_years"} | ({0: declared} if declared else {}), allowed)


def rules(*args, **options):
    return [problem.rule for problem in found(*args, **options)]


def said(problem):
    """Everything that a problem says, in whatever way it is printed."""
    return (
        repr(problem) + problem.line("ward.csv") + problem.line("ward.csv", "zh") + repr(dataclasses.astuple(problem))
    )


def listed(texts):
    return texts.strip().replace("\n", "").split("|")


IDENTIFYING_HEADERS = listed("""
姓名|患儿姓名|患者姓名|姓　名|母亲姓名|name|Name|NAME 1|patient_name|PatientName|Patient's name|full name|
Surname|first_name|initials|身份证|身份证号|身份证号码|证件号|护照号|ID card|ID_card_no|national id|NationalID|
passport|手机|手机号|电话|联系电话|家长电话|联系方式|联系人|phone|Phone number|mobile|Tel.|tel_no|telephone|
contact no|地址|家庭住址|户口地址|邮编|address|HomeAddress|postcode|ZIP code|email|E-mail|邮箱|电子邮箱|微信|
微信号|WeChat|QQ|住院号|住\u200b院号|病案号|门诊号|病历号|ＭＲＮ|mrn|hospital number|Hospital_No|
medical record no.|medicalrecordnumber|inpatient id|医保号|医保卡号|社保卡|insurance|insurance no|Insurance ID|
出生日期|出生年月日|生日|患儿生日|DOB|date of birth|DateOfBirth|birth date|birthday|家长|父亲|母亲|监护人|
guardian|mother|照片|photo
""")
OTHER_HEADERS = listed("""
分组|编号|序号|患者编号|受试者编号|研究编号|登记号|record_id|study id|subject id|patient no.|医院|中心|
center name|hospital|drug name|药物名称|年龄（岁）|出生体重|birth weight|出生日龄|发生日期|CRS发生日期|
ICANS发生日|住院天数|住院次数|电话随访日期|telephone visit|医保类型|insurance type|病理号|mobilization|mobility|
诊断日期|首次输注日期|father HLA|父亲供者|parental consent|危险度|高危|白细胞|白细胞计数|cell number|融合基因|
方案|疗程数|流式|疗前流式|停药原因|周期数|任何级别|终点|移植|供者类型|转归|血型|民族|核型|温度|巩固|高热|金标准|
万元|何时停药|phenotype|photopheresis|TEL-AML1|TEL/AML1|tel_aml1|TEL-AML1融合基因|ETV6-TEL|ETV6/TEL|TEL基因|
知情同意签字日期|签名日期|微信随访|微信回访日期|南京路2号方案
""")


@pytest.mark.parametrize("header", [*IDENTIFYING_HEADERS, "姓\n名"])
def test_a_header_that_names_what_identifies_is_refused_by_its_name(header):
    (problem,) = found(["1", "2"], header)
    assert (problem.rule, problem.row, problem.cell, problem.header) == ("identifying-header", 1, "A1", header)
    assert "leave_out" in problem.advice.en and "leave_out" in problem.advice.zh


@pytest.mark.parametrize("header", OTHER_HEADERS)
def test_a_header_that_names_something_clinical_passes(header):
    assert found(["1", "2"], header) == []


def test_every_declared_column_passes_under_its_english_and_its_chinese_name():
    for column in COLUMNS:
        for header in (
            column.name,
            column.label,
            column.chinese,
            f"{column.name}\n{column.chinese}",
        ):
            assert found(["1"], header, column.name) == found(["1"], header) == []


CANARIES = {
    "ID card": [CARD, CARD.lower(), f"{CARD[:6]} {CARD[6:14]} {CARD[14:]}", CARD.translate(HAN_DIGITS),
                f"{CARD[:3]}-{CARD[3:7]} – {CARD[7:11]}·{CARD[11:]}", f"{CARD[:9]}\u200b{CARD[9:]}", f"ID:{CARD}.",
                f"身份证{CARD}，男", "110101900307775", CARD[:15] + "000", "1.10101190003077E+17"],
    "telephone": [MOBILE, "+8613800138000", "+86 138 0013 8000", "+86-138-0013-8000", "0086 13800138000",
                  "(+86)13800138000", "138-0013-8000", "1380 0138 000", "1 3 8 0 0 1 3 8 0 0 0", "138\n00138000",
                  "138－0013－8000", "1380013\u200b8000", "\ufeff13800138000", "13800138000.0", "1.38001e10",
                  "1.3800138E+10", "tel.13800138000", "发热，母亲13800138000，已停药", "١٣٨٠٠١٣٨٠٠٠",
                  MOBILE.translate(HAN_DIGITS)],
    "landline": ["010-87654321", "(010)87654321", "0571 87654321", "0312-7654321", "01087654321",
                 "（０１０）８７６５４３２１"],
    "e-mail": [MAIL, "zhangsan＠example.com", f"请寄{MAIL}"],
    "address": [HOME, "幻想省虚构市", "天津市和平区虚构路288号", "北京虚构区", "虚构路１２号", "幻想街道5号",
                "新疆幻想县"],
    "birth": ["出生日期：2018-03-05", "生于2018年3月5日", "DOB 2018/3/5", "born on 5 Mar 2018", "发热，生日20180305"],
    "name in text": [f"患者{PERSON}，男", "患儿姓名：李四", "姓名:王小明", "患儿王小明因发热入院", "患者 张三"],
}  # fmt: skip


@pytest.mark.parametrize("text", [text for texts in CANARIES.values() for text in texts])
@pytest.mark.parametrize("declared", ["", "crs_grade", "group"])
def test_a_value_that_identifies_is_found_in_any_column_and_never_repeated(text, declared):
    (problem,) = found(["阴性", "", text, "2", text], "finding", declared)
    assert (problem.rule, problem.row, problem.cell) == ("identifying-value", 4, "A4")
    assert "1 more row" in problem.advice.en and "另有 1 行" in problem.advice.zh
    assert text not in said(problem)


@pytest.mark.parametrize("text", [text for texts in CANARIES.values() for text in texts] + [PERSON, "李四"])
def test_a_header_that_holds_a_value_is_shown_by_its_letter_alone(text):
    (problem,) = found(["1", "2"], text)
    assert (problem.rule, problem.row, problem.column, problem.cell) == ("identifying-value", 1, "A", "A1")
    assert text not in said(problem)


def test_no_header_is_repeated_where_too_few_are_known_for_it_to_be_one():
    sheet = sheet_of(
        "ward.csv", ["分组", "性别", "年龄", "张虚构例", "remarks", PERSON], [["MC", "男", "1", MOBILE, "", ""]]
    )
    known = {0: "group", 1: "sex", 2: "age_years"}
    assert [shown_header(sheet, place, known) for place in (0, 3, 4, 5)] == ["分组", "张虚构例", "remarks", ""]
    sideways = {0: "group", 1: "sex"}
    assert [shown_header(sheet, place, sideways) for place in range(6)] == [""] * 6
    assert {problem.header for problem in problems(sheet, sideways)} == {""}


def test_numbers_as_a_spreadsheet_holds_them_identify_too():
    for cell in (
        Cell(MOBILE, "number", "1.38E+10"),
        Cell(CARD[:15] + "000", "number"),
        Cell("110101900307775", "number"),
    ):
        assert rules([cell, Cell("0.145", "number")]) == ["identifying-value"]
    birth = [Cell("2018-03-05", "date"), Cell("43164", "number")]
    assert rules(birth, "出生") == ["identifying-value"] and rules(birth, "诊断日期") == []


def test_a_sas_column_is_judged_by_its_label_too():
    sheet = dataclasses.replace(sheet_of("ward.xpt", ["NAM"], [["x"]]), labels=("Patient name",))
    assert [problem.rule for problem in problems(sheet, {})] == ["identifying-header"]
    sheet = dataclasses.replace(sheet, labels=(f"Nurse {MOBILE}",))
    (problem,) = problems(sheet, {})
    assert problem.header == "" and MOBILE not in said(problem)


NAMES = [
    "张三",
    "李四",
    "王小明",
    "欧阳明",
    "张*三",
    "王某某",
    "張三",
    "张 三",
    "陈静怡（女）",
    "赵一1",
    "阿依古丽·买买提",
    PERSON,
]


def test_a_column_of_which_half_the_texts_could_be_names_is_a_column_of_names():
    assert rules(NAMES) == ["identifying-value"]
    assert [rules([name]) for name in NAMES] == [["identifying-value"]] * len(NAMES)
    assert rules(["张三", "张三", "未知"]) == ["identifying-value"]
    assert rules(["张三", "发热", "感染"]) == []  # one in three may be a word that happens to look so
    assert rules(NAMES, "编号", "patient_id") == ["identifying-value"]
    assert rules(NAMES, "分组", "group") == []  # these must be declared words anyway, and are never repeated


ORDINARY = listed("""
0.145|<0.01%|＜0.01％|10⁻⁴|1×10⁻⁴|1.2e-4|1.5e10|45012|5岁3月|8月龄|2级|Ⅱ|阴性|阳性|高危|中危|标危|完全缓解|
部分缓解|未缓解|病情进展|感染|胰腺炎|2023-04-03|2023/4/3|03-Apr-2023|20230403|2023年4月3日|2023-04-03 13:30|
15-03-2023 120|2021-03-12 至 2021-04-15|P001|S-0045|20230000001|t(9;22)(q34;q11)|
46,XY,t(9;22)(q34.1;q11.2)[12]/46,XY[8]|BCR::ABL1|费城染色体阳性|第9号染色体|WBC 150.2×10⁹/L|12 (5 to 28)|3/18|
100000000|患者于第3天发热|患儿高热不退，予退热|患者白细胞低下|患者严重感染。|患者常规化疗|患者安静，无不适|
患儿金黄色葡萄球菌感染|患者周一出院|患者马利兰预处理|家属要求停药|患者家属因经济原因放弃|父亲高血压|母亲贫血|
父亲供者|同胞全合|患者于外院化疗，后转入我院|外省市转入我市就诊|河南省人民医院|北京儿童医院二病区|
上海市儿童医院浦东院区|河北农村|中心静脉通路|信号通路1号|新疆少数民族地区|birth weight 3.2 kg|born preterm|
出生时窒息，体重2.1kg|发热3天后CRS 2级，托珠单抗1次后缓解|输注第2天出现ICANS 4级|因经济原因停药|
死亡（2023-05-06）|贝林妥欧单抗|芦可替尼|霍奇金|巩固|莫西沙星|高峰|武汉|周六|not done|severe reaction|completed|
Ph-like|CR1|MRD+ after 2 cycles|12,34,56,78,90,12,34,56,78|025-2023-0045|not a patient: reconstructed
""")


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_text_of_a_ward_passes_even_alone_in_its_column(text):
    assert found([text]) == found([text], "编号", "patient_id") == found(["1"], text) == []


def test_every_header_and_word_that_can_be_read_passes(report_rows):
    headers = {header for column in COLUMNS for header in (*column.headers, column.chinese)}
    assert [header for header in headers if found(["1"], header)] == []
    words = {word for column in COLUMNS for word in column.values} | {*chinese.WORDS.values()}
    words |= {word for column in COLUMNS for word in column.chinese_words.values()}
    words |= {word for column in COLUMNS for texts in column.other_words.values() for word in texts}
    words |= {word for texts in YES_NO.values() for word in texts}
    assert [word for word in words if found([word])] == []
    for name in report_rows[0]:
        assert found([row[name] for row in report_rows], name, name) == []


def test_a_patient_id_named_in_the_cohort_description_may_identify_for_it_is_replaced():
    assert rules(["1234567", "1234568"], "住院号", "patient_id") == ["identifying-header"]
    for header, cells in (("住院号", ["1234567"]), ("姓名", NAMES), ("身份证号", [CARD]), ("手机", [MOBILE])):
        assert found(cells, header, "patient_id", allowed=[header]) == []


def test_a_date_of_birth_that_only_an_age_is_taken_from_may_stand_but_nothing_else_in_its_column():
    dates = ["2018-03-05", "2019/4/6"]
    assert rules(dates, "出生日期", "age_years") == ["identifying-header"]
    assert found(dates, "出生日期", "age_years", allowed=["出生日期"]) == []
    assert rules([*dates, CARD], "出生日期", "age_years", allowed=["出生日期"]) == ["identifying-value"]


@pytest.mark.parametrize(
    "text", ["2018-03-05", "2018年3月5日", "5/3/2018", "05.03.18", "20180305", "5 Mar 2018", "Mar 5, 2018", "43164"]
)
def test_a_full_date_below_a_header_about_birth_is_a_date_of_birth_but_a_year_or_month_is_not(text):
    assert rules([text], "出生") == rules([text], "Birth") == ["identifying-value"]
    assert rules(["2018", "2018-03", "2018年3月"], "出生年月") == []


def test_what_to_do_depends_on_what_the_column_serves():
    advice = {declared: found([CARD], "x", declared)[0].advice.en for declared in ("", "patient_id", "group")}
    assert "leave_out" in advice[""] and "pseudonyms" in advice["patient_id"] and "these cells" in advice["group"]
    assert "age_years: {from:" in found(["1"], "DOB")[0].advice.en


def test_a_landline_is_not_seen_in_an_identifier_for_centres_number_their_patients_so():
    assert found(["025-20230045"], "id", "patient_id") == []
    assert rules(["025-20230045"]) == ["identifying-value"]


birthdays = st.dates(date(1900, 1, 1), date(2025, 12, 31)).map(lambda day: f"{day:%Y%m%d}")
digits = st.text("0123456789", min_size=3, max_size=3)
areas = st.integers(100000, 999999).map(str)
around = st.sampled_from(["", "患者 ", "ID:", "（", "x ", "住址不详，", "\u200b"])


@given(areas, birthdays, digits, st.sampled_from(["", " ", "-", "\u200b", "－"]), around, st.booleans())
def test_an_id_number_with_the_right_check_digit_is_always_found(area, born, serial, gap, before, wide):
    card = id_card(area, born, serial)
    typed = before + gap.join((card[:6], card[6:14], card[14:])) + ("，男" if before else "")
    assert "identifying-value" in rules([typed.translate(HAN_DIGITS) if wide else typed])
    if born < "2000":  # when the form of 15 digits had ended
        assert rules([f"{area}{born[2:]}{serial}"]) == ["identifying-value"]


gaps = st.sampled_from(["", " ", "-", "–", "·", "  "])
prefixes = st.sampled_from(["", "+86", "+86 ", "86-", "0086"])
cut_at = st.sampled_from([(3, 7), (4, 8), (3, 6)])


@given(st.integers(3, 9), st.text("0123456789", min_size=9, max_size=9), around, gaps, prefixes, cut_at)
def test_a_mobile_number_is_always_found(second, rest, before, gap, prefix, cut):
    number, (one, two) = f"1{second}{rest}", cut
    typed = f"{before}{prefix}{number[:one]}{gap}{number[one:two]}{gap}{number[two:]}"
    (problem,) = found([typed])
    assert problem.rule == "identifying-value" and number[-4:] not in said(problem)


numbers = st.one_of(
    st.decimals(0, 100, places=4).map(str),
    st.integers(0, 10**9).map(str),
    st.floats(1e-9, 1e9).map(repr),
    st.datetimes(datetime(1950, 1, 1), datetime(2030, 1, 1)).map(lambda day: f"{day:%Y-%m-%d %H:%M}"),
    st.dates(date(1950, 1, 1)).map(lambda day: f"{day:%d/%m/%Y}"),
    st.integers(1, 9999).map(lambda number: f"P{number:04}"),
)
words = st.sampled_from(
    [
        "阴性",
        "阳性",
        "高危",
        "感染",
        "发热",
        "完全缓解",
        "复发",
        "停药",
        "胰腺炎",
        "CRS 2级",
        "MRD",
        "not done",
        "G-CSF",
    ]
)


@given(numbers, st.lists(words, max_size=3), st.sampled_from("，,;、 "))
def test_numbers_dates_and_clinical_words_are_never_taken_for_a_person(number, texts, comma):
    assert found([number]) == []
    assert found([comma.join([*texts, number]), number], "备注") == []


@given(st.text(max_size=60), st.text(max_size=30))
def test_any_text_is_judged_without_stopping(text, header):
    assert all(problem.rule.startswith("identifying") for problem in found([text], header))


def test_each_finding_tells_its_first_cell_and_how_many_rows_more_in_a_sheet_that_begins_elsewhere():
    rows = [[text, "MC", "male", "1"] for text in ("x", MOBILE, "y", "13900139000", MOBILE)]
    sheet = sheet_of("ward.xlsx", ["remarks", *KNOWN], rows, [5, 6, 7, 9, 10])
    sheet = dataclasses.replace(sheet, first_column=4, header_row=4)
    (problem,) = problems(sheet, {1: "group", 2: "sex", 3: "age_years"})
    assert (problem.row, problem.cell, problem.column, problem.header) == (6, "D6", "remarks", "remarks")
    assert "in 2 more rows" in problem.advice.en


def test_pseudonyms_are_as_long_as_the_number_of_patients_needs():
    assert pseudonyms(3) == ("P01", "P02", "P03")
    assert pseudonyms(100)[::99] == ("P001", "P100")
    for number in (1, 28, 99, 100, 1000):
        assert are_pseudonyms(pseudonyms(number)) and len(set(pseudonyms(number))) == number


@pytest.mark.parametrize(
    "ids", [["P1", "P2"], ["P001"], ["P01", "0012345"], ["p01"], ["P01 "], ["P０１"], ["P01", "P02", "张三"]]
)
def test_anything_but_the_exact_form_is_no_pseudonym(ids):
    assert not are_pseudonyms(ids)


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|'/c calc'!A1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "-", "+阳性"]
)
def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert safe_text(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-1.5", "+2", "-1.2e-4", "1=1", "a@b", "阴性", "", "<0.01", " =1"])
def test_numbers_and_other_texts_stay_as_they_are(text):
    assert safe_text(text) == text


def test_a_table_for_a_spreadsheet_holds_no_formula_and_loses_no_value():
    table = pd.DataFrame(
        {"id": ["=1+1", "P02", None], "group": ["@MC", "+", "-3"], "n": [-1, 2, 3], "yes": [True, False, True]}
    )
    safe = safe_cells(table.rename(columns={"n": "=n"}))
    assert safe["id"].tolist()[:2] == ["'=1+1", "P02"]
    assert safe["id"].isna().tolist() == [False, False, True]
    assert safe["group"].tolist() == ["'@MC", "'+", "-3"]
    assert safe["'=n"].tolist() == [-1, 2, 3]
    assert safe["yes"].tolist() == [True, False, True]


def test_a_day_of_onset_is_no_day_of_birth():
    headers = [header for column in COLUMNS for header in column.headers] + ["ICANS", "CRS", "再", "感染"]
    for header in headers:
        for suffix in ("日期", "日", "发生日期", "发生日", "再生日期"):
            assert not about_birth(header + suffix), header + suffix
    assert all(map(about_birth, ("生日", "出生日期", "患儿生日", "患者生日日期")))
    assert kinds("ICANS发生日2023-01-03") == kinds("CRS发生于2023-01-03") == ()


@pytest.mark.parametrize("text", ["床号12 病案号312045", "住院号：0012345", "MRN 445566", "mrn#4455"])
def test_a_hospital_number_behind_its_label_is_found(text):
    assert HOSPITAL_NUMBER in kinds(text)


@pytest.mark.parametrize("text", ["床号12", "住院2023年", "病案号见附页", "PMRN4455"])
def test_a_label_or_a_number_alone_is_no_hospital_number(text):
    assert kinds(text) == ()


def test_one_more_row_is_not_several():
    sheet = sheet_of("x.csv", ["note"], [["13800138000"], ["13800138000"]])
    (problem,) = problems(sheet, {0: "stop_reason"})
    assert "here and in 1 more row:" in problem.advice.en
