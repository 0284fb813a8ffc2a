"""A cohort opened for a notebook: its patients, its numbers with their spans, and tables that show themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pandas as pd
from IPython.display import Markdown

from blina.analysis import safety as words_of_safety
from blina.analysis.cohort import REASON_WORDS, describe_wide, early_stops_text
from blina.claims.check import read_for_claims
from blina.claims.document import Document, load_claims
from blina.linelist.cohort import Cohort, load_cohort
from blina.linelist.columns import COLUMNS, Column
from blina.linelist.intake import read_line_list
from blina.linelist.table import Table
from blina.linelist.tidy import Tidy, tidy, write_tables
from blina.measures import views
from blina.measures.bounds import CohortBounds, Solver, load_bounds
from blina.measures.choices import (
    ALL_SETS,
    ALL_TREATED,
    MAY_BE_FOLLOWED,
    RULES,
    UNGRADED,
    UNKNOWN,
    carriers,
    choice,
    rule_of,
)
from blina.measures.compute import results_of
from blina.measures.declare import (
    CRS_READINGS,
    FURTHER,
    MISSED,
    TIMES,
    burden_rows,
    genes,
    status_column,
    units,
)
from blina.measures.evaluate import Patients
from blina.measures.intervals import METHOD
from blina.measures.language import both
from blina.measures.recorded import readings_of
from blina.measures.results import Results, dictionary
from blina.notebook import Shown, show

NO_RT_PCR_RECORDED = "RT-PCR is not recorded for any patient."
NO_RT_PCR_FOLLOWED = "No patient has a fusion gene that RT-PCR follows."


@dataclass(frozen=True)
class View:
    """A table of results that shows itself: `table` is all of it, `shown` what a reader sees.

    sentence: shown instead of an empty table.
    """

    table: pd.DataFrame
    shown: Shown
    sentence: str = ""

    def _repr_html_(self) -> str | None:
        return None if self.sentence else self.shown._repr_html_()

    def _repr_markdown_(self) -> str | None:
        return self.sentence or None

    def __repr__(self) -> str:
        return self.sentence or repr(self.shown)


def open_study(cohort: str | Path) -> Study:
    """A cohort opened: read, checked, and ready to be counted.

    cohort: a name under data/cohorts, or the path of a folder with a line list.
    Raises FileError where cohort, line list or bounds cannot be read, LineListError with every problem
    in the line list.
    """
    described = load_cohort(cohort)
    if described.reconstructed and described.claims.exists():
        document = load_claims(described.claims)
        columns = report_columns(document)
        table = read_for_claims(described.linelist, replace(document, columns=columns))
        return Study(table, described.of_table(table), load_bounds(described))
    table = read_line_list(described.linelist, described)
    return Study(table, described.of_table(table))


def bounds_of_report(cohort: Cohort, document: Document) -> CohortBounds:
    """The bounds of every number of a reconstructed report, each question solved once."""
    columns = report_columns(document)
    table = read_for_claims(cohort.linelist, replace(document, columns=columns))
    bounds = CohortBounds(cohort, {}, Solver(document))
    study = Study(table, cohort.of_table(table), bounds)
    study.results = results_of(study.table, study.cohort, bounds)  # without readings, not known yet
    study.course_counts()  # which asks how many share a grade and a day
    return bounds


def report_columns(document: Document) -> dict[str, Column]:
    """The columns of a line list, with the values that a report's claims allow.

    A column that the claims leave out stays as every line list has it, unless it may be absent.
    """
    columns = {}
    for entry in COLUMNS:
        claimed = document.columns.get(entry.name)
        if claimed is not None:
            columns[entry.name] = replace(
                entry,
                type=claimed.type,
                values=claimed.values,
                min=claimed.min,
                max=claimed.max,
                step=claimed.step,
                blank=claimed.blank,
            )
        elif entry.type != "identifier" and not entry.optional:
            columns[entry.name] = entry
    return columns


class Study:
    """A cohort's patients and numbers.

    table: one row per patient, exact; cohort; known: bounds of a reconstructed report, None for real patients.
    patients, mrd, events: the tidy tables, for figures that show rows.
    """

    def __init__(self, table: Table, cohort: Cohort, known: CohortBounds | None = None) -> None:
        self.table, self.cohort, self.known = table, cohort, known

    @cached_property
    def counted(self) -> Patients:
        """The patients, of whom anything can be counted."""
        return Patients(self.table)

    @cached_property
    def results(self) -> Results:
        """Every number of the report, with its span."""
        return results_of(self.table, self.cohort, self.known, readings_of(self.cohort))

    @cached_property
    def tidy(self) -> Tidy:
        return tidy(self.table, self.cohort)

    @property
    def patients(self) -> pd.DataFrame:
        return self.tidy.patients

    @property
    def mrd(self) -> pd.DataFrame:
        return self.tidy.mrd

    @property
    def events(self) -> pd.DataFrame:
        return self.tidy.events

    def only(self, group: str) -> Study:
        """The same, its rows those of one group (ValueError if there is no such group)."""
        cohort = self.cohort.model_copy(update={"groups": (self.cohort.group(group),)})
        return _OneGroup(self, cohort)

    # Who was treated

    def about(self) -> Markdown:
        """What the rows of this cohort are, and what their numbers are worth."""
        if not self.cohort.reconstructed:
            return Markdown(f"**{self.cohort.title}.** One row of the line list is one patient.")
        text = (
            f"**{self.cohort.title}.** No patient table was published. The rows used here are "
            f"*{self.cohort.face}*: they satisfy every printed number."
        )
        if self.known:
            text += (
                " A number that the report does not determine is marked *open* and given by its bounds: "
                "the least and the greatest value over all line lists that satisfy the report"
            )
            text += ", proven by two solvers." if self.known.proven else "."
        return Markdown(text)

    def groups(self) -> View:
        """The groups, why each was treated, and how many patients."""
        rows = []
        for group in self.cohort.groups:
            size = self.results.get("description", group.name, "patients", statistic="count").here.k
            rows.append({"group": group.name, "why treated": group.label, "patients": size})
        return _view(pd.DataFrame(rows))

    def baseline(self) -> View:
        """Who was treated, and how: a row per characteristic, a column per group."""
        table = views.description(self.results)
        return View(table, show(describe_wide(table)))

    def exposure(self) -> View:
        """How much of the drug was given."""
        amounts = ["infusion in cycle 1", FURTHER, "cycles, the first included"]
        table = views.description(self.results)
        table = table[table["characteristic"].isin(amounts)]
        return View(table, show(describe_wide(table)))

    def stopped_early(self) -> Markdown:
        """Who did not complete cycle 1, and after how many days of infusion."""
        return Markdown(early_stops_text(self.patients))

    def method(self, more: str = "") -> Markdown:
        """How intervals are computed."""
        return Markdown(f"Intervals: {METHOD}, in percent.{more}")

    # MRD

    def found_before(self, group: str) -> Markdown:
        """How many of a group were MRD positive before treatment."""
        size = self.results.get("description", group, "patients", statistic="count").here.k
        states = ("positive by any assay", "not assessed")
        positive, unknown = (self._in_flow(group, "MRD before", state) for state in states)
        text = (
            f"Group **{group}** ({self.cohort.group(group).label}): {size} patients, {positive} of them "
            "MRD positive by any assay before treatment"
        )
        text += f", {unknown} without a result by any." if unknown else "."
        return Markdown(text)

    def _in_flow(self, group: str, stage: str, state: str) -> int:
        result = self.results.get("flow", group, stage, state, statistic="count")
        return result.here.k if result else 0

    def statuses(self, group: str) -> View:
        """What each assay said in a group, before and after."""
        table = views.statuses(self.results)
        table = table[table["group"] == group].reset_index(drop=True)
        seen = table[table["k"].ne(0).fillna(True)]
        columns = {"assay": "assay", "time": "time", "status": "status", "text": "patients"}
        return View(table, show(seen, columns))

    def rates(self, group: str | None = None) -> View:
        """Response under every rule and evaluable set, of all groups or of one."""
        table = views.response(self.results)
        if group is not None:
            table = table[table["group"] == group].reset_index(drop=True)
        shown = table.assign(
            reported=table["is_reported"].map({True: "yes", False: ""}),
            rule=[choice(RULES, id).label for id in table["rule"]],
            evaluable_set=[choice(ALL_SETS, id).label for id in table["evaluable_set"]],
        )
        return View(table, show(shown, ["measure", "rule", "evaluable_set", "text", "reported"]))

    def headline(self, group: str) -> Markdown:
        """The rates of a group over all treated, in a sentence for each measure."""
        reported = self.cohort.group(group).reported_rule
        text = f"Rule of the printed rate of {group}: {choice(RULES, reported).label}. " if reported else ""
        table = self.rates(group).table
        whole = table[table["evaluable_set"].eq(ALL_TREATED.id) & table["n"].gt(0).fillna(True)]
        sentences = []
        for measure, rows in whole.groupby("measure", sort=False):
            rates = [f"{choice(RULES, row.rule).label} {row.text}" for row in rows.itertuples()]
            sentences.append(f"Over all treated, {measure}: {'; '.join(rates)}.")
        method = f"{METHOD[0].upper()}{METHOD[1:]}."
        return Markdown(f"{text}{' '.join(sentences) or 'Over all treated, no rate.'} {method}")

    def reported_rules(self) -> Markdown | None:
        """The rule behind each printed rate, with a warning where it changes; None where none was printed."""
        printed = {}
        for group in self.cohort.groups:
            if group.reported_rule:
                printed[group.name] = choice(RULES, group.reported_rule)
        if not printed:
            return None
        rules = "; ".join(f"{name}, {rule.meaning}" for name, rule in printed.items())
        text = f"Rules behind the printed rates: {rules}."
        if len({rule.id for rule in printed.values()}) > 1:
            text += " **The rule changes between printed rates: compare within a rule.**"
        return Markdown(text)

    def reinduction_groups(self) -> list[str]:
        """The groups treated to reinduce remission."""
        return [group.name for group in self.cohort.groups if group.purpose == "reinduction"]

    def choices(self, group: str | None = None) -> View:
        """The response rules and evaluable sets, and what each means."""
        present = set(self.rates(group).table["evaluable_set"])
        used = [*RULES, *(one for one in ALL_SETS if one.id in present)]
        return _view(pd.DataFrame([{"choice": one.label, "means": one.meaning} for one in used]))

    def fusion(self, groups: Iterable[str] | None = None) -> View:
        """Carriers of a fusion gene against the others, by every rule."""
        table = views.fusion(self.results, self._not_assessed, self._lacking_gene)
        if groups is not None:
            table = table[table["group"].isin([*groups])].reset_index(drop=True)
        shown = table.assign(rule=[choice(RULES, id).label for id in table["rule"]])
        several = table["measure"].nunique() > 1
        columns = {"measure": "measure"} if several else {}
        columns |= {
            "gene": "fusion gene",
            "rule": "rule",
            "carriers_before_text": "carriers positive before",
            "carriers_text": "carriers, all",
            "others_text": "others, all",
        }
        if table["not_recorded"].any():
            columns["not_recorded"] = "not recorded"
        return View(table, show(shown, columns | {"test_text": "Fisher's exact test"}))

    def _not_assessed(self, group: str, measure: str, gene: str, rule: str, side: str) -> int:
        """How many patients of a side of a contrast have no result by the rule."""
        facts = self.counted.facts
        unit = next(one for one in units(self.cohort, facts) if (one.name, one.measure) == (group, measure))
        mine = next(one for one in genes(facts) if one.name == gene)
        asked = choice(RULES, rule)
        rows = both(unit.rows, mine.carriers if side == "carriers" else mine.others)
        if rule == "pcr":
            rows = both(rows, carriers(facts.columns))
        lacking = self.counted.holding(rows) & ~self.counted.holding(asked.assessed)
        return int(lacking.sum())

    def _lacking_gene(self, group: str, measure: str, gene: str) -> int:
        """How many patients have nothing recorded about a gene."""
        facts = self.counted.facts
        unit = next(one for one in units(self.cohort, facts) if (one.name, one.measure) == (group, measure))
        mine = next(one for one in genes(facts) if one.name == gene)
        known = self.counted.holding(mine.carriers) | self.counted.holding(mine.others)
        return int((self.counted.holding(unit.rows) & ~known).sum())

    def burden(self, group: str | None = None) -> View:
        """MRD before of those negative after against the others."""
        table = views.burden(self.results, group)
        columns = {
            "responders": "negative after",
            "responders_median": "their median MRD before, %",
            "responders_range": "range, %",
            "others": "assessed, not negative",
            "others_median": "their median, %",
            "others_range": "their range, %",
            "test_text": "rank permutation test, two-sided",
        }
        nothing = ""
        if not self.counted.occurs({"not": {"mrd_before_percent": ""}}) or (
            group is not None and table["responders"].add(table["others"]).eq(0).fillna(False).all()
        ):
            nothing = "No patient has an MRD value before and an outcome after: there is no burden to compare."
        return View(table, show(table, columns), nothing)

    def burden_points(self, group: str) -> pd.DataFrame:
        """MRD before and response, a row per patient of a group with a value and an outcome, least first.

        Columns: patient_id, group, value_percent, rule, responded. These are rows: show `cohort.face`.
        """
        rule = choice(RULES, rule_of(self.cohort.group(group)))
        facts = self.counted.facts
        inside = self.counted.holding(burden_rows(group, rule, facts))
        responded = self.counted.holding(rule.negative)[inside]
        column = self.table.columns["mrd_before_percent"]
        codes = self.table.codes["mrd_before_percent"][inside]
        ids = [id for id, mine in zip(self.table.ids, inside, strict=True) if mine]
        points = pd.DataFrame(
            {
                "patient_id": ids,
                "group": group,
                "value_percent": codes * column.size.numerator / column.size.denominator,
                "rule": rule.id,
                "responded": responded,
            }
        )
        return points.sort_values(["value_percent", "patient_id"]).reset_index(drop=True)

    def flow(self) -> pd.DataFrame:
        """Patients from treatment to outcome."""
        return views.flow(self.results)

    def concordance(self) -> View:
        """FC against RT-PCR in patients with both results."""
        table = views.concordance(self.results)
        missed = table[table["counted"] == MISSED]
        shown = show(missed, {"group": "group", "time": "time", "text": MISSED})
        nothing = ""
        if not self._has_rt_pcr():
            may_be_followed = self.counted.occurs(MAY_BE_FOLLOWED)
            nothing = NO_RT_PCR_RECORDED if may_be_followed else NO_RT_PCR_FOLLOWED
        return View(table, shown, nothing)

    def _has_rt_pcr(self) -> bool:
        found = {"any_of": [{status_column("RT-PCR", time): ["positive", "negative"]} for time in TIMES]}
        return self.counted.occurs(found)

    # Safety

    def worst_grades(self) -> View:
        """Patients by worst grade of each event, a column per group."""
        table = views.events(self.results)
        listed = where_grades_lack(table)
        keys = ["event", "severity"]
        wide = listed.pivot(index=keys, columns="group", values="text")[[*listed["group"].unique()]]
        order = listed[keys].drop_duplicates()
        joined = order.merge(wide.reset_index(), on=keys, validate="one_to_one")
        return View(table, show(joined), self._unrecorded_events())

    safety = worst_grades

    def _unrecorded_events(self) -> str:
        columns = ("fever_cycle1", "crs_grade", "icans_grade")
        recorded = [self.counted.occurs({"not": {name: ""}}) for name in columns if self._blank(name)]
        if len(recorded) == len(columns) and not any(recorded):
            return "Adverse events are not recorded for any patient."
        return ""

    def _blank(self, column: str) -> bool:
        return self.table.columns[column].blank

    def fever(self) -> View:
        """Patients with fever in cycle 1."""
        table = views.events(self.results)
        table = table[table["event"].eq("fever") & table["severity"].ne(UNKNOWN)]
        nothing = ""
        if self._blank("fever_cycle1") and not self.counted.occurs({"not": {"fever_cycle1": ""}}):
            nothing = "Fever is not recorded for any patient."
        return View(table, show(table, {"group": "group", "text": "fever in cycle 1"}), nothing)

    def crs(self) -> View:
        """CRS of any grade as reported and, where the scale counts it, with fever alone as grade 1."""
        attributed = self.cohort.scale("CRS") in words_of_safety.FEVER_RULES
        readings = CRS_READINGS if attributed else CRS_READINGS[:1]
        table = views.fever_as_crs(self.results, readings)
        wide = table.pivot(index="group", columns="reading", values="text").add_prefix("CRS, ")
        wide = wide.reindex(table["group"].unique()).reset_index().rename_axis(columns=None)
        nothing = ""
        if self._blank("crs_grade") and not self.counted.occurs({"not": {"crs_grade": ""}}):
            nothing = "CRS is not recorded for any patient."
        return View(table, show(wide), nothing)

    def crs_in_words(self) -> Markdown:
        """What the cohort's scale says of fever, and how CRS is counted by either reading."""
        return Markdown(words_of_safety.fever_said(self.crs().table, self.cohort))

    def scale(self) -> Markdown:
        """How many patients and events, and by which scale events are graded."""
        text = words_of_safety.scale_text(self.cohort)
        return Markdown(
            f"{len(self.patients)} patients, {len(self.events)} events. Grades of CRS and ICANS: {text}. "
            f"Intervals: {METHOD}, in percent."
        )

    def icans(self) -> View:
        """Patients with ICANS by worst grade, with the days on which it began."""
        rows = []
        for result in self.results.of("ICANS"):
            measure = result.measure
            days = self.counted.values("icans_day", both(measure.rows, measure.of))
            row = {"group": measure.group, "grade": measure.level, "onset_days": ", ".join(days)}
            row |= views.stated(result)
            if not result.is_open:
                row["text"] = words_of_safety.icans_text(row["text"], measure.level, days)
            rows.append(row)
        table = pd.DataFrame(rows)
        nothing = ""
        if self._blank("icans_grade") and not self.counted.occurs({"not": {"icans_grade": ""}}):
            nothing = "ICANS is not recorded for any patient."
        return View(table, show(table, {"group": "group", "text": "ICANS"}), nothing)

    def stops(self) -> View:
        """How cycle 1 ended other than as planned."""
        table = views.stops(self.results)
        early = table["stop_reason"].ne("completed") & _some(table)
        shown = table[early].replace({"stop_reason": REASON_WORDS})
        columns = {"group": "group", "stop_reason": "stopped for", "text": "patients"}
        nothing = ""
        if self._blank("stop_reason") and not self.counted.occurs({"not": {"stop_reason": ""}}):
            nothing = "How cycle 1 ended is not recorded for any patient."
        return View(table, show(shown, columns), nothing)

    def severe_reactions(self) -> View:
        """Stops for a severe reaction beside the severe reactions described."""
        table = views.severe_reactions(self.results)
        return View(table, show(table.drop(columns="open")))

    def courses(self) -> pd.DataFrame:
        """Cycle 1 of every patient; these are rows: show `cohort.face`."""
        return words_of_safety.courses(self.patients, self.events, self.cohort)

    def course_counts(self) -> pd.DataFrame:
        """What a group's courses add up to: how cycle 1 ended, events, further cycles."""
        return words_of_safety.course_counts(self.results, self.counted, self.cohort, self.known)

    def infusions(self) -> pd.DataFrame:
        """Days of infusion and end of cycle 1 that occur, and whether their number is open."""
        return views.infusions(self.results)

    # Files

    def write_results(self, folder: Path) -> None:
        """Write every number of the report, with what its columns mean, as CSV and Parquet; say so."""
        tables = {"results": self.results.table(), "results-dictionary": dictionary()}
        write_tables(tables, folder)
        print(f"wrote {folder.name}/results.csv and .parquet ({len(self.results)} numbers)")


class _OneGroup(Study):
    """A study whose rows are those of one group; its numbers are those of the whole."""

    def __init__(self, whole: Study, cohort: Cohort) -> None:
        super().__init__(whole.table, cohort, whole.known)
        self._whole = whole

    @cached_property
    def results(self) -> Results:
        return self._whole.results

    @cached_property
    def tidy(self) -> Tidy:
        return self._whole.tidy.only(self.cohort.groups[0].name)


def where_grades_lack(table: pd.DataFrame) -> pd.DataFrame:
    """The table of worst grades with lines on grades not reported only for events of which some grade is not."""
    possible = table["k"].fillna(1).gt(0) | table["percent_greatest"].gt(0)
    keys = [table["event"], table["severity"]]
    occurs = possible.groupby(keys).transform("any")
    return table[table["severity"].ne(UNGRADED) | occurs]


def _some(table: pd.DataFrame) -> pd.Series:
    """Whether a count is, or could be, more than none."""
    return table["k"].ne(0).fillna(True) | table["percent_greatest"].gt(0)


def _view(table: pd.DataFrame) -> View:
    return View(table, show(table))
