"""A fusion gene by its name: how it is written, what it says of BCR::ABL1, and what does not name one."""

import pytest
import yaml
from files import changed, ward, write

from blina.linelist.cohort import load_cohort
from blina.linelist.columns import COLUMNS, GENES
from blina.linelist.convert import How, convert
from blina.linelist.intake import Intake, take_in
from blina.linelist.sheet import Cell
from blina.linelist.tidy import tidy
from blina.linelist.vocabulary import column_of
from blina.measures.author import claims_of

GENE = next(column for column in COLUMNS if column.name == "fusion_gene")
SPELLINGS = {
    "none": "none no negative neg 阴性 无 未检出 阴性(-) No|fusion 无融合基因",
    "BCR::ABL1": "BCR::ABL1 BCR-ABL BCR/ABL1 bcr-abl1 BCR‐ABL(+) BCR-ABL|p190 BCR-ABL1融合基因阳性 Ph+ Ph阳性",
    "ETV6::RUNX1": "ETV6::RUNX1 ETV6-RUNX1 TEL-AML1 TEL/AML1 ETV6/RUNX1融合基因 tel-aml1阳性",
    "TCF3::PBX1": "TCF3-PBX1 E2A-PBX1 E2A/PBX1 E2A-PBX1(+)",
    "KMT2A": "KMT2A MLL KMT2A-r KMT2A-AFF1 MLL-AF4 KMT2A::MLLT3 KMT2A重排 MLL重排阳性 KMT2A|rearranged",
    "another": "another other 其他 其他融合基因 TCF3-HLF P2RY8-CRLF2 TCF3::ZNF384",
}


@pytest.mark.parametrize("gene", SPELLINGS)
def test_a_gene_is_known_as_wards_write_it(gene):
    for text in SPELLINGS[gene].split(" "):
        assert convert(GENE, Cell(text.replace("|", " ")), How()).text == gene, text


@pytest.mark.parametrize(
    "text", ["Ph-", "Ph-like", "BCR-ABL阴性", "t(1;19)", "CRLF2高表达", "ETV6", "E2A", "-", "NA", "1", "0"]
)
def test_what_may_be_another_gene_or_none_is_asked_about(text):
    read = convert(GENE, Cell(text), How())
    assert read.text is None and read.problem


@pytest.mark.parametrize("text", ["yes", "positive", "阳性", "+", "有", "检出", "1"])
def test_that_one_was_found_does_not_say_which(text):
    assert convert(GENE, Cell(text), How()).rule == "gene-named"


def test_that_it_is_not_known_is_a_blank():
    assert convert(GENE, Cell("不详"), How(missing=True)).text == ""


def test_headers_that_name_bcr_abl1_or_ph_do_not_ask_for_another_gene():
    for header in ("BCR-ABL1融合基因", "BCR::ABL1 fusion gene", "Ph", "BCR-ABL positive"):
        assert column_of(header) in ("bcr_abl1", None), header
    assert column_of("BCR-ABL1融合基因") == column_of("Ph") == "bcr_abl1"
    assert column_of("融合基因") == column_of("Fusion gene") == "fusion_gene"


@pytest.fixture
def take(tmp_path, report_rows):
    """Takes in the first eight of the report's rows with a header and cells in the place of BCR-ABL1 or behind."""

    def take(header: str, genes: list[str], beside: bool = False, settings: str = "") -> Intake:
        grid = ward(report_rows[:8], "en")
        column = "T" if beside else "E"
        cells = {f"{column}{row}": text for row, text in enumerate([header, *genes], start=1)}
        (tmp_path / "cohort.yaml").write_text(settings, encoding="utf-8")
        write(tmp_path / "linelist.csv", changed(grid, cells))
        cohort = load_cohort(tmp_path)
        return take_in(cohort.linelist, cohort)

    return take


@pytest.fixture
def carriers(report_rows):
    """Genes that agree with what the report's first eight rows say of BCR::ABL1."""
    others = iter(["none", "TEL-AML1", "E2A-PBX1", "KMT2A重排", "其他", "无", "ETV6-RUNX1", "MLL"])
    return ["BCR-ABL" if row["bcr_abl1"] == "yes" else next(others) for row in report_rows[:8]]


def changes(taken: Intake, what: str) -> dict[str, int]:
    return {change.column: change.count for change in taken.changes if change.what == what}


@pytest.mark.parametrize("header", ["Fusion gene", "融合基因", "fusion_gene"])
def test_bcr_abl1_is_taken_from_the_gene_where_it_has_no_column_and_this_is_told(
    take, carriers, report_rows, tmp_path, header
):
    taken = take(header, carriers)
    assert taken.problems == []
    read = taken.checked().cells()
    assert [*read["bcr_abl1"]] == [row["bcr_abl1"] for row in report_rows[:8]]
    assert {*read["fusion_gene"]} <= {"none", *GENES}
    assert changes(taken, "from the gene") == {"bcr_abl1": 8}
    patients = tidy(taken.checked(), load_cohort(tmp_path)).patients
    assert [*patients.columns].index("fusion_gene") == 10


