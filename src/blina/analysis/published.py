"""What notebook 08 shows: the cohort beside published ones, what may be pooled, and sizes of a next study."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import pandas as pd
from IPython.display import Markdown

from blina.analysis import context
from blina.analysis.pooling import METHOD
from blina.analysis.samplesize import SIZE_COLUMNS, sizes, widths
from blina.analysis.study import Study, View
from blina.notebook import show

TITLES = {one.id: one.title for one in context.COMPARISONS}


class Context:
    """A cohort's rates beside published ones that answer the same question; the options are those of the notebook."""

    def __init__(
        self,
        study: Study,
        include_adults: bool = False,
        include_unconfirmed_dois: bool = True,
        include_derived: bool = True,
    ) -> None:
        self.cohort = study.cohort
        self.table = context.load_published()
        self.options = {
            "include_unconfirmed_dois": include_unconfirmed_dois,
            "include_derived": include_derived,
        }
        self.chosen = context.comparable(self.table, self.cohort, include_adults=include_adults, **self.options)
        self.own = study.rates().table
        self.needed = pd.DataFrame(columns=SIZE_COLUMNS)

    @cached_property
    def side(self) -> pd.DataFrame:
        return context.side_by_side(self.chosen, self.own, self.cohort)

    @cached_property
    def pooled(self) -> pd.DataFrame:
        return context.pools(self.chosen)

    def comparable(self) -> Markdown:
        """How many published numbers stand beside the cohort."""
        others = context.of_others(self.table, self.cohort)
        kept = self.chosen.kept
        return Markdown(
            f"Of {len(others)} numbers from {others['study_id'].nunique()} other reports, {len(kept)} "
            f"from {kept['study_id'].nunique()} stand beside it. The rest, and why:"
        )

    def left_out(self) -> View:
        """Why the others are left out."""
        table = self.chosen.reasons()
        return View(table, show(table))

    def remarks(self) -> list[Markdown]:
        """Groups that are compared with nothing, and what is doubtful of the first comparison."""
        unmatched = [group.name for group in self.cohort.groups if group.purpose is None]
        names = ", ".join(unmatched) or "none"
        remarks = [Markdown(f"Groups without a purpose, compared with nothing: {names}.")]
        kept = self.chosen.kept
        first = kept[kept["comparison"] == context.COMPARISONS[0].id]
        if len(first) and not first["remission"].eq("first").any():
            text = "No published row of the first panel is in first remission beyond doubt."
            remarks.append(Markdown(text))
        return remarks

    def side_by_side(self) -> View:
        """Own and published rates, comparison by comparison."""
        shown = self.side.assign(comparison=self.side["comparison"].map(TITLES))
        columns = {
            "comparison": "comparison",
            "study": "study",
            "whom": "whom",
            "outcome": "outcome",
            "how": "assay, threshold",
            "marks": "remarks",
            "text": "k/n (95% interval)",
            "basis": "count",
            "doi": "DOI",
        }
        return View(self.side, show(shown, columns))

    def _verdicts(self) -> pd.DataFrame:
        return self.pooled.assign(
            comparison=self.pooled["comparison"].map(TITLES),
            pooled=self.pooled["pooled"].map({True: "pooled", False: "not pooled"}),
        )

    def pools(self) -> View:
        """Every comparison, pooled or not, and why."""
        columns = {
            "comparison": "comparison",
            "studies": "studies shown",
            "eligible": "eligible",
            "pooled": "verdict",
            "why": "why not, and what stays outside",
        }
        return View(self.pooled, show(self._verdicts(), columns))

    def estimates(self) -> list[Markdown | View]:
        """The pooled rates, with what they mean; a sentence where nothing is pooled."""
        if not self.pooled["pooled"].any():
            return [Markdown("Nothing is pooled: the reasons stand in the table.")]
        table = self._verdicts()[self.pooled["pooled"]]
        table = table.assign(tau=table["tau"].map("{:.2f}".format).replace("nan", ""))
        columns = {
            "comparison": "comparison",
            "time": "time of response",
            "text": "pooled (95% interval)",
            "tau": "tau",
            "predicted": "prediction interval",
            "left_out_one": "estimates without each study in turn",
            "differs": "what differs",
        }
        meaning = (
            "The estimate allows the true rate to differ from study to study: *tau* is the standard "
            "deviation of its logit, and the prediction interval is where the true rate of a further, "
            "similar cohort would lie with 95% probability. With few studies a tau of zero does not show "
            f"that they agree. Look at what differs before using the number. Method: {METHOD}."
        )
        return [Markdown(meaning), View(table, show(table, columns))]

    def sensitivity(self) -> list[Markdown | View]:
        """The pooled rates with either choice of rows turned round; nothing where nothing is pooled."""
        turned = context.sensitivity(self.table, self.cohort, **self.options)
        if turned.empty:
            return []
        turned = turned.assign(
            comparison=turned["comparison"].map(TITLES),
            tau=turned["tau"].map("{:.2f}".format).replace("nan", ""),
        )
        columns = {
            "choice": "rows",
            "comparison": "comparison",
            "eligible": "studies",
            "text": "pooled (95% interval)",
            "tau": "tau",
            "predicted": "prediction interval",
        }
        text = "Each of the two choices on counts and DOIs turned round:"
        return [Markdown(text), View(turned, show(turned, columns))]

    def overlap(self) -> list[Markdown | View]:
        """What reports that may share patients say beside this one."""
        shared = context.overlap(self.table, self.cohort)
        sharing = context.sharing(self.table, self.cohort)
        larger = sharing[~sharing["label"].isin(shared["study"])]["label"]
        if shared.empty and larger.empty:
            return [Markdown("No published report is known to share patients with this cohort.")]
        columns = {
            "study": "other report",
            "kind": "overlap",
            "outcome": "outcome there",
            "text": "there",
            "here": "outcome here",
            "here_text": "here",
            "among_them": "here, among its patients",
            "fits": "can both be",
        }
        shown: list[Markdown | View] = [View(shared, show(shared, columns))] if len(shared) else []
        new = shared.loc[shared["here"].eq("") & shared["text"].ne("not printed"), "outcome"]
        text = f"What the smaller reports add: {', '.join(new) or 'nothing'}."
        for row in shared[shared["fits"] == "no"].itertuples():
            text += f" {self._apart(row)}."
        names = ", ".join(larger.unique()) or "none"
        text += f" Larger reports that may share patients: {names}."
        return [*shown, Markdown(text)]

    def _apart(self, row: tuple) -> str:
        """Why the number of another report cannot follow the rule that gives the number here."""
        text = (
            f"{row.text} there cannot follow the {row.rule} rule that gives {row.here_text} here, if all "
            f"{int(row.n_there)} are among the {int(row.n_here)} and time and rule were the same"
        )
        if self.cohort.reconstructed:
            text += f"; its {int(row.k_there)} are counted among those in CR"
        return text

    def _rate(self, rate_now: float) -> tuple[float, str] | None:
        return (rate_now, "") if rate_now else context.rate_now(self.own, self.cohort)

    def sizes(self, rate_now: float, rate_hoped: float, powers: Sequence[float]) -> list[Markdown | View]:
        """How many patients would tell the rate now from the one hoped for; kept as `needed`."""
        found = self._rate(rate_now)
        if found is None:
            return [Markdown("No group of this cohort has a rate of response.")]
        try:
            self.needed = sizes(found[0], rate_hoped, powers)
        except ValueError as error:
            text = f"The rate now is {found[0]:g}%, the one hoped for {rate_hoped:g}%: {error}."
            return [Markdown(text)]
        shown = self.needed.assign(
            power=self.needed["power"].map("{:.1f}".format),
            attained=self.needed["attained"].map("{:.1f}".format),
        )
        columns = {
            "design": "design",
            "power": "power asked for, %",
            "n": "patients per group",
            "patients": "in all",
            "attained": "power, %",
            "first_n": "first reached at",
        }
        heading = Markdown(f"To tell {found[0]:g}% from {rate_hoped:g}%:")
        return [heading, View(self.needed, show(shown, columns))]

    def widths(self, rate_now: float, rate_hoped: float) -> View:
        """How wide the exact interval is, by the number of patients."""
        found = self._rate(rate_now)
        table = widths(found[0] if found else rate_hoped)
        shown = table.assign(width=table["width"].map("{:.1f} points".format))
        return View(table, show(shown, ["n", "text", "width"]))

    def kept(self) -> dict[str, pd.DataFrame]:
        """The tables that are written, by name."""
        return {
            "published-rates": self.side,
            "published-left-out": self.chosen.left_out,
            "published-pools": self.pooled,
            "sample-size": self.needed,
        }
