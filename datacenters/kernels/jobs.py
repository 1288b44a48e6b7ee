"""Jobs on sites, tick by tick: they come, are placed, run, are saved, travel, end."""

from typing import NamedTuple

import numpy as np

from cosim.core.jit import jit, jit_lent
from cosim.core.types import Bools, Floats, Ints
from datacenters.kernels.wan import fair_shares

(
    FUTURE, WAITING, FETCHING, LOADING, RUNNING, SAVING, DRAINING, MOVING, STARTING, DONE,
) = range(10)  # fmt: skip
"""States of a job. FETCHING: its data travel to the site that was chosen; SAVING: a checkpoint; DRAINING: its
state is written to leave; MOVING: it travels; STARTING: it is loaded there, the old site still held."""

(
    BEGINS, ENDS, ENDS_LATE, FETCHES, LEAVES, TRAVELS, CUTS_OVER, ROLLS_BACK, FAILS, SUSPENDS, STALLS,
) = range(11)  # fmt: skip
"""What an event of a job says."""

USEFUL, OVERHEAD, LOST, ARRIVED, MOVED, SENT, RECEIVED, ENDED, LATE, CAME, WENT, FAILED, ASKED, N_SUMS = (
    range(14)
)
"""What is added up for every site: GPU s, GB, counts."""

N_QUEUE, N_ACTIVE, NEXT, HEAD, CHANGED, N_EVENTS, FLOWS, N_COUNTS = range(8)
"""Places in `Pool.tally`."""

NOWHERE = -1
TO_QUEUE = -2
"""Target of a job that is suspended."""

EDGE_S = 1e-9
STANDSTILL_S = 0.3
"""A live copy stops the machine for the last round when it takes no longer than this (unconfirmed)."""


class Jobs(NamedTuple):
    """What a job is; arrays over jobs in the order of their arrival, `allowed` of shape (jobs, sites)."""

    arrival_s: Floats
    gpus: Floats
    busy_pu: Floats
    work_gpu_s: Floats
    deadline_s: Floats
    state_gb: Floats
    every_s: Floats
    save_s: Floats
    load_s: Floats
    dirty_gbit_per_s: Floats
    kind: Ints
    home: Ints
    movable: Bools
    allowed: Bools


class Life(NamedTuple):
    """Where a job stands; arrays over jobs."""

    state: Ints
    site: Ints
    target: Ints
    data: Ints
    """Site its state lies at while it waits; NOWHERE: at any."""
    done_gpu_s: Floats
    safe_gpu_s: Floats
    lost_gpu_s: Floats
    overhead_gpu_s: Floats
    until_s: Floats
    left_gb: Floats
    rate_gbit_per_s: Floats
    stalled_s: Floats
    next_save_s: Floats
    begin_s: Floats
    end_s: Floats
    moves: Ints


class Pool(NamedTuple):
    """Who waits, who is on a site, what is held there, and the events not yet told."""

    queue: Ints
    active: Ints
    tally: Ints
    used_gpu: Floats
    """Accelerators held by jobs, shape (sites,); a moving job holds both ends."""
    event_s: Floats
    events: Ints
    """Shape (events, 4): what, job, from, to."""


class Sites(NamedTuple):
    """What holds during one exchange; arrays over sites."""

    cap_gpu: Floats
    """Accelerators jobs may hold."""
    rate_pu: Floats
    """Speed of work there, 1 at full clocks."""
    room_gpu: Floats
    """Busy accelerators that may be added in this exchange; lowered as they are."""
    saves_room: Bools
    """Whether room not used is kept for the next exchange: then none may pass a job that waits for it."""
    score: Floats
    """Jobs go where it is lowest."""
    is_open: Bools
    """Whether jobs that may wait start there."""
    up: Bools
    access_gbit_per_s: Floats
    route_gbit_per_s: Floats


class Rules(NamedTuple):
    """How jobs are handled."""

    strict: bool
    """The first that waits lets none pass."""
    depth: int
    """How many waiting jobs are looked at behind the first without room, for each first allowed site."""
    load_pu: float
    """Work of loading, of the job's accelerators."""
    away: float
    """Added to the score of sites a job's data are not at."""
    patience_s: float
    """How long a transfer may stand still before it is rolled back."""
    tells_all: bool
    """Whether plain starts and ends are events."""


