"""The decision: who may add how much in the next exchange, and why no more."""

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cosim.core.component import Context
from cosim.core.errors import CaseError, SolveError
from cosim.core.types import Floats, Ints
from grids.branches import Ratings
from grids.guard.network import Limit, Network
from grids.guard.params import GuardParams
from grids.guard.trial import Compose, Present, Trial
from grids.network_state import NetworkState
from grids.response import Response

if TYPE_CHECKING:
    from grids.guard.swings import Fork, Swings
    from grids.rms_run import RmsRun

NEAR_PU = 0.002
"""A block is large enough when the limit that binds is this near, as a part of its width."""

LEAST_PU = 1e-3
"""Or when what is left to find is this part of what was asked."""

MOST_TRIALS = 20
"""Blocks tried for one unit at most; every second one halves what is left to find, or better."""

FASTEST_S, SLOWEST_S = 2.0, 600.0
"""Shortest and longest rise a ramp is looked for in; found to a tenth."""


FREQUENCY = ("frequency", "rocof")
"""Limits a slower rise helps to hold."""


@dataclass(frozen=True)
class Grant:
    """What one unit is given."""

    asked_mw: float
    granted_mw: float
    reading: tuple[Limit, float, float] | None = None
    """What binds, or where all was granted is nearest; its value with what was granted; the limit."""
    ramp_mw_per_min: float = math.inf
    """Fastest even rise with which frequency bears all of it, inf: it is not frequency that binds."""
    why: str = ""
    """Where there is no solution."""

    @property
    def is_whole(self) -> bool:
        """Whether all of it is granted."""
        return self.granted_mw >= self.asked_mw

    def data(self) -> dict[str, Any]:
        """Return the decision for the events table."""
        ramp = None if math.isinf(self.ramp_mw_per_min) else self.ramp_mw_per_min
        data = {"asked_mw": self.asked_mw, "granted_mw": self.granted_mw, "ramp_mw_per_min": ramp}
        if self.reading is None:
            return {**data, "why": self.why}
        limit, value, bound = self.reading
        margin = value - bound if limit.is_least else bound - value
        place = {"limit": limit.what, "at": limit.at, "without": limit.without}
        return {**data, **place, "value": value, "bound": bound, "margin": margin, "unit": limit.unit}

    def __str__(self) -> str:
        got = "all of it" if self.is_whole else f"{self.granted_mw:.6g} MW" if self.granted_mw else "none"
        text = f"asks for {self.asked_mw:.6g} MW, gets {got}"
        if not math.isinf(self.ramp_mw_per_min):
            text += f" at once; frequency bears all at {self.ramp_mw_per_min:.4g} MW/min"
        if self.reading is None:
            return f"{text}: {self.why}"
        limit, value, bound = self.reading
        sort = "nearest limit" if self.is_whole else "what binds"
        return f"{text}; {sort}: {limit} {value:.5g} of {bound:.5g} {limit.unit}"


