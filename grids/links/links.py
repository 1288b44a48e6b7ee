"""The direct-current links of a case, as controlled injections at both their ends."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cosim.core.component import Context
from cosim.core.errors import ScenarioError
from cosim.core.grid import GridEvent
from cosim.core.types import Bools, Floats, Ints
from grids.elements import Elements
from grids.links.ends import ends_of, fixed_of, support_of
from grids.links.kernels import carry as kernel
from grids.links.kernels.losses import slope
from grids.links.orders import Block, Ramp, Runback
from grids.links.support import Support

LINK = ("p_from_mw", "p_to_mw", "loss_mw", "p_order_mw", "p_support_mw", "blocked_pu")
"""Columns of the link table: drawn at one end, delivered at the other, scheduled; means of the exchange."""


@dataclass(frozen=True)
class _Restart:
    """Poles that come back."""

    t_s: float
    link: int
    pole_share_pu: float


class Links:
    """Schedule, limits and state of all links of a case.

    A link carries its schedule as far as poles, their overload and runbacks let it. The schedule is part
    of the plan: `plan` writes it at both ends, and plants are redispatched in both areas. What is carried
    less than planned is the deviation, and the frequencies of both areas answer it.

    Parameters
    ----------
    net
        The case's net, with its table `links`.
    elements
        Its given powers.
    area
        Area of each element, shape (elements,).
    areas
        Number of areas.
    """

    def __init__(self, net: Any, elements: Elements, area: Ints, areas: int) -> None:
        rows = net["links"].to_dict("records")
        self.names = tuple(str(row["name"]) for row in rows)
        self._areas, self._p0_mw = areas, elements.p0_mw
        self.ends = ends_of(rows, net.sgen, elements, area)
        self._fixed = fixed_of(rows, self.ends, elements.p0_mw)
        self._filter_pu = np.array([float(row["filter_pu"]) for row in rows])
        self._driven_near: Ints = np.full(len(rows), -1, dtype=np.int64)
        self._any_driven = False
        self.support, self._supporting, self._support_limit_mw = support_of(rows, self.ends)
        """Frequency support of the links that have any."""
        self.reset(elements.in_service)

    def follow(self, driven: Bools) -> None:
        """Take which elements (elements,) a driver scales: the other end of their link follows.

        Raises
        ------
        ScenarioError
            When both ends of a link are driven.
        """
        for k, name in enumerate(self.names):
            near, far = (
                bool(driven[self.ends.at[self.ends.side(k, near=side)]].any()) for side in (True, False)
            )
            if near and far:
                both = " and ".join(repr(element) for element in self.ends.of(k))
                msg = f"drivers scale both ends of link {name!r} ({both}): scale one, the other follows"
                raise ScenarioError(msg)
            self._driven_near[k] = 1 if near else (0 if far else -1)
        self._any_driven = bool((self._driven_near >= 0).any())

    def reset(self, alive: Bools) -> None:
        """Return to the operating point; `alive` (elements,) is what is in service and energised there."""
        links = len(self.names)
        self._planned: Bools = alive[self.ends.at].copy()
        """Ends the plan counts on."""
        self._alive: Bools = alive
        self._state = state = np.zeros((kernel.STATE_ROWS, links))
        state[kernel.POLES_PU] = state[kernel.LIVE_PU] = 1.0
        state[[kernel.CUT_MW, kernel.CUT_TARGET_MW]] = np.inf
        state[kernel.LEFT_S] = self._fixed[kernel.OVERLOAD_S]
        state[kernel.CAP_MW] = self._fixed[kernel.SN_MW] * self._fixed[kernel.OVERLOAD_PU]
        drawn = np.where(self._planned, self._p0_mw[self.ends.at], 0.0)
        for k in range(links):
            near, far = (self.ends.side(k, near=side) for side in (True, False))
            value = drawn[near].sum() if near.any() else -drawn[far].sum()
            order = self._order_mw(k, float(value), near=bool(near.any()))
            state[[kernel.ORDER_MW, kernel.TARGET_MW, kernel.PLAN_MW], k] = order
        self._restarts: list[_Restart] = []
        self._first = True
        self.moving = False
        """Whether the schedule of any link is still on its way."""
        self._dev_mw, self._dev_mvar = np.zeros(self.ends.at.size), np.zeros(self.ends.at.size)
        self.beyond_mw: Floats = np.zeros(self._areas)
        """Consumption beyond the plan (areas,) [MW]."""
        self._carried = self._ends()
        self._slope: Floats = np.ones(self._supporting.size)
        if self.support is not None:
            self.support.reset()
            self._limit_support()
        self._settled = False

    def plan(self, p_mw: Floats, q_mvar: Floats, alive: Bools, dt_s: float) -> None:
        """Advance the schedules by an exchange and write them at both ends into the plan (elements,).

        Drivers have written what they scale into `p_mw`; their links go there at their ramp.
        """
        if not (self.moving or self._first or self._any_driven):
            return
        kernel.take_drivers(
            self._driven_near, self.ends.at, self.ends.link, self.ends.near, self._planned, p_mw, self._fixed,
            self._state, self._first,
        )  # fmt: skip
        self._first = False
        self.moving = kernel.move_orders(self._fixed, self._state, dt_s)
        drawn, _ = self._spread(self._ends(), self._planned)
        here = self._planned & alive[self.ends.at]
        p_mw[self.ends.at[here]] = drawn[here]
        q_mvar[self.ends.at[here]] = (self.ends.tan * drawn + self.ends.fixed_mvar)[here]
        self._settled = False

    def step(self, t_s: float, dt_s: float, plan_mw: Floats, plan_mvar: Floats, alive: Bools) -> None:
        """Carry what can be carried over an exchange; `apply`, `beyond_mw` and `table` follow."""
        if self._settled and alive is self._alive:
            return
        state = self._state
        self._alive = alive
        here = alive[self.ends.at]
        carried, at_s, end_s = np.zeros((kernel.CARRIED_ROWS, len(self.names))), t_s, t_s + dt_s
        due = sorted((r for r in self._restarts if r.t_s < end_s), key=lambda r: r.t_s)
        self._restarts = [r for r in self._restarts if r.t_s >= end_s]
        for restart in (*due, None):
            until_s = end_s if restart is None else max(restart.t_s, at_s)
            kernel.set_live(self.ends.link, self.ends.near, self.ends.weight, here, state)
            if until_s > at_s:
                kernel.carry(self._fixed, state, until_s - at_s, carried)
            at_s = until_s
            if restart is not None:
                k = restart.link
                poles = min(state[kernel.POLES_PU, k] + restart.pole_share_pu, 1.0)
                state[kernel.POLES_PU, k] = round(poles, 12)
                self._emit(restart.t_s, k, "dc_restart", f"{restart.pole_share_pu:.0%} of the poles restart")
        carried /= dt_s
        self._carried = carried
        if self.support is not None:
            self._limit_support()
        drawn, surplus = self._spread(carried, here)
        self._dev_mw = np.where(here, drawn - plan_mw[self.ends.at], 0.0)
        wanted = self.ends.tan * drawn + self.ends.fixed_mvar - surplus
        self._dev_mvar = np.where(here, wanted - plan_mvar[self.ends.at], 0.0)
        self.beyond_mw = np.asarray(np.bincount(self.ends.area, self._dev_mw, self._areas), dtype=np.float64)
        self._settled = not (self.moving or self._restarts or due) and self._free()

    def _free(self) -> bool:
        """Say whether every link carries its plan and nothing it depends on is about to change."""
        s, f = self._state, self._fixed
        within = np.abs(s[kernel.PLAN_MW]) <= f[kernel.SN_MW] * (1.0 + kernel.EXCESS_PU)
        whole = (s[kernel.LIVE_PU] == 1.0) & (s[kernel.LEFT_S] >= f[kernel.OVERLOAD_S])
        quiet = (s[kernel.CUT_MW] == np.inf) & (s[kernel.FILTER_LEFT_S] <= 0.0)
        return bool((within & whole & quiet).all())

    def apply(self, p_mw: Floats, q_mvar: Floats, support: Support | None = None) -> None:
        """Add the deviation from the plan to what the elements draw (elements,).

        `support` is a fork of the supports, where they are not to act as they do now.
        """
        p_mw[self.ends.at] += self._dev_mw
        q_mvar[self.ends.at] += self._dev_mvar
        support = self.support if support is None else support
        if support is not None and support.sent_mw.any():
            ends = self._supported(support.sent_mw)
            more, _ = self._spread(ends, self._alive[self.ends.at])
            p_mw[self.ends.at] += more
            q_mvar[self.ends.at] += self.ends.tan * more

    def deviation(self, elements: int) -> tuple[Floats, Floats]:
        """Return what every element (elements,) draws more than planned [MW, Mvar]."""
        p_mw, q_mvar = np.zeros(elements), np.zeros(elements)
        self.apply(p_mw, q_mvar)
        return p_mw, q_mvar

    def table(self) -> Floats:
        """Return the columns `LINK`, shape (6, links)."""
        carried, state = self._carried, self._state
        support = np.zeros(len(self.names))
        if self.support is not None:
            carried = carried + self._supported(self.support.sent_mean_mw)
            support[self._supporting] = self.support.sent_mean_mw
        sent, received = carried[kernel.FROM_MW], carried[kernel.TO_MW]
        blocked = 1.0 - state[kernel.LIVE_PU]
        return np.array([sent, received, sent - received, state[kernel.PLAN_MW], support, blocked])

    def measured(self, drawn_mw: Floats) -> Floats:
        """Return the same with what the ends (ends,) were seen to draw, for links with both in the case."""
        table = self.table()
        for k in range(len(self.names)):
            near, far = (self.ends.side(k, near=side) for side in (True, False))
            if near.any() and far.any():
                sent, received = float(drawn_mw[near].sum()), float(-drawn_mw[far].sum())
                table[:3, k] = sent, received, sent - received
        return table

    def _limit_support(self) -> None:
        """Tell the supports how much room their links leave them, and what arrives of it."""
        assert self.support is not None  # noqa: S101 - the caller looked
        s, f, chosen = self._state, self._fixed, self._supporting
        near = self._carried[kernel.FROM_MW, chosen]
        sent = np.maximum(np.abs(near), np.abs(self._carried[kernel.TO_MW, chosen]))
        live, limit = s[kernel.LIVE_PU, chosen], self._support_limit_mw
        cap = np.minimum(
            live * f[kernel.SN_MW, chosen] * f[kernel.OVERLOAD_PU, chosen], s[kernel.CUT_MW, chosen]
        )
        more, less = np.clip(cap - sent, 0.0, limit), np.minimum(sent, limit)
        gains = [
            slope(float(sent[j]), float(live[j]), f[kernel.STATION_PU, k], f[kernel.K_PER_MW, k])
            for j, k in enumerate(chosen.tolist())
        ]
        forward = near >= 0.0
        self._slope = np.where(
            forward, gains, np.divide(1.0, gains, out=np.zeros(len(gains)), where=live > 0.0)
        )
        self.support.limit(np.where(forward, more, less), np.where(forward, less, more), self._slope)

    def _supported(self, sent_mw: Floats) -> Floats:
        """Return what supports carry (supporting links,) as rows of `kernels.carry`."""
        carried = np.zeros((kernel.CARRIED_ROWS, len(self.names)))
        carried[kernel.FROM_MW, self._supporting] = sent_mw
        carried[kernel.TO_MW, self._supporting] = self._slope * sent_mw
        return carried

    def refusal(self, event: GridEvent) -> str | None:
        """Return why an event can never be obeyed, or None."""
        k = self.names.index(event.element)
        if isinstance(event.params, Ramp) and self._driven_near[k] >= 0:
            return f"link {event.element!r}: a driver gives its schedule"
        if isinstance(event.params, Ramp | Runback):
            most = self._fixed[kernel.SN_MW, k] * self._fixed[kernel.OVERLOAD_PU, k]
            if abs(event.params.to_mw) > most:
                return f"to_mw={event.params.to_mw:g}: link {event.element!r} carries {most:g} MW at most"
        return None

    def take(self, event: GridEvent, context: Context) -> None:
        """Obey an event at its instant."""
        self._context = context
        k, p, state = self.names.index(event.element), event.params, self._state
        self._settled = False
        now_mw = self._carried_mw(k)
        if isinstance(p, Ramp):
            self._schedule(k, p, now_mw)
            self._emit(event.at_s, k, event.action, f"to {p.to_mw:g} MW")
        elif isinstance(p, Runback):
            left_mw = abs(self._order_mw(k, p.to_mw, near=self._has_near(k)))
            if left_mw >= abs(now_mw):
                self._emit(event.at_s, k, event.action, f"to {p.to_mw:g} MW: it carries no more")
                return
            state[kernel.CUT_MW, k] = abs(now_mw)
            state[kernel.CUT_TARGET_MW, k] = left_mw
            state[kernel.CUT_RATE_MW_PER_S, k] = (abs(now_mw) - left_mw) / p.over_s
            self._emit(event.at_s, k, event.action, f"to {p.to_mw:g} MW in {p.over_s:g} s")
        elif isinstance(p, Block):
            self._block(event, k, p, now_mw)

    def _schedule(self, k: int, p: Ramp, now_mw: float) -> None:
        """Start a new schedule; a link that carries less than the old one goes there from what it carries."""
        state = self._state
        target = self._order_mw(k, p.to_mw, near=self._has_near(k))
        order, ramp = float(state[kernel.ORDER_MW, k]), float(self._fixed[kernel.RAMP_MW_PER_S, k])
        over_s = max(abs(target - order), abs(target - now_mw)) / ramp if p.over_s is None else p.over_s
        state[kernel.TARGET_MW, k] = target
        state[kernel.RATE_MW_PER_S, k] = abs(target - order) / over_s if over_s > 0.0 else ramp
        if abs(now_mw) < abs(order) and over_s > 0.0:
            state[kernel.CUT_MW, k], state[kernel.CUT_TARGET_MW, k] = abs(now_mw), abs(target)
            state[kernel.CUT_RATE_MW_PER_S, k] = abs(abs(target) - abs(now_mw)) / over_s
        self.moving = True

    def _block(self, event: GridEvent, k: int, p: Block, now_mw: float) -> None:
        state, fixed = self._state, self._fixed
        before = float(state[kernel.POLES_PU, k])
        share = min(p.pole_share_pu, before)
        state[kernel.POLES_PU, k] = poles = round(before - share, 12)
        most = poles * fixed[kernel.SN_MW, k] * fixed[kernel.OVERLOAD_PU, k]
        lost_mw = max(abs(now_mw) - most, 0.0)
        state[kernel.FILTER_MVAR, k] += self._filter_pu[k] * lost_mw
        state[kernel.FILTER_LEFT_S, k] = fixed[kernel.FILTER_TRIP_S, k]
        text = f"{share:.0%} of the poles blocked at {abs(now_mw):.6g} MW, {poles:.0%} left"
        self._emit(event.at_s, k, event.action, text)
        if p.restart_after_s is not None and share > 0.0:
            self._restarts.append(_Restart(event.at_s + p.restart_after_s, k, share))

    def _carried_mw(self, k: int) -> float:
        """Return where ramps and limits let the power sent stand now [MW], < 0 where the far end sends."""
        s, f = self._state, self._fixed
        order = float(s[kernel.ORDER_MW, k])
        live = float(s[kernel.LIVE_PU, k])
        limit = min(float(s[kernel.CUT_MW, k]), live * float(f[kernel.SN_MW, k] * f[kernel.OVERLOAD_PU, k]))
        if abs(order) > live * float(f[kernel.SN_MW, k]):
            limit = min(limit, float(s[kernel.CAP_MW, k]))
        return float(np.copysign(min(abs(order), limit), order))

    def _has_near(self, k: int) -> bool:
        return bool(self.ends.side(k, near=True).any())

    def _order_mw(self, k: int, value: float, *, near: bool) -> float:
        station_pu, k_per_mw = self._fixed[[kernel.STATION_PU, kernel.K_PER_MW], k]
        return float(kernel.order_mw(value, near, station_pu, k_per_mw))

    def _ends(self) -> Floats:
        """Return what the plan carries, rows as in `kernels.carry`, with all poles."""
        carried = np.zeros((kernel.CARRIED_ROWS, len(self.names)))
        for k in range(len(self.names)):
            station_pu, k_per_mw = self._fixed[[kernel.STATION_PU, kernel.K_PER_MW], k]
            order = self._state[kernel.PLAN_MW, k]
            carried[[kernel.FROM_MW, kernel.TO_MW], k] = kernel.ends_mw(order, 1.0, station_pu, k_per_mw)
        return carried

    def _spread(self, carried: Floats, alive: Bools) -> tuple[Floats, Floats]:
        drawn, surplus = np.empty(self.ends.at.size), np.empty(self.ends.at.size)
        kernel.spread(self.ends.link, self.ends.near, self.ends.weight, alive, carried, drawn, surplus)
        return drawn, surplus

    def _emit(self, t_s: float, k: int, kind: str, text: str) -> None:
        self._context.emit(t_s, self.names[k], kind, f"{self.names[k]}: {text}")
