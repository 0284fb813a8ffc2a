"""Every number of a report once more, by loops over rows: made-up wards, and what counts of their rows give.

A row is a dictionary of words as a line list has them, "" where nothing is recorded. What a patient's unknown cells
could be is tried out, one completion after the other, and what a ward's patients could add up to is every sum of these.
Nothing here is shared with the package.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import comb
from random import Random

GENES = ("BCR::ABL1", "ETV6::RUNX1", "TCF3::PBX1", "KMT2A", "another")
RESULTS = ("positive", "negative")
GRADES = ("0", "1", "2", "3", "4", "5")
CAN_BE = {  # what the cell of a column can be where it is not known
    "sex": ("male", "female"),
    "bcr_abl1": ("yes", "no"),
    "fusion_gene": ("none", *GENES),
    "stop_reason": ("completed", "severe_reaction", "economic", "other"),
    "fc_before": RESULTS,
    "fc_after": RESULTS,
    "pcr_before": (*RESULTS, "not_applicable"),
    "pcr_after": (*RESULTS, "not_applicable"),
    "fever_cycle1": ("yes", "no"),
    "crs_grade": GRADES,
    "icans_grade": GRADES,
    "infusion_days": tuple(str(day) for day in range(1, 43)),
    "extra_cycles": tuple(str(cycles) for cycles in range(21)),
}
LIMITS = {  # least and greatest value that a number column allows
    "age_years": (0, 120),
    "months_from_diagnosis": (0, 600),
    "infusion_days": (1, 42),
    "extra_cycles": (0, 20),
}
NAMES = {
    "sex": "sex",
    "age_years": "age",
    "bcr_abl1": "BCR::ABL1",
    "fusion_gene": "fusion gene",
    "intolerance_reason": "reason for intolerance",
    "months_from_diagnosis": "diagnosis to first infusion",
    "infusion_days": "infusion in cycle 1",
    "stop_reason": "end of cycle 1",
    "extra_cycles": "further cycles",
}
ALL = "All patients"
PURPOSES = ("clearance", "reinduction", "bridging", None)
RULES = ("fc", "pcr", "fc_and_pcr")


# Wards


@dataclass(frozen=True)
class Ward:
    """Rows of patients, and of each group by name its purpose and the rule behind a reported rate."""

    rows: list[dict[str, str]]
    groups: dict[str, tuple[str | None, str | None]]


def a_ward(number):
    """A ward of 1 to 20 patients in 1 to 4 groups, of which some may be empty."""
    random = Random(number)
    groups = {}
    for place in range(random.randint(1, 4)):
        groups[f"group {place}"] = (random.choice(PURPOSES), random.choice((*RULES, None)))
    has_genes = random.random() < 0.4
    has_pcr = random.random() < 0.8
    has_stop_reasons = random.random() < 0.85
    rows = []
    for _ in range(random.randint(1, 20)):
        row = _a_row(random, [*groups], has_genes)
        if not has_pcr:
            row["pcr_before"] = row["pcr_after"] = ""
        if not has_stop_reasons:
            row["stop_reason"] = ""
        rows.append(row)
    return Ward(rows, groups)


def _a_row(random, groups, has_genes):
    blanks = random.choice([0, 0.1, 0.4, 0.9])

    def drawn(*words):
        return random.choice(words) if random.random() > blanks else ""

    gene = drawn("none", "none", *GENES)
    fusion = drawn("yes", "no")
    if has_genes and gene:
        fusion = "yes" if gene == "BCR::ABL1" else "no"
    elif has_genes:
        fusion = random.choice(["no", ""])  # a gene that is known to be BCR::ABL1 is no blank
    row = {
        "group": random.choice(groups),
        "sex": drawn("male", "female"),
        "age_years": drawn("0.0", "7.5", "7.5", "16.4"),
        "bcr_abl1": fusion,
        "intolerance_reason": drawn("infection", "other", ""),
        "months_from_diagnosis": drawn("0.5", "0.5", "30"),
        "infusion_days": drawn("1", "7", "8", "28", "28"),
        "stop_reason": drawn("completed", "completed", "severe_reaction", "economic", "other"),
        "extra_cycles": drawn("0", "0", "2"),
        "mrd_before_percent": drawn("0.145", "0.145", "8", "0.0004", "0.01", "31"),
        "fc_before": drawn("positive", "negative", "not_done"),
        "fc_after": drawn("positive", "negative", "not_done"),
        "fever_cycle1": drawn("yes", "no"),
        "crs_grade": drawn("0", "0", "1", "2", "3", "5"),
        "icans_grade": drawn("0", "0", "1", "2", "3", "4"),
    }
    is_carrier = fusion == "yes" or has_genes and gene not in ("", "none")
    if is_carrier:
        followed = (*RESULTS, "not_done")
    elif fusion == "no" and (gene == "none" or random.random() < 0.7):
        followed = ("not_applicable",)
    else:
        followed = (*RESULTS, "not_done", "not_applicable")
    row["pcr_before"], row["pcr_after"] = drawn(*followed), drawn(*followed)
    row["icans_day"] = drawn("1", "20") if row["icans_grade"] != "0" else ""
    if has_genes:
        row["fusion_gene"] = gene
    return row


# What one patient could be


def is_known(row, column):
    return row[column] not in ("", "not_done")


def could_be(row, columns):
    """The row with its unknown cells of these columns filled in, in every way that is possible."""
    choices = []
    for column in columns:
        if is_known(row, column):
            choices.append((row[column],))
        elif row[column] == "not_done":
            choices.append(RESULTS)
        elif column == "icans_grade" and row["icans_day"]:
            choices.append(GRADES[1:])  # what began on a day has occurred
        else:
            choices.append(CAN_BE[column])
    for words in product(*choices):
        yield {**row, **dict(zip(columns, words, strict=True))}


def fates(row, columns, belongs, counts):
    """The ways in which a patient can enter a number: left out (None), not counted (False), counted (True)."""
    found = set()
    for completed in could_be(row, columns):
        found.add(bool(counts(completed)) if belongs(completed) else None)
    return found


def sums(each):
    """Every (patients counted, among how many) that these patients' fates can add up to."""
    reached = {(0, 0)}
    for found in each:
        following = set()
        for k, n in reached:
            for fate in found:
                following.add((k, n) if fate is None else (k + fate, n + 1))
        reached = following
    return reached


