"""The plain form of a claims document: one integer variable per patient and column, each claim posted on them.

It is slow and is used only as an oracle in small tests. It shares no code with the package's own encoding (profiles,
counts and ascending vectors): here every patient has variables of their own, and each statistic is written anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

from ortools.sat.python import cp_model

from blina.claims.document import Document, Question
from blina.claims.printed import Interval
from blina.linelist.columns import Column
from blina.linelist.predicate import AllOf, AnyOf, Not, Predicate, Within
from blina.linelist.table import Table

Literal = cp_model.IntVar  # a 0-1 variable, or its negation


class Model:
    """So many patients with these columns, nothing known of them yet. Claims speak through its few verbs."""

    def __init__(self, columns: Mapping[str, Column], patients: int):
        self.cp = cp_model.CpModel()
        self.columns = dict(columns)
        self.patients = patients
        self.yes = self.cp.new_constant(1)
        self.codes = {
            name: [self.cp.new_int_var(c.lowest, c.highest, f"{name}[{i}]") for i in range(self.patients)]
            for name, c in self.columns.items()
        }
        never = self.yes.negated()
        self.blank = {
            name: [self.cp.new_bool_var(f"{name}[{i}] blank") if c.blank else never for i in range(self.patients)]
            for name, c in self.columns.items()
        }
        for name, column in self.columns.items():
            if column.blank:
                for code, blank in zip(self.codes[name], self.blank[name], strict=True):
                    self.cp.add(code == column.lowest).only_enforce_if(blank)
        self._holds: dict[tuple[Predicate, int], Literal] = {}

    # Verbs for claims

    def literals(self, predicate: Predicate) -> list[Literal]:
        """For each patient, the literal that says whether the predicate holds."""
        return [self._literal(predicate, i) for i in range(self.patients)]

    def members(self, rows: Predicate, of: Column) -> list[Literal]:
        """For each patient, whether they are among the rows and have a value in the column."""
        blanks = self.blank[of.name]
        return [self.both(row, blank.negated()) for row, blank in zip(self.literals(rows), blanks, strict=True)]

    def between(self, expression, low: int | None, high: int | None, when: Literal | None = None) -> None:
        """The expression lies from `low` to `high` (None: no limit), where `when` holds if given."""
        bounds = [*([] if low is None else [expression >= low]), *([] if high is None else [expression <= high])]
        for bound in bounds:
            constraint = self.cp.add(bound)
            if when is not None:
                constraint.only_enforce_if(when)

    def both(self, a: Literal, b: Literal) -> Literal:
        return self._and([a, b])

    def equals(self, expression, value: int, highest: int) -> Literal:
        """The literal that says whether an expression (0 to `highest`) has that value."""
        literal = self.cp.new_bool_var("")
        self.cp.add(expression == value).only_enforce_if(literal)
        others = cp_model.Domain.from_values([v for v in range(highest + 1) if v != value])
        self.cp.add_linear_expression_in_domain(expression, others).only_enforce_if(literal.negated())
        return literal

    def one_of(self, expressions: list[tuple[object, int]], allowed: list[tuple[int, ...]]) -> None:
        """The expressions, each given with its highest value, together take one of the allowed tuples."""
        variables = [self.cp.new_int_var(0, highest, "") for _, highest in expressions]
        for variable, (expression, _) in zip(variables, expressions, strict=True):
            self.cp.add(variable == expression)
        self.cp.add_allowed_assignments(variables, allowed)

    def counted(self, of: Column, members: list[Literal], less: int = 0) -> list[cp_model.IntVar]:
        """For each patient their code, lessened by `less`, where they are a member, else 0."""
        counted = []
        for code, member in zip(self.codes[of.name], members, strict=True):
            value = self.cp.new_int_var(min(0, of.lowest - less), max(0, of.highest - less), "")
            self.cp.add(value == code - less).only_enforce_if(member)
            self.cp.add(value == 0).only_enforce_if(member.negated())
            counted.append(value)
        return counted

    def square(self, expression, highest: int) -> cp_model.IntVar:
        """The square of an expression (0 to `highest`)."""
        square = self.cp.new_int_var(0, highest**2, "")
        self.cp.add_multiplication_equality(square, [expression, expression])
        return square

    def extreme(self, of: Column, members: list[Literal], greatest: bool) -> cp_model.IntVar:
        """The least or greatest code among the members, of whom there is at least one."""
        extreme = self.cp.new_int_var(of.lowest, of.highest, "")
        attained = []
        for code, member in zip(self.codes[of.name], members, strict=True):
            self.cp.add(code <= extreme if greatest else code >= extreme).only_enforce_if(member)
            here = self.cp.new_bool_var("")
            self.cp.add_implication(here, member)
            self.cp.add(code == extreme).only_enforce_if(here)
            attained.append(here)
        self.cp.add_bool_or(attained)
        return extreme

    def middle_pair(self, of: Column, members: list[Literal]) -> tuple[cp_model.IntVar, cp_model.IntVar]:
        """The two middle codes of the members, of whom there is at least one; twice the same where their number is odd.

        The lower one is the least v with at least half of the members at or below v; the upper one mirrors it.
        """
        self.cp.add_bool_or(members)
        size, middles = sum(members), []
        for upper in (False, True):
            middle = self.cp.new_int_var(of.lowest, of.highest, "")
            reached, passed = [], []  # at or beyond the middle, strictly beyond it: seen from the far end for `upper`
            for code, member in zip(self.codes[of.name], members, strict=True):
                at_most = self._compare(code, middle, 0, upper)
                below = self._compare(code, middle, 1, upper)
                reached.append(self.both(member, at_most))
                passed.append(self.both(member, below))
            self.cp.add(2 * sum(reached) >= size)
            self.cp.add(2 * sum(passed) < size)
            middles.append(middle)
        return middles[0], middles[1]

    # Predicates as literals

    def _compare(self, code, middle, gap: int, upper: bool) -> Literal:
        """Whether code <= middle - gap, or for `upper` code >= middle + gap."""
        literal = self.cp.new_bool_var("")
        small, large = (middle, code) if upper else (code, middle)
        self.cp.add(small + gap <= large).only_enforce_if(literal)
        self.cp.add(small + gap > large).only_enforce_if(literal.negated())
        return literal

    def _literal(self, predicate: Predicate, patient: int) -> Literal:
        key = (predicate, patient)
        if key not in self._holds:
            self._holds[key] = self._make(predicate, patient)
        return self._holds[key]

    def _make(self, predicate: Predicate, patient: int) -> Literal:
        match predicate:
            case AllOf(parts):
                return self._and([self._literal(part, patient) for part in parts])
            case AnyOf(parts):
                return self._and([self._literal(part, patient).negated() for part in parts]).negated()
            case Not(part):
                return self._literal(part, patient).negated()
            case Within():
                return self._within(predicate, patient)

    def _within(self, leaf: Within, patient: int) -> Literal:
        column = self.columns[leaf.column]
        if leaf.codes is not None:
            inside = cp_model.Domain.from_values(sorted(c for c in leaf.codes if column.lowest <= c <= column.highest))
        else:
            low = column.lowest if leaf.low is None else max(leaf.low, column.lowest)
            high = column.highest if leaf.high is None else min(leaf.high, column.highest)
            inside = cp_model.Domain(low, high) if low <= high else cp_model.Domain.from_values([])
        everything = cp_model.Domain(column.lowest, column.highest)
        code, literal = self.codes[leaf.column][patient], self.cp.new_bool_var("")
        self._in_domain(code, inside, literal)
        self._in_domain(code, everything.intersection_with(inside.complement()), literal.negated())
        if not column.blank:
            return literal
        blank = self.blank[leaf.column][patient]
        if leaf.blank:
            return self._and([literal.negated(), blank.negated()]).negated()
        return self.both(literal, blank.negated())

    def _in_domain(self, code, domain: cp_model.Domain, when: Literal) -> None:
        if domain.is_empty():
            self.cp.add_bool_or([when.negated()])
        else:
            self.cp.add_linear_expression_in_domain(code, domain).only_enforce_if(when)

    def _and(self, literals: list[Literal]) -> Literal:
        literals = [x for x in dict.fromkeys(literals) if x is not self.yes]
        if len(literals) < 2:
            return literals[0] if literals else self.yes
        result = self.cp.new_bool_var("")
        self.cp.add_bool_and(literals).only_enforce_if(result)
        self.cp.add_bool_or([result, *(x.negated() for x in literals)])
        return result


# Each statistic


def _count(model: Model, asked: Question, intervals: Sequence[Interval]) -> None:
    model.between(sum(model.literals(asked.rows)), *intervals[0].integers())


def _percent(model: Model, asked: Question, intervals: Sequence[Interval]) -> None:
    rows = model.literals(asked.rows)
    both = [model.both(one, other) for one, other in zip(rows, model.literals(asked.of), strict=True)]
    n = model.patients
    # The denominator may itself be open: list each (part, whole) that prints as it should.
    allowed = []
    for whole in range(1, n + 1):
        for part in range(whole + 1):
            if Fraction(100 * part, whole) in intervals[0]:
                allowed.append((part, whole))
    model.one_of([(sum(both), n), (sum(rows), n)], allowed)


def _mean(model: Model, asked: Question, intervals: Sequence[Interval]) -> None:
    members = model.members(asked.rows, asked.of)
    added = sum(model.counted(asked.of, members))
    model.cp.add_bool_or(members)
    for n in range(1, model.patients + 1):  # the denominator may itself be open
        there_are_n = model.equals(sum(members), n, model.patients)
        model.between(added, *intervals[0].integers(asked.of.size / n), when=there_are_n)


def _sd(model: Model, asked: Question, intervals: Sequence[Interval]) -> None:
    """The intervals are of the square of the sd."""
    of, ddof = asked.of, asked.statistic.ddof
    members = model.members(asked.rows, of)
    span = of.highest - of.lowest
    # Distances from the column's least value have the same sd and smaller squares.
    above = model.counted(of, members, less=of.lowest)
    squares = sum(model.square(distance, span) for distance in above)
    square_of_sum = model.square(sum(above), span * model.patients)
    possible = intervals[0] & Interval(Fraction(0), of.size**2 * span**2)
    model.between(sum(members), 1 + ddof, None)
    for n in range(1 + ddof, model.patients + 1):  # the denominator may itself be open
        there_are_n = model.equals(sum(members), n, model.patients)
        limits = possible.integers(of.size**2 / (n * (n - ddof)))
        model.between(n * squares - square_of_sum, *limits, when=there_are_n)


def _median(model: Model, asked: Question, intervals: Sequence[Interval]) -> None:
    lower, upper = model.middle_pair(asked.of, model.members(asked.rows, asked.of))
    model.between(lower + upper, *intervals[0].integers(asked.of.size / 2))


def _min(model: Model, asked: Question, intervals: Sequence[Interval]) -> None:
    least = model.extreme(asked.of, model.members(asked.rows, asked.of), greatest=False)
    model.between(least, *intervals[0].integers(asked.of.size))


def _max(model: Model, asked: Question, intervals: Sequence[Interval]) -> None:
    greatest = model.extreme(asked.of, model.members(asked.rows, asked.of), greatest=True)
    model.between(greatest, *intervals[0].integers(asked.of.size))


def _range(model: Model, asked: Question, intervals: Sequence[Interval]) -> None:
    _min(model, asked, intervals[:1])
    _max(model, asked, intervals[1:])


POST: dict[str, Callable[[Model, Question, Sequence[Interval]], None]] = {
    "count": _count,
    "percent": _percent,
    "mean": _mean,
    "sd": _sd,
    "median": _median,
    "min": _min,
    "max": _max,
    "range": _range,
}


def post(model: Model, asked: Question, intervals: Sequence[Interval]) -> None:
    """Require that each value of a statistic lies in its interval."""
    POST[asked.statistic.name](model, asked, intervals)


# Whole documents


def model_of(document: Document, modes: Iterable[str]) -> Model:
    """The patients of a document, every rule holding of each and every claim under each of the rounding `modes`."""
    model, modes = Model(document.columns, document.patients), list(modes)
    for rule in document.rules:
        for when, then in zip(model.literals(rule.when), model.literals(rule.then), strict=True):
            model.cp.add_implication(when, then)
    for claim in document.claims:
        post(model, claim, claim.intervals(*modes))
    return model


def has_solution(model: Model) -> bool:
    """Whether there is a line list; TimeoutError where that was not decided within two minutes."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = 120
    status = solver.solve(model.cp)
    if status not in (cp_model.OPTIMAL, cp_model.INFEASIBLE):
        raise TimeoutError("the plain form was not decided in time")
    return status == cp_model.OPTIMAL


