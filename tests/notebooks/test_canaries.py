"""Nothing that is made from a ward's sheet holds a name, number or date of a patient: planted ones are searched for."""

import base64
import html
import io
import json
import re
import shutil
import subprocess
import sys
import urllib.parse
import zipfile
from datetime import date
from functools import cache

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pypdfium2
import pytest
from click.testing import CliRunner

from blina.cli import main
from blina.linelist.cohort import ROOT, load_cohort
from blina.linelist.intake import take_in
from blina.linelist.tidy import tidy
from blina.pipeline.steps import Project

# An invented ward. Nobody has these names, numbers or addresses.
SURNAMES, GIVEN = "张李王赵陈刘杨黄", ["三测试", "四测试", "五虚构", "六虚构", "七假名", "八假名", "九编造", "十编造"]
NAMES = [surname + given for surname, given in zip(SURNAMES, GIVEN, strict=True)]
PHONES = [f"1380013800{place}" for place in range(8)]
HOSPITAL_NUMBERS = [f"ZY77310{place}4" for place in range(8)]
HOMES = [f"幻想省虚构市测试区第{place}虚构路{place}7号" for place in range(8)]
FOREIGN = [f"Zorblax Quux {letter}" for letter in "ABCDEFGH"]  # in a column that is not used: nobody can tell a name
BORN = [date(2011 + place, 2 + place, 17 + place) for place in range(8)]
DIAGNOSED = [date(2021, 1 + place, 3 + place) for place in range(8)]
INFUSED = [date(2022, 1 + place, 11 + place) for place in range(8)]


def id_card(born: date, serial: int) -> str:
    digits = f"990199{born:%Y%m%d}{serial:03}"
    total = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(digits))
    return digits + next("0123456789X"[last] for last in range(11) if (total + last) % 11 == 1)


CARDS = [id_card(born, 700 + place) for place, born in enumerate(BORN)]
REMARKS = [f"患儿{name}，母亲{phone}" for name, phone in zip(NAMES, PHONES, strict=True)]
FORMS = ["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日", "%Y-%-m-%-d", "%Y/%-m/%-d", "%Y年%-m月%-d日", "%Y, %-m, %-d"]
DATES = [day.strftime(form) for day in (*BORN, *DIAGNOSED, *INFUSED) for form in FORMS]
CANARIES = [*NAMES, *PHONES, *CARDS, *HOSPITAL_NUMBERS, *HOMES, *FOREIGN, *DATES]

IDENTIFYING = {"姓名": NAMES, "身份证号": CARDS, "手机": PHONES, "家庭住址": HOMES, "备注": REMARKS}
WARD = {
    "住院号": HOSPITAL_NUMBERS,
    **IDENTIFYING,
    "其他说明": FOREIGN,
    "出生日期": BORN,
    "诊断日期": DIAGNOSED,
    "首次输注日期": INFUSED,
    "分组": ["MC", "MC", "MC", "MC", "IC", "RR", "RR", "RR"],
    "性别": ["男", "女", "男", "女", "男", "女", "男", "女"],
    "BCR::ABL1": ["否", "否", "否", "是", "否", "否", "否", "否"],
    "化疗不耐受原因": ["", "", "", "", "感染", "", "", ""],
    "输注天数": ["28", "28", "14", "2", "28", "28", "7", "28"],
    "停药原因": ["完成", "完成", "经济原因", "严重不良反应", "完成", "完成", "其他", "完成"],
    "后续疗程数": ["0", "1", "0", "0", "2", "0", "0", "1"],
    "治疗前MRD（%）": ["0.145", "0.05", "1.2", "0.3", "", "8.37", "22.64", "78.3"],
    "治疗前流式MRD": ["阳性", "阳性", "阳性", "阳性", "阴性", "阳性", "阳性", "阳性"],
    "治疗后流式MRD": ["阴性", "阴性", "阴性", "阴性", "阴性", "阴性", "阳性", "阳性"],
    "治疗前RT-PCR": ["不适用", "不适用", "不适用", "阳性", "不适用", "不适用", "不适用", "不适用"],
    "治疗后RT-PCR": ["不适用", "不适用", "不适用", "阳性", "不适用", "不适用", "不适用", "不适用"],
    "发热": ["是", "否", "是", "否", "否", "是", "是", "否"],
    "CRS分级": ["1", "0", "2", "0", "0", "1", "3", "0"],
    "ICANS分级": ["0", "0", "0", "4", "0", "0", "1", "0"],
    "ICANS发生日": ["", "", "", "2", "", "", "3", ""],
}  # fmt: skip
DESCRIPTION = {
    "title": "an invented ward",
    "columns": {
        "patient_id": "住院号",
        "age_years": {"from": "出生日期", "to": "首次输注日期"},
        "months_from_diagnosis": {"from": "诊断日期", "to": "首次输注日期"},
    },
    "leave_out": [*IDENTIFYING],
}


