"""What `at:` may name: elements, voltage levels, units and their connection points."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from cosim.results import Results


class Place(NamedTuple):
    """Elements of one table."""

    table: str
    names: tuple[str, ...]


def level_label(vn_kv: float) -> str:
    """Return how a voltage level is written: `220 kV`."""
    return f"{vn_kv:g} kV"


def geography(results: "Results") -> Mapping[str, Any]:
    """Return lat, lon, vn_kv per bus and the ends of branches, or nothing when the model has none."""
    found = results.model.get("geography", results.model)
    return found if isinstance(found, Mapping) else {}


def vn_kv_of(results: "Results", table: str) -> dict[str, float]:
    """Return the nominal voltage [kV] of the elements of `bus`, `line`, `trafo` (high side) or `point`."""
    levels = [float(v) for v in geography(results).get("vn_kv", ())]
    buses = results.elements("bus") if "bus" in results.tables else ()
    at_bus = dict(zip(buses, levels, strict=False))
    if table == "bus":
        return at_bus
    if table == "point":
        return {unit: at_bus[bus] for unit, bus in unit_buses(results).items() if bus in at_bus}
    ends = geography(results).get({"line": "line_from", "trafo": "trafo_hv"}.get(table, ""), ())
    rows = zip(results.elements(table), ends, strict=False)
    return {name: levels[int(end)] for name, end in rows if 0 <= int(end) < len(levels)}


def unit_points(results: "Results") -> dict[str, str]:
    """Return the point or bus of each connected unit."""
    frame = results.units
    at = frame["at"].to_list() if "at" in frame else []
    pairs = zip(frame["name"].to_list() if at else [], at, strict=True)
    return {str(name): str(where) for name, where in pairs if isinstance(where, str) and where}


def unit_buses(results: "Results") -> dict[str, str]:
    """Return the bus of each connected unit: its point, where that is a bus, or the bus of its point."""
    points = geography(results).get("points", {})
    buses = set(results.elements("bus")) if "bus" in results.tables else set()
    named = {unit: str(points.get(at, at)) for unit, at in unit_points(results).items()}
    return {unit: bus for unit, bus in named.items() if bus in buses}


def places(results: "Results", tables: tuple[str, ...]) -> dict[str, Place]:
    """Return everything `at` may name for a quantity held by `tables`; earlier tables win."""
    found: dict[str, Place] = {}
    for table in tables:
        if table not in results.tables:
            continue
        names = results.elements(table)
        for name in names:
            found.setdefault(name, Place(table, (name,)))
        levels = vn_kv_of(results, table) if table != "point" else {}
        for level in sorted(set(levels.values()), reverse=True):
            at_level = tuple(n for n in names if np.isclose(levels.get(n, np.nan), level))
            found.setdefault(level_label(level), Place(table, at_level))
        if table == "bus":
            for point, bus in geography(results).get("points", {}).items():
                found.setdefault(str(point), Place(table, (str(bus),)))
        if table == "point":
            for unit, point in unit_points(results).items():
                if unit in names:
                    found.setdefault(point, Place(table, (unit,)))
    return found
