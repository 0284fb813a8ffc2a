"""Sheets with one fault each, as wards make them: the cell is named, what to write is said, the value is not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from click.testing import CliRunner
from files import changed, id_card, ward, write
from openpyxl.worksheet.worksheet import Worksheet

from blina.cli import main

# Rows 2 to 14: MC (with a fusion gene, without, with ICANS, stopped for cost, ...), IC from row 11, RR from row 13.
PATIENTS = ("P01", "P02", "P16", "P07", "P11", "P05", "P12", "P08", "P18", "P19", "P21", "P27", "P25")
CARD, PHONE, NAME = id_card(date(2015, 4, 3), 771), "13800138000", "张三测试"
TIMES = {"months_from_diagnosis": "{from: 诊断日期, to: 首次输注日期}"}
THRESHOLD = 'assays: {FC: {negative: "< 0.01"}}\n'


def chosen(report_rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows of `PATIENTS`, in their order."""
    rows = {row["patient_id"]: row for row in report_rows}
    return [rows[patient] for patient in PATIENTS]


@dataclass(frozen=True)
class Fault:
    """One fault: what stands in which cells, and the cell, rule and advice that are to be told.

    `at` is "" where a whole column is missing. `hidden` is what must not be shown, unless asked for: what stands in the
    cell, where nothing else is said. `problems` counts the lines that are told where one fault makes several.
    """

    cells: Mapping[str, object]
    at: str
    rule: str
    en: str
    zh: str
    suffix: str = ".csv"
    language: str = "zh"
    settings: str = ""
    formats: Mapping[str, str] = field(default_factory=dict)
    edit: Callable[[Worksheet], None] | None = None
    hidden: str | None = None
    problems: int = 1

    def write(self, folder: Path, report_rows: list[dict[str, str]]) -> Path:
        rows = chosen(report_rows)
        if self.settings:
            (folder / "cohort.yaml").write_text(self.settings, encoding="utf-8")
        how = {"formats": self.formats, "edit": self.edit} if self.suffix == ".xlsx" else {}
        return write(folder / f"linelist{self.suffix}", changed(ward(rows, self.language), self.cells), **how)

    @property
    def value(self) -> str:
        """What must not be shown."""
        return str(self.cells.get(self.at, "")).strip() if self.hidden is None else self.hidden


def dates(diagnosed: object, infused: object = "2023-05-17") -> dict[str, object]:
    """Dates of diagnosis and first infusion instead of months, those of P02 in row 3 as given."""
    cells = {"G1": "诊断日期", "T1": "首次输注日期", "G3": diagnosed, "T3": infused}
    return {f"{letter}{row}": "2022-12-01" if letter == "G" else "2023-05-17" for letter in "GT" for row in range(2, 15)
            } | cells  # fmt: skip


def boxes(*typed: tuple[str, str, str]) -> dict[str, object]:
    """REDCap's boxes of the reason to stop, in new columns; P02, P03, ... as typed, the others completed."""
    cells = {"T1": "reason___1", "U1": "reason___2", "V1": "reason___3"}
    rows = [("1", "0", "0"), *typed, *[("1", "0", "0")] * (12 - len(typed))]
    return cells | {f"{letter}{row}": box for row, three in enumerate(rows, start=2)
                    for letter, box in zip("TUV", three, strict=True)}  # fmt: skip


def columns(**sources: str) -> str:
    return "columns:\n" + "".join(f"  {name}: {source}\n" for name, source in sources.items())


BOXES = columns(stop_reason="{checked: {reason___1: completed, reason___2: severe_reaction, reason___3: economic}}")
DATES = columns(**TIMES)
EXCEL = {"suffix": ".xlsx"}
ALIKE = "write male or female"
EITHER = "请填写 male（男）或 female（女）"

