"""The network as it stands: its topology, taps and reactive limits, and the solver built for it."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cosim.core.types import Bools, Floats, Ints
from grids.branches import Branches, Ratings
from grids.build import Model, build_model
from grids.elements import Elements, element_names
from grids.flow import Demand, Flow
from grids.kernels.powerflow import sum_at
from grids.numbers import Complexes
from grids.reactive import ReactiveLimits, Switch
from grids.solver import Solution
from grids.sources import Sources
from grids.taps import Move, TapTable, apply_shunt, apply_tap, shunt_regulator, tap_regulator


@dataclass(frozen=True)
class Islanding:
    """Buses that lost or regained their source with a change of topology."""

    lost: tuple[str, ...]
    regained: tuple[str, ...]
    machines: tuple[str, ...] = ()
    """Machines in service at lost buses: none of them holds an angle, so the island has no reference."""


class NetworkState:
    """A copy of a case's net that can be switched, and everything built from its present topology.

    Parameters
    ----------
    net
        The case's net; it is copied.
    elements
        Given powers.
    q_limits, tap_control
        What acts.
    tolerance_mva
        Of the solver.
    """

    def __init__(
        self, net: Any, elements: Elements, *, q_limits: bool, tap_control: bool, tolerance_mva: float
    ) -> None:
        self._origin = net
        self.elements = elements
        self._q_limits = q_limits
        self._tolerance_mva = tolerance_mva
        self._ratings = Ratings(net)
        self._table = TapTable(net)
        self.bus_names = element_names(net.bus, "bus")
        devices = tap_regulator(net).joined(shunt_regulator(net))
        self.regulator = devices if tap_control and devices.rows.size else None
        self.sources = Sources(net, elements)
        self._generating: Bools = np.zeros(elements.row.size, dtype=np.bool_)
        for kind in ("sgen", "gen", "tie"):
            self._generating[elements.section[kind]] = True
        self.reset()

    def reset(self) -> None:
        """Return to the operating point."""
        self.net = copy.deepcopy(self._origin)
        self.elements.reset()
        if self.regulator is not None:
            self.regulator.reset()
        tap = self.net.trafo["tap_pos"].to_numpy(dtype=float)
        neutral = self.net.trafo["tap_neutral"].to_numpy(dtype=float)
        self.tap_pos: Floats = np.where(np.isfinite(tap), tap, np.nan_to_num(neutral))
        self.reactive = ReactiveLimits(self._q_limits)
        self._take(build_model(self.net), None)
        self.v: Complexes = self.model.v_start.copy()
        self.last: tuple[Demand, Complexes] | None = None
        self.failed: Ints | None = None
        """Bus types the last solve got stuck with, None where it did not."""

    def _take(self, model: Model, side: Ints | None) -> None:
        self.model = model
        self.element_bus = self.elements.bus(model)
        self.alive: Bools = self.element_bus >= 0
        self.fixed_mw = float(model.fixed_mva.real.sum())
        """What elements of other kinds than load, sgen and gen inject [MW]."""
        self.live_row: Ints = np.where(self.alive, self.elements.row, -1)
        self.generates: Floats = (self.alive & self._generating).astype(np.float64)
        """1 for what injects a given power, else 0."""
        self.sources.attach(model)
        self.reactive.attach(model, self.sources.bus, side)
        self.flow = Flow(model, self.sources.bus, self.reactive, self._tolerance_mva)
        if self.regulator is not None:
            self.regulator.attach(model.row_bus, self._acting())
        self.branches = Branches(model, self._ratings, self.elements)

    def _acting(self) -> Bools:
        """Return which devices of the regulator are in service; an open switch takes them out, too."""
        regulator = self.regulator
        assert regulator is not None  # noqa: S101 - the caller looked
        branch = self.model.rows.get("trafo", np.zeros(0, dtype=np.int64))
        joined = branch < self.model.branch_from.size
        shunt = self.net.shunt["in_service"].to_numpy(dtype=bool)
        devices = zip(regulator.table, regulator.rows, strict=True)
        return np.array([bool((joined if table == "trafo" else shunt)[row]) for table, row in devices])

    def switch(self, changes: Sequence[tuple[str, int, bool]]) -> Islanding:
        """Trip or close elements `(table, row, in service)` and rebuild; what still holds is kept."""
        e = self.elements
        for table, row, on in changes:
            frame = self.net[table]
            frame.iloc[row, frame.columns.get_loc("in_service")] = on
            if table in e.section:
                e.in_service[e.section[table].start + row] = on
        before, v, side = self.model, self.v, self.reactive.side
        model = build_model(self.net)
        old, new = before.row_bus, model.row_bus
        both = (old >= 0) & (new >= 0)
        start, kept = model.v_start.copy(), np.zeros(model.size, dtype=np.int64)
        start[new[both]] = v[old[both]]
        kept[new[both]] = side[old[both]]
        self._take(model, kept)
        self.v = start
        self.last = None
        names, gone = self.bus_names, (old >= 0) & (new < 0)
        gens = e.section["gen"]
        left = e.in_service[gens] & gone[e.row[gens]]
        return Islanding(
            tuple(names[k] for k in np.flatnonzero(gone)),
            tuple(names[k] for k in np.flatnonzero((old < 0) & (new >= 0))),
            tuple(e.names["gen"][k] for k in np.flatnonzero(left)),
        )

    def demand(self, drawn: tuple[Floats, Floats] | None = None) -> Demand:
        """Return what the elements draw now, by bus; or would if they drew `drawn` (elements,) [MW, Mvar]."""
        e, n = self.elements, self.model.size
        p_mw, q_mvar = (e.p_mw, e.q_mvar) if drawn is None else drawn
        p, q = np.empty(n), np.empty(n)
        sum_at(self.element_bus, p_mw, q_mvar, p, q)
        if e.shares is None:
            return Demand(p, q)
        part = e.section["load"]
        at, alive = self.element_bus[part], self.element_bus[part] >= 0
        parts = []
        for first in (0, 1):
            s = e.shares[first] * p_mw[part] + 1j * e.shares[first + 2] * q_mvar[part]
            total = np.zeros(n, dtype=np.complex128)
            np.add.at(total, at[alive], s[alive])
            parts.append(total)
        return Demand(p, q, parts[0], parts[1])

    def solve(self, demand: Demand) -> tuple[Solution, list[Switch]]:
        """Solve from the last voltages, else from others that know less; keeps the result if there is one.

        Also returns which buses ended up switched, against the last solution.
        """
        types = self.reactive.side.copy()
        self.failed = None
        for attempt in range(4 if self.reactive.any_limited else 3):
            # limits of another demand can be in the way: every start but the first is without them
            start = (self.v, self.model.v_start, None, self.v)[attempt]
            if attempt:
                self.flow.restore(np.zeros_like(types))
            found, switches = self.flow.solve(demand, self.flow.unloaded() if start is None else start)
            if found.converged:
                self.v, self.last, self.failed = found.v, (demand, found.v), None
                return found, self._switched(types) if switches or attempt else switches
            if self.failed is None:  # the warm start's limits say most: it came closest
                self.failed = self.reactive.side.copy()
        self.flow.restore(types)
        return found, []

    def _switched(self, before: Ints) -> list[Switch]:
        after = self.reactive.side
        return [Switch(int(b), int(after[b])) for b in np.flatnonzero(after != before)]

    def drawn_mw(self, vm_pu: Floats) -> float:
        """Return what all given powers of the last solution draw together [MW], generation negative."""
        demand = self.demand() if self.last is None else self.last[0]
        if demand.current_mva is None:
            return float(demand.p_mw.sum()) - self.fixed_mw
        return float(demand.power(self.model, vm_pu).real.sum())

    def v_rows(self) -> Complexes:
        """Return the complex voltage of each row of `net.bus` [pu], nan where not energised."""
        row_bus = self.model.row_bus
        return np.where(row_bus >= 0, self.v[np.maximum(row_bus, 0)], np.nan)

    def move(self, moves: Sequence[Move]) -> None:
        """Carry out steps of tap changers and shunts."""
        for move in moves:
            if move.table == "trafo":
                apply_tap(self.net, self.model, self._table, move)
                self.tap_pos[move.row] = move.position
            else:
                apply_shunt(self.net, self.model, move)
        self.flow.refresh()
