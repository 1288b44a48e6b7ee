"""Kernels that take the racks of one hall through a sub-step: what they draw, do, and when they switch."""

from math import exp

from cosim.core.jit import jit_lent
from cosim.core.types import Floats
from datacenters.kernels import hall_rows as rows
from datacenters.kernels.clocks import (
    clock_by_cap,
    dynamic_share,
    held_back,
    shape,
    speed_at_clock,
    utilisation_curve,
)
from datacenters.kernels.racks import (
    AIRED,
    ALPHA,
    BETA,
    BY_AIR,
    BY_SUPPLY,
    COOLED,
    DECAY,
    DIES,
    LEAK,
    LIMIT,
    MEAN,
    MEAN_SQUARE,
    MU,
    OWN,
    REFERENCE,
    STREAM,
    SUM_LEAK,
    SUM_OVER,
    SUM_POWER,
    UA_AIR,
    advance_alike,
    advance_each,
    done_and_held,
    rescale,
    switch_off,
    switch_on,
    wishes,
)

# what sub-steps add up
(
    SUM_IT, SUM_IT_SQUARE, SUM_COOLING, SUM_MOVER, SUM_CHILLER, SUM_REJECTED, SUM_WATER, SUM_DONE,
    SUM_THROTTLE, SUM_BALLAST, LAST_IT, LAST_COOLING,
) = range(12)  # fmt: skip
N_SUMS = 12


@jit_lent
def in_common(params: Floats, dt_s: float, runs: bool, common: Floats) -> None:
    """Write what a sub-step is for all racks; where streams rest, dies meet only the fluid around them."""
    common[ALPHA], common[LEAK] = (
        0.5 * dt_s / params[rows.C_DIE],
        params[rows.LEAK_MW_PER_K] / params[rows.RACKS],
    )
    slack = 0.5 * dt_s / params[rows.C_MASS]
    common[MU], common[UA_AIR] = slack / (1.0 + slack * params[rows.UA_MASS]), params[rows.UA_MASS]
    common[REFERENCE], common[LIMIT] = params[rows.T_REFERENCE], params[rows.T_THROTTLE]
    common[DIES], common[COOLED], common[AIRED] = (
        params[rows.SHARE_DIE],
        params[rows.SHARE_COOLANT],
        params[rows.SHARE_AIR],
    )
    common[DECAY] = exp(-dt_s / params[rows.TAU_POWER_S])
    common[MEAN] = (1.0 - common[DECAY]) * params[rows.TAU_POWER_S] / dt_s
    common[MEAN_SQUARE] = 0.5 * (1.0 - common[DECAY] ** 2) * params[rows.TAU_POWER_S] / dt_s
    wet, share = params[rows.WET] > 0.0, 0.5 if runs else 0.0
    common[BETA] = 0.5 * dt_s / params[rows.C_COOLANT] if wet else 0.0
    common[OWN], common[BY_SUPPLY], common[BY_AIR] = (1.0 - share, share, 0.0) if wet else (0.0, 0.0, 1.0)
    common[STREAM] = 1.0 if runs else 0.0


@jit_lent
def sequence(
    params: Floats, nodes: Floats, memory: Floats, racks: Floats, lit: bool, runs: bool, dt_s: float
) -> None:  # fmt: skip
    """Switch racks off without supply, and on again in steps once conditions have been good.

    Good is: pumps run, and coolant and inlet air are no warmer than allowed.
    """
    if not lit and memory[rows.OFF_RACKS] < params[rows.RACKS]:
        racks[rows.POWER_MW, :], racks[rows.ON_PU, :] = 0.0, 0.0
        memory[rows.OFF_RACKS], memory[rows.HELD_MW], memory[rows.BALLAST_FILTERED] = (
            params[rows.RACKS],
            0.0,
            0.0,
        )
        memory[rows.LAST_LEAK_MW] = memory[rows.GOOD_S] = 0.0
    elif memory[rows.OFF_RACKS] > 0.0:
        cool = nodes[rows.T_SUPPLY] <= params[rows.T_COOLANT_ALARM] or params[rows.WET] == 0.0
        good = runs and cool and nodes[rows.T_INLET] <= params[rows.T_INLET_ALARM]
        if good and memory[rows.GOOD_S] >= params[rows.RACKS_S]:
            switch_on(racks, params[rows.T_THROTTLE], params[rows.RACKS_PER_S] * dt_s)
            memory[rows.OFF_RACKS] = switch_off(racks, params[rows.T_TRIP])
        memory[rows.GOOD_S] = memory[rows.GOOD_S] + dt_s if good else 0.0


