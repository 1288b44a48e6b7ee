"""Kernels of the GPU hall: clocks, cooling plant, and the thermal network over one exchange.

Arrays are indexed by the names below: `params[unit, row]`, `inputs[row, unit]`, `state[unit, row]`,
`outputs[row, unit]`. MW, MJ, s, K throughout.
"""

from cosim.core.jit import jit
from cosim.core.types import Floats

# inputs
WORK_GPU, TEMP_OUTDOOR_DEGC, CAP_PU, COOLING_PU, VM_PU = range(5)
N_INPUTS = 5

# state: filtered power, then six temperatures
P_FILTERED, T_DIE, T_COOLANT, T_SUPPLY, T_AIR, T_INLET, T_MASS = range(7)
N_STATES = 7
# what drives the linear network: wanted power, heat taken from coolant and air, one
N_DRIVES = 4
N_COLUMNS = N_STATES + N_DRIVES
# rows of the whole-step propagator: end of all states, then means of power and die temperature
MEAN_POWER, MEAN_DIE = N_STATES, N_STATES + 1
N_ROWS = N_STATES + 2
# rows of the half-step propagator: what the plant and the clocks react to
HALF_DIE, HALF_COOLANT, HALF_AIR = range(3)

# what smoothing remembers: power held over the last sub-step, part of filtered power that does no work
HELD_MW, BALLAST_FILTERED = range(2)
N_SHAPED = 2

# parameters
(
    GPUS, IDLE_MW, SPAN_MW, RATED_MW, CURVE, EXPONENT, MEMORY, CLOCK_MIN, T_THROTTLE, BAND,
    LEAK_MW_PER_K, T_REFERENCE,
    LIQUID_MCP, LIQUID_SET, LIQUID_FREE, LIQUID_CHILLER, LIQUID_FAN, LIQUID_MOVER,
    AIR_MCP, AIR_SET, AIR_FREE, AIR_CHILLER, AIR_FAN, AIR_MOVER,
    CARNOT, COP_MAX, EVAPORATOR_K, CONDENSER_K,
    FLOOR_MW, RISE_MW_PER_S, FALL_MW_PER_S,
) = range(31)  # fmt: skip
N_PARAMS = 31

# outputs
(
    IT_MW, COOLING_MW, MOVER_MW, CHILLER_MW, REJECTED_MW, STORED_MWH,
    OFFERED, DONE, UNSERVED, CAPACITY, THROTTLE,
    OUT_DIE, OUT_COOLANT, OUT_SUPPLY, OUT_AIR, OUT_INLET, BALLAST_MW,
    IT_SQUARE_MW2, IT_END_MW, COOLING_END_MW,
) = range(20)  # fmt: skip
N_OUTPUTS = 20
N_PORTS = 17
"""The first of them are ports; the others are for the electrical chain (`supply.Drawn`)."""

# what sub-steps add up
(
    SUM_IT, SUM_COOLING, SUM_CHILLER, SUM_REJECTED, SUM_DONE, SUM_THROTTLE, SUM_BALLAST, SUM_IT_SQUARE,
    LAST_IT, LAST_COOLING,
) = range(10)  # fmt: skip
N_SUMS = 10
N_SCRATCH = 37 + N_SUMS

T_STORED_ZERO_DEGC = 20.0
"""Heat stored counts from here; only its changes mean anything."""


@jit
def utilisation_curve(busy_pu: float, exponent_pu: float) -> float:
    r"""Return the share of dynamic power at a busy share: :math:`\varphi = 2u - u^r`, r = 1 linear [1]_.

    References
    ----------
    .. [1] OpenDC, host power model "MSE"; X. Fan et al., Power provisioning for a warehouse-sized
       computer, ISCA 2007.
    """
    if exponent_pu == 1.0:
        return busy_pu
    return 2.0 * busy_pu - busy_pu**exponent_pu


