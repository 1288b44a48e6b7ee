"""Make the reference trajectories of the cases (development only).

    python tests/validation/golden/make_golden.py run RAW_FOLDER [SYSTEM ...]   # andes==2.0.0, tops==0.3.0
    python tests/validation/golden/make_golden.py thin RAW_FOLDER [SYSTEM ...]  # needs pandas

`run` writes `<system>_<disturbance>_<loads>.csv.gz` for every disturbance below: trapezoidal rule at a fixed
step of 1 ms, every 8th point kept (8.33 ms, every point, for constant-power loads, whose smooth events
need no finer step); the toggles inside ANDES's files are switched off. All take about half an hour. `thin`
keeps every 7th of those rows and the two with the extremes of the frequency of the centre of inertia
(these two not in the older files of `ieee39_andes` and `kundur`), that frequency, all speeds and every
fourth bus voltage, in the folder of the case.

Systems: `ieee39` and `kundur` are files ANDES ships; `k2a`, `pf39` and `pf39xl` are data sets tops ships,
rebuilt in ANDES by `topsdata.py`: `pf39` without leakage reactances, as tops has them, `pf39xl` with those
of our case `ieee39`.
Loads are impedances (Z) or constant power (P). With P, ANDES runs no fault, nothing of `k2a`, and nothing
after the loss of kundur's generator 2; after the loss of ieee39's generator 38 it stops at the collapse, of
which the last 30 ms are left out.
"""

import sys
from pathlib import Path
from typing import Any

import pandas as pd

CASES = Path(__file__).resolve().parents[3] / "grids" / "cases"
PLACES = {
    "ieee39": ("ieee39_andes", ""),
    "kundur": ("kundur", ""),
    "k2a": ("k2a", ""),
    "pf39": ("ieee39", "no_leakage_"),
    "pf39xl": ("ieee39", ""),
}
"""Case of each system, and how its files begin there."""
KEEP_EVERY, VOLTAGE_EVERY = 7, 4

PATHS = {"ieee39": "ieee39/ieee39_full.xlsx", "kundur": "kundur/kundur_full.xlsx"}
"""Systems ANDES ships; the others are built from tops's data."""
PF39 = {
    "load_loss": ("alter", "PQ", "PQ_16", -3.04855),
    "load_step": ("alter", "PQ", "PQ_16", 3.04855),
    "gen_trip": ("toggle", "GENROU", "GENROU_38", 0.0),
    "bus_fault": ("fault", "Bus", "16", 0.0),
}
DISTURBANCES = {
    "ieee39": {
        "load_loss": ("toggle", "PQ", "PQ_7", 0.0),
        "load_step": ("alter", "PQ", "PQ_7", 2.9282),
        "gen_trip": ("toggle", "GENROU", "GENROU_9", 0.0),
        "bus_fault": ("fault", "Bus", 16, 0.0),
    },
    "kundur": {
        "load_loss": ("alter", "PQ", "PQ_0", -1.367),
        "load_step": ("alter", "PQ", "PQ_0", 1.367),
        "gen_trip": ("toggle", "GENROU", 2, 0.0),
        "bus_fault": ("fault", "Bus", 8, 0.0),
    },
    "k2a": {
        "load_loss": ("alter", "PQ", "PQ_9", -1.367),
        "load_step": ("alter", "PQ", "PQ_9", 1.367),
        "bus_fault": ("fault", "Bus", "7", 0.0),
    },
    "pf39": PF39,
    "pf39xl": PF39,
}

IMPOSSIBLE = {
    ("kundur", "gen_trip", "P"),
    *(("k2a", name, "P") for name in DISTURBANCES["k2a"]),
    *((system, "bus_fault", "P") for system in DISTURBANCES),
}


def opened(case: str) -> Any:
    """Return a system that is not set up yet."""
    import andes

    if case in PATHS:
        return andes.load(andes.get_case(PATHS[case]), setup=False, no_output=True, default_config=True)
    from topsdata import build

    return build(case)


