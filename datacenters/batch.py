"""Batch jobs: they come, wait for room, run and end; those that may wait can be held."""

import heapq
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from pydantic import Field, model_validator

from cosim.core.component import Balance, Context, Link, Port
from cosim.core.params import Params
from cosim.core.types import Floats

HOUR_S = 3600.0


class Hold(Params):
    """Jobs that may wait do not start until `release`, or until they may wait no longer."""


class Release(Params):
    """Held jobs may start."""


class JobClass(Params):
    """Jobs of one kind: lognormal sizes and durations, Poisson arrivals (all unconfirmed)."""

    arrivals_per_h: float = Field(ge=0, description="jobs an hour, on average")
    size_median_gpu: float = Field(gt=0, description="accelerators of a job, median")
    size_sigma_pu: float = Field(default=1.0, ge=0, le=4, description="spread of its logarithm")
    duration_median_h: float = Field(gt=0, description="time a job runs, median")
    duration_sigma_pu: float = Field(default=1.0, ge=0, le=4, description="spread of its logarithm")
    duration_most_h: float = Field(default=24.0, gt=0, description="longest time a job may run")
    busy_pu: float = Field(default=0.7, gt=0, le=1, description="accelerators it keeps busy, of its own")
    rise_s: float = Field(
        default=60.0, ge=0, description="time in which a job starts up, and stops in, median"
    )
    rise_sigma_pu: float = Field(default=0.0, ge=0, le=2, description="spread of its logarithm")
    declines_pu: float = Field(
        default=0.0, ge=0, le=1, description="share of jobs whose work shrinks towards the end, as in HPL"
    )
    decline_pu: float = Field(
        default=0.5, gt=0, le=1, description="part of their time, behind the start, it shrinks over"
    )
    may_wait_h: float = Field(default=0.0, ge=0, description="how long its jobs may be held; 0: not at all")


class BatchParams(Params):
    """A pool of accelerators and the jobs that come to it."""

    gpus_count: float = Field(gt=0, description="accelerators of the pool")
    classes: tuple[JobClass, ...] = Field(min_length=1, description="kinds of jobs")
    warm_up_h: float = Field(default=48.0, ge=0, description="time the queue has run when the run begins")
    runs_on: str | None = Field(default=None, description="hall that does the work")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        wide = [
            f"classes.{k}.size_median_gpu={c.size_median_gpu:g} is more than gpus_count={self.gpus_count:g}"
            for k, c in enumerate(self.classes)
            if c.size_median_gpu > self.gpus_count
        ]
        if wide:
            raise ValueError("; ".join(wide))
        return self


@dataclass
class Job:
    """One job; `start_s` is when it began, nan while it waits."""

    arrival_s: float
    gpus: float
    lasts_s: float
    busy_gpu: float
    rise_s: float
    decline_s: float
    latest_s: float
    start_s: float = math.nan

    def done_gpu_s(self, at_s: float) -> float:
        r"""Return the work done [GPU s] up to a time of the run.

        Up in a straight line, then even; at the end :math:`1 - s^2` over the part `s` of the decline, or down
        in a straight line where it does not decline.
        """
        t_s = min(max(at_s - self.start_s, 0.0), self.lasts_s) if self.start_s <= at_s else 0.0
        rise_s, fall_s = self.rise_s, self.decline_s if self.decline_s > 0.0 else self.rise_s
        up_s, left_s = min(t_s, rise_s), max(t_s - (self.lasts_s - fall_s), 0.0)
        area_s = t_s - up_s - left_s + (0.5 * up_s * up_s / rise_s if rise_s > 0.0 else 0.0)
        if fall_s > 0.0:
            s = left_s / fall_s
            area_s += fall_s * (s - s**3 / 3.0 if self.decline_s > 0.0 else s - 0.5 * s * s)
        return self.busy_gpu * area_s


