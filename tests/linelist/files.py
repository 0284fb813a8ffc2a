"""Line lists as wards keep them, in English and Chinese, written as the kinds of files that wards send."""

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from random import Random

import pandas as pd
import pyreadstat
from openpyxl import Workbook
from openpyxl.utils.cell import column_index_from_string, coordinate_from_string
from openpyxl.worksheet.worksheet import Worksheet

from blina.linelist.columns import COLUMNS
from blina.linelist.problems import Language

Grid = list[list[object]]  # rows of cells, the header first

HEADERS: dict[str, tuple[str, str]] = {  # of each declared column, as a ward may type it
    "patient_id": ("Patient ID", "患者编号"),
    "group": ("Group", "分组"),
    "sex": ("Sex", "性别"),
    "age_years": ("Age (years)", "年龄（岁）"),
    "bcr_abl1": ("BCR-ABL1", "BCR-ABL1融合基因"),
    "fusion_gene": ("Fusion gene", "融合基因"),
    "intolerance_reason": ("Intolerance reason", "化疗不耐受原因"),
    "months_from_diagnosis": ("Months from diagnosis", "诊断至首次输注（月）"),
    "infusion_days": ("Infusion days", "输注天数"),
    "stop_reason": ("Stop reason", "停药原因"),
    "extra_cycles": ("Extra cycles", "后续疗程数"),
    "mrd_before_percent": ("MRD before (%)", "治疗前MRD（%）"),
    "mrd_after_percent": ("MRD after (%)", "治疗后MRD（%）"),
    "fc_before": ("FC before", "治疗前流式MRD"),
    "fc_after": ("FC after", "治疗后流式MRD"),
    "pcr_before": ("RT-PCR before", "治疗前RT-PCR"),
    "pcr_after": ("RT-PCR after", "治疗后RT-PCR"),
    "fever_cycle1": ("Fever", "发热"),
    "crs_grade": ("CRS grade", "CRS分级"),
    "icans_grade": ("ICANS grade", "ICANS分级"),
    "icans_day": ("ICANS day", "ICANS发生日"),
}
WORDS: dict[str, tuple[str, str]] = {  # of each declared word, as a ward may type it
    "male": ("Male", "男"),
    "female": ("Female", "女"),
    "yes": ("Yes", "是"),
    "no": ("No", "否"),
    "pancreatitis": ("Pancreatitis", "胰腺炎"),
    "infection": ("Infection", "感染"),
    "endocarditis": ("Endocarditis", "心内膜炎"),
    "completed": ("Completed", "完成"),
    "severe_reaction": ("Severe reaction", "严重不良反应"),
    "economic": ("Economic", "经济原因"),
    "positive": ("Positive", "阳性"),
    "negative": ("Negative", "阴性"),
    "not_applicable": ("Not applicable", "不适用"),
    "not_done": ("Not done", "未做"),
    "none": ("None", "无"),
    "BCR::ABL1": ("BCR-ABL", "BCR/ABL1"),
    "ETV6::RUNX1": ("TEL-AML1", "ETV6-RUNX1融合基因"),
    "TCF3::PBX1": ("E2A-PBX1", "TCF3::PBX1"),
    "KMT2A": ("KMT2A-AFF1", "KMT2A重排"),
    "another": ("Another", "其他融合基因"),
    "other": ("Other", "其他"),
}
NUMBER = re.compile(r"\d+(\.\d+)?")


def ward(rows: Sequence[Mapping[str, str]], language: Language) -> Grid:
    """The rows of a line list as a ward would type them: its own headers and words; nothing says who made them."""
    which = ("en", "zh").index(language)
    names = [name for name in HEADERS if name in rows[0]]
    words = {word: typed[which] for word, typed in WORDS.items()}
    return [[HEADERS[name][which] for name in names],
            *([words.get(row[name], row[name]) for name in names] for row in rows)]  # fmt: skip


def rows_at_random(seed: int, patients: int = 28) -> list[dict[str, str]]:
    """A line list in which everything that may stand in one occurs, and no rule across columns is broken."""
    draw = Random(seed)
    return [_row_at_random(draw, f"P{patient:02}") for patient in range(1, patients + 1)]


