"""Parameters of the cooling plant between coolant and outdoor air, and the rows its kernels read."""

from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from scipy.optimize import brentq

from cosim.core.params import Params
from cosim.core.types import Floats
from datacenters.kernels import plant as kernel
from datacenters.kernels.psychrometrics import CP_AIR_MJ_PER_KG_K, enthalpy_mj_per_kg, saturated_humidity

SEA_LEVEL_BAR = 1.01325
LARGEST_NTU = 1e3

KINDS: dict[str, dict[str, Any]] = {
    "dry": {},
    "evaporative": {"pad_effectiveness_pu": 0.8},
    "tower": {"approach_k": 3.9, "fan_pu": 0.0105},
}
"""What each kind of heat rejection changes in the defaults."""


class Cdu(Params):
    """The coolant distribution units of a hall: a plate exchanger and pumps, as one."""

    approach_k: float = Field(
        default=3.0,
        gt=0,
        le=20,
        description="coolant to the racks above entering facility water at rated heat, source: OCP Project"
        " Deschutes; Vertiv XDU1350 has 4 K",
    )
    facility_rise_k: float = Field(
        default=14.8,
        gt=0,
        le=40,
        description="warming of facility water at rated heat, source: OCP Project Deschutes, 32.3 kg/s",
    )
    secondary_share_pu: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="coolant side's share of the exchanger's resistance at rated flow (unconfirmed)",
    )
    pump_pu: float = Field(
        default=0.037,
        ge=0,
        lt=0.2,
        description="pumps at rated flow, of rated heat, source: OCP Project Deschutes, 74 kW at 2 MW;"
        " Frontier's have 0.008 (8.47 kW at about 1.1 MW)",
    )
    pump_static_pu: float = Field(
        default=0.0, ge=0, lt=1, description="share of pump power that does not go with flow (unconfirmed)"
    )


