"""Make the golden files of the induction motor: ANDES's Motor3 at bus 7 of kundur (development only).

    python tests/validation/golden/motor/make_motor.py     # needs andes==2.0.0, a few minutes

A motor of 200 MVA takes over 160 MW of the load at bus 7; its load torque has parts constant, with speed
and with its square (the last two alike, because ANDES writes one coefficient for the other; its torque
coefficients are on the system's base). Loads are impedances. Trapezoidal rule at a fixed step of 1 ms;
every 25th point is kept, every 5th within 1.5 s. `start.csv` has the operating point: voltages, and what the
motor draws. The reactances have the size of those of large industrial motors.
"""

from pathlib import Path

import andes
import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
MOTOR = {
    "Sn": 200.0,
    "Vn": 230.0,
    "fn": 60.0,
    "rs": 0.013,
    "xs": 0.067,
    "xm": 3.8,
    "rr1": 0.009,
    "xr1": 0.17,
    "Hm": 1.5,
    "c1": 0.2,
    "c2": 0.7,
    "c3": 0.7,
}


def run(name: str) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the trajectory of one disturbance at t = 1 s, 10 s long, and the operating point."""
    case = andes.get_case("kundur/kundur_full.xlsx")
    system = andes.load(case, setup=False, no_output=True, default_config=True)
    system.PQ.p0.v[0] -= 1.6
    system.add("Motor3", {"idx": "motor", "bus": system.PQ.bus.v[0], **MOTOR})
    if name == "fault":
        system.add("Fault", {"bus": 8, "tf": 1.0, "tc": 1.1, "xf": 1e-4, "rf": 0.0})
    elif name == "dip":
        system.add("Fault", {"bus": 7, "tf": 1.0, "tc": 1.25, "xf": 0.02, "rf": 0.0})
    else:
        system.add(
            "Alter", {"model": "PQ", "dev": "PQ_1", "src": "Req", "t": 1.0, "method": "+", "amount": 1.0}
        )
    system.setup()
    for k in range(system.Toggle.n):
        system.Toggle.u.v[k] = 0
    system.PFlow.config.linsolve = 1  # its KLU with kept factors crashes on a power flow with states
    system.PFlow.run()
    at_8 = float(system.Bus.v.v[list(system.Bus.idx.v).index(8)])
    motor, bus = system.Motor3, list(system.Bus.idx.v).index(system.PQ.bus.v[0])
    start = {
        "vm_pu": float(system.Bus.v.v[bus]),
        "vm_8_pu": at_8,
        "slip_pu": float(motor.slip.v[0]),
        "p_mw": 100 * float(motor.p.v[0]),
        "q_mvar": 100 * float(motor.q.v[0]),
    }
    config = system.TDS.config
    config.fixt, config.tstep, config.tf, config.no_tqdm, config.criteria = 1, 1e-3, 10.0, 1, 0
    system.TDS.run()
    t, x, y = system.dae.ts.t, system.dae.ts.x, system.dae.ts.y
    machines = system.GENROU
    omega, m = x[:, machines.omega.a], machines.M.v * np.ones(machines.n)
    frame = pd.DataFrame(
        {
            "t": t,
            "f_coi_hz": 60.0 * (omega * m).sum(1) / m.sum(),
            **{f"speed_gen_{b}": omega[:, k] for k, b in enumerate(machines.bus.v)},
            "slip_pu": x[:, motor.slip.a[0]],
            "p_load_pu": y[:, motor.p.a[0]],
            "q_load_pu": y[:, motor.q.a[0]],
            "vm_bus_7": y[:, system.Bus.v.a[bus]],
        }
    )
    rows = np.arange(len(frame))
    keep = (rows % 25 == 0) | ((rows % 5 == 0) & (frame.t > 1.0) & (frame.t < 2.5))
    return frame[keep], start


def main() -> None:
    """Write the golden files."""
    for name in ("step", "fault", "dip"):
        frame, start = run(name)
        frame.to_csv(
            HERE / f"{name}.csv.gz",
            index=False,
            float_format="%.8g",
            compression={"method": "gzip", "mtime": 0},
        )
        pd.DataFrame([start]).to_csv(HERE / "start.csv", index=False, float_format="%.12g")


if __name__ == "__main__":
    main()
