"""Control blocks: what a transfer function puts out, and how its state moves.

A time constant of zero passes the input through, as in the usual stability programs. States of blocks
that pass through stay where they are. [1]_

References
----------
.. [1] P. Kundur, *Power System Stability and Control*, 1994, sections 8.6 and 12.3.
.. [2] IEEE Std 421.5-2016, annex D: rectifier regulation.
"""

import math

from cosim.core.jit import jit


@jit
def lag(u: float, x: float, t_s: float) -> float:
    r"""Return the output of :math:`1/(1+sT)` with state `x`."""
    return x if t_s > 0.0 else u


@jit
def lag_rate(u: float, x: float, t_s: float) -> float:
    r"""Return how fast the state of :math:`1/(1+sT)` moves [1/s]: :math:`(u-x)/T`."""
    return (u - x) / t_s if t_s > 0.0 else 0.0


@jit
def lead_lag(u: float, x: float, lead_s: float, lag_s: float) -> float:
    r"""Return the output of :math:`(1+sT_1)/(1+sT_2)` with state `x`; its rate is `lag_rate`."""
    return x + (u - x) * lead_s / lag_s if lag_s > 0.0 else u


@jit
def washout(u: float, x: float, gain: float, t_s: float) -> float:
    r"""Return the output of :math:`sK/(1+sT)` with state `x`; its rate is `lag_rate`."""
    return (u - x) * gain / t_s if t_s > 0.0 else 0.0


@jit
def clip(u: float, low: float, high: float) -> float:
    """Return `u`, or the bound it has passed."""
    return min(max(u, low), high)


@jit
def held(rate: float, x: float, low: float, high: float) -> float:
    """Return the rate of a state that does not wind up beyond bounds which move with the voltage."""
    if (x >= high and rate > 0.0) or (x <= low and rate < 0.0):
        return 0.0
    return rate


@jit
def dead_band(u: float, low: float, high: float) -> float:
    """Return what of `u` lies beyond the band, without a step at its edges."""
    if u > high:
        return u - high
    if u < low:
        return u - low
    return 0.0


@jit
def saturation(flux: float, start: float, gain: float) -> float:
    r"""Return the quadratic saturation :math:`S\psi = B(\psi-A)^2` beyond `start`, zero below."""
    return gain * (flux - start) ** 2 if flux > start else 0.0


@jit
def rectifier(loading: float) -> float:
    r"""Return the share of its no-load voltage a rectifier delivers, :math:`F_{EX}(I_N)` [2]_.

    `loading` is :math:`I_N = K_C I_{fd}/V_E`; the three pieces are the rectifier's modes of commutation.
    """
    if loading <= 0.0:
        return 1.0
    if loading <= 0.433:
        return 1.0 - 0.577 * loading
    if loading <= 0.75:
        return math.sqrt(0.75 - loading * loading)
    return 1.732 * (1.0 - loading) if loading <= 1.0 else 0.0


@jit
def turned(angle: float, kept: float) -> float:
    r"""Return by how much an angle leads another [rad], between :math:`-\pi` and :math:`\pi`.

    The frequency at a bus is :math:`1 + (\theta-x)/(\Omega T)` with :math:`\dot x = (\theta-x)/T`: the
    derivative of the voltage's angle behind a lag. List `x` in `Device.angles`, so that it turns with the
    frame, and start it at the angle of the bus.
    """
    lead = angle - kept
    return lead - 2.0 * math.pi * math.floor((lead + math.pi) / (2.0 * math.pi))
