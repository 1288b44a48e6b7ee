"""Machines on their way back: a closed unit synchronises near its minimum and ramps to its plan."""

import numpy as np

from cosim.core.types import Floats, Ints
from grids.fleet import Fleet

RETURN_RATE_PU_PER_S = 0.03 / 60.0
"""Ramp of a machine whose plant type takes no AGC orders: 3 %/min of its rating (unconfirmed)."""


def return_rate_mw_per_s(fleet: Fleet, gens: int) -> Floats:
    """Return how fast each gen (gens,) ramps after closing [MW/s].

    A gen that has no inertia (converters) is back at once: inf.
    """
    rate = fleet.agc_rate_pu_per_s[:gens]
    rate = np.where(rate > 0.0, rate, RETURN_RATE_PU_PER_S) * fleet.p_rated_mw[:gens]
    return np.where(fleet.h_s[:gens] > 0.0, rate, np.inf)


class Returning:
    """How far below their plan closed gens still are.

    Parameters
    ----------
    rate_mw_per_s
        Ramp of each gen (gens,).
    min_mw
        Output at which each gen synchronises (gens,); 0 where not known.
    """

    def __init__(self, rate_mw_per_s: Floats, min_mw: Floats) -> None:
        self._rate = rate_mw_per_s
        self._start = np.maximum(min_mw, 0.0)
        self.reset()

    def reset(self) -> None:
        """Nobody is on the way."""
        self._out = np.zeros(self._rate.size)
        self._on_way: Ints = np.zeros(0, dtype=np.int64)
        self._new = np.zeros(self._rate.size, dtype=np.bool_)
        self.missing_mw: Floats = np.zeros(self._rate.size)
        """Plan less output of each gen, >= 0."""

    @property
    def busy(self) -> bool:
        """Whether any gen is on its way."""
        return bool(self._on_way.size)

    def close(self, gen: int, plan_mw: float) -> float:
        """Synchronise a gen; returns the power it comes in with [MW]."""
        self.trip(gen)
        start = min(float(self._start[gen]), plan_mw)
        if np.isinf(self._rate[gen]) or start >= plan_mw:
            return plan_mw
        self._out[gen] = start
        self._on_way = np.append(self._on_way, gen)
        self._new[gen] = True
        self.missing_mw[gen] = plan_mw - start
        return start

    def trip(self, gen: int) -> None:
        """Take a gen off the list."""
        self._on_way = self._on_way[self._on_way != gen]
        self.missing_mw[gen] = 0.0

    def ramp(self, seconds_s: float, plan_mw: Floats) -> None:
        """Move all but the newly closed by the exchange that went by; `plan_mw` (gens,) is where they go."""
        at = self._on_way
        step_mw = np.where(self._new[at], 0.0, seconds_s * self._rate[at])
        self._new[at] = False
        self._out[at] = np.minimum(self._out[at] + step_mw, plan_mw[at])
        self.missing_mw[at] = plan_mw[at] - self._out[at]
        self._on_way = at[self.missing_mw[at] > 0.0]
