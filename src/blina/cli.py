"""The command `blina`. Results go to standard output, messages to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path

import click

from blina.linelist.cohort import COHORTS, Cohort, load_cohort
from blina.linelist.parse import LineListError
from blina.yamlfile import FileError

REPORT = "tianjin2023"
HOLDS, FAILS, BAD_INPUT = 0, 1, 2


def _one_line_errors(command: Callable) -> Callable:
    """A user's mistake ends in one line (or one line per problem) and exit code 2, never in a traceback."""

    @wraps(command)
    def wrapped(*args, **kwargs):
        try:
            return command(*args, **kwargs)
        except (FileError, LineListError) as error:
            click.echo(str(error), err=True)
        except OSError as error:
            click.echo(f"{Path(error.filename or '').name or 'a file'}: {error.strerror}", err=True)
        sys.exit(BAD_INPUT)

    return wrapped


claims_option = click.option(
    "--claims", "claims_file", type=click.Path(path_type=Path), help="Claims file (default: the report's own)."
)
without_option = click.option(
    "--without", multiple=True, metavar="READING", help="Drop what rests on this reading; may be repeated."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
cohort_option = click.option("--cohort", default=REPORT, metavar="DIR", help="A cohort's folder (default: the report).")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Check, remake and rerun a clinical report from its line list and its printed numbers."""


@main.command()
@click.argument("linelist", type=click.Path(path_type=Path))
@claims_option
@without_option
@json_option
@_one_line_errors
def check(linelist: Path, claims_file: Path | None, without: tuple[str, ...], as_json: bool) -> None:
    """Recompute every claim on LINELIST.

    Exit code 0: all hold. 1: some do not. 2: bad input. Without --claims, the claims.yaml beside the line list is used
    or, where there is none, the report's own.
    """
    from blina.claims.check import check as check_claims
    from blina.claims.check import read_for_claims
    from blina.claims.document import load_claims

    beside, reports_own = linelist.parent / "claims.yaml", COHORTS / REPORT / "claims.yaml"
    document = load_claims(claims_file or (beside if beside.exists() else reports_own)).without(without)
    checked = check_claims(document, read_for_claims(linelist, document))
    if as_json:
        result = {"holds": checked.holds, "rounding": checked.rounding, "surviving_rounding": checked.surviving,
                  "verdicts": [vars(verdict) for verdict in checked.verdicts]}  # fmt: skip
        click.echo(json.dumps(result, indent=2))
    else:
        for verdict in checked.verdicts:
            said = "holds" if verdict.holds else "DOES NOT HOLD"
            where = f" ({verdict.where})" if verdict.where else ""
            stated = "printed" if verdict.kind == "claim" else "stated"
            click.echo(f"{verdict.id}{where}: {stated} {verdict.printed}; recomputed {verdict.recomputed}; {said}")
        every, failing = len(checked.verdicts), sum(not verdict.holds for verdict in checked.verdicts)
        outcome = f"{failing} of {every} do not hold" if failing else "all hold"
        claims, rules = (f"{len(x)} {word}{'s' * (len(x) != 1)}" for x, word in (
            (document.claims, "claim"), (document.rules, "rule")))  # fmt: skip
        counted = f"{claims}, {rules} and the number of patients"
        borrowed = not claims_file and not beside.exists()
        whose = f" The claims are those of {REPORT}; there are none beside {linelist.name}." if borrowed else ""
        click.echo(f"{counted} recomputed (rounding: {checked.rounding}): {outcome}.{whose}", err=True)
    sys.exit(HOLDS if checked.holds else FAILS)


@main.command()
@click.argument("linelist", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder for the tidy tables.")
@_one_line_errors
def ingest(linelist: Path, output: Path) -> None:
    """Read LINELIST, check it and write three tidy tables (CSV and Parquet).

    Exit code 0: written. 1: problems found, each listed, nothing written. 2: bad input.
    """
    from blina.linelist.tidy import tidy
    from blina.linelist.validate import read_line_list

    try:
        table = read_line_list(linelist)
    except LineListError as error:
        click.echo(str(error), err=True)
        found = len(error.problems)
        click.echo(f"{found} problem{'s' * (found > 1)} in {error.file}; nothing was written.", err=True)
        sys.exit(FAILS)
    cohort = load_cohort(linelist.parent) if (linelist.parent / "cohort.yaml").exists() else None
    cohort = cohort or Cohort(name=linelist.stem, folder=linelist.parent, title=linelist.stem)
    tables = tidy(table, cohort)
    tables.write(output)
    for name, rows in tables.tables():
        click.echo(f"{name}: {len(rows)} rows")


@main.command()
@cohort_option
@_one_line_errors
def linelist(cohort: str) -> None:
    """Remake a cohort's line list from its claims: one of the many that satisfy them, the same bytes every time."""
    from blina.claims.document import load_claims
    from blina.claims.worlds import Contradictory, spread_world, write_world, write_worlds

    found = load_cohort(cohort)
    if not found.reconstructed or found.seed is None:
        raise FileError(f"{found.name} has no `reconstructed: true` and `seed` in cohort.yaml: its line list is kept")
    document = load_claims(found.claims)
    try:
        world, *others = [
            spread_world(document, seed, even=seed == found.seed) for seed in (found.seed, *found.other_seeds)
        ]
    except (Contradictory, TimeoutError) as error:
        raise FileError(f"{found.claims.name}: {error}") from None
    write_world(world, found.linelist)
    click.echo(f"{found.linelist.name}: {len(world)} rows that satisfy every claim. They are not patients.")
    if others:
        write_worlds(others, found.worlds)
        click.echo(f"{found.worlds.name}: {len(others)} other line lists that satisfy every claim.")


@main.command()
@cohort_option
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="A notebook's parameter.")
@_one_line_errors
def run(cohort: str, parameters: tuple[str, ...]) -> None:
    """Run every notebook of a cohort's report and publish what they make.

    Exit code 0: published. 1: a step failed, nothing published. 2: bad input, nothing started.
    """
    from blina.pipeline.run import StepFailed
    from blina.pipeline.run import run as run_steps
    from blina.pipeline.steps import PipelineError

    found = _readable_cohort(cohort)
    try:
        click.echo(str(run_steps(found, _assignments(parameters))))
    except StepFailed as error:
        click.echo(str(error), err=True)
        sys.exit(FAILS)
    except PipelineError as error:
        raise FileError(str(error)) from None


