"""Plane coordinates of places: equal areas, so that a province looks as in an atlas."""

import math
from typing import Any

import numpy as np

from cosim.core.types import Floats

EARTH_KM = 6371.0
"""Mean radius of the Earth."""


class Albers:
    r"""Albers equal-area conic projection of a sphere [1]_, eqs. 14-1 to 14-6.

    .. math::

        x = \rho \sin\theta, \quad y = \rho_0 - \rho \cos\theta, \quad
        \rho = R \sqrt{C - 2 n \sin\varphi} / n, \quad \theta = n (\lambda - \lambda_0)

    with :math:`n = (\sin\varphi_1 + \sin\varphi_2)/2`, :math:`C = \cos^2\varphi_1 + 2 n \sin\varphi_1`.

    Parameters
    ----------
    lat_degree
        Standard parallels, which must not be opposite, and latitude of the origin.
    lon_degree
        Longitude of the origin.
    radius
        Of the sphere; coordinates have its unit.

    References
    ----------
    .. [1] J. P. Snyder, *Map Projections: A Working Manual*, USGS Professional Paper 1395, 1987.
    """

    def __init__(
        self, lat_degree: tuple[float, float, float], lon_degree: float, radius: float = EARTH_KM
    ) -> None:
        first, second, origin = np.radians(lat_degree)
        self.n = (np.sin(first) + np.sin(second)) / 2.0
        self.c = np.cos(first) ** 2 + 2.0 * self.n * np.sin(first)
        self.radius, self.lon_degree = radius, lon_degree
        self.rho_origin = self._rho(origin)

    @classmethod
    def around(cls, lat_degree: Floats, lon_degree: Floats) -> "Albers":
        """Return the projection for some places: standard parallels a sixth inside their extent."""
        south, north = float(np.min(lat_degree)), float(np.max(lat_degree))
        sixth = (north - south) / 6.0
        middle = (south + north) / 2.0 or 1e-3  # a cone, not a cylinder
        parallels = (south + sixth, north - sixth) if south + north else (middle, middle)
        lon = (float(np.min(lon_degree)) + float(np.max(lon_degree))) / 2.0
        return cls((*parallels, middle), lon)

    def _rho(self, lat: Floats) -> Floats:
        rho: Floats = self.radius * np.sqrt(np.maximum(self.c - 2.0 * self.n * np.sin(lat), 0.0)) / self.n
        return rho

    def __call__(self, lat_degree: Floats, lon_degree: Floats) -> tuple[Floats, Floats]:
        """Return x to the east and y to the north of the origin, shapes of the arguments."""
        theta = self.n * np.radians(np.asarray(lon_degree) - self.lon_degree)
        rho = self._rho(np.radians(np.asarray(lat_degree, dtype=np.float64)))
        return rho * np.sin(theta), self.rho_origin - rho * np.cos(theta)


def graticule(projection: Albers, lat: Floats, lon: Floats) -> list[dict[str, Any]]:
    """Return meridians and parallels around places, over a wider extent than theirs.

    Each has a `label`, whether it is a `meridian`, and a `path` of x and y in the unit of the projection.
    """
    widest = max(float(np.ptp(lat)), float(np.ptp(lon)), 0.1)
    step = next((s for s in (0.2, 0.5, 1.0, 2.0, 5.0) if widest / s <= 8.0), 10.0)
    margin = max(widest, 2.0)
    low = [math.floor((float(v.min()) - margin) / step) * step for v in (lat, lon)]
    high = [math.ceil((float(v.max()) + margin) / step) * step for v in (lat, lon)]
    lats, lons = (np.arange(a, b + step / 2, step) for a, b in zip(low, high, strict=True))
    lines = []
    for value, others, meridian in [(v, lats, True) for v in lons] + [(v, lons, False) for v in lats]:
        run = np.linspace(others[0], others[-1], 40)
        same = np.full(run.size, value)
        x, y = projection(run, same) if meridian else projection(same, run)
        side = ("E" if value >= 0 else "W") if meridian else ("N" if value >= 0 else "S")
        path = [[round(float(a), 1), round(float(b), 1)] for a, b in zip(x, y, strict=True)]
        lines.append({"label": f"{abs(value):g}° {side}", "meridian": meridian, "path": path})
    return lines