@dataclass(frozen=True)
class Expected:
    """What a result should say; `value` None where there is none, spans as (least, greatest) or None."""

    value: Fraction | None
    k: int | None
    n: int
    span: tuple | None
    k_span: tuple | None
    n_span: tuple
    not_recorded: int
    not_assessed: int = 0
    stated: bool = True


def everybody(row):
    return True


def counted(rows, columns, counts, belongs=everybody, statistic="percent", is_assessed=everybody, misses_fail=False):
    """A count or rate of rows.

    is_assessed: whether a row has every result that is asked for. misses_fail: who lacks one counts as failing in the
    point value; of all others a condition that is not known leaves no single number.
    """
    each = [fates(row, columns, belongs, counts) for row in rows]
    sure = [(row, found) for row, found in zip(rows, each, strict=True) if None not in found]
    k = sum(found == {True} for _, found in sure)
    n = len(sure)
    open_rows = [row for row, found in sure if len(found) == 2]
    lacking = [row for row, _ in sure if not is_assessed(row)]
    has_point = all(misses_fail and not is_assessed(row) for row in open_rows)
    reached = sums(each)
    ks, ns = [k for k, _ in reached], [n for _, n in reached]
    if statistic == "count":
        value, span = Fraction(k), (min(ks), max(ks))
    else:
        shares = [Fraction(100 * some, whole) for some, whole in reached if whole]
        value = Fraction(100 * k, n) if n else None
        span = (min(shares), max(shares)) if shares else None
    return Expected(
        value=value if has_point else None,
        k=k,
        n=n,
        span=span,
        k_span=(min(ks), max(ks)),
        n_span=(min(ns), max(ns)),
        not_recorded=sum(len(found) > 1 for found in each),
        not_assessed=len(lacking),
    )