def rows_of(ward):
    """Header and patients of a ward given column by column."""
    return [list(ward), *map(list, zip(*ward.values(), strict=True))]


def write_ward(folder, suffix, rows=None, description=DESCRIPTION):
    """The ward's sheet as a workbook (dates as dates) or as a GB18030 CSV, beside its description; the sheet's path."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = rows or rows_of(WARD)
    if suffix == ".xlsx":
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(folder / "linelist.xlsx")
    else:
        lines = (",".join(f'"{cell}"' if "," in str(cell) else str(cell) for cell in row) for row in rows)
        (folder / "linelist.csv").write_text("\n".join(lines) + "\n", encoding="gb18030")
    if description is not None:
        (folder / "cohort.yaml").write_text(json.dumps(description, ensure_ascii=False), encoding="utf-8")
    return folder / f"linelist{suffix}"


# The search.


def views(data: bytes):
    """The bytes of a file, and those of whatever is packed, encoded or escaped in it."""
    yield data
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for name in packed.namelist():
                yield name.encode()
                yield from views(packed.read(name))
    elif data.startswith(b"PAR1"):
        file = pq.ParquetFile(io.BytesIO(data))
        yield repr((file.schema_arrow, file.schema_arrow.metadata, file.metadata.metadata)).encode()
        yield repr(file.read().to_pydict()).encode()
    elif data.startswith(b"%PDF"):
        for page in pypdfium2.PdfDocument(data):
            yield page.get_textpage().get_text_range().encode()
    elif not data.startswith(b"\x89PNG"):
        text = data.decode("utf-8", "replace")
        escaped = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), text)
        for plain in (html.unescape(escaped), urllib.parse.unquote(escaped)):
            yield plain.encode("utf-8", "surrogatepass")
            letters = re.findall(r"href=\\?\"#\w+-([0-9a-f]{2,5})\\?\"", plain)  # drawn as paths, named by their code
            yield "".join(chr(int(code, 16)) for code in letters).encode("utf-8", "surrogatepass")
        for packed in re.findall(rb"[A-Za-z0-9+/]{24,}={0,2}", re.sub(rb"\\n", b"", data)):
            raw = base64.b64decode(packed[: len(packed) // 4 * 4])
            yield from views(raw) if raw.lstrip().startswith(b"<") else (raw,)


def leaks(data: bytes, canaries=CANARIES) -> list[str]:
    """The canaries that a file's bytes hold, in whatever form."""
    found = set()
    for view in views(data):
        codes = ("utf-8", "gb18030", "utf-16-le", "utf-16-be") if b"\0" in view else ("utf-8", "gb18030")
        found |= {name for name in canaries if any(name.encode(code) in view for code in codes)}
    return [name for name in canaries if name in found]


def leaking(folder) -> dict[str, list[str]]:
    """Files below a folder that hold a canary in content or name, with the canaries."""
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    found = {name: leaks(name.encode() + b"\n") + leaks(path.read_bytes()) for name, path in files.items()}
    return {name: canaries for name, canaries in found.items() if canaries}