@jit
def speed_at_clock(clock_pu: float, memory_pu: float) -> float:
    r"""Return relative work rate at a relative clock: :math:`1/((1-b)/f + b)`, b bound by memory.

    Roofline mix; b = 0 slows in proportion to the clock.
    """
    return 1.0 / ((1.0 - memory_pu) / clock_pu + memory_pu)


@jit
def clock_limit(params: Floats, temp_die_degc: float, cap_pu: float) -> float:
    r"""Return the highest relative clock that die temperature and power cap allow.

    Heat: 1 up to the throttle temperature, then linearly down to the lowest clock over the band.
    Cap: per accelerator, as firmware does it: with all busy, idle + leakage + span·f^a meets the cap.
    Neither goes below the lowest clock.
    """
    lowest = params[CLOCK_MIN]
    over = (temp_die_degc - params[T_THROTTLE]) / params[BAND]
    by_heat = 1.0 - (1.0 - lowest) * min(max(over, 0.0), 1.0)
    leak_mw = params[LEAK_MW_PER_K] * (temp_die_degc - params[T_REFERENCE])
    room_mw = cap_pu * params[RATED_MW] - params[IDLE_MW] - leak_mw
    if cap_pu >= 1.0 or room_mw >= params[SPAN_MW]:
        return by_heat
    by_cap = (max(room_mw, 0.0) / params[SPAN_MW]) ** (1.0 / params[EXPONENT])
    return max(min(by_heat, by_cap), lowest)


@jit
def heat_taken(want_mw: float, free_max_mw: float, chiller_max_mw: float) -> tuple[float, float]:
    """Return what free cooling and then the trim chiller take of the wanted heat [MW]."""
    free_mw = min(want_mw, free_max_mw)
    return free_mw, min(want_mw - free_mw, chiller_max_mw)


@jit
def carnot_cop(params: Floats, temp_supply_degc: float, temp_outdoor_degc: float) -> float:
    r"""Return :math:`COP = \eta_c T_e/(T_c - T_e)`, bounded by the largest COP [1]_.

    References
    ----------
    .. [1] LBNL Modelica Buildings, `Fluid.Chillers.Carnot_TEva`.
    """
    evaporator_k = temp_supply_degc - params[EVAPORATOR_K] + 273.15
    lift_k = temp_outdoor_degc + params[CONDENSER_K] + 273.15 - evaporator_k
    if lift_k <= 0.0:
        return params[COP_MAX]
    return min(params[CARNOT] * evaporator_k / lift_k, params[COP_MAX])


@jit
def drive(
    params: Floats, work_gpu: float, outdoor_degc: float, cap_pu: float, cooling_pu: float,
    temp_die_degc: float, temp_coolant_degc: float, temp_air_degc: float, drives: Floats, plant: Floats,
) -> float:  # fmt: skip
    """Write what drives the network and what the plant takes; return the relative clock.

    `drives` gets wanted power, heat taken from coolant and from air [MW]; `plant` gets free and
    chiller heat of the coolant, its relative fan speed, and the same of the air.
    """
    clock = clock_limit(params, temp_die_degc, cap_pu)
    busy = min(work_gpu / (params[GPUS] * speed_at_clock(clock, params[MEMORY])), 1.0)
    dynamic = utilisation_curve(busy, params[CURVE])
    if clock < 1.0:
        dynamic *= clock ** params[EXPONENT]
    drives[0] = params[IDLE_MW] + params[SPAN_MW] * dynamic
    for circuit in range(2):
        shift = circuit * (AIR_MCP - LIQUID_MCP)
        back_degc = temp_air_degc if circuit == 1 else temp_coolant_degc
        want_mw = params[LIQUID_MCP + shift] * max(back_degc - params[LIQUID_SET + shift], 0.0)
        if cooling_pu == 0.0:
            want_mw = 0.0
        free_max_mw = cooling_pu * params[LIQUID_FREE + shift] * max(back_degc - outdoor_degc, 0.0)
        free_mw, chiller_mw = heat_taken(want_mw, free_max_mw, cooling_pu * params[LIQUID_CHILLER + shift])
        drives[1 + circuit] = free_mw + chiller_mw
        plant[3 * circuit] = free_mw
        plant[3 * circuit + 1] = chiller_mw
        plant[3 * circuit + 2] = free_mw / free_max_mw if free_max_mw > 0.0 else 0.0
    return clock