def run(case: str, name: str, loads: str) -> pd.DataFrame:
    """Return the trajectory of one disturbance at t = 1 s, 20 s long, from ANDES."""
    import numpy as np

    kind, model, device, change = DISTURBANCES[case][name]
    system = opened(case)
    if kind == "fault":
        system.add("Fault", {"bus": device, "tf": 1.0, "tc": 1.1, "xf": 1e-4, "rf": 0.0})
    elif kind == "toggle":
        system.add("Toggle", {"model": model, "dev": device, "t": 1.0})
    else:
        power = loads == "P"
        amount = change if power else change / _v0(case, device) ** 2
        src = "Ppf" if power else "Req"
        system.add(
            "Alter",
            {"model": "PQ", "dev": device, "src": src, "t": 1.0, "method": "+", "amount": amount},
        )
    system.setup()
    for k in range(system.Toggle.n):
        if not (kind == "toggle" and k == system.Toggle.n - 1):
            system.Toggle.u.v[k] = 0
    if loads == "P":
        config = system.PQ.config
        config.p2p, config.q2q, config.p2z, config.q2z, config.pq2z = 1, 1, 0, 0, 0
    system.PFlow.run()
    step_s = 1 / 120 if loads == "P" else 1e-3
    system.TDS.config.fixt, system.TDS.config.tstep, system.TDS.config.tf = 1, step_s, 20.0
    system.TDS.config.no_tqdm = 1
    system.TDS.config.criteria = 0  # it would stop where the angle of a tripped machine has drifted away
    system.TDS.run()
    t, x, y = system.dae.ts.t, system.dae.ts.x, system.dae.ts.y
    machines = system.GENROU
    frame = {"t": t}
    omega, m = x[:, machines.omega.a], machines.M.v * np.ones(machines.n)
    live = np.ones((t.size, machines.n))
    if kind == "toggle" and model == "GENROU":
        live[t >= 1.0, list(machines.idx.v).index(device)] = 0.0
    frame["f_coi_hz"] = system.config.freq * (omega * m * live).sum(1) / (m * live).sum(1)
    frame.update(
        {
            f"omega_{i}_b{b}": omega[:, k]
            for k, (i, b) in enumerate(zip(machines.idx.v, machines.bus.v, strict=True))
        }
    )
    frame.update({f"v_b{b}": y[:, system.Bus.v.a[k]] for k, b in enumerate(system.Bus.idx.v)})
    return pd.DataFrame(frame).iloc[:: 1 if loads == "P" else 8]


def _v0(case: str, load: object) -> float:
    """Return the voltage of the operating point at a load."""
    system = opened(case)
    system.setup()
    system.PFlow.run()
    bus = system.PQ.bus.v[list(system.PQ.idx.v).index(load)]
    return float(system.Bus.v.v[list(system.Bus.idx.v).index(bus)])


def thin(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows and columns the golden file keeps."""
    speeds = [c for c in frame if c.startswith("omega_")]
    voltages = [c for c in frame if c.startswith("v_b")][::VOLTAGE_EVERY]
    after = frame[(frame.t - 1.0 > 0.012) & ((frame.t - 1.1).abs() > 0.012)].f_coi_hz
    rows = sorted({*frame.index[::KEEP_EVERY], after.idxmin(), after.idxmax()})
    kept = frame.loc[rows, ["t", "f_coi_hz", *speeds, *voltages]]
    kept = kept if frame.t.max() > 19.9 else kept[kept.t <= frame.t.max() - 0.0275]
    return kept.rename(columns={c: f"speed_gen_{c.rsplit('_b', 1)[1]}" for c in speeds}).rename(
        columns={c: f"vm_bus_{c[3:]}" for c in voltages}
    )


def main(what: str, raw: Path, *systems: str) -> None:
    """Run ANDES into `raw`, or thin what lies there into golden files."""
    for case in systems or DISTURBANCES:
        for name in DISTURBANCES[case]:
            for loads in "ZP":
                path = raw / f"{case}_{name}_{loads}.csv.gz"
                if what == "run" and (case, name, loads) not in IMPOSSIBLE:
                    run(case, name, loads).to_csv(path, index=False, float_format="%.8g")
                elif what == "thin" and path.is_file():
                    folder, start = PLACES[case]
                    target = CASES / folder / "expected" / "dynamics"
                    target.mkdir(parents=True, exist_ok=True)
                    thin(pd.read_csv(path)).to_csv(
                        target / f"{start}{name}_{loads}.csv.gz",
                        index=False,
                        float_format="%.8g",
                        compression={"method": "gzip", "mtime": 0},
                    )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
