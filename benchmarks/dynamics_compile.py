"""How long does the first run of a process take, with an empty and with a warm kernel cache?

    python benchmarks/dynamics_compile.py [CASE]

Each start is a process of its own: it begins a session (operating point, units, kernels) and runs 20 s.
Imports are counted apart: pandapower's take longer than the run.
"""

import os
import subprocess
import sys
import tempfile

from tools import bar

START = """
import sys, time
began, spent = time.perf_counter(), time.process_time()
from grids.case import load_case
from grids.dynamics import LoadStep, begin
imported, spent = time.perf_counter(), time.process_time()
case = load_case(sys.argv[1])
session = begin(case, [LoadStep(10.0, 1.0, bus=case.net.bus["name"].iloc[0])], step_s=1 / 120)
started = time.perf_counter()
session.advance(20.0, every=1)
print(imported - began, started - imported, time.perf_counter() - started, time.process_time() - spent)
"""


def first_run(case: str, cache: str) -> tuple[float, ...]:
    """Return wall time [s] of imports, start and run, and the processor time of start and run."""
    done = subprocess.run(
        [sys.executable, "-c", START, case],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "SUANDIAN_CACHE_DIR": cache},
    )
    return tuple(float(part) for part in done.stdout.split())


def main() -> None:
    case = sys.argv[1] if len(sys.argv) > 1 else "ieee39"
    with tempfile.TemporaryDirectory() as cache:
        for text, limit_s in (("empty cache", 30.0), ("warm cache", 1.0), ("warm cache, again", 1.0)):
            imports_s, start_s, run_s, spent_s = first_run(case, cache)
            print(f"{case}, {text}: imports {imports_s:.2f} s, start {start_s:.2f} s, 20 s run {run_s:.3f} s")
            bar("     start and run, processor time", spent_s, limit_s, "s")


if __name__ == "__main__":
    main()