@jit
def shape(
    params: Floats, clock: float, cap_pu: float, temp_die_degc: float, held_mw: float, dt_s: float,
    wanted_mw: float,
) -> tuple[float, float]:  # fmt: skip
    """Return what work may draw and what is drawn with ballast on top, over a sub-step of `dt_s` [MW].

    Work rises no faster than the limit, its clocks held back. Ballast (accelerators that burn power without
    work) fills up to the floor, and to what may not fall faster; heat and cap bound it as they bound work.
    """
    highest_mw = held_mw + params[RISE_MW_PER_S] * dt_s
    work_mw = min(wanted_mw, highest_mw)
    least_mw = max(min(params[FLOOR_MW], highest_mw), held_mw - params[FALL_MW_PER_S] * dt_s)
    if least_mw <= work_mw:
        return work_mw, work_mw
    ceiling_mw = params[IDLE_MW] + (params[RATED_MW] - params[IDLE_MW]) * clock ** params[EXPONENT]
    if cap_pu < 1.0:
        leak_mw = params[LEAK_MW_PER_K] * (temp_die_degc - params[T_REFERENCE])
        ceiling_mw = min(ceiling_mw, max(cap_pu * params[RATED_MW] - leak_mw, params[IDLE_MW]))
    return work_mw, max(work_mw, min(least_mw, ceiling_mw))


@jit
def held_back(params: Floats, clock: float, wanted_mw: float, work_mw: float) -> float:
    """Return the work rate over that at `clock` where work may draw less than it wants."""
    if work_mw >= wanted_mw:
        return 1.0
    if work_mw <= params[IDLE_MW]:
        return 0.0
    share = (work_mw - params[IDLE_MW]) / (wanted_mw - params[IDLE_MW])
    slow = clock * share ** (1.0 / params[EXPONENT])
    return speed_at_clock(slow, params[MEMORY]) / speed_at_clock(clock, params[MEMORY])


@jit
def carry(propagator: Floats, column: Floats, result: Floats) -> None:
    """Write `column @ propagator` to `result`, row after row, which the compiler turns into vectors."""
    for row in range(propagator.shape[1]):
        result[row] = 0.0
    for k in range(N_COLUMNS):
        factor = column[k]
        for row in range(propagator.shape[1]):
            result[row] += propagator[k, row] * factor


