"""pandapower solves the same step on its own: the compiled solver is never its own witness."""

import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandapower as pp

from cosim.core.types import Bools, Floats
from grids.build import PF_OPTIONS
from grids.elements import Elements
from grids.numbers import Complexes

AGREEMENT_PU = 1e-8
"""Voltages further apart than this are reported."""


@dataclass
class Record:
    """What the cross-checks of a run found."""

    count: int = 0
    largest_pu: float = 0.0
    other_limits: int = 0
    """Checks in which pandapower chose other machines at limits, and both choices are solutions."""
    disagreements: list[str] = field(default_factory=list)


class CrossCheck:
    """A copy of the net that gets the same injections and is solved by `pandapower.runpp`."""

    def __init__(self, net: Any, elements: Elements) -> None:
        self._elements = elements
        self._net = copy.deepcopy(net)
        self._rest = slice(elements.section["unit"].start, elements.section["tie"].stop)
        buses = net.bus.index.to_numpy()[elements.row[self._rest]]
        first = len(net.load)
        if len(buses):
            pp.create_loads(self._net, buses, 0.0, 0.0)
        self._extra = slice(first, first + len(buses))
        for table in ("load", "sgen", "gen"):
            if "scaling" in self._net[table]:
                self._net[table]["scaling"] = 1.0
        self._stand_in = len(net.sgen)
        if len(net.gen):
            pp.create_sgens(self._net, net.gen["bus"].to_numpy(), 0.0, 0.0, in_service=False)
        self.usable = elements.shares is None or len(buses) == 0
        """pandapower averages voltage dependence over the loads of a bus: no witness where units join."""

    def follow(self, net: Any) -> None:
        """Take switching states, taps and shunt steps from the net."""
        mine = self._net
        for table in ("line", "trafo", "trafo3w", "gen"):
            if len(net[table]):
                mine[table]["in_service"] = net[table]["in_service"].to_numpy()
        for table in ("load", "sgen"):
            values = mine[table]["in_service"].to_numpy(dtype=bool).copy()
            values[: len(net[table])] = net[table]["in_service"].to_numpy()
            mine[table]["in_service"] = values
        mine.trafo["tap_pos"] = net.trafo["tap_pos"].to_numpy()
        mine.shunt["step"] = net.shunt["step"].to_numpy()

    def solve(self, *, limits: bool) -> Complexes | None:
        """Solve by pandapower; returns voltages of `net.bus` rows, or None without solution.

        With `limits` pandapower itself finds out which machines are at one: it is told nothing of ours.
        """
        nobody = np.zeros(len(self._net.gen), dtype=np.bool_)
        return self._solve(np.zeros(nobody.size), nobody, limits=limits)

    def solve_with(self, gens_q_mvar: Floats, limited: Bools) -> Complexes | None:
        """Solve with given gens at given reactive powers, to see whether that choice meets the equations.

        Parameters
        ----------
        gens_q_mvar
            Reactive generation of each gen, used for those in `limited`, shape (gens,).
        limited
            Gens that become injections, shape (gens,).
        """
        return self._solve(gens_q_mvar, limited, limits=False)

    def gens_q_mvar(self) -> Floats:
        """Return what pandapower says each gen of its last solution generates, nan out of service."""
        q: Floats = self._net.res_gen["q_mvar"].to_numpy(dtype=float)
        return np.where(self._net.gen["in_service"].to_numpy(dtype=bool), q, np.nan)

    def _solve(self, gens_q_mvar: Floats, limited: Bools, *, limits: bool) -> Complexes | None:
        e, net = self._elements, self._net
        load, sgen, gen = (e.section[t] for t in ("load", "sgen", "gen"))
        for column, values in (("p_mw", e.p_mw), ("q_mvar", e.q_mvar)):
            drawn = net.load[column].to_numpy(dtype=float).copy()
            drawn[: load.stop - load.start] = values[load]
            drawn[self._extra] = values[self._rest]
            net.load[column] = drawn
            given = np.zeros(len(net.sgen))
            given[: self._stand_in] = -values[sgen]
            net.sgen[column] = given
        given_mw = -e.p_mw[gen]
        net.gen["p_mw"] = given_mw
        in_service = e.in_service[gen].copy()
        stand_in = limited & in_service
        net.gen["in_service"] = in_service & ~stand_in
        own = net.sgen.index[self._stand_in :]
        net.sgen.loc[own, "in_service"] = stand_in
        net.sgen.loc[own, "p_mw"] = given_mw
        net.sgen.loc[own, "q_mvar"] = gens_q_mvar
        try:
            pp.runpp(net, **{**PF_OPTIONS, "enforce_q_lims": limits}, lightsim2grid=False)
        except (pp.LoadflowNotConverged, UserWarning, FloatingPointError):
            return None
        found: Complexes = net.res_bus["vm_pu"].to_numpy() * np.exp(
            1j * np.deg2rad(net.res_bus["va_degree"].to_numpy())
        )
        return found


def difference_pu(ours: Complexes, theirs: Complexes) -> float:
    """Return the largest difference of complex voltages [pu]; infinite where only one is energised."""
    alive = np.isfinite(ours)
    if not np.array_equal(alive, np.isfinite(theirs)):
        return float("inf")
    return float(np.max(np.abs(ours[alive] - theirs[alive]), initial=0.0))
