"""Result tables of buses, lines and transformers from the voltages of a solution."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cosim.core.types import Bools, Floats, Ints
from grids.build import Model
from grids.elements import Elements
from grids.kernels.powerflow import branch_flows, heat_mw, read_branches, read_buses, sum_at
from grids.numbers import Complexes

BUS = ("vm_pu", "va_degree", "p_mw", "q_mvar")
LINE = ("loading_percent", "i_ka", "p_from_mw", "q_from_mvar", "pl_mw")
TRAFO = ("loading_percent", "p_hv_mw", "q_hv_mvar", "pl_mw", "tap_pos")
TRAFO3W = ("loading_percent", "p_hv_mw", "q_hv_mvar", "p_mv_mw", "q_mv_mvar", "p_lv_mw", "q_lv_mvar", "pl_mw")

LOADING = 0
"""Place of `loading_percent` in the columns of branches."""

Columns = Mapping[str, Floats]
"""Columns of a table by name, each over its elements."""


def _per_percent(current_ka: Floats) -> Floats:
    """Return percent per kA; infinite where the rating is zero, as pandapower has it."""
    with np.errstate(divide="ignore"):
        return np.asarray(100.0 / current_ka, dtype=np.float64)


class Ratings:
    """Loading per current, as pandapower defines it: percent per kA at each end. Fixed for the run."""

    def __init__(self, net: Any) -> None:
        line, trafo, three = net.line, net.trafo, net.trafo3w
        self.line = _per_percent((line["max_i_ka"] * line["df"] * line["parallel"]).to_numpy(dtype=float))
        spread = (
            np.sqrt(3.0) / (trafo["sn_mva"] * trafo["parallel"] * trafo["df"]).to_numpy(dtype=float) * 100.0
        )
        self.trafo_hv = trafo["vn_hv_kv"].to_numpy(dtype=float) * spread
        self.trafo_lv = trafo["vn_lv_kv"].to_numpy(dtype=float) * spread
        self.three = []
        for side in ("hv", "mv", "lv"):
            rated_ka = three[f"sn_{side}_mva"] / three[f"vn_{side}_kv"] / np.sqrt(3.0)
            self.three.append(_per_percent(rated_ka.to_numpy(dtype=float)))


class Branches:
    """Flows of one topology and the tables read from them."""

    def __init__(self, model: Model, ratings: Ratings, elements: Elements) -> None:
        self._model = model
        self._ratings = ratings
        count = model.branch_from.size
        none = np.zeros(0, dtype=np.int64)
        self._line = model.rows.get("line", none)
        self._trafo = model.rows.get("trafo", none)
        self._three = np.split(model.rows.get("trafo3w", none), 3)
        self._flow: Floats = np.zeros((count + 1, 6))
        self._leaving: Complexes = np.zeros(model.size, dtype=np.complex128)
        self._inner = np.flatnonzero(~model.own_branch)
        self._elements = elements
        rows = model.row_bus.size
        self._alive: Bools = model.row_bus >= 0
        self._first = np.full(model.size, -1, dtype=np.int64)
        for row in range(rows - 1, -1, -1):
            if self._alive[row]:
                self._first[model.row_bus[row]] = row
        self._fused = np.flatnonzero(self._alive).size > np.unique(model.row_bus[self._alive]).size
        self._named = np.flatnonzero(self._first >= 0)
        self._own_p: Floats = np.zeros(rows)
        self._own_q: Floats = np.zeros(rows)

    def solve(self, v: Complexes) -> None:
        """Compute all flows, which the tables then are read from."""
        model = self._model
        branch_flows(
            v, model.branch_from, model.branch_to, model.branch_y, model.base_mva, model.i_base_ka,
            self._flow, self._leaving,
        )  # fmt: skip

    def losses_mw(self, vm_pu: Floats) -> float:
        """Return what branches and shunts turn into heat [MW]; `solve` comes first."""
        model = self._model
        return float(heat_mw(vm_pu, model.bus_y, self._leaving, model.base_mva))

    def bus(self, v: Complexes, vm_pu: Floats, row: Ints, p_mw: Floats, q_mvar: Floats) -> Floats:
        """Return the columns `BUS`, shape (4, rows); `row, p_mw, q_mvar` are known consumptions at such rows.

        What branches carry away must be injected at the bus. Where several rows are one bus (closed
        bus-bus switches), each has its own elements and the first one whatever is not in them.
        """
        model = self._model
        leaving = self._leaving
        if self._inner.size:
            leaving = leaving.copy()
            f = self._inner
            into = self._flow[f, 0] + 1j * self._flow[f, 1]
            np.subtract.at(leaving, model.branch_from[f], into / model.base_mva)
        table = np.empty((4, model.row_bus.size))
        read_buses(model.row_bus, v, vm_pu, leaving, model.base_mva, table)
        if self._fused:
            drawn = -leaving * model.base_mva
            sum_at(row, p_mw, q_mvar, self._own_p, self._own_q)
            first = self._first[self._named]
            for column, own, whole in ((2, self._own_p, drawn.real), (3, self._own_q, drawn.imag)):
                table[column, self._alive] = own[self._alive]
                table[column, first] += self._rest(whole, own)
        return table

    def _rest(self, drawn: Floats, own: Floats) -> Floats:
        at = self._model.row_bus[self._alive]
        known = np.bincount(at, own[self._alive], minlength=self._model.size)
        return np.asarray((drawn - known)[self._named], dtype=np.float64)

    def line(self) -> Floats:
        """Return the columns `LINE`, shape (5, lines); a line out of service carries nothing."""
        table = np.empty((5, self._line.size))
        read_branches(self._flow, self._line, self._ratings.line, self._ratings.line, table)
        return table

    def trafo(self, tap_pos: Floats) -> Floats:
        """Return the columns `TRAFO`, shape (5, transformers)."""
        table = np.empty((5, self._trafo.size))
        read_branches(self._flow, self._trafo, self._ratings.trafo_hv, self._ratings.trafo_lv, table)
        table[1:4], table[4] = table[2:], tap_pos
        return table

    def trafo3w(self) -> Floats:
        """Return the columns `TRAFO3W`, shape (8, three-winding transformers)."""
        hv, mv, lv = (self._flow[rows] for rows in self._three)
        loads = [i * r for i, r in zip((hv[:, 4], mv[:, 5], lv[:, 5]), self._ratings.three, strict=True)]
        powers = (hv[:, 0], hv[:, 1], mv[:, 2], mv[:, 3], lv[:, 2], lv[:, 3])
        losses = hv[:, 0] + mv[:, 2] + lv[:, 2]
        return np.array([np.max(np.array(loads), axis=0), *powers, losses])
