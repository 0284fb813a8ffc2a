"""A cohort: a folder with a line list, what is to be known of it (`cohort.yaml`) and, optionally, its claims."""

from __future__ import annotations

import os
from dataclasses import replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from blina.linelist.columns import COLUMNS, RECONSTRUCTED, RULES, Column, Rule
from blina.linelist.settings import Assay, GradingScale, NoneWord, Part, Source
from blina.linelist.vocabulary import column_of
from blina.yamlfile import FULL_WIDTH_COLON, FileError, Typed, parse_yaml, read_text

if TYPE_CHECKING:
    from blina.linelist.table import Table

ROOT = Path(__file__).resolve().parents[3]
COHORTS = ROOT / "data" / "cohorts"

SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xpt")  # of files that a line list can be read from
TAKEN = ("failed", "problems", "report", "share")  # folders of build/ that are no cohort's
NEVER_MISSING = ("patient_id", "group")

Purpose = Annotated[Literal["clearance", "bridging", "reinduction"] | None, NoneWord]
RuleName = Annotated[Literal["fc", "pcr", "fc_and_pcr"] | None, NoneWord]


class Group(Part):
    """Why a group was treated (`purpose`) and the response rule behind the rate that was reported for it, if any."""

    name: str
    label: str
    purpose: Purpose = None
    reported_rule: RuleName = None


STANDARD_GROUPS = (
    Group(name="MC", label="clearing MRD in first remission", purpose="clearance"),
    Group(name="IC", label="bridging while chemotherapy is not tolerated", purpose="bridging"),
    Group(name="RR", label="refractory or relapsed", purpose="reinduction"),
)
assert {g.name for g in STANDARD_GROUPS} == set(next(c for c in COLUMNS if c.name == "group").values)


class Cohort(BaseModel):
    """Where a cohort's files are, how its sheet is to be read (see `settings`) and how its report is to be made."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    folder: Path
    title: str
    groups: tuple[Group, ...] = STANDARD_GROUPS
    groups_stated: bool = False  # else those of the standard groups that the line list names
    doi: Annotated[str | None, NoneWord] = None
    reconstructed: bool = False
    seed: int | None = None  # of the world in `linelist.csv`, where it is one
    grading_scale: GradingScale = "ASTCT 2019"
    grading_scale_stated: bool = False
    limit_of_detection_percent: Annotated[float | None, NoneWord] = None  # where assays do not differ

    file: str = "linelist.csv"
    sheet: str | None = None
    columns: dict[str, Source] = {}
    values: dict[str, dict[str, str]] = {}
    assays: dict[Literal["FC", "RT-PCR"], Assay] = {}
    mrd_unit: Annotated[Literal["percent", "fraction"] | None, NoneWord] = None
    date_order: Annotated[Literal["ymd", "dmy", "mdy"] | None, NoneWord] = None
    missing_allowed: frozenset[str] = frozenset()
    merged: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    pseudonyms: bool = True
    has: frozenset[str] = frozenset()  # columns of the line list; known once it is read

    def model_copy(self, **how: Any) -> Cohort:
        """A copy, in which what was computed from the former values is computed anew."""
        copied = super().model_copy(**how)
        for name in ("declared", "rules", "every_rule"):
            copied.__dict__.pop(name, None)
        return copied

    @property
    def linelist(self) -> Path:
        return self.folder / self.file

    @property
    def bounds(self) -> Path:
        """How far each number of the report can go within the claims; there is none for real patients."""
        return self.folder / "bounds.csv"

    @property
    def claims(self) -> Path:
        return self.folder / "claims.yaml"

    @property
    def output(self) -> Path:
        """Where notebooks write: the pipeline's scratch folder while it runs, else `build/NAME`."""
        return Path(os.environ.get("BLINA_OUTPUT") or ROOT / "build" / self.name)

    @property
    def face(self) -> str:
        """The words that every figure or table showing rows bears; empty for real patients."""
        return f"not patients: {RECONSTRUCTED}" if self.reconstructed else ""

    def group(self, name: str) -> Group:
        """The group of that name (ValueError, with the groups there are, if none)."""
        for group in self.groups:
            if group.name == name:
                return group
        raise ValueError(f"no group {name} in {self.name}; its groups are {', '.join(g.name for g in self.groups)}")

    def scale(self, event: str) -> str:
        """The scale in which an event is graded."""
        return self.grading_scale if isinstance(self.grading_scale, str) else self.grading_scale[event]

    @property
    def scale_is_named(self) -> bool:
        """Whether grades may be said to be of the cohort's scale: for real patients only where it was stated."""
        return self.grading_scale_stated or self.reconstructed

    def limit_of_detection(self, assay: str) -> float | None:
        """What an assay (FC, RT-PCR) can see, in percent; None where it is not stated."""
        limit = self.assays.get(assay, Assay()).limit_of_detection_percent
        return self.limit_of_detection_percent if limit is None else float(limit)

    @cached_property
    def declared(self) -> tuple[Column, ...]:
        """The columns of a line list, with this cohort's groups, blanks allowed where a value may be missing."""
        groups = tuple(group.name for group in self.groups)
        columns = (replace(column, values=groups) if column.name == "group" else column for column in COLUMNS)
        return tuple(replace(c, blank=True) if c.name in self.missing_allowed else c for c in columns)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of a line list: those on columns that all have, or that this one is known to have (`of_table`)."""
        may_lack = {column.name for column in self.declared if column.optional} - self.has
        return tuple(rule for rule in self.every_rule if not rule.columns & may_lack)

    @cached_property
    def every_rule(self) -> tuple[Rule, ...]:
        """The rules of a line list, IC standing for this cohort's bridging groups; none asks for a missing value."""
        bridging = [group.name for group in self.groups if group.purpose == "bridging"]
        rules = []
        for rule in RULES:
            if "IC" in (rule.when.get("group"), rule.then.get("group")):
                if not bridging:
                    continue  # nothing can be asked of groups that there are not
                rule = _of_groups(rule, bridging)
            if rule.column in self.missing_allowed:
                when = {"not": {rule.column: ""}, **rule.when}
                rule = replace(rule, when=when, why=f"{rule.why} (where it is recorded)")
            rules.append(rule)
        return tuple(rules)

    def of_table(self, table: Table) -> Cohort:
        """The same, knowing its line list: its columns, and whether it is reconstructed.

        Where groups are not stated, they are those that occur in it.
        """
        known = {
            "reconstructed": self.reconstructed or table.reconstructed,
            "has": frozenset(table.columns),
        }
        if not self.groups_stated:
            words, codes = table.columns["group"].values, table.codes["group"]
            named = {words[code] for code in set(codes[~table.blank["group"]].tolist())}
            known["groups"] = tuple(group for group in self.groups if group.name in named) or self.groups
        return self.model_copy(update=known)


