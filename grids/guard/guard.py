"""The decision: who may add how much in the next exchange, and why no more."""

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cosim.core.component import Context
from cosim.core.types import Floats, Ints
from grids.branches import Ratings
from grids.guard.network import Network
from grids.guard.params import GuardParams
from grids.guard.trial import Compose, Effect, Present, Trial
from grids.network_state import NetworkState
from grids.response import Response

NEAR_PU = 0.002
"""A block is large enough when the limit that binds is this near, as a part of its width."""

MOST_TRIALS = 8
"""Blocks tried for one unit; each halves what is left to find, or better."""

SLOWEST_S = 600.0
"""Longest rise a ramp is looked for in."""


FREQUENCY = ("frequency", "rocof")
"""Limits a slower rise helps to hold."""


@dataclass(frozen=True)
class Grant:
    """What one unit is given."""

    asked_mw: float
    granted_mw: float
    ramp_mw_per_min: float
    """Fastest even rise with which frequency bears all of it, inf: it is not frequency that binds."""
    text: str
    data: dict[str, Any]

    @property
    def verdict(self) -> str:
        """What it comes to."""
        if self.granted_mw >= self.asked_mw:
            return "granted"
        return "refused" if self.granted_mw <= 0.0 else "cut"


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
    ) -> None:
        self._params, self._response, self._compose = params, response, compose
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

    def rooms(self, present: Present, ask_mw: Floats, coming_mw: Floats) -> Floats:
        """Return what each unit (units,) may add in the next exchange [MW].

        Parameters
        ----------
        ask_mw
            What each wants to add (units,), 0: nothing.
        coming_mw
            What was let in before and is not drawn yet (units,).
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
        grants = self.decide(present, ask_mw, coming_mw)
        self._cut = any(grant.verdict != "granted" for grant in grants.values())
        for unit, grant in grants.items():
            room[unit] = grant.granted_mw
            self._tell(present.t_s, unit, grant)
        return room

    def decide(self, present: Present, ask_mw: Floats, coming_mw: Floats) -> dict[int, Grant]:
        """Return what each asking unit is given, by unit."""
        asking = np.flatnonzero(ask_mw > 0.0).tolist()
        trial = Trial(
            self._params, self._network, self._response, self._compose, present,
            unit_area=self._unit_area, coming_mw=coming_mw, most_mw=ask_mw,
        )  # fmt: skip
        whole = trial.effect(ask_mw)
        if trial.base.values is None:
            return {u: _refused(float(ask_mw[u]), f"{trial.base.failed} as it stands") for u in asking}
        if trial.excess(whole) <= 0.0:
            return {u: _grant(trial, float(ask_mw[u]), float(ask_mw[u]), whole, math.inf) for u in asking}
        granted, found = np.zeros(ask_mw.size), dict[int, Grant]()
        for unit in sorted(asking, key=lambda u: self._since_s.get(u, present.t_s)):
            block, beyond = self._largest(trial, granted, unit, float(ask_mw[unit]))
            wanted = granted.copy()
            wanted[unit] = ask_mw[unit]
            worst, ramp = trial.worst(beyond), math.inf
            if block < ask_mw[unit] and worst is not None and worst[0].what in FREQUENCY:
                ramp = self._ramp(trial, wanted, float(ask_mw[unit]))
            found[unit] = _grant(trial, float(ask_mw[unit]), block, beyond, ramp)
            granted[unit] = block
        return found

    def _largest(self, trial: Trial, granted: Floats, unit: int, asked_mw: float) -> tuple[float, Effect]:
        """Return the largest block that holds beside others, and the effect that binds: beyond it, or at it.

        The excess over the limits rises nearly in proportion to the block, so the chord to where it is
        zero is followed (Illinois rule: the weight of an end that stays is halved), by halves where there is
        no solution.
        """

        def tried(block_mw: float) -> Effect:
            blocks = granted.copy()
            blocks[unit] = block_mw
            return trial.effect(blocks)

        effect = tried(asked_mw)
        if trial.excess(effect) <= 0.0:
            return asked_mw, effect
        least, most, binds = 0.0, asked_mw, effect
        g_least, g_most = min(trial.excess(tried(0.0)), 0.0), trial.excess(effect)
        side = 0
        for _ in range(MOST_TRIALS):
            share = 0.5 if math.isinf(g_most) else g_least / (g_least - g_most) if g_least < 0.0 else 0.0
            block = least + (most - least) * min(max(share, 0.02), 0.98)
            effect = tried(block)
            g = trial.excess(effect)
            if g > 0.0:
                most, g_most, binds = block, g, effect
                g_least = 0.5 * g_least if side > 0 else g_least
                side = 1
            else:
                least, g_least = block, g
                g_most = 0.5 * g_most if side < 0 else g_most
                side = -1
                if g > -NEAR_PU:
                    break
            if most - least < 1e-3 * asked_mw:
                break
        return least, binds

    @staticmethod
    def _ramp(trial: Trial, wanted_mw: Floats, asked_mw: float) -> float:
        """Return the fastest even rise of what was asked that frequency bears [MW/min], 0: none."""
        if not trial.holds_rise(wanted_mw, SLOWEST_S):
            return 0.0
        fast_s, slow_s = 0.0, SLOWEST_S
        for _ in range(6):
            middle = 0.5 * (fast_s + slow_s)
            if trial.holds_rise(wanted_mw, middle):
                slow_s = middle
            else:
                fast_s = middle
        return 60.0 * asked_mw / slow_s

    def _tell(self, t_s: float, unit: int, grant: Grant) -> None:
        """Write a decision, where it is another than the last."""
        new = (grant.verdict, round(grant.asked_mw, 3), grant.data.get("limit"), grant.data.get("at"))
        if self._told.get(unit) != new:
            self._told[unit] = new
            self._context.emit(t_s, self._names[unit], "guard", grant.text, json.dumps(grant.data))


def _refused(asked_mw: float, why: str) -> Grant:
    data = {"asked_mw": asked_mw, "granted_mw": 0.0, "why": why}
    return Grant(asked_mw, 0.0, math.inf, f"asks for {asked_mw:.6g} MW, gets none: {why}", data)


def _grant(trial: Trial, asked_mw: float, granted_mw: float, effect: Effect, ramp: float) -> Grant:
    """Return a grant with its reason: what is nearest to its limit, or beyond it with what was asked."""
    data: dict[str, Any] = {"asked_mw": asked_mw, "granted_mw": granted_mw}
    data["ramp_mw_per_min"] = None if math.isinf(ramp) else ramp
    got = "all of it" if granted_mw >= asked_mw else f"{granted_mw:.6g} MW" if granted_mw > 0.0 else "none"
    rise = "" if math.isinf(ramp) else f"; frequency bears it at {ramp:.4g} MW/min"
    worst = trial.worst(effect)
    if worst is None:
        data["why"] = effect.failed
        return Grant(
            asked_mw, granted_mw, ramp, f"asks for {asked_mw:.6g} MW, gets {got}{rise}: {effect.failed}", data
        )
    limit, value, bound = worst
    margin = value - bound if limit.is_least else bound - value
    data |= {"limit": limit.what, "at": limit.at, "without": limit.without, "value": value}
    data |= {"bound": bound, "margin": margin, "unit": limit.unit}
    told = f"{limit} {value:.5g} {limit.unit}, limit {bound:.5g}"
    why = f"nearest is {told}" if margin >= 0.0 else f"more brings {told}"
    text = f"asks for {asked_mw:.6g} MW, gets {got}{rise}; {why}"
    return Grant(asked_mw, granted_mw, ramp, text, data)
