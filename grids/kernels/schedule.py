"""What is planned: profiles followed, changes shared out to the plants by zone, sums by area."""

from cosim.core.jit import jit
from cosim.core.types import Bools, Floats, Ints

# Rows of the gens' range, each (gens,)
MIN_MW = 0
MAX_MW = 1
PARTICIPATION_PU = 2  # 0 where a gen is not dispatched
RANGE_ROWS = 3

# Rows of the sums by area, each (areas,)
BEYOND_MW = 0  # consumption beyond the plan: trips, returns, shortage
LOADS_MW = 1  # planned power of the loads that are alive
IMPORT_MW = 2  # planned change no gen could take that the rest of the area delivers
MISSING_MW = 3  # planned change nobody delivers: the area has no rest
SUM_ROWS = 4

SETTLED_MW = 1e-12
"""Sharing out ends when less than this is left: rounding."""


@jit
def follow(
    scale_pu: Floats,
    driver: Ints,
    alive: Bools,
    p0_mw: Floats,
    q0_mvar: Floats,
    p_mw: Floats,
    q_mvar: Floats,
) -> None:
    """Scale what is alive by its driver's factor; what is dead keeps its last plan.

    Parameters
    ----------
    scale_pu
        Factors, shape (drivers,).
    driver
        Driver of each load, sgen and gen; the number of drivers where there is none, shape (elements,).
    alive
        Which elements are in service and energised, shape (elements,).
    p0_mw, q0_mvar
        Powers at the operating point, shape (elements,).
    p_mw, q_mvar
        Planned powers, rewritten where they follow, shape (elements,).
    """
    for k in range(driver.size):
        if alive[k] and driver[k] < scale_pu.size:
            factor = scale_pu[driver[k]]
            p_mw[k] = p0_mw[k] * factor
            q_mvar[k] = q0_mvar[k] * factor


@jit
def sum_asked(zone: Ints, counted: Bools, p_mw: Floats, units_mw: Floats, asked_mw: Floats) -> None:
    """Write planned consumption less undispatched generation per zone [MW].

    Parameters
    ----------
    zone
        Zone of each element: loads, sgens, then gens, shape (elements,).
    counted
        Which elements were alive at the operating point and are not dispatched, shape (elements,).
    p_mw
        Planned powers, shape (elements,).
    units_mw
        What the plan covers of the connected units, shape (zones,).
    asked_mw
        Written, shape (zones,).
    """
    for z in range(asked_mw.size):
        asked_mw[z] = 0.0
    for k in range(counted.size):
        if counted[k]:
            asked_mw[zone[k]] += p_mw[k]
    for z in range(asked_mw.size):
        asked_mw[z] += units_mw[z]


@jit
def share_out(change_mw: float, room_mw: Floats, participation_pu: Floats, given_mw: Floats) -> float:
    """Share a change out to plants; return the part of it [MW] that found none.

    Pro rata to participation times headroom where nobody reaches a limit; a plant that would exceed
    its headroom is filled and the rest is shared out again (water filling).

    Parameters
    ----------
    change_mw
        What must be given, > 0 generates more.
    room_mw
        How far each plant can go in the direction of the change, >= 0, shape (plants,).
    participation_pu
        Weight of each plant, shape (plants,).
    given_mw
        Written: how far each plant goes in that direction, >= 0, shape (plants,).
    """
    wanted, room, given = abs(change_mw), 0.0, 0.0
    for i in range(room_mw.size):
        room += room_mw[i]
        given_mw[i] = 0.0
    if wanted >= room:
        given_mw[:] = room_mw
    else:
        while wanted - given > SETTLED_MW:  # each round fills a plant or is the last
            open_ = 0.0
            for i in range(room_mw.size):
                if given_mw[i] < room_mw[i]:
                    open_ += participation_pu[i] * room_mw[i]
            more, last, given = wanted - given, True, 0.0
            for i in range(room_mw.size):
                if given_mw[i] < room_mw[i]:
                    after = given_mw[i] + more * (participation_pu[i] * room_mw[i]) / open_
                    last = last and after <= room_mw[i]
                    given_mw[i] = min(after, room_mw[i])
                given += given_mw[i]
            if last:
                break
    left = max(wanted - room, 0.0)
    return left if change_mw > 0.0 else -left


@jit
def headroom(wanted_mw: float, i: int, range_: Floats, delivered_mw: Floats, p_mw: Floats) -> float:
    """Return how far gen `i` can go in the direction of a change [MW]; outside its range only inwards.

    What governor and AGC deliver already is taken from the range.
    """
    if range_[PARTICIPATION_PU, i] <= 0.0:
        return 0.0
    if wanted_mw > 0.0:
        return max(range_[MAX_MW, i] - max(delivered_mw[i], 0.0) + p_mw[i], 0.0)
    return max(-p_mw[i] - (range_[MIN_MW, i] - min(delivered_mw[i], 0.0)), 0.0)


