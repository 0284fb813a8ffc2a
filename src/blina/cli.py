"""The command `blina`. Results go to standard output, messages to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blina.atomic import write_whole
from blina.linelist.cohort import COHORTS, ROOT, Cohort, load_cohort
from blina.linelist.problems import LineListError
from blina.yamlfile import FileError

if TYPE_CHECKING:
    from blina.claims.document import Document

REPORT = "tianjin2023"
HOLDS, FAILS, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def _one_line_errors(command: Callable) -> Callable:
    """A user's mistake ends in one line (or one line per problem) and exit code 2, never in a traceback."""

    @wraps(command)
    def wrapped(*args, **kwargs):
        try:
            return command(*args, **kwargs)
        except (FileError, LineListError) as error:
            click.echo(str(error), err=True)
        except KeyboardInterrupt:
            click.echo("Stopped; nothing was written.", err=True)
            sys.exit(INTERRUPTED)
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
@claims_option
@without_option
@json_option
@_one_line_errors
def consistent(claims_file: Path | None, without: tuple[str, ...], as_json: bool) -> None:
    """Can all claims be true at once, and under which rounding?

    If not: every minimal conflict (claims that cannot all be true, though all but any one of them can), with where each
    stands, and which single printed number, changed, would do. Exit code 0: consistent. 1: contradictory, or not
    decided in time. 2: bad input.
    """
    from blina.claims import consistent as consistency
    from blina.claims.status import Status

    document = _claims(claims_file, without)
    found = consistency.consistent(document)
    if as_json:
        result = {"status": found.status, "conflicts": found.conflicts, "rounding": found.rounding}
        click.echo(json.dumps(result, indent=2))
    else:
        click.echo("\n".join(consistency.explained(document, found)))
    sys.exit(HOLDS if found.status == Status.CONSISTENT else FAILS)


@main.command()
@claims_option
@without_option
@click.option("--statistic", required=True, metavar="S", help="count, percent, median, mean, sd, min, max or range.")
@click.option("--rows", default="{}", metavar="P", help="Whose, as in a claims file: '{group: MC}' (default: all).")
@click.option("--of", metavar="C", help="A number column or, for percent, whom to count: '{sex: female}'.")
@click.option("--denominator", metavar="n|n-1", help="Of an sd (default: n-1).")
@click.option("--worlds", "worlds_file", type=click.Path(path_type=Path), help="Write the worlds at the ends (CSV).")
@json_option
@_one_line_errors
def bounds(
    claims_file: Path | None,
    without: tuple[str, ...],
    statistic: str,
    rows: str,
    of: str | None,
    denominator: str | None,
    worlds_file: Path | None,
    as_json: bool,
) -> None:
    """Least and greatest value of a statistic over all line lists that satisfy the claims.

    Proven means that two solvers of different kinds agree that nothing lies beyond. Exit code 0: found. 1: the claims
    contradict each other, or it was not decided in time. 2: bad input.
    """
    from blina.claims import bounds as solver
    from blina.claims.sample import check_place
    from blina.claims.status import Status
    from blina.claims.worlds import write_worlds
    from blina.yamlfile import parse_yaml

    if worlds_file:
        check_place(worlds_file, (".csv",))
    document = _claims(claims_file, without)
    asked = {
        name: document.question(
            name,
            parse_yaml(rows, "--rows").content,
            None if of is None else parse_yaml(of, "--of").content,
            denominator,
        )
        for name in (("min", "max") if statistic == "range" else (statistic,))
    }
    found = {name: solver.bounds(document, question) for name, question in asked.items()}
    if worlds_file and all(one.attained for one in found.values()):
        write_worlds([world for one in found.values() for world in one.worlds], worlds_file)
        click.echo(f"{worlds_file.name}: a world at the lower end, then one at the upper end.", err=True)
    if as_json:
        results = {name: one.as_json() for name, one in found.items()}
        click.echo(json.dumps(results if len(results) > 1 else results[statistic], indent=2))
    else:
        for one in found.values():
            click.echo(one.said)
    statuses = {one.status for one in found.values()}
    if Status.UNDEFINED in statuses:
        sys.exit(BAD_INPUT)
    sys.exit(FAILS if statuses & {Status.CONTRADICTORY, Status.UNKNOWN} else HOLDS)


