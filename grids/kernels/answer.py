"""What goes into the frequency model of an area and comes out of it, and where it enters the power flow."""

import math

from cosim.core.jit import jit
from cosim.core.types import Bools, Floats, Ints
from grids.kernels import frequency_state as state

STIFF_PU = 0.25
"""Largest gain of the droop offers over one inner step; a larger one shortens the step."""

# Rows of what happened in the areas, each (areas,)
F_HZ = 0
F_MIN_HZ = 1
F_MAX_HZ = 2
ROCOF_HZ_PER_S = 3
DAMPING_MW = 4
AREA_ROWS = 5

# Rows of what the machines delivered, each (machines,)
GOVERNOR_MW = 0
AGC_MW = 1
INERTIA_MW = 2
MACHINE_ROWS = 3

# Rows of what the offers did, each (offers,)
DROOP_MW = 0
DROOP_MEAN_MW = 1
OFFER_ROWS = 2

# Rows of the loads of an area, each (areas,)
REST_MW = 0  # outside the case
WHOLE_MW = 1  # what load damping acts on; 1 where there is no load
HAS_PU = 2  # 1 where the case has living loads, else 0
LOAD_ROWS = 3


@jit
def take_offers(
    mw_per_hz: Floats,
    up_mw: Floats,
    down_mw: Floats,
    chosen: Ints,
    fixed: Floats,
    inertia_mws_per_hz: float,
) -> float:
    r"""Write the droop offers of one area; return the longest step they allow [s].

    An offer of gain :math:`K` and lag :math:`T` against the inertia :math:`M` turns frequency round in
    :math:`M/K` without lag, and oscillates with :math:`\omega^2 = K/(MT)` with one. The step stays below
    :math:`cM/K` or :math:`\sqrt{cMT/K}`, whichever is longer, with :math:`c` of `STIFF_PU`.

    Parameters
    ----------
    mw_per_hz, up_mw, down_mw
        Droop, and how far consumption may rise and fall, of all offers, shape (offers,).
    chosen
        Offers of this area, shape (here,).
    fixed
        Written: as `frequency_state.Droops.fixed`, shape (D_FIXED_ROWS, here).
    inertia_mws_per_hz
        Of the area.
    """
    gain, lag_s = 0.0, math.inf
    for j in range(chosen.size):
        offer = chosen[j]
        fixed[state.D_MW_PER_HZ, j] = mw_per_hz[offer]
        fixed[state.D_UP_MW, j] = up_mw[offer]
        fixed[state.D_DOWN_MW, j] = down_mw[offer]
        gain += mw_per_hz[offer]
        if mw_per_hz[offer] > 0.0:
            lag_s = min(lag_s, fixed[state.D_TIME_S, j])
    if gain <= 0.0:
        return math.inf
    seconds = inertia_mws_per_hz / gain
    return max(STIFF_PU * seconds, math.sqrt(STIFF_PU * seconds * lag_s))


@jit
def set_room(p_mw: Floats, min_p_mw: Floats, max_p_mw: Floats, chosen: Ints, fixed: Floats) -> None:
    """Write the headroom of the machines of one area over their schedule.

    Parameters
    ----------
    p_mw, min_p_mw, max_p_mw
        Schedule and range of all machines, shape (machines,).
    chosen
        Machines of this area that can answer, shape (here,).
    fixed
        Written: as `frequency_state.Machines.fixed`, shape (FIXED_ROWS, here).
    """
    for i in range(chosen.size):
        machine = chosen[i]
        fixed[state.ROOM_UP_MW, i] = max(max_p_mw[machine] - p_mw[machine], 0.0)
        fixed[state.ROOM_DOWN_MW, i] = min(min_p_mw[machine] - p_mw[machine], 0.0)


