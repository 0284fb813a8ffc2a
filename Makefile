# Every target builds the environment it needs in .venv first; a second call costs nothing.
SHELL  := /bin/bash
COHORT ?= data/cohorts/tianjin2023
PYTHON ?= python3
BLINA  := .venv/bin/blina

.DEFAULT_GOAL := help
.PHONY: report test verify share new-cohort bench lab linelist lock clean help

report: .venv/ready  ## rebuild executed notebooks, figures, tables and the page (COHORT=folder for your own patients)
	@$(BLINA) run --cohort "$(COHORT)"

test: .venv/ready  ## run every test, the executed notebooks included
	@.venv/bin/pytest -n 2 --dist worksteal

verify: .venv/ready  ## rerun the executed notebooks and compare every cell
	@$(BLINA) verify --cohort "$(COHORT)"

new-cohort: .venv/ready  ## make the folder cohorts/NAME for your own patients, with an Excel template (NAME=ours)
	@test -n "$(NAME)" || { echo "Say how your cohort is to be called: make new-cohort NAME=ours" >&2; exit 2; }
	@$(BLINA) new-cohort "$(NAME)"

share: .venv/ready  ## write aggregate results that may be sent away (COHORT=folder of your own patients)
	@$(BLINA) share --cohort "$(COHORT)"

bench: .venv/ready  ## measure how long the solver, the report and a million patients take
	@.venv/bin/python benchmarks/solver.py
	@.venv/bin/python benchmarks/report.py
	@.venv/bin/python benchmarks/linelist.py

lab: .venv/ready  ## open the notebooks in JupyterLab
	@.venv/bin/jupyter lab --LabApp.default_url=/lab/tree/notebooks

linelist: .venv/ready  ## remake the report's line list and bounds from its claims (same bytes every time)
	@$(BLINA) linelist --cohort "$(COHORT)"

lock: .venv/ready  ## renew requirements.lock from pyproject.toml
	@.venv/bin/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --upgrade \
	    --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links --quiet -o requirements.lock

clean:  ## remove everything that was made, except the environment and what is committed
	@rm -rf build .pytest_cache .hypothesis .ruff_cache; find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
	@echo "Removed build/ and caches. (rm -rf .venv removes the environment too.)"

help:  ## show this list
	@echo "make TARGET, where TARGET is one of:"
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "blina needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 | tail -n 1). Install one, or name it: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 2; }
	@echo "Building the environment in .venv from requirements.lock (once, under a minute) ..."
	@$(PYTHON) -m venv --clear .venv || { echo "Python could not make a virtual environment; on Debian or Ubuntu: apt-get install python3-venv" >&2; exit 2; }
	@awk '/^uv==/ {on=1} on {print} on && !/\\$$/ {exit}' requirements.lock > .venv/uv.lock
	@.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
	@VIRTUAL_ENV=$(CURDIR)/.venv .venv/bin/uv pip sync --quiet --require-hashes requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/.venv .venv/bin/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch .venv/ready
