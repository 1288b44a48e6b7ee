"""What direct-current links carry over an exchange: orders that ramp, poles, overload, cuts, filters."""

import math

from cosim.core.jit import jit
from cosim.core.types import Bools, Floats, Ints
from grids.links.kernels.losses import received_mw, sent_mw

# Rows of what a link is, each (links,)
SN_MW = 0
STATION_PU = 1  # loss of one station over its power
K_PER_MW = 2  # loss of the line, as in `losses`
RAMP_MW_PER_S = 3
MIN_MW = 4  # a link carries this at least, or nothing
OVERLOAD_PU = 5
OVERLOAD_S = 6
FILTER_TRIP_S = 7
FIXED_ROWS = 8

# Rows of its state, each (links,); powers are those sent, < 0 where the far end sends
ORDER_MW = 0  # scheduled, on its way to TARGET_MW
TARGET_MW = 1
RATE_MW_PER_S = 2
PLAN_MW = 3  # mean of the order over the exchange
POLES_PU = 4  # share of the poles in service
LIVE_PU = 5  # the same, or the share of an end that is energised where that is less
CUT_MW = 6  # most that a runback leaves, on its way to CUT_TARGET_MW
CUT_TARGET_MW = 7
CUT_RATE_MW_PER_S = 8
CAP_MW = 9  # most that poles in service take
LEFT_S = 10  # how long they still stand their overload
FILTER_MVAR = 11  # filters that wait to be tripped
FILTER_LEFT_S = 12
STATE_ROWS = 13

# Rows of what was carried, each (links,): means over the exchange
FROM_MW = 0  # drawn at the sending end
TO_MW = 1  # delivered at the receiving end
SURPLUS_MVAR = 2  # delivered at each end by filters nobody needs
CARRIED_ROWS = 3

EXCESS_PU = 1e-9
"""Beyond its rating by less than this, a link is not overloaded: rounding."""


@jit
def ramp_mean(value: float, target: float, rate: float, dt_s: float) -> tuple[float, float]:
    """Return where a ramp is after `dt_s`, and its mean over it."""
    if value == target:
        return value, value
    gap, reach = target - value, rate * dt_s
    if abs(gap) <= reach:
        part = abs(gap) / reach
        return target, part * 0.5 * (value + target) + (1.0 - part) * target
    end = value + math.copysign(reach, gap)
    return end, 0.5 * (value + end)


@jit
def possible_mw(wanted: float, least: float) -> float:
    """Return the power nearest to `wanted` that current above its minimum can carry, or nothing."""
    if abs(wanted) >= least:
        return wanted
    return math.copysign(least, wanted) if abs(wanted) >= 0.5 * least and wanted != 0.0 else 0.0


@jit
def move_orders(fixed: Floats, state: Floats, dt_s: float) -> bool:
    """Ramp the orders over an exchange; return whether the next mean will be another one.

    Parameters
    ----------
    fixed, state
        Shapes (FIXED_ROWS, links) and (STATE_ROWS, links).
    dt_s
        Length of the exchange.
    """
    moving = False
    for i in range(state.shape[1]):
        order, mean = ramp_mean(state[ORDER_MW, i], state[TARGET_MW, i], state[RATE_MW_PER_S, i], dt_s)
        state[ORDER_MW, i] = order
        state[PLAN_MW, i] = possible_mw(mean, fixed[MIN_MW, i])
        moving = moving or order != state[TARGET_MW, i] or mean != order
    return moving


@jit
def ends_mw(sent: float, live_pu: float, station_pu: float, k_per_mw: float) -> tuple[float, float]:
    """Return what the near end draws and the far end delivers when whoever sends draws `sent`."""
    other = received_mw(sent, live_pu, station_pu, k_per_mw)
    return (sent, other) if sent >= 0.0 else (other, sent)


@jit
def order_mw(value: float, near: bool, station_pu: float, k_per_mw: float) -> float:
    """Return the order, in terms of who sends, for which the near (or the far) end has `value`."""
    return value if near == (value >= 0.0) else sent_mw(value, 1.0, station_pu, k_per_mw)


@jit
def take_drivers(
    driven_near: Ints, at: Ints, link: Ints, near: Bools, planned: Bools, p_mw: Floats, fixed: Floats,
    state: Floats, jump: bool,
) -> None:  # fmt: skip
    """Let the orders of driven links go where their driver has put the end it scales.

    Parameters
    ----------
    driven_near
        1 where a driver scales the near end, 0 the far end, -1 none, shape (links,).
    at, link, near, planned
        Element, link, whether it is the near end, whether the plan counts on it, shape (ends,).
    p_mw
        Planned powers of all elements.
    fixed, state
        As for `move_orders`.
    jump
        At the first exchange the order is there at once.
    """
    for i in range(driven_near.size):
        if driven_near[i] < 0:
            continue
        total = 0.0
        for j in range(at.size):
            if link[j] == i and near[j] == (driven_near[i] == 1) and planned[j]:
                total += p_mw[at[j]] if near[j] else -p_mw[at[j]]
        state[TARGET_MW, i] = order_mw(
            total, driven_near[i] == 1, fixed[STATION_PU, i], fixed[K_PER_MW, i]
        )  # fmt: skip
        state[RATE_MW_PER_S, i] = fixed[RAMP_MW_PER_S, i]
        if jump:
            state[ORDER_MW, i] = state[TARGET_MW, i]


