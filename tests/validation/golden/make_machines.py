"""Make the golden files of machines, governors, exciters and stabilisers: ANDES on `machines.json`.

    python tests/validation/golden/make_machines.py      # needs andes==2.0.0 and pandas, about 5 min

Network and dispatch are those of `kundur`. The system's base is 900 MVA, the rating of every machine,
because ANDES 2.0 mixes bases inside HYGOV (flow), IEEEG1 (rates) and ESST3A (current); HYGOV has
`rtemp_pu * tr_s = 1` because ANDES integrates without it; ESDC2A has no sensing lag because ANDES goes
past it. GENSAL, which ANDES does not have, is its GENROU with x'q = xq and no saturation, the same
equations. Trapezoidal rule at a fixed step of 1 ms, 12 s, every 56th point kept (18 Hz).
"""

import json
from pathlib import Path

import andes
import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
BASE_MVA = 900.0
KEEP_EVERY, STEP_S, END_S = 56, 1e-3, 12.0

# ruff: noqa: E501 - tables are read across
NAMES = {
    "genrou": {
        "sn_mva": "Sn", "d_pu": "D", "ra_pu": "ra", "xl_pu": "xl", "xd_pu": "xd", "xq_pu": "xq", "xd1_pu": "xd1",
        "xq1_pu": "xq1", "xd2_pu": "xd2", "td10_s": "Td10", "tq10_s": "Tq10", "td20_s": "Td20", "tq20_s": "Tq20",
    },
    "ieeeg1": {
        "k_pu": "K", "uo_pu_per_s": "UO", "uc_pu_per_s": "UC", "pmax_pu": "PMAX", "pmin_pu": "PMIN",
        **{f"t{i}_s": f"T{i}" for i in range(1, 8)}, **{f"k{i}_pu": f"K{i}" for i in range(1, 9)},
    },
    "hygov": {
        "rperm_pu": "R", "rtemp_pu": "r", "tr_s": "Tr", "tf_s": "Tf", "tg_s": "Tg", "velm_pu_per_s": "VELM",
        "gmax_pu": "GMAX", "gmin_pu": "GMIN", "tw_s": "Tw", "at_pu": "At", "dt_pu": "Dt", "qnl_pu": "qNL",
    },
    "gast": {
        "r_pu": "R", "t1_s": "T1", "t2_s": "T2", "t3_s": "T3", "at_pu": "AT", "kt_pu": "KT", "vmax_pu": "VMAX",
        "vmin_pu": "VMIN", "dt_pu": "Dt",
    },
    "esdc2a": {
        "tr_s": "TR", "ka_pu": "KA", "ta_s": "TA", "tb_s": "TB", "tc_s": "TC", "vrmax_pu": "VRMAX",
        "vrmin_pu": "VRMIN", "ke_pu": "KE", "te_s": "TE", "kf1_pu": "KF", "tf1_s": "TF1", "e1_pu": "E1",
        "se1_pu": "SE1", "e2_pu": "E2", "se2_pu": "SE2",
    },
    "exst1": {
        "tr_s": "TR", "vimax_pu": "VIMAX", "vimin_pu": "VIMIN", "tc_s": "TC", "tb_s": "TB", "ka_pu": "KA",
        "ta_s": "TA", "vrmax_pu": "VRMAX", "vrmin_pu": "VRMIN", "kc_pu": "KC", "kf_pu": "KF", "tf_s": "TF",
    },
    "esst3a": {
        "tr_s": "TR", "vimax_pu": "VIMAX", "vimin_pu": "VIMIN", "km_pu": "KM", "tc_s": "TC", "tb_s": "TB",
        "ka_pu": "KA", "ta_s": "TA", "vrmax_pu": "VRMAX", "vrmin_pu": "VRMIN", "kg_pu": "KG", "kp_pu": "KP",
        "ki_pu": "KI", "vbmax_pu": "VBMAX", "kc_pu": "KC", "xl_pu": "XL", "vgmax_pu": "VGMAX",
        "thetap_degree": "THETAP", "tm_s": "TM", "vmmax_pu": "VMMAX", "vmmin_pu": "VMMIN",
    },
    "st2cut": {
        "mode1_code": "MODE", "mode2_code": "MODE2", "k1_pu": "K1", "k2_pu": "K2", "lsmax_pu": "LSMAX",
        "lsmin_pu": "LSMIN", **{f"t{i}_s": f"T{i}" for i in range(1, 11)},
    },
}  # fmt: skip
ABSENT = {
    "ieeeg1": {f"K{i}": 0.0 for i in range(1, 9)} | {f"T{i}": 0.0 for i in range(1, 8)},
    "esdc2a": {"TR": 0.0, "TB": 0.0, "TC": 0.0},
    "st2cut": {f"T{i}": 0.0 for i in range(1, 11)} | {"MODE2": 0, "VCU": 0.0, "VCL": 0.0},
}
"""What a missing column of ours means, where ANDES's default is another."""
EVENTS = {
    "load_step": ("Alter", {"model": "PQ", "dev": "PQ_0", "src": "Req", "t": 1.0, "method": "+"}),
    "gen_trip": ("Toggle", {"model": "GENROU", "dev": "gen_2", "t": 1.0}),
    "bus_fault": ("Fault", {"bus": 8, "tf": 1.0, "tc": 1.1, "xf": 1e-4 * BASE_MVA / 100, "rf": 0.0}),
}


