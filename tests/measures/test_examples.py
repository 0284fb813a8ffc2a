"""The examples in the modules' own documentation hold."""

import doctest
import importlib
import pkgutil

import pytest

import blina.measures

MODULES = [module.name for module in pkgutil.iter_modules(blina.measures.__path__)]
WITH_EXAMPLES = ["language"]  # at least


def examples_of(name: str) -> doctest.TestResults:
    return doctest.testmod(importlib.import_module(f"blina.measures.{name}"))


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name, record_property):
    found = examples_of(name)
    assert found.failed == 0
    record_property("total examples of measures run", found.attempted)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_are_found(name):
    assert examples_of(name).attempted > 0
