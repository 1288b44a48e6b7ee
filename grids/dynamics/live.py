"""A system as it is now: signals to read and set, elements to switch, loads to order."""

from collections.abc import Iterable, Mapping

import numpy as np

from cosim.core.errors import ScenarioError
from cosim.core.registry import nearest
from grids.dynamics.device import Block
from grids.dynamics.solution import Solution
from grids.dynamics.system import Group, System
from grids.numbers import Complexes


class LiveSystem:
    """Units and their network at one instant; what disturbs them comes through here.

    Parameters
    ----------
    system
        The units, started.
    solution
        Their network.
    """

    def __init__(self, system: System, solution: Solution) -> None:
        self.system, self.solution = system, solution
        self.t_s = 0.0
        """Time reached [s]."""
        self.log: list[tuple[float, str]] = []
        """What happened when."""
        self._units: dict[str, list[tuple[Group, int]]] = {}
        for group in system.groups:
            for k, name in enumerate(group.elements):
                self._units.setdefault(name, []).append((group, k))

    @property
    def v_pu(self) -> Complexes:
        """Voltages of all internal buses, in the frame of each island's centre of inertia."""
        return self.solution.v_pu

    def signal(self, element: str, name: str) -> float:
        """Return a signal of an element as of the last evaluation."""
        return float(self.system.s[self.system.slots[element, name]])

    def input_slot(self, element: str, name: str) -> int:
        """Return the place of a signal that an element's units read and none of them writes.

        Raises
        ------
        ScenarioError
            When the element has no such input, or the value is no number.
        """
        if element not in self._units:
            msg = f"no element {element!r} with a dynamic model in the case.{nearest(element, self._units)}"
            raise ScenarioError(msg)
        groups = [group for group, _ in self._units[element]]
        read = {signal for group in groups for signal in group.cls.reads}
        inputs = sorted(read - {signal for group in groups for signal in group.cls.writes})
        if name not in inputs:
            has = ", ".join(inputs) or "none"
            msg = f"{element!r} has no input {name!r}, only {has}.{nearest(name, inputs)}"
            raise ScenarioError(msg)
        return self.system.slots[element, name]

    def set_input(self, element: str, name: str, value: float) -> None:
        """Set a signal of an element that its units read and none of them writes, such as `paux`.

        Raises
        ------
        ScenarioError
            When the element has no such input, or the value is no number.
        """
        if not np.isfinite(value):
            msg = f"input {name!r} of {element!r}: {value:g} is no finite number"
            raise ScenarioError(msg)
        self.system.s[self.input_slot(element, name)] = value
        for group, k in self._units[element]:
            group.cls.take(group.block, self.system.s, k)

    def apply_fault(self, bus: int, y_pu: complex) -> None:
        """Put an admittance to ground at an internal bus."""
        self.solution.network.switching.fault_y[bus] = y_pu
        self.solution.refresh()

    def clear_fault(self, bus: int) -> None:
        """Take the fault away."""
        self.solution.network.switching.fault_y.pop(bus, None)
        self.solution.refresh()

    def open_branches(self, branches: Iterable[int]) -> None:
        """Open branches at both ends."""
        self.solution.network.switching.open_branches.update(branches)
        self.solution.refresh()

    def close_branches(self, branches: Iterable[int]) -> None:
        """Close branches."""
        self.solution.network.switching.open_branches.difference_update(branches)
        self.solution.refresh()

    def trip(self, element: str) -> None:
        """Disconnect an element with everything that belongs to it."""
        for group in self.system.groups:
            for k, name in enumerate(group.elements):
                if name == element:
                    group.block.on[k] = False
        self.solution.refresh()

    def connect(self, element: str) -> None:
        """Connect an element that stands apart, its machine synchronised, with all that belongs to it."""
        configuration, v = self.solution.configuration, self.v_pu
        for group, x in zip(self.system.groups, self.system.views(self.system.x), strict=True):
            for k in [k for k, name in enumerate(group.elements) if name == element]:
                island = int(configuration.island[group.bus[k]])
                at = complex(v[group.bus[k]]) if island >= 0 else 0j
                speed = float(self.solution.work.coi[island]) if island >= 0 else 1.0
                group.cls.synchronise(group.block, x, k, at, speed)
                group.block.on[k] = True
        self.solution.refresh()

    def elements_of(self, block: Block) -> tuple[str, ...]:
        """Return the elements whose units share a block, for `Device.act`."""
        return next(group.elements for group in self.system.groups if group.block is block)

    def note(self, text: str) -> None:
        """Write into the log what happens now."""
        self.log.append((self.t_s, text))

    def shed(self, shares_pu: Mapping[str, float]) -> None:
        """Disconnect a share of what is left of each load, for good.

        Raises
        ------
        ScenarioError
            When an element has no model that can shed.
        """
        for element, share_pu in shares_pu.items():
            done = [group.cls.shed(group.block, k, share_pu) for group, k in self._units.get(element, [])]
            if not any(done):
                msg = f"{element!r} has no load that can be shed.{nearest(element, self._units)}"
                raise ScenarioError(msg)
        if shares_pu:
            self.solution.refresh()

    def change_load(self, element: str, p_mw: float, q_mvar: float = 0.0) -> None:
        """Let a load draw more than it is ordered to."""
        group, k = self._ordered(element)
        now = group.cls.demand(group.block, self.system.s, k) or 0j
        self.set_loads({element: now * self.system.point.model.base_mva + complex(p_mw, q_mvar)})

    def set_loads(self, powers: Mapping[str, complex]) -> None:
        """Set what loads are ordered to draw [MVA]; static loads do at the operating point's voltage.

        Raises
        ------
        ScenarioError
            When one is not there, its model takes no orders, or the power is no number.
        """
        base, changed = self.system.point.model.base_mva, False
        for element, power in powers.items():
            group, k = self._ordered(element)
            if not np.isfinite(power):
                msg = f"load {element!r}: {power:g} MVA is no finite power"
                raise ScenarioError(msg)
            before = group.cls.admittance(group.block)[k]
            group.cls.set_demand(group.block, self.system.s, k, power / base)
            changed |= bool(group.cls.admittance(group.block)[k] != before)
        if changed:
            self.solution.refresh()

    def _ordered(self, element: str) -> tuple[Group, int]:
        """Return the unit of an element that takes orders."""
        s = self.system.s
        for group, k in self._units.get(element, []):
            if group.cls.demand(group.block, s, k) is not None:
                return group, k
        known = [
            name
            for name, units in self._units.items()
            if any(group.cls.demand(group.block, s, k) is not None for group, k in units)
        ]
        msg = f"no load {element!r} that takes orders in the case.{nearest(element, known)}"
        raise ScenarioError(msg)
