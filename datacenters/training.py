"""Synchronous training: all accelerators of a job compute together and wait together."""

import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from cosim.core.component import Context, Link, Port
from cosim.core.params import Params
from cosim.core.types import Floats

STOPPED, COMPUTING, COMMUNICATING, CHECKPOINT, RESTARTING = range(5)
DONE_S = 1e-12
"""A segment with less than this left is over: rounding of many small steps."""
SEEN_S = 1e-9
"""A segment must last longer within an exchange to count for the least and the most of it."""


class Start(Params):
    """The job starts, or starts again."""


class Stop(Params):
    """The job ends at once: what a kill or a fault does."""


class Pace(Params):
    """The iterations after the present one take another time."""

    period_s: float = Field(gt=0, description="time of one iteration")


class Sweep(Params):
    """The frequency of the iterations moves evenly in octaves from where it is."""

    to_hz: float = Field(gt=0, description="iterations per second at the end")
    over_s: float = Field(gt=0, description="time the sweep takes")


class TrainingParams(Params):
    """One synchronous job."""

    gpus_count: float = Field(gt=0, description="accelerators of the job, all in phase")
    period_s: float = Field(
        default=2.0, gt=0, description="time of one iteration; swings of 0.2-3 Hz are published"
    )
    duty_pu: float = Field(default=0.7, gt=0, le=1, description="share of it spent computing (unconfirmed)")
    low_pu: float = Field(
        default=0.3, ge=0, le=1, description="accelerators kept busy while results travel (unconfirmed)"
    )
    jitter_pu: float = Field(
        default=0.02,
        ge=0,
        le=0.2,
        description="standard deviation of an iteration's time, 0.01-0.03 (derived)",
    )
    checkpoint_every_s: float | None = Field(
        default=None, gt=0, description="time between checkpoints, usually 900-1800; none: never"
    )
    checkpoint_s: float = Field(default=20.0, ge=0, description="time a checkpoint takes, 1-60")
    checkpoint_pu: float = Field(default=0.05, ge=0, le=1, description="busy during it (unconfirmed)")
    failures_per_mgpu_h: float = Field(
        default=0.0,
        ge=0,
        description="unexpected ends per million accelerator-hours; Llama 3 saw 419 in 54 d on 16,384: 19.7",
    )
    restart_s: float = Field(default=300.0, ge=0, description="time until a failed job goes on (unconfirmed)")
    starts: bool = Field(
        default=True, description="runs from the beginning; otherwise the event `start` does it"
    )
    runs_on: str | None = Field(default=None, description="hall that does the work")

    @model_validator(mode="after")
    def _swings_between(self) -> "TrainingParams":
        if self.checkpoint_every_s is not None and self.checkpoint_every_s < self.period_s:
            msg = f"checkpoint_every_s={self.checkpoint_every_s:g} is shorter than period_s={self.period_s:g}"
            raise ValueError(msg)
        return self


class Segment(NamedTuple):
    """A time in which the work stays the same."""

    left_s: float
    busy_pu: float
    phase: int


class Busy(NamedTuple):
    """Share of accelerators kept busy over a time: mean, least and most."""

    mean_pu: float
    least_pu: float
    most_pu: float


class Job:
    """One job as a row of segments, the same however a run is cut into exchanges."""

    def __init__(self, params: TrainingParams, rng: np.random.Generator) -> None:
        self._params, self._rng = params, rng
        self.iterations = 0
        self.told: list[tuple[float, str]] = []
        """Checkpoints and failures not told yet."""
        self.t_s = 0.0
        self._from_hz = self._to_hz = 1.0 / params.period_s
        self._sweep_s = (0.0, 0.0)
        self._period_s = params.period_s
        self._checkpoint_s = self._failure_s = math.inf
        self._now = Segment(math.inf, 0.0, STOPPED)
        if params.starts:
            self.start()

    @property
    def phase(self) -> int:
        """What the job does now: 0 stopped, 1 computing, 2 communicating, 3 checkpoint, 4 restarting."""
        return self._now.phase

    @property
    def pace_hz(self) -> float:
        """Iterations per second as planned now."""
        begin_s, end_s = self._sweep_s
        share = 1.0 if self.t_s >= end_s else (self.t_s - begin_s) / (end_s - begin_s)
        return float(self._from_hz ** (1.0 - share) * self._to_hz**share)

    def wave(self) -> tuple[tuple[float, float], tuple[float, float, float]]:
        """Return the present iteration: busy while waiting and computing; since, high and low times [s].

        A job that does neither is as busy all the time.
        """
        if self.phase not in {COMPUTING, COMMUNICATING}:
            return (self._now.busy_pu, self._now.busy_pu), (0.0, self._params.period_s, 0.0)
        high_s = self._params.duty_pu * self._period_s
        low_s = self._period_s - high_s
        ends_s = high_s if self.phase == COMPUTING else self._period_s
        return (self._params.low_pu, 1.0), (ends_s - self._now.left_s, high_s, low_s)

    def start(self) -> None:
        """Begin with an iteration."""
        p = self._params
        self._checkpoint_s = math.inf if p.checkpoint_every_s is None else self.t_s + p.checkpoint_every_s
        self._failure_s = math.inf if p.failures_per_mgpu_h == 0.0 else self.t_s + self._lasts_s()
        self._now = self._iteration()

    def stop(self) -> None:
        """Do nothing from now on."""
        self._now = Segment(math.inf, 0.0, STOPPED)

    def sweep(self, to_hz: float, over_s: float = 0.0) -> None:
        """Move the pace to another, from the next iteration on."""
        self._from_hz, self._to_hz = self.pace_hz, to_hz
        self._sweep_s = (self.t_s, self.t_s + over_s)

    def go_on(self, end_s: float) -> Busy:
        """Go on to `end_s` and return how busy the accelerators were on the way."""
        begin_s, busy_s, least_pu, most_pu = self.t_s, 0.0, 1.0, 0.0
        while (rest_s := end_s - self.t_s) > 0.0:
            span_s = min(self._now.left_s, rest_s)
            busy_s += span_s * self._now.busy_pu
            if span_s > SEEN_S:
                least_pu, most_pu = min(least_pu, self._now.busy_pu), max(most_pu, self._now.busy_pu)
            left_s = self._now.left_s - span_s
            self.t_s = end_s if span_s == rest_s else self.t_s + span_s
            self._now = self._now._replace(left_s=left_s) if left_s > DONE_S else self._following()
        return Busy(busy_s / (end_s - begin_s), least_pu, most_pu)

    def _following(self) -> Segment:
        """Return what comes when the present segment is over."""
        p, phase = self._params, self._now.phase
        if phase == COMPUTING and p.duty_pu < 1.0:
            return Segment((1.0 - p.duty_pu) * self._period_s, p.low_pu, COMMUNICATING)
        if phase in {COMPUTING, COMMUNICATING}:
            self.iterations += 1
            if self.t_s >= self._failure_s:
                self.told.append((self.t_s, "failure"))
                return Segment(max(p.restart_s, 2 * DONE_S), 0.0, RESTARTING)
        if phase == RESTARTING:
            self._failure_s = self.t_s + self._lasts_s()
        if phase != CHECKPOINT and self.t_s >= self._checkpoint_s:
            self.told.append((self.t_s, "checkpoint"))
            return Segment(max(p.checkpoint_s, 2 * DONE_S), p.checkpoint_pu, CHECKPOINT)
        if phase == CHECKPOINT and p.checkpoint_every_s is not None:
            self._checkpoint_s = self.t_s + p.checkpoint_every_s
        return self._iteration()

    def _iteration(self) -> Segment:
        p = self._params
        self._period_s = max(0.1, 1.0 + p.jitter_pu * self._rng.standard_normal()) / self.pace_hz
        return Segment(p.duty_pu * self._period_s, 1.0, COMPUTING)

    def _lasts_s(self) -> float:
        """Return a time to the next failure: failures of accelerators are independent."""
        rate_per_s = self._params.failures_per_mgpu_h * 1e-6 * self._params.gpus_count / 3600.0
        return float(self._rng.exponential(1.0 / rate_per_s))


