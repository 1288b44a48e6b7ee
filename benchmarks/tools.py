"""What the benchmarks share: timing, and mosaik with nothing in it, wired as a plan is."""

import itertools
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import mosaik
import mosaik_api_v3
import numpy as np
from mosaik.starters import PythonStarter

from cosim.plan import Plan
from cosim.run import run

ATTRIBUTES = ["now", "late", "rows"]


class Empty(mosaik_api_v3.Simulator):
    """Steps through a clock and hands out one array, made once."""

    def __init__(self, following: dict[int, int]) -> None:
        models = {"Empty": {"public": True, "params": [], "attrs": ATTRIBUTES}}
        super().__init__({"api_version": "3.0", "type": "time-based", "models": models})
        self.following = following
        self.data = {"all": dict.fromkeys(ATTRIBUTES, np.zeros(90))}

    def init(self, sid: str, time_resolution: float = 1.0, **params: Any) -> Any:
        """Return the description."""
        return self.meta

    def create(self, num: int, model: str, **params: Any) -> list[dict[str, Any]]:
        """Create the one entity."""
        return [{"eid": "all", "type": model}]

    def step(self, time: int, inputs: Any, max_advance: int) -> int:
        """Do nothing until the next exchange."""
        return self.following[time]

    def get_data(self, outputs: Any) -> Any:
        """Return the same array."""
        return self.data


def empty_run_s(plan: Plan) -> float:
    """Return the wall time [s] of mosaik with empty simulators: same number, links and clock as `plan`."""
    clock = plan.clock
    ticks = clock.ticks.tolist()
    following = dict(zip(ticks, [*ticks[1:], clock.until], strict=True))
    world = mosaik.World(
        time_resolution=float(clock.tick_s), cache=False, skip_greetings=True, configure_logging=False
    )
    names = [*("+".join(stage) for stage in plan.stages), "grid", "recorder"]
    entities = [world.start(PythonStarter(lambda: Empty(following)), sim_id=name).Empty() for name in names]
    for source, target in itertools.pairwise(entities):
        world.connect(source, target, "now")
    world.connect(entities[-1], entities[0], "rows", time_shifted=True, initial_data={"rows": 0})
    late = {wire.target for wire in plan.wires if wire.delayed}
    for entity, stage in zip(entities, plan.stages, strict=False):
        if late.intersection(stage):
            world.connect(entities[-2], entity, ("now", "late"), time_shifted=True, initial_data={"now": 0})
    began = perf_counter()
    world.run(until=clock.until, print_progress=False, lazy_stepping=False)
    return perf_counter() - began


def full_run_s(plan: Plan) -> tuple[float, float]:
    """Return wall and processor time [s] of a run of `plan`, results thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        began, cpu = perf_counter(), process_time()
        run(plan, Path(folder))
        return perf_counter() - began, process_time() - cpu


def peak_mb() -> float:
    """Return the largest memory this process has held [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def in_own_process(script: str, *arguments: str) -> str:
    """Run a benchmark script with arguments in a process of its own and return what it prints."""
    command = [sys.executable, script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def bar(text: str, value: float, limit: float, unit: str, *, at_least: bool = False) -> None:
    """Print a measured value beside its bar."""
    good = value >= limit if at_least else value <= limit
    sign = ">=" if at_least else "<="
    print(f"{'ok  ' if good else 'MISS'} {text}: {value:.3g} {unit} (bar {sign} {limit:g})")
