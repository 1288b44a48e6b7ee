"""All units of a case as arrays, started at its operating point."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cosim.core.errors import CaseError, collected
from cosim.core.params import Params, column
from cosim.core.registry import nearest
from cosim.core.types import Floats, Ints
from grids.dynamics.device import Block, Device, Site, field_row, parameter_names
from grids.dynamics.driver import Part
from grids.dynamics.events import find_bus
from grids.dynamics.operating import Element, OperatingPoint
from grids.dynamics.registry import device
from grids.dynamics.tables import Unit

MAKERS = ("gen", "ext_grid", "dcline")
"""Tables whose elements must have a model; what stands in others becomes a static load."""


@dataclass(frozen=True)
class Group:
    """All units of one model."""

    model: str
    cls: type[Device]
    elements: tuple[str, ...]
    block: Block
    bus: Ints
    """Internal bus of each unit."""
    first: int
    """First of its states in the state vector; state `i` of unit `k` is `first + i * units + k`."""
    params: tuple[Params, ...]
    """Rows of its units."""

    def state(self, name: str) -> slice:
        """Return the place of one state of all units."""
        n = len(self.elements)
        start = self.first + self.cls.states.index(name) * n
        return slice(start, start + n)

    def signal(self, name: str) -> Ints:
        """Return the place of one signal of all units in the signal array."""
        return np.asarray(self.block.wire[(*self.cls.reads, *self.cls.writes).index(name)])

    def parameter(self, name: str) -> Floats:
        """Return a parameter or derived value of all units (a view)."""
        return np.asarray(self.block.p[field_row(self.cls, name)])


@dataclass(frozen=True)
class System:
    """Groups in the order of the driver, with states, signals and where they start."""

    point: OperatingPoint
    groups: tuple[Group, ...]
    order: tuple[int, ...]
    """Order in which `rhs` is called: writers of a signal before its readers."""
    x: Floats
    s: Floats
    slots: dict[tuple[str, str], int]
    """(element, signal) -> place in the signal array."""
    ports: Ints
    """Internal bus of each port."""
    parts: tuple[Part, ...]

    def views(self, x: Floats) -> tuple[Floats, ...]:
        """Return views of a state vector, one of shape (states, units) for each group."""
        shapes = [(len(g.cls.states), len(g.elements)) for g in self.groups]
        return tuple(
            x[g.first : g.first + rows * units].reshape((rows, units))
            for g, (rows, units) in zip(self.groups, shapes, strict=True)
        )

    def state_name(self, place: int) -> str:
        """Name a state for a message: element, model and state."""
        for group in self.groups:
            n, count = len(group.elements), len(group.cls.states)
            if group.first <= place < group.first + n * count:
                i, k = divmod(place - group.first, n)
                return f"{group.elements[k]} ({group.model}) {group.cls.states[i]}"
        return f"state {place}"

    def bus_name(self, bus: int) -> str:
        """Name an internal bus."""
        rows = np.flatnonzero(self.point.row_bus == bus)
        return self.point.bus_names[int(rows[0])] if rows.size else f"auxiliary bus {bus}"

    def group(self, model: str) -> Group:
        """Return the group of a model."""
        return next(group for group in self.groups if group.model == model)


def rhs_order(classes: Sequence[type[Device]], names: Sequence[str]) -> tuple[int, ...]:
    """Return the models in an order in which every signal is written before it is read.

    Signals that `measure` writes are there before any `rhs`.

    Raises
    ------
    CaseError
        When models wait for each other.
    """
    later = [set(c.writes) - set(c.measured) for c in classes]
    todo = list(range(len(classes)))
    order: list[int] = []
    while todo:
        ready = [i for i in todo if not any(later[j] & set(classes[i].reads) for j in todo if j != i)]
        if not ready:
            stuck = ", ".join(names[i] for i in todo)
            msg = f"{stuck} read each other's signals in a circle; one must measure, not compute, its signal"
            raise CaseError(msg)
        order += ready
        todo = [i for i in todo if i not in ready]
    return tuple(order)


def _match(units: Iterable[Unit], elements: dict[str, Element]) -> tuple[dict[str, list[Unit]], list[str]]:
    """Return units in service by model, and what does not fit the case."""
    by_model: dict[str, list[Unit]] = {}
    wrong: list[str] = []
    roles: dict[tuple[str, str], str] = {}
    for unit in units:
        cls = device(unit.model)
        element = elements.get(unit.element)
        if element is None:
            hint = nearest(unit.element, elements)
            wrong.append(f"{unit.where}, column name: {unit.element!r} is no element of the case.{hint}")
            continue
        if element.table not in (*cls.tables, "unit"):
            allowed = " or ".join(cls.tables)
            wrong.append(f"{unit.where}: {unit.element!r} is a {element.table} (allowed: {allowed})")
            continue
        if (unit.element, cls.role) in roles:
            other = roles[unit.element, cls.role]
            wrong.append(f"{unit.where}: {unit.element!r} has a {cls.role} already, of {other}")
            continue
        roles[unit.element, cls.role] = unit.model
        wrong += [f"{unit.where}: {unit.element} ({unit.model}) {what}" for what in cls.findings(unit.params)]
        if element.bus >= 0:
            by_model.setdefault(unit.model, []).append(unit)
    carried = {element for (element, _), model in roles.items() if device(model).carries_power}
    bare = [e for e in elements.values() if e.bus >= 0 and e.table in MAKERS and e.name not in carried]
    wrong += [f"{e.name} ({e.table}) has no dynamic model: give it a row in a table" for e in bare]
    return by_model, wrong


def _blocks(
    by_model: dict[str, list[Unit]], elements: dict[str, Element]
) -> tuple[list[Group], dict[tuple[str, str], int]]:
    slots: dict[tuple[str, str], int] = {}
    groups: list[Group] = []
    first = 0
    for model in sorted(by_model):
        cls, units = device(model), by_model[model]
        n = len(units)
        params = [unit.params for unit in units]
        names = parameter_names(cls.params_type)
        p = np.zeros((len(names) + len(cls.derived), n))
        for row, name in enumerate(names):
            p[row] = column(params, name)
        signals = (*cls.reads, *cls.writes)
        wire = np.zeros((len(signals), n), dtype=np.int64)
        for row, signal in enumerate(signals):
            for k, unit in enumerate(units):
                wire[row, k] = slots.setdefault((unit.element, signal), len(slots))
        block = Block(p, np.zeros(n, dtype=np.int64), wire, np.zeros((len(cls.memory), n)), np.ones(n, bool))
        bus = np.array([elements[unit.element].bus for unit in units], dtype=np.int64)
        groups.append(
            Group(model, cls, tuple(unit.element for unit in units), block, bus, first, tuple(params))
        )
        first += n * len(cls.states)
    return groups, slots


def build_system(point: OperatingPoint, units: Sequence[Unit], dense_ports: int) -> System:
    """Return all units started at the operating point, readers of signals before their writers.

    Raises
    ------
    CaseError
        With every unit that fits no element and every generator without a model.
    """
    elements = {element.name: element for element in point.elements}
    for unit in units:
        if unit.bus is not None and unit.element not in elements:
            bus = find_bus(point, unit.bus) if isinstance(unit.bus, str) else unit.bus
            elements[unit.element] = Element("unit", -1, unit.element, bus, 0j)
    by_model, wrong = _match(units, elements)
    collected(wrong, CaseError)
    groups, slots = _blocks(by_model, elements)
    order = rhs_order([g.cls for g in groups], [g.model for g in groups])
    x = np.zeros(sum(len(g.elements) * len(g.cls.states) for g in groups))
    s = np.zeros(len(slots))
    rating = {unit.element: float(unit.params.sn_mva) for unit in units if _rated(unit)}  # type: ignore[attr-defined]
    for i in reversed(order):
        group = groups[i]
        site = Site(
            point.v_pu[group.bus],
            np.array([elements[name].s_pu for name in group.elements]),
            np.array([rating.get(name, np.nan) for name in group.elements]),
            point.model.base_mva,
            2.0 * np.pi * point.f_hz,
            group.elements,
            group.params,
        )
        shape = (len(group.cls.states), len(group.elements))
        own = x[group.first : group.first + shape[0] * shape[1]].reshape(shape)
        with np.errstate(divide="ignore", invalid="ignore"):  # `check_numbers` names what is no number
            group.cls.start(group.block, own, s, site)
    ports = _ports(point, groups, dense_ports)
    place = np.full(point.model.size, 0, dtype=np.int64)
    place[ports] = np.arange(ports.size)
    parts = []
    for group in groups:
        group.block.port[:] = place[group.bus]
        injects = bool(group.cls.injects(group.block).any())
        parts.append(Part(group.cls, injects, injects and group.cls.nonlinear(group.block)))
    return System(point, tuple(groups), order, x, s, slots, ports, tuple(parts))


def _rated(unit: Unit) -> bool:
    return device(unit.model).carries_power and hasattr(unit.params, "sn_mva")


def _ports(point: OperatingPoint, groups: Sequence[Group], dense_ports: int) -> Ints:
    """Return the buses something looks at or injects into; all buses when those are many."""
    seen: set[int] = set()
    for group in groups:
        looks = group.cls.measure is not None or group.cls.rhs is not None
        wanted = np.ones(len(group.elements), bool) if looks else group.cls.injects(group.block)
        seen.update(group.bus[wanted].tolist())
    if len(seen) > dense_ports:
        return np.arange(point.model.size, dtype=np.int64)
    return np.array(sorted(seen), dtype=np.int64)
