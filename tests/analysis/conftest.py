"""The made-up report cohort, once per session."""

import importlib.util
import sys
from pathlib import Path

import pytest

# Test folders are no packages (import mode importlib), so the shared tables are loaded by path.
_spec = importlib.util.spec_from_file_location("tables", Path(__file__).with_name("tables.py"))
tables = sys.modules["tables"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tables)


@pytest.fixture(scope="session")
def report():
    return tables.report()
