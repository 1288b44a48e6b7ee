"""Machines and external grids: who holds which voltage, and what each delivers."""

from typing import Any

import numpy as np

from cosim.core.types import Bools, Floats, Ints
from grids.build import Model
from grids.elements import Elements, bus_rows
from grids.kernels.powerflow import read_sources
from grids.numbers import Complexes

GEN = ("p_mw", "q_mvar", "vm_pu", "p_response_mw")


class Sources:
    """The rows of the `gen` table: all gens, then all ext_grids."""

    def __init__(self, net: Any, elements: Elements) -> None:
        self.gens = len(net.gen)
        self.names = (*elements.names["gen"], *elements.names["ext_grid"])
        self.row: Ints = np.concatenate([bus_rows(net, net[t]["bus"]) for t in ("gen", "ext_grid")])
        self._elements = elements
        self._section = elements.section["gen"]
        fixed = elements.reference[self._section]
        self._ext_in_service = net.ext_grid["in_service"].to_numpy(dtype=bool)
        self.reference: Bools = np.concatenate([fixed, np.ones(len(net.ext_grid), dtype=np.bool_)])
        weights = [
            net[t]["slack_weight"].fillna(0.0).to_numpy(dtype=float)
            if "slack_weight" in net[t] else np.zeros(len(net[t]))
            for t in ("gen", "ext_grid")
        ]  # fmt: skip
        self._weight: Floats = np.concatenate(weights)

    def attach(self, model: Model) -> None:
        """Take a topology."""
        in_service = np.concatenate([self._elements.in_service[self._section], self._ext_in_service])
        self.bus: Ints = np.where(in_service, model.row_bus[self.row], -1)
        self.alive: Bools = self.bus >= 0
        self._at = np.where(self.alive, self.bus, 0)
        self._row_bus: Ints = model.row_bus[self.row]
        self._share: Floats = np.zeros((3, self.bus.size))
        """Of what its bus needs: share in p, share in q, and the q [Mvar] from which that share counts."""
        self._share[0] = self._slack_shares(model)
        low, high = model.q_min_mvar, model.q_max_mvar
        live = self.alive
        bus_low = np.bincount(self.bus[live], low[live], minlength=model.size)
        bus_high = np.bincount(self.bus[live], high[live], minlength=model.size)
        count = np.bincount(self.bus[live], minlength=model.size)
        width = (bus_high - bus_low)[self._at]
        even = 1.0 / np.maximum(count[self._at], 1)
        shared = (count[self._at] > 1) & (width > 0.0)
        by_range = np.divide(high - low, width, out=even, where=shared)
        self._share[1] = np.where(live, by_range, 0.0)
        self._share[2] = np.where(live & shared, low - bus_low[self._at] * by_range, 0.0)

    def _slack_shares(self, model: Model) -> Floats:
        """Return each reference machine's share of the power its bus takes from the slack."""
        mine = np.flatnonzero(self.alive & self.reference)
        weight = np.zeros(self.bus.size)
        weight[mine] = self._weight[mine]
        total = np.bincount(self.bus[mine], weight[mine], minlength=model.size)
        count = np.bincount(self.bus[mine], minlength=model.size)
        share = np.zeros(self.bus.size)
        for k in mine:
            b = self.bus[k]
            share[k] = weight[k] / total[b] if total[b] > 0.0 else 1.0 / count[b]
        return share

    def table(
        self,
        needed_mva: Complexes,
        vm_pu: Floats,
        response_mw: Floats,
        tie_to_row: Floats,
        tie_mw: Floats,
    ) -> Floats:
        """Return the columns `GEN`, shape (4, rows).

        Parameters
        ----------
        needed_mva
            What each bus must generate beyond all given powers [MVA], shape (buses,).
        vm_pu
            Voltages, shape (buses,).
        response_mw
            Part of each gen's power that answers frequency [MW], shape (gens,).
        tie_to_row
            Which ties come in through which row, shape (rows, ties).
        tie_mw
            What answers over each tie and what is planned to [MW], shape (2, ties).
        """
        table = np.empty((len(GEN), self.bus.size))
        given_mw = self._elements.p_mw[self._section]
        read_sources(
            needed_mva, vm_pu, self.bus, self._row_bus, given_mw, self._share, tie_to_row, tie_mw,
            response_mw, table,
        )  # fmt: skip
        return table

    def slack_mw(self, needed_mva: Complexes) -> float:
        """Return what all reference machines deliver [MW]."""
        return float(self._share[0] @ needed_mva.real[self._at])
