"""The network as it is switched now: factorised, with its islands, and solved for the units' currents."""

from contextlib import suppress
from types import ModuleType
from typing import Any

import numpy as np

from cosim.core.errors import SolveError
from cosim.core.types import Bools, Floats, Ints
from grids.dynamics.kernels.network import solve_shifted
from grids.dynamics.kernels.steps import Wiring
from grids.dynamics.network import Configuration, Network
from grids.dynamics.record import empty_work
from grids.dynamics.system import System
from grids.numbers import Complexes

SETTLED = 1e-20
"""Square of the change at which a fresh solution stands [pu²]: rounding of voltages near 1."""
NEWTON_STEPS = 30
FARTHEST_PU = 0.3
"""A Newton step moves no voltage farther than this, so that it does not leap over a bend of a load."""
SHORTEST = 1 / 64
"""Share of a Newton step below which it is taken although it does not help."""
STARTS = (None, 1.0, 0.3)
"""Where a solution is looked for: the present voltages, then those without loads, then a share of them, where
constant powers have turned into impedances."""
STEP_PU = 1e-6
"""Half-width of the central differences the Jacobian is taken with: error about 1e-10."""


class Solution:
    """Everything about the network that changes when something is switched.

    Parameters
    ----------
    system
        Units, started.
    compiled
        Their driver.
    tolerance_pu
        Change of voltage at which non-linear injections have settled in the loop.
    """

    configuration: Configuration
    wiring: Wiring

    def __init__(self, system: System, compiled: ModuleType, tolerance_pu: float) -> None:
        self.system = system
        self.network = Network(system.point.model)
        self.work = empty_work(system, tolerance_pu)
        self.theta: Floats = np.zeros(0)
        """Angle each island has turned away from the synchronous frame [rad]."""
        self.views = system.views(system.x)
        """States of each model."""
        self.stages = tuple(system.views(stage) for stage in self.work.stage)
        self.slopes = tuple(system.views(k) for k in self.work.k)
        self._driver = compiled
        self._blocks = tuple(group.block for group in system.groups)
        self.bent = any(part.nonlinear for part in system.parts)
        self.jacobian: Floats = np.zeros((system.ports.size if self.bent else 0, 2, 2))
        self._island: Ints = np.zeros(0, dtype=np.int64)
        self._fixed, self._rotor_bus, self._angle_bus, self._rotor_m_s = _numbering(system)
        self.refresh()

    @property
    def v_pu(self) -> Complexes:
        """Voltages of all internal buses, in the frame of each island's centre of inertia."""
        v, expand = self.work.v, self.configuration.expand
        return v.copy() if expand is None else np.asarray(expand @ v)

    @property
    def refactored_count(self) -> int:
        """Matrices factorised since the start, the first one included."""
        return self.network.factorised_count

    def refresh(self) -> None:
        """Factorise what is switched now and find its voltages, with Jacobians renewed until they stand.

        Raises
        ------
        SolveError
            When there are none, naming the worst bus.
        """
        for group in self.system.groups:
            group.cls.release(group.block)
        if not self.bent:
            self.refactor()
            return
        topology = self.network.topology(*self._at_bus())
        self._enter(topology.island, topology.islands)
        for share in STARTS:
            if share is not None:
                self.work.v[:] = share * self._unloaded()
            with suppress(SolveError):  # a Jacobian without an inverse: look elsewhere
                if self._newton():
                    return
        raise SolveError(self.unsolved())

    def refactor(self) -> None:
        """Factorise what is switched now, with the Jacobian as it is."""
        self._adopt(self._configure(self.jacobian))

    def resume(self, jacobian: Floats, theta: Floats, reference: Floats, v: Complexes) -> None:
        """Take up what was saved of an earlier time, in its frames; states and switching stand already."""
        self.jacobian = jacobian.copy()
        self._island = np.zeros(0, dtype=np.int64)  # no frame to carry over from
        self.refactor()
        self.theta[:] = theta
        self.wiring = self.wiring._replace(reference=reference.copy())
        self.work.v[:] = v

    def _newton(self) -> bool:
        """Solve by Newton's method, each step cut until the next one is shorter (Deuflhard's test [1]_).

        References
        ----------
        .. [1] P. Deuflhard, *Newton Methods for Nonlinear Problems*, 2004, section 3.3.
        """
        work = self.work
        for _ in range(NEWTON_STEPS):
            self._linearise()
            self._adopt(self._configure(self.jacobian))
            before = work.v.copy()
            size = self._correct()
            if size * size < SETTLED:
                return True
            if not np.isfinite(size):
                work.v[:] = before
                return False
            step, share = work.v - before, min(1.0, FARTHEST_PU / size)
            while True:
                work.v[:] = before + share * step
                better = self._correct() <= (1.0 - share / 4) * size
                work.v[:] = before + share * step
                if better or share < SHORTEST:
                    break
                share /= 2
        return False

    def _correct(self) -> float:
        """Put the voltages of one step with the present Jacobian in place; return the largest change [pu]."""
        work = self.work
        self._driver.inject_all(self._blocks, work, self.views, work.now)
        work.now[self.wiring.dead] = 0.0
        return float(np.sqrt(solve_shifted(self.configuration.net, work.now, work.v, work.fresh, work.spare)))

    def _configure(self, jacobian: Floats) -> Configuration:
        y, source = self._at_bus()
        return self.network.configure(y, source, self.system.ports, jacobian)

    def _at_bus(self) -> tuple[Complexes, Bools]:
        """Return the units' admittance at each bus, and where a source stands."""
        size = self.system.point.model.size
        y, source = np.zeros(size, dtype=np.complex128), np.zeros(size, dtype=bool)
        for group in self.system.groups:
            on = group.block.on
            np.add.at(y, group.bus[on], group.cls.admittance(group.block)[on])
            if group.cls.is_source():
                source[group.bus[on]] = True
        return y, source

    def _unloaded(self) -> Complexes:
        work = self.work
        plain = self._configure(np.zeros((0, 2, 2)))
        self._driver.inject_linear(self._blocks, work, self.views, work.now)
        work.now[self.wiring.dead] = 0.0
        v = np.zeros_like(work.v)
        net = plain.net._replace(jacobian=np.zeros_like(self.jacobian))
        solve_shifted(net, work.now, v, work.fresh, work.spare)
        return v

    def _linearise(self) -> None:
        """Take the Jacobian of the non-linear currents over their own bus's voltage."""
        work, v = self.work, self.work.v.copy()
        high, low = np.zeros_like(v), np.zeros_like(v)
        jacobian = np.zeros_like(self.jacobian)
        for part, direction in enumerate((1.0 + 0j, 1j)):
            for out, sign in ((high, 1.0), (low, -1.0)):
                work.v[:] = v + sign * STEP_PU * direction
                self._driver.inject(self._blocks, work, self.views, out)
            slope = (high - low) / (2 * STEP_PU)
            jacobian[:, 0, part], jacobian[:, 1, part] = slope.real, slope.imag
        work.v[:] = v
        self.jacobian = jacobian

    def _adopt(self, configuration: Configuration) -> None:
        """Take a configuration."""
        self._enter(configuration.island, configuration.islands)
        self.configuration = configuration

    def _enter(self, island: Ints, count: int) -> None:
        """Take islands, their centres of inertia and the wiring that goes with them."""
        if not np.array_equal(island, self._island):
            self._turn_into(island, count)
            self.work = self.work._replace(coi=np.ones(count))
        self._island = island
        rotor_island = island[self._rotor_bus]
        m = np.where(self._rotors_on() & (rotor_island >= 0), self._rotor_m_s, 0.0)
        angle = self.system.x[self._fixed["rotor_angle"]]
        reference = np.zeros(count)
        for i in range(count):
            here = (rotor_island == i) & (m > 0)
            if here.any():
                reference[i] = np.average(angle[here], weights=m[here])
        port_island = island[self.system.ports]
        self.wiring = Wiring(
            **self._fixed,
            rotor_island=rotor_island,
            rotor_m_s=m,
            angle_island=island[self._angle_bus],
            port_island=port_island,
            dead=np.flatnonzero(port_island < 0),
            reference=reference,
        )

    def _rotors_on(self) -> Bools:
        on = [group.block.on for group in self.system.groups if group.cls.rotor is not None]
        return np.concatenate(on) if on else np.zeros(0, dtype=bool)

    def _turn_into(self, island: Ints, count: int) -> None:
        """Turn angles and voltages from the frames of the islands there were into those there are now.

        Each takes over the frame of its first live bus, so where two have met the angles of one turn: what
        stood apart before stands apart by the same angle after.
        """
        before, self.theta = self.theta, np.zeros(count)
        if self._island.size == 0:
            return
        old = np.where(self._island >= 0, np.append(before, 0.0)[self._island], np.nan)
        for i in range(count):
            turned = old[(island == i) & np.isfinite(old)]
            self.theta[i] = turned[0] if turned.size else 0.0
        shift = np.nan_to_num(old - np.append(self.theta, np.nan)[island])
        self.system.x[self._fixed["angle"]] += shift[self._angle_bus]
        turn = np.exp(1j * shift[self.system.ports])
        np.multiply(self.work.v, turn, out=self.work.v)
        np.multiply(self.work.settled, turn, out=self.work.settled)

    def unsolved(self) -> str:
        """Say where the last solution moved most."""
        work = self.work
        change = np.abs(work.fresh - work.v)
        worst = int(np.argmax(np.where(np.isfinite(change), change, np.inf)))
        name, vm = self.system.bus_name(int(self.system.ports[worst])), abs(work.settled[worst])
        return (
            f"the network has no solution near the last one; worst at {name} ({vm:.3f} pu before). "
            "The loads there ask for more than the network can carry."
        )