def on_record(rows, counts, statistic="percent"):
    """A count or rate of what is recorded, which is never unknown."""
    return counted(rows, (), counts, statistic=statistic)


def not_stated():
    """No rate: the rule asks for RT-PCR, and nobody has a result by it."""
    return Expected(None, 0, 0, None, (0, 0), (0, 0), 0, stated=False)


def middle(values):
    """The median of sorted numbers."""
    half = len(values) // 2
    return values[half] if len(values) % 2 else Fraction(values[half - 1] + values[half], 2)


ENDS = {"median": middle, "min": lambda values: values[0], "max": lambda values: values[-1]}


def measured(rows, column, statistic):
    """A statistic of a number column; who lacks a value could have any that the column allows."""
    values = sorted(Fraction(row[column]) for row in rows if row[column])
    lacking = sum(not row[column] for row in rows) if column in LIMITS else 0
    take = ENDS[statistic]
    span = None
    if values or lacking:
        span = tuple(take(sorted([*values, *[Fraction(end)] * lacking])) for end in LIMITS.get(column, (0, 0)))
    n = len(values)
    return Expected(take(values) if values else None, None, n, span, None, (n, n + lacking), lacking)


def added(rows, column, each=0):
    """The sum of a number column, with `each` more for every patient."""
    values = [Fraction(row[column]) + each for row in rows if row[column]]
    lacking = len(rows) - len(values)
    ends = tuple(sum(values) + lacking * (end + each) for end in LIMITS[column])
    value = None if lacking and not values else Fraction(sum(values))
    n = len(values)
    return Expected(value, None, n, ends, None, (n, n + lacking), lacking)


# What the words mean


def is_positive_before(row, rule="fc_and_pcr"):
    results = {"fc": row["fc_before"], "pcr": row["pcr_before"]}
    return any(results[assay] == "positive" for assay in rule.split("_and_"))


def is_negative_before(row):
    return row["fc_before"] == "negative" and row["pcr_before"] in ("negative", "not_applicable")


def is_negative_after(row, rule):
    if rule == "fc":
        return row["fc_after"] == "negative"
    if rule == "pcr":
        return row["pcr_after"] == "negative"
    return row["fc_after"] == "negative" and row["pcr_after"] in ("negative", "not_applicable")


def is_assessed_after(row, rule):
    by_fc = row["fc_after"] in RESULTS
    by_pcr = row["pcr_after"] in RESULTS
    if rule == "fc_and_pcr":
        return by_fc and (by_pcr or row["pcr_after"] == "not_applicable")
    return by_fc if rule == "fc" else by_pcr


def is_followed(row):
    """Whether RT-PCR is known to follow a patient: by a fusion gene, or by a result at any time."""
    if row["pcr_after"] == "not_applicable":
        return False
    has_gene = row["bcr_abl1"] == "yes" or row.get("fusion_gene", "") in GENES
    return has_gene or row["pcr_before"] in RESULTS or row["pcr_after"] in RESULTS


def lacks_pcr(rows):
    """Whether RT-PCR may follow some of the rows and has found nothing in any."""
    found = [row["pcr_after"] for row in rows]
    return any(word != "not_applicable" for word in found) and not set(found) & set(RESULTS)


def is_severe_stop(row):
    return row["stop_reason"] == "severe_reaction"


def has_fever(row):
    return row["fever_cycle1"] == "yes"


def has_crs(row, grade=1):
    return row["crs_grade"] != "" and int(row["crs_grade"]) >= grade


