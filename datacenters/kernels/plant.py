"""Kernels of the cooling plant: exchangers, pumps, and what takes heat outdoors.

Scalars in, scalars out, one hall a call: heat and power in MW, heat capacity flows and conductances in MW/K,
flows over their rated value in pu, temperatures in °C, pressures in bar, water in kg/s. A unit is a row of
numbers that `datacenters.plant` makes, indexed by the names below.
"""

from math import exp, log

from cosim.core.jit import jit
from cosim.core.types import Floats
from datacenters.kernels.psychrometrics import (
    CP_AIR_MJ_PER_KG_K,
    enthalpy_mj_per_kg,
    humidity_at_wet_bulb,
    saturated_humidity,
)

# a CDU: heat capacity flows at rated flow, conductance at rated flows, where its resistance is, its pump
(
    CDU_SECONDARY_MW_PER_K, CDU_FACILITY_MW_PER_K, CDU_UA_MW_PER_K, CDU_SECONDARY_SHARE,
    CDU_RATED_MW_PER_K, CDU_PUMP_MW, CDU_PUMP_STATIC_PU,
) = range(7)  # fmt: skip
N_CDU = 7

# heat rejection; from FAN_0 on the fan power at equidistant shares of the heat that full speed takes
DRY, EVAPORATIVE, TOWER = range(3)
N_FAN = 65
(
    KIND, WATER_MW_PER_K, AIR_MW_PER_K, UA_MW_PER_K, AIR_SHARE, FULL_MW_PER_K, FAN_MW, PAD_PU,
    WETBULB_RATED_DEGC, CYCLES, DRIFT_PU, FAN_0,
) = range(12)  # fmt: skip
N_REJECTION = FAN_0 + N_FAN

CP_WATER_MJ_PER_KG_K = 4.18e-3
LATENT_MJ_PER_KG = 2.45
"""Latent heat of water at 20 °C; 2.50 at 0 and 2.41 at 38 °C."""
NOTHING_MW = 1e-12
ENABLED_K = 0.5
"""Fans rest where water comes back less than this above what air can cool it to: little heat, full power."""
TOWER_STEPS = 20
TOLERANCE = 1e-8
"""Of heat or temperature, where the search for a tower's state ends: two parts of 4 to 10 steps."""


@jit
def counterflow_effectiveness(ntu: float, ratio: float) -> float:
    r"""Return :math:`\varepsilon = (1-e^{-N(1-r)})/(1-re^{-N(1-r)})`, and N/(1+N) where r is 1 [1]_.

    N is UA over the smaller heat capacity flow, r the smaller over the larger.

    References
    ----------
    .. [1] W. M. Kays, A. L. London, *Compact Heat Exchangers*, 3rd ed. 1984; F. P. Incropera et al.,
       *Fundamentals of Heat and Mass Transfer*, table 11.3.
    """
    gap = 1.0 - ratio
    if gap < 1e-6:
        return ntu / (1.0 + ntu)
    left = exp(-ntu * gap)
    return (1.0 - left) / (1.0 - ratio * left)


@jit
def crossflow_effectiveness(ntu: float, ratio: float) -> float:
    r"""Return :math:`1 - \exp[(e^{-rN^{0.78}} - 1) N^{0.22}/r]`, both streams unmixed [1]_; for coils in air.

    References
    ----------
    .. [1] F. P. Incropera et al., *Fundamentals of Heat and Mass Transfer*, equation 11.32.
    """
    if ntu <= 0.0:
        return 0.0
    if ratio < 1e-9:
        return 1.0 - exp(-ntu)
    bend = exp(0.22 * log(ntu))
    return 1.0 - exp((exp(-ratio * ntu / bend) - 1.0) * bend / ratio)


