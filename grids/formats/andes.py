"""A case for ANDES: network, loads, machines and their controls, as JSON or xlsx.

The network is that of the solved operating point, so ANDES's own power flow must find the same voltages.
Loads are `PQ`, which ANDES turns into constant impedances when it simulates, as `simulate` does here.
ANDES adds 1e-8 to resistance and reactance of every line, which is taken off here.
"""

import json
import math
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandapower.pypower.idx_brch import BR_R, BR_X, SHIFT, TAP

from cosim.core.errors import CaseError, collected
from cosim.core.types import Floats
from grids.build import internal_arrays, two_ports
from grids.case import Case
from grids.dynamics.operating import Element, OperatingPoint, solve_operating_point
from grids.dynamics.registry import device
from grids.dynamics.tables import Unit, read_units
from grids.formats.andes_models import LIMITS_FOLLOW_VOLTAGE, MODELS, AndesModel
from grids.numbers import Complexes

Records = dict[str, list[dict[str, Any]]]

BASE_MVA = 100.0
"""ANDES's system base; everything without a rating of its own is on it."""
ADDED_PU = 1e-8
"""What ANDES 2.0 adds to the resistance and reactance of every line."""
SUFFIXES = (".json", ".xlsx")
NO_SATURATION = {"E1": 0.0, "SE1": 0.0, "E2": 1.0, "SE2": 1.0}
"""What ANDES takes for an exciter without saturation."""
SMALLEST_PU = 1e-12
ROUNDING_PU = 1e-12
"""Of a branch's admittance: shunts below are rounding."""
MAKERS = ("gen", "ext_grid")
ROLES = ("machine", "governor", "exciter", "stabiliser")


def andes_records(case: Case) -> tuple[Records, list[str]]:
    """Return the devices of a case by ANDES model, and remarks on what differs there.

    Raises
    ------
    CaseError
        With all units whose model `andes_models` does not have.
    SolveError
        When the power flow has no solution.
    """
    point = solve_operating_point(case)
    units = [u for u in read_units(case) if _lives(u, point)]
    missing = sorted({u.model for u in units} - set(MODELS) - {"zip"})
    lines = []
    for model in missing:
        of = ", ".join(u.element for u in units if u.model == model)
        lines.append(f"{model}.csv: is not written for ANDES 2.0, of {of}")
    collected(lines, CaseError)
    records: Records = {}
    remarks: list[str] = []
    _network(case, point, _row_names(point), records)
    _injections(point, units, records, remarks)
    _units(point, units, records, remarks)
    _zips(point, units, records, remarks)
    return records, remarks


def write_andes(case: Case, path: Path) -> list[str]:
    """Write a case for ANDES; return remarks on what differs there.

    Raises
    ------
    CaseError
        As `andes_records`, and when the file's ending is neither .json nor .xlsx, or openpyxl is missing
        for the latter.
    """
    if path.suffix.lower() not in SUFFIXES:
        msg = f"{path}: {path.suffix!r} is not written (allowed: {', '.join(SUFFIXES)})"
        raise CaseError(msg)
    if path.suffix.lower() == ".xlsx" and find_spec("openpyxl") is None:
        msg = f"{path}: writing .xlsx needs the package openpyxl (allowed without it: .json)"
        raise CaseError(msg)
    records, remarks = andes_records(case)
    if path.suffix.lower() == ".json":
        path.write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return remarks
    with pd.ExcelWriter(path, engine="openpyxl") as book:
        for model, rows in records.items():
            pd.DataFrame(rows).to_excel(book, sheet_name=model, index_label="uid")
    return remarks


def _lives(unit: Unit, point: OperatingPoint) -> bool:
    found = [e for e in point.elements if e.name == unit.element]
    return bool(found) and found[0].bus >= 0


def _row_names(point: OperatingPoint) -> list[str]:
    """Return the name of each internal bus: the first of the case's buses at it."""
    names = [f"star_{k}" for k in range(point.model.size)]
    for row in range(len(point.bus_names) - 1, -1, -1):
        if point.row_bus[row] >= 0:
            names[point.row_bus[row]] = point.bus_names[row]
    return names


