"""Jobs: training, batch and batch inference, drawn from statistics."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from cosim.core.params import Params
from cosim.core.registry import nearest
from cosim.core.types import Floats, Ints
from datacenters import job_statistics
from datacenters.data import table
from datacenters.inference import server
from datacenters.job_statistics import STEADY, arrivals, clusters
from datacenters.kernels.jobs import Jobs

HOUR_S = 3600.0
DAY_S = 86_400.0
MOST_H = 48.0
"""Longest time of a job where nothing else is said."""

KINDS = ("training", "batch", "batch_inference")
"""Kinds of jobs; the number of a kind in a table of jobs is its place here."""

DRAWN = ("gpus_median_gpu", "gpus_sigma_pu", "duration_median_h", "duration_sigma_pu")
"""Parameters that published statistics replace."""

JobKind = Literal["training", "batch", "batch_inference"]


class Population(Params):
    """Jobs of one kind, drawn from published statistics of a cluster or from medians and spreads.

    Poisson arrivals, lognormal sizes and durations are the usual shape of workload models of parallel
    machines (Feitelson, Workload Modeling, 2015); those numbers are yours, and what a default says. With
    `statistics` sizes and durations follow the distributions of a cluster (`datacenters.job_statistics`),
    independently of each other.
    """

    name: str = Field(description="what they are called in results")
    kind: JobKind = Field(default="batch", description="training stops while its state travels")
    jobs_count: int | None = Field(default=None, ge=0, description="how many in all, over `jobs_over_h`")
    arrivals_per_h: float | None = Field(default=None, gt=0, description="how many an hour, on average")
    statistics: str | None = Field(
        default=None,
        description="sizes, durations and ends as a published cluster had them: a row of `job_clusters`",
    )
    arrivals: str | None = Field(
        default=None,
        description="course over the day: `steady` or as at `helios`; none: that of `statistics`, if known",
    )
    home: str | None = Field(default=None, description="site their data lies at; none: at any")
    only_at: tuple[str, ...] = Field(default=(), description="sites they may run at; none: all")
    gpus_median_gpu: float = Field(default=8.0, gt=0, description="accelerators of a job, median")
    gpus_sigma_pu: float = Field(default=1.0, ge=0, le=4, description="spread of its logarithm")
    gpus_most_gpu: float = Field(default=1024.0, gt=0, description="most accelerators of a job, cut off")
    duration_median_h: float = Field(default=1.0, gt=0, description="time a job runs undisturbed, median")
    duration_sigma_pu: float = Field(default=1.0, ge=0, le=4, description="spread of its logarithm")
    duration_most_h: float | None = Field(
        default=None, gt=0, description="longest time; none: 48, or that of `statistics`"
    )
    busy_pu: float = Field(default=0.8, gt=0, le=1, description="how busy it keeps its accelerators")
    slack_h: float | None = Field(
        default=None,
        ge=0,
        description="deadline: this long after it could have ended at once; none: no deadline",
    )
    state_gb_per_gpu: float = Field(
        default=20.0,
        ge=0,
        description="what must travel when it moves; 16 byte a parameter in training (published)",
    )
    checkpoint_every_s: float | None = Field(
        default=1200.0, gt=0, description="time between checkpoints, usually 900-1800; none: it keeps none"
    )
    checkpoint_s: float = Field(default=20.0, ge=0, description="time a checkpoint takes, 1-60")
    load_s: float = Field(default=60.0, ge=0, description="time to load and start, 30-180 (unconfirmed)")
    dirty_gbit_per_s: float = Field(
        default=0.0, ge=0, description="rate its memory changes at: above 0 it runs while it is copied live"
    )
    movable: bool = Field(default=True, description="may be moved once it runs")
    model: str = Field(
        default="llama31_70b", description="what batch inference runs, a row of the table of inference models"
    )
    tokens_per_gpu_s: float | None = Field(
        default=None,
        ge=0,
        description="tokens of batch inference for each busy accelerator second; none: `model` at full batch",
    )

    @model_validator(mode="after")
    def _counted(self) -> Self:
        if (self.jobs_count is None) == (self.arrivals_per_h is None):
            msg = "give `jobs_count` or `arrivals_per_h`, one of them"
            raise ValueError(msg)
        wrong = [
            f"{name}={value!r} is unknown (allowed: {', '.join(known)}).{nearest(value, known)}"
            for name, value, known in (
                ("statistics", self.statistics, clusters()),
                ("arrivals", self.arrivals, arrivals()),
            )
            if value is not None and value not in known
        ]
        fields = type(self).model_fields
        both = [n for n in DRAWN if self.statistics is not None and getattr(self, n) != fields[n].default]
        wrong += [f"{name}: `statistics` says it (allowed: one of them)" for name in both]
        if wrong:
            raise ValueError("; ".join(wrong))
        if self.gpus_most_gpu < 1.0:
            msg = f"gpus_most_gpu={self.gpus_most_gpu:g} is less than one accelerator"
            raise ValueError(msg)
        if self.model not in table("inference_models"):
            msg = f"model={self.model!r} is unknown (allowed: {', '.join(table('inference_models'))})"
            raise ValueError(msg)
        if self.tokens_per_gpu_s is not None and self.kind != "batch_inference":
            msg = f"tokens_per_gpu_s: jobs of kind {self.kind} write none (allowed: batch_inference)"
            raise ValueError(msg)
        return self

    def course(self) -> str:
        """Return how they come over the day, one of `job_statistics.arrivals`."""
        if self.arrivals is not None:
            return self.arrivals
        return self.statistics if self.statistics in arrivals() else STEADY

    def writes_per_gpu_s(self) -> float:
        """Return the tokens these jobs write for each busy accelerator second."""
        if self.kind != "batch_inference":
            return 0.0
        return full_tokens_per_gpu_s(self.model) if self.tokens_per_gpu_s is None else self.tokens_per_gpu_s


def full_tokens_per_gpu_s(model: str) -> float:
    """Return the tokens an accelerator writes a second at the largest measured batch of a model."""
    made = server(model)
    return made.tokens(made.batch_most_count) / made.gpus_count


@dataclass(frozen=True)
class JobSet:
    """Jobs in the order of their arrival: numbers for the kernel, and what they are called."""

    jobs: Jobs
    names: tuple[str, ...]
    """Of the population or trace each comes from: `names[of[j]]`."""
    of: Ints
    ids: tuple[str, ...] | None
    """Names of single jobs, where a trace has them."""

    def __len__(self) -> int:
        """Return how many there are."""
        return int(self.jobs.arrival_s.size)

    def label(self, job: int) -> str:
        """Return what a job is called in events."""
        return self.ids[job] if self.ids is not None else f"{self.names[self.of[job]]} {job}"


def draw(
    population: Population,
    span_s: float,
    sites: Sequence[str],
    rng: np.random.Generator,
    start_h: float = 0.0,
) -> Jobs:
    """Return the jobs of one population over a span that begins at an hour of the day, as they arrive."""
    p = population
    if p.jobs_count is not None:
        n = p.jobs_count
    else:
        hours = float(job_statistics.area_h(p.course(), start_h, span_s / HOUR_S)[1][-1])
        n = int(rng.poisson((p.arrivals_per_h or 0.0) * hours))
    arrival_s = job_statistics.arrival_s(p.course(), start_h, span_s, n, rng)
    gpus, lasts_s, fate = _sizes(p, n, rng)
    deadline_s = (
        np.full(n, np.inf) if p.slack_h is None else arrival_s + p.load_s + lasts_s + p.slack_h * HOUR_S
    )
    home = -1 if p.home is None else list(sites).index(p.home)
    allowed = np.array([not p.only_at or site in p.only_at for site in sites], dtype=np.bool_)
    one = np.ones(n)
    return Jobs(
        arrival_s=arrival_s,
        gpus=gpus,
        busy_pu=p.busy_pu * one,
        work_gpu_s=gpus * p.busy_pu * lasts_s,
        deadline_s=deadline_s,
        state_gb=p.state_gb_per_gpu * gpus,
        every_s=(np.inf if p.checkpoint_every_s is None else p.checkpoint_every_s) * one,
        save_s=p.checkpoint_s * one,
        load_s=p.load_s * one,
        dirty_gbit_per_s=p.dirty_gbit_per_s * one,
        tokens_per_gpu_s=p.writes_per_gpu_s() * one,
        kind=np.full(n, KINDS.index(p.kind), dtype=np.int64),
        home=np.full(n, home, dtype=np.int64),
        fate=fate,
        movable=np.full(n, p.movable, dtype=np.bool_),
        allowed=np.tile(allowed, (n, 1)),
    )


def _sizes(p: Population, n: int, rng: np.random.Generator) -> tuple[Floats, Floats, Ints]:
    """Return accelerators, durations [s] and how they end, of n jobs."""
    if p.statistics is not None:
        gpus = np.minimum(job_statistics.gpus(p.statistics, n, rng), math.floor(p.gpus_most_gpu))
        lasts_s = job_statistics.durations_s(p.statistics, n, rng)
        most_s = np.inf if p.duration_most_h is None else p.duration_most_h * HOUR_S
        return gpus, np.minimum(lasts_s, most_s), job_statistics.fates(p.statistics, n, rng)
    wished = p.gpus_median_gpu * np.exp(p.gpus_sigma_pu * rng.standard_normal(n))
    gpus = np.clip(np.ceil(wished), 1.0, math.floor(p.gpus_most_gpu))
    hours = p.duration_median_h * np.exp(p.duration_sigma_pu * rng.standard_normal(n))
    most_h = MOST_H if p.duration_most_h is None else p.duration_most_h
    return gpus, np.minimum(hours, most_h) * HOUR_S, np.zeros(n, dtype=np.int64)


def together(parts: Sequence[tuple[str, Jobs, tuple[str, ...] | None]], sites: int) -> JobSet:
    """Return several sets of jobs as one, in the order of arrival."""
    if not parts:
        return JobSet(_none(sites), (), np.zeros(0, dtype=np.int64), None)
    order = np.argsort(np.concatenate([jobs.arrival_s for _, jobs, _ in parts]), kind="stable")
    columns = [np.concatenate([getattr(jobs, name) for _, jobs, _ in parts])[order] for name in Jobs._fields]
    of = np.concatenate([np.full(jobs.arrival_s.size, k) for k, (_, jobs, _) in enumerate(parts)])[order]
    ids: tuple[str, ...] | None = None
    if all(names is not None for _, _, names in parts):
        flat = [name for _, _, names in parts for name in names or ()]
        ids = tuple(flat[k] for k in order)
    return JobSet(Jobs(*columns), tuple(name for name, _, _ in parts), of.astype(np.int64), ids)


def _none(sites: int) -> Jobs:
    columns = {name: np.zeros(0) for name in Jobs._fields}
    numbers = {name: np.zeros(0, dtype=np.int64) for name in ("kind", "home", "fate")}
    truths = {"movable": np.zeros(0, dtype=np.bool_), "allowed": np.zeros((0, sites), dtype=np.bool_)}
    return Jobs(**{**columns, **numbers, **truths})  # type: ignore[arg-type]


def check(jobs: JobSet, gpus_count: Floats, sites: Sequence[str], label: str = "jobs") -> list[str]:
    """Return what is wrong with jobs before they run, a sentence each, at most ten of a kind.

    Jobs wider than every site they may run at, deadlines before arrivals, sizes and work not above zero.
    """
    j, found = jobs.jobs, []
    room = np.where(j.allowed, gpus_count, 0.0).max(axis=1, initial=0.0)
    wide = np.flatnonzero(j.gpus > room)
    largest = sites[int(np.argmax(gpus_count))]
    found += [
        f"{label}: {jobs.label(int(k))} wants {j.gpus[k]:g} accelerators; the sites it may run at have "
        f"at most {room[k]:g} (largest of all: {largest} with {gpus_count.max():g})"
        for k in wide[:10]
    ]
    late = np.flatnonzero(j.deadline_s <= j.arrival_s)
    found += [
        f"{label}: {jobs.label(int(k))} has its deadline at {j.deadline_s[k]:g} s, before it arrives at "
        f"{j.arrival_s[k]:g} s"
        for k in late[:10]
    ]
    for name in ("gpus", "busy_pu", "work_gpu_s"):
        bad = np.flatnonzero(~(getattr(j, name) > 0.0))
        values = getattr(j, name)
        found += [f"{label}: {jobs.label(int(k))} has {name}={values[k]:g} (allowed: > 0)" for k in bad[:10]]
    for name in ("state_gb", "save_s", "load_s", "dirty_gbit_per_s", "arrival_s"):
        values = getattr(j, name)
        bad = np.flatnonzero(values < 0.0)
        found += [f"{label}: {jobs.label(int(k))} has {name}={values[k]:g} (allowed: >= 0)" for k in bad[:10]]
    return found
