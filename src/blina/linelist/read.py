"""A line list file as the cells of its table, nothing converted yet."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from blina.linelist.delimited import read_delimited
from blina.linelist.layout import IsHeader, empty
from blina.linelist.problems import Said
from blina.linelist.sheet import Sheet
from blina.yamlfile import FileError

DELIMITERS = {"": ",", ".csv": ",", ".tsv": "\t", ".txt": "\t"}  # the usual one of each kind of text
EXCEL, SAS = (".xlsx", ".xlsm"), (".xpt",)
SUFFIXES = (".csv", ".tsv", ".txt", *EXCEL, *SAS)

MARKUP = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml|meta|head|table|!--)", re.IGNORECASE)
OLD_EXCEL = bytes.fromhex("d0cf11e0a1b11ae1")  # the container of .xls, and of a workbook with a password
PASSWORD = "EncryptedPackage".encode("utf-16-le")

SAVE_AS = ("open it in Excel and save it as .xlsx", "请用 Excel 打开并另存为 .xlsx")
REFUSED = {  # what is not read under its name: what it is, and what to do
    "workbook": (("is an Excel workbook", "是 Excel 工作簿"), ("end its name in .xlsx", "请将文件名后缀改为 .xlsx")),
    "SAS": (("is a SAS transport file", "是 SAS 传输文件"), ("end its name in .xpt", "请将文件名后缀改为 .xpt")),
    "text": (("is text", "是文本文件"), ("end its name in .csv", "请将文件名后缀改为 .csv")),
    "markup": (("is a web page or XML, which spreadsheets can open", "是网页或 XML 文件"), SAVE_AS),
    "old Excel": (("is a workbook of the old Excel format (.xls)", "是旧版 Excel 工作簿（.xls）"), SAVE_AS),
    "binary Excel": (("is a binary Excel workbook (.xlsb)", "是二进制 Excel 工作簿（.xlsb）"), SAVE_AS),
    "OpenDocument": (("is an OpenDocument file (.ods)", "是 OpenDocument 文件（.ods）"), SAVE_AS),
    "password": (("is protected by a password", "有密码保护"),
                 ("save a copy without a password", "请另存一份无密码的副本")),
    "archive": (("is an archive, not an Excel workbook", "是压缩包，不是 Excel 工作簿"),
                ("take the line list out of it", "请先解压出患者登记表")),
    "damaged": (("is damaged or incomplete", "已损坏或不完整"), ("copy or export it again", "请重新复制或导出")),
}  # fmt: skip


def _none(texts: Sequence[str]) -> int:
    """Declared columns that a row names, where none are declared."""
    return 0


@dataclass(frozen=True)
class ReadOptions:
    """How to read: the sheet of a workbook; the headers whose merged cells count for each row; what a header is.

    `is_header` counts how many declared columns a row of texts names; without it the first row of cells is the header.
    """

    tab: str | None = None
    merged: frozenset[str] = frozenset()
    is_header: IsHeader = _none


AS_IT_STANDS = ReadOptions()


def read_sheet(path: Path, options: ReadOptions = AS_IT_STANDS) -> Sheet:
    """The table of a text file, an Excel workbook or a SAS transport file; what was left out is in its `notes`.

    Raises nothing but FileError: where the file is missing, empty, damaged, of another kind than its name says, holds
    no patients, or its header cannot be told.
    """
    data = _content(path)
    name, suffix = path.name, path.suffix.lower()
    nature = _nature(data)
    if suffix in DELIMITERS and nature == "text":
        return read_delimited(name, data, DELIMITERS[suffix], options.is_header)
    if suffix in EXCEL and nature == "workbook":
        from blina.linelist.excel import (
            read_excel,  # half a second that a CSV file need not wait for
        )

        return read_excel(name, data, options.tab, options.merged, options.is_header)
    if suffix in SAS and nature == "SAS":
        from blina.linelist.sas import read_sas

        return read_sas(path, data)
    raise _refused(name, suffix, nature)


def _content(path: Path) -> bytes:
    """The bytes of a file; FileError where it is missing, a folder, empty or cannot be read."""
    name = path.name or str(path)
    if path.is_dir():
        raise FileError(Said(f"{name} is a folder, not a line list: name the file in it",
                             f"{name} 是文件夹，不是患者登记表：请指定其中的文件"))  # fmt: skip
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        folder = path.parent.name
        en, zh = (f"the folder {folder}", f"文件夹 {folder} ") if folder else ("this folder", "当前文件夹")
        raise FileError(Said(f"there is no line list {name} in {en}: check the name and the folder",
                             f"{zh}中没有患者登记表 {name}：请检查文件名和文件夹")) from None  # fmt: skip
    except OSError as error:
        raise FileError(Said(f"{name} cannot be read ({error.strerror}): check its permissions",
                             f"{name} 无法读取（{error.strerror}）：请检查权限")) from None  # fmt: skip
    if not data or data.isspace():
        raise empty(name)
    return data


def _nature(data: bytes) -> str:
    """What a file is by its content: text, workbook, SAS, or a key of REFUSED."""
    if data.startswith(b"PK"):
        return _zip_nature(data)
    if data.startswith(OLD_EXCEL):
        return "password" if PASSWORD in data else "old Excel"
    if data.startswith(b"HEADER RECORD*******"):
        return "SAS"
    return "markup" if MARKUP.match(data) else "text"


def _zip_nature(data: bytes) -> str:
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            members = set(archive.namelist())
            office = "mimetype" in members and b"opendocument" in archive.read("mimetype")
    except Exception:  # a damaged archive fails in many ways
        return "damaged"
    if office:
        return "OpenDocument"
    if "xl/workbook.bin" in members:
        return "binary Excel"
    return "workbook" if "[Content_Types].xml" in members and any(m.startswith("xl/") for m in members) else "archive"


def _refused(name: str, suffix: str, nature: str) -> FileError:
    if nature == "text" and suffix in SAS:
        return FileError(Said(f"{name} is not a SAS transport file: export it again",
                              f"{name} 不是 SAS 传输文件：请重新导出"))  # fmt: skip
    if nature == "text" and suffix not in (*EXCEL, ".xls"):
        return FileError(Said(f"{name} is none of the files that can be read: save the line list as one of "
                              f"{', '.join(SUFFIXES)}",
                              f"{name} 不是可读取的文件：请将患者登记表保存为 {'、'.join(SUFFIXES)} 之一"))  # fmt: skip
    (what, was), (do, then) = REFUSED[nature]
    return FileError(Said(f"{name} {what}: {do}", f"{name} {was}：{then}"))
