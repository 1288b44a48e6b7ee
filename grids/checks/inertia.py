"""Kinetic energy of each synchronous area at an operating point."""

import numpy as np

from grids.case import Case
from grids.checks.finding import Finding, State
from grids.fleet import areas_from_case, fleet_from_case

CHECK = "inertia"
MEAN_S = (2.0, 6.0)
"""Mean inertia constant on rating: from large hydro (2 s) to two-pole turbine sets (6 s), Kundur, table 3.2.

P. Kundur, *Power System Stability and Control*, 1994. Over the load nothing is published for China: elsewhere
it was 8.5 s in Great Britain on 2017-05-09 and 7 to 9 s in Japan's 60 Hz areas (T. Inoue and others, IEEE
Transactions on Power Systems 12, 1997).
"""


def check_inertia(case: Case, *, is_province: bool) -> list[Finding]:
    """Return the kinetic energy of each area over its rating over its load; provinces must keep to it."""
    fleet, areas = fleet_from_case(case), areas_from_case(case)
    outside_mw = case.net["areas"]["rest_load_mw"].to_numpy(dtype=float)
    found = []
    for k, name in enumerate(areas.name):
        here = (fleet.area == k) & fleet.online
        energy_mws = float((fleet.h_s * fleet.sn_mva)[here].sum())
        turning = here & (fleet.h_s > 0.0)
        rating_mva = float(fleet.sn_mva[turning].sum())
        if rating_mva == 0.0:
            found.append(Finding(CHECK, State.NOTE, f"{name}: no machine turns"))
            continue
        mean_s = energy_mws / rating_mva
        load = case.net.load[case.net.load["in_service"]]
        inside = case.net.bus["area"].loc[load["bus"]].to_numpy() == name
        load_mw = float(np.sum(load["p_mw"].to_numpy()[inside])) + outside_mw[k]
        text = f"{name}: {energy_mws / 1e3:.0f} GW s, {mean_s:.2f} s of rating (usual: 2 to 6 s)"
        if load_mw > 0.0:
            text += f", {energy_mws / load_mw:.1f} s of load"
        usual = MEAN_S[0] <= mean_s <= MEAN_S[1]
        state = State.of(usual) if usual or is_province else State.NOTE
        found.append(Finding(CHECK, state, text, mean_s, MEAN_S[1]))
    return found