def build() -> andes.System:
    """Return kundur's network on the machines' base, with the units of `machines.json`."""
    theirs = andes.load(
        andes.get_case("kundur/kundur_full.xlsx"), setup=False, no_output=True, default_config=True
    )
    system = andes.System(no_output=True, default_config=True)
    system.config.mva = BASE_MVA
    for model in ("Area", "Bus", "PQ", "PV", "Slack", "Line"):
        for row in getattr(theirs, model).as_df().to_dict("records"):
            scaled = {
                key: row[key] * 100 / BASE_MVA
                for key in ("p0", "q0", "pmax", "pmin", "qmax", "qmin")
                if key in row
            }
            system.add(model, {key: value for key, value in (row | scaled).items() if not pd.isna(value)})
    units = json.loads((HERE / "machines.json").read_text())
    salient = [row | {"xq1_pu": row["xq_pu"], "tq10_s": 1.0} for row in units["gensal"]]
    for row in (*units["genrou"], *salient):
        number = int(row["name"].removeprefix("gen_"))
        given = {NAMES["genrou"][key]: value for key, value in row.items() if key in NAMES["genrou"]}
        fixed = {
            "idx": row["name"],
            "bus": number,
            "gen": number,
            "Vn": 20.0,
            "M": 2 * row["h_s"],
            "xq2": row["xd2_pu"],
        }
        system.add("GENROU", given | fixed | {"S10": 0.0, "S12": 1.0})
    for model in ("ieeeg1", "hygov", "gast", "esdc2a", "exst1", "esst3a", "st2cut"):
        for row in units[model]:
            given = {NAMES[model][key]: value for key, value in row.items() if key != "name"}
            role = {"avr": f"avr_{row['name']}"} if model == "st2cut" else {"syn": row["name"]}
            idx = f"{'avr' if model.startswith('es') or model == 'exst1' else model}_{row['name']}"
            system.add(model.upper(), ABSENT.get(model, {}) | given | role | {"idx": idx})
    return system


def run(name: str) -> pd.DataFrame:
    """Return the trajectory of one disturbance at t = 1 s."""
    system = build()
    model, event = EVENTS[name]
    if name == "load_step":
        event = event | {"amount": 1.367 * 100 / BASE_MVA / voltage(7) ** 2}
    system.add(model, event)
    system.setup()
    system.PFlow.run()
    config = system.TDS.config
    config.fixt, config.tstep, config.tf, config.no_tqdm, config.criteria = 1, STEP_S, END_S, 1, 0
    system.TDS.run()
    t, x, y = system.dae.ts.t, system.dae.ts.x, system.dae.ts.y
    machines = system.GENROU
    omega, inertia = x[:, machines.omega.a], machines.M.v * np.ones((t.size, machines.n))
    if name == "gen_trip":
        inertia[t >= 1.0, list(machines.idx.v).index("gen_2")] = 0.0
    frame = {"t": t, "f_coi_hz": 60.0 * (omega * inertia).sum(1) / inertia.sum(1)}
    frame |= {f"speed_{idx}": omega[:, k] for k, idx in enumerate(machines.idx.v)}
    frame |= {
        f"vm_bus_{b}": y[:, system.Bus.v.a[k]] for k, b in enumerate(system.Bus.idx.v) if b in (1, 2, 3, 6, 8)
    }
    for group, column, variable in (("Exciter", "vf", "vout"), ("TurbineGov", "tm", "pout")):
        for one in system.groups[group].models.values():
            for k, syn in enumerate(one.syn.v if one.n else ()):
                frame[f"{column}_{syn}"] = y[:, getattr(one, variable).a[k]]
    return pd.DataFrame(frame).iloc[::KEEP_EVERY]


def voltage(bus: int) -> float:
    """Return the voltage of the operating point at a bus [pu]."""
    system = build()
    system.setup()
    system.PFlow.run()
    return float(system.Bus.v.v[list(system.Bus.idx.v).index(bus)])


if __name__ == "__main__":
    for disturbance in EVENTS:
        run(disturbance).to_csv(
            HERE / f"machines_{disturbance}.csv.gz",
            index=False,
            float_format="%.8g",
            compression={"method": "gzip", "mtime": 0},
        )
