"""The map of sites: where they are, what they draw, and what travels between them at some sixty instants."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cosim.core.types import Floats
from cosim.kpi.panel import tables_with
from cosim.kpi.places import geography, unit_buses
from cosim.report.moves import Trip, units_of
from cosim.report.province import frame_rows
from cosim.report.series import Pool
from datacenters.data import table

if TYPE_CHECKING:
    from cosim.results import Results

MOST_BUSES = 400
"""Buses drawn behind the sites."""


def site_tables(results: "Results") -> tuple[str, ...]:
    """Return the tables of component kinds between which jobs move."""
    return tables_with(results, "went_count")


def sites_of(results: "Results") -> tuple[str, ...]:
    """Return the names of all sites."""
    return tuple(name for kind in site_tables(results) for name in results.elements(kind))


def halls_of(results: "Results") -> dict[str, str]:
    """Return the hall each site runs on, where the scenario names one."""
    units = units_of(results)
    named = {site: units.get(site) for site in sites_of(results)}
    return {
        site: str(params["runs_on"])
        for site, params in named.items()
        if isinstance(params, Mapping) and params.get("runs_on")
    }


def number_of_units(results: "Results") -> dict[str, int]:
    """Return the place of each unit in the scenario, by which it is coloured; a site has that of its hall."""
    numbers = {str(name): i for i, name in enumerate(results.units["name"])}
    halls = halls_of(results)
    return {name: numbers.get(halls.get(name, name), i) for name, i in numbers.items()}


def places_of(results: "Results") -> dict[str, tuple[float, float]]:
    """Return latitude and longitude [degree] of sites: of their place, else of their bus, where known."""
    known, units, halls = table("computing_places"), units_of(results), halls_of(results)
    buses = list(results.elements("bus")) if "bus" in results.tables else []
    lat, lon = (list(geography(results).get(key, ())) for key in ("lat", "lon"))
    at = unit_buses(results)
    found = {}
    for site in sites_of(results):
        params = units.get(site)
        place = known.get(str(params.get("place")) if isinstance(params, Mapping) else "")
        bus = at.get(site) or at.get(halls.get(site, ""))
        if place is not None:
            found[site] = (float(place["latitude_degree"]), float(place["longitude_degree"]))
        elif bus in buses and len(lat) == len(buses):
            found[site] = (float(lat[buses.index(bus)]), float(lon[buses.index(bus)]))
    return {site: place for site, place in found.items() if np.isfinite(place).all()}


def site_power_mw(results: "Results", site: str) -> "tuple[Floats, Floats] | None":
    """Return time [s] and power drawn [MW] of the hall of a site, or None."""
    hall = halls_of(results).get(site, site)
    for kind in ("point", *tables_with(results, "p_mw")):
        if kind in results.tables and hall in results.elements(kind):
            power = results.series(kind, "p_mw")[hall]
            return power.index.to_numpy(dtype=np.float64), power.to_numpy(dtype=np.float64)
    return None


def work_map(results: "Results", pool: Pool, found: Sequence[Trip]) -> dict[str, Any] | None:
    """Return the map as JSON-ready data, or None with less than two sites of known place."""
    at = places_of(results)
    powers = {site: site_power_mw(results, site) for site in at}
    known = {site: power for site, power in powers.items() if power is not None}
    if len(known) < 2 or not results.dt_s.size:
        return None
    times = results.dt_s.index.to_numpy(dtype=np.float64)
    ends = [trip.ends_s for trip in found if trip.ends_s is not None]
    rows = frame_rows(times, [*(trip.leaves_s for trip in found[:60]), *ends[:60]])
    frames = times[rows]
    sites = list(known)
    return {
        "t_s": frames.tolist(),
        "sites": sites,
        "colour": [number_of_units(results)[site] for site in sites],
        "lat": [at[site][0] for site in sites],
        "lon": [at[site][1] for site in sites],
        "p_mw": [pool.add(_held(*known[site], frames)) for site in sites],
        "trips": [
            {
                "from": sites.index(trip.source),
                "to": sites.index(trip.target),
                "gpus": trip.gpus,
                "job": trip.job,
                "start": trip.leaves_s,
                "end": trip.ends_s,
                "outcome": trip.outcome,
            }
            for trip in found
            if trip.source in known and trip.target in known
        ],
        **_background(results),
    }


def _held(t_s: Floats, values: Floats, at_s: Floats) -> Floats:
    """Return the values that hold at some instants."""
    rows = np.clip(np.searchsorted(t_s, at_s + 1e-9, side="right") - 1, 0, t_s.size - 1)
    held: Floats = values[rows]
    return held


def _background(results: "Results") -> dict[str, Any]:
    """Return buses and lines of the grid, for the eye; none where coordinates are missing or too many."""
    places = geography(results)
    lat, lon = list(places.get("lat", ())), list(places.get("lon", ()))
    if not lat or len(lat) > MOST_BUSES or not np.isfinite([lat, lon]).all():
        return {"buses": [], "lines": []}
    ends = zip(places.get("line_from", ()), places.get("line_to", ()), strict=True)
    lines = sorted({(min(int(a), int(b)), max(int(a), int(b))) for a, b in ends})
    return {"buses": [list(at) for at in zip(lat, lon, strict=True)], "lines": [list(pair) for pair in lines]}
