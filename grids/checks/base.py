"""An operating point as it stands solved: what the checks look at."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cosim.core.component import Context
from cosim.core.grid import Connections, Tables
from cosim.core.types import Bools, Ints
from grids.case import Case
from grids.engine import PowerFlowGrid
from grids.inside import Inside
from grids.numbers import Complexes
from grids.params import PowerFlowParams
from grids.portrayal import NETS

HIGH_KV = 220.0
"""Checks of voltages, losses and short-circuit levels look at this voltage and above."""

BACKBONE_KV = 500.0
"""Branches of this voltage and above are lost one by one."""


@dataclass(frozen=True)
class Solved:
    """A case at one operating point, solved by the engine `powerflow`.

    Machines keep their reactive limits; taps and shunts stand where the case puts them.
    """

    grid: PowerFlowGrid
    tables: Tables
    v: Complexes
    """Voltage of each row of `net.bus` [pu], nan where not energised."""
    inside: Inside = field(repr=False)

    @property
    def case(self) -> Case:
        """The case at the operating point."""
        return self.inside.case

    @property
    def net(self) -> Any:
        """Its pandapower net; the engine works on a copy."""
        return self.inside.case.net

    def bus_at_least(self, kv: float) -> Bools:
        """Return which rows of `net.bus` have this voltage or more, shape (buses,)."""
        return np.asarray(self.net.bus["vn_kv"].to_numpy(dtype=float) >= kv)

    def rows(self, table: str, end: str) -> Ints:
        """Return the row of `net.bus` of one end of each element of a table."""
        return np.asarray(self.net.bus.index.get_indexer(self.net[table][end]), dtype=np.int64)

    @property
    def is_province(self) -> bool:
        """Return whether the case claims to be a real grid, which the checks of totals and sizes ask."""
        folder = self.case.folder
        told = folder is not None and (Path(folder) / "totals.csv").is_file()
        return told or self.case.meta.get("dynamics") == "by_plant_type"

    def names(self, table: str) -> tuple[str, ...]:
        """Return the element names of a table."""
        return self.inside.elements.names[table]

    def load_mw(self) -> float:
        """Return what loads draw."""
        return float(self.tables["grid"]["load_mw"][0])


def solve_point(name: str, point: str | None, connections: Connections | None = None) -> Solved:
    """Return a case solved from a flat start.

    Parameters
    ----------
    name, point
        Case name or folder, and its operating point; or a pandapower net (.json, .xlsx).
    connections
        Units at its buses that draw nothing yet.

    Raises
    ------
    CaseError
        When the case is wrong.
    SolveError
        When the operating point has no solution.
    """
    is_net = Path(name).suffix.lower() in NETS
    params = PowerFlowParams(
        case=None if is_net else name,
        network=name if is_net else None,
        point=point,
        tap_control=False,
        cross_check_every_count=0,
        on_no_solution="stop",
    )
    grid = PowerFlowGrid(params, connections or Connections())
    tables = grid.reset(Context())
    return Solved(grid, tables, grid.inside.state.v_rows(), grid.inside)
