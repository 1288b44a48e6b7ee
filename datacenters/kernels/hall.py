"""Kernel of GPU halls: racks, loops and plant, many sub-steps of all halls a call.

Rows of the arrays are named in `hall_rows`.
"""

from cosim.core.jit import jit_lent
from cosim.core.types import Floats
from datacenters.kernels import hall_rows as rows
from datacenters.kernels.chillers import SINK_APPROACH_K, chiller_capacity_mw, chiller_mw
from datacenters.kernels.clocks import clock_by_cap, speed_at_clock
from datacenters.kernels.hall_racks import (
    LAST_COOLING,
    LAST_IT,
    N_SUMS,
    SUM_BALLAST,
    SUM_CHILLER,
    SUM_COOLING,
    SUM_DONE,
    SUM_IT,
    SUM_IT_SQUARE,
    SUM_MOVER,
    SUM_REJECTED,
    SUM_THROTTLE,
    SUM_WATER,
    advance_racks,
    in_common,
    sequence,
)
from datacenters.kernels.plant import KIND, N_REJECTION, TOWER, makeup_kg_per_s, reject
from datacenters.kernels.racks import (
    AIR,
    N_COMMON,
    N_RACK_SUMS,
    STREAM,
    SUM_AIR,
    SUM_FLOW,
    SUPPLY,
    done_and_held,
    hottest_degc,
    switch_off,
    totals,
)

NOTHING_IS_SO_COLD_DEGC = -1e9

# where things lie in the scratch: one column of a propagator and what comes out of it, sums
_MIDDLE = rows.N_COLUMNS
_COMMON = _MIDDLE + rows.N_NODES
_GIVEN = _COMMON + N_COMMON
_PLANT = _GIVEN + N_RACK_SUMS
_SUMS = _PLANT + 4
N_SCRATCH = _SUMS + N_SUMS


@jit_lent
def carry(propagator: Floats, column: Floats, result: Floats) -> None:
    """Write `column @ propagator` to `result`, row after row, which the compiler turns into vectors."""
    for row in range(rows.N_NODES):
        result[row] = 0.0
    for k in range(rows.N_COLUMNS):
        for row in range(rows.N_NODES):
            result[row] += propagator[k, row] * column[k]


@jit_lent
def take(
    machines: Floats, mcp_mw_per_k: float, set_degc: float, back_degc: float, outdoor_degc: float,
    wetbulb_degc: float, pressure_bar: float, service_pu: float, chillers_pu: float, plant: Floats,
) -> float:  # fmt: skip
    """Return the heat a plant takes from water that comes back [MW]; add what it draws to `plant`.

    Wanted is what brings the water to its set-point. Free cooling takes what it can; the trim chiller takes
    the rest as far as it reaches, behind it in the stream. What neither takes stays in the water.

    Parameters
    ----------
    machines : rows of `plant` and `chillers`, one behind the other.
    plant : (4,), fan power, chiller power [MW], water [kg/s].
    """
    want_mw = mcp_mw_per_k * max(back_degc - set_degc, 0.0)
    if want_mw <= 0.0 or service_pu <= 0.0:
        return 0.0
    rejection, chiller = machines[:N_REJECTION], machines[N_REJECTION:]
    free_mw, fan_mw, evaporated_kg_per_s = reject(
        rejection, want_mw, 1.0, service_pu, back_degc, outdoor_degc, wetbulb_degc, pressure_bar
    )
    plant[0] += fan_mw
    plant[2] += makeup_kg_per_s(rejection, evaporated_kg_per_s, 1.0)
    trim_mw, each_pu = want_mw - free_mw, service_pu * chillers_pu
    if trim_mw <= 0.0 or each_pu <= 0.0:
        return free_mw
    entering_degc = (wetbulb_degc if rejection[KIND] == TOWER else outdoor_degc) + chiller[SINK_APPROACH_K]
    trim_mw = min(trim_mw, each_pu * chiller_capacity_mw(chiller, set_degc, entering_degc))
    plant[1] += each_pu * chiller_mw(chiller, trim_mw / each_pu, set_degc, entering_degc)
    return free_mw + trim_mw


