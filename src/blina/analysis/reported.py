"""The claims of a report on its line list: each recomputed, with its verdict, and the readings that they rest on."""

from __future__ import annotations

import json

import pandas as pd
from IPython.display import Markdown

from blina.analysis.determined import ROUNDING_WORDS
from blina.analysis.study import Study, View
from blina.atomic import write_whole
from blina.claims.check import check, read_for_claims
from blina.claims.document import load_claims
from blina.notebook import plain, show

HOLDS, FAILS = "holds", "DOES NOT HOLD"


class Reported:
    """A report's claims beside what a line list gives.

    FileError where there are no claims, or they cannot be read.
    """

    def __init__(self, study: Study) -> None:
        self.cohort = study.cohort
        self.document = load_claims(study.cohort.claims)
        line_list = read_for_claims(study.cohort.linelist, self.document)
        self.checked = check(self.document, line_list)
        verdicts = pd.DataFrame([vars(one) for one in self.checked.verdicts])
        verdicts["verdict"] = verdicts.pop("holds").map({True: HOLDS, False: FAILS})
        self.verdicts = verdicts.drop(columns="reading")

    def size(self) -> Markdown:
        """What the claims cover."""
        document = self.document
        doi = f" ({document.source.doi})" if document.source.doi else ""
        return Markdown(
            f"{document.source.title}{doi}: {len(document.claims)} claims, which cover "
            f"{document.printed_numbers} printed numbers; {len(document.rules)} rules that hold of "
            f"every patient; {len(document.readings)} readings of what is ambiguous."
        )

    def rounding(self) -> Markdown:
        """Under which way of rounding the claims were judged, and with which ways all hold."""
        modes = [ROUNDING_WORDS[mode] for mode in self.checked.surviving]
        surviving = ", ".join(modes) or "none"
        judged = ROUNDING_WORDS[self.checked.rounding]
        return Markdown(f"Judged with {judged}. All claims hold with: {surviving}.")

    def claims(self) -> View:
        """Every claim with its verdict."""
        mine = self.verdicts[self.verdicts["kind"] == "claim"].drop(columns="kind")
        shown = mine.assign(what=mine["words"].map(plain), claim=mine["id"])
        shown["where"] = shown["where"].replace("", "implied")
        columns = ["claim", "where", "what", "printed", "recomputed", "verdict"]
        return View(mine, show(shown, columns))

    def rules(self) -> View:
        """What must hold of every patient, with its verdict."""
        mine = self.verdicts[self.verdicts["kind"] == "rule"]
        return View(mine, show(mine, ["id", "words", "recomputed", "verdict"]))

    def readings(self) -> View:
        """Every reading, with its alternatives and what rests on it."""
        resting: dict[str, list[str]] = {}
        for one in (*self.document.claims, *self.document.rules):
            if one.reading:
                resting.setdefault(one.reading, []).append(one.id)
        rows = []
        for reading in self.document.readings:
            row = reading.model_dump()
            row["alternatives"] = " / ".join(reading.alternatives)
            row["rests on it"] = ", ".join(sorted(resting.get(reading.id, [])))
            rows.append(row)
        table = pd.DataFrame(rows)
        nothing = "" if rows else "The claims rest on no reading."
        return View(table, show(table), nothing)

    def write_score(self) -> None:
        """Write how many claims hold to `claims.json` of the cohort's output folder."""
        score = {
            "claims": len(self._claims()),
            "hold": self._holding(),
            "printed_numbers": self.document.printed_numbers,
        }
        write_whole(self.cohort.output / "claims.json", json.dumps(score) + "\n")

    def verdict(self) -> str:
        """How many claims hold, and how many claims or rules are broken."""
        broken = int((self.verdicts["verdict"] != HOLDS).sum())
        return f"{self._holding()} of {len(self._claims())} claims hold; {broken} claims or rules are broken."

    def _claims(self) -> pd.DataFrame:
        return self.verdicts[self.verdicts["kind"] == "claim"]

    def _holding(self) -> int:
        return int((self._claims()["verdict"] == HOLDS).sum())
