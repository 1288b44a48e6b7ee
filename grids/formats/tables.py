"""From a `SourceGrid` to the tables of a case: ohms and kilometres, names for numbers, origins."""

import math
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from grids.formats.source import Branch, Bus, Machine, Shunt, SourceGrid
from grids.network import LOAD_DAMPING_PU, PLANT_TYPE

Cell = str | float | int | bool
Rows = dict[str, list[dict[str, Cell]]]

AREA = "system"
UNRATED_KA = 99.0
"""Stands for "no rating" of a line."""
UNRATED_PERCENT = 10_000.0
"""Stands for "no rating" of a transformer."""
VK_PERCENT = 90.0
"""A transformer's rating is chosen so that its short-circuit voltage stays below."""
REST_LOADING_PU = 0.7
"""Output of a swing machine that stands for an area, over its rating (unconfirmed)."""
DELAY_S = 30.0
"""Delay of a step of a shunt (unconfirmed)."""
RATIO_TOLERANCE = 0.14
"""Ratios further from 1 become a tap position, as rated voltages must lie near those of the buses."""


@dataclass
class CaseTables:
    """What `write_case` writes."""

    title: str
    summary: str
    f_hz: float
    base_mva: float
    sources: list[str]
    rows: Rows
    remarks: list[str] = field(default_factory=list)
    element: dict[tuple[int, str], str] = field(default_factory=dict)
    """Bus number and key of a machine -> its element."""
    stored: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Voltage [pu, degrees] of each bus in the source, where that is solved."""


def bus_name(bus: Bus) -> str:
    """Return a bus's name: its own, `bus_<number>`, or its label where it has no number (a star point)."""
    return bus.name or (f"bus_{bus.number}" if bus.number >= 0 else bus.label)


def tag(grid: SourceGrid, number: int) -> str:
    """Return what a bus is called in the names of elements at it."""
    return grid.buses[number].name or str(number)