def _row_at_random(draw: Random, patient: str) -> dict[str, str]:
    def decimal(most: int, places: int) -> str:
        return str(Decimal(draw.randint(1, most)).scaleb(-places))

    group, fusion = draw.choice(["MC", "IC", "RR"]), draw.choice(["yes", "no"])
    others = ["none", "ETV6::RUNX1", "TCF3::PBX1", "KMT2A", "another", ""]
    gene = "BCR::ABL1" if fusion == "yes" else draw.choice(others)
    results = ["positive", "negative", "not_done"]
    row = {
        "patient_id": patient,
        "group": group,
        "sex": draw.choice(["male", "female"]),
        "age_years": decimal(180, 1),
        "bcr_abl1": fusion,
        "fusion_gene": gene,
        "intolerance_reason": draw.choice(["pancreatitis", "infection", "endocarditis", "other"]) * (group == "IC"),
        "months_from_diagnosis": decimal(900, 1),
        "infusion_days": str(draw.randint(1, 42)),
        "stop_reason": draw.choice(["completed", "severe_reaction", "economic", "other"]),
        "extra_cycles": str(draw.randint(0, 20)),
    }
    for time in ("before", "after"):
        fc, pcr = draw.choice(results), draw.choice(results) if fusion == "yes" else "not_applicable"
        detected = "positive" in (fc, pcr)
        row |= {f"mrd_{time}_percent": decimal(10 ** draw.randint(1, 6), 4) if detected else "",
                f"fc_{time}": fc, f"pcr_{time}": pcr}  # fmt: skip
    icans = draw.choice([0, 0, 1, 2, 3, 4, 5])
    return row | {
        "fever_cycle1": draw.choice(["yes", "no"]),
        "crs_grade": str(draw.randint(0, 5)),
        "icans_grade": str(icans),
        "icans_day": str(draw.randint(1, 42)) if icans else "",
    }


def canonical(rows: Iterable[Mapping[str, str]]) -> pd.DataFrame:
    """What `Table.cells` is to give for these rows: every number with the decimals of its column's step."""
    steps = {column.name: column.step for column in COLUMNS if column.type == "decimal"}
    frame = pd.DataFrame([{column.name: row[column.name] for column in COLUMNS if column.name in row} for row in rows])
    for name in steps.keys() & {*frame}:
        frame[name] = [text and str(Decimal(text).quantize(Decimal(steps[name]))) for text in frame[name]]
    return frame


def changed(grid: Grid, cells: Mapping[str, object]) -> Grid:
    """The grid with other things in some cells, which are named as a spreadsheet names them; it grows where needed."""
    places = {
        (row - 1, column_index_from_string(letters) - 1): value
        for (letters, row), value in ((coordinate_from_string(cell), value) for cell, value in cells.items())
    }
    height = max([len(grid), *(row + 1 for row, _ in places)])
    width = max([*map(len, grid), *(column + 1 for _, column in places)])
    given = [[*row, *[""] * (width - len(row))] for row in grid] + [[""] * width for _ in range(height - len(grid))]
    return [[places.get((y, x), value) for x, value in enumerate(row)] for y, row in enumerate(given)]  # fmt: skip


def write(path: Path, grid: Grid, **how) -> Path:
    """Write a grid as the kind of file that the name ends in, and give its path; `how` is of the function for it."""
    {".csv": write_text, ".tsv": write_text, ".xlsx": write_workbook, ".xpt": write_transport}[path.suffix](
        path, grid, **how
    )
    return path


def write_text(path: Path, grid: Grid, encoding: str = "utf-8") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",", lineterminator="\r\n").writerows(grid)


def write_workbook(
    path: Path, grid: Grid, formats: Mapping[str, str] | None = None, edit: Callable[[Worksheet], None] | None = None
) -> None:
    """As spreadsheets do, texts that are numbers are held as numbers; `formats` says how some cells are shown."""
    book = Workbook()
    sheet = book.active
    sheet.title = "patients"
    for row in grid:
        sheet.append([float(cell) if _is_number(cell) else None if cell == "" else cell for cell in row])
    for cell, shown in (formats or {}).items():
        sheet[cell].number_format = shown
    if edit:
        edit(sheet)
    book.properties.created = book.properties.modified = datetime(2024, 1, 1)
    book.save(path)


def write_transport(path: Path, grid: Grid, version: int = 8, names: Sequence[str] = ()) -> None:
    """A SAS transport file: headers are the labels of variables that have short names; numbers are numbers."""
    header, *rows = grid
    columns = {}
    for place, name in enumerate(names or [f"V{place + 1}" for place in range(len(header))]):
        cells = [row[place] for row in rows]
        numbers = all(_is_number(cell) or cell == "" for cell in cells) and any(cell != "" for cell in cells)
        columns[name] = [float(cell) if cell != "" else None for cell in cells] if numbers else cells
    pyreadstat.write_xport(pd.DataFrame(columns), path, file_format_version=version, column_labels=list(header))


def _is_number(cell: object) -> bool:
    return isinstance(cell, str) and NUMBER.fullmatch(cell) is not None


def id_card(born: date, serial: int) -> str:
    """An ID-card number with a correct check digit, of a region that there is not."""
    digits = f"990199{born:%Y%m%d}{serial:03}"
    total = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(digits))
    return digits + next("0123456789X"[last] for last in range(11) if (total + last) % 11 == 1)
