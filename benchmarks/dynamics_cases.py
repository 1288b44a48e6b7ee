"""Networks for `dynamics_vs_andes.py`: the same data for both sides, converted at run time.

NPCC comes from the file ANDES ships; the PEGASE networks from pandapower, with generic dynamics at every
generator: GENROU, TGOV1 and SEXS with one set of parameters on the machine's rating.
"""

from typing import Any

import numpy as np
import pandapower as pp
import pandas as pd
from pandapower import networks
from pandapower.converter.pypower.to_ppc import to_ppc

from grids.case import Case

VN_KV = 100.0
"""One level for all buses of a case given in per unit; on 100 MVA the base impedance is 100 ohm."""

GENROU = {
    "D": 2.0, "ra": 0.0, "xl": 0.15, "xd": 1.8, "xq": 1.7, "xd1": 0.3, "xq1": 0.55, "xd2": 0.25,
    "Td10": 8.0, "Tq10": 0.4, "Td20": 0.03, "Tq20": 0.05, "S10": 0.0, "S12": 0.0,
}  # fmt: skip
"""Kundur 1994, table 4.2 and example 12.6: a large thermal unit."""
INERTIA_S = 4.0
TGOV1 = {"R": 0.05, "VMAX": 1.5, "VMIN": -1.5, "T1": 0.5, "T2": 2.1, "T3": 7.0, "Dt": 0.0}
SEXS = {"TATB": 0.1, "TB": 10.0, "K": 100.0, "TE": 0.05, "EMIN": -20.0, "EMAX": 20.0}

COLUMNS = {
    "genrou": {
        "Sn": "sn_mva", "D": "d_pu", "ra": "ra_pu", "xl": "xl_pu", "xd": "xd_pu", "xq": "xq_pu",
        "xd1": "xd1_pu", "xq1": "xq1_pu", "xd2": "xd2_pu", "Td10": "td10_s", "Tq10": "tq10_s",
        "Td20": "td20_s", "Tq20": "tq20_s", "S10": "s10_pu", "S12": "s12_pu",
    },
    "gencls": {"Sn": "sn_mva", "D": "d_pu", "ra": "ra_pu", "xd1": "xd1_pu"},
    "tgov1": {
        "Tn": "sn_mva", "R": "r_pu", "VMAX": "vmax_pu", "VMIN": "vmin_pu",
        "T1": "t1_s", "T2": "t2_s", "T3": "t3_s", "Dt": "dt_pu",
    },
    "ieeex1": {
        "TR": "tr_s", "TA": "ta_s", "TB": "tb_s", "TC": "tc_s", "TE": "te_s", "TF1": "tf1_s",
        "KF1": "kf1_pu", "KA": "ka_pu", "KE": "ke_pu", "VRMAX": "vrmax_pu", "VRMIN": "vrmin_pu",
        "E1": "e1_pu", "SE1": "se1_pu", "E2": "e2_pu", "SE2": "se2_pu",
    },
    "sexs": {
        "TATB": "ta_tb_pu", "TB": "tb_s", "K": "k_pu", "TE": "te_s", "EMIN": "emin_pu", "EMAX": "emax_pu",
    },
}  # fmt: skip
"""ANDES's parameters in our tables."""


def from_andes(name: str, tables: dict[str, list[dict[str, Any]]]) -> Case:
    """Return a case from the tables of an ANDES file, all its values on the bases of the file."""
    net = pp.create_empty_network(f_hz=60.0, sn_mva=100.0)
    bus = {row["idx"]: pp.create_bus(net, VN_KV, name=f"bus_{row['idx']}") for row in tables["Bus"]}
    ohm, siemens = VN_KV**2 / 100.0, 100.0 / VN_KV**2
    for row in tables["Line"]:
        if row["tap"] != 1.0 or row["phi"] != 0.0:
            msg = (
                f"{name}: {row['idx']} has tap={row['tap']}, phi={row['phi']}; only plain lines are converted"
            )
            raise ValueError(msg)
        pp.create_line_from_parameters(
            net, bus[row["bus1"]], bus[row["bus2"]], 1.0, row["r"] * ohm, row["x"] * ohm,
            row["b"] * siemens / (2 * np.pi * 60.0) * 1e9, 10.0, name=str(row["idx"]),
        )  # fmt: skip
    for row in tables.get("Shunt", []):
        pp.create_shunt(net, bus[row["bus"]], -100.0 * row["b"], 100.0 * row["g"], name=str(row["idx"]))
    for row in tables["PQ"]:
        pp.create_load(net, bus[row["bus"]], 100.0 * row["p0"], 100.0 * row["q0"], name=str(row["idx"]))
    for row in tables["PV"]:
        pp.create_gen(net, bus[row["bus"]], 100.0 * row["p0"], row["v0"], name=f"gen_{row['idx']}")
    for row in tables["Slack"]:
        pp.create_ext_grid(net, bus[row["bus"]], row["v0"], np.rad2deg(row["a0"]), name=f"gen_{row['idx']}")
    machine: dict[Any, str] = {}
    for model in ("GENROU", "GENCLS"):
        rows = []
        for row in tables.get(model, []):
            machine[row["idx"]] = f"gen_{row['gen']}"
            rows.append({"name": machine[row["idx"]], "h_s": row["M"] / 2, **_renamed(model, row)})
        net[model.lower()] = pd.DataFrame(rows)
    for model in ("TGOV1", "IEEEX1"):
        rows = [{"name": machine[row["syn"]], **_renamed(model, row)} for row in tables.get(model, [])]
        net[model.lower()] = pd.DataFrame(rows)
    return Case(name, None, net, {}, None, {"f_nominal_hz": 60.0})


