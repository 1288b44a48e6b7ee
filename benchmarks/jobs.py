"""How long does a day of 100,000 jobs on ten sites take, decided every second?

Bar: 60 s. Once with exchanges of a minute, as studies have them, once with exchanges of a second; both decide
every second; what differs is how often services and scores are looked at.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numpy as np
from tools import bar, peak_mb

from cosim.core.component import Context
from cosim.core.streams import Streams
from cosim.results import Writer
from datacenters.fleet import FleetParams
from datacenters.service_params import ServiceParams
from datacenters.site import Site, SiteParams
from datacenters.workload import Population

PLACES = (
    "hami", "qingyang", "zhongwei", "horinger", "ulanqab", "zhangjiakou", "hefei", "shanghai", "guian",
    "chongqing",
)  # fmt: skip
JOBS, DAY_S = 100_000, 86_400.0


def sites() -> Site:
    """Return ten sites of 6,000 accelerators, so full that jobs queue."""
    fleet = FleetParams(
        jobs=(Population(name="batch", jobs_count=JOBS, duration_median_h=0.4, slack_h=6),),
        services=(
            ServiceParams(name="chat", users="beijing", mean_gpu=2000, latency_bound_ms=10, requests="code"),
        ),
    )
    rows = [
        SiteParams(place=p, gpus_count=6000, services_gpu=1000, fleet=None if k else fleet)
        for k, p in enumerate(PLACES)
    ]
    made = Site(rows)
    made.reset(Context(names=PLACES, streams=Streams(1)))
    return made


def day(dt_s: float) -> tuple[float, float, Site]:
    """Return wall and processor time of a day [s], and the sites at its end."""
    made = sites()
    inputs = {port.name: np.full(len(PLACES), port.default) for port in made.inputs}
    made.step(0.0, dt_s, inputs)
    began, used = perf_counter(), process_time()
    for n in range(1, round(DAY_S / dt_s)):
        made.step(n * dt_s, dt_s, inputs)
    return perf_counter() - began, process_time() - used, made


def rows_s(made: Site) -> float:
    """Return the processor time of writing a row for each job [s]."""
    began = process_time()
    with TemporaryDirectory() as folder:
        writer = Writer(Path(folder), {})
        for name, ledger in made.ledgers().items():
            writer.add_ledger(name, ledger)
        writer.close()
    return process_time() - began


def main() -> None:
    """Print both days."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", action="store_true", help="also with exchanges of a second")
    asked = parser.parse_args()
    rows_s(day(DAY_S / 4)[-1])  # compiled, and memory taken
    first_mb = peak_mb()
    for dt_s in (60.0, 1.0) if asked.seconds else (60.0,):
        wall_s, cpu_s, made = day(dt_s)
        done = made.fleet.roster.books()["done_count"]
        times = f"{wall_s:.1f} s wall, {cpu_s:.1f} s of processor"
        rows = f"{rows_s(made):.1f} s to write their rows"
        print(f"exchanges of {dt_s:g} s: {times}; {done:.0f} jobs done; {rows}")
        bar("processor time of the day", cpu_s, 60.0, "s")
    bar("memory against a first day", peak_mb() / first_mb, 1.2, "times")


if __name__ == "__main__":
    main()