@jit_lent
def advance_racks(
    params: Floats, memory: Floats, racks: Floats, common: Floats, work_gpu: float, cap_pu: float,
    dt_s: float, given: Floats, sums: Floats,
) -> None:  # fmt: skip
    """Advance the racks of a hall by one sub-step; what they give the hall goes to `given`.

    Power runs from what it was to what is wanted as a + b·exp(-t/τ), of which mean square and end are exact.
    """
    on_pu = 1.0 - memory[rows.OFF_RACKS] / params[rows.RACKS]
    leak_mw, held_mw, gpus = memory[rows.LAST_LEAK_MW], memory[rows.HELD_MW], params[rows.GPUS]
    cap_clock = clock_by_cap(params, cap_pu, leak_mw, on_pu)
    speed = speed_at_clock(cap_clock, params[rows.MEMORY_BOUND])
    busy = min(work_gpu / (gpus * on_pu * speed), 1.0) if on_pu > 0.0 else 0.0
    if common[STREAM] == 1.0 and is_alike(params, memory):
        dynamic_mw = params[rows.SPAN_MW] * dynamic_share(
            params, utilisation_curve(busy, params[rows.CURVE]), cap_clock
        )
        wanted_mw = params[rows.IDLE_MW] + dynamic_mw
        work_mw, drawn_mw = shape(params, cap_clock, cap_pu, leak_mw, 1.0, held_mw, dt_s, wanted_mw)
        least = min(drawn_mw / wanted_mw, 1.0)
        base_mw = (least * wanted_mw + max(drawn_mw - wanted_mw, 0.0)) / params[rows.RACKS]
        tilt_mw = least * dynamic_mw * (1.0 - busy) / params[rows.RACKS]
        advance_alike(common, racks, base_mw, tilt_mw, given)
        done_gpu = min(work_gpu, gpus * speed) * held_back(params, cap_clock, wanted_mw, work_mw, 1.0)
        sums[SUM_THROTTLE] += 1.0 - cap_clock
    else:
        wanted_mw = wishes(params, racks, busy, cap_clock)
        _, down = done_and_held(params, racks, rows.DIE_DEGC, busy, cap_clock)
        clock = 1.0 - down / (on_pu * params[rows.RACKS]) if on_pu > 0.0 else 1.0
        work_mw, drawn_mw = shape(params, clock, cap_pu, leak_mw, on_pu, held_mw, dt_s, wanted_mw)
        if drawn_mw < wanted_mw:
            rescale(racks, drawn_mw / wanted_mw, 0.0)
        elif drawn_mw > wanted_mw:
            rescale(racks, 1.0, (drawn_mw - wanted_mw) / (on_pu * params[rows.RACKS]))
        advance_each(common, racks, given)
        done, down = done_and_held(params, racks, rows.SLOPE, busy, cap_clock)
        done_gpu = done * gpus / params[rows.RACKS] * held_back(params, clock, wanted_mw, work_mw, on_pu)
        sums[SUM_THROTTLE] += down / params[rows.RACKS]
    ballast_mw, before_mw = drawn_mw - work_mw, memory[rows.BALLAST_FILTERED]
    memory[rows.BALLAST_FILTERED] = ballast_mw + (before_mw - ballast_mw) * common[DECAY]
    sums[SUM_BALLAST] += ballast_mw + (before_mw - ballast_mw) * common[MEAN]
    sums[SUM_DONE] += done_gpu
    memory[rows.HELD_MW], memory[rows.LAST_LEAK_MW], memory[rows.OVER_K] = (
        drawn_mw,
        given[SUM_LEAK],
        given[SUM_OVER],
    )
    it_mw = given[SUM_POWER] + given[SUM_LEAK]
    above_mw = (given[SUM_POWER] - drawn_mw) / common[MEAN]
    sums[SUM_IT] += it_mw
    sums[SUM_IT_SQUARE] += it_mw * it_mw + above_mw**2 * (common[MEAN_SQUARE] - common[MEAN] ** 2)
    sums[LAST_IT] = drawn_mw + above_mw * common[DECAY] + given[SUM_LEAK]


@jit_lent
def is_alike(params: Floats, memory: Floats) -> bool:
    """Return whether all racks are on and cool, so that one wish stands for all."""
    if memory[rows.OFF_RACKS] > 0.0 or memory[rows.OVER_K] > 0.0:
        return False
    return params[rows.CURVE] == 1.0 or params[rows.SPREADS] == 0.0
