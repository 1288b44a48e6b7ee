"""Does a long run of RMS dynamics stay flat in memory, and how long does a day take?

    python benchmarks/dynamics_day.py [HOURS]

`ieee39` at 10 ms inner step in pieces of 1 s, a load pulsing in each, nothing stored. Memory is compared
between the first tenth and the end of the run.
"""

import math
import sys
from time import process_time

import psutil
from tools import bar

from grids.case import load_case
from grids.dynamics import begin

HOUR_S = 3600


def held_mb() -> float:
    return psutil.Process().memory_info().rss / 2**20


def main() -> None:
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 24.0
    session = begin(load_case("ieee39"), step_s=0.01)
    load, point = "load_16", session.system.point
    base = next(-element.s_pu for element in point.elements if element.name == load) * point.model.base_mva
    seconds, early = int(hours * HOUR_S), max(int(hours * HOUR_S) // 10, 60)
    began, first = process_time(), 0.0
    for t_s in range(1, seconds + 1):
        session.advance(float(t_s), {load: base * (1.0 + 0.15 * math.sin(0.37 * t_s))})
        if t_s == early:
            first = held_mb()
    spent = process_time() - began
    print(f"{hours:g} h at 10 ms, exchange 1 s: {spent:.0f} s, {hours * HOUR_S / spent:.0f} times real time")
    print(f"{session.refactored_count} factorisations, {len(session.segments)} segments, {held_mb():.0f} MB")
    bar("memory gained after the first tenth", held_mb() - first, 5.0, "MB")


if __name__ == "__main__":
    main()
