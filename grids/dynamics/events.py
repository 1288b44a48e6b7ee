"""Disturbances: what happens when, with elements addressed as an engineer does.

An element is its name or its pandapower index; `bus=` takes what stands at a bus. A bus is its name,
or its number: the number in the bus names (`bus_16`, `16`) where every name has one, else the
pandapower index.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cosim.core.errors import ScenarioError, collected
from cosim.core.registry import nearest
from grids.dynamics.network import branch_of
from grids.dynamics.operating import Element, OperatingPoint
from grids.dynamics.tables import Unit
from grids.elements import element_names

if TYPE_CHECKING:
    from grids.dynamics.session import Session

Address = str | int

LOADS = ("load", "storage", "motor", "ward")
"""Tables whose elements can be tripped and stepped as loads."""


class Action(NamedTuple):
    """One change of the system at one instant."""

    at_s: float
    text: str
    act: Callable[["Session"], None]


class Event:
    """What disturbs a run: subclass it for a disturbance of your own."""

    def units(self, _point: OperatingPoint, _default: Unit) -> Sequence[Unit]:
        """Return units that must stand ready from the start; `_default` is a load of the run's kind."""
        return ()

    def actions(self, session: "Session") -> Sequence[Action]:
        """Return what happens when; ScenarioError for an element that is not there."""
        raise NotImplementedError


def find_bus(point: OperatingPoint, bus: Address) -> int:
    """Return the internal bus of a name or number.

    Raises
    ------
    ScenarioError
        When there is none, or it is not energised.
    """
    names = list(point.bus_names)
    row = names.index(bus) if bus in names else -1
    if row < 0 and isinstance(bus, int):
        numbers = [re.fullmatch(r"\D*?(\d+)", name) for name in names]
        known = [int(m.group(1)) if m else -1 for m in numbers]
        unique = all(number >= 0 for number in known) and len(set(known)) == len(known)
        where = known if unique else [int(i) for i in point.bus_index]
        row = where.index(bus) if bus in where else -1
    if row < 0:
        msg = f"no bus {bus!r} in the case.{nearest(str(bus), names)}"
        raise ScenarioError(msg)
    if point.row_bus[row] < 0:
        msg = f"bus {names[row]!r} is not energised"
        raise ScenarioError(msg)
    return int(point.row_bus[row])


def find_element(
    point: OperatingPoint, tables: Sequence[str], element: Address | None, bus: Address | None
) -> Element:
    """Return an element by name, by index in the first table, or by the bus it alone stands at.

    Raises
    ------
    ScenarioError
        When there is none, several, or it is out of service.
    """
    kind = "load" if tables == LOADS else " or ".join(tables)
    here = [e for e in point.elements if e.table in tables]
    if element is not None:
        found = [e for e in here if e.name == element or (e.index == element and e.table == tables[0])]
        hint = nearest(str(element), [e.name for e in here])
        what = f"{kind} {element!r}"
    elif bus is not None:
        at = find_bus(point, bus)
        found, hint, what = [e for e in here if e.bus == at], "", f"{kind} at bus {bus!r}"
    else:
        msg = f"say which {kind}: by name, by index, or by bus="
        raise ScenarioError(msg)
    if len(found) > 1:
        msg = f"{what} is ambiguous: {', '.join(e.name for e in found)}"
        raise ScenarioError(msg)
    if not found:
        msg = f"no {what} in the case.{hint}"
        raise ScenarioError(msg)
    if found[0].bus < 0:
        msg = f"{what} is out of service"
        raise ScenarioError(msg)
    return found[0]


@dataclass(frozen=True)
class BusFault(Event):
    """A three-phase fault to ground at a bus."""

    bus: Address
    at_s: float
    clear_after_s: float
    r_pu: float = 0.0
    x_pu: float = 1e-4
    """Fault impedance on the system's base; not zero, so that the bus keeps a voltage (as ANDES)."""

    def actions(self, session: "Session") -> Sequence[Action]:
        """Apply and clear."""
        bus = find_bus(session.system.point, self.bus)
        collected([f"BusFault at {self.bus!r}: {wrong}" for wrong in self._wrong()], ScenarioError)
        y, name = 1.0 / complex(self.r_pu, self.x_pu), session.system.bus_name(bus)
        end_s = self.at_s + self.clear_after_s
        return (
            Action(self.at_s, f"fault at {name}", lambda s: _change_fault(s, bus, y)),
            Action(end_s, f"fault at {name} cleared", lambda s: _change_fault(s, bus, -y)),
        )

    def _wrong(self) -> list[str]:
        wrong = []
        if not 0.0 < self.clear_after_s < np.inf:
            wrong.append(f"clear_after_s={self.clear_after_s:g} (allowed: above 0)")
        for key, value in {"r_pu": self.r_pu, "x_pu": self.x_pu}.items():
            if not 0.0 <= value < np.inf:
                wrong.append(f"{key}={value:g} (allowed: 0 or more)")
        if self.r_pu == self.x_pu == 0.0:
            wrong.append("r_pu=0 and x_pu=0 (allowed: one of them above 0)")
        return wrong