@jit
def read_area(
    area: int,
    steps: int,
    f0_hz: float,
    damping_mw_per_hz: float,
    df_hz: Floats,
    found: Floats,
    machine_area: Ints,
    inertia_mws_per_hz: Floats,
    answering: Ints,
    machine_state: Floats,
    chosen: Ints,
    offer_state: Floats,
    areas: Floats,
    machines: Floats,
    offers: Floats,
) -> None:
    r"""Write what happened in an area; inertia delivers :math:`-M_i\,\dot f`, damping :math:`-D\,\Delta f`.

    Parameters
    ----------
    area, steps
        Number of the area, and of the inner steps of the exchange.
    f0_hz, damping_mw_per_hz
        Nominal frequency, and load that goes away per Hz below it.
    df_hz, found
        As in `frequency_state.Area`.
    machine_area, inertia_mws_per_hz
        Area of each machine of the fleet, and its inertia where it is online, else 0, shape (machines,).
    answering, machine_state
        Machines of this area that can answer, shape (here,), and `frequency_state.Machines.state`.
    chosen, offer_state
        Offers of this area, shape (here,), and `frequency_state.Droops.state`.
    areas, machines, offers
        Written where they are of this area, shapes (AREA_ROWS, areas), (MACHINE_ROWS, machines),
        (OFFER_ROWS, offers).
    """
    areas[F_HZ, area] = f0_hz + df_hz[0]
    areas[F_MIN_HZ, area] = f0_hz + found[0]
    areas[F_MAX_HZ, area] = f0_hz + found[1]
    areas[ROCOF_HZ_PER_S, area] = found[2]
    areas[DAMPING_MW, area] = -damping_mw_per_hz * df_hz[0]
    for i in range(machine_area.size):
        if machine_area[i] == area:
            machines[GOVERNOR_MW, i] = 0.0
            machines[AGC_MW, i] = 0.0
            machines[INERTIA_MW, i] = inertia_mws_per_hz[i] * -found[3]
    for i in range(answering.size):
        machines[GOVERNOR_MW, answering[i]] = machine_state[state.P_MW, i]
        machines[AGC_MW, answering[i]] = machine_state[state.AGC_MW, i]
    for j in range(chosen.size):
        offers[DROOP_MW, chosen[j]] = offer_state[state.D_P_MW, j]
        offers[DROOP_MEAN_MW, chosen[j]] = offer_state[state.D_SUM_MW, j] / steps


@jit
def take_loads(
    loads_mw: Floats, rest_mw: Floats, damping_pu_per_hz: Floats, loads: Floats, damping_mw_per_hz: Floats
) -> None:
    """Write what load damping acts on: the living loads of the case, and those of the rest of the area.

    Parameters
    ----------
    loads_mw, rest_mw
        Load in and outside the case, shape (areas,).
    damping_pu_per_hz
        Share of the load that goes away per Hz below nominal, shape (areas,).
    loads
        Written: rows `REST_MW, WHOLE_MW, HAS_PU`, shape (LOAD_ROWS, areas).
    damping_mw_per_hz
        Written, shape (areas,).
    """
    for a in range(loads_mw.size):
        has = loads_mw[a] > 0.0
        whole = (loads_mw[a] if has else 0.0) + rest_mw[a]
        loads[REST_MW, a] = rest_mw[a]
        loads[WHOLE_MW, a] = whole if whole > 0.0 else 1.0
        loads[HAS_PU, a] = 1.0 if has else 0.0
        damping_mw_per_hz[a] = damping_pu_per_hz[a] * whole