def _renamed(model: str, row: dict[str, Any]) -> dict[str, Any]:
    return {ours: row[theirs] for theirs, ours in COLUMNS[model.lower()].items()}


def pegase(name: str) -> tuple[Case, dict[str, list[dict[str, Any]]]]:
    """Return a PEGASE network of pandapower with generic dynamics, as our case and as ANDES's tables."""
    net = getattr(networks, name)()
    for _, row in net.sgen.iterrows():
        pp.create_load(net, int(row["bus"]), -row["p_mw"], -row["q_mvar"])
    net.sgen = net.sgen.drop(net.sgen.index)
    for table in ("bus", "gen", "ext_grid", "load", "line", "trafo", "shunt"):
        net[table]["name"] = [f"{table}_{i}" for i in net[table].index]
    pp.runpp(net, tolerance_mva=1e-9)
    rated = _ratings(net)
    tables: dict[str, list[dict[str, Any]]] = _static_tables(net, rated)
    for model, values in (("genrou", GENROU), ("tgov1", TGOV1), ("sexs", SEXS)):
        rows = []
        for gen, sn_mva in rated.items():
            own = {ours: values[theirs] for theirs, ours in COLUMNS[model].items() if theirs in values}
            more = {"sn_mva": sn_mva, "h_s": INERTIA_S} if model == "genrou" else {}
            rows.append({"name": gen, **own, **more})
        net[model] = pd.DataFrame(rows)
    case = Case(name, None, net, {}, None, {"f_nominal_hz": float(net.f_hz)})
    return case, tables


def _ratings(net: Any) -> dict[str, float]:
    """Return the rating of each machine: a fifth above what it delivers, at least 20 MVA."""
    rated = {}
    for table in ("gen", "ext_grid"):
        result = net[f"res_{table}"]
        size = np.hypot(result["p_mw"], result["q_mvar"])
        rated |= dict(zip(net[table]["name"], np.maximum(1.2 * size, 20.0).tolist(), strict=True))
    return rated


def _static_tables(net: Any, rated: dict[str, float]) -> dict[str, list[dict[str, Any]]]:
    """Return network, dispatch and machines in ANDES's words, from the solved net."""
    ppc = to_ppc(net, init="results", calculate_voltage_angles=True)
    bus, branch = ppc["bus"], ppc["branch"].real
    lookup = net["_pd2ppc_lookups"]["bus"]
    tables: dict[str, list[dict[str, Any]]] = {"Bus": [], "Line": [], "Shunt": [], "PQ": []}
    for i, row in enumerate(bus):
        tables["Bus"].append({"idx": i, "Vn": row[9], "v0": row[7], "a0": np.deg2rad(row[8])})
        if row[4] or row[5]:
            tables["Shunt"].append({"bus": i, "Vn": row[9], "g": row[4] / 100.0, "b": row[5] / 100.0})
    for row in branch:
        if row[10] == 1:
            f, t = int(row[0]), int(row[1])
            tables["Line"].append({
                "bus1": f, "bus2": t, "Vn1": bus[f, 9], "Vn2": bus[t, 9], "fn": net.f_hz, "r": row[2],
                "x": row[3], "b": row[4], "tap": row[8] or 1.0, "phi": np.deg2rad(row[9]),
            })  # fmt: skip
    for _, row in net.load.iterrows():
        at = int(lookup[row["bus"]])
        p, q = row["p_mw"] * row["scaling"] / 100.0, row["q_mvar"] * row["scaling"] / 100.0
        tables["PQ"].append({"idx": row["name"], "bus": at, "Vn": bus[at, 9], "p0": p, "q0": q})
    machines: dict[str, list[dict[str, Any]]] = {n: [] for n in ("PV", "Slack", "GENROU", "TGOV1", "SEXS")}
    for table, model in (("gen", "PV"), ("ext_grid", "Slack")):
        for index, row in net[table].iterrows():
            name, at = row["name"], int(lookup[row["bus"]])
            result = net[f"res_{table}"].loc[index]
            common = {"bus": at, "Vn": bus[at, 9], "Sn": rated[name]}
            static = {
                **common, "idx": name, "v0": bus[at, 7], "p0": result["p_mw"] / 100.0,
                "q0": result["q_mvar"] / 100.0,
            }  # fmt: skip
            machines[model].append(static | ({"a0": np.deg2rad(bus[at, 8])} if model == "Slack" else {}))
            syn = f"GENROU_{name}"
            own = {**common, "idx": syn, "gen": name, "fn": net.f_hz, "M": 2 * INERTIA_S, **GENROU}
            machines["GENROU"].append({**own, "xq2": GENROU["xd2"]})
            machines["TGOV1"].append({"syn": syn, **TGOV1})
            machines["SEXS"].append({"syn": syn, **SEXS})
    return tables | machines