def _network(case: Case, point: OperatingPoint, names: Sequence[str], records: Records) -> None:
    model, v = point.model, point.v_pu
    more = model.base_mva / BASE_MVA
    fn = {"fn": point.f_hz}
    records["Bus"] = [
        {"idx": k + 1, "u": 1, "name": name, "Vn": vn, "v0": float(abs(v[k])), "a0": float(np.angle(v[k]))}
        for k, (name, vn) in enumerate(zip(names, model.vn_kv.tolist(), strict=True))
    ]
    shared = np.flatnonzero(np.abs(model.bus_y) > SMALLEST_PU)
    records["Shunt"] = [
        {
            "idx": f"Shunt_{k + 1}",
            "u": 1,
            "name": f"shunt {names[k]}",
            "bus": k + 1,
            "Sn": BASE_MVA,
            "Vn": float(model.vn_kv[k]),
            "g": float(model.bus_y[k].real) * more,
            "b": float(model.bus_y[k].imag) * more,
            **fn,
        }
        for k in shared.tolist()
    ]
    _, inner = internal_arrays(case.net)
    labels = _branch_names(case, point)
    ports = two_ports(inner["branch"])
    records["Line"] = [
        {
            "idx": f"Line_{k + 1}",
            "u": 1,
            "name": labels.get(k, f"branch_{k}"),
            "bus1": int(model.branch_from[k]) + 1,
            "bus2": int(model.branch_to[k]) + 1,
            "Sn": BASE_MVA,
            "Vn1": float(model.vn_kv[model.branch_from[k]]),
            "Vn2": float(model.vn_kv[model.branch_to[k]]),
            **fn,
            **_branch(inner["branch"][k].real, ports[k], more),
        }
        for k in range(len(ports))
    ]


def _branch_names(case: Case, point: OperatingPoint) -> dict[int, str]:
    names: dict[int, str] = {}
    for table, rows in point.model.rows.items():
        if table in case.net and "name" in case.net[table] and len(case.net[table]) == len(rows):
            names |= dict(zip(rows.tolist(), map(str, case.net[table]["name"]), strict=True))
    return names


def _branch(row: Floats, port: Complexes, more: float) -> dict[str, float]:
    r"""Return ANDES's parameters of a branch of pandapower's, whose `y_ff, y_ft, y_tf, y_tt` are `port`.

    `more` is the case's base over ANDES's.

    .. math::
        y = 1/(r+jx), \quad y_1 = |m|^2 y_{ff} - y, \quad y_2 = y_{tt} - y
    """
    r, x, shift = (float(row[place]) for place in (BR_R, BR_X, SHIFT))
    tap = float(row[TAP]) or 1.0
    phi, y = math.radians(shift), more / complex(r, x)
    first, second = port[0] * more * tap * tap - y, port[3] * more - y
    out = {
        "r": r / more - ADDED_PU,
        "x": x / more - ADDED_PU,
        "tap": tap,
        "phi": phi,
        "trans": int(tap != 1.0 or phi != 0.0),
    }
    if abs(first - second) < ROUNDING_PU * max(1.0, abs(y)):
        both = first + second
        return {**out, "g": _clean(both.real, abs(y)), "b": _clean(both.imag, abs(y))}
    ends = {"g1": first.real, "b1": first.imag, "g2": second.real, "b2": second.imag}
    return {**out, **{name: _clean(value, abs(y)) for name, value in ends.items()}}


def _clean(value: float, size: float) -> float:
    return 0.0 if abs(value) < ROUNDING_PU * max(1.0, size) else float(value)


def _injections(point: OperatingPoint, units: Sequence[Unit], records: Records, remarks: list[str]) -> None:
    """Write loads, and one static generator for all makers at a bus: ANDES shares it by `gammap, gammaq`."""
    alive = [e for e in point.elements if e.bus >= 0]
    more = point.model.base_mva / BASE_MVA
    records["PQ"] = [
        {
            "idx": f"PQ_{e.name}",
            "u": 1,
            "name": e.name,
            "bus": e.bus + 1,
            "Vn": float(point.model.vn_kv[e.bus]),
            "p0": -e.s_pu.real * more,
            "q0": -e.s_pu.imag * more,
            "vmax": 2.0,
            "vmin": 0.1,
        }
        for e in alive
        if e.table not in MAKERS
    ]
    if any(e.table not in {*MAKERS, "load"} for e in alive):
        remarks.append("static generators and the like are loads, which ANDES turns into impedances")
    records["Slack"], records["PV"] = [], []
    for bus in dict.fromkeys(e.bus for e in _makers(alive)):
        here = [e for e in _makers(alive) if e.bus == bus]
        total = sum((e.s_pu for e in here), start=0j)
        slack = any(e.table == "ext_grid" for e in here)
        names = {e.name for e in here}
        rated = [u.params for u in units if u.element in names and device(u.model).role == "machine"]
        rating = sum(float(getattr(params, "sn_mva", 0.0)) for params in rated)
        row = {
            "idx": _static(bus),
            "u": 1,
            "name": " ".join(e.name for e in here),
            "bus": bus + 1,
            "Sn": rating or BASE_MVA,
            "Vn": float(point.model.vn_kv[bus]),
            "p0": total.real * more,
            "q0": total.imag * more,
            "v0": float(abs(point.v_pu[bus])),
        }
        if slack:
            row["a0"] = float(np.angle(point.v_pu[bus]))
        records["Slack" if slack else "PV"].append(row)


