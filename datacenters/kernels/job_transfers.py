"""What travels: jobs that move and data that are fetched share the network, tick by tick."""

import numpy as np

from cosim.core.jit import jit, jit_lent
from cosim.core.types import Floats
from datacenters.kernels.job_moves import give_up_target, requeue
from datacenters.kernels.jobs import (
    EDGE_S,
    FETCHING,
    FLOWS,
    LOADING,
    MOVING,
    N_ACTIVE,
    RECEIVED,
    SENT,
    STALLS,
    STARTING,
    Jobs,
    Life,
    Pool,
    Rules,
    Sites,
    tell,
)
from datacenters.kernels.wan import fair_shares

STANDSTILL_S = 0.3
"""A live copy stops the machine for the last round when it takes no longer than this (unconfirmed)."""


@jit
def transfers(life: Life, pool: Pool, sites: Sites) -> None:
    """Share the network among what travels: jobs, and states of services."""
    n = 0
    for k in range(pool.tally[N_ACTIVE]):
        state = life.state[pool.active[k]]
        n += state in (FETCHING, MOVING)
    for f in range(sites.flow_left_gb.size):
        n += sites.flow_left_gb[f] > 0.0
    who = np.empty(n, dtype=np.int64)
    source, target = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    n = 0
    for k in range(pool.tally[N_ACTIVE]):
        j = pool.active[k]
        if life.state[j] == FETCHING:
            who[n], source[n], target[n] = j, life.data[j], life.site[j]
            n += 1
        elif life.state[j] == MOVING:
            who[n], source[n], target[n] = j, life.site[j], life.target[j]
            n += 1
    states = n
    for f in range(sites.flow_left_gb.size):
        if sites.flow_left_gb[f] > 0.0:
            who[n], source[n], target[n] = f, sites.flow_source[f], sites.flow_target[f]
            n += 1
    if n:
        wanted = np.full(n, 1e9)
        rate = fair_shares(source, target, wanted, sites.access_gbit_per_s, sites.route_gbit_per_s)
        for k in range(states):
            life.rate_gbit_per_s[who[k]] = rate[k]
        for k in range(states, n):
            sites.flow_gbit_per_s[who[k]] = rate[k]
    pool.tally[FLOWS] = 0


@jit_lent
def send_states(pool: Pool, sites: Sites, sums: Floats, h_s: float) -> None:
    """Send states of services for one tick."""
    for f in range(sites.flow_left_gb.size):
        gb = min(sites.flow_gbit_per_s[f] * h_s / 8.0, sites.flow_left_gb[f])
        if gb <= 0.0:
            continue
        sites.flow_left_gb[f] -= gb
        sums[SENT, sites.flow_source[f]] += gb
        sums[RECEIVED, sites.flow_target[f]] += gb
        if sites.flow_left_gb[f] <= 0.0:
            pool.tally[FLOWS] = 1


@jit_lent
def travel(
    jobs: Jobs, life: Life, pool: Pool, sums: Floats, rules: Rules, j: int, t_s: float, h_s: float
) -> None:
    """Move a job's state on by one tick; it ends at the end of the tick at the earliest."""
    fetches = life.state[j] == FETCHING
    a = life.data[j] if fetches else life.site[j]
    b = life.site[j] if fetches else life.target[j]
    rate = life.rate_gbit_per_s[j]
    live = not fetches and jobs.dirty_gbit_per_s[j] > 0.0
    left_gb = life.left_gb[j] + (jobs.dirty_gbit_per_s[j] * h_s / 8.0 if live else 0.0)
    gb = min(rate * h_s / 8.0, left_gb)
    life.left_gb[j] = left_gb - gb
    sums[SENT, a] += gb
    sums[RECEIVED, b] += gb
    stands = rate <= (jobs.dirty_gbit_per_s[j] if live else 1e-9)
    life.stalled_s[j] = life.stalled_s[j] + h_s if stands else 0.0
    if life.stalled_s[j] > rules.patience_s:
        tell(pool, t_s + h_s, STALLS, j, a, b)
        if fetches:
            requeue(jobs, life, pool, sums, j, t_s + h_s)
        else:
            give_up_target(jobs, life, pool, j, t_s + h_s)
        return
    is_loaded = not live or life.until_s[j] <= t_s + h_s + EDGE_S
    if is_loaded and not stands and life.left_gb[j] <= (rate * STANDSTILL_S / 8.0 if live else 1e-12):
        life.left_gb[j] = 0.0
        pool.tally[FLOWS] = 1
        life.until_s[j] = t_s + h_s + (0.0 if live else jobs.load_s[j])
        if fetches:
            life.data[j] = life.site[j]
            life.state[j] = LOADING
        else:
            life.state[j] = STARTING
