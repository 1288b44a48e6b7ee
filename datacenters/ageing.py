"""Ageing of lithium iron phosphate cells: capacity lost with time and with use."""

import numpy as np

from cosim.core.types import Floats

S_PER_DAY = 86_400.0
KELVIN = 273.15

TURN_PU = 0.01
"""A reversal of the charge smaller than this is no turning point: it adds to the half cycle it lies in."""

VALID_DEGC = (10.0, 45.0)
VALID_CHARGE_PER_H = 0.65
VALID_DISCHARGE_PER_H = 1.0

# [1]: calendar, p1 p2 p3 and exponent
_K_CALENDAR, _T_CALENDAR, _T_ANODE, _P_CALENDAR = 8.37e4, -5.21e3, -3.56e3, 0.526
# [1]: cycles, p4 p5 p6, p7 p8 and exponent
_K_USE, _K_DEPTH, _K_RATE, _T_COLD, _T_HOT, _P_CYCLE = 4.38e-8, 1.55e-8, 1.68e-7, 2.19e3, -1.55e5, 0.828


def anode_potential(soc_pu: Floats) -> Floats:
    """Return the potential of a graphite anode against lithium [V], by Safari and Delacourt [2]_.

    References
    ----------
    .. [2] M. Safari, C. Delacourt, J. Electrochem. Soc. 158 (2011) A562; stoichiometry 0.0085 to 0.78 of
       M. Schimpe et al., J. Electrochem. Soc. 165 (2018) A181.
    """
    x = 8.5e-3 + soc_pu * (0.78 - 8.5e-3)
    falls = (
        (0.044, 0.1958, 0.1088),
        (0.1978, 1.0571, 0.0854),
        (0.6875, -0.0117, 0.0529),
        (0.0175, 0.5692, 0.0875),
    )
    steps = sum((a * np.tanh((x - middle) / width) for a, middle, width in falls), np.zeros_like(x))
    return np.asarray(0.6379 + 0.5416 * np.exp(-305.5309 * x) - steps)


def calendar_factor(temp_degc: Floats, soc_pu: Floats) -> Floats:
    r"""Return :math:`k_{cal} = p_1 e^{p_2/T} e^{p_3 U_a/T}` of :math:`k_{cal} t^{0.526}`, t in days [1]_.

    References
    ----------
    .. [1] NREL BLAST-Lite, `lfp_gr_250AhPrismatic_2019`; tests in J. Energy Storage 73 (2023) 109042.
    """
    kelvin = temp_degc + KELVIN
    return np.asarray(_K_CALENDAR * np.exp((_T_CALENDAR + _T_ANODE * anode_potential(soc_pu)) / kelvin))


def cycle_factor(temp_degc: Floats, depth_pu: Floats, rate_per_h: Floats) -> Floats:
    r"""Return :math:`k_{cyc} = (p_4 + p_5 DOD + p_6 C)(e^{p_7/T} + e^{-p_8/T})` of :math:`k_{cyc} N^{0.828}`.

    N counts equivalent full cycles; C is the rate [1/h] while charge moves; both of new capacity. The source
    is that of `calendar_factor`.
    """
    kelvin = temp_degc + KELVIN
    by_use = _K_USE + _K_DEPTH * depth_pu + _K_RATE * rate_per_h
    return np.asarray(by_use * (np.exp(_T_COLD / kelvin) + np.exp(_T_HOT / kelvin)))


class LfpAgeing:
    r"""Capacity lost by each of some batteries, step by step.

    A loss :math:`q = k\,x^p` (x: days, or equivalent full cycles) under changing stress follows
    :math:`dq/dx = p\,k\,(k/q)^{(1-p)/p}`: the cell goes on from the x at which the new stress would have
    brought it to its present loss. With :math:`z = q^{1/p}` that is :math:`dz = k^{1/p}\,dx`, which is
    summed. So steps may be of any length where the stress is constant within them.

    Cycles are counted as they come, without rainflow: a half cycle lasts from one turning point of the
    charge to the next, where reversals below `TURN_PU` are none. Its depth, its mean rate and mean
    temperature (both weighted with the charge moved) give one factor for the charge it moved. The half
    cycle under way counts with its depth so far, so the loss is continuous.

    Parameters
    ----------
    calendar_pu, cycle_pu
        Losses at the start, shape (units,).
    soc_pu
        Charge at the start, shape (units,).
    """

    def __init__(self, calendar_pu: Floats, cycle_pu: Floats, soc_pu: Floats) -> None:
        self._calendar = calendar_pu ** (1.0 / _P_CALENDAR)
        self._cycles = cycle_pu ** (1.0 / _P_CYCLE)
        self._turn_pu, self._furthest_pu = soc_pu.copy(), soc_pu.copy()
        self._way = np.zeros_like(soc_pu)
        self._moved_pu, self._rate, self._temp = (np.zeros_like(soc_pu) for _ in range(3))

    def advance(
        self,
        dt_s: float | Floats,
        before_pu: Floats,
        after_pu: Floats,
        temp_degc: Floats,
        held_pu: Floats | float = 1.0,
    ) -> tuple[Floats, Floats]:
        """Return calendar and cycle loss [pu of new capacity] after a step from one charge to another.

        Parameters
        ----------
        dt_s : length of the step, for all or shape (units,).
        before_pu, after_pu : charge at its begin and end, of what the cells hold now. temp_degc : of the
        cells. held_pu : what they hold now, of new capacity, in which full cycles and rates are counted.
        Shape (units,).
        """
        days = np.asarray(dt_s) / S_PER_DAY
        resting = calendar_factor(temp_degc, 0.5 * (before_pu + after_pu))
        self._calendar += resting ** (1.0 / _P_CALENDAR) * days
        turned = self._way * (self._furthest_pu - after_pu) > TURN_PU
        self._cycles += np.where(turned, self._under_way(), 0.0)
        self._turn_pu = np.where(turned, self._furthest_pu, self._turn_pu)
        self._way = np.where(turned, -self._way, self._way)
        for total in (self._moved_pu, self._rate, self._temp):
            total[turned] = 0.0
        moved_pu = np.abs(after_pu - before_pu) * held_pu
        self._moved_pu += moved_pu
        self._rate += moved_pu * moved_pu / (days * 24.0)
        self._temp += moved_pu * temp_degc
        self._way = np.where(self._way == 0.0, np.sign(after_pu - before_pu), self._way)
        on = turned | (self._way * (after_pu - self._furthest_pu) > 0.0)
        self._furthest_pu = np.where(on, after_pu, self._furthest_pu)
        cycles = self._cycles + self._under_way()
        return self._calendar**_P_CALENDAR, cycles**_P_CYCLE

    def _under_way(self) -> Floats:
        """Return what the half cycle under way adds to the sum of the cycles."""
        moved_pu = np.maximum(self._moved_pu, 1e-300)
        depth_pu = np.abs(self._furthest_pu - self._turn_pu)
        factor = cycle_factor(self._temp / moved_pu, depth_pu, self._rate / moved_pu)
        return np.asarray(factor ** (1.0 / _P_CYCLE) * 0.5 * self._moved_pu)
