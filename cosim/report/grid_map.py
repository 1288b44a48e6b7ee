"""The map of a grid case: one HTML page that needs no network, by `suandian grid map`."""

import json
import math
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from cosim.core.errors import CaseError
from cosim.core.grid import Tables
from cosim.core.types import Floats
from cosim.report.albers import Albers, graticule
from cosim.report.schematic import MOST_BUSES, positions
from grids.case import Case
from grids.elements import bus_rows
from grids.inventory import link_name, voltage_levels
from grids.links.catalogue import CatalogueLink, link_catalogue
from grids.links.check import ENDS, elements_at
from grids.makers import EXCHANGE, KINDS, makers_of
from grids.portrait import geography_of

VOLTAGE_COLOURS = {
    1000.0: "rgb(0,0,225)",
    750.0: "rgb(250,128,10)",
    500.0: "rgb(255,0,0)",
    330.0: "rgb(30,144,255)",
    220.0: "rgb(128,0,128)",
    110.0: "rgb(240,65,85)",
    66.0: "rgb(214,170,0)",
    35.0: "rgb(190,190,0)",
    20.0: "rgb(226,172,6)",
    10.0: "rgb(185,72,66)",
    0.0: "rgb(120,120,120)",
}
"""Lowest voltage of a class [kV] -> colour in displays of Chinese dispatching centres, as their SVG drawings
have it (standard unconfirmed); the yellows of 66 and 35 kV are darker here, for white paper."""

KIND_COLOURS = {
    "coal": "#4d4d4d",
    "gas": "#b8860b",
    "nuclear": "#c2379b",
    "thermal": "#8c8c8c",
    "hydro": "#1f78b4",
    "pumped_storage": "#7fb3d9",
    "wind": "#33a02c",
    "pv": "#f2c500",
    "storage": "#8e6bbf",
    "other": "#b0b0b0",
}

STATION_KM, STEPPED_KM = 1.5, 8.0
"""Busbars this close are one station; those a transformer joins may be further apart."""

Record = dict[str, Any]


def write_map(case: Case, out: Path, tables: Tables | None = None) -> list[str]:
    """Write the map of a case and return remarks on what it cannot show.

    Parameters
    ----------
    case
        Any case, joined ones too; without coordinates it is drawn schematically.
    out
        The HTML file.
    tables
        Results of a power flow of the case, for voltages, flows and loadings.

    Raises
    ------
    CaseError
        When it has no coordinates and too many buses for a schematic drawing.
    """
    data, remarks = map_data(case, tables)
    packed = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    parts = {
        "title": escape(str(data["title"])),
        "style": _asset("grid_map.css"),
        "data": packed,
        "script": _asset("grid_map.js"),
    }
    text = _asset("grid_map.html")
    for key, value in parts.items():
        head, tail = text.split(f"{{{{{key}}}}}")
        text = head + value + tail
    out.write_text(text, encoding="utf-8")
    return remarks


