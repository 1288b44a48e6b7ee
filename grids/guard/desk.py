"""Where units that ask for leave are answered, with a guard or without."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from cosim.core.component import Context
from cosim.core.grid import Connections
from cosim.core.types import Bools, Floats
from grids.guard.guard import Guard
from grids.guard.trial import Present

if TYPE_CHECKING:
    from grids.rms_run import RmsRun

UNLIMITED_MW = 1e12
"""What a unit may add where nobody guards."""


class Desk:
    """Takes requests of an exchange and returns what may be added in the next.

    Parameters
    ----------
    guard
        Who decides, None: everything is allowed, and said to be.
    connections
        Units, and which of them ask.
    """

    def __init__(self, guard: Guard | None, connections: Connections) -> None:
        self._guard, self._names = guard, connections.units
        self._asking: Bools = np.array(connections.asking, dtype=np.bool_)

    def reset(self, context: Context) -> Floats:
        """Forget everything; returns what may be added in the first exchange (units,) [MW]."""
        self._context = context
        self._unguarded: set[int] = set()
        if self._guard is None:
            return np.where(self._asking, UNLIMITED_MW, 0.0)
        self._guard.reset(context)
        return np.zeros(self._asking.size)

    def rooms(
        self,
        present: Present,
        inputs: Mapping[str, Floats],
        live: Bools,
        *,
        solved: bool,
        run: "RmsRun | None" = None,
    ) -> Floats:
        """Return what each unit (units,) may add in the next exchange [MW].

        None where there is no solution, or the unit's bus is not energised (`live`, shape (units,)). `run` is
        the dynamic model, where one runs.
        """
        ask_mw = np.where(self._asking & live, inputs["ask_mw"], 0.0)
        if self._guard is None:
            for unit in set(np.flatnonzero(ask_mw > 0.0).tolist()) - self._unguarded:
                self._unguarded.add(unit)
                text = f"asks for {ask_mw[unit]:.6g} MW; the grid has no `guard:`, so nothing is checked"
                self._context.emit(present.t_s, self._names[unit], "unguarded", text)
            return np.where(self._asking, UNLIMITED_MW, 0.0)
        if not solved:
            return np.zeros(ask_mw.size)
        return self._guard.rooms(present, ask_mw, inputs["coming_mw"], run)
