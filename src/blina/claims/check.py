"""Recompute every claim on a line list."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from blina.claims.document import Claim, Document
from blina.linelist.cohort import load_cohort
from blina.linelist.columns import COLUMNS
from blina.linelist.intake import read_line_list
from blina.linelist.parse import parse
from blina.linelist.problems import LineListError
from blina.linelist.read import ReadOptions, read_sheet
from blina.linelist.sheet import sheet_of
from blina.linelist.table import Table
from blina.yamlfile import FileError


@dataclass(frozen=True)
class Verdict:
    """One claim (or rule) on one line list."""

    id: str
    kind: str  # claim | rule
    where: str
    words: str
    printed: str
    recomputed: str
    holds: bool
    reading: str | None = None


@dataclass(frozen=True)
class Checked:
    """All verdicts under `rounding`, and every rounding mode under which all claims hold (`surviving`)."""

    verdicts: tuple[Verdict, ...]
    rounding: str
    surviving: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return all(verdict.holds for verdict in self.verdicts)

    @property
    def claims(self) -> tuple[Verdict, ...]:
        return tuple(v for v in self.verdicts if v.kind == "claim")


def read_for_claims(path: Path, document: Document) -> Table:
    """Exact table of the columns that the claims are about; identifiers, where there are any, must differ.

    A hospital's own sheet, with a cohort.yaml beside it, is read as that says; any other must hold the columns and
    words of the claims file itself. Raises FileError or LineListError, the latter with all problems at once.
    """
    own = load_cohort(path.parent) if (path.parent / "cohort.yaml").exists() else None
    if own and not own.reconstructed:
        cells = read_line_list(path, own.model_copy(update={"file": path.name})).cells()
        sheet = sheet_of(path.name, [*cells], cells.to_numpy().tolist())
    else:
        sheet = read_sheet(path, ReadOptions(is_header=lambda texts: len({*texts} & {*document.columns})))
    worlds = "world" in sheet.header and "world" not in document.columns
    if worlds and len(sheet.columns[sheet.header.index("world")].distinct) > 1:
        raise FileError(f"{sheet.name} holds several line lists (column world): keep the rows of one and check that")
    identifiers = [column for column in COLUMNS if column.type == "identifier" and column.name in sheet.header]
    table, problems = parse(sheet, (*identifiers, *document.columns.values()))
    if problems:
        raise LineListError(sheet.place, problems)
    return table


def check(document: Document, table: Table) -> Checked:
    """Verdicts on every claim and rule.

    The rounding mode is a property of the document, so all claims are judged under one mode: the one under which the
    fewest fail (the first listed, where several do equally well).
    """
    values = _recomputed(document, table)
    failures = {mode: sum(not _holds(claim, found, mode) for claim, found in values) for mode in document.modes}
    mode = min(failures, key=failures.__getitem__)
    claims = [_claim_verdict(claim, found, mode) for claim, found in values]
    others = [_number_of_patients(document, table), *(_rule_verdict(rule, table) for rule in document.rules)]
    return Checked((*claims, *others), mode, tuple(m for m in document.modes if not failures[m]))


def is_world(document: Document, table: Table) -> bool:
    """Whether every rule holds and, under one rounding mode, every claim: what `check` says, without its verdicts."""
    if len(table) != document.patients:
        return False
    if any((rule.when.holds(table) & ~rule.then.holds(table)).any() for rule in document.rules):
        return False
    values = _recomputed(document, table)
    return any(all(_holds(claim, found, mode) for claim, found in values) for mode in document.modes)


def _recomputed(document: Document, table: Table) -> list[tuple[Claim, tuple[Fraction, ...] | None]]:
    return [(claim, claim.statistic.values(table, claim.rows.holds(table), claim.of)) for claim in document.claims]


def _holds(claim: Claim, values: tuple[Fraction, ...] | None, mode: str) -> bool:
    return values is not None and all(v in i for v, i in zip(values, claim.intervals(mode), strict=True))


def _claim_verdict(claim: Claim, values: tuple[Fraction, ...] | None, mode: str) -> Verdict:
    statistic = claim.statistic
    if values is None:
        recomputed = "nobody to compute it of" if statistic.least_n < 2 else "fewer than 2 to compute it of"
    else:
        places = _places(claim, values, mode)
        recomputed = " to ".join(statistic.shown(v, p, mode) for v, p in zip(values, places, strict=True))
    holds = _holds(claim, values, mode)
    return Verdict(claim.id, "claim", claim.where, claim.words, claim.printed, recomputed, holds, claim.reading)


def _places(claim: Claim, values: tuple[Fraction, ...], mode: str) -> tuple[int, ...]:
    """Decimal places to show values with: those printed, or as many as tell on which side of a limit the value lies."""
    if claim.equals:
        return claim.places
    (value,), (allowed,) = values, claim.intervals(mode)
    statistic, least = claim.statistic, max(claim.places)

    def tells(places: int) -> bool:
        shown = statistic.exact(Fraction(statistic.shown(value, places, mode)))
        return (shown in allowed) == (value in allowed)

    return (next(filter(tells, range(least, least + 9)), least),)


def _number_of_patients(document: Document, table: Table) -> Verdict:
    holds = len(table) == document.patients
    return Verdict("patients", "rule", "", "rows of the line list", str(document.patients), str(len(table)), holds)


def _rule_verdict(rule, table: Table) -> Verdict:
    broken = int((rule.when.holds(table) & ~rule.then.holds(table)).sum())
    return Verdict(rule.id, "rule", "", rule.why, "every patient", f"all but {broken}" if broken else "every patient",
                   not broken, rule.reading)  # fmt: skip