FAULTS = {
    # Words
    "a word that nobody knows": Fault({"C14": "男女"}, "C14", "sex-allowed", ALIKE, EITHER),
    "a word with a typing mistake": Fault(
        {"C9": "femael"}, "C9", "sex-allowed", ALIKE, EITHER, language="en"),
    "a code whose meaning nobody declares": Fault(
        {"C5": "28"}, "C5", "code", "may be a code", "可能为编码"),
    "a blank where a value is needed": Fault(
        {"C3": ""}, "C3", "sex-allowed", "is blank: write male or female; or, if not recorded", "为空：请填写"),
    "a blank made of a full-width space": Fault(
        {"C3": "\u3000"}, "C3", "sex-allowed", "is blank", "为空"),
    "a value that is said not to be known": Fault(
        {"C4": "不详"}, "C4", "not-known", "name sex under missing_allowed", "列入 sex"),
    "a hyphen in a column that has no none": Fault(
        {"C4": "——"}, "C4", "not-known", "is said not to be known", "注明不详"),
    "NA that may be no, or not recorded": Fault(
        {"E3": "n.a."}, "E3", "unclear", "may mean none, or not recorded", "可能表示“无”或“未记录”"),
    "another fusion gene": Fault(
        {"E4": "TEL-AML1"}, "E4", "bcr_abl1-allowed", "write no or yes", "请填写 no（否）或 yes（是）"),
    "a group of one's own that is not declared": Fault(
        {"B6": "CR1组"}, "B6", "group-allowed", "name your own groups under groups", "写明本院的分组"),
    "a group typed as a number": Fault(
        {"B6": "91"}, "B6", "code", "say under values in cohort.yaml what the code means", "注明编码含义"),
    "a reason to stop in one's own words": Fault(
        {"I5": "病情进展"}, "I5", "stop_reason-allowed", "what your word means", "本院用词的含义"),
    "an own word that is declared for another column": Fault(
        {"I5": "甲类"}, "I5", "stop_reason-allowed", "what your word means", "本院用词的含义",
        settings="values: {sex: {甲类: male}}\n"),
    "a word in which a patient is told": Fault(
        {"P3": "偶有低热"}, "P3", "fever_cycle1-allowed", "write no or yes", "请填写 no（否）或 yes（是）"),
    "a note in the place of a word": Fault(
        {"L3": "外院流式报告" * 40}, "L3", "fc_before-allowed", "is a long text", "文字过长"),
    # Numbers
    "an age in words": Fault(
        {"D3": "六岁半"}, "D3", "age_years-allowed", "is not a number", "不是数字"),
    "an age that nobody reaches": Fault(
        {"D3": "135"}, "D3", "age_years-allowed", "is out of range", "超出范围"),
    "a negative age": Fault({"D3": "-7.7"}, "D3", "age_years-allowed", "is out of range", "超出范围"),
    "two ages": Fault(
        {"D3": "13-14岁"}, "D3", "age_years-allowed", "may be two numbers or a range", "可能为两个数值或范围"),
    "an age limit": Fault({"D3": ">13岁"}, "D3", "age_years-allowed", "is a limit", "为界限"),
    "an age to more digits than the column takes": Fault(
        {"D3": "14.87"}, "D3", "age_years-allowed", "is between two steps", "精度不符"),
    "a comma that may stand for thousands": Fault(
        {"G3": "1,255"}, "G3", "months_from_diagnosis-allowed", "thousands or for decimals", "可能是千位分隔或小数点"),
    "a letter O for a zero": Fault({"G3": "1O"}, "G3", "months_from_diagnosis-allowed", "is not a number", "不是数字"),
    "more months than twelve behind years": Fault(
        {"G3": "1年15个月"}, "G3", "months_from_diagnosis-allowed", "is not a number", "不是数字"),
    "a negative interval": Fault(
        {"G3": "-3.3"}, "G3", "months_from_diagnosis-allowed", "is out of range", "超出范围"),
    "more days than a first cycle has": Fault(
        {"H3": "77"}, "H3", "infusion_days-allowed", "from 1 to 42", "1 至 42"),
    "no day of infusion": Fault({"H3": "00"}, "H3", "infusion_days-allowed", "is out of range", "超出范围"),
    "half a day": Fault({"H3": "15.5"}, "H3", "infusion_days-allowed", "is between two steps", "精度不符"),
    "days done of days planned": Fault(
        {"H3": "15/28"}, "H3", "infusion_days-allowed", "may be two numbers", "可能为两个数值"),
    "several cycles without a number": Fault(
        {"J3": "多个疗程"}, "J3", "extra_cycles-allowed", "is not a number", "不是数字"),
    "a hyphen that may be no cycle or not recorded": Fault(
        {"J3": "---"}, "J3", "extra_cycles-allowed", "may mean none, or not recorded", "可能表示“无”或“未记录”"),
    "more cycles than can be": Fault({"J3": "33"}, "J3", "extra_cycles-allowed", "is out of range", "超出范围"),
    # Grades
    "an event without its grade": Fault(
        {"Q3": "√"}, "Q3", "crs_grade-allowed", "give its grade", "请写明分级"),
    "two grades": Fault({"Q3": "Ⅱ-Ⅲ级"}, "Q3", "crs_grade-allowed", "write a whole number", "整数"),
    "a grade that there is not": Fault({"Q3": "17"}, "Q3", "crs_grade-allowed", "from 0 to 5", "0 至 5"),
    "at least a grade": Fault({"Q3": "≥3级"}, "Q3", "crs_grade-allowed", "is a limit", "为界限"),
    "the grade of another event": Fault({"Q3": "ICANS 2级"}, "Q3", "crs_grade-allowed", "is not a number", "不是数字"),
    "a day beyond the first cycle": Fault({"S4": "第88天"}, "S4", "icans_day-allowed", "is out of range", "超出范围"),
    "from a day to another": Fault({"S4": "D2-D9"}, "S4", "icans_day-allowed", "may be two numbers", "可能为两个数值"),
    # MRD values
    "percent signs in some rows of a column": Fault(
        {"K3": "0.38%"}, "K3", "one-unit", "in another way than the rest of its column", "写法不同"),
    "MRD found, but not how much": Fault(
        {"K3": "阳性"}, "K3", "value-given", "but not how much", "只注明阳性而无数值"),
    "MRD above a limit": Fault({"K3": ">77%"}, "K3", "limit", "is a limit and not one number", "为界限而非确定数值"),
    "a power of ten that lost its raised figure": Fault(
        {"K3": "10-4"}, "K3", "mrd_before_percent-allowed", "lost its raised figure", "丢失上标"),
    "about so much": Fault(
        {"K3": "约0.38"}, "K3", "mrd_before_percent-allowed", "is not an MRD value", "不是 MRD 数值"),
    "from so much to so much": Fault(
        {"K3": "0.3~0.7"}, "K3", "mrd_before_percent-allowed", "is not an MRD value", "不是 MRD 数值"),
    "a count of cells": Fault(
        {"K3": "38/10000"}, "K3", "mrd_before_percent-allowed", "is not an MRD value", "不是 MRD 数值"),
    "more than all cells": Fault({"K3": "138"}, "K3", "mrd_before_percent-allowed", "is out of range", "超出范围"),
    "a fraction that looks finer than any assay": Fault(
        {"K3": "0.00377"}, "K3", "finer-than-step", "if it is a fraction", "如为比例"),
    "a negative MRD": Fault(
        {"K3": "-0.38"}, "K3", "mrd_before_percent-allowed", "is not an MRD value", "不是 MRD 数值"),
    "an MRD with a comma for thousands": Fault(
        {"K3": "3,800"}, "K3", "mrd_before_percent-allowed", "thousands or for decimals", "可能是千位分隔或小数点"),
    # Results of assays
    "a value with no threshold declared": Fault(
        {"L3": "0.38%"}, "L3", "threshold-declared", "declare the threshold under assays", "未声明阴性阈值"),
    "a limit on both sides of the threshold": Fault(
        {"M3": "<0.1%"}, "M3", "threshold-undecided", "on both sides of the threshold", "无法按阈值判定",
        settings=THRESHOLD),
    "a word and a value that do not agree": Fault(
        {"M3": "阳性（0.0038%）"}, "M3", "status-and-value", "do not agree", "判定不一致", settings=THRESHOLD),
    "a result typed as a code": Fault(
        {"M3": "１"}, "M3", "code", "a value takes a percent sign", "数值请加百分号"),
    "a hyphen for a result": Fault(
        {"M3": "－－"}, "M3", "unclear", "negative, not done, not applicable or not recorded", "可能表示阴性、未做"),
    "ND for a result": Fault({"M3": "N.D."}, "M3", "unclear", "may mean negative, not done", "可能表示阴性、未做"),
    "a result in doubt": Fault({"M3": "可疑阳性"}, "M3", "fc_after-allowed", "what your word means", "本院用词的含义"),
    "a result that is blank": Fault(
        {"M3": ""}, "M3", "fc_after-allowed", "is blank: write positive, negative or not_done", "为空"),
    "no flow cytometry where there is a fusion gene to follow": Fault(
        {"M3": "不适用"}, "M3", "unclear", "may mean negative, not done", "可能表示阴性、未做"),
    # A row that does not fit together
    "a reason for intolerance outside its group": Fault(
        {"F3": "感染"}, "B3", "reason-only-in-IC", "belongs to group IC", "只属于桥接组", hidden="感染"),
    "no reason for intolerance in its group": Fault(
        {"F11": ""}, "F11", "reason-given-in-IC", "every IC patient has a reason", "均须填写化疗不耐受原因"),
    "a fusion gene that nobody follows": Fault(
        {"O2": "不适用"}, "O2", "fusion-followed-after", "is followed by RT-PCR", "以 RT-PCR 监测"),
    "MRD found and no value": Fault(
        {"K3": ""}, "K3", "mrd-value-when-detected", "so there is an MRD value", "应有 MRD 数值"),
    "a value and no MRD found": Fault(
        {"K11": "7.77"}, "K11", "mrd-blank-when-not-detected", "so the MRD value is blank", "MRD 数值留空"),
    "ICANS and no day": Fault(
        {"S4": ""}, "S4", "icans-day-with-icans", "ICANS has a day of onset", "应有发生日"),
    "a day and no ICANS": Fault(
        {"S3": "37"}, "S3", "no-icans-day-without-icans", "there is no day of onset", "无发生日"),
    # Rows
    "a patient without identifier": Fault(
        {"A5": ""}, "A5", "id-given", "give every patient an identifier", "请为每位患者填写编号"),
    "a patient twice": Fault(
        {"A6": "P02"}, "A6", "id-once", "is the same as in row 3", "与第 3 行相同", hidden="P02"),
    "a heading between patients": Fault(
        {f"{letter}7": "" for letter in "BCDEFGHIJKLMNOPQRS"} | {"A7": "二〇二三年"},
        "B7", "group-allowed", "is blank", "为空", hidden="二〇二三年", problems=15),
    # Headers
    "a column that is missing": Fault(
        {"C1": "X"}, "", "header-complete", "is missing from the header", "表头缺少此列"),
    "a column whose name is mistyped": Fault(
        {"C1": "sexx"}, "", "header-complete", "rename sexx", "请将“sexx”改为此名", language="en"),
    "an age in months": Fault(
        {"D1": "年龄（月）"}, "", "header-complete", "is missing from the header", "表头缺少此列"),
    "two columns of the same name": Fault(
        {"C1": "sex", "T1": "sex", "T3": "男"}, "", "header-once", "stands 2 times", "出现 2 次"),
    "two columns that may be meant": Fault(
        {"T1": "Sex", "T3": "男"}, "", "header-once", "headers in C1, T1", "以下表头均可能是此列：C1、T1"),
    "cells without a header": Fault(
        {"U1": "备注", "T3": "见病历"}, "T1", "header-given", "has cells but no header", "此列有内容但无表头",
        hidden="见病历"),
    "a header that cohort.yaml names and the sheet has not got": Fault(
        {}, "", "header-named", "from the header 随机号码, which the sheet has not got", "指定的表头“随机号码”",
        settings=columns(patient_id="随机号码")),
    "a header that cohort.yaml names and the sheet has twice": Fault(
        {"T1": "性别", "T3": "男"}, "", "header-named", "stands 2 times", "出现 2 次", settings=columns(sex="性别")),
    "no header at all": Fault(
        {f"{letter}1": "" for letter in "ABCDEFGHIJKLMNOPQRS"}, "", "header-complete", "is missing", "表头缺少此列",
        hidden="心内膜炎", problems=21),
    # Exports
    "several events of one patient": Fault(
        {"T1": "redcap_event_name", "T3": "arm_7", "T4": "arm_8"}, "T1", "one-row-per-patient", "export the one event",
        "请只导出一个事件", hidden="arm_7"),
    "several boxes checked": Fault(
        boxes(("1", "0", "1")), "T3", "one-box", "several boxes are checked", "勾选了多个选项", settings=BOXES,
        hidden=""),
    "no box checked": Fault(
        boxes(("0", "0", "0")), "T3", "stop_reason-allowed", "is blank", "为空", settings=BOXES, hidden=""),
    "a box that says something else": Fault(
        boxes(("1", "0", "也许")), "V3", "box", "is no box", "不是勾选框", settings=BOXES),
    "a box whose header is not there": Fault(
        boxes() | {"U1": "reason"}, "", "header-named", "from the header reason___2", "“reason___2”在表中不存在",
        settings=BOXES),
    # Dates
    "a date that may be of two months": Fault(
        dates("03/04/2023"), "G3", "date", "say under date_order", "date_order 中注明", settings=DATES),
    "a date with a year of two digits": Fault(
        dates("23/04/13"), "G3", "date", "has a year of two digits", "年份只有两位", settings=DATES),
    "a day that there is not": Fault(
        dates("2023-02-30"), "G3", "date", "is a day that there is not", "日期不存在", settings=DATES),
    "a year and a month alone": Fault(dates("2023年3月"), "G3", "date", "is not a date", "不是日期", settings=DATES),
    "a date to come": Fault(
        dates("2023-01-02", "2923-05-17"), "T3", "date", "is in the future", "晚于今日", settings=DATES),
    "dates in the wrong order": Fault(
        dates("2023-06-07"), "G3", "dates-in-order", "before the first", "后一日期早于前一日期", settings=DATES),
    "no date of diagnosis": Fault(
        dates(""), "G3", "months_from_diagnosis-allowed", "is blank", "为空", settings=DATES),
    "a header of dates that is not there": Fault(
        dates("2023-01-02") | {"T1": "输注"}, "", "header-named", "from the header 首次输注日期",
        "“首次输注日期”在表中不存在", settings=DATES),
    # What identifies a patient
    "a column of names": Fault(
        {"T1": "姓名", "T3": NAME}, "T1", "identifying-header", "names a person's name", "可识别患者身份", hidden=NAME),
    "a hospital number": Fault(
        {"T1": "住院号", "T3": "ZY77310"}, "T1", "identifying-header", "names a hospital number", "住院号或病案号",
        hidden="ZY77310"),
    "a date of birth": Fault(
        {"T1": "出生日期", "T3": "2015-04-03"}, "T1", "identifying-header", "a full date of birth", "完整出生日期",
        hidden="2015-04-03"),
    "names for identifiers": Fault(
        {f"A{row}": name for row, name in enumerate(("张三测试", "李四测试", "王五虚构", "赵六虚构", "陈七假名",
                                                     "刘八假名", "杨九编造"), start=2)},
        "A2", "identifying-value", "write P01, P02, ... instead", "请改写为 P01、P02 等代号"),
    "an ID card for an identifier": Fault(
        {"A3": CARD}, "A3", "identifying-value", "an ID-card number", "身份证件号码"),
    "a telephone number in a remark": Fault(
        {"T1": "备注", "T4": f"母亲{PHONE}"}, "T4", "identifying-value", "a telephone number", "手机或电话号码",
        hidden=PHONE),
    "a name in a column that is set aside": Fault(
        {"T1": "备注", "T4": f"患儿{NAME}，再次入院"}, "T4", "identifying-value", "a person's name", "姓名",
        hidden=NAME),
    "a telephone number in a column of words": Fault(
        {"I5": f"经济原因 {PHONE}"}, "I5", "identifying-value", "remove it from these cells", "请从这些单元格中删去",
        hidden=PHONE, problems=2),
    "a patient's row for a header": Fault(
        {"T1": PHONE, "T3": "x"}, "T1", "identifying-value", "the header itself holds", "表头本身疑似含有",
        hidden=PHONE[1:]),
    # Workbooks
    "an error of the spreadsheet": Fault(
        {"D3": "#DIV/0!"}, "D3", "spreadsheet-error", "is an error of the spreadsheet", "为表格公式错误", **EXCEL),
    "a formula that was never calculated": Fault(
        {"D3": "=G3/12"}, "D3", "uncalculated", "open and save the file in a spreadsheet", "请用表格软件打开并保存",
        hidden="", **EXCEL),
    "2-3 that the spreadsheet turned into a date": Fault(
        {"Q3": date(2023, 2, 3)}, "Q3", "date-in-place", "makes one of texts such as 2-3", "2-3 等文字",
        **EXCEL),
    "a percent cell where a plain number is meant": Fault(
        {"D3": "0.148"}, "D3", "percent-cell", "is a percent cell", "为百分比格式", formats={"D3": "0.0%"},
        hidden="14.8%", **EXCEL),
    "a percent cell in a column of plain numbers": Fault(
        {"K3": "0.0038"}, "K3", "one-unit", "may be a factor of 100", "可能相差 100 倍", formats={"K3": "0.00%"},
        hidden="0.38%", **EXCEL),
    "a number that shows less than it holds": Fault(
        {"D3": "14.8765"}, "D3", "age_years-allowed", "is between two steps", "精度不符", **EXCEL),
    "a tick for a result": Fault({"M3": True}, "M3", "fc_after-allowed", "what your word means", "本院用词的含义",
                                 hidden="", **EXCEL),
    "a merged group that is not declared": Fault(
        {}, "B12", "group-allowed", "is blank", "为空", edit=lambda sheet: sheet.merge_cells("B11:B12"), hidden="",
        **EXCEL),
    "a number in a text cell with a unit that is none": Fault(
        {"H3": "15针"}, "H3", "infusion_days-allowed", "is not a number", "不是数字", **EXCEL),
    "a table that begins elsewhere": Fault({}, "E7", "sex-allowed", ALIKE, EITHER, hidden="男男", edit=lambda sheet: (
        sheet.__setitem__("C5", "男男"), sheet.insert_rows(1, 2), sheet.insert_cols(1, 2)), **EXCEL),
    # Other kinds of files
    "a wrong value in a file with tabs": Fault({"D3": "7岁?"}, "D3", "age_years-allowed", "is not a number", "不是数字",
                                               suffix=".tsv"),
    "a wrong value in a SAS file": Fault({"D3": "135"}, "D3", "age_years-allowed", "is out of range", "超出范围",
                                         suffix=".xpt"),
    "a wrong word in a SAS file": Fault({"C3": "雄性"}, "C3", "sex-allowed", ALIKE, EITHER, suffix=".xpt"),
}  # fmt: skip


