"""A folder for a new cohort: a workbook to fill in, its description to adapt, and what to do with both."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from unicodedata import east_asian_width
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import yaml
from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from blina.linelist import chinese
from blina.linelist.cohort import COHORTS, ROOT, STANDARD_GROUPS, TAKEN, Cohort, load_cohort
from blina.linelist.columns import COLUMNS, Column
from blina.yamlfile import FileError

NEW_COHORTS = ROOT / "cohorts"  # git ignores it
PATIENTS, DICTIONARY, HOW_TO = "patients", "dictionary", "how to"
LAST_ROW = 10_000  # to which drop-downs and limits reach
TEXT = "@"  # the format of a cell that keeps what was typed
# What even a good record may lack. Not what every rate rests on: the group, sex, age, days and end of cycle 1, and FC.
MAY_BE_MISSING = tuple(column.name for column in COLUMNS if column.may_be_missing)

STEPS = (  # what the sheet "how to" says
    ("One row per patient, in the sheet patients. No title above the header, no merged cells, no totals below.",
     "在 patients 工作表中每位患者填一行。表头上方不加标题，不合并单元格，末尾不加合计。"),
    ("The grey row EXAMPLE shows how; it is not read. Leave it or delete it, but do not write a patient over it.",
     "灰色的“示例”行仅供参考，不会读取；可保留或删除，但不要在该行上填写患者。"),
    ("patient_id: your own number, such as 1, 2, 3. Never a name, an ID card, phone or hospital number.",
     "patient_id：自编序号，如 1、2、3。不得填写姓名、身份证号、电话或住院号。"),
    ("Where a cell offers a list, choose from it; English and Chinese words mean the same.",
     "单元格有下拉列表时请从中选择；英文词与中文词含义相同。"),
    ("MRD is in percent: 0.145 is 0.145%. The cell keeps what you type: 0.145, 0.145% or <0.01%, all of a column in "
     "one way. Do not give these columns Excel's percent format: 0.145% would become 0.00145.",
     "MRD 以百分数计：0.145 即 0.145%。单元格保留所输入的内容，可写 0.145、0.145% 或 <0.01%，但同一列写法应一致。"
     "请勿将这些列设为百分比格式：0.145% 会变成 0.00145。"),
    ("A test that was not done is not_done: not negative, not blank. RT-PCR without a fusion gene is not_applicable.",
     "未做的检测填 not_done（未做），不要填阴性，也不要留空。无融合基因者 RT-PCR 填 not_applicable（不适用）。"),
    ("Grade 0: the event did not occur. Blank: it is not known whether it did, or how badly.",
     "分级填 0 表示未发生；留空表示不清楚是否发生或不清楚级别。"),
    ("A blank is not a value: the sheet dictionary says where one is allowed and what it means.",
     "空白不是数值：哪些列可以留空、留空表示什么，见 dictionary 工作表。"),
    ("Your own groups, your own headers or words, assays and grading scale: see cohort.yaml beside this file.",
     "自定分组、自定表头或用词、检测方法和分级标准：见同一文件夹中的 cohort.yaml。"),
    ("Save, close, and follow README.md beside this file. What is wrong is told cell by cell: correct it, run again.",
     "保存并关闭，然后按同一文件夹中的 README.md 操作。如有错误会逐个单元格指出，更正后再运行即可。"),
)  # fmt: skip

DESCRIPTION = """\
# What is to be known of this cohort beyond its sheet. Every key may be left out.
# To use an example, remove "# " from its lines. A text with one of : # , % < in it stands in quotation marks.

title: {title}

# file: patients.xlsx          # your line list in this folder, if it is not called linelist (.xlsx .csv .tsv .xpt)
# sheet: patients              # the sheet of a workbook with several, where it is not clear by itself

# Which of your columns is which, where the report does not know your header. Left: its columns; right: your headers.
# columns:
#   patient_id: 登记号
#   group: {{value: MC}}                             # the same for every patient
#   age_years: {{from: 出生日期, to: 首次输注日期}}   # from dates; also months_from_diagnosis, infusion_days, icans_day
#   stop_reason: {{checked: {{reason___1: completed, reason___2: severe_reaction}}}}    # boxes of REDCap

# What your own words mean. Left: your word; right: the word of the sheet "dictionary".
# values:
#   stop_reason: {{病情进展: other}}

# Why patients were treated, in the order of the report; any names. purpose: clearance, bridging, reinduction or none.
# Without this key, those of the following that the sheet names are taken.
# groups:
{groups}