@jit
def share_answer(
    areas: Floats,
    machines: Floats,
    offers: Floats,
    machine_area: Ints,
    unit_area: Ints,
    imbalance_mw: Floats,
    loads: Floats,
    tie_share_pu: Floats,
    import_mw: Floats,
    table: Floats,
    factor_pu: Floats,
    steady_mw: Floats,
    gen_mw: Floats,
    tie_mw: Floats,
) -> float:
    """Share the answer of each area over gens, loads and ties; return what has no tie but the slack [MW].

    Machines beyond the gens are the rest of their area: what they and the loads there give comes in over
    the ties.

    Parameters
    ----------
    areas, machines, offers
        As `read_area` writes them.
    machine_area, unit_area
        Area of each machine and each unit, shapes (machines,), (units,).
    imbalance_mw
        Consumption beyond the plan, shape (areas,).
    loads
        As `take_loads` writes it.
    tie_share_pu
        Share of the rest of each area that comes in over each tie, shape (ties, areas).
    import_mw
        Planned change the rest of each area delivers, shape (areas,).
    table
        Written: the area table, columns in the order of `grids.response.AREA`, shape (9, areas).
    factor_pu
        Written: factor on the active power of the case's loads, shape (areas,).
    steady_mw, gen_mw
        Written: what governor and AGC of each gen deliver, and that with inertia, shape (gens,).
    tie_mw
        Written: what answers over each tie and what is planned to, shape (2, ties).
    """
    slack_mw, gens = 0.0, gen_mw.size
    tie_mw[:] = 0.0
    for a in range(imbalance_mw.size):
        per_mw = areas[DAMPING_MW, a] / loads[WHOLE_MW, a]
        governor, agc, rest, droop = 0.0, 0.0, 0.0, 0.0
        for i in range(machine_area.size):
            if machine_area[i] == a:
                governor += machines[GOVERNOR_MW, i]
                agc += machines[AGC_MW, i]
                steady = machines[GOVERNOR_MW, i] + machines[AGC_MW, i]
                if i < gens:
                    steady_mw[i] = steady
                    gen_mw[i] = steady + machines[INERTIA_MW, i]
                else:
                    rest += steady + machines[INERTIA_MW, i]
        rest += per_mw * loads[REST_MW, a]
        for j in range(unit_area.size):
            if unit_area[j] == a:
                droop += offers[DROOP_MW, j]
        shared = 0.0
        for k in range(tie_share_pu.shape[0]):
            shared += tie_share_pu[k, a]
            tie_mw[0, k] += tie_share_pu[k, a] * rest
            tie_mw[1, k] += tie_share_pu[k, a] * import_mw[a]
        if shared == 0.0:
            slack_mw += rest + import_mw[a]
        factor_pu[a] = 1.0 - per_mw * loads[HAS_PU, a]
        table[0, a] = areas[F_HZ, a]
        table[1, a] = areas[F_MIN_HZ, a]
        table[2, a] = areas[F_MAX_HZ, a]
        table[3, a] = areas[ROCOF_HZ_PER_S, a]
        table[4, a] = imbalance_mw[a]
        table[5, a] = governor
        table[6, a] = droop
        table[7, a] = agc
        table[8, a] = areas[DAMPING_MW, a]
    return slack_mw


@jit
def compose(
    plan_mw: Floats,
    plan_mvar: Floats,
    gens_mw: Floats,
    gen_mw: Floats,
    follows: Bools,
    factor_pu: Floats,
    area: Ints,
    units_mw: Floats,
    units_mvar: Floats,
    droop_mw: Floats,
    tie_mw: Floats,
    injects: Bools,
    loads: int,
    p_mw: Floats,
    q_mvar: Floats,
) -> float:
    """Write what every element draws; return what answers and imports the slack brings on purpose [MW].

    Elements lie in the order of `grids.elements.Elements`: loads, sgens, gens, units, ties.

    Parameters
    ----------
    plan_mw, plan_mvar
        Planned powers, read for loads, sgens and gens, shape (elements,).
    gens_mw, gen_mw
        Scheduled generation of each gen, and what it answers, shape (gens,).
    follows
        Which gens have a given power: all but those that hold the angle, shape (gens,).
    factor_pu
        Factor on the active power of loads, shape (areas,).
    area
        Area of each element, shape (elements,).
    units_mw, units_mvar, droop_mw
        What each unit draws, and what its fast offer adds, shape (units,).
    tie_mw
        What answers over each tie and what is planned to, shape (2, ties).
    injects
        Which ties are given powers: all but ext_grids, shape (ties,).
    loads
        Number of loads.
    p_mw, q_mvar
        Written, shape (elements,).
    """
    planned, through_slack_mw = area.size - units_mw.size - injects.size, 0.0
    first_gen = planned - gens_mw.size
    for k in range(planned):
        p_mw[k] = plan_mw[k] * factor_pu[area[k]] if k < loads else plan_mw[k]
        q_mvar[k] = plan_mvar[k]
    for i in range(gens_mw.size):
        if follows[i]:
            p_mw[first_gen + i] = -(gens_mw[i] + gen_mw[i])
        else:
            p_mw[first_gen + i] = -gens_mw[i]
            through_slack_mw += gen_mw[i]
    for j in range(units_mw.size):
        p_mw[planned + j] = units_mw[j] + droop_mw[j]
        q_mvar[planned + j] = units_mvar[j]
    first_tie = planned + units_mw.size
    for k in range(injects.size):
        brought = tie_mw[0, k] + tie_mw[1, k]
        p_mw[first_tie + k] = -brought if injects[k] else 0.0
        if not injects[k]:
            through_slack_mw += brought
    return through_slack_mw