@jit
def dispatch(
    change_mw: Floats,
    zone: Ints,
    free: Bools,
    alive: Bools,
    missing_mw: Floats,
    delivered_mw: Floats,
    range_: Floats,
    p_mw: Floats,
    left_mw: Floats,
    work_mw: Floats,
) -> bool:
    """Share the change of each zone out to its gens; return whether there was any.

    Parameters
    ----------
    change_mw
        What must be generated more, shape (zones,).
    zone
        Zone of each gen, shape (gens,).
    free
        Which gens are dispatched and were alive at the operating point, shape (gens,).
    alive
        Which are alive now, shape (gens,).
    missing_mw
        How far each gen is below its plan: on its way back it takes no part, shape (gens,).
    delivered_mw
        What governor and AGC of each gen deliver, shape (gens,).
    range_
        Rows `MIN_MW, MAX_MW, PARTICIPATION_PU`, shape (RANGE_ROWS, gens).
    p_mw
        Planned consumption of each gen, < 0 where it generates; rewritten, shape (gens,).
    left_mw
        What found no gen, and is taken back as soon as there is room; rewritten, shape (zones,).
    work_mw
        Overwritten, shape (2, gens).
    """
    changed = False
    room, given = work_mw[0], work_mw[1]
    for z in range(change_mw.size):
        if change_mw[z] == 0.0:
            continue
        changed = True
        wanted = change_mw[z] + left_mw[z]
        for i in range(p_mw.size):
            mine = zone[i] == z and free[i] and alive[i] and missing_mw[i] <= 0.0
            room[i] = headroom(wanted, i, range_, delivered_mw, p_mw) if mine else 0.0
        left_mw[z] = share_out(wanted, room, range_[PARTICIPATION_PU], given)
        for i in range(p_mw.size):
            p_mw[i] -= given[i] if wanted > 0.0 else -given[i]
    return changed


@jit
def sum_up(
    area: Ints,
    alive: Bools,
    start_alive: Bools,
    loads: int,
    p_mw: Floats,
    missing_mw: Floats,
    has_rest: Bools,
    left_mw: Floats,
    gens_mw: Floats,
    sums_mw: Floats,
) -> None:
    """Write what each gen is to generate, and what holds per area until plan or topology changes next.

    Parameters
    ----------
    area
        Area of each element: loads, sgens, then gens, shape (elements,).
    alive, start_alive
        Which elements are alive, and were at the operating point, shape (elements,).
    loads
        Number of loads.
    p_mw
        Planned powers, shape (elements,).
    missing_mw
        How far each gen is below its plan, shape (gens,).
    has_rest
        Whether each area has a rest that could deliver, shape (areas,).
    left_mw
        Planned change that found no gen, shape (areas,).
    gens_mw
        Written, shape (gens,).
    sums_mw
        Written: rows `BEYOND_MW, LOADS_MW, IMPORT_MW, MISSING_MW`, shape (SUM_ROWS, areas).
    """
    for a in range(left_mw.size):
        sums_mw[BEYOND_MW, a] = 0.0
        sums_mw[LOADS_MW, a] = 0.0
        sums_mw[IMPORT_MW, a] = left_mw[a] if has_rest[a] else 0.0
        sums_mw[MISSING_MW, a] = 0.0 if has_rest[a] else left_mw[a]
    first_gen = area.size - gens_mw.size
    for k in range(area.size):
        beyond = 0.0
        if alive[k] != start_alive[k]:
            beyond = p_mw[k] if alive[k] else -p_mw[k]
        if k >= first_gen:
            beyond += missing_mw[k - first_gen]
            gens_mw[k - first_gen] = -p_mw[k] - missing_mw[k - first_gen]
        elif k < loads and alive[k]:
            sums_mw[LOADS_MW, area[k]] += p_mw[k]
        sums_mw[BEYOND_MW, area[k]] += beyond
    for a in range(left_mw.size):
        sums_mw[BEYOND_MW, a] += sums_mw[MISSING_MW, a]


@jit
def sum_imbalance(
    beyond_mw: Floats,
    more_mw: Floats,
    area: Ints,
    alive: Bools,
    units_mw: Floats,
    planned_mw: Floats,
    imbalance_mw: Floats,
) -> None:
    """Write consumption beyond the plan per area [MW].

    Parameters
    ----------
    beyond_mw, more_mw
        What trips, returns and shortage bring, and what is outside the plan, shape (areas,).
    area
        Area of each connected unit, shape (units,).
    alive
        Which units have supply, shape (units,).
    units_mw, planned_mw
        What each unit draws, and what the plan covers, shape (units,).
    imbalance_mw
        Written, shape (areas,).
    """
    for a in range(imbalance_mw.size):
        imbalance_mw[a] = 0.0
    for k in range(area.size):
        imbalance_mw[area[k]] += (units_mw[k] if alive[k] else 0.0) - planned_mw[k]
    for a in range(imbalance_mw.size):
        imbalance_mw[a] = beyond_mw[a] + imbalance_mw[a] + more_mw[a]
