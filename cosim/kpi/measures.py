"""What the KPIs of grid, halls and units measure in the panels of a run."""

from dataclasses import replace

import numpy as np

from cosim.kpi.oscillation import oscillations
from cosim.kpi.panel import Panel
from cosim.kpi.reduce import (
    Measure,
    apart,
    change_within,
    extreme,
    integral_h,
    longest_below,
)
from cosim.kpi.spectrum import share_in_band

RAMP_WINDOW_S = 60.0
VOLTAGE_STEP_WINDOW_S = 60.0
OSCILLATION_WINDOW_S = 10.0
RECOVERED_PU = 0.9


def no_solution(panel: Panel) -> Measure:
    """Count exchanges without a power-flow solution; the time is that of the first."""
    failed = ~(panel.matrix > 0.5).all(axis=1)
    first = float(panel.t_s[failed][0]) if failed.any() else None
    return Measure(float(failed.sum()), t_s=first)


def voltage_step(panel: Panel) -> Measure:
    """Return the largest voltage change within a minute."""
    return extreme(panel, change_within(panel.t_s, panel.matrix, VOLTAGE_STEP_WINDOW_S), highest=True)


def ramp(panel: Panel) -> Measure:
    """Return the largest change of power within a minute [MW/min]."""
    return extreme(panel, change_within(panel.t_s, panel.matrix, RAMP_WINDOW_S), highest=True)


def moves(panel: Panel) -> Measure:
    """Count tap positions passed, over all transformers; the place is where most were."""
    passed = np.nansum(np.abs(np.diff(panel.matrix, axis=0)), axis=0)
    if passed.size == 0 or passed.sum() == 0.0:
        return Measure(0.0, unknown_s=panel.unknown_s)
    return Measure(float(passed.sum()), panel.names[int(passed.argmax())], unknown_s=panel.unknown_s)


def throttled(panel: Panel) -> Measure:
    """Return how long the hall that throttles longest does so [s]."""
    held = panel.matrix > 1e-9
    spent_s = (held * panel.dt_s[:, None]).sum(axis=0)
    if spent_s.size == 0 or spent_s.max() == 0.0:
        return Measure(0.0, unknown_s=panel.unknown_s)
    worst = int(spent_s.argmax())
    first = float(panel.t_s[held[:, worst]][0])
    return Measure(float(spent_s[worst]), panel.names[worst], first, panel.unknown_s)


def energy_weighted_ratio(numerator: Panel, denominator: Panel) -> Measure:
    """Return the ratio of two energies."""
    below = integral_h(denominator).value
    value = integral_h(numerator).value / below if below > 0.0 else float("nan")
    return Measure(value, unknown_s=max(numerator.unknown_s, denominator.unknown_s))


def water_use(water: Panel, it: Panel) -> Measure:
    """Return water over IT energy [L/kWh]: 1 kg/s for each MW is 3.6 L/kWh."""
    ratio = energy_weighted_ratio(water, it)
    return Measure(3.6 * ratio.value, unknown_s=ratio.unknown_s)


def disconnected(order: Panel, drawn: Panel) -> Measure:
    """Return the most that units together would have drawn and did not [MW], and the largest of them."""
    off = order.matrix - drawn.matrix
    if off.size == 0:
        return Measure(float("nan"), unknown_s=order.unknown_s)
    together = np.nansum(off, axis=1)
    row = int(together.argmax())
    if together[row] <= 1e-9:
        return Measure(0.0, unknown_s=order.unknown_s)
    name = order.names[int(np.nanargmax(off[row]))]
    return Measure(float(together[row]), name, float(order.t_s[row]), order.unknown_s)


def handover_time(panel: Panel) -> Measure:
    """Return the time from the order to the end of the last phase, of the slowest hand-over [s].

    Phases 1 to 5 are under way, 6 is done; one that does not end in the run counts up to its end.
    """
    found = Measure(float("nan"), unknown_s=panel.unknown_s)
    for element, name in enumerate(panel.names):
        phase = panel.matrix[:, element]
        under_way = (phase >= 1.0) & (phase <= 5.0)
        begun = np.flatnonzero(under_way & ~np.concatenate(([False], under_way[:-1])))
        for first in begun:
            ended = np.flatnonzero(~under_way[first:])
            last = first + int(ended[0]) if ended.size else phase.size - 1
            start_s = float(panel.t_s[first])
            spent_s = float(panel.t_s[last] + panel.dt_s[last]) - start_s
            if not found.value >= spent_s:
                found = Measure(spent_s, name, start_s, panel.unknown_s)
    return found


def voltage_recovery(panel: Panel) -> Measure:
    """Return the longest time a bus spends below 0.9 pu [s]."""
    return longest_below(panel, RECOVERED_PU)


def outage(panel: Panel) -> Measure:
    """Return the longest time without voltage [s]; unknown of places that never had one."""
    if not panel.names:
        return Measure(float("nan"))
    dark = (np.isnan(panel.matrix) & ~panel.unknown) | (panel.matrix == 0.0)
    return longest_below(replace(panel, matrix=np.where(dark, 0.0, 1.0)), 0.5)


def angle_spread(panel: Panel) -> Measure:
    """Return the largest distance between two rotors; the place is the one farthest out."""
    return extreme(panel, apart(panel.matrix), highest=True)


def oscillation(panel: Panel) -> Measure:
    """Return the largest amplitude of a machine's speed that lasts through a window."""
    swing = oscillations(panel.t_s, panel.dt_s, panel.matrix, OSCILLATION_WINDOW_S)
    return extreme(panel, swing.amplitude, highest=True)


def oscillation_frequency(panel: Panel) -> Measure:
    """Return how often it swings where and when it swings most [Hz]."""
    swing = oscillations(panel.t_s, panel.dt_s, panel.matrix, OSCILLATION_WINDOW_S)
    if not swing.amplitude.any():
        return Measure(float("nan"), unknown_s=panel.unknown_s)
    row, element = divmod(int(swing.amplitude.argmax()), len(panel.names))
    value, name = float(swing.frequency_hz[row, element]), panel.names[element]
    return Measure(value, name, float(panel.t_s[row]), panel.unknown_s)


def spectral_share(panel: Panel) -> Measure:
    """Return the largest share of a unit's variance of power that lies in the band."""
    return extreme(panel, share_in_band(panel.t_s, panel.dt_s, panel.matrix)[None, :], highest=True)
