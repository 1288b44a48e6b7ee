"""Outdoor air of a site: a typical year, or a file of the user's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field, field_validator, model_validator

from cosim.core.component import Context, Link, Port
from cosim.core.errors import ScenarioError, collected
from cosim.core.params import Params
from cosim.core.registry import nearest
from cosim.core.types import Floats
from datacenters.climate import new_year, sites, typical_year
from datacenters.data.epw import ALLOWED, WeatherFile, read_epw
from datacenters.data.series import Series, read_series
from datacenters.kernels import sky
from datacenters.kernels.psychrometrics import humidity_at, pressure_at_altitude_bar


class WeatherParams(Params):
    """Where the air is, and how much hotter than usual."""

    site: str | None = Field(default=None, description="built-in site, such as `hefei` or `zhongwei`")
    file: Path | None = Field(
        default=None, description="your own CSV, Parquet or EPW (.epw) file instead of a site"
    )
    time_column: str = Field(
        default="time",
        description="column of `file` with wall-clock times, or numbers if its name ends in _s, _min or _h",
    )
    value_column: str = Field(default="temp_outdoor_degc", description="column of `file` with °C")
    humidity_column: str | None = Field(
        default=None, description="column of `file` with relative humidity in %; none: `humidity_percent`"
    )
    ghi_column: str | None = Field(
        default=None, description="column of `file` with irradiance on the ground in W/m²; none: 0"
    )
    humidity_percent: float = Field(
        default=50.0, ge=0, le=100, description="relative humidity where a file has none (unconfirmed)"
    )
    altitude_km: float = Field(
        default=0.0, ge=-0.5, le=6, description="of the site of a CSV or Parquet file: gives the pressure"
    )
    repeats_every_h: float | None = Field(
        default=None, gt=0, description="period after which the file begins again; none: never"
    )
    offset_k: float = Field(
        default=0.0,
        ge=-30,
        le=30,
        description="added to the dry bulb at all times: a heat wave or a cold spell; vapour stays",
    )
    serves: tuple[str, ...] = Field(default=(), description="units that stand in this air")

    @field_validator("site")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value.lower() not in sites():
            msg = f"unknown site {value!r}; built in are {', '.join(sites())}.{nearest(value, sites())}"
            raise ValueError(msg)
        return None if value is None else value.lower()

    @model_validator(mode="after")
    def _one_source(self) -> "WeatherParams":
        if (self.site is None) == (self.file is None):
            msg = "give either `site` or `file`"
            raise ValueError(msg)
        columns = {"time_column", "value_column", "humidity_column", "ghi_column"}
        of_tables = columns | {"humidity_percent", "altitude_km", "repeats_every_h"}
        given = sorted(of_tables & self.model_fields_set)
        if given and (self.file is None or self.is_epw()):
            source = "a site" if self.file is None else "an EPW file"
            msg = f"{', '.join(given)}: {source} has its own; they are for CSV and Parquet files"
            raise ValueError(msg)
        return self

    def is_epw(self) -> bool:
        """Return whether the file is one of EnergyPlus."""
        return self.file is not None and self.file.suffix.lower() == ".epw"


@dataclass(frozen=True)
class Measured:
    """Air of a file, on the run's clock."""

    temp: Series
    humidity_percent: Series | float
    ghi: Series | float
    pressure_bar: Series | float

    def air(self, offset_k: float, from_s: float, to_s: float) -> tuple[float, ...]:
        """Return the outputs over [from_s, to_s). Raises ScenarioError outside the file."""
        temp_degc, pressure_bar = self.temp.mean(from_s, to_s), _mean(self.pressure_bar, from_s, to_s)
        relative_pu = 0.01 * _mean(self.humidity_percent, from_s, to_s)
        humidity = humidity_at(temp_degc, relative_pu, pressure_bar)
        wetbulb_degc, percent = sky.moist_air(temp_degc + offset_k, humidity, pressure_bar)
        return temp_degc + offset_k, wetbulb_degc, percent, _mean(self.ghi, from_s, to_s), pressure_bar

    def on_run(self, start: datetime) -> "Measured":
        """Return it on the clock of a run that begins at `start`."""
        parts = (self.humidity_percent, self.ghi, self.pressure_bar)
        placed = [part.on_run(start) if isinstance(part, Series) else part for part in parts]
        return Measured(self.temp.on_run(start), *placed)


def _mean(part: Series | float, from_s: float, to_s: float) -> float:
    return part.mean(from_s, to_s) if isinstance(part, Series) else part