@jit_lent
def substep(
    params: Floats, machines: Floats, propagators: Floats, inputs: Floats, dt_s: float, nodes: Floats,
    drives: Floats, memory: Floats, racks: Floats, scratch: Floats,
) -> None:  # fmt: skip
    r"""Advance one hall by one sub-step: its states in place, its means added to the sums in `scratch`.

    The loops are linear, :math:`x' = A x + B u`; their exact propagators over a whole and half a sub-step
    come from outside. First the middle is foretold from the drives of the sub-step before; there racks
    and plant see them; then the whole step is made with what these gave in the mean. An exponential
    midpoint rule, of second order [1]_; each heat flow has one value that leaves one node and enters another.

    References
    ----------
    .. [1] M. Hochbruck, A. Ostermann, Exponential integrators, Acta Numerica 19 (2010), sect. 2.
    """
    column, middle = scratch[: rows.N_COLUMNS], scratch[_MIDDLE:_COMMON]
    common, given = scratch[_COMMON:_GIVEN], scratch[_GIVEN:_PLANT]
    plant, sums = scratch[_PLANT:_SUMS], scratch[_SUMS:]
    lit = inputs[rows.VM_PU] > 0.0
    moved = lit and inputs[rows.MOVERS_PU] > 0.0
    runs = moved and memory[rows.MOVED_S] >= params[rows.PUMPS_S]
    service_pu = min(max(inputs[rows.COOLING_PU], 0.0), 1.0) if runs else 0.0
    chillers_pu = 1.0 if memory[rows.COOLED_S] >= params[rows.CHILLERS_S] else 0.0
    sequence(params, nodes, memory, racks, lit, runs, dt_s)
    memory[rows.MOVED_S] = memory[rows.MOVED_S] + dt_s if moved else 0.0
    memory[rows.COOLED_S] = memory[rows.COOLED_S] + dt_s if moved and inputs[rows.COOLING_PU] > 0.0 else 0.0
    if not runs:
        drives[rows.RACKS_TO_COOLANT] = drives[rows.TAKEN_LIQUID] = drives[rows.TAKEN_AIR] = 0.0
    for k in range(rows.N_NODES):
        column[k] = nodes[k]
    for k in range(rows.N_DRIVES):
        column[rows.N_NODES + k] = drives[k]
    carry(propagators[rows.HALF if runs else rows.HALF_STILL], column, middle)
    if common[STREAM] != (1.0 if runs else 0.0):
        in_common(params, dt_s, runs, common)
    common[SUPPLY], common[AIR] = middle[rows.T_SUPPLY], middle[rows.T_INLET]
    work_gpu = max(inputs[rows.WORK_GPU], 0.0)
    advance_racks(params, memory, racks, common, work_gpu, inputs[rows.CAP_PU], dt_s, given, sums)
    flow = params[rows.FLOW_MW_PER_K] * common[STREAM]
    drives[rows.RACKS_TO_COOLANT] = given[SUM_FLOW] - flow * common[SUPPLY]
    drives[rows.RETURN_DEGC] = given[SUM_FLOW] / flow if flow > 0.0 else 0.0
    drives[rows.RACKS_TO_AIR] = given[SUM_AIR]
    outdoor, pressure = inputs[rows.TEMP_OUTDOOR_DEGC], params[rows.PRESSURE_BAR]
    wetbulb = min(inputs[rows.TEMP_WETBULB_DEGC], outdoor)
    plant[:] = 0.0
    offset = inputs[rows.TEMP_OFFSET_K]
    drives[rows.TAKEN_LIQUID] = take(
        machines[0], params[rows.LIQUID_MCP], params[rows.LIQUID_SET] + offset, middle[rows.T_BACK],
        outdoor, wetbulb, pressure, service_pu, chillers_pu, plant,
    )  # fmt: skip
    drives[rows.TAKEN_AIR] = take(
        machines[1], params[rows.AIR_MCP], params[rows.AIR_SET] + offset, middle[rows.T_CHILLED_BACK],
        outdoor, wetbulb, pressure, service_pu, chillers_pu, plant,
    )  # fmt: skip
    for k in range(rows.N_DRIVES):
        column[rows.N_NODES + k] = drives[k]
    carry(propagators[rows.WHOLE if runs else rows.WHOLE_STILL], column, nodes)
    hot = nodes[rows.T_INLET] >= params[rows.T_INLET_TRIP]
    if hot or memory[rows.OVER_K] > 0.0 or memory[rows.OFF_RACKS] > 0.0:
        off = switch_off(racks, NOTHING_IS_SO_COLD_DEGC if hot else params[rows.T_TRIP])
        memory[rows.GOOD_S] = 0.0 if off > memory[rows.OFF_RACKS] else memory[rows.GOOD_S]
        memory[rows.OFF_RACKS] = off
    mover_mw = params[rows.MOVERS_MW] * common[STREAM]
    cooling_mw = mover_mw + plant[0] + plant[1]
    sums[SUM_COOLING] += cooling_mw
    sums[SUM_MOVER] += mover_mw
    sums[SUM_CHILLER] += plant[1]
    sums[SUM_WATER] += plant[2]
    sums[SUM_REJECTED] += drives[rows.TAKEN_LIQUID] + drives[rows.TAKEN_AIR]
    sums[LAST_COOLING] = cooling_mw