# What each assay can see, and which values count as negative, "< 0.01" or "<= 0.01"; both in percent.
# assays:
#   FC: {{limit_of_detection_percent: "0.01", negative: "< 0.01"}}
#   RT-PCR: {{limit_of_detection_percent: "0.001", negative: "<= 0.001"}}

# mrd_unit: percent            # or fraction: what 0.145 and 1.2e-4 mean in MRD columns
# date_order: dmy              # or mdy, ymd: how 03/04/2023 is to be read
# grading_scale: ASTCT 2019    # or CTCAE v5, CTCAE v4; or one for each event: {{CRS: CTCAE v5, ICANS: ASTCT 2019}}

# Columns in which a blank means "not recorded" (counted as such in every table), or which the sheet lacks; or: all
missing_allowed: [{missing}]

# merged: [group]              # columns in which a merged cell counts for each of its rows
# leave_out: [姓名, 住院号]     # columns that are never read; a column that identifies patients is refused otherwise
# pseudonyms: no               # keep patient_id as typed; without this key patients become P01, P02, ... in your order
"""

README = """\
# {title}

1. Fill in `linelist.xlsx`, one row per patient; its sheets "how to" and "dictionary" say what to write.
2. Adapt `cohort.yaml` if your groups, headers, words or assays are your own; every key is explained there.
3. Run `make report COHORT={place}` in the project's folder. What is wrong is told cell by cell: correct it, run again.
4. Open `build/{name}/report/index.html`. Tables, figures and notebooks are in `build/{name}/` too, and nowhere else.
5. **Confidential: this folder and `build/{name}/`** hold patients. Send only what `make share COHORT={place}` makes.
6. 填写 `linelist.xlsx`，每位患者一行；填写方法见其中的“how to”和“dictionary”工作表。
7. 如使用自己的分组、表头、用词或检测方法，请修改 `cohort.yaml`，其中每一项均有说明。
8. 在项目文件夹中运行 `make report COHORT={place}`。如有错误会逐个单元格指出，更正后再运行。
9. 打开 `build/{name}/report/index.html`。表格、图和笔记本也只在 `build/{name}/` 中。
10. **保密：本文件夹和 `build/{name}/`** 含有逐例数据，请勿外传。只可外发 `make share COHORT={place}` 生成的汇总数据。
"""


def folder_for(name: str) -> Path:
    """Where a new cohort of that name goes (FileError if it cannot be called so)."""
    known = [place.name for place in COHORTS.glob("*") if place.is_dir()]
    if not re.fullmatch(r"\w[\w-]*", name):
        raise FileError(f"a cohort cannot be called {name!r}: use letters, digits, - and _, as in ward-3")
    if name.lower() in (*TAKEN, *known):
        raise FileError(f"a cohort cannot be called {name}, since build/{name} is taken: choose another name")
    return NEW_COHORTS / name


def new_cohort(folder: Path, title: str) -> list[Path]:
    """Make a cohort's folder with `linelist.xlsx`, `cohort.yaml` and `README.md`; the same bytes for the same title.

    FileError if there is such a folder already: nothing in it is touched.
    """
    title = " ".join(title.split())
    place = folder.relative_to(ROOT).as_posix() if folder.is_relative_to(ROOT) else str(folder)
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise FileError(f"{place} is there already: choose another name") from None
    settings = folder / "cohort.yaml"
    settings.write_text(_description(title), encoding="utf-8", newline="\n")
    workbook = folder / "linelist.xlsx"
    workbook.write_bytes(_bytes(_workbook(load_cohort(folder))))
    readme = folder / "README.md"
    readme.write_text(README.format(title=title, place=place, name=folder.name), encoding="utf-8", newline="\n")
    return [workbook, settings, readme]


def _description(title: str) -> str:
    quoted = yaml.safe_dump(title, default_style='"', allow_unicode=True, width=float("inf")).strip()
    groups = "\n".join(f"#   {g.name}: {{label: {g.label}, purpose: {g.purpose}}}" for g in STANDARD_GROUPS)
    return DESCRIPTION.format(title=quoted, groups=groups, missing=", ".join(MAY_BE_MISSING))


# The workbook


def _workbook(cohort: Cohort) -> Workbook:
    book = Workbook()
    book.properties.creator = "blina"
    book.properties.created = datetime(2000, 1, 1)
    _fill_patients(book.active, cohort.declared)
    _fill_dictionary(book.create_sheet(DICTIONARY), cohort)
    _fill_how_to(book.create_sheet(HOW_TO))
    return book


def _fill_patients(sheet: Worksheet, columns: Iterable[Column]) -> None:
    sheet.title = PATIENTS
    for place, column in enumerate(columns, start=1):
        letter = get_column_letter(place)
        names = (column.name, column.chinese)
        _head(sheet.cell(1, place), "\n".join(names))
        example = sheet.cell(2, place, column.example if column.example != "" else None)
        example.font = Font(italic=True, color="808080")
        sheet.column_dimensions[letter].width = 3 + max(map(_width, (*names, str(column.example))))
        if column.unit == "%" or column.type == "identifier":
            sheet.column_dimensions[letter].number_format = example.number_format = TEXT
        validation = _validation(column)
        validation.add(f"{letter}2:{letter}{LAST_ROW}")
        sheet.add_data_validation(validation)
    sheet.row_dimensions[1].height = 32
    sheet.freeze_panes = "B2"


def _validation(column: Column) -> DataValidation:
    """What a spreadsheet says beside a cell, and what it offers and refuses there (it never refuses a blank)."""
    said = f"{column.allowed}\n{chinese.allowed(column).strip()}"
    shown = {"promptTitle": column.name, "prompt": said, "showInputMessage": True, "allow_blank": True}
    refusing = {"errorTitle": column.name, "error": said, "showErrorMessage": True}
    if column.name == "group":  # a ward may have its own, declared in cohort.yaml
        return DataValidation("list", formula1=_listed(column.words), errorStyle="warning", **shown, **refusing)
    if column.words:
        translated = [chinese.word(column, word) for word in column.words]
        words = [*column.words, *filter(None, translated)]
        return DataValidation("list", formula1=_listed(words), **shown, **refusing)
    if column.is_number and column.unit != "%":
        kind = "whole" if column.type == "integer" else "decimal"
        return DataValidation(kind, operator="between", formula1=column.min, formula2=column.max, **shown, **refusing)
    if column.unit == "%":
        shown["prompt"] += "\n0.145 = 0.145%; <0.01%"
    return DataValidation(None, **shown)


def _listed(words: Iterable[str]) -> str:
    return f'"{",".join(words)}"'


def _fill_dictionary(sheet: Worksheet, cohort: Cohort) -> None:
    heads = ("column", "列名", "meaning", "含义", "what may be written", "可填内容", "unit", "单位", "may it be blank?",
             "可否留空", "example 示例")  # fmt: skip
    for place, (head, width) in enumerate(zip(heads, (24, 24, 48, 48, 40, 40, 8, 8, 24, 24, 14), strict=True), start=1):
        _head(sheet.cell(1, place), head)
        sheet.column_dimensions[get_column_letter(place)].width = width
    for column in cohort.declared:
        sheet.append((
            column.name, column.chinese, column.meaning, column.chinese_meaning, column.allowed,
            chinese.allowed(column).strip(), column.unit, chinese.UNITS.get(column.unit, ""), *_blank(column, cohort),
            str(column.example),
        ))  # fmt: skip
    _wrap(sheet)


def _blank(column: Column, cohort: Cohort) -> tuple[str, str]:
    """Whether a cell may be blank and what that means, in both languages."""
    means = []
    if column.blank_is_none:
        means.append(("see its meaning", "见含义"))
    if column.name in cohort.missing_allowed or (column.blank and not column.blank_is_none):
        means.append(("not recorded", "未记录"))
    if not means:
        return "no", "不可"
    en, zh = zip(*means, strict=True)
    return f"yes: {' or '.join(en)}", f"可：{'或'.join(zh)}"


def _fill_how_to(sheet: Worksheet) -> None:
    for place, (head, width) in enumerate((("", 4), ("what to do", 70), ("填写方法", 70)), start=1):
        _head(sheet.cell(1, place), head)
        sheet.column_dimensions[get_column_letter(place)].width = width
    for number, (en, zh) in enumerate(STEPS, start=1):
        sheet.append((number, en, zh))
    _wrap(sheet)


def _width(text: str) -> int:
    """How wide a text stands, in Latin letters."""
    return sum(1 + (east_asian_width(letter) in "WF") for letter in text)


def _head(cell: Cell, text: str) -> None:
    cell.value = text
    cell.font = Font(bold=True)
    cell.fill = PatternFill("solid", fgColor="D9E8F2")
    cell.alignment = Alignment(wrap_text=True, vertical="top")


def _wrap(sheet: Worksheet) -> None:
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A2"


def _bytes(book: Workbook) -> bytes:
    """A workbook as a file, without the time at which it was made."""
    saved, timeless = io.BytesIO(), io.BytesIO()
    book.save(saved)
    with ZipFile(saved) as old, ZipFile(timeless, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>2000-01-01T00:00:00Z", content)
            new.writestr(ZipInfo(name), content, ZIP_DEFLATED)  # whose time is that of 1980
    return timeless.getvalue()
