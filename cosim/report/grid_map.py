"""The map of a grid case: one HTML page that needs no network, by `suandian grid map`."""

import json
import math
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from cosim.core.errors import CaseError
from cosim.core.grid import Tables
from cosim.report.albers import Albers, graticule
from cosim.report.map_colours import KIND_COLOURS, colour_of
from cosim.report.map_network import buses_on_map, corridors_on_map, trafos_on_map
from cosim.report.map_plants import connections_on_map, exchanges_on_map, links_on_map, plants_on_map
from cosim.report.map_records import Record
from cosim.report.parts import asset, filled
from cosim.report.schematic import MOST_BUSES, positions
from grids.case import Case
from grids.inventory import voltage_levels
from grids.makers import KINDS, makers_of
from grids.portrait import geography_of


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
        "style": asset("grid_map.css"),
        "data": packed,
        "script": asset("grid_map.js"),
    }
    out.write_text(filled(asset("grid_map.html"), parts), encoding="utf-8")
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
        "buses": buses_on_map(case, x_km, y_km, tables),
        "corridors": corridors_on_map(net, tables),
        "trafos": trafos_on_map(net, tables),
        "plants": plants_on_map(makers),
        "links": links_on_map(net, makers, projection),
        "exchanges": exchanges_on_map(makers),
        "connections": connections_on_map(case),
        "graticule": [] if projection is None else graticule(projection, lat, lon),
    }
    return _plain(data), remarks


def _plain(value: Any) -> Any:
    """Return what JSON has; numbers to a thousandth, unknown ones None."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(float(value), 3) if math.isfinite(value) else None
    return value
