"""Halls as arrays: their racks, loops and plants, advanced by the kernel and settled in equilibrium."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cosim.core.streams import Streams
from cosim.core.types import Bools, Floats
from datacenters.kernels import hall as kernel
from datacenters.kernels import hall_rows as rows
from datacenters.kernels.chillers import N_CHILLER
from datacenters.kernels.plant import N_REJECTION
from datacenters.sizing import initial_nodes, kernel_parameters, machines, rack_block, thermal_network
from datacenters.thermal import Network, propagators

if TYPE_CHECKING:
    from datacenters.hall import GpuHallParams

LONGEST_SUBSTEP_S = 1.0
SHAPED_SUBSTEP_S = 0.25
"""Where racks have floors or ramp limits: a ramp is a staircase of sub-steps."""
LONG_AGO_S = 1e9
SETTLING_S = 5.0
"""Time constant that slow masses are given to find an equilibrium, which does not depend on them."""
SETTLE_STEPS, SETTLE_CHUNKS = 128, 100
SETTLED_K = 1e-10


class HallModel:
    """All halls of a component: what is fixed, and their states.

    States are arrays with a row a hall (`nodes`, `drives`, `memory`), and `racks`, hall by hall a block of
    rows; see `kernels.hall_rows`. `inputs` are written by whoever drives it, (halls, N_INPUTS).
    """

    def __init__(self, params: Sequence[GpuHallParams]) -> None:
        self.count = len(params)
        self._given = tuple(params)
        self._networks = [thermal_network(p) for p in params]
        groups = [p.rack_groups_count for p in params]
        first = np.concatenate([[0], np.cumsum(groups)])[: self.count].tolist()
        found = [kernel_parameters(p, f) for p, f in zip(params, first, strict=True)]
        self.params = np.array(found).reshape(-1, rows.N_PARAMS)
        self._capacity = np.array([n.capacity for n in self._networks]).reshape(-1, rows.N_NODES)
        self.plants = np.array([machines(p) for p in params]).reshape(-1, 2, N_REJECTION + N_CHILLER)
        self._first = np.array([initial_nodes(p) for p in params]).reshape(-1, rows.N_NODES)
        self._blocks = [
            slice(rows.N_RACK_ROWS * f, rows.N_RACK_ROWS * (f + g))
            for f, g in zip(first, groups, strict=True)
        ]
        self._longest_s = SHAPED_SUBSTEP_S if any(p.smoothing for p in params) else LONGEST_SUBSTEP_S
        self._propagators: dict[float, Floats] = {}
        self._scratch = np.empty(kernel.N_SCRATCH)
        self.inputs = np.zeros((self.count, rows.N_INPUTS))
        self.reset(Streams(0), [f"hall {i}" for i in range(self.count)])

    def reset(self, streams: Streams, names: Sequence[str]) -> None:
        """Return to the first guess of all states; racks are drawn from the stream of their hall."""
        blocks = [
            rack_block(p, streams.stream(f"hall/{name}")).ravel()
            for p, name in zip(self._given, names, strict=True)
        ]
        self.racks = np.concatenate([*blocks, np.empty(0)])
        self.nodes = self._first.copy()
        self.drives = np.zeros((self.count, rows.N_DRIVES))
        self.drives[:, rows.ONE] = 1.0
        self.memory = np.zeros((self.count, rows.N_MEMORY))
        self.memory[:, rows.HELD_MW] = self.params[:, rows.IDLE_MW]
        self.memory[:, [rows.MOVED_S, rows.COOLED_S, rows.GOOD_S]] = LONG_AGO_S

    def share(self, other: HallModel) -> None:
        """Take the propagators another model has worked out for the same halls, and add to them."""
        self._propagators = other._propagators

    def block(self, hall: int) -> Floats:
        """Return the racks of one hall, (N_RACK_ROWS, racks), a view."""
        return self.racks[self._blocks[hall]].reshape(rows.N_RACK_ROWS, -1)

    def advance(self, dt_s: float) -> Floats:
        """Advance all halls on their `inputs` by `dt_s` and return their outputs, (N_OUTPUTS, halls).

        The number of sub-steps is a power of two, so that halving the step leaves them what they are.
        """
        steps = 1 << max(math.ceil(math.log2(dt_s / self._longest_s) - 1e-9), 0)
        if dt_s not in self._propagators:
            found = [propagators(network, dt_s / steps) for network in self._networks]
            shape = (-1, rows.N_PROPAGATORS, rows.N_COLUMNS, rows.N_NODES)
            self._propagators[dt_s] = np.array(found).reshape(shape)
        return self._run(steps, dt_s / steps, self.params, self._capacity, self._propagators[dt_s])

    def _run(self, steps: int, dt_s: float, params: Floats, capacity: Floats, moves: Floats) -> Floats:
        outputs = np.empty((rows.N_OUTPUTS, self.count))
        kernel.advance_halls(
            steps, dt_s, params, capacity, self.plants, moves, self.inputs, self.nodes, self.drives,
            self.memory, self.racks, outputs, self._scratch,
        )  # fmt: skip
        return outputs

    def settle(self) -> Bools:
        """Bring all halls into equilibrium with their `inputs`; return which of them find none.

        Run until nothing moves, with every slow mass made small: where a hall rests does not depend on them.
        Nothing trips meanwhile.
        """
        params, quick = self.params.copy(), [self._quick(i) for i in range(self.count)]
        params[:, [rows.T_TRIP, rows.T_INLET_TRIP]] = np.inf
        for row, ua in ((rows.C_DIE, self._die_mw_per_k()), (rows.C_MASS, params[:, rows.UA_MASS])):
            params[:, row] = np.minimum(params[:, row], SETTLING_S * ua)
        capacity = np.array([net.capacity for net in quick]).reshape(-1, rows.N_NODES)
        shape = (-1, rows.N_PROPAGATORS, rows.N_COLUMNS, rows.N_NODES)
        moves = np.array([propagators(net, LONGEST_SUBSTEP_S) for net in quick]).reshape(shape)
        for _ in range(SETTLE_CHUNKS):
            nodes, racks = self.nodes.copy(), self.racks.copy()
            self._run(SETTLE_STEPS, LONGEST_SUBSTEP_S, params, capacity, moves)
            changed = np.abs(self.racks - racks)
            moved = np.max(np.abs(self.nodes - nodes), axis=1, initial=0.0)
            moved = np.maximum(moved, [float(np.max(changed[block])) for block in self._blocks])
            if np.all(moved <= SETTLED_K):
                break
        return np.asarray(moved > SETTLED_K)

    def _quick(self, hall: int) -> Network:
        """Return the network of one hall with capacities that follow within seconds."""
        net = self._networks[hall]
        around = np.zeros(rows.N_NODES)
        around[[rows.T_BACK, rows.T_FACILITY]] = net.facility_mw_per_k
        around[rows.T_SUPPLY] = self.params[hall, rows.FLOW_MW_PER_K]
        around[[rows.T_AIR, rows.T_INLET]] = net.air_mw_per_k
        around[[rows.T_CHILLED_BACK, rows.T_CHILLED]] = net.chilled_mw_per_k
        around[rows.T_STRUCTURE] = net.structure_mw_per_k
        slow = np.where(around > 0.0, np.minimum(net.capacity, SETTLING_S * around), net.capacity)
        return replace(net, capacity=slow)

    def _die_mw_per_k(self) -> Floats:
        found = [float(self.block(i)[rows.UA_DIE].mean()) for i in range(self.count)]
        return np.array(found, dtype=np.float64)
