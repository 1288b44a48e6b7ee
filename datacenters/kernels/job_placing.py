"""Where waiting jobs start: in their order, and behind the first without room those that do not delay it."""

import numpy as np

from cosim.core.jit import jit, jit_lent
from cosim.core.types import Floats
from datacenters.kernels.job_moves import begin
from datacenters.kernels.job_parts import take_room
from datacenters.kernels.jobs import (
    ASKED,
    N_ACTIVE,
    N_QUEUE,
    NOWHERE,
    Jobs,
    Life,
    Pool,
    Rules,
    Sites,
    latest_start_s,
    left_gpu_s,
)


@jit
def _shadow(jobs: Jobs, life: Life, pool: Pool, sites: Sites, j: int, t_s: float) -> tuple[int, float, float]:
    """Return where a job that finds no room will find it first, when, and what is spare there then."""
    best, best_s, spare = NOWHERE, np.inf, 0.0
    ends = np.empty(pool.tally[N_ACTIVE])
    frees = np.empty(pool.tally[N_ACTIVE])
    for s in range(sites.cap_gpu.size):
        if not (jobs.allowed[j, s] and sites.up[s]) or jobs.gpus[j] > sites.cap_gpu[s]:
            continue
        n = 0
        for k in range(pool.tally[N_ACTIVE]):
            i = pool.active[k]
            if life.site[i] == s:
                speed = jobs.gpus[i] * jobs.busy_pu[i] * max(sites.rate_pu[s], 1e-6)
                ends[n] = t_s + left_gpu_s(jobs, life, i) / speed
                frees[n] = jobs.gpus[i]
                n += 1
        free = sites.cap_gpu[s] - pool.used_gpu[s]
        when = t_s
        order = np.argsort(ends[:n])
        for k in range(n):
            if free >= jobs.gpus[j]:
                break
            free += frees[order[k]]
            when = ends[order[k]]
        if free >= jobs.gpus[j] and when < best_s:
            best, best_s, spare = s, when, free - jobs.gpus[j]
    return best, best_s, spare


@jit_lent
def _first_allowed(jobs: Jobs, j: int) -> int:
    """Return the first site a job may run at."""
    s = 0
    while not jobs.allowed[j, s] and s < jobs.allowed.shape[1] - 1:
        s += 1
    return s


@jit_lent
def _fetch_s(jobs: Jobs, life: Life, sites: Sites, j: int, s: int) -> float:
    """Return how long a job's data take to a site when nothing else travels [s]."""
    if jobs.state_gb[j] <= 0.0:
        return 0.0
    at = life.data[j]
    rate = min(sites.route_gbit_per_s[at, s], sites.access_gbit_per_s[at], sites.access_gbit_per_s[s])
    return float(8.0 * jobs.state_gb[j] / rate)


@jit
def place(jobs: Jobs, life: Life, pool: Pool, sites: Sites, sums: Floats, rules: Rules, t_s: float) -> None:
    """Start waiting jobs in their order; behind the first without room only those that do not delay it.

    That is EASY backfilling (Lifka, JSSPP 1995): the first gets a promise of where and when; others may
    pass if they end before, or use what it leaves.
    """
    n, kept = pool.tally[N_QUEUE], 0
    looked = np.zeros(sites.cap_gpu.size, dtype=np.int64)
    at, when_s, spare = NOWHERE, np.inf, 0.0
    blocked = False
    for q in range(n):
        j = pool.queue[q]
        start = NOWHERE
        first = _first_allowed(jobs, j)
        if looked[first] <= rules.depth and not (blocked and rules.strict):
            runs_s = left_gpu_s(jobs, life, j) / (jobs.gpus[j] * jobs.busy_pu[j]) + jobs.load_s[j]
            latest_s = latest_start_s(jobs, life, j)
            needs = jobs.gpus[j] * jobs.busy_pu[j]
            best, held, crowded, reaches = np.inf, False, NOWHERE, False
            crowded_score = np.inf
            for s in range(sites.cap_gpu.size):
                if not (jobs.allowed[j, s] and sites.up[s]):
                    continue
                away = life.data[j] != NOWHERE and life.data[j] != s
                if away and not (
                    sites.up[life.data[j]]
                    and (jobs.state_gb[j] <= 0.0 or sites.route_gbit_per_s[life.data[j], s] > 0.0)
                ):
                    continue
                fetch_s = _fetch_s(jobs, life, sites, j, s) if away else 0.0
                if not sites.is_open[s] and np.isfinite(latest_s) and t_s < latest_s - fetch_s:
                    held = True
                    continue
                reaches = reaches or sites.cap_gpu[s] > 0.0
                if jobs.gpus[j] > sites.cap_gpu[s] - pool.used_gpu[s] + 1e-9:
                    continue
                if blocked and s == at and t_s + runs_s > when_s and jobs.gpus[j] > spare:
                    continue
                score = sites.score[s] + (rules.away if away else 0.0)
                if needs * sites.parts_pu[s] > sites.room_gpu[s]:
                    if score < crowded_score:
                        crowded, crowded_score = s, score
                    continue
                if score < best:
                    best, start = score, s
            if start == NOWHERE and crowded != NOWHERE:
                sums[ASKED, crowded] = max(sums[ASKED, crowded], needs)
                if sites.saves_room[crowded]:
                    sites.room_gpu[crowded] = 0.0
            elif start == NOWHERE and reaches and not held:
                looked[first] += 1
                if not blocked:
                    blocked = True
                    at, when_s, spare = _shadow(jobs, life, pool, sites, j, t_s)
        if start == NOWHERE:
            pool.queue[kept] = j
            kept += 1
            continue
        if blocked and start == at and t_s + runs_s > when_s:
            spare -= jobs.gpus[j]
        take_room(jobs, life, sites, sums, j, start)
        begin(jobs, life, pool, sums, rules, j, start, t_s)
    pool.tally[N_QUEUE] = kept
