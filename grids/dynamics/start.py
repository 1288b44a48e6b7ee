"""From a case to a running session."""

from collections.abc import Sequence

import numpy as np

from cosim.core.errors import CaseError, collected
from grids.case import Case
from grids.dynamics.checks import check_fed, check_numbers, check_settings, check_sources
from grids.dynamics.devices.hvdc_vsc import default_links
from grids.dynamics.devices.zip import ZipParams
from grids.dynamics.events import Event
from grids.dynamics.network import DENSE_PORTS
from grids.dynamics.operating import GIVEN, OperatingPoint, solve_operating_point
from grids.dynamics.registry import device
from grids.dynamics.scheme import Method
from grids.dynamics.session import Session
from grids.dynamics.system import build_system
from grids.dynamics.tables import Unit, read_units

FLAT_PER_S = 1e-6
"""Largest derivative of a start that counts as flat; our own cases stay below 1e-8."""

IMPEDANCE = ZipParams()
CURRENT = ZipParams(pz_pu=0, pi_pu=1, qz_pu=0, qi_pu=1)
POWER = ZipParams(pz_pu=0, pp_pu=1, qz_pu=0, qp_pu=1)


def begin(
    case: Case,
    events: Sequence[Event] = (),
    *,
    step_s: float = 0.005,
    method: Method = "rk4",
    loads: ZipParams = IMPEDANCE,
    units: Sequence[Unit] = (),
    point: OperatingPoint | None = None,
    tolerance_pu: float = 1e-6,
) -> Session:
    """Return a session of a case at its operating point.

    Parameters
    ----------
    case
        Grid with dynamic tables.
    events
        Disturbances.
    step_s
        Inner step [s].
    method
        "rk4", or "heun": half the work, ten times the error after a fault.
    loads
        Kind of every load without a row in `zip.csv`: `IMPEDANCE`, `CURRENT`, `POWER` or a mixture.
    units
        Units beside those of the case's tables.
    point
        Operating point, where it is known already.
    tolerance_pu
        Change of voltage at which non-linear injections have settled.

    Raises
    ------
    CaseError
        When tables do not fit the case, or the case does not start flat.
    ScenarioError
        When an event names what is not there, or the step is too large.
    SolveError
        When the operating point has no solution.
    """
    check_settings(step_s, method, tolerance_pu)
    if point is None:
        point = solve_operating_point(case)
        check_fed(case, point)
    tabled = [*read_units(case), *units]
    modelled = {unit.element for unit in tabled if device(unit.model).carries_power}
    for element in point.elements:
        if element.table in GIVEN and element.name not in modelled:
            kind = loads if element.table in {"load", "motor"} else POWER
            tabled.append(Unit("zip", element.name, kind))
    tabled += default_links(point, modelled)
    default = Unit("zip", "", loads)
    for event in events:
        tabled += event.units(point, default)
    system = build_system(point, tabled, DENSE_PORTS)
    session = Session(case, system, events, step_s=step_s, method=method, tolerance_pu=tolerance_pu)
    for group in system.groups:
        group.cls.ready(group.block, session)
    check_sources(session)
    check_numbers(session)
    check_flat(session)
    return session


def check_flat(session: Session) -> None:
    """Refuse an operating point at which something would move by itself.

    Raises
    ------
    CaseError
        With every state outside its limits and every derivative above `FLAT_PER_S`: element, model,
        state and value.
    """
    rate = session.derivatives
    x, wiring, name = session.system.x, session.solution.wiring, session.system.state_name
    outside = np.flatnonzero((x < wiring.lower - 1e-9) | (x > wiring.upper + 1e-9))
    limits = [f"(allowed: {wiring.lower[i]:g} to {wiring.upper[i]:g})" for i in outside.tolist()]
    wrong = [
        f"{name(i)} must be {x[i]:g} at the operating point {limit}"
        for i, limit in zip(outside.tolist(), limits, strict=True)
    ]
    collected([*wrong, *_excluded(session)], CaseError)
    moving = np.flatnonzero(~(np.abs(rate) <= FLAT_PER_S))
    why = f"at the operating point (allowed: {FLAT_PER_S:g})"
    collected([f"{name(i)} moves by {rate[i]:g} 1/s {why}" for i in moving.tolist()], CaseError)


def _excluded(session: Session) -> list[str]:
    """Return a line for each demand of the operating point that a unit's limits exclude."""
    system, v = session.system, session.solution.work.v
    wrong: list[str] = []
    for group, x in zip(system.groups, system.views(system.x), strict=True):
        for what, (value, low, high) in group.cls.demands(group.block, x, v, system.s).items():
            for k in np.flatnonzero((value < low - 1e-9) | (value > high + 1e-9)):
                unit = f"{group.elements[k]} ({group.model}) {what}"
                limits = f"(allowed: {low[k]:g} to {high[k]:g})"
                wrong.append(f"{unit} must be {value[k]:g} at the operating point {limits}")
    return wrong
