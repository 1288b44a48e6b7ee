"""Profiles: time series that scale loads, wind farms and PV, at their local time of day."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import Field, model_validator

from cosim.core.component import Context, Port
from cosim.core.errors import ScenarioError, collected
from cosim.core.params import Params
from cosim.core.registry import nearest
from cosim.core.types import Floats
from datacenters.data import table
from datacenters.data.series import Series, read_series

DAY_S = 86_400.0
HOUR_S = 3_600.0


def shapes() -> tuple[str, ...]:
    """Return the names of the built-in shapes of a day."""
    return tuple(table("day_shapes"))


def midnight(start: datetime, zone: ZoneInfo) -> float:
    """Return when the day of `start` began in `zone`, in seconds of the run (<= 0)."""
    there = start.astimezone(zone)
    return -timedelta(hours=there.hour, minutes=there.minute, seconds=there.second).total_seconds() - (
        there.microsecond * 1e-6
    )


def day_shape(name: str, start: datetime) -> Series:
    """Return a built-in shape on the clock of a run that starts at `start`.

    Each of its 24 numbers stands at the middle of the hour it is the mean of (`centre_h` of the
    table, after the hour it is named by) in the shape's own time zone; between them straight lines.
    """
    row = table("day_shapes")[name]
    hours = np.arange(24.0) + float(row["centre_h"])
    values = np.array([float(row[f"h{hour:02d}"]) for hour in range(24)])
    day = Series(hours * HOUR_S, values, "linear", DAY_S, f"shape {name}")
    return day.shifted(midnight(start, ZoneInfo(row["zone"])))


class ProfileParams(Params):
    """One time series and what it drives."""

    shape: str | None = Field(
        default=None, description="built-in day, such as `anhui_load_summer_peak_day` or `anhui_pv_summer`"
    )
    file: Path | None = Field(default=None, description="your own CSV or Parquet file instead of a shape")
    time_column: str = Field(
        default="t_s",
        description="column of `file` with numbers (its name ends in _s, _min or _h) or wall-clock times",
    )
    value_column: str = Field(default="scale_pu", description="column of `file` with the values")
    counts_from: Literal["start", "midnight"] = Field(
        default="start",
        description="where numbers in `time_column` count from: the run's start or its midnight",
    )
    repeats_every_h: float | None = Field(
        default=None, gt=0, description="period after which the file begins again, 24 for a day; none: never"
    )
    interpolation: Literal["linear", "hold"] = Field(
        default="linear",
        description="between the rows of `file`: straight lines, or each value until the next",
    )
    relative_to: Literal["start", "peak", "absolute"] = Field(
        default="start",
        description="`start`: scale 1 at t_s = 0, so the run starts at the operating point; `peak`: 1 at the"
        " largest value; `absolute`: values as they are",
    )
    drives: str | None = Field(
        default=None,
        description="what is scaled: a group of grid elements (`prefecture`, `wind`, `pv`) or one element",
    )

    @model_validator(mode="after")
    def _one_source(self) -> "ProfileParams":
        if (self.shape is None) == (self.file is None):
            msg = "give either `shape` or `file`"
            raise ValueError(msg)
        if self.shape is not None and self.shape not in table("day_shapes"):
            hint = nearest(self.shape, shapes())
            msg = f"unknown shape {self.shape!r}; built in are {', '.join(shapes())}.{hint}"
            raise ValueError(msg)
        return self


class Profile:
    """Profiles that scale grid elements, or feed any port in pu."""

    params_type: ClassVar[type[Params]] = ProfileParams
    inputs: ClassVar[tuple[Port, ...]] = ()
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("scale_pu", "mean over the step of the series, relative to what `relative_to` says"),
    )

    def __init__(self, params: Sequence[ProfileParams]) -> None:
        self.params = tuple(params)
        self._files = _read_files(self.params)
        self._series: list[Series] = []

    def reset(self, context: Context) -> None:
        """Put every series on the run's clock. Raises ScenarioError when one does not cover t_s = 0."""
        names = context.names or tuple(f"profile {i}" for i in range(len(self.params)))
        self._series = [self._placed(i, names[i], context.start) for i in range(len(self.params))]

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Return the exact mean of every series over the step. Raises ScenarioError past its end."""
        del inputs
        return {"scale_pu": np.array([series.mean(t_s, t_s + dt_s) for series in self._series])}

    def uncovered(self, end_s: float) -> list[str]:
        """Return which series end before `end_s`, one sentence each, so that a run need not start."""
        texts = (series.uncovered(0.0, end_s) for series in self._series)
        return [text for text in texts if text is not None]

    def _placed(self, unit: int, name: str, start: datetime) -> Series:
        params = self.params[unit]
        read = self._files[unit]
        series = day_shape(params.shape or "", start) if read is None else read.on_run(start)
        if read is not None and read.clock == "run" and params.counts_from == "midnight":
            zone = start.tzinfo if isinstance(start.tzinfo, ZoneInfo) else ZoneInfo("UTC")
            series = series.shifted(midnight(start, zone))
        if params.relative_to == "absolute":
            return series
        base = series.value(0.0) if params.relative_to == "start" else float(series.values.max())
        if base == 0.0:
            msg = (
                f"{name}: {series.label} is 0 at {start:%Y-%m-%d %H:%M %Z}, so nothing can be relative to it;"
                " use relative_to: peak or absolute, or start when it is not 0"
            )
            raise ScenarioError(msg)
        return series.scaled(1.0 / base)


def _read_files(params: Sequence[ProfileParams]) -> list[Series | None]:
    found: list[Series | None] = []
    findings: list[str] = []
    for unit in params:
        series = None
        period_s = None if unit.repeats_every_h is None else unit.repeats_every_h * HOUR_S
        if unit.file is not None:
            try:
                series = read_series(
                    unit.file, unit.time_column, unit.value_column, unit.interpolation, period_s
                )
            except ScenarioError as error:
                findings.append(str(error))
        found.append(series)
    collected(findings, ScenarioError)
    return found
