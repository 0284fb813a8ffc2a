"""What notebook 07 shows: what a report determines, what it leaves open, and on which readings that rests."""

from __future__ import annotations

from functools import cached_property

import pandas as pd
from IPython.display import Markdown

from blina.analysis import determined, readings
from blina.analysis.study import Study, View
from blina.claims.check import read_for_claims
from blina.claims.consistent import consistent, explained
from blina.claims.document import load_claims
from blina.measures import views
from blina.measures.results import Results
from blina.notebook import show

WHOSE = {"group": "whose", "what": "what"}


class Determination:
    """The questions of a report's `questions.yaml` answered over all line lists that satisfy its claims.

    FileError where claims, questions, or what was made from them, cannot be read.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        claims = load_claims(study.cohort.claims)
        self.cohort, self.document = determined.claims_of(study.cohort, claims)
        self.bounds = determined.bounds_of(self.cohort, self.document)
        line_list = read_for_claims(self.cohort.linelist, self.document)
        self.answers = determined.answers(self.document, self.bounds, line_list)
        recorded = readings.load_readings(self.cohort, self.document)
        self.changed = readings.changes(self.cohort, self.document, recorded)
        self.table = determined.answer_table(self.answers, self.changed)

    @property
    def results(self) -> Results:
        return self.study.results

    @cached_property
    def _agreement(self):
        return consistent(self.document)

    def agreement(self) -> Markdown:
        """Whether all claims can be true at once."""
        lines = [f"- {line.strip()}" for line in explained(self.document, self._agreement)]
        return Markdown("\n".join(lines))

    def rounding(self) -> View:
        """Each way of rounding, and whether all claims can be true under it."""
        return _view(determined.rounding(self.document, self._agreement))

    def counts(self) -> Markdown:
        """How many answers are determined, open and printed."""
        return Markdown(determined.counts_said(self.answers))

    def facts(self) -> View:
        """Answers that are the same in every world and that the report does not print."""
        table = self.table[self.table["determined"] & ~self.table["printed"]]
        columns = {**WHOSE, "text": "in every world", "rests_on": "rests on"}
        return View(table, show(table, columns))

    def open(self) -> View:
        """Answers that differ from world to world, with their bounds."""
        table = self.table[self.table["open"]]
        columns = {**WHOSE, "text": "bounds"}
        if not self.cohort.reconstructed:  # a world lies within the bounds by the way it was made
            columns["here_text"] = "in this line list"
        return View(table, show(table, columns))

    def findings(self) -> Markdown:
        """What the bounds say of carriers of a fusion gene and, of real patients, of the line list at hand."""
        sentences = []
        if not self.cohort.reconstructed:
            within = sum(answer.inside for answer in self.answers)
            sentences.append(
                f"The line list at hand lies within the bounds in {within} of {len(self.answers)} answers."
            )
        sentences += determined.lower_carriers(self.answers, self.changed)
        return Markdown(" ".join(sentences))

    def choices(self) -> View:
        """The readings that were chosen."""
        rows = [vars(reading) for reading in self.document.readings]
        table = pd.DataFrame(rows, columns=["id", "question", "choice"])
        columns = {"id": "reading", "question": "question", "choice": "choice"}
        return View(table, show(table, columns))

    def silent_readings(self) -> Markdown:
        """Readings that change no answer."""
        changing = set(self.changed["reading"])
        silent = [one.id for one in self.document.readings if one.id not in changing]
        if not silent:
            return Markdown("Every reading changes at least one answer.")
        return Markdown(f"Readings that change none of these answers: {', '.join(silent)}.")

    def changes(self) -> View:
        """What changes when a reading is dropped."""
        columns = {"reading": "dropped", **WHOSE, "as_read": "as read", "without": "without it"}
        return View(self.changed, show(self.changed, columns))

    def alternatives(self) -> Markdown:
        """Whether the numbers that alternatives state are the bounds without the reading."""
        stated = readings.stated_alternatives(self.document, self.changed)
        agreeing = int(stated["found"].ne("").sum())
        return Markdown(
            f"The bounds without the reading agree with {agreeing} of {len(stated)} stated pairs of numbers."
        )

    def _clearing(self) -> list[str]:
        return [name for name in determined.pooled_and_single(self.cohort)]

    def burden(self) -> View:
        """MRD before of those negative after against the others, and whether they are apart in every world."""
        names = [group.name for group in self.cohort.groups if group.name in self._clearing()]
        table = views.burden(self.results)
        table = table[table["group"].isin(names)].reset_index(drop=True)
        table["rule"] = [views.label(rule) for rule in table["rule"]]
        table["below"] = [determined.separated(self.results, name) for name in table["group"]]
        columns = {
            "group": "group",
            "rule": "negative by",
            "responders_range": "MRD before of those negative after, %",
            "others_range": "of the others, %",
            "below": "each of those negative below each of the others",
            "test_text": "rank permutation test, two-sided",
        }
        return View(table, show(table, columns))

    def fusion(self) -> View:
        """Carriers of a fusion gene against the others by FC and by FC with RT-PCR, and what that rests on."""
        table = self.study.fusion(self._clearing()).table
        table = table[table["rule"] != "pcr"].reset_index(drop=True)
        table["rests_on"] = [
            determined.contrast_rests_on(self.changed, row.group, row.rule) for row in table.itertuples()
        ]
        table["rule"] = [views.label(rule) for rule in table["rule"]]
        table["world"] = table["open"].map({True: "no", False: "yes"})
        columns = {
            "group": "group",
            "rule": "negative by",
            "carriers_before_text": "carriers positive before",
            "carriers_text": "carriers, all",
            "others_text": "others, all",
            "test_text": "Fisher's exact test",
            "world": "all carriers, others and p the same in every world",
            "rests_on": "rests on",
        }
        return View(table, show(table, columns))

    def early_stops(self) -> View:
        """The rule behind each printed rate under every evaluable set."""
        table = determined.rates_at_both_ends(self.results)
        return View(table, show(table.drop(columns="open")))

    def ensemble(self, worlds: int, seed: int) -> tuple[Markdown, View]:
        """What was seen in drawn worlds: in words, and beside the bounds of the open answers."""
        drawn = determined.ensemble(self.document, self.answers, worlds, seed)
        seen = determined.seen_table(self.document, drawn, self.answers)
        columns = {**WHOSE, "bounds": "bounds", "seen": "seen"}
        return Markdown(drawn.said(self.answers)), View(seen, show(seen[seen["open"]], columns))

    def kept(self) -> dict[str, pd.DataFrame]:
        """The tables that are written, by name."""
        changed = self.changed.drop(columns=["lower", "upper"])
        return {"determined": self.table, "readings": changed}


def _view(table: pd.DataFrame) -> View:
    return View(table, show(table))
