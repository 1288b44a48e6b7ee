"""Oscillations in a record: how far a quantity swings, how often, and since when.

A window slides over the stretches a run recorded at one fine step. What is left of it without its
straight line is weighted after Hann; the highest peak of its spectrum that stands inside the band, not
at its edge, tells the frequency, and the smaller amplitude of the window's two halves counts: a slow
drift has no peak, a step lies in one half only. [1]_

References
----------
.. [1] F. J. Harris, "On the use of windows for harmonic analysis with the discrete Fourier transform",
   *Proc. IEEE* 66(1), 1978.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from cosim.core.types import Floats, Ints

BAND_HZ = (0.1, 2.5)
"""Electromechanical modes: between areas below 1 Hz, of single machines above."""

CYCLES = 3.0
"""A window must hold so many cycles of what is found in it."""

SAMPLES = 4.0
"""Values a cycle must have at least: what was recorded more coarsely is not looked at."""

HOPS = 20
"""Positions of the window within its own length."""

FINER = 4
"""Points of the spectrum per line the window could tell apart."""


class Oscillation(NamedTuple):
    """What swings, as of each exchange: in the window that last ended there, zero before the first."""

    amplitude: Floats
    """Half of what it swings from one extreme to the other, in the quantity's unit, (rows, elements)."""
    frequency_hz: Floats
    """NaN where nothing swings; shape (rows, elements)."""


def oscillations(t_s: Floats, dt_s: Floats, values: Floats, window_s: float) -> Oscillation:
    """Return the oscillation of every element at every exchange.

    Parameters
    ----------
    t_s, dt_s
        Start and length of the exchanges [s], shape (rows,).
    values
        One quantity, shape (rows, elements).
    window_s
        Length of the sliding window [s].
    """
    amplitude = np.zeros_like(values)
    frequency_hz = np.full_like(values, np.nan)
    for first, end in stretches(t_s, dt_s):
        step_s = float(dt_s[first])
        width = round(window_s / step_s)
        if step_s * BAND_HZ[1] * SAMPLES > 1.0 or end - first < width:
            continue
        hop = max(1, width // HOPS)
        for last in range(first + width, end + 1, hop):
            known = slice(last - 1, min(last - 1 + hop, end))
            found = _strongest(values[last - width : last], step_s)
            amplitude[known], frequency_hz[known] = found
    return Oscillation(amplitude, frequency_hz)


def stretches(t_s: Floats, dt_s: Floats) -> list[tuple[int, int]]:
    """Return the first row and the end of every stretch of equal steps without a gap."""
    breaks: Ints = np.flatnonzero(np.abs(np.diff(dt_s)) > 1e-9) + 1
    edges = [0, *breaks.tolist(), t_s.size]
    return [(a, b) for a, b in pairwise(edges) if b > a]


def _strongest(values: Floats, step_s: float) -> tuple[Floats, Floats]:
    """Return amplitude and frequency [Hz] of the strongest oscillation of each column, (elements,)."""
    size = values.shape[0]
    f_hz = np.fft.rfftfreq(FINER * size, step_s)
    rest, weight = straightened(values), np.hanning(size)[:, None]
    lines = np.abs(np.fft.rfft(rest * weight, FINER * size, axis=0))
    low_hz = max(BAND_HZ[0], CYCLES / (size * step_s))
    inside = np.flatnonzero((f_hz >= low_hz) & (f_hz <= BAND_HZ[1]))
    peaks = (lines[inside] >= lines[inside - 1]) & (lines[inside] > lines[inside + 1])
    height = np.where(peaks, lines[inside], 0.0)  # nan is no peak
    swings = height.max(axis=0) > 0.0
    found_hz = np.where(swings, f_hz[inside][height.argmax(axis=0)], np.nan)
    return np.where(swings, lasting(values, found_hz, step_s), 0.0), found_hz


def lasting(values: Floats, f_hz: Floats | float, step_s: float) -> Floats:
    """Return the amplitude of each column at a frequency that both halves of the window have, (elements,)."""
    half = values.shape[0] // 2
    early, late = (_at_frequency(part, f_hz, step_s) for part in (values[:half], values[-half:]))
    return np.minimum(early, late)


def _at_frequency(values: Floats, f_hz: Floats | float, step_s: float) -> Floats:
    """Return the amplitude of each column at a frequency, one for all or one each, (elements,)."""
    weight = np.hanning(values.shape[0])[:, None]
    turns = np.arange(values.shape[0])[:, None] * step_s * np.nan_to_num(f_hz)
    total = (straightened(values) * weight * np.exp(-2j * np.pi * turns)).sum(axis=0)
    amplitude: Floats = 2.0 * np.abs(total) / weight.sum()
    return amplitude


def straightened(values: Floats) -> Floats:
    """Return values less their straight line, shape (rows, elements)."""
    x = np.linspace(-1.0, 1.0, values.shape[0])[:, None]
    level = values - values.mean(axis=0)
    rest: Floats = level - x * (level * x).sum(axis=0) / (x * x).sum()
    return rest
