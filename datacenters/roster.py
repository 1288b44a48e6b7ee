"""The jobs of a fleet: what each is, where it stands, and what is told of it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cosim.core.component import Emit
from cosim.core.types import Floats, Ints
from datacenters.job_statistics import FATES
from datacenters.kernels import jobs as k
from datacenters.workload import HOUR_S, KINDS, JobSet

EVENTS = 1 << 16
"""Events of jobs kept in one exchange, or two for each job; more are counted, not told."""

TOLD = {
    k.BEGINS: ("job_begins", "{job} begins at {to}"),
    k.ENDS: ("job_ends", "{job} ends at {source}"),
    k.ENDS_LATE: ("job_late", "{job} ends at {source} after its deadline"),
    k.FETCHES: ("job_fetched", "{job} will run at {to}: {gb:g} GB come from {source}"),
    k.LEAVES: ("job_leaves", "{job} is saved at {source} to leave for {to}"),
    k.TRAVELS: ("job_travels", "{gb:g} GB of {job} travel from {source} to {to}"),
    k.CUTS_OVER: ("job_moved", "{job} goes on at {to}, {source} is free"),
    k.ROLLS_BACK: ("job_rolled_back", "{job} does not come to {to}: it goes on at {source}"),
    k.FAILS: ("job_failed", "{job} falls at {source}: {lost:.4g} GPU h since its last checkpoint are lost"),
    k.SUSPENDS: ("job_suspended", "{job} is saved and waits; {source} is free of it"),
    k.EXPIRES: ("job_expired", "{job} cannot be at {to} in the time the order gives"),
    k.STALLS: ("job_stalled", "the copy of {job} from {source} to {to} does not come on"),
}
"""Kind and text of what happens to a job."""


STATES = (
    "to come", "waiting", "fetched", "loading", "running", "saving", "leaving", "travelling", "starting",
    "ended",
)  # fmt: skip
"""What the states of a job are called in its row; the places are those of `kernels.jobs`."""

Column = Floats | Ints | list[str]


class Roster:
    """All jobs of a run.

    Parameters
    ----------
    jobs
        What they are.
    sites
        Names of the sites.
    emit
        Writes a row of the events table.

    Attributes
    ----------
    life, pool
        Where each stands, and who waits or is on a site; arrays the kernels change.
    """

    def __init__(self, jobs: JobSet, sites: tuple[str, ...], emit: Emit) -> None:
        self.set, self.jobs, self.names, self._emit = jobs, jobs.jobs, sites, emit
        self.life, self.pool = _fresh(len(jobs), len(sites))
        self._left_s: dict[int, float] = {}
        self._told_lost_gpu_s = np.zeros(len(jobs))

    @property
    def active(self) -> Ints:
        """Jobs that hold a site."""
        return self.pool.active[: self.pool.tally[k.N_ACTIVE]]

    def held_gpu(self, site: int) -> float:
        """Return the accelerators of running jobs that could leave a site."""
        return float(self.jobs.gpus[self.movable(site, None)].sum())

    def movable(self, source: int, target: int | None) -> Ints:
        """Return running jobs that could leave a site, for one target or for any place."""
        active = self.active
        state = self.life.state[active]
        ok = (self.life.site[active] == source) & self.jobs.movable[active]
        ok &= (state == k.RUNNING) | (state == k.SAVING)
        if target is not None:
            ok &= self.jobs.allowed[active, target]
        return np.asarray(active[ok], dtype=np.int64)

    def leaving_gpu(self, site: int) -> float:
        """Return the accelerators of jobs that are saved at a site to wait."""
        active = self.active
        leaving = (self.life.site[active] == site) & (self.life.target[active] == k.TO_QUEUE)
        return float(self.jobs.gpus[active[leaving]].sum())

    def busy_gpu(self) -> Floats:
        """Return what running all jobs on the sites keeps busy, as far as they have power, shape (sites,)."""
        busy = self.jobs.gpus[self.active] * self.jobs.busy_pu[self.active] * self.life.level_pu[self.active]
        return np.asarray(
            np.bincount(self.life.site[self.active], busy, minlength=len(self.names)), dtype=float
        )

    def waiting_for(self, needs_gpu: float) -> str:
        """Return the first that waits and keeps so many accelerators busy, or what else may ask for them."""
        queue = self.pool.queue[: self.pool.tally[k.N_QUEUE]]
        needs = self.jobs.gpus[queue] * self.jobs.busy_pu[queue]
        fitting = queue[np.abs(needs - needs_gpu) <= 1e-6 * needs_gpu]
        return self.set.label(int(fitting[0])) if fitting.size else "what is ordered to come"

    def tell(self) -> None:
        """Write what happened to jobs into the events table."""
        count = int(self.pool.tally[k.N_EVENTS])
        kept = min(count, self.pool.event_s.size)
        for row in range(kept):
            what, job, a, b = (int(x) for x in self.pool.events[row])
            t_s = float(self.pool.event_s[row])
            self._tell_one(t_s, what, job, a, b)
        if count > kept:
            self._emit(t_s, self.names[0], "jobs_untold", f"{count - kept} more events of jobs")
        self.pool.tally[k.N_EVENTS] = 0

    def _tell_one(self, t_s: float, what: int, job: int, a: int, b: int) -> None:
        kind, text = TOLD[what]
        source, to = self._site_name(a), self._site_name(b)
        data: dict[str, Any] = {"job": self.set.label(job), "gpus": float(self.jobs.gpus[job])}
        data |= {"from": source} if a >= 0 else {}
        data |= {"to": to} if b >= 0 else {}
        if what == k.LEAVES:
            self._left_s[job] = t_s
        if what == k.CUTS_OVER and job in self._left_s:
            data["took_s"] = t_s - self._left_s.pop(job)
        lost = 0.0
        if what == k.FAILS:
            lost = float(self.life.lost_gpu_s[job] - self._told_lost_gpu_s[job]) / HOUR_S
            self._told_lost_gpu_s[job] = self.life.lost_gpu_s[job]
        told = text.format(job=data["job"], source=source, to=to, gb=self.jobs.state_gb[job], lost=lost)
        unit = source if a >= 0 else to
        self._emit(t_s, unit, kind, told, json.dumps(data))

    def _site_name(self, site: int) -> str:
        return self.names[site] if site >= 0 else "the queue"

    def ledger(self, t_s: float) -> Mapping[str, Column]:
        """Return a table with a row for each job, as things stand at a time: column -> values."""
        jobs, life, set_ = self.jobs, self.life, self.set
        ended = life.state == k.DONE
        waits = life.state == k.WAITING
        at = np.where(waits, life.data, life.site)
        return {
            "job": [set_.label(j) for j in range(len(set_))],
            "population": _named(set_.names, set_.of),
            "kind": _named(KINDS, jobs.kind),
            "gpus": jobs.gpus,
            "arrival_s": jobs.arrival_s,
            "begin_s": life.begin_s,
            "end_s": life.end_s,
            "deadline_s": np.where(np.isfinite(jobs.deadline_s), jobs.deadline_s, np.nan),
            "state": _named(STATES, life.state),
            "late": (ended & (life.end_s > jobs.deadline_s + k.EDGE_S)).astype(np.int64),
            "ends_as": _named(("", *FATES), np.where(ended, jobs.fate + 1, 0)),
            "first_site": _named((*self.names, ""), life.first),
            "site": _named((*self.names, ""), at),
            "waited_s": life.waited_s + np.where(waits, t_s - life.since_s, 0.0),
            "moved_count": life.moves,
            "failed_count": life.fails,
            "done_gpu_h": life.done_gpu_s / HOUR_S,
            "lost_gpu_h": life.lost_gpu_s / HOUR_S,
            "overhead_gpu_h": life.overhead_gpu_s / HOUR_S,
            "tokens_count": life.done_gpu_s * jobs.tokens_per_gpu_s,
            "tokens_lost_count": life.lost_gpu_s * jobs.tokens_per_gpu_s,
        }

    def books(self) -> Mapping[str, float]:
        """Return totals over all jobs [GPU s] and how many are in which state."""
        life = self.life
        states = np.bincount(life.state, minlength=k.DONE + 1)
        return {
            "arrived_gpu_s": float(self.jobs.work_gpu_s[life.state != k.FUTURE].sum()),
            "done_gpu_s": float(life.done_gpu_s.sum()),
            "lost_gpu_s": float(life.lost_gpu_s.sum()),
            "overhead_gpu_s": float(life.overhead_gpu_s.sum()),
            "done_count": float(states[k.DONE]),
            "waiting_count": float(states[k.WAITING]),
            "future_count": float(states[k.FUTURE]),
            "on_site_count": float(states[k.FETCHING : k.DONE].sum()),
        }


def _named(names: Sequence[str], places: Ints) -> list[str]:
    """Return the name at each place; -1 is the last."""
    return [names[place] for place in places.tolist()]


def _fresh(n: int, sites: int) -> tuple[k.Life, k.Pool]:
    def nowhere() -> Ints:
        return np.full(n, k.NOWHERE, dtype=np.int64)

    life = k.Life(
        state=np.full(n, k.FUTURE, dtype=np.int64),
        site=nowhere(),
        target=nowhere(),
        data=nowhere(),
        level_pu=np.ones(n),
        done_gpu_s=np.zeros(n),
        safe_gpu_s=np.zeros(n),
        lost_gpu_s=np.zeros(n),
        overhead_gpu_s=np.zeros(n),
        until_s=np.zeros(n),
        left_gb=np.zeros(n),
        rate_gbit_per_s=np.zeros(n),
        stalled_s=np.zeros(n),
        next_save_s=np.full(n, np.inf),
        due_s=np.full(n, np.inf),
        since_s=np.zeros(n),
        waited_s=np.zeros(n),
        begin_s=np.full(n, np.nan),
        end_s=np.full(n, np.nan),
        first=nowhere(),
        moves=np.zeros(n, dtype=np.int64),
        fails=np.zeros(n, dtype=np.int64),
        watched=np.zeros(n, dtype=np.bool_),
    )
    pool = k.Pool(
        queue=np.zeros(n + 1, dtype=np.int64),
        active=np.zeros(n + 1, dtype=np.int64),
        tally=np.zeros(k.N_COUNTS, dtype=np.int64),
        used_gpu=np.zeros(sites),
        waits_count=np.zeros(sites),
        event_s=np.zeros(max(EVENTS, 2 * n)),
        events=np.zeros((max(EVENTS, 2 * n), 4), dtype=np.int64),
    )
    return life, pool