def _makers(elements: Sequence[Element]) -> list[Element]:
    return [e for e in elements if e.table in MAKERS]


def _static(bus: int) -> str:
    return f"static_{bus + 1}"


def _units(point: OperatingPoint, units: Sequence[Unit], records: Records, remarks: list[str]) -> None:
    """Write machines, then what hangs on them."""
    elements = {e.name: e for e in point.elements}
    total: dict[int, complex] = {}
    for e in _makers(point.elements):
        total[e.bus] = total.get(e.bus, 0j) + e.s_pu
    host: dict[tuple[str, str], str] = {}
    by_role = [u for role in ROLES for u in units if device(u.model).role == role]
    for unit in by_role:
        model, role, e = MODELS[unit.model], device(unit.model).role, elements[unit.element]
        params = unit.params.model_dump()
        name = _name(model, params)
        idx = f"{name}_{unit.element}"
        row: dict[str, Any] = {"idx": idx, "u": 1, "name": unit.element}
        if model.host == "gen":
            row |= {"bus": e.bus + 1, "gen": _static(e.bus), **_share(e.s_pu, total[e.bus])}
            row |= {"Vn": float(point.model.vn_kv[e.bus]), "fn": point.f_hz, "M": 2.0 * params["h_s"]}
            host[unit.element, "syn"] = idx
        else:
            above = host.get((unit.element, model.host))
            if above is None:
                wanted = "machine" if model.host == "syn" else "exciter"
                remarks.append(f"{unit.model} of {unit.element} is left out: it has no {wanted} there")
                continue
            row[model.host] = above
        row |= _params(unit, name, model, params, remarks)
        if role == "exciter":
            host[unit.element, "avr"] = idx
        records.setdefault(name, []).append(row)


def _name(model: AndesModel, params: Mapping[str, Any]) -> str:
    banded = model.with_dead_band and (params["dbl_pu"] != 0.0 or params["dbu_pu"] != 0.0)
    return model.with_dead_band if banded else model.name


def _share(part: complex, whole: complex) -> dict[str, float]:
    """Return the shares of a machine in the static generator of its bus."""
    gammap = part.real / whole.real if whole.real else 1.0
    return {"gammap": gammap, "gammaq": part.imag / whole.imag if whole.imag else 1.0}


def _params(
    unit: Unit, name: str, model: AndesModel, params: Mapping[str, Any], remarks: list[str]
) -> dict[str, Any]:
    out = {theirs: params[ours] for ours, theirs in model.params.items()}
    if name == "GENROU":
        out["xq2"] = params["xd2_pu"]
    if name == model.with_dead_band:
        out |= {"dbL": params["dbl_pu"], "dbU": params["dbu_pu"]}
    if out.get("Tn") == 0.0:
        del out["Tn"]
    if params.get("se1_pu") == 0.0:
        out |= NO_SATURATION
    if params.get("plim_pu"):
        remarks.append(f"{unit.model} of {unit.element}: the limit of its answer to speed is left out")
    if not model.with_dead_band and (params.get("dbl_pu") or params.get("dbu_pu")):
        remarks.append(f"{unit.model} of {unit.element}: its dead-band is left out")
    follows = LIMITS_FOLLOW_VOLTAGE.get(unit.model)
    if follows is not None and params["vr_follows_v_code"] != follows:
        how = "follow" if follows else "do not follow"
        remarks.append(f"{unit.model} of {unit.element}: regulator limits {how} the voltage in ANDES 2.0")
    return out


def _zips(point: OperatingPoint, units: Sequence[Unit], records: Records, remarks: list[str]) -> None:
    """Write the mixture of loads that have a row in `zip.csv`."""
    table = {e.name: e.table for e in point.elements}
    for unit in units:
        if unit.model != "zip":
            continue
        p: Any = unit.params
        if table[unit.element] != "load" or p.kpf_pu or p.kqf_pu:
            remarks.append(f"zip of {unit.element} is left out: ANDES's ZIP is for loads, without frequency")
            continue
        shares = {f"k{a}{b}": 100.0 * getattr(p, f"{a}{b}_pu") for a in "pq" for b in "zip"}
        row = {"idx": f"ZIP_{unit.element}", "u": 1, "name": unit.element, "pq": f"PQ_{unit.element}"}
        records.setdefault("ZIP", []).append({**row, **shares})
