"""What protection measures and how long it waits.

The frequency at a bus is that of its voltage's angle behind a lag; a stage operates once its quantity has
been beyond the threshold without a break for its delay. Crossings are interpolated within the step, so a
stage operates at the end of the step in which its delay ends.
"""

import math

from cosim.core.jit import jit
from grids.dynamics.kernels.blocks import turned


@jit
def angle_lead(at: complex, kept: float) -> float:
    """Return by how much the angle of a voltage leads the one kept [rad]."""
    return turned(math.atan2(at.imag, at.real), kept)


@jit
def frequency_pu(lead: float, t_s: float, omega_base: float) -> float:
    r"""Return the frequency at a bus [pu], :math:`1 + (\theta - x)/(\Omega T)`."""
    return 1.0 + lead / (omega_base * t_s)


@jit
def below_s(timer_s: float, before: float, now: float, threshold: float, h_s: float) -> float:
    """Return for how long a quantity has been below a threshold without a break [s].

    `before` and `now` are its values at the start and at the end of a step of `h_s`.
    """
    if not now < threshold:
        return 0.0
    if before < threshold:
        return timer_s + h_s
    return h_s * (threshold - now) / (before - now)


@jit
def above_s(timer_s: float, before: float, now: float, threshold: float, h_s: float) -> float:
    """Return for how long a quantity has been above a threshold without a break [s]."""
    return below_s(timer_s, -before, -now, -threshold, h_s)


@jit
def expired(timer_s: float, delay_s: float) -> bool:
    """Say whether a stage operates: its quantity is beyond the threshold and its delay is over."""
    return timer_s > 0.0 and timer_s >= delay_s - 1e-9
