"""Jobs change hands: given a site, sent to another, taken back, lost with it."""

import numpy as np

from cosim.core.jit import jit_lent
from cosim.core.types import Floats
from datacenters.kernels.jobs import (
    BEGINS,
    CAME,
    CHANGED,
    CUTS_OVER,
    DONE,
    DRAINING,
    FAILED,
    FAILS,
    FETCHES,
    FETCHING,
    FLOWS,
    LEAVES,
    LOADING,
    LOST,
    MOVED,
    MOVING,
    N_ACTIVE,
    N_QUEUE,
    NOWHERE,
    ROLLS_BACK,
    RUNNING,
    SAVING,
    STARTING,
    TOKENS_LOST,
    WAITING,
    WENT,
    Jobs,
    Life,
    Pool,
    Rules,
    book_waiting,
    left_gpu_s,
    tell,
)


@jit_lent
def begin(jobs: Jobs, life: Life, pool: Pool, sums: Floats, rules: Rules, j: int, s: int, t_s: float) -> None:
    """Give a waiting job its accelerators at a site."""
    pool.used_gpu[s] += jobs.gpus[j]
    left = left_gpu_s(jobs, life, j)
    book_waiting(jobs, life, pool, sums, MOVED, j, -left, -1.0)
    sums[MOVED, s] += left
    life.waited_s[j] += t_s - life.since_s[j]
    life.site[j], life.target[j] = s, NOWHERE
    if np.isnan(life.begin_s[j]):
        life.begin_s[j], life.first[j] = t_s, s
    if life.data[j] != NOWHERE and life.data[j] != s and jobs.state_gb[j] > 0.0:
        life.state[j], life.left_gb[j], life.stalled_s[j] = FETCHING, jobs.state_gb[j], 0.0
        pool.tally[FLOWS] = 1
        tell(pool, t_s, FETCHES, j, life.data[j], s)
    else:
        life.data[j] = s
        life.state[j], life.until_s[j] = LOADING, t_s + jobs.load_s[j]
        if rules.tells_all or life.watched[j]:
            tell(pool, t_s, BEGINS, j, NOWHERE, s)
    pool.active[pool.tally[N_ACTIVE]] = j
    pool.tally[N_ACTIVE] += 1


@jit_lent
def requeue(jobs: Jobs, life: Life, pool: Pool, sums: Floats, j: int, t_s: float) -> None:
    """Let a job that holds a site wait, in the order of arrival; the caller takes it off the active ones."""
    s = life.site[j]
    pool.used_gpu[s] -= jobs.gpus[j]
    left = left_gpu_s(jobs, life, j)
    sums[MOVED, s] -= left
    book_waiting(jobs, life, pool, sums, MOVED, j, left, 1.0)
    k = pool.tally[N_QUEUE]
    pool.tally[N_QUEUE] = k + 1
    while k > 0 and pool.queue[k - 1] > j:
        pool.queue[k] = pool.queue[k - 1]
        k -= 1
    pool.queue[k] = j
    life.since_s[j], life.watched[j] = t_s, True
    life.state[j], life.site[j], life.target[j] = WAITING, NOWHERE, NOWHERE
    life.level_pu[j] = 1.0
    pool.tally[CHANGED] = 1


@jit_lent
def give_up_target(jobs: Jobs, life: Life, pool: Pool, j: int, t_s: float) -> None:
    """Roll a move back: the job goes on where it was, whose accelerators it still holds."""
    pool.used_gpu[life.target[j]] -= jobs.gpus[j]
    tell(pool, t_s, ROLLS_BACK, j, life.site[j], life.target[j])
    life.target[j], life.state[j] = NOWHERE, RUNNING
    life.watched[j] = True
    pool.tally[CHANGED] = 1
    pool.tally[FLOWS] = 1


@jit_lent
def compact(life: Life, pool: Pool) -> None:
    """Take jobs that hold no site off the active ones."""
    n = 0
    for k in range(pool.tally[N_ACTIVE]):
        j = pool.active[k]
        if life.state[j] >= FETCHING and life.state[j] < DONE:
            pool.active[n] = j
            n += 1
    pool.tally[N_ACTIVE] = n


@jit_lent
def fail_site(jobs: Jobs, life: Life, pool: Pool, sums: Floats, s: int, t_s: float) -> int:
    """Lose a site at once: what ran there falls back to its last checkpoint and waits; returns how many.

    A job whose copy has arrived at another site goes on there; one that was coming here stays where it was.
    """
    hit = 0
    for k in range(pool.tally[N_ACTIVE]):
        j = pool.active[k]
        if life.target[j] == s and life.site[j] != s:
            give_up_target(jobs, life, pool, j, t_s)
            continue
        if life.site[j] != s:
            continue
        hit += 1
        if life.state[j] == STARTING:
            cut_over(jobs, life, pool, sums, j, t_s)
            life.state[j] = LOADING
            continue
        if life.state[j] == MOVING or (life.state[j] == DRAINING and life.target[j] >= 0):
            pool.used_gpu[life.target[j]] -= jobs.gpus[j]
            tell(pool, t_s, ROLLS_BACK, j, s, life.target[j])
        lost = life.done_gpu_s[j] - life.safe_gpu_s[j]
        life.lost_gpu_s[j] += lost
        life.done_gpu_s[j] = life.safe_gpu_s[j]
        sums[LOST, s] += lost
        sums[TOKENS_LOST, s] += lost * jobs.tokens_per_gpu_s[j]
        sums[FAILED, s] += 1.0
        life.fails[j] += 1
        tell(pool, t_s, FAILS, j, s, NOWHERE)
        requeue(jobs, life, pool, sums, j, t_s)
    compact(life, pool)
    pool.tally[FLOWS] = 1
    return hit


@jit_lent
def cut_over(jobs: Jobs, life: Life, pool: Pool, sums: Floats, j: int, t_s: float) -> None:
    """Let a job go on at its target, whole, and free where it was."""
    life.level_pu[j] = 1.0
    a, b = life.site[j], life.target[j]
    pool.used_gpu[a] -= jobs.gpus[j]
    left = left_gpu_s(jobs, life, j)
    sums[MOVED, a] -= left
    sums[MOVED, b] += left
    sums[WENT, a] += 1.0
    sums[CAME, b] += 1.0
    life.site[j], life.data[j], life.target[j] = b, b, NOWHERE
    life.state[j] = RUNNING
    life.safe_gpu_s[j] = life.done_gpu_s[j]
    life.next_save_s[j] = t_s + jobs.every_s[j]
    life.moves[j] += 1
    pool.tally[CHANGED] = 1
    tell(pool, t_s, CUTS_OVER, j, a, b)


@jit_lent
def begin_move(jobs: Jobs, life: Life, pool: Pool, j: int, target: int, t_s: float, due_s: float) -> bool:
    """Let a running job leave for another site, or for the queue (TO_QUEUE); tells whether it does.

    The accelerators at both ends are held until it has arrived; what has not arrived at `due_s` goes on where
    it was. The caller has seen that there is room.
    """
    if life.state[j] != RUNNING and life.state[j] != SAVING:
        return False
    if target >= 0:
        pool.used_gpu[target] += jobs.gpus[j]
    life.target[j], life.due_s[j] = target, due_s
    live = jobs.dirty_gbit_per_s[j] > 0.0 and target >= 0
    life.state[j] = DRAINING
    life.until_s[j] = t_s if live else t_s + jobs.save_s[j]
    tell(pool, t_s, LEAVES, j, life.site[j], target)
    return True
