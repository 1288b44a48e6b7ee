"""Make the golden files of the converter models with ANDES 2.0.0 (development only).

    python tests/validation/golden/make_converters.py RAW_FOLDER     # needs andes==2.0.0, about 10 min

Generator 4 of ANDES's kundur case gives way to a converter of the same power: `plant` is REGCA1, REECA1
(Q reference) and REPCA1 (voltage control, frequency droop, power feedback over the transformer's flow),
`local` is REGCA1 and REECA1 (voltage control), `forming` is REGF1, whose droop without its overload
controllers is that of REGFM_A1. ANDES 2.0 takes some values per unit of the system which the
specifications, and we, give per unit of the rating (`TIMES`), and limits T dx/dt where the specification
limits dx/dt. Trapezoidal rule at 1 ms, impedance loads, every 56th point kept.
"""

import sys
from pathlib import Path

import andes
import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
SN_MVA = 900.0
TIMES = SN_MVA / 100.0
KEEP_EVERY = 56

REGC = {
    "Sn": SN_MVA, "Tg": 0.02, "Rrpwr": 10.0 * TIMES * 0.02, "Brkpt": 0.9, "Zerox": 0.4, "Lvplsw": 1,
    "Lvpl1": 1.22 * TIMES, "Volim": 1.2, "Lvpnt1": 0.8, "Lvpnt0": 0.4, "Iolim": -1.3, "Tfltr": 0.02,
    "Khv": 0.7 * TIMES, "Iqrmax": 999, "Iqrmin": -999,
}  # fmt: skip
REEC = {
    "PFFLAG": 0, "VFLAG": 0, "PFLAG": 0, "PQFLAG": 0, "Vdip": 0.85, "Vup": 1.2, "Trv": 0.02, "dbd1": -0.05,
    "dbd2": 0.05, "Kqv": 2.0 * TIMES, "Vref0": 1.0, "Tp": 0.05, "QMax": 0.436, "QMin": -0.436, "VMAX": 999,
    "VMIN": -999, "Kvp": 0.0, "Kvi": 10.0 * TIMES, "Vref1": 1.0, "Tiq": 0.02, "PMAX": 1.0, "PMIN": 0.0,
    "Imax": 1.2, "Tpord": 0.05,
}  # fmt: skip
REPC = {
    "VCFlag": 0, "RefFlag": 1, "Fflag": 1, "PLflag": 1, "Tfltr": 0.02, "Kp": 1.0 * TIMES, "Ki": 2.0 * TIMES,
    "Tft": 0.0, "Tfv": 0.05, "Vfrz": 0.7, "Kc": 0.0, "emax": 0.1, "emin": -0.1, "dbd1": 0.0, "dbd2": 0.0,
    "Qmax": 0.436 * TIMES, "Qmin": -0.436 * TIMES, "Kpg": 0.1, "Kig": 0.5, "Tp": 0.25, "fdbd1": -0.0006,
    "fdbd2": 0.0006, "femax": 999, "femin": -999, "Pmax": TIMES, "Pmin": -TIMES, "Tg": 0.1,
    "Ddn": 20.0 * TIMES, "Dup": 20.0 * TIMES,
}  # fmt: skip
REGF = {
    "Sn": SN_MVA, "rf": 0.0, "xf": 0.15, "wdrp": 0.02 / TIMES, "Qdrp": 0.05 / TIMES, "KPplim": 0.0,
    "KIplim": 0.0, "KPqlim": 0.0, "KIqlim": 0.0, "Pmax": 2.0, "Pmin": -2.0, "Qmax": 2.0, "Qmin": -2.0,
    "Tr": 0.02, "KPv": 3.0 * TIMES, "KIv": 150.0 * TIMES,
}  # fmt: skip
RUNS = {
    "plant_load_step": ("alter", 1.367),
    "plant_gen_trip": ("toggle", 2),
    "local_load_step": ("alter", 1.367),
    "local_bus_fault": ("fault", 8),
    "forming_load_step": ("alter", 1.367),
}


