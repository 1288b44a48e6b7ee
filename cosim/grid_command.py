"""The commands `suandian grid ...`: start, import, show, check and export grid cases."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cosim.exits import EXIT_PASS, EXIT_VERDICT_FAILS, exit_codes

grid_app = typer.Typer(
    name="grid",
    help="Start, import, show, check, export grid cases. Exit codes: 0 sound, 1 a check fails, 2 bad input.",
    no_args_is_help=True,
)

CaseName = Annotated[str, typer.Argument(help="name of a shipped case, a case folder, or a pandapower net")]
Point = Annotated[str | None, typer.Option(help="operating point instead of the case's default")]


class Target(StrEnum):
    """Programs a case can be written for."""

    ANDES = "andes"
    PANDAPOWER = "pandapower"


@grid_app.command("import")
def import_(
    files: Annotated[
        list[str],
        typer.Argument(
            help="PSS/E .raw [.dyr], PSD-BPA .dat [.swi], MATPOWER .m, UCTE .uct, CGMES .zip, .xml, folder, "
            "or a pandapower .json/.xlsx"
        ),
    ],
    out: Annotated[Path, typer.Option(help="new folder that receives the case")],
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="put documented substitutes for models we do not have, list what is left out"
        ),
    ] = False,
    f_hz: Annotated[
        float | None, typer.Option(help="nominal frequency, for formats without one (MATPOWER, PSD-BPA)")
    ] = None,
) -> None:
    """Write a case folder from files of another program."""
    with exit_codes():
        from grids.formats.importing import import_case

        typer.echo(import_case(files, out, replace=replace, f_hz=f_hz))


@grid_app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="new folder that receives the case; its name is the case's")],
    template: Annotated[
        str,
        typer.Option("--from", help="case to start from, by name or folder; default: a small invented one"),
    ] = "",
) -> None:
    """Write the tables of a province that runs, to be replaced row by row, and a page on their columns."""
    with exit_codes():
        from grids.skeleton import new_case

        typer.echo(new_case(folder, template))


@grid_app.command()
def show(
    name: CaseName,
    point: Annotated[str | None, typer.Option(help="one operating point instead of all")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="numbers for programs instead of tables")] = False,
) -> None:
    """Print totals of each operating point, capacity, levels, evidence, plants, links, ties and points."""
    import json

    with exit_codes():
        from cosim.grid_tables import print_inventory
        from grids.inventory import inventory

        found = inventory(name, point)
        if as_json:
            typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        else:
            print_inventory(found)


@grid_app.command("map")
def map_(
    name: CaseName,
    point: Point = None,
    out: Annotated[
        Path | None, typer.Option(help="HTML file to write; default: <case>_map.html here")
    ] = None,
) -> None:
    """Write a map of a case at one operating point: one HTML page that needs no network."""
    with exit_codes():
        from cosim.core.errors import SolveError
        from cosim.report.grid_map import write_map
        from grids.checks.base import solve_point
        from grids.inventory import points_of
        from grids.portrayal import open_case

        shown = points_of(name, point)[0]
        case, tables = open_case(name, shown), None
        try:
            tables = solve_point(name, shown).tables
        except SolveError as error:
            typer.secho(f"without voltages and loadings: {error}", fg="yellow", err=True)
        page = out or Path(f"{case.name}_map.html")
        for remark in write_map(case, page, tables):
            typer.secho(f"{case.name}: {remark}", fg="yellow", err=True)
        typer.echo(f"{page}: {len(case.net.bus)} buses of {case.name}")


@grid_app.command()
def check(
    name: CaseName,
    point: Point = None,
    step_s: Annotated[float, typer.Option(help="inner step of the dynamics that is checked")] = 0.005,
) -> None:
    """Solve the power flow, look at limits, losses, faults and inertia, and start the dynamics."""
    with exit_codes():
        from grids.checks.finding import State
        from grids.checks.run import check_beyond
        from grids.examination import examine
        from grids.portrayal import open_case

        findings = examine(open_case(name, point), step_s)
        said = [(str(finding), finding.good) for finding in findings]
        if findings[0].good:  # the power flow has a solution
            said += [(str(f), f.state is not State.BAD) for f in check_beyond(name, point)]
        for text, good in said:
            typer.secho(text, fg=None if good else "red")
    raise typer.Exit(EXIT_PASS if all(good for _, good in said) else EXIT_VERDICT_FAILS)


@grid_app.command()
def outages(
    name: CaseName,
    point: Point = None,
    least_kv: Annotated[float, typer.Option(help="lowest voltage of the branches that are lost")] = 500.0,
) -> None:
    """Print what is left after the loss of each branch and each pole of a direct-current link (CSV)."""
    with exit_codes():
        from grids.checks.consequence import write_csv
        from grids.checks.run import all_outages

        found = all_outages(name, point, least_kv)
        typer.echo(write_csv(found), nl=False)
    raise typer.Exit(EXIT_VERDICT_FAILS if any(one.unacceptable() for one in found) else EXIT_PASS)


@grid_app.command()
def export(
    name: CaseName,
    to: Annotated[Target, typer.Option(help="program that shall read it")],
    out: Annotated[Path, typer.Option(help="file to write: .json, or .xlsx for ANDES")],
    point: Point = None,
) -> None:
    """Write a case for another program, dynamic models included."""
    with exit_codes():
        from grids.portrayal import open_case

        case = open_case(name, point)
        remarks: list[str] = []
        if to is Target.ANDES:
            from grids.formats.andes import write_andes

            remarks = write_andes(case, out)
        else:
            from grids.formats.pandapower_net import write_pandapower

            write_pandapower(case, out)
        for remark in remarks:
            typer.secho(f"differs: {remark}", fg="yellow", err=True)
        typer.echo(f"{out}: {len(case.net.bus)} buses of {case.name}")
