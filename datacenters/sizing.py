"""From a hall's nameplate to the numbers its kernel and thermal network need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cosim.core.types import Floats
from datacenters.catalog.racks import Rack
from datacenters.chillers import chiller_row
from datacenters.cooling import PG25, die_to_mean_k_per_kw
from datacenters.kernels import hall_rows as rows
from datacenters.kernels.plant import CDU_RATED_MW_PER_K
from datacenters.plant import cdu_row, rejection_row
from datacenters.smoothing import Smoothing
from datacenters.thermal import Network

if TYPE_CHECKING:
    from datacenters.hall import GpuHallParams

PLACE_MJ_PER_K = 0.015
"""Air of one rack's place, 12 m³."""
COOLANT_TAU_S = 2.0
"""Coolant in the racks over its flow, source: LBNL Modelica Buildings, rack first order of 2 s."""


@dataclass(frozen=True)
class Size:
    """How large a hall is."""

    it_rated_mw: float
    gpus_count: float
    racks_count: float

    @staticmethod
    def of(
        rack: Rack, it_rated_mw: float | None, gpus_count: float | None, racks_count: float | None
    ) -> Size:
        """Return the whole size from what is given. Raises ValueError when that is not enough or too much."""
        given = (it_rated_mw is not None, gpus_count is not None, racks_count is not None)
        if sum(given) != 1 and given != (True, True, False):
            names = [n for n, g in zip(("it_rated_mw", "gpus_count", "racks_count"), given, strict=True) if g]
            msg = (
                f"size given by {' and '.join(names) or 'nothing'}: give one of it_rated_mw, gpus_count, "
                "racks_count, or it_rated_mw with gpus_count"
            )
            raise ValueError(msg)
        rack_mw = rack.full_load_kw / 1e3
        if racks_count is not None:
            return Size(racks_count * rack_mw, racks_count * rack.gpus_count, racks_count)
        if it_rated_mw is None:
            racks = (gpus_count or 0.0) / rack.gpus_count
            return Size(racks * rack_mw, racks * rack.gpus_count, racks)
        gpus = it_rated_mw / rack_mw * rack.gpus_count if gpus_count is None else gpus_count
        return Size(it_rated_mw, gpus, gpus / rack.gpus_count)


@dataclass(frozen=True)
class Rated:
    """Rated heats of a hall's two circuits, with those of their movers, and the flows they fix [MW, MW/K]."""

    liquid_mw: float
    pump_mw: float
    coolant_mw_per_k: float
    facility_mw_per_k: float
    air_mw: float
    room_fan_mw: float
    air_mw_per_k: float
    chilled_mw_per_k: float

    @staticmethod
    def of(params: GpuHallParams) -> Rated:
        """Return what full load makes of a hall."""
        rated_mw, share = params.size().it_rated_mw, params.the_rack().liquid_heat_pu
        liquid, air = params.cooling.liquid, params.cooling.air
        coolant_mw, room_mw = rated_mw * share, rated_mw * (1.0 - share)
        pump_mw, fan_mw = coolant_mw * liquid.cdu.pump_pu, room_mw * air.mover_pu
        return Rated(
            coolant_mw + pump_mw, pump_mw, coolant_mw / liquid.rise_k,
            (coolant_mw + pump_mw) / liquid.cdu.facility_rise_k,
            room_mw + fan_mw, fan_mw, room_mw / air.rise_k, (room_mw + fan_mw) / air.water_rise_k,
        )  # fmt: skip


