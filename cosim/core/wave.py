r"""A load that pulses between two levels: what it draws behind ramp limits, its lag and its capacitors.

Components know the mean over an exchange, a grid's device draws the waveform within it; both follow this one
law, so that their means agree. The wanted power is `high_mw` for `high_s`, then `low_mw` for `low_s`, over
and over; what is held follows it within the ramp limits, what is drawn follows that behind a lag:

.. math::
    -r_{down} \le \dot h \le r_{up}, \qquad \tau\,\dot y = h - y

Both are integrated in closed form between the edges. Capacitors of power supplies flatten it further: the
supply draws the recent mean of :math:`y` as long as their charge allows (`Capacitors` in
`datacenters.smoothing` is the same law for whole halls). The edges are those of synchronous training [1]_.

References
----------
.. [1] E. Choukse et al., Power stabilization for AI training datacenters, arXiv 2508.14318.
"""

import math
from typing import NamedTuple

from cosim.core.jit import jit

EDGE_S = 1e-9
"""Pieces shorter than this are rounding."""


class Wave(NamedTuple):
    """What is wanted from the start of an exchange on."""

    low_mw: float
    high_mw: float
    since_s: float
    """Time since the last rise, at the start of the exchange."""
    high_s: float
    low_s: float


class Limits(NamedTuple):
    """What stands between the wanted power and the drawn one; ramps may be infinite."""

    tau_s: float
    rise_mw_per_s: float
    fall_mw_per_s: float
    capacitor_mj: float
    capacitor_tau_s: float


class Drawn(NamedTuple):
    """Where the load stands: time since the start of the exchange, and its four memories."""

    at_s: float
    held_mw: float
    lagged_mw: float
    recent_mw: float
    charge_mj: float


@jit
def wanted(wave: Wave, at_s: float) -> tuple[float, float]:
    """Return the wanted power [MW] at a time of the exchange, and for how long it stays [s]."""
    period_s = wave.high_s + wave.low_s
    if wave.low_mw == wave.high_mw or period_s <= 0.0:
        return wave.high_mw, math.inf
    phase_s = (wave.since_s + at_s) % period_s
    if phase_s < wave.high_s - EDGE_S:
        return wave.high_mw, wave.high_s - phase_s
    if phase_s < period_s - EDGE_S:
        return wave.low_mw, period_s - phase_s
    return wave.high_mw, wave.high_s + period_s - phase_s


@jit
def settled(wave: Wave, limits: Limits) -> Drawn:
    """Return the state of a load that has long drawn what it wants at the start, its capacitors full."""
    level_mw, _ = wanted(wave, 0.0)
    return Drawn(0.0, level_mw, level_mw, level_mw, limits.capacitor_mj)


@jit
def draw(wave: Wave, limits: Limits, drawn: Drawn, h_s: float) -> tuple[float, Drawn]:
    """Advance by `h_s`; return the mean power drawn [MW] and the new state.

    Exact without capacitors, whatever `h_s`; with them of first order in it.
    """
    at_s, held_mw, lagged_mw = drawn.at_s, drawn.held_mw, drawn.lagged_mw
    energy_mj, left_s = 0.0, h_s
    while left_s > 0.0:
        level_mw, piece_s = wanted(wave, at_s)
        piece_s = min(piece_s, left_s)
        rate = limits.rise_mw_per_s if level_mw > held_mw else -limits.fall_mw_per_s
        ramp_s = (level_mw - held_mw) / rate if level_mw != held_mw else 0.0
        if ramp_s <= EDGE_S:
            held_mw, rate = level_mw, 0.0
        else:
            piece_s = min(piece_s, ramp_s)
        behind_mw = lagged_mw - held_mw + rate * limits.tau_s
        decay = math.exp(-piece_s / limits.tau_s)
        energy_mj += (
            held_mw * piece_s
            + rate * (0.5 * piece_s - limits.tau_s) * piece_s
            + behind_mw * limits.tau_s * (1.0 - decay)
        )
        held_mw += rate * piece_s
        lagged_mw = held_mw - rate * limits.tau_s + behind_mw * decay
        at_s += piece_s
        left_s -= piece_s
    mean_mw = energy_mj / h_s
    if limits.capacitor_mj == 0.0:
        return mean_mw, Drawn(at_s, held_mw, lagged_mw, mean_mw, 0.0)
    above_mw, decay = drawn.recent_mw - mean_mw, math.exp(-h_s / limits.capacitor_tau_s)
    charge_mj = drawn.charge_mj + above_mw * (1.0 - decay) * limits.capacitor_tau_s
    charge_mj = min(max(charge_mj, 0.0), limits.capacitor_mj)
    into_mw = (charge_mj - drawn.charge_mj) / h_s
    return mean_mw + into_mw, Drawn(at_s, held_mw, lagged_mw, mean_mw + above_mw * decay, charge_mj)


@jit
def mean_drawn(wave: Wave, limits: Limits, drawn: Drawn, span_s: float, step_s: float) -> tuple[float, Drawn]:
    """Return the mean power over a whole exchange, in steps of at most `step_s`, and the state at its end."""
    steps = max(math.ceil(span_s / step_s - EDGE_S), 1)
    state, total = Drawn(0.0, drawn.held_mw, drawn.lagged_mw, drawn.recent_mw, drawn.charge_mj), 0.0
    for _ in range(steps):
        mean_mw, state = draw(wave, limits, state, span_s / steps)
        total += mean_mw
    return total / steps, state
