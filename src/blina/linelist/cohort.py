"""A cohort: a folder with a line list, what is to be known of it (`cohort.yaml`) and, optionally, its claims."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from blina.linelist.columns import COLUMNS, RECONSTRUCTED
from blina.linelist.read import read_sheet
from blina.yamlfile import FileError, load_yaml

ROOT = Path(__file__).resolve().parents[3]
COHORTS = ROOT / "data" / "cohorts"

NoneWord = BeforeValidator(lambda text: None if text in ("", "null", "none") else text)
Purpose = Annotated[Literal["clearance", "bridging", "reinduction"] | None, NoneWord]
RuleName = Annotated[Literal["fc", "pcr", "fc_and_pcr"] | None, NoneWord]


class Group(BaseModel):
    """Why a group was treated (`purpose`) and the response rule behind the rate that was reported for it, if any."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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
    """Where a cohort's files are and how its report is to read them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    folder: Path
    title: str
    groups: tuple[Group, ...] = STANDARD_GROUPS
    doi: Annotated[str | None, NoneWord] = None
    reconstructed: bool = False
    seed: int | None = None  # of the world in `linelist.csv`, where it is one
    grading_scale: str = "ASTCT 2019"
    grading_scale_stated: bool = False
    limit_of_detection_percent: Annotated[float | None, NoneWord] = None

    @property
    def linelist(self) -> Path:
        return self.folder / "linelist.csv"

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


def _groups_present(linelist: Path) -> tuple[Group, ...]:
    """Those of the standard groups that a line list names; all of them where it cannot tell."""
    try:
        sheet = read_sheet(linelist)
        place = sheet.header.index("group")
    except (FileError, ValueError):
        return STANDARD_GROUPS  # what is wrong is said when the line list itself is read
    named = {row[place] for row in sheet.rows}
    return tuple(group for group in STANDARD_GROUPS if group.name in named) or STANDARD_GROUPS


def load_cohort(cohort: str | Path) -> Cohort:
    """The cohort of a name under `data/cohorts`, or of a folder (from here or from the project); a Path is a folder.

    A folder with a line list and no `cohort.yaml` is a cohort with those of the standard groups that the list names.
    Raises FileError where there is no such folder or its `cohort.yaml` cannot be meant.
    """
    known = {place.name: place for place in sorted(COHORTS.glob("*")) if place.is_dir()}
    places = [cohort] if isinstance(cohort, Path) else [known.get(cohort, Path(cohort)), ROOT / cohort]
    folder = next((place for place in places if place.is_dir()), None)
    if folder is None:
        names = ", ".join(known) or "none"
        raise FileError(f"there is no cohort {cohort}: name a folder that holds a linelist.csv, or one of {names}")
    settings, name_of_folder = folder / "cohort.yaml", folder.resolve().name
    if not settings.exists():
        title = f"cohort {name_of_folder}"
        return Cohort(name=name_of_folder, folder=folder, title=title, groups=_groups_present(folder / "linelist.csv"))
    typed = load_yaml(settings, "cohort description")
    if not isinstance(typed.content, dict):
        raise typed.error((), "a cohort description takes keys and their values, as in title: our patients")
    content, groups = dict(typed.content), typed.content.get("groups", {})
    if not isinstance(groups, dict):
        raise typed.error(("groups",), "groups takes names and descriptions, as in MC: {label: clearing MRD}")
    for name, group in groups.items():
        if not isinstance(group, dict):
            raise typed.error(("groups", name), f"group {name} takes a description, as in {name}: {{label: ...}}")
    content.setdefault("grading_scale_stated", str("grading_scale" in content))
    if groups:
        content["groups"] = [{**group, "name": name} for name, group in groups.items()]
    else:
        content["groups"] = _groups_present(folder / "linelist.csv")
    try:
        return Cohort(**{"name": name_of_folder, "title": f"cohort {name_of_folder}", **content, "folder": folder})
    except ValidationError as error:
        first = error.errors()[0]
        path = tuple(first["loc"])
        if path[0] == "groups" and len(path) > 1:
            path = ("groups", list(groups)[path[1]], *path[2:])
        said = "is not known here; remove it" if first["type"] == "extra_forbidden" else first["msg"]
        raise typed.error(path, f"{'.'.join(map(str, path))}: {said[0].lower()}{said[1:]}") from None
