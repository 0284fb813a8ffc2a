"""Every number of the abstract is a claim or is listed as not about patients; none of its sentences is copied."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
SOURCE = PROJECT.parent / "shared" / "source"
REPORT = PROJECT / "data" / "cohorts" / "tianjin2023"
SECTIONS = ("Background", "Methods", "Results", "Conclusions", "Disclosures", "OffLabel Disclosure")
WORDS = {"first": "1", "second": "2", "third": "3"} | {
    word: str(n) for n, word in enumerate(("one", "two", "three", "four", "five", "six", "seven", "eight", "nine"), 1)
}
SUPERSCRIPTS = str.maketrans("¹²³", "123")
# Words that say a number without a numeral, by statement: what they say, each number once per claim that rests on it.
IMPLIED = {
    "Results, 3": {"pancreatitis": ["1"], "infection": ["1"], "endocarditis": ["1"]},
    "Results, 14": {"The patient": ["1"]},
    "Results, 16": {"No": ["0", "0"]},  # neither a severe nor a fatal one
}

pytestmark = pytest.mark.skipif(not SOURCE.is_dir(), reason="the abstract's text is not beside this checkout")


@pytest.fixture(scope="module")
def statements() -> dict[str, str]:
    """The abstract's statements by where they stand: `Results, 4` is the fourth sentence of Results."""
    (file,) = SOURCE.glob("*.txt")
    text = file.read_text(encoding="utf-8")
    text, link, doi = text.partition("<https://doi.org/")
    parts = re.split(rf"^({'|'.join(SECTIONS)})(?::| (?=No relevant))", text, flags=re.MULTILINE)
    found = {"Heading, 1": parts[0], "DOI, 1": doi}
    for section, body in zip(parts[1::2], parts[2::2], strict=True):
        for number, sentence in enumerate(re.split(r"(?<=[.])\s+(?=[*A-Z0-9])", body.strip()), 1):
            found[f"{section}, {number}"] = sentence
    return found


def numbers_in(where: str, statement: str) -> Counter:
    """Numerals and number words of a statement as digits, and what it says without a numeral."""
    found = Counter(re.findall(r"\d+(?:\.\d+)?", statement.translate(SUPERSCRIPTS)))
    found.update(WORDS[w] for w in re.findall(r"[a-z]+", statement.lower()) if w in WORDS)
    for words, numbers in IMPLIED.get(where, {}).items():
        assert re.search(rf"\b{words}\b", statement), f"{where} no longer says {words!r}"
        found.update(numbers)
    return found


def printed_by(claim: dict) -> list[str]:
    equals = claim.get("equals", [])
    limits = [claim[key] for key in ("at_least", "at_most", "above", "below") if key in claim]
    return limits + (equals if isinstance(equals, list) else [equals])


def differences(statements: dict[str, str], claims: list[dict], others: list[dict]) -> dict[str, tuple[dict, dict]]:
    """For each place where they differ: numbers that the abstract has and the files do not, and the reverse."""
    has = {where: numbers_in(where, statement) for where, statement in statements.items()}
    covered: dict[str, Counter] = {}
    for claim in claims:
        covered.setdefault(claim["where"], Counter()).update(printed_by(claim))
    for other in others:
        covered.setdefault(other["where"], Counter())[WORDS.get(other["number"], other["number"])] += 1
    pairs = {where: (has.get(where, Counter()), covered.get(where, Counter())) for where in has | covered}
    return {where: (dict(a - b), dict(b - a)) for where, (a, b) in pairs.items() if a != b}


