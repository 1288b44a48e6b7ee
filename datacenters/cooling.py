"""How a hall's heat reaches the outdoor air: cold plates, coolant, air, and the plant of both circuits."""

from dataclasses import dataclass
from typing import Self

from pydantic import Field, model_validator

from cosim.core.params import Params
from datacenters.chillers import Chiller
from datacenters.plant import BufferTank, Cdu, HeatRejection, cdu_row, require_reach


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


class HallCdu(Cdu):
    """CDUs of a hall: facility water warms as much as the coolant does, unless told otherwise."""

    facility_rise_k: float = Field(
        default=10.0, gt=0, le=40, description="warming of facility water at rated heat (unconfirmed)"
    )


class Circuit(Params):
    """One stream that carries heat out of the hall, and the plant that takes it from there."""

    temp_supply_degc: float = Field(
        ge=5, le=60, description="wanted temperature of the stream to the racks at rated heat"
    )
    rise_k: float = Field(gt=0, le=40, description="warming of the stream at rated heat: fixes its flow")
    rejection: HeatRejection = Field(default=HeatRejection(), description="what gives heat to outdoor air")
    chiller: Chiller = Field(default=Chiller(), description="trim chiller behind it in the stream")
    chiller_pu: float = Field(ge=0, le=2, description="chiller's largest heat, of rated heat")
    tank: BufferTank = Field(default=BufferTank(), description="mixed tank in the supply of the plant")
    tau_supply_s: float = Field(ge=5, le=3600, description="supply volume over flow")
    tau_facility_s: float = Field(
        default=20.0, ge=5, le=3600, description="volume over flow of the plant's supply, and of its return"
    )


class LiquidCircuit(Circuit):
    """Coolant of cold plates, through CDUs, to facility water and its plant."""

    temp_supply_degc: float = Field(
        default=35.0,
        ge=5,
        le=60,
        description="coolant to the racks at rated heat; facility water is held `cdu.approach_k` below"
        " (unconfirmed)",
    )
    rise_k: float = Field(
        default=10.0,
        gt=0,
        le=40,
        description="warming at rated heat, source: OCP, at most 10 K at 1.5 L/min/kW",
    )
    cdu: HallCdu = Field(default=HallCdu(), description="exchangers between coolant and facility water")
    chiller_pu: float = Field(
        default=0.4, ge=0, le=2, description="chiller's largest heat: a trim chiller (unconfirmed)"
    )
    tau_supply_s: float = Field(
        default=10.0, ge=5, le=3600, description="volume between CDU and racks over flow (unconfirmed)"
    )


class AirCircuit(Circuit):
    """Room air through cooling coils, to chilled water and its plant."""

    temp_supply_degc: float = Field(
        default=24.0,
        ge=5,
        le=60,
        description="inlet air at rated heat, inside ASHRAE's recommended 18-27 °C; chilled water is held"
        " `coil_approach_k` below",
    )
    rise_k: float = Field(default=12.0, gt=0, le=40, description="warming at rated heat (unconfirmed)")
    coil_approach_k: float = Field(
        default=5.0, gt=0, le=20, description="inlet air above chilled water at rated heat (unconfirmed)"
    )
    water_rise_k: float = Field(
        default=6.0, gt=0, le=20, description="warming of chilled water at rated heat (unconfirmed)"
    )
    mover_pu: float = Field(
        default=0.03,
        ge=0,
        lt=0.2,
        description="room fans, constant speed, of rated heat; they heat the air (unconfirmed)",
    )
    chiller_pu: float = Field(
        default=1.2, ge=0, le=2, description="chiller's largest heat: all of it (unconfirmed)"
    )
    tau_supply_s: float = Field(
        default=20.0, ge=5, le=3600, description="coil and ducts over flow (unconfirmed)"
    )


class Structure(Params):
    """Floor, walls and steel of the room, for each rack's place (15 kJ/K of air)."""

    ua_mw_per_k: float = Field(
        default=5e-5, ge=0, description="conductance between air and structure, fitted 50-150 W/K"
    )
    capacity_mj_per_k: float = Field(
        default=1.0, gt=0, description="heat capacity that follows within an hour (unconfirmed)"
    )


class Limits(Params):
    """Temperatures at which a hall warns and racks switch off, and how it starts again."""

    inlet_alarm_degc: float = Field(
        default=35.0, gt=0, le=80, description="highest allowable inlet air, ASHRAE class A2 (published)"
    )
    coolant_alarm_degc: float = Field(
        default=45.0, gt=0, le=80, description="highest coolant to the racks, ASHRAE W45 (unconfirmed)"
    )
    inlet_trip_degc: float = Field(
        default=50.0, gt=0, le=100, description="inlet air at which racks switch off (unconfirmed)"
    )
    die_trip_k: float = Field(
        default=10.0,
        gt=0,
        le=40,
        description="dies above the throttle temperature at which their rack switches off (unconfirmed)",
    )
    pumps_after_s: float = Field(
        default=10.0, ge=0, le=3600, description="pumps and fans after supply comes back (unconfirmed)"
    )
    chillers_after_s: float = Field(
        default=240.0,
        ge=0,
        le=3600,
        description="chillers after supply or cooling comes back, quick restart 3-5 min (unconfirmed)",
    )
    racks_after_s: float = Field(
        default=120.0,
        ge=0,
        le=36000,
        description="first rack after pumps run and no limit is passed (unconfirmed)",
    )
    racks_within_s: float = Field(
        default=300.0, ge=0, le=36000, description="from the first rack to the last (unconfirmed)"
    )


class Cooling(Params):
    """A hall's two circuits, its room and its limits."""

    liquid: LiquidCircuit = Field(
        default=LiquidCircuit(), description="coolant to cold plates (liquid racks only)"
    )
    air: AirCircuit = Field(default=AirCircuit(), description="room air through cooling coils")
    structure: Structure = Field(default=Structure(), description="what the room is built of")
    limits: Limits = Field(default=Limits(), description="alarms, trips, restart")
    pressure_bar: float = Field(default=1.01325, gt=0.5, lt=1.1, description="outdoor air; 0.85 at 1,450 m")
    design_outdoor_degc: float | None = Field(
        default=35.0,
        ge=-20,
        le=60,
        description="hottest air at which it must carry a full hall without alarm; none: not checked",
    )
    design_wetbulb_degc: float = Field(
        default=28.0, ge=-20, le=40, description="wet bulb of that air, for pads and towers"
    )

    @model_validator(mode="after")
    def _has_exchangers(self) -> Self:
        """Refuse approaches that no exchanger reaches, of any size."""
        liquid, air, at_bar = self.liquid, self.air, self.pressure_bar
        found = []
        for key, size in (
            ("liquid.cdu", lambda: cdu_row(liquid.cdu, 1.0, liquid.rise_k)),
            ("liquid.rejection", lambda: require_reach(liquid.rejection, liquid.cdu.facility_rise_k, at_bar)),
            ("air.rejection", lambda: require_reach(air.rejection, air.water_rise_k, at_bar)),
        ):
            try:
                size()
            except ValueError as error:
                found.append(f"{key}: at 1 MW {error}")
        if found:
            raise ValueError("; ".join(found))
        return self
