"""Kernel of the battery: one step of orders, ramp smoothing, losses and the droop it can offer.

Arrays are indexed by the names below: `params[unit, row]`, `inputs[row, unit]`, `state[unit, row]`,
`outputs[row, unit]`. MW and MWh; time in s at the door, in h inside.
"""

import math

from cosim.core.jit import jit
from cosim.core.types import Floats

S_PER_H = 3600.0

# inputs
ORDER_MW, SITE_MW, DROOP_MW, ORDER_MVAR, VM_PU, TOLD_MW = range(6)
N_INPUTS = 6

# state: energy, converter power of the last step, power of site and battery together, last offer, power drawn
ENERGY, CONVERTER, TOGETHER, OFFERED_UP, OFFERED_DOWN, DRAWN = range(6)
N_STATES = 6

# parameters
(
    RATED_MW, ETA_CHARGE, ETA_DISCHARGE, E_MIN, E_MAX, E_TARGET, STANDBY_MW, RATED_MVA, RAMP,
    SMOOTHS, RAMP_LIMIT, RETURN_H, DROOP_GAIN,
) = range(13)  # fmt: skip
N_PARAMS = 13

# outputs
(
    P_MW, Q_MVAR, CELLS_MW, LOSS_MW, STORED_MWH, SOC, BOOKED_MW, UNMET_MW, TOGETHER_MW,
    GAIN, UP_MW, DOWN_MW,
) = range(12)  # fmt: skip
N_OUTPUTS = 12


@jit
def cells(p_mw: float, eta_charge_pu: float, eta_discharge_pu: float) -> float:
    """Return the power into the cells [MW] when the converter draws `p_mw` (< 0 discharges)."""
    return p_mw * eta_charge_pu if p_mw > 0.0 else p_mw / eta_discharge_pu


@jit
def converter(cells_mw: float, eta_charge_pu: float, eta_discharge_pu: float) -> float:
    """Return the power the converter draws [MW] when the cells take `cells_mw`: inverse of `cells`."""
    return cells_mw / eta_charge_pu if cells_mw > 0.0 else cells_mw * eta_discharge_pu


@jit
def within(value: float, low: float, high: float) -> float:
    """Return `value`, at least `low` and at most `high`."""
    return min(max(value, low), high)


@jit
def wanted_mw(par: Floats, order_mw: float, site_mw: float, state: Floats, dt_s: float, first: bool) -> float:
    r"""Return the converter power wanted: the order, or what keeps the site's ramp within its limit.

    Smoothing: site and battery together may move by the limit times `dt_s`. They move towards the
    site's own power plus what brings the charge back, :math:`(E_{target} - E)/T_{return}`.
    """
    if par[SMOOTHS] == 0.0:
        return order_mw
    calm_mw = site_mw + par[STANDBY_MW]
    together_mw = calm_mw + (par[E_TARGET] - state[ENERGY]) / par[RETURN_H]
    if not first:
        room_mw = par[RAMP_LIMIT] * dt_s
        together_mw = within(together_mw, state[TOGETHER] - room_mw, state[TOGETHER] + room_mw)
    return together_mw - calm_mw