@jit
def substep(
    params: Floats, whole: Floats, half: Floats, situation: Floats, state: Floats, shaped: Floats,
    sums: Floats, column: Floats, drives: Floats, end: Floats, middle: Floats, plant: Floats,
) -> None:  # fmt: skip
    r"""Advance one hall by one sub-step: `state` in place, its means added to `sums`.

    The network :math:`x' = A x + B u` is linear; its exact propagators over a whole and a half
    sub-step come from outside. What is not linear (clocks, plant) is evaluated at the start, carried
    to the middle, evaluated there and held over the sub-step: an exponential midpoint rule, of second
    order [1]_. Means over a sub-step are exact for the held drives, so heat closes to rounding.

    Parameters
    ----------
    whole : (N_COLUMNS, N_ROWS) and half : (N_COLUMNS, 3), propagators.
    situation : (7,): work, outdoor temperature, cap, cooling in service, COP of both circuits, length [s].
    state : (N_STATES,), shaped : (N_SHAPED,), both in place, sums : (N_SUMS,).
    column : (N_COLUMNS,) with `drives` its tail, end : (N_ROWS,), middle : (3,), plant : (6,), scratch.

    References
    ----------
    .. [1] M. Hochbruck, A. Ostermann, Exponential integrators, Acta Numerica 19 (2010), sect. 2.
    """
    work_gpu, outdoor_degc, cap_pu, cooling_pu = situation[0], situation[1], situation[2], situation[3]
    for k in range(N_STATES):
        column[k] = state[k]
    clock = drive(
        params, work_gpu, outdoor_degc, cap_pu, cooling_pu,
        state[T_DIE], state[T_COOLANT], state[T_AIR], drives, plant,
    )  # fmt: skip
    _, drives[0] = shape(
        params, clock, cap_pu, state[T_DIE], shaped[HELD_MW], situation[6], drives[0]
    )  # fmt: skip
    carry(half, column, middle)
    clock = drive(
        params, work_gpu, outdoor_degc, cap_pu, cooling_pu,
        middle[HALF_DIE], middle[HALF_COOLANT], middle[HALF_AIR], drives, plant,
    )  # fmt: skip
    wanted_mw = drives[0]
    work_mw, drives[0] = shape(
        params, clock, cap_pu, middle[HALF_DIE], shaped[HELD_MW], situation[6], wanted_mw
    )  # fmt: skip
    ballast_mw, before_mw = drives[0] - work_mw, shaped[BALLAST_FILTERED]
    shaped[HELD_MW] = drives[0]
    shaped[BALLAST_FILTERED] = (
        whole[P_FILTERED, P_FILTERED] * before_mw + whole[N_STATES, P_FILTERED] * ballast_mw
    )  # fmt: skip
    sums[SUM_BALLAST] += whole[P_FILTERED, MEAN_POWER] * before_mw + whole[N_STATES, MEAN_POWER] * ballast_mw
    carry(whole, column, end)
    for k in range(N_STATES):
        state[k] = end[k]
    it_mw = end[MEAN_POWER] + params[LEAK_MW_PER_K] * (end[MEAN_DIE] - params[T_REFERENCE])
    fan_mw = params[LIQUID_FAN] * plant[2] ** 3 + params[AIR_FAN] * plant[5] ** 3
    chiller_mw = plant[1] / situation[4] + plant[4] / situation[5]
    cooling_mw = params[LIQUID_MOVER] + params[AIR_MOVER] + fan_mw + chiller_mw
    sums[SUM_IT] += it_mw
    sums[SUM_IT_SQUARE] += it_mw * it_mw
    sums[LAST_IT], sums[LAST_COOLING] = it_mw, cooling_mw
    sums[SUM_COOLING] += cooling_mw
    sums[SUM_CHILLER] += chiller_mw
    sums[SUM_REJECTED] += drives[1] + drives[2]
    done_gpu = min(work_gpu, params[GPUS] * speed_at_clock(clock, params[MEMORY]))
    sums[SUM_DONE] += done_gpu * held_back(params, clock, wanted_mw, work_mw)
    sums[SUM_THROTTLE] += 1.0 - clock


@jit
def report(
    params: Floats, capacity: Floats, situation: Floats, state: Floats, sums: Floats, steps: int, row: Floats
) -> None:  # fmt: skip
    """Write one hall's outputs to `row` (N_OUTPUTS,): means over the sub-steps, states at the end."""
    mean = 1.0 / steps
    work_gpu, done_gpu = situation[0], sums[SUM_DONE] * mean
    row[IT_MW], row[IT_SQUARE_MW2] = sums[SUM_IT] * mean, sums[SUM_IT_SQUARE] * mean
    row[COOLING_MW], row[CHILLER_MW] = sums[SUM_COOLING] * mean, sums[SUM_CHILLER] * mean
    row[MOVER_MW] = params[LIQUID_MOVER] + params[AIR_MOVER]
    row[IT_END_MW], row[COOLING_END_MW] = sums[LAST_IT], sums[LAST_COOLING]
    row[REJECTED_MW] = sums[SUM_REJECTED] * mean
    stored_mj = 0.0
    for k in range(1, N_STATES):
        stored_mj += capacity[k] * (state[k] - T_STORED_ZERO_DEGC)
    row[STORED_MWH] = stored_mj / 3600.0
    row[OFFERED], row[DONE], row[UNSERVED] = work_gpu, done_gpu, work_gpu - done_gpu
    clock = clock_limit(params, state[T_DIE], situation[2])
    row[CAPACITY] = params[GPUS] * speed_at_clock(clock, params[MEMORY])
    row[THROTTLE] = sums[SUM_THROTTLE] * mean
    wet = params[LIQUID_MCP] > 0.0
    row[OUT_DIE] = state[T_DIE]
    row[OUT_COOLANT] = state[T_COOLANT] if wet else state[T_AIR]
    row[OUT_SUPPLY] = state[T_SUPPLY] if wet else state[T_INLET]
    row[OUT_AIR], row[OUT_INLET] = state[T_AIR], state[T_INLET]
    row[BALLAST_MW] = sums[SUM_BALLAST] * mean


