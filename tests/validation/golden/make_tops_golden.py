"""Make the trajectories of tops 0.3.0 on its own 39 buses (development only; about two minutes).

`python tests/validation/golden/make_tops_golden.py` writes `tops_<disturbance>_Z.csv.gz` and, with the
governor's output taken as a torque instead of a power, `tops_torque_<disturbance>_Z.csv.gz`. Modified Euler
at 5 ms, 20 s; every twelfth row and those with the extremes are kept. Loads are impedances, the
disturbances those of `make_golden.py`.
"""

from pathlib import Path

import pandas as pd
import tops.dynamic
import tops.solvers
from make_golden import PF39
from make_tops_cases import CASES
from tops.ps_models import ieee39

STEP_S, END_S, KEEP_EVERY, VOLTAGE_EVERY = 0.005, 20.0, 12, 4
TARGET = Path(CASES) / "ieee39" / "expected" / "dynamics"


def trajectory(name: str, torque: bool) -> pd.DataFrame:
    """Return one run of tops."""
    kind, _, device, change = PF39[name]
    ps = tops.dynamic.PowerSystemModel(ieee39.load())
    ps.power_flow()
    ps.init_dyn_sim()
    gen = ps.gen["GEN"]
    if torque:
        power = gen.P_m
        gen.P_m = lambda x, v: power(x, v) * (1.0 + gen.speed(x, v))
    at = [str(n) for n in ps.buses["name"]].index(device.rsplit("_", 1)[-1])
    machines = [f"gen_{bus}" for bus in gen.par["bus"]]
    m = gen.par["H"] * gen.par["S_n"] * gen.par["N_par"]
    solver = tops.solvers.ModifiedEulerDAE(
        ps.state_derivatives, ps.solve_algebraic, 0, ps.x0.copy(), END_S, max_step=STEP_S
    )
    rows = []
    for step in range(round(END_S / STEP_S)):
        t_s = step * STEP_S
        if abs(t_s - 1.0) < 1e-9:
            if kind == "toggle":
                lost = machines.index(f"gen_{device.rsplit('_', 1)[-1]}")
                y, (row, column) = gen.dyn_const_adm()
                ps.y_bus_red_mod[row[lost], column[lost]] -= y[lost]
                gen.par["N_par"][lost], m[lost] = 0, 0.0
            elif kind == "fault":
                ps.y_bus_red_mod[at, at] = 1.0 / (1j * 1e-4 * ps.s_n / 100.0)
            else:
                ps.y_bus_red_mod[at, at] = change * 100.0 / ps.s_n / abs(ps.v_0[at]) ** 2
        if kind == "fault" and abs(t_s - 1.1) < 1e-9:
            ps.y_bus_red_mod[at, at] = 0.0
        solver.step()
        speed = 1.0 + gen.speed(solver.y, solver.v)
        live = {f"speed_{n}": s for n, s in zip(machines, speed, strict=True)}
        vm = {f"vm_bus_{n}": abs(v) for n, v in zip(ps.buses["name"], solver.v, strict=True)}
        f_hz = 60.0 * (speed * m).sum() / m.sum()
        rows.append({"t": solver.t, "f_coi_hz": f_hz, **live, **dict(list(vm.items())[::VOLTAGE_EVERY])})
    frame = pd.DataFrame(rows)
    after = frame[(frame.t > 1.012) & ((frame.t - 1.1).abs() > 0.012)].f_coi_hz
    return frame.loc[sorted({*frame.index[::KEEP_EVERY], after.idxmin(), after.idxmax()})]


if __name__ == "__main__":
    for torque in (False, True):
        for name in PF39:
            frame = trajectory(name, torque)
            start = "tops_torque" if torque else "tops"
            print(start, name, frame.f_coi_hz.min(), frame.f_coi_hz.max())
            frame.to_csv(
                TARGET / f"{start}_{name}_Z.csv.gz",
                index=False,
                float_format="%.8g",
                compression={"method": "gzip", "mtime": 0},
            )
