"""Time series that models follow: exact means of any interval, and the user's own files."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from cosim.core.errors import ScenarioError
from cosim.core.types import Floats

if TYPE_CHECKING:
    import pandas as pd

Interpolation = Literal["linear", "hold"]
Clock = Literal["run", "local", "utc"]

SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
"""Units a numeric time column may end in, in seconds."""

EDGE_S = 1e-6
"""How far a run may overstep the last row: exchange instants are rounded floats."""


@dataclass(frozen=True)
class Series:
    """Values over time, either once or repeating with a period.

    `hold` keeps a row's value until the next row; the last row of a series that does not repeat
    lasts as long as the one before it. `linear` goes straight from row to row.
    """

    times_s: Floats
    values: Floats
    interpolation: Interpolation = "linear"
    period_s: float | None = None
    label: str = "series"
    clock: Clock = "run"
    _x: Floats = field(init=False, repr=False)
    _y: Floats = field(init=False, repr=False)
    _sums: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        x, y = self.times_s, self.values
        if self.period_s is not None:
            x, y = np.append(x, x[0] + self.period_s), np.append(y, y[0])
        elif self.interpolation == "hold":
            x, y = np.append(x, 2.0 * x[-1] - x[-2]), np.append(y, y[-1])
        y_mean = y[:-1] if self.interpolation == "hold" else 0.5 * (y[:-1] + y[1:])
        object.__setattr__(self, "_x", x)
        object.__setattr__(self, "_y", y)
        object.__setattr__(self, "_sums", np.append(0.0, np.cumsum(y_mean * np.diff(x))))

    @property
    def start_s(self) -> float:
        """First instant a value is known for; minus infinity when the series repeats."""
        return -np.inf if self.period_s is not None else float(self._x[0])

    @property
    def end_s(self) -> float:
        """Last instant a value is known for; infinity when the series repeats."""
        return np.inf if self.period_s is not None else float(self._x[-1])

    def value(self, t_s: float) -> float:
        """Return the value at `t_s`, right of a jump. Raises ScenarioError outside the series."""
        self._require(t_s, t_s)
        _, within_s = self._turn(t_s)
        return self._at(within_s)

    def mean(self, from_s: float, to_s: float) -> float:
        """Return the exact mean over [from_s, to_s). Raises ScenarioError outside the series."""
        self._require(from_s, to_s)
        turn, a_s = self._turn(from_s)
        b_s = a_s + (to_s - from_s)
        if b_s <= self._x[self._row(a_s) + 1]:  # within one row: no difference of large sums
            return self._at(0.5 * (a_s + b_s)) if self.interpolation == "linear" else self._at(a_s)
        later, rest_s = self._turn(to_s)
        whole = (later - turn) * self._sums[-1]
        return float((whole + self._integral(rest_s) - self._integral(a_s)) / (to_s - from_s))

    def average(self) -> float:
        """Return the mean over the whole series."""
        return float(self._sums[-1] / (self._x[-1] - self._x[0]))

    def shifted(self, by_s: float) -> "Series":
        """Return the series with every instant moved later by `by_s`, on the run's clock."""
        return replace(self, times_s=self.times_s + by_s, clock="run")

    def scaled(self, factor: float) -> "Series":
        """Return the series with every value multiplied."""
        return replace(self, values=self.values * factor)

    def on_run(self, start: datetime) -> "Series":
        """Return the series on the clock of a run whose t_s = 0 is `start`."""
        if self.clock == "run":
            return self
        wall = start if self.clock == "utc" else start.replace(tzinfo=UTC)
        return self.shifted(-wall.timestamp())

    def uncovered(self, from_s: float, to_s: float) -> str | None:
        """Return what is missing for a run over [from_s, to_s), or None."""
        if self.start_s - EDGE_S <= from_s and to_s <= self.end_s + EDGE_S:
            return None
        return (
            f"{self.label} covers t_s = {self.start_s:g} to {self.end_s:g}, but the run needs"
            f" {from_s:g} to {to_s:g}: let it repeat, or give it more rows"
        )

    def _require(self, from_s: float, to_s: float) -> None:
        if text := self.uncovered(from_s, to_s):
            raise ScenarioError(text)

    def _turn(self, t_s: float) -> tuple[float, float]:
        if self.period_s is None:
            return 0.0, t_s
        turn = float((t_s - float(self._x[0])) // self.period_s)
        return turn, t_s - turn * self.period_s

    def _row(self, t_s: float) -> int:
        row = int(self._x.searchsorted(t_s, side="right")) - 1
        return min(max(row, 0), self._x.size - 2)

    def _at(self, t_s: float) -> float:
        row = self._row(t_s)
        if self.interpolation == "hold":
            return float(self._y[row])
        share = (t_s - self._x[row]) / (self._x[row + 1] - self._x[row])
        return float(self._y[row] + min(max(share, 0.0), 1.0) * (self._y[row + 1] - self._y[row]))

    def _integral(self, t_s: float) -> float:
        row = self._row(t_s)
        part_s = t_s - self._x[row]
        height = self._y[row] if self.interpolation == "hold" else 0.5 * (self._y[row] + self._at(t_s))
        return float(self._sums[row] + height * part_s)


def read_series(
    file: Path,
    time_column: str,
    value_column: str,
    interpolation: Interpolation = "linear",
    period_s: float | None = None,
) -> Series:
    """Read one column of a CSV or Parquet file over time.

    The time column holds numbers, with their unit at the end of its name (`t_s`, `t_min`, `t_h`),
    or wall-clock times in ISO 8601; those without a zone are in the zone of the scenario.

    Raises
    ------
    ScenarioError
        With the file, column, row (1 is the first row of data) and value of everything wrong.
    """
    frame = _read(file)
    missing = [name for name in (time_column, value_column) if name not in frame.columns]
    if missing:
        has = ", ".join(map(str, frame.columns))
        msg = f"{file}: no column {' and no column '.join(missing)}; the file has: {has}"
        raise ScenarioError(msg)
    if len(frame) < 2:
        msg = f"{file}: {len(frame)} rows of data, at least 2 are needed"
        raise ScenarioError(msg)
    times_s, clock = _times(file, frame[time_column])
    values = _numbers(file, frame[value_column])
    _require_rising(file, time_column, times_s, frame[time_column])
    length_s = times_s[-1] - times_s[0]
    if period_s is not None and length_s >= period_s:
        msg = f"{file}: column {time_column} spans {length_s:g} s, too long for a period of {period_s:g} s"
        raise ScenarioError(msg)
    label = f"{file}: column {value_column}"
    return Series(times_s, values, interpolation, period_s, label, clock)


def _read(file: Path) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415 - half a second that only runs with own files pay

    if not file.is_file():
        msg = f"{file}: no such file (paths are relative to {Path.cwd()})"
        raise ScenarioError(msg)
    try:
        return pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file, comment="#")
    except (ValueError, OSError) as error:  # ParserError, EmptyDataError and ArrowInvalid are ValueErrors
        msg = f"{file}: cannot be read as a table: {error}"
        raise ScenarioError(msg) from error


