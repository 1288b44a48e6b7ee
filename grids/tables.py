"""The result tables of one exchange."""

from collections.abc import Mapping

import numpy as np

from cosim.core.grid import Tables
from cosim.core.shelf import Shelf, places_of
from cosim.core.types import Floats, Ints
from grids.branches import BUS, LINE, TRAFO, TRAFO3W
from grids.kernels.powerflow import read_points
from grids.links.links import LINK, Links
from grids.network_state import NetworkState
from grids.response import AREA, Answer, Tie, tie_to_row
from grids.solver import Solution
from grids.sources import GEN

GRID = (
    "converged_pu",
    "iterations_count",
    "load_mw",
    "generation_mw",
    "losses_mw",
    "slack_mw",
    "slack_residual_mw",
)
POINT = ("vm_pu", "f_hz", "p_droop_mw", "p_mw", "q_mvar")
ROOM = "room_mw"
"""Column of the point table where units ask for leave: what each may add in the next exchange."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "bus": BUS,
    "line": LINE,
    "trafo": TRAFO,
    "trafo3w": TRAFO3W,
    "gen": GEN,
    "area": AREA,
    "grid": GRID,
    "point": POINT,
    "link": LINK,
}


class TableMaker:
    """Reads every table off a solved network.

    Parameters
    ----------
    state
        The network as it stands.
    ties
        Boundary elements.
    areas, units
        Names of areas and connected units.
    unit_area
        Area of each unit.
    links
        Direct-current links, where the case has any.
    rooms
        Whether any unit asks for leave.
    """

    def __init__(
        self,
        state: NetworkState,
        ties: tuple[Tie, ...],
        areas: tuple[str, ...],
        units: tuple[str, ...],
        unit_area: Ints,
        *,
        links: Links | None = None,
        rooms: bool = False,
    ) -> None:
        self._state, self._links = state, links
        self.room_mw: Floats | None = np.zeros(len(units)) if rooms else None
        """What each unit may add in the next exchange, where any asks."""
        self._unit = state.elements.section["unit"]
        self._unit_area = unit_area
        gens = state.sources.gens
        self._tie_to_row = tie_to_row(ties, gens, len(state.sources.names) - gens)
        own = state.elements.names
        names = {
            "bus": state.bus_names,
            "line": own["line"],
            "trafo": own["trafo"],
            "gen": state.sources.names,
            "area": areas,
            "grid": ("grid",),
            "point": units,
        }
        if own["trafo3w"]:
            names["trafo3w"] = own["trafo3w"]
        if links is not None:
            names["link"] = links.names
        self.elements: Mapping[str, tuple[str, ...]] = names
        self.columns = {table: COLUMNS[table] for table in names}
        if rooms:
            self.columns["point"] = (*POINT, ROOM)
        self._places = {table: places_of(columns) for table, columns in self.columns.items()}
        self.reset()

    def reset(self) -> None:
        """Forget the scheduled state; the next solution is the new one."""
        self._baseline: tuple[float, float] | None = None

    def solved(self, found: Solution, answer: Answer, through_slack_mw: float) -> Tables:
        """Return the tables of a solution.

        Parameters
        ----------
        through_slack_mw
            What the slack brings beyond losses on purpose: planned imports and answers that enter there.
        """
        state, e = self._state, self._state.elements
        flow, branches = state.flow, state.branches
        branches.solve(found.v)
        gen = state.sources.table(flow.needed, flow.vm_pu, answer.gen_mw, self._tie_to_row, answer.tie_mw)
        blocks = {
            "bus": branches.bus(found.v, flow.vm_pu, state.live_row, e.p_mw, e.q_mvar),
            "line": branches.line(),
            "trafo": branches.trafo(state.tap_pos),
            "gen": gen,
            "area": answer.area,
            "grid": self._totals(found, through_slack_mw),
            "point": self._points(answer),
        }
        if "trafo3w" in self.elements:
            blocks["trafo3w"] = branches.trafo3w()
        if self._links is not None:
            blocks["link"] = self._links.table()
        return self._shelved(blocks)

    def unsolved(self, found: Solution, answer: Answer) -> Tables:
        """Return the tables of a step without solution: nan, never an old value.

        Frequency and droop are known all the same: the swing equation needs no voltages.
        """
        blocks: dict[str, Floats] = {
            table: np.full((len(self.columns[table]), len(names)), np.nan)
            for table, names in self.elements.items()
        }
        places = self._places
        blocks["grid"][places["grid"]["converged_pu"]] = 0.0
        blocks["grid"][places["grid"]["iterations_count"]] = found.iterations
        blocks["area"] = answer.area
        blocks["point"][places["point"]["f_hz"]] = answer.area[0, self._unit_area]
        blocks["point"][places["point"]["p_droop_mw"]] = answer.droop_mean_mw
        if self.room_mw is not None:
            blocks["point"][places["point"][ROOM]] = self.room_mw
        if self._links is not None:
            blocks["link"] = self._links.table()
        return self._shelved(blocks)

    def _shelved(self, blocks: Mapping[str, Floats]) -> Tables:
        """Return tables whose columns are the rows of `blocks`."""
        return {table: Shelf(self._places[table], block) for table, block in blocks.items()}

    def _totals(self, found: Solution, through_slack_mw: float) -> Floats:
        """Return the columns `GRID` of the one row, shape (7, 1)."""
        state, e, flow = self._state, self._state.elements, self._state.flow
        slack = state.sources.slack_mw(flow.needed)
        losses = state.branches.losses_mw(flow.vm_pu)
        injected = -float(e.p_mw @ state.generates)
        load = state.drawn_mw(flow.vm_pu) + injected
        if self._baseline is None:
            self._baseline = (slack, losses)
        residual = (slack - self._baseline[0]) - (losses - self._baseline[1]) - through_slack_mw
        values = (1.0, float(found.iterations), load, injected + slack, losses, slack, residual)
        return np.array(values).reshape(-1, 1)

    def _points(self, answer: Answer) -> Floats:
        """Return the columns `POINT` of connected units; one without supply has 0 V and draws nothing."""
        state, e, unit = self._state, self._state.elements, self._unit
        table = np.empty((len(self.columns["point"]), self._unit_area.size))
        if self.room_mw is not None:
            table[len(POINT)] = self.room_mw
        read_points(
            state.element_bus[unit], self._unit_area, state.flow.vm_pu, answer.area[0],
            answer.droop_mean_mw, e.p_mw[unit], e.q_mvar[unit], table,
        )  # fmt: skip
        return table
