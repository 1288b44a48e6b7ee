"""How long does a day of the interconnection take, and how much memory?

    python benchmarks/national.py [plain] [green] [price]

All provinces joined, eleven hubs with a hall each, a day at 60 s; in a process of its own, after compilation.
`plain`: a demand at each hall. `green` and `price`: the hubs are the sites of one fleet by that policy, with
100,000 jobs, services, wind, sun, a battery and two controllers at each, the guard, and an order a quarter of
an hour; half a day beside it says whether memory is flat. All of them where none is named.
"""

import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

from national_hubs import changes
from tools import bar, full_run_s, in_own_process, peak_mb

from cosim.assemble import prepare
from cosim.plan import Plan
from datacenters.site import Site

DAY_S = 86_400
BARS_S = {"plain": 60.0, "green": 120.0, "price": 120.0}


def planned(which: str, until_s: int) -> Plan:
    """Return the plan of a day, or of its first part."""
    if which == "plain":
        return prepare("china_day", changes={"until_s": until_s, "clock.step_s": 60})
    with tempfile.TemporaryDirectory() as folder:
        return prepare("china_day", changes=changes(which, until_s, Path(folder)))


def measure(which: str, until_s: int) -> None:
    """Print wall and processor time, wall time of the run alone [s], exchanges, memory [MB], jobs done."""
    began, cpu = perf_counter(), process_time()
    plan = planned(which, until_s)
    prepared, prepared_cpu = perf_counter() - began, process_time() - cpu
    wall_s, cpu_s = full_run_s(plan)
    done = 0.0
    for kind in plan.kinds:
        if isinstance(kind.component, Site):
            done = kind.component.fleet.roster.books()["done_count"]
    print(prepared + wall_s, prepared_cpu + cpu_s, wall_s, len(plan.clock), peak_mb(), done)


def day(which: str) -> None:
    """Print what a day takes."""
    full_run_s(planned(which, 7200))  # compiles what is not in the cache
    answers = in_own_process(__file__, "measure", which, str(DAY_S)).split()
    whole_s, cpu_s, wall_s, count, mb, done = (float(word) for word in answers)
    busy = f"load average {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
    print(f"{which}: {count:.0f} exchanges, {1e3 * wall_s / count:.2f} ms an exchange, {done:.0f} jobs done")
    bar("a day of the interconnection, prepared and run", whole_s, BARS_S[which], f"s wall ({busy})")
    bar("of it processor time", cpu_s, BARS_S[which], "s")
    bar("peak memory", mb, 1000.0, "MB")
    if which != "plain":
        half_mb = float(in_own_process(__file__, "measure", which, str(DAY_S // 2)).split()[4])
        bar("against that of half a day", mb / half_mb, 1.2, f"times {half_mb:.0f} MB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        measure(sys.argv[2], int(sys.argv[3]))
    else:
        for name in sys.argv[1:] or BARS_S:
            day(name)
