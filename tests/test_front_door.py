"""The front door: one lock for everybody, an environment that builds itself, nothing of a machine in the project."""

import os
import re
import subprocess
import sys
import tomllib

import pytest
import yaml

from blina.claims.document import load_claims
from blina.linelist.cohort import ROOT
from blina.linelist.columns import COLUMNS

LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
PINNED = dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", LOCK, re.M))


def tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).exists()]


def test_the_lock_pins_everything_that_the_project_asks_for_with_hashes():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    names = {re.match(r"[A-Za-z0-9._-]+", one)[0].lower() for one in asked}
    assert names <= set(PINNED)
    for pin in re.split(r"\n(?=\S)", LOCK):
        assert "--hash=sha256:" in pin, pin


def test_the_lock_names_no_registry():
    assert "://" not in LOCK and "index-url" not in LOCK and "find-links" not in LOCK


def test_conda_and_binder_get_the_same_pins():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    conda, pip = environment["dependencies"][:-1], environment["dependencies"][-1]["pip"]
    assert pip == ["-r requirements.lock"]
    assert all(re.fullmatch(r"python=3\.11|pip", one) for one in conda)
    assert "pip install" in (ROOT / "postBuild").read_text(encoding="utf-8")


def test_notebooks_ask_for_the_kernel_that_every_environment_has():
    for path in (ROOT / "notebooks").rglob("*.ipynb"):
        if ".ipynb_checkpoints" not in path.parts:
            assert '"name": "python3"' in path.read_text(encoding="utf-8"), path.name


def test_nothing_of_a_machine_or_a_secret_is_in_the_project():
    machine = re.compile(
        rb"/(?:root|home/(?!ward\b)\w+|work|Users/\w+)/[\w.]|/tmp/\w|BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}"
    )
    found = [path.relative_to(ROOT).as_posix() for path in tracked()
             if path != ROOT / "tests" / "test_front_door.py" and machine.search(path.read_bytes())]  # fmt: skip
    assert found == []


def test_make_help_says_what_every_target_does():
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("report", "test", "verify", "lab", "linelist", "bench", "clean", "help"):
        assert re.search(rf"^  {target} +\w", said, re.M), target


@pytest.mark.parametrize("script", ["#!/bin/sh\n[ \"$1\" = --version ] && echo 'Python 3.9.2'; exit 1\n", None])
def test_a_missing_or_too_old_python_gets_one_clear_line(tmp_path, script):
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    python = tmp_path / "python"
    if script:
        python.write_text(script)
        python.chmod(0o755)
    # Not as a part of the `make test` that may be running this.
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "report", f"PYTHON={python}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=outside)
    said = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    assert done.returncode != 0 and len(said) == 1
    assert "needs Python 3.11" in said[0] and ("3.9.2" in said[0] or not script)
    assert not (tmp_path / ".venv").exists()


def test_the_code_is_clean():
    for command in (["check"], ["format", "--check"]):
        places = [str(ROOT / place) for place in ("src", "tests", "benchmarks")]
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *places], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


def test_the_data_dictionary_of_the_readme_is_the_declaration():
    readme = (ROOT / "data" / "cohorts" / "tianjin2023" / "README.md").read_text(encoding="utf-8")
    narrower = load_claims(ROOT / "data" / "cohorts" / "tianjin2023" / "claims.yaml").columns
    for column in COLUMNS:
        allowed = narrower.get(column.name, column).allowed
        written = f"| {column.name} | {allowed} | {column.meaning} |" in readme
        assert written != column.optional, column.name
    assert "are not patients" in readme.splitlines()[0]
