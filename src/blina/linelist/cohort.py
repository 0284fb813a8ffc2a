"""A cohort: a folder with a line list, what is to be known of it (`cohort.yaml`) and, optionally, its claims."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from blina.linelist.columns import COLUMNS, RECONSTRUCTED
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
    Group(name="IC", label="bridging chemotherapy intolerance", purpose="bridging"),
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
    grading_scale_stated: bool = True
    limit_of_detection_percent: Annotated[float | None, NoneWord] = None

    @property
    def linelist(self) -> Path:
        return self.folder / "linelist.csv"

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
        return RECONSTRUCTED if self.reconstructed else ""

    def group(self, name: str) -> Group:
        """The group of that name (ValueError, with the groups there are, if none)."""
        for group in self.groups:
            if group.name == name:
                return group
        raise ValueError(f"no group {name} in {self.name}; its groups are {', '.join(g.name for g in self.groups)}")


def load_cohort(cohort: str | Path) -> Cohort:
    """The cohort of a name under `data/cohorts`, or of a folder (relative to the project or absolute).

    A folder with a line list and no `cohort.yaml` is a cohort with the standard groups. Raises FileError where there is
    no such folder or its `cohort.yaml` cannot be meant.
    """
    places = [COHORTS / cohort, ROOT / cohort, Path(cohort)]
    folder = next((place for place in places if place.is_dir()), None)
    if folder is None:
        known = ", ".join(sorted(p.name for p in COHORTS.iterdir() if p.is_dir()))
        raise FileError(f"there is no cohort {cohort}: name a folder that holds a linelist.csv, or one of {known}")
    settings = folder / "cohort.yaml"
    if not settings.exists():
        return Cohort(name=folder.resolve().name, folder=folder, title=f"cohort {folder.resolve().name}")
    typed = load_yaml(settings, "cohort description")
    content = dict(typed.content) if isinstance(typed.content, dict) else {}
    if isinstance(content.get("groups"), dict):
        content["groups"] = [{"name": name, **group} for name, group in content["groups"].items()]
    try:
        return Cohort(**{"name": folder.resolve().name, **content, "folder": folder})
    except ValidationError as error:
        first = error.errors()[0]
        path = [part for part in first["loc"] if isinstance(part, str)]
        raise typed.error(tuple(path[:1]), f"{'.'.join(path)}: {first['msg']}") from None
