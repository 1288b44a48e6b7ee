"""How much faster than ANDES is a run of the same data with the same disturbance?

    python benchmarks/dynamics_vs_andes.py [PYTHON_WITH_ANDES] [CASE ...]

ANDES (`pip install andes==2.0.0`) is not a dependency; give the interpreter that has it, or it is looked
for in this one. Cases: ieee39, npcc, case1354pegase, case2869pegase; all of them where none is named. Both
sides run in one thread and take turns; each is timed warm, from the start of its time loop after
initialisation, with every step stored, in processor time, so that what else the machine does counts
little. The best of each side counts. The last column says how far the final frequencies of the centre of
inertia are apart.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from time import process_time
from typing import Any

from dynamics_cases import from_andes, pegase

from grids.case import Case, load_case
from grids.dynamics import IMPEDANCE, POWER, BusFault, GeneratorTrip, LoadTrip, Run, begin
from grids.dynamics.events import Event

FINE, HALF, COARSE = 1 / 120, 1 / 60, 1 / 30
OURS, THEIRS = 5, 2
"""Repetitions of each side; ours are short."""


@dataclass(frozen=True)
class Job:
    """One disturbance with the pairs of steps that are compared: ours, ANDES's, and the bar."""

    case: str
    text: str
    events: Sequence[Event]
    andes: dict[str, Any]
    loads: str
    until_s: float
    pairs: Sequence[tuple[float, float, float]]
    real_time: float = 0.0
    """How many times faster than real time ours must be."""


SAME_STEP, LOSS, FAULT = (FINE, FINE, 300.0), (HALF, COARSE, 100.0), (FINE, COARSE, 100.0)
"""After a fault 16.7 ms miss the accuracy bar for single speeds, so there the coarse run meets our 8.3 ms."""


def toggle(model: str, dev: str, at_s: float) -> dict[str, Any]:
    return {"Toggle": [{"model": model, "dev": dev, "t": at_s}]}


def ieee39_jobs() -> list[Job]:
    fault = {"Fault": [{"bus": 16, "tf": 1.0, "tc": 1.1, "xf": 1e-4, "rf": 0.0}]}
    loss = (LoadTrip(bus=16, at_s=1.0),), toggle("PQ", "PQ_7", 1.0)
    trip = (GeneratorTrip(bus=38, at_s=1.0),), toggle("GENROU", "GENROU_9", 1.0)
    short = (BusFault(bus=16, at_s=1.0, clear_after_s=0.1),), fault
    power = (FINE, FINE, 100.0), LOSS
    return [
        Job("ieee39", "load lost", *loss, "Z", 20.0, (SAME_STEP, LOSS)),
        Job("ieee39", "unit tripped", *trip, "Z", 20.0, (SAME_STEP, LOSS)),
        Job("ieee39", "bus fault", *short, "Z", 20.0, (SAME_STEP, FAULT)),
        Job("ieee39", "load lost", *loss, "P", 20.0, power),
    ]


def npcc_jobs() -> list[Job]:
    pairs = ((HALF, COARSE, 20.0),)
    loss = (LoadTrip("PQ_17", at_s=1.0),), toggle("PQ", "PQ_17", 1.0)
    trip = (GeneratorTrip("gen_1", at_s=1.0),), toggle("GENROU", "GENROU_22", 1.0)
    return [
        Job("npcc", "load lost", *loss, "Z", 20.0, pairs),
        Job("npcc", "unit tripped", *trip, "Z", 20.0, pairs),
    ]


def pegase_jobs(case: Case) -> list[Job]:
    load = str(case.net.load.loc[case.net.load["p_mw"].idxmax(), "name"])
    faster = 10.0 if case.name == "case2869pegase" else 0.0
    loss = (LoadTrip(load, at_s=0.1),), toggle("PQ", load, 0.1)
    return [Job(case.name, "load lost", *loss, "Z", 2.0, ((HALF, COARSE, 10.0),), faster)]


ANDES = """
import json, sys, time
import numpy as np
import andes
andes.config_logger(50)

def system(case, loads, extra):
    if isinstance(case, str):
        s = andes.load(andes.get_case(case), setup=False, no_output=True, default_config=True)
    else:
        s = andes.System(no_output=True, default_config=True)
        for model, rows in case.items():
            for row in rows:
                s.add(model, dict(row))
    given = s.Toggle.n
    for model, rows in extra.items():
        for row in rows:
            s.add(model, dict(row))
    s.setup()
    s.Toggle.u.v[:given] = 0
    if loads == "P":
        c = s.PQ.config
        c.p2p, c.q2q, c.p2z, c.q2z, c.pq2z = 1, 1, 0, 0, 0
    return s

def run(case, loads, extra, step, until_s):
    s = system(case, loads, extra)
    s.PFlow.run()
    c = s.TDS.config
    c.fixt, c.tstep, c.tf, c.no_tqdm = 1, step, until_s, 1
    c.criteria = 0  # it would stop where the angle of a tripped machine has drifted away
    s.TDS.init()
    began = time.process_time()
    s.TDS.run()
    spent = time.process_time() - began
    if s.dae.t < until_s - 0.01:
        return {"error": f"ANDES stopped at {s.dae.t} s"}
    m = w = 0.0
    for model in (s.GENROU, s.GENCLS):
        if model.n:
            m = m + np.sum(model.ue.v * model.M.v)
            w = w + np.sum(model.ue.v * model.M.v * model.omega.v)
    return {"spent_s": spent, "f_pu": w / m}

def dump(case):
    s = andes.load(andes.get_case(case), setup=False, no_output=True, default_config=True)
    s.setup()
    wanted = ("Bus", "Line", "Shunt", "PQ", "PV", "Slack", "GENROU", "GENCLS", "TGOV1", "IEEEX1")
    return {n: getattr(s, n).as_df(vin=True).to_dict("records") for n in wanted if getattr(s, n).n}

cases = {}
print("ready", flush=True)
for line in sys.stdin:
    order = json.loads(line)
    if "dump" in order:
        answer = dump(order["dump"])
    elif "keep" in order:
        cases[order["keep"]] = order["tables"]
        answer = {}
    else:
        job = order["job"]
        answer = run(cases.get(job[0], job[0]), *job[1:])
    print(json.dumps(answer, default=str), flush=True)
"""
FILES = {"ieee39": "ieee39/ieee39_full.xlsx", "npcc": "npcc/npcc.xlsx"}


