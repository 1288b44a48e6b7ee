"""Who answers a frequency deviation: machines, synchronous areas and fast droop offers, as arrays."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cosim.core.component import DroopOffer
from cosim.core.errors import CaseError
from cosim.core.registry import nearest
from cosim.core.types import Bools, Floats, Ints
from grids.case import Case
from grids.governors import governors, plant_with
from grids.plants import RATED_PU, WITHOUT_MACHINE, PlantType, plant_types

GOVERNORS = ("none", "steam", "reheat_steam", "gas", "hydro", "converter", "relay")
"""Governor kinds; their place in this tuple is the code in `Fleet.governor_code`."""


@dataclass(frozen=True)
class Fleet:
    """Synchronous machines, arrays of shape (machines,): the gens of the case, then its rest_fleet rows.

    Droop, limits and rates are in per unit of `p_rated_mw`; inertia is in seconds on `sn_mva`.
    """

    name: tuple[str, ...]
    """Gen name; for the rest of an area `<area>/<plant_type>`."""
    area: Ints
    """Row of the machine's synchronous area in `AreaTable`."""
    online: Bools
    """Connected at the start; a machine that is not has no inertia and no response."""
    sn_mva: Floats
    h_s: Floats
    """Inertia constant: kinetic energy at nominal speed over `sn_mva`."""
    p_rated_mw: Floats
    """Rated active power."""
    p0_mw: Floats
    """Scheduled output (> 0 generates)."""
    min_p_mw: Floats
    max_p_mw: Floats
    responding_pu: Floats
    """Share of the machine (or of the machines a row stands for) whose governor answers."""
    governor_code: Ints
    """Place in `GOVERNORS`."""
    droop_pu: Floats
    deadband_hz: Floats
    limit_up_pu: Floats
    limit_down_pu: Floats
    rate_pu_per_s: Floats
    t_governor_s: Floats
    t_chest_s: Floats
    f_hp_pu: Floats
    t_reheat_s: Floats
    t_water_s: Floats
    agc_share_pu: Floats
    """Weight in the distribution of AGC orders (capacity for participants, 0 otherwise)."""
    agc_rate_pu_per_s: Floats
    t_delay_s: Floats
    """How long frequency is beyond the dead-band before a relay acts."""

    @property
    def size(self) -> int:
        """Number of machines."""
        return len(self.name)


@dataclass(frozen=True)
class AreaTable:
    """Synchronous areas, arrays of shape (areas,)."""

    name: tuple[str, ...]
    f_nominal_hz: Floats
    damping_mw_per_hz: Floats
    """Load that goes away per Hz below nominal at the operating point: load_damping_pu * load / f_nominal."""
    agc_bias_mw_per_hz: Floats
    """Frequency bias of the area control error; 0 switches AGC off."""

    @property
    def size(self) -> int:
        """Number of areas."""
        return len(self.name)


@dataclass(frozen=True)
class Offers:
    """Static part of the fast droop offers of connected units, arrays of shape (offers,)."""

    area: Ints
    """Row of the unit's area in `AreaTable`."""
    deadband_hz: Floats
    time_constant_s: Floats

    @property
    def size(self) -> int:
        """Number of offers."""
        return int(self.area.size)


def offers_from_devices(devices: Sequence[DroopOffer | None], area: Ints) -> Offers:
    """Return one offer per connected unit; a unit without a device gets one that never acts.

    Keeping a row for every unit lets the arrays of `AreaFrequency.step` follow the units' order.
    """
    filled = [device if device is not None else DroopOffer() for device in devices]
    return Offers(
        area=np.asarray(area, dtype=np.int64),
        deadband_hz=np.array([d.deadband_hz for d in filled], dtype=np.float64),
        time_constant_s=np.array([d.time_constant_s for d in filled], dtype=np.float64),
    )


def areas_from_case(case: Case) -> AreaTable:
    """Return the synchronous areas of a case; damping counts the load inside and outside it."""
    net, table = case.net, case.net["areas"]
    names = tuple(str(name) for name in table["name"])
    load = net.load[net.load["in_service"]]
    area_of_load = net.bus["area"].reindex(load["bus"]).to_numpy()
    load_mw = load["p_mw"].to_numpy() * load["scaling"].to_numpy()
    inside_mw = np.array([load_mw[area_of_load == name].sum() for name in names])
    f_hz = table["f_nominal_hz"].to_numpy(dtype=np.float64)
    all_mw = inside_mw + table["rest_load_mw"].to_numpy(dtype=np.float64)
    return AreaTable(
        name=names,
        f_nominal_hz=f_hz,
        damping_mw_per_hz=table["load_damping_pu"].to_numpy(dtype=np.float64) * all_mw / f_hz,
        agc_bias_mw_per_hz=table["agc_bias_mw_per_hz"].to_numpy(dtype=np.float64),
    )


