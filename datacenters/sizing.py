"""From a hall's nameplate to the numbers its kernel and thermal network need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cosim.core.types import Floats
from datacenters.catalog.racks import Rack
from datacenters.cooling import PG25, Circuit, carnot_pu, die_to_mean_k_per_kw
from datacenters.kernels import hall as kernel
from datacenters.smoothing import Smoothing
from datacenters.thermal import Network

if TYPE_CHECKING:
    from datacenters.hall import GpuHallParams

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


def _rated_heats_mw(params: GpuHallParams) -> tuple[float, float]:
    """Return the heat into coolant and into hall air at rated IT power [MW], without pumps and fans."""
    rated_mw, liquid_pu = params.size().it_rated_mw, params.the_rack().liquid_heat_pu
    return rated_mw * liquid_pu, rated_mw * (1.0 - liquid_pu)


def thermal_network(params: GpuHallParams) -> Network:
    """Return the hall's heat paths, lumped over its racks."""
    rack, size, cooling = params.the_rack(), params.size(), params.cooling
    liquid_mw, air_mw = _rated_heats_mw(params)
    gpu_kw = size.it_rated_mw * 1e3 * rack.gpu_heat_pu / size.gpus_count
    wet = rack.cooling == "liquid"
    if wet:
        r_k_per_kw = die_to_mean_k_per_kw(PG25, gpu_kw, cooling.liquid.rise_k, rack.r_die_k_per_kw)
    else:
        r_k_per_kw = rack.r_die_k_per_kw
    ua_die = size.gpus_count / r_k_per_kw / 1e3
    liquid_mcp, air_mcp = liquid_mw / cooling.liquid.rise_k, air_mw / cooling.air.rise_k
    capacity = np.zeros(kernel.N_STATES)
    capacity[kernel.T_DIE] = size.gpus_count * rack.capacity_die_mj_per_k
    capacity[kernel.T_COOLANT] = liquid_mcp * COOLANT_TAU_S
    capacity[kernel.T_SUPPLY] = liquid_mcp * cooling.liquid.tau_supply_s
    half_air = 0.5 * size.racks_count * rack.capacity_air_mj_per_k  # in front of the racks, and behind
    capacity[kernel.T_AIR] = half_air
    capacity[kernel.T_INLET] = half_air + air_mcp * cooling.air.tau_supply_s
    capacity[kernel.T_MASS] = size.racks_count * rack.capacity_mass_mj_per_k
    return Network(
        capacity=capacity,
        tau_power_s=params.tau_power_s,
        die_pu=rack.gpu_heat_pu,
        coolant_pu=rack.liquid_heat_pu - rack.gpu_heat_pu if wet else 0.0,
        air_pu=1.0 - (rack.liquid_heat_pu if wet else rack.gpu_heat_pu),
        leak_mw_per_k=size.it_rated_mw * rack.leak_pu * rack.leak_pu_per_k,
        temp_reference_degc=rack.temp_reference_degc,
        ua_die_coolant_mw_per_k=ua_die if wet else 0.0,
        ua_die_air_mw_per_k=0.0 if wet else ua_die,
        ua_mass_mw_per_k=size.racks_count * rack.ua_mass_mw_per_k,
        liquid_mw_per_k=liquid_mcp,
        air_mw_per_k=air_mcp,
        pump_mw=liquid_mw * cooling.liquid.mover_pu,
        room_fan_mw=air_mw * cooling.air.mover_pu,
    )


def _circuit_row(circuit: Circuit, heat_mw: float) -> list[float]:
    """Return flow, set point, free-cooling conductance, chiller, fans and movers of one circuit.

    The conductance between returning stream and outdoor air is what gives the approach at rated heat.
    """
    flow_mw_per_k = heat_mw / circuit.rise_k
    rejected_mw = heat_mw * (1.0 + circuit.mover_pu)
    free_mw_per_k = rejected_mw / (circuit.approach_k + circuit.rise_k * (1.0 + circuit.mover_pu))
    return [
        flow_mw_per_k, circuit.temp_supply_degc, free_mw_per_k,
        circuit.chiller_pu * heat_mw, circuit.fan_pu * heat_mw, circuit.mover_pu * heat_mw,
    ]  # fmt: skip


def kernel_parameters(params: GpuHallParams) -> Floats:
    """Return the hall's row of kernel parameters, in the kernel's order."""
    rack, size, cooling = params.the_rack(), params.size(), params.cooling
    liquid_mw, air_mw = _rated_heats_mw(params)
    rated_mw = size.it_rated_mw
    idle_mw = params.idle_share_pu() * rated_mw
    carnot = carnot_pu(
        cooling.chiller_cop_pu, cooling.chiller_evaporator_degc, cooling.chiller_condenser_degc
    )
    row = [
        size.gpus_count, idle_mw, params.work_intensity_pu * (rated_mw - idle_mw), rated_mw,
        params.curve_exponent_pu, params.power_exponent_pu, params.memory_bound_pu, params.clock_min_pu,
        rack.temp_throttle_degc, params.throttle_band_k,
        rated_mw * rack.leak_pu * rack.leak_pu_per_k, rack.temp_reference_degc,
        *_circuit_row(cooling.liquid, liquid_mw),
        *_circuit_row(cooling.air, air_mw),
        carnot, cooling.chiller_max_cop_pu, cooling.evaporator_approach_k, cooling.condenser_approach_k,
        *(params.smoothing or Smoothing()).shaping_mw(rated_mw),
    ]  # fmt: skip
    return np.array(row)


def initial_state(params: GpuHallParams) -> Floats:
    """Return a first guess for the state: idle, every circuit at its set point, dies warm."""
    state = np.empty(kernel.N_STATES)
    state[kernel.P_FILTERED] = params.idle_share_pu() * params.size().it_rated_mw
    state[kernel.T_DIE] = params.cooling.liquid.temp_supply_degc + params.cooling.liquid.rise_k
    state[[kernel.T_COOLANT, kernel.T_SUPPLY]] = params.cooling.liquid.temp_supply_degc
    state[[kernel.T_AIR, kernel.T_INLET, kernel.T_MASS]] = params.cooling.air.temp_supply_degc
    return state
