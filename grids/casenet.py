"""From checked rows to a pandapower net that carries the whole case."""

import copy
import json
import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import pandapower as pp
import pandas as pd

from grids.casecheck import electric_columns
from grids.caseread import Row, Value
from grids.casetables import TABLES
from grids.plants import standard_types

OWN_TABLES = ("points", "areas", "rest_fleet", "ties", "links")
"""Tables pandapower has no place for; kept in the net under these names."""

_BUSES = ("bus", "from_bus", "to_bus", "hv_bus", "lv_bus")


@cache
def _empty() -> Any:
    return pp.create_empty_network(add_stdtypes=False)


def electric_data(table: str, row: Row) -> dict[str, Value]:
    """Return a line's or transformer's electrical data: its own cells over those of its std_type."""
    kind = standard_types(table).get(row.text("std_type"), {})
    data: dict[str, Value] = {}
    for name in electric_columns(table):
        own, typed = row.cells.get(name, ""), kind.get(name, "")
        column = TABLES[table].by_name[name]
        if own == "" and typed != "":
            data[name] = typed if column.kind == "text" else float(typed)
        else:
            data[name] = row.parsed.get(name, "" if column.kind == "text" else math.nan)
    return data


def _values(table: str, row: Row, bus: Mapping[str, int]) -> dict[str, Any]:
    values: dict[str, Any] = dict(row.parsed)
    if table in {"line", "trafo"}:
        values.update(electric_data(table, row))
    for name in _BUSES:
        if name in values:
            values[name] = bus[str(values[name])]
    if table == "trafo" and not math.isnan(values["tap_neutral"]) and math.isnan(values["tap_pos"]):
        values["tap_pos"] = values["tap_neutral"]
    for name in ("tap_side", "tap_changer_type", "std_type"):
        if values.get(name) == "":
            values[name] = None
    if table == "bus":
        here = [values["lon"], values["lat"]]
        known = not any(math.isnan(value) for value in here)
        values["geo"] = json.dumps({"type": "Point", "coordinates": here}) if known else None
    return values


_DEFAULTS: dict[str, dict[str, Any]] = {
    "bus": {"in_service": True},
    "line": {"type": "ol", "geo": None},
    "trafo": {"tap_dependency_table": False, "id_characteristic_table": pd.NA},
    "load": {
        "const_z_p_percent": 0.0,
        "const_i_p_percent": 0.0,
        "const_z_q_percent": 0.0,
        "const_i_q_percent": 0.0,
        "sn_mva": math.nan,
        "scaling": 1.0,
        "controllable": False,
    },
    "gen": {
        "scaling": 1.0,
        "slack": False,
        "slack_weight": 0.0,
        "controllable": True,
        "type": "sync",
        "id_q_capability_characteristic": pd.NA,
        "reactive_capability_curve": False,
        "curve_style": None,
    },
    "sgen": {
        "scaling": 1.0,
        "current_source": True,
        "controllable": False,
        "id_q_capability_characteristic": pd.NA,
        "reactive_capability_curve": False,
        "curve_style": None,
        "min_q_mvar": math.nan,
        "max_q_mvar": math.nan,
    },
    "shunt": {"step_dependency_table": False, "id_characteristic_table": pd.NA},
    "ext_grid": {"slack_weight": 1.0, "controllable": False},
}


def _table(table: str, rows: list[Row], bus: Mapping[str, int], vn_kv: list[float]) -> pd.DataFrame:
    """Return one pandapower table: its own columns in their types first, ours behind."""
    records = [_values(table, row, bus) for row in rows]
    if table == "shunt":
        for record in records:
            record["vn_kv"] = vn_kv[record["bus"]]
    names = list(dict.fromkeys([column.name for column in TABLES[table].columns]))
    own = list(_empty()[table].columns) if table in _DEFAULTS else []
    defaults = _DEFAULTS.get(table, {})
    data: dict[str, Any] = {}
    for name in [*own, *(n for n in [*names, *defaults] if n not in own)]:
        data[name] = [record.get(name, defaults.get(name)) for record in records]
    frame = pd.DataFrame(data)
    types = {name: _empty()[table][name].dtype for name in own if name in frame}
    return frame.astype({**_own_types(table, frame), **types}) if len(frame) else frame


def _own_types(table: str, frame: pd.DataFrame) -> dict[str, Any]:
    kinds = {"number": "float64", "whole": "int64", "switch": "bool", "text": "object", "reference": "object"}
    known = TABLES[table].by_name
    types = {name: kinds[known[name].kind] for name in frame.columns if name in known}
    types.update({name: "int64" for name in _BUSES if name in types})
    return types


def build_net(rows: Mapping[str, list[Row]], name: str, f_hz: float, sn_mva: float) -> Any:
    """Return a pandapower net with all tables of a case.

    Elements keep the order of the files. Columns pandapower does not know (`area`, `plant_type`,
    `tap_control`, `evidence`, ...) stay in its tables; points, areas, rest_fleet, ties and links are
    tables of their own in the net, so `pandapower.to_json` carries everything.
    """
    net = copy.deepcopy(_empty())
    net["name"], net["f_hz"], net["sn_mva"] = name, f_hz, sn_mva
    bus = {row.text("name"): index for index, row in enumerate(rows["bus"])}
    vn_kv = [row.number("vn_kv") for row in rows["bus"]]
    for table in TABLES:
        if rows[table] or table in OWN_TABLES:
            net[table] = _table(table, rows[table], bus, vn_kv)
    for table in ("line", "trafo"):
        used = {row.text("std_type") for row in rows[table]} - {""}
        for kind in sorted(used):
            net["std_types"][table][kind] = dict(standard_types(table)[kind])
    return net
