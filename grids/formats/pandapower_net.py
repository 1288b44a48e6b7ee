"""pandapower nets to case folders and back, with dynamic tables as frames of the net (`net["genrou"]`)."""

import copy
import json
from pathlib import Path
from typing import Any

import pandapower as pp
import pandas as pd

from cosim.core.errors import CaseError, collected
from grids.case import Case, load_network
from grids.casetables import TABLES, Column
from grids.dynamics.registry import device, device_names
from grids.dynamics.tables import read_units
from grids.formats.tables import VK_PERCENT, CaseTables, Cell, Rows

_BUSES = ("bus", "from_bus", "to_bus", "hv_bus", "lv_bus")
_KEPT = {*TABLES, "measurement", "poly_cost", "pwl_cost", "group", "controller", "characteristic"}
"""Tables that are taken, or that say nothing about the network's state."""


def read_pandapower(name_or_file: str) -> CaseTables:
    """Return the tables of a pandapower net: .json, .xlsx or a function of `pandapower.networks`.

    Raises
    ------
    CaseError
        When there is no such net, or it has elements in service that a case has no table for: all of them.
    """
    case = load_network(name_or_file)
    tables = net_tables(case.net, Path(name_or_file).name, title=case.name)
    tables.remarks += case.meta["assumptions"].values()
    return tables


def net_tables(net: Any, source: str, title: str) -> CaseTables:
    """Return the tables of a net that has all a case needs (`grids.network.complete_network`).

    Raises
    ------
    CaseError
        When it has elements in service that a case has no table for: all of them.
    """
    collected(_refused(net, source), CaseError)
    _slack_gens(net)
    _shunts_at_bus_voltage(net)
    names = dict(zip(net.bus.index, net.bus["name"], strict=True))
    rows: Rows = {}
    for table in TABLES:
        if table in net and len(net[table]):
            rows[table] = [_row(table, record, names, source) for record in _records(net[table])]
    rows["line"] = rows.get("line", [])
    rows["load"] = rows.get("load", [])
    for model in device_names():
        frame = net.get(model)
        if isinstance(frame, pd.DataFrame) and len(frame) and "name" in frame:
            rows[model] = [_dynamic(record, source) for record in _records(frame)]
    return CaseTables(
        title=str(net.get("name") or title),
        summary=f"Imported from {source}.",
        f_hz=float(net.f_hz),
        base_mva=float(net.sn_mva),
        sources=[source],
        rows=rows,
    )


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in record.items()} for record in frame.to_dict("records")]


def _refused(net: Any, source: str) -> list[str]:
    """Return what a case folder cannot hold."""
    known = {*_KEPT, *device_names()}
    wrong = []
    for table in pp.pp_elements(res_elements=False):
        frame = net.get(table)
        if table in known or not isinstance(frame, pd.DataFrame) or not len(frame):
            continue
        live = frame["in_service"].any() if "in_service" in frame else True
        if table == "switch":
            live = not (frame["closed"].all() and (frame["et"] != "b").all())
        if live:
            what = f"has {len(frame)} rows that a case folder has no table for"
            wrong.append(f"{source}: table {table!r} {what} (name the file itself in `grid: case:` instead)")
    shares = [c for c in net.load.columns if str(c).startswith("const_") and net.load[c].fillna(0.0).any()]
    wrong += [
        f"{source}: table 'load', column {column!r}: is not 0 (allowed: constant power)" for column in shares
    ]
    return wrong


def _slack_gens(net: Any) -> None:
    """Make external grids of generators that are the slack."""
    slack = net.gen.index[net.gen["slack"].fillna(value=False).astype(bool) & net.gen["in_service"]]
    for index in slack:
        gen = net.gen.loc[index]
        pp.create_ext_grid(net, int(gen["bus"]), vm_pu=float(gen["vm_pu"]), name=str(gen["name"]))
    net.gen = net.gen.drop(slack)


def _shunts_at_bus_voltage(net: Any) -> None:
    """Give powers of shunts at the voltage of their buses."""
    if len(net.shunt):
        square = (net.bus["vn_kv"].reindex(net.shunt["bus"]).to_numpy() / net.shunt["vn_kv"]) ** 2
        net.shunt["p_mw"] *= square
        net.shunt["q_mvar"] *= square


def _row(table: str, record: dict[str, Any], names: dict[int, str], source: str) -> dict[str, Cell]:
    row: dict[str, Cell] = {}
    scale = float(record.get("scaling", 1.0))
    for name, column in TABLES[table].by_name.items():
        value = record.get(name)
        if name in _BUSES:
            row[name] = names[int(record[name])]
        elif name in {"p_mw", "q_mvar"} and table in {"load", "sgen", "gen"}:
            row[name] = float(record[name]) * scale
        elif value is not None and value == value:  # noqa: PLR0124 - nan
            row[name] = _cell(column, value)
    if table == "bus":
        row |= _place(record.get("geo"))
    if table == "gen":
        for name, sign in (("min_q_mvar", -1.0), ("max_q_mvar", 1.0)):
            row.setdefault(name, sign * float(row["sn_mva"]))
        p_mw = float(row["p_mw"])
        row["min_p_mw"] = min(float(row["min_p_mw"]), p_mw)
        row["max_p_mw"] = max(float(row["max_p_mw"]), p_mw)
    if table in {"line", "trafo"}:
        row["std_type"] = ""
    if table == "trafo" and abs(float(row["vk_percent"])) > VK_PERCENT:
        row |= _smaller(row)
    return {**row, "evidence": row.get("evidence", "published"), "source": row.get("source", source)}


def _smaller(row: dict[str, Cell]) -> dict[str, Cell]:
    """Return the same transformer on a rating at which its short-circuit voltage is `VK_PERCENT`."""
    less = VK_PERCENT / abs(float(row["vk_percent"]))
    down = {name: float(row[name]) * less for name in ("sn_mva", "vk_percent", "vkr_percent")}
    up = {"i0_percent": 0.0, "max_loading_percent": 100.0}
    return {**down, **{name: float(row.get(name, default)) / less for name, default in up.items()}}


def _cell(column: Column, value: Any) -> Cell:
    if column.kind == "whole":
        return int(value)
    if column.kind == "switch":
        return bool(value)
    return float(value) if column.kind == "number" else str(value)


def _place(geo: Any) -> dict[str, Cell]:
    try:
        lon, lat = json.loads(geo)["coordinates"][:2]
    except (TypeError, ValueError, KeyError):
        return {}
    here = abs(lon) <= 180 and abs(lat) <= 90
    return {"lat": float(lat), "lon": float(lon)} if here else {}


def _dynamic(record: dict[str, Any], source: str) -> dict[str, Cell]:
    row = {name: value for name, value in record.items() if value is not None and value == value}  # noqa: PLR0124
    return {**row, "evidence": row.get("evidence", "published"), "source": row.get("source", source)}


def write_pandapower(case: Case, path: Path) -> None:
    """Write a case as a pandapower net (.json) that carries all its tables, dynamic ones included.

    Raises
    ------
    CaseError
        When the file's ending is not .json.
    """
    if path.suffix.lower() != ".json":
        msg = f"{path}: {path.suffix!r} is not written (allowed: .json)"
        raise CaseError(msg)
    net = copy.deepcopy(case.net)
    everything = read_units(case)
    for model in device_names():
        units = [u for u in everything if u.model == model]
        if units:
            fields = device(model).params_type.model_fields
            net[model] = pd.DataFrame(
                [{"name": u.element, **{f: getattr(u.params, f) for f in fields}} for u in units]
            )
    pp.to_json(net, str(path))
