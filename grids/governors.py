"""Governors of a case's dynamic tables in the terms of the area model.

A case with machines of its own (`genrou.csv`, ...) has governors of its own, and the area model takes them
instead of those of the plant types, so that both engines answer a loss alike. TGOV1 is the area model's
reheat turbine: its lag T1 is the chest, T2/T3 the high-pressure share and T3 the reheater; valve limits are
the headroom of the case. Its damping Dt is left out. A machine without governor has none. Machines with
other governors keep that of their plant type.
"""

from collections.abc import Mapping
from typing import Any

from grids.case import Case
from grids.dynamics.registry import device
from grids.dynamics.tables import read_units
from grids.plants import PlantType

STEAM = ("tgov1", "tgov1n")
UNLIMITED_PU_PER_S = 1e3
"""Rate of a valve that has no rate limit: it opens within an inner step."""


def governors(case: Case) -> dict[str, Any]:
    """Return the TGOV1 parameters of each machine in the dynamic tables, None where it has no governor.

    Machines with a governor of another model are not in it.
    """
    units = read_units(case)
    role = {(unit.element, device(unit.model).role): unit for unit in units}
    machines = {element for element, what in role if what == "machine"}
    found: dict[str, Any] = {}
    for element in machines:
        unit = role.get((element, "governor"))
        if unit is None:
            found[element] = None
        elif unit.model in STEAM:
            rated = (
                unit.params.model_dump()["sn_mva"] or role[element, "machine"].params.model_dump()["sn_mva"]
            )
            found[element] = unit.params.model_copy(update={"sn_mva": rated})
    return found


def plant_with(kind: PlantType, governor: Any, p_rated_mw: float, f_nominal_hz: float) -> PlantType:
    """Return a plant type with the governor of one machine.

    Parameters
    ----------
    kind
        Plant type of the machine.
    governor
        Its TGOV1, None for none.
    p_rated_mw
        Base of droop, limits and rates in the fleet.
    f_nominal_hz
        Nominal frequency.
    """
    if governor is None:
        return kind.model_copy(update={"governor": "none", "droop_pu": 0.0})
    own: Mapping[str, Any] = {
        "governor": "reheat_steam",
        "droop_pu": governor.r_pu * p_rated_mw / governor.sn_mva,
        "deadband_hz": max(governor.dbu_pu, -governor.dbl_pu) * f_nominal_hz,
        "limit_up_pu": 1.0,
        "limit_down_pu": 1.0,
        "rate_pu_per_s": UNLIMITED_PU_PER_S,
        "t_governor_s": 0.0,
        "t_chest_s": governor.t1_s,
        "f_hp_pu": governor.t2_s / governor.t3_s,
        "t_reheat_s": governor.t3_s,
        "t_water_s": 0.0,
    }
    return kind.model_copy(update=own)
