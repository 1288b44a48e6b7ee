"""Kernels of the weather: typical years, where the sun stands, what a sky lets through, how wet air is.

A typical year is a row of numbers that `datacenters.climate` makes, indexed by the names below.
"""

from math import cos, exp, pi, sin

from cosim.core.jit import jit
from cosim.core.types import Floats
from datacenters.kernels.psychrometrics import (
    VAPOUR_TO_AIR,
    saturated_humidity,
    saturation_pressure_bar,
    wet_bulb_degc,
)

DAY_S = 86_400.0
YEAR_DAYS = 365.2425
YEAR_S = YEAR_DAYS * DAY_S
SUN_STEP_S = 900.0

# a typical year: middles of months, their means; new year and the hottest instant of a day on the run's
# clock; half the daily range; seconds since new year in universal time at t_s = 0; what the names say
NODE_0, MEAN_0 = 0, 12
(
    NEW_YEAR_S, HOTTEST_S, HALF_RANGE_K, UNIVERSAL_S, LONGITUDE_DEGREE, LATITUDE_DEGREE,
    CLEAR_PU, LOG_HUMIDITY, LOG_HUMIDITY_HALF, DRIEST_DAY, PRESSURE_BAR,
) = range(24, 35)  # fmt: skip
N_YEAR = 35

# what is written of a unit's air
TEMP_DEGC, WETBULB_DEGC, HUMIDITY_PERCENT, GHI_W_PER_M2, AIR_BAR = range(5)
N_AIR = 5


@jit
def sine_of_elevation(year_s: float, longitude_degree: float, latitude_degree: float) -> float:
    """Return the sine of the sun's height over the horizon, `year_s` after new year in universal time.

    Declination and equation of time by Fourier series of a mean year [1]_: the height is within 0.4°.

    References
    ----------
    .. [1] J. W. Spencer, Search 2 (1971) 172; as `solarposition.*_spencer71` of pvlib.
    """
    day = year_s / DAY_S
    b = 2.0 * pi * day / YEAR_DAYS
    declination = (
        0.006918 - 0.399912 * cos(b) + 0.070257 * sin(b) - 0.006758 * cos(2.0 * b)
        + 0.000907 * sin(2.0 * b) - 0.002697 * cos(3.0 * b) + 0.00148 * sin(3.0 * b)
    )  # fmt: skip
    late = (
        0.0000075 + 0.001868 * cos(b) - 0.032077 * sin(b) - 0.014615 * cos(2.0 * b)
        - 0.040849 * sin(2.0 * b)
    )  # fmt: skip
    hour = 2.0 * pi * (day - 0.5) + longitude_degree * pi / 180.0 + late
    latitude = latitude_degree * pi / 180.0
    return sin(latitude) * sin(declination) + cos(latitude) * cos(declination) * cos(hour)


@jit
def clear_sky_w_per_m2(sine: float) -> float:
    r"""Return irradiance on the ground under a clear sky: :math:`1098 \sin h\, e^{-0.059/\sin h}` [1]_.

    References
    ----------
    .. [1] B. Haurwitz, J. Meteorol. 2 (1945) 154 and 3 (1946) 123; as `clearsky.haurwitz` of pvlib.
    """
    if sine <= 0.0:
        return 0.0
    return 1098.0 * sine * exp(-0.059 / sine)


@jit
def mean_irradiance_w_per_m2(
    from_s: float, to_s: float, longitude_degree: float, latitude_degree: float, clear_pu: float
) -> float:
    """Return the mean irradiance on the ground from `from_s` to `to_s`, by midpoints of at most 15 min."""
    parts = max(int((to_s - from_s) / SUN_STEP_S + 0.999), 1)
    length = (to_s - from_s) / parts
    total = 0.0
    for part in range(parts):
        middle = from_s + (part + 0.5) * length
        total += clear_sky_w_per_m2(sine_of_elevation(middle, longitude_degree, latitude_degree))
    return clear_pu * total / parts


@jit
def moist_air(temp_degc: float, humidity: float, pressure_bar: float) -> tuple[float, float]:
    """Return wet bulb and relative humidity [%] of air, whose humidity ratio is at most saturation's."""
    most = saturated_humidity(temp_degc, pressure_bar)
    if humidity >= most:
        return temp_degc, 100.0
    vapour_bar = pressure_bar * humidity / (VAPOUR_TO_AIR + humidity)
    percent = 100.0 * vapour_bar / saturation_pressure_bar(temp_degc)
    return wet_bulb_degc(temp_degc, humidity, pressure_bar), percent


@jit
def monthly_mean_degc(row: Floats, from_s: float, to_s: float) -> float:
    """Return the mean over [from_s, to_s) of straight lines between the middles of months."""
    at, total = from_s, 0.0
    while True:
        within = (at - row[NEW_YEAR_S] - row[NODE_0]) % YEAR_S + row[NODE_0]
        node = 11
        while row[NODE_0 + node] > within:
            node -= 1
        begin, first = row[NODE_0 + node], row[MEAN_0 + node]
        after = row[NODE_0 + node + 1] if node < 11 else row[NODE_0] + YEAR_S
        last = row[MEAN_0 + node + 1] if node < 11 else row[MEAN_0]
        end = min(to_s, at + after - within)
        middle = within + 0.5 * (end - at)
        value = first + (last - first) * (middle - begin) / (after - begin)
        if end >= to_s and at == from_s:
            return value
        total += value * (end - at)
        if end >= to_s:
            return total / (to_s - from_s)
        at = end


@jit
def typical_air(row: Floats, offset_k: float, from_s: float, to_s: float, result: Floats) -> None:
    """Write the air of a typical year over [from_s, to_s): exact mean of dry bulb, vapour of the middle."""
    omega = 2.0 * pi / DAY_S
    half_span = 0.5 * omega * (to_s - from_s)
    wave = cos(omega * (0.5 * (from_s + to_s) - row[HOTTEST_S]))
    if half_span > 0.0:
        wave *= sin(half_span) / half_span
    temp_degc = monthly_mean_degc(row, from_s, to_s) + row[HALF_RANGE_K] * wave + offset_k
    day = (0.5 * (from_s + to_s) - row[NEW_YEAR_S]) / DAY_S
    season = cos(2.0 * pi * (day - row[DRIEST_DAY]) / YEAR_DAYS)
    humidity = exp(row[LOG_HUMIDITY] - row[LOG_HUMIDITY_HALF] * season)
    result[TEMP_DEGC] = temp_degc
    result[WETBULB_DEGC], result[HUMIDITY_PERCENT] = moist_air(temp_degc, humidity, row[PRESSURE_BAR])
    universal_s = row[UNIVERSAL_S]
    result[GHI_W_PER_M2] = mean_irradiance_w_per_m2(
        universal_s + from_s, universal_s + to_s, row[LONGITUDE_DEGREE], row[LATITUDE_DEGREE], row[CLEAR_PU]
    )
    result[AIR_BAR] = row[PRESSURE_BAR]


@jit
def typical_airs(
    years: Floats, units: Floats, offsets_k: Floats, from_s: float, to_s: float, result: Floats
) -> None:  # fmt: skip
    """Write `result[:, i]` for every `units[k] = i` from its row `years[k]` and `offsets_k[i]`."""
    for k in range(units.size):
        i = int(units[k])
        typical_air(years[k], offsets_k[i], from_s, to_s, result[:, i])
