"""From a power flow where it stands to a running dynamic session, without a jump."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from pydantic import ValidationError

from cosim.core.component import DevicePart
from cosim.core.errors import CaseError, ScenarioError, SolveError, collected
from cosim.core.grid import Connections, GridWindow
from cosim.core.types import Bools, Floats
from grids.caseread import place_in
from grids.dynamics.device import Device
from grids.dynamics.devices.droop_offer import DroopOfferParams
from grids.dynamics.events import Event
from grids.dynamics.network import DENSE_PORTS
from grids.dynamics.operating import (
    GIVEN,
    MAKERS,
    Element,
    OperatingPoint,
    point_of,
    solve_operating_point,
)
from grids.dynamics.registry import device
from grids.dynamics.scheme import check_step
from grids.dynamics.session import Session
from grids.dynamics.start import CURRENT, IMPEDANCE, POWER, begin
from grids.dynamics.system import build_system
from grids.dynamics.tables import Unit, read_units
from grids.elements import element_names
from grids.inside import Inside
from grids.numbers import Complexes
from grids.params import RmsWindowParams

LOADS = {"impedance": IMPEDANCE, "current": CURRENT, "power": POWER}


@dataclass(frozen=True)
class Standing:
    """What the power flow says of the moment a session starts at."""

    f_hz: Floats
    """(areas,) frequency."""
    droop_mw: Floats
    """(units,) response of each fast offer, > 0 consumes more."""
    generation_mva: Complexes
    """(gens + ext_grids,) what each delivers."""


def is_hosted(connections: Connections) -> Bools:
    """Return which units (units,) have the power of their own device."""
    found = [offer is not None for offer in connections.hosted]
    return np.array(found or [False] * len(connections.units), dtype=np.bool_)


def unit_elements(names: Sequence[str], taken: Sequence[str]) -> tuple[str, ...]:
    """Return what each connected unit is called among the elements of the case."""
    return tuple(f"unit {name}" if name in taken else name for name in names)


def case_elements(inside: Inside) -> tuple[str, ...]:
    """Return the names of everything in the case that draws or delivers power."""
    tables = (*MAKERS, *GIVEN)
    net = inside.state.net
    return tuple(name for table in tables if table in net for name in element_names(net[table], table))


def device_elements(connections: Connections, units: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the elements that carry the power of each unit: itself, or the parts of its device."""
    offers = connections.hosted or (None,) * len(units)
    return tuple(
        (name,) if offer is None else tuple(part_element(name, part) for part in offer.devices())
        for name, offer in zip(units, offers, strict=True)
    )


def part_element(unit: str, part: DevicePart) -> str:
    """Return what a part of a unit's device is called among the elements of the case."""
    return f"{unit} {part.name}" if part.name else unit


def check_models(inside: Inside) -> None:
    """Refuse a case whose machines have no dynamic model.

    Raises
    ------
    CaseError
        Naming them, and the tables that could hold one.
    """
    net, case = inside.case.net, inside.case
    modelled = {unit.element for unit in read_units(case) if device(unit.model).carries_power}
    bare = [
        (table, name)
        for table in MAKERS
        for name, alive in zip(element_names(net[table], table), net[table]["in_service"], strict=True)
        if alive and name not in modelled
    ]
    if not bare:
        return
    told = ", ".join(f"{name} ({place_in(case.folder, table, name)}, column name)" for table, name in bare)
    msg = (
        f"case {case.name!r} has no dynamic model for {told}: give each a row in a table such as genrou.csv "
        "or gencls.csv beside the case, or run it with engine powerflow"
    )
    raise CaseError(msg)


def check_steps(inside: Inside, windows: Sequence[GridWindow]) -> None:
    """Refuse an inner step that the models of the case do not allow; devices of units are asked at the start.

    Raises
    ------
    ScenarioError
        Naming the window, the element, its time constant and the largest step.
    """
    wrong = []
    with contextlib.suppress(SolveError, CaseError):  # told when it starts: then the state is that of the run
        point = solve_operating_point(inside.case)
        groups = build_system(point, read_units(inside.case), DENSE_PORTS).groups
        for window in windows:
            params = cast("RmsWindowParams", window.params)
            try:
                check_step(groups, params.inner_step_s, params.method)
            except ScenarioError as error:
                where = f"window {window.name!r}: " if np.isfinite(window.to_s) else ""
                wrong.append(f"{where}inner_{error}")
    collected(wrong, ScenarioError)


