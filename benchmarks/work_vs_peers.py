"""How do ten sites over a day compare with vessim's microgrids, and moves of work with openg2g's load shift?

    python benchmarks/work_vs_peers.py [PYTHON_WITH_PEERS]

The peers (`pip install "vessim[mosaik]==0.16.0" openg2g==0.2.0.post1`) are not dependencies; give
the interpreter that has them, or they are looked for in this one. Processor time, one thread, best of three.

A day: ten sites at 60 s, each with a load, sun, a battery that takes what is left over, and the grid,
from the same numbers; charges at the end must agree. Then with what vessim does not have: jobs and services
instead of traces, and through mosaik with a power flow of 39 buses, without and with halls and work.

Load shift: two sites of 6,000 accelerators, an hour at 1 s; each minute 8 replicas of 8 leave the site
that is told to have a low voltage. What each side does not do stands in `benchmarks/README.md`.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from tools import full_run_s

from cosim.assemble import prepare
from cosim.core.component import Component, Context
from cosim.core.streams import Streams
from cosim.core.types import Floats
from datacenters.battery import Battery, BatteryParams
from datacenters.fleet import FleetParams
from datacenters.must_take import MustTake, MustTakeParams
from datacenters.network import NetworkParams
from datacenters.profile import Profile, ProfileParams
from datacenters.service_params import ServiceParams
from datacenters.site import MoveJobs, Site, SiteParams
from datacenters.workload import Population

PLACES = (
    "hami", "qingyang", "zhongwei", "horinger", "ulanqab", "zhangjiakou", "hefei", "shanghai", "guian",
    "chongqing",
)  # fmt: skip
BUSES = (3, 4, 7, 8, 15, 16, 18, 20, 21, 23)
DAY_S, STEP_S, P_MW, E_MWH, SUN_MW = 86_400, 60, 8.0, 60.0, 20.0
GPUS, REPLICA_GPU, EACH_GPU, HOUR_S, EVERY_S, SWAP_S = 6000, 8, 64, 3600, 60, 1200
"""Load shift: accelerators of a site, a replica, a decision; length, time between decisions, and swaps."""

PEERS = """
import json, sys, tempfile, time
from fractions import Fraction
import numpy as np, pandas as pd
import loguru
loguru.logger.disable("vessim")
import vessim as vs
from openg2g.clock import SimulationClock
from openg2g.controller.load_shift import LoadShiftConfig, LoadShiftController
from openg2g.coordinator import SimulationLog
from openg2g.datacenter.config import DatacenterConfig, InferenceModelSpec, ReplicaSchedule
from openg2g.datacenter.offline import OfflineDatacenter, OfflineWorkload
from openg2g.datacenter.workloads.inference import InferenceData, InferenceTrace, InferenceTraceStore
from openg2g.events import EventEmitter

def day(path, backend, recorded, p_mw, e_mwh, step_s, until_s):
    table = pd.read_csv(path, index_col=0) * 1e6
    env = vs.Environment(sim_start="2026-08-05", step_size=step_s, backend=backend)
    count = len(table.columns) // 2
    for i in range(count):
        actors = [vs.Consumer("load", vs.Trace(table[[f"load_{i}"]], column=f"load_{i}")),
                  vs.Producer("sun", vs.Trace(table[[f"sun_{i}"]], column=f"sun_{i}"))]
        cells = vs.SimpleBattery("cells", e_mwh * 1e6, initial_soc=0.5, c_rate=p_mw / e_mwh)
        env.add_microgrid(actors, [cells, vs.GridConnection()], name=f"site_{i}")
    with tempfile.TemporaryDirectory() as folder:
        if recorded:
            env.add_controller(vs.Recorder(folder))
        began = time.process_time()
        done = env.run(until=until_s)
        spent = time.process_time() - began
    soc = [done.states[f"site_{i}"]["dispatch_states"]["cells"]["soc"] for i in range(count)]
    return {"spent_s": spent, "soc_pu": soc}

class Grid:
    def __init__(self, bus_of):
        self.bus_of, self.low = bus_of, 0
        self.v_index = [(bus, phase) for bus in bus_of.values() for phase in (1, 2, 3)]
    def dc_bus(self, dc):
        return self.bus_of[dc]
    def voltages_vector(self):
        return np.repeat([0.94 if i == self.low else 1.0 for i in range(2)], 3)

