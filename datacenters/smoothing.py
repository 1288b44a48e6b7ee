"""Smoothing of a hall's power as racks do it: a power floor, ramp limits, capacitors in power supplies.

Floor and ramp limits act on what accelerators draw, inside the hall's kernel (`shape`). Here are their
parameters, and the capacitors between racks and supply.
"""

import math
from collections.abc import Sequence

import numpy as np
from pydantic import Field

from cosim.core.params import Params
from cosim.core.types import Bools, Floats

HOUR_S = 3600.0


class Smoothing(Params):
    """What racks of one hall do to keep their power even."""

    floor_pu: float = Field(
        default=0.0,
        ge=0,
        le=0.9,
        description="least power while supplied, of rated IT power; 0.2-0.9 of TDP on GB200 (published)",
    )
    ramp_up_pu_per_s: float | None = Field(
        default=None, gt=0, description="fastest rise, of rated IT power; work waits for it; none: no limit"
    )
    ramp_down_pu_per_s: float | None = Field(
        default=None, gt=0, description="fastest fall, of rated IT power; ballast fills up; none: no limit"
    )
    capacitor_j_per_gpu: float = Field(
        default=0.0, ge=0, description="energy in power supplies; 65 on GB300 (published, secondary); 0: none"
    )
    capacitor_tau_s: float = Field(
        default=0.5, gt=0, description="time constant of the mean that supplies draw instead (unconfirmed)"
    )

    def shaping_mw(self, rated_mw: float) -> tuple[float, float, float]:
        """Return floor [MW] and the limits of rise and fall [MW/s], infinite where there is none."""
        rise, fall = self.ramp_up_pu_per_s, self.ramp_down_pu_per_s
        return (
            self.floor_pu * rated_mw,
            math.inf if rise is None else rise * rated_mw,
            math.inf if fall is None else fall * rated_mw,
        )


class Capacitors:
    r"""Capacitors of all halls: what is drawn is the recent mean of the racks' power, while charge allows.

    :math:`\tau\,m' = p_{racks} - m` and :math:`e' = m - p_{racks}` between empty and full, integrated exactly
    for power held over the step; at a bound the racks' power passes through. So what is drawn is always
    the racks' power and the change of the charge. A square wave of swing :math:`\Delta P`, duty :math:`D` and
    period :math:`T \ll \tau` moves the charge by :math:`\Delta P\,D(1-D)\,T`: what flattening it takes.
    """

    def __init__(self, smoothing: Sequence[Smoothing | None], gpus_count: Floats) -> None:
        known = [one or Smoothing() for one in smoothing]
        joule = np.array([one.capacitor_j_per_gpu for one in known])
        self._full_mwh = joule * gpus_count / 1e6 / HOUR_S
        self._present = bool(self._full_mwh.any())
        self._tau_s = np.array([one.capacitor_tau_s for one in known])
        self.reset()

    def reset(self) -> None:
        """Charge all of them; the mean begins at the racks' first power."""
        self.energy_mwh = self._full_mwh.copy()
        self._mean_mw: Floats | None = None

    def charge(self, racks_mw: Floats, lit: Bools, dt_s: float) -> Floats:
        """Advance by `dt_s` and return the power into each hall's capacitors, mean over it [MW].

        A hall without voltage keeps its charge, which then softens its return.
        """
        if not self._present:
            return np.zeros_like(racks_mw)
        above_mw = np.zeros_like(racks_mw) if self._mean_mw is None else self._mean_mw - racks_mw
        above_mw[~lit] = 0.0
        left = np.exp(-dt_s / self._tau_s)
        self._mean_mw = racks_mw + above_mw * left
        wanted_mwh = above_mw * (1.0 - left) * self._tau_s / HOUR_S
        end_mwh = np.clip(self.energy_mwh + wanted_mwh, 0.0, self._full_mwh)
        into_mw: Floats = (end_mwh - self.energy_mwh) * HOUR_S / dt_s
        self.energy_mwh = end_mwh
        return into_mw