def build(name: str) -> andes.System:
    """Return ANDES's system with the converter and the disturbance at 1 s, set up."""
    system = andes.load(
        andes.get_case("kundur/kundur_full.xlsx"), setup=False, no_output=True, default_config=True
    )
    for model in ("GENROU", "TGOV1", "EXDC2"):
        getattr(system, model).u.v[3] = 0
    if name.startswith("forming"):
        system.add("REGF1", {"idx": "converter", "bus": 4, "gen": 4, **REGF})
    else:
        _follow(system, name)
    kind, what = RUNS[name]
    if kind == "fault":
        system.add("Fault", {"bus": what, "tf": 1.0, "tc": 1.1, "xf": 1e-4, "rf": 0.0})
    elif kind == "toggle":
        system.add("Toggle", {"model": "GENROU", "dev": what, "t": 1.0})
    else:
        change = {"model": "PQ", "dev": "PQ_0", "src": "Req", "t": 1.0, "method": "+"}
        system.add("Alter", {**change, "amount": what / _v7() ** 2})
    system.setup()
    for k in range(system.Toggle.n):
        if not (kind == "toggle" and k == system.Toggle.n - 1):
            system.Toggle.u.v[k] = 0
    return system


def _follow(system: andes.System, name: str) -> None:
    system.add("REGCA1", {"idx": "converter", "bus": 4, "gen": 4, **REGC})
    control = {**REEC, "QFLAG": 0 if name.startswith("plant") else 1}
    system.add("REECA1", {"idx": "control", "reg": "converter", **control})
    if name.startswith("plant"):
        ends = zip(system.Line.idx.v, system.Line.bus1.v, system.Line.bus2.v, strict=True)
        line = next(idx for idx, a, b in ends if 4 in {a, b})
        system.add("REPCA1", {"idx": "plant", "ree": "control", "line": line, **REPC})


def _v7() -> float:
    system = andes.load(andes.get_case("kundur/kundur_full.xlsx"), no_output=True, default_config=True)
    system.PFlow.run()
    bus = system.PQ.bus.v[list(system.PQ.idx.v).index("PQ_0")]
    return float(system.Bus.v.v[list(system.Bus.idx.v).index(bus)])


def run(name: str) -> pd.DataFrame:
    """Return the trajectory of a run: 10 s."""
    system = build(name)
    system.PFlow.run()
    system.TDS.config.fixt, system.TDS.config.tstep, system.TDS.config.tf = 1, 1e-3, 10.0
    system.TDS.config.no_tqdm, system.TDS.config.criteria = 1, 0
    system.TDS.run()
    t, x, y = system.dae.ts.t, system.dae.ts.x, system.dae.ts.y
    machines = system.GENROU
    converter = system.REGF1 if name.startswith("forming") else system.REGCA1
    live = np.tile(np.array([1.0, 1.0, 1.0, 0.0]), (t.size, 1))
    if RUNS[name][0] == "toggle":
        live[t >= 1.0, 1] = 0.0
    omega, m = x[:, machines.omega.a], machines.M.v * live
    frame = {"t": t, "f_coi_hz": 60.0 * (omega * m).sum(1) / m.sum(1)}
    frame |= {f"speed_gen_{k + 1}": omega[:, k] for k in range(3)}
    frame |= {
        f"vm_bus_{b}": y[:, system.Bus.v.a[k]] for k, b in enumerate(system.Bus.idx.v) if b in {1, 4, 7, 9}
    }
    frame["p_mw"], frame["q_mvar"] = 100 * y[:, converter.Pe.a[0]], 100 * y[:, converter.Qe.a[0]]
    return pd.DataFrame(frame)


def main(raw: Path) -> None:
    """Run ANDES, keep what it gives in `raw`, and write the golden files."""
    for name in RUNS:
        frame = run(name)
        frame.to_csv(raw / f"converters_{name}.csv.gz", index=False)
        frame.iloc[::KEEP_EVERY].to_csv(
            HERE / f"converters_{name}.csv.gz",
            index=False,
            float_format="%.8g",
            compression={"method": "gzip", "mtime": 0},
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