@jit
def advance_batteries(
    dt_s: float, dt_last_s: float, params: Floats, inputs: Floats, state: Floats, outputs: Floats
) -> None:  # fmt: skip
    r"""Advance all batteries by `dt_s`, writing states in place and means over the step to `outputs`.

    1. Book the droop delivered over the last step: with the converter at :math:`p_0` then, a mean
       :math:`d` changed the cells' energy by :math:`[c(p_0+d) - c(p_0)]\,\Delta t_0`, where
       :math:`c(p)` is :math:`\eta_c p` charging and :math:`p/\eta_d` discharging. Where the
       grid took no droop and a dynamic model tells what it drew, :math:`d` is that less the schedule.
    2. Follow what is wanted, within converter ramp and rating and what the cells can take or give
       over this step.
    3. Offer as droop what rating and cells leave, so that no use of it passes a limit.

    Without voltage the converter is blocked and the controls are off: nothing is drawn or offered.

    Parameters
    ----------
    dt_last_s : length of the step before, 0 at the first.
    params : (units, N_PARAMS), inputs : (N_INPUTS, units), state : (units, N_STATES),
    outputs : (N_OUTPUTS, units).
    """
    hours, first = dt_s / S_PER_H, dt_last_s == 0.0
    for i in range(params.shape[0]):
        par, now = params[i], state[i]
        eta_c, eta_d, rated_mw = par[ETA_CHARGE], par[ETA_DISCHARGE], par[RATED_MW]
        droop_mw = within(inputs[DROOP_MW, i], -now[OFFERED_DOWN], now[OFFERED_UP])
        if not first and inputs[DROOP_MW, i] == 0.0 and not math.isnan(inputs[TOLD_MW, i]):
            droop_mw = inputs[TOLD_MW, i] - now[DRAWN]
        before_mw = now[CONVERTER]
        by_droop_mw = cells(before_mw + droop_mw, eta_c, eta_d) - cells(before_mw, eta_c, eta_d)
        by_droop_mw *= dt_last_s / dt_s
        booked_mw = droop_mw * dt_last_s / dt_s
        now[ENERGY] += by_droop_mw * hours

        order_mw = wanted_mw(par, inputs[ORDER_MW, i], inputs[SITE_MW, i], now, dt_s, first)
        p_mw = order_mw
        if not first:
            p_mw = within(p_mw, before_mw - par[RAMP] * dt_s, before_mw + par[RAMP] * dt_s)
        most_mw = converter(max(par[E_MAX] - now[ENERGY], 0.0) / hours, eta_c, eta_d)
        least_mw = converter(min(par[E_MIN] - now[ENERGY], 0.0) / hours, eta_c, eta_d)
        p_mw = within(p_mw, max(least_mw, -rated_mw), min(most_mw, rated_mw))
        dead = inputs[VM_PU, i] == 0.0
        if dead:
            p_mw = 0.0
        cells_mw = cells(p_mw, eta_c, eta_d)
        now[ENERGY] += cells_mw * hours
        drawn_mw = 0.0 if dead else p_mw + par[STANDBY_MW]
        now[CONVERTER], now[TOGETHER], now[DRAWN] = p_mw, inputs[SITE_MW, i] + drawn_mw, drawn_mw

        now[OFFERED_UP] = now[OFFERED_DOWN] = 0.0
        if par[DROOP_GAIN] > 0.0 and not dead:
            full_mw = cells_mw + max(par[E_MAX] - now[ENERGY], 0.0) / hours
            empty_mw = cells_mw + min(par[E_MIN] - now[ENERGY], 0.0) / hours
            now[OFFERED_UP] = max(min(converter(full_mw, eta_c, eta_d), rated_mw) - p_mw, 0.0)
            now[OFFERED_DOWN] = max(p_mw - max(converter(empty_mw, eta_c, eta_d), -rated_mw), 0.0)

        q_room_mvar = 0.0 if dead else max(par[RATED_MVA] ** 2 - p_mw**2, 0.0) ** 0.5
        outputs[P_MW, i] = drawn_mw
        outputs[Q_MVAR, i] = within(inputs[ORDER_MVAR, i], -q_room_mvar, q_room_mvar)
        outputs[CELLS_MW, i] = cells_mw + by_droop_mw
        outputs[LOSS_MW, i] = drawn_mw + booked_mw - (cells_mw + by_droop_mw)
        outputs[STORED_MWH, i] = now[ENERGY]
        outputs[BOOKED_MW, i] = booked_mw
        outputs[UNMET_MW, i] = order_mw - p_mw
        outputs[TOGETHER_MW, i] = now[TOGETHER]
        outputs[GAIN, i] = 0.0 if dead else par[DROOP_GAIN]
        outputs[UP_MW, i], outputs[DOWN_MW, i] = now[OFFERED_UP], now[OFFERED_DOWN]
