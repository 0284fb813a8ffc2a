"""The folder that is sent away: centre.json, the same as CSV tables, and README.txt."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Sequence, Set
from io import StringIO
from pathlib import Path

from blina.analysis.study import Study
from blina.atomic import write_all
from blina.linelist.cohort import Cohort
from blina.linelist.privacy import safe_text
from blina.measures.choices import ALL_SETS, CRS, ICANS, RULES, WITH_RT_PCR
from blina.measures.intervals import short_text
from blina.sharing.counts import Count, shared
from blina.sharing.suppress import THRESHOLD, Shown, shown
from blina.yamlfile import FileError

SCHEMA_VERSION = "1"
SUPPRESSED = "suppressed"
NO_RT_PCR = "no RT-PCR after treatment"
LEAST_THRESHOLD, LONGEST_CENTRE = 3, 60
TABLES = ("cohort", "response", "safety", "mrd")
REASONS = {
    "primary": "the number is small, or a small one is left when it is taken from another number shown",
    "secondary": "the number is not small, but would help to work out a small one",
    NO_RT_PCR: "no number: RT-PCR might follow patients, and none has a result after treatment",
    "which": "not said of a single number: that would itself tell something of its size",
}
README = """Aggregate results of one centre, blinatumomab in B-ALL
一个中心的汇总结果：贝林妥欧单抗治疗 B-ALL

What this is
centre.json holds counts of patients and nothing else: no rows, no dates, no medians, no free text. The CSV files hold
the same counts as tables. response.csv: who was MRD negative (k of n) by group, rule and evaluable set. safety.csv:
patients by worst grade. mrd.csv: MRD before treatment in powers of ten. cohort.csv: groups, sex, how cycle 1 ended.
What rules and sets mean stands in centre.json.

How patients are protected
{withheld} of {every} counts are suppressed ("suppressed" in the tables, null in centre.json).
A number from 1 to {largest} is never shown. Other numbers are suppressed where a small one could be worked out with
them: from totals, from sets of which one holds the other, from the patients left over. This was checked: for every
small number there is another line list that gives every number shown here and in which it is {threshold} or more. (That
other line list might have been protected in another way: who knows how numbers are chosen may rule some out.)
Which numbers were suppressed because they are small, and which to protect others, is not said; but whoever knows the
order in which numbers were decided may conclude of some, such as the size of a group, that they are small.
Zeros and counts of all patients of a group are shown. They tell nobody apart from the others of the group, but they
do say something of every one of them.
Pseudonyms, dates and values are not in these files. Send them once: two versions, of different days or with different
thresholds, tell of the patients by whom they differ.

How to read it
A suppressed number is unknown: it is neither zero nor missing. Do not fill it in, and do not add up a table over
suppressed numbers. "no RT-PCR after treatment" stands where patients might have been followed by RT-PCR
and none has a result after treatment: there is no rate, and no number is hidden.
Confidence limits can be computed from k and n. Whoever knows a patient of this centre from
elsewhere knows more than these files say: they are for the study, not for the public.

本文件夹的内容
centre.json 只含患者计数，不含逐例数据、日期、中位数或自由文本；CSV 表格内容相同。
response.csv：各组在各判定规则和可评估集下的 MRD 阴性例数（k/n）；safety.csv：按最高级别计的患者数；
mrd.csv：治疗前 MRD（按 10 的幂分段）；cohort.csv：分组、性别、第 1 疗程结束情况。

患者如何受到保护
{every} 个计数中有 {withheld} 个不予显示（表中为 "suppressed"，centre.json 中为 null）。
1 到 {largest} 的数从不显示；凡可据以推算出小数目的其他数也不显示（合计、包含关系、剩余人数）。
已核查：对每一个小数目，都存在另一份患者登记表，与此处所有显示的数完全一致，而该数达到 {threshold} 或以上。
不说明某个数是因为小，还是为保护其他数而不显示；但了解判定顺序的人可能推知其中某些数（如某组人数）较小。
零和全组人数照常显示：它们不能把某位患者与同组其他患者区分开，但说明了全组每一位患者的情况。
请只发送一次：不同日期或不同阈值的两个版本之差会暴露个别患者。