def check_hosted(inside: Inside, connections: Connections) -> None:
    """Refuse devices of units that cannot be, or are per unit of another frequency than the grid's.

    Raises
    ------
    ScenarioError
        With all of them, each with its unit.
    """
    f_hz, wrong = float(inside.case.meta["f_nominal_hz"]), list[str]()
    for unit, offer in zip(connections.units, connections.hosted, strict=False):
        if offer is None:
            continue
        for part in offer.devices():
            try:
                hosted_units(part, part_element(unit, part))
            except ScenarioError as error:
                wrong += str(error).splitlines()
        if offer.f_nominal_hz not in {None, f_hz}:
            wrong.append(f"unit {unit!r}: f_nominal_hz={offer.f_nominal_hz:g}, but the grid's is {f_hz:g}")
    collected(wrong, ScenarioError)


def start_session(
    inside: Inside,
    connections: Connections,
    standing: Standing,
    params: RmsWindowParams,
    events: Sequence[Event] = (),
    *,
    inputs: Mapping[str, Floats] | None = None,
) -> Session:
    """Return a session that stands where the power flow does.

    The frequency of the first area is the session's nominal one, so that its machines start at speed 1 and
    every governor holds what it delivers there; of the other areas, the speed 1 means their own frequency.

    Parameters
    ----------
    inside
        The power flow, solved.
    connections
        Its units.
    standing
        Frequencies, responses, generation.
    params
        How to integrate.
    events
        Disturbances to come: units they need stand ready from the start; they are not scheduled here.
    inputs
        What units publish: how their power divides over the parts of their devices.
    """
    point = _point(inside, connections, standing, inputs or {})
    units = _load_units(inside, point, params)
    for k, element in enumerate(_unit_elements(inside, connections)):
        units += _of_unit(inside, connections, k, element, standing)
    default = Unit("zip", "", LOADS[params.loads])
    for event in events:
        units += event.units(point, default)
    session = begin(
        inside.case,
        step_s=params.inner_step_s,
        method=params.method,
        loads=LOADS[params.loads],
        units=units,
        point=point,
        tolerance_pu=params.tolerance_pu,
    )
    for group in session.system.groups:
        if group.model == "droop_offer":
            session.system.s[group.signal("acting")] = 1.0
    return session


def rotor_angles(inside: Inside, connections: Connections, standing: Standing) -> Floats:
    """Return the rotor angle of each source (gens + ext_grids,) at the operating point [°], else nan."""
    point = _point(inside, connections, standing, {})
    system = build_system(point, read_units(inside.case), DENSE_PORTS)
    angle: dict[str, float] = {}
    for group in system.groups:
        if group.cls.rotor is not None:
            degree = np.rad2deg(system.x[group.state(group.cls.rotor[0])])
            angle.update(zip(group.elements, degree.tolist(), strict=True))
    return np.array([angle.get(name, np.nan) for name in inside.state.sources.names])


def _unit_elements(inside: Inside, connections: Connections) -> tuple[str, ...]:
    return unit_elements(connections.units, case_elements(inside))


def models_of(inside: Inside, connections: Connections) -> dict[str, list[type[Device]]]:
    """Return the dynamic models of each element of the case that has any, and of each unit's device."""
    found: dict[str, list[type[Device]]] = {}
    for unit in read_units(inside.case):
        found.setdefault(unit.element, []).append(device(unit.model))
    names = _unit_elements(inside, connections)
    for name, offer in zip(names, connections.hosted, strict=False):
        for part in () if offer is None else offer.devices():
            found[part_element(name, part)] = [device(model) for model in part.models]
    return found


def _point(
    inside: Inside, connections: Connections, standing: Standing, inputs: Mapping[str, Floats]
) -> OperatingPoint:
    """Return the operating point of the power flow as it stands.

    A unit is without its response, which a model of its own delivers, unless its device takes over both.
    """
    state, e = inside.state, inside.elements
    base, gens = state.model.base_mva, state.sources.gens
    vm = np.abs(state.v)[np.maximum(state.element_bus, 0)]
    s = e.p_mw + 1j * e.q_mvar
    load, sgen, unit = e.section["load"], e.section["sgen"], e.section["unit"]
    if e.shares is not None:
        i_p, z_p, i_q, z_q = e.shares
        v, p, q = vm[load], e.p_mw[load], e.q_mvar[load]
        s[load] += (p * i_p + 1j * q * i_q) * (v - 1.0) + (p * z_p + 1j * q * z_q) * (v * v - 1.0)
    delivered: dict[str, Complexes] = {
        "load": -s[load],
        "sgen": -s[sgen],
        "gen": standing.generation_mva[:gens],
        "ext_grid": standing.generation_mva[gens:],
    }
    for k, tie in enumerate(inside.ties):
        if tie.table == "sgen":
            delivered["sgen"][tie.row] -= s[e.section["tie"]][k]
    bus = state.element_bus[unit]
    names = _unit_elements(inside, connections)
    extra = [
        Element("unit", k, name, int(bus[k]), part if bus[k] >= 0 else 0j)
        for k, elements in enumerate(device_elements(connections, names))
        for name, part in zip(
            elements, _divided(connections, k, complex(-s[unit][k] / base), inputs), strict=True
        )
    ]
    f_hz = float(standing.f_hz[0])
    point = point_of(state.net, state.v, f_hz, delivered, model=state.model, extra=extra)
    apart_mw = np.where(is_hosted(connections), 0.0, standing.droop_mw)
    response = dict(zip(names, (apart_mw / base).tolist(), strict=True))
    apart = [
        replace(element, s_pu=element.s_pu + response[element.name]) if element.name in response else element
        for element in point.elements
    ]
    return replace(point, elements=tuple(apart))


