"""Modules that tests of measures share, loaded by path: test folders are no packages."""

import importlib.util
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SHARED = {"tables": HERE.parent / "analysis" / "tables.py", "recount": HERE / "recount.py"}

for name, path in SHARED.items():
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])


@pytest.fixture(scope="session")
def report():
    """28 made-up patients for whom every printed number holds."""
    return sys.modules["tables"].report()