@pytest.fixture(scope="module")
def claims() -> list[dict]:
    """Those that stand in the abstract as a number; a limit that only its words imply stands nowhere."""
    every = yaml.load((REPORT / "claims.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)["claims"]
    assert all("where" in claim or "equals" not in claim for claim in every)
    return [claim for claim in every if "where" in claim]


@pytest.fixture(scope="module")
def others() -> list[dict]:
    return yaml.load((REPORT / "not-claims.yaml").read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def test_the_abstract_has_three_methods_and_sixteen_results(statements):
    count = Counter(where.split(",")[0] for where in statements)
    assert (count["Background"], count["Methods"], count["Results"], count["Conclusions"]) == (1, 3, 16, 3)
    assert set(count) == {"Heading", *SECTIONS, "DOI"}


def test_each_number_of_the_abstract_is_a_claim_or_is_not_about_patients(statements, claims, others, record_property):
    assert differences(statements, claims, others) == {}
    numbers = sum(sum(numbers_in(*statement).values()) for statement in statements.items())
    record_property("total numbers of the abstract", numbers)
    record_property("total of these that claims cover", sum(len(printed_by(claim)) for claim in claims))


def test_a_claim_or_entry_left_out_is_missed(statements, claims, others):
    for i, claim in enumerate(claims):
        missed, surplus = differences(statements, claims[:i] + claims[i + 1 :], others).pop(claim["where"])
        assert (sorted(Counter(missed).elements()), surplus) == (sorted(printed_by(claim)), {}), claim["id"]
    for i, other in enumerate(others):
        left = differences(statements, claims, others[:i] + others[i + 1 :])
        assert left == {other["where"]: ({WORDS.get(other["number"], other["number"]): 1}, {})}


def test_a_claim_that_prints_another_number_or_stands_elsewhere_is_noticed(statements, claims, others):
    for i, claim in enumerate(claims):
        for key, wrong in (("where", "Results, 99"), ("where", "Methods, 2"), ("equals", "27")):
            changed = [*claims[:i], {**claim, key: wrong}, *claims[i + 1 :]]
            assert claim["where"] in differences(statements, changed, others), (claim["id"], wrong)


def test_a_named_reason_for_intolerance_stands_in_its_statement(statements, claims):
    named = {claim["rows"]["intolerance_reason"] for claim in claims if claim["where"] == "Results, 3"}
    assert named == {word for word in IMPLIED["Results, 3"]}


def test_each_number_that_is_no_claim_has_its_reason(others):
    assert all(set(other) == {"where", "number", "reason"} for other in others)
    assert all(len(other["reason"].split()) >= 3 for other in others)


RUN = 8


def runs_of_words(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z0-9.%]+", text.lower())
    words = [word.strip(".") for word in words]
    return {tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}


def project_texts() -> dict[str, str]:
    """Text files of the project by name; a notebook as the text of its cells, outputs included."""
    places = [PROJECT / "README.md", *(p for top in ("data", "notebooks", "src") for p in (PROJECT / top).rglob("*"))]
    found = {}
    for path in places:
        if path.suffix not in (".md", ".yaml", ".csv", ".py", ".ipynb", ".txt", ".html", ".toml", ".json", ".svg"):
            continue
        if "__pycache__" not in path.parts and ".ipynb_checkpoints" not in path.parts and path.is_file():
            text = path.read_text(encoding="utf-8")
            if path.suffix == ".ipynb":
                text = " ".join(strings_in(json.loads(text)))
            found[str(path.relative_to(PROJECT))] = text
    return found


def strings_in(value) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ["".join(value)]  # the lines of one cell or output
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in strings_in(part)]


def test_no_sentence_of_the_abstract_is_copied(statements):
    theirs = set().union(
        *(runs_of_words(s) for where, s in statements.items() if where not in ("Heading, 1", "DOI, 1"))
    )
    texts = project_texts()
    assert "data/cohorts/tianjin2023/claims.yaml" in texts
    copied = {name: [" ".join(run) for run in runs_of_words(text) & theirs] for name, text in texts.items()}
    assert {name: runs for name, runs in copied.items() if runs} == {}


def test_a_copied_sentence_would_be_noticed(statements):
    sentence = statements["Results, 12"]
    assert runs_of_words(f"# {sentence}\n") & runs_of_words(sentence)
    assert not runs_of_words("The median age of the children was eleven years") & runs_of_words(sentence)
