"""What a case makes power with and exchanges power through, one row an element."""

from typing import Any

import pandas as pd

from grids.elements import bus_rows

MACHINES = {"coal": "coal", "gas": "gas", "hydro": "hydro", "pumped": "pumped_storage", "nuclear": "nuclear"}
"""First word of a plant type (after `rest_`) -> kind."""

KINDS = (
    *("coal", "gas", "nuclear", "thermal", "hydro", "pumped_storage"),
    *("wind", "pv", "storage", "other", "condenser"),
)
"""Kinds of plants; `thermal` are plants without a machine of their own."""

EXCHANGE = ("dc", "interchange", "slack")
"""Kinds that bring power from outside: direct-current links, schedules with neighbours, and the balance."""


def makers_of(net: Any) -> pd.DataFrame:
    """Return all plants, ends of direct-current links and interchanges of a net.

    Columns are `name, name_zh, table, bus` (row of `net.bus`), `kind` (of `KINDS` or `EXCHANGE`),
    `rated_mw`, `p_mw` (> 0 into the grid, nan of a slack), `in_service, evidence, source, note`.
    """
    frames = [
        _machines(net.gen) if len(net.gen) else None,
        _injections(net.sgen) if len(net.sgen) else None,
        net.ext_grid.assign(kind="slack", rated_mw=float("nan"), p_mw=float("nan"), table="ext_grid"),
    ]
    shown = ("name", "name_zh", "table", "bus", "kind", "rated_mw", "p_mw", "in_service")
    texts = ("name_zh", "evidence", "source", "note")
    tables = []
    for frame in frames:
        if frame is not None:
            filled = frame.assign(**{c: "" for c in texts if c not in frame})
            tables.append(filled[[*shown, "evidence", "source", "note"]])
    found: pd.DataFrame = pd.concat(tables, ignore_index=True)
    found["bus"] = bus_rows(net, found["bus"])
    found[list(texts)] = found[list(texts)].fillna("")
    return found


def _machines(gen: pd.DataFrame) -> pd.DataFrame:
    """Return machines; one that is not dispatched is an interchange or, without power, a condenser."""
    kinds = [
        _machine(str(plant), dispatchable=bool(own), still=low == high == 0.0)
        for plant, own, low, high in zip(
            gen["plant_type"], gen["dispatchable"], gen["min_p_mw"], gen["max_p_mw"], strict=True
        )
    ]
    p_mw = gen["p_mw"] * gen["scaling"].fillna(1.0)
    return gen.assign(kind=kinds, rated_mw=gen["max_p_mw"], p_mw=p_mw, table="gen")


def _machine(plant_type: str, *, dispatchable: bool, still: bool) -> str:
    if not dispatchable:
        return "condenser" if still else "interchange"
    first = plant_type.removeprefix("rest_").split("_")[0]
    return MACHINES.get(first, "condenser" if first == "condenser" else "other")


def _injections(sgen: pd.DataFrame) -> pd.DataFrame:
    names = {"rest": "interchange"}
    kinds = [names.get(kind, kind if kind in (*KINDS, "dc") else "other") for kind in sgen["type"].fillna("")]
    p_mw = sgen["p_mw"] * sgen["scaling"].fillna(1.0)
    return sgen.assign(kind=kinds, rated_mw=sgen["sn_mva"], p_mw=p_mw, table="sgen")
