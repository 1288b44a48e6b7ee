"""Uninterruptible supplies of halls: when they let go of the grid, how they come back, what they lose.

A hall has one or several groups, each with settings of its own drawn around the stated ones: a voltage dip
then takes away a part of the hall. What must act within a dip is a device the grid integrates
(`electronic_load`): it lets a group go, counts dips, walks back in, locks out. The batteries are in
`datacenters.store`, one for the hall: racks are fed by several groups.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from cosim.core.params import Params
from datacenters.ride_through import Curve
from datacenters.store import Store

Mode = Literal["double_conversion", "eco"]
EFFICIENCY: dict[Mode, tuple[float, float, float]] = {
    "double_conversion": (0.96, 0.97, 0.97),
    "eco": (0.982, 0.988, 0.99),
}
"""At a quarter, half and all of rated power: 94-97 % and 99 % (published, secondary), else (unconfirmed)."""


class Loss(NamedTuple):
    """Loss over the power behind it, all per rated power: fixed + linear·x + square·x²."""

    fixed_pu: float
    linear_pu: float
    square_pu: float

    @staticmethod
    def through(efficiencies: Sequence[float]) -> "Loss":
        r"""Return the parabola through three efficiencies.

        :math:`\ell(x) = x\,(1/\eta - 1)` at :math:`x` = 0.25, 0.5 and 1.
        """
        x = np.array([0.25, 0.5, 1.0])
        lost = x * (1.0 / np.array(efficiencies) - 1.0)
        fixed, linear, square = np.linalg.solve(np.vander(x, increasing=True), lost).tolist()
        return Loss(fixed, linear, square)

    def least_pu(self) -> float:
        """Return the smallest loss between no load and full load."""
        x = np.linspace(0.0, 1.0, 21)
        return float(np.min(self.fixed_pu + self.linear_pu * x + self.square_pu * x**2))


class Spread(Params):
    """How far settings of groups differ: half widths of uniform distributions around the stated values."""

    transfer_low_pu: float = Field(default=0.0, ge=0, lt=0.5, description="of the voltage they let go at")
    transfer_s: float = Field(default=0.0, ge=0, description="of how long it must be low")
    good_s: float = Field(default=0.0, ge=0, description="of how long the voltage must be good")
    walk_in_s: float = Field(default=0.0, ge=0, description="of the ramp back")
    dips_count: int = Field(default=0, ge=0, le=9, description="of the dips that lock out, whole numbers")


class Setting(NamedTuple):
    """What one group is set to."""

    transfer_low_pu: float
    transfer_s: float
    good_s: float
    walk_in_s: float
    dips_count: int


class Ups(Store):
    """Supply of one hall: thresholds of its rectifiers, and batteries. Defaults (unconfirmed)."""

    mode: Mode = Field(
        default="double_conversion",
        description="`eco`: racks hang on the grid, and what is between them and the inverter is a switch",
    )
    eta_quarter_pu: float | None = Field(
        default=None, gt=0.5, lt=1, description="efficiency at a quarter of the rated power; none: the mode's"
    )
    eta_half_pu: float | None = Field(default=None, gt=0.5, lt=1, description="at half of it")
    eta_full_pu: float | None = Field(default=None, gt=0.5, lt=1, description="at all of it")
    eco_transfer_s: float = Field(
        default=0.006,
        ge=0,
        le=0.1,
        description="gap when `eco` transfers, 4-10 ms: hold-up of `psu` bridges it",
    )
    transfer_low_pu: float = Field(
        default=0.8, gt=0, lt=1, description="voltage below which rectifiers let go, and a dip is counted"
    )
    transfer_high_pu: float = Field(default=1.2, gt=1, description="voltage above which they do")
    transfer_s: float = Field(default=0.005, ge=0, description="how long the voltage must be low")
    ride_through: str | None = Field(
        default=None,
        description="curve beyond which they let go instead: itic, semi_f47 or a CSV file; none: the above",
    )
    good_low_pu: float = Field(default=0.9, gt=0, lt=1, description="lowest voltage they come back at")
    good_high_pu: float = Field(default=1.1, gt=1, description="highest voltage they come back at")
    good_s: float = Field(default=10.0, ge=0, description="how long the voltage must be good")
    walk_in_s: float = Field(default=15.0, gt=0, description="ramp from nothing to the whole hall")
    dips_count: int = Field(
        default=3, ge=0, le=10, description="dips within `dips_window_s` that lock it out; 0: never"
    )
    dips_window_s: float = Field(default=60.0, gt=0, description="window in which dips are counted")
    returns_pu: float = Field(default=1.0, ge=0, le=1, description="share that comes back without a hand")
    groups_count: int = Field(default=1, ge=1, le=256, description="groups, each with settings of its own")
    spread: Spread = Field(default=Spread(), description="how far settings of the groups differ")

    @model_validator(mode="after")
    def _thresholds_leave_a_band(self) -> Self:
        rising = ("transfer_low_pu", "good_low_pu", "good_high_pu", "transfer_high_pu")
        findings = [
            f"{low}={getattr(self, low):g} is above {high}={getattr(self, high):g}"
            for low, high in pairwise(rising)
            if getattr(self, low) > getattr(self, high)
        ]
        if self.transfer_low_pu == self.good_low_pu:
            findings.append(
                f"transfer_low_pu={self.transfer_low_pu:g} is not below good_low_pu={self.good_low_pu:g}"
            )
        findings += self._spread_findings()
        if self.loss().least_pu() < 0.0:
            eta = ", ".join(f"{one:g}" for one in self.efficiencies())
            findings.append(f"no supply loses less than nothing, as efficiencies of {eta} say of low loads")
        if findings:
            raise ValueError("; ".join(findings))
        return self

    def _spread_findings(self) -> list[str]:
        findings = [
            f"spread of {name}={getattr(self.spread, name):g} is more than {name}={getattr(self, name):g}"
            for name in Spread.model_fields
            if getattr(self.spread, name) > getattr(self, name)
        ]
        highest_pu = self.transfer_low_pu + self.spread.transfer_low_pu
        if self.spread.transfer_low_pu > 0.0 and highest_pu >= self.good_low_pu:
            findings.append(
                f"with its spread transfer_low_pu={highest_pu:g} is not below"
                f" good_low_pu={self.good_low_pu:g}"
            )
        if self.spread.walk_in_s == self.walk_in_s:
            findings.append(f"with its spread walk_in_s={self.walk_in_s:g} is 0 for a group")
        most = self.dips_count + self.spread.dips_count
        if self.spread.dips_count > 0 and (most > 10 or self.spread.dips_count == self.dips_count):
            findings.append(f"with its spread dips_count={self.dips_count} is not within 1 to 10")
        return findings

    def efficiencies(self) -> tuple[float, float, float]:
        """Return the efficiency at a quarter, a half and all of the rated power."""
        usual = EFFICIENCY[self.mode]
        quarter, half, full = self.eta_quarter_pu, self.eta_half_pu, self.eta_full_pu
        return (
            usual[0] if quarter is None else quarter,
            usual[1] if half is None else half,
            usual[2] if full is None else full,
        )

    def loss(self) -> Loss:
        """Return what conversion loses, per rated IT power."""
        return Loss.through(self.efficiencies())

    def settings(self, rng: np.random.Generator) -> tuple[Setting, ...]:
        """Draw what each group is set to; groups drawn first stay as they are when more are added."""
        spread = self.spread
        found = []
        for aside in rng.uniform(-1.0, 1.0, (self.groups_count, 5)).tolist():
            wide = min(int((0.5 * aside[4] + 0.5) * (2 * spread.dips_count + 1)), 2 * spread.dips_count)
            found.append(
                Setting(
                    self.transfer_low_pu + aside[0] * spread.transfer_low_pu,
                    self.transfer_s + aside[1] * spread.transfer_s,
                    self.good_s + aside[2] * spread.good_s,
                    self.walk_in_s + aside[3] * spread.walk_in_s,
                    self.dips_count + wide - spread.dips_count,
                )
            )
        return tuple(found)

    def device(self, group: Setting, rated_mva: float, curve: Curve | None) -> dict[str, Any]:
        """Return the parameters of the `electronic_load` that stands for a group.

        Its rectifiers see the voltage without a lag: they let go within milliseconds. `curve` is that of
        `ride_through`.
        """
        stages = {
            "vcease_pu": group.transfer_low_pu,
            "tcease_s": group.transfer_s,
            "vhigh_pu": self.transfer_high_pu,
        }
        return {
            **(stages if curve is None else curve.device()),
            "sn_mva": rated_mva,
            "tv_s": 0.0,
            "tdrop_s": 0.0,
            "vrecon_pu": self.good_low_pu,
            "vhrecon_pu": self.good_high_pu,
            "trecon_s": group.good_s,
            "rrecon_pu_per_s": 1.0 / group.walk_in_s,
            "frecon_pu": self.returns_pu,
            "vcnt_pu": group.transfer_low_pu,
            "nmax_count": group.dips_count,
            "twin_s": self.dips_window_s,
        }


class ResetUps(Params):
    """Somebody goes there and switches the hall back to the grid."""