class Training:
    """Synchronous training jobs, each on one hall.

    A job computes with all its accelerators, then waits with most of them while results travel, over and
    over: at the hall's power a square wave behind the lag of its electronics. See `docs/models/work.md`.
    """

    params_type: ClassVar[type[Params]] = TrainingParams
    inputs: ClassVar[tuple[Port, ...]] = ()
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("work_gpu", "accelerators kept busy, mean over the step"),
        Port("work_low_gpu", "least of them busy within the step"),
        Port("work_high_gpu", "most of them busy within the step"),
        Port("pace_hz", "iterations per second as planned, at the end; 0 while none run"),
        Port("iterations_count", "iterations completed since the run began"),
        Port("job_code", "0 stopped, 1 computing, 2 communicating, 3 checkpoint, 4 restarting; at the end"),
    )
    links: ClassVar[tuple[Link, ...]] = (Link("runs_on", gives={"work_gpu": "work_gpu"}),)
    commands: ClassVar[Mapping[str, type[Params]]] = {
        "start": Start,
        "stop": Stop,
        "pace": Pace,
        "sweep": Sweep,
    }

    def __init__(self, params: Sequence[TrainingParams]) -> None:
        self._params = tuple(params)
        self.jobs: list[Job] = []
        """One of each unit."""
        self._gpus = np.array([unit.gpus_count for unit in params])
        self.reset(Context())

    def reset(self, context: Context) -> None:
        """Start every job anew, with a stream of random numbers named after the unit."""
        self._context = context
        self.jobs = [
            Job(unit, context.streams.stream(f"training/{self._name(i)}"))
            for i, unit in enumerate(self._params)
        ]

    def command(self, t_s: float, unit: int, name: str, command: Params) -> None:
        """Start, stop or pace a job; one that computes goes on with its present iteration."""
        job = self.jobs[unit]
        job.t_s = t_s
        if isinstance(command, Sweep):
            job.sweep(command.to_hz, command.over_s)
        elif isinstance(command, Pace):
            job.sweep(1.0 / command.period_s)
        elif isinstance(command, Stop):
            job.stop()
        else:
            job.start()
        self._context.emit(t_s, self._name(unit), name, f"job {name}s after {job.iterations} iterations")

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Return the exact means over the step: they do not depend on how a run is cut."""
        del inputs
        busy_pu = np.zeros((3, len(self.jobs)))
        for i, job in enumerate(self.jobs):
            busy_pu[:, i] = job.go_on(t_s + dt_s)
            for at_s, what in job.told:
                self._context.emit(at_s, self._name(i), what, f"{what} after {job.iterations} iterations")
            job.told.clear()
        running = np.array([job.phase in (COMPUTING, COMMUNICATING) for job in self.jobs], dtype=bool)
        return {
            "work_gpu": busy_pu[0] * self._gpus,
            "work_low_gpu": busy_pu[1] * self._gpus,
            "work_high_gpu": busy_pu[2] * self._gpus,
            "pace_hz": np.where(running, [job.pace_hz for job in self.jobs], 0.0),
            "iterations_count": np.array([float(job.iterations) for job in self.jobs]),
            "job_code": np.array([float(job.phase) for job in self.jobs]),
        }

    def _name(self, unit: int) -> str:
        return self._context.names[unit] if self._context.names else f"training {unit}"
