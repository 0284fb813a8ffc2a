"""The report's claims, and a second opinion on them that shares no code with the package."""

import importlib.util
import sys
from pathlib import Path

import pytest

from blina.claims.check import read_for_claims
from blina.claims.document import Document, compile_document, load_claims
from blina.linelist.table import Table
from blina.yamlfile import parse_yaml

# Test folders are no packages (import mode importlib), so helpers are loaded by path.
for _name in ("independent", "per_patient"):
    _spec = importlib.util.spec_from_file_location(_name, Path(__file__).with_name(f"{_name}.py"))
    sys.modules[_name] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules[_name])


@pytest.fixture(scope="session")
def second_opinion(report_folder):
    return sys.modules["independent"].SecondOpinion(report_folder / "claims.yaml")


@pytest.fixture(scope="session")
def report_claims(report_folder) -> Document:
    return load_claims(report_folder / "claims.yaml")


@pytest.fixture(scope="session")
def report_table(report_folder, report_claims) -> Table:
    return read_for_claims(report_folder / "linelist.csv", report_claims)


@pytest.fixture(scope="session")
def document():
    """Makes the document of a claims text."""
    return lambda text: compile_document(parse_yaml(text, "toy.yaml"))
