"""Electrochemical stacks: a least load, a ramp, and a start that takes longer when they are cold."""

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from cosim.core.params import Params, column
from cosim.core.types import Bools, Floats
from datacenters.ramps import ramped

COLD, STARTING, PRODUCING, WARM = range(4)

EDGE_S = 1e-9
"""What is due this near to the end of a step is due at it: times are rounded floats."""


class Stack(Params):
    """What electrolysers and fuel cells have in common."""

    p_rated_mw: float = Field(gt=0, description="power at full load, at the AC side")
    min_load_pu: float = Field(gt=0, lt=1, description="lowest load; smaller orders switch it off")
    ramp_pu_per_s: float = Field(gt=0, description="fastest change of load while warm")
    cold_start_s: float = Field(ge=0, description="from cold to its lowest load")
    warm_start_s: float = Field(ge=0, description="from warm standby to its lowest load")
    stays_warm_s: float = Field(
        default=3600.0, ge=0, description="of standby after which it is cold (unconfirmed)"
    )
    auxiliary_pu: float = Field(
        default=0.01,
        ge=0,
        lt=0.5,
        description="drawn while starting, producing or warm, of rated (unconfirmed)",
    )
    warm_at_start: bool = Field(default=True, description="in warm standby at t_s = 0, where not producing")


class Stacks:
    """The loads of some stacks over time.

    An order at or above the lowest load starts a stack: after its warm or cold start it stands at the lowest
    load and ramps to the order. A lower order lets it ramp to the lowest load, and there switches it off. It
    stays warm for `stays_warm_s`. An order that ends during a start ends the start. Without voltage it is off
    at once. In the first step a stack with an order produces it.
    """

    def __init__(self, params: Sequence[Stack]) -> None:
        self._least_pu, self._ramp = column(params, "min_load_pu"), column(params, "ramp_pu_per_s")
        self._cold_s, self._warm_s = column(params, "cold_start_s"), column(params, "warm_start_s")
        self._stays_s = column(params, "stays_warm_s")
        self._warm_first = np.array([p.warm_at_start for p in params], dtype=bool)
        self.reset()

    def reset(self) -> None:
        """Return to standby, warm or cold."""
        units = self._least_pu.size
        self._load_pu, self._wait_s = np.zeros(units), np.zeros(units)
        self._on, self._starts = np.zeros(units, dtype=bool), np.zeros(units, dtype=bool)
        self._left_s = np.where(self._warm_first, self._stays_s, 0.0)
        self._is_first = True

    def advance(self, asked_pu: Floats, live: Bools, dt_s: float) -> tuple[Floats, Floats]:
        """Follow orders for a step.

        Parameters
        ----------
        asked_pu : load wanted, 0 to 1. live : where there is voltage. Shape (units,).

        Returns
        -------
        Mean load, and the share of the step in which the auxiliaries run.
        """
        wants = (asked_pu >= self._least_pu) & (asked_pu > 0.0) & live
        if self._is_first:
            self._on, self._load_pu = wants.copy(), np.where(wants, asked_pu, 0.0)
            self._is_first = False
        self.trip(~live)
        begins = wants & ~self._on & ~self._starts
        self._wait_s = np.where(
            begins, np.where(self._left_s > 0.0, self._warm_s, self._cold_s), self._wait_s
        )
        waits_s = np.where(wants & ~self._on, np.minimum(self._wait_s, dt_s), 0.0)
        self._wait_s = self._wait_s - waits_s
        self._wait_s[self._wait_s < EDGE_S] = 0.0
        self._starts = wants & ~self._on & (self._wait_s > 0.0)
        from_pu = np.where(wants & ~self._on, self._least_pu, self._load_pu)
        to_pu = np.where(wants, asked_pu, self._least_pu)
        produces_s = np.where(wants, dt_s - waits_s, (self._load_pu - self._least_pu) / self._ramp)
        produces_s = np.where(wants | self._on, np.clip(produces_s, 0.0, dt_s), 0.0)
        end_pu, mean_pu = ramped(from_pu, to_pu, self._ramp, produces_s)
        self._on = np.where(wants, ~self._starts, self._on & (produces_s >= dt_s - EDGE_S))
        self._load_pu = np.where(self._on, end_pu, 0.0)
        rests_s = np.where(wants, 0.0, dt_s - produces_s)
        self._left_s = np.where(produces_s > 0.0, self._stays_s, self._left_s)
        warm_s = np.minimum(self._left_s, rests_s)
        self._left_s = self._left_s - warm_s
        helped_s = np.where(live, dt_s - rests_s + warm_s, 0.0)
        return mean_pu * produces_s / dt_s, helped_s / dt_s

    def delay_s(self) -> Floats:
        """Return the time from an order to the lowest load: none while on, endless where it is cold."""
        return np.where(self._on, 0.0, np.where(self._left_s > 0.0, self._warm_s, np.inf))

    def trip(self, where: Bools) -> None:
        """Switch stacks off at once; they stay as warm as they are."""
        self._on = self._on & ~where
        self._starts = self._starts & ~where
        self._load_pu = np.where(where, 0.0, self._load_pu)

    def state(self) -> Floats:
        """Return 0 cold, 1 starting, 2 producing, 3 warm."""
        off = np.where(self._left_s > 0.0, WARM, COLD)
        return np.where(self._on, PRODUCING, np.where(self._starts, STARTING, off)).astype(np.float64)