def shift(gpus, replica, each, seconds, every, swap):
    t = np.arange(600.0)
    trace = InferenceTrace(t, 600.0 * replica * (1.0 + 0.1 * np.sin(t / 7.0)), replica)
    store = InferenceTraceStore({"llm": {64: trace}}).build_templates(duration_s=seconds, dt_s=1)
    spec = InferenceModelSpec(model_label="llm", model_id="llm", gpu_model="B200", task="lm-arena-chat",
                              gpus_per_replica=replica, itl_deadline_s=0.1, batch_sizes=(64,))
    data = InferenceData((spec,), power_templates=store)
    half = gpus // 2 // replica
    dcs = [OfflineDatacenter(DatacenterConfig(gpus_per_server=8),
                             OfflineWorkload(data, {"llm": ReplicaSchedule(initial=half)}, {"llm": 64}),
                             name=n, dt_s=Fraction(1), seed=i, total_gpu_capacity=gpus)
           for i, n in enumerate(("a", "b"))]
    grid = Grid({dcs[0]: "a", dcs[1]: "b"})
    control = LoadShiftController(
        config=LoadShiftConfig(enabled=True, gpus_per_shift=each), dt_s=Fraction(every), datacenters=dcs,
        grid=grid, models_by_dc={d: ["llm"] for d in dcs}, gpus_per_replica_by_model={"llm": replica},
        feasible_batch_sizes_by_model={"llm": [64]})
    clock, log = SimulationClock(tick_s=Fraction(1)), SimulationLog()
    events = EventEmitter(clock, log, "datacenter")
    stepping = deciding = 0.0
    moved = decisions = 0
    for k in range(seconds):
        began = time.process_time()
        for dc in dcs:
            dc.do_step(clock, events)
        stepped = time.process_time()
        stepping += stepped - began
        if k and k % every == 0:
            grid.low = (k // swap) % 2
            commands = control.step(clock, events)
            for command in commands:
                command.target.apply_control(command, events)
            moved += sum(abs(c.replica_delta) for c in commands) // 2
            decisions += bool(commands)
            deciding += time.process_time() - stepped
        clock.advance()
    return {"step_s": stepping, "decide_s": deciding, "decisions": decisions, "replicas": moved}

print("ready", flush=True)
for line in sys.stdin:
    what, arguments = json.loads(line)
    print(json.dumps({"day": day, "shift": shift}[what](*arguments)), flush=True)
"""


class Peers:
    """The peers in a process of their own, that stays warm."""

    def __init__(self, python: str) -> None:
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [python, "-c", PEERS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={**os.environ, **threads},
        )  # fmt: skip
        assert self._process.stdout is not None
        self.there = self._process.stdout.readline().startswith("ready")

    def ask(self, what: str, *arguments: Any) -> Any:
        """Have one run done and return what it says; nothing where there are no peers."""
        if not self.there:
            return None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([what, arguments]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(self.told())
        return json.loads(answer)

    def told(self) -> str:
        """Return what its process complained of."""
        assert self._process.stderr is not None
        return self._process.stderr.read().strip()


def traces(path: Path) -> None:
    """Write a load and a sun [MW] of each site, a row a step: a day's shape with noise from a seed."""
    rng = np.random.default_rng(1)
    at_s = np.arange(0, DAY_S + 1, STEP_S)
    hour = at_s / 3600.0
    columns: dict[str, Floats] = {"t_s": at_s.astype(np.float64)}
    for i in range(len(PLACES)):
        noise = rng.normal(0.0, 0.1, at_s.size)
        columns[f"load_{i}"] = 5.0 + np.sin(2.0 * np.pi * (hour - 9.0 - i / 5.0) / 24.0) + noise
        columns[f"sun_{i}"] = SUN_MW * np.maximum(np.sin(np.pi * (hour - 6.0 - i / 10.0) / 12.0), 0.0)
    with path.open("w", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def begun(made: Any) -> tuple[Component, dict[str, Floats]]:
    """Return a component at its start, and the defaults of its inputs."""
    made.reset(Context(names=PLACES, streams=Streams(1)))
    return made, {port.name: np.full(len(PLACES), port.default) for port in made.inputs}


def profiles(path: Path, columns: str) -> Component:
    """Return the profiles of one column of all sites, as they are."""
    rows = [
        ProfileParams(file=path, value_column=f"{columns}_{i}", interpolation="hold", relative_to="absolute")
        for i in range(len(PLACES))
    ]
    return begun(Profile(rows))[0]


def work() -> FleetParams:
    """Return 10,000 jobs and three services, which draw about as much as the traces."""
    services = tuple(
        ServiceParams(name=users, users=users, mean_gpu=4000, latency_bound_ms=20, requests="conversation")
        for users in ("beijing", "shanghai", "chongqing")
    )
    jobs = (Population(name="batch", jobs_count=10_000, duration_median_h=1, slack_h=6),)
    return FleetParams(jobs=jobs, services=services)


def sites() -> Site:
    """Return the ten sites with all their work."""
    return Site([
        SiteParams(place=p, gpus_count=GPUS, services_gpu=2000, fleet=None if i else work())
        for i, p in enumerate(PLACES)
    ])  # fmt: skip


def own_day(path: Path, *, with_work: bool) -> tuple[float, Floats]:
    """Return processor time of a day of components [s], and charges at its end.

    Loads are traces, or those of jobs and services.
    """
    loads, suns = profiles(path, "load"), profiles(path, "sun")
    jobs, hears = begun(sites()) if with_work else (loads, {})
    pv, sees = begun(MustTake([MustTakeParams(p_rated_mw=SUN_MW)] * len(PLACES)))
    ideal = BatteryParams(
        p_rated_mw=P_MW, e_rated_mwh=E_MWH, eta_charge_pu=1, eta_discharge_pu=1, standby_pu=0, soc_min_pu=0,
        soc_max_pu=1, ramp_pu_per_s=1e6,
    )  # fmt: skip
    cells, orders = begun(Battery([ideal] * len(PLACES)))
    began = process_time()
    for t_s in range(0, DAY_S, STEP_S):
        sees["scale_pu"] = suns.step(t_s, STEP_S, {})["scale_pu"] / SUN_MW
        green_mw = pv.step(t_s, STEP_S, sees)["p_delivered_mw"]
        if with_work:
            hears["green_mw"] = green_mw
            load_mw = jobs.step(t_s, STEP_S, hears)["work_gpu"] / 1e3
        else:
            load_mw = loads.step(t_s, STEP_S, {})["scale_pu"]
        orders["p_order_mw"] = green_mw - load_mw
        soc_pu = cells.step(t_s, STEP_S, orders)["soc_pu"]
    return process_time() - began, soc_pu


def whole_day(path: Path, *, with_work: bool) -> float:
    """Return processor time of a day through mosaik [s]: sun, batteries, 39 buses, and halls with work."""
    units: dict[str, Any] = {}
    for i, place in enumerate(PLACES):
        at, hall = f"bus_{BUSES[i]}", [f"{place}_hall"] if with_work else []
        units[f"{place}_sun"] = {
            "component": "profile", "file": str(path), "value_column": f"sun_{i}", "relative_to": "peak",
        }  # fmt: skip
        units[f"{place}_pv"] = {
            "component": "must_take", "at": at, "p_rated_mw": SUN_MW, "profile": f"{place}_sun",
        }  # fmt: skip
        units[f"{place}_cells"] = {
            "component": "battery", "at": at, "p_rated_mw": P_MW, "e_rated_mwh": E_MWH,
            "mode": "ramp_smoothing", "smooths": [*hall, f"{place}_pv"], "ramp_limit_mw_per_min": 0.5,
        }  # fmt: skip
        if with_work:
            units[hall[0]] = {"component": "gpu_hall", "at": at, "it_rated_mw": 12}
            units[place] = {
                "component": "site", "place": place, "runs_on": hall[0], "gpus_count": GPUS,
                "services_gpu": 2000, "inputs": {"green_mw": f"{place}_pv.p_delivered_mw"},
            }  # fmt: skip
    if with_work:
        units[PLACES[0]]["fleet"] = work().model_dump(mode="json", exclude_defaults=True)
    scenario = {
        "title": "Ten sites for a day", "start": "2026-08-05T00:00:00+08:00", "until_s": DAY_S, "seed": 1,
        "clock": {"step_s": STEP_S}, "grid": {"case": "ieee39"}, "units": units,
    }  # fmt: skip
    file = path.with_name("ten_sites.yaml")
    file.write_text(json.dumps(scenario))
    return full_run_s(prepare(file))[1]


def own_shift() -> dict[str, float]:
    """Return processor time of an hour of two sites [s], of its decisions, and what has moved."""
    count = GPUS // REPLICA_GPU
    replicas = Population(
        name="replica", kind="batch_inference", jobs_count=count, gpus_median_gpu=REPLICA_GPU,
        gpus_sigma_pu=0, duration_median_h=24, duration_sigma_pu=0,
    )  # fmt: skip
    fleet = FleetParams(
        jobs=(replicas,), jobs_over_h=1e-4, network=NetworkParams(bandwidth_gbit_per_s=400), policy="backfill"
    )
    made = Site([
        SiteParams(place="hefei", gpus_count=GPUS, fleet=fleet), SiteParams(place="huaibei", gpus_count=GPUS),
    ])  # fmt: skip
    made.reset(Context(names=("a", "b"), streams=Streams(1)))
    inputs = {port.name: np.full(2, port.default) for port in made.inputs}
    stepping = deciding = 0.0
    decisions = 0
    for t_s in range(HOUR_S):
        began = process_time()
        if t_s and t_s % EVERY_S == 0:
            low = (t_s // SWAP_S) % 2
            made.command(t_s, low, "move", MoveJobs(to="ab"[1 - low], gpus_count=EACH_GPU, over_s=600))
            decisions += 1
        decided = process_time()
        deciding += decided - began
        out = made.step(t_s, 1.0, inputs)
        stepping += process_time() - decided
    moved = float(np.sum(out["came_count"]))
    return {"step_s": stepping, "decide_s": deciding, "decisions": decisions, "replicas": moved}


def best(run: Callable[[], Any], key: Callable[[Any], float]) -> Any:
    """Return the cheapest of three runs, after one that compiles; nothing where there is nobody to run."""
    if run() is None:
        return None
    return min((run() for _ in range(3)), key=key)


def line(text: str, spent_s: float, steps: int, against_s: float | None) -> None:
    """Print one row: time of a site's step, and how many times faster than what it is held against."""
    ratio = "" if against_s is None else f"{against_s / spent_s:8.2f}"
    print(f"{text:58}{spent_s:8.3f} s {1e6 * spent_s / steps:8.2f} us{ratio}", flush=True)


def compare_days(peers: Peers) -> None:
    """Print the day: vessim's ways to run it, and ours."""
    steps = len(PLACES) * DAY_S // STEP_S
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "traces.csv"
        traces(path)
        native, recorded, mosaik = (
            best(
                partial(peers.ask, "day", str(path), *way, P_MW, E_MWH, STEP_S, DAY_S),
                lambda found: float(found["spent_s"]),
            )
            for way in (("native", False), ("native", True), ("mosaik", True))
        )
        bare_s, soc_pu = best(lambda: own_day(path, with_work=False), lambda found: float(found[0]))
        work_s, _ = best(lambda: own_day(path, with_work=True), lambda found: float(found[0]))
        grid_s = best(lambda: whole_day(path, with_work=False), float)
        whole_s = best(lambda: whole_day(path, with_work=True), float)
    print("ten sites, a day at 60 s                                     processor  a site-step   ratio to")
    held = [None if found is None else float(found["spent_s"]) for found in (native, recorded, mosaik)]
    for text, spent_s in zip(
        ("native", "native, recorded to CSV", "mosaik, recorded to CSV"), held, strict=True
    ):
        if spent_s is not None:
            line(f"vessim, {text}", spent_s, steps, None)
    line("ours, traces, components alone         (vessim, native)", bare_s, steps, held[0])
    line("ours, 10,000 jobs and 3 services       (vessim, native)", work_s, steps, held[0])
    line("ours, sun, batteries, a grid, mosaik   (vessim, mosaik)", grid_s, steps, held[2])
    line("ours, the same with work and halls     (vessim, mosaik)", whole_s, steps, held[2])
    if native is not None:
        apart = float(np.abs(np.array(native["soc_pu"]) - soc_pu).max())
        verdict = "ok  " if apart < 1e-9 else "MISS"
        print(f"{verdict} charges at the end, {soc_pu.mean():.2f} pu on average, apart by {apart:.1e}")


def compare_shifts(peers: Peers) -> None:
    """Print the load shift."""

    def spent(found: Any) -> float:
        return float(found["step_s"] + found["decide_s"])

    theirs = best(lambda: peers.ask("shift", GPUS, REPLICA_GPU, EACH_GPU, HOUR_S, EVERY_S, SWAP_S), spent)
    mine = best(own_shift, spent)
    print(
        "\ntwo sites of 6,000 accelerators, an hour at 1 s              processor  a site-step"
        "   us a decision  replicas moved"
    )
    for text, found in (("openg2g, replicas jump", theirs), ("ours, saved, copied, loaded", mine)):
        if found is not None:
            each = 1e6 * found["decide_s"] / found["decisions"]
            step = 1e6 * found["step_s"] / (2 * HOUR_S)
            print(f"{text:58}{spent(found):8.3f} s {step:8.2f} us {each:14.1f} {found['replicas']:13.0f}")
    if theirs is not None:
        step, decision = theirs["step_s"] / mine["step_s"], theirs["decide_s"] / mine["decide_s"]
        print(f"ratio: {step:.1f} a step, {decision:.1f} a decision")


def main() -> None:
    peers = Peers(sys.argv[1] if len(sys.argv) > 1 else sys.executable)
    if not peers.there:
        print(f"no peers beside ours: {peers.told().splitlines()[-1]}")
        print(
            'pip install "vessim[mosaik]==0.16.0" openg2g==0.2.0.post1, or give the interpreter of another'
            " environment"
        )
    print(f"load average {os.getloadavg()[0]:.0f}")
    compare_days(peers)
    compare_shifts(peers)


if __name__ == "__main__":
    main()