@cache
def kinds_of_files(text: str) -> dict[str, bytes]:
    """A file of each kind that is made, or that something may be hidden in, holding a text."""
    table, zipped, book = pa.table({"x": [text]}), io.BytesIO(), io.BytesIO()
    in_cells, in_metadata = io.BytesIO(), io.BytesIO()
    pq.write_table(table, in_cells, compression="zstd")
    pq.write_table(pa.table({"x": ["-"]}).replace_schema_metadata({"note": text}), in_metadata)
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("deep/inside.txt", text)
    workbook = openpyxl.Workbook()
    workbook.active.append(["-", text])
    workbook.save(book)
    drawn = "".join(f'<use xlink:href="#DejaVuSans-{ord(char):x}"/>' for char in text)
    svg = f"<svg><title>{text}</title></svg>".encode()
    return {
        **{f"text in {code}": f"before {text} after".encode(code) for code in ("utf-8", "utf-16", "gb18030")},
        "workbook": book.getvalue(),
        "zip": zipped.getvalue(),
        "Parquet cell": in_cells.getvalue(),
        "Parquet metadata": in_metadata.getvalue(),
        "notebook": json.dumps({"outputs": [text]}).encode(),
        "notebook with a figure": json.dumps({"image": base64.encodebytes(b"<svg>" + svg).decode()}).encode(),
        "page": "".join(f"&#{ord(char)};" for char in text).encode(),
        "page in hexadecimal": "".join(f"&#x{ord(char):x};" for char in text).encode(),
        "page with a figure": b'<img src="data:image/svg+xml;base64,' + base64.b64encode(svg) + b'">',
        "page with a figure in a link": b'<img src="data:image/svg+xml,' + urllib.parse.quote(svg).encode() + b'">',
        "figure with drawn letters": f"<svg>{drawn}</svg>".encode(),
        "notebook with drawn letters": json.dumps({"image": f"<svg>{drawn}</svg>"}).encode(),
        "page with drawn letters": html.escape(f"<svg>{drawn}</svg>").encode(),
    }


@pytest.mark.parametrize("kind", kinds_of_files(""))
@pytest.mark.parametrize("canary", [NAMES[0], PHONES[1], CARDS[2], HOSPITAL_NUMBERS[3], HOMES[4], FOREIGN[5], DATES[6]])
def test_the_search_finds_a_canary_in_every_kind_of_file_and_nothing_where_there_is_none(kind, canary):
    assert canary in leaks(kinds_of_files(canary)[kind])
    assert leaks(kinds_of_files("nobody")[kind]) == []


# What is made from the ward.

RUN = """
import sys
from pathlib import Path
from blina.linelist.cohort import load_cohort
from blina.pipeline.run import StepFailed, run
from blina.pipeline.steps import Project, Step
cohort, project = load_cohort(Path(sys.argv[1])), Project(Path(sys.argv[2]))
print(run(cohort, project=project))
try:
    run(cohort, project=project, steps=[Step("broken", "broken.ipynb", {"cohort": sys.argv[1]})])
except StepFailed as error:
    print(error, file=sys.stderr)
"""
LOAD = """
from blina.linelist.cohort import load_cohort
from blina.linelist.intake import take_in
from blina.linelist.tidy import tidy
from blina.pipeline.steps import Project
description = load_cohort(cohort)
intake = take_in(description.linelist, description)
study = tidy(intake.table, description)
"""
BROKEN = [  # what somebody may get wrong after loading, each with its own traceback
    "study.patients['name']",
    "tidy(intake.table, None)",
    "intake.sheet.columns[99]",
    "take_in(description.linelist, description.model_copy(update={'columns': None}))",
    "display(intake, intake.sheet, intake.sheet.columns[0], intake.table, study, study.patients)\n1 / 0",
]


