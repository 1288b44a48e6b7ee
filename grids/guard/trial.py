"""Blocks of power tried on a fork of the present state: what they do to frequency and to the network."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cosim.core.types import Floats, Ints
from grids.flow import Demand
from grids.guard.network import Limit, Network
from grids.guard.params import GuardParams
from grids.links.support import Support
from grids.response import Answer, Response
from grids.situation import Loss

if TYPE_CHECKING:
    from grids.guard.swings import Fork, Swing

WORSE_PU = 0.002
"""What is beyond its limit already may get worse by this part of the limit's width: loading by 0.2 %."""

FREQUENCIES = 3
"""Values watched of each area: lowest and highest deviation, rate of change."""

RISE_STEPS = 24
"""Steps a ramp is taken in."""

SWINGS_S = 30.0
"""Longest rise that is tried on the dynamic model, too; slower ones excite nothing, and AGC answers them."""

Compose = Callable[[Answer, Floats, Support | None], tuple[Floats, Floats]]
"""What every element draws (elements,) [MW, Mvar] for an answer, units (2, units) and a fork of supports."""


class State(NamedTuple):
    """What blocks lead to."""

    moved: Floats | str
    """Frequencies, and where rotors are followed the lowest voltages; what the dynamic model cannot bear."""
    demand: Demand
    """At the end of the horizon."""
    whole: tuple[Floats, Floats, Floats] | None
    """The whole network with it."""


@dataclass(frozen=True)
class Present:
    """The end of an exchange, as the engine has it."""

    t_s: float
    units: Floats
    """`p_mw` and `q_mvar` of the connected units, shape (2, units)."""
    offers: Floats
    """`droop_mw_per_hz, droop_up_mw, droop_down_mw`, shape (3, units)."""
    imbalance_mw: Floats
    """Consumption beyond the plan (areas,)."""
    loads_mw: Floats
    """Planned power of the living loads (areas,)."""
    import_mw: Floats
    """Planned change the rest of each area delivers (areas,)."""
    answer: Answer
    """What answered in the exchange."""


@dataclass(frozen=True)
class Effect:
    """Values of all that is watched; None where there is no solution."""

    values: Floats | None
    failed: str = ""
    """Where there is none."""