@main.command()
@click.argument("linelist", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder for the tidy tables.")
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE.html", help="Write what was found as a page.")
@click.option("--lang", "language", type=click.Choice(["en", "zh"]), default="en", help="Language of messages.")
@click.option("--show-values", is_flag=True, help="Show what stands in the cells concerned: values of patients.")
@_one_line_errors
def ingest(linelist: Path, output: Path, report: Path | None, language: str, show_values: bool) -> None:
    """Read LINELIST (.csv, .tsv, .xlsx, .xpt), check it and write three tidy tables (CSV and Parquet).

    A cohort.yaml beside it says what its headers and words mean. Problems, warnings, what was changed on reading and
    columns that were not used go to standard error. Exit code 0: written. 1: problems found, each listed, nothing
    written. 2: bad input.
    """
    from blina.linelist.explain import Explanation
    from blina.linelist.intake import take_in
    from blina.linelist.tidy import tidy

    cohort = _described(linelist)
    try:
        intake = take_in(linelist, cohort)
    except FileError as error:
        said = error.args[0] if error.args else ""
        raise FileError(said.in_(language) if hasattr(said, "in_") else str(error)) from None
    found = Explanation(intake, language, show_values)
    if report:
        write_whole(report, found.page())
    for line in found.lines():
        click.echo(line, err=True)
    if intake.problems:
        sys.exit(FAILS)
    tables = tidy(intake.table, cohort)
    tables.write(output)
    for name, rows in tables.tables():
        click.echo(f"{name}: {len(rows)} rows")


@main.command()
@claims_option
@without_option
@click.option("-n", "number", type=int, required=True, metavar="N", help="How many worlds.")
@click.option("--seed", type=int, default=0, metavar="K", help="Other seeds give other worlds (default: 0).")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="File to write: .csv or .parquet.")
@json_option
@_one_line_errors
def worlds(
    claims_file: Path | None, without: tuple[str, ...], number: int, seed: int, output: Path, as_json: bool
) -> None:
    """Draw N worlds, line lists that satisfy every claim, and write them to a CSV or Parquet file.

    Exit code 0: written. 1: the claims contradict each other, or that could not be decided in time; nothing written.
    2: bad input. The same worlds for the same claims and seed.
    """
    from math import isfinite

    from blina.claims.document import load_claims
    from blina.claims.sample import Sampler, check_place, write_draws
    from blina.claims.worlds import Contradictory

    if number < 1:
        raise FileError(f"-n {number}: draw at least 1 world")
    check_place(output)
    path = claims_file or COHORTS / REPORT / "claims.yaml"
    document = load_claims(path).without(without)
    if sys.stderr.isatty():
        click.echo("Looking for a fair way to draw; where there is no exact one this can take minutes ...", err=True)
    try:
        sampler = Sampler(document, seed)
        with click.progressbar(sampler.draws(number), number, file=sys.stderr, hidden=not sys.stderr.isatty()) as draws:
            write_draws(draws, output)
        distance, bounds = sampler.distance(), sampler.log10_bounds()
    except Contradictory as error:
        click.echo(f"{path.name}: {error}", err=True)
        sys.exit(FAILS)
    except TimeoutError as error:
        click.echo(f"{path.name}: unknown: {error}", err=True)
        sys.exit(FAILS)
    if as_json:
        r_hat = sampler.r_hat if sampler.r_hat is not None and isfinite(sampler.r_hat) else None
        result = {"worlds": number, "measure": sampler.measure, "exact": sampler.exact,
                  "log10_count": sampler.log10_count, "log10_count_bounds": bounds,
                  "greatest_distance": {"at_least": distance.at_least, "at_most": distance.at_most},
                  "r_hat": r_hat}  # fmt: skip
        click.echo(json.dumps(result, indent=2))
    count = f"10^{sampler.log10_count:.1f}" if bounds is None else "10^{:.1f} to 10^{:.1f}".format(*bounds)
    for line in (f"{output.name}: {number} world{'s' * (number > 1)}, each rechecked.",
                 f"Drawn: {sampler.measure}.",
                 "No draw is a probability about the real patients.",
                 f"Worlds there are, patients told apart: {count}.",
                 f"Greatest distance between two worlds: {distance}, of {document.patients}."):  # fmt: skip
        click.echo(line, err=True)


@main.command("new-cohort")
@click.argument("name")
@click.option("--title", metavar="TEXT", help="Title of its report (default: the name).")
@_one_line_errors
def new_cohort(name: str, title: str | None) -> None:
    """Make cohorts/NAME: a workbook to fill in, a commented cohort.yaml, and a README that says what to do.

    Git ignores the folder. Exit code 0: made. 2: the name cannot be used, or the folder is there already.
    """
    from blina.linelist import template

    for path in template.new_cohort(template.folder_for(name), title or name):
        click.echo(path.relative_to(ROOT).as_posix())


@main.command()
@click.argument("cohort")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE.yaml", help="Write it to a file.")
@_one_line_errors
def claims(cohort: str, output: Path | None) -> None:
    """Print the claims file of COHORT: the numbers of its report, so that anyone can check them.

    `blina check` on it holds. A comment at the top names the numbers about 1 to 4 patients, which may tell who they
    are. Exit code 0: printed. 2: bad input, or something is wrong in the line list.
    """
    from blina.measures.author import write_claims

    text = write_claims(load_cohort(cohort))
    if output:
        write_whole(output, text)
    else:
        click.echo(text, nl=False)