@jit_lent
def _tell(pool: Pool, t_s: float, what: int, job: int, source: int, target: int) -> None:
    k = pool.tally[N_EVENTS]
    if k < pool.event_s.size:
        pool.event_s[k] = t_s
        pool.events[k, 0], pool.events[k, 1], pool.events[k, 2], pool.events[k, 3] = what, job, source, target
    pool.tally[N_EVENTS] = k + 1


@jit_lent
def _left(jobs: Jobs, life: Life, j: int) -> float:
    return float(jobs.work_gpu_s[j] - life.done_gpu_s[j])


@jit_lent
def _waits_at(life: Life, j: int) -> int:
    """Return the site whose backlog a waiting job is counted in."""
    return int(max(life.data[j], 0))


@jit_lent
def latest_start_s(jobs: Jobs, life: Life, j: int) -> float:
    """Return when a job must begin to end in time, checkpoints and 5 % to spare counted [s]."""
    runs_s = _left(jobs, life, j) / (jobs.gpus[j] * jobs.busy_pu[j])
    saves_s = runs_s / jobs.every_s[j] * jobs.save_s[j]
    return float(jobs.deadline_s[j] - 1.05 * (runs_s + saves_s) - jobs.load_s[j])


@jit_lent
def _begin(
    jobs: Jobs, life: Life, pool: Pool, sums: Floats, rules: Rules, j: int, s: int, t_s: float
) -> None:
    """Give a waiting job its accelerators at a site."""
    pool.used_gpu[s] += jobs.gpus[j]
    was = _waits_at(life, j)
    sums[MOVED, was] -= _left(jobs, life, j)
    sums[MOVED, s] += _left(jobs, life, j)
    life.site[j], life.target[j] = s, NOWHERE
    if np.isnan(life.begin_s[j]):
        life.begin_s[j] = t_s
    if life.data[j] != NOWHERE and life.data[j] != s and jobs.state_gb[j] > 0.0:
        life.state[j], life.left_gb[j], life.stalled_s[j] = FETCHING, jobs.state_gb[j], 0.0
        pool.tally[FLOWS] = 1
        _tell(pool, t_s, FETCHES, j, life.data[j], s)
    else:
        life.data[j] = s
        life.state[j], life.until_s[j] = LOADING, t_s + jobs.load_s[j]
        if rules.tells_all:
            _tell(pool, t_s, BEGINS, j, NOWHERE, s)
    pool.active[pool.tally[N_ACTIVE]] = j
    pool.tally[N_ACTIVE] += 1


@jit_lent
def _requeue(jobs: Jobs, life: Life, pool: Pool, sums: Floats, j: int) -> None:
    """Put a job that holds a site to the front of the queue; the caller takes it off the active ones."""
    s = life.site[j]
    pool.used_gpu[s] -= jobs.gpus[j]
    sums[MOVED, s] -= _left(jobs, life, j)
    sums[MOVED, _waits_at(life, j)] += _left(jobs, life, j)
    n = pool.tally[N_QUEUE]
    for k in range(n, 0, -1):
        pool.queue[k] = pool.queue[k - 1]
    pool.queue[0] = j
    pool.tally[N_QUEUE] = n + 1
    life.state[j], life.site[j], life.target[j] = WAITING, NOWHERE, NOWHERE
    pool.tally[CHANGED] = 1


@jit_lent
def _give_up_target(jobs: Jobs, life: Life, pool: Pool, j: int, t_s: float) -> None:
    """Roll a move back: the job goes on where it was, whose accelerators it still holds."""
    pool.used_gpu[life.target[j]] -= jobs.gpus[j]
    _tell(pool, t_s, ROLLS_BACK, j, life.site[j], life.target[j])
    life.target[j], life.state[j] = NOWHERE, RUNNING
    pool.tally[CHANGED] = 1
    pool.tally[FLOWS] = 1