def has_icans(row, grade=1):
    if row["icans_grade"] == "":
        return grade == 1 and row["icans_day"] != ""
    return int(row["icans_grade"]) >= grade


def has_severe(row):
    return has_crs(row, 3) or has_icans(row, 3)


def has_unnamed(row):
    """Stopped for a severe reaction, while nothing that is described was severe."""
    known = row["crs_grade"] != "" and row["icans_grade"] != ""
    return is_severe_stop(row) and known and not has_severe(row)


# A ward's report


def report_of(ward):
    """What the results of a ward should be, by (topic, group, name, level, rule, evaluable set, statistic)."""
    found = {}
    parts = [
        _description(ward),
        _statuses(ward),
        _powers_of_ten(ward),
        _response(ward),
        _flow(ward),
        _concordance(ward),
        _fusion(ward),
        _burden(ward),
        _events(ward),
        _icans(ward),
        _stops(ward),
    ]
    for part in parts:
        for key, expected in part:
            assert key not in found, key
            found[key] = expected
    return found


def key(topic, group, name, level="", rule="", evaluable_set="", statistic="percent"):
    return topic, group, name, level, rule, evaluable_set, statistic


def groups_of(ward, total=True):
    for name in ward.groups:
        yield name, [row for row in ward.rows if row["group"] == name]
    if total:
        yield ALL, ward.rows


def seen(rows, column):
    """The words of a column that occur."""
    return sorted({row[column] for row in rows if row[column]})


def is_word(column, word):
    return lambda row: row[column] == word


def _description(ward):
    has_genes = "fusion_gene" in ward.rows[0]
    for group, rows in groups_of(ward):
        about = ("description", group)
        yield key(*about, "patients", statistic="count"), on_record(rows, everybody, "count")
        for column in ("sex", "stop_reason", *(["fusion_gene"] if has_genes else [])):
            for word in seen(ward.rows, column):
                level = word.replace("_", " ")
                yield key(*about, NAMES[column], level), counted(rows, [column], is_word(column, word))
        given = [row for row in rows if row["intolerance_reason"]]
        for word in seen(ward.rows, "intolerance_reason"):
            is_reason = is_word("intolerance_reason", word)
            yield key(*about, NAMES["intolerance_reason"], word), on_record(given, is_reason)
        carries = is_word("bcr_abl1", "yes")
        yield key(*about, NAMES["bcr_abl1"], "found"), counted(rows, ["bcr_abl1"], carries)
        more = counted(rows, ["extra_cycles"], lambda row: int(row["extra_cycles"]) >= 1)
        yield key(*about, NAMES["extra_cycles"], "patients given any"), more
        for column in ("age_years", "months_from_diagnosis", "infusion_days"):
            for statistic in ENDS:
                number = measured(rows, column, statistic)
                yield key(*about, NAMES[column], statistic=statistic), number
        for column, name, level, each in (
            ("infusion_days", NAMES["infusion_days"], "all together", 0),
            ("extra_cycles", NAMES["extra_cycles"], "cycles given", 0),
            ("extra_cycles", "cycles, the first included", "", 1),
        ):
            yield key(*about, name, level, statistic="sum"), added(rows, column, each)
        for column, name in NAMES.items():
            if column == "intolerance_reason" or column == "fusion_gene" and not has_genes:
                continue
            if any(row[column] == "" for row in ward.rows):
                blank = on_record(rows, is_word(column, ""), "count")
                yield key(*about, name, "not recorded", statistic="count"), blank


def _statuses(ward):
    for group, rows in groups_of(ward, total=False):
        for assay, prefix in (("FC", "fc"), ("RT-PCR", "pcr")):
            for time in ("before", "after"):
                column = f"{prefix}_{time}"
                words = {row[column] for row in rows}
                listed = ["positive", "negative", "not_applicable"]
                listed += [word for word in ("not_done", "") if word in words]
                for word in listed:
                    level = word or "not recorded"
                    number = on_record(rows, is_word(column, word), "count")
                    yield key("statuses", group, f"{assay} {time}", level, statistic="count"), number


