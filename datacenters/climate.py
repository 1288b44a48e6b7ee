"""Typical years of the built-in sites, synthesised from climate normals and design conditions."""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import log
from zoneinfo import ZoneInfo

import numpy as np

from cosim.core.types import Floats
from datacenters.data import table
from datacenters.kernels import sky
from datacenters.kernels.psychrometrics import humidity_at, pressure_at_altitude_bar

ZONE = ZoneInfo("Asia/Shanghai")
ZONE_LONGITUDE_DEGREE = 120.0
HOTTEST_SOLAR_H = 15.0
"""Solar time of the day's maximum over land in clear weather (unconfirmed; 14 to 16 are usual)."""
DRIEST_DAY = 15.0
"""Middle of January, from new year: where the air is driest; it is wettest half a year later."""
DAYLIGHT_H = 4383.0
"""Hours a year the sun is up, anywhere."""


@dataclass(frozen=True)
class DesignDay:
    """Summer conditions exceeded in 50 hours of an average year, 0.6 % (GB 50736-2012, 4.1.6 and 4.1.7)."""

    temp_outdoor_degc: float
    temp_wetbulb_degc: float
    pressure_bar: float


def sites() -> tuple[str, ...]:
    """Return the names of the built-in sites."""
    return tuple(table("site_climates"))


def design_day(site: str) -> DesignDay:
    """Return the summer design conditions of a built-in site."""
    row = table("site_climates")[site]
    pressure_bar = pressure_at_altitude_bar(1e3 * float(row["altitude_km"]))
    return DesignDay(float(row["design_degc"]), float(row["design_wetbulb_degc"]), pressure_bar)


def typical_year(site: str, start: datetime) -> Floats:
    r"""Return the row of `kernels.sky` for a site's typical year, in a run that begins at `start`.

    A synthetic year without fronts: every day is the typical one of its date. Dry bulb
    :math:`T = \bar T(d) + \frac{s}{2}\cos\omega(h - h_{max})`: monthly means stand at the middle of their
    month with straight lines between, `s` is the daily range, the maximum comes at 15:00 solar time. The
    humidity ratio is constant over a day (which is why relative humidity falls as it warms) and its logarithm
    follows a cosine over the year, through the coldest month's mean and the hottest month's 14:00. Irradiance
    is a clear sky's times :math:`(0.25 + 0.5\,n/N)/0.75`, n/N the share of daylight with sunshine [1]_.
    Pressure is that of the standard atmosphere.

    References
    ----------
    .. [1] Angstrom's formula with the coefficients of R. G. Allen et al., FAO Irrigation and Drainage Paper
       56 (1998), equation 35.
    """
    given = table("site_climates")[site]
    there = start.astimezone(ZONE)
    universal = start.astimezone(UTC)
    longitude = float(given["longitude_degree"])
    late_h = (ZONE_LONGITUDE_DEGREE - longitude) / 15.0
    pressure_bar = pressure_at_altitude_bar(1e3 * float(given["altitude_km"]))
    driest, wettest = (
        humidity_at(float(given[f"{s}_degc"]), 0.01 * float(given[f"{s}_percent"]), pressure_bar)
        for s in ("winter", "summer")
    )
    row = np.empty(sky.N_YEAR)
    row[sky.NODE_0 : sky.MEAN_0] = np.cumsum([15, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30]) * sky.DAY_S
    row[sky.MEAN_0 : sky.NEW_YEAR_S] = [float(given[f"month{month:02d}_degc"]) for month in range(1, 13)]
    row[sky.NEW_YEAR_S] = (new_year(there) - there).total_seconds()
    row[sky.HOTTEST_S] = (HOTTEST_SOLAR_H + late_h) * 3600.0 - (there - midnight(there)).total_seconds()
    row[sky.HALF_RANGE_K] = 0.5 * float(given["swing_k"])
    row[sky.UNIVERSAL_S] = (universal - new_year(universal)).total_seconds()
    row[sky.LONGITUDE_DEGREE], row[sky.LATITUDE_DEGREE] = longitude, float(given["latitude_degree"])
    row[sky.CLEAR_PU] = (0.25 + 0.5 * float(given["sunshine_h"]) / DAYLIGHT_H) / 0.75
    row[sky.LOG_HUMIDITY] = 0.5 * log(driest * wettest)
    row[sky.LOG_HUMIDITY_HALF] = 0.5 * log(wettest / driest)
    row[sky.DRIEST_DAY], row[sky.PRESSURE_BAR] = DRIEST_DAY, pressure_bar
    return row


def midnight(there: datetime) -> datetime:
    """Return when the day began."""
    return there.replace(hour=0, minute=0, second=0, microsecond=0)


def new_year(there: datetime) -> datetime:
    """Return when the year began."""
    return midnight(there).replace(month=1, day=1)
