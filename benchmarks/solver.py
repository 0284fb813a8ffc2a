"""How long the solver takes on the report's claims: consistency, bounds, conflicts, worlds. Imports are not counted."""

import re
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from blina.claims.bounds import bounds
from blina.claims.consistent import consistent
from blina.claims.document import Document, compile_document, load_claims
from blina.claims.sample import Sampler, write_draws
from blina.linelist.cohort import load_cohort
from blina.yamlfile import parse_yaml

REPEATS = 3
STRICT = {"fc_after": "negative", "pcr_after": ["negative", "not_applicable"]}
QUESTIONS = (
    ("median", {}, "months_from_diagnosis"),
    ("mean", {}, "months_from_diagnosis"),
    ("mean", {"group": "RR"}, "mrd_before_percent"),
    ("mean", {"group": "MC"}, "mrd_before_percent"),
    ("count", {"sex": "female", "bcr_abl1": "yes"}),
    ("count", {"group": "MC", "infusion_days": {"above": "7"}} | STRICT),
    ("percent", {"group": "MC", "infusion_days": {"above": "7"}}, STRICT),
    ("mean", {}, "extra_cycles"),
)
MISPRINTS = (("mc-fever", "9", "19"), ("boys", "16", "15"), ("rr-mrd-median", "8.37", "8.38"), ("n-ic", "3", "4"))


def seconds(what: Callable[[], object]) -> float:
    """Median of some repeats."""
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        what()
        times.append(perf_counter() - start)
    return median(times)


def misprinted(claims: Path, id: str, printed: str, misprint: str) -> Document:
    """The report's document with one printed number changed."""
    text, pattern = claims.read_text(encoding="utf-8"), rf'(id: {id}, .*?equals: )"{re.escape(printed)}"'
    return compile_document(parse_yaml(re.sub(pattern, rf'\g<1>"{misprint}"', text, count=1), claims.name))


def thousand_worlds(document: Document, folder: Path) -> None:
    """Drawn, each rechecked, and written."""
    write_draws(Sampler(document, 1).draws(1000), folder / "worlds.csv")


def main() -> None:
    """Print the table."""
    claims = load_cohort("tianjin2023").claims
    document = load_claims(claims)
    rows = [("the report is consistent (4 rounding modes)", 0.5, seconds(lambda: consistent(document)))]
    for asked in QUESTIONS:
        question = document.question(*asked)
        rows.append((question.words, 0.2, seconds(lambda q=question: bounds(document, q, confirm=False))))
        rows.append(("    confirmed by the second solver", 1.0, seconds(lambda q=question: bounds(document, q))))
    for misprint in MISPRINTS:
        wrong = misprinted(claims, *misprint)
        words = "{}: {} misprinted {}, explained and confirmed".format(*misprint)
        rows.append((words, 3.0, seconds(lambda wrong=wrong: consistent(wrong))))
    with TemporaryDirectory() as folder:
        rows.append(
            (
                "1,000 worlds drawn, rechecked and written",
                10.0,
                seconds(lambda: thousand_worlds(document, Path(folder))),
            )
        )
    width = max(len(words) for words, _, _ in rows)
    print(f"\n{'solver on the report':{width}}  seconds  mark")
    for words, mark, took in rows:
        print(f"{words:{width}}  {took:7.2f}  {mark:4.1f}")


if __name__ == "__main__":
    main()
