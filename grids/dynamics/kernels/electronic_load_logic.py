"""When one electronic load ceases, comes back or locks out; `devices/electronic_load.py` says how."""

import numpy as np

from cosim.core.jit import jit
from cosim.core.types import Floats
from grids.dynamics.device import Block
from grids.dynamics.kernels.blocks import clip
from grids.dynamics.kernels.electronic_load_rows import HIGH_STAGES, KEPT, LOW_STAGES, P, X, Z
from grids.dynamics.kernels.relays import above_s, below_s, expired

CEASED, RETURNS, LOCKED, RESET = 1, 2, 4, 8
"""What `after` has to say, as a sum."""
TEXT = {
    RESET: "reset by hand",
    LOCKED: "locked out",
    CEASED: "ceased",
    RETURNS: "comes back",
}


@jit
def released(u: Block, k: int) -> None:
    """Undo lock-out and counting; all of the load may come back."""
    u.z[Z.locked, k] = 0.0
    if u.z[Z.ceased, k] == 1.0:
        u.z[Z.by_hand, k] = 1.0
    else:
        u.z[Z.level, k] = 1.0
    for i in range(KEPT):
        u.z[Z.dip0 + i, k] = -np.inf


@jit
def counts(u: Block, k: int, now: float, t_s: float) -> bool:
    """Count the dips within the window; True when they lock the load out."""
    low = now < u.p[P.vcnt_pu, k]
    if low and u.z[Z.in_dip, k] == 0.0:
        head = (int(u.z[Z.head, k]) + 1) % KEPT
        u.z[Z.head, k] = head
        u.z[Z.dip0 + head, k] = t_s
    u.z[Z.in_dip, k] = 1.0 if low else 0.0
    count = 0.0
    for i in range(KEPT):
        if t_s - u.z[Z.dip0 + i, k] <= u.p[P.twin_s, k]:
            count += 1.0
    u.z[Z.count, k] = count
    if u.p[P.nmax_count, k] == 0.0 or count < u.p[P.nmax_count, k] or u.z[Z.locked, k] == 1.0:
        return False
    u.z[Z.locked, k] = 1.0
    return True


@jit
def beyond_curve(u: Block, k: int, now: float, h_s: float) -> bool:
    """Say whether the voltage was below or above a stage of the curve for its delay."""
    before = u.z[Z.before, k]
    u.z[Z.low_s, k] = below_s(u.z[Z.low_s, k], before, now, u.p[P.vcease_pu, k], h_s)
    u.z[Z.high_s, k] = above_s(u.z[Z.high_s, k], before, now, u.p[P.vhigh_pu, k], h_s)
    beyond = expired(u.z[Z.low_s, k], u.p[P.tcease_s, k]) or expired(u.z[Z.high_s, k], u.p[P.thigh_s, k])
    for i in range(LOW_STAGES - 1):
        low = below_s(u.z[Z.low2_s + i, k], before, now, u.p[P.vcease2_pu + 2 * i, k], h_s)
        u.z[Z.low2_s + i, k] = low
        beyond = beyond or expired(low, u.p[P.tcease2_s + 2 * i, k])
    for i in range(HIGH_STAGES - 1):
        if u.p[P.vhigh2_pu + 2 * i, k] > 0.0:
            high = above_s(u.z[Z.high2_s + i, k], before, now, u.p[P.vhigh2_pu + 2 * i, k], h_s)
            u.z[Z.high2_s + i, k] = high
            beyond = beyond or expired(high, u.p[P.thigh2_s + 2 * i, k])
    return beyond


@jit
def switches(u: Block, x: Floats, k: int, now: float, h_s: float) -> int:
    """Cease or come back, and say so."""
    beyond = beyond_curve(u, k, now, h_s)
    back_s = above_s(u.z[Z.back_s, k], u.z[Z.before, k], now, u.p[P.vrecon_pu, k], h_s)
    u.z[Z.back_s, k] = 0.0 if now > u.p[P.vhrecon_pu, k] else back_s
    u.z[Z.before, k] = now
    if u.z[Z.ceased, k] == 0.0:
        empty = u.p[P.hold_s, k] > 0.0 and x[X.held, k] <= 0.0
        if beyond or empty or u.z[Z.locked, k] == 1.0:
            u.z[Z.ceased, k] = 1.0
            u.z[Z.ceasings, k] += 1.0
            return CEASED
    elif u.z[Z.locked, k] == 0.0 and expired(u.z[Z.back_s, k], u.p[P.trecon_s, k]):
        by_itself = 1.0 - u.p[P.fcease_pu, k] * (1.0 - u.p[P.frecon_pu, k])
        u.z[Z.level, k] = 1.0 if u.z[Z.by_hand, k] == 1.0 else by_itself
        u.z[Z.ceased, k], u.z[Z.by_hand, k] = 0.0, 0.0
        return RETURNS
    return 0


@jit
def steered(u: Block, x: Floats, k: int, h_s: float) -> None:
    """Write how fast the connected fraction moves in the next step [1/s].

    The next step may be longer than the last: what went past its aim comes back to it, and ceasing at once is
    a jump, not a slope.
    """
    fraction, slope = x[X.fraction, k], u.z[Z.slope, k]
    if slope * (fraction - u.z[Z.aim, k]) > 0.0:
        fraction = u.z[Z.aim, k]
    aim, slowest = u.z[Z.level, k], -np.inf
    if u.z[Z.ceased, k] == 1.0:
        aim = 1.0 - u.p[P.fcease_pu, k]
        if u.p[P.tdrop_s, k] > 0.0:
            slowest = -u.p[P.fcease_pu, k] / u.p[P.tdrop_s, k]
        else:
            fraction = min(fraction, aim)
    x[X.fraction, k], u.z[Z.aim, k] = fraction, aim
    u.z[Z.slope, k] = clip((aim - fraction) / h_s, slowest, u.p[P.rrecon_pu_per_s, k])
