"""Every circuit and transformer of the backbone lost one by one: N-1.

The compiled Newton solver starts from the solution before the loss, with the two-port of the lost element
taken out of the admittances; machines may reach reactive limits, taps and shunts stand still. Of several
circuits or banks in one row one is lost. Where the loss leaves buses without a source the engine trips the
element, and the area's frequency response balances what is gone with it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from cosim.core.grid import GridEvent
from cosim.core.types import Ints
from grids.branches import Branches, Ratings
from grids.build import Model
from grids.checks.after import after_event
from grids.checks.base import BACKBONE_KV, Solved
from grids.checks.consequence import Consequence, consequence
from grids.flow import Flow
from grids.reactive import ReactiveLimits

TOLERANCE_MVA = 1e-6


def branch_outages(solved: Solved, least_kv: float = BACKBONE_KV) -> Iterator[Consequence]:
    """Yield what the loss of each circuit and transformer of this voltage and above leaves behind."""
    ratings = Ratings(solved.net)
    islanding: list[tuple[str, int]] = []
    for table, end in (("line", "from_bus"), ("trafo", "hv_bus")):
        frame = solved.net[table]
        backbone = solved.bus_at_least(least_kv)[solved.rows(table, end)]
        own = frame["in_service"].to_numpy(dtype=bool) & backbone
        for row in np.flatnonzero(own).tolist():
            branch = int(solved.inside.state.model.rows[table][row])
            if branch == solved.inside.state.model.branch_from.size:
                continue  # an end is open or dark
            count = int(frame["parallel"].iloc[row]) if "parallel" in frame else 1
            if count == 1 and _islands(solved.inside.state.model, branch):
                islanding.append((table, row))
                continue
            yield _without(solved, ratings, (table, row), branch, count)
    for table, row in islanding:
        name = solved.names(table)[row]
        trip = GridEvent(1.0, "trip", name)
        yield after_event(solved, name, table, [trip])


def _islands(model: Model, branch: int) -> bool:
    """Return whether buses lose every source with a branch."""
    left = np.arange(model.branch_from.size) != branch
    return bool(np.any(_pieces(model, left) != 0))


def _pieces(model: Model, left: Any) -> Ints:
    """Return 0 for each bus that a reference bus feeds, else 1."""
    f, t = model.branch_from[left], model.branch_to[left]
    joined = coo_matrix((np.ones(f.size), (f, t)), shape=(model.size, model.size))
    _, label = connected_components(joined, directed=False)
    return np.asarray(~np.isin(label, label[model.ref]), dtype=np.int64)


def _without(
    solved: Solved, ratings: Ratings, element: tuple[str, int], branch: int, count: int
) -> Consequence:
    """Return what is left without one of the `count` elements a row of a table stands for."""
    (table, row), state = element, solved.inside.state
    y = state.model.branch_y.copy()
    y[branch] *= (count - 1) / count
    model = replace(state.model, branch_y=y)
    flow = _flow(solved, model)
    demand, name = state.demand(), solved.names(table)[row]
    lost = name if count == 1 else f"one of {count} of {name}"
    for start in (state.v, model.v_start, None):
        found, _ = flow.solve(demand, flow.unloaded() if start is None else start)
        if found.converged:
            break
        flow.restore(np.zeros_like(flow.reactive.side))
    else:
        return Consequence(lost, table, solved=False)
    branches = Branches(state.net, model, ratings, solved.inside.elements)
    branches.solve(found.v)
    loading = {"line": branches.line()[0], "trafo": branches.trafo(state.tap_pos)[0]}
    if count > 1:
        loading[table][row] *= count / (count - 1)
    else:
        loading[table][row] = 0.0
    alive = model.row_bus >= 0
    vm_pu = np.where(alive, np.abs(found.v)[np.maximum(model.row_bus, 0)], np.nan)
    return consequence(
        solved, lost, table, vm_pu=vm_pu, line_percent=loading["line"], trafo_percent=loading["trafo"]
    )


def _flow(solved: Solved, model: Model) -> Flow:
    state = solved.inside.state
    reactive = ReactiveLimits(enabled=True)
    reactive.attach(model, state.sources.bus, state.reactive.side)
    return Flow(model, state.sources.bus, reactive, TOLERANCE_MVA)