POWERS_OF_TEN = (
    ("below 0.001%", "0", "0.001"),
    ("0.001 to below 0.01%", "0.001", "0.01"),
    ("0.01 to below 0.1%", "0.01", "0.1"),
    ("0.1 to below 1%", "0.1", "1"),
    ("1 to below 10%", "1", "10"),
    ("10 to 100%", "10", "101"),
)


def bin_before(row):
    """The power of ten of a patient's MRD before, of whom it was found by an assay."""
    if not is_positive_before(row):
        state = state_before(row)
        return "not recorded" if state == "not assessed" else state
    if not row["mrd_before_percent"]:
        return "not recorded"
    value = Fraction(row["mrd_before_percent"])
    for name, least, above in POWERS_OF_TEN:
        if Fraction(least) <= value < Fraction(above):
            return name


def _powers_of_ten(ward):
    names = [name for name, *_ in POWERS_OF_TEN]
    for group, rows in groups_of(ward):
        for name in (*names, "not detected", "not recorded"):
            number = on_record(rows, lambda row, name=name: bin_before(row) == name, "count")
            yield key("MRD before", group, "powers of ten", name, statistic="count"), number


def told_together(ward):
    """Whose response is stated together: name, measure, rows."""
    for group, rows in groups_of(ward, total=False):
        if ward.groups[group][0] != "bridging":
            yield group, "negative after", rows
            continue
        positive = [row for row in rows if is_positive_before(row)]
        negative = [row for row in rows if is_negative_before(row)]
        others = [row for row in rows if row not in positive and row not in negative]
        yield group, "stayed negative", negative
        if positive:
            yield group, "negative after", positive
        if others:
            yield group, "negative after, not assessed before", others
    clearing = [name for name, (purpose, _) in ward.groups.items() if purpose in ("clearance", "reinduction")]
    if len(clearing) > 1 and len({ward.groups[name][0] for name in clearing}) == 1:
        yield " + ".join(clearing), "negative after", [row for row in ward.rows if row["group"] in clearing]


def asked(rows, rule):
    """Whom a rule is asked of: RT-PCR alone only of those whom it follows."""
    return [row for row in rows if is_followed(row)] if rule == "pcr" else rows


AFTER = {"fc": ("fc_after",), "pcr": ("pcr_after",), "fc_and_pcr": ("fc_after", "pcr_after")}
BEFORE = {"fc": ("fc_before",), "pcr": ("pcr_before",), "fc_and_pcr": ("fc_before", "pcr_before")}


def rate(rows, rule, evaluable_set):
    """A rate of rows by a rule, among those of an evaluable set."""
    if rule != "fc" and lacks_pcr(rows):
        return not_stated()
    rows = asked(rows, rule)
    columns = [*AFTER[rule]]
    belongs = everybody

    def counts(row):
        return is_negative_after(row, rule)

    if evaluable_set == "assessed":
        rows = [row for row in rows if is_assessed_after(row, rule)]
    elif evaluable_set == "positive_before":
        columns += BEFORE[rule]
        belongs = lambda row: is_positive_before(row, rule)  # noqa: E731
    elif evaluable_set == "more_than_7_days":
        columns.append("infusion_days")
        belongs = lambda row: int(row["infusion_days"]) > 7  # noqa: E731
    elif evaluable_set == "without_severe_stops":
        columns.append("stop_reason")
        belongs = lambda row: not is_severe_stop(row)  # noqa: E731
    elif evaluable_set == "severe_stops_failed":
        columns.append("stop_reason")
        counts = lambda row: is_negative_after(row, rule) and not is_severe_stop(row)  # noqa: E731
    return counted(
        rows,
        columns,
        counts,
        belongs,
        is_assessed=lambda row: is_assessed_after(row, rule),
        misses_fail=True,
    )


