"""Power that moves towards a target, at a limited rate or with a lag: where it gets, and its mean."""

import numpy as np

from cosim.core.types import Floats


def ramped(before: Floats, target: Floats, rate: Floats, dt_s: Floats | float) -> tuple[Floats, Floats]:
    r"""Return the value after `dt_s` and its mean.

    The value moves at `rate` until it reaches the target, after :math:`\tau = |b - a|/r`, and stays there:
    the mean is :math:`b + (a - b)\,\tau/2\Delta t`. Where `dt_s` is 0 the mean is the value before.
    """
    gap = target - before
    reach = rate * dt_s
    arrives = np.abs(gap) <= reach
    end = np.where(arrives, target, before + np.clip(gap, -reach, reach))
    share = np.abs(gap) / np.maximum(reach, 1e-300)  # of the step, until it is there
    mean = np.where(arrives, target - 0.5 * gap * share, 0.5 * (before + end))
    return end, mean


def lagged(before: Floats, target: Floats, tau_s: Floats, dt_s: float) -> tuple[Floats, Floats]:
    r"""Return the value after `dt_s` and its mean, where it follows a target with a first-order lag.

    With :math:`p = 1 - e^{-\Delta t/\tau}` it ends at :math:`b + (a - b)p`, and its mean is
    :math:`a + (b - a)\,p\,\tau/\Delta t`.
    """
    part = -np.expm1(-dt_s / np.maximum(tau_s, 1e-9))
    return before + (target - before) * part, target + (before - target) * part * tau_s / dt_s


def within_rating(q_mvar: Floats, p_mw: Floats, s_rated_mva: Floats) -> Floats:
    """Return the reactive power wanted, as far as the rating leaves room beside the active power."""
    room_mvar = np.sqrt(np.maximum(s_rated_mva**2 - p_mw**2, 0.0))
    return np.clip(q_mvar, -room_mvar, room_mvar)
