"""Who moved what where, when and why: read from the events of sites."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from cosim.results import Results

ENDS = {
    "job_moved": "moved",
    "job_rolled_back": "rolled back",
    "job_suspended": "suspended",
    "job_failed": "lost with the site",
}
"""Event that ends a trip and what became of it."""

SERVICE_ENDS = {
    "service_moved": "moved",
    "service_stays": "stayed",
    "service_rolled_back": "rolled back",
    "service_restarted": "lost with the site",
}
"""Event that ends a change of sites of a service and what became of it."""

UNDER_WAY, FETCHED = "under way", "fetched"
WAITING = "waiting"
"""Where a job goes that is suspended."""


@dataclass
class Trip:
    """A job that leaves a site, the data of a waiting one that leave it, or a service that changes sites."""

    job: str
    """Its name; that of a service after the word."""
    source: str
    target: str
    gpus: float
    leaves_s: float
    ends_s: float | None = None
    outcome: str = UNDER_WAY
    why: str = ""


def units_of(results: "Results") -> Mapping[str, Any]:
    """Return the units of the scenario as it was run, by name; empty where its text is not there."""
    scenario = results.manifest.get("scenario")
    text = scenario.get("text", "") if isinstance(scenario, Mapping) else ""
    content = yaml.safe_load(str(text))
    units = content.get("units") if isinstance(content, Mapping) else None
    return units if isinstance(units, Mapping) else {}


def fleets(results: "Results") -> Iterator[Mapping[str, Any]]:
    """Yield the work of all sites, as the scenario says it."""
    for params in units_of(results).values():
        fleet = params.get("fleet") if isinstance(params, Mapping) else None
        if isinstance(fleet, Mapping):
            yield fleet


def trips(results: "Results") -> list[Trip]:
    """Return all trips of jobs and services of a run, in the order they began."""
    found: list[Trip] = []
    under_way: dict[str, Trip] = {}
    shifts: dict[str, list[Trip]] = {}
    orders: list[tuple[float, float, str, Mapping[str, Any]]] = []
    policy = next((str(fleet.get("policy", "")) for fleet in fleets(results)), "")
    events = results.events
    columns = (events[column].tolist() for column in ("t_s", "source", "kind", "text", "data"))
    for t_s, source, kind, text, packed in zip(*columns, strict=True):
        data = _data(packed)
        if kind == "command" and text in ("move", "limit_jobs"):
            orders.append((float(t_s), float(data.get("over_s") or 0.0), str(source), data))
        elif kind in ("job_leaves", "job_fetched"):
            trip = Trip(
                str(data["job"]),
                str(data["from"]),
                str(data.get("to", WAITING)),
                float(data["gpus"]),
                float(t_s),
            )
            trip.why = _why(trip, orders, policy)
            found.append(trip)
            if kind == "job_fetched":
                trip.outcome = FETCHED
            else:
                under_way[trip.job] = trip
        elif kind in ENDS and data.get("job") in under_way:
            trip = under_way.pop(str(data["job"]))
            trip.ends_s, trip.outcome = float(t_s), ENDS[kind]
        elif kind == "service_leaves" or kind in SERVICE_ENDS:
            found += _shifted(shifts, float(t_s), kind, data)
    return found


def _shifted(shifts: dict[str, list[Trip]], t_s: float, kind: str, data: Mapping[str, Any]) -> Iterator[Trip]:
    """Yield trips a service begins; end those of one that is over, which may have grown or gone elsewhere."""
    name, ends = str(data["service"]), (str(data["from"]), str(data["to"]))
    mine = shifts.setdefault(name, [])
    if kind == "service_leaves":
        if any(trip.leaves_s < t_s for trip in mine):
            mine.clear()
        trip = Trip(f"service {name}", *ends, float(data["gpus"]), t_s, why=str(data.get("why", "")))
        mine.append(trip)
        yield trip
        return
    for trip in mine:
        if (trip.source, trip.target) == ends:
            trip.ends_s, trip.outcome, trip.gpus = t_s, SERVICE_ENDS[kind], float(data["gpus"])
            return
        if trip.ends_s is None:
            trip.ends_s, trip.outcome = t_s, "stayed"
    leaves_s = t_s - float(data.get("took_s") or 0.0)
    why = mine[0].why if mine else str(data.get("why", ""))
    yield Trip(f"service {name}", *ends, float(data["gpus"]), leaves_s, t_s, SERVICE_ENDS[kind], why)


def flows(found: list[Trip]) -> list[dict[str, Any]]:
    """Return trips added up by where from, where to and what became of them."""
    sums: dict[tuple[str, str, str], dict[str, Any]] = {}
    for trip in found:
        key = (trip.source, trip.target, trip.outcome)
        flow = sums.setdefault(
            key,
            {"from": key[0], "to": key[1], "outcome": key[2], "gpus": 0.0, "trips": 0},
        )
        flow["gpus"] += trip.gpus
        flow["trips"] += 1
    return sorted(sums.values(), key=lambda flow: -flow["gpus"])


def _why(trip: Trip, orders: list[tuple[float, float, str, Mapping[str, Any]]], policy: str) -> str:
    """Return who wanted a trip: the last order it can follow from, else what decides without one."""
    for at_s, over_s, source, data in reversed(orders):
        if source != trip.source or at_s > trip.leaves_s:
            continue
        if trip.target == WAITING and "gpus_count" in data and "to" not in data:
            return f"limit ordered at {at_s:g} s"
        if data.get("to") == trip.target and trip.leaves_s <= at_s + over_s:
            return f"move ordered at {at_s:g} s"
    if trip.target == WAITING:
        return "services or a limit need its accelerators"
    return f"policy {policy}" if policy else "policy"


def _data(packed: object) -> dict[str, Any]:
    try:
        content = json.loads(str(packed or "{}"))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
