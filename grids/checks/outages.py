"""Every circuit and transformer of the backbone lost one by one: N-1.

The compiled Newton solver starts from the solution before the loss, with the two-port of the lost element
taken out of the admittances; machines may reach reactive limits, taps and shunts stand still. Of several
circuits or banks in one row one is lost. Where the loss leaves buses without a source the engine trips the
element, and the area's frequency response balances what is gone with it.
"""

from collections.abc import Iterator

import numpy as np

from cosim.core.grid import GridEvent
from grids.branches import Ratings
from grids.checks.after import after_event
from grids.checks.base import BACKBONE_KV, Solved
from grids.checks.consequence import Consequence, consequence
from grids.situation import Loss, Situation, islands, losses_of

TOLERANCE_MVA = 1e-6


def branch_outages(solved: Solved, least_kv: float = BACKBONE_KV) -> Iterator[Consequence]:
    """Yield what the loss of each circuit and transformer of this voltage and above leaves behind."""
    state, ratings = solved.inside.state, Ratings(solved.net)
    of_voltage = solved.bus_at_least(least_kv)
    backbone = {
        table: of_voltage[solved.rows(table, end)]
        for table, end in (("line", "from_bus"), ("trafo", "hv_bus"))
    }
    islanding: list[Loss] = []
    for loss in losses_of(state):
        if not backbone[loss.table][loss.row]:
            continue
        if islands(state.model, loss):
            islanding.append(loss)
            continue
        yield _without(solved, ratings, loss)
    for loss in islanding:
        yield after_event(solved, loss.name, loss.table, [GridEvent(1.0, "trip", loss.name)])


def _without(solved: Solved, ratings: Ratings, loss: Loss) -> Consequence:
    """Return what is left without one of the elements a row of a table stands for."""
    state = solved.inside.state
    lost = loss.name if loss.count == 1 else f"one of {loss.count} of {loss.name}"
    found = Situation(state, ratings, loss, tolerance_mva=TOLERANCE_MVA).solve(state.demand())
    if found is None:
        return Consequence(lost, loss.table, solved=False)
    live_pu, line_percent, trafo_percent = found
    vm_pu = np.full(state.model.row_bus.size, np.nan)
    vm_pu[state.model.row_bus >= 0] = live_pu
    return consequence(
        solved,
        lost,
        loss.table,
        vm_pu=vm_pu,
        line_percent=line_percent,
        trafo_percent=trafo_percent[: len(solved.net.trafo)],
    )