@jit
def rest(resting: Floats, steps: int, state: Floats, column: Floats, end: Floats) -> None:
    """Advance a hall without voltage: no power, no flow, heat only evens out; `state` in place.

    `resting` (N_COLUMNS, N_ROWS) is the propagator of one sub-step without leakage, streams and movers.
    """
    state[P_FILTERED] = 0.0
    for _ in range(steps):
        for k in range(N_COLUMNS):
            column[k] = state[k] if k < N_STATES else 0.0
        carry(resting, column, end)
        for k in range(N_STATES):
            state[k] = end[k]


@jit
def advance_halls(
    steps: int, dt_s: float, params: Floats, capacity: Floats, whole: Floats, half: Floats,
    inputs: Floats, state: Floats, shaped: Floats, outputs: Floats, scratch: Floats,
) -> None:  # fmt: skip
    """Advance all halls by `steps` equal sub-steps of `dt_s` (see `substep`): states in place.

    A hall without voltage rests (see `rest`); its rows of `whole` are then those of the resting network.

    Parameters
    ----------
    params : (units, N_PARAMS)
    capacity : (units, N_STATES), heat capacities [MJ/K], zero for the power.
    whole : (units, N_COLUMNS, N_ROWS) and half : (units, N_COLUMNS, 3), propagators of one sub-step.
    inputs : (N_INPUTS, units), state : (units, N_STATES), shaped : (units, N_SHAPED),
    outputs : (N_OUTPUTS, units).
    scratch : (N_SCRATCH,)
    """
    column, drives = scratch[:N_COLUMNS], scratch[N_STATES:N_COLUMNS]
    end, middle, plant = scratch[11:20], scratch[20:23], scratch[23:29]
    situation, sums = scratch[30:37], scratch[37 : 37 + N_SUMS]
    situation[6] = dt_s
    for i in range(params.shape[0]):
        drives[3] = 1.0
        situation[0] = max(inputs[WORK_GPU, i], 0.0)
        situation[1] = inputs[TEMP_OUTDOOR_DEGC, i]
        situation[2] = inputs[CAP_PU, i]
        situation[3] = min(max(inputs[COOLING_PU, i], 0.0), 1.0)
        situation[4] = carnot_cop(params[i], params[i, LIQUID_SET], inputs[TEMP_OUTDOOR_DEGC, i])
        situation[5] = carnot_cop(params[i], params[i, AIR_SET], inputs[TEMP_OUTDOOR_DEGC, i])
        sums[:] = 0.0
        par, full, mid, x = params[i], whole[i], half[i], state[i]
        if inputs[VM_PU, i] == 0.0:
            rest(full, steps, x, column, end)
            shaped[i, :] = 0.0
            report(par, capacity[i], situation, x, sums, steps, outputs[:, i])
            outputs[MOVER_MW, i] = outputs[CAPACITY, i] = 0.0
            continue
        for _ in range(steps):
            substep(par, full, mid, situation, x, shaped[i], sums, column, drives, end, middle, plant)
        report(par, capacity[i], situation, x, sums, steps, outputs[:, i])
