"""Batteries that carry a hall while the grid does not: of its supply, or in its racks."""

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from cosim.core.errors import ScenarioError
from cosim.core.params import Params
from cosim.core.types import Bools, Floats

CONNECTED = 0.999
"""Share of the supply from which a hall counts as wholly supplied: it then recharges and restarts."""
HOUR_S = 3600.0


class Store(Params):
    """Battery of one hall."""

    battery_min: float = Field(
        default=5.0, gt=0, description="time the batteries carry the rated hall (unconfirmed)"
    )
    recharge_pu: float = Field(
        default=0.1, ge=0, le=1, description="power with which they are recharged, of rated (unconfirmed)"
    )
    eta_charge_pu: float = Field(default=0.95, gt=0, le=1, description="of it what is stored (unconfirmed)")
    shave_above_pu: float | None = Field(
        default=None,
        gt=0,
        description="power above which they help, of rated, and up to which they recharge; none: never",
    )
    shave_reserve_pu: float = Field(
        default=0.5, ge=0, lt=1, description="charge that is kept for the loss of supply"
    )


class Bank:
    r"""The batteries of all halls; a hall without one has none.

    With the share :math:`c` of what a hall takes, :math:`P`, on the grid, recharging :math:`R` and peaks
    shaved :math:`H`, the grid gives :math:`cP + R - H` and the battery :math:`(1-c)P + H - \eta R`.
    """

    def __init__(self, stores: Sequence[Store | None], rated_mw: Floats) -> None:
        self.present: Bools = np.array([store is not None for store in stores], dtype=np.bool_)
        known = [store or Store() for store in stores]
        self._minutes = np.array([store.battery_min for store in known])
        self._rated_mw = rated_mw
        self._full_mwh = self._minutes / 60.0 * rated_mw * self.present
        self._charge_mw = np.array([store.recharge_pu for store in known]) * rated_mw * self.present
        self._eta = np.array([store.eta_charge_pu for store in known])
        levels = [store.shave_above_pu for store in known]
        self._shaves = any(level is not None for level in levels)
        self._level_mw = np.array([np.inf if level is None else level for level in levels]) * rated_mw
        self._reserve_mwh = np.array([store.shave_reserve_pu for store in known]) * self._full_mwh
        self.reset()

    def reset(self) -> None:
        """Charge all of them."""
        self.energy_mwh = self._full_mwh.copy()

    def check_step(self, names: Sequence[str], dt_s: float) -> None:
        """Refuse a step in which a battery would run empty at its rated power.

        Raises
        ------
        ScenarioError
            With every such hall: what its battery holds, what it must give and for how long.
        """
        short = self.present & (self._minutes * 60.0 < dt_s)
        if short.any():
            lines = [
                f"{names[i]}: battery_min={self._minutes[i]:g} holds {self._full_mwh[i]:.4g} MWh, which"
                f" cannot feed the rated {self._rated_mw[i]:g} MW for one step of {dt_s:g} s"
                for i in np.flatnonzero(short).tolist()
            ]
            raise ScenarioError("\n".join(lines))

    def carry(self, demand_mw: Floats, share_pu: Floats, dt_s: float) -> tuple[Floats, Floats, Floats]:
        """Carry what the grid does not, shave peaks, recharge where the grid carries all.

        Parameters
        ----------
        demand_mw, share_pu
            (halls,) what halls take behind the batteries, and the share of it on the grid.

        Returns
        -------
        extra_mw, given_mw, loss_mw
            Drawn from the grid beside the share: recharging, below 0 shaved; given by the batteries, below 0
            stored; lost in charging. Each (halls,). Batteries that run empty within a step carry the hall to
            its end, out of their reserve.
        """
        whole = share_pu >= CONNECTED
        room_mw = np.maximum((self._full_mwh - self.energy_mwh) * HOUR_S / dt_s / self._eta, 0.0)
        recharge_mw = np.where(whole, np.minimum(self._charge_mw, room_mw), 0.0)
        given_mw = demand_mw * (1.0 - share_pu) * self.present
        extra_mw = recharge_mw
        if self._shaves:
            able_mw = np.maximum(self.energy_mwh - self._reserve_mwh, 0.0) * HOUR_S / dt_s
            shaved_mw = np.where(whole, np.clip(demand_mw - self._level_mw, 0.0, able_mw), 0.0)
            recharge_mw = np.minimum(recharge_mw, np.maximum(self._level_mw - demand_mw, 0.0))
            given_mw, extra_mw = given_mw + shaved_mw, recharge_mw - shaved_mw
        given_mw = given_mw - recharge_mw * self._eta
        self.energy_mwh = self.energy_mwh - given_mw * dt_s / HOUR_S
        return extra_mw, given_mw, recharge_mw * (1.0 - self._eta)
