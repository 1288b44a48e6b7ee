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


def data_gb(panel: Panel) -> Measure:
    """Return the data of rates in Gbit/s, summed over elements [GB]."""
    total = added_up(panel)
    return Measure(total.value / 8.0, unknown_s=total.unknown_s)
