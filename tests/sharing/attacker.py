"""Whoever gets centre.json and tries to work out what was suppressed: CP-SAT, and no code of the project.

What he knows besides: what the numbers mean, so which patients are counted together in several of them. He thinks of
line lists as counts of patients by everything at once (`Mind`), not by the tables that the project checks with.
"""

from collections.abc import Callable, Iterator
from itertools import product

from ortools.sat.python import cp_model

MOST = 250  # no group is larger, he knows
TOTAL = "All patients"
RULES, SETS = ("fc", "pcr", "fc_and_pcr"), ("assessed", "positive_before", "more_than_7_days", "without_severe_stops")
STOPS = ("completed", "severe_reaction", "economic", "other", "not recorded")
SEXES, GRADES = ("male", "female", "not recorded"), ("none", "mild", "severe", "ungraded", "not known")
BINS = ("below 0.001%", "0.001 to below 0.01%", "0.01 to below 0.1%", "0.1 to below 1%", "1 to below 10%",
        "10 to 100%", "not detected", "not recorded")  # fmt: skip

# A treated patient as far as response is told: result after by FC and by RT-PCR (apart from negative and positive: not
# assessed; no gene to follow; nobody knows whether there is one), positive before by FC and by RT-PCR, more than 7
# days, how cycle 1 ended, negative before by each assay that applies.
PATIENTS = [(fc, pcr, fc_before, pcr_before, long, stop, negative)
            for fc, pcr, fc_before, pcr_before, long, stop, negative in product(
                "-+?", "-+?.u", (True, False), (True, False), (True, False), STOPS, (True, False))
            if not (pcr in ".u" and pcr_before) and not (negative and (fc_before or pcr_before))]  # fmt: skip


def _result(rule: str, fc: str, pcr: str) -> str:
    """What a rule makes of the results: by both, each that applies has to have a result."""
    if rule == "fc_and_pcr":
        return "?" if fc == "?" or pcr in "?u" else "+" if "+" in (fc, pcr) else "-"
    return {"fc": fc, "pcr": "." if pcr == "u" else pcr}[rule]