def _of_groups(rule: Rule, names: list[str]) -> Rule:
    """A rule on group IC as one on the groups of these names."""
    groups = names[0] if len(names) == 1 else names
    when, then = ({key: groups if key == "group" else value for key, value in part.items()}
                  for part in (rule.when, rule.then))  # fmt: skip
    return replace(rule, when=when, then=then, why=rule.why.replace("IC", " or ".join(names)))


def load_cohort(cohort: str | Path) -> Cohort:
    """The cohort of a name under `data/cohorts`, or of a folder (from here or from the project); a Path is a folder.

    A folder with a line list and no `cohort.yaml`, or one in which nothing stands, is a cohort with the standard groups
    (see `Cohort.of_table`).
    Raises FileError where there is no such folder or its `cohort.yaml` cannot be meant.
    """
    known = {place.name: place for place in sorted(COHORTS.glob("*")) if place.is_dir()}
    places = [cohort] if isinstance(cohort, Path) else [known.get(cohort, Path(cohort)), ROOT / cohort]
    folder = next((place for place in places if place.is_dir()), None)
    if folder is None:
        names = ", ".join(known) or "none"
        raise FileError(f"there is no cohort {cohort}: name a folder that holds a line list, or one of {names}")
    name = folder.resolve().name
    given = {"name": name, "title": f"cohort {name}", "folder": folder}
    settings = folder / "cohort.yaml"
    text = read_text(settings, "cohort description", may_be_empty=True) if settings.exists() else ""
    typed = parse_yaml(text, settings.name)
    content = {} if typed.content is None else _content(typed)  # one that holds remarks alone is as good as none
    content.setdefault("file", _only_line_list(folder) if "file" not in content else "")
    try:
        described = Cohort(**{**given, **content, "folder": folder})
    except ValidationError as error:
        raise _said(error, typed) from None
    _check_words(described, typed)
    return described


def _only_line_list(folder: Path) -> str:
    """The name of the one file `linelist` with a suffix that can be read (FileError if there are several)."""
    found = sorted(p.name for p in folder.iterdir() if p.stem.lower() == "linelist" and p.suffix.lower() in SUFFIXES)
    if len(found) > 1:
        raise FileError(f"{folder.resolve().name} holds {' and '.join(found)}: keep one, or name the one to read in "
                        f"cohort.yaml, as in file: {found[-1]}")  # fmt: skip
    return found[0] if found else "linelist.csv"


