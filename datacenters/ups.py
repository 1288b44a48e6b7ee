"""Uninterruptible supplies of halls: what rides through a dip, what is drawn meanwhile, for how long.

What must act within a dip is a device the grid integrates (`electronic_load`): it lets the hall go, counts
dips, walks back in, locks out. Here is the rest: the store that carries the hall meanwhile.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from cosim.core.component import DeviceInput, DeviceOffer, DeviceReport
from cosim.core.params import Params
from cosim.core.types import Bools, Floats

CONNECTED = 0.999
"""Share of the supply from which a hall counts as wholly supplied: it then recharges and restarts."""
HOUR_S = 3600.0


class Ups(Params):
    """Supply of one hall: thresholds of its rectifiers, and batteries. Defaults (unconfirmed)."""

    battery_min: float = Field(default=5.0, gt=0, description="time the batteries carry the rated hall")
    recharge_pu: float = Field(
        default=0.1, ge=0, le=1, description="power with which they are recharged, of rated"
    )
    eta_charge_pu: float = Field(default=0.95, gt=0, le=1, description="of it what is stored")
    transfer_low_pu: float = Field(
        default=0.8, gt=0, lt=1, description="voltage below which rectifiers let go"
    )
    transfer_high_pu: float = Field(default=1.2, gt=1, description="voltage above which they do")
    transfer_s: float = Field(default=0.005, ge=0, description="how long the voltage must be low")
    good_low_pu: float = Field(default=0.9, gt=0, lt=1, description="lowest voltage they come back at")
    good_high_pu: float = Field(default=1.1, gt=1, description="highest voltage they come back at")
    good_s: float = Field(default=10.0, ge=0, description="how long the voltage must be good")
    walk_in_s: float = Field(default=15.0, gt=0, description="ramp from nothing to the whole hall")
    dips_count: int = Field(
        default=3, ge=0, le=10, description="dips within `dips_window_s` that lock it out; 0: never"
    )
    dips_window_s: float = Field(default=60.0, gt=0, description="window in which dips are counted")
    returns_pu: float = Field(default=1.0, ge=0, le=1, description="share that comes back without a hand")

    @model_validator(mode="after")
    def _thresholds_leave_a_band(self) -> Self:
        rising = ("transfer_low_pu", "good_low_pu", "good_high_pu", "transfer_high_pu")
        findings = [
            f"{low}={getattr(self, low):g} is above {high}={getattr(self, high):g}"
            for low, high in pairwise(rising)
            if getattr(self, low) > getattr(self, high)
        ]
        if self.transfer_low_pu == self.good_low_pu:
            findings.append(f"transfer_low_pu={self.transfer_low_pu:g} is not below good_low_pu")
        if findings:
            raise ValueError("; ".join(findings))
        return self

    def offer(self, rated_mva: float) -> DeviceOffer:
        """Return the device that stands for the hall in a grid that integrates such models."""
        load = {
            "sn_mva": rated_mva,
            "vcease_pu": self.transfer_low_pu,
            "tcease_s": self.transfer_s,
            "vhigh_pu": self.transfer_high_pu,
            "vrecon_pu": self.good_low_pu,
            "vhrecon_pu": self.good_high_pu,
            "trecon_s": self.good_s,
            "rrecon_pu_per_s": 1.0 / self.walk_in_s,
            "frecon_pu": self.returns_pu,
            "vcnt_pu": self.transfer_low_pu,
            "nmax_count": self.dips_count,
            "twin_s": self.dips_window_s,
        }
        return DeviceOffer(
            models={"electronic_load": load},
            inputs={
                "order_mw": DeviceInput("p_set_pu"),
                "order_mvar": DeviceInput("q_set_pu"),
                "ups_reset_code": DeviceInput("reset", base=1.0),
            },
            reports={"connected_pu": DeviceReport("connected_pu", rest=1.0)},
        )


class ResetUps(Params):
    """Somebody goes there and switches the hall back to the grid."""


class Bank:
    """The batteries of all halls; a hall without a supply of its own has none and is always connected."""

    def __init__(self, supplies: Sequence[Ups | None], rated_mw: Floats) -> None:
        self.present: Bools = np.array([ups is not None for ups in supplies], dtype=np.bool_)
        known = [ups or Ups() for ups in supplies]
        self._rated_mw = rated_mw
        self._full_mwh = np.array([ups.battery_min / 60.0 for ups in known]) * rated_mw * self.present
        self._charge_mw = np.array([ups.recharge_pu for ups in known]) * rated_mw * self.present
        self._eta = np.array([ups.eta_charge_pu for ups in known])
        self.reset()

    def reset(self) -> None:
        """Charge all of them."""
        self.energy_mwh = self._full_mwh.copy()

    def supplied(self, connected_pu: Floats, vm_pu: Floats) -> tuple[Floats, Bools]:
        """Return the share of each hall the grid carries, and which halls run."""
        share = np.where(self.present, np.clip(connected_pu, 0.0, 1.0), 1.0)
        share[vm_pu == 0.0] = 0.0
        carried = self.present & (self.energy_mwh > 0.0)
        return share, (share >= CONNECTED) | carried

    def carry(self, demand_mw: Floats, share_pu: Floats, dt_s: float) -> tuple[Floats, Floats, Floats]:
        """Carry what the grid does not, recharge where it carries all.

        Returns
        -------
        recharge_mw, ups_mw, loss_mw
            Drawn for charging; given by the batteries, below 0 stored; lost in charging. Each (halls,).
            Batteries that run empty within a step carry the hall to its end, out of their reserve.
        """
        given_mw = demand_mw * (1.0 - share_pu) * self.present
        room_mw = (self._full_mwh - self.energy_mwh) * HOUR_S / dt_s / self._eta
        recharge_mw = np.where(share_pu >= CONNECTED, np.minimum(self._charge_mw, room_mw), 0.0)
        ups_mw = given_mw - recharge_mw * self._eta
        self.energy_mwh = self.energy_mwh - ups_mw * dt_s / HOUR_S
        return recharge_mw, ups_mw, recharge_mw * (1.0 - self._eta)
