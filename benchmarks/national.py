"""How long does a day of the interconnection take, and how much memory?

All provinces joined, eleven hubs with a hall and its demand each, a day at 60 s; in a process of its own,
after compilation.
"""

import sys
from time import perf_counter, process_time

from tools import bar, full_run_s, in_own_process, peak_mb

from cosim.assemble import prepare


def measure() -> None:
    """Print wall and processor time of it all, wall time of the run [s], exchanges and memory [MB]."""
    began, cpu = perf_counter(), process_time()
    plan = prepare("china_day")
    prepared, prepared_cpu = perf_counter() - began, process_time() - cpu
    wall_s, cpu_s = full_run_s(plan)
    print(prepared + wall_s, prepared_cpu + cpu_s, wall_s, len(plan.clock), peak_mb())


def main() -> None:
    full_run_s(prepare("china_day", changes={"until_s": 600}))  # compiles what is not in the cache
    whole_s, cpu_s, wall_s, count, mb = (float(word) for word in in_own_process(__file__, "measure").split())
    print(f"{count:.0f} exchanges, {1e3 * wall_s / count:.2f} ms an exchange")
    bar(
        "a day of the interconnection, prepared and run",
        whole_s,
        60.0,
        f"s wall ({cpu_s:.1f} s of processor time)",
    )
    bar("peak memory", mb, 1000.0, "MB")


if __name__ == "__main__":
    measure() if len(sys.argv) > 1 else main()