def _change_fault(session: "Session", bus: int, by_pu: complex) -> None:
    """Add an admittance to ground at a bus, where other faults may stand."""
    rest_pu = session.solution.network.switching.fault_y.get(bus, 0j) + by_pu
    if abs(rest_pu) > 1e-9 * abs(by_pu):
        session.apply_fault(bus, rest_pu)
    else:
        session.clear_fault(bus)


@dataclass(frozen=True)
class GeneratorTrip(Event):
    """A generator is disconnected, with its controls."""

    generator: Address | None = None
    at_s: float = 0.0
    bus: Address | None = None

    def actions(self, session: "Session") -> Sequence[Action]:
        """Disconnect."""
        tables = ("gen", "ext_grid", "sgen")
        element = find_element(session.system.point, tables, self.generator, self.bus)
        return (Action(self.at_s, f"{element.name} tripped", lambda s: s.trip(element.name)),)


@dataclass(frozen=True)
class LoadTrip(Event):
    """A load, storage, motor or ward is disconnected."""

    load: Address | None = None
    at_s: float = 0.0
    bus: Address | None = None

    def actions(self, session: "Session") -> Sequence[Action]:
        """Disconnect."""
        element = find_element(session.system.point, LOADS, self.load, self.bus)
        return (Action(self.at_s, f"{element.name} tripped", lambda s: s.trip(element.name)),)


@dataclass(frozen=True)
class LoadStep(Event):
    """A load is ordered to draw more (or less).

    At `bus=` an own load of the run's default kind appears; with `load=` that load grows in its kind: a
    static one at the voltage of the operating point, one with a set-point through that.
    """

    p_mw: float
    at_s: float
    load: Address | None = None
    bus: Address | None = None
    q_mvar: float = 0.0

    def _name(self, point: OperatingPoint) -> str:
        bus = find_bus(point, self.bus if self.bus is not None else "")
        return f"step of {self.p_mw:g} MW at bus {bus} at {self.at_s:g} s"

    def units(self, point: OperatingPoint, default: Unit) -> Sequence[Unit]:
        """Need a load of its own at a bus."""
        if self.load is not None or self.bus is None:
            return ()
        bus = find_bus(point, self.bus)
        return (Unit(default.model, self._name(point), default.params, "LoadStep", bus),)

    def actions(self, session: "Session") -> Sequence[Action]:
        """Change the power."""
        point = session.system.point
        if self.load is None and self.bus is not None:
            name = self._name(point)
        else:
            name = find_element(point, LOADS, self.load, self.bus).name
        text = f"{name}: {self.p_mw:+g} MW {self.q_mvar:+g} Mvar"
        return (Action(self.at_s, text, lambda s: s.change_load(name, self.p_mw, self.q_mvar)),)


BRANCHES = ("line", "trafo", "trafo3w", "impedance")
"""Tables whose elements can be opened."""


@dataclass(frozen=True)
class LineTrip(Event):
    """A line, transformer or impedance is opened at all its ends, and closed again if so wished."""

    line: Address
    at_s: float
    close_after_s: float | None = None

    def actions(self, session: "Session") -> Sequence[Action]:
        """Open, and close."""
        branches = self._branches(session)
        done = [Action(self.at_s, f"{self.line} opened", lambda s: s.open_branches(branches))]
        if self.close_after_s is not None:
            end_s = self.at_s + self.close_after_s
            done.append(Action(end_s, f"{self.line} closed", lambda s: s.close_branches(branches)))
        return tuple(done)

    def close(self, session: "Session") -> None:
        """Close it now."""
        session.close_branches(self._branches(session))

    def _branches(self, session: "Session") -> tuple[int, ...]:
        net, model = session.case.net, session.system.point.model
        known: list[str] = []
        for table in BRANCHES:
            names = element_names(net[table], table)
            known += names
            rows = [r for r, name in enumerate(names) if name == self.line]
            if isinstance(self.line, int) and table == "line":
                rows = np.flatnonzero(net[table].index.to_numpy() == self.line).tolist()
            if not rows:
                continue
            parts = [rows[0] + side * len(names) for side in range(3)] if table == "trafo3w" else rows[:1]
            branches = tuple(branch_of(model, table, part) for part in parts)
            if min(branches) >= 0:
                return branches
        what = "line, transformer or impedance"
        msg = f"no {what} {self.line!r} in service in the case.{nearest(str(self.line), known)}"
        raise ScenarioError(msg)


@dataclass(frozen=True)
class SetInput(Event):
    """An input of an element is set: a set-point, an order, the manual reset of a load.

    Inputs are the signals an element's models read and none of them writes; their pages list them.
    """

    element: str
    name: str
    value: float
    at_s: float

    def actions(self, session: "Session") -> Sequence[Action]:
        """Set it."""
        session.input_slot(self.element, self.name)
        text = f"{self.element}: {self.name} = {self.value:g}"
        return (Action(self.at_s, text, lambda s: s.set_input(self.element, self.name, self.value)),)


@dataclass(frozen=True)
class Custom(Event):
    """Anything a session can do, by a function that is given it: `Custom(1.0, "halve", halve)`.

    The function must change the session through its methods alone, so that forks of one state agree.
    """

    at_s: float
    text: str
    act: Callable[["Session"], None]

    def actions(self, _session: "Session") -> Sequence[Action]:
        """Call it."""
        return (Action(self.at_s, self.text, self.act),)
