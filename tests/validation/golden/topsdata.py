"""tops's data sets rebuilt in ANDES (development only; needs andes==2.0.0 and tops==0.3.0).

Machines are GENROU without saturation and armature resistance; transformers have their ratio at the side
tops has it; turbines have the rating times the power factor; the stabiliser K s/(1+sT) is IEEEST with T5 = 1.
"""

from typing import Any

import andes
from make_tops_cases import LEAKAGE_100MVA, records
from tops.ps_models import ieee39, k2a

SYSTEMS = {"k2a": (k2a, False), "pf39": (ieee39, False), "pf39xl": (ieee39, True)}
BASE_MVA = 100.0


def build(name: str) -> Any:
    """Return an ANDES system that is not set up yet."""
    module, leakage = SYSTEMS[name]
    data = module.load()
    system = andes.System(no_output=True, default_config=True)
    system.config.freq = data["f"]
    kv = {row["name"].removeprefix("B"): float(row["V_n"]) for row in records(data["buses"])}
    for bus, vn in kv.items():
        system.add("Bus", {"idx": bus, "name": bus, "Vn": vn})
    _branches(system, data, kv)
    for row in records(data["loads"]):
        bus = row["bus"].removeprefix("B")
        load = {"idx": f"PQ_{bus}", "bus": bus, "Vn": kv[bus], "p0": row["P"] / 100, "q0": row["Q"] / 100}
        system.add("PQ", load)
    for row in records(data["shunts"]):
        bus = row["bus"].removeprefix("B")
        system.add("Shunt", {"idx": f"S_{bus}", "bus": bus, "Vn": kv[bus], "g": 0.0, "b": row["Q"] / 100})
    element = {}
    for row in records(data["generators"]["GEN"]):
        element[row["name"]] = _machine(system, data, row, kv, LEAKAGE_100MVA if leakage else {})
    _controls(system, data, element)
    return system


def _branches(system: Any, data: dict[str, Any], kv: dict[str, float]) -> None:
    for row in records(data["lines"]):
        a, b = (row[key].removeprefix("B") for key in ("from_bus", "to_bus"))
        z = kv[a] ** 2 / BASE_MVA if row["unit"] == "pf" else 1.0
        unit = 1e-6 if row["unit"] == "pf" else 1.0
        length = row["length"]
        line = {
            "bus1": a, "bus2": b, "Sn": BASE_MVA, "Vn1": kv[a], "Vn2": kv[b], "fn": data["f"],
            "r": row["R"] * length / z, "x": row["X"] * length / z, "b": row["B"] * unit * length * z,
        }  # fmt: skip
        system.add("Line", line)
    for row in records(data["transformers"]):
        ends = {side: row[f"{side}_bus"].removeprefix("B") for side in ("from", "to")}
        ratio = {side: row.get(f"ratio_{side}", 1.0) for side in ("from", "to")}
        one, two = ("to", "from") if ratio["to"] != 1.0 else ("from", "to")
        mva = row["S_n"] * row.get("N_par", 1)
        trafo = {
            "bus1": ends[one], "bus2": ends[two], "Sn": BASE_MVA, "Vn1": kv[ends[one]], "Vn2": kv[ends[two]],
            "fn": data["f"], "r": row["R"] * BASE_MVA / mva, "x": row["X"] * BASE_MVA / mva, "b": 0.0,
            "tap": 1.0 / ratio[one], "trans": 1,
        }  # fmt: skip
        system.add("Line", trafo)


def _machine(
    system: Any, data: dict[str, Any], row: dict[str, Any], kv: dict[str, float], leakage: dict[str, float]
) -> tuple[str, float]:
    """Add one machine; return its index and the rating of its turbine."""
    bus, parallel = row["bus"].removeprefix("B"), row.get("N_par", 1)
    mva = row["S_n"] * parallel
    static = {"idx": f"G_{bus}", "bus": bus, "Sn": mva, "Vn": kv[bus], "v0": row["V"]}
    limits = {"qmax": 999.0, "qmin": -999.0, "pmax": 999.0, "pmin": -999.0}
    if row["bus"] == data["slack_bus"]:
        system.add("Slack", {**static, **limits, "a0": 0.0})
    else:
        system.add("PV", {**static, **limits, "p0": row["P"] * parallel / BASE_MVA})
    xl = leakage.get(row["name"], 0.0) * row["S_n"] / BASE_MVA
    system.add(
        "GENROU",
        {
            "idx": f"GENROU_{bus}", "bus": bus, "gen": f"G_{bus}", "Sn": mva, "Vn": kv[bus], "fn": data["f"],
            "M": 2 * row["H"], "D": row["D"], "ra": 0.0, "xl": xl,
            "xd": row["X_d"], "xq": row["X_q"], "xd1": row["X_d_t"], "xq1": row["X_q_t"],
            "xd2": row["X_d_st"], "xq2": row["X_q_st"], "Td10": row["T_d0_t"], "Tq10": row["T_q0_t"],
            "Td20": row["T_d0_st"], "Tq20": row["T_q0_st"], "S10": 0.0, "S12": 0.0,
        },
    )  # fmt: skip
    return f"GENROU_{bus}", mva * row.get("PF_n", 1.0)


def _controls(system: Any, data: dict[str, Any], element: dict[str, tuple[str, float]]) -> None:
    for row in records(data["gov"]["TGOV1"]):
        machine, rated = element[row["gen"]]
        system.add(
            "TGOV1",
            {
                "idx": f"TG_{machine}", "syn": machine, "Tn": rated, "R": row["R"], "VMAX": row["V_max"],
                "VMIN": row["V_min"], "T1": row["T_1"], "T2": row["T_2"], "T3": row["T_3"], "Dt": row["D_t"],
            },
        )  # fmt: skip
    for row in records(data["avr"]["SEXS"]):
        machine, _ = element[row["gen"]]
        system.add(
            "SEXS",
            {
                "idx": f"EX_{machine}", "syn": machine, "TATB": row["T_a"] / row["T_b"], "TB": row["T_b"],
                "K": row["K"], "TE": row["T_e"], "EMIN": row["E_min"], "EMAX": row["E_max"],
            },
        )  # fmt: skip
    for row in records(data["pss"]["STAB1"]):
        machine, _ = element[row["gen"]]
        system.add(
            "IEEEST",
            {
                "idx": f"ST_{machine}", "avr": f"EX_{machine}", "MODE": 1, "A1": 0, "A2": 0, "A3": 0, "A4": 0,
                "A5": 0, "A6": 0, "T1": row["T_1"], "T2": row["T_3"], "T3": row["T_2"], "T4": row["T_4"],
                "T5": 1.0, "T6": row["T"], "KS": row["K"], "LSMAX": row["H_lim"], "LSMIN": -row["H_lim"],
                "VCU": 0, "VCL": 0,
            },
        )  # fmt: skip