如何阅读
不显示的数是未知数，既不是零也不是缺失；请勿自行填补，也勿跨过它们求和。
"no RT-PCR after treatment" 表示该组有患者可用 RT-PCR 监测，但治疗后均无结果：此处没有率，也没有隐藏的数。
可信区间可由 k 和 n 算出。
从其他途径认识本中心患者的人，所知可能多于这些文件：文件仅供研究使用，请勿公开。
"""


def share(study: Study, folder: Path, threshold: int = THRESHOLD, centre: str = "") -> list[Path]:
    """Write what may be sent of a cohort's results; the same again changes nothing.

    FileError if the rows are no patients or too few, if the threshold protects too little, if `centre` is more than a
    short label, if the folder holds other files (it is to be sent as a whole), or if it holds another version: two
    versions tell of the patients by whom they differ, and two thresholds undo each other.
    """
    cohort = study.cohort
    if cohort.reconstructed:
        raise FileError(f"{cohort.name}: its rows are reconstructed and nobody's, so there are no results to send")
    if threshold < LEAST_THRESHOLD:
        raise FileError(f"a threshold of {threshold} protects too little: take {LEAST_THRESHOLD} or more")
    if len(study.table) < threshold:
        raise FileError(f"{cohort.name} has fewer than {threshold} patients: there is nothing to send")
    if len(centre) > LONGEST_CENTRE or not centre.isprintable():
        raise FileError(f"the centre is named by one line of at most {LONGEST_CENTRE} characters")
    made = _files(study, threshold, centre)
    if folder.is_dir() and (others := {path.name for path in folder.iterdir()} - {*made}):
        raise FileError(f"{folder} holds other files ({len(others)}): it is sent as a whole, so name an empty folder")
    former = folder / "centre.json"
    if former.exists() and former.read_text(encoding="utf-8") != made["centre.json"]:
        raise FileError(f"{folder.name} was shared before, with other counts: whoever has both versions can work out "
                        "single patients. Never send two; if the former was never sent, remove its folder and share "
                        "again")  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, text in made.items():
        # Excel takes a CSV file for UTF-8 only if a byte order mark says so.
        encoding = "utf-8-sig" if name.endswith(".csv") else "utf-8"
        files[folder / name] = text.encode(encoding)
    return write_all(files)


def results(study: Study, threshold: int, centre: str = "") -> dict:
    """What centre.json holds: counts, null where withheld, and how they were made. The cohort's title is not in it."""
    cohort = study.cohort
    asked = shared(study)
    sent = shown(asked, threshold)
    unstated = _unstated(asked.counts, sent)
    every, withheld = Counter(), Counter()
    for count, value in zip(asked.counts, sent.values, strict=True):
        if count not in unstated:
            every[count.table] += 1
            withheld[count.table] += value is None
    return {
        "schema_version": SCHEMA_VERSION,
        "centre": centre or None,
        "groups": [{"name": group.name, "purpose": group.purpose} for group in cohort.groups],
        "rules": {rule.id: rule.meaning for rule in RULES},
        "evaluable_sets": {evaluable.id: evaluable.meaning for evaluable in ALL_SETS},
        "assays": {assay: _assay(cohort, assay) for assay in ("FC", "RT-PCR")},
        "grading_scales": {event: cohort.scale(event) if cohort.grading_scale_stated else None
                           for event in (CRS, ICANS)},
        "protection": {
            "threshold": threshold,
            "small": f"1 to {threshold - 1} patients",
            "reasons": REASONS,
            "suppressed": {
                name: {"numbers": withheld[name], "of": every[name]} for name in TABLES
            },
        },
        "tables": _tables(asked.counts, sent.values, unstated),
    }  # fmt: skip


def _assay(cohort: Cohort, assay: str) -> dict[str, object]:
    negative = cohort.assays[assay].negative if assay in cohort.assays else None
    return {"limit_of_detection_percent": cohort.limit_of_detection(assay),
            "negative": negative and f"{'<' + '=' * negative.or_equal} {short_text(negative.limit)} %"}  # fmt: skip


def _unstated(counts: Sequence[Count], sent: Shown) -> set[Count]:
    """The counts of which it is said that no rate is stated."""
    said = {patients.row for patients in sent.unstated}
    found = set()
    for count in counts:
        if count.table != "response" or count.row[:2] not in said:
            continue
        if dict(count.row)["rule"] in WITH_RT_PCR:
            found.add(count)
    return found


def _tables(
    counts: Sequence[Count], values: Sequence[int | None], unstated: Set[Count] = frozenset()
) -> dict[str, list[dict]]:
    """The counts as rows of the tables in which they are sent; a rate says among how many patients.

    unstated: the counts that are sent with the reason why there is no number.
    """
    known = dict(zip(counts, values, strict=True))
    rows: dict[str, dict] = {name: {} for name in TABLES}
    for count, value in known.items():
        if count.name == "n":
            continue  # it stands beside its k
        row = rows[count.table].setdefault(count.row, dict(count.row))
        row |= {"k": value, "n": known[count.of]} if count.name == "k" else {count.name: value}
        if count in unstated:
            row["reason"] = NO_RT_PCR
    return {name: [*found.values()] for name, found in rows.items()}


def _files(study: Study, threshold: int, centre: str) -> dict[str, str]:
    """The text of every file, by name."""
    made = results(study, threshold, centre)
    withheld = sum(table["numbers"] for table in made["protection"]["suppressed"].values())
    every = sum(table["of"] for table in made["protection"]["suppressed"].values())
    return {
        "centre.json": json.dumps(made, ensure_ascii=False, indent=1) + "\n",
        **{f"{name}.csv": _csv(rows) for name, rows in made["tables"].items()},
        "README.txt": README.format(threshold=threshold, largest=threshold - 1, withheld=withheld, every=every),
    }


def _csv(rows: list[dict]) -> str:
    text = StringIO()
    names = [name for name in rows[0] if name != "reason"]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        hidden = row.get("reason", SUPPRESSED)
        writer.writerow({name: _cell(row[name], hidden) for name in names})
    return text.getvalue()


def _cell(value: str | int | None, hidden: str) -> str | int:
    """A value as a cell, `hidden` where there is none; no text that a spreadsheet computes."""
    if value is None:
        return hidden
    return safe_text(value) if isinstance(value, str) else value