def thermal_network(params: GpuHallParams) -> Network:
    """Return the hall's loops and room."""
    rack, cooling, rated = params.the_rack(), params.cooling, Rated.of(params)
    liquid, air = cooling.liquid, cooling.air
    places = params.size().racks_count * rack.capacity_air_mj_per_k / PLACE_MJ_PER_K
    half_air = 0.5 * places * PLACE_MJ_PER_K  # in front of the racks, and behind
    capacity = np.zeros(rows.N_NODES)
    capacity[rows.T_SUPPLY] = rated.coolant_mw_per_k * liquid.tau_supply_s
    capacity[rows.T_BACK] = rated.facility_mw_per_k * liquid.tau_facility_s
    capacity[rows.T_FACILITY] = capacity[rows.T_BACK] + liquid.tank.mj_per_k() * (rated.liquid_mw > 0.0)
    capacity[rows.T_AIR] = half_air
    capacity[rows.T_INLET] = half_air + rated.air_mw_per_k * air.tau_supply_s
    capacity[rows.T_STRUCTURE] = places * cooling.structure.capacity_mj_per_k
    capacity[rows.T_CHILLED_BACK] = rated.chilled_mw_per_k * air.tau_facility_s
    capacity[rows.T_CHILLED] = capacity[rows.T_CHILLED_BACK] + air.tank.mj_per_k() * (rated.air_mw > 0.0)
    cdu_mw_per_k = 0.0
    if rated.liquid_mw > 0.0:
        cdu_mw_per_k = float(cdu_row(liquid.cdu, rated.liquid_mw, liquid.rise_k)[CDU_RATED_MW_PER_K])
    air_rise_k = air.rise_k * (1.0 + air.mover_pu)
    return Network(
        capacity=capacity,
        cdu_mw_per_k=cdu_mw_per_k,
        facility_mw_per_k=rated.facility_mw_per_k,
        coil_mw_per_k=rated.air_mw / (air_rise_k + air.coil_approach_k),
        chilled_mw_per_k=rated.chilled_mw_per_k,
        air_mw_per_k=rated.air_mw_per_k,
        structure_mw_per_k=places * cooling.structure.ua_mw_per_k,
        pump_mw=rated.pump_mw,
        room_fan_mw=rated.room_fan_mw,
    )


def machines(params: GpuHallParams) -> Floats:
    """Return the rows of heat rejection and chiller of facility and of chilled water, (2, ...)."""
    rated, cooling = Rated.of(params), params.cooling
    found = []
    for circuit, heat_mw, rise_k in (
        (cooling.liquid, rated.liquid_mw, cooling.liquid.cdu.facility_rise_k),
        (cooling.air, rated.air_mw, cooling.air.water_rise_k),
    ):
        sized_mw = heat_mw if heat_mw > 0.0 else 1.0  # a circuit that is not there is never asked
        rejection = rejection_row(circuit.rejection, sized_mw, rise_k, cooling.pressure_bar)
        found.append(np.concatenate([rejection, chiller_row(circuit.chiller, circuit.chiller_pu * sized_mw)]))
    return np.array(found)


def kernel_parameters(params: GpuHallParams, first: int) -> Floats:
    """Return the hall's row of kernel parameters; its racks begin at `first`."""
    rack, size, cooling, rated = params.the_rack(), params.size(), params.cooling, Rated.of(params)
    limits, groups, wet = cooling.limits, params.rack_groups_count, rack.cooling == "liquid"
    rated_mw, each = size.it_rated_mw, size.racks_count / groups
    idle_mw = params.idle_share_pu() * rated_mw
    rise, fall = (params.smoothing or Smoothing()).shaping_mw(rated_mw)[1:]
    row = {
        rows.FIRST: first, rows.RACKS: groups, rows.GPUS: size.gpus_count, rows.IDLE_MW: idle_mw,
        rows.SPAN_MW: params.work_intensity_pu * (rated_mw - idle_mw), rows.RATED_MW: rated_mw,
        rows.CURVE: params.curve_exponent_pu, rows.EXPONENT: params.power_exponent_pu,
        rows.MEMORY_BOUND: params.memory_bound_pu, rows.CLOCK_MIN: params.clock_min_pu,
        rows.T_THROTTLE: rack.temp_throttle_degc, rows.BAND: params.throttle_band_k,
        rows.LEAK_MW_PER_K: rated_mw * rack.leak_pu * rack.leak_pu_per_k,
        rows.T_REFERENCE: rack.temp_reference_degc, rows.TAU_POWER_S: params.tau_power_s,
        rows.SHARE_DIE: rack.gpu_heat_pu,
        rows.SHARE_COOLANT: rack.liquid_heat_pu - rack.gpu_heat_pu if wet else 0.0,
        rows.SHARE_AIR: 1.0 - (rack.liquid_heat_pu if wet else rack.gpu_heat_pu),
        rows.WET: float(wet), rows.SPREADS: float(groups > 1 and params.work_spread_pu > 0.0),
        rows.C_DIE: size.gpus_count / groups * rack.capacity_die_mj_per_k,
        rows.C_COOLANT: rated.coolant_mw_per_k / groups * COOLANT_TAU_S,
        rows.C_MASS: each * rack.capacity_mass_mj_per_k, rows.UA_MASS: each * rack.ua_mass_mw_per_k,
        rows.FLOW_MW_PER_K: rated.coolant_mw_per_k, rows.LIQUID_MCP: rated.facility_mw_per_k,
        rows.LIQUID_SET: cooling.liquid.temp_supply_degc - cooling.liquid.cdu.approach_k,
        rows.AIR_MCP: rated.chilled_mw_per_k,
        rows.AIR_SET: cooling.air.temp_supply_degc - cooling.air.coil_approach_k,
        rows.MOVERS_MW: rated.pump_mw + rated.room_fan_mw, rows.PRESSURE_BAR: cooling.pressure_bar,
        rows.FLOOR_MW: (params.smoothing or Smoothing()).floor_pu * rated_mw,
        rows.RISE_MW_PER_S: rise, rows.FALL_MW_PER_S: fall,
        rows.T_TRIP: rack.temp_throttle_degc + limits.die_trip_k, rows.T_INLET_TRIP: limits.inlet_trip_degc,
        rows.T_INLET_ALARM: limits.inlet_alarm_degc, rows.T_COOLANT_ALARM: limits.coolant_alarm_degc,
        rows.PUMPS_S: limits.pumps_after_s, rows.CHILLERS_S: limits.chillers_after_s,
        rows.RACKS_S: limits.racks_after_s,
        rows.RACKS_PER_S: groups / limits.racks_within_s if limits.racks_within_s > 0.0 else np.inf,
    }  # fmt: skip
    return np.array([row[k] for k in range(rows.N_PARAMS)], dtype=np.float64)