def _numbers(file: Path, column: "pd.Series[float]") -> Floats:
    import pandas as pd  # noqa: PLC0415 - see _read

    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        rows = ", ".join(f"row {i + 1}: {column.iloc[i]!r}" for i in bad[:5])
        more = f" and {bad.size - 5} more" if bad.size > 5 else ""
        msg = f"{file}: column {column.name} holds no finite number in {rows}{more}"
        raise ScenarioError(msg)
    return values


def _times(file: Path, column: "pd.Series[float]") -> tuple[Floats, Clock]:
    import pandas as pd  # noqa: PLC0415 - see _read

    if pd.api.types.is_numeric_dtype(column):
        unit = str(column.name).rpartition("_")[2]
        if unit not in SECONDS:
            msg = f"{file}: numeric time column {column.name} must end in _s, _min or _h"
            raise ScenarioError(msg)
        return _numbers(file, column) * SECONDS[unit], "run"
    try:
        is_text = not pd.api.types.is_datetime64_any_dtype(column)
        stamps = pd.DatetimeIndex(pd.to_datetime(column, format="ISO8601" if is_text else None))
    except (ValueError, TypeError) as error:
        msg = f"{file}: column {column.name} holds neither numbers nor times: {error}"
        raise ScenarioError(msg) from error
    bad = np.flatnonzero(stamps.isna())
    if bad.size:
        msg = f"{file}: column {column.name} holds no time in row {bad[0] + 1}"
        raise ScenarioError(msg)
    clock: Clock = "local" if stamps.tz is None else "utc"
    epoch = pd.Timestamp(0, tz=stamps.tz)
    return np.asarray((stamps - epoch).total_seconds(), dtype=np.float64), clock


def _require_rising(file: Path, name: str, times_s: Floats, column: "pd.Series[float]") -> None:
    back = np.flatnonzero(np.diff(times_s) <= 0.0)
    if back.size:
        row = int(back[0]) + 2
        msg = (
            f"{file}: column {name} must rise from row to row, but row {row} holds {column.iloc[row - 1]!r}"
            f" after {column.iloc[row - 2]!r}"
        )
        raise ScenarioError(msg)