def map_data(case: Case, tables: Tables | None = None) -> tuple[Record, list[str]]:
    """Return what the page draws, as plain data, and remarks."""
    net = case.net
    place = geography_of(case)
    lat, lon = np.array(place.lat), np.array(place.lon)
    unknown = np.flatnonzero(~(np.isfinite(lat) & np.isfinite(lon)))
    remarks: list[str] = []
    projection: Albers | None = None
    if unknown.size:
        missing = ", ".join(str(net.bus["name"].iloc[i]) for i in unknown[:5])
        more = f" and {unknown.size - 5} more" if unknown.size > 5 else ""
        who = "no bus has coordinates" if unknown.size == lat.size else f"no coordinates of {missing}{more}"
        if lat.size > MOST_BUSES:
            msg = f"{case.name}: {who}; {lat.size} are too many for a schematic (allowed: {MOST_BUSES})"
            raise CaseError(msg)
        remarks.append(f"{who}: drawn schematically")
        ends = [
            *zip(place.line_from, place.line_to, strict=True),
            *zip(place.trafo_hv, place.trafo_lv, strict=True),
        ]
        at = positions(lat.size, ends) * 1000.0
        x_km, y_km = at[:, 0], at[:, 1]
    else:
        projection = Albers.around(lat, lon)
        x_km, y_km = projection(lat, lon)
    makers = makers_of(net)
    if not any(len(net.get(t, ())) for t in ("line", "trafo")):
        remarks.append("the case has no branches")
    data = {
        "title": str(case.meta["title"]),
        "point": str(case.meta.get("operating_point", {}).get("title", "")),
        "solved": tables is not None,
        "schematic": projection is None,
        "remarks": remarks,
        "notes": str(case.meta.get("notes", "")),
        "sources": [str(source) for source in case.meta.get("sources", ())],
        "licence": str(case.meta.get("licence", "")),
        "levels": [{**level, "colour": colour_of(level["vn_kv"])} for level in voltage_levels(net)],
        "kinds": [
            {"kind": kind, "colour": KIND_COLOURS[kind], "mw": float(mw)}
            for kind in KINDS
            if kind in KIND_COLOURS and (mw := makers.loc[makers["kind"] == kind, "rated_mw"].sum())
        ],
        "buses": _buses(case, x_km, y_km, tables),
        "corridors": _corridors(net, tables),
        "trafos": _trafos(net, tables),
        "plants": _plants(makers),
        "links": _links(net, makers, projection),
        "exchanges": _exchanges(makers),
        "connections": _connections(case),
        "graticule": [] if projection is None else graticule(projection, lat, lon),
    }
    return _plain(data), remarks


def colour_of(vn_kv: float) -> str:
    """Return the colour of a voltage: that of its class, from 2 % below its nominal value."""
    return next(colour for kv, colour in VOLTAGE_COLOURS.items() if vn_kv >= 0.98 * kv)


def direct_colour(vn_kv: float) -> str:
    """Return the colour of a direct-current link: from 800 kV as 1000 kV, 660 kV as 750 kV, else 500 kV."""
    return colour_of(1000.0 if vn_kv >= 800.0 else 750.0 if vn_kv >= 660.0 else 500.0)


def stations_of(case: Case, x_km: Floats, y_km: Floats) -> list[int]:
    """Return, for each bus, the first bus of its station: busbars of one place, and what steps down there."""
    kv = case.net.bus["vn_kv"].to_numpy(dtype=np.float64)
    station = list(range(kv.size))
    hv, lv = (bus_rows(case.net, case.net.trafo[end]) for end in ("hv_bus", "lv_bus"))
    stepped = {frozenset((int(a), int(b))) for a, b in zip(hv, lv, strict=True)}
    for i in np.argsort(-kv, kind="stable").tolist():
        for j in range(kv.size):
            apart = math.hypot(x_km[i] - x_km[j], y_km[i] - y_km[j])
            near = apart < (STEPPED_KM if frozenset((i, j)) in stepped else STATION_KM)
            if near and i != j and station[j] == j and station[i] != j and kv[j] <= kv[i]:
                station[j] = station[i]
    return [_root(station, i) for i in range(kv.size)]


def _root(station: list[int], i: int) -> int:
    while station[i] != i:
        i = station[i]
    return i


def _buses(case: Case, x_km: Floats, y_km: Floats, tables: Tables | None) -> list[Record]:
    bus, net = case.net.bus, case.net
    load_mw = np.zeros(len(bus))
    if len(net.load):
        on = net.load[net.load["in_service"].astype(bool)]
        np.add.at(load_mw, bus_rows(net, on["bus"]), (on["p_mw"] * on["scaling"]).to_numpy())
    vm = np.full(len(bus), np.nan) if tables is None else np.asarray(tables["bus"]["vm_pu"])
    schematic = "lat" not in bus or bool(bus["lat"].isna().any())
    stations = list(range(len(bus))) if schematic else stations_of(case, x_km, y_km)
    return [
        {
            "name": str(row["name"]),
            "zh": _text(row, "name_zh"),
            "kv": float(row["vn_kv"]),
            "x": round(float(x_km[i]), 2),
            "y": round(float(y_km[i]), 2),
            "station": stations[i],
            "zone": _text(row, "zone"),
            "area": _text(row, "area"),
            "load_mw": float(load_mw[i]),
            "vm_pu": float(vm[i]),
            **_origin(row),
        }
        for i, row in enumerate(bus.to_dict("records"))
    ]


