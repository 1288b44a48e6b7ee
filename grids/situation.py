"""The network as it stands, whole or without one element, solved again and again without touching it."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from cosim.core.types import Bools, Floats
from grids.branches import LOADING, Branches, Ratings
from grids.build import Model
from grids.flow import Demand, Flow
from grids.network_state import NetworkState
from grids.numbers import Complexes
from grids.reactive import ReactiveLimits


@dataclass(frozen=True)
class Loss:
    """A line or transformer that is lost; of several in one row, one."""

    table: str
    row: int
    branch: int
    count: int
    name: str


def losses_of(state: NetworkState) -> tuple[Loss, ...]:
    """Return every line and transformer that carries something, or one of those a row stands for."""
    model, net = state.model, state.net
    found = []
    for table in ("line", "trafo"):
        counts = net[table]["parallel"].to_numpy() if "parallel" in net[table] else np.ones(len(net[table]))
        for row, branch in enumerate(model.rows.get(table, np.zeros(0, dtype=np.int64)).tolist()):
            if branch < model.branch_from.size:  # else out of service, open or dark
                found.append(Loss(table, row, branch, int(counts[row]), state.elements.names[table][row]))
    return tuple(found)


def islands(model: Model, loss: Loss) -> bool:
    """Return whether buses lose every source with an element: that is no matter of what is drawn."""
    if loss.count > 1:
        return False
    left = np.arange(model.branch_from.size) != loss.branch
    f, t = model.branch_from[left], model.branch_to[left]
    joined = coo_matrix((np.ones(f.size), (f, t)), shape=(model.size, model.size))
    _, label = connected_components(joined, directed=False)
    return not bool(np.isin(label, label[model.ref]).all())


class Situation:
    """One topology with admittances, bus types and solver of its own.

    Taps and shunts stand where they are; machines reach their reactive limits.

    Parameters
    ----------
    state
        The network of the run; it is read only.
    ratings
        Its ratings.
    loss
        What is lost, None: nothing.
    tolerance_mva
        Of the solver.
    """

    def __init__(
        self, state: NetworkState, ratings: Ratings, loss: Loss | None, *, tolerance_mva: float
    ) -> None:
        y = state.model.branch_y.copy()
        if loss is not None:
            y[loss.branch] *= (loss.count - 1) / loss.count
        self._state, self._loss = state, loss
        self._model = model = replace(state.model, branch_y=y)
        reactive = ReactiveLimits(enabled=state.reactive.enabled)
        reactive.attach(model, state.sources.bus, state.reactive.side)
        self._flow = Flow(model, state.sources.bus, reactive, tolerance_mva)
        self._branches = Branches(model, ratings, state.elements)
        self._live: Bools = model.row_bus >= 0
        self._at = model.row_bus[self._live]

    def solve(self, demand: Demand) -> tuple[Floats, Floats, Floats] | None:
        """Return voltages of live buses [pu], loadings of lines and transformers [%], None: no solution.

        Transformers of three windings come behind those of two.
        """
        found = self._voltages(demand)
        if found is None:
            return None
        self._branches.solve(found)
        line, trafo = self._branches.line()[LOADING], self._branches.trafo(self._state.tap_pos)[LOADING]
        if (loss := self._loss) is not None:
            lost = line if loss.table == "line" else trafo
            lost[loss.row] *= loss.count / (loss.count - 1) if loss.count > 1 else 0.0
        if len(self._state.net.trafo3w):
            trafo = np.concatenate([trafo, self._branches.trafo3w()[LOADING]])
        return np.abs(found)[self._at], line, trafo

    def _voltages(self, demand: Demand) -> Complexes | None:
        state, flow = self._state, self._flow
        flow.restore(state.reactive.side)
        for attempt in range(2):
            start = state.v if attempt == 0 else flow.unloaded()
            found, _ = flow.solve(demand, start)
            if found.converged:
                return found.v
            flow.restore(np.zeros_like(state.reactive.side))
        return None