def fleet_from_case(case: Case) -> Fleet:
    """Return the machines of a case: one per gen (out of service ones offline), one per rest_fleet row.

    A gen's rated power is its max_p_mw, that of the rest `RATED_PU` of its MVA, or all of it for what is no
    rotating machine (`WITHOUT_MACHINE`). A row may say `h_s` and
    `responding_pu` itself, else its plant type does. A pump (output < 0) turns at fixed speed: inertia, but
    no governor. Machines of the case's dynamic tables have the governors of those tables
    (`grids.governors`); a rest_fleet row whose area has one tie is the machine at that tie, if there is one.

    Raises
    ------
    CaseError
        When a plant type is unknown.
    """
    gen, rest = case.net.gen, case.net["rest_fleet"]
    machines = [_gen_machine(row, case.net.bus["area"]) for row in gen.to_dict("records")]
    machines += [_rest_machine(row, case.net["ties"]) for row in rest.to_dict("records")]
    own, f_hz = governors(case), float(case.meta["f_nominal_hz"])
    for machine in machines:
        if machine["element"] in own:
            governor = own[machine["element"]]
            machine["kind"] = plant_with(machine["kind"], governor, machine["p_rated_mw"], f_hz)
    return _fleet(machines, [str(name) for name in case.net["areas"]["name"]])


def _own(row: Mapping[Any, Any], name: str, default: float) -> float:
    value = float(row.get(name, math.nan))
    return default if math.isnan(value) else value


def _kind(name: str, place: str) -> PlantType:
    if name not in plant_types():
        msg = f"{place}: plant_type {name!r} is unknown.{nearest(name, plant_types())}"
        raise CaseError(msg)
    return plant_types()[name]


def _gen_machine(row: Mapping[Any, Any], bus_area: Any) -> dict[str, Any]:
    kind = _kind(str(row["plant_type"]), f"gen {row['name']}")
    p0_mw = float(row["p_mw"]) * float(row.get("scaling", 1.0))
    return {
        "name": str(row["name"]),
        "element": str(row["name"]),
        "area": str(bus_area[row["bus"]]),
        "online": bool(row["in_service"]),
        "sn_mva": float(row["sn_mva"]),
        "h_s": _own(row, "h_s", kind.h_s),
        "p_rated_mw": float(row["max_p_mw"]),
        "p0_mw": p0_mw,
        "min_p_mw": float(row["min_p_mw"]),
        "max_p_mw": float(row["max_p_mw"]),
        "said_pu": float(row.get("responding_pu", math.nan)),
        "able": p0_mw >= 0.0,
        "kind": kind,
    }


def _rest_machine(row: Mapping[Any, Any], ties: Any) -> dict[str, Any]:
    here = ties[ties["area"] == row["area"]]["element"]
    name = f"{row['area']}/{row['plant_type']}"
    kind = _kind(str(row["plant_type"]), f"rest_fleet {name}")
    synchronous = kind.governor not in WITHOUT_MACHINE
    rated_mw = (RATED_PU if synchronous else 1.0) * float(row["sn_mva"])
    return {
        "name": name,
        "element": str(here.iloc[0]) if len(here) == 1 else "",
        "area": str(row["area"]),
        "online": True,
        "sn_mva": float(row["sn_mva"]),
        "h_s": _own(row, "h_s", kind.h_s),
        "p_rated_mw": rated_mw,
        "p0_mw": float(row["p_mw"]),
        "min_p_mw": min(kind.min_p_pu * rated_mw, float(row["p_mw"])),
        "max_p_mw": rated_mw,
        "said_pu": float(row.get("responding_pu", math.nan)),
        "able": float(row["p_mw"]) >= 0.0 or not synchronous,
        "kind": kind,
    }


def _responding_pu(machine: Mapping[str, Any]) -> float:
    """Return the share of a machine that answers: what its row says, else its plant type."""
    if not machine["able"]:
        return 0.0
    said: float = machine["said_pu"]
    kind: PlantType = machine["kind"]
    return kind.responding_pu if math.isnan(said) else said


_FROM_KIND = (
    "droop_pu",
    "deadband_hz",
    "limit_up_pu",
    "limit_down_pu",
    "rate_pu_per_s",
    "t_governor_s",
    "t_chest_s",
    "f_hp_pu",
    "t_reheat_s",
    "t_water_s",
    "t_delay_s",
)


def _fleet(machines: list[dict[str, Any]], areas: list[str]) -> Fleet:
    def column(values: Iterable[float]) -> Floats:
        return np.array(list(values), dtype=np.float64)

    kinds: list[PlantType] = [machine["kind"] for machine in machines]
    own = ("sn_mva", "h_s", "p_rated_mw", "p0_mw", "min_p_mw", "max_p_mw")
    agc = [machine["p0_mw"] >= 0.0 and kind.agc for machine, kind in zip(machines, kinds, strict=True)]
    rated = column(machine["p_rated_mw"] for machine in machines)
    return Fleet(
        name=tuple(machine["name"] for machine in machines),
        area=np.array([areas.index(machine["area"]) for machine in machines], dtype=np.int64),
        online=np.array([machine["online"] for machine in machines], dtype=np.bool_),
        governor_code=np.array([GOVERNORS.index(kind.governor) for kind in kinds], dtype=np.int64),
        agc_share_pu=rated * column(agc) / max(float(rated.max(initial=0.0)), 1e-9),
        agc_rate_pu_per_s=column(kind.agc_rate_pu_per_s for kind in kinds),
        responding_pu=column(_responding_pu(machine) for machine in machines),
        **{name: column(machine[name] for machine in machines) for name in own},
        **{name: column(getattr(kind, name) for kind in kinds) for name in _FROM_KIND},
    )
