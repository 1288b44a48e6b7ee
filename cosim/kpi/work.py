"""KPIs of jobs and services: what is counted since the run began, and rates added up."""

import numpy as np

from cosim.kpi.panel import Panel
from cosim.kpi.reduce import HOUR_S, Measure, integral_h


def counted(panel: Panel) -> Measure:
    """Return the sum over elements of a count that only grows, at the end; the place has most of it."""
    if not panel.matrix.size:
        return Measure(float("nan"), unknown_s=panel.unknown_s)
    last = np.nan_to_num(panel.matrix[-1])
    at = panel.names[int(last.argmax())] if last.any() else ""
    return Measure(float(last.sum()), at, unknown_s=panel.unknown_s)


def added_up(panel: Panel) -> Measure:
    """Return the integral of a rate per second, summed over elements: 1/s -> a number."""
    total = integral_h(panel)
    return Measure(HOUR_S * total.value, unknown_s=total.unknown_s)


def net_of(gained: Panel, lost: Panel) -> Measure:
    """Return what a rate per second adds up to, less what another takes off it."""
    above, below = added_up(gained), added_up(lost)
    return Measure(above.value - below.value, unknown_s=max(above.unknown_s, below.unknown_s))


def data_gb(panel: Panel) -> Measure:
    """Return the data of rates in Gbit/s, summed over elements [GB]."""
    total = added_up(panel)
    return Measure(total.value / 8.0, unknown_s=total.unknown_s)


def weighted_mean(values: Panel, weights: Panel) -> Measure:
    """Return the mean over time and elements of values by their weights; the place has the highest."""
    by = np.nan_to_num(weights.matrix) * weights.dt_s[:, None]
    sums, total = np.nansum(values.matrix * by, axis=0), by.sum(axis=0)
    if not total.sum() > 0.0:
        return Measure(float("nan"), unknown_s=values.unknown_s)
    means = np.where(total > 0.0, sums / np.where(total > 0.0, total, 1.0), -np.inf)
    at = values.names[int(means.argmax())]
    return Measure(float(sums.sum() / total.sum()), at, unknown_s=values.unknown_s)