class Trial:
    """The present state, on which blocks of power are tried; nothing of the run moves.

    Frequency comes first: a fork of the area frequencies takes the block as a step, and the power flow is
    that of the end of the horizon, with governors, AGC and the rest of the area where they enter it. Then the
    branches chosen are lost one by one, with the same powers. With a fork of the dynamic model,
    frequencies are those of its centres of inertia, and the lowest voltage of each bus on the way is watched.

    Parameters
    ----------
    params
        Limits.
    network
        What is solved again.
    response, compose
        Area frequencies of the run, and how their answer becomes powers of elements.
    present
        The end of the exchange.
    unit_area
        Area of each unit.
    coming_mw
        What was let in before and is not drawn yet (units,): part of the state blocks are tried on.
    most_mw
        The largest blocks (units,) there will be: with them what is lost is chosen.
    swings
        The dynamic model, None: frequency is that of areas.
    """

    def __init__(
        self,
        params: GuardParams,
        network: Network,
        response: Response,
        compose: Compose,
        present: Present,
        *,
        unit_area: Ints,
        coming_mw: Floats,
        most_mw: Floats,
        swings: "Fork | None" = None,
    ) -> None:
        self._params, self._network, self._present = params, network, present
        self._response, self._compose, self._unit_area = response, compose, unit_area
        self._coming_mw, self._swings = coming_mw, swings
        self._tan = math.tan(math.acos(params.power_factor_pu))
        self._tried: dict[bytes, State] = {}
        self._without: tuple[Loss | None, ...] = (None,)
        network.refresh()
        before = self._state(np.zeros_like(most_mw)).whole
        after = self._state(most_mw).whole
        if before is not None:
            loading = np.concatenate(before[1:])
            most = loading if after is None else np.concatenate(after[1:])
            self._without = (None, *network.worst(loading, most, params.contingencies_count))
        self.base = self.effect(np.zeros_like(most_mw))
        """The present state with what is coming."""
        self._low, self._high, self._width = self._limits()

    def effect(self, block_mw: Floats) -> Effect:
        """Return what blocks (units,), each a step, leave behind."""
        moved, demand, whole = self._state(block_mw)
        if isinstance(moved, str):
            return Effect(None, moved)
        parts = [moved]
        for loss in self._without:
            found = whole if loss is None else self._network.situation(loss).solve(demand)
            if found is None:
                where = "" if loss is None else f" without {loss.name}"
                return Effect(None, f"no solution of the power flow{where}")
            parts += found
        return Effect(np.concatenate(parts))

    def excess(self, effect: Effect) -> float:
        """Return by how much of its width the worst value is beyond its limit; inf: no solution."""
        return math.inf if effect.values is None else float(np.max(self._beyond(effect.values)))

    def between(self, least: Effect, most: Effect) -> tuple[float, float, int]:
        """Return where on the way from one effect to another the first limit is met, and which that is.

        The first is a part of the way, on straight lines between the values of the two, a half where `most`
        has no solution; the second is how near `least` comes to that limit, as a part of its width; the third
        is its place, -1 where it is the solution that is lost.
        """
        if least.values is None or most.values is None:
            return 0.5, math.inf, -1
        here, there = self._beyond(least.values), self._beyond(most.values)
        room = np.maximum(-here, 0.0)
        share = np.where(there > 0.0, room / np.maximum(there + room, 1e-12), np.inf)
        at = int(np.argmin(share))
        return float(share[at]), float(room[at]), at

    def nearest(self, effect: Effect) -> int:
        """Return the place of what is nearest to its limit, or farthest beyond."""
        return -1 if effect.values is None else int(np.argmax(self._beyond(effect.values)))

    def reading(self, effect: Effect, at: int) -> tuple[Limit, float, float] | None:
        """Return what is watched at a place, its value and the limit; None: no solution."""
        if effect.values is None or at < 0:
            return None
        value, low, high = float(effect.values[at]), float(self._low[at]), float(self._high[at])
        is_least = low - value > value - high
        return self._limit(at, is_least=is_least), value, low if is_least else high

    def holds_rise(self, block_mw: Floats, rise_s: float) -> bool:
        """Return whether frequency stays within its limits when blocks (units,) rise evenly over a time."""
        if (
            self._swings is not None
            and rise_s <= SWINGS_S
            and not self._bears(self._swings, block_mw, rise_s)
        ):
            return False
        q, fork, f0 = self._params, self._response.fork(), self._response.f_nominal_hz
        coming = self._by_area(np.zeros_like(block_mw))
        added = self._by_area(block_mw) - coming
        shares = [((step + 0.5) / RISE_STEPS, rise_s / RISE_STEPS) for step in range(RISE_STEPS)]
        t_s = self._present.t_s
        for share, dt_s in (*shares, (1.0, q.horizon_s)):
            area = self._advance(fork, t_s, dt_s, coming + added * share).area
            t_s += dt_s
            if self._breaks(area[1] - f0, area[2] - f0, area[3]):
                return False
        return True

    def _bears(self, swings: "Fork", block_mw: Floats, rise_s: float) -> bool:
        """Return whether frequencies of the dynamic model stay within their limits in a rise."""
        rise = [
            (step * rise_s / RISE_STEPS, self._coming_mw + block_mw * (step + 0.5) / RISE_STEPS)
            for step in range(RISE_STEPS)
        ]
        swing, f0 = swings.after([*rise, (rise_s, self._coming_mw + block_mw)]), self._response.f_nominal_hz
        if isinstance(swing, str):
            return False
        return not self._breaks(swing.f_min_hz - f0, swing.f_max_hz - f0, swing.rocof_hz_per_s)

    def _breaks(self, low_hz: Floats, high_hz: Floats, rocof_hz_per_s: Floats) -> bool:
        """Return whether a deviation or a rate is beyond its limit; what is nan is not."""
        q = self._params
        far = np.any(high_hz > q.df_hz) or np.any(-low_hz > q.df_hz)
        return bool(far or np.any(np.abs(rocof_hz_per_s) > q.rocof_hz_per_s))

    def _beyond(self, values: Floats) -> Floats:
        beyond: Floats = np.maximum(values - self._high, self._low - values) / self._width
        return beyond

    def _by_area(self, block_mw: Floats) -> Floats:
        areas = self._present.imbalance_mw.size
        added = np.bincount(self._unit_area, block_mw + self._coming_mw, minlength=areas)
        return np.asarray(added, dtype=np.float64)

    def _advance(self, fork: Response, t_s: float, dt_s: float, added_mw: Floats) -> Answer:
        p = self._present
        return fork.step(
            t_s, dt_s, p.imbalance_mw + added_mw, p.offers, loads_mw=p.loads_mw, import_mw=p.import_mw
        )

    def _state(self, block_mw: Floats) -> State:
        """Return frequencies and the whole network with blocks (units,)."""
        key = block_mw.tobytes()
        if key not in self._tried:
            fork, f0 = self._response.fork(), self._response.f_nominal_hz
            answer = self._advance(fork, self._present.t_s, self._params.horizon_s, self._by_area(block_mw))
            more = block_mw + self._coming_mw
            moved: Floats | str = np.concatenate([answer.area[1] - f0, answer.area[2] - f0, answer.area[3]])
            if self._swings is not None:
                moved = _seen(self._swings.after([(0.0, more)]), f0, answer)
            units = self._present.units + np.array([more, self._tan * more])
            demand = self._network.state.demand(self._compose(answer, units, fork.support))
            self._tried[key] = State(moved, demand, self._network.situation(None).solve(demand))
        return self._tried[key]

    def _limits(self) -> Floats:
        """Return limits and widths (3, values); what is beyond without any block must not get worse."""
        p, areas = self._params, self._present.imbalance_mw.size
        own = (
            (-p.df_hz, np.inf, p.df_hz),
            (-np.inf, p.df_hz, p.df_hz),
            (-p.rocof_hz_per_s, p.rocof_hz_per_s, p.rocof_hz_per_s),
        )
        parts = [np.repeat(np.array(own).T, areas, axis=1)]
        if self._swings is not None:
            least = p.swings.vm_min_pu
            parts.append(np.tile([[least], [np.inf], [1.0 - least]], self._network.live.size))
        parts += [self._network.limits(p, loss) for loss in self._without]
        limits = np.concatenate(parts, axis=1)
        if (base := self.base.values) is not None:
            low, high, slack = limits[0], limits[1], WORSE_PU * limits[2]
            limits[0] = np.where(base < low, base - slack, low)
            limits[1] = np.where(base > high, base + slack, high)
        return limits

    def _limit(self, at: int, *, is_least: bool) -> Limit:
        names = self._response.names
        first = FREQUENCIES * len(names)
        if at < first:
            what, unit = ("rocof", "Hz/s") if at >= 2 * len(names) else ("frequency", "Hz")
            return Limit(what, names[at % len(names)], "", unit, is_least)
        if self._swings is not None:
            if at - first < self._network.live.size:
                return Limit("dip", self._network.bus_name(at - first), "", "pu", is_least)
            first += self._network.live.size
        each = (self._low.size - first) // len(self._without)
        which, place = divmod(at - first, each)
        return self._network.limit(place, self._without[which], is_least=is_least)


def _seen(swing: "Swing | str", f0_hz: Floats, answer: Answer) -> Floats | str:
    """Return deviations, rates and lowest voltages; of an area without a machine what its model says."""
    if isinstance(swing, str):
        return swing
    low, high, rate = (
        np.where(np.isfinite(found), found, known)
        for found, known in zip(
            (swing.f_min_hz, swing.f_max_hz, swing.rocof_hz_per_s), answer.area[1:4], strict=True
        )
    )
    return np.concatenate([low - f0_hz, high - f0_hz, rate, swing.vm_min_pu])
