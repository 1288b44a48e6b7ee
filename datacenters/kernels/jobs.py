"""What a job is, where it stands, and what sites and rules are to it: arrays of the kernels of jobs."""

from typing import NamedTuple

from cosim.core.jit import jit_lent
from cosim.core.types import Bools, Floats, Ints

(
    FUTURE, WAITING, FETCHING, LOADING, RUNNING, SAVING, DRAINING, MOVING, STARTING, DONE,
) = range(10)  # fmt: skip
"""States of a job. FETCHING: its data travel to the site that was chosen; SAVING: a checkpoint; DRAINING: its
state is written to leave; MOVING: it travels; STARTING: it is loaded there, the old site still held."""

(
    BEGINS, ENDS, ENDS_LATE, FETCHES, LEAVES, TRAVELS, CUTS_OVER, ROLLS_BACK, FAILS, SUSPENDS, STALLS,
    EXPIRES,
) = range(12)  # fmt: skip
"""What an event of a job says."""

(
    USEFUL, OVERHEAD, LOST, ARRIVED, MOVED, SENT, RECEIVED, ENDED, LATE, CAME, WENT, FAILED, ASKED, TOKENS,
    TOKENS_LOST, N_SUMS,
) = range(16)  # fmt: skip
"""What is added up for every site: GPU s, GB, counts, tokens."""

N_QUEUE, N_ACTIVE, NEXT, CHANGED, N_EVENTS, FLOWS, N_COUNTS = range(7)
"""Places in `Pool.tally`."""

NOWHERE = -1
TO_QUEUE = -2
"""Target of a job that is suspended."""

EDGE_S = 1e-9


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
    tokens_per_gpu_s: Floats
    """Tokens written for each accelerator second of its work; 0: it writes none."""
    kind: Ints
    home: Ints
    fate: Ints
    """How it ends for its owner: a place in `job_statistics.FATES`."""
    movable: Bools
    allowed: Bools


class Life(NamedTuple):
    """Where a job stands; arrays over jobs."""

    state: Ints
    site: Ints
    target: Ints
    data: Ints
    """Site its state lies at while it waits; NOWHERE: at any."""
    level_pu: Floats
    """Part of it that has power, 1: all of it."""
    done_gpu_s: Floats
    safe_gpu_s: Floats
    lost_gpu_s: Floats
    overhead_gpu_s: Floats
    until_s: Floats
    left_gb: Floats
    rate_gbit_per_s: Floats
    stalled_s: Floats
    next_save_s: Floats
    due_s: Floats
    """When it must have arrived where it moves to; it stays where it was if it has not."""
    since_s: Floats
    """Since when it waits."""
    waited_s: Floats
    begin_s: Floats
    end_s: Floats
    first: Ints
    """Site it began at."""
    moves: Ints
    fails: Ints
    """How often it fell back to its last checkpoint with its site."""
    watched: Bools
    """Something happened to it: from then on its starts and its end are told."""


class Pool(NamedTuple):
    """Who waits, who is on a site, what is held there, and the events not yet told."""

    queue: Ints
    active: Ints
    tally: Ints
    used_gpu: Floats
    """Accelerators held by jobs, shape (sites,); a moving job holds both ends."""
    waits_count: Floats
    """Jobs that wait, by where their data lie; with data at no site in equal parts where they may run."""
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
    parts_pu: Floats
    """Smallest part of a job that may begin there, 1: it begins whole."""
    saves_room: Bools
    """Whether room not used is kept for the next exchange: then none may pass a job that waits for it."""
    score: Floats
    """Jobs go where it is lowest."""
    is_open: Bools
    """Whether jobs that may wait start there."""
    up: Bools
    access_gbit_per_s: Floats
    route_gbit_per_s: Floats
    flow_source: Ints
    """Where states of services come from, shape (flows,), as the three below."""
    flow_target: Ints
    flow_left_gb: Floats
    """What is left of each; lowered as it is sent."""
    flow_gbit_per_s: Floats
    """What each has of the network now; written here."""


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
def tell(pool: Pool, t_s: float, what: int, job: int, source: int, target: int) -> None:
    """Keep what happens to a job for the events table."""
    k = pool.tally[N_EVENTS]
    if k < pool.event_s.size:
        pool.event_s[k] = t_s
        pool.events[k, 0], pool.events[k, 1], pool.events[k, 2], pool.events[k, 3] = what, job, source, target
    pool.tally[N_EVENTS] = k + 1


@jit_lent
def left_gpu_s(jobs: Jobs, life: Life, j: int) -> float:
    """Return the work a job has yet to do [GPU s]."""
    return float(jobs.work_gpu_s[j] - life.done_gpu_s[j])


@jit_lent
def book_waiting(
    jobs: Jobs, life: Life, pool: Pool, sums: Floats, row: int, j: int, work_gpu_s: float, count: float
) -> None:
    """Add a waiting job, or take it off, where its data lie: its work to a row of `sums`, and its number.

    A job whose data lie at no site counts in equal parts at all sites it may run at.
    """
    at, sites = life.data[j], pool.waits_count.size
    if at >= 0:
        sums[row, at] += work_gpu_s
        pool.waits_count[at] += count
        return
    n = 0
    for s in range(sites):
        n += jobs.allowed[j, s]
    for s in range(sites):
        if jobs.allowed[j, s]:
            sums[row, s] += work_gpu_s / n
            pool.waits_count[s] += count / n


@jit_lent
def latest_start_s(jobs: Jobs, life: Life, j: int) -> float:
    """Return when a job must begin to end in time, checkpoints and 5 % to spare counted [s].

    Time to fetch its data comes off that.
    """
    runs_s = left_gpu_s(jobs, life, j) / (jobs.gpus[j] * jobs.busy_pu[j])
    saves_s = runs_s / jobs.every_s[j] * jobs.save_s[j]
    return float(jobs.deadline_s[j] - 1.05 * (runs_s + saves_s) - jobs.load_s[j])
