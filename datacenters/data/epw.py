"""EnergyPlus weather files (EPW): a typical year of hourly values, read and checked."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cosim.core.errors import ScenarioError
from cosim.core.types import Floats
from datacenters.data.series import Series

HOUR_S = 3600.0
YEAR_S = 365.0 * 24.0 * HOUR_S
HEADER_LINES = 8
ROWS = 8760

ALLOWED = {
    "dry bulb": (-70.0, 70.0),
    "relative humidity": (0.0, 110.0),
    "pressure": (31_000.0, 120_000.0),
    "global horizontal radiation": (0.0, 9998.0),
}
"""Lowest and highest value EPW allows [°C, %, Pa, W/m²]."""

COLUMNS = {
    "dry bulb": (6, 99.9),
    "relative humidity": (8, 999.0),
    "pressure": (9, 999999.0),
    "global horizontal radiation": (13, 9999.0),
}
"""Name -> field of a line (0 is the year), code of a missing value."""


@dataclass(frozen=True)
class WeatherFile:
    """A typical year on its own clock: seconds since new year at `zone_h` from universal time.

    Dry bulb [°C], relative humidity [%] and pressure [bar] are values at the end of each hour, with straight
    lines between; irradiance [W/m²] is the mean of each hour.
    """

    zone_h: float
    temp: Series
    humidity: Series
    pressure: Series
    irradiance: Series


def read_epw(file: Path) -> WeatherFile:
    """Read an EPW file of 8,760 hours.

    Raises
    ------
    ScenarioError
        With the file, line and value of everything wrong: no such file, no LOCATION line, a number of hours
        that is not a year, values that are missing (by EPW's codes), no numbers, or outside EPW's ranges.
    """
    if not file.is_file():
        msg = f"{file}: no such file (paths are relative to {Path.cwd()})"
        raise ScenarioError(msg)
    with file.open(encoding="latin-1", newline="") as handle:
        lines = list(csv.reader(handle))
    zone_h = _zone(file, lines)
    hours = [line for line in lines[HEADER_LINES:] if line]
    if len(hours) != ROWS:
        msg = f"{file}: {len(hours)} hours after {HEADER_LINES} lines of header, a year has {ROWS}"
        raise ScenarioError(msg)
    findings: list[str] = []
    values = {name: _column(file, hours, name, findings) for name in COLUMNS}
    if findings:
        raise ScenarioError("\n".join(findings))
    ends: Floats = np.arange(1.0, ROWS + 1.0) * HOUR_S
    return WeatherFile(
        zone_h,
        Series(ends, values["dry bulb"], "linear", YEAR_S, f"{file}: dry bulb"),
        Series(ends, values["relative humidity"], "linear", YEAR_S, f"{file}: relative humidity"),
        Series(ends, values["pressure"] * 1e-5, "linear", YEAR_S, f"{file}: pressure"),
        Series(ends - HOUR_S, values["global horizontal radiation"], "hold", YEAR_S, f"{file}: irradiance"),
    )


def _zone(file: Path, lines: list[list[str]]) -> float:
    first = lines[0] if lines else []
    if not first or first[0] != "LOCATION" or len(first) < 10:
        msg = f"{file}: line 1 is not LOCATION with ten fields, as an EPW file begins"
        raise ScenarioError(msg)
    try:
        zone_h = float(first[8])
    except ValueError:
        zone_h = np.nan
    if not -12.0 <= zone_h <= 14.0:
        msg = f"{file}: line 1: time zone {first[8]!r} is no number of hours from -12 to 14"
        raise ScenarioError(msg)
    return zone_h


def _column(file: Path, hours: list[list[str]], name: str, findings: list[str]) -> Floats:
    field, missing = COLUMNS[name]
    lowest, highest = ALLOWED[name]
    values = np.empty(ROWS)
    bad: list[str] = []
    for i, line in enumerate(hours):
        text = line[field] if field < len(line) else ""
        try:
            values[i] = float(text)
        except ValueError:
            values[i] = np.nan
        if values[i] == missing:
            bad.append(f"line {i + HEADER_LINES + 1}: {text} stands for a missing value")
        elif not lowest <= values[i] <= highest:
            bad.append(f"line {i + HEADER_LINES + 1}: {text!r} is not from {lowest:g} to {highest:g}")
    if bad:
        more = f"; and {len(bad) - 3} more" if len(bad) > 3 else ""
        findings.append(f"{file}: {name} (field {field + 1}): {'; '.join(bad[:3])}{more}")
    return values
