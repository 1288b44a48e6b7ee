"""Sizes, durations, ends and arrivals of jobs as published clusters had them."""

from functools import cache

import numpy as np

from cosim.core.types import Floats, Ints
from datacenters.data import rows, table

FATES = ("completed", "cancelled", "failed")
"""How a job ends for its owner; its accelerators are free in any case."""
STEADY = "steady"


def clusters() -> tuple[str, ...]:
    """Return the names of the published clusters, rows of the table `job_clusters`."""
    return tuple(table("job_clusters"))


def arrivals() -> tuple[str, ...]:
    """Return the known courses of arrivals over a day."""
    return (STEADY, *(name.removesuffix("_pu") for name in rows("job_arrivals")[0] if name.endswith("_pu")))


@cache
def _distribution(cluster: str, quantity: str) -> tuple[Floats, Floats]:
    """Return values and the share of jobs at most so large, both rising, shape (points,)."""
    found = [row for row in rows("job_statistics") if row["quantity"] == quantity]
    values = np.array([float(row["at_most"]) for row in found])
    shares = np.array([float(row[f"{cluster}_pu"]) for row in found])
    return values, np.maximum.accumulate(shares)


def gpus(cluster: str, count: int, rng: np.random.Generator) -> Floats:
    """Return sizes of jobs [GPU], shape (count,): powers of two with the published shares.

    Sizes between two powers count as the upper one, parts of an accelerator as a whole one.
    """
    values, shares = _distribution(cluster, "gpus")
    drawn = values[np.minimum(np.searchsorted(shares, rng.uniform(size=count)), values.size - 1)]
    return np.minimum(drawn, float(table("job_clusters")[cluster]["gpus_most"]))


def durations_s(cluster: str, count: int, rng: np.random.Generator) -> Floats:
    """Return how long jobs run [s], shape (count,), by inverting the published distribution function.

    Between its points, powers of two, the logarithm is interpolated; the longest published job is the end.
    """
    values, shares = _distribution(cluster, "duration_s")
    most_s = float(table("job_clusters")[cluster]["duration_most_s"])
    keeps = np.append(np.diff(shares) > 0.0, True)
    logs, points = np.append(np.log(values[keeps]), np.log(most_s)), np.append(shares[keeps], 1.0)
    drawn_s: Floats = np.exp(np.interp(rng.uniform(size=count), points, logs))
    return np.minimum(drawn_s, most_s)


def fates(cluster: str, count: int, rng: np.random.Generator) -> Ints:
    """Return how jobs end, places in `FATES`, shape (count,); completed where nothing is published."""
    row = table("job_clusters")[cluster]
    shares = np.array([float(row[f"{fate}_pu"] or "nan") for fate in FATES])
    if np.isnan(shares).any():
        return np.zeros(count, dtype=np.int64)
    return np.asarray(np.searchsorted(np.cumsum(shares)[:-1], rng.uniform(size=count)), dtype=np.int64)


def _course(shape: str) -> Floats:
    """Return arrivals in each hour of the day over their mean, shape (24,)."""
    if shape == STEADY:
        return np.ones(24)
    return np.array([float(row[f"{shape}_pu"]) for row in rows("job_arrivals")])


def area_h(shape: str, start_h: float, span_h: float) -> tuple[Floats, Floats]:
    """Return edges in time [h] from the start and the area under the course of arrivals up to each [h].

    Parameters
    ----------
    shape
        One of `arrivals`.
    start_h
        Hour of the day at which the span begins.
    span_h
        Its length.
    """
    first = int(np.floor(start_h))
    hours = np.arange(first + 1, int(np.ceil(start_h + span_h)))
    edges = np.concatenate([[start_h], hours, [start_h + span_h]])
    levels = _course(shape)[np.floor(edges[:-1]).astype(np.int64) % 24]
    return edges - start_h, np.concatenate([[0.0], np.cumsum(levels * np.diff(edges))])


def arrival_s(shape: str, start_h: float, span_s: float, count: int, rng: np.random.Generator) -> Floats:
    """Return when jobs arrive [s], rising, shape (count,): a Poisson process of that course, given the count.

    Its times are independent draws from the course, by inverting the area under it.
    """
    edges_h, area = area_h(shape, start_h, span_s / 3600.0)
    return np.sort(np.interp(rng.uniform(0.0, area[-1], count), area, edges_h)) * 3600.0