@jit_lent
def report(
    params: Floats, capacity: Floats, inputs: Floats, nodes: Floats, memory: Floats, racks: Floats,
    steps: int, scratch: Floats, row: Floats,
) -> None:  # fmt: skip
    """Write one hall's outputs to `row` (N_OUTPUTS,): means over the sub-steps, states at the end."""
    mean, sums, whole = 1.0 / steps, scratch[_SUMS:], scratch[_GIVEN:_PLANT]
    row[rows.IT_MW], row[rows.IT_SQUARE_MW2] = sums[SUM_IT] * mean, sums[SUM_IT_SQUARE] * mean
    row[rows.COOLING_MW], row[rows.CHILLER_MW] = sums[SUM_COOLING] * mean, sums[SUM_CHILLER] * mean
    row[rows.MOVER_MW], row[rows.WATER_KG_PER_S] = sums[SUM_MOVER] * mean, sums[SUM_WATER] * mean
    row[rows.IT_END_MW], row[rows.COOLING_END_MW] = sums[LAST_IT], sums[LAST_COOLING]
    row[rows.REJECTED_MW], row[rows.BALLAST_MW] = sums[SUM_REJECTED] * mean, sums[SUM_BALLAST] * mean
    totals(racks, whole)
    stored_mj, many = 0.0, params[rows.RACKS]
    for k in range(rows.N_NODES):
        stored_mj += capacity[k] * (nodes[k] - rows.T_STORED_ZERO_DEGC)
    stored_mj += params[rows.C_DIE] * (whole[0] - many * rows.T_STORED_ZERO_DEGC)
    stored_mj += params[rows.C_MASS] * (whole[2] - many * rows.T_STORED_ZERO_DEGC)
    if params[rows.WET] > 0.0:
        stored_mj += params[rows.C_COOLANT] * (whole[1] - many * rows.T_STORED_ZERO_DEGC)
    row[rows.STORED_MWH] = stored_mj / 3600.0
    work_gpu, done_gpu = max(inputs[rows.WORK_GPU], 0.0), sums[SUM_DONE] * mean
    row[rows.OFFERED], row[rows.DONE], row[rows.UNSERVED] = work_gpu, done_gpu, work_gpu - done_gpu
    on_pu = 1.0 - memory[rows.OFF_RACKS] / many
    cap_clock = clock_by_cap(params, inputs[rows.CAP_PU], memory[rows.LAST_LEAK_MW], on_pu)
    able = many * on_pu * speed_at_clock(cap_clock, params[rows.MEMORY_BOUND])
    if memory[rows.OVER_K] > 0.0:
        able, _ = done_and_held(params, racks, rows.DIE_DEGC, 1.0, cap_clock)
    row[rows.CAPACITY], row[rows.THROTTLE] = params[rows.GPUS] * able / many, sums[SUM_THROTTLE] * mean
    wet = params[rows.WET] > 0.0
    row[rows.OUT_DIE], row[rows.OUT_DIE_MAX] = whole[0] / many, hottest_degc(racks)
    row[rows.OUT_ON_PU] = on_pu
    row[rows.OUT_COOLANT] = whole[3] / whole[4] if wet else nodes[rows.T_AIR]
    row[rows.OUT_SUPPLY] = nodes[rows.T_SUPPLY] if wet else nodes[rows.T_INLET]
    row[rows.OUT_FACILITY] = nodes[rows.T_FACILITY] if wet else nodes[rows.T_CHILLED]
    row[rows.OUT_AIR], row[rows.OUT_INLET] = nodes[rows.T_AIR], nodes[rows.T_INLET]
    row[rows.OUT_CHILLED] = nodes[rows.T_CHILLED]
    code = rows.THROTTLED if row[rows.THROTTLE] > 0.0 else 0.0
    code += rows.RACKS_OFF if on_pu < 1.0 else 0.0
    code += rows.INLET_HIGH if nodes[rows.T_INLET] > params[rows.T_INLET_ALARM] else 0.0
    row[rows.ALARMS_CODE] = code + (
        rows.COOLANT_HIGH if wet and nodes[rows.T_SUPPLY] > params[rows.T_COOLANT_ALARM] else 0.0
    )