class Guard:
    """Gives leave to draw more, unit by unit, as far as limits hold.

    All requests of an exchange are tried together. Where they do not fit, they are served one by one,
    whoever has waited longest first, each with the largest block that holds beside those before: so one large
    request cannot be starved by shares of many. A leave holds for the next exchange alone.

    Parameters
    ----------
    params
        Limits.
    state
        The network of the run; it is read only.
    response, compose
        Area frequencies of the run, and how their answer becomes powers of elements.
    names, unit_area
        Connected units, and the area of each.
    swings
        The dynamic model, where frequency is followed with it.
    """

    def __init__(
        self,
        params: GuardParams,
        state: NetworkState,
        response: Response,
        compose: Compose,
        *,
        names: tuple[str, ...],
        unit_area: Ints,
        swings: "Swings | None" = None,
    ) -> None:
        self._params, self._response, self._compose, self._swings = params, response, compose, swings
        self._network = Network(state, Ratings(state.net))
        self._names, self._unit_area = names, unit_area
        self.reset(Context())

    def reset(self, context: Context) -> None:
        """Forget who waits."""
        self._context = context
        self._since_s: dict[int, float] = {}
        self._told: dict[int, tuple[object, ...]] = {}
        self._seen: tuple[bytes, bytes] | None = None
        self._looked_s = -math.inf
        self._cut = False

    def rooms(
        self, present: Present, ask_mw: Floats, coming_mw: Floats, run: "RmsRun | None" = None
    ) -> Floats:
        """Return what each unit (units,) may add in the next exchange [MW].

        Parameters
        ----------
        ask_mw
            What each wants to add (units,), 0: nothing.
        coming_mw
            What was let in before and is not drawn yet (units,).
        run
            The dynamic model, where one runs.
        """
        room = np.zeros(ask_mw.size)
        waiting = np.flatnonzero(ask_mw > 0.0).tolist()
        for unit in set(self._since_s) - set(waiting):
            del self._since_s[unit]
            self._told.pop(unit, None)
        seen = (ask_mw.tobytes(), coming_mw.tobytes())
        early = present.t_s < self._looked_s + self._params.again_s - 1e-9
        if not waiting or (self._cut and early and seen == self._seen):
            return room
        self._seen, self._looked_s = seen, present.t_s
        for unit in waiting:
            self._since_s.setdefault(unit, present.t_s)
        grants = self.decide(present, ask_mw, coming_mw, run)
        self._cut = not all(grant.is_whole for grant in grants.values())
        for unit, grant in grants.items():
            room[unit] = grant.granted_mw
            self._tell(present.t_s, unit, grant)
        return room

    def decide(
        self, present: Present, ask_mw: Floats, coming_mw: Floats, run: "RmsRun | None" = None
    ) -> dict[int, Grant]:
        """Return what each asking unit is given, by unit."""
        asking = np.flatnonzero(ask_mw > 0.0).tolist()
        try:
            fork = self._fork(present, run)
        except (CaseError, SolveError) as error:
            why = f"the dynamic model cannot start where the power flow stands: {error}"
            return {u: Grant(float(ask_mw[u]), 0.0, why=why) for u in asking}
        trial = Trial(
            self._params, self._network, self._response, self._compose, present,
            unit_area=self._unit_area, coming_mw=coming_mw, most_mw=ask_mw, swings=fork,
        )  # fmt: skip
        whole = trial.effect(ask_mw)
        if trial.base.values is None:
            return {u: Grant(float(ask_mw[u]), 0.0, why=f"{trial.base.failed} as it is") for u in asking}
        if trial.excess(whole) <= 0.0:
            reading = trial.reading(whole, trial.nearest(whole))
            return {u: Grant(float(ask_mw[u]), float(ask_mw[u]), reading) for u in asking}
        granted, found = np.zeros(ask_mw.size), dict[int, Grant]()
        for unit in sorted(asking, key=lambda u: self._since_s.get(u, present.t_s)):
            found[unit] = self._largest(trial, granted, unit, float(ask_mw[unit]))
            granted[unit] = found[unit].granted_mw
        return found

    def _fork(self, present: Present, run: "RmsRun | None") -> "Fork | None":
        if self._swings is None:
            return None
        tan = math.tan(math.acos(self._params.power_factor_pu))
        return self._swings.fork(present, run, tan)

    def _largest(self, trial: Trial, granted: Floats, unit: int, asked_mw: float) -> Grant:
        """Return the largest block that holds beside others, and the limit it meets.

        What is watched moves nearly in proportion to the block, so the next block is where straight lines
        meet the first limit (regula falsi, limit by limit), or the middle, where that did not halve what was
        left.
        """

        def with_block(block_mw: float) -> Floats:
            blocks = granted.copy()
            blocks[unit] = block_mw
            return blocks

        beyond = trial.effect(with_block(asked_mw))
        if trial.excess(beyond) <= 0.0:
            return Grant(asked_mw, asked_mw, trial.reading(beyond, trial.nearest(beyond)))
        least, most, within = 0.0, asked_mw, trial.effect(with_block(0.0))
        halves = False
        share, near, at = trial.between(within, beyond)
        for _ in range(MOST_TRIALS):
            left = most - least
            if near < NEAR_PU or left < LEAST_PU * asked_mw:
                break
            block = least + left * (0.5 if halves else min(max(share, 0.01), 0.99))
            effect = trial.effect(with_block(block))
            if trial.excess(effect) > 0.0:
                most, beyond = block, effect
            else:
                least, within = block, effect
            halves = most - least > 0.5 * left
            share, near, at = trial.between(within, beyond)
        reading, ramp = trial.reading(within, at), math.inf
        if reading is not None and reading[0].what in FREQUENCY:
            ramp = self._ramp(trial, with_block(asked_mw), asked_mw)
        return Grant(asked_mw, least, reading, ramp, beyond.failed)

    @staticmethod
    def _ramp(trial: Trial, wanted_mw: Floats, asked_mw: float) -> float:
        """Return the fastest even rise of what was asked that frequency bears [MW/min], 0: none."""
        if not trial.holds_rise(wanted_mw, SLOWEST_S):
            return 0.0
        fast_s, slow_s = FASTEST_S, SLOWEST_S
        for _ in range(6):
            middle = math.sqrt(fast_s * slow_s)
            if trial.holds_rise(wanted_mw, middle):
                slow_s = middle
            else:
                fast_s = middle
        return 60.0 * asked_mw / slow_s

    def _tell(self, t_s: float, unit: int, grant: Grant) -> None:
        """Write a decision, where it is another than the last."""
        data = grant.data()
        new = (grant.is_whole, grant.granted_mw > 0.0, grant.asked_mw, data.get("limit"), data.get("at"))
        if self._told.get(unit) != new:
            self._told[unit] = new
            self._context.emit(t_s, self._names[unit], "guard", str(grant), json.dumps(data))