def _numbering(system: System) -> tuple[dict[str, Any], Ints, Ints, Floats]:
    """Return which state is what, the buses of rotors and of angles, and the inertia of the rotors."""
    place = np.arange(system.x.size)
    lower, upper = np.full(system.x.size, -np.inf), np.full(system.x.size, np.inf)
    lists: dict[str, list[Any]] = {name: [] for name in ("rotor_angle", "rotor_speed", "angle")}
    rotor_bus, angle_bus, m = [], [], []
    for group in system.groups:
        if group.cls.rotor is not None:
            lists["rotor_angle"].append(place[group.state(group.cls.rotor[0])])
            lists["rotor_speed"].append(place[group.state(group.cls.rotor[1])])
            rotor_bus.append(group.bus)
            m.append(group.cls.inertia(group.block))
        for name in group.cls.angles:
            lists["angle"].append(place[group.state(name)])
            angle_bus.append(group.bus)
        for name, (low, high) in group.cls.bounds(group.block).items():
            lower[group.state(name)], upper[group.state(name)] = low, high
    cut = np.array([*(group.first for group in system.groups), system.x.size], dtype=np.int64)
    fixed: dict[str, Any] = {name: _joined(arrays) for name, arrays in lists.items()}
    bounded = np.flatnonzero(np.isfinite(lower) | np.isfinite(upper))
    fixed.update(cut=cut, lower=lower, upper=upper, bounded=bounded.astype(np.int64))
    inertia = np.concatenate(m) if m else np.zeros(0)
    return fixed, _joined(rotor_bus), _joined(angle_bus), inertia


def _joined(arrays: list[Ints]) -> Ints:
    return np.concatenate(arrays).astype(np.int64) if arrays else np.zeros(0, dtype=np.int64)