@jit_lent
def _compact(life: Life, pool: Pool) -> None:
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
            _give_up_target(jobs, life, pool, j, t_s)
            continue
        if life.site[j] != s:
            continue
        hit += 1
        if life.state[j] == STARTING:
            _cut_over(jobs, life, pool, sums, j, t_s)
            life.state[j] = LOADING
            continue
        if life.state[j] == MOVING or (life.state[j] == DRAINING and life.target[j] >= 0):
            pool.used_gpu[life.target[j]] -= jobs.gpus[j]
            _tell(pool, t_s, ROLLS_BACK, j, s, life.target[j])
        lost = life.done_gpu_s[j] - life.safe_gpu_s[j]
        life.lost_gpu_s[j] += lost
        life.done_gpu_s[j] = life.safe_gpu_s[j]
        sums[LOST, s] += lost
        sums[FAILED, s] += 1.0
        _tell(pool, t_s, FAILS, j, s, NOWHERE)
        _requeue(jobs, life, pool, sums, j)
    _compact(life, pool)
    pool.tally[FLOWS] = 1
    return hit


@jit_lent
def _cut_over(jobs: Jobs, life: Life, pool: Pool, sums: Floats, j: int, t_s: float) -> None:
    """Let a job go on at its target and free where it was."""
    a, b = life.site[j], life.target[j]
    pool.used_gpu[a] -= jobs.gpus[j]
    left = _left(jobs, life, j)
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
    _tell(pool, t_s, CUTS_OVER, j, a, b)


@jit_lent
def begin_move(jobs: Jobs, life: Life, pool: Pool, j: int, target: int, t_s: float) -> bool:
    """Let a running job leave for another site, or for the queue (TO_QUEUE); tells whether it does.

    The accelerators at both ends are held until it has arrived. The caller has seen that there is room.
    """
    if life.state[j] != RUNNING and life.state[j] != SAVING:
        return False
    if target >= 0:
        pool.used_gpu[target] += jobs.gpus[j]
    life.target[j] = target
    live = jobs.dirty_gbit_per_s[j] > 0.0 and target >= 0
    life.state[j] = DRAINING
    life.until_s[j] = t_s if live else t_s + jobs.save_s[j]
    _tell(pool, t_s, LEAVES, j, life.site[j], target)
    return True


@jit
def _transfers(life: Life, pool: Pool, sites: Sites) -> None:
    """Share the network among what travels."""
    n = 0
    for k in range(pool.tally[N_ACTIVE]):
        state = life.state[pool.active[k]]
        n += state in (FETCHING, MOVING)
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
    if n:
        wanted = np.full(n, 1e9)
        rate = fair_shares(source, target, wanted, sites.access_gbit_per_s, sites.route_gbit_per_s)
        for k in range(n):
            life.rate_gbit_per_s[who[k]] = rate[k]
    pool.tally[FLOWS] = 0