def broken_notebook():
    """A notebook in which every cell after loading fails; only the last may end the run."""

    def cell(source, *tags):
        return {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {"tags": tags},
            "outputs": [],
            "source": source,
        }

    cells = [cell('cohort = "tianjin2023"', "parameters"), cell(LOAD.strip())]
    cells += [cell(code, "raises-exception") for code in BROKEN] + [cell("1 / 0")]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a project in which the ward's report was made and notebooks failed, and what was printed."""
    root, ward = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("ward")
    shutil.copytree(ROOT / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns("executed", ".*"))
    (root / "notebooks" / "broken.ipynb").write_text(broken_notebook(), encoding="utf-8")
    write_ward(ward, ".xlsx")
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(ward), str(root)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return root, done.stdout + done.stderr


def test_the_whole_report_of_a_ward_holds_no_canary(made, record_property):
    root, _ = made
    files = [path for path in (root / "build").rglob("*") if path.is_file()]
    assert {".html", ".ipynb", ".parquet", ".csv", ".svg", ".pdf", ".png"} <= {path.suffix for path in files}
    assert not list((root / "build").glob(".run-*"))  # the scratch folders of runs, failed ones too
    assert leaking(root) == {}
    record_property("total files of a report searched for canaries", len(files))


def test_the_search_reads_what_is_drawn_in_the_figures(made):
    root, _ = made
    figures = [path for path in (root / "build").rglob("figures/*") if path.suffix in (".svg", ".pdf")]
    assert figures
    assert [path.name for path in figures if not leaks(path.read_bytes(), ["patients", "MRD"])] == []


def test_a_notebook_that_failed_after_loading_holds_no_canary(made):
    root, _ = made
    (failed,) = (root / "build" / "failed").rglob("*.ipynb")
    text = failed.read_text(encoding="utf-8")
    assert text.count('"output_type": "error"') == len(BROKEN) + 1
    assert leaks(text.encode()) == []


def test_what_a_run_prints_holds_no_canary(made):
    _, printed = made
    assert "notebooks" in printed and "failed" in printed
    assert leaks(printed.encode()) == []


def test_the_patients_are_in_the_report_under_pseudonyms(made):
    root, _ = made
    (patients,) = (root / "build").rglob("tidy/patients.parquet")
    assert pq.read_table(patients)["patient_id"].to_pylist() == [f"P0{place}" for place in range(1, 9)]


def test_every_page_of_a_ward_and_its_folder_say_that_they_are_confidential(made):
    root, _ = made
    pages = [*(root / "build").rglob("report/*.html")]
    assert len(pages) >= 9
    assert all("Confidential: made from single patients" in page.read_text(encoding="utf-8") for page in pages)
    (said,) = (root / "build").rglob("CONFIDENTIAL.txt")
    assert "保密" in said.read_text(encoding="utf-8")


# Sheets that are refused, or read with remarks: messages, pages and tables.


def without(key):
    return {name: said for name, said in DESCRIPTION.items() if name != key}


def instead(**columns):
    return rows_of({header: columns.get(header, cells) for header, cells in WARD.items()})


def with_headers(headers):
    return rows_of({**WARD, **{header: ["1"] * 8 for header in headers}})


SIDE_BY_SIDE = [["项目", *NAMES], ["年龄", *"12345678"], ["分组", *["MC"] * 8], ["手机", *PHONES]]
SHEETS = {  # the ward's sheet and its description, and how reading them ends
    "as it should be": (rows_of(WARD), DESCRIPTION, 0),
    "identifying columns not left out": (rows_of(WARD), without("leave_out"), 1),
    "nothing said of it": (rows_of(WARD), None, 1),
    "pseudonyms not wanted": (rows_of(WARD), {**DESCRIPTION, "pseudonyms": "no"}, 1),
    "no header": (rows_of(WARD)[1:], DESCRIPTION, 1),
    "no header and nothing said of it": (rows_of(WARD)[1:], None, 1),
    "patients side by side": (SIDE_BY_SIDE, None, 1),
    "names as headers": (with_headers(NAMES), DESCRIPTION, 1),
    "telephones in headers": (with_headers(f"母亲{phone}" for phone in PHONES), DESCRIPTION, 1),
    "names in columns of words": (instead(性别=NAMES, 停药原因=REMARKS, 分组=FOREIGN, 发热=HOMES), DESCRIPTION, 1),
    "long numbers": (instead(输注天数=PHONES, CRS分级=CARDS, 后续疗程数=HOSPITAL_NUMBERS), DESCRIPTION, 1),
    "dates instead of numbers": (instead(输注天数=BORN, ICANS发生日=INFUSED, CRS分级=DIAGNOSED), DESCRIPTION, 1),
    "texts instead of dates": (instead(出生日期=REMARKS, 首次输注日期=FOREIGN, 诊断日期=CARDS), DESCRIPTION, 1),
    "dates in the wrong order": (instead(首次输注日期=BORN, 出生日期=INFUSED), DESCRIPTION, 1),
    "one identifier for all": (instead(住院号=HOSPITAL_NUMBERS[:1] * 8), DESCRIPTION, 1),
    "an unknown key": (rows_of(WARD), {**DESCRIPTION, "remarks": "none"}, 2),
}  # fmt: skip