@jit
def series_ua(ua_rated: float, first_share: float, first_pu: float, second_pu: float) -> float:
    r"""Return the conductance of two films in series, each with its flow to the 0.8.

    :math:`UA = UA_n/(x\,\dot m_1^{-0.8} + (1-x)\,\dot m_2^{-0.8})`, x the first side's share of the
    resistance at rated flows (Dittus-Boelter). Without flow on a side it is 0.
    """
    if first_pu <= 0.0 or second_pu <= 0.0:
        return 0.0
    if first_pu == 1.0 and second_pu == 1.0:
        return ua_rated
    return ua_rated / (first_share * first_pu**-0.8 + (1.0 - first_share) * second_pu**-0.8)


@jit
def exchanger_mw_per_k(ua: float, first_mw_per_k: float, second_mw_per_k: float) -> float:
    """Return heat over the difference of the inlet temperatures of a counter-flow exchanger: eps·C_min."""
    least = min(first_mw_per_k, second_mw_per_k)
    if least <= 0.0:
        return 0.0
    return least * counterflow_effectiveness(ua / least, least / max(first_mw_per_k, second_mw_per_k))


@jit
def cdu_mw_per_k(row: Floats, secondary_pu: float, facility_pu: float) -> float:
    """Return heat over (returning coolant - entering facility water) of a CDU at these flows [MW/K]."""
    if secondary_pu == 1.0 and facility_pu == 1.0:
        return row[CDU_RATED_MW_PER_K]
    ua = series_ua(row[CDU_UA_MW_PER_K], row[CDU_SECONDARY_SHARE], secondary_pu, facility_pu)
    return exchanger_mw_per_k(
        ua, secondary_pu * row[CDU_SECONDARY_MW_PER_K], facility_pu * row[CDU_FACILITY_MW_PER_K]
    )


@jit
def pump_mw(rated_mw: float, static_pu: float, flow_pu: float) -> float:
    r"""Return pump power :math:`P_n(\sigma + (1-\sigma)\dot m^3)`: affinity law and a standing head.

    A pump at a standstill draws nothing.
    """
    if flow_pu <= 0.0:
        return 0.0
    return rated_mw * (static_pu + (1.0 - static_pu) * flow_pu**3)


@jit
def coil_mw_per_k(row: Floats, speed_pu: float, flow_pu: float) -> float:
    """Return heat over (returning water - entering air) of a dry coil at a fan speed [MW/K]."""
    water, air = flow_pu * row[WATER_MW_PER_K], speed_pu * row[AIR_MW_PER_K]
    ua = series_ua(row[UA_MW_PER_K], row[AIR_SHARE], speed_pu, flow_pu)
    least = min(water, air)
    if least <= 0.0:
        return 0.0
    return least * crossflow_effectiveness(ua / least, least / max(water, air))


@jit
def fan_share(row: Floats, heat_pu: float) -> float:
    """Return fan power over full, the cube of the speed, that takes `heat_pu` of what full speed would.

    Straight lines between the nodes of the row, which hold for rated water flow.
    """
    place = min(max(heat_pu, 0.0), 1.0) * (N_FAN - 1)
    node = min(int(place), N_FAN - 2)
    low = row[FAN_0 + node]
    return low + (place - node) * (row[FAN_0 + node + 1] - low)


@jit
def _coil(
    row: Floats, want_mw: float, flow_pu: float, return_degc: float, outdoor_degc: float, wetbulb_degc: float
) -> tuple[float, float, float]:
    """Return heat, fan power and evaporated water of a dry cooler, with pads where the row has them."""
    full = row[FULL_MW_PER_K] if flow_pu == 1.0 else coil_mw_per_k(row, 1.0, flow_pu)
    dry_mw = full * max(return_degc - outdoor_degc, 0.0)
    if want_mw <= dry_mw:
        return want_mw, row[FAN_MW] * fan_share(row, want_mw / dry_mw), 0.0
    depression = row[PAD_PU] * (outdoor_degc - wetbulb_degc)
    if full <= 0.0 or depression <= 0.0 or return_degc <= outdoor_degc - depression:
        return dry_mw, row[FAN_MW] if dry_mw > 0.0 else 0.0, 0.0
    wet_pu = min((want_mw / full - return_degc + outdoor_degc) / depression, 1.0)
    cooled = wet_pu * depression
    heat_mw = min(full * (return_degc - outdoor_degc + cooled), want_mw)
    return heat_mw, row[FAN_MW], row[AIR_MW_PER_K] * cooled / LATENT_MJ_PER_KG


