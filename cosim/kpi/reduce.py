"""Reductions of a matrix over time: extremes with place and time, integrals, changes within a window."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cosim.core.types import Floats
from cosim.kpi.panel import Panel

HOUR_S = 3600.0


@dataclass(frozen=True)
class Measure:
    """One number of a run: where and when it occurred, and for how long the input was unknown."""

    value: float
    at: str = ""
    t_s: float | None = None
    unknown_s: float = 0.0


def extreme(panel: Panel, values: Floats, *, highest: bool) -> Measure:
    """Return the highest or lowest of `values` (rows, elements) with its element and time."""
    if values.size == 0 or np.isnan(values).all():
        return Measure(float("nan"), unknown_s=panel.unknown_s)
    flat = int(np.nanargmax(values) if highest else np.nanargmin(values))
    row, element = divmod(flat, values.shape[1])
    return Measure(float(values[row, element]), panel.names[element], float(panel.t_s[row]), panel.unknown_s)


def lowest(panel: Panel) -> Measure:
    """Return the lowest value."""
    return extreme(panel, panel.matrix, highest=False)


def highest(panel: Panel) -> Measure:
    """Return the highest value."""
    return extreme(panel, panel.matrix, highest=True)


def largest_magnitude(panel: Panel) -> Measure:
    """Return the largest absolute value."""
    return extreme(panel, np.abs(panel.matrix), highest=True)


def end_off_nominal(panel: Panel) -> Measure:
    """Return the frequency at the end; of several areas, the one furthest from its nominal."""
    if panel.matrix.size == 0:
        return Measure(float("nan"))
    end = panel.matrix[-1]
    if np.isnan(end).all():
        return Measure(float("nan"), unknown_s=panel.unknown_s)
    element = int(np.nanargmax(np.abs(end - panel.nominal_hz)))
    return Measure(float(end[element]), panel.names[element], float(panel.t_s[-1]), panel.unknown_s)


def integral_h(panel: Panel) -> Measure:
    """Return the integral over time of the sum over elements: MW -> MWh, GPU -> GPU·h."""
    total = np.nansum(panel.matrix * panel.dt_s[:, None]) / HOUR_S
    return Measure(float(total), unknown_s=panel.unknown_s)


def integral_magnitude_h(panel: Panel) -> Measure:
    """Return the integral of the absolute values."""
    total = np.nansum(np.abs(panel.matrix) * panel.dt_s[:, None]) / HOUR_S
    return Measure(float(total), unknown_s=panel.unknown_s)


def change_within(t_s: Floats, values: Floats, window_s: float) -> Floats:
    """Return, per row, the largest change against the rows of the last `window_s`.

    The row before always counts, also where exchanges are longer than the window. So the result does
    not depend on the exchange step as long as it is shorter than the window. NaN where the row or all
    of its window is NaN; the first row is 0. Shapes (rows,), (rows, elements) -> (rows, elements).
    """
    if values.size == 0:
        return values.copy()
    frame = pd.DataFrame(values, index=pd.to_timedelta(t_s, unit="s"))
    window = pd.Timedelta(seconds=window_s)
    rolling = frame.rolling(window, closed="both", min_periods=1)
    low, high = rolling.min().to_numpy(), rolling.max().to_numpy()
    before = np.vstack([values[:1], values[:-1]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # rows that are NaN throughout stay NaN
        rise = values - np.fmin(low, before)
        fall = np.fmax(high, before) - values
    change: Floats = np.maximum(rise, fall)
    return change


def spread(values: Floats, nominal: float = 1.0) -> Floats:
    """Return, per row, the sum of the largest deviations above and below nominal so far in the run.

    GB/T 12325-2008, 4.1: the sum of the absolute values of the positive and the negative deviation;
    with deviations of one sign only, the larger one. Shape (rows, elements).
    """
    known = np.where(np.isnan(values), nominal, values)
    up = np.maximum.accumulate(np.maximum(known - nominal, 0.0), axis=0)
    down = np.maximum.accumulate(np.maximum(nominal - known, 0.0), axis=0)
    total: Floats = np.where(np.isnan(values), np.nan, up + down)
    return total


def apart(values: Floats) -> Floats:
    """Return, per row, the distance of each element to the one farthest from it, (rows, elements)."""
    if values.size == 0:
        return values.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # rows that are NaN throughout stay NaN
        low, high = np.nanmin(values, axis=1)[:, None], np.nanmax(values, axis=1)[:, None]
    far: Floats = np.maximum(values - low, high - values)
    return far


def longest_below(panel: Panel, level: float) -> Measure:
    """Return the longest time any element spends below a level without a break [s]."""
    found = Measure(0.0, unknown_s=panel.unknown_s)
    low = panel.matrix < level
    for element in np.flatnonzero(low.any(axis=0)).tolist():
        edges = np.diff(low[:, element].astype(np.int8), prepend=0, append=0)
        for start, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
            spent_s = float(panel.dt_s[start:end].sum())
            if spent_s > found.value:
                name = panel.names[element]
                found = Measure(spent_s, name, float(panel.t_s[start]), panel.unknown_s)
    return found
