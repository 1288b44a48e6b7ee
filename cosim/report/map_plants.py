"""Plants, ends of links, interchanges and connection points on the map of a case."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from cosim.report.albers import Albers
from cosim.report.map_colours import KIND_COLOURS, direct_colour
from cosim.report.map_records import Record, origin_of, text_of
from grids.case import Case
from grids.inventory import link_name
from grids.links.catalogue import CatalogueLink, link_catalogue
from grids.links.check import ENDS, elements_at
from grids.makers import EXCHANGE


def plants_on_map(makers: Any) -> list[Record]:
    """Return plants of the kinds that have a colour."""
    chosen = makers[makers["kind"].isin(list(KIND_COLOURS))]
    return [
        {
            "bus": int(row["bus"]),
            "name": str(row["name"]),
            "zh": text_of(row, "name_zh"),
            "kind": row["kind"],
            "mw": float(row["rated_mw"]),
            "p_mw": float(row["p_mw"]) if row["in_service"] else 0.0,
            **origin_of(row),
        }
        for row in chosen.to_dict("records")
    ]


def links_on_map(net: Any, makers: Any, projection: Albers | None) -> list[Record]:
    """Return ends of direct-current links; the other end is a bus where it is in the case, else a place."""
    known = {link.name: link for link in link_catalogue()}
    own = {str(row["name"]): row for row in net["links"].to_dict("records")}
    rows = makers[makers["kind"] == "dc"].to_dict("records")
    bus_of = {str(row["name"]): int(row["bus"]) for row in rows}
    found = []
    for row in rows:
        element, bus = str(row["name"]), int(row["bus"])
        name = link_name(element)
        link = known.get(name)
        far: Record = {}
        if link is not None and link.kind != "b2b" and projection is not None:
            far = _far_end(link, net.bus.iloc[bus], projection)
        kv = link.vn_kv if link is not None else float(own.get(name, {}).get("vn_kv", math.nan))
        found.append(
            {
                "bus": bus,
                "name": element,
                "link": name,
                "zh": text_of(row, "name_zh"),
                "mw": float(row["rated_mw"]),
                "p_mw": float(row["p_mw"]),
                "inward": _inward(float(row["p_mw"]), far),
                "to": _other_end(own.get(name, {}), element, bus_of),
                "kv": kv,
                "colour": direct_colour(kv),
                "since": "" if link is None else link.commissioned,
                **far,
                **origin_of(row),
            }
        )
    return found


def _other_end(link: Mapping[str, Any], element: str, bus_of: Mapping[str, int]) -> int | None:
    """Return the bus of the other end of a link, where the case has both."""
    sending, receiving = (elements_at(str(link.get(end) or "")) for end in ENDS)
    others = receiving if element in sending else sending
    return bus_of.get(others[0]) if others else None


def _far_end(link: CatalogueLink, bus: Any, projection: Albers) -> Record:
    """Return the end of a link that is further from a bus, and what it is called."""
    here = (float(bus["lat"]), float(bus["lon"]))
    ends = [
        (link.from_lat_degree, link.from_lon_degree, link.from_province),
        (link.to_lat_degree, link.to_lon_degree, link.to_province),
    ]
    lat, lon, province = max(ends, key=lambda end: math.hypot(end[0] - here[0], end[1] - here[1]))
    x, y = projection(np.array([lat]), np.array([lon]))
    return {
        "far_x": float(x[0]),
        "far_y": float(y[0]),
        "far": province,
        "receives": ends[0][:2] == (lat, lon),
    }


def _inward(p_mw: float, far: Record) -> bool:
    """Return whether a link brings power: what it does, or at rest what it was built for."""
    return p_mw > 0.0 if p_mw else bool(far.get("receives", False))


def exchanges_on_map(makers: Any) -> list[Record]:
    """Return interchanges with neighbours and the slack."""
    chosen = makers[makers["kind"].isin([kind for kind in EXCHANGE if kind != "dc"])]
    return [
        {
            "bus": int(row["bus"]),
            "name": str(row["name"]),
            "kind": row["kind"],
            "mw": float(row["rated_mw"]),
            "p_mw": float(row["p_mw"]),
            **origin_of(row),
        }
        for row in chosen.to_dict("records")
    ]


def connections_on_map(case: Case) -> list[Record]:
    """Return points where units connect; those of computing parks are told by their name."""
    points = case.net["points"]
    row_of = {int(index): n for n, index in enumerate(case.net.bus.index)}
    told = points["description"].fillna("") if "description" in points else [""] * len(points)
    return [
        {
            "bus": row_of[int(bus)],
            "name": str(name),
            "told": str(text),
            "park": "park" in str(name).split("_"),
        }
        for (name, bus), text in zip(case.points.items(), told, strict=True)
    ]