@jit_lent
def _travel(
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
        _tell(pool, t_s + h_s, STALLS, j, a, b)
        if fetches:
            _requeue(jobs, life, pool, sums, j)
        else:
            _give_up_target(jobs, life, pool, j, t_s + h_s)
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
    speed = jobs.gpus[j] * jobs.busy_pu[j] * sites.rate_pu[s]
    left = _left(jobs, life, j)
    if speed * h_s >= left and speed > 0.0:
        life.done_gpu_s[j] = jobs.work_gpu_s[j]
        sums[USEFUL, s] += left
        life.end_s[j] = t_s + left / speed
        late = life.end_s[j] > jobs.deadline_s[j] + EDGE_S
        sums[ENDED, s] += 1.0
        sums[LATE, s] += 1.0 if late else 0.0
        if life.state[j] == MOVING:
            pool.used_gpu[life.target[j]] -= jobs.gpus[j]
            pool.tally[FLOWS] = 1
        life.state[j] = DONE
        pool.used_gpu[s] -= jobs.gpus[j]
        pool.tally[CHANGED] = 1
        if late:
            _tell(pool, life.end_s[j], ENDS_LATE, j, s, NOWHERE)
        elif rules.tells_all:
            _tell(pool, life.end_s[j], ENDS, j, s, NOWHERE)
        return
    life.done_gpu_s[j] += speed * h_s
    sums[USEFUL, s] += speed * h_s
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
            _tell(pool, t_s, SUSPENDS, j, life.site[j], NOWHERE)
            _requeue(jobs, life, pool, sums, j)
            return
        state = life.state[j] = MOVING
        life.left_gb[j], life.stalled_s[j] = jobs.state_gb[j], 0.0
        life.rate_gbit_per_s[j] = np.nan
        life.until_s[j] = t_s + jobs.load_s[j]  # a live copy is loaded while it comes
        pool.tally[FLOWS] = 1
        _tell(pool, t_s, TRAVELS, j, life.site[j], life.target[j])
    elif state == STARTING and life.until_s[j] <= now:
        _cut_over(jobs, life, pool, sums, j, t_s)
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
        _travel(jobs, life, pool, sums, rules, j, t_s, h_s)
    elif state == RUNNING:
        _work(jobs, life, pool, sites, sums, rules, j, t_s, h_s)
    elif state == LOADING:
        _load(life, sums, jobs.gpus[j], j, life.site[j], rules.load_pu, h_s)
    elif state == STARTING:
        _load(life, sums, jobs.gpus[j], j, life.target[j], rules.load_pu, h_s)


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
                ends[n] = t_s + _left(jobs, life, i) / speed
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


@jit
def _place(jobs: Jobs, life: Life, pool: Pool, sites: Sites, sums: Floats, rules: Rules, t_s: float) -> None:
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
            runs_s = _left(jobs, life, j) / (jobs.gpus[j] * jobs.busy_pu[j]) + jobs.load_s[j]
            may_wait = np.isfinite(jobs.deadline_s[j]) and t_s < latest_start_s(jobs, life, j)
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
                if may_wait and not sites.is_open[s]:
                    held = True
                    continue
                reaches = reaches or sites.cap_gpu[s] > 0.0
                if jobs.gpus[j] > sites.cap_gpu[s] - pool.used_gpu[s] + 1e-9:
                    continue
                if blocked and s == at and t_s + runs_s > when_s and jobs.gpus[j] > spare:
                    continue
                score = sites.score[s] + (rules.away if away else 0.0)
                if needs > sites.room_gpu[s]:
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
        sites.room_gpu[start] -= jobs.gpus[j] * jobs.busy_pu[j]
        _begin(jobs, life, pool, sums, rules, j, start, t_s)
    pool.tally[N_QUEUE] = kept


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
    for tick in range(ticks):
        now = t_s + tick * h_s
        k = pool.tally[NEXT]
        while k < jobs.arrival_s.size and jobs.arrival_s[k] <= now + EDGE_S:
            life.state[k] = WAITING
            life.data[k] = jobs.home[k]
            pool.queue[pool.tally[N_QUEUE]] = k
            pool.tally[N_QUEUE] += 1
            sums[ARRIVED, _waits_at(life, k)] += jobs.work_gpu_s[k]
            k += 1
            places = True
        pool.tally[NEXT] = k
        if pool.tally[N_QUEUE] and (places or pool.tally[CHANGED]):
            _place(jobs, life, pool, sites, sums, rules, now)
        places = False
        pool.tally[CHANGED] = 0
        if pool.tally[FLOWS]:
            _transfers(life, pool, sites)
        for a in range(pool.tally[N_ACTIVE]):
            j = pool.active[a]
            if life.state[j] == RUNNING and now + h_s < life.next_save_s[j] - EDGE_S:
                s = life.site[j]
                work = jobs.gpus[j] * jobs.busy_pu[j] * sites.rate_pu[s] * h_s
                if work < jobs.work_gpu_s[j] - life.done_gpu_s[j]:  # what most do most of the time
                    life.done_gpu_s[j] += work
                    sums[USEFUL, s] += work
                    continue
            _live(jobs, life, pool, sites, sums, rules, j, now, h_s)
        if pool.tally[CHANGED]:
            _compact(life, pool)
