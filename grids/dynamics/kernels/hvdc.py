"""What converters of HVDC links share: line-commutated bridges, current orders, the schedule.

Direct voltage and current are per unit of the link's rated ones, `e` is the alternating voltage over that of
the operating point, `x` the commutating reactance on the converter transformer's rating, and `no_load`
the ideal no-load direct voltage at `e` = 1.
"""

import math

from cosim.core.jit import jit
from grids.dynamics.kernels.blocks import clip, dead_band

SETTLE_S = 0.05
"""Time constant with which the order comes to rest at the end of a ramp."""


@jit
def bridge(e: float, cos_a: float, current: float, x: float, no_load: float) -> complex:
    r"""Return P + jQ a bridge draws [pu of the link] at firing angle :math:`\alpha` [1]_, [2]_.

    .. math::
        \cos\delta = \cos\alpha - x i/e, \quad V_d = V_{d0}e\,(\cos\alpha+\cos\delta)/2, \quad
        P = V_d i, \quad
        Q = \frac{V_{d0}e^2}{4x}\,(2\mu + \sin 2\alpha - \sin 2\delta), \quad \mu = \delta-\alpha

    An inverter has :math:`\cos\alpha = -\cos\beta`. Where the voltage is too low to commutate the
    current before the next valve fires, what is commutated flows.

    References
    ----------
    .. [1] P. Kundur, *Power System Stability and Control*, 1994, section 10.2.
    .. [2] E. W. Kimbark, *Direct Current Transmission*, 1971, ch. 3.
    """
    if e <= 1e-9:
        return complex(0.0, 0.0)
    cos_d = max(cos_a - x * current / e, -1.0)
    flowing = (cos_a - cos_d) * e / x
    alpha, delta = math.acos(clip(cos_a, -1.0, 1.0)), math.acos(cos_d)
    p = 0.5 * no_load * e * (cos_a + cos_d) * flowing
    sines = 2.0 * (delta - alpha) + math.sin(2.0 * alpha) - math.sin(2.0 * delta)
    return complex(p, 0.25 * no_load * e * e / x * sines)


@jit
def rectifier_cosine(e: float, vd: float, current: float, x: float, no_load: float, most: float) -> float:
    r"""Return :math:`\cos\alpha` at which a rectifier holds `vd`; `most` is that of its smallest angle."""
    if e <= 1e-9:
        return most
    return clip(vd / (no_load * e) + 0.5 * x * current / e, 0.0, most)


@jit
def inverter_voltage(e: float, cos_b: float, current: float, x: float, no_load: float) -> float:
    r"""Return :math:`V_d = V_{d0}e(\cos\beta+\cos\gamma)/2` with :math:`\cos\gamma = \cos\beta + xi/e`."""
    if e <= 1e-9:
        return 0.0
    return 0.5 * no_load * e * (cos_b + min(cos_b + x * current / e, 1.0))


@jit
def current_limit(vd: float, low: float, high: float, least: float, most: float) -> float:
    """Return the voltage-dependent current order limit: `least` up to `low`, `most` from `high` on."""
    if vd >= high:
        return most
    if vd <= low:
        return least
    return least + (most - least) * (vd - low) / (high - low)


@jit
def order_rate(wanted: float, order: float, ramp: float) -> float:
    """Return how fast the power order follows its schedule [1/s]."""
    return clip((wanted - order) / SETTLE_S, -ramp, ramp)


@jit
def frequency_support(w: float, gain: float, band: float, most: float) -> float:
    """Return by how much more a terminal draws for a frequency beyond the dead-band [pu]."""
    return clip(gain * dead_band(w - 1.0, -band, band), -most, most)