@jit
def set_live(link: Ints, near: Bools, weight: Floats, alive: Bools, state: Floats) -> None:
    """Write which share of each link can carry: of its poles, and of each of its ends.

    Parameters
    ----------
    link, near, weight, alive
        Link, whether it is the near end, share of that end, whether it is energised, shape (ends,).
    state
        Shape (STATE_ROWS, links).
    """
    for i in range(state.shape[1]):
        here, there, ends = 0.0, 0.0, 0
        for j in range(link.size):
            if link[j] == i:
                ends |= 1 if near[j] else 2
                if near[j]:
                    here += weight[j] * alive[j]
                else:
                    there += weight[j] * alive[j]
        live = state[POLES_PU, i]
        if ends & 1:
            live = min(live, here)
        if ends & 2:
            live = min(live, there)
        state[LIVE_PU, i] = live if live > EXCESS_PU else 0.0


@jit
def capacity_mw(fixed: Floats, state: Floats, i: int, dt_s: float) -> float:
    """Advance what the poles in service take of link `i`; return the mean of it.

    Beyond its rating a pole stands `OVERLOAD_PU` for `OVERLOAD_S`, then ramps down; it stands that again
    once it has been within its rating for as long.
    """
    full = state[LIVE_PU, i] * fixed[SN_MW, i]
    most = full * fixed[OVERLOAD_PU, i]
    cap = min(max(state[CAP_MW, i], full), most)
    if abs(state[PLAN_MW, i]) <= full * (1.0 + EXCESS_PU):
        state[LEFT_S, i] = min(state[LEFT_S, i] + dt_s, fixed[OVERLOAD_S, i])
        state[CAP_MW, i] = most if state[LEFT_S, i] >= fixed[OVERLOAD_S, i] else full
        return float(max(cap, abs(state[PLAN_MW, i])))
    stands = min(state[LEFT_S, i], dt_s)
    state[LEFT_S, i] -= stands
    end, mean = ramp_mean(cap, full, fixed[RAMP_MW_PER_S, i], dt_s - stands) if stands < dt_s else (cap, cap)
    state[CAP_MW, i] = end
    return float((cap * stands + mean * (dt_s - stands)) / dt_s)


@jit
def carry(fixed: Floats, state: Floats, dt_s: float, carried: Floats) -> None:
    """Advance limits and filters by `dt_s`; add what was carried, times `dt_s`, to `carried`.

    A cut is over once the schedule has come down to it.

    Parameters
    ----------
    fixed, state
        As for `move_orders`.
    dt_s
        Length of the exchange, or of a part of it in which no pole comes back.
    carried
        Rows `FROM_MW, TO_MW, SURPLUS_MVAR`, shape (CARRIED_ROWS, links).
    """
    for i in range(state.shape[1]):
        live, sent = state[LIVE_PU, i], state[PLAN_MW, i]
        limit = capacity_mw(fixed, state, i, dt_s)
        cut, mean = ramp_mean(
            state[CUT_MW, i], state[CUT_TARGET_MW, i], state[CUT_RATE_MW_PER_S, i], dt_s
        )  # fmt: skip
        over = cut == state[CUT_TARGET_MW, i] and abs(state[ORDER_MW, i]) <= cut
        state[CUT_MW, i] = math.inf if over else cut
        state[CUT_TARGET_MW, i] = math.inf if over else state[CUT_TARGET_MW, i]
        limit = min(limit, mean)
        if live <= 0.0:
            sent = 0.0
        elif abs(sent) > limit:
            sent = possible_mw(math.copysign(limit, sent), live * fixed[MIN_MW, i])
        near, far = ends_mw(sent, live, fixed[STATION_PU, i], fixed[K_PER_MW, i])
        stay = min(state[FILTER_LEFT_S, i], dt_s)
        state[FILTER_LEFT_S, i] -= stay
        carried[FROM_MW, i] += near * dt_s
        carried[TO_MW, i] += far * dt_s
        carried[SURPLUS_MVAR, i] += state[FILTER_MVAR, i] * stay
        if state[FILTER_LEFT_S, i] <= 0.0:
            state[FILTER_MVAR, i] = 0.0


@jit
def spread(
    link: Ints, near: Bools, weight: Floats, alive: Bools, carried: Floats, p_mw: Floats, surplus_mvar: Floats
) -> None:
    """Write what each element of an end draws, and what idle filters deliver at it.

    Parameters
    ----------
    link, near, weight, alive
        Link, whether it is the near end, share of that end, whether it takes part, shape (ends,).
    carried
        Means, as `carry` adds them up.
    p_mw, surplus_mvar
        Written, shape (ends,).
    """
    for j in range(link.size):
        total = 0.0
        for m in range(link.size):
            if link[m] == link[j] and near[m] == near[j] and alive[m]:
                total += weight[m]
        share = weight[j] / total if alive[j] and total > 0.0 else 0.0
        whole = carried[FROM_MW, link[j]] if near[j] else -carried[TO_MW, link[j]]
        p_mw[j] = whole * share
        surplus_mvar[j] = carried[SURPLUS_MVAR, link[j]] * share
