"""From a power flow where it stands to a running dynamic session, without a jump."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cosim.core.grid import Connections
from cosim.core.types import Floats
from grids.dynamics.devices.droop_offer import DroopOfferParams
from grids.dynamics.events import Event
from grids.dynamics.network import DENSE_PORTS
from grids.dynamics.operating import (
    Element,
    OperatingPoint,
    point_of,
)
from grids.dynamics.registry import device
from grids.dynamics.session import Session
from grids.dynamics.start import CURRENT, IMPEDANCE, POWER, begin
from grids.dynamics.system import build_system
from grids.dynamics.tables import Unit, read_units
from grids.inside import Inside
from grids.numbers import Complexes
from grids.params import RmsWindowParams
from grids.rms_units import device_elements, elements_of_units, hosted_units, is_hosted, part_element

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
    for k, element in enumerate(elements_of_units(inside, connections)):
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
    names = elements_of_units(inside, connections)
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


def area_of_buses(inside: Inside) -> Mapping[int, int]:
    """Return the area of each internal bus that is a row of the bus table."""
    pairs = zip(inside.state.model.row_bus.tolist(), inside.row_area.tolist(), strict=True)
    return {bus: area for bus, area in pairs if bus >= 0}