@jit
def _saturated_mj_per_kg(temp_degc: float, pressure_bar: float) -> float:
    return enthalpy_mj_per_kg(temp_degc, saturated_humidity(temp_degc, pressure_bar))


@jit
def tower_factors(row: Floats, flow_pu: float, wetbulb_degc: float) -> float:
    """Return UA over its design value for water flow and wet bulb (Scheier), in their published ranges."""
    flow = min(max(flow_pu, 0.3), 1.0)
    by_flow = min(max(0.1082 + (1.667 - 0.7713 * flow) * flow, 0.5), 1.1)
    colder = min(max(row[WETBULB_RATED_DEGC] - wetbulb_degc, -10.0), 25.0)
    return by_flow * min(max(1.0 + 0.0081 * colder, 0.85), 1.3)


@jit
def tower_mw_per_k(
    row: Floats, factors: float, speed_pu: float, heat_capacity: float, flow_pu: float
) -> float:
    """Return heat over (returning water - wet bulb) of a tower [MW/K], `heat_capacity` over dry air's."""
    ua = row[UA_MW_PER_K] * factors * (1.3 - 0.3 * speed_pu) * speed_pu * heat_capacity
    air = row[AIR_MW_PER_K] * speed_pu * heat_capacity
    return exchanger_mw_per_k(ua, flow_pu * row[WATER_MW_PER_K], air)


@jit
def _tower(
    row: Floats, want_mw: float, flow_pu: float, return_degc: float, outdoor_degc: float,
    wetbulb_degc: float, pressure_bar: float,
) -> tuple[float, float, float]:  # fmt: skip
    r"""Return heat, fan power and evaporated water of an open tower after Merkel.

    Moist air counts as a gas of the specific heat :math:`c_e = \Delta h/\Delta T_{wb}` between its entering
    and leaving (saturated) state, in counter-flow with the water [1]_; UA goes with air flow, water flow and
    wet bulb as in `CoolingTower:VariableSpeed:Merkel` [2]_. At full speed the leaving wet bulb is a fixed
    point, found by secants; below it, heat is known and the leaving wet bulb lies between that point and
    the returning water, found by regula falsi (Pegasus).

    References
    ----------
    .. [1] LBNL Modelica Buildings, `Fluid.HeatExchangers.CoolingTowers.Merkel`.
    .. [2] EnergyPlus Engineering Reference, variable speed cooling towers, Merkel.
    """
    span = return_degc - wetbulb_degc
    if span <= 0.0 or flow_pu <= 0.0:
        return 0.0, 0.0, 0.0
    h_in = _saturated_mj_per_kg(wetbulb_degc, pressure_bar)
    factors = tower_factors(row, flow_pu, wetbulb_degc)
    air_kg_per_s = row[AIR_MW_PER_K] / CP_AIR_MJ_PER_KG_K
    rise, before, moved, full_mw = 0.6 * span, 0.0, 0.0, 0.0
    for step in range(TOWER_STEPS):
        gained = _saturated_mj_per_kg(wetbulb_degc + rise, pressure_bar) - h_in
        capacity = gained / (rise * CP_AIR_MJ_PER_KG_K)
        full_mw = tower_mw_per_k(row, factors, 1.0, capacity, flow_pu) * span
        gap = full_mw / (row[AIR_MW_PER_K] * capacity) - rise
        if abs(gap) < TOLERANCE * span:
            break
        change = gap if step == 0 else gap * (rise - before) / (moved - gap)
        before, moved, rise = rise, gap, rise + change
    speed = 1.0
    if want_mw < full_mw:
        other, miss_other = rise, log(full_mw / want_mw)
        rise = span
        gained = _saturated_mj_per_kg(return_degc, pressure_bar) - h_in
        speed = want_mw / (air_kg_per_s * gained)
        capacity = gained / (span * CP_AIR_MJ_PER_KG_K)
        miss = log(tower_mw_per_k(row, factors, speed, capacity, flow_pu) * span / want_mw)
        for _ in range(TOWER_STEPS):
            before, moved = rise, miss
            rise = (other * miss - rise * miss_other) / (miss - miss_other)
            gained = _saturated_mj_per_kg(wetbulb_degc + rise, pressure_bar) - h_in
            speed = min(want_mw / (air_kg_per_s * gained), 1.0)
            capacity = gained / (rise * CP_AIR_MJ_PER_KG_K)
            miss = log(tower_mw_per_k(row, factors, speed, capacity, flow_pu) * span / want_mw)
            if abs(miss) < TOLERANCE:
                break
            if miss * moved < 0.0:
                other, miss_other = before, moved
            else:
                miss_other *= moved / (moved + miss)
    leaving = saturated_humidity(wetbulb_degc + rise, pressure_bar)
    gained_humidity = max(leaving - humidity_at_wet_bulb(outdoor_degc, wetbulb_degc, pressure_bar), 0.0)
    return min(want_mw, full_mw), row[FAN_MW] * speed**3, air_kg_per_s * speed * gained_humidity