class Attack:
    """All line lists that give the numbers of a centre.json."""

    def __init__(self, centre: dict):
        self.centre, self.model = centre, cp_model.CpModel()
        self.threshold = centre["protection"]["threshold"]
        self.purposes = {group["name"]: group["purpose"] for group in centre["groups"]}
        self.response = {group: self._cells(PATIENTS) for group in self.purposes}
        self.listed: dict[tuple[str, str], dict] = {}
        for group, cells in self.response.items():
            size = sum(cells.values())
            for name, levels in (("sex", SEXES), ("fever", GRADES), ("CRS", GRADES), ("ICANS", GRADES)):
                self.listed[group, name] = self._cells(levels)
                self.model.add(sum(self.listed[group, name].values()) == size)
            burden = self._cells([(name, positive) for name in BINS for positive in (True, False)
                                  if name == "not recorded" or positive == (name != "not detected")])  # fmt: skip
            for positive in (True, False):
                mine = sum(cell for patient, cell in cells.items() if (patient[2] or patient[3]) == positive)
                self.model.add(sum(cell for (_, side), cell in burden.items() if side == positive) == mine)
            self.listed[group, "MRD before"] = {
                name: sum(cell for (bin_, _), cell in burden.items() if bin_ == name) for name in BINS
            }
            self.listed[group, "end of cycle 1"] = {
                stop: sum(cell for patient, cell in cells.items() if patient[5] == stop) for stop in STOPS
            }
        self.sought: dict[tuple, cp_model.LinearExpr] = {}
        self.known: dict[tuple, tuple] = {}
        for key, expression, value in self._numbers():
            self.known[key] = expression, value
            if value is None:
                self.sought[key] = expression
            else:
                self.model.add(expression == value)
        self._use_reasons()

    def _use_reasons(self) -> None:
        """What a missing rate tells: nobody has a result by RT-PCR after, and some might have.

        Without a reason he takes it that there is a rate: somebody has a result, or nobody might.
        """
        by_pcr = [row for row in self.centre["tables"]["response"] if row["rule"] == "pcr"]
        for row in by_pcr:
            about = row["group"], row["measure"]
            if row["evaluable_set"] != "all_treated":
                continue
            with_result = self._unit(*about, lambda pcr: pcr in "-+")
            followed = self._unit(*about, lambda pcr: pcr != ".")
            if row.get("reason"):
                self.model.add(with_result == 0)
                self.model.add(followed >= 1)
            else:
                is_done = self.model.new_bool_var("")
                self.model.add(with_result >= 1).only_enforce_if(is_done)
                self.model.add(followed == 0).only_enforce_if(~is_done)

    def _unit(self, group: str, measure: str, counts: Callable[[str], bool]):
        """How many of those whom a measure is about have such a result by RT-PCR after."""
        cells = self.response[group]
        about = [patient for patient in PATIENTS if self._is_about(group, measure, patient)]
        return sum(cells[patient] for patient in about if counts(patient[1]))

    def _is_about(self, group: str, measure: str, patient: tuple) -> bool:
        _, _, fc_before, pcr_before, _, _, negative = patient
        if self.purposes[group] != "bridging":
            return True
        found = "not assessed before"
        if fc_before or pcr_before:
            found = "negative after"
        elif negative:
            found = "stayed negative"
        return measure.endswith(found)

    def _cells(self, names) -> dict:
        return {name: self.model.new_int_var(0, MOST, "") for name in names}

    def _numbers(self) -> Iterator[tuple]:
        """Every number of the file: where it stands, what it counts, its value or None."""
        tables = self.centre["tables"]
        for row in [*tables["cohort"], *tables["mrd"]]:
            group, what, level = row["group"], row["characteristic"], row["level"]
            members = [*self.purposes] if group == TOTAL else [group]
            if what == "patients":
                number = sum(cell for name in members for cell in self.response[name].values())
            else:
                number = sum(self.listed[name, what][level] for name in members)
            yield (what, group, level), number, row["count"]
        counted = {"any grade": GRADES[1:4], "grade 3 or more": ("severe",), "grade not reported": ("ungraded",),
                   "occurrence not recorded": ("not known",)}  # fmt: skip
        for row in tables["safety"]:
            members = [*self.purposes] if row["group"] == TOTAL else [row["group"]]
            number = sum(
                self.listed[name, row["event"]][grade] for name in members for grade in counted[row["severity"]]
            )
            yield (row["event"], row["group"], row["severity"]), number, row["k"]
        for row in tables["response"]:
            if row.get("reason"):
                continue  # there is no number
            for name in ("n", "k"):
                key = (row["group"], row["measure"], row["rule"], row["evaluable_set"], name)
                yield key, self._response(*key), row[name]

    def _response(self, group: str, measure: str, rule: str, evaluable: str, name: str):
        members = group.split(" + ") if group not in self.purposes else [group]

        def counts(patient: tuple) -> bool:
            fc, pcr, fc_before, pcr_before, long, stop, _ = patient
            either, result, severe = fc_before or pcr_before, _result(rule, fc, pcr), stop == "severe_reaction"
            before = {"fc": fc_before, "pcr": pcr_before, "fc_and_pcr": either}[rule]
            among = {"positive_before": before, "more_than_7_days": long, "assessed": result != "?",
                     "without_severe_stops": not severe and stop != "not recorded"}  # fmt: skip
            if result == "." or not among.get(evaluable, True):
                return False
            if len(members) == 1 and not self._is_about(group, measure, patient):
                return False
            failed = evaluable == "severe_stops_failed" and (severe or stop == "not recorded")
            return name == "n" or (result == "-" and not failed)

        return self._of(members, counts)

    def _of(self, members: list[str], counts: Callable[[tuple], bool]):
        return sum(self.response[group][patient] for group in members for patient in PATIENTS if counts(patient))

    def recovered(self) -> dict[tuple, int]:
        """Suppressed numbers that he knows after all, with their value."""
        return self._fixed(self.sought)

    def surely_small(self, keys: list[tuple]) -> list[tuple]:
        """Those of the suppressed numbers of which he knows that they lie below the threshold."""
        large = cp_model.Domain(self.threshold, 10000)
        return self._never({key: (self.sought[key], large) for key in keys})

    def small_left(self) -> dict[tuple, int]:
        """Small numbers of patients that he gets as a difference, though none of them stands in the file."""
        known, sought = {}, {}
        for key, parts in self._differences():
            numbers = [(sign, *self.known[part]) for sign, part in parts]
            if all(value is not None for _, _, value in numbers):
                known[key] = sum(sign * value for sign, _, value in numbers)
            else:
                sought[key] = sum(sign * expression for sign, expression, _ in numbers)
        return {key: value for key, value in {**known, **self._fixed(sought)}.items() if 1 <= value < self.threshold}

    def _differences(self) -> Iterator[tuple[tuple, list[tuple[int, tuple]]]]:
        """Who is left: failures, those outside an evaluable set, negative by FC alone, grades 1 and 2."""
        for key in self.known:
            if key[-1] == "k":
                *row, _ = key
                n, every, fc = (*row, "n"), (*row[:3], "all_treated"), (*row[:2], "fc", "all_treated")
                yield (*key, "failures"), [(1, n), (-1, key)]
                if row[-1] in SETS:
                    yield (*key, "outside"), [(1, (*every, "n")), (-1, n)]
                    yield (*key, "successes outside"), [(1, (*every, "k")), (-1, key)]
                    yield (*key, "failures outside"), [(1, (*every, "n")), (-1, (*every, "k")), (-1, n), (1, key)]
                if row[-2:] == ["fc_and_pcr", "all_treated"]:
                    yield (*key, "by FC alone"), [(1, (*fc, "k")), (-1, key)]
            if key[-1] == "grade 3 or more":
                yield (*key, "less"), [(1, (*key[:2], "any grade")), (-1, key)]

    def _fixed(self, numbers: dict[tuple, cp_model.LinearExpr]) -> dict[tuple, int]:
        """Those of the numbers that are the same in every line list, with their value."""
        first = self._solved(self.model)
        if first is None:
            raise ValueError("no line list gives these numbers")
        values = {key: first.value(expression) for key, expression in numbers.items()}
        others = {key: cp_model.Domain.from_intervals([[-10000, value - 1], [value + 1, 10000]])
                  for key, value in values.items()}  # fmt: skip
        return {key: values[key] for key in self._never({key: (numbers[key], others[key]) for key in numbers})}

    def _never(self, numbers: dict[tuple, tuple[cp_model.LinearExpr, cp_model.Domain]]) -> list[tuple]:
        """Those of the numbers that lie in their domain in no line list.

        Line lists are asked for that have as many numbers in their domain as can be; what never was is asked for one
        by one. RuntimeError if one is not decided in time.
        """
        model, inside, open_, before = self.model.clone(), {}, [*numbers], 0
        for key, (expression, domain) in numbers.items():
            inside[key] = model.new_bool_var("")
            model.add_linear_expression_in_domain(expression, domain).only_enforce_if(inside[key])
        while open_ and len(open_) != before:
            before = len(open_)
            model.maximize(sum(inside[key] for key in open_))
            if found := self._solved(model, seconds=1):
                open_ = [key for key in open_ if not numbers[key][1].contains(found.value(numbers[key][0]))]
        return [key for key in open_ if not self._reaches(*numbers[key])]

    def _reaches(self, number: cp_model.LinearExpr, domain: cp_model.Domain) -> bool:
        """Whether a number lies in its domain in some line list: one interval after the other, which is far quicker."""
        intervals = domain.flattened_intervals()
        for least, most in zip(intervals[::2], intervals[1::2], strict=True):
            model = self.model.clone()
            model.add_linear_constraint(number, least, most)
            if self._solved(model):
                return True
        return False

    @staticmethod
    def _solved(model: cp_model.CpModel, seconds: float = 60.0) -> cp_model.CpSolver | None:
        """The solver with a line list; None if there is none (or, if it may only look for a second, none found)."""
        solver = cp_model.CpSolver()
        solver.parameters.num_workers, solver.parameters.max_time_in_seconds = 1, seconds
        solver.parameters.linearization_level = 2
        status = solver.solve(model)
        if status == cp_model.UNKNOWN and seconds > 1:
            raise RuntimeError("not decided in time")
        return solver if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) else None
