"""The command `suandian`. Heavy imports wait until a command needs them, so --help answers at once."""

import signal
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cosim.exits import EXIT_MODEL_BROKE, EXIT_PASS, EXIT_VERDICT_FAILS, exit_codes
from cosim.grid_command import grid_app

app = typer.Typer(
    name="suandian",
    help="Does the grid hold while compute load moves? Exit codes: 0 verdict passes, 1 verdict fails, "
    "2 bad input, 3 a model broke.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(grid_app)


def _version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="print the version and exit", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Take what is said before a command."""


ScenarioName = Annotated[str, typer.Argument(help="name of a shipped scenario, or a YAML file")]
RunFolder = Annotated[Path, typer.Argument(help="folder of a run (results/runs/...)")]


@app.command()
def run(
    scenario: ScenarioName,
    out: Annotated[Path, typer.Option(help="folder that receives the run's folder")] = Path("results/runs"),
    seed: Annotated[int | None, typer.Option(help="use this seed instead of the scenario's")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no progress, no tables")] = False,
) -> None:
    """Run a scenario, judge it and write its report."""
    with exit_codes():
        from cosim.assemble import prepare
        from cosim.outcome import judged_run

        plan = prepare(scenario, changes=None if seed is None else {"seed": seed})
        outcome = judged_run(plan, out, progress=not quiet)
        _write_report(outcome.results, outcome.verdict)
        typer.echo(outcome.verdict.summary() if quiet else outcome.verdict.table())
        typer.echo(f"report: {outcome.results.path / 'report.html'}")
    raise typer.Exit(EXIT_PASS if outcome.verdict.passed else EXIT_VERDICT_FAILS)


def _write_report(results: Any, verdict: Any) -> None:
    from cosim.report import write_report

    write_report(results, verdict, results.path / "report.html")


@app.command()
def check(scenario: ScenarioName) -> None:
    """Read and assemble a scenario without running it, and print the plan."""
    with exit_codes():
        from cosim.assemble import prepare

        typer.echo(prepare(scenario).describe())


@app.command()
def validate(
    names: Annotated[
        list[str] | None, typer.Argument(help="grid cases and scenarios; all when empty")
    ] = None,
    junit: Annotated[Path | None, typer.Option(help="write a JUnit XML file")] = None,
    record: Annotated[bool, typer.Option(help="rewrite the expected KPI values, keep tolerances")] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="processes; one for each processor if none")] = None,
) -> None:
    """Check grid cases at every operating point, and compare cases and scenarios with expected numbers."""
    with exit_codes():
        from cosim.validate import validate_all

        if junit is not None:
            junit.touch()  # a place that cannot be written to is told before the work, not after
        outcome = validate_all(names or [], record=record, jobs=jobs)
        outcome.print()
        if junit is not None:
            outcome.write_junit(junit)
    raise typer.Exit(EXIT_PASS if outcome.passed else EXIT_VERDICT_FAILS)


@app.command()
def report(
    folder: RunFolder, limits: Annotated[list[str] | None, typer.Option(help="limit sets")] = None
) -> None:
    """Judge a finished run again and rewrite its report."""
    with exit_codes():
        from cosim.outcome import judge_results
        from cosim.results import load

        results = load(folder)
        verdict = judge_results(results, limits)
        _write_report(results, verdict)
        typer.echo(f"{verdict.summary()}\nreport: {results.path / 'report.html'}")
    raise typer.Exit(EXIT_PASS if verdict.passed else EXIT_VERDICT_FAILS)


@app.command()
def compare(
    folders: Annotated[
        list[Path], typer.Argument(help="folders of two runs or more; the first is compared with")
    ],
    out: Annotated[Path, typer.Option(help="page with the plots laid over each other")] = Path(
        "compare.html"
    ),
) -> None:
    """Put runs side by side: key figures, verdicts, limits that differ, plots."""
    with exit_codes():
        from cosim.compare import read_runs, summary, write_page

        runs = read_runs(folders)
        write_page(runs, out)
        typer.echo(f"{summary(runs)}page: {out}")


@app.command("list")
def list_all(
    what: Annotated[
        Literal["scenarios"] | None, typer.Argument(help="scenarios: with story, grids, length and verdict")
    ] = None,
) -> None:
    """List scenarios, grid cases, components, grid engines, limit sets and KPIs."""
    with exit_codes():
        if what:
            from cosim.stories import stories

            typer.echo(stories())
            return
        from cosim.listing import listing

        typer.echo(listing())


@app.command()
def schema(
    out: Annotated[Path | None, typer.Option(help="write to this file instead of the terminal")] = None,
) -> None:
    """Print the JSON schema of scenario files, from which editors complete."""
    import json

    with exit_codes():
        from cosim.scenario.schema import json_schema

        text = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
        if out is None:
            typer.echo(text, nl=False)
        else:
            out.write_text(text, encoding="utf-8")


@app.command()
def doctor() -> None:
    """Check the installation: versions, who owns the packages, cache, solver, a small run."""
    with exit_codes():
        from cosim.doctor import examine

        findings = examine()
    for finding in findings:
        typer.secho(str(finding), fg=None if finding.good else "red")
    raise typer.Exit(EXIT_PASS if all(f.good for f in findings) else EXIT_MODEL_BROKE)


@app.command()
def version() -> None:
    """Print the version."""
    from cosim import __version__

    typer.echo(__version__)


def main() -> None:
    """Run the command line. SIGTERM, which batch systems send, ends a run as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(app())


if __name__ == "__main__":
    main()
