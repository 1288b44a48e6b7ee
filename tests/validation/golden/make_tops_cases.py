"""Write the cases `ieee39` and `k2a` from the data sets tops ships (development only).

Needs `pip install tops==0.3.0` in an environment of its own; run from the repository root:
`python tests/validation/golden/make_tops_cases.py`. What tops does not say comes from tables here, each with
its source: leakage reactances, line limits and reactive limits.
"""

import csv
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import tops.dynamic
from tops.ps_models import ieee39, k2a

CASES = Path(__file__).resolve().parents[3] / "grids" / "cases"
TOPS = "tops 0.3.0 (PyPI, MIT)"
POWERFACTORY = f"PowerFactory's 39-bus system as in {TOPS}"
PAI = "M. A. Pai 1989"
MATPOWER = "MATPOWER case39"

LEAKAGE_100MVA = {
    "G1": 0.003, "G2": 0.035, "G3": 0.0304, "G4": 0.0295, "G5": 0.054, "G6": 0.0224, "G7": 0.0322,
    "G8": 0.028, "G9": 0.0298, "G10": 0.0125,
}  # fmt: skip
"""Leakage reactance of each machine on 100 MVA; the two machines at bus 34 have this value each."""

LIMIT_MVA = {
    "1-39": 1000, "2-3": 500, "2-25": 500, "3-4": 500, "3-18": 500, "4-14": 500, "5-6": 1200, "5-8": 900,
    "6-7": 900, "6-11": 480, "7-8": 900, "8-9": 900, "9-39": 900, "21-22": 900,
}  # fmt: skip
"""Line ratings that are not 600 MVA."""

Q_LIMITS_MVAR = {
    "30": (140, 400), "32": (150, 300), "33": (0, 250), "34": (0, 167), "35": (-100, 300), "36": (0, 240),
    "37": (0, 250), "38": (-150, 300), "39": (-100, 300),
}  # fmt: skip

ZONES = {
    "zone_1": {*range(4, 15), 31, 32, 39},
    "zone_2": {1, 2, 3, 17, 18, 25, 26, 27, 30, 37},
}
GEN_39_MAX_MW = 1100.0

Row = dict[str, Any]


def records(table: list[list[Any]]) -> list[Row]:
    """Return the rows of one of tops's tables by column name."""
    return [dict(zip(table[0], row, strict=True)) for row in table[1:]]


def number(value: float) -> str:
    """Return a number without the noise of its last digits."""
    return repr(float(f"{float(value):.12g}"))


def write(folder: Path, name: str, rows: list[Row]) -> None:
    """Write one table."""
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def bus_of(name: str) -> str:
    """Return our name of one of tops's buses."""
    return f"bus_{name.removeprefix('B')}"