@main.command()
@cohort_option
@click.option("--threshold", type=int, default=5, help="Counts below it, but not 0, are protected (default: 5).")
@click.option("--centre", default="", metavar="LABEL", help="How the receiver knows you (default: no name).")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="Default: build/share/NAME.")
@_one_line_errors
def share(cohort: str, threshold: int, centre: str, output: Path | None) -> None:
    """Write a cohort's counts into a folder that may be sent away: no rows, no figures, small counts suppressed.

    Exit code 0: written. 2: bad input, nothing written.
    """
    from blina.analysis.study import open_study
    from blina.pipeline.steps import HERE, file_name
    from blina.sharing.write import share as write

    study = open_study(cohort)
    for path in write(study, output or HERE.build / "share" / file_name(study.cohort.name), threshold, centre):
        click.echo(HERE.short(path))


@main.command()
@cohort_option
@_one_line_errors
def linelist(cohort: str) -> None:
    """Remake a cohort's line list from its claims (one of the many that satisfy them) and the bounds over all of them.

    The same bytes every time. Takes one to two minutes.
    """
    from blina.analysis.readings import readings_text
    from blina.analysis.study import bounds_of_report
    from blina.atomic import write_whole
    from blina.claims.document import load_claims
    from blina.claims.worlds import Contradictory, spread_world, write_world
    from blina.measures.bounds import bounds_text
    from blina.measures.recorded import READINGS_FILE

    found = load_cohort(cohort)
    if not found.reconstructed or found.seed is None:
        raise FileError(f"{found.name} has no `reconstructed: true` and `seed` in cohort.yaml: its line list is kept")
    document = load_claims(found.claims)
    try:
        world = spread_world(document, found.seed)
    except (Contradictory, TimeoutError) as error:
        raise FileError(f"{found.claims.name}: {error}") from None
    write_world(world, found.linelist)
    click.echo(f"{found.linelist.name}: {len(world)} rows that satisfy every claim. They are not patients.")
    bounds = bounds_of_report(found, document)
    write_whole(found.bounds, bounds_text(bounds))
    spans = bounds.spans.values()
    proven = sum(span.certain for span in spans)
    fixed = sum(span.determined for span in spans)
    click.echo(
        f"{found.bounds.name}: {len(spans)} numbers over all such line lists, {fixed} of them determined; "
        f"bounds of {proven} proven."
    )
    readings = readings_text(found)
    write_whole(found.folder / READINGS_FILE, readings)
    many = len(readings.splitlines()) - 2  # less the stamp and the header
    click.echo(f"{READINGS_FILE}: {many} bounds, with every reading and without each in turn.")


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


def _claims(claims_file: Path | None, without: tuple[str, ...]) -> Document:
    """The claims file named, or the report's own, less what rests on some readings."""
    from blina.claims.document import load_claims

    return load_claims(claims_file or COHORTS / REPORT / "claims.yaml").without(without)


def _readable_cohort(name: str) -> Cohort:
    """The cohort's line list, claims and bounds read once: what is wrong is said here and not by every notebook."""
    from blina.claims.document import load_claims
    from blina.linelist.explain import Explanation
    from blina.linelist.intake import take_in
    from blina.measures.bounds import load_bounds
    from blina.pipeline.steps import HERE, file_name

    cohort = load_cohort(name)
    page = HERE.build / "problems" / f"{file_name(cohort.name)}.html"
    page.unlink(missing_ok=True)  # of an earlier run: what it says may be mended by now
    intake = take_in(cohort.linelist, cohort)
    if intake.problems:
        found = Explanation(intake)
        page.parent.mkdir(parents=True, exist_ok=True)
        write_whole(page, found.page())
        click.echo("\n".join([*found.lines(), f"The same as a page: {HERE.short(page)}."]), err=True)
        sys.exit(BAD_INPUT)
    cohort = cohort.of_table(intake.table)
    if cohort.claims.exists():
        load_claims(cohort.claims)
    load_bounds(cohort)
    counts = {"to look at": intake.warnings, "changed on reading": intake.changes, "not used": intake.set_aside}
    if told := [f"{len(found)} {what}" for what, found in counts.items() if found]:
        click.echo(f"{cohort.linelist.name}: {', '.join(told)}; notebook 01-ingest lists them.", err=True)
    return cohort


def _described(linelist: Path) -> Cohort:
    """The cohort whose line list this file is: as the cohort.yaml beside it says, else one that says nothing."""
    beside = linelist.parent
    described = load_cohort(beside) if (beside / "cohort.yaml").exists() else None
    return (described or Cohort(name=linelist.stem, folder=beside, title=linelist.stem)).model_copy(
        update={"file": linelist.name}
    )


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
