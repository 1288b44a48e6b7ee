"""The network between computing sites: latency, what lines carry, what sending costs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from cosim.core.errors import ScenarioError
from cosim.core.params import Params
from cosim.core.registry import nearest
from cosim.core.types import Floats
from datacenters.data import rows, table

EARTH_RADIUS_KM = 6371.0
LIGHT_IN_FIBRE_KM_PER_MS = 200.0
"""Speed of light over a refractive index of 1.47 to 1.5."""


class RouteParams(Params):
    """A line between two sites, both ways; what is left out is that of the network."""

    between: tuple[str, str] = Field(description="the two sites or places")
    one_way_ms: float | None = Field(default=None, gt=0, description="latency, where it is known")
    bandwidth_gbit_per_s: float | None = Field(default=None, gt=0, description="what it carries each way")


class NetworkParams(Params):
    """What joins the sites of a scenario. Routes not listed are of the common kind."""

    routes: tuple[RouteParams, ...] = Field(default=(), description="lines known better than by distance")
    bandwidth_gbit_per_s: float = Field(
        default=400.0, gt=0, description="what a route carries each way (unconfirmed)"
    )
    route_factor_pu: float = Field(
        default=1.5, ge=1, description="length of fibre over the great circle, 1.3-1.6 (derived)"
    )
    equipment_ms: float = Field(default=0.0, ge=0, description="latency of routers on the way, each way")
    energy_kwh_per_gb: float = Field(
        default=0.006, ge=0, description="energy of sending, metro and long-haul (unconfirmed)"
    )
    price_cny_per_gb: float = Field(default=0.05, ge=0, description="price of sending (unconfirmed)")


@dataclass(frozen=True)
class Network:
    """Latency and bandwidth between sites, and from places of users to sites.

    `one_way_ms` and `bandwidth_gbit_per_s` have shape (sites, sites), `where` is (latitude, longitude).
    """

    params: NetworkParams
    names: tuple[str, ...]
    places: tuple[str, ...]
    where: tuple[tuple[float, float], ...]
    one_way_ms: Floats
    bandwidth_gbit_per_s: Floats
    access_gbit_per_s: Floats

    def from_users_ms(self, place: str) -> Floats:
        """Return the one-way latency from users at a place to every site [ms], shape (sites,).

        Raises
        ------
        ScenarioError
            When the place is in no table.
        """
        spot = coordinates(place)
        known = _published()
        found = []
        for site, where in zip(self.places, self.where, strict=True):
            said = known.get(frozenset((place, site)))
            found.append(estimate_ms(spot, where, self.params) if said is None else said)
        return np.array(found)


def coordinates(place: str) -> tuple[float, float]:
    """Return latitude and longitude of a place [degree].

    Raises
    ------
    ScenarioError
        When it is not in `computing_places.csv`.
    """
    known = table("computing_places")
    if place not in known:
        msg = f"place {place!r} is unknown (allowed: {', '.join(known)}).{nearest(place, known)}"
        raise ScenarioError(msg)
    row = known[place]
    return float(row["latitude_degree"]), float(row["longitude_degree"])


def great_circle_km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the distance over a sphere (haversine formula) [km]."""
    (la, oa), (lb, ob) = [tuple(math.radians(x) for x in spot) for spot in (a, b)]
    h = math.sin(0.5 * (lb - la)) ** 2 + math.cos(la) * math.cos(lb) * math.sin(0.5 * (ob - oa)) ** 2
    return 2.0 * EARTH_RADIUS_KM * math.asin(math.sqrt(h))


def estimate_ms(a: tuple[float, float], b: tuple[float, float], params: NetworkParams) -> float:
    """Return the one-way latency by distance: route factor, light in fibre, routers [ms]."""
    km = great_circle_km(a, b) * params.route_factor_pu
    return km / LIGHT_IN_FIBRE_KM_PER_MS + params.equipment_ms


def _published() -> Mapping[frozenset[str], float]:
    return {
        frozenset((row["from_place"], row["to_place"])): float(row["one_way_ms"])
        for row in rows("network_latency")
    }


def network_of(
    params: NetworkParams, names: Sequence[str], places: Sequence[str], access_gbit_per_s: Sequence[float]
) -> Network:
    """Return the network of sites: what is listed, then what is published, then what distance says.

    Parameters
    ----------
    names, places
        Of the sites; a route may be listed by either.

    Raises
    ------
    ScenarioError
        With every unknown place and every route that joins nothing.
    """
    wrong: list[str] = []
    where = []
    for name, place in zip(names, places, strict=True):
        try:
            where.append(coordinates(place))
        except ScenarioError as error:
            wrong.append(f"{name}: {error}")
            where.append((math.nan, math.nan))
    latency = _latencies_ms(params, places, where)
    carries = np.full(latency.shape, params.bandwidth_gbit_per_s)
    index = {**{place: i for i, place in enumerate(places)}, **{name: i for i, name in enumerate(names)}}
    for k, route in enumerate(params.routes):
        lost = [end for end in route.between if end not in index]
        if lost:
            wrong += [
                f"network.routes.{k}.between: {end!r} is no site (allowed: {', '.join(index)})."
                f"{nearest(end, index)}"
                for end in lost
            ]
            continue
        a, b = (index[end] for end in route.between)
        if a == b:
            wrong.append(f"network.routes.{k}.between: both ends are {names[a]}")
        for i, j in ((a, b), (b, a)):
            latency[i, j] = latency[i, j] if route.one_way_ms is None else route.one_way_ms
            carries[i, j] = route.bandwidth_gbit_per_s or params.bandwidth_gbit_per_s
    if wrong:
        raise ScenarioError("\n".join(wrong))
    access = np.array(access_gbit_per_s, dtype=np.float64)
    return Network(params, tuple(names), tuple(places), tuple(where), latency, carries, access)


def _latencies_ms(
    params: NetworkParams, places: Sequence[str], where: Sequence[tuple[float, float]]
) -> Floats:
    known, n = _published(), len(places)
    latency = np.zeros((n, n))
    for a in range(n):
        for b in range(n):
            if a != b:
                said = known.get(frozenset((places[a], places[b])))
                latency[a, b] = estimate_ms(where[a], where[b], params) if said is None else said
    return latency


def copy_s(gigabytes: float, gbit_per_s: float) -> float:
    """Return how long a copy takes [s]."""
    return 8.0 * gigabytes / gbit_per_s if gigabytes > 0.0 else 0.0


def precopy(
    state_gb: float, gbit_per_s: float, dirty_gbit_per_s: float, stop_gb: float
) -> tuple[float, float]:
    r"""Return duration and downtime [s] of a live copy in rounds.

    Each round copies what was dirtied in the last one: :math:`V_{i+1} = V_i\,D/B`, until a round is at most
    `stop_gb`, which is copied while the machine stands still (Clark et al., NSDI 2005). Infinite where
    memory is dirtied as fast as it is copied.
    """
    if dirty_gbit_per_s >= gbit_per_s:
        return math.inf, math.inf
    ratio, left, total = dirty_gbit_per_s / gbit_per_s, state_gb, 0.0
    while left > stop_gb:
        total += left
        left *= ratio
    return copy_s(total + left, gbit_per_s), copy_s(left, gbit_per_s)