@jit
def reject(
    row: Floats, want_mw: float, flow_pu: float, service_pu: float, return_degc: float, outdoor_degc: float,
    wetbulb_degc: float, pressure_bar: float,
) -> tuple[float, float, float]:  # fmt: skip
    """Return the heat taken of what is wanted, fan power, and evaporated water of heat rejection.

    Fans turn as slowly as the wanted heat allows, and not at all where the air is no colder than the water
    (`ENABLED_K`). A dry cooler wets its pads (kind evaporative) only where
    full speed is not enough, as far as needed.

    Parameters
    ----------
    want_mw : heat to take so that the water leaves at its set-point
    flow_pu : water flow, of rated
    service_pu : share of equal cells in service; the others take nothing
    return_degc : water coming back, outdoor_degc, wetbulb_degc : of the air
    """
    coolest_degc = wetbulb_degc
    if row[KIND] != TOWER:
        coolest_degc = outdoor_degc - row[PAD_PU] * max(outdoor_degc - wetbulb_degc, 0.0)
    if want_mw < NOTHING_MW or service_pu <= 0.0 or return_degc - coolest_degc < ENABLED_K:
        return 0.0, 0.0, 0.0
    each_mw = want_mw / service_pu
    if row[KIND] == TOWER:
        heat, fan, water = _tower(
            row, each_mw, flow_pu, return_degc, outdoor_degc, wetbulb_degc, pressure_bar
        )
    else:
        heat, fan, water = _coil(row, each_mw, flow_pu, return_degc, outdoor_degc, wetbulb_degc)
    return heat * service_pu, fan * service_pu, water * service_pu


@jit
def makeup_kg_per_s(row: Floats, evaporated_kg_per_s: float, flow_pu: float) -> float:
    """Return the fresh water that keeps a basin at its level and concentration [kg/s].

    Evaporation and drift, and as much blow-down as keeps dissolved solids at `CYCLES` of the fresh water's:
    E·c/(c - 1), or E and drift where drift alone carries off more. Without evaporation none.
    """
    if evaporated_kg_per_s <= 0.0:
        return 0.0
    drift = row[DRIFT_PU] * flow_pu * row[WATER_MW_PER_K] / CP_WATER_MJ_PER_KG_K
    return max(evaporated_kg_per_s * row[CYCLES] / (row[CYCLES] - 1.0), evaporated_kg_per_s + drift)