def rack_block(params: GpuHallParams, rng: np.random.Generator) -> Floats:
    """Return the racks of a hall, idle and at the supply's temperature, (N_RACK_ROWS, groups).

    Work and coolant flow are spread over them normally, within 2.5 deviations; their means stay.
    """
    rack, size, groups = params.the_rack(), params.size(), params.rack_groups_count
    liquid, air = params.cooling.liquid, params.cooling.air
    block = np.zeros((rows.N_RACK_ROWS, groups))
    block[rows.POWER_MW] = params.idle_share_pu() * size.it_rated_mw / groups
    block[rows.DIE_DEGC] = liquid.temp_supply_degc + liquid.rise_k
    block[rows.COOLANT_DEGC], block[rows.MASS_DEGC] = liquid.temp_supply_degc, air.temp_supply_degc
    block[rows.ON_PU] = 1.0
    if groups > 1:
        block[rows.SPREAD] = params.work_spread_pu * _spread(rng, groups)
    flow_pu = 1.0 + (params.flow_spread_pu * _spread(rng, groups) if groups > 1 else np.zeros(groups))
    flow_pu /= flow_pu.mean()
    gpu_kw, each = size.it_rated_mw * 1e3 * rack.gpu_heat_pu / size.gpus_count, size.gpus_count / groups
    if rack.cooling == "liquid":
        block[rows.FLOW] = Rated.of(params).coolant_mw_per_k / groups * flow_pu
        block[rows.UA_DIE] = [
            each / die_to_mean_k_per_kw(PG25, gpu_kw, liquid.rise_k / pu, rack.r_die_k_per_kw) / 1e3
            for pu in flow_pu
        ]
    else:
        block[rows.UA_DIE] = each / rack.r_die_k_per_kw / 1e3
    return block


def _spread(rng: np.random.Generator, count: int) -> Floats:
    """Return normal numbers of mean 0 and about unit deviation, none beyond 2.5."""
    drawn = rng.standard_normal(count)
    drawn -= drawn.mean()
    return np.asarray(drawn * min(1.0, 2.5 / float(np.max(np.abs(drawn)))), dtype=np.float64)


def initial_nodes(params: GpuHallParams) -> Floats:
    """Return a first guess for the loops and the room: every circuit at its set point."""
    liquid, air = params.cooling.liquid, params.cooling.air
    nodes = np.full(rows.N_NODES, air.temp_supply_degc)
    nodes[rows.T_SUPPLY] = liquid.temp_supply_degc
    nodes[[rows.T_BACK, rows.T_FACILITY]] = liquid.temp_supply_degc - liquid.cdu.approach_k
    nodes[[rows.T_CHILLED_BACK, rows.T_CHILLED]] = air.temp_supply_degc - air.coil_approach_k
    return nodes