@main.command()
@cohort_option
@_one_line_errors
def verify(cohort: str) -> None:
    """Rerun the executed notebooks and compare every cell with what is recorded.

    Exit code 0: all as recorded. 1: something differs, each cell named. 2: bad input.
    """
    from blina.pipeline.steps import PipelineError
    from blina.pipeline.verify import verify as verify_notebooks

    found = _readable_cohort(cohort)
    click.echo(f"Rerunning the executed notebooks of {found.name} and comparing every cell ...", err=True)
    try:
        result = verify_notebooks(found)
    except PipelineError as error:
        raise FileError(str(error)) from None
    click.echo(str(result), err=not result.ok)
    sys.exit(HOLDS if result.ok else FAILS)


def _readable_cohort(name: str) -> Cohort:
    """The cohort, its line list and claims read once: what is wrong is said here and not by every notebook."""
    from blina.claims.document import load_claims
    from blina.linelist.validate import read_line_list

    cohort = load_cohort(name)
    read_line_list(cohort.linelist)
    if cohort.claims.exists():
        load_claims(cohort.claims)
    return cohort


def _assignments(parameters: tuple[str, ...]) -> dict[str, str]:
    """`name=value` texts as a mapping."""
    assigned = {}
    for text in parameters:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise FileError(f"-p {text}: write a parameter as name=value")
        assigned[name] = value
    return assigned


if __name__ == "__main__":
    main()
