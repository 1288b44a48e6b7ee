"""How long does a day of New England take with every machine integrated at 10 ms and an exchange each second?

39 buses, ten machines with exciters, governors and stabilisers, four halls with their demand, no profile.
One hour by default and 24 with `--day`; memory is that of four hours against one, each in a process of its
own. The inner steps run in compiled code; what mosaik and the tables cost is told apart.
"""

import sys
from pathlib import Path
from time import perf_counter

from tools import bar, full_run_s, in_own_process, peak_mb

from cosim.assemble import prepare

SCENARIO = Path(__file__).with_name("ieee39_day.yaml")
HOUR_S = 3600


def run_s(until_s: int) -> tuple[float, float]:
    """Return wall and processor time [s] of so long a run."""
    return full_run_s(prepare(SCENARIO, changes={"until_s": until_s}))


def measure(until_s: str) -> None:
    run_s(int(until_s))
    print(peak_mb())


def main(hours: int) -> None:
    began = perf_counter()
    run_s(10)
    print(f"first exchange, compiled or from the cache: {perf_counter() - began:.1f} s")
    wall_s, cpu_s = run_s(hours * HOUR_S)
    count = hours * HOUR_S
    print(
        f"{count} exchanges of 100 inner steps: {1e3 * wall_s / count:.2f} ms wall, "
        f"{1e3 * cpu_s / count:.2f} ms of processor each"
    )
    bar(f"{hours} h of ieee39 with four halls", wall_s, 60.0 * hours, "s wall")
    short_mb, long_mb = (float(in_own_process(__file__, str(s))) for s in (HOUR_S, 4 * HOUR_S))
    bar("peak memory of four hours against one", long_mb / short_mb, 1.1, f"times {short_mb:.0f} MB")


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] != "--day":
        measure(sys.argv[1])
    else:
        main(24 if "--day" in sys.argv else 1)