class Weather:
    """Outdoor air of sites.

    `offset_k` warms or cools the air and leaves its vapour in it, as far as saturation allows. Wet bulb and
    relative humidity are those of the step's mean state.
    """

    params_type: ClassVar[type[Params]] = WeatherParams
    inputs: ClassVar[tuple[Port, ...]] = ()
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("temp_outdoor_degc", "dry-bulb temperature, mean over the step, as all"),
        Port("temp_wetbulb_degc", "thermodynamic wet bulb, over ice below 0 °C"),
        Port("humidity_percent", "relative humidity"),
        Port("ghi_w_per_m2", "solar irradiance on the ground; 0 where a file has none"),
        Port("pressure_bar", "air pressure"),
    )
    links: ClassVar[tuple[Link, ...]] = (
        Link("serves", gives={name: name for name in ("temp_outdoor_degc", "temp_wetbulb_degc")}),
    )

    def __init__(self, params: Sequence[WeatherParams]) -> None:
        self.params = tuple(params)
        self._read = _read_files(self.params)
        self._offsets_k = np.array([unit.offset_k for unit in self.params])
        self._sites = np.array([i for i, read in enumerate(self._read) if read is None], dtype=np.float64)
        self._years = np.empty((0, sky.N_YEAR))
        self._files: list[tuple[int, Measured]] = []
        self._names = tuple(port.name for port in self.outputs)

    def reset(self, context: Context) -> None:
        """Put every site on the run's clock."""
        start = context.start
        names = [unit.site for unit, read in zip(self.params, self._read, strict=True) if read is None]
        self._years = np.array([typical_year(name or "", start) for name in names]).reshape(-1, sky.N_YEAR)
        self._files = []
        for i, read in enumerate(self._read):
            if read is not None:
                on_run = read.on_run(start) if isinstance(read, Measured) else year_on_run(read, start)
                self._files.append((i, on_run))

    def step(self, t_s: float, dt_s: float, inputs: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Return the means of the step. Raises ScenarioError past the end of a file."""
        del inputs
        rows = np.empty((sky.N_AIR, len(self.params)))
        sky.typical_airs(self._years, self._sites, self._offsets_k, t_s, t_s + dt_s, rows)
        for i, file in self._files:
            rows[:, i] = file.air(self.params[i].offset_k, t_s, t_s + dt_s)
        return dict(zip(self._names, rows, strict=True))

    def uncovered(self, end_s: float) -> list[str]:
        """Return which files end before `end_s`, one sentence each, so that a run need not start."""
        texts = (file.temp.uncovered(0.0, end_s) for _, file in self._files)
        return [text for text in texts if text is not None]


def year_on_run(year: WeatherFile, start: datetime) -> Measured:
    """Return a typical year on the clock of a run: the same date and hour; 29 February is 1 March."""
    there = start.astimezone(timezone(timedelta(hours=year.zone_h)))
    elapsed_s = (there - new_year(there)).total_seconds()
    is_leap = there.year % 4 == 0 and (there.year % 100 != 0 or there.year % 400 == 0)
    if is_leap and there.month > 2:
        elapsed_s -= sky.DAY_S
    parts = (year.temp, year.humidity, year.irradiance, year.pressure)
    return Measured(*(part.shifted(-elapsed_s) for part in parts))


def _read_files(params: Sequence[WeatherParams]) -> list[Measured | WeatherFile | None]:
    found: list[Measured | WeatherFile | None] = []
    findings: list[str] = []
    for unit in params:
        try:
            found.append(_read(unit))
        except ScenarioError as error:
            findings.append(str(error))
    collected(findings, ScenarioError)
    return found


def _read(unit: WeatherParams) -> Measured | WeatherFile | None:
    if unit.file is None:
        return None
    if unit.is_epw():
        return read_epw(unit.file)
    file, period_s = unit.file, None if unit.repeats_every_h is None else unit.repeats_every_h * 3600.0

    findings: list[str] = []

    def column(name: str, what: str) -> Series:
        series = read_series(file, unit.time_column, name, "linear", period_s)
        findings.extend(_out_of_range(series, what))
        return series

    temp = column(unit.value_column, "dry bulb")
    percent, ghi = unit.humidity_column, unit.ghi_column
    humidity = unit.humidity_percent if percent is None else column(percent, "relative humidity")
    irradiance = 0.0 if ghi is None else column(ghi, "global horizontal radiation")
    collected(findings, ScenarioError)
    return Measured(temp, humidity, irradiance, pressure_at_altitude_bar(1e3 * unit.altitude_km))


def _out_of_range(series: Series, what: str) -> list[str]:
    """Return the first value of a column that no air has, with its row, or nothing."""
    lowest, highest = ALLOWED[what]
    rows = np.flatnonzero((series.values < lowest) | (series.values > highest))
    if not rows.size:
        return []
    first, more = int(rows[0]), f" and {rows.size - 1} more rows" if rows.size > 1 else ""
    said = f"row {first + 1}{more}: {series.values[first]:g} is not from {lowest:g} to {highest:g}"
    return [f"{series.label}: {what}: {said}"]
