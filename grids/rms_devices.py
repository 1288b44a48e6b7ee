"""Connected units inside a session: what drives their dynamic models, and what these report."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cosim.core.component import DevicePart
from cosim.core.grid import Connections
from cosim.core.types import Floats
from grids.dynamics.session import Session
from grids.dynamics.system import Group
from grids.rms_units import device_elements, is_hosted

OFFERED = ("droop_mw_per_hz", "droop_up_mw", "droop_down_mw")
"""Output ports of a unit that size its fast offer."""


@dataclass(frozen=True)
class _Drive:
    """One output port of a unit and the input of its device it drives."""

    port: str
    unit: int
    slot: int
    base: float
    start: float
    units: tuple[tuple[Group, int], ...]
    """The models of the unit, with its place in each."""


def takes_orders(session: Session) -> set[str]:
    """Return the elements whose model takes orders."""
    return {
        name
        for group in session.system.groups
        for k, name in enumerate(group.elements)
        if group.cls.demand(group.block, session.system.s, k) is not None
    }


class UnitDevices:
    """The models of the connected units of a session.

    Parameters
    ----------
    session
        The session, started.
    connections
        Who is connected.
    units
        What each unit is called among the elements.
    inputs
        What the units publish at the start: what their devices count from.
    droop_mw
        (units,) response of each fast offer at the start, > 0 consumes more.
    """

    def __init__(
        self,
        session: Session,
        connections: Connections,
        units: Sequence[str],
        inputs: Mapping[str, Floats],
        droop_mw: Floats,
    ) -> None:
        self._session, self._connections, self._units = session, connections, tuple(units)
        self._elements = device_elements(connections, self._units)
        hosted, able = is_hosted(connections), takes_orders(session)
        self._plain = [(k, name) for k, name in enumerate(self._units) if name in able and not hosted[k]]
        self._drives = tuple(self._device_inputs(inputs, droop_mw))
        self._drooping = tuple(self._offers())
        self._sent: dict[str, complex] = {}
        self._energy_mws = self._energy()

    def droop_mw(self) -> tuple[Floats, Floats]:
        """Return each unit's response now, and the integral of it since the last call [MW s], (units,)."""
        now, before = self._energy(), self._energy_mws
        self._energy_mws = now
        return self._droop_state("response"), now - before

    def _energy(self) -> Floats:
        return self._droop_state("energy")

    def _droop_state(self, name: str) -> Floats:
        found = np.zeros(len(self._units))
        for group in self._session.system.groups:
            if group.model == "droop_offer":
                at = [self._units.index(element) for element in group.elements]
                found[at] = self._session.system.x[group.state(name)]
        return found

    def reported(self, unit: int, port: str) -> float | None:
        """Return what a unit's devices report to a port, None where the unit has no supply."""
        system, found = self._session.system, list[float]()
        for part, element in self._devices(unit):
            report = part.reports.get(port)
            if report is not None and (element, report.signal) in system.slots:
                value = float(system.s[system.slots[element, report.signal]])
                found.append(part.share_pu * report.scale * value)
        return sum(found) if found else None

    def _devices(self, unit: int) -> Iterator[tuple[DevicePart, str]]:
        """Yield the devices of a unit with their elements."""
        offer = self._connections.hosted[unit] if self._connections.hosted else None
        if offer is not None:
            yield from zip(offer.devices(), self._elements[unit], strict=True)

    def give(self, inputs: Mapping[str, Floats]) -> None:
        """Order the units what they publish, and drive their devices with it."""
        p, q = inputs["p_mw"].tolist(), inputs["q_mvar"].tolist()
        wanted = {name: complex(p[k], q[k]) for k, name in self._plain}
        new = {name: power for name, power in wanted.items() if self._sent.get(name) != power}
        if new:
            self._session.set_loads(new)
            self._sent = wanted
        s = self._session.system.s
        for drive in self._drives:
            s[drive.slot] = (float(inputs[drive.port][drive.unit]) - drive.start) / drive.base
            for group, k in drive.units:
                group.cls.take(group.block, s, k)
        for port, unit, slot in self._drooping:
            s[slot] = inputs[port][unit]

    def _device_inputs(self, inputs: Mapping[str, Floats], droop_mw: Floats) -> Iterator[_Drive]:
        """Yield how the devices of units are driven; one goes on delivering the response its unit had.

        Raises ScenarioError for an input no model reads.
        """
        system = self._session.system
        live = {name for group in system.groups for name in group.elements}
        for unit in range(len(self._units)):
            for part, name in self._devices(unit):
                if name not in live:
                    continue
                for port, how in part.inputs.items():
                    value = float(inputs[port][unit])
                    base = how.base if isinstance(how.base, float | int) else system.point.model.base_mva
                    if how.base == "start":
                        base = abs(value) or 1.0
                    elif how.base == "system":
                        base /= part.share_pu
                    slot = self._session.input_slot(name, how.signal)
                    start = value if how.from_start else 0.0
                    start -= float(droop_mw[unit]) if port == "p_mw" else 0.0
                    units = tuple((g, g.elements.index(name)) for g in system.groups if name in g.elements)
                    yield _Drive(port, unit, slot, float(base), start, units)

    def _offers(self) -> Iterator[tuple[str, int, int]]:
        """Yield port, unit and signal of what each droop offer is set by."""
        slots = self._session.system.slots
        for unit, name in enumerate(self._units):
            for port in OFFERED:
                if (name, port) in slots:
                    yield port, unit, slots[name, port]