class Maker:
    """One case from one of tops's data sets."""

    def __init__(self, name: str, data: ModuleType, source: str, area: str) -> None:
        self.name, self.data, self.source, self.area = name, data.load(), source, area
        self.folder = CASES / name
        for sub in ("operating_points/base", "expected"):
            (self.folder / sub).mkdir(parents=True, exist_ok=True)
        self.kv = {row["name"]: float(row["V_n"]) for row in records(self.data["buses"])}
        units = [{"N_par": 1, "PF_n": 1.0, **row} for row in records(self.data["generators"]["GEN"])]
        self.units = sorted(units, key=lambda row: int(row["bus"].removeprefix("B")))
        self.element = {row["name"]: f"gen_{row['bus'].removeprefix('B')}" for row in self.units}

    @property
    def origin(self) -> Row:
        """Evidence and source of what is in tops's tables."""
        return {"evidence": "published", "source": self.source}

    def buses(self, spread_pu: float, zones: dict[str, set[int]]) -> None:
        """Write buses and a point at each."""
        numbers = {name: int(name.removeprefix("B")) for name in self.kv}
        rows = [
            {
                "name": bus_of(name), "vn_kv": kv, "area": self.area, "min_vm_pu": number(1 - spread_pu),
                "max_vm_pu": number(1 + spread_pu), **self.origin,
            }
            for name, kv in self.kv.items()
        ]  # fmt: skip
        if zones:
            zone = {n: z for z, members in zones.items() for n in members}
            for row, n in zip(rows, numbers.values(), strict=True):
                row["zone"] = zone.get(n, f"zone_{len(zones) + 1}")
        write(self.folder, "bus", rows)
        points = [
            {"name": r["name"], "bus": r["name"], "description": f"bus {n}", **self.origin}
            for r, n in zip(rows, numbers.values(), strict=True)
        ]
        write(self.folder, "points", points)

    def lines(self) -> None:
        """Write the lines; those in per unit become ohms."""
        rows: list[Row] = []
        omega = 2 * math.pi * self.data["f"]
        for line in records(self.data["lines"]):
            ends = [line[key].removeprefix("B") for key in ("from_bus", "to_bus")]
            z = 1.0 if line["unit"] == "pf" else line["V_n"] ** 2 / line["S_n"]
            b_s = line["B"] * 1e-6 if line["unit"] == "pf" else line["B"] / z
            name = "line_" + "_".join(ends) + ("b" if line["name"].endswith("-2") else "")
            mva = LIMIT_MVA.get("-".join(ends), 600.0) if self.name == "ieee39" else 1e4
            rows.append(
                {
                    "name": name, "from_bus": f"bus_{ends[0]}", "to_bus": f"bus_{ends[1]}",
                    "length_km": line["length"], "r_ohm_per_km": number(line["R"] * z),
                    "x_ohm_per_km": number(line["X"] * z), "c_nf_per_km": number(b_s / omega * 1e9),
                    "max_i_ka": number(mva / (math.sqrt(3) * line["V_n"])), **self.origin,
                }
            )  # fmt: skip
        write(self.folder, "line", rows)

    def trafos(self) -> None:
        """Write the transformers; a ratio becomes the position of a tap changer with one step."""
        rows: list[Row] = []
        for trafo in records(self.data["transformers"]):
            ends = {side: trafo[f"{side}_bus"] for side in ("from", "to")}
            hv, lv = ("from", "to") if self.kv[ends["from"]] > self.kv[ends["to"]] else ("to", "from")
            r, x = float(trafo["R"]), float(trafo["X"])
            row = {
                "name": "trafo_" + "_".join(end.removeprefix("B") for end in ends.values()),
                "hv_bus": bus_of(ends[hv]), "lv_bus": bus_of(ends[lv]), "sn_mva": float(trafo["S_n"]),
                "vn_hv_kv": float(trafo[f"V_n_{hv}"]), "vn_lv_kv": float(trafo[f"V_n_{lv}"]),
                "vk_percent": number(100 * math.hypot(r, x)), "vkr_percent": number(100 * r),
                "parallel": int(trafo.get("N_par", 1)),
            }  # fmt: skip
            steps = {s: 100 * (1 / float(trafo.get(f"ratio_{s}", 1.0)) - 1) for s in ("from", "to")}
            moved = [side for side, step in steps.items() if abs(step) > 1e-9]
            if self.name == "ieee39":
                side = moved[0] if moved else hv
                row.update(
                    tap_side="hv" if side == hv else "lv", tap_neutral=0, tap_min=0, tap_max=1,
                    tap_step_percent=number(steps[side]), tap_changer_type="Ratio", tap_pos=len(moved),
                )  # fmt: skip
            rows.append(row | self.origin)
        write(self.folder, "trafo", rows)

    def loads(self) -> None:
        """Write loads and shunts."""
        loads = [
            {
                "name": f"load_{row['bus'].removeprefix('B')}", "bus": bus_of(row["bus"]),
                "p_mw": float(row["P"]), "q_mvar": float(row["Q"]), **self.origin,
            }
            for row in records(self.data["loads"])
        ]  # fmt: skip
        write(self.folder, "load", loads)
        shunts = [
            {
                "name": f"shunt_{row['bus'].removeprefix('B')}", "bus": bus_of(row["bus"]),
                "q_mvar": -float(row["Q"]), **self.origin,
            }
            for row in records(self.data["shunts"])
        ]  # fmt: skip
        if shunts:
            write(self.folder, "shunt", shunts)

    def generators(self) -> None:
        """Write gens and the slack."""
        slack = self.data["slack_bus"]
        gens: list[Row] = []
        for unit in self.units:
            number_of, parallel = unit["bus"].removeprefix("B"), unit["N_par"]
            rated = unit["S_n"] * parallel
            if unit["bus"] == slack:
                row = {"name": f"gen_{number_of}", "bus": bus_of(slack), "vm_pu": unit["V"], "va_degree": 0.0}
                write(self.folder, "ext_grid", [row | self.origin])
                continue
            most = unit["PF_n"] * rated if number_of != "39" else GEN_39_MAX_MW
            low, high = Q_LIMITS_MVAR.get(number_of, (-rated, rated))
            row = {
                "name": f"gen_{number_of}", "bus": bus_of(unit["bus"]),
                "plant_type": "hydro" if self.name == "ieee39" and number_of == "30" else "rest_coal",
                "sn_mva": float(rated), "p_mw": float(unit["P"] * parallel), "vm_pu": unit["V"],
                "min_p_mw": 0.0, "max_p_mw": number(most), "min_q_mvar": float(low),
                "max_q_mvar": float(high), "h_s": unit["H"],
                "responding_pu": 0.0 if number_of == "39" else 1.0,
                "evidence": "derived", "source": self.gen_source(),
            }  # fmt: skip
            gens.append(row)
        write(self.folder, "gen", gens)

    def gen_source(self) -> str:
        """Say where the parts of a row of gen.csv come from."""
        limits = f"reactive limits {MATPOWER}; " if self.name == "ieee39" else ""
        return f"{self.source}; {limits}largest output is rating times power factor; plant type synthetic"

    def machines(self, leakage: dict[str, float]) -> None:
        """Write machines and their controls."""
        rows: list[Row] = []
        for unit in self.units:
            xl = leakage.get(unit["name"], 0.0) * unit["S_n"] / 100.0
            rows.append(
                {
                    "name": self.element[unit["name"]], "sn_mva": unit["S_n"] * unit["N_par"],
                    "h_s": unit["H"], "d_pu": unit["D"], "ra_pu": 0, "xl_pu": number(xl),
                    "xd_pu": unit["X_d"],
                    "xq_pu": unit["X_q"], "xd1_pu": unit["X_d_t"], "xq1_pu": unit["X_q_t"],
                    "xd2_pu": unit["X_d_st"], "td10_s": unit["T_d0_t"], "tq10_s": unit["T_q0_t"],
                    "td20_s": unit["T_d0_st"], "tq20_s": unit["T_q0_st"], "s10_pu": 0, "s12_pu": 0,
                    "evidence": "published",
                    "source": self.source + (f"; leakage {PAI}" if leakage else ""),
                }
            )  # fmt: skip
        write(self.folder, "genrou", rows)
        rated = {u["name"]: u["S_n"] * u["N_par"] * u["PF_n"] for u in self.units}
        write(
            self.folder,
            "tgov1",
            [
                {
                    "name": self.element[row["gen"]], "sn_mva": number(rated[row["gen"]]), "r_pu": row["R"],
                    "vmax_pu": row["V_max"], "vmin_pu": row["V_min"], "t1_s": row["T_1"],
                    "t2_s": row["T_2"], "t3_s": row["T_3"], "dt_pu": row["D_t"], **self.origin,
                }
                for row in records(self.data["gov"]["TGOV1"])
            ],
        )  # fmt: skip
        write(
            self.folder,
            "sexs",
            [
                {
                    "name": self.element[row["gen"]], "ta_tb_pu": row["T_a"] / row["T_b"], "tb_s": row["T_b"],
                    "k_pu": row["K"], "te_s": row["T_e"], "emin_pu": row["E_min"], "emax_pu": row["E_max"],
                    **self.origin,
                }
                for row in records(self.data["avr"]["SEXS"])
            ],
        )  # fmt: skip
        write(
            self.folder,
            "ieeest",
            [
                {
                    "name": self.element[row["gen"]], "mode_code": 1, "t1_s": row["T_1"], "t2_s": row["T_3"],
                    "t3_s": row["T_2"], "t4_s": row["T_4"], "t5_s": 1.0, "t6_s": row["T"], "ks_pu": row["K"],
                    "lsmax_pu": row["H_lim"], "lsmin_pu": -row["H_lim"], **self.origin,
                }
                for row in records(self.data["pss"]["STAB1"])
            ],
        )  # fmt: skip

    def expected(self) -> float:
        """Write tops's own power flow as what the case must reproduce; return the slack's power [MW]."""
        system = tops.dynamic.PowerSystemModel(self.data)
        system.power_flow()
        rows = []
        turn = 0.0
        for name, v in zip(system.buses["name"], system.v_0, strict=True):
            if name == self.data["slack_bus"]:
                turn = math.atan2(v.imag, v.real)
        for quantity, unit in (("vm_pu", "pu"), ("va_degree", "degree")):
            for name, v in zip(system.buses["name"], system.v_0, strict=True):
                angle = math.degrees(math.atan2(v.imag, v.real) - turn)
                value = abs(v) if quantity == "vm_pu" else (angle + 180.0) % 360.0 - 180.0
                rows.append(
                    {
                        "quantity": quantity, "element": bus_of(name), "value": f"{value:.9g}",
                        "tolerance": 1e-7 if quantity == "vm_pu" else 1e-6, "unit": unit,
                        "source": f"{TOPS} power flow",
                    }
                )  # fmt: skip
        write(self.folder / "expected", "base", rows)
        at = next(k for k, u in enumerate(self.units) if u["bus"] == self.data["slack_bus"])
        bus = list(system.buses["name"]).index(self.units[at]["bus"])
        load = sum(r["P"] for r in records(self.data["loads"]) if r["bus"] == self.data["slack_bus"])
        return float(system.s_0[bus].real * self.data["base_mva"] + load) if system.s_0 is not None else 0.0


def make(maker: Maker) -> float:
    """Write all tables but those of the area; return the slack's power [MW]."""
    england = maker.name == "ieee39"
    maker.buses(0.06 if england else 0.1, ZONES if england else {})
    maker.lines()
    maker.trafos()
    maker.loads()
    maker.generators()
    maker.machines(LEAKAGE_100MVA if england else {})
    return maker.expected()


if __name__ == "__main__":
    print(make(Maker("ieee39", ieee39, POWERFACTORY, "ne")))
    print(make(Maker("k2a", k2a, TOPS, "all")))
