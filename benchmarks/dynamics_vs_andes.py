"""How much faster than ANDES is a 20 s run of the same data with the same step?

    python benchmarks/dynamics_vs_andes.py [PYTHON_WITH_ANDES]

ANDES (`pip install andes==2.0.0`) is not a dependency; give the interpreter that has it, or it is looked
for in this one. Both sides run in one thread and are timed warm: ANDES from the start of its time-domain
routine, ours from the start of `advance`, both after initialisation and with every step stored.
"""

import json
import os
import subprocess
import sys
from statistics import median
from time import perf_counter

from grids.case import load_case
from grids.dynamics import IMPEDANCE, POWER, BusFault, GeneratorTrip, LoadTrip, begin

STEPS_S = (1 / 120, 1 / 30)
EVENTS = {
    "load_loss": [LoadTrip(bus=16, at_s=1.0)],
    "gen_trip": [GeneratorTrip(bus=38, at_s=1.0)],
    "bus_fault": [BusFault(bus=16, at_s=1.0, clear_after_s=0.1)],
}
RUNS = [("load_loss", "Z"), ("gen_trip", "Z"), ("bus_fault", "Z"), ("load_loss", "P")]
BAR = {"Z": 300.0, "P": 100.0}

ANDES = """
import json, sys, time, andes
andes.config_logger(50)
def run(name, loads, step):
    path = andes.get_case("ieee39/ieee39_full.xlsx")
    s = andes.load(path, setup=False, no_output=True, default_config=True)
    if name == "bus_fault":
        s.add("Fault", {"bus": 16, "tf": 1.0, "tc": 1.1, "xf": 1e-4, "rf": 0.0})
    else:
        model, dev = ("PQ", "PQ_7") if name == "load_loss" else ("GENROU", "GENROU_9")
        s.add("Toggle", {"model": model, "dev": dev, "t": 1.0})
    s.setup()
    s.Toggle.u.v[0] = 0
    if loads == "P":
        c = s.PQ.config
        c.p2p, c.q2q, c.p2z, c.q2z, c.pq2z = 1, 1, 0, 0, 0
    s.PFlow.run()
    s.TDS.config.fixt, s.TDS.config.tstep, s.TDS.config.tf, s.TDS.config.no_tqdm = 1, step, 20.0, 1
    s.TDS.config.criteria = 0  # it would stop where the angle of a tripped machine has drifted away
    s.TDS.init()
    began = time.perf_counter()
    s.TDS.run()
    wall = time.perf_counter() - began
    if s.dae.t < 19.99:
        sys.exit(f"ANDES stopped at {s.dae.t} s in {name} {loads} {step}")
    return wall
run("load_loss", "Z", 1 / 30)
print(json.dumps([run(*job) for job in json.loads(sys.argv[1])]))
"""


def andes_s(python: str, jobs: list[tuple[str, str, float]]) -> list[float] | None:
    """Return the wall time of each run, None when there is no ANDES."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [python, "-c", ANDES, json.dumps(jobs)], capture_output=True, text=True, check=False,
        env={**os.environ, **threads},
    )  # fmt: skip
    if "No module named 'andes'" in done.stderr:
        return None
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return list(json.loads(done.stdout.strip().splitlines()[-1]))


def ours_s(name: str, loads: str, repeats: int = 9) -> tuple[float, float, int]:
    """Return the median wall time of a run at 8.33 ms, solves a stage, and factorisations."""
    case, walls = load_case("ieee39_andes"), []
    for repeat in range(repeats + 1):
        session = begin(case, EVENTS[name], step_s=1 / 120, loads=POWER if loads == "P" else IMPEDANCE)
        began = perf_counter()
        session.advance(20.0, every=1)
        if repeat:  # the first one compiles
            walls.append(perf_counter() - began)
    return median(walls), session.solves_per_stage, session.solution.refactored_count


def main() -> None:
    python = sys.argv[1] if len(sys.argv) > 1 else sys.executable
    jobs = [(name, loads, step) for name, loads in RUNS for step in STEPS_S]
    theirs = andes_s(python, jobs)
    if theirs is None:
        print(f"skipped: {python} has no andes; pip install andes==2.0.0 somewhere and give its python")
    head = f"{'20 s of ieee39':16} {'loads':5} {'ours':>9} {'solves':>7} {'factor.':>7}"
    print(head, f"{'ANDES 8.33 ms':>20} {'33 ms':>14}")
    for k, (name, loads) in enumerate(RUNS):
        wall, solves, factorised = ours_s(name, loads)
        line = f"{name:16} {loads:5} {1e3 * wall:6.1f} ms {solves:7.2f} {factorised:7d}"
        if theirs is not None:
            fine, coarse = theirs[2 * k], theirs[2 * k + 1]
            good = "ok" if fine / wall >= BAR[loads] and coarse / wall >= 100.0 else "BELOW THE BAR"
            line += f" {fine:8.2f} s = {fine / wall:5.0f} x {coarse:5.2f} s = {coarse / wall:4.0f} x  {good}"
        print(line)


if __name__ == "__main__":
    main()