def test_a_blank_gene_says_nothing_of_bcr_abl1(take, carriers):
    blank = ["", *carriers[1:]]
    (problem,) = take("Fusion gene", blank).problems
    assert (problem.cell, problem.rule) == ("E2", "bcr_abl1-allowed") and "is blank" in problem.advice.en
    read = take("Fusion gene", blank, settings="missing_allowed: [bcr_abl1]\n").checked().cells()
    assert (read["bcr_abl1"][0], read["fusion_gene"][0]) == ("", "")


def test_both_may_stand_and_a_contradiction_is_told(take, carriers):
    assert take("Fusion gene", carriers, beside=True).problems == []
    carrier = carriers.index("BCR-ABL")
    other = next(place for place, gene in enumerate(carriers) if gene != "BCR-ABL")
    wrong = list(carriers)
    wrong[carrier], wrong[other] = "TEL-AML1", "BCR-ABL"
    problems = take("Fusion gene", wrong, beside=True).problems
    assert {(problem.cell, problem.rule) for problem in problems} == {
        (f"E{carrier + 2}", "gene-is-not-bcr-abl1"),
        (f"E{other + 2}", "gene-is-bcr-abl1"),
    }


def test_a_blank_beside_a_gene_is_filled_from_it(take, carriers, report_rows, tmp_path):
    taken = take("Fusion gene", carriers, beside=True)
    grid = ward(report_rows[:8], "en")
    cells = {f"T{row}": text for row, text in enumerate(["Fusion gene", *carriers], start=1)}
    write(tmp_path / "linelist.csv", changed(grid, cells | {"E2": "", "E3": ""}))
    filled = take_in(tmp_path / "linelist.csv", load_cohort(tmp_path))
    assert filled.problems == []
    assert filled.table.cells().equals(taken.table.cells())
    assert changes(filled, "from the gene") == {"bcr_abl1": 2}


@pytest.mark.parametrize("words", [("yes", "no"), ("阳性", "阴性"), ("positive", ""), ("有", "无")])
def test_cells_that_name_no_gene_are_asked_about_once(take, words):
    (problem,) = take("融合基因", [words[0], words[1]] * 4).problems
    assert (problem.cell, problem.rule, problem.column) == ("E1", "gene-named", "fusion_gene")
    assert "name the gene in each cell" in problem.advice.en
    assert "columns: {bcr_abl1: 融合基因}" in problem.advice.en
    assert "columns: {bcr_abl1: 融合基因}" in problem.advice.zh


def test_such_a_column_may_be_said_to_be_that_of_bcr_abl1(take, report_rows):
    words = ["阳性" if row["bcr_abl1"] == "yes" else "阴性" for row in report_rows[:8]]
    taken = take("融合基因", words, settings="columns: {bcr_abl1: 融合基因}\n")
    assert [*taken.checked().cells()["bcr_abl1"]] == [row["bcr_abl1"] for row in report_rows[:8]]
    assert "fusion_gene" not in taken.table.columns


def test_that_none_was_found_is_an_answer(take):
    settings = "missing_allowed: [pcr_before, pcr_after]\n"
    taken = take("融合基因", ["阴性", "无"] * 4, settings=settings)
    assert {*taken.table.cells()["fusion_gene"]} == {"none"}
    assert {*taken.table.cells()["bcr_abl1"]} == {"no"}


def test_one_cell_of_many_that_names_no_gene_is_told_where_it_stands(take, carriers):
    at = carriers.index("BCR-ABL")
    (problem,) = take("融合基因", [*carriers[:at], "阳性", *carriers[at + 1 :]]).problems
    assert (problem.cell, problem.rule) == (f"E{at + 2}", "gene-named")


def test_rules_on_the_gene_are_those_of_line_lists_that_have_its_column(take, carriers, tmp_path):
    """Claims that are written of a line list name no column that it has not got."""
    cohort = load_cohort(tmp_path)
    with_gene = cohort.of_table(take("Fusion gene", carriers).checked())
    without = cohort.of_table(take("height", ["1"] * 8, beside=True).checked())
    of_gene = {"gene-is-bcr-abl1", "gene-is-not-bcr-abl1"}
    assert {rule.id for rule in with_gene.rules} - {rule.id for rule in without.rules} == of_gene
    assert not of_gene & {rule.id for rule in cohort.rules}
    for taken in (take("Fusion gene", carriers), take("height", ["1"] * 8, beside=True)):
        table = taken.checked()
        written = yaml.safe_load(claims_of(table, cohort.of_table(table)))
        assert ("fusion_gene" in written["columns"]) == ("fusion_gene" in table.columns)


def test_a_carrier_of_bcr_abl1_without_a_named_gene_has_that_gene(take):
    intake = take("Fusion gene", ["", "none", "", "", "", "", "", ""], beside=True)
    table = intake.checked()
    carriers = [row for row in range(8) if table.codes["bcr_abl1"][row] == 1]
    gene = table.columns["fusion_gene"]
    named = [gene.text(table.codes["fusion_gene"][row]) for row in carriers]
    assert carriers and named == ["BCR::ABL1"] * len(carriers)
    assert any(change.what == "from BCR::ABL1" for change in intake.changes)
