"""Write the cases `ieee39_andes` and `kundur` from the files ANDES ships (development only).

Needs `pip install andes==2.0.0` in an environment of its own; run from the repository root:
`python tests/validation/golden/make_cases.py`.
"""

import csv
import math
from pathlib import Path

import andes

CASES = Path(__file__).resolve().parents[3] / "grids" / "cases"
BASE_MVA, F_HZ = 100.0, 60.0
SOURCE = "ANDES 2.0.0"

# ruff: noqa: E501 - tables are read across
COLUMNS = {
    "TGOV1": {"R": "r_pu", "VMAX": "vmax_pu", "VMIN": "vmin_pu", "T1": "t1_s", "T2": "t2_s", "T3": "t3_s", "Dt": "dt_pu"},
    "EXDC2": {
        "TR": "tr_s", "KA": "ka_pu", "TA": "ta_s", "TB": "tb_s", "TC": "tc_s", "VRMAX": "vrmax_pu",
        "VRMIN": "vrmin_pu", "KE": "ke_pu", "TE": "te_s", "KF1": "kf1_pu", "TF1": "tf1_s", "E1": "e1_pu",
        "SE1": "se1_pu", "E2": "e2_pu", "SE2": "se2_pu",
    },
    "IEEEST": {
        "MODE": "mode_code", **{f"A{i}": f"a{i}_s" for i in range(1, 7)}, **{f"T{i}": f"t{i}_s" for i in range(1, 7)},
        "KS": "ks_pu", "LSMAX": "lsmax_pu", "LSMIN": "lsmin_pu", "VCU": "vcu_pu", "VCL": "vcl_pu",
    },
    "GENROU": {
        "Sn": "sn_mva", "D": "d_pu", "ra": "ra_pu", "xl": "xl_pu", "xd": "xd_pu", "xq": "xq_pu", "xd1": "xd1_pu",
        "xq1": "xq1_pu", "xd2": "xd2_pu", "Td10": "td10_s", "Tq10": "tq10_s", "Td20": "td20_s", "Tq20": "tq20_s",
        "S10": "s10_pu", "S12": "s12_pu",
    },
}  # fmt: skip
COLUMNS["TGOV1N"] = COLUMNS["TGOV1"]
COLUMNS["IEEEX1"] = COLUMNS["EXDC2"]


def write(folder: Path, name: str, rows: list[dict[str, object]], origin: bool = True) -> None:
    """Write one table, with its origin."""
    for row in rows:
        if origin:
            row.update(evidence="published", source=SOURCE)
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def number(value: float) -> str:
    """Return a number as ANDES has it."""
    return repr(float(f"{float(value):.12g}"))