@jit_lent
def advance_halls(
    steps: int, dt_s: float, params: Floats, capacity: Floats, machines: Floats, propagators: Floats,
    inputs: Floats, nodes: Floats, drives: Floats, memory: Floats, racks: Floats, outputs: Floats,
    scratch: Floats,
) -> None:  # fmt: skip
    """Advance all halls by `steps` equal sub-steps of `dt_s` (see `substep`), hall by hall: states in place.

    Parameters
    ----------
    params : (units, N_PARAMS), capacity : (units, N_NODES), heat capacities of the nodes [MJ/K].
    machines : (units, 2, N_REJECTION + N_CHILLER), plant of facility and of chilled water.
    propagators : (units, N_PROPAGATORS, N_COLUMNS, N_NODES), of one sub-step.
    inputs : (units, N_INPUTS), nodes : (units, N_NODES).
    drives : (units, N_DRIVES), memory : (units, N_MEMORY).
    racks : (N_RACK_ROWS * racks of all halls,), hall by hall a block of (N_RACK_ROWS, racks of the hall).
    outputs : (N_OUTPUTS, units), scratch : (N_SCRATCH,).
    """
    for i in range(params.shape[0]):
        first, many = int(params[i, rows.FIRST]), int(params[i, rows.RACKS])
        block = racks[rows.N_RACK_ROWS * first : rows.N_RACK_ROWS * (first + many)].reshape(
            (rows.N_RACK_ROWS, many)
        )
        scratch[_SUMS:] = 0.0
        scratch[_COMMON + STREAM] = -1.0
        for _ in range(steps):
            substep(
                params[i], machines[i], propagators[i], inputs[i], dt_s, nodes[i], drives[i], memory[i],
                block, scratch,
            )  # fmt: skip
        report(params[i], capacity[i], inputs[i], nodes[i], memory[i], block, steps, scratch, outputs[:, i])
