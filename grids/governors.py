"""Governors of a case's dynamic tables in the terms of the area model.

A case with machines of its own (`genrou.csv`, ...) has governors of its own, and the area model takes them
instead of those of the plant types, so that both engines answer a loss alike. `plim_pu` limits the response;
valve limits become the headroom of the case (largest output over schedule); the damping `Dt`, the narrower
edge of a dead-band, the lead-lag of IEEEG1 and the temperature limit of GAST are left out. A machine without
governor has none. Machines with a governor that is not in `MODELS` keep that of their plant type.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from grids.case import Case
from grids.dynamics.registry import device
from grids.dynamics.tables import tabled_units
from grids.plants import PlantType

UNLIMITED_PU_PER_S = 1e3
"""Rate of a valve that has no rate limit: it opens within an inner step."""

UNLIMITED_PU = 1e3
"""Response of a governor without a limit of it: headroom is the only one."""


@dataclass(frozen=True)
class Governor:
    """Governor and turbine of one machine."""

    sn_mva: float
    """Rating of the turbine, base of droop and rate."""
    kind: Mapping[str, Any]
    """What it has of a plant type: governor kind, droop, times, shares, rate, dead-band [pu]."""


def _tgov1(p: Any) -> dict[str, Any]:
    """Return TGOV1 as a reheat turbine: its lag T1 is the chest, T2/T3 the high-pressure share."""
    return {
        "governor": "reheat_steam",
        "droop_pu": p.r_pu,
        "t_chest_s": p.t1_s,
        "f_hp_pu": p.t2_s / p.t3_s,
        "t_reheat_s": p.t3_s,
    }


def _ieeeg1(p: Any) -> dict[str, Any]:
    """Return IEEEG1 as a reheat turbine: stages behind the first have one lag, the mean of theirs."""
    later = p.k3_pu + p.k5_pu + p.k7_pu
    lags_s = p.k3_pu * p.t5_s + p.k5_pu * (p.t5_s + p.t6_s) + p.k7_pu * (p.t5_s + p.t6_s + p.t7_s)
    return {
        "governor": "reheat_steam",
        "droop_pu": 1.0 / p.k_pu,
        "rate_pu_per_s": min(p.uo_pu_per_s, -p.uc_pu_per_s),
        "t_governor_s": p.t3_s,
        "t_chest_s": p.t4_s,
        "f_hp_pu": p.k1_pu / (p.k1_pu + later),
        "t_reheat_s": lags_s / later if later > 0.0 else 0.0,
    }


def _gast(p: Any) -> dict[str, Any]:
    """Return GAST as a gas unit: fuel valve and turbine."""
    return {"governor": "gas", "droop_pu": p.r_pu, "t_governor_s": p.t1_s, "t_chest_s": p.t2_s}


MODELS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "tgov1": _tgov1,
    "tgov1n": _tgov1,
    "ieeeg1": _ieeeg1,
    "gast": _gast,
}
"""Governors the area model has an equal of."""


def governors(case: Case) -> dict[str, Governor | None]:
    """Return the governor of each machine in the dynamic tables, None where it has none.

    Machines with a governor that is not in `MODELS` are not in it.
    """
    units = tabled_units(case)
    role = {(unit.element, device(unit.model).role): unit for unit in units}
    found: dict[str, Governor | None] = {}
    for element in (element for element, what in role if what == "machine"):
        unit = role.get((element, "governor"))
        if unit is None:
            found[element] = None
        elif unit.model in MODELS:
            own: Any = unit.params
            machine: Any = role[element, "machine"].params
            limit = getattr(own, "plim_pu", 0.0) or UNLIMITED_PU
            kind = {
                "deadband_pu": max(own.dbu_pu, -own.dbl_pu),
                "limit_pu": limit,
                **MODELS[unit.model](own),
            }
            found[element] = Governor(own.sn_mva or machine.sn_mva, kind)
    return found


def plant_with(
    kind: PlantType, governor: Governor | None, p_rated_mw: float, f_nominal_hz: float
) -> PlantType:
    """Return a plant type with the governor of one machine, all of which answers.

    Parameters
    ----------
    kind
        Plant type of the machine.
    governor
        Its governor, None for none.
    p_rated_mw
        Base of droop, limits and rates in the fleet.
    f_nominal_hz
        Nominal frequency.
    """
    if governor is None:
        return kind.model_copy(update={"governor": "none", "droop_pu": 0.0})
    own, scale = dict(governor.kind), p_rated_mw / governor.sn_mva
    none = {"t_governor_s": 0.0, "t_chest_s": 0.0, "f_hp_pu": 0.0, "t_reheat_s": 0.0, "t_water_s": 0.0}
    rate = own.pop("rate_pu_per_s", UNLIMITED_PU_PER_S)
    own["deadband_hz"] = own.pop("deadband_pu") * f_nominal_hz
    own["droop_pu"] *= scale
    limit = own.pop("limit_pu") / scale
    limits = {"limit_up_pu": limit, "limit_down_pu": limit, "rate_pu_per_s": rate / scale}
    return kind.model_copy(update={**none, **limits, **own, "responding_pu": 1.0})
