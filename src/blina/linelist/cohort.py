"""A cohort: a folder with a line list, what is to be known of it (`cohort.yaml`) and, optionally, its claims."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
RECONSTRUCTED = "reconstructed from published aggregates, one of many possible"
PURPOSES = ("clearance", "bridging", "reinduction", None)
REPORTED_RULES = ("fc", "pcr", "fc_and_pcr", None)


@dataclass(frozen=True)
class Group:
    """Why a group was treated (`purpose`) and the response rule behind the rate that was reported for it, if any."""

    name: str
    label: str
    purpose: str | None = None
    reported_rule: str | None = None


@dataclass(frozen=True)
class Cohort:
    """Where a cohort's files are and how its report is to read them."""

    name: str
    folder: Path
    title: str
    groups: tuple[Group, ...]
    doi: str | None = None
    reconstructed: bool = False
    grading_scale: str = "not named"
    grading_scale_stated: bool = True
    limit_of_detection_percent: float | None = None

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