def _divided(connections: Connections, k: int, s_pu: complex, inputs: Mapping[str, Floats]) -> list[complex]:
    """Return what each device of a unit delivers of all it delivers [pu]."""
    offer = connections.hosted[k] if connections.hosted else None
    parts = () if offer is None else offer.parts
    if not parts:
        return [s_pu]
    weights = np.array(
        [
            [part.share_pu * inputs[port][k] if port in inputs else 0.0 for port in part.power]
            for part in parts
        ]
    )
    shares = np.array([part.share_pu for part in parts])
    total = weights.sum(axis=0)
    split = np.where(
        total != 0.0, weights / np.where(total == 0.0, 1.0, total), (shares / shares.sum())[:, None]
    )
    return [complex(s_pu.real * p, s_pu.imag * q) for p, q in split.tolist()]


def _load_units(inside: Inside, point: OperatingPoint, params: RmsWindowParams) -> list[Unit]:
    """Return the units of the case's loads without a model: they follow frequency as their area says."""
    if not params.load_damping:
        return []
    damping = inside.case.net["areas"]["load_damping_pu"].to_numpy(dtype=float)
    modelled = {unit.element for unit in read_units(inside.case) if device(unit.model).carries_power}
    area_of_bus = area_of_buses(inside)
    kind = LOADS[params.loads]
    units = []
    for element in point.elements:
        if element.table != "load" or element.name in modelled or element.bus < 0:
            continue
        kpf = float(damping[area_of_bus[element.bus]])
        units.append(Unit("zip", element.name, kind.model_copy(update={"kpf_pu": kpf})))
    return units


def area_of_buses(inside: Inside) -> Mapping[int, int]:
    """Return the area of each internal bus that is a row of the bus table."""
    pairs = zip(inside.state.model.row_bus.tolist(), inside.row_area.tolist(), strict=True)
    return {bus: area for bus, area in pairs if bus >= 0}


def _of_unit(
    inside: Inside, connections: Connections, k: int, element: str, standing: Standing
) -> list[Unit]:
    """Return the dynamic models of one connected unit: those it hands over, else a constant power."""
    hosted = connections.hosted[k] if connections.hosted else None
    if hosted is not None:
        return [unit for part in hosted.devices() for unit in hosted_units(part, part_element(element, part))]
    units = [Unit("zip", element, POWER)]
    droop = connections.devices[k] if connections.devices else None
    if droop is not None:
        area = int(inside.unit_area[k])
        params = DroopOfferParams(
            deadband_hz=droop.deadband_hz,
            time_constant_s=droop.time_constant_s,
            f_nominal_hz=float(inside.response.f_nominal_hz[area]),
            f_start_hz=float(standing.f_hz[area]),
            p_start_mw=float(standing.droop_mw[k]),
        )
        units.append(Unit("droop_offer", element, params))
    return units


def hosted_units(offer: DevicePart, element: str) -> list[Unit]:
    """Return the units of a device.

    Raises
    ------
    ScenarioError
        When a model is unknown, its parameters are wrong, or none of them carries the unit's power.
    """
    units, wrong = [], []
    for name, given in offer.models.items():
        try:
            cls = device(name)
            params = cls.params_type(**given)
        except CaseError as error:
            wrong.append(f"unit {element!r}: {error}")
            continue
        except ValidationError as error:
            wrong += [f"unit {element!r}, device {name}: {e['loc'][0]}: {e['msg']}" for e in error.errors()]
            continue
        wrong += [f"unit {element!r}, device {name}: {finding}" for finding in cls.findings(params)]
        units.append(Unit(name, element, params, f"unit {element!r}"))
    if not wrong and not any(device(unit.model).carries_power for unit in units):
        wrong.append(f"unit {element!r}: none of {', '.join(offer.models)} carries its power")
    collected(wrong, ScenarioError)
    return units
