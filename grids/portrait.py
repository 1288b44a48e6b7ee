"""What a report shows of a case: where things are, and where the numbers come from."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from cosim.core.grid import Geography
from grids.case import Case
from grids.crosscheck import AGREEMENT_PU, Record
from grids.elements import bus_rows

TABLES = (
    *("bus", "line", "trafo", "load", "gen", "sgen", "shunt", "ext_grid"),
    *("points", "areas", "rest_fleet", "links"),
)


def _coordinates(net: Any) -> tuple[list[float], list[float]]:
    """Return latitude and longitude of the buses, nan where unknown."""
    if "lat" in net.bus and "lon" in net.bus:
        return [float(x) for x in net.bus["lat"]], [float(x) for x in net.bus["lon"]]
    lat, lon = [], []
    for text in net.bus["geo"] if "geo" in net.bus else [None] * len(net.bus):
        place = json.loads(text)["coordinates"] if isinstance(text, str) and text else (np.nan, np.nan)
        lon.append(float(place[0]))
        lat.append(float(place[1]))
    return lat, lon


def geography_of(case: Case) -> Geography:
    """Return coordinates and connections of all elements."""
    net = case.net
    lat, lon = _coordinates(net)

    def rows(table: str, column: str) -> tuple[int, ...]:
        return tuple(int(row) for row in bus_rows(net, net[table][column]))

    return Geography(
        lat=tuple(lat),
        lon=tuple(lon),
        vn_kv=tuple(float(v) for v in net.bus["vn_kv"]),
        line_from=rows("line", "from_bus"),
        line_to=rows("line", "to_bus"),
        trafo_hv=rows("trafo", "hv_bus"),
        trafo_lv=rows("trafo", "lv_bus"),
        f_nominal_hz=tuple(float(f) for f in net["areas"]["f_nominal_hz"]),
        points={name: str(net.bus["name"].loc[bus]) for name, bus in case.points.items()},
    )


def evidence_shares(net: Any) -> dict[str, dict[str, float]]:
    """Return, per table, which share of its rows is published, derived and synthetic."""
    shares = {}
    for table in TABLES:
        if table in net and len(net[table]) and "evidence" in net[table]:
            counted = net[table]["evidence"].value_counts(normalize=True)
            shares[table] = {str(kind): float(share) for kind, share in counted.items()}
    return shares


def provenance_of(case: Case, record: Record) -> Mapping[str, Any]:
    """Return what the report says about the model."""
    meta = case.meta
    return {
        "case": case.name,
        "point": case.point,
        "title": meta.get("title", case.name),
        "summary": meta.get("summary", ""),
        "operating_point": dict(meta.get("operating_point", {})),
        "sources": list(meta.get("sources", [])),
        "assumptions": dict(meta.get("assumptions", {})),
        "evidence": evidence_shares(case.net),
        "cross_check": {
            "solver": "pandapower.runpp",
            "count": record.count,
            "largest_pu": record.largest_pu,
            "agreement_pu": AGREEMENT_PU,
            "other_limits_count": record.other_limits,
            "disagreements": list(record.disagreements),
        },
    }