def _response(ward):
    sets = ["all_treated", "positive_before", "more_than_7_days", "severe_stops_failed", "without_severe_stops"]
    lacking = [row for rule in RULES for row in asked(ward.rows, rule) if not is_assessed_after(row, rule)]
    if lacking:
        sets.append("assessed")
    for name, measure, rows in told_together(ward):
        for rule in RULES:
            for evaluable_set in sets:
                number = rate(rows, rule, evaluable_set)
                yield key("response", name, measure, "", rule, evaluable_set), number


def state_before(row):
    if is_positive_before(row):
        return "positive by any assay"
    return "not detected" if "negative" in (row["fc_before"], row["pcr_before"]) else "not assessed"


def state_after(row):
    fc, pcr = row["fc_after"], row["pcr_after"]
    if fc == "positive":
        return "positive by FC"
    if fc == "negative" and pcr == "positive":
        return "negative by FC, positive by RT-PCR"
    if fc == "negative" and pcr in ("negative", "not_applicable"):
        return "negative by FC and, where followed, RT-PCR"
    if fc == "negative":
        return "negative by FC, RT-PCR not assessed"
    return "positive by RT-PCR, FC not assessed" if pcr == "positive" else "not assessed"


STAGES = {
    "treated": lambda row: "treated",
    "MRD before": state_before,
    "end of cycle 1": lambda row: row["stop_reason"] or "not recorded",
    "MRD after": state_after,
}


def _flow(ward):
    for stage, state_of in STAGES.items():
        for state in sorted({state_of(row) for row in ward.rows}):
            for group, rows in groups_of(ward, total=False):
                inside = [state_of(row) == state for row in rows]
                number = Expected(
                    Fraction(sum(inside)),
                    sum(inside),
                    len(rows),
                    (sum(inside), sum(inside)),
                    (sum(inside), sum(inside)),
                    (len(rows), len(rows)),
                    0,
                )
                yield key("flow", group, stage, state, statistic="count"), number


def _concordance(ward):
    for group, rows in groups_of(ward, total=False):
        for time in ("before", "after"):
            pairs = [{"fc": row[f"fc_{time}"], "pcr": row[f"pcr_{time}"]} for row in rows]
            pairs = [pair for pair in pairs if pair["fc"] in RESULTS and pair["pcr"] in RESULTS]
            about = ("concordance", group, time)
            for fc in RESULTS:
                for pcr in RESULTS:
                    number = on_record(pairs, lambda pair, both=(fc, pcr): (pair["fc"], pair["pcr"]) == both)
                    yield key(*about, f"FC {fc}, RT-PCR {pcr}"), number
            yield key(*about, "FC and RT-PCR agree"), on_record(pairs, lambda pair: pair["fc"] == pair["pcr"])
            negative = [pair for pair in pairs if pair["fc"] == "negative"]
            missed = on_record(negative, lambda pair: pair["pcr"] == "positive")
            yield key(*about, "RT-PCR positive among FC negative"), missed


def sides_of(ward, gene):
    """Whether a row is known to be of a carrier of a gene, and whether it is known not to be."""
    if gene == "BCR::ABL1":
        return lambda row: row["bcr_abl1"] == "yes", lambda row: row["bcr_abl1"] == "no"
    return (
        lambda row: row["fusion_gene"] == gene,
        lambda row: row["fusion_gene"] not in ("", gene),
    )


def fisher(table):
    """The two-sided p of Fisher's exact test, and the least that its margins allow, from every table with these."""
    (a, b), (c, d) = table
    first, second, column = a + b, c + d, a + c
    ways = {}
    for x in range(column + 1):
        if x <= first and column - x <= second:
            ways[x] = comb(first, x) * comb(second, column - x)
    total = sum(ways.values())

    def tail(most):
        return Fraction(sum(way for way in ways.values() if way <= most), total)

    return tail(ways[a]), tail(min(ways.values()))


