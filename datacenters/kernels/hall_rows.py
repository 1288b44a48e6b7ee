"""Names of the rows of the arrays that hold halls, unit by unit.

MW, MJ, s, K throughout.
"""

# what a hall hears
(
    WORK_GPU, TEMP_OUTDOOR_DEGC, CAP_PU, COOLING_PU, VM_PU, TEMP_WETBULB_DEGC, TEMP_OFFSET_K, MOVERS_PU,
) = range(8)  # fmt: skip
N_INPUTS = 8

# nodes: coolant to the racks, facility water behind its exchanger and behind the plant; air behind
# and in front of the racks, structure, chilled water behind the coil and behind its plant
T_SUPPLY, T_BACK, T_FACILITY, T_AIR, T_INLET, T_STRUCTURE, T_CHILLED_BACK, T_CHILLED = range(8)
N_NODES = 8
# drives: heat the racks give the coolant, temperature they return it at, heat they give the air,
# heat the plants take from facility and chilled water, one
RACKS_TO_COOLANT, RETURN_DEGC, RACKS_TO_AIR, TAKEN_LIQUID, TAKEN_AIR, ONE = range(6)
N_DRIVES = 6
N_COLUMNS = N_NODES + N_DRIVES

# propagators: a whole and a half sub-step, with streams running and with streams at rest
WHOLE, HALF, WHOLE_STILL, HALF_STILL = range(4)
N_PROPAGATORS = 4

# racks: state, what is fixed, scratch
POWER_MW, DIE_DEGC, COOLANT_DEGC, MASS_DEGC, ON_PU, UA_DIE, FLOW, SPREAD, WANTED_MW, SLOPE = range(10)
N_RACK_ROWS = 10
N_RACK_STATES = 5

# memory: power held, part of filtered power that does no work; the racks' last leakage; kelvins by which dies
# are over the throttle temperature, summed; racks off; seconds since movers, cooling, conditions became good
HELD_MW, BALLAST_FILTERED, LAST_LEAK_MW, OVER_K, OFF_RACKS, MOVED_S, COOLED_S, GOOD_S = range(8)
N_MEMORY = 8

# what is fixed
(
    FIRST, RACKS, GPUS, IDLE_MW, SPAN_MW, RATED_MW, CURVE, EXPONENT, MEMORY_BOUND, CLOCK_MIN, T_THROTTLE,
    BAND, LEAK_MW_PER_K, T_REFERENCE, TAU_POWER_S, SHARE_DIE, SHARE_COOLANT, SHARE_AIR, WET, SPREADS,
    C_DIE, C_COOLANT, C_MASS, UA_MASS, FLOW_MW_PER_K,
    LIQUID_MCP, LIQUID_SET, AIR_MCP, AIR_SET, MOVERS_MW, PRESSURE_BAR,
    FLOOR_MW, RISE_MW_PER_S, FALL_MW_PER_S,
    T_TRIP, T_INLET_TRIP, T_INLET_ALARM, T_COOLANT_ALARM, PUMPS_S, CHILLERS_S, RACKS_S, RACKS_PER_S,
) = range(42)  # fmt: skip
N_PARAMS = 42

# what comes out
(
    IT_MW, COOLING_MW, MOVER_MW, CHILLER_MW, REJECTED_MW, STORED_MWH, WATER_KG_PER_S,
    OFFERED, DONE, UNSERVED, CAPACITY, THROTTLE,
    OUT_DIE, OUT_DIE_MAX, OUT_COOLANT, OUT_SUPPLY, OUT_AIR, OUT_INLET, OUT_FACILITY, OUT_CHILLED,
    BALLAST_MW, OUT_ON_PU, IT_SQUARE_MW2, IT_END_MW, COOLING_END_MW, ALARMS_CODE,
) = range(26)  # fmt: skip
N_OUTPUTS = 26
N_PORTS = 22
"""The first of them are ports; the others are for the electrical chain (`supply.Drawn`) and for events."""

# what ALARMS_CODE adds up: some clocks are down, racks are off, inlet air or coolant above what is allowed
THROTTLED, RACKS_OFF, INLET_HIGH, COOLANT_HIGH = 1.0, 2.0, 4.0, 8.0

T_STORED_ZERO_DEGC = 20.0
"""Heat stored counts from here; only its changes mean anything."""
