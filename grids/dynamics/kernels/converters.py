"""What the converter models share: currents in the frame of the terminal voltage, tables, limits."""

import math
from typing import Any

from cosim.core.jit import jit

LOW_PU = 0.01
"""Voltage below which a current source turns into an admittance: its angle has no meaning at zero."""
UNLIMITED_PU_PER_S = 99.0
"""Rate from which a rate limit counts as none (999 in the usual data)."""


@jit
def polar_current(at: Any, ip: float, iq: float) -> Any:  # complex, which mypy and Numba call differently
    r"""Return :math:`(i_p - ji_q)e^{j\theta}`, which delivers :math:`P = Vi_p` and :math:`Q = Vi_q`."""
    vm = abs(at)
    return complex(ip, -iq) * at / max(vm, LOW_PU)


@jit
def limited(rate: float, low: float, high: float) -> float:
    """Return a rate within its limits [1/s]."""
    return min(max(rate, low), high)


@jit
def pi_rate(error: float, gain: float, raw: float, low: float, high: float) -> float:
    """Return the rate of the integrator of a PI controller that does not wind up beyond its limits [1/s]."""
    rate = gain * error
    if (raw >= high and rate > 0.0) or (raw <= low and rate < 0.0):
        return 0.0
    return rate


@jit
def ramp_between(u: float, u0: float, y0: float, u1: float, y1: float) -> float:
    """Return the straight line through two points, held at its ends; `u0 < u1`."""
    if u <= u0:
        return y0
    if u >= u1:
        return y1
    return y0 + (y1 - y0) * (u - u0) / (u1 - u0)


@jit
def rest_of_circle(limit: float, used: float) -> float:
    """Return what a current limit leaves beside the current that has priority."""
    return math.sqrt(max(limit * limit - used * used, 0.0))


@jit
def limited_source(drop: Any, most: float) -> Any:
    """Return a current, or where it is larger one of size `most` in the same direction."""
    size = abs(drop)
    return drop * (most / size) if size > most else drop