def _fusion(ward):
    genes = ["BCR::ABL1"]
    if "fusion_gene" in ward.rows[0]:
        genes += [gene for gene in seen(ward.rows, "fusion_gene") if gene not in ("none", "BCR::ABL1")]
    for name, measure, rows in told_together(ward):
        for gene in genes:
            for rule in RULES:
                table = []
                levels = (f"carriers of {gene}", f"without {gene}")
                for level, is_mine in zip(levels, sides_of(ward, gene), strict=True):
                    mine = [row for row in rows if is_mine(row)]
                    about = ("fusion", name, measure, level, rule)
                    assessed = rate(mine, rule, "assessed")
                    table.append((assessed.k, assessed.n - assessed.k))
                    yield key(*about, "assessed"), assessed
                    if measure == "negative after":
                        yield key(*about, "positive_before"), _cleared(mine, rule)
                tested = (None, None)
                n = sum(map(sum, table))
                if all(sum(side) for side in table):
                    tested = fisher(table)
                for statistic, p in zip(("p", "smallest p"), tested, strict=True):
                    about = ("fusion test", name, measure, gene, rule, "assessed", statistic)
                    span = None if p is None else (p, p)
                    number = n if p is not None else 0
                    yield key(*about), Expected(p, None, number, span, None, (number, number), 0)


def _cleared(rows, rule):
    """Of those assessed after, who were positive before and became negative."""
    if rule != "fc" and lacks_pcr(rows):
        return not_stated()
    rows = [row for row in asked(rows, rule) if is_assessed_after(row, rule)]
    columns = [*AFTER[rule], *BEFORE[rule]]
    return counted(
        rows,
        columns,
        lambda row: is_negative_after(row, rule),
        lambda row: is_positive_before(row, rule),
    )


def _burden(ward):
    for group, rows in groups_of(ward, total=False):
        rule = ward.groups[group][1] or "fc"
        about = ("burden", group)

        def is_inside(row, rule=rule):
            is_asked = rule != "pcr" or is_followed(row)
            return is_asked and is_assessed_after(row, rule) and row["mrd_before_percent"] != ""

        inside = [row for row in rows if is_inside(row)]
        without = on_record(rows, lambda row, is_inside=is_inside: not is_inside(row), "count")
        yield key(*about, "without value or outcome", "", rule, "", "count"), without
        for side in ("responders", "others"):
            responded = side == "responders"
            mine = [row for row in inside if is_negative_after(row, rule) == responded]
            size = on_record(
                inside,
                lambda row, rule=rule, responded=responded: is_negative_after(row, rule) == responded,
                "count",
            )
            yield key(*about, "MRD before", side, rule, "", "count"), size
            for statistic in ENDS:
                number = measured(mine, "mrd_before_percent", statistic)
                yield key(*about, "MRD before", side, rule, "", statistic), number


