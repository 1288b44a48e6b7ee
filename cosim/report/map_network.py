"""Busbars, circuits and transformers on the map of a case."""

import math
from typing import Any

import numpy as np

from cosim.core.grid import Tables
from cosim.core.types import Floats
from cosim.report.map_records import Record, origin_of, text_of
from grids.case import Case
from grids.elements import bus_rows

STATION_KM, STEPPED_KM = 1.5, 8.0
"""Busbars this close are one station; those a transformer joins may be further apart."""


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


def buses_on_map(case: Case, x_km: Floats, y_km: Floats, tables: Tables | None) -> list[Record]:
    """Return busbars with place, station, load and voltage."""
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
            "zh": text_of(row, "name_zh"),
            "kv": float(row["vn_kv"]),
            "x": round(float(x_km[i]), 2),
            "y": round(float(y_km[i]), 2),
            "station": stations[i],
            "zone": text_of(row, "zone"),
            "area": text_of(row, "area"),
            "load_mw": float(load_mw[i]),
            "vm_pu": float(vm[i]),
            **origin_of(row),
        }
        for i, row in enumerate(bus.to_dict("records"))
    ]


def corridors_on_map(net: Any, tables: Tables | None) -> list[Record]:
    """Return circuits by the pair of busbars they join."""
    line = net.line
    pairs: dict[tuple[int, int], list[Record]] = {}
    loading, p_mw = _results(tables, "line", "loading_percent", "p_from_mw", len(line))
    starts, ends = (bus_rows(net, line[end]) for end in ("from_bus", "to_bus"))
    for n, row in enumerate(line.to_dict("records")):
        a, b = int(starts[n]), int(ends[n])
        circuit = {
            "name": str(row["name"]),
            "zh": text_of(row, "name_zh"),
            "km": float(row["length_km"]),
            "type": str(row.get("std_type") or ""),
            "parallel": int(row["parallel"]),
            "on": bool(row["in_service"]),
            "loading": loading[n],
            "p_mw": p_mw[n] if a <= b else -p_mw[n],
            **origin_of(row),
        }
        pairs.setdefault((min(a, b), max(a, b)), []).append(circuit)
    kv = net.bus["vn_kv"].to_numpy()
    return [{"a": a, "b": b, "kv": float(kv[a]), "circuits": found} for (a, b), found in pairs.items()]


def trafos_on_map(net: Any, tables: Tables | None) -> list[Record]:
    """Return transformers with what flows through them."""
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
            **origin_of(row),
        }
        for n, row in enumerate(net.trafo.to_dict("records"))
    ]


def _results(tables: Tables | None, table: str, first: str, second: str, count: int) -> tuple[Floats, Floats]:
    if tables is None or not count:
        return np.full(count, np.nan), np.full(count, np.nan)
    return np.asarray(tables[table][first]), np.asarray(tables[table][second])
