"""Jobs on sites, tick by tick: they come, are placed, run, are saved, travel, end."""

import numpy as np

from cosim.core.jit import jit, jit_lent
from cosim.core.types import Floats
from datacenters.kernels.job_moves import compact, cut_over, give_up_target, requeue
from datacenters.kernels.job_parts import loading_pu, raise_parts
from datacenters.kernels.job_placing import place
from datacenters.kernels.job_transfers import send_states, transfers, travel
from datacenters.kernels.jobs import (
    ARRIVED,
    CHANGED,
    DONE,
    DRAINING,
    EDGE_S,
    ENDED,
    ENDS,
    ENDS_LATE,
    EXPIRES,
    FETCHING,
    FLOWS,
    LATE,
    LOADING,
    MOVING,
    N_ACTIVE,
    N_QUEUE,
    NEXT,
    NOWHERE,
    OVERHEAD,
    RUNNING,
    SAVING,
    STARTING,
    SUSPENDS,
    TO_QUEUE,
    TOKENS,
    TRAVELS,
    USEFUL,
    WAITING,
    Jobs,
    Life,
    Pool,
    Rules,
    Sites,
    book_waiting,
    left_gpu_s,
    tell,
)


@jit_lent
def _work(
    jobs: Jobs,
    life: Life,
    pool: Pool,
    sites: Sites,
    sums: Floats,
    rules: Rules,
    j: int,
    t_s: float,
    h_s: float,
) -> None:
    """Let a job run for one tick; the end falls where it falls."""
    s = life.site[j]
    speed = jobs.gpus[j] * jobs.busy_pu[j] * life.level_pu[j] * sites.rate_pu[s]
    left = left_gpu_s(jobs, life, j)
    if speed * h_s >= left and speed > 0.0:
        life.done_gpu_s[j] = jobs.work_gpu_s[j]
        sums[USEFUL, s] += left
        sums[TOKENS, s] += left * jobs.tokens_per_gpu_s[j]
        life.end_s[j] = t_s + left / speed
        late = life.end_s[j] > jobs.deadline_s[j] + EDGE_S
        sums[ENDED, s] += 1.0
        sums[LATE, s] += 1.0 if late else 0.0
        if life.state[j] == MOVING:
            pool.used_gpu[life.target[j]] -= jobs.gpus[j]
            life.target[j] = NOWHERE
            pool.tally[FLOWS] = 1
        life.state[j] = DONE
        pool.used_gpu[s] -= jobs.gpus[j]
        pool.tally[CHANGED] = 1
        if late:
            tell(pool, life.end_s[j], ENDS_LATE, j, s, NOWHERE)
        elif rules.tells_all or life.watched[j]:
            tell(pool, life.end_s[j], ENDS, j, s, NOWHERE)
        return
    life.done_gpu_s[j] += speed * h_s
    sums[USEFUL, s] += speed * h_s
    sums[TOKENS, s] += speed * h_s * jobs.tokens_per_gpu_s[j]
    if life.state[j] == RUNNING and t_s + h_s >= life.next_save_s[j] - EDGE_S:
        life.state[j], life.until_s[j] = SAVING, t_s + h_s + jobs.save_s[j]


@jit_lent
def _load(life: Life, sums: Floats, gpus: float, j: int, s: int, load_pu: float, h_s: float) -> None:
    work = gpus * load_pu * h_s
    life.overhead_gpu_s[j] += work
    sums[OVERHEAD, s] += work


