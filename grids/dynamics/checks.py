"""What is wrong with a case before it runs: elements without a feeder, islands without a source, bad data."""

import math

import numpy as np

from cosim.core.errors import CaseError, ScenarioError, collected
from cosim.core.registry import nearest
from grids.case import Case
from grids.dynamics.device import parameter_names
from grids.dynamics.operating import OperatingPoint
from grids.dynamics.scheme import CODES
from grids.dynamics.session import Session
from grids.elements import element_names


def check_settings(step_s: float, method: str, tolerance_pu: float) -> None:
    """Refuse settings no run can have.

    Raises
    ------
    ScenarioError
        Naming setting, value and what is allowed.
    """
    if method not in CODES:
        msg = f"method={method!r} is unknown (allowed: {', '.join(CODES)}).{nearest(str(method), CODES)}"
        raise ScenarioError(msg)
    for name, value in (("step_s", step_s), ("tolerance_pu", tolerance_pu)):
        if not (value > 0 and math.isfinite(value)):
            msg = f"{name}={value:g} must be a finite number above 0"
            raise ScenarioError(msg)


def check_fed(case: Case, point: OperatingPoint) -> None:
    """Refuse elements in service at buses that no external grid feeds.

    Raises
    ------
    CaseError
        With every one of them: element, table and bus.
    """
    net, wrong = case.net, []
    dark = {
        int(index): name
        for index, name, bus, alive in zip(
            net.bus.index, point.bus_names, point.row_bus, net.bus["in_service"], strict=True
        )
        if alive and bus < 0
    }
    for table in sorted({element.table for element in point.elements}):
        frame = net.get(table)
        if frame is None or "bus" not in frame:
            continue
        alive = frame["in_service"].to_numpy(dtype=bool)
        for name, bus, on in zip(element_names(frame, table), frame["bus"], alive, strict=True):
            if on and int(bus) in dark:
                wrong.append(
                    f"{name} ({table}) is in service at bus {dark[int(bus)]}, which no ext_grid feeds: "
                    "connect the bus, or switch the element out of service"
                )
    collected(wrong, CaseError)


def check_sources(session: Session) -> None:
    """Refuse an island in which nothing has a voltage of its own.

    Raises
    ------
    CaseError
        With the elements of every such island and its first bus.
    """
    island, wrong = session.solution.configuration.island, []
    for element in session.system.point.elements:
        if element.bus >= 0 and island[element.bus] < 0:
            bus = session.system.bus_name(element.bus)
            wrong.append(
                f"{element.name} ({element.table}) at bus {bus}: its island has no source, only units that "
                "follow the voltage (allowed: at least one machine or grid-forming converter)"
            )
    collected(wrong, CaseError)


def check_numbers(session: Session) -> None:
    """Refuse parameters from which something follows that is no number.

    Raises
    ------
    CaseError
        With the derived value, its unit, and the unit's parameters that are zero or equal.
    """
    if np.isfinite(session.derivatives).all():
        return
    wrong = []
    for group in session.system.groups:
        names = (*parameter_names(group.cls.params_type), *group.cls.derived)
        for row, k in np.argwhere(~np.isfinite(group.block.p)):
            unit, value = f"{group.elements[k]} ({group.model})", group.block.p[row, k]
            alike = _alike(group.params[k], parameter_names(group.cls.params_type))
            wrong.append(f"{unit} {names[row]} becomes {value:g} at the operating point: {alike}")
    collected(wrong, CaseError)


def _alike(params: object, names: tuple[str, ...]) -> str:
    """Name the parameters a division can fail by: those that are zero, and pairs that are equal."""
    value = {name: float(getattr(params, name)) for name in names}
    zero = [f"{name}=0" for name in names if value[name] == 0.0]
    equal = [
        f"{a}={b}={value[a]:g}"
        for i, a in enumerate(names)
        for b in names[i + 1 :]
        if value[a] == value[b] != 0.0 and a[-3:] == b[-3:]
    ]
    return (
        f"look at {', '.join([*equal, *zero])}" if equal or zero else "its parameters contradict each other"
    )
