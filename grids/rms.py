"""The `rms` engine: every machine, control and load integrated, for a whole run or in windows of one."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from cosim.core.errors import ScenarioError
from cosim.core.grid import Connections, GridWindow
from grids.engine import PowerFlowGrid
from grids.params import GridSource, PowerFlowParams, RmsParams, RmsWindowParams
from grids.rms_windows import RmsWindows


class RmsGrid(RmsWindows):
    """A grid case whose machines, controls and loads are integrated through the whole run.

    See `cosim.core.grid.Grid` for the contract. Units are constant powers, or the dynamic models they
    hand over; their powers, and what drivers scale, are set at the start of each exchange and held.

    Raises
    ------
    ScenarioError
        When a point or driven element is unknown, or a unit's device is wrong.
    CaseError
        When the case is wrong, or a machine has no dynamic model.
    """

    params_type: ClassVar[type[RmsParams]] = RmsParams
    window_type: ClassVar[type[RmsWindowParams]] = RmsWindowParams

    def __init__(self, params: RmsParams, connections: Connections) -> None:
        source = {name: getattr(params, name) for name in GridSource.model_fields}
        flow = PowerFlowGrid(
            PowerFlowParams(**source, q_limits=params.q_limits, tap_control=False), connections
        )
        whole = GridWindow("run", 0.0, np.inf, params)
        super().__init__(flow, [whole], connections, policy=params.on_no_solution)

    @staticmethod
    def points_of(params: RmsParams) -> tuple[str, ...]:
        """Return the named points and buses units can connect to, without building the grid."""
        return PowerFlowGrid.points_of(params)

    @classmethod
    def within(cls, grid: Any, windows: Sequence[GridWindow], connections: Connections) -> RmsWindows:
        """Return a power flow that is integrated in windows.

        Raises
        ------
        ScenarioError
            When the grid is no power flow.
        CaseError
            When a machine of its case has no dynamic model.
        """
        if not isinstance(grid, PowerFlowGrid):
            msg = "windows of engine rms need engine powerflow around them"
            raise ScenarioError(msg)
        return RmsWindows(grid, windows, connections, policy=grid.on_no_solution)
