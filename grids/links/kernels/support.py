"""Frequency support between areas: links and the areas at their ends on one inner clock."""

import numpy as np

from cosim.core.jit import jit
from cosim.core.types import Floats, Ints
from grids.kernels.frequency import SAMPLES, add_sample, half_step_gain, swing, window_rocof
from grids.kernels.frequency_state import Model
from grids.kernels.response import (
    blend,
    droops_power,
    machines_power,
    move_droops,
    move_machines,
    order_agc,
    outside,
    prepare,
    toward,
)

MOST_AREAS = 8
"""Areas that can be coupled; the rest of the tuple repeats the last, so that one kernel serves all."""

# Rows of what the support of a link is, each (links,)
NEAR_MW_PER_HZ = 0
FAR_MW_PER_HZ = 1
DEADBAND_HZ = 2
TIME_S = 3
UP_MW = 4  # how much more can be sent
DOWN_MW = 5  # how much less, >= 0
SLOPE_PU = 6  # how much more arrives per MW more sent
SUPPORT_FIXED_ROWS = 7

# Rows of its state, each (links,)
SUPPORT_MW = 0  # sent beyond what is carried otherwise
SUM_MW = 1  # work: sum of its mean over the inner steps
SUPPORT_STATE_ROWS = 2


@jit
def target_mw(fixed: Floats, j: int, near_hz: float, far_hz: float) -> float:
    r"""Return what support `j` sends more when its ends deviate by `near_hz` and `far_hz`.

    :math:`K_{from}\,\mathrm{db}(\Delta f_{from}) - K_{to}\,\mathrm{db}(\Delta f_{to})`, within its limits: a
    low frequency raises what its area is left with.
    """
    band = fixed[DEADBAND_HZ, j]
    wanted = fixed[NEAR_MW_PER_HZ, j] * outside(near_hz, band) - fixed[FAR_MW_PER_HZ, j] * outside(
        far_hz, band
    )
    return float(min(max(wanted, -fixed[DOWN_MW, j]), fixed[UP_MW, j]))


@jit
def drawn_mw(fixed: Floats, state: Floats, near: Ints, far: Ints, area: int) -> float:
    """Return what the supports of all links draw in an area."""
    total = 0.0
    for j in range(near.size):
        if near[j] == area:
            total += state[SUPPORT_MW, j]
        if far[j] == area:
            total -= fixed[SLOPE_PU, j] * state[SUPPORT_MW, j]
    return total


@jit
def advance_coupled(
    models: tuple[Model, ...],
    t_s: float,
    step_s: float,
    steps: int,
    imbalance_mw: Floats,
    near: Ints,
    far: Ints,
    fixed: Floats,
    state: Floats,
) -> None:
    """Advance areas and the supports between them by `steps` inner steps, as `frequency.advance` does one.

    Half a step of all frequencies with powers held, a whole step of machines, offers and supports with
    frequencies held, half a step of frequencies: of second order, and what one end of a support draws the
    other delivers in the same instant.

    Parameters
    ----------
    models
        The areas, MOST_AREAS of them; as many count as `imbalance_mw` has.
    t_s, step_s, steps
        Start of the exchange, and its inner steps.
    imbalance_mw
        Consumption beyond the plan, held, shape (areas,).
    near, far
        Area of each end of each support, -1 where it is outside, shape (links,).
    fixed, state
        Shapes (SUPPORT_FIXED_ROWS, links) and (SUPPORT_STATE_ROWS, links).
    """
    areas = imbalance_mw.size
    df = np.zeros(areas + 1)  # the last place stays zero: an end outside, -1, finds it
    power, gain, slope = np.zeros(areas), np.zeros(areas), np.zeros(areas)
    for a in range(areas):
        model = models[a]
        here = model.area
        prepare(model.machines, model.droops, step_s, step_s)
        if here.sample_s[here.newest[0] & (SAMPLES - 1)] < t_s - 1e-9:
            add_sample(here, t_s)
        df[a] = here.df_hz[0]
        gain[a] = half_step_gain(step_s, here.damping_mw_per_hz, here.inertia_mws_per_hz)
        power[a] = machines_power(model.machines) - droops_power(model.droops) - imbalance_mw[a]
        power[a] -= drawn_mw(fixed, state, near, far, a)
        here.found[0], here.found[1], here.found[2] = df[a], df[a], 0.0
    state[SUM_MW] = 0.0
    for k in range(steps):
        for a in range(areas):
            model = models[a]
            here = model.area
            if t_s + k * step_s >= here.agc_next_s[0] - 1e-6:
                here.agc_next_s[0] += model.agc.cycle_s
                order_agc(model.machines, here, model.agc)
            df[a] = swing(df[a], power[a], here.damping_mw_per_hz, gain[a])
        for j in range(near.size):
            before = state[SUPPORT_MW, j]
            wanted = target_mw(fixed, j, df[near[j]], df[far[j]])
            after = toward(before, wanted, blend(step_s, fixed[TIME_S, j]))
            state[SUPPORT_MW, j] = after
            state[SUM_MW, j] += 0.5 * (before + after)
        for a in range(areas):
            model = models[a]
            here = model.area
            moved = move_machines(model.machines, df[a], step_s, 0) - move_droops(model.droops, df[a], 1)
            power[a] = moved - imbalance_mw[a] - drawn_mw(fixed, state, near, far, a)
            df[a] = swing(df[a], power[a], here.damping_mw_per_hz, gain[a])
            here.df_hz[0] = df[a]
            add_sample(here, t_s + (k + 1) * step_s)
            rocof = window_rocof(here)
            here.found[0], here.found[1] = min(here.found[0], df[a]), max(here.found[1], df[a])
            if abs(rocof) > abs(here.found[2]):
                here.found[2] = rocof
            slope[a] = (power[a] - here.damping_mw_per_hz * df[a]) / here.inertia_mws_per_hz
    for a in range(areas):
        models[a].area.found[3] = slope[a]
        models[a].area.calm[0] = 0
