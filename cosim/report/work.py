"""The section on work that moves: flows, map, both ends on one time axis, plots of the sites."""

from typing import TYPE_CHECKING, Any

from cosim.kpi.panel import tables_with
from cosim.kpi.places import unit_points
from cosim.report.figure import Axis, Figure, lines_of, symbol
from cosim.report.jobs import jobs_table
from cosim.report.moves import Trip, flows
from cosim.report.series import Pool
from cosim.report.work_map import halls_of, number_of_units, site_tables, work_map
from cosim.report.work_tables import (
    guard_table,
    latency_bounds,
    services_table,
    sites_table,
    trips_table,
)
from cosim.verdict.text import number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cosim.results import Results

WORK_TITLE = "Work that moves"
MOST_UNITS = 8
"""Units in the plots of both ends; of more those whose power moves most."""

WORK = (
    ("service_gpu", "answers"),
    ("job_gpu", "jobs"),
    ("overhead_gpu", "loading"),
    ("double_gpu", "at both ends"),
)
OTHER_FIGURES = (
    ("running_count", "Jobs on each site"),
    ("waiting_count", "Jobs that wait, by where their data lie"),
    ("sent_gbit_per_s", "Data of jobs and sessions sent"),
    ("tokens_per_s", "Tokens written"),
    ("unanswered_gpu", "Requests lost, as work"),
    ("requests_waiting_gpu_h", "Requests that wait, as work"),
    ("ask_mw", "Power that waits for leave"),
    ("score_pu", "What the policy thinks of each site, lower is better"),
)


def has_work(results: "Results") -> bool:
    """Return whether anything in a run can move: sites or hand-overs."""
    return bool(site_tables(results) or tables_with(results, "moved_pu"))


def work_figures(results: "Results") -> list[Figure]:
    """Return plots of what sites do, hold and send."""
    figures = []
    for table in site_tables(results):
        columns = results.columns(table)
        for name in results.elements(table):
            lines = [
                line
                for column, label in WORK
                if column in columns
                for line in lines_of(results, table, column, [name], label=label)
            ]
            figures.append(Figure(f"{name}: what its accelerators do", "GPU", lines, floor=0.0))
        for column, title in OTHER_FIGURES:
            if column in columns:
                figures.append(Figure(title, symbol(column), lines_of(results, table, column)))
        if "latency_ms" in columns:
            title = "Longest network latency of what each site answers"
            figures.append(_latency(results, table, "latency_ms", title))
    if "service" in results.tables:
        title = "Mean network latency of what is answered, by service"
        figures.append(_latency(results, "service", "latency_mean_ms", title))
    return figures


def shown_columns(results: "Results") -> set[tuple[str, str]]:
    """Return what these plots show of the results."""
    drawn = {column for column, _ in (*WORK, *OTHER_FIGURES)} | {"latency_ms"}
    return {(table, column) for table in site_tables(results) for column in drawn}


def ends_on_one_axis(results: "Results") -> list[Figure]:
    """Return power, voltage, frequency and data, to be drawn below each other on one time axis."""
    if "point" not in results.tables or not has_work(results):
        return []
    halls = [hall for hall in halls_of(results).values() if hall in results.elements("point")]
    units = list(dict.fromkeys(halls)) or list(results.elements("point"))
    power = results.series("point", "p_mw")[units]
    moved = (power.max() - power.min()).sort_values(ascending=False, kind="stable")
    units = [unit for unit in units if unit in set(moved.index[:MOST_UNITS])]
    points = unit_points(results)
    panels = [Figure("Power drawn", "MW", lines_of(results, "point", "p_mw", units))]
    voltage = lines_of(results, "point", "vm_pu", units)
    for line in voltage:
        where = points.get(line.name, "")
        line.name = f"{line.name}, at {where}" if where else line.name
    colours = number_of_units(results)
    for place, unit in enumerate(units):
        panels[0].lines[place].colour = voltage[place].colour = colours.get(unit)
        voltage[place].dash = "dot"
    panels.append(Figure("Voltage", "pu", voltage))
    if "area" in results.tables:
        frequency = lines_of(results, "area", "f_hz")
        for line in frequency:
            line.name = f"frequency, {line.name}"
        panels.append(Figure("Frequency", "Hz", frequency))
    for table in site_tables(results):
        sent = Figure("Data sent", "Gbit/s", lines_of(results, table, "sent_gbit_per_s"))
        for line in sent.lines:
            line.colour, line.dash = colours.get(line.name), "dash"
            line.name = f"{line.name} sends"
        panels += [] if sent.zero else [sent]
    return panels


def work_data(results: "Results", pool: Pool, axis: Axis, found: "Sequence[Trip]") -> dict[str, Any]:
    """Return what the script of the section draws."""
    return {
        "flows": flows(list(found)),
        "map": work_map(results, pool, found),
        "panels": [panel.packed(pool, axis) for panel in ends_on_one_axis(results)],
    }


def work_html(results: "Results", data: dict[str, Any], found: "Sequence[Trip]") -> str:
    """Return the section before its plots: drawings of the script, then tables."""
    parts = ['<div class="grid">']
    if data["map"] is not None:
        parts.append(_MAP)
    if data["flows"]:
        wide = "" if data["map"] is not None else " wide"
        parts.append(
            f'<figure class="plot{wide}"><figcaption>Work between sites, by accelerators</figcaption>'
            '<div id="workflows" class="workview"></div><p id="workoutcomes" class="note"></p></figure>'
        )
    if data["panels"]:
        parts.append(
            '<figure class="plot wide"><figcaption>Both ends and the grid on one time axis</figcaption>'
            '<div id="workpanels"></div></figure>'
        )
    parts.append("</div>")
    parts += [
        sites_table(results),
        jobs_table(results),
        services_table(results),
        trips_table(results, found),
        guard_table(results),
    ]
    return "".join(parts)


_MAP = (
    '<figure class="plot"><figcaption>Sites and what travels<small id="worktime"></small></figcaption>'
    '<div class="player"><button id="workplay" type="button" aria-label="play">▶</button>'
    '<input id="workslider" type="range" min="0" value="0" aria-label="time of the map of sites"></div>'
    '<svg id="workmap" class="workview" role="img" aria-label="map of sites"></svg>'
    '<p class="note">Discs: power drawn. Arcs: work under way, thin: what came.</p></figure>'
)


def _latency(results: "Results", table: str, column: str, title: str) -> Figure:
    """Return latencies with the bounds of all services."""
    limits = [
        {"y": bound, "side": "high", "severity": "fail", "text": f"{number(bound)} ms, bound of {name}"}
        for name, bound in latency_bounds(results).items()
    ]
    return Figure(title, "ms", lines_of(results, table, column), limits, floor=0.0)
