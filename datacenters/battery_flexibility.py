"""How far batteries can be moved from their power: rating, ramp, and the energy for the whole horizon."""

import copy
from dataclasses import dataclass

import numpy as np

from cosim.core.flexibility import DAY_S, Flexibility, Side
from cosim.core.types import Bools, Floats
from datacenters.ageing import LfpAgeing
from datacenters.kernels import battery as kernel

HELD = 1e-9


def cells_mw(par: Floats, p_mw: Floats) -> Floats:
    """Return the power into the cells of converters that draw `p_mw` [MW], both (units,)."""
    charging, discharging = p_mw * par[:, kernel.ETA_CHARGE], p_mw / par[:, kernel.ETA_DISCHARGE]
    return np.where(p_mw > 0.0, charging, discharging)


def held_between(par: Floats, energy_mwh: Floats, hold_s: Floats) -> tuple[Floats, Floats]:
    """Return the lowest and the highest converter power that can be held for a time [MW], each (units,)."""
    hours = hold_s / kernel.S_PER_H
    give_mw = np.maximum(energy_mwh - par[:, kernel.E_MIN], 0.0) / hours * par[:, kernel.ETA_DISCHARGE]
    take_mw = np.maximum(par[:, kernel.E_MAX] - energy_mwh, 0.0) / hours / par[:, kernel.ETA_CHARGE]
    rated_mw = par[:, kernel.RATED_MW]
    return -np.minimum(give_mw, rated_mw), np.minimum(take_mw, rated_mw)


def lasts_s(par: Floats, energy_mwh: Floats, p_mw: Floats) -> Floats:
    """Return how long a converter power can be held, at most a day [s], (units,)."""
    into_mw = cells_mw(par, p_mw)
    limit_mwh = np.where(into_mw > 0.0, par[:, kernel.E_MAX], par[:, kernel.E_MIN])
    way_mwh = np.where(into_mw == 0.0, np.inf, np.abs(limit_mwh - energy_mwh))
    return np.minimum(way_mwh / np.maximum(np.abs(into_mw), 1e-300) * kernel.S_PER_H, DAY_S)


def battery_range(
    par: Floats, energy_mwh: Floats, p_mw: Floats, able: Bools, horizon_s: float
) -> tuple[Flexibility, Floats, Floats]:
    r"""Return the range of batteries about the converter power they hold.

    Power p can be held for a horizon h with the ramps before and after it, r = 2 p_rated / ramp each, where
    :math:`c(p)(h + 2r) \le E_{max} - E` charging and :math:`-c(p)(h + 2r) \le E - E_{min}` discharging,
    with c the power into the cells. Where the power they hold now cannot be held so long, nothing is
    promised: there would be no baseline.

    Parameters
    ----------
    par : (units, N_PARAMS) of the kernel. energy_mwh, p_mw : in the cells and of the converter now, (units,).
    able : which follow orders and have voltage.

    Returns
    -------
    The range, and the lowest and highest converter power that can be held, each (units,).
    """
    ramp_s = 2.0 * par[:, kernel.RATED_MW] / par[:, kernel.RAMP]
    low_mw, high_mw = held_between(par, energy_mwh, horizon_s + 2.0 * ramp_s)
    slack_mw = HELD * par[:, kernel.RATED_MW]
    able = able & (p_mw >= low_mw - slack_mw) & (p_mw <= high_mw + slack_mw)
    low_mw, high_mw = np.where(able, low_mw, p_mw), np.where(able, high_mw, p_mw)
    sides = [
        Side.of(
            np.maximum(sign * (to_mw - p_mw), 0.0),
            par[:, kernel.RAMP],
            np.maximum(lasts_s(par, energy_mwh, to_mw) - 2.0 * ramp_s, horizon_s),
        )
        for sign, to_mw in ((-1.0, low_mw), (1.0, high_mw))
    ]
    return Flexibility(p_mw + par[:, kernel.STANDBY_MW], *sides), low_mw, high_mw


@dataclass(frozen=True)
class Cells:
    """Cells that age: charge, what they hold [MWh] and of what they held new, and temperature; (units,)."""

    soc_pu: Floats
    held_mwh: Floats
    held_pu: Floats
    temp_degc: Floats

    def aged_pu(self, ageing: LfpAgeing, horizon_s: float, into_mw: Floats) -> Floats:
        """Return the capacity lost in all after a power into them was held for a horizon, (units,)."""
        moved_pu = into_mw * horizon_s / kernel.S_PER_H / self.held_mwh
        after_pu = np.clip(self.soc_pu + moved_pu, 0.0, 1.0)
        lost_pu = copy.deepcopy(ageing).advance(
            horizon_s, self.soc_pu, after_pu, self.temp_degc, self.held_pu
        )
        return np.add(*lost_pu)
