"""Jobs that begin in parts: as many of a job's accelerators work as there is power for."""

from cosim.core.jit import jit_lent
from cosim.core.types import Floats
from datacenters.kernels.jobs import ASKED, N_ACTIVE, Jobs, Life, Pool, Sites

SETTLES_PU = 0.1
"""A part larger than this, of what is still lacking, comes to its power before the next is asked for."""


@jit_lent
def _ask(sites: Sites, sums: Floats, s: int, lacks: float) -> float:
    """Return the room that is taken of a site where there is too little, and ask for the rest.

    Power follows work with a lag: the meter of an exchange in which much began shows too little.
    """
    room = max(sites.room_gpu[s], 0.0)
    sites.room_gpu[s] = 0.0
    lacks -= room
    if room <= SETTLES_PU * lacks:
        sums[ASKED, s] = max(sums[ASKED, s], lacks)
    return float(room)


@jit_lent
def take_room(jobs: Jobs, life: Life, sites: Sites, sums: Floats, j: int, s: int) -> None:
    """Let a job that begins have what room there is of what it needs, and ask for the rest."""
    needs = jobs.gpus[j] * jobs.busy_pu[j]
    if needs <= sites.room_gpu[s]:
        sites.room_gpu[s] -= needs
        life.level_pu[j] = 1.0
        return
    life.level_pu[j] = _ask(sites, sums, s, needs) / needs


@jit_lent
def raise_parts(jobs: Jobs, life: Life, pool: Pool, sites: Sites, sums: Floats) -> None:
    """Let jobs that began in parts have more of what they need, as there is room, and ask for the rest."""
    divides = False
    for s in range(sites.parts_pu.size):
        divides = divides or sites.parts_pu[s] < 1.0
    if not divides:
        return
    for a in range(pool.tally[N_ACTIVE]):
        j = pool.active[a]
        if life.level_pu[j] >= 1.0:
            continue
        s, needs = life.site[j], jobs.gpus[j] * jobs.busy_pu[j]
        lacks = needs * (1.0 - life.level_pu[j])
        if lacks <= sites.room_gpu[s]:
            sites.room_gpu[s] -= lacks
            life.level_pu[j] = 1.0
            continue
        life.level_pu[j] += _ask(sites, sums, s, lacks) / needs


@jit_lent
def loading_pu(jobs: Jobs, life: Life, load_pu: float, j: int) -> float:
    """Return the work of loading, of a job's accelerators: no more than the part of it that has power."""
    if life.level_pu[j] >= 1.0:
        return load_pu
    return float(min(load_pu, jobs.busy_pu[j] * life.level_pu[j]))