def _content(typed: Typed) -> dict:
    """What `cohort.yaml` says, in the form that `Cohort` takes (FileError where it cannot be meant)."""
    if not isinstance(typed.content, dict):
        colon = f"; {FULL_WIDTH_COLON}" if isinstance(typed.content, str) and "：" in typed.content else ""
        raise typed.error((), f"a cohort description takes keys and their values, as in title: our patients{colon}")
    content = dict(typed.content)
    groups = content.pop("groups", {})
    if not isinstance(groups, dict):
        colon = f"; {FULL_WIDTH_COLON}" if isinstance(groups, str) and "：" in groups else ""
        raise typed.error(("groups",), f"groups takes names and descriptions, as in MC: {{label: clearing MRD}}{colon}")
    for name, group in groups.items():
        if not isinstance(group, dict):
            raise typed.error(("groups", name), f"group {name} takes a description, as in {name}: {{label: ...}}")
        if not name.strip():
            raise typed.error(("groups", name), "a group needs a name, as in MC: {label: clearing MRD}")
    content.setdefault("grading_scale_stated", str("grading_scale" in content))
    if groups:
        content |= {"groups": [{**group, "name": name} for name, group in groups.items()], "groups_stated": True}
    missing = content.get("missing_allowed", [])
    if missing == "all":
        content["missing_allowed"] = [column.name for column in COLUMNS if column.name not in NEVER_MISSING]
    elif isinstance(missing, list) and (never := [name for name in missing if name in NEVER_MISSING]):
        raise typed.error(("missing_allowed",), f"{never[0]} is needed of every patient; remove it here")
    names = [column.name for column in COLUMNS]
    for key in ("columns", "values", "missing_allowed"):
        part = content.get(key, {})
        for name in part if isinstance(part, dict | list) else ():
            if name not in names:
                near = column_of(str(name)) or next(iter(get_close_matches(str(name), names, 1)), None)
                hint = f"; do you mean {near}?" if near else f"; the columns are {', '.join(names)}"
                path = (key, name) if isinstance(part, dict) else (key,)
                raise typed.error(path, f"{key}: there is no declared column {name}{hint}")
    return content


def _check_words(cohort: Cohort, typed: Typed) -> None:
    """FileError where a word that stands for one's own is none that its column takes."""
    from blina.linelist.parse import (
        parse_cell,  # with it comes pandas, which the kernels' server must import first
    )

    declared = {column.name: column for column in cohort.declared}
    given = [(("values", name, own), word) for name, words in cohort.values.items() for own, word in words.items()]
    for name, source in cohort.columns.items():
        given += [(("columns", name, "value"), source.value)] if source.value is not None else []
        given += [(("columns", name, "checked", header), word) for header, word in (source.checked or {}).items()]
    for path, word in given:
        if advice := parse_cell(declared[path[1]], word)[1]:
            raise typed.error(path, f"{'.'.join(path)}: {word or 'a blank'} cannot stand there: {advice.en}")


def _said(error: ValidationError, typed: Typed) -> FileError:
    """The first thing that is wrong in a description, in one line."""
    first = error.errors()[0]
    path = tuple(part for part in first["loc"] if isinstance(part, int) or part in _keys(typed.content))
    if path and path[0] == "groups" and len(path) > 1:
        path = ("groups", list(typed.content["groups"])[path[1]], *path[2:])
    field = first["loc"][-1]
    if first["type"] in ("missing", "extra_forbidden") and field not in path[-1:]:
        path = (*path, field)
    if first["type"] == "extra_forbidden":
        part = {"groups": Group, "assays": Assay}.get(path[0], Cohort) if len(path) != 2 else Part
        near = get_close_matches(str(field), part.model_fields, 1, 0.6)
        said = f"is not known here; do you mean {near[0]}?" if near else "is not known here; remove it"
    else:
        said = first["msg"].removeprefix("Value error, ")
        said = said[0].lower() + said[1:]
        if first["type"] == "literal_error" and field != "[key]":
            said += ", or leave it out"
    return typed.error(path, f"{'.'.join(map(str, path))}: {said}")


def _keys(content: object) -> set[str]:
    """Every key that stands in a description: pydantic's path also holds names of its own."""
    if isinstance(content, dict):
        return {*content, *(key for value in content.values() for key in _keys(value))}
    return set()