class Queue:
    """One pool: jobs start in the order of their coming, each as soon as it fits."""

    def __init__(self, params: BatchParams, streams: Sequence[np.random.Generator]) -> None:
        self._params, self._streams = params, tuple(streams)
        self.held = False
        self.free_gpu = params.gpus_count
        self.waiting: deque[Job] = deque()
        self.running: list[Job] = []
        self.arrived_gpu_s = self.ended_gpu_s = 0.0
        self.late_count = 0
        self._ends: list[tuple[float, int, Job]] = []
        self._drawn = 0
        self.at_s = -params.warm_up_h * HOUR_S
        self._next = [self._after(k, self.at_s) for k in range(len(params.classes))]

    @property
    def done_gpu_s(self) -> float:
        """Work done since the beginning [GPU s]."""
        return self.ended_gpu_s + sum(job.done_gpu_s(self.at_s) for job in self.running)

    def go_on(self, end_s: float) -> None:
        """Let jobs come, start and end up to `end_s`, each at its own time."""
        self._start_what_fits()
        while (event_s := self._next_event()) <= end_s:
            self.at_s = event_s
            while self._ends and self._ends[0][0] <= event_s:
                self._end(heapq.heappop(self._ends)[2])
            for k, arrival_s in enumerate(self._next):
                if arrival_s <= event_s:
                    self._arrive(k, arrival_s)
            self._start_what_fits()
        self.at_s = end_s

    def _next_event(self) -> float:
        latest_s = min((job.latest_s for job in self.waiting if job.latest_s > self.at_s), default=math.inf)
        ends_s = self._ends[0][0] if self._ends else math.inf
        return min(*self._next, ends_s, latest_s if self.held else math.inf)

    def _after(self, k: int, t_s: float) -> float:
        rate_per_h = self._params.classes[k].arrivals_per_h
        gap = self._streams[k].standard_exponential()
        return t_s + gap * HOUR_S / rate_per_h if rate_per_h > 0.0 else math.inf

    def _arrive(self, k: int, t_s: float) -> None:
        kind, rng = self._params.classes[k], self._streams[k]
        size, duration, haste = rng.standard_normal(3)
        fate = rng.random()
        gpus = min(kind.size_median_gpu * math.exp(kind.size_sigma_pu * size), self._params.gpus_count)
        hours = min(
            kind.duration_median_h * math.exp(kind.duration_sigma_pu * duration), kind.duration_most_h
        )
        lasts_s = hours * HOUR_S
        rise_s = min(kind.rise_s * math.exp(kind.rise_sigma_pu * haste), 0.5 * lasts_s)
        decline_s = kind.decline_pu * (lasts_s - rise_s) if fate < kind.declines_pu else 0.0
        latest_s = t_s + kind.may_wait_h * HOUR_S
        job = Job(t_s, gpus, lasts_s, kind.busy_pu * gpus, rise_s, decline_s, latest_s)
        self.waiting.append(job)
        self.arrived_gpu_s += work_gpu_s(job)
        self._next[k] = self._after(k, t_s)

    def _start_what_fits(self) -> None:
        """Start from the front as long as there is room; held jobs let others pass."""
        stays: list[Job] = []
        while self.waiting:
            job = self.waiting[0]
            if self.held and job.latest_s > self.at_s:
                stays.append(self.waiting.popleft())
                continue
            if job.gpus > self.free_gpu * (1.0 + 1e-12):
                break
            self.waiting.popleft()
            self._begin(job)
        self.waiting.extendleft(reversed(stays))

    def _begin(self, job: Job) -> None:
        job.start_s = self.at_s
        self.free_gpu -= job.gpus
        self.running.append(job)
        self._drawn += 1
        self.late_count += job.latest_s > job.arrival_s and self.at_s > job.latest_s
        heapq.heappush(self._ends, (self.at_s + job.lasts_s, self._drawn, job))

    def _end(self, job: Job) -> None:
        self.running.remove(job)
        self.free_gpu += job.gpus
        self.ended_gpu_s += work_gpu_s(job)


def work_gpu_s(job: Job) -> float:
    """Return all the work of a job [GPU s]."""
    whole = Job(0.0, job.gpus, job.lasts_s, job.busy_gpu, job.rise_s, job.decline_s, 0.0, 0.0)
    return whole.done_gpu_s(job.lasts_s)


class Batch:
    """Pools of batch jobs, first come first served; see `docs/models/work.md`.

    Arrivals are Poisson, sizes and durations lognormal, as workload models of parallel machines have them.
    Each class has its own stream of random numbers: the series is the same however a run is cut. Jobs do
    not slow down with a throttled hall. `hold` keeps those that may wait from starting, as long as they may.
    """

    params_type: ClassVar[type[Params]] = BatchParams
    inputs: ClassVar[tuple[Port, ...]] = ()
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("work_gpu", "accelerators jobs keep busy, mean over the step"),
        Port("arriving_gpu", "work of the jobs that came in the step, over its length"),
        Port("backlog_gpu_h", "work of all jobs that are there and not yet done, at the end"),
        Port("reserved_gpu", "accelerators of running jobs, at the end"),
        Port("running_count", "running jobs, at the end"),
        Port("waiting_count", "waiting jobs, at the end"),
        Port("late_count", "jobs that may wait and started later than they may, since the run began"),
    )
    links: ClassVar[tuple[Link, ...]] = (Link("runs_on", gives={"work_gpu": "work_gpu"}),)
    commands: ClassVar[Mapping[str, type[Params]]] = {"hold": Hold, "release": Release}
    balances: ClassVar[tuple[Balance, ...]] = (
        Balance("work", ("arriving_gpu",), ("work_gpu",), "backlog_gpu_h"),
    )

    def __init__(self, params: Sequence[BatchParams]) -> None:
        self._params = tuple(params)
        self.reset(Context())

    def reset(self, context: Context) -> None:
        """Start every queue long before the run, so that it is as full as it usually is."""
        self._context = context
        self._queues = []
        for i, unit in enumerate(self._params):
            names = [f"batch/{self._name(i)}/{k}" for k in range(len(unit.classes))]
            queue = Queue(unit, [context.streams.stream(name) for name in names])
            queue.go_on(0.0)
            queue.late_count = 0
            self._queues.append(queue)

    def command(self, t_s: float, unit: int, name: str, command: Params) -> None:
        """Hold jobs that may wait, or release them."""
        queue = self._queues[unit]
        queue.held = isinstance(command, Hold)
        text = f"{len(queue.waiting)} jobs wait, {len(queue.running)} run"
        self._context.emit(t_s, self._name(unit), name, text)

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Return the exact means over the step."""
        del inputs
        rows = []
        for queue in self._queues:
            done, arrived = queue.done_gpu_s, queue.arrived_gpu_s
            queue.go_on(t_s + dt_s)
            after = queue.done_gpu_s
            rows.append((
                (after - done) / dt_s,
                (queue.arrived_gpu_s - arrived) / dt_s,
                (queue.arrived_gpu_s - after) / HOUR_S,
                sum(job.gpus for job in queue.running),
                float(len(queue.running)),
                float(len(queue.waiting)),
                float(queue.late_count),
            ))  # fmt: skip
        table = np.array(rows).reshape(-1, len(self.outputs)).T
        return {port.name: row.copy() for port, row in zip(self.outputs, table, strict=True)}

    def _name(self, unit: int) -> str:
        return self._context.names[unit] if self._context.names else f"batch {unit}"