def _corridors(net: Any, tables: Tables | None) -> list[Record]:
    """Return circuits by the pair of busbars they join."""
    line = net.line
    pairs: dict[tuple[int, int], list[Record]] = {}
    loading, p_mw = _results(tables, "line", "loading_percent", "p_from_mw", len(line))
    starts, ends = (bus_rows(net, line[end]) for end in ("from_bus", "to_bus"))
    for n, row in enumerate(line.to_dict("records")):
        a, b = int(starts[n]), int(ends[n])
        circuit = {
            "name": str(row["name"]),
            "zh": _text(row, "name_zh"),
            "km": float(row["length_km"]),
            "type": str(row.get("std_type") or ""),
            "parallel": int(row["parallel"]),
            "on": bool(row["in_service"]),
            "loading": loading[n],
            "p_mw": p_mw[n] if a <= b else -p_mw[n],
            **_origin(row),
        }
        pairs.setdefault((min(a, b), max(a, b)), []).append(circuit)
    kv = net.bus["vn_kv"].to_numpy()
    return [{"a": a, "b": b, "kv": float(kv[a]), "circuits": found} for (a, b), found in pairs.items()]


def _trafos(net: Any, tables: Tables | None) -> list[Record]:
    loading, p_mw = _results(tables, "trafo", "loading_percent", "p_hv_mw", len(net.trafo))
    hv, lv = (bus_rows(net, net.trafo[end]) for end in ("hv_bus", "lv_bus"))
    return [
        {
            "a": int(hv[n]),
            "b": int(lv[n]),
            "name": str(row["name"]),
            "mva": float(row["sn_mva"]),
            "parallel": int(row["parallel"]),
            "type": str(row.get("std_type") or ""),
            "on": bool(row["in_service"]),
            "loading": loading[n],
            "p_mw": p_mw[n],
            **_origin(row),
        }
        for n, row in enumerate(net.trafo.to_dict("records"))
    ]


def _results(tables: Tables | None, table: str, first: str, second: str, count: int) -> tuple[Floats, Floats]:
    if tables is None or not count:
        return np.full(count, np.nan), np.full(count, np.nan)
    return np.asarray(tables[table][first]), np.asarray(tables[table][second])


def _plants(makers: Any) -> list[Record]:
    chosen = makers[makers["kind"].isin(list(KIND_COLOURS))]
    return [
        {
            "bus": int(row["bus"]),
            "name": str(row["name"]),
            "zh": _text(row, "name_zh"),
            "kind": row["kind"],
            "mw": float(row["rated_mw"]),
            "p_mw": float(row["p_mw"]) if row["in_service"] else 0.0,
            **_origin(row),
        }
        for row in chosen.to_dict("records")
    ]


def _links(net: Any, makers: Any, projection: Albers | None) -> list[Record]:
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
                "zh": _text(row, "name_zh"),
                "mw": float(row["rated_mw"]),
                "p_mw": float(row["p_mw"]),
                "inward": _inward(float(row["p_mw"]), far),
                "to": _other_end(own.get(name, {}), element, bus_of),
                "kv": kv,
                "colour": direct_colour(kv),
                "since": "" if link is None else link.commissioned,
                **far,
                **_origin(row),
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


def _exchanges(makers: Any) -> list[Record]:
    chosen = makers[makers["kind"].isin([kind for kind in EXCHANGE if kind != "dc"])]
    return [
        {
            "bus": int(row["bus"]),
            "name": str(row["name"]),
            "kind": row["kind"],
            "mw": float(row["rated_mw"]),
            "p_mw": float(row["p_mw"]),
            **_origin(row),
        }
        for row in chosen.to_dict("records")
    ]


def _connections(case: Case) -> list[Record]:
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


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


def _origin(row: Mapping[str, Any]) -> Record:
    return {key: _text(row, key) for key in ("evidence", "source", "note") if _text(row, key)}


def _plain(value: Any) -> Any:
    """Return what JSON has; numbers to a thousandth, unknown ones None."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(float(value), 3) if math.isfinite(value) else None
    return value


def _asset(name: str) -> str:
    return (files("cosim.report") / "assets" / name).read_text(encoding="utf-8")
