"""Outdoor temperature of a site: a typical day of the season, or a file of the user's."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import cos, pi, sin
from pathlib import Path
from typing import ClassVar
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import Field, field_validator, model_validator

from cosim.core.component import Context, Link, Port
from cosim.core.errors import ScenarioError, collected
from cosim.core.params import Params
from cosim.core.types import Floats
from datacenters.data import table
from datacenters.data.series import Series, read_series

DAY_S = 86_400.0
YEAR_S = 365.2425 * DAY_S
ZONE = ZoneInfo("Asia/Shanghai")
ZONE_LONGITUDE_DEGREE = 120.0
HOTTEST_SOLAR_H = 15.0
"""Solar time of the day's maximum over land in clear weather (unconfirmed; 14 to 16 are usual)."""


def sites() -> tuple[str, ...]:
    """Return the names of the built-in sites."""
    return tuple(table("site_temperatures"))


class WeatherParams(Params):
    """Where the air is, and how much hotter than usual."""

    site: str | None = Field(default=None, description="built-in site, such as `hefei` or `huaibei`")
    file: Path | None = Field(default=None, description="your own CSV or Parquet file instead of a site")
    time_column: str = Field(
        default="time",
        description="column of `file` with wall-clock times, or numbers if its name ends in _s, _min or _h",
    )
    value_column: str = Field(default="temp_outdoor_degc", description="column of `file` with °C")
    repeats_every_h: float | None = Field(
        default=None, gt=0, description="period after which the file begins again; none: never"
    )
    offset_k: float = Field(
        default=0.0, ge=-30, le=30, description="added at all times: a heat wave or a cold spell"
    )
    serves: tuple[str, ...] = Field(default=(), description="units that stand in this air")

    @field_validator("site")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value.lower() not in table("site_temperatures"):
            msg = f"unknown site {value!r}; built in are {', '.join(sites())}"
            raise ValueError(msg)
        return None if value is None else value.lower()

    @model_validator(mode="after")
    def _one_source(self) -> "WeatherParams":
        if (self.site is None) == (self.file is None):
            msg = "give either `site` or `file`"
            raise ValueError(msg)
        return self


class TypicalDay:
    r"""A synthetic day: :math:`T = \bar T(d) + \frac{s}{2} \cos\omega(h - h_{max})`.

    Monthly means stand at the middle of their month with straight lines between, `s` is the daily
    range and the maximum comes at 15:00 solar time. No front, no cloud: a design day, not weather.
    """

    def __init__(self, site: str, start: datetime) -> None:
        row = table("site_temperatures")[site]
        there = start.astimezone(ZONE)
        new_year = there.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
        days = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30]) + 15.0
        means = np.array([float(row[f"month{month:02d}_degc"]) for month in range(1, 13)])
        year = Series(days * DAY_S, means, "linear", YEAR_S, f"site {site}")
        self._mean = year.shifted((new_year - there).total_seconds())
        self._half_k = 0.5 * float(row["swing_k"])
        late_h = (ZONE_LONGITUDE_DEGREE - float(row["longitude_degree"])) / 15.0
        day_s = there.hour * 3600.0 + there.minute * 60.0 + there.second + there.microsecond * 1e-6
        self._hottest_s = (HOTTEST_SOLAR_H + late_h) * 3600.0 - day_s

    def mean(self, from_s: float, to_s: float) -> float:
        """Return the exact mean over [from_s, to_s) [°C]."""
        omega = 2.0 * pi / DAY_S
        half_span = 0.5 * omega * (to_s - from_s)
        wave = cos(omega * (0.5 * (from_s + to_s) - self._hottest_s))
        if half_span > 0.0:
            wave *= sin(half_span) / half_span
        return self._mean.mean(from_s, to_s) + self._half_k * wave


class Weather:
    """Outdoor temperatures of sites."""

    params_type: ClassVar[type[Params]] = WeatherParams
    inputs: ClassVar[tuple[Port, ...]] = ()
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("temp_outdoor_degc", "dry-bulb temperature, mean over the step"),
    )
    links: ClassVar[tuple[Link, ...]] = (Link("serves", gives={"temp_outdoor_degc": "temp_outdoor_degc"}),)

    def __init__(self, params: Sequence[WeatherParams]) -> None:
        self.params = tuple(params)
        self._files = _read_files(self.params)
        self._air: list[Series | TypicalDay] = []

    def reset(self, context: Context) -> None:
        """Put every site on the run's clock."""
        self._air = []
        for params, read in zip(self.params, self._files, strict=True):
            air = TypicalDay(params.site or "", context.start) if read is None else read.on_run(context.start)
            self._air.append(air)

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Return the mean temperatures of the step. Raises ScenarioError past the end of a file."""
        del inputs
        pairs = zip(self._air, self.params, strict=True)
        return {
            "temp_outdoor_degc": np.array([air.mean(t_s, t_s + dt_s) + unit.offset_k for air, unit in pairs])
        }

    def uncovered(self, end_s: float) -> list[str]:
        """Return which files end before `end_s`, one sentence each, so that a run need not start."""
        texts = (air.uncovered(0.0, end_s) for air in self._air if isinstance(air, Series))
        return [text for text in texts if text is not None]


def _read_files(params: Sequence[WeatherParams]) -> list[Series | None]:
    found: list[Series | None] = []
    findings: list[str] = []
    for unit in params:
        series = None
        period_s = None if unit.repeats_every_h is None else unit.repeats_every_h * 3600.0
        if unit.file is not None:
            try:
                series = read_series(unit.file, unit.time_column, unit.value_column, "linear", period_s)
            except ScenarioError as error:
                findings.append(str(error))
        found.append(series)
    collected(findings, ScenarioError)
    return found
