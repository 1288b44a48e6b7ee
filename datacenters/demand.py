"""Demand for inference: how many GPUs the requests of services keep busy, with spikes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from cosim.core.component import Context, Link, Port
from cosim.core.errors import ScenarioError, collected
from cosim.core.params import Params
from cosim.core.types import Floats
from datacenters.data import table
from datacenters.data.series import Series, read_series
from datacenters.kernels.demand import surge_area
from datacenters.requests import Modulation, Requests


class Spike(Params):
    """A surge of demand: up along a half cosine, hold, down along a half cosine."""

    factor_pu: float = Field(
        ge=1, description="demand at the top over the mean; the Azure code trace has 4.2 over a minute"
    )
    ramp_s: float = Field(default=60.0, ge=0, description="time up, and time down again")
    hold_s: float = Field(default=600.0, ge=0, description="time at the top")


class DemandParams(Params):
    """The services of one unit."""

    service: Literal["conversation", "code", "steady", "custom"] = Field(
        default="conversation",
        description="statistics of the requests: as the Azure 2023 conversation or code trace, none"
        " (`steady`), or those of `modulation` (`custom`)",
    )
    mean_gpu: float | None = Field(default=None, gt=0, description="GPUs kept busy on average")
    services_count: int = Field(
        default=1, ge=1, le=10_000, description="independent services together: more are smoother"
    )
    modulation: Modulation | None = Field(default=None, description="statistics of a `custom` service")
    trace: Path | None = Field(
        default=None, description="your own CSV or Parquet file of demand instead of a service"
    )
    time_column: str = Field(
        default="t_s",
        description="column of `trace` with numbers (its name ends in _s, _min or _h) or wall-clock times",
    )
    value_column: str = Field(
        default="work_pu",
        description="column of `trace`: taken as it is where the name ends in _gpu, otherwise scaled so that"
        " its mean is `mean_gpu`",
    )
    repeats_every_h: float | None = Field(
        default=None, gt=0, description="period after which the trace begins again; none: never"
    )
    serves: str | None = Field(default=None, description="hall that does the work")

    @model_validator(mode="after")
    def _complete(self) -> "DemandParams":
        if (self.service == "custom") != (self.modulation is not None):
            msg = "`modulation` belongs to service `custom`, and a custom service needs it"
            raise ValueError(msg)
        absolute = self.trace is not None and self.value_column.endswith("_gpu")
        if self.mean_gpu is None and not absolute:
            msg = "give `mean_gpu` (only a trace in a column named ..._gpu can do without)"
            raise ValueError(msg)
        return self


def modulation_of(params: DemandParams) -> Modulation | None:
    """Return how the requests of a unit come, or None where it models none (steady, trace)."""
    if params.trace is not None or params.service == "steady":
        return None
    if params.modulation is not None:
        return params.modulation
    row = table("inference_services")[params.service]
    return Modulation(**{name: float(row[name]) for name in Modulation.model_fields})


class Demand:
    """Inference demand of services, as GPUs kept busy."""

    params_type: ClassVar[type[Params]] = DemandParams
    inputs: ClassVar[tuple[Port, ...]] = ()
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("work_gpu", "GPUs the requests keep busy, mean over the step"),
        Port("requests_per_s", "requests arriving, mean over the step (0 for steady demand and traces)"),
    )
    links: ClassVar[tuple[Link, ...]] = (Link("serves", gives={"work_gpu": "work_gpu"}),)
    commands: ClassVar[Mapping[str, type[Params]]] = {"spike": Spike}

    def __init__(self, params: Sequence[DemandParams]) -> None:
        self.params = tuple(params)
        self._traces = _read_traces(self.params)
        self._modulations = [modulation_of(unit) for unit in self.params]
        self._mean_gpu = [_mean_gpu(u, s) for u, s in zip(self.params, self._traces, strict=True)]
        self._placed: list[Series | None] = []
        self._requests: list[Requests | None] = []
        self._spikes: list[list[tuple[float, Spike]]] = []
        self._context = Context()

    def reset(self, context: Context) -> None:
        """Begin every unit's own stream of random numbers, named after the unit, and forget spikes."""
        self._context = context
        self._requests = []
        for i, (unit, modulation) in enumerate(zip(self.params, self._modulations, strict=True)):
            rng = context.streams.stream(f"demand/{self._name(i)}")
            made = None if modulation is None else Requests(modulation, unit.services_count, rng)
            self._requests.append(made)
        self._spikes = [[] for _ in self.params]
        self._placed = [None if s is None else s.on_run(context.start) for s in self._traces]

    def command(self, t_s: float, unit: int, name: str, command: Spike) -> None:
        """Begin a spike at `t_s`; several at once add up."""
        del name
        self._spikes[unit].append((t_s, command))
        text = f"demand surges to {command.factor_pu:g} times its mean in {command.ramp_s:g} s"
        self._context.emit(t_s, self._name(unit), "spike", f"{text} and holds for {command.hold_s:g} s")

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Return the means over the step of one realisation that is the same for every step length."""
        del inputs
        work_gpu, requests_per_s = np.zeros(len(self.params)), np.zeros(len(self.params))
        for i, params in enumerate(self.params):
            requests, busy_pu = self._undisturbed(i, t_s, dt_s)
            surge_pu = self._surge(i, t_s, dt_s)
            modulation = self._modulations[i]
            usual = 0.0 if modulation is None else modulation.rate_per_s * params.services_count
            work_gpu[i] = self._mean_gpu[i] * (busy_pu + surge_pu)
            requests_per_s[i] = requests + usual * surge_pu
        return {"work_gpu": work_gpu, "requests_per_s": requests_per_s}

    def uncovered(self, end_s: float) -> list[str]:
        """Return which traces end before `end_s`, one sentence each, so that a run need not start."""
        texts = (series.uncovered(0.0, end_s) for series in self._placed if series is not None)
        return [text for text in texts if text is not None]

    def _undisturbed(self, unit: int, t_s: float, dt_s: float) -> tuple[float, float]:
        trace, requests = self._placed[unit], self._requests[unit]
        if trace is not None:
            return 0.0, trace.mean(t_s, t_s + dt_s) / self._mean_gpu[unit]
        return (0.0, 1.0) if requests is None else requests.mean(t_s, dt_s)

    def _surge(self, unit: int, t_s: float, dt_s: float) -> float:
        if not self._spikes[unit]:
            return 0.0
        end_s = t_s + dt_s
        total = 0.0
        for at_s, spike in self._spikes[unit]:
            top = spike.factor_pu - 1.0
            area_s = surge_area(end_s - at_s, spike.ramp_s, spike.hold_s)
            total += top * (area_s - surge_area(t_s - at_s, spike.ramp_s, spike.hold_s)) / dt_s
        self._spikes[unit] = [
            (at_s, spike)
            for at_s, spike in self._spikes[unit]
            if at_s + 2.0 * spike.ramp_s + spike.hold_s > end_s
        ]
        return total

    def _name(self, unit: int) -> str:
        return self._context.names[unit] if self._context.names else f"demand {unit}"


def _mean_gpu(params: DemandParams, trace: Series | None) -> float:
    if params.mean_gpu is not None:
        return params.mean_gpu
    return 1.0 if trace is None else trace.average()


def _read_traces(params: Sequence[DemandParams]) -> list[Series | None]:
    found: list[Series | None] = []
    findings: list[str] = []
    for unit in params:
        try:
            found.append(_read_trace(unit))
        except ScenarioError as error:
            findings.append(str(error))
    collected(findings, ScenarioError)
    return found


def _read_trace(unit: DemandParams) -> Series | None:
    if unit.trace is None:
        return None
    period_s = None if unit.repeats_every_h is None else unit.repeats_every_h * 3600.0
    series = read_series(unit.trace, unit.time_column, unit.value_column, "hold", period_s)
    negative = np.flatnonzero(series.values < 0.0)
    if negative.size:
        row = int(negative[0])
        msg = f"{series.label} must not be negative, but row {row + 1} holds {series.values[row]:g}"
        raise ScenarioError(msg)
    if series.average() == 0.0:
        msg = f"{series.label} is zero throughout"
        raise ScenarioError(msg)
    if unit.value_column.endswith("_gpu"):
        return series
    return series.scaled((unit.mean_gpu or 1.0) / series.average())
