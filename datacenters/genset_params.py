"""Nameplate of a diesel or gas gen-set, and what each kind of engine has where nothing is given."""

from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from cosim.core.params import LISTED, Params
from datacenters.engine import LEAN_BURN, Engine

KINDS: dict[str, dict[str, Any]] = {
    "diesel": {},
    "gas": {
        "start_s": 60.0,
        "load_steps_pu": (0.16, 0.13, 0.10, 0.09, 0.09, 0.09, 0.09, 0.09, 0.09, 0.07),
        "recovery_s": 10.0,
        "p_min_pu": 0.4,
        "eta_full_pu": 0.434,
        "eta_half_pu": 0.40,
        "tank_mwh": None,
    },
    "gas_fast": {
        "start_s": 10.0,
        "load_steps_pu": (1.0,),
        "p_min_pu": 0.4,
        "eta_full_pu": 0.386,
        "eta_half_pu": 0.35,
        "tank_mwh": None,
    },
}
"""What each kind changes in the defaults.

gas: Caterpillar CG260-16, load steps of 16, 13, 10, then 9 % with 10 s of recovery each, about 100 s to
full load; gas_fast: G3520, 10 s to load and full load at once (both published, secondary; steps five to nine
are interpolated there). Efficiencies at full load: heat rates of both (secondary). The rest (unconfirmed).
"""


class GensetParams(Params):
    """Nameplate of one gen-set, or of some that are started and loaded as one."""

    kind: Literal["diesel", "gas", "gas_fast"] = Field(
        default="diesel", description="whose numbers stand where none are given"
    )
    p_rated_mw: float = Field(gt=0, description="power at full load")
    starts_by: Literal["order", "command"] = Field(
        default="order", description="runs while there is an order, or from event `start` to event `stop`"
    )
    on_at_start: bool = Field(
        default=False, description="runs at t_s = 0; by `order` it does where there is an order then"
    )
    start_s: float = Field(
        default=10.0, ge=0, description="from start to accepting load: NFPA 110 type 10 (published)"
    )
    load_steps_pu: Annotated[tuple[float, ...], LISTED] = Field(
        default=(0.5, 0.25, 0.25),
        description="load it accepts at once from no load, then from there, and so on to 1 (unconfirmed)",
    )
    recovery_s: float = Field(
        default=5.0, gt=0, description="until it accepts the next load step (unconfirmed)"
    )
    cooling_s: float = Field(
        default=300.0, ge=0, description="runs without load before it stops (unconfirmed)"
    )
    p_min_pu: float = Field(
        default=0.3,
        ge=0,
        description="lowest load it is run at, of p_rated_mw: smaller orders get this (unconfirmed)",
    )
    eta_full_pu: float = Field(
        default=0.40, gt=0, lt=1, description="of the fuel's lower heating value, at full load (unconfirmed)"
    )
    eta_half_pu: float = Field(default=0.37, gt=0, lt=1, description="the same at half load (unconfirmed)")
    tank_mwh: float | None = Field(
        default=None, gt=0, description="fuel at the start, lower heating value; none: it has a supply"
    )
    power_factor_pu: float = Field(
        default=0.8, gt=0, le=1, description="p_rated_mw over the rating of the alternator"
    )
    engine: Engine | None = Field(
        default=None, description="what stands for it where the grid integrates dynamic models"
    )

    @model_validator(mode="before")
    @classmethod
    def _of_its_kind(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        of_kind = {**KINDS.get(given.get("kind", "diesel"), {}), **given}
        if isinstance(given.get("engine"), dict) and given.get("kind") == "gas":
            of_kind["engine"] = {**LEAN_BURN, **given["engine"]}
        return of_kind

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        findings: list[str] = []
        if self.p_min_pu >= 1.0:
            findings.append(
                f"p_min_pu={self.p_min_pu:g} puts the lowest load, {self.p_min_pu * self.p_rated_mw:g} MW,"
                f" not below p_rated_mw={self.p_rated_mw:g}"
            )
        steps = np.array(self.load_steps_pu)
        if steps.size == 0 or np.any(steps <= 0.0) or abs(steps.sum() - 1.0) > 1e-9:
            findings.append(
                f"load_steps_pu={self.load_steps_pu} adds up to {steps.sum():.6g}; steps above 0 that add up"
                " to 1 are needed"
            )
        if self.no_load_pu() < 0.0:
            findings.append(
                f"eta_half_pu={self.eta_half_pu:g} is above eta_full_pu={self.eta_full_pu:g}:"
                " the engine would burn less than nothing without load"
            )
        if 1.0 / self.eta_full_pu - self.no_load_pu() < 1.0:
            findings.append(
                f"eta_half_pu={self.eta_half_pu:g} is so far below eta_full_pu={self.eta_full_pu:g} that load"
                " between them would need less fuel than it is power"
            )
        if self.starts_by == "order" and self.on_at_start:
            findings.append("on_at_start needs starts_by: command")
        if findings:
            raise ValueError("; ".join(findings))
        return self

    def rated_mva(self) -> float:
        """Return the rating of the alternator."""
        return self.p_rated_mw / self.power_factor_pu

    def no_load_pu(self) -> float:
        """Return the fuel burnt without load over p_rated_mw: the Willans line through both efficiencies."""
        return 1.0 / self.eta_half_pu - 1.0 / self.eta_full_pu
