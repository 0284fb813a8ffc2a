"""The example claims files and the one of the README: what is said of them is what comes out."""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from blina.claims.bounds import bounds
from blina.claims.check import check
from blina.claims.consistent import consistent
from blina.claims.document import Document, compile_document, load_claims
from blina.claims.statistics import STATISTICS
from blina.cli import main
from blina.linelist.columns import Column
from blina.linelist.predicate import LIMITS, compile_predicate
from blina.yamlfile import parse_yaml

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
FILES = sorted(EXAMPLES.glob("*/*.yaml"))


def example(name: str, without: tuple[str, ...] = ()) -> Document:
    return load_claims(EXAMPLES / name).without(without)


def number(document: Document, *question) -> tuple[str, str, str]:
    found = bounds(document, document.question(*question))
    return (*found.text(), found.status)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_an_example_is_short_says_what_it_is_and_is_listed(path):
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert len(text.splitlines()) <= 35
    assert f"`{path.relative_to(EXAMPLES).as_posix()}`" in (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert load_claims(path).source.doi or "Invented" in text


def test_every_example_that_is_listed_is_there():
    listed = re.findall(r"^\| `(\S+)`", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.M)
    assert sorted(listed) == [path.relative_to(EXAMPLES).as_posix() for path in FILES]
    assert len(FILES) == 4


# Seven people of a census block (Garfinkel, Abowd and Martindale 2018)

ONLY_BLOCK = "8FBS 18MWS 24FWS 30MWM 36FBM 66FBM 84MBM"


def test_the_census_block_takes_25_lines_and_28_claims():
    text = (EXAMPLES / "census7/claims.yaml").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 25
    assert len(example("census7/claims.yaml").claims) == 28


def test_the_census_block_is_found_and_each_of_its_people_is_in_every_world():
    made = example("census7/claims.yaml")
    found = consistent(made)
    assert found.status == "consistent"
    assert check(made, found.world).holds
    cells = found.world.cells()
    sex, race = (cells[column].str[0].str.upper() for column in ("sex", "race"))
    people = cells["age"] + sex + race + cells["married"].map({"yes": "M", "no": "S"})
    assert " ".join(sorted(people, key=lambda person: int(person[:-3]))) == ONLY_BLOCK
    for person in cells.to_dict("records"):
        rows = {name: person[name] for name in made.columns}
        assert bounds(made, made.question("count", rows), confirm=False).lower == 1
    assert number(made, "max", {"sex": "female"}, "age") == ("66", "66", "proven")


def test_the_census_block_is_not_the_only_one_where_means_lose_their_decimal():
    text = (EXAMPLES / "census7/claims.yaml").read_text(encoding="utf-8")
    assert text.count('.0"') == 4
    made = compile_document(parse_yaml(text.replace('.0"', '"'), "census"))
    ages = [bounds(made, made.question("count", {"age": age}), confirm=False).lower for age in ("24", "36", "66")]
    assert 0 in ages


# A published report (Beneduce and others 2022)


def test_the_patients_of_the_published_report_fit_and_give_the_counts_behind_its_percentages():
    made = example("beneduce2022/patients.yaml")
    assert consistent(made).status == "consistent"
    assert number(made, "count", {"cr": "yes"}) == ("6", "6", "proven")
    assert number(made, "count", {"mrd_negative": "yes"}) == ("21", "21", "proven")
    assert number(made, "count", {"blasts": "at_least_5", "adverse_event": "yes"}) == ("0", "13", "proven")


def test_the_events_of_the_published_report_do_not_fit_if_each_has_a_grade():
    found = consistent(example("beneduce2022/events.yaml"))
    assert found.status == "contradictory"
    assert [set(conflict) for conflict in found.conflicts] == [{"mild", "severe-pct"}]
    assert {(repair.claim, repair.instead) for repair in found.repairs} == {("mild", "30"), ("severe-pct", "41.3")}


def test_without_that_reading_they_fit_and_exactly_three_events_have_no_grade():
    made = example("beneduce2022/events.yaml", without=("R1",))
    assert consistent(made).status == "consistent"
    assert number(made, "count", {"grade": ""}) == ("3", "3", "proven")
    assert number(made, "count", {"grade": {"at_least": "3"}}) == ("16", "16", "proven")
    assert number(made, "count", {"grade": {"at_least": "3"}, "neurological": "yes"}) == ("0", "16", "proven")


def test_each_number_of_the_published_report_says_where_it_stands():
    for name in ("patients", "events"):
        said = yaml.safe_load((EXAMPLES / f"beneduce2022/{name}.yaml").read_text(encoding="utf-8"))
        assert said["source"]["doi"] == "10.3390/cancers14020426"
        assert all(claim["where"] in ("Abstract", "Simple summary") for claim in said["claims"])


# An invented questionnaire


def test_the_questionnaires_mean_and_sd_are_possible_each_but_not_together():
    made = example("likert20/claims.yaml")
    found = consistent(made)
    assert found.status == "contradictory"
    assert [set(conflict) for conflict in found.conflicts] == [{"mean", "sd"}]  # so each alone is possible
    assert {(repair.claim, repair.instead) for repair in found.repairs} >= {("sd", "1.19"), ("sd", "1.23")}


@pytest.mark.parametrize(
    "mean, sd, possible",
    [("3.45", "1.19", True), ("3.45", "1.23", True), ("3.45", "1.20", False), ("3.44", "1.19", False),
     ("1.00", "0.00", True), ("3.00", "2.05", True), ("3.00", "2.06", False)],
)  # fmt: skip
def test_the_questionnaires_other_numbers_are_told_apart_as_by_enumeration(mean, sd, possible):
    """Answers enter by their sum and sum of squares alone, so every multiset of 20 answers is tried here."""
    text = (EXAMPLES / "likert20/claims.yaml").read_text(encoding="utf-8")
    changed = text.replace('"3.45"', f'"{mean}"').replace('"1.21"', f'"{sd}"')
    status = consistent(compile_document(parse_yaml(changed, "likert"))).status
    assert status == ("consistent" if possible else "contradictory")
    assert possible is any(
        f"{total / 20:.2f}" == mean and f"{((squares - total**2 / 20) / 19) ** 0.5:.2f}" == sd
        for total, squares in _sums(20)
    )


def _sums(answers: int) -> set[tuple[int, int]]:
    """(sum, sum of squares) of every choice of so many answers from 1 to 5."""
    sums = {(0, 0)}
    for _ in range(answers):
        sums = {(total + answer, squares + answer**2) for total, squares in sums for answer in range(1, 6)}
    return sums


# The README


@pytest.fixture(scope="module")
def section() -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.split("\n## Check another report\n")[1].split("\n## ")[0]


@pytest.fixture(scope="module")
def toy(section) -> str:
    (found,) = re.findall(r"```yaml\n(.*?)```", section, re.S)
    return found


def test_the_readmes_file_is_tiny_and_whole(toy):
    assert len(toy.splitlines()) <= 14
    assert compile_document(parse_yaml(toy, "toy.yaml")).patients == 9


def test_the_readmes_commands_print_what_stands_beside_them(section, toy):
    made = compile_document(parse_yaml(toy, "toy.yaml"))
    (commands,) = re.findall(r"```sh\n(.*?)```", section, re.S)
    told = [line.split("#") for line in commands.splitlines()]
    asked = [(shlex.split(command), said.strip()) for command, said in told]
    assert [words[:2] for words, _ in asked] == [
        [".venv/bin/blina", name] for name in ("consistent", "bounds", "bounds", "worlds", "check")
    ]
    for words, said in asked:
        options = dict(zip(words[2::2], words[3::2], strict=False))
        if words[1] == "consistent":
            assert consistent(made).status == said
        if words[1] == "bounds":
            rows = yaml.load(options.get("--rows", "{}"), Loader=yaml.BaseLoader)
            low, high, status = number(made, options["--statistic"], rows, options.get("--of"))
            assert (f"{low} to {high}", status) == (said, "proven")


def test_the_readmes_worlds_are_drawn_and_fit_as_it_says(toy, tmp_path):
    claims, drawn, one = (tmp_path / name for name in ("toy.yaml", "worlds.csv", "linelist.csv"))
    claims.write_text(toy, encoding="utf-8")
    done = CliRunner().invoke(main, ["worlds", "--claims", str(claims), "-n", "100", "-o", str(drawn)])
    header, *rows = drawn.read_text(encoding="utf-8").splitlines()
    assert (done.exit_code, len(rows)) == (0, 100 * 9)
    one.write_text("\n".join([header, *rows[:9]]), encoding="utf-8")
    done = CliRunner().invoke(main, ["check", str(one), "--claims", str(claims)])
    assert (done.exit_code, "all hold" in done.stderr) == (0, True)


def test_the_readmes_conflict_is_the_one_that_it_names(section, toy):
    assert toy.count('response: yes}, equals: "3"') == 1
    found = consistent(compile_document(parse_yaml(toy.replace('yes}, equals: "3"', 'yes}, equals: "1"'), "toy.yaml")))
    (conflict,) = found.conflicts
    said = section.split("**Conflicts.**")[1]
    assert set(conflict) == {"girls", "responders", "boys-responding"} <= set(re.findall(r"`([a-z-]+)`", said))
    assert ("boys-responding", "1", "2") in [(r.claim, r.printed, r.instead) for r in found.repairs]
    assert '`"2"` for `"1"`' in " ".join(said.split())


def test_the_readme_lists_every_statistic_and_only_predicates_that_can_be_written(section):
    statistics, predicates = re.findall(r"\n\|[-|]+\|\n((?:\|.*\n)+)", section)
    cells = "".join(row.split("|")[1] for row in statistics.splitlines())
    assert set(re.findall(r"`(\w+)`", cells)) == set(STATISTICS)
    columns = {
        "sex": Column("sex", "category", ("female", "male")),
        "response": Column("response", "boolean"),
        "group": Column("group", "category", ("MC", "IC", "RR")),
        "age": Column("age", "integer", min="0", max="18"),
        "mrd": Column("mrd", "decimal", min="0", max="100", step="0.01", blank=True),
    }
    written = re.findall(r"^\| `(\{.*\})` \|", predicates, re.M)
    assert len(written) == 6
    for text in written:
        compile_predicate(yaml.load(text, Loader=yaml.BaseLoader), columns)
    assert all(f"`{limit}`" in section for limit in LIMITS)
