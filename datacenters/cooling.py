"""How a hall's heat reaches the outdoor air: coolant, cold plates, circuits and the trim chiller."""

from dataclasses import dataclass
from typing import Self

from pydantic import Field, model_validator

from cosim.core.params import Params

KELVIN_AT_0_DEGC = 273.15


@dataclass(frozen=True)
class Coolant:
    """A coolant and the case-to-inlet resistance it gives a 1 kW cold plate, R = r0 + r1/V.

    Fitted to the Open Compute Project's tabulated cold plate [1]_: within 3.9 % (PG25, 0.4 to
    2.4 L/min) and 0.2 % (water, 2 to 5 L/min).

    References
    ----------
    .. [1] OCP 1 kW OAM cold plate, as tabulated in LBNL Modelica Buildings,
       `Applications.DataCenters.LiquidCooled`.
    """

    r0_k_per_kw: float
    r1_k_l_per_kw_min: float
    density_kg_per_l: float
    heat_capacity_kj_per_kg_k: float


PG25 = Coolant(16.02, 8.55, 1.02, 3.90)
WATER = Coolant(13.66, 7.06, 0.995, 4.18)


def coldplate_k_per_kw(coolant: Coolant, flow_l_per_min: float) -> float:
    """Return the resistance from case to coolant inlet [K/kW] at a flow [L/min], see `Coolant`."""
    return coolant.r0_k_per_kw + coolant.r1_k_l_per_kw_min / flow_l_per_min


def flow_l_per_min(coolant: Coolant, heat_kw: float, rise_k: float) -> float:
    """Return the flow that warms by `rise_k` when it takes `heat_kw` [L/min].

    1.5 L/min for each kW is 10 K with PG25, the nominal sizing of the Open Compute Project.
    """
    return 60.0 * heat_kw / (coolant.density_kg_per_l * coolant.heat_capacity_kj_per_kg_k * rise_k)


def die_to_mean_k_per_kw(coolant: Coolant, gpu_kw: float, rise_k: float, r_die_k_per_kw: float) -> float:
    """Return the resistance between die and mean coolant temperature of one accelerator [K/kW].

    The tabulated resistance counts from the inlet, the coolant is on average half its rise warmer.
    """
    plate = coldplate_k_per_kw(coolant, flow_l_per_min(coolant, gpu_kw, rise_k))
    return plate + r_die_k_per_kw - 0.5 * rise_k / gpu_kw


def carnot_pu(cop_pu: float, temp_evaporator_degc: float, temp_condenser_degc: float) -> float:
    """Return the share of the Carnot efficiency a chiller reaches, from one known point."""
    lift_k = temp_condenser_degc - temp_evaporator_degc
    return cop_pu * lift_k / (temp_evaporator_degc + KELVIN_AT_0_DEGC)


class Circuit(Params):
    """One stream that carries heat out of the hall: coolant to cold plates, or room air."""

    temp_supply_degc: float = Field(ge=5, le=60, description="wanted temperature of the stream to the racks")
    rise_k: float = Field(gt=0, le=40, description="warming of the stream at rated heat: fixes its flow")
    approach_k: float = Field(
        gt=0, le=40, description="supply above outdoor air that free cooling reaches at rated heat"
    )
    chiller_pu: float = Field(ge=0, le=2, description="trim chiller's largest heat, of rated heat")
    mover_pu: float = Field(
        ge=0, lt=0.2, description="pumps or room fans, constant speed, of rated heat; they heat the stream"
    )
    fan_pu: float = Field(ge=0, lt=0.2, description="heat-rejection fans at full speed, of rated heat")
    tau_supply_s: float = Field(ge=5, le=3600, description="supply volume over flow: pipes, tank, coil")


class LiquidCircuit(Circuit):
    """Coolant loop of cold plates, through CDUs, to a dry cooler and a trim chiller."""

    temp_supply_degc: float = Field(
        default=35.0, ge=5, le=60, description="wanted coolant temperature to the racks (unconfirmed)"
    )
    rise_k: float = Field(
        default=10.0,
        gt=0,
        le=40,
        description="warming at rated heat, source: OCP, at most 10 K at 1.5 L/min/kW",
    )
    approach_k: float = Field(
        default=9.0,
        gt=0,
        le=40,
        description="supply above outdoor air at rated heat: dry cooler 6 K, CDU 3 K (OCP Project Deschutes)",
    )
    chiller_pu: float = Field(
        default=0.4, ge=0, le=2, description="chiller's largest heat: a trim chiller (unconfirmed)"
    )
    mover_pu: float = Field(
        default=0.037, ge=0, lt=0.2, description="pumps, source: OCP Project Deschutes, 74 kW at 2 MW"
    )
    fan_pu: float = Field(
        default=0.02, ge=0, lt=0.2, description="dry-cooler fans at full speed (unconfirmed)"
    )
    tau_supply_s: float = Field(
        default=30.0, ge=5, le=3600, description="supply volume over flow: pipes and tank (unconfirmed)"
    )


class AirCircuit(Circuit):
    """Room air through cooling coils, to a dry cooler and a chiller."""

    temp_supply_degc: float = Field(
        default=24.0, ge=5, le=60, description="wanted inlet air, inside ASHRAE's recommended 18-27 °C"
    )
    rise_k: float = Field(default=12.0, gt=0, le=40, description="warming at rated heat (unconfirmed)")
    approach_k: float = Field(
        default=11.0,
        gt=0,
        le=40,
        description="inlet above outdoor air: dry cooler 6 K, coil 5 K (unconfirmed)",
    )
    chiller_pu: float = Field(
        default=1.2, ge=0, le=2, description="chiller's largest heat: all of it (unconfirmed)"
    )
    mover_pu: float = Field(default=0.03, ge=0, lt=0.2, description="room fans (unconfirmed)")
    fan_pu: float = Field(
        default=0.02, ge=0, lt=0.2, description="dry-cooler fans at full speed (unconfirmed)"
    )
    tau_supply_s: float = Field(default=20.0, ge=5, le=3600, description="coil and ducts (unconfirmed)")


class Cooling(Params):
    """A hall's two circuits and the chiller they share the type of."""

    liquid: LiquidCircuit = Field(
        default=LiquidCircuit(), description="coolant to cold plates (liquid racks only)"
    )
    air: AirCircuit = Field(default=AirCircuit(), description="room air through cooling coils")
    chiller_cop_pu: float = Field(default=5.0, gt=1, lt=15, description="COP at the calibration point")
    chiller_evaporator_degc: float = Field(
        default=5.0, gt=-10, lt=30, description="calibration point, source: LBNL Buildings Carnot_TEva"
    )
    chiller_condenser_degc: float = Field(
        default=30.0, gt=10, lt=70, description="calibration point, source: LBNL Buildings Carnot_TEva"
    )
    chiller_max_cop_pu: float = Field(
        default=12.0, gt=1, description="largest COP at small lifts (unconfirmed)"
    )
    evaporator_approach_k: float = Field(
        default=3.0, ge=0, le=15, description="supply above evaporation, source: LBNL liquid-cooled example"
    )
    condenser_approach_k: float = Field(
        default=12.0, ge=0, le=30, description="condensation above outdoor air (unconfirmed)"
    )

    @model_validator(mode="after")
    def _calibration_has_a_lift(self) -> Self:
        if self.chiller_condenser_degc <= self.chiller_evaporator_degc:
            msg = (
                f"chiller_condenser_degc={self.chiller_condenser_degc:g} must be above "
                f"chiller_evaporator_degc={self.chiller_evaporator_degc:g}"
            )
            raise ValueError(msg)
        return self