def branches(
    system: andes.System, kv: dict[int, float]
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Return lines and transformers; a tap at one side becomes that winding's rated voltage."""
    lines: list[dict[str, object]] = []
    trafos: list[dict[str, object]] = []
    for row in system.Line.as_df().to_dict("records"):
        a, b = row["bus1"], row["bus2"]
        name = f"{'trafo' if kv[a] != kv[b] else 'line'}_{a}_{b}"
        taken = [r["name"] for r in (*lines, *trafos)]
        letters = "bcdef"
        name = next(n for n in (name, *(name + c for c in letters)) if n not in taken)
        if kv[a] == kv[b] and row["tap"] == 1.0:
            z = kv[a] ** 2 / BASE_MVA
            c_nf = row["b"] / (2 * math.pi * F_HZ * z) * 1e9
            lines.append(
                {"name": name, "from_bus": f"bus_{a}", "to_bus": f"bus_{b}", "length_km": 1.0,
                 "r_ohm_per_km": number(row["r"] * z), "x_ohm_per_km": number(row["x"] * z),
                 "c_nf_per_km": repr(c_nf), "max_i_ka": 10.0}
            )  # fmt: skip
            continue
        hv, lv = (a, b) if kv[a] >= kv[b] else (b, a)
        rated = {bus: kv[bus] * (row["tap"] if bus == a else 1.0) for bus in (hv, lv)}
        trafos.append(
            {"name": name, "hv_bus": f"bus_{hv}", "lv_bus": f"bus_{lv}", "sn_mva": BASE_MVA,
             "vn_hv_kv": number(rated[hv]), "vn_lv_kv": number(rated[lv]),
             "vk_percent": repr(100 * math.hypot(row["r"], row["x"])), "vkr_percent": number(100 * row["r"]),
             "max_loading_percent": 2000.0}
        )  # fmt: skip
    return lines, trafos


def dynamics(system: andes.System, folder: Path, element: dict[str, str]) -> None:
    """Write one table per dynamic model; machines give H = M/2."""
    host: dict[object, str] = {}
    for model, key, hosts in (
        ("GENROU", "gen", None),
        ("TGOV1", "syn", "GENROU"),
        ("TGOV1N", "syn", "GENROU"),
        ("EXDC2", "syn", "GENROU"),
        ("IEEEX1", "syn", "GENROU"),
        ("IEEEST", "avr", "exciter"),
    ):
        table = getattr(system, model)
        if not table.n:
            continue
        rows: list[dict[str, object]] = []
        for row in table.as_df().to_dict("records"):
            name = element[str(row[key])] if hosts is None else host[hosts, row[key]]
            host[
                "GENROU" if hosts is None else "exciter" if model in {"EXDC2", "IEEEX1"} else model,
                row["idx"],
            ] = name
            out: dict[str, object] = {"name": name}
            if model == "GENROU":
                out["h_s"] = number(row["M"] / 2)
            out.update(
                {
                    ours: int(row[theirs]) if ours == "mode_code" else number(row[theirs])
                    for theirs, ours in COLUMNS[model].items()
                }
            )
            if model == "EXDC2" and row["SE1"] == 0:
                out["se2_pu"] = 0.0
            rows.append(out)
        write(folder, model.lower(), rows)


def expected(path: str, folder: Path) -> None:
    """Write ANDES's own power flow as the numbers the case must reproduce."""
    system = andes.load(andes.get_case(path), no_output=True, default_config=True)
    system.PFlow.run()
    rows = [
        {"quantity": "vm_pu", "element": f"bus_{i}", "value": repr(float(v)), "tolerance": 1e-6, "unit": "pu",
         "source": f"{SOURCE} power flow"}
        for i, v in zip(system.Bus.idx.v, system.Bus.v.v, strict=True)
    ]  # fmt: skip
    (folder / "expected").mkdir(exist_ok=True)
    write(folder / "expected", "base", rows, origin=False)


def make(name: str, path: str, title: str) -> None:
    """Write one case."""
    system = andes.load(andes.get_case(path), setup=False, no_output=True, default_config=True)
    folder = CASES / name
    (folder / "operating_points" / "base").mkdir(parents=True, exist_ok=True)
    kv = dict(zip(system.Bus.idx.v, system.Bus.Vn.v, strict=True))
    write(
        folder,
        "bus",
        [
            {"name": f"bus_{i}", "vn_kv": number(kv[i]), "area": "all", "min_vm_pu": 0.9, "max_vm_pu": 1.1}
            for i in kv
        ],
    )
    lines, trafos = branches(system, kv)
    write(folder, "line", lines)
    write(folder, "trafo", trafos)
    loads = system.PQ.as_df().to_dict("records")
    write(
        folder,
        "load",
        [
            {
                "name": f"load_{r['bus']}",
                "bus": f"bus_{r['bus']}",
                "p_mw": number(100 * r["p0"]),
                "q_mvar": number(100 * r["q0"]),
            }
            for r in loads
        ],
    )
    if system.Shunt.n:
        shunts = system.Shunt.as_df().to_dict("records")
        write(
            folder,
            "shunt",
            [
                {
                    "name": f"shunt_{r['bus']}",
                    "bus": f"bus_{r['bus']}",
                    "q_mvar": number(-100 * r["b"]),
                    "p_mw": number(100 * r["g"]),
                }
                for r in shunts
            ],
        )
    element: dict[str, str] = {}
    gens = []
    for r in system.PV.as_df().to_dict("records"):
        element[str(r["idx"])] = f"gen_{r['bus']}"
        gens.append(
            {"name": f"gen_{r['bus']}", "bus": f"bus_{r['bus']}", "plant_type": "rest_coal", "sn_mva": number(r["Sn"]),
             "p_mw": number(100 * r["p0"]), "vm_pu": number(r["v0"]), "min_p_mw": 0.0, "max_p_mw": number(r["Sn"]),
             "min_q_mvar": number(-r["Sn"]), "max_q_mvar": number(r["Sn"])}
        )  # fmt: skip
    write(folder, "gen", gens)
    slack = system.Slack.as_df().to_dict("records")[0]
    element[str(slack["idx"])] = f"gen_{slack['bus']}"
    write(
        folder,
        "ext_grid",
        [
            {
                "name": f"gen_{slack['bus']}",
                "bus": f"bus_{slack['bus']}",
                "vm_pu": number(slack["v0"]),
                "va_degree": number(math.degrees(slack["a0"])),
            }
        ],
    )
    write(folder, "points", [{"name": f"bus_{i}", "bus": f"bus_{i}"} for i in kv])
    write(folder, "areas", [{"name": "all", "f_nominal_hz": F_HZ, "load_damping_pu": 0.0}])
    write(folder, "ties", [{"element": f"gen_{slack['bus']}", "area": "all", "share_pu": 1.0}])
    dynamics(system, folder, element)
    expected(path, folder)
    (folder / "case.yaml").write_text(
        f"title: {title}\nsummary: {title}, data as shipped with ANDES 2.0.0, machines and controls included.\n"
        f"f_nominal_hz: {F_HZ}\nbase_mva: {BASE_MVA}\ndefault_point: base\nsources:\n"
        f'  - "ANDES 2.0.0 (PyPI), andes/cases/{path}"\n',
        encoding="utf-8",
    )
    (folder / "operating_points" / "base" / "point.yaml").write_text("title: as shipped\n", encoding="utf-8")


if __name__ == "__main__":
    make("ieee39_andes", "ieee39/ieee39_full.xlsx", "IEEE 39 buses with ANDES's dynamics")
    make("kundur", "kundur/kundur_full.xlsx", "Kundur's two areas")
