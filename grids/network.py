"""Any pandapower network as a case: names made unique, one synchronous area, generic machines."""

import inspect
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd

from cosim.core.errors import CaseError
from cosim.core.registry import nearest

AREA = "system"
LOAD_DAMPING_PU = 1.5
POWER_FACTOR_PU = 0.9
"""Rated power factor of large turbine generators."""
PLANT_TYPE = "rest_coal"
REST_OVER_LOAD_PU = 10.0
"""Size of the system behind an ext_grid without a rating, over the load of the net."""

_ELEMENTS = ("bus", "line", "trafo", "trafo3w", "load", "gen", "sgen", "shunt", "ext_grid")
_FILES = {".json": "from_json", ".xlsx": "from_excel"}


def read_network(name_or_file: str) -> Any:
    """Return the pandapower net a file holds (.json, .xlsx) or a function of pandapower.networks makes.

    Raises
    ------
    CaseError
        When there is no such file or function, or what it gives is not a pandapower net.
    """
    path = Path(name_or_file)
    if path.suffix.lower() in _FILES:
        return _read_file(path)
    from pandapower import networks  # noqa: PLC0415 - half a second, for this path only

    made = getattr(networks, name_or_file, None)
    if not inspect.isfunction(made):
        known = [name for name in dir(networks) if not name.startswith("_")]
        msg = (
            f"{name_or_file!r} is neither a .json or .xlsx file nor a network of pandapower.networks."
            f"{nearest(name_or_file, known)}"
        )
        raise CaseError(msg)
    return _checked(made(), name_or_file)


def _read_file(path: Path) -> Any:
    if not path.is_file():
        msg = f"{path}: no such file (allowed: a pandapower net as .json or .xlsx)"
        raise CaseError(msg)
    try:
        net = getattr(pp, _FILES[path.suffix.lower()])(str(path))
    except Exception as error:  # whatever a broken file makes pandapower's readers raise
        msg = f"{path}: cannot be read as a pandapower net: {error}"
        raise CaseError(msg) from error
    return _checked(net, str(path))


def _checked(net: Any, label: str) -> Any:
    if not isinstance(net, pp.pandapowerNet) or len(net.bus) == 0:
        msg = f"{label}: is not a pandapower net with buses"
        raise CaseError(msg)
    if not len(net.ext_grid[net.ext_grid["in_service"]]) and not net.gen.get("slack", pd.Series()).any():
        msg = f"{label}: has no ext_grid in service, so no slack (allowed: one per connected network)"
        raise CaseError(msg)
    return net


def complete_network(net: Any) -> dict[str, str]:
    """Add what a case needs and a plain net lacks; return the assumptions made, in words."""
    assumed = {"plant_type": f"generators without plant_type are {PLANT_TYPE}"}
    for table in _ELEMENTS:
        if table in net and len(net[table]):
            net[table]["name"] = _unique_names(net[table], table)
    if "area" not in net.bus:
        net.bus["area"] = AREA
        assumed["area"] = "all buses lie in one synchronous area"
    _complete_gens(net)
    if "points" not in net:
        index = net.bus.index.to_numpy()
        net["points"] = pd.DataFrame({"name": net.bus["name"].to_numpy(), "bus": index})
    if "areas" not in net:
        _add_areas(net, assumed)
    return assumed


def _unique_names(frame: pd.DataFrame, table: str) -> list[str]:
    names = [_name(value) for value in frame["name"]]
    taken = [name for name in names if name and names.count(name) == 1]
    fallback = [f"{table}_{index}" for index in frame.index]
    return [n if n in taken else f for n, f in zip(names, fallback, strict=True)]


def _name(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value).strip()


def _filled(frame: pd.DataFrame, column: str, default: Any) -> Any:
    if column not in frame:
        return default
    return frame[column].where(frame[column].notna(), default)


def _complete_gens(net: Any) -> None:
    gen = net.gen
    if not len(gen):
        return
    largest = np.maximum(gen["p_mw"].to_numpy(dtype=np.float64), 1e-3)
    gen["max_p_mw"] = _filled(gen, "max_p_mw", pd.Series(largest, index=gen.index)).astype(np.float64)
    gen["min_p_mw"] = _filled(gen, "min_p_mw", 0.0)
    rating = (gen["max_p_mw"].clip(lower=1e-3) / POWER_FACTOR_PU).astype(np.float64)
    gen["sn_mva"] = _filled(gen, "sn_mva", rating).astype(np.float64)
    gen["plant_type"] = _filled(gen, "plant_type", PLANT_TYPE)
    gen["responding_pu"] = _filled(gen, "responding_pu", 1.0)
    gen["dispatchable"] = _filled(gen, "dispatchable", default=True)
    gen["participation_pu"] = _filled(gen, "participation_pu", 1.0)


def _add_areas(net: Any, assumed: dict[str, str]) -> None:
    """Add one area, and the machines behind ext_grids as its rest."""
    load_mw = float((net.load["p_mw"] * net.load["scaling"])[net.load["in_service"]].sum())
    slack = net.ext_grid[net.ext_grid["in_service"]]
    rated = _filled(slack, "max_p_mw", math.nan)
    rated_mw = [float(value) for value in np.broadcast_to(rated, len(slack))]
    unrated = [name for name, p_mw in zip(slack["name"], rated_mw, strict=True) if not p_mw > 0]
    rest_mw = REST_OVER_LOAD_PU * max(load_mw, 1.0)
    if unrated:
        assumed["rest"] = (
            f"behind {', '.join(unrated)} lies a system with {rest_mw:g} MW of load, "
            f"{REST_OVER_LOAD_PU:g} times that of the net"
        )
    sn_mva = sum(p for p in rated_mw if p > 0) / POWER_FACTOR_PU + (
        rest_mw / 0.8 / POWER_FACTOR_PU if unrated else 0.0
    )
    area = str(net.bus["area"].iloc[0])
    f_hz = float(net.f_hz)
    capacity_mw = sn_mva * POWER_FACTOR_PU + float(net.gen.get("max_p_mw", pd.Series(dtype=float)).sum())
    rest_load_mw = rest_mw if unrated else 0.0
    bias = capacity_mw / (0.05 * f_hz) + LOAD_DAMPING_PU * (load_mw + rest_load_mw) / f_hz
    net["areas"] = pd.DataFrame(
        {
            "name": [area],
            "f_nominal_hz": [f_hz],
            "rest_load_mw": [rest_load_mw],
            "load_damping_pu": [LOAD_DAMPING_PU],
            "agc_bias_mw_per_hz": [bias],
        }
    )
    rest = {
        "area": [area],
        "plant_type": [PLANT_TYPE],
        "sn_mva": [sn_mva],
        "p_mw": [0.8 * sn_mva * POWER_FACTOR_PU],
    }
    net["rest_fleet"] = pd.DataFrame({**rest, "responding_pu": [1.0]}).iloc[: len(slack)]
    shares = [1.0 / max(len(slack), 1)] * len(slack)  # none where a generator is the slack
    ties = {"element": list(slack["name"]), "area": [area] * len(slack), "share_pu": shares}
    net["ties"] = pd.DataFrame(ties)