def ingest(path: Path, *arguments: str) -> tuple[int, str, list[str]]:
    """Exit code, what was made, and lines of standard error."""
    done = CliRunner().invoke(main, ["ingest", str(path), "-o", str(path.parent / "out"), *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert "Traceback" not in done.stderr
    return done.exit_code, done.stdout, done.stderr.splitlines()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_with_its_cell_and_what_to_write(name, tmp_path, report_rows):
    fault = FAULTS[name]
    path = fault.write(tmp_path, report_rows)
    page = tmp_path / "problems.html"
    code, said, lines = ingest(path, "--report", page)
    assert (code, said) == (1, "")
    *problems, counted = lines
    assert len(problems) == fault.problems and counted.startswith(f"{fault.problems} problem")
    found = [line for line in problems if line.endswith(f"[{fault.rule}{', cell ' * bool(fault.at)}{fault.at}]")]
    assert any(fault.en in line for line in found), problems
    written = page.read_text(encoding="utf-8").split("</style>")[1]
    assert fault.value == "" or fault.value not in "\n".join(lines) + written

    code, said, lines = ingest(path, "--lang", "zh", "--show-values")
    assert (code, said, len(lines)) == (1, "", fault.problems + 1)
    rule = f"[{fault.rule}{'，单元格 ' * bool(fault.at)}{fault.at}]"
    told = [line for line in lines if fault.zh in line and rule in line]
    assert told, lines
    assert not (tmp_path / "out").exists()
    if fault.value and (fault.formats or fault.value == str(fault.cells.get(fault.at, "")).strip()):
        assert told[0].endswith(f"{rule}  <- {fault.value}")


def text(report_rows, language="zh") -> str:
    """The ward's line list as CSV text."""
    rows = ward(chosen(report_rows), language)
    return "\n".join(",".join(map(str, row)) for row in rows) + "\n"


def two_header_rows(sheet: Worksheet) -> None:
    sheet.insert_rows(1)
    sheet["K1"] = "治疗前"
    sheet["M1"] = "治疗后"


def merged_header(sheet: Worksheet) -> None:
    sheet.merge_cells("L1:M1")


def second_line_list(sheet: Worksheet) -> None:
    sheet.parent.copy_worksheet(sheet)


# Files that cannot be read: name, what makes it of the ward's text and of a workbook that `edit` has changed, what is
# said of it.
UNREADABLE = {
    "nothing in it": ("linelist.csv", lambda text, book: b" \r\n", "is empty", "是空文件"),
    "a header and no patients": ("linelist.csv", lambda text, book: text.split("\n")[0].encode(),
                                 "has a header but no patients", "只有表头而没有患者"),
    "a quotation mark that is not closed": ("linelist.csv", lambda text, book: text.replace(",男", ',"男', 1).encode(),
                                            "a quotation mark that is not closed", "未闭合的引号"),
    "a comma too many": ("linelist.csv", lambda text, book: text.replace(",男", ",男,,", 1).encode(),
                         "row 2 has 21 cells and the header has 19", "第 2 行有 21 个单元格，而表头有 19 个"),
    "cells cut off": ("linelist.csv", lambda text, book: text.replace("P02,MC", "P02\nMC").encode(),
                      "row 3 has 1 cells", "第 3 行有 1 个单元格"),
    "a header of two rows": ("linelist.csv", lambda text, book: f",,,治疗前,,,治疗后\n{text}".encode(),
                             "rows 1 and 2 both look like the header", "第 1 行和第 2 行似乎都是表头"),
    "an encoding of another continent": ("linelist.csv", lambda text, book: text.encode("gb18030") + b"\xff\xff",
                                         "is not UTF-8", "不是 UTF-8"),
    "half of it overwritten": ("linelist.csv", lambda text, book: text.encode() + bytes(40), "NUL", "NUL"),
    "a workbook under a wrong name": ("linelist.csv", lambda text, book: book(), "end its name in .xlsx",
                                      "后缀改为 .xlsx"),
    "text under a wrong name": ("linelist.xlsx", lambda text, book: text.encode(), "end its name in .csv",
                                "后缀改为 .csv"),
    "text called a SAS file": ("linelist.xpt", lambda text, book: text.encode(), "not a SAS transport file",
                               "不是 SAS 传输文件"),
    "a web page called a workbook": ("linelist.xlsx", lambda text, book: f"<html><table>{text}".encode(),
                                     "is a web page", "是网页"),
    "the old Excel format": ("linelist.xlsx", lambda text, book: bytes.fromhex("d0cf11e0a1b11ae1") + text.encode(),
                             "old Excel format (.xls)", "旧版 Excel"),
    "a password": ("linelist.xlsx", lambda text, book: bytes.fromhex("d0cf11e0a1b11ae1")
                   + "EncryptedPackage".encode("utf-16-le"), "protected by a password", "有密码保护"),
    "a workbook cut off": ("linelist.xlsx", lambda text, book: book()[:-500], "is damaged", "已损坏"),
    "a workbook with a sheet that is no XML": ("linelist.xlsx", lambda text, book: without_sheet(book()), "is damaged",
                                               "已损坏"),
    "two header rows in a workbook": ("linelist.xlsx", lambda text, book: book(two_header_rows),
                                      "rows 1 and 2 both look like the header", "第 1 行和第 2 行似乎都是表头"),
    "a merged header": ("linelist.xlsx", lambda text, book: book(merged_header), "has merged cells (L1:M1)",
                        "含有合并单元格（L1:M1）"),
    "two line lists in a workbook": ("linelist.xlsx", lambda text, book: book(second_line_list),
                                     "several sheets that may be the line list (patients, patients Copy)",
                                     "多个工作表可能是"),
}  # fmt: skip


def without_sheet(book: bytes) -> bytes:
    """A workbook in which the XML of the sheet is broken."""
    old, new = BytesIO(book), BytesIO()
    with ZipFile(old) as archive, ZipFile(new, "w") as broken:
        for name in archive.namelist():
            content = archive.read(name)
            broken.writestr(name, content[:900] if "sheet1" in name else content)
    return new.getvalue()


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_cannot_be_read_is_one_line(name, tmp_path, report_rows):
    file, made, en, zh = UNREADABLE[name]

    def book(edit: Callable[[Worksheet], None] | None = None) -> bytes:
        rows = ward(report_rows[:4], "zh")
        return write(tmp_path / "linelist.xlsx", rows, edit=edit).read_bytes()

    content = made(text(report_rows), book)
    (tmp_path / file).write_bytes(content)
    for language, said in (("en", en), ("zh", zh)):
        code, out, lines = ingest(tmp_path / file, "--lang", language, "--report", tmp_path / "problems.html")
        assert (code, out, len(lines)) == (2, "", 1)
        assert file in lines[0] and said in lines[0]
        assert "心内膜炎" not in lines[0] and "P02" not in lines[0]
    assert not (tmp_path / "out").exists() and not (tmp_path / "problems.html").exists()


@pytest.mark.parametrize(
    "settings, line, said",
    [
        ("values:\n  sex: {甲类: man}\n", 2, "values.sex.甲类: man cannot stand there: write male or female"),
        ("columns:\n  group: {value: CR1}\n", 2, "columns.group.value: CR1 cannot stand there: write MC, IC or RR"),
        ("columns:\n  stop_reason:\n    checked: {b: done}\n", 3, "columns.stop_reason.checked.b: done cannot stand"),
        ("columns:\n  patient_id: {value: P01}\n", 2, "P01 cannot stand there: write a different text for every"),
        ("sheet: cases\n", None, "linelist.xlsx has no sheet cases: name one of patients"),
    ],
)  # fmt: skip
def test_a_description_that_no_sheet_can_fit_is_one_line(settings, line, said, tmp_path, report_rows):
    (tmp_path / "cohort.yaml").write_text(settings, encoding="utf-8")
    code, out, lines = ingest(write(tmp_path / "linelist.xlsx", ward(report_rows[:4], "en")))
    assert (code, out, len(lines)) == (2, "", 1)
    assert lines[0].startswith(f"cohort.yaml, line {line}: " if line else "linelist.xlsx") and said in lines[0]
    assert not (tmp_path / "out").exists()
