"""The tables of an exchange, with one set of columns whichever engine ran it."""

from collections.abc import Mapping

import numpy as np

from cosim.core.component import DeviceReport
from cosim.core.grid import Connections, Tables
from cosim.core.types import Floats
from grids.inside import Inside
from grids.links.links import LINK
from grids.rms_run import RmsRun
from grids.tables import GRID

MEASURED = ("p_mw", "q_mvar")
"""Signals of a report that are read off the network for every model."""

Reports = Mapping[str, tuple[DeviceReport | None, ...]]
"""Input port -> report of each unit."""


def reports_of(connections: Connections) -> Reports:
    """Return who reports what."""
    offers = [offer for offer in connections.hosted if offer is not None]
    ports = dict.fromkeys(port for offer in offers for port in offer.reports)
    return {
        port: tuple(None if offer is None else offer.reports.get(port) for offer in connections.hosted)
        for port in ports
    }


def flow_tables(tables: Tables, reports: Reports) -> Tables:
    """Return the power flow's tables with the columns only the dynamic model fills: nan, devices at rest."""
    point = dict(tables["point"])
    for port, told in reports.items():
        point[port] = np.array([np.nan if r is None else _rest(point, k, r) for k, r in enumerate(told)])
    nothing = np.full(tables["gen"]["p_mw"].size, np.nan)
    gen = {**tables["gen"], "delta_degree": nothing, "speed_pu": nothing}
    return {**tables, "gen": gen, "point": point}


def _rest(point: Mapping[str, Floats], k: int, report: DeviceReport) -> float:
    if report.signal in MEASURED:
        return float(point[report.signal][k]) * report.scale
    return report.rest


def dynamic_tables(
    run: RmsRun, inside: Inside, flow_area: Mapping[str, Floats], reports: Reports, dt_s: float
) -> Tables:
    """Return the tables of the dynamic model at the end of an exchange.

    Parameters
    ----------
    run
        The session and what drives it.
    inside
        The power flow beside it.
    flow_area
        Area table of that power flow: imbalance and AGC are counted there.
    reports
        What devices report.
    dt_s
        Length of the exchange.
    """
    reader, sources = run.reader, inside.state.sources
    f_nominal_hz = inside.response.f_nominal_hz
    gen = reader.sources(run.planned_mw(), (run.f_start_hz / f_nominal_hz)[inside.row_area[sources.row]])
    totals = {
        "converged_pu": 1.0,
        "iterations_count": float(run.solves_count()),
        **reader.totals(),
        "slack_mw": float(gen["p_mw"] @ sources.reference),
        "slack_residual_mw": 0.0,
    }
    response_mw, energy_mws = run.devices.droop_mw()
    links = inside.links
    return {
        **(
            {}
            if links is None
            else {"link": dict(zip(LINK, links.measured(reader.drawn_mw(links.ends.at)), strict=True))}
        ),
        "bus": reader.buses(),
        **reader.branches(),
        "gen": gen,
        "area": _areas(run, inside, flow_area, response_mw),
        "grid": {name: np.array([totals[name]]) for name in GRID},
        "point": _points(run, inside, reports, energy_mws / dt_s),
    }


def _areas(
    run: RmsRun, inside: Inside, flow_area: Mapping[str, Floats], response_mw: Floats
) -> dict[str, Floats]:
    """Return the area table; who answered is counted from where the dynamic model began."""
    f_hz, f_nominal_hz = run.watch.f_hz, inside.response.f_nominal_hz
    areas, area_of_source = f_hz.size, inside.row_area[inside.state.sources.row]
    governed = np.bincount(area_of_source, run.governed_mw(), minlength=areas)
    drooped = np.bincount(inside.unit_area, response_mw, minlength=areas)
    damping = run.load_damping_pu * (f_hz - f_nominal_hz) / f_nominal_hz
    inside_mw = -run.reader.load_mw(areas) * damping / (1.0 + damping)
    return {
        "f_hz": f_hz.copy(),
        "f_min_hz": run.f_min_hz,
        "f_max_hz": run.f_max_hz,
        "rocof_hz_per_s": run.rocof_hz_per_s,
        "p_imbalance_mw": flow_area["p_imbalance_mw"].copy(),
        "p_governor_mw": governed.astype(np.float64),
        "p_droop_mw": drooped.astype(np.float64),
        "p_agc_mw": flow_area["p_agc_mw"].copy(),
        "p_damping_mw": inside_mw + run.watch.machines_damping_mw(),
    }


def _points(run: RmsRun, inside: Inside, reports: Reports, droop_mw: Floats) -> dict[str, Floats]:
    """Return the table of connected units: what they drew, and what their devices report."""
    area = inside.unit_area
    vm_pu, drawn, speed = run.reader.units()
    f_hz = np.where(np.isfinite(speed), speed * run.f_start_hz[area], run.watch.f_hz[area])
    point = {"vm_pu": vm_pu, "f_hz": f_hz, "p_droop_mw": droop_mw}
    point |= {"p_mw": drawn.real.copy(), "q_mvar": drawn.imag.copy()}
    for port, told in reports.items():
        point[port] = np.array(
            [np.nan if r is None else _heard(run, point, k, port, r) for k, r in enumerate(told)]
        )
    return point


def _heard(run: RmsRun, point: Mapping[str, Floats], k: int, port: str, report: DeviceReport) -> float:
    if report.signal in MEASURED:
        return float(point[report.signal][k]) * report.scale
    found = run.devices.reported(k, port)
    return report.rest if found is None else found
