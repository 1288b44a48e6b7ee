"""pandapower as a witness of a run: regular cross-checks, second opinions, and what to say in failure."""

from collections.abc import Callable

import numpy as np

from grids.crosscheck import AGREEMENT_PU, CrossCheck, Record, difference_pu
from grids.diagnosis import Diagnosis, diagnose
from grids.flow import Demand
from grids.network_state import NetworkState
from grids.numbers import Complexes

DOUBT_EVERY = 500
"""Exchanges between two cross-checks for reactive limits and tap moves: pandapower is 100 times slower."""

BEYOND_MVAR = 1e-4
"""A machine this little beyond its range is within it: 1e-8 pu over the stiffest branches of real nets."""
BEYOND_PU = 1e-6
"""A voltage this close to its set-point does not contradict a limit: ten times our own tolerance."""


class Witness:
    """Decides when pandapower is asked, and keeps what it said.

    Parameters
    ----------
    state
        The network as it stands.
    every
        Exchanges between two checks; 0 checks the first one and on doubt only.
    """

    def __init__(self, state: NetworkState, every: int) -> None:
        self._state = state
        self._every = every
        self._check = CrossCheck(state.net, state.elements)
        self.reset()

    def reset(self) -> None:
        """Forget the last run."""
        self.record = Record()
        self._steps = 0
        self._checked = -1
        self._wrong = ""

    def look(self, *, doubt: bool, changed: bool) -> str | None:
        """Check a solved exchange if one is due; returns what is wrong, if anything is.

        A changed topology is always checked, a doubt (reactive limits, tap moves) not more often than
        every `DOUBT_EVERY` exchanges.
        """
        self._steps += 1
        since = self._steps - self._checked
        due = (
            self._checked < 0
            or changed
            or (self._every > 0 and since >= self._every)
            or (doubt and since >= DOUBT_EVERY)
        )
        if not due:
            return None
        self._checked = self._steps
        known = len(self.record.disagreements)
        self.difference_pu()
        return self._wrong if len(self.record.disagreements) > known else None

    def difference_pu(self) -> float:
        """Let pandapower solve the present state; returns the largest difference of voltages [pu].

        Pandapower finds the machines at reactive limits itself. Where it arrives elsewhere, it solves
        with ours at their limits: if the voltages then agree and every machine of *its* solution is
        within its range, on the side its limit explains, ours is a solution, too, and is counted as
        `other_limits`; else it is a disagreement. What disagrees is kept in the record.

        nan where pandapower cannot be a witness: voltage-dependent loads at buses with units.
        """
        if not self._check.usable:
            return float("nan")
        state, record = self._state, self.record
        self._check.follow(state.net)
        enforced = state.reactive.enabled
        gap = self._gap(self._check.solve(limits=enforced))
        self._wrong = f"voltages differ from pandapower's by {gap:.3g} pu"
        if np.isinf(gap):
            self._wrong = "pandapower finds no solution, or energises other buses"
        agrees = gap <= AGREEMENT_PU
        if not agrees and enforced:
            with_ours = self._gap(self._with_our_limits())
            if with_ours <= AGREEMENT_PU:
                beyond = self._beyond_limits()
                agrees = not beyond
                self._wrong += f"; not a solution within reactive limits: {', '.join(beyond)}"
                gap = with_ours if agrees else gap
                record.other_limits += agrees
        record.count += 1
        record.largest_pu = max(record.largest_pu, gap)
        if not agrees:
            where = "operating point" if self._steps == 0 else f"exchange {self._steps}"
            record.disagreements.append(f"check {record.count}, {where}: {self._wrong}")
        return gap

    def _gap(self, theirs: Complexes | None) -> float:
        return float("inf") if theirs is None else difference_pu(self._state.v_rows(), theirs)

    def _with_our_limits(self) -> Complexes | None:
        """Let pandapower solve with the machines we found at limits there, and all others free."""
        state = self._state
        gens = state.sources.gens
        bus = state.sources.bus[:gens]
        side = np.where(bus >= 0, state.reactive.side[np.maximum(bus, 0)], 0)
        model = state.model
        q = np.where(side > 0, model.q_max_mvar[:gens], model.q_min_mvar[:gens])
        return self._check.solve_with(q, side != 0)

    def _beyond_limits(self) -> list[str]:
        """Return the machines that pandapower's last solution, with ours at limits, contradicts."""
        state, reactive = self._state, self._state.reactive
        q, gens = self._check.gens_q_mvar(), state.sources.gens
        bus = state.sources.bus[:gens]
        needed = np.zeros(reactive.side.size)
        known = (bus >= 0) & np.isfinite(q)
        np.add.at(needed, bus[known], q[known])
        free = reactive.switchable & (reactive.side == 0)
        over = free & (needed > reactive.q_max_mvar + BEYOND_MVAR)
        under = free & (needed < reactive.q_min_mvar - BEYOND_MVAR)
        gap_pu = np.nan_to_num(state.flow.vm_pu - state.model.vm_set_pu) * reactive.side
        wrong = over | under | (gap_pu > BEYOND_PU)
        return [state.sources.names[k] for k in np.flatnonzero((bus >= 0) & wrong[np.maximum(bus, 0)])]

    def second_opinion(self) -> bool:
        """Let pandapower look for the solution ours did not find; its voltages are the next start."""
        state = self._state
        self._check.follow(state.net)
        theirs = self._check.solve(limits=state.reactive.enabled) if self._check.usable else None
        if theirs is None:
            return False
        row_bus = state.model.row_bus
        known = (row_bus >= 0) & np.isfinite(theirs)
        start = state.model.v_start.copy()
        start[row_bus[known]] = theirs[known]
        state.v = start
        return True


def bus_namer(state: NetworkState) -> Callable[[int], str]:
    """Return a function that names a bus of the model."""
    row_bus = state.model.row_bus

    def name(bus: int) -> str:
        rows = np.flatnonzero(row_bus == bus)
        return state.bus_names[int(rows[0])] if rows.size else f"internal bus {bus}"

    return name


def machine_namer(state: NetworkState) -> Callable[[int], tuple[str, ...]]:
    """Return a function that names the machines at a bus of the model."""
    sources = state.sources

    def names(bus: int) -> tuple[str, ...]:
        return tuple(sources.names[k] for k in np.flatnonzero(sources.bus == bus))

    return names


def explain(state: NetworkState, demand: Demand) -> Diagnosis:
    """Return what can be said about a demand the network has no solution for."""
    names = state.elements.names
    in_service = state.net.bus["in_service"].to_numpy(dtype=bool)
    dead = np.flatnonzero((state.model.row_bus < 0) & in_service)
    return diagnose(
        state.flow,
        state.branches,
        demand,
        state.last,
        bus_name=bus_namer(state),
        stuck=state.reactive.side.copy() if state.failed is None else state.failed,
        machines_at=machine_namer(state),
        branch_names=(names["line"], names["trafo"]),
        islanded=tuple(state.bus_names[k] for k in dead),
    )