def _events(ward):
    lacking = {
        "fever": lambda row: row["fever_cycle1"] == "",
        "CRS": lambda row: row["crs_grade"] == "",
        "ICANS": lambda row: row["icans_grade"] == "" and row["icans_day"] == "",
    }
    grades = ["crs_grade", "icans_grade"]
    is_unexplained = [is_severe_stop(row) and not has_severe(row) for row in ward.rows]
    for group, rows in groups_of(ward):
        about = ("events", group)
        yield key(*about, "fever", "counted apart from CRS"), counted(rows, ["fever_cycle1"], has_fever)
        for event, has, column in (("CRS", has_crs, "crs_grade"), ("ICANS", has_icans, "icans_grade")):
            yield key(*about, event, "any grade"), counted(rows, [column], has)
            severe = counted(rows, [column], lambda row, has=has: has(row, 3))
            yield key(*about, event, "grade 3 or more"), severe
            ungraded = on_record(
                rows, lambda row, event=event: event == "ICANS" and not row["icans_grade"] and row["icans_day"]
            )
            yield key(*about, event, "grade not reported"), ungraded
        for event, is_lacking in lacking.items():
            if any(is_lacking(row) for row in ward.rows):
                number = on_record(rows, is_lacking, "count")
                yield key(*about, event, "occurrence not recorded", statistic="count"), number
        if any(is_unexplained):
            unnamed = counted(rows, ["stop_reason", *grades], has_unnamed)
            name = "severe reaction, not named"
            yield key(*about, name, "any grade"), unnamed
            yield key(*about, name, "grade not reported"), unnamed
            yield key(*about, name, "grade 3 or more"), _of_any_grade(rows)
        about = ("fever as CRS", group)
        either = counted(rows, ["fever_cycle1", "crs_grade"], lambda row: has_fever(row) or has_crs(row))
        yield key(*about, "CRS", "if all fever is attributed to the drug"), either
        alone = on_record(rows, lambda row: has_fever(row) and not has_crs(row), "count")
        yield key(*about, "fever without CRS", statistic="count"), alone
        reactions = {
            "stopped_for_severe": (["stop_reason"], is_severe_stop),
            "described_severe": (grades, has_severe),
            "both": (["stop_reason", *grades], lambda row: is_severe_stop(row) and has_severe(row)),
            "difference": (["stop_reason", *grades], has_unnamed),
        }
        for name, (columns, counts) in reactions.items():
            number = counted(rows, columns, counts, statistic="count")
            yield key("severe reactions", group, name, statistic="count"), number


def _of_any_grade(rows):
    """Who may have had an unnamed reaction of grade 3 or more: whoever may have had one, and nobody for sure."""
    each = []
    for row in rows:
        possible = any(has_unnamed(one) for one in could_be(row, ["stop_reason", "crs_grade", "icans_grade"]))
        each.append({False, True} if possible else {False})
    open_ones = sum(len(found) == 2 for found in each)
    reached = sums(each)
    ks = [k for k, _ in reached]
    n = len(rows)
    shares = [Fraction(100 * k, n) for k in ks] if n else None
    value = Fraction(0) if n and not open_ones else None
    span = (min(shares), max(shares)) if shares else None
    return Expected(value, 0, n, span, (0, max(ks)), (n, n), open_ones)


def _icans(ward):
    for group, rows in groups_of(ward):
        about = ("ICANS", group, "ICANS")
        listed = [grade for grade in seen(rows, "icans_grade") if grade != "0"]
        for grade in listed:
            yield key(*about, grade), on_record(rows, is_word("icans_grade", grade))

        def is_ungraded(row):
            return row["icans_grade"] == "" and row["icans_day"] != ""

        has_ungraded = any(is_ungraded(row) for row in rows)
        if has_ungraded:
            yield key(*about, "grade not reported"), on_record(rows, is_ungraded)
        if not listed and not has_ungraded:
            yield key(*about), counted(rows, ["icans_grade"], has_icans)


def _stops(ward):
    reasons = {"completed", "severe_reaction", "economic", *seen(ward.rows, "stop_reason")}
    for group, rows in groups_of(ward):
        for reason in sorted(reasons):
            number = counted(rows, ["stop_reason"], is_word("stop_reason", reason))
            yield key("stops", group, "end of cycle 1", reason), number
        if any(row["stop_reason"] == "" for row in ward.rows):
            blank = on_record(rows, is_word("stop_reason", ""), "count")
            yield key("stops", group, "end of cycle 1", "not recorded", statistic="count"), blank
        if group == ALL:
            continue
        pairs = {(row["stop_reason"], row["infusion_days"]) for row in rows}
        for reason, days in sorted(pairs):
            if reason and days:
                number = on_record(
                    rows,
                    lambda row, pair=(reason, days): (row["stop_reason"], row["infusion_days"]) == pair,
                )
                yield key("infusions", group, reason, days), number
