"""Unknown patients for the solver: one integer variable per patient and column, and what can be asked of them."""

from __future__ import annotations

from collections.abc import Mapping

from ortools.sat.python import cp_model

from blina.linelist.columns import Column
from blina.linelist.predicate import AllOf, AnyOf, Not, Predicate, Within

Literal = cp_model.IntVar  # a 0-1 variable, or its negation


class Model:
    """So many patients with these columns, nothing known of them yet. Statistics speak through its few verbs."""

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
        self.leaves: dict[tuple[Within, int], Literal] = {}  # every elementary condition asked of a patient
        self._holds: dict[tuple[Predicate, int], Literal] = {}

    # Verbs for statistics

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
                self.leaves[predicate, patient] = literal = self._within(predicate, patient)
                return literal

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
