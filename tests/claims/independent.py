"""A second opinion on claims, from the text of the two files in plain Python. It shares no code with the package."""

import operator
import statistics
from decimal import ROUND_DOWN, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path

import yaml

HALVES = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, "half_down": ROUND_HALF_DOWN}
MODES = {**HALVES, "truncate": ROUND_DOWN}
LIMITS = {"at_least": operator.ge, "at_most": operator.le, "above": operator.gt, "below": operator.lt}
TRUTH = {"yes": "yes", "true": "yes", "no": "no", "false": "no"}


class SecondOpinion:
    """Which claims and rules of a claims file a line list breaks."""

    def __init__(self, claims_file: Path):
        self.said = yaml.load(claims_file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        self.columns = self.said["columns"]
        self.modes = list(HALVES) if self.said["rounding"] == "any" else [self.said["rounding"]]
        self._known: dict[tuple, tuple] = {}

    def judge(self, rows: list[dict[str, str]]) -> dict[str, tuple[dict[str, str], set[str]]]:
        """For each rounding mode, what each claim comes to (as it would be printed) and the ids of broken claims."""
        known = [self._patient(row) for row in rows]
        verdicts: dict[str, tuple[dict[str, str], set[str]]] = {mode: ({}, set()) for mode in self.modes}
        for index, claim in enumerate(self.said["claims"]):
            found = _values(claim["statistic"], [claims[index] for claims, _ in known if claims[index] is not None])
            for came_to, broken in verdicts.values():
                came_to[claim["id"]] = ""
                if found is None:
                    broken.add(claim["id"])
            for mode, (came_to, broken) in verdicts.items() if found is not None else ():
                if "equals" in claim:
                    printed = claim["equals"] if isinstance(claim["equals"], list) else [claim["equals"]]
                    would = [_print(v, text, mode) for v, text in zip(found, printed, strict=True)]
                    came_to[claim["id"]] = " to ".join(map(str, would))
                    holds = would == [Decimal(text) for text in printed]
                else:
                    holds = all(compare(found[0], Decimal(claim[k])) for k, compare in LIMITS.items() if k in claim)
                if not holds:
                    broken.add(claim["id"])
        return verdicts

    def broken_rules(self, rows: list[dict[str, str]]) -> set[str]:
        """Ids of the rules that some patient breaks; `patients` where their number is not the stated one."""
        known = [self._patient(row) for row in rows]
        broken = {r["id"] for i, r in enumerate(self.said["rules"]) if not all(rules[i] for _, rules in known)}
        return broken | ({"patients"} if len(rows) != int(self.said["patients"]) else set())

    def other_values(self, column: str, cell: str) -> list[str]:
        """What might stand in place of a cell: all of it, save for decimals, of which a sample and the next steps."""
        said = self.columns[column]
        if said["type"] == "category":
            values = list(said["values"])
        elif said["type"] == "boolean":
            values = ["yes", "no"]
        else:
            step = Decimal(said.get("step", "1"))
            least, most = (int(Decimal(said[end]) / step) for end in ("min", "max"))
            codes = list(range(least, most + 1))
            if said["type"] == "decimal":
                here = [int(Decimal(cell) / step)] if cell else []
                near = [code + by for code in here for by in (-1, 1)]
                # From end to end, ever farther apart: the printed values stand at the lower end of their columns.
                between = [least + (most - least) * k * k // 100 for k in range(11)]
                codes = sorted({code for code in near + between if least <= code <= most} - set(here))
            values = [str(step * code) for code in codes]
        values += [""] if said.get("blank") == "allowed" else []
        return [value for value in values if value != cell]

    def _patient(self, row: dict[str, str]) -> tuple:
        """What each claim takes from this patient (None: nothing), and whether each rule holds for them."""
        key = tuple(row[name] for name in self.columns)
        if key not in self._known:
            claims = [self._taken(row, claim) for claim in self.said["claims"]]
            rules = [not self.chosen(row, r["if"]) or self.chosen(row, r["then"]) for r in self.said["rules"]]
            self._known[key] = (claims, rules)
        return self._known[key]

    def _taken(self, row: dict[str, str], claim: dict) -> Decimal | None:
        if not self.chosen(row, claim.get("rows", {})):
            return None
        of = claim.get("of", {})
        if isinstance(of, dict):
            return Decimal(self.chosen(row, of))
        return Decimal(row[of]) if row[of] else None

    def chosen(self, row: dict[str, str], written: dict) -> bool:
        """Whether a predicate, as written, holds for a patient."""
        return all(self._holds(row, key, value) for key, value in written.items())

    def _holds(self, row: dict[str, str], key: str, value) -> bool:
        if key == "any_of":
            return any(self.chosen(row, part) for part in value)
        if key == "not":
            return not self.chosen(row, value)
        cell, kind = row[key], self.columns[key]["type"]
        if isinstance(value, dict):
            return cell != "" and all(LIMITS[limit](Decimal(cell), Decimal(text)) for limit, text in value.items())
        for word in value if isinstance(value, list) else [value]:
            if word == "" or cell == "":
                same = word == cell
            elif kind in ("integer", "decimal"):
                same = Decimal(word) == Decimal(cell)
            else:
                same = (TRUTH[word.lower()] if kind == "boolean" else word) == cell
            if same:
                return True
        return False


def _values(statistic: str, taken: list[Decimal]) -> list[Decimal] | None:
    if statistic == "count":
        return [Decimal(len(taken))]
    if not taken:
        return None
    match statistic:
        case "percent":
            return [100 * sum(taken) / len(taken)]
        case "median":
            return [statistics.median(taken)]
        case "mean":
            return [sum(taken) / len(taken)]
        case "min":
            return [min(taken)]
        case "max":
            return [max(taken)]
        case "range":
            return [min(taken), max(taken)]
    raise ValueError(statistic)


def _print(value: Decimal, like: str, mode: str) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-len(like.partition(".")[2])), rounding=MODES[mode])