def ingest(sheet, *options):
    """Exit code, and everything printed and made by `blina ingest`, as bytes by name."""
    made = sheet.parent / "made"
    made.mkdir(exist_ok=True)
    done = CliRunner().invoke(
        main, ["ingest", str(sheet), "-o", str(made), "--report", str(made / "page.html"), *options]
    )
    assert done.exception is None or isinstance(done.exception, SystemExit)
    files = {path.name: path.read_bytes() for path in made.iterdir()}
    return done.exit_code, {"standard output": done.stdout.encode(), "standard error": done.stderr.encode(), **files}


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
@pytest.mark.parametrize("what", SHEETS)
def test_no_message_page_or_table_from_a_sheet_holds_a_canary(what, suffix, tmp_path):
    rows, description, ends = SHEETS[what]
    sheet = write_ward(tmp_path, suffix, rows, description)
    for language in ("en", "zh"):
        code, made = ingest(sheet, "--lang", language)
        assert code == ends
        assert {name: found for name, data in made.items() if (found := leaks(data))} == {}
        assert made["standard error"]
    if ends == 0:
        assert {"patients.csv", "patients.parquet", "mrd.csv", "events.csv", "page.html"} <= made.keys()


DAMAGES = {
    "cut short": lambda data: data[: len(data) // 2],
    "one byte too many in the middle": lambda data: data[: len(data) // 2] + b"\xff" + data[len(data) // 2 :],
    "a quotation mark not closed": lambda data: data.replace(b",", b',"', 9),
    "a comma too many": lambda data: data.replace(NAMES[3].encode("gb18030"), NAMES[3].encode("gb18030") + b","),
    "no end": lambda data: data + data[: len(data) // 3],
}


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_no_message_about_a_damaged_file_holds_a_canary(damage, suffix, tmp_path):
    sheet = write_ward(tmp_path, suffix)
    sheet.write_bytes(DAMAGES[damage](sheet.read_bytes()))
    code, made = ingest(sheet)
    assert code in (0, 1, 2)
    assert {name: found for name, data in made.items() if (found := leaks(data))} == {}


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_a_report_that_is_refused_says_so_without_a_value(suffix, tmp_path, monkeypatch):
    monkeypatch.setattr("blina.pipeline.steps.HERE", Project(tmp_path / "project"))
    sheet = write_ward(tmp_path / "ward", suffix, description=without("leave_out"))
    done = CliRunner().invoke(main, ["run", "--cohort", str(sheet.parent)])
    assert done.exit_code == 2 and "identifying-header" in done.output
    assert leaks(done.output.encode()) == []
    assert list((tmp_path / "project").rglob("*.html")) and leaking(tmp_path / "project") == {}


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_what_was_read_is_printed_without_a_value(suffix, tmp_path):
    sheet = write_ward(tmp_path, suffix)
    intake = take_in(sheet, load_cohort(tmp_path))
    read = [intake, intake.sheet, *intake.sheet.columns, intake.table, tidy(intake.checked(), load_cohort(tmp_path))]
    assert [leaks(f"{one!r} {one}".encode()) for one in read] == [[]] * len(read)