def admits(model: Model, world: Table) -> bool:
    """Whether the line list, its patients in this order, is a solution; nothing else is one afterwards."""
    for name, codes in world.codes.items():
        for i, (code, blank) in enumerate(zip(codes.tolist(), world.blank[name].tolist(), strict=True)):
            model.cp.add(model.blank[name][i] == int(blank))
            if not blank:
                model.cp.add(model.codes[name][i] == code)
    return has_solution(model)


class _EveryWorld(cp_model.CpSolverSolutionCallback):
    def __init__(self, model: Model):
        super().__init__()
        self.model, self.found = model, set()

    def on_solution_callback(self) -> None:
        patients = []
        for i in range(self.model.patients):
            patients.append(tuple(self._cell(name, i) for name in self.model.columns))
        self.found.add(tuple(sorted(patients)))

    def _cell(self, name: str, patient: int) -> tuple[int, bool]:
        blank = self.boolean_value(self.model.blank[name][patient])
        return (0 if blank else self.value(self.model.codes[name][patient]), blank)


def every_world(model: Model) -> set[tuple[tuple[tuple[int, bool], ...], ...]]:
    """All solutions: for each patient, in ascending order, the cells as (code, blank); order of patients set aside."""
    solver, collected = cp_model.CpSolver(), _EveryWorld(model)
    solver.parameters.enumerate_all_solutions = True
    solver.parameters.num_workers = 1
    assert solver.solve(model.cp, collected) in (cp_model.OPTIMAL, cp_model.INFEASIBLE)
    return collected.found
