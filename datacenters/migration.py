"""Whether a move can be done in time: copies, checkpoints, loading."""

from typing import TYPE_CHECKING

import numpy as np

from cosim.core.types import Ints
from datacenters.network import copy_s, precopy

if TYPE_CHECKING:
    from datacenters.fleet import Fleet

STOP_GB = 1.0
"""Last round of a live copy, for estimates."""


def needed_s(fleet: "Fleet", who: Ints, source: int, target: int) -> tuple[float, str]:
    """Return how long it takes to move jobs together [s], and of what that is made.

    They share the line, so their states add up; saving and loading run beside each other, loading of what is
    copied live beside the copy.
    """
    jobs = fleet.jobs
    access = fleet.access_gbit_per_s
    rate = float(min(fleet.route[source, target], access[source], access[target]))
    if rate <= 0.0:
        return np.inf, f"the line {fleet.names[source]}-{fleet.names[target]} is cut"
    gigabytes = float(jobs.state_gb[who].sum())
    dirty = float(jobs.dirty_gbit_per_s[who].sum())
    copy = precopy(gigabytes, rate, dirty, STOP_GB)[0] if dirty > 0.0 else copy_s(gigabytes, rate)
    live = jobs.dirty_gbit_per_s[who] > 0.0
    save = float(np.where(live, 0.0, jobs.save_s[who]).max(initial=0.0))
    copy = max(copy, float(np.where(live, jobs.load_s[who], 0.0).max(initial=0.0)))
    load = float(np.where(live, 0.0, jobs.load_s[who]).max(initial=0.0))
    parts = f"saving {save:g} s, copy {copy:.1f} s ({gigabytes:g} GB at {rate:g} Gbit/s), loading {load:g} s"
    return save + copy + load, parts


def too_slow(fleet: "Fleet", who: Ints, ends: tuple[int, int], gpus: float, over_s: float) -> str | None:
    """Return why jobs of so many accelerators cannot move from one end to the other in time, or None."""
    source, target = ends
    order = who[np.argsort(-fleet.jobs.gpus[who], kind="stable")]
    sizes = fleet.jobs.gpus[order]
    taken, chosen = 0.0, []
    for j, size in zip(order, sizes, strict=True):
        if taken + size <= gpus + 1e-9:
            chosen.append(j)
            taken += float(size)
    where = f"{fleet.names[source]} to {fleet.names[target]}"
    if not chosen:
        smallest = f", the smallest of {sizes.min():g}" if sizes.size else ""
        can = f"{sizes.size} can move{smallest}"
        return f"no running job of at most {gpus:g} accelerators can go from {where} ({can})"
    needs_s, parts = needed_s(fleet, np.array(chosen, dtype=np.int64), source, target)
    if needs_s > over_s:
        return (
            f"{len(chosen)} jobs cannot go from {where} in {over_s:g} s: {needs_s:.1f} s are needed: {parts}"
        )
    return None