class HeatRejection(Params):
    """What gives the facility water's heat to outdoor air, sized to `approach_k` at rated heat."""

    kind: Literal["dry", "evaporative", "tower"] = Field(
        default="dry",
        description="dry cooler; dry cooler whose intake air is wetted when it is hot; open cooling tower",
    )
    approach_k: float = Field(
        default=6.0,
        gt=0,
        le=40,
        description="leaving water at full fan speed and rated heat above outdoor air, of a tower above its"
        " wet bulb (default 3.9, source: EnergyPlus); dry coolers 5-8 K",
    )
    fan_pu: float = Field(
        default=0.04,
        ge=0,
        lt=0.2,
        description="fans at full speed, of rated heat, source: BAC TDFS1238N-C60ET40B, 117.7 kW at 2,931 kW"
        " and 5.6 K; towers 0.0105, source: EnergyPlus",
    )
    air_capacity_pu: float = Field(
        default=1.0,
        gt=0.1,
        le=10,
        description="coil: heat capacity flow of air at full speed over the water's, source: LBNL DryCooler",
    )
    air_share_pu: float = Field(
        default=0.667,
        ge=0,
        le=1,
        description="coil: air side's share of its resistance, source: LBNL DryCooler (hA air/water 0.5)",
    )
    pad_effectiveness_pu: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="how far wetted pads bring air from dry to wet bulb; evaporative: 0.8 (unconfirmed)",
    )
    water_to_air_pu: float = Field(
        default=1.2, gt=0.1, le=5, description="tower: mass flow of water over air, source: LBNL Merkel"
    )
    wetbulb_rated_degc: float = Field(
        default=25.6, ge=0, le=35, description="tower: wet bulb it is rated at, source: EnergyPlus (CTI)"
    )
    cycles_pu: float = Field(
        default=3.0,
        gt=1,
        le=20,
        description="dissolved solids in the basin over fresh water's, source: EnergyPlus",
    )
    drift_pu: float = Field(
        default=8e-5,
        ge=0,
        lt=0.01,
        description="droplets lost, of the tower's water flow, source: EnergyPlus",
    )

    @model_validator(mode="before")
    @classmethod
    def _of_its_kind(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {**KINDS.get(given.get("kind", "dry"), {}), **given}

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.kind != "evaporative" and self.pad_effectiveness_pu > 0.0:
            msg = f"pad_effectiveness_pu={self.pad_effectiveness_pu:g}: kind {self.kind} has no pads"
            raise ValueError(msg)
        if self.kind == "evaporative" and self.pad_effectiveness_pu == 0.0:
            msg = "pad_effectiveness_pu=0: pads that cool nothing; kind dry has none"
            raise ValueError(msg)
        return self


class BufferTank(Params):
    """Water between plant and hall: what it can hold back is heat."""

    volume_m3: float = Field(default=0.0, ge=0, description="water in it; 0: no tank")

    def mj_per_k(self) -> float:
        """Return its heat capacity."""
        return self.volume_m3 * 998.0 * kernel.CP_WATER_MJ_PER_KG_K


def cdu_row(cdu: Cdu, heat_mw: float, rise_k: float) -> Floats:
    """Return the row of `kernels.plant` for CDUs of `heat_mw` whose coolant warms by `rise_k` there.

    The conductance is the one that gives `approach_k` at rated heat and flows.
    """
    secondary, facility = heat_mw / rise_k, heat_mw / cdu.facility_rise_k
    wanted = heat_mw / (rise_k + cdu.approach_k)
    ua = _conductance(kernel.counterflow_effectiveness, wanted, secondary, facility)
    row = np.zeros(kernel.N_CDU)
    row[kernel.CDU_SECONDARY_MW_PER_K], row[kernel.CDU_FACILITY_MW_PER_K] = secondary, facility
    row[kernel.CDU_UA_MW_PER_K], row[kernel.CDU_SECONDARY_SHARE] = ua, cdu.secondary_share_pu
    row[kernel.CDU_RATED_MW_PER_K] = kernel.exchanger_mw_per_k(ua, secondary, facility)
    row[kernel.CDU_PUMP_MW], row[kernel.CDU_PUMP_STATIC_PU] = cdu.pump_pu * heat_mw, cdu.pump_static_pu
    return row


def rejection_row(
    rejection: HeatRejection, heat_mw: float, rise_k: float, pressure_bar: float = SEA_LEVEL_BAR
) -> Floats:
    """Return the row of `kernels.plant` for heat rejection of `heat_mw` that cools its water by `rise_k`.

    A tower is rated at the pressure of its site.

    Raises
    ------
    ValueError
        When no exchanger, however large, reaches the approach with that air flow.
    """
    row = _sized(rejection, heat_mw, rise_k, pressure_bar)
    if rejection.kind != "tower":
        _tabulate_fans(row)
    return row


def _sized(rejection: HeatRejection, heat_mw: float, rise_k: float, pressure_bar: float) -> Floats:
    row = np.zeros(kernel.N_REJECTION)
    row[kernel.KIND] = {"dry": kernel.DRY, "evaporative": kernel.EVAPORATIVE, "tower": kernel.TOWER}[
        rejection.kind
    ]
    row[kernel.WATER_MW_PER_K] = heat_mw / rise_k
    row[kernel.FAN_MW] = rejection.fan_pu * heat_mw
    row[kernel.PAD_PU], row[kernel.AIR_SHARE] = rejection.pad_effectiveness_pu, rejection.air_share_pu
    row[kernel.WETBULB_RATED_DEGC] = rejection.wetbulb_rated_degc
    row[kernel.CYCLES] = rejection.cycles_pu
    if rejection.kind == "tower":
        _size_tower(row, rejection, heat_mw, rise_k, pressure_bar)
    else:
        _size_coil(row, rejection, heat_mw, rise_k)
    return row


def require_reach(rejection: HeatRejection, rise_k: float, pressure_bar: float) -> None:
    """Raise ValueError when no exchanger, however large, reaches the approach: no size enters."""
    _sized(rejection, 1.0, rise_k, pressure_bar)


def _conductance(effectiveness: Any, wanted: float, first: float, second: float) -> float:
    """Return UA [MW/K] that takes `wanted` MW per K between the inlets of streams of these capacities."""
    least, ratio = min(first, second), min(first, second) / max(first, second)
    reach = effectiveness(LARGEST_NTU, ratio)
    if wanted >= least * reach:
        msg = (
            f"rated heat needs {wanted:.4g} MW for each K between the entering streams; with streams of"
            f" {first:.4g} and {second:.4g} MW/K no exchanger takes more than {least * reach:.4g}: allow a"
            " larger approach or more flow"
        )
        raise ValueError(msg)
    return least * float(brentq(lambda n: effectiveness(n, ratio) - wanted / least, 0.0, LARGEST_NTU))


def _size_coil(row: Floats, rejection: HeatRejection, heat_mw: float, rise_k: float) -> None:
    water = row[kernel.WATER_MW_PER_K]
    air = water * rejection.air_capacity_pu
    row[kernel.AIR_MW_PER_K] = air
    wanted = heat_mw / (rise_k + rejection.approach_k)
    row[kernel.UA_MW_PER_K] = _conductance(kernel.crossflow_effectiveness, wanted, water, air)
    row[kernel.FULL_MW_PER_K] = kernel.coil_mw_per_k(row, 1.0, 1.0)


def _tabulate_fans(row: Floats) -> None:
    full = row[kernel.FULL_MW_PER_K]
    for node, share in enumerate(np.linspace(0.0, 1.0, kernel.N_FAN)[1:-1], start=1):
        speed = brentq(lambda s, q=share * full: kernel.coil_mw_per_k(row, s, 1.0) - q, 0.0, 1.0)
        row[kernel.FAN_0 + node] = speed**3
    row[kernel.FAN_0 + kernel.N_FAN - 1] = 1.0


def _size_tower(
    row: Floats, rejection: HeatRejection, heat_mw: float, rise_k: float, pressure_bar: float
) -> None:
    wetbulb, water = rejection.wetbulb_rated_degc, row[kernel.WATER_MW_PER_K]
    row[kernel.DRIFT_PU] = rejection.drift_pu
    air_kg_per_s = water / kernel.CP_WATER_MJ_PER_KG_K / rejection.water_to_air_pu
    row[kernel.AIR_MW_PER_K] = air_kg_per_s * CP_AIR_MJ_PER_KG_K

    def saturated(temp_degc: float) -> float:
        return float(enthalpy_mj_per_kg(temp_degc, saturated_humidity(temp_degc, pressure_bar)))

    def gained(temp_degc: float) -> float:
        return saturated(temp_degc) - saturated(wetbulb) - heat_mw / float(air_kg_per_s)

    leaving = float(brentq(gained, wetbulb, wetbulb + 60.0))
    capacity = heat_mw / air_kg_per_s / (leaving - wetbulb) / CP_AIR_MJ_PER_KG_K
    wanted = heat_mw / (rise_k + rejection.approach_k)
    ua = _conductance(kernel.counterflow_effectiveness, wanted, water, row[kernel.AIR_MW_PER_K] * capacity)
    row[kernel.UA_MW_PER_K] = ua / capacity / kernel.tower_factors(row, 1.0, wetbulb)