@jit_lent
def _live(
    jobs: Jobs,
    life: Life,
    pool: Pool,
    sites: Sites,
    sums: Floats,
    rules: Rules,
    j: int,
    t_s: float,
    h_s: float,
) -> None:
    """Take a job on a site through one tick."""
    state = life.state[j]
    now = t_s + EDGE_S
    if state == LOADING and life.until_s[j] <= now:
        state = life.state[j] = RUNNING
        life.next_save_s[j] = t_s + jobs.every_s[j]
    elif state == SAVING and life.until_s[j] <= now:
        state = life.state[j] = RUNNING
        life.safe_gpu_s[j] = life.done_gpu_s[j]
        life.next_save_s[j] = t_s + jobs.every_s[j]
    elif state == DRAINING and life.until_s[j] <= now:
        life.safe_gpu_s[j] = life.done_gpu_s[j]
        if life.target[j] == TO_QUEUE:
            tell(pool, t_s, SUSPENDS, j, life.site[j], NOWHERE)
            requeue(jobs, life, pool, sums, j, t_s)
            return
        state = life.state[j] = MOVING
        life.left_gb[j], life.stalled_s[j] = jobs.state_gb[j], 0.0
        life.rate_gbit_per_s[j] = np.nan
        life.until_s[j] = t_s + jobs.load_s[j]  # a live copy is loaded while it comes
        pool.tally[FLOWS] = 1
        tell(pool, t_s, TRAVELS, j, life.site[j], life.target[j])
    elif state == STARTING and life.until_s[j] <= now:
        cut_over(jobs, life, pool, sums, j, t_s)
        state = RUNNING
    if state >= DRAINING and state <= STARTING and life.target[j] >= 0 and life.due_s[j] <= now:
        tell(pool, t_s, EXPIRES, j, life.site[j], life.target[j])
        give_up_target(jobs, life, pool, j, t_s)
        state = RUNNING
    if state in (FETCHING, MOVING):
        if state == MOVING and jobs.dirty_gbit_per_s[j] > 0.0:
            _work(jobs, life, pool, sites, sums, rules, j, t_s, h_s)
            if life.state[j] == DONE:
                return
            if life.until_s[j] > now:
                _load(life, sums, jobs.gpus[j], j, life.target[j], rules.load_pu, h_s)
        if np.isnan(life.rate_gbit_per_s[j]):  # it sets out: its share is known from the next tick on
            return
        travel(jobs, life, pool, sums, rules, j, t_s, h_s)
    elif state == RUNNING:
        _work(jobs, life, pool, sites, sums, rules, j, t_s, h_s)
    elif state == LOADING:
        load_pu = loading_pu(jobs, life, rules.load_pu, j)
        _load(life, sums, jobs.gpus[j], j, life.site[j], load_pu, h_s)
    elif state == STARTING:
        _load(life, sums, jobs.gpus[j], j, life.target[j], rules.load_pu, h_s)


@jit
def advance(
    jobs: Jobs,
    life: Life,
    pool: Pool,
    sites: Sites,
    rules: Rules,
    sums: Floats,
    t_s: float,
    h_s: float,
    ticks: int,
) -> None:
    """Take all jobs through `ticks` ticks of `h_s` from `t_s`, adding up what happens in `sums`."""
    places = True
    raise_parts(jobs, life, pool, sites, sums)
    for tick in range(ticks):
        now = t_s + tick * h_s
        k = pool.tally[NEXT]
        while k < jobs.arrival_s.size and jobs.arrival_s[k] <= now + EDGE_S:
            life.state[k] = WAITING
            life.data[k] = jobs.home[k]
            pool.queue[pool.tally[N_QUEUE]] = k
            pool.tally[N_QUEUE] += 1
            life.since_s[k] = jobs.arrival_s[k]
            book_waiting(jobs, life, pool, sums, ARRIVED, k, jobs.work_gpu_s[k], 1.0)
            k += 1
            places = True
        pool.tally[NEXT] = k
        if pool.tally[N_QUEUE] and (places or pool.tally[CHANGED]):
            place(jobs, life, pool, sites, sums, rules, now)
        places = False
        pool.tally[CHANGED] = 0
        if pool.tally[FLOWS]:
            transfers(life, pool, sites)
        send_states(pool, sites, sums, h_s)
        for a in range(pool.tally[N_ACTIVE]):
            j = pool.active[a]
            if life.state[j] == RUNNING and now + h_s < life.next_save_s[j] - EDGE_S:
                s = life.site[j]
                work = jobs.gpus[j] * jobs.busy_pu[j] * life.level_pu[j] * sites.rate_pu[s] * h_s
                if work < jobs.work_gpu_s[j] - life.done_gpu_s[j]:  # what most do most of the time
                    life.done_gpu_s[j] += work
                    sums[USEFUL, s] += work
                    sums[TOKENS, s] += work * jobs.tokens_per_gpu_s[j]
                    continue
            _live(jobs, life, pool, sites, sums, rules, j, now, h_s)
        if pool.tally[CHANGED]:
            compact(life, pool)