class Andes:
    """ANDES in a process of its own, that stays warm."""

    def __init__(self, python: str) -> None:
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [python, "-c", ANDES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={**os.environ, **threads},
        )  # fmt: skip
        assert self._process.stdout is not None
        self.there = self._process.stdout.readline().startswith("ready")

    def ask(self, **order: Any) -> Any:
        """Send an order and return the answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            assert self._process.stderr is not None
            raise RuntimeError(self._process.stderr.read())
        return json.loads(answer)

    def missing(self) -> str:
        """Say why it did not start."""
        assert self._process.stderr is not None
        return self._process.stderr.read().strip().splitlines()[-1]


def ours(case: Case, job: Job, step_s: float) -> tuple[float, float, float, int]:
    """Return processor time of one run [s], final frequency [pu], solves a stage, and factorisations."""
    loads = POWER if job.loads == "P" else IMPEDANCE
    session = begin(case, job.events, step_s=step_s, loads=loads)
    began = process_time()
    session.advance(job.until_s, every=1)
    spent = process_time() - began
    f_pu = float(Run(session).f_coi_hz.iloc[-1]) / session.system.point.f_hz
    return spent, f_pu, session.solves_per_stage, session.refactored_count


def compare(case: Case, job: Job, andes: Andes) -> None:
    """Print one line for each pair of steps."""
    name = FILES.get(job.case, job.case)
    for step_s, their_step_s, bar in job.pairs:
        mine, theirs = [ours(case, job, step_s)], []  # the first run compiles
        if andes.there:
            andes.ask(job=[name, job.loads, job.andes, their_step_s, min(job.until_s, 1.0)])
        for _ in range(THEIRS):
            mine += [ours(case, job, step_s) for _ in range(OURS)]
            if andes.there:
                theirs.append(andes.ask(job=[name, job.loads, job.andes, their_step_s, job.until_s]))
        spent_s, f_pu, solves, factorised = min(mine[1:])
        line = f"{job.case:14} {job.text:12} {job.loads}  {1e3 * step_s:5.1f} {1e3 * spent_s:8.1f}"
        line += f" {job.until_s / spent_s:6.0f} {solves:6.2f} {factorised:4d}"
        good = job.until_s / spent_s >= job.real_time
        if theirs:
            wrong = [answer["error"] for answer in theirs if "error" in answer]
            if wrong:
                print(line, wrong[0])
                continue
            best_s = min(answer["spent_s"] for answer in theirs)
            apart = (f_pu - theirs[0]["f_pu"]) * float(case.meta["f_nominal_hz"]) * 1e3
            good &= best_s / spent_s >= bar
            line += f"   {1e3 * their_step_s:5.1f} {1e3 * best_s:8.0f} {best_s / spent_s:6.0f} {bar:5.0f}"
            line += f"  {'ok  ' if good else 'MISS'} {apart:+.3f}"
        print(line, flush=True)


def main() -> None:
    given = sys.argv[1:]
    python = given.pop(0) if given and not given[0].isidentifier() else sys.executable
    wanted = given or ["ieee39", "npcc", "case1354pegase", "case2869pegase"]
    andes = Andes(python)
    if not andes.there:
        print(f"no ANDES beside ours: {andes.missing()}")
        print(f"{python} -m pip install andes==2.0.0, or give the interpreter of another environment")
    print("                                     ours                         ANDES")
    print("case           event        kind step ms  cpu ms real x solves fact. step ms   cpu ms  ratio   bar"
          "       mHz")  # fmt: skip
    for name in wanted:
        if name == "ieee39":
            case, jobs = load_case("ieee39_andes"), ieee39_jobs()
        elif name == "npcc":
            if not andes.there:
                print("npcc           left out: its data come with ANDES")
                continue
            case, jobs = from_andes(name, andes.ask(dump=FILES[name])), npcc_jobs()
        else:
            case, tables = pegase(name)
            jobs = pegase_jobs(case)
            if andes.there:
                andes.ask(keep=name, tables=tables)
        for job in jobs:
            compare(case, job, andes)


if __name__ == "__main__":
    main()
