"""Where in the spectrum a power moves: its share in the band that utilities care about.

The stretches a run recorded at one fine step are taken without their straight line and weighted after Hann;
squares of their spectrum inside the band over those of all of it, each stretch with its length. [1]_
Published specifications of training loads limit this share in 0.1-20 Hz. [2]_

References
----------
.. [1] F. J. Harris, "On the use of windows for harmonic analysis with the discrete Fourier transform",
   *Proc. IEEE* 66(1), 1978.
.. [2] E. Choukse et al., Power stabilization for AI training datacenters, arXiv 2508.14318.
"""

import numpy as np

from cosim.core.types import Floats
from cosim.kpi.oscillation import straightened, stretches

BAND_HZ = (0.1, 20.0)
"""From modes between areas to torsion of shafts."""

LONGEST_STEP_S = 0.25
"""Exchanges longer than this average away what the share is about."""

SHORTEST_S = 30.0
"""Three periods of the band's lower edge: a shorter stretch cannot tell what lies below."""

STILL = 1e-6
"""Powers that move by less than this of their mean do not move."""


def share_in_band(t_s: Floats, dt_s: Floats, values: Floats) -> Floats:
    """Return the share of each element's variance inside the band, NaN without fine stretches.

    Parameters
    ----------
    t_s, dt_s
        Start and length of the exchanges [s], shape (rows,).
    values
        One quantity, shape (rows, elements).

    Returns
    -------
    Floats
        0 to 1, shape (elements,); 0 where nothing moves.
    """
    inside, whole, still = (np.zeros(values.shape[1]) for _ in range(3))
    seen_s = 0.0
    for first, end in stretches(t_s, dt_s):
        step_s, size = float(dt_s[first]), end - first
        if step_s > LONGEST_STEP_S or size * step_s < SHORTEST_S:
            continue
        part, f_hz = values[first:end], np.fft.rfftfreq(size, step_s)
        variance = _variance_of_lines(part) * size * step_s
        inside += variance[(f_hz >= BAND_HZ[0]) & (f_hz <= BAND_HZ[1])].sum(axis=0)
        whole += variance.sum(axis=0)
        still += (STILL * part.mean(axis=0)) ** 2 * size * step_s
        seen_s += size * step_s
    if seen_s == 0.0:
        return np.full(values.shape[1], np.nan)
    moves = ~(whole <= still)  # nan moves: its share is unknown
    share: Floats = np.divide(inside, whole, out=np.zeros_like(whole), where=moves)
    return share


def _variance_of_lines(values: Floats) -> Floats:
    """Return what each line of the spectrum adds to the variance of each column, (lines, elements)."""
    size = values.shape[0]
    weight = np.hanning(size)[:, None]
    rest = straightened(values)
    rest = (rest - (rest * weight).sum(axis=0) / weight.sum()) * weight
    lines = np.abs(np.fft.rfft(rest, axis=0)) ** 2
    lines[1 : (size + 1) // 2] *= 2.0  # those of negative frequency
    variance: Floats = lines / (size * (weight**2).sum())
    return variance