class _Names:
    """Names that are not taken yet."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def new(self, name: str, key: str = "1") -> str:
        """Return `name`, with its key where that is not the usual one, and a number if need be."""
        full = name if key in {"1", ""} else f"{name}_{key}"
        free = next(n for n in (full, *(f"{full}_{k}" for k in range(2, 10_000))) if n not in self._taken)
        self._taken.add(free)
        return free


def _areas(grid: SourceGrid) -> dict[int, str]:
    """Return the synchronous area of each bus: what branches in service join."""
    place = {number: row for row, number in enumerate(grid.buses)}
    live = [b for b in grid.branches if b.in_service]
    ones = np.array([place[b.one] for b in live], dtype=np.int64)
    others = np.array([place[b.other] for b in live], dtype=np.int64)
    joined = sp.coo_matrix((np.ones(len(live)), (ones, others)), shape=(len(place), len(place)))
    _, island = connected_components(joined, directed=False)
    largest = [int(k) for k in np.argsort(-np.bincount(island), kind="stable")]
    names = {k: AREA if rank == 0 else f"{AREA}_{rank + 1}" for rank, k in enumerate(largest)}
    return {number: names[int(island[row])] for number, row in place.items()}


def case_tables(grid: SourceGrid) -> CaseTables:
    """Return the tables of a case. Machines get plant type `rest_coal`; dynamic models may say better."""
    origin: dict[str, Cell] = {"evidence": "published", "source": grid.file}
    names = {number: bus_name(bus) for number, bus in grid.buses.items()}
    tables = CaseTables(
        title=grid.title,
        summary=f"Imported from {grid.file}.",
        f_hz=grid.f_hz,
        base_mva=grid.base_mva,
        sources=[grid.file],
        rows={},
        remarks=list(grid.remarks),
    )
    rows, area = tables.rows, _areas(grid)
    rows["areas"] = [
        {
            "name": name,
            "f_nominal_hz": grid.f_hz,
            "load_damping_pu": LOAD_DAMPING_PU,
            "evidence": "synthetic",
            "source": "common default (unconfirmed)",
        }
        for name in dict.fromkeys(area.values())
    ]
    rows["bus"] = [
        {
            "name": names[n],
            "vn_kv": bus.vn_kv,
            "zone": bus.area,
            "area": area[n],
            "min_vm_pu": max(bus.min_vm_pu, 0.5),
            "max_vm_pu": min(max(bus.max_vm_pu, bus.min_vm_pu), 1.5),
            **origin,
            "note": bus.note,
        }
        for n, bus in grid.buses.items()
    ]
    rows["points"] = [{"name": name, "bus": name, **origin} for name in names.values()]
    charging = _branches(grid, names, rows, origin)
    _makers(grid, names, tables, area, origin)
    rows["links"] = _links(grid, tables, origin)
    taken = _Names()
    for table, elements in (("load", grid.loads), ("shunt", [*grid.shunts, *charging])):
        rows[table] = [
            {
                "name": taken.new(f"{table}_{tag(grid, e.bus)}", e.key),
                "bus": names[e.bus],
                "p_mw": e.p_mw,
                "q_mvar": e.q_mvar,
                **(_stepped(e) if isinstance(e, Shunt) else {}),
                "in_service": e.in_service,
                **origin,
                "note": e.note,
            }
            for e in elements
        ]
    if grid.solved:
        tables.stored = {names[n]: (bus.vm_pu, bus.va_degree) for n, bus in grid.buses.items()}
    return tables


def _stepped(shunt: Shunt) -> dict[str, Cell]:
    """Return the columns of a shunt in steps."""
    if shunt.steps == 1 and shunt.on == 1 and shunt.band_pu is None:
        return {}
    steps: dict[str, Cell] = {"step": shunt.on, "max_step": shunt.steps}
    if shunt.band_pu is None:
        return steps
    low, high = shunt.band_pu
    return {**steps, "control": "voltage", "vm_low_pu": low, "vm_high_pu": high, "delay_s": DELAY_S}


def _branches(grid: SourceGrid, names: dict[int, str], rows: Rows, origin: dict[str, Cell]) -> list[Shunt]:
    """Write lines and transformers; return the charging that neither can have."""
    taken, charging = _Names(), list[Shunt]()
    rows["line"], rows["trafo"] = [], []
    for branch in grid.branches:
        one, other = grid.buses[branch.one], grid.buses[branch.other]
        plain = not branch.transformer and math.isclose(one.vn_kv, other.vn_kv)
        three = other.number < 0
        ends = branch.key if three else f"{tag(grid, branch.one)}_{tag(grid, branch.other)}"
        name = taken.new(f"{'line' if plain else 'trafo'}_{ends}", "1" if three else branch.key)
        both = {"in_service": branch.in_service, **origin, "note": branch.note}
        if plain:
            rows["line"].append({**_line(branch, one, name, names, grid), **both})
        else:
            rows["trafo"].append({**_trafo(branch, name, names, grid), **both})
        if branch.b_pu and (not plain or branch.b_pu < 0.0):
            q_mvar, on = -branch.b_pu / 2 * grid.base_mva, branch.in_service
            for bus, ratio in ((branch.one, branch.tap_one), (branch.other, branch.tap_other)):
                charging.append(Shunt(bus, f"c_{name}", 0.0, q_mvar / ratio**2, on, f"charging of {name}"))
    return charging


def _line(branch: Branch, one: Bus, name: str, names: dict[int, str], grid: SourceGrid) -> dict[str, Cell]:
    """Return a line of 1 km."""
    z_ohm = one.vn_kv**2 / grid.base_mva
    c_nf = max(branch.b_pu, 0.0) / (2 * math.pi * grid.f_hz * z_ohm) * 1e9
    rating_ka = branch.rating_mva / math.sqrt(3.0) / one.vn_kv
    return {
        "name": name,
        "from_bus": names[branch.one],
        "to_bus": names[branch.other],
        "length_km": 1.0,
        "r_ohm_per_km": branch.r_pu * z_ohm,
        "x_ohm_per_km": branch.x_pu * z_ohm,
        "c_nf_per_km": c_nf,
        "max_i_ka": rating_ka or UNRATED_KA,
    }


def _trafo(branch: Branch, name: str, names: dict[int, str], grid: SourceGrid) -> dict[str, Cell]:
    """Return a transformer; the side of the higher voltage is its high one, the first where equal."""
    one, other, base_mva = grid.buses[branch.one], grid.buses[branch.other], grid.base_mva
    sides = [(one, branch.tap_one, 1.0), (other, branch.tap_other, -1.0)]
    (high, ratio, sign), (low, low_ratio, _) = sides if one.vn_kv >= other.vn_kv else sides[::-1]
    z, x = math.hypot(branch.r_pu, branch.x_pu), branch.x_pu
    sn_mva = branch.rating_mva or base_mva
    if 100 * z * sn_mva / base_mva > VK_PERCENT:
        sn_mva = VK_PERCENT / 100 * base_mva / z
    row: dict[str, Cell] = {
        "name": name,
        "hv_bus": names[high.number],
        "lv_bus": names[low.number],
        "sn_mva": sn_mva,
        "vn_hv_kv": high.vn_kv * ratio,
        "vn_lv_kv": low.vn_kv * low_ratio,
        "vk_percent": math.copysign(100 * z, x) * sn_mva / base_mva,
        "vkr_percent": 100 * branch.r_pu * sn_mva / base_mva,
        "shift_degree": sign * branch.shift_degree,
        "max_loading_percent": 100.0 if branch.rating_mva == sn_mva else UNRATED_PERCENT,
    }
    if abs(ratio - 1.0) > RATIO_TOLERANCE or abs(low_ratio - 1.0) > RATIO_TOLERANCE:
        row |= _tapped(row, high, low, ratio, low_ratio)
    return row


def _tapped(row: dict[str, Cell], high: Bus, low: Bus, ratio: float, low_ratio: float) -> dict[str, Cell]:
    """Return the same transformer with nominal windings and the ratio in one tap of the high side."""
    impedance = low_ratio**2
    return {
        "vn_hv_kv": high.vn_kv,
        "vn_lv_kv": low.vn_kv,
        "vk_percent": float(row["vk_percent"]) * impedance,
        "vkr_percent": float(row["vkr_percent"]) * impedance,
        "tap_side": "hv",
        "tap_neutral": 0,
        "tap_min": 0,
        "tap_max": 1,
        "tap_pos": 1,
        "tap_step_percent": 100 * (ratio / low_ratio - 1.0),
        "tap_changer_type": "Ratio",
    }


def _makers(
    grid: SourceGrid,
    names: dict[int, str],
    tables: CaseTables,
    area: dict[int, str],
    origin: dict[str, Cell],
) -> None:
    taken, rows, slacks = _Names(), tables.rows, dict[str, list[str]]()
    rows["gen"], rows["ext_grid"], rows["sgen"] = [], [], []
    for machine in grid.machines:
        name = taken.new(f"gen_{tag(grid, machine.bus)}", machine.key)
        tables.element[machine.bus, machine.key] = name
        row: dict[str, Cell] = {"name": name, "bus": names[machine.bus], "vm_pu": machine.vm_pu}
        both = {"in_service": machine.in_service, **origin, "note": machine.note}
        if machine.slack:
            rows["ext_grid"].append({**row, "va_degree": machine.va_degree, **both})
            slacks.setdefault(area[machine.bus], []).append(name)
        else:
            rows["gen"].append({**row, **_limits(machine), **both})
    for injection in grid.injections:
        name = taken.new(f"{injection.type or 'sgen'}_{tag(grid, injection.bus)}", injection.key)
        tables.element.setdefault((injection.bus, injection.key), name)
        rows["sgen"].append(
            {
                "name": name,
                "bus": names[injection.bus],
                "type": injection.type,
                **({"sn_mva": injection.sn_mva} if injection.sn_mva else {}),
                "p_mw": injection.p_mw,
                "q_mvar": injection.q_mvar,
                "in_service": injection.in_service,
                **origin,
                "note": injection.note,
            }
        )
    rows["ties"] = [
        {"element": name, "area": where, "share_pu": 1.0 / len(several), **origin}
        for where, several in slacks.items()
        for name in several
    ]
    turning = {area[machine.bus] for machine in grid.machines if machine.in_service and not machine.slack}
    rows["rest_fleet"] = [
        {
            "area": area[machine.bus],
            "plant_type": PLANT_TYPE,
            "sn_mva": machine.sn_mva,
            "p_mw": REST_LOADING_PU * machine.sn_mva,
            "responding_pu": 1.0,
            "evidence": "synthetic",
            "source": "the machine at the swing bus, where no other one turns (unconfirmed)",
        }
        for machine in grid.machines
        if machine.slack and area[machine.bus] not in turning
    ]


def _links(grid: SourceGrid, tables: CaseTables, origin: dict[str, Cell]) -> list[dict[str, Cell]]:
    """Return the links that carry anything, as one pole; their losses are those of the line [MW per MW^2]."""
    p_mw = {(i.bus, i.key): i.p_mw for i in grid.injections if i.in_service}
    rows: list[dict[str, Cell]] = []
    for link in grid.links:
        sent, received = -p_mw.get(link.sending, 0.0), p_mw.get(link.receiving, 0.0)
        lost_percent = 100.0 * (sent - received) / sent**2 * link.sn_mw if sent > 0.0 else -1.0
        if received > 0.0 and 0.0 <= lost_percent <= 30.0:
            row: dict[str, Cell] = {
                "name": link.name,
                "from_element": tables.element[link.sending],
                "to_element": tables.element[link.receiving],
                "sn_mw": link.sn_mw,
                "poles": 1,
                "loss_percent": lost_percent,
                "station_loss_percent": 0.0,
            }
            rows.append({**row, **({"vn_kv": link.vn_kv} if link.vn_kv else {}), **origin})
    return rows


def _limits(machine: Machine) -> dict[str, Cell]:
    return {
        "plant_type": PLANT_TYPE,
        "sn_mva": machine.sn_mva,
        "p_mw": machine.p_mw,
        "min_p_mw": machine.min_p_mw,
        "max_p_mw": machine.max_p_mw,
        "min_q_mvar": machine.min_q_mvar,
        "max_q_mvar": machine.max_q_mvar,
    }
