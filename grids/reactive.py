"""Reactive limits: a machine at its limit no longer holds its voltage, and takes it up again."""

from dataclasses import dataclass

import numpy as np

from cosim.core.types import Bools, Floats, Ints
from grids.build import Model
from grids.kernels.powerflow import outside
from grids.numbers import Indices

Q_TOLERANCE_MVAR = 1e-6
"""A machine this little beyond its limit still holds its voltage: ten times the solver's tolerance."""
VM_TOLERANCE_PU = 1e-7
"""A voltage this close to its set-point gives no reason to take it up again."""


@dataclass(frozen=True)
class Switch:
    """A bus that stopped or resumed holding its voltage."""

    bus: int
    side: int
    """+1 upper limit, -1 lower limit, 0 holds again."""


class ReactiveLimits:
    """Which buses hold their voltage, given the reactive range of the machines in service there.

    A bus whose machines would have to leave their range together is held at the limit (PV -> PQ). It
    holds again when its voltage lies beyond the set-point on the side the limit cannot explain. All that
    must switch do so together, until one has gone back and forth: from then on only the first in order
    switches, which is Murty's least-index method for complementarity problems [1]_. It cannot cycle where
    every machine raises its own voltage most (a P-matrix).

    References
    ----------
    .. [1] K. G. Murty, "Note on a Bard-type scheme for solving the complementarity problem",
       Opsearch 11, 1974, 123-130.
    """

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled
        self._model: Model | None = None
        self.side: Ints = np.zeros(0, dtype=np.int64)
        self.rest()

    def attach(self, model: Model, source_bus: Ints, side: Ints | None = None) -> None:
        """Take a topology; `side` keeps the state of buses that are known from before."""
        n = model.size
        alive = source_bus >= 0
        self._model = model
        self.q_min_mvar: Floats = np.zeros(n)
        self.q_max_mvar: Floats = np.zeros(n)
        np.add.at(self.q_min_mvar, source_bus[alive], model.q_min_mvar[alive])
        np.add.at(self.q_max_mvar, source_bus[alive], model.q_max_mvar[alive])
        self.switchable: Bools = np.zeros(n, dtype=np.bool_)
        self.switchable[model.pv] = True
        has_machine = np.zeros(n, dtype=np.bool_)
        has_machine[source_bus[alive]] = True
        self.switchable &= has_machine  # the inner bus of an xward has no limit
        self.side = np.zeros(n, dtype=np.int64) if side is None else np.where(self.switchable, side, 0)
        self._sort()

    def _sort(self) -> None:
        model = self._model
        assert model is not None  # noqa: S101 - attach comes first
        self.pv: Indices = model.pv[self.side[model.pv] == 0]
        limited = np.flatnonzero(self.side)
        self.pq: Indices = np.sort(np.concatenate([model.pq, limited])).astype(np.int32)
        self._held = np.flatnonzero(self.switchable & (self.side == 0))
        self._held_max = self.q_max_mvar[self._held] + Q_TOLERANCE_MVAR
        self._held_min = self.q_min_mvar[self._held] - Q_TOLERANCE_MVAR
        self._limited = limited

    def rest(self) -> None:
        """Begin a new step: all switch together again."""
        self._released: set[int] = set()
        self._one_by_one = False

    def limit_mvar(self) -> Floats:
        """Return what the machines at limited buses generate, shape (buses,), zero elsewhere."""
        q = np.zeros(self.side.size)
        at = self._limited
        q[at] = np.where(self.side[at] > 0, self.q_max_mvar[at], self.q_min_mvar[at])
        return q

    @property
    def any_limited(self) -> bool:
        """Return whether any bus is at a limit."""
        return self._limited.size > 0

    def review(self, q_mvar: Floats, vm_pu: Floats) -> list[Switch]:
        """Switch every bus that must, from the generation each bus needs; empty when all is settled.

        Parameters
        ----------
        q_mvar
            Reactive generation at each bus [Mvar], shape (buses,).
        vm_pu
            Voltages [pu], shape (buses,).
        """
        if not self.enabled:
            return []
        model = self._model
        assert model is not None  # noqa: S101 - attach comes first
        held = self._held
        if self._limited.size == 0 and not outside(q_mvar, held, self._held_min, self._held_max):
            return []
        q = q_mvar[held]
        over, under = held[q > self._held_max], held[q < self._held_min]
        switches = [Switch(int(b), 1) for b in over] + [Switch(int(b), -1) for b in under]
        for b in self._limited:
            gap = (vm_pu[b] - model.vm_set_pu[b]) * self.side[b]
            if gap > VM_TOLERANCE_PU:
                switches.append(Switch(int(b), 0))
        if self._one_by_one and switches:
            switches = [min(switches, key=lambda switch: switch.bus)]
        for switch in switches:
            self.side[switch.bus] = switch.side
            if switch.side == 0:
                self._released.add(switch.bus)
            elif switch.bus in self._released:
                self._one_by_one = True
        if switches:
            self._sort()
        return switches
